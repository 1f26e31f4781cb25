//! Proposals for published rubrics and charters, and where visitors want to be told of the answer.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{proposal_contacts, proposals};
use super::{DbConn, StoreError};
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, ProgramId, ProposalId};
use crate::domain::proposal::{ProposalEvent, ProposalOutcome, ProposalState, ProposalSubject};
use crate::domain::timestamp::Timestamp;

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// Whose rubric or charter it is about.
    pub organization: OrganizationId,
    /// What it is about.
    pub subject: ProposalSubject,
    /// Where it stands.
    pub state: ProposalState,
    /// What is proposed and why, in words.
    pub text: String,
    /// A text of the definition, and what is to stand in its place.
    pub replacement: Option<(String, String)>,
    /// Under which name the proposer wants to be credited; nameless without one.
    pub credit_name: Option<String>,
    /// Who proposed it; nobody for a visitor.
    pub proposer: Option<PersonId>,
    /// The public answer: what was decided, in words, and when.
    pub answer: Option<(ProposalOutcome, String, Timestamp)>,
    /// The number of the draft that it became.
    pub became: Option<i32>,
    /// Why it was taken down, and when.
    pub removed: Option<(String, Timestamp)>,
    /// Counts its changes.
    pub revision: i32,
    /// When it was sent.
    pub created_at: Timestamp,
}

type Row = (
    (String, String, String, String, Option<String>, Option<String>),
    (Option<String>, Option<i32>, Option<String>),
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>),
    (Option<i32>, i32, NaiveDateTime, Option<NaiveDateTime>, Option<NaiveDateTime>),
);

macro_rules! proposal_columns {
    () => {
        (
            (
                proposals::id,
                proposals::organization_id,
                proposals::state,
                proposals::proposal,
                proposals::pointer,
                proposals::proposed,
            ),
            (proposals::micro_credential_id, proposals::version_number, proposals::program_id),
            (
                proposals::credit_name,
                proposals::proposer_id,
                proposals::outcome,
                proposals::answer,
                proposals::removal_reason,
            ),
            (
                proposals::became_number,
                proposals::revision,
                proposals::created_at,
                proposals::answered_at,
                proposals::removed_at,
            ),
        )
    };
}

fn from_row(row: Row) -> Result<Proposal, StoreError> {
    let ((id, organization, state, text, pointer, proposed), about, said, rest) = row;
    let (credit_name, proposer, outcome, answer, removal_reason) = said;
    let (became, revision, created_at, answered_at, removed_at) = rest;
    let corrupt = |column| StoreError::corrupt("proposals", &id, column);
    let answer = match (outcome, answer, answered_at) {
        (Some(outcome), Some(answer), Some(at)) => Some((
            ProposalOutcome::parse(&outcome).ok_or_else(|| corrupt("outcome"))?,
            answer,
            Timestamp::from_naive(at),
        )),
        (None, None, None) => None,
        (Some(_) | None, Some(_) | None, Some(_) | None) => return Err(corrupt("answer")),
    };
    let subject = match about {
        (Some(family), Some(number), None) => ProposalSubject::Version {
            micro_credential: family.parse().map_err(|_bad| corrupt("micro_credential_id"))?,
            number,
        },
        (None, None, Some(program)) => {
            ProposalSubject::Charter(program.parse().map_err(|_bad| corrupt("program_id"))?)
        }
        (Some(_) | None, Some(_) | None, Some(_) | None) => return Err(corrupt("program_id")),
    };
    Ok(Proposal {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        subject,
        state: ProposalState::parse(&state).ok_or_else(|| corrupt("state"))?,
        text,
        replacement: pointer.zip(proposed),
        credit_name,
        proposer: proposer
            .map(|proposer| proposer.parse())
            .transpose()
            .map_err(|_bad| corrupt("proposer_id"))?,
        answer,
        became,
        removed: removal_reason.zip(removed_at.map(Timestamp::from_naive)),
        revision,
        created_at: Timestamp::from_naive(created_at),
    })
}

