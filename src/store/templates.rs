//! Packages of definitions that came from other districts, and which micro-credentials began as one of theirs.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{micro_credentials, template_origins, templates};
use super::{DbConn, StoreError};
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, ProgramId, TemplateId};
use crate::domain::timestamp::Timestamp;

/// A package as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its id here.
    pub id: TemplateId,
    /// Who has brought it in.
    pub organization: OrganizationId,
    /// Its own id, once an organization.
    pub package_id: String,
    /// What it is.
    pub title: String,
    /// Under which terms it may be used.
    pub licence: String,
    /// The https address of whoever signed it.
    pub issuer: String,
    /// Their name.
    pub issuer_name: String,
    /// The package, as JSON text.
    pub package: String,
    /// Its signature.
    pub signature: String,
    /// The programme that its charter became the draft of.
    pub program: Option<ProgramId>,
    /// Who brought it in.
    pub imported_by: PersonId,
    /// When.
    pub imported_at: Timestamp,
}

type Row = (
    (String, String, String, String, String, String),
    (String, String, String, Option<String>, String, NaiveDateTime),
);

macro_rules! template_columns {
    () => {
        (
            (
                templates::id,
                templates::organization_id,
                templates::package_id,
                templates::title,
                templates::licence,
                templates::issuer,
            ),
            (
                templates::issuer_name,
                templates::package,
                templates::signature,
                templates::program_id,
                templates::imported_by,
                templates::imported_at,
            ),
        )
    };
}

fn from_row(row: Row) -> Result<Template, StoreError> {
    let ((id, organization, package_id, title, licence, issuer), rest) = row;
    let (issuer_name, package, signature, program, imported_by, imported_at) = rest;
    let corrupt = |column| StoreError::corrupt("templates", &id, column);
    Ok(Template {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        package_id,
        title,
        licence,
        issuer,
        issuer_name,
        package,
        signature,
        program: program
            .map(|program| program.parse())
            .transpose()
            .map_err(|_bad| corrupt("program_id"))?,
        imported_by: imported_by.parse().map_err(|_bad| corrupt("imported_by"))?,
        imported_at: Timestamp::from_naive(imported_at),
    })
}

/// Adds a package.
///
/// # Errors
/// [`StoreError::Duplicate`] when the organization has it.
pub fn create(conn: &mut DbConn, new: &Template) -> Result<(), StoreError> {
    diesel::insert_into(templates::table)
        .values((
            templates::id.eq(new.id.to_string()),
            templates::organization_id.eq(new.organization.to_string()),
            templates::package_id.eq(&new.package_id),
            templates::title.eq(&new.title),
            templates::licence.eq(&new.licence),
            templates::issuer.eq(&new.issuer),
            templates::issuer_name.eq(&new.issuer_name),
            templates::package.eq(&new.package),
            templates::signature.eq(&new.signature),
            templates::program_id.eq(new.program.map(|program| program.to_string())),
            templates::imported_by.eq(new.imported_by.to_string()),
            templates::imported_at.eq(new.imported_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("template"))?;
    Ok(())
}

/// Writes down that a micro-credential began as the definition at this place of a package.
///
/// # Errors
/// [`StoreError`].
pub fn create_origin(
    conn: &mut DbConn,
    family: MicroCredentialId,
    template: TemplateId,
    position: i32,
) -> Result<(), StoreError> {
    diesel::insert_into(template_origins::table)
        .values((
            template_origins::micro_credential_id.eq(family.to_string()),
            template_origins::template_id.eq(template.to_string()),
            template_origins::position.eq(position),
        ))
        .execute(conn)?;
    Ok(())
}

/// One package. Who may see it is for the policy table to judge.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: TemplateId) -> Result<Option<Template>, StoreError> {
    let row: Option<Row> =
        templates::table.find(id.to_string()).select(template_columns!()).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// A page of the packages that an organization has brought in, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Template>, StoreError> {
    let rows: Vec<Row> = templates::table
        .filter(templates::organization_id.eq(organization.to_string()))
        .filter(templates::id.gt(after.unwrap_or_default().to_owned()))
        .order(templates::id)
        .limit(limit)
        .select(template_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// The package that a micro-credential began in, with the place of its definition.
///
/// # Errors
/// [`StoreError`].
pub fn find_origin(
    conn: &mut DbConn,
    family: MicroCredentialId,
) -> Result<Option<(Template, i32)>, StoreError> {
    let row: Option<(Row, i32)> = template_origins::table
        .inner_join(templates::table.on(templates::id.eq(template_origins::template_id)))
        .filter(template_origins::micro_credential_id.eq(family.to_string()))
        .select((template_columns!(), template_origins::position))
        .first(conn)
        .optional()?;
    row.map(|(row, position)| Ok((from_row(row)?, position))).transpose()
}

/// The micro-credentials that began in a package, in the order of its definitions.
///
/// # Errors
/// [`StoreError`].
pub fn list_begun(
    conn: &mut DbConn,
    template: TemplateId,
) -> Result<Vec<MicroCredentialId>, StoreError> {
    let ids: Vec<String> = template_origins::table
        .filter(template_origins::template_id.eq(template.to_string()))
        .order(template_origins::position)
        .select(template_origins::micro_credential_id)
        .load(conn)?;
    super::error::parse_ids("template_origins", "micro_credential_id", ids)
}

/// Which of some slugs the organization has already.
///
/// # Errors
/// [`StoreError`].
pub fn list_taken(
    conn: &mut DbConn,
    organization: OrganizationId,
    slugs: &[&str],
) -> Result<BTreeSet<String>, StoreError> {
    let taken: Vec<String> = micro_credentials::table
        .filter(micro_credentials::organization_id.eq(organization.to_string()))
        .filter(micro_credentials::slug.eq_any(slugs))
        .select(micro_credentials::slug)
        .load(conn)?;
    Ok(taken.into_iter().collect())
}
