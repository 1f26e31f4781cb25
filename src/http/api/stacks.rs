//! Stacks.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::awards::answer_with;
use super::{PageQuery, Paging};
use crate::domain::ids::{OrganizationId, StackId};
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::stacks::{self, NamedItem, OwnStack, PartStanding, Stack, StackStanding};
use crate::service::{Error, stack_awards};

/// A stack as its authors write it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StackBody {
    /// Follows `credential-schemas/stack.schema.json`.
    definition: Value,
}

/// A stack.
#[derive(Serialize, ToSchema)]
pub struct StackView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Who owns it.
    #[schema(format = "uuid")]
    organization_id: String,
    /// The document's own `id`.
    slug: String,
    /// 1, 2, …
    version: i32,
    /// The document's own `version`.
    label: String,
    /// Its title.
    title: String,
    /// draft, published or retired.
    state: &'static str,
    /// What can happen next.
    allowed_events: Vec<&'static str>,
    /// The document.
    definition: Value,
    /// SHA-256 over it.
    content_hash: String,
    /// Its public page and Achievement document, once it is published.
    path: String,
    /// When it became public.
    #[schema(format = "date-time")]
    published_at: Option<String>,
}

impl TryFrom<Stack> for StackView {
    type Error = Error;

    fn try_from(stack: Stack) -> Result<StackView, Error> {
        let events = stack.state.allowed_events().iter();
        Ok(StackView {
            id: stack.id.to_string(),
            organization_id: stack.organization.to_string(),
            slug: stack.slug,
            version: stack.number,
            label: stack.label,
            title: stack.title,
            state: stack.state.as_str(),
            allowed_events: events.map(|event| event.as_str()).collect(),
            definition: serde_json::from_str(&stack.document).map_err(Error::internal)?,
            content_hash: stack.content_hash,
            path: format!("/stacks/{}", stack.id),
            published_at: stack.published_at.map(|moment| moment.to_string()),
        })
    }
}

fn answer(status: u16, stack: Stack) -> Result<Answer, Error> {
    let revision = stack.revision;
    Ok(Answer::json(status, &StackView::try_from(stack)?)?.with_revision(revision))
}

/// `POST /api/v1/organizations/{id}/stacks`
pub async fn create_stack(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    body: JsonBody<StackBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_stack", parts, move |cx| {
        let stack = stacks::create(cx, id, &body.value.definition)?;
        let location = format!("/api/v1/stacks/{}", stack.id);
        Ok(answer(201, stack)?.with_location(location))
    })
    .await
}

