//! The public keys of an issuer, in the documents where verifiers look for them.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::contexts::{DID, JWK, MULTIKEY, OPEN_BADGES};
use super::document::{IssuerContent, profile, set, set_all};
use super::jwk::PublicJwk;
use super::proof::timestamp;

/// A public key as its issuer publishes it.
#[derive(Clone, Debug)]
pub struct PublishedKey {
    /// The absolute id of the key: what a proof or a token names.
    pub id: String,
    /// The key itself.
    pub material: KeyMaterial,
    /// Since when it is known to be compromised. Retired keys have no such time: they still verify.
    pub revoked: Option<DateTime<Utc>>,
}

/// A public key, in the form in which verifiers look for it.
#[derive(Clone, Debug)]
pub enum KeyMaterial {
    /// `z6Mk…`: for embedded proofs.
    Multikey(String),
    /// For JWTs.
    Jwk(PublicJwk),
}

impl PublishedKey {
    /// A key for embedded proofs, under [`multikey_id`].
    #[must_use]
    pub fn multikey(issuer: &str, multikey: &str, revoked: Option<DateTime<Utc>>) -> PublishedKey {
        let material = KeyMaterial::Multikey(multikey.to_owned());
        PublishedKey { id: multikey_id(issuer, multikey), material, revoked }
    }

    /// A key for JWTs, under the key id that they carry.
    #[must_use]
    pub fn jwk(kid: &str, jwk: PublicJwk, revoked: Option<DateTime<Utc>>) -> PublishedKey {
        PublishedKey { id: kid.to_owned(), material: KeyMaterial::Jwk(jwk), revoked }
    }
}

/// The absolute id of a key for embedded proofs, `{issuer}#{multikey}`.
#[must_use]
pub fn multikey_id(issuer: &str, multikey: &str) -> String {
    format!("{issuer}#{multikey}")
}

/// The public profile of an issuer, which is also its controller document.
///
/// The DID context comes first: the common verifier then reads `assertionMethod` as it stands. A compromised key is
/// listed as `revoked` and is no longer an `assertionMethod`, so that verifiers which do not look at `revoked`
/// refuse it as well.
#[must_use]
pub fn issuer_document(issuer: &IssuerContent, keys: &[PublishedKey]) -> Value {
    let mut document = profile(issuer);
    if let Some(object) = document.as_object_mut() {
        object.insert("@context".to_owned(), json!([DID, MULTIKEY, JWK, OPEN_BADGES]));
        set_keys(object, &issuer.id, keys);
    }
    document
}

/// The DID document of an issuer whose id is a `did:web` (DID Core 1.0, section 5).
#[must_use]
pub fn did_document(did: &str, keys: &[PublishedKey]) -> Value {
    let mut object = Map::new();
    object.insert("@context".to_owned(), json!([DID, MULTIKEY, JWK]));
    set(&mut object, "id", Some(did));
    set_keys(&mut object, did, keys);
    Value::Object(object)
}

fn set_keys(object: &mut Map<String, Value>, controller: &str, keys: &[PublishedKey]) {
    let methods = keys.iter().map(|key| verification_method(controller, key)).collect();
    set_all(object, "verificationMethod", methods);
    let usable = keys.iter().filter(|key| key.revoked.is_none());
    set_all(object, "assertionMethod", usable.map(|key| json!(key.id)).collect());
}

/// The JWK Set of an issuer (RFC 7517, section 5): its keys for JWTs that are not compromised.
#[must_use]
pub fn jwks(keys: &[PublishedKey]) -> Value {
    let keys: Vec<Value> = keys
        .iter()
        .filter(|key| key.revoked.is_none())
        .filter_map(|key| match &key.material {
            KeyMaterial::Multikey(_) => None,
            KeyMaterial::Jwk(jwk) => Some(named_jwk(&key.id, jwk)),
        })
        .collect();
    json!({ "keys": keys })
}

fn named_jwk(kid: &str, jwk: &PublicJwk) -> Value {
    let mut value = jwk.to_value();
    value["kid"] = json!(kid);
    value["use"] = json!("sig");
    value
}

/// The document of one key alone: for a JWT the bare JWK, else the verification method.
#[must_use]
pub fn key_document(controller: &str, key: &PublishedKey) -> Value {
    if let KeyMaterial::Jwk(jwk) = &key.material {
        return named_jwk(&key.id, jwk);
    }
    let mut document = verification_method(controller, key);
    if let Some(object) = document.as_object_mut() {
        object.insert("@context".to_owned(), json!([MULTIKEY]));
    }
    document
}

fn verification_method(controller: &str, key: &PublishedKey) -> Value {
    let mut object = Map::new();
    set(&mut object, "id", Some(&key.id));
    match &key.material {
        KeyMaterial::Multikey(multikey) => {
            set(&mut object, "type", Some("Multikey"));
            set(&mut object, "publicKeyMultibase", Some(multikey));
        }
        KeyMaterial::Jwk(jwk) => {
            set(&mut object, "type", Some("JsonWebKey"));
            object.insert("publicKeyJwk".to_owned(), jwk.to_value());
        }
    }
    set(&mut object, "controller", Some(controller));
    set(&mut object, "revoked", key.revoked.map(timestamp).as_deref());
    Value::Object(object)
}
