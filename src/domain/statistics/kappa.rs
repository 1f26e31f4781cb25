//! Cohen's kappa of two raters, with weights on the declared scale.

use super::units::{TableError, UnitTable};
use super::{Figure, Interval, NORMAL_975, Undefined, finite};

/// How often one rater gave the category of the row and the other that of the column.
///
/// Rows and columns are the categories of the declared scale, also those that nobody used: leaving them out would change the
/// weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContingencyTable {
    size: usize,
    cells: Vec<u64>,
    n: u64,
}

impl ContingencyTable {
    /// A square table, row by row.
    pub fn new(rows: &[Vec<u64>]) -> Result<ContingencyTable, TableError> {
        let size = rows.len();
        let mut pairs = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if row.len() != size {
                let (row, found) = (index + 1, row.len());
                return Err(TableError::RowLength { row, found, expected: size });
            }
            pairs.extend(row.iter().enumerate().map(|(column, count)| (index, column, *count)));
        }
        ContingencyTable::of_pairs(size, pairs)
    }

    /// A table on a scale of `size` categories, from `(first rater's, second rater's, how often)`.
    pub fn of_pairs(
        size: usize,
        pairs: impl IntoIterator<Item = (usize, usize, u64)>,
    ) -> Result<ContingencyTable, TableError> {
        let area = size.checked_mul(size).ok_or(TableError::TooLarge)?;
        let mut table = ContingencyTable { size, cells: vec![0; area], n: 0 };
        for (row, column, count) in pairs {
            let category = row.max(column);
            if category >= size {
                return Err(TableError::UnknownCategory { category, categories: size });
            }
            table.n = table.n.checked_add(count).ok_or(TableError::TooLarge)?;
            if table.n > MOST_PAIRS {
                return Err(TableError::TooLarge);
            }
            table.cells[row * size + column] += count;
        }
        Ok(table)
    }

    /// How many categories the scale has.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many pairs there are.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The cells that are not empty: row, column, count.
    pub fn cells(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let size = self.size;
        let cells = self.cells.iter().enumerate().filter(|(_, count)| **count > 0);
        cells.map(move |(at, count)| (at / size, at % size, *count))
    }

    /// The pairs as units of two ratings each.
    pub fn units(&self) -> Result<UnitTable, TableError> {
        let unit = |(row, column, count)| (vec![(row, 1), (column, 1)], count);
        UnitTable::new(self.size, self.cells().map(unit))
    }

    /// The share of pairs that would agree if the raters had nothing in common but their margins.
    pub fn expected_agreement(&self) -> Figure {
        let n = self.n as f64;
        let (rows, columns) = self.margins();
        let by_chance = rows.iter().zip(&columns);
        let share = by_chance.map(|(row, column)| *row as f64 / n * (*column as f64 / n)).sum();
        if self.n == 0 { Err(Undefined::NoData) } else { finite(share) }
    }

    /// How often each rater gave each category.
    fn margins(&self) -> (Vec<u64>, Vec<u64>) {
        let (mut rows, mut columns) = (vec![0; self.size], vec![0; self.size]);
        for (row, column, count) in self.cells() {
            rows[row] += count;
            columns[column] += count;
        }
        (rows, columns)
    }
}

/// Twice as many ratings still make a [`UnitTable`].
const MOST_PAIRS: u64 = 1 << 49;

worded_enum! {
    /// The usual weights of disagreement.
    Weighting {
        /// Every disagreement is as bad as any other.
        Unweighted = "none",
        /// By the number of steps (Cicchetti and Allison).
        Linear = "linear",
        /// By the square of the number of steps (Fleiss and Cohen).
        Quadratic = "quadratic",
    }
}

/// How bad each kind of disagreement is, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    size: usize,
    disagreement: Vec<f64>,
}

impl Weights {
    /// The usual weights on a scale of so many categories.
    pub fn on_scale(weighting: Weighting, size: usize) -> Weights {
        let between = |row: usize, column: usize| {
            let steps = row.abs_diff(column) as f64;
            match weighting {
                Weighting::Unweighted => steps.min(1.0),
                Weighting::Linear => steps,
                Weighting::Quadratic => steps * steps,
            }
        };
        let all = (0..size).flat_map(|row| (0..size).map(move |column| between(row, column)));
        Weights::scaled(size, all.collect())
    }

    /// Weights of disagreement as Cohen (1968) writes them: 0 is agreement, larger is worse.
    pub fn of_disagreement(rows: &[Vec<f64>]) -> Result<Weights, TableError> {
        let weights = Weights::scaled(rows.len(), square(rows)?);
        if weights.disagreement.iter().all(|weight| *weight == 0.0) {
            return Err(TableError::BadWeights);
        }
        Ok(weights)
    }

    /// Weights of agreement: the largest is full agreement, 0 is none.
    pub fn of_agreement(rows: &[Vec<f64>]) -> Result<Weights, TableError> {
        let all = square(rows)?;
        let top = all.iter().copied().fold(0.0, f64::max);
        let turned: Vec<f64> = all.iter().map(|weight| top - weight).collect();
        if turned.iter().all(|weight| *weight == 0.0) {
            return Err(TableError::BadWeights);
        }
        Ok(Weights::scaled(rows.len(), turned))
    }

