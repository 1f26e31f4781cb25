//! Issuers' signing keys, wrapped.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::signing_keys;
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, SigningKeyId};
use crate::domain::timestamp::Timestamp;

/// A signing key as stored. The secret part is wrapped by a key that is not in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its id.
    pub id: SigningKeyId,
    /// The issuer.
    pub organization: OrganizationId,
    /// The public key as a Multikey, `z6Mk…`.
    pub multikey: String,
    /// `active`, `retired` or `compromised`.
    pub state: String,
    /// The wrapped secret.
    pub wrapped_key: Vec<u8>,
    /// Since when.
    pub created_at: Timestamp,
}

type Row = (String, String, String, String, Vec<u8>, NaiveDateTime);

const COLUMNS: (
    signing_keys::id,
    signing_keys::organization_id,
    signing_keys::multikey,
    signing_keys::state,
    signing_keys::wrapped_key,
    signing_keys::created_at,
) = (
    signing_keys::id,
    signing_keys::organization_id,
    signing_keys::multikey,
    signing_keys::state,
    signing_keys::wrapped_key,
    signing_keys::created_at,
);

fn from_row(
    (id, organization, multikey, state, wrapped_key, created_at): Row,
) -> Result<SigningKey, StoreError> {
    let corrupt = |column| StoreError::corrupt("signing_keys", &id, column);
    Ok(SigningKey {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        multikey,
        state,
        wrapped_key,
        created_at: Timestamp::from_naive(created_at),
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
            signing_keys::multikey.eq(&new.multikey),
            signing_keys::state.eq(&new.state),
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
        .select(COLUMNS)
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
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
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// The key that an organization signs with now: its newest active one.
///
/// # Errors
/// [`StoreError`].
pub fn find_active(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<SigningKey>, StoreError> {
    Ok(list(conn, organization)?.into_iter().find(|key| key.state == "active"))
}
