//! Reading a VC-JWT from a stranger: header, claims and the credential in it. Nothing is believed yet.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::Finding;
use super::resolver;
use crate::credential::document::issuer_id;
use crate::credential::json::{JsonError, Limits};
use crate::credential::jwk::{Algorithm, PublicJwk};
use crate::credential::jwt::{Compact, CompactError};
use crate::credential::keys::KeyError;
use crate::credential::lint::{is_version_1, items};
use crate::credential::proof::timestamp;

/// Algorithms that exist and are sound, but are not checked here. Everything else that is not ours is refused.
const UNSUPPORTED: [&str; 9] =
    ["RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512", "ES256K", "Ed448"];
/// The types of a token that is a credential, in lower case.
const TYPES: [&str; 6] =
    ["jwt", "vc+jwt", "vc+ld+json+jwt", "vc+ld+jwt", "application/vc+jwt", "application/jwt"];
/// Claims about the token, which are no members of the credential.
const CLAIMS: [&str; 9] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "nonce"];

/// A token with a header that is understood.
pub(super) struct Token<'a> {
    compact: Compact<'a>,
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) jwk: Option<PublicJwk>,
    /// The credential, completed by what the claims say.
    pub(super) document: Value,
    /// When it says that it was made; else, when it begins.
    pub(super) signed_at: Option<DateTime<Utc>>,
    pub(super) issued_at: Option<DateTime<Utc>>,
    /// Its own beginning and end.
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) expires: Option<DateTime<Utc>>,
}

/// Why a token is not checked any further: the finding, and the check that it belongs to.
pub(super) enum Refusal {
    Parse(Finding),
    Proof(Finding),
    /// The claims are at fault; the document is there to be shown.
    Claims(Finding, Value),
    /// The payload is no credential at all.
    NotACredential,
}

impl<'a> Token<'a> {
    pub(super) fn read(text: &'a str, limits: &Limits) -> Result<Token<'a>, Refusal> {
        let mut compact =
            Compact::read(text, limits).map_err(|error| Refusal::Parse(unreadable(&error)))?;
        let algorithm = check_algorithm(&compact).map_err(Refusal::Proof)?;
        let (kid, jwk) = check_header(&compact.header, algorithm).map_err(Refusal::Proof)?;
        let payload = std::mem::take(&mut compact.payload);
        let (claims, document) = split(payload)?;
        let (document, fault) = join(document, &claims);
        if let Some(fault) = fault {
            return Err(Refusal::Claims(Finding::fail("claims", fault), document));
        }
        let time = |name: &str| claims.get(name).and_then(seconds);
        Ok(Token {
            compact,
            algorithm,
            kid,
            jwk,
            signed_at: time("iat").or(time("nbf")).or_else(|| begins(&document)),
            issued_at: time("iat"),
            not_before: time("nbf"),
            expires: time("exp"),
            document,
        })
    }

    pub(super) fn is_signed_by(&self, key: &PublicJwk) -> bool {
        self.compact.is_signed_by(key)
    }
}

fn unreadable(error: &CompactError) -> Finding {
    let (code, detail) = match error {
        CompactError::Json { source: JsonError::DuplicateKey { .. }, .. } => (
            "duplicate-key",
            "The token names one member twice, so readers could disagree about it.",
        ),
        CompactError::Json { source: JsonError::TooDeep { .. }, .. } => {
            ("too-deep", "The token is nested too deeply.")
        }
        CompactError::Json {
            source: JsonError::TooManyNodes { .. } | JsonError::TooLarge { .. },
            ..
        } => ("too-many-values", "The token has too many values."),
        CompactError::Json { source: JsonError::NotJson(_), .. }
        | CompactError::NotCompact
        | CompactError::NotAnObject { .. } => {
            ("token-malformed", "The token is not three parts of JSON and signature in base64url.")
        }
    };
    Finding::fail(code, detail)
}

fn check_algorithm(compact: &Compact<'_>) -> Result<Algorithm, Finding> {
    let name = compact.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    match compact.algorithm() {
        Some(algorithm) => Ok(algorithm),
        None if UNSUPPORTED.contains(&name) => Err(Finding::unknown(
            "unsupported-algorithm",
            format!("Signatures with {name} are not supported."),
        )),
        None => Err(Finding::fail(
            "refused-algorithm",
            "The token is not signed, or in a way that anybody could have done.",
        )),
    }
}

type Header = (Option<String>, Option<PublicJwk>);

fn check_header(header: &Map<String, Value>, algorithm: Algorithm) -> Result<Header, Finding> {
    // RFC 7515, section 4.1.11: what is critical has to be understood, and no extension is.
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(Finding::fail(
            "critical-header",
            "The token asks for an extension that is not understood here.",
        ));
    }
    let is_credential = header.get("typ").is_none_or(|kind| {
        kind.as_str().is_some_and(|kind| TYPES.contains(&kind.to_ascii_lowercase().as_str()))
    });
    if !is_credential {
        return Err(Finding::fail("token-type", "The token was made for something else."));
    }
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) if !kid.is_empty() && kid.len() <= 2_048 => Some(kid.clone()),
        Some(_) => {
            return Err(Finding::fail("header-malformed", "The token's key id is malformed."));
        }
    };
    let jwk = match header.get("jwk").map(PublicJwk::parse) {
        None => None,
        Some(Ok(jwk)) if jwk.algorithm() == algorithm => Some(jwk),
        Some(Err(KeyError::OtherKind)) => return Err(resolver::unsupported_key()),
        Some(Ok(_) | Err(_)) => return Err(resolver::bad_key()),
    };
    Ok((kid, jwk))
}

