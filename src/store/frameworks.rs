//! Frameworks: the package as it came, and its items.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{framework_items, frameworks};
use super::{DbConn, StoreError};
use crate::domain::ids::{FrameworkId, OrganizationId, PersonId};
use crate::domain::timestamp::Timestamp;

/// A framework without its package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framework {
    /// Its id here.
    pub id: FrameworkId,
    /// Who has brought it in.
    pub organization: OrganizationId,
    /// The GUID of its CFDocument, once an organization.
    pub identifier: String,
    /// Its title.
    pub title: String,
    /// Who made it.
    pub creator: String,
    /// The version that its makers name.
    pub version: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// How many items it has.
    pub n_items: i32,
    /// How many rubrics.
    pub n_rubrics: i32,
    /// How many of its members CASE 1.1 does not know.
    pub n_kept: i32,
    /// Counts its imports.
    pub revision: i32,
    /// When it was brought in last.
    pub updated_at: Timestamp,
}

/// One item of a framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameworkItem {
    /// The framework.
    pub framework: FrameworkId,
    /// Its place in the package, from 1.
    pub position: i32,
    /// Its GUID.
    pub identifier: String,
    /// Its address.
    pub uri: String,
    /// Its code.
    pub code: Option<String>,
    /// What it says in short.
    pub label: Option<String>,
    /// What it says.
    pub statement: String,
    /// What kind of item it is.
    pub item_type: Option<String>,
}

type Row = (
    (String, String, String, String, String),
    (Option<String>, Option<String>, i32, i32, i32, i32, NaiveDateTime),
);

macro_rules! framework_columns {
    () => {
        (
            (
                frameworks::id,
                frameworks::organization_id,
                frameworks::identifier,
                frameworks::title,
                frameworks::creator,
            ),
            (
                frameworks::version,
                frameworks::language,
                frameworks::n_items,
                frameworks::n_rubrics,
                frameworks::n_kept,
                frameworks::revision,
                frameworks::updated_at,
            ),
        )
    };
}

fn from_row(row: Row) -> Result<Framework, StoreError> {
    let ((id, organization, identifier, title, creator), rest) = row;
    let (version, language, n_items, n_rubrics, n_kept, revision, updated_at) = rest;
    let corrupt = |column| StoreError::corrupt("frameworks", &id, column);
    Ok(Framework {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        identifier,
        title,
        creator,
        version,
        language,
        n_items,
        n_rubrics,
        n_kept,
        revision,
        updated_at: Timestamp::from_naive(updated_at),
    })
}

type ItemRow =
    (String, i32, String, String, Option<String>, Option<String>, String, Option<String>);

fn item_from_row(row: ItemRow) -> Result<FrameworkItem, StoreError> {
    let (framework, position, identifier, uri, code, label, statement, item_type) = row;
    let id = framework
        .parse()
        .map_err(|_bad| StoreError::corrupt("framework_items", &framework, "framework_id"))?;
    Ok(FrameworkItem {
        framework: id,
        position,
        identifier,
        uri,
        code,
        label,
        statement,
        item_type,
    })
}

