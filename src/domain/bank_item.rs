//! The assessment bank: what can be taken from it.

worded_enum! {
    /// What an item of the bank is.
    BankItemKind {
        /// A question with its two levels.
        Prompt = "prompt",
        /// A row of a rubric.
        Criterion = "criterion",
    }
}
