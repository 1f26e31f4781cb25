//! Resolving two or three readings, qualifying, and drift (DOMAIN.md, 3.4 and 3.5).

use assay::domain::calibration::{
    CalibrationLimits, DriftFlag, DriftReport, KeyedScore, QualificationFault, judge_drift,
    judge_qualification,
};
use assay::domain::resolution::{Dispute, Reading, Readings, ResolutionTerms, Resolved, resolve};
use assay::domain::review_policy::{
    AdjacentRule, BasisPoints, ResolutionRule, ReviewMode, ReviewPolicy, ReviewTerms,
};
use assay::domain::rubric::Level;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::answer;

const U: Reading = Reading::Unscorable;

fn at(number: u8) -> Reading {
    Reading::Level(Level::new(number))
}

/// Resolves with the cut at 2.
#[track_caller]
fn check(
    terms: &ResolutionTerms,
    first: Reading,
    second: Reading,
    third: Option<Reading>,
    expected: Resolved,
) {
    for (first, second) in [(first, second), (second, first)] {
        let found = resolve(Level::new(2), Readings { first, second, third }, terms);
        assert_eq!(found, expected, "{first:?} {second:?} {third:?}");
    }
}

#[test]
fn a_third_reading_is_heard_only_where_the_two_differ() {
    let terms = ResolutionTerms::default();
    check(&terms, at(1), at(1), Some(at(3)), Resolved::Exact(Level::new(1)));
    check(&terms, at(2), at(3), Some(at(0)), Resolved::AdjacentResolved(Level::new(2)));
    check(&terms, U, U, Some(at(3)), Resolved::Unscorable);
    let level = Some(Level::new(0));
    check(
        &terms,
        at(1),
        at(2),
        Some(at(0)),
        Resolved::Adjudicated { dispute: Dispute::DecisionSplit, level },
    );
}

#[test]
fn a_policy_may_keep_the_higher_of_two_neighbours() {
    let terms =
        ResolutionTerms { adjacent_same_side: AdjacentRule::Higher, ..ResolutionTerms::default() };
    check(&terms, at(0), at(1), None, Resolved::AdjacentResolved(Level::new(1)));
    check(&terms, at(1), at(2), None, Resolved::NeedsAdjudication(Dispute::DecisionSplit));
}

#[test]
fn the_median_needs_three_levels() {
    let terms =
        ResolutionTerms { resolution: ResolutionRule::MedianOfThree, ..ResolutionTerms::default() };
    let settled = |dispute, level: Option<u8>| Resolved::Adjudicated {
        dispute,
        level: level.map(Level::new),
    };
    check(&terms, at(0), at(3), Some(at(2)), settled(Dispute::Discrepant, Some(2)));
    check(&terms, at(1), at(2), Some(at(0)), settled(Dispute::DecisionSplit, Some(1)));
    check(&terms, at(1), at(2), Some(at(4)), settled(Dispute::DecisionSplit, Some(2)));
    check(&terms, U, at(3), Some(at(1)), settled(Dispute::UnscorableDisagreement, Some(1)));
    check(&terms, at(0), at(3), Some(U), settled(Dispute::Discrepant, None));
}

#[test]
fn a_definition_may_allow_larger_differences_on_one_side_of_the_cut() {
    let mut terms = ReviewTerms::of_mode(ReviewMode::DoubleBlind);
    assert_eq!(
        ResolutionTerms::of(&ReviewPolicy::new(terms.clone()).unwrap()),
        ResolutionTerms::default()
    );
    terms.discrepancy_threshold = 3;
    let terms = ResolutionTerms::of(&ReviewPolicy::new(terms).unwrap());
    check(&terms, at(2), at(4), None, Resolved::AdjacentResolved(Level::new(2)));
    check(&terms, at(1), at(3), None, Resolved::NeedsAdjudication(Dispute::DecisionSplit));
    check(&terms, at(1), at(4), None, Resolved::NeedsAdjudication(Dispute::Discrepant));
}

fn any_reading() -> impl Strategy<Value = Reading> {
    prop_oneof![1 => Just(U), 6 => (0_u8..6).prop_map(at)]
}

