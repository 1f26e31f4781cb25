//! The same bytes in the work of two earners: a signal for a person, never a verdict.

use std::collections::BTreeSet;

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

type Row = (String, String, String, String, String, NaiveDateTime);

macro_rules! match_columns {
    () => {
        (
            evidence_matches::id,
            evidence_matches::organization_id,
            evidence_matches::submission_id,
            evidence_matches::requirement_id,
            evidence_matches::other_submission_id,
            evidence_matches::found_at,
        )
    };
}

fn from_row(row: Row) -> Result<EvidenceMatch, StoreError> {
    let (id, organization, submission, requirement, other, found_at) = row;
    let corrupt = |column| StoreError::corrupt("evidence_matches", &id, column);
    Ok(EvidenceMatch {
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
        requirement,
        other: other.parse().map_err(|_bad| corrupt("other_submission_id"))?,
        found_at: Timestamp::from_naive(found_at),
        id,
    })
}

/// Submissions of an organization that hold these bytes and are no drafts, of other earners but for some. Known papers are nobody's.
///
/// # Errors
/// [`StoreError`].
pub fn list_others_with(
    conn: &mut DbConn,
    organization: OrganizationId,
    earner: PersonId,
    sha256: &str,
    but: &BTreeSet<PersonId>,
    limit: i64,
) -> Result<Vec<SubmissionId>, StoreError> {
    let ids: Vec<String> = evidence::table
        .inner_join(submissions::table.on(submissions::id.eq(evidence::submission_id)))
        .filter(evidence::sha256.eq(sha256))
        .filter(submissions::organization_id.eq(organization.to_string()))
        .filter(submissions::earner_id.ne(earner.to_string()))
        .filter(submissions::earner_id.ne_all(but.iter().map(ToString::to_string)))
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
    let among: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = evidence_matches::table
        .filter(evidence_matches::organization_id.eq_any(among))
        .filter(evidence_matches::id.gt(after.unwrap_or_default().to_owned()))
        .order(evidence_matches::id)
        .limit(limit)
        .select(match_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// What was written down about work of one earner and earlier work of another.
///
/// # Errors
/// [`StoreError`].
pub fn list_between(
    conn: &mut DbConn,
    earner: PersonId,
    other: PersonId,
) -> Result<Vec<EvidenceMatch>, StoreError> {
    let others = diesel::alias!(submissions as other_submissions);
    let rows: Vec<Row> = evidence_matches::table
        .inner_join(submissions::table.on(submissions::id.eq(evidence_matches::submission_id)))
        .inner_join(
            others.on(others.field(submissions::id).eq(evidence_matches::other_submission_id)),
        )
        .filter(submissions::earner_id.eq(earner.to_string()))
        .filter(others.field(submissions::earner_id).eq(other.to_string()))
        .select(match_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Takes a match back.
///
/// # Errors
/// [`StoreError`].
pub fn delete(conn: &mut DbConn, id: &str) -> Result<(), StoreError> {
    diesel::delete(evidence_matches::table.find(id)).execute(conn)?;
    Ok(())
}
