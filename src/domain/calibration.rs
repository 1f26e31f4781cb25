//! Whether an assessor may score: qualifying on known work, and drift on seed papers (DOMAIN.md, 3.5).
//!
//! Every comparison with a limit is made in whole numbers.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::review_policy::BasisPoints;
use super::rubric::Level;
use super::statistics::Undefined;
use super::statistics::agreement::{Agreement, Proportion};
use super::statistics::signed_difference::SignedDifferences;
use super::timestamp::Timestamp;

/// The fewest criterion scores of a qualifying set.
pub const MIN_SET_SCORES: usize = 10;

/// The limits, which are a programme's own; the defaults are those of DOMAIN.md, 3.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalibrationLimits {
    /// The share of exact scores that qualifies on two levels.
    pub exact_of_two_levels: BasisPoints,
    /// The same on three levels.
    pub exact_of_three_levels: BasisPoints,
    /// The same on four levels or more.
    pub exact_of_more_levels: BasisPoints,
    /// The share of equal decisions that qualifies, and under which an assessor is suspended.
    pub decision: BasisPoints,
    /// The most scores two levels off or more that still qualify.
    pub most_discrepant: u64,
    /// How many of the last seed scores drift is judged by.
    pub drift_window: usize,
    /// The fewest seed scores that drift is judged by.
    pub fewest_seed_scores: u64,
    /// How far exact agreement may fall under the qualifying line before an assessor is suspended.
    pub suspend_margin: BasisPoints,
    /// The lean of watch.
    pub watch: Lean,
    /// The lean of suspend.
    pub suspend: Lean,
}

/// A mean difference that counts when it is also systematic. Both are in hundredths, of a level and of t.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lean {
    /// The mean difference, either way.
    pub mean_hundredths: u16,
    /// The t, either way; differences that are all the same count as well.
    pub t_hundredths: u16,
}

impl Lean {
    fn is_reached(self, differences: &SignedDifferences) -> bool {
        differences.is_mean_at_least(self.mean_hundredths)
            && (differences.has_no_variance() || differences.is_t_at_least(self.t_hundredths))
    }
}

impl Default for CalibrationLimits {
    fn default() -> CalibrationLimits {
        CalibrationLimits {
            exact_of_two_levels: BasisPoints::of_percent(90),
            exact_of_three_levels: BasisPoints::of_percent(80),
            exact_of_more_levels: BasisPoints::of_percent(70),
            decision: BasisPoints::of_percent(80),
            most_discrepant: 1,
            drift_window: 20,
            fewest_seed_scores: 10,
            suspend_margin: BasisPoints::of_percent(10),
            watch: Lean { mean_hundredths: 25, t_hundredths: 200 },
            suspend: Lean { mean_hundredths: 50, t_hundredths: 300 },
        }
    }
}

impl CalibrationLimits {
    /// The share of exact scores that qualifies on a scale of so many levels. `None` on fewer than two: nothing is scored there.
    pub fn exact(&self, levels: usize) -> Option<BasisPoints> {
        match levels {
            0 | 1 => None,
            2 => Some(self.exact_of_two_levels),
            3 => Some(self.exact_of_three_levels),
            4.. => Some(self.exact_of_more_levels),
        }
    }
}

worded_enum! {
    /// What a calibration set is for.
    SetKind {
        /// Anchors with their reasons, to learn from.
        Training = "training",
        /// Corrected at once.
        Practice = "practice",
        /// To qualify on.
        QualifyingA = "qualifying_a",
        /// To qualify on, the other one.
        QualifyingB = "qualifying_b",
        /// Mixed blind into the live queue.
        Seed = "seed",
    }
}

impl SetKind {
    /// Whether passing it gives the right to score.
    #[must_use]
    pub const fn is_qualifying(self) -> bool {
        matches!(self, SetKind::QualifyingA | SetKind::QualifyingB)
    }

    /// Whether lead assessors set keys for it; the anchors of a training set are open.
    #[must_use]
    pub const fn is_keyed(self) -> bool {
        !matches!(self, SetKind::Training)
    }
}

