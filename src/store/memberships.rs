//! Memberships, their roles, and the invitations that lead to them.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::error::parse_ids;
use super::schema::{
    invitations, membership_roles, memberships, organization_ancestors, organizations,
};
use super::{DbConn, StoreError};
use crate::domain::actor::Facet;
use crate::domain::ids::{InvitationId, MembershipId, OrganizationId, PersonId};
use crate::domain::organization::{Membership, MembershipState, OrganizationKind, Role, reach_of};
use crate::domain::timestamp::Timestamp;

type Row = (String, String, String, String, i32);

const COLUMNS: (
    memberships::id,
    memberships::organization_id,
    memberships::person_id,
    memberships::state,
    memberships::revision,
) = (
    memberships::id,
    memberships::organization_id,
    memberships::person_id,
    memberships::state,
    memberships::revision,
);

fn from_row(
    conn: &mut DbConn,
    (id, organization, person, state, revision): Row,
) -> Result<Membership, StoreError> {
    let corrupt = |column| StoreError::corrupt("memberships", &id, column);
    let membership = Membership {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        person: person.parse().map_err(|_bad| corrupt("person_id"))?,
        state: MembershipState::parse(&state).ok_or_else(|| corrupt("state"))?,
        roles: list_roles(conn, &id)?,
        revision,
    };
    Ok(membership)
}

fn list_roles(conn: &mut DbConn, membership: &str) -> Result<Vec<Role>, StoreError> {
    let words: Vec<String> = membership_roles::table
        .filter(membership_roles::membership_id.eq(membership))
        .select(membership_roles::role)
        .order(membership_roles::role)
        .load(conn)?;
    words
        .iter()
        .map(|word| {
            Role::parse(word)
                .ok_or_else(|| StoreError::corrupt("membership_roles", membership, "role"))
        })
        .collect()
}

