//! The letters, in plain words: what happened, what happens next, and by when.
//!
//! Each function returns subject and text. Whatever people typed is put on one line first, so that
//! a name cannot pretend to be a paragraph. A link stands alone on its line, whole.

use askama::Template;
use chrono::NaiveDate;

use crate::domain::award::RevocationClass;
use crate::domain::cohort::fill;
use crate::domain::eligibility::EligibilityRule;
use crate::domain::proposal::ProposalOutcome;
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

/// What the mail about the answer to a proposal says.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredProposal<'a> {
    /// Whoever proposed it.
    pub name: &'a str,
    /// The title of the micro-credential.
    pub title: &'a str,
    /// What was decided.
    pub outcome: ProposalOutcome,
    /// The answer.
    pub answer: &'a str,
    /// Where both are public.
    pub link: &'a str,
}

/// Writes that a proposal has its answer.
///
/// # Errors
/// When the template cannot be filled in.
pub fn proposal_answered(
    answered: &AnsweredProposal<'_>,
) -> Result<(String, String), askama::Error> {
    let title = one_line(answered.title);
    let subject = format!("An answer to your proposal for \"{title}\"");
    let outcome = match answered.outcome {
        ProposalOutcome::Adopted => "it is taken up",
        ProposalOutcome::Partly => "it is taken up in part",
        ProposalOutcome::Declined => "it is not taken up",
    };
    let text = ProposalAnsweredText {
        name: one_line(answered.name),
        title,
        outcome,
        answer: one_line(answered.answer),
        link: one_link(answered.link),
    };
    Ok((subject, text.render()?))
}

#[derive(Template)]
#[template(path = "proposal_answered.txt", config = "src/mail/templates/askama.toml")]
struct ProposalAnsweredText {
    name: String,
    title: String,
    outcome: &'static str,
    answer: String,
    link: String,
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
    /// Whether the earner holds the badge already, so that no other is made.
    pub is_held: bool,
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
        is_held: decision.is_held,
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

/// What a letter about an award that its earner holds already says first: which, and whom to ask.
#[derive(Clone, Copy, Debug)]
pub struct AboutAward<'a> {
    /// The earner.
    pub name: &'a str,
    /// The title of the micro-credential.
    pub title: &'a str,
    /// Whose micro-credential it is.
    pub organization: &'a str,
    /// The public page of the badge.
    pub link: &'a str,
}

/// Writes the news that a badge is suspended.
pub fn award_suspended(about: &AboutAward<'_>) -> Result<(String, String), askama::Error> {
    let about = AwardText::from(about);
    let subject = format!("Your badge is suspended: {}", about.title);
    Ok((subject, AwardSuspendedText { about }.render()?))
}

/// What became of a badge whose suspension is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSuspension {
    /// It holds again.
    InForce,
    /// Its end has passed meanwhile.
    Expired,
    /// A newer one has taken its place meanwhile.
    Superseded,
}

/// Writes the news that the suspension of a badge is over.
pub fn award_reinstated(
    about: &AboutAward<'_>,
    after: AfterSuspension,
) -> Result<(String, String), askama::Error> {
    let about = AwardText::from(about);
    let subject = format!("Your badge is no longer suspended: {}", about.title);
    Ok((subject, AwardReinstatedText { about, after }.render()?))
}

/// Writes the news that the badge of a stack is suspended because a part of it fell; until this day another one may take its place.
pub fn stack_part_fell(
    about: &AboutAward<'_>,
    until: NaiveDate,
) -> Result<(String, String), askama::Error> {
    let about = AwardText::from(about);
    let subject = format!("A part of your badge no longer counts: {}", about.title);
    let until = date_in_words(until);
    Ok((subject, StackPartFellText { about, until }.render()?))
}

/// Writes the news that the badge of a stack is in force again.
pub fn stack_is_back(about: &AboutAward<'_>) -> Result<(String, String), askama::Error> {
    let about = AwardText::from(about);
    let subject = format!("Your badge counts again: {}", about.title);
    Ok((subject, StackIsBackText { about }.render()?))
}

/// Writes the news that a badge is revoked. It tells the class of the reason, as the badge's page does, and never more.
pub fn award_revoked(
    about: &AboutAward<'_>,
    class: RevocationClass,
) -> Result<(String, String), askama::Error> {
    let about = AwardText::from(about);
    let subject = format!("Your badge is revoked: {}", about.title);
    Ok((subject, AwardRevokedText { about, class }.render()?))
}

