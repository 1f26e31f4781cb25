//! Bitstring Status List 1.0: one bit a credential, published and signed by the issuer.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::contexts::CREDENTIALS_V2;
use super::jwk::JwtKey;
use super::jwt::{self, JwtError, SignedJwt};
use super::keys::IssuerKey;
use super::proof::{self, SignError, SignedCredential, timestamp};

/// Fewest entries of a list, for the earners' privacy (Bitstring Status List 1.0, section 6.1: 16 KiB).
pub const MIN_ENTRIES: usize = 131_072;
/// Most entries that are read.
pub const MAX_ENTRIES: usize = 16 * 1024 * 1024;
/// Longest compressed list that is read, in characters.
const MAX_ENCODED: usize = 4 * 1024 * 1024;

/// The bits of a list. All are clear at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    bytes: Vec<u8>,
}

/// Why a list was not read or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusListError {
    /// The text is not multibase base64url.
    #[error("the list is not written as multibase base64url")]
    NotMultibase,
    /// The bytes are not one gzip stream.
    #[error("the list is not one gzip stream")]
    NotGzip,
    /// The list is longer than any list should be.
    #[error("the list has more than {MAX_ENTRIES} entries")]
    TooLong,
    /// The list is too short to hide anybody in.
    #[error("the list has fewer than {MIN_ENTRIES} entries")]
    TooShort,
    /// The index is outside of the list.
    #[error("the list has no entry {index}")]
    OutOfRange {
        /// The index.
        index: usize,
    },
}

impl StatusList {
    /// A list of at least this many entries, rounded up to whole bytes and to [`MIN_ENTRIES`].
    pub fn new(entries: usize) -> Result<StatusList, StatusListError> {
        if entries > MAX_ENTRIES {
            return Err(StatusListError::TooLong);
        }
        Ok(StatusList { bytes: vec![0; entries.max(MIN_ENTRIES).div_ceil(8)] })
    }

    /// How many entries the list has.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.bytes.len() * 8
    }

    /// Whether the bit is set. Bit 0 is the leftmost of the first byte.
    pub fn is_set(&self, index: usize) -> Result<bool, StatusListError> {
        let byte = self.bytes.get(index / 8).ok_or(StatusListError::OutOfRange { index })?;
        Ok(byte & (0x80 >> (index % 8)) != 0)
    }

    /// Sets or clears the bit.
    pub fn set(&mut self, index: usize, value: bool) -> Result<(), StatusListError> {
        let byte = self.bytes.get_mut(index / 8).ok_or(StatusListError::OutOfRange { index })?;
        let mask = 0x80 >> (index % 8);
        if value {
            *byte |= mask
        } else {
            *byte &= !mask
        }
        Ok(())
    }

    /// `u` and base64url of the gzipped bits.
    pub fn encode(&self) -> Result<String, std::io::Error> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.bytes)?;
        Ok(format!("u{}", URL_SAFE_NO_PAD.encode(encoder.finish()?)))
    }

    /// Reads an `encodedList`, never more than [`MAX_ENTRIES`] of it.
    pub fn decode(encoded: &str) -> Result<StatusList, StatusListError> {
        let text = encoded.strip_prefix('u').ok_or(StatusListError::NotMultibase)?;
        if text.len() > MAX_ENCODED {
            return Err(StatusListError::TooLong);
        }
        let Ok(compressed) = URL_SAFE_NO_PAD.decode(text) else {
            return Err(StatusListError::NotMultibase);
        };
        let limit = MAX_ENTRIES / 8;
        let mut decoder = GzDecoder::new(compressed.as_slice()).take(limit as u64 + 1);
        let mut bytes = Vec::new();
        if decoder.read_to_end(&mut bytes).is_err() {
            return Err(StatusListError::NotGzip);
        }
        if bytes.len() > limit {
            return Err(StatusListError::TooLong);
        }
        if !decoder.into_inner().into_inner().is_empty() {
            return Err(StatusListError::NotGzip);
        }
        if bytes.len() * 8 < MIN_ENTRIES {
            return Err(StatusListError::TooShort);
        }
        Ok(StatusList { bytes })
    }
}

/// Everything that goes into a published list.
#[derive(Clone, Debug)]
pub struct StatusListContent {
    /// The list's own URL.
    pub id: String,
    /// Id of the issuer, the same as that of its badges.
    pub issuer: String,
    /// Since when this state is published.
    pub valid_from: DateTime<Utc>,
    /// What a set bit means: `revocation` or `suspension`.
    pub purpose: String,
    /// The bits.
    pub list: StatusList,
}

/// Why a list was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The bits cannot be compressed.
    #[error("the list cannot be compressed")]
    Encode(#[from] std::io::Error),
    /// The list cannot be signed.
    #[error("the list cannot be signed")]
    Sign(#[from] SignError),
    /// The list cannot be signed as JWT.
    #[error("the list cannot be signed as JWT")]
    Jwt(#[from] JwtError),
}

/// Signs a `BitstringStatusListCredential`.
pub fn publish(
    key: &IssuerKey,
    content: &StatusListContent,
    verification_method: &str,
    created: DateTime<Utc>,
) -> Result<SignedCredential, PublishError> {
    let document = document(content)?;
    let canonical = proof::canonicalize(&document).map_err(SignError::from)?;
    Ok(proof::sign_document(key, document, &canonical.hash, verification_method, created)?)
}

/// Signs a `BitstringStatusListCredential` as VC-JWT. The key id is absolute.
pub fn publish_jwt(
    key: &JwtKey,
    content: &StatusListContent,
    kid: &str,
) -> Result<SignedJwt, PublishError> {
    Ok(jwt::sign_document(key, &document(content)?, kid)?)
}

fn document(content: &StatusListContent) -> Result<Value, std::io::Error> {
    Ok(json!({
        "@context": [CREDENTIALS_V2],
        "id": content.id,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": content.issuer,
        "validFrom": timestamp(content.valid_from),
        "credentialSubject": {
            "id": format!("{}#list", content.id),
            "type": "BitstringStatusList",
            "statusPurpose": content.purpose,
            "encodedList": content.list.encode()?,
        },
    }))
}
