//! The life of a proposal for a published rubric: what a visitor sends waits for a look, everything shown gets a public answer.

worded_enum! {
    /// Where a proposal stands.
    ProposalState {
        /// A visitor has sent it, and nobody has looked at it yet. It is shown to nobody but the design team.
        Waiting = "waiting",
        /// Public, and not answered.
        Open = "open",
        /// Public, with its answer.
        Answered = "answered",
        /// It was not shown to anybody, and never is.
        Refused = "refused",
    }
}

worded_enum! {
    /// What can happen to a proposal.
    ProposalEvent {
        /// It is shown.
        Show = "show",
        /// It is never shown.
        Refuse = "refuse",
        /// It gets its public answer.
        Answer = "answer",
        /// It becomes the next draft.
        Draft = "draft",
    }
}

worded_enum! {
    /// What the design team has answered.
    ProposalOutcome {
        /// It is in the next version.
        Adopted = "adopted",
        /// Some of it is.
        Partly = "partly",
        /// It is not, for the reason that the answer gives.
        Declined = "declined",
    }
}

impl ProposalState {
    /// What may happen in this state.
    #[must_use]
    pub const fn allowed_events(self) -> &'static [ProposalEvent] {
        match self {
            ProposalState::Waiting => &[ProposalEvent::Show, ProposalEvent::Refuse],
            ProposalState::Open => &[ProposalEvent::Answer, ProposalEvent::Draft],
            ProposalState::Answered => &[ProposalEvent::Draft],
            ProposalState::Refused => &[],
        }
    }

    /// Refuses an event that is not legal here.
    ///
    /// # Errors
    /// [`WrongProposalState`] with the events that are.
    pub fn require(self, event: ProposalEvent) -> Result<(), WrongProposalState> {
        if self.allowed_events().contains(&event) {
            Ok(())
        } else {
            Err(WrongProposalState { state: self, event })
        }
    }

    /// Whether anybody may read it.
    #[must_use]
    pub const fn is_public(self) -> bool {
        match self {
            ProposalState::Open | ProposalState::Answered => true,
            ProposalState::Waiting | ProposalState::Refused => false,
        }
    }
}

/// An event that a proposal's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a proposal that is {state} cannot take {event}")]
pub struct WrongProposalState {
    /// The state it is in.
    pub state: ProposalState,
    /// What was asked.
    pub event: ProposalEvent,
}
