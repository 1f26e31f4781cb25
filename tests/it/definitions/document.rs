//! What the schema takes and what it says about the rest.

use assay::domain::definition::{MAX_EVIDENCE_REQUIREMENTS, RenewalMode};
use assay::domain::review_policy::ReviewMode;
use assay::domain::rubric::{MAX_CRITERIA, MAX_ID_LENGTH, MAX_LEVELS, MAX_PROMPTS};
use assay::service::definition_document::{
    self, FieldError, MAX_DEPTH, MAX_ERRORS, MAX_NAME_LENGTH, MAX_VALUES, schema_text,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    SHARED_DECISION_MAKING, SHIPPED, SMALL_GROUP_SUPPORT, STUDENTS_AS_LEADERS, definition, parse,
    with, without,
};

#[test]
fn shipped_definitions_are_read_in_full() {
    let parsed = parse(&super::json(STUDENTS_AS_LEADERS));
    assert_eq!((parsed.slug.as_str(), parsed.label.as_str()), ("mc-students-as-leaders", "1.0.0"));
    let definition = parsed.definition;
    assert_eq!(
        definition.skills().len(),
        super::json(STUDENTS_AS_LEADERS)["skills"].as_array().unwrap().len()
    );
    assert_eq!(definition.about().language, "en");
    assert_eq!(definition.about().effort.as_ref().unwrap().max, 25);
    assert_eq!(definition.evidence().len(), 4);
    assert_eq!(definition.find_evidence("a3").unwrap().max_items().get(), 6);
    assert_eq!(definition.rubric().prompts().count(), 4);
    assert_eq!(definition.rubric().parts()[1].id().as_str(), "part3");
    let criterion = &definition.rubric().criteria()[3];
    assert_eq!((criterion.id().as_str(), criterion.title()), ("c4", "Whose leadership"));
    assert_eq!((criterion.pass_level().number(), criterion.is_essential()), (2, true));
    assert_eq!(criterion.levels()[3].label(), "Exemplary");
    assert_eq!(definition.validity().expires_after_months.unwrap().get(), 60);
    let renewal = definition.validity().renewal.as_ref().unwrap();
    assert_eq!(
        (renewal.mode, renewal.review_mode),
        (RenewalMode::ShortEvidence, Some(ReviewMode::Single))
    );
    assert_eq!(definition.resubmission().max_attempts, None);
    assert_eq!(definition.stacks(), ["stack-collective-leadership"]);
}

#[test]
fn shared_evidence_and_alternatives_are_read() {
    let shared = definition(SHARED_DECISION_MAKING);
    assert_eq!(shared.team_evidence().unwrap().shared.len(), 3);
    let support = definition(SMALL_GROUP_SUPPORT);
    let prompt = support.rubric().prompts().next().unwrap();
    assert_eq!((prompt.word_limit(), prompt.alternatives().len()), (Some(200), 1));
    assert_eq!(support.find_evidence("a2").unwrap().alternatives(), Some("observation card"));
    assert_eq!(support.resubmission().coaching_offered_after_not_yet.get(), 2);
}

#[test]
fn a_definition_needs_no_prompts_and_no_ornaments() {
    let full = super::json(SMALL_GROUP_SUPPORT);
    let mut least = json!({ "submission": { "part2": full["submission"]["part2"] } });
    let names = [
        "schema_version",
        "kind",
        "language",
        "id",
        "version",
        "title",
        "summary",
        "audience",
        "skills",
    ];
    for name in names.into_iter().chain(["competency", "review_policy"]) {
        least[name] = full[name].clone();
    }
    least["decision_rule"] = json!({ "type": "all_criteria_at_pass_level" });
    let parsed = parse(&least);
    assert_eq!(parsed.definition.rubric().parts(), []);
    assert_eq!(parsed.definition.resubmission().coaching_offered_after_not_yet.get(), 3);
    assert_eq!(definition_document::findings(&parsed.definition, &super::ALLOWED_MEDIA), []);
}

