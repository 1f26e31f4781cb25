//! People without an account who add something to an earner's evidence.

worded_enum! {
    /// Who adds it. Readers are told so much, and no name.
    Contributor {
        /// Somebody who has watched: an observation card, an account of what they saw.
        Colleague = "colleague",
        /// A family, through the consent form that the earner keeps.
        Family = "family",
        /// A student, through the consent form that the earner keeps.
        Student = "student",
    }
}

impl Contributor {
    /// Whether a consent form has to be there before they are asked.
    #[must_use]
    pub const fn needs_consent(self) -> bool {
        match self {
            Contributor::Colleague => false,
            Contributor::Family | Contributor::Student => true,
        }
    }
}
