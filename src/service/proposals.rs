//! Proposals from everyone: a change to a published rubric or a charter, a public answer, and a draft that credits who had the idea.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::audit::Change;
use super::context::{Cx, above, new_uuid};
use super::definition_document::{self, Difference, differences};
use super::error::{Broken, Error, Fault};
use super::members::{check_email, check_name};
use super::micro_credentials::{Version, check_bank, version_from};
use super::{outbox, programs};
use crate::domain::ids::{
    MicroCredentialId, OrganizationId, PersonId, ProgramId, ProposalId, VersionId,
};
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::proposal::{ProposalEvent, ProposalOutcome, ProposalState, ProposalSubject};
use crate::domain::timestamp::Timestamp;
use crate::domain::version::VersionState;
use crate::mail::templates::{self as letters, AnsweredProposal};
use crate::store::outbox::OutboxRow;
use crate::store::people::Profile;
use crate::store::proposals::{ProposalQuery, SentBy};
use crate::store::{self, DbConn, StoreError};

pub use crate::store::proposals::{About, Proposal};

/// The mail that tells of the answer.
const ANSWERED: &str = "proposal_answered";

/// The fewest and the most characters of a proposal and of an answer.
const LENGTHS: (usize, usize) = (10, 4000);
/// The longest text that is proposed in the place of another.
const LONGEST_REPLACEMENT: usize = 8000;
/// So many proposals of visitors wait for one organization's look at most …
const MOST_WAITING: i64 = 200;
/// … and so many of them may come …
const MOST_AT_ONCE: usize = 20;
/// So many proposals of one person who has signed in may come …
const MOST_OF_ONE: usize = 10;
/// … and so many of all of them together for one organization …
const MOST_OF_ALL: usize = 50;
/// … within so long.
const WINDOW: TimeDelta = TimeDelta::minutes(10);
/// The address for the answer is kept so long after it.
pub const CONTACT_KEPT_DAYS: i64 = 30;
/// What nobody has looked at, or was refused, is kept for so long; so is the address for an answer that does not come.
pub const UNSEEN_KEPT_DAYS: i64 = 180;

/// What somebody proposes.
#[derive(Clone, Debug, Default)]
pub struct NewProposal {
    /// What to change and why, in words.
    pub text: String,
    /// A text of the definition, as an RFC 6901 pointer, and what is to stand in its place.
    pub replacement: Option<(String, String)>,
    /// Under which name to be credited.
    pub credit_name: Option<String>,
    /// Where a visitor wants to be told of the answer.
    pub email: Option<String>,
}

/// A proposal with what it would change, in words.
#[derive(Clone, Debug)]
pub struct ProposalDetail {
    /// The proposal.
    pub proposal: Proposal,
    /// What would be different in the version that it is about.
    pub differences: Vec<Difference>,
}

const fn hidden() -> Error {
    Error::Denied(Denied::Hidden("proposal"))
}

/// A rubric or a charter that people propose for.
struct Target {
    organization: OrganizationId,
    title: String,
    /// The definition; none of a charter, about which everything is said in words.
    definition: Option<Value>,
    /// Why nothing can be proposed any more or yet.
    closed: Option<&'static str>,
}

/// What a proposal is about, as long as the caller may read it.
fn target_for(cx: &mut Cx<'_>, subject: ProposalSubject) -> Result<Target, Error> {
    if let ProposalSubject::Charter(program) = subject {
        programs::find(cx, program)?;
    }
    target_of(cx.conn, subject)
}

fn target_of(conn: &mut DbConn, subject: ProposalSubject) -> Result<Target, Error> {
    match subject {
        ProposalSubject::Version { micro_credential, number } => {
            let version = version_of(conn, micro_credential, number)?;
            let is_retired = version.state == VersionState::Retired;
            Ok(Target {
                organization: version.organization,
                definition: Some(document_of(&version)?),
                title: version.title,
                closed: is_retired
                    .then_some("this version is retired; propose a change to the newest one"),
            })
        }
        ProposalSubject::Charter(program) => {
            let (program, _) = programs::load(conn, program)?;
            let is_public = program.state.is_public();
            Ok(Target {
                organization: program.organization,
                title: program.title,
                definition: None,
                closed: (!is_public)
                    .then_some("the charter is a draft; whoever works on it edits it"),
            })
        }
    }
}