/// When a badge ends, and until when it can be renewed, if it can.
#[derive(Clone, Copy, Debug)]
pub struct EndOfAward {
    /// The day on which it ends.
    pub ends_on: NaiveDate,
    /// The last day for a renewal.
    pub renewable_until: Option<NaiveDate>,
}

/// Writes the reminder that a badge ends soon.
pub fn award_ending(
    about: &AboutAward<'_>,
    end: &EndOfAward,
) -> Result<(String, String), askama::Error> {
    let about = AwardText::from(about);
    let ends_on = date_in_words(end.ends_on);
    let subject = format!("Your badge ends on {ends_on}: {}", about.title);
    let renewable_until = end.renewable_until.map(date_in_words);
    Ok((subject, AwardEndingText { about, ends_on, renewable_until }.render()?))
}

/// The same on one line each.
struct AwardText {
    name: String,
    title: String,
    organization: String,
    link: String,
}

impl From<&AboutAward<'_>> for AwardText {
    fn from(about: &AboutAward<'_>) -> AwardText {
        AwardText {
            name: one_line(about.name),
            title: one_line(about.title),
            organization: one_line(about.organization),
            link: one_link(about.link),
        }
    }
}

#[derive(Template)]
#[template(path = "award_suspended.txt", config = "src/mail/templates/askama.toml")]
struct AwardSuspendedText {
    about: AwardText,
}

#[derive(Template)]
#[template(path = "award_reinstated.txt", config = "src/mail/templates/askama.toml")]
struct AwardReinstatedText {
    about: AwardText,
    after: AfterSuspension,
}

#[derive(Template)]
#[template(path = "stack_part_fell.txt", config = "src/mail/templates/askama.toml")]
struct StackPartFellText {
    about: AwardText,
    until: String,
}

#[derive(Template)]
#[template(path = "stack_is_back.txt", config = "src/mail/templates/askama.toml")]
struct StackIsBackText {
    about: AwardText,
}

#[derive(Template)]
#[template(path = "award_revoked.txt", config = "src/mail/templates/askama.toml")]
struct AwardRevokedText {
    about: AwardText,
    class: RevocationClass,
}

#[derive(Template)]
#[template(path = "award_ending.txt", config = "src/mail/templates/askama.toml")]
struct AwardEndingText {
    about: AwardText,
    ends_on: String,
    renewable_until: Option<String>,
}

/// Writes to a coordinator that work waits longer than was promised.
pub fn overdue_work(
    name: &str,
    count: u32,
    oldest: NaiveDate,
    link: &str,
) -> Result<(String, String), askama::Error> {
    let subject = match count {
        1 => "A submission waits longer than was promised".to_owned(),
        _ => format!("{count} submissions wait longer than was promised"),
    };
    let oldest = date_in_words(oldest);
    let text = OverdueWorkText { name: one_line(name), count, oldest, link: one_link(link) };
    Ok((subject, text.render()?))
}

#[derive(Template)]
#[template(path = "overdue_work.txt", config = "src/mail/templates/askama.toml")]
struct OverdueWorkText {
    name: String,
    count: u32,
    oldest: String,
    link: String,
}

/// Writes to a coordinator that no assessor may take some work: how much, and which rule keeps assessors from how much of it.
pub fn blocked_work(
    name: &str,
    count: u32,
    without_assessors: u32,
    rules: &[(EligibilityRule, u32)],
    link: &str,
) -> Result<(String, String), askama::Error> {
    let subject = match count {
        1 => "A submission waits that no assessor may take".to_owned(),
        _ => format!("{count} submissions wait that no assessor may take"),
    };
    let rules = rules
        .iter()
        .map(|(rule, count)| BlockingLine {
            rule: rule.as_str(),
            words: rule.in_words(),
            count: *count,
        })
        .collect();
    let text = BlockedWorkText {
        name: one_line(name),
        count,
        without_assessors,
        rules,
        link: one_link(link),
    };
    Ok((subject, text.render()?))
}

struct BlockingLine {
    rule: &'static str,
    words: &'static str,
    count: u32,
}

#[derive(Template)]
#[template(path = "blocked_work.txt", config = "src/mail/templates/askama.toml")]
struct BlockedWorkText {
    name: String,
    count: u32,
    without_assessors: u32,
    rules: Vec<BlockingLine>,
    link: String,
}

/// What has happened to an office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfficeEvent {
    /// Nobody holds it any more.
    Vacant,
    /// Nobody who holds it can be reached.
    Unreachable,
    /// Somebody was given it on the server.
    Recovered,
}

