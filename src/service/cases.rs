//! Appeals and integrity cases: opened by one person, answered by another, and decided by three who had no part before.

mod conclusion;

use std::collections::{BTreeMap, BTreeSet};

use super::audit::Change;
use super::context::{Cx, above, new_uuid, organizations_of_branches, organizations_under};
use super::error::{Broken, Error};
use super::process_letters::{self, CaseNews};
use super::reviews::{self, Work};
use super::submissions::{self, By, StoredSubmission};
use super::{calendars, issuance, outbox, seeds};
use crate::domain::case::{
    APPEAL_WINDOW, CaseEvent, CaseKind, CaseState, DUE_WORKING_DAYS, FRESH_READERS, Grounds,
    REPLY_WORKING_DAYS, Vote,
};
use crate::domain::ids::{CaseId, PersonId, ReviewId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::review::{ReviewEvent, ReviewState, Sheet};
use crate::domain::submission::{Submission, SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::store::cases::CastVote;
use crate::store::{self, DbConn, StoreError};

pub use crate::store::cases::{Case, Disputed};

/// The most characters of a statement, a reply or reasons.
const LONGEST: usize = 4000;

fn require_words(pointer: &str, text: &str, what: &str) -> Result<(), Error> {
    if text.trim().is_empty() || text.chars().count() > LONGEST {
        let detail = format!("{what}, in at most {LONGEST} characters");
        return Err(Error::invalid(pointer, "words", detail));
    }
    Ok(())
}

/// What an earner appeals.
#[derive(Clone, Debug)]
pub struct NewAppeal {
    /// What it rests on.
    pub grounds: Grounds,
    /// The criteria and prompts in dispute; all of them when empty.
    pub criteria: BTreeSet<String>,
    /// What went wrong, in the earner's words.
    pub statement: String,
}

/// `POST /submissions/{id}/appeal`: within 30 days of the decision and once for each attempt.
///
/// # Errors
/// [`Error::WrongState`] unless it is decided and in time, [`Error::AlreadyThere`] the second time, [`Error::Invalid`] for unknown criteria
/// and without a statement.
pub fn appeal(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    new: &NewAppeal,
) -> Result<StoredSubmission, Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "appeal_submission", &subject)?;
    let (version, definition) = submissions::pinned(cx.conn, &stored)?;
    let host = outbox::message_host(&cx.installation()?.base_url);
    let now = cx.now;
    cx.write(|conn| {
        let stored = submissions::find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::Appeal)?;
        let decision = store::decisions::find(conn, id)?
            .ok_or_else(|| Error::internal(Broken("a decided submission without its decision")))?;
        if decision.decided_at.plus(APPEAL_WINDOW) < now {
            let detail = "the 30 days in which this could be appealed are over";
            return Err(submissions::refused(&stored.submission, SubmissionEvent::Appeal, detail));
        }
        require_words("/statement", &new.statement, "say what went wrong")?;
        let known = |id: &String| definition.rubric().find_item(id).is_some();
        if let Some(unknown) = new.criteria.iter().find(|id| !known(id)) {
            let detail = format!("the rubric has no criterion or prompt {unknown}");
            return Err(Error::invalid("/criteria", "unknown-criterion", detail));
        }
        let disputed: BTreeMap<String, Option<u8>> = decision
            .levels
            .iter()
            .filter(|(id, _)| new.criteria.is_empty() || new.criteria.contains(*id))
            .map(|(id, level)| (id.clone(), level.level))
            .collect();
        let facts = stored.submission.facts();
        let case = Case {
            outcome_before: Some(decision.outcome),
            grounds: Some(new.grounds),
            opened_by: Some(facts.earner),
            ..open_case(conn, &stored, CaseKind::Appeal, &new.statement, Role::Earner, now)?
        };
        match store::cases::create(conn, &case, &disputed) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "this attempt was appealed before, and can be once".to_owned();
                return Err(Error::AlreadyThere { code: "appealed", detail });
            }
            other => other?,
        }
        let by = By::person(facts.earner, Role::Earner).because(new.grounds.as_str());
        let after =
            submissions::record(conn, &stored.submission, SubmissionEvent::Appeal, by, now)?;
        // The evidence is needed for as long as the panel may ask for it.
        let kept = case.due_on.plus(submissions::RETENTION);
        store::retention::save_retention(conn, id, kept)?;
        let news = CaseNews::Appealed(case.due_on);
        process_letters::case_news(conn, facts, &version.title, news, &host, now)?;
        let change = submissions::change_of("appeal_submission", &stored.submission, &after)
            .with("case", case.id)
            .with("criteria", disputed.len());
        Ok((submissions::find_fresh(conn, id)?, change))
    })
}

