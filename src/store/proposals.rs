//! Proposals for published rubrics, and where visitors want to be told of the answer.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{proposal_contacts, proposals};
use super::{DbConn, StoreError};
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, ProposalId};
use crate::domain::proposal::{ProposalEvent, ProposalOutcome, ProposalState};
use crate::domain::timestamp::Timestamp;

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// Whose rubric it is about.
    pub organization: OrganizationId,
    /// Which.
    pub micro_credential: MicroCredentialId,
    /// Which version.
    pub number: i32,
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
    /// Counts its changes.
    pub revision: i32,
    /// When it was sent.
    pub created_at: Timestamp,
}

type Row = (
    (String, String, String, i32, String, String, Option<String>, Option<String>),
    (Option<String>, Option<String>, Option<String>, Option<String>),
    (Option<i32>, i32, NaiveDateTime, Option<NaiveDateTime>),
);

macro_rules! proposal_columns {
    () => {
        (
            (
                proposals::id,
                proposals::organization_id,
                proposals::micro_credential_id,
                proposals::version_number,
                proposals::state,
                proposals::proposal,
                proposals::pointer,
                proposals::proposed,
            ),
            (proposals::credit_name, proposals::proposer_id, proposals::outcome, proposals::answer),
            (
                proposals::became_number,
                proposals::revision,
                proposals::created_at,
                proposals::answered_at,
            ),
        )
    };
}

fn from_row(row: Row) -> Result<Proposal, StoreError> {
    let ((id, organization, family, number, state, text, pointer, proposed), said, rest) = row;
    let (credit_name, proposer, outcome, answer) = said;
    let (became, revision, created_at, answered_at) = rest;
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
    Ok(Proposal {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        micro_credential: family.parse().map_err(|_bad| corrupt("micro_credential_id"))?,
        number,
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
    diesel::insert_into(proposals::table)
        .values((
            proposals::id.eq(new.id.to_string()),
            proposals::organization_id.eq(new.organization.to_string()),
            proposals::micro_credential_id.eq(new.micro_credential.to_string()),
            proposals::version_number.eq(new.number),
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

/// Which proposals a list shows.
#[derive(Clone, Debug)]
pub struct ProposalQuery {
    /// About this micro-credential.
    pub micro_credential: MicroCredentialId,
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
        .filter(proposals::micro_credential_id.eq(query.micro_credential.to_string()))
        .filter(proposals::state.eq_any(states))
        .select(proposal_columns!())
        .into_boxed::<MultiBackend>();
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

/// Saves state, answer and draft of a proposal as read at its revision, and who did it. A refused one keeps no address.
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
        ProposalEvent::Draft => {}
    }
    if changed.state == ProposalState::Refused {
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

/// Forgets the addresses of proposals that were answered before `answered`, and what visitors sent before `sent` and nobody has looked
/// at or has refused.
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