#[test]
fn all_errors_are_reported_at_once() {
    let mut document = without(SMALL_GROUP_SUPPORT, "/title");
    document["competence"] = json!("misspelt");
    document["language"] = json!("english language");
    document["audience"] = json!(["teacher", "teacher"]);
    document["submission"]["part2"]["criteria"][0]["pass_level"] = json!("1");
    document["submission"]["part2"]["criteria"][1]["essential"] = json!(null);
    document["review_policy"]["mode"] = json!("triple");
    document["review_policy"]["backread_share_bp"] = json!(10_001);
    document["decision_rule"]["of"][0]["parts"] = json!([]);
    check(
        &document,
        &[
            ("/audience", "repeated_item", "List each entry once."),
            ("/competence", "unknown_field", "Remove `competence`: there is no such member here."),
            ("/decision_rule/of/0/parts", "too_few_items", "List at least 1."),
            ("/language", "bad_text", "Must be a language tag of BCP 47, such as en or es-MX."),
            ("/review_policy/backread_share_bp", "too_large", "Must be 10000 or less."),
            (
                "/review_policy/mode",
                "not_allowed",
                "`triple` is not one of: single, conditional_double, double_blind.",
            ),
            (
                "/submission/part2/criteria/0/pass_level",
                "wrong_type",
                "Give a whole number, not a text.",
            ),
            (
                "/submission/part2/criteria/1/essential",
                "wrong_type",
                "Give true or false, not null.",
            ),
            ("/title", "missing_field", "Add `title`: it is required."),
        ],
    );
}

#[test]
fn numbers_are_whole_and_written_so() {
    let place = "/submission/part2/criteria/0/pass_level";
    let expected = (place, "not_whole", "Write a whole number, without fraction or exponent.");
    check(&with(SMALL_GROUP_SUPPORT, place, json!(1.0)), &[expected]);
    check(&with(SMALL_GROUP_SUPPORT, place, json!(1.5)), &[expected]);
    let negative = (place, "too_small", "Must be 0 or more.");
    check(&with(SMALL_GROUP_SUPPORT, place, json!(-1)), &[negative]);
}

#[test]
fn texts_are_not_blank_and_hide_nothing() {
    let line = "Must be one line of text without control characters, without spaces at either end, and not empty.";
    let text = "Must be text that is not blank and has no control characters other than tab and line breaks.";
    for bad in [" Title", "Title ", "Two\nlines", "Nul\u{0}", "\t"] {
        check(&with(SMALL_GROUP_SUPPORT, "/title", json!(bad)), &[("/title", "bad_text", line)]);
    }
    for bad in [" \n ", "Bell\u{7}", "Nul\u{0}"] {
        check(
            &with(SMALL_GROUP_SUPPORT, "/summary", json!(bad)),
            &[("/summary", "bad_text", text)],
        );
    }
    parse(&with(SMALL_GROUP_SUPPORT, "/summary", json!("Two\nlines\twith a tab, ñ and 教")));
    let longest = "x".repeat(200);
    parse(&with(SMALL_GROUP_SUPPORT, "/title", json!(longest)));
    let too_long = with(SMALL_GROUP_SUPPORT, "/title", json!(format!("{longest}x")));
    check(&too_long, &[("/title", "too_long", "Use at most 200 characters.")]);
}

#[test]
fn rules_of_each_type_have_their_own_members() {
    let rule = |rule: Value| with(SMALL_GROUP_SUPPORT, "/decision_rule", rule);
    check(
        &rule(json!({ "type": "count_criteria_at_pass_level", "level": 1 })),
        &[
            (
                "/decision_rule/level",
                "unknown_field",
                "Remove `level`: there is no such member here.",
            ),
            ("/decision_rule/min", "missing_field", "Add `min`: it is required."),
        ],
    );
    check(
        &rule(json!({ "type": "all_criteria_at_least", "level": 1, "prose": "" , "of": [] })),
        &[
            ("/decision_rule/of", "unknown_field", "Remove `of`: there is no such member here."),
            (
                "/decision_rule/prose",
                "bad_text",
                "Must be text that is not blank and has no control characters other than tab and line breaks.",
            ),
        ],
    );
    check(
        &rule(json!({ "prose": "Nothing." })),
        &[("/decision_rule/type", "missing_field", "Add `type`: it is required.")],
    );
    check(
        &rule(json!({ "type": "and", "of": [] })),
        &[("/decision_rule/of", "too_few_items", "List at least 1.")],
    );
}

