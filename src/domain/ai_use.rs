//! What an organization says about AI in what earners hand in. There is no default: who says nothing asks for nothing.

worded_enum! {
    /// What is allowed.
    AiUsePolicy {
        /// No use; the earner's own word says so.
        Forbidden = "forbidden",
        /// Any use that is said: nothing is handed in without a statement.
        Disclosed = "disclosed",
        /// Any use; a statement is welcome.
        Free = "free",
    }
}

impl AiUsePolicy {
    /// Whether nothing can be handed in without a statement.
    #[must_use]
    pub const fn asks_for_statement(self) -> bool {
        match self {
            AiUsePolicy::Disclosed => true,
            AiUsePolicy::Forbidden | AiUsePolicy::Free => false,
        }
    }
}

/// A policy in an organization's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AiUseRule {
    /// What is allowed.
    pub allowed: AiUsePolicy,
    /// What that means, in plain words.
    pub statement: String,
}
