//! The comment bank of a micro-credential: sentences that its assessors keep for one another.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::bank_comments;
use super::{DbConn, StoreError};
use crate::domain::ids::{BankCommentId, MicroCredentialId, OrganizationId, PersonId};
use crate::domain::timestamp::Timestamp;

/// A sentence of the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankComment {
    /// Its id.
    pub id: BankCommentId,
    /// Who owns the micro-credential.
    pub organization: OrganizationId,
    /// At which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// For which criterion or prompt; none for any.
    pub criterion: Option<String>,
    /// The words.
    pub text: String,
    /// Who has written it.
    pub author: PersonId,
    /// Counts its changes.
    pub revision: i32,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

type Row = (String, String, String, Option<String>, String, String, i32, NaiveDateTime);

macro_rules! comment_columns {
    () => {
        (
            bank_comments::id,
            bank_comments::organization_id,
            bank_comments::micro_credential_id,
            bank_comments::criterion_id,
            bank_comments::text,
            bank_comments::author_id,
            bank_comments::revision,
            bank_comments::updated_at,
        )
    };
}

fn from_row(row: Row) -> Result<BankComment, StoreError> {
    let (id, organization, micro_credential, criterion, text, author, revision, updated_at) = row;
    let corrupt = |column| StoreError::corrupt("bank_comments", &id, column);
    Ok(BankComment {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        micro_credential: micro_credential
            .parse()
            .map_err(|_bad| corrupt("micro_credential_id"))?,
        criterion,
        text,
        author: author.parse().map_err(|_bad| corrupt("author_id"))?,
        revision,
        updated_at: Timestamp::from_naive(updated_at),
    })
}

/// Adds a sentence.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &BankComment) -> Result<(), StoreError> {
    diesel::insert_into(bank_comments::table)
        .values((
            bank_comments::id.eq(new.id.to_string()),
            bank_comments::organization_id.eq(new.organization.to_string()),
            bank_comments::micro_credential_id.eq(new.micro_credential.to_string()),
            bank_comments::criterion_id.eq(&new.criterion),
            bank_comments::text.eq(&new.text),
            bank_comments::author_id.eq(new.author.to_string()),
            bank_comments::revision.eq(new.revision),
            bank_comments::created_at.eq(new.updated_at.naive()),
            bank_comments::updated_at.eq(new.updated_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// One sentence of a micro-credential.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    family: MicroCredentialId,
    id: BankCommentId,
) -> Result<Option<BankComment>, StoreError> {
    let row: Option<Row> = bank_comments::table
        .find(id.to_string())
        .filter(bank_comments::micro_credential_id.eq(family.to_string()))
        .select(comment_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// A page of the sentences of a micro-credential, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    family: MicroCredentialId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<BankComment>, StoreError> {
    let rows: Vec<Row> = bank_comments::table
        .filter(bank_comments::micro_credential_id.eq(family.to_string()))
        .filter(bank_comments::id.gt(after.unwrap_or_default().to_owned()))
        .order(bank_comments::id)
        .limit(limit)
        .select(comment_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Saves criterion and words of a sentence as read at its revision.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save(conn: &mut DbConn, changed: &BankComment, now: Timestamp) -> Result<(), StoreError> {
    let unchanged = bank_comments::table
        .find(changed.id.to_string())
        .filter(bank_comments::organization_id.eq(changed.organization.to_string()))
        .filter(bank_comments::revision.eq(changed.revision));
    let n_rows = diesel::update(unchanged)
        .set((
            bank_comments::criterion_id.eq(&changed.criterion),
            bank_comments::text.eq(&changed.text),
            bank_comments::revision.eq(changed.revision + 1),
            bank_comments::updated_at.eq(now.naive()),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Takes a sentence away.
///
/// # Errors
/// [`StoreError`].
pub fn delete(
    conn: &mut DbConn,
    organization: OrganizationId,
    id: BankCommentId,
) -> Result<(), StoreError> {
    diesel::delete(
        bank_comments::table
            .find(id.to_string())
            .filter(bank_comments::organization_id.eq(organization.to_string())),
    )
    .execute(conn)?;
    Ok(())
}
