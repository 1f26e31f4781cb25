//! Fleiss' kappa: a fixed number of ratings for each unit, whoever gave them.

use super::agreement::Proportion;
use super::units::UnitTable;
use super::{Figure, Undefined, finite};

/// Fleiss' kappa (1971) with its two agreements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FleissKappa {
    /// The coefficient.
    pub value: f64,
    /// The share of pairs of ratings that agree.
    pub observed: f64,
    /// The share that the margins give by chance.
    pub expected: f64,
}

/// Fleiss' kappa of a table in which every unit has the same number of ratings.
///
/// Refused when the numbers differ, or when they are below two. Undefined when all ratings are in one category.
pub fn fleiss_kappa(table: &UnitTable) -> Result<FleissKappa, Undefined> {
    let Some(first) = table.units().first() else { return Err(Undefined::NoData) };
    if table.n_ratings() == 0 {
        return Err(Undefined::NoData);
    }
    if table.units().iter().any(|unit| unit.n_ratings() != first.n_ratings()) {
        return Err(Undefined::IncompleteData);
    }
    if first.n_ratings() < 2 {
        return Err(Undefined::SingleRater);
    }
    let observed = pairwise_agreement(table).value()?;
    let expected = expected_agreement(table)?;
    let totals = category_totals(table);
    if totals.iter().filter(|total| **total > 0).count() < 2 {
        return Err(Undefined::NoVariation);
    }
    let value = finite((observed - expected) / (1.0 - expected))?;
    Ok(FleissKappa { value, observed, expected })
}

/// The share of pairs of ratings of the same unit that agree.
pub fn pairwise_agreement(table: &UnitTable) -> Proportion {
    let (mut agreeing, mut all) = (0_u64, 0_u64);
    for unit in table.units() {
        let pairs = |count: u64| u128::from(count) * u128::from(count.saturating_sub(1)) / 2;
        let times = u128::from(unit.times());
        let same: u128 = unit.counts().iter().map(|(_, count)| pairs(*count)).sum();
        let add = |sum: &mut u64, more: u128| {
            *sum =
                sum.saturating_add(u64::try_from(more.saturating_mul(times)).unwrap_or(u64::MAX));
        };
        add(&mut agreeing, same);
        add(&mut all, pairs(unit.n_ratings()));
    }
    Proportion::new(agreeing, all)
}

/// The share of pairs that would agree by chance: the sum of the squared shares of the categories.
pub fn expected_agreement(table: &UnitTable) -> Figure {
    let totals = category_totals(table);
    let all: u64 = totals.iter().sum();
    if all == 0 {
        return Err(Undefined::NoData);
    }
    let squares = totals.iter().map(|total| (*total as f64 / all as f64).powi(2));
    finite(squares.sum())
}

fn category_totals(table: &UnitTable) -> Vec<u64> {
    let mut totals = vec![0; table.categories()];
    for unit in table.units() {
        for (category, count) in unit.counts() {
            totals[*category] += count * unit.times();
        }
    }
    totals
}
