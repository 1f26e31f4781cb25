//! Alignments: where a definition, or a row of it, stands in somebody's framework.

/// A link to one item of a framework.
///
/// It holds the item's own words and not only a reference, since a published version says the same for ever while frameworks change.
/// Nobody is scored by it: it is no part of the scoring hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// The title of the framework.
    pub framework: String,
    /// What the item is called.
    pub name: String,
    /// The item's own address.
    pub url: String,
    /// The GUID of the item in CASE, if it has one.
    pub identifier: Option<String>,
    /// Its code in the framework.
    pub code: Option<String>,
    /// What the item says.
    pub description: Option<String>,
}
