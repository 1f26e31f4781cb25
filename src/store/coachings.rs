//! Whom earners have asked to look at their attempts, and what these coaches have said.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{coach_comments, coachings, definition_versions, person_profiles, submissions};
use super::{DbConn, StoreError};
use crate::domain::coaching::Share;
use crate::domain::ids::{CoachingId, MicroCredentialId, OrganizationId, PersonId, SubmissionId};
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;

/// A coach who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coaching {
    /// Its id.
    pub id: CoachingId,
    /// About which attempt.
    pub submission: SubmissionId,
    /// Who was asked.
    pub coach: PersonId,
    /// What the coach may see.
    pub shares: BTreeSet<Share>,
    /// When.
    pub asked_at: Timestamp,
    /// When the earner ended it.
    pub ended_at: Option<Timestamp>,
}

/// Something that a coach has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoachComment {
    /// About which prompt, criterion or evidence requirement; none for the whole.
    pub item: Option<String>,
    /// The words, sealed with the submission's key.
    pub sealed_text: Vec<u8>,
    /// When.
    pub written_at: Timestamp,
}

type Row = (String, String, String, (bool, bool, bool), NaiveDateTime, Option<NaiveDateTime>);

macro_rules! coaching_columns {
    () => {
        (
            coachings::id,
            coachings::submission_id,
            coachings::coach_id,
            (coachings::shares_responses, coachings::shares_evidence, coachings::shares_feedback),
            coachings::asked_at,
            coachings::ended_at,
        )
    };
}

fn from_row(row: Row) -> Result<Coaching, StoreError> {
    let (id, submission, coach, (responses, evidence, feedback), asked_at, ended_at) = row;
    let corrupt = |column| StoreError::corrupt("coachings", &id, column);
    let shares =
        [(Share::Responses, responses), (Share::Evidence, evidence), (Share::Feedback, feedback)];
    Ok(Coaching {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
        coach: coach.parse().map_err(|_bad| corrupt("coach_id"))?,
        shares: shares.into_iter().filter(|(_, is_on)| *is_on).map(|(share, _)| share).collect(),
        asked_at: Timestamp::from_naive(asked_at),
        ended_at: ended_at.map(Timestamp::from_naive),
    })
}

