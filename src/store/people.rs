//! People, and the side tables that turn an id into a person.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::schema::{people, person_passwords, person_profiles};
use super::{DbConn, StoreError};
use crate::domain::ids::PersonId;
use crate::domain::timestamp::Timestamp;

/// A person's name and address. Debug shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Their address, trimmed and in lower case.
    pub email: String,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("person", &self.person).finish_non_exhaustive()
    }
}

/// Adds a person.
///
/// # Errors
/// [`StoreError::Duplicate`] when the address has an account.
pub fn create(conn: &mut DbConn, profile: &Profile, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(people::table)
        .values((people::id.eq(profile.person.to_string()), people::created_at.eq(now.naive())))
        .execute(conn)?;
    diesel::insert_into(person_profiles::table)
        .values((
            person_profiles::person_id.eq(profile.person.to_string()),
            person_profiles::name.eq(&profile.name),
            person_profiles::email.eq(&profile.email),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("e-mail address"))?;
    Ok(())
}

fn profile((person, name, email): (String, String, String)) -> Result<Profile, StoreError> {
    let person = person
        .parse()
        .map_err(|_bad| StoreError::corrupt("person_profiles", &person, "person_id"))?;
    Ok(Profile { person, name, email })
}

/// The profile of a person; none once it was erased.
///
/// # Errors
/// [`StoreError`].
pub fn find_profile(conn: &mut DbConn, person: PersonId) -> Result<Option<Profile>, StoreError> {
    person_profiles::table.find(person.to_string()).first(conn).optional()?.map(profile).transpose()
}

/// The profile that an address belongs to.
///
/// # Errors
/// [`StoreError`].
pub fn find_profile_by_email(
    conn: &mut DbConn,
    email: &str,
) -> Result<Option<Profile>, StoreError> {
    person_profiles::table
        .filter(person_profiles::email.eq(email))
        .first(conn)
        .optional()?
        .map(profile)
        .transpose()
}

/// The people of those of these addresses that have an account.
///
/// # Errors
/// [`StoreError`].
pub fn list_by_email(
    conn: &mut DbConn,
    emails: &[String],
) -> Result<BTreeMap<String, PersonId>, StoreError> {
    let mut found = BTreeMap::new();
    // A statement takes so many values on either database.
    for some in emails.chunks(500) {
        let rows: Vec<(String, String, String)> = person_profiles::table
            .filter(person_profiles::email.eq_any(some.to_vec()))
            .load(conn)?;
        for row in rows {
            let known = profile(row)?;
            found.insert(known.email, known.person);
        }
    }
    Ok(found)
}

/// The argon2id hash of a person's password.
///
/// # Errors
/// [`StoreError`].
pub fn find_password_hash(
    conn: &mut DbConn,
    person: PersonId,
) -> Result<Option<String>, StoreError> {
    Ok(person_passwords::table
        .find(person.to_string())
        .select(person_passwords::password_hash)
        .first(conn)
        .optional()?)
}

/// Sets a person's password hash.
///
/// # Errors
/// [`StoreError`].
pub fn save_password_hash(
    conn: &mut DbConn,
    person: PersonId,
    hash: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let n_rows = diesel::update(person_passwords::table.find(person.to_string()))
        .set((
            person_passwords::password_hash.eq(hash),
            person_passwords::changed_at.eq(now.naive()),
        ))
        .execute(conn)?;
    if n_rows == 0 {
        diesel::insert_into(person_passwords::table)
            .values((
                person_passwords::person_id.eq(person.to_string()),
                person_passwords::password_hash.eq(hash),
                person_passwords::changed_at.eq(now.naive()),
            ))
            .execute(conn)?;
    }
    Ok(())
}
