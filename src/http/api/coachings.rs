//! Coaching of an attempt: whom its earner asks, what they share, and what the coach says.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::evidence::EvidenceView;
use super::submissions::{FeedbackView, ResponseBody};
use super::{Page, PageQuery, body_word};
use crate::domain::coaching::Share;
use crate::domain::ids::{CoachingId, PersonId, SubmissionId};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::coachings::{self, Coach, CoachingDetail, CoachingSummary};
use crate::service::{Cx, Error};

/// Whom to ask, and what they may see.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCoaching {
    /// One of the coaches that are listed for the submission.
    #[schema(value_type = String, format = "uuid")]
    person_id: PersonId,
    /// What they may see: responses, evidence, feedback.
    shares: Vec<String>,
}

/// What a coach says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCoachComment {
    /// The prompt, criterion or evidence requirement it is about; left out for the whole.
    item_id: Option<String>,
    /// The words, at most 4000 characters.
    text: String,
}

/// Somebody by name.
#[derive(Serialize, ToSchema)]
pub struct CoachView {
    /// Who.
    #[schema(format = "uuid")]
    person_id: String,
    /// Their name.
    name: String,
}

impl CoachView {
    /// Somebody by name.
    #[must_use]
    pub fn new(person: PersonId, name: String) -> CoachView {
        CoachView { person_id: person.to_string(), name }
    }
}

impl From<Coach> for CoachView {
    fn from(coach: Coach) -> CoachView {
        CoachView::new(coach.person, coach.name)
    }
}

/// What a coach has said.
#[derive(Serialize, ToSchema)]
pub struct CoachCommentView {
    /// The prompt, criterion or evidence requirement it is about; null for the whole.
    item_id: Option<String>,
    /// The words; null once the retention period is over.
    text: Option<String>,
    /// When.
    #[schema(format = "date-time")]
    written_at: String,
}

/// A coaching without what is shared by it.
#[derive(Serialize, ToSchema)]
pub struct CoachingLineView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The attempt.
    #[schema(format = "uuid")]
    submission_id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// At which version of it.
    version: i32,
    /// Its title.
    title: String,
    /// Whose attempt it is.
    earner: CoachView,
    /// Who was asked.
    coach: CoachView,
    /// What is shared: responses, evidence, feedback.
    shares: Vec<&'static str>,
    /// Whether the coach can comment now: before the work is handed in, and once it is decided.
    is_open: bool,
    /// When the coach was asked.
    #[schema(format = "date-time")]
    asked_at: String,
    /// When the earner ended it.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
}

impl From<CoachingSummary> for CoachingLineView {
    fn from(CoachingSummary { line, is_open }: CoachingSummary) -> CoachingLineView {
        let coaching = line.coaching;
        CoachingLineView {
            id: coaching.id.to_string(),
            submission_id: coaching.submission.to_string(),
            micro_credential_id: line.micro_credential.to_string(),
            version: line.version,
            title: line.title,
            earner: CoachView::new(line.earner, line.earner_name),
            coach: CoachView::new(coaching.coach, line.coach_name),
            shares: coaching.shares.iter().map(|share| share.as_str()).collect(),
            is_open,
            asked_at: coaching.asked_at.to_string(),
            ended_at: coaching.ended_at.map(|moment| moment.to_string()),
        }
    }
}

/// A coaching with what is shared by it.
#[derive(Serialize, ToSchema)]
pub struct CoachedWorkView {
    #[serde(flatten)]
    line: CoachingLineView,
    /// The answers to the prompts; null where they are not shared, or not kept any more.
    responses: Option<BTreeMap<String, ResponseBody>>,
    /// The evidence; null where it is not shared.
    evidence: Option<Vec<EvidenceView>>,
    /// earned or not_yet; null where that is not shared or not decided.
    decision: Option<&'static str>,
    /// The feedback; null where it is not shared or not decided.
    feedback: Option<FeedbackView>,
    /// What the coach has said.
    comments: Vec<CoachCommentView>,
}

impl From<CoachingDetail> for CoachedWorkView {
    fn from(detail: CoachingDetail) -> CoachedWorkView {
        let (decision, feedback) = match detail.feedback {
            Some((decision, overall)) => {
                (Some(decision.outcome.as_str()), Some(FeedbackView::new(decision, overall)))
            }
            None => (None, None),
        };
        CoachedWorkView {
            line: detail.summary.into(),
            responses: detail.responses.map(|responses| {
                responses.into_iter().map(|(prompt, response)| (prompt, response.into())).collect()
            }),
            evidence: detail
                .evidence
                .map(|items| items.into_iter().map(EvidenceView::blinded).collect()),
            decision,
            feedback,
            comments: detail
                .comments
                .into_iter()
                .map(|comment| CoachCommentView {
                    item_id: comment.item,
                    text: comment.text,
                    written_at: comment.written_at.to_string(),
                })
                .collect(),
        }
    }
}

/// `GET /api/v1/submissions/{id}/coaches`
pub async fn list_coaches(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "list_coaches", move |cx| {
        let items = coachings::list_coaches(cx, id)?.into_iter().map(CoachView::from).collect();
        Answer::json(200, &Page { items, next_cursor: None })
    })
    .await
}

fn answer(cx: &mut Cx<'_>, id: CoachingId, status: u16) -> Result<Answer, Error> {
    let view = CoachedWorkView::from(coachings::find(cx, id)?);
    Ok(Answer::json(status, &view)?.with_reread("coaching", id))
}

/// A coaching as the caller may see it now.
///
/// # Errors
/// What reading it says.
pub fn read_again(cx: &mut Cx<'_>, id: CoachingId, status: u16) -> Result<Answer, Error> {
    answer(cx, id, status)
}

/// `POST /api/v1/submissions/{id}/coachings`
pub async fn create_coaching(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<NewCoaching>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_coaching", parts, move |cx| {
        let NewCoaching { person_id, shares } = body.value;
        let shares: BTreeSet<Share> = shares
            .iter()
            .map(|word| body_word("/shares", word, Share::parse, Share::ALL))
            .collect::<Result<_, _>>()?;
        let coaching = coachings::ask(cx, id, person_id, &shares)?;
        let location = format!("/api/v1/coachings/{coaching}");
        Ok(answer(cx, coaching, 201)?.with_location(location))
    })
    .await
}

/// `GET /api/v1/coachings`
pub async fn list_coachings(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_coachings", move |cx| {
        let fetched = coachings::list(cx, paging.after.as_deref(), paging.fetch())?;
        let key = |summary: &CoachingSummary| summary.line.coaching.id.to_string();
        Answer::json(200, &paging.page(fetched, key, CoachingLineView::from))
    })
    .await
}

/// `GET /api/v1/coachings/{id}`
pub async fn read_coaching(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CoachingId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_coaching", move |cx| answer(cx, id, 200)).await
}

/// `DELETE /api/v1/coachings/{id}`
pub async fn end_coaching(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CoachingId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "end_coaching", parts, move |cx| {
        coachings::end(cx, id)?;
        Ok(Answer::empty(204))
    })
    .await
}

/// `POST /api/v1/coachings/{id}/comments`
pub async fn create_coach_comment(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CoachingId>,
    body: JsonBody<NewCoachComment>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_coach_comment", parts, move |cx| {
        let NewCoachComment { item_id, text } = &body.value;
        coachings::comment(cx, id, item_id.as_deref(), text)?;
        answer(cx, id, 201)
    })
    .await
}
