//! Sign-ins: a session, its chain of refresh tokens, and the keys that sign access tokens.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{refresh_tokens, sessions, token_keys};
use super::{DbConn, StoreError};
use crate::domain::ids::{PersonId, SessionId};
use crate::domain::timestamp::Timestamp;

/// Starts a session.
///
/// # Errors
/// [`StoreError`].
pub fn create(
    conn: &mut DbConn,
    id: SessionId,
    person: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(id.to_string()),
            sessions::person_id.eq(person.to_string()),
            sessions::created_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The person of a session that has not ended.
///
/// # Errors
/// [`StoreError`].
pub fn find_live(conn: &mut DbConn, id: SessionId) -> Result<Option<PersonId>, StoreError> {
    let person: Option<String> = sessions::table
        .find(id.to_string())
        .filter(sessions::ended_at.is_null())
        .select(sessions::person_id)
        .first(conn)
        .optional()?;
    person
        .map(|person| {
            person
                .parse()
                .map_err(|_bad| StoreError::corrupt("sessions", &id.to_string(), "person_id"))
        })
        .transpose()
}

/// Ends one session.
///
/// # Errors
/// [`StoreError`].
pub fn end(conn: &mut DbConn, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(sessions::table.find(id.to_string()).filter(sessions::ended_at.is_null()))
        .set(sessions::ended_at.eq(Some(now.naive())))
        .execute(conn)?;
    Ok(())
}

/// Ends every session of a person: after a change of password, roles or membership.
///
/// # Errors
/// [`StoreError`].
pub fn end_all(conn: &mut DbConn, person: PersonId, now: Timestamp) -> Result<usize, StoreError> {
    let live = sessions::table
        .filter(sessions::person_id.eq(person.to_string()))
        .filter(sessions::ended_at.is_null());
    Ok(diesel::update(live).set(sessions::ended_at.eq(Some(now.naive()))).execute(conn)?)
}

/// A refresh token as stored: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session that it continues.
    pub session: SessionId,
    /// Until when.
    pub expires_at: Timestamp,
    /// Whether it has been exchanged.
    pub is_used: bool,
}

/// Adds a refresh token to a session.
///
/// # Errors
/// [`StoreError`].
pub fn create_refresh_token(
    conn: &mut DbConn,
    token_sha256: &str,
    session: SessionId,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_sha256.eq(token_sha256),
            refresh_tokens::session_id.eq(session.to_string()),
            refresh_tokens::created_at.eq(now.naive()),
            refresh_tokens::expires_at.eq(expires_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The stored form of a refresh token.
///
/// # Errors
/// [`StoreError`].
pub fn find_refresh_token(
    conn: &mut DbConn,
    token_sha256: &str,
) -> Result<Option<RefreshToken>, StoreError> {
    let row: Option<(String, NaiveDateTime, Option<NaiveDateTime>)> = refresh_tokens::table
        .find(token_sha256)
        .select((refresh_tokens::session_id, refresh_tokens::expires_at, refresh_tokens::used_at))
        .first(conn)
        .optional()?;
    row.map(|(session, expires_at, used_at)| {
        let session = session
            .parse()
            .map_err(|_bad| StoreError::corrupt("refresh_tokens", token_sha256, "session_id"))?;
        Ok(RefreshToken {
            session,
            expires_at: Timestamp::from_naive(expires_at),
            is_used: used_at.is_some(),
        })
    })
    .transpose()
}

/// Marks a refresh token as exchanged.
///
/// # Errors
/// [`StoreError::Stale`] when it was already.
pub fn use_refresh_token(
    conn: &mut DbConn,
    token_sha256: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unused = refresh_tokens::table.find(token_sha256).filter(refresh_tokens::used_at.is_null());
    let n_rows =
        diesel::update(unused).set(refresh_tokens::used_at.eq(Some(now.naive()))).execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Forgets sign-ins that ended, or whose last refresh token expired, before `before`.
///
/// # Errors
/// [`StoreError`].
pub fn purge(conn: &mut DbConn, before: Timestamp) -> Result<(), StoreError> {
    let ended: Vec<String> = sessions::table
        .filter(sessions::ended_at.lt(Some(before.naive())))
        .select(sessions::id)
        .limit(1000)
        .load(conn)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::session_id.eq_any(&ended)))
        .execute(conn)?;
    diesel::delete(sessions::table.filter(sessions::id.eq_any(&ended))).execute(conn)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(before.naive())))
        .execute(conn)?;
    Ok(())
}

/// The keys that access tokens were signed with, the newest first, wrapped.
///
/// # Errors
/// [`StoreError`].
pub fn list_token_keys(conn: &mut DbConn) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    Ok(token_keys::table
        .order(token_keys::created_at.desc())
        .select((token_keys::id, token_keys::wrapped_key))
        .load(conn)?)
}

/// Adds a key for access tokens.
///
/// # Errors
/// [`StoreError`].
pub fn create_token_key(
    conn: &mut DbConn,
    id: &str,
    wrapped_key: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(token_keys::table)
        .values((
            token_keys::id.eq(id),
            token_keys::wrapped_key.eq(wrapped_key),
            token_keys::created_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}
