//! Submissions.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ai_use::AiUsePolicyView;
use super::answers::RatingBody;
use super::cases::CaseLine;
use super::evidence::EvidenceView;
use super::screenings::ScreeningItem;
use super::{Paging, parse_word};
use crate::domain::ids::{EvidenceId, MicroCredentialId, ProgramId, SubmissionId};
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::screening::Screening;
use crate::service::submissions::{
    self, ListSubmissions, OwnSubmission, Response, Save, StatusOnly, StoredDecision,
    StoredSubmission, SubmissionDetail, SubmissionLine,
};
use crate::service::{Cx, Error, Fault};

/// What a new submission can be told.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubmission {
    /// The programme to submit within, in which the earner takes part. When left out, the one that fits, if there is exactly one.
    program_id: Option<String>,
    /// A published version; the newest when left out.
    version: Option<i32>,
    /// Criteria to open again where passed ones are carried forward, which is by `…/resubmit`: leave it out here.
    reopen_criteria: Option<Vec<String>>,
}

fn refuse_unbuilt(new: &NewSubmission) -> Result<(), Problem> {
    let mut faults = Vec::new();
    let is_id = |word: &String| word.parse::<ProgramId>().is_ok();
    if new.program_id.as_ref().is_some_and(|word| !is_id(word)) {
        faults.push(Fault::new(
            "/program_id",
            "no-such-program",
            "there is no such programme; leave program_id out",
        ));
    }
    if new.reopen_criteria.as_ref().is_some_and(|criteria| !criteria.is_empty()) {
        let detail = "a new attempt like this one is read as a whole; to carry forward what was passed, use POST /api/v1/submissions/{id}/resubmit";
        faults.push(Fault::new("/reopen_criteria", "nothing-carried-forward", detail));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::new("invalid", "the submission cannot be started like this").with_errors(faults))
}

/// An answer to a prompt: text, or an item of evidence in its place.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ResponseBody {
    /// The answer.
    Text(String),
    /// A recording that was handed in for the prompt.
    Evidence(EvidenceReference),
}

/// An item of evidence by id.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceReference {
    /// The item.
    #[schema(value_type = String, format = "uuid")]
    evidence_id: EvidenceId,
}

impl From<ResponseBody> for Response {
    fn from(body: ResponseBody) -> Response {
        match body {
            ResponseBody::Text(text) => Response::Text(text),
            ResponseBody::Evidence(reference) => Response::Evidence(reference.evidence_id),
        }
    }
}

impl From<Response> for ResponseBody {
    fn from(response: Response) -> ResponseBody {
        match response {
            Response::Text(text) => ResponseBody::Text(text),
            Response::Evidence(evidence_id) => {
                ResponseBody::Evidence(EvidenceReference { evidence_id })
            }
        }
    }
}

/// What an autosave carries; what is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftPatch {
    /// Answers by prompt; null removes one.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, ResponseBody>)]
    responses: BTreeMap<String, Option<ResponseBody>>,
    /// That the work is the earner's own and follows the evidence rules.
    integrity_statement: Option<bool>,
    /// Whether the badge shall carry the levels.
    include_results: Option<bool>,
    /// That the earner's own name, e-mail address or school may stand in the texts: they are not looked for when it is handed in. False
    /// until it is set, and it stays set when texts change.
    names_waived: Option<bool>,
    /// What the earner says about the use of AI; null removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    ai_use: Option<Option<String>>,
}

/// Tells a member that is null from one that is left out.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// A step in a submission's life.
#[derive(Serialize, ToSchema)]
pub struct StepView {
    /// What happened.
    event: &'static str,
    /// Where it stood.
    from: Option<&'static str>,
    /// Where it stood afterwards.
    to: &'static str,
    /// Who did it: earner, assessor, system …
    actor_role: String,
    /// When.
    #[schema(format = "date-time")]
    happened_at: String,
}

/// What the earner is told about one criterion or prompt.
#[derive(Serialize, ToSchema)]
pub struct LevelFeedback {
    /// The criterion or prompt.
    criterion_id: String,
    /// The level; null when the work could not be scored there.
    level: Option<u8>,
    /// What the assessor wrote.
    feedback: Option<String>,
}

/// Feedback, held until the decision.
#[derive(Serialize, ToSchema)]
pub struct FeedbackView {
    /// One line for each criterion and prompt.
    levels: Vec<LevelFeedback>,
    /// The words for the whole.
    overall_feedback: Vec<String>,
}

