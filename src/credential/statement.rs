//! Statements of an issuer that are no badges: a JSON document and beside it a detached JWS (RFC 7515, appendix F) over its RFC 8785 form.
//!
//! The `typ` of the header says what kind of statement it is, so that a signature over one kind is worth nothing beside another, nor
//! beside a badge.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::jcs;
use super::json::{self, Limits};
use super::jwk::{Algorithm, JwtKey, PublicJwk};

/// How much of a header is read.
const HEADER_LIMITS: Limits = Limits { bytes: 4 * 1024, depth: 2, nodes: 16 };
/// The longest signature: RSA with 4,096 bits in base64url, and some.
const LONGEST_SIGNATURE: usize = 1024;

/// Why a text is not the signature of a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It has not the form of a detached JWS.
    #[error("the signature is not a detached JWS: a header, two dots and a signature in base64url")]
    NotDetached,
    /// Its header has other members than `alg`, `kid` and `typ`, or other values than they can have.
    #[error("the header of the signature has to have alg, kid and typ, and nothing else")]
    Header,
    /// It is a signature over something else.
    #[error("the signature is of another kind of document")]
    OtherKind,
}

/// A signature taken apart; nothing in it is to be believed before [`Detached::is_signed_by`].
#[derive(Clone, Debug)]
pub struct Detached<'a> {
    /// What the header calls the key.
    pub kid: String,
    algorithm: Algorithm,
    header: &'a str,
    signature: &'a str,
}

fn message(header: &str, document: &Value) -> String {
    format!("{header}.{}", URL_SAFE_NO_PAD.encode(jcs::canonicalize(document)))
}

/// Signs a document. `kind` becomes the `typ` of the header, `kid` is the absolute id of the key.
///
/// # Errors
/// What the signature library says.
pub fn sign(
    key: &JwtKey,
    kid: &str,
    kind: &str,
    document: &Value,
) -> Result<String, jsonwebtoken::errors::Error> {
    let header = json!({ "alg": key.algorithm().as_str(), "kid": kid, "typ": kind });
    let header = URL_SAFE_NO_PAD.encode(json::to_text(&header));
    let signature = key.sign_bytes(message(&header, document).as_bytes())?;
    Ok(format!("{header}..{signature}"))
}

impl<'a> Detached<'a> {
    /// Takes a signature of this kind apart.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn read(text: &'a str, kind: &str) -> Result<Detached<'a>, StatementError> {
        let (header, signature) = text.split_once("..").ok_or(StatementError::NotDetached)?;
        let is_encoded = signature.len() <= LONGEST_SIGNATURE
            && !signature.is_empty()
            && URL_SAFE_NO_PAD.decode(signature).is_ok();
        if !is_encoded || header.len() > 2 * HEADER_LIMITS.bytes {
            return Err(StatementError::NotDetached);
        }
        let bytes =
            URL_SAFE_NO_PAD.decode(header).map_err(|_no_base64| StatementError::NotDetached)?;
        let parsed =
            json::parse(&bytes, &HEADER_LIMITS).map_err(|_no_json| StatementError::Header)?;
        let members = parsed.as_object().filter(|members| members.len() == 3);
        let text_of = |name: &str| members.and_then(|members| members.get(name)?.as_str());
        let algorithm = text_of("alg").and_then(Algorithm::parse).ok_or(StatementError::Header)?;
        let kid = text_of("kid").ok_or(StatementError::Header)?.to_owned();
        if text_of("typ").ok_or(StatementError::Header)? != kind {
            return Err(StatementError::OtherKind);
        }
        Ok(Detached { kid, algorithm, header, signature })
    }

    /// Whether the signature over the document was made with this key and the algorithm of the header.
    #[must_use]
    pub fn is_signed_by(&self, document: &Value, key: &PublicJwk) -> bool {
        key.algorithm() == self.algorithm
            && key.verify(message(self.header, document).as_bytes(), self.signature)
    }
}
