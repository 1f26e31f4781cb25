//! The package in which definitions travel to another district, and how one that came from outside is read.
//!
//! It holds what is public: definitions, their lineage, a charter without what each district decides for itself, the structure of the
//! training. It has no place for papers, keys or people.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::charter_document;
use super::definition_document::{self, FieldError, ParsedDefinition, canonicalize, sha256_hex};
use super::error::{Error, Fault};
use crate::credential::json::{self, JsonError, Limits};
use crate::domain::calibration::SetKind;

/// The form of packages that is written and read.
pub const FORMAT: &str = "assay-template/1";
/// The most bytes of a package.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// The most definitions of a package.
pub const MAX_DEFINITIONS: usize = 25;
/// The longest lineage: so many districts have passed a definition on.
const MAX_LINEAGE: usize = 50;
/// The most fields of one definition that are locked.
pub const MAX_LOCKED: usize = 100;
/// The most sets of known work that a package tells of, for one definition.
const MAX_TRAINING: usize = 100;

const LIMITS: Limits = Limits { bytes: MAX_BYTES, depth: 24, nodes: 60_000 };

/// What each district decides for itself, and a charter is therefore sent without.
const OWN_DECISIONS: [&str; 3] = ["ai_use", "window", "decisions"];

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplatePackage {
    /// [`FORMAT`].
    pub format: String,
    /// Its id, made by whoever exports it.
    pub id: uuid::Uuid,
    /// What it is.
    pub title: String,
    /// The https address of the issuer that signs it.
    pub issuer: String,
    /// Its name.
    pub issuer_name: String,
    /// Under which terms others may use it: an SPDX expression or a sentence.
    pub licence: String,
    /// When it was made.
    pub exported_at: String,
    /// The definitions.
    pub definitions: Vec<PackedDefinition>,
    /// The charter of a programme, if it came along.
    pub charter: Option<Value>,
}

/// A definition in a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackedDefinition {
    /// The address of the published version.
    pub achievement: String,
    /// The definition as it was published.
    pub definition: Value,
    /// Where it comes from, the first origin first; the last link is this very definition.
    pub lineage: Vec<Link>,
    /// What is not to be changed by whoever wants to be comparable: RFC 6901 pointers into the definition.
    pub locked: Vec<String>,
    /// Of which known work its assessors are trained. The work itself stays where it is.
    pub training: Vec<TrainingSet>,
}

/// One link of a lineage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Who published it.
    pub issuer: String,
    /// Their name.
    pub issuer_name: String,
    /// The address of the published version.
    pub achievement: String,
    /// Its content hash.
    pub content_hash: String,
    /// Its scoring hash.
    pub scoring_hash: String,
    /// SHA-256 over the link before (its hash, or null) and the other members of this one, in the form of RFC 8785.
    pub hash: String,
}

/// A set of known work, without the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSet {
    /// What it is for; known papers in live queues are not told of.
    pub kind: String,
    /// How many papers it has.
    pub papers: usize,
}

impl Link {
    /// The next link after `lineage`.
    #[must_use]
    pub fn after(
        lineage: &[Link],
        issuer: &str,
        issuer_name: &str,
        achievement: &str,
        parsed: &ParsedDefinition,
    ) -> Link {
        let mut link = Link {
            issuer: issuer.to_owned(),
            issuer_name: issuer_name.to_owned(),
            achievement: achievement.to_owned(),
            content_hash: parsed.content_hash.clone(),
            scoring_hash: parsed.scoring_hash.clone(),
            hash: String::new(),
        };
        link.hash = link.hash_after(lineage.last().map(|last| last.hash.as_str()));
        link
    }

    fn hash_after(&self, previous: Option<&str>) -> String {
        let members = json!({
            "previous": previous,
            "issuer": self.issuer,
            "issuer_name": self.issuer_name,
            "achievement": self.achievement,
            "content_hash": self.content_hash,
            "scoring_hash": self.scoring_hash,
        });
        // Texts and null always have a canonical form.
        sha256_hex(&canonicalize(&members).unwrap_or_default())
    }
}

