//! The rows of what a stranger reads and asks, and the pages.

use super::row;
use crate::domain::policy::Grant::Anyone;
use crate::domain::policy::{Row, Verb};

pub(super) const ROWS: &[Row] = &[
    // What a stranger reads and asks.
    row("verify_credential", Verb::Verify, "credential", &[Anyone], &[], &["*"]),
    row("read_credential", Verb::Read, "credential", &[Anyone], &[], &["*"]),
    row(
        "read_stack_achievement",
        Verb::Read,
        "achievement",
        &[Anyone],
        &["published", "retired"],
        &["*"],
    ),
    row(
        "read_achievement",
        Verb::Read,
        "achievement",
        &[Anyone],
        &["published", "retired"],
        &["*"],
    ),
    row("read_issuer", Verb::Read, "issuer", &[Anyone], &[], &["*"]),
    row("read_preview", Verb::Read, "credential", &[Anyone], &[], &["*"]),
    row("read_artwork", Verb::Read, "issuer", &[Anyone], &[], &["*"]),
    row("read_did_document", Verb::Read, "issuer", &[Anyone], &[], &["*"]),
    row("read_jwks", Verb::Read, "issuer", &[Anyone], &[], &["*"]),
    row("read_key", Verb::Read, "signing_key", &[Anyone], &["active", "retired"], &["*"]),
    row("read_revocation_list", Verb::Read, "status_list", &[Anyone], &[], &["*"]),
    row("read_status_list", Verb::Read, "status_list", &[Anyone], &[], &["*"]),
    // Pages.
    row("home_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("verify_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("accept_invitation_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("contribution_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("stacks_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("coaching_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("program_report_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    // Whoever signs in by it reads the figures as themselves: `read_funnel` decides.
    row("show_program_report", Verb::SignIn, "session", &[Anyone], &[], &["email", "password"]),
    row("submission_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("problem_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("asset", Verb::Read, "page", &[Anyone], &[], &["*"]),
];
