//! What has to be done without anybody asking: leases, waiting awards, ends of awards, retention, forgotten files.

use std::time::{Duration, SystemTime};

use chrono::TimeDelta;

use super::context::Cx;
use super::error::Error;
use super::{
    assessors, audit, award_terms, cohorts, compromise, idle_drafts, issuance, overdue, proposals,
    resolution, reviews, seeds, succession,
};
use crate::files::StorageName;
use crate::store;

/// Files without a row are left alone for so long: longer than the longest upload.
const ORPHAN_AGE: Duration = Duration::from_secs(24 * 3600);

/// Mails that were sent, or never will be, are kept for so long.
pub const MAIL_KEPT_DAYS: i64 = 30;

/// What has to be done every few seconds.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn often(cx: &mut Cx<'_>) -> Result<(), Error> {
    let now = cx.now;
    // Neither must wait for the other to succeed.
    let released = store::write(cx.conn, |conn| reviews::release_expired(conn, now));
    let invited = cohorts::send_waiting(cx);
    resolution::resume_waiting(cx)?;
    issuance::issue_pending(cx)?;
    sign_again(cx);
    audit::flush_denials(cx)?;
    released.map(|_| ()).and(invited.map(|_| ()))
}

/// Signs again what a key that is given up had signed. What cannot be signed now, while signing is stopped for instance, waits.
fn sign_again(cx: &mut Cx<'_>) {
    match compromise::sign_all_again(cx) {
        Ok(report) => {
            for one in report.done {
                tracing::info!(badges = one.awards.len(), "badges signed again");
            }
        }
        Err(error) => tracing::error!(error = ?error, "badges could not be signed again"),
    }
}

/// What has to be done every hour.
///
/// # Errors
/// [`Error::Internal`] when the database or the file system fails.
pub fn hourly(cx: &mut Cx<'_>) -> Result<(), Error> {
    // What earners and the public are told must not wait for the cleaning to succeed, nor the cleaning for it.
    let terms = keep_terms(cx);
    let drafts = end_idle_drafts(cx);
    let told = overdue::escalate(cx);
    let told_of_blocked = overdue::tell_of_blocked(cx);
    let lapsed = assessors::note_lapses(cx);
    let reminded = cohorts::remind(cx);
    let offices = succession::tell_of_unreachable(cx);
    seeds::close_questioned(cx)?;
    audit::sum_denials(cx)?;
    forget_evidence(cx)?;
    let now = cx.now;
    store::write(cx.conn, |conn| {
        store::idempotency::purge(conn, now.minus(TimeDelta::hours(24)))?;
        store::sessions::purge(conn, now.minus(TimeDelta::days(30)))?;
        store::outbox::purge(conn, now.minus(TimeDelta::days(MAIL_KEPT_DAYS)))?;
        store::audit::purge_denials(conn, now.minus(TimeDelta::days(90)))?;
        store::evidence::purge_accesses(conn, now.minus(TimeDelta::days(731)))?;
        store::cohorts::purge(conn, now.minus(TimeDelta::days(180)))?;
        store::stays::purge(conn, now.minus(TimeDelta::days(cohorts::STAYS_KEPT_DAYS)))?;
        store::proposals::purge(
            conn,
            now.minus(TimeDelta::days(proposals::CONTACT_KEPT_DAYS)),
            now.minus(TimeDelta::days(proposals::UNSEEN_KEPT_DAYS)),
        )?;
        store::memberships::purge(
            conn,
            now.minus(TimeDelta::days(90)),
            now.minus(TimeDelta::days(731)),
        )?;
        Ok::<(), Error>(())
    })?;
    sweep_files(cx)?;
    terms
        .and(drafts)
        .and(told.map(|_| ()))
        .and(told_of_blocked.map(|_| ()))
        .and(lapsed.map(|_| ()))
        .and(reminded.map(|_| ()))
        .and(offices.map(|_| ()))
}

/// Awards whose end has passed expire, and earners are reminded of an end that is near.
fn keep_terms(cx: &mut Cx<'_>) -> Result<(), Error> {
    let n_expired = award_terms::expire_ended(cx)?;
    let n_reminded = award_terms::remind_of_end(cx)?;
    if n_expired + n_reminded > 0 {
        tracing::info!(expired = n_expired, reminded = n_reminded, "ends of awards");
    }
    Ok(())
}

/// Drafts that nobody saves are announced to end, and end.
fn end_idle_drafts(cx: &mut Cx<'_>) -> Result<(), Error> {
    let tended = idle_drafts::tend(cx)?;
    if tended != idle_drafts::Tended::default() {
        tracing::info!(expired = tended.expired, warned = tended.warned, "idle drafts");
    }
    Ok(())
}

/// Destroys the data keys of submissions whose retention period is over. The key goes first: from then on the files are noise.
fn forget_evidence(cx: &mut Cx<'_>) -> Result<(), Error> {
    for id in store::retention::list_past_retention(cx.conn, cx.now, 200)? {
        cx.write(|conn| {
            let stored = store::submissions::find(conn, id)?.ok_or(Error::Stale)?;
            store::submissions::forget(conn, id)?;
            let organization = stored.submission.facts().organization;
            Ok(((), audit::Change::new("forget_evidence", Some(organization), "submission", id)))
        })?;
    }
    Ok(())
}

/// Removes files that no readable submission names.
fn sweep_files(cx: &mut Cx<'_>) -> Result<(), Error> {
    let older_than = SystemTime::from(cx.now.as_utc()) - ORPHAN_AGE;
    let conn = std::cell::RefCell::new(&mut *cx.conn);
    let is_known = |name: &StorageName| {
        // A database that does not answer must not look like a file that nobody knows.
        store::evidence::is_known_file(&mut conn.borrow_mut(), name.as_str()).unwrap_or(true)
    };
    let report = cx.resources.evidence.sweep(&is_known, older_than)?;
    if report.removed_orphans + report.removed_unfinished > 0 {
        tracing::info!(
            orphans = report.removed_orphans,
            unfinished = report.removed_unfinished,
            "evidence files swept"
        );
    }
    Ok(())
}