impl FeedbackView {
    /// Of a decision, with the words for the whole.
    #[must_use]
    pub fn new(decision: StoredDecision, overall_feedback: Vec<String>) -> FeedbackView {
        let levels = decision
            .levels
            .into_iter()
            .map(|(criterion_id, level)| LevelFeedback {
                criterion_id,
                level: level.level,
                feedback: level.feedback,
            })
            .collect();
        FeedbackView { levels, overall_feedback }
    }
}

/// The award that a submission has earned.
#[derive(Serialize, ToSchema)]
pub struct AwardReference {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// pending_key, active, revoked …
    state: &'static str,
    /// The public page of its badge.
    path: String,
}

/// A criterion or prompt that was passed in an earlier attempt.
#[derive(Serialize, ToSchema)]
pub struct CarriedView {
    /// The criterion or prompt.
    criterion_id: String,
    /// Its level.
    level: u8,
}

/// The offer to talk with a coach.
#[derive(Serialize, ToSchema)]
pub struct CoachingView {
    /// Since when.
    #[schema(format = "date-time")]
    offered_at: String,
    /// What you have answered; null while you have not.
    is_wanted: Option<bool>,
}

/// What a pre-screener has found.
#[derive(Serialize, ToSchema)]
pub struct ScreeningFinding {
    /// Whether everything was there.
    complete: bool,
    /// What was not, each with a reason.
    items: Vec<ScreeningItem>,
    /// When.
    #[schema(format = "date-time")]
    concluded_at: Option<String>,
}

impl From<Screening> for ScreeningFinding {
    fn from(screening: Screening) -> ScreeningFinding {
        let items = screening.items.into_iter();
        ScreeningFinding {
            complete: screening.complete == Some(true),
            items: items
                .map(|(requirement_id, reason)| ScreeningItem { requirement_id, reason })
                .collect(),
            concluded_at: moment(screening.concluded_at),
        }
    }
}

/// A submission as its earner sees it.
#[derive(Serialize, ToSchema)]
pub struct SubmissionView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// In which version.
    version: i32,
    /// Which attempt.
    attempt: i32,
    /// Where it stands.
    state: &'static str,
    /// What can happen next.
    allowed_events: Vec<&'static str>,
    /// Answers by prompt; null once the retention period is over.
    responses: Option<BTreeMap<String, ResponseBody>>,
    /// The items that were handed in.
    evidence: Vec<EvidenceView>,
    /// The earner's declaration.
    integrity_statement: bool,
    /// Whether the badge shall carry the levels.
    include_results: bool,
    /// Whether your own name, e-mail address and school may stand in the texts. Readers are not told.
    names_waived: bool,
    /// What the earner says about the use of AI.
    ai_use: Option<String>,
    /// What you are told about the use of AI; once it is handed in, what held then.
    ai_use_policy: AiUsePolicyView,
    /// When the answer is promised.
    #[schema(format = "date-time")]
    due_at: Option<String>,
    /// When it was handed in.
    #[schema(format = "date-time")]
    submitted_at: Option<String>,
    /// When it was decided.
    #[schema(format = "date-time")]
    decided_at: Option<String>,
    /// earned or not_yet; null before the decision.
    decision: Option<&'static str>,
    /// Null before the decision.
    feedback: Option<FeedbackView>,
    /// The award, if it was earned: by this attempt, or the one that you held already by another.
    award: Option<AwardReference>,
    /// Your appeal, and doubts about it that a panel looks at.
    cases: Vec<CaseLine>,
    /// The attempt that this one follows.
    #[schema(format = "uuid")]
    previous_id: Option<String>,
    /// What was passed in an earlier attempt and counts as it is.
    carried: Vec<CarriedView>,
    /// How useful you found the feedback; null while you have not said.
    rating: Option<RatingBody>,
    /// The offer to talk with a coach; null where none was made.
    coaching: Option<CoachingView>,
    /// What was found when somebody looked whether everything is there; null while nobody has.
    screening: Option<ScreeningFinding>,
    /// What happened so far.
    timeline: Vec<StepView>,
    /// When it was started.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was changed last.
    #[schema(format = "date-time")]
    updated_at: String,
}

fn moment(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}