type Parts = (Map<String, Value>, Value);

/// The claims and the credential: the payload itself, or in version 1.1 of the data model its member `vc`.
fn split(mut payload: Map<String, Value>) -> Result<Parts, Refusal> {
    let claims = CLAIMS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), payload.remove(*name)?)))
        .collect();
    let Some(credential) = payload.remove("vc") else {
        return Ok((claims, Value::Object(payload)));
    };
    if payload.contains_key("@context") || payload.contains_key("credentialSubject") {
        let fault = Finding::fail("claims", "The token holds two credentials.");
        return Err(Refusal::Claims(fault, Value::Object(payload)));
    }
    if credential.is_object() { Ok((claims, credential)) } else { Err(Refusal::NotACredential) }
}

/// Puts into the credential what only the claims say, and finds what the two say differently (VCDM 1.1, section
/// 6.3.1; Securing VCs with JOSE, section 3.1.3).
fn join(mut document: Value, claims: &Map<String, Value>) -> (Value, Option<&'static str>) {
    let fault = wrong_type(claims).or_else(|| contradiction(&document, claims));
    if fault.is_some() {
        return (document, fault);
    }
    let is_old = is_version_1(&document);
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let date = |name: &str| claims.get(name).and_then(seconds).map(timestamp);
    if is_old && let Some(object) = document.as_object_mut() {
        let mut complete = |member: &str, value: Option<Value>| {
            if let Some(value) = value.filter(|_| !object.contains_key(member)) {
                object.insert(member.to_owned(), value);
            }
        };
        complete("id", text("jti").map(Value::from));
        complete("issuer", text("iss").map(Value::from));
        complete("issuanceDate", date("nbf").map(Value::from));
        complete("expirationDate", date("exp").map(Value::from));
        if let (Some(subject), Some(id)) =
            (object.get_mut("credentialSubject").and_then(Value::as_object_mut), text("sub"))
        {
            subject.entry("id").or_insert_with(|| json!(id));
        }
        if let (Some(issuer), Some(id)) =
            (object.get_mut("issuer").and_then(Value::as_object_mut), text("iss"))
        {
            issuer.entry("id").or_insert_with(|| json!(id));
        }
    }
    (document, None)
}

fn wrong_type(claims: &Map<String, Value>) -> Option<&'static str> {
    let is_wrong = claims.iter().any(|(name, value)| match name.as_str() {
        "iss" | "sub" | "jti" => !value.is_string(),
        "exp" | "nbf" | "iat" => seconds(value).is_none(),
        _ => false,
    });
    is_wrong.then_some("A claim of the token is of the wrong type.")
}

fn contradiction(document: &Value, claims: &Map<String, Value>) -> Option<&'static str> {
    let differs = |name: &str, own: Option<&str>| matches!((claims.get(name).and_then(Value::as_str), own), (Some(claim), Some(own)) if claim != own);
    let subjects = items(document.get("credentialSubject"));
    let subject = match subjects.as_slice() {
        [(_, subject)] => subject["id"].as_str(),
        _ => None,
    };
    let is_late = |name: &str, time: Option<DateTime<Utc>>| {
        // Claims are whole seconds, members need not be.
        matches!(
            (claims.get(name).and_then(seconds), time),
            (Some(claim), Some(time)) if claim.timestamp() != time.timestamp()
        )
    };
    if differs("iss", issuer_id(document)) {
        Some("The token is of another issuer than its credential.")
    } else if differs("jti", document["id"].as_str()) || differs("sub", subject) {
        Some("The token and its credential have different ids.")
    } else if is_late("nbf", begins(document)) || is_late("exp", ends(document)) {
        Some("The token and its credential have different dates.")
    } else {
        None
    }
}

fn begins(document: &Value) -> Option<DateTime<Utc>> {
    time(document.get("issuanceDate").or_else(|| document.get("validFrom"))?)
}

fn ends(document: &Value) -> Option<DateTime<Utc>> {
    time(document.get("expirationDate").or_else(|| document.get("validUntil"))?)
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.with_timezone(&Utc))
}

/// A NumericDate (RFC 7519, section 2).
fn seconds(value: &Value) -> Option<DateTime<Utc>> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a fraction of a second does not matter, and what is out of range becomes no time"
    )]
    let seconds =
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))?;
    DateTime::from_timestamp(seconds, 0)
}
