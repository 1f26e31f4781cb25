//! Coaching of an attempt: whom its earner asks, what they share, and what the coach says (DOMAIN.md, sections 1 and 3.2).

use std::collections::{BTreeMap, BTreeSet};

use super::audit::Change;
use super::context::{
    Cx, new_uuid, organizations_of_branches, organizations_under, people_with, profile_of,
};
use super::error::Error;
use super::process_letters::{self, CoachNews};
use super::submissions::{self, OpenedEvidence, Response, StoredSubmission};
use super::{evidence, outbox};
use crate::domain::coaching::{Help, Share};
use crate::domain::definition::Definition;
use crate::domain::ids::{CoachingId, PersonId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::files::{open_bytes, seal_bytes};
use crate::store::coachings::{CoachComment, Coaching, CoachingLine, ListedIn};
use crate::store::decisions::StoredDecision;
use crate::store::people::Profile;
use crate::store::{self, DbConn};

/// The most coaches whom an earner asks over all attempts at a micro-credential, those as well with whom it has ended.
const MOST_ASKED: usize = 5;
/// The most characters of a comment.
const LONGEST_COMMENT: usize = 4000;
/// What the seal of a comment is bound to.
const SEAL: &[u8] = b"coach_comment";

/// Somebody who can be asked.
#[derive(Clone, Debug)]
pub struct Coach {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
}

/// What a coach has said, opened.
#[derive(Clone, Debug)]
pub struct OpenedComment {
    /// About which prompt, criterion or evidence requirement; none for the whole.
    pub item: Option<String>,
    /// The words; none once the submission's key was destroyed.
    pub text: Option<String>,
    /// When.
    pub written_at: crate::domain::timestamp::Timestamp,
}

/// A line of the list: nothing of the work is opened for it.
#[derive(Clone, Debug)]
pub struct CoachingSummary {
    /// The coaching, with names and title.
    pub line: CoachingLine,
    /// Whether the coach can comment now.
    pub is_open: bool,
}

/// A coaching with what is shared by it.
#[derive(Clone, Debug)]
pub struct CoachingDetail {
    /// The coaching, as the list has it.
    pub summary: CoachingSummary,
    /// The answers, where they are shared and still there.
    pub responses: Option<BTreeMap<String, Response>>,
    /// The evidence, where it is shared.
    pub evidence: Option<Vec<OpenedEvidence>>,
    /// The decision with its feedback, where that is shared and there is one.
    pub feedback: Option<(StoredDecision, Vec<String>)>,
    /// What the coach has said.
    pub comments: Vec<OpenedComment>,
}

fn load(conn: &mut DbConn, id: CoachingId) -> Result<(Coaching, StoredSubmission, Subject), Error> {
    let coaching =
        store::coachings::find(conn, id)?.ok_or(Error::Denied(Denied::Hidden("coaching")))?;
    let (stored, subject) = submissions::load(conn, coaching.submission)?;
    let subject = Subject {
        kind: "coaching",
        assigned: coaching.ended_at.is_none().then_some(coaching.coach),
        visibility: Visibility::Private("read_coaching"),
        ..subject
    };
    Ok((coaching, stored, subject))
}

/// Refuses what does not go where the submission is, for the reason that the rule gives.
fn require(stored: &StoredSubmission, refusal: Option<&'static str>) -> Result<(), Error> {
    match refusal {
        None => Ok(()),
        Some(detail) => Err(submissions::not_now(&stored.submission, detail)),
    }
}

impl From<CoachingLine> for CoachingSummary {
    fn from(line: CoachingLine) -> CoachingSummary {
        let can_comment = Help::within(line.state).refuses_to_comment().is_none();
        CoachingSummary { is_open: line.coaching.ended_at.is_none() && can_comment, line }
    }
}

fn coach_of(profile: Profile) -> Coach {
    Coach { person: profile.person, name: profile.name }
}

/// `GET /submissions/{id}/coaches`: whom its earner can ask, by name.
///
/// # Errors
/// [`Error::Denied`] for anybody but the earner.
pub fn list_coaches(cx: &mut Cx<'_>, id: SubmissionId) -> Result<Vec<Coach>, Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "list_coaches", &subject)?;
    let facts = stored.submission.facts();
    let mut found = Vec::new();
    for person in people_with(cx.conn, Role::Coach, facts.organization)? {
        if person != facts.earner
            && let Some(profile) = store::people::find_profile(cx.conn, person)?
        {
            found.push(coach_of(profile));
        }
    }
    found.sort_by(|one, other| (&one.name, one.person).cmp(&(&other.name, other.person)));
    Ok(found)
}

/// `POST /submissions/{id}/coachings`: asks a coach, or asks them again for something else. From then on they read none of the earner's
/// attempts at this micro-credential as assessor (DOMAIN.md, 3.2: coached this attempt).
///
/// # Errors
/// [`Error::Invalid`] for somebody who is no coach here, one too many, and when nothing is shared; [`Error::WrongState`] while it is read, and
/// while a case about any attempt is open.
pub fn ask(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    coach: PersonId,
    shares: &BTreeSet<Share>,
) -> Result<CoachingId, Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "create_coaching", &subject)?;
    let (version, _) = submissions::pinned(cx.conn, &stored)?;
    let host = outbox::message_host(&cx.installation()?.base_url);
    let now = cx.now;
    if shares.is_empty() {
        let detail = "say what the coach may see: responses, evidence or feedback";
        return Err(Error::invalid("/shares", "nothing-shared", detail));
    }
    cx.write(|conn| {
        let stored = submissions::find_fresh(conn, id)?;
        let facts = stored.submission.facts();
        let mut help = Help::within(stored.submission.state());
        let (earner, family) = (facts.earner, stored.micro_credential);
        if store::cases::has_open(conn, earner, family)? {
            help = help.beside_a_case();
        }
        require(&stored, help.refuses_to_ask())?;
        let is_coach = people_with(conn, Role::Coach, facts.organization)?.contains(&coach);
        if !is_coach || coach == facts.earner {
            let detail = "ask one of those whom GET …/coaches lists";
            return Err(Error::invalid("/person_id", "no-coach", detail));
        }
        // Each of them is kept from reading it: without an end an earner could take all readers but a friend away.
        let asked = store::coachings::list_asked(conn, earner, family)?;
        if !asked.contains(&coach) && asked.len() >= MOST_ASKED {
            let detail = format!(
                "you can ask {MOST_ASKED} coaches over all your attempts at a micro-credential, and have asked {}; ask one of them again",
                asked.len()
            );
            return Err(Error::invalid("/person_id", "too-many-asked", detail));
        }
        let before = store::coachings::find_of(conn, id, coach)?;
        let coaching = Coaching {
            id: before
                .as_ref()
                .map_or_else(|| CoachingId::from_uuid(new_uuid()), |before| before.id),
            submission: id,
            coach,
            shares: shares.clone(),
            asked_at: now,
            ended_at: None,
        };
        store::coachings::save(conn, &coaching)?;
        // Who learns whose work it is cannot read it blind any more.
        store::feedback::save_told(conn, id, coach, now)?;
        if before.is_none_or(|before| before.ended_at.is_some()) {
            let (title, news) = (&version.title, CoachNews::Asked(coaching.id));
            process_letters::coach_news(conn, coach, facts, title, news, &host, now)?;
        }
        let words: Vec<&str> = shares.iter().map(|share| share.as_str()).collect();
        let change =
            Change::new("create_coaching", Some(facts.organization), "coaching", coaching.id)
                .with("submission", id)
                .with("shares", words.join(" "));
        Ok((coaching.id, change))
    })
}

