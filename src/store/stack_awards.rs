//! Awards of stacks, and the awards that they rest on.

use diesel::prelude::*;

use super::awards::{Award, Row, award_columns, from_row};
use super::error::parse_ids;
use super::schema::{awards, stack_award_parts};
use super::{DbConn, StoreError};
use crate::domain::award::AwardState;
use crate::domain::ids::{AwardId, MicroCredentialId, PersonId, StackId};

/// The states of an award that has not ended.
const STANDING: [AwardState; 3] =
    [AwardState::PendingKey, AwardState::Active, AwardState::Suspended];

/// Records an award that the badge of a stack names.
///
/// # Errors
/// [`StoreError`].
pub fn create_part(conn: &mut DbConn, award: AwardId, part: AwardId) -> Result<(), StoreError> {
    diesel::insert_into(stack_award_parts::table)
        .values((
            stack_award_parts::award_id.eq(award.to_string()),
            stack_award_parts::part_id.eq(part.to_string()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The awards that the badge of a stack names, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_parts(conn: &mut DbConn, award: AwardId) -> Result<Vec<Award>, StoreError> {
    let ids: Vec<String> = stack_award_parts::table
        .filter(stack_award_parts::award_id.eq(award.to_string()))
        .select(stack_award_parts::part_id)
        .load(conn)?;
    let rows: Vec<Row> = awards::table
        .filter(awards::id.eq_any(ids))
        .order(awards::id)
        .select(award_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// The awards of a person at these micro-credentials, whatever has become of them, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_at(
    conn: &mut DbConn,
    earner: PersonId,
    families: &[MicroCredentialId],
) -> Result<Vec<Award>, StoreError> {
    let families: Vec<Option<String>> =
        families.iter().map(|family| Some(family.to_string())).collect();
    let rows: Vec<Row> = awards::table
        .filter(awards::earner_id.eq(earner.to_string()))
        .filter(awards::micro_credential_id.eq_any(families))
        .order(awards::id)
        .select(award_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// The stacks of which a person has an award that has not ended.
///
/// # Errors
/// [`StoreError`].
pub fn list_stacks_of(conn: &mut DbConn, earner: PersonId) -> Result<Vec<StackId>, StoreError> {
    let ids: Vec<Option<String>> = awards::table
        .filter(awards::earner_id.eq(earner.to_string()))
        .filter(awards::stack_id.is_not_null())
        .filter(awards::state.eq_any(STANDING.map(AwardState::as_str)))
        .select(awards::stack_id)
        .load(conn)?;
    parse_ids("awards", "stack_id", ids.into_iter().flatten().collect())
}

/// The award of a stack that a person has and that has not ended.
///
/// # Errors
/// [`StoreError`].
pub fn find_of(
    conn: &mut DbConn,
    stack: StackId,
    earner: PersonId,
) -> Result<Option<Award>, StoreError> {
    let row: Option<Row> = awards::table
        .filter(awards::stack_id.eq(Some(stack.to_string())))
        .filter(awards::earner_id.eq(earner.to_string()))
        .filter(awards::state.eq_any(STANDING.map(AwardState::as_str)))
        .select(award_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// The awards of stacks of a person that are in force or suspended, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_standing(conn: &mut DbConn, earner: PersonId) -> Result<Vec<AwardId>, StoreError> {
    let standing = [AwardState::Active, AwardState::Suspended];
    let ids: Vec<String> = awards::table
        .filter(awards::earner_id.eq(earner.to_string()))
        .filter(awards::stack_id.is_not_null())
        .filter(awards::state.eq_any(standing.map(AwardState::as_str)))
        .order(awards::id)
        .select(awards::id)
        .load(conn)?;
    parse_ids("awards", "id", ids)
}
