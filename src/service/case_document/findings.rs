//! What the published schema does not say: limits, and whether the parts of a package hang together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use url::Url;

use super::{MAX_DEPTH, MAX_ITEMS, MAX_VALUES};
use crate::domain::framework::find_circle;
use crate::service::definition_document::{FieldError, join};

/// The longest member name, in bytes.
const MAX_NAME_LENGTH: usize = 200;
/// The largest whole number that every JSON parser reads exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// The first limit of the whole document that is broken.
pub(super) fn check_limits(document: &Value) -> Result<(), FieldError> {
    let mut n_values = 1_usize;
    let mut open = vec![(String::new(), document, 0_usize)];
    while let Some((pointer, value, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            let detail = format!("Nest lists and objects at most {MAX_DEPTH} layers deep.");
            return Err(FieldError::new(pointer, "too_deep", detail));
        }
        match value {
            Value::Array(items) => {
                n_values = n_values.saturating_add(items.len());
                let inside = items.iter().enumerate();
                open.extend(
                    inside.map(|(index, item)| (format!("{pointer}/{index}"), item, depth + 1)),
                );
            }
            Value::Object(members) => {
                n_values = n_values.saturating_add(members.len());
                for (name, member) in members {
                    if name.len() > MAX_NAME_LENGTH {
                        let detail = format!("Member names have at most {MAX_NAME_LENGTH} bytes.");
                        return Err(FieldError::new(pointer, "name_too_long", detail));
                    }
                    open.push((join(&pointer, name), member, depth + 1));
                }
            }
            Value::Number(number) => {
                // What another parser reads differently would not come back as it went in.
                if number.as_f64().is_none_or(|number| number.abs() > MAX_EXACT) {
                    let detail = "Write a number of at most 2^53 - 1.".to_owned();
                    return Err(FieldError::new(pointer, "number_not_exact", detail));
                }
            }
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
        if n_values > MAX_VALUES {
            let detail = format!("The package holds more than {MAX_VALUES} values; divide it.");
            return Err(FieldError::new(pointer, "too_large", detail));
        }
    }
    let n_items = document["CFItems"].as_array().map_or(0, Vec::len);
    if n_items > MAX_ITEMS {
        let detail = format!("A framework has at most {MAX_ITEMS} items.");
        return Err(FieldError::new("/CFItems".to_owned(), "too_many_items", detail));
    }
    Ok(())
}

/// Collects faults of one package.
pub(super) struct Findings {
    errors: Vec<FieldError>,
    seen: BTreeSet<String>,
}

impl Findings {
    pub(super) fn new(errors: Vec<FieldError>) -> Findings {
        Findings { errors, seen: BTreeSet::new() }
    }

    /// All that was found, sorted, each once.
    pub(super) fn into_errors(mut self, most: usize) -> Vec<FieldError> {
        self.errors.sort();
        self.errors.dedup();
        self.errors.truncate(most);
        self.errors
    }

    fn add(&mut self, pointer: String, code: &'static str, detail: impl Into<String>) {
        self.errors.push(FieldError::new(pointer, code, detail.into()));
    }

    /// Asks everything that is asked of a package. What has the wrong shape is passed over: the schema says it.
    pub(super) fn check(&mut self, package: &Value) {
        self.entity("/CFDocument", &package["CFDocument"]);
        if package["CFDocument"]["title"].as_str().is_some_and(is_blank) {
            self.add("/CFDocument/title".to_owned(), "blank", "Give the framework a title.");
        }
        for (index, item) in list(&package["CFItems"]) {
            let pointer = format!("/CFItems/{index}");
            self.entity(&pointer, item);
            if item["fullStatement"].as_str().is_some_and(is_blank) {
                self.add(format!("{pointer}/fullStatement"), "blank", "Say what the item says.");
            }
        }
        for (index, association) in list(&package["CFAssociations"]) {
            self.entity(&format!("/CFAssociations/{index}"), association);
        }
        self.check_tree(package);
        self.check_rubrics(package);
    }

    /// An identifier is used once, and an address leads somewhere.
    fn entity(&mut self, pointer: &str, entity: &Value) {
        if let Some(identifier) = entity["identifier"].as_str() {
            if identifier.bytes().any(|byte| byte.is_ascii_uppercase()) {
                let detail = "Write the UUID in lower case, as CASE asks.";
                self.add(format!("{pointer}/identifier"), "not_lower_case", detail);
            }
            if !self.seen.insert(identifier.to_lowercase()) {
                let detail =
                    "Something else in the package has this identifier; give each its own.";
                self.add(format!("{pointer}/identifier"), "repeated_identifier", detail);
            }
        }
        if entity["uri"].as_str().is_some_and(|uri| Url::parse(uri).is_err()) {
            let detail = "Write a whole address, such as https://… or urn:….";
            self.add(format!("{pointer}/uri"), "bad_address", detail);
        }
    }

    /// `isChildOf` joins things of this package, and nothing is above itself.
    fn check_tree(&mut self, package: &Value) {
        let mut nodes: BTreeSet<&str> =
            list(&package["CFItems"]).filter_map(|(_, item)| item["identifier"].as_str()).collect();
        nodes.extend(package["CFDocument"]["identifier"].as_str());
        let mut above: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut place_of = BTreeMap::new();
        for (index, association) in list(&package["CFAssociations"]) {
            if association["associationType"] != "isChildOf" {
                continue;
            }
            let pointer = format!("/CFAssociations/{index}");
            let ends = ["originNodeURI", "destinationNodeURI"].map(|end| {
                let identifier = association[end]["identifier"].as_str()?;
                if nodes.contains(identifier) {
                    return Some(identifier);
                }
                let detail = "The package has no item of this identifier.";
                self.add(format!("{pointer}/{end}/identifier"), "unknown_item", detail);
                None
            });
            if let [Some(child), Some(parent)] = ends {
                above.entry(child).or_default().push(parent);
                place_of.entry(child).or_insert(pointer);
            }
        }
        if let Some(child) = find_circle(&above) {
            let pointer = place_of.remove(child).unwrap_or_default();
            self.add(pointer, "circle", "By these associations an item stands below itself.");
        }
    }

    fn check_rubrics(&mut self, package: &Value) {
        for (index, rubric) in list(&package["CFRubrics"]) {
            let pointer = format!("/CFRubrics/{index}");
            self.entity(&pointer, rubric);
            for (index, criterion) in list(&rubric["CFRubricCriteria"]) {
                let pointer = format!("{pointer}/CFRubricCriteria/{index}");
                self.entity(&pointer, criterion);
                self.belongs(&pointer, "rubricId", criterion, rubric);
                for (index, level) in list(&criterion["CFRubricCriterionLevels"]) {
                    let pointer = format!("{pointer}/CFRubricCriterionLevels/{index}");
                    self.entity(&pointer, level);
                    self.belongs(&pointer, "rubricCriterionId", level, criterion);
                }
            }
        }
    }

    fn belongs(&mut self, pointer: &str, member: &str, part: &Value, whole: &Value) {
        if part.get(member).is_some_and(|named| *named != whole["identifier"]) {
            let detail = "This is not the identifier of what it stands in.";
            self.add(format!("{pointer}/{member}"), "wrong_owner", detail);
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn list(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().into_iter().flatten().enumerate()
}
