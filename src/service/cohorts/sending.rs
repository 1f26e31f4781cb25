//! Invitations and reminders on their way into the outbox: each once, wherever the process was stopped.
//!
//! An invitee who waits is taken off the list in the same transaction that writes their mail into the outbox, so there is one mail whatever
//! happens in between. Mails have ids that say what they are, which the outbox keeps apart.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::letters::{INVITATION, LetterParameters, REMINDER};
use super::{charter_of, last_day};
use crate::domain::cohort::{InviteeState, ReminderTo, is_due};
use crate::domain::ids::{InviteeId, ProgramId};
use crate::domain::organization::{MembershipState, Role};
use crate::domain::timestamp::Timestamp;
use crate::service::audit::{self, Change};
use crate::service::charter_document::{Cohort, ParsedCharter, Reminder};
use crate::service::context::{Cx, Resources};
use crate::service::error::Error;
use crate::service::{members, outbox};
use crate::store::cohorts::{Invitee, InviteeQuery};
use crate::store::memberships::Invitation;
use crate::store::programs::Program;
use crate::store::{self, DbConn};

/// How long the link of such an invitation works: longer than that of others, as people are invited before a holiday and after it.
const LINK_LIFE: TimeDelta = TimeDelta::days(30);
/// How many are written in one transaction: few, so that nobody else waits long.
const PAGE: i64 = 50;
/// A reminder that could not be written in so many days after its day is left out.
const GRACE_DAYS: u64 = 7;

/// Writes the mails of those who wait, page by page. Returns how many.
///
/// # Errors
/// [`Error::Internal`] when the database fails; what was written stays, and the next call goes on from there.
pub fn send_waiting(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let mut n_written = 0;
    loop {
        match send_page(cx)? {
            0 => return Ok(n_written),
            n_more => n_written += n_more,
        }
    }
}

/// Writes the mails of the next few who wait, in one transaction. Returns how many; none when nobody waits.
///
/// # Errors
/// [`Error::Internal`] when the database fails; nothing is written then.
pub fn send_page(cx: &mut Cx<'_>) -> Result<usize, Error> {
    // Most of the time there is nobody, and then nobody has to wait for the write lock.
    if store::cohorts::list_waiting(cx.conn, 1)?.is_empty() {
        return Ok(0);
    }
    let host = outbox::message_host(&cx.installation()?.base_url);
    let (now, resources) = (cx.now, cx.resources);
    store::write(cx.conn, |conn| {
        // How many are written to, and how many of them for the first time.
        let mut by_program: BTreeMap<ProgramId, (usize, usize)> = BTreeMap::new();
        for invitee in store::cohorts::list_waiting(conn, PAGE)? {
            if !invite_one(conn, resources, &invitee, &host, now)? {
                continue;
            }
            let (count, first) = by_program.entry(invitee.program).or_default();
            *count += 1;
            *first += usize::from(invitee.invited_at.is_none());
        }
        let n_written = by_program.values().map(|(count, _)| count).sum();
        for (program, (count, first)) in by_program {
            let Some(found) = store::programs::find(conn, program)? else { continue };
            let change =
                Change::new("send_invitations", Some(found.organization), "program", program)
                    .with("count", count)
                    .with("first", first);
            audit::append(conn, None, &change, now)?;
        }
        Ok(n_written)
    })
}

/// Invites somebody by mail, in the caller's transaction: the offer of a membership, the link, the mail, and the note that it is done.
/// Returns whether it was; nothing is noted of somebody who gets no mail, because their membership is suspended.
///
/// # Errors
/// [`Error::Stale`] when the row has moved on or the person is another invitee of the programme.
pub(super) fn invite_one(
    conn: &mut DbConn,
    resources: &Resources,
    invitee: &Invitee,
    host: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let invited = Invitee {
        state: InviteeState::Invited,
        mails: invitee.mails + 1,
        invited_at: invitee.invited_at.or(Some(now)),
        last_invited_at: Some(now),
        ..invitee.clone()
    };
    let Some(invitation) = offer(conn, resources, &invited, true, now)? else { return Ok(false) };
    match store::cohorts::save(conn, &invited) {
        Err(store::StoreError::Duplicate(_)) => return Err(Error::Stale),
        other => other?,
    }
    let id = format!("invitee-{}-{}", invited.id, invited.mails);
    let parameters = LetterParameters::invitation(&invited, &invitation, None);
    let parameters = parameters.to_json()?;
    outbox::enqueue_as(conn, id, INVITATION, invitation.person, host, &parameters, now)?;
    Ok(true)
}

/// The link by which an invitee takes part. None for somebody whose membership was suspended meanwhile, or removed and
/// nobody asks for them, and without a person.
fn offer(
    conn: &mut DbConn,
    resources: &Resources,
    invitee: &Invitee,
    is_asked_for: bool,
    now: Timestamp,
) -> Result<Option<Invitation>, Error> {
    let Some(person) = invitee.person else { return Ok(None) };
    let known = store::memberships::find(conn, invitee.school, person)?;
    let membership = match known {
        Some(known) if known.state == MembershipState::Suspended => return Ok(None),
        // An administrator has ended it: a person may offer it again, a reminder may not.
        Some(known) if known.state == MembershipState::Removed && !is_asked_for => {
            return Ok(None);
        }
        Some(known) if known.state == MembershipState::Confirmed => known,
        Some(known) if known.state == MembershipState::Invited => {
            // What an administrator has offered besides stays offered.
            let mut roles = known.roles.clone();
            if !roles.contains(&Role::Earner) {
                roles.push(Role::Earner);
            }
            members::offer_membership(conn, invitee.school, person, &roles, now)?
        }
        Some(_) | None => {
            members::offer_membership(conn, invitee.school, person, &[Role::Earner], now)?
        }
    };
    let invitation = members::create_invitation(
        conn,
        resources,
        &membership,
        Some(invitee.invited_by),
        LINK_LIFE,
        now,
    )?;
    store::cohorts::link_invitation(conn, invitation.id, invitee.id)?;
    Ok(Some(invitation))
}

