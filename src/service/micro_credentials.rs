//! Authoring: drafts, votes, publishing, and the public catalogue.

use std::collections::BTreeSet;

use serde_json::Value;

use super::agreement_reports;
use super::approvals;
use super::audit::Change;
use super::bank_items;
use super::context::{Cx, above, new_uuid};
use super::definition_document::{self, ParsedDefinition};
use super::error::{Broken, Error, Fault};
use crate::domain::actor::Actor;
use crate::domain::ids::{MicroCredentialId, OrganizationId, VersionId};
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::review_policy::ReviewMode;
use crate::domain::statistics::agreement::Agreement;
use crate::domain::version::{ApprovalRule, VersionEvent, VersionState, Vote};
use crate::files::ALLOWED_MEDIA;
use crate::store::approvals::ApprovalSubject;
use crate::store::micro_credentials::MicroCredential;
use crate::store::{self, DbConn, StoreError};

pub use crate::store::micro_credentials::{CatalogueQuery, Version};

fn faults_of_schema(errors: Vec<definition_document::FieldError>) -> Vec<Fault> {
    errors
        .into_iter()
        .map(|error| Fault::new(format!("/definition{}", error.pointer), error.code, error.detail))
        .collect()
}

fn refuse_schema(errors: Vec<definition_document::FieldError>) -> Error {
    Error::Invalid {
        code: "invalid-definition",
        summary: "the definition does not follow the schema; each fault is listed".to_owned(),
        faults: faults_of_schema(errors),
    }
}

fn findings_of(parsed: &ParsedDefinition) -> Vec<Fault> {
    definition_document::findings(&parsed.definition, &ALLOWED_MEDIA)
        .into_iter()
        .map(|finding| {
            Fault::new(format!("/definition{}", finding.pointer), finding.code, finding.detail)
        })
        .collect()
}

/// A definition that follows the schema, and whose rows from the assessment bank are those of the bank.
fn parse_draft(cx: &mut Cx<'_>, definition: &Value) -> Result<ParsedDefinition, Error> {
    let parsed = definition_document::parse(definition).map_err(refuse_schema)?;
    check_bank(cx.conn, definition)?;
    Ok(parsed)
}

/// Refuses a definition whose rows from the assessment bank are not those of the bank.
///
/// # Errors
/// [`Error::Invalid`] with every such row.
pub(super) fn check_bank(conn: &mut DbConn, definition: &Value) -> Result<(), Error> {
    let faults = bank_items::find_faults(conn, definition)?;
    if faults.is_empty() {
        return Ok(());
    }
    let summary = "what is taken from the assessment bank has to be as it is there".to_owned();
    Err(Error::Invalid { code: "not-of-the-bank", summary, faults })
}

/// The parsed form of a stored version.
///
/// # Errors
/// [`Error::Internal`] when the stored text does not parse, which the way in makes impossible.
pub fn parse_stored(version: &Version) -> Result<ParsedDefinition, Error> {
    let value: Value = serde_json::from_str(&version.definition).map_err(Error::internal)?;
    definition_document::parse(&value)
        .map_err(|_errors| Error::internal(Broken("a stored definition does not parse")))
}

/// The policy subject of a version: public once published, else for its designers.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn subject_of(
    conn: &mut DbConn,
    organization: OrganizationId,
    state: Option<VersionState>,
) -> Result<Subject, Error> {
    let is_public = state.is_some_and(VersionState::is_public);
    Ok(Subject {
        kind: "micro-credential",
        organization,
        above: above(conn, organization)?,
        owner: None,
        assigned: None,
        visibility: if is_public {
            Visibility::Public
        } else {
            Visibility::Private("read_draft_version")
        },
    })
}

const fn hidden() -> Error {
    Error::Denied(Denied::Hidden("micro-credential"))
}

/// What is wrong with a definition: against the schema, and against what publishing asks.
///
/// # Errors
/// [`Error::Denied`] for somebody who designs nowhere.
pub fn validate(
    cx: &mut Cx<'_>,
    definition: &Value,
) -> Result<(Vec<Fault>, Option<ParsedDefinition>), Error> {
    policy::require_somewhere(&cx.actor, "validate_definition")?;
    match definition_document::parse(definition) {
        Ok(parsed) => {
            let mut faults = findings_of(&parsed);
            faults.extend(bank_items::find_faults(cx.conn, definition)?);
            Ok((faults, Some(parsed)))
        }
        Err(errors) => Ok((faults_of_schema(errors), None)),
    }
}

