//! Whether a credential was signed, and with a key of its issuer.

use chrono::TimeDelta;
use ed25519_dalek::VerifyingKey;
use serde_json::Value;
use url::Url;

use super::resolver::{self, Identity, Resolver, find_keys, find_method, identify};
use super::token::Token;
use super::{Finding, VerifyOptions};
use crate::credential::document::issuer_id;
use crate::credential::expansion::ExpansionError;
use crate::credential::jwk::PublicJwk;
use crate::credential::proof::{self, HashError, ProofFault, ReadyProof, Suite, jcs_hash};

/// Most proofs that are looked at.
const MAX_PROOFS: usize = 8;
/// Most proofs that follow another: the document is hashed anew for each.
const MAX_CHAINED: usize = 3;
/// Most keys of an issuer that are tried for a token that names none.
const MAX_TRIED_KEYS: usize = 4;

/// How far an issuer's clock may be ahead of ours.
pub(super) const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

/// What became of proof and issuer.
pub(super) struct Judged {
    pub(super) proof: Finding,
    pub(super) issuer: Finding,
}

impl Judged {
    fn stop(proof: Finding, issuer: Finding) -> Judged {
        Judged { proof, issuer }
    }

    /// Nothing can be said about the signature, because the key cannot be had.
    fn without_key(issuer: Finding) -> Judged {
        let proof = if issuer.outcome == super::Outcome::Unknown {
            let detail = "The signature cannot be checked without the issuer's key.";
            Finding::unknown("no-key", detail)
        } else {
            Finding::not_checked()
        };
        Judged { proof, issuer }
    }

    fn holds() -> Judged {
        Judged {
            proof: Finding::pass("The signature holds: nothing was changed since it was signed."),
            issuer: published(),
        }
    }

    pub(super) fn is_pass(&self) -> bool {
        self.proof.is_pass() && self.issuer.is_pass()
    }
}

fn published() -> Finding {
    Finding::pass("The key is one that the issuer publishes.")
}

fn signature_invalid() -> Finding {
    Finding::fail(
        "signature-invalid",
        "The signature does not fit: the credential was changed after it was signed, or somebody else signed it.",
    )
}

fn from_the_future() -> Finding {
    Finding::fail(
        "proof-from-the-future",
        "The signature says that it was made at a time that is still to come.",
    )
}

fn no_issuer() -> Finding {
    Finding::fail("no-issuer", "The credential names no issuer.")
}

/// Finds out whose id this is, and that a key of theirs can be trusted on its way here.
fn identify_safely(
    id: &str,
    options: &VerifyOptions,
    may_own: impl Fn(&Identity) -> bool,
) -> Result<Identity, Finding> {
    let identity = identify(id, options)?;
    if !may_own(&identity) {
        return Err(resolver::not_of_issuer());
    }
    if identity.is_unprotected(options) {
        return Err(Finding::unknown(
            "issuer-not-https",
            "The issuer's key is not published over https.",
        ));
    }
    Ok(identity)
}

/// Judges the embedded proofs of a document. `hash` is of its statements, if it has any.
pub(super) fn judge(document: &Value, hash: Option<&[u8; 32]>, resolver: &Resolver<'_>) -> Judged {
    let Some(id) = issuer_id(document) else {
        return Judged::stop(Finding::not_checked(), no_issuer());
    };
    let ready = match ready_proofs(document) {
        Ok(ready) => ready,
        Err(finding) => return Judged::stop(finding, Finding::not_checked()),
    };
    let may_own = |identity: &Identity| {
        ready.iter().any(|proof| identity.may_own(&proof.verification_method))
    };
    let identity = match identify_safely(id, resolver.options, may_own) {
        Ok(identity) => identity,
        Err(finding) => return Judged::stop(Finding::not_checked(), finding),
    };
    let page = match &identity {
        Identity::Key { .. } => None,
        Identity::Page { id, url, .. } => match resolver.issuer_page(id, url) {
            Ok(page) => Some(page),
            Err(finding) => return Judged::without_key(finding),
        },
    };
    let own = ready.iter().filter(|proof| identity.may_own(&proof.verification_method));
    let mut not_listed = None;
    let mut n_holding = 0;
    for ready in own {
        let key = match find_key(&identity, page.as_deref(), ready) {
            Ok(key) => key,
            // A DID that the issuer does not list is that of somebody else, who may sign as well.
            Err(finding)
                if finding.code == "key-not-of-issuer"
                    && is_did_of_another(&ready.verification_method, id) =>
            {
                not_listed = Some(finding);
                continue;
            }
            Err(finding) => return Judged::stop(Finding::not_checked(), finding),
        };
        let hash = match document_hash(document, hash, ready) {
            Ok(hash) => hash,
            Err(finding) => return Judged::stop(finding, published()),
        };
        if !ready.holds(&hash, &key) {
            return Judged::stop(signature_invalid(), published());
        }
        if ready.created.is_some_and(|time| time > resolver.options.now + CLOCKS_DIFFER) {
            return Judged::stop(from_the_future(), published());
        }
        if ready.expires.is_some_and(|expires| expires < resolver.options.now) {
            let detail = "The signature was made for a time that has passed.";
            return Judged::stop(Finding::fail("proof-expired", detail), published());
        }
        n_holding += 1;
    }
    match not_listed {
        Some(finding) if n_holding == 0 => Judged::stop(Finding::not_checked(), finding),
        Some(_) | None => Judged::holds(),
    }
}

