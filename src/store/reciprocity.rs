//! Which readings were made in a network, by whom and for whom: counts for its balance.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::schema::{reviews, submissions};
use super::{DbConn, StoreError};
use crate::domain::ids::{OrganizationId, PersonId};
use crate::domain::review::ReviewState;

diesel::allow_columns_to_appear_in_same_group_by_clause!(
    submissions::organization_id,
    submissions::earner_id,
    reviews::assessor_id,
);

/// How many readings one person has made of the work of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// Who owns what was read.
    pub organization: OrganizationId,
    /// Whose work.
    pub earner: PersonId,
    /// Who read.
    pub assessor: PersonId,
    /// How many locked sheets.
    pub count: i64,
}

/// The locked readings of submissions at these organizations, by who read whom. Known papers are nobody's work.
///
/// # Errors
/// [`StoreError`].
pub fn count_readings(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
) -> Result<Vec<Readings>, StoreError> {
    let among: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, String, Option<String>, i64)> = reviews::table
        .inner_join(submissions::table.on(submissions::id.eq(reviews::submission_id)))
        .filter(submissions::organization_id.eq_any(among))
        .filter(reviews::state.eq(ReviewState::Locked.as_str()))
        .filter(reviews::assessor_id.is_not_null())
        .filter(diesel::dsl::not(is_seed!()))
        .group_by((submissions::organization_id, submissions::earner_id, reviews::assessor_id))
        .select((
            submissions::organization_id,
            submissions::earner_id,
            reviews::assessor_id,
            count_star(),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(organization, earner, assessor, count)| {
            let corrupt = |column| StoreError::corrupt("reviews", &organization, column);
            Ok(Readings {
                organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
                earner: earner.parse().map_err(|_bad| corrupt("earner_id"))?,
                assessor: assessor
                    .and_then(|assessor| assessor.parse().ok())
                    .ok_or_else(|| corrupt("assessor_id"))?,
                count,
            })
        })
        .collect()
}
