//! Attempts at calibration sets, and the right to score that follows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::schema::{calibration_attempts, calibration_scores, calibration_sets, qualifications};
use super::{DbConn, StoreError};
use crate::domain::calibration::{AttemptState, SetKind};
use crate::domain::eligibility::{Pass, Qualification, QualificationLevel, QualificationState};
use crate::domain::ids::{
    CalibrationAttemptId, CalibrationPaperId, CalibrationSetId, OrganizationId, PersonId,
};
use crate::domain::timestamp::Timestamp;

/// One try at a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its id.
    pub id: CalibrationAttemptId,
    /// At which set.
    pub set: CalibrationSetId,
    /// Whose.
    pub person: PersonId,
    /// For which scoring hash.
    pub scoring_hash: String,
    /// What the set is for.
    pub kind: SetKind,
    /// Where it stands.
    pub state: AttemptState,
    /// Criterion scores, those that are exact, those with the same decision, those two levels off or more.
    pub counts: [i32; 4],
    /// When it was started.
    pub started_at: Timestamp,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
    /// When a lead assessor spoke about it with the person.
    pub coached_at: Option<Timestamp>,
    /// Counts its changes.
    pub revision: i32,
}

type AttemptRow = (
    (String, String, String, String, String, String),
    (i32, i32, i32, i32),
    (NaiveDateTime, Option<NaiveDateTime>, Option<NaiveDateTime>, i32),
);

macro_rules! attempt_columns {
    () => {
        (
            (
                calibration_attempts::id,
                calibration_attempts::set_id,
                calibration_attempts::person_id,
                calibration_attempts::scoring_hash,
                calibration_attempts::kind,
                calibration_attempts::state,
            ),
            (
                calibration_attempts::n,
                calibration_attempts::exact,
                calibration_attempts::decision,
                calibration_attempts::discrepant,
            ),
            (
                calibration_attempts::started_at,
                calibration_attempts::finished_at,
                calibration_attempts::coached_at,
                calibration_attempts::revision,
            ),
        )
    };
}

fn attempt_from_row(row: AttemptRow) -> Result<Attempt, StoreError> {
    let ((id, set, person, scoring_hash, kind, state), (n, exact, decision, discrepant), rest) =
        row;
    let (started_at, finished_at, coached_at, revision) = rest;
    let corrupt = |column| StoreError::corrupt("calibration_attempts", &id, column);
    Ok(Attempt {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        set: set.parse().map_err(|_bad| corrupt("set_id"))?,
        person: person.parse().map_err(|_bad| corrupt("person_id"))?,
        scoring_hash,
        kind: SetKind::parse(&kind).ok_or_else(|| corrupt("kind"))?,
        state: AttemptState::parse(&state).ok_or_else(|| corrupt("state"))?,
        counts: [n, exact, decision, discrepant],
        started_at: Timestamp::from_naive(started_at),
        finished_at: finished_at.map(Timestamp::from_naive),
        coached_at: coached_at.map(Timestamp::from_naive),
        revision,
    })
}

/// Adds an attempt.
///
/// # Errors
/// [`StoreError::Duplicate`] while another one at the set is open.
pub fn create_attempt(conn: &mut DbConn, new: &Attempt) -> Result<(), StoreError> {
    diesel::insert_into(calibration_attempts::table)
        .values((
            calibration_attempts::id.eq(new.id.to_string()),
            calibration_attempts::set_id.eq(new.set.to_string()),
            calibration_attempts::person_id.eq(new.person.to_string()),
            calibration_attempts::scoring_hash.eq(&new.scoring_hash),
            calibration_attempts::kind.eq(new.kind.as_str()),
            calibration_attempts::state.eq(new.state.as_str()),
            calibration_attempts::n.eq(0),
            calibration_attempts::exact.eq(0),
            calibration_attempts::decision.eq(0),
            calibration_attempts::discrepant.eq(0),
            calibration_attempts::started_at.eq(new.started_at.naive()),
            calibration_attempts::revision.eq(new.revision),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("open attempt"))?;
    Ok(())
}

/// One attempt.
///
/// # Errors
/// [`StoreError`].
pub fn find_attempt(
    conn: &mut DbConn,
    id: CalibrationAttemptId,
) -> Result<Option<Attempt>, StoreError> {
    let row: Option<AttemptRow> = calibration_attempts::table
        .find(id.to_string())
        .select(attempt_columns!())
        .first(conn)
        .optional()?;
    row.map(attempt_from_row).transpose()
}

/// Every attempt of a person for a scoring hash, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_attempts(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
) -> Result<Vec<Attempt>, StoreError> {
    let rows: Vec<AttemptRow> = calibration_attempts::table
        .filter(calibration_attempts::person_id.eq(person.to_string()))
        .filter(calibration_attempts::scoring_hash.eq(scoring_hash))
        .order((calibration_attempts::started_at, calibration_attempts::id))
        .select(attempt_columns!())
        .load(conn)?;
    rows.into_iter().map(attempt_from_row).collect()
}

