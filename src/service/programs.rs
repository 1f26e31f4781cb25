//! Programmes: the charter, the group's approval of it, and the way from draft to closed.

use serde_json::Value;

use super::approvals::{self, Voter};
use super::audit::Change;
use super::charter_document::{self, ParsedCharter};
use super::cohorts::charter_of;
use super::context::{Cx, above, new_uuid, organizations_under, people_with};
use super::definition_document::FieldError;
use super::error::{Error, Fault};
use super::program_readiness;
use super::proposals::{self, Proposal};
use crate::domain::actor::Actor;
use crate::domain::ids::{OrganizationId, PersonId, ProgramId, ProposalId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::program::{ProgramEvent, ProgramGuard, ProgramState};
use crate::domain::proposal::{ProposalEvent, ProposalOutcome};
use crate::domain::timestamp::Timestamp;
use crate::domain::version::{ApprovalRule, Vote};
use crate::store::approvals::{ApprovalSubject, LoggedVote};
use crate::store::programs::ProgramChange;
use crate::store::{self, DbConn, StoreError};

pub use crate::store::programs::Program;

/// The most characters of a reason.
const LONGEST_REASON: usize = 2000;

const fn hidden() -> Error {
    Error::Denied(Denied::Hidden("programme"))
}

fn fault_of(error: FieldError) -> Fault {
    Fault::new(format!("/charter{}", error.pointer), error.code, error.detail)
}

fn parse(charter: &Value) -> Result<ParsedCharter, Error> {
    charter_document::parse(charter).map_err(|errors| Error::Invalid {
        code: "invalid-charter",
        summary: "the charter does not follow the schema; each fault is listed".to_owned(),
        faults: errors.into_iter().map(fault_of).collect(),
    })
}

fn findings_of(parsed: &ParsedCharter) -> Vec<Fault> {
    let findings = parsed.findings().into_iter();
    findings
        .map(|found| Fault::new(format!("/charter{}", found.pointer), found.code, found.detail))
        .collect()
}

fn check_reason(reason: &str) -> Result<(), Error> {
    if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail =
            format!("say why in 1 to {LONGEST_REASON} characters; the change log repeats it");
        return Err(Error::invalid("/reason", "reason", detail));
    }
    Ok(())
}

/// What is wrong with a charter: against the schema, and against what rehearsing asks.
///
/// # Errors
/// [`Error::Denied`] for somebody who writes charters nowhere.
pub fn validate(
    cx: &mut Cx<'_>,
    charter: &Value,
) -> Result<(Vec<Fault>, Option<ParsedCharter>), Error> {
    policy::require_somewhere(&cx.actor, "validate_charter")?;
    match charter_document::parse(charter) {
        Ok(parsed) => Ok((findings_of(&parsed), Some(parsed))),
        Err(errors) => Ok((errors.into_iter().map(fault_of).collect(), None)),
    }
}

/// `POST /programs`: a programme with the draft of its charter.
///
/// # Errors
/// [`Error::Invalid`] when the charter does not follow the schema, [`Error::AlreadyThere`] for an id the organization has.
pub fn create(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    charter: &Value,
) -> Result<Program, Error> {
    let (_, organization_subject) = super::organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_program", &organization_subject)?;
    let parsed = parse(charter)?;
    let author = cx.signed_in()?.person;
    let now = cx.now;
    let program = draft_of(organization, &parsed);
    cx.write(|conn| {
        insert(conn, &program, author, now)?;
        Ok((program.clone(), change_of("create_program", &program)))
    })
}

/// A programme with the draft of its charter, not stored yet.
pub(super) fn draft_of(organization: OrganizationId, parsed: &ParsedCharter) -> Program {
    Program {
        id: ProgramId::from_uuid(new_uuid()),
        organization,
        slug: parsed.slug.clone(),
        title: parsed.title.clone(),
        state: ProgramState::Draft,
        charter: parsed.canonical.clone(),
        content_hash: parsed.content_hash.clone(),
        revision: 1,
        opened_at: None,
        closed_at: None,
    }
}

/// Stores a new programme with the first line of its log.
///
/// # Errors
/// [`Error::AlreadyThere`] for an id the organization has.
pub(super) fn insert(
    conn: &mut DbConn,
    program: &Program,
    author: PersonId,
    now: Timestamp,
) -> Result<(), Error> {
    match store::programs::create(conn, program, author, now) {
        Err(StoreError::Duplicate(_)) => {
            let detail = format!(
                "the organization has a programme {}; give the charter an id of its own",
                program.slug
            );
            return Err(Error::AlreadyThere { code: "slug-taken", detail });
        }
        other => other?,
    }
    record(conn, program, "create", "", author, now)
}

