//! Forms with a file: the bytes go to disk while they come, never whole into memory.

use std::time::{Duration, Instant};

use actix_multipart::{Field, Multipart};
use actix_web::HttpRequest;
use actix_web::http::header;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use crate::http::app::App;
use crate::http::problem::Problem;
use crate::service::Fault;
use crate::service::evidence::Incoming;

/// How much is handed to the disk at a time.
const WRITE_BYTES: usize = 256 * 1024;
/// How long the next bytes of an upload may take.
const QUIET: Duration = Duration::from_secs(30);
/// An upload slower than this after its first minute is given up (bytes a second).
const SLOWEST: u64 = 4 * 1024;
/// The most bytes of a text field of a form.
const FIELD_LIMIT: usize = 4 * 1024;

/// A file that has come whole.
pub struct Received {
    /// Where its bytes are.
    pub incoming: Incoming,
    /// What its sender calls it.
    pub file_name: String,
    /// SHA-256 of the bytes, for the fingerprint of the request.
    pub sha256: [u8; 32],
}

/// Whether a request brings a form.
pub fn is_form(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("multipart/form-data"))
}

/// The next field of a form.
///
/// # Errors
/// `malformed` for what is no form, `timeout` when nothing comes.
pub async fn next_field(multipart: &mut Multipart) -> Result<Option<Field>, Problem> {
    let field = next_in_time(multipart.next()).await?;
    field.transpose().map_err(|_broken| {
        Problem::new("malformed", "the form is not complete multipart/form-data")
    })
}

/// What is said of a field that a form does not take, or takes once.
pub fn unknown_field(name: &str, detail: &str) -> Problem {
    let fault = Fault::new(format!("/{name}"), "unknown-field", detail);
    Problem::new("invalid", detail).with_errors(vec![fault])
}

/// What is said of a field that is not there.
pub fn missing(pointer: &str, detail: &str) -> Problem {
    let fault = Fault::new(pointer, "missing-field", detail);
    Problem::new("invalid", detail).with_errors(vec![fault])
}

/// Writes a file field to disk, some at a time, and hashes it for the fingerprint of the request.
///
/// # Errors
/// `malformed`, `timeout`, and what the file says of its bytes.
pub async fn receive(
    app: &App,
    mut field: Field,
    mut incoming: Incoming,
) -> Result<Received, Problem> {
    let file_name = field
        .content_disposition()
        .and_then(|disposition| disposition.get_filename())
        .unwrap_or_default()
        .to_owned();
    let started = Instant::now();
    let mut total: u64 = 0;
    let mut hasher = Sha256::new();
    let mut buffer: Vec<u8> = Vec::with_capacity(WRITE_BYTES);
    loop {
        let chunk = next_in_time(field.next()).await?;
        let is_end = chunk.is_none();
        if let Some(chunk) = chunk {
            let chunk = chunk.map_err(|_broken| {
                Problem::new("malformed", "the upload broke off before its end")
            })?;
            total += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            hasher.update(&chunk);
            buffer.extend_from_slice(&chunk);
            let seconds = started.elapsed().as_secs();
            if seconds > 60 && total / seconds < SLOWEST {
                return Err(Problem::new(
                    "timeout",
                    "the upload is too slow; use a better connection or a smaller file",
                ));
            }
        }
        if buffer.len() >= WRITE_BYTES || (is_end && !buffer.is_empty()) {
            let bytes = std::mem::replace(&mut buffer, Vec::with_capacity(WRITE_BYTES));
            incoming = app
                .block(move |_| {
                    incoming.write(&bytes)?;
                    Ok(incoming)
                })
                .await?;
        }
        if is_end {
            return Ok(Received { incoming, file_name, sha256: hasher.finalize().into() });
        }
    }
}

async fn next_in_time<T>(next: impl Future<Output = Option<T>>) -> Result<Option<T>, Problem> {
    tokio::time::timeout(QUIET, next).await.map_err(|_elapsed| {
        Problem::new("timeout", "nothing arrived for half a minute; send it again")
    })
}

/// Reads a text field, which has half a minute in all: it is short.
///
/// # Errors
/// `malformed`, `too-large`, `timeout`.
pub async fn read_field(field: Field) -> Result<String, Problem> {
    tokio::time::timeout(QUIET, read_text(field)).await.map_err(|_elapsed| {
        Problem::new("timeout", "a field of the form did not arrive in half a minute")
    })?
}

async fn read_text(mut field: Field) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.next().await {
        let chunk = chunk
            .map_err(|_broken| Problem::new("malformed", "the form broke off before its end"))?;
        if bytes.len() + chunk.len() > FIELD_LIMIT {
            return Err(Problem::new(
                "too-large",
                format!("a field of the form has at most {FIELD_LIMIT} bytes"),
            ));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or_else(|| Problem::new("malformed", "a field of the form is not text in UTF-8"))
}

/// Reads a field that is true or false.
///
/// # Errors
/// As [`read_field`], and `invalid` for anything else.
pub async fn read_flag(field: Field, pointer: &str) -> Result<bool, Problem> {
    match read_field(field).await?.trim() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" | "" => Ok(false),
        _ => {
            let fault = Fault::new(pointer, "wrong-type", "send true or false");
            Err(Problem::new("invalid", "send true or false").with_errors(vec![fault]))
        }
    }
}
