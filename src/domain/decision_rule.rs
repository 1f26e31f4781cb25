//! Whether the levels of a submission earn the micro-credential.

use super::rubric::{CriterionId, Level, Levels, LevelsError, PartId, Rubric, ScoredItem};

/// How many layers of `and` a rule may have.
pub const MAX_LAYERS: usize = 3;

worded_enum! {
    /// What a decided submission comes to.
    Outcome {
        /// The rule is not met; the earner may try again.
        NotYet = "not_yet",
        /// The rule is met.
        Earned = "earned",
    }
}

/// A rule over the levels of all prompts and criteria.
///
/// More is never worse: raising a level cannot turn [`Outcome::Earned`] into [`Outcome::NotYet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRule {
    form: Form,
    layers: usize,
}

/// The forms that a [`DecisionRule`] takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every one of these rules is met.
    And(Vec<DecisionRule>),
    /// Every prompt of the parts has this level or a higher one.
    AllPromptsAtLeast {
        /// The parts, which must have prompts.
        parts: Vec<PartId>,
        /// The lowest level that is enough.
        level: Level,
    },
    /// Every criterion reaches its own pass level.
    AllCriteriaAtPassLevel,
    /// Every essential criterion reaches its own pass level.
    EssentialCriteriaAtPassLevel,
    /// At least so many criteria reach their own pass level.
    CountCriteriaAtPassLevel {
        /// How many.
        min: u32,
    },
    /// Every criterion has this level or a higher one.
    AllCriteriaAtLeast {
        /// The lowest level that is enough.
        level: Level,
    },
}

impl DecisionRule {
    /// The rule of this form.
    ///
    /// An `and` needs at least one rule under it and has at most [`MAX_LAYERS`] layers in all;
    /// a rule over prompts names at least one part.
    pub fn new(form: Form) -> Result<DecisionRule, DecisionRuleError> {
        let layers = match &form {
            Form::And(rules) => {
                let below = rules.iter().map(|rule| rule.layers).max();
                below.ok_or(DecisionRuleError::EmptyAnd)? + 1
            }
            Form::AllPromptsAtLeast { parts, .. } if parts.is_empty() => {
                return Err(DecisionRuleError::NoParts);
            }
            Form::AllPromptsAtLeast { .. }
            | Form::AllCriteriaAtPassLevel
            | Form::EssentialCriteriaAtPassLevel
            | Form::CountCriteriaAtPassLevel { .. }
            | Form::AllCriteriaAtLeast { .. } => 0,
        };
        if layers > MAX_LAYERS {
            return Err(DecisionRuleError::TooDeep);
        }
        Ok(DecisionRule { form, layers })
    }

    /// What the rule says.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The outcome that these levels earn.
    ///
    /// A prompt or criterion that could not be scored counts as not met. Every prompt and criterion of the
    /// rubric needs an entry in `levels`, on its own scale. A rule that names nothing to be met (a part that is
    /// not there, essential criteria where there are none) fails instead of being met by default.
    pub fn evaluate(&self, rubric: &Rubric, levels: &Levels) -> Result<Outcome, EvaluateError> {
        rubric.check_levels(levels)?;
        let is_met = self.is_met(rubric, levels)?;
        Ok(if is_met { Outcome::Earned } else { Outcome::NotYet })
    }

    /// What keeps the rule from being met by the best possible work, or lets it be met by any work.
    ///
    /// Empty for a rule that can be published. The levels of each scale are taken for what they are: a
    /// criterion whose own pass level is out of its reach is a flaw of that criterion, not of the rule.
    pub fn obstacles(&self, rubric: &Rubric) -> Vec<Obstacle> {
        let mut found = Vec::new();
        self.collect_obstacles(rubric, &mut Vec::new(), &mut found);
        found
    }