fn change_of(operation: &'static str, program: &Program) -> Change {
    Change::new(operation, Some(program.organization), "program", program.id)
        .with("content_hash", &program.content_hash)
        .with("state", program.state)
}

fn record(
    conn: &mut DbConn,
    program: &Program,
    event: &str,
    reason: &str,
    person: PersonId,
    now: Timestamp,
) -> Result<(), Error> {
    let line = ProgramChange {
        id: new_uuid().to_string(),
        event: event.to_owned(),
        reason: reason.trim().to_owned(),
        content_hash: program.content_hash.clone(),
        person,
        happened_at: now,
    };
    Ok(store::programs::create_change(conn, program.id, &line)?)
}

/// A programme and the policy subject of it: public once open, before that for its team.
pub(super) fn load(conn: &mut DbConn, id: ProgramId) -> Result<(Program, Subject), Error> {
    let program = store::programs::find(conn, id)?.ok_or_else(hidden)?;
    let subject = Subject {
        kind: "programme",
        organization: program.organization,
        above: above(conn, program.organization)?,
        owner: None,
        assigned: None,
        visibility: if program.state.is_public() {
            Visibility::Public
        } else {
            Visibility::Private("read_draft_program")
        },
    };
    Ok((program, subject))
}

/// What the team of a programme believes, by its charter.
///
/// # Errors
/// [`Error::Internal`] for a stored charter that does not parse.
pub fn theory_of_action(program: &Program) -> Result<String, Error> {
    Ok(charter_of(program)?.theory_of_action().to_owned())
}

fn require_reading(actor: &Actor, program: &Program, subject: &Subject) -> Result<(), Error> {
    let operation = if program.state.is_public() { "read_program" } else { "read_draft_program" };
    match policy::require(actor, operation, subject) {
        // A stranger asking for a draft learns as little as a stranger asking for nothing.
        Err(Denied::Unauthenticated) => Err(hidden()),
        other => Ok(other?),
    }
}

/// `GET /programs/{id}`: public once it is open, before that for its team.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not know of.
pub fn find(cx: &mut Cx<'_>, id: ProgramId) -> Result<Program, Error> {
    let (program, subject) = load(cx.conn, id)?;
    require_reading(&cx.actor, &program, &subject)?;
    Ok(program)
}

/// `GET /programs`: public ones, and those that the caller works on.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn list(
    cx: &mut Cx<'_>,
    organization: Option<OrganizationId>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Program>, Error> {
    let mut readable = Vec::new();
    // The roles of `read_draft_program`: a list shows what single reads show.
    for role in [Role::Designer, Role::Coordinator] {
        readable.extend(organizations_under(cx.conn, &cx.actor, role)?);
    }
    Ok(store::programs::list(cx.conn, organization, &readable, after, limit)?)
}

/// `PUT /programs/{id}`: replaces the charter; every vote on it is void, and a rehearsal is over.
///
/// # Errors
/// [`Error::Stale`], [`Error::WrongState`] once it is open, [`Error::Invalid`].
pub fn edit(
    cx: &mut Cx<'_>,
    id: ProgramId,
    charter: &Value,
    reason: &str,
    revision: i32,
) -> Result<Program, Error> {
    let (current, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "put_program", &subject)?;
    current.state.require(ProgramEvent::Edit)?;
    let parsed = parse(charter)?;
    check_reason(reason)?;
    if parsed.slug != current.slug {
        let detail = format!(
            "the id of a charter stays the same as long as the programme: {}",
            current.slug
        );
        return Err(Error::invalid("/charter/id", "slug-changed", detail));
    }
    let author = cx.signed_in()?.person;
    let now = cx.now;
    cx.write(|conn| {
        let fresh = store::programs::find(conn, id)?.ok_or_else(hidden)?;
        let transition = fresh.state.require(ProgramEvent::Edit)?;
        let edited = Program {
            title: parsed.title.clone(),
            state: transition.to,
            charter: parsed.canonical.clone(),
            content_hash: parsed.content_hash.clone(),
            ..fresh
        };
        store::programs::save_edit(conn, &edited, revision, author, now)?;
        record(conn, &edited, ProgramEvent::Edit.as_str(), reason, author, now)?;
        let change = change_of(transition.operation, &edited);
        Ok((Program { revision: revision + 1, ..edited }, change))
    })
}

/// Where the group's approval of a charter stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharterApproval {
    /// The programme.
    pub program: Program,
    /// The valid votes on the charter as it is now.
    pub votes: Vec<Vote>,
    /// What is needed: the charter's own rule.
    pub rule: ApprovalRule,
    /// Whether it is met.
    pub is_met: bool,
    /// How many people may vote.
    pub n_voters: usize,
}

