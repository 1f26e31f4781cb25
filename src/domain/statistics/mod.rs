//! How far assessors agree, and what cannot be said (DOMAIN.md, section 5).
//!
//! Every figure is a number or the reason why there is none: no 0, 1 or NaN stands for "undefined". Small numbers of readings are
//! not hidden here; that is for reports.

pub mod agreement;
mod distribution;
pub mod fleiss;
pub mod icc;
pub mod kappa;
pub mod krippendorff;
mod linear;
pub mod report;
pub mod severity;
pub mod signed_difference;
pub mod units;

/// The number below which 97.5 percent of a standard normal distribution lie.
pub const NORMAL_975: f64 = 1.959_963_984_540_054;

/// The most different values that a coefficient over categories is computed for: its tables grow with the square.
pub const MAX_CATEGORIES: usize = 1000;

/// A figure, or why there is none.
pub type Figure = Result<f64, Undefined>;

worded_enum! {
    /// Why a figure is undefined, or not computed.
    Undefined {
        /// There is nothing to compare: no rating at all, or none that has another one beside it.
        NoData = "no_data",
        /// Chance alone would give the same: all ratings are alike.
        NoVariation = "no_variation",
        /// The figure needs every rating, and some are missing.
        IncompleteData = "incomplete_data",
        /// It takes at least two units.
        InsufficientData = "insufficient_data",
        /// It takes at least two raters.
        SingleRater = "single_rater",
        /// The categories are words, and the figure computes with numbers.
        NotNumeric = "not_numeric",
        /// The categories have no known order.
        NoOrder = "no_order",
        /// The figure needs the values of the scale, and only its positions are known.
        ScaleNotDeclared = "scale_not_declared",
        /// Ratios of values make no sense below zero.
        NegativeValues = "negative_values",
        /// More than [`MAX_CATEGORIES`].
        TooManyCategories = "too_many_categories",
        /// Some assessors cannot be compared: nothing that they read links them.
        NotConnected = "not_connected",
        /// A level between others was never given, so its step has no estimate.
        UnobservedLevel = "unobserved_level",
        /// The likelihood grows without end.
        NoFiniteEstimate = "no_finite_estimate",
        /// The estimation did not come to rest.
        NotConverged = "not_converged",
        /// More criteria and assessors than can be estimated at once.
        TooManyParameters = "too_many_parameters",
        /// The arithmetic left the range of numbers.
        OutOfRange = "out_of_range",
    }
}

impl std::error::Error for Undefined {}

worded_enum! {
    /// What a report makes of a coefficient of so many units (DOMAIN.md, section 5).
    Precision {
        /// Below 20: not shown.
        Insufficient = "insufficient_data",
        /// Below 50: shown with a mark.
        Imprecise = "imprecise",
        /// Shown as it is.
        Usual = "usual",
    }
}

impl Precision {
    /// The precision of coefficients of `n` units.
    pub fn of(n: u64) -> Precision {
        match n {
            0..20 => Precision::Insufficient,
            20..50 => Precision::Imprecise,
            50.. => Precision::Usual,
        }
    }
}

/// The ends of a 95 percent interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// An interval whose ends are numbers in order.
    fn new(low: f64, high: f64) -> Result<Interval, Undefined> {
        let interval = Interval { low: finite(low)?, high: finite(high)? };
        if interval.low <= interval.high { Ok(interval) } else { Err(Undefined::OutOfRange) }
    }
}

/// A number that is one.
fn finite(value: f64) -> Figure {
    if value.is_finite() { Ok(value) } else { Err(Undefined::OutOfRange) }
}
