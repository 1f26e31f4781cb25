//! A credential as VC-JWT: signed as a whole, as text (Open Badges 3.0, section 8.2.4; Securing VCs with JOSE).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::document::issuer_id;
use super::json::{self, JsonError, Limits};
use super::jwk::{Algorithm, JwtKey, PublicJwk};
use super::lint::LintedCredential;
use super::proof::{self, HashError};

/// How much of a header is read.
const HEADER_LIMITS: Limits = Limits { bytes: 16 * 1024, depth: 4, nodes: 256 };

/// A signed token, exactly as it is stored and served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedJwt {
    /// The compact serialization.
    pub token: String,
    /// Lower-case hex of the SHA-256 of the token.
    pub sha256: String,
}

/// Why a credential was not signed as JWT.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// A member from which a claim is made is missing or malformed.
    #[error("the member {0:?} of the credential is missing or malformed")]
    Member(&'static str),
    /// The key id is empty, or names another key.
    #[error("the key id {kid:?} does not name the signing key")]
    OtherKey {
        /// The key id.
        kid: String,
    },
    /// The signature cannot be made.
    #[error("the token cannot be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// Signs a credential that passed the lints.
///
/// The payload is the credential with the claims `iss`, `jti`, `sub`, `nbf` and, when it ends, `exp`. The header is
/// `alg`, `typ` and `kid`, which is the absolute id of the key.
pub fn sign(key: &JwtKey, credential: &LintedCredential, kid: &str) -> Result<SignedJwt, JwtError> {
    sign_document(key, credential.document(), kid)
}

pub(super) fn sign_document(
    key: &JwtKey,
    document: &Value,
    kid: &str,
) -> Result<SignedJwt, JwtError> {
    let mut payload = claims(document)?;
    payload.extend(document.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    sign_payload(key, payload, "JWT", kid)
}

/// Signs claims that are no credential, with the issuer's key and in the same form. The type in the header says what they are, so that
/// nobody takes them for a credential (RFC 8725, 3.11).
///
/// # Errors
/// [`JwtError::OtherKey`] for a key id that is empty or names another key, [`JwtError::Sign`] where the key cannot sign.
pub fn sign_claims(
    key: &JwtKey,
    claims: Map<String, Value>,
    kind: &str,
    kid: &str,
) -> Result<SignedJwt, JwtError> {
    sign_payload(key, claims, kind, kid)
}

/// Whether a compact token can be read and is signed by the key.
#[must_use]
pub fn is_signed_by(token: &str, key: &PublicJwk) -> bool {
    Compact::read(token, &json::LIMITS).is_ok_and(|token| token.is_signed_by(key))
}

fn sign_payload(
    key: &JwtKey,
    payload: Map<String, Value>,
    kind: &str,
    kid: &str,
) -> Result<SignedJwt, JwtError> {
    let multikey = key.public_jwk().multikey();
    let is_other_did =
        kid.starts_with("did:key:") && kid != format!("did:key:{multikey}#{multikey}");
    if kid.is_empty() || is_other_did {
        return Err(JwtError::OtherKey { kid: kid.to_owned() });
    }
    let header = json!({"alg": key.algorithm().as_str(), "typ": kind, "kid": kid});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(json::to_text(value));
    let message = format!("{}.{}", part(&header), part(&Value::Object(payload)));
    let signature = key.sign_bytes(message.as_bytes())?;
    let token = format!("{message}.{signature}");
    let sha256 = super::hex(&Sha256::digest(token.as_bytes()));
    Ok(SignedJwt { token, sha256 })
}

/// The registered claims that repeat what a credential says.
fn claims(document: &Value) -> Result<Map<String, Value>, JwtError> {
    let mut claims = Map::new();
    let text =
        |value: Option<&str>, member| value.map(|text| json!(text)).ok_or(JwtError::Member(member));
    let seconds = |member: &'static str| {
        document[member]
            .as_str()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .map(|time| json!(time.timestamp()))
            .ok_or(JwtError::Member(member))
    };
    claims.insert("iss".to_owned(), text(issuer_id(document), "issuer")?);
    claims.insert("jti".to_owned(), text(document["id"].as_str(), "id")?);
    let subject = document["credentialSubject"]["id"].as_str();
    claims.insert("sub".to_owned(), text(subject, "credentialSubject")?);
    claims.insert("nbf".to_owned(), seconds("validFrom")?);
    if document.get("validUntil").is_some() {
        claims.insert("exp".to_owned(), seconds("validUntil")?);
    }
    Ok(claims)
}

/// Why a text is not a compact JWS with JSON in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompactError {
    /// It has not three parts in strict base64url.
    #[error("the text is not three parts in base64url")]
    NotCompact,
    /// A part is not JSON, or is JSON that is not read.
    #[error("the {part} of the token cannot be read")]
    Json {
        /// The part.
        part: &'static str,
        /// Why.
        #[source]
        source: JsonError,
    },
    /// A part is JSON, but no object.
    #[error("the {part} of the token is not an object")]
    NotAnObject {
        /// The part.
        part: &'static str,
    },
}

