//! The rows of programmes and their people.

use super::{AUDITOR, COORDINATOR, DATA_STEWARD, DESIGNER, row};
use crate::domain::policy::Grant::{Anyone, Holder, SignedIn};
use crate::domain::policy::{Row, Verb};

pub(super) const ROWS: &[Row] = &[
    // Programmes.
    row("validate_charter", Verb::Read, "program", &[DESIGNER, COORDINATOR], &[], &["charter"]),
    row(
        "create_program",
        Verb::Create,
        "program",
        &[DESIGNER, COORDINATOR],
        &[],
        &["organization_id", "charter"],
    ),
    row("list_programs", Verb::Read, "program", &[Anyone], &[], &["*"]),
    row("read_program", Verb::Read, "program", &[Anyone], &["open", "closed"], &["*"]),
    row(
        "read_draft_program",
        Verb::Read,
        "program",
        &[DESIGNER, COORDINATOR],
        &["draft", "rehearsal"],
        &["*"],
    ),
    row("list_program_changes", Verb::Read, "program", &[Anyone], &["open", "closed"], &["*"]),
    row(
        "put_program",
        Verb::Change,
        "program",
        &[DESIGNER, COORDINATOR],
        &["draft", "rehearsal"],
        &["charter", "reason"],
    ),
    row(
        "create_program_approval",
        Verb::Approve,
        "program",
        &[DESIGNER],
        &["draft", "rehearsal"],
        &["approve", "comment"],
    ),
    row("rehearse_program", Verb::Manage, "program", &[COORDINATOR], &["draft"], &["reason"]),
    row("open_program", Verb::Publish, "program", &[COORDINATOR], &["rehearsal"], &["reason"]),
    row("close_program", Verb::Manage, "program", &[COORDINATOR], &["open"], &["reason"]),
    // People of a programme.
    row(
        "create_cohort_invitations",
        Verb::Manage,
        "invitee",
        &[COORDINATOR],
        &["open"],
        &["csv", "dry_run", "again"],
    ),
    row("list_invitees", Verb::Read, "invitee", &[COORDINATOR], &[], &["*"]),
    row("read_invitee", Verb::Read, "invitee", &[COORDINATOR], &[], &["*"]),
    row("read_invitation_codes", Verb::Read, "invitee", &[COORDINATOR], &["invited"], &["*"]),
    row("put_extension", Verb::Manage, "invitee", &[COORDINATOR], &[], &["ends_on", "reason"]),
    row("preview_message", Verb::Read, "program", &[DESIGNER, COORDINATOR], &[], &["*"]),
    row("read_program_readiness", Verb::Read, "program", &[DESIGNER, COORDINATOR], &[], &["*"]),
    row(
        "read_funnel",
        Verb::Read,
        "program",
        &[COORDINATOR, DESIGNER, DATA_STEWARD, AUDITOR],
        &[],
        &["*"],
    ),
    row("read_enrolment", Verb::Read, "invitee", &[SignedIn], &[], &["*"]),
    row("create_enrolment", Verb::Change, "invitee", &[SignedIn], &["invited", "declined"], &[]),
    row(
        "decline_invitation",
        Verb::Change,
        "invitee",
        &[Holder],
        &["invited"],
        &["token", "reason", "note"],
    ),
    row("redeem_invitation", Verb::Change, "invitee", &[Holder], &["invited"], &["code", "email"]),
];
