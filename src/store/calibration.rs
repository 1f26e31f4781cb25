//! Calibration sets with their papers and keys.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{calibration_anchors, calibration_keys, calibration_papers, calibration_sets};
use super::{DbConn, StoreError};
use crate::domain::calibration::{SetKind, SetState};
use crate::domain::ids::{
    CalibrationPaperId, CalibrationSetId, MicroCredentialId, OrganizationId, PersonId,
    SubmissionId, VersionId,
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

/// Every set for a scoring hash that is or was in use, wherever it is, the oldest first; for every scoring hash without one.
///
/// # Errors
/// [`StoreError`].
pub fn list_used(
    conn: &mut DbConn,
    scoring_hash: Option<&str>,
) -> Result<Vec<CalibrationSet>, StoreError> {
    let mut boxed = calibration_sets::table
        .filter(calibration_sets::state.ne(SetState::Draft.as_str()))
        .select(set_columns!())
        .into_boxed::<MultiBackend>();
    if let Some(hash) = scoring_hash {
        boxed = boxed.filter(calibration_sets::scoring_hash.eq(hash.to_owned()));
    }
    let rows: Vec<SetRow> = boxed.order(calibration_sets::id).load(conn)?;
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
    is_provisional: bool,
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
            calibration_sets::is_provisional.eq(is_provisional),
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

/// One paper. The caller has found it through its set or a presentation.
///
/// # Errors
/// [`StoreError`].
pub fn find_paper(conn: &mut DbConn, id: CalibrationPaperId) -> Result<Option<Paper>, StoreError> {
    let row: Option<PaperRow> = calibration_papers::table
        .find(id.to_string())
        .select(paper_columns!())
        .first(conn)
        .optional()?;
    row.map(paper_from_row).transpose()
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
