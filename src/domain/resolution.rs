//! From the readings of a submission to one level a criterion, and from these to an outcome (DOMAIN.md, 3.4).
//!
//! Levels are never averaged: a resolved level is one that somebody gave.

use std::collections::BTreeMap;

use super::decision_rule::{DecisionRule, EvaluateError, Outcome};
use super::review::{Score, Sheet};
use super::review_policy::{AdjacentRule, ResolutionRule, ReviewPolicy};
use super::rubric::{CriterionId, Level, Levels, Rubric, ScoredItem};

/// How differences between two readings are settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolutionTerms {
    /// A difference of so many levels or more is adjudicated.
    pub discrepancy_threshold: u8,
    /// Whether readings on different sides of the cut are adjudicated.
    pub adjudicate_on_decision_split: bool,
    /// Which of two levels on the same side of the cut is kept.
    pub adjacent_same_side: AdjacentRule,
    /// How a third reading settles a criterion.
    pub resolution: ResolutionRule,
}

impl ResolutionTerms {
    /// The terms of a definition's review policy.
    pub fn of(policy: &ReviewPolicy) -> ResolutionTerms {
        ResolutionTerms {
            discrepancy_threshold: policy.discrepancy_threshold(),
            adjudicate_on_decision_split: policy.adjudicate_on_decision_split(),
            adjacent_same_side: policy.adjacent_same_side(),
            resolution: policy.resolution(),
        }
    }
}

impl Default for ResolutionTerms {
    fn default() -> ResolutionTerms {
        ResolutionTerms {
            discrepancy_threshold: 2,
            adjudicate_on_decision_split: true,
            adjacent_same_side: AdjacentRule::Lower,
            resolution: ResolutionRule::ExpertReplaces,
        }
    }
}

/// What one person says of one criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// This level.
    Level(Level),
    /// The work does not allow a score.
    Unscorable,
}

impl Reading {
    /// The level, if there is one.
    pub fn level(self) -> Option<Level> {
        match self {
            Reading::Level(level) => Some(level),
            Reading::Unscorable => None,
        }
    }
}

impl From<Option<Level>> for Reading {
    fn from(level: Option<Level>) -> Reading {
        level.map_or(Reading::Unscorable, Reading::Level)
    }
}

/// The readings of one criterion by two people, and by a third where they differed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readings {
    /// One of the two independent readings; it does not matter which.
    pub first: Reading,
    /// The other.
    pub second: Reading,
    /// The adjudicator's. It is only heard where the two differ.
    pub third: Option<Reading>,
}

worded_enum! {
    /// Why a criterion needs a third reading.
    Dispute {
        /// The two are on different sides of the cut.
        DecisionSplit = "decision_split",
        /// The two are too far apart, whether or not both pass.
        Discrepant = "discrepant",
        /// Only one of the two could score the work.
        UnscorableDisagreement = "unscorable_disagreement",
    }
}

worded_enum! {
    /// How a criterion stands.
    ResolutionStatus {
        /// The two are the same.
        Exact = "exact",
        /// The two differ by little and on the same side of the cut.
        AdjacentResolved = "adjacent_resolved",
        /// Neither could score the work.
        Unscorable = "unscorable",
        /// A third reading is needed.
        NeedsAdjudication = "needs_adjudication",
        /// A third reading has settled it.
        Adjudicated = "adjudicated",
    }
}

/// What became of one criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// The two are the same.
    Exact(Level),
    /// The two differ by little and on the same side of the cut; the level that is kept.
    AdjacentResolved(Level),
    /// Neither could score the work, which counts as not met.
    Unscorable,
    /// A third reading is needed.
    NeedsAdjudication(Dispute),
    /// A third reading has settled it.
    Adjudicated {
        /// What it settled.
        dispute: Dispute,
        /// The level; none when the third could not score the work either, which counts as not met.
        level: Option<Level>,
    },
}

impl Resolved {
    /// How the criterion stands.
    pub fn status(self) -> ResolutionStatus {
        match self {
            Resolved::Exact(_) => ResolutionStatus::Exact,
            Resolved::AdjacentResolved(_) => ResolutionStatus::AdjacentResolved,
            Resolved::Unscorable => ResolutionStatus::Unscorable,
            Resolved::NeedsAdjudication(_) => ResolutionStatus::NeedsAdjudication,
            Resolved::Adjudicated { .. } => ResolutionStatus::Adjudicated,
        }
    }

