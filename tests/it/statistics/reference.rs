//! Every reference case, through the program, within its own tolerance.

use assay::domain::statistics::fleiss::fleiss_kappa;
use assay::domain::statistics::icc::{IccForm, MeanSquares};
use assay::domain::statistics::kappa::{ContingencyTable, Weighting, Weights, cohen_kappa};
use assay::domain::statistics::krippendorff::{Metric, alpha};
use assay::domain::statistics::units::UnitTable;
use serde_json::{Value, json};

use super::{answer, find, fixture};

/// What cases say about a figure besides the figure.
const NO_QUALIFIERS: [&str; 6] =
    ["statistic", "value", "tolerance", "published", "verified_by", "ci95"];

/// The cases that are lists of figures.
const WITH_FIGURES: [&str; 7] = [
    "cohen_1960_1968_3x3.json",
    "fleiss_1971_diagnoses_30x6.json",
    "fleiss_worked_example_10x14.json",
    "krippendorff_2011_4x12.json",
    "sas_kappa_with_errors_3x3.json",
    "shrout_fleiss_1979_6x4.json",
    "two_rater_weighting_small.json",
];

/// Everything but what is expected: the program must not look there.
fn question(file: &Value) -> Value {
    let mut question = file.clone();
    question.as_object_mut().unwrap().remove("expected");
    for list in ["cases", "qualification", "drift"] {
        for case in question[list].as_array_mut().into_iter().flatten() {
            case.as_object_mut().unwrap().remove("expected");
        }
    }
    if question["cases"].is_null() {
        question.as_object_mut().unwrap().remove("cases");
    }
    for list in ["qualification", "drift"] {
        if question[list].is_null() {
            question.as_object_mut().unwrap().remove(list);
        }
    }
    question
}

