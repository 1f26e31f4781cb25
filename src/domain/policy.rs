//! Who may do what: one table, one row an operation. An operation without a row does not start the server.

use super::actor::Actor;
use super::ids::{OrganizationId, PersonId};
use super::organization::Role;

worded_enum! {
    /// What an operation does to its object. "May see" never stands in for "may manage".
    Verb {
        /// Looks.
        Read = "read",
        /// Makes a new one.
        Create = "create",
        /// Changes it.
        Change = "change",
        /// Votes on it.
        Approve = "approve",
        /// Makes it public.
        Publish = "publish",
        /// Hands it in.
        Submit = "submit",
        /// Scores it.
        Score = "score",
        /// Ends its force, for ever or for a while, or gives it back.
        Revoke = "revoke",
        /// Manages people and rights.
        Manage = "manage",
        /// Proves who one is.
        SignIn = "sign_in",
        /// Checks a document.
        Verify = "verify",
    }
}

/// One way of being allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Nobody needs to sign in.
    Anyone,
    /// Whoever holds the secret that the request carries: an invitation or a refresh token.
    Holder,
    /// Anybody who has signed in; what they see is filtered to what is theirs.
    SignedIn,
    /// The person whose object it is, while they belong to its branch.
    Owner,
    /// The same, while they hold the role over it: one's own work stays one's own to read, and takes the role to go on with.
    OwnerAs(Role),
    /// The person it is assigned to.
    Assigned,
    /// Who holds the role over the object's organization.
    Role(Role),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The operation, as named in the API description.
    pub operation: &'static str,
    /// What it does.
    pub verb: Verb,
    /// To what.
    pub object: &'static str,
    /// Who may: any one of these.
    pub who: &'static [Grant],
    /// In which states of the object; empty where it has none or any will do.
    pub states: &'static [&'static str],
    /// Which fields are read or written beyond those of the path; `*` for the whole representation.
    pub fields: &'static [&'static str],
}

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

use Grant::{Anyone, Assigned, Holder, Owner, SignedIn};
const ADMINISTRATOR: Grant = Grant::Role(Role::Administrator);
const COORDINATOR: Grant = Grant::Role(Role::Coordinator);
const DESIGNER: Grant = Grant::Role(Role::Designer);
const EARNER: Grant = Grant::Role(Role::Earner);
const OWN_EARNER: Grant = Grant::OwnerAs(Role::Earner);
const ASSESSOR: Grant = Grant::Role(Role::Assessor);
const LEAD_ASSESSOR: Grant = Grant::Role(Role::LeadAssessor);
const ISSUING_OFFICER: Grant = Grant::Role(Role::IssuingOfficer);
const REVIEW_PANEL: Grant = Grant::Role(Role::ReviewPanel);
const KEY_CUSTODIAN: Grant = Grant::Role(Role::KeyCustodian);
const AUDITOR: Grant = Grant::Role(Role::Auditor);
const DATA_STEWARD: Grant = Grant::Role(Role::DataSteward);

