//! The client and its policy.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};
use std::{fmt, io};

use crate::fetch::exchange::{Request, follow};
use crate::fetch::target::{Maps, Target};

/// What a caller shows for every failure: it tells a stranger nothing about our network.
pub const PUBLIC_SENTENCE: &str = "The document could not be fetched.";

/// How long one fetch may take, redirects and all.
const DEADLINE: Duration = Duration::from_secs(5);
/// The longest time that a policy can allow.
const MAX_DEADLINE: Duration = Duration::from_secs(60);
/// How many fetches may be under way at once.
const MAX_RUNNING: usize = 32;

/// What the operator decides about fetching.
#[derive(Clone, Debug)]
pub struct FetchPolicy {
    /// URL prefixes and where to read what lies under them instead, in order.
    pub base_url_maps: Vec<(String, String)>,
    /// Whether to open no connection at all.
    pub offline: bool,
    /// How long one fetch may take, redirects and all; at most a minute.
    pub deadline: Duration,
}

impl Default for FetchPolicy {
    fn default() -> FetchPolicy {
        FetchPolicy { base_url_maps: Vec::new(), offline: false, deadline: DEADLINE }
    }
}

/// What one fetch may do.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// The media types to ask for.
    pub accept: &'a str,
    /// The most bytes of the document.
    pub max_bytes: usize,
    /// Whether a redirect to another origin is refused, because the address says whose document it is.
    pub same_origin: bool,
    /// When the fetch ends at the latest, if that is before the client's own deadline.
    pub until: Option<Instant>,
}

/// Reads public documents, and nothing else.
///
/// Each fetch runs on a thread of its own, which also owns the HTTP client and its little runtime.
/// [`Client::get`] blocks until the answer or the deadline: call it where blocking is allowed.
#[derive(Clone)]
pub struct Client {
    maps: Arc<Maps>,
    is_offline: bool,
    deadline: Duration,
    running: Arc<AtomicUsize>,
}

impl Client {
    /// Makes the client. Fails when a URL map is not made of two base URLs.
    pub fn new(policy: FetchPolicy) -> Result<Client, FetchPolicyError> {
        Ok(Client {
            maps: Arc::new(Maps::new(&policy.base_url_maps)?),
            is_offline: policy.offline,
            deadline: policy.deadline.min(MAX_DEADLINE),
            running: Arc::new(AtomicUsize::new(0)),
        })
    }

    /// Reads the document at `url`, of at most `max_bytes`, asking for the media types in `accept`.
    ///
    /// Only status 200 is a document. A fragment in the URL is ignored.
    pub fn get(&self, url: &str, accept: &str, max_bytes: usize) -> Result<Vec<u8>, FetchError> {
        self.get_within(url, &Bounds { accept, max_bytes, same_origin: false, until: None })
    }

