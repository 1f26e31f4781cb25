//! Attempts at calibration sets: practice that is corrected at once, qualifying sets, and the right to score that follows.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::Change;
use super::calibration::{agreed_key, definition_of, is_key_author, load};
use super::context::{Cx, Resources, above, new_uuid};
use super::error::{Error, Fault};
use super::known_work::{self, KnownWork};
use super::{assessors, eligibility};
use crate::domain::calibration::{
    AttemptState, CalibrationLimits, KeyedScore, PastTry, QUALIFIED_FOR, QualificationFault,
    ScaledScore, SetKind, SetState, judge_set, may_try,
};
use crate::domain::definition::Definition;
use crate::domain::eligibility::{
    EligibilityRule, Pass, Qualification, QualificationLevel, QualificationState, REFRESHER_PAPERS,
};
use crate::domain::ids::{
    CalibrationAttemptId, CalibrationPaperId, CalibrationSetId, OrganizationId, PersonId,
};
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::rubric::Level;
use crate::domain::timestamp::Timestamp;
use crate::store::calibration::{CalibrationSet, Paper};
use crate::store::qualifications::{Attempt, PaperLevels};
use crate::store::{self, DbConn, StoreError};

/// A paper as who tries it sees it.
#[derive(Clone, Debug)]
pub struct TriedPaper {
    /// Its id.
    pub id: CalibrationPaperId,
    /// What stands in it, while the attempt is open.
    pub work: Option<KnownWork>,
    /// What they gave, if they have.
    pub given: Option<PaperLevels>,
    /// The key with its reasons: of practice papers, once scored.
    pub correction: Option<BTreeMap<String, (u8, String)>>,
}

/// An attempt as its person, or a lead assessor, sees it.
#[derive(Clone, Debug)]
pub struct AttemptDetail {
    /// The attempt.
    pub attempt: Attempt,
    /// Its papers, in an order of its own; none for a lead assessor.
    pub papers: Vec<TriedPaper>,
}

/// `POST /calibration-sets/{id}/attempts`: begins to practise, or tries to qualify.
///
/// # Errors
/// [`Error::WrongState`] for a set that is not in use, or when another try has to wait; [`Error::Invalid`] for an author of its keys.
pub fn start(cx: &mut Cx<'_>, id: CalibrationSetId) -> Result<AttemptDetail, Error> {
    let (_, subject) = load(cx, id)?;
    policy::require(&cx.actor, "start_calibration_attempt", &subject)?;
    let (person, now, resources) = (cx.signed_in()?.person, cx.now, cx.resources);
    let attempt = cx.write(|conn| {
        let set = store::calibration::find_set(conn, id)?.ok_or(Error::Stale)?;
        require_triable(conn, resources, &set, person, now)?;
        if is_key_author(conn, id, person)? {
            let detail = "you have set keys for this set; take another one";
            return Err(Error::invalid("", "key-author", detail));
        }
        if set.kind.is_qualifying() {
            let past = tries_of(conn, person, &set.scoring_hash, Some(id))?;
            may_try(&past, now).map_err(|refusal| wrong_state(refusal.to_string()))?;
        }
        assessors::require_may_begin(conn, person, &set, now)?;
        let attempt = Attempt {
            id: CalibrationAttemptId::from_uuid(new_uuid()),
            set: id,
            person,
            scoring_hash: set.scoring_hash.clone(),
            kind: set.kind,
            state: AttemptState::Open,
            counts: [0; 4],
            started_at: now,
            finished_at: None,
            coached_at: None,
            revision: 1,
        };
        match store::qualifications::create_attempt(conn, &attempt) {
            Err(StoreError::Duplicate(_)) => {
                return Err(wrong_state("you have begun this set; go on with that".to_owned()));
            }
            other => other?,
        }
        let change = Change::new(
            "start_calibration_attempt",
            Some(set.organization),
            "calibration_attempt",
            attempt.id,
        )
        .with("set", id)
        .with("kind", set.kind);
        Ok((attempt.id, change))
    })?;
    find(cx, attempt)
}

