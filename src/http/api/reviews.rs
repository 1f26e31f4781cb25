//! Reviews: the assessor's queue, the blinded work, the sheet.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::evidence::EvidenceView;
use super::submissions::ResponseBody;
use super::{Paging, parse_word};
use crate::domain::ai_use::AiUsePolicy;
use crate::domain::ids::{MicroCredentialId, ReviewId};
use crate::domain::review::{Review, ReviewState, Score, Sheet};
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::resubmission::{Changes, Difference};
use crate::service::reviews::{self, ReviewDetail, Work};
use crate::service::{Cx, Error, Fault};

/// What to claim.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimBody {
    /// Only work on this micro-credential.
    #[schema(value_type = Option<String>, format = "uuid")]
    micro_credential_id: Option<MicroCredentialId>,
}

/// The work of a review, blinded, beside its rubric.
#[derive(Serialize, ToSchema)]
pub struct WorkView {
    /// The version that it is scored by.
    version: i32,
    /// The whole definition, the same that is public.
    definition: Value,
    /// SHA-256 of the definition.
    content_hash: String,
    /// Answers by prompt.
    responses: BTreeMap<String, ResponseBody>,
    /// The items under neutral names.
    evidence: Vec<EvidenceView>,
    /// What the earner says about the use of AI.
    ai_use: Option<String>,
    /// What was allowed when it was handed in: forbidden, disclosed or free; null where nobody had said anything.
    ai_use_policy: Option<&'static str>,
    /// What has changed since an earlier attempt at the same; null where there was none.
    changes: Option<ChangesView>,
}

/// What has changed since an earlier attempt. How that was scored is not told.
#[derive(Serialize, ToSchema)]
pub struct ChangesView {
    /// By prompt: new, changed or unchanged.
    responses: BTreeMap<String, &'static str>,
    /// By item of evidence: new or unchanged.
    evidence: BTreeMap<String, &'static str>,
    /// How many items are not there any more, by requirement.
    removed: BTreeMap<String, usize>,
}

impl From<Changes> for ChangesView {
    fn from(changes: Changes) -> ChangesView {
        let word = |difference: Difference| match difference {
            Difference::Unchanged => "unchanged",
            Difference::Changed => "changed",
            Difference::New => "new",
        };
        let responses = changes.responses.into_iter();
        let evidence = changes.evidence.into_iter();
        ChangesView {
            responses: responses.map(|(id, one)| (id, word(one))).collect(),
            evidence: evidence.map(|(id, one)| (id.to_string(), word(one))).collect(),
            removed: changes.removed,
        }
    }
}

impl TryFrom<Work> for WorkView {
    type Error = Error;

    fn try_from(work: Work) -> Result<WorkView, Error> {
        Ok(WorkView {
            version: work.version.number,
            definition: serde_json::from_str(&work.version.definition).map_err(Error::internal)?,
            content_hash: work.version.content_hash,
            responses: work
                .responses
                .into_iter()
                .map(|(prompt, response)| (prompt, response.into()))
                .collect(),
            evidence: work.evidence.into_iter().map(EvidenceView::blinded).collect(),
            ai_use: work.ai_use,
            ai_use_policy: work.ai_use_policy.map(AiUsePolicy::as_str),
            changes: work.changes.map(ChangesView::from),
        })
    }
}

/// One line of a sheet.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreBody {
    /// A criterion or prompt.
    criterion_id: String,
    /// Its level; null or left out while undecided.
    #[serde(default)]
    level: Option<u8>,
    /// What the earner is told, after the decision; needed below the pass level.
    #[serde(default)]
    feedback: Option<String>,
}

/// A sheet.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetBody {
    /// Its lines.
    scores: Vec<ScoreBody>,
    /// The words for the whole, with one strength at least; needed to lock.
    #[serde(default)]
    overall_feedback: Option<String>,
    /// Criteria that the work does not allow to score.
    #[serde(default)]
    unscorable: Vec<String>,
}

impl TryFrom<SheetBody> for Sheet {
    type Error = Problem;

