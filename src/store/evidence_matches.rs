//! The same bytes in the work of two earners: a signal for a person, never a verdict.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{evidence, evidence_matches, submissions};
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, PersonId, SubmissionId};
use crate::domain::timestamp::Timestamp;

/// Two submissions that hold the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceMatch {
    /// Its id.
    pub id: String,
    /// Whose submissions they are.
    pub organization: OrganizationId,
    /// The one that was handed in later.
    pub submission: SubmissionId,
    /// Where in it.
    pub requirement: String,
    /// The other one.
    pub other: SubmissionId,
    /// When it was found.
    pub found_at: Timestamp,
}

/// Other earners' submissions of an organization that hold these bytes and are no drafts. Known papers are nobody's.
///
/// # Errors
/// [`StoreError`].
pub fn list_others_with(
    conn: &mut DbConn,
    organization: OrganizationId,
    earner: PersonId,
    sha256: &str,
    limit: i64,
) -> Result<Vec<SubmissionId>, StoreError> {
    let ids: Vec<String> = evidence::table
        .inner_join(submissions::table.on(submissions::id.eq(evidence::submission_id)))
        .filter(evidence::sha256.eq(sha256))
        .filter(submissions::organization_id.eq(organization.to_string()))
        .filter(submissions::earner_id.ne(earner.to_string()))
        .filter(diesel::dsl::not(is_seed!()))
        .filter(submissions::state.ne_all(["draft", "returned", "withdrawn", "expired"]))
        .order(submissions::id)
        .limit(limit)
        .select(submissions::id)
        .distinct()
        .load(conn)?;
    parse_ids("submissions", "id", ids)
}

/// Records a match, once.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &EvidenceMatch) -> Result<(), StoreError> {
    let known = evidence_matches::table
        .filter(evidence_matches::submission_id.eq(new.submission.to_string()))
        .filter(evidence_matches::requirement_id.eq(&new.requirement))
        .filter(evidence_matches::other_submission_id.eq(new.other.to_string()));
    if diesel::select(diesel::dsl::exists(known)).get_result(conn)? {
        return Ok(());
    }
    diesel::insert_into(evidence_matches::table)
        .values((
            evidence_matches::id.eq(&new.id),
            evidence_matches::organization_id.eq(new.organization.to_string()),
            evidence_matches::submission_id.eq(new.submission.to_string()),
            evidence_matches::requirement_id.eq(&new.requirement),
            evidence_matches::other_submission_id.eq(new.other.to_string()),
            evidence_matches::found_at.eq(new.found_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// A page of the matches of some organizations, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<EvidenceMatch>, StoreError> {
    type Row = (String, String, String, String, String, NaiveDateTime);
    let among: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = evidence_matches::table
        .filter(evidence_matches::organization_id.eq_any(among))
        .filter(evidence_matches::id.gt(after.unwrap_or_default().to_owned()))
        .order(evidence_matches::id)
        .limit(limit)
        .select((
            evidence_matches::id,
            evidence_matches::organization_id,
            evidence_matches::submission_id,
            evidence_matches::requirement_id,
            evidence_matches::other_submission_id,
            evidence_matches::found_at,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, organization, submission, requirement, other, found_at)| {
            let corrupt = |column| StoreError::corrupt("evidence_matches", &id, column);
            Ok(EvidenceMatch {
                organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
                submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
                requirement,
                other: other.parse().map_err(|_bad| corrupt("other_submission_id"))?,
                found_at: Timestamp::from_naive(found_at),
                id,
            })
        })
        .collect()
}