/// A version as a draft.
pub(super) fn version_from(
    id: VersionId,
    family: &MicroCredential,
    number: i32,
    parsed: &ParsedDefinition,
) -> Version {
    let about = parsed.definition.about();
    let skills: BTreeSet<String> =
        parsed.definition.skills().iter().map(|skill| skill.code.clone()).collect();
    let labels: Vec<&str> =
        parsed.definition.skills().iter().map(|skill| skill.label.as_str()).collect();
    let words = [
        about.title.as_str(),
        about.summary.as_str(),
        about.competency.as_str(),
        &labels.join(" "),
        &parsed.slug,
    ];
    Version {
        id,
        micro_credential: family.id,
        organization: family.organization,
        number,
        state: VersionState::Draft,
        label: parsed.label.clone(),
        title: about.title.clone(),
        definition: parsed.canonical.clone(),
        content_hash: parsed.content_hash.clone(),
        scoring_hash: parsed.scoring_hash.clone(),
        policy_hash: parsed.policy_hash.clone(),
        search_text: words.join(" ").to_lowercase(),
        skills,
        audiences: about.audience.iter().cloned().collect(),
        revision: 1,
        published_at: None,
    }
}

/// `POST /micro-credentials`: a new family with its first draft.
///
/// # Errors
/// [`Error::Invalid`] when the definition does not follow the schema, [`Error::AlreadyThere`] for a slug the organization has.
pub fn create(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    definition: &Value,
) -> Result<Version, Error> {
    let (_, organization_subject) = super::organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_micro_credential", &organization_subject)?;
    let parsed = parse_draft(cx, definition)?;
    let family = MicroCredential {
        id: MicroCredentialId::from_uuid(new_uuid()),
        organization,
        slug: parsed.slug.clone(),
    };
    let version = version_from(VersionId::from_uuid(new_uuid()), &family, 1, &parsed);
    let author = author_of(cx)?;
    let now = cx.now;
    cx.write(|conn| {
        match store::micro_credentials::create(conn, &family, author, now) {
            Err(StoreError::Duplicate(_)) => {
                let detail = format!(
                    "the organization has a micro-credential {}; start its next version instead",
                    family.slug
                );
                return Err(Error::AlreadyThere { code: "slug-taken", detail });
            }
            other => other?,
        }
        store::micro_credentials::create_version(conn, &version, author, now)?;
        let change = Change::new(
            "create_micro_credential",
            Some(organization),
            "definition_version",
            version.id,
        )
        .with("content_hash", &version.content_hash);
        Ok((version.clone(), change))
    })
}

fn author_of(cx: &Cx<'_>) -> Result<crate::domain::ids::PersonId, Error> {
    Ok(cx.signed_in()?.person)
}

/// The family and its version by number, if the caller may read it.
fn load_version(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
) -> Result<(Version, Subject), Error> {
    let version =
        store::micro_credentials::find_version(cx.conn, family, number)?.ok_or_else(hidden)?;
    let subject = subject_of(cx.conn, version.organization, Some(version.state))?;
    Ok((version, subject))
}

/// `GET /micro-credentials/{id}/versions/{n}`: public once published, before that for designers.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not know of.
pub fn find_version(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
) -> Result<Version, Error> {
    let (version, subject) = load_version(cx, family, number)?;
    require_reading(&cx.actor, &version, &subject)?;
    Ok(version)
}

fn require_reading(actor: &Actor, version: &Version, subject: &Subject) -> Result<(), Error> {
    let operation = if version.state.is_public() { "read_version" } else { "read_draft_version" };
    match policy::require(actor, operation, subject) {
        // A stranger asking for a draft learns as little as a stranger asking for nothing.
        Err(Denied::Unauthenticated) => Err(hidden()),
        other => Ok(other?),
    }
}

/// `GET /micro-credentials/{id}`: the newest public version; for designers the newest.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not know of.
pub fn find(cx: &mut Cx<'_>, family: MicroCredentialId) -> Result<Version, Error> {
    if let Some(version) = store::micro_credentials::find_newest(cx.conn, family, true)? {
        return Ok(version);
    }
    let version =
        store::micro_credentials::find_newest(cx.conn, family, false)?.ok_or_else(hidden)?;
    let subject = subject_of(cx.conn, version.organization, Some(version.state))?;
    require_reading(&cx.actor, &version, &subject)?;
    Ok(version)
}

