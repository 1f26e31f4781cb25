//! In which form a public document is wanted, and how it is sent.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use sha2::{Digest, Sha256};

use crate::http::problem::Problem;
use crate::service::Error;

/// The form of a public document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page for people.
    Page,
    /// JSON with an embedded proof where it is signed.
    Json,
    /// A compact JWT.
    Jwt,
    /// A PNG image with the JSON in it.
    Png,
    /// An SVG image with the JSON in it.
    Svg,
    /// A page to print.
    #[cfg(feature = "pdf")]
    Pdf,
}

impl Form {
    /// The media types under which the same bytes are served, the usual one first.
    const fn media_types(self) -> &'static [&'static str] {
        match self {
            Form::Page => &["text/html"],
            Form::Json => &["application/json", "application/ld+json", "application/vc"],
            Form::Jwt => &["application/vc+jwt", "application/jwt"],
            Form::Png => &["image/png"],
            Form::Svg => &["image/svg+xml"],
            #[cfg(feature = "pdf")]
            Form::Pdf => &["application/pdf"],
        }
    }

    /// The suffix of its address.
    const fn suffix(self) -> Option<&'static str> {
        match self {
            Form::Page => None,
            Form::Json => Some("json"),
            Form::Jwt => Some("jwt"),
            Form::Png => Some("png"),
            Form::Svg => Some("svg"),
            #[cfg(feature = "pdf")]
            Form::Pdf => Some("pdf"),
        }
    }
}

/// The last segment of a path without its suffix, and the suffix.
#[must_use]
pub fn read_suffix(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once('.') {
        Some((id, suffix)) => (id, Some(suffix)),
        None => (name, None),
    }
}

/// Chooses among the forms that there are, by the suffix of the address or by `Accept` (RFC 9110, 12.5.1), with the media type to serve
/// it under. Nothing, `*/*` and the JSON types mean the first form offered, JSON, so that a verifier that says nothing gets what it can
/// read.
///
/// # Errors
/// 404 for a suffix that there is not, 406 when nothing that is offered is accepted.
pub fn negotiate(
    request: &HttpRequest,
    suffix: Option<&str>,
    offered: &'static [Form],
) -> Result<(Form, &'static str), Problem> {
    if let Some(suffix) = suffix {
        return offered
            .iter()
            .find(|form| form.suffix() == Some(suffix))
            .and_then(|form| Some((*form, *form.media_types().first()?)))
            .ok_or_else(|| Error::NotFound("document").into());
    }
    let forms = || {
        offered.iter().flat_map(|form| form.media_types().iter().map(move |name| (*form, *name)))
    };
    let values: Vec<&str> =
        request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    let joined = if values.is_empty() { "*/*".to_owned() } else { values.join(",") };
    let mut ranges: Vec<(String, u16)> = joined.split(',').filter_map(parse_range).collect();
    // A stable sort: of equal weights the first one named wins.
    ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    ranges
        .iter()
        .filter(|(_, weight)| *weight > 0)
        .find_map(|(range, _)| forms().find(|(_, name)| is_in(range, name)))
        .ok_or_else(|| {
            let names: Vec<&str> = forms().map(|(_, name)| name).collect();
            Problem::new("not-acceptable", format!("this document comes as {}", names.join(", ")))
        })
}

fn is_in(range: &str, media_type: &str) -> bool {
    range == media_type
        || range == "*/*"
        || range
            .strip_suffix('*')
            .is_some_and(|kind| kind.len() > 1 && media_type.starts_with(kind))
}

/// Whether the headers name `text/html` as something that is wanted.
#[must_use]
pub fn accepts_page(headers: &header::HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(parse_range)
        .any(|(range, weight)| weight > 0 && range == "text/html")
}

fn parse_range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';');
    let range = parts.next()?.trim().to_ascii_lowercase();
    if range.is_empty() {
        return None;
    }
    let weight = parts
        .find_map(|part| part.trim().strip_prefix("q="))
        .and_then(|q| q.trim().parse::<f32>().ok());
    let weight = weight.unwrap_or(1.0).clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    Some((range, (weight * 1000.0) as u16))
}

/// A public document: cacheable for a little while, and told apart by its hash.
pub fn document(request: &HttpRequest, media_type: &str, body: impl Into<Vec<u8>>) -> HttpResponse {
    let body = body.into();
    let etag = entity_tag(&body);
    if is_known(request, &etag) { not_modified(etag) } else { send(etag, media_type, body) }
}

/// The entity tag of whatever these bytes identify.
#[must_use]
pub fn entity_tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!("\"{}\"", crate::domain::audit::hex(&digest[..16]))
}

/// Whether who asks has it already.
#[must_use]
pub fn is_known(request: &HttpRequest, etag: &str) -> bool {
    request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag))
}

/// The answer to who has it already.
#[must_use]
pub fn not_modified(etag: String) -> HttpResponse {
    public(HttpResponse::NotModified(), etag).finish()
}

/// The document with its entity tag.
#[must_use]
pub fn send(etag: String, media_type: &str, body: Vec<u8>) -> HttpResponse {
    public(HttpResponse::Ok(), etag).content_type(media_type).body(body)
}

fn public(mut response: HttpResponseBuilder, etag: String) -> HttpResponseBuilder {
    response
        .insert_header((header::ETAG, etag))
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        // Verifiers in browsers read these from everywhere; there is nothing secret in them.
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    response
}
