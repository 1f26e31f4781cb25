//! Who may score: declared ties, modules, load caps, the same-district waiver, and what waits.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Page, PageQuery, body_word};
use crate::domain::eligibility::{Module, Relation};
use crate::domain::ids::{ConflictId, OrganizationId, PersonId};
use crate::domain::timestamp::Timestamp;
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::assignment::{self, Waiting};
use crate::service::conflicts::{self, About, NewWaiver};
use crate::service::{Cx, Error, organizations, rereads};

/// A tie to somebody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConflict {
    /// Where both of you work.
    #[schema(value_type = String, format = "uuid")]
    organization_id: OrganizationId,
    /// The other person; or give their address.
    #[schema(value_type = Option<String>, format = "uuid")]
    person_id: Option<PersonId>,
    /// The other person's address.
    email: Option<String>,
    /// supervises, evaluates, household, close_tie, coaches or coauthor: what you are or do to them.
    relation: String,
}

/// A tie that somebody has declared.
#[derive(Serialize, ToSchema)]
pub struct ConflictView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Where.
    #[schema(format = "uuid")]
    organization_id: String,
    /// To whom.
    #[schema(format = "uuid")]
    person_id: String,
    /// supervises, evaluates, household, close_tie, coaches or coauthor.
    relation: &'static str,
    /// When it was declared.
    #[schema(format = "date-time")]
    declared_at: String,
    /// When it ended.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
}

impl From<conflicts::Declared> for ConflictView {
    fn from(declared: conflicts::Declared) -> ConflictView {
        ConflictView {
            id: declared.id.to_string(),
            organization_id: declared.organization.to_string(),
            person_id: declared.person.to_string(),
            relation: declared.relation.as_str(),
            declared_at: declared.declared_at.to_string(),
            ended_at: declared.ended_at.map(|moment| moment.to_string()),
        }
    }
}

/// Somebody by their id or their address, and not by both.
///
/// # Errors
/// [`Error::Invalid`].
pub fn one_person(person: Option<PersonId>, email: Option<String>) -> Result<About, Error> {
    match (person, email) {
        (Some(person), None) => Ok(About::Person(person)),
        (None, Some(email)) => Ok(About::Email(email)),
        (Some(_), Some(_)) | (None, None) => {
            let detail = "name the person by person_id or by email";
            Err(Error::invalid("/person_id", "one-person", detail))
        }
    }
}

/// `POST /api/v1/conflicts`
pub async fn create_conflict(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<NewConflict>,
) -> Result<HttpResponse, Problem> {
    app.write(meta, "create_conflict", vec![body.bytes.to_vec()], move |cx| {
        let NewConflict { organization_id, person_id, email, relation } = body.value;
        // Who may not know of the organization is told that first.
        organizations::find(cx, organization_id)?;
        let about = one_person(person_id, email)?;
        let relation = body_word("/relation", &relation, Relation::parse, Relation::ALL)?;
        let declared = conflicts::declare(cx, organization_id, &about, relation)?;
        let location = format!("/api/v1/conflicts/{}", declared.id);
        Ok(Answer::json(201, &ConflictView::from(declared))?.with_location(location))
    })
    .await
}

/// `GET /api/v1/conflicts`
pub async fn list_conflicts(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_conflicts", move |cx| {
        let fetched = conflicts::list(cx, paging.after.as_deref(), paging.fetch())?;
        Answer::json(200, &paging.page(fetched, |item| item.id.to_string(), ConflictView::from))
    })
    .await
}

/// `DELETE /api/v1/conflicts/{id}`
pub async fn end_conflict(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ConflictId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "end_conflict", parts, move |cx| {
        conflicts::end(cx, id)?;
        Ok(Answer::empty(204))
    })
    .await
}

/// The modules that somebody has completed.
#[derive(Serialize, ToSchema)]
pub struct ModulesView {
    /// bias, conflicts.
    modules: Vec<&'static str>,
}

/// `PUT /api/v1/me/modules/{module}`
pub async fn complete_module(
    app: web::Data<App>,
    meta: Meta,
    Path(module): Path<String>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "complete_module", parts, move |cx| {
        let module = Module::parse(&module).ok_or(Error::NotFound("module"))?;
        let modules = conflicts::complete_module(cx, module)?;
        let modules = modules.into_iter().map(Module::as_str).collect();
        Answer::json(200, &ModulesView { modules })
    })
    .await
}

/// A rule that keeps assessors away.
#[derive(Serialize, ToSchema)]
pub struct BlockingRule {
    /// Which.
    rule: &'static str,
    /// How many it keeps away.
    assessors: usize,
}

/// Work that waits.
#[derive(Serialize, ToSchema)]
pub struct WaitingView {
    /// The submission.
    #[schema(format = "uuid")]
    submission_id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// When the decision is promised.
    #[schema(format = "date-time")]
    due_at: Option<String>,
    /// Whether that is over.
    is_overdue: bool,
    /// How many assessors there are.
    assessors: usize,
    /// How many of them may take it now.
    eligible: usize,
    /// What keeps the others away.
    blocked_by: Vec<BlockingRule>,
}

impl From<Waiting> for WaitingView {
    fn from(waiting: Waiting) -> WaitingView {
        WaitingView {
            submission_id: waiting.submission.to_string(),
            micro_credential_id: waiting.micro_credential.to_string(),
            due_at: waiting.due_on.map(|moment| moment.to_string()),
            is_overdue: waiting.is_overdue,
            assessors: waiting.assessors,
            eligible: waiting.eligible,
            blocked_by: waiting
                .blocked_by
                .into_iter()
                .map(|(rule, assessors)| BlockingRule { rule: rule.as_str(), assessors })
                .collect(),
        }
    }
}

