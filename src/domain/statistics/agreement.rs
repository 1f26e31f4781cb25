//! Plain agreement: how often readings of one piece of work are the same, next to each other, or on the same side of the cut.

use super::units::UnitTable;
use super::{Figure, Interval, NORMAL_975, Undefined, finite};

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    count: u64,
    n: u64,
}

impl Proportion {
    /// `count` of `n`; more than all is all.
    pub fn new(count: u64, n: u64) -> Proportion {
        Proportion { count: count.min(n), n }
    }

    /// How many.
    pub fn count(self) -> u64 {
        self.count
    }

    /// Of how many.
    pub fn n(self) -> u64 {
        self.n
    }

    /// The share, undefined of nothing.
    pub fn value(self) -> Figure {
        if self.n == 0 { Err(Undefined::NoData) } else { finite(self.count as f64 / self.n as f64) }
    }

    /// Whether the share is at least so many basis points, in whole numbers. Nothing reaches no line.
    pub fn is_at_least(self, basis_points: u16) -> bool {
        self.n > 0
            && u128::from(self.count) * 10_000 >= u128::from(basis_points) * u128::from(self.n)
    }

    /// The 95 percent interval of Wilson (1927), which stays between 0 and 1 and holds for small numbers.
    pub fn wilson(self) -> Result<Interval, Undefined> {
        let share = self.value()?;
        let (n, z2) = (self.n as f64, NORMAL_975 * NORMAL_975);
        let middle = share + z2 / (2.0 * n);
        let half = NORMAL_975 * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
        let whole = 1.0 + z2 / n;
        // Rounding must not leave the ends of the scale.
        let low = if self.count == 0 { 0.0 } else { ((middle - half) / whole).max(0.0) };
        let high = if self.count == self.n { 1.0 } else { ((middle + half) / whole).min(1.0) };
        Interval::new(low, high)
    }
}

/// How the readings of each unit lie to each other. With two readings these are the usual counts of a pair of assessors; with more,
/// the readings of a unit are as far apart as the lowest and the highest of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Agreement {
    /// Units that were read at least twice.
    pub n: u64,
    /// Units whose readings are all the same.
    pub exact: u64,
    /// Units whose readings are one step apart.
    pub adjacent_only: u64,
    /// Units whose readings are two steps apart or more.
    pub non_adjacent: u64,
    /// Units whose readings all pass or all fail.
    pub decision: u64,
}

impl std::ops::AddAssign for Agreement {
    /// Counts both.
    fn add_assign(&mut self, other: Agreement) {
        self.n += other.n;
        self.exact += other.exact;
        self.adjacent_only += other.adjacent_only;
        self.non_adjacent += other.non_adjacent;
        self.decision += other.decision;
    }
}

impl Agreement {
    /// Counts every unit that has two ratings. `cut` is the lowest category that passes; without one, no decision agrees.
    pub fn of(table: &UnitTable, cut: Option<usize>) -> Agreement {
        let mut agreement = Agreement::default();
        for unit in table.units().iter().filter(|unit| unit.n_ratings() >= 2) {
            if let Some((low, high)) = unit.ends() {
                agreement.add(low, high, cut, unit.times());
            }
        }
        agreement
    }

    /// Counts units whose readings reach from one category to another.
    pub fn add(&mut self, one: usize, other: usize, cut: Option<usize>, times: u64) {
        self.n += times;
        match one.abs_diff(other) {
            0 => self.exact += times,
            1 => self.adjacent_only += times,
            2.. => self.non_adjacent += times,
        }
        if cut.is_some_and(|cut| (one >= cut) == (other >= cut)) {
            self.decision += times;
        }
    }

    /// The share of exact agreement.
    pub fn exact(self) -> Proportion {
        Proportion::new(self.exact, self.n)
    }

    /// The share of readings at most one step apart.
    pub fn adjacent_or_exact(self) -> Proportion {
        Proportion::new(self.exact + self.adjacent_only, self.n)
    }

    /// The share of readings two steps apart or more.
    pub fn non_adjacent(self) -> Proportion {
        Proportion::new(self.non_adjacent, self.n)
    }

    /// The share of equal decisions.
    pub fn decision(self) -> Proportion {
        Proportion::new(self.decision, self.n)
    }
}