worded_enum! {
    /// Where a calibration set stands.
    SetState {
        /// Being made.
        Draft = "draft",
        /// In use.
        Published = "published",
        /// Out of use.
        Retired = "retired",
    }
}

worded_enum! {
    /// Where an attempt at a set stands.
    AttemptState {
        /// Going on.
        Open = "open",
        /// Qualified.
        Passed = "passed",
        /// Not qualified.
        Failed = "failed",
        /// Finished, where there is nothing to qualify for.
        Done = "done",
    }
}

/// One criterion of known work: the key, and what an assessor gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyedScore {
    /// The level that lead assessors agreed on.
    pub key: Level,
    /// The assessor's; none when they could not score the work. That is discrepant, and as a decision not met.
    pub given: Option<Level>,
}

/// How the scores of one set compare with its key.
fn compare(scores: &[KeyedScore], cut: Level) -> Agreement {
    let mut agreement = Agreement::default();
    let position = |level: Level| usize::from(level.number());
    for score in scores {
        match score.given {
            Some(given) => {
                agreement.add(position(score.key), position(given), Some(position(cut)), 1);
            }
            None => {
                agreement.n += 1;
                agreement.non_adjacent += 1;
                agreement.decision += u64::from(score.key < cut);
            }
        }
    }
    agreement
}

worded_enum! {
    /// Why a set does not qualify.
    QualificationFault {
        /// Nothing was scored.
        NoScores = "no_scores",
        /// Too few exact scores.
        ExactBelowThreshold = "exact_below_threshold",
        /// Too few equal decisions.
        DecisionBelowThreshold = "decision_below_threshold",
        /// Too many scores two levels off or more.
        TooManyDiscrepant = "too_many_discrepant",
    }
}

/// How an assessor did on one qualifying set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QualificationResult {
    /// The counts; `non_adjacent` are the discrepant ones.
    pub agreement: Agreement,
    /// The share of exact scores that was asked for.
    pub exact_threshold: BasisPoints,
    /// Everything that falls short; none qualifies.
    pub faults: Vec<QualificationFault>,
}

impl QualificationResult {
    /// Whether the set qualifies.
    pub fn is_qualified(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Judges one qualifying set on a scale of `levels` levels. `None` on a scale of fewer than two.
///
/// Whether the set is large enough ([`MIN_SET_SCORES`]) is decided when it is made, not here.
pub fn judge_qualification(
    levels: usize,
    cut: Level,
    scores: &[KeyedScore],
    limits: &CalibrationLimits,
) -> Option<QualificationResult> {
    let exact_threshold = limits.exact(levels)?;
    let agreement = compare(scores, cut);
    let mut faults = Vec::new();
    if scores.is_empty() {
        faults.push(QualificationFault::NoScores);
    } else {
        if !agreement.exact().is_at_least(exact_threshold.value()) {
            faults.push(QualificationFault::ExactBelowThreshold);
        }
        if !agreement.decision().is_at_least(limits.decision.value()) {
            faults.push(QualificationFault::DecisionBelowThreshold);
        }
        if agreement.non_adjacent > limits.most_discrepant {
            faults.push(QualificationFault::TooManyDiscrepant);
        }
    }
    Some(QualificationResult { agreement, exact_threshold, faults })
}

worded_enum! {
    /// What drift calls for.
    DriftFlag {
        /// Too few seed scores to say.
        Insufficient = "insufficient",
        /// Nothing.
        Ok = "ok",
        /// A refresher.
        Watch = "watch",
        /// No more scoring, and a second look at what was scored since the last good seed.
        Suspend = "suspend",
    }
}

/// How an assessor did on their last seed papers.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftReport {
    /// What it calls for.
    pub flag: DriftFlag,
    /// The counts.
    pub agreement: Agreement,
    /// Given less key, where a level was given: above 0 is lenient, below severe.
    pub differences: SignedDifferences,
}

impl DriftReport {
    /// The share of exact scores.
    pub fn exact_rate(&self) -> Proportion {
        self.agreement.exact()
    }

    /// The share of equal decisions.
    pub fn decision_rate(&self) -> Proportion {
        self.agreement.decision()
    }

