//! The rows of what was earned.

use super::{
    ADMINISTRATOR, COORDINATOR, DATA_STEWARD, ISSUING_OFFICER, OWN_EARNER, REVIEW_PANEL, row,
};
use crate::domain::policy::Grant::{Owner, SignedIn};
use crate::domain::policy::{Row, Verb};

pub(super) const ROWS: &[Row] = &[
    // Awards.
    row("list_awards", Verb::Read, "award", &[SignedIn], &[], &["*"]),
    row("read_award", Verb::Read, "award", &[Owner, ISSUING_OFFICER, REVIEW_PANEL], &[], &["*"]),
    row(
        "revoke_award",
        Verb::Revoke,
        "award",
        &[ISSUING_OFFICER],
        &["active", "suspended"],
        &["reason_code", "note"],
    ),
    row(
        "bulk_revoke_awards",
        Verb::Revoke,
        "award",
        &[ISSUING_OFFICER],
        &["active", "suspended"],
        &["filter", "reason_code", "note", "dry_run", "expected_count"],
    ),
    row(
        "suspend_award",
        Verb::Revoke,
        "award",
        &[ISSUING_OFFICER, REVIEW_PANEL],
        &["active"],
        &["note"],
    ),
    row(
        "reinstate_award",
        Verb::Revoke,
        "award",
        &[ISSUING_OFFICER, REVIEW_PANEL],
        &["suspended"],
        &["note"],
    ),
    row("renew_award", Verb::Submit, "award", &[OWN_EARNER], &["active", "expired"], &[]),
    row("read_sharing", Verb::Read, "award", &[Owner], &[], &["*"]),
    row("put_sharing", Verb::Change, "award", &[Owner], &[], &["named"]),
    // What people can do.
    row("read_skills_inventory", Verb::Read, "organization", &[SignedIn], &[], &["*"]),
    row("list_people_with_skill", Verb::Read, "award", &[SignedIn], &[], &["*"]),
    row("list_shown_badges", Verb::Read, "external_badge", &[SignedIn], &[], &["*"]),
    row("read_inventory_purpose", Verb::Read, "organization", &[SignedIn], &[], &["*"]),
    row(
        "put_inventory_purpose",
        Verb::Manage,
        "organization",
        &[ADMINISTRATOR],
        &[],
        &["statement"],
    ),
    row(
        "create_inventory_snapshot",
        Verb::Publish,
        "inventory_snapshot",
        &[COORDINATOR, DATA_STEWARD],
        &[],
        &[],
    ),
    row("list_inventory_snapshots", Verb::Read, "inventory_snapshot", &[SignedIn], &[], &["*"]),
    row("read_inventory_snapshot", Verb::Read, "inventory_snapshot", &[SignedIn], &[], &["*"]),
];