    /// Reads the document at `url` as [`Client::get`] does, within these bounds.
    pub fn get_within(&self, url: &str, bounds: &Bounds<'_>) -> Result<Vec<u8>, FetchError> {
        if self.is_offline {
            return Err(FetchError::Offline);
        }
        let started = Instant::now();
        let own_deadline = started + self.deadline;
        let deadline = bounds.until.map_or(own_deadline, |until| until.min(own_deadline));
        if deadline <= started {
            return Err(FetchError::Deadline);
        }
        let (target, origin) = Target::parse(url, &self.maps)?;
        let slot = Slot::take(&self.running).ok_or(FetchError::Busy)?;
        let request = Request {
            accept: bounds.accept.to_owned(),
            max_bytes: bounds.max_bytes,
            deadline,
            maps: Arc::clone(&self.maps),
            only_origin: bounds.same_origin.then_some(origin),
        };
        let (sender, receiver) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("fetch".to_owned())
            .spawn(move || {
                let answer = follow(&request, target);
                drop(slot);
                // Nobody listens any more once the deadline has passed.
                let _ = sender.send(answer);
            })
            .map_err(|source| FetchError::Thread { source })?;
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(FetchError::Deadline),
            Err(RecvTimeoutError::Disconnected) => Err(FetchError::Stopped),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("maps", &self.maps)
            .field("is_offline", &self.is_offline)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A place among the fetches under way. A slow name server holds it beyond the deadline.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(running: &Arc<AtomicUsize>) -> Option<Slot> {
        let slot = Slot(Arc::clone(running));
        (running.fetch_add(1, Ordering::SeqCst) < MAX_RUNNING).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Why a URL map cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is not a base URL: http or https and a host, without login, query or fragment")]
pub struct FetchPolicyError {
    /// The side of the map that is no base URL.
    pub url: String,
}

/// Why a document was not fetched.
///
/// All say [`PUBLIC_SENTENCE`]; the variant and its sources are for the log.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The operator allows no connections.
    #[error("{}", PUBLIC_SENTENCE)]
    Offline,
    /// Too many fetches are under way.
    #[error("{}", PUBLIC_SENTENCE)]
    Busy,
    /// The URL is longer than any that is looked at.
    #[error("{}", PUBLIC_SENTENCE)]
    UrlTooLong,
    /// The URL is not one.
    #[error("{}", PUBLIC_SENTENCE)]
    InvalidUrl {
        /// What is wrong with it.
        #[source]
        source: url::ParseError,
    },
    /// The URL is not https.
    #[error("{}", PUBLIC_SENTENCE)]
    Scheme,
    /// The URL names another port than 443.
    #[error("{}", PUBLIC_SENTENCE)]
    Port,
    /// The URL carries a login.
    #[error("{}", PUBLIC_SENTENCE)]
    Userinfo,
    /// The URL names an address instead of a host.
    #[error("{}", PUBLIC_SENTENCE)]
    IpLiteral,
    /// The URL names no host.
    #[error("{}", PUBLIC_SENTENCE)]
    NoHost,
    /// The host's addresses are not known.
    #[error("{}", PUBLIC_SENTENCE)]
    Resolve {
        /// The resolver's answer.
        #[source]
        source: io::Error,
    },
    /// The host has no address.
    #[error("{}", PUBLIC_SENTENCE)]
    NoAddress,
    /// One of the host's addresses is not on the public internet.
    #[error("{}", PUBLIC_SENTENCE)]
    AddressNotGlobal {
        /// That address.
        address: IpAddr,
    },
    /// More redirects than are followed.
    #[error("{}", PUBLIC_SENTENCE)]
    TooManyRedirects,
    /// A redirect without a place to go.
    #[error("{}", PUBLIC_SENTENCE)]
    RedirectWithoutLocation,
    /// A redirect out of a mapped base URL.
    #[error("{}", PUBLIC_SENTENCE)]
    RedirectLeavesMap,
    /// A redirect to another origin, of a document that has to be on this one.
    #[error("{}", PUBLIC_SENTENCE)]
    RedirectLeavesOrigin,
    /// The server answered with another status than 200.
    #[error("{}", PUBLIC_SENTENCE)]
    Status {
        /// That status.
        status: u16,
    },
    /// The document is compressed, though that was not asked for.
    #[error("{}", PUBLIC_SENTENCE)]
    Encoded,
    /// The document has more bytes than the caller takes.
    #[error("{}", PUBLIC_SENTENCE)]
    TooLarge {
        /// How many the caller takes.
        limit: usize,
    },
    /// The time was up.
    #[error("{}", PUBLIC_SENTENCE)]
    Deadline,
    /// The connection or the conversation failed.
    #[error("{}", PUBLIC_SENTENCE)]
    Http {
        /// How it failed.
        #[source]
        source: reqwest::Error,
    },
    /// The document broke off.
    #[error("{}", PUBLIC_SENTENCE)]
    Read {
        /// How it broke off.
        #[source]
        source: io::Error,
    },
    /// No thread could be started.
    #[error("{}", PUBLIC_SENTENCE)]
    Thread {
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The fetching thread ended without an answer.
    #[error("{}", PUBLIC_SENTENCE)]
    Stopped,
}