/// Records that a coach was asked, or is asked again or for something else.
///
/// # Errors
/// [`StoreError`].
pub fn save(conn: &mut DbConn, coaching: &Coaching) -> Result<(), StoreError> {
    let values = (
        coachings::shares_responses.eq(coaching.shares.contains(&Share::Responses)),
        coachings::shares_evidence.eq(coaching.shares.contains(&Share::Evidence)),
        coachings::shares_feedback.eq(coaching.shares.contains(&Share::Feedback)),
        coachings::asked_at.eq(coaching.asked_at.naive()),
        coachings::ended_at.eq(coaching.ended_at.map(Timestamp::naive)),
    );
    let id = coaching.id.to_string();
    let n_changed = diesel::update(coachings::table.find(&id)).set(values).execute(conn)?;
    if n_changed == 0 {
        diesel::insert_into(coachings::table)
            .values((
                coachings::id.eq(id),
                coachings::submission_id.eq(coaching.submission.to_string()),
                coachings::coach_id.eq(coaching.coach.to_string()),
                values,
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Whom an earner has asked about any attempt at a micro-credential, those as well with whom it has ended.
///
/// # Errors
/// [`StoreError`].
pub fn list_asked(
    conn: &mut DbConn,
    earner: PersonId,
    family: MicroCredentialId,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let coaches: Vec<String> = coachings::table
        .inner_join(submissions::table.on(submissions::id.eq(coachings::submission_id)))
        .filter(submissions::earner_id.eq(earner.to_string()))
        .filter(submissions::micro_credential_id.eq(family.to_string()))
        .select(coachings::coach_id)
        .distinct()
        .load(conn)?;
    parse_ids("coachings", "coach_id", coaches)
}

/// One of them.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: CoachingId) -> Result<Option<Coaching>, StoreError> {
    let row: Option<Row> =
        coachings::table.find(id.to_string()).select(coaching_columns!()).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// What a coach was asked about an attempt, whether it goes on or not.
///
/// # Errors
/// [`StoreError`].
pub fn find_of(
    conn: &mut DbConn,
    submission: SubmissionId,
    coach: PersonId,
) -> Result<Option<Coaching>, StoreError> {
    let row: Option<Row> = coachings::table
        .filter(coachings::submission_id.eq(submission.to_string()))
        .filter(coachings::coach_id.eq(coach.to_string()))
        .select(coaching_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// A coaching as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoachingLine {
    /// The coaching.
    pub coaching: Coaching,
    /// Whose attempt it is.
    pub earner: PersonId,
    /// Their name.
    pub earner_name: String,
    /// The name of the coach.
    pub coach_name: String,
    /// At which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// At which version of it.
    pub version: i32,
    /// Its title.
    pub title: String,
    /// Where the attempt is.
    pub state: SubmissionState,
}

/// In which organizations' work somebody is shown coachings.
#[derive(Clone, Debug)]
pub struct ListedIn {
    /// Of their own attempts.
    pub as_earner: Vec<OrganizationId>,
    /// Of attempts that are shared with them.
    pub as_coach: Vec<OrganizationId>,
}

/// What goes on for a coach, and all that an earner has ever asked for, each in these organizations and in the order of their ids.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    person: PersonId,
    organizations: &ListedIn,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<CoachingLine>, StoreError> {
    type About = (String, String, String, String, i32, String, String);
    let person = person.to_string();
    let words =
        |ids: &[OrganizationId]| -> Vec<String> { ids.iter().map(ToString::to_string).collect() };
    let (earners, coaches) =
        diesel::alias!(person_profiles as earner_profiles, person_profiles as coach_profiles);
    let rows: Vec<(Row, About)> = coachings::table
        .inner_join(submissions::table.on(submissions::id.eq(coachings::submission_id)))
        .inner_join(
            definition_versions::table.on(definition_versions::id.eq(submissions::version_id)),
        )
        .inner_join(
            earners.on(earners.field(person_profiles::person_id).eq(submissions::earner_id)),
        )
        .inner_join(coaches.on(coaches.field(person_profiles::person_id).eq(coachings::coach_id)))
        .filter(
            submissions::earner_id
                .eq(&person)
                .and(submissions::organization_id.eq_any(words(&organizations.as_earner)))
                .or(coachings::coach_id
                    .eq(&person)
                    .and(coachings::ended_at.is_null())
                    .and(submissions::organization_id.eq_any(words(&organizations.as_coach)))),
        )
        .filter(coachings::id.gt(after.unwrap_or_default()))
        .order(coachings::id)
        .limit(limit)
        .select((
            coaching_columns!(),
            (
                submissions::earner_id,
                earners.field(person_profiles::name),
                coaches.field(person_profiles::name),
                submissions::micro_credential_id,
                definition_versions::number,
                definition_versions::title,
                submissions::state,
            ),
        ))
        .load(conn)?;
    let line = |(row, about): (Row, About)| {
        let (earner, earner_name, coach_name, family, version, title, state) = about;
        let coaching = from_row(row)?;
        let id = coaching.submission.to_string();
        let corrupt = |column| StoreError::corrupt("submissions", &id, column);
        Ok(CoachingLine {
            earner: earner.parse().map_err(|_bad| corrupt("earner_id"))?,
            micro_credential: family.parse().map_err(|_bad| corrupt("micro_credential_id"))?,
            state: SubmissionState::parse(&state).ok_or_else(|| corrupt("state"))?,
            coaching,
            earner_name,
            coach_name,
            version,
            title,
        })
    };
    rows.into_iter().map(line).collect()
}

/// Keeps what a coach has said.
///
/// # Errors
/// [`StoreError`].
pub fn create_comment(
    conn: &mut DbConn,
    id: &str,
    coaching: CoachingId,
    new: &CoachComment,
) -> Result<(), StoreError> {
    diesel::insert_into(coach_comments::table)
        .values((
            coach_comments::id.eq(id),
            coach_comments::coaching_id.eq(coaching.to_string()),
            coach_comments::item_id.eq(&new.item),
            coach_comments::sealed_text.eq(&new.sealed_text),
            coach_comments::written_at.eq(new.written_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// What a coach has said, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_comments(
    conn: &mut DbConn,
    coaching: CoachingId,
) -> Result<Vec<CoachComment>, StoreError> {
    let rows: Vec<(Option<String>, Vec<u8>, NaiveDateTime)> = coach_comments::table
        .filter(coach_comments::coaching_id.eq(coaching.to_string()))
        .order(coach_comments::id)
        .select((coach_comments::item_id, coach_comments::sealed_text, coach_comments::written_at))
        .load(conn)?;
    let comments = rows.into_iter().map(|(item, sealed_text, written_at)| CoachComment {
        item,
        sealed_text,
        written_at: Timestamp::from_naive(written_at),
    });
    Ok(comments.collect())
}
