//! Verifying: anybody, any badge.

use actix_web::{HttpResponse, web};

use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::{Meta, read_body_by};
use crate::service::{Error, trusted_issuers, verification};

/// `POST /api/v1/verify`
///
/// The media type does not matter: what was sent is told by its bytes.
pub async fn verify_credential(
    app: web::Data<App>,
    meta: Meta,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let bytes = read_body_by(payload.into_inner(), verification::limit_for).await?;
    let _turn = app.verifying.enter().await?;
    let trusted = app.run(&meta, "verify_credential", trusted_issuers::of_actor).await?;
    let verdict =
        app.block(move |resources| verification::verify(resources, &bytes, trusted)).await?;
    let body =
        serde_json::to_value(&verdict).map_err(|error| Problem::from(Error::internal(error)))?;
    app.metrics.count_verdict(body["verdict"].as_str().unwrap_or_default());
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .content_type("application/json")
        .body(body.to_string()))
}
