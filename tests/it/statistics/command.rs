//! The two commands: what they take, what they refuse, and what they print.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{answer, assay, find, fixture};

#[track_caller]
fn check_refused(command: &str, input: &[u8], says: &str) {
    let output = assay(&[command, "-", "--json"], input);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("assay: ") && text.contains(says), "{text}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_file_of_no_known_form_is_refused_with_its_reason() {
    let check =
        |file: Value, says: &str| check_refused("agreement", file.to_string().as_bytes(), says);
    check_refused("agreement", b"no json", "is no JSON");
    check(json!([]), "not an object");
    check(json!({"data": {"kind": "opinions"}}), "no known form");
    check(json!({"data": {"table": [[1, 2], [3]]}}), "row 2");
    check(json!({"data": {"table": [[1, -2], [3, 4]]}}), "-2 is not a count");
    check(json!({"data": {"table": [[1, 0.5], [3, 4]]}}), "0.5 is not a count");
    check(json!({"data": {"table": [[1, 2], [3, 4]], "scale": [0, 1, 2]}}), "3 categories");
    check(json!({"data": {"ratings": [[1, 7]], "scale": [0, 1]}}), "7 is not on the scale");
    check(json!({"data": {"ratings": [[1, {}]]}}), "not a list or an object");
    check(json!({"data": {"ratings": [[1, 1]], "scale": [1, 1]}}), "a category twice");
    check(json!({"data": {"rater_a": [1], "rater_b": []}}), "1 ratings");
    check(json!({"data": {"counts": [[1, 2], [3]]}}), "row 2");
    check(json!({"data": {"columns": ["submission"], "rows": []}}), "no column");
    check(json!({"data": {"rows": [[0, null, 0, 1]]}}), "row 1");
    check(json!({"data": {"table": [[1, 2], [3, 4]], "weights_x": [[0, 1]]}}), "weights_x");
    check(json!({"data": {"table": [[1, 2], [3, 4]], "weights_x": [[1, 1], [1, 1]]}}), "weights_x");
    check(fixture("adjudication_cases.json"), "assay rules");
    check(fixture("qualification_and_drift.json"), "assay rules");
}

#[test]
fn cases_that_the_rules_cannot_read_are_refused_with_their_reason() {
    let check = |file: Value, says: &str| check_refused("rules", file.to_string().as_bytes(), says);
    check_refused("rules", b"{", "is no JSON");
    check(fixture("krippendorff_2011_4x12.json"), "no known form");
    let case = |policy: Value, scores: Value| json!({"cases": [{"name": "x", "policy": policy, "scores": scores}]});
    let scores = json!({"c": {"a": 1, "b": 1}});
    check(case(json!({}), scores.clone()), "no `cut`");
    check(case(json!({"cut": {"d": 1}}), scores.clone()), "criterion d");
    check(case(json!({"cut": {}}), scores.clone()), "no cut");
    check(case(json!({"cut": 1, "resolution": "dice"}), scores.clone()), "median_of_three");
    check(case(json!({"cut": 1, "adjacent_same_side": 1}), scores.clone()), "lower or higher");
    check(case(json!({"cut": 1, "decision_rule": {"type": "some"}}), scores.clone()), "k_of_n");
    check(case(json!({"cut": 1, "decision_rule": {"type": "k_of_n"}}), scores), "no `k`");
    check(case(json!({"cut": 1}), json!({"c": {"a": 1}})), "no score `b`");
    check(case(json!({"cut": 1}), json!({"c": {"a": 1, "b": 256}})), "256 is no level");
    check(case(json!({"cut": 1}), json!({"c": {"a": 1, "b": 1.5}})), "1.5 is no level");
    check(case(json!({"cut": 1}), json!({})), "no criteria");
    let set = |levels: u8, key: Value| json!({"drift": [{"levels": levels, "cut": 1, "key": key, "given": [1]}]});
    check(set(1, json!([1])), "from 2 to 256");
    check(set(2, json!([2])), "not on a scale");
    check(set(2, json!([1, 1])), "2 scores and 1");
}

