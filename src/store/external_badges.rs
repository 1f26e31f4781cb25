//! Badges of other issuers that people keep in their wallet, as they came.

use chrono::NaiveDateTime;
use diesel::dsl::count_star;
use diesel::prelude::*;

use super::schema::{external_badge_sharing, external_badges, memberships, person_profiles};
use super::{DbConn, StoreError};
use crate::domain::external_badge::{BadgeCheck, CheckOutcome};
use crate::domain::ids::{ExternalBadgeId, OrganizationId, PersonId};
use crate::domain::organization::MembershipState;
use crate::domain::timestamp::Timestamp;

/// A badge of somebody else's making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalBadge {
    /// Its id here.
    pub id: ExternalBadgeId,
    /// Who keeps it.
    pub person: PersonId,
    /// The badge as it came: JSON, or a JWT.
    pub document: String,
    /// SHA-256 over it.
    pub sha256: String,
    /// What it is called, by its own words.
    pub title: Option<String>,
    /// Who issued it, by its own words.
    pub issuer: Option<String>,
    /// When it was put in.
    pub added_at: Timestamp,
}

type Row = (String, String, String, String, Option<String>, Option<String>, NaiveDateTime);

fn from_row(row: Row) -> Result<ExternalBadge, StoreError> {
    let (id, person, document, sha256, title, issuer, added_at) = row;
    let corrupt = |column| StoreError::corrupt("external_badges", &id, column);
    Ok(ExternalBadge {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        person: person.parse().map_err(|_bad| corrupt("person_id"))?,
        document,
        sha256,
        title,
        issuer,
        added_at: Timestamp::from_naive(added_at),
    })
}

