//! People of a programme: lists by CSV, answers, printed codes, days of one's own.

use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Paging, body_word, parse_word};
use crate::domain::cohort::{Accommodations, DeclineReason, InviteeState, RowFault, RowOutcome};
use crate::domain::csv;
use crate::domain::ids::{InviteeId, ProgramId};
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::cohorts::{
    self, BatchReport, Extension, Invitee, InviteeQuery, MessagePreview, NamedInvitee, NewBatch,
    NewStays, RowReport, Standing, StaysReport,
};
use crate::service::{Cx, Error};

/// A list of people.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// CSV with a header: email or reference, name, audience, school (name or id). At most 5000 people.
    csv: String,
    /// Only look.
    #[serde(default)]
    dry_run: bool,
    /// Write once more to those who have not answered, at most once a day.
    #[serde(default)]
    again: bool,
}

/// One thing that is wrong with a row.
#[derive(Serialize, ToSchema)]
pub struct RowFaultView {
    /// A stable word.
    code: &'static str,
    /// What to do about it.
    detail: String,
}

/// What became of a row, or would.
#[derive(Serialize, ToSchema)]
pub struct RowView {
    /// Its number as a spreadsheet shows it; the header is row 1.
    row: usize,
    /// new, again, known or refused; of a file of who is still employed taken or refused.
    outcome: &'static str,
    /// Why it is refused.
    reasons: Vec<RowFaultView>,
}

impl From<RowReport> for RowView {
    fn from(row: RowReport) -> RowView {
        let view =
            |(fault, detail): (RowFault, String)| RowFaultView { code: fault.as_str(), detail };
        RowView {
            row: row.number,
            outcome: row.outcome.as_str(),
            reasons: row.faults.into_iter().map(view).collect(),
        }
    }
}

/// What became of a list, or would.
#[derive(Serialize, ToSchema)]
pub struct BatchView {
    /// Whether nothing was done.
    dry_run: bool,
    /// How many people are new.
    new: usize,
    /// How many are written to once more.
    again: usize,
    /// How many are on the list already; nothing is sent to them.
    known: usize,
    /// How many rows are at fault; nothing is done about them.
    refused: usize,
    /// Row by row.
    rows: Vec<RowView>,
}

impl From<BatchReport> for BatchView {
    fn from(report: BatchReport) -> BatchView {
        BatchView {
            dry_run: report.is_dry_run,
            new: report.count(RowOutcome::New),
            again: report.count(RowOutcome::Again),
            known: report.count(RowOutcome::Known),
            refused: report.count(RowOutcome::Refused),
            rows: report.rows.into_iter().map(RowView::from).collect(),
        }
    }
}

/// `POST /api/v1/programs/{id}/cohorts/{cohort}/invitations`
pub async fn create_cohort_invitations(
    app: web::Data<App>,
    meta: Meta,
    Path((program, cohort)): Path<(ProgramId, String)>,
    body: JsonBody<BatchBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let BatchBody { csv, dry_run, again } = body.value;
    let new = NewBatch { cohort, csv, is_dry_run: dry_run, again };
    app.write(meta, "create_cohort_invitations", parts, move |cx| {
        Answer::json(200, &BatchView::from(cohorts::create(cx, program, &new)?))
    })
    .await
}

/// What was arranged with one person. It changes the form of an answer, never what is asked or how it is scored.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccommodationsView {
    /// Every prompt may be answered by a recording.
    #[serde(default)]
    spoken_answers: bool,
    /// Word limits of the prompts do not hold.
    #[serde(default)]
    unlimited_words: bool,
    /// What else was arranged, in words for the person and the coordinators.
    #[serde(default)]
    note: String,
}

impl From<Accommodations> for AccommodationsView {
    fn from(arranged: Accommodations) -> AccommodationsView {
        let Accommodations { spoken_answers, unlimited_words, note } = arranged;
        AccommodationsView { spoken_answers, unlimited_words, note }
    }
}

impl From<AccommodationsView> for Accommodations {
    fn from(wanted: AccommodationsView) -> Accommodations {
        let AccommodationsView { spoken_answers, unlimited_words, note } = wanted;
        Accommodations { spoken_answers, unlimited_words, note: note.trim().to_owned() }
    }
}

/// A file of who is still employed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StaysBody {
    /// CSV with a header: email, reference or code, and employed (yes or no). At most 5000 people.
    csv: String,
    /// The day of which the file says so.
    #[schema(format = "date")]
    as_of: String,
    /// Only look.
    #[serde(default)]
    dry_run: bool,
}

