//! Awards of other districts that were accepted by an endorsement.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{accepted_awards, endorsements};
use super::{DbConn, StoreError};
use crate::domain::ids::{AcceptedAwardId, EndorsementId, OrganizationId, PersonId};
use crate::domain::timestamp::Timestamp;

/// An award that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedAward {
    /// Its id here.
    pub id: AcceptedAwardId,
    /// Who accepted it.
    pub organization: OrganizationId,
    /// By which word.
    pub endorsement: EndorsementId,
    /// The id of the badge.
    pub credential: String,
    /// What was achieved.
    pub achievement: String,
    /// What it was scored by.
    pub scoring_hash: String,
    /// Whose it is.
    pub earner: PersonId,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

type Row = (String, String, String, String, String, String, String, NaiveDateTime);

macro_rules! accepted_columns {
    () => {
        (
            accepted_awards::id,
            accepted_awards::organization_id,
            accepted_awards::endorsement_id,
            accepted_awards::credential,
            accepted_awards::achievement,
            accepted_awards::scoring_hash,
            accepted_awards::earner_id,
            accepted_awards::accepted_at,
        )
    };
}

fn from_row(row: Row) -> Result<AcceptedAward, StoreError> {
    let (id, organization, endorsement, credential, achievement, scoring_hash, earner, at) = row;
    let corrupt = |column| StoreError::corrupt("accepted_awards", &id, column);
    Ok(AcceptedAward {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        endorsement: endorsement.parse().map_err(|_bad| corrupt("endorsement_id"))?,
        credential,
        achievement,
        scoring_hash,
        earner: earner.parse().map_err(|_bad| corrupt("earner_id"))?,
        accepted_at: Timestamp::from_naive(at),
    })
}

/// Adds one.
///
/// # Errors
/// [`StoreError::Duplicate`] when the organization has accepted this badge.
pub fn create(conn: &mut DbConn, new: &AcceptedAward) -> Result<(), StoreError> {
    diesel::insert_into(accepted_awards::table)
        .values((
            accepted_awards::id.eq(new.id.to_string()),
            accepted_awards::organization_id.eq(new.organization.to_string()),
            accepted_awards::endorsement_id.eq(new.endorsement.to_string()),
            accepted_awards::credential.eq(&new.credential),
            accepted_awards::achievement.eq(&new.achievement),
            accepted_awards::scoring_hash.eq(&new.scoring_hash),
            accepted_awards::earner_id.eq(new.earner.to_string()),
            accepted_awards::accepted_at.eq(new.accepted_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("accepted award"))?;
    Ok(())
}

/// A page of what an organization has accepted, the oldest first, with the end of the endorsement; of one earner, or of all.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    organization: OrganizationId,
    earner: Option<PersonId>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(AcceptedAward, Option<Timestamp>)>, StoreError> {
    let mut boxed = accepted_awards::table
        .inner_join(endorsements::table.on(endorsements::id.eq(accepted_awards::endorsement_id)))
        .filter(accepted_awards::organization_id.eq(organization.to_string()))
        .filter(accepted_awards::id.gt(after.unwrap_or_default().to_owned()))
        .select((accepted_columns!(), endorsements::ended_at))
        .into_boxed::<MultiBackend>();
    if let Some(earner) = earner {
        boxed = boxed.filter(accepted_awards::earner_id.eq(earner.to_string()));
    }
    let rows: Vec<(Row, Option<NaiveDateTime>)> =
        boxed.order(accepted_awards::id).limit(limit).load(conn)?;
    rows.into_iter()
        .map(|(row, ended_at)| Ok((from_row(row)?, ended_at.map(Timestamp::from_naive))))
        .collect()
}
