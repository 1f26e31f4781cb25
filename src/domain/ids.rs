//! Ids: UUIDv7 as hyphenated lower-case text, one type for each kind of thing so that they cannot be mixed up.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident,)+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(Uuid);

            impl $name {
                /// Wraps an id that `service` has made or `store` has read.
                #[must_use]
                pub const fn from_uuid(uuid: Uuid) -> $name { $name(uuid) }

                /// The id as it was wrapped.
                #[must_use]
                pub const fn as_uuid(self) -> Uuid { self.0 }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    self.0.hyphenated().fmt(f)
                }
            }

            impl std::str::FromStr for $name {
                type Err = uuid::Error;
                fn from_str(text: &str) -> Result<$name, uuid::Error> { Uuid::try_parse(text).map($name) }
            }
        )+
    };
}

ids! {
    /// An organization of the tree.
    OrganizationId,
    /// A person, whatever they do here.
    PersonId,
    /// A person's membership of one organization.
    MembershipId,
    /// An invitation to an organization.
    InvitationId,
    /// A sign-in: one family of refresh tokens.
    SessionId,
    /// A micro-credential: the family of its versions.
    MicroCredentialId,
    /// One version of a definition.
    VersionId,
    /// One person's vote on a version.
    ApprovalId,
    /// One numbered attempt.
    SubmissionId,
    /// One item that was handed in.
    EvidenceId,
    /// One reading of a submission.
    ReviewId,
    /// An appeal, or a doubt about integrity.
    CaseId,
    /// What an earner has asked a coach for.
    CoachingId,
    /// Somebody with whom an item was made.
    CoEarnerId,
    /// A link by which somebody without an account adds one item.
    ContributionLinkId,
    /// A sentence of the comment bank.
    BankCommentId,
    /// What an earned decision leads to.
    AwardId,
    /// An issuer's signing key.
    SigningKeyId,
    /// A published list of revoked credentials.
    StatusListId,
    /// What somebody has declared about somebody else.
    ConflictId,
    /// Known work to agree on.
    CalibrationSetId,
    /// One piece of known work.
    CalibrationPaperId,
    /// One try at a calibration set.
    CalibrationAttemptId,
    /// The word of an organization that another's qualifications count for its work.
    RecognitionId,
    /// A framework that an organization has brought in.
    FrameworkId,
    /// A prompt or criterion of the assessment bank.
    BankItemId,
    /// One version of a stack.
    StackId,
    /// A programme.
    ProgramId,
    /// Somebody who is invited to a programme.
    InviteeId,
    /// A signed snapshot of a skills inventory.
    SnapshotId,
    /// A package of definitions that came from another district.
    TemplateId,
    /// The word of a district that it accepts another's awards.
    EndorsementId,
    /// An award of another district that was accepted.
    AcceptedAwardId,
    /// A change to a rubric that somebody proposes.
    ProposalId,
    /// A badge of another issuer in somebody's wallet.
    ExternalBadgeId,
    /// Practice work of a rehearsal.
    PracticeAttemptId,
    /// A rule by which awards count for something.
    CreditRuleId,
    /// What was given by one.
    CreditGrantId,
    /// That it was taken back.
    CreditReversalId,
}
