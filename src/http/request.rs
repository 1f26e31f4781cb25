//! What is taken from a request, bounded before it is looked at.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::routes;
use crate::domain::ids::{PersonId, SessionId};
use crate::service::{Error, Fault};

/// The most bytes of a JSON body.
pub const JSON_LIMIT: usize = 1024 * 1024;
/// The most bytes of a plain form.
pub const FORM_LIMIT: usize = 8 * 1024;
/// How long a whole JSON body may take.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// The default and the most items of a page.
const PAGE: (i64, i64) = (25, 100);

/// What every handler needs of the headers.
#[derive(Clone)]
pub struct Meta {
    /// The bearer token.
    pub access_token: Option<String>,
    /// The key under which the answer is saved.
    pub idempotency_key: Option<String>,
    /// The path and query, for the fingerprint of the request.
    pub target: String,
    /// Who made the request, where it goes on beyond the life of its token.
    pub continued: Option<(PersonId, SessionId)>,
}

/// The token is a secret: Debug shows whether there is one.
impl std::fmt::Debug for Meta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meta")
            .field("has_token", &self.access_token.is_some())
            .finish_non_exhaustive()
    }
}

impl FromRequest for Meta {
    type Error = Problem;
    type Future = Ready<Result<Meta, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(read_meta(request))
    }
}

/// Refuses a query where the API takes none, so that a filter that does not exist is not taken for one that found everything.
/// Operations with a query read it with [`Query`]; pages may be linked to with whatever others append.
fn refuse_query_of_none(request: &HttpRequest) -> Result<(), Problem> {
    let takes_none = request.path().starts_with("/api/")
        && request.match_pattern().is_some_and(|pattern| {
            routes::find_route(request.method().as_str(), &pattern)
                .is_some_and(|route| route.query.is_empty())
        });
    if takes_none && !request.query_string().is_empty() {
        return Err(bad_query("this operation takes no query"));
    }
    Ok(())
}

fn read_meta(request: &HttpRequest) -> Result<Meta, Problem> {
    // Public documents and pages are for everybody: who asks does not matter, nor what they send along.
    let is_api = request.path().starts_with("/api/");
    refuse_query_of_none(request)?;
    let text = |name: &header::HeaderName| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().map(str::to_owned))
            .transpose()
            .map_err(|_not_ascii| {
                Problem::new("malformed", format!("the header {name} is not readable text"))
            })
    };
    let access_token = match text(&header::AUTHORIZATION)? {
        _ if !is_api => None,
        None => None,
        Some(value) => match value.split_once(' ') {
            Some((scheme, token))
                if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() =>
            {
                Some(token.trim().to_owned())
            }
            Some(_) | None => {
                return Err(Problem::new(
                    "unauthenticated",
                    "send `Authorization: Bearer` and an access token",
                ));
            }
        },
    };
    let idempotency_key = text(&header::HeaderName::from_static("idempotency-key"))?;
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    Ok(Meta { access_token, idempotency_key, target, continued: None })
}

/// The revision in `If-Match`.
#[derive(Clone, Copy, Debug)]
pub struct IfMatch(pub i32);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<IfMatch, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let value = request
            .headers()
            .get(header::IF_MATCH)
            .map(|value| value.to_str().unwrap_or_default().trim());
        ready(match value {
            None => Err(Error::PreconditionRequired.into()),
            // A tag that is none of ours is the tag of something that has changed since: no revision is negative.
            Some(tag) => Ok(IfMatch(parse_tag(tag).unwrap_or(-1))),
        })
    }
}

fn parse_tag(tag: &str) -> Option<i32> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// A JSON body: at most [`JSON_LIMIT`], of the right media type, without unknown members.
#[derive(Debug)]
pub struct JsonBody<T> {
    /// The parsed body.
    pub value: T,
    /// The bytes, for the fingerprint of the request.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<JsonBody<T>, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let content_type = request.content_type().to_owned();
        let declared = declared_length(request);
        let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let payload = payload.take();
        Box::pin(async move {
            let is_json = content_type.eq_ignore_ascii_case("application/json")
                || content_type.ends_with("+json");
            // No body at all is an empty object: where every member may be left out, nothing needs to be sent.
            let bytes = if content_type.is_empty() && declared.unwrap_or(0) == 0 && !is_chunked {
                Bytes::from_static(b"{}")
            } else if is_json {
                read_body(payload, declared, JSON_LIMIT).await?
            } else {
                return Err(Problem::new("unsupported-type", "send the body as application/json"));
            };
            refuse_nul(&bytes, b"\\u0000")?;
            let value = parse_json(&bytes)?;
            Ok(JsonBody { value, bytes })
        })
    }
}

/// The fields of a plain form: at most [`FORM_LIMIT`], without unknown ones.
#[derive(Debug)]
pub struct FormBody<T> {
    /// The parsed fields.
    pub value: T,
}

impl<T: DeserializeOwned + 'static> FromRequest for FormBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<FormBody<T>, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form =
            request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let declared = declared_length(request);
        let payload = payload.take();
        Box::pin(async move {
            if !is_form {
                let detail = "send the form as application/x-www-form-urlencoded";
                return Err(Problem::new("unsupported-type", detail));
            }
            let bytes = read_body(payload, declared, FORM_LIMIT).await?;
            refuse_nul(&bytes, b"%00")?;
            let malformed =
                || Problem::new("malformed", "the form lacks a field, or has an unknown one");
            let text = std::str::from_utf8(&bytes).map_err(|_no_text| malformed())?;
            let parsed = actix_web::web::Query::<T>::from_query(text);
            Ok(FormBody { value: parsed.map_err(|_other| malformed())?.into_inner() })
        })
    }
}