    fn scaled(size: usize, mut disagreement: Vec<f64>) -> Weights {
        let top = disagreement.iter().copied().fold(0.0, f64::max);
        if top > 0.0 {
            for weight in &mut disagreement {
                *weight /= top;
            }
        }
        Weights { size, disagreement }
    }

    fn disagreement(&self, row: usize, column: usize) -> f64 {
        self.disagreement[row * self.size + column]
    }
}

fn square(rows: &[Vec<f64>]) -> Result<Vec<f64>, TableError> {
    let expected = rows.len();
    for (index, row) in rows.iter().enumerate() {
        if row.len() != expected {
            return Err(TableError::RowLength { row: index + 1, found: row.len(), expected });
        }
    }
    let all: Vec<f64> = rows.concat();
    if all.iter().all(|weight| weight.is_finite() && *weight >= 0.0) {
        Ok(all)
    } else {
        Err(TableError::BadWeights)
    }
}

/// Cohen's kappa with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kappa {
    /// The coefficient.
    pub value: f64,
    /// The (weighted) agreement that was found.
    pub observed: f64,
    /// The (weighted) agreement that the two margins give by chance.
    pub expected: f64,
    /// The standard error in large samples, for intervals.
    pub standard_error: f64,
    /// The standard error if the true kappa were 0, for tests.
    pub null_standard_error: f64,
}

impl Kappa {
    /// The interval of 1.96 standard errors on either side.
    pub fn interval(&self) -> Result<Interval, Undefined> {
        let half = NORMAL_975 * self.standard_error;
        Interval::new(self.value - half, self.value + half)
    }

    /// How many standard errors of the null hypothesis kappa is away from 0.
    pub fn z(&self) -> Figure {
        if self.null_standard_error > 0.0 {
            finite(self.value / self.null_standard_error)
        } else {
            Err(Undefined::NoVariation)
        }
    }
}

/// Cohen's kappa (1960, 1968), with the standard errors of Fleiss, Cohen and Everitt (1969).
///
/// Undefined without pairs, and where the margins leave no room for disagreement: both raters used one and the same category.
pub fn cohen_kappa(table: &ContingencyTable, weights: &Weights) -> Result<Kappa, Undefined> {
    if table.n == 0 {
        return Err(Undefined::NoData);
    }
    if weights.size != table.size {
        return Err(Undefined::IncompleteData);
    }
    let n = table.n as f64;
    let (rows, columns) = table.margins();
    let share = |counts: Vec<u64>| -> Vec<f64> {
        counts.into_iter().map(|count| count as f64 / n).collect()
    };
    let (rows, columns) = (share(rows), share(columns));
    let size = table.size;
    // No weight is above 1, and so is no mean of them: rounding must not say otherwise.
    let weighted = |(row, column, count)| weights.disagreement(row, column) * (count as f64 / n);
    let found = table.cells().map(weighted).sum::<f64>().min(1.0);
    // The mean weight of disagreement of each category against the other rater's margin.
    let mut of_row = vec![0.0; size];
    let mut of_column = vec![0.0; size];
    for row in 0..size {
        for column in 0..size {
            let weight = weights.disagreement(row, column);
            of_row[row] += weight * columns[column];
            of_column[column] += weight * rows[row];
        }
    }
    let by_chance: f64 = (0..size).map(|row| rows[row] * of_row[row]).sum();
    if by_chance <= 0.0 {
        return Err(Undefined::NoVariation);
    }
    let value = finite(1.0 - found / by_chance)?;
    // The paper subtracts the square of the mean of each sum's terms; here the mean goes first, which loses no digits.
    let (observed, expected) = (1.0 - found, 1.0 - by_chance);
    let centre = observed * expected - 2.0 * expected + observed;
    let large: f64 = table
        .cells()
        .map(|(row, column, count)| {
            let agreement = 1.0 - weights.disagreement(row, column);
            let means = 2.0 - of_row[row] - of_column[column];
            let term = agreement * by_chance - means * found;
            count as f64 / n * (term - centre).powi(2)
        })
        .sum();
    let mut null = 0.0;
    for row in (0..size).filter(|row| rows[*row] > 0.0) {
        for column in 0..size {
            let agreement = 1.0 - weights.disagreement(row, column);
            let term = agreement - (2.0 - of_row[row] - of_column[column]);
            null += rows[row] * columns[column] * (term + expected).powi(2);
        }
    }
    // What rounding leaves of nothing is nothing.
    let clean = |sum: f64| if sum < 1e-28 { 0.0 } else { sum };
    let large = clean(large) / (n * by_chance.powi(4));
    let null = clean(null) / (n * by_chance * by_chance);
    Ok(Kappa {
        value,
        observed,
        expected,
        standard_error: finite(large.sqrt())?,
        null_standard_error: finite(null.sqrt())?,
    })
}