/// The published version that can be proposed for.
fn version_of(conn: &mut DbConn, family: MicroCredentialId, number: i32) -> Result<Version, Error> {
    store::micro_credentials::find_version(conn, family, number)?
        .filter(|version| version.state.is_public())
        .ok_or(Error::Denied(Denied::Hidden("micro-credential")))
}

fn document_of(version: &Version) -> Result<Value, Error> {
    serde_json::from_str(&version.definition).map_err(Error::internal)
}

/// The definition with the text that is proposed, or what is wrong with the proposal.
fn replaced(definition: &Value, pointer: &str, proposed: &str) -> Result<Value, Vec<Fault>> {
    let mut changed = definition.clone();
    let Some(place) = changed.pointer_mut(pointer).filter(|value| value.is_string()) else {
        let detail = "the definition has no text at this place; name it by an RFC 6901 pointer";
        return Err(vec![Fault::new("/pointer", "unknown-place", detail)]);
    };
    *place = proposed.into();
    match definition_document::parse(&changed) {
        // The id stays the same in all versions, whoever proposes something else.
        Ok(_) if changed["id"] == definition["id"] && changed != *definition => Ok(changed),
        Ok(_) => {
            let detail = "this changes nothing, or what cannot be changed";
            Err(vec![Fault::new("/proposed", "no-change", detail)])
        }
        Err(errors) => Err(errors
            .into_iter()
            .map(|error| Fault::new("/proposed", error.code, error.detail))
            .collect()),
    }
}

fn fault_of_words(pointer: &str, text: &str) -> Option<Fault> {
    let (fewest, most) = LENGTHS;
    let n_characters = text.trim().chars().count();
    let is_control = |c: char| c.is_control() && c != '\n' && c != '\t';
    let is_text = (fewest..=most).contains(&n_characters) && !text.chars().any(is_control);
    (!is_text).then(|| {
        let detail = format!("write {fewest} to {most} characters, in your own words");
        Fault::new(pointer, "words", detail)
    })
}

fn check(new: &NewProposal, definition: Option<&Value>, is_visitor: bool) -> Result<(), Error> {
    let mut faults: Vec<Fault> = fault_of_words("/text", &new.text).into_iter().collect();
    let mut add = |result: Result<(), Error>| {
        if let Err(Error::Invalid { faults: found, .. }) = result {
            faults.extend(found);
        }
    };
    if let Some(name) = &new.credit_name {
        add(check_name(name, "/credit_name"));
    }
    match &new.email {
        Some(email) if is_visitor => add(check_email(email, "/email").map(|_| ())),
        Some(_) => add(Err(Error::invalid(
            "/email",
            "not-needed",
            "the answer goes to the address of your account; leave this out",
        ))),
        None => {}
    }
    if let Some((pointer, proposed)) = &new.replacement {
        let Some(definition) = definition else {
            let detail =
                "say in words what you would change in a charter; leave pointer and proposed out";
            faults.push(Fault::new("/pointer", "words-only", detail));
            return refuse(faults);
        };
        if proposed.chars().count() > LONGEST_REPLACEMENT {
            let detail = format!("a text has at most {LONGEST_REPLACEMENT} characters");
            faults.push(Fault::new("/proposed", "too-long", detail));
        } else if let Err(found) = replaced(definition, pointer, proposed) {
            faults.extend(found);
        }
    }
    refuse(faults)
}

fn refuse(faults: Vec<Fault>) -> Result<(), Error> {
    if faults.is_empty() {
        return Ok(());
    }
    let summary = "the proposal cannot be taken like this; each fault is listed".to_owned();
    Err(Error::Invalid { code: "invalid-proposal", summary, faults })
}

