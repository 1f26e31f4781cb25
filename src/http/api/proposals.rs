//! Proposals for published rubrics and charters.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::templates::DifferenceView;
use super::{Paging, body_word, parse_word};
use crate::domain::ids::{MicroCredentialId, ProgramId, ProposalId};
use crate::domain::proposal::{ProposalOutcome, ProposalState, ProposalSubject};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::proposals::{self, About, NewProposal, ProposalDetail};

/// What somebody proposes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalBody {
    /// What to change and why: 10 to 4,000 characters.
    text: String,
    /// A text of the definition that is to be another, as an RFC 6901 pointer; with `proposed`.
    pointer: Option<String>,
    /// What is to stand there.
    proposed: Option<String>,
    /// Under which name you want to be credited, in public; nameless without one.
    credit_name: Option<String>,
    /// Of a visitor without an account: where to send the answer.
    email: Option<String>,
}

/// A proposal.
#[derive(Serialize, ToSchema)]
pub struct ProposalView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// About which micro-credential; null for a charter.
    #[schema(format = "uuid")]
    micro_credential_id: Option<String>,
    /// About which version of it.
    version: Option<i32>,
    /// About the charter of which programme; null for a rubric.
    #[schema(format = "uuid")]
    program_id: Option<String>,
    /// `waiting` (for a look, shown to nobody), `open`, `answered`, `refused`, or `removed` (taken down).
    state: &'static str,
    /// What is proposed and why; null once it is taken down.
    text: Option<String>,
    /// The text that is to be another.
    pointer: Option<String>,
    /// What is to stand there.
    proposed: Option<String>,
    /// What would be different, in words.
    differences: Vec<DifferenceView>,
    /// Under which name the proposer wants to be credited.
    credit_name: Option<String>,
    /// When it was sent.
    #[schema(format = "date-time")]
    created_at: String,
    /// `adopted`, `partly` or `declined`; null until it is answered.
    outcome: Option<&'static str>,
    /// The answer.
    answer: Option<String>,
    /// When it was answered.
    #[schema(format = "date-time")]
    answered_at: Option<String>,
    /// The number of the version that it became the draft of.
    became_version: Option<i32>,
    /// Why it was taken down.
    removal_reason: Option<String>,
    /// When.
    #[schema(format = "date-time")]
    removed_at: Option<String>,
}

impl From<ProposalDetail> for ProposalView {
    fn from(detail: ProposalDetail) -> ProposalView {
        let proposal = detail.proposal;
        let (pointer, proposed) = proposal.replacement.unzip();
        let (outcome, answer, answered_at) = match proposal.answer {
            Some((outcome, answer, at)) => {
                (Some(outcome.as_str()), Some(answer), Some(at.to_string()))
            }
            None => (None, None, None),
        };
        let (version, program_id) = match proposal.subject {
            ProposalSubject::Version { micro_credential, number } => {
                (Some((micro_credential.to_string(), number)), None)
            }
            ProposalSubject::Charter(program) => (None, Some(program.to_string())),
        };
        let (micro_credential_id, version) = version.unzip();
        let (removal_reason, removed_at) =
            proposal.removed.map(|(reason, at)| (reason, at.to_string())).unzip();
        let text = Some(proposal.text).filter(|_| removal_reason.is_none());
        ProposalView {
            id: proposal.id.to_string(),
            micro_credential_id,
            version,
            program_id,
            state: proposal.state.as_str(),
            text,
            pointer,
            proposed,
            differences: detail.differences.into_iter().map(DifferenceView::from).collect(),
            credit_name: proposal.credit_name,
            created_at: proposal.created_at.to_string(),
            outcome,
            answer,
            answered_at,
            became_version: proposal.became,
            removal_reason,
            removed_at,
        }
    }
}

/// `POST /api/v1/micro-credentials/{id}/versions/{n}/proposals`
pub async fn create_proposal(
    app: web::Data<App>,
    meta: Meta,
    Path((micro_credential, number)): Path<(MicroCredentialId, i32)>,
    body: JsonBody<ProposalBody>,
) -> Result<HttpResponse, Problem> {
    let subject = ProposalSubject::Version { micro_credential, number };
    create(app, meta, subject, "create_proposal", body).await
}

/// `POST /api/v1/programs/{id}/proposals`
pub async fn create_charter_proposal(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
    body: JsonBody<ProposalBody>,
) -> Result<HttpResponse, Problem> {
    let subject = ProposalSubject::Charter(program);
    create(app, meta, subject, "create_charter_proposal", body).await
}