    /// The level, where there is one.
    pub fn level(self) -> Option<Level> {
        match self {
            Resolved::Exact(level) | Resolved::AdjacentResolved(level) => Some(level),
            Resolved::Unscorable | Resolved::NeedsAdjudication(_) => None,
            Resolved::Adjudicated { level, .. } => level,
        }
    }

    /// What the two differed in, if a third reading was or is needed.
    pub fn dispute(self) -> Option<Dispute> {
        match self {
            Resolved::Exact(_) | Resolved::AdjacentResolved(_) | Resolved::Unscorable => None,
            Resolved::NeedsAdjudication(dispute) | Resolved::Adjudicated { dispute, .. } => {
                Some(dispute)
            }
        }
    }

    /// Whether it waits for a third reading.
    pub fn is_open(self) -> bool {
        matches!(self, Resolved::NeedsAdjudication(_))
    }
}

/// Settles one criterion, whose lowest passing level is `cut`.
pub fn resolve(cut: Level, readings: Readings, terms: &ResolutionTerms) -> Resolved {
    let (dispute, both) = match (readings.first, readings.second) {
        (Reading::Unscorable, Reading::Unscorable) => return Resolved::Unscorable,
        (Reading::Unscorable, Reading::Level(_)) | (Reading::Level(_), Reading::Unscorable) => {
            (Dispute::UnscorableDisagreement, None)
        }
        (Reading::Level(one), Reading::Level(other)) => {
            let (low, high) = (one.min(other), one.max(other));
            if low == high {
                return Resolved::Exact(low);
            }
            if high.number() - low.number() >= terms.discrepancy_threshold {
                (Dispute::Discrepant, Some((low, high)))
            } else if terms.adjudicate_on_decision_split && low < cut && cut <= high {
                (Dispute::DecisionSplit, Some((low, high)))
            } else {
                return Resolved::AdjacentResolved(match terms.adjacent_same_side {
                    AdjacentRule::Lower => low,
                    AdjacentRule::Higher => high,
                });
            }
        }
    };
    let Some(third) = readings.third else { return Resolved::NeedsAdjudication(dispute) };
    let level = match (terms.resolution, both, third.level()) {
        (ResolutionRule::MedianOfThree, Some((low, high)), Some(level)) => {
            Some(level.clamp(low, high))
        }
        // Without three levels there is no middle one: the third replaces.
        (ResolutionRule::MedianOfThree | ResolutionRule::ExpertReplaces, _, level) => level,
    };
    Resolved::Adjudicated { dispute, level }
}

/// What the whole comes to: the outcome, or `None` while a criterion waits for a third reading.
///
/// # Errors
/// [`EvaluateError`] when the resolved levels do not fit the rubric, or the rule does not.
pub fn decide(
    rubric: &Rubric,
    rule: &DecisionRule,
    resolved: &BTreeMap<CriterionId, Resolved>,
) -> Result<Option<Outcome>, EvaluateError> {
    if resolved.values().any(|criterion| criterion.is_open()) {
        return Ok(None);
    }
    let levels: Levels = resolved.iter().map(|(id, one)| (id.clone(), one.level())).collect();
    rule.evaluate(rubric, &levels).map(Some)
}

worded_enum! {
    /// How a criterion or prompt got its level.
    SettledBy {
        /// Two readings are the same.
        Exact = "exact",
        /// Two readings differ by little and on the same side of the cut.
        AdjacentResolved = "adjacent_resolved",
        /// Neither of two could score the work.
        Unscorable = "unscorable",
        /// A third reading has settled it.
        Adjudicated = "adjudicated",
        /// One person has read it, and nobody else is asked to.
        Single = "single",
        /// It was passed in an earlier attempt.
        Carried = "carried",
    }
}

/// How a criterion or prompt of a submission stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Passed in an earlier attempt, and not read again.
    Carried(Level),
    /// Read by one person.
    Single(Reading),
    /// Read by two, or three.
    Compared(Resolved),
}

impl Settled {
    /// The level; none where the work could not be scored, or a third reading is missing.
    pub fn level(self) -> Option<Level> {
        match self {
            Settled::Carried(level) => Some(level),
            Settled::Single(reading) => reading.level(),
            Settled::Compared(resolved) => resolved.level(),
        }
    }

    /// What two readings differ in, while a third is missing.
    pub fn open_dispute(self) -> Option<Dispute> {
        match self {
            Settled::Compared(Resolved::NeedsAdjudication(dispute)) => Some(dispute),
            Settled::Carried(_) | Settled::Single(_) | Settled::Compared(_) => None,
        }
    }

