//! Terms that no context defines.
//!
//! JSON-LD drops them without a word, so a signature does not cover them: anybody could add or change them.

use serde_json::Value;

use super::expansion::{self, ExpansionError, Unsigned};

/// What a signature over `document` would not cover, with a JSON pointer each. Empty for a safe document.
///
/// Type-scoped and property-scoped contexts are taken into account. The proof of a signed document is part of the
/// walk. At most 64 entries.
pub fn unsigned(document: &Value) -> Result<Vec<Unsigned>, ExpansionError> {
    expansion::expand(document).map(|expansion| expansion.unsigned)
}