/// Closes an attempt as read at `attempt.revision`.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn finish_attempt(conn: &mut DbConn, attempt: &Attempt) -> Result<(), StoreError> {
    let [n, exact, decision, discrepant] = attempt.counts;
    let unchanged = calibration_attempts::table
        .find(attempt.id.to_string())
        .filter(calibration_attempts::revision.eq(attempt.revision));
    let n_rows = diesel::update(unchanged)
        .set((
            calibration_attempts::state.eq(attempt.state.as_str()),
            calibration_attempts::n.eq(n),
            calibration_attempts::exact.eq(exact),
            calibration_attempts::decision.eq(decision),
            calibration_attempts::discrepant.eq(discrepant),
            calibration_attempts::finished_at.eq(attempt.finished_at.map(Timestamp::naive)),
            calibration_attempts::revision.eq(attempt.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Records that a lead assessor spoke about an attempt with its person.
///
/// # Errors
/// [`StoreError`].
pub fn save_coaching(
    conn: &mut DbConn,
    id: CalibrationAttemptId,
    by: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::update(calibration_attempts::table.find(id.to_string()))
        .set((
            calibration_attempts::coached_by.eq(Some(by.to_string())),
            calibration_attempts::coached_at.eq(Some(now.naive())),
        ))
        .execute(conn)?;
    Ok(())
}

/// Stores the scores of one paper of an attempt, once.
///
/// # Errors
/// [`StoreError::Duplicate`] when the paper is scored already.
pub fn save_scores(
    conn: &mut DbConn,
    attempt: CalibrationAttemptId,
    paper: CalibrationPaperId,
    levels: &BTreeMap<String, Option<u8>>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (criterion, level) in levels {
        diesel::insert_into(calibration_scores::table)
            .values((
                calibration_scores::attempt_id.eq(attempt.to_string()),
                calibration_scores::paper_id.eq(paper.to_string()),
                calibration_scores::criterion_id.eq(criterion),
                calibration_scores::level.eq(level.map(i32::from)),
                calibration_scores::scored_at.eq(now.naive()),
            ))
            .execute(conn)
            .map_err(StoreError::duplicate("score of the paper"))?;
    }
    Ok(())
}

/// Levels of one paper by criterion.
pub type PaperLevels = BTreeMap<String, Option<u8>>;

/// The scores of an attempt by paper and criterion.
///
/// # Errors
/// [`StoreError`].
pub fn list_scores(
    conn: &mut DbConn,
    attempt: CalibrationAttemptId,
) -> Result<BTreeMap<CalibrationPaperId, PaperLevels>, StoreError> {
    let rows: Vec<(String, String, Option<i32>)> = calibration_scores::table
        .filter(calibration_scores::attempt_id.eq(attempt.to_string()))
        .select((
            calibration_scores::paper_id,
            calibration_scores::criterion_id,
            calibration_scores::level,
        ))
        .load(conn)?;
    let mut scores: BTreeMap<CalibrationPaperId, PaperLevels> = BTreeMap::new();
    for (paper, criterion, level) in rows {
        let corrupt =
            |column| StoreError::corrupt("calibration_scores", &attempt.to_string(), column);
        let paper = paper.parse().map_err(|_bad| corrupt("paper_id"))?;
        let level = level.map(u8::try_from).transpose().map_err(|_bad| corrupt("level"))?;
        scores.entry(paper).or_default().insert(criterion, level);
    }
    Ok(scores)
}

/// A practice paper that somebody has scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Practised {
    /// In which attempt.
    pub attempt: CalibrationAttemptId,
    /// The paper.
    pub paper: CalibrationPaperId,
    /// When.
    pub scored_at: Timestamp,
}

/// The last practice papers that a person has scored for a scoring hash, the newest first; with `among`, those of sets of these
/// organizations.
///
/// # Errors
/// [`StoreError`].
pub fn list_practice(
    conn: &mut DbConn,
    (person, scoring_hash): (PersonId, &str),
    among: Option<&BTreeSet<OrganizationId>>,
    count: usize,
) -> Result<Vec<Practised>, StoreError> {
    type Row = (String, String, Option<NaiveDateTime>);
    let words: Vec<String> = among.into_iter().flatten().map(ToString::to_string).collect();
    let is_anywhere = among.is_none().into_sql::<Bool>();
    let rows: Vec<Row> = calibration_scores::table
        .inner_join(
            calibration_attempts::table
                .on(calibration_attempts::id.eq(calibration_scores::attempt_id)),
        )
        .inner_join(
            calibration_sets::table.on(calibration_sets::id.eq(calibration_attempts::set_id)),
        )
        .filter(is_anywhere.or(calibration_sets::organization_id.eq_any(words)))
        .filter(calibration_attempts::person_id.eq(person.to_string()))
        .filter(calibration_attempts::scoring_hash.eq(scoring_hash))
        .filter(calibration_attempts::kind.eq(SetKind::Practice.as_str()))
        .group_by((calibration_scores::attempt_id, calibration_scores::paper_id))
        .order((
            diesel::dsl::max(calibration_scores::scored_at).desc(),
            calibration_scores::attempt_id.desc(),
            calibration_scores::paper_id,
        ))
        .limit(i64::try_from(count).unwrap_or(i64::MAX))
        .select((
            calibration_scores::attempt_id,
            calibration_scores::paper_id,
            diesel::dsl::max(calibration_scores::scored_at),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(attempt, paper, at)| {
            let corrupt = |column| StoreError::corrupt("calibration_scores", &attempt, column);
            Ok(Practised {
                attempt: attempt.parse().map_err(|_bad| corrupt("attempt_id"))?,
                paper: paper.parse().map_err(|_bad| corrupt("paper_id"))?,
                scored_at: at.map(Timestamp::from_naive).ok_or_else(|| corrupt("scored_at"))?,
            })
        })
        .collect()
}

/// The qualifying sets that a person has passed for a scoring hash, wherever that was, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_passes(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
) -> Result<Vec<Pass>, StoreError> {
    type Row = (String, String, bool, Option<NaiveDateTime>);
    let rows: Vec<Row> = calibration_attempts::table
        .inner_join(
            calibration_sets::table.on(calibration_sets::id.eq(calibration_attempts::set_id)),
        )
        .filter(calibration_attempts::person_id.eq(person.to_string()))
        .filter(calibration_attempts::scoring_hash.eq(scoring_hash))
        .filter(calibration_attempts::state.eq(AttemptState::Passed.as_str()))
        .order((calibration_attempts::finished_at, calibration_attempts::id))
        .select((
            calibration_attempts::id,
            calibration_sets::organization_id,
            calibration_sets::is_provisional,
            calibration_attempts::finished_at,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, organization, is_provisional, finished_at)| {
            let corrupt = |column| StoreError::corrupt("calibration_attempts", &id, column);
            Ok(Pass {
                organization: organization.parse().map_err(|_bad| corrupt("set_id"))?,
                level: if is_provisional {
                    QualificationLevel::Provisional
                } else {
                    QualificationLevel::Full
                },
                passed_at: finished_at
                    .map(Timestamp::from_naive)
                    .ok_or_else(|| corrupt("finished_at"))?,
            })
        })
        .collect()
}

type QualificationRow =
    ((String, String, String, String), (NaiveDateTime, NaiveDateTime, Option<NaiveDateTime>, i32));

macro_rules! qualification_columns {
    () => {
        (
            (
                qualifications::person_id,
                qualifications::scoring_hash,
                qualifications::level,
                qualifications::state,
            ),
            (
                qualifications::passed_at,
                qualifications::expires_at,
                qualifications::flagged_at,
                qualifications::revision,
            ),
        )
    };
}

fn qualification_from_row(row: QualificationRow) -> Result<Qualification, StoreError> {
    let ((person, scoring_hash, level, state), (passed_at, expires_at, flagged_at, revision)) = row;
    let corrupt = |column| StoreError::corrupt("qualifications", &person, column);
    Ok(Qualification {
        person: person.parse().map_err(|_bad| corrupt("person_id"))?,
        scoring_hash,
        level: QualificationLevel::parse(&level).ok_or_else(|| corrupt("level"))?,
        state: QualificationState::parse(&state).ok_or_else(|| corrupt("state"))?,
        passed_at: Timestamp::from_naive(passed_at),
        expires_at: Timestamp::from_naive(expires_at),
        flagged_at: flagged_at.map(Timestamp::from_naive),
        revision,
    })
}

/// A person's qualification for a scoring hash, in whatever state.
///
/// # Errors
/// [`StoreError`].
pub fn find_qualification(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
) -> Result<Option<Qualification>, StoreError> {
    let row: Option<QualificationRow> = qualifications::table
        .filter(qualifications::person_id.eq(person.to_string()))
        .filter(qualifications::scoring_hash.eq(scoring_hash))
        .select(qualification_columns!())
        .first(conn)
        .optional()?;
    row.map(qualification_from_row).transpose()
}

/// Every qualification of a person.
///
/// # Errors
/// [`StoreError`].
pub fn list_qualifications(
    conn: &mut DbConn,
    person: PersonId,
) -> Result<Vec<Qualification>, StoreError> {
    let rows: Vec<QualificationRow> = qualifications::table
        .filter(qualifications::person_id.eq(person.to_string()))
        .order(qualifications::scoring_hash)
        .select(qualification_columns!())
        .load(conn)?;
    rows.into_iter().map(qualification_from_row).collect()
}

/// Stores a qualification that was passed in an attempt, over the one there was.
///
/// # Errors
/// [`StoreError`].
pub fn save_qualification(
    conn: &mut DbConn,
    row_id: &str,
    held: &Qualification,
    attempt: CalibrationAttemptId,
) -> Result<(), StoreError> {
    let values = (
        qualifications::level.eq(held.level.as_str()),
        qualifications::state.eq(held.state.as_str()),
        qualifications::attempt_id.eq(attempt.to_string()),
        qualifications::passed_at.eq(held.passed_at.naive()),
        qualifications::expires_at.eq(held.expires_at.naive()),
        qualifications::flagged_at.eq(held.flagged_at.map(Timestamp::naive)),
        qualifications::revision.eq(held.revision + 1),
    );
    let before = qualifications::table
        .filter(qualifications::person_id.eq(held.person.to_string()))
        .filter(qualifications::scoring_hash.eq(&held.scoring_hash));
    if diesel::update(before).set(values.clone()).execute(conn)? > 0 {
        return Ok(());
    }
    diesel::insert_into(qualifications::table)
        .values((
            qualifications::id.eq(row_id),
            qualifications::person_id.eq(held.person.to_string()),
            qualifications::scoring_hash.eq(&held.scoring_hash),
            values,
        ))
        .execute(conn)
        .map_err(StoreError::conflict)?;
    Ok(())
}

/// Saves what drift has made of a qualification as read at `held.revision`.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn flag_qualification(
    conn: &mut DbConn,
    held: &Qualification,
    state: QualificationState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unchanged = qualifications::table
        .filter(qualifications::person_id.eq(held.person.to_string()))
        .filter(qualifications::scoring_hash.eq(&held.scoring_hash))
        .filter(qualifications::revision.eq(held.revision));
    let n_rows = diesel::update(unchanged)
        .set((
            qualifications::state.eq(state.as_str()),
            qualifications::flagged_at.eq(Some(now.naive())),
            qualifications::revision.eq(held.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// A page of the attempts at a set, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_attempts_of_set(
    conn: &mut DbConn,
    set: CalibrationSetId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Attempt>, StoreError> {
    let rows: Vec<AttemptRow> = calibration_attempts::table
        .filter(calibration_attempts::set_id.eq(set.to_string()))
        .filter(calibration_attempts::id.gt(after.unwrap_or_default().to_owned()))
        .order(calibration_attempts::id)
        .limit(limit)
        .select(attempt_columns!())
        .load(conn)?;
    rows.into_iter().map(attempt_from_row).collect()
}
