//! With whom earners say that they have made an item of evidence together, and what these say.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{co_earners, definition_versions, evidence, person_profiles, submissions};
use super::{DbConn, StoreError};
use crate::domain::co_earner::CoEarnerState;
use crate::domain::ids::{CoEarnerId, EvidenceId, MicroCredentialId, PersonId, SubmissionId};
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;

/// Somebody who was named for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoEarner {
    /// Its id.
    pub id: CoEarnerId,
    /// In which submission.
    pub submission: SubmissionId,
    /// For which item.
    pub evidence: EvidenceId,
    /// Who it is; none where nobody of the earner's district goes by what they have written.
    pub person: Option<PersonId>,
    /// What the earner has written, an address or an id, sealed with the submission's key.
    pub sealed_name: Vec<u8>,
    /// When.
    pub asked_at: Timestamp,
    /// What the person says.
    pub is_confirmed: Option<bool>,
    /// When they said it.
    pub answered_at: Option<Timestamp>,
    /// When the earner took it back, or the item away.
    pub ended_at: Option<Timestamp>,
}

impl CoEarner {
    /// How it stands.
    #[must_use]
    pub fn state(&self) -> CoEarnerState {
        CoEarnerState::new(self.is_confirmed, self.ended_at.is_some())
    }
}

type Row = (
    (String, String, String, Option<String>, Vec<u8>),
    (NaiveDateTime, Option<bool>, Option<NaiveDateTime>, Option<NaiveDateTime>),
);

macro_rules! co_earner_columns {
    () => {
        (
            (
                co_earners::id,
                co_earners::submission_id,
                co_earners::evidence_id,
                co_earners::person_id,
                co_earners::sealed_name,
            ),
            (
                co_earners::asked_at,
                co_earners::is_confirmed,
                co_earners::answered_at,
                co_earners::ended_at,
            ),
        )
    };
}

fn from_row((ids, answer): Row) -> Result<CoEarner, StoreError> {
    let (id, submission, evidence, person, sealed_name) = ids;
    let (asked_at, is_confirmed, answered_at, ended_at) = answer;
    let corrupt = |column| StoreError::corrupt("co_earners", &id, column);
    Ok(CoEarner {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
        evidence: evidence.parse().map_err(|_bad| corrupt("evidence_id"))?,
        person: person
            .map(|person| person.parse().map_err(|_bad| corrupt("person_id")))
            .transpose()?,
        sealed_name,
        asked_at: Timestamp::from_naive(asked_at),
        is_confirmed,
        answered_at: answered_at.map(Timestamp::from_naive),
        ended_at: ended_at.map(Timestamp::from_naive),
    })
}

