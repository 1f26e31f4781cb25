//! Answers that can be replayed: one person, one key, one request, one answer.

use diesel::prelude::*;

use super::schema::idempotency_keys;
use super::{DbConn, StoreError};
use crate::domain::ids::PersonId;
use crate::domain::timestamp::Timestamp;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// SHA-256 of operation, path and body of the first request.
    pub request_sha256: String,
    /// Status and saved answer, once it is there.
    pub answer: Option<(i32, String)>,
    /// Since when.
    pub created_at: Timestamp,
}

/// What is known of a person's key.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, person: PersonId, key: &str) -> Result<Option<KeyUse>, StoreError> {
    type Row = (String, Option<i32>, Option<String>, chrono::NaiveDateTime);
    let row: Option<Row> = idempotency_keys::table
        .find((person.to_string(), key))
        .select((
            idempotency_keys::request_sha256,
            idempotency_keys::status,
            idempotency_keys::answer,
            idempotency_keys::created_at,
        ))
        .first(conn)
        .optional()?;
    Ok(row.map(|(request_sha256, status, answer, created_at)| KeyUse {
        request_sha256,
        answer: status.zip(answer),
        created_at: Timestamp::from_naive(created_at),
    }))
}

/// Reserves a key for a request that begins.
///
/// # Errors
/// [`StoreError::Duplicate`] when another request was faster.
pub fn reserve(
    conn: &mut DbConn,
    person: PersonId,
    key: &str,
    request_sha256: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::person_id.eq(person.to_string()),
            idempotency_keys::key.eq(key),
            idempotency_keys::request_sha256.eq(request_sha256),
            idempotency_keys::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("idempotency key"))?;
    Ok(())
}

/// Saves the answer.
///
/// # Errors
/// [`StoreError`].
pub fn save_answer(
    conn: &mut DbConn,
    person: PersonId,
    key: &str,
    status: i32,
    answer: &str,
) -> Result<(), StoreError> {
    diesel::update(idempotency_keys::table.find((person.to_string(), key)))
        .set((idempotency_keys::status.eq(Some(status)), idempotency_keys::answer.eq(Some(answer))))
        .execute(conn)?;
    Ok(())
}

/// Gives a key back: the request failed and changed nothing.
///
/// # Errors
/// [`StoreError`].
pub fn release(conn: &mut DbConn, person: PersonId, key: &str) -> Result<(), StoreError> {
    diesel::delete(idempotency_keys::table.find((person.to_string(), key))).execute(conn)?;
    Ok(())
}

/// Forgets keys from before `before`.
///
/// # Errors
/// [`StoreError`].
pub fn purge(conn: &mut DbConn, before: Timestamp) -> Result<(), StoreError> {
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(before.naive())))
        .execute(conn)?;
    Ok(())
}
