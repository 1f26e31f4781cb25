//! The next attempt after a not-yet: what was passed is carried forward, and readers are told what has changed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::audit::Change;
use super::context::{Cx, Resources, new_uuid};
use super::error::{Broken, Error};
use super::submissions::{self, NewDraft, Response, StoredSubmission};
use super::{co_earners, cohorts, evidence};
use crate::domain::decision_rule::Outcome;
use crate::domain::definition::Definition;
use crate::domain::ids::{EvidenceId, PersonId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::policy;
use crate::domain::rubric::{Level, Levels};
use crate::domain::submission::SubmissionEvent;
use crate::domain::timestamp::Timestamp;
use crate::files::seal_bytes;
use crate::store::carried_levels::CarriedLevel;
use crate::store::decisions::StoredDecision;
use crate::store::evidence::StoredEvidence;
use crate::store::micro_credentials::Version;
use crate::store::submissions::{Step, StoredResponse};
use crate::store::{self, DbConn};

/// So long after a newer version is out the next attempt may be made at the old one (DOMAIN.md, 2.4).
const OLD_VERSION: TimeDelta = TimeDelta::days(180);

/// What the earner chooses for the next attempt.
#[derive(Clone, Debug, Default)]
pub struct Resubmit {
    /// The old version or the newest; the old one, as long as it may be, when left out.
    pub version: Option<i32>,
    /// Passed criteria and prompts that shall be read again.
    pub reopen: BTreeSet<String>,
}

/// `POST /submissions/{id}/resubmit`: a new attempt in draft after a not-yet. What was passed counts in it, and cannot be changed, unless
/// it is opened again or what is scored has changed meanwhile. Answers, links and texts are copied; files are not.
///
/// # Errors
/// [`Error::WrongState`] unless it is the earner's last attempt and decided as not yet, and once there were as many attempts as the
/// definition allows; [`Error::Invalid`] for a version that cannot be chosen and criteria that were not passed.
pub fn resubmit(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    choice: &Resubmit,
) -> Result<StoredSubmission, Error> {
    let (_, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "resubmit_submission", &subject)?;
    let draft = NewDraft::prepare(cx.resources)?;
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let before = submissions::find_fresh(conn, id)?;
        let decision = require_not_yet(conn, &before)?;
        let (old, _) = submissions::pinned(conn, &before)?;
        let version = choose_version(conn, &before, &old, choice.version, now)?;
        let definition = super::micro_credentials::parse_stored(&version)?.definition;
        let earner = before.submission.facts().earner;
        require_attempts_left(conn, earner, &version, &definition)?;
        let is_same = old.scoring_hash == version.scoring_hash;
        let carried = carried_levels(&definition, &decision, is_same, &choice.reopen)?;

        let new = draft.store(conn, &version, earner, now)?;
        let facts = new.submission.facts();
        store::submissions::save_previous(conn, facts.id, id)?;
        // What was to be renewed still is: else the award that is in force would stand in the way of the next one.
        if let Some(renewed) = store::renewals::find_renewed(conn, id)? {
            store::renewals::create(conn, facts.id, renewed, now)?;
        }
        cohorts::attach_like(conn, id, facts.id)?;
        store::carried_levels::create(conn, facts.id, &carried)?;
        copy_work(conn, resources, &before, &new, &definition, now)?;
        let step = Step {
            event: SubmissionEvent::Resubmit,
            from: Some(before.submission.state()),
            to: before.submission.state(),
            actor: Some(earner),
            actor_role: Role::Earner.as_str().to_owned(),
            version: Some(old.id),
            reason: None,
            happened_at: now,
        };
        store::submissions::append_step(conn, id, &new_uuid().to_string(), &step)?;
        let change =
            Change::new("resubmit_submission", Some(facts.organization), "submission", facts.id)
                .with("previous", id)
                .with("attempt", facts.attempt)
                .with("version", facts.version)
                .with("carried", carried.len());
        Ok((submissions::find_fresh(conn, facts.id)?, change))
    })
}

/// The decision of a submission that may be followed by another attempt.
fn require_not_yet(conn: &mut DbConn, stored: &StoredSubmission) -> Result<StoredDecision, Error> {
    let submission = &stored.submission;
    submission.require(SubmissionEvent::Resubmit)?;
    let facts = submission.facts();
    let decision = store::decisions::find(conn, facts.id)?
        .ok_or_else(|| Error::internal(Broken("a decided submission without its decision")))?;
    let refused = |detail| submissions::refused(submission, SubmissionEvent::Resubmit, detail);
    if decision.outcome == Outcome::Earned {
        return Err(refused("this is earned; there is nothing to hand in again"));
    }
    if store::submissions::last_attempt(conn, facts.earner, stored.micro_credential)?
        > facts.attempt
    {
        return Err(refused("there is a later attempt; go on with that one"));
    }
    Ok(decision)
}

