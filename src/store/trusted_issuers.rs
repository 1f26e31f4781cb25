//! The issuers that organizations recognise.

use diesel::prelude::*;

use super::schema::trusted_issuer_lists;
use super::{DbConn, StoreError};
use crate::domain::ids::OrganizationId;
use crate::domain::timestamp::Timestamp;

/// The list of an organization with its revision; empty and 0 where nobody has set one.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<(Vec<String>, i32), StoreError> {
    let row: Option<(String, i32)> = trusted_issuer_lists::table
        .find(organization.to_string())
        .select((trusted_issuer_lists::issuers, trusted_issuer_lists::revision))
        .first(conn)
        .optional()?;
    let Some((issuers, revision)) = row else { return Ok((Vec::new(), 0)) };
    let issuers = serde_json::from_str(&issuers).map_err(|_bad| {
        StoreError::corrupt("trusted_issuer_lists", &organization.to_string(), "issuers")
    })?;
    Ok((issuers, revision))
}

/// Stores a list over the one that was read at this revision.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else has set it since.
pub fn save(
    conn: &mut DbConn,
    organization: OrganizationId,
    issuers: &[String],
    revision: i32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = serde_json::Value::from(issuers.to_vec()).to_string();
    let values = (
        trusted_issuer_lists::issuers.eq(&text),
        trusted_issuer_lists::revision.eq(revision + 1),
        trusted_issuer_lists::updated_at.eq(now.naive()),
    );
    let unchanged = trusted_issuer_lists::table
        .find(organization.to_string())
        .filter(trusted_issuer_lists::revision.eq(revision));
    if diesel::update(unchanged).set(values).execute(conn)? == 1 {
        return Ok(());
    }
    if revision != 0 {
        return Err(StoreError::Stale);
    }
    diesel::insert_into(trusted_issuer_lists::table)
        .values((trusted_issuer_lists::organization_id.eq(organization.to_string()), values))
        .execute(conn)
        .map_err(StoreError::outrun)?;
    Ok(())
}
