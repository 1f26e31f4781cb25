//! What is different between two definitions, in words that an author and an earner understand.
//!
//! The one comparison of definitions: versions of one micro-credential, a definition and its origin elsewhere, a proposal and what it is about.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The most differences that are told of one comparison.
pub const MOST_DIFFERENCES: usize = 500;
/// How many characters of a text a sentence repeats.
const LONGEST_QUOTE: usize = 240;
/// By what the items of a list are told apart, the first that all of them have and no two share.
const NAMES: [&str; 8] = ["id", "level", "code", "identifier", "title", "name", "url", "claim"];

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, as an RFC 6901 pointer: into the new definition, or into the old one for what is gone.
    pub pointer: String,
    /// What changed, in a sentence.
    pub detail: String,
    /// Whether it changes what is scored, and with that the scoring hash.
    pub is_scored: bool,
}

/// A step into a definition.
#[derive(Clone, Debug)]
enum Step {
    Member(String),
    /// The place in its list, and what the item is called.
    Item(usize, String),
}

/// Everything that is different in `new`, by place, at most [`MOST_DIFFERENCES`]. Both are definitions that follow the schema.
#[must_use]
pub fn differences(old: &Value, new: &Value) -> Vec<Difference> {
    let mut walk = Walk { path: Vec::new(), found: Vec::new() };
    walk.values(Some(old), Some(new));
    walk.found.truncate(MOST_DIFFERENCES);
    walk.found
}

/// Whether the scoring hash covers what a pointer into a definition leads to, or something in it. See
/// [`ParsedDefinition::scoring_hash`](super::ParsedDefinition::scoring_hash).
#[must_use]
pub fn is_scored_place(pointer: &str) -> bool {
    let names: Vec<&str> = pointer.split('/').skip(1).collect();
    is_scored(&names)
}

/// The same for steps; the place of an item in its list is any word.
fn is_scored(names: &[&str]) -> bool {
    let row: &[&str] = match names {
        ["decision_rule", rest @ ..] => return !rest.contains(&"prose"),
        ["submission"] | ["submission", "part1" | "part2" | "part3"] => return true,
        ["submission", "part2", "evidence", rest @ ..] => {
            return matches!(rest, [] | [_] | [_, "id" | "title", ..]);
        }
        ["submission", "part2", "criteria", rest @ ..] => match rest {
            [_, "title" | "evidence" | "pass_level" | "essential", ..] => return true,
            _ => rest,
        },
        ["submission", "part1" | "part3", "prompts", rest @ ..] => match rest {
            [_, "text", ..] => return true,
            _ => rest,
        },
        _ => return false,
    };
    match row {
        [] | [_] | [_, "id"] => true,
        [_, "levels", level @ ..] => {
            matches!(level, [] | [_] | [_, "level" | "label" | "descriptor", ..])
        }
        _ => false,
    }
}

struct Walk {
    path: Vec<Step>,
    found: Vec<Difference>,
}

impl Walk {
    fn pointer(&self) -> String {
        self.path.iter().fold(String::new(), |pointer, step| match step {
            Step::Member(name) => super::join(&pointer, name),
            Step::Item(place, _) => format!("{pointer}/{place}"),
        })
    }

    /// The members on the way; an item of a list is any word that is none.
    fn names(&self) -> Vec<&str> {
        self.path
            .iter()
            .map(|step| match step {
                Step::Member(name) => name.as_str(),
                Step::Item(..) => "*",
            })
            .collect()
    }

    fn tell(&mut self, what: &str) {
        if self.found.len() >= MOST_DIFFERENCES {
            return;
        }
        let detail = format!("{}{what}", self.place());
        let is_scored = is_scored(&self.names());
        self.found.push(Difference { pointer: self.pointer(), detail, is_scored });
    }

    /// Where it is, in words that begin a sentence.
    fn place(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for (index, step) in self.path.iter().enumerate() {
            match step {
                Step::Item(_, name) => {
                    let list = match self.path.get(index.saturating_sub(1)) {
                        Some(Step::Member(list)) => singular(list),
                        Some(Step::Item(..)) | None => "item".to_owned(),
                    };
                    words.push(format!("{list} {name}"));
                }
                Step::Member(name) => {
                    let is_list = matches!(self.path.get(index + 1), Some(Step::Item(..)));
                    let is_outer = matches!(name.as_str(), "submission" | "part2")
                        && index + 1 < self.path.len();
                    if !is_list && !is_outer {
                        words.push(plain(name));
                    }
                }
            }
        }
        let text = words.join(", ");
        let mut letters = text.chars();
        letters.next().map_or_else(
            || "The definition".to_owned(),
            |first| first.to_uppercase().chain(letters).collect(),
        )
    }

