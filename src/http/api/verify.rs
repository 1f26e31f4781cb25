//! Verifying: anybody, any badge.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::{declared_length, read_body};
use crate::service::{Error, verification};

/// `POST /api/v1/verify`
///
/// The media type does not matter: what was sent is told by its bytes.
pub async fn verify_credential(
    app: web::Data<App>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let declared = declared_length(&request);
    let bytes = read_body(payload.into_inner(), declared, verification::LARGEST_INPUT).await?;
    let verdict = app.block(move |resources| verification::verify(resources, &bytes)).await?;
    let body =
        serde_json::to_value(&verdict).map_err(|error| Problem::from(Error::internal(error)))?;
    app.metrics.count_verdict(body["verdict"].as_str().unwrap_or_default());
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .content_type("application/json")
        .body(body.to_string()))
}
