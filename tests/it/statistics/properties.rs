//! What holds for every table of ratings.

use assay::domain::statistics::agreement::{Agreement, Proportion};
use assay::domain::statistics::fleiss::fleiss_kappa;
use assay::domain::statistics::icc::{IccForm, MeanSquares};
use assay::domain::statistics::kappa::{ContingencyTable, Weighting, Weights, cohen_kappa};
use assay::domain::statistics::krippendorff::{Metric, alpha};
use assay::domain::statistics::signed_difference::SignedDifferences;
use assay::domain::statistics::units::UnitTable;
use assay::domain::statistics::{Figure, Precision, Undefined};
use proptest::prelude::*;

const LEVELS: usize = 4;
const VALUES: [f64; LEVELS] = [0.0, 1.0, 2.0, 3.0];

fn any_pairs() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..LEVELS, 0..LEVELS), 1..40)
}

/// Units by up to five raters, with gaps.
fn any_ratings() -> impl Strategy<Value = Vec<Vec<Option<usize>>>> {
    (2_usize..6).prop_flat_map(|raters| {
        let rating = prop::option::weighted(0.8, 0..LEVELS);
        prop::collection::vec(prop::collection::vec(rating, raters), 1..20)
    })
}

/// Targets by raters, complete.
fn any_targets() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (2_usize..6).prop_flat_map(|raters| {
        let rating = (0_u8..10).prop_map(f64::from);
        prop::collection::vec(prop::collection::vec(rating, raters), 2..15)
    })
}

fn table(pairs: &[(usize, usize)]) -> ContingencyTable {
    ContingencyTable::of_pairs(LEVELS, pairs.iter().map(|(one, other)| (*one, *other, 1))).unwrap()
}

fn kappa(pairs: &[(usize, usize)], weighting: Weighting) -> Figure {
    let kappa = cohen_kappa(&table(pairs), &Weights::on_scale(weighting, LEVELS));
    kappa.map(|kappa| kappa.value)
}

fn metrics() -> [Metric<'static>; 4] {
    [Metric::Nominal, Metric::Ordinal, Metric::Interval(&VALUES), Metric::Ratio(&VALUES)]
}

fn icc(rows: &[Vec<f64>], form: IccForm) -> Figure {
    let squares = MeanSquares::of(rows.iter().map(|row| (row.as_slice(), 1)))?;
    squares.icc(form).map(|icc| icc.value)
}

#[track_caller]
fn check_same(one: Figure, other: Figure) {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            assert!((one - other).abs() <= 1e-9 * (1.0 + one.abs()), "{one} {other}");
        }
        (one, other) => assert_eq!(one, other),
    }
}

