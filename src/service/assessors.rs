//! The life of an assessor of a rubric: who stands where, what comes next, and the steps that people take
//! (`domain::assessor` has the table).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::audit::{self, Change};
use super::context::{Cx, above, new_uuid, people_with};
use super::error::Error;
use super::{calibration, eligibility, qualifying, seeds};
use crate::domain::assessor::{
    AssessorEvent, AssessorGuard, AssessorRecord, AssessorState, AssessorStep, Engagement,
    IllegalAssessorEvent,
};
use crate::domain::calibration::{SetKind, SetState, exhausted_until};
use crate::domain::eligibility::{EligibilityRule, License, Module};
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::process::Party;
use crate::domain::timestamp::Timestamp;
use crate::store::assessors::NewStep;
use crate::store::calibration::CalibrationSet;
use crate::store::{self, DbConn};

/// The longest reason that is kept.
const LONGEST_REASON: usize = 2000;
/// The most assessors of one list.
const MOST_LISTED: usize = 500;

/// Where a person stands for a rubric, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who.
    pub person: PersonId,
    /// For every version of this scoring hash.
    pub scoring_hash: String,
    /// At which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// Where they stand.
    pub state: AssessorState,
    /// What is still to do in training; empty elsewhere.
    pub missing: Vec<AssessorGuard>,
    /// Until when the state lasts by itself: the end of the qualification, or of the cycle whose tries are used up.
    pub until: Option<Timestamp>,
    /// What was said at the last suspension or release, where it still holds.
    pub reason: Option<String>,
    /// The organizations they are an assessor of for whose work what they passed does not count (docs/decisions/0073).
    pub not_counted_in: BTreeSet<OrganizationId>,
}

impl Standing {
    /// What comes next, in plain words.
    #[must_use]
    pub fn next(&self) -> String {
        match self.state {
            AssessorState::Invited => {
                "declare your ties to people whose work you may be given, then accept".to_owned()
            }
            AssessorState::InTraining => {
                let words = |guard: &AssessorGuard| match guard {
                    AssessorGuard::BiasModule => Some("do the module on bias"),
                    AssessorGuard::PracticeSet => Some("finish a practice set"),
                    AssessorGuard::ConflictDeclaration
                    | AssessorGuard::QualificationRule
                    | AssessorGuard::SetsExhausted
                    | AssessorGuard::WatchFlag
                    | AssessorGuard::RefresherPassed
                    | AssessorGuard::SuspendFlagOrReason
                    | AssessorGuard::After365Days
                    | AssessorGuard::CoachingRecorded
                    | AssessorGuard::Reason => None,
                };
                self.missing.iter().filter_map(words).collect::<Vec<_>>().join(", and ")
            }
            AssessorState::Qualifying => "try a qualifying set".to_owned(),
            AssessorState::Qualified if self.not_counted_in.is_empty() => {
                "score; try a qualifying set again before the end".to_owned()
            }
            AssessorState::Qualified => "score where your qualification counts; for the other organizations pass a qualifying set of theirs, or ask their lead assessors to recognise yours".to_owned(),
            AssessorState::Watch => "score five practice papers as a refresher".to_owned(),
            AssessorState::Suspended => {
                "a lead assessor speaks with you and lets you qualify again".to_owned()
            }
            AssessorState::Released => match self.until {
                Some(until) => {
                    format!("the next cycle begins on {}; accept again then", until.date())
                }
                None => "a lead assessor can ask you back".to_owned(),
            },
        }
    }
}

impl From<IllegalAssessorEvent> for Error {
    fn from(error: IllegalAssessorEvent) -> Error {
        wrong_state(error.state, error.to_string())
    }
}

fn wrong_state(state: AssessorState, detail: String) -> Error {
    let allowed_events = state.allowed_events().iter().map(|event| event.as_str()).collect();
    Error::WrongState { detail, allowed_events }
}

/// What the steps of a person for a rubric came to at a moment.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn engagement_of(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    at: Timestamp,
) -> Result<Engagement, Error> {
    let steps = store::assessors::list(conn, person, scoring_hash, at)?;
    Ok(Engagement::of(steps.into_iter().map(|(step, at, _)| (step, at))))
}