/// `POST /programs/{id}/approvals`: a vote on this very charter. A vote against it says why.
///
/// # Errors
/// [`Error::WrongState`] once it is open, [`Error::Invalid`] for dissent without a word.
pub fn vote(
    cx: &mut Cx<'_>,
    id: ProgramId,
    approves: bool,
    comment: &str,
) -> Result<CharterApproval, Error> {
    let (program, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "create_program_approval", &subject)?;
    program.state.require(ProgramEvent::Approve)?;
    approvals::check_comment(comment)?;
    if !approves && comment.trim().is_empty() {
        let detail = "say what you would change: the change log tells the group's dissent";
        return Err(Error::invalid("/comment", "reason", detail));
    }
    let voter = Voter::new(cx, program.organization)?;
    let n_voters = people_with(cx.conn, Role::Designer, program.organization)?.len();
    let now = cx.now;
    cx.write(|conn| {
        // Read again under the lock: the vote binds the charter that is there now.
        let program = store::programs::find(conn, id)?.ok_or_else(hidden)?;
        let transition = program.state.require(ProgramEvent::Approve)?;
        let rule = charter_of(&program)?.rule;
        let subject = ApprovalSubject::Program(id);
        let hash = &program.content_hash;
        let votes = approvals::cast(conn, &voter, subject, hash, approves, comment, now)?;
        let authors = store::programs::list_authors(conn, id)?;
        let is_met = rule.is_met(&votes, &authors);
        let change = change_of(transition.operation, &program).with("approves", approves);
        Ok((CharterApproval { program, votes, rule, is_met, n_voters }, change))
    })
}

/// `POST /programs/{id}/rehearse`, `/open`, `/close`: moves a programme on, when everything that the table asks holds.
///
/// # Errors
/// [`Error::WrongState`] with what is possible instead, [`Error::Invalid`] for a guard that does not hold.
pub fn step(
    cx: &mut Cx<'_>,
    id: ProgramId,
    event: ProgramEvent,
    operation: &'static str,
    reason: &str,
) -> Result<Program, Error> {
    let (program, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, operation, &subject)?;
    program.state.require(event)?;
    let person = cx.signed_in()?.person;
    let now = cx.now;
    cx.write(|conn| {
        let program = store::programs::find(conn, id)?.ok_or_else(hidden)?;
        let transition = program.state.require(event)?;
        for guard in transition.guards {
            check_guard(conn, *guard, &program, reason, now)?;
        }
        let (revision, to) = (program.revision, transition.to);
        let next = Program {
            state: to,
            opened_at: if to == ProgramState::Open { Some(now) } else { program.opened_at },
            closed_at: if to == ProgramState::Closed { Some(now) } else { program.closed_at },
            ..program
        };
        store::programs::save_state(conn, &next, revision)?;
        record(conn, &next, event.as_str(), reason, person, now)?;
        let mut change = change_of(transition.operation, &next);
        if to == ProgramState::Open {
            // What was played through is over, in the commit that makes it serious.
            change = change.with("practice_removed", store::rehearsals::delete_all(conn, id)?);
        }
        Ok((Program { revision: revision + 1, ..next }, change))
    })
}