/// What the list of stacks takes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StacksQuery {
    organization_id: Option<OrganizationId>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/stacks`
pub async fn list_stacks(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<StacksQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(query.limit, query.cursor.as_deref())?;
    app.read(meta, "list_stacks", move |cx| {
        let after = paging.after.clone();
        let fetched = stacks::list(cx, query.organization_id, after, paging.fetch())?;
        let views = fetched.into_iter().map(StackView::try_from).collect::<Result<Vec<_>, _>>()?;
        Answer::json(200, &paging.page(views, |view| view.id.clone(), |view| view))
    })
    .await
}

/// `GET /api/v1/stacks/{id}`
pub async fn read_stack(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<StackId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_stack", move |cx| answer(200, stacks::find(cx, id)?)).await
}

/// `PUT /api/v1/stacks/{id}`
pub async fn put_stack(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<StackId>,
    if_match: IfMatch,
    body: JsonBody<StackBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "put_stack", parts, move |cx| {
        match stacks::edit(cx, id, &body.value.definition, if_match.0) {
            Err(Error::Stale) => {
                let current = StackView::try_from(stacks::find(cx, id)?)?;
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            other => Ok(Reply::from(answer(200, other?)?)),
        }
    })
    .await
}

/// `POST /api/v1/stacks/{id}/publish`
pub async fn publish_stack(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<StackId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "publish_stack", parts, move |cx| answer(200, stacks::publish(cx, id)?)).await
}

/// `POST /api/v1/stacks/{id}/retire`
pub async fn retire_stack(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<StackId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "retire_stack", parts, move |cx| answer(200, stacks::retire(cx, id)?)).await
}

/// A micro-credential that a stack names.
#[derive(Serialize, ToSchema)]
pub struct NamedItemView {
    /// The definition's own id.
    slug: String,
    /// Its title.
    title: String,
    /// The micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// Where its page is.
    path: String,
    /// Your live award at it; null where it is missing.
    #[schema(format = "uuid")]
    award_id: Option<String>,
    /// When that award ends.
    #[schema(format = "date-time")]
    valid_until: Option<String>,
    /// Where you hold none: your newest award at it that does not count now.
    #[schema(format = "uuid")]
    uncounted_award_id: Option<String>,
    /// pending_key, suspended, expired, revoked or superseded.
    uncounted_state: Option<&'static str>,
}

impl From<NamedItem> for NamedItemView {
    fn from(item: NamedItem) -> NamedItemView {
        let until = item.award.as_ref().and_then(|award| award.valid_until);
        NamedItemView {
            slug: item.slug,
            title: item.title,
            micro_credential_id: item.micro_credential.to_string(),
            path: format!("/achievements/{}/versions/{}", item.micro_credential, item.version),
            award_id: item.award.map(|award| award.id.to_string()),
            valid_until: until.map(|moment| moment.to_string()),
            uncounted_award_id: item.uncounted.as_ref().map(|award| award.id.to_string()),
            uncounted_state: item.uncounted.map(|award| award.state.as_str()),
        }
    }
}

/// One part of the rule.
#[derive(Serialize, ToSchema)]
pub struct PartView {
    /// The category, where the rule has one.
    category: Option<String>,
    /// What you hold.
    held: Vec<NamedItemView>,
    /// What you do not.
    missing: Vec<NamedItemView>,
    /// How many are asked for, any of both.
    asked: usize,
    /// How many more are needed, any of those that are missing.
    needed: usize,
}

impl From<PartStanding> for PartView {
    fn from(part: PartStanding) -> PartView {
        PartView {
            category: part.category,
            held: part.held.into_iter().map(NamedItemView::from).collect(),
            missing: part.missing.into_iter().map(NamedItemView::from).collect(),
            asked: part.asked,
            needed: part.needed,
        }
    }
}

/// How far you are.
#[derive(Serialize, ToSchema)]
pub struct StackProgressView {
    /// The parts of the rule, all of which have to be met.
    parts: Vec<PartView>,
    /// Whether they are.
    is_met: bool,
    /// Your award of the stack, unless it has ended.
    #[schema(format = "uuid")]
    award_id: Option<String>,
    /// pending_key, active or suspended.
    award_state: Option<&'static str>,
    /// Until when another award brings that one back, while a part of it has fallen.
    #[schema(format = "date-time")]
    replaceable_until: Option<String>,
}

impl From<StackStanding> for StackProgressView {
    fn from(standing: StackStanding) -> StackProgressView {
        StackProgressView {
            parts: standing.parts.into_iter().map(PartView::from).collect(),
            is_met: standing.is_met,
            award_id: standing.award.as_ref().map(|award| award.id.to_string()),
            award_state: standing.award.map(|award| award.state.as_str()),
            replaceable_until: standing.replaceable_until.map(|moment| moment.to_string()),
        }
    }
}

/// `GET /api/v1/stacks/{id}/progress`
pub async fn read_stack_progress(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<StackId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_stack_progress", move |cx| {
        Answer::json(200, &StackProgressView::from(stacks::progress(cx, id)?))
    })
    .await
}

/// A stack of your organizations, and how far you are.
#[derive(Serialize, ToSchema)]
pub struct OwnStackView {
    /// The stack.
    #[schema(format = "uuid")]
    id: String,
    /// Its own id, the same in every version.
    slug: String,
    /// Its title.
    title: String,
    /// What it is about.
    summary: Option<String>,
    /// The language of these words, a tag of BCP 47.
    language: String,
    /// What the organization is called that offers it.
    organization: String,
    /// published, or retired for one of which you have an award.
    state: &'static str,
    /// Where its page is.
    path: String,
    /// How far you are.
    #[serde(flatten)]
    progress: StackProgressView,
}

impl From<OwnStack> for OwnStackView {
    fn from(own: OwnStack) -> OwnStackView {
        OwnStackView {
            id: own.stack.id.to_string(),
            path: format!("/stacks/{}", own.stack.id),
            slug: own.stack.slug,
            title: own.stack.title,
            summary: own.summary,
            language: own.language,
            organization: own.organization,
            state: own.stack.state.as_str(),
            progress: StackProgressView::from(own.standing),
        }
    }
}

/// `GET /api/v1/me/stacks`
pub async fn list_own_stacks(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_own_stacks", move |cx| {
        let fetched = stacks::list_own(cx, paging.after.as_deref(), paging.fetch())?;
        let key = |own: &OwnStack| own.stack.id.to_string();
        Answer::json(200, &paging.page(fetched, key, OwnStackView::from))
    })
    .await
}

/// `POST /api/v1/stacks/{id}/awards`
pub async fn claim_stack(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<StackId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "claim_stack", parts, move |cx| {
        let award = stack_awards::claim(cx, id)?;
        let location = format!("/api/v1/awards/{}", award.id);
        Ok(answer_with(cx, 201, award)?.with_location(location))
    })
    .await
}
