//! The life of a proposal for a published rubric or a charter: what a visitor sends waits for a look, everything shown gets a public answer.

use super::ids::{MicroCredentialId, ProgramId};

/// What a proposal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalSubject {
    /// A published version of a micro-credential.
    Version {
        /// Which micro-credential.
        micro_credential: MicroCredentialId,
        /// The number of the version.
        number: i32,
    },
    /// The charter of a programme.
    Charter(ProgramId),
}

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
        /// It was shown, and taken down: its words are gone, and the reason stands in their place.
        Removed = "removed",
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
        /// It is taken down.
        Remove = "remove",
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
            ProposalState::Open => {
                &[ProposalEvent::Answer, ProposalEvent::Draft, ProposalEvent::Remove]
            }
            ProposalState::Answered => &[ProposalEvent::Draft, ProposalEvent::Remove],
            ProposalState::Refused | ProposalState::Removed => &[],
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

    /// The states of what is shown.
    pub const SHOWN: [ProposalState; 3] =
        [ProposalState::Open, ProposalState::Answered, ProposalState::Removed];

    /// Whether anybody may read it, or that it was there.
    #[must_use]
    pub const fn is_public(self) -> bool {
        match self {
            ProposalState::Open | ProposalState::Answered | ProposalState::Removed => true,
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
