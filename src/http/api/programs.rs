//! Programmes: charters, their approval and change log, and the way from draft to closed.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::micro_credentials::{ApprovalBody, FindingView, VoteView};
use super::{PageQuery, Paging};
use crate::domain::ids::{OrganizationId, ProgramId};
use crate::domain::program::ProgramEvent;
use crate::domain::proposal::ProposalOutcome;
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::programs::{self, CharterApproval, LogLine, Program};

/// A charter to look at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CharterBody {
    /// Follows `credential-schemas/pilot-charter.schema.json`.
    charter: Value,
}

/// What is wrong with a charter.
#[derive(Serialize, ToSchema)]
pub struct CharterValidationView {
    /// Whether it could be rehearsed as it is.
    valid: bool,
    /// Every finding at once.
    findings: Vec<FindingView>,
    /// SHA-256 over everything, when it follows the schema.
    content_hash: Option<String>,
}

/// `POST /api/v1/programs/validate`
pub async fn validate_charter(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<CharterBody>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "validate_charter", move |cx| {
        let (faults, parsed) = programs::validate(cx, &body.value.charter)?;
        let findings: Vec<FindingView> = faults.into_iter().map(FindingView::from).collect();
        let view = CharterValidationView {
            valid: findings.is_empty(),
            findings,
            content_hash: parsed.map(|parsed| parsed.content_hash),
        };
        Answer::json(200, &view)
    })
    .await
}

/// A new programme.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProgram {
    /// Who will run it.
    #[schema(value_type = String, format = "uuid")]
    organization_id: OrganizationId,
    /// Follows `credential-schemas/pilot-charter.schema.json`.
    charter: Value,
}

/// A programme.
#[derive(Serialize, ToSchema)]
pub struct ProgramView {
    /// The programme.
    #[schema(format = "uuid")]
    id: String,
    /// Who runs it.
    #[schema(format = "uuid")]
    organization_id: String,
    /// The charter's own id.
    slug: String,
    /// Its title.
    title: String,
    /// draft, rehearsal, open or closed.
    state: &'static str,
    /// What can happen to it now.
    allowed_events: Vec<&'static str>,
    /// The whole charter.
    charter: Value,
    /// SHA-256 over the charter (RFC 8785 form).
    content_hash: String,
    /// Since when it is open, and its charter public.
    #[schema(format = "date-time")]
    opened_at: Option<String>,
    /// Since when it is closed.
    #[schema(format = "date-time")]
    closed_at: Option<String>,
}

impl TryFrom<Program> for ProgramView {
    type Error = Error;

    fn try_from(program: Program) -> Result<ProgramView, Error> {
        Ok(ProgramView {
            id: program.id.to_string(),
            organization_id: program.organization.to_string(),
            slug: program.slug,
            title: program.title,
            state: program.state.as_str(),
            allowed_events: program
                .state
                .allowed_events()
                .into_iter()
                .map(ProgramEvent::as_str)
                .collect(),
            charter: serde_json::from_str(&program.charter).map_err(Error::internal)?,
            content_hash: program.content_hash,
            opened_at: program.opened_at.map(|moment| moment.to_string()),
            closed_at: program.closed_at.map(|moment| moment.to_string()),
        })
    }
}

fn answer(status: u16, program: Program) -> Result<Answer, Error> {
    let revision = program.revision;
    Ok(Answer::json(status, &ProgramView::try_from(program)?)?.with_revision(revision))
}

/// `POST /api/v1/programs`
pub async fn create_program(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<NewProgram>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![body.bytes.to_vec()];
    app.write(meta, "create_program", parts, move |cx| {
        let program = programs::create(cx, body.value.organization_id, &body.value.charter)?;
        let location = format!("/api/v1/programs/{}", program.id);
        Ok(answer(201, program)?.with_location(location))
    })
    .await
}

/// Which programmes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramParameters {
    organization_id: Option<OrganizationId>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// One line of the list of programmes.
#[derive(Serialize, ToSchema)]
pub struct ProgramLine {
    /// The programme.
    #[schema(format = "uuid")]
    id: String,
    /// Who runs it.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Its title.
    title: String,
    /// draft, rehearsal, open or closed.
    state: &'static str,
}

impl From<Program> for ProgramLine {
    fn from(program: Program) -> ProgramLine {
        ProgramLine {
            id: program.id.to_string(),
            organization_id: program.organization.to_string(),
            title: program.title,
            state: program.state.as_str(),
        }
    }
}

/// `GET /api/v1/programs`
pub async fn list_programs(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<ProgramParameters>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(parameters.limit, parameters.cursor.as_deref())?;
    app.read(meta, "list_programs", move |cx| {
        let after = paging.after.as_deref();
        let fetched = programs::list(cx, parameters.organization_id, after, paging.fetch())?;
        Answer::json(
            200,
            &paging.page(fetched, |program| program.id.to_string(), ProgramLine::from),
        )
    })
    .await
}

/// `GET /api/v1/programs/{id}`
pub async fn read_program(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_program", move |cx| answer(200, programs::find(cx, id)?)).await
}

