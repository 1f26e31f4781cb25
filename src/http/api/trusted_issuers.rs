//! The issuers that an organization recognises.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::ids::OrganizationId;
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path};
use crate::service::Error;
use crate::service::trusted_issuers::{self, TrustedIssuers};

/// The issuers that an organization recognises.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuersBody {
    /// The ids of the issuers, as their badges name them: https addresses or DIDs. Its own need not be named.
    issuers: Vec<String>,
}

fn answer(list: TrustedIssuers) -> Result<Answer, Error> {
    let TrustedIssuers { issuers, revision } = list;
    Ok(Answer::json(200, &TrustedIssuersBody { issuers })?.with_revision(revision))
}

/// `GET /api/v1/organizations/{id}/trusted-issuers`
pub async fn read_trusted_issuers(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_trusted_issuers", move |cx| answer(trusted_issuers::find(cx, id)?)).await
}

/// `PUT /api/v1/organizations/{id}/trusted-issuers`
pub async fn put_trusted_issuers(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    if_match: IfMatch,
    body: JsonBody<TrustedIssuersBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "put_trusted_issuers", parts, move |cx| {
        let issuers = body.value.issuers.clone();
        match trusted_issuers::put(cx, id, TrustedIssuers { issuers, revision: if_match.0 }) {
            Err(Error::Stale) => {
                let TrustedIssuers { issuers, .. } = trusted_issuers::find(cx, id)?;
                let current = serde_json::to_value(TrustedIssuersBody { issuers });
                Ok(Reply::Stale(current.map_err(Error::internal)?))
            }
            other => Ok(answer(other?)?.into()),
        }
    })
    .await
}
