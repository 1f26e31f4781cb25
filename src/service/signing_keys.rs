//! Issuers' signing keys: made, rotated, retired. What happens when one is lost to somebody else: `compromise`.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use zeroize::Zeroizing;

use super::audit::{self, Change};
use super::context::{Cx, Resources, new_uuid};
use super::error::{Broken, Error};
use super::organizations;
use crate::credential::jwk::{Algorithm, JwtKey, PublicJwk};
use crate::credential::keys::{IssuerKey, parse_multikey};
use crate::domain::ids::{OrganizationId, SigningKeyId};
use crate::domain::issuing::{KeyAlgorithm, KeyEvent, KeyState};
use crate::domain::organization::Organization;
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::store::{self, DbConn};

pub use crate::store::signing_keys::SigningKey;

fn label(id: SigningKeyId) -> String {
    format!("signing_keys/{id}")
}

const fn algorithm_of(key: KeyAlgorithm) -> Algorithm {
    match key {
        KeyAlgorithm::EdDsa => Algorithm::EdDsa,
        KeyAlgorithm::Es256 => Algorithm::Es256,
        KeyAlgorithm::Rs256 => Algorithm::Rs256,
    }
}

/// Makes a new key and wraps it. Nothing is stored yet.
///
/// # Errors
/// [`Error::Internal`] when the cipher or the generator fails.
pub fn generate(
    resources: &Resources,
    organization: OrganizationId,
    algorithm: KeyAlgorithm,
    now: Timestamp,
) -> Result<SigningKey, Error> {
    let id = SigningKeyId::from_uuid(new_uuid());
    let (secret, multikey, public_jwk) = match algorithm {
        KeyAlgorithm::EdDsa => {
            let mut seed = Zeroizing::new([0_u8; 32]);
            rand::fill(seed.as_mut_slice());
            let multikey = IssuerKey::from_seed(&seed).public_multikey();
            (Zeroizing::new(seed.to_vec()), multikey, None)
        }
        KeyAlgorithm::Es256 | KeyAlgorithm::Rs256 => {
            let secret = generate_pkcs8(algorithm)?;
            let key = JwtKey::from_pkcs8(algorithm_of(algorithm), &secret);
            let public = key.map_err(Error::internal)?.public_jwk();
            (secret, public.multikey(), Some(public.to_value().to_string()))
        }
    };
    let wrapped_key = resources.keyring.wrap(&secret, &label(id)).map_err(Error::internal)?;
    Ok(SigningKey {
        id,
        organization,
        algorithm,
        multikey,
        public_jwk,
        state: KeyState::Active,
        wrapped_key,
        created_at: now,
        retired_at: None,
        compromised_at: None,
    })
}

/// A private key of 2,048 bits of RSA, or on P-256, as PKCS #8.
fn generate_pkcs8(algorithm: KeyAlgorithm) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = || Error::internal(Broken("the key generator failed"));
    let pkcs8 = if algorithm == KeyAlgorithm::Rs256 {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_unspecified| failed())?;
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair);
        der.map_err(|_unspecified| failed())?.as_ref().to_vec()
    } else {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_unspecified| failed())?;
        pair.to_pkcs8v1().map_err(|_unspecified| failed())?.as_ref().to_vec()
    };
    Ok(Zeroizing::new(pkcs8))
}

/// Unwraps an Ed25519 key for one signature. It is wiped when dropped.
///
/// # Errors
/// [`Error::Internal`] when it does not open.
pub fn open(resources: &Resources, key: &SigningKey) -> Result<IssuerKey, Error> {
    let seed =
        resources.keyring.unwrap_key(&key.wrapped_key, &label(key.id)).map_err(Error::internal)?;
    Ok(IssuerKey::from_seed(&seed))
}

/// Unwraps a key of any algorithm for signing JWTs.
///
/// # Errors
/// [`Error::Internal`] when it does not open.
pub fn open_for_jwt(resources: &Resources, key: &SigningKey) -> Result<JwtKey, Error> {
    if key.algorithm == KeyAlgorithm::EdDsa {
        return Ok(JwtKey::from_issuer_key(&open(resources, key)?));
    }
    let secret = resources.keyring.unwrap_bytes(&key.wrapped_key, &label(key.id));
    JwtKey::from_pkcs8(algorithm_of(key.algorithm), &secret.map_err(Error::internal)?)
        .map_err(Error::internal)
}

/// The public key as a JWK.
///
/// # Errors
/// [`Error::Internal`] for a stored key that is none.
pub fn public_jwk(key: &SigningKey) -> Result<PublicJwk, Error> {
    match &key.public_jwk {
        Some(text) => {
            let value = serde_json::from_str(text).map_err(Error::internal)?;
            PublicJwk::parse(&value).map_err(Error::internal)
        }
        None => {
            let key = parse_multikey(&key.multikey).map_err(Error::internal)?;
            Ok(PublicJwk::from_ed25519(key))
        }
    }
}

/// The private key in the form that other programs read: PKCS #8 as PEM.
///
/// # Errors
/// [`Error::Internal`] when it does not open.
pub fn export_pem(resources: &Resources, key: &SigningKey) -> Result<Zeroizing<String>, Error> {
    use ed25519_dalek::pkcs8::spki::der::pem::{LineEnding, encode_string};
    let secret = resources.keyring.unwrap_bytes(&key.wrapped_key, &label(key.id));
    let secret = secret.map_err(Error::internal)?;
    let pkcs8 = match key.algorithm {
        KeyAlgorithm::EdDsa => {
            // RFC 8410, 7: the 32 bytes behind a header that never changes.
            let mut der = Zeroizing::new(vec![
                0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
                0x04, 0x20,
            ]);
            der.extend_from_slice(&secret);
            der
        }
        KeyAlgorithm::Es256 | KeyAlgorithm::Rs256 => secret,
    };
    let pem = encode_string("PRIVATE KEY", LineEnding::LF, &pkcs8);
    Ok(Zeroizing::new(pem.map_err(|_encoding| Error::internal(Broken("a key without a PEM")))?))
}

