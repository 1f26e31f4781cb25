//! Screening: is everything there? By a pre-screener where there is one, and by the service itself where there is none.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::Change;
use super::context::{Cx, new_uuid, organizations_under};
use super::error::{Error, Fault};
use super::reviews::{self, Work};
use super::submissions::{self, By, StoredSubmission};
use super::{outbox, process_letters};
use crate::domain::definition::Definition;
use crate::domain::ids::{MicroCredentialId, PersonId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied};
use crate::domain::review::LEASE;
use crate::domain::submission::{SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
pub use crate::store::screenings::Screening;
use crate::store::{self, DbConn, StoreError};

/// The most characters of a reason.
const LONGEST_REASON: usize = 1000;

/// Whether people screen what an earner hands in: one of the pre-screeners of its organization is somebody else.
pub(super) fn is_by_one_of(screeners: &[PersonId], earner: PersonId) -> bool {
    screeners.iter().any(|person| *person != earner)
}

/// The newest screening of a submission while it is under way.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn find_open(conn: &mut DbConn, id: SubmissionId) -> Result<Option<Screening>, Error> {
    let last = store::screenings::find_last(conn, id)?;
    Ok(last.filter(|screening| screening.concluded_at.is_none()))
}

/// What waits for a screening.
#[derive(Clone, Debug)]
pub struct ScreeningLine {
    /// The submission.
    pub submission: SubmissionId,
    /// At which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// Its title.
    pub title: String,
    /// When the answer is promised.
    pub due_on: Option<Timestamp>,
    /// Whether somebody has begun to look.
    pub is_begun: bool,
}

/// `GET /screenings`: what waits for the caller.
///
/// # Errors
/// [`Error::Denied`] for somebody who is no pre-screener.
pub fn list(cx: &mut Cx<'_>, after: Option<&str>, limit: i64) -> Result<Vec<ScreeningLine>, Error> {
    policy::require_somewhere(&cx.actor, "list_screenings")?;
    let person = cx.signed_in()?.person;
    let among = organizations_under(cx.conn, &cx.actor, Role::PreScreener)?;
    let mut lines = Vec::new();
    for id in store::screenings::list_waiting(cx.conn, &among, person, after, limit)? {
        let stored = submissions::find_fresh(cx.conn, id)?;
        let (version, _) = submissions::pinned(cx.conn, &stored)?;
        lines.push(ScreeningLine {
            submission: id,
            micro_credential: stored.micro_credential,
            title: version.title,
            due_on: stored.due_on,
            is_begun: find_open(cx.conn, id)?.is_some(),
        });
    }
    Ok(lines)
}

/// Refuses whoever may not screen this submission, or must not know of it.
fn authorize(
    cx: &mut Cx<'_>,
    operation: &str,
    id: SubmissionId,
) -> Result<StoredSubmission, Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, operation, &subject)?;
    let person = cx.signed_in()?.person;
    if stored.submission.facts().earner == person {
        return Err(Denied::Forbidden.into());
    }
    // Before it is handed in it is nobody's business, and afterwards only of whoever has screened it.
    let is_known = stored.submission.state() == SubmissionState::Submitted
        || store::screenings::has_screened(cx.conn, id, person)?;
    if is_known { Ok(stored) } else { Err(Denied::Hidden("submission").into()) }
}

/// `POST /submissions/{id}/screening/begin`: the blinded work, for whoever looks whether it is complete. From then on its earner
/// cannot take it back.
///
/// # Errors
/// [`Error::WrongState`] unless it waits for a screening, [`Error::AlreadyThere`] while somebody else screens it.
pub fn begin(cx: &mut Cx<'_>, id: SubmissionId) -> Result<(SubmissionId, Work), Error> {
    authorize(cx, "begin_screening", id)?;
    let (person, now) = (cx.signed_in()?.person, cx.now);
    cx.write(|conn| {
        let stored = submissions::find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::MarkComplete)?;
        let change = Change::new(
            "begin_screening",
            Some(stored.submission.facts().organization),
            "submission",
            id,
        );
        hold(conn, id, person, now)?;
        Ok(((), change))
    })?;
    let stored = submissions::find_fresh(cx.conn, id)?;
    Ok((id, reviews::open_blinded(cx, &stored, "screen")?))
}