/// Refuses an attempt beyond those that the definition allows. Only decided ones count: what was withdrawn or sent back was none.
///
/// # Errors
/// [`Error::WrongState`].
pub(super) fn require_attempts_left(
    conn: &mut DbConn,
    earner: PersonId,
    version: &Version,
    definition: &Definition,
) -> Result<(), Error> {
    let Some(most) = definition.resubmission().max_attempts else { return Ok(()) };
    let mut n_decided = 0;
    for outcome in Outcome::ALL {
        let family = version.micro_credential;
        n_decided += store::decisions::count_of_earner(conn, earner, family, *outcome)?;
    }
    if n_decided < i64::from(most.get()) {
        return Ok(());
    }
    let detail = format!("this micro-credential allows {most} attempts, and you have made them");
    Err(Error::WrongState { detail, allowed_events: Vec::new() })
}

/// The version of the next attempt: the old one for a while, or the newest.
fn choose_version(
    conn: &mut DbConn,
    before: &StoredSubmission,
    old: &Version,
    wanted: Option<i32>,
    now: Timestamp,
) -> Result<Version, Error> {
    let newest = store::micro_credentials::find_open(conn, before.micro_credential)?
        .ok_or_else(submissions::closed)?;
    if newest.number == old.number {
        return match wanted.filter(|number| *number != old.number) {
            None => Ok(newest),
            Some(_) => Err(unknown_version(&[old.number])),
        };
    }
    let revised_at = first_after(conn, old, &newest)?;
    let is_old_open = revised_at.is_none_or(|moment| now <= moment.plus(OLD_VERSION));
    match wanted {
        None if is_old_open => Ok(old.clone()),
        Some(number) if number == old.number && is_old_open => Ok(old.clone()),
        None => Ok(newest),
        Some(number) if number == newest.number => Ok(newest),
        Some(_) if is_old_open => Err(unknown_version(&[old.number, newest.number])),
        Some(_) => Err(unknown_version(&[newest.number])),
    }
}

/// When the first version after this one came out.
fn first_after(
    conn: &mut DbConn,
    old: &Version,
    newest: &Version,
) -> Result<Option<Timestamp>, Error> {
    for number in (old.number + 1)..newest.number {
        let between = store::micro_credentials::find_version(conn, old.micro_credential, number)?;
        if let Some(moment) = between.and_then(|version| version.published_at) {
            return Ok(Some(moment));
        }
    }
    Ok(newest.published_at)
}

fn unknown_version(open: &[i32]) -> Error {
    let open: Vec<String> = open.iter().map(ToString::to_string).collect();
    let detail = format!("the next attempt can be made at version {}", open.join(" or "));
    Error::invalid("/version", "unknown-version", detail)
}

/// What counts in the next attempt without being read again: what was passed and is not opened again, under the same rubric.
fn carried_levels(
    definition: &Definition,
    decision: &StoredDecision,
    is_same_rubric: bool,
    reopen: &BTreeSet<String>,
) -> Result<BTreeMap<String, CarriedLevel>, Error> {
    let mut carried = BTreeMap::new();
    if is_same_rubric && definition.resubmission().carry_forward_passed_criteria {
        for item in definition.rubric().items() {
            let decided = decision.levels.get(item.id().as_str());
            let Some((level, decided)) = decided.and_then(|one| Some((one.level?, one))) else {
                continue;
            };
            if level >= item.pass_level().number() {
                let feedback = decided.feedback.clone();
                carried.insert(item.id().as_str().to_owned(), CarriedLevel { level, feedback });
            }
        }
    }
    if let Some(unknown) = reopen.iter().find(|id| !carried.contains_key(*id)) {
        let detail = format!(
            "{unknown} is not carried forward, so it is open already; leave it out of reopen_criteria"
        );
        return Err(Error::invalid("/reopen_criteria", "not-carried", detail));
    }
    carried.retain(|id, _| !reopen.contains(id));
    let best: Levels = definition
        .rubric()
        .items()
        .map(|item| {
            let kept = carried.get(item.id().as_str()).map(|one| Level::new(one.level));
            (item.id().clone(), Some(kept.unwrap_or(item.top_level())))
        })
        .collect();
    // A rule can ask for more than the pass levels: what would keep the attempt from ever being earned is read again.
    if definition.decide(&best).map_err(Error::internal)? == Outcome::NotYet {
        carried.clear();
    }
    Ok(carried)
}

