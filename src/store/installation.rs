//! What is fixed once, at `init`: the base URL that badges are signed with.

use diesel::prelude::*;

use super::schema::installation;
use super::{DbConn, StoreError};
use crate::domain::timestamp::Timestamp;

/// What `init` has fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Where badges say they live, without a slash at the end.
    pub base_url: String,
    /// Whether it was made by `demo`: only then may badges carry an `http` address.
    pub is_demo: bool,
}

/// What was fixed, if anything was.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn) -> Result<Option<Installation>, StoreError> {
    let row: Option<(String, String)> = installation::table
        .find(1)
        .select((installation::base_url, installation::purpose))
        .first(conn)
        .optional()?;
    Ok(row.map(|(base_url, purpose)| Installation { base_url, is_demo: purpose == "demo" }))
}

/// Fixes it.
///
/// # Errors
/// [`StoreError::Duplicate`] the second time.
pub fn create(conn: &mut DbConn, new: &Installation, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(installation::table)
        .values((
            installation::id.eq(1),
            installation::base_url.eq(&new.base_url),
            installation::purpose.eq(if new.is_demo { "demo" } else { "service" }),
            installation::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("installation"))?;
    Ok(())
}
