//! The canonical form and the three hashes.

use assay::service::definition_document::{self, JcsError, canonicalize};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    SHARED_DECISION_MAKING, SHIPPED, SMALL_GROUP_SUPPORT, STUDENTS_AS_LEADERS, parse, with,
};

/// Computed by another program from the description at `ParsedDefinition`. When they change, so do awards'
/// comparability and assessors' qualifications: give the definition a new version instead.
#[test]
fn hashes_of_the_shipped_definitions_stay() {
    let content = |text| parse(&super::json(text)).content_hash;
    let scoring = |text| parse(&super::json(text)).scoring_hash;
    let policy = |text| parse(&super::json(text)).policy_hash;
    assert_eq!(
        SHIPPED.map(content),
        [
            "39be0a765c262b36d2d353735a9160b12d3d7f0d9cf17fa9d3d50ee6d0422a7a",
            "10dcca294976f7e0eb1b3dabe526cdb99ce0476573c14d619984b7176c086275",
            "8b14eb98c5528e01920b43dedefd2ac99715a6ff8cb3801d8bd7e8118260cb67",
        ]
    );
    assert_eq!(
        SHIPPED.map(scoring),
        [
            "ff2cde41672668cb383776d13dc33c9b2bbdf6c318f73048c24e8e2cd108fb66",
            "65d51f1932e97656dff737307e53b23516bfbef3f93419d082f075732cea440e",
            "de0454daba02e85d273be3360354673bd5ba6afddd215c329d80c238f12fa98e",
        ]
    );
    assert_eq!(
        SHIPPED.map(policy),
        [
            "191e1cf5c2ec636a634dea1217670d0640e7ed69bb0733ba5057f14c92ea62ae",
            "cc63b91cb09a122f1a7d23567e8d03d3b804f6fb3706226db284b2c374d2effe",
            "750d72d854eb78c6590936d279b50ad80b311bc6aed3b314544f18b982351e80",
        ]
    );
}

/// RFC 8785 section 3.2.3: the example of property sorting by UTF-16 code units.
#[test]
fn members_are_sorted_by_utf_16_code_units() {
    let value = json!({
        "\u{20ac}": "Euro Sign",
        "\r": "Carriage Return",
        "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\u{1f600}": "Emoji: Grinning Face",
        "\u{80}": "Control",
        "\u{f6}": "Latin Small Letter O With Diaeresis",
    });
    assert_eq!(
        canonicalize(&value).unwrap(),
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
         \"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20ac}\":\"Euro Sign\",\
         \"\u{1f600}\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
    );
}

/// RFC 8785 section 3.2.2.2, with the text of the example in section 3.2.2.
#[test]
fn texts_use_the_short_escapes_and_nothing_else() {
    let value = json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{8}\t\u{c}\r\u{7f}\u{2028}");
    let expected = "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\t\\f\\r\u{7f}\u{2028}\"";
    assert_eq!(canonicalize(&value).unwrap(), expected);
}

#[test]
fn literals_and_whole_numbers_are_written_plainly() {
    let value =
        json!({ "b": [true, false, null], "a": [0, -1, 9_007_199_254_740_991_i64], "": {} });
    assert_eq!(
        canonicalize(&value).unwrap(),
        r#"{"":{},"a":[0,-1,9007199254740991],"b":[true,false,null]}"#
    );
}

#[test]
fn numbers_that_parsers_read_differently_have_no_canonical_form() {
    for number in
        [json!(1.5), json!(1.0), json!(1e30), json!(9_007_199_254_740_992_u64), json!(i64::MIN)]
    {
        assert_eq!(canonicalize(&json!([number])), Err(JcsError::NotAnInteger), "{number}");
    }
}

#[test]
fn deep_nesting_has_no_canonical_form() {
    let nested = |layers: usize| (0..layers).fold(json!(1), |inside, _| json!([inside]));
    assert!(canonicalize(&nested(64)).is_ok());
    assert_eq!(canonicalize(&nested(65)), Err(JcsError::TooDeep));
}

#[test]
fn canonical_text_is_the_document_again() {
    for text in SHIPPED {
        let parsed = parse(&super::json(text));
        let again = super::json(&parsed.canonical);
        assert_eq!(again, super::json(text));
        assert_eq!(parse(&again), parsed);
    }
}

