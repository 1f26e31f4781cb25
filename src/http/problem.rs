//! Problems (RFC 9457): the one place that turns errors into statuses, codes and words.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};

use crate::domain::policy::Denied;
use crate::service::error::InputError;
use crate::service::{Error, Fault};

/// A problem document before it knows its request id, which the middleware adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable word; `type` is `/problems/` and this.
    pub code: &'static str,
    /// What a person can do about this one.
    pub detail: String,
    /// Every field at fault.
    pub errors: Vec<Fault>,
    /// What is possible instead, for a wrong state.
    pub allowed_events: Option<Vec<&'static str>>,
    /// The current representation, for a stale one.
    pub current: Option<Box<Value>>,
    /// After how many seconds to try again.
    pub retry_after: Option<u32>,
}

/// A problem's code with its status and title, as `/problems/{code}` and the documentation list them.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The stable word.
    pub code: &'static str,
    /// The status that it usually comes with.
    pub status: u16,
    /// A few words.
    pub title: &'static str,
    /// What to do.
    pub help: &'static str,
}

const fn kind(code: &'static str, status: u16, title: &'static str, help: &'static str) -> Kind {
    Kind { code, status, title, help }
}

/// Every kind of problem there is.
pub const KINDS: &[Kind] = &[
    kind(
        "malformed",
        400,
        "Not readable",
        "The request is not well-formed. Check that the body is complete JSON in UTF-8, and that the address is spelled as documented.",
    ),
    kind(
        "unauthenticated",
        401,
        "Sign in first",
        "Send a valid access token in the Authorization header: sign in, or refresh the token.",
    ),
    kind(
        "bad-login",
        401,
        "Sign-in refused",
        "The e-mail address or the password is not right. Check both; there is no way to reset a password yet.",
    ),
    kind(
        "sign-in-ended",
        401,
        "The sign-in has ended",
        "Access tokens live for 15 minutes. Refresh it, or sign in again. Changes of roles or password end every sign-in.",
    ),
    kind(
        "forbidden",
        403,
        "Not yours to do",
        "Your roles do not include this. An administrator of the organization can change them.",
    ),
    kind(
        "not-found",
        404,
        "Not found",
        "There is no such thing, or it is not yours to see. Check the address and which account you use.",
    ),
    kind(
        "invitation-unusable",
        404,
        "Invitation not usable",
        "The invitation is unknown, used or expired. Ask whoever invited you for a new one.",
    ),
    kind(
        "method-not-allowed",
        405,
        "Not possible here",
        "The address exists and does not take this method. The Allow header lists those that it takes.",
    ),
    kind(
        "not-acceptable",
        406,
        "Not in this form",
        "The document does not exist in the form that the Accept header asks for.",
    ),
    kind(
        "gone",
        410,
        "Withdrawn",
        "It was published here and its issuer has withdrawn it for ever. A key that is gone was given up: do not trust what it signed, and fetch the badge again from its own address.",
    ),
    kind(
        "timeout",
        408,
        "Too slow",
        "The request body did not arrive in time. Check the connection and send it again.",
    ),
    kind(
        "wrong-state",
        409,
        "Not possible now",
        "The state does not allow this. allowed_events lists what is possible instead.",
    ),
    kind(
        "count-changed",
        409,
        "Not as many as you have seen",
        "Somebody has changed something since the preview. `current` has the count as it is now; look at the preview again before you go on.",
    ),
    kind(
        "already-there",
        409,
        "Already there",
        "It exists already. Look at what is there before adding another.",
    ),
    kind(
        "idempotency-running",
        409,
        "Still running",
        "The first request with this Idempotency-Key still runs. Wait a moment and send the same again.",
    ),
    kind(
        "stale",
        412,
        "Changed in the meantime",
        "Somebody has changed it since you read it. Merge your change with `current` and send it with the new entity tag.",
    ),
    kind(
        "too-large",
        413,
        "Too large",
        "The body or file is larger than the limit that is named. Split it, or make it smaller.",
    ),
    kind(
        "unsupported-type",
        415,
        "Type not accepted",
        "The media type is not accepted here, or the content is not what its name says.",
    ),
    kind(
        "invalid",
        422,
        "Not accepted like this",
        "The request is well-formed and something in it is refused. errors names each place and what to do.",
    ),
    kind(
        "idempotency-mismatch",
        422,
        "Key used before",
        "This Idempotency-Key belongs to another request. Use a new key for a new request.",
    ),
    kind(
        "precondition-required",
        428,
        "If-Match is missing",
        "Read the resource first, and send its ETag in If-Match, so that nobody's work is overwritten.",
    ),
    kind(
        "too-many-tries",
        429,
        "Too many tries",
        "Too many wrong passwords were sent for this address. Wait for the time in Retry-After.",
    ),
    kind(
        "too-many-proposals",
        429,
        "Too many proposals",
        "Many proposals have just come, of yours, of other people or of visitors without an account. Wait for the time in Retry-After and send yours again.",
    ),
    kind(
        "internal",
        500,
        "Our fault",
        "Something went wrong on our side. Try again; if it stays, tell the operator the request id.",
    ),
    kind(
        "cannot-issue",
        503,
        "Cannot issue now",
        "Badges cannot be signed at the moment. Nothing is lost: it is tried again until it succeeds.",
    ),
    kind("not-initialized", 503, "Not set up yet", "The operator has to run `assay init` first."),
    kind(
        "busy",
        503,
        "Busy",
        "Too much to do at the moment. Try again after the time in Retry-After.",
    ),
];

