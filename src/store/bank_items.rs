//! The assessment bank: prompts and criteria of published versions, by the items of frameworks that they belong to.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{bank_item_frameworks, bank_item_uses, bank_items};
use super::{DbConn, StoreError};
use crate::domain::bank_item::BankItemKind;
use crate::domain::ids::{BankItemId, MicroCredentialId, OrganizationId, VersionId};
use crate::domain::timestamp::Timestamp;

/// A prompt or criterion that others may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankItem {
    /// Its id.
    pub id: BankItemId,
    /// Who owns the micro-credential.
    pub organization: OrganizationId,
    /// At which micro-credential it stands.
    pub micro_credential: MicroCredentialId,
    /// In which version.
    pub version: VersionId,
    /// The version's number.
    pub version_number: i32,
    /// Its id in that version.
    pub row: String,
    /// What it is.
    pub kind: BankItemKind,
    /// Its words, levels and alignments, as JSON text.
    pub content: String,
}

type Row = (String, String, String, String, i32, String, String, String);

macro_rules! item_columns {
    () => {
        (
            bank_items::id,
            bank_items::organization_id,
            bank_items::micro_credential_id,
            bank_items::version_id,
            bank_items::version_number,
            bank_items::row_id,
            bank_items::kind,
            bank_items::content,
        )
    };
}

fn from_row(stored: Row) -> Result<BankItem, StoreError> {
    let (id, organization, micro_credential, version, version_number, row, kind, content) = stored;
    let corrupt = |column| StoreError::corrupt("bank_items", &id, column);
    Ok(BankItem {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        micro_credential: micro_credential
            .parse()
            .map_err(|_bad| corrupt("micro_credential_id"))?,
        version: version.parse().map_err(|_bad| corrupt("version_id"))?,
        version_number,
        row,
        kind: BankItemKind::parse(&kind).ok_or_else(|| corrupt("kind"))?,
        content,
    })
}

/// Adds an item with the GUIDs of the framework items that it belongs to.
///
/// # Errors
/// [`StoreError::Duplicate`] when the version's row is there.
pub fn create(
    conn: &mut DbConn,
    new: &BankItem,
    identifiers: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(bank_items::table)
        .values((
            bank_items::id.eq(new.id.to_string()),
            bank_items::organization_id.eq(new.organization.to_string()),
            bank_items::micro_credential_id.eq(new.micro_credential.to_string()),
            bank_items::version_id.eq(new.version.to_string()),
            bank_items::version_number.eq(new.version_number),
            bank_items::row_id.eq(&new.row),
            bank_items::kind.eq(new.kind.as_str()),
            bank_items::content.eq(&new.content),
            bank_items::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("bank item"))?;
    for identifier in identifiers {
        diesel::insert_into(bank_item_frameworks::table)
            .values((
                bank_item_frameworks::bank_item_id.eq(new.id.to_string()),
                bank_item_frameworks::identifier.eq(identifier),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Whether an earlier version of a micro-credential has brought in the same words.
///
/// # Errors
/// [`StoreError`].
pub fn is_known(
    conn: &mut DbConn,
    family: MicroCredentialId,
    content: &str,
) -> Result<bool, StoreError> {
    let same = bank_items::table
        .filter(bank_items::micro_credential_id.eq(family.to_string()))
        .filter(bank_items::content.eq(content));
    Ok(diesel::select(diesel::dsl::exists(same)).get_result(conn)?)
}

/// Records that a row of a published version was taken from the bank.
///
/// # Errors
/// [`StoreError`].
pub fn create_use(
    conn: &mut DbConn,
    item: BankItemId,
    version: VersionId,
    row: &str,
) -> Result<(), StoreError> {
    diesel::insert_into(bank_item_uses::table)
        .values((
            bank_item_uses::bank_item_id.eq(item.to_string()),
            bank_item_uses::version_id.eq(version.to_string()),
            bank_item_uses::row_id.eq(row),
        ))
        .execute(conn)?;
    Ok(())
}

/// One item. What is published is public.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: BankItemId) -> Result<Option<BankItem>, StoreError> {
    let row: Option<Row> =
        bank_items::table.find(id.to_string()).select(item_columns!()).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// Which items a list shows.
#[derive(Clone, Debug, Default)]
pub struct BankQuery {
    /// The GUID of the framework item that they belong to.
    pub identifier: Option<String>,
    /// Of this kind.
    pub kind: Option<BankItemKind>,
    /// Of this organization.
    pub organization: Option<OrganizationId>,
    /// After this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// A page of items, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(conn: &mut DbConn, query: &BankQuery) -> Result<Vec<BankItem>, StoreError> {
    let mut boxed = bank_items::table
        .filter(bank_items::id.gt(query.after.clone().unwrap_or_default()))
        .select(item_columns!())
        .into_boxed::<MultiBackend>();
    if let Some(identifier) = &query.identifier {
        let of_item = bank_item_frameworks::table
            .filter(bank_item_frameworks::identifier.eq(identifier.clone()))
            .select(bank_item_frameworks::bank_item_id);
        boxed = boxed.filter(bank_items::id.eq_any(of_item));
    }
    if let Some(kind) = query.kind {
        boxed = boxed.filter(bank_items::kind.eq(kind.as_str()));
    }
    if let Some(organization) = query.organization {
        boxed = boxed.filter(bank_items::organization_id.eq(organization.to_string()));
    }
    let rows: Vec<Row> = boxed.order(bank_items::id).limit(query.limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// How many rows of published versions were taken from each of these items; none for one that nobody has taken.
///
/// # Errors
/// [`StoreError`].
pub fn count_uses(
    conn: &mut DbConn,
    items: &[BankItemId],
) -> Result<BTreeMap<BankItemId, i64>, StoreError> {
    let ids: Vec<String> = items.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, i64)> = bank_item_uses::table
        .filter(bank_item_uses::bank_item_id.eq_any(ids))
        .group_by(bank_item_uses::bank_item_id)
        .select((bank_item_uses::bank_item_id, diesel::dsl::count_star()))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, n)| match id.parse() {
            Ok(parsed) => Ok((parsed, n)),
            Err(_bad) => Err(StoreError::corrupt("bank_item_uses", &id, "bank_item_id")),
        })
        .collect()
}