/// Writes down that the secret part of a key was taken out.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn record_export(cx: &mut Cx<'_>, key: &SigningKey) -> Result<(), Error> {
    let change = Change::new("export_signing_key", Some(key.organization), "signing_key", key.id);
    cx.write(|_conn| Ok(((), change.clone())))
}

/// The key with which badges of an organization are signed: its own if it has an active one, else that of the nearest above that has.
///
/// # Errors
/// [`Error::CannotIssue`] when there is none.
pub fn find_issuer(conn: &mut DbConn, organization: OrganizationId) -> Result<SigningKey, Error> {
    let above = store::organizations::list_above(conn, organization)?;
    for candidate in std::iter::once(organization).chain(above) {
        if let Some(key) = store::signing_keys::find_active(conn, candidate, KeyAlgorithm::EdDsa)? {
            return Ok(key);
        }
    }
    Err(Error::CannotIssue(
        "no signing key: a key custodian makes one for the organization or for one above it"
            .to_owned(),
    ))
}

/// The active key of an issuer for an algorithm, made now if there is none: an issuer that changes its algorithm does not have to know
/// that this takes a key.
///
/// # Errors
/// [`Error::Internal`] when the database or the generator fails.
pub fn ensure_active(
    conn: &mut DbConn,
    resources: &Resources,
    issuer: OrganizationId,
    algorithm: KeyAlgorithm,
    now: Timestamp,
) -> Result<SigningKey, Error> {
    if let Some(key) = store::signing_keys::find_active(conn, issuer, algorithm)? {
        return Ok(key);
    }
    let key = generate(resources, issuer, algorithm, now)?;
    store::signing_keys::create(conn, &key)?;
    audit::append(conn, None, &created(&key), now)?;
    Ok(key)
}

fn created(key: &SigningKey) -> Change {
    Change::new("create_signing_key", Some(key.organization), "signing_key", key.id)
        .with("algorithm", key.algorithm)
        .with("multikey", &key.multikey)
}

fn load(
    cx: &mut Cx<'_>,
    operation: &'static str,
    organization: OrganizationId,
) -> Result<Organization, Error> {
    let (found, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, operation, &subject)?;
    Ok(found)
}

/// `POST /organizations/{id}/signing-keys`: a new key, which signs from now on what its algorithm signs. Older ones stay published.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn create(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    algorithm: KeyAlgorithm,
) -> Result<SigningKey, Error> {
    load(cx, "create_signing_key", organization)?;
    let key = generate(cx.resources, organization, algorithm, cx.now)?;
    cx.write(|conn| {
        store::signing_keys::create(conn, &key)?;
        Ok((key.clone(), created(&key)))
    })
}

/// `GET /organizations/{id}/signing-keys`: every key the organization ever had, the newest first.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn list(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<Vec<SigningKey>, Error> {
    load(cx, "list_signing_keys", organization)?;
    Ok(store::signing_keys::list(cx.conn, organization)?)
}

/// The key of an organization, whose caller has been checked.
pub(super) fn find_own(
    conn: &mut DbConn,
    organization: OrganizationId,
    id: SigningKeyId,
) -> Result<SigningKey, Error> {
    store::signing_keys::find(conn, organization, id)?.ok_or(Error::NotFound("signing key"))
}

/// `POST /organizations/{id}/signing-keys/{key_id}/retire`: takes a key out of use. What it signed stays valid, and it stays published.
///
/// # Errors
/// [`Error::WrongState`] unless it is active, or when it is the last that can sign badges and status lists.
pub fn retire(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    id: SigningKeyId,
) -> Result<SigningKey, Error> {
    load(cx, "retire_signing_key", organization)?;
    let now = cx.now;
    cx.write(|conn| {
        let key = find_own(conn, organization, id)?;
        key.state.require(KeyEvent::Retire)?;
        let others = store::signing_keys::list(conn, organization)?;
        let is_last = !others.iter().any(|other| {
            other.id != key.id
                && other.algorithm == key.algorithm
                && other.state == KeyState::Active
        });
        if is_last && key.algorithm == KeyAlgorithm::EdDsa {
            return Err(Error::WrongState {
                detail: "this is the only key that can sign badges and status lists; make a new one first, then retire this one".to_owned(),
                allowed_events: vec![KeyEvent::Compromise.as_str()],
            });
        }
        store::signing_keys::save_state(conn, &key, KeyState::Retired, now)?;
        let change = Change::new("retire_signing_key", Some(organization), "signing_key", id);
        Ok((find_own(conn, organization, id)?, change))
    })
}

/// Makes a new key and retires those that signed until now with the same algorithm, in one commit.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn rotate(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    algorithm: KeyAlgorithm,
) -> Result<SigningKey, Error> {
    load(cx, "create_signing_key", organization)?;
    let (now, actor) = (cx.now, cx.actor.person());
    let key = generate(cx.resources, organization, algorithm, now)?;
    cx.write(|conn| {
        for old in store::signing_keys::list(conn, organization)? {
            if old.state == KeyState::Active && old.algorithm == algorithm {
                store::signing_keys::save_state(conn, &old, KeyState::Retired, now)?;
                let change =
                    Change::new("retire_signing_key", Some(organization), "signing_key", old.id);
                audit::append(conn, actor, &change, now)?;
            }
        }
        store::signing_keys::create(conn, &key)?;
        Ok((key.clone(), created(&key)))
    })
}
