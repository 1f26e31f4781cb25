//! The categories of a file of ratings: declared in it, or those that occur.

use std::collections::HashMap;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use crate::domain::statistics::MAX_CATEGORIES;

/// A category as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Label {
    /// A number.
    Number(f64),
    /// A word.
    Word(String),
}

impl Label {
    /// The label of a value, `None` of `null`.
    pub fn read(value: &Value) -> anyhow::Result<Option<Label>> {
        Ok(Some(match value {
            Value::Null => return Ok(None),
            Value::Bool(is_true) => Label::Number(f64::from(u8::from(*is_true))),
            Value::Number(number) => {
                let number = number.as_f64().filter(|number| number.is_finite());
                // Adding 0 makes one zero of the two.
                Label::Number(number.context("a number is too large")? + 0.0)
            }
            Value::String(word) => Label::Word(word.clone()),
            Value::Array(_) | Value::Object(_) => {
                bail!("a rating is a number, a word or null, not a list or an object")
            }
        }))
    }

    /// The same for the same label, for looking it up.
    fn key(&self) -> (u64, &str) {
        match self {
            Label::Number(number) => (number.to_bits(), ""),
            Label::Word(word) => (u64::MAX, word),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Label::Number(number) => Some(*number),
            Label::Word(_) => None,
        }
    }

    /// Numbers by size, then words by letters.
    pub fn compare(&self, other: &Label) -> std::cmp::Ordering {
        match (self, other) {
            (Label::Number(one), Label::Number(other)) => one.total_cmp(other),
            (Label::Number(_), Label::Word(_)) => std::cmp::Ordering::Less,
            (Label::Word(_), Label::Number(_)) => std::cmp::Ordering::Greater,
            (Label::Word(one), Label::Word(other)) => one.cmp(other),
        }
    }
}

impl From<Label> for Value {
    fn from(label: Label) -> Value {
        match label {
            Label::Number(number) => whole(number).map_or(Value::from(number), Value::from),
            Label::Word(word) => Value::from(word),
        }
    }
}

/// A number that is whole, and small enough for a float to hold it exactly.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// What is known of the values behind the categories.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// The categories are numbers.
    Numbers(Vec<f64>),
    /// The categories follow each other; what they are called is not known.
    Positions,
    /// The categories are words.
    Words,
}

/// The categories, lowest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    labels: Vec<Label>,
    values: Values,
    is_ordered: bool,
    is_stepped: bool,
}

impl Scale {
    /// The scale that the data declares as `scale`, `levels`, `categories` or `labels`, if any. Without a kind of scale, the order of
    /// declaration counts.
    pub fn declared(data: &Map<String, Value>) -> anyhow::Result<Option<Scale>> {
        let lists = ["scale", "levels", "categories", "labels"];
        let Some(listed) = lists.iter().find_map(|key| data.get(*key)?.as_array()) else {
            return Ok(None);
        };
        let mut labels = Vec::with_capacity(listed.len());
        for value in listed {
            let label = Label::read(value)?.context("a category of the scale is null")?;
            labels.push(label);
        }
        let mut keys: Vec<_> = labels.iter().map(Label::key).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() != labels.len() {
            bail!("the scale has a category twice");
        }
        let numbers: Option<Vec<f64>> = labels.iter().map(Label::number).collect();
        let is_nominal = data.get("scale_type").and_then(Value::as_str) == Some("nominal");
        let is_ordered = numbers.is_some() || !is_nominal;
        let values = numbers.map_or(Values::Words, Values::Numbers);
        Ok(Some(Scale { labels, values, is_ordered, is_stepped: is_ordered }))
    }

    /// Categories of which only the places are known.
    pub fn of_positions(size: usize) -> Scale {
        let labels = (0..size).map(|at| Label::Number(at as f64)).collect();
        Scale { labels, values: Values::Positions, is_ordered: true, is_stepped: true }
    }

    /// The categories that occur. Between whole numbers those are meant that lie between: nobody gave them, but they are levels.
    pub fn inferred<'a>(ratings: impl Iterator<Item = &'a Label>) -> Scale {
        let mut labels: Vec<Label> = ratings.cloned().collect();
        labels.sort_by(Label::compare);
        labels.dedup();
        let numbers: Option<Vec<f64>> = labels.iter().map(Label::number).collect();
        let Some(numbers) = numbers else {
            return Scale { labels, values: Values::Words, is_ordered: false, is_stepped: false };
        };
        let ends = numbers.first().zip(numbers.last());
        if let Some((low, high)) = ends
            && numbers.iter().all(|number| whole(*number).is_some())
            && high - low < MAX_CATEGORIES as f64
        {
            let size = (high - low) as usize + 1;
            let all: Vec<f64> = (0..size).map(|at| low + at as f64).collect();
            let labels = all.iter().copied().map(Label::Number).collect();
            let values = Values::Numbers(all);
            return Scale { labels, values, is_ordered: true, is_stepped: true };
        }
        let is_stepped = numbers.is_empty();
        Scale { labels, values: Values::Numbers(numbers), is_ordered: true, is_stepped }
    }

    /// How many categories there are.
    pub fn size(&self) -> usize {
        self.labels.len()
    }

    /// The categories as they are written.
    pub fn to_json(&self) -> Vec<Value> {
        self.labels.iter().cloned().map(Value::from).collect()
    }

    /// What is known of the values.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Whether the categories have an order.
    pub fn is_ordered(&self) -> bool {
        self.is_ordered
    }

    /// Whether neighbours on the scale are one step apart.
    pub fn is_stepped(&self) -> bool {
        self.is_stepped
    }

    /// Where each label stands.
    pub fn places(&self) -> Places<'_> {
        Places::of(&self.labels)
    }

    /// The lowest category that passes, if the data names a cut.
    pub fn cut(&self, data: &Map<String, Value>) -> anyhow::Result<Option<usize>> {
        let Some(cut) = data.get("cut").map(Label::read).transpose()?.flatten() else {
            return Ok(None);
        };
        if let Some(place) = self.labels.iter().position(|label| *label == cut) {
            return Ok(Some(place));
        }
        match (&self.values, &cut) {
            (Values::Numbers(numbers), Label::Number(cut))
                if numbers.is_sorted() && self.is_ordered =>
            {
                Ok(Some(numbers.partition_point(|number| number < cut)))
            }
            (Values::Numbers(_) | Values::Positions | Values::Words, _) => {
                bail!("the cut is not on the scale")
            }
        }
    }
}

/// Where each label of a scale stands.
pub struct Places<'a>(HashMap<(u64, &'a str), usize>);

impl<'a> Places<'a> {
    /// The places in a list of labels.
    pub fn of(labels: &'a [Label]) -> Places<'a> {
        Places(labels.iter().enumerate().map(|(at, label)| (label.key(), at)).collect())
    }

    /// The place of a label.
    pub fn find(&self, label: &Label) -> anyhow::Result<usize> {
        self.0.get(&label.key()).copied().with_context(|| {
            format!("the rating {} is not on the scale", Value::from(label.clone()))
        })
    }
}
