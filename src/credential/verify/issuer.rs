//! The issuer's key, and whether the proof was made with it.

use serde_json::Value;
use url::Url;

use super::{Documents, Finding, VerifyOptions};
use crate::credential::document::issuer_id;
use crate::credential::expansion::ExpansionError;
use crate::credential::json;
use crate::credential::keys::{self, KeyError};
use crate::credential::lint::items;
use crate::credential::proof::{self, HashError, ProofFault, ReadyProof};
use ed25519_dalek::VerifyingKey;

/// Most proofs that are looked at.
const MAX_PROOFS: usize = 8;

/// Who says which keys are the issuer's.
#[derive(Debug)]
pub(super) enum Controller {
    /// The id is the key.
    Did { id: String, key: VerifyingKey },
    /// The document at the issuer's id.
    Document { id: String, document: Value },
}

impl Controller {
    pub(super) fn id(&self) -> &str {
        match self {
            Controller::Did { id, .. } | Controller::Document { id, .. } => id,
        }
    }
}

/// What became of proof and issuer.
pub(super) struct Judged {
    pub(super) proof: Finding,
    pub(super) issuer: Finding,
    pub(super) controller: Option<Controller>,
}

pub(super) fn judge(
    document: &Value,
    hash: &[u8; 32],
    documents: &dyn Documents,
    options: &VerifyOptions,
) -> Judged {
    let stop = |proof: Finding, issuer: Finding| Judged { proof, issuer, controller: None };
    let Some(id) = issuer_id(document) else {
        return stop(
            Finding::not_checked(),
            Finding::fail("no-issuer", "The credential names no issuer."),
        );
    };
    let ready = match ready_proofs(document) {
        Ok(ready) => ready,
        Err(finding) => return stop(finding, Finding::not_checked()),
    };
    let own = match own_proofs(id, ready, options) {
        Ok(own) => own,
        Err(finding) => return stop(Finding::not_checked(), finding),
    };
    let controller = match resolve(id, documents, options) {
        Ok(controller) => controller,
        Err(finding) => {
            let proof = Finding::unknown(
                "no-key",
                "The signature cannot be checked without the issuer's key.",
            );
            return stop(proof, finding);
        }
    };
    for ready in &own {
        let key = match find_key(&controller, ready) {
            Ok(key) => key,
            Err(finding) => return stop(Finding::not_checked(), finding),
        };
        if !ready.holds(hash, &key) {
            let proof = Finding::fail(
                "signature-invalid",
                "The signature does not fit: the credential was changed after it was signed, or somebody else signed it.",
            );
            return stop(proof, Finding::pass("The key is one that the issuer publishes."));
        }
        if ready.expires.is_some_and(|expires| expires < options.now) {
            let proof = Finding::fail(
                "proof-expired",
                "The signature was made for a time that has passed.",
            );
            return stop(proof, Finding::pass("The key is one that the issuer publishes."));
        }
    }
    Judged {
        proof: Finding::pass("The signature holds: nothing was changed since it was signed."),
        issuer: Finding::pass("The key is one that the issuer publishes."),
        controller: Some(controller),
    }
}

/// The proofs of the supported suite. Others in a set say nothing for or against; one that is broken does.
fn ready_proofs(document: &Value) -> Result<Vec<ReadyProof>, Finding> {
    let proofs = proof::proofs(document);
    if proofs.is_empty() {
        return Err(Finding::fail("no-proof", "The credential is not signed."));
    }
    if proofs.len() > MAX_PROOFS {
        return Err(Finding::fail(
            "too-many-proofs",
            "The credential has more signatures than any badge needs.",
        ));
    }
    let mut ready = Vec::new();
    let mut unsupported = None;
    for one in proofs {
        match ReadyProof::read(one, &document["@context"]) {
            Ok(proof) => ready.push(proof),
            Err(fault @ ProofFault::Unsupported { .. }) => unsupported = Some(fault),
            Err(fault) => return Err(broken(&fault)),
        }
    }
    match unsupported {
        Some(fault) if ready.is_empty() => {
            Err(Finding::unknown("unsupported-suite", super::sentence(&fault)))
        }
        Some(_) | None => Ok(ready),
    }
}

fn broken(fault: &ProofFault) -> Finding {
    let detail = super::sentence(fault);
    match fault {
        ProofFault::Unsupported { .. } => Finding::unknown("unsupported-suite", detail),
        ProofFault::Malformed { .. } => Finding::fail("proof-malformed", detail),
        ProofFault::WrongPurpose => Finding::fail("wrong-purpose", detail),
        ProofFault::Unsigned { .. } => Finding::fail("unsigned-term", detail),
        ProofFault::Hash(HashError::Canonical(_)) => Finding::fail("over-budget", detail),
        ProofFault::Hash(HashError::Expansion(error)) => match error {
            ExpansionError::UnknownContext { .. } | ExpansionError::InlineContext { .. } => {
                Finding::unknown("unsupported-json-ld", detail)
            }
            ExpansionError::NotAnObject
            | ExpansionError::Context { .. }
            | ExpansionError::OverBudget => Finding::fail("proof-malformed", detail),
        },
    }
}

/// Keeps the proofs whose key can be the issuer's by its name, before anything is fetched.
fn own_proofs(
    id: &str,
    ready: Vec<ReadyProof>,
    options: &VerifyOptions,
) -> Result<Vec<ReadyProof>, Finding> {
    let foreign_did = ready
        .iter()
        .map(|proof| proof.verification_method.as_str())
        .find(|method| method.starts_with("did:") && !method.starts_with("did:key:"));
    let unsupported_did = |did: &str| {
        let method: String = did.chars().take(40).collect();
        Finding::unknown("unsupported-did-method", format!("{method} cannot be resolved here."))
    };
    if id.starts_with("did:") && !id.starts_with("did:key:") {
        return Err(unsupported_did(id));
    }
    let own: Vec<ReadyProof> =
        ready.iter().filter(|proof| belongs(&proof.verification_method, id)).cloned().collect();
    if !own.is_empty() {
        if id.starts_with("http:") && !options.allow_http {
            return Err(Finding::unknown(
                "issuer-not-https",
                "The issuer's key is not published over https.",
            ));
        }
        return Ok(own);
    }
    match foreign_did {
        Some(did) => Err(unsupported_did(did)),
        None => Err(not_of_issuer()),
    }
}

