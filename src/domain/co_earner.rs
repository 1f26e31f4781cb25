//! People with whom an earner has made an item of evidence together (DOMAIN.md, 2.4 and 3.2: declared shared artefacts).

worded_enum! {
    /// How it stands with somebody who was named.
    CoEarnerState {
        /// They were asked, and have not answered. It may be that there is nobody of that name.
        Asked = "asked",
        /// They say so as well.
        Confirmed = "confirmed",
        /// They say that they had no part in it.
        Denied = "denied",
        /// The earner has taken it back.
        Ended = "ended",
    }
}

impl CoEarnerState {
    /// What follows from what was said and done.
    #[must_use]
    pub const fn new(is_confirmed: Option<bool>, has_ended: bool) -> CoEarnerState {
        match (has_ended, is_confirmed) {
            (true, _) => CoEarnerState::Ended,
            (false, None) => CoEarnerState::Asked,
            (false, Some(true)) => CoEarnerState::Confirmed,
            (false, Some(false)) => CoEarnerState::Denied,
        }
    }

    /// Whether the item counts as shared: its earner says so, and nobody contradicts.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        match self {
            CoEarnerState::Asked | CoEarnerState::Confirmed => true,
            CoEarnerState::Denied | CoEarnerState::Ended => false,
        }
    }

    /// Whether the same bytes in the work of both need no explanation: both say that they made them together. What one of them says
    /// alone explains nothing.
    #[must_use]
    pub const fn explains_a_match(self) -> bool {
        match self {
            CoEarnerState::Confirmed => true,
            CoEarnerState::Asked | CoEarnerState::Denied | CoEarnerState::Ended => false,
        }
    }

    /// Whether the person who was named can answer: as often as they like while their colleague still works on it, and once afterwards.
    #[must_use]
    pub const fn can_be_answered(self, is_handed_in: bool) -> bool {
        match self {
            CoEarnerState::Asked => true,
            CoEarnerState::Confirmed | CoEarnerState::Denied => !is_handed_in,
            CoEarnerState::Ended => false,
        }
    }
}
