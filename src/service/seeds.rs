//! Seed papers: known work mixed blind into the live queue, and what drift on it leads to.
//!
//! A presentation is a submission like any other, of nobody: it is read, saved and locked by the same code, so that nothing in an
//! answer tells it apart. What differs comes after the lock: it decides nothing, and is closed.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::audit::{self, Change};
use super::calibration::agreed_key;
use super::context::{Cx, Resources, branch_up, new_uuid, uuid_of};
use super::error::{Broken, Error};
use super::known_work::{self, KnownWork};
use super::qualifying::beside_key;
use super::resolution::Terms;
use super::submissions::{self, By, NewDraft};
use super::{calendars, eligibility, rereads, reviews};
use crate::domain::ai_use::AiUsePolicy;
use crate::domain::assessor::AssessorStep;
use crate::domain::audit::hex;
use crate::domain::calibration::{CalibrationLimits, DriftFlag, ScaledScore, judge_seeds};
use crate::domain::definition::Definition;
use crate::domain::eligibility::{EligibilityRule, Qualification, QualificationState};
use crate::domain::evidence_metadata::EvidenceMetadata;
use crate::domain::ids::{
    CalibrationPaperId, EvidenceId, OrganizationId, PersonId, ReviewId, SubmissionId,
};
use crate::domain::organization::Role;
use crate::domain::resolution::Sheets;
use crate::domain::review::{LEASE, RereadReason, Review, ReviewState, Sheet};
use crate::domain::submission::{Submission, SubmissionEvent, SubmissionFacts, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::files::seal_bytes;
use crate::store::assessors::NewStep;
use crate::store::evidence::StoredEvidence;
use crate::store::micro_credentials::Version;
use crate::store::seeds::{Presentation, SeedScore};
use crate::store::submissions::{StoredResponse, StoredSubmission};
use crate::store::{self, DbConn};

/// How long after passing seed papers come more often.
const FIRST_MONTH: TimeDelta = TimeDelta::days(30);
/// One review of so many is a seed paper: in the first month, and later.
const ONE_IN: (i64, i64) = (10, 20);

/// Whether the next review of somebody is a seed paper: one of each block of so many is, and which one is nobody's to guess. Where
/// none could be had when its turn came, the next review of the block takes its place.
fn is_due(
    conn: &mut DbConn,
    resources: &Resources,
    held: &Qualification,
    now: Timestamp,
) -> Result<bool, Error> {
    let (person, hash) = (held.person, &held.scoring_hash);
    let later = held.passed_at.plus(FIRST_MONTH);
    let (block, since) = if later > now { (ONE_IN.0, held.passed_at) } else { (ONE_IN.1, later) };
    let taken = store::seeds::count_taken(conn, person, hash, since, None)?;
    let block_of = taken / block;
    let name = format!("seed/{person}/{hash}/{}/{block}/{block_of}", held.passed_at);
    let is_turn = taken % block >= i64::from(resources.keyring.draw(&name)) % block;
    if !is_turn {
        return Ok(false);
    }
    let Some(last) = store::seeds::last_presented(conn, person, hash, since)? else {
        return Ok(true);
    };
    let after = store::seeds::count_taken(conn, person, hash, since, Some(last))?;
    Ok((taken - after - 1) / block < block_of)
}

/// A seed paper in the place of live work that somebody was about to be given, when one is due. The live work stays in the queue.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn offer(
    conn: &mut DbConn,
    resources: &Resources,
    assessor: PersonId,
    live: &StoredSubmission,
    now: Timestamp,
) -> Result<Option<Review>, Error> {
    let organization = live.submission.facts().organization;
    let (version, definition) = submissions::pinned(conn, live)?;
    let hash = &version.scoring_hash;
    let Some(held) = store::qualifications::find_qualification(conn, assessor, hash)? else {
        return Ok(None);
    };
    if !is_due(conn, resources, &held, now)? {
        return Ok(None);
    }
    let among = branch_up(conn, organization)?;
    let mut unseen = store::seeds::list_unseen(conn, assessor, hash, &among)?;
    unseen.sort_by_key(|paper| resources.keyring.draw(&format!("{assessor}/{paper}")));
    for id in unseen {
        let Some(paper) = store::calibration::find_paper(conn, id)? else { continue };
        // Known work of somebody is kept from whom live work of theirs would be kept from.
        let keeps_away = EligibilityRule::is_about_work;
        if !eligibility::may_know(conn, assessor, &paper, keeps_away, now)? {
            continue;
        }
        let Some(work) = known_work::read(conn, resources, &paper, now)? else { continue };
        // Where live work cannot come without a statement on AI, a paper without one would be known by that.
        let says_nothing = work.ai_use.as_ref().is_none_or(|words| words.trim().is_empty());
        let is_bare =
            says_nothing && live.ai_use_policy.is_some_and(AiUsePolicy::asks_for_statement);
        if is_bare || !known_work::faults_of(&work, &definition).is_empty() {
            continue;
        }
        return present(conn, resources, (assessor, id), (live, &version), &work, now).map(Some);
    }
    Ok(None)
}