/// What a letter about an office says.
#[derive(Clone, Copy, Debug)]
pub struct Office<'a> {
    /// Who gets the letter.
    pub name: &'a str,
    /// Whose office it is.
    pub organization: &'a str,
    /// Who holds it, with an article.
    pub role: &'a str,
    /// What they do.
    pub purpose: &'a str,
    /// Who was given it.
    pub who: Option<&'a str>,
    /// Where to see who holds what.
    pub link: &'a str,
}

/// Writes to an administrator about an office.
///
/// # Errors
/// When the template cannot be filled in.
pub fn office(event: OfficeEvent, of: &Office<'_>) -> Result<(String, String), askama::Error> {
    let organization = one_line(of.organization);
    let role = of.role;
    let subject = match event {
        OfficeEvent::Vacant => format!("{organization} needs {role}"),
        OfficeEvent::Unreachable => format!("{organization} needs {role} who can be reached"),
        OfficeEvent::Recovered => format!("Somebody was made {role} of {organization}"),
    };
    let text = OfficeText {
        name: one_line(of.name),
        organization,
        role: one_line(role),
        purpose: one_line(of.purpose),
        who: one_line(of.who.unwrap_or("somebody")),
        link: one_link(of.link),
        is_vacant: event == OfficeEvent::Vacant,
        is_recovered: event == OfficeEvent::Recovered,
    };
    Ok((subject, text.render()?))
}

#[derive(Template)]
#[template(path = "office.txt", config = "src/mail/templates/askama.toml")]
struct OfficeText {
    name: String,
    organization: String,
    role: String,
    purpose: String,
    who: String,
    link: String,
    is_vacant: bool,
    is_recovered: bool,
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

/// What a mail of a programme says.
#[derive(Clone, Copy, Debug)]
pub struct ProgramMessage<'a> {
    /// Who gets the letter.
    pub name: &'a str,
    /// The title of the programme.
    pub program: &'a str,
    /// Who runs it.
    pub organization: &'a str,
    /// The subject in the organization's own words.
    pub subject: Option<&'a str>,
    /// The text in the organization's own words.
    pub text: Option<&'a str>,
    /// Whether it reminds of something that was said before.
    pub is_reminder: bool,
    /// Where to take part, or to go on.
    pub link: &'a str,
    /// The last day of the link, where it is the receiver's alone.
    pub link_ends_on: Option<NaiveDate>,
    /// The last day on which the receiver can begin.
    pub closes_on: NaiveDate,
}

/// Writes a mail of a programme. A text that has `{link}` in it is the whole letter, in the organization's own language; any other is put
/// between our greeting and our link. Days are written as 2027-03-01 where we do not know the language.
///
/// # Errors
/// When the template cannot be filled in.
pub fn program_message(message: &ProgramMessage<'_>) -> Result<(String, String), askama::Error> {
    let link = one_link(message.link);
    let value_of = |word: &str| match word {
        "name" => Some(one_line(message.name)),
        "programme" => Some(one_line(message.program)),
        "organization" => Some(one_line(message.organization)),
        "link" => Some(link.clone()),
        "link_ends_on" => Some(message.link_ends_on.unwrap_or(message.closes_on).to_string()),
        "closes_on" => Some(message.closes_on.to_string()),
        _ => None,
    };
    let program = one_line(message.program);
    let subject = match message.subject {
        Some(subject) => one_line(&fill(subject, value_of)),
        None if message.is_reminder => format!("A reminder: {program}"),
        None => format!("You are invited: {program}"),
    };
    let own = "You are invited to show what you do well and to be answered with useful feedback.";
    let text = message.text.unwrap_or(own);
    if text.contains("{link}") {
        return Ok((subject, fill(text, value_of)));
    }
    let letter = ProgramMessageText {
        name: one_line(message.name),
        words: fill(text, value_of),
        organization: one_line(message.organization),
        link: link.clone(),
        link_ends_on: message.link_ends_on.map(date_in_words),
        closes_on: date_in_words(message.closes_on),
    };
    Ok((subject, letter.render()?))
}

#[derive(Template)]
#[template(path = "program_message.txt", config = "src/mail/templates/askama.toml")]
struct ProgramMessageText {
    name: String,
    words: String,
    organization: String,
    link: String,
    link_ends_on: Option<String>,
    closes_on: String,
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
    is_held: bool,
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
pub(super) fn date_in_words(date: NaiveDate) -> String {
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
pub(super) fn one_link(link: &str) -> String {
    link.chars().filter(|character| !character.is_whitespace() && !character.is_control()).collect()
}