/// What keeps a reminder from a person who has gone on.
struct Progress {
    started: BTreeSet<InviteeId>,
    submitted: BTreeSet<InviteeId>,
}

impl Progress {
    fn is_reminded(&self, to: ReminderTo, invitee: &Invitee) -> bool {
        match to {
            ReminderTo::NotEnrolled => {
                invitee.state == InviteeState::Invited && invitee.person.is_some()
            }
            ReminderTo::NotStarted => {
                invitee.state == InviteeState::Enrolled && !self.started.contains(&invitee.id)
            }
            ReminderTo::NotSubmitted => {
                invitee.state == InviteeState::Enrolled
                    && self.started.contains(&invitee.id)
                    && !self.submitted.contains(&invitee.id)
            }
        }
    }
}

/// Writes the reminders that are due into the outbox, each once for each person. Returns how many.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn remind(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let mut n_written = 0;
    for program in store::programs::list_open(cx.conn)? {
        let charter = charter_of(&program)?;
        for reminder in charter.reminders() {
            n_written += remind_of(cx, &program, &charter, reminder)?;
        }
    }
    Ok(n_written)
}

fn remind_of(
    cx: &mut Cx<'_>,
    program: &Program,
    charter: &ParsedCharter,
    reminder: Reminder<'_>,
) -> Result<usize, Error> {
    let (now, today) = (cx.now, cx.now.as_utc().date_naive());
    let cohorts: BTreeMap<String, Cohort> = charter
        .cohort_ids()
        .filter_map(|id| Some((id.to_owned(), charter.find_cohort(id)?)))
        .collect();
    let due: Vec<(String, InviteeId)> =
        store::cohorts::list(cx.conn, program.id, &InviteeQuery::default())?
            .into_iter()
            .filter(|invitee| charter.is_for(reminder.message, &invitee.audience))
            .filter_map(|invitee| {
                let last = last_day(cohorts.get(&invitee.cohort)?, &invitee);
                // A day that is moved back gives a new reminder.
                let id = format!("reminder-{}-{}-{last}", invitee.id, reminder.id);
                is_due(last, reminder.days_before_close, GRACE_DAYS, today)
                    .then_some((id, invitee.id))
            })
            .collect();
    if due.is_empty() {
        return Ok(0);
    }
    let host = outbox::message_host(&cx.installation()?.base_url);
    let resources = cx.resources;
    let mut n_written = 0;
    for page in due.chunks(usize::try_from(PAGE).unwrap_or(1)) {
        let ids: Vec<String> = page.iter().map(|(id, _)| id.clone()).collect();
        if store::outbox::list_known(cx.conn, &ids)?.len() == ids.len() {
            continue;
        }
        n_written += store::write(cx.conn, |conn| {
            let known = store::outbox::list_known(conn, &ids)?;
            let progress = progress_of(conn, program.id)?;
            let mut written = 0;
            for (id, invitee) in page.iter().filter(|(id, _)| !known.contains(id)) {
                let Some(invitee) = store::cohorts::find(conn, program.id, *invitee)? else {
                    continue;
                };
                if progress.is_reminded(reminder.to, &invitee)
                    && remind_one(conn, resources, &invitee, reminder, id, &host, now)?
                {
                    written += 1;
                }
            }
            Ok::<usize, Error>(written)
        })?;
    }
    if n_written > 0 {
        tracing::info!(program = %program.id, reminder = reminder.id, n_written, "reminders");
    }
    Ok(n_written)
}

fn progress_of(conn: &mut DbConn, program: ProgramId) -> Result<Progress, Error> {
    let attempts = store::cohorts::list_attempts(conn, program)?;
    Ok(Progress {
        started: attempts.iter().map(|(invitee, _)| *invitee).collect(),
        submitted: attempts
            .iter()
            .filter(|(_, submitted_at)| submitted_at.is_some())
            .map(|(invitee, _)| *invitee)
            .collect(),
    })
}

/// Reminds one person, and says whether it did: nothing is noted of somebody who gets no mail.
fn remind_one(
    conn: &mut DbConn,
    resources: &Resources,
    invitee: &Invitee,
    reminder: Reminder<'_>,
    id: &str,
    host: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let Some(person) = invitee.person else { return Ok(false) };
    let reminded =
        Invitee { mails: invitee.mails + 1, last_invited_at: Some(now), ..invitee.clone() };
    let told = Some((reminder.message, reminder.to));
    let parameters = match reminder.to {
        ReminderTo::NotEnrolled => {
            // The link of the mail before may have ended.
            let offered = offer(conn, resources, &reminded, false, now)?;
            let Some(invitation) = offered else { return Ok(false) };
            LetterParameters::invitation(&reminded, &invitation, told)
        }
        ReminderTo::NotStarted | ReminderTo::NotSubmitted => {
            LetterParameters::reminder(&reminded, told)
        }
    };
    store::cohorts::save(conn, &reminded)?;
    let parameters = parameters.to_json()?;
    outbox::enqueue_as(conn, id.to_owned(), REMINDER, person, host, &parameters, now)?;
    Ok(true)
}
