//! The one boundary between a definition's JSON and [`Definition`].
//!
//! A definition goes through three gates. [`parse`] checks it against
//! `credential-schemas/micro-credential.schema.json` and gives a [`Definition`] with its hashes: enough for a
//! draft. [`findings`] says what publishing would refuse. Approval and publishing bind the hashes.

mod differences;
mod findings;
mod hashes;
mod jcs;
mod schema;
mod shape;

use serde_json::Value;

pub use self::differences::{Difference, MOST_DIFFERENCES, differences, is_scored_place};
pub use self::findings::{Finding, findings};
pub use self::jcs::{JcsError, canonicalize};
pub use self::schema::{
    FieldError, MAX_DEPTH, MAX_ERRORS, MAX_NAME_LENGTH, MAX_VALUES, schema_text,
};
pub(in crate::service) use self::schema::{describe_errors, join};

pub(super) use self::hashes::sha256_hex;
pub(super) use self::schema::{Schema, check_with};

use crate::domain::definition::Definition;

/// A definition that follows the schema, with what is derived from its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedDefinition {
    /// The definition as the domain knows it.
    pub definition: Definition,
    /// The definition's own `id`, the same in every version.
    pub slug: String,
    /// The definition's own `version`.
    pub label: String,
    /// Over the whole document: [`canonical`](ParsedDefinition::canonical). Approvals bind it.
    pub content_hash: String,
    /// Over what is scored. Qualification, comparability and carry-forward follow this one alone.
    ///
    /// The hash is taken of this object, each member taken over from the definition as it stands, and left out
    /// where the definition leaves it out:
    ///
    /// ```text
    /// { "criteria":      [ {id, title, evidence, levels: [{level, label, descriptor}], pass_level, essential} … ],
    ///   "decision_rule": the rule without `prose`, at any depth,
    ///   "evidence":      [ {id, title} … ],
    ///   "prompts":       [ {part, id, text, levels: [{level, label, descriptor}]} … ] }
    /// ```
    ///
    /// `criteria` and `evidence` are those of `/submission/part2`. `prompts` is the list of part 1 followed by
    /// that of part 3 (empty when there is neither), each with the name of its part, `part1` or `part3`, as
    /// `part`. The order of lists counts. Titles of parts, descriptions of evidence, alternatives, limits and all
    /// words outside do not.
    pub scoring_hash: String,
    /// Over who reads and what may be handed in. A change of it does not touch qualifications.
    ///
    /// The hash is taken of this object, made by the same rules as that of
    /// [`scoring_hash`](ParsedDefinition::scoring_hash):
    ///
    /// ```text
    /// { "evidence":      [ {id, required, media, max_items, alternatives} … ],
    ///   "prompts":       [ {part, id, word_limit, alternatives} … ],
    ///   "review_policy": the review policy without `coi_note` }
    /// ```
    pub policy_hash: String,
    /// The whole document in the canonical form of RFC 8785 (JCS).
    pub canonical: String,
}

/// Reads a definition, or says everything that keeps it from being one.
///
/// Every fault is reported at once, up to [`MAX_ERRORS`], sorted by place. A document over the limits of size
/// ([`MAX_VALUES`], [`MAX_DEPTH`], [`MAX_NAME_LENGTH`]) is reported for that alone. All hashes are SHA-256 in
/// lower-case hexadecimal over the UTF-8 bytes of an RFC 8785 form.
pub fn parse(document: &Value) -> Result<ParsedDefinition, Vec<FieldError>> {
    schema::check(document)?;
    let definition = shape::read(document).map_err(|error| vec![error])?;
    let derived = hashes::derive(document).map_err(|error| {
        vec![FieldError::new(String::new(), "not_canonical", format!("The definition {error}."))]
    })?;
    Ok(ParsedDefinition {
        slug: definition.slug().to_owned(),
        label: definition.label().to_owned(),
        definition,
        content_hash: derived.content_hash,
        scoring_hash: derived.scoring_hash,
        policy_hash: derived.policy_hash,
        canonical: derived.canonical,
    })
}
