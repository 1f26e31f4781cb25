//! Reviews: seats, leases and sheets.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::error::parse_ids;
use super::schema::{review_coverage, review_scores, reviews, submissions};
use super::{DbConn, StoreError};
use crate::domain::eligibility::QualificationLevel;
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, ReviewId, SubmissionId};
use crate::domain::review::{REREAD_SEAT, Review, ReviewKind, ReviewState, Score, Sheet};
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;

type Row = (
    String,
    String,
    i32,
    String,
    String,
    Option<String>,
    Option<NaiveDateTime>,
    Option<NaiveDateTime>,
    (Option<String>, Option<String>),
    i32,
);

macro_rules! review_columns {
    () => {
        (
            reviews::id,
            reviews::submission_id,
            reviews::seat,
            reviews::kind,
            reviews::state,
            reviews::assessor_id,
            reviews::lease_expires_at,
            reviews::locked_at,
            (reviews::license, reviews::case_id),
            reviews::revision,
        )
    };
}

fn from_row(row: Row) -> Result<Review, StoreError> {
    let (id, submission, seat, kind, state, assessor, lease_expires_at, locked_at, rest, revision) =
        row;
    let (license, case) = rest;
    let corrupt = |column| StoreError::corrupt("reviews", &id, column);
    Ok(Review {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
        seat,
        kind: ReviewKind::parse(&kind).ok_or_else(|| corrupt("kind"))?,
        state: ReviewState::parse(&state).ok_or_else(|| corrupt("state"))?,
        assessor: assessor
            .map(|assessor| assessor.parse())
            .transpose()
            .map_err(|_bad| corrupt("assessor_id"))?,
        lease_expires_at: lease_expires_at.map(Timestamp::from_naive),
        locked_at: locked_at.map(Timestamp::from_naive),
        license: license
            .map(|level| QualificationLevel::parse(&level).ok_or_else(|| corrupt("license")))
            .transpose()?,
        case: case.map(|case| case.parse()).transpose().map_err(|_bad| corrupt("case_id"))?,
        revision,
    })
}

/// Opens a seat.
///
/// # Errors
/// [`StoreError::Duplicate`] when the seat is open or taken.
pub fn create(
    conn: &mut DbConn,
    organization: OrganizationId,
    new: &Review,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(reviews::table)
        .values((
            reviews::id.eq(new.id.to_string()),
            reviews::organization_id.eq(organization.to_string()),
            reviews::submission_id.eq(new.submission.to_string()),
            reviews::seat.eq(new.seat),
            reviews::kind.eq(new.kind.as_str()),
            reviews::state.eq(new.state.as_str()),
            reviews::assessor_id.eq(new.assessor.map(|assessor| assessor.to_string())),
            reviews::lease_expires_at.eq(new.lease_expires_at.map(Timestamp::naive)),
            reviews::case_id.eq(new.case.map(|case| case.to_string())),
            reviews::revision.eq(new.revision),
            reviews::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("holder of the seat"))?;
    Ok(())
}

/// One review with the organization that its submission belongs to. The caller checks both against the policy table.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    id: ReviewId,
) -> Result<Option<(OrganizationId, Review)>, StoreError> {
    let found: Option<(String, Row)> = reviews::table
        .find(id.to_string())
        .select((reviews::organization_id, review_columns!()))
        .first(conn)
        .optional()?;
    found
        .map(|(organization, row)| {
            let organization = organization.parse().map_err(|_bad| {
                StoreError::corrupt("reviews", &id.to_string(), "organization_id")
            })?;
            Ok((organization, from_row(row)?))
        })
        .transpose()
}

/// All reviews of a submission, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_submission(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Vec<Review>, StoreError> {
    list_of_submissions(conn, &[submission])
}