proptest! {
    /// It does not matter who is first, and a level that comes out is one that somebody gave.
    #[test]
    fn a_resolved_level_was_given(
        first in any_reading(),
        second in any_reading(),
        third in prop::option::of(any_reading()),
        cut in 0_u8..6,
        is_median in any::<bool>(),
    ) {
        let resolution = if is_median { ResolutionRule::MedianOfThree } else { ResolutionRule::ExpertReplaces };
        let terms = ResolutionTerms { resolution, ..ResolutionTerms::default() };
        let found = resolve(Level::new(cut), Readings { first, second, third }, &terms);
        let turned = Readings { first: second, second: first, third };
        prop_assert_eq!(found, resolve(Level::new(cut), turned, &terms));
        if let Some(level) = found.level() {
            prop_assert!([Some(first), Some(second), third].contains(&Some(Reading::Level(level))));
        }
        prop_assert_eq!(found.is_open(), found.dispute().is_some() && third.is_none());
        // Without a third reading nobody's pass is turned into a fail, or the other way round.
        if third.is_none() && let (Some(one), Some(other)) = (first.level(), second.level()) {
            let passes = |level: Level| level.number() >= cut;
            let has_level = found.level().is_some();
            prop_assert!(!has_level || (passes(one) == passes(other)));
        }
    }
}

fn adjudicate(decision_rule: Value, scores: Value) -> Value {
    let policy = json!({"cut": 2, "decision_rule": decision_rule});
    let file = json!({"cases": [{"name": "x", "policy": policy, "scores": scores}]});
    answer("rules", &file)[0]["overall"].clone()
}

#[test]
fn unscorable_is_not_met_and_under_any_floor() {
    let scores = json!({"a b": {"a": 2, "b": 2}, "c": {"a": "U", "b": "U"}});
    assert_eq!(adjudicate(json!({"type": "all"}), scores.clone()), "not_yet");
    assert_eq!(
        adjudicate(json!({"type": "k_of_n", "k": 1, "essential": ["a b"]}), scores.clone()),
        "earned"
    );
    assert_eq!(
        adjudicate(json!({"type": "k_of_n", "k": 1, "floor": 0}), scores.clone()),
        "not_yet"
    );
    assert_eq!(
        adjudicate(json!({"type": "k_of_n", "k": 1, "essential": ["c"]}), scores.clone()),
        "not_yet"
    );
    assert_eq!(adjudicate(json!({"type": "k_of_n", "k": 2}), scores), "not_yet");
}

#[test]
fn an_open_criterion_holds_the_decision_whatever_the_rule() {
    let scores = json!({"a": {"a": 3, "b": 3}, "b": {"a": 0, "b": 3}});
    assert_eq!(adjudicate(json!({"type": "k_of_n", "k": 1}), scores.clone()), "needs_adjudication");
    assert_eq!(adjudicate(json!({"type": "all"}), scores), "needs_adjudication");
}

/// Scores with these differences from a key of 4s.
fn scores(differences: &[i8]) -> Vec<KeyedScore> {
    let score = |difference: &i8| KeyedScore {
        key: Level::new(4),
        given: Some(Level::new(4_u8.checked_add_signed(*difference).unwrap())),
    };
    differences.iter().map(score).collect()
}

fn faults(levels: usize, differences: &[i8]) -> Vec<QualificationFault> {
    let limits = CalibrationLimits::default();
    judge_qualification(levels, Level::new(1), &scores(differences), &limits).unwrap().faults
}

#[test]
fn the_line_for_exact_scores_depends_on_the_levels() {
    let off = |n: usize| -> Vec<i8> { (0..10).map(|at| i8::from(at < n)).collect() };
    for (levels, most_off) in [(2, 1), (3, 2), (4, 3), (5, 3), (9, 3)] {
        assert_eq!(faults(levels, &off(most_off)), []);
        assert_eq!(faults(levels, &off(most_off + 1)), [QualificationFault::ExactBelowThreshold]);
    }
    assert_eq!(judge_qualification(1, Level::new(1), &[], &CalibrationLimits::default()), None);
}

#[test]
fn every_reason_against_a_set_is_told_in_order() {
    let limits = CalibrationLimits::default();
    let mut set = scores(&[0, 0, 0, -3, -3, -4, -4, -4, 0, 0]);
    let found = judge_qualification(5, Level::new(2), &set, &limits).unwrap();
    assert_eq!(
        found.faults,
        [
            QualificationFault::ExactBelowThreshold,
            QualificationFault::DecisionBelowThreshold,
            QualificationFault::TooManyDiscrepant
        ]
    );
    assert_eq!(faults(4, &[]), [QualificationFault::NoScores]);
    // One discrepant score is allowed, and a score that was not given is one.
    set = scores(&[0; 10]);
    set[0].given = None;
    let found = judge_qualification(4, Level::new(2), &set, &limits).unwrap();
    assert!(found.is_qualified());
    assert_eq!((found.agreement.non_adjacent, found.agreement.decision), (1, 9));
    set[1].given = None;
    let found = judge_qualification(4, Level::new(2), &set, &limits).unwrap();
    assert_eq!(found.faults, [QualificationFault::TooManyDiscrepant]);
}