fn open_case(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    kind: CaseKind,
    statement: &str,
    role: Role,
    now: Timestamp,
) -> Result<Case, Error> {
    let facts = stored.submission.facts();
    let due_on = calendars::promise(conn, facts.organization, now, DUE_WORKING_DAYS)?;
    Ok(Case {
        id: CaseId::from_uuid(new_uuid()),
        organization: facts.organization,
        submission: facts.id,
        kind,
        state: CaseState::Open,
        grounds: None,
        statement: statement.to_owned(),
        opened_by: None,
        opened_role: role.as_str().to_owned(),
        opened_at: now,
        due_on,
        reply: None,
        reply_until: None,
        outcome: None,
        outcome_before: None,
        concluded_at: None,
        revision: 1,
    })
}

/// `POST /submissions/{id}/flag`: stops a submission until a panel has looked at a doubt about it. Its earner is told and can reply.
///
/// # Errors
/// [`Error::WrongState`] unless it is on its way through the readers, [`Error::Invalid`] without what the doubt rests on.
pub fn flag(cx: &mut Cx<'_>, id: SubmissionId, statement: &str) -> Result<Case, Error> {
    let (stored, mut subject) = submissions::load(cx.conn, id)?;
    let (person, now) = (cx.signed_in()?.person, cx.now);
    let reading = store::reviews::list_of_submission(cx.conn, id)?.into_iter().find(|review| {
        review.assessor == Some(person)
            && review.state == ReviewState::Leased
            && !review.is_lapsed(now)
            && reviews::is_at_work(review, stored.submission.state())
    });
    subject.assigned = reading.as_ref().map(|_| person);
    policy::require(&cx.actor, "flag_submission", &subject)?;
    if subject.owner == Some(person) {
        return Err(Denied::Forbidden.into());
    }
    let holds = |role| cx.actor.holds(role, subject.organization, &subject.above);
    let is_screened = stored.submission.state() == SubmissionState::Submitted
        || store::screenings::has_screened(cx.conn, id, person)?;
    let role = if holds(Role::LeadAssessor) {
        Role::LeadAssessor
    } else if reading.is_some() {
        Role::Assessor
    } else if is_screened {
        Role::PreScreener
    } else {
        return Err(Denied::Hidden("submission").into());
    };
    // A known paper is its reader's alone: no panel, no letter, and the same answer.
    let is_known = seeds::find_presentation(cx.conn, id)?.is_some();
    if is_known && reading.is_none() {
        return Err(Denied::Hidden("submission").into());
    }
    // What is not handed in is nobody's business but its earner's.
    if matches!(stored.submission.state(), SubmissionState::Draft | SubmissionState::Returned) {
        return Err(Denied::Hidden("submission").into());
    }
    if let Some(review) = reading.filter(|review| review.is_reread() || review.case.is_some()) {
        return flag_after_decision(cx, review.id, statement);
    }
    let (version, _) = submissions::pinned(cx.conn, &stored)?;
    let host = outbox::message_host(&cx.installation()?.base_url);
    cx.write(|conn| {
        let stored = submissions::find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::IntegrityFlag)?;
        require_words("/statement", statement, "say what the doubt is and what it rests on")?;
        let organization = stored.submission.facts().organization;
        let reply_until = calendars::promise(conn, organization, now, REPLY_WORKING_DAYS)?;
        let case = Case {
            opened_by: Some(person),
            reply_until: Some(reply_until),
            ..open_case(conn, &stored, CaseKind::Integrity, statement, role, now)?
        };
        if !is_known {
            store::cases::create(conn, &case, &BTreeMap::new())?;
        }
        let by = By::person(person, role).because("flagged");
        let after =
            submissions::record(conn, &stored.submission, SubmissionEvent::IntegrityFlag, by, now)?;
        if !is_known {
            let news = CaseNews::Questioned(reply_until);
            let facts = stored.submission.facts();
            process_letters::case_news(conn, facts, &version.title, news, &host, now)?;
        }
        let change = submissions::change_of("flag_submission", &stored.submission, &after)
            .with("case", case.id);
        Ok((case, change))
    })
}

