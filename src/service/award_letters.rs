//! Mails to earners about awards they hold: suspended, reinstated, revoked, ending soon.
//!
//! None of them carries the note of whoever acted: that is for staff.

use serde::Deserialize;
use serde_json::{Value, json};

use super::award_basis::{self, Basis};
use super::context::Cx;
use super::error::{Broken, Error};
use super::outbox;
use super::renewals;
use crate::domain::award::{AwardState, RevocationReason, renewable_until};
use crate::domain::ids::AwardId;
use crate::domain::stack::replaceable_until;
use crate::domain::timestamp::Timestamp;
use crate::mail::templates::{self, AboutAward, AfterSuspension, EndOfAward};
use crate::store::awards::Award;
use crate::store::outbox::OutboxRow;
use crate::store::{self, DbConn};

const SUSPENDED: &str = "award_suspended";
const REINSTATED: &str = "award_reinstated";
const REVOKED: &str = "award_revoked";
const ENDING: &str = "award_ending";
const PART_FELL: &str = "stack_part_fell";
const STACK_IS_BACK: &str = "stack_is_back";

/// What the mail needs: everything that can be looked up when it leaves is looked up then.
#[derive(Deserialize)]
struct Parameters {
    award_id: AwardId,
    /// The state after a suspension.
    state: Option<String>,
    /// Why it was revoked. The row is read by the service alone; the mail tells the class.
    reason: Option<String>,
}

fn parameters(award: &Award) -> Value {
    json!({ "award_id": award.id })
}

/// Tells the earner of a suspension.
pub(super) fn suspended(
    conn: &mut DbConn,
    award: &Award,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    outbox::enqueue(conn, SUSPENDED, award.earner, host, &parameters(award), now)
}

/// Tells the earner that the suspension is over, and where the award stands now.
pub(super) fn reinstated(
    conn: &mut DbConn,
    award: &Award,
    to: AwardState,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let parameters = json!({ "award_id": award.id, "state": to.as_str() });
    outbox::enqueue(conn, REINSTATED, award.earner, host, &parameters, now)
}

/// Tells the earner that the award of a stack is suspended because a part of it fell.
pub(super) fn part_fell(
    conn: &mut DbConn,
    award: &Award,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    outbox::enqueue(conn, PART_FELL, award.earner, host, &parameters(award), now)
}

/// Tells the earner that the award of a stack is in force again.
pub(super) fn stack_is_back(
    conn: &mut DbConn,
    award: &Award,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    outbox::enqueue(conn, STACK_IS_BACK, award.earner, host, &parameters(award), now)
}

/// Tells the earner of a revocation.
pub(super) fn revoked(
    conn: &mut DbConn,
    award: &Award,
    reason: RevocationReason,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let parameters = json!({ "award_id": award.id, "reason": reason.as_str() });
    outbox::enqueue(conn, REVOKED, award.earner, host, &parameters, now)
}

/// The id of the reminder so many days before the end: made of the award, so that there is one.
pub(super) fn reminder_id(award: AwardId, days: i64) -> String {
    format!("{ENDING}-{days}-{award}")
}

/// Reminds the earner that the award ends soon.
pub(super) fn ending(
    conn: &mut DbConn,
    award: &Award,
    days: i64,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let id = reminder_id(award.id, days);
    outbox::enqueue_as(conn, id, ENDING, award.earner, host, &parameters(award), now)
}

/// Writes the letter of a row: subject and text. None for a kind that is not of this module, and where there is nothing to say any
/// more.
pub(super) fn render(
    cx: &mut Cx<'_>,
    kind: &str,
    row: &OutboxRow,
    name: &str,
    base_url: &str,
) -> Result<Option<(String, String)>, Error> {
    if ![SUSPENDED, REINSTATED, REVOKED, ENDING, PART_FELL, STACK_IS_BACK].contains(&kind) {
        return Ok(None);
    }
    let p: Parameters = outbox::parse(row)?;
    let Some(award) = store::awards::find(cx.conn, p.award_id)? else { return Ok(None) };
    let Some(organization) = store::organizations::find(cx.conn, award.organization)? else {
        return Ok(None);
    };
    let basis = award_basis::load(cx.conn, &award)?;
    let link = format!("{base_url}/credentials/{}", award.id);
    let about =
        AboutAward { name, title: basis.title(), organization: &organization.name, link: &link };
    let letter = match kind {
        SUSPENDED => templates::award_suspended(&about),
        PART_FELL => {
            // It may be back by the time that the mail leaves.
            let Some(fell_at) = store::award_states::find_part_fell(cx.conn, award.id)? else {
                return Ok(None);
            };
            let until = replaceable_until(fell_at).as_utc().date_naive();
            templates::stack_part_fell(&about, until)
        }
        STACK_IS_BACK => templates::stack_is_back(&about),
        REINSTATED => {
            let state = p.state.as_deref().and_then(AwardState::parse);
            templates::award_reinstated(&about, after_suspension(state))
        }
        REVOKED => {
            let reason = p.reason.as_deref().and_then(RevocationReason::parse);
            let reason =
                reason.ok_or_else(|| Error::internal(Broken("a revocation without a reason")))?;
            templates::award_revoked(&about, reason.class())
        }
        _ => {
            // A mail that waited for its server may come too late to be of use.
            let is_active = award.clone().as_of(cx.now).state == AwardState::Active;
            let Some(until) = award.valid_until.filter(|_| is_active) else { return Ok(None) };
            let can_renew = match &basis {
                Basis::Submission(work) => renewals::is_renewable(&award, &work.definition),
                Basis::Stack(_) => false,
            };
            let last_day = can_renew.then(|| renewable_until(until).as_utc().date_naive());
            let end =
                EndOfAward { ends_on: until.as_utc().date_naive(), renewable_until: last_day };
            templates::award_ending(&about, &end)
        }
    };
    Ok(Some(letter.map_err(Error::internal)?))
}

const fn after_suspension(state: Option<AwardState>) -> AfterSuspension {
    match state {
        Some(AwardState::Expired) => AfterSuspension::Expired,
        Some(AwardState::Superseded) => AfterSuspension::Superseded,
        Some(
            AwardState::PendingKey
            | AwardState::Active
            | AwardState::Suspended
            | AwardState::Revoked,
        )
        | None => AfterSuspension::InForce,
    }
}
