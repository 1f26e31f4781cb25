//! What became of a programme's people, as its figures need it: attempts within it with their times, outcomes and awards.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{
    awards, cases, decisions, feedback_ratings, invitees, program_attempts, resolutions,
    submissions,
};
use super::{DbConn, StoreError};
use crate::domain::award::AwardState;
use crate::domain::case::CaseKind;
use crate::domain::decision_rule::Outcome;
use crate::domain::ids::{InviteeId, ProgramId};
use crate::domain::resolution::SettledBy;
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;

/// One attempt within a programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptFacts {
    /// Whose.
    pub invitee: InviteeId,
    /// Its number among the person's attempts at the micro-credential.
    pub number: i32,
    /// Where it stands.
    pub state: SubmissionState,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it was handed in, the last time.
    pub submitted_at: Option<Timestamp>,
    /// The decision as it stands, and its date.
    pub decision: Option<(Outcome, Timestamp)>,
    /// Whether a third reading has decided a criterion.
    pub is_adjudicated: bool,
    /// Whether there was an appeal.
    pub is_appealed: bool,
    /// How useful the feedback was, 1 to 5.
    pub rating: Option<i32>,
    /// Its award, and when that ends.
    pub award: Option<(AwardState, Option<Timestamp>)>,
}

macro_rules! of_program {
    ($table:ident, $program:expr) => {
        program_attempts::table
            .inner_join(invitees::table.on(invitees::id.eq(program_attempts::invitee_id)))
            .inner_join($table::table.on($table::submission_id.eq(program_attempts::submission_id)))
            .filter(invitees::program_id.eq($program.to_string()))
    };
}

/// Every attempt within a programme, in the order in which they were begun.
///
/// # Errors
/// [`StoreError`].
pub fn list_attempts(
    conn: &mut DbConn,
    program: ProgramId,
) -> Result<Vec<AttemptFacts>, StoreError> {
    type Row = (String, String, i32, String, NaiveDateTime, Option<NaiveDateTime>);
    let rows: Vec<Row> = program_attempts::table
        .inner_join(invitees::table.on(invitees::id.eq(program_attempts::invitee_id)))
        .inner_join(submissions::table.on(submissions::id.eq(program_attempts::submission_id)))
        .filter(invitees::program_id.eq(program.to_string()))
        .filter(diesel::dsl::not(is_seed!()))
        .order(submissions::id)
        .select((
            submissions::id,
            invitees::id,
            submissions::attempt,
            submissions::state,
            submissions::created_at,
            submissions::submitted_at,
        ))
        .load(conn)?;
    let mut outcomes = list_outcomes(conn, program)?;
    let mut ended = list_awards(conn, program)?;
    let adjudicated: BTreeSet<String> = of_program!(resolutions, program)
        .filter(resolutions::status.eq(SettledBy::Adjudicated.as_str()))
        .select(resolutions::submission_id)
        .load(conn)?
        .into_iter()
        .collect();
    let appealed: BTreeSet<String> = of_program!(cases, program)
        .filter(cases::kind.eq(CaseKind::Appeal.as_str()))
        .select(cases::submission_id)
        .load(conn)?
        .into_iter()
        .collect();
    let ratings: BTreeMap<String, i32> = of_program!(feedback_ratings, program)
        .select((feedback_ratings::submission_id, feedback_ratings::rating))
        .load(conn)?
        .into_iter()
        .collect();
    rows.into_iter()
        .map(|(id, invitee, number, state, started_at, submitted_at)| {
            let corrupt = |column| StoreError::corrupt("submissions", &id, column);
            Ok(AttemptFacts {
                invitee: invitee.parse().map_err(|_bad| corrupt("id"))?,
                number,
                state: SubmissionState::parse(&state).ok_or_else(|| corrupt("state"))?,
                started_at: Timestamp::from_naive(started_at),
                submitted_at: submitted_at.map(Timestamp::from_naive),
                decision: outcomes.remove(&id),
                is_adjudicated: adjudicated.contains(&id),
                is_appealed: appealed.contains(&id),
                rating: ratings.get(&id).copied(),
                award: ended.remove(&id),
            })
        })
        .collect()
}

fn list_outcomes(
    conn: &mut DbConn,
    program: ProgramId,
) -> Result<BTreeMap<String, (Outcome, Timestamp)>, StoreError> {
    let rows: Vec<(String, String, NaiveDateTime)> = decisions::table
        .inner_join(
            program_attempts::table
                .on(program_attempts::submission_id.eq(decisions::submission_id)),
        )
        .inner_join(invitees::table.on(invitees::id.eq(program_attempts::invitee_id)))
        .inner_join(submissions::table.on(submissions::id.eq(decisions::submission_id)))
        .filter(invitees::program_id.eq(program.to_string()))
        .filter(diesel::dsl::not(is_seed!()))
        .select((decisions::submission_id, decisions::outcome, decisions::decided_at))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, outcome, decided_at)| {
            let outcome = Outcome::parse(&outcome)
                .ok_or_else(|| StoreError::corrupt("decisions", &id, "outcome"))?;
            Ok((id, (outcome, Timestamp::from_naive(decided_at))))
        })
        .collect()
}

type AwardEnd = (AwardState, Option<Timestamp>);

fn list_awards(
    conn: &mut DbConn,
    program: ProgramId,
) -> Result<BTreeMap<String, AwardEnd>, StoreError> {
    // The awards of stacks rest on no submission, and belong to no programme.
    let rows: Vec<(String, String, Option<NaiveDateTime>)> = program_attempts::table
        .inner_join(invitees::table.on(invitees::id.eq(program_attempts::invitee_id)))
        .inner_join(
            awards::table.on(awards::submission_id.eq(program_attempts::submission_id.nullable())),
        )
        .filter(invitees::program_id.eq(program.to_string()))
        .select((program_attempts::submission_id, awards::state, awards::valid_until))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, state, until)| {
            let state = AwardState::parse(&state)
                .ok_or_else(|| StoreError::corrupt("awards", &id, "state"))?;
            Ok((id, (state, until.map(Timestamp::from_naive))))
        })
        .collect()
}
