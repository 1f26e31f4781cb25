//! Scoring: seats are claimed and leased, sheets are saved and locked.

use std::collections::BTreeMap;

use super::audit::Change;
use super::context::{Cx, Resources, above, new_uuid, organizations_under};
use super::error::{Error, Fault};
use super::submissions::{self, OpenedEvidence, Response};
use super::{assignment, eligibility, evidence, issuance, resolution, seeds};
use crate::domain::definition::Definition;
use crate::domain::ids::{
    AwardId, MicroCredentialId, OrganizationId, PersonId, ReviewId, SubmissionId,
};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::review::{
    LEASE, Review, ReviewEvent, ReviewKind, ReviewState, ScaleOf, Sheet, SheetFault,
};
use crate::domain::submission::{SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::store::micro_credentials::Version;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

/// `POST /reviews/claim`: leases the most urgent submission that the caller may score; none when there is none.
///
/// # Errors
/// [`Error::Denied`] for somebody who is no assessor, [`Error::WrongState`] at the load cap.
pub fn claim(
    cx: &mut Cx<'_>,
    family: Option<MicroCredentialId>,
) -> Result<Option<ReviewDetail>, Error> {
    policy::require_somewhere(&cx.actor, "claim_review")?;
    let assessor = cx.signed_in()?.person;
    let among = organizations_under(cx.conn, &cx.actor, Role::Assessor)?;
    let (now, resources) = (cx.now, cx.resources);
    let claimed = store::write(cx.conn, |conn| {
        release_expired(conn, now)?;
        let held = store::reviews::count_held(conn, assessor)?;
        if usize::try_from(held).unwrap_or(usize::MAX) >= eligibility::load_cap(conn, assessor)? {
            let detail = format!(
                "you hold {held} reviews, which is the most at a time; lock or return one first"
            );
            return Err(Error::WrongState { detail, allowed_events: vec!["lock", "recuse"] });
        }
        let Some(stored) = assignment::choose(conn, assessor, &among, family, now)? else {
            return Ok(None);
        };
        let organization = stored.submission.facts().organization;
        let review = match seeds::offer(conn, resources, assessor, &stored, now)? {
            Some(review) => review,
            None => lease(conn, assessor, stored, now)?.0,
        };
        let change = Change::new("claim_review", Some(organization), "review", review.id)
            .with("submission", review.submission)
            .with("seat", review.seat);
        super::audit::append(conn, Some(assessor), &change, now)?;
        Ok::<Option<ReviewId>, Error>(Some(review.id))
    })?;
    claimed.map(|id| find(cx, id)).transpose()
}

/// Takes the free seat. A lapsed draft of the same person goes on where it was left.
fn lease(
    conn: &mut DbConn,
    assessor: PersonId,
    stored: StoredSubmission,
    now: Timestamp,
) -> Result<(Review, OrganizationId), Error> {
    let from = stored.submission.state();
    let queued = stored.submission.into_queued()?;
    let mut facts = queued.facts().clone();
    if from == SubmissionState::Submitted {
        // Nothing has to be screened by a person: what was handed in was complete.
        let states = (SubmissionState::Submitted, SubmissionState::Queued);
        facts = submissions::record_step(
            conn,
            &facts,
            SubmissionEvent::MarkComplete,
            states,
            (None, "system"),
            now,
        )?;
    }
    let in_review = queued.claim();
    let states = (SubmissionState::Queued, SubmissionState::InReview);
    submissions::record_step(
        conn,
        &facts,
        SubmissionEvent::Claim,
        states,
        (Some(assessor), "assessor"),
        now,
    )?;
    let reviews = store::reviews::list_of_submission(conn, facts.id)?;
    let seat = 1 + i32::try_from(
        reviews.iter().filter(|review| review.state == ReviewState::Locked).count(),
    )
    .unwrap_or(0);
    store::reviews::delete_open(conn, facts.id)?;
    let lapsed = reviews
        .into_iter()
        .find(|review| review.assessor == Some(assessor) && review.state == ReviewState::Lapsed);
    let held = |review: Review| Review {
        state: ReviewState::Leased,
        assessor: Some(assessor),
        seat,
        lease_expires_at: Some(now.plus(LEASE)),
        ..review
    };
    let review = match lapsed {
        Some(lapsed) => {
            let review = held(lapsed);
            store::reviews::save(conn, &review)?;
            review
        }
        None => {
            let review = held(new_seat(facts.id, seat));
            store::reviews::create(conn, facts.organization, &review, now)?;
            review
        }
    };
    Ok((review, in_review.facts().organization))
}

fn new_seat(submission: SubmissionId, seat: i32) -> Review {
    Review {
        id: ReviewId::from_uuid(new_uuid()),
        submission,
        seat,
        kind: ReviewKind::Reading,
        state: ReviewState::Open,
        assessor: None,
        lease_expires_at: None,
        locked_at: None,
        revision: 1,
    }
}

/// Returns the seats whose leases have run out. Drafts stay their authors'.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn release_expired(conn: &mut DbConn, now: Timestamp) -> Result<usize, Error> {
    let expired = store::reviews::list_expired(conn, now, 200)?;
    for review in &expired {
        let Some(stored) = store::submissions::find(conn, review.submission)?
            .filter(|stored| stored.submission.state() == SubmissionState::InReview)
        else {
            // One row that makes no sense must not keep the others from being released.
            tracing::error!(review = %review.id, "an expired lease whose submission is not in review");
            continue;
        };
        let organization = stored.submission.facts().organization;
        give_back(conn, review, ReviewState::Lapsed, stored, (None, "system"), now)?;
        let change = Change::new("lapse_review", Some(organization), "review", review.id)
            .with("submission", review.submission);
        super::audit::append(conn, None, &change, now)?;
    }
    Ok(expired.len())
}

