//! An earner's work from draft to hand-in.

mod limits;
mod names;
mod steps;
mod views;

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::audit::Change;
use super::context::{Cx, Resources, above, new_uuid};
use super::error::{Error, Fault};
use super::micro_credentials::parse_stored;
use super::{calendars, cohorts, evidence_matches, outbox, renewals, resubmission, screening};
use crate::domain::cohort::Accommodations;
use crate::domain::definition::Definition;
use crate::domain::ids::{EvidenceId, MicroCredentialId, PersonId, ProgramId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::review::REREAD_SEAT;
use crate::domain::submission::{Submission, SubmissionEvent, SubmissionFacts, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::files::{DataKey, open_bytes, seal_bytes};
use crate::store::evidence::StoredEvidence;
use crate::store::micro_credentials::Version;
use crate::store::submissions::{Declarations, Step, StoredResponse};
use crate::store::{self, DbConn, StoreError};

pub(in crate::service) use limits::{fault_of_items, fault_of_words, may_be_recorded};
pub(in crate::service) use steps::record;

pub(in crate::service) use views::list_overall_feedback;

pub use crate::store::decisions::StoredDecision;
pub use crate::store::submissions::StoredSubmission;
pub use steps::By;
pub use views::{
    ListSubmissions, OpenedEvidence, OwnSubmission, StatusOnly, SubmissionDetail, SubmissionLine,
    find, list,
};

/// The promised number of working days from submission to decision.
pub(super) const PROMISED_WORKING_DAYS: u32 = 10;
/// Evidence is kept so long after the appeal window of the decision (DOMAIN.md, section 4: 180 days, and 30 for the appeal).
pub const RETENTION: TimeDelta = TimeDelta::days(180 + 30);
/// Work that is not decided is kept so long after it was last touched; every file has a date at which it goes.
const IDLE_RETENTION: TimeDelta = TimeDelta::days(730);
/// The most characters of an answer whose prompt sets no word limit.
const LONGEST_ANSWER: usize = 20_000;

fn key_label(id: SubmissionId) -> String {
    format!("submissions/{id}")
}

/// The data key of a submission.
///
/// # Errors
/// [`Error::NotFound`] once it was destroyed, [`Error::Internal`] when it does not open.
pub fn open_key(resources: &Resources, stored: &StoredSubmission) -> Result<DataKey, Error> {
    let wrapped = stored
        .sealed_key
        .as_deref()
        .ok_or(Error::NotFound("evidence: its retention period is over"))?;
    let id = stored.submission.facts().id;
    Ok(DataKey::from_bytes(
        resources.keyring.unwrap_key(wrapped, &key_label(id)).map_err(Error::internal)?,
    ))
}

/// The submission with its policy subject.
///
/// # Errors
/// [`Error::Denied`] when there is none.
pub fn load(conn: &mut DbConn, id: SubmissionId) -> Result<(StoredSubmission, Subject), Error> {
    let stored =
        store::submissions::find(conn, id)?.ok_or(Error::Denied(Denied::Hidden("submission")))?;
    let facts = stored.submission.facts();
    let subject = Subject {
        kind: "submission",
        organization: facts.organization,
        above: above(conn, facts.organization)?,
        owner: Some(facts.earner),
        assigned: None,
        visibility: Visibility::Private("read_submission"),
    };
    Ok((stored, subject))
}

/// The version that a submission is pinned to.
///
/// # Errors
/// [`Error::Internal`] when it is not there.
pub(super) fn version_of(conn: &mut DbConn, facts: &SubmissionFacts) -> Result<Version, Error> {
    store::micro_credentials::find_pinned(conn, facts.organization, facts.version)?
        .ok_or_else(|| Error::internal(super::error::Broken("a submission without its version")))
}

/// The same with its parsed definition.
///
/// # Errors
/// [`Error::Internal`] when it is not there.
pub fn pinned(
    conn: &mut DbConn,
    stored: &StoredSubmission,
) -> Result<(Version, Definition), Error> {
    let version = version_of(conn, stored.submission.facts())?;
    let definition = parse_stored(&version)?.definition;
    Ok((version, definition))
}

/// A change of a submission's state, as it is audited.
pub(super) fn change_of(
    operation: &'static str,
    before: &Submission,
    after: &Submission,
) -> Change {
    let facts = after.facts();
    Change::new(operation, Some(facts.organization), "submission", facts.id)
        .with("from", before.state())
        .with("to", after.state())
        .with("version", facts.version)
}

/// The same submission as it is stored now, within the transaction that changes it.
pub(super) fn find_fresh(conn: &mut DbConn, id: SubmissionId) -> Result<StoredSubmission, Error> {
    store::submissions::find(conn, id)?.ok_or(Error::Stale)
}

/// Something that does not go where the submission is: what is left to do.
pub(super) fn not_now(submission: &Submission, detail: &str) -> Error {
    wrong_state(submission.state().allowed_events(), detail)
}

/// An event that the state allows and something else does not: what is left to do instead.
pub(super) fn refused(submission: &Submission, event: SubmissionEvent, detail: &str) -> Error {
    let mut allowed = submission.state().allowed_events();
    allowed.retain(|other| *other != event);
    wrong_state(allowed, detail)
}

fn wrong_state(allowed: Vec<SubmissionEvent>, detail: &str) -> Error {
    let allowed_events = allowed.into_iter().map(SubmissionEvent::as_str).collect();
    Error::WrongState { detail: detail.to_owned(), allowed_events }
}

/// The step by which its earner works on a submission that was returned: a draft again. Does nothing to a draft.
///
/// # Errors
/// [`Error::WrongState`] for what was handed in.
pub(super) fn reopen(
    conn: &mut DbConn,
    submission: &Submission,
    now: Timestamp,
) -> Result<Submission, Error> {
    submission.require(SubmissionEvent::Save)?;
    if submission.state() == SubmissionState::Draft {
        return Ok(submission.clone());
    }
    let by = By::person(submission.facts().earner, Role::Earner);
    record(conn, submission, SubmissionEvent::Save, by, now)
}

/// Notes work on a draft that no save of its answers tells of: an item of evidence that came or went.
pub(super) fn touch(conn: &mut DbConn, id: SubmissionId, now: Timestamp) -> Result<(), Error> {
    Ok(store::drafts::save_touched(conn, id, now.plus(IDLE_RETENTION), now)?)
}

/// `POST /micro-credentials/{id}/submissions`: a new attempt as a draft, pinned to a published version, within a programme where there is one.
///
/// # Errors
/// [`Error::AlreadyThere`] while another attempt is open or an award is in force that is to be renewed instead,
/// [`Error::WrongState`] for a version that takes no submissions.
pub fn start(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: Option<i32>,
    program: Option<ProgramId>,
) -> Result<StoredSubmission, Error> {
    let hidden = || Error::Denied(Denied::Hidden("micro-credential"));
    let version = match number {
        None => match store::micro_credentials::find_open(cx.conn, family)? {
            Some(version) => version,
            // A draft is nobody's business; a retired one is public, and closed to those who could have begun.
            None => {
                store::micro_credentials::find_newest(cx.conn, family, true)?.ok_or_else(hidden)?
            }
        },
        Some(number) => store::micro_credentials::find_version(cx.conn, family, number)?
            .filter(|version| version.state.is_public())
            .ok_or_else(hidden)?,
    };
    let subject = Subject {
        kind: "micro-credential",
        organization: version.organization,
        above: above(cx.conn, version.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Public,
    };
    policy::require(&cx.actor, "create_submission", &subject)?;
    if version.state != crate::domain::version::VersionState::Published {
        return Err(closed());
    }
    let earner = cx.signed_in()?.person;
    let draft = NewDraft::prepare(cx.resources)?;
    let definition = parse_stored(&version)?.definition;
    let now = cx.now;
    cx.write(|conn| {
        resubmission::require_attempts_left(conn, earner, &version, &definition)?;
        // An open attempt is said first: it may be the renewal.
        let stored = draft.store(conn, &version, earner, now)?;
        renewals::refuse_beside_live_award(conn, earner, &version, now)?;
        let facts = stored.submission.facts();
        let within = cohorts::attach(conn, earner, &version, facts.id, program, now)?;
        let change =
            Change::new("create_submission", Some(facts.organization), "submission", facts.id)
                .with("attempt", facts.attempt)
                .with("version", facts.version)
                .with("program", within.map_or_else(|| "none".to_owned(), |one| one.to_string()));
        Ok((stored, change))
    })
}

/// What a draft is made of that must not differ between two tries of its transaction.
pub(super) struct NewDraft {
    id: SubmissionId,
    sealed_key: Vec<u8>,
}

impl NewDraft {
    /// A new id, and a data key under the key-encryption key.
    pub(super) fn prepare(resources: &Resources) -> Result<NewDraft, Error> {
        NewDraft::prepare_as(resources, SubmissionId::from_uuid(new_uuid()))
    }

    /// The same with an id that is given.
    pub(super) fn prepare_as(resources: &Resources, id: SubmissionId) -> Result<NewDraft, Error> {
        let key = DataKey::random();
        let sealed_key =
            resources.keyring.wrap(key.as_bytes(), &key_label(id)).map_err(Error::internal)?;
        Ok(NewDraft { id, sealed_key })
    }

    /// Stores it as the earner's next attempt, in the caller's transaction.
    ///
    /// # Errors
    /// [`Error::AlreadyThere`] while another attempt is open.
    pub(super) fn store(
        &self,
        conn: &mut DbConn,
        version: &Version,
        earner: PersonId,
        now: Timestamp,
    ) -> Result<StoredSubmission, Error> {
        let (id, family) = (self.id, version.micro_credential);
        let attempt = store::submissions::last_attempt(conn, earner, family)? + 1;
        let facts = SubmissionFacts {
            id,
            organization: version.organization,
            version: version.id,
            earner,
            attempt,
            revision: 1,
        };
        match store::submissions::create(conn, &facts, family, &self.sealed_key, now) {
            Err(StoreError::Duplicate(_)) => {
                let detail =
                    "you have an attempt at this micro-credential already; go on with that one"
                        .to_owned();
                return Err(Error::AlreadyThere { code: "attempt-open", detail });
            }
            other => other?,
        }
        let step = Step {
            event: SubmissionEvent::Start,
            from: None,
            to: SubmissionState::Draft,
            actor: Some(earner),
            actor_role: Role::Earner.as_str().to_owned(),
            version: Some(version.id),
            reason: None,
            happened_at: now,
        };
        store::submissions::append_step(conn, id, &new_uuid().to_string(), &step)?;
        store::retention::save_retention(conn, id, now.plus(IDLE_RETENTION))?;
        store::submissions::find(conn, id)?.ok_or(Error::Stale)
    }
}

pub(super) fn closed() -> Error {
    Error::WrongState {
        detail: "this version is retired and takes no new submissions".to_owned(),
        allowed_events: Vec::new(),
    }
}

/// An answer as the earner sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Text.
    Text(String),
    /// An item of evidence in its place.
    Evidence(EvidenceId),
}

/// What an autosave carries; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct Save {
    /// Answers by prompt; none removes one.
    pub responses: BTreeMap<String, Option<Response>>,
    /// The declaration that the work is the earner's own.
    pub integrity_statement: Option<bool>,
    /// Whether the badge shall carry levels.
    pub include_results: Option<bool>,
    /// Whether the check for the earner's own name is waived. It stays waived when texts change.
    pub names_waived: Option<bool>,
    /// What the earner says about the use of AI; inner none removes it.
    pub ai_use: Option<Option<String>>,
}

/// `PATCH /submissions/{id}`: saves the draft as read at `revision`.
///
/// # Errors
/// [`Error::Stale`], [`Error::WrongState`] once it is handed in, [`Error::Invalid`] with every fault; nothing is saved then.
pub fn save(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    save: &Save,
    revision: i32,
) -> Result<StoredSubmission, Error> {
    let (stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "patch_submission", &subject)?;
    let (_, definition) = pinned(cx.conn, &stored)?;
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let stored = find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::Save)?;
        if stored.submission.facts().revision != revision {
            return Err(Error::Stale);
        }
        let evidence = store::evidence::list(conn, id)?;
        let carried = store::carried_levels::list(conn, id)?;
        let accommodations = store::cohorts::find_accommodations(conn, id)?;
        let mut faults = faults_of_save(save, &definition, &evidence, &accommodations);
        for prompt in save.responses.keys().filter(|prompt| carried.contains_key(*prompt)) {
            let detail = "this was passed in an earlier attempt and counts as it is; to change it, start the attempt anew with it in reopen_criteria";
            let pointer = format!("/responses/{}", escape_pointer(prompt));
            faults.push(Fault::new(pointer, "carried-forward", detail));
        }
        if !faults.is_empty() {
            let summary = "the draft cannot be saved like this; nothing was changed".to_owned();
            return Err(Error::Invalid { code: "invalid-draft", summary, faults });
        }
        let key = open_key(resources, &stored)?;
        for (prompt, response) in &save.responses {
            let sealed = match response {
                None => None,
                Some(Response::Evidence(evidence)) => Some(StoredResponse::Evidence(*evidence)),
                Some(Response::Text(text)) => Some(StoredResponse::Text(
                    seal_bytes(&key, text.as_bytes(), prompt.as_bytes())
                        .map_err(Error::internal)?,
                )),
            };
            store::submissions::save_response(conn, id, prompt, sealed.as_ref())?;
        }
        let declarations = Declarations {
            integrity_statement: save.integrity_statement.unwrap_or(stored.integrity_statement),
            include_results: save.include_results.unwrap_or(stored.include_results),
            names_waived: save.names_waived.unwrap_or(stored.names_waived),
            ai_use: save.ai_use.clone().unwrap_or_else(|| stored.ai_use.clone()),
        };
        let draft = reopen(conn, &stored.submission, now)?;
        store::submissions::save_draft(conn, draft.facts(), &declarations, now)?;
        store::retention::save_retention(conn, id, now.plus(IDLE_RETENTION))?;
        let change = change_of("patch_submission", &stored.submission, &draft);
        Ok((find_fresh(conn, id)?, change))
    })
}

