//! Seats: who may take which, for how long, and what a sheet in it covers.

use std::collections::BTreeSet;

use super::{ReviewDetail, find};
use crate::domain::definition::Definition;
use crate::domain::ids::{CaseId, MicroCredentialId, PersonId, ReviewId};
use crate::domain::organization::Role;
use crate::domain::policy;
use crate::domain::review::{LEASE, REREAD_SEAT, Review, ReviewKind, ReviewState};
use crate::domain::submission::{SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::service::assignment::Search;
use crate::service::audit::{self, Change};
use crate::service::context::{Cx, Resources, new_uuid, organizations_under};
use crate::service::error::Error;
use crate::service::resolution::Terms;
use crate::service::submissions::{self, By};
use crate::service::{cases, eligibility, resolution, seeds};
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn, StoreError};

/// The seat of the adjudicator; readers sit before it, those of an appeal behind it.
const ADJUDICATOR: i32 = 3;
/// The seats of the two fresh readers of an appeal.
const FRESH: [i32; 2] = [4, 5];

/// A seat that somebody may take.
pub(in crate::service) struct Seat {
    number: i32,
    kind: ReviewKind,
    case: Option<CaseId>,
    /// None for everything.
    coverage: Option<BTreeSet<String>>,
}

impl Seat {
    /// Whether it is one of the readings that a first decision rests on.
    pub(in crate::service) fn is_first_or_second(&self) -> bool {
        self.kind == ReviewKind::Reading && self.case.is_none() && self.number != REREAD_SEAT
    }
}

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
    let to_read = organizations_under(cx.conn, &cx.actor, Role::Assessor)?;
    let to_adjudicate = organizations_under(cx.conn, &cx.actor, Role::LeadAssessor)?;
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
        let search = Search {
            resources,
            assessor,
            to_read: &to_read,
            to_adjudicate: &to_adjudicate,
            family,
            now,
        };
        let Some((stored, seat)) = search.choose(conn)? else { return Ok(None) };
        let known = if seat.is_first_or_second() {
            seeds::offer(conn, resources, assessor, &stored, now)?
        } else {
            None
        };
        let review = match known {
            Some(review) => review,
            None => lease(conn, assessor, &stored, seat, now)?,
        };
        let organization = stored.submission.facts().organization;
        let change = Change::new("claim_review", Some(organization), "review", review.id)
            .with("submission", review.submission)
            .with("seat", review.seat)
            .with("kind", review.kind);
        audit::append(conn, Some(assessor), &change, now)?;
        Ok::<Option<ReviewId>, Error>(Some(review.id))
    })?;
    claimed.map(|id| find(cx, id)).transpose()
}