/// Drift on four levels or more, with a cut that no score crosses.
fn drift(differences: &[i8]) -> DriftReport {
    judge_drift(5, Level::new(1), &scores(differences), &CalibrationLimits::default()).unwrap()
}

#[track_caller]
fn check_flag(differences: &[i8], expected: DriftFlag) {
    let turned: Vec<i8> = differences.iter().map(|difference| -difference).collect();
    assert_eq!(drift(differences).flag, expected, "{differences:?}");
    assert_eq!(drift(&turned).flag, expected, "{turned:?}");
}

#[test]
fn drift_needs_ten_seed_scores() {
    check_flag(&[0; 9], DriftFlag::Insufficient);
    check_flag(&[0; 10], DriftFlag::Ok);
    check_flag(&[], DriftFlag::Insufficient);
}

#[test]
fn drift_looks_at_the_last_twenty_scores_only() {
    let mut differences = vec![-3; 10];
    differences.extend([0; 20]);
    let report = drift(&differences);
    assert_eq!((report.flag, report.agreement.n), (DriftFlag::Ok, 20));
}

#[test]
fn drift_suspends_more_than_ten_points_under_the_line() {
    // 60 percent exact, to both sides: ten points under the line are not more than ten points.
    let mut differences = vec![0; 12];
    differences.extend([1, -1, 1, -1, 1, -1, 1, -1]);
    check_flag(&differences, DriftFlag::Watch);
    differences[0] = 1;
    check_flag(&differences, DriftFlag::Suspend);
    // 70 percent is the line itself.
    let mut differences = vec![0; 14];
    differences.extend([1, -1, 1, -1, 1, -1]);
    check_flag(&differences, DriftFlag::Ok);
}

#[test]
fn drift_suspends_when_decisions_fall_under_the_line() {
    let limits = CalibrationLimits::default();
    let flag = |n_off: usize| {
        let differences: Vec<i8> = (0..20).map(|at| if at < n_off { 1 } else { 0 }).collect();
        judge_drift(5, Level::new(5), &scores(&differences), &limits).unwrap().flag
    };
    assert_eq!(flag(5), DriftFlag::Suspend);
    // 80 percent holds; four scores of twenty a level too high are not yet a lean.
    assert_eq!(flag(4), DriftFlag::Ok);
}

#[test]
fn a_lean_counts_when_it_is_both_large_and_systematic() {
    let with = |n_off: usize, by: i8| -> Vec<i8> {
        (0..20).map(|at| if at < n_off { by } else { 0 }).collect()
    };
    // A mean of 0.25 with t 2.5.
    check_flag(&with(5, 1), DriftFlag::Watch);
    check_flag(&with(4, 1), DriftFlag::Ok);
    // A mean of 0.4 with t 2.18 watches; a mean of 0.3 with t 1.83 is not systematic.
    check_flag(&with(4, 2), DriftFlag::Watch);
    check_flag(&with(3, 2), DriftFlag::Ok);
    // A mean of 0.6 with t 2.85 watches, of 0.75 with t 2.52 too: both are short of 3.
    check_flag(&with(6, 2), DriftFlag::Watch);
    check_flag(&with(5, 3), DriftFlag::Watch);
    // The limits for suspending are met from 0.5 and 3 on.
    let mut differences = with(6, 2);
    differences[6] = 1;
    differences.truncate(20);
    assert!(drift(&differences).t().unwrap() >= 3.0);
    check_flag(&differences, DriftFlag::Suspend);
}

#[test]
fn a_lean_without_any_variance_counts_as_systematic() {
    let exact_of_more_levels = BasisPoints::of_percent(0);
    let limits = CalibrationLimits { exact_of_more_levels, ..CalibrationLimits::default() };
    let report = judge_drift(5, Level::new(1), &scores(&[1; 12]), &limits).unwrap();
    assert_eq!(report.flag, DriftFlag::Suspend);
    assert!(report.t().is_err());
}

#[test]
fn undefined_members_of_a_drift_case_are_null() {
    let file = json!({"drift": [{"name": "none", "levels": 4, "cut": 2, "key": [], "given": []}]});
    let expected = json!([{"name": "none", "flag": "insufficient", "n": 0, "mean_signed_difference": null, "variance": null,
        "standard_error": null, "t": null, "exact_rate": null, "decision_rate": null}]);
    assert_eq!(Value::from(answer("rules", &file)), expected);
}