/// Whether assessors practise or qualify on a set now.
fn is_for_trying(set: &CalibrationSet) -> bool {
    set.state == SetState::Published && (set.kind == SetKind::Practice || set.kind.is_qualifying())
}

/// The sets for a scoring hash that are or were in use and that a person may be asked to score by, the oldest first.
fn homes_of(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
) -> Result<Vec<CalibrationSet>, Error> {
    let facets = store::memberships::list_facets(conn, person)?;
    let mut found = Vec::new();
    for set in store::calibration::list_used(conn, Some(scoring_hash))? {
        let above = above(conn, set.organization)?;
        if facets.iter().any(|facet| facet.gives(Role::Assessor, set.organization, &above)) {
            found.push(set);
        }
    }
    Ok(found)
}

/// What the state of a person for a rubric follows from.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn record_of(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    now: Timestamp,
) -> Result<AssessorRecord, Error> {
    let past = qualifying::tries_of(conn, person, scoring_hash, None)?;
    let is_practice =
        |set: &CalibrationSet| set.kind == SetKind::Practice && set.state == SetState::Published;
    Ok(AssessorRecord {
        engagement: engagement_of(conn, person, scoring_hash, now)?,
        qualification: store::qualifications::find_qualification(conn, person, scoring_hash)?,
        bias_module_at: store::assessors::find_module(conn, person, Module::Bias)?,
        needs_practice: homes_of(conn, person, scoring_hash)?.iter().any(is_practice),
        practised_at: store::assessors::last_practice(conn, person, scoring_hash)?,
        tried_at: past.last().map(|one| one.started_at),
        exhausted_until: exhausted_until(&past),
    })
}

fn standing_of(
    conn: &mut DbConn,
    person: PersonId,
    home: &CalibrationSet,
    now: Timestamp,
) -> Result<Standing, Error> {
    let hash = &home.scoring_hash;
    let record = record_of(conn, person, hash, now)?;
    let state = record.state(now);
    let told = match state {
        AssessorState::Suspended => Some(AssessorStep::Suspend),
        AssessorState::Released => Some(AssessorStep::Release),
        AssessorState::Invited
        | AssessorState::InTraining
        | AssessorState::Qualifying
        | AssessorState::Qualified
        | AssessorState::Watch => None,
    };
    let reason = store::assessors::list(conn, person, hash, now)?
        .into_iter()
        .rev()
        .find(|(step, _, _)| Some(*step) == told)
        .and_then(|(_, _, reason)| reason);
    let until = match state {
        AssessorState::Qualified | AssessorState::Watch => {
            record.qualification.as_ref().map(|held| held.expires_at)
        }
        AssessorState::Released => record.exhausted_until.filter(|end| *end > now),
        AssessorState::Invited
        | AssessorState::InTraining
        | AssessorState::Qualifying
        | AssessorState::Suspended => None,
    };
    let missing =
        if state == AssessorState::InTraining { record.training(now).missing } else { Vec::new() };
    let organization = home.organization;
    let mut not_counted_in = BTreeSet::new();
    if is_elsewhere(conn, person, hash, organization, now)? {
        not_counted_in.insert(organization);
    }
    Ok(Standing {
        person,
        scoring_hash: hash.clone(),
        micro_credential: home.micro_credential,
        state,
        missing,
        until,
        reason,
        not_counted_in,
    })
}

