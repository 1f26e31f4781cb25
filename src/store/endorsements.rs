//! Endorsements: the word of a district that it accepts another's awards.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::endorsements;
use super::{DbConn, StoreError};
use crate::domain::ids::{EndorsementId, MicroCredentialId, OrganizationId, PersonId, VersionId};
use crate::domain::timestamp::Timestamp;

/// An endorsement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// Its id.
    pub id: EndorsementId,
    /// Who endorses.
    pub organization: OrganizationId,
    /// The address of the version whose awards are accepted.
    pub achievement: String,
    /// What both are scored by.
    pub scoring_hash: String,
    /// The own version that it counts as.
    pub version: VersionId,
    /// Its micro-credential.
    pub micro_credential: MicroCredentialId,
    /// Its number.
    pub number: i32,
    /// The signed document, as JSON text.
    pub statement: String,
    /// Its signature.
    pub signature: String,
    /// Who decided.
    pub endorsed_by: PersonId,
    /// When.
    pub endorsed_at: Timestamp,
    /// Since when it is over, and why.
    pub ended: Option<(Timestamp, String)>,
}

type Row = (
    (String, String, String, String, String, String, i32),
    (String, String, String, NaiveDateTime, Option<NaiveDateTime>, Option<String>),
);

macro_rules! endorsement_columns {
    () => {
        (
            (
                endorsements::id,
                endorsements::organization_id,
                endorsements::achievement,
                endorsements::scoring_hash,
                endorsements::version_id,
                endorsements::micro_credential_id,
                endorsements::version_number,
            ),
            (
                endorsements::statement,
                endorsements::signature,
                endorsements::endorsed_by,
                endorsements::endorsed_at,
                endorsements::ended_at,
                endorsements::end_reason,
            ),
        )
    };
}

fn from_row(row: Row) -> Result<Endorsement, StoreError> {
    let ((id, organization, achievement, scoring_hash, version, family, number), rest) = row;
    let (statement, signature, endorsed_by, endorsed_at, ended_at, end_reason) = rest;
    let corrupt = |column| StoreError::corrupt("endorsements", &id, column);
    Ok(Endorsement {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        achievement,
        scoring_hash,
        version: version.parse().map_err(|_bad| corrupt("version_id"))?,
        micro_credential: family.parse().map_err(|_bad| corrupt("micro_credential_id"))?,
        number,
        statement,
        signature,
        endorsed_by: endorsed_by.parse().map_err(|_bad| corrupt("endorsed_by"))?,
        endorsed_at: Timestamp::from_naive(endorsed_at),
        ended: ended_at.map(Timestamp::from_naive).zip(end_reason),
    })
}

/// Adds an endorsement.
///
/// # Errors
/// [`StoreError::Duplicate`] while one of the same version is in force.
pub fn create(conn: &mut DbConn, new: &Endorsement) -> Result<(), StoreError> {
    diesel::insert_into(endorsements::table)
        .values((
            endorsements::id.eq(new.id.to_string()),
            endorsements::organization_id.eq(new.organization.to_string()),
            endorsements::achievement.eq(&new.achievement),
            endorsements::scoring_hash.eq(&new.scoring_hash),
            endorsements::version_id.eq(new.version.to_string()),
            endorsements::micro_credential_id.eq(new.micro_credential.to_string()),
            endorsements::version_number.eq(new.number),
            endorsements::statement.eq(&new.statement),
            endorsements::signature.eq(&new.signature),
            endorsements::endorsed_by.eq(new.endorsed_by.to_string()),
            endorsements::endorsed_at.eq(new.endorsed_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("endorsement in force"))?;
    Ok(())
}

/// One endorsement.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: EndorsementId) -> Result<Option<Endorsement>, StoreError> {
    let row: Option<Row> = endorsements::table
        .find(id.to_string())
        .select(endorsement_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// A page of the endorsements of an organization, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Endorsement>, StoreError> {
    let rows: Vec<Row> = endorsements::table
        .filter(endorsements::organization_id.eq(organization.to_string()))
        .filter(endorsements::id.gt(after.unwrap_or_default().to_owned()))
        .order(endorsements::id)
        .limit(limit)
        .select(endorsement_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// The endorsement of a version that is in force in one of some organizations.
///
/// # Errors
/// [`StoreError`].
pub fn find_in_force(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
    achievement: &str,
) -> Result<Option<Endorsement>, StoreError> {
    let among: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let row: Option<Row> = endorsements::table
        .filter(endorsements::organization_id.eq_any(among))
        .filter(endorsements::achievement.eq(achievement))
        .filter(endorsements::ended_at.is_null())
        .order(endorsements::id)
        .select(endorsement_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// Ends an endorsement. What was accepted under it stays.
///
/// # Errors
/// [`StoreError::Stale`] when it has ended meanwhile.
pub fn end(
    conn: &mut DbConn,
    organization: OrganizationId,
    id: EndorsementId,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let in_force = endorsements::table
        .find(id.to_string())
        .filter(endorsements::organization_id.eq(organization.to_string()))
        .filter(endorsements::ended_at.is_null());
    let n_rows = diesel::update(in_force)
        .set((endorsements::ended_at.eq(now.naive()), endorsements::end_reason.eq(reason)))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}
