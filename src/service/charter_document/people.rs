//! What a charter says of people: its cohorts with their windows, the messages they get, and when they are reminded.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{CharterFinding, MessageEntry, NamedDefinition, ParsedCharter, day};
use crate::domain::cohort::{ReminderTo, unknown_placeholder};

/// The id of the message that invites where none is marked as doing so.
const INVITE: &str = "invite";

/// People who are invited together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// Its id in the charter.
    pub id: String,
    /// Its name.
    pub label: String,
    /// The audiences that it is for.
    pub audiences: Vec<String>,
    /// What its people can earn.
    pub definitions: Vec<NamedDefinition>,
    /// For how many people it is planned; none where the charter does not say.
    pub places: Option<u64>,
    /// The first day on which they can begin.
    pub opens_on: NaiveDate,
    /// The last day.
    pub closes_on: NaiveDate,
}

/// A message in the organization's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its id in the charter.
    pub id: &'a str,
    /// In which language, as a tag of BCP 47.
    pub language: Option<&'a str>,
    /// Its subject.
    pub subject: Option<&'a str>,
    /// Its text.
    pub text: Option<&'a str>,
}

/// A mail by the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminder<'a> {
    /// Its id in the charter.
    pub id: &'a str,
    /// Which message.
    pub message: &'a str,
    /// To whom.
    pub to: ReminderTo,
    /// So many days before each person's last one.
    pub days_before_close: u64,
}

fn message_of(message: &MessageEntry) -> Message<'_> {
    Message {
        id: &message.id,
        language: message.language.as_deref(),
        subject: message.subject.as_deref(),
        text: message.text.as_deref(),
    }
}

impl ParsedCharter {
    /// A cohort by its id, when its window is known.
    #[must_use]
    pub fn find_cohort(&self, id: &str) -> Option<Cohort> {
        let (index, cohort) =
            self.document.cohorts.iter().enumerate().find(|(_, cohort)| cohort.id == id)?;
        let window = cohort.window.as_ref().or(self.document.window.as_ref())?;
        let prefix = format!("/cohorts/{index}/");
        let definitions = self.named_definitions().into_iter();
        Some(Cohort {
            id: cohort.id.clone(),
            label: cohort.label.clone(),
            audiences: cohort.audience.clone(),
            places: cohort.places,
            definitions: definitions.filter(|one| one.pointer.starts_with(&prefix)).collect(),
            opens_on: day(&window.opens_on)?,
            closes_on: day(&window.closes_on)?,
        })
    }

    /// The ids of all cohorts, in the order of the charter.
    pub fn cohort_ids(&self) -> impl Iterator<Item = &str> {
        self.document.cohorts.iter().map(|cohort| cohort.id.as_str())
    }

    /// A message by its id.
    #[must_use]
    pub fn find_message(&self, id: &str) -> Option<Message<'_>> {
        self.document.communications.iter().find(|one| one.id == id).map(message_of)
    }

    /// The message that invites people of an audience: one that is for them, else one for everybody, else the one whose id is `invite`.
    #[must_use]
    pub fn find_invitation(&self, audience: &str) -> Option<Message<'_>> {
        let all = &self.document.communications;
        let invites = |one: &&MessageEntry| one.purpose.as_deref() == Some("invitation");
        let is_theirs = |one: &&MessageEntry| one.audiences.iter().any(|known| known == audience);
        all.iter()
            .filter(invites)
            .find(is_theirs)
            .or_else(|| all.iter().filter(invites).find(|one| one.audiences.is_empty()))
            .or_else(|| all.iter().find(|one| one.id == INVITE))
            .map(message_of)
    }

    /// What the charter wants to reach, by the id of the metric: basis points of a share, or a count.
    #[must_use]
    pub fn targets(&self) -> Vec<(&str, i64)> {
        let all = self.document.metrics.iter();
        all.filter_map(|one| Some((one.id.as_str(), one.target_bp.or(one.target)?))).collect()
    }

    /// Whether a message speaks to an audience.
    #[must_use]
    pub fn is_for(&self, message: &str, audience: &str) -> bool {
        self.document.communications.iter().any(|one| {
            one.id == message
                && (one.audiences.is_empty() || one.audiences.iter().any(|own| own == audience))
        })
    }

    /// Every reminder, in the order of the charter.
    #[must_use]
    pub fn reminders(&self) -> Vec<Reminder<'_>> {
        let all = self.document.reminders.iter();
        all.filter_map(|one| {
            Some(Reminder {
                id: &one.id,
                message: &one.message,
                to: ReminderTo::parse(&one.to)?,
                days_before_close: one.days_before_close,
            })
        })
        .collect()
    }

    /// What keeps messages and reminders from being sent.
    pub(super) fn findings_of_messages(&self, found: &mut Vec<CharterFinding>) {
        let mut push = |pointer, code, detail| found.push(CharterFinding { pointer, code, detail });
        let known: BTreeSet<&str> = self
            .document
            .cohorts
            .iter()
            .flat_map(|cohort| cohort.audience.iter().map(String::as_str))
            .collect();
        for (index, message) in self.document.communications.iter().enumerate() {
            for (name, text) in [("subject", &message.subject), ("text", &message.text)] {
                if text.as_deref().is_some_and(|text| unknown_placeholder(text).is_some()) {
                    push(
                        format!("/communications/{index}/{name}"),
                        "unknown_placeholder",
                        "A word in braces is filled in by the service; there are {name}, {programme}, {organization}, {link}, {link_ends_on} and {closes_on}.",
                    );
                }
            }
            for (at, audience) in message.audiences.iter().enumerate() {
                if !known.contains(audience.as_str()) {
                    push(
                        format!("/communications/{index}/for/{at}"),
                        "unknown_audience",
                        "No cohort has this audience.",
                    );
                }
            }
        }
        for (index, reminder) in self.document.reminders.iter().enumerate() {
            if self.find_message(&reminder.message).is_none() {
                push(
                    format!("/reminders/{index}/message"),
                    "unknown_message",
                    "No message has this id.",
                );
            }
        }
    }
}
