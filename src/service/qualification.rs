//! Whether an assessor has shown on known work that they score as the rubric means it.

use super::error::Error;
use crate::domain::ids::PersonId;
use crate::domain::timestamp::Timestamp;
use crate::store::DbConn;

/// Whether the person held a qualification for what is scored by this hash at a moment.
///
/// Nobody does before there are calibration sets; a badge says so.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn is_qualified(
    _conn: &mut DbConn,
    _person: PersonId,
    _scoring_hash: &str,
    _at: Timestamp,
) -> Result<bool, Error> {
    Ok(false)
}
