//! How many readings a submission needs, and why.

use assay::domain::decision_rule::Outcome;
use assay::domain::review_policy::{
    BasisPoints, ConflictRule, Draw, ReviewMode, ReviewPolicy, ReviewPolicyError, ReviewTerms,
    SecondReading, is_conditional_borne_out,
};
use assay::domain::rubric::{CriterionId, Level, LevelsError};

use super::{
    SHARED_DECISION_MAKING, SMALL_GROUP_SUPPORT, STUDENTS_AS_LEADERS, definition, json, levels,
    parse, with,
};

const TOP: &str = "q1=1 q2=1 r1=1 r2=1 c1=3 c2=3 c3=3 c4=3 c5=3";

#[test]
fn shipped_policies_are_read_in_full() {
    let double = definition(SHARED_DECISION_MAKING);
    assert_eq!(double.review_policy().mode(), ReviewMode::DoubleBlind);
    assert_eq!(double.review_policy().sheets_required(), 2);
    assert_eq!(double.review_policy().discrepancy_threshold(), 2);
    assert_eq!(double.review_policy().conflict_rules().len(), 7);
    let conditional = definition(STUDENTS_AS_LEADERS);
    assert_eq!(conditional.review_policy().mode(), ReviewMode::ConditionalDouble);
    assert_eq!(conditional.review_policy().sheets_required(), 1);
    assert_eq!(
        conditional.review_policy().double_at_levels(),
        Some(&[Level::new(1), Level::new(2)][..])
    );
    assert_eq!(conditional.review_policy().double_share().value(), 1000);
    assert!(!conditional.review_policy().double_score_prompts());
    let single = definition(SMALL_GROUP_SUPPORT);
    assert_eq!(single.review_policy().mode(), ReviewMode::Single);
    assert_eq!(single.review_policy().backread_share().value(), 1000);
    assert!(single.review_policy().second_score_when_not_yet());
    assert!(!single.review_policy().conflict_rules().contains(&ConflictRule::SameDistrict));
    assert!(single.review_policy().conflict_rules().contains(&ConflictRule::CoauthorOfEvidence));
}

#[test]
fn omitted_terms_take_their_defaults() {
    let document =
        with(SMALL_GROUP_SUPPORT, "/review_policy", serde_json::json!({ "mode": "double_blind" }));
    let expected = ReviewPolicy::new(ReviewTerms::of_mode(ReviewMode::DoubleBlind)).unwrap();
    assert_eq!(parse(&document).definition.review_policy(), &expected);
    assert!(expected.adjudicate_on_decision_split() && expected.calibration_required());
}

#[test]
fn double_blind_always_needs_a_second() {
    let policy = policy(ReviewTerms::of_mode(ReviewMode::DoubleBlind));
    check(&policy, TOP, Outcome::Earned, 9999, Some(SecondReading::DoubleBlind));
    check(&policy, TOP, Outcome::NotYet, 9999, Some(SecondReading::DoubleBlind));
}

#[test]
fn single_needs_a_second_on_not_yet_only_when_it_says_so() {
    let mut terms = ReviewTerms::of_mode(ReviewMode::Single);
    check(&policy(terms.clone()), TOP, Outcome::NotYet, 0, None);
    terms.second_score_when_not_yet = true;
    let policy = policy(terms);
    check(&policy, TOP, Outcome::NotYet, 9999, Some(SecondReading::NotYet));
    check(&policy, TOP, Outcome::Earned, 0, None);
    // Near the cut is no reason in this mode.
    check(&policy, &TOP.replace("c3=3", "c3=2"), Outcome::Earned, 0, None);
}

#[test]
fn backread_takes_its_share_of_draws() {
    let mut terms = ReviewTerms::of_mode(ReviewMode::Single);
    terms.backread_share = BasisPoints::new(1000).unwrap();
    let tenth = policy(terms.clone());
    check(&tenth, TOP, Outcome::Earned, 999, Some(SecondReading::Backread));
    check(&tenth, TOP, Outcome::Earned, 1000, None);
    terms.backread_share = BasisPoints::new(10_000).unwrap();
    check(&policy(terms), TOP, Outcome::Earned, 9999, Some(SecondReading::Backread));
}

#[test]
fn conditional_double_needs_a_second_next_to_the_cut() {
    let policy = policy(ReviewTerms::of_mode(ReviewMode::ConditionalDouble));
    check(&policy, TOP, Outcome::Earned, 0, None);
    // The cut of every criterion is 2: the levels next to it are 1 and 2.
    check(&policy, &TOP.replace("c3=3", "c3=2"), Outcome::Earned, 9999, near("c3", 2));
    check(&policy, &TOP.replace("c5=3", "c5=1"), Outcome::NotYet, 9999, near("c5", 1));
    check(&policy, &TOP.replace("c5=3", "c5=0"), Outcome::NotYet, 0, None);
    let unscorable = SecondReading::Unscorable { criterion: CriterionId::new("c4").unwrap() };
    check(&policy, &TOP.replace("c4=3", "c4=-"), Outcome::NotYet, 9999, Some(unscorable));
    // Prompts have two levels, so every level of theirs is next to the cut and says nothing.
    check(&policy, &TOP.replace("q1=1", "q1=0"), Outcome::NotYet, 0, None);
}

