//! Badges of other issuers in one's wallet.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::PageQuery;
use crate::domain::ids::ExternalBadgeId;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::external_badges::{self, ExternalBadge};

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
