//! The group approval that definitions and charters share: a vote binds a content, and counts for the voter's departments.

use std::collections::BTreeSet;

use super::context::{Cx, new_uuid};
use super::error::Error;
use crate::domain::ids::{ApprovalId, OrganizationId, PersonId};
use crate::domain::organization::reach_of;
use crate::domain::timestamp::Timestamp;
use crate::domain::version::Vote;
use crate::store::approvals::{ApprovalSubject, NewVote};
use crate::store::{self, DbConn};

/// The most characters of a comment.
const LONGEST_COMMENT: usize = 4000;

/// Refuses a comment that is too long.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn check_comment(comment: &str) -> Result<(), Error> {
    if comment.chars().count() > LONGEST_COMMENT {
        let detail = "a comment has at most 4,000 characters";
        return Err(Error::invalid("/comment", "too-long", detail));
    }
    Ok(())
}

/// Who votes, and for which departments.
pub(super) struct Voter {
    person: PersonId,
    departments: BTreeSet<OrganizationId>,
}

impl Voter {
    /// The caller with their departments of the house that the content is written in: a school's definition is its district's
    /// affair as well.
    ///
    /// # Errors
    /// [`Error::Denied`] for nobody.
    pub(super) fn new(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<Voter, Error> {
        let person = cx.signed_in()?.person;
        let above = store::organizations::list_above_with_kinds(cx.conn, organization)?;
        let kind = store::organizations::find(cx.conn, organization)?.ok_or(Error::Stale)?.kind;
        let mut house = reach_of(kind, &above);
        house.push(organization);
        Ok(Voter { person, departments: cx.actor.departments_below(&house) })
    }
}

/// Records a vote on a content, and gives all valid votes on it.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn cast(
    conn: &mut DbConn,
    voter: &Voter,
    subject: ApprovalSubject,
    content_hash: &str,
    approves: bool,
    comment: &str,
    now: Timestamp,
) -> Result<Vec<Vote>, Error> {
    let vote = Vote { person: voter.person, approves, departments: voter.departments.clone() };
    let new = NewVote {
        id: ApprovalId::from_uuid(new_uuid()),
        subject,
        vote,
        comment: comment.to_owned(),
        content_hash: content_hash.to_owned(),
    };
    store::approvals::save_vote(conn, &new, now)?;
    Ok(store::approvals::list_votes(conn, subject, content_hash)?)
}
