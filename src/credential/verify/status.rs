//! Whether a badge was revoked or suspended. Asked only once the proof holds.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use super::form::is_compact_jwt;
use super::issuer;
use super::resolver::{Resolver, identify, is_same_origin};
use super::token::Token;
use super::{Finding, Outcome, REVOCATION_LIST_LIMITS, STATUS_LIST_LIMITS, Unavailable};
use crate::credential::document::issuer_id;
use crate::credential::json;
use crate::credential::lint::{has_type, items, status_index};
use crate::credential::proof;
use crate::credential::status_list::{StatusList, StatusListError};

/// Most status entries that are looked at.
const MAX_ENTRIES: usize = 4;

pub(super) fn judge(document: &Value, resolver: &Resolver<'_>) -> Finding {
    let entries = items(document.get("credentialStatus"));
    if entries.is_empty() {
        return Finding::new(
            Outcome::NotApplicable,
            "no-status",
            "The credential names no place where it could be revoked.",
        );
    }
    if entries.len() > MAX_ENTRIES {
        return Finding::unknown(
            "too-many-entries",
            "The credential names more status entries than are looked at.",
        );
    }
    let mut worst = Finding::pass("The credential is neither revoked nor suspended.");
    for (_, entry) in entries {
        let finding = judge_entry(document, entry, resolver);
        let is_worse = match (finding.outcome, worst.outcome) {
            (Outcome::Fail, Outcome::Fail) => finding.code == "revoked",
            (Outcome::Fail, Outcome::Pass | Outcome::Unknown | Outcome::NotApplicable) => true,
            (Outcome::Unknown, Outcome::Pass) => true,
            (Outcome::Unknown, Outcome::Fail | Outcome::Unknown | Outcome::NotApplicable) => false,
            (Outcome::Pass | Outcome::NotApplicable, _) => false,
        };
        if is_worse {
            worst = finding;
        }
    }
    worst
}

fn judge_entry(document: &Value, entry: &Value, resolver: &Resolver<'_>) -> Finding {
    let issuer = issuer_id(document).unwrap_or_default();
    let result = if has_type(entry, "BitstringStatusListEntry") {
        bitstring(entry, issuer, resolver)
    } else if has_type(entry, "1EdTechRevocationList") {
        revocation_list(document, entry, issuer, resolver)
    } else {
        Err(Finding::unknown(
            "unsupported-status",
            "The kind of status that the credential names is not supported.",
        ))
    };
    match result {
        Ok(finding) | Err(finding) => finding,
    }
}

fn unavailable(error: &Unavailable) -> Finding {
    let code = match error.code.as_str() {
        "offline" => "offline",
        _ => "status-unavailable",
    };
    Finding::unknown(
        code,
        "The list that says whether the credential was revoked cannot be reached.",
    )
}

fn unreadable() -> Finding {
    Finding::unknown(
        "status-unreadable",
        "The list that says whether the credential was revoked cannot be read.",
    )
}

/// Bitstring Status List 1.0, section 3.2.
fn bitstring(entry: &Value, issuer: &str, resolver: &Resolver<'_>) -> Result<Finding, Finding> {
    let (Some(purpose), Some(url), Some(index)) = (
        entry["statusPurpose"].as_str(),
        entry["statusListCredential"].as_str(),
        status_index(entry),
    ) else {
        return Err(unreadable());
    };
    if purpose == "refresh" {
        return Ok(Finding::pass("The entry says whether a newer credential exists."));
    }
    if !matches!(purpose, "revocation" | "suspension") {
        return Err(Finding::unknown(
            "unsupported-status",
            "The kind of status that the credential names is not supported.",
        ));
    }
    let has_one_bit = match entry.get("statusSize") {
        None => true,
        Some(size) => size.as_u64() == Some(1),
    };
    if !has_one_bit {
        return Err(Finding::unknown(
            "unsupported-status",
            "A status of more than one bit is not supported.",
        ));
    }
    let Ok(mut address) = Url::parse(url) else { return Err(unreadable()) };
    address.set_fragment(None);
    // Wherever the list lies, its signature says whose it is.
    let bytes = resolver.documents.fetch(address.as_str()).map_err(|error| unavailable(&error))?;
    let list = read_list(&bytes, issuer, resolver)?;
    let subject = &list["credentialSubject"];
    let has_purpose =
        items(subject.get("statusPurpose")).iter().any(|(_, own)| own.as_str() == Some(purpose));
    if !has_type(subject, "BitstringStatusList") || !has_purpose {
        return Err(Finding::unknown(
            "status-purpose",
            "The status list is not one for this purpose.",
        ));
    }
    let bits = subject["encodedList"].as_str().ok_or(()).map_err(|()| unreadable())?;
    let is_set =
        StatusList::decode(bits).and_then(|bits| bits.is_set(index)).map_err(
            |error| match error {
                StatusListError::OutOfRange { .. } => Finding::unknown(
                    "status-index",
                    "The status list has no entry for the credential.",
                ),
                StatusListError::NotMultibase
                | StatusListError::NotGzip
                | StatusListError::TooLong
                | StatusListError::TooShort => unreadable(),
            },
        )?;
    if is_set {
        return Ok(set(purpose));
    }
    // A list under another id could be a different list of the same issuer, put there by somebody else.
    if list["id"].as_str() != Some(url) {
        return Err(Finding::unknown(
            "status-list-other",
            "The status list is not the one that the credential names.",
        ));
    }
    Ok(Finding::pass("The credential is neither revoked nor suspended."))
}