/// Adds a proposal; of a visitor with the address for the answer, if there is one.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &Proposal, email: Option<&str>) -> Result<(), StoreError> {
    let (pointer, proposed) = new.replacement.clone().unzip();
    let (version, program) = match new.subject {
        ProposalSubject::Version { micro_credential, number } => {
            (Some((micro_credential.to_string(), number)), None)
        }
        ProposalSubject::Charter(program) => (None, Some(program.to_string())),
    };
    let (family, number) = version.unzip();
    diesel::insert_into(proposals::table)
        .values((
            proposals::id.eq(new.id.to_string()),
            proposals::organization_id.eq(new.organization.to_string()),
            proposals::micro_credential_id.eq(family),
            proposals::version_number.eq(number),
            proposals::program_id.eq(program),
            proposals::state.eq(new.state.as_str()),
            proposals::proposal.eq(&new.text),
            proposals::pointer.eq(pointer),
            proposals::proposed.eq(proposed),
            proposals::credit_name.eq(&new.credit_name),
            proposals::proposer_id.eq(new.proposer.map(|proposer| proposer.to_string())),
            proposals::revision.eq(new.revision),
            proposals::created_at.eq(new.created_at.naive()),
        ))
        .execute(conn)?;
    if let Some(email) = email {
        diesel::insert_into(proposal_contacts::table)
            .values((
                proposal_contacts::proposal_id.eq(new.id.to_string()),
                proposal_contacts::email.eq(email),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// One proposal. Whether the caller may know of it depends on its state, for the policy table to judge.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: ProposalId) -> Result<Option<Proposal>, StoreError> {
    let row: Option<Row> =
        proposals::table.find(id.to_string()).select(proposal_columns!()).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// About what the proposals of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Any version of a micro-credential.
    MicroCredential(MicroCredentialId),
    /// The charter of a programme.
    Charter(ProgramId),
}

/// Which proposals a list shows.
#[derive(Clone, Debug)]
pub struct ProposalQuery {
    /// About this.
    pub about: About,
    /// In these states.
    pub states: Vec<ProposalState>,
    /// After this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// A page of proposals, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(conn: &mut DbConn, query: &ProposalQuery) -> Result<Vec<Proposal>, StoreError> {
    let states: Vec<&str> = query.states.iter().map(|state| state.as_str()).collect();
    let mut boxed = proposals::table
        .filter(proposals::state.eq_any(states))
        .select(proposal_columns!())
        .into_boxed::<MultiBackend>();
    boxed = match query.about {
        About::MicroCredential(family) => {
            boxed.filter(proposals::micro_credential_id.eq(family.to_string()))
        }
        About::Charter(program) => boxed.filter(proposals::program_id.eq(program.to_string())),
    };
    if let Some(after) = &query.after {
        boxed = boxed.filter(proposals::id.gt(after.clone()));
    }
    let rows: Vec<Row> = boxed.order(proposals::id).limit(query.limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// How many proposals of visitors an organization has that nobody has looked at, and when each of the newest `limit` came.
///
/// # Errors
/// [`StoreError`].
pub fn list_waiting_since(
    conn: &mut DbConn,
    organization: OrganizationId,
    limit: i64,
) -> Result<Vec<Timestamp>, StoreError> {
    let rows: Vec<NaiveDateTime> = proposals::table
        .filter(proposals::organization_id.eq(organization.to_string()))
        .filter(proposals::state.eq(ProposalState::Waiting.as_str()))
        .order(proposals::created_at.desc())
        .limit(limit)
        .select(proposals::created_at)
        .load(conn)?;
    Ok(rows.into_iter().map(Timestamp::from_naive).collect())
}

/// Whose proposals are counted of those that people have sent who had signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentBy {
    /// Those of one person, wherever they have sent them.
    Person(PersonId),
    /// Those of everybody to one organization.
    AnybodyTo(OrganizationId),
}

/// When people who had signed in have sent proposals since a moment, the newest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_sent_since(
    conn: &mut DbConn,
    by: SentBy,
    since: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let mut query = proposals::table
        .filter(proposals::created_at.gt(since.naive()))
        .filter(proposals::proposer_id.is_not_null())
        .order(proposals::created_at.desc())
        .select(proposals::created_at)
        .into_boxed::<MultiBackend>();
    query = match by {
        SentBy::Person(person) => query.filter(proposals::proposer_id.eq(person.to_string())),
        SentBy::AnybodyTo(organization) => {
            query.filter(proposals::organization_id.eq(organization.to_string()))
        }
    };
    let rows: Vec<NaiveDateTime> = query.load(conn)?;
    Ok(rows.into_iter().map(Timestamp::from_naive).collect())
}

/// The answers to proposals about a charter: which, what was decided, in words, and when.
///
/// # Errors
/// [`StoreError`].
pub fn list_answers(conn: &mut DbConn, program: ProgramId) -> Result<Vec<Proposal>, StoreError> {
    let rows: Vec<Row> = proposals::table
        .filter(proposals::program_id.eq(program.to_string()))
        .filter(proposals::answer.is_not_null())
        .order(proposals::id)
        .select(proposal_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// What the drafts that became a version began as: the names under which proposers want to be credited, in the order of the proposals;
/// none for a proposer who does not want to be named.
///
/// # Errors
/// [`StoreError`].
pub fn list_credits(
    conn: &mut DbConn,
    family: MicroCredentialId,
    number: i32,
) -> Result<Vec<Option<String>>, StoreError> {
    Ok(proposals::table
        .filter(proposals::micro_credential_id.eq(family.to_string()))
        .filter(proposals::became_number.eq(Some(number)))
        .order(proposals::id)
        .select(proposals::credit_name)
        .load(conn)?)
}

/// Saves state, answer, draft and words of a proposal as read at its revision, and who did it. One that is refused or taken down keeps no
/// address.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save(
    conn: &mut DbConn,
    changed: &Proposal,
    event: ProposalEvent,
    by: PersonId,
) -> Result<(), StoreError> {
    let unchanged = proposals::table
        .find(changed.id.to_string())
        .filter(proposals::organization_id.eq(changed.organization.to_string()))
        .filter(proposals::revision.eq(changed.revision));
    let (outcome, answer, answered_at) = match &changed.answer {
        Some((outcome, answer, at)) => {
            (Some(outcome.as_str()), Some(answer.clone()), Some(at.naive()))
        }
        None => (None, None, None),
    };
    let n_rows = diesel::update(unchanged)
        .set((
            proposals::state.eq(changed.state.as_str()),
            proposals::outcome.eq(outcome),
            proposals::answer.eq(answer),
            proposals::answered_at.eq(answered_at),
            proposals::became_number.eq(changed.became),
            proposals::removal_reason
                .eq(changed.removed.as_ref().map(|(reason, _)| reason.clone())),
            proposals::removed_at.eq(changed.removed.as_ref().map(|(_, at)| at.naive())),
            proposals::proposal.eq(&changed.text),
            proposals::pointer.eq(changed.replacement.as_ref().map(|(pointer, _)| pointer.clone())),
            proposals::proposed.eq(changed.replacement.as_ref().map(|(_, text)| text.clone())),
            proposals::credit_name.eq(&changed.credit_name),
            proposals::revision.eq(changed.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 {
        return Err(StoreError::Stale);
    }
    let row = proposals::table.find(changed.id.to_string());
    match event {
        ProposalEvent::Show | ProposalEvent::Refuse => {
            diesel::update(row).set(proposals::moderated_by.eq(by.to_string())).execute(conn)?;
        }
        ProposalEvent::Answer => {
            diesel::update(row).set(proposals::answered_by.eq(by.to_string())).execute(conn)?;
        }
        ProposalEvent::Remove => {
            diesel::update(row).set(proposals::removed_by.eq(by.to_string())).execute(conn)?;
        }
        ProposalEvent::Draft => {}
    }
    if matches!(changed.state, ProposalState::Refused | ProposalState::Removed) {
        delete_contact(conn, changed.id)?;
    }
    Ok(())
}

/// Where a visitor wants to be told of the answer.
///
/// # Errors
/// [`StoreError`].
pub fn find_contact(conn: &mut DbConn, id: ProposalId) -> Result<Option<String>, StoreError> {
    Ok(proposal_contacts::table
        .find(id.to_string())
        .select(proposal_contacts::email)
        .first(conn)
        .optional()?)
}

fn delete_contact(conn: &mut DbConn, id: ProposalId) -> Result<(), StoreError> {
    diesel::delete(proposal_contacts::table.find(id.to_string())).execute(conn)?;
    Ok(())
}

/// Forgets the addresses of proposals that were answered before `answered`, those of proposals that were sent before `sent` and nobody has
/// answered, and what visitors sent before `sent` and nobody has looked at or has refused.
///
/// # Errors
/// [`StoreError`].
pub fn purge(conn: &mut DbConn, answered: Timestamp, sent: Timestamp) -> Result<(), StoreError> {
    let old: Vec<String> = proposals::table
        .filter(proposals::answered_at.lt(Some(answered.naive())))
        .select(proposals::id)
        .load(conn)?;
    diesel::delete(proposal_contacts::table.filter(proposal_contacts::proposal_id.eq_any(&old)))
        .execute(conn)?;
    let unanswered: Vec<String> = proposals::table
        .filter(proposals::state.eq(ProposalState::Open.as_str()))
        .filter(proposals::created_at.lt(sent.naive()))
        .select(proposals::id)
        .load(conn)?;
    diesel::delete(
        proposal_contacts::table.filter(proposal_contacts::proposal_id.eq_any(&unanswered)),
    )
    .execute(conn)?;
    let hidden = [ProposalState::Waiting.as_str(), ProposalState::Refused.as_str()];
    let unseen: Vec<String> = proposals::table
        .filter(proposals::state.eq_any(hidden))
        .filter(proposals::created_at.lt(sent.naive()))
        .select(proposals::id)
        .load(conn)?;
    diesel::delete(proposal_contacts::table.filter(proposal_contacts::proposal_id.eq_any(&unseen)))
        .execute(conn)?;
    diesel::delete(proposals::table.filter(proposals::id.eq_any(&unseen))).execute(conn)?;
    Ok(())
}
