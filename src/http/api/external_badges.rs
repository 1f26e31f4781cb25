//! Badges of other issuers in one's wallet.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{PageQuery, Paging};
use crate::domain::ids::{ExternalBadgeId, OrganizationId};
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::external_badges::{self, BadgeSharing, ExternalBadge, ListedBadge};

/// A badge of another issuer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalBadgeBody {
    /// The badge: its document, or its JWT as a text.
    credential: Value,
}

/// A badge of another issuer. It is no award: nothing here counts it.
#[derive(Serialize, ToSchema)]
pub struct ExternalBadgeView {
    /// Its id here.
    #[schema(format = "uuid")]
    id: String,
    /// Always `external`.
    origin: &'static str,
    /// What it is called, by its own words.
    title: Option<String>,
    /// Who issued it, by its own words.
    issuer: Option<String>,
    /// When it was put in.
    #[schema(format = "date-time")]
    added_at: String,
}

/// The same with the verdict of this moment.
#[derive(Serialize, ToSchema)]
pub struct VerifiedBadgeView {
    /// The badge.
    #[serde(flatten)]
    badge: ExternalBadgeView,
    /// The badge as it came.
    credential: Value,
    /// When it was verified: now.
    #[schema(format = "date-time")]
    verified_at: String,
    /// What the verifier says, as `POST /verify` does.
    verdict: Value,
}

impl From<ExternalBadge> for ExternalBadgeView {
    fn from(badge: ExternalBadge) -> ExternalBadgeView {
        ExternalBadgeView {
            id: badge.id.to_string(),
            origin: "external",
            title: badge.title,
            issuer: badge.issuer,
            added_at: badge.added_at.to_string(),
        }
    }
}

/// `POST /api/v1/me/external-badges`
pub async fn add_external_badge(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<ExternalBadgeBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let credential = body.value.credential;
    let question = app
        .run(&meta, "add_external_badge", move |cx| external_badges::question(cx, &credential))
        .await?;
    let verdict = {
        let _turn = app.verifying.enter().await?;
        let question = question.clone();
        app.block(move |resources| external_badges::verify(resources, &question)).await?
    };
    app.write(meta, "add_external_badge", parts, move |cx| {
        let view = ExternalBadgeView::from(external_badges::add(cx, &question, &verdict)?);
        let location = format!("/api/v1/me/external-badges/{}", view.id);
        Ok(Answer::json(201, &view)?.with_location(location))
    })
    .await
}

/// `GET /api/v1/me/external-badges`
pub async fn list_external_badges(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_external_badges", move |cx| {
        let fetched = external_badges::list(cx, paging.after.as_deref(), paging.fetch())?;
        let key = |badge: &ExternalBadge| badge.id.to_string();
        Answer::json(200, &paging.page(fetched, key, ExternalBadgeView::from))
    })
    .await
}

/// `GET /api/v1/me/external-badges/{id}`
pub async fn read_external_badge(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ExternalBadgeId>,
) -> Result<HttpResponse, Problem> {
    let (badge, question) =
        app.run(&meta, "read_external_badge", move |cx| external_badges::find(cx, id)).await?;
    let verdict = {
        let _turn = app.verifying.enter().await?;
        app.block(move |resources| external_badges::verify(resources, &question)).await?
    };
    app.read(meta, "read_external_badge", move |cx| {
        let text = badge.document.clone();
        let view = VerifiedBadgeView {
            credential: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            badge: ExternalBadgeView::from(badge),
            verified_at: cx.now.to_string(),
            verdict: serde_json::to_value(&verdict).map_err(Error::internal)?,
        };
        Answer::json(200, &view)
    })
    .await
}

/// `DELETE /api/v1/me/external-badges/{id}`
pub async fn delete_external_badge(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ExternalBadgeId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "delete_external_badge", parts, move |cx| {
        external_badges::delete(cx, id)?;
        Ok(Answer::empty(204))
    })
    .await
}

/// Whether one of your badges is shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BadgeSharingBody {
    /// Whether everybody of your district or provider may see that you hold it, as long as it is found valid.
    shown: bool,
}

/// The same with what the last check has said.
#[derive(Serialize, ToSchema)]
pub struct BadgeSharingView {
    /// Whether you let it be shown.
    shown: bool,
    /// valid, invalid, indeterminate, or not_addressed for one that does not name your address; null while it is not shown. Only a valid
    /// one is listed.
    outcome: Option<&'static str>,
    /// When it was checked.
    #[schema(format = "date-time")]
    checked_at: Option<String>,
}

