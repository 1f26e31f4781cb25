//! What an earner shares with the coach whom they have asked (DOMAIN.md, section 1).

worded_enum! {
    /// A part of an attempt that its earner may share.
    Share {
        /// The answers to the prompts.
        Responses = "responses",
        /// The evidence.
        Evidence = "evidence",
        /// What the readers have said, and the decision, once there is one.
        Feedback = "feedback",
    }
}