/// A token taken apart; nothing in it is to be believed before [`Compact::is_signed_by`].
#[derive(Clone, Debug)]
pub(super) struct Compact<'a> {
    pub(super) header: Map<String, Value>,
    pub(super) payload: Map<String, Value>,
    message: &'a str,
    signature: &'a str,
}

impl<'a> Compact<'a> {
    pub(super) fn read(token: &'a str, limits: &Limits) -> Result<Compact<'a>, CompactError> {
        let Some((message, signature)) = token.rsplit_once('.') else {
            return Err(CompactError::NotCompact);
        };
        let Some((header, payload)) = message.split_once('.') else {
            return Err(CompactError::NotCompact);
        };
        if header.len() > 2 * HEADER_LIMITS.bytes || URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(CompactError::NotCompact);
        }
        Ok(Compact {
            header: object("header", header, &HEADER_LIMITS)?,
            payload: object("payload", payload, limits)?,
            message,
            signature,
        })
    }

    /// Whether the signature over the received bytes was made with this key and the algorithm of the header.
    pub(super) fn is_signed_by(&self, key: &PublicJwk) -> bool {
        self.algorithm() == Some(key.algorithm())
            && key.verify(self.message.as_bytes(), self.signature)
    }

    /// The algorithm, when it is one of ours.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse)
    }
}

fn object(
    part: &'static str,
    text: &str,
    limits: &Limits,
) -> Result<Map<String, Value>, CompactError> {
    // Strict: no padding, no other alphabet, no loose bits at the end.
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) else { return Err(CompactError::NotCompact) };
    match json::parse(&bytes, limits) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(CompactError::NotAnObject { part }),
        Err(source) => Err(CompactError::Json { part, source }),
    }
}

/// Why a token that was just signed must not leave.
#[derive(Debug, thiserror::Error)]
pub enum OwnJwtError {
    /// The text is not the one whose hash was recorded.
    #[error("the token is not the text whose hash was recorded")]
    OtherText,
    /// The token cannot be read.
    #[error("the token cannot be read")]
    Compact(#[from] CompactError),
    /// The header has another algorithm, type or member.
    #[error("the header of the token is not the one that was to be written")]
    OtherHeader,
    /// The claims are not those of the credential.
    #[error("the claims of the token are not those of the credential")]
    OtherClaims,
    /// The credential has no canonical form.
    #[error("the credential cannot be hashed")]
    Hash(#[from] HashError),
    /// The credential is not the one that was to be signed.
    #[error("the credential in the token is not the one that was to be signed")]
    OtherDocument,
    /// The signature does not fit.
    #[error("the signature does not hold")]
    BadSignature,
}

/// Checks a token with the public key, and that it holds the document whose canonical hash was recorded before.
///
/// The issuing order of the security checklist ends with this: nothing that fails here may be stored.
pub fn verify_own(
    signed: &SignedJwt,
    key: &PublicJwk,
    expected_canonical_hash: &[u8; 32],
) -> Result<(), OwnJwtError> {
    if super::hex(&Sha256::digest(signed.token.as_bytes())) != signed.sha256 {
        return Err(OwnJwtError::OtherText);
    }
    let mut token = Compact::read(&signed.token, &json::LIMITS)?;
    let is_own_header = token.header.len() == 3
        && token.header.get("typ").is_some_and(|kind| kind == "JWT")
        && token.header.get("kid").is_some_and(Value::is_string);
    if !is_own_header {
        return Err(OwnJwtError::OtherHeader);
    }
    if !token.is_signed_by(key) {
        return Err(OwnJwtError::BadSignature);
    }
    let found: Map<String, Value> = ["iss", "jti", "sub", "nbf", "exp"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), token.payload.remove(*name)?)))
        .collect();
    let document = Value::Object(token.payload);
    if claims(&document).ok() != Some(found) {
        return Err(OwnJwtError::OtherClaims);
    }
    let canonical = proof::canonicalize(&document)?;
    if canonical.hash != *expected_canonical_hash || !canonical.unsigned.is_empty() {
        return Err(OwnJwtError::OtherDocument);
    }
    Ok(())
}
