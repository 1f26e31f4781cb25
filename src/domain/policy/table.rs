//! The policy table: one row an operation, by area.

mod assessors;
mod authoring;
mod awards;
mod credit;
mod exchange;
mod organizations;
mod programs;
mod public;
mod submissions;

use super::{Grant, Row, Verb};
use crate::domain::organization::Role;

const fn row(
    operation: &'static str,
    verb: Verb,
    object: &'static str,
    who: &'static [Grant],
    states: &'static [&'static str],
    fields: &'static [&'static str],
) -> Row {
    Row { operation, verb, object, who, states, fields }
}

const ADMINISTRATOR: Grant = Grant::Role(Role::Administrator);
const COORDINATOR: Grant = Grant::Role(Role::Coordinator);
const DESIGNER: Grant = Grant::Role(Role::Designer);
const EARNER: Grant = Grant::Role(Role::Earner);
const OWN_EARNER: Grant = Grant::OwnerAs(Role::Earner);
const PRE_SCREENER: Grant = Grant::Role(Role::PreScreener);
const ASSESSOR: Grant = Grant::Role(Role::Assessor);
const LEAD_ASSESSOR: Grant = Grant::Role(Role::LeadAssessor);
const ISSUING_OFFICER: Grant = Grant::Role(Role::IssuingOfficer);
const REVIEW_PANEL: Grant = Grant::Role(Role::ReviewPanel);
const KEY_CUSTODIAN: Grant = Grant::Role(Role::KeyCustodian);
const AUDITOR: Grant = Grant::Role(Role::Auditor);
const DATA_STEWARD: Grant = Grant::Role(Role::DataSteward);
const CREDIT_AUTHORITY: Grant = Grant::Role(Role::CreditAuthority);

const AREAS: [&[Row]; 9] = [
    organizations::ROWS,
    authoring::ROWS,
    programs::ROWS,
    submissions::ROWS,
    assessors::ROWS,
    awards::ROWS,
    credit::ROWS,
    exchange::ROWS,
    public::ROWS,
];

/// Every row of the policy table.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    AREAS.into_iter().flatten()
}
