//! Stacks and the micro-credentials that they name.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{stack_items, stacks};
use super::{DbConn, StoreError};
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, StackId};
use crate::domain::stack::StackState;
use crate::domain::timestamp::Timestamp;

/// One version of a stack as stored: the document is the text that its hash is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Its id.
    pub id: StackId,
    /// Who owns it.
    pub organization: OrganizationId,
    /// Its own id, the same in every version.
    pub slug: String,
    /// 1, 2, …
    pub number: i32,
    /// What its authors call the version.
    pub label: String,
    /// Its title.
    pub title: String,
    /// The document, as JSON text.
    pub document: String,
    /// SHA-256 over it.
    pub content_hash: String,
    /// Where it stands.
    pub state: StackState,
    /// Who wrote the present text.
    pub author: PersonId,
    /// Counts its changes.
    pub revision: i32,
    /// When it became public.
    pub published_at: Option<Timestamp>,
}

type Row = (
    (String, String, String, i32, String, String, String, String),
    (String, String, i32, Option<NaiveDateTime>),
);

macro_rules! stack_columns {
    () => {
        (
            (
                stacks::id,
                stacks::organization_id,
                stacks::slug,
                stacks::number,
                stacks::label,
                stacks::title,
                stacks::document,
                stacks::content_hash,
            ),
            (stacks::state, stacks::author_id, stacks::revision, stacks::published_at),
        )
    };
}

fn from_row(row: Row) -> Result<Stack, StoreError> {
    let ((id, organization, slug, number, label, title, document, content_hash), rest) = row;
    let (state, author, revision, published_at) = rest;
    let corrupt = |column| StoreError::corrupt("stacks", &id, column);
    Ok(Stack {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        slug,
        number,
        label,
        title,
        document,
        content_hash,
        state: StackState::parse(&state).ok_or_else(|| corrupt("state"))?,
        author: author.parse().map_err(|_bad| corrupt("author_id"))?,
        revision,
        published_at: published_at.map(Timestamp::from_naive),
    })
}

