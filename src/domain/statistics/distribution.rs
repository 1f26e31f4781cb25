//! The F distribution, for the intervals of intraclass correlations.

/// The value of F below which the share `share` lies.
///
/// Degrees of freedom may be fractions. `None` when the search does not come to rest.
pub(super) fn f_quantile(share: f64, df1: f64, df2: f64) -> Option<f64> {
    if !(df1 > 0.0 && df2 > 0.0 && share > 0.0 && share < 1.0) {
        return None;
    }
    // Bisection on the logarithm: the quantile is anywhere between tiny and huge, and 200 halvings of the range are exact enough.
    let (mut low, mut high) = (-700.0_f64, 700.0_f64);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if f_below(middle.exp(), df1, df2)? < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    let found = ((low + high) / 2.0).exp();
    found.is_finite().then_some(found)
}

/// The share of the F distribution below a value.
fn f_below(value: f64, df1: f64, df2: f64) -> Option<f64> {
    if value <= 0.0 {
        return Some(0.0);
    }
    // x and 1 - x, each without cancellation.
    let x = 1.0 / (1.0 + df2 / (df1 * value));
    let y = 1.0 / (1.0 + df1 * value / df2);
    incomplete_beta(x, y, df1 / 2.0, df2 / 2.0)
}

/// The share of the F distribution at or above a value.
pub(super) fn f_above(value: f64, df1: f64, df2: f64) -> Option<f64> {
    if value <= 0.0 {
        return Some(1.0);
    }
    let x = 1.0 / (1.0 + df2 / (df1 * value));
    let y = 1.0 / (1.0 + df1 * value / df2);
    incomplete_beta(y, x, df2 / 2.0, df1 / 2.0)
}

/// The regularised incomplete beta function at `x`, where `y` is `1 - x`.
fn incomplete_beta(x: f64, y: f64, a: f64, b: f64) -> Option<f64> {
    if x <= 0.0 {
        return Some(0.0);
    }
    if y <= 0.0 {
        return Some(1.0);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * y.ln()).exp();
    // The fraction converges fast on this side of the mean.
    if x < (a + 1.0) / (a + b + 2.0) {
        Some(front * beta_fraction(x, a, b)? / a)
    } else {
        Some(1.0 - front * beta_fraction(y, b, a)? / b)
    }
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by the method of Lentz.
fn beta_fraction(x: f64, a: f64, b: f64) -> Option<f64> {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..=20_000_u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-15 {
            return Some(fraction);
        }
    }
    None
}

/// The logarithm of the gamma function above 0, in the approximation of Lanczos with g = 7 and nine terms.
fn ln_gamma(x: f64) -> f64 {
    const FIRST: f64 = 0.999_999_999_999_809_9;
    const OTHERS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        let pi = std::f64::consts::PI;
        return (pi / (pi * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let mut sum = FIRST;
    let mut below = x;
    for term in OTHERS {
        below += 1.0;
        sum += term / below;
    }
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}