/// The hash of what a proof signs besides itself.
fn document_hash(
    document: &Value,
    hash: Option<&[u8; 32]>,
    ready: &ReadyProof,
) -> Result<[u8; 32], Finding> {
    let chained = if ready.previous.is_empty() {
        None
    } else {
        let missing = || Finding::fail("proof-malformed", "A proof follows one that is not there.");
        Some(proof::with_previous(document, &ready.previous).ok_or_else(missing)?)
    };
    match (ready.suite, chained) {
        (Suite::EddsaJcs2022, None) => Ok(jcs_hash(&proof::unsecured(document))),
        (Suite::EddsaJcs2022, Some(chained)) => Ok(jcs_hash(&chained)),
        (Suite::EddsaRdfc2022 | Suite::Ed25519Signature2020, None) => {
            let detail = "What is signed cannot be told.";
            hash.copied().ok_or_else(|| Finding::unknown("unsupported-json-ld", detail))
        }
        (Suite::EddsaRdfc2022 | Suite::Ed25519Signature2020, Some(chained)) => {
            match proof::canonicalize(&chained) {
                Ok(canonical) => Ok(canonical.hash),
                Err(error) => Err(broken(&error.into())),
            }
        }
    }
}

fn is_did_of_another(method: &str, issuer: &str) -> bool {
    method.starts_with("did:") && method.split('#').next() != Some(issuer)
}

fn find_key(
    identity: &Identity,
    page: Option<&Value>,
    ready: &ReadyProof,
) -> Result<VerifyingKey, Finding> {
    let method = ready.verification_method.as_str();
    let key = match (identity, page) {
        (Identity::Key { did, key }, _) if resolver::names_did_key(method, did) => key.clone(),
        (Identity::Page { id, .. }, Some(page)) => find_method(page, id, method, ready.created)?,
        (Identity::Key { .. }, _) | (Identity::Page { .. }, None) => {
            return Err(resolver::not_of_issuer());
        }
    };
    key.as_ed25519().ok_or_else(resolver::bad_key)
}

/// The proofs of the supported suites. Others in a set say nothing for or against; one that is broken does.
fn ready_proofs(document: &Value) -> Result<Vec<ReadyProof>, Finding> {
    let proofs = proof::proofs(document);
    if proofs.is_empty() {
        return Err(no_proof());
    }
    if proofs.len() > MAX_PROOFS {
        return Err(Finding::fail(
            "too-many-proofs",
            "The credential has more signatures than any badge needs.",
        ));
    }
    let mut ready = Vec::new();
    let mut unsupported = None;
    let mut n_chained = 0;
    for one in proofs {
        n_chained += usize::from(one.get("previousProof").is_some());
        match ReadyProof::read(one, &document["@context"]) {
            Ok(proof) => ready.push(proof),
            Err(fault @ ProofFault::Unsupported { .. }) => unsupported = Some(fault),
            Err(fault) => return Err(broken(&fault)),
        }
    }
    match unsupported {
        _ if n_chained > MAX_CHAINED => Err(Finding::fail(
            "too-many-proofs",
            "The signatures form a longer chain than any badge needs.",
        )),
        Some(fault) if ready.is_empty() => {
            Err(Finding::unknown("unsupported-suite", super::sentence(&fault)))
        }
        Some(_) | None => Ok(ready),
    }
}

