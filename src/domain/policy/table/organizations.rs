//! The rows of the operator, sign-in, organizations, their people and the trail.

use super::{
    ADMINISTRATOR, AUDITOR, COORDINATOR, DATA_STEWARD, ISSUING_OFFICER, KEY_CUSTODIAN, row,
};
use crate::domain::policy::Grant::{Anyone, Holder, SignedIn};
use crate::domain::policy::{Row, Verb};

pub(super) const ROWS: &[Row] = &[
    // The operator's view.
    row("health_live", Verb::Read, "process", &[Anyone], &[], &["*"]),
    row("health_ready", Verb::Read, "process", &[Anyone], &[], &["*"]),
    row("read_metrics", Verb::Read, "process", &[Anyone], &[], &["*"]),
    row("read_openapi", Verb::Read, "api_description", &[Anyone], &[], &["*"]),
    // Signing in.
    row("create_session", Verb::SignIn, "session", &[Anyone], &[], &["email", "password"]),
    row("refresh_session", Verb::SignIn, "session", &[Holder], &[], &["refresh_token"]),
    row("end_session", Verb::SignIn, "session", &[SignedIn], &[], &[]),
    row("read_me", Verb::Read, "person", &[SignedIn], &[], &["*"]),
    // Organizations and people.
    row(
        "create_organization",
        Verb::Manage,
        "organization",
        &[ADMINISTRATOR],
        &[],
        &["name", "kind", "parent_id", "url", "email"],
    ),
    row("list_organizations", Verb::Read, "organization", &[SignedIn], &[], &["*"]),
    row("read_organization", Verb::Read, "organization", &[SignedIn], &[], &["*"]),
    row(
        "switch_issuing",
        Verb::Manage,
        "issuing",
        &[ISSUING_OFFICER, KEY_CUSTODIAN],
        &[],
        &["stopped"],
    ),
    row(
        "create_invitation",
        Verb::Manage,
        "invitation",
        &[ADMINISTRATOR, COORDINATOR],
        &[],
        &["email", "name", "roles"],
    ),
    row(
        "accept_invitation",
        Verb::SignIn,
        "invitation",
        &[Holder],
        &["invited"],
        &["token", "password"],
    ),
    row("list_members", Verb::Read, "membership", &[ADMINISTRATOR, COORDINATOR], &[], &["*"]),
    row("read_member", Verb::Read, "membership", &[ADMINISTRATOR, COORDINATOR], &[], &["*"]),
    row(
        "put_member",
        Verb::Manage,
        "membership",
        &[ADMINISTRATOR],
        &["invited", "confirmed", "suspended"],
        &["roles", "state", "leaves_vacant"],
    ),
    row("read_succession", Verb::Read, "membership", &[ADMINISTRATOR], &[], &["*"]),
    row("create_signing_key", Verb::Manage, "signing_key", &[KEY_CUSTODIAN], &[], &["algorithm"]),
    row("retire_signing_key", Verb::Manage, "signing_key", &[KEY_CUSTODIAN], &["active"], &[]),
    row(
        "compromise_signing_key",
        Verb::Manage,
        "signing_key",
        &[KEY_CUSTODIAN],
        &["active", "retired"],
        &[],
    ),
    row(
        "read_issuer_settings",
        Verb::Read,
        "issuer_settings",
        &[KEY_CUSTODIAN, ISSUING_OFFICER, ADMINISTRATOR, AUDITOR],
        &[],
        &["*"],
    ),
    row("read_trusted_issuers", Verb::Read, "trusted_issuers", &[SignedIn], &[], &["*"]),
    row(
        "put_trusted_issuers",
        Verb::Manage,
        "trusted_issuers",
        &[ADMINISTRATOR],
        &[],
        &["issuers"],
    ),
    row(
        "put_artwork",
        Verb::Manage,
        "issuer_settings",
        &[ISSUING_OFFICER, ADMINISTRATOR],
        &[],
        &["file"],
    ),
    row(
        "delete_artwork",
        Verb::Manage,
        "issuer_settings",
        &[ISSUING_OFFICER, ADMINISTRATOR],
        &[],
        &[],
    ),
    row(
        "put_issuer_settings",
        Verb::Manage,
        "issuer_settings",
        &[KEY_CUSTODIAN],
        &[],
        &["identifier", "jwt_algorithm", "status_method"],
    ),
    row("list_signing_keys", Verb::Read, "signing_key", &[KEY_CUSTODIAN, AUDITOR], &[], &["*"]),
    // The trail.
    row("list_audit_events", Verb::Read, "audit_event", &[AUDITOR, DATA_STEWARD], &[], &["*"]),
];
