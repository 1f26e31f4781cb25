//! Who says which keys are an issuer's, and what they say.
//!
//! A DID that is a key speaks for itself. Everybody else has a page: at the issuer's own address, or where its
//! `did:web` points to. A key is never taken from the fragment of a URL.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::Value;
use url::{Host, Url};

use super::{Documents, Finding, VerifyOptions};
use crate::credential::json;
use crate::credential::jwk::PublicJwk;
use crate::credential::keys::KeyError;
use crate::credential::lint::items;

/// Longest `did:jwk` that is looked at.
const MAX_DID_JWK: usize = 4_096;

/// How an issuer's keys are found.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    /// The id is the key.
    Key { did: String, key: PublicJwk },
    /// There is a page with the keys; `did:web` points there, or it is the id itself.
    Page { id: String, url: Url, is_did: bool },
}

/// Reads the id of an issuer; nothing is fetched.
pub(super) fn identify(id: &str, options: &VerifyOptions) -> Result<Identity, Finding> {
    let bare = id.split('#').next().unwrap_or_default();
    if let Some(multikey) = bare.strip_prefix("did:key:") {
        let is_whole = id == bare || id.strip_prefix(bare) == Some(&format!("#{multikey}"));
        return match PublicJwk::parse_multikey(multikey) {
            Ok(key) if is_whole => Ok(Identity::Key { did: bare.to_owned(), key }),
            Err(KeyError::OtherKind) => Err(unsupported_key()),
            Ok(_) | Err(_) => Err(bad_did("did:key")),
        };
    }
    if let Some(encoded) = id.strip_prefix("did:jwk:") {
        return match parse_did_jwk(encoded) {
            Ok(key) => Ok(Identity::Key { did: id.to_owned(), key }),
            Err(KeyError::OtherKind) => Err(unsupported_key()),
            Err(_) => Err(bad_did("did:jwk")),
        };
    }
    if let Some(name) = id.strip_prefix("did:web:") {
        let url = did_web_url(name, options).ok_or_else(|| unsupported_did(id))?;
        return Ok(Identity::Page { id: id.to_owned(), url, is_did: true });
    }
    if id.starts_with("did:") {
        return Err(unsupported_did(id));
    }
    let url = Url::parse(id).ok().filter(|url| {
        matches!(url.scheme(), "https" | "http") && url.host().is_some() && has_no_login(url)
    });
    let mut url = url.ok_or_else(not_of_issuer)?;
    url.set_fragment(None);
    Ok(Identity::Page { id: id.to_owned(), url, is_did: false })
}