#[track_caller]
fn check_close(found: &Value, expected: &Value, tolerance: f64, what: &str) {
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{what}");
            for (found, expected) in found.iter().zip(expected) {
                check_close(found, expected, tolerance, what);
            }
        }
        (Value::Number(found), Value::Number(expected)) => {
            let difference = (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs();
            assert!(difference <= tolerance, "{what}: {found} instead of {expected}");
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

#[test]
fn published_figures_are_met_within_their_tolerance() {
    for name in WITH_FIGURES {
        let file = fixture(name);
        let records = answer("agreement", &question(&file));
        let expected = file["expected"].as_array().unwrap();
        assert!(!expected.is_empty(), "{name}");
        for expected in expected {
            let members = expected.as_object().unwrap();
            let qualifiers: Vec<(&str, &str)> = members
                .iter()
                .filter(|(key, _)| !NO_QUALIFIERS.contains(&key.as_str()))
                .map(|(key, value)| (key.as_str(), value.as_str().unwrap()))
                .collect();
            let found = find(&records, expected["statistic"].as_str().unwrap(), &qualifiers);
            let tolerance = expected["tolerance"].as_f64().unwrap();
            let what = format!("{name} {found}");
            check_close(&found["value"], &expected["value"], tolerance, &what);
            if let Some(interval) = members.get("ci95") {
                check_close(&found["ci95"], interval, tolerance, &what);
            }
        }
    }
}

#[test]
fn what_the_papers_print_on_the_way_is_met() {
    let records = |name: &str| answer("agreement", &question(&fixture(name)));
    let cohen = records("cohen_1960_1968_3x3.json");
    let intermediate = &fixture("cohen_1960_1968_3x3.json")["intermediate"];
    for statistic in ["observed_agreement", "expected_agreement"] {
        let found = &find(&cohen, statistic, &[])["value"];
        check_close(found, &intermediate[statistic], 1e-9, statistic);
    }
    let shrout = records("shrout_fleiss_1979_6x4.json");
    let squares = &fixture("shrout_fleiss_1979_6x4.json")["intermediate"]["mean_squares"];
    for (source, expected) in squares.as_object().unwrap() {
        let found = find(&shrout, "mean_square", &[("source", source)]);
        check_close(&found["value"], expected, 1e-9, source);
    }
}

#[test]
fn undefined_and_misleading_cases_are_told_as_such() {
    let file = fixture("degenerate_cases.json");
    let records = answer("agreement", &question(&file));
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(records.len(), cases.len());
    for (record, case) in records.iter().zip(cases) {
        assert_eq!(record["name"], case["name"]);
        for (member, expected) in case["expected"].as_object().unwrap() {
            let found = record.get(member).unwrap_or_else(|| panic!("{member} of {case}"));
            check_close(found, expected, 1e-9, &format!("{member} of {case}"));
        }
    }
}

#[test]
fn rasch_severities_are_those_of_two_other_estimators() {
    let file = fixture("mfrm_severity_24x4x4.json");
    let records = answer("agreement", &question(&file));
    let expected = file["expected"].as_object().unwrap();
    let tolerance = expected["tolerance"].as_f64().unwrap();
    assert_eq!(expected.len(), 9);
    for (statistic, expected) in expected.iter().filter(|(key, _)| *key != "tolerance") {
        let found = find(&records, statistic, &[]);
        check_close(&found["value"], expected, tolerance, statistic);
    }
    assert_eq!(find(&records, "assessor_severity", &[])["ids"], json!([0, 1, 2, 3]));
}

#[test]
fn rules_decide_every_shared_case_exactly() {
    for (name, lists) in [
        ("adjudication_cases.json", &["cases"][..]),
        ("qualification_and_drift.json", &["qualification", "drift"]),
    ] {
        let file = fixture(name);
        let records = answer("rules", &question(&file));
        let cases: Vec<&Value> =
            lists.iter().flat_map(|list| file[list].as_array().unwrap()).collect();
        assert_eq!(records.len(), cases.len(), "{name}");
        for (record, case) in records.iter().zip(cases) {
            let mut expected = case["expected"].clone();
            expected["name"] = case["name"].clone();
            assert_eq!(*record, expected, "{name}");
        }
    }
}

#[test]
fn what_the_file_expects_is_not_looked_at() {
    let mut file = fixture("two_rater_weighting_small.json");
    let honest = answer("agreement", &file);
    file["expected"] = json!("nonsense");
    assert_eq!(answer("agreement", &file), honest);
}

/// The figures of the papers, by the functions themselves.
#[test]
fn functions_give_the_printed_figures() {
    let check =
        |found: f64, printed: f64| assert!((found - printed).abs() < 5e-4, "{found} {printed}");
    let table =
        ContingencyTable::new(&[vec![88, 14, 18], vec![10, 40, 10], vec![2, 6, 12]]).unwrap();
    let none = Weights::on_scale(Weighting::Unweighted, 3);
    check(cohen_kappa(&table, &none).unwrap().value, 0.492);
    let own = [vec![0.0, 1.0, 3.0], vec![1.0, 0.0, 6.0], vec![3.0, 6.0, 0.0]];
    let own = Weights::of_disagreement(&own).unwrap();
    check(cohen_kappa(&table, &own).unwrap().value, 0.348);

    let sas = ContingencyTable::new(&[vec![0, 4, 1], vec![0, 8, 0], vec![0, 1, 5]]).unwrap();
    let linear = cohen_kappa(&sas, &Weights::on_scale(Weighting::Linear, 3)).unwrap();
    check(linear.value, 0.4701);
    check(linear.standard_error, 0.1457);
    check(linear.null_standard_error, 0.1426);
    check(linear.z().unwrap(), 3.2971);
    check(linear.interval().unwrap().low, 0.1845);
    check(linear.interval().unwrap().high, 0.7558);

    let file = fixture("fleiss_worked_example_10x14.json");
    let counts: Vec<Vec<u64>> = serde_json::from_value(file["data"]["counts"].clone()).unwrap();
    let fleiss = fleiss_kappa(&UnitTable::of_counts(&counts).unwrap()).unwrap();
    check(fleiss.value, 0.210);
    check(fleiss.observed, 0.378);
    check(fleiss.expected, 0.213);

    let file = fixture("krippendorff_2011_4x12.json");
    let ratings: Vec<Vec<Option<usize>>> =
        serde_json::from_value(file["data"]["ratings"].clone()).unwrap();
    let units = UnitTable::of_ratings(6, &ratings).unwrap();
    let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    check(alpha(&units, Metric::Nominal).unwrap(), 0.743);
    check(alpha(&units, Metric::Ordinal).unwrap(), 0.815);
    check(alpha(&units, Metric::Interval(&values)).unwrap(), 0.849);
    check(alpha(&units, Metric::Ratio(&values)).unwrap(), 0.797);

    let file = fixture("shrout_fleiss_1979_6x4.json");
    let rows: Vec<Vec<f64>> = serde_json::from_value(file["data"]["ratings"].clone()).unwrap();
    let squares = MeanSquares::of(rows.iter().map(|row| (row.as_slice(), 1))).unwrap();
    check(squares.between_targets, 11.2417);
    check(squares.within_targets, 6.2639);
    check(squares.between_raters, 32.4861);
    check(squares.residual, 1.0194);
    assert!((squares.icc(IccForm::TwoMean).unwrap().value - 0.62).abs() < 5e-3);
}