/// Frees the seat of a leased review and puts the submission back into the queue.
///
/// # Errors
/// [`Error::WrongState`] unless it is in review.
pub(super) fn give_back(
    conn: &mut DbConn,
    review: &Review,
    as_state: ReviewState,
    stored: StoredSubmission,
    by: (Option<PersonId>, &str),
    now: Timestamp,
) -> Result<(), Error> {
    store::reviews::save(
        conn,
        &Review { state: as_state, lease_expires_at: None, ..review.clone() },
    )?;
    if seeds::find_presentation(conn, review.submission)?.is_some() {
        // What one assessor has had as a known paper is nobody else's live work.
        return seeds::close(conn, &stored, now);
    }
    let queued = stored.submission.into_in_review(SubmissionEvent::RecuseOrTimeout)?.release();
    let states = (SubmissionState::InReview, SubmissionState::Queued);
    submissions::record_step(
        conn,
        queued.facts(),
        SubmissionEvent::RecuseOrTimeout,
        states,
        by,
        now,
    )?;
    store::reviews::create(
        conn,
        queued.facts().organization,
        &new_seat(review.submission, review.seat),
        now,
    )?;
    Ok(())
}

/// The work as its reader sees it: nothing says whose it is.
#[derive(Clone, Debug)]
pub struct Work {
    /// The version it is scored by.
    pub version: Version,
    /// The answers; a recording is named by its neutral name.
    pub responses: BTreeMap<String, Response>,
    /// The items with neutral names; a link or text with its content.
    pub evidence: Vec<OpenedEvidence>,
    /// What the earner says about the use of AI.
    pub ai_use: Option<String>,
}

/// A review as its assessor sees it.
#[derive(Clone, Debug)]
pub struct ReviewDetail {
    /// The review.
    pub review: Review,
    /// When the decision is promised.
    pub due_on: Option<Timestamp>,
    /// The micro-credential.
    pub micro_credential: MicroCredentialId,
    /// Its title.
    pub title: String,
    /// The work beside its rubric, while the lease holds.
    pub work: Option<Box<Work>>,
    /// The sheet as saved so far.
    pub sheet: Sheet,
}

fn load(conn: &mut DbConn, id: ReviewId) -> Result<(Review, StoredSubmission, Subject), Error> {
    let (organization, review) =
        store::reviews::find(conn, id)?.ok_or(Error::Denied(Denied::Hidden("review")))?;
    let stored = store::submissions::find(conn, review.submission)?
        .ok_or_else(|| Error::internal(super::error::Broken("a review without its submission")))?;
    let subject = Subject {
        kind: "review",
        organization,
        above: above(conn, organization)?,
        owner: None,
        assigned: review.assessor,
        visibility: Visibility::Private("read_review"),
    };
    Ok((review, stored, subject))
}

/// `GET /reviews/{id}`: the blinded work beside its rubric, and the sheet.
///
/// # Errors
/// [`Error::Denied`] for anybody but the assessor who holds it.
pub fn find(cx: &mut Cx<'_>, id: ReviewId) -> Result<ReviewDetail, Error> {
    let (review, stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "read_review", &subject)?;
    let (version, _) = submissions::pinned(cx.conn, &stored)?;
    let title = version.title.clone();
    let review = review.as_of(cx.now);
    let work = if review.state == ReviewState::Leased {
        eligibility::require_holder(cx.conn, &review, &stored, cx.now)?;
        let work = blinded(cx.conn, cx.resources, &stored, version)?;
        record_reading(cx, &work, &stored)?;
        Some(Box::new(work))
    } else {
        None
    };
    let sheet = store::reviews::find_sheet(cx.conn, id)?;
    Ok(ReviewDetail {
        review,
        due_on: stored.due_on,
        micro_credential: stored.micro_credential,
        title,
        work,
        sheet,
    })
}

