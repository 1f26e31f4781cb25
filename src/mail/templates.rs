//! The letters, in plain words: what happened, what happens next, and by when.
//!
//! Each function returns subject and text. Whatever people typed is put on one line first, so that
//! a name cannot pretend to be a paragraph. A link stands alone on its line, whole.

use askama::Template;
use chrono::NaiveDate;

use crate::mail::message::one_line;

/// What an invitation says.
#[derive(Clone, Copy, Debug)]
pub struct Invitation<'a> {
    /// The person who is invited.
    pub name: &'a str,
    /// The organization to join.
    pub organization: &'a str,
    /// The person who invites, if the letter may say so.
    pub inviter: Option<&'a str>,
    /// The roles, as a person would say them: "an assessor".
    pub roles: &'a [&'a str],
    /// Where to accept.
    pub link: &'a str,
    /// The last day of the link.
    pub expires_on: NaiveDate,
}

/// Writes an invitation to join an organization.
pub fn invitation(invitation: &Invitation<'_>) -> Result<(String, String), askama::Error> {
    let organization = one_line(invitation.organization);
    let subject = format!("You are invited to join {organization}");
    let text = InvitationText {
        name: one_line(invitation.name),
        organization,
        inviter: invitation.inviter.map(one_line),
        roles: list_in_words(invitation.roles),
        link: one_link(invitation.link),
        expires_on: date_in_words(invitation.expires_on),
    };
    Ok((subject, text.render()?))
}

/// What the receipt of a submission says.
#[derive(Clone, Copy, Debug)]
pub struct SubmissionReceived<'a> {
    /// The earner.
    pub name: &'a str,
    /// The title of the micro-credential.
    pub title: &'a str,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// The day by which the earner is promised an answer.
    pub due_on: NaiveDate,
    /// Where to see how far it has come.
    pub link: &'a str,
}

/// Writes the receipt of a submission.
pub fn submission_received(
    received: &SubmissionReceived<'_>,
) -> Result<(String, String), askama::Error> {
    let title = one_line(received.title);
    let subject = format!("We have your submission for \"{title}\"");
    let text = SubmissionReceivedText {
        name: one_line(received.name),
        title,
        attempt: received.attempt,
        due_on: date_in_words(received.due_on),
        link: one_link(received.link),
    };
    Ok((subject, text.render()?))
}

/// What the news of a decision says.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// The earner.
    pub name: &'a str,
    /// The title of the micro-credential.
    pub title: &'a str,
    /// Whether it was earned; otherwise, not yet.
    pub earned: bool,
    /// Where to read the feedback.
    pub link: &'a str,
}

/// Writes the news of a decision.
pub fn decision(decision: &Decision<'_>) -> Result<(String, String), askama::Error> {
    let title = one_line(decision.title);
    let subject = if decision.earned {
        format!("You have earned \"{title}\"")
    } else {
        format!("Your feedback for \"{title}\" is ready")
    };
    let text = DecisionText {
        name: one_line(decision.name),
        title,
        earned: decision.earned,
        link: one_link(decision.link),
    };
    Ok((subject, text.render()?))
}

/// What the delivery of a badge says.
#[derive(Clone, Copy, Debug)]
pub struct Badge<'a> {
    /// The earner.
    pub name: &'a str,
    /// The title of the micro-credential.
    pub title: &'a str,
    /// Who issued it.
    pub organization: &'a str,
    /// The public page of the badge.
    pub link: &'a str,
}

/// Writes the delivery of a badge.
pub fn badge(badge: &Badge<'_>) -> Result<(String, String), askama::Error> {
    let title = one_line(badge.title);
    let subject = format!("Your badge: {title}");
    let text = BadgeText {
        name: one_line(badge.name),
        title,
        organization: one_line(badge.organization),
        link: one_link(badge.link),
    };
    Ok((subject, text.render()?))
}

/// Writes the news that badges were signed again, because the key was given up.
pub fn signed_again(
    name: &str,
    organization: &str,
    links: &[String],
) -> Result<(String, String), askama::Error> {
    let organization = one_line(organization);
    let subject = match links.len() {
        1 => format!("{organization} has signed your badge again"),
        _ => format!("{organization} has signed your badges again"),
    };
    let links = links.iter().map(|link| one_link(link)).collect();
    let text = SignedAgainText { name: one_line(name), organization, links };
    Ok((subject, text.render()?))
}

#[derive(Template)]
#[template(path = "signed_again.txt", config = "src/mail/templates/askama.toml")]
struct SignedAgainText {
    name: String,
    organization: String,
    links: Vec<String>,
}

#[derive(Template)]
#[template(path = "invitation.txt", config = "src/mail/templates/askama.toml")]
struct InvitationText {
    name: String,
    organization: String,
    inviter: Option<String>,
    roles: String,
    link: String,
    expires_on: String,
}

#[derive(Template)]
#[template(path = "submission_received.txt", config = "src/mail/templates/askama.toml")]
struct SubmissionReceivedText {
    name: String,
    title: String,
    attempt: u32,
    due_on: String,
    link: String,
}

#[derive(Template)]
#[template(path = "decision.txt", config = "src/mail/templates/askama.toml")]
struct DecisionText {
    name: String,
    title: String,
    earned: bool,
    link: String,
}

#[derive(Template)]
#[template(path = "badge.txt", config = "src/mail/templates/askama.toml")]
struct BadgeText {
    name: String,
    title: String,
    organization: String,
    link: String,
}

/// "28 November 2026": no reader can take the day for the month.
fn date_in_words(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

/// "a, b and c".
fn list_in_words(items: &[&str]) -> String {
    let items: Vec<String> = items.iter().copied().map(one_line).collect();
    match items.as_slice() {
        [] => "a member".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The link without anything that would break its line.
fn one_link(link: &str) -> String {
    link.chars().filter(|character| !character.is_whitespace() && !character.is_control()).collect()
}