/// What waits, the most urgent first; at most 200 are looked at.
#[derive(Serialize, ToSchema)]
pub struct BlockedQueueView {
    /// The work.
    items: Vec<WaitingView>,
}

/// Which work is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueParameters {
    /// Also what somebody may take.
    all: Option<bool>,
}

/// `GET /api/v1/queue/blocked`
pub async fn read_blocked_queue(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<QueueParameters>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_blocked_queue", move |cx| {
        let found = assignment::blocked(cx, !parameters.all.unwrap_or(false))?;
        let items = found.into_iter().map(WaitingView::from).collect();
        Answer::json(200, &BlockedQueueView { items })
    })
    .await
}

/// How many reviews somebody may hold.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadCapBody {
    /// 0 to 50; null for the usual number.
    load_cap: Option<i32>,
}

/// `PUT /api/v1/organizations/{id}/load-caps/{person_id}`
pub async fn put_load_cap(
    app: web::Data<App>,
    meta: Meta,
    Path((organization, person)): Path<(OrganizationId, PersonId)>,
    body: JsonBody<LoadCapBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "put_load_cap", parts, move |cx| {
        assignment::put_load_cap(cx, organization, person, body.value.load_cap)?;
        Answer::json(200, &body.value)
    })
    .await
}

/// A group's decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverBody {
    /// Why the group decided so.
    reason: String,
    /// Who decided it: at least two people, members of at least two departments.
    #[schema(value_type = Vec<String>)]
    deciders: Vec<PersonId>,
    /// Until when it holds, within two years.
    #[schema(value_type = String, format = "date-time")]
    ends_at: DateTime<Utc>,
}

/// A group's decision as it is recorded.
#[derive(Serialize, ToSchema)]
pub struct WaiverView {
    /// Why; null where nobody has decided anything.
    reason: Option<String>,
    /// Who decided it.
    deciders: Vec<String>,
    /// Until when it holds.
    #[schema(format = "date-time")]
    ends_at: Option<String>,
    /// Whether it holds now.
    is_in_force: bool,
}

fn waiver_view(waiver: Option<&conflicts::Recorded>, now: Timestamp) -> WaiverView {
    WaiverView {
        reason: waiver.map(|waiver| waiver.reason.clone()),
        deciders: waiver
            .map(|waiver| waiver.deciders.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        ends_at: waiver.map(|waiver| waiver.ends_at.to_string()),
        is_in_force: waiver.is_some_and(|waiver| waiver.ends_at > now),
    }
}

fn waiver_answer(cx: &Cx<'_>, waiver: Option<&conflicts::Recorded>) -> Result<Answer, Error> {
    let revision = waiver.map_or(0, |waiver| waiver.revision);
    Ok(Answer::json(200, &waiver_view(waiver, cx.now))?.with_revision(revision))
}

/// `GET /api/v1/organizations/{id}/same-district-waiver`
pub async fn read_same_district_waiver(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_same_district_waiver", move |cx| {
        let waiver = conflicts::find_waiver(cx, organization)?;
        waiver_answer(cx, waiver.as_ref())
    })
    .await
}

/// `PUT /api/v1/organizations/{id}/same-district-waiver`
pub async fn put_same_district_waiver(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    if_match: IfMatch,
    body: JsonBody<WaiverBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "put_same_district_waiver", parts, move |cx| {
        let WaiverBody { reason, deciders, ends_at } = body.value;
        let new =
            NewWaiver { reason, deciders, ends_at: Timestamp::new(ends_at), revision: if_match.0 };
        match conflicts::put_waiver(cx, organization, &new) {
            Err(Error::Stale) => {
                let current = conflicts::find_waiver(cx, organization)?;
                let current = waiver_view(current.as_ref(), cx.now);
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            other => Ok(waiver_answer(cx, Some(&other?))?.into()),
        }
    })
    .await
}

/// A live sheet that is to be read again.
#[derive(Serialize, ToSchema)]
pub struct RereadView {
    /// The sheet.
    #[schema(format = "uuid")]
    review_id: String,
    /// Of which submission.
    #[schema(format = "uuid")]
    submission_id: String,
    /// Whose sheet it is.
    #[schema(format = "uuid")]
    assessor_id: String,
    /// Whether it decided alone.
    is_decisive: bool,
    /// backread (by chance) or suspension (of its assessor).
    reason: &'static str,
    /// Since when it is to be read again.
    #[schema(format = "date-time")]
    created_at: String,
    /// The criteria on which the two readings would need an adjudicator; null while it waits. Nothing changes by itself.
    differing: Option<Vec<String>>,
}

/// `GET /api/v1/queue/rereads`
pub async fn list_rereads(app: web::Data<App>, meta: Meta) -> Result<HttpResponse, Problem> {
    app.read(meta, "list_rereads", move |cx| {
        let items = rereads::list(cx)?
            .into_iter()
            .map(|reread| RereadView {
                review_id: reread.review.to_string(),
                submission_id: reread.submission.to_string(),
                assessor_id: reread.person.to_string(),
                is_decisive: reread.is_decisive,
                reason: reread.reason.as_str(),
                differing: reread.differing,
                created_at: reread.created_at.to_string(),
            })
            .collect();
        Answer::json(200, &Page { items, next_cursor: None })
    })
    .await
}