/// A charter as it is sent: without what each district decides for itself, and without the windows of its cohorts.
#[must_use]
pub fn charter_to_send(mut charter: Value) -> Value {
    if let Some(members) = charter.as_object_mut() {
        members.retain(|name, _| !OWN_DECISIONS.contains(&name.as_str()));
    }
    for cohort in charter["cohorts"].as_array_mut().into_iter().flatten() {
        if let Some(members) = cohort.as_object_mut() {
            members.remove("window");
        }
    }
    charter
}

/// A package with its signature, read and not believed yet.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The signed document.
    pub package: Value,
    /// The signature.
    pub signature: String,
    /// The issuer that the document names.
    pub issuer: String,
}

/// Reads `{"package": …, "signature": …}` within the limits. A member that stands twice is refused: two readers could see two packages.
///
/// # Errors
/// [`Error::Invalid`] with what to do about it.
pub fn read_envelope(text: &[u8]) -> Result<Envelope, Error> {
    let document = json::parse(text, &LIMITS).map_err(|error| {
        let code = match &error {
            JsonError::TooLarge { .. } => "too-large",
            JsonError::NotJson(_) => "not-json",
            JsonError::TooDeep { .. } => "too-deep",
            JsonError::TooManyNodes { .. } => "too-many-values",
            JsonError::DuplicateKey { .. } => "repeated-member",
        };
        Error::invalid("", code, format!("{error}; ask whoever exported the package for a new one"))
    })?;
    let Value::Object(mut members) = document else {
        return Err(Error::invalid("", "wrong-type", "send an object with package and signature"));
    };
    let (package, signature) = (members.remove("package"), members.remove("signature"));
    if let Some(name) = members.keys().next() {
        let detail = "a package has the members package and signature, and no others";
        let pointer = definition_document::join("", name);
        return Err(Error::invalid(&pointer, "unknown-field", detail));
    }
    let package = package.filter(Value::is_object).ok_or_else(|| {
        Error::invalid("/package", "missing-field", "send the package as it was exported")
    })?;
    let signature = signature.as_ref().and_then(Value::as_str).ok_or_else(|| {
        let detail = "send the signature as it was exported; a package without one is not taken";
        Error::invalid("/signature", "missing-field", detail)
    })?;
    let issuer = package["issuer"].as_str().ok_or_else(|| {
        Error::invalid("/package/issuer", "missing-field", "the package does not say whose it is")
    })?;
    Ok(Envelope { signature: signature.to_owned(), issuer: issuer.to_owned(), package })
}

/// A package whose members were all checked.
#[derive(Clone, Debug)]
pub struct CheckedPackage {
    /// The package.
    pub package: TemplatePackage,
    /// Its definitions as the domain knows them, in the same order.
    pub parsed: Vec<ParsedDefinition>,
}

fn refuse(faults: Vec<Fault>) -> Error {
    let summary = "the package cannot be taken like this; each fault is listed".to_owned();
    Error::Invalid { code: "invalid-template", summary, faults }
}

/// Reads a package whose signature holds: a signature says who made it, not that it is whole.
///
/// # Errors
/// [`Error::Invalid`] with every fault and its place in `/package`.
pub fn check(document: &Value) -> Result<CheckedPackage, Error> {
    let package: TemplatePackage = serde_path_to_error::deserialize(document).map_err(|error| {
        let pointer = pointer_of(error.path());
        let reason = error.into_inner().to_string();
        let code = if reason.starts_with("unknown field") {
            "unknown-field"
        } else if reason.starts_with("missing field") {
            "missing-field"
        } else {
            "wrong-type"
        };
        refuse(vec![Fault::new(pointer, code, reason)])
    })?;
    let mut faults = Vec::new();
    if package.format != FORMAT {
        let detail = format!("this service reads packages of the form {FORMAT}");
        faults.push(Fault::new("/package/format", "unknown-format", detail));
    }
    for (name, text) in [
        ("title", &package.title),
        ("issuer_name", &package.issuer_name),
        ("licence", &package.licence),
        ("exported_at", &package.exported_at),
    ] {
        faults.extend(fault_of_line(name, text));
    }
    if package.definitions.is_empty() || package.definitions.len() > MAX_DEFINITIONS {
        let detail = format!("a package has 1 to {MAX_DEFINITIONS} definitions");
        faults.push(Fault::new("/package/definitions", "definitions", detail));
    }
    let mut parsed = Vec::new();
    let mut slugs = BTreeSet::new();
    for (index, packed) in package.definitions.iter().enumerate().take(MAX_DEFINITIONS) {
        let pointer = format!("/package/definitions/{index}");
        match check_definition(&package, packed, &pointer) {
            Ok(one) if slugs.insert(one.slug.clone()) => parsed.push(one),
            Ok(_) => {
                let detail = "another definition of the package has this id";
                faults.push(Fault::new(format!("{pointer}/definition/id"), "repeated-id", detail));
            }
            Err(found) => faults.extend(found),
        }
    }
    if let Some(charter) = &package.charter
        && let Err(errors) = charter_document::parse(charter)
    {
        faults.extend(errors.into_iter().map(|error| fault_of("/package/charter", error)));
    }
    if faults.is_empty() { Ok(CheckedPackage { package, parsed }) } else { Err(refuse(faults)) }
}