/// When a known paper would have been begun and handed in: somewhat before the live work whose place it takes, so that neither its ids
/// nor its promised day tell that it came into being at the claim, or beside which work.
struct Origin {
    /// In milliseconds since 1970, from which its ids are made.
    begun: u64,
    /// Until it was handed in, in milliseconds.
    worked_for: u64,
    submitted_at: Timestamp,
    due_on: Timestamp,
}

impl Origin {
    fn before(
        conn: &mut DbConn,
        resources: &Resources,
        live: &StoredSubmission,
        name: &str,
        now: Timestamp,
    ) -> Result<Origin, Error> {
        // Up to five and a half hours, in steps of two seconds.
        let earlier = 2 * (i64::from(resources.keyring.draw(&format!("earlier/{name}"))) + 1);
        let submitted_at = live.submitted_at.unwrap_or(now).minus(TimeDelta::seconds(earlier));
        let organization = live.submission.facts().organization;
        let days = submissions::PROMISED_WORKING_DAYS;
        let (seconds, nanos) = live
            .submission
            .facts()
            .id
            .as_uuid()
            .get_timestamp()
            .ok_or_else(|| Error::internal(Broken("an id without its time")))?
            .to_unix();
        let begun = seconds * 1000 + u64::from(nanos / 1_000_000);
        let worked_for = live.submitted_at.unwrap_or(now).as_utc() - live.created_at.as_utc();
        Ok(Origin {
            begun: begun.saturating_sub(u64::try_from(earlier * 1000).unwrap_or(0)),
            worked_for: u64::try_from(worked_for.num_milliseconds()).unwrap_or(0),
            submitted_at,
            due_on: calendars::promise(conn, organization, submitted_at, days)?,
        })
    }

    /// An id of so many ten-thousandths of the time until it was handed in.
    fn uuid_at(&self, share: u64) -> Uuid {
        uuid_of(self.begun + self.worked_for / 10_000 * share)
    }
}