/// A charter that replaces the one before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CharterEdit {
    /// Follows `credential-schemas/pilot-charter.schema.json`.
    charter: Value,
    /// What has changed and why, for the change log.
    reason: String,
}

/// `PUT /api/v1/programs/{id}`
pub async fn put_program(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
    if_match: IfMatch,
    body: JsonBody<CharterEdit>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let CharterEdit { charter, reason } = body.value;
    app.write(meta, "put_program", parts, move |cx| {
        match programs::edit(cx, id, &charter, &reason, if_match.0) {
            Ok(program) => Ok(answer(200, program)?.into()),
            Err(Error::Stale) => {
                let current = ProgramView::try_from(programs::find(cx, id)?)?;
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            Err(error) => Err(error),
        }
    })
    .await
}

/// Where the group's approval of a charter stands.
#[derive(Serialize, ToSchema)]
pub struct CharterApprovalView {
    /// The programme's state.
    state: &'static str,
    /// The charter that the votes are about.
    content_hash: String,
    /// The valid votes.
    approvals: Vec<VoteView>,
    /// Whether the group has approved it.
    approved: bool,
    /// How many approvals opening takes, by the charter's own rule.
    needed_approvals: usize,
    /// From how many departments, one approver at least not being an author.
    needed_departments: usize,
    /// How many people may vote.
    voters: usize,
}

impl From<CharterApproval> for CharterApprovalView {
    fn from(status: CharterApproval) -> CharterApprovalView {
        CharterApprovalView {
            state: status.program.state.as_str(),
            content_hash: status.program.content_hash,
            approvals: status.votes.into_iter().map(VoteView::from).collect(),
            approved: status.is_met,
            needed_approvals: status.rule.approvals,
            needed_departments: status.rule.departments,
            voters: status.n_voters,
        }
    }
}

/// `POST /api/v1/programs/{id}/approvals`
pub async fn create_program_approval(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
    body: JsonBody<ApprovalBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let ApprovalBody { approve, comment } = body.value;
    app.write(meta, "create_program_approval", parts, move |cx| {
        let status = programs::vote(cx, id, approve, &comment)?;
        let revision = status.program.revision;
        Ok(Answer::json(201, &CharterApprovalView::from(status))?.with_revision(revision))
    })
    .await
}

/// Why a programme moves on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepBody {
    /// For the change log.
    reason: String,
}

async fn step(
    app: web::Data<App>,
    meta: Meta,
    id: ProgramId,
    (event, operation): (ProgramEvent, &'static str),
    body: JsonBody<StepBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, operation, parts, move |cx| {
        answer(200, programs::step(cx, id, event, operation, &body.value.reason)?)
    })
    .await
}

/// `POST /api/v1/programs/{id}/rehearse`
pub async fn rehearse_program(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
    body: JsonBody<StepBody>,
) -> Result<HttpResponse, Problem> {
    step(app, meta, id, (ProgramEvent::Rehearse, "rehearse_program"), body).await
}

/// `POST /api/v1/programs/{id}/open`
pub async fn open_program(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
    body: JsonBody<StepBody>,
) -> Result<HttpResponse, Problem> {
    step(app, meta, id, (ProgramEvent::Open, "open_program"), body).await
}

/// `POST /api/v1/programs/{id}/close`
pub async fn close_program(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
    body: JsonBody<StepBody>,
) -> Result<HttpResponse, Problem> {
    step(app, meta, id, (ProgramEvent::Close, "close_program"), body).await
}

/// One line of a programme's change log. Nobody is named.
#[derive(Serialize, ToSchema)]
pub struct ProgramLogLine {
    /// When.
    #[schema(format = "date-time")]
    happened_at: String,
    /// create, edit, approve, rehearse, open, close, or answer for the answer to a proposal.
    event: String,
    /// Why; of a vote its comment, of an answer its words.
    reason: String,
    /// The charter that it was about, or that came of it.
    content_hash: String,
    /// Of a vote: for it?
    approve: Option<bool>,
    /// Of a vote: whether a later edit or vote has made it void.
    void: Option<bool>,
    /// Of an answer: to which proposal.
    #[schema(format = "uuid")]
    proposal_id: Option<String>,
    /// Of an answer: adopted, partly or declined.
    outcome: Option<&'static str>,
}

impl From<LogLine> for ProgramLogLine {
    fn from(line: LogLine) -> ProgramLogLine {
        let (proposal, outcome) = line.answers.unzip();
        ProgramLogLine {
            happened_at: line.happened_at.to_string(),
            event: line.event,
            reason: line.reason,
            content_hash: line.content_hash,
            approve: line.approves,
            void: line.is_void,
            proposal_id: proposal.map(|id| id.to_string()),
            outcome: outcome.map(ProposalOutcome::as_str),
        }
    }
}

/// `GET /api/v1/programs/{id}/changes`
pub async fn list_program_changes(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_program_changes", move |cx| {
        let fetched = programs::list_changes(cx, id, paging.after.as_deref(), paging.fetch())?;
        Answer::json(200, &paging.page(fetched, |line| line.id.clone(), ProgramLogLine::from))
    })
    .await
}
