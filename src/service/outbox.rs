//! Mail through a transactional outbox: a row beside the change it tells of, rendered and sent later, tried again until it is through.

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::context::{Cx, Resources, new_uuid};
use super::error::Error;
use super::{award_letters, cohorts, credit, overdue, process_letters, proposals, succession};
use crate::domain::eligibility::EligibilityRule;
use crate::domain::ids::{AwardId, InvitationId, OrganizationId, PersonId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::timestamp::Timestamp;
use crate::mail::{MailError, Message, MessageId, templates};
use crate::store::outbox::{Delivery, OutboxRow};
use crate::store::people::Profile;
use crate::store::{self, DbConn};

/// The kind of the mail that invites.
pub const INVITATION: &str = "invitation";
/// The kind of the mail that promises a date.
pub const SUBMISSION_RECEIVED: &str = "submission_received";
/// The kind of the mail that tells of a decision.
pub const DECISION: &str = "decision";
/// The kind of the mail that brings the badge.
pub const BADGE: &str = "badge";

/// The kind of the mail that tells that badges were signed again.
pub const SIGNED_AGAIN: &str = "signed_again";

/// How long a claimed mail is left alone: longer than any conversation with a mail server.
const CLAIM: TimeDelta = TimeDelta::minutes(5);
/// How often a mail is tried: with the pauses below for about five days, as mail servers do.
const TRIES: i32 = 24;

/// The right side of our message ids: the host of the base URL.
#[must_use]
pub fn message_host(base_url: &str) -> String {
    Url::parse(base_url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| "localhost".to_owned())
}

/// Puts a mail into the outbox, in the transaction of what it tells.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn enqueue(
    conn: &mut DbConn,
    kind: &str,
    person: PersonId,
    host: &str,
    parameters: &Value,
    now: Timestamp,
) -> Result<(), Error> {
    enqueue_as(conn, new_uuid().to_string(), kind, person, host, parameters, now)
}

/// The same under an id that says what the mail is about: a second one with it cannot be put in while the first is kept.
///
/// # Errors
/// [`Error::Internal`] when the database fails or the id is there.
pub(super) fn enqueue_as(
    conn: &mut DbConn,
    id: String,
    kind: &str,
    person: PersonId,
    host: &str,
    parameters: &Value,
    now: Timestamp,
) -> Result<(), Error> {
    let message_id = MessageId::new(&id, host)
        .or_else(|_unsafe_host| MessageId::new(&id, "localhost"))
        .map_err(Error::internal)?;
    let row = OutboxRow {
        id,
        message_id: message_id.as_str().to_owned(),
        kind: kind.to_owned(),
        person,
        parameters: parameters.to_string(),
        attempts: 0,
    };
    Ok(store::outbox::create(conn, &row, now)?)
}

#[derive(Deserialize)]
struct InvitationParameters {
    invitation_id: InvitationId,
    organization_id: OrganizationId,
    inviter_id: Option<PersonId>,
    roles: Vec<String>,
    expires_on: NaiveDate,
}

#[derive(Deserialize)]
struct ReceivedParameters {
    submission_id: SubmissionId,
    title: String,
    attempt: u32,
    due_on: NaiveDate,
}

#[derive(Deserialize)]
struct DecisionParameters {
    submission_id: SubmissionId,
    title: String,
    earned: bool,
    /// Whether the badge was there before; rows of earlier versions do not say.
    #[serde(default)]
    is_held: bool,
}

#[derive(Deserialize)]
struct BadgeParameters {
    award_id: AwardId,
    title: String,
    organization_id: OrganizationId,
}

/// What the mail about blocked work says.
#[derive(Deserialize)]
struct BlockedParameters {
    count: u32,
    without_assessors: u32,
    rules: Vec<(String, u32)>,
}

#[derive(Deserialize)]
struct OverdueParameters {
    count: u32,
    oldest: NaiveDate,
}

#[derive(Deserialize)]
struct SignedAgainParameters {
    award_ids: Vec<AwardId>,
    organization_id: OrganizationId,
}