/// What became of a file, or would.
#[derive(Serialize, ToSchema)]
pub struct StaysView {
    /// Whether nothing was done.
    dry_run: bool,
    /// How many rows count.
    taken: usize,
    /// How many rows are at fault; nothing is done about them.
    refused: usize,
    /// How many who take part are in no row that counts; the figure leaves them out and says so.
    missing: usize,
    /// Row by row.
    rows: Vec<RowView>,
}

impl From<StaysReport> for StaysView {
    fn from(report: StaysReport) -> StaysView {
        StaysView {
            dry_run: report.is_dry_run,
            taken: report.count(RowOutcome::Taken),
            refused: report.count(RowOutcome::Refused),
            missing: report.n_missing,
            rows: report.rows.into_iter().map(RowView::from).collect(),
        }
    }
}

/// `POST /api/v1/programs/{id}/stays`
pub async fn create_stays(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
    body: JsonBody<StaysBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let StaysBody { csv, as_of, dry_run } = body.value;
    app.write(meta, "create_stays", parts, move |cx| {
        // Who may not do it is told so first, whatever they have written.
        cohorts::require_stays(cx, program)?;
        let as_of = parse_day("/as_of", &as_of)?;
        let new = NewStays { csv, as_of, is_dry_run: dry_run };
        Answer::json(200, &StaysView::from(cohorts::keep_stays(cx, program, &new)?))
    })
    .await
}

/// Somebody who is invited to a programme.
#[derive(Serialize, ToSchema)]
pub struct InviteeView {
    /// The row.
    #[schema(format = "uuid")]
    id: String,
    /// The cohort of the charter.
    cohort: String,
    /// As what they are invited.
    audience: String,
    /// Where they work.
    #[schema(format = "uuid")]
    school_id: String,
    /// The name on the list, or of the account once they take part.
    name: Option<String>,
    /// The address; null for a printed code that nobody has used.
    email: Option<String>,
    /// The district's own word for somebody without an address.
    reference: Option<String>,
    /// waiting, invited, declined or enrolled.
    state: &'static str,
    /// When they were first invited.
    #[schema(format = "date-time")]
    invited_at: Option<String>,
    /// When they were last invited or reminded.
    #[schema(format = "date-time")]
    last_invited_at: Option<String>,
    /// Why they have said no.
    decline_reason: Option<&'static str>,
    /// The same in their own words.
    decline_note: Option<String>,
    /// Since when they take part.
    #[schema(format = "date-time")]
    enrolled_at: Option<String>,
    /// Their own last day to begin, if they have one.
    #[schema(format = "date")]
    extended_to: Option<String>,
    /// What was arranged with them.
    accommodations: AccommodationsView,
}

impl From<NamedInvitee> for InviteeView {
    fn from(named: NamedInvitee) -> InviteeView {
        let NamedInvitee { invitee, name, email } = named;
        let (reason, note) = invitee.declined.map(|one| (one.reason.as_str(), one.note)).unzip();
        InviteeView {
            id: invitee.id.to_string(),
            cohort: invitee.cohort,
            audience: invitee.audience,
            school_id: invitee.school.to_string(),
            name,
            email,
            reference: invitee.reference,
            state: invitee.state.as_str(),
            invited_at: invitee.invited_at.map(|moment| moment.to_string()),
            last_invited_at: invitee.last_invited_at.map(|moment| moment.to_string()),
            decline_reason: reason,
            decline_note: note.flatten(),
            enrolled_at: invitee.enrolled_at.map(|moment| moment.to_string()),
            extended_to: invitee.extension.map(|one| one.ends_on.to_string()),
            accommodations: AccommodationsView::from(invitee.accommodations),
        }
    }
}