    /// t of the mean difference.
    pub fn t(&self) -> Result<f64, Undefined> {
        self.differences.t()
    }
}

/// Judges the drift of an assessor on seed scores of one scale, oldest first. Only the last of them count, as many as the limits say.
///
/// `None` on a scale of fewer than two levels.
pub fn judge_drift(
    levels: usize,
    cut: Level,
    scores: &[KeyedScore],
    limits: &CalibrationLimits,
) -> Option<DriftReport> {
    let scaled: Vec<ScaledScore> =
        scores.iter().map(|score| ScaledScore { levels, cut, score: *score }).collect();
    limits.exact(levels)?;
    judge_seeds(&scaled, limits)
}

/// One criterion of known work with the scale it is on: a rubric may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaledScore {
    /// How many levels the scale has.
    pub levels: usize,
    /// Its lowest passing level.
    pub cut: Level,
    /// The key, and what was given.
    pub score: KeyedScore,
}

/// The scores of each scale, which are judged by its own line.
fn by_scale(scores: &[ScaledScore]) -> BTreeMap<(usize, Level), Vec<KeyedScore>> {
    let mut scales: BTreeMap<(usize, Level), Vec<KeyedScore>> = BTreeMap::new();
    for one in scores {
        scales.entry((one.levels, one.cut)).or_default().push(one.score);
    }
    scales
}

/// Judges one qualifying set whose criteria may be on several scales: exact agreement on each number of levels by its own line,
/// decisions and discrepant scores over the whole set. On one scale this is [`judge_qualification`].
///
/// `None` where a scale has fewer than two levels.
pub fn judge_set(
    scores: &[ScaledScore],
    limits: &CalibrationLimits,
) -> Option<(Agreement, Vec<QualificationFault>)> {
    let mut all = Agreement::default();
    let mut by_levels: BTreeMap<usize, Agreement> = BTreeMap::new();
    for ((levels, cut), keyed) in by_scale(scores) {
        limits.exact(levels)?;
        let found = compare(&keyed, cut);
        all += found;
        *by_levels.entry(levels).or_default() += found;
    }
    if all.n == 0 {
        return Some((all, vec![QualificationFault::NoScores]));
    }
    let mut faults = Vec::new();
    let reaches = |(levels, found): (&usize, &Agreement)| {
        limits.exact(*levels).is_some_and(|line| found.exact().is_at_least(line.value()))
    };
    if !by_levels.iter().all(reaches) {
        faults.push(QualificationFault::ExactBelowThreshold);
    }
    if !all.decision().is_at_least(limits.decision.value()) {
        faults.push(QualificationFault::DecisionBelowThreshold);
    }
    if all.non_adjacent > limits.most_discrepant {
        faults.push(QualificationFault::TooManyDiscrepant);
    }
    Some((all, faults))
}

/// Judges drift on seed scores, oldest first, whose criteria may be on several scales: over all of the last scores of the window, and
/// exact agreement on each number of levels by its own line, as far as its scores weigh in the whole.
///
/// `None` where a scale has fewer than two levels.
pub fn judge_seeds(scores: &[ScaledScore], limits: &CalibrationLimits) -> Option<DriftReport> {
    let last = &scores[scores.len().saturating_sub(limits.drift_window)..];
    let mut agreement = Agreement::default();
    // What would be exact by the lines, in ten-thousandths of a score.
    let (mut line, mut bottom) = (0, 0);
    for ((levels, cut), keyed) in by_scale(last) {
        let own = limits.exact(levels)?.value();
        let found = compare(&keyed, cut);
        line += found.n * u64::from(own);
        bottom += found.n * u64::from(own.saturating_sub(limits.suspend_margin.value()));
        agreement += found;
    }
    let differences = SignedDifferences::of(last.iter().filter_map(|one| {
        Some(i32::from(one.score.given?.number()) - i32::from(one.score.key.number()))
    }));
    let exact = agreement.exact * u64::from(BasisPoints::of_percent(100).value());
    let flag = if agreement.n < limits.fewest_seed_scores || agreement.n == 0 {
        DriftFlag::Insufficient
    } else if exact < bottom
        || !agreement.decision().is_at_least(limits.decision.value())
        || limits.suspend.is_reached(&differences)
    {
        DriftFlag::Suspend
    } else if exact < line || limits.watch.is_reached(&differences) {
        DriftFlag::Watch
    } else {
        DriftFlag::Ok
    };
    Some(DriftReport { flag, agreement, differences })
}

