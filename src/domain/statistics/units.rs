//! Ratings as most coefficients see them: how often each category was given to each unit, whoever gave it.

/// How often each unit was put into each category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitTable {
    categories: usize,
    units: Vec<Unit>,
}

/// A kind of unit: what it was given, and how many units were given just that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    counts: Vec<(usize, u64)>,
    n_ratings: u64,
    times: u64,
}

impl Unit {
    /// The categories that were given, lowest first, with how often. None is there zero times.
    pub fn counts(&self) -> &[(usize, u64)] {
        &self.counts
    }

    /// How many ratings the unit has.
    pub fn n_ratings(&self) -> u64 {
        self.n_ratings
    }

    /// How many such units there are.
    pub fn times(&self) -> u64 {
        self.times
    }

    /// The lowest and the highest category, if there is a rating.
    pub fn ends(&self) -> Option<(usize, usize)> {
        Some((self.counts.first()?.0, self.counts.last()?.0))
    }
}

/// Why ratings make no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A category outside of the scale.
    #[error("a rating is in category {category}, counted from 0, of a scale of {categories}")]
    UnknownCategory {
        /// The category.
        category: usize,
        /// How many the scale has.
        categories: usize,
    },
    /// Rows and columns must be the same categories.
    #[error("row {row}, counted from 1, has {found} cells instead of {expected}")]
    RowLength {
        /// The row.
        row: usize,
        /// Its cells.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// More than any count of readings could be.
    #[error("the counts are too large")]
    TooLarge,
    /// Weights are numbers, not below zero, that make a difference somewhere.
    #[error("the weights are not numbers from 0 upwards")]
    BadWeights,
}

/// The most ratings of a table. Products of two counts still fit into 128 bits, and a count into a float without loss.
const MOST: u64 = 1 << 50;

impl UnitTable {
    /// A table of kinds of units: `(counts by category, how many such units)`.
    pub fn new(
        categories: usize,
        units: impl IntoIterator<Item = (Vec<(usize, u64)>, u64)>,
    ) -> Result<UnitTable, TableError> {
        let mut total: u64 = 0;
        let mut table = UnitTable { categories, units: Vec::new() };
        for (mut counts, times) in units {
            counts.retain(|(_, count)| *count > 0);
            counts.sort_unstable();
            // Two entries of one category are one.
            let mut merged: Vec<(usize, u64)> = Vec::with_capacity(counts.len());
            let mut n_ratings: u64 = 0;
            for (category, count) in counts {
                if category >= categories {
                    return Err(TableError::UnknownCategory { category, categories });
                }
                n_ratings = n_ratings.checked_add(count).ok_or(TableError::TooLarge)?;
                match merged.last_mut() {
                    Some(last) if last.0 == category => last.1 += count,
                    Some(_) | None => merged.push((category, count)),
                }
            }
            let here = n_ratings.max(1).checked_mul(times).ok_or(TableError::TooLarge)?;
            total = total.checked_add(here).ok_or(TableError::TooLarge)?;
            if total > MOST {
                return Err(TableError::TooLarge);
            }
            if times > 0 {
                table.units.push(Unit { counts: merged, n_ratings, times });
            }
        }
        Ok(table)
    }

    /// One unit a row, one rating a cell; `None` is a missing rating.
    pub fn of_ratings(
        categories: usize,
        rows: &[Vec<Option<usize>>],
    ) -> Result<UnitTable, TableError> {
        let unit = |row: &Vec<Option<usize>>| {
            (row.iter().flatten().map(|category| (*category, 1)).collect(), 1)
        };
        UnitTable::new(categories, rows.iter().map(unit))
    }

    /// One unit a row, one category a column; the cells count ratings.
    pub fn of_counts(rows: &[Vec<u64>]) -> Result<UnitTable, TableError> {
        let categories = rows.first().map_or(0, Vec::len);
        for (index, row) in rows.iter().enumerate() {
            if row.len() != categories {
                let (row, found) = (index + 1, row.len());
                return Err(TableError::RowLength { row, found, expected: categories });
            }
        }
        let unit = |row: &Vec<u64>| (row.iter().copied().enumerate().collect(), 1);
        UnitTable::new(categories, rows.iter().map(unit))
    }

    /// How many categories the scale has.
    pub fn categories(&self) -> usize {
        self.categories
    }

    /// The kinds of units.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// How many ratings there are in all.
    pub fn n_ratings(&self) -> u64 {
        self.units.iter().map(|unit| unit.n_ratings * unit.times).sum()
    }

    /// How many units have two ratings or more.
    pub fn n_pairable_units(&self) -> u64 {
        self.units.iter().filter(|unit| unit.n_ratings >= 2).map(|unit| unit.times).sum()
    }
}
