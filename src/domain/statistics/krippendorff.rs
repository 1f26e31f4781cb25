//! Krippendorff's alpha: any number of raters, any ratings missing.

use super::units::UnitTable;
use super::{Figure, MAX_CATEGORIES, Undefined, finite};

/// How far two categories are from each other. Interval and ratio compute with the values of the categories, in scale order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric<'a> {
    /// Different is different.
    Nominal,
    /// By how many ratings lie between, in scale order.
    Ordinal,
    /// By the difference of the values.
    Interval(&'a [f64]),
    /// By the difference in proportion to the sum. Values below zero are refused.
    Ratio(&'a [f64]),
}

/// Krippendorff's alpha (Computing Krippendorff's Alpha-Reliability, 2011).
///
/// Units with fewer than two ratings drop out. Undefined when nothing is left, and when what is left is all the same.
pub fn alpha(table: &UnitTable, metric: Metric<'_>) -> Figure {
    if table.categories() > MAX_CATEGORIES {
        return Err(Undefined::TooManyCategories);
    }
    if let Metric::Interval(values) | Metric::Ratio(values) = metric
        && (values.len() < table.categories() || values.iter().any(|value| !value.is_finite()))
    {
        return Err(Undefined::NotNumeric);
    }
    if let Metric::Ratio(values) = metric
        && values.iter().any(|value| *value < 0.0)
    {
        return Err(Undefined::NegativeValues);
    }
    let pairable = || table.units().iter().filter(|unit| unit.n_ratings() >= 2);
    let mut totals = vec![0.0; table.categories()];
    for unit in pairable() {
        for (category, count) in unit.counts() {
            totals[*category] += *count as f64 * unit.times() as f64;
        }
    }
    let n: f64 = totals.iter().sum();
    if n == 0.0 {
        return Err(Undefined::NoData);
    }
    let distance = Distance::new(metric, &totals);
    let mut found = 0.0;
    for unit in pairable() {
        let mut within = 0.0;
        for (at, (one, times_one)) in unit.counts().iter().enumerate() {
            for (other, times_other) in &unit.counts()[at + 1..] {
                within += *times_one as f64 * *times_other as f64 * distance.squared(*one, *other);
            }
        }
        found += within * unit.times() as f64 / (unit.n_ratings() - 1) as f64;
    }
    let used: Vec<usize> = (0..totals.len()).filter(|at| totals[*at] > 0.0).collect();
    let mut by_chance = 0.0;
    for (at, one) in used.iter().enumerate() {
        for other in &used[at + 1..] {
            by_chance += totals[*one] * totals[*other] * distance.squared(*one, *other);
        }
    }
    if by_chance <= 0.0 {
        return Err(Undefined::NoVariation);
    }
    finite(1.0 - (n - 1.0) * found / by_chance)
}

struct Distance<'a> {
    metric: Metric<'a>,
    /// For the ordinal metric, how many ratings lie below each category and half of those in it.
    ranks: Vec<f64>,
}

impl<'a> Distance<'a> {
    fn new(metric: Metric<'a>, totals: &[f64]) -> Distance<'a> {
        let mut below = 0.0;
        let rank = |total: &f64| {
            let rank = below + total / 2.0;
            below += total;
            rank
        };
        Distance { metric, ranks: totals.iter().map(rank).collect() }
    }

    fn squared(&self, one: usize, other: usize) -> f64 {
        let distance = match self.metric {
            Metric::Nominal if one == other => 0.0,
            Metric::Nominal => 1.0,
            // The sum of n_g from one to the other, less half of both ends.
            Metric::Ordinal => self.ranks[one] - self.ranks[other],
            Metric::Interval(values) => values[one] - values[other],
            Metric::Ratio(values) => {
                let sum = values[one] + values[other];
                if sum == 0.0 { 0.0 } else { (values[one] - values[other]) / sum }
            }
        };
        distance * distance
    }
}