/// Puts a badge in.
///
/// # Errors
/// [`StoreError::Duplicate`] when the person has it.
pub fn create(conn: &mut DbConn, new: &ExternalBadge) -> Result<(), StoreError> {
    diesel::insert_into(external_badges::table)
        .values((
            external_badges::id.eq(new.id.to_string()),
            external_badges::person_id.eq(new.person.to_string()),
            external_badges::document.eq(&new.document),
            external_badges::document_sha256.eq(&new.sha256),
            external_badges::title.eq(&new.title),
            external_badges::issuer.eq(&new.issuer),
            external_badges::added_at.eq(new.added_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("external badge"))?;
    Ok(())
}

/// One badge of a person.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    person: PersonId,
    id: ExternalBadgeId,
) -> Result<Option<ExternalBadge>, StoreError> {
    let row: Option<Row> = external_badges::table
        .find(id.to_string())
        .filter(external_badges::person_id.eq(person.to_string()))
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// How many badges a person keeps.
///
/// # Errors
/// [`StoreError`].
pub fn count(conn: &mut DbConn, person: PersonId) -> Result<i64, StoreError> {
    Ok(external_badges::table
        .filter(external_badges::person_id.eq(person.to_string()))
        .select(count_star())
        .first(conn)?)
}

/// A page of the badges of a person, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    person: PersonId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ExternalBadge>, StoreError> {
    let rows: Vec<Row> = external_badges::table
        .filter(external_badges::person_id.eq(person.to_string()))
        .filter(external_badges::id.gt(after.unwrap_or_default().to_owned()))
        .order(external_badges::id)
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Takes a badge out. Whether there was one.
///
/// # Errors
/// [`StoreError`].
pub fn delete(
    conn: &mut DbConn,
    person: PersonId,
    id: ExternalBadgeId,
) -> Result<bool, StoreError> {
    let own = external_badges::table
        .find(id.to_string())
        .filter(external_badges::person_id.eq(person.to_string()))
        .select(external_badges::id);
    if own.first::<String>(conn).optional()?.is_none() {
        return Ok(false);
    }
    diesel::delete(external_badge_sharing::table.find(id.to_string())).execute(conn)?;
    Ok(diesel::delete(external_badges::table.find(id.to_string())).execute(conn)? > 0)
}

/// Whether a badge is shown in the inventory of its owner's organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgeSharing {
    /// Whether its owner wants that.
    pub is_shown: bool,
    /// Counts the changes of that; 0 where nothing was ever said.
    pub revision: i32,
    /// What the last check has said; none is kept of a badge that is not shown.
    pub check: Option<BadgeCheck>,
}

/// What the owner of a badge has said.
///
/// # Errors
/// [`StoreError`].
pub fn find_sharing(conn: &mut DbConn, id: ExternalBadgeId) -> Result<BadgeSharing, StoreError> {
    type Row =
        (bool, i32, Option<String>, Option<String>, Option<NaiveDateTime>, Option<NaiveDateTime>);
    let row: Option<Row> = external_badge_sharing::table
        .find(id.to_string())
        .select((
            external_badge_sharing::is_shown,
            external_badge_sharing::revision,
            external_badge_sharing::outcome,
            external_badge_sharing::issuer_id,
            external_badge_sharing::valid_until,
            external_badge_sharing::checked_at,
        ))
        .first(conn)
        .optional()?;
    let Some((is_shown, revision, outcome, issuer_id, valid_until, checked_at)) = row else {
        return Ok(BadgeSharing { is_shown: false, revision: 0, check: None });
    };
    let corrupt = || StoreError::corrupt("external_badge_sharing", &id.to_string(), "outcome");
    let check = match (outcome, checked_at) {
        (Some(word), Some(at)) => Some(BadgeCheck {
            outcome: CheckOutcome::parse(&word).ok_or_else(corrupt)?,
            issuer_id,
            valid_until: valid_until.map(Timestamp::from_naive),
            checked_at: Timestamp::from_naive(at),
        }),
        (Some(_), None) | (None, Some(_) | None) => None,
    };
    Ok(BadgeSharing { is_shown, revision, check })
}

macro_rules! check_values {
    ($check:expr) => {
        (
            external_badge_sharing::outcome.eq($check.map(|check| check.outcome.as_str())),
            external_badge_sharing::issuer_id.eq($check.and_then(|check| check.issuer_id.clone())),
            external_badge_sharing::valid_until
                .eq($check.and_then(|check| check.valid_until).map(Timestamp::naive)),
            external_badge_sharing::checked_at.eq($check.map(|check| check.checked_at.naive())),
        )
    };
}

/// Stores what the owner of a badge says over what was read at `revision`, 0 for nothing, with the check that was made for it.
///
/// # Errors
/// [`StoreError::Stale`] when it has changed since.
pub fn save_sharing(
    conn: &mut DbConn,
    id: ExternalBadgeId,
    check: Option<&BadgeCheck>,
    revision: i32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = (
        external_badge_sharing::is_shown.eq(check.is_some()),
        external_badge_sharing::revision.eq(revision + 1),
        external_badge_sharing::updated_at.eq(now.naive()),
        check_values!(check),
    );
    let unchanged = external_badge_sharing::table
        .find(id.to_string())
        .filter(external_badge_sharing::revision.eq(revision));
    if diesel::update(unchanged).set(values.clone()).execute(conn)? == 1 {
        return Ok(());
    }
    if revision != 0 {
        return Err(StoreError::Stale);
    }
    diesel::insert_into(external_badge_sharing::table)
        .values((external_badge_sharing::badge_id.eq(id.to_string()), values))
        .execute(conn)
        .map_err(StoreError::outrun)?;
    Ok(())
}

/// Stores a check of a badge that is shown. Whether it still is: somebody who has changed their mind meanwhile is not checked.
///
/// # Errors
/// [`StoreError`].
pub fn save_check(
    conn: &mut DbConn,
    id: ExternalBadgeId,
    check: &BadgeCheck,
) -> Result<bool, StoreError> {
    let shown = external_badge_sharing::table
        .find(id.to_string())
        .filter(external_badge_sharing::is_shown.eq(true));
    Ok(diesel::update(shown).set(check_values!(Some(check))).execute(conn)? == 1)
}

/// The badges that are shown and were checked before these moments, one for those that were valid and one for all others; the oldest
/// check first. Whoever has no address any more has left.
///
/// # Errors
/// [`StoreError`].
pub fn list_due(
    conn: &mut DbConn,
    (valid_before, other_before): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<ExternalBadge>, StoreError> {
    let valid = CheckOutcome::Valid.as_str();
    let rows: Vec<Row> = external_badges::table
        .inner_join(
            external_badge_sharing::table
                .on(external_badge_sharing::badge_id.eq(external_badges::id)),
        )
        .filter(external_badge_sharing::is_shown.eq(true))
        .filter(
            external_badges::person_id
                .eq_any(person_profiles::table.select(person_profiles::person_id)),
        )
        .filter(
            external_badge_sharing::outcome
                .eq(valid)
                .and(external_badge_sharing::checked_at.lt(valid_before.naive()))
                .or(external_badge_sharing::outcome
                    .ne(valid)
                    .and(external_badge_sharing::checked_at.lt(other_before.naive()))),
        )
        .order((external_badge_sharing::checked_at, external_badges::id))
        .limit(limit)
        .select(external_badges::all_columns)
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// A badge of another issuer that its owner lets be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownBadge {
    /// Its id here.
    pub id: ExternalBadgeId,
    /// Whose it is.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// What it is called, by its own words.
    pub title: Option<String>,
    /// Who issued it, by its own words.
    pub issuer: Option<String>,
    /// The issuer's id.
    pub issuer_id: Option<String>,
    /// When it ends.
    pub valid_until: Option<Timestamp>,
    /// When it was found valid.
    pub checked_at: Timestamp,
}

/// A page of the badges that members of these organizations let be shown, that were valid when they were checked since that moment, and
/// that have not ended now.
///
/// # Errors
/// [`StoreError`].
pub fn list_shown(
    conn: &mut DbConn,
    members_of: &[OrganizationId],
    (since, now): (Timestamp, Timestamp),
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ShownBadge>, StoreError> {
    type Row = (
        (String, String, String, Option<String>, Option<String>),
        (Option<String>, Option<NaiveDateTime>, Option<NaiveDateTime>),
    );
    let among: Vec<String> = members_of.iter().map(ToString::to_string).collect();
    let members = memberships::table
        .filter(memberships::organization_id.eq_any(among))
        .filter(memberships::state.eq(MembershipState::Confirmed.as_str()))
        .select(memberships::person_id);
    let rows: Vec<Row> = external_badges::table
        .inner_join(
            external_badge_sharing::table
                .on(external_badge_sharing::badge_id.eq(external_badges::id)),
        )
        .inner_join(
            person_profiles::table.on(person_profiles::person_id.eq(external_badges::person_id)),
        )
        .filter(external_badges::person_id.eq_any(members))
        .filter(external_badge_sharing::is_shown.eq(true))
        .filter(external_badge_sharing::outcome.eq(CheckOutcome::Valid.as_str()))
        .filter(external_badge_sharing::checked_at.ge(since.naive()))
        .filter(
            external_badge_sharing::valid_until
                .is_null()
                .or(external_badge_sharing::valid_until.ge(now.naive())),
        )
        .filter(external_badges::id.gt(after.unwrap_or_default().to_owned()))
        .order(external_badges::id)
        .limit(limit)
        .select((
            (
                external_badges::id,
                external_badges::person_id,
                person_profiles::name,
                external_badges::title,
                external_badges::issuer,
            ),
            (
                external_badge_sharing::issuer_id,
                external_badge_sharing::valid_until,
                external_badge_sharing::checked_at,
            ),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|((id, person, name, title, issuer), (issuer_id, valid_until, checked_at))| {
            let corrupt = |column| StoreError::corrupt("external_badges", &id, column);
            Ok(ShownBadge {
                person: person.parse().map_err(|_bad| corrupt("person_id"))?,
                name,
                title,
                issuer,
                issuer_id,
                valid_until: valid_until.map(Timestamp::from_naive),
                checked_at: checked_at
                    .map(Timestamp::from_naive)
                    .ok_or_else(|| corrupt("checked_at"))?,
                id: id.parse().map_err(|_bad| corrupt("id"))?,
            })
        })
        .collect()
}