/// Adds a draft.
///
/// # Errors
/// [`StoreError::Duplicate`] while another draft of that slug is open.
pub fn create(conn: &mut DbConn, new: &Stack, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(stacks::table)
        .values((
            stacks::id.eq(new.id.to_string()),
            stacks::organization_id.eq(new.organization.to_string()),
            stacks::slug.eq(&new.slug),
            stacks::number.eq(new.number),
            stacks::label.eq(&new.label),
            stacks::title.eq(&new.title),
            stacks::document.eq(&new.document),
            stacks::content_hash.eq(&new.content_hash),
            stacks::state.eq(new.state.as_str()),
            stacks::author_id.eq(new.author.to_string()),
            stacks::revision.eq(new.revision),
            stacks::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("stack"))?;
    Ok(())
}

/// The number of the newest version of a slug; 0 when there is none.
///
/// # Errors
/// [`StoreError`].
pub fn find_newest_number(
    conn: &mut DbConn,
    organization: OrganizationId,
    slug: &str,
) -> Result<i32, StoreError> {
    let newest: Option<i32> = stacks::table
        .filter(stacks::organization_id.eq(organization.to_string()))
        .filter(stacks::slug.eq(slug))
        .select(diesel::dsl::max(stacks::number))
        .first(conn)?;
    Ok(newest.unwrap_or(0))
}

/// One stack. Whether the caller may know of it depends on its state, for the policy table to judge.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: StackId) -> Result<Option<Stack>, StoreError> {
    let row: Option<Row> =
        stacks::table.find(id.to_string()).select(stack_columns!()).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// Which stacks a list shows.
#[derive(Clone, Debug, Default)]
pub struct StackQuery {
    /// Of this organization.
    pub organization: Option<OrganizationId>,
    /// Drafts and retired ones of these organizations too; of others what is published.
    pub designed_by: Vec<OrganizationId>,
    /// After this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// A page of stacks, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(conn: &mut DbConn, query: &StackQuery) -> Result<Vec<Stack>, StoreError> {
    let designed: Vec<String> = query.designed_by.iter().map(ToString::to_string).collect();
    let mut boxed = stacks::table
        .filter(
            stacks::state
                .eq(StackState::Published.as_str())
                .or(stacks::organization_id.eq_any(designed)),
        )
        .filter(stacks::id.gt(query.after.clone().unwrap_or_default()))
        .select(stack_columns!())
        .into_boxed::<MultiBackend>();
    if let Some(organization) = query.organization {
        boxed = boxed.filter(stacks::organization_id.eq(organization.to_string()));
    }
    let rows: Vec<Row> = boxed.order(stacks::id).limit(query.limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// A page of the stacks of these organizations that can be earned, and of these among them that cannot any more; the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_among(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
    held: &[StackId],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Stack>, StoreError> {
    let organizations: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let held: Vec<String> = held.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = stacks::table
        .filter(stacks::organization_id.eq_any(organizations))
        .filter(stacks::state.eq(StackState::Published.as_str()).or(stacks::id.eq_any(held)))
        .filter(stacks::id.gt(after.unwrap_or_default().to_owned()))
        .order(stacks::id)
        .limit(limit)
        .select(stack_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Every stack that is or was published, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_public(conn: &mut DbConn) -> Result<Vec<StackId>, StoreError> {
    let public = [StackState::Published.as_str(), StackState::Retired.as_str()];
    let ids: Vec<String> = stacks::table
        .filter(stacks::state.eq_any(public))
        .order(stacks::id)
        .select(stacks::id)
        .load(conn)?;
    super::error::parse_ids("stacks", "id", ids)
}

/// Replaces the text of a stack that was read at this revision.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_edit(conn: &mut DbConn, edited: &Stack, revision: i32) -> Result<(), StoreError> {
    let unchanged = stacks::table
        .find(edited.id.to_string())
        .filter(stacks::organization_id.eq(edited.organization.to_string()))
        .filter(stacks::revision.eq(revision));
    let n_rows = diesel::update(unchanged)
        .set((
            stacks::label.eq(&edited.label),
            stacks::title.eq(&edited.title),
            stacks::document.eq(&edited.document),
            stacks::content_hash.eq(&edited.content_hash),
            stacks::author_id.eq(edited.author.to_string()),
            stacks::revision.eq(revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Moves a stack, as read at its revision, to a state.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_state(
    conn: &mut DbConn,
    stack: &Stack,
    to: StackState,
    published_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let unchanged = stacks::table
        .find(stack.id.to_string())
        .filter(stacks::organization_id.eq(stack.organization.to_string()))
        .filter(stacks::revision.eq(stack.revision));
    let n_rows = diesel::update(unchanged)
        .set((
            stacks::state.eq(to.as_str()),
            stacks::published_at.eq(published_at.map(Timestamp::naive)),
            stacks::revision.eq(stack.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Retires the published versions of a slug: a newer one takes their place.
///
/// # Errors
/// [`StoreError`].
pub fn retire_published(
    conn: &mut DbConn,
    organization: OrganizationId,
    slug: &str,
) -> Result<(), StoreError> {
    diesel::update(
        stacks::table
            .filter(stacks::organization_id.eq(organization.to_string()))
            .filter(stacks::slug.eq(slug))
            .filter(stacks::state.eq(StackState::Published.as_str())),
    )
    .set((
        stacks::state.eq(StackState::Retired.as_str()),
        stacks::revision.eq(stacks::revision + 1),
    ))
    .execute(conn)?;
    Ok(())
}

/// Records what a stack that is being published names.
///
/// # Errors
/// [`StoreError`].
pub fn create_items(
    conn: &mut DbConn,
    stack: StackId,
    items: &BTreeMap<String, MicroCredentialId>,
) -> Result<(), StoreError> {
    for (slug, family) in items {
        diesel::insert_into(stack_items::table)
            .values((
                stack_items::stack_id.eq(stack.to_string()),
                stack_items::slug.eq(slug),
                stack_items::micro_credential_id.eq(family.to_string()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The micro-credentials that a published stack names, by their own ids.
///
/// # Errors
/// [`StoreError`].
pub fn list_items(
    conn: &mut DbConn,
    stack: StackId,
) -> Result<BTreeMap<String, MicroCredentialId>, StoreError> {
    let rows: Vec<(String, String)> = stack_items::table
        .filter(stack_items::stack_id.eq(stack.to_string()))
        .select((stack_items::slug, stack_items::micro_credential_id))
        .load(conn)?;
    rows.into_iter()
        .map(|(slug, id)| match id.parse() {
            Ok(family) => Ok((slug, family)),
            Err(_bad) => Err(StoreError::corrupt("stack_items", &id, "micro_credential_id")),
        })
        .collect()
}