fn taken() -> Error {
    let detail = "somebody else is screening this already".to_owned();
    Error::AlreadyThere { code: "screening-begun", detail }
}

/// The screening that the person goes on with: their own, a new one, or one that somebody else has let lie. Returns its id.
fn hold(
    conn: &mut DbConn,
    id: SubmissionId,
    person: PersonId,
    now: Timestamp,
) -> Result<String, Error> {
    match find_open(conn, id)? {
        Some(open) if open.screener == person => Ok(open.id),
        Some(open) if now < open.begun_at.plus(LEASE) => Err(taken()),
        Some(open) => {
            store::screenings::take_over(conn, &open.id, person, now)?;
            Ok(open.id)
        }
        None => {
            let new = new_uuid().to_string();
            match store::screenings::begin(conn, &new, id, person, now) {
                Err(StoreError::Duplicate(_)) => Err(taken()),
                other => Ok(other.map(|()| new)?),
            }
        }
    }
}

/// What a pre-screener has found.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// Whether everything is there.
    pub complete: bool,
    /// What is missing or cannot be opened, with the reason, by requirement or prompt.
    pub items: BTreeMap<String, String>,
}

/// `POST /submissions/{id}/screening`: into the queue, or back to its earner with a reason for each item. What is sent back is no
/// attempt of its own.
///
/// # Errors
/// [`Error::WrongState`] unless it waits for a screening, [`Error::Invalid`] without a reason for each item.
pub fn conclude(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    finding: &Finding,
) -> Result<StoredSubmission, Error> {
    let stored = authorize(cx, "screen_submission", id)?;
    let (version, definition) = submissions::pinned(cx.conn, &stored)?;
    let (person, now) = (cx.signed_in()?.person, cx.now);
    let host = outbox::message_host(&cx.installation()?.base_url);
    let event = if finding.complete {
        SubmissionEvent::MarkComplete
    } else {
        SubmissionEvent::MarkIncomplete
    };
    cx.write(|conn| {
        let stored = submissions::find_fresh(conn, id)?;
        stored.submission.require(event)?;
        let screening = hold(conn, id, person, now)?;
        refuse_faults(finding, &definition)?;
        store::screenings::conclude(conn, &screening, finding.complete, &finding.items, now)?;
        let facts = stored.submission.facts();
        if !finding.complete {
            store::submissions::save_promise(conn, facts, None, None)?;
            process_letters::returned(conn, facts, &version.title, &host, now)?;
        }
        let by = By::person(person, Role::PreScreener).because("screened");
        let after = submissions::record(conn, &stored.submission, event, by, now)?;
        let change = submissions::change_of("screen_submission", &stored.submission, &after)
            .with("items", finding.items.len());
        Ok((submissions::find_fresh(conn, id)?, change))
    })
}

fn refuse_faults(finding: &Finding, definition: &Definition) -> Result<(), Error> {
    let known: BTreeSet<&str> = definition
        .evidence()
        .iter()
        .map(|requirement| requirement.id().as_str())
        .chain(definition.rubric().prompts().map(|prompt| prompt.id().as_str()))
        .collect();
    let mut faults = Vec::new();
    if finding.complete && !finding.items.is_empty() {
        let detail = "what is complete lacks nothing: leave the items out, or say complete: false";
        faults.push(Fault::new("/items", "complete-with-items", detail));
    }
    if !finding.complete && finding.items.is_empty() {
        let detail = "name at least one item that is missing or cannot be opened, with the reason";
        faults.push(Fault::new("/items", "items-missing", detail));
    }
    for (requirement, reason) in &finding.items {
        let pointer = format!("/items/{}", submissions::escape_pointer(requirement));
        if !known.contains(requirement.as_str()) {
            let names: Vec<&str> = known.iter().copied().collect();
            let detail = format!("there is no such requirement; there are {}", names.join(", "));
            faults.push(Fault::new(pointer, "unknown-requirement", detail));
        } else if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
            let detail = format!(
                "say in a sentence what is missing, in at most {LONGEST_REASON} characters"
            );
            faults.push(Fault::new(pointer, "reason", detail));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let summary = "the screening cannot be concluded like this; each item is listed".to_owned();
    Err(Error::Invalid { code: "invalid-screening", summary, faults })
}
