//! The rows of what travels between districts, and of proposals from everyone.

use super::{AUDITOR, COORDINATOR, DESIGNER, EARNER, ISSUING_OFFICER, LEAD_ASSESSOR, row};
use crate::domain::policy::Grant::{Anyone, SignedIn};
use crate::domain::policy::{Row, Verb};

/// The states of a proposal that is shown.
const SHOWN: &[&str] = &["open", "answered", "removed"];

pub(super) const ROWS: &[Row] = &[
    // Templates.
    row(
        "export_template",
        Verb::Create,
        "template_package",
        &[DESIGNER],
        &[],
        &["title", "licence", "definitions", "program_id"],
    ),
    row("import_template", Verb::Create, "template", &[DESIGNER], &[], &["*"]),
    row("list_templates", Verb::Read, "template", &[DESIGNER, LEAD_ASSESSOR], &[], &["*"]),
    row("read_template", Verb::Read, "template", &[DESIGNER, LEAD_ASSESSOR], &[], &["*"]),
    row("read_origin", Verb::Read, "definition", &[Anyone], &["published", "retired"], &["*"]),
    row("read_differences", Verb::Read, "definition", &[Anyone], &["published", "retired"], &["*"]),
    row("read_reciprocity", Verb::Read, "organization", &[COORDINATOR, AUDITOR], &[], &["*"]),
    // Endorsements, and what is accepted by them.
    row(
        "create_endorsement",
        Verb::Approve,
        "endorsement",
        &[ISSUING_OFFICER],
        &[],
        &["achievement", "micro_credential_id", "version"],
    ),
    row("list_endorsements", Verb::Read, "endorsement", &[Anyone], &[], &["*"]),
    row("read_endorsement", Verb::Read, "endorsement", &[Anyone], &[], &["*"]),
    row("end_endorsement", Verb::Revoke, "endorsement", &[ISSUING_OFFICER], &[], &["reason"]),
    row("accept_award", Verb::Create, "accepted_award", &[EARNER], &[], &["credential"]),
    row("list_accepted_awards", Verb::Read, "accepted_award", &[SignedIn], &[], &["*"]),
    // Proposals.
    row(
        "create_proposal",
        Verb::Create,
        "proposal",
        &[Anyone],
        &["published"],
        &["text", "pointer", "proposed", "credit_name", "email"],
    ),
    row(
        "create_charter_proposal",
        Verb::Create,
        "proposal",
        &[Anyone],
        &["open", "closed"],
        &["text", "credit_name", "email"],
    ),
    row("list_proposals", Verb::Read, "proposal", &[Anyone], SHOWN, &["*"]),
    row("list_charter_proposals", Verb::Read, "proposal", &[Anyone], SHOWN, &["*"]),
    row("read_proposal", Verb::Read, "proposal", &[Anyone], SHOWN, &["*"]),
    row(
        "read_hidden_proposal",
        Verb::Read,
        "proposal",
        &[DESIGNER],
        &["waiting", "refused"],
        &["*"],
    ),
    row("moderate_proposal", Verb::Approve, "proposal", &[DESIGNER], &["waiting"], &["show"]),
    row(
        "answer_proposal",
        Verb::Change,
        "proposal",
        &[DESIGNER],
        &["open"],
        &["outcome", "answer"],
    ),
    row("draft_proposal", Verb::Create, "definition", &[DESIGNER], &["open", "answered"], &[]),
    row(
        "remove_proposal",
        Verb::Change,
        "proposal",
        &[DESIGNER],
        &["open", "answered"],
        &["reason"],
    ),
    row("proposals_page", Verb::Read, "proposal", &[Anyone], SHOWN, &["*"]),
    row("charter_proposals_page", Verb::Read, "proposal", &[Anyone], SHOWN, &["*"]),
    // What people and design teams bring along.
    row(
        "import_rubric_table",
        Verb::Change,
        "definition",
        &[DESIGNER],
        &["draft", "proposed", "approved"],
        &["*"],
    ),
    row("add_external_badge", Verb::Create, "external_badge", &[SignedIn], &[], &["credential"]),
    row("list_external_badges", Verb::Read, "external_badge", &[SignedIn], &[], &["*"]),
    row("read_external_badge", Verb::Read, "external_badge", &[SignedIn], &[], &["*"]),
    row("delete_external_badge", Verb::Change, "external_badge", &[SignedIn], &[], &[]),
    row("read_external_badge_sharing", Verb::Read, "external_badge", &[SignedIn], &[], &["*"]),
    row("put_external_badge_sharing", Verb::Change, "external_badge", &[SignedIn], &[], &["shown"]),
];
