//! The life of a programme as data (DOMAIN.md, 2.5): draft, rehearsal, open, closed.

worded_enum! {
    /// Where a programme stands.
    ProgramState {
        /// Its charter is being written.
        Draft = "draft",
        /// The design team plays it through.
        Rehearsal = "rehearsal",
        /// People take part. The charter is public and stays as it is.
        Open = "open",
        /// It is over. The charter stays public.
        Closed = "closed",
    }
}

worded_enum! {
    /// What can happen to a programme.
    ProgramEvent {
        /// A change of the charter: approvals are void.
        Edit = "edit",
        /// A vote on the charter.
        Approve = "approve",
        /// The design team begins to play it through.
        Rehearse = "rehearse",
        /// It begins, and its charter becomes public.
        Open = "open",
        /// It ends.
        Close = "close",
    }
}

worded_enum! {
    /// What must hold besides the state. Each is checked in the transaction of the event.
    ProgramGuard {
        /// Somebody says why; the change log repeats it.
        ReasonGiven = "reason_given",
        /// The charter has no findings.
        CharterComplete = "charter_complete",
        /// The group has approved this very content.
        GroupApproval = "group_approval",
        /// Every definition of a cohort is published.
        DefinitionsPublished = "definitions_published",
        /// Every definition of a cohort has assessors who may read for it.
        AssessorsThere = "assessors_there",
        /// The last day of the window has not passed.
        WindowNotOver = "window_not_over",
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state that it starts from.
    pub from: ProgramState,
    /// What happens.
    pub event: ProgramEvent,
    /// The operation: who may do it stands in its row of the policy table, and the audit event has its name.
    pub operation: &'static str,
    /// What must hold besides.
    pub guards: &'static [ProgramGuard],
    /// Where it leads.
    pub to: ProgramState,
}

const fn transition(
    from: ProgramState,
    event: ProgramEvent,
    operation: &'static str,
    guards: &'static [ProgramGuard],
    to: ProgramState,
) -> Transition {
    Transition { from, event, operation, guards, to }
}

use ProgramEvent as E;
use ProgramGuard as G;
use ProgramState as S;

/// Every transition. An edit of what is rehearsed leads back to the draft.
pub const TRANSITIONS: &[Transition] = &[
    transition(S::Draft, E::Edit, "put_program", &[G::ReasonGiven], S::Draft),
    transition(S::Draft, E::Approve, "create_program_approval", &[], S::Draft),
    transition(
        S::Draft,
        E::Rehearse,
        "rehearse_program",
        &[G::ReasonGiven, G::CharterComplete],
        S::Rehearsal,
    ),
    transition(S::Rehearsal, E::Edit, "put_program", &[G::ReasonGiven], S::Draft),
    transition(S::Rehearsal, E::Approve, "create_program_approval", &[], S::Rehearsal),
    transition(
        S::Rehearsal,
        E::Open,
        "open_program",
        &[
            G::ReasonGiven,
            G::CharterComplete,
            G::GroupApproval,
            G::DefinitionsPublished,
            G::WindowNotOver,
            G::AssessorsThere,
        ],
        S::Open,
    ),
    transition(S::Open, E::Close, "close_program", &[G::ReasonGiven], S::Closed),
];

impl ProgramState {
    /// What may happen in this state.
    #[must_use]
    pub fn allowed_events(self) -> Vec<ProgramEvent> {
        TRANSITIONS.iter().filter(|line| line.from == self).map(|line| line.event).collect()
    }

    /// The line of the table for an event in this state.
    ///
    /// # Errors
    /// [`WrongProgramState`] where there is none.
    pub fn require(self, event: ProgramEvent) -> Result<&'static Transition, WrongProgramState> {
        TRANSITIONS
            .iter()
            .find(|line| line.from == self && line.event == event)
            .ok_or(WrongProgramState { state: self, event })
    }

    /// Whether anybody may read the charter and its change log.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, ProgramState::Open | ProgramState::Closed)
    }
}

/// An event that a programme's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a programme that is {state} cannot take {event}")]
pub struct WrongProgramState {
    /// The state it is in.
    pub state: ProgramState,
    /// What was asked.
    pub event: ProgramEvent,
}