/// `DELETE /coachings/{id}`: the earner shares nothing any more. What the coach has said stays theirs to read, and the coach still does
/// not read the work as assessor.
///
/// # Errors
/// [`Error::WrongState`] the second time.
pub fn end(cx: &mut Cx<'_>, id: CoachingId) -> Result<(), Error> {
    let (_, stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "end_coaching", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let coaching = store::coachings::find(conn, id)?.ok_or(Error::Stale)?;
        if coaching.ended_at.is_some() {
            let detail = "it has ended already".to_owned();
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        }
        store::coachings::save(conn, &Coaching { ended_at: Some(now), ..coaching })?;
        let organization = stored.submission.facts().organization;
        Ok(((), Change::new("end_coaching", Some(organization), "coaching", id)))
    })
}

/// `GET /coachings`: what goes on for the caller as coach, and all that they have asked for as earner. As one of them is
/// read: whoever is no coach any more, or no member of the branch, is not shown it.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(
    cx: &mut Cx<'_>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<CoachingSummary>, Error> {
    let person = cx.signed_in()?.person;
    let organizations = ListedIn {
        as_earner: organizations_of_branches(cx.conn, &cx.actor)?,
        as_coach: organizations_under(cx.conn, &cx.actor, Role::Coach)?,
    };
    let lines = store::coachings::list(cx.conn, person, &organizations, after, limit)?;
    Ok(lines.into_iter().map(CoachingSummary::from).collect())
}

