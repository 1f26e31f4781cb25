//! Ed25519 keys as Multikeys and as `did:key`. Keys of other kinds are in [`super::jwk`].

use std::fmt;

use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// The multicodec prefix of an Ed25519 public key, `0xed` as a varint (Controlled Identifiers 1.0, section 2.2.2).
const ED25519_PUBLIC: [u8; 2] = [0xed, 0x01];
/// Longest Multikey text that is looked at. An Ed25519 key has 48 characters.
const MAX_MULTIKEY: usize = 128;

/// Why a text is not a key that is understood here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not base58btc with a `z` in front.
    #[error("the key is not written as a Multikey")]
    NotMultikey,
    /// The key is of a kind that is not understood here.
    #[error("the key is of a kind that is not supported")]
    OtherKind,
    /// The bytes are no usable public key.
    #[error("the key is not a usable public key")]
    BadPoint,
    /// The text is no `did:key`, or its fragment is not the key.
    #[error("the identifier is not a did:key of one key")]
    NotDidKey,
    /// A member of a JWK is missing, malformed or contradicts the others.
    #[error("the member {0:?} of the JWK is missing or malformed")]
    BadMember(&'static str),
    /// A JWK that should be public holds a private member.
    #[error("the JWK is not a public key")]
    Private,
    /// An RSA key that is too short to be safe, or too long to be checked in time.
    #[error("the RSA key does not have between 2048 and 4096 bits")]
    BadSize,
    /// The private key is not PKCS#8 of this kind.
    #[error("the private key is not PKCS#8 of its kind")]
    NotPkcs8,
}

/// The private key of an issuer. Wiped from memory when dropped; its `Debug` form says nothing.
pub struct IssuerKey {
    signing: SigningKey,
}

impl IssuerKey {
    /// The key that belongs to 32 secret random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> IssuerKey {
        IssuerKey { signing: SigningKey::from_bytes(seed) }
    }

    /// The key in a PKCS#8 document.
    pub(super) fn from_pkcs8(der: &[u8]) -> Result<IssuerKey, KeyError> {
        match SigningKey::from_pkcs8_der(der) {
            Ok(signing) => Ok(IssuerKey { signing }),
            Err(_) => Err(KeyError::NotPkcs8),
        }
    }

    pub(super) fn duplicate(&self) -> IssuerKey {
        IssuerKey { signing: self.signing.clone() }
    }

    /// The public half as a Multikey, `z6Mk…`.
    #[must_use]
    pub fn public_multikey(&self) -> String {
        multikey(&self.signing.verifying_key())
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> VerifyingKey {
        self.signing.verifying_key()
    }

    /// Signs exactly these bytes. Credentials are signed by [`super::proof::sign`].
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> Signature {
        self.signing.sign(message)
    }
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IssuerKey")
    }
}

/// The Multikey of a public key.
#[must_use]
pub fn multikey(key: &VerifyingKey) -> String {
    let mut bytes = [0; 34];
    bytes[..2].copy_from_slice(&ED25519_PUBLIC);
    bytes[2..].copy_from_slice(key.as_bytes());
    format!("z{}", bs58::encode(bytes).into_string())
}

/// The `did:key` that is this key.
#[must_use]
pub fn did_key(key: &VerifyingKey) -> String {
    format!("did:key:{}", multikey(key))
}

/// The one verification method of [`did_key`], which repeats the key as its fragment (did:key, section 3.1.1).
#[must_use]
pub fn did_key_method(key: &VerifyingKey) -> String {
    let multikey = multikey(key);
    format!("did:key:{multikey}#{multikey}")
}

/// The public key of a Multikey. Weak keys, with which one signature fits many messages, are refused.
pub fn parse_multikey(text: &str) -> Result<VerifyingKey, KeyError> {
    let Some(encoded) = text.strip_prefix('z') else { return Err(KeyError::NotMultikey) };
    if text.len() > MAX_MULTIKEY {
        return Err(KeyError::NotMultikey);
    }
    let Ok(bytes) = bs58::decode(encoded).into_vec() else { return Err(KeyError::NotMultikey) };
    let Some(point) = bytes.strip_prefix(&ED25519_PUBLIC) else { return Err(KeyError::OtherKind) };
    let Ok(point) = <&[u8; 32]>::try_from(point) else { return Err(KeyError::BadPoint) };
    match VerifyingKey::from_bytes(point) {
        Ok(key) if !key.is_weak() && multikey(&key) == text => Ok(key),
        Ok(_) | Err(_) => Err(KeyError::BadPoint),
    }
}

/// The public key that a `did:key` is, with or without the fragment, which must repeat the key.
pub fn resolve_did_key(identifier: &str) -> Result<VerifyingKey, KeyError> {
    let Some(rest) = identifier.strip_prefix("did:key:") else { return Err(KeyError::NotDidKey) };
    let (key, fragment) = match rest.split_once('#') {
        Some((key, fragment)) => (key, Some(fragment)),
        None => (rest, None),
    };
    if fragment.is_some_and(|fragment| fragment != key) {
        return Err(KeyError::NotDidKey);
    }
    parse_multikey(key)
}
