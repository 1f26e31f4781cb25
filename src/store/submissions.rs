//! Submissions, their answers, and the trail of their states.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::error::parse_ids;
use super::schema::{reviews, submission_events, submission_responses, submissions};
use super::{DbConn, StoreError};
use crate::domain::ai_use::AiUsePolicy;
use crate::domain::ids::{
    EvidenceId, MicroCredentialId, OrganizationId, PersonId, SubmissionId, VersionId,
};
use crate::domain::submission::{Submission, SubmissionEvent, SubmissionFacts, SubmissionState};
use crate::domain::timestamp::Timestamp;

/// A submission as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSubmission {
    /// The submission in its state.
    pub submission: Submission,
    /// The family it is an attempt at.
    pub micro_credential: MicroCredentialId,
    /// The earner's declaration.
    pub integrity_statement: bool,
    /// Whether the badge shall carry levels.
    pub include_results: bool,
    /// Whether the earner has waived the check for their own name. It tells readers nothing.
    pub names_waived: bool,
    /// What the earner says about the use of AI.
    pub ai_use: Option<String>,
    /// What was allowed when it was handed in; none before, and where nobody had said anything.
    pub ai_use_policy: Option<AiUsePolicy>,
    /// The attempt that it follows by resubmission.
    pub previous: Option<SubmissionId>,
    /// The wrapped data key; none once it was destroyed.
    pub sealed_key: Option<Vec<u8>>,
    /// The promised date.
    pub due_on: Option<Timestamp>,
    /// When it was handed in.
    pub submitted_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

type Row = (
    (String, String, String, String, String, i32, String, i32),
    (
        (bool, bool, bool),
        (Option<String>, Option<String>, Option<Vec<u8>>, Option<String>, Option<String>),
    ),
    (
        Option<NaiveDateTime>,
        Option<NaiveDateTime>,
        Option<NaiveDateTime>,
        NaiveDateTime,
        NaiveDateTime,
    ),
);

macro_rules! submission_columns {
    () => {
        (
            (
                submissions::id,
                submissions::organization_id,
                submissions::micro_credential_id,
                submissions::version_id,
                submissions::earner_id,
                submissions::attempt,
                submissions::state,
                submissions::revision,
            ),
            (
                (
                    submissions::integrity_statement,
                    submissions::include_results,
                    submissions::names_waived,
                ),
                (
                    submissions::ai_use,
                    submissions::ai_use_policy,
                    submissions::sealed_key,
                    submissions::held_from,
                    submissions::previous_id,
                ),
            ),
            (
                submissions::due_on,
                submissions::submitted_at,
                submissions::decided_at,
                submissions::created_at,
                submissions::updated_at,
            ),
        )
    };
}

fn from_row(row: Row) -> Result<StoredSubmission, StoreError> {
    let (
        (id, organization, micro_credential, version, earner, attempt, state, revision),
        (declared, (ai_use, allowed, sealed_key, held_from, previous)),
        times,
    ) = row;
    let (integrity_statement, include_results, names_waived) = declared;
    let (due_on, submitted_at, decided_at, created_at, updated_at) = times;
    let corrupt = |column| StoreError::corrupt("submissions", &id, column);
    let facts = SubmissionFacts {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        version: version.parse().map_err(|_bad| corrupt("version_id"))?,
        earner: earner.parse().map_err(|_bad| corrupt("earner_id"))?,
        attempt,
        revision,
    };
    let state = SubmissionState::parse(&state).ok_or_else(|| corrupt("state"))?;
    let held_from = held_from
        .map(|from| SubmissionState::parse(&from).ok_or_else(|| corrupt("held_from")))
        .transpose()?;
    Ok(StoredSubmission {
        submission: Submission::new(facts, state, held_from),
        micro_credential: micro_credential
            .parse()
            .map_err(|_bad| corrupt("micro_credential_id"))?,
        integrity_statement,
        include_results,
        names_waived,
        ai_use,
        ai_use_policy: allowed
            .map(|allowed| AiUsePolicy::parse(&allowed).ok_or_else(|| corrupt("ai_use_policy")))
            .transpose()?,
        previous: previous
            .map(|previous| previous.parse())
            .transpose()
            .map_err(|_bad| corrupt("previous_id"))?,
        sealed_key,
        due_on: due_on.map(Timestamp::from_naive),
        submitted_at: submitted_at.map(Timestamp::from_naive),
        decided_at: decided_at.map(Timestamp::from_naive),
        created_at: Timestamp::from_naive(created_at),
        updated_at: Timestamp::from_naive(updated_at),
    })
}