#[test]
fn and_has_three_layers_at_most() {
    let nested = |layers: usize| {
        let leaf = json!({ "type": "all_criteria_at_pass_level" });
        (0..layers).fold(leaf, |inside, _| json!({ "type": "and", "of": [inside] }))
    };
    parse(&with(SMALL_GROUP_SUPPORT, "/decision_rule", nested(3)));
    let errors = errors(&with(SMALL_GROUP_SUPPORT, "/decision_rule", nested(4)));
    let places: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
    assert_eq!(places, [("/decision_rule/of/0/of/0/of/0/type", "not_allowed")]);
}

#[test]
fn what_is_not_an_object_is_no_definition() {
    for document in [json!(null), json!([]), json!("definition"), json!(1)] {
        let errors = errors(&document);
        assert_eq!(
            (errors.len(), errors[0].pointer.as_str(), errors[0].code),
            (1, "", "wrong_type")
        );
    }
}

#[test]
fn limits_come_before_the_schema() {
    let nested = |layers: usize| (0..layers).fold(json!(1), |inside, _| Value::Array(vec![inside]));
    let deep = errors(&nested(MAX_DEPTH + 1));
    assert_eq!((deep.len(), deep[0].code), (1, "too_deep"));
    assert_eq!(errors(&nested(MAX_DEPTH))[0].code, "wrong_type");
    let large = errors(&json!(vec![0; MAX_VALUES]));
    assert_eq!((large.len(), large[0].code), (1, "too_large"));
    assert_eq!(errors(&json!(vec![0; MAX_VALUES - 1]))[0].code, "wrong_type");
    let named = |length: usize| json!({ "n".repeat(length): 1 });
    assert_eq!(errors(&named(MAX_NAME_LENGTH + 1))[0].code, "name_too_long");
    assert!(errors(&named(MAX_NAME_LENGTH)).iter().any(|error| error.code == "unknown_field"));
    // Far deeper than any stack: the walk does not recurse. Taken apart from the outside for the same reason.
    let mut abyss = nested(100_000);
    assert_eq!(errors(&abyss)[0].code, "too_deep");
    while let Some(inside) = abyss.as_array_mut().and_then(Vec::pop) {
        abyss = inside;
    }
}

#[test]
fn reported_errors_are_bounded() {
    let document = with(SMALL_GROUP_SUPPORT, "/audience", json!(vec![json!(1); 5000]));
    assert_eq!(errors(&document).len(), MAX_ERRORS);
}

#[test]
fn strange_names_are_pointed_at_exactly() {
    let errors = errors(&with(SMALL_GROUP_SUPPORT, "/x", json!({})));
    assert_eq!(errors[0].pointer, "/x");
    let mut document = super::json(SMALL_GROUP_SUPPORT);
    document["a/b~c\u{7} d"] = json!(1);
    check(
        &document,
        &[("/a~1b~0c\u{7} d", "unknown_field", "Remove `a/b~c d…`: there is no such member here.")],
    );
}