async fn create(
    app: web::Data<App>,
    meta: Meta,
    subject: ProposalSubject,
    operation: &'static str,
    body: JsonBody<ProposalBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let ProposalBody { text, pointer, proposed, credit_name, email } = body.value;
    if pointer.is_some() != proposed.is_some() {
        let detail = "send pointer and proposed together, or neither";
        return Err(Error::invalid("/pointer", "alone", detail).into());
    }
    let new = NewProposal { text, replacement: pointer.zip(proposed), credit_name, email };
    // Strangers wait for one another here before they take a thread or a connection.
    let _turn = app.proposing.enter().await?;
    app.write(meta, operation, parts, move |cx| {
        let view = ProposalView::from(proposals::create(cx, subject, &new)?);
        let location = format!("/api/v1/proposals/{}", view.id);
        Ok(Answer::json(201, &view)?.with_location(location))
    })
    .await
}

/// What the list of proposals takes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalsQuery {
    state: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/micro-credentials/{id}/proposals`
pub async fn list_proposals(
    app: web::Data<App>,
    meta: Meta,
    Path(family): Path<MicroCredentialId>,
    Query(query): Query<ProposalsQuery>,
) -> Result<HttpResponse, Problem> {
    list(app, meta, About::MicroCredential(family), "list_proposals", query).await
}

/// `GET /api/v1/programs/{id}/proposals`
pub async fn list_charter_proposals(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
    Query(query): Query<ProposalsQuery>,
) -> Result<HttpResponse, Problem> {
    list(app, meta, About::Charter(program), "list_charter_proposals", query).await
}

async fn list(
    app: web::Data<App>,
    meta: Meta,
    about: About,
    operation: &'static str,
    query: ProposalsQuery,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(query.limit, query.cursor.as_deref())?;
    let state =
        parse_word("state", query.state.as_deref(), ProposalState::parse, ProposalState::ALL)?;
    app.read(meta, operation, move |cx| {
        let fetched = proposals::list(cx, about, state, paging.after.clone(), paging.fetch())?;
        let key = |detail: &ProposalDetail| detail.proposal.id.to_string();
        Answer::json(200, &paging.page(fetched, key, ProposalView::from))
    })
    .await
}

/// `GET /api/v1/proposals/{id}`
pub async fn read_proposal(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProposalId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_proposal", move |cx| {
        Answer::json(200, &ProposalView::from(proposals::find(cx, id)?))
    })
    .await
}

/// Whether a visitor's proposal is shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModerationBody {
    /// Shown, or never.
    show: bool,
}

/// `POST /api/v1/proposals/{id}/moderation`
pub async fn moderate_proposal(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProposalId>,
    body: JsonBody<ModerationBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "moderate_proposal", parts, move |cx| {
        Answer::json(200, &ProposalView::from(proposals::moderate(cx, id, body.value.show)?))
    })
    .await
}

/// The public answer to a proposal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalAnswerBody {
    /// `adopted`, `partly` or `declined`.
    outcome: String,
    /// In words: 10 to 4,000 characters.
    answer: String,
}

/// `POST /api/v1/proposals/{id}/answer`
pub async fn answer_proposal(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProposalId>,
    body: JsonBody<ProposalAnswerBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "answer_proposal", parts, move |cx| {
        let word = &body.value.outcome;
        let outcome = body_word("/outcome", word, ProposalOutcome::parse, ProposalOutcome::ALL)?;
        let answered = proposals::answer(cx, id, outcome, &body.value.answer)?;
        Answer::json(200, &ProposalView::from(answered))
    })
    .await
}

/// Why a proposal is taken down.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovalBody {
    /// In words, for everybody: 10 to 4,000 characters.
    reason: String,
}

/// `POST /api/v1/proposals/{id}/removal`
pub async fn remove_proposal(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProposalId>,
    body: JsonBody<RemovalBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "remove_proposal", parts, move |cx| {
        Answer::json(200, &ProposalView::from(proposals::remove(cx, id, &body.value.reason)?))
    })
    .await
}

/// `POST /api/v1/proposals/{id}/draft`
pub async fn draft_proposal(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProposalId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "draft_proposal", parts, move |cx| {
        let view = ProposalView::from(proposals::draft(cx, id)?);
        let location = format!(
            "/api/v1/micro-credentials/{}/versions/{}",
            view.micro_credential_id.as_deref().unwrap_or_default(),
            view.became_version.unwrap_or_default()
        );
        Ok(Answer::json(201, &view)?.with_location(location))
    })
    .await
}