/// What is decided is not stopped by a doubt: whoever reads it again, or for an appeal, steps back with it, and another reader takes the
/// seat. The answer is that to a doubt about live work, since they are not told what they read for.
fn flag_after_decision(cx: &mut Cx<'_>, id: ReviewId, statement: &str) -> Result<Case, Error> {
    let now = cx.now;
    let person = cx.signed_in()?.person;
    cx.write(|conn| {
        require_words("/statement", statement, "say what the doubt is and what it rests on")?;
        let (_, review) = store::reviews::find(conn, id)?.ok_or(Error::Stale)?;
        review.require(ReviewEvent::Recuse, now)?;
        let stored = submissions::find_fresh(conn, review.submission)?;
        let organization = stored.submission.facts().organization;
        let by = By::person(person, Role::Assessor).because("flagged");
        reviews::give_back(conn, &review, ReviewState::Recused, &stored, by, now)?;
        store::reviews::save_recuse_reason(conn, id, statement)?;
        let case = Case {
            opened_by: Some(person),
            reply_until: Some(calendars::promise(conn, organization, now, REPLY_WORKING_DAYS)?),
            ..open_case(conn, &stored, CaseKind::Integrity, statement, Role::Assessor, now)?
        };
        let change =
            Change::new("flag_submission", Some(organization), "submission", review.submission)
                .with("review", id);
        Ok((case, change))
    })
}

fn load(conn: &mut DbConn, id: CaseId) -> Result<(Case, StoredSubmission, Subject), Error> {
    let case = store::cases::find(conn, id)?.ok_or(Error::Denied(Denied::Hidden("case")))?;
    let stored = store::submissions::find(conn, case.submission)?
        .ok_or_else(|| Error::internal(Broken("a case without its submission")))?;
    let subject = Subject {
        kind: "case",
        organization: case.organization,
        above: above(conn, case.organization)?,
        owner: Some(stored.submission.facts().earner),
        assigned: None,
        visibility: Visibility::Private("read_case"),
    };
    Ok((case, stored, subject))
}

/// A case as one of those sees it who have to do with it.
#[derive(Clone, Debug)]
pub struct CaseDetail {
    /// The case.
    pub case: Case,
    /// What can happen next.
    pub allowed_events: &'static [CaseEvent],
    /// The levels in dispute, before and after.
    pub criteria: BTreeMap<String, Disputed>,
    /// How many of the panel have voted.
    pub n_votes: usize,
    /// The reasons of those who were most; none before it is concluded.
    pub reasons: Vec<String>,
    /// For the panel: the blinded work.
    pub work: Option<Box<Work>>,
    /// For the panel: what the fresh readers of an appeal say, once both have locked.
    pub fresh_sheets: Vec<Sheet>,
}