/// Records that somebody was named.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &CoEarner) -> Result<(), StoreError> {
    diesel::insert_into(co_earners::table)
        .values((
            co_earners::id.eq(new.id.to_string()),
            co_earners::submission_id.eq(new.submission.to_string()),
            co_earners::evidence_id.eq(new.evidence.to_string()),
            co_earners::person_id.eq(new.person.map(|person| person.to_string())),
            co_earners::sealed_name.eq(&new.sealed_name),
            co_earners::asked_at.eq(new.asked_at.naive()),
            co_earners::is_confirmed.eq(new.is_confirmed),
            co_earners::answered_at.eq(new.answered_at.map(Timestamp::naive)),
            co_earners::ended_at.eq(new.ended_at.map(Timestamp::naive)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Who was named in a submission, those as well that were taken back, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(conn: &mut DbConn, submission: SubmissionId) -> Result<Vec<CoEarner>, StoreError> {
    let rows: Vec<Row> = co_earners::table
        .filter(co_earners::submission_id.eq(submission.to_string()))
        .order(co_earners::id)
        .select(co_earner_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Who was named in any attempt of an earner at a micro-credential, those as well that were taken back, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_family(
    conn: &mut DbConn,
    earner: PersonId,
    family: MicroCredentialId,
) -> Result<Vec<CoEarner>, StoreError> {
    let rows: Vec<Row> = co_earners::table
        .inner_join(submissions::table.on(submissions::id.eq(co_earners::submission_id)))
        .filter(submissions::earner_id.eq(earner.to_string()))
        .filter(submissions::micro_credential_id.eq(family.to_string()))
        .order(co_earners::id)
        .select(co_earner_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// One of them.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: CoEarnerId) -> Result<Option<CoEarner>, StoreError> {
    let row: Option<Row> = co_earners::table
        .find(id.to_string())
        .select(co_earner_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// Takes back that somebody was named.
///
/// # Errors
/// [`StoreError::Stale`] for what was taken back already.
pub fn end(conn: &mut DbConn, id: CoEarnerId, now: Timestamp) -> Result<(), StoreError> {
    let live = co_earners::table.find(id.to_string()).filter(co_earners::ended_at.is_null());
    let n_rows =
        diesel::update(live).set(co_earners::ended_at.eq(Some(now.naive()))).execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Takes back that anybody was named for an item that goes.
///
/// # Errors
/// [`StoreError`].
pub fn end_of(conn: &mut DbConn, evidence: EvidenceId, now: Timestamp) -> Result<(), StoreError> {
    let live = co_earners::table
        .filter(co_earners::evidence_id.eq(evidence.to_string()))
        .filter(co_earners::ended_at.is_null());
    diesel::update(live).set(co_earners::ended_at.eq(Some(now.naive()))).execute(conn)?;
    Ok(())
}

/// Records what a person says about an item, by whichever name they were named.
///
/// # Errors
/// [`StoreError`].
pub fn save_answer(
    conn: &mut DbConn,
    evidence: EvidenceId,
    person: PersonId,
    is_confirmed: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let live = co_earners::table
        .filter(co_earners::evidence_id.eq(evidence.to_string()))
        .filter(co_earners::person_id.eq(Some(person.to_string())))
        .filter(co_earners::ended_at.is_null());
    diesel::update(live)
        .set((
            co_earners::is_confirmed.eq(Some(is_confirmed)),
            co_earners::answered_at.eq(Some(now.naive())),
        ))
        .execute(conn)?;
    Ok(())
}

/// What somebody is asked about an item of a colleague's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedEvidence {
    /// How it stands.
    pub co_earner: CoEarner,
    /// The colleague.
    pub earner: PersonId,
    /// Their name.
    pub earner_name: String,
    /// At which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// At which version of it.
    pub version: i32,
    /// Its title.
    pub title: String,
    /// Which requirement or prompt the item answers.
    pub requirement: String,
    /// file, link or text.
    pub kind: String,
    /// Where the colleague's attempt is.
    pub state: SubmissionState,
}

type About = (String, String, String, i32, String, String, String, String);

/// What is asked, joined with what it is about.
macro_rules! asked_of {
    ($person:expr) => {
        co_earners::table
            .inner_join(submissions::table.on(submissions::id.eq(co_earners::submission_id)))
            .inner_join(evidence::table.on(evidence::id.eq(co_earners::evidence_id)))
            .inner_join(
                definition_versions::table.on(definition_versions::id.eq(submissions::version_id)),
            )
            .inner_join(
                person_profiles::table.on(person_profiles::person_id.eq(submissions::earner_id)),
            )
            .filter(co_earners::person_id.eq(Some($person.to_string())))
            .filter(co_earners::ended_at.is_null())
            .select((
                co_earner_columns!(),
                (
                    submissions::earner_id,
                    person_profiles::name,
                    submissions::micro_credential_id,
                    definition_versions::number,
                    definition_versions::title,
                    evidence::requirement_id,
                    evidence::kind,
                    submissions::state,
                ),
            ))
    };
}

fn shared_from_row((row, about): (Row, About)) -> Result<SharedEvidence, StoreError> {
    let (earner, earner_name, family, version, title, requirement, kind, state) = about;
    let co_earner = from_row(row)?;
    let id = co_earner.submission.to_string();
    let corrupt = |column| StoreError::corrupt("submissions", &id, column);
    Ok(SharedEvidence {
        earner: earner.parse().map_err(|_bad| corrupt("earner_id"))?,
        micro_credential: family.parse().map_err(|_bad| corrupt("micro_credential_id"))?,
        state: SubmissionState::parse(&state).ok_or_else(|| corrupt("state"))?,
        co_earner,
        earner_name,
        version,
        title,
        requirement,
        kind,
    })
}

/// What a person is asked, the oldest first, without what was taken back.
///
/// # Errors
/// [`StoreError`].
pub fn list_asked(
    conn: &mut DbConn,
    person: PersonId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<SharedEvidence>, StoreError> {
    let rows: Vec<(Row, About)> = asked_of!(person)
        .filter(co_earners::id.gt(after.unwrap_or_default()))
        .order(co_earners::id)
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(shared_from_row).collect()
}

/// One thing that a person is asked; none of what was taken back.
///
/// # Errors
/// [`StoreError`].
pub fn find_asked(
    conn: &mut DbConn,
    person: PersonId,
    id: CoEarnerId,
) -> Result<Option<SharedEvidence>, StoreError> {
    let row: Option<(Row, About)> =
        asked_of!(person).filter(co_earners::id.eq(id.to_string())).first(conn).optional()?;
    row.map(shared_from_row).transpose()
}

/// With whom an earner has made these bytes, as both say, whichever of them has named the other.
///
/// # Errors
/// [`StoreError`].
pub fn list_sharing(
    conn: &mut DbConn,
    earner: PersonId,
    sha256: &str,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let earner = earner.to_string();
    let rows: Vec<(String, Option<String>)> = co_earners::table
        .inner_join(submissions::table.on(submissions::id.eq(co_earners::submission_id)))
        .inner_join(evidence::table.on(evidence::id.eq(co_earners::evidence_id)))
        .filter(evidence::sha256.eq(sha256))
        .filter(co_earners::is_confirmed.eq(Some(true)))
        .filter(co_earners::ended_at.is_null())
        .filter(submissions::earner_id.eq(&earner).or(co_earners::person_id.eq(Some(&earner))))
        .select((submissions::earner_id, co_earners::person_id))
        .load(conn)?;
    let others = rows.into_iter().flat_map(|(one, other)| [Some(one), other]).flatten();
    parse_ids("co_earners", "person_id", others.filter(|person| *person != earner).collect())
}
