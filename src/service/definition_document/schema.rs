//! A document against the schema, with sentences that its author can act on.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// The most errors of one document that are reported.
pub const MAX_ERRORS: usize = 100;

/// The most JSON values (numbers, texts, lists, objects …) that one document may hold.
pub const MAX_VALUES: usize = 10_000;

/// The deepest nesting of lists and objects in one document.
pub const MAX_DEPTH: usize = 16;

/// The longest member name in one document, in bytes.
pub const MAX_NAME_LENGTH: usize = 100;

/// The largest whole number that every JSON parser reads exactly.
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// How many characters of what was found a sentence repeats.
const MAX_QUOTED: usize = 60;

const SCHEMA: &str = include_str!("../../../credential-schemas/micro-credential.schema.json");

/// One thing that keeps a document from being a definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldError {
    /// Where, as an RFC 6901 pointer into the definition. A missing member is pointed at where it should be.
    pub pointer: String,
    /// A stable word for the kind of error.
    pub code: &'static str,
    /// What to do about it, in a sentence.
    pub detail: String,
}

impl FieldError {
    pub(in crate::service) fn new(
        pointer: String,
        code: &'static str,
        detail: String,
    ) -> FieldError {
        FieldError { pointer, code, detail }
    }
}

/// The JSON Schema that definitions follow, as shipped.
pub fn schema_text() -> &'static str {
    SCHEMA
}

/// A schema of ours, ready to check documents.
pub(in crate::service) struct Schema {
    validator: Validator,
    /// What each pattern of the schema asks for, in words.
    patterns: BTreeMap<String, String>,
}

impl Schema {
    /// Compiles a schema that is part of the program.
    #[expect(
        clippy::expect_used,
        reason = "the schema is part of the program: it compiles for everybody or for nobody, and a test sees to it"
    )]
    pub(in crate::service) fn bundled(text: &str) -> Schema {
        let schema: Value = serde_json::from_str(text).expect("the bundled schema is JSON");
        // The linear-time engine: hostile text must not make a pattern slow.
        let validator = jsonschema::draft202012::options()
            .with_pattern_options(PatternOptions::regex())
            .offline()
            .build(&schema)
            .expect("the bundled schema compiles");
        let definitions = schema["$defs"].as_object().into_iter().flatten();
        let patterns = definitions.filter_map(|(_, definition)| {
            let pattern = definition["pattern"].as_str()?;
            Some((pattern.to_owned(), definition["description"].as_str()?.to_owned()))
        });
        Schema { patterns: patterns.collect(), validator }
    }
}

static COMPILED: LazyLock<Schema> = LazyLock::new(|| Schema::bundled(SCHEMA));

/// Checks a definition against limits and schema; `Err` holds every error, sorted, at least one.
pub(super) fn check(document: &Value) -> Result<(), Vec<FieldError>> {
    check_with(&COMPILED, document)
}

/// Checks a document against limits and schema; `Err` holds every error, sorted, at least one.
pub(in crate::service) fn check_with(
    schema: &Schema,
    document: &Value,
) -> Result<(), Vec<FieldError>> {
    let mut errors = check_limits(document).map_err(|error| vec![error])?;
    for error in schema.validator.iter_errors(document) {
        describe(&error, &schema.patterns, &mut errors);
    }
    if errors.is_empty() {
        return Ok(());
    }
    errors.sort();
    // Once is enough: a number with a fraction is also of the wrong type, a long text over two limits, and an
    // empty one both too short and not what its pattern asks for.
    errors.dedup_by(|later, earlier| {
        let is_same = later.code == earlier.code
            || matches!(
                (earlier.code, later.code),
                ("not_whole", "wrong_type") | ("bad_text", "too_short")
            );
        later.pointer == earlier.pointer && is_same
    });
    errors.truncate(MAX_ERRORS);
    Err(errors)
}

