//! Sheets that are read again after the decision: a share of what one person scores, and what a suspended assessor has scored.
//!
//! Such a reading is like any other to its reader. It changes no decision (docs/decisions/0010); lead assessors see what came of it.

use super::context::{Cx, new_uuid, organizations_under};
use super::error::{Broken, Error};
use super::submissions;
use crate::domain::definition::Definition;
use crate::domain::ids::ReviewId;
use crate::domain::organization::Role;
use crate::domain::policy;
use crate::domain::resolution::{ResolutionTerms, disputed_between};
use crate::domain::review::{REREAD_SEAT, RereadReason, Review, ReviewState, Sheet};
use crate::domain::timestamp::Timestamp;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

use crate::store::rereads::NewReread;
pub use crate::store::rereads::Reread;

/// Has a locked sheet read again: it is listed for lead assessors, and once its submission is decided a seat is free for whoever may
/// read it. Where somebody has read the submission again already, the two are compared at once.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn order(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    sheet: &Review,
    reason: RereadReason,
    now: Timestamp,
) -> Result<(), Error> {
    let person =
        sheet.assessor.ok_or_else(|| Error::internal(Broken("a locked sheet of nobody")))?;
    let reread = NewReread { review: sheet.id, person, reason };
    store::rereads::create(conn, stored.submission.facts().organization, &reread, now)?;
    let read_again = store::reviews::list_of_submission(conn, sheet.submission)?
        .into_iter()
        .find(|review| review.is_reread() && review.state == ReviewState::Locked);
    match read_again {
        Some(other) => {
            let (_, definition) = submissions::pinned(conn, stored)?;
            let again = store::reviews::find_sheet(conn, other.id)?;
            compare(conn, sheet.id, (other.id, &again), &definition).map(|_| ())
        }
        None => open_seat(conn, stored, now),
    }
}

/// Frees a seat for reading a submission again where one of its sheets is listed for that: once it is decided, and while it can be read.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn open_seat(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<(), Error> {
    let (id, organization) = (stored.submission.facts().id, stored.submission.facts().organization);
    let is_readable = stored.sealed_key.is_some();
    if !is_readable
        || store::rereads::list_of_submission(conn, id)?.is_empty()
        || store::decisions::find(conn, id)?.is_none()
    {
        return Ok(());
    }
    let has_seat = store::reviews::list_of_submission(conn, id)?.iter().any(|review| {
        let is_gone = matches!(review.state, ReviewState::Lapsed | ReviewState::Recused);
        review.is_reread() && !is_gone
    });
    if has_seat {
        return Ok(());
    }
    let seat = Review::open(ReviewId::from_uuid(new_uuid()), id, REREAD_SEAT);
    Ok(store::reviews::create(conn, organization, &seat, now)?)
}

/// Compares a sheet with those that it checks. Returns whether the two would have decided without an adjudicator, which
/// is what the reader of a live submission would be told.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn finish(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    by: (ReviewId, &Sheet),
    definition: &Definition,
) -> Result<bool, Error> {
    let mut is_same = true;
    for checked in store::rereads::list_of_submission(conn, stored.submission.facts().id)? {
        is_same &= compare(conn, checked, by, definition)?;
    }
    Ok(is_same)
}

/// Writes down where a sheet and the one that read it again would need an adjudicator. Returns whether that is nowhere.
fn compare(
    conn: &mut DbConn,
    checked: ReviewId,
    (by, sheet): (ReviewId, &Sheet),
    definition: &Definition,
) -> Result<bool, Error> {
    let first = store::reviews::find_sheet(conn, checked)?;
    let terms = ResolutionTerms::of(definition.review_policy());
    let differing = disputed_between(definition.rubric(), &first, sheet, &terms);
    store::rereads::save_result(conn, checked, by, &differing)?;
    Ok(differing.is_empty())
}

/// `GET /queue/rereads`: live sheets that are read again after the decision; those that differ first, then those that wait.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn list(cx: &mut Cx<'_>) -> Result<Vec<Reread>, Error> {
    policy::require_somewhere(&cx.actor, "list_rereads")?;
    let among = organizations_under(cx.conn, &cx.actor, Role::LeadAssessor)?;
    Ok(store::rereads::list(cx.conn, &among, 200)?)
}