/// Whether somebody qualified by sets that do not count for the work of an organization.
fn is_elsewhere(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<bool, Error> {
    let refused = License::Refused(EligibilityRule::QualifiedElsewhere);
    Ok(eligibility::is_license_required(conn, organization, scoring_hash)?
        && eligibility::license_of(conn, person, scoring_hash, organization, now)? == refused)
}

fn subject_of(
    conn: &mut DbConn,
    person: PersonId,
    organization: OrganizationId,
) -> Result<Subject, Error> {
    Ok(Subject {
        kind: "assessor",
        organization,
        above: above(conn, organization)?,
        owner: Some(person),
        assigned: None,
        visibility: Visibility::Private("read_assessor"),
    })
}

/// The set by which the caller may do an operation to a person: one where both of them have their part.
fn load(
    cx: &mut Cx<'_>,
    person: PersonId,
    scoring_hash: &str,
    operation: &'static str,
) -> Result<CalibrationSet, Error> {
    let mut denied = Denied::Hidden("assessor");
    for home in homes_of(cx.conn, person, scoring_hash)? {
        let subject = subject_of(cx.conn, person, home.organization)?;
        match policy::require(&cx.actor, operation, &subject) {
            Ok(()) => return Ok(home),
            Err(Denied::Hidden(_)) => {}
            Err(other) => denied = other,
        }
    }
    // Nobody learns from a refusal whether somebody is an assessor elsewhere.
    cx.signed_in()?;
    Err(denied.into())
}

/// `GET /assessors/{person_id}`: where somebody stands for each rubric, for themselves and for lead assessors of the organization.
///
/// # Errors
/// [`Error::Denied`] for anybody else.
pub fn find(cx: &mut Cx<'_>, person: PersonId) -> Result<Vec<Standing>, Error> {
    let is_own = cx.signed_in()?.person == person;
    let mut hashes: BTreeSet<String> = store::calibration::list_used(cx.conn, None)?
        .into_iter()
        .filter(is_for_trying)
        .map(|set| set.scoring_hash)
        .collect();
    hashes.extend(store::assessors::list_hashes(cx.conn, person)?);
    let now = cx.now;
    let mut found = Vec::new();
    for hash in hashes {
        match load(cx, person, &hash, "read_assessor") {
            Ok(home) => {
                let mut standing = standing_of(cx.conn, person, &home, now)?;
                standing.not_counted_in = list_elsewhere(cx, person, &hash)?;
                found.push(standing);
            }
            Err(Error::Denied(Denied::Hidden(_) | Denied::Forbidden)) => {}
            Err(other) => return Err(other),
        }
    }
    if found.is_empty() && !is_own {
        return Err(Denied::Hidden("assessor").into());
    }
    Ok(found)
}

/// Those of the organizations in which the caller sees an assessor for whose work their qualification does not count.
fn list_elsewhere(
    cx: &mut Cx<'_>,
    person: PersonId,
    scoring_hash: &str,
) -> Result<BTreeSet<OrganizationId>, Error> {
    let homes = homes_of(cx.conn, person, scoring_hash)?;
    let places: BTreeSet<OrganizationId> = homes.iter().map(|home| home.organization).collect();
    let now = cx.now;
    let mut found = BTreeSet::new();
    for place in places {
        let subject = subject_of(cx.conn, person, place)?;
        if policy::require(&cx.actor, "read_assessor", &subject).is_ok()
            && is_elsewhere(cx.conn, person, scoring_hash, place, now)?
        {
            found.insert(place);
        }
    }
    Ok(found)
}

/// `GET /assessors`: where the assessors of the caller's organizations stand, by rubric and person; at most 500.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn list(
    cx: &mut Cx<'_>,
    micro_credential: Option<MicroCredentialId>,
) -> Result<Vec<Standing>, Error> {
    policy::require_somewhere(&cx.actor, "list_assessors")?;
    let mut readers: BTreeMap<OrganizationId, Vec<PersonId>> = BTreeMap::new();
    let mut homes: BTreeMap<(String, PersonId), CalibrationSet> = BTreeMap::new();
    for set in store::calibration::list_used(cx.conn, None)? {
        let is_asked = micro_credential.is_none_or(|asked| asked == set.micro_credential);
        if !is_asked || !is_for_trying(&set) {
            continue;
        }
        let above = above(cx.conn, set.organization)?;
        if !cx.actor.holds(Role::LeadAssessor, set.organization, &above) {
            continue;
        }
        let people = match readers.entry(set.organization) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(people_with(cx.conn, Role::Assessor, set.organization)?)
            }
        };
        for person in people.iter() {
            let key = (set.scoring_hash.clone(), *person);
            homes.entry(key).or_insert_with(|| set.clone());
        }
    }
    let now = cx.now;
    homes
        .iter()
        .take(MOST_LISTED)
        .map(|((_, person), home)| standing_of(cx.conn, *person, home, now))
        .collect()
}