/// `GET /micro-credentials`: the public catalogue.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn list(cx: &mut Cx<'_>, query: &CatalogueQuery) -> Result<Vec<Version>, Error> {
    Ok(store::micro_credentials::list_catalogue(cx.conn, query)?)
}

/// The version, if the caller may do this to it and it is not published.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not do, [`Error::WrongState`] for a published version.
pub fn require_edit(
    cx: &mut Cx<'_>,
    operation: &'static str,
    family: MicroCredentialId,
    number: i32,
) -> Result<Version, Error> {
    let (version, subject) = load_version(cx, family, number)?;
    policy::require(&cx.actor, operation, &subject)?;
    version.state.require(VersionEvent::Edit)?;
    Ok(version)
}

/// `PUT /micro-credentials/{id}/versions/{n}`: replaces the text of a version that is not published. Its votes are void.
///
/// # Errors
/// [`Error::Stale`], [`Error::WrongState`] for a published version, [`Error::Invalid`].
pub fn edit(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
    definition: &Value,
    revision: i32,
) -> Result<Version, Error> {
    let current = require_edit(cx, "put_version", family, number)?;
    let parsed = parse_draft(cx, definition)?;
    let stored = store::micro_credentials::find(cx.conn, family)?.ok_or_else(hidden)?;
    require_same_slug(&stored, &parsed)?;
    let author = author_of(cx)?;
    let now = cx.now;
    let edited = Version { revision, ..version_from(current.id, &stored, number, &parsed) };
    cx.write(|conn| {
        let fresh =
            store::micro_credentials::find_version(conn, family, number)?.ok_or_else(hidden)?;
        fresh.state.require(VersionEvent::Edit)?;
        store::micro_credentials::save_edit(conn, &edited, revision, author, now)?;
        let change =
            Change::new("put_version", Some(edited.organization), "definition_version", edited.id)
                .with("content_hash", &edited.content_hash);
        Ok((Version { revision: revision + 1, ..edited.clone() }, change))
    })
}

fn require_same_slug(family: &MicroCredential, parsed: &ParsedDefinition) -> Result<(), Error> {
    if parsed.slug == family.slug {
        return Ok(());
    }
    let detail =
        format!("the id of a definition stays the same in all its versions: {}", family.slug);
    Err(Error::invalid("/definition/id", "slug-changed", detail))
}

/// `POST /micro-credentials/{id}/versions`: the next version as a draft.
///
/// # Errors
/// [`Error::AlreadyThere`] while another draft is open.
pub fn create_version(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    definition: &Value,
) -> Result<Version, Error> {
    let newest =
        store::micro_credentials::find_newest(cx.conn, family, false)?.ok_or_else(hidden)?;
    let stored = store::micro_credentials::find(cx.conn, family)?.ok_or_else(hidden)?;
    let is_public = store::micro_credentials::find_newest(cx.conn, family, true)?.is_some();
    let subject =
        subject_of(cx.conn, stored.organization, is_public.then_some(VersionState::Published))?;
    policy::require(&cx.actor, "create_version", &subject)?;
    let parsed = parse_draft(cx, definition)?;
    require_same_slug(&stored, &parsed)?;
    let author = author_of(cx)?;
    let now = cx.now;
    let version =
        version_from(VersionId::from_uuid(new_uuid()), &stored, newest.number + 1, &parsed);
    cx.write(|conn| {
        match store::micro_credentials::create_version(conn, &version, author, now) {
            Err(StoreError::Duplicate(_)) => {
                let detail =
                    "a version that is not published is open already; finish that one first"
                        .to_owned();
                return Err(Error::AlreadyThere { code: "draft-open", detail });
            }
            other => other?,
        }
        let change = Change::new(
            "create_version",
            Some(version.organization),
            "definition_version",
            version.id,
        )
        .with("content_hash", &version.content_hash);
        Ok((version.clone(), change))
    })
}

/// Where a group's approval stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalStatus {
    /// The version after the vote.
    pub version: Version,
    /// The valid votes.
    pub votes: Vec<Vote>,
    /// What is needed.
    pub rule: ApprovalRule,
    /// Where a conditional second reading is voted on: what two readings have shown so far.
    pub double_scored: Option<Agreement>,
}

