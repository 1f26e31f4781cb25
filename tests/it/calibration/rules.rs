//! The rules alone: keys that agree, sets on several scales, tries of a cycle.

use assay::domain::calibration::{
    AttemptState, CalibrationLimits, DriftFlag, KeyedScore, PastTry, QualificationFault,
    ScaledScore, TryRefusal, agreed_level, judge_qualification, judge_seeds, judge_set, may_try,
};
use assay::domain::rubric::Level;
use assay::domain::timestamp::Timestamp;
use chrono::{DateTime, TimeDelta};

fn scaled(levels: usize, cut: u8, key: u8, given: u8) -> ScaledScore {
    let score = KeyedScore { key: Level::new(key), given: Some(Level::new(given)) };
    ScaledScore { levels, cut: Level::new(cut), score }
}

#[test]
fn key_is_the_level_of_two_and_of_more_than_any_other() {
    assert_eq!(agreed_level(&[]), None);
    assert_eq!(agreed_level(&[2]), None);
    assert_eq!(agreed_level(&[2, 2]), Some(2));
    assert_eq!(agreed_level(&[1, 2]), None);
    assert_eq!(agreed_level(&[1, 2, 2]), Some(2));
    assert_eq!(agreed_level(&[0, 1, 2]), None);
    assert_eq!(agreed_level(&[1, 1, 2, 2]), None);
    assert_eq!(agreed_level(&[1, 1, 2, 2, 2]), Some(2));
}

#[test]
fn one_scale_is_judged_as_by_the_reference() {
    let limits = CalibrationLimits::default();
    for n_off in 0..=6 {
        let scores: Vec<ScaledScore> =
            (0..10).map(|at| scaled(3, 1, 1, if at < n_off { 2 } else { 1 })).collect();
        let plain: Vec<KeyedScore> = scores.iter().map(|one| one.score).collect();
        let expected = judge_qualification(3, Level::new(1), &plain, &limits).unwrap();
        assert_eq!(judge_set(&scores, &limits), Some((expected.agreement, expected.faults)));
    }
    assert_eq!(judge_set(&[], &limits).unwrap().1, [QualificationFault::NoScores]);
}

#[test]
fn each_number_of_levels_has_its_own_line() {
    let limits = CalibrationLimits::default();
    // Nine of ten on two levels reach 90 percent; eight do not, whatever the others say.
    let mixed = |n_exact| {
        let two = (0..10).map(move |at| scaled(2, 1, 1, u8::from(at < n_exact)));
        two.chain((0..30).map(|_| scaled(4, 2, 3, 3))).collect::<Vec<_>>()
    };
    assert_eq!(judge_set(&mixed(9), &limits).unwrap().1, []);
    let below = judge_set(&mixed(8), &limits).unwrap().1;
    assert_eq!(below, [QualificationFault::ExactBelowThreshold]);
}

#[test]
fn drift_is_judged_on_the_last_twenty_over_all_scales() {
    let limits = CalibrationLimits::default();
    let judge_seeds = |scores: &[ScaledScore], limits: &CalibrationLimits| {
        judge_seeds(scores, limits).unwrap().flag
    };
    let good: Vec<ScaledScore> = (0..20).map(|_| scaled(3, 1, 1, 1)).collect();
    assert_eq!(judge_seeds(&good[..9], &limits), DriftFlag::Insufficient);
    assert_eq!(judge_seeds(&good, &limits), DriftFlag::Ok);
    let bad: Vec<ScaledScore> = (0..20).map(|_| scaled(3, 1, 1, 0)).collect();
    let worse: Vec<ScaledScore> = good.iter().chain(&bad).copied().collect();
    assert_eq!(judge_seeds(&worse, &limits), DriftFlag::Suspend);
    let better: Vec<ScaledScore> = bad.iter().chain(&good).copied().collect();
    assert_eq!(judge_seeds(&better, &limits), DriftFlag::Ok);
    // Three cuts of one scale: no cut has ten scores, and together they are twenty.
    let mixed = |given: u8| -> Vec<ScaledScore> {
        (0..20).map(|at| scaled(4, 1 + at % 3, 1 + at % 3, given)).collect()
    };
    assert_eq!(judge_seeds(&mixed(0), &limits), DriftFlag::Suspend);
    // Two numbers of levels weigh as they are many: 10 of two levels take 9, and 10 of four take 7, so 16 together.
    let halves = |n_off: u8| -> Vec<ScaledScore> {
        // As often too high as too low, and always on the same side of the cut.
        let four = (0..10).map(|at| {
            let given = if at < n_off { 1 + 2 * (at % 2) } else { 2 };
            scaled(4, 1, 2, given)
        });
        (0..10).map(|_| scaled(2, 1, 1, 1)).chain(four).collect()
    };
    assert_eq!(judge_seeds(&halves(4), &limits), DriftFlag::Ok);
    assert_eq!(judge_seeds(&halves(5), &limits), DriftFlag::Watch);
    assert_eq!(judge_seeds(&halves(7), &limits), DriftFlag::Suspend);
}

#[test]
fn two_sets_then_coaching_then_one_more_then_the_rest_of_the_cycle_out() {
    let start = Timestamp::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    let day = |number| start.plus(TimeDelta::days(number));
    let tried = |number, is_same_set, state, is_coached| PastTry {
        is_same_set,
        state,
        started_at: day(number),
        is_coached,
    };
    use AttemptState::{Failed, Open, Passed};
    let first = tried(0, true, Failed, false);
    let second = tried(1, false, Failed, false);
    let coached = PastTry { is_coached: true, ..second };
    assert_eq!(may_try(&[], day(0)), Ok(()));
    assert_eq!(may_try(&[first], day(1)), Err(TryRefusal::SameSet));
    assert_eq!(may_try(&[PastTry { is_same_set: false, ..first }], day(1)), Ok(()));
    assert_eq!(may_try(&[first, second], day(2)), Err(TryRefusal::CoachingDue));
    assert_eq!(may_try(&[first, coached], day(2)), Ok(()));
    assert_eq!(may_try(&[tried(0, false, Open, false)], day(0)), Err(TryRefusal::Open));
    let third = tried(3, true, Failed, true);
    let over = Err(TryRefusal::CycleOver { until: day(365) });
    assert_eq!(may_try(&[first, coached, third], day(4)), over);
    assert_eq!(may_try(&[first, coached, third], day(364)), over);
    assert_eq!(may_try(&[first, coached, third], day(365)), Ok(()));
    // A new cycle counts its own tries alone, and a pass ends one.
    let again = tried(400, true, Failed, false);
    assert_eq!(may_try(&[first, coached, third, again], day(401)), Err(TryRefusal::SameSet));
    let passed = tried(2, false, Passed, false);
    assert_eq!(may_try(&[first, coached, passed], day(3)), Ok(()));
}
