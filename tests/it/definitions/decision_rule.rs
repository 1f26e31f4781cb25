//! The decision rule, form by form, and the rules of the shipped definitions.

use assay::domain::decision_rule::{
    DecisionRule, DecisionRuleError, EvaluateError, Form, MAX_LAYERS, Outcome,
};
use assay::domain::rubric::{
    CriterionId, IdError, Level, LevelsError, MAX_ID_LENGTH, PartId, Rubric,
};
use proptest::prelude::*;

use super::{STUDENTS_AS_LEADERS, definition, levels};

/// All prompts of both parts pass.
const PROMPTS: &str = "q1=1 q2=1 r1=1 r2=1";

#[test]
fn all_prompts_at_least_looks_at_the_named_parts_only() {
    let both = prompts_at_least(&["part1", "part3"]);
    let first = prompts_at_least(&["part1"]);
    let criteria = "c1=0 c2=0 c3=0 c4=0 c5=0";
    check(&both, &format!("q1=1 q2=1 r1=1 r2=1 {criteria}"), Outcome::Earned);
    check(&both, &format!("q1=1 q2=1 r1=1 r2=0 {criteria}"), Outcome::NotYet);
    check(&both, &format!("q1=0 q2=1 r1=1 r2=1 {criteria}"), Outcome::NotYet);
    check(&first, &format!("q1=1 q2=1 r1=0 r2=- {criteria}"), Outcome::Earned);
    check(&first, &format!("q1=1 q2=- r1=1 r2=1 {criteria}"), Outcome::NotYet);
}

#[test]
fn all_criteria_at_pass_level_wants_each_at_its_cut() {
    let rule = rule(Form::AllCriteriaAtPassLevel);
    check(&rule, "q1=0 q2=0 r1=0 r2=0 c1=2 c2=2 c3=2 c4=2 c5=2", Outcome::Earned);
    check(&rule, "q1=0 q2=0 r1=0 r2=0 c1=3 c2=3 c3=3 c4=3 c5=1", Outcome::NotYet);
    check(&rule, "q1=0 q2=0 r1=0 r2=0 c1=- c2=3 c3=3 c4=3 c5=3", Outcome::NotYet);
}

#[test]
fn essential_criteria_at_pass_level_ignores_the_others() {
    let rule = rule(Form::EssentialCriteriaAtPassLevel);
    check(&rule, "q1=0 q2=0 r1=0 r2=0 c1=0 c2=2 c3=0 c4=2 c5=-", Outcome::Earned);
    check(&rule, "q1=1 q2=1 r1=1 r2=1 c1=3 c2=1 c3=3 c4=3 c5=3", Outcome::NotYet);
    check(&rule, "q1=1 q2=1 r1=1 r2=1 c1=3 c2=3 c3=3 c4=- c5=3", Outcome::NotYet);
}

#[test]
fn count_criteria_at_pass_level_counts_any_criteria() {
    let rule = rule(Form::CountCriteriaAtPassLevel { min: 3 });
    check(&rule, "q1=0 q2=0 r1=0 r2=0 c1=2 c2=0 c3=3 c4=0 c5=2", Outcome::Earned);
    check(&rule, "q1=0 q2=0 r1=0 r2=0 c1=2 c2=1 c3=3 c4=1 c5=1", Outcome::NotYet);
    check(&rule, "q1=1 q2=1 r1=1 r2=1 c1=2 c2=- c3=3 c4=- c5=1", Outcome::NotYet);
}

#[test]
fn all_criteria_at_least_is_a_floor_whatever_the_cut() {
    let rule = rule(Form::AllCriteriaAtLeast { level: Level::new(1) });
    check(&rule, "q1=0 q2=0 r1=0 r2=0 c1=1 c2=1 c3=1 c4=1 c5=1", Outcome::Earned);
    check(&rule, "q1=0 q2=0 r1=0 r2=0 c1=3 c2=3 c3=3 c4=3 c5=0", Outcome::NotYet);
    check(&rule, "q1=0 q2=0 r1=0 r2=0 c1=3 c2=3 c3=3 c4=3 c5=-", Outcome::NotYet);
}

