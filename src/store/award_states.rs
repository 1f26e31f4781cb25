//! The states of awards after they were signed, and the awards that the calendar or an officer is after.

use diesel::prelude::*;

use super::awards::{Award, Row, award_columns, from_row};
use super::connection::MultiBackend;
use super::error::parse_ids;
use super::schema::{awards, issuance_log};
use super::{DbConn, StoreError};
use crate::domain::award::{AwardState, RevocationReason};
use crate::domain::ids::{AwardId, MicroCredentialId, OrganizationId, SigningKeyId, VersionId};
use crate::domain::timestamp::Timestamp;

/// Changes columns of an award as read at its revision.
macro_rules! save {
    ($conn:expr, $award:expr, $($column:expr),+ $(,)?) => {{
        let unchanged = awards::table
            .find($award.id.to_string())
            .filter(awards::organization_id.eq($award.organization.to_string()))
            .filter(awards::revision.eq($award.revision));
        let n_rows = diesel::update(unchanged)
            .set(($($column,)+ awards::revision.eq($award.revision + 1)))
            .execute($conn)?;
        if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
    }};
}

/// The staff's notes on suspensions with one more line: what an earlier panel wrote is not lost to a later one.
fn notes_with(
    conn: &mut DbConn,
    award: &Award,
    event: &str,
    note: &str,
    now: Timestamp,
) -> Result<String, StoreError> {
    let before: Option<Option<String>> = awards::table
        .find(award.id.to_string())
        .select(awards::suspension_note)
        .first(conn)
        .optional()?;
    let line = format!("{now} {event}: {note}");
    Ok(match before.flatten() {
        Some(before) => format!("{before}\n{line}"),
        None => line,
    })
}

/// Suspends an award as read at its revision.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_suspended(
    conn: &mut DbConn,
    award: &Award,
    note: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let notes = notes_with(conn, award, "suspended", note, now)?;
    save!(
        conn,
        award,
        awards::state.eq(AwardState::Suspended.as_str()),
        awards::suspended_at.eq(Some(now.naive())),
        awards::suspension_note.eq(Some(notes)),
    )
}

/// Ends the suspension of an award as read at its revision, in the state that it has from then on.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_reinstated(
    conn: &mut DbConn,
    award: &Award,
    to: AwardState,
    note: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let notes = notes_with(conn, award, "reinstated", note, now)?;
    save!(
        conn,
        award,
        awards::state.eq(to.as_str()),
        awards::suspended_at.eq(None::<chrono::NaiveDateTime>),
        awards::suspension_note.eq(Some(notes)),
    )
}

/// Writes down when a part of a stack's award fell, or that none is missing any more. Its state is saved beside it.
///
/// # Errors
/// [`StoreError`].
pub fn save_part_fell(
    conn: &mut DbConn,
    award: &Award,
    at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let row = awards::table
        .find(award.id.to_string())
        .filter(awards::organization_id.eq(award.organization.to_string()));
    diesel::update(row).set(awards::part_fell_at.eq(at.map(Timestamp::naive))).execute(conn)?;
    Ok(())
}

/// When a part of a stack's award fell, for one that is suspended for that.
///
/// # Errors
/// [`StoreError`].
pub fn find_part_fell(conn: &mut DbConn, award: AwardId) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<Option<chrono::NaiveDateTime>> = awards::table
        .find(award.to_string())
        .filter(awards::state.eq(AwardState::Suspended.as_str()))
        .select(awards::part_fell_at)
        .first(conn)
        .optional()?;
    Ok(at.flatten().map(Timestamp::from_naive))
}

/// Revokes an award as read at its revision.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_revoked(
    conn: &mut DbConn,
    award: &Award,
    reason: RevocationReason,
    note: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    save!(
        conn,
        award,
        awards::state.eq(AwardState::Revoked.as_str()),
        awards::revoked_at.eq(Some(now.naive())),
        awards::revocation_reason.eq(Some(reason.as_str())),
        awards::revocation_note.eq(Some(note)),
    )
}

/// Moves an award as read at its revision to a state that has nothing to be written beside it: expired or superseded.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_ended(conn: &mut DbConn, award: &Award, to: AwardState) -> Result<(), StoreError> {
    save!(conn, award, awards::state.eq(to.as_str()))
}

/// Awards that are stored as active although their end has passed, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_ended(
    conn: &mut DbConn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<AwardId>, StoreError> {
    let ids: Vec<String> = awards::table
        .filter(awards::state.eq(AwardState::Active.as_str()))
        .filter(awards::valid_until.lt(Some(now.naive())))
        .order(awards::id)
        .limit(limit)
        .select(awards::id)
        .load(conn)?;
    parse_ids("awards", "id", ids)
}

