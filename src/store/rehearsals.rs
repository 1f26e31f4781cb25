//! Practice work of rehearsals: what was handed in, and its sheets. Nothing else refers to it.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::connection::MultiBackend;
use super::schema::{practice_attempts, practice_sheets};
use super::{DbConn, StoreError};
use crate::domain::decision_rule::Outcome;
use crate::domain::ids::{OrganizationId, PersonId, PracticeAttemptId, ProgramId, VersionId};
use crate::domain::rehearsal::PracticeState;
use crate::domain::review::{Score, Sheet};
use crate::domain::timestamp::Timestamp;

/// Something that was handed in for practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PracticeAttempt {
    /// Its id.
    pub id: PracticeAttemptId,
    /// In which rehearsal.
    pub program: ProgramId,
    /// Whose definition it is by.
    pub organization: OrganizationId,
    /// Which version of it.
    pub version: VersionId,
    /// By whom.
    pub person: PersonId,
    /// Where it stands.
    pub state: PracticeState,
    /// Texts by the ids of prompts and evidence requirements.
    pub work: BTreeMap<String, String>,
    /// Why it was sent back.
    pub note: Option<String>,
    /// What was decided, and when.
    pub decision: Option<(Outcome, Timestamp)>,
    /// When it was handed in.
    pub created_at: Timestamp,
    /// Counts its changes.
    pub revision: i32,
}

/// A sheet with who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PracticeSheet {
    /// Its id, in the order of time.
    pub id: String,
    /// Who.
    pub reader: PersonId,
    /// Whether it is an adjudicator's.
    pub is_third: bool,
    /// The lines.
    pub sheet: Sheet,
}

type Row = (
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    NaiveDateTime,
    Option<NaiveDateTime>,
    i32,
);

