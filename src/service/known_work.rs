//! What stands in a calibration paper: work that was made for the purpose, or an earner's with their consent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::context::Resources;
use super::error::{Error, Fault};
use super::evidence;
use super::submissions::{self, Response};
use crate::domain::cohort::Accommodations;
use crate::domain::definition::Definition;
use crate::domain::ids::SubmissionId;
use crate::domain::policy;
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;
use crate::service::audit::Change;
use crate::service::context::Cx;
use crate::store::calibration::Paper;
use crate::store::{self, DbConn};

/// The most characters of one text.
const LONGEST: usize = 20_000;
/// The longest that a consent lasts.
const LONGEST_CONSENT: chrono::TimeDelta = chrono::TimeDelta::days(5 * 366);

/// An item of known work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownItem {
    /// What it shows.
    pub requirement_id: String,
    /// What stands in it.
    pub text: String,
}

/// Known work: answers by prompt, and items of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownWork {
    /// Answers by prompt.
    pub responses: BTreeMap<String, String>,
    /// Items of evidence.
    pub evidence: Vec<KnownItem>,
    /// What is said about the use of AI: some live work says something, so that its absence tells nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ai_use: Option<String>,
}

/// The most characters of what is said about the use of AI, as for live work.
const LONGEST_AI_USE: usize = 4000;

/// Everything that keeps work from looking like work that was handed in.
#[must_use]
pub fn faults_of(work: &KnownWork, definition: &Definition) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_bad = |text: &str| text.trim().is_empty() || text.chars().count() > LONGEST;
    for prompt in definition.rubric().prompts() {
        let id = prompt.id().as_str();
        if work.responses.get(id).is_none_or(|text| is_bad(text)) {
            let detail = format!("answer {id} in 1 to {LONGEST} characters");
            let pointer = format!("/responses/{}", submissions::escape_pointer(id));
            faults.push(Fault::new(pointer, "response-missing", detail));
        } else if let Some(text) = work.responses.get(id) {
            faults.extend(submissions::fault_of_words(prompt, text, &Accommodations::default()));
        }
    }
    let is_prompt =
        |id: &str| definition.rubric().prompts().any(|prompt| prompt.id().as_str() == id);
    for id in work.responses.keys().filter(|id| !is_prompt(id)) {
        let pointer = format!("/responses/{}", submissions::escape_pointer(id));
        faults.push(Fault::new(pointer, "unknown-prompt", "there is no such prompt"));
    }
    for requirement in definition.evidence().iter().filter(|one| one.is_required()) {
        let id = requirement.id().as_str();
        if !work.evidence.iter().any(|item| item.requirement_id == id) {
            let detail = format!("add: {}", requirement.title());
            faults.push(Fault::new("/evidence", "evidence-missing", detail));
        }
    }
    for (index, item) in work.evidence.iter().enumerate() {
        let pointer = format!("/evidence/{index}/requirement_id");
        match definition.find_evidence(&item.requirement_id) {
            None => {
                faults.push(Fault::new(pointer, "unknown-requirement", "there is no such item"));
            }
            Some(requirement) => {
                let most = usize::try_from(requirement.max_items().get()).unwrap_or(usize::MAX);
                let up_to_here = work.evidence.iter().take(index + 1);
                let n_items =
                    up_to_here.filter(|one| one.requirement_id == item.requirement_id).count();
                faults.extend(submissions::fault_of_items(most, n_items, &pointer));
            }
        }
        if is_bad(&item.text) {
            let detail = format!("an item has 1 to {LONGEST} characters");
            faults.push(Fault::new(format!("/evidence/{index}/text"), "text", detail));
        }
    }
    if work.ai_use.as_ref().is_some_and(|text| text.chars().count() > LONGEST_AI_USE) {
        let detail = "a statement has at most 4,000 characters";
        faults.push(Fault::new("/ai_use", "too-long", detail));
    }
    faults
}

/// What stands in a paper; none once its earner has withdrawn the consent, or it has ended.
///
/// # Errors
/// [`Error::Internal`] when the database or the key fails.
pub fn read(
    conn: &mut DbConn,
    resources: &Resources,
    paper: &Paper,
    now: Timestamp,
) -> Result<Option<KnownWork>, Error> {
    match (&paper.content, paper.submission) {
        (Some(content), _) => Ok(Some(serde_json::from_str(content).map_err(Error::internal)?)),
        (None, Some(submission)) => of_submission(conn, resources, submission, now),
        (None, None) => Ok(None),
    }
}

/// An earner's decided work, while they consent: texts and links only. Recordings and files are not known work.
///
/// # Errors
/// [`Error::Internal`] when the database or the key fails.
pub fn of_submission(
    conn: &mut DbConn,
    resources: &Resources,
    submission: SubmissionId,
    now: Timestamp,
) -> Result<Option<KnownWork>, Error> {
    if !store::seeds::has_consent(conn, submission, now)? {
        return Ok(None);
    }
    let Some(stored) = store::submissions::find(conn, submission)?
        .filter(|stored| stored.submission.state() == SubmissionState::Decided)
        .filter(|stored| stored.sealed_key.is_some())
    else {
        return Ok(None);
    };
    let mut work = KnownWork { ai_use: stored.ai_use.clone(), ..KnownWork::default() };
    for (prompt, response) in submissions::read_responses(conn, resources, &stored)? {
        match response {
            Response::Text(text) => work.responses.insert(prompt, text),
            Response::Evidence(_) => return Ok(None),
        };
    }
    for item in evidence::open_all(conn, resources, &stored)? {
        let Some(text) = item.content else { return Ok(None) };
        work.evidence.push(KnownItem { requirement_id: item.stored.requirement, text });
    }
    Ok(Some(work))
}

/// `PUT /submissions/{id}/sample-consent`: an earner allows that decided work becomes known work until a date, or withdraws that.
///
/// # Errors
/// [`Error::WrongState`] before the decision, [`Error::Invalid`] for an end that is past or years away.
pub fn put_consent(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    ends_at: Option<Timestamp>,
) -> Result<(), Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "put_sample_consent", &subject)?;
    let now = cx.now;
    if stored.submission.state() != SubmissionState::Decided {
        return Err(Error::WrongState {
            detail: "work can become known work once it is decided".to_owned(),
            allowed_events: Vec::new(),
        });
    }
    if ends_at.is_some_and(|ends| ends <= now || ends > now.plus(LONGEST_CONSENT)) {
        let detail = "a consent ends within five years from now";
        return Err(Error::invalid("/ends_at", "ends-at", detail));
    }
    let organization = stored.submission.facts().organization;
    cx.write(|conn| {
        store::seeds::save_consent(conn, id, ends_at, now)?;
        let change = Change::new("put_sample_consent", Some(organization), "submission", id)
            .with("given", ends_at.is_some());
        Ok(((), change))
    })
}
