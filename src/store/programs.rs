//! Programmes, who wrote their charters, and what happened to them.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::approvals::{self, ApprovalSubject};
use super::connection::MultiBackend;
use super::schema::{program_authors, program_changes, programs};
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, PersonId, ProgramId};
use crate::domain::program::ProgramState;
use crate::domain::timestamp::Timestamp;

/// A programme as stored: the charter is the text that its hash is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its id.
    pub id: ProgramId,
    /// Who runs it.
    pub organization: OrganizationId,
    /// The charter's own id.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub state: ProgramState,
    /// The charter, as JSON text.
    pub charter: String,
    /// SHA-256 over the charter.
    pub content_hash: String,
    /// Counts its changes.
    pub revision: i32,
    /// Since when it is open.
    pub opened_at: Option<Timestamp>,
    /// Since when it is closed.
    pub closed_at: Option<Timestamp>,
}

/// Something that happened to a programme, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramChange {
    /// Its id, in the order of time.
    pub id: String,
    /// What happened: `create`, or the word of the event.
    pub event: String,
    /// Why.
    pub reason: String,
    /// The charter's hash afterwards.
    pub content_hash: String,
    /// Who did it.
    pub person: PersonId,
    /// When.
    pub happened_at: Timestamp,
}

type Row = (
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    i32,
    Option<NaiveDateTime>,
    Option<NaiveDateTime>,
);

macro_rules! program_columns {
    () => {
        (
            programs::id,
            programs::organization_id,
            programs::slug,
            programs::title,
            programs::state,
            programs::charter,
            programs::content_hash,
            programs::revision,
            programs::opened_at,
            programs::closed_at,
        )
    };
}

fn from_row(row: Row) -> Result<Program, StoreError> {
    let (
        id,
        organization,
        slug,
        title,
        state,
        charter,
        content_hash,
        revision,
        opened_at,
        closed_at,
    ) = row;
    let corrupt = |column| StoreError::corrupt("programs", &id, column);
    Ok(Program {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        state: ProgramState::parse(&state).ok_or_else(|| corrupt("state"))?,
        slug,
        title,
        charter,
        content_hash,
        revision,
        opened_at: opened_at.map(Timestamp::from_naive),
        closed_at: closed_at.map(Timestamp::from_naive),
    })
}

