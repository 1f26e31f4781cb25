//! Scoring: seats are claimed and leased, sheets are saved and locked.

mod seats;

use std::collections::BTreeMap;

use super::audit::Change;
use super::context::{Cx, Resources, above, new_uuid, organizations_under};
use super::error::{Error, Fault};
use super::resolution::Scoring;
use super::resubmission::{self, Changes};
use super::submissions::{self, By, OpenedEvidence, Response};
use super::{calendars, cases, eligibility, evidence, issuance, rereads, resolution, seeds};
use crate::domain::ai_use::AiUsePolicy;
use crate::domain::definition::Definition;
use crate::domain::ids::{AwardId, MicroCredentialId, OrganizationId, ReviewId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::review::{
    LEASE, Review, ReviewEvent, ReviewKind, ReviewState, ScaleOf, Sheet, SheetFault,
};
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;
use crate::store::micro_credentials::Version;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

pub(super) use seats::{Seat, free_seat, give_back, is_at_work};
pub use seats::{claim, release_expired};

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
    /// What was allowed when it was handed in.
    pub ai_use_policy: Option<AiUsePolicy>,
    /// What has changed since the attempt before; none where there was none.
    pub changes: Option<Changes>,
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
    /// The criteria and prompts that the sheet covers.
    pub criteria: Vec<String>,
    /// The sheet as saved so far.
    pub sheet: Sheet,
    /// The sheets that an adjudicator's differs from or not: none before their own is locked, and none for anybody else.
    pub other_sheets: Vec<Sheet>,
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

/// Refuses whoever does not hold the review, and an adjudicator who is no lead assessor any more.
fn authorize(
    cx: &Cx<'_>,
    operation: &str,
    review: &Review,
    subject: &Subject,
) -> Result<(), Error> {
    policy::require(&cx.actor, operation, subject)?;
    let is_lead = cx.actor.holds(Role::LeadAssessor, subject.organization, &subject.above);
    if review.kind == ReviewKind::Adjudication && !is_lead {
        return Err(Denied::Hidden("review").into());
    }
    Ok(())
}

/// `GET /reviews/{id}`: the blinded work beside its rubric, and the sheet.
///
/// # Errors
/// [`Error::Denied`] for anybody but the assessor who holds it.
pub fn find(cx: &mut Cx<'_>, id: ReviewId) -> Result<ReviewDetail, Error> {
    let (review, stored, subject) = load(cx.conn, id)?;
    authorize(cx, "read_review", &review, &subject)?;
    let (version, definition) = submissions::pinned(cx.conn, &stored)?;
    let title = version.title.clone();
    let review = as_shown(review, stored.submission.state(), cx.now);
    let criteria = covered(cx.conn, id, &definition)?;
    let is_open = seats::is_at_work(&review, stored.submission.state());
    let work = if review.state == ReviewState::Leased && is_open {
        eligibility::require_holder(cx.conn, &review, &stored, cx.now)?;
        Some(Box::new(open_blinded(cx, &stored, "score")?))
    } else {
        None
    };
    let sheet = store::reviews::find_sheet(cx.conn, id)?;
    let due_on = due_of(cx.conn, &review, &stored)?;
    // Whoever reads the work does so before they know what others think of it.
    let has_adjudicated =
        review.kind == ReviewKind::Adjudication && review.state == ReviewState::Locked;
    let other_sheets = if has_adjudicated {
        resolution::locked_sheets(cx.conn, review.submission)?.sheets.readings
    } else {
        Vec::new()
    };
    Ok(ReviewDetail {
        review,
        due_on,
        micro_credential: stored.micro_credential,
        title,
        work,
        criteria,
        sheet,
        other_sheets,
    })
}

/// When the answer is promised that a review is for. The date of the first decision would tell an appeal's readers, and whoever
/// reads again, what they read for.
fn due_of(
    conn: &mut DbConn,
    review: &Review,
    stored: &StoredSubmission,
) -> Result<Option<Timestamp>, Error> {
    match review.case {
        Some(case) => Ok(Some(cases::due_on(conn, case)?)),
        None if review.is_reread() => {
            // As if it had been handed in when it was taken.
            let organization = stored.submission.facts().organization;
            let taken_at = store::reviews::find_created_at(conn, review.id)?;
            let days = submissions::PROMISED_WORKING_DAYS;
            calendars::promise(conn, organization, taken_at, days).map(Some)
        }
        None => Ok(stored.due_on),
    }
}

/// The review as its reader sees it. While a panel looks at a doubt nobody's lease runs: it begins anew when the doubt is settled.
fn as_shown(review: Review, state: SubmissionState, now: Timestamp) -> Review {
    if state == SubmissionState::OnHold { review } else { review.as_of(now) }
}

/// The criteria and prompts that a review covers, in the order of the rubric.
fn covered(conn: &mut DbConn, id: ReviewId, definition: &Definition) -> Result<Vec<String>, Error> {
    let coverage = store::reviews::find_coverage(conn, id)?;
    let all = definition.rubric().items().map(|item| item.id().as_str().to_owned());
    Ok(all.filter(|id| coverage.as_ref().is_none_or(|some| some.contains(id))).collect())
}

/// Refuses what is asked of a review, by its own state and by that of its submission.
fn require(
    review: &Review,
    stored: &StoredSubmission,
    event: ReviewEvent,
    now: Timestamp,
) -> Result<(), Error> {
    let state = stored.submission.state();
    if seats::is_at_work(review, state) {
        return Ok(review.require(event, now)?);
    }
    if state != SubmissionState::OnHold {
        review.require(event, now)?;
    }
    let detail = "reading has stopped until a question about this work is settled; your sheet is kept as it is";
    Err(Error::WrongState { detail: detail.to_owned(), allowed_events: Vec::new() })
}

/// The work without anything that says whose it is, for somebody who may read it; that they do is recorded.
pub(super) fn open_blinded(
    cx: &mut Cx<'_>,
    stored: &StoredSubmission,
    purpose: &str,
) -> Result<Work, Error> {
    let (version, _) = submissions::pinned(cx.conn, stored)?;
    let work = blinded(cx.conn, cx.resources, stored, version)?;
    record_reading(cx, &work, stored, purpose)?;
    Ok(work)
}

/// Records that the answers, and the links and texts that stand in the work itself, were read.
fn record_reading(
    cx: &mut Cx<'_>,
    work: &Work,
    stored: &StoredSubmission,
    purpose: &str,
) -> Result<(), Error> {
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
                purpose,
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
    let changes = resubmission::changes(conn, resources, stored)?;
    let (ai_use, ai_use_policy) = (stored.ai_use.clone(), stored.ai_use_policy);
    Ok(Work { version, responses, evidence: items, ai_use, ai_use_policy, changes })
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
            let mut stored =
                store::submissions::find(cx.conn, review.submission)?.ok_or_else(|| {
                    Error::internal(super::error::Broken("a review without its submission"))
                })?;
            stored.due_on = due_of(cx.conn, &review, &stored)?;
            Ok((as_shown(review, stored.submission.state(), now), stored))
        })
        .collect()
}