/// The tries of a person at qualifying sets for a scoring hash, the oldest first; `set` is the one that is asked for now.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn tries_of(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    set: Option<CalibrationSetId>,
) -> Result<Vec<PastTry>, Error> {
    let attempts = store::qualifications::list_attempts(conn, person, scoring_hash)?;
    Ok(attempts
        .into_iter()
        .filter(|attempt| attempt.kind.is_qualifying())
        .map(|attempt| PastTry {
            is_same_set: set == Some(attempt.set),
            state: attempt.state,
            started_at: attempt.started_at,
            is_coached: attempt.coached_at.is_some(),
        })
        .collect())
}

fn wrong_state(detail: String) -> Error {
    Error::WrongState { detail, allowed_events: Vec::new() }
}

fn require_triable(
    conn: &mut DbConn,
    resources: &Resources,
    set: &CalibrationSet,
    person: PersonId,
    now: Timestamp,
) -> Result<(), Error> {
    let is_for_trying = set.kind == SetKind::Practice || set.kind.is_qualifying();
    if set.state != SetState::Published || !is_for_trying {
        return Err(wrong_state("this set is not in use for trying".to_owned()));
    }
    for paper in store::calibration::list_papers(conn, set.id)? {
        if known_work::read(conn, resources, &paper, now)?.is_none() {
            let detail = "an earner has withdrawn work of this set; a lead assessor makes another";
            return Err(wrong_state(detail.to_owned()));
        }
        if !eligibility::may_know(conn, person, &paper, EligibilityRule::is_tie, now)? {
            let detail = "there is work of your own in this set, or of somebody close to you; a lead assessor makes another";
            return Err(wrong_state(detail.to_owned()));
        }
    }
    Ok(())
}

/// The attempt with its set and policy subject.
fn load_attempt(
    cx: &mut Cx<'_>,
    id: CalibrationAttemptId,
) -> Result<(Attempt, CalibrationSet, Subject), Error> {
    let hidden = || Error::Denied(Denied::Hidden("calibration attempt"));
    let attempt = store::qualifications::find_attempt(cx.conn, id)?.ok_or_else(hidden)?;
    let set = store::calibration::find_set(cx.conn, attempt.set)?.ok_or_else(hidden)?;
    let subject = Subject {
        kind: "calibration attempt",
        organization: set.organization,
        above: above(cx.conn, set.organization)?,
        owner: Some(attempt.person),
        assigned: None,
        visibility: Visibility::Private("read_calibration_attempt"),
    };
    Ok((attempt, set, subject))
}

/// `GET /calibration-attempts/{id}`: with its papers for who tries, with the outcome alone for a lead assessor.
///
/// # Errors
/// [`Error::Denied`] for anybody else.
pub fn find(cx: &mut Cx<'_>, id: CalibrationAttemptId) -> Result<AttemptDetail, Error> {
    let (attempt, set, subject) = load_attempt(cx, id)?;
    policy::require(&cx.actor, "read_calibration_attempt", &subject)?;
    if cx.actor.person() != Some(attempt.person) {
        return Ok(AttemptDetail { attempt, papers: Vec::new() });
    }
    let (now, resources) = (cx.now, cx.resources);
    let definition = definition_of(cx.conn, &set)?;
    let mut given = store::qualifications::list_scores(cx.conn, id)?;
    let mut papers = Vec::new();
    for paper in in_own_order(cx.conn, resources, &attempt)? {
        let given = given.remove(&paper.id);
        let correction = if attempt.kind == SetKind::Practice && given.is_some() {
            let key = agreed_key(cx.conn, paper.id, &definition)?;
            Some(key.into_iter().filter_map(|(id, agreed)| Some((id, agreed?))).collect())
        } else {
            None
        };
        let work = if attempt.state == AttemptState::Open {
            known_work::read(cx.conn, resources, &paper, now)?
        } else {
            None
        };
        papers.push(TriedPaper { id: paper.id, work, given, correction });
    }
    Ok(AttemptDetail { attempt, papers })
}

/// Two people, and two tries, see the same papers in different orders.
fn in_own_order(
    conn: &mut DbConn,
    resources: &Resources,
    attempt: &Attempt,
) -> Result<Vec<Paper>, Error> {
    let mut papers = store::calibration::list_papers(conn, attempt.set)?;
    papers.sort_by_key(|paper| {
        (resources.keyring.draw(&format!("{}/{}", attempt.id, paper.id)), paper.position)
    });
    Ok(papers)
}

