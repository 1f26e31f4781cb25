//! Seats: who may take which, for how long, and what a sheet in it covers.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::{ReviewDetail, find, find_conflict};
use crate::domain::definition::Definition;
use crate::domain::ids::{CaseId, MicroCredentialId, OrganizationId, PersonId, ReviewId};
use crate::domain::organization::Role;
use crate::domain::policy;
use crate::domain::review::{LEASE, LOAD_CAP, Review, ReviewKind, ReviewState};
use crate::domain::review_policy::ReviewMode;
use crate::domain::submission::{SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::service::audit::{self, Change};
use crate::service::context::{Cx, Resources, new_uuid, organizations_under, people_with};
use crate::service::error::Error;
use crate::service::submissions::{self, By};
use crate::service::{cases, resolution, screening};
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn, StoreError};

/// How many waiting submissions are looked at in one go.
const PAGE: i64 = 50;
/// The seat of the adjudicator; readers sit before it, those of an appeal behind it.
const ADJUDICATOR: i32 = 3;
/// The seats of the two fresh readers of an appeal.
const FRESH: [i32; 2] = [4, 5];

/// A seat that somebody may take.
struct Seat {
    number: i32,
    kind: ReviewKind,
    case: Option<CaseId>,
    /// None for everything.
    coverage: Option<BTreeSet<String>>,
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
        if usize::try_from(held).unwrap_or(usize::MAX) >= LOAD_CAP {
            let detail = format!(
                "you hold {held} reviews, which is the most at a time; lock or return one first"
            );
            return Err(Error::WrongState { detail, allowed_events: vec!["lock", "recuse"] });
        }
        let among = (to_read.as_slice(), to_adjudicate.as_slice());
        let Some((stored, seat)) = find_seat(conn, resources, assessor, among, family, now)? else {
            return Ok(None);
        };
        let review = lease(conn, assessor, &stored, seat, now)?;
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

/// The most urgent submission with a seat for this person.
fn find_seat(
    conn: &mut DbConn,
    resources: &Resources,
    assessor: PersonId,
    (to_read, to_adjudicate): (&[OrganizationId], &[OrganizationId]),
    family: Option<MicroCredentialId>,
    now: Timestamp,
) -> Result<Option<(StoredSubmission, Seat)>, Error> {
    let mut offset = 0;
    // One question for each organization, however much waits there.
    let mut screeners: BTreeMap<OrganizationId, Vec<PersonId>> = BTreeMap::new();
    loop {
        let page =
            store::reviews::list_waiting(conn, to_read, to_adjudicate, family, offset, PAGE)?;
        for id in &page {
            let Some(stored) = store::submissions::find(conn, *id)? else { continue };
            if stored.submission.state() == SubmissionState::Submitted {
                let facts = stored.submission.facts();
                let known = match screeners.entry(facts.organization) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => {
                        unknown.insert(people_with(conn, Role::PreScreener, facts.organization)?)
                    }
                };
                if screening::is_by_one_of(known, facts.earner) {
                    continue;
                }
            }
            if find_conflict(conn, assessor, &stored, now)?.is_some()
                || takes_part(conn, assessor, &stored)?
            {
                continue;
            }
            if let Some(seat) = free_seat(conn, resources, &stored)? {
                return Ok(Some((stored, seat)));
            }
        }
        if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        offset += PAGE;
    }
}

/// Whether the person has had a part in the submission that keeps them from a seat: nobody reads twice, a screener does not read where
/// two readers are to be independent, and whoever had anything to do with it does not read for its appeal.
fn takes_part(
    conn: &mut DbConn,
    person: PersonId,
    stored: &StoredSubmission,
) -> Result<bool, Error> {
    let id = stored.submission.facts().id;
    let is_appealed = stored.submission.state() == SubmissionState::Appealed;
    let has_read = store::reviews::list_of_submission(conn, id)?.iter().any(|review| {
        let sits = matches!(review.state, ReviewState::Leased | ReviewState::Locked);
        review.assessor == Some(person) && (sits || is_appealed)
    });
    if has_read || (is_appealed && cases::has_part(conn, id, person)?) {
        return Ok(true);
    }
    if !store::screenings::has_screened(conn, id, person)? {
        return Ok(false);
    }
    let (_, definition) = submissions::pinned(conn, stored)?;
    Ok(is_appealed || definition.review_policy().mode() != ReviewMode::Single)
}

/// The seat of a submission that is free now, if one is.
fn free_seat(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
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
            let covered = resolution::coverage_of_next(resources, &definition, id, &sheets)?;
            let number = i32::try_from(sheets.readings.len()).map_err(Error::internal)? + 1;
            let coverage = partial(&definition, covered);
            Ok(Some(Seat { number, kind: ReviewKind::Reading, case: None, coverage }))
        }
        SubmissionState::Adjudication if !taken.contains(&ADJUDICATOR) => {
            let (_, definition) = submissions::pinned(conn, stored)?;
            let sheets = resolution::locked_sheets(conn, id)?.sheets;
            let coverage = partial(&definition, resolution::disputed(&definition, &sheets)?);
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
        SubmissionState::Adjudication
        | SubmissionState::Draft
        | SubmissionState::Returned
        | SubmissionState::InReview
        | SubmissionState::Resolving
        | SubmissionState::OnHold
        | SubmissionState::Decided
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
    store::reviews::delete_open(conn, facts.id)?;
    let lapsed = reviews.into_iter().find(|review| {
        review.assessor == Some(assessor)
            && review.state == ReviewState::Lapsed
            && (review.kind, review.case) == (seat.kind, seat.case)
    });
    let is_new = lapsed.is_none();
    let free = lapsed.unwrap_or_else(|| Review {
        id: ReviewId::from_uuid(new_uuid()),
        submission: facts.id,
        seat: seat.number,
        kind: seat.kind,
        state: ReviewState::Open,
        assessor: None,
        lease_expires_at: None,
        locked_at: None,
        case: seat.case,
        revision: 1,
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
            .filter(|stored| is_at_work(review, stored.submission.state()))
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
    let expected = match (review.case, review.kind) {
        (Some(_), _) => SubmissionState::Appealed,
        (None, ReviewKind::Adjudication) => SubmissionState::Adjudication,
        (None, ReviewKind::Reading) => SubmissionState::InReview,
    };
    state == expected
}

/// Frees the seat of a leased review. A reading puts its submission back into the queue.
pub(super) fn give_back(
    conn: &mut DbConn,
    review: &Review,
    as_state: ReviewState,
    stored: &StoredSubmission,
    by: By<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    let freed = Review { state: as_state, lease_expires_at: None, ..review.clone() };
    store::reviews::save(conn, &freed)?;
    if !review.is_first_or_second() {
        return Ok(());
    }
    let event = SubmissionEvent::RecuseOrTimeout;
    let queued = submissions::record(conn, &stored.submission, event, by, now)?;
    let open = Review {
        id: ReviewId::from_uuid(new_uuid()),
        state: ReviewState::Open,
        assessor: None,
        lease_expires_at: None,
        locked_at: None,
        revision: 1,
        ..review.clone()
    };
    store::reviews::create(conn, queued.facts().organization, &open, now)?;
    Ok(())
}
