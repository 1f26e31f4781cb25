//! Appeals and integrity cases, and the signals that people look at.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reviews::{SheetBody, WorkView};
use super::{PageQuery, body_word, submissions};
use crate::domain::case::{Grounds, Vote};
use crate::domain::ids::{CaseId, SubmissionId};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::cases::{self, Case, CaseDetail, NewAppeal};
use crate::service::evidence_matches::{self, EvidenceMatch};

/// What an earner appeals.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppealBody {
    /// procedure, conflict or scoring.
    grounds: String,
    /// The criteria and prompts in dispute; all of them when left out.
    #[serde(default)]
    criteria: BTreeSet<String>,
    /// What went wrong.
    statement: String,
}

/// `POST /api/v1/submissions/{id}/appeal`
pub async fn appeal_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<AppealBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let body = body.value;
    app.write(meta, "appeal_submission", parts, move |cx| {
        let grounds = body_word("/grounds", &body.grounds, Grounds::parse, Grounds::ALL)?;
        let new = NewAppeal {
            grounds,
            criteria: body.criteria.clone(),
            statement: body.statement.clone(),
        };
        cases::appeal(cx, id, &new)?;
        submissions::read_again(cx, id, 201)
    })
    .await
}

/// A doubt about a submission.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagBody {
    /// What the doubt is and what it rests on; its earner reads this.
    statement: String,
}

/// A case in a few words.
#[derive(Serialize, ToSchema)]
pub struct CaseLine {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// appeal or integrity.
    kind: &'static str,
    /// open, replied, voting or concluded.
    state: &'static str,
    /// What it is about.
    #[schema(format = "uuid")]
    submission_id: String,
    /// When the answer is due.
    #[schema(format = "date-time")]
    due_at: String,
    /// upheld, rescored, overturned or cleared; null before it is concluded.
    outcome: Option<&'static str>,
}

impl From<&Case> for CaseLine {
    fn from(case: &Case) -> CaseLine {
        CaseLine {
            id: case.id.to_string(),
            kind: case.kind.as_str(),
            state: case.state.as_str(),
            submission_id: case.submission.to_string(),
            due_at: case.due_on.to_string(),
            outcome: case.outcome.map(|outcome| outcome.as_str()),
        }
    }
}

/// `POST /api/v1/submissions/{id}/flag`
pub async fn flag_submission(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<FlagBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "flag_submission", parts, move |cx| {
        let case = cases::flag(cx, id, &body.value.statement)?;
        Answer::json(201, &CaseLine::from(&case))
    })
    .await
}

/// `GET /api/v1/cases`
pub async fn list_cases(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_cases", move |cx| {
        let fetched = cases::list(cx, paging.after.as_deref(), paging.fetch())?;
        let page = paging.page(fetched, |case| case.id.to_string(), |case| CaseLine::from(&case));
        Answer::json(200, &page)
    })
    .await
}

/// A criterion or prompt in dispute.
#[derive(Serialize, ToSchema)]
pub struct DisputedView {
    /// The criterion or prompt.
    criterion_id: String,
    /// The level that was decided.
    level_before: Option<u8>,
    /// The level after the appeal; null unless the fresh readings count.
    level_after: Option<u8>,
}

/// A case as its earner or its panel sees it.
#[derive(Serialize, ToSchema)]
pub struct CaseView {
    /// The case in a few words.
    #[serde(flatten)]
    line: CaseLine,
    /// What can happen next: reply, vote.
    allowed_events: Vec<&'static str>,
    /// procedure, conflict or scoring, for an appeal.
    grounds: Option<&'static str>,
    /// What was said when it was opened.
    statement: String,
    /// By whom: earner, assessor …; never who.
    opened_role: String,
    /// When.
    #[schema(format = "date-time")]
    opened_at: String,
    /// What the earner replied.
    reply: Option<String>,
    /// Until when they can before the panel votes.
    #[schema(format = "date-time")]
    reply_until: Option<String>,
    /// What is in dispute.
    criteria: Vec<DisputedView>,
    /// How many of three have voted.
    votes: usize,
    /// The reasons in writing, once it is concluded.
    reasons: Vec<String>,
    /// When it was concluded.
    #[schema(format = "date-time")]
    concluded_at: Option<String>,
    /// The blinded work, for the panel while the case is open.
    work: Option<WorkView>,
    /// What the fresh readers of an appeal say, for the panel once both have locked.
    fresh_sheets: Vec<SheetBody>,
}

