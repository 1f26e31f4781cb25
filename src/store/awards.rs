//! Awards and their states.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::error::parse_ids;
use super::schema::awards;
use super::{DbConn, StoreError};
use crate::domain::award::{AwardState, RevocationReason};
use crate::domain::ids::{
    AwardId, MicroCredentialId, OrganizationId, PersonId, StackId, SubmissionId, VersionId,
};
use crate::domain::timestamp::Timestamp;

/// An award as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// Its id, also the id of its credential.
    pub id: AwardId,
    /// Who owns the micro-credential or the stack.
    pub organization: OrganizationId,
    /// What it rests on.
    pub basis: AwardBasis,
    /// Who earned it.
    pub earner: PersonId,
    /// Where it stands.
    pub state: AwardState,
    /// Counts its changes.
    pub revision: i32,
    /// When it was earned.
    pub created_at: Timestamp,
    /// When it was signed.
    pub issued_at: Option<Timestamp>,
    /// When it ends.
    pub valid_until: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Why.
    pub revocation_reason: Option<RevocationReason>,
}

/// What an award rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwardBasis {
    /// Work that was scored.
    Submission {
        /// The submission that earned it.
        submission: SubmissionId,
        /// At which micro-credential.
        micro_credential: MicroCredentialId,
        /// In which version.
        version: VersionId,
    },
    /// Other awards.
    Stack(StackId),
}

impl Award {
    /// The micro-credential that it was earned at; none for a stack.
    #[must_use]
    pub const fn micro_credential(&self) -> Option<MicroCredentialId> {
        match self.basis {
            AwardBasis::Submission { micro_credential, .. } => Some(micro_credential),
            AwardBasis::Stack(_) => None,
        }
    }

    /// The submission that earned it; none for a stack.
    #[must_use]
    pub const fn submission(&self) -> Option<SubmissionId> {
        match self.basis {
            AwardBasis::Submission { submission, .. } => Some(submission),
            AwardBasis::Stack(_) => None,
        }
    }

    /// The stack that it is of, if it is of one.
    #[must_use]
    pub const fn stack(&self) -> Option<StackId> {
        match self.basis {
            AwardBasis::Submission { .. } => None,
            AwardBasis::Stack(stack) => Some(stack),
        }
    }

    /// The award as it stands at a moment (see [`AwardState::as_of`]).
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Award {
        Award { state: self.state.as_of(self.valid_until, now), ..self }
    }
}

pub(super) type Row = (
    (String, String, String, String, i32),
    (Option<String>, Option<String>, Option<String>, Option<String>),
    (
        NaiveDateTime,
        Option<NaiveDateTime>,
        Option<NaiveDateTime>,
        Option<NaiveDateTime>,
        Option<String>,
    ),
);

/// The columns of a [`Row`].
macro_rules! award_columns {
    () => {
        (
            (
                awards::id,
                awards::organization_id,
                awards::earner_id,
                awards::state,
                awards::revision,
            ),
            (
                awards::submission_id,
                awards::micro_credential_id,
                awards::version_id,
                awards::stack_id,
            ),
            (
                awards::created_at,
                awards::issued_at,
                awards::valid_until,
                awards::revoked_at,
                awards::revocation_reason,
            ),
        )
    };
}

pub(super) use award_columns;

pub(super) fn from_row(row: Row) -> Result<Award, StoreError> {
    let ((id, organization, earner, state, revision), basis, times) = row;
    let (created_at, issued_at, valid_until, revoked_at, reason) = times;
    let corrupt = |column| StoreError::corrupt("awards", &id, column);
    Ok(Award {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        basis: match basis {
            (Some(submission), Some(micro_credential), Some(version), None) => {
                AwardBasis::Submission {
                    submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
                    micro_credential: micro_credential
                        .parse()
                        .map_err(|_bad| corrupt("micro_credential_id"))?,
                    version: version.parse().map_err(|_bad| corrupt("version_id"))?,
                }
            }
            (None, None, None, Some(stack)) => {
                AwardBasis::Stack(stack.parse().map_err(|_bad| corrupt("stack_id"))?)
            }
            (_, _, _, _) => return Err(corrupt("stack_id")),
        },
        earner: earner.parse().map_err(|_bad| corrupt("earner_id"))?,
        state: AwardState::parse(&state).ok_or_else(|| corrupt("state"))?,
        revision,
        created_at: Timestamp::from_naive(created_at),
        issued_at: issued_at.map(Timestamp::from_naive),
        valid_until: valid_until.map(Timestamp::from_naive),
        revoked_at: revoked_at.map(Timestamp::from_naive),
        revocation_reason: reason
            .map(|reason| {
                RevocationReason::parse(&reason).ok_or_else(|| corrupt("revocation_reason"))
            })
            .transpose()?,
    })
}

