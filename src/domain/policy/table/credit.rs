//! The rows of credit. A credit authority refers to awards, and never to evidence.

use super::{AUDITOR, CREDIT_AUTHORITY, row};
use crate::domain::policy::Grant::SignedIn;
use crate::domain::policy::{Row, Verb};

pub(super) const ROWS: &[Row] = &[
    row("create_credit_rule", Verb::Create, "credit_rule", &[CREDIT_AUTHORITY], &[], &["rule"]),
    row("list_credit_rules", Verb::Read, "credit_rule", &[SignedIn], &[], &["*"]),
    row("end_credit_rule", Verb::Change, "credit_rule", &[CREDIT_AUTHORITY], &[], &[]),
    row("read_credit_outlook", Verb::Read, "credit_rule", &[SignedIn], &[], &["*"]),
    row(
        "create_credit_grant",
        Verb::Create,
        "credit_grant",
        &[CREDIT_AUTHORITY],
        &[],
        &["award_id", "allocations"],
    ),
    row(
        "reverse_credit_grant",
        Verb::Revoke,
        "credit_grant",
        &[CREDIT_AUTHORITY],
        &[],
        &["reason"],
    ),
    row(
        "list_credit_grants",
        Verb::Read,
        "credit_grant",
        &[CREDIT_AUTHORITY, AUDITOR],
        &[],
        &["*"],
    ),
    row("list_own_credit", Verb::Read, "credit_grant", &[SignedIn], &[], &["*"]),
];
