//! Access tokens: short JWTs signed with EdDSA, every claim required and checked (RFC 7519, RFC 9068).

use std::sync::PoisonError;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::context::{Resources, new_uuid};
use super::error::{Broken, Error};
use crate::domain::ids::{PersonId, SessionId};
use crate::domain::timestamp::Timestamp;
use crate::store::{self, DbConn, Lease};

/// How long an access token lives.
pub const LIFE: TimeDelta = TimeDelta::minutes(15);
/// How far two clocks may differ.
const SKEW: i64 = 30;
/// The type of our access tokens (RFC 9068, 2.1).
const TYPE: &str = "at+jwt";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

struct TokenKey {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// The keys of access tokens, the newest first. Empty until the first is needed.
#[derive(Default)]
pub struct TokenKeys(Vec<TokenKey>);

fn read_keys(conn: &mut DbConn, resources: &Resources) -> Result<TokenKeys, Error> {
    let mut keys = Vec::new();
    for (id, wrapped) in store::sessions::list_token_keys(conn)? {
        let seed = resources.keyring.unwrap_key(&wrapped, &label(&id)).map_err(Error::internal)?;
        let signing = SigningKey::from_bytes(&seed);
        let der = signing
            .to_pkcs8_der()
            .map_err(|_failed| Error::internal(Broken("a token key cannot be encoded")))?;
        let x = URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes());
        keys.push(TokenKey {
            id,
            encoding: EncodingKey::from_ed_der(der.as_bytes()),
            decoding: DecodingKey::from_ed_components(&x).map_err(Error::internal)?,
        });
    }
    Ok(TokenKeys(keys))
}

fn label(id: &str) -> String {
    format!("token_keys/{id}")
}

/// Sees to it that there is a key, and that this process knows it.
///
/// # Errors
/// [`Error::Internal`] when the database fails or a key does not open.
pub fn ensure_key(conn: &mut Lease, resources: &Resources, now: Timestamp) -> Result<(), Error> {
    let known = |resources: &Resources| {
        !resources.token_keys.read().unwrap_or_else(PoisonError::into_inner).0.is_empty()
    };
    if known(resources) {
        return Ok(());
    }
    store::write(conn, |conn| {
        if store::sessions::list_token_keys(conn)?.is_empty() {
            let id = new_uuid().to_string();
            let mut seed = Zeroizing::new([0_u8; 32]);
            rand::fill(seed.as_mut_slice());
            let wrapped =
                resources.keyring.wrap(seed.as_slice(), &label(&id)).map_err(Error::internal)?;
            store::sessions::create_token_key(conn, &id, &wrapped, now)?;
        }
        Ok::<(), Error>(())
    })?;
    reload(conn, resources)
}

fn reload(conn: &mut DbConn, resources: &Resources) -> Result<(), Error> {
    let keys = read_keys(conn, resources)?;
    *resources.token_keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    Ok(())
}

fn audience(base_url: &str) -> String {
    format!("{base_url}/api/v1")
}

/// Makes an access token for a session.
///
/// # Errors
/// [`Error::Internal`] when it cannot be signed.
pub fn issue(
    conn: &mut Lease,
    resources: &Resources,
    base_url: &str,
    person: PersonId,
    session: SessionId,
    now: Timestamp,
) -> Result<String, Error> {
    ensure_key(conn, resources, now)?;
    let seconds = now.as_utc().timestamp();
    let claims = Claims {
        iss: base_url.to_owned(),
        aud: audience(base_url),
        sub: person.to_string(),
        sid: session.to_string(),
        jti: new_uuid().to_string(),
        iat: seconds,
        nbf: seconds,
        exp: seconds + LIFE.num_seconds(),
    };
    let keys = resources.token_keys.read().unwrap_or_else(PoisonError::into_inner);
    let key = keys
        .0
        .first()
        .ok_or_else(|| Error::internal(Broken("there is no key for access tokens")))?;
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(key.id.clone());
    jsonwebtoken::encode(&header, &claims, &key.encoding).map_err(Error::internal)
}

/// Reads an access token. Whether its session still lives is for the caller to ask.
///
/// # Errors
/// [`Error::SignInEnded`] for whatever is wrong with it.
pub fn read(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    token: &str,
    now: Timestamp,
) -> Result<(PersonId, SessionId), Error> {
    let header = jsonwebtoken::decode_header(token).map_err(|_bad| Error::SignInEnded)?;
    let kid = header.kid.as_deref().ok_or(Error::SignInEnded)?;
    if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
        return Err(Error::SignInEnded);
    }
    // Another process may have made the key; an unknown id is looked for once.
    let is_known = |resources: &Resources| {
        resources
            .token_keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .iter()
            .any(|key| key.id == kid)
    };
    if !is_known(resources) && uuid::Uuid::try_parse(kid).is_ok() {
        reload(conn, resources)?;
    }
    let keys = resources.token_keys.read().unwrap_or_else(PoisonError::into_inner);
    let key = keys.0.iter().find(|key| key.id == kid).ok_or(Error::SignInEnded)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[base_url]);
    validation.set_audience(&[audience(base_url)]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    // The library asks the computer's clock; ours is a value, and is compared below.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation)
        .map_err(|_bad| Error::SignInEnded)?
        .claims;
    let seconds = now.as_utc().timestamp();
    let is_in_time = claims.nbf <= seconds + SKEW
        && claims.iat <= seconds + SKEW
        && seconds < claims.exp.saturating_add(SKEW);
    let is_short = claims.exp.saturating_sub(claims.iat) <= LIFE.num_seconds();
    if !is_in_time || !is_short {
        return Err(Error::SignInEnded);
    }
    let person = claims.sub.parse().map_err(|_bad| Error::SignInEnded)?;
    let session = claims.sid.parse().map_err(|_bad| Error::SignInEnded)?;
    Ok((person, session))
}