fn faults_of_save(
    save: &Save,
    definition: &Definition,
    evidence: &[StoredEvidence],
    accommodations: &Accommodations,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (prompt_id, response) in &save.responses {
        let pointer = format!("/responses/{}", escape_pointer(prompt_id));
        let Some(prompt) =
            definition.rubric().prompts().find(|prompt| prompt.id().as_str() == prompt_id)
        else {
            let known: Vec<&str> =
                definition.rubric().prompts().map(|prompt| prompt.id().as_str()).collect();
            faults.push(Fault::new(
                pointer,
                "unknown-prompt",
                format!("there is no such prompt; prompts are {}", known.join(", ")),
            ));
            continue;
        };
        match response {
            None => {}
            // A draft may be too long for a while; only what could not be stored is refused here.
            Some(Response::Text(text)) if text.chars().count() > LONGEST_ANSWER => {
                let detail = format!("an answer has at most {LONGEST_ANSWER} characters");
                faults.push(Fault::new(pointer, "too-long", detail));
            }
            Some(Response::Text(_)) => {}
            Some(Response::Evidence(id)) => {
                if !may_be_recorded(prompt, accommodations) {
                    faults.push(Fault::new(
                        pointer,
                        "text-only",
                        "this prompt is answered by text",
                    ));
                } else if !evidence
                    .iter()
                    .any(|item| item.id == *id && item.requirement == *prompt_id)
                {
                    let detail =
                        "upload the recording first, with this prompt as its requirement_id";
                    faults.push(Fault::new(pointer, "unknown-evidence", detail));
                }
            }
        }
    }
    if let Some(Some(text)) = &save.ai_use
        && text.chars().count() > 4000
    {
        faults.push(Fault::new("/ai_use", "too-long", "a statement has at most 4,000 characters"));
    }
    faults
}

