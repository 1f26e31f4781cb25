//! The three hashes of a definition. What goes into each is said at [`ParsedDefinition`](super::ParsedDefinition).

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::jcs::{JcsError, canonicalize};

pub(super) struct Derived {
    pub canonical: String,
    pub content_hash: String,
    pub scoring_hash: String,
    pub policy_hash: String,
}

/// Derives canonical text and hashes from a document that follows the schema.
pub(super) fn derive(document: &Value) -> Result<Derived, JcsError> {
    let canonical = canonicalize(document)?;
    let scoring = canonicalize(&scoring_members(document))?;
    let policy = canonicalize(&policy_members(document))?;
    Ok(Derived {
        content_hash: sha256_hex(&canonical),
        scoring_hash: sha256_hex(&scoring),
        policy_hash: sha256_hex(&policy),
        canonical,
    })
}

fn scoring_members(document: &Value) -> Value {
    let part2 = &document["submission"]["part2"];
    let criteria = each(&part2["criteria"], |criterion| {
        let names = ["id", "title", "evidence", "pass_level", "essential"];
        let mut chosen = choose(criterion, &names);
        chosen.insert("levels".to_owned(), levels(criterion));
        chosen
    });
    let prompts = each_prompt(document, |prompt| {
        let mut chosen = choose(prompt, &["id", "text"]);
        chosen.insert("levels".to_owned(), levels(prompt));
        chosen
    });
    json!({
        "criteria": criteria,
        "decision_rule": without_prose(&document["decision_rule"], 0),
        "evidence": each(&part2["evidence"], |evidence| choose(evidence, &["id", "title"])),
        "prompts": prompts,
    })
}

fn policy_members(document: &Value) -> Value {
    let evidence = each(&document["submission"]["part2"]["evidence"], |evidence| {
        choose(evidence, &["id", "required", "media", "max_items", "alternatives"])
    });
    let prompts =
        each_prompt(document, |prompt| choose(prompt, &["id", "word_limit", "alternatives"]));
    let mut review_policy = document["review_policy"].clone();
    if let Some(members) = review_policy.as_object_mut() {
        members.remove("coi_note");
    }
    json!({ "evidence": evidence, "prompts": prompts, "review_policy": review_policy })
}

fn levels(item: &Value) -> Value {
    each(&item["levels"], |level| choose(level, &["level", "label", "descriptor"]))
}

/// The rule as it stands, without its `prose`. The schema allows few layers; deeper ones are kept as they are.
fn without_prose(rule: &Value, depth: usize) -> Value {
    let Some(members) = rule.as_object() else { return rule.clone() };
    let kept = members.iter().filter(|(name, _)| name.as_str() != "prose").map(|(name, member)| {
        let member = match member.as_array() {
            Some(rules) if name == "of" && depth < super::MAX_DEPTH => {
                rules.iter().map(|rule| without_prose(rule, depth + 1)).collect()
            }
            Some(_) | None => member.clone(),
        };
        (name.clone(), member)
    });
    Value::Object(kept.collect())
}

fn each_prompt(document: &Value, choose: impl Fn(&Value) -> Map<String, Value>) -> Value {
    let mut prompts = Vec::new();
    for part in ["part1", "part3"] {
        for prompt in document["submission"][part]["prompts"].as_array().into_iter().flatten() {
            let mut chosen = choose(prompt);
            chosen.insert("part".to_owned(), part.into());
            prompts.push(Value::Object(chosen));
        }
    }
    Value::Array(prompts)
}

fn each(list: &Value, choose: impl Fn(&Value) -> Map<String, Value>) -> Value {
    list.as_array().into_iter().flatten().map(|item| Value::Object(choose(item))).collect()
}

fn choose(object: &Value, names: &[&str]) -> Map<String, Value> {
    let present =
        names.iter().filter_map(|name| Some(((*name).to_owned(), object.get(name)?.clone())));
    present.collect()
}

/// SHA-256 of the text's UTF-8 bytes in lower-case hexadecimal.
pub(in crate::service) fn sha256_hex(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
