//! What a use case can answer instead of success. `http` gives each a status; nothing else does.

use crate::domain::award::WrongAwardState;
use crate::domain::issuing::WrongKeyState;
use crate::domain::policy::Denied;
use crate::domain::program::WrongProgramState;
use crate::domain::proposal::WrongProposalState;
use crate::domain::review::WrongReviewState;
use crate::domain::stack::WrongStackState;
use crate::domain::submission::IllegalEvent;
use crate::domain::version::WrongVersionState;
use crate::files::FilesError;
use crate::store::{StoreError, WriteError};

pub use crate::credential::verify::InputError;

/// One thing at fault in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where in the request body, as an RFC 6901 pointer.
    pub pointer: String,
    /// A stable word for the kind of fault.
    pub code: String,
    /// What to do about it, in a sentence.
    pub detail: String,
}

impl Fault {
    /// A fault at a place.
    #[must_use]
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) -> Fault {
        Fault { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

/// Why a use case did not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The policy table says no.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such thing, or it is not for the caller to know.
    #[error("there is no such {0}, or it is not yours to see")]
    NotFound(&'static str),
    /// It was there, and is withdrawn for ever.
    #[error("this {0} was withdrawn by its issuer and is not published any more")]
    Gone(&'static str),
    /// E-mail address or password are wrong, or the account cannot sign in.
    #[error("the e-mail address or the password is not right")]
    BadLogin,
    /// Too many wrong passwords for one address.
    #[error("too many wrong passwords for this address; wait a few minutes and try again")]
    TooManyTries {
        /// After how many seconds.
        seconds: u32,
    },
    /// Too many proposals have come at once, or wait for somebody's look.
    #[error("many proposals wait for the design team just now; please send yours again later")]
    TooManyProposals {
        /// After how many seconds.
        seconds: u32,
    },
    /// The access token or refresh token is not valid any more.
    #[error("the sign-in has ended; sign in again")]
    SignInEnded,
    /// The invitation cannot be used.
    #[error("this invitation is unknown, used or expired; ask for a new one")]
    InvitationUnusable,
    /// The request needs an `If-Match`.
    #[error("send the entity tag that you read in If-Match, so that nobody's work is overwritten")]
    PreconditionRequired,
    /// Somebody has changed it meanwhile.
    #[error("it has changed since you read it; look at the current state and try again")]
    Stale,
    /// The state does not allow it.
    #[error("{detail}")]
    WrongState {
        /// What is wrong.
        detail: String,
        /// What is possible instead.
        allowed_events: Vec<&'static str>,
    },
    /// What was seen in a preview is not what there is now.
    #[error("there are {count} now, not {expected}; look at the preview again")]
    CountChanged {
        /// How many the caller has seen.
        expected: i64,
        /// How many there are.
        count: i64,
    },
    /// It is there already.
    #[error("{detail}")]
    AlreadyThere {
        /// The stable word.
        code: &'static str,
        /// What is there.
        detail: String,
    },
    /// Well-formed and refused: everything at fault, at once.
    #[error("{summary}")]
    Invalid {
        /// The stable word.
        code: &'static str,
        /// What it comes to.
        summary: String,
        /// The single faults.
        faults: Vec<Fault>,
    },
    /// A file is too large.
    #[error("the file is larger than {limit} bytes, the limit for its kind")]
    FileTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// A file is of a type that is not accepted.
    #[error("{0}")]
    UnsupportedFile(String),
    /// The key of an earlier request came with another request.
    #[error("this Idempotency-Key was used for another request; make a new key for a new request")]
    IdempotencyMismatch,
    /// The first request with this key still runs.
    #[error("the first request with this Idempotency-Key still runs; try again in a moment")]
    IdempotencyRunning,
    /// Nothing has been set up.
    #[error("this installation is not set up yet; run `assay init` first")]
    NotInitialized,
    /// What was given to the verifier has no verdict.
    #[error(transparent)]
    Unverifiable(#[from] InputError),
    /// Signing is switched off, or cannot be done.
    #[error("{0}")]
    CannotIssue(String),
    /// Too much to do.
    #[error("the service is busy; try again in a moment")]
    Busy,
    /// A fault of ours. The source is for the log.
    #[error("something went wrong on our side")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A refusal with one fault.
    #[must_use]
    pub fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> Error {
        let detail = detail.into();
        Error::Invalid {
            code,
            summary: detail.clone(),
            faults: vec![Fault::new(pointer, code, detail)],
        }
    }

    /// Whether the same may succeed later without anybody changing anything: a busy or failing database.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Error::Busy | Error::NotInitialized | Error::Stale)
            || matches!(
                self.store_error(),
                Some(StoreError::Busy | StoreError::Conflict(_) | StoreError::Database(_))
            )
    }

    /// A fault of ours.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Internal(source.into())
    }
}

/// A sentence and nothing else, as the cause of an internal error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub &'static str);

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        match error {
            StoreError::Stale => Error::Stale,
            StoreError::Busy => Error::Busy,
            // Which rule a duplicate breaks is known where it is inserted; what arrives here was not expected.
            StoreError::Duplicate(_)
            | StoreError::Corrupt { .. }
            | StoreError::Conflict(_)
            | StoreError::Database(_) => Error::Internal(Box::new(error)),
        }
    }
}