/// Records that the answers, and the links and texts that stand in the work itself, were read.
fn record_reading(cx: &mut Cx<'_>, work: &Work, stored: &StoredSubmission) -> Result<(), Error> {
    let (person, now) = (cx.signed_in()?.person, cx.now);
    let id = stored.submission.facts().id;
    let mut read = vec!["responses".to_owned()];
    read.extend(
        work.evidence
            .iter()
            .filter(|item| item.content.is_some())
            .map(|item| item.stored.id.to_string()),
    );
    store::write(cx.conn, |conn| {
        for item in &read {
            store::evidence::record_access(
                conn,
                &new_uuid().to_string(),
                item,
                id,
                person,
                "score",
                now,
            )?;
        }
        Ok::<(), Error>(())
    })
}

fn blinded(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
    version: Version,
) -> Result<Work, Error> {
    let responses = submissions::read_responses(conn, resources, stored)?;
    let mut items = evidence::open_all(conn, resources, stored)?;
    let rows: Vec<_> = items.iter().map(|item| item.stored.clone()).collect();
    for item in &mut items {
        // Whatever the earner called the file may say who they are.
        item.name =
            item.stored.storage_name.is_some().then(|| evidence::neutral_name(&rows, &item.stored));
    }
    Ok(Work { version, responses, evidence: items, ai_use: stored.ai_use.clone() })
}

/// `GET /reviews`: the caller's own, in any state.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(
    cx: &mut Cx<'_>,
    state: Option<ReviewState>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(Review, StoredSubmission)>, Error> {
    let (person, now) = (cx.signed_in()?.person, cx.now);
    // The same that `read_review` asks for: a seat is only as good as the role behind it.
    let mut among = organizations_under(cx.conn, &cx.actor, Role::Assessor)?;
    among.extend(organizations_under(cx.conn, &cx.actor, Role::LeadAssessor)?);
    store::reviews::list_of_assessor(cx.conn, person, &among, state, after, limit)?
        .into_iter()
        .map(|review| {
            let stored =
                store::submissions::find(cx.conn, review.submission)?.ok_or_else(|| {
                    Error::internal(super::error::Broken("a review without its submission"))
                })?;
            Ok((review.as_of(now), stored))
        })
        .collect()
}

/// `POST /reviews/{id}/renew`: the lease begins anew.
///
/// # Errors
/// [`Error::WrongState`] once it has run out.
pub fn renew(cx: &mut Cx<'_>, id: ReviewId) -> Result<ReviewDetail, Error> {
    let (_, _, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "renew_review", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let (review, stored, _) = load(conn, id)?;
        review.require(ReviewEvent::Renew, now)?;
        eligibility::require_holder(conn, &review, &stored, now)?;
        store::reviews::save(conn, &Review { lease_expires_at: Some(now.plus(LEASE)), ..review })?;
        Ok((
            (),
            Change::new("renew_review", Some(stored.submission.facts().organization), "review", id),
        ))
    })?;
    find(cx, id)
}

/// `PUT /reviews/{id}/scores`: replaces the draft sheet.
///
/// # Errors
/// [`Error::Stale`], [`Error::WrongState`] once locked or lapsed, [`Error::Invalid`] for unknown criteria and levels.
pub fn save_scores(
    cx: &mut Cx<'_>,
    id: ReviewId,
    sheet: &Sheet,
    revision: i32,
) -> Result<ReviewDetail, Error> {
    let (_, stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "put_scores", &subject)?;
    let (_, definition) = submissions::pinned(cx.conn, &stored)?;
    let now = cx.now;
    cx.write(|conn| {
        let (review, stored, _) = load(conn, id)?;
        review.require(ReviewEvent::SaveScores, now)?;
        eligibility::require_holder(conn, &review, &stored, now)?;
        if review.revision != revision {
            return Err(Error::Stale);
        }
        refuse_faults(
            sheet.faults_of_draft(&scales(&definition)),
            "the sheet cannot be saved like this",
        )?;
        store::reviews::save(conn, &review)?;
        store::reviews::save_sheet(conn, id, sheet)?;
        let change =
            Change::new("put_scores", Some(stored.submission.facts().organization), "review", id)
                .with("scores", sheet.scores.len());
        Ok(((), change))
    })?;
    find(cx, id)
}

fn scales(definition: &Definition) -> Vec<ScaleOf<'_>> {
    definition
        .rubric()
        .items()
        .map(|item| ScaleOf {
            id: item.id().as_str(),
            pass_level: item.pass_level().number(),
            top_level: item.top_level().number(),
        })
        .collect()
}

