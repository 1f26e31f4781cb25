//! What the calendar does to awards: earners are reminded before the end, and at the end the award expires.

use chrono::TimeDelta;

use super::audit::{self, Change};
use super::award_letters;
use super::context::Cx;
use super::error::Error;
use super::housekeeping::MAIL_KEPT_DAYS;
use super::{outbox, stack_awards};
use crate::domain::award::{AwardEvent, AwardState};
use crate::domain::ids::AwardId;
use crate::store;
use crate::store::awards::Award;

/// So many days before the end an earner is reminded.
const REMINDERS: [i64; 2] = [60, 14];
/// A reminder that could not be written in so many days after its day is left out. It is written once because the outbox holds its
/// row, and so it must not be due any more when that row is forgotten.
const LATEST_AFTER: i64 = 25;
const _: () = assert!(LATEST_AFTER < MAIL_KEPT_DAYS);

/// How many awards are read at a time.
const PAGE: i64 = 200;

/// Writes down that awards have expired. Whoever reads one is told so from the moment on that its end has passed; this makes it an
/// event of the trail.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn expire_ended(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let now = cx.now;
    let mut expired = 0;
    loop {
        let page = store::award_states::list_ended(cx.conn, now, PAGE)?;
        if page.is_empty() {
            return Ok(expired);
        }
        for id in page {
            match expire(cx, id) {
                Ok(is_new) => expired += usize::from(is_new),
                // A stack that rests on it has to be suspended in the same commit, and its list cannot be signed now.
                Err(Error::CannotIssue(reason)) => {
                    tracing::warn!(award = %id, reason, "an award waits to be written down as expired");
                    return Ok(expired);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether it was for this process to do: another one, or an officer, may have been faster.
fn expire(cx: &mut Cx<'_>, id: AwardId) -> Result<bool, Error> {
    let base_url = cx.installation()?.base_url;
    let (now, resources) = (cx.now, cx.resources);
    store::write(cx.conn, |conn| {
        let award = store::awards::find(conn, id)?
            .filter(|award| award.state == AwardState::Active)
            .filter(|award| award.clone().as_of(now).state == AwardState::Expired);
        let Some(award) = award else { return Ok(false) };
        award.state.require(AwardEvent::Lapse)?;
        store::award_states::save_ended(conn, &award, AwardState::Expired)?;
        stack_awards::follow(conn, resources, &base_url, &[award.earner], now)?;
        let change = Change::new("expire_award", Some(award.organization), "award", id);
        audit::append(conn, None, &change, now)?;
        Ok(true)
    })
}

/// Puts the reminders that are due into the outbox, each once.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn remind_of_end(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let host = outbox::message_host(&cx.installation()?.base_url);
    let now = cx.now;
    let mut reminded = 0;
    for days in REMINDERS {
        let to = now.plus(TimeDelta::days(days));
        let from = now.plus(TimeDelta::days((days - LATEST_AFTER).max(0)));
        let mut after = None;
        loop {
            let page = store::award_states::list_ending(cx.conn, (from, to), after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            // Whoever got the badge after that day knows its end from the badge itself.
            let is_due = |award: &&Award| {
                award
                    .valid_until
                    .zip(award.issued_at)
                    .is_some_and(|(until, issued)| issued <= until.minus(TimeDelta::days(days)))
            };
            let due: Vec<&Award> = page.iter().filter(is_due).collect();
            let ids: Vec<String> =
                due.iter().map(|award| award_letters::reminder_id(award.id, days)).collect();
            // Most hours there is nothing to write, and then nobody has to wait for the write lock.
            if store::outbox::list_known(cx.conn, &ids)?.len() == ids.len() {
                continue;
            }
            reminded += store::write(cx.conn, |conn| {
                let known = store::outbox::list_known(conn, &ids)?;
                let mut written = 0;
                for (award, id) in due.iter().zip(&ids) {
                    if !known.contains(id) {
                        award_letters::ending(conn, award, days, &host, now)?;
                        written += 1;
                    }
                }
                Ok::<usize, Error>(written)
            })?;
        }
    }
    Ok(reminded)
}
