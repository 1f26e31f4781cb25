//! What a skills inventory counts, who may be named in it, what it is for, and its signed snapshots.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{
    award_sharing, awards, definition_versions, inventory_purposes, inventory_snapshots,
    memberships, organization_ancestors, organizations, person_profiles, programs, stacks,
    version_skills,
};
use super::{DbConn, StoreError};
use crate::domain::award::AwardState;
use crate::domain::ids::{
    AwardId, OrganizationId, PersonId, ProgramId, SnapshotId, StackId, VersionId,
};
use crate::domain::organization::{MembershipState, OrganizationKind};
use crate::domain::timestamp::Timestamp;
use crate::domain::version::VersionState;

fn words(organizations: &[OrganizationId]) -> Vec<String> {
    organizations.iter().map(ToString::to_string).collect()
}

/// Confirmed members of these organizations, each with the organization and whether it is a school.
///
/// # Errors
/// [`StoreError`].
pub fn list_members(
    conn: &mut DbConn,
    among: &[OrganizationId],
) -> Result<Vec<(PersonId, OrganizationId, bool)>, StoreError> {
    let rows: Vec<(String, String, String)> = memberships::table
        .inner_join(organizations::table.on(organizations::id.eq(memberships::organization_id)))
        .filter(memberships::organization_id.eq_any(words(among)))
        .filter(memberships::state.eq(MembershipState::Confirmed.as_str()))
        .order((memberships::person_id, memberships::organization_id))
        .select((memberships::person_id, memberships::organization_id, organizations::kind))
        .load(conn)?;
    rows.into_iter()
        .map(|(person, organization, kind)| {
            let corrupt = |column| StoreError::corrupt("memberships", &person, column);
            let is_school = kind == OrganizationKind::School.as_str();
            Ok((
                person.parse().map_err(|_bad| corrupt("person_id"))?,
                organization.parse().map_err(|_bad| corrupt("organization_id"))?,
                is_school,
            ))
        })
        .collect()
}

/// An award as an inventory counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldAward {
    /// Whose.
    pub earner: PersonId,
    /// Where it stands, by what is stored.
    pub state: AwardState,
    /// When it ends.
    pub valid_until: Option<Timestamp>,
    /// When it was earned.
    pub created_at: Timestamp,
    /// At which version; none for a stack.
    pub version: Option<VersionId>,
    /// Of which stack.
    pub stack: Option<StackId>,
}

/// Every award of these organizations, in whatever state.
///
/// # Errors
/// [`StoreError`].
pub fn list_awards(
    conn: &mut DbConn,
    among: &[OrganizationId],
) -> Result<Vec<HeldAward>, StoreError> {
    type Row = (
        (String, String, String, Option<NaiveDateTime>, NaiveDateTime),
        (Option<String>, Option<String>),
    );
    let rows: Vec<Row> = awards::table
        .filter(awards::organization_id.eq_any(words(among)))
        .order(awards::id)
        .select((
            (awards::id, awards::earner_id, awards::state, awards::valid_until, awards::created_at),
            (awards::version_id, awards::stack_id),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|((id, earner, state, until, created_at), (version, stack))| {
            let corrupt = |column| StoreError::corrupt("awards", &id, column);
            Ok(HeldAward {
                earner: earner.parse().map_err(|_bad| corrupt("earner_id"))?,
                state: AwardState::parse(&state).ok_or_else(|| corrupt("state"))?,
                valid_until: until.map(Timestamp::from_naive),
                created_at: Timestamp::from_naive(created_at),
                version: version
                    .map(|id| id.parse())
                    .transpose()
                    .map_err(|_bad| corrupt("version_id"))?,
                stack: stack
                    .map(|id| id.parse())
                    .transpose()
                    .map_err(|_bad| corrupt("stack_id"))?,
            })
        })
        .collect()
}

/// The public versions of these organizations: id, whether they can be earned now, and the definition as JSON text.
///
/// # Errors
/// [`StoreError`].
pub fn list_versions(
    conn: &mut DbConn,
    among: &[OrganizationId],
) -> Result<Vec<(VersionId, bool, String)>, StoreError> {
    let public = [VersionState::Published.as_str(), VersionState::Retired.as_str()];
    let rows: Vec<(String, String, String)> = definition_versions::table
        .filter(definition_versions::organization_id.eq_any(words(among)))
        .filter(definition_versions::state.eq_any(public))
        .order(definition_versions::id)
        .select((
            definition_versions::id,
            definition_versions::state,
            definition_versions::definition,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, state, definition)| {
            let corrupt = |_bad| StoreError::corrupt("definition_versions", &id, "id");
            let can_be_earned = state == VersionState::Published.as_str();
            Ok((id.parse().map_err(corrupt)?, can_be_earned, definition))
        })
        .collect()
}

/// A stack as an inventory names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedStack {
    /// One version of it.
    pub id: StackId,
    /// Its own id, the same in all versions.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Whether it can be earned now.
    pub can_be_earned: bool,
}

