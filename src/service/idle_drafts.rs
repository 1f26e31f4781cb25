//! What the calendar does to drafts that nobody saves: their earner is warned twice, and then they expire (DOMAIN.md, 2.2).

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::context::Cx;
use super::error::Error;
use super::housekeeping::MAIL_KEPT_DAYS;
use super::submissions::{self, By, RETENTION, StoredSubmission};
use super::{outbox, process_letters};
use crate::domain::ids::SubmissionId;
use crate::domain::submission::{SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::store::{self, DbConn};

/// A draft that nobody has saved for so many days expires. In place of the end of a programme's window (DOMAIN.md, 2.2) until there are
/// programmes.
pub const IDLE_DAYS: i64 = 365;
/// So many days before, the earner is warned for the first and for the last time.
const WARNINGS: [i64; 2] = [30, 7];
// The last warning follows from the row of the first one, and the end from the row of the last one: they must still be there then.
const _: () = assert!(WARNINGS[0] - WARNINGS[1] < MAIL_KEPT_DAYS && WARNINGS[1] < MAIL_KEPT_DAYS);

/// How many drafts are read at a time.
const PAGE: i64 = 200;

/// How many drafts something was done about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// Whose earner was warned.
    pub warned: usize,
    /// That have expired.
    pub expired: usize,
}

/// What is due about a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// To warn so many days before the end, and when that is.
    Warning(i64, Timestamp),
    /// To end it.
    End,
}

/// Warns the earners of drafts that nobody saves, and lets those expire whose earner was warned twice in time.
///
/// Every save starts the time anew. Where the service was down when a warning was due, the warning comes late and the end later: an
/// earner always has the days that the warning says (docs/decisions/0033).
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn tend(cx: &mut Cx<'_>) -> Result<Tended, Error> {
    let host = outbox::message_host(&cx.installation()?.base_url);
    let now = cx.now;
    let idle_since = now.minus(TimeDelta::days(IDLE_DAYS - WARNINGS[0]));
    let (mut tended, mut after) = (Tended::default(), None);
    loop {
        let page = store::drafts::list_idle(cx.conn, idle_since, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(tended) };
        after = Some(*last);
        for stored in store::submissions::list_by_id(cx.conn, &page)? {
            // On most days there is nothing to do, and then nobody has to wait for the write lock.
            if find_due(cx.conn, &stored, now)?.is_none() {
                continue;
            }
            let id = stored.submission.facts().id;
            let done = store::write(cx.conn, |conn| take_step(conn, id, &host, now))?;
            match done {
                Some(Due::Warning(..)) => tended.warned += 1,
                Some(Due::End) => tended.expired += 1,
                None => {}
            }
        }
    }
}

/// Does what is due, if it still is: the earner, or another process, may have been faster.
fn take_step(
    conn: &mut DbConn,
    id: SubmissionId,
    host: &str,
    now: Timestamp,
) -> Result<Option<Due>, Error> {
    let stored = submissions::find_fresh(conn, id)?;
    let due = find_due(conn, &stored, now)?;
    match due {
        None => {}
        Some(Due::Warning(days, ends_at)) => {
            let (version, _) = submissions::pinned(conn, &stored)?;
            let row = warning_id(&stored, days);
            process_letters::draft_ending(conn, row, &stored, &version.title, ends_at, host, now)?;
        }
        Some(Due::End) => {
            let facts = stored.submission.facts();
            store::submissions::save_end(conn, facts, None, now.plus(RETENTION))?;
            let by = By::system("idle");
            submissions::record(conn, &stored.submission, SubmissionEvent::Inactive, by, now)?;
        }
    }
    Ok(due)
}

/// The id of a warning in the outbox: it says which draft, and since when nobody has saved it (docs/decisions/0016).
fn warning_id(stored: &StoredSubmission, days: i64) -> String {
    let id = stored.submission.facts().id;
    format!("draft_ending-{days}-{id}-{}", stored.updated_at.as_utc().timestamp())
}

fn find_due(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<Option<Due>, Error> {
    if stored.submission.state() != SubmissionState::Draft {
        return Ok(None);
    }
    let ids = WARNINGS.map(|days| warning_id(stored, days));
    let written: BTreeMap<String, Timestamp> = store::outbox::list_written(conn, &ids)?;
    let [first, last] = ids.map(|id| written.get(&id).copied());
    Ok(due(stored.updated_at, first, last, now))
}

/// What is due about a draft that was saved for the last time then, with the warnings that were written since.
fn due(
    saved_at: Timestamp,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    now: Timestamp,
) -> Option<Due> {
    let [early, late] = WARNINGS.map(TimeDelta::days);
    let end = saved_at.plus(TimeDelta::days(IDLE_DAYS));
    // Nobody is told of fewer days than they have.
    let warning = |days: i64, notice| Due::Warning(days, end.max(now.plus(notice)));
    match (first, last) {
        (_, Some(last)) => (now >= end && now >= last.plus(late)).then_some(Due::End),
        (Some(first), None) => (now >= end.minus(late) && now >= first.plus(early - late))
            .then(|| warning(WARNINGS[1], late)),
        (None, None) => (now >= end.minus(early)).then(|| warning(WARNINGS[0], early)),
    }
}
