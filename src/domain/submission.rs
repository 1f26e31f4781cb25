//! The life of a submission (DOMAIN.md, 2.2): its states, its events, and the one way from state to state, which is the table of
//! [`process`].

use super::ids::{OrganizationId, PersonId, SubmissionId, VersionId};
use super::process::{self, Party};

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
    pub fn allowed_events(self) -> Vec<SubmissionEvent> {
        process::events_from(self)
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

/// A submission in its state. Its fields are private: only [`Submission::take`] leads from one state to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    facts: SubmissionFacts,
    state: SubmissionState,
    held_from: Option<SubmissionState>,
}

impl Submission {
    /// A submission as `store` has read it. `held_from` is where an integrity case has stopped it.
    #[must_use]
    pub const fn new(
        facts: SubmissionFacts,
        state: SubmissionState,
        held_from: Option<SubmissionState>,
    ) -> Submission {
        Submission { facts, state, held_from }
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

    /// Where it goes on when an integrity case finds nothing; none unless it is on hold.
    #[must_use]
    pub const fn held_from(&self) -> Option<SubmissionState> {
        self.held_from
    }

    /// Refuses an event that is not legal in its state, whoever it is of.
    ///
    /// # Errors
    /// [`IllegalEvent`].
    pub fn require(&self, event: SubmissionEvent) -> Result<(), IllegalEvent> {
        if self.state.allowed_events().contains(&event) {
            Ok(())
        } else {
            Err(IllegalEvent { state: self.state, event })
        }
    }

    /// The submission after an event of this party. The guards of the event are the caller's to check.
    ///
    /// # Errors
    /// [`IllegalEvent`] where the process model has no such transition.
    pub fn take(&self, event: SubmissionEvent, party: Party) -> Result<Submission, IllegalEvent> {
        let to = process::target_of(self.state, self.held_from, event, party)
            .ok_or(IllegalEvent { state: self.state, event })?;
        let facts = SubmissionFacts { revision: self.facts.revision + 1, ..self.facts.clone() };
        let held_from = (to == SubmissionState::OnHold).then_some(self.state);
        Ok(Submission { facts, state: to, held_from })
    }
}