/// Sends the mail that is due first. Returns whether there was one.
///
/// The claim is committed before the conversation with the mail server begins; no connection is held during it.
///
/// # Errors
/// [`Error::Internal`] when the database fails; a mail server that does not answer is not an error.
pub fn send_next(resources: &Resources) -> Result<bool, Error> {
    let claimed = resources.as_system(|cx| {
        let now = cx.now;
        store::write(cx.conn, |conn| {
            store::outbox::claim(conn, now, now.plus(CLAIM)).map_err(Error::from)
        })
    })?;
    let Some(row) = claimed else { return Ok(false) };
    let (delivery, reason) = match resources.as_system(|cx| render(cx, &row)) {
        Ok(Some(message)) => deliver(resources, &row, &message),
        Ok(None) => (Delivery::Dropped, Some("its receiver is gone".to_owned())),
        // A database that does not answer now will; a letter that cannot be written never can.
        Err(error) if error.is_passing() => (again(resources, &row), Some(error.to_string())),
        Err(error) => {
            tracing::error!(outbox = row.id, error = ?error, "a mail could not be written");
            (Delivery::Failed, Some("it could not be written".to_owned()))
        }
    };
    resources.as_system(|cx| {
        let now = cx.now;
        store::write(cx.conn, |conn| {
            store::outbox::finish(conn, &row.id, delivery, reason.as_deref(), now)
                .map_err(Error::from)
        })
    })?;
    Ok(true)
}

fn again(resources: &Resources, row: &OutboxRow) -> Delivery {
    Delivery::Again(resources.now().plus(pause_after(row.attempts)))
}

fn deliver(
    resources: &Resources,
    row: &OutboxRow,
    message: &Message,
) -> (Delivery, Option<String>) {
    match resources.mailer.send(message) {
        Ok(()) => {
            tracing::info!(outbox = row.id, kind = row.kind, attempt = row.attempts, "mail sent");
            (Delivery::Sent, None)
        }
        Err(error @ MailError::Permanent { .. }) => {
            tracing::error!(outbox = row.id, error = ?error, "a mail will never be delivered");
            (Delivery::Failed, Some(error.to_string()))
        }
        Err(error @ MailError::Transient { .. }) => {
            tracing::warn!(outbox = row.id, attempt = row.attempts, error = ?error, "a mail could not be delivered now");
            let delivery =
                if row.attempts >= TRIES { Delivery::Failed } else { again(resources, row) };
            (delivery, Some(error.to_string()))
        }
    }
}

/// Doubling from ten seconds up to six hours.
fn pause_after(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(12);
    TimeDelta::seconds((10_i64 << doublings).min(6 * 3600))
}

fn render(cx: &mut Cx<'_>, row: &OutboxRow) -> Result<Option<Message>, Error> {
    let known = store::people::find_profile(cx.conn, row.person)?;
    let profile = match known {
        Some(profile) => profile,
        // A visitor who left an address with a proposal.
        None => match proposals::recipient(cx.conn, row)? {
            Some(visitor) => visitor,
            None => return Ok(None),
        },
    };
    let base_url = cx.installation()?.base_url;
    let (subject, text) = match row.kind.as_str() {
        INVITATION => render_invitation(cx, row, &profile, &base_url)?,
        SUBMISSION_RECEIVED => {
            let p: ReceivedParameters = parse(row)?;
            let link = format!("{base_url}/submissions/{}", p.submission_id);
            templates::submission_received(&templates::SubmissionReceived {
                name: &profile.name,
                title: &p.title,
                attempt: p.attempt,
                due_on: p.due_on,
                link: &link,
            })
            .map_err(Error::internal)?
        }
        DECISION => {
            let p: DecisionParameters = parse(row)?;
            let link = format!("{base_url}/submissions/{}", p.submission_id);
            let decision = templates::Decision {
                name: &profile.name,
                title: &p.title,
                earned: p.earned,
                is_held: p.is_held,
                link: &link,
            };
            templates::decision(&decision).map_err(Error::internal)?
        }
        BADGE => {
            let p: BadgeParameters = parse(row)?;
            let Some(organization) = store::organizations::find(cx.conn, p.organization_id)? else {
                return Ok(None);
            };
            let link = format!("{base_url}/credentials/{}", p.award_id);
            let badge = templates::Badge {
                name: &profile.name,
                title: &p.title,
                organization: &organization.name,
                link: &link,
            };
            templates::badge(&badge).map_err(Error::internal)?
        }
        SIGNED_AGAIN => {
            let p: SignedAgainParameters = parse(row)?;
            let Some(organization) = store::organizations::find(cx.conn, p.organization_id)? else {
                return Ok(None);
            };
            let link = |award: &AwardId| format!("{base_url}/credentials/{award}");
            let links: Vec<String> = p.award_ids.iter().map(link).collect();
            templates::signed_again(&profile.name, &organization.name, &links)
                .map_err(Error::internal)?
        }
        overdue::OVERDUE => {
            let p: OverdueParameters = parse(row)?;
            let link = format!("{base_url}/api/v1/queue/blocked?all=true");
            templates::overdue_work(&profile.name, p.count, p.oldest, &link)
                .map_err(Error::internal)?
        }
        overdue::BLOCKED => {
            let p: BlockedParameters = parse(row)?;
            let rules: Vec<(EligibilityRule, u32)> = p
                .rules
                .iter()
                .filter_map(|(word, count)| Some((EligibilityRule::parse(word)?, *count)))
                .collect();
            let link = format!("{base_url}/api/v1/queue/blocked");
            templates::blocked_work(&profile.name, p.count, p.without_assessors, &rules, &link)
                .map_err(Error::internal)?
        }
        kind => {
            let writers = [
                award_letters::render,
                process_letters::render,
                cohorts::render,
                succession::render,
                proposals::render,
                credit::render,
            ];
            let mut letter = None;
            for write in writers {
                letter = write(cx, kind, row, &profile.name, &base_url)?;
                if letter.is_some() {
                    break;
                }
            }
            match letter {
                Some(letter) => letter,
                None => return Ok(None),
            }
        }
    };
    Ok(Some(Message {
        message_id: MessageId::parse(&row.message_id).map_err(Error::internal)?,
        date: cx.now.as_utc().into(),
        to_name: profile.name,
        to_address: profile.email,
        subject,
        text,
    }))
}