/// A place in a package as an RFC 6901 pointer into the request.
fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold("/package".to_owned(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => definition_document::join(&pointer, key),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

/// Refuses a text that is not one line of 1 to 200 characters.
pub(super) fn fault_of_line(name: &str, text: &str) -> Option<Fault> {
    let is_line =
        (1..=200).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control);
    (!is_line).then(|| {
        let detail = "this is one line of 1 to 200 characters";
        Fault::new(format!("/package/{name}"), "line", detail)
    })
}

fn fault_of(place: &str, error: FieldError) -> Fault {
    Fault::new(format!("{place}{}", error.pointer), error.code, error.detail)
}

fn check_definition(
    package: &TemplatePackage,
    packed: &PackedDefinition,
    pointer: &str,
) -> Result<ParsedDefinition, Vec<Fault>> {
    let parsed = definition_document::parse(&packed.definition).map_err(|errors| {
        let place = format!("{pointer}/definition");
        errors.into_iter().map(|error| fault_of(&place, error)).collect::<Vec<Fault>>()
    })?;
    let mut faults = Vec::new();
    let mut previous: Option<&str> = None;
    let is_whole = (1..=MAX_LINEAGE).contains(&packed.lineage.len())
        && packed.lineage.iter().all(|link| {
            let holds = link.hash_after(previous) == link.hash;
            previous = Some(&link.hash);
            holds
        });
    if !is_whole {
        let detail = "the lineage is broken: each link has to hold the hash of the one before";
        faults.push(Fault::new(format!("{pointer}/lineage"), "lineage-broken", detail));
    }
    let is_last = packed.lineage.last().is_some_and(|last| {
        last.content_hash == parsed.content_hash
            && last.scoring_hash == parsed.scoring_hash
            && last.achievement == packed.achievement
            && last.issuer == package.issuer
    });
    if !is_last {
        let detail = "the hashes of the last link are not those of the definition that came along";
        faults.push(Fault::new(format!("{pointer}/lineage"), "hash-mismatch", detail));
    }
    if packed.locked.len() > MAX_LOCKED {
        let detail = format!("at most {MAX_LOCKED} fields are locked");
        faults.push(Fault::new(format!("{pointer}/locked"), "too-many", detail));
    }
    for (index, locked) in packed.locked.iter().enumerate().take(MAX_LOCKED) {
        if locked.is_empty() || packed.definition.pointer(locked).is_none() {
            let detail = "the definition has no such field; name it by an RFC 6901 pointer";
            let place = format!("{pointer}/locked/{index}");
            faults.push(Fault::new(place, "unknown-field", detail));
        }
    }
    if packed.training.len() > MAX_TRAINING {
        let detail = format!("at most {MAX_TRAINING} sets of known work are told of");
        faults.push(Fault::new(format!("{pointer}/training"), "too-many", detail));
    }
    for (index, set) in packed.training.iter().enumerate().take(MAX_TRAINING) {
        if SetKind::parse(&set.kind).is_none_or(|kind| kind == SetKind::Seed) {
            let detail = "there is no such kind of set, or it is one that is not told of";
            let place = format!("{pointer}/training/{index}/kind");
            faults.push(Fault::new(place, "unknown-word", detail));
        }
    }
    if faults.is_empty() { Ok(parsed) } else { Err(faults) }
}