/// The kind of a code.
#[must_use]
pub fn find_kind(code: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.code == code)
}

impl Problem {
    /// A problem of a kind. A code that is not in [`KINDS`] cannot be given: see the test of this table.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Problem {
        let status = find_kind(code).map_or(500, |kind| kind.status);
        Problem {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            allowed_events: None,
            current: None,
            retry_after: None,
        }
    }

    /// The same few words for every problem of the code.
    #[must_use]
    pub fn title(&self) -> &'static str {
        find_kind(self.code).map_or("Our fault", |kind| kind.title)
    }

    /// The same with faults.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Problem {
        self.errors = errors;
        self
    }

    /// The document, for the request of this id.
    #[must_use]
    pub fn document(&self, request_id: &str) -> Value {
        let mut members = Map::new();
        members.insert("type".to_owned(), json!(format!("/problems/{}", self.code)));
        members.insert("title".to_owned(), json!(self.title()));
        members.insert("status".to_owned(), json!(self.status));
        members.insert("detail".to_owned(), json!(self.detail));
        members.insert("code".to_owned(), json!(self.code));
        members.insert("request_id".to_owned(), json!(request_id));
        if !self.errors.is_empty() {
            let errors: Vec<Value> = self
                .errors
                .iter()
                .map(|fault| json!({ "pointer": fault.pointer, "code": fault.code, "detail": fault.detail }))
                .collect();
            members.insert("errors".to_owned(), json!(errors));
        }
        if let Some(allowed) = &self.allowed_events {
            members.insert("allowed_events".to_owned(), json!(allowed));
        }
        if let Some(current) = &self.current {
            members.insert("current".to_owned(), (**current).clone());
        }
        Value::Object(members)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        // The middleware replaces the body: it knows the request id and what the client accepts.
        HttpResponse::new(self.status_code())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let detail = error.to_string();
        match error {
            Error::Denied(Denied::Unauthenticated) => Problem::new("unauthenticated", detail),
            Error::Denied(Denied::Hidden(_)) => {
                Problem::new("not-found", "there is nothing here, or it is not yours to see")
            }
            Error::Gone(_) => Problem::new("gone", error.to_string()),
            Error::NotFound(_) => {
                Problem::new("not-found", "there is nothing here, or it is not yours to see")
            }
            Error::Denied(Denied::Forbidden) => Problem::new("forbidden", detail),
            Error::Denied(Denied::NoRow) => {
                tracing::error!("an operation has no policy row");
                Problem::new("internal", "something went wrong on our side")
            }
            Error::BadLogin => Problem::new("bad-login", detail),
            Error::TooManyTries { seconds } => {
                Problem { retry_after: Some(seconds), ..Problem::new("too-many-tries", detail) }
            }
            Error::TooManyProposals { seconds } => {
                Problem { retry_after: Some(seconds), ..Problem::new("too-many-proposals", detail) }
            }
            Error::SignInEnded => Problem::new("sign-in-ended", detail),
            Error::InvitationUnusable => Problem::new("invitation-unusable", detail),
            Error::PreconditionRequired => Problem::new("precondition-required", detail),
            Error::Stale => Problem::new("stale", detail),
            Error::WrongState { allowed_events, .. } => Problem {
                allowed_events: Some(allowed_events),
                ..Problem::new("wrong-state", detail)
            },
            Error::CountChanged { count, .. } => Problem {
                current: Some(Box::new(json!({ "count": count }))),
                ..Problem::new("count-changed", detail)
            },
            Error::AlreadyThere { code, .. } => {
                let faults = vec![Fault::new("", code, detail.clone())];
                Problem {
                    allowed_events: Some(Vec::new()),
                    ..Problem::new("already-there", detail)
                }
                .with_errors(faults)
            }
            Error::Invalid { faults, .. } => Problem::new("invalid", detail).with_errors(faults),
            Error::FileTooLarge { .. } => Problem::new("too-large", detail),
            Error::UnsupportedFile(_) => Problem::new("unsupported-type", detail),
            Error::IdempotencyMismatch => Problem::new("idempotency-mismatch", detail),
            Error::IdempotencyRunning => Problem::new("idempotency-running", detail),
            Error::NotInitialized => Problem::new("not-initialized", detail),
            Error::Unverifiable(InputError::NotParseable) => Problem::new("malformed", detail),
            Error::Unverifiable(InputError::NotACredential) => Problem::new("invalid", detail),
            Error::Unverifiable(InputError::TooLarge { .. }) => Problem::new("too-large", detail),
            Error::CannotIssue(_) => Problem::new("cannot-issue", detail),
            Error::Busy => Problem { retry_after: Some(2), ..Problem::new("busy", detail) },
            Error::Internal(source) => {
                tracing::error!(
                    error = source.as_ref() as &(dyn std::error::Error + 'static),
                    "internal error"
                );
                Problem::new(
                    "internal",
                    "something went wrong on our side; try again, and tell the operator the request id if it stays",
                )
            }
        }
    }
}