proptest! {
    #[test]
    fn identical_raters_have_kappa_one_unless_they_used_one_category(
        given in prop::collection::vec(0..LEVELS, 1..40),
    ) {
        let pairs: Vec<_> = given.iter().map(|level| (*level, *level)).collect();
        let varies = given.iter().any(|level| *level != given[0]);
        for weighting in Weighting::ALL {
            let expected = if varies { Ok(1.0) } else { Err(Undefined::NoVariation) };
            prop_assert_eq!(kappa(&pairs, *weighting), expected);
        }
    }

    #[test]
    fn kappa_does_not_ask_who_is_first(pairs in any_pairs()) {
        let turned: Vec<_> = pairs.iter().map(|(one, other)| (*other, *one)).collect();
        for weighting in Weighting::ALL {
            check_same(kappa(&pairs, *weighting), kappa(&turned, *weighting));
        }
    }

    #[test]
    fn kappa_is_at_most_one_and_its_errors_are_not_below_zero(pairs in any_pairs()) {
        for weighting in Weighting::ALL {
            let Ok(kappa) = cohen_kappa(&table(&pairs), &Weights::on_scale(*weighting, LEVELS)) else {
                continue;
            };
            prop_assert!(kappa.value <= 1.0 && kappa.value.is_finite());
            prop_assert!(kappa.standard_error >= 0.0 && kappa.null_standard_error >= 0.0);
            prop_assert!((0.0..=1.0).contains(&kappa.observed));
            prop_assert!((-1e-12..=1.0).contains(&kappa.expected));
            if let Ok(z) = kappa.z() {
                prop_assert!(z.is_finite());
            }
        }
    }

    #[test]
    fn on_two_categories_all_weights_are_the_same(
        pairs in prop::collection::vec((0_usize..2, 0_usize..2), 1..40),
    ) {
        let pairs = pairs.into_iter().map(|(one, other)| (one, other, 1));
        let table = ContingencyTable::of_pairs(2, pairs).unwrap();
        let kappa = |weighting| {
            cohen_kappa(&table, &Weights::on_scale(weighting, 2)).map(|kappa| kappa.value)
        };
        prop_assert_eq!(kappa(Weighting::Linear), kappa(Weighting::Unweighted));
        prop_assert_eq!(kappa(Weighting::Quadratic), kappa(Weighting::Unweighted));
    }

    #[test]
    fn kappa_depends_on_shares_alone_and_its_error_on_the_number(pairs in any_pairs()) {
        let times = |n| {
            let pairs = pairs.iter().map(|(one, other)| (*one, *other, n));
            let table = ContingencyTable::of_pairs(LEVELS, pairs).unwrap();
            cohen_kappa(&table, &Weights::on_scale(Weighting::Linear, LEVELS))
        };
        let (once, often) = (times(1), times(100));
        check_same(once.map(|kappa| kappa.value), often.map(|kappa| kappa.value));
        check_same(
            once.map(|kappa| kappa.standard_error),
            often.map(|kappa| kappa.standard_error * 10.0),
        );
    }

    #[test]
    fn weights_of_agreement_and_of_disagreement_say_the_same(pairs in any_pairs()) {
        let rows = |of: fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            (0..LEVELS).map(|row| (0..LEVELS).map(|column| of(row, column)).collect()).collect()
        };
        let apart = Weights::of_disagreement(&rows(|row, column| 5.0 * row.abs_diff(column) as f64)).unwrap();
        let close = Weights::of_agreement(&rows(|row, column| 3.0 - row.abs_diff(column) as f64)).unwrap();
        let of = |weights| cohen_kappa(&table(&pairs), weights).map(|kappa| kappa.value);
        check_same(of(&apart), kappa(&pairs, Weighting::Linear));
        check_same(of(&close), kappa(&pairs, Weighting::Linear));
    }

    #[test]
    fn alpha_asks_neither_who_rated_nor_in_which_order(ratings in any_ratings(), by in 0_usize..20) {
        let mut turned = ratings.clone();
        let n = turned.len();
        turned.rotate_left(by % n);
        for row in &mut turned {
            let raters = row.len();
            row.rotate_right(by % raters);
        }
        let of = |rows: &[Vec<Option<usize>>], metric| {
            alpha(&UnitTable::of_ratings(LEVELS, rows).unwrap(), metric)
        };
        for metric in metrics() {
            check_same(of(&ratings, metric), of(&turned, metric));
        }
    }

    #[test]
    fn alpha_drops_units_with_one_rating_and_raters_with_none(ratings in any_ratings()) {
        let mut more = ratings.clone();
        let raters = ratings[0].len();
        more.push(vec![None; raters]);
        more.push((0..raters).map(|at| (at == 0).then_some(3)).collect());
        for row in &mut more {
            row.push(None);
        }
        let of = |rows: &[Vec<Option<usize>>], metric| {
            alpha(&UnitTable::of_ratings(LEVELS, rows).unwrap(), metric)
        };
        for metric in metrics() {
            check_same(of(&ratings, metric), of(&more, metric));
        }
    }

    #[test]
    fn alpha_keeps_its_value_when_the_scale_moves_as_the_metric_allows(ratings in any_ratings()) {
        let units = UnitTable::of_ratings(LEVELS, &ratings).unwrap();
        let moved = VALUES.map(|value| 7.0 - 2.5 * value);
        check_same(alpha(&units, Metric::Interval(&VALUES)), alpha(&units, Metric::Interval(&moved)));
        let larger = VALUES.map(|value| 40.0 * value);
        check_same(alpha(&units, Metric::Ratio(&VALUES)), alpha(&units, Metric::Ratio(&larger)));
        // Turning the scale around keeps the order of neighbours; naming categories anew keeps what is nominal.
        let turned: Vec<Vec<Option<usize>>> = ratings
            .iter()
            .map(|row| row.iter().map(|rating| rating.map(|level| LEVELS - 1 - level)).collect())
            .collect();
        let turned = UnitTable::of_ratings(LEVELS, &turned).unwrap();
        check_same(alpha(&units, Metric::Ordinal), alpha(&turned, Metric::Ordinal));
        check_same(alpha(&units, Metric::Nominal), alpha(&turned, Metric::Nominal));
    }

    #[test]
    fn alpha_of_full_agreement_is_one(given in prop::collection::vec(0..LEVELS, 2..20)) {
        let rows: Vec<_> = given.iter().map(|level| vec![Some(*level); 3]).collect();
        let units = UnitTable::of_ratings(LEVELS, &rows).unwrap();
        let varies = given.iter().any(|level| *level != given[0]);
        for metric in metrics() {
            let expected = if varies { Ok(1.0) } else { Err(Undefined::NoVariation) };
            prop_assert_eq!(alpha(&units, metric), expected);
        }
    }

    /// With N ratings in all, alpha = 1 - (1 - 1/N)(1 - kappa), which is Krippendorff's own remark on Fleiss and Scott.
    #[test]
    fn nominal_alpha_and_fleiss_kappa_differ_by_the_sample_alone(targets in any_targets()) {
        let rows: Vec<Vec<Option<usize>>> = targets
            .iter()
            .map(|row| row.iter().map(|rating| Some(*rating as usize)).collect())
            .collect();
        let units = UnitTable::of_ratings(10, &rows).unwrap();
        let n = units.n_ratings() as f64;
        let expected = fleiss_kappa(&units).map(|fleiss| 1.0 - (1.0 - 1.0 / n) * (1.0 - fleiss.value));
        check_same(alpha(&units, Metric::Nominal), expected);
    }

    #[test]
    fn intraclass_correlations_are_related_as_in_the_paper(targets in any_targets()) {
        let k = targets[0].len() as f64;
        for (single, of_mean) in [
            (IccForm::One, IccForm::OneMean),
            (IccForm::Two, IccForm::TwoMean),
            (IccForm::Three, IccForm::ThreeMean),
        ] {
            if let (Ok(single), Ok(of_mean)) = (icc(&targets, single), icc(&targets, of_mean)) {
                // Spearman and Brown.
                let below = 1.0 + (k - 1.0) * single;
                if below.abs() > 1e-6 {
                    check_same(Ok(of_mean), Ok(k * single / below));
                }
            }
        }
        // What raters differ in counts against agreement, not against consistency.
        let squares = MeanSquares::of(targets.iter().map(|row| (row.as_slice(), 1))).unwrap();
        if squares.between_raters >= squares.residual
            && let (Ok(two), Ok(three)) = (icc(&targets, IccForm::Two), icc(&targets, IccForm::Three))
        {
            prop_assert!(two.abs() <= three.abs() + 1e-9, "{two} {three}");
        }
    }

    #[test]
    fn consistency_does_not_see_a_lenient_rater_and_no_form_sees_units(targets in any_targets(), by in -50_i32..50) {
        let lenient: Vec<Vec<f64>> = targets
            .iter()
            .map(|row| {
                let mut row = row.clone();
                row[0] += f64::from(by);
                row
            })
            .collect();
        let scaled: Vec<Vec<f64>> = targets
            .iter()
            .map(|row| row.iter().map(|rating| 1000.0 + 4.0 * rating).collect())
            .collect();
        for form in IccForm::ALL {
            check_same(icc(&targets, *form), icc(&scaled, *form));
        }
        check_same(icc(&targets, IccForm::Three), icc(&lenient, IccForm::Three));
    }

    #[test]
    fn an_interval_holds_its_figure(targets in any_targets(), count in 0_u64..60, more in 0_u64..60) {
        let squares = MeanSquares::of(targets.iter().map(|row| (row.as_slice(), 1))).unwrap();
        for form in [IccForm::One, IccForm::Three, IccForm::OneMean, IccForm::ThreeMean] {
            if let Ok(icc) = squares.icc(form)
                && let Ok(interval) = icc.interval
            {
                // Figure and ends come from different formulas: when targets do not differ, both are -1/(k-1) but for rounding.
                let rounding = 1e-12 * (1.0 + icc.value.abs());
                prop_assert!(interval.low - rounding <= icc.value, "{icc:?}");
                prop_assert!(icc.value <= interval.high + rounding, "{icc:?}");
            }
        }
        let share = Proportion::new(count, count + more);
        match share.wilson() {
            Ok(interval) => {
                let value = share.value().unwrap();
                prop_assert!((0.0..=value).contains(&interval.low) && (value..=1.0).contains(&interval.high));
            }
            Err(reason) => prop_assert_eq!((reason, share.n()), (Undefined::NoData, 0)),
        }
    }

    #[test]
    fn plain_agreement_counts_every_pair_once(pairs in any_pairs(), cut in 0..=LEVELS) {
        let agreement = Agreement::of(&table(&pairs).units().unwrap(), Some(cut));
        let count = |is_so: &dyn Fn(usize, usize) -> bool| {
            pairs.iter().filter(|(one, other)| is_so(*one, *other)).count() as u64
        };
        prop_assert_eq!(agreement.n, pairs.len() as u64);
        prop_assert_eq!(agreement.exact, count(&|one, other| one == other));
        prop_assert_eq!(agreement.adjacent_only, count(&|one, other| one.abs_diff(other) == 1));
        prop_assert_eq!(agreement.non_adjacent, count(&|one, other| one.abs_diff(other) > 1));
        prop_assert_eq!(agreement.decision, count(&|one, other| (one >= cut) == (other >= cut)));
    }

    /// The comparisons in whole numbers are those of the figures, where these are not at the very limit.
    #[test]
    fn limits_in_whole_numbers_are_those_of_the_figures(
        differences in prop::collection::vec(-3_i32..=3, 2..30),
        mean_limit in 1_u16..150,
        t_limit in 1_u16..400,
    ) {
        let sums = SignedDifferences::of(differences);
        let mean = sums.mean().unwrap().abs() * 100.0;
        if (mean - f64::from(mean_limit)).abs() > 1e-9 {
            prop_assert_eq!(sums.is_mean_at_least(mean_limit), mean > f64::from(mean_limit));
        }
        match sums.t() {
            Ok(t) if (t.abs() * 100.0 - f64::from(t_limit)).abs() > 1e-9 => {
                prop_assert_eq!(sums.is_t_at_least(t_limit), t.abs() * 100.0 > f64::from(t_limit));
            }
            Ok(_) => {}
            Err(reason) => {
                prop_assert_eq!(reason, Undefined::NoVariation);
                prop_assert!(sums.has_no_variance() && !sums.is_t_at_least(t_limit));
            }
        }
    }
}