fn refuse_faults(faults: Vec<SheetFault>, summary: &str) -> Result<(), Error> {
    if faults.is_empty() {
        return Ok(());
    }
    let faults = faults
        .into_iter()
        .map(|fault| {
            let pointer = match fault.criterion() {
                Some(criterion) => format!("/scores/{}", submissions::escape_pointer(criterion)),
                None => "/overall_feedback".to_owned(),
            };
            Fault::new(pointer, fault.code(), fault.to_string())
        })
        .collect();
    Err(Error::Invalid {
        code: "invalid-sheet",
        summary: format!("{summary}; each line is listed"),
        faults,
    })
}

/// What locking led to.
#[derive(Clone, Debug)]
pub struct Locked {
    /// The review after it.
    pub detail: ReviewDetail,
    /// Where the submission stands, for its assessor: `decided` or `waiting`.
    pub is_decided: bool,
}

/// `POST /reviews/{id}/lock`: makes the sheet final. The last one that the mode asks for decides; what is earned is issued right
/// away, and by the worker if that does not succeed now.
///
/// # Errors
/// [`Error::Invalid`] with everything that the sheet lacks, [`Error::WrongState`] once locked or lapsed.
pub fn lock(cx: &mut Cx<'_>, id: ReviewId) -> Result<Locked, Error> {
    let (_, stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "lock_review", &subject)?;
    let (version, definition) = submissions::pinned(cx.conn, &stored)?;
    let base_url = cx.installation()?.base_url;
    let (now, resources) = (cx.now, cx.resources);
    let (is_decided, award): (bool, Option<AwardId>) = cx.write(|conn| {
        let (review, stored, _) = load(conn, id)?;
        review.require(ReviewEvent::Lock, now)?;
        eligibility::require_holder(conn, &review, &stored, now)?;
        let sheet = store::reviews::find_sheet(conn, id)?;
        refuse_faults(
            sheet.faults_of_lock(&scales(&definition)),
            "the sheet cannot be locked yet",
        )?;
        let organization = stored.submission.facts().organization;
        store::reviews::save(
            conn,
            &Review {
                state: ReviewState::Locked,
                locked_at: Some(now),
                lease_expires_at: None,
                ..review
            },
        )?;
        if let Some(known) = seeds::find_presentation(conn, stored.submission.facts().id)? {
            let is_decided =
                seeds::finish(conn, resources, &known, &stored, &sheet, &definition, now)?;
            let words = format!("{}:{}", known.submission, word_of(is_decided));
            let change = Change::new("lock_review", Some(organization), "review", id)
                .with("submission", words);
            return Ok(((is_decided, None), change));
        }
        let advance =
            resolution::advance(conn, resources, stored, &version, &definition, &base_url, now)?;
        let change = Change::new("lock_review", Some(organization), "review", id)
            .with("submission", subject_of(&advance));
        Ok(((advance.outcome.is_some(), advance.award), change))
    })?;
    if let Some(award) = award
        && let Err(error) = issuance::issue(cx, award)
    {
        // The decision stands; the worker tries again until the credential is there.
        tracing::warn!(%error, award = %award, "an award waits for its credential");
    }
    Ok(Locked { detail: find(cx, id)?, is_decided })
}

fn subject_of(advance: &resolution::Advance) -> String {
    format!("{}:{}", advance.submission, word_of(advance.outcome.is_some()))
}

const fn word_of(is_decided: bool) -> &'static str {
    if is_decided { "decided" } else { "waiting" }
}

/// `POST /reviews/{id}/recuse`: steps back without blame. The seat is free again, for somebody else.
///
/// # Errors
/// [`Error::WrongState`] once locked or lapsed.
pub fn recuse(cx: &mut Cx<'_>, id: ReviewId, reason: &str) -> Result<Review, Error> {
    let (_, _, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "recuse_review", &subject)?;
    if reason.trim().is_empty() || reason.chars().count() > 1000 {
        let detail = "say in a few words why you step back, for instance: I recognise this person";
        return Err(Error::invalid("/reason", "reason", detail));
    }
    let now = cx.now;
    cx.write(|conn| {
        let (review, stored, _) = load(conn, id)?;
        review.require(ReviewEvent::Recuse, now)?;
        let organization = stored.submission.facts().organization;
        give_back(conn, &review, ReviewState::Recused, stored, (review.assessor, "assessor"), now)?;
        store::reviews::save_recuse_reason(conn, id, reason)?;
        let change = Change::new("recuse_review", Some(organization), "review", id)
            .with("submission", review.submission);
        let recused = Review {
            state: ReviewState::Recused,
            lease_expires_at: None,
            revision: review.revision + 1,
            ..review
        };
        Ok((recused, change))
    })
}
