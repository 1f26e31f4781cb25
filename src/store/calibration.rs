//! Calibration sets with their papers and keys, attempts at them, and the qualifications that follow.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{
    calibration_anchors, calibration_attempts, calibration_keys, calibration_papers,
    calibration_scores, calibration_sets, qualifications,
};
use super::{DbConn, StoreError};
use crate::domain::calibration::{AttemptState, SetKind, SetState};
use crate::domain::eligibility::{Qualification, QualificationLevel, QualificationState};
use crate::domain::ids::{
    CalibrationAttemptId, CalibrationPaperId, CalibrationSetId, MicroCredentialId, OrganizationId,
    PersonId, SubmissionId, VersionId,
};
use crate::domain::timestamp::Timestamp;

/// A set of known work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalibrationSet {
    /// Its id.
    pub id: CalibrationSetId,
    /// Whose it is: that of its micro-credential.
    pub organization: OrganizationId,
    /// For which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// The version whose rubric it was keyed by.
    pub version: VersionId,
    /// That version's scoring hash, which it counts for.
    pub scoring_hash: String,
    /// What it is for.
    pub kind: SetKind,
    /// What lead assessors call it.
    pub title: String,
    /// Whether its work was made for the purpose.
    pub is_provisional: bool,
    /// Where it stands.
    pub state: SetState,
    /// Who made it.
    pub created_by: PersonId,
    /// Counts its changes.
    pub revision: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was published.
    pub published_at: Option<Timestamp>,
}

type SetRow = (
    (String, String, String, String, String, String, String),
    (bool, String, String, i32, NaiveDateTime, Option<NaiveDateTime>),
);

macro_rules! set_columns {
    () => {
        (
            (
                calibration_sets::id,
                calibration_sets::organization_id,
                calibration_sets::micro_credential_id,
                calibration_sets::version_id,
                calibration_sets::scoring_hash,
                calibration_sets::kind,
                calibration_sets::title,
            ),
            (
                calibration_sets::is_provisional,
                calibration_sets::state,
                calibration_sets::created_by,
                calibration_sets::revision,
                calibration_sets::created_at,
                calibration_sets::published_at,
            ),
        )
    };
}

fn set_from_row(row: SetRow) -> Result<CalibrationSet, StoreError> {
    let ((id, organization, micro_credential, version, scoring_hash, kind, title), rest) = row;
    let (is_provisional, state, created_by, revision, created_at, published_at) = rest;
    let corrupt = |column| StoreError::corrupt("calibration_sets", &id, column);
    Ok(CalibrationSet {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        micro_credential: micro_credential
            .parse()
            .map_err(|_bad| corrupt("micro_credential_id"))?,
        version: version.parse().map_err(|_bad| corrupt("version_id"))?,
        scoring_hash,
        kind: SetKind::parse(&kind).ok_or_else(|| corrupt("kind"))?,
        title,
        is_provisional,
        state: SetState::parse(&state).ok_or_else(|| corrupt("state"))?,
        created_by: created_by.parse().map_err(|_bad| corrupt("created_by"))?,
        revision,
        created_at: Timestamp::from_naive(created_at),
        published_at: published_at.map(Timestamp::from_naive),
    })
}