/// All reviews of some submissions, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_submissions(
    conn: &mut DbConn,
    submissions: &[SubmissionId],
) -> Result<Vec<Review>, StoreError> {
    let words: Vec<String> = submissions.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = reviews::table
        .filter(reviews::submission_id.eq_any(words))
        .order(reviews::id)
        .select(review_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// A page of an assessor's own reviews, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_assessor(
    conn: &mut DbConn,
    assessor: PersonId,
    among: &[OrganizationId],
    state: Option<ReviewState>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Review>, StoreError> {
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    let mut query = reviews::table
        .filter(reviews::assessor_id.eq(Some(assessor.to_string())))
        .filter(reviews::organization_id.eq_any(among))
        .select(review_columns!())
        .into_boxed::<MultiBackend>();
    if let Some(state) = state {
        query = query.filter(reviews::state.eq(state.as_str()));
    }
    if let Some(after) = after {
        query = query.filter(reviews::id.gt(after.to_owned()));
    }
    let rows: Vec<Row> = query.order(reviews::id).limit(limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Everybody who has or had a seat at work of some organizations.
///
/// # Errors
/// [`StoreError`].
pub fn list_readers(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
) -> Result<Vec<PersonId>, StoreError> {
    let organizations: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let ids: Vec<Option<String>> = reviews::table
        .filter(reviews::organization_id.eq_any(organizations))
        .filter(reviews::assessor_id.is_not_null())
        .select(reviews::assessor_id)
        .distinct()
        .load(conn)?;
    parse_ids("reviews", "assessor_id", ids.into_iter().flatten().collect())
}

/// Submissions that may have a free seat, the most urgent first: for readers in some organizations, for adjudicators in others. Returns
/// a page after `offset`.
///
/// # Errors
/// [`StoreError`].
pub fn list_waiting(
    conn: &mut DbConn,
    for_readers: &[OrganizationId],
    for_adjudicators: &[OrganizationId],
    family: Option<MicroCredentialId>,
    offset: i64,
    limit: i64,
) -> Result<Vec<SubmissionId>, StoreError> {
    let words = |ids: &[OrganizationId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let to_read = submissions::organization_id
        .eq_any(words(for_readers))
        .and(submissions::state.eq_any(["submitted", "queued", "appealed"]));
    let to_adjudicate = submissions::organization_id
        .eq_any(words(for_adjudicators))
        .and(submissions::state.eq("adjudication"));
    let has_free_seat = diesel::dsl::exists(
        reviews::table
            .filter(reviews::submission_id.eq(submissions::id))
            .filter(reviews::seat.eq(REREAD_SEAT))
            .filter(reviews::state.eq(ReviewState::Open.as_str())),
    );
    let is_decided = submissions::state.eq("decided");
    let to_read_again = submissions::organization_id
        .eq_any(words(for_readers))
        .and(is_decided)
        .and(submissions::sealed_key.is_not_null())
        .and(has_free_seat);
    let mut query = submissions::table
        .filter(to_read.or(to_adjudicate).or(to_read_again))
        .filter(diesel::dsl::not(is_seed!()))
        .select(submissions::id)
        .into_boxed::<MultiBackend>();
    if let Some(family) = family {
        query = query.filter(submissions::micro_credential_id.eq(family.to_string()));
    }
    let ids: Vec<String> = query
        // An earner who waits comes before a check on an assessor.
        .order((is_decided, submissions::due_on, submissions::id))
        .offset(offset)
        .limit(limit)
        .load(conn)?;
    parse_ids("submissions", "id", ids)
}

/// The organizations with submissions that may have a free seat.
///
/// # Errors
/// [`StoreError`].
pub fn list_waiting_organizations(conn: &mut DbConn) -> Result<Vec<OrganizationId>, StoreError> {
    let ids: Vec<String> = submissions::table
        .filter(submissions::state.eq_any(["submitted", "queued", "appealed", "adjudication"]))
        .filter(diesel::dsl::not(is_seed!()))
        .select(submissions::organization_id)
        .distinct()
        .order(submissions::organization_id)
        .load(conn)?;
    parse_ids("submissions", "organization_id", ids)
}

/// Replaces what a sheet covers; none for everything.
///
/// # Errors
/// [`StoreError`].
pub fn save_coverage(
    conn: &mut DbConn,
    id: ReviewId,
    coverage: Option<&BTreeSet<String>>,
) -> Result<(), StoreError> {
    diesel::delete(review_coverage::table.filter(review_coverage::review_id.eq(id.to_string())))
        .execute(conn)?;
    for criterion in coverage.into_iter().flatten() {
        diesel::insert_into(review_coverage::table)
            .values((
                review_coverage::review_id.eq(id.to_string()),
                review_coverage::criterion_id.eq(criterion),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// What a sheet covers; none for everything.
///
/// # Errors
/// [`StoreError`].
pub fn find_coverage(
    conn: &mut DbConn,
    id: ReviewId,
) -> Result<Option<BTreeSet<String>>, StoreError> {
    let criteria: Vec<String> = review_coverage::table
        .filter(review_coverage::review_id.eq(id.to_string()))
        .select(review_coverage::criterion_id)
        .load(conn)?;
    Ok((!criteria.is_empty()).then(|| criteria.into_iter().collect()))
}

/// How many reviews an assessor holds now.
///
/// # Errors
/// [`StoreError`].
pub fn count_held(conn: &mut DbConn, assessor: PersonId) -> Result<i64, StoreError> {
    Ok(reviews::table
        .filter(reviews::assessor_id.eq(Some(assessor.to_string())))
        .filter(reviews::state.eq(ReviewState::Leased.as_str()))
        .count()
        .get_result(conn)?)
}

/// Leases that have run out, but for those of submissions that an integrity case has stopped: nobody can work there.
///
/// # Errors
/// [`StoreError`].
pub fn list_expired(
    conn: &mut DbConn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Review>, StoreError> {
    let rows: Vec<Row> = reviews::table
        .filter(reviews::state.eq(ReviewState::Leased.as_str()))
        .filter(reviews::lease_expires_at.le(Some(now.naive())))
        .filter(diesel::dsl::not(diesel::dsl::exists(
            submissions::table
                .filter(submissions::id.eq(reviews::submission_id))
                .filter(submissions::state.eq(SubmissionState::OnHold.as_str())),
        )))
        .order(reviews::id)
        .limit(limit)
        .select(review_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Saves state, holder, lease and lock of a review as read at `review.revision`.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save(conn: &mut DbConn, review: &Review) -> Result<(), StoreError> {
    let unchanged =
        reviews::table.find(review.id.to_string()).filter(reviews::revision.eq(review.revision));
    let n_rows = diesel::update(unchanged)
        .set((
            reviews::seat.eq(review.seat),
            reviews::state.eq(review.state.as_str()),
            reviews::assessor_id.eq(review.assessor.map(|assessor| assessor.to_string())),
            reviews::lease_expires_at.eq(review.lease_expires_at.map(Timestamp::naive)),
            reviews::locked_at.eq(review.locked_at.map(Timestamp::naive)),
            reviews::license.eq(review.license.map(QualificationLevel::as_str)),
            reviews::revision.eq(review.revision + 1),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("holder of the seat"))?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Removes the free seat of a submission, if there is one.
///
/// # Errors
/// [`StoreError`].
pub fn delete_open(
    conn: &mut DbConn,
    submission: SubmissionId,
    seats: std::ops::RangeInclusive<i32>,
) -> Result<(), StoreError> {
    diesel::delete(
        reviews::table
            .filter(reviews::submission_id.eq(submission.to_string()))
            .filter(reviews::seat.between(*seats.start(), *seats.end()))
            .filter(reviews::state.eq(ReviewState::Open.as_str())),
    )
    .execute(conn)?;
    Ok(())
}

/// When a review was first taken, or its open seat made.
///
/// # Errors
/// [`StoreError::Stale`] when there is none.
pub fn find_created_at(conn: &mut DbConn, id: ReviewId) -> Result<Timestamp, StoreError> {
    let found: Option<NaiveDateTime> =
        reviews::table.find(id.to_string()).select(reviews::created_at).first(conn).optional()?;
    found.map(Timestamp::from_naive).ok_or(StoreError::Stale)
}

/// Keeps why an assessor stepped back.
///
/// # Errors
/// [`StoreError`].
pub fn save_recuse_reason(conn: &mut DbConn, id: ReviewId, reason: &str) -> Result<(), StoreError> {
    diesel::update(reviews::table.find(id.to_string()))
        .set(reviews::recuse_reason.eq(Some(reason)))
        .execute(conn)?;
    Ok(())
}

/// Replaces the lines of a sheet.
///
/// # Errors
/// [`StoreError`].
pub fn save_sheet(conn: &mut DbConn, id: ReviewId, sheet: &Sheet) -> Result<(), StoreError> {
    diesel::update(reviews::table.find(id.to_string()))
        .set(reviews::overall_feedback.eq(&sheet.overall_feedback))
        .execute(conn)?;
    diesel::delete(review_scores::table.filter(review_scores::review_id.eq(id.to_string())))
        .execute(conn)?;
    for (criterion, score) in &sheet.scores {
        diesel::insert_into(review_scores::table)
            .values((
                review_scores::review_id.eq(id.to_string()),
                review_scores::criterion_id.eq(criterion),
                review_scores::level.eq(score.level.map(i32::from)),
                review_scores::unscorable.eq(score.unscorable),
                review_scores::feedback.eq(&score.feedback),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The sheet of a review as saved so far.
///
/// # Errors
/// [`StoreError`].
pub fn find_sheet(conn: &mut DbConn, id: ReviewId) -> Result<Sheet, StoreError> {
    let overall_feedback: Option<Option<String>> = reviews::table
        .find(id.to_string())
        .select(reviews::overall_feedback)
        .first(conn)
        .optional()?;
    let rows: Vec<(String, Option<i32>, bool, Option<String>)> = review_scores::table
        .filter(review_scores::review_id.eq(id.to_string()))
        .select((
            review_scores::criterion_id,
            review_scores::level,
            review_scores::unscorable,
            review_scores::feedback,
        ))
        .load(conn)?;
    let scores =
        rows.into_iter()
            .map(|(criterion, level, unscorable, feedback)| {
                let level = level.map(u8::try_from).transpose().map_err(|_bad| {
                    StoreError::corrupt("review_scores", &id.to_string(), "level")
                })?;
                Ok((criterion, Score { level, unscorable, feedback }))
            })
            .collect::<Result<_, StoreError>>()?;
    Ok(Sheet { scores, overall_feedback: overall_feedback.flatten() })
}