/// Which invitees.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteeParameters {
    cohort: Option<String>,
    state: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/programs/{id}/invitees`
pub async fn list_invitees(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
    Query(parameters): Query<InviteeParameters>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(parameters.limit, parameters.cursor.as_deref())?;
    let state =
        parse_word("state", parameters.state.as_deref(), InviteeState::parse, InviteeState::ALL)?;
    let wanted = InviteeQuery {
        cohort: parameters.cohort,
        state,
        after: paging.after.clone(),
        limit: Some(paging.fetch()),
    };
    app.read(meta, "list_invitees", move |cx| {
        let fetched = cohorts::list(cx, program, &wanted)?;
        Answer::json(
            200,
            &paging.page(fetched, |named| named.invitee.id.to_string(), InviteeView::from),
        )
    })
    .await
}

fn answer(named: NamedInvitee) -> Result<Answer, Error> {
    let revision = named.invitee.revision;
    // What was arranged with somebody can tell of their health: it is read again for a replay, and not kept beside it.
    let ids = format!("{}/{}", named.invitee.program, named.invitee.id);
    let answer = Answer::json(200, &InviteeView::from(named))?.with_revision(revision);
    Ok(answer.with_reread("invitee", ids))
}

/// An invitee of an answer that is given again: the ids of programme and invitee.
///
/// # Errors
/// What reading it says.
pub fn read_again(cx: &mut Cx<'_>, ids: &str) -> Result<Answer, Error> {
    let gone = || Error::NotFound("invitee");
    let (program, invitee) = ids.split_once('/').ok_or_else(gone)?;
    let program = program.parse().map_err(|_no_id| gone())?;
    let invitee = invitee.parse().map_err(|_no_id| gone())?;
    answer(cohorts::find(cx, program, invitee, "read_invitee")?)
}

/// `GET /api/v1/programs/{id}/invitees/{invitee_id}`
pub async fn read_invitee(
    app: web::Data<App>,
    meta: Meta,
    Path((program, invitee)): Path<(ProgramId, InviteeId)>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_invitee", move |cx| {
        answer(cohorts::find(cx, program, invitee, "read_invitee")?)
    })
    .await
}

/// More time for one person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionBody {
    /// Their last day, after that of the cohort; null to take it back.
    #[schema(format = "date")]
    ends_on: Option<String>,
    /// Why, for the coordinators.
    #[serde(default)]
    reason: String,
}

fn parse_day(pointer: &str, day: &str) -> Result<NaiveDate, Error> {
    NaiveDate::parse_from_str(day, "%Y-%m-%d")
        .map_err(|_bad| Error::invalid(pointer, "not-a-date", "write a date as 2026-11-26"))
}

fn parse_extension(body: &ExtensionBody) -> Result<Option<Extension>, Error> {
    let Some(day) = &body.ends_on else { return Ok(None) };
    let ends_on = parse_day("/ends_on", day)?;
    Ok(Some(Extension { ends_on, reason: body.reason.trim().to_owned() }))
}

/// `PUT /api/v1/programs/{id}/invitees/{invitee_id}/extension`
pub async fn put_extension(
    app: web::Data<App>,
    meta: Meta,
    Path((program, invitee)): Path<(ProgramId, InviteeId)>,
    if_match: IfMatch,
    body: JsonBody<ExtensionBody>,
) -> Result<HttpResponse, Problem> {
    let tag = if_match.0.to_string().into_bytes();
    let parts = vec![meta.target.clone().into_bytes(), tag, body.bytes.to_vec()];
    let wanted = body.value;
    app.write(meta, "put_extension", parts, move |cx| {
        // Who may not do it is told so first, whatever they have written.
        let current = cohorts::find(cx, program, invitee, "put_extension")?;
        let extension = parse_extension(&wanted)?;
        changed(cohorts::extend(cx, program, invitee, extension.as_ref(), if_match.0), current)
    })
    .await
}

/// What comes of a change to an invitee: as they are now, or as they were found when somebody else was faster.
fn changed(result: Result<NamedInvitee, Error>, current: NamedInvitee) -> Result<Reply, Error> {
    match result {
        Ok(invitee) => Ok(answer(invitee)?.into()),
        Err(Error::Stale) => {
            let current = InviteeView::from(current);
            Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
        }
        Err(error) => Err(error),
    }
}

/// `PUT /api/v1/programs/{id}/invitees/{invitee_id}/accommodations`
pub async fn put_accommodations(
    app: web::Data<App>,
    meta: Meta,
    Path((program, invitee)): Path<(ProgramId, InviteeId)>,
    if_match: IfMatch,
    body: JsonBody<AccommodationsView>,
) -> Result<HttpResponse, Problem> {
    let tag = if_match.0.to_string().into_bytes();
    let parts = vec![meta.target.clone().into_bytes(), tag, body.bytes.to_vec()];
    let wanted = Accommodations::from(body.value);
    app.write(meta, "put_accommodations", parts, move |cx| {
        let current = cohorts::find(cx, program, invitee, "put_accommodations")?;
        changed(cohorts::accommodate(cx, program, invitee, &wanted, if_match.0), current)
    })
    .await
}

/// `GET /api/v1/programs/{id}/invitation-codes`
pub async fn read_invitation_codes(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
) -> Result<HttpResponse, Problem> {
    let codes =
        app.run(&meta, "read_invitation_codes", move |cx| cohorts::list_codes(cx, program)).await?;
    let mut text = csv::line(&["reference", "name", "school", "audience", "code"]);
    for one in codes {
        let Invitee { reference, audience, .. } = one.invitee;
        let reference = reference.unwrap_or_default();
        text += &csv::line(&[reference, one.name, one.school, audience, one.code]);
    }
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .insert_header(("content-disposition", "attachment; filename=\"codes.csv\""))
        .content_type("text/csv; charset=utf-8")
        .body(text))
}

/// Which mail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewParameters {
    cohort: String,
    audience: String,
    message: Option<String>,
}

/// A mail as people will read it.
#[derive(Serialize, ToSchema)]
pub struct PreviewView {
    /// The message of the charter that it is; null for the service's own words.
    message: Option<String>,
    /// Its language, where the charter says.
    language: Option<String>,
    /// The subject.
    subject: String,
    /// The text.
    text: String,
}

impl From<MessagePreview> for PreviewView {
    fn from(preview: MessagePreview) -> PreviewView {
        let MessagePreview { message, language, subject, text } = preview;
        PreviewView { message, language, subject, text }
    }
}

/// `GET /api/v1/programs/{id}/message-preview`
pub async fn preview_message(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
    Query(wanted): Query<PreviewParameters>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "preview_message", move |cx| {
        let PreviewParameters { cohort, audience, message } = wanted;
        let preview = cohorts::preview(cx, program, &cohort, &audience, message.as_deref())?;
        Answer::json(200, &PreviewView::from(preview))
    })
    .await
}

/// One's own place in a programme.
#[derive(Serialize, ToSchema)]
pub struct EnrolmentView {
    /// The programme's title.
    title: String,
    /// The name of the cohort.
    cohort: String,
    /// waiting, invited, declined or enrolled.
    state: &'static str,
    /// The last day to begin.
    #[schema(format = "date")]
    closes_on: String,
    /// Since when one takes part.
    #[schema(format = "date-time")]
    enrolled_at: Option<String>,
    /// What was arranged with one.
    accommodations: AccommodationsView,
}

impl From<Standing> for EnrolmentView {
    fn from(standing: Standing) -> EnrolmentView {
        EnrolmentView {
            title: standing.title,
            cohort: standing.cohort,
            state: standing.invitee.state.as_str(),
            closes_on: standing.closes_on.to_string(),
            enrolled_at: standing.invitee.enrolled_at.map(|moment| moment.to_string()),
            accommodations: AccommodationsView::from(standing.invitee.accommodations),
        }
    }
}

/// `GET /api/v1/programs/{id}/enrolment`
pub async fn read_enrolment(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_enrolment", move |cx| {
        Answer::json(200, &EnrolmentView::from(cohorts::find_enrolment(cx, program)?))
    })
    .await
}

/// `POST /api/v1/programs/{id}/enrolment`
pub async fn create_enrolment(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "create_enrolment", parts, move |cx| {
        Answer::json(200, &EnrolmentView::from(cohorts::enrol(cx, program)?))
    })
    .await
}

/// A no.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineBody {
    /// What stands behind the `#` in the mail's link, or the printed code.
    token: String,
    /// no_time, not_my_work, not_now, no_support or other.
    reason: String,
    /// In one's own words.
    #[serde(default)]
    note: String,
}

/// `POST /api/v1/invitations/decline`
pub async fn decline_invitation(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<DeclineBody>,
) -> Result<HttpResponse, Problem> {
    let DeclineBody { token, reason, note } = body.value;
    let meta = Meta { access_token: None, ..meta };
    app.read(meta, "decline_invitation", move |cx| {
        let reason = body_word("/reason", &reason, DeclineReason::parse, DeclineReason::ALL)?;
        cohorts::decline(cx, &token, reason, &note)?;
        Ok(Answer::empty(204))
    })
    .await
}

/// A printed code, and where mail reaches its holder.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemBody {
    /// The code, with or without hyphens.
    code: String,
    /// Where the invitation goes.
    email: String,
}

/// `POST /api/v1/invitations/redeem`
pub async fn redeem_invitation(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<RedeemBody>,
) -> Result<HttpResponse, Problem> {
    let RedeemBody { code, email } = body.value;
    let meta = Meta { access_token: None, ..meta };
    app.read(meta, "redeem_invitation", move |cx| {
        cohorts::redeem(cx, &code, &email)?;
        Ok(Answer::empty(202))
    })
    .await
}
