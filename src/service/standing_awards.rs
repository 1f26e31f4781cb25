//! One live award for each earner and micro-credential: what stands in the way of a second one, and is shown in its place.

use super::error::Error;
use crate::domain::award::AwardState;
use crate::domain::decision_rule::Outcome;
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

/// The live award beside which a submission makes no second one: of the same earner at the same micro-credential, by another attempt,
/// and not the one that this attempt renews (docs/decisions/0034).
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
    let awards = store::awards::list_of_earner(conn, facts.earner, stored.micro_credential)?;
    Ok(awards
        .into_iter()
        .map(|award| award.as_of(now))
        .filter(|award| award.submission != facts.id && Some(award.id) != renewed)
        .find(|award| stands(award.state)))
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
    let awards = store::awards::list_of_earner(conn, facts.earner, stored.micro_credential)?;
    Ok(awards.into_iter().next_back().map(|award| award.as_of(now)))
}