pub(super) fn no_proof() -> Finding {
    Finding::fail("no-proof", "The credential is not signed.")
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

/// Keys that a token can have been signed with, and what is still to be asked about them.
struct Candidates {
    keys: Vec<PublicJwk>,
    /// The page of the issuer, when only the host speaks for the key.
    to_confirm: Option<Url>,
}

impl From<PublicJwk> for Candidates {
    fn from(key: PublicJwk) -> Candidates {
        Candidates { keys: vec![key], to_confirm: None }
    }
}

/// Judges the signature of a token that says to be of this issuer.
pub(super) fn judge_token(token: &Token<'_>, resolver: &Resolver<'_>) -> Judged {
    let Some(id) = issuer_id(&token.document) else {
        return Judged::stop(Finding::not_checked(), no_issuer());
    };
    let candidates = match candidates(id, token, resolver) {
        Ok(candidates) => candidates,
        Err(finding) => return Judged::without_key(finding),
    };
    let Some(key) = candidates.keys.iter().find(|key| token.is_signed_by(key)) else {
        return Judged::stop(signature_invalid(), published());
    };
    if token.issued_at.is_some_and(|time| time > resolver.options.now + CLOCKS_DIFFER) {
        return Judged::stop(from_the_future(), published());
    }
    if let (Some(url), Some(kid)) = (&candidates.to_confirm, token.kid.as_deref())
        && let Err(finding) = resolver.confirm(id, url, kid, key, token.signed_at)
    {
        return Judged::stop(Judged::holds().proof, finding);
    }
    Judged::holds()
}

fn candidates(id: &str, token: &Token<'_>, resolver: &Resolver<'_>) -> Result<Candidates, Finding> {
    let kid = token.kid.as_deref().map(|kid| match kid.strip_prefix('#') {
        Some(_) => format!("{}{kid}", id.split('#').next().unwrap_or_default()),
        None => kid.to_owned(),
    });
    let is_address = |kid: &str| kid.contains(':');
    let may_own = |identity: &Identity| {
        kid.as_deref().is_none_or(|kid| !is_address(kid) || identity.may_own(kid))
    };
    let identity = identify_safely(id, resolver.options, may_own)?;
    let (id, url, is_did) = match &identity {
        Identity::Key { did, key } => {
            let is_own = kid.as_deref().is_none_or(|kid| resolver::names_did_key(kid, did));
            return if is_own {
                agreed(key.clone(), token)
            } else {
                Err(resolver::not_of_issuer())
            };
        }
        Identity::Page { id, url, is_did } => (id, url, *is_did),
    };
    match kid.as_deref() {
        Some(kid) if is_address(kid) => {
            let elsewhere = Url::parse(kid).ok().filter(|address| {
                let mut page = address.clone();
                page.set_fragment(None);
                !is_did && resolver::is_same_origin(address, url) && page != *url
            });
            let Some(address) = elsewhere else {
                let page = resolver.issuer_page(id, url)?;
                return agreed(find_method(&page, id, kid, token.signed_at)?, token);
            };
            let key = resolver.key_page(id, kid, &address, token.signed_at)?;
            Ok(Candidates { to_confirm: Some(url.clone()), ..agreed(key, token)? })
        }
        kid => {
            let page = resolver.issuer_page(id, url)?;
            unnamed(&page, id, kid, token)
        }
    }
}

/// The key, unless the token brings another one along.
fn agreed(key: PublicJwk, token: &Token<'_>) -> Result<Candidates, Finding> {
    if token.jwk.as_ref().is_some_and(|jwk| *jwk != key) {
        return Err(resolver::not_of_issuer());
    }
    if key.algorithm() != token.algorithm {
        return Err(resolver::bad_key());
    }
    Ok(key.into())
}

/// The keys of an issuer that a token means which does not give the address of one: the one that it brings along,
/// the one with its short name, or the few that there are.
fn unnamed(
    page: &Value,
    id: &str,
    name: Option<&str>,
    token: &Token<'_>,
) -> Result<Candidates, Finding> {
    let is_named = |entry: &Value| {
        name.is_none_or(|name| {
            entry["publicKeyJwk"]["kid"].as_str() == Some(name)
                || entry["id"].as_str().and_then(|id| id.rsplit_once('#')).map(|(_, end)| end)
                    == Some(name)
        })
    };
    let found = find_keys(page, id, token.signed_at, |entry, key| {
        key.algorithm() == token.algorithm
            && match &token.jwk {
                Some(jwk) => jwk == key,
                None => is_named(entry),
            }
    });
    if found.len() > MAX_TRIED_KEYS {
        return Err(Finding::unknown(
            "unnamed-key",
            "The credential does not say which of the issuer's many keys signed it.",
        ));
    }
    let mut keys = Vec::new();
    let mut refused = None;
    for key in found {
        match key {
            Ok(key) => keys.push(key),
            Err(finding) => refused = Some(finding),
        }
    }
    match refused {
        Some(finding) if keys.is_empty() => Err(finding),
        Some(_) | None if keys.is_empty() => Err(resolver::not_of_issuer()),
        Some(_) | None => Ok(Candidates { keys, to_confirm: None }),
    }
}
