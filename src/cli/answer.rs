//! What `assay agreement` and `assay rules` share: a file of JSON goes in, records with members in order come out.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// The most bytes of a file.
const FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// Reads a file of JSON; `-` is standard input.
pub fn read_json(file: &Path) -> anyhow::Result<Value> {
    let mut input = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(FILE_LIMIT + 1).read_to_end(&mut input)
    } else {
        std::fs::File::open(file)
            .and_then(|opened| opened.take(FILE_LIMIT + 1).read_to_end(&mut input))
    };
    let length = read.with_context(|| format!("{} cannot be read", file.display()))?;
    if u64::try_from(length).is_ok_and(|length| length > FILE_LIMIT) {
        bail!("{} has more than {} MiB", file.display(), FILE_LIMIT / (1024 * 1024));
    }
    serde_json::from_slice(&input).with_context(|| format!("{} is no JSON", file.display()))
}

/// An object of JSON whose members keep their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record(Vec<(String, Value)>);

impl Record {
    /// A record that begins with this member.
    pub fn new(key: &str, value: impl Into<Value>) -> Record {
        Record::default().with(key, value)
    }

    /// The record with one more member.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Record {
        self.0.push((key.to_owned(), value.into()));
        self
    }

    /// The members.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// A member.
    pub fn find(&self, key: &str) -> Option<&Value> {
        self.members().find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A value in a line for people: numbers are rounded, lists cut.
pub fn short(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(is_true) => if *is_true { "yes" } else { "no" }.to_owned(),
        Value::Number(number) if number.is_f64() => {
            format!("{:.4}", number.as_f64().unwrap_or_default())
        }
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let shown: Vec<String> = items.iter().take(8).map(short).collect();
            let more = if items.len() > shown.len() { " …" } else { "" };
            format!("{}{more}", shown.join(" "))
        }
        Value::Object(members) => {
            let shown = members.iter().map(|(key, value)| match value {
                Value::Object(_) => format!("{key} ({})", short(value)),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => format!("{key} {}", short(value)),
            });
            shown.collect::<Vec<String>>().join(", ")
        }
    }
}
