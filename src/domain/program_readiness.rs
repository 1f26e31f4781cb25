//! Whether a programme could open: what its plan comes to in attempts, readings, hours, days and money. Every formula stands in docs/api/readiness.md.

use super::review_policy::{ReviewMode, ReviewPolicy};

/// All of something, in basis points.
const ALL: u64 = 10_000;

worded_enum! {
    /// How a line of the report stands.
    LineStanding {
        /// Nothing to do.
        Fine = "fine",
        /// Somebody should look at it. The programme can open.
        Look = "look",
        /// The programme does not open before it is settled.
        Blocks = "blocks",
    }
}

/// What the team wants to reach, as the metrics of its charter say, in basis points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Expectation {
    /// Of those invited, how many take part (`enrolment_rate`).
    pub enrolled: Option<u64>,
    /// Of those, how many hand in (`submission_rate`).
    pub submitted: Option<u64>,
    /// Of first attempts, how many earn (`earn_rate_first`).
    pub earned_first: Option<u64>,
}

/// What there is to read of one definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Attempts {
    /// Everything that is handed in: first attempts, and one more of each that was not yet.
    pub all: u64,
    /// Those of them that are not yet, the first time.
    pub not_yet: u64,
}

impl Attempts {
    /// Both sums.
    #[must_use]
    pub fn and(self, other: Attempts) -> Attempts {
        Attempts { all: self.all + other.all, not_yet: self.not_yet + other.not_yet }
    }
}

fn share(of: u64, basis_points: u64) -> u64 {
    of.saturating_mul(basis_points.min(ALL)).div_ceil(ALL)
}

impl Expectation {
    /// How many of these people hand in: `people × enrolled × submitted`, rounded up after each; a share that the charter does not name is all.
    #[must_use]
    pub fn submitters(&self, people: u64) -> u64 {
        let enrolled = share(people, self.enrolled.unwrap_or(ALL));
        share(enrolled, self.submitted.unwrap_or(ALL))
    }

    /// What so many people hand in at one definition: each once, and once more whoever has not earned. Without a target for it, all earn at once.
    #[must_use]
    pub fn attempts(&self, people: u64) -> Attempts {
        let first = self.submitters(people);
        let not_yet = share(first, ALL - self.earned_first.unwrap_or(ALL).min(ALL));
        Attempts { all: first + not_yet, not_yet }
    }
}

/// How many readings the attempts need, without third ones.
///
/// - single: one each, one more of each not-yet where the policy asks for it, and the backread share of the others;
/// - conditional double and double blind: two each, since nobody knows beforehand which levels lie near the cut.
#[must_use]
pub fn readings(policy: &ReviewPolicy, attempts: Attempts) -> u64 {
    match policy.mode() {
        ReviewMode::Single => {
            let again = if policy.second_score_when_not_yet() { attempts.not_yet } else { 0 };
            let others = attempts.all.saturating_sub(again);
            attempts.all + again + share(others, u64::from(policy.backread_share().value()))
        }
        ReviewMode::ConditionalDouble | ReviewMode::DoubleBlind => 2 * attempts.all,
    }
}

/// Whether an attempt may need a second reader although it is decided on one sheet otherwise.
#[must_use]
pub fn may_need_second(policy: &ReviewPolicy) -> bool {
    match policy.mode() {
        ReviewMode::Single => {
            policy.second_score_when_not_yet() || policy.backread_share().value() > 0
        }
        ReviewMode::ConditionalDouble | ReviewMode::DoubleBlind => true,
    }
}

/// How long the last one waits, and the one in the middle, if everybody hands in at once and the hours are spread evenly over the working days of the window:
/// `⌈working days × needed / available⌉`, and half of that, rounded up. None without hours.
#[must_use]
pub fn days_to_decide(
    needed_minutes: u64,
    available_minutes: u64,
    window_days: u64,
) -> Option<(u64, u64)> {
    if available_minutes == 0 {
        return None;
    }
    let last = window_days.saturating_mul(needed_minutes).div_ceil(available_minutes);
    Some((last.div_ceil(2), last))
}

/// What the hours cost, in minor units: `⌈minutes × rate / 60⌉`, the rate being for an hour.
#[must_use]
pub fn cost_minor(needed_minutes: u64, rate_minor: u64) -> u64 {
    needed_minutes.saturating_mul(rate_minor).div_ceil(60)
}