/// The level that lead assessors agree on: given by two at least, and by more than any other. `None` asks for one more key.
#[must_use]
pub fn agreed_level(votes: &[u8]) -> Option<u8> {
    let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
    for vote in votes {
        *counts.entry(*vote).or_default() += 1;
    }
    let (level, most) = counts.iter().max_by_key(|(_, count)| **count)?;
    let is_alone = counts.values().filter(|count| *count == most).count() == 1;
    (*most >= 2 && is_alone).then_some(*level)
}

/// How long the tries of one cycle count together.
pub const CYCLE: TimeDelta = TimeDelta::days(365);
/// How long a qualification holds.
pub const QUALIFIED_FOR: TimeDelta = TimeDelta::days(365);

/// A try at a qualifying set, as the next one is judged by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastTry {
    /// Whether it was at the set that is asked for now.
    pub is_same_set: bool,
    /// Where it stands.
    pub state: AttemptState,
    /// When it was started.
    pub started_at: Timestamp,
    /// Whether a lead assessor has spoken about it with the person.
    pub is_coached: bool,
}

/// Why another try has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TryRefusal {
    /// One is going on.
    #[error("finish the qualifying set that you have begun first")]
    Open,
    /// The second try is at the other set.
    #[error("take the other qualifying set: this one was your first try")]
    SameSet,
    /// Two have failed.
    #[error("two tries are over; a lead assessor speaks with you before the third")]
    CoachingDue,
    /// Three have failed.
    #[error("three tries are over; the next cycle begins on {}", .until.date())]
    CycleOver {
        /// When the next cycle begins.
        until: Timestamp,
    },
}

/// The last cycle of tries with its end; those before the last one that passed do not count. A cycle begins with the first try after the
/// one before has ended.
fn last_cycle(past: &[PastTry]) -> Option<(&[PastTry], Timestamp)> {
    let since_pass = past.iter().rposition(|one| one.state == AttemptState::Passed);
    let mut rest = &past[since_pass.map_or(0, |at| at + 1)..];
    let mut last = None;
    while let Some(first) = rest.first() {
        let end = first.started_at.plus(CYCLE);
        let n_within = rest.iter().take_while(|one| one.started_at < end).count();
        let (within, later) = rest.split_at(n_within.max(1));
        last = Some((within, end));
        rest = later;
    }
    last
}

/// The most tries of one cycle.
const MOST_TRIES: usize = 3;

/// The end of the last cycle, where all its tries have failed; `past` is as in [`may_try`]. `None` while one is left or going on.
#[must_use]
pub fn exhausted_until(past: &[PastTry]) -> Option<Timestamp> {
    let (cycle, end) = last_cycle(past)?;
    let n_failed = cycle.iter().filter(|one| one.state == AttemptState::Failed).count();
    (n_failed >= MOST_TRIES).then_some(end)
}

/// Whether somebody may try a qualifying set now: two sets, then coaching, then one more, then the rest of the cycle out
/// (DOMAIN.md, 3.5). `past` are their tries, oldest first; those before the last one that passed do not count.
///
/// # Errors
/// [`TryRefusal`].
pub fn may_try(past: &[PastTry], now: Timestamp) -> Result<(), TryRefusal> {
    let Some((cycle, until)) = last_cycle(past).filter(|(_, end)| *end > now) else {
        return Ok(());
    };
    if cycle.iter().any(|one| one.state == AttemptState::Open) {
        return Err(TryRefusal::Open);
    }
    match cycle {
        [] => Ok(()),
        [first] if first.is_same_set => Err(TryRefusal::SameSet),
        [_] => Ok(()),
        [_, second] if second.is_coached => Ok(()),
        [_, _] => Err(TryRefusal::CoachingDue),
        [_, _, ..] => Err(TryRefusal::CycleOver { until }),
    }
}
