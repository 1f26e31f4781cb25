//! How many people read a submission, and how their differences are settled.

use super::decision_rule::Outcome;
use super::rubric::{CriterionId, Level, Levels, LevelsError, Rubric};

/// How many readings a definition asks for, from whom, and what follows when they differ.
///
/// Every mode ends in adjudication where readings disagree. Prompts have two levels and are single-scored
/// unless [`double_score_prompts`](ReviewPolicy::double_score_prompts) says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewPolicy {
    terms: ReviewTerms,
}

/// The terms of a [`ReviewPolicy`], as they go in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewTerms {
    /// The mode.
    pub mode: ReviewMode,
    /// Share of submissions that a second person reads although nothing else asks for it.
    pub backread_share: BasisPoints,
    /// Whether a submission that did not earn on its first reading gets a second one.
    pub second_score_when_not_yet: bool,
    /// Levels of any criterion that call for a second reading in [`ReviewMode::ConditionalDouble`].
    ///
    /// `None` stands for the two levels next to each criterion's own cut.
    pub double_at_levels: Option<Vec<Level>>,
    /// Share of the other submissions that get a second reading in [`ReviewMode::ConditionalDouble`].
    pub double_share: BasisPoints,
    /// Whether prompts, too, are scored by every reader.
    pub double_score_prompts: bool,
    /// A difference of so many levels or more is adjudicated.
    pub discrepancy_threshold: u8,
    /// Whether readings on different sides of the cut are adjudicated. Publishing refuses `false`.
    pub adjudicate_on_decision_split: bool,
    /// Which of two neighbouring levels on the same side of the cut is kept.
    pub adjacent_same_side: AdjacentRule,
    /// How a third reading settles a criterion.
    pub resolution: ResolutionRule,
    /// Conflicts of interest that the definition names.
    pub conflict_rules: Vec<ConflictRule>,
    /// Whether readers must have qualified on known work.
    pub calibration_required: bool,
}

impl ReviewTerms {
    /// The default terms of a mode.
    pub fn of_mode(mode: ReviewMode) -> ReviewTerms {
        ReviewTerms {
            mode,
            backread_share: BasisPoints::NONE,
            second_score_when_not_yet: false,
            double_at_levels: None,
            double_share: BasisPoints::NONE,
            double_score_prompts: false,
            discrepancy_threshold: 2,
            adjudicate_on_decision_split: true,
            adjacent_same_side: AdjacentRule::Lower,
            resolution: ResolutionRule::ExpertReplaces,
            conflict_rules: Vec::new(),
            calibration_required: true,
        }
    }
}

impl ReviewPolicy {
    /// A policy of these terms. A list of levels that call for a second reading must not be empty, and equal
    /// readings are never a discrepancy.
    pub fn new(terms: ReviewTerms) -> Result<ReviewPolicy, ReviewPolicyError> {
        if terms.double_at_levels.as_ref().is_some_and(Vec::is_empty) {
            return Err(ReviewPolicyError::NoLevels);
        }
        if terms.discrepancy_threshold == 0 {
            return Err(ReviewPolicyError::ThresholdZero);
        }
        Ok(ReviewPolicy { terms })
    }

    /// The terms, to make a stricter policy of.
    pub fn terms(&self) -> &ReviewTerms {
        &self.terms
    }

    /// The mode.
    pub fn mode(&self) -> ReviewMode {
        self.terms.mode
    }

    /// Share of submissions that a second person reads although nothing else asks for it.
    pub fn backread_share(&self) -> BasisPoints {
        self.terms.backread_share
    }

    /// Whether a submission that did not earn on its first reading gets a second one.
    pub fn second_score_when_not_yet(&self) -> bool {
        self.terms.second_score_when_not_yet
    }

    /// Levels that call for a second reading, where the definition lists them.
    pub fn double_at_levels(&self) -> Option<&[Level]> {
        self.terms.double_at_levels.as_deref()
    }

    /// Share of the other submissions that get a second reading in [`ReviewMode::ConditionalDouble`].
    pub fn double_share(&self) -> BasisPoints {
        self.terms.double_share
    }

    /// Whether prompts, too, are scored by every reader.
    pub fn double_score_prompts(&self) -> bool {
        self.terms.double_score_prompts
    }