/// A name as one step of an RFC 6901 pointer.
pub(super) fn escape_pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// `POST /submissions/{id}/submit`: hands the work in, or says everything that is missing.
///
/// # Errors
/// [`Error::Invalid`] with a pointer for each thing that is missing, [`Error::WrongState`] unless it is a draft.
pub fn submit(cx: &mut Cx<'_>, id: SubmissionId) -> Result<StoredSubmission, Error> {
    let (stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "submit_submission", &subject)?;
    let (version, definition) = pinned(cx.conn, &stored)?;
    let host = outbox::message_host(&cx.installation()?.base_url);
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let stored = find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::Submit)?;
        let facts = stored.submission.facts();
        let ai_use = store::ai_use::find_in_force(conn, facts.organization)?;
        let mut faults = faults_of_submit(conn, resources, &stored, &definition, now)?;
        let says_nothing = stored.ai_use.as_ref().is_none_or(|words| words.trim().is_empty());
        if says_nothing && ai_use.as_ref().is_some_and(|rule| rule.allowed.asks_for_statement()) {
            let detail = "say where AI has helped you and with what, or that it has not";
            faults.push(Fault::new("/ai_use", "ai-use-missing", detail));
        }
        if !faults.is_empty() {
            let summary =
                "something is left to do before this can be handed in; each item is listed"
                    .to_owned();
            return Err(Error::Invalid { code: "incomplete", summary, faults });
        }
        store::submissions::save_ai_use_policy(conn, id, ai_use.map(|rule| rule.allowed))?;
        let due_on = calendars::promise(conn, facts.organization, now, PROMISED_WORKING_DAYS)?;
        store::submissions::save_promise(conn, facts, Some(now), Some(due_on))?;
        let by = By::person(facts.earner, Role::Earner);
        let submitted = record(conn, &stored.submission, SubmissionEvent::Submit, by, now)?;
        evidence_matches::note(conn, facts, &definition, now)?;
        let parameters = outbox::received_parameters(id, &version.title, facts.attempt, due_on);
        outbox::enqueue(conn, outbox::SUBMISSION_RECEIVED, facts.earner, &host, &parameters, now)?;
        let change = change_of("submit_submission", &stored.submission, &submitted);
        Ok((find_fresh(conn, id)?, change))
    })
}

