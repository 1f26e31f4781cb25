//! Steps in the life of an assessor that no other row tells of, and what their state is judged by besides.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{assessor_modules, assessor_steps, calibration_attempts, qualifications};
use super::{DbConn, StoreError};
use crate::domain::assessor::AssessorStep;
use crate::domain::calibration::{AttemptState, SetKind};
use crate::domain::eligibility::Module;
use crate::domain::ids::PersonId;
use crate::domain::timestamp::Timestamp;

/// A step as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStep {
    /// Its id; ids of one process are in the order in which they were made.
    pub id: String,
    /// Whose life.
    pub person: PersonId,
    /// For which scoring hash.
    pub scoring_hash: String,
    /// What.
    pub step: AssessorStep,
    /// Who took it; none for the service itself.
    pub actor: Option<PersonId>,
    /// Why, in words that only lead assessors and the person read.
    pub reason: Option<String>,
}

/// Adds a step.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &NewStep, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(assessor_steps::table)
        .values((
            assessor_steps::id.eq(&new.id),
            assessor_steps::person_id.eq(new.person.to_string()),
            assessor_steps::scoring_hash.eq(&new.scoring_hash),
            assessor_steps::step.eq(new.step.as_str()),
            assessor_steps::actor_id.eq(new.actor.map(|actor| actor.to_string())),
            assessor_steps::reason.eq(&new.reason),
            assessor_steps::taken_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The steps of a person for a scoring hash until a moment, the oldest first, with the reason of each.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    until: Timestamp,
) -> Result<Vec<(AssessorStep, Timestamp, Option<String>)>, StoreError> {
    let rows: Vec<(String, String, NaiveDateTime, Option<String>)> = assessor_steps::table
        .filter(assessor_steps::person_id.eq(person.to_string()))
        .filter(assessor_steps::scoring_hash.eq(scoring_hash))
        .filter(assessor_steps::taken_at.le(until.naive()))
        .order((assessor_steps::taken_at, assessor_steps::id))
        .select((
            assessor_steps::id,
            assessor_steps::step,
            assessor_steps::taken_at,
            assessor_steps::reason,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, step, at, reason)| {
            let step = AssessorStep::parse(&step)
                .ok_or_else(|| StoreError::corrupt("assessor_steps", &id, "step"))?;
            Ok((step, Timestamp::from_naive(at), reason))
        })
        .collect()
}

/// The scoring hashes for which anything is known of a person.
///
/// # Errors
/// [`StoreError`].
pub fn list_hashes(conn: &mut DbConn, person: PersonId) -> Result<BTreeSet<String>, StoreError> {
    let person = person.to_string();
    let mut hashes: BTreeSet<String> = assessor_steps::table
        .filter(assessor_steps::person_id.eq(&person))
        .select(assessor_steps::scoring_hash)
        .distinct()
        .load(conn)?
        .into_iter()
        .collect();
    let held: Vec<String> = qualifications::table
        .filter(qualifications::person_id.eq(&person))
        .select(qualifications::scoring_hash)
        .load(conn)?;
    hashes.extend(held);
    Ok(hashes)
}

/// When a person last completed a module.
///
/// # Errors
/// [`StoreError`].
pub fn find_module(
    conn: &mut DbConn,
    person: PersonId,
    module: Module,
) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<NaiveDateTime> = assessor_modules::table
        .find((person.to_string(), module.as_str()))
        .select(assessor_modules::completed_at)
        .first(conn)
        .optional()?;
    Ok(at.map(Timestamp::from_naive))
}

/// When a person last finished a practice set for a scoring hash.
///
/// # Errors
/// [`StoreError`].
pub fn last_practice(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<NaiveDateTime> = calibration_attempts::table
        .filter(calibration_attempts::person_id.eq(person.to_string()))
        .filter(calibration_attempts::scoring_hash.eq(scoring_hash))
        .filter(calibration_attempts::kind.eq(SetKind::Practice.as_str()))
        .filter(calibration_attempts::state.eq(AttemptState::Done.as_str()))
        .select(diesel::dsl::max(calibration_attempts::finished_at))
        .first(conn)?;
    Ok(at.map(Timestamp::from_naive))
}

/// Qualifications whose year is over and for which no lapse was written down since: whose, and for which scoring hash.
///
/// # Errors
/// [`StoreError`].
pub fn list_lapsing(
    conn: &mut DbConn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(PersonId, String)>, StoreError> {
    let is_noted = diesel::dsl::exists(
        assessor_steps::table
            .filter(assessor_steps::person_id.eq(qualifications::person_id))
            .filter(assessor_steps::scoring_hash.eq(qualifications::scoring_hash))
            .filter(assessor_steps::step.eq(AssessorStep::Lapse.as_str()))
            .filter(assessor_steps::taken_at.ge(qualifications::expires_at)),
    );
    let rows: Vec<(String, String)> = qualifications::table
        .filter(qualifications::state.ne("suspended"))
        .filter(qualifications::expires_at.le(now.naive()))
        .filter(diesel::dsl::not(is_noted))
        .order((qualifications::expires_at, qualifications::id))
        .limit(limit)
        .select((qualifications::person_id, qualifications::scoring_hash))
        .load(conn)?;
    rows.into_iter()
        .map(|(person, hash)| {
            let id = person
                .parse()
                .map_err(|_bad| StoreError::corrupt("qualifications", &person, "person_id"))?;
            Ok((id, hash))
        })
        .collect()
}
