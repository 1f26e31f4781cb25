//! The mails of a programme: the organization's own words, with what belongs to each person filled in when they leave.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{charter_of, cohort_of, last_day, missing};
use crate::domain::cohort::{InviteeState, ReminderTo};
use crate::domain::ids::{InvitationId, InviteeId, ProgramId};
use crate::domain::policy;
use crate::mail::templates::{self, ProgramMessage};
use crate::service::charter_document::Message;
use crate::service::context::Cx;
use crate::service::error::{Error, Fault};
use crate::service::{outbox, programs};
use crate::store;
use crate::store::cohorts::Invitee;
use crate::store::memberships::Invitation;
use crate::store::outbox::OutboxRow;

/// The kind of the mail that invites into a programme.
pub(super) const INVITATION: &str = "program_invitation";
/// The kind of the mail that reminds.
pub(super) const REMINDER: &str = "program_reminder";

/// What a mail needs: ids, days and words of the charter.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct LetterParameters {
    program_id: ProgramId,
    invitee_id: InviteeId,
    invitation_id: Option<InvitationId>,
    expires_on: Option<NaiveDate>,
    message: Option<String>,
    to: Option<String>,
}

impl LetterParameters {
    /// Of a mail with a link by which its reader takes part.
    pub(super) fn invitation(
        invitee: &Invitee,
        invitation: &Invitation,
        told: Option<(&str, ReminderTo)>,
    ) -> LetterParameters {
        LetterParameters {
            invitation_id: Some(invitation.id),
            expires_on: Some(invitation.expires_at.as_utc().date_naive()),
            ..LetterParameters::reminder(invitee, told)
        }
    }

    /// Of a mail to somebody who takes part already.
    pub(super) fn reminder(
        invitee: &Invitee,
        told: Option<(&str, ReminderTo)>,
    ) -> LetterParameters {
        LetterParameters {
            program_id: invitee.program,
            invitee_id: invitee.id,
            invitation_id: None,
            expires_on: None,
            message: told.map(|(message, _)| message.to_owned()),
            to: told.map(|(_, to)| to.as_str().to_owned()),
        }
    }

    pub(super) fn to_json(&self) -> Result<Value, Error> {
        serde_json::to_value(self).map_err(Error::internal)
    }
}

/// Subject and text of a mail of a programme; none for another kind, and when there is nobody left to tell it to: the person has answered
/// meanwhile, or the code was used again for another address.
pub(in crate::service) fn render(
    cx: &mut Cx<'_>,
    kind: &str,
    row: &OutboxRow,
    name: &str,
    base_url: &str,
) -> Result<Option<(String, String)>, Error> {
    if kind != INVITATION && kind != REMINDER {
        return Ok(None);
    }
    let p: LetterParameters = outbox::parse(row)?;
    let Some(program) = store::programs::find(cx.conn, p.program_id)? else { return Ok(None) };
    let Some(invitee) = store::cohorts::find(cx.conn, p.program_id, p.invitee_id)? else {
        return Ok(None);
    };
    let wanted =
        if p.invitation_id.is_some() { InviteeState::Invited } else { InviteeState::Enrolled };
    if invitee.person != Some(row.person) || invitee.state != wanted {
        return Ok(None);
    }
    let Some(organization) = store::organizations::find(cx.conn, program.organization)? else {
        return Ok(None);
    };
    let charter = charter_of(&program)?;
    let cohort = cohort_of(&charter, &invitee)?;
    let message = match &p.message {
        Some(id) => charter.find_message(id),
        None => charter.find_invitation(&invitee.audience),
    };
    // The secret travels in the fragment: it reaches no server log, and the page posts it.
    let link = match p.invitation_id {
        Some(id) => {
            let token = cx.resources.keyring.invitation_token(&id.to_string());
            format!("{base_url}/invitations/accept#{token}&programme")
        }
        None => format!("{base_url}/"),
    };
    let words = Words {
        name,
        program: &program.title,
        organization: &organization.name,
        link: &link,
        link_ends_on: p.expires_on,
        closes_on: last_day(&cohort, &invitee),
    };
    Ok(Some(write(message, kind == REMINDER, &words)?))
}

struct Words<'a> {
    name: &'a str,
    program: &'a str,
    organization: &'a str,
    link: &'a str,
    link_ends_on: Option<NaiveDate>,
    closes_on: NaiveDate,
}

fn write(
    message: Option<Message<'_>>,
    is_reminder: bool,
    words: &Words<'_>,
) -> Result<(String, String), Error> {
    templates::program_message(&ProgramMessage {
        name: words.name,
        program: words.program,
        organization: words.organization,
        subject: message.and_then(|message| message.subject),
        text: message.and_then(|message| message.text),
        is_reminder,
        link: words.link,
        link_ends_on: words.link_ends_on,
        closes_on: words.closes_on,
    })
    .map_err(Error::internal)
}

/// A mail as it would leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePreview {
    /// The id of the message in the charter; none where the service's own words are used.
    pub message: Option<String>,
    /// Its language, as a tag of BCP 47.
    pub language: Option<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// `GET /programs/{id}/message-preview`: what people of an audience are going to read, with a made-up name and link.
///
/// # Errors
/// [`Error::Denied`] without the role; [`Error::NotFound`] for no such cohort or message; [`Error::Invalid`] for an audience that the cohort
/// does not have.
pub fn preview(
    cx: &mut Cx<'_>,
    id: ProgramId,
    cohort: &str,
    audience: &str,
    message: Option<&str>,
) -> Result<MessagePreview, Error> {
    let (program, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "preview_message", &subject)?;
    let charter = charter_of(&program)?;
    let cohort = charter.find_cohort(cohort).ok_or(missing())?;
    if !cohort.audiences.iter().any(|known| known == audience) {
        let detail = format!("the cohort is for {}", cohort.audiences.join(", "));
        let faults = vec![Fault::new("", "audience", detail.clone())];
        return Err(Error::Invalid { code: "audience", summary: detail, faults });
    }
    let found = match message {
        Some(message) => Some(charter.find_message(message).ok_or(missing())?),
        None => charter.find_invitation(audience),
    };
    let reminders = charter.reminders();
    let reminder =
        message.and_then(|message| reminders.iter().find(|reminder| reminder.message == message));
    let is_to_enrolled = reminder.is_some_and(|reminder| reminder.to != ReminderTo::NotEnrolled);
    let base_url = cx.installation()?.base_url;
    let organization =
        store::organizations::find(cx.conn, program.organization)?.ok_or(missing())?;
    let link = if is_to_enrolled {
        format!("{base_url}/")
    } else {
        format!("{base_url}/invitations/accept#example&programme")
    };
    let today = cx.now.as_utc().date_naive();
    let words = Words {
        name: "Ana Example",
        program: &program.title,
        organization: &organization.name,
        link: &link,
        link_ends_on: (!is_to_enrolled).then_some(today),
        closes_on: cohort.closes_on,
    };
    let (subject, text) = write(found, reminder.is_some(), &words)?;
    Ok(MessagePreview {
        message: found.map(|message| message.id.to_owned()),
        language: found.and_then(|message| message.language).map(str::to_owned),
        subject,
        text,
    })
}