impl From<&BadgeSharing> for BadgeSharingView {
    fn from(sharing: &BadgeSharing) -> BadgeSharingView {
        let check = sharing.check.as_ref();
        BadgeSharingView {
            shown: sharing.is_shown,
            outcome: check.map(|check| check.outcome.as_str()),
            checked_at: check.map(|check| check.checked_at.to_string()),
        }
    }
}

fn sharing(found: &BadgeSharing) -> Result<Answer, Error> {
    Ok(Answer::json(200, &BadgeSharingView::from(found))?.with_revision(found.revision))
}

/// `GET /api/v1/me/external-badges/{id}/sharing`
pub async fn read_external_badge_sharing(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ExternalBadgeId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_external_badge_sharing", move |cx| {
        sharing(&external_badges::find_sharing(cx, id)?)
    })
    .await
}

/// `PUT /api/v1/me/external-badges/{id}/sharing`
pub async fn put_external_badge_sharing(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ExternalBadgeId>,
    if_match: IfMatch,
    body: JsonBody<BadgeSharingBody>,
) -> Result<HttpResponse, Problem> {
    let tag = if_match.0.to_string().into_bytes();
    let parts = vec![meta.target.clone().into_bytes(), tag, body.bytes.to_vec()];
    let (_, question) = app
        .run(&meta, "put_external_badge_sharing", move |cx| external_badges::find(cx, id))
        .await?;
    let verdict = if body.value.shown {
        let _turn = app.verifying.enter().await?;
        Some(app.block(move |resources| external_badges::verify(resources, &question)).await?)
    } else {
        None
    };
    app.write(meta, "put_external_badge_sharing", parts, move |cx| {
        match external_badges::put_sharing(cx, id, verdict.as_ref(), if_match.0) {
            Err(Error::Stale) => {
                let current = BadgeSharingView::from(&external_badges::find_sharing(cx, id)?);
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            other => Ok(sharing(&other?)?.into()),
        }
    })
    .await
}

/// A badge of another issuer that somebody lets be shown.
#[derive(Serialize, ToSchema)]
pub struct ShownBadgeView {
    /// Always `external`: no award of yours, and in none of your numbers.
    origin: &'static str,
    /// Its id here.
    #[schema(format = "uuid")]
    id: String,
    /// Whose it is.
    #[schema(format = "uuid")]
    person_id: String,
    /// Their name.
    name: String,
    /// What it is called, by its own words.
    title: Option<String>,
    /// Who issued it, by its own words.
    issuer: Option<String>,
    /// The issuer's id.
    issuer_id: Option<String>,
    /// Whether that issuer is on the organization's list of trusted issuers, or on one above it.
    issuer_is_trusted: bool,
    /// When it ends.
    #[schema(format = "date-time")]
    valid_until: Option<String>,
    /// What the last check has said: always `valid`, others are not listed.
    outcome: &'static str,
    /// When that was.
    #[schema(format = "date-time")]
    checked_at: String,
}

impl From<ListedBadge> for ShownBadgeView {
    fn from(ListedBadge { shown, is_trusted }: ListedBadge) -> ShownBadgeView {
        ShownBadgeView {
            origin: "external",
            id: shown.id.to_string(),
            person_id: shown.person.to_string(),
            name: shown.name,
            title: shown.title,
            issuer: shown.issuer,
            issuer_id: shown.issuer_id,
            issuer_is_trusted: is_trusted,
            valid_until: shown.valid_until.map(|moment| moment.to_string()),
            outcome: "valid",
            checked_at: shown.checked_at.to_string(),
        }
    }
}

/// Of which organization.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownBadgesQuery {
    organization_id: OrganizationId,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/reports/skills-inventory/external-badges`
pub async fn list_shown_badges(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<ShownBadgesQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(query.limit, query.cursor.as_deref())?;
    app.read(meta, "list_shown_badges", move |cx| {
        let after = paging.after.as_deref();
        let found = external_badges::list_shown(cx, query.organization_id, after, paging.fetch())?;
        let key = |one: &ListedBadge| one.shown.id.to_string();
        Answer::json(200, &paging.page(found, key, ShownBadgeView::from))
    })
    .await
}