/// `POST /reviews/{id}/renew`: the lease begins anew.
///
/// # Errors
/// [`Error::WrongState`] once it has run out.
pub fn renew(cx: &mut Cx<'_>, id: ReviewId) -> Result<ReviewDetail, Error> {
    let (review, _, subject) = load(cx.conn, id)?;
    authorize(cx, "renew_review", &review, &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let (review, stored, _) = load(conn, id)?;
        require(&review, &stored, ReviewEvent::Renew, now)?;
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
    let (review, stored, subject) = load(cx.conn, id)?;
    authorize(cx, "put_scores", &review, &subject)?;
    let (_, definition) = submissions::pinned(cx.conn, &stored)?;
    let now = cx.now;
    cx.write(|conn| {
        let (review, stored, _) = load(conn, id)?;
        require(&review, &stored, ReviewEvent::SaveScores, now)?;
        eligibility::require_holder(conn, &review, &stored, now)?;
        if review.revision != revision {
            return Err(Error::Stale);
        }
        refuse_faults(
            sheet.faults_of_draft(&scales(&definition)),
            "the sheet cannot be saved like this",
        )?;
        // What the sheet does not cover is not kept: somebody else's reading of it counts.
        let mut sheet = sheet.clone();
        let covered = covered(conn, id, &definition)?;
        sheet.scores.retain(|id, _| covered.contains(id));
        store::reviews::save(conn, &review)?;
        store::reviews::save_sheet(conn, id, &sheet)?;
        let change =
            Change::new("put_scores", Some(stored.submission.facts().organization), "review", id)
                .with("scores", sheet.scores.len());
        Ok(((), change))
    })?;
    find(cx, id)
}

pub(super) fn scales(definition: &Definition) -> Vec<ScaleOf<'_>> {
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

pub(super) fn refuse_faults(faults: Vec<SheetFault>, summary: &str) -> Result<(), Error> {
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
    let (review, stored, subject) = load(cx.conn, id)?;
    authorize(cx, "lock_review", &review, &subject)?;
    let (version, definition) = submissions::pinned(cx.conn, &stored)?;
    let base_url = cx.installation()?.base_url;
    let (now, resources) = (cx.now, cx.resources);
    let (is_decided, award): (bool, Option<AwardId>) = cx.write(|conn| {
        let (review, stored, _) = load(conn, id)?;
        require(&review, &stored, ReviewEvent::Lock, now)?;
        eligibility::require_holder(conn, &review, &stored, now)?;
        let sheet = store::reviews::find_sheet(conn, id)?;
        let covered = covered(conn, id, &definition)?;
        let mut scales = scales(&definition);
        scales.retain(|scale| covered.iter().any(|id| id == scale.id));
        let mut faults = sheet.faults_of_lock(&scales);
        if review.kind == ReviewKind::Adjudication {
            // The readers have named the strengths of the whole.
            faults.retain(|fault| *fault != SheetFault::OverallFeedbackMissing);
        }
        refuse_faults(faults, "the sheet cannot be locked yet")?;
        let organization = stored.submission.facts().organization;
        let (assessor, kind, case) = (review.assessor, review.kind, review.case);
        let is_reread = review.is_reread();
        // As of the lock: what comes later, a pass or a suspension, changes nothing that the badge says.
        let license = match assessor {
            Some(assessor) => eligibility::level_of(conn, assessor, &stored, now)?,
            None => None,
        };
        store::reviews::save(
            conn,
            &Review {
                state: ReviewState::Locked,
                locked_at: Some(now),
                license,
                lease_expires_at: None,
                ..review
            },
        )?;
        if let Some(known) = seeds::find_presentation(conn, stored.submission.facts().id)? {
            let is_decided =
                seeds::finish(conn, resources, &known, &stored, &sheet, &definition, now)?;
            let change = lock_change(organization, id, &stored, is_decided);
            return Ok(((is_decided, None), change));
        }
        if is_reread {
            let by = (id, &sheet);
            let is_same = rereads::finish(conn, &stored, by, &definition)?;
            let change = lock_change(organization, id, &stored, is_same);
            return Ok(((is_same, None), change));
        }
        let scoring = Scoring {
            resources,
            version: &version,
            definition: &definition,
            base_url: &base_url,
            now,
        };
        let (is_decided, award) = match (case, kind, assessor) {
            (Some(case), _, _) => {
                cases::after_reading(conn, case, now)?;
                (false, None)
            }
            (None, ReviewKind::Adjudication, Some(adjudicator)) => {
                let advance = resolution::adjudicate(conn, &stored, adjudicator, &scoring)?;
                (advance.outcome.is_some(), advance.award)
            }
            (None, ReviewKind::Adjudication | ReviewKind::Reading, _) => {
                let advance = resolution::advance(conn, &stored, &scoring)?;
                (advance.outcome.is_some(), advance.award)
            }
        };
        let change = lock_change(organization, id, &stored, is_decided);
        Ok(((is_decided, award), change))
    })?;
    if let Some(award) = award
        && let Err(error) = issuance::issue(cx, award)
    {
        // The decision stands; the worker tries again until the credential is there.
        tracing::warn!(%error, award = %award, "an award waits for its credential");
    }
    Ok(Locked { detail: find(cx, id)?, is_decided })
}

fn lock_change(
    organization: OrganizationId,
    id: ReviewId,
    stored: &StoredSubmission,
    is_decided: bool,
) -> Change {
    Change::new("lock_review", Some(organization), "review", id)
        .with("submission", stored.submission.facts().id)
        .with("now", if is_decided { "decided" } else { "waiting" })
}

/// `POST /reviews/{id}/recuse`: steps back without blame. The seat is free again, for somebody else.
///
/// # Errors
/// [`Error::WrongState`] once locked or lapsed.
pub fn recuse(cx: &mut Cx<'_>, id: ReviewId, reason: &str) -> Result<Review, Error> {
    let (review, _, subject) = load(cx.conn, id)?;
    authorize(cx, "recuse_review", &review, &subject)?;
    if reason.trim().is_empty() || reason.chars().count() > 1000 {
        let detail = "say in a few words why you step back, for instance: I recognise this person";
        return Err(Error::invalid("/reason", "reason", detail));
    }
    let now = cx.now;
    cx.write(|conn| {
        let (review, stored, _) = load(conn, id)?;
        require(&review, &stored, ReviewEvent::Recuse, now)?;
        let organization = stored.submission.facts().organization;
        let by = match review.assessor {
            Some(assessor) => By::person(assessor, Role::Assessor).because("recused"),
            None => By::system("recused"),
        };
        seats::give_back(conn, &review, ReviewState::Recused, &stored, by, now)?;
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