/// Brings a framework in.
///
/// # Errors
/// [`StoreError::Duplicate`] when the organization has one of that identifier.
pub fn create(
    conn: &mut DbConn,
    new: &Framework,
    package: &str,
    items: &[FrameworkItem],
    by: PersonId,
) -> Result<(), StoreError> {
    diesel::insert_into(frameworks::table)
        .values((
            frameworks::id.eq(new.id.to_string()),
            frameworks::organization_id.eq(new.organization.to_string()),
            frameworks::identifier.eq(&new.identifier),
            frameworks::title.eq(&new.title),
            frameworks::creator.eq(&new.creator),
            frameworks::version.eq(&new.version),
            frameworks::language.eq(&new.language),
            frameworks::package.eq(package),
            frameworks::n_items.eq(new.n_items),
            frameworks::n_rubrics.eq(new.n_rubrics),
            frameworks::n_kept.eq(new.n_kept),
            frameworks::imported_by.eq(by.to_string()),
            frameworks::revision.eq(new.revision),
            frameworks::updated_at.eq(new.updated_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("framework"))?;
    create_items(conn, items)
}

fn create_items(conn: &mut DbConn, items: &[FrameworkItem]) -> Result<(), StoreError> {
    for item in items {
        diesel::insert_into(framework_items::table)
            .values((
                framework_items::framework_id.eq(item.framework.to_string()),
                framework_items::position.eq(item.position),
                framework_items::identifier.eq(&item.identifier),
                framework_items::uri.eq(&item.uri),
                framework_items::code.eq(&item.code),
                framework_items::label.eq(&item.label),
                framework_items::statement.eq(&item.statement),
                framework_items::item_type.eq(&item.item_type),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Puts a newer package in the place of one that was read at this revision.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save(
    conn: &mut DbConn,
    changed: &Framework,
    package: &str,
    items: &[FrameworkItem],
    by: PersonId,
) -> Result<(), StoreError> {
    let unchanged = frameworks::table
        .find(changed.id.to_string())
        .filter(frameworks::organization_id.eq(changed.organization.to_string()))
        .filter(frameworks::revision.eq(changed.revision - 1));
    let n_rows = diesel::update(unchanged)
        .set((
            frameworks::title.eq(&changed.title),
            frameworks::creator.eq(&changed.creator),
            frameworks::version.eq(&changed.version),
            frameworks::language.eq(&changed.language),
            frameworks::package.eq(package),
            frameworks::n_items.eq(changed.n_items),
            frameworks::n_rubrics.eq(changed.n_rubrics),
            frameworks::n_kept.eq(changed.n_kept),
            frameworks::imported_by.eq(by.to_string()),
            frameworks::revision.eq(changed.revision),
            frameworks::updated_at.eq(changed.updated_at.naive()),
        ))
        .execute(conn)?;
    if n_rows == 0 {
        return Err(StoreError::Stale);
    }
    let items_of = framework_items::framework_id.eq(changed.id.to_string());
    diesel::delete(framework_items::table.filter(items_of)).execute(conn)?;
    create_items(conn, items)
}

/// One framework. Frameworks are public.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: FrameworkId) -> Result<Option<Framework>, StoreError> {
    let row: Option<Row> = frameworks::table
        .find(id.to_string())
        .select(framework_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// The package of a framework, as it was stored.
///
/// # Errors
/// [`StoreError`].
pub fn find_package(conn: &mut DbConn, id: FrameworkId) -> Result<Option<String>, StoreError> {
    Ok(frameworks::table.find(id.to_string()).select(frameworks::package).first(conn).optional()?)
}

/// A page of the frameworks of one organization or of all, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organization: Option<OrganizationId>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Framework>, StoreError> {
    let mut query = frameworks::table
        .filter(frameworks::id.gt(after.unwrap_or_default().to_owned()))
        .order(frameworks::id)
        .limit(limit)
        .select(framework_columns!())
        .into_boxed::<MultiBackend>();
    if let Some(organization) = organization {
        query = query.filter(frameworks::organization_id.eq(organization.to_string()));
    }
    let rows: Vec<Row> = query.load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// A page of the items of a framework, in the order of the package.
///
/// # Errors
/// [`StoreError`].
pub fn list_items(
    conn: &mut DbConn,
    id: FrameworkId,
    after: i32,
    limit: i64,
) -> Result<Vec<FrameworkItem>, StoreError> {
    let rows: Vec<ItemRow> = framework_items::table
        .filter(framework_items::framework_id.eq(id.to_string()))
        .filter(framework_items::position.gt(after))
        .order(framework_items::position)
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(item_from_row).collect()
}

/// The item of a GUID in the framework that was brought in first: several organizations may have the same.
///
/// # Errors
/// [`StoreError`].
pub fn find_item(conn: &mut DbConn, identifier: &str) -> Result<Option<FrameworkItem>, StoreError> {
    let row: Option<ItemRow> = framework_items::table
        .filter(framework_items::identifier.eq(identifier))
        .order((framework_items::framework_id, framework_items::position))
        .first(conn)
        .optional()?;
    row.map(item_from_row).transpose()
}
