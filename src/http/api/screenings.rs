//! Screening: what waits, the blinded work, and what a pre-screener has found.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PageQuery;
use super::reviews::WorkView;
use crate::domain::ids::SubmissionId;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::Fault;
use crate::service::screening::{self, Finding, ScreeningLine};

/// A submission that waits for a screening.
#[derive(Serialize, ToSchema)]
pub struct ScreeningLineView {
    /// The submission.
    #[schema(format = "uuid")]
    submission_id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// The micro-credential's title.
    title: String,
    /// When the answer is promised.
    #[schema(format = "date-time")]
    due_at: Option<String>,
    /// Whether somebody has begun to look.
    is_begun: bool,
}

impl From<ScreeningLine> for ScreeningLineView {
    fn from(line: ScreeningLine) -> ScreeningLineView {
        ScreeningLineView {
            submission_id: line.submission.to_string(),
            micro_credential_id: line.micro_credential.to_string(),
            title: line.title,
            due_at: line.due_on.map(|moment| moment.to_string()),
            is_begun: line.is_begun,
        }
    }
}

/// `GET /api/v1/screenings`
pub async fn list_screenings(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_screenings", move |cx| {
        let fetched = screening::list(cx, paging.after.as_deref(), paging.fetch())?;
        let page =
            paging.page(fetched, |line| line.submission.to_string(), ScreeningLineView::from);
        Answer::json(200, &page)
    })
    .await
}

/// The work that is screened, blinded.
#[derive(Serialize, ToSchema)]
pub struct ScreeningView {
    /// The submission.
    #[schema(format = "uuid")]
    submission_id: String,
    /// The work beside what it was asked for.
    work: WorkView,
}

/// `POST /api/v1/submissions/{id}/screening/begin`
pub async fn begin_screening(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "begin_screening", parts, move |cx| {
        let (id, work) = screening::begin(cx, id)?;
        let view = ScreeningView { submission_id: id.to_string(), work: WorkView::try_from(work)? };
        // Somebody else's work is not kept for a replay.
        Ok(Answer::json(200, &view)?.with_secrets())
    })
    .await
}

/// An item that is missing or cannot be opened.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreeningItem {
    /// The evidence requirement or prompt.
    pub requirement_id: String,
    /// What is missing, for the earner to read.
    pub reason: String,
}

/// What a pre-screener has found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreeningBody {
    /// Whether everything is there.
    complete: bool,
    /// What is not, each with a reason.
    #[serde(default)]
    items: Vec<ScreeningItem>,
}

/// Where a screened submission stands.
#[derive(Serialize, ToSchema)]
pub struct ScreenedView {
    /// The submission.
    #[schema(format = "uuid")]
    submission_id: String,
    /// queued or returned.
    state: &'static str,
}

/// `POST /api/v1/submissions/{id}/screening`
pub async fn screen_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<ScreeningBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let mut items = BTreeMap::new();
    for (index, item) in body.value.items.into_iter().enumerate() {
        if items.insert(item.requirement_id, item.reason).is_some() {
            let detail = "this requirement stands in the list twice";
            let pointer = format!("/items/{index}/requirement_id");
            return Err(Problem::new("invalid", detail).with_errors(vec![Fault::new(
                pointer,
                "duplicate-item",
                detail,
            )]));
        }
    }
    let finding = Finding { complete: body.value.complete, items };
    app.write(meta, "screen_submission", parts, move |cx| {
        let stored = screening::conclude(cx, id, &finding)?;
        let state = stored.submission.state().as_str();
        Answer::json(200, &ScreenedView { submission_id: id.to_string(), state })
    })
    .await
}