/// The policy table.
pub const TABLE: &[Row] = &[
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
        &["roles", "state"],
    ),
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
    // Authoring.
    row("validate_definition", Verb::Read, "definition", &[DESIGNER], &[], &["definition"]),
    row(
        "create_micro_credential",
        Verb::Create,
        "definition",
        &[DESIGNER],
        &[],
        &["organization_id", "definition"],
    ),
    row("list_micro_credentials", Verb::Read, "definition", &[Anyone], &["published"], &["*"]),
    row(
        "read_micro_credential",
        Verb::Read,
        "definition",
        &[Anyone],
        &["published", "retired"],
        &["*"],
    ),
    row("read_version", Verb::Read, "definition", &[Anyone], &["published", "retired"], &["*"]),
    row(
        "read_draft_version",
        Verb::Read,
        "definition",
        &[DESIGNER, LEAD_ASSESSOR],
        &["draft", "proposed", "approved"],
        &["*"],
    ),
    row(
        "create_version",
        Verb::Create,
        "definition",
        &[DESIGNER],
        &["published", "retired"],
        &["definition"],
    ),
    row(
        "put_version",
        Verb::Change,
        "definition",
        &[DESIGNER],
        &["draft", "proposed", "approved"],
        &["definition"],
    ),
    row(
        "create_approval",
        Verb::Approve,
        "definition",
        &[DESIGNER],
        &["draft", "proposed", "approved"],
        &["approve", "comment"],
    ),
    row("publish_version", Verb::Publish, "definition", &[DESIGNER], &["approved"], &[]),
    row("retire_version", Verb::Publish, "definition", &[DESIGNER], &["published"], &[]),
    // Submitting.
    row(
        "create_submission",
        Verb::Create,
        "submission",
        &[EARNER],
        &["published"],
        &["program_id", "version", "reopen_criteria"],
    ),
    row("list_submissions", Verb::Read, "submission", &[SignedIn], &[], &["*"]),
    row("read_submission", Verb::Read, "submission", &[Owner, COORDINATOR], &[], &["*"]),
    row(
        "patch_submission",
        Verb::Change,
        "submission",
        &[OWN_EARNER],
        &["draft", "returned"],
        &["responses", "integrity_statement", "include_results", "ai_use"],
    ),
    row(
        "add_evidence",
        Verb::Change,
        "submission",
        &[OWN_EARNER],
        &["draft", "returned"],
        &["file", "url", "text", "requirement_id", "contains_students", "consent"],
    ),
    row("delete_evidence", Verb::Change, "submission", &[OWN_EARNER], &["draft", "returned"], &[]),
    row("read_evidence_content", Verb::Read, "evidence", &[Owner, Assigned], &[], &["*"]),
    row("submit_submission", Verb::Submit, "submission", &[OWN_EARNER], &["draft"], &[]),
    row("recall_submission", Verb::Submit, "submission", &[OWN_EARNER], &["submitted"], &[]),
    row(
        "withdraw_submission",
        Verb::Submit,
        "submission",
        &[OWN_EARNER],
        &["draft", "submitted", "returned", "queued"],
        &[],
    ),
    // Scoring.
    row("claim_review", Verb::Score, "review", &[ASSESSOR], &["open"], &["micro_credential_id"]),
    row("list_reviews", Verb::Read, "review", &[SignedIn], &[], &["*"]),
    row("read_review", Verb::Read, "review", &[Assigned], &[], &["*"]),
    row("renew_review", Verb::Score, "review", &[Assigned], &["leased"], &[]),
    row(
        "put_scores",
        Verb::Score,
        "review",
        &[Assigned],
        &["leased"],
        &["scores", "overall_feedback", "unscorable"],
    ),
    row("lock_review", Verb::Score, "review", &[Assigned], &["leased"], &[]),
    row("recuse_review", Verb::Score, "review", &[Assigned], &["leased"], &["reason"]),
    // Who may score.
    row(
        "create_conflict",
        Verb::Create,
        "conflict",
        &[SignedIn],
        &[],
        &["organization_id", "person_id", "email", "relation"],
    ),
    row("list_conflicts", Verb::Read, "conflict", &[SignedIn], &[], &["*"]),
    row("end_conflict", Verb::Change, "conflict", &[SignedIn], &[], &[]),
    row("complete_module", Verb::Change, "person", &[SignedIn], &[], &[]),
    row("read_blocked_queue", Verb::Read, "queue", &[COORDINATOR, LEAD_ASSESSOR], &[], &["*"]),
    row(
        "put_load_cap",
        Verb::Manage,
        "organization",
        &[COORDINATOR, LEAD_ASSESSOR],
        &[],
        &["load_cap"],
    ),
    row("read_same_district_waiver", Verb::Read, "organization", &[SignedIn], &[], &["*"]),
    row(
        "put_same_district_waiver",
        Verb::Manage,
        "organization",
        &[ADMINISTRATOR, COORDINATOR],
        &[],
        &["reason", "deciders", "ends_at"],
    ),
    row("read_calendar", Verb::Read, "organization", &[SignedIn], &[], &["*"]),
    row(
        "put_calendar",
        Verb::Manage,
        "organization",
        &[ADMINISTRATOR],
        &[],
        &["weekend", "holidays", "breaks"],
    ),
    // Calibration.
    row(
        "create_calibration_set",
        Verb::Create,
        "calibration_set",
        &[LEAD_ASSESSOR],
        &[],
        &["micro_credential_id", "version", "kind", "title"],
    ),
    row("list_calibration_sets", Verb::Read, "calibration_set", &[SignedIn], &[], &["*"]),
    row(
        "read_calibration_set",
        Verb::Read,
        "calibration_set",
        &[LEAD_ASSESSOR, ASSESSOR],
        &[],
        &["*"],
    ),
    row(
        "add_calibration_paper",
        Verb::Change,
        "calibration_set",
        &[LEAD_ASSESSOR],
        &["draft"],
        &["work", "submission_id", "anchors"],
    ),
    row(
        "set_calibration_key",
        Verb::Score,
        "calibration_set",
        &[LEAD_ASSESSOR],
        &["draft"],
        &["levels"],
    ),
    row(
        "publish_calibration_set",
        Verb::Publish,
        "calibration_set",
        &[LEAD_ASSESSOR],
        &["draft"],
        &[],
    ),
    row(
        "retire_calibration_set",
        Verb::Publish,
        "calibration_set",
        &[LEAD_ASSESSOR],
        &["published"],
        &[],
    ),
    row(
        "start_calibration_attempt",
        Verb::Create,
        "calibration_attempt",
        &[ASSESSOR],
        &["published"],
        &[],
    ),
    row(
        "list_calibration_attempts",
        Verb::Read,
        "calibration_attempt",
        &[LEAD_ASSESSOR],
        &[],
        &["*"],
    ),
    row(
        "read_calibration_attempt",
        Verb::Read,
        "calibration_attempt",
        &[Owner, LEAD_ASSESSOR],
        &[],
        &["*"],
    ),
    row(
        "score_calibration_paper",
        Verb::Score,
        "calibration_attempt",
        &[Grant::OwnerAs(Role::Assessor)],
        &["open"],
        &["scores"],
    ),
    row(
        "finish_calibration_attempt",
        Verb::Submit,
        "calibration_attempt",
        &[Grant::OwnerAs(Role::Assessor)],
        &["open"],
        &[],
    ),
    row(
        "record_calibration_coaching",
        Verb::Change,
        "calibration_attempt",
        &[LEAD_ASSESSOR],
        &["failed"],
        &[],
    ),
    row("put_sample_consent", Verb::Change, "submission", &[Owner], &["decided"], &["ends_at"]),
    row("list_rereads", Verb::Read, "review", &[LEAD_ASSESSOR], &[], &["*"]),
    row("read_agreement_report", Verb::Read, "report", &[LEAD_ASSESSOR, AUDITOR], &[], &["*"]),
    row("read_own_agreement", Verb::Read, "report", &[ASSESSOR], &[], &["*"]),
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
    // The trail.
    row("list_audit_events", Verb::Read, "audit_event", &[AUDITOR, DATA_STEWARD], &[], &["*"]),
    // What a stranger reads and asks.
    row("verify_credential", Verb::Verify, "credential", &[Anyone], &[], &["*"]),
    row("read_credential", Verb::Read, "credential", &[Anyone], &[], &["*"]),
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
    row("submission_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("problem_page", Verb::Read, "page", &[Anyone], &[], &["*"]),
    row("asset", Verb::Read, "page", &[Anyone], &[], &["*"]),
];

