//! What a report says of readings: plain agreement always, coefficients where there is enough to say.

use std::collections::{BTreeMap, BTreeSet};

use super::agreement::Agreement;
use super::kappa::{ContingencyTable, Weighting, Weights, cohen_kappa};
use super::krippendorff::{Metric, alpha};
use super::signed_difference::SignedDifferences;
use super::units::UnitTable;
use super::{Figure, Precision, Undefined};

/// One level that one assessor gave, all counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The unit: a criterion of a submission.
    pub unit: usize,
    /// The assessor.
    pub assessor: usize,
    /// The level; none for unscorable, which drops out.
    pub level: Option<usize>,
}

/// Coefficients; `None` where there are too few units to show any.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients {
    /// Cohen's kappa of first and second readings.
    pub kappa: Figure,
    /// The same with quadratic weights on the declared scale.
    pub quadratic_kappa: Figure,
    /// Krippendorff's alpha, ordinal.
    pub alpha: Figure,
}

/// What is said of one criterion, or of all together.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The counts of units that were read twice or more.
    pub agreement: Agreement,
    /// How many assessors gave them.
    pub raters: usize,
    /// How many levels the scale has.
    pub levels: usize,
    /// What is made of coefficients of so many units.
    pub precision: Precision,
    /// The coefficients, hidden below 20 units.
    pub coefficients: Option<Coefficients>,
}

/// The levels of each unit with their assessors, in the order of the readings; only units that were read twice or more.
fn paired(readings: &[Reading]) -> BTreeMap<usize, Vec<(usize, usize)>> {
    let mut units: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for reading in readings {
        if let Some(level) = reading.level {
            units.entry(reading.unit).or_default().push((reading.assessor, level));
        }
    }
    units.retain(|_, levels| levels.len() >= 2);
    units
}

/// Summarises readings on one scale. `cut` is the lowest level that passes.
pub fn summarise(levels: usize, cut: usize, readings: &[Reading]) -> Result<Summary, Undefined> {
    let units = paired(readings);
    let raters: BTreeSet<usize> = units.values().flatten().map(|(assessor, _)| *assessor).collect();
    let rows: Vec<Vec<Option<usize>>> =
        units.values().map(|unit| unit.iter().map(|(_, level)| Some(*level)).collect()).collect();
    let table = UnitTable::of_ratings(levels, &rows).map_err(|_bad| Undefined::OutOfRange)?;
    let agreement = Agreement::of(&table, Some(cut));
    let precision = Precision::of(agreement.n);
    let coefficients = match precision {
        Precision::Insufficient => None,
        Precision::Imprecise | Precision::Usual => {
            let pairs = units.values().filter_map(|unit| match unit.as_slice() {
                [(_, one), (_, other), ..] => Some((*one, *other, 1)),
                [] | [_] => None,
            });
            let pairs =
                ContingencyTable::of_pairs(levels, pairs).map_err(|_bad| Undefined::OutOfRange)?;
            let kappa = |weighting| {
                cohen_kappa(&pairs, &Weights::on_scale(weighting, levels)).map(|kappa| kappa.value)
            };
            Some(Coefficients {
                kappa: kappa(Weighting::Unweighted),
                quadratic_kappa: kappa(Weighting::Quadratic),
                alpha: alpha(&table, Metric::Ordinal),
            })
        }
    };
    Ok(Summary { agreement, raters: raters.len(), levels, precision, coefficients })
}

/// One assessor beside everybody who read the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beside {
    /// Each reading with each other one of the same unit.
    pub agreement: Agreement,
    /// Theirs less the other's: above 0 is lenient.
    pub differences: SignedDifferences,
}

/// Compares each assessor with the others.
#[must_use]
pub fn beside_others(cut: usize, readings: &[Reading]) -> BTreeMap<usize, Beside> {
    let mut found: BTreeMap<usize, Beside> = BTreeMap::new();
    for unit in paired(readings).values() {
        for (at, (assessor, level)) in unit.iter().enumerate() {
            for (other_at, (_, other)) in unit.iter().enumerate() {
                if at == other_at {
                    continue;
                }
                let beside = found.entry(*assessor).or_default();
                beside.agreement.add(*level, *other, Some(cut), 1);
                let signed = |level: usize| i32::try_from(level).unwrap_or(i32::MAX);
                beside.differences.add(signed(*level) - signed(*other), 1);
            }
        }
    }
    found
}