/// Walks the schema: an object without `additionalProperties: false`, or a text, list or number without bounds,
/// would let anything through.
#[test]
fn schema_is_closed_and_bounded_everywhere() {
    let schema = super::json(schema_text());
    let mut open = vec![(String::new(), &schema)];
    let mut n_objects = 0;
    while let Some((place, node)) = open.pop() {
        if node["properties"].is_object() && !place.ends_with("/if") && node["allOf"].is_null() {
            n_objects += 1;
            assert_eq!(node["additionalProperties"], json!(false), "open object at {place}");
        }
        let types = [&node["type"], &node["type"][0]];
        let has = |names: [&str; 2]| names.iter().all(|name| !node[*name].is_null());
        for kind in types.iter().filter_map(|kind| kind.as_str()) {
            match kind {
                "string" => assert!(has(["minLength", "maxLength"]), "unbounded text at {place}"),
                "array" => assert!(has(["minItems", "maxItems"]), "unbounded list at {place}"),
                "integer" => assert!(has(["minimum", "maximum"]), "unbounded number at {place}"),
                other => assert!(["object", "boolean"].contains(&other), "{other} at {place}"),
            }
        }
        match node {
            Value::Object(members) => {
                open.extend(
                    members.iter().map(|(name, member)| (format!("{place}/{name}"), member)),
                );
            }
            Value::Array(items) => {
                open.extend(
                    items
                        .iter()
                        .enumerate()
                        .map(|(index, item)| (format!("{place}/{index}"), item)),
                );
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    assert!(n_objects > 25, "{n_objects}");
}

#[test]
fn schema_and_domain_have_the_same_limits() {
    let schema = super::json(schema_text());
    let limit = |pointer: &str| {
        schema.pointer(&format!("/$defs/{pointer}")).unwrap().as_u64().unwrap() as usize
    };
    assert_eq!(limit("prompt_part/properties/prompts/maxItems"), MAX_PROMPTS);
    assert_eq!(limit("prompt/properties/levels/maxItems"), MAX_LEVELS);
    assert_eq!(limit("criterion/properties/levels/maxItems"), MAX_LEVELS);
    assert_eq!(limit("evidence_part/properties/criteria/maxItems"), MAX_CRITERIA);
    assert_eq!(limit("evidence_part/properties/evidence/maxItems"), MAX_EVIDENCE_REQUIREMENTS);
    assert_eq!(limit("identifier/maxLength"), MAX_ID_LENGTH);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the schema takes has a domain value, and whatever it refuses is refused in its place.
    #[test]
    fn altered_definitions_are_read_or_refused_in_place(
        which in 0_usize..3,
        choice in any::<prop::sample::Index>(),
        value in any_value(),
    ) {
        let document = super::json(SHIPPED[which]);
        let mut places = Vec::new();
        collect_places(&document, String::new(), &mut places);
        let place: &String = choice.get(&places);
        let altered = with(SHIPPED[which], place, value);
        match definition_document::parse(&altered) {
            Ok(parsed) => {
                for finding in definition_document::findings(&parsed.definition, &super::ALLOWED_MEDIA) {
                    prop_assert!(altered.pointer(&finding.pointer).is_some(), "{finding:?}");
                }
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty() && errors.is_sorted());
                for error in errors {
                    prop_assert!(!["unreadable", "not_canonical"].contains(&error.code), "{error:?}");
                    let place = if error.code == "missing_field" {
                        error.pointer.rsplit_once('/').unwrap().0
                    } else {
                        &error.pointer
                    };
                    prop_assert!(altered.pointer(place).is_some(), "{error:?}");
                }
            }
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..300).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z]{0,5}".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "and",
            "single",
            "double_blind",
            "part1",
            "part3",
            "c1",
            "q1",
            "a1"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let name = prop::sample::select(vec![
            "id", "type", "of", "level", "levels", "parts", "min", "mode",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn collect_places(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_places(item, format!("{place}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                collect_places(member, format!("{place}/{name}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    if !place.is_empty() {
        found.push(place);
    }
}

#[track_caller]
fn errors(document: &Value) -> Vec<FieldError> {
    definition_document::parse(document).unwrap_err()
}

#[track_caller]
fn check(document: &Value, expected: &[(&str, &str, &str)]) {
    let errors = errors(document);
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error.pointer.as_str(), error.code, error.detail.as_str()))
        .collect();
    assert_eq!(found, expected);
}
