//! Stacks: what counts, how far somebody is, what a stack's document must be, and its award.

mod authoring;
mod earning;
mod falling;
mod lanes;

use std::collections::BTreeSet;

use assay::domain::award::AwardState;
use assay::domain::stack::{PartsNow, StackChange, StackRule, follow, is_live};
use assay::domain::timestamp::Timestamp;
use assay::service::stack_document::parse;
use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{District, TestApp, definition};

const FOUNDATION: &str = "mc-ia-small-group-support";
const ELECTIVES: [&str; 2] = ["mc-shared-decision-making", "mc-students-as-leaders"];

fn shipped(name: &str) -> Value {
    let path = format!("{}/credential-schemas/stacks/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Publishes a micro-credential of this id that one reader decides, and returns its family.
#[track_caller]
fn publish(district: &District, slug: &str, months: Option<u32>) -> String {
    let mut definition = definition(FOUNDATION);
    definition["id"] = json!(slug);
    if let Some(months) = months {
        definition["validity"] = json!({ "expires_after_months": months });
    }
    district.publish(&definition)
}

/// The shipped pathway with everything that it names, published.
struct Pathway {
    app: TestApp,
    district: District,
    foundation: String,
    electives: [String; 2],
    stack: String,
}

impl Pathway {
    #[track_caller]
    fn new(months: Option<u32>) -> Pathway {
        let app = TestApp::new();
        let district = app.district();
        let foundation = publish(&district, FOUNDATION, months);
        let electives = ELECTIVES.map(|slug| publish(&district, slug, None));
        let stack = publish_stack(&district, &shipped("pathway-grow-your-own"));
        Pathway { app, district, foundation, electives, stack }
    }

    /// The earner's award of the pathway, with the awards that it rests on.
    #[track_caller]
    fn earn(&self) -> (String, [String; 2]) {
        let parts = [&self.foundation, &self.electives[0]]
            .map(|family| self.district.award(&self.district.earner, family).1);
        let path = format!("/api/v1/stacks/{}/awards", self.stack);
        let award = self.district.earner.act(&path).expect(201);
        assert_eq!(award["state"], "active");
        (award["id"].as_str().unwrap().to_owned(), parts)
    }

    #[track_caller]
    fn state_of(&self, award: &str) -> String {
        let earner = self.app.sign_in(&self.district.earner.email);
        let award = earner.get(&format!("/api/v1/awards/{award}")).expect(200);
        award["state"].as_str().unwrap().to_owned()
    }
}

/// Drafts and publishes a stack by two designers, and returns its id.
#[track_caller]
pub fn publish_stack(district: &District, document: &Value) -> String {
    let [author, colleague] = &district.designers;
    let path = format!("/api/v1/organizations/{}/stacks", district.id);
    let draft = author.post(&path, &json!({ "definition": document })).expect(201);
    let id = draft["id"].as_str().unwrap().to_owned();
    colleague.act(&format!("/api/v1/stacks/{id}/publish")).expect(200);
    id
}

fn rule(name: &str) -> StackRule {
    parse(&shipped(name)).unwrap().rule
}

fn held(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// Each part as (held, missing, needed).
fn parts(rule: &StackRule, ids: &[&str]) -> Vec<(Vec<String>, Vec<String>, usize)> {
    let progress = rule.progress(&held(ids));
    progress.parts.into_iter().map(|part| (part.held, part.missing, part.needed)).collect()
}

fn list(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn collective_leadership_needs_both_of_its_parts() {
    let rule = rule("stack-collective-leadership");
    let (decisions, leaders) = ("mc-shared-decision-making", "mc-students-as-leaders");
    assert_eq!(
        parts(&rule, &[decisions]),
        [(list(&[decisions]), list(&[]), 0), (list(&[]), list(&[leaders]), 1),]
    );
    assert!(!rule.progress(&held(&[leaders])).is_met());
    let both = rule.progress(&held(&[decisions, leaders, "mc-other"]));
    assert!(both.is_met());
    assert_eq!(both.counted(), BTreeSet::from([decisions, leaders]));
}

#[test]
fn grow_your_own_needs_so_many_of_each_category() {
    let rule = rule("pathway-grow-your-own");
    let electives = ["mc-shared-decision-making", "mc-students-as-leaders"];
    assert_eq!(
        parts(&rule, &["mc-students-as-leaders"]),
        [
            (list(&[]), list(&["mc-ia-small-group-support"]), 1),
            (list(&electives[1..]), list(&electives[..1]), 0),
        ]
    );
    assert!(!rule.progress(&held(&electives)).is_met(), "electives do not make up for the rest");
    assert!(rule.progress(&held(&["mc-ia-small-group-support", electives[0]])).is_met());
    let named: BTreeSet<String> = rule.ids().into_iter().map(str::to_owned).collect();
    for id in named {
        assert_eq!(
            crate::harness::definition(&id)["id"],
            json!(id),
            "a definition that is shipped"
        );
    }
}

#[test]
fn only_active_awards_count() {
    for state in AwardState::ALL {
        assert_eq!(is_live(*state), *state == AwardState::Active, "{state}");
    }
}

#[test]
fn award_of_a_stack_falls_with_its_rule_and_comes_back_in_time() {
    let at = |days: i64| Timestamp::new(DateTime::UNIX_EPOCH + TimeDelta::days(days));
    let case = |state, is_met, has_all_named, fell: bool, days| {
        let parts = PartsNow { is_met, has_all_named, fell_at: fell.then(|| at(0)) };
        follow(state, &parts, at(days))
    };
    let (active, suspended) = (AwardState::Active, AwardState::Suspended);
    assert_eq!(case(active, true, true, false, 0), StackChange::Stays);
    assert_eq!(case(active, true, false, false, 0), StackChange::Stays, "others make up for it");
    assert_eq!(case(active, false, false, false, 0), StackChange::Falls);
    assert_eq!(case(suspended, false, true, true, 0), StackChange::Stays);
    assert_eq!(case(suspended, true, false, true, 60), StackChange::Returns);
    assert_eq!(case(suspended, true, false, true, 61), StackChange::Stays);
    assert_eq!(case(suspended, true, true, true, 1000), StackChange::Returns);
    assert_eq!(case(suspended, true, true, false, 0), StackChange::Stays, "a panel has it");
    for state in AwardState::ALL.iter().filter(|state| ![active, suspended].contains(state)) {
        assert_eq!(case(*state, false, false, true, 0), StackChange::Stays, "{state}");
    }
}

#[test]
fn every_fault_of_a_stack_is_listed_with_its_place() {
    let faults = |document: &Value| -> Vec<(String, &'static str)> {
        let errors = parse(document).unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.code)).collect()
    };
    let mut bad = shipped("pathway-grow-your-own");
    bad.as_object_mut().unwrap().remove("title");
    bad["rule"]["categories"][0]["min"] = json!(2);
    bad["rule"]["categories"][1]["ids"][0] = json!("mc-ia-small-group-support");
    bad["rule"]["categories"][1]["colour"] = json!("green");
    let at = |pointer: &str, code| (pointer.to_owned(), code);
    assert_eq!(
        faults(&bad),
        [
            at("/rule/categories/0/min", "out_of_reach"),
            at("/rule/categories/1/colour", "unknown_field"),
            at("/rule/categories/1/ids/0", "repeated_item"),
            at("/title", "missing_field"),
        ]
    );
    let nested = |layers: usize| {
        let leaf = json!({ "type": "all_of", "ids": ["mc-a"] });
        (1..layers).fold(leaf, |inner, _| json!({ "type": "and", "of": [inner] }))
    };
    let mut deep = shipped("stack-collective-leadership");
    deep["rule"] = nested(4);
    assert!(parse(&deep).is_ok());
    deep["rule"] = nested(5);
    assert_eq!(faults(&deep), [at("/rule/of/0/of/0/of/0/of/0", "too_deep")]);
    deep["rule"] = json!({ "type": "at_least", "min": 0, "ids": [] });
    assert_eq!(faults(&deep), [at("/rule/ids", "too_few_items"), at("/rule/min", "too_small")]);
    deep["rule"] = json!({ "type": "any_of", "ids": ["mc-a"] });
    assert_eq!(faults(&deep), [at("/rule/type", "not_allowed")]);
}

const IDS: [&str; 5] = ["mc-a", "mc-b", "mc-c", "mc-d", "mc-e"];

fn any_ids() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(IDS.to_vec(), 1..=5)
}

fn any_rule() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any_ids().prop_map(|ids| json!({ "type": "all_of", "ids": ids })),
        (any_ids(), any::<prop::sample::Index>()).prop_map(|(ids, min)| {
            json!({ "type": "at_least", "min": min.index(ids.len()) + 1, "ids": ids })
        }),
        (any_ids(), any_ids()).prop_map(|(one, two)| {
            let two: Vec<&str> = two.into_iter().filter(|id| !one.contains(id)).collect();
            let mut categories = vec![json!({ "name": "One", "min": 1, "ids": one })];
            if !two.is_empty() {
                categories.push(json!({ "name": "Two", "min": two.len(), "ids": two }));
            }
            json!({ "type": "minimum_per_category", "categories": categories })
        }),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop::collection::vec(inner, 1..4).prop_map(|of| json!({ "type": "and", "of": of }))
    })
}