fn has_no_login(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

fn parse_did_jwk(encoded: &str) -> Result<PublicJwk, KeyError> {
    let malformed = KeyError::BadMember("kty");
    if encoded.len() > MAX_DID_JWK {
        return Err(malformed);
    }
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(encoded) else { return Err(malformed) };
    match json::parse(&bytes, &json::LIMITS) {
        Ok(jwk) => PublicJwk::parse(&jwk),
        Err(_) => Err(malformed),
    }
}

/// The address of a `did:web` (did:web method, section 2.5.2). Plain http only where the demo and tests live.
fn did_web_url(name: &str, options: &VerifyOptions) -> Option<Url> {
    let mut parts = name.split(':');
    let host = parts.next()?;
    let (host, port) = match host.split_once("%3A").or_else(|| host.split_once("%3a")) {
        Some((host, port)) => (host, Some(port.parse::<u16>().ok()?)),
        None => (host, None),
    };
    let is_word = |text: &str| {
        !text.is_empty()
            && text != "."
            && text != ".."
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let path: Vec<&str> = parts.collect();
    if !is_word(host) || !path.iter().all(|part| is_word(part)) {
        return None;
    }
    let mut url = Url::parse("https://placeholder.invalid/").ok()?;
    url.set_host(Some(host)).ok()?;
    let is_loopback = match url.host()? {
        Host::Domain(domain) => domain == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    if is_loopback && options.allow_http {
        url.set_scheme("http").ok()?;
    }
    url.set_port(port).ok()?;
    let folder: &[&str] = if path.is_empty() { &[".well-known"] } else { &path };
    url.path_segments_mut().ok()?.clear().extend(folder).push("did.json");
    Some(url)
}

impl Identity {
    /// Whether a key of this name can be the issuer's at all. Asked before anything is fetched.
    ///
    /// The same DID, or an address on the same host. A page can list the DIDs of others as well.
    pub(super) fn may_own(&self, method: &str) -> bool {
        let base = method.split('#').next().unwrap_or_default();
        match self {
            Identity::Key { did, .. } => base == did,
            Identity::Page { id, is_did: true, .. } => {
                base == id && method.len() > base.len() || base != id && method.starts_with("did:")
            }
            Identity::Page { url, is_did: false, .. } => {
                method.starts_with("did:")
                    || Url::parse(method)
                        .is_ok_and(|method| is_same_origin(&method, url) && has_no_login(&method))
            }
        }
    }

    /// Whether the keys stand on a page that nobody vouches for on its way here.
    pub(super) fn is_unprotected(&self, options: &VerifyOptions) -> bool {
        match self {
            Identity::Key { .. } => false,
            Identity::Page { url, .. } => url.scheme() != "https" && !options.allow_http,
        }
    }

    /// The address under which the issuer publishes, for lists that have to be on its host.
    pub(super) fn url(&self) -> Option<&Url> {
        match self {
            Identity::Key { .. } => None,
            Identity::Page { url, .. } => Some(url),
        }
    }
}

pub(super) fn is_same_origin(a: &Url, b: &Url) -> bool {
    matches!(a.scheme(), "https" | "http") && a.host().is_some() && a.origin() == b.origin()
}

/// Whether a key's name is that of the one key of a DID.
pub(super) fn names_did_key(method: &str, did: &str) -> bool {
    let fragment = did.strip_prefix("did:key:").unwrap_or("0");
    method == did || method.strip_prefix(did) == Some(&format!("#{fragment}"))
}

/// Why a page was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageError {
    Offline,
    Gone,
    Unavailable,
    Unreadable,
}

impl PageError {
    fn of_issuer(self) -> Finding {
        let unreachable = "The issuer's page with its keys cannot be reached.";
        match self {
            PageError::Offline => Finding::unknown("offline", unreachable),
            PageError::Gone | PageError::Unavailable => {
                Finding::unknown("issuer-unavailable", unreachable)
            }
            PageError::Unreadable => Finding::unknown(
                "issuer-unreadable",
                "The issuer's page with its keys cannot be read.",
            ),
        }
    }
}

/// Reads the pages of issuers, each once.
pub(super) struct Resolver<'a> {
    pub(super) documents: &'a dyn Documents,
    pub(super) options: &'a VerifyOptions,
    pages: RefCell<BTreeMap<String, Result<Rc<Value>, PageError>>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(documents: &'a dyn Documents, options: &'a VerifyOptions) -> Resolver<'a> {
        Resolver { documents, options, pages: RefCell::default() }
    }

    /// The JSON at this address, without its fragment. Its address says whose it is.
    fn page(&self, url: &Url) -> Result<Rc<Value>, PageError> {
        let mut url = url.clone();
        url.set_fragment(None);
        if let Some(known) = self.pages.borrow().get(url.as_str()) {
            return known.clone();
        }
        let page = match self.documents.fetch_within_origin(url.as_str()) {
            Ok(bytes) => match json::parse(&bytes, &json::LIMITS) {
                Ok(value) => Ok(Rc::new(value)),
                Err(_) => Err(PageError::Unreadable),
            },
            Err(unavailable) => Err(match unavailable.code.as_str() {
                "offline" => PageError::Offline,
                "gone" => PageError::Gone,
                _ => PageError::Unavailable,
            }),
        };
        self.pages.borrow_mut().insert(url.into(), page.clone());
        page
    }

    /// The issuer's own page, which has to be about the issuer.
    pub(super) fn issuer_page(&self, id: &str, url: &Url) -> Result<Rc<Value>, Finding> {
        let page = self.page(url).map_err(PageError::of_issuer)?;
        if page["id"].as_str() != Some(id) {
            return Err(PageError::Unreadable.of_issuer());
        }
        Ok(page)
    }

    /// The key at an address of its own on the issuer's host.
    pub(super) fn key_page(
        &self,
        issuer: &str,
        kid: &str,
        url: &Url,
        signed_at: Option<DateTime<Utc>>,
    ) -> Result<PublicJwk, Finding> {
        let page = self.page(url).map_err(|error| match error {
            PageError::Gone => key_revoked(),
            PageError::Offline | PageError::Unavailable | PageError::Unreadable => {
                error.of_issuer()
            }
        })?;
        if page.get("kty").is_some() {
            return jwk_of(&page);
        }
        if let Some(keys) = page["keys"].as_array() {
            let mut named = keys.iter().filter(|key| key["kid"].as_str() == Some(kid));
            let key = named.next().ok_or_else(not_of_issuer)?;
            if named.any(|other| other != key) {
                return Err(ambiguous());
            }
            return jwk_of(key);
        }
        if page.get("verificationMethod").is_some() && page["id"].as_str() == Some(issuer) {
            return find_method(&page, issuer, kid, signed_at);
        }
        if page.get("controller").is_none() {
            return Err(PageError::Unreadable.of_issuer());
        }
        if page["id"].as_str() != Some(kid) || page["controller"].as_str() != Some(issuer) {
            return Err(not_of_issuer());
        }
        check_state(&page, signed_at)?;
        key_of(&page)
    }

    /// What the issuer's own page says about a key that was found elsewhere on its host.
    ///
    /// Whose a key is, only the issuer can say, and one host can serve many issuers. So when the issuer keeps a list,
    /// the key has to be on it; and without the issuer's page nobody knows. Asked only once the signature holds.
    pub(super) fn confirm(
        &self,
        id: &str,
        url: &Url,
        kid: &str,
        key: &PublicJwk,
        signed_at: Option<DateTime<Utc>>,
    ) -> Result<(), Finding> {
        let page = self.issuer_page(id, url)?;
        if page.get("verificationMethod").is_none() && page.get("assertionMethod").is_none() {
            return Ok(());
        }
        let has_entry = methods(&page)
            .iter()
            .any(|entry| entry["id"].as_str().is_some_and(|name| is_name(name, id, kid)));
        let purposes = items(page.get("assertionMethod"));
        if !has_entry && purposes.iter().any(|(_, name)| name.as_str() == Some(kid)) {
            // Listed by its address, where the key was read.
            return Ok(());
        }
        if !has_entry {
            return Err(Finding::unknown(
                "key-unlisted",
                "The key is on the issuer's host, but the issuer's own page does not list it.",
            ));
        }
        match find_method(&page, id, kid, signed_at) {
            Ok(listed) if listed == *key => Ok(()),
            Ok(_) => Err(ambiguous()),
            Err(finding) => Err(finding),
        }
    }
}

