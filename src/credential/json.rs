//! Reading JSON from strangers: limits first, then the tree.
//!
//! Plain `serde_json` keeps the last of two equal keys, so two readers could see two different badges in one text.
//! [`parse`] refuses that, and every text that is too long, too deep or too bushy.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How much JSON is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest text, in bytes.
    pub bytes: usize,
    /// Deepest nesting of arrays and objects; the outermost one counts as 1.
    pub depth: usize,
    /// Most values, keys not counted.
    pub nodes: usize,
}

/// The limits for every document that this service did not make itself.
pub const LIMITS: Limits = Limits { bytes: 256 * 1024, depth: 32, nodes: 16_384 };

/// Why a text was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text is longer than the limit.
    #[error("the text is longer than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The text is not JSON.
    #[error("the text is not JSON: {0}")]
    NotJson(String),
    /// Arrays and objects are nested too deeply.
    #[error("the document is nested more than {limit} levels deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// There are too many values.
    #[error("the document has more than {limit} values")]
    TooManyNodes {
        /// The limit.
        limit: usize,
    },
    /// An object has one key twice.
    #[error("an object has the key {key:?} twice")]
    DuplicateKey {
        /// The repeated key.
        key: String,
    },
}

/// Reads one JSON value within the limits.
///
/// The whole text is looked at even when a limit is passed, so that [`JsonError::NotJson`] always wins.
pub fn parse(text: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    if text.len() > limits.bytes {
        return Err(JsonError::TooLarge { limit: limits.bytes });
    }
    let reader = Reader { limits: *limits, nodes: Cell::new(0), fault: RefCell::new(None) };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Seed { reader: &reader, depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| JsonError::NotJson(error.to_string()))?;
    match reader.fault.into_inner() {
        Some(fault) => Err(fault),
        None => Ok(value),
    }
}

struct Reader {
    limits: Limits,
    nodes: Cell<usize>,
    fault: RefCell<Option<JsonError>>,
}

impl Reader {
    fn report(&self, fault: JsonError) {
        self.fault.borrow_mut().get_or_insert(fault);
    }

    fn is_faulty(&self) -> bool {
        self.fault.borrow().is_some()
    }
}

struct Seed<'a> {
    reader: &'a Reader,
    depth: usize,
}

impl Seed<'_> {
    fn enter(&self) -> bool {
        if self.depth >= self.reader.limits.depth {
            self.reader.report(JsonError::TooDeep { limit: self.reader.limits.depth });
        }
        !self.reader.is_faulty()
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let count = self.reader.nodes.get() + 1;
        self.reader.nodes.set(count);
        if count > self.reader.limits.nodes {
            self.reader.report(JsonError::TooManyNodes { limit: self.reader.limits.nodes });
        }
        if self.reader.is_faulty() {
            // Skipping is iterative and keeps nothing: only the syntax still matters.
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|IgnoredAny| Value::Null);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        if !self.enter() {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        }
        let mut values = Vec::new();
        while let Some(value) =
            items.next_element_seed(Seed { reader: self.reader, depth: self.depth + 1 })?
        {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        if !self.enter() {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        }
        let mut seen = BTreeSet::new();
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                self.reader.report(JsonError::DuplicateKey { key: key.clone() });
            }
            let value =
                entries.next_value_seed(Seed { reader: self.reader, depth: self.depth + 1 })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// The JSON pointer (RFC 6901) of a path of keys and indexes.
#[must_use]
pub fn pointer<S: AsRef<str>>(path: &[S]) -> String {
    let mut pointer = String::new();
    for step in path {
        pointer.push('/');
        pointer.push_str(&step.as_ref().replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

/// The text of `value` when serialized, which for a tree of JSON values cannot fail.
pub(crate) fn to_text(value: &Value) -> String {
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_error_wins_over_a_repeated_key() {
        assert!(matches!(parse(br#"{"a":1,"a":2"#, &LIMITS), Err(JsonError::NotJson(_))));
        assert_eq!(
            parse(br#"{"a":1,"a":2}"#, &LIMITS),
            Err(JsonError::DuplicateKey { key: "a".to_owned() })
        );
    }
}
