//! Issuers' signing keys, wrapped.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::signing_keys;
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, SigningKeyId};
use crate::domain::issuing::{KeyAlgorithm, KeyState};
use crate::domain::timestamp::Timestamp;

/// A signing key as stored. The secret part is wrapped by a key that is not in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its id.
    pub id: SigningKeyId,
    /// The issuer.
    pub organization: OrganizationId,
    /// What it signs with.
    pub algorithm: KeyAlgorithm,
    /// The public key as a Multikey, `z6Mk…` for Ed25519.
    pub multikey: String,
    /// The public key as a JWK, where it is no Ed25519 key.
    pub public_jwk: Option<String>,
    /// Where it stands.
    pub state: KeyState,
    /// The wrapped secret.
    pub wrapped_key: Vec<u8>,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when it signs no more.
    pub retired_at: Option<Timestamp>,
    /// Since when it is given up.
    pub compromised_at: Option<Timestamp>,
}

type Row = (
    (String, String, String, String, Option<String>, String),
    (Vec<u8>, NaiveDateTime, Option<NaiveDateTime>, Option<NaiveDateTime>),
);

macro_rules! key_columns {
    () => {
        (
            (
                signing_keys::id,
                signing_keys::organization_id,
                signing_keys::algorithm,
                signing_keys::multikey,
                signing_keys::public_jwk,
                signing_keys::state,
            ),
            (
                signing_keys::wrapped_key,
                signing_keys::created_at,
                signing_keys::retired_at,
                signing_keys::compromised_at,
            ),
        )
    };
}

fn from_row((facts, secret): Row) -> Result<SigningKey, StoreError> {
    let (id, organization, algorithm, multikey, public_jwk, state) = facts;
    let (wrapped_key, created_at, retired_at, compromised_at) = secret;
    let corrupt = |column| StoreError::corrupt("signing_keys", &id, column);
    Ok(SigningKey {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        algorithm: KeyAlgorithm::parse(&algorithm).ok_or_else(|| corrupt("algorithm"))?,
        multikey,
        public_jwk,
        state: KeyState::parse(&state).ok_or_else(|| corrupt("state"))?,
        wrapped_key,
        created_at: Timestamp::from_naive(created_at),
        retired_at: retired_at.map(Timestamp::from_naive),
        compromised_at: compromised_at.map(Timestamp::from_naive),
    })
}

/// Adds an active key.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &SigningKey) -> Result<(), StoreError> {
    diesel::insert_into(signing_keys::table)
        .values((
            signing_keys::id.eq(new.id.to_string()),
            signing_keys::organization_id.eq(new.organization.to_string()),
            signing_keys::algorithm.eq(new.algorithm.as_str()),
            signing_keys::multikey.eq(&new.multikey),
            signing_keys::public_jwk.eq(new.public_jwk.as_deref()),
            signing_keys::state.eq(new.state.as_str()),
            signing_keys::wrapped_key.eq(&new.wrapped_key),
            signing_keys::created_at.eq(new.created_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The keys of an organization, the newest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Vec<SigningKey>, StoreError> {
    let rows: Vec<Row> = signing_keys::table
        .filter(signing_keys::organization_id.eq(organization.to_string()))
        .order((signing_keys::created_at.desc(), signing_keys::id.desc()))
        .select(key_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Every key of every organization, the newest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_all(conn: &mut DbConn) -> Result<Vec<SigningKey>, StoreError> {
    let rows: Vec<Row> = signing_keys::table
        .order((signing_keys::created_at.desc(), signing_keys::id.desc()))
        .select(key_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// The organizations that have, or had, a signing key.
///
/// # Errors
/// [`StoreError`].
pub fn list_issuers(conn: &mut DbConn) -> Result<Vec<OrganizationId>, StoreError> {
    let ids: Vec<String> = signing_keys::table
        .select(signing_keys::organization_id)
        .distinct()
        .order(signing_keys::organization_id)
        .load(conn)?;
    ids.into_iter()
        .map(|id| {
            id.parse().map_err(|_bad| StoreError::corrupt("signing_keys", &id, "organization_id"))
        })
        .collect()
}

/// One key of an organization.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    organization: OrganizationId,
    id: SigningKeyId,
) -> Result<Option<SigningKey>, StoreError> {
    let row: Option<Row> = signing_keys::table
        .find(id.to_string())
        .filter(signing_keys::organization_id.eq(organization.to_string()))
        .select(key_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// The key that an organization signs with now: its newest active one of this algorithm.
///
/// # Errors
/// [`StoreError`].
pub fn find_active(
    conn: &mut DbConn,
    organization: OrganizationId,
    algorithm: KeyAlgorithm,
) -> Result<Option<SigningKey>, StoreError> {
    Ok(list(conn, organization)?
        .into_iter()
        .find(|key| key.state == KeyState::Active && key.algorithm == algorithm))
}

/// A key by its id alone: its public part is public.
///
/// # Errors
/// [`StoreError`].
pub fn find_public(conn: &mut DbConn, id: SigningKeyId) -> Result<Option<SigningKey>, StoreError> {
    let row: Option<Row> =
        signing_keys::table.find(id.to_string()).select(key_columns!()).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// The key with this public part, whoever's it is.
///
/// # Errors
/// [`StoreError`].
pub fn find_by_multikey(
    conn: &mut DbConn,
    multikey: &str,
) -> Result<Option<SigningKey>, StoreError> {
    let row: Option<Row> = signing_keys::table
        .filter(signing_keys::multikey.eq(multikey))
        .select(key_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// Moves a key on from the state in which it was read.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on already.
pub fn save_state(
    conn: &mut DbConn,
    key: &SigningKey,
    state: KeyState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let retired_at = key.retired_at.unwrap_or(now);
    let compromised_at = (state == KeyState::Compromised).then(|| now.naive());
    let unchanged = signing_keys::table
        .find(key.id.to_string())
        .filter(signing_keys::organization_id.eq(key.organization.to_string()))
        .filter(signing_keys::state.eq(key.state.as_str()));
    let n_rows = diesel::update(unchanged)
        .set((
            signing_keys::state.eq(state.as_str()),
            signing_keys::retired_at.eq(Some(retired_at.naive())),
            signing_keys::compromised_at.eq(compromised_at),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}
