//! From an award to the one that renews it.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::awards::{Award, Row, award_columns, from_row};
use super::schema::{award_renewals, awards};
use super::{DbConn, StoreError};
use crate::domain::award::AwardState;
use crate::domain::ids::{AwardId, PersonId, SubmissionId, VersionId};
use crate::domain::timestamp::Timestamp;

/// Records that a submission is to renew an award.
///
/// # Errors
/// [`StoreError`].
pub fn create(
    conn: &mut DbConn,
    submission: SubmissionId,
    award: AwardId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(award_renewals::table)
        .values((
            award_renewals::submission_id.eq(submission.to_string()),
            award_renewals::award_id.eq(award.to_string()),
            award_renewals::created_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

fn parse_id(id: &str, column: &'static str) -> Result<AwardId, StoreError> {
    id.parse().map_err(|_bad| StoreError::corrupt("award_renewals", id, column))
}

/// The award that a submission is to renew, if it is to renew one.
///
/// # Errors
/// [`StoreError`].
pub fn find_renewed(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Option<AwardId>, StoreError> {
    let id: Option<String> = award_renewals::table
        .find(submission.to_string())
        .select(award_renewals::award_id)
        .first(conn)
        .optional()?;
    id.map(|id| parse_id(&id, "award_id")).transpose()
}

/// Records the award that a renewal has led to.
///
/// # Errors
/// [`StoreError::Stale`] when the submission renews nothing, or has led to one already.
pub fn save_successor(
    conn: &mut DbConn,
    submission: SubmissionId,
    successor: AwardId,
) -> Result<(), StoreError> {
    let open = award_renewals::table
        .find(submission.to_string())
        .filter(award_renewals::successor_id.is_null());
    let n_rows = diesel::update(open)
        .set(award_renewals::successor_id.eq(Some(successor.to_string())))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// The award that renews this one, signed or still waiting for that, unless it was revoked.
///
/// # Errors
/// [`StoreError`].
pub fn find_live_successor(
    conn: &mut DbConn,
    award: AwardId,
) -> Result<Option<AwardId>, StoreError> {
    let id: Option<String> = award_renewals::table
        .inner_join(
            awards::table.on(awards::submission_id.eq(award_renewals::submission_id.nullable())),
        )
        .filter(award_renewals::award_id.eq(award.to_string()))
        .filter(awards::state.ne(AwardState::Revoked.as_str()))
        .order(awards::id.desc())
        .select(awards::id)
        .first(conn)
        .optional()?;
    id.map(|id| parse_id(&id, "successor_id")).transpose()
}

/// The awards of a person at a version that are stored as active; their end may have passed.
///
/// # Errors
/// [`StoreError`].
pub fn list_active_awards(
    conn: &mut DbConn,
    earner: PersonId,
    version: VersionId,
) -> Result<Vec<Award>, StoreError> {
    let rows: Vec<Row> = awards::table
        .filter(awards::earner_id.eq(earner.to_string()))
        .filter(awards::version_id.eq(Some(version.to_string())))
        .filter(awards::state.eq(AwardState::Active.as_str()))
        .order(awards::id)
        .select(award_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// What an award renews, and what renews it. Only awards that were signed count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The award that this one renews.
    pub renews: Option<AwardId>,
    /// The award that renews this one.
    pub renewed_by: Option<AwardId>,
    /// When that one was signed.
    pub renewed_at: Option<Timestamp>,
}

/// The lineage of those awards that have one.
///
/// # Errors
/// [`StoreError`].
pub fn list_lineages(
    conn: &mut DbConn,
    ids: &[AwardId],
) -> Result<BTreeMap<AwardId, Lineage>, StoreError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, String, Option<NaiveDateTime>)> = award_renewals::table
        .inner_join(awards::table.on(award_renewals::successor_id.eq(awards::id.nullable())))
        .filter(award_renewals::award_id.eq_any(ids.clone()).or(awards::id.eq_any(ids)))
        // Of two that renew the same award, the later one counts.
        .order(awards::id)
        .select((award_renewals::award_id, awards::id, awards::issued_at))
        .load(conn)?;
    let mut lineages: BTreeMap<AwardId, Lineage> = BTreeMap::new();
    for (old, new, issued_at) in rows {
        let (old, new) = (parse_id(&old, "award_id")?, parse_id(&new, "successor_id")?);
        let of_old = lineages.entry(old).or_default();
        of_old.renewed_by = Some(new);
        of_old.renewed_at = issued_at.map(Timestamp::from_naive);
        lineages.entry(new).or_default().renews = Some(old);
    }
    Ok(lineages)
}