/// Fails with the limit that the whole document breaks; otherwise lists the numbers that are not whole.
fn check_limits(document: &Value) -> Result<Vec<FieldError>, FieldError> {
    let mut errors = Vec::new();
    let mut n_values = 1_usize;
    let mut open = vec![(String::new(), document, 0_usize)];
    while let Some((pointer, value, depth)) = open.pop() {
        let n_inside = match value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            Value::Number(number) => {
                let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
                if magnitude.is_none_or(|magnitude| magnitude > MAX_INTEGER) {
                    let detail = "Write a whole number, without fraction or exponent.".to_owned();
                    errors.push(FieldError::new(pointer, "not_whole", detail));
                }
                continue;
            }
            Value::Null | Value::Bool(_) | Value::String(_) => continue,
        };
        if depth >= MAX_DEPTH {
            let detail = format!("Nest lists and objects at most {MAX_DEPTH} layers deep.");
            return Err(FieldError::new(pointer, "too_deep", detail));
        }
        n_values = n_values.saturating_add(n_inside);
        if n_values > MAX_VALUES {
            let detail =
                format!("The document holds more than {MAX_VALUES} values; shorten its lists.");
            return Err(FieldError::new(pointer, "too_large", detail));
        }
        match value {
            Value::Array(items) => {
                let inside = items.iter().enumerate();
                open.extend(
                    inside.map(|(index, item)| (format!("{pointer}/{index}"), item, depth + 1)),
                );
            }
            Value::Object(members) => {
                for (name, member) in members {
                    if name.len() > MAX_NAME_LENGTH {
                        let detail = format!("Member names have at most {MAX_NAME_LENGTH} bytes.");
                        return Err(FieldError::new(pointer, "name_too_long", detail));
                    }
                    open.push((join(&pointer, name), member, depth + 1));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    Ok(errors)
}

/// Every way in which a document does not follow a schema, in sentences; the schema's patterns are quoted as they are.
pub(in crate::service) fn describe_errors(
    validator: &Validator,
    document: &Value,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for error in validator.iter_errors(document) {
        describe(&error, &BTreeMap::new(), &mut errors);
    }
    errors
}

fn describe(
    error: &ValidationError<'_>,
    patterns: &BTreeMap<String, String>,
    errors: &mut Vec<FieldError>,
) {
    let pointer = error.instance_path().as_str().to_owned();
    let mut push = |pointer: String, code: &'static str, detail: String| {
        errors.push(FieldError::new(pointer, code, detail));
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let detail = format!("Remove `{}`: there is no such member here.", quoted(name));
                push(join(&pointer, name), "unknown_field", detail);
            }
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            push(join(&pointer, name), "missing_field", format!("Add `{name}`: it is required."));
        }
        ValidationErrorKind::Type { kind } => {
            let found = kind_of(error.instance());
            push(pointer, "wrong_type", format!("Give {}, not {found}.", wanted(kind)));
        }
        ValidationErrorKind::Constant { expected_value } => {
            push(pointer, "not_allowed", format!("Must be {expected_value}."));
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().into_iter().flatten().map(plain);
            let options = options.collect::<Vec<_>>().join(", ");
            let found = plain(error.instance());
            push(pointer, "not_allowed", format!("`{}` is not one of: {options}.", quoted(&found)));
        }
        ValidationErrorKind::Pattern { pattern } => {
            let sentence = patterns.get(pattern).cloned();
            let sentence = sentence.unwrap_or_else(|| format!("Must match the pattern {pattern}."));
            push(pointer, "bad_text", sentence);
        }
        ValidationErrorKind::MinLength { limit: 1 } => {
            push(pointer, "too_short", "Write something here, or leave the member out.".to_owned());
        }
        ValidationErrorKind::MinLength { limit } => {
            push(pointer, "too_short", format!("Use at least {limit} characters."));
        }
        ValidationErrorKind::MaxLength { limit } => {
            push(pointer, "too_long", format!("Use at most {limit} characters."));
        }
        ValidationErrorKind::MinItems { limit } => {
            push(pointer, "too_few_items", format!("List at least {limit}."));
        }
        ValidationErrorKind::MaxItems { limit } => {
            push(pointer, "too_many_items", format!("List at most {limit}."));
        }
        ValidationErrorKind::UniqueItems => {
            push(pointer, "repeated_item", "List each entry once.".to_owned());
        }
        ValidationErrorKind::Minimum { limit } => {
            push(pointer, "too_small", format!("Must be {limit} or more."));
        }
        ValidationErrorKind::Maximum { limit } => {
            push(pointer, "too_large", format!("Must be {limit} or less."));
        }
        // Keywords that the schema does not use. A sentence of the validator is better than none.
        ValidationErrorKind::AdditionalItems { .. }
        | ValidationErrorKind::AnyOf { .. }
        | ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::RegexEngineFailure { .. }
        | ValidationErrorKind::Contains
        | ValidationErrorKind::ContentEncoding { .. }
        | ValidationErrorKind::ContentMediaType { .. }
        | ValidationErrorKind::Custom { .. }
        | ValidationErrorKind::ExclusiveMaximum { .. }
        | ValidationErrorKind::ExclusiveMinimum { .. }
        | ValidationErrorKind::FalseSchema
        | ValidationErrorKind::Format { .. }
        | ValidationErrorKind::FromUtf8 { .. }
        | ValidationErrorKind::MaxProperties { .. }
        | ValidationErrorKind::MinProperties { .. }
        | ValidationErrorKind::MultipleOf { .. }
        | ValidationErrorKind::Not { .. }
        | ValidationErrorKind::OneOfMultipleValid { .. }
        | ValidationErrorKind::OneOfNotValid { .. }
        | ValidationErrorKind::PropertyNames { .. }
        | ValidationErrorKind::UnevaluatedItems { .. }
        | ValidationErrorKind::UnevaluatedProperties { .. }
        | ValidationErrorKind::Referencing(_) => {
            push(pointer, "not_allowed", quoted(&error.masked().to_string()));
        }
    }
}

fn wanted(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(wanted) => name_of(*wanted).to_owned(),
        TypeKind::Multiple(set) => set.iter().map(name_of).collect::<Vec<_>>().join(" or "),
    }
}

fn name_of(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "null",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "a text",
        JsonType::Array => "a list",
        JsonType::Object => "an object",
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value in a sentence: a text without quotation marks, a list or object by its kind.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            kind_of(value).to_owned()
        }
    }
}

/// At most [`MAX_QUOTED`] characters of a text, on one line.
fn quoted(text: &str) -> String {
    let mut start: String = text.chars().filter(|c| !c.is_control()).take(MAX_QUOTED).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

/// The pointer to a member (RFC 6901 section 3).
pub(in crate::service) fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