/// `GET /cases/{id}`: for the earner, and for members of the panel who had no part in the submission.
///
/// # Errors
/// [`Error::Denied`] for anybody else.
pub fn find(cx: &mut Cx<'_>, id: CaseId) -> Result<CaseDetail, Error> {
    let (case, stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "read_case", &subject)?;
    let person = cx.signed_in()?.person;
    let is_owner = subject.owner == Some(person);
    if !is_owner && is_involved(cx.conn, &case, person)? {
        return Err(Denied::Hidden("case").into());
    }
    let votes = store::cases::list_votes(cx.conn, id)?;
    let is_over = case.state == CaseState::Concluded;
    let (work, fresh_sheets) = if is_owner || is_over || stored.sealed_key.is_none() {
        (None, Vec::new())
    } else {
        let work = reviews::open_blinded(cx, &stored, "judge")?;
        (Some(Box::new(work)), fresh_sheets(cx.conn, &case)?)
    };
    Ok(CaseDetail {
        allowed_events: allowed_events(&case, cx.now),
        criteria: store::cases::list_criteria(cx.conn, id)?,
        n_votes: votes.len(),
        reasons: if is_over { conclusion::reasons_of_most(&votes) } else { Vec::new() },
        case,
        work,
        fresh_sheets,
    })
}

fn allowed_events(case: &Case, now: Timestamp) -> &'static [CaseEvent] {
    let is_reply_over = case.reply_until.is_some_and(|until| until < now);
    case.kind.allowed_events(case.state, is_reply_over)
}

fn require_event(case: &Case, event: CaseEvent, now: Timestamp) -> Result<(), Error> {
    let allowed = allowed_events(case, now);
    if allowed.contains(&event) {
        return Ok(());
    }
    let detail = format!("this case is {} and cannot take {event} now", case.state);
    let allowed_events = allowed.iter().map(|event| event.as_str()).collect();
    Err(Error::WrongState { detail, allowed_events })
}

/// What the fresh readers of an appeal say: nothing before both have locked.
fn fresh_sheets(conn: &mut DbConn, case: &Case) -> Result<Vec<Sheet>, Error> {
    let mut sheets = Vec::new();
    for review in store::reviews::list_of_submission(conn, case.submission)? {
        if review.case == Some(case.id) && review.state == ReviewState::Locked {
            sheets.push(store::reviews::find_sheet(conn, review.id)?);
        }
    }
    Ok(if sheets.len() < FRESH_READERS { Vec::new() } else { sheets })
}

/// Whether the person has had a part in the submission before this case's panel came together.
fn is_involved(conn: &mut DbConn, case: &Case, person: PersonId) -> Result<bool, Error> {
    Ok(store::cases::list_involved(conn, case.submission, case.id)?.contains(&person))
}

/// `GET /cases`: the caller's own, and those that their panel may be asked about.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(cx: &mut Cx<'_>, after: Option<&str>, limit: i64) -> Result<Vec<Case>, Error> {
    let person = cx.signed_in()?.person;
    let organizations = organizations_under(cx.conn, &cx.actor, Role::ReviewPanel)?;
    let branch = organizations_of_branches(cx.conn, &cx.actor)?;
    let fetched = store::cases::list(cx.conn, person, (&organizations, &branch), after, limit)?;
    let mut cases = Vec::new();
    for case in fetched {
        let stored = submissions::find_fresh(cx.conn, case.submission)?;
        let is_own = stored.submission.facts().earner == person;
        if is_own || !is_involved(cx.conn, &case, person)? {
            cases.push(case);
        }
    }
    Ok(cases)
}

/// `POST /cases/{id}/reply`: what the earner says to a doubt, once.
///
/// # Errors
/// [`Error::WrongState`] unless a reply is awaited, [`Error::Invalid`] without words.
pub fn reply(cx: &mut Cx<'_>, id: CaseId, text: &str) -> Result<CaseDetail, Error> {
    let (_, _, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "reply_to_case", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let (case, _, _) = load(conn, id)?;
        require_event(&case, CaseEvent::Reply, now)?;
        require_words("/reply", text, "say what you think is right")?;
        let change = Change::new("reply_to_case", Some(case.organization), "case", id);
        let replied = Case { state: CaseState::Replied, reply: Some(text.to_owned()), ..case };
        store::cases::save(conn, &replied, now)?;
        Ok(((), change))
    })?;
    find(cx, id)
}

