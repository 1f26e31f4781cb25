//! Who can be reached, and which organizations stand on their own feet.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{lost_mail, organizations, person_passwords, person_profiles};
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, PersonId};
use crate::domain::organization::OrganizationKind;
use crate::domain::timestamp::Timestamp;

/// Those of these people who can sign in and to whom mail goes through: they have an address and a password, and no mail was given up
/// since the last that was delivered and since they last signed in.
///
/// # Errors
/// [`StoreError`].
pub fn list_reachable(
    conn: &mut DbConn,
    people: &[PersonId],
) -> Result<BTreeSet<PersonId>, StoreError> {
    let among: Vec<String> = people.iter().map(ToString::to_string).collect();
    let with_account: Vec<String> = person_profiles::table
        .inner_join(
            person_passwords::table.on(person_passwords::person_id.eq(person_profiles::person_id)),
        )
        .filter(person_profiles::person_id.eq_any(&among))
        .select(person_profiles::person_id)
        .load(conn)?;
    let lost: Vec<String> = lost_mail::table
        .filter(lost_mail::person_id.eq_any(&among))
        .select(lost_mail::person_id)
        .load(conn)?;
    let reachable = with_account.into_iter().filter(|person| !lost.contains(person)).collect();
    parse_ids("person_profiles", "person_id", reachable)
}

/// Writes down that a mail to somebody was given up.
///
/// # Errors
/// [`StoreError`].
pub fn note_lost_mail(
    conn: &mut DbConn,
    person: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = lost_mail::table.find(person.to_string());
    if diesel::select(diesel::dsl::exists(known)).get_result(conn)? {
        return Ok(());
    }
    diesel::insert_into(lost_mail::table)
        .values((lost_mail::person_id.eq(person.to_string()), lost_mail::since.eq(now.naive())))
        .execute(conn)
        .map_err(StoreError::conflict)?;
    Ok(())
}

/// Forgets that mail to somebody was given up: one was delivered, or they have come by themselves.
///
/// # Errors
/// [`StoreError`].
pub fn clear_lost_mail(conn: &mut DbConn, person: PersonId) -> Result<(), StoreError> {
    diesel::delete(lost_mail::table.find(person.to_string())).execute(conn)?;
    Ok(())
}

/// The organizations that need offices of their own: those above all others, districts and providers.
///
/// # Errors
/// [`StoreError`].
pub fn list_houses(conn: &mut DbConn) -> Result<Vec<OrganizationId>, StoreError> {
    let houses: Vec<&str> = OrganizationKind::ALL
        .iter()
        .filter(|kind| kind.is_house())
        .map(|kind| kind.as_str())
        .collect();
    let ids = organizations::table
        .filter(organizations::parent_id.is_null().or(organizations::kind.eq_any(houses)))
        .order(organizations::id)
        .select(organizations::id)
        .load(conn)?;
    parse_ids("organizations", "id", ids)
}
