//! The review policy in force: a definition's own, tightened where a waiver or a provisional qualification asks for more.

use super::{is_license_required, is_waived, names_district};
use crate::domain::definition::Definition;
use crate::domain::eligibility::QualificationLevel;
use crate::domain::ids::OrganizationId;
use crate::domain::review::ReviewState;
use crate::domain::review_policy::{BasisPoints, ReviewMode, ReviewPolicy, ReviewTerms};
use crate::domain::timestamp::Timestamp;
use crate::service::error::Error;
use crate::service::submissions;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

/// The review policy that holds for a submission: the definition's, tightened where a waiver asks for its compensations (a second
/// score on every not-yet and a tenth backread) and where a reader is only provisionally qualified (double blind).
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn policy_in_force(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    definition: &Definition,
    now: Timestamp,
) -> Result<ReviewPolicy, Error> {
    let organization = stored.submission.facts().organization;
    let mut terms = terms_within(conn, organization, definition, now)?;
    if has_provisional_reader(conn, stored)? {
        terms.mode = ReviewMode::DoubleBlind;
    }
    ReviewPolicy::new(terms).map_err(Error::internal)
}

/// The review policy that work of an organization begins with: the definition's, tightened by a waiver.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn policy_within(
    conn: &mut DbConn,
    organization: OrganizationId,
    definition: &Definition,
    now: Timestamp,
) -> Result<ReviewPolicy, Error> {
    ReviewPolicy::new(terms_within(conn, organization, definition, now)?).map_err(Error::internal)
}

/// The terms of a definition within an organization, before anybody has read.
fn terms_within(
    conn: &mut DbConn,
    organization: OrganizationId,
    definition: &Definition,
    now: Timestamp,
) -> Result<ReviewTerms, Error> {
    let mut terms = definition.review_policy().terms().clone();
    if names_district(definition) && is_waived(conn, organization, now)? {
        terms.second_score_when_not_yet = true;
        terms.backread_share = terms.backread_share.max(BasisPoints::of_percent(10));
    }
    Ok(terms)
}

/// Whether one of the first two sheets was locked on a provisional qualification.
fn has_provisional_reader(conn: &mut DbConn, stored: &StoredSubmission) -> Result<bool, Error> {
    let facts = stored.submission.facts();
    let has_one = store::reviews::list_of_submission(conn, facts.id)?.iter().any(|review| {
        review.state == ReviewState::Locked
            && review.is_first_or_second()
            && review.license == Some(QualificationLevel::Provisional)
    });
    if !has_one {
        return Ok(false);
    }
    let hash = submissions::version_of(conn, facts)?.scoring_hash;
    is_license_required(conn, facts.organization, &hash)
}