/// Writes down what the service itself has brought about: the event that leads from `before` to where the person stands now.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn settle(
    conn: &mut DbConn,
    (person, scoring_hash): (PersonId, &str),
    organization: Option<OrganizationId>,
    before: AssessorState,
    now: Timestamp,
) -> Result<(), Error> {
    let after = record_of(conn, person, scoring_hash, now)?.state(now);
    let event = before.transitions().find(|transition| {
        transition.to == after && after != before && transition.parties.contains(&Party::System)
    });
    if let Some(event) = event {
        let change = Change::new(event.audit, organization, "person", person)
            .with("scoring_hash", scoring_hash);
        audit::append(conn, None, &change, now)?;
    }
    Ok(())
}

fn require_reason(reason: &str) -> Result<(), Error> {
    if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail = format!("say why in 1 to {LONGEST_REASON} characters; the assessor reads it");
        return Err(Error::invalid("/reason", "reason", detail));
    }
    Ok(())
}

fn require_other(cx: &Cx<'_>, person: PersonId) -> Result<PersonId, Error> {
    let by = cx.signed_in()?.person;
    if by == person {
        return Err(Error::invalid("", "oneself", "another lead assessor decides about you"));
    }
    Ok(by)
}

fn step(person: PersonId, scoring_hash: &str, step: AssessorStep) -> NewStep {
    NewStep {
        id: new_uuid().to_string(),
        person,
        scoring_hash: scoring_hash.to_owned(),
        step,
        actor: None,
        reason: None,
    }
}

const LEAD: Party = Party::Person(Role::LeadAssessor);

/// `POST /assessors/{person_id}/accept`: an assessor says that every tie is declared, and begins to train.
///
/// # Errors
/// [`Error::Invalid`] without the declaration, [`Error::WrongState`] unless they are invited.
pub fn accept(
    cx: &mut Cx<'_>,
    person: PersonId,
    scoring_hash: &str,
    has_declared: bool,
) -> Result<Standing, Error> {
    let home = load(cx, person, scoring_hash, "accept_assessing")?;
    if !has_declared {
        let detail = "declare every tie to people whose work you may be given, then say so here";
        return Err(Error::invalid("/conflicts_declared", "conflict-declaration", detail));
    }
    let now = cx.now;
    store::write(cx.conn, |conn| {
        let before = record_of(conn, person, scoring_hash, now)?.state(now);
        let event = before.take(AssessorEvent::Accept, Party::Person(Role::Assessor))?;
        let accepted =
            NewStep { actor: Some(person), ..step(person, scoring_hash, AssessorStep::Accept) };
        store::assessors::create(conn, &accepted, now)?;
        let change = Change::new(event.audit, Some(home.organization), "person", person)
            .with("scoring_hash", scoring_hash);
        audit::append(conn, Some(person), &change, now)?;
        settle(conn, (person, scoring_hash), Some(home.organization), event.to, now)
    })?;
    standing_of(cx.conn, person, &home, now)
}

/// `POST /assessors/{person_id}/suspend`: a lead assessor stops somebody, as drift would: what they hold goes back to the queue, and
/// what they locked since their last good seed paper is listed to be read again.
///
/// # Errors
/// [`Error::Invalid`] without a reason or for oneself, [`Error::WrongState`] unless they are qualified or watched.
pub fn suspend(
    cx: &mut Cx<'_>,
    person: PersonId,
    scoring_hash: &str,
    reason: &str,
) -> Result<Standing, Error> {
    let home = load(cx, person, scoring_hash, "suspend_assessor")?;
    require_reason(reason)?;
    let by = require_other(cx, person)?;
    let definition = calibration::definition_of(cx.conn, &home)?;
    let now = cx.now;
    store::write(cx.conn, |conn| {
        let state = record_of(conn, person, scoring_hash, now)?.state(now);
        state.take(AssessorEvent::DriftSuspend, LEAD)?;
        let held = store::qualifications::find_qualification(conn, person, scoring_hash)?
            .ok_or(Error::Stale)?;
        let since = seeds::last_good(conn, &held, &definition)?;
        let decided = seeds::Suspension {
            actor: Some(by),
            organization: Some(home.organization),
            reason: Some(reason.trim().to_owned()),
        };
        seeds::suspend(conn, &held, since, &decided, now)
    })?;
    standing_of(cx.conn, person, &home, now)
}

