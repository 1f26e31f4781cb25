//! What follows from a decision between people: how useful its feedback was, and whether a coach is wanted.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{coach_offers, coaches_told, feedback_ratings};
use super::{DbConn, StoreError};
use crate::domain::ids::{PersonId, SubmissionId};
use crate::domain::timestamp::Timestamp;

/// How useful an earner found the feedback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackRating {
    /// 1 to 5.
    pub rating: i32,
    /// In their own words.
    pub comment: Option<String>,
}

/// Records a rating.
///
/// # Errors
/// [`StoreError::Duplicate`] the second time.
pub fn create_rating(
    conn: &mut DbConn,
    submission: SubmissionId,
    new: &FeedbackRating,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(feedback_ratings::table)
        .values((
            feedback_ratings::submission_id.eq(submission.to_string()),
            feedback_ratings::rating.eq(new.rating),
            feedback_ratings::comment.eq(&new.comment),
            feedback_ratings::rated_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("rating"))?;
    Ok(())
}

/// The rating of a decision, if its earner has given one.
///
/// # Errors
/// [`StoreError`].
pub fn find_rating(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Option<FeedbackRating>, StoreError> {
    let row: Option<(i32, Option<String>)> = feedback_ratings::table
        .find(submission.to_string())
        .select((feedback_ratings::rating, feedback_ratings::comment))
        .first(conn)
        .optional()?;
    Ok(row.map(|(rating, comment)| FeedbackRating { rating, comment }))
}

/// The offer to talk with a coach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoachOffer {
    /// Since when.
    pub offered_at: Timestamp,
    /// What the earner has answered; none while they have not.
    pub is_wanted: Option<bool>,
}

/// Records the offer.
///
/// # Errors
/// [`StoreError`].
pub fn create_offer(
    conn: &mut DbConn,
    submission: SubmissionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(coach_offers::table)
        .values((
            coach_offers::submission_id.eq(submission.to_string()),
            coach_offers::offered_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The offer that came with a decision, if one did.
///
/// # Errors
/// [`StoreError`].
pub fn find_offer(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Option<CoachOffer>, StoreError> {
    let row: Option<(NaiveDateTime, Option<bool>)> = coach_offers::table
        .find(submission.to_string())
        .select((coach_offers::offered_at, coach_offers::is_wanted))
        .first(conn)
        .optional()?;
    Ok(row.map(|(offered_at, is_wanted)| CoachOffer {
        offered_at: Timestamp::from_naive(offered_at),
        is_wanted,
    }))
}

/// Records that a coach is told whose attempt it is. Being told twice is being told once.
///
/// # Errors
/// [`StoreError`].
pub fn save_told(
    conn: &mut DbConn,
    submission: SubmissionId,
    coach: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = coaches_told::table.find((submission.to_string(), coach.to_string()));
    if diesel::select(diesel::dsl::exists(row)).get_result(conn)? {
        return Ok(());
    }
    diesel::insert_into(coaches_told::table)
        .values((
            coaches_told::submission_id.eq(submission.to_string()),
            coaches_told::person_id.eq(coach.to_string()),
            coaches_told::told_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Records the earner's answer.
///
/// # Errors
/// [`StoreError`].
pub fn answer_offer(
    conn: &mut DbConn,
    submission: SubmissionId,
    is_wanted: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::update(coach_offers::table.find(submission.to_string()))
        .set((
            coach_offers::is_wanted.eq(Some(is_wanted)),
            coach_offers::answered_at.eq(Some(now.naive())),
        ))
        .execute(conn)?;
    Ok(())
}