fn from_row(row: Row) -> Result<PracticeAttempt, StoreError> {
    let (
        id,
        program,
        organization,
        version,
        person,
        state,
        work,
        note,
        outcome,
        created,
        decided,
        revision,
    ) = row;
    let corrupt = |column| StoreError::corrupt("practice_attempts", &id, column);
    let outcome = match outcome {
        Some(word) => Some(Outcome::parse(&word).ok_or_else(|| corrupt("outcome"))?),
        None => None,
    };
    Ok(PracticeAttempt {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        program: program.parse().map_err(|_bad| corrupt("program_id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        version: version.parse().map_err(|_bad| corrupt("version_id"))?,
        person: person.parse().map_err(|_bad| corrupt("person_id"))?,
        state: PracticeState::parse(&state).ok_or_else(|| corrupt("state"))?,
        work: serde_json::from_str(&work).map_err(|_bad| corrupt("work"))?,
        note,
        decision: outcome.zip(decided.map(Timestamp::from_naive)),
        created_at: Timestamp::from_naive(created),
        revision,
    })
}

/// Adds an attempt.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &PracticeAttempt) -> Result<(), StoreError> {
    diesel::insert_into(practice_attempts::table)
        .values((
            practice_attempts::id.eq(new.id.to_string()),
            practice_attempts::program_id.eq(new.program.to_string()),
            practice_attempts::organization_id.eq(new.organization.to_string()),
            practice_attempts::version_id.eq(new.version.to_string()),
            practice_attempts::person_id.eq(new.person.to_string()),
            practice_attempts::state.eq(new.state.as_str()),
            practice_attempts::work.eq(serde_json::json!(new.work).to_string()),
            practice_attempts::created_at.eq(new.created_at.naive()),
            practice_attempts::revision.eq(new.revision),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes down where an attempt stands.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save(conn: &mut DbConn, next: &PracticeAttempt) -> Result<(), StoreError> {
    let unchanged = practice_attempts::table
        .find(next.id.to_string())
        .filter(practice_attempts::program_id.eq(next.program.to_string()))
        .filter(practice_attempts::revision.eq(next.revision));
    let n_rows = diesel::update(unchanged)
        .set((
            practice_attempts::state.eq(next.state.as_str()),
            practice_attempts::note.eq(&next.note),
            practice_attempts::outcome.eq(next.decision.map(|(outcome, _)| outcome.as_str())),
            practice_attempts::decided_at.eq(next.decision.map(|(_, at)| at.naive())),
            practice_attempts::revision.eq(next.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// One attempt of a rehearsal.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    program: ProgramId,
    id: PracticeAttemptId,
) -> Result<Option<PracticeAttempt>, StoreError> {
    let row: Option<Row> = practice_attempts::table
        .find(id.to_string())
        .filter(practice_attempts::program_id.eq(program.to_string()))
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// A page of the attempts of a rehearsal, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    program: ProgramId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<PracticeAttempt>, StoreError> {
    let mut query = practice_attempts::table
        .filter(practice_attempts::program_id.eq(program.to_string()))
        .into_boxed::<MultiBackend>();
    if let Some(after) = after {
        query = query.filter(practice_attempts::id.gt(after.to_owned()));
    }
    let rows: Vec<Row> = query.order(practice_attempts::id).limit(limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// A line of a sheet as it is kept.
#[derive(Deserialize, Serialize)]
struct Line {
    level: Option<u8>,
    feedback: Option<String>,
}

/// Adds a sheet.
///
/// # Errors
/// [`StoreError::Duplicate`] when the reader has given one already.
pub fn create_sheet(
    conn: &mut DbConn,
    attempt: PracticeAttemptId,
    new: &PracticeSheet,
    now: Timestamp,
) -> Result<(), StoreError> {
    let lines: BTreeMap<&str, Line> = new
        .sheet
        .scores
        .iter()
        .map(|(id, score)| {
            let feedback = score.feedback.clone();
            (id.as_str(), Line { level: score.level.filter(|_| !score.unscorable), feedback })
        })
        .collect();
    diesel::insert_into(practice_sheets::table)
        .values((
            practice_sheets::id.eq(&new.id),
            practice_sheets::attempt_id.eq(attempt.to_string()),
            practice_sheets::reader_id.eq(new.reader.to_string()),
            practice_sheets::is_third.eq(new.is_third),
            practice_sheets::scores.eq(serde_json::json!(lines).to_string()),
            practice_sheets::overall_feedback.eq(new
                .sheet
                .overall_feedback
                .clone()
                .unwrap_or_default()),
            practice_sheets::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("practice sheet"))?;
    Ok(())
}

/// The sheets of an attempt, the first one first.
///
/// # Errors
/// [`StoreError`].
pub fn list_sheets(
    conn: &mut DbConn,
    attempt: PracticeAttemptId,
) -> Result<Vec<PracticeSheet>, StoreError> {
    type Row = (String, String, bool, String, String);
    let rows: Vec<Row> = practice_sheets::table
        .filter(practice_sheets::attempt_id.eq(attempt.to_string()))
        .order(practice_sheets::id)
        .select((
            practice_sheets::id,
            practice_sheets::reader_id,
            practice_sheets::is_third,
            practice_sheets::scores,
            practice_sheets::overall_feedback,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, reader, is_third, scores, overall_feedback)| {
            let corrupt = |column| StoreError::corrupt("practice_sheets", &id, column);
            let lines: BTreeMap<String, Line> =
                serde_json::from_str(&scores).map_err(|_bad| corrupt("scores"))?;
            let score = |line: Line| Score {
                unscorable: line.level.is_none(),
                level: line.level,
                feedback: line.feedback,
            };
            let sheet = Sheet {
                scores: lines.into_iter().map(|(id, line)| (id, score(line))).collect(),
                overall_feedback: Some(overall_feedback),
            };
            let reader = reader.parse().map_err(|_bad| corrupt("reader_id"))?;
            Ok(PracticeSheet { id, reader, is_third, sheet })
        })
        .collect()
}

/// Deletes everything of a rehearsal. Returns how many attempts there were.
///
/// # Errors
/// [`StoreError`].
pub fn delete_all(conn: &mut DbConn, program: ProgramId) -> Result<usize, StoreError> {
    let own: Vec<String> = practice_attempts::table
        .filter(practice_attempts::program_id.eq(program.to_string()))
        .select(practice_attempts::id)
        .load(conn)?;
    diesel::delete(practice_sheets::table.filter(practice_sheets::attempt_id.eq_any(&own)))
        .execute(conn)?;
    Ok(diesel::delete(practice_attempts::table.filter(practice_attempts::id.eq_any(&own)))
        .execute(conn)?)
}
