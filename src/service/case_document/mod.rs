//! Competency frameworks in the form of CASE 1.1 (1EdTech Competencies and Academic Standards Exchange): packages read, checked and
//! written again.
//!
//! A package is kept as the document that it is. What the published schema does not know is kept as well: in an export, which has to
//! follow the schema, it moves into the package's `extensions` and comes back from there (see `kept`). So a framework, and a rubric
//! in it, goes in and out of any number of installations without a loss.

mod findings;
mod kept;
mod rubric;
mod rubric_import;

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use self::findings::Findings;
use super::definition_document::{FieldError, MAX_ERRORS, describe_errors};

pub use self::kept::KEPT;
pub use self::rubric::{RubricSource, package_of_rubric};
pub use self::rubric_import::{Places, put_rubric};

/// The most bytes of a package.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most JSON values in a package.
pub const MAX_VALUES: usize = 200_000;
/// The deepest nesting in a package.
pub const MAX_DEPTH: usize = 16;
/// The most items of a framework.
pub const MAX_ITEMS: usize = 10_000;

const SCHEMA: &str =
    include_str!("../../../credential-schemas/case/case_v1p1_cfpackage-jsonschema1.json");

#[expect(
    clippy::expect_used,
    reason = "the schema is part of the program: it compiles for everybody or for nobody, and a test sees to it"
)]
static COMPILED: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the bundled schema is JSON");
    jsonschema::draft201909::options()
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .should_validate_formats(true)
        .offline()
        .build(&schema)
        .expect("the bundled schema compiles")
});

/// One item of a framework, as far as it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its GUID.
    pub identifier: String,
    /// Its address.
    pub uri: String,
    /// Its code (`humanCodingScheme`).
    pub code: Option<String>,
    /// What it says (`fullStatement`).
    pub statement: String,
    /// What it says in short (`abbreviatedStatement`).
    pub label: Option<String>,
    /// What kind of item it is (`CFItemType`).
    pub item_type: Option<String>,
}

/// A package that follows the schema and hangs together.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// The document with everything that came in it.
    pub document: Value,
    /// The GUID of its CFDocument.
    pub identifier: String,
    /// The framework's title.
    pub title: String,
    /// Who made it.
    pub creator: String,
    /// The version that its makers name.
    pub version: Option<String>,
    /// Its language, if it says so.
    pub language: Option<String>,
    /// Its items, in the order of the package.
    pub items: Vec<Item>,
    /// How many rubrics it brings.
    pub n_rubrics: usize,
    /// How many members of it are not in CASE 1.1. They are kept.
    pub n_kept: usize,
}

/// Reads a package, or says everything that keeps it from being one, sorted by place, at most [`MAX_ERRORS`].
///
/// The limits come first and alone. Members that the schema does not know are no fault.
///
/// # Errors
/// Every fault, with its pointer into the document; at least one.
pub fn read(document: &Value) -> Result<Package, Vec<FieldError>> {
    findings::check_limits(document).map_err(|error| vec![error])?;
    let document = kept::restore(document).map_err(|error| vec![error])?;
    let (known, unknown): (Vec<_>, Vec<_>) = describe_errors(&COMPILED, &document)
        .into_iter()
        .partition(|error| error.code != "unknown_field");
    let mut found = Findings::new(known);
    found.check(&document);
    let errors = found.into_errors(MAX_ERRORS);
    if !errors.is_empty() {
        return Err(errors);
    }
    let about = &document["CFDocument"];
    let items = document["CFItems"].as_array().into_iter().flatten().map(item).collect();
    Ok(Package {
        identifier: text(&about["identifier"]),
        title: text(&about["title"]),
        creator: text(&about["creator"]),
        version: optional(&about["version"]),
        language: optional(&about["language"]),
        items,
        n_rubrics: document["CFRubrics"].as_array().map_or(0, Vec::len),
        n_kept: unknown.len(),
        document,
    })
}

/// The package as others read it: it follows the published schema, with what the schema does not know among the extensions.
///
/// [`read`] gives the same package again.
#[must_use]
pub fn export(package: &Value) -> Value {
    let mut unknown: Vec<String> = describe_errors(&COMPILED, package)
        .into_iter()
        .filter(|error| error.code == "unknown_field")
        .map(|error| error.pointer)
        .collect();
    unknown.sort();
    kept::set_aside(package, unknown)
}

fn item(item: &Value) -> Item {
    Item {
        identifier: text(&item["identifier"]),
        uri: text(&item["uri"]),
        code: optional(&item["humanCodingScheme"]),
        statement: text(&item["fullStatement"]),
        label: optional(&item["abbreviatedStatement"]),
        item_type: optional(&item["CFItemType"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn optional(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