/// Changes one value after another, each alone, and asks which hashes notice.
#[test]
fn each_value_enters_the_hashes_that_are_said_to_hold_it() {
    let (mut n_scoring, mut n_policy, mut n_neither) = (0, 0, 0);
    for text in SHIPPED {
        let original = parse(&super::json(text));
        let mut places = Vec::new();
        collect_leaves(&super::json(text), String::new(), &mut places);
        for place in places {
            let document = with(text, &place, changed(super::json(text).pointer(&place).unwrap()));
            // A change that the schema refuses, such as of `kind`, has no hash to look at.
            let Ok(altered) = definition_document::parse(&document) else { continue };
            let scoring_changed = altered.scoring_hash != original.scoring_hash;
            let policy_changed = altered.policy_hash != original.policy_hash;
            assert_ne!(altered.content_hash, original.content_hash, "{place}");
            assert_eq!(scoring_changed, is_scoring(&place), "scoring hash and {place}");
            assert_eq!(policy_changed, is_policy(&place), "policy hash and {place}");
            n_scoring += u32::from(scoring_changed);
            n_policy += u32::from(policy_changed);
            n_neither += u32::from(!scoring_changed && !policy_changed);
        }
    }
    assert!(
        n_scoring > 250 && n_policy > 50 && n_neither > 100,
        "{n_scoring} {n_policy} {n_neither}"
    );
}

#[test]
fn order_of_lists_counts() {
    let mut document = super::json(STUDENTS_AS_LEADERS);
    document["submission"]["part2"]["criteria"].as_array_mut().unwrap().swap(0, 1);
    let altered = parse(&document);
    let original = parse(&super::json(STUDENTS_AS_LEADERS));
    assert_ne!(altered.scoring_hash, original.scoring_hash);
    assert_eq!(altered.policy_hash, original.policy_hash);
}

#[test]
fn a_review_policy_leaves_the_scoring_hash_alone() {
    let original = parse(&super::json(SMALL_GROUP_SUPPORT));
    let altered =
        parse(&with(SMALL_GROUP_SUPPORT, "/review_policy", json!({ "mode": "double_blind" })));
    assert_eq!(altered.scoring_hash, original.scoring_hash);
    assert_ne!(altered.policy_hash, original.policy_hash);
    assert_ne!(altered.content_hash, original.content_hash);
}

#[test]
fn prose_of_a_nested_rule_enters_the_content_hash_alone() {
    let original = parse(&super::json(SHARED_DECISION_MAKING));
    let altered =
        parse(&with(SHARED_DECISION_MAKING, "/decision_rule/of/1/prose", json!("All of them.")));
    assert_eq!(altered.scoring_hash, original.scoring_hash);
    assert_eq!(altered.policy_hash, original.policy_hash);
    assert_ne!(altered.content_hash, original.content_hash);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_of_members_and_white_space_enter_no_hash(which in 0_usize..3, seed in any::<u64>()) {
        let mut text = String::new();
        let mut seed = seed;
        write_shuffled(&super::json(SHIPPED[which]), &mut seed, &mut text);
        prop_assert_eq!(parse(&super::json(&text)), parse(&super::json(SHIPPED[which])));
    }
}

fn collect_leaves(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_leaves(item, format!("{place}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                collect_leaves(member, format!("{place}/{name}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(place),
    }
}

fn changed(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::String(text) if text == "single" => json!("double_blind"),
        Value::String(text) if text == "lower" => json!("higher"),
        Value::String(text) if text == "expert_replaces" => json!("median_of_three"),
        Value::String(text) => json!(format!("{text}x")),
        Value::Null => json!(12),
        Value::Array(_) | Value::Object(_) => panic!("not a leaf: {value}"),
    }
}

/// Said once more, by place: what is scored.
fn is_scoring(place: &str) -> bool {
    let steps: Vec<&str> = place.split('/').skip(1).collect();
    match steps[..] {
        ["decision_rule", .., last] => last != "prose",
        ["submission", "part2", "criteria", ..] => true,
        ["submission", "part2", "evidence", _, "id" | "title"] => true,
        ["submission", "part1" | "part3", "prompts", _, "id" | "text" | "levels", ..] => true,
        _ => false,
    }
}

/// Said once more, by place: who reads, and what may be handed in.
fn is_policy(place: &str) -> bool {
    let steps: Vec<&str> = place.split('/').skip(1).collect();
    match steps[..] {
        ["review_policy", last, ..] => last != "coi_note",
        [
            "submission",
            "part2",
            "evidence",
            _,
            "id" | "required" | "media" | "max_items" | "alternatives",
            ..,
        ] => true,
        [
            "submission",
            "part1" | "part3",
            "prompts",
            _,
            "id" | "word_limit" | "alternatives",
            ..,
        ] => true,
        _ => false,
    }
}

/// Writes the value with members in another order and white space wherever JSON allows it.
fn write_shuffled(value: &Value, seed: &mut u64, out: &mut String) {
    let mut next = || {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as usize
    };
    let gap = |n: usize| [" ", "", "\n", "\t \r\n"][n % 4];
    out.push_str(gap(next()));
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|member| (next(), member)).collect();
            members.sort_by_key(|(order, _)| *order);
            out.push('{');
            for (index, (_, (name, member))) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(&json!(name).to_string());
                out.push_str(" :");
                write_shuffled(member, seed, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_shuffled(item, seed, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string())
        }
    }
    out.push('\n');
}