fn not_of_issuer() -> Finding {
    Finding::fail("key-not-of-issuer", "The key that signed is not one of the issuer's keys.")
}

/// Whether a verification method can belong to an issuer: the same `did:key`, or a page on the same host.
fn belongs(method: &str, issuer: &str) -> bool {
    if issuer.starts_with("did:key:") {
        return method.split('#').next() == issuer.split('#').next();
    }
    match (Url::parse(method), Url::parse(issuer)) {
        (Ok(method), Ok(issuer)) => {
            matches!(issuer.scheme(), "https" | "http")
                && method.scheme() == issuer.scheme()
                && method.host_str().is_some()
                && method.host_str() == issuer.host_str()
                && method.port_or_known_default() == issuer.port_or_known_default()
                && method.username().is_empty()
                && issuer.username().is_empty()
        }
        (Ok(_) | Err(_), Ok(_) | Err(_)) => false,
    }
}

/// Finds who speaks for the issuer. Fetches at most one document: the one at the issuer's own id.
fn resolve(
    id: &str,
    documents: &dyn Documents,
    options: &VerifyOptions,
) -> Result<Controller, Finding> {
    if id.starts_with("did:key:") {
        return match keys::resolve_did_key(id) {
            Ok(key) => Ok(Controller::Did { id: id.to_owned(), key }),
            Err(KeyError::OtherKind) => Err(Finding::unknown(
                "unsupported-key-type",
                "The issuer's key is of a kind that is not supported.",
            )),
            Err(_) => Err(Finding::fail("bad-did-key", "The issuer's did:key is malformed.")),
        };
    }
    let url = Url::parse(id)
        .ok()
        .filter(|url| url.scheme() == "https" || (url.scheme() == "http" && options.allow_http));
    let Some(mut url) = url else { return Err(not_of_issuer()) };
    url.set_fragment(None);
    let bytes = documents.fetch(url.as_str()).map_err(|unavailable| {
        let code = match unavailable.code.as_str() {
            "offline" => "offline",
            _ => "issuer-unavailable",
        };
        Finding::unknown(code, "The issuer's page with its keys cannot be reached.")
    })?;
    let unreadable =
        || Finding::unknown("issuer-unreadable", "The issuer's page with its keys cannot be read.");
    let Ok(document) = json::parse(&bytes, &json::LIMITS) else { return Err(unreadable()) };
    if document["id"].as_str() != Some(id) {
        return Err(unreadable());
    }
    Ok(Controller::Document { id: id.to_owned(), document })
}

/// The key of a proof, as its controller publishes it for making credentials.
pub(super) fn find_key(
    controller: &Controller,
    ready: &ReadyProof,
) -> Result<VerifyingKey, Finding> {
    let method = ready.verification_method.as_str();
    let (id, document) = match controller {
        Controller::Did { id, key } => {
            let is_own = keys::resolve_did_key(method).is_ok_and(|named| named == *key);
            return if is_own && belongs(method, id) { Ok(*key) } else { Err(not_of_issuer()) };
        }
        Controller::Document { id, document } => (id.as_str(), document),
    };
    let is_method = |candidate: &str| {
        candidate == method
            || (candidate.starts_with('#') && method.strip_prefix(id) == Some(candidate))
    };
    let purposes = items(document.get("assertionMethod"));
    let methods = items(document.get("verificationMethod"));
    let embedded = purposes.iter().filter(|(_, purpose)| purpose.is_object());
    let mut published = methods
        .iter()
        .chain(embedded)
        .map(|(_, entry)| *entry)
        .filter(|entry| entry["id"].as_str().is_some_and(is_method));
    let Some(entry) = published.next() else { return Err(not_of_issuer()) };
    if published.next().is_some_and(|other| other != entry) {
        return Err(Finding::fail(
            "ambiguous-key",
            "The issuer publishes two different keys under one id.",
        ));
    }
    if entry["controller"].as_str() != Some(id) {
        return Err(not_of_issuer());
    }
    let is_listed = purposes.iter().any(|(_, purpose)| {
        purpose.as_str().or_else(|| purpose["id"].as_str()).is_some_and(is_method)
    });
    if entry.get("revoked").is_some() {
        return Err(Finding::fail(
            "key-revoked",
            "The issuer has withdrawn the key that signed, because somebody else may have used it.",
        ));
    }
    if !is_listed {
        return Err(Finding::fail(
            "key-not-for-credentials",
            "The issuer does not issue with the key that signed.",
        ));
    }
    if let Some(expires) = entry.get("expires") {
        let expires =
            expires.as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
        if expires.is_none_or(|expires| expires < ready.created) {
            return Err(Finding::fail(
                "key-expired",
                "The key had ended before the signature was made.",
            ));
        }
    }
    match entry["publicKeyMultibase"].as_str().map(keys::parse_multikey) {
        Some(Ok(key)) => Ok(key),
        None | Some(Err(KeyError::OtherKind)) => Err(Finding::unknown(
            "unsupported-key-type",
            "The issuer's key is of a kind that is not supported.",
        )),
        Some(Err(_)) => Err(Finding::fail("bad-key", "The issuer's key is malformed.")),
    }
}