    fn try_from(body: SheetBody) -> Result<Sheet, Problem> {
        let mut scores: BTreeMap<String, Score> = BTreeMap::new();
        let mut faults = Vec::new();
        let too_long =
            |text: &Option<String>| text.as_ref().is_some_and(|text| text.chars().count() > 10_000);
        for (index, line) in body.scores.into_iter().enumerate() {
            if too_long(&line.feedback) {
                let detail = "feedback has at most 10,000 characters";
                faults.push(Fault::new(format!("/scores/{index}/feedback"), "too-long", detail));
            }
            let score = Score { level: line.level, unscorable: false, feedback: line.feedback };
            if scores.insert(line.criterion_id, score).is_some() {
                let detail = "this criterion stands in the sheet twice";
                faults.push(Fault::new(
                    format!("/scores/{index}/criterion_id"),
                    "duplicate-criterion",
                    detail,
                ));
            }
        }
        for id in body.unscorable {
            scores.entry(id).or_default().unscorable = true;
        }
        if too_long(&body.overall_feedback) {
            faults.push(Fault::new(
                "/overall_feedback",
                "too-long",
                "it has at most 10,000 characters",
            ));
        }
        if scores.len() > 200 {
            faults.push(Fault::new("/scores", "too-many", "a sheet has at most 200 lines"));
        }
        if faults.is_empty() {
            Ok(Sheet { scores, overall_feedback: body.overall_feedback })
        } else {
            Err(Problem::new("invalid", "the sheet cannot be saved like this").with_errors(faults))
        }
    }
}

impl From<Sheet> for SheetBody {
    fn from(sheet: Sheet) -> SheetBody {
        let unscorable = sheet
            .scores
            .iter()
            .filter(|(_, score)| score.unscorable)
            .map(|(id, _)| id.clone())
            .collect();
        let scores = sheet
            .scores
            .into_iter()
            .map(|(criterion_id, score)| ScoreBody {
                criterion_id,
                level: score.level,
                feedback: score.feedback,
            })
            .collect();
        SheetBody { scores, overall_feedback: sheet.overall_feedback, unscorable }
    }
}

/// A review as its assessor sees it.
#[derive(Serialize, ToSchema)]
pub struct ReviewView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// What is read.
    #[schema(format = "uuid")]
    submission_id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// The micro-credential's title.
    title: String,
    /// reading or adjudication.
    kind: &'static str,
    /// leased, locked, recused or lapsed.
    state: &'static str,
    /// What can happen next.
    allowed_events: Vec<&'static str>,
    /// Until when it is reserved.
    #[schema(format = "date-time")]
    lease_expires_at: Option<String>,
    /// When the answer is promised.
    #[schema(format = "date-time")]
    due_at: Option<String>,
    /// When it was made final.
    #[schema(format = "date-time")]
    locked_at: Option<String>,
    /// The work, while it is reserved.
    work: Option<WorkView>,
    /// The criteria and prompts that the sheet covers; lines for others are not kept.
    criterion_ids: Vec<String>,
    /// The sheet as saved so far.
    sheet: SheetBody,
    /// The readers' sheets, for an adjudicator whose own is locked; empty for everybody else.
    other_sheets: Vec<SheetBody>,
}

fn allowed(review: &Review) -> Vec<&'static str> {
    review.state.allowed_events().iter().map(|event| event.as_str()).collect()
}

impl TryFrom<ReviewDetail> for ReviewView {
    type Error = Error;

    fn try_from(detail: ReviewDetail) -> Result<ReviewView, Error> {
        let review = detail.review;
        Ok(ReviewView {
            id: review.id.to_string(),
            submission_id: review.submission.to_string(),
            micro_credential_id: detail.micro_credential.to_string(),
            title: detail.title,
            kind: review.kind.as_str(),
            state: review.state.as_str(),
            allowed_events: allowed(&review),
            lease_expires_at: review.lease_expires_at.map(|moment| moment.to_string()),
            due_at: detail.due_on.map(|moment| moment.to_string()),
            locked_at: review.locked_at.map(|moment| moment.to_string()),
            work: detail.work.map(|work| WorkView::try_from(*work)).transpose()?,
            criterion_ids: detail.criteria,
            sheet: detail.sheet.into(),
            other_sheets: detail.other_sheets.into_iter().map(SheetBody::from).collect(),
        })
    }
}

fn answer(status: u16, detail: ReviewDetail) -> Result<Answer, Error> {
    let (revision, id) = (detail.review.revision, detail.review.id);
    let answer = Answer::json(status, &ReviewView::try_from(detail)?)?;
    Ok(answer.with_revision(revision).with_reread("review", id))
}

