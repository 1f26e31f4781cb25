//! What publishing refuses: each code by a small change of a shipped definition.

use std::collections::BTreeSet;

use assay::service::definition_document::findings;
use serde_json::{Value, json};

use super::{
    ALLOWED_MEDIA, SHARED_DECISION_MAKING, SHIPPED, SMALL_GROUP_SUPPORT, STUDENTS_AS_LEADERS,
    definition, parse, with,
};

#[test]
fn shipped_definitions_have_no_findings() {
    for text in SHIPPED {
        assert_eq!(findings(&definition(text), &ALLOWED_MEDIA), []);
    }
}

/// A shipped definition, where to change it and to what, and the only finding that follows.
type Case = (&'static str, &'static str, Value, &'static str, &'static str);

fn cases() -> Vec<Case> {
    let level = |level: u8| json!({ "level": level, "label": "Label", "descriptor": "Words." });
    let rule = "/decision_rule";
    vec![
        (
            SHARED_DECISION_MAKING,
            "/submission/part2/criteria/3/id",
            json!("c2"),
            "/submission/part2/criteria/3/id",
            "duplicate_id",
        ),
        (
            SHARED_DECISION_MAKING,
            "/submission/part3/prompts/0/id",
            json!("q1"),
            "/submission/part3/prompts/0/id",
            "duplicate_id",
        ),
        // One set of ids: levels are given to prompts and criteria alike.
        (
            SHARED_DECISION_MAKING,
            "/submission/part2/criteria/0/id",
            json!("q2"),
            "/submission/part2/criteria/0/id",
            "duplicate_id",
        ),
        (
            SHARED_DECISION_MAKING,
            "/submission/part2/evidence/-",
            json!({ "id": "a1", "title": "Again", "required": false, "media": ["image/png"], "max_items": 1 }),
            "/submission/part2/evidence/4/id",
            "duplicate_id",
        ),
        (
            SMALL_GROUP_SUPPORT,
            "/submission/part2/criteria/0/levels",
            json!([level(0)]),
            "/submission/part2/criteria/0/levels",
            "too_few_levels",
        ),
        (
            SMALL_GROUP_SUPPORT,
            "/submission/part1/prompts/0/levels",
            json!([level(0)]),
            "/submission/part1/prompts/0/levels",
            "too_few_levels",
        ),
        (
            SMALL_GROUP_SUPPORT,
            "/submission/part1/prompts/0/levels",
            json!([level(0), level(1), level(2)]),
            "/submission/part1/prompts/0/levels",
            "too_many_levels",
        ),
        (
            SMALL_GROUP_SUPPORT,
            "/submission/part2/criteria/1/levels/2/level",
            json!(3),
            "/submission/part2/criteria/1/levels/2/level",
            "level_gap",
        ),
        (
            SMALL_GROUP_SUPPORT,
            "/submission/part2/criteria/1/levels",
            json!([level(2), level(1), level(0)]),
            "/submission/part2/criteria/1/levels/0/level",
            "level_gap",
        ),
        (
            SMALL_GROUP_SUPPORT,
            "/submission/part3/prompts/0/levels",
            json!([level(1), level(2)]),
            "/submission/part3/prompts/0/levels/0/level",
            "level_gap",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/submission/part2/criteria/2/pass_level",
            json!(0),
            "/submission/part2/criteria/2/pass_level",
            "pass_level_zero",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/submission/part2/criteria/2/pass_level",
            json!(4),
            "/submission/part2/criteria/2/pass_level",
            "pass_level_above_top",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/submission/part2/criteria/0/evidence",
            json!([]),
            "/submission/part2/criteria/0/evidence",
            "criterion_without_evidence",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/submission/part2/criteria/1/evidence/2",
            json!("a9"),
            "/submission/part2/criteria/1/evidence/2",
            "unknown_evidence",
        ),
        (
            SHARED_DECISION_MAKING,
            "/team_evidence/shared_artifacts/1",
            json!("a9"),
            "/team_evidence/shared_artifacts/1",
            "unknown_evidence",
        ),
        (
            SHARED_DECISION_MAKING,
            "/team_evidence/individual_artifacts/0",
            json!("q1"),
            "/team_evidence/individual_artifacts/0",
            "unknown_evidence",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/validity/renewal/evidence/0",
            json!("r2"),
            "/validity/renewal/evidence/0",
            "unknown_evidence",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/validity/renewal/prompts/0",
            json!("c1"),
            "/validity/renewal/prompts/0",
            "unknown_prompt",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/submission/part2/evidence/3/media/1",
            json!("application/zip"),
            "/submission/part2/evidence/3/media/1",
            "media_not_allowed",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/decision_rule/of/0/parts/1",
            json!("part2"),
            "/decision_rule/of/0/parts/1",
            "rule_unknown_part",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/decision_rule/of/0/level",
            json!(2),
            "/decision_rule/of/0/level",
            "rule_level_out_of_reach",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/decision_rule/of/3/level",
            json!(4),
            "/decision_rule/of/3/level",
            "rule_level_out_of_reach",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/decision_rule/of/2/min",
            json!(6),
            "/decision_rule/of/2/min",
            "rule_count_out_of_reach",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/decision_rule/of/2",
            json!({ "type": "and", "of": [{ "type": "count_criteria_at_pass_level", "min": 99 }] }),
            "/decision_rule/of/2/of/0/min",
            "rule_count_out_of_reach",
        ),
        (
            STUDENTS_AS_LEADERS,
            rule,
            json!({ "type": "all_criteria_at_least", "level": 9 }),
            "/decision_rule/level",
            "rule_level_out_of_reach",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/decision_rule/of/3/level",
            json!(0),
            "/decision_rule/of/3/level",
            "rule_always_met",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/decision_rule/of/2/min",
            json!(0),
            "/decision_rule/of/2/min",
            "rule_always_met",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/decision_rule/of/0/level",
            json!(0),
            "/decision_rule/of/0/level",
            "rule_always_met",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/review_policy/double_when/any_criterion_at_levels/1",
            json!(4),
            "/review_policy/double_when/any_criterion_at_levels/1",
            "unknown_level",
        ),
        (
            STUDENTS_AS_LEADERS,
            "/review_policy/adjudicate_on_decision_split",
            json!(false),
            "/review_policy/adjudicate_on_decision_split",
            "without_adjudication",
        ),
    ]
}