#[test]
fn bad_usage_and_a_missing_file_have_their_own_status() {
    for command in ["agreement", "rules"] {
        assert_eq!(assay(&[command], b"").status.code(), Some(64));
        assert_eq!(assay(&[command, "-", "--nonsense"], b"{}").status.code(), Some(64));
        let missing = assay(&[command, "there-is-no-such-file.json"], b"");
        assert_eq!(missing.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&missing.stderr).contains("cannot be read"));
    }
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let file = vec![b' '; 16 * 1024 * 1024 + 1];
    check_refused("agreement", &file, "more than 16 MiB");
}

#[test]
fn without_json_there_is_a_line_for_each_figure() {
    let file = fixture("sas_kappa_with_errors_3x3.json").to_string();
    let output = assay(&["agreement", "-"], file.as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    let line = text.lines().find(|line| line.starts_with("cohen_kappa linear ")).unwrap();
    assert!(line.contains("0.4701") && line.contains("0.1845 0.7558"), "{line}");
    let undefined = text.lines().find(|line| line.contains("alpha ratio")).unwrap();
    assert!(undefined.contains("scale_not_declared"), "{undefined}");

    let file = fixture("adjudication_cases.json").to_string();
    let output = assay(&["rules", "-"], file.as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("all exact, earned:\n"), "{text}");
    assert!(text.contains("  overall                needs_adjudication\n"), "{text}");
}

/// The value of a statistic of these data.
#[track_caller]
fn value(data: Value, statistic: &str, qualifiers: &[(&str, &str)]) -> Value {
    let records = answer("agreement", &json!({"data": data}));
    let record = find(&records, statistic, qualifiers);
    assert_eq!(record["value"].is_null(), record.get("reason").is_some(), "{record}");
    if record["value"].is_null() { record["reason"].clone() } else { record["value"].clone() }
}

#[test]
fn weights_are_taken_on_the_declared_scale() {
    let ratings = json!([[0, 0], [0, 3], [3, 3], [3, 0], [0, 0]]);
    let quadratic = [("weights", "quadratic")];
    // Only the ends are used: on the scale that is declared, and between whole numbers, they are three steps apart.
    let declared = json!({"ratings": ratings, "scale": [0, 1, 2, 3]});
    let found = value(declared, "cohen_kappa", &quadratic);
    assert_eq!(found, value(json!({"ratings": ratings}), "cohen_kappa", &quadratic));
    let far = json!([[0, 0], [0, 1], [1, 3], [3, 3], [2, 0]]);
    let four = value(
        json!({"ratings": far, "scale": [0, 1, 2, 3]}),
        "cohen_kappa",
        &[("weights", "linear")],
    );
    let unused = value(
        json!({"ratings": far, "scale": [0, 1, 2, 3, 4, 5]}),
        "cohen_kappa",
        &[("weights", "linear")],
    );
    assert_eq!(four, unused);
    let adjacent =
        value(json!({"ratings": [[1, 3]], "scale": [1, 3, 5]}), "percent_adjacent_or_exact", &[]);
    assert_eq!(adjacent, json!(1.0));
}

#[test]
fn words_are_categories_with_the_order_in_which_they_are_declared() {
    let ratings =
        json!([["low", "low"], ["high", "middle"], ["middle", "middle"], ["high", "high"]]);
    let declared = json!({"ratings": ratings, "scale": ["low", "middle", "high"]});
    let numbers = json!({"ratings": [[0, 0], [2, 1], [1, 1], [2, 2]], "scale": [0, 1, 2]});
    let bare = json!({"ratings": ratings});
    for (statistic, qualifier) in
        [("cohen_kappa", ("weights", "quadratic")), ("krippendorff_alpha", ("metric", "ordinal"))]
    {
        let expected = value(numbers.clone(), statistic, &[qualifier]);
        assert!(expected.is_f64());
        assert_eq!(value(declared.clone(), statistic, &[qualifier]), expected);
        assert_eq!(value(bare.clone(), statistic, &[qualifier]), "no_order");
    }
    let nominal = [("metric", "nominal")];
    let expected = value(numbers, "krippendorff_alpha", &nominal);
    assert_eq!(value(bare.clone(), "krippendorff_alpha", &nominal), expected);
    assert_eq!(value(bare.clone(), "percent_adjacent_or_exact", &[]), "no_order");
    assert_eq!(value(bare.clone(), "krippendorff_alpha", &[("metric", "ratio")]), "not_numeric");
    assert_eq!(value(bare, "icc", &[("form", "ICC(2,1)")]), "not_numeric");
}

#[test]
fn missing_ratings_may_be_null_short_rows_or_a_code() {
    let ordinal = [("metric", "ordinal")];
    let scale = json!([1, 2, 3]);
    let with = |ratings: Value| json!({"ratings": ratings, "scale": scale});
    let expected =
        value(with(json!([[1, 2, null], [2, 2, 3], [3, 3, null]])), "krippendorff_alpha", &ordinal);
    assert_eq!(
        value(with(json!([[1, 2], [2, 2, 3], [3, 3]])), "krippendorff_alpha", &ordinal),
        expected
    );
    let code = json!({"ratings": [[1, 2, 9], [2, 2, 3], [3, 3, 9]], "scale": scale, "missing": 9});
    assert_eq!(value(code.clone(), "krippendorff_alpha", &ordinal), expected);
    assert_eq!(value(code.clone(), "icc", &[("form", "ICC(1,k)")]), "incomplete_data");
    assert_eq!(value(code, "fleiss_kappa", &[]), "incomplete_data");
    let turned = json!({"orientation": "rows are raters, columns are units", "scale": scale,
        "ratings": [[1, 2, 3], [2, 2, 3], [null, 3, null]]});
    assert_eq!(value(turned, "krippendorff_alpha", &ordinal), expected);
}

#[test]
fn undefined_figures_are_null_with_a_reason() {
    let nominal = [("metric", "nominal")];
    for (data, statistic, qualifiers, reason) in [
        (json!({"ratings": []}), "fleiss_kappa", &[][..], "no_data"),
        (json!({"counts": []}), "percent_agreement_pairwise", &[], "no_data"),
        (json!({"rater_a": [], "rater_b": []}), "cohen_kappa", &[("weights", "linear")], "no_data"),
        (json!({"table": [[0, 0], [0, 0]]}), "cohen_kappa", &[("weights", "none")], "no_data"),
        (json!({"table": [[7]]}), "cohen_kappa", &[("weights", "none")], "no_variation"),
        (json!({"ratings": [[1], [2]]}), "krippendorff_alpha", &nominal, "no_data"),
        (json!({"ratings": [[1], [2]]}), "fleiss_kappa", &[], "single_rater"),
        (json!({"ratings": [[1], [2]]}), "icc", &[("form", "ICC(1,1)")], "single_rater"),
        (json!({"ratings": [[1, 2]]}), "icc", &[("form", "ICC(1,1)")], "insufficient_data"),
        (json!({"ratings": [[1, 1], [1, 1]]}), "icc", &[("form", "ICC(3,k)")], "no_variation"),
        (json!({"ratings": [[1, 1], [1, 1]]}), "fleiss_kappa", &[], "no_variation"),
        (
            json!({"ratings": [[-1, 1], [0, 1]]}),
            "krippendorff_alpha",
            &[("metric", "ratio")],
            "negative_values",
        ),
        (
            json!({"ratings": [[0.5, 0.75], [0.5, 0.5]]}),
            "cohen_kappa",
            &[("weights", "linear")],
            "scale_not_declared",
        ),
        (
            json!({"table": [[1, 1], [1, 1]]}),
            "krippendorff_alpha",
            &[("metric", "ratio")],
            "scale_not_declared",
        ),
        (json!({"rows": [[0, 0, 0, 1], [0, 0, 1, 1]]}), "assessor_severity", &[], "no_variation"),
        (json!({"rows": []}), "log_likelihood", &[], "no_data"),
    ] {
        assert_eq!(value(data.clone(), statistic, qualifiers), reason, "{data}");
    }
}

#[test]
fn too_many_categories_are_refused_and_not_computed() {
    let ratings: Vec<[f64; 2]> =
        (0..600).map(|at| [f64::from(at) + 0.25, f64::from(at) + 0.5]).collect();
    let data = json!({"ratings": ratings});
    let none = [("weights", "none")];
    assert_eq!(value(data.clone(), "cohen_kappa", &none), "too_many_categories");
    assert_eq!(
        value(data.clone(), "krippendorff_alpha", &[("metric", "interval")]),
        "too_many_categories"
    );
    assert!(value(data, "icc", &[("form", "ICC(2,1)")]).is_f64());
}

#[test]
fn decisions_agree_on_the_side_of_the_cut_that_the_file_names() {
    let data =
        json!({"rater_a": [0, 1, 2, 3], "rater_b": [1, 2, 3, 3], "scale": [0, 1, 2, 3], "cut": 2});
    let records = answer("agreement", &json!({"data": data}));
    let decision = find(&records, "percent_decision", &[]);
    assert_eq!((&decision["count"], &decision["n"]), (&json!(3), &json!(4)));
    assert_eq!(find(&records, "mean_signed_difference", &[])["value"], 0.75);
    let mut without = data;
    without["cut"] = json!(null);
    let records = answer("agreement", &json!({"data": without}));
    assert!(records.iter().all(|record| record["statistic"] != "percent_decision"));
}

#[test]
fn one_table_gives_the_same_figures_in_every_form() {
    let lists =
        json!({"rater_a": [0, 0, 1, 2, 2, 1], "rater_b": [0, 1, 1, 2, 0, 1], "scale": [0, 1, 2]});
    let matrix =
        json!({"ratings": [[0, 0], [0, 1], [1, 1], [2, 2], [2, 0], [1, 1]], "scale": [0, 1, 2]});
    let table = json!({"table": [[1, 1, 0], [0, 2, 0], [1, 0, 1]], "scale": [0, 1, 2]});
    let figures = |data: &Value| -> Vec<(String, Option<f64>)> {
        let records = answer("agreement", &json!({"data": data}));
        let figure = |record: &Value| {
            let mut name = record.clone();
            for member in ["value", "ci95", "f", "df", "p"] {
                name.as_object_mut().unwrap().remove(member);
            }
            (name.to_string(), record["value"].as_f64())
        };
        records.iter().map(figure).collect()
    };
    let expected = figures(&lists);
    for data in [&matrix, &table] {
        for (found, expected) in figures(data).iter().zip(&expected) {
            assert_eq!(found.0, expected.0);
            match (found.1, expected.1) {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-12),
                (found, expected) => assert_eq!(found, expected),
            }
        }
        assert_eq!(figures(data).len(), expected.len());
    }
}

