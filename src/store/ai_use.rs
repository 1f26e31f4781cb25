//! What organizations say about the use of AI.

use diesel::prelude::*;

use super::schema::{ai_use_policies, organization_ancestors};
use super::{DbConn, StoreError};
use crate::domain::ai_use::{AiUsePolicy, AiUseRule};
use crate::domain::ids::OrganizationId;
use crate::domain::timestamp::Timestamp;

fn rule(id: OrganizationId, allowed: &str, statement: String) -> Result<AiUseRule, StoreError> {
    let allowed = AiUsePolicy::parse(allowed)
        .ok_or_else(|| StoreError::corrupt("ai_use_policies", &id.to_string(), "allowed"))?;
    Ok(AiUseRule { allowed, statement })
}

/// The rule that an organization has set itself, with its revision.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<(AiUseRule, i32)>, StoreError> {
    let row: Option<(String, String, i32)> = ai_use_policies::table
        .find(organization.to_string())
        .select((ai_use_policies::allowed, ai_use_policies::statement, ai_use_policies::revision))
        .first(conn)
        .optional()?;
    row.map(|(allowed, statement, revision)| {
        Ok((rule(organization, &allowed, statement)?, revision))
    })
    .transpose()
}

/// The rule that holds for an organization: its own, or that of the nearest one above with one.
///
/// # Errors
/// [`StoreError`].
pub fn find_in_force(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<AiUseRule>, StoreError> {
    let row: Option<(String, String)> = ai_use_policies::table
        .inner_join(
            organization_ancestors::table
                .on(organization_ancestors::ancestor_id.eq(ai_use_policies::organization_id)),
        )
        .filter(organization_ancestors::organization_id.eq(organization.to_string()))
        .order(organization_ancestors::distance)
        .select((ai_use_policies::allowed, ai_use_policies::statement))
        .first(conn)
        .optional()?;
    row.map(|(allowed, statement)| rule(organization, &allowed, statement)).transpose()
}

/// Stores a rule over the one that was read at `revision`, 0 for none.
///
/// # Errors
/// [`StoreError::Stale`] when it has changed since.
pub fn save(
    conn: &mut DbConn,
    organization: OrganizationId,
    rule: &AiUseRule,
    revision: i32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = (
        ai_use_policies::allowed.eq(rule.allowed.as_str()),
        ai_use_policies::statement.eq(&rule.statement),
        ai_use_policies::revision.eq(revision + 1),
        ai_use_policies::updated_at.eq(now.naive()),
    );
    let unchanged = ai_use_policies::table
        .find(organization.to_string())
        .filter(ai_use_policies::revision.eq(revision));
    if diesel::update(unchanged).set(values).execute(conn)? == 1 {
        return Ok(());
    }
    if revision != 0 {
        return Err(StoreError::Stale);
    }
    diesel::insert_into(ai_use_policies::table)
        .values((ai_use_policies::organization_id.eq(organization.to_string()), values))
        .execute(conn)
        .map_err(StoreError::outrun)?;
    Ok(())
}
