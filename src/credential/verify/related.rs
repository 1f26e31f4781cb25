//! Whether the resources that a credential vouches for are still what they were (VCDM 2.0, section 5.3).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};
use url::Url;

use super::{Documents, Finding};
use crate::credential::contexts::BUNDLE;
use crate::credential::lint::items;

/// Most resources that are looked at.
const MAX_RESOURCES: usize = 8;

/// What is wrong with the resources, if anything. Contexts of the bundle are compared here; the others are fetched.
pub(super) fn judge(document: &Value, documents: &dyn Documents) -> Option<Finding> {
    let resources = items(document.get("relatedResource"));
    if resources.len() > MAX_RESOURCES {
        return Some(Finding::unknown(
            "too-many-resources",
            "The credential names more related resources than are looked at.",
        ));
    }
    let mut worst = None;
    for (_, resource) in resources {
        match compare(resource, documents) {
            Ok(true) => {}
            Ok(false) => {
                return Some(Finding::fail(
                    "related-resource-digest",
                    "A resource that the credential names is not what it was when it was signed.",
                ));
            }
            Err(finding) => worst = Some(finding),
        }
    }
    worst
}

fn compare(resource: &Value, documents: &dyn Documents) -> Result<bool, Finding> {
    let id = resource["id"].as_str().unwrap_or_default();
    let fetched;
    let bytes = match BUNDLE.iter().find(|bundled| bundled.url == id) {
        Some(bundled) => bundled.bytes,
        None => {
            fetched = fetch(id, documents)?;
            &fetched
        }
    };
    let digests = ["digestSRI", "digestMultibase"]
        .iter()
        .flat_map(|member| items(resource.get(member)))
        .filter_map(|(_, digest)| digest.as_str());
    let mut n_compared = 0;
    for text in digests {
        let outcome = if text.contains('-') && !text.starts_with('u') {
            matches_sri(text, bytes)
        } else {
            matches_multibase(text, bytes)
        };
        match outcome {
            Some(true) => n_compared += 1,
            Some(false) => return Ok(false),
            None => {}
        }
    }
    if n_compared > 0 {
        return Ok(true);
    }
    Err(Finding::unknown(
        "unsupported-digest",
        "The digest of a related resource is of a kind that is not supported.",
    ))
}

fn fetch(id: &str, documents: &dyn Documents) -> Result<Vec<u8>, Finding> {
    let unavailable = |code: &'static str| {
        Finding::unknown(code, "A resource that the credential names cannot be reached.")
    };
    let Some(mut url) = Url::parse(id).ok().filter(|url| url.scheme() == "https") else {
        return Err(unavailable("related-resource-unavailable"));
    };
    url.set_fragment(None);
    documents.fetch(url.as_str()).map_err(|error| {
        let is_offline = error.code == "offline";
        unavailable(if is_offline { "offline" } else { "related-resource-unavailable" })
    })
}

/// Subresource Integrity: hashes separated by spaces, of which the strongest kind counts.
fn matches_sri(text: &str, bytes: &[u8]) -> Option<bool> {
    let hashes: Vec<(&str, &str)> = text
        .split_ascii_whitespace()
        .filter_map(|hash| hash.split('?').next()?.split_once('-'))
        .collect();
    ["sha512", "sha384", "sha256"].iter().find_map(|kind| {
        let digest = STANDARD.encode(hash(kind, bytes)?);
        let mut of_kind = hashes.iter().filter(|(own, _)| own == kind).peekable();
        of_kind.peek()?;
        Some(of_kind.any(|(_, expected)| *expected == digest))
    })
}

/// A multihash in base64url or base58btc.
fn matches_multibase(text: &str, bytes: &[u8]) -> Option<bool> {
    if text.len() > 256 {
        return None;
    }
    let multihash = match text.split_at_checked(1)? {
        ("u", encoded) => URL_SAFE_NO_PAD.decode(encoded).ok()?,
        ("z", encoded) => bs58::decode(encoded).into_vec().ok()?,
        _ => return None,
    };
    let (&[code, length], expected) = multihash.split_first_chunk::<2>()?;
    let kind = match (code, length) {
        (0x12, 32) => "sha256",
        (0x20, 48) => "sha384",
        (0x13, 64) => "sha512",
        _ => return None,
    };
    Some(hash(kind, bytes)? == expected)
}

fn hash(kind: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    match kind {
        "sha256" => Some(Sha256::digest(bytes).to_vec()),
        "sha384" => Some(Sha384::digest(bytes).to_vec()),
        "sha512" => Some(Sha512::digest(bytes).to_vec()),
        _ => None,
    }
}
