//! Lints: what a badge must be so that everybody's verifier accepts it.
//!
//! The official JSON Schema is lax, so most rules are our own. One rule is one function, cites the sentence it
//! enforces, and has a good and a bad document under `tests/it/fixtures/lints/`.

mod any_issuer;
mod own;
mod schema;

pub(super) use any_issuer::status_index;
pub(super) use schema::is_of_open_badges;

use serde_json::Value;

use super::contexts::CREDENTIALS_V1;
use super::document::CredentialDraft;
use super::proof::{self, CanonicalDocument, HashError};

/// What the deployment allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LintPolicy {
    /// Allow `http:` ids, for the demo and for tests on loopback. What is signed is signed for ever.
    pub allow_http: bool,
}

/// One fault in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the rule.
    pub rule: &'static str,
    /// JSON pointer to the member at fault.
    pub pointer: String,
    /// What is wrong, as a sentence.
    pub detail: String,
}

/// What a rule looks at.
#[derive(Debug)]
pub struct Examined<'a> {
    /// The document, without its proof when it is examined by the verifier.
    pub document: &'a Value,
    /// What the deployment allows.
    pub policy: &'a LintPolicy,
    /// The canonical form, computed once for all rules.
    pub canonical: Result<CanonicalDocument, HashError>,
}

impl<'a> Examined<'a> {
    /// Prepares a document for the rules.
    #[must_use]
    pub fn new(document: &'a Value, policy: &'a LintPolicy) -> Examined<'a> {
        Examined { document, policy, canonical: proof::canonicalize(document) }
    }
}

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, stable.
    pub name: &'static str,
    /// The standard, and the sentence that is enforced.
    pub citation: &'static str,
    check: fn(&Examined<'_>) -> Vec<(String, String)>,
}

impl Rule {
    /// The faults that this rule finds.
    #[must_use]
    pub fn findings(&self, examined: &Examined<'_>) -> Vec<Finding> {
        (self.check)(examined)
            .into_iter()
            .map(|(pointer, detail)| Finding { rule: self.name, pointer, detail })
            .collect()
    }
}

/// Every rule that a badge of ours has to follow.
pub const RULES: &[Rule] = &[
    own::UNSIGNED_DRAFT,
    own::CONTEXTS,
    own::TYPES,
    own::SETS,
    own::NO_EMPTY_MEMBERS,
    own::ISSUER_PROFILE,
    own::DATES,
    any_issuer::VALIDITY_ORDER,
    any_issuer::ZONED_DATES,
    own::SUBJECT_ID,
    own::HASHED_IDENTIFIER,
    own::ACHIEVEMENT_TYPE,
    own::ACHIEVEMENT_MEMBERS,
    own::CRITERIA_NARRATIVE,
    own::RUBRIC_LEVELS,
    any_issuer::RESULT_REFERENCES,
    own::RESULT_LEVELS,
    own::SCORING_STATEMENT,
    own::STACK_PARTS,
    own::CREDENTIAL_SCHEMA,
    any_issuer::TYPED_SERVICES,
    own::ONE_REVOCATION_ENTRY,
    any_issuer::STATUS_ENTRIES,
    own::NO_EMBEDDED_ENDORSEMENT,
    own::EVIDENCE_MEMBERS,
    any_issuer::RELATED_RESOURCES,
    any_issuer::DEFINED_TERMS,
    any_issuer::ABSOLUTE_IDS,
    any_issuer::OWN_ID_ONCE,
    own::HTTPS_IDS,
    schema::OFFICIAL_SCHEMA,
];

/// The rules that hold for a badge of any issuer. The verifier applies these.
pub const RULES_FOR_ANY_ISSUER: &[Rule] = &[
    any_issuer::VALIDITY_ORDER,
    any_issuer::ZONED_DATES,
    any_issuer::TYPED_SERVICES,
    any_issuer::STATUS_ENTRIES,
    any_issuer::RELATED_RESOURCES,
    any_issuer::DEFINED_TERMS,
    any_issuer::ABSOLUTE_IDS,
    any_issuer::OWN_ID_ONCE,
    any_issuer::RESULT_REFERENCES,
    schema::OFFICIAL_SCHEMA,
];

/// A credential that passed every rule. Only [`lint`] makes one, and signing uses it up.
#[derive(Debug)]
pub struct LintedCredential {
    document: Value,
    hash: [u8; 32],
}

impl LintedCredential {
    /// SHA-256 of the canonical form: what the signature will cover. Recorded before signing.
    #[must_use]
    pub fn canonical_hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    pub(super) fn into_parts(self) -> (Value, [u8; 32]) {
        (self.document, self.hash)
    }
}

/// Applies every rule, and hands the draft on when none finds a fault.
pub fn lint(draft: CredentialDraft, policy: &LintPolicy) -> Result<LintedCredential, Vec<Finding>> {
    let document = draft.into_document();
    let examined = Examined::new(&document, policy);
    let findings = apply(RULES, &examined);
    match examined.canonical {
        Ok(CanonicalDocument { hash, .. }) if findings.is_empty() => {
            Ok(LintedCredential { document, hash })
        }
        Ok(_) | Err(_) => Err(findings),
    }
}

/// What these rules find in a document.
#[must_use]
pub fn apply(rules: &[Rule], examined: &Examined<'_>) -> Vec<Finding> {
    rules.iter().flat_map(|rule| rule.findings(examined)).collect()
}

/// One fault: JSON pointer and sentence.
fn fault(pointer: impl Into<String>, detail: impl Into<String>) -> (String, String) {
    (pointer.into(), detail.into())
}

/// A value as a list: nothing, itself, or its items, each with the end of its JSON pointer.
pub(super) fn items(value: Option<&Value>) -> Vec<(String, &Value)> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => {
            values.iter().enumerate().map(|(index, value)| (format!("/{index}"), value)).collect()
        }
        Some(value) => vec![(String::new(), value)],
    }
}

/// Whether a credential is of version 1.1 of the data model.
pub(super) fn is_version_1(document: &Value) -> bool {
    items(document.get("@context")).iter().any(|(_, url)| *url == CREDENTIALS_V1)
}

/// Whether `type` is, or has, this name.
pub(super) fn has_type(object: &Value, name: &str) -> bool {
    items(object.get("type")).iter().any(|(_, value)| value.as_str() == Some(name))
}

/// Calls `visit` with each object and array of a document and its JSON pointer. The depth of what is walked was
/// bounded when it was read.
fn walk<'a>(
    value: &'a Value,
    pointer: &str,
    depth: usize,
    visit: &mut impl FnMut(&str, &'a Value),
) {
    if depth > 64 {
        return;
    }
    visit(pointer, value);
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let step = super::json::pointer(&[key]);
                walk(value, &format!("{pointer}{step}"), depth + 1, visit);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                walk(value, &format!("{pointer}/{index}"), depth + 1, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