/// Adds a set.
///
/// # Errors
/// [`StoreError`].
pub fn create_set(conn: &mut DbConn, new: &CalibrationSet) -> Result<(), StoreError> {
    diesel::insert_into(calibration_sets::table)
        .values((
            calibration_sets::id.eq(new.id.to_string()),
            calibration_sets::organization_id.eq(new.organization.to_string()),
            calibration_sets::micro_credential_id.eq(new.micro_credential.to_string()),
            calibration_sets::version_id.eq(new.version.to_string()),
            calibration_sets::scoring_hash.eq(&new.scoring_hash),
            calibration_sets::kind.eq(new.kind.as_str()),
            calibration_sets::title.eq(&new.title),
            calibration_sets::is_provisional.eq(new.is_provisional),
            calibration_sets::state.eq(new.state.as_str()),
            calibration_sets::created_by.eq(new.created_by.to_string()),
            calibration_sets::revision.eq(new.revision),
            calibration_sets::created_at.eq(new.created_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// One set. The caller checks its organization against the policy table.
///
/// # Errors
/// [`StoreError`].
pub fn find_set(
    conn: &mut DbConn,
    id: CalibrationSetId,
) -> Result<Option<CalibrationSet>, StoreError> {
    let row: Option<SetRow> = calibration_sets::table
        .find(id.to_string())
        .select(set_columns!())
        .first(conn)
        .optional()?;
    row.map(set_from_row).transpose()
}

/// Which sets a list shows.
#[derive(Clone, Debug, Default)]
pub struct SetQuery {
    /// Every set of these organizations.
    pub managed: Vec<OrganizationId>,
    /// Of these, the published ones that are no seed papers.
    pub open: Vec<OrganizationId>,
    /// For this micro-credential.
    pub micro_credential: Option<MicroCredentialId>,
    /// After this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// A page of sets, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_sets(conn: &mut DbConn, query: &SetQuery) -> Result<Vec<CalibrationSet>, StoreError> {
    let words = |ids: &[OrganizationId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut boxed = calibration_sets::table
        .filter(
            calibration_sets::organization_id.eq_any(words(&query.managed)).or(
                calibration_sets::organization_id
                    .eq_any(words(&query.open))
                    .and(calibration_sets::state.eq(SetState::Published.as_str()))
                    .and(calibration_sets::kind.ne(SetKind::Seed.as_str())),
            ),
        )
        .select(set_columns!())
        .into_boxed::<MultiBackend>();
    if let Some(family) = query.micro_credential {
        boxed = boxed.filter(calibration_sets::micro_credential_id.eq(family.to_string()));
    }
    if let Some(after) = &query.after {
        boxed = boxed.filter(calibration_sets::id.gt(after.clone()));
    }
    let rows: Vec<SetRow> = boxed.order(calibration_sets::id).limit(query.limit).load(conn)?;
    rows.into_iter().map(set_from_row).collect()
}

/// The published sets for a scoring hash in any of these organizations, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_published(
    conn: &mut DbConn,
    scoring_hash: &str,
    among: &[OrganizationId],
) -> Result<Vec<CalibrationSet>, StoreError> {
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    let rows: Vec<SetRow> = calibration_sets::table
        .filter(calibration_sets::scoring_hash.eq(scoring_hash))
        .filter(calibration_sets::state.eq(SetState::Published.as_str()))
        .filter(calibration_sets::organization_id.eq_any(among))
        .select(set_columns!())
        .order(calibration_sets::id)
        .load(conn)?;
    rows.into_iter().map(set_from_row).collect()
}

/// Moves a set as read at `set.revision` to another state.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_set_state(
    conn: &mut DbConn,
    set: &CalibrationSet,
    state: SetState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unchanged = calibration_sets::table
        .find(set.id.to_string())
        .filter(calibration_sets::organization_id.eq(set.organization.to_string()))
        .filter(calibration_sets::revision.eq(set.revision));
    let published_at = if state == SetState::Published { Some(now) } else { set.published_at };
    let n_rows = diesel::update(unchanged)
        .set((
            calibration_sets::state.eq(state.as_str()),
            calibration_sets::published_at.eq(published_at.map(Timestamp::naive)),
            calibration_sets::revision.eq(set.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// One piece of known work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Its id.
    pub id: CalibrationPaperId,
    /// In which set.
    pub set: CalibrationSetId,
    /// 1, 2, …
    pub position: i32,
    /// An earner's work, with consent.
    pub submission: Option<SubmissionId>,
    /// Work made for the purpose, as JSON.
    pub content: Option<String>,
}

type PaperRow = (String, String, i32, Option<String>, Option<String>);

macro_rules! paper_columns {
    () => {
        (
            calibration_papers::id,
            calibration_papers::set_id,
            calibration_papers::position,
            calibration_papers::submission_id,
            calibration_papers::content,
        )
    };
}

fn paper_from_row((id, set, position, submission, content): PaperRow) -> Result<Paper, StoreError> {
    let corrupt = |column| StoreError::corrupt("calibration_papers", &id, column);
    Ok(Paper {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        set: set.parse().map_err(|_bad| corrupt("set_id"))?,
        position,
        submission: submission
            .map(|submission| submission.parse())
            .transpose()
            .map_err(|_bad| corrupt("submission_id"))?,
        content,
    })
}

/// Adds a paper.
///
/// # Errors
/// [`StoreError::Duplicate`] when the position is taken.
pub fn create_paper(conn: &mut DbConn, new: &Paper, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(calibration_papers::table)
        .values((
            calibration_papers::id.eq(new.id.to_string()),
            calibration_papers::set_id.eq(new.set.to_string()),
            calibration_papers::position.eq(new.position),
            calibration_papers::submission_id.eq(new.submission.map(|id| id.to_string())),
            calibration_papers::content.eq(&new.content),
            calibration_papers::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("paper at this position"))?;
    Ok(())
}

/// The papers of a set, in order.
///
/// # Errors
/// [`StoreError`].
pub fn list_papers(conn: &mut DbConn, set: CalibrationSetId) -> Result<Vec<Paper>, StoreError> {
    let rows: Vec<PaperRow> = calibration_papers::table
        .filter(calibration_papers::set_id.eq(set.to_string()))
        .order(calibration_papers::position)
        .select(paper_columns!())
        .load(conn)?;
    rows.into_iter().map(paper_from_row).collect()
}

/// One level with its reason, by criterion.
pub type Reasons = BTreeMap<String, (u8, String)>;

fn reasons(table: &'static str, rows: Vec<(String, i32, String)>) -> Result<Reasons, StoreError> {
    rows.into_iter()
        .map(|(criterion, level, rationale)| {
            let level = u8::try_from(level)
                .map_err(|_bad| StoreError::corrupt(table, &criterion, "level"))?;
            Ok((criterion, (level, rationale)))
        })
        .collect()
}

/// Adds what a training paper shows.
///
/// # Errors
/// [`StoreError`].
pub fn save_anchors(
    conn: &mut DbConn,
    paper: CalibrationPaperId,
    anchors: &Reasons,
) -> Result<(), StoreError> {
    for (criterion, (level, rationale)) in anchors {
        diesel::insert_into(calibration_anchors::table)
            .values((
                calibration_anchors::paper_id.eq(paper.to_string()),
                calibration_anchors::criterion_id.eq(criterion),
                calibration_anchors::level.eq(i32::from(*level)),
                calibration_anchors::rationale.eq(rationale),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// What a training paper shows.
///
/// # Errors
/// [`StoreError`].
pub fn list_anchors(conn: &mut DbConn, paper: CalibrationPaperId) -> Result<Reasons, StoreError> {
    let rows = calibration_anchors::table
        .filter(calibration_anchors::paper_id.eq(paper.to_string()))
        .select((
            calibration_anchors::criterion_id,
            calibration_anchors::level,
            calibration_anchors::rationale,
        ))
        .load(conn)?;
    reasons("calibration_anchors", rows)
}

/// Stores a lead assessor's key of a paper: once, and never changed.
///
/// # Errors
/// [`StoreError::Duplicate`] the second time.
pub fn save_key(
    conn: &mut DbConn,
    paper: CalibrationPaperId,
    author: PersonId,
    key: &Reasons,
) -> Result<(), StoreError> {
    for (criterion, (level, rationale)) in key {
        diesel::insert_into(calibration_keys::table)
            .values((
                calibration_keys::paper_id.eq(paper.to_string()),
                calibration_keys::author_id.eq(author.to_string()),
                calibration_keys::criterion_id.eq(criterion),
                calibration_keys::level.eq(i32::from(*level)),
                calibration_keys::rationale.eq(rationale),
            ))
            .execute(conn)
            .map_err(StoreError::duplicate("key"))?;
    }
    Ok(())
}

/// The keys of a paper by author.
///
/// # Errors
/// [`StoreError`].
pub fn list_keys(
    conn: &mut DbConn,
    paper: CalibrationPaperId,
) -> Result<BTreeMap<PersonId, Reasons>, StoreError> {
    let rows: Vec<(String, String, i32, String)> = calibration_keys::table
        .filter(calibration_keys::paper_id.eq(paper.to_string()))
        .select((
            calibration_keys::author_id,
            calibration_keys::criterion_id,
            calibration_keys::level,
            calibration_keys::rationale,
        ))
        .load(conn)?;
    let mut keys: BTreeMap<PersonId, Reasons> = BTreeMap::new();
    for (author, criterion, level, rationale) in rows {
        let corrupt = |column| StoreError::corrupt("calibration_keys", &paper.to_string(), column);
        let author = author.parse().map_err(|_bad| corrupt("author_id"))?;
        let level = u8::try_from(level).map_err(|_bad| corrupt("level"))?;
        keys.entry(author).or_default().insert(criterion, (level, rationale));
    }
    Ok(keys)
}

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

/// When a person scored their last `count` practice papers for a scoring hash, the newest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_practice(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    count: usize,
) -> Result<Vec<Timestamp>, StoreError> {
    let rows: Vec<Option<NaiveDateTime>> = calibration_scores::table
        .inner_join(
            calibration_attempts::table
                .on(calibration_attempts::id.eq(calibration_scores::attempt_id)),
        )
        .filter(calibration_attempts::person_id.eq(person.to_string()))
        .filter(calibration_attempts::scoring_hash.eq(scoring_hash))
        .filter(calibration_attempts::kind.eq(SetKind::Practice.as_str()))
        .group_by((calibration_scores::attempt_id, calibration_scores::paper_id))
        .order(diesel::dsl::max(calibration_scores::scored_at).desc())
        .limit(i64::try_from(count).unwrap_or(i64::MAX))
        .select(diesel::dsl::max(calibration_scores::scored_at))
        .load(conn)?;
    Ok(rows.into_iter().flatten().map(Timestamp::from_naive).collect())
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
