//! The life of a submission (DOMAIN.md, 2.2). Each state is a type; an event consumes one state and returns the next.

use super::decision_rule::Outcome;
use super::ids::{OrganizationId, PersonId, SubmissionId, VersionId};
use super::timestamp::Timestamp;

worded_enum! {
    /// The name of a state, as stored and shown.
    SubmissionState {
        /// The earner works on it.
        Draft = "draft",
        /// Handed in.
        Submitted = "submitted",
        /// Sent back as incomplete; not an attempt.
        Returned = "returned",
        /// Complete, waiting for an assessor.
        Queued = "queued",
        /// An assessor has it.
        InReview = "in_review",
        /// The sheets are in.
        Resolving = "resolving",
        /// A third reader is needed.
        Adjudication = "adjudication",
        /// Stopped by an integrity case.
        OnHold = "on_hold",
        /// Earned or not yet.
        Decided = "decided",
        /// Under appeal.
        Appealed = "appealed",
        /// Taken back by the earner.
        Withdrawn = "withdrawn",
        /// Ended by an integrity case.
        Voided = "voided",
        /// Ended by inactivity.
        Expired = "expired",
    }
}

worded_enum! {
    /// What can happen to a submission. Names are those of the process model.
    SubmissionEvent {
        /// The earner starts.
        Start = "start",
        /// Autosave.
        Save = "save",
        /// Handed in.
        Submit = "submit",
        /// Taken back before screening.
        Recall = "recall",
        /// Screened and returned.
        MarkIncomplete = "mark_incomplete",
        /// Screened and accepted.
        MarkComplete = "mark_complete",
        /// An assessor takes it.
        Claim = "claim",
        /// The assessor steps back, or the lease ran out.
        RecuseOrTimeout = "recuse_or_timeout",
        /// The sheets that the mode asks for are locked.
        AllSheetsLocked = "all_sheets_locked",
        /// The levels are final.
        Resolved = "resolved",
        /// Another reader is needed.
        NeedsSecond = "needs_second",
        /// An adjudicator is needed.
        NeedsThird = "needs_third",
        /// The adjudicator has locked.
        ThirdLocked = "third_locked",
        /// Somebody flags its integrity.
        IntegrityFlag = "integrity_flag",
        /// The case found nothing.
        Cleared = "cleared",
        /// The case was upheld.
        Upheld = "upheld",
        /// The earner gives it up.
        Withdraw = "withdraw",
        /// The earner appeals.
        Appeal = "appeal",
        /// The panel has concluded.
        Conclude = "conclude",
        /// Nobody worked on it.
        Inactive = "inactive",
        /// A new attempt after a not-yet.
        Resubmit = "resubmit",
    }
}

impl SubmissionState {
    /// The events that the process model allows in this state.
    #[must_use]
    pub const fn allowed_events(self) -> &'static [SubmissionEvent] {
        use SubmissionEvent as E;
        match self {
            SubmissionState::Draft => &[E::Save, E::Submit, E::Withdraw, E::Inactive],
            SubmissionState::Submitted => {
                &[E::Recall, E::MarkIncomplete, E::MarkComplete, E::IntegrityFlag, E::Withdraw]
            }
            SubmissionState::Returned => &[E::Save, E::Withdraw],
            SubmissionState::Queued => &[E::Claim, E::IntegrityFlag, E::Withdraw],
            SubmissionState::InReview => {
                &[E::RecuseOrTimeout, E::AllSheetsLocked, E::IntegrityFlag]
            }
            SubmissionState::Resolving => {
                &[E::Resolved, E::NeedsSecond, E::NeedsThird, E::IntegrityFlag]
            }
            SubmissionState::Adjudication => &[E::ThirdLocked, E::IntegrityFlag],
            SubmissionState::OnHold => &[E::Cleared, E::Upheld],
            SubmissionState::Decided => &[E::Appeal, E::Resubmit],
            SubmissionState::Appealed => &[E::Conclude],
            SubmissionState::Withdrawn | SubmissionState::Voided | SubmissionState::Expired => &[],
        }
    }
}

/// An event that the submission's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a submission that is {state} cannot take {event}")]
pub struct IllegalEvent {
    /// The state it is in.
    pub state: SubmissionState,
    /// What was asked.
    pub event: SubmissionEvent,
}

/// What every state of a submission carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionFacts {
    /// Its id.
    pub id: SubmissionId,
    /// The organization that owns the micro-credential and with it the submission.
    pub organization: OrganizationId,
    /// The version it is pinned to.
    pub version: VersionId,
    /// Whose work it is.
    pub earner: PersonId,
    /// 1, 2, …
    pub attempt: i32,
    /// Counts the saves; the entity tag of the draft.
    pub revision: i32,
}

macro_rules! states {
    ($($(#[$meta:meta])* $name:ident,)+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $name(SubmissionFacts);

            impl $name {
                /// The submission in this state.
                #[must_use]
                pub const fn facts(&self) -> &SubmissionFacts { &self.0 }
            }
        )+
    };
}

states! {
    /// Being written by its earner.
    Draft,
    /// Handed in, not screened yet.
    Submitted,
    /// Sent back as incomplete.
    Returned,
    /// Waiting for an assessor.
    Queued,
    /// With an assessor.
    InReview,
    /// With its sheets in, waiting for its outcome.
    Resolving,
    /// Taken back.
    Withdrawn,
}

/// With its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    facts: SubmissionFacts,
    outcome: Outcome,
    decided_at: Timestamp,
}