/// Stores the paper as a submission of nobody, with a leased review.
fn present(
    conn: &mut DbConn,
    resources: &Resources,
    (assessor, paper): (PersonId, CalibrationPaperId),
    (live, version): (&StoredSubmission, &Version),
    work: &KnownWork,
    now: Timestamp,
) -> Result<Review, Error> {
    let nobody = PersonId::from_uuid(new_uuid());
    store::seeds::create_nobody(conn, nobody, now)?;
    let name = format!("{assessor}/{paper}");
    let origin = Origin::before(conn, resources, live, &name, now)?;
    let draft = NewDraft::prepare_as(resources, SubmissionId::from_uuid(origin.uuid_at(0)))?;
    let stored = draft.store(conn, version, nobody, now)?;
    let facts = stored.submission.facts().clone();
    let key = submissions::open_key(resources, &stored)?;
    let seal = |text: &str, context: &str| {
        seal_bytes(&key, text.as_bytes(), context.as_bytes()).map_err(Error::internal)
    };
    for (prompt, text) in &work.responses {
        let sealed = StoredResponse::Text(seal(text, prompt)?);
        store::submissions::save_response(conn, facts.id, prompt, Some(&sealed))?;
    }
    let mut shares: Vec<u64> = (0..work.evidence.len())
        .map(|at| u64::from(resources.keyring.draw(&format!("evidence/{name}/{at}"))))
        .collect();
    shares.sort_unstable();
    for (item, share) in work.evidence.iter().zip(shares) {
        let sealed = seal(&item.text, "content")?;
        store::evidence::create(
            conn,
            &StoredEvidence {
                id: EvidenceId::from_uuid(origin.uuid_at(share)),
                submission: facts.id,
                requirement: item.requirement_id.clone(),
                kind: "text".to_owned(),
                media_type: Some("text/plain".to_owned()),
                size_bytes: i64::try_from(item.text.len()).unwrap_or(i64::MAX),
                sha256: hex(&Sha256::digest(item.text.as_bytes())),
                storage_name: None,
                sealed_name: None,
                sealed_content: Some(sealed),
                contains_students: false,
                consent: false,
                created_at: now,
                metadata: EvidenceMetadata::None,
                copy: None,
                contributor: None,
            },
        )?;
    }
    store::submissions::save_ai_use(conn, facts.id, work.ai_use.as_deref())?;
    // Terms like those of the work whose place it takes.
    store::submissions::save_ai_use_policy(conn, facts.id, live.ai_use_policy)?;
    let (submitted_at, due_on) = (Some(origin.submitted_at), Some(origin.due_on));
    store::submissions::save_promise(conn, &facts, submitted_at, due_on)?;
    let mut submission = stored.submission;
    for (event, by) in [
        (SubmissionEvent::Submit, By::person(nobody, Role::Earner)),
        (SubmissionEvent::MarkComplete, By::system("automatic")),
        (SubmissionEvent::Claim, By::person(assessor, Role::Assessor)),
    ] {
        submission = submissions::record(conn, &submission, event, by, now)?;
    }
    let presentation = Presentation {
        submission: facts.id,
        paper,
        person: assessor,
        scoring_hash: version.scoring_hash.clone(),
        scored_at: None,
    };
    store::seeds::create(conn, &presentation, now)?;
    let review = Review {
        state: ReviewState::Leased,
        assessor: Some(assessor),
        lease_expires_at: Some(now.plus(LEASE)),
        ..Review::open(ReviewId::from_uuid(new_uuid()), facts.id, 1)
    };
    store::reviews::create(conn, facts.organization, &review, now)?;
    Ok(review)
}

/// Closes the submission that a known paper looked like. Nobody else is ever given it, and nobody can read this copy any more: known
/// work of an earner may be withdrawn.
///
/// # Errors
/// [`Error::Stale`] when it is closed already.
pub(super) fn close(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<(), Error> {
    let facts = stored.submission.facts();
    // No event of the process leads from a reading to here: a known paper only looks like a submission.
    let after = SubmissionFacts { revision: facts.revision + 1, ..facts.clone() };
    let closed = Submission::new(after, SubmissionState::Voided, None);
    store::submissions::save_state(conn, &stored.submission, &closed, now)?;
    Ok(store::submissions::forget(conn, facts.id)?)
}

/// How long a known paper that was flagged stands still, as live work would for a panel: the twenty working days that one has.
const QUESTIONED_FOR: TimeDelta = TimeDelta::days(28);

/// Closes known papers that assessors have flagged, once a panel would have decided. They had no panel, and no letter.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn close_questioned(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let now = cx.now;
    store::write(cx.conn, |conn| {
        let over = store::seeds::list_questioned(conn, now.minus(QUESTIONED_FOR), 200)?;
        for id in &over {
            let stored = store::submissions::find(conn, *id)?.ok_or(Error::Stale)?;
            for review in store::reviews::list_of_submission(conn, *id)? {
                if review.state == ReviewState::Leased {
                    let lapsed =
                        Review { state: ReviewState::Lapsed, lease_expires_at: None, ..review };
                    store::reviews::save(conn, &lapsed)?;
                }
            }
            close(conn, &stored, now)?;
        }
        Ok(over.len())
    })
}