#[test]
fn and_is_met_when_each_rule_under_it_is() {
    let floor = || rule(Form::AllCriteriaAtLeast { level: Level::new(1) });
    let count = || rule(Form::CountCriteriaAtPassLevel { min: 1 });
    let nested = rule(Form::And(vec![rule(Form::And(vec![floor()])), count()]));
    check(&nested, "q1=0 q2=0 r1=0 r2=0 c1=1 c2=1 c3=2 c4=1 c5=1", Outcome::Earned);
    check(&nested, "q1=0 q2=0 r1=0 r2=0 c1=1 c2=1 c3=1 c4=1 c5=1", Outcome::NotYet);
    check(&nested, "q1=0 q2=0 r1=0 r2=0 c1=1 c2=1 c3=2 c4=1 c5=0", Outcome::NotYet);
}

#[test]
fn students_as_leaders_wants_both_essentials_four_of_five_and_none_below_the_floor() {
    let shipped = definition(STUDENTS_AS_LEADERS);
    let decide =
        |criteria: &str| shipped.decide(&levels(&format!("{PROMPTS} {criteria}"))).unwrap();
    assert_eq!(decide("c1=2 c2=2 c3=2 c4=2 c5=2"), Outcome::Earned);
    assert_eq!(decide("c1=1 c2=2 c3=2 c4=2 c5=2"), Outcome::Earned);
    assert_eq!(decide("c1=2 c2=3 c3=2 c4=2 c5=1"), Outcome::Earned);
    assert_eq!(decide("c1=0 c2=3 c3=3 c4=3 c5=3"), Outcome::NotYet, "below the floor");
    assert_eq!(
        decide("c1=- c2=3 c3=3 c4=3 c5=3"),
        Outcome::NotYet,
        "unscorable is below the floor"
    );
    assert_eq!(decide("c1=1 c2=3 c3=1 c4=3 c5=3"), Outcome::NotYet, "three of five");
    assert_eq!(decide("c1=3 c2=1 c3=3 c4=3 c5=3"), Outcome::NotYet, "an essential one misses");
    assert_eq!(
        decide("c1=3 c2=3 c3=3 c4=1 c5=3"),
        Outcome::NotYet,
        "the other essential one misses"
    );
    let prompt_missed = levels("q1=1 q2=1 r1=1 r2=0 c1=3 c2=3 c3=3 c4=3 c5=3");
    assert_eq!(shipped.decide(&prompt_missed).unwrap(), Outcome::NotYet);
}

#[test]
fn every_prompt_and_criterion_needs_a_level_of_its_own_scale() {
    let rule = rule(Form::AllCriteriaAtPassLevel);
    let id = |id: &str| CriterionId::new(id).unwrap();
    fails(
        &rule,
        "q1=1 q2=1 r1=1 r2=1 c1=2 c2=2 c3=2 c4=2",
        LevelsError::Missing { item: id("c5") },
    );
    fails(
        &rule,
        "q1=1 r1=1 r2=1 c1=2 c2=2 c3=2 c4=2 c5=2",
        LevelsError::Missing { item: id("q2") },
    );
    fails(
        &rule,
        "q1=1 q2=1 r1=1 r2=1 c1=2 c2=2 c3=2 c4=2 c5=4",
        LevelsError::UnknownLevel { item: id("c5"), level: Level::new(4) },
    );
    fails(
        &rule,
        "q1=2 q2=1 r1=1 r2=1 c1=2 c2=2 c3=2 c4=2 c5=2",
        LevelsError::UnknownLevel { item: id("q1"), level: Level::new(2) },
    );
    fails(
        &rule,
        "q1=1 q2=1 r1=1 r2=1 c1=2 c2=2 c3=2 c4=2 c5=2 c6=2",
        LevelsError::UnknownItem { item: id("c6") },
    );
}

