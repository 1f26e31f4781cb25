//! What a file says about whoever made it, beside its content.

worded_enum! {
    /// What became of the metadata of a piece of evidence in the copy that readers get.
    EvidenceMetadata {
        /// There is none: a text, a link, a file that is nothing but text.
        None = "none",
        /// It was taken out.
        Removed = "removed",
        /// It could not be taken out; the earner is told before they hand the work in.
        Kept = "kept",
        /// Nobody has looked: an item from before this was done.
        Unknown = "unknown",
    }
}