/// `POST /calibration-attempts/{id}/papers/{paper_id}/scores`: scores one paper, once. A practice paper is corrected at once.
///
/// # Errors
/// [`Error::Invalid`] unless every criterion has a level or none for unscorable, [`Error::AlreadyThere`] the second time.
pub fn score(
    cx: &mut Cx<'_>,
    id: CalibrationAttemptId,
    paper: CalibrationPaperId,
    levels: &PaperLevels,
) -> Result<AttemptDetail, Error> {
    let (_, set, subject) = load_attempt(cx, id)?;
    policy::require(&cx.actor, "score_calibration_paper", &subject)?;
    let definition = definition_of(cx.conn, &set)?;
    let faults = faults_of_levels(levels, &definition);
    if !faults.is_empty() {
        let summary = "the paper cannot be scored like this".to_owned();
        return Err(Error::Invalid { code: "invalid-calibration", summary, faults });
    }
    let now = cx.now;
    cx.write(|conn| {
        let attempt = store::qualifications::find_attempt(conn, id)?.ok_or(Error::Stale)?;
        require_open(&attempt)?;
        if !store::calibration::list_papers(conn, set.id)?.iter().any(|one| one.id == paper) {
            return Err(Error::NotFound("calibration attempt"));
        }
        match store::qualifications::save_scores(conn, id, paper, levels, now) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "you have scored this paper; it is not changed".to_owned();
                return Err(Error::AlreadyThere { code: "paper-scored", detail });
            }
            other => other?,
        }
        let change = Change::new(
            "score_calibration_paper",
            Some(set.organization),
            "calibration_attempt",
            id,
        )
        .with("paper", paper);
        Ok(((), change))
    })?;
    find(cx, id)
}

fn require_open(attempt: &Attempt) -> Result<(), Error> {
    if attempt.state == AttemptState::Open {
        return Ok(());
    }
    Err(wrong_state(format!("an attempt that is {} does not change any more", attempt.state)))
}

fn faults_of_levels(levels: &PaperLevels, definition: &Definition) -> Vec<Fault> {
    let mut faults = Vec::new();
    let criteria = definition.rubric().criteria();
    for criterion in criteria {
        let pointer =
            format!("/scores/{}", super::submissions::escape_pointer(criterion.id().as_str()));
        match levels.get(criterion.id().as_str()) {
            None => faults.push(Fault::new(pointer, "score-missing", "score every criterion")),
            Some(Some(level))
                if !criterion.levels().iter().any(|one| one.level().number() == *level) =>
            {
                let detail = "the criterion has no such level";
                faults.push(Fault::new(pointer, "unknown-level", detail));
            }
            Some(_) => {}
        }
    }
    for id in levels.keys() {
        if !criteria.iter().any(|criterion| criterion.id().as_str() == id) {
            let pointer = format!("/scores/{}", super::submissions::escape_pointer(id));
            faults.push(Fault::new(pointer, "unknown-criterion", "there is no such criterion"));
        }
    }
    faults
}

/// The scores of known work beside its key, with their scales. A criterion without a key is left out.
pub(super) fn beside_key(
    given: &PaperLevels,
    key: &BTreeMap<String, u8>,
    definition: &Definition,
) -> Vec<ScaledScore> {
    definition
        .rubric()
        .criteria()
        .iter()
        .filter_map(|criterion| {
            let key = *key.get(criterion.id().as_str())?;
            let given = given.get(criterion.id().as_str()).copied().flatten();
            Some(ScaledScore {
                levels: criterion.levels().len(),
                cut: criterion.pass_level(),
                score: KeyedScore { key: Level::new(key), given: given.map(Level::new) },
            })
        })
        .collect()
}

/// What an attempt came to.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The attempt after it.
    pub detail: AttemptDetail,
    /// What falls short, by its word.
    pub faults: Vec<QualificationFault>,
}

