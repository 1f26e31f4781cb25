//! Links by which people without an account add one item to a submission.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::contribution_links;
use super::{DbConn, StoreError};
use crate::domain::contribution::Contributor;
use crate::domain::ids::{ContributionLinkId, SubmissionId};
use crate::domain::timestamp::Timestamp;

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContributionLink {
    /// Its id.
    pub id: ContributionLinkId,
    /// To which submission.
    pub submission: SubmissionId,
    /// For which evidence requirement.
    pub requirement: String,
    /// For whom.
    pub contributor: Contributor,
    /// What the earner says to them, sealed with the submission's key.
    pub sealed_message: Option<Vec<u8>>,
    /// Whether students can be recognised in what they will write.
    pub contains_students: bool,
    /// Whether the consents are there.
    pub consent: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// When its earner took it back.
    pub ended_at: Option<Timestamp>,
}

impl ContributionLink {
    /// Whether something can be added by it.
    #[must_use]
    pub fn works(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && self.ended_at.is_none() && now < self.expires_at
    }
}

type Row = (
    (String, String, String, String, Option<Vec<u8>>, bool, bool),
    (NaiveDateTime, NaiveDateTime, Option<NaiveDateTime>, Option<NaiveDateTime>),
);

macro_rules! link_columns {
    () => {
        (
            (
                contribution_links::id,
                contribution_links::submission_id,
                contribution_links::requirement_id,
                contribution_links::contributor,
                contribution_links::sealed_message,
                contribution_links::contains_students,
                contribution_links::consent,
            ),
            (
                contribution_links::created_at,
                contribution_links::expires_at,
                contribution_links::used_at,
                contribution_links::ended_at,
            ),
        )
    };
}

fn from_row((head, times): Row) -> Result<ContributionLink, StoreError> {
    let (id, submission, requirement, contributor, sealed_message, contains_students, consent) =
        head;
    let (created_at, expires_at, used_at, ended_at) = times;
    let corrupt = |column| StoreError::corrupt("contribution_links", &id, column);
    Ok(ContributionLink {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
        requirement,
        contributor: Contributor::parse(&contributor).ok_or_else(|| corrupt("contributor"))?,
        sealed_message,
        contains_students,
        consent,
        created_at: Timestamp::from_naive(created_at),
        expires_at: Timestamp::from_naive(expires_at),
        used_at: used_at.map(Timestamp::from_naive),
        ended_at: ended_at.map(Timestamp::from_naive),
    })
}

/// Keeps a link with the hash of its secret.
///
/// # Errors
/// [`StoreError`].
pub fn create(
    conn: &mut DbConn,
    new: &ContributionLink,
    token_sha256: &str,
) -> Result<(), StoreError> {
    diesel::insert_into(contribution_links::table)
        .values((
            contribution_links::id.eq(new.id.to_string()),
            contribution_links::submission_id.eq(new.submission.to_string()),
            contribution_links::requirement_id.eq(&new.requirement),
            contribution_links::contributor.eq(new.contributor.as_str()),
            contribution_links::token_sha256.eq(token_sha256),
            contribution_links::sealed_message.eq(&new.sealed_message),
            contribution_links::contains_students.eq(new.contains_students),
            contribution_links::consent.eq(new.consent),
            contribution_links::created_at.eq(new.created_at.naive()),
            contribution_links::expires_at.eq(new.expires_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The links of a submission, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Vec<ContributionLink>, StoreError> {
    let rows: Vec<Row> = contribution_links::table
        .filter(contribution_links::submission_id.eq(submission.to_string()))
        .order(contribution_links::id)
        .select(link_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// The link with this secret.
///
/// # Errors
/// [`StoreError`].
pub fn find_by_token(
    conn: &mut DbConn,
    token_sha256: &str,
) -> Result<Option<ContributionLink>, StoreError> {
    let row: Option<Row> = contribution_links::table
        .filter(contribution_links::token_sha256.eq(token_sha256))
        .select(link_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// Uses a link up, or takes it back.
///
/// # Errors
/// [`StoreError::Stale`] for one that was used or taken back meanwhile.
pub fn finish(
    conn: &mut DbConn,
    id: ContributionLinkId,
    is_used: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let moment = Some(now.naive());
    let open = contribution_links::table
        .find(id.to_string())
        .filter(contribution_links::used_at.is_null())
        .filter(contribution_links::ended_at.is_null());
    let n_changed = if is_used {
        diesel::update(open).set(contribution_links::used_at.eq(moment)).execute(conn)?
    } else {
        diesel::update(open).set(contribution_links::ended_at.eq(moment)).execute(conn)?
    };
    if n_changed == 0 { Err(StoreError::Stale) } else { Ok(()) }
}