/// Adds an award that waits for its signature.
///
/// # Errors
/// [`StoreError::Duplicate`] when the submission has one, or the earner one of the same stack that has not ended.
pub fn create(conn: &mut DbConn, new: &Award) -> Result<(), StoreError> {
    let version = match new.basis {
        AwardBasis::Submission { version, .. } => Some(version.to_string()),
        AwardBasis::Stack(_) => None,
    };
    diesel::insert_into(awards::table)
        .values((
            awards::id.eq(new.id.to_string()),
            awards::organization_id.eq(new.organization.to_string()),
            awards::submission_id.eq(new.submission().map(|id| id.to_string())),
            awards::micro_credential_id.eq(new.micro_credential().map(|id| id.to_string())),
            awards::version_id.eq(version),
            awards::stack_id.eq(new.stack().map(|id| id.to_string())),
            awards::earner_id.eq(new.earner.to_string()),
            awards::state.eq(new.state.as_str()),
            awards::revision.eq(new.revision),
            awards::created_at.eq(new.created_at.naive()),
            awards::valid_until.eq(new.valid_until.map(Timestamp::naive)),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("award"))?;
    Ok(())
}

/// One award: its credential is public, the rest is for the policy table to judge.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: AwardId) -> Result<Option<Award>, StoreError> {
    let row: Option<Row> =
        awards::table.find(id.to_string()).select(award_columns!()).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// The award of a submission.
///
/// # Errors
/// [`StoreError`].
pub fn find_of_submission(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Option<Award>, StoreError> {
    let row: Option<Row> = awards::table
        .filter(awards::submission_id.eq(Some(submission.to_string())))
        .select(award_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// The awards of a person at a micro-credential, whatever became of them, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_earner(
    conn: &mut DbConn,
    earner: PersonId,
    family: MicroCredentialId,
) -> Result<Vec<Award>, StoreError> {
    let rows: Vec<Row> = awards::table
        .filter(awards::earner_id.eq(earner.to_string()))
        .filter(awards::micro_credential_id.eq(family.to_string()))
        .order(awards::id)
        .select(award_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Which awards a list shows.
#[derive(Clone, Debug, Default)]
pub struct AwardQuery {
    /// Those of this person.
    pub viewer: Option<PersonId>,
    /// Or those of these organizations.
    pub organizations: Vec<OrganizationId>,
    /// Of this earner only.
    pub earner: Option<PersonId>,
    /// At this micro-credential only.
    pub micro_credential: Option<MicroCredentialId>,
    /// In this state at this moment only.
    pub state: Option<(AwardState, Timestamp)>,
    /// After this one.
    pub after: Option<String>,
    /// In these organizations only, whosever it is: who has left sees what a single read would show them.
    pub branch: Vec<OrganizationId>,
    /// At most so many.
    pub limit: i64,
}

/// A page of awards, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list(conn: &mut DbConn, query: &AwardQuery) -> Result<Vec<Award>, StoreError> {
    let organizations: Vec<String> = query.organizations.iter().map(ToString::to_string).collect();
    let viewer = query.viewer.map(|viewer| viewer.to_string()).unwrap_or_default();
    let mut boxed = awards::table
        .filter(awards::earner_id.eq(viewer).or(awards::organization_id.eq_any(organizations)))
        .select(award_columns!())
        .into_boxed::<MultiBackend>();
    if let Some(earner) = query.earner {
        boxed = boxed.filter(awards::earner_id.eq(earner.to_string()));
    }
    if let Some(family) = query.micro_credential {
        boxed = boxed.filter(awards::micro_credential_id.eq(Some(family.to_string())));
    }
    if let Some((state, now)) = query.state {
        // The same as `AwardState::as_of`; a comparison with null is not true.
        let (active, at) = (AwardState::Active.as_str(), Some(now.naive()));
        boxed = match state {
            AwardState::Active => boxed
                .filter(awards::state.eq(active))
                .filter(awards::valid_until.is_null().or(awards::valid_until.ge(at))),
            AwardState::Expired => boxed.filter(
                awards::state
                    .eq(state.as_str())
                    .or(awards::state.eq(active).and(awards::valid_until.lt(at))),
            ),
            AwardState::PendingKey
            | AwardState::Suspended
            | AwardState::Superseded
            | AwardState::Revoked => boxed.filter(awards::state.eq(state.as_str())),
        };
    }
    let branch: Vec<String> = query.branch.iter().map(ToString::to_string).collect();
    boxed = boxed.filter(awards::organization_id.eq_any(branch));
    if let Some(after) = &query.after {
        boxed = boxed.filter(awards::id.gt(after.clone()));
    }
    let rows: Vec<Row> = boxed.order(awards::id).limit(query.limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Awards that wait for their signature, by id, those `after` one.
///
/// # Errors
/// [`StoreError`].
pub fn list_pending(
    conn: &mut DbConn,
    after: Option<AwardId>,
    limit: usize,
) -> Result<Vec<AwardId>, StoreError> {
    // Every id is greater than the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = awards::table
        .filter(awards::state.eq(AwardState::PendingKey.as_str()))
        .filter(awards::id.gt(after))
        .order(awards::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(awards::id)
        .load(conn)?;
    parse_ids("awards", "id", ids)
}
