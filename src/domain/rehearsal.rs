//! Practice work of a rehearsal (DOMAIN.md, 2.5): the design team plays a programme through. It is no submission, and counts nowhere.

worded_enum! {
    /// Where a practice attempt stands.
    PracticeState {
        /// Handed in; somebody looks whether it is complete.
        Submitted = "submitted",
        /// Sent back. Its author hands in another one.
        Returned = "returned",
        /// Waits for a reader.
        Queued = "queued",
        /// Two readers differ; a third one decides.
        Adjudication = "adjudication",
        /// Decided.
        Decided = "decided",
    }
}

worded_enum! {
    /// What can happen to it.
    PracticeEvent {
        /// Somebody says whether it is complete.
        Screen = "screen",
        /// Somebody scores it.
        Score = "score",
    }
}

impl PracticeState {
    /// What may happen in this state.
    #[must_use]
    pub const fn allowed_events(self) -> &'static [PracticeEvent] {
        match self {
            PracticeState::Submitted => &[PracticeEvent::Screen],
            PracticeState::Queued | PracticeState::Adjudication => &[PracticeEvent::Score],
            PracticeState::Returned | PracticeState::Decided => &[],
        }
    }
}
