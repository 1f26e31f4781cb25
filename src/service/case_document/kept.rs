//! What CASE 1.1 does not know, set aside for an export and put back at an import.
//!
//! The published schema takes no member besides its own, except in `extensions`, and not every object has those. So all of them go to
//! one place, the package's `extensions`, under [`KEPT`]:
//!
//! ```text
//! { "had_extensions": whether the package had `extensions` of its own,
//!   "members": [ {"pointer": to the object that it belongs to, "name", "value"} … ] }
//! ```

use serde_json::{Map, Value, json};

use crate::service::definition_document::FieldError;

/// The name under which an export keeps what CASE 1.1 does not know.
pub const KEPT: &str = "ext:keptMembers";

/// The package without the members at these pointers, which stand among its extensions instead.
pub(super) fn set_aside(package: &Value, unknown: Vec<String>) -> Value {
    let mut package = package.clone();
    let mut members = Vec::new();
    for pointer in unknown {
        let Some((parent, name)) = pointer.rsplit_once('/') else { continue };
        let name = name.replace("~1", "/").replace("~0", "~");
        let object = package.pointer_mut(parent).and_then(Value::as_object_mut);
        if let Some(value) = object.and_then(|object| object.remove(&name)) {
            members.push(json!({ "pointer": parent, "name": name, "value": value }));
        }
    }
    let Some(object) = package.as_object_mut().filter(|_| !members.is_empty()) else {
        return package;
    };
    let had_extensions = object.contains_key("extensions");
    let extensions = object.entry("extensions").or_insert_with(|| Value::Object(Map::new()));
    if let Some(extensions) = extensions.as_object_mut() {
        let kept = json!({ "had_extensions": had_extensions, "members": members });
        extensions.insert(KEPT.to_owned(), kept);
    }
    package
}

/// The package with the members back in their places.
///
/// # Errors
/// The first one that has no place, or whose place is taken: such a package was not written by an export.
pub(super) fn restore(package: &Value) -> Result<Value, FieldError> {
    let mut package = package.clone();
    let Some(extensions) = package.get_mut("extensions").and_then(Value::as_object_mut) else {
        return Ok(package);
    };
    let Some(kept) = extensions.remove(KEPT) else { return Ok(package) };
    let is_bare = extensions.is_empty() && kept["had_extensions"] == false;
    if is_bare && let Some(object) = package.as_object_mut() {
        object.remove("extensions");
    }
    let place = format!("/extensions/{KEPT}/members");
    for (index, member) in kept["members"].as_array().into_iter().flatten().enumerate() {
        let parent = member["pointer"].as_str().unwrap_or("?");
        let object = package.pointer_mut(parent).and_then(Value::as_object_mut);
        let name = member["name"].as_str();
        match (object, name, member.get("value")) {
            (Some(object), Some(name), Some(value)) if !object.contains_key(name) => {
                object.insert(name.to_owned(), value.clone());
            }
            (Some(_) | None, Some(_) | None, Some(_) | None) => {
                let detail = "There is no free place for this member; take it out, or put it where it belongs.";
                return Err(FieldError::new(
                    format!("{place}/{index}"),
                    "no_place",
                    detail.to_owned(),
                ));
            }
        }
    }
    Ok(package)
}
