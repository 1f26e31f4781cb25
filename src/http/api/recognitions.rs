//! Recognitions: whose qualifications count for an organization's work.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PageQuery;
use crate::domain::ids::{OrganizationId, RecognitionId};
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::recognitions::{self, Named};

/// Whose qualifications are to count.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecognitionBody {
    /// The organization by whose calibration sets they were passed.
    #[schema(value_type = String, format = "uuid")]
    recognised_organization_id: OrganizationId,
    /// Why; the people of both organizations read it.
    reason: String,
}

/// That qualifications of one organization count for the work of another.
#[derive(Serialize, ToSchema)]
pub struct RecognitionView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Who recognises: for its work, and for that of all below it, they count.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Its name.
    organization_name: String,
    /// By whose calibration sets they were passed.
    #[schema(format = "uuid")]
    recognised_organization_id: String,
    /// Its name.
    recognised_organization_name: String,
    /// Why.
    reason: String,
    /// Since when.
    #[schema(format = "date-time")]
    recognised_at: String,
    /// Whether they count now.
    in_force: bool,
    /// Since when not any more.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
    /// Why not.
    end_reason: Option<String>,
}

impl From<Named> for RecognitionView {
    fn from(named: Named) -> RecognitionView {
        let Named { recognition, organization, recognised } = named;
        let (ended_at, end_reason) = recognition.ended.unzip();
        RecognitionView {
            id: recognition.id.to_string(),
            organization_id: recognition.organization.to_string(),
            organization_name: organization,
            recognised_organization_id: recognition.recognised.to_string(),
            recognised_organization_name: recognised,
            reason: recognition.reason,
            recognised_at: recognition.recognised_at.to_string(),
            in_force: ended_at.is_none(),
            ended_at: ended_at.map(|at| at.to_string()),
            end_reason,
        }
    }
}

fn answer(status: u16, named: Named) -> Result<Answer, Error> {
    let revision = named.recognition.revision;
    Ok(Answer::json(status, &RecognitionView::from(named))?.with_revision(revision))
}

/// `POST /api/v1/organizations/{id}/recognitions`
pub async fn create_recognition(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    body: JsonBody<RecognitionBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_recognition", parts, move |cx| {
        let RecognitionBody { recognised_organization_id, reason } = body.value;
        let created = recognitions::create(cx, id, recognised_organization_id, &reason)?;
        let location = format!("/api/v1/recognitions/{}", created.recognition.id);
        Ok(answer(201, created)?.with_location(location))
    })
    .await
}

/// `GET /api/v1/organizations/{id}/recognitions`
pub async fn list_recognitions(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_recognitions", move |cx| {
        let fetched = recognitions::list(cx, id, paging.after.as_deref(), paging.fetch())?;
        let key = |one: &Named| one.recognition.id.to_string();
        Answer::json(200, &paging.page(fetched, key, RecognitionView::from))
    })
    .await
}

/// `GET /api/v1/recognitions/{id}`
pub async fn read_recognition(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<RecognitionId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_recognition", move |cx| answer(200, recognitions::find(cx, id)?)).await
}

/// Why a recognition ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecognitionEndBody {
    /// In words; the people of both organizations read them.
    reason: String,
}

/// `POST /api/v1/recognitions/{id}/end`
pub async fn end_recognition(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<RecognitionId>,
    if_match: IfMatch,
    body: JsonBody<RecognitionEndBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![
        meta.target.clone().into_bytes(),
        if_match.0.to_string().into_bytes(),
        body.bytes.to_vec(),
    ];
    app.write(meta, "end_recognition", parts, move |cx| {
        match recognitions::end(cx, id, &body.value.reason, if_match.0) {
            Err(Error::Stale) => {
                let current = RecognitionView::from(recognitions::find(cx, id)?);
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            other => Ok(answer(200, other?)?.into()),
        }
    })
    .await
}