impl TryFrom<CaseDetail> for CaseView {
    type Error = Error;

    fn try_from(detail: CaseDetail) -> Result<CaseView, Error> {
        let case = detail.case;
        Ok(CaseView {
            line: CaseLine::from(&case),
            allowed_events: detail.allowed_events.iter().map(|event| event.as_str()).collect(),
            grounds: case.grounds.map(Grounds::as_str),
            statement: case.statement,
            opened_role: case.opened_role,
            opened_at: case.opened_at.to_string(),
            reply: case.reply,
            reply_until: case.reply_until.map(|moment| moment.to_string()),
            criteria: detail
                .criteria
                .into_iter()
                .map(|(criterion_id, level)| DisputedView {
                    criterion_id,
                    level_before: level.before,
                    level_after: level.after,
                })
                .collect(),
            votes: detail.n_votes,
            reasons: detail.reasons,
            concluded_at: case.concluded_at.map(|moment| moment.to_string()),
            work: detail.work.map(|work| WorkView::try_from(*work)).transpose()?,
            fresh_sheets: detail.fresh_sheets.into_iter().map(SheetBody::from).collect(),
        })
    }
}

/// `GET /api/v1/cases/{id}`
pub async fn read_case(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CaseId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_case", move |cx| {
        Answer::json(200, &CaseView::try_from(cases::find(cx, id)?)?)
    })
    .await
}

/// What an earner says to a doubt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyBody {
    /// In their own words.
    reply: String,
}

/// `POST /api/v1/cases/{id}/reply`
pub async fn reply_to_case(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CaseId>,
    body: JsonBody<ReplyBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "reply_to_case", parts, move |cx| {
        let detail = cases::reply(cx, id, &body.value.reply)?;
        Ok(Answer::json(200, &CaseView::try_from(detail)?)?.with_secrets())
    })
    .await
}

/// What a member of the panel thinks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteBody {
    /// uphold or rescore for an appeal, clear or uphold for a doubt.
    vote: String,
    /// Why, in writing; the earner reads the reasons of the majority.
    reasons: String,
}

/// `POST /api/v1/cases/{id}/votes`
pub async fn vote_on_case(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CaseId>,
    body: JsonBody<VoteBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let body = body.value;
    app.write(meta, "vote_on_case", parts, move |cx| {
        let vote = body_word("/vote", &body.vote, Vote::parse, Vote::ALL)?;
        let detail = cases::vote(cx, id, vote, &body.reasons)?;
        // Somebody else's work is not kept for a replay.
        Ok(Answer::json(201, &CaseView::try_from(detail)?)?.with_secrets())
    })
    .await
}

/// The same bytes in the work of two earners: something to look at, and no verdict.
#[derive(Serialize, ToSchema)]
pub struct EvidenceMatchView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The submission that was handed in later.
    #[schema(format = "uuid")]
    submission_id: String,
    /// Where in it.
    requirement_id: String,
    /// The other one.
    #[schema(format = "uuid")]
    other_submission_id: String,
    /// When it was found.
    #[schema(format = "date-time")]
    found_at: String,
}

impl From<EvidenceMatch> for EvidenceMatchView {
    fn from(found: EvidenceMatch) -> EvidenceMatchView {
        EvidenceMatchView {
            id: found.id,
            submission_id: found.submission.to_string(),
            requirement_id: found.requirement,
            other_submission_id: found.other.to_string(),
            found_at: found.found_at.to_string(),
        }
    }
}

/// `GET /api/v1/evidence-matches`
pub async fn list_evidence_matches(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_evidence_matches", move |cx| {
        let fetched = evidence_matches::list(cx, paging.after.as_deref(), paging.fetch())?;
        let page = paging.page(fetched, |found| found.id.clone(), EvidenceMatchView::from);
        Answer::json(200, &page)
    })
    .await
}
