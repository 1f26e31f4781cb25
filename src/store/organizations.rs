//! Organizations and their tree.

use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{organization_ancestors, organizations};
use super::{DbConn, StoreError};
use crate::domain::ids::OrganizationId;
use crate::domain::organization::{Organization, OrganizationKind};
use crate::domain::timestamp::Timestamp;

type Row = (String, Option<String>, String, String, Option<String>, Option<String>, i32);

const COLUMNS: (
    organizations::id,
    organizations::parent_id,
    organizations::name,
    organizations::kind,
    organizations::url,
    organizations::email,
    organizations::revision,
) = (
    organizations::id,
    organizations::parent_id,
    organizations::name,
    organizations::kind,
    organizations::url,
    organizations::email,
    organizations::revision,
);

fn from_row(
    (id, parent, name, kind, url, email, revision): Row,
) -> Result<Organization, StoreError> {
    let corrupt = |column| StoreError::corrupt("organizations", &id, column);
    Ok(Organization {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        parent: parent
            .map(|parent| parent.parse())
            .transpose()
            .map_err(|_bad| corrupt("parent_id"))?,
        kind: OrganizationKind::parse(&kind).ok_or_else(|| corrupt("kind"))?,
        name,
        url,
        email,
        revision,
    })
}

/// Adds an organization below its parent.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &Organization, now: Timestamp) -> Result<(), StoreError> {
    let id = new.id.to_string();
    diesel::insert_into(organizations::table)
        .values((
            organizations::id.eq(&id),
            organizations::parent_id.eq(new.parent.map(|parent| parent.to_string())),
            organizations::name.eq(&new.name),
            organizations::kind.eq(new.kind.as_str()),
            organizations::url.eq(&new.url),
            organizations::email.eq(&new.email),
            organizations::issuing_stopped.eq(false),
            organizations::revision.eq(new.revision),
            organizations::created_at.eq(now.naive()),
        ))
        .execute(conn)?;
    let above = match new.parent {
        Some(parent) => std::iter::once(parent).chain(list_above(conn, parent)?).collect(),
        None => Vec::new(),
    };
    for (distance, ancestor) in (0_i32..).zip(std::iter::once(new.id).chain(above)) {
        diesel::insert_into(organization_ancestors::table)
            .values((
                organization_ancestors::organization_id.eq(&id),
                organization_ancestors::ancestor_id.eq(ancestor.to_string()),
                organization_ancestors::distance.eq(distance),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// One organization. It is public by name; who may see more is decided above.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
    let row: Option<Row> =
        organizations::table.find(id.to_string()).select(COLUMNS).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// The organizations above one, the nearest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_above(
    conn: &mut DbConn,
    id: OrganizationId,
) -> Result<Vec<OrganizationId>, StoreError> {
    let ids: Vec<String> = organization_ancestors::table
        .filter(organization_ancestors::organization_id.eq(id.to_string()))
        .filter(organization_ancestors::distance.gt(0))
        .order(organization_ancestors::distance)
        .select(organization_ancestors::ancestor_id)
        .load(conn)?;
    parse_ids(ids)
}

/// The kinds of the organizations above one, the nearest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_above_with_kinds(
    conn: &mut DbConn,
    id: OrganizationId,
) -> Result<Vec<(OrganizationId, OrganizationKind)>, StoreError> {
    let rows: Vec<(String, String)> = organization_ancestors::table
        .inner_join(
            organizations::table.on(organizations::id.eq(organization_ancestors::ancestor_id)),
        )
        .filter(organization_ancestors::organization_id.eq(id.to_string()))
        .filter(organization_ancestors::distance.gt(0))
        .order(organization_ancestors::distance)
        .select((organizations::id, organizations::kind))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, kind)| {
            let corrupt = |column| StoreError::corrupt("organizations", &id, column);
            let kind = OrganizationKind::parse(&kind).ok_or_else(|| corrupt("kind"))?;
            Ok((id.parse().map_err(|_bad| corrupt("id"))?, kind))
        })
        .collect()
}

/// The organizations below one, itself included.
///
/// # Errors
/// [`StoreError`].
pub fn list_branch(
    conn: &mut DbConn,
    id: OrganizationId,
) -> Result<Vec<OrganizationId>, StoreError> {
    let ids: Vec<String> = organization_ancestors::table
        .filter(organization_ancestors::ancestor_id.eq(id.to_string()))
        .select(organization_ancestors::organization_id)
        .load(conn)?;
    parse_ids(ids)
}

fn parse_ids(ids: Vec<String>) -> Result<Vec<OrganizationId>, StoreError> {
    ids.into_iter()
        .map(|id| {
            id.parse()
                .map_err(|_bad| StoreError::corrupt("organization_ancestors", &id, "ancestor_id"))
        })
        .collect()
}

/// The organization that was made first: the one above all others.
///
/// # Errors
/// [`StoreError`].
pub fn find_first(conn: &mut DbConn) -> Result<Option<OrganizationId>, StoreError> {
    let id: Option<String> = organizations::table
        .filter(organizations::parent_id.is_null())
        .order(organizations::id)
        .select(organizations::id)
        .first(conn)
        .optional()?;
    id.map(|id| id.parse().map_err(|_bad| StoreError::corrupt("organizations", &id, "id")))
        .transpose()
}

/// A page of the organizations named, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    among: &[OrganizationId],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Organization>, StoreError> {
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    let mut query = organizations::table
        .select(COLUMNS)
        .filter(organizations::id.eq_any(among))
        .into_boxed::<MultiBackend>();
    if let Some(after) = after {
        query = query.filter(organizations::id.gt(after.to_owned()));
    }
    let rows: Vec<Row> = query.order(organizations::id).limit(limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Whether signing is switched off for the organization or for any above it.
///
/// # Errors
/// [`StoreError`].
pub fn is_issuing_stopped(conn: &mut DbConn, id: OrganizationId) -> Result<bool, StoreError> {
    let stopped = organization_ancestors::table
        .inner_join(
            organizations::table.on(organizations::id.eq(organization_ancestors::ancestor_id)),
        )
        .filter(organization_ancestors::organization_id.eq(id.to_string()))
        .filter(organizations::issuing_stopped.eq(true));
    Ok(diesel::select(diesel::dsl::exists(stopped)).get_result(conn)?)
}

/// Switches signing off or on.
///
/// # Errors
/// [`StoreError`].
pub fn switch_issuing(
    conn: &mut DbConn,
    id: OrganizationId,
    stopped: bool,
) -> Result<(), StoreError> {
    diesel::update(organizations::table.find(id.to_string()))
        .set((
            organizations::issuing_stopped.eq(stopped),
            organizations::revision.eq(organizations::revision + 1),
        ))
        .execute(conn)?;
    Ok(())
}