    fn values(&mut self, old: Option<&Value>, new: Option<&Value>) {
        if old == new {
            return;
        }
        if matches!(self.path.as_slice(), [Step::Member(name)] if name == "decision_rule") {
            self.rules(old, new);
            return;
        }
        let names = self.names();
        // A part that one of them has not, as if it were empty: its prompts are told one by one.
        let is_part = matches!(names[..], ["submission", "part1" | "part3"])
            || matches!(names[..], ["submission", "part1" | "part3", "prompts"]);
        let empty = match (old, new) {
            (Some(Value::Object(_)), None) | (None, Some(Value::Object(_))) => {
                Value::Object(Map::new())
            }
            (Some(_) | None, Some(_) | None) => Value::Array(Vec::new()),
        };
        let (old, new) =
            if is_part { (old.or(Some(&empty)), new.or(Some(&empty))) } else { (old, new) };
        match (old, new) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => self.objects(old, new),
            (Some(Value::Array(old)), Some(Value::Array(new))) => self.lists(old, new),
            (Some(old), Some(new)) => {
                self.tell(&format!(": {} became {}.", in_words(old), in_words(new)));
            }
            (None, Some(new)) => self.tell(&format!(" is new: {}.", in_words(new))),
            (Some(old), None) => self.tell(&format!(" is gone: {}.", in_words(old))),
            (None, None) => {}
        }
    }

    fn rules(&mut self, old: Option<&Value>, new: Option<&Value>) {
        let bare = |rule: Option<&Value>| rule.map(|rule| without_prose(rule, 0));
        if bare(old) == bare(new) {
            self.path.push(Step::Member("prose".to_owned()));
            self.tell(" was put in other words.");
            self.path.pop();
            return;
        }
        let words = |rule: Option<&Value>| match rule {
            Some(rule) => in_words(rule.get("prose").unwrap_or(rule)),
            None => "nothing".to_owned(),
        };
        self.tell(&format!(" is another one: {} became {}.", words(old), words(new)));
    }

    fn objects(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            self.path.push(Step::Member(name.clone()));
            self.values(old.get(name), new.get(name));
            self.path.pop();
        }
    }

    fn lists(&mut self, old: &[Value], new: &[Value]) {
        let Some(name) = NAMES.into_iter().find(|name| tells_apart(old, new, name)) else {
            let both = (Value::Array(old.to_vec()), Value::Array(new.to_vec()));
            self.tell(&format!(": {} became {}.", in_words(&both.0), in_words(&both.1)));
            return;
        };
        let key = |item: &Value| item.get(name).map(word).unwrap_or_default();
        for (place, item) in old.iter().enumerate() {
            let twin = new.iter().position(|other| key(other) == key(item));
            self.path.push(Step::Item(twin.unwrap_or(place), key(item)));
            self.values(Some(item), twin.and_then(|twin| new.get(twin)));
            self.path.pop();
        }
        for (place, item) in new.iter().enumerate() {
            if !old.iter().any(|other| key(other) == key(item)) {
                self.path.push(Step::Item(place, key(item)));
                self.values(None, Some(item));
                self.path.pop();
            }
        }
        let kept = |list: &[Value], other: &[Value]| -> Vec<String> {
            let keys = list.iter().map(key);
            keys.filter(|one| other.iter().any(|item| key(item) == *one)).collect()
        };
        let (before, after) = (kept(old, new), kept(new, old));
        if before != after {
            self.tell(&format!(
                " are in another order: {} became {}.",
                before.join(", "),
                after.join(", ")
            ));
        }
    }
}

/// Whether all items have this member, and no two of one list the same.
fn tells_apart(old: &[Value], new: &[Value], name: &str) -> bool {
    [old, new].into_iter().all(|list| {
        let mut seen = BTreeSet::new();
        list.iter().all(|item| {
            let key = item.get(name).filter(|key| key.is_string() || key.is_number());
            key.is_some_and(|key| seen.insert(word(key)))
        })
    }) && !(old.is_empty() && new.is_empty())
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A decision rule without its prose. The schema allows few layers; deeper ones are kept as they are.
fn without_prose(rule: &Value, depth: usize) -> Value {
    if depth >= super::MAX_DEPTH {
        return rule.clone();
    }
    match rule {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| name.as_str() != "prose")
            .map(|(name, member)| (name.clone(), without_prose(member, depth + 1)))
            .collect::<Map<String, Value>>()
            .into(),
        Value::Array(rules) => rules.iter().map(|rule| without_prose(rule, depth + 1)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => rule.clone(),
    }
}

/// What a list calls one of its items.
fn singular(list: &str) -> String {
    match list {
        "criteria" => "criterion".to_owned(),
        "evidence" => "evidence".to_owned(),
        other => plain(other.strip_suffix('s').unwrap_or(other)),
    }
}

fn plain(name: &str) -> String {
    match name {
        "part1" => "part 1".to_owned(),
        "part2" => "part 2".to_owned(),
        "part3" => "part 3".to_owned(),
        "pass_level" => "the level that passes".to_owned(),
        other => other.replace('_', " "),
    }
}

/// A value as a sentence repeats it.
fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quote(text),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Array(items) => {
            let words: Vec<String> = items.iter().take(20).map(in_words).collect();
            words.join(", ")
        }
        Value::Object(members) => {
            let telling = ["title", "text", "label", "name", "descriptor", "description", "claim"];
            match telling.into_iter().find_map(|name| members.get(name)?.as_str()) {
                Some(text) => quote(text),
                None => quote(&value.to_string()),
            }
        }
    }
}

fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST_QUOTE).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("“{short}”")
}