#[test]
fn a_case_may_hold_any_form_and_says_each_reason() {
    let cases = json!({"cases": [
        {"name": "counts", "counts": [[3, 0], [2, 1]]},
        {"name": "nested", "data": {"ratings": [["a", "b", "a"], ["b", "b", "b"]]}},
        {"rater_a": [1], "rater_b": [null], "scale": [0, 1]},
    ]});
    let records = answer("agreement", &cases);
    assert_eq!(records[0]["percent_agreement_pairwise"], json!(4.0 / 6.0));
    assert_eq!(records[0]["reasons"], json!({"krippendorff_alpha_ratio": "scale_not_declared"}));
    assert!(records[1]["krippendorff_alpha"].is_f64());
    assert_eq!(records[1]["reasons"]["krippendorff_alpha_ordinal"], "no_order");
    assert_eq!(records[2]["name"], 2);
    assert_eq!(records[2]["reason"], "no_data");
    assert_eq!(records[2]["cohen_kappa_linear"], Value::Null);
}

#[test]
fn every_answer_says_how_many_rated_what_on_which_scale() {
    let file = json!({"data": {"ratings": [[1, 2, null], [3, 3, 1], [1, null, null]]}});
    let records = answer("agreement", &file);
    let value = |statistic: &str| find(&records, statistic, &[])["value"].clone();
    assert_eq!((value("n"), value("n_ratings"), value("n_raters")), (json!(2), json!(6), json!(3)));
    assert_eq!(value("scale"), json!([1, 2, 3]));
    let records = answer("agreement", &fixture("mfrm_severity_24x4x4.json"));
    assert_eq!(find(&records, "n_raters", &[])["value"], 4);
}