    /// What two readings differed in, if they did.
    pub fn dispute(self) -> Option<Dispute> {
        match self {
            Settled::Compared(resolved) => resolved.dispute(),
            Settled::Carried(_) | Settled::Single(_) => None,
        }
    }

    /// How it got its level; none while a third reading is missing.
    pub fn by(self) -> Option<SettledBy> {
        match self {
            Settled::Carried(_) => Some(SettledBy::Carried),
            Settled::Single(_) => Some(SettledBy::Single),
            Settled::Compared(Resolved::Exact(_)) => Some(SettledBy::Exact),
            Settled::Compared(Resolved::AdjacentResolved(_)) => Some(SettledBy::AdjacentResolved),
            Settled::Compared(Resolved::Unscorable) => Some(SettledBy::Unscorable),
            Settled::Compared(Resolved::Adjudicated { .. }) => Some(SettledBy::Adjudicated),
            Settled::Compared(Resolved::NeedsAdjudication(_)) => None,
        }
    }
}

/// A criterion or prompt that no locked sheet covers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no locked sheet covers {0}")]
pub struct Unread(pub CriterionId);

/// The sheets that a submission's levels rest on.
#[derive(Clone, Debug, Default)]
pub struct Sheets {
    /// Levels of an earlier attempt that count without being read again.
    pub carried: BTreeMap<String, Level>,
    /// The independent readings, the first one first. Each covers what it has lines for.
    pub readings: Vec<Sheet>,
    /// The adjudicator's.
    pub third: Option<Sheet>,
}

impl Sheets {
    /// How every criterion and prompt stands.
    ///
    /// # Errors
    /// [`Unread`] when something is neither carried nor read.
    pub fn settle(
        &self,
        rubric: &Rubric,
        terms: &ResolutionTerms,
    ) -> Result<BTreeMap<CriterionId, Settled>, Unread> {
        let mut settled = BTreeMap::new();
        for item in rubric.items() {
            let id = item.id();
            let mut given = self.lines_of(id.as_str()).map(reading_of);
            let one = match (self.carried.get(id.as_str()), given.next(), given.next()) {
                (Some(level), _, _) => Settled::Carried(*level),
                (None, None, _) => return Err(Unread(id.clone())),
                (None, Some(only), None) => Settled::Single(only),
                (None, Some(first), Some(second)) => {
                    let third = self.third_line_of(id.as_str()).map(reading_of);
                    let readings = Readings { first, second, third };
                    Settled::Compared(resolve(item.pass_level(), readings, terms))
                }
            };
            settled.insert(id.clone(), one);
        }
        Ok(settled)
    }

    /// What the earner is told about a criterion or prompt: the words of everybody whose reading counts, the adjudicator's alone where
    /// there was a dispute.
    pub fn feedback_on(&self, id: &str, settled: Settled) -> Option<String> {
        let is_adjudicated = settled.by() == Some(SettledBy::Adjudicated);
        let mut words: Vec<&str> = Vec::new();
        let third = self.third_line_of(id).filter(|_| is_adjudicated);
        let readings = self.lines_of(id).filter(|_| !is_adjudicated);
        for line in third.into_iter().chain(readings) {
            let text = line.feedback.as_deref().map_or("", str::trim);
            if !text.is_empty() && !words.contains(&text) {
                words.push(text);
            }
        }
        (!words.is_empty()).then(|| words.join("\n\n"))
    }

    fn lines_of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Score> {
        self.readings.iter().filter_map(move |sheet| sheet.scores.get(id))
    }

    fn third_line_of(&self, id: &str) -> Option<&Score> {
        self.third.as_ref()?.scores.get(id)
    }
}

/// Where two sheets would need an adjudicator. What one of them did not have to score cannot differ.
#[must_use]
pub fn disputed_between(
    rubric: &Rubric,
    one: &Sheet,
    other: &Sheet,
    terms: &ResolutionTerms,
) -> Vec<String> {
    let is_disputed = |item: ScoredItem<'_>| {
        let id = item.id().as_str();
        let first = one.scores.get(id).map(reading_of)?;
        let second = other.scores.get(id).map(reading_of)?;
        let readings = Readings { first, second, third: None };
        let settled = Settled::Compared(resolve(item.pass_level(), readings, terms));
        settled.open_dispute().map(|_| id.to_owned())
    };
    rubric.items().filter_map(is_disputed).collect()
}

/// A line of a locked sheet: without a level the work could not be scored.
fn reading_of(line: &Score) -> Reading {
    line.level.map_or(Reading::Unscorable, |level| Reading::Level(Level::new(level)))
}