impl WriteError for Error {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Error::Internal(source) => source.downcast_ref(),
            Error::Denied(_)
            | Error::NotFound(_)
            | Error::Gone(_)
            | Error::BadLogin
            | Error::TooManyTries { .. }
            | Error::TooManyProposals { .. }
            | Error::SignInEnded
            | Error::InvitationUnusable
            | Error::PreconditionRequired
            | Error::Stale
            | Error::WrongState { .. }
            | Error::CountChanged { .. }
            | Error::AlreadyThere { .. }
            | Error::Invalid { .. }
            | Error::FileTooLarge { .. }
            | Error::UnsupportedFile(_)
            | Error::IdempotencyMismatch
            | Error::IdempotencyRunning
            | Error::NotInitialized
            | Error::Unverifiable(_)
            | Error::CannotIssue(_)
            | Error::Busy => None,
        }
    }
}

impl From<IllegalEvent> for Error {
    fn from(error: IllegalEvent) -> Error {
        let allowed_events =
            error.state.allowed_events().iter().map(|event| event.as_str()).collect();
        Error::WrongState { detail: error.to_string(), allowed_events }
    }
}

impl From<WrongVersionState> for Error {
    fn from(error: WrongVersionState) -> Error {
        let allowed_events =
            error.state.allowed_events().iter().map(|event| event.as_str()).collect();
        Error::WrongState { detail: error.to_string(), allowed_events }
    }
}

impl From<WrongProposalState> for Error {
    fn from(error: WrongProposalState) -> Error {
        let allowed_events =
            error.state.allowed_events().iter().map(|event| event.as_str()).collect();
        Error::WrongState { detail: error.to_string(), allowed_events }
    }
}

impl From<WrongStackState> for Error {
    fn from(error: WrongStackState) -> Error {
        let allowed_events =
            error.state.allowed_events().iter().map(|event| event.as_str()).collect();
        Error::WrongState { detail: error.to_string(), allowed_events }
    }
}

impl From<WrongProgramState> for Error {
    fn from(error: WrongProgramState) -> Error {
        let allowed_events =
            error.state.allowed_events().into_iter().map(|event| event.as_str()).collect();
        Error::WrongState { detail: error.to_string(), allowed_events }
    }
}

impl From<WrongReviewState> for Error {
    fn from(error: WrongReviewState) -> Error {
        let allowed_events =
            error.state.allowed_events().iter().map(|event| event.as_str()).collect();
        Error::WrongState { detail: error.to_string(), allowed_events }
    }
}

impl From<WrongKeyState> for Error {
    fn from(error: WrongKeyState) -> Error {
        let allowed_events =
            error.state.allowed_events().iter().map(|event| event.as_str()).collect();
        Error::WrongState { detail: error.to_string(), allowed_events }
    }
}

impl From<WrongAwardState> for Error {
    fn from(error: WrongAwardState) -> Error {
        let allowed_events =
            error.state.allowed_events().iter().map(|event| event.as_str()).collect();
        Error::WrongState { detail: error.to_string(), allowed_events }
    }
}

impl From<FilesError> for Error {
    fn from(error: FilesError) -> Error {
        match error {
            FilesError::TooLarge { limit } => Error::FileTooLarge { limit },
            FilesError::UnsupportedType { .. } => Error::UnsupportedFile(error.to_string()),
            FilesError::Empty => {
                Error::invalid("/file", "file-empty", "the file is empty; choose another")
            }
            FilesError::Io { .. }
            | FilesError::Interrupted
            | FilesError::NotFound
            | FilesError::Unauthentic => Error::Internal(Box::new(error)),
        }
    }
}
