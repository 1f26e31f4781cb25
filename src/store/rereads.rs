//! Locked sheets that are read again after the decision.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{decisions, rereads, reviews};
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, PersonId, ReviewId, SubmissionId};
use crate::domain::review::RereadReason;
use crate::domain::timestamp::Timestamp;

/// A sheet to list for rereading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReread {
    /// The sheet.
    pub review: ReviewId,
    /// Whose sheet it is.
    pub person: PersonId,
    /// Why.
    pub reason: RereadReason,
}

/// A live sheet that is to be read again, or has been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reread {
    /// The sheet.
    pub review: ReviewId,
    /// Of which submission.
    pub submission: SubmissionId,
    /// Whose sheet it is.
    pub person: PersonId,
    /// Whether it decided alone.
    pub is_decisive: bool,
    /// Why.
    pub reason: RereadReason,
    /// Since when.
    pub created_at: Timestamp,
    /// On which criteria the two would need an adjudicator; none before it was read again.
    pub differing: Option<Vec<String>>,
}

/// Lists a live sheet for rereading, once.
///
/// # Errors
/// [`StoreError`].
pub fn create(
    conn: &mut DbConn,
    organization: OrganizationId,
    reread: &NewReread,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = rereads::table.find(reread.review.to_string());
    if diesel::select(diesel::dsl::exists(known)).get_result(conn)? {
        return Ok(());
    }
    diesel::insert_into(rereads::table)
        .values((
            rereads::review_id.eq(reread.review.to_string()),
            rereads::organization_id.eq(organization.to_string()),
            rereads::person_id.eq(reread.person.to_string()),
            rereads::reason.eq(reread.reason.as_str()),
            rereads::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::conflict)?;
    Ok(())
}

/// The sheets of a submission that are to be read again.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_submission(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Vec<ReviewId>, StoreError> {
    let ids: Vec<String> = rereads::table
        .inner_join(reviews::table.on(reviews::id.eq(rereads::review_id)))
        .filter(reviews::submission_id.eq(submission.to_string()))
        .order(rereads::review_id)
        .select(rereads::review_id)
        .load(conn)?;
    parse_ids("rereads", "review_id", ids)
}

/// Writes down on which criteria a sheet differs from the one that read it again.
///
/// # Errors
/// [`StoreError`].
pub fn save_result(
    conn: &mut DbConn,
    checked: ReviewId,
    by: ReviewId,
    differing: &[String],
) -> Result<(), StoreError> {
    let text = serde_json::json!(differing).to_string();
    diesel::update(rereads::table.find(checked.to_string()))
        .set((rereads::reread_by.eq(Some(by.to_string())), rereads::differing.eq(Some(text))))
        .execute(conn)?;
    Ok(())
}

/// The sheets of decided work in some organizations (who read what is not decided is nobody's to know): those that differ first, then those that wait, decisive ones before the others.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    among: &[OrganizationId],
    limit: i64,
) -> Result<Vec<Reread>, StoreError> {
    type Row = (String, String, String, i32, String, NaiveDateTime, Option<String>);
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    let is_same = rereads::differing.eq(Some("[]"));
    let is_alone = decisions::raters.eq(1);
    let rows: Vec<Row> = rereads::table
        .inner_join(reviews::table.on(reviews::id.eq(rereads::review_id)))
        .inner_join(decisions::table.on(decisions::submission_id.eq(reviews::submission_id)))
        .filter(rereads::organization_id.eq_any(among))
        .order((
            diesel::dsl::case_when::<_, _, diesel::sql_types::Integer>(
                rereads::differing.is_null(),
                1,
            )
            .when(is_same, 2)
            .otherwise(0),
            diesel::dsl::case_when::<_, _, diesel::sql_types::Integer>(is_alone, 0).otherwise(1),
            rereads::created_at,
            rereads::review_id,
        ))
        .limit(limit)
        .select((
            rereads::review_id,
            reviews::submission_id,
            rereads::person_id,
            decisions::raters,
            rereads::reason,
            rereads::created_at,
            rereads::differing,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(review, submission, person, raters, reason, created_at, differing)| {
            let corrupt = |column| StoreError::corrupt("rereads", &review, column);
            Ok(Reread {
                review: review.parse().map_err(|_bad| corrupt("review_id"))?,
                submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
                person: person.parse().map_err(|_bad| corrupt("person_id"))?,
                is_decisive: raters == 1,
                reason: RereadReason::parse(&reason).ok_or_else(|| corrupt("reason"))?,
                created_at: Timestamp::from_naive(created_at),
                differing: differing
                    .map(|text| serde_json::from_str(&text))
                    .transpose()
                    .map_err(|_bad| corrupt("differing"))?,
            })
        })
        .collect()
}