impl From<OwnSubmission> for SubmissionView {
    fn from(own: OwnSubmission) -> SubmissionView {
        let stored = &own.stored;
        let facts = stored.submission.facts();
        let state = stored.submission.state();
        let (decision, feedback) = match own.decision {
            None => (None, None),
            Some(decision) => {
                let outcome = decision.outcome.as_str();
                (Some(outcome), Some(FeedbackView::new(decision, own.overall_feedback)))
            }
        };
        SubmissionView {
            id: facts.id.to_string(),
            micro_credential_id: stored.micro_credential.to_string(),
            version: own.version_number,
            attempt: facts.attempt,
            state: state.as_str(),
            allowed_events: state.allowed_events().iter().map(|event| event.as_str()).collect(),
            responses: own.responses.map(|responses| {
                responses.into_iter().map(|(prompt, response)| (prompt, response.into())).collect()
            }),
            evidence: own.evidence.into_iter().map(EvidenceView::own).collect(),
            integrity_statement: stored.integrity_statement,
            include_results: stored.include_results,
            names_waived: stored.names_waived,
            ai_use: stored.ai_use.clone(),
            ai_use_policy: own.ai_use_rule.into(),
            due_at: moment(stored.due_on),
            submitted_at: moment(stored.submitted_at),
            decided_at: moment(stored.decided_at),
            decision,
            feedback,
            award: own.award.map(|award| AwardReference {
                id: award.id.to_string(),
                state: award.state.as_str(),
                path: format!("/credentials/{}", award.id),
            }),
            cases: own.cases.iter().map(CaseLine::from).collect(),
            previous_id: stored.previous.map(|previous| previous.to_string()),
            carried: own
                .carried
                .into_iter()
                .map(|(criterion_id, one)| CarriedView { criterion_id, level: one.level })
                .collect(),
            rating: own.rating.map(|one| RatingBody { rating: one.rating, comment: one.comment }),
            coaching: own.coaching.map(|offer| CoachingView {
                offered_at: offer.offered_at.to_string(),
                is_wanted: offer.is_wanted,
            }),
            screening: own.screening.map(ScreeningFinding::from),
            timeline: own
                .steps
                .into_iter()
                .map(|step| StepView {
                    event: step.event.as_str(),
                    from: step.from.map(SubmissionState::as_str),
                    to: step.to.as_str(),
                    actor_role: step.actor_role,
                    happened_at: step.happened_at.to_string(),
                })
                .collect(),
            created_at: stored.created_at.to_string(),
            updated_at: stored.updated_at.to_string(),
        }
    }
}

/// A submission as a coordinator sees it: neither scores nor evidence, and never "not yet".
#[derive(Serialize, ToSchema)]
pub struct SubmissionStatusView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// Whose.
    #[schema(format = "uuid")]
    person_id: String,
    /// working, submitted, earned or closed.
    progress: &'static str,
    /// When the answer is promised; null when none is awaited.
    #[schema(format = "date-time")]
    due_at: Option<String>,
    /// When it was started.
    #[schema(format = "date-time")]
    created_at: String,
}

impl From<StatusOnly> for SubmissionStatusView {
    fn from(status: StatusOnly) -> SubmissionStatusView {
        SubmissionStatusView {
            id: status.id.to_string(),
            micro_credential_id: status.micro_credential.to_string(),
            person_id: status.earner.to_string(),
            progress: status.progress,
            due_at: moment(status.due_on),
            created_at: status.created_at.to_string(),
        }
    }
}

fn find(cx: &mut Cx<'_>, status: u16, id: SubmissionId) -> Result<Answer, Error> {
    match submissions::find(cx, id)? {
        SubmissionDetail::Own(own) => {
            let revision = own.stored.submission.facts().revision;
            let answer = Answer::json(status, &SubmissionView::from(*own))?;
            Ok(answer.with_revision(revision).with_reread("submission", id))
        }
        SubmissionDetail::Status(of) => Answer::json(status, &SubmissionStatusView::from(*of)),
    }
}

/// A submission as the caller may see it now.
///
/// # Errors
/// What reading it says.
pub fn read_again(cx: &mut Cx<'_>, id: SubmissionId, status: u16) -> Result<Answer, Error> {
    find(cx, status, id)
}

/// `POST /api/v1/micro-credentials/{id}/submissions`
pub async fn create_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(family): Path<MicroCredentialId>,
    body: JsonBody<NewSubmission>,
) -> Result<HttpResponse, Problem> {
    refuse_unbuilt(&body.value)?;
    let program = body.value.program_id.as_ref().and_then(|word| word.parse().ok());
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_submission", parts, move |cx| {
        let stored = submissions::start(cx, family, body.value.version, program)?;
        let id = stored.submission.facts().id;
        Ok(find(cx, 201, id)?.with_location(format!("/api/v1/submissions/{id}")))
    })
    .await
}