/// `POST /micro-credentials/{id}/versions/{n}/approvals`: a vote on this very content.
///
/// # Errors
/// [`Error::WrongState`] once it is published.
pub fn vote(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
    approves: bool,
    comment: &str,
) -> Result<ApprovalStatus, Error> {
    let (version, subject) = load_version(cx, family, number)?;
    policy::require(&cx.actor, "create_approval", &subject)?;
    version.state.require(VersionEvent::Approve)?;
    approvals::check_comment(comment)?;
    let voter = approvals::Voter::new(cx, version.organization)?;
    let (now, rule) = (cx.now, ApprovalRule::default());
    cx.write(|conn| {
        // Read again under the lock: the vote binds the content that is there now.
        let version =
            store::micro_credentials::find_version(conn, family, number)?.ok_or_else(hidden)?;
        version.state.require(VersionEvent::Approve)?;
        let subject = ApprovalSubject::Version(version.id);
        let hash = &version.content_hash;
        let votes = approvals::cast(conn, &voter, subject, hash, approves, comment, now)?;
        let authors = store::micro_credentials::list_authors(conn, version.id)?;
        let next = if rule.is_met(&votes, &authors) {
            VersionState::Approved
        } else {
            VersionState::Proposed
        };
        if next != version.state {
            store::micro_credentials::save_state(conn, &version, next, now)?;
        }
        let mut change = Change::new(
            "create_approval",
            Some(version.organization),
            "definition_version",
            version.id,
        )
        .with("approves", approves)
        .with("content_hash", &version.content_hash)
        .with("state", next);
        let definition = parse_stored(&version)?.definition;
        let double_scored = match definition.review_policy().mode() {
            ReviewMode::ConditionalDouble => {
                let found = agreement_reports::double_scored(conn, &version, &definition)?;
                change =
                    change.with("double_scored", found.n).with("same_decision", found.decision);
                Some(found)
            }
            ReviewMode::Single | ReviewMode::DoubleBlind => None,
        };
        let revision = if next == version.state { version.revision } else { version.revision + 1 };
        let version = Version { state: next, revision, ..version };
        Ok((ApprovalStatus { version, votes, rule, double_scored }, change))
    })
}

/// `POST /micro-credentials/{id}/versions/{n}/publish`: makes an approved version public, for ever as it is.
///
/// # Errors
/// [`Error::WrongState`] before it is approved, [`Error::Invalid`] with every finding.
pub fn publish(cx: &mut Cx<'_>, family: MicroCredentialId, number: i32) -> Result<Version, Error> {
    change_state(
        cx,
        family,
        number,
        "publish_version",
        VersionEvent::Publish,
        VersionState::Published,
        |version| {
            let faults = findings_of(&parse_stored(version)?);
            if faults.is_empty() {
                return Ok(());
            }
            let summary =
                "the definition cannot be published like this; each finding is listed".to_owned();
            Err(Error::Invalid { code: "not-publishable", summary, faults })
        },
    )
}

/// `POST /micro-credentials/{id}/versions/{n}/retire`: no new submissions. What was earned stays.
///
/// # Errors
/// [`Error::WrongState`] unless it is published.
pub fn retire(cx: &mut Cx<'_>, family: MicroCredentialId, number: i32) -> Result<Version, Error> {
    change_state(
        cx,
        family,
        number,
        "retire_version",
        VersionEvent::Retire,
        VersionState::Retired,
        |_| Ok(()),
    )
}

fn change_state(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
    operation: &'static str,
    event: VersionEvent,
    next: VersionState,
    check: impl Fn(&Version) -> Result<(), Error>,
) -> Result<Version, Error> {
    let (_, subject) = load_version(cx, family, number)?;
    policy::require(&cx.actor, operation, &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let version =
            store::micro_credentials::find_version(conn, family, number)?.ok_or_else(hidden)?;
        version.state.require(event)?;
        check(&version)?;
        store::micro_credentials::save_state(conn, &version, next, now)?;
        if next == VersionState::Published {
            bank_items::add_rows_of(conn, &version, now)?;
        }
        let change =
            Change::new(operation, Some(version.organization), "definition_version", version.id)
                .with("content_hash", &version.content_hash);
        let published_at =
            if next == VersionState::Published { Some(now) } else { version.published_at };
        Ok((
            Version { state: next, revision: version.revision + 1, published_at, ..version },
            change,
        ))
    })
}