/// The row of an operation.
#[must_use]
pub fn row_of(operation: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.operation == operation)
}

/// Who may know that an object exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Everybody of its organization's branch.
    Branch,
    /// Who may do the named reading operation.
    Private(&'static str),
}

/// What the table needs to know of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What it is called in a "not found".
    pub kind: &'static str,
    /// The organization that owns it.
    pub organization: OrganizationId,
    /// The organizations above that one.
    pub above: Vec<OrganizationId>,
    /// The person whose object it is.
    pub owner: Option<PersonId>,
    /// The person it is assigned to.
    pub assigned: Option<PersonId>,
    /// Who may know of it.
    pub visibility: Visibility,
}

/// Why an operation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// Not for this person to know.
    #[error("there is no such {0}, or it is not yours to see")]
    Hidden(&'static str),
    /// Known, and not for this person to do.
    #[error(
        "your roles here do not include this; an administrator of the organization can change that"
    )]
    Forbidden,
    /// The operation has no row. The start-up check makes this impossible for routes.
    #[error("the operation has no policy row")]
    NoRow,
}

/// Whether the actor may do the operation to the subject.
///
/// # Errors
/// [`Denied::Hidden`] where the actor may not know of the subject, [`Denied::Forbidden`] where they know it and may not do this.
pub fn require(actor: &Actor, operation: &str, subject: &Subject) -> Result<(), Denied> {
    let row = row_of(operation).ok_or(Denied::NoRow)?;
    if is_granted(actor, row, subject) {
        return Ok(());
    }
    if matches!(actor, Actor::Anonymous) {
        return Err(Denied::Unauthenticated);
    }
    let may_know = match subject.visibility {
        Visibility::Public => true,
        Visibility::Branch => actor.is_member_of_branch(subject.organization, &subject.above),
        Visibility::Private(reading) => {
            row_of(reading).is_some_and(|row| is_granted(actor, row, subject))
        }
    };
    Err(if may_know { Denied::Forbidden } else { Denied::Hidden(subject.kind) })
}