/// Adds a draft.
///
/// # Errors
/// [`StoreError::Duplicate`] when the earner has an open attempt.
pub fn create(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    micro_credential: MicroCredentialId,
    sealed_key: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(submissions::table)
        .values((
            submissions::id.eq(facts.id.to_string()),
            submissions::organization_id.eq(facts.organization.to_string()),
            submissions::micro_credential_id.eq(micro_credential.to_string()),
            submissions::version_id.eq(facts.version.to_string()),
            submissions::earner_id.eq(facts.earner.to_string()),
            submissions::attempt.eq(facts.attempt),
            submissions::state.eq(SubmissionState::Draft.as_str()),
            submissions::integrity_statement.eq(false),
            submissions::include_results.eq(false),
            submissions::sealed_key.eq(Some(sealed_key)),
            submissions::revision.eq(facts.revision),
            submissions::created_at.eq(now.naive()),
            submissions::updated_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("open submission"))?;
    Ok(())
}

/// One submission. Its organization is not known from the path; the caller checks it against the policy table before anything else.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: SubmissionId) -> Result<Option<StoredSubmission>, StoreError> {
    let row: Option<Row> = submissions::table
        .find(id.to_string())
        .select(submission_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// Some submissions, in the order of their ids as given; without those that there are not.
///
/// # Errors
/// [`StoreError`].
pub fn list_by_id(
    conn: &mut DbConn,
    ids: &[SubmissionId],
) -> Result<Vec<StoredSubmission>, StoreError> {
    let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = submissions::table
        .filter(submissions::id.eq_any(words))
        .select(submission_columns!())
        .load(conn)?;
    let mut found: BTreeMap<SubmissionId, StoredSubmission> = BTreeMap::new();
    for row in rows {
        let stored = from_row(row)?;
        found.insert(stored.submission.facts().id, stored);
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The number of the earner's last attempt, 0 when there is none.
///
/// # Errors
/// [`StoreError`].
pub fn last_attempt(
    conn: &mut DbConn,
    earner: PersonId,
    family: MicroCredentialId,
) -> Result<i32, StoreError> {
    let last: Option<i32> = submissions::table
        .filter(submissions::earner_id.eq(earner.to_string()))
        .filter(submissions::micro_credential_id.eq(family.to_string()))
        .select(diesel::dsl::max(submissions::attempt))
        .first(conn)?;
    Ok(last.unwrap_or(0))
}

/// Moves a submission from where it was read to where an event has led it.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on meanwhile.
pub fn save_state(
    conn: &mut DbConn,
    before: &Submission,
    after: &Submission,
    now: Timestamp,
) -> Result<(), StoreError> {
    let facts = before.facts();
    let unchanged = submissions::table
        .find(facts.id.to_string())
        .filter(submissions::organization_id.eq(facts.organization.to_string()))
        .filter(submissions::state.eq(before.state().as_str()))
        .filter(submissions::revision.eq(facts.revision));
    let n_rows = diesel::update(unchanged)
        .set((
            submissions::state.eq(after.state().as_str()),
            submissions::held_from.eq(after.held_from().map(SubmissionState::as_str)),
            submissions::revision.eq(after.facts().revision),
            submissions::updated_at.eq(now.naive()),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Records which attempt a new one follows.
///
/// # Errors
/// [`StoreError`].
pub fn save_previous(
    conn: &mut DbConn,
    id: SubmissionId,
    previous: SubmissionId,
) -> Result<(), StoreError> {
    diesel::update(submissions::table.find(id.to_string()))
        .set(submissions::previous_id.eq(Some(previous.to_string())))
        .execute(conn)?;
    Ok(())
}

/// Sets when it was handed in and the date promised for the answer; both none after a recall.
///
/// # Errors
/// [`StoreError`].
pub fn save_promise(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    submitted_at: Option<Timestamp>,
    due_on: Option<Timestamp>,
) -> Result<(), StoreError> {
    diesel::update(submissions::table.find(facts.id.to_string()))
        .set((
            submissions::submitted_at.eq(submitted_at.map(Timestamp::naive)),
            submissions::due_on.eq(due_on.map(Timestamp::naive)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Sets when it was decided and until when its evidence is kept.
///
/// # Errors
/// [`StoreError`].
pub fn save_end(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    decided_at: Option<Timestamp>,
    retain_until: Timestamp,
) -> Result<(), StoreError> {
    diesel::update(submissions::table.find(facts.id.to_string()))
        .set((
            submissions::decided_at.eq(decided_at.map(Timestamp::naive)),
            submissions::retain_until.eq(Some(retain_until.naive())),
        ))
        .execute(conn)?;
    Ok(())
}

/// What an autosave sets besides the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declarations {
    /// The earner's declaration.
    pub integrity_statement: bool,
    /// Whether the badge shall carry levels.
    pub include_results: bool,
    /// Whether the earner has waived the check for their own name.
    pub names_waived: bool,
    /// What the earner says about the use of AI.
    pub ai_use: Option<String>,
}

/// Saves a draft as read at `facts.revision`; a returned submission becomes a draft by it.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_draft(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    declarations: &Declarations,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unchanged = submissions::table
        .find(facts.id.to_string())
        .filter(submissions::organization_id.eq(facts.organization.to_string()))
        .filter(submissions::revision.eq(facts.revision));
    let n_rows = diesel::update(unchanged)
        .set((
            submissions::state.eq(SubmissionState::Draft.as_str()),
            submissions::integrity_statement.eq(declarations.integrity_statement),
            submissions::include_results.eq(declarations.include_results),
            submissions::names_waived.eq(declarations.names_waived),
            submissions::ai_use.eq(&declarations.ai_use),
            submissions::revision.eq(facts.revision + 1),
            submissions::updated_at.eq(now.naive()),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Sets what is said about the use of AI in a submission that nobody drafts.
///
/// # Errors
/// [`StoreError`].
pub fn save_ai_use(
    conn: &mut DbConn,
    id: SubmissionId,
    ai_use: Option<&str>,
) -> Result<(), StoreError> {
    diesel::update(submissions::table.find(id.to_string()))
        .set(submissions::ai_use.eq(ai_use))
        .execute(conn)?;
    Ok(())
}

/// Which submissions a list shows.
#[derive(Clone, Debug, Default)]
pub struct SubmissionQuery {
    /// Those of this earner.
    pub earner: Option<PersonId>,
    /// Or everybody's latest attempts in these organizations (how many there were is the earner's own business), but for those that the
    /// same person has read as assessor.
    pub organizations: Vec<OrganizationId>,
    /// In this state.
    pub state: Option<SubmissionState>,
    /// At this micro-credential.
    pub micro_credential: Option<MicroCredentialId>,
    /// After this one.
    pub after: Option<String>,
    /// In these organizations only, whosever it is: who has left sees what a single read would show them.
    pub branch: Vec<OrganizationId>,
    /// At most so many.
    pub limit: i64,
}

/// A page of the submissions of one earner and of some organizations, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    query: &SubmissionQuery,
) -> Result<Vec<StoredSubmission>, StoreError> {
    let organizations: Vec<String> = query.organizations.iter().map(ToString::to_string).collect();
    let earner = query.earner.map(|earner| earner.to_string()).unwrap_or_default();
    let later = diesel::alias!(submissions as later);
    let has_later = diesel::dsl::exists(
        later
            .filter(later.field(submissions::earner_id).eq(submissions::earner_id))
            .filter(
                later.field(submissions::micro_credential_id).eq(submissions::micro_credential_id),
            )
            .filter(later.field(submissions::attempt).gt(submissions::attempt)),
    );
    let has_read = diesel::dsl::exists(
        reviews::table
            .filter(reviews::submission_id.eq(submissions::id))
            .filter(reviews::assessor_id.eq(Some(earner.clone()))),
    );
    let mut boxed = submissions::table
        .filter(diesel::dsl::not(is_seed!()))
        .filter(
            submissions::earner_id.eq(earner).or(submissions::organization_id
                .eq_any(organizations)
                .and(diesel::dsl::not(has_later))
                .and(diesel::dsl::not(has_read))),
        )
        .select(submission_columns!())
        .into_boxed::<MultiBackend>();
    if let Some(state) = query.state {
        boxed = boxed.filter(submissions::state.eq(state.as_str()));
    }
    if let Some(family) = query.micro_credential {
        boxed = boxed.filter(submissions::micro_credential_id.eq(family.to_string()));
    }
    let branch: Vec<String> = query.branch.iter().map(ToString::to_string).collect();
    boxed = boxed.filter(submissions::organization_id.eq_any(branch));
    if let Some(after) = &query.after {
        boxed = boxed.filter(submissions::id.gt(after.clone()));
    }
    let rows: Vec<Row> = boxed.order(submissions::id).limit(query.limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// A page of the submissions of some organizations by id, whosever they are, but for known work.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_organizations(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StoredSubmission>, StoreError> {
    let organizations: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = submissions::table
        .filter(diesel::dsl::not(is_seed!()))
        .filter(submissions::organization_id.eq_any(organizations))
        .filter(submissions::id.gt(after.unwrap_or_default().to_owned()))
        .order(submissions::id)
        .limit(limit)
        .select(submission_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// An answer to a prompt: sealed text, or an item of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredResponse {
    /// Text, encrypted with the submission's data key.
    Text(Vec<u8>),
    /// An item that was handed in for it.
    Evidence(EvidenceId),
}

/// The answers of a submission by prompt.
///
/// # Errors
/// [`StoreError`].
pub fn list_responses(
    conn: &mut DbConn,
    id: SubmissionId,
) -> Result<Vec<(String, StoredResponse)>, StoreError> {
    let rows: Vec<(String, Option<Vec<u8>>, Option<String>)> = submission_responses::table
        .filter(submission_responses::submission_id.eq(id.to_string()))
        .order(submission_responses::prompt_id)
        .select((
            submission_responses::prompt_id,
            submission_responses::sealed_text,
            submission_responses::evidence_id,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(prompt, text, evidence)| {
            let corrupt =
                || StoreError::corrupt("submission_responses", &id.to_string(), "evidence_id");
            let response = match (text, evidence) {
                (Some(text), None) => StoredResponse::Text(text),
                (None, Some(evidence)) => {
                    StoredResponse::Evidence(evidence.parse().map_err(|_bad| corrupt())?)
                }
                (Some(_), Some(_)) | (None, None) => return Err(corrupt()),
            };
            Ok((prompt, response))
        })
        .collect()
}

/// Sets or, with none, removes the answer to a prompt.
///
/// # Errors
/// [`StoreError`].
pub fn save_response(
    conn: &mut DbConn,
    id: SubmissionId,
    prompt: &str,
    response: Option<&StoredResponse>,
) -> Result<(), StoreError> {
    diesel::delete(submission_responses::table.find((id.to_string(), prompt))).execute(conn)?;
    let (text, evidence) = match response {
        None => return Ok(()),
        Some(StoredResponse::Text(text)) => (Some(text.clone()), None),
        Some(StoredResponse::Evidence(evidence)) => (None, Some(evidence.to_string())),
    };
    diesel::insert_into(submission_responses::table)
        .values((
            submission_responses::submission_id.eq(id.to_string()),
            submission_responses::prompt_id.eq(prompt),
            submission_responses::sealed_text.eq(text),
            submission_responses::evidence_id.eq(evidence),
        ))
        .execute(conn)?;
    Ok(())
}

/// One step of a submission's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happened.
    pub event: SubmissionEvent,
    /// Where it stood.
    pub from: Option<SubmissionState>,
    /// Where it stands.
    pub to: SubmissionState,
    /// Who did it, none for the service.
    pub actor: Option<PersonId>,
    /// In which role.
    pub actor_role: String,
    /// The version that the submission is pinned to.
    pub version: Option<VersionId>,
    /// Why, as a stable word; for staff.
    pub reason: Option<String>,
    /// When.
    pub happened_at: Timestamp,
}

/// Adds a step to a submission's timeline.
///
/// # Errors
/// [`StoreError`].
pub fn append_step(
    conn: &mut DbConn,
    id: SubmissionId,
    step_id: &str,
    step: &Step,
) -> Result<(), StoreError> {
    diesel::insert_into(submission_events::table)
        .values((
            submission_events::id.eq(step_id),
            submission_events::submission_id.eq(id.to_string()),
            submission_events::event.eq(step.event.as_str()),
            submission_events::from_state.eq(step.from.map(SubmissionState::as_str)),
            submission_events::to_state.eq(step.to.as_str()),
            submission_events::actor_id.eq(step.actor.map(|actor| actor.to_string())),
            submission_events::actor_role.eq(&step.actor_role),
            submission_events::happened_at.eq(step.happened_at.naive()),
            submission_events::version_id.eq(step.version.map(|version| version.to_string())),
            submission_events::reason.eq(&step.reason),
        ))
        .execute(conn)?;
    Ok(())
}

/// A submission's timeline, the oldest step first.
///
/// # Errors
/// [`StoreError`].
pub fn list_steps(conn: &mut DbConn, id: SubmissionId) -> Result<Vec<Step>, StoreError> {
    type StepRow = (
        (String, Option<String>, String, Option<String>, String, NaiveDateTime),
        (Option<String>, Option<String>),
    );
    let rows: Vec<StepRow> = submission_events::table
        .filter(submission_events::submission_id.eq(id.to_string()))
        .order(submission_events::id)
        .select((
            (
                submission_events::event,
                submission_events::from_state,
                submission_events::to_state,
                submission_events::actor_id,
                submission_events::actor_role,
                submission_events::happened_at,
            ),
            (submission_events::version_id, submission_events::reason),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(step, (version, reason))| {
            let (event, from, to, actor, actor_role, happened_at) = step;
            let corrupt =
                |column| StoreError::corrupt("submission_events", &id.to_string(), column);
            Ok(Step {
                event: SubmissionEvent::parse(&event).ok_or_else(|| corrupt("event"))?,
                from: from
                    .map(|from| SubmissionState::parse(&from).ok_or_else(|| corrupt("from_state")))
                    .transpose()?,
                to: SubmissionState::parse(&to).ok_or_else(|| corrupt("to_state"))?,
                actor: actor
                    .map(|actor| actor.parse())
                    .transpose()
                    .map_err(|_bad| corrupt("actor_id"))?,
                actor_role,
                version: version
                    .map(|version| version.parse())
                    .transpose()
                    .map_err(|_bad| corrupt("version_id"))?,
                reason,
                happened_at: Timestamp::from_naive(happened_at),
            })
        })
        .collect()
}

/// Submissions in a state, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_in_state(
    conn: &mut DbConn,
    state: SubmissionState,
    limit: i64,
) -> Result<Vec<SubmissionId>, StoreError> {
    let ids: Vec<String> = submissions::table
        .filter(submissions::state.eq(state.as_str()))
        .filter(diesel::dsl::not(is_seed!()))
        .order(submissions::id)
        .limit(limit)
        .select(submissions::id)
        .load(conn)?;
    parse_ids("submissions", "id", ids)
}

/// Destroys the data key: what it encrypted cannot be read any more. What people wrote beside it goes as well.
///
/// # Errors
/// [`StoreError`].
pub fn forget(conn: &mut DbConn, id: SubmissionId) -> Result<(), StoreError> {
    diesel::update(submissions::table.find(id.to_string()))
        .set((submissions::sealed_key.eq(None::<Vec<u8>>), submissions::ai_use.eq(None::<String>)))
        .execute(conn)?;
    diesel::update(reviews::table.filter(reviews::submission_id.eq(id.to_string())))
        .set(reviews::recuse_reason.eq(None::<String>))
        .execute(conn)?;
    Ok(())
}

/// Keeps what was allowed when a submission was handed in.
///
/// # Errors
/// [`StoreError`].
pub fn save_ai_use_policy(
    conn: &mut DbConn,
    id: SubmissionId,
    allowed: Option<AiUsePolicy>,
) -> Result<(), StoreError> {
    diesel::update(submissions::table.find(id.to_string()))
        .set(submissions::ai_use_policy.eq(allowed.map(AiUsePolicy::as_str)))
        .execute(conn)?;
    Ok(())
}
