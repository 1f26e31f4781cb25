//! Published status lists. The bits follow from the awards and are not stored twice.

use diesel::prelude::*;

use super::schema::status_lists;
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, StatusListId};
use crate::domain::issuing::ListPurpose;
use crate::domain::timestamp::Timestamp;

/// A status list as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredList {
    /// Its id.
    pub id: StatusListId,
    /// Whose badges it is about.
    pub organization: OrganizationId,
    /// How many places it has.
    pub size: i32,
    /// What a set bit means.
    pub purpose: ListPurpose,
    /// The issuer's id as the badges on it name it; `None` is the https address of the organization.
    pub issuer: Option<String>,
    /// The signed list as published last.
    pub document: Option<String>,
    /// The same as a JWT.
    pub jwt: Option<String>,
    /// Counts its publications.
    pub revision: i32,
}

type Row = (String, String, i32, String, Option<String>, Option<String>, Option<String>, i32);

const COLUMNS: (
    status_lists::id,
    status_lists::organization_id,
    status_lists::size,
    status_lists::purpose,
    status_lists::issuer,
    status_lists::document,
    status_lists::jwt,
    status_lists::revision,
) = (
    status_lists::id,
    status_lists::organization_id,
    status_lists::size,
    status_lists::purpose,
    status_lists::issuer,
    status_lists::document,
    status_lists::jwt,
    status_lists::revision,
);

fn from_row(row: Row) -> Result<StoredList, StoreError> {
    let (id, organization, size, purpose, issuer, document, jwt, revision) = row;
    let corrupt = |column| StoreError::corrupt("status_lists", &id, column);
    Ok(StoredList {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        size,
        purpose: ListPurpose::parse(&purpose).ok_or_else(|| corrupt("purpose"))?,
        issuer,
        document,
        jwt,
        revision,
    })
}

/// Adds an empty list.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &StoredList, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(status_lists::table)
        .values((
            status_lists::id.eq(new.id.to_string()),
            status_lists::organization_id.eq(new.organization.to_string()),
            status_lists::size.eq(new.size),
            status_lists::purpose.eq(new.purpose.as_str()),
            status_lists::issuer.eq(new.issuer.as_deref()),
            status_lists::revision.eq(new.revision),
            status_lists::created_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// One list; lists are public.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: StatusListId) -> Result<Option<StoredList>, StoreError> {
    let row: Option<Row> =
        status_lists::table.find(id.to_string()).select(COLUMNS).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// The lists of an issuer, the newest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Vec<StoredList>, StoreError> {
    let rows: Vec<Row> = status_lists::table
        .filter(status_lists::organization_id.eq(organization.to_string()))
        .order(status_lists::id.desc())
        .select(COLUMNS)
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Stores a list as published.
///
/// # Errors
/// [`StoreError::Stale`] when another publication was faster.
pub fn save_published(
    conn: &mut DbConn,
    list: &StoredList,
    document: &str,
    jwt: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unchanged = status_lists::table
        .find(list.id.to_string())
        .filter(status_lists::revision.eq(list.revision));
    let n_rows = diesel::update(unchanged)
        .set((
            status_lists::document.eq(Some(document)),
            status_lists::jwt.eq(Some(jwt)),
            status_lists::published_at.eq(Some(now.naive())),
            status_lists::revision.eq(list.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}
