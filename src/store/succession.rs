//! Who can be reached, and which organizations stand on their own feet.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{organizations, outbox, person_passwords, person_profiles};
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, PersonId};
use crate::domain::organization::OrganizationKind;

/// Those of these people who can sign in and to whom mail goes through: they have an address and a password, and the last mail that was
/// tried was not given up.
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
    let tried: Vec<(String, String)> = outbox::table
        .filter(outbox::person_id.eq_any(&among))
        .filter(outbox::state.eq_any(["sent", "failed"]))
        .order((outbox::created_at, outbox::id))
        .select((outbox::person_id, outbox::state))
        .load(conn)?;
    let last: BTreeMap<String, String> = tried.into_iter().collect();
    let gets_mail = |person: &String| last.get(person).is_none_or(|state| state == "sent");
    let reachable = with_account.into_iter().filter(gets_mail).collect();
    parse_ids("person_profiles", "person_id", reachable)
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