    // The recursion ends after MAX_LAYERS, which `new` has checked; so does that of `collect_obstacles`.
    fn is_met(&self, rubric: &Rubric, levels: &Levels) -> Result<bool, EvaluateError> {
        let has = |item: ScoredItem<'_>, wanted: Level| {
            levels.get(item.id()).copied().flatten().is_some_and(|level| level >= wanted)
        };
        let passes = |item: ScoredItem<'_>| has(item, item.pass_level());
        let mut criteria = rubric.criteria().iter().map(ScoredItem::Criterion);
        match &self.form {
            Form::And(rules) => {
                // No early end: a rule that cannot be evaluated is reported whatever stands before it.
                let mut all = true;
                for rule in rules {
                    all &= rule.is_met(rubric, levels)?;
                }
                Ok(all)
            }
            Form::AllPromptsAtLeast { parts, level } => {
                let mut all = true;
                for id in parts {
                    let part = rubric.find_part(id.as_str());
                    let part =
                        part.ok_or_else(|| EvaluateError::UnknownPart { part: id.clone() })?;
                    all &=
                        part.prompts().iter().all(|prompt| has(ScoredItem::Prompt(prompt), *level));
                }
                Ok(all)
            }
            Form::AllCriteriaAtPassLevel => Ok(criteria.all(passes)),
            Form::EssentialCriteriaAtPassLevel => {
                let mut essential = rubric
                    .criteria()
                    .iter()
                    .filter(|criterion| criterion.is_essential())
                    .peekable();
                if essential.peek().is_none() {
                    return Err(EvaluateError::NoEssentialCriteria);
                }
                Ok(essential.all(|criterion| passes(ScoredItem::Criterion(criterion))))
            }
            Form::CountCriteriaAtPassLevel { min } => {
                let n_passing = criteria.filter(|item| passes(*item)).count();
                Ok(u32::try_from(n_passing).is_ok_and(|n| n >= *min))
            }
            Form::AllCriteriaAtLeast { level } => Ok(criteria.all(|item| has(item, *level))),
        }
    }

    fn collect_obstacles(&self, rubric: &Rubric, path: &mut Vec<usize>, found: &mut Vec<Obstacle>) {
        let at = |reason| Obstacle { path: path.clone(), reason };
        match &self.form {
            Form::And(rules) => {
                for (index, rule) in rules.iter().enumerate() {
                    path.push(index);
                    rule.collect_obstacles(rubric, path, found);
                    path.pop();
                }
            }
            Form::AllPromptsAtLeast { parts, level } => {
                if level.number() == 0 {
                    found.push(at(ObstacleReason::LevelZero));
                }
                let mut prompts = Vec::new();
                for (index, id) in parts.iter().enumerate() {
                    match rubric.find_part(id.as_str()) {
                        Some(part) => prompts.extend(part.prompts().iter().map(ScoredItem::Prompt)),
                        None => {
                            found.push(at(ObstacleReason::UnknownPart { index, part: id.clone() }))
                        }
                    }
                }
                found.extend(first_out_of_reach(prompts, *level).map(at));
            }
            Form::AllCriteriaAtPassLevel => {}
            Form::EssentialCriteriaAtPassLevel => {
                if !rubric.criteria().iter().any(|criterion| criterion.is_essential()) {
                    found.push(at(ObstacleReason::NoEssentialCriteria));
                }
            }
            Form::CountCriteriaAtPassLevel { min } => {
                let criteria = rubric.criteria().len();
                if *min == 0 {
                    found.push(at(ObstacleReason::CountZero));
                } else if u32::try_from(criteria).is_ok_and(|n| n < *min) {
                    found.push(at(ObstacleReason::CountOutOfReach { min: *min, criteria }));
                }
            }
            Form::AllCriteriaAtLeast { level } => {
                if level.number() == 0 {
                    found.push(at(ObstacleReason::LevelZero));
                }
                let criteria = rubric.criteria().iter().map(ScoredItem::Criterion);
                found.extend(first_out_of_reach(criteria, *level).map(at));
            }
        }
    }
}

/// Why a rule should not be published as it is, and where in the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    path: Vec<usize>,
    reason: ObstacleReason,
}

impl Obstacle {
    /// The way to the rule at fault: which rule to take in each `and`, from the outermost inwards.
    pub fn path(&self) -> &[usize] {
        &self.path
    }

    /// What is wrong with it.
    pub fn reason(&self) -> &ObstacleReason {
        &self.reason
    }
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObstacleReason {
    /// The definition has no such part, or the part has no prompts.
    UnknownPart {
        /// Which entry of the rule's list of parts.
        index: usize,
        /// The id that the rule names.
        part: PartId,
    },
    /// Some scale ends below the level that the rule asks for.
    LevelOutOfReach {
        /// The first prompt or criterion whose scale ends below.
        item: CriterionId,
        /// The highest level of its scale.
        top: Level,
        /// The level that the rule asks for.
        level: Level,
    },
    /// The rule asks for more criteria than there are.
    CountOutOfReach {
        /// How many the rule asks for.
        min: u32,
        /// How many there are.
        criteria: usize,
    },
    /// The rule is about essential criteria and no criterion is.
    NoEssentialCriteria,
    /// Level 0 is met by any work that can be scored.
    LevelZero,
    /// A count of 0 is met by any work.
    CountZero,
}

/// Why something cannot be a decision rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionRuleError {
    /// Such a rule would be met by any work.
    #[error("an `and` has no rules under it")]
    EmptyAnd,
    /// A rule over prompts without parts.
    #[error("a rule over prompts names no part")]
    NoParts,
    /// More than [`MAX_LAYERS`].
    #[error("the rule has more than {MAX_LAYERS} layers of `and`")]
    TooDeep,
}

/// Why a rule cannot be applied to a set of levels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// The levels do not fit the rubric.
    #[error(transparent)]
    Levels(#[from] LevelsError),
    /// The rule names a part that has no prompts.
    #[error("the decision rule names part {part}, which has no prompts")]
    UnknownPart {
        /// The id that the rule names.
        part: PartId,
    },
    /// The rule is about essential criteria and no criterion is.
    #[error("the decision rule is about essential criteria and there are none")]
    NoEssentialCriteria,
}

fn first_out_of_reach<'a>(
    items: impl IntoIterator<Item = ScoredItem<'a>>,
    level: Level,
) -> Option<ObstacleReason> {
    // A scale of one level is a flaw of its own, whatever the rule asks for.
    let mut scales = items.into_iter().filter(|item| item.levels().len() > 1);
    let item = scales.find(|item| item.top_level() < level)?;
    Some(ObstacleReason::LevelOutOfReach { item: item.id().clone(), top: item.top_level(), level })
}