/// The public stacks of these organizations, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_stacks(
    conn: &mut DbConn,
    among: &[OrganizationId],
) -> Result<Vec<NamedStack>, StoreError> {
    let public = [VersionState::Published.as_str(), VersionState::Retired.as_str()];
    let rows: Vec<(String, String, String, String)> = stacks::table
        .filter(stacks::organization_id.eq_any(words(among)))
        .filter(stacks::state.eq_any(public))
        .order(stacks::id)
        .select((stacks::id, stacks::slug, stacks::title, stacks::state))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, slug, title, state)| {
            let can_be_earned = state == VersionState::Published.as_str();
            let id = id.parse().map_err(|_bad| StoreError::corrupt("stacks", &id, "id"))?;
            Ok(NamedStack { id, slug, title, can_be_earned })
        })
        .collect()
}

/// The programmes of these organizations, each with whose it is.
///
/// # Errors
/// [`StoreError`].
pub fn list_programs(
    conn: &mut DbConn,
    among: &[OrganizationId],
) -> Result<Vec<(ProgramId, OrganizationId)>, StoreError> {
    let rows: Vec<(String, String)> = programs::table
        .filter(programs::organization_id.eq_any(words(among)))
        .order(programs::id)
        .select((programs::id, programs::organization_id))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, organization)| {
            let corrupt = |column| StoreError::corrupt("programs", &id, column);
            Ok((
                id.parse().map_err(|_bad| corrupt("id"))?,
                organization.parse().map_err(|_bad| corrupt("organization_id"))?,
            ))
        })
        .collect()
}

/// Whether the earner of an award lets themselves be named for it, with the revision: no and 0 where they have not said.
///
/// # Errors
/// [`StoreError`].
pub fn find_sharing(conn: &mut DbConn, award: AwardId) -> Result<(bool, i32), StoreError> {
    let row = award_sharing::table
        .find(award.to_string())
        .select((award_sharing::is_named, award_sharing::revision))
        .first(conn)
        .optional()?;
    Ok(row.unwrap_or((false, 0)))
}

/// Stores what the earner says over what was read at `revision`, 0 for nothing.
///
/// # Errors
/// [`StoreError::Stale`] when it has changed since.
pub fn save_sharing(
    conn: &mut DbConn,
    award: AwardId,
    is_named: bool,
    revision: i32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = (
        award_sharing::is_named.eq(is_named),
        award_sharing::revision.eq(revision + 1),
        award_sharing::updated_at.eq(now.naive()),
    );
    let unchanged =
        award_sharing::table.find(award.to_string()).filter(award_sharing::revision.eq(revision));
    if diesel::update(unchanged).set(values).execute(conn)? == 1 {
        return Ok(());
    }
    if revision != 0 {
        return Err(StoreError::Stale);
    }
    diesel::insert_into(award_sharing::table)
        .values((award_sharing::award_id.eq(award.to_string()), values))
        .execute(conn)
        .map_err(StoreError::outrun)?;
    Ok(())
}