fn check_guard(
    conn: &mut DbConn,
    guard: ProgramGuard,
    program: &Program,
    reason: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let parsed = charter_of(program)?;
    match guard {
        ProgramGuard::ReasonGiven => check_reason(reason),
        ProgramGuard::CharterComplete => {
            let faults = findings_of(&parsed);
            if faults.is_empty() {
                return Ok(());
            }
            let summary = "the charter is not complete; each finding is listed".to_owned();
            Err(Error::Invalid { code: "charter-incomplete", summary, faults })
        }
        ProgramGuard::GroupApproval => {
            let subject = ApprovalSubject::Program(program.id);
            let votes = store::approvals::list_votes(conn, subject, &program.content_hash)?;
            let authors = store::programs::list_authors(conn, program.id)?;
            if parsed.rule.is_met(&votes, &authors) {
                return Ok(());
            }
            let detail = format!(
                "the charter as it is now needs {} approvals from {} departments, one of them not by an author",
                parsed.rule.approvals, parsed.rule.departments
            );
            Err(Error::invalid("", "not-approved", detail))
        }
        ProgramGuard::DefinitionsPublished => {
            let mut organizations = vec![program.organization];
            organizations.extend(above(conn, program.organization)?);
            let mut faults = Vec::new();
            for named in parsed.named_definitions() {
                let found = store::micro_credentials::find_named(
                    conn,
                    &organizations,
                    &named.slug,
                    named.number,
                )?;
                if found.is_none() {
                    let detail = "there is no published version of this here or above; publish it first, or take it out";
                    let pointer = format!("/charter{}", named.pointer);
                    faults.push(Fault::new(pointer, "definition_not_published", detail));
                }
            }
            if faults.is_empty() {
                return Ok(());
            }
            let summary = "a cohort names what nobody can earn yet".to_owned();
            Err(Error::Invalid { code: "definition-not-published", summary, faults })
        }
        ProgramGuard::AssessorsThere => {
            let faults = program_readiness::list_blocking(conn, program, &parsed, now)?;
            if faults.is_empty() {
                return Ok(());
            }
            let summary =
                "nobody could read what people hand in; see the programme's readiness".to_owned();
            Err(Error::Invalid { code: "not-ready", summary, faults })
        }
        ProgramGuard::WindowNotOver => {
            if parsed.closes_on().is_some_and(|last| last >= now.as_utc().date_naive()) {
                return Ok(());
            }
            let detail = "the last day of the window has passed; change the charter first";
            Err(Error::invalid("/charter/window/closes_on", "window-over", detail))
        }
    }
}

/// One line of a programme's change log. Nobody is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its id, in the order of time.
    pub id: String,
    /// When.
    pub happened_at: Timestamp,
    /// `create`, or the word of the event; a vote is `approve`, the answer to a proposal `answer`.
    pub event: String,
    /// Why, in the words of who did it; of a vote its comment, of an answer its words.
    pub reason: String,
    /// The charter that it was about, or that came of it.
    pub content_hash: String,
    /// Of a vote: for it?
    pub approves: Option<bool>,
    /// Of a vote: whether a later edit or vote has made it void.
    pub is_void: Option<bool>,
    /// Of an answer: to which proposal, and what was decided.
    pub answers: Option<(ProposalId, ProposalOutcome)>,
}

impl From<ProgramChange> for LogLine {
    fn from(change: ProgramChange) -> LogLine {
        LogLine {
            id: change.id,
            happened_at: change.happened_at,
            event: change.event,
            reason: change.reason,
            content_hash: change.content_hash,
            approves: None,
            is_void: None,
            answers: None,
        }
    }
}

impl From<LoggedVote> for LogLine {
    fn from(vote: LoggedVote) -> LogLine {
        LogLine {
            id: vote.id,
            happened_at: vote.cast_at,
            event: ProgramEvent::Approve.as_str().to_owned(),
            reason: vote.comment,
            content_hash: vote.content_hash,
            approves: Some(vote.approves),
            is_void: Some(vote.is_void),
            answers: None,
        }
    }
}

/// The answer to a proposal about the charter as a line of the log.
fn line_of(program: &Program, proposal: Proposal) -> Option<LogLine> {
    let (outcome, answer, answered_at) = proposal.answer?;
    Some(LogLine {
        id: proposal.id.to_string(),
        happened_at: answered_at,
        event: ProposalEvent::Answer.as_str().to_owned(),
        reason: answer,
        // Proposals are about a charter that is public, and so does not change any more.
        content_hash: program.content_hash.clone(),
        approves: None,
        is_void: None,
        answers: Some((proposal.id, outcome)),
    })
}

/// `GET /programs/{id}/changes`: what happened, why, who saw it otherwise, and what was answered to proposals, oldest first. As public as the programme.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not know of.
pub fn list_changes(
    cx: &mut Cx<'_>,
    id: ProgramId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<LogLine>, Error> {
    let (program, subject) = load(cx.conn, id)?;
    require_reading(&cx.actor, &program, &subject)?;
    let changes = store::programs::list_changes(cx.conn, id)?.into_iter().map(LogLine::from);
    let votes = store::approvals::list_logged(cx.conn, id)?.into_iter().map(LogLine::from);
    let answers = proposals::list_answers(cx.conn, id)?.into_iter();
    let answers = answers.filter_map(|proposal| line_of(&program, proposal));
    let mut lines: Vec<LogLine> = changes.chain(votes).chain(answers).collect();
    lines.sort_by(|left, right| (left.happened_at, &left.id).cmp(&(right.happened_at, &right.id)));
    // A page begins behind the line of the cursor.
    let start = after
        .and_then(|after| lines.iter().position(|line| line.id == after))
        .map_or(0, |position| position + 1);
    let limit = usize::try_from(limit).unwrap_or(0);
    Ok(lines.into_iter().skip(start).take(limit).collect())
}