/// Everything that stands between a draft and its hand-in.
fn faults_of_submit(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
    definition: &Definition,
    now: Timestamp,
) -> Result<Vec<Fault>, Error> {
    let id = stored.submission.facts().id;
    let evidence = store::evidence::list(conn, id)?;
    let responses = read_responses(conn, resources, stored)?;
    let naming = names::faults_of_names(conn, resources, stored, &responses, now)?;
    let responses: BTreeMap<String, Option<String>> = responses
        .into_iter()
        .map(|(prompt, response)| match response {
            Response::Text(text) => (prompt, Some(text)),
            Response::Evidence(_) => (prompt, None),
        })
        .collect();
    let carried = store::carried_levels::list(conn, id)?;
    let accommodations = store::cohorts::find_accommodations(conn, id)?;
    let mut faults = Vec::new();
    // What was passed in an earlier attempt is not asked for again, nor is evidence that shows nothing else.
    let asked =
        definition.rubric().prompts().filter(|prompt| !carried.contains_key(prompt.id().as_str()));
    for prompt in asked {
        let pointer = format!("/responses/{}", escape_pointer(prompt.id().as_str()));
        match responses.get(prompt.id().as_str()) {
            None => faults.push(Fault::new(pointer, "response-missing", "answer this prompt")),
            Some(None) => {}
            Some(Some(text)) => faults.extend(fault_of_words(prompt, text, &accommodations)),
        }
    }
    for requirement in definition.evidence() {
        let n_items =
            evidence.iter().filter(|item| item.requirement == requirement.id().as_str()).count();
        let mut shown_by_it = definition
            .rubric()
            .criteria()
            .iter()
            .filter(|criterion| criterion.evidence().contains(requirement.id()))
            .peekable();
        let is_settled = shown_by_it.peek().is_some()
            && shown_by_it.all(|criterion| carried.contains_key(criterion.id().as_str()));
        if requirement.is_required() && n_items == 0 && !is_settled {
            let detail = format!("hand in: {}", requirement.title());
            let pointer = format!("/evidence/{}", escape_pointer(requirement.id().as_str()));
            faults.push(Fault::new(pointer, "evidence-missing", detail));
        }
    }
    for item in evidence.iter().filter(|item| item.contains_students && !item.consent) {
        let pointer = format!("/evidence/{}", escape_pointer(&item.requirement));
        faults.push(Fault::new(
            pointer,
            "consent-missing",
            "confirm the consents for students in this item",
        ));
    }
    if !stored.integrity_statement {
        let detail = "confirm that this is your own work (integrity_statement: true)";
        faults.push(Fault::new("/integrity_statement", "integrity-statement-missing", detail));
    }
    faults.extend(naming);
    Ok(faults)
}