/// The verification methods of a page, wherever it lists them.
fn methods(page: &Value) -> Vec<&Value> {
    let embedded = items(page.get("assertionMethod")).into_iter().map(|(_, purpose)| purpose);
    items(page.get("verificationMethod"))
        .into_iter()
        .map(|(_, method)| method)
        .chain(embedded.filter(|purpose| purpose.is_object()))
        .collect()
}

/// Whether a name on the page of `id` is this absolute one.
fn is_name(candidate: &str, id: &str, method: &str) -> bool {
    candidate == method
        || (candidate.starts_with('#') && method.strip_prefix(id) == Some(candidate))
}

/// The key of this name, as the issuer publishes it for making credentials.
pub(super) fn find_method(
    page: &Value,
    id: &str,
    method: &str,
    signed_at: Option<DateTime<Utc>>,
) -> Result<PublicJwk, Finding> {
    let methods = methods(page);
    let mut published = methods
        .iter()
        .filter(|entry| entry["id"].as_str().is_some_and(|name| is_name(name, id, method)));
    let Some(entry) = published.next() else {
        // A did:key that is listed by its name alone needs no entry: it is its own document.
        let is_listed = items(page.get("assertionMethod"))
            .iter()
            .any(|(_, name)| name.as_str() == Some(method));
        return if is_listed { own_key(method, id) } else { Err(not_of_issuer()) };
    };
    if published.any(|other| other != entry) {
        return Err(ambiguous());
    }
    check_method(page, id, entry, signed_at)
}

fn own_key(method: &str, issuer: &str) -> Result<PublicJwk, Finding> {
    let did = method.split('#').next().unwrap_or_default();
    match did.strip_prefix("did:key:").map(PublicJwk::parse_multikey) {
        Some(Ok(key)) if names_did_key(method, did) => Ok(key),
        Some(Err(KeyError::OtherKind)) => Err(unsupported_key()),
        Some(_) => Err(bad_did("did:key")),
        None if method.starts_with("did:") => Err(unsupported_did(method)),
        // On this very page, where it is not.
        None if did == issuer => Err(not_of_issuer()),
        None => Err(Finding::unknown(
            "key-elsewhere",
            "The issuer lists the key, but publishes it at an address of its own, which is not asked before the signature holds.",
        )),
    }
}

