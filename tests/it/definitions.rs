//! Definitions: what their schema takes, what publishing refuses, what they decide, and their hashes.

mod decision_rule;
mod document;
mod findings;
mod hashes;
mod review_policy;

use assay::domain::definition::Definition;
use assay::domain::rubric::{CriterionId, Level, Levels};
use assay::service::definition_document::{self, ParsedDefinition};
use serde_json::Value;

const SHARED_DECISION_MAKING: &str =
    include_str!("../../credential-schemas/definitions/mc-shared-decision-making.json");
const STUDENTS_AS_LEADERS: &str =
    include_str!("../../credential-schemas/definitions/mc-students-as-leaders.json");
const SMALL_GROUP_SUPPORT: &str =
    include_str!("../../credential-schemas/definitions/mc-ia-small-group-support.json");

const SHIPPED: [&str; 3] = [SHARED_DECISION_MAKING, STUDENTS_AS_LEADERS, SMALL_GROUP_SUPPORT];

const ALLOWED_MEDIA: [&str; 14] = [
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "audio/mp4",
    "audio/mpeg",
    "image/heic",
    "image/jpeg",
    "image/png",
    "text/csv",
    "text/markdown",
    "text/plain",
    "video/mp4",
    "video/quicktime",
];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn parse(document: &Value) -> ParsedDefinition {
    definition_document::parse(document).unwrap()
}

fn definition(text: &str) -> Definition {
    parse(&json(text)).definition
}

/// A document with the value at `pointer` replaced; the last step may be a new member, or `-` for a new entry.
#[track_caller]
fn with(text: &str, pointer: &str, value: Value) -> Value {
    let mut document = json(text);
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(members) => {
            members.insert(last.to_owned(), value);
        }
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => items[last.parse::<usize>().unwrap()] = value,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("nothing is inside {parent}")
        }
    }
    document
}

/// A document without the member at `pointer`.
#[track_caller]
fn without(text: &str, pointer: &str) -> Value {
    let mut document = json(text);
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let removed = document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(last);
    assert!(removed.is_some(), "nothing at {pointer}");
    document
}

/// Levels from a line such as `q1=1 c1=2 c2=-`, where `-` could not be scored.
fn levels(line: &str) -> Levels {
    let entry = |entry: &str| {
        let (id, level) = entry.split_once('=').unwrap();
        let level = (level != "-").then(|| Level::new(level.parse().unwrap()));
        (CriterionId::new(id).unwrap(), level)
    };
    line.split_whitespace().map(entry).collect()
}