/// The answers of a submission, opened with its data key.
///
/// # Errors
/// [`Error::NotFound`] once the key was destroyed.
pub fn read_responses(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
) -> Result<BTreeMap<String, Response>, Error> {
    let key = open_key(resources, stored)?;
    store::submissions::list_responses(conn, stored.submission.facts().id)?
        .into_iter()
        .map(|(prompt, response)| {
            let opened = match response {
                StoredResponse::Evidence(id) => Response::Evidence(id),
                StoredResponse::Text(sealed) => {
                    let bytes =
                        open_bytes(&key, &sealed, prompt.as_bytes()).map_err(Error::internal)?;
                    Response::Text(String::from_utf8(bytes).map_err(Error::internal)?)
                }
            };
            Ok((prompt, opened))
        })
        .collect()
}

/// `POST /submissions/{id}/recall`: takes it back before anybody has looked at it.
///
/// # Errors
/// [`Error::WrongState`] once it is queued.
pub fn recall(cx: &mut Cx<'_>, id: SubmissionId) -> Result<StoredSubmission, Error> {
    let (_, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "recall_submission", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let stored = find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::Recall)?;
        if screening::find_open(conn, id)?.is_some() {
            let detail = "somebody has begun to look at this; wait for what they find";
            return Err(refused(&stored.submission, SubmissionEvent::Recall, detail));
        }
        let facts = stored.submission.facts();
        store::submissions::save_promise(conn, facts, None, None)?;
        let by = By::person(facts.earner, Role::Earner);
        let draft = record(conn, &stored.submission, SubmissionEvent::Recall, by, now)?;
        let change = change_of("recall_submission", &stored.submission, &draft);
        Ok((find_fresh(conn, id)?, change))
    })
}

/// `POST /submissions/{id}/withdraw`: gives the attempt up.
///
/// # Errors
/// [`Error::WrongState`] once an assessor has it.
pub fn withdraw(cx: &mut Cx<'_>, id: SubmissionId) -> Result<StoredSubmission, Error> {
    let (_, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "withdraw_submission", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let stored = find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::Withdraw)?;
        let is_locked = store::reviews::list_of_submission(conn, id)?
            .iter()
            .any(|review| review.locked_at.is_some());
        if is_locked {
            let detail = "somebody has read this already; it cannot be given up any more";
            return Err(refused(&stored.submission, SubmissionEvent::Withdraw, detail));
        }
        let facts = stored.submission.facts();
        store::reviews::delete_open(conn, id, 1..=REREAD_SEAT)?;
        store::submissions::save_end(conn, facts, None, now.plus(RETENTION))?;
        let by = By::person(facts.earner, Role::Earner);
        let withdrawn = record(conn, &stored.submission, SubmissionEvent::Withdraw, by, now)?;
        let change = change_of("withdraw_submission", &stored.submission, &withdrawn);
        Ok((find_fresh(conn, id)?, change))
    })
}