/// Data of every form, most of it sense, some of it nonsense.
fn any_data() -> impl Strategy<Value = Value> {
    let cell = prop_oneof![
        6 => (0_i32..4).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => (-3.0_f64..3.0).prop_map(Value::from),
        1 => "[a-c]".prop_map(Value::from),
    ];
    let count =
        prop_oneof![9 => (0_u64..9).prop_map(Value::from), 1 => any::<u64>().prop_map(Value::from)];
    let rows = |cell: BoxedStrategy<Value>| {
        (0_usize..6).prop_flat_map(move |width| {
            prop::collection::vec(prop::collection::vec(cell.clone(), width), 0..9)
        })
    };
    let long = prop::collection::vec((0..5, 0..3, 0..3, 0..4), 0..40);
    prop_oneof![
        rows(cell.boxed()).prop_map(|rows| json!({"ratings": rows})),
        rows((0_i32..4).prop_map(Value::from).boxed())
            .prop_map(|rows| json!({"ratings": rows, "scale": [0, 1, 2, 3], "cut": 2})),
        rows(count.clone().boxed()).prop_map(|rows| json!({"counts": rows})),
        prop::collection::vec(prop::collection::vec(count, 3), 3)
            .prop_map(|rows| json!({"table": rows})),
        long.prop_map(|rows| json!({"rows": rows})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Every table has an answer or a clear refusal, and every null in an answer a reason.
    #[test]
    fn no_table_makes_the_command_stumble(data in any_data()) {
        let file = json!({"data": data}).to_string();
        let output = assay(&["agreement", "-", "--json"], file.as_bytes());
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => {
                let records: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
                for record in records {
                    prop_assert_eq!(record["value"].is_null(), record.get("reason").is_some());
                }
            }
            Some(1) => prop_assert!(said.starts_with("assay: -: "), "{}", said),
            other => prop_assert!(false, "{other:?} {said}"),
        }
    }

    /// Every case has an answer of its form or a clear refusal.
    #[test]
    fn no_case_makes_the_rules_stumble(
        scores in prop::collection::vec((any_score(), any_score(), any_score()), 0..5),
        cut in 0_u8..4,
        rule in prop_oneof![
            Just(json!({"type": "all"})),
            (0_u32..6, prop::option::of(0_u8..4)).prop_map(|(k, floor)| json!({"type": "k_of_n", "k": k, "floor": floor})),
        ],
    ) {
        let scores: serde_json::Map<String, Value> = scores
            .into_iter()
            .enumerate()
            .map(|(at, (a, b, third))| (format!("c{at}"), json!({"a": a, "b": b, "third": third})))
            .collect();
        let policy = json!({"cut": cut, "decision_rule": rule});
        let n = scores.len();
        let file = json!({"cases": [{"name": "x", "policy": policy, "scores": scores}]}).to_string();
        let output = assay(&["rules", "-", "--json"], file.as_bytes());
        match output.status.code() {
            Some(0) => {
                let records: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
                prop_assert_eq!(records[0]["criteria"].as_object().unwrap().len(), n);
                prop_assert!(["earned", "not_yet", "needs_adjudication"].contains(&records[0]["overall"].as_str().unwrap()));
            }
            Some(1) => prop_assert!(output.stderr.starts_with(b"assay: -: ")),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

/// A score, or what is none.
fn any_score() -> impl Strategy<Value = Value> {
    prop_oneof![6 => (0_u8..4).prop_map(Value::from), 1 => Just(json!("U")), 1 => Just(Value::Null)]
}