/// The seat of a submission that is free now, if one is.
pub(in crate::service) fn free_seat(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<Option<Seat>, Error> {
    let id = stored.submission.facts().id;
    let taken: BTreeSet<i32> = store::reviews::list_of_submission(conn, id)?
        .iter()
        .filter(|review| matches!(review.state, ReviewState::Leased | ReviewState::Locked))
        .map(|review| review.seat)
        .collect();
    match stored.submission.state() {
        SubmissionState::Submitted | SubmissionState::Queued => {
            let (_, definition) = submissions::pinned(conn, stored)?;
            let sheets = resolution::locked_sheets(conn, id)?.sheets;
            let terms = Terms::of(conn, resources, stored, &definition, now)?;
            let covered = terms.coverage_of_next(&sheets)?;
            let number = i32::try_from(sheets.readings.len()).map_err(Error::internal)? + 1;
            let coverage = partial(&definition, covered);
            Ok(Some(Seat { number, kind: ReviewKind::Reading, case: None, coverage }))
        }
        SubmissionState::Adjudication if !taken.contains(&ADJUDICATOR) => {
            let (_, definition) = submissions::pinned(conn, stored)?;
            let sheets = resolution::locked_sheets(conn, id)?.sheets;
            let terms = Terms::of(conn, resources, stored, &definition, now)?;
            let coverage = partial(&definition, terms.disputed(&sheets)?);
            let kind = ReviewKind::Adjudication;
            Ok(Some(Seat { number: ADJUDICATOR, kind, case: None, coverage }))
        }
        SubmissionState::Appealed => {
            let Some(number) = FRESH.into_iter().find(|seat| !taken.contains(seat)) else {
                return Ok(None);
            };
            let Some((case, criteria)) = cases::find_reading(conn, id)? else { return Ok(None) };
            let (_, definition) = submissions::pinned(conn, stored)?;
            let coverage = partial(&definition, criteria);
            Ok(Some(Seat { number, kind: ReviewKind::Reading, case: Some(case), coverage }))
        }
        // Listed only when there is a seat to check it from.
        SubmissionState::Decided if !taken.contains(&REREAD_SEAT) => {
            let (_, definition) = submissions::pinned(conn, stored)?;
            let sheets = resolution::locked_sheets(conn, id)?.sheets;
            let terms = Terms::of(conn, resources, stored, &definition, now)?;
            let coverage = partial(&definition, terms.coverage_of_next(&sheets)?);
            Ok(Some(Seat { number: REREAD_SEAT, kind: ReviewKind::Reading, case: None, coverage }))
        }
        SubmissionState::Adjudication
        | SubmissionState::Decided
        | SubmissionState::Draft
        | SubmissionState::Returned
        | SubmissionState::InReview
        | SubmissionState::Resolving
        | SubmissionState::OnHold
        | SubmissionState::Withdrawn
        | SubmissionState::Voided
        | SubmissionState::Expired => Ok(None),
    }
}

/// What a sheet covers; none when that is everything.
fn partial(definition: &Definition, covered: BTreeSet<String>) -> Option<BTreeSet<String>> {
    let is_whole = definition.rubric().items().all(|item| covered.contains(item.id().as_str()));
    (!is_whole).then_some(covered)
}

/// Takes the free seat. A lapsed draft of the same person goes on where it was left.
fn lease(
    conn: &mut DbConn,
    assessor: PersonId,
    stored: &StoredSubmission,
    seat: Seat,
    now: Timestamp,
) -> Result<Review, Error> {
    let facts = stored.submission.facts();
    let mut submission = stored.submission.clone();
    if submission.state() == SubmissionState::Submitted {
        // Nothing has to be screened by a person: what was handed in was complete.
        let by = By::system("automatic");
        submission =
            submissions::record(conn, &submission, SubmissionEvent::MarkComplete, by, now)?;
    }
    if submission.state() == SubmissionState::Queued {
        let by = By::person(assessor, Role::Assessor);
        submissions::record(conn, &submission, SubmissionEvent::Claim, by, now)?;
    }
    let reviews = store::reviews::list_of_submission(conn, facts.id)?;
    store::reviews::delete_open(conn, facts.id, seat.number..=seat.number)?;
    let lapsed = reviews.into_iter().find(|review| {
        review.assessor == Some(assessor)
            && review.state == ReviewState::Lapsed
            && (review.kind, review.case) == (seat.kind, seat.case)
            && review.is_reread() == (seat.number == REREAD_SEAT)
    });
    let is_new = lapsed.is_none();
    let free = lapsed.unwrap_or_else(|| Review {
        kind: seat.kind,
        case: seat.case,
        ..Review::open(ReviewId::from_uuid(new_uuid()), facts.id, seat.number)
    });
    let review = Review {
        state: ReviewState::Leased,
        assessor: Some(assessor),
        seat: seat.number,
        lease_expires_at: Some(now.plus(LEASE)),
        ..free
    };
    if is_new {
        match store::reviews::create(conn, facts.organization, &review, now) {
            // Two at once: on PostgreSQL the other's seat is not visible here, and is found at the next try.
            Err(StoreError::Duplicate(_)) => return Err(Error::Busy),
            other => other?,
        }
    } else {
        store::reviews::save(conn, &review)?;
        let mut sheet = store::reviews::find_sheet(conn, review.id)?;
        if let Some(covered) = &seat.coverage {
            // What it covers now may be less than what it did.
            sheet.scores.retain(|id, _| covered.contains(id));
            store::reviews::save_sheet(conn, review.id, &sheet)?;
        }
    }
    store::reviews::save_coverage(conn, review.id, seat.coverage.as_ref())?;
    Ok(review)
}

/// Returns the seats whose leases have run out. Drafts stay their authors'.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn release_expired(conn: &mut DbConn, now: Timestamp) -> Result<usize, Error> {
    let expired = store::reviews::list_expired(conn, now, 200)?;
    for review in &expired {
        let Some(stored) = store::submissions::find(conn, review.submission)?
            .filter(|stored| review.is_reread() || is_at_work(review, stored.submission.state()))
        else {
            // One row that makes no sense must not keep the others from being released.
            tracing::error!(review = %review.id, "an expired lease whose submission nobody reads");
            continue;
        };
        give_back(conn, review, ReviewState::Lapsed, &stored, By::system("lease_over"), now)?;
        let organization = stored.submission.facts().organization;
        let change = Change::new("lapse_review", Some(organization), "review", review.id)
            .with("submission", review.submission);
        audit::append(conn, None, &change, now)?;
    }
    Ok(expired.len())
}

/// Whether the submission is where the holder of this review can work on it.
pub(in crate::service) fn is_at_work(review: &Review, state: SubmissionState) -> bool {
    if review.is_reread() {
        return state == SubmissionState::Decided;
    }
    let expected = match (review.case, review.kind) {
        (Some(_), _) => SubmissionState::Appealed,
        (None, ReviewKind::Adjudication) => SubmissionState::Adjudication,
        (None, ReviewKind::Reading) => SubmissionState::InReview,
    };
    state == expected
}

/// Frees the seat of a leased review. A reading puts its submission back into the queue.
///
/// # Errors
/// [`Error::WrongState`] when it is not being read.
pub(in crate::service) fn give_back(
    conn: &mut DbConn,
    review: &Review,
    as_state: ReviewState,
    stored: &StoredSubmission,
    by: By<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    let freed = Review { state: as_state, lease_expires_at: None, ..review.clone() };
    store::reviews::save(conn, &freed)?;
    if review.is_reread() {
        let organization = stored.submission.facts().organization;
        return Ok(store::reviews::create(conn, organization, &free_again(review), now)?);
    }
    if !review.is_first_or_second() {
        return Ok(());
    }
    if seeds::find_presentation(conn, review.submission)?.is_some() {
        // What one assessor has had as a known paper is nobody else's live work.
        return seeds::close(conn, stored, now);
    }
    let event = SubmissionEvent::RecuseOrTimeout;
    let queued = submissions::record(conn, &stored.submission, event, by, now)?;
    store::reviews::create(conn, queued.facts().organization, &free_again(review), now)?;
    Ok(())
}

/// The same seat for somebody else.
fn free_again(review: &Review) -> Review {
    Review {
        kind: review.kind,
        case: review.case,
        ..Review::open(ReviewId::from_uuid(new_uuid()), review.submission, review.seat)
    }
}