    /// A difference of so many levels or more is adjudicated.
    pub fn discrepancy_threshold(&self) -> u8 {
        self.terms.discrepancy_threshold
    }

    /// Whether readings on different sides of the cut are adjudicated.
    pub fn adjudicate_on_decision_split(&self) -> bool {
        self.terms.adjudicate_on_decision_split
    }

    /// Which of two neighbouring levels on the same side of the cut is kept.
    pub fn adjacent_same_side(&self) -> AdjacentRule {
        self.terms.adjacent_same_side
    }

    /// How a third reading settles a criterion.
    pub fn resolution(&self) -> ResolutionRule {
        self.terms.resolution
    }

    /// Conflicts of interest that the definition names.
    pub fn conflict_rules(&self) -> &[ConflictRule] {
        &self.terms.conflict_rules
    }

    /// Whether readers must have qualified on known work.
    pub fn calibration_required(&self) -> bool {
        self.terms.calibration_required
    }

    /// How many locked sheets every submission needs before it can be resolved. The first may call for one more.
    pub fn sheets_required(&self) -> u8 {
        match self.terms.mode {
            ReviewMode::Single | ReviewMode::ConditionalDouble => 1,
            ReviewMode::DoubleBlind => 2,
        }
    }

    /// Why a submission with one locked sheet needs a second reading; `None` when it does not.
    ///
    /// `outcome` is what the decision rule makes of the sheet's own levels. `draw` is the submission's chance:
    /// draw it once and store it, so that asking again gives the same answer. Reasons that can be explained come
    /// before chance, in the order of [`SecondReading`]. Only criteria count as near the cut: on two levels every
    /// level is.
    pub fn needs_second(
        &self,
        rubric: &Rubric,
        levels: &Levels,
        outcome: Outcome,
        draw: Draw,
    ) -> Result<Option<SecondReading>, LevelsError> {
        self.needs_second_beside(rubric, levels, outcome, draw, |_| false)
    }

    /// The same where some levels were carried forward from an earlier attempt: nobody reads those again, so they are never near the cut.
    pub fn needs_second_beside(
        &self,
        rubric: &Rubric,
        levels: &Levels,
        outcome: Outcome,
        draw: Draw,
        is_carried: impl Fn(&CriterionId) -> bool,
    ) -> Result<Option<SecondReading>, LevelsError> {
        rubric.check_levels(levels)?;
        if self.terms.mode == ReviewMode::DoubleBlind {
            return Ok(Some(SecondReading::DoubleBlind));
        }
        if self.terms.second_score_when_not_yet && outcome == Outcome::NotYet {
            return Ok(Some(SecondReading::NotYet));
        }
        if self.terms.mode == ReviewMode::ConditionalDouble {
            if let Some(reason) = self.near_cut(rubric, levels, is_carried) {
                return Ok(Some(reason));
            }
            if draw.is_within(self.terms.double_share) {
                return Ok(Some(SecondReading::RandomShare));
            }
        }
        Ok(draw.is_within(self.terms.backread_share).then_some(SecondReading::Backread))
    }

    fn near_cut(
        &self,
        rubric: &Rubric,
        levels: &Levels,
        is_carried: impl Fn(&CriterionId) -> bool,
    ) -> Option<SecondReading> {
        let read = rubric.criteria().iter().filter(|criterion| !is_carried(criterion.id()));
        read.into_iter().find_map(|criterion| {
            let criterion_id = criterion.id().clone();
            match *levels.get(criterion.id())? {
                None => Some(SecondReading::Unscorable { criterion: criterion_id }),
                Some(level) => {
                    let is_near = match &self.terms.double_at_levels {
                        Some(listed) => listed.contains(&level),
                        None => criterion.is_next_to_cut(level),
                    };
                    is_near.then_some(SecondReading::NearCut { criterion: criterion_id, level })
                }
            }
        })
    }
}

/// Why a submission is read a second time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecondReading {
    /// The definition always asks for two.
    DoubleBlind,
    /// The first reading did not earn.
    NotYet,
    /// A criterion is at a level where one step may change the decision; the first such criterion.
    NearCut {
        /// The criterion.
        criterion: CriterionId,
        /// Its level.
        level: Level,
    },
    /// A criterion could not be scored, which counts as not met on one person's word; the first such criterion.
    Unscorable {
        /// The criterion.
        criterion: CriterionId,
    },
    /// By chance, within the share of conditional double scoring.
    RandomShare,
    /// By chance, within the backread share.
    Backread,
}