#[test]
fn each_flaw_is_found_alone_and_in_its_place() {
    for (text, pointer, value, expected_pointer, expected_code) in cases() {
        let document = with(text, pointer, value.clone());
        let found = findings(&parse(&document).definition, &ALLOWED_MEDIA);
        let places: Vec<_> =
            found.iter().map(|found| (found.pointer.as_str(), found.code)).collect();
        assert_eq!(places, [(expected_pointer, expected_code)], "{pointer} = {value}");
        assert!(found[0].detail.ends_with('.'), "not a sentence: {}", found[0].detail);
    }
}

#[test]
fn only_the_highest_level_may_pass() {
    let document = with(STUDENTS_AS_LEADERS, "/submission/part2/criteria/2/pass_level", json!(3));
    assert_eq!(findings(&parse(&document).definition, &ALLOWED_MEDIA), []);
}

#[test]
fn essential_rule_wants_essential_criteria() {
    let text = STUDENTS_AS_LEADERS.replace("\"essential\": true", "\"essential\": false");
    let found = findings(&definition(&text), &ALLOWED_MEDIA);
    let places: Vec<_> = found.iter().map(|found| (found.pointer.as_str(), found.code)).collect();
    assert_eq!(places, [("/decision_rule/of/1/type", "rule_without_essential_criteria")]);
}

#[test]
fn all_findings_come_at_once_and_in_the_order_of_the_document() {
    let mut document =
        with(STUDENTS_AS_LEADERS, "/submission/part2/criteria/0/pass_level", json!(0));
    document["decision_rule"]["of"][2]["min"] = json!(6);
    document["submission"]["part1"]["prompts"][1]["id"] = json!("q1");
    let found = findings(&parse(&document).definition, &ALLOWED_MEDIA[1..]);
    let codes: Vec<_> = found.iter().map(|found| found.code).collect();
    assert_eq!(codes[0], "duplicate_id");
    assert_eq!(codes[1..5], ["media_not_allowed"; 4]);
    assert_eq!(codes[5..], ["pass_level_zero", "rule_count_out_of_reach"]);
}

/// A shipped definition with so many alignments at the whole and at each prompt and criterion, and their number in all.
fn aligned(whole: usize, each: usize) -> (Value, usize) {
    let list = |n: usize| -> Vec<Value> {
        let address = |index| format!("https://frameworks.example.org/{index}");
        let one = |index| json!({ "framework": "F", "name": "N", "url": address(index) });
        (0..n).map(one).collect()
    };
    let mut document: Value = serde_json::from_str(STUDENTS_AS_LEADERS).unwrap();
    let mut n = whole;
    for place in ["/part1/prompts", "/part3/prompts", "/part2/criteria"] {
        let items = document["submission"].pointer_mut(place).unwrap().as_array_mut().unwrap();
        for item in items {
            item["alignments"] = json!(list(each));
            n += each;
        }
    }
    document["alignments"] = json!(list(whole));
    (document, n)
}

#[test]
fn alignments_stand_once_in_a_list_and_are_sixty_at_most() {
    let codes = |document: &Value| -> Vec<(String, &'static str)> {
        let found = findings(&parse(document).definition, &ALLOWED_MEDIA);
        found.into_iter().map(|found| (found.pointer, found.code)).collect()
    };
    let each = 5;
    let (_, rest) = aligned(0, each);
    let (most, n) = aligned(60 - rest, each);
    assert_eq!((n, codes(&most)), (60, Vec::new()));
    let (over, n) = aligned(61 - rest, each);
    assert_eq!((n, codes(&over)), (61, vec![("/alignments".to_owned(), "too_many_alignments")]));
    let (mut twice, _) = aligned(2, 1);
    twice["alignments"][1]["name"] = json!("The same under another name");
    twice["alignments"][1]["url"] = twice["alignments"][0]["url"].clone();
    assert_eq!(codes(&twice), [("/alignments/1/url".to_owned(), "repeated_alignment")]);
}

#[test]
fn every_code_has_a_case() {
    let mut tried: BTreeSet<&str> = cases().iter().map(|case| case.4).collect();
    tried.insert("rule_without_essential_criteria");
    tried.extend(["repeated_alignment", "too_many_alignments"]);
    let source = include_str!("../../../src/service/definition_document/findings.rs");
    let rows = source.lines().filter_map(|line| line.strip_prefix("/// | `"));
    let documented: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    assert_eq!(documented, tried);
}