#[test]
fn a_rule_that_names_nothing_is_never_met_by_default() {
    let everything = levels(&format!("{PROMPTS} c1=3 c2=3 c3=3 c4=3 c5=3"));
    let unknown_part = rule(Form::And(vec![
        rule(Form::CountCriteriaAtPassLevel { min: 9 }),
        prompts_at_least(&["part2"]),
    ]));
    assert_eq!(
        unknown_part.evaluate(definition(STUDENTS_AS_LEADERS).rubric(), &everything),
        Err(EvaluateError::UnknownPart { part: PartId::new("part2").unwrap() })
    );
    let text = STUDENTS_AS_LEADERS.replace("\"essential\": true", "\"essential\": false");
    assert_eq!(definition(&text).decide(&everything), Err(EvaluateError::NoEssentialCriteria));
}

#[test]
fn a_rule_has_something_under_and_and_few_layers() {
    assert_eq!(DecisionRule::new(Form::And(Vec::new())), Err(DecisionRuleError::EmptyAnd));
    let no_parts = Form::AllPromptsAtLeast { parts: Vec::new(), level: Level::new(1) };
    assert_eq!(DecisionRule::new(no_parts), Err(DecisionRuleError::NoParts));
    let mut deepest = rule(Form::AllCriteriaAtPassLevel);
    for _ in 0..MAX_LAYERS {
        deepest = rule(Form::And(vec![deepest]));
    }
    assert_eq!(DecisionRule::new(Form::And(vec![deepest])), Err(DecisionRuleError::TooDeep));
}

#[test]
fn ids_are_short_and_plain() {
    for good in ["c1", "Q", "7", "a.b-c_d", &"x".repeat(MAX_ID_LENGTH)] {
        assert_eq!(CriterionId::new(good).unwrap().as_str(), good);
    }
    for bad in ["", "-a", ".", "a b", "a/b", "é", "a\u{0}", &"x".repeat(MAX_ID_LENGTH + 1)] {
        assert_eq!(CriterionId::new(bad), Err(IdError), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn raising_a_level_never_loses_the_award(
        scores in proptest::collection::vec(0_u8..4, 5),
        raised in 0_usize..5,
        steps in 1_u8..4,
    ) {
        let shipped = definition(STUDENTS_AS_LEADERS);
        let decide = |scores: &[u8]| {
            let criteria: Vec<_> = scores.iter().enumerate().map(|(i, s)| format!("c{}={s}", i + 1)).collect();
            shipped.decide(&levels(&format!("{PROMPTS} {}", criteria.join(" ")))).unwrap()
        };
        let before = decide(&scores);
        let mut better = scores;
        better[raised] = (better[raised] + steps).min(3);
        prop_assert!(decide(&better) >= before);
    }
}

fn rule(form: Form) -> DecisionRule {
    DecisionRule::new(form).unwrap()
}

fn prompts_at_least(parts: &[&str]) -> DecisionRule {
    let parts = parts.iter().map(|part| PartId::new(*part).unwrap()).collect();
    rule(Form::AllPromptsAtLeast { parts, level: Level::new(1) })
}

/// The rubric of students as leaders: c1 to c5 of levels 0 to 3 that pass at 2, of which c2 and c4 are
/// essential, and prompts q1, q2 in part 1 and r1, r2 in part 3.
fn rubric() -> Rubric {
    definition(STUDENTS_AS_LEADERS).rubric().clone()
}

#[track_caller]
fn check(rule: &DecisionRule, scores: &str, expected: Outcome) {
    assert_eq!(rule.evaluate(&rubric(), &levels(scores)), Ok(expected), "{scores}");
}

#[track_caller]
fn fails(rule: &DecisionRule, scores: &str, expected: LevelsError) {
    assert_eq!(rule.evaluate(&rubric(), &levels(scores)), Err(EvaluateError::Levels(expected)));
}
