//! Who has looked whether a submission is complete, and what was missing.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{screening_items, screenings, submissions};
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, PersonId, SubmissionId};
use crate::domain::timestamp::Timestamp;

/// A screening that is under way or concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screening {
    /// Its id.
    pub id: String,
    /// Who screens.
    pub screener: PersonId,
    /// Since when.
    pub begun_at: Timestamp,
    /// Whether everything was there; none while it is under way.
    pub complete: Option<bool>,
    /// When it was concluded.
    pub concluded_at: Option<Timestamp>,
    /// What was missing, with the reason, by requirement.
    pub items: BTreeMap<String, String>,
}

/// Records that somebody begins to look.
///
/// # Errors
/// [`StoreError::Duplicate`] while somebody else does.
pub fn begin(
    conn: &mut DbConn,
    id: &str,
    submission: SubmissionId,
    screener: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(screenings::table)
        .values((
            screenings::id.eq(id),
            screenings::submission_id.eq(submission.to_string()),
            screenings::screener_id.eq(screener.to_string()),
            screenings::begun_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("screening"))?;
    Ok(())
}

/// Gives a screening that nobody has concluded to somebody else.
///
/// # Errors
/// [`StoreError`].
pub fn take_over(
    conn: &mut DbConn,
    id: &str,
    screener: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::update(screenings::table.find(id))
        .set((
            screenings::screener_id.eq(screener.to_string()),
            screenings::begun_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Concludes a screening.
///
/// # Errors
/// [`StoreError::Stale`] when it is concluded.
pub fn conclude(
    conn: &mut DbConn,
    id: &str,
    complete: bool,
    items: &BTreeMap<String, String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let open = screenings::table.find(id).filter(screenings::concluded_at.is_null());
    let n_rows = diesel::update(open)
        .set((
            screenings::complete.eq(Some(complete)),
            screenings::concluded_at.eq(Some(now.naive())),
        ))
        .execute(conn)?;
    if n_rows == 0 {
        return Err(StoreError::Stale);
    }
    for (requirement, reason) in items {
        diesel::insert_into(screening_items::table)
            .values((
                screening_items::screening_id.eq(id),
                screening_items::requirement_id.eq(requirement),
                screening_items::reason.eq(reason),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The newest screening of a submission.
///
/// # Errors
/// [`StoreError`].
pub fn find_last(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Option<Screening>, StoreError> {
    type Row = (String, String, NaiveDateTime, Option<bool>, Option<NaiveDateTime>);
    let row: Option<Row> = screenings::table
        .filter(screenings::submission_id.eq(submission.to_string()))
        .order(screenings::id.desc())
        .select((
            screenings::id,
            screenings::screener_id,
            screenings::begun_at,
            screenings::complete,
            screenings::concluded_at,
        ))
        .first(conn)
        .optional()?;
    let Some((id, screener, begun_at, complete, concluded_at)) = row else { return Ok(None) };
    let items: Vec<(String, String)> = screening_items::table
        .filter(screening_items::screening_id.eq(&id))
        .select((screening_items::requirement_id, screening_items::reason))
        .load(conn)?;
    let corrupt = || StoreError::corrupt("screenings", &id, "screener_id");
    Ok(Some(Screening {
        screener: screener.parse().map_err(|_bad| corrupt())?,
        begun_at: Timestamp::from_naive(begun_at),
        complete,
        concluded_at: concluded_at.map(Timestamp::from_naive),
        items: items.into_iter().collect(),
        id,
    }))
}

/// Whether the person has screened the submission, or has begun to.
///
/// # Errors
/// [`StoreError`].
pub fn has_screened(
    conn: &mut DbConn,
    submission: SubmissionId,
    person: PersonId,
) -> Result<bool, StoreError> {
    let own = screenings::table
        .filter(screenings::submission_id.eq(submission.to_string()))
        .filter(screenings::screener_id.eq(person.to_string()));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result(conn)?)
}

/// Everybody who has screened work of some organizations, or has begun to.
///
/// # Errors
/// [`StoreError`].
pub fn list_screeners(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
) -> Result<Vec<PersonId>, StoreError> {
    let organizations: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let ids: Vec<String> = screenings::table
        .inner_join(submissions::table.on(submissions::id.eq(screenings::submission_id)))
        .filter(submissions::organization_id.eq_any(organizations))
        .select(screenings::screener_id)
        .distinct()
        .load(conn)?;
    parse_ids("screenings", "screener_id", ids)
}

/// Submissions that wait for a screening in some organizations and are not the person's own, the most urgent first.
///
/// # Errors
/// [`StoreError`].
pub fn list_waiting(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
    person: PersonId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<SubmissionId>, StoreError> {
    let among: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let ids: Vec<String> = submissions::table
        .filter(submissions::organization_id.eq_any(among))
        .filter(submissions::state.eq("submitted"))
        .filter(diesel::dsl::not(is_seed!()))
        .filter(submissions::earner_id.ne(person.to_string()))
        .filter(submissions::id.gt(after.unwrap_or_default().to_owned()))
        .order(submissions::id)
        .limit(limit)
        .select(submissions::id)
        .load(conn)?;
    parse_ids("submissions", "id", ids)
}
