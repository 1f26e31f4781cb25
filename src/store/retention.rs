//! How long what people have handed in is kept (docs/RETENTION.md).

use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{calibration_papers, sample_consents, submissions};
use super::{DbConn, StoreError};
use crate::domain::ids::SubmissionId;
use crate::domain::timestamp::Timestamp;

/// Sets until when the evidence of a submission that is under way is kept.
///
/// # Errors
/// [`StoreError`].
pub fn save_retention(
    conn: &mut DbConn,
    id: SubmissionId,
    retain_until: Timestamp,
) -> Result<(), StoreError> {
    diesel::update(submissions::table.find(id.to_string()))
        .set(submissions::retain_until.eq(Some(retain_until.naive())))
        .execute(conn)?;
    Ok(())
}

/// Submissions whose evidence may be forgotten now: their date has passed, and no paper of a set lives by an earner's consent.
///
/// # Errors
/// [`StoreError`].
pub fn list_past_retention(
    conn: &mut DbConn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<SubmissionId>, StoreError> {
    // While consent holds and a set has it as a paper, work is kept for those who learn from it (RETENTION.md, "known work of an earner").
    let is_known_work = diesel::dsl::exists(
        sample_consents::table
            .inner_join(calibration_papers::table.on(
                calibration_papers::submission_id.eq(sample_consents::submission_id.nullable()),
            ))
            .filter(sample_consents::submission_id.eq(submissions::id))
            .filter(sample_consents::ends_at.gt(now.naive()))
            .filter(sample_consents::withdrawn_at.is_null()),
    );
    let ids: Vec<String> = submissions::table
        .filter(diesel::dsl::not(is_known_work))
        .filter(submissions::retain_until.lt(Some(now.naive())))
        .filter(submissions::sealed_key.is_not_null())
        .select(submissions::id)
        .limit(limit)
        .load(conn)?;
    parse_ids("submissions", "id", ids)
}