/// `GET /coachings/{id}`, for the earner and, while it goes on, for the coach.
///
/// # Errors
/// [`Error::Denied`] for everybody else.
pub fn find(cx: &mut Cx<'_>, id: CoachingId) -> Result<CoachingDetail, Error> {
    let (coaching, stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "read_coaching", &subject)?;
    let (version, _) = submissions::pinned(cx.conn, &stored)?;
    let has_key = stored.sealed_key.is_some();
    let shares = |share| coaching.shares.contains(&share);
    let responses = if shares(Share::Responses) && has_key {
        Some(submissions::read_responses(cx.conn, cx.resources, &stored)?)
    } else {
        None
    };
    let evidence = if shares(Share::Evidence) { Some(shared_evidence(cx, &stored)?) } else { None };
    let decision = store::decisions::find(cx.conn, coaching.submission)?;
    let feedback = match decision.filter(|_| shares(Share::Feedback)) {
        Some(decision) => {
            let overall = submissions::list_overall_feedback(cx.conn, coaching.submission)?;
            Some((decision, overall))
        }
        None => None,
    };
    let mut comments = Vec::new();
    for comment in store::coachings::list_comments(cx.conn, id)? {
        let text = if has_key {
            let key = submissions::open_key(cx.resources, &stored)?;
            let bytes = open_bytes(&key, &comment.sealed_text, SEAL).map_err(Error::internal)?;
            Some(String::from_utf8(bytes).map_err(Error::internal)?)
        } else {
            None
        };
        comments.push(OpenedComment { item: comment.item, text, written_at: comment.written_at });
    }
    let facts = stored.submission.facts();
    let line = CoachingLine {
        earner: facts.earner,
        earner_name: profile_of(cx.conn, facts.earner)?.name,
        coach_name: profile_of(cx.conn, coaching.coach)?.name,
        micro_credential: stored.micro_credential,
        version: version.number,
        title: version.title,
        state: stored.submission.state(),
        coaching,
    };
    Ok(CoachingDetail { summary: line.into(), responses, evidence, feedback, comments })
}

/// The items under neutral names: what an earner calls a file is not shared.
fn shared_evidence(
    cx: &mut Cx<'_>,
    stored: &StoredSubmission,
) -> Result<Vec<OpenedEvidence>, Error> {
    let items = store::evidence::list(cx.conn, stored.submission.facts().id)?;
    let mut opened = evidence::open_all(cx.conn, cx.resources, stored)?;
    for one in &mut opened {
        one.name = one.name.is_some().then(|| evidence::neutral_name(&items, &one.stored));
    }
    Ok(opened)
}

/// Whether a coach may open the evidence of a submission: its earner shares it with them.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn may_open(
    conn: &mut DbConn,
    submission: SubmissionId,
    person: PersonId,
) -> Result<bool, Error> {
    let found = store::coachings::find_of(conn, submission, person)?;
    Ok(found.is_some_and(|one| one.ended_at.is_none() && one.shares.contains(&Share::Evidence)))
}

/// `POST /coachings/{id}/comments`: the coach says something, and the earner is told so by mail, once a day.
///
/// # Errors
/// [`Error::Invalid`] for an empty or too long text and an unknown item, [`Error::WrongState`] while it is read.
pub fn comment(
    cx: &mut Cx<'_>,
    id: CoachingId,
    item: Option<&str>,
    text: &str,
) -> Result<(), Error> {
    let (coaching, stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "create_coach_comment", &subject)?;
    let (version, definition) = submissions::pinned(cx.conn, &stored)?;
    if text.trim().is_empty() || text.chars().count() > LONGEST_COMMENT {
        let detail = format!("write something, in at most {LONGEST_COMMENT} characters");
        return Err(Error::invalid("/text", "words", detail));
    }
    if let Some(item) = item
        && !is_known(&definition, item)
    {
        let detail = format!("there is no prompt, criterion or evidence requirement {item}");
        return Err(Error::invalid("/item_id", "unknown-item", detail));
    }
    let host = outbox::message_host(&cx.installation()?.base_url);
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let stored = submissions::find_fresh(conn, coaching.submission)?;
        require(&stored, Help::within(stored.submission.state()).refuses_to_comment())?;
        let key = submissions::open_key(resources, &stored)?;
        let new = CoachComment {
            item: item.map(str::to_owned),
            sealed_text: seal_bytes(&key, text.as_bytes(), SEAL).map_err(Error::internal)?,
            written_at: now,
        };
        store::coachings::create_comment(conn, &new_uuid().to_string(), id, &new)?;
        let facts = stored.submission.facts();
        process_letters::coach_commented(conn, id, facts, &version.title, &host, now)?;
        let change = Change::new("create_coach_comment", Some(facts.organization), "coaching", id)
            .with("submission", coaching.submission);
        Ok(((), change))
    })
}

fn is_known(definition: &Definition, item: &str) -> bool {
    definition.rubric().find_item(item).is_some() || definition.find_evidence(item).is_some()
}
