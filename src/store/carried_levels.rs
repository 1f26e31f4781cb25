//! Passed criteria and prompts that count in a later attempt without being read again.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::schema::carried_levels;
use super::{DbConn, StoreError};
use crate::domain::ids::SubmissionId;

/// A level that is carried forward, with what was said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedLevel {
    /// The level.
    pub level: u8,
    /// What the earner was told.
    pub feedback: Option<String>,
}

/// Records what a new attempt starts with.
///
/// # Errors
/// [`StoreError`].
pub fn create(
    conn: &mut DbConn,
    submission: SubmissionId,
    carried: &BTreeMap<String, CarriedLevel>,
) -> Result<(), StoreError> {
    for (criterion, one) in carried {
        diesel::insert_into(carried_levels::table)
            .values((
                carried_levels::submission_id.eq(submission.to_string()),
                carried_levels::criterion_id.eq(criterion),
                carried_levels::level.eq(i32::from(one.level)),
                carried_levels::feedback.eq(&one.feedback),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// What a submission has from an earlier attempt, by criterion or prompt.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<BTreeMap<String, CarriedLevel>, StoreError> {
    let rows: Vec<(String, i32, Option<String>)> = carried_levels::table
        .filter(carried_levels::submission_id.eq(submission.to_string()))
        .select((carried_levels::criterion_id, carried_levels::level, carried_levels::feedback))
        .load(conn)?;
    rows.into_iter()
        .map(|(criterion, level, feedback)| {
            let level = u8::try_from(level).map_err(|_bad| {
                StoreError::corrupt("carried_levels", &submission.to_string(), "level")
            })?;
            Ok((criterion, CarriedLevel { level, feedback }))
        })
        .collect()
}