/// `POST /assessors/{person_id}/coaching`: a lead assessor records that they have spoken with a suspended assessor.
///
/// # Errors
/// [`Error::WrongState`] unless they are suspended, [`Error::Invalid`] for oneself.
pub fn coach(cx: &mut Cx<'_>, person: PersonId, scoring_hash: &str) -> Result<Standing, Error> {
    let home = load(cx, person, scoring_hash, "coach_assessor")?;
    let by = require_other(cx, person)?;
    let now = cx.now;
    cx.write(|conn| {
        let state = record_of(conn, person, scoring_hash, now)?.state(now);
        if state != AssessorState::Suspended {
            let detail = "coaching is recorded while somebody is suspended; after a failed set it belongs to the attempt";
            return Err(wrong_state(state, detail.to_owned()));
        }
        let coached =
            NewStep { actor: Some(by), ..step(person, scoring_hash, AssessorStep::Coaching) };
        store::assessors::create(conn, &coached, now)?;
        let change = Change::new("coach_assessor", Some(home.organization), "person", person)
            .with("scoring_hash", scoring_hash);
        Ok(((), change))
    })?;
    standing_of(cx.conn, person, &home, now)
}

/// `POST /assessors/{person_id}/requalify`: a lead assessor lets a suspended assessor try the qualifying sets again.
///
/// # Errors
/// [`Error::WrongState`] unless they are suspended, [`Error::Invalid`] before coaching was recorded, or for oneself.
pub fn requalify(cx: &mut Cx<'_>, person: PersonId, scoring_hash: &str) -> Result<Standing, Error> {
    let home = load(cx, person, scoring_hash, "requalify_assessor")?;
    let by = require_other(cx, person)?;
    let now = cx.now;
    cx.write(|conn| {
        let record = record_of(conn, person, scoring_hash, now)?;
        let event = record.state(now).take(AssessorEvent::Requalify, LEAD)?;
        if !record.engagement.is_coached {
            let detail = "record the coaching since the suspension first";
            return Err(Error::invalid("", "coaching-missing", detail));
        }
        let allowed =
            NewStep { actor: Some(by), ..step(person, scoring_hash, AssessorStep::Requalify) };
        store::assessors::create(conn, &allowed, now)?;
        let change = Change::new(event.audit, Some(home.organization), "person", person)
            .with("scoring_hash", scoring_hash);
        Ok(((), change))
    })?;
    standing_of(cx.conn, person, &home, now)
}

/// `POST /assessors/{person_id}/release`: an assessor goes, or a lead assessor lets them go. What they hold goes back to the queue;
/// what they have locked stays.
///
/// # Errors
/// [`Error::Invalid`] without a reason, [`Error::WrongState`] for somebody who is released.
pub fn release(
    cx: &mut Cx<'_>,
    person: PersonId,
    scoring_hash: &str,
    reason: &str,
) -> Result<Standing, Error> {
    let home = load(cx, person, scoring_hash, "release_assessor")?;
    require_reason(reason)?;
    let (by, now) = (cx.signed_in()?.person, cx.now);
    let party = if by == person { Party::Person(Role::Assessor) } else { LEAD };
    cx.write(|conn| {
        let state = record_of(conn, person, scoring_hash, now)?.state(now);
        let event = state.take(AssessorEvent::Release, party)?;
        let gone = NewStep {
            actor: Some(by),
            reason: Some(reason.trim().to_owned()),
            ..step(person, scoring_hash, AssessorStep::Release)
        };
        store::assessors::create(conn, &gone, now)?;
        let n_freed = seeds::free_held(conn, person, scoring_hash, "released_from_scoring", now)?;
        let change = Change::new(event.audit, Some(home.organization), "person", person)
            .with("scoring_hash", scoring_hash)
            .with("released", n_freed);
        Ok(((), change))
    })?;
    standing_of(cx.conn, person, &home, now)
}

