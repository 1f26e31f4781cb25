//! Around every request: an id, a log line, a figure, the security headers, and the body of a problem.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, web};

use super::app::App;
use super::problem::{Problem, find_kind};
use super::routes;
use super::web::negotiation::accepts_page;
use super::web::{ProblemPage, problem_page, public};
use crate::service::context::new_uuid;

/// The header that carries a request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps a request.
///
/// # Errors
/// Only what actix itself cannot answer.
pub async fn around(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let id = new_uuid().to_string();
    let method = request.method().clone();
    let wants_page = wants_page(&request);
    let span = tracing::info_span!("request", request_id = %id);
    let response = {
        use tracing::Instrument;
        next.call(request).instrument(span.clone()).await?
    };
    let _entered = span.enter();
    let pattern = response.request().match_pattern();
    let operation = pattern
        .as_deref()
        .and_then(|pattern| routes::find_route(method.as_str(), pattern))
        .map(|route| route.operation)
        .unwrap_or("none");
    let response = match problem_of(&response) {
        Some(problem) => {
            let (request, old) = response.into_parts();
            let body = render(&problem, &id, wants_page);
            ServiceResponse::new(request, carry_headers(&old, body)).map_into_boxed_body()
        }
        None => response.map_into_boxed_body(),
    };
    let response = finish(response, &id);
    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    app.metrics.count_request(operation, status, seconds);
    // The pattern and not the path: no line of the log ties a reader to one credential.
    tracing::info!(method = %method, operation, status, milliseconds = seconds * 1000.0, "answered");
    Ok(response)
}

/// Whether a person with a browser asks for something that has pages.
fn wants_page(request: &ServiceRequest) -> bool {
    !request.path().starts_with("/api/") && accepts_page(request.headers())
}

/// The problem that a response stands for, if it stands for one without saying so.
fn problem_of<B>(response: &ServiceResponse<B>) -> Option<Problem> {
    if let Some(error) = response.response().error() {
        if let Some(problem) = error.as_error::<Problem>() {
            return Some(problem.clone());
        }
        let code = match response.status().as_u16() {
            400 => "malformed",
            404 => "not-found",
            408 => "timeout",
            413 => "too-large",
            415 => "unsupported-type",
            _ => {
                tracing::error!(%error, "an answer failed inside the framework");
                "internal"
            }
        };
        return Some(Problem::new(code, find_kind(code).map_or("", |kind| kind.help)));
    }
    None
}

fn carry_headers<B>(old: &HttpResponse<B>, mut new: HttpResponse) -> HttpResponse {
    for name in [header::ALLOW] {
        if let Some(value) = old.headers().get(&name) {
            new.headers_mut().insert(name, value.clone());
        }
    }
    new
}

fn render(problem: &Problem, request_id: &str, wants_page: bool) -> HttpResponse {
    let mut response = if wants_page {
        let help = find_kind(problem.code).map_or("", |kind| kind.help);
        let view = ProblemPage {
            code: problem.code.to_owned(),
            title: problem.title().to_owned(),
            status: Some(problem.status),
            detail: problem.detail.clone(),
            what_to_do: help.to_owned(),
            request_id: Some(request_id.to_owned()),
        };
        match problem_page(&view) {
            Ok(html) => public::page(problem.status, html),
            Err(error) => {
                tracing::error!(%error, "a problem page could not be written");
                HttpResponse::InternalServerError().finish()
            }
        }
    } else {
        let status = actix_web::http::StatusCode::from_u16(problem.status).unwrap_or_default();
        HttpResponse::build(status)
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type("application/problem+json")
            .body(problem.document(request_id).to_string())
    };
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if matches!(problem.status, 404 | 406) {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    if problem.status == 401 {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn finish(mut response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        );
    }
    response
}