/// The rule as its JSON says it, read in another way than the service reads it.
fn holds(rule: &Value, held: &BTreeSet<String>) -> bool {
    let n_held = |part: &Value| {
        let ids = part["ids"].as_array().unwrap();
        u64::try_from(ids.iter().filter(|id| held.contains(id.as_str().unwrap())).count()).unwrap()
    };
    match rule["type"].as_str().unwrap() {
        "and" => rule["of"].as_array().unwrap().iter().all(|inner| holds(inner, held)),
        "all_of" => n_held(rule) == rule["ids"].as_array().unwrap().len() as u64,
        "at_least" => n_held(rule) >= rule["min"].as_u64().unwrap(),
        _ => {
            let categories = rule["categories"].as_array().unwrap();
            categories.iter().all(|one| n_held(one) >= one["min"].as_u64().unwrap())
        }
    }
}

proptest! {
    /// A rule is met when it says so; what is missing would meet it; and one award more never makes it worse.
    #[test]
    fn progress_says_what_the_rule_says(
        value in any_rule(),
        ids in prop::sample::subsequence(IDS.to_vec(), 0..=5),
        more in 0_usize..5,
    ) {
        let mut document = shipped("stack-collective-leadership");
        document["rule"] = value.clone();
        let rule = parse(&document).unwrap().rule;
        let mut own = held(&ids);
        let progress = rule.progress(&own);
        prop_assert_eq!(progress.is_met(), holds(&value, &own));
        prop_assert!(progress.parts.iter().all(|part| part.needed <= part.missing.len()));
        let counted = progress.counted();
        prop_assert!(counted.iter().all(|id| own.contains(*id) && rule.ids().contains(id)));

        let mut enough = own.clone();
        for part in &progress.parts {
            enough.extend(part.missing.iter().take(part.needed).cloned());
        }
        prop_assert!(rule.progress(&enough).is_met());
        own.insert(IDS[more].to_owned());
        let next = rule.progress(&own);
        for (before, after) in progress.parts.iter().zip(&next.parts) {
            prop_assert!(after.needed <= before.needed);
        }
    }
}
