//! The comparison in words agrees with the hashes: what it calls scored is what the scoring hash covers, for every change there can be.

use assay::service::definition_document::{differences, parse};
use serde_json::Value;

use crate::harness::definition;

/// Every definition with one thing changed: a leaf, an item of a list taken out, a list turned round, a member taken out.
fn mutants(document: &Value) -> Vec<Value> {
    let mut pointers = Vec::new();
    collect(document, String::new(), &mut pointers);
    let mut mutants = Vec::new();
    for pointer in pointers {
        let change = |change: &dyn Fn(&mut Value)| {
            let mut mutant = document.clone();
            change(mutant.pointer_mut(&pointer).unwrap());
            mutant
        };
        match document.pointer(&pointer).unwrap() {
            Value::String(_) => mutants.push(change(&|value| {
                *value = format!("{}x", value.as_str().unwrap()).into();
            })),
            Value::Number(_) => {
                mutants.push(change(&|value| *value = (value.as_i64().unwrap() + 1).into()));
            }
            Value::Bool(_) => mutants.push(change(&|value| {
                *value = (!value.as_bool().unwrap()).into();
            })),
            Value::Array(items) => {
                for index in 0..items.len() {
                    mutants
                        .push(change(&|value| drop(value.as_array_mut().unwrap().remove(index))));
                }
                if items.len() > 1 {
                    mutants.push(change(&|value| value.as_array_mut().unwrap().reverse()));
                }
            }
            Value::Object(members) => {
                for name in members.keys() {
                    mutants
                        .push(change(&|value| drop(value.as_object_mut().unwrap().remove(name))));
                }
            }
            Value::Null => {}
        }
    }
    mutants
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            collect(member, format!("{pointer}/{name}"), pointers);
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| {
            collect(item, format!("{pointer}/{index}"), pointers);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    pointers.push(pointer);
}

#[test]
fn what_is_called_scored_is_what_the_scoring_hash_covers() {
    let (mut n_scored, mut n_free) = (0, 0);
    for id in ["mc-ia-small-group-support", "mc-shared-decision-making", "mc-students-as-leaders"] {
        let document = definition(id);
        let before = parse(&document).unwrap();
        assert_eq!(differences(&document, &document), []);
        for mutant in mutants(&document) {
            let Ok(after) = parse(&mutant) else { continue };
            for (old, new) in [(&document, &mutant), (&mutant, &document)] {
                let told = differences(old, new);
                assert!(!told.is_empty() && told.iter().all(|one| one.detail.ends_with('.')));
                let is_scored = told.iter().any(|one| one.is_scored);
                assert_eq!(is_scored, before.scoring_hash != after.scoring_hash, "{told:?}");
                for one in &told {
                    let found = new.pointer(&one.pointer).or_else(|| old.pointer(&one.pointer));
                    assert!(found.is_some() || one.pointer.ends_with("prose"), "{one:?}");
                }
            }
            if before.scoring_hash == after.scoring_hash { n_free += 1 } else { n_scored += 1 }
        }
    }
    assert!(n_scored > 100 && n_free > 100, "{n_scored} scored, {n_free} free");
}