#[test]
fn listed_levels_take_the_place_of_the_cut() {
    let mut terms = ReviewTerms::of_mode(ReviewMode::ConditionalDouble);
    terms.double_at_levels = Some(vec![Level::new(0)]);
    let policy = policy(terms);
    check(&policy, &TOP.replace("c3=3", "c3=2"), Outcome::Earned, 0, None);
    check(&policy, &TOP.replace("c3=3", "c3=0"), Outcome::NotYet, 9999, near("c3", 0));
}

#[test]
fn conditional_double_takes_its_share_of_draws_before_the_backread() {
    let mut terms = ReviewTerms::of_mode(ReviewMode::ConditionalDouble);
    terms.double_share = BasisPoints::new(1000).unwrap();
    terms.backread_share = BasisPoints::new(1500).unwrap();
    terms.second_score_when_not_yet = true;
    let policy = policy(terms);
    check(&policy, TOP, Outcome::Earned, 999, Some(SecondReading::RandomShare));
    check(&policy, TOP, Outcome::Earned, 1000, Some(SecondReading::Backread));
    check(&policy, TOP, Outcome::Earned, 1500, None);
    check(&policy, &TOP.replace("c3=3", "c3=1"), Outcome::NotYet, 0, Some(SecondReading::NotYet));
}

#[test]
fn a_sheet_that_does_not_fit_the_rubric_needs_nothing_but_mending() {
    let policy = policy(ReviewTerms::of_mode(ReviewMode::DoubleBlind));
    let incomplete = levels(&TOP.replace("c5=3", ""));
    let shipped = definition(STUDENTS_AS_LEADERS);
    let draw = Draw::new(0).unwrap();
    let missing = LevelsError::Missing { item: CriterionId::new("c5").unwrap() };
    assert_eq!(
        policy.needs_second(shipped.rubric(), &incomplete, Outcome::Earned, draw),
        Err(missing)
    );
}

#[test]
fn shares_draws_and_terms_stay_in_bounds() {
    assert_eq!(BasisPoints::new(10_001), Err(ReviewPolicyError::ShareOverAll));
    assert_eq!(Draw::new(10_000), Err(ReviewPolicyError::DrawTooHigh));
    let mut terms = ReviewTerms::of_mode(ReviewMode::ConditionalDouble);
    terms.double_at_levels = Some(Vec::new());
    assert_eq!(ReviewPolicy::new(terms), Err(ReviewPolicyError::NoLevels));
    let mut terms = ReviewTerms::of_mode(ReviewMode::Single);
    terms.discrepancy_threshold = 0;
    assert_eq!(ReviewPolicy::new(terms), Err(ReviewPolicyError::ThresholdZero));
}

#[test]
fn double_scoring_of_prompts_can_be_asked_for() {
    let document = with(SHARED_DECISION_MAKING, "/review_policy/double_score_prompts", true.into());
    assert!(parse(&document).definition.review_policy().double_score_prompts());
    assert!(
        !parse(&json(SHARED_DECISION_MAKING)).definition.review_policy().double_score_prompts()
    );
}

fn policy(terms: ReviewTerms) -> ReviewPolicy {
    ReviewPolicy::new(terms).unwrap()
}

fn near(criterion: &str, level: u8) -> Option<SecondReading> {
    let criterion = CriterionId::new(criterion).unwrap();
    Some(SecondReading::NearCut { criterion, level: Level::new(level) })
}

/// Asks for a sheet on the rubric of students as leaders: levels 0 to 3, cut 2.
#[track_caller]
fn check(
    policy: &ReviewPolicy,
    scores: &str,
    outcome: Outcome,
    draw: u16,
    expected: Option<SecondReading>,
) {
    let shipped = definition(STUDENTS_AS_LEADERS);
    let draw = Draw::new(draw).unwrap();
    assert_eq!(policy.needs_second(shipped.rubric(), &levels(scores), outcome, draw), Ok(expected));
}

#[test]
fn conditional_second_reading_is_borne_out_by_thirty_of_which_85_in_100_decide_the_same() {
    assert!(!is_conditional_borne_out(29, 29));
    assert!(!is_conditional_borne_out(30, 25));
    assert!(is_conditional_borne_out(30, 26));
    assert!(!is_conditional_borne_out(40, 33));
    assert!(is_conditional_borne_out(40, 34));
}