fn set(purpose: &str) -> Finding {
    if purpose == "suspension" {
        Finding::fail("suspended", "The issuer has suspended the credential.")
    } else {
        Finding::fail("revoked", "The issuer has revoked the credential.")
    }
}

/// The list is itself a credential: it has to be the issuer's, signed in either way, and not out of date.
fn read_list(bytes: &[u8], issuer: &str, resolver: &Resolver<'_>) -> Result<Value, Finding> {
    let latest_beginning = resolver.options.now + issuer::CLOCKS_DIFFER;
    let text = bytes.trim_ascii();
    let list = if is_compact_jwt(text) {
        let Ok(text) = str::from_utf8(text) else { return Err(unreadable()) };
        let Ok(token) = Token::read(text, &STATUS_LIST_LIMITS) else { return Err(not_signed()) };
        check_claim(&token.document, issuer)?;
        if !issuer::judge_token(&token, resolver).is_pass() {
            return Err(not_signed());
        }
        let is_in_time = token.not_before.is_none_or(|time| time <= latest_beginning)
            && token.expires.is_none_or(|time| time >= resolver.options.now);
        if !is_in_time {
            return Err(stale());
        }
        token.document
    } else {
        let Ok(list) = json::parse(bytes, &STATUS_LIST_LIMITS) else { return Err(unreadable()) };
        check_claim(&list, issuer)?;
        let Ok(canonical) = proof::canonicalize(&proof::unsecured(&list)) else {
            return Err(not_signed());
        };
        let is_whole = canonical.unsigned.is_empty();
        if !is_whole || !issuer::judge(&list, Some(&canonical.hash), resolver).is_pass() {
            return Err(not_signed());
        }
        list
    };
    for (member, is_past) in [
        ("validFrom", true),
        ("validUntil", false),
        ("issuanceDate", true),
        ("expirationDate", false),
    ] {
        let Some(value) = list.get(member) else { continue };
        let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let Some(time) = time.map(|time| time.with_timezone(&Utc)) else { return Err(stale()) };
        let now = resolver.options.now;
        if (is_past && time > latest_beginning) || (!is_past && time < now) {
            return Err(stale());
        }
    }
    Ok(list)
}

/// What a list says about itself, before its signature is looked at.
fn check_claim(list: &Value, issuer: &str) -> Result<(), Finding> {
    if !has_type(list, "BitstringStatusListCredential") {
        return Err(unreadable());
    }
    if issuer_id(list) != Some(issuer) {
        return Err(Finding::unknown(
            "status-list-foreign",
            "The status list is from another issuer.",
        ));
    }
    Ok(())
}

fn not_signed() -> Finding {
    Finding::unknown("status-list-unverified", "The status list is not signed as it should be.")
}

fn stale() -> Finding {
    Finding::unknown("status-list-stale", "The status list is out of date.")
}

/// The older list of 1EdTech: plain JSON on the issuer's own host.
fn revocation_list(
    document: &Value,
    entry: &Value,
    issuer: &str,
    resolver: &Resolver<'_>,
) -> Result<Finding, Finding> {
    let address = entry["id"].as_str().and_then(|id| Url::parse(id).ok());
    let identity = identify(issuer, resolver.options).ok();
    let own = identity.as_ref().and_then(|identity| identity.url());
    let Some(mut address) =
        address.filter(|address| own.is_some_and(|own| is_same_origin(address, own)))
    else {
        return Err(Finding::unknown(
            "status-list-foreign",
            "The revocation list is not on the issuer's host.",
        ));
    };
    address.set_fragment(None);
    let bytes = resolver
        .documents
        .fetch_within_origin(address.as_str())
        .map_err(|error| unavailable(&error))?;
    let Ok(list) = json::parse(&bytes, &REVOCATION_LIST_LIMITS) else { return Err(unreadable()) };
    if issuer_id(&list) != Some(issuer) {
        return Err(Finding::unknown(
            "status-list-foreign",
            "The revocation list is from another issuer.",
        ));
    }
    let Some(own) = document["id"].as_str() else { return Err(unreadable()) };
    let is_listed = items(list.get("revokedCredential")).iter().any(|(_, revoked)| {
        let id = revoked.as_str().or_else(|| revoked["id"].as_str());
        id == Some(own) && revoked.get("revoked") != Some(&Value::Bool(false))
    });
    Ok(if is_listed { set("revocation") } else { Finding::pass("The credential is not revoked.") })
}