/// Whether live work with this sheet would have been decided by it: the answer to the lock is the same.
fn would_decide(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
    sheet: &Sheet,
    definition: &Definition,
    now: Timestamp,
) -> Result<bool, Error> {
    let terms = Terms::of(conn, resources, stored, definition, now)?;
    let sheets = Sheets { readings: vec![sheet.clone()], ..Sheets::default() };
    Ok(terms.second_reading(&sheets)?.is_none())
}

/// Compares the locked sheet of a known paper with its key, and acts on drift. Returns what the lock is to say.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn finish(
    conn: &mut DbConn,
    resources: &Resources,
    presentation: &Presentation,
    stored: &StoredSubmission,
    sheet: &Sheet,
    definition: &Definition,
    now: Timestamp,
) -> Result<bool, Error> {
    // As of the lock: whom this paper suspends must not tell by the answer that it was one.
    let is_decided = would_decide(conn, resources, stored, sheet, definition, now)?;
    let key = agreed_key(conn, presentation.paper, definition)?;
    let scores: Vec<SeedScore> = key
        .into_iter()
        .filter_map(|(criterion, agreed)| {
            let given = sheet.scores.get(&criterion).and_then(|score| score.level);
            Some(SeedScore { key: agreed?.0, criterion, given })
        })
        .collect();
    store::seeds::save_scores(conn, presentation.submission, &scores, now)?;
    close(conn, stored, now)?;
    act_on_drift(conn, presentation, definition, now)?;
    Ok(is_decided)
}

fn act_on_drift(
    conn: &mut DbConn,
    presentation: &Presentation,
    definition: &Definition,
    now: Timestamp,
) -> Result<(), Error> {
    let (person, hash) = (presentation.person, &presentation.scoring_hash);
    let Some(held) = store::qualifications::find_qualification(conn, person, hash)? else {
        return Ok(());
    };
    let papers = papers_since_pass(conn, &held)?;
    let scores: Vec<ScaledScore> =
        papers.iter().flat_map(|(_, paper)| scaled(paper, definition)).collect();
    let report = judge_seeds(&scores, &CalibrationLimits::default())
        .ok_or_else(|| Error::internal(Broken("a scale of one level")))?;
    match report.flag {
        DriftFlag::Insufficient | DriftFlag::Ok => Ok(()),
        DriftFlag::Watch if held.state == QualificationState::Qualified => {
            let state = QualificationState::Watch;
            store::qualifications::flag_qualification(conn, &held, state, now)?;
            let change =
                Change::new("watch_assessor", None, "person", person).with("scoring_hash", hash);
            audit::append(conn, None, &change, now)?;
            Ok(())
        }
        DriftFlag::Watch => Ok(()),
        DriftFlag::Suspend => {
            let good = last_good(conn, &held, definition)?;
            suspend(conn, &held, good, &Suspension::default(), now)
        }
    }
}

type SeedPapers = Vec<(Timestamp, Vec<SeedScore>)>;

fn papers_since_pass(conn: &mut DbConn, held: &Qualification) -> Result<SeedPapers, Error> {
    let since = held.passed_at;
    Ok(papers_of(store::seeds::list_scores(conn, held.person, &held.scoring_hash, since)?))
}

/// When an assessor last showed on a seed paper that they score as agreed, or else the moment at which they passed.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn last_good(
    conn: &mut DbConn,
    held: &Qualification,
    definition: &Definition,
) -> Result<Timestamp, Error> {
    Ok(papers_since_pass(conn, held)?
        .iter()
        .rev()
        .find(|(_, paper)| is_good(&scaled(paper, definition)))
        .map_or(held.passed_at, |(at, _)| *at))
}

/// The scores of each paper with the moment at which it was locked, oldest first.
fn papers_of(scores: Vec<(Timestamp, SeedScore)>) -> SeedPapers {
    let mut papers: SeedPapers = Vec::new();
    for (at, score) in scores {
        match papers.last_mut() {
            // A criterion stands once in a paper.
            Some((last, paper))
                if *last == at && !paper.iter().any(|known| known.criterion == score.criterion) =>
            {
                paper.push(score);
            }
            Some(_) | None => papers.push((at, vec![score])),
        }
    }
    papers
}