/// Refuses a visitor's proposal while too many wait for a look.
fn require_room(
    conn: &mut DbConn,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<(), Error> {
    let waiting = store::proposals::list_waiting_since(conn, organization, MOST_WAITING)?;
    if i64::try_from(waiting.len()).unwrap_or(i64::MAX) >= MOST_WAITING {
        return Err(Error::TooManyProposals { seconds: 3600 });
    }
    let recent: Vec<Timestamp> = waiting.into_iter().filter(|at| at.plus(WINDOW) > now).collect();
    require_fewer(&recent, MOST_AT_ONCE, now)
}

/// Refuses a proposal of somebody who has signed in while they, or all of them together, have just sent too many.
fn require_pause(
    conn: &mut DbConn,
    person: PersonId,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<(), Error> {
    for (by, most) in
        [(SentBy::Person(person), MOST_OF_ONE), (SentBy::AnybodyTo(organization), MOST_OF_ALL)]
    {
        let recent = store::proposals::list_sent_since(conn, by, now.minus(WINDOW))?;
        require_fewer(&recent, most, now)?;
    }
    Ok(())
}

/// Refuses one more when `most` came within the window; `recent` are those of the window, the newest first.
fn require_fewer(recent: &[Timestamp], most: usize, now: Timestamp) -> Result<(), Error> {
    match recent.get(most - 1) {
        Some(oldest) => {
            let left = (oldest.plus(WINDOW).as_utc() - now.as_utc()).num_seconds();
            Err(Error::TooManyProposals { seconds: u32::try_from(left).unwrap_or(1).max(1) })
        }
        None => Ok(()),
    }
}

/// `POST /micro-credentials/{id}/versions/{n}/proposals` and `POST /programs/{id}/proposals`: whoever has signed in is public at once, a
/// visitor waits for a look.
///
/// # Errors
/// [`Error::Invalid`] with every fault, [`Error::WrongState`] for a retired version or a charter that is a draft,
/// [`Error::TooManyProposals`].
pub fn create(
    cx: &mut Cx<'_>,
    subject: ProposalSubject,
    new: &NewProposal,
) -> Result<ProposalDetail, Error> {
    let target = target_for(cx, subject)?;
    if let Some(why) = target.closed {
        return Err(Error::WrongState { detail: why.to_owned(), allowed_events: Vec::new() });
    }
    let proposer = cx.actor.person();
    check(new, target.definition.as_ref(), proposer.is_none())?;
    let now = cx.now;
    let proposal = Proposal {
        id: ProposalId::from_uuid(new_uuid()),
        organization: target.organization,
        subject,
        state: if proposer.is_some() { ProposalState::Open } else { ProposalState::Waiting },
        text: new.text.trim().to_owned(),
        replacement: new.replacement.clone(),
        credit_name: new.credit_name.as_ref().map(|name| name.trim().to_owned()),
        proposer,
        answer: None,
        became: None,
        removed: None,
        revision: 1,
        created_at: now,
    };
    let email = match &new.email {
        Some(email) => Some(check_email(email, "/email")?),
        None => None,
    };
    cx.write(|conn| {
        match proposer {
            None => require_room(conn, target.organization, now)?,
            Some(person) => require_pause(conn, person, target.organization, now)?,
        }
        store::proposals::create(conn, &proposal, email.as_deref())?;
        let change =
            Change::new("create_proposal", Some(proposal.organization), "proposal", proposal.id)
                .with("state", proposal.state);
        Ok(((), change))
    })?;
    detail_of(cx.conn, proposal)
}

fn detail_of(conn: &mut DbConn, proposal: Proposal) -> Result<ProposalDetail, Error> {
    let differences = match &proposal.replacement {
        Some((pointer, proposed)) => match target_of(conn, proposal.subject)?.definition {
            Some(definition) => replaced(&definition, pointer, proposed)
                .map(|changed| differences(&definition, &changed))
                .unwrap_or_default(),
            None => Vec::new(),
        },
        None => Vec::new(),
    };
    Ok(ProposalDetail { proposal, differences })
}

fn subject_of(conn: &mut DbConn, proposal: &Proposal) -> Result<Subject, Error> {
    Ok(Subject {
        kind: "proposal",
        organization: proposal.organization,
        above: above(conn, proposal.organization)?,
        owner: proposal.proposer,
        assigned: None,
        visibility: if proposal.state.is_public() {
            Visibility::Public
        } else {
            Visibility::Private("read_hidden_proposal")
        },
    })
}

fn load(cx: &mut Cx<'_>, id: ProposalId) -> Result<(Proposal, Subject), Error> {
    let proposal = store::proposals::find(cx.conn, id)?.ok_or_else(hidden)?;
    let subject = subject_of(cx.conn, &proposal)?;
    Ok((proposal, subject))
}

/// `GET /proposals/{id}`: public once it is shown, before that for the design team.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not know of.
pub fn find(cx: &mut Cx<'_>, id: ProposalId) -> Result<ProposalDetail, Error> {
    let (proposal, subject) = load(cx, id)?;
    let operation =
        if proposal.state.is_public() { "read_proposal" } else { "read_hidden_proposal" };
    match policy::require(&cx.actor, operation, &subject) {
        // A stranger asking for what is not shown learns as little as a stranger asking for nothing.
        Err(Denied::Unauthenticated) => Err(hidden()),
        other => {
            other?;
            detail_of(cx.conn, proposal)
        }
    }
}

/// The organization whose rubric or charter it is, as long as the caller may read that.
fn owner_of(cx: &mut Cx<'_>, about: About) -> Result<OrganizationId, Error> {
    match about {
        About::MicroCredential(family) => {
            Ok(store::micro_credentials::find_newest(cx.conn, family, true)?
                .ok_or(Error::Denied(Denied::Hidden("micro-credential")))?
                .organization)
        }
        About::Charter(program) => Ok(programs::find(cx, program)?.organization),
    }
}

/// `GET /micro-credentials/{id}/proposals` and `GET /programs/{id}/proposals`: what is shown; for the design team also what waits or was
/// refused, if they ask for it.
///
/// # Errors
/// [`Error::Denied`] for a micro-credential or a programme that is not public, and for what only the design team sees.
pub fn list(
    cx: &mut Cx<'_>,
    about: About,
    state: Option<ProposalState>,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<ProposalDetail>, Error> {
    let organization = owner_of(cx, about)?;
    let states = match state {
        None => ProposalState::SHOWN.to_vec(),
        Some(state) => vec![state],
    };
    if states.iter().any(|state| !state.is_public()) {
        let subject = Subject {
            kind: "proposal",
            organization,
            above: above(cx.conn, organization)?,
            owner: None,
            assigned: None,
            visibility: Visibility::Public,
        };
        policy::require(&cx.actor, "read_hidden_proposal", &subject)?;
    }
    let query = ProposalQuery { about, states, after, limit };
    let found = store::proposals::list(cx.conn, &query)?;
    found.into_iter().map(|proposal| detail_of(cx.conn, proposal)).collect()
}

/// Changes a proposal in one transaction with the event in the trail.
fn change(
    cx: &mut Cx<'_>,
    id: ProposalId,
    operation: &'static str,
    event: ProposalEvent,
    mut work: impl FnMut(&mut DbConn, &mut Proposal) -> Result<(), Error>,
) -> Result<ProposalDetail, Error> {
    let (proposal, subject) = load(cx, id)?;
    policy::require(&cx.actor, operation, &subject)?;
    proposal.state.require(event)?;
    let by = cx.signed_in()?.person;
    let changed = cx.write(|conn| {
        let mut fresh = store::proposals::find(conn, id)?.ok_or_else(hidden)?;
        fresh.state.require(event)?;
        work(conn, &mut fresh)?;
        store::proposals::save(conn, &fresh, event, by)?;
        let change = Change::new(operation, Some(fresh.organization), "proposal", id)
            .with("state", fresh.state);
        fresh.revision += 1;
        Ok((fresh, change))
    })?;
    detail_of(cx.conn, changed)
}

/// `POST /proposals/{id}/moderation`: shows what a visitor has sent, or does not.
///
/// # Errors
/// [`Error::WrongState`] when somebody has decided that already.
pub fn moderate(cx: &mut Cx<'_>, id: ProposalId, show: bool) -> Result<ProposalDetail, Error> {
    let (event, next) = if show {
        (ProposalEvent::Show, ProposalState::Open)
    } else {
        (ProposalEvent::Refuse, ProposalState::Refused)
    };
    change(cx, id, "moderate_proposal", event, |_conn, proposal| {
        proposal.state = next;
        Ok(())
    })
}

/// `POST /proposals/{id}/answer`: the public answer. Whoever proposed it is told by mail.
///
/// # Errors
/// [`Error::Invalid`] without words, [`Error::WrongState`] for what is not shown or has its answer.
pub fn answer(
    cx: &mut Cx<'_>,
    id: ProposalId,
    outcome: ProposalOutcome,
    text: &str,
) -> Result<ProposalDetail, Error> {
    require_words(cx, id, "answer_proposal", "/answer", text)?;
    let now = cx.now;
    let host = outbox::message_host(&cx.installation()?.base_url);
    let answer = text.trim().to_owned();
    change(cx, id, "answer_proposal", ProposalEvent::Answer, |conn, proposal| {
        proposal.state = ProposalState::Answered;
        proposal.answer = Some((outcome, answer.clone(), now));
        let recipient = match proposal.proposer {
            Some(proposer) => Some(proposer),
            None if store::proposals::find_contact(conn, id)?.is_some() => {
                // Somebody without a name or an account; the address lies beside the proposal.
                let nobody = PersonId::from_uuid(new_uuid());
                store::seeds::create_nobody(conn, nobody, now)?;
                Some(nobody)
            }
            None => None,
        };
        if let Some(recipient) = recipient {
            let parameters = json!({ "proposal_id": id });
            outbox::enqueue(conn, ANSWERED, recipient, &host, &parameters, now)?;
        }
        Ok(())
    })
}

/// Refuses words of the design team that are none, once it is clear that they may say something.
fn require_words(
    cx: &mut Cx<'_>,
    id: ProposalId,
    operation: &'static str,
    pointer: &str,
    text: &str,
) -> Result<(), Error> {
    let Some(fault) = fault_of_words(pointer, text) else { return Ok(()) };
    let (_, subject) = load(cx, id)?;
    policy::require(&cx.actor, operation, &subject)?;
    let summary = fault.detail.clone();
    Err(Error::Invalid { code: "invalid-answer", summary, faults: vec![fault] })
}

/// `POST /proposals/{id}/removal`: takes down what is shown. Its words, its name and the address are gone for good; that there was something,
/// the reason and an answer that was given stay.
///
/// # Errors
/// [`Error::Invalid`] without a reason, [`Error::WrongState`] for what is not shown.
pub fn remove(cx: &mut Cx<'_>, id: ProposalId, reason: &str) -> Result<ProposalDetail, Error> {
    require_words(cx, id, "remove_proposal", "/reason", reason)?;
    let now = cx.now;
    let reason = reason.trim().to_owned();
    change(cx, id, "remove_proposal", ProposalEvent::Remove, |_conn, proposal| {
        proposal.state = ProposalState::Removed;
        proposal.text = String::new();
        proposal.replacement = None;
        proposal.credit_name = None;
        proposal.removed = Some((reason.clone(), now));
        Ok(())
    })
}

/// `POST /proposals/{id}/draft`: the next version as a draft, with the text that was proposed. Its author is one of the authors, and is
/// credited with it.
///
/// # Errors
/// [`Error::AlreadyThere`] while another draft is open, [`Error::Invalid`] when the text is not there any more.
pub fn draft(cx: &mut Cx<'_>, id: ProposalId) -> Result<ProposalDetail, Error> {
    let (author, now) = (cx.signed_in()?.person, cx.now);
    let version_id = VersionId::from_uuid(new_uuid());
    change(cx, id, "draft_proposal", ProposalEvent::Draft, |conn, proposal| {
        if proposal.became.is_some() {
            let detail = "this proposal has become a draft already".to_owned();
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        }
        let ProposalSubject::Version { micro_credential, number } = proposal.subject else {
            let detail = "the charter of a programme is fixed once it is open; answer the proposal, and take it up in the next charter".to_owned();
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        };
        let family = store::micro_credentials::find(conn, micro_credential)?.ok_or_else(hidden)?;
        let newest =
            store::micro_credentials::find_newest(conn, family.id, false)?.ok_or_else(hidden)?;
        let base =
            store::micro_credentials::find_newest(conn, family.id, true)?.ok_or_else(hidden)?;
        let mut definition = document_of(&base)?;
        if let Some((pointer, proposed)) = &proposal.replacement {
            let about = document_of(&version_of(conn, family.id, number)?)?;
            if about.pointer(pointer) != definition.pointer(pointer) {
                let detail = "the text that it is about has changed since; start a draft by hand";
                return Err(Error::invalid("", "text-changed", detail));
            }
            definition = replaced(&definition, pointer, proposed).map_err(|faults| {
                let summary = "the text does not fit any more".to_owned();
                Error::Invalid { code: "invalid-proposal", summary, faults }
            })?;
        }
        let parsed = definition_document::parse(&definition)
            .map_err(|_errors| Error::internal(Broken("a definition that was checked")))?;
        check_bank(conn, &definition)?;
        let version = version_from(version_id, &family, newest.number + 1, &parsed);
        match store::micro_credentials::create_version(conn, &version, author, now) {
            Err(StoreError::Duplicate(_)) => {
                let detail =
                    "a version that is not published is open already; finish that one first";
                return Err(Error::AlreadyThere { code: "draft-open", detail: detail.to_owned() });
            }
            other => other?,
        }
        if let Some(proposer) = proposal.proposer {
            store::micro_credentials::add_author(conn, version.id, proposer)?;
        }
        proposal.became = Some(version.number);
        Ok(())
    })
}

/// Whose proposals a version began as, by the names under which they want to be credited; `None` for somebody who does not want to be named.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn credits(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
) -> Result<Vec<Option<String>>, Error> {
    Ok(store::proposals::list_credits(cx.conn, family, number)?)
}

/// The page on which a proposal is public with its answer.
#[must_use]
pub fn page_path(subject: ProposalSubject) -> String {
    match subject {
        ProposalSubject::Version { micro_credential, number } => {
            format!("/achievements/{micro_credential}/versions/{number}/proposals")
        }
        ProposalSubject::Charter(program) => format!("/programs/{program}/proposals"),
    }
}

/// The answers to proposals about a charter, for its change log.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn list_answers(conn: &mut DbConn, program: ProgramId) -> Result<Vec<Proposal>, Error> {
    Ok(store::proposals::list_answers(conn, program)?)
}

#[derive(Deserialize)]
struct Parameters {
    proposal_id: ProposalId,
}

/// A visitor who is to be told of an answer, as a mail needs them. None for mails of other kinds.
pub(super) fn recipient(conn: &mut DbConn, row: &OutboxRow) -> Result<Option<Profile>, Error> {
    if row.kind != ANSWERED {
        return Ok(None);
    }
    let p: Parameters = outbox::parse(row)?;
    let Some(proposal) = store::proposals::find(conn, p.proposal_id)? else { return Ok(None) };
    let email = store::proposals::find_contact(conn, p.proposal_id)?;
    let name = proposal.credit_name.unwrap_or_else(|| "and thank you".to_owned());
    Ok(email.map(|email| Profile { person: row.person, name, email }))
}

/// Writes the letter of a row: subject and text. None for a kind that is not of this module.
pub(super) fn render(
    cx: &mut Cx<'_>,
    kind: &str,
    row: &OutboxRow,
    name: &str,
    base_url: &str,
) -> Result<Option<(String, String)>, Error> {
    if kind != ANSWERED {
        return Ok(None);
    }
    let p: Parameters = outbox::parse(row)?;
    let Some(proposal) = store::proposals::find(cx.conn, p.proposal_id)? else { return Ok(None) };
    let Some((outcome, answer, _)) = &proposal.answer else { return Ok(None) };
    let target = target_of(cx.conn, proposal.subject)?;
    let link = format!("{base_url}{}", page_path(proposal.subject));
    let letter = letters::proposal_answered(&AnsweredProposal {
        name,
        title: &target.title,
        outcome: *outcome,
        answer,
        link: &link,
    });
    Ok(Some(letter.map_err(Error::internal)?))
}
