//! Decisions: the outcome of a submission and the levels it rests on.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{decision_levels, decisions};
use super::{DbConn, StoreError};
use crate::domain::decision_rule::Outcome;
use crate::domain::ids::SubmissionId;
use crate::domain::submission::Decided;
use crate::domain::timestamp::Timestamp;

/// A decided level with what the earner is told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedLevel {
    /// The level; none when the work could not be scored.
    pub level: Option<u8>,
    /// What the earner is told.
    pub feedback: Option<String>,
}

/// A decision as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDecision {
    /// Earned or not yet.
    pub outcome: Outcome,
    /// How many people scored the work.
    pub raters: i32,
    /// Whether every one of them was qualified for this rubric.
    pub assessors_qualified: bool,
    /// When.
    pub decided_at: Timestamp,
    /// Levels by criterion or prompt.
    pub levels: BTreeMap<String, DecidedLevel>,
}

/// Records a decision. There is one for a submission, ever.
///
/// # Errors
/// [`StoreError::Duplicate`] the second time.
pub fn create(
    conn: &mut DbConn,
    decided: &Decided,
    raters: i32,
    assessors_qualified: bool,
    levels: &BTreeMap<String, DecidedLevel>,
) -> Result<(), StoreError> {
    let id = decided.facts().id.to_string();
    diesel::insert_into(decisions::table)
        .values((
            decisions::submission_id.eq(&id),
            decisions::outcome.eq(decided.outcome().as_str()),
            decisions::raters.eq(raters),
            decisions::assessors_qualified.eq(assessors_qualified),
            decisions::decided_at.eq(decided.decided_at().naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("decision"))?;
    for (criterion, level) in levels {
        diesel::insert_into(decision_levels::table)
            .values((
                decision_levels::submission_id.eq(&id),
                decision_levels::criterion_id.eq(criterion),
                decision_levels::level.eq(level.level.map(i32::from)),
                decision_levels::feedback.eq(&level.feedback),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The decision of a submission, if there is one.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: SubmissionId) -> Result<Option<StoredDecision>, StoreError> {
    let row: Option<(String, i32, bool, NaiveDateTime)> = decisions::table
        .find(id.to_string())
        .select((
            decisions::outcome,
            decisions::raters,
            decisions::assessors_qualified,
            decisions::decided_at,
        ))
        .first(conn)
        .optional()?;
    let Some((outcome, raters, assessors_qualified, decided_at)) = row else { return Ok(None) };
    let lines: Vec<(String, Option<i32>, Option<String>)> = decision_levels::table
        .filter(decision_levels::submission_id.eq(id.to_string()))
        .select((decision_levels::criterion_id, decision_levels::level, decision_levels::feedback))
        .load(conn)?;
    let corrupt = |table, column| StoreError::corrupt(table, &id.to_string(), column);
    let levels = lines
        .into_iter()
        .map(|(criterion, level, feedback)| {
            let level = level
                .map(u8::try_from)
                .transpose()
                .map_err(|_bad| corrupt("decision_levels", "level"))?;
            Ok((criterion, DecidedLevel { level, feedback }))
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(Some(StoredDecision {
        outcome: Outcome::parse(&outcome).ok_or_else(|| corrupt("decisions", "outcome"))?,
        raters,
        assessors_qualified,
        decided_at: Timestamp::from_naive(decided_at),
        levels,
    }))
}
