//! Known papers in the live queue, the scores that assessors gave them, and what is to be read again after a suspension.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{
    calibration_papers, calibration_sets, decisions, definition_versions, people, reviews,
    sample_consents, seed_presentations, seed_scores, submissions,
};
use super::{DbConn, StoreError};
use crate::domain::calibration::{SetKind, SetState};
use crate::domain::ids::{CalibrationPaperId, OrganizationId, PersonId, ReviewId, SubmissionId};
use crate::domain::review::{REREAD_SEAT, ReviewKind, ReviewState};
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;

/// A known paper as one assessor has it in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// The submission that it looks like.
    pub submission: SubmissionId,
    /// The paper.
    pub paper: CalibrationPaperId,
    /// To whom.
    pub person: PersonId,
    /// For which scoring hash.
    pub scoring_hash: String,
    /// When it was scored.
    pub scored_at: Option<Timestamp>,
}

/// Adds a presentation.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &Presentation, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(seed_presentations::table)
        .values((
            seed_presentations::submission_id.eq(new.submission.to_string()),
            seed_presentations::paper_id.eq(new.paper.to_string()),
            seed_presentations::person_id.eq(new.person.to_string()),
            seed_presentations::scoring_hash.eq(&new.scoring_hash),
            seed_presentations::presented_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// What a submission is, if it is a known paper.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Option<Presentation>, StoreError> {
    type Row = (String, String, String, String, Option<NaiveDateTime>);
    let row: Option<Row> = seed_presentations::table
        .find(submission.to_string())
        .select((
            seed_presentations::submission_id,
            seed_presentations::paper_id,
            seed_presentations::person_id,
            seed_presentations::scoring_hash,
            seed_presentations::scored_at,
        ))
        .first(conn)
        .optional()?;
    row.map(|(id, paper, person, scoring_hash, scored_at)| {
        let corrupt = |column| StoreError::corrupt("seed_presentations", &id, column);
        Ok(Presentation {
            submission,
            paper: paper.parse().map_err(|_bad| corrupt("paper_id"))?,
            person: person.parse().map_err(|_bad| corrupt("person_id"))?,
            scoring_hash,
            scored_at: scored_at.map(Timestamp::from_naive),
        })
    })
    .transpose()
}

/// Whether a submission is a known paper.
///
/// # Errors
/// [`StoreError`].
pub fn is_seed(conn: &mut DbConn, submission: SubmissionId) -> Result<bool, StoreError> {
    Ok(find(conn, submission)?.is_some())
}

/// Known papers that stand still since before a moment, because their reader has flagged them.
///
/// # Errors
/// [`StoreError`].
pub fn list_questioned(
    conn: &mut DbConn,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<SubmissionId>, StoreError> {
    let ids: Vec<String> = seed_presentations::table
        .inner_join(submissions::table.on(submissions::id.eq(seed_presentations::submission_id)))
        .filter(submissions::state.eq(SubmissionState::OnHold.as_str()))
        .filter(submissions::updated_at.lt(before.naive()))
        .order(submissions::id)
        .limit(limit)
        .select(submissions::id)
        .load(conn)?;
    ids.into_iter()
        .map(|id| id.parse().map_err(|_bad| StoreError::corrupt("submissions", &id, "id")))
        .collect()
}

/// The seed papers that a person may be given: published, not seen by them, and not keyed by them.
///
/// # Errors
/// [`StoreError`].
pub fn list_unseen(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    among: &[OrganizationId],
) -> Result<Vec<CalibrationPaperId>, StoreError> {
    use super::schema::calibration_keys;
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    let seen = diesel::dsl::exists(
        seed_presentations::table
            .filter(seed_presentations::paper_id.eq(calibration_papers::id))
            .filter(seed_presentations::person_id.eq(person.to_string())),
    );
    let keyed = diesel::dsl::exists(
        calibration_keys::table
            .filter(calibration_keys::paper_id.eq(calibration_papers::id))
            .filter(calibration_keys::author_id.eq(person.to_string())),
    );
    let ids: Vec<String> = calibration_papers::table
        .inner_join(calibration_sets::table.on(calibration_sets::id.eq(calibration_papers::set_id)))
        .filter(calibration_sets::scoring_hash.eq(scoring_hash))
        .filter(calibration_sets::kind.eq(SetKind::Seed.as_str()))
        .filter(calibration_sets::state.eq(SetState::Published.as_str()))
        .filter(calibration_sets::organization_id.eq_any(among))
        .filter(diesel::dsl::not(seen))
        .filter(diesel::dsl::not(keyed))
        .order(calibration_papers::id)
        .select(calibration_papers::id)
        .load(conn)?;
    parse_ids("calibration_papers", "id", ids)
}

/// The review with which a person was last given a known paper by a scoring hash since a moment.
///
/// # Errors
/// [`StoreError`].
pub fn last_presented(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    since: Timestamp,
) -> Result<Option<ReviewId>, StoreError> {
    let last: Option<String> = seed_presentations::table
        .inner_join(reviews::table.on(reviews::submission_id.eq(seed_presentations::submission_id)))
        .filter(seed_presentations::person_id.eq(person.to_string()))
        .filter(seed_presentations::scoring_hash.eq(scoring_hash))
        .filter(seed_presentations::presented_at.ge(since.naive()))
        .select(diesel::dsl::max(reviews::id))
        .first(conn)?;
    last.map(|id| id.parse().map_err(|_bad| StoreError::corrupt("reviews", &id, "id"))).transpose()
}

/// How many first and second readings by a scoring hash a person has taken since a moment, seed papers included; with a review, only
/// those that came after it.
///
/// # Errors
/// [`StoreError`].
pub fn count_taken(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    since: Timestamp,
    after: Option<ReviewId>,
) -> Result<i64, StoreError> {
    Ok(reviews::table
        .inner_join(submissions::table.on(submissions::id.eq(reviews::submission_id)))
        .inner_join(
            definition_versions::table.on(definition_versions::id.eq(submissions::version_id)),
        )
        .filter(reviews::assessor_id.eq(Some(person.to_string())))
        .filter(definition_versions::scoring_hash.eq(scoring_hash))
        .filter(reviews::created_at.ge(since.naive()))
        .filter(reviews::kind.eq(ReviewKind::Reading.as_str()))
        .filter(reviews::case_id.is_null())
        .filter(reviews::seat.ne(REREAD_SEAT))
        // Ids are in the order in which they were made; an empty text is before all of them.
        .filter(reviews::id.gt(after.map(|id| id.to_string()).unwrap_or_default()))
        .count()
        .get_result(conn)?)
}

/// One criterion of a known paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedScore {
    /// The criterion.
    pub criterion: String,
    /// The level of the key.
    pub key: u8,
    /// What was given; none for unscorable.
    pub given: Option<u8>,
}

/// Records how a known paper was scored.
///
/// # Errors
/// [`StoreError::Stale`] when it is scored already.
pub fn save_scores(
    conn: &mut DbConn,
    submission: SubmissionId,
    scores: &[SeedScore],
    now: Timestamp,
) -> Result<(), StoreError> {
    let open = seed_presentations::table
        .find(submission.to_string())
        .filter(seed_presentations::scored_at.is_null());
    let n_rows = diesel::update(open)
        .set(seed_presentations::scored_at.eq(Some(now.naive())))
        .execute(conn)?;
    if n_rows == 0 {
        return Err(StoreError::Stale);
    }
    for score in scores {
        diesel::insert_into(seed_scores::table)
            .values((
                seed_scores::submission_id.eq(submission.to_string()),
                seed_scores::criterion_id.eq(&score.criterion),
                seed_scores::key_level.eq(i32::from(score.key)),
                seed_scores::given_level.eq(score.given.map(i32::from)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The seed scores of a person for a scoring hash with the moment of each paper, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_scores(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    since: Timestamp,
) -> Result<Vec<(Timestamp, SeedScore)>, StoreError> {
    let rows: Vec<(Option<NaiveDateTime>, String, i32, Option<i32>)> = seed_scores::table
        .inner_join(
            seed_presentations::table
                .on(seed_presentations::submission_id.eq(seed_scores::submission_id)),
        )
        .filter(seed_presentations::person_id.eq(person.to_string()))
        .filter(seed_presentations::scoring_hash.eq(scoring_hash))
        .filter(seed_presentations::scored_at.ge(Some(since.naive())))
        .order((
            seed_presentations::scored_at,
            seed_presentations::submission_id,
            seed_scores::criterion_id,
        ))
        .select((
            seed_presentations::scored_at,
            seed_scores::criterion_id,
            seed_scores::key_level,
            seed_scores::given_level,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(at, criterion, key, given)| {
            let corrupt = |column| StoreError::corrupt("seed_scores", &criterion, column);
            let at = at.map(Timestamp::from_naive).ok_or_else(|| corrupt("scored_at"))?;
            let key = u8::try_from(key).map_err(|_bad| corrupt("key_level"))?;
            let given =
                given.map(u8::try_from).transpose().map_err(|_bad| corrupt("given_level"))?;
            Ok((at, SeedScore { criterion: criterion.clone(), key, given }))
        })
        .collect()
}

/// When a person last scored a known paper by a scoring hash, by the organization whose set it is of.
///
/// # Errors
/// [`StoreError`].
pub fn list_last_scored(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
) -> Result<BTreeMap<OrganizationId, Timestamp>, StoreError> {
    let rows: Vec<(String, Option<NaiveDateTime>)> = seed_presentations::table
        .inner_join(
            calibration_papers::table.on(calibration_papers::id.eq(seed_presentations::paper_id)),
        )
        .inner_join(calibration_sets::table.on(calibration_sets::id.eq(calibration_papers::set_id)))
        .filter(seed_presentations::person_id.eq(person.to_string()))
        .filter(seed_presentations::scoring_hash.eq(scoring_hash))
        .group_by(calibration_sets::organization_id)
        .select((
            calibration_sets::organization_id,
            diesel::dsl::max(seed_presentations::scored_at),
        ))
        .load(conn)?;
    let scored = rows.into_iter().filter_map(|(organization, at)| Some((organization, at?)));
    scored
        .map(|(organization, at)| {
            let corrupt =
                |_bad| StoreError::corrupt("calibration_sets", &organization, "organization_id");
            Ok((organization.parse().map_err(corrupt)?, Timestamp::from_naive(at)))
        })
        .collect()
}

/// When the `count`th submission by a scoring hash was decided by two readers or more.
///
/// # Errors
/// [`StoreError`].
pub fn double_scored_since(
    conn: &mut DbConn,
    scoring_hash: &str,
    count: i64,
) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<NaiveDateTime> = decisions::table
        .inner_join(submissions::table.on(submissions::id.eq(decisions::submission_id)))
        .inner_join(
            definition_versions::table.on(definition_versions::id.eq(submissions::version_id)),
        )
        .filter(definition_versions::scoring_hash.eq(scoring_hash))
        .filter(decisions::raters.ge(2))
        .filter(diesel::dsl::not(is_seed!()))
        .order(decisions::decided_at)
        .offset(count - 1)
        .select(decisions::decided_at)
        .first(conn)
        .optional()?;
    Ok(at.map(Timestamp::from_naive))
}

/// The reviews of an assessor by a scoring hash that they hold, or have locked since a moment: live ones and known papers.
///
/// # Errors
/// [`StoreError`].
pub fn list_reviews(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    state: ReviewState,
    since: Timestamp,
) -> Result<Vec<(ReviewId, SubmissionId, OrganizationId)>, StoreError> {
    let mut rows: Vec<(String, String, String, Option<NaiveDateTime>)> = reviews::table
        .inner_join(submissions::table.on(submissions::id.eq(reviews::submission_id)))
        .inner_join(
            definition_versions::table.on(definition_versions::id.eq(submissions::version_id)),
        )
        .filter(reviews::assessor_id.eq(Some(person.to_string())))
        .filter(reviews::state.eq(state.as_str()))
        .filter(definition_versions::scoring_hash.eq(scoring_hash))
        .order(reviews::id)
        .select((reviews::id, reviews::submission_id, reviews::organization_id, reviews::locked_at))
        .load(conn)?;
    rows.retain(|(_, _, _, locked)| {
        locked.is_none_or(|locked| Timestamp::from_naive(locked) >= since)
    });
    rows.into_iter()
        .map(|(id, submission, organization, _)| {
            let corrupt = |column| StoreError::corrupt("reviews", &id, column);
            Ok((
                id.parse().map_err(|_bad| corrupt("id"))?,
                submission.parse().map_err(|_bad| corrupt("submission_id"))?,
                organization.parse().map_err(|_bad| corrupt("organization_id"))?,
            ))
        })
        .collect()
}

/// Whether an earner lets decided work be known work now.
///
/// # Errors
/// [`StoreError`].
pub fn has_consent(
    conn: &mut DbConn,
    submission: SubmissionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let given = sample_consents::table
        .find(submission.to_string())
        .filter(sample_consents::ends_at.gt(now.naive()))
        .filter(sample_consents::withdrawn_at.is_null());
    Ok(diesel::select(diesel::dsl::exists(given)).get_result(conn)?)
}

/// Gives a consent until a date, or withdraws it.
///
/// # Errors
/// [`StoreError`].
pub fn save_consent(
    conn: &mut DbConn,
    submission: SubmissionId,
    ends_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = sample_consents::table.find(submission.to_string());
    let Some(ends_at) = ends_at else {
        diesel::update(row)
            .set(sample_consents::withdrawn_at.eq(Some(now.naive())))
            .execute(conn)?;
        return Ok(());
    };
    let values = (
        sample_consents::ends_at.eq(ends_at.naive()),
        sample_consents::granted_at.eq(now.naive()),
        sample_consents::withdrawn_at.eq(None::<NaiveDateTime>),
    );
    if diesel::update(row).set(values).execute(conn)? == 0 {
        diesel::insert_into(sample_consents::table)
            .values((sample_consents::submission_id.eq(submission.to_string()), values))
            .execute(conn)
            .map_err(StoreError::conflict)?;
    }
    Ok(())
}

/// Somebody who is nobody: the earner of a known paper, without a name or an account.
///
/// # Errors
/// [`StoreError`].
pub fn create_nobody(conn: &mut DbConn, id: PersonId, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(people::table)
        .values((people::id.eq(id.to_string()), people::created_at.eq(now.naive())))
        .execute(conn)?;
    Ok(())
}

/// Live work that is not decided on its promised day, with that day, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_overdue(
    conn: &mut DbConn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(OrganizationId, Timestamp)>, StoreError> {
    let rows: Vec<(String, Option<NaiveDateTime>)> = submissions::table
        .filter(submissions::state.eq_any([
            "submitted",
            "queued",
            "in_review",
            "resolving",
            "adjudication",
        ]))
        .filter(submissions::due_on.lt(Some(now.naive())))
        .filter(diesel::dsl::not(is_seed!()))
        .order(submissions::due_on)
        .limit(limit)
        .select((submissions::organization_id, submissions::due_on))
        .load(conn)?;
    rows.into_iter()
        .map(|(organization, due_on)| {
            let corrupt = |column| StoreError::corrupt("submissions", &organization, column);
            let due_on = due_on.map(Timestamp::from_naive).ok_or_else(|| corrupt("due_on"))?;
            Ok((organization.parse().map_err(|_bad| corrupt("organization_id"))?, due_on))
        })
        .collect()
}

/// The ids under which known papers were given to readers, of everybody: what looks like a submission and is none.
///
/// # Errors
/// [`StoreError`].
pub fn list_presented_to_anybody(conn: &mut DbConn) -> Result<Vec<String>, StoreError> {
    Ok(seed_presentations::table.select(seed_presentations::submission_id).load(conn)?)
}