/// A review as its assessor sees it now.
///
/// # Errors
/// What reading it says.
pub fn read_again(cx: &mut Cx<'_>, id: ReviewId, status: u16) -> Result<Answer, Error> {
    answer(status, reviews::find(cx, id)?)
}

/// `POST /api/v1/reviews/claim`
pub async fn claim_review(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<ClaimBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![body.bytes.to_vec()];
    app.write(meta, "claim_review", parts, move |cx| {
        match reviews::claim(cx, body.value.micro_credential_id)? {
            None => Ok(Answer::empty(204)),
            Some(detail) => {
                let location = format!("/api/v1/reviews/{}", detail.review.id);
                Ok(answer(201, detail)?.with_location(location))
            }
        }
    })
    .await
}

/// `GET /api/v1/reviews/{id}`
pub async fn read_review(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ReviewId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_review", move |cx| answer(200, reviews::find(cx, id)?)).await
}

/// Which reviews a list shows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewParameters {
    state: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// One line of an assessor's queue.
#[derive(Serialize, ToSchema)]
pub struct ReviewLine {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// reading or adjudication.
    kind: &'static str,
    /// leased, locked, recused or lapsed.
    state: &'static str,
    /// What can happen next.
    allowed_events: Vec<&'static str>,
    /// Until when it is reserved.
    #[schema(format = "date-time")]
    lease_expires_at: Option<String>,
    /// When the answer is promised.
    #[schema(format = "date-time")]
    due_at: Option<String>,
}

/// `GET /api/v1/reviews`
pub async fn list_reviews(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<ReviewParameters>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(parameters.limit, parameters.cursor.as_deref())?;
    let state =
        parse_word("state", parameters.state.as_deref(), ReviewState::parse, ReviewState::ALL)?;
    app.read(meta, "list_reviews", move |cx| {
        let fetched = reviews::list(cx, state, paging.after.as_deref(), paging.fetch())?;
        let page = paging.page(
            fetched,
            |(review, _)| review.id.to_string(),
            |(review, stored)| ReviewLine {
                id: review.id.to_string(),
                micro_credential_id: stored.micro_credential.to_string(),
                kind: review.kind.as_str(),
                state: review.state.as_str(),
                allowed_events: allowed(&review),
                lease_expires_at: review.lease_expires_at.map(|moment| moment.to_string()),
                due_at: stored.due_on.map(|moment| moment.to_string()),
            },
        );
        Answer::json(200, &page)
    })
    .await
}

/// `POST /api/v1/reviews/{id}/renew`
pub async fn renew_review(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ReviewId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "renew_review", parts, move |cx| answer(200, reviews::renew(cx, id)?)).await
}

/// `PUT /api/v1/reviews/{id}/scores`
pub async fn put_scores(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ReviewId>,
    if_match: IfMatch,
    body: JsonBody<SheetBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let sheet = Sheet::try_from(body.value)?;
    app.write(meta, "put_scores", parts, move |cx| {
        match reviews::save_scores(cx, id, &sheet, if_match.0) {
            Ok(detail) => Ok(answer(200, detail)?.into()),
            Err(Error::Stale) => {
                let current = ReviewView::try_from(reviews::find(cx, id)?)?;
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            Err(error) => Err(error),
        }
    })
    .await
}

/// A locked review, and where its submission stands.
#[derive(Serialize, ToSchema)]
pub struct LockedView {
    /// The review.
    #[serde(flatten)]
    review: ReviewView,
    /// Whether this sheet led to the decision; otherwise another reader is needed.
    is_decided: bool,
}

/// `POST /api/v1/reviews/{id}/lock`
pub async fn lock_review(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ReviewId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "lock_review", parts, move |cx| {
        let locked = reviews::lock(cx, id)?;
        let revision = locked.detail.review.revision;
        let view = LockedView {
            review: ReviewView::try_from(locked.detail)?,
            is_decided: locked.is_decided,
        };
        Ok(Answer::json(200, &view)?.with_revision(revision))
    })
    .await
}

/// Why an assessor steps back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecuseBody {
    /// In a few words, for instance: I recognise this person.
    reason: String,
}

/// `POST /api/v1/reviews/{id}/recuse`
pub async fn recuse_review(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ReviewId>,
    body: JsonBody<RecuseBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "recuse_review", parts, move |cx| {
        reviews::recuse(cx, id, &body.value.reason)?;
        answer(200, reviews::find(cx, id)?)
    })
    .await
}
