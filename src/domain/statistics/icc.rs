//! Intraclass correlations of balanced data: every rater has rated every target.

use super::distribution::{f_above, f_quantile};
use super::{Figure, Interval, Undefined, finite};

worded_enum! {
    /// The six forms of Shrout and Fleiss (1979).
    IccForm {
        /// Raters change from target to target; one rating.
        One = "ICC(1,1)",
        /// Raters are a sample, absolute agreement; one rating.
        Two = "ICC(2,1)",
        /// These raters only, consistency; one rating.
        Three = "ICC(3,1)",
        /// As the first, for the mean of all ratings of a target.
        OneMean = "ICC(1,k)",
        /// As the second, for the mean.
        TwoMean = "ICC(2,k)",
        /// As the third, for the mean.
        ThreeMean = "ICC(3,k)",
    }
}

/// The analysis of variance that all forms come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanSquares {
    /// How many targets there are.
    pub targets: u64,
    /// How many raters there are.
    pub raters: u64,
    /// Between targets.
    pub between_targets: f64,
    /// Within targets.
    pub within_targets: f64,
    /// Between raters.
    pub between_raters: f64,
    /// What neither targets nor raters explain.
    pub residual: f64,
}

/// One intraclass correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Icc {
    /// The coefficient.
    pub value: f64,
    /// The F of the test against 0.
    pub f: Figure,
    /// The degrees of freedom of F.
    pub degrees: (f64, f64),
    /// The chance of an F as large when the coefficient is 0.
    pub p: Figure,
    /// The 95 percent interval.
    pub interval: Result<Interval, Undefined>,
}

impl MeanSquares {
    /// The mean squares of targets, each with its ratings in the order of the raters, and how many targets were rated just so.
    ///
    /// Refused with fewer than two targets or raters, and when a target has more or fewer ratings than the first.
    pub fn of<'a>(
        targets: impl IntoIterator<Item = (&'a [f64], u64)>,
    ) -> Result<MeanSquares, Undefined> {
        let rows: Vec<(&[f64], u64)> =
            targets.into_iter().filter(|(_, times)| *times > 0).collect();
        let (first, _) = rows.first().ok_or(Undefined::NoData)?;
        let raters = first.len();
        let origin = *first.first().ok_or(Undefined::NoData)?;
        if rows.iter().any(|(ratings, _)| ratings.len() != raters) {
            return Err(Undefined::IncompleteData);
        }
        if rows.iter().any(|(ratings, _)| ratings.iter().any(|rating| !rating.is_finite())) {
            return Err(Undefined::NotNumeric);
        }
        if raters < 2 {
            return Err(Undefined::SingleRater);
        }
        let targets: u64 = rows.iter().map(|(_, times)| times).sum();
        if targets < 2 {
            return Err(Undefined::InsufficientData);
        }
        let (n, k) = (targets as f64, raters as f64);
        // Counted from one of the ratings, so that what is far from 0 loses no digits.
        let mut of_rater = vec![0.0; raters];
        for (ratings, times) in &rows {
            for (sum, rating) in of_rater.iter_mut().zip(*ratings) {
                *sum += (rating - origin) * *times as f64;
            }
        }
        for sum in &mut of_rater {
            *sum /= n;
        }
        let grand = of_rater.iter().sum::<f64>() / k;
        let mut sums = [0.0; 3];
        let mut size = 0.0;
        for (ratings, times) in &rows {
            let times = *times as f64;
            let mean = ratings.iter().map(|rating| rating - origin).sum::<f64>() / k;
            sums[0] += k * (mean - grand).powi(2) * times;
            for (rating, rater) in ratings.iter().zip(&of_rater) {
                let rating = rating - origin;
                sums[1] += (rating - mean).powi(2) * times;
                sums[2] += (rating - mean - rater + grand).powi(2) * times;
                size += rating * rating * times;
            }
        }
        let between_raters = n * of_rater.iter().map(|rater| (rater - grand).powi(2)).sum::<f64>();
        // What rounding leaves of nothing is nothing.
        let clean = |sum: f64| if sum <= size * 1e-26 { 0.0 } else { sum };
        let [between, within, residual] = sums.map(clean);
        Ok(MeanSquares {
            targets,
            raters: raters as u64,
            between_targets: finite(between / (n - 1.0))?,
            within_targets: finite(within / (n * (k - 1.0)))?,
            between_raters: finite(clean(between_raters) / (k - 1.0))?,
            residual: finite(residual / ((n - 1.0) * (k - 1.0)))?,
        })
    }

