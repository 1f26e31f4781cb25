//! Recognitions: whose qualifications an organization lets count for its own work.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::qualification_recognitions as recognitions;
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, PersonId, RecognitionId};
use crate::domain::timestamp::Timestamp;

/// The word of an organization that qualifications of another count for its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognition {
    /// Its id.
    pub id: RecognitionId,
    /// Who recognises.
    pub organization: OrganizationId,
    /// Whose qualifications.
    pub recognised: OrganizationId,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub recognised_by: PersonId,
    /// When.
    pub recognised_at: Timestamp,
    /// Counts its changes.
    pub revision: i32,
    /// Since when it is over, and why.
    pub ended: Option<(Timestamp, String)>,
}

type Row = (
    (String, String, String, String, String),
    (NaiveDateTime, i32, Option<NaiveDateTime>, Option<String>),
);

macro_rules! recognition_columns {
    () => {
        (
            (
                recognitions::id,
                recognitions::organization_id,
                recognitions::recognised_id,
                recognitions::reason,
                recognitions::recognised_by,
            ),
            (
                recognitions::recognised_at,
                recognitions::revision,
                recognitions::ended_at,
                recognitions::end_reason,
            ),
        )
    };
}

fn from_row(row: Row) -> Result<Recognition, StoreError> {
    let ((id, organization, recognised, reason, by), (at, revision, ended_at, end_reason)) = row;
    let corrupt = |column| StoreError::corrupt("qualification_recognitions", &id, column);
    Ok(Recognition {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        recognised: recognised.parse().map_err(|_bad| corrupt("recognised_id"))?,
        reason,
        recognised_by: by.parse().map_err(|_bad| corrupt("recognised_by"))?,
        recognised_at: Timestamp::from_naive(at),
        revision,
        ended: ended_at.map(Timestamp::from_naive).zip(end_reason),
    })
}

/// Adds a recognition.
///
/// # Errors
/// [`StoreError::Duplicate`] while one between the same two is in force.
pub fn create(conn: &mut DbConn, new: &Recognition) -> Result<(), StoreError> {
    diesel::insert_into(recognitions::table)
        .values((
            recognitions::id.eq(new.id.to_string()),
            recognitions::organization_id.eq(new.organization.to_string()),
            recognitions::recognised_id.eq(new.recognised.to_string()),
            recognitions::reason.eq(&new.reason),
            recognitions::recognised_by.eq(new.recognised_by.to_string()),
            recognitions::recognised_at.eq(new.recognised_at.naive()),
            recognitions::revision.eq(new.revision),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("recognition in force"))?;
    Ok(())
}

/// One recognition.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: RecognitionId) -> Result<Option<Recognition>, StoreError> {
    let row: Option<Row> = recognitions::table
        .find(id.to_string())
        .select(recognition_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// A page of the recognitions that an organization has given or been given, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Recognition>, StoreError> {
    let id = organization.to_string();
    let rows: Vec<Row> = recognitions::table
        .filter(recognitions::organization_id.eq(&id).or(recognitions::recognised_id.eq(&id)))
        .filter(recognitions::id.gt(after.unwrap_or_default().to_owned()))
        .order(recognitions::id)
        .limit(limit)
        .select(recognition_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Those whose qualifications one of some organizations recognises now.
///
/// # Errors
/// [`StoreError`].
pub fn list_recognised(
    conn: &mut DbConn,
    by: &[OrganizationId],
) -> Result<BTreeSet<OrganizationId>, StoreError> {
    let among: Vec<String> = by.iter().map(ToString::to_string).collect();
    let words: Vec<String> = recognitions::table
        .filter(recognitions::organization_id.eq_any(among))
        .filter(recognitions::ended_at.is_null())
        .select(recognitions::recognised_id)
        .load(conn)?;
    parse_ids("qualification_recognitions", "recognised_id", words)
}

/// Ends a recognition as read at `ending.revision`.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn end(
    conn: &mut DbConn,
    ending: &Recognition,
    (by, reason): (PersonId, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let unchanged = recognitions::table
        .find(ending.id.to_string())
        .filter(recognitions::organization_id.eq(ending.organization.to_string()))
        .filter(recognitions::revision.eq(ending.revision))
        .filter(recognitions::ended_at.is_null());
    let n_rows = diesel::update(unchanged)
        .set((
            recognitions::ended_at.eq(Some(now.naive())),
            recognitions::ended_by.eq(Some(by.to_string())),
            recognitions::end_reason.eq(Some(reason)),
            recognitions::revision.eq(ending.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}