/// Refuses the character U+0000, which no text needs and PostgreSQL does not store.
fn refuse_nul(bytes: &[u8], written: &[u8]) -> Result<(), Problem> {
    if !bytes.windows(written.len()).any(|window| window == written) {
        return Ok(());
    }
    let detail = "a text holds the character U+0000; take it out";
    Err(Problem::new("invalid", detail).with_errors(vec![Fault::new("", "nul-character", detail)]))
}

/// The `Content-Length`, if there is one that can be read.
#[must_use]
pub fn declared_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a whole body, at most `limit` bytes, in the time that a body has.
///
/// # Errors
/// `too-large`, `timeout` or `malformed`.
pub async fn read_body(
    payload: Payload,
    declared: Option<usize>,
    limit: usize,
) -> Result<Bytes, Problem> {
    if declared.is_some_and(|length| length > limit) {
        return Err(Problem::new("too-large", format!("the body is larger than {limit} bytes")));
    }
    read_body_by(payload, |_| limit).await
}

/// Reads a whole body whose limit follows from its first bytes.
///
/// # Errors
/// `too-large`, `timeout` or `malformed`.
pub async fn read_body_by(
    mut payload: Payload,
    limit_for: impl Fn(&[u8]) -> usize,
) -> Result<Bytes, Problem> {
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_broken| {
                Problem::new("malformed", "the body broke off before its end")
            })?;
            let limit = limit_for(if body.is_empty() { &chunk } else { &body });
            if body.len() + chunk.len() > limit {
                return Err(Problem::new(
                    "too-large",
                    format!("the body is larger than {limit} bytes"),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    match tokio::time::timeout(BODY_DEADLINE, reading).await {
        Ok(result) => result,
        Err(_elapsed) => Err(Problem::new("timeout", "the body did not arrive in time")),
    }
}

/// Parses JSON into a request type: 400 for what is not JSON, 422 with a pointer for what is of the wrong shape.
///
/// # Errors
/// `malformed` or `invalid`.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    refuse_other_than_object(bytes)?;
    if has_zero_character(bytes) {
        let detail = "a text holds a zero character (\\u0000), which no text here can have";
        return Err(Problem::new("invalid", detail).with_errors(vec![Fault::new(
            "",
            "zero-character",
            detail,
        )]));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| (pointer_of(error.path()), error.into_inner()))
        .and_then(|value| {
            deserializer.end().map(|()| value).map_err(|error| (String::new(), error))
        });
    parsed.map_err(|(pointer, error)| match error.classify() {
        serde_json::error::Category::Data => {
            let message = error.to_string();
            let reason = message.split(" at line ").next().unwrap_or_default().to_owned();
            let (code, pointer) = match quoted_after(&reason, "unknown field ") {
                Some(_) => ("unknown-field", pointer),
                None => match quoted_after(&reason, "missing field ") {
                    Some(field) => ("missing-field", format!("{pointer}/{field}")),
                    None => ("wrong-type", pointer),
                },
            };
            Problem::new(
                "invalid",
                "the body does not have the members that are documented; errors names the place",
            )
            .with_errors(vec![Fault::new(pointer, code, reason)])
        }
        serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof
        | serde_json::error::Category::Io => not_json(&error),
    })
}

/// Every request is an object. Asked for by name, since a list of values in the right order would be taken for one.
fn refuse_other_than_object(bytes: &[u8]) -> Result<(), Problem> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_none_or(|byte| *byte == b'{') {
        return Ok(());
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        Ok(_) => {
            let detail = "the body must be a JSON object";
            let fault = Fault::new("", "wrong-type", detail);
            Err(Problem::new("invalid", detail).with_errors(vec![fault]))
        }
        Err(error) => Err(not_json(&error)),
    }
}

fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::new("malformed", format!("the body is not JSON: line {line}, column {column}"))
}

/// Whether a string of the JSON text escapes U+0000: no database column takes it. Backslashes stand in strings only.
fn has_zero_character(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(place) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = &rest[place + 1..];
        if escape.starts_with(b"u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

fn quoted_after(text: &str, prefix: &str) -> Option<String> {
    let rest = text.split_once(prefix)?.1.strip_prefix('`')?;
    rest.split('`').next().map(str::to_owned)
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1")))
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
        pointer
    })
}

fn bad_query(detail: &str) -> Problem {
    Problem::new("invalid", "the query of the address is not as documented")
        .with_errors(vec![Fault::new("", "query", detail)])
}

/// The query of a URL, without unknown names.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Query<T>, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        // U+0000 is text to a URL and to no database column.
        if request.query_string().contains("%00") {
            return ready(Err(bad_query("a value holds a zero character (%00)")));
        }
        ready(match actix_web::web::Query::<T>::from_query(request.query_string()) {
            Ok(query) => Ok(Query(query.into_inner())),
            Err(error) => Err(bad_query(&error.to_string())),
        })
    }
}

/// A path whose ids are read by [`std::str::FromStr`]; one that is no id is an address of nothing.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Path<T> {
    type Error = Problem;
    type Future = Ready<Result<Path<T>, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = actix_web::web::Path::<T>::from_request(request, payload).into_inner();
        ready(match path {
            Ok(path) => Ok(Path(path.into_inner())),
            Err(_no_id) => Err(Error::NotFound("resource").into()),
        })
    }
}

/// The size of a page that was asked for.
///
/// # Errors
/// `invalid` outside 1 to 100.
pub fn page_limit(limit: Option<i64>) -> Result<i64, Problem> {
    let (default, most) = PAGE;
    match limit {
        None => Ok(default),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(_) => {
            let detail = format!("limit is 1 to {most}");
            Err(Problem::new("invalid", detail.clone())
                .with_errors(vec![Fault::new("", "limit", detail)]))
        }
    }
}