/// Somebody who lets themselves be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPerson {
    /// For which award.
    pub award: AwardId,
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// What the award is at.
    pub title: String,
    /// When it was earned.
    pub earned_at: Timestamp,
}

/// Who may be asked.
#[derive(Clone, Debug)]
pub struct NamedQuery {
    /// For which skill, by its code.
    pub skill: String,
    /// Awards of these organizations.
    pub issuers: Vec<OrganizationId>,
    /// Members of these.
    pub members_of: Vec<OrganizationId>,
    /// After this award.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// A page of people with an award in force that carries a skill, who let themselves be named for that award.
///
/// # Errors
/// [`StoreError`].
pub fn list_named(
    conn: &mut DbConn,
    wanted: &NamedQuery,
    now: Timestamp,
) -> Result<Vec<NamedPerson>, StoreError> {
    type Row = (String, String, String, String, NaiveDateTime);
    let members = memberships::table
        .filter(memberships::organization_id.eq_any(words(&wanted.members_of)))
        .filter(memberships::state.eq(MembershipState::Confirmed.as_str()))
        .select(memberships::person_id);
    let with_skill = version_skills::table
        .filter(version_skills::code.eq(wanted.skill.clone()))
        .select(version_skills::version_id.nullable());
    let mut query = awards::table
        .inner_join(award_sharing::table.on(award_sharing::award_id.eq(awards::id)))
        .inner_join(person_profiles::table.on(person_profiles::person_id.eq(awards::earner_id)))
        .inner_join(
            definition_versions::table
                .on(awards::version_id.eq(definition_versions::id.nullable())),
        )
        .filter(award_sharing::is_named.eq(true))
        .filter(awards::state.eq(AwardState::Active.as_str()))
        .filter(awards::valid_until.is_null().or(awards::valid_until.ge(now.naive())))
        .filter(awards::organization_id.eq_any(words(&wanted.issuers)))
        .filter(awards::earner_id.eq_any(members))
        .filter(awards::version_id.eq_any(with_skill))
        .select((
            awards::id,
            awards::earner_id,
            person_profiles::name,
            definition_versions::title,
            awards::created_at,
        ))
        .into_boxed::<MultiBackend>();
    if let Some(after) = &wanted.after {
        query = query.filter(awards::id.gt(after.clone()));
    }
    let rows: Vec<Row> = query.order(awards::id).limit(wanted.limit).load(conn)?;
    rows.into_iter()
        .map(|(id, person, name, title, created_at)| {
            let corrupt = |column| StoreError::corrupt("awards", &id, column);
            Ok(NamedPerson {
                award: id.parse().map_err(|_bad| corrupt("id"))?,
                person: person.parse().map_err(|_bad| corrupt("earner_id"))?,
                name,
                title,
                earned_at: Timestamp::from_naive(created_at),
            })
        })
        .collect()
}

/// What an organization has said that it counts skills for, with the revision.
///
/// # Errors
/// [`StoreError`].
pub fn find_purpose(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<(String, i32)>, StoreError> {
    Ok(inventory_purposes::table
        .find(organization.to_string())
        .select((inventory_purposes::statement, inventory_purposes::revision))
        .first(conn)
        .optional()?)
}

/// The purpose that holds for an organization: its own, or that of the nearest one above with one.
///
/// # Errors
/// [`StoreError`].
pub fn find_purpose_in_force(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<String>, StoreError> {
    Ok(inventory_purposes::table
        .inner_join(
            organization_ancestors::table
                .on(organization_ancestors::ancestor_id.eq(inventory_purposes::organization_id)),
        )
        .filter(organization_ancestors::organization_id.eq(organization.to_string()))
        .order(organization_ancestors::distance)
        .select(inventory_purposes::statement)
        .first(conn)
        .optional()?)
}

/// Stores a purpose over the one that was read at `revision`, 0 for none.
///
/// # Errors
/// [`StoreError::Stale`] when it has changed since.
pub fn save_purpose(
    conn: &mut DbConn,
    organization: OrganizationId,
    statement: &str,
    revision: i32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = (
        inventory_purposes::statement.eq(statement),
        inventory_purposes::revision.eq(revision + 1),
        inventory_purposes::updated_at.eq(now.naive()),
    );
    let unchanged = inventory_purposes::table
        .find(organization.to_string())
        .filter(inventory_purposes::revision.eq(revision));
    if diesel::update(unchanged).set(values).execute(conn)? == 1 {
        return Ok(());
    }
    if revision != 0 {
        return Err(StoreError::Stale);
    }
    diesel::insert_into(inventory_purposes::table)
        .values((inventory_purposes::organization_id.eq(organization.to_string()), values))
        .execute(conn)
        .map_err(StoreError::outrun)?;
    Ok(())
}

/// An inventory as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id, also the token's.
    pub id: SnapshotId,
    /// Of which organization.
    pub organization: OrganizationId,
    /// Who has signed it: that organization, or the nearest above with a key.
    pub issuer: OrganizationId,
    /// The signed token.
    pub jwt: String,
    /// Who has asked for it.
    pub created_by: PersonId,
    /// When.
    pub created_at: Timestamp,
}

type SnapshotRow = (String, String, String, String, String, NaiveDateTime);

macro_rules! snapshot_columns {
    () => {
        (
            inventory_snapshots::id,
            inventory_snapshots::organization_id,
            inventory_snapshots::issuer_id,
            inventory_snapshots::jwt,
            inventory_snapshots::created_by,
            inventory_snapshots::created_at,
        )
    };
}

fn snapshot(row: SnapshotRow) -> Result<Snapshot, StoreError> {
    let (id, organization, issuer, jwt, created_by, created_at) = row;
    let corrupt = |column| StoreError::corrupt("inventory_snapshots", &id, column);
    Ok(Snapshot {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        issuer: issuer.parse().map_err(|_bad| corrupt("issuer_id"))?,
        jwt,
        created_by: created_by.parse().map_err(|_bad| corrupt("created_by"))?,
        created_at: Timestamp::from_naive(created_at),
    })
}

/// Keeps a snapshot.
///
/// # Errors
/// [`StoreError`].
pub fn create_snapshot(conn: &mut DbConn, new: &Snapshot) -> Result<(), StoreError> {
    diesel::insert_into(inventory_snapshots::table)
        .values((
            inventory_snapshots::id.eq(new.id.to_string()),
            inventory_snapshots::organization_id.eq(new.organization.to_string()),
            inventory_snapshots::issuer_id.eq(new.issuer.to_string()),
            inventory_snapshots::jwt.eq(&new.jwt),
            inventory_snapshots::created_by.eq(new.created_by.to_string()),
            inventory_snapshots::created_at.eq(new.created_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// One snapshot. Who may see it is decided above, by its organization.
///
/// # Errors
/// [`StoreError`].
pub fn find_snapshot(conn: &mut DbConn, id: SnapshotId) -> Result<Option<Snapshot>, StoreError> {
    let row: Option<SnapshotRow> = inventory_snapshots::table
        .find(id.to_string())
        .select(snapshot_columns!())
        .first(conn)
        .optional()?;
    row.map(snapshot).transpose()
}

/// A page of an organization's snapshots by id, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_snapshots(
    conn: &mut DbConn,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Snapshot>, StoreError> {
    let rows: Vec<SnapshotRow> = inventory_snapshots::table
        .filter(inventory_snapshots::organization_id.eq(organization.to_string()))
        .filter(inventory_snapshots::id.gt(after.unwrap_or("").to_owned()))
        .order(inventory_snapshots::id)
        .limit(limit)
        .select(snapshot_columns!())
        .load(conn)?;
    rows.into_iter().map(snapshot).collect()
}