/// `POST /assessors/{person_id}/invite`: a lead assessor asks somebody back who was released. They begin anew; tries of the cycle that
/// goes on still count.
///
/// # Errors
/// [`Error::WrongState`] unless they are released, or while the rest of a cycle without tries goes on; [`Error::Invalid`] for oneself.
pub fn invite(cx: &mut Cx<'_>, person: PersonId, scoring_hash: &str) -> Result<Standing, Error> {
    let home = load(cx, person, scoring_hash, "invite_assessor")?;
    let by = require_other(cx, person)?;
    let now = cx.now;
    cx.write(|conn| {
        let record = record_of(conn, person, scoring_hash, now)?;
        let state = record.state(now);
        if state != AssessorState::Released {
            let detail = "only somebody who was released is asked back".to_owned();
            return Err(wrong_state(state, detail));
        }
        if let Some(end) = record.exhausted_until.filter(|end| *end > now) {
            let detail =
                format!("their tries are used up; the next cycle begins on {}", end.date());
            return Err(wrong_state(state, detail));
        }
        let invited =
            NewStep { actor: Some(by), ..step(person, scoring_hash, AssessorStep::Invite) };
        store::assessors::create(conn, &invited, now)?;
        let change = Change::new("invite_assessor", Some(home.organization), "person", person)
            .with("scoring_hash", scoring_hash);
        Ok(((), change))
    })?;
    standing_of(cx.conn, person, &home, now)
}

/// Where a person stands for each rubric that anything is known of, before something changes that concerns all of them.
pub(super) fn states_of(
    conn: &mut DbConn,
    person: PersonId,
    now: Timestamp,
) -> Result<BTreeMap<String, AssessorState>, Error> {
    let hashes = store::assessors::list_hashes(conn, person)?;
    hashes
        .into_iter()
        .map(|hash| {
            let state = record_of(conn, person, &hash, now)?.state(now);
            Ok((hash, state))
        })
        .collect()
}

/// Refuses to begin a set whose time has not come for this person.
pub(super) fn require_may_begin(
    conn: &mut DbConn,
    person: PersonId,
    set: &CalibrationSet,
    now: Timestamp,
) -> Result<(), Error> {
    let standing = standing_of(conn, person, set, now)?;
    let may = if set.kind.is_qualifying() {
        standing.state.may_try()
    } else {
        standing.state.may_practise()
    };
    if may {
        return Ok(());
    }
    let detail = format!("this set is not for you now ({}): {}", standing.state, standing.next());
    Err(wrong_state(standing.state, detail))
}

/// Writes down the end of qualifications whose year is over. They end by themselves; this is for the trail.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn note_lapses(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let now = cx.now;
    let ended = store::assessors::list_lapsing(cx.conn, now, 200)?;
    for (person, hash) in &ended {
        store::write(cx.conn, |conn| {
            let lapse = step(*person, hash, AssessorStep::Lapse);
            store::assessors::create(conn, &lapse, now)?;
            // Whoever was released before has nothing to lose.
            if engagement_of(conn, *person, hash, now)?.is_released {
                return Ok(());
            }
            let event = AssessorState::Qualified.take(AssessorEvent::Lapse, Party::System)?;
            let organization = homes_of(conn, *person, hash)?.first().map(|set| set.organization);
            let change =
                Change::new(event.audit, organization, "person", person).with("scoring_hash", hash);
            audit::append(conn, None, &change, now)?;
            settle(conn, (*person, hash), organization, event.to, now)
        })?;
    }
    Ok(ended.len())
}
