//! What holds for every package and every table of what is above what.

use std::collections::{BTreeMap, BTreeSet};

use assay::domain::framework::find_circle;
use assay::service::case_document::{export, read};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{PUBLISHED, standards};

/// A value of any form, of few layers.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|number| json!(number)),
        (-9_999_i32..9_999).prop_map(|cents| json!(f64::from(cents) / 100.0)),
        "[^\u{0}]{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[a-z~/\"é]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Pointers to the objects of a package that are not somebody's free extensions.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.push(pointer.to_owned());
            for (name, member) in members.iter().filter(|(name, _)| *name != "extensions") {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(member, &format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Unknown members anywhere, and any extensions, go out by the schema and come back whole, however often.
    #[test]
    fn a_package_with_anything_in_it_loses_nothing(
        added in prop::collection::vec((any::<prop::sample::Index>(), "[a-zA-Z~/é]{1,8}", any_value()), 0..12),
        extensions in prop::option::of(prop::collection::btree_map("[a-z]{1,6}", any_value(), 0..3)),
    ) {
        let mut package = standards();
        if let Some(extensions) = extensions {
            package["extensions"] = Value::Object(extensions.into_iter().collect());
        }
        for (place, name, value) in added {
            let mut found = Vec::new();
            places(&package, "", &mut found);
            let object = package.pointer_mut(place.get(&found[..]).as_str()).unwrap().as_object_mut().unwrap();
            // With a letter in front it is no name of CASE's.
            object.entry(format!("x{name}")).or_insert(value);
        }
        let first = read(&package).unwrap();
        prop_assert_eq!(&first.document, &package);
        let exported = export(&package);
        prop_assert!(PUBLISHED.is_valid(&exported));
        let text = exported.to_string();
        let again = read(&serde_json::from_str(&text).unwrap()).unwrap();
        prop_assert_eq!(&again, &first);
        prop_assert_eq!(export(&again.document), exported);
    }

    /// A circle is found if and only if somebody can be reached from themselves.
    #[test]
    fn circles_are_what_can_be_reached_from_itself(
        edges in prop::collection::vec((0_usize..7, 0_usize..7), 0..14),
    ) {
        const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
        let mut above: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (child, parent) in edges {
            above.entry(NAMES[child]).or_default().push(NAMES[parent]);
        }
        let reached = |from: &str| {
            let mut known = BTreeSet::new();
            let mut open: Vec<&str> = above.get(from).into_iter().flatten().copied().collect();
            while let Some(node) = open.pop() {
                if known.insert(node) {
                    open.extend(above.get(node).into_iter().flatten().copied());
                }
            }
            known
        };
        match find_circle(&above) {
            Some(node) => prop_assert!(reached(node).contains(node)),
            None => prop_assert!(NAMES.iter().all(|name| !reached(name).contains(name))),
        }
    }
}
