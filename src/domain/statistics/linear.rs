//! Linear equations with a symmetric, positive definite matrix.

/// A symmetric matrix, of which the lower half is kept.
pub(super) struct Symmetric {
    size: usize,
    cells: Vec<f64>,
}

impl Symmetric {
    /// All zero.
    pub(super) fn zero(size: usize) -> Symmetric {
        Symmetric { size, cells: vec![0.0; size * size] }
    }

    /// Adds to a cell, and to its mirror image.
    pub(super) fn add(&mut self, one: usize, other: usize, value: f64) {
        let (row, column) = if one >= other { (one, other) } else { (other, one) };
        self.cells[row * self.size + column] += value;
    }

    /// Takes the product of each two entries of a thin vector away, divided by `by`.
    pub(super) fn subtract_product(&mut self, entries: &[(usize, f64)], by: f64) {
        for (at, (one, value)) in entries.iter().enumerate() {
            for (other, with) in &entries[..=at] {
                self.add(*one, *other, -value * with / by);
            }
        }
    }

    /// The lower triangle whose square it is. `None` when it is not positive definite: a pivot is gone, but for rounding.
    pub(super) fn factor(mut self) -> Option<Factor> {
        let size = self.size;
        let diagonal: Vec<f64> = (0..size).map(|at| self.cells[at * size + at]).collect();
        for column in 0..size {
            for row in column..size {
                let (upper, lower) = self.cells.split_at(row * size);
                let this = &lower[..=column];
                // In the row of the pivot both are the same.
                let pivot = if row == column {
                    this
                } else {
                    &upper[column * size..=column * size + column]
                };
                let products: f64 = this[..column]
                    .iter()
                    .zip(&pivot[..column])
                    .map(|(one, other)| one * other)
                    .sum();
                let rest = this[column] - products;
                let cell = if row == column {
                    if rest.is_nan() || rest <= diagonal[column].abs() * 1e-11 {
                        return None;
                    }
                    rest.sqrt()
                } else {
                    rest / pivot[column]
                };
                self.cells[row * size + column] = cell;
            }
        }
        Some(Factor(self))
    }
}

/// A lower triangle.
pub(super) struct Factor(Symmetric);

impl Factor {
    /// The solution of the equations with this right side.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let Symmetric { size, cells } = &self.0;
        let mut solution = right.to_vec();
        for row in 0..*size {
            let known: f64 = (0..row).map(|at| cells[row * size + at] * solution[at]).sum();
            solution[row] = (solution[row] - known) / cells[row * size + row];
        }
        for row in (0..*size).rev() {
            let known: f64 = (row + 1..*size).map(|at| cells[at * size + row] * solution[at]).sum();
            solution[row] = (solution[row] - known) / cells[row * size + row];
        }
        solution
    }
}
