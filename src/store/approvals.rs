//! Votes of a group on a content: of a version of a definition, or of a programme's charter.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{approval_voter_departments, approvals};
use super::{DbConn, StoreError};
use crate::domain::ids::{ApprovalId, OrganizationId, ProgramId, VersionId};
use crate::domain::timestamp::Timestamp;
use crate::domain::version::Vote;

/// What a group votes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalSubject {
    /// A version of a definition.
    Version(VersionId),
    /// The charter of a programme.
    Program(ProgramId),
}

impl ApprovalSubject {
    /// The columns of the version and of the programme; one of them is set.
    fn columns(self) -> (Option<String>, Option<String>) {
        match self {
            ApprovalSubject::Version(id) => (Some(id.to_string()), None),
            ApprovalSubject::Program(id) => (None, Some(id.to_string())),
        }
    }

    /// The id; ids of different kinds never meet.
    fn id(self) -> String {
        match self {
            ApprovalSubject::Version(id) => id.to_string(),
            ApprovalSubject::Program(id) => id.to_string(),
        }
    }
}

/// A vote that somebody casts on a content.
#[derive(Clone, Debug)]
pub struct NewVote {
    /// Its id.
    pub id: ApprovalId,
    /// On what.
    pub subject: ApprovalSubject,
    /// Who votes, how, and from which departments.
    pub vote: Vote,
    /// Why.
    pub comment: String,
    /// The content that it is about.
    pub content_hash: String,
}

/// A vote as the change log tells it, valid or void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedVote {
    /// Its id, in the order of time.
    pub id: String,
    /// For it?
    pub approves: bool,
    /// Why.
    pub comment: String,
    /// The content that it was about.
    pub content_hash: String,
    /// When it was cast.
    pub cast_at: Timestamp,
    /// Whether a later edit or vote has made it void.
    pub is_void: bool,
}

/// Records a vote; the voter's earlier one on the same subject is void.
///
/// # Errors
/// [`StoreError`].
pub fn save_vote(conn: &mut DbConn, new: &NewVote, now: Timestamp) -> Result<(), StoreError> {
    let id = new.subject.id();
    let earlier = approvals::table
        .filter(approvals::version_id.eq(&id).or(approvals::program_id.eq(&id)))
        .filter(approvals::person_id.eq(new.vote.person.to_string()))
        .filter(approvals::voided_at.is_null());
    diesel::update(earlier).set(approvals::voided_at.eq(Some(now.naive()))).execute(conn)?;
    let (version, program) = new.subject.columns();
    diesel::insert_into(approvals::table)
        .values((
            approvals::id.eq(new.id.to_string()),
            approvals::version_id.eq(version),
            approvals::program_id.eq(program),
            approvals::person_id.eq(new.vote.person.to_string()),
            approvals::approves.eq(new.vote.approves),
            approvals::comment.eq(&new.comment),
            approvals::content_hash.eq(&new.content_hash),
            approvals::created_at.eq(now.naive()),
        ))
        .execute(conn)?;
    for department in &new.vote.departments {
        diesel::insert_into(approval_voter_departments::table)
            .values((
                approval_voter_departments::approval_id.eq(new.id.to_string()),
                approval_voter_departments::department_id.eq(department.to_string()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Makes every vote on a subject void: its content has changed.
///
/// # Errors
/// [`StoreError`].
pub fn void_all(
    conn: &mut DbConn,
    subject: ApprovalSubject,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = subject.id();
    let votes = approvals::table
        .filter(approvals::version_id.eq(&id).or(approvals::program_id.eq(&id)))
        .filter(approvals::voided_at.is_null());
    diesel::update(votes).set(approvals::voided_at.eq(Some(now.naive()))).execute(conn)?;
    Ok(())
}

/// The valid votes on a subject's present content.
///
/// # Errors
/// [`StoreError`].
pub fn list_votes(
    conn: &mut DbConn,
    subject: ApprovalSubject,
    content_hash: &str,
) -> Result<Vec<Vote>, StoreError> {
    let id = subject.id();
    let rows: Vec<(String, String, bool)> = approvals::table
        .filter(approvals::version_id.eq(&id).or(approvals::program_id.eq(&id)))
        .filter(approvals::content_hash.eq(content_hash))
        .filter(approvals::voided_at.is_null())
        .order(approvals::id)
        .select((approvals::id, approvals::person_id, approvals::approves))
        .load(conn)?;
    let ids: Vec<&String> = rows.iter().map(|row| &row.0).collect();
    let departments: Vec<(String, String)> = approval_voter_departments::table
        .filter(approval_voter_departments::approval_id.eq_any(ids))
        .load(conn)?;
    let mut departments_of: BTreeMap<String, BTreeSet<OrganizationId>> = BTreeMap::new();
    for (approval, department) in departments {
        let id = department.parse().map_err(|_bad| {
            StoreError::corrupt("approval_voter_departments", &approval, "department_id")
        })?;
        departments_of.entry(approval).or_default().insert(id);
    }
    rows.into_iter()
        .map(|(id, person, approves)| {
            let person = person
                .parse()
                .map_err(|_bad| StoreError::corrupt("approvals", &id, "person_id"))?;
            Ok(Vote {
                person,
                approves,
                departments: departments_of.remove(&id).unwrap_or_default(),
            })
        })
        .collect()
}

/// Who has an opinion is not told: the votes on a programme's charter in the order of time, void ones too.
///
/// # Errors
/// [`StoreError`].
pub fn list_logged(conn: &mut DbConn, program: ProgramId) -> Result<Vec<LoggedVote>, StoreError> {
    type Row = (String, bool, String, String, NaiveDateTime, Option<NaiveDateTime>);
    let rows: Vec<Row> = approvals::table
        .filter(approvals::program_id.eq(program.to_string()))
        .order(approvals::id)
        .select((
            approvals::id,
            approvals::approves,
            approvals::comment,
            approvals::content_hash,
            approvals::created_at,
            approvals::voided_at,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, approves, comment, content_hash, cast_at, voided_at)| LoggedVote {
            id,
            approves,
            comment,
            content_hash,
            cast_at: Timestamp::from_naive(cast_at),
            is_void: voided_at.is_some(),
        })
        .collect())
}
