//! The audit trail.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{PageQuery, bad_cursor};
use crate::domain::audit::ChainedEvent;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{Meta, Query};
use crate::service::audit;

/// An event of the chain.
#[derive(Serialize, ToSchema)]
pub struct AuditEventView {
    /// Its place, 1, 2, … over all organizations.
    seq: i64,
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// When.
    #[schema(format = "date-time")]
    happened_at: String,
    /// Who; null for strangers and the service itself.
    #[schema(format = "uuid")]
    actor_id: Option<String>,
    /// In which organization.
    #[schema(format = "uuid")]
    organization_id: Option<String>,
    /// What was done.
    verb: String,
    /// To what kind of thing.
    object_kind: String,
    /// To which.
    object_id: String,
    /// What changed, as `name=value` words.
    detail: String,
    /// The hash of the event before.
    previous_hash: String,
    /// The hash of this one.
    hash: String,
}

impl From<ChainedEvent> for AuditEventView {
    fn from(chained: ChainedEvent) -> AuditEventView {
        let event = chained.event;
        AuditEventView {
            seq: chained.seq,
            id: event.id,
            happened_at: event.happened_at.to_string(),
            actor_id: event.actor.map(|actor| actor.to_string()),
            organization_id: event.organization.map(|organization| organization.to_string()),
            verb: event.verb,
            object_kind: event.object_kind,
            object_id: event.object_id,
            detail: event.detail,
            previous_hash: chained.previous_hash,
            hash: chained.hash,
        }
    }
}

/// `GET /api/v1/audit-events`
pub async fn list_audit_events(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    let before = paging
        .after
        .as_deref()
        .map(|seq| seq.parse().map_err(|_no_number| bad_cursor()))
        .transpose()?;
    app.read(meta, "list_audit_events", move |cx| {
        let fetched = audit::list(cx, before, paging.fetch())?;
        Answer::json(
            200,
            &paging.page(fetched, |event| event.seq.to_string(), AuditEventView::from),
        )
    })
    .await
}