pub(super) fn parse<'a, T: Deserialize<'a>>(row: &'a OutboxRow) -> Result<T, Error> {
    serde_json::from_str(&row.parameters).map_err(Error::internal)
}

fn render_invitation(
    cx: &mut Cx<'_>,
    row: &OutboxRow,
    profile: &Profile,
    base_url: &str,
) -> Result<(String, String), Error> {
    let p: InvitationParameters = parse(row)?;
    let organization = store::organizations::find(cx.conn, p.organization_id)?
        .ok_or_else(|| Error::internal(super::error::Broken("an invitation to no organization")))?;
    let inviter = match p.inviter_id {
        Some(inviter) => store::people::find_profile(cx.conn, inviter)?,
        None => None,
    };
    // The secret travels in the fragment: it reaches no server log, and the page posts it.
    let token = cx.resources.keyring.invitation_token(&p.invitation_id.to_string());
    let link = format!("{base_url}/invitations/accept#{token}");
    let roles: Vec<&str> =
        p.roles.iter().filter_map(|word| Role::parse(word)).map(in_words).collect();
    templates::invitation(&templates::Invitation {
        name: &profile.name,
        organization: &organization.name,
        inviter: inviter.as_ref().map(|inviter| inviter.name.as_str()),
        roles: &roles,
        link: &link,
        expires_on: p.expires_on,
    })
    .map_err(Error::internal)
}

/// A role with its article, as mails say it.
pub(super) const fn in_words(role: Role) -> &'static str {
    match role {
        Role::Administrator => "an administrator",
        Role::Earner => "an educator who can earn micro-credentials",
        Role::Coach => "a coach",
        Role::PreScreener => "a pre-screener",
        Role::Assessor => "an assessor",
        Role::LeadAssessor => "a lead assessor",
        Role::Designer => "a member of the design team",
        Role::Coordinator => "a programme coordinator",
        Role::IssuingOfficer => "an issuing officer",
        Role::ReviewPanel => "a member of the review panel",
        Role::DataSteward => "a data steward",
        Role::CreditAuthority => "a credit authority",
        Role::Auditor => "an auditor",
        Role::KeyCustodian => "a key custodian",
    }
}

/// The title of a micro-credential's version, as mails name it.
pub(super) fn badge_parameters(award: AwardId, title: &str, issuer: OrganizationId) -> Value {
    serde_json::json!({ "award_id": award, "title": title, "organization_id": issuer })
}

/// What the mail about a submission needs.
pub(super) fn received_parameters(
    submission: SubmissionId,
    title: &str,
    attempt: i32,
    due_on: Timestamp,
) -> Value {
    serde_json::json!({
        "submission_id": submission,
        "title": title,
        "attempt": attempt,
        "due_on": due_on.date(),
    })
}

/// What the mail about a decision needs.
pub(super) fn decision_parameters(
    submission: SubmissionId,
    title: &str,
    earned: bool,
    is_held: bool,
) -> Value {
    serde_json::json!({
        "submission_id": submission,
        "title": title,
        "earned": earned,
        "is_held": is_held,
    })
}

/// What the mail about badges that were signed again needs.
pub(super) fn signed_again_parameters(awards: &[AwardId], issuer: OrganizationId) -> Value {
    serde_json::json!({ "award_ids": awards, "organization_id": issuer })
}