/// The keys on a page that an unnamed one could be: those for which `fits` holds.
pub(super) fn find_keys(
    page: &Value,
    id: &str,
    signed_at: Option<DateTime<Utc>>,
    fits: impl Fn(&Value, &PublicJwk) -> bool,
) -> Vec<Result<PublicJwk, Finding>> {
    methods(page)
        .into_iter()
        .filter(|entry| key_of(entry).is_ok_and(|key| fits(entry, &key)))
        .map(|entry| check_method(page, id, entry, signed_at))
        .collect()
}

/// The key of an entry of a page, when the issuer may issue with it.
fn check_method(
    page: &Value,
    id: &str,
    entry: &Value,
    signed_at: Option<DateTime<Utc>>,
) -> Result<PublicJwk, Finding> {
    let name = entry["id"].as_str().unwrap_or_default();
    let controller = entry["controller"].as_str().unwrap_or_default();
    let is_own_did = name.starts_with("did:key:") && name.split('#').next() == Some(controller);
    if controller != id && !is_own_did {
        return Err(not_of_issuer());
    }
    check_state(entry, signed_at)?;
    let absolute = if name.starts_with('#') { format!("{id}{name}") } else { name.to_owned() };
    let is_listed = items(page.get("assertionMethod")).iter().any(|(_, purpose)| {
        purpose
            .as_str()
            .or_else(|| purpose["id"].as_str())
            .is_some_and(|purpose| is_name(purpose, id, &absolute))
    });
    if !is_listed {
        return Err(Finding::fail(
            "key-not-for-credentials",
            "The issuer does not issue with the key that signed.",
        ));
    }
    key_of(entry)
}

/// Whether a key was withdrawn, or had ended when the signature was made.
fn check_state(entry: &Value, signed_at: Option<DateTime<Utc>>) -> Result<(), Finding> {
    if entry.get("revoked").is_some() {
        return Err(key_revoked());
    }
    let Some(expires) = entry.get("expires") else { return Ok(()) };
    let expires = expires.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let is_in_time = match (expires, signed_at) {
        (Some(expires), Some(signed_at)) => expires >= signed_at,
        (Some(_) | None, _) => false,
    };
    if is_in_time {
        Ok(())
    } else {
        Err(Finding::fail("key-expired", "The key had ended before the signature was made."))
    }
}

/// The key in a verification method: `Multikey`, `JsonWebKey`, `Ed25519VerificationKey2020` and their like.
fn key_of(entry: &Value) -> Result<PublicJwk, Finding> {
    let multikey = match entry["publicKeyMultibase"].as_str().map(PublicJwk::parse_multikey) {
        None => None,
        Some(Ok(key)) => Some(key),
        Some(Err(KeyError::OtherKind)) => return Err(unsupported_key()),
        Some(Err(_)) => return Err(bad_key()),
    };
    let jwk = entry.get("publicKeyJwk").map(jwk_of).transpose()?;
    match (multikey, jwk) {
        (Some(multikey), Some(jwk)) if multikey != jwk => Err(bad_key()),
        (Some(key), _) | (None, Some(key)) => Ok(key),
        (None, None) => Err(unsupported_key()),
    }
}

fn jwk_of(jwk: &Value) -> Result<PublicJwk, Finding> {
    match PublicJwk::parse(jwk) {
        Ok(key) => Ok(key),
        Err(KeyError::OtherKind) => Err(unsupported_key()),
        Err(_) => Err(bad_key()),
    }
}

pub(super) fn not_of_issuer() -> Finding {
    Finding::fail("key-not-of-issuer", "The key that signed is not one of the issuer's keys.")
}

pub(super) fn bad_key() -> Finding {
    Finding::fail("bad-key", "The key is malformed, weak or made for something else.")
}

pub(super) fn unsupported_key() -> Finding {
    Finding::unknown("unsupported-key-type", "The issuer's key is of a kind that is not supported.")
}

pub(super) fn unsupported_did(did: &str) -> Finding {
    let method: String = did.chars().take(40).collect();
    Finding::unknown("unsupported-did-method", format!("{method} cannot be resolved here."))
}

fn bad_did(method: &str) -> Finding {
    let code = if method == "did:key" { "bad-did-key" } else { "bad-did-jwk" };
    Finding::fail(code, format!("The issuer's {method} is malformed."))
}

fn ambiguous() -> Finding {
    Finding::fail("ambiguous-key", "The issuer publishes two different keys under one id.")
}

fn key_revoked() -> Finding {
    Finding::fail(
        "key-revoked",
        "The issuer has withdrawn the key that signed, because somebody else may have used it.",
    )
}
