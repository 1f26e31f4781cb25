//! Badges of other issuers that people keep in their wallet, as they came.

use chrono::NaiveDateTime;
use diesel::dsl::count_star;
use diesel::prelude::*;

use super::schema::external_badges;
use super::{DbConn, StoreError};
use crate::domain::ids::{ExternalBadgeId, PersonId};
use crate::domain::timestamp::Timestamp;

/// A badge of somebody else's making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalBadge {
    /// Its id here.
    pub id: ExternalBadgeId,
    /// Who keeps it.
    pub person: PersonId,
    /// The badge as it came: JSON, or a JWT.
    pub document: String,
    /// SHA-256 over it.
    pub sha256: String,
    /// What it is called, by its own words.
    pub title: Option<String>,
    /// Who issued it, by its own words.
    pub issuer: Option<String>,
    /// When it was put in.
    pub added_at: Timestamp,
}

type Row = (String, String, String, String, Option<String>, Option<String>, NaiveDateTime);

fn from_row(row: Row) -> Result<ExternalBadge, StoreError> {
    let (id, person, document, sha256, title, issuer, added_at) = row;
    let corrupt = |column| StoreError::corrupt("external_badges", &id, column);
    Ok(ExternalBadge {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        person: person.parse().map_err(|_bad| corrupt("person_id"))?,
        document,
        sha256,
        title,
        issuer,
        added_at: Timestamp::from_naive(added_at),
    })
}

/// Puts a badge in.
///
/// # Errors
/// [`StoreError::Duplicate`] when the person has it.
pub fn create(conn: &mut DbConn, new: &ExternalBadge) -> Result<(), StoreError> {
    diesel::insert_into(external_badges::table)
        .values((
            external_badges::id.eq(new.id.to_string()),
            external_badges::person_id.eq(new.person.to_string()),
            external_badges::document.eq(&new.document),
            external_badges::document_sha256.eq(&new.sha256),
            external_badges::title.eq(&new.title),
            external_badges::issuer.eq(&new.issuer),
            external_badges::added_at.eq(new.added_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("external badge"))?;
    Ok(())
}

/// One badge of a person.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    person: PersonId,
    id: ExternalBadgeId,
) -> Result<Option<ExternalBadge>, StoreError> {
    let row: Option<Row> = external_badges::table
        .find(id.to_string())
        .filter(external_badges::person_id.eq(person.to_string()))
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// How many badges a person keeps.
///
/// # Errors
/// [`StoreError`].
pub fn count(conn: &mut DbConn, person: PersonId) -> Result<i64, StoreError> {
    Ok(external_badges::table
        .filter(external_badges::person_id.eq(person.to_string()))
        .select(count_star())
        .first(conn)?)
}

/// A page of the badges of a person, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    person: PersonId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ExternalBadge>, StoreError> {
    let rows: Vec<Row> = external_badges::table
        .filter(external_badges::person_id.eq(person.to_string()))
        .filter(external_badges::id.gt(after.unwrap_or_default().to_owned()))
        .order(external_badges::id)
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Takes a badge out. Whether there was one.
///
/// # Errors
/// [`StoreError`].
pub fn delete(
    conn: &mut DbConn,
    person: PersonId,
    id: ExternalBadgeId,
) -> Result<bool, StoreError> {
    let own = external_badges::table
        .find(id.to_string())
        .filter(external_badges::person_id.eq(person.to_string()));
    Ok(diesel::delete(own).execute(conn)? > 0)
}
