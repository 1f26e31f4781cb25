//! Decisions: the outcome of a submission and the levels it rests on.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{decision_levels, decisions, resolutions, submissions};
use super::{DbConn, StoreError};
use crate::domain::decision_rule::Outcome;
use crate::domain::ids::{MicroCredentialId, PersonId, SubmissionId};
use crate::domain::resolution::Settled;
use crate::domain::rubric::CriterionId;
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
    submission: SubmissionId,
    new: &StoredDecision,
) -> Result<(), StoreError> {
    let id = submission.to_string();
    diesel::insert_into(decisions::table)
        .values((
            decisions::submission_id.eq(&id),
            decisions::outcome.eq(new.outcome.as_str()),
            decisions::raters.eq(new.raters),
            decisions::assessors_qualified.eq(new.assessors_qualified),
            decisions::decided_at.eq(new.decided_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("decision"))?;
    create_levels(conn, &id, &new.levels)
}

fn create_levels(
    conn: &mut DbConn,
    id: &str,
    levels: &BTreeMap<String, DecidedLevel>,
) -> Result<(), StoreError> {
    for (criterion, level) in levels {
        diesel::insert_into(decision_levels::table)
            .values((
                decision_levels::submission_id.eq(id),
                decision_levels::criterion_id.eq(criterion),
                decision_levels::level.eq(level.level.map(i32::from)),
                decision_levels::feedback.eq(&level.feedback),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Puts what a panel has concluded in the place of a decision; its date stays.
///
/// # Errors
/// [`StoreError`].
pub fn replace(
    conn: &mut DbConn,
    submission: SubmissionId,
    new: &StoredDecision,
) -> Result<(), StoreError> {
    let id = submission.to_string();
    diesel::update(decisions::table.find(&id))
        .set((
            decisions::outcome.eq(new.outcome.as_str()),
            decisions::raters.eq(new.raters),
            decisions::assessors_qualified.eq(new.assessors_qualified),
        ))
        .execute(conn)?;
    diesel::delete(decision_levels::table.filter(decision_levels::submission_id.eq(&id)))
        .execute(conn)?;
    create_levels(conn, &id, &new.levels)
}

/// Records how every criterion and prompt was settled.
///
/// # Errors
/// [`StoreError`].
pub fn save_resolutions(
    conn: &mut DbConn,
    submission: SubmissionId,
    settled: &BTreeMap<CriterionId, Settled>,
) -> Result<(), StoreError> {
    for (criterion, one) in settled {
        let Some(by) = one.by() else { continue };
        diesel::insert_into(resolutions::table)
            .values((
                resolutions::submission_id.eq(submission.to_string()),
                resolutions::criterion_id.eq(criterion.as_str()),
                resolutions::status.eq(by.as_str()),
                resolutions::dispute.eq(one.dispute().map(|dispute| dispute.as_str())),
                resolutions::level.eq(one.level().map(|level| i32::from(level.number()))),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// How many attempts of an earner at a micro-credential were decided with each outcome.
///
/// # Errors
/// [`StoreError`].
pub fn count_of_earner(
    conn: &mut DbConn,
    earner: PersonId,
    family: MicroCredentialId,
    outcome: Outcome,
) -> Result<i64, StoreError> {
    Ok(decisions::table
        .inner_join(submissions::table.on(submissions::id.eq(decisions::submission_id)))
        .filter(submissions::earner_id.eq(earner.to_string()))
        .filter(submissions::micro_credential_id.eq(family.to_string()))
        .filter(decisions::outcome.eq(outcome.as_str()))
        .count()
        .get_result(conn)?)
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