/// Active awards that end after `from` and not after `to`, by id, those `after` one.
///
/// # Errors
/// [`StoreError`].
pub fn list_ending(
    conn: &mut DbConn,
    (from, to): (Timestamp, Timestamp),
    after: Option<AwardId>,
    limit: i64,
) -> Result<Vec<Award>, StoreError> {
    // Every id is greater than the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows: Vec<Row> = awards::table
        .filter(awards::state.eq(AwardState::Active.as_str()))
        .filter(awards::valid_until.gt(Some(from.naive())))
        .filter(awards::valid_until.le(Some(to.naive())))
        .filter(awards::id.gt(after))
        .order(awards::id)
        .limit(limit)
        .select(award_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// When an award was suspended, for those of these that are.
///
/// # Errors
/// [`StoreError`].
pub fn list_suspended_at(
    conn: &mut DbConn,
    ids: &[AwardId],
) -> Result<Vec<(AwardId, Timestamp)>, StoreError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, Option<chrono::NaiveDateTime>)> = awards::table
        .filter(awards::id.eq_any(ids))
        .filter(awards::suspended_at.is_not_null())
        .select((awards::id, awards::suspended_at))
        .load(conn)?;
    rows.into_iter()
        .filter_map(|(id, moment)| Some((id, Timestamp::from_naive(moment?))))
        .map(|(id, moment)| match id.parse() {
            Ok(parsed) => Ok((parsed, moment)),
            Err(_bad) => Err(StoreError::corrupt("awards", &id, "id")),
        })
        .collect()
}

/// Which awards are meant: what is left out does not narrow.
#[derive(Clone, Debug, Default)]
pub struct AwardFilter {
    /// Of these organizations; never left out.
    pub organizations: Vec<OrganizationId>,
    /// At this micro-credential.
    pub micro_credential: Option<MicroCredentialId>,
    /// In one of these versions.
    pub versions: Option<Vec<VersionId>>,
    /// Whose badge was ever signed with this key, in one form or another, also if it was signed again since.
    pub signing_key: Option<SigningKeyId>,
    /// Signed then or later.
    pub issued_from: Option<Timestamp>,
    /// Signed then or earlier.
    pub issued_to: Option<Timestamp>,
    /// One of these.
    pub ids: Option<Vec<AwardId>>,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All.
    Any,
    /// Those that can be revoked at this moment.
    Revocable(Timestamp),
    /// Those that are revoked.
    Revoked,
}

/// Narrows a boxed query. A macro, since the type of the query depends on what it selects.
macro_rules! narrowed {
    ($query:expr, $filter:expr, $standing:expr) => {{
        let filter: &AwardFilter = $filter;
        let organizations: Vec<String> =
            filter.organizations.iter().map(ToString::to_string).collect();
        let mut boxed = $query
            .into_boxed::<MultiBackend>()
            .filter(awards::organization_id.eq_any(organizations));
        if let Some(family) = filter.micro_credential {
            boxed = boxed.filter(awards::micro_credential_id.eq(Some(family.to_string())));
        }
        if let Some(versions) = &filter.versions {
            let versions: Vec<Option<String>> =
                versions.iter().map(|version| Some(version.to_string())).collect();
            boxed = boxed.filter(awards::version_id.eq_any(versions));
        }
        if let Some(key) = filter.signing_key {
            let signed = issuance_log::table
                .filter(issuance_log::signing_key_id.eq(key.to_string()))
                .select(issuance_log::award_id);
            boxed = boxed.filter(awards::id.eq_any(signed));
        }
        if let Some(from) = filter.issued_from {
            boxed = boxed.filter(awards::issued_at.ge(Some(from.naive())));
        }
        if let Some(to) = filter.issued_to {
            boxed = boxed.filter(awards::issued_at.le(Some(to.naive())));
        }
        if let Some(ids) = &filter.ids {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            boxed = boxed.filter(awards::id.eq_any(ids));
        }
        match $standing {
            Standing::Any => boxed,
            Standing::Revoked => boxed.filter(awards::state.eq(AwardState::Revoked.as_str())),
            Standing::Revocable(now) => {
                let is_in_force = awards::state.eq(AwardState::Active.as_str()).and(
                    awards::valid_until.is_null().or(awards::valid_until.ge(Some(now.naive()))),
                );
                let suspended = awards::state.eq(AwardState::Suspended.as_str());
                boxed.filter(suspended.or(is_in_force))
            }
        }
    }};
}

/// How many awards are meant.
///
/// # Errors
/// [`StoreError`].
pub fn count(
    conn: &mut DbConn,
    filter: &AwardFilter,
    standing: Standing,
) -> Result<i64, StoreError> {
    Ok(narrowed!(awards::table.select(diesel::dsl::count_star()), filter, standing).first(conn)?)
}

/// The first awards that are meant, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    filter: &AwardFilter,
    standing: Standing,
    limit: i64,
) -> Result<Vec<Award>, StoreError> {
    let rows: Vec<Row> = narrowed!(awards::table.select(award_columns!()), filter, standing)
        .order(awards::id)
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}
