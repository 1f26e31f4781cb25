//! Leaning to one side: the mean signed difference and its t, in the form that NAEP uses.

use super::{Figure, Undefined, finite};

/// Whole differences and their sums. Comparisons with limits are made in whole numbers.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SignedDifferences {
    differences: Vec<(i32, u64)>,
    n: u64,
    sum: i128,
    squares: i128,
}

impl SignedDifferences {
    /// These differences.
    pub fn of(differences: impl IntoIterator<Item = i32>) -> SignedDifferences {
        let mut sums = SignedDifferences::default();
        for difference in differences {
            sums.add(difference, 1);
        }
        sums
    }

    /// Takes one more difference in, so many times.
    pub fn add(&mut self, difference: i32, times: u64) {
        self.differences.push((difference, times));
        self.n += times;
        self.sum += i128::from(difference) * i128::from(times);
        self.squares += i128::from(difference).pow(2) * i128::from(times);
    }

    /// How many differences there are.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The mean.
    pub fn mean(&self) -> Figure {
        if self.n == 0 { Err(Undefined::NoData) } else { finite(self.sum as f64 / self.n as f64) }
    }

    /// The variance with n - 1 below the line.
    pub fn variance(&self) -> Figure {
        let mean = self.mean()?;
        if self.n < 2 {
            return Err(Undefined::InsufficientData);
        }
        // In two passes, in the order of the readings: so do the packages that our figures are checked against.
        let square = |difference: i32| (f64::from(difference) - mean).powi(2);
        let squares = self.differences.iter().map(|(d, times)| square(*d) * *times as f64);
        finite(squares.sum::<f64>() / (self.n - 1) as f64)
    }

    /// The standard error of the mean.
    pub fn standard_error(&self) -> Figure {
        finite((self.variance()? / self.n as f64).sqrt())
    }

    /// The mean in standard errors; undefined when every difference is the same.
    pub fn t(&self) -> Figure {
        let error = self.standard_error()?;
        if self.has_no_variance() {
            Err(Undefined::NoVariation)
        } else {
            finite(self.mean()? / error)
        }
    }

    /// Whether every difference is the same.
    pub fn has_no_variance(&self) -> bool {
        self.spread() == 0
    }

    /// Whether the mean is at least so many hundredths away from 0.
    pub fn is_mean_at_least(&self, hundredths: u16) -> bool {
        self.n > 0 && self.sum.abs() * 100 >= i128::from(hundredths) * i128::from(self.n)
    }

    /// Whether t is at least so many hundredths away from 0. False where t is undefined.
    pub fn is_t_at_least(&self, hundredths: u16) -> bool {
        // t² = sum² (n - 1) / (n · squares - sum²)
        let left = self.sum.pow(2).saturating_mul(i128::from(self.n) - 1).saturating_mul(10_000);
        let right = self.spread().saturating_mul(i128::from(hundredths).pow(2));
        self.n > 1 && !self.has_no_variance() && left >= right
    }

    /// n times the sum of squares less the square of the sum: 0 when there is no variance, never below.
    fn spread(&self) -> i128 {
        i128::from(self.n) * self.squares - self.sum.pow(2)
    }
}