/// Whether somebody may try the operation at all, before any object is known: the first gate of every request.
///
/// # Errors
/// [`Denied::Unauthenticated`] without a sign-in where the row asks for one.
pub fn require_sign_in(actor: &Actor, operation: &str) -> Result<(), Denied> {
    let row = row_of(operation).ok_or(Denied::NoRow)?;
    if matches!(actor, Actor::Anonymous)
        && !row.who.iter().any(|grant| matches!(grant, Anyone | Holder))
    {
        return Err(Denied::Unauthenticated);
    }
    Ok(())
}

/// Whether the actor holds one of the row's roles anywhere: for operations whose object is not known beforehand.
///
/// # Errors
/// [`Denied::Forbidden`] when not.
pub fn require_somewhere(actor: &Actor, operation: &str) -> Result<(), Denied> {
    require_sign_in(actor, operation)?;
    let row = row_of(operation).ok_or(Denied::NoRow)?;
    let held = row.who.iter().any(|grant| match grant {
        Grant::Role(role) => actor.organizations_with(*role).next().is_some(),
        Anyone | SignedIn => true,
        Holder | Owner | Grant::OwnerAs(_) | Assigned => false,
    });
    if held || matches!(actor, Actor::System) { Ok(()) } else { Err(Denied::Forbidden) }
}

fn is_granted(actor: &Actor, row: &Row, subject: &Subject) -> bool {
    if matches!(actor, Actor::System) {
        return true;
    }
    row.who.iter().any(|grant| match grant {
        Anyone | Holder => true,
        SignedIn => actor.is_member_of_branch(subject.organization, &subject.above),
        Owner => {
            is_owner(actor, subject)
                && actor.is_member_of_branch(subject.organization, &subject.above)
        }
        Grant::OwnerAs(role) => {
            is_owner(actor, subject) && actor.holds(*role, subject.organization, &subject.above)
        }
        // A seat is only as good as the role behind it: who is no longer an assessor here loses sight of the work.
        Assigned => {
            actor.person().is_some()
                && subject.assigned == actor.person()
                && (actor.holds(Role::Assessor, subject.organization, &subject.above)
                    || actor.holds(Role::LeadAssessor, subject.organization, &subject.above))
        }
        Grant::Role(role) => actor.holds(*role, subject.organization, &subject.above),
    })
}

fn is_owner(actor: &Actor, subject: &Subject) -> bool {
    actor.person().is_some() && subject.owner == actor.person()
}
