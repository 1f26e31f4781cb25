//! Drafts that nobody works on.

use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::submissions;
use super::{DbConn, StoreError};
use crate::domain::ids::SubmissionId;
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;

/// Drafts that were changed for the last time at a moment or before it, by id, those `after` one.
///
/// # Errors
/// [`StoreError`].
pub fn list_idle(
    conn: &mut DbConn,
    since: Timestamp,
    after: Option<SubmissionId>,
    limit: i64,
) -> Result<Vec<SubmissionId>, StoreError> {
    // Every id is greater than the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = submissions::table
        .filter(submissions::state.eq(SubmissionState::Draft.as_str()))
        .filter(submissions::updated_at.le(since.naive()))
        .filter(submissions::id.gt(after))
        .filter(diesel::dsl::not(is_seed!()))
        .order(submissions::id)
        .limit(limit)
        .select(submissions::id)
        .load(conn)?;
    parse_ids("submissions", "id", ids)
}

/// Notes that somebody has worked on a draft beside its answers, and until when its evidence is kept from then on.
///
/// # Errors
/// [`StoreError`].
pub fn save_touched(
    conn: &mut DbConn,
    id: SubmissionId,
    retain_until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::update(submissions::table.find(id.to_string()))
        .set((
            submissions::updated_at.eq(now.naive()),
            submissions::retain_until.eq(Some(retain_until.naive())),
        ))
        .execute(conn)?;
    Ok(())
}
