//! Mutants of what is said: members in other places, under other names, swapped and twice.

use serde_json::{Map, Value, json};

use super::good::{Good, Signature, token};
use super::kinds::{Dice, Mutant};
use super::signing::changed;

/// The objects of a document by their JSON pointers, the outermost first.
fn objects(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), value)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(object) => {
                found.push(pointer.clone());
                let name = |key: &str| key.replace('~', "~0").replace('/', "~1");
                open.extend(object.iter().map(|(key, v)| (format!("{pointer}/{}", name(key)), v)));
            }
            Value::Array(values) => {
                open.extend(values.iter().enumerate().map(|(n, v)| (format!("{pointer}/{n}"), v)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found.sort_unstable();
    found
}

fn object<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Map<String, Value> {
    document.pointer_mut(pointer).unwrap().as_object_mut().unwrap()
}

/// The pointer of an object, and the name of one of its members.
fn member(document: &mut Value, dice: &mut Dice) -> Option<(String, String)> {
    let pointer = dice.pick(&objects(document)).clone();
    let keys: Vec<String> = object(document, &pointer).keys().cloned().collect();
    (!keys.is_empty()).then(|| (pointer, dice.pick(&keys).clone()))
}

/// A member is moved to another object.
pub fn moved(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    changed(good, |document| {
        let (from, key) = member(document, dice)?;
        let value = object(document, &from).remove(&key)?;
        let to = dice.pick(&objects(document)).clone();
        let target = object(document, &to);
        if dice.once_in(3) {
            target.insert(key, value);
        } else {
            target.entry(key).or_insert(value);
        }
        Some(())
    })
}

/// A member gets another name.
pub fn renamed(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    changed(good, |document| {
        let (at, key) = member(document, dice)?;
        let mut other = document.clone();
        let name = match dice.below(9) {
            0 => format!("@{key}"),
            1 => key.to_uppercase(),
            2 => format!("{key} "),
            3 => format!("https://www.w3.org/2018/credentials#{key}"),
            4 => format!("https://purl.imsglobal.org/spec/vc/ob/vocab.html#{key}"),
            5 => format!("_:{key}"),
            6 => format!("{key}\u{0}"),
            _ => member(&mut other, dice)?.1,
        };
        let object = object(document, &at);
        let value = object.remove(&key)?;
        if object.contains_key(&name) && dice.once_in(2) {
            return None;
        }
        object.insert(name, value);
        Some(())
    })
}

/// Levels, values and descriptions change places; a result is dropped or stands for another criterion.
pub fn swapped(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    changed(good, |document| {
        let subject = &mut document["credentialSubject"];
        let results = subject["result"].as_array()?.clone();
        let descriptions = subject["achievement"]["resultDescription"].as_array()?.clone();
        let index = |dice: &mut Dice| dice.below(results.len());
        let (a, b) = (index(dice), index(dice));
        let (c, d) = (dice.below(descriptions.len()), dice.below(descriptions.len()));
        match dice.below(7) {
            0 | 1 => {
                let key = *dice.pick(&["achievedLevel", "value", "resultDescription", "type"]);
                swap(&mut subject["result"], (a, key), (b, key))
            }
            2 | 3 => {
                let names = ["id", "name", "requiredLevel", "resultType", "rubricCriterionLevel"];
                let key = *dice.pick(&names);
                swap(&mut subject["achievement"]["resultDescription"], (c, key), (d, key))
            }
            4 => {
                let levels =
                    &mut subject["achievement"]["resultDescription"][c]["rubricCriterionLevel"];
                let n_levels = levels.as_array()?.len();
                let key = *dice.pick(&["id", "name", "level", "description"]);
                swap(levels, (dice.below(n_levels), key), (dice.below(n_levels), key))
            }
            5 => {
                // Another level of the same criterion, or the one that is required becomes another.
                let levels = descriptions[c]["rubricCriterionLevel"].as_array()?;
                let level = dice.pick(levels)["id"].clone();
                if dice.once_in(2) {
                    subject["achievement"]["resultDescription"][c]["requiredLevel"] = level;
                } else {
                    let found = subject["result"]
                        .as_array_mut()?
                        .iter_mut()
                        .find(|result| result["resultDescription"] == descriptions[c]["id"])?;
                    found["achievedLevel"] = level;
                }
                Some(())
            }
            _ => {
                let results = subject["result"].as_array_mut()?;
                let result = results.remove(a);
                if dice.once_in(2) {
                    let mut again = result.clone();
                    again["value"] = json!(dice.below(5).to_string());
                    results.extend([result, again]);
                }
                Some(())
            }
        }
    })
}

/// Swaps a member of one item with a member of another; none when one has no such member.
fn swap(items: &mut Value, one: (usize, &str), other: (usize, &str)) -> Option<()> {
    let value = items[one.0].get(one.1)?.clone();
    let other_value = items[other.0].get(other.1)?.clone();
    items[one.0][one.1] = other_value;
    items[other.0][other.1] = value;
    Some(())
}

/// One key twice in one object, the second value the same or another, in front of all members or behind them.
pub fn doubled_key(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let Signature::Token { secret, .. } = &good.signature else {
        return Some(Mutant::of_text(good, twice(&good.document(), dice)?));
    };
    let (mut header, mut payload) = (good.header().to_string(), good.document().to_string());
    if dice.once_in(3) {
        header = twice(&good.header(), dice)?;
    } else {
        payload = twice(&good.document(), dice)?;
    }
    Some(Mutant::of_text(good, token(secret, &header, &payload)))
}

fn twice(document: &Value, dice: &mut Dice) -> Option<String> {
    const MARK: &str = "mark-of-the-place";
    let mut document = document.clone();
    let (at, key) = member(&mut document, dice)?;
    let same = object(&mut document, &at).get(&key)?.clone();
    let value = match dice.below(4) {
        0 => same,
        1 => Value::Null,
        2 => json!("none"),
        _ => json!({"id": "https://stranger.example/issuers/1"}),
    };
    let name = if dice.once_in(3) { escaped(&key) } else { json!(key).to_string() };
    // The place is marked with a member that sorts in front of all others; the text is then cut there.
    let entry = format!("{name}:{value}");
    let in_front = dice.once_in(2);
    let members = std::mem::take(object(&mut document, &at));
    object(&mut document, &at).insert(MARK.to_owned(), Value::Null);
    let inner = Value::Object(members).to_string();
    let inner = inner.strip_prefix('{')?.strip_suffix('}')?;
    let all = if in_front { format!("{entry},{inner}") } else { format!("{inner},{entry}") };
    Some(document.to_string().replacen(&format!("\"{MARK}\":null"), &all, 1))
}

/// A key of which each letter is an escape: another text, the same key.
fn escaped(key: &str) -> String {
    let letters: String = key.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{letters}\"")
}
