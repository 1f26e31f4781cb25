//! Practice work of a rehearsal.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::PageQuery;
use super::reviews::SheetBody;
use crate::domain::ids::{PracticeAttemptId, ProgramId};
use crate::domain::review::Sheet;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::rehearsals::{self, PracticeView};

/// Practice work.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PracticeBody {
    /// A micro-credential of the charter, by its id there without a version.
    micro_credential: String,
    /// A text for each prompt and each required piece of evidence, by their ids.
    texts: BTreeMap<String, String>,
}

/// What a screening says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PracticeScreening {
    /// Whether it is complete.
    complete: bool,
    /// What is missing, where it is not.
    #[serde(default)]
    note: String,
}

/// A level with what its author is told.
#[derive(Serialize, ToSchema)]
pub struct PracticeLevel {
    /// A criterion or prompt.
    criterion_id: String,
    /// The level; null where the work could not be scored.
    level: Option<u8>,
    /// The words.
    feedback: Option<String>,
}

/// A practice attempt. Nobody is named in it.
#[derive(Serialize, ToSchema)]
pub struct PracticeAttemptView {
    /// The attempt.
    #[schema(format = "uuid")]
    id: String,
    /// Always true: this is no submission, and what comes of it is no award.
    practice: bool,
    /// The micro-credential's id in its organization.
    micro_credential: String,
    /// Its title.
    title: String,
    /// submitted, returned, queued, adjudication or decided.
    state: &'static str,
    /// What can happen to it now.
    allowed_events: Vec<&'static str>,
    /// Whether you have handed it in.
    own: bool,
    /// Whether you have scored it.
    scored_by_you: bool,
    /// What was handed in, by the ids of prompts and evidence requirements.
    texts: BTreeMap<String, String>,
    /// Why it was sent back.
    note: Option<String>,
    /// What the next sheet covers.
    criterion_ids: Vec<String>,
    /// earned or not_yet, once it is decided.
    decision: Option<&'static str>,
    /// Levels and words, once it is decided.
    levels: Vec<PracticeLevel>,
    /// The words for the whole, once it is decided.
    overall_feedback: Vec<String>,
}

impl From<PracticeView> for PracticeAttemptView {
    fn from(view: PracticeView) -> PracticeAttemptView {
        let level =
            |(criterion_id, (level, feedback))| PracticeLevel { criterion_id, level, feedback };
        let state = view.attempt.state;
        PracticeAttemptView {
            id: view.attempt.id.to_string(),
            practice: true,
            micro_credential: view.slug,
            title: view.title,
            state: state.as_str(),
            allowed_events: state.allowed_events().iter().map(|event| event.as_str()).collect(),
            own: view.is_own,
            scored_by_you: view.is_scored_by_caller,
            texts: view.attempt.work,
            note: view.attempt.note,
            criterion_ids: view.covers.into_iter().collect(),
            decision: view.attempt.decision.map(|(outcome, _)| outcome.as_str()),
            levels: view.levels.into_iter().map(level).collect(),
            overall_feedback: view.overall_feedback,
        }
    }
}

/// `POST /api/v1/programs/{id}/practice-attempts`
pub async fn create_practice_attempt(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
    body: JsonBody<PracticeBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_practice_attempt", parts, move |cx| {
        let PracticeBody { micro_credential, texts } = &body.value;
        let view = rehearsals::create(cx, id, micro_credential, texts)?;
        Answer::json(201, &PracticeAttemptView::from(view))
    })
    .await
}

/// `GET /api/v1/programs/{id}/practice-attempts`
pub async fn list_practice_attempts(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_practice_attempts", move |cx| {
        let fetched = rehearsals::list(cx, id, paging.after.as_deref(), paging.fetch())?;
        let page =
            paging.page(fetched, |view| view.attempt.id.to_string(), PracticeAttemptView::from);
        Answer::json(200, &page)
    })
    .await
}

/// `POST /api/v1/programs/{id}/practice-attempts/{attempt_id}/screening`
pub async fn screen_practice_attempt(
    app: web::Data<App>,
    meta: Meta,
    Path((id, attempt)): Path<(ProgramId, PracticeAttemptId)>,
    body: JsonBody<PracticeScreening>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "screen_practice_attempt", parts, move |cx| {
        let view = rehearsals::screen(cx, id, attempt, body.value.complete, &body.value.note)?;
        Answer::json(200, &PracticeAttemptView::from(view))
    })
    .await
}

/// `POST /api/v1/programs/{id}/practice-attempts/{attempt_id}/sheets`
pub async fn score_practice_attempt(
    app: web::Data<App>,
    meta: Meta,
    Path((id, attempt)): Path<(ProgramId, PracticeAttemptId)>,
    body: JsonBody<SheetBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let sheet = Sheet::try_from(body.value)?;
    app.write(meta, "score_practice_attempt", parts, move |cx| {
        let view = rehearsals::score(cx, id, attempt, &sheet)?;
        Answer::json(200, &PracticeAttemptView::from(view))
    })
    .await
}

/// `GET /api/v1/programs/{id}/practice-attempts/{attempt_id}/badge`
pub async fn read_practice_badge(
    app: web::Data<App>,
    meta: Meta,
    Path((id, attempt)): Path<(ProgramId, PracticeAttemptId)>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_practice_badge", move |cx| {
        let badge: Value = rehearsals::badge(cx, id, attempt)?;
        Answer::json(200, &badge)
    })
    .await
}