    /// The intraclass correlation of this form. Of few targets that hardly differ it may be above 1, since the estimate of a variance
    /// can be negative.
    pub fn icc(&self, form: IccForm) -> Result<Icc, Undefined> {
        let (n, k) = (self.targets as f64, self.raters as f64);
        let (rows, within, columns, error) =
            (self.between_targets, self.within_targets, self.between_raters, self.residual);
        let (above, below) = match form {
            IccForm::One => (rows - within, rows + (k - 1.0) * within),
            IccForm::OneMean => (rows - within, rows),
            IccForm::Two => (rows - error, rows + (k - 1.0) * error + k * (columns - error) / n),
            IccForm::TwoMean => (rows - error, rows + (columns - error) / n),
            IccForm::Three => (rows - error, rows + (k - 1.0) * error),
            IccForm::ThreeMean => (rows - error, rows),
        };
        // What rounding leaves of nothing is nothing. Below 0 the formula still gives a number, and so do other packages.
        if below.abs() <= (rows + within + columns + error) * 1e-14 {
            return Err(Undefined::NoVariation);
        }
        let (base, degrees) = match form {
            IccForm::One | IccForm::OneMean => (within, (n - 1.0, n * (k - 1.0))),
            IccForm::Two | IccForm::TwoMean | IccForm::Three | IccForm::ThreeMean => {
                (error, (n - 1.0, (n - 1.0) * (k - 1.0)))
            }
        };
        let f = if base > 0.0 { finite(rows / base) } else { Err(Undefined::NoVariation) };
        let p = f.and_then(|f| f_above(f, degrees.0, degrees.1).ok_or(Undefined::NotConverged));
        let interval = f.and_then(|f| match form {
            IccForm::One | IccForm::Three => self.simple_interval(f, degrees, false),
            IccForm::OneMean | IccForm::ThreeMean => self.simple_interval(f, degrees, true),
            IccForm::Two => self.interval_of_two(),
            IccForm::TwoMean => {
                let one = self.interval_of_two()?;
                let of_mean = |end: f64| end * k / (1.0 + end * (k - 1.0));
                Interval::new(of_mean(one.low), of_mean(one.high))
            }
        });
        Ok(Icc { value: finite(above / below)?, f, degrees, p, interval })
    }

    /// The interval of the first and third form (Shrout and Fleiss, page 424 and following).
    fn simple_interval(
        &self,
        f: f64,
        (df1, df2): (f64, f64),
        of_mean: bool,
    ) -> Result<Interval, Undefined> {
        let low = f / quantile(df1, df2)?;
        let high = f * quantile(df2, df1)?;
        let k = self.raters as f64;
        let end = |f: f64| if of_mean { 1.0 - 1.0 / f } else { (f - 1.0) / (f + k - 1.0) };
        Interval::new(end(low), end(high))
    }

    /// The interval of the second form, with the degrees of freedom of Satterthwaite.
    fn interval_of_two(&self) -> Result<Interval, Undefined> {
        let (n, k) = (self.targets as f64, self.raters as f64);
        let (rows, columns, error) = (self.between_targets, self.between_raters, self.residual);
        let rho = self.two()?;
        let of_raters = columns / error;
        let inner = n * (1.0 + (k - 1.0) * rho) - k * rho;
        let above = (k - 1.0) * (n - 1.0) * (k * rho * of_raters + inner).powi(2);
        let below = (n - 1.0) * (k * rho * of_raters).powi(2) + inner.powi(2);
        let degrees = finite(above / below)?;
        let f_low = quantile(n - 1.0, degrees)?;
        let f_high = quantile(degrees, n - 1.0)?;
        let rest = k * columns + (k * n - k - n) * error;
        let low = n * (rows - f_low * error) / (f_low * rest + n * rows);
        let high = n * (f_high * rows - error) / (rest + n * f_high * rows);
        Interval::new(low, high)
    }

    fn two(&self) -> Figure {
        let (n, k) = (self.targets as f64, self.raters as f64);
        let (rows, columns, error) = (self.between_targets, self.between_raters, self.residual);
        finite((rows - error) / (rows + (k - 1.0) * error + k * (columns - error) / n))
    }
}

fn quantile(df1: f64, df2: f64) -> Figure {
    f_quantile(0.975, df1, df2).ok_or(Undefined::NotConverged)
}
