//! One live award for each chain of attempts: what stands in the way of a second one, and is shown in its place.

use std::collections::BTreeSet;

use super::error::Error;
use crate::domain::award::AwardState;
use crate::domain::decision_rule::Outcome;
use crate::domain::ids::SubmissionId;
use crate::domain::timestamp::Timestamp;
use crate::store::awards::Award;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

/// Whether an award stands: it is signed and in force, or will be, or a panel sits over it.
const fn stands(state: AwardState) -> bool {
    match state {
        AwardState::PendingKey | AwardState::Active | AwardState::Suspended => true,
        AwardState::Expired | AwardState::Superseded | AwardState::Revoked => false,
    }
}

/// The live award beside which a submission makes no second one: of an attempt that it follows, or that follows it, and not the one that
/// this attempt renews (docs/decisions/0034).
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn find_beside(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<Option<Award>, Error> {
    let facts = stored.submission.facts();
    let renewed = store::renewals::find_renewed(conn, facts.id)?;
    let chain = list_chain(conn, stored, now)?;
    Ok(chain.into_iter().find(|award| Some(award.id) != renewed && stands(award.state)))
}

/// The awards of the attempts that a submission follows, or that follow it.
fn list_chain(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<Vec<Award>, Error> {
    let facts = stored.submission.facts();
    let before = list_before(conn, stored)?;
    let mut chain = Vec::new();
    for award in store::awards::list_of_earner(conn, facts.earner, stored.micro_credential)? {
        let Some(earned_by) = award.submission() else { continue };
        let follows = match store::submissions::find(conn, earned_by)? {
            Some(other) => list_before(conn, &other)?.contains(&facts.id),
            None => false,
        };
        if follows || before.contains(&earned_by) {
            chain.push(award.as_of(now));
        }
    }
    Ok(chain)
}

/// The attempts that a submission goes on from.
fn list_before(
    conn: &mut DbConn,
    stored: &StoredSubmission,
) -> Result<BTreeSet<SubmissionId>, Error> {
    let mut before = BTreeSet::new();
    let mut next = stored.previous;
    while let Some(id) = next {
        if !before.insert(id) {
            break;
        }
        next = store::submissions::find(conn, id)?.and_then(|stored| stored.previous);
    }
    Ok(before)
}

/// The award that is shown with a submission: its own or, where it was earned beside another one, that one; the newest of those once none
/// of them is live. None where it was not earned.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn find_shown(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    outcome: Option<Outcome>,
    now: Timestamp,
) -> Result<Option<Award>, Error> {
    let facts = stored.submission.facts();
    if let Some(own) = store::awards::find_of_submission(conn, facts.id)? {
        return Ok(Some(own.as_of(now)));
    }
    if outcome != Some(Outcome::Earned) {
        return Ok(None);
    }
    if let Some(beside) = find_beside(conn, stored, now)? {
        return Ok(Some(beside));
    }
    Ok(list_chain(conn, stored, now)?.pop())
}