fn scaled(paper: &[SeedScore], definition: &Definition) -> Vec<ScaledScore> {
    let given: BTreeMap<String, Option<u8>> =
        paper.iter().map(|score| (score.criterion.clone(), score.given)).collect();
    let key: BTreeMap<String, u8> =
        paper.iter().map(|score| (score.criterion.clone(), score.key)).collect();
    beside_key(&given, &key, definition)
}

/// A paper on which every decision was that of the key, and no level two steps off.
fn is_good(scores: &[ScaledScore]) -> bool {
    scores.iter().all(|one| {
        one.score.given.is_some_and(|given| {
            (given >= one.cut) == (one.score.key >= one.cut)
                && given.number().abs_diff(one.score.key.number()) < 2
        })
    })
}

/// Who has decided a suspension; nobody where drift has.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspension {
    /// The lead assessor.
    pub actor: Option<PersonId>,
    /// Where they decide.
    pub organization: Option<OrganizationId>,
    /// Why.
    pub reason: Option<String>,
}

/// Gives back what a person holds of a rubric. Returns how many reviews that were.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn free_held(
    conn: &mut DbConn,
    person: PersonId,
    hash: &str,
    reason: &'static str,
    now: Timestamp,
) -> Result<usize, Error> {
    // A lease has no time of locking: the moment says nothing here.
    let leased = store::seeds::list_reviews(conn, person, hash, ReviewState::Leased, now)?;
    let mut n_released = 0;
    for (id, submission, organization) in leased {
        let review = store::reviews::find(conn, id)?.ok_or(Error::Stale)?.1;
        let stored = store::submissions::find(conn, submission)?
            .ok_or_else(|| Error::internal(Broken("a review without its submission")))?;
        if !reviews::is_at_work(&review, stored.submission.state()) {
            // It stands still for a panel; its holder is refused when it goes on.
            continue;
        }
        let by = By::system(reason);
        reviews::give_back(conn, &review, ReviewState::Lapsed, &stored, by, now)?;
        let change = Change::new("lapse_review", Some(organization), "review", id)
            .with("submission", submission);
        audit::append(conn, None, &change, now)?;
        n_released += 1;
    }
    Ok(n_released)
}

/// Suspends a qualification: what the person holds goes back to the queue, and what they locked since the last good seed paper is
/// listed to be read again.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn suspend(
    conn: &mut DbConn,
    held: &Qualification,
    since: Timestamp,
    decided: &Suspension,
    now: Timestamp,
) -> Result<(), Error> {
    let (person, hash) = (held.person, &held.scoring_hash);
    store::qualifications::flag_qualification(conn, held, QualificationState::Suspended, now)?;
    let step = NewStep {
        id: new_uuid().to_string(),
        person,
        scoring_hash: hash.clone(),
        step: AssessorStep::Suspend,
        actor: decided.actor,
        reason: decided.reason.clone(),
    };
    store::assessors::create(conn, &step, now)?;
    let n_released = free_held(conn, person, hash, "qualification_suspended", now)?;
    let locked = store::seeds::list_reviews(conn, person, hash, ReviewState::Locked, since)?;
    let mut n_rereads = 0;
    for (review, submission, _) in locked {
        if store::seeds::is_seed(conn, submission)? {
            continue;
        }
        let stored = submissions::find_fresh(conn, submission)?;
        let (_, sheet) = store::reviews::find(conn, review)?.ok_or(Error::Stale)?;
        // Third readings and those of an appeal are no scores of the queue, and what checks another sheet decides nothing.
        if !sheet.is_first_or_second() {
            continue;
        }
        rereads::order(conn, &stored, &sheet, RereadReason::Suspension, now)?;
        n_rereads += 1;
    }
    let change = Change::new("suspend_assessor", decided.organization, "person", person)
        .with("scoring_hash", hash)
        .with("released", n_released)
        .with("rereads", n_rereads);
    audit::append(conn, decided.actor, &change, now)?;
    Ok(())
}

/// Where a presentation stands, for looking behind the API.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn find_presentation(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Option<Presentation>, Error> {
    Ok(store::seeds::find(conn, submission)?)
}