/// Adds a programme.
///
/// # Errors
/// [`StoreError::Duplicate`] when the organization has one of that slug.
pub fn create(
    conn: &mut DbConn,
    new: &Program,
    author: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(programs::table)
        .values((
            programs::id.eq(new.id.to_string()),
            programs::organization_id.eq(new.organization.to_string()),
            programs::slug.eq(&new.slug),
            programs::title.eq(&new.title),
            programs::state.eq(new.state.as_str()),
            programs::charter.eq(&new.charter),
            programs::content_hash.eq(&new.content_hash),
            programs::revision.eq(new.revision),
            programs::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("programme"))?;
    add_author(conn, new.id, author)
}

fn add_author(conn: &mut DbConn, program: ProgramId, author: PersonId) -> Result<(), StoreError> {
    let known = program_authors::table.find((program.to_string(), author.to_string()));
    if !diesel::select(diesel::dsl::exists(known)).get_result::<bool>(conn)? {
        diesel::insert_into(program_authors::table)
            .values((
                program_authors::program_id.eq(program.to_string()),
                program_authors::person_id.eq(author.to_string()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Everybody who has written on a charter.
///
/// # Errors
/// [`StoreError`].
pub fn list_authors(
    conn: &mut DbConn,
    program: ProgramId,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let ids: Vec<String> = program_authors::table
        .filter(program_authors::program_id.eq(program.to_string()))
        .select(program_authors::person_id)
        .load(conn)?;
    ids.into_iter()
        .map(|id| {
            id.parse().map_err(|_bad| {
                StoreError::corrupt("program_authors", &program.to_string(), "person_id")
            })
        })
        .collect()
}

/// One programme. Whether the caller may know of it depends on its state, which `service` asks for next.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: ProgramId) -> Result<Option<Program>, StoreError> {
    let row: Option<Row> =
        programs::table.find(id.to_string()).select(program_columns!()).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// A page of programmes by id: public ones of everybody, and all of `readable`.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organization: Option<OrganizationId>,
    readable: &[OrganizationId],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Program>, StoreError> {
    let readable: Vec<String> = readable.iter().map(ToString::to_string).collect();
    let public = [ProgramState::Open.as_str(), ProgramState::Closed.as_str()];
    let mut query = programs::table
        .filter(programs::state.eq_any(public).or(programs::organization_id.eq_any(readable)))
        .select(program_columns!())
        .into_boxed::<MultiBackend>();
    if let Some(organization) = organization {
        query = query.filter(programs::organization_id.eq(organization.to_string()));
    }
    if let Some(after) = after {
        query = query.filter(programs::id.gt(after.to_owned()));
    }
    let rows: Vec<Row> = query.order(programs::id).limit(limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Every programme that is open.
///
/// # Errors
/// [`StoreError`].
pub fn list_open(conn: &mut DbConn) -> Result<Vec<Program>, StoreError> {
    let rows: Vec<Row> = programs::table
        .filter(programs::state.eq(ProgramState::Open.as_str()))
        .order(programs::id)
        .select(program_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Replaces the charter and returns the programme to its draft; the votes on it are void.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_edit(
    conn: &mut DbConn,
    edited: &Program,
    revision: i32,
    author: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unchanged = programs::table
        .find(edited.id.to_string())
        .filter(programs::organization_id.eq(edited.organization.to_string()))
        .filter(programs::revision.eq(revision));
    let n_rows = diesel::update(unchanged)
        .set((
            programs::state.eq(edited.state.as_str()),
            programs::title.eq(&edited.title),
            programs::charter.eq(&edited.charter),
            programs::content_hash.eq(&edited.content_hash),
            programs::revision.eq(revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 {
        return Err(StoreError::Stale);
    }
    add_author(conn, edited.id, author)?;
    approvals::void_all(conn, ApprovalSubject::Program(edited.id), now)
}

/// Moves a programme to the state that it has in `next`, with the times that go with it.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_state(conn: &mut DbConn, next: &Program, revision: i32) -> Result<(), StoreError> {
    let unchanged = programs::table
        .find(next.id.to_string())
        .filter(programs::organization_id.eq(next.organization.to_string()))
        .filter(programs::revision.eq(revision));
    let n_rows = diesel::update(unchanged)
        .set((
            programs::state.eq(next.state.as_str()),
            programs::opened_at.eq(next.opened_at.map(|moment| moment.naive())),
            programs::closed_at.eq(next.closed_at.map(|moment| moment.naive())),
            programs::revision.eq(revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Adds a line to a programme's change log.
///
/// # Errors
/// [`StoreError`].
pub fn create_change(
    conn: &mut DbConn,
    program: ProgramId,
    new: &ProgramChange,
) -> Result<(), StoreError> {
    diesel::insert_into(program_changes::table)
        .values((
            program_changes::id.eq(&new.id),
            program_changes::program_id.eq(program.to_string()),
            program_changes::event.eq(&new.event),
            program_changes::reason.eq(&new.reason),
            program_changes::content_hash.eq(&new.content_hash),
            program_changes::person_id.eq(new.person.to_string()),
            program_changes::happened_at.eq(new.happened_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// What happened to a programme besides votes, in the order of time.
///
/// # Errors
/// [`StoreError`].
pub fn list_changes(
    conn: &mut DbConn,
    program: ProgramId,
) -> Result<Vec<ProgramChange>, StoreError> {
    type Row = (String, String, String, String, String, NaiveDateTime);
    let rows: Vec<Row> = program_changes::table
        .filter(program_changes::program_id.eq(program.to_string()))
        .order(program_changes::id)
        .select((
            program_changes::id,
            program_changes::event,
            program_changes::reason,
            program_changes::content_hash,
            program_changes::person_id,
            program_changes::happened_at,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, event, reason, content_hash, person, happened_at)| {
            let person = person
                .parse()
                .map_err(|_bad| StoreError::corrupt("program_changes", &id, "person_id"))?;
            let happened_at = Timestamp::from_naive(happened_at);
            Ok(ProgramChange { id, event, reason, content_hash, person, happened_at })
        })
        .collect()
}