/// `POST /cases/{id}/votes`: what a member of the panel thinks, with reasons. The third vote concludes the case.
///
/// # Errors
/// [`Error::WrongState`] before the readings or the reply are in, [`Error::AlreadyThere`] for a second vote, [`Error::Denied`] for
/// whoever had a part in the submission before.
pub fn vote(cx: &mut Cx<'_>, id: CaseId, vote: Vote, reasons: &str) -> Result<CaseDetail, Error> {
    let (case, _, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "vote_on_case", &subject)?;
    let person = cx.signed_in()?.person;
    if subject.owner == Some(person) {
        return Err(Denied::Forbidden.into());
    }
    if is_involved(cx.conn, &case, person)? {
        return Err(Denied::Hidden("case").into());
    }
    let base_url = cx.installation()?.base_url;
    let (now, resources) = (cx.now, cx.resources);
    let award = cx.write(|conn| {
        let (case, stored, _) = load(conn, id)?;
        require_event(&case, CaseEvent::Vote, now)?;
        if !case.kind.votes().contains(&vote) {
            let words: Vec<&str> = case.kind.votes().iter().map(|vote| vote.as_str()).collect();
            let detail = format!("in this case a vote is {}", words.join(" or "));
            return Err(Error::invalid("/vote", "unknown-word", detail));
        }
        require_words("/reasons", reasons, "give your reasons in writing")?;
        let cast = CastVote { person, vote, reasons: reasons.to_owned() };
        match store::cases::create_vote(conn, id, &cast, now) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "you have voted on this already".to_owned();
                return Err(Error::AlreadyThere { code: "voted", detail });
            }
            other => other?,
        }
        let change =
            Change::new("vote_on_case", Some(case.organization), "case", id).with("vote", vote);
        let panel = conclusion::Panel { resources, base_url: &base_url, last: person, now };
        let award = panel.count(conn, case, &stored)?;
        Ok((award, change))
    })?;
    if let Some(award) = award
        && let Err(error) = issuance::issue(cx, award)
    {
        tracing::warn!(%error, award = %award, "an award waits for its credential");
    }
    find(cx, id)
}

/// The appeal that fresh readings of a submission are made for, and what they cover.
pub(super) fn find_reading(
    conn: &mut DbConn,
    id: SubmissionId,
) -> Result<Option<(CaseId, BTreeSet<String>)>, Error> {
    let open = store::cases::list_of_submission(conn, id)?
        .into_iter()
        .find(|case| case.kind == CaseKind::Appeal && case.state == CaseState::Open);
    let Some(case) = open else { return Ok(None) };
    let criteria = store::cases::list_criteria(conn, case.id)?.into_keys().collect();
    Ok(Some((case.id, criteria)))
}

/// When the answer to a case is due.
pub(super) fn due_on(conn: &mut DbConn, id: CaseId) -> Result<Timestamp, Error> {
    Ok(load(conn, id)?.0.due_on)
}

/// Lets the panel vote once both fresh readers of an appeal have locked.
pub(super) fn after_reading(conn: &mut DbConn, id: CaseId, now: Timestamp) -> Result<(), Error> {
    let (case, _, _) = load(conn, id)?;
    if case.state == CaseState::Open && !fresh_sheets(conn, &case)?.is_empty() {
        store::cases::save(conn, &Case { state: CaseState::Voting, ..case }, now)?;
    }
    Ok(())
}

/// Whether the person may look at the work as a member of the panel of an open case.
pub(super) fn may_judge(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    person: PersonId,
) -> Result<bool, Error> {
    let open = store::cases::list_of_submission(conn, stored.submission.facts().id)?
        .into_iter()
        .find(|case| case.state != CaseState::Concluded);
    match open {
        Some(case) => Ok(!is_involved(conn, &case, person)?),
        None => Ok(false),
    }
}

/// The cases about a submission, for its earner.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn list_own(conn: &mut DbConn, submission: &Submission) -> Result<Vec<Case>, Error> {
    Ok(store::cases::list_of_submission(conn, submission.facts().id)?)
}