/// Copies what can be copied under the new attempt's own key: answers in words, links and texts. A file is handed in anew.
fn copy_work(
    conn: &mut DbConn,
    resources: &Resources,
    before: &StoredSubmission,
    new: &StoredSubmission,
    definition: &Definition,
    now: Timestamp,
) -> Result<(), Error> {
    if before.sealed_key.is_none() {
        return Ok(());
    }
    let key = submissions::open_key(resources, new)?;
    let id = new.submission.facts().id;
    let prompts: BTreeSet<&str> =
        definition.rubric().prompts().map(|prompt| prompt.id().as_str()).collect();
    for (prompt, response) in submissions::read_responses(conn, resources, before)? {
        let Response::Text(text) = response else { continue };
        if prompts.contains(prompt.as_str()) {
            let sealed =
                seal_bytes(&key, text.as_bytes(), prompt.as_bytes()).map_err(Error::internal)?;
            let response = StoredResponse::Text(sealed);
            store::submissions::save_response(conn, id, &prompt, Some(&response))?;
        }
    }
    for item in evidence::open_all(conn, resources, before)? {
        let Some(content) = item.content else { continue };
        if definition.find_evidence(&item.stored.requirement).is_none() {
            continue;
        }
        let sealed = seal_bytes(&key, content.as_bytes(), b"content").map_err(Error::internal)?;
        let was = item.stored.id;
        let copy = StoredEvidence {
            id: EvidenceId::from_uuid(new_uuid()),
            submission: id,
            sealed_name: None,
            sealed_content: Some(sealed),
            created_at: now,
            ..item.stored
        };
        let is_now = copy.id;
        store::evidence::create(conn, &copy)?;
        if item.is_shared {
            co_earners::carry(conn, resources, (before, was), (new, is_now), now)?;
        }
    }
    Ok(())
}

/// How a piece of work stands beside the attempt before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The same as before.
    Unchanged,
    /// It was there, and is another now.
    Changed,
    /// It was not there.
    New,
}

/// What has changed since the attempt before. It says nothing of how that was scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Answers by prompt.
    pub responses: BTreeMap<String, Difference>,
    /// Items of evidence.
    pub evidence: BTreeMap<EvidenceId, Difference>,
    /// How many items are not there any more, by requirement.
    pub removed: BTreeMap<String, usize>,
}

/// What has changed since the attempt before; none for an attempt that follows none, and once that one is forgotten.
///
/// # Errors
/// [`Error::Internal`] when the database or a key fails.
pub fn changes(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
) -> Result<Option<Changes>, Error> {
    let Some(previous) = stored.previous else { return Ok(None) };
    let Some(before) = store::submissions::find(conn, previous)? else { return Ok(None) };
    if before.sealed_key.is_none() || stored.sealed_key.is_none() {
        return Ok(None);
    }
    let old = submissions::read_responses(conn, resources, &before)?;
    let old_items = store::evidence::list(conn, previous)?;
    let new_items = store::evidence::list(conn, stored.submission.facts().id)?;
    let hash_of = |items: &[StoredEvidence], response: &Response| match response {
        Response::Text(text) => Some(text.clone()),
        Response::Evidence(id) => {
            items.iter().find(|item| item.id == *id).map(|item| item.sha256.clone())
        }
    };
    let mut changes = Changes::default();
    for (prompt, response) in submissions::read_responses(conn, resources, stored)? {
        let difference = match old.get(&prompt) {
            None => Difference::New,
            Some(before) if hash_of(&old_items, before) == hash_of(&new_items, &response) => {
                Difference::Unchanged
            }
            Some(_) => Difference::Changed,
        };
        changes.responses.insert(prompt, difference);
    }
    let same = |one: &StoredEvidence, other: &StoredEvidence| {
        one.requirement == other.requirement && one.sha256 == other.sha256
    };
    for item in &new_items {
        let was_there = old_items.iter().any(|old| same(old, item));
        let difference = if was_there { Difference::Unchanged } else { Difference::New };
        changes.evidence.insert(item.id, difference);
    }
    for item in old_items.iter().filter(|old| !new_items.iter().any(|new| same(old, new))) {
        *changes.removed.entry(item.requirement.clone()).or_default() += 1;
    }
    Ok(Some(changes))
}
