//! Mails about a submission on its way: returned, questioned, appealed, or a coach asked for.

use serde::Deserialize;
use serde_json::{Value, json};

use super::context::Cx;
use super::error::Error;
use super::outbox;
use crate::domain::ids::{CoachingId, PersonId, SubmissionId};
use crate::domain::submission::{SubmissionFacts, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::mail::process_letters::{self as letters, AboutSubmission};
use crate::store::outbox::OutboxRow;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

const RETURNED: &str = "submission_returned";
const INTEGRITY_NOTICE: &str = "integrity_notice";
const INTEGRITY_CLEARED: &str = "integrity_cleared";
const INTEGRITY_UPHELD: &str = "integrity_upheld";
const APPEAL_RECEIVED: &str = "appeal_received";
const APPEAL_DECIDED: &str = "appeal_decided";
const COACH_OFFERED: &str = "coach_offered";
const COACH_WANTED: &str = "coach_wanted";
const COACH_ASKED: &str = "coach_asked";
const COACH_COMMENTED: &str = "coach_commented";
const CONTRIBUTED: &str = "contributed";
const CO_EARNER_NAMED: &str = "co_earner_named";
const DRAFT_ENDING: &str = "draft_ending";

/// What the mail needs: everything that can be looked up when it leaves is looked up then.
#[derive(Deserialize)]
struct Parameters {
    submission_id: SubmissionId,
    title: String,
    /// A day that the mail names.
    date: Option<chrono::NaiveDate>,
    earned: Option<bool>,
    earner_id: Option<PersonId>,
    /// What a coach is asked for.
    coaching_id: Option<CoachingId>,
    /// When the draft was saved for the last time, in seconds since 1970.
    saved_at: Option<i64>,
}

fn parameters(facts: &SubmissionFacts, title: &str) -> Value {
    json!({ "submission_id": facts.id, "title": title })
}

/// Tells the earner that the submission was sent back.
pub(super) fn returned(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    title: &str,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    outbox::enqueue(conn, RETURNED, facts.earner, host, &parameters(facts, title), now)
}

/// What an earner is told about a case.
#[derive(Clone, Copy, Debug)]
pub(super) enum CaseNews {
    /// A question has come up; they can reply until then.
    Questioned(Timestamp),
    /// Nothing was found.
    Cleared,
    /// The submission is closed.
    Upheld,
    /// The appeal has arrived; the answer is due then.
    Appealed(Timestamp),
    /// The appeal is decided, and this is the result: earned, or not yet.
    Concluded(bool),
}

/// Tells the earner how a case of theirs stands.
pub(super) fn case_news(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    title: &str,
    news: CaseNews,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let (kind, date, earned) = match news {
        CaseNews::Questioned(until) => (INTEGRITY_NOTICE, Some(until.date()), None),
        CaseNews::Cleared => (INTEGRITY_CLEARED, None, None),
        CaseNews::Upheld => (INTEGRITY_UPHELD, None, None),
        CaseNews::Appealed(due_on) => (APPEAL_RECEIVED, Some(due_on.date()), None),
        CaseNews::Concluded(earned) => (APPEAL_DECIDED, None, Some(earned)),
    };
    let parameters =
        json!({ "submission_id": facts.id, "title": title, "date": date, "earned": earned });
    outbox::enqueue(conn, kind, facts.earner, host, &parameters, now)
}

/// Offers the earner to talk with a coach.
pub(super) fn coach_offered(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    title: &str,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    outbox::enqueue(conn, COACH_OFFERED, facts.earner, host, &parameters(facts, title), now)
}

/// What a coach is told about an earner.
#[derive(Clone, Copy, Debug)]
pub(super) enum CoachNews {
    /// The earner would like to talk.
    Wanted,
    /// The earner shares an attempt with them.
    Asked(CoachingId),
}

/// Tells a coach what an earner would like from them.
pub(super) fn coach_news(
    conn: &mut DbConn,
    coach: PersonId,
    facts: &SubmissionFacts,
    title: &str,
    news: CoachNews,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let (kind, coaching) = match news {
        CoachNews::Wanted => (COACH_WANTED, None),
        CoachNews::Asked(coaching) => (COACH_ASKED, Some(coaching)),
    };
    let parameters = json!({
        "submission_id": facts.id,
        "title": title,
        "earner_id": facts.earner,
        "coaching_id": coaching,
    });
    outbox::enqueue(conn, kind, coach, host, &parameters, now)
}

/// Tells somebody that a colleague says to have made something together with them: once a day, however much it is.
pub(super) fn co_earner_named(
    conn: &mut DbConn,
    person: PersonId,
    facts: &SubmissionFacts,
    title: &str,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let id = format!("{CO_EARNER_NAMED}-{}-{person}-{}", facts.id, now.date());
    let parameters =
        json!({ "submission_id": facts.id, "title": title, "earner_id": facts.earner });
    once(conn, id, CO_EARNER_NAMED, person, host, &parameters, now)
}

/// Enqueues a letter unless the one of this id is there already.
fn once(
    conn: &mut DbConn,
    id: String,
    kind: &str,
    to: PersonId,
    host: &str,
    parameters: &Value,
    now: Timestamp,
) -> Result<(), Error> {
    if !store::outbox::list_known(conn, std::slice::from_ref(&id))?.is_empty() {
        return Ok(());
    }
    outbox::enqueue_as(conn, id, kind, to, host, parameters, now)
}

/// Tells the earner that a coach has said something: once a day, however much it was.
pub(super) fn coach_commented(
    conn: &mut DbConn,
    coaching: CoachingId,
    facts: &SubmissionFacts,
    title: &str,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let id = format!("{COACH_COMMENTED}-{coaching}-{}", now.date());
    once(conn, id, COACH_COMMENTED, facts.earner, host, &parameters(facts, title), now)
}

/// Tells the earner that somebody has added an item by a link.
pub(super) fn contributed(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    title: &str,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    outbox::enqueue(conn, CONTRIBUTED, facts.earner, host, &parameters(facts, title), now)
}

/// Warns the earner that a draft ends unless it is saved before. The row's id says which warning it is.
pub(super) fn draft_ending(
    conn: &mut DbConn,
    id: String,
    stored: &StoredSubmission,
    title: &str,
    ends_at: Timestamp,
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let facts = stored.submission.facts();
    let parameters = json!({
        "submission_id": facts.id,
        "title": title,
        "date": ends_at.date(),
        "saved_at": stored.updated_at.as_utc().timestamp(),
    });
    outbox::enqueue_as(conn, id, DRAFT_ENDING, facts.earner, host, &parameters, now)
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
    let known = [
        RETURNED,
        INTEGRITY_NOTICE,
        INTEGRITY_CLEARED,
        INTEGRITY_UPHELD,
        APPEAL_RECEIVED,
        APPEAL_DECIDED,
        COACH_OFFERED,
        COACH_WANTED,
        COACH_ASKED,
        COACH_COMMENTED,
        CONTRIBUTED,
        CO_EARNER_NAMED,
        DRAFT_ENDING,
    ];
    if !known.contains(&kind) {
        return Ok(None);
    }
    let p: Parameters = outbox::parse(row)?;
    let Some(stored) = store::submissions::find(cx.conn, p.submission_id)? else {
        return Ok(None);
    };
    let organization = stored.submission.facts().organization;
    let Some(organization) = store::organizations::find(cx.conn, organization)? else {
        return Ok(None);
    };
    // Nobody but its earner is shown the submission.
    let link = match (kind, p.coaching_id) {
        (COACH_ASKED, Some(coaching)) => format!("{base_url}/coachings#{coaching}"),
        (COACH_ASKED | CO_EARNER_NAMED, _) => format!("{base_url}/coachings"),
        (_, _) => format!("{base_url}/submissions/{}", p.submission_id),
    };
    let about =
        AboutSubmission { name, title: &p.title, organization: &organization.name, link: &link };
    let date = p.date.unwrap_or_default();
    let letter = match kind {
        RETURNED => letters::returned(&about),
        INTEGRITY_NOTICE => letters::integrity_notice(&about, date),
        INTEGRITY_CLEARED => letters::integrity_cleared(&about),
        INTEGRITY_UPHELD => letters::integrity_upheld(&about),
        APPEAL_RECEIVED => letters::appeal_received(&about, date),
        APPEAL_DECIDED => letters::appeal_decided(&about, p.earned == Some(true)),
        COACH_OFFERED => letters::coach_offered(&about),
        COACH_COMMENTED => letters::coach_commented(&about),
        CONTRIBUTED => letters::contributed(&about),
        DRAFT_ENDING => {
            // A mail that waited for its server may come after the save that it asks for.
            let is_idle = stored.submission.state() == SubmissionState::Draft
                && p.saved_at == Some(stored.updated_at.as_utc().timestamp());
            if !is_idle {
                return Ok(None);
            }
            letters::draft_ending(&about, date)
        }
        _ => {
            let Some(earner) = p.earner_id else { return Ok(None) };
            let Some(earner) = store::people::find_profile(cx.conn, earner)? else {
                return Ok(None);
            };
            let write = match kind {
                COACH_ASKED => letters::coach_asked,
                CO_EARNER_NAMED => letters::co_earner_named,
                _ => letters::coach_wanted,
            };
            write(&about, &earner.name, &earner.email)
        }
    };
    Ok(Some(letter.map_err(Error::internal)?))
}
