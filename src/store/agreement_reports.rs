//! Locked readings of live work, as reports compare them.

use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{decisions, definition_versions, review_scores, reviews, submissions};
use super::{DbConn, StoreError};
use crate::domain::ids::{MicroCredentialId, PersonId, SubmissionId};
use crate::domain::review::{ReviewKind, ReviewState};
use crate::domain::timestamp::Timestamp;

/// One line of a locked sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedScore {
    /// Of which submission.
    pub submission: SubmissionId,
    /// Whose sheet.
    pub assessor: PersonId,
    /// Which criterion or prompt.
    pub criterion: String,
    /// Its level; none for unscorable.
    pub level: Option<u8>,
}

/// Every line of the locked readings of a micro-credential's versions of one scoring hash, in the order in which the sheets were
/// locked. Third readings, those of appeals and seed papers are left out; with a moment, also what was not decided by then.
///
/// # Errors
/// [`StoreError`].
pub fn list_locked(
    conn: &mut DbConn,
    family: MicroCredentialId,
    scoring_hash: &str,
    until: Option<Timestamp>,
) -> Result<Vec<LockedScore>, StoreError> {
    let mut query = review_scores::table
        .inner_join(reviews::table.on(reviews::id.eq(review_scores::review_id)))
        .inner_join(submissions::table.on(submissions::id.eq(reviews::submission_id)))
        .inner_join(
            definition_versions::table.on(definition_versions::id.eq(submissions::version_id)),
        )
        .filter(submissions::micro_credential_id.eq(family.to_string()))
        .filter(definition_versions::scoring_hash.eq(scoring_hash))
        .filter(reviews::state.eq(ReviewState::Locked.as_str()))
        .filter(reviews::kind.eq(ReviewKind::Reading.as_str()))
        .filter(reviews::case_id.is_null())
        .filter(diesel::dsl::not(is_seed!()))
        .order((reviews::locked_at, reviews::id, review_scores::criterion_id))
        .select((
            reviews::submission_id,
            reviews::assessor_id,
            review_scores::criterion_id,
            review_scores::level,
        ))
        .into_boxed::<MultiBackend>();
    if let Some(until) = until {
        let is_decided = decisions::table
            .filter(decisions::submission_id.eq(submissions::id))
            .filter(decisions::decided_at.lt(until.naive()));
        query = query
            .filter(reviews::locked_at.lt(until.naive()))
            .filter(diesel::dsl::exists(is_decided));
    }
    let rows: Vec<(String, Option<String>, String, Option<i32>)> = query.load(conn)?;
    rows.into_iter()
        .map(|(submission, assessor, criterion, level)| {
            let corrupt = |column| StoreError::corrupt("review_scores", &submission, column);
            let level = level.map(u8::try_from).transpose().map_err(|_bad| corrupt("level"))?;
            let assessor = assessor.ok_or_else(|| corrupt("review_id"))?;
            Ok(LockedScore {
                submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
                assessor: assessor.parse().map_err(|_bad| corrupt("assessor_id"))?,
                criterion,
                level,
            })
        })
        .collect()
}
