//! Who of a programme is still employed after a year, by the file of the district that came last: a yes or a no beside each invitee.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::{invitee_stays, invitees, program_stays};
use super::{DbConn, StoreError};
use crate::domain::ids::{InviteeId, ProgramId};
use crate::domain::timestamp::Timestamp;

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stays {
    /// Of which day.
    pub as_of: NaiveDate,
    /// Who is still employed, and who is not.
    pub employed: BTreeMap<InviteeId, bool>,
}

/// Keeps what a file says in the place of the one before.
///
/// # Errors
/// [`StoreError`].
pub fn replace(
    conn: &mut DbConn,
    program: ProgramId,
    as_of: NaiveDate,
    employed: &BTreeMap<InviteeId, bool>,
    now: Timestamp,
) -> Result<(), StoreError> {
    delete(conn, &[program.to_string()])?;
    diesel::insert_into(program_stays::table)
        .values((
            program_stays::program_id.eq(program.to_string()),
            program_stays::as_of.eq(as_of.to_string()),
            program_stays::created_at.eq(now.naive()),
        ))
        .execute(conn)?;
    for (invitee, is_employed) in employed {
        diesel::insert_into(invitee_stays::table)
            .values((
                invitee_stays::invitee_id.eq(invitee.to_string()),
                invitee_stays::is_employed.eq(*is_employed),
            ))
            .execute(conn)?;
    }
    Ok(())
}

fn delete(conn: &mut DbConn, programs: &[String]) -> Result<(), StoreError> {
    let theirs = invitees::table.filter(invitees::program_id.eq_any(programs)).select(invitees::id);
    let rows = invitee_stays::table.filter(invitee_stays::invitee_id.eq_any(theirs));
    diesel::delete(rows).execute(conn)?;
    diesel::delete(program_stays::table.filter(program_stays::program_id.eq_any(programs)))
        .execute(conn)?;
    Ok(())
}

/// What the last file of a programme says; none where there is no file.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, program: ProgramId) -> Result<Option<Stays>, StoreError> {
    let id = program.to_string();
    let found: Option<String> =
        program_stays::table.find(&id).select(program_stays::as_of).first(conn).optional()?;
    let Some(as_of) = found else { return Ok(None) };
    let corrupt = |column| StoreError::corrupt("program_stays", &id, column);
    let rows: Vec<(String, bool)> = invitee_stays::table
        .inner_join(invitees::table.on(invitees::id.eq(invitee_stays::invitee_id)))
        .filter(invitees::program_id.eq(&id))
        .select((invitee_stays::invitee_id, invitee_stays::is_employed))
        .load(conn)?;
    let mut employed = BTreeMap::new();
    for (invitee, is_employed) in rows {
        employed.insert(invitee.parse().map_err(|_bad| corrupt("invitee_id"))?, is_employed);
    }
    let as_of = NaiveDate::parse_from_str(&as_of, "%Y-%m-%d").map_err(|_bad| corrupt("as_of"))?;
    Ok(Some(Stays { as_of, employed }))
}

/// Forgets what files said that came before a moment.
///
/// # Errors
/// [`StoreError`].
pub fn purge(conn: &mut DbConn, before: Timestamp) -> Result<(), StoreError> {
    let old: Vec<String> = program_stays::table
        .filter(program_stays::created_at.lt(before.naive()))
        .select(program_stays::program_id)
        .load(conn)?;
    delete(conn, &old)
}