impl Draft {
    /// A new attempt.
    #[must_use]
    pub const fn start(facts: SubmissionFacts) -> Draft {
        Draft(facts)
    }

    /// Hands it in. The caller has seen that everything required is there.
    #[must_use]
    pub fn submit(self) -> Submitted {
        Submitted(self.0)
    }
}

impl Returned {
    /// The earner works on it again.
    #[must_use]
    pub fn save(self) -> Draft {
        Draft(self.0)
    }
}

impl Submitted {
    /// Takes it back before screening.
    #[must_use]
    pub fn recall(self) -> Draft {
        Draft(self.0)
    }

    /// Screening found it complete.
    #[must_use]
    pub fn mark_complete(self) -> Queued {
        Queued(self.0)
    }
}

impl Queued {
    /// An assessor takes a seat.
    #[must_use]
    pub fn claim(self) -> InReview {
        InReview(self.0)
    }
}

impl InReview {
    /// The assessor steps back, or the lease ran out: the seat is free again.
    #[must_use]
    pub fn release(self) -> Queued {
        Queued(self.0)
    }

    /// The sheets that the mode asks for first are locked.
    #[must_use]
    pub fn all_sheets_locked(self) -> Resolving {
        Resolving(self.0)
    }
}

impl Resolving {
    /// Closes the submission with the outcome of its rule.
    #[must_use]
    pub fn decide(self, outcome: Outcome, now: Timestamp) -> Decided {
        Decided { facts: self.0, outcome, decided_at: now }
    }
}

impl Decided {
    /// The submission that was decided.
    #[must_use]
    pub const fn facts(&self) -> &SubmissionFacts {
        &self.facts
    }

    /// Earned or not yet.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// When.
    #[must_use]
    pub const fn decided_at(&self) -> Timestamp {
        self.decided_at
    }
}

/// A submission read from a row: its state is known only now.
///
/// Each method takes it into the state that an event starts from, or says which events are legal instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    facts: SubmissionFacts,
    state: SubmissionState,
}

impl Submission {
    /// A submission as `store` has read it.
    #[must_use]
    pub const fn new(facts: SubmissionFacts, state: SubmissionState) -> Submission {
        Submission { facts, state }
    }

    /// What it carries in every state.
    #[must_use]
    pub const fn facts(&self) -> &SubmissionFacts {
        &self.facts
    }

    /// Its state.
    #[must_use]
    pub const fn state(&self) -> SubmissionState {
        self.state
    }

    const fn illegal(&self, event: SubmissionEvent) -> IllegalEvent {
        IllegalEvent { state: self.state, event }
    }

    /// The draft that can be changed: a draft, or a returned submission that becomes one by saving.
    ///
    /// # Errors
    /// [`IllegalEvent`] in any other state.
    pub fn into_editable(self) -> Result<Draft, IllegalEvent> {
        if self.state == SubmissionState::Returned {
            return Ok(Returned(self.facts).save());
        }
        self.into_draft(SubmissionEvent::Save)
    }

    /// The draft, for an event that starts there.
    ///
    /// # Errors
    /// [`IllegalEvent`] in any other state.
    pub fn into_draft(self, event: SubmissionEvent) -> Result<Draft, IllegalEvent> {
        if self.state == SubmissionState::Draft {
            Ok(Draft(self.facts))
        } else {
            Err(self.illegal(event))
        }
    }

    /// The submitted work, for an event that starts there.
    ///
    /// # Errors
    /// [`IllegalEvent`] in any other state.
    pub fn into_submitted(self, event: SubmissionEvent) -> Result<Submitted, IllegalEvent> {
        if self.state == SubmissionState::Submitted {
            Ok(Submitted(self.facts))
        } else {
            Err(self.illegal(event))
        }
    }

    /// The work that an assessor can claim: queued, or submitted and then found complete by the service itself.
    ///
    /// # Errors
    /// [`IllegalEvent`] in any other state.
    pub fn into_queued(self) -> Result<Queued, IllegalEvent> {
        match self.state {
            SubmissionState::Queued => Ok(Queued(self.facts)),
            SubmissionState::Submitted => Ok(Submitted(self.facts).mark_complete()),
            SubmissionState::Draft
            | SubmissionState::Returned
            | SubmissionState::InReview
            | SubmissionState::Resolving
            | SubmissionState::Adjudication
            | SubmissionState::OnHold
            | SubmissionState::Decided
            | SubmissionState::Appealed
            | SubmissionState::Withdrawn
            | SubmissionState::Voided
            | SubmissionState::Expired => Err(self.illegal(SubmissionEvent::Claim)),
        }
    }

    /// The work that an assessor holds.
    ///
    /// # Errors
    /// [`IllegalEvent`] in any other state.
    pub fn into_in_review(self, event: SubmissionEvent) -> Result<InReview, IllegalEvent> {
        if self.state == SubmissionState::InReview {
            Ok(InReview(self.facts))
        } else {
            Err(self.illegal(event))
        }
    }

    /// Gives the submission up.
    ///
    /// # Errors
    /// [`IllegalEvent`] once an assessor has it.
    pub fn withdraw(self) -> Result<Withdrawn, IllegalEvent> {
        if self.state.allowed_events().contains(&SubmissionEvent::Withdraw) {
            Ok(Withdrawn(self.facts))
        } else {
            Err(self.illegal(SubmissionEvent::Withdraw))
        }
    }
}