fn replace_roles(
    conn: &mut DbConn,
    membership: MembershipId,
    roles: &[Role],
) -> Result<(), StoreError> {
    let id = membership.to_string();
    diesel::delete(membership_roles::table.filter(membership_roles::membership_id.eq(&id)))
        .execute(conn)?;
    for role in roles {
        diesel::insert_into(membership_roles::table)
            .values((
                membership_roles::membership_id.eq(&id),
                membership_roles::role.eq(role.as_str()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Adds a membership with its roles.
///
/// # Errors
/// [`StoreError::Duplicate`] when the person has one there.
pub fn create(conn: &mut DbConn, new: &Membership, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::id.eq(new.id.to_string()),
            memberships::organization_id.eq(new.organization.to_string()),
            memberships::person_id.eq(new.person.to_string()),
            memberships::state.eq(new.state.as_str()),
            memberships::revision.eq(new.revision),
            memberships::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("membership"))?;
    replace_roles(conn, new.id, &new.roles)
}

/// The membership of one person in one organization, in any state.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    organization: OrganizationId,
    person: PersonId,
) -> Result<Option<Membership>, StoreError> {
    let row: Option<Row> = memberships::table
        .filter(memberships::organization_id.eq(organization.to_string()))
        .filter(memberships::person_id.eq(person.to_string()))
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    row.map(|row| from_row(conn, row)).transpose()
}

/// A page of an organization's memberships, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Membership>, StoreError> {
    let mut query = memberships::table
        .filter(memberships::organization_id.eq(organization.to_string()))
        .select(COLUMNS)
        .into_boxed::<MultiBackend>();
    if let Some(after) = after {
        query = query.filter(memberships::id.gt(after.to_owned()));
    }
    let rows: Vec<Row> = query.order(memberships::id).limit(limit).load(conn)?;
    rows.into_iter().map(|row| from_row(conn, row)).collect()
}

/// Saves state and roles of the membership as it was read at `revision`.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save(
    conn: &mut DbConn,
    membership: &Membership,
    revision: i32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let removed_at: Option<NaiveDateTime> =
        (membership.state == MembershipState::Removed).then(|| now.naive());
    let unchanged = memberships::table
        .find(membership.id.to_string())
        .filter(memberships::organization_id.eq(membership.organization.to_string()))
        .filter(memberships::revision.eq(revision));
    let n_rows = diesel::update(unchanged)
        .set((
            memberships::state.eq(membership.state.as_str()),
            memberships::removed_at.eq(removed_at),
            memberships::revision.eq(revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 {
        return Err(StoreError::Stale);
    }
    replace_roles(conn, membership.id, &membership.roles)
}

/// Everything that a person's memberships say, for judging what they may do.
///
/// # Errors
/// [`StoreError`].
pub fn list_facets(conn: &mut DbConn, person: PersonId) -> Result<Vec<Facet>, StoreError> {
    let rows: Vec<(String, String, String, String)> = memberships::table
        .inner_join(organizations::table.on(organizations::id.eq(memberships::organization_id)))
        .filter(memberships::person_id.eq(person.to_string()))
        .select((
            memberships::id,
            memberships::organization_id,
            memberships::state,
            organizations::kind,
        ))
        .order(memberships::id)
        .load(conn)?;
    let membership_ids: Vec<&String> = rows.iter().map(|row| &row.0).collect();
    let organization_ids: Vec<&String> = rows.iter().map(|row| &row.1).collect();
    let roles: Vec<(String, String)> = membership_roles::table
        .filter(membership_roles::membership_id.eq_any(membership_ids))
        .order(membership_roles::role)
        .load(conn)?;
    let above: Vec<(String, String, String)> = organization_ancestors::table
        .inner_join(
            organizations::table.on(organizations::id.eq(organization_ancestors::ancestor_id)),
        )
        .filter(organization_ancestors::organization_id.eq_any(organization_ids))
        .filter(organization_ancestors::distance.gt(0))
        .select((
            organization_ancestors::organization_id,
            organization_ancestors::ancestor_id,
            organizations::kind,
        ))
        .order(organization_ancestors::distance)
        .load(conn)?;
    let mut roles_of: BTreeMap<String, Vec<Role>> = BTreeMap::new();
    for (membership, word) in roles {
        let role = Role::parse(&word)
            .ok_or_else(|| StoreError::corrupt("membership_roles", &membership, "role"))?;
        roles_of.entry(membership).or_default().push(role);
    }
    let mut above_of: BTreeMap<String, Vec<(OrganizationId, OrganizationKind)>> = BTreeMap::new();
    for (organization, ancestor, kind) in above {
        let corrupt = |column| StoreError::corrupt("organizations", &ancestor, column);
        let id = ancestor.parse().map_err(|_bad| corrupt("id"))?;
        let kind = OrganizationKind::parse(&kind).ok_or_else(|| corrupt("kind"))?;
        above_of.entry(organization).or_default().push((id, kind));
    }
    rows.into_iter()
        .map(|(id, organization, state, kind)| {
            let corrupt = |column| StoreError::corrupt("memberships", &id, column);
            let kind = OrganizationKind::parse(&kind).ok_or_else(|| corrupt("organization_id"))?;
            let above = above_of.remove(&organization).unwrap_or_default();
            Ok(Facet {
                organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
                kind,
                reach: reach_of(kind, &above),
                above: above.into_iter().map(|(id, _)| id).collect(),
                state: MembershipState::parse(&state).ok_or_else(|| corrupt("state"))?,
                roles: roles_of.remove(&id).unwrap_or_default(),
            })
        })
        .collect()
}

/// An invitation that can still be accepted, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Where to.
    pub organization: OrganizationId,
    /// The membership that waits.
    pub membership: MembershipId,
    /// Who is invited.
    pub person: PersonId,
    /// Until when.
    pub expires_at: Timestamp,
    /// Whether it was used.
    pub is_accepted: bool,
}

/// Adds an invitation. `token_sha256` is all that is kept of its secret.
///
/// # Errors
/// [`StoreError`].
pub fn create_invitation(
    conn: &mut DbConn,
    new: &Invitation,
    token_sha256: &str,
    invited_by: Option<PersonId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(new.id.to_string()),
            invitations::organization_id.eq(new.organization.to_string()),
            invitations::membership_id.eq(new.membership.to_string()),
            invitations::person_id.eq(new.person.to_string()),
            invitations::token_sha256.eq(token_sha256),
            invitations::invited_by.eq(invited_by.map(|person| person.to_string())),
            invitations::expires_at.eq(new.expires_at.naive()),
            invitations::created_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The invitation that a secret belongs to.
///
/// # Errors
/// [`StoreError`].
pub fn find_invitation(
    conn: &mut DbConn,
    token_sha256: &str,
) -> Result<Option<Invitation>, StoreError> {
    type InvitationRow = (String, String, String, String, NaiveDateTime, Option<NaiveDateTime>);
    let row: Option<InvitationRow> = invitations::table
        .filter(invitations::token_sha256.eq(token_sha256))
        .select((
            invitations::id,
            invitations::organization_id,
            invitations::membership_id,
            invitations::person_id,
            invitations::expires_at,
            invitations::accepted_at,
        ))
        .first(conn)
        .optional()?;
    row.map(|(id, organization, membership, person, expires_at, accepted_at)| {
        let corrupt = |column| StoreError::corrupt("invitations", &id, column);
        Ok(Invitation {
            id: id.parse().map_err(|_bad| corrupt("id"))?,
            organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
            membership: membership.parse().map_err(|_bad| corrupt("membership_id"))?,
            person: person.parse().map_err(|_bad| corrupt("person_id"))?,
            expires_at: Timestamp::from_naive(expires_at),
            is_accepted: accepted_at.is_some(),
        })
    })
    .transpose()
}

/// Uses an invitation up.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else was faster.
pub fn accept_invitation(
    conn: &mut DbConn,
    id: InvitationId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unused = invitations::table.find(id.to_string()).filter(invitations::accepted_at.is_null());
    let n_rows =
        diesel::update(unused).set(invitations::accepted_at.eq(Some(now.naive()))).execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Everybody who holds a role in one of these organizations now.
///
/// # Errors
/// [`StoreError`].
pub fn list_with_role(
    conn: &mut DbConn,
    role: Role,
    organizations: &[OrganizationId],
) -> Result<Vec<PersonId>, StoreError> {
    let among: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let people: Vec<String> = memberships::table
        .inner_join(membership_roles::table.on(membership_roles::membership_id.eq(memberships::id)))
        .filter(memberships::organization_id.eq_any(among))
        .filter(memberships::state.eq(MembershipState::Confirmed.as_str()))
        .filter(membership_roles::role.eq(role.as_str()))
        .order(memberships::person_id)
        .select(memberships::person_id)
        .distinct()
        .load(conn)?;
    parse_ids("memberships", "person_id", people)
}

/// Forgets invitations that expired before `expired_before`, and memberships that ended before `removed_before`.
///
/// # Errors
/// [`StoreError`].
pub fn purge(
    conn: &mut DbConn,
    expired_before: Timestamp,
    removed_before: Timestamp,
) -> Result<(), StoreError> {
    diesel::delete(invitations::table.filter(invitations::expires_at.lt(expired_before.naive())))
        .execute(conn)?;
    let ended: Vec<String> = memberships::table
        .filter(memberships::state.eq(MembershipState::Removed.as_str()))
        .filter(memberships::removed_at.lt(Some(removed_before.naive())))
        .select(memberships::id)
        .limit(500)
        .load(conn)?;
    diesel::delete(invitations::table.filter(invitations::membership_id.eq_any(&ended)))
        .execute(conn)?;
    diesel::delete(membership_roles::table.filter(membership_roles::membership_id.eq_any(&ended)))
        .execute(conn)?;
    diesel::delete(memberships::table.filter(memberships::id.eq_any(&ended))).execute(conn)?;
    Ok(())
}