impl SecondReading {
    /// The word that stands for it in timelines.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            SecondReading::DoubleBlind => "double_blind",
            SecondReading::NotYet => "not_yet",
            SecondReading::NearCut { .. } => "near_cut",
            SecondReading::Unscorable { .. } => "unscorable",
            SecondReading::RandomShare => "random_share",
            SecondReading::Backread => "backread",
        }
    }
}

/// How many people read a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewMode {
    /// One, with a backread share and a second reading of every not-yet if the policy says so.
    Single,
    /// One, and a second near the cut or by random share.
    ConditionalDouble,
    /// Two, neither of whom knows the other.
    DoubleBlind,
}

/// How many submissions a group should have seen read twice before it votes for [`ReviewMode::ConditionalDouble`] (DOMAIN.md, 3.1).
pub const DOUBLE_SCORED_BEFORE: u64 = 30;
/// And how often, in percent, both readings should have decided the same.
pub const SAME_DECISION_PERCENT: u64 = 85;

/// Whether so many submissions that were read twice, and decided the same so often, speak for a conditional second reading.
#[must_use]
pub const fn is_conditional_borne_out(double_scored: u64, same_decision: u64) -> bool {
    double_scored >= DOUBLE_SCORED_BEFORE
        && same_decision * 100 >= double_scored * SAME_DECISION_PERCENT
}

/// Which of two neighbouring levels on the same side of the cut is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdjacentRule {
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
}

/// How a third reading settles a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResolutionRule {
    /// The third level counts.
    ExpertReplaces,
    /// The middle one of the three levels counts.
    MedianOfThree,
}

/// A relation that keeps a person from scoring somebody's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConflictRule {
    /// Own work.
    SelfReview,
    /// The same school, now or in the last 24 months.
    SameSchool,
    /// The same district; a single-district pilot may waive it.
    SameDistrict,
    /// One evaluates or supervises the other.
    EvaluatesOrIsEvaluatedBy,
    /// Coached this submission.
    CoachedThisAttempt,
    /// Co-author of a shared piece of evidence.
    CoauthorOfEvidence,
    /// A close tie that the assessor declared.
    Declared,
    /// An open submission of their own on the same definition.
    OwnOpenAttempt,
    /// Scored an earlier submission of the same earner on the same micro-credential.
    ScoredEarlierAttempt,
    /// Took part in the matter that is under appeal.
    InvolvedInAppealedMatter,
}

/// A share in basis points: 10000 is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// No share at all.
    pub const NONE: BasisPoints = BasisPoints(0);

    /// A share of at most 10000.
    pub fn new(value: u16) -> Result<BasisPoints, ReviewPolicyError> {
        if value <= 10_000 { Ok(BasisPoints(value)) } else { Err(ReviewPolicyError::ShareOverAll) }
    }

    /// So many percent; more than a hundred is all.
    pub const fn of_percent(percent: u8) -> BasisPoints {
        BasisPoints(if percent > 100 { 10_000 } else { percent as u16 * 100 })
    }

    /// The number, 0 to 10000.
    pub fn value(self) -> u16 {
        self.0
    }
}

/// A random number that the caller drew, evenly, from 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Draw(u16);

impl Draw {
    /// A draw below 10000.
    pub fn new(value: u16) -> Result<Draw, ReviewPolicyError> {
        if value < 10_000 { Ok(Draw(value)) } else { Err(ReviewPolicyError::DrawTooHigh) }
    }

    /// Whether the draw falls into the share: never into none, always into all.
    pub fn is_within(self, share: BasisPoints) -> bool {
        self.0 < share.0
    }
}

/// Why something cannot be a review policy, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewPolicyError {
    /// A list of levels without levels.
    #[error("the list of levels that need a second reading is empty")]
    NoLevels,
    /// Equal readings would be a discrepancy.
    #[error("a discrepancy is a difference of at least one level")]
    ThresholdZero,
    /// A share above 10000.
    #[error("a share is at most 10000 basis points")]
    ShareOverAll,
    /// A draw above 9999.
    #[error("a draw is at most 9999")]
    DrawTooHigh,
}