/// `PATCH /api/v1/submissions/{id}`
pub async fn patch_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    if_match: IfMatch,
    body: JsonBody<DraftPatch>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let patch = body.value;
    let save = Save {
        responses: patch
            .responses
            .into_iter()
            .map(|(prompt, response)| (prompt, response.map(Response::from)))
            .collect(),
        integrity_statement: patch.integrity_statement,
        include_results: patch.include_results,
        names_waived: patch.names_waived,
        ai_use: patch.ai_use,
    };
    app.write(meta, "patch_submission", parts, move |cx| {
        match submissions::save(cx, id, &save, if_match.0) {
            Ok(_) => Ok(find(cx, 200, id)?.into()),
            Err(Error::Stale) => match submissions::find(cx, id)? {
                SubmissionDetail::Own(own) => Ok(Reply::Stale(
                    serde_json::to_value(SubmissionView::from(*own)).map_err(Error::internal)?,
                )),
                SubmissionDetail::Status(_) => Err(Error::Stale),
            },
            Err(error) => Err(error),
        }
    })
    .await
}

/// `GET /api/v1/submissions/{id}`
pub async fn read_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_submission", move |cx| find(cx, 200, id)).await
}

/// Which submissions a list shows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmissionParameters {
    state: Option<String>,
    micro_credential_id: Option<MicroCredentialId>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// One line of a list: one's own by state, others' by progress.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum SubmissionLineView {
    /// One's own.
    Own(OwnLine),
    /// Somebody else's.
    Status(SubmissionStatusView),
}

/// One's own submission in a list.
#[derive(Serialize, ToSchema)]
pub struct OwnLine {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// Which attempt.
    attempt: i32,
    /// Where it stands.
    state: &'static str,
    /// When the answer is promised.
    #[schema(format = "date-time")]
    due_at: Option<String>,
    /// When it was changed last.
    #[schema(format = "date-time")]
    updated_at: String,
}

impl From<StoredSubmission> for OwnLine {
    fn from(stored: StoredSubmission) -> OwnLine {
        let facts = stored.submission.facts();
        OwnLine {
            id: facts.id.to_string(),
            micro_credential_id: stored.micro_credential.to_string(),
            attempt: facts.attempt,
            state: stored.submission.state().as_str(),
            due_at: moment(stored.due_on),
            updated_at: stored.updated_at.to_string(),
        }
    }
}

/// `GET /api/v1/submissions`
pub async fn list_submissions(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<SubmissionParameters>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(parameters.limit, parameters.cursor.as_deref())?;
    let state = parse_word(
        "state",
        parameters.state.as_deref(),
        SubmissionState::parse,
        SubmissionState::ALL,
    )?;
    let list = ListSubmissions {
        state,
        micro_credential: parameters.micro_credential_id,
        after: paging.after.clone(),
        limit: paging.fetch(),
    };
    app.read(meta, "list_submissions", move |cx| {
        let fetched = submissions::list(cx, &list)?;
        let page = paging.page(
            fetched,
            |line| match line {
                SubmissionLine::Own(stored) => stored.submission.facts().id.to_string(),
                SubmissionLine::Status(status) => status.id.to_string(),
            },
            |line| match line {
                SubmissionLine::Own(stored) => SubmissionLineView::Own((*stored).into()),
                SubmissionLine::Status(status) => SubmissionLineView::Status((*status).into()),
            },
        );
        Answer::json(200, &page)
    })
    .await
}

/// A state change of the process model, without a body.
async fn change(
    app: web::Data<App>,
    meta: Meta,
    operation: &'static str,
    id: SubmissionId,
    event: fn(&mut Cx<'_>, SubmissionId) -> Result<StoredSubmission, Error>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, operation, parts, move |cx| {
        event(cx, id)?;
        find(cx, 200, id)
    })
    .await
}

/// `POST /api/v1/submissions/{id}/submit`
pub async fn submit_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
) -> Result<HttpResponse, Problem> {
    change(app, meta, "submit_submission", id, submissions::submit).await
}

/// `POST /api/v1/submissions/{id}/recall`
pub async fn recall_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
) -> Result<HttpResponse, Problem> {
    change(app, meta, "recall_submission", id, submissions::recall).await
}

/// `POST /api/v1/submissions/{id}/withdraw`
pub async fn withdraw_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
) -> Result<HttpResponse, Problem> {
    change(app, meta, "withdraw_submission", id, submissions::withdraw).await
}
