//! Requests, redirects and bodies of one fetch.

use std::io::{self, Read};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, LOCATION};
use reqwest::redirect::Policy;
use url::Origin;

use crate::fetch::address::is_global;
use crate::fetch::client::FetchError;
use crate::fetch::target::{Maps, Target};

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 3;
/// How much of a body is read at once.
const READ_BYTES: usize = 16 * 1024;

/// What is asked for, and within which bounds.
pub(super) struct Request {
    pub(super) accept: String,
    pub(super) max_bytes: usize,
    pub(super) deadline: Instant,
    pub(super) maps: Arc<Maps>,
    /// The origin that no redirect may leave.
    pub(super) only_origin: Option<Origin>,
}

impl Request {
    fn time_left(&self) -> Result<Duration, FetchError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(FetchError::Deadline) } else { Ok(left) }
    }
}

/// Requests the target, follows its redirects and reads the document at their end.
pub(super) fn follow(request: &Request, mut target: Target) -> Result<Vec<u8>, FetchError> {
    for _ in 0..=MAX_REDIRECTS {
        let response = send(request, &target)?;
        if !is_redirect(&response) {
            return read_document(request, response);
        }
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|location| location.to_str().ok())
            .ok_or(FetchError::RedirectWithoutLocation)?;
        target = target.redirect(location, &request.maps, request.only_origin.as_ref())?;
    }
    Err(FetchError::TooManyRedirects)
}

/// Sends one request with a client made for this one target: its addresses are checked here, and
/// it can reach no others.
fn send(request: &Request, target: &Target) -> Result<Response, FetchError> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .user_agent(concat!("assay/", env!("CARGO_PKG_VERSION")));
    let builder = match target {
        Target::Public { host, .. } => {
            builder.https_only(true).dns_resolver(Arc::new(Pinned(global_addresses(host)?)))
        }
        Target::Mapped { .. } => builder,
    };
    let time_left = request.time_left()?;
    builder
        .timeout(time_left)
        .connect_timeout(time_left)
        .build()
        .and_then(|client| {
            client
                .get(target.url().clone())
                .header(ACCEPT, &request.accept)
                .header(ACCEPT_ENCODING, "identity")
                .send()
        })
        .map_err(|error| {
            if error.is_timeout() {
                FetchError::Deadline
            } else {
                FetchError::Http { source: error.without_url() }
            }
        })
}

fn global_addresses(host: &str) -> Result<Vec<SocketAddr>, FetchError> {
    let addresses: Vec<SocketAddr> =
        (host, 443).to_socket_addrs().map_err(|source| FetchError::Resolve { source })?.collect();
    if addresses.is_empty() {
        return Err(FetchError::NoAddress);
    }
    match addresses.iter().find(|address| !is_global(address.ip())) {
        Some(address) => Err(FetchError::AddressNotGlobal { address: address.ip() }),
        None => Ok(addresses),
    }
}

/// Answers every name with the addresses that were checked.
struct Pinned(Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

fn is_redirect(response: &Response) -> bool {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn read_document(request: &Request, mut response: Response) -> Result<Vec<u8>, FetchError> {
    let limit = request.max_bytes;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(FetchError::Status { status });
    }
    if response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(FetchError::Encoded);
    }
    let fits = |length: u64| usize::try_from(length).is_ok_and(|length| length <= limit);
    if response.content_length().is_some_and(|length| !fits(length)) {
        return Err(FetchError::TooLarge { limit });
    }
    let mut document = Vec::new();
    let mut buffer = [0; READ_BYTES];
    loop {
        // The client's own timeout starts anew with every read.
        request.time_left()?;
        let length = match response.read(&mut buffer) {
            Ok(0) => return Ok(document),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) if is_timeout(&source) => return Err(FetchError::Deadline),
            Err(source) => return Err(FetchError::Read { source }),
        };
        if document.len() + length > limit {
            return Err(FetchError::TooLarge { limit });
        }
        document.extend_from_slice(&buffer[..length]);
    }
}

fn is_timeout(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
        || error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<reqwest::Error>())
            .is_some_and(reqwest::Error::is_timeout)
}
