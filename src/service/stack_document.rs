//! The one boundary between a stack's JSON and [`StackRule`]: `credential-schemas/stack.schema.json`, and what it cannot say.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::definition_document::{FieldError, MAX_ERRORS, describe_errors};
use super::error::{Broken, Error};
use crate::domain::stack::{Category, MAX_LAYERS, StackRule};

const SCHEMA: &str = include_str!("../../credential-schemas/stack.schema.json");

#[expect(
    clippy::expect_used,
    reason = "the schema is part of the program: it compiles for everybody or for nobody, and a test sees to it"
)]
static COMPILED: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the bundled schema is JSON");
    jsonschema::draft202012::options()
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .offline()
        .build(&schema)
        .expect("the bundled schema compiles")
});

/// A stack as its authors wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackDefinition {
    /// Its own id, the same in every version.
    pub slug: String,
    /// What its authors call the version.
    pub label: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub summary: Option<String>,
    /// The language of its words; English when it says none.
    pub language: String,
    /// What has to be held.
    pub rule: StackRule,
}

/// Reads a stack, or says everything that keeps it from being one, sorted by place.
///
/// Besides the schema: `too_deep` for more than [`MAX_LAYERS`] layers of rules, `out_of_reach` for a minimum above what is named,
/// `repeated_item` for an id that stands twice in a list or in two categories of one rule.
///
/// # Errors
/// Every fault with its pointer, at most [`MAX_ERRORS`], at least one.
pub fn parse(document: &Value) -> Result<StackDefinition, Vec<FieldError>> {
    // The layers come first and alone: the schema refers to itself.
    check_layers(&document["rule"]).map_err(|error| vec![error])?;
    let mut errors = describe_errors(&COMPILED, document);
    check_rule(&document["rule"], &mut errors);
    errors.sort();
    errors.dedup();
    errors.truncate(MAX_ERRORS);
    if !errors.is_empty() {
        return Err(errors);
    }
    let text = |name: &str| document[name].as_str().map(str::to_owned);
    let unreadable = || {
        vec![FieldError::new(
            "/rule".to_owned(),
            "unreadable",
            "The rule cannot be read.".to_owned(),
        )]
    };
    Ok(StackDefinition {
        slug: text("id").unwrap_or_default(),
        label: text("version").unwrap_or_default(),
        title: text("title").unwrap_or_default(),
        summary: text("summary"),
        language: text("language").unwrap_or_else(|| "en".to_owned()),
        rule: rule(&document["rule"], 1).ok_or_else(unreadable)?,
    })
}

/// The stack of a stored text.
///
/// # Errors
/// [`Error::Internal`] for a text that is none, which the way in makes impossible.
pub(super) fn parse_stored(text: &str) -> Result<StackDefinition, Error> {
    let document: Value = serde_json::from_str(text).map_err(Error::internal)?;
    parse(&document).map_err(|_errors| Error::internal(Broken("a stored stack does not parse")))
}

/// Where the rule of a document names these ids.
pub(super) fn places_of(document: &Value, ids: &BTreeSet<&str>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![("/rule".to_owned(), &document["rule"])];
    while let Some((pointer, rule)) = open.pop() {
        for (list, step) in [(&rule["of"], "of"), (&rule["categories"], "categories")] {
            for (index, inner) in list.as_array().into_iter().flatten().enumerate() {
                open.push((format!("{pointer}/{step}/{index}"), inner));
            }
        }
        for (index, id) in rule["ids"].as_array().into_iter().flatten().enumerate() {
            if let Some(id) = id.as_str().filter(|id| ids.contains(id)) {
                found.push((format!("{pointer}/ids/{index}"), id.to_owned()));
            }
        }
    }
    found.sort();
    found
}

fn check_layers(rule: &Value) -> Result<(), FieldError> {
    let mut open = vec![("/rule".to_owned(), rule, 1_usize)];
    while let Some((pointer, rule, layer)) = open.pop() {
        if layer > MAX_LAYERS {
            let detail = format!("Nest rules at most {MAX_LAYERS} layers deep.");
            return Err(FieldError::new(pointer, "too_deep", detail));
        }
        for (index, inner) in rule["of"].as_array().into_iter().flatten().enumerate() {
            open.push((format!("{pointer}/of/{index}"), inner, layer + 1));
        }
    }
    Ok(())
}

fn check_rule(rule: &Value, errors: &mut Vec<FieldError>) {
    let mut open = vec![("/rule".to_owned(), rule)];
    while let Some((pointer, rule)) = open.pop() {
        for (index, inner) in rule["of"].as_array().into_iter().flatten().enumerate() {
            open.push((format!("{pointer}/of/{index}"), inner));
        }
        check_ids(&pointer, rule, &mut BTreeSet::new(), errors);
        let mut seen = BTreeSet::new();
        for (index, category) in rule["categories"].as_array().into_iter().flatten().enumerate() {
            check_ids(&format!("{pointer}/categories/{index}"), category, &mut seen, errors);
        }
    }
}

/// The ids of a list, each new among `seen`, and as many as the minimum beside it.
fn check_ids<'a>(
    pointer: &str,
    part: &'a Value,
    seen: &mut BTreeSet<&'a str>,
    errors: &mut Vec<FieldError>,
) {
    let Some(ids) = part["ids"].as_array() else { return };
    for (index, id) in ids.iter().enumerate() {
        if id.as_str().is_some_and(|id| !seen.insert(id)) {
            let detail = "It is named in this rule already; an award counts once.".to_owned();
            errors.push(FieldError::new(format!("{pointer}/ids/{index}"), "repeated_item", detail));
        }
    }
    let reach = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    if part["min"].as_u64().is_some_and(|min| min > reach) {
        let detail = format!("Nobody can meet it: only {reach} are named.");
        errors.push(FieldError::new(format!("{pointer}/min"), "out_of_reach", detail));
    }
}

/// The rule of a document that was found to follow the schema.
fn rule(value: &Value, layer: usize) -> Option<StackRule> {
    if layer > MAX_LAYERS {
        return None;
    }
    match value["type"].as_str()? {
        "and" => {
            let rules = value["of"].as_array()?.iter().map(|inner| rule(inner, layer + 1));
            Some(StackRule::And(rules.collect::<Option<_>>()?))
        }
        "all_of" => Some(StackRule::AllOf(ids(value)?)),
        "at_least" => Some(StackRule::AtLeast { min: min(value)?, ids: ids(value)? }),
        "minimum_per_category" => {
            let categories = value["categories"].as_array()?.iter().map(|category| {
                Some(Category {
                    name: category["name"].as_str()?.to_owned(),
                    min: min(category)?,
                    ids: ids(category)?,
                })
            });
            Some(StackRule::PerCategory(categories.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

fn ids(value: &Value) -> Option<Vec<String>> {
    value["ids"].as_array()?.iter().map(|id| Some(id.as_str()?.to_owned())).collect()
}

fn min(value: &Value) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(value["min"].as_u64()?).ok()?)
}
