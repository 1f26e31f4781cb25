//! What an earner answers to a decision: the next attempt, how useful the feedback was, a coach.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::submissions;
use crate::domain::ids::SubmissionId;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path};
use crate::service::feedback::{self, FeedbackRating};
use crate::service::resubmission::{self, Resubmit};

/// What an earner chooses for the next attempt.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResubmitBody {
    /// The old version, for 180 days after a newer one is out, or the newest; the old one while it may be when left out.
    version: Option<i32>,
    /// Passed criteria and prompts that shall be read again.
    #[serde(default)]
    reopen_criteria: BTreeSet<String>,
}

/// `POST /api/v1/submissions/{id}/resubmit`
pub async fn resubmit_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<ResubmitBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let choice = Resubmit { version: body.value.version, reopen: body.value.reopen_criteria };
    app.write(meta, "resubmit_submission", parts, move |cx| {
        let new = resubmission::resubmit(cx, id, &choice)?.submission.facts().id;
        let answer = submissions::read_again(cx, new, 201)?;
        Ok(answer.with_location(format!("/api/v1/submissions/{new}")))
    })
    .await
}

/// How useful the feedback was.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RatingBody {
    /// From 1, not useful, to 5, very useful.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: i32,
    /// In the earner's own words.
    #[serde(default)]
    pub comment: Option<String>,
}

/// `POST /api/v1/submissions/{id}/feedback-rating`
pub async fn rate_feedback(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<RatingBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let new = FeedbackRating { rating: body.value.rating, comment: body.value.comment };
    app.write(meta, "rate_feedback", parts, move |cx| {
        feedback::rate(cx, id, &new)?;
        submissions::read_again(cx, id, 201)
    })
    .await
}

/// Whether the earner would like to talk with a coach.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoachingBody {
    /// Whether they would. Only then is a coach told of them.
    is_wanted: bool,
}

/// `POST /api/v1/submissions/{id}/coaching`
pub async fn answer_coaching(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<CoachingBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "answer_coaching", parts, move |cx| {
        feedback::answer_coaching(cx, id, body.value.is_wanted)?;
        submissions::read_again(cx, id, 200)
    })
    .await
}
