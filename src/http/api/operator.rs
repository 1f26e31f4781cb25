//! For the operator: liveness, readiness, figures, and the description of the API.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::http::app::App;
use crate::http::openapi;
use crate::http::problem::Problem;
use crate::service::{Error, readiness, succession};

/// `GET /health/live`
pub async fn health_live() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "status": "live" }))
}

/// `GET /health/ready`
pub async fn health_ready(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let mut checks = app.block(|resources| Ok(readiness::check(resources))).await?;
    if app.is_stopping() {
        checks.push(("stopping", false));
    }
    let is_ready = checks.iter().all(|(_, passed)| *passed);
    let body = json!({
        "status": if is_ready { "ready" } else { "not_ready" },
        "checks": checks.iter().map(|(name, passed)| json!({ "name": name, "passed": passed })).collect::<Vec<_>>(),
    });
    let mut response =
        if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    Ok(response.insert_header(("cache-control", "no-store")).json(body))
}

/// `GET /metrics`
pub async fn read_metrics(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let waiting = app.block(readiness::count_waiting_mail).await?;
    app.metrics.set_outbox_waiting(waiting);
    for (role, n_open) in app.block(succession::count_open).await? {
        app.metrics.set_offices_open(role.as_str(), n_open);
    }
    let text = app.metrics.text().map_err(|error| Problem::from(Error::internal(error)))?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// `GET /api/v1/openapi.json`
pub async fn read_openapi() -> Result<HttpResponse, Problem> {
    let text =
        openapi::document().to_json().map_err(|error| Problem::from(Error::internal(error)))?;
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "public, max-age=300"))
        .content_type("application/json")
        .body(text))
}