/// `POST /calibration-attempts/{id}/finish`: judges a qualifying set. Who passes is qualified from now on, for 365 days.
///
/// # Errors
/// [`Error::Invalid`] while papers are not scored.
pub fn finish(cx: &mut Cx<'_>, id: CalibrationAttemptId) -> Result<Finished, Error> {
    let (_, set, subject) = load_attempt(cx, id)?;
    policy::require(&cx.actor, "finish_calibration_attempt", &subject)?;
    let definition = definition_of(cx.conn, &set)?;
    let now = cx.now;
    let faults = cx.write(|conn| {
        let attempt = store::qualifications::find_attempt(conn, id)?.ok_or(Error::Stale)?;
        require_open(&attempt)?;
        // Whoever was suspended meanwhile, or whose year is over, does not get back by what they have begun before.
        assessors::require_may_begin(conn, attempt.person, &set, now)?;
        let given = store::qualifications::list_scores(conn, id)?;
        let mut scores = Vec::new();
        for paper in store::calibration::list_papers(conn, set.id)? {
            let Some(given) = given.get(&paper.id) else {
                let detail = "score every paper before you finish";
                return Err(Error::invalid("", "papers-open", detail));
            };
            let key = levels_of_key(conn, paper.id, &definition)?;
            scores.extend(beside_key(given, &key, &definition));
        }
        let (agreement, faults) = judge_set(&scores, &CalibrationLimits::default())
            .ok_or_else(|| Error::internal(super::error::Broken("a scale of one level")))?;
        let state = match (attempt.kind.is_qualifying(), faults.is_empty()) {
            (false, _) => AttemptState::Done,
            (true, true) => AttemptState::Passed,
            (true, false) => AttemptState::Failed,
        };
        let count = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
        let finished = Attempt {
            state,
            counts: [
                count(agreement.n),
                count(agreement.exact),
                count(agreement.decision),
                count(agreement.non_adjacent),
            ],
            finished_at: Some(now),
            ..attempt
        };
        let who = (finished.person, set.scoring_hash.as_str());
        let before = assessors::record_of(conn, who.0, who.1, now)?.state(now);
        store::qualifications::finish_attempt(conn, &finished)?;
        if state == AttemptState::Passed {
            qualify(conn, &set, &finished, now)?;
        } else if state == AttemptState::Done {
            end_watch(conn, finished.person, &set.scoring_hash, now)?;
        }
        assessors::settle(conn, who, Some(set.organization), before, now)?;
        let change = Change::new(
            "finish_calibration_attempt",
            Some(set.organization),
            "calibration_attempt",
            id,
        )
        .with("state", state)
        .with("n", agreement.n)
        .with("exact", agreement.exact)
        .with("decision", agreement.decision)
        .with("discrepant", agreement.non_adjacent);
        Ok((faults, change))
    })?;
    let detail = find(cx, id)?;
    let faults = if detail.attempt.kind.is_qualifying() { faults } else { Vec::new() };
    Ok(Finished { detail, faults })
}

/// Writes the qualification that follows from a set that was passed.
fn qualify(
    conn: &mut DbConn,
    set: &CalibrationSet,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<(), Error> {
    let before =
        store::qualifications::find_qualification(conn, attempt.person, &set.scoring_hash)?;
    let made_for_it =
        if set.is_provisional { QualificationLevel::Provisional } else { QualificationLevel::Full };
    let pass = Pass { organization: set.organization, level: made_for_it, passed_at: now };
    let held = Qualification {
        person: attempt.person,
        scoring_hash: set.scoring_hash.clone(),
        level: Qualification::level_after(before.as_ref(), pass),
        state: QualificationState::Qualified,
        passed_at: now,
        expires_at: now.plus(QUALIFIED_FOR),
        flagged_at: None,
        revision: before.map_or(0, |held| held.revision),
    };
    let row_id = new_uuid().to_string();
    Ok(store::qualifications::save_qualification(conn, &row_id, &held, attempt.id)?)
}

/// The last five practice papers of somebody, where together they would qualify.
pub(super) struct Refresher {
    /// When the first of them was scored.
    pub begun_at: Timestamp,
    /// When the last one was.
    pub done_at: Timestamp,
}

/// The refresher that somebody did last, if their last five practice papers are one; with `among`, on sets of these organizations.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn last_refresher(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    among: Option<&BTreeSet<OrganizationId>>,
) -> Result<Option<Refresher>, Error> {
    let count = REFRESHER_PAPERS;
    let tried = store::qualifications::list_practice(conn, (person, scoring_hash), among, count)?;
    let (Some(last), Some(first)) = (tried.first(), tried.get(REFRESHER_PAPERS - 1)) else {
        return Ok(None);
    };
    let refresher = Refresher { begun_at: first.scored_at, done_at: last.scored_at };
    let attempt = store::qualifications::find_attempt(conn, last.attempt)?.ok_or(Error::Stale)?;
    let set = store::calibration::find_set(conn, attempt.set)?.ok_or(Error::Stale)?;
    // All of them are by one scoring hash, and so by the same criteria.
    let definition = definition_of(conn, &set)?;
    let mut scores = Vec::new();
    for one in &tried {
        let given = store::qualifications::list_scores(conn, one.attempt)?;
        let Some(given) = given.get(&one.paper) else { continue };
        scores.extend(beside_key(
            given,
            &levels_of_key(conn, one.paper, &definition)?,
            &definition,
        ));
    }
    let is_passed = judge_set(&scores, &CalibrationLimits::default())
        .is_some_and(|(_, faults)| faults.is_empty());
    Ok(is_passed.then_some(refresher))
}