#[test]
fn raters_who_never_agree_have_an_observed_agreement_of_zero() {
    // Ninths do not add up to one in binary.
    let pairs = [(0, 1), (0, 1), (0, 1), (0, 1), (0, 1), (2, 0), (1, 0), (2, 1), (0, 2)];
    let kappa =
        cohen_kappa(&table(&pairs), &Weights::on_scale(Weighting::Unweighted, LEVELS)).unwrap();
    assert_eq!(kappa.observed, 0.0);
}

#[test]
fn wilson_intervals_are_the_published_ones() {
    // Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
    for (count, n, low, high) in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ] {
        let interval = Proportion::new(count, n).wilson().unwrap();
        assert!((interval.low - low).abs() < 5e-5, "{interval:?}");
        assert!((interval.high - high).abs() < 5e-5, "{interval:?}");
    }
}

#[test]
fn reports_hide_coefficients_below_twenty_and_mark_them_below_fifty() {
    let check = |n, expected| assert_eq!(Precision::of(n), expected, "{n}");
    check(0, Precision::Insufficient);
    check(19, Precision::Insufficient);
    check(20, Precision::Imprecise);
    check(49, Precision::Imprecise);
    check(50, Precision::Usual);
}

#[test]
fn a_share_at_the_line_reaches_it() {
    assert!(Proportion::new(7, 10).is_at_least(7000));
    assert!(!Proportion::new(69_999, 100_000).is_at_least(7000));
    assert!(!Proportion::new(0, 0).is_at_least(0));
}