/// The levels of a paper's key, where lead assessors agree.
fn levels_of_key(
    conn: &mut DbConn,
    paper: CalibrationPaperId,
    definition: &Definition,
) -> Result<BTreeMap<String, u8>, Error> {
    let key = agreed_key(conn, paper, definition)?;
    Ok(key.into_iter().filter_map(|(criterion, agreed)| Some((criterion, agreed?.0))).collect())
}

/// Five practice papers after a watch are the refresher that ends it.
fn end_watch(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(held) = store::qualifications::find_qualification(conn, person, scoring_hash)?
        .filter(|held| held.state == QualificationState::Watch)
    else {
        return Ok(());
    };
    let is_refreshed = last_refresher(conn, person, scoring_hash, None)?
        .is_some_and(|done| held.flagged_at.is_none_or(|flagged| done.begun_at >= flagged));
    if is_refreshed {
        let state = QualificationState::Qualified;
        store::qualifications::flag_qualification(conn, &held, state, now)?;
    }
    Ok(())
}

/// `POST /calibration-attempts/{id}/coaching`: a lead assessor records that they spoke about a failed attempt with its person.
///
/// # Errors
/// [`Error::WrongState`] unless it has failed, [`Error::Invalid`] for one's own.
pub fn record_coaching(cx: &mut Cx<'_>, id: CalibrationAttemptId) -> Result<AttemptDetail, Error> {
    let (_, set, subject) = load_attempt(cx, id)?;
    policy::require(&cx.actor, "record_calibration_coaching", &subject)?;
    let (by, now) = (cx.signed_in()?.person, cx.now);
    cx.write(|conn| {
        let attempt = store::qualifications::find_attempt(conn, id)?.ok_or(Error::Stale)?;
        if attempt.person == by {
            return Err(Error::invalid("", "oneself", "another lead assessor speaks with you"));
        }
        if attempt.state != AttemptState::Failed {
            return Err(wrong_state("coaching follows an attempt that has failed".to_owned()));
        }
        store::qualifications::save_coaching(conn, id, by, now)?;
        let change = Change::new(
            "record_calibration_coaching",
            Some(set.organization),
            "calibration_attempt",
            id,
        );
        Ok(((), change))
    })?;
    find(cx, id)
}

/// `GET /calibration-sets/{id}/attempts`: what came of a set, for lead assessors; no scores.
///
/// # Errors
/// [`Error::Denied`] for anybody else.
pub fn list(
    cx: &mut Cx<'_>,
    id: CalibrationSetId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Attempt>, Error> {
    let (_, subject) = load(cx, id)?;
    policy::require(&cx.actor, "list_calibration_attempts", &subject)?;
    Ok(store::qualifications::list_attempts_of_set(cx.conn, id, after, limit)?)
}

/// The caller's own qualifications.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn own(cx: &mut Cx<'_>) -> Result<Vec<Qualification>, Error> {
    let person = cx.signed_in()?.person;
    Ok(store::qualifications::list_qualifications(cx.conn, person)?)
}
