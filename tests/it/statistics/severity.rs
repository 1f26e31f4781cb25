//! Assessor severity: what the estimates must fulfil, and when they are refused.

use assay::domain::statistics::Undefined;
use assay::domain::statistics::severity::{FacetSizes, Measure, Rating, Severities, estimate};
use proptest::prelude::*;

/// Even numbers between 0 and 1 that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        // Knuth's multiplier; the upper bits are good enough for a simulation.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal, with variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.roll()).sum::<f64>() - 6.0
    }
}

const SEVERITY: [f64; 5] = [-1.0, -0.4, 0.0, 0.5, 0.9];
const DIFFICULTY: [f64; 4] = [-0.5, -0.2, 0.2, 0.5];
const STEPS: [f64; 3] = [-1.4, 0.1, 1.3];

/// The level that the model gives by chance.
fn level(measure: f64, dice: &mut Dice) -> usize {
    let mut weights = vec![1.0];
    let mut sum = 0.0;
    for step in STEPS {
        sum += measure - step;
        weights.push(f64::exp(sum));
    }
    let mut left = dice.roll() * weights.iter().sum::<f64>();
    weights
        .iter()
        .position(|weight| {
            left -= weight;
            left < 0.0
        })
        .unwrap_or(STEPS.len())
}

/// Submissions that are read by two assessors each, in turn.
fn simulate(submissions: usize, seed: u64) -> (FacetSizes, Vec<Rating>) {
    let mut dice = Dice(seed);
    let mut ratings = Vec::new();
    for submission in 0..submissions {
        let ability = dice.normal();
        let first = submission % SEVERITY.len();
        for assessor in [first, (first + 1 + submission % 2) % SEVERITY.len()] {
            for (criterion, difficulty) in DIFFICULTY.iter().enumerate() {
                let level = level(ability - difficulty - SEVERITY[assessor], &mut dice);
                ratings.push(Rating { submission, criterion, assessor, level });
            }
        }
    }
    (sizes(submissions), ratings)
}

fn sizes(submissions: usize) -> FacetSizes {
    FacetSizes {
        submissions,
        criteria: DIFFICULTY.len(),
        assessors: SEVERITY.len(),
        levels: STEPS.len() + 1,
    }
}

fn estimates(measures: &[Option<Measure>]) -> Vec<f64> {
    measures.iter().flatten().map(|measure| measure.estimate).collect()
}

#[test]
fn simulated_severities_are_found_again() {
    let (sizes, ratings) = simulate(1500, 7);
    let found = estimate(sizes, &ratings).unwrap();
    let severities = estimates(&found.assessors);
    // With eight ratings a submission the joint likelihood stretches the scale by about 8 / 7.
    for (severity, truth) in severities.iter().zip(SEVERITY) {
        assert!((severity - truth * 8.0 / 7.0).abs() < 0.12, "{severities:?}");
    }
    assert!(severities.is_sorted());
    for assessor in found.assessors.iter().flatten() {
        assert!((0.85..1.15).contains(&assessor.infit), "{assessor:?}");
        assert!(assessor.standard_error < 0.06, "{assessor:?}");
    }
    for (difficulty, truth) in estimates(&found.criteria).iter().zip(DIFFICULTY) {
        assert!((difficulty - truth * 8.0 / 7.0).abs() < 0.12, "{difficulty} {truth}");
    }
}

#[test]
fn an_assessor_who_scores_at_random_does_not_fit() {
    let (sizes, mut ratings) = simulate(400, 3);
    let mut dice = Dice(11);
    for rating in ratings.iter_mut().filter(|rating| rating.assessor == 2) {
        rating.level = (dice.roll() * 4.0) as usize;
    }
    let found = estimate(sizes, &ratings).unwrap();
    let infit = |assessor: usize| found.assessors[assessor].unwrap().infit;
    assert!(infit(2) > 1.4);
    assert!([0, 1, 3, 4].into_iter().all(|assessor| infit(assessor) < 1.2));
}

/// The probabilities of the levels, written out once more.
fn expected_level(found: &Severities, rating: &Rating) -> f64 {
    let of = |measures: &[Option<Measure>], at: usize| measures[at].unwrap().estimate;
    let measure = of(&found.submissions, rating.submission)
        - of(&found.criteria, rating.criterion)
        - of(&found.assessors, rating.assessor);
    let (mut sum, mut below, mut above) = (0.0, 1.0, 0.0);
    for (at, step) in found.steps.iter().enumerate() {
        sum += measure - step.unwrap();
        below += f64::exp(sum);
        above += (at + 1) as f64 * f64::exp(sum);
    }
    above / below
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The equations of the joint likelihood: every sum of levels is the one that the model expects.
    #[test]
    fn every_member_gets_the_sum_that_it_was_given(submissions in 10_usize..60, seed in any::<u64>()) {
        let (sizes, ratings) = simulate(submissions, seed);
        let found = match estimate(sizes, &ratings) {
            Ok(found) => found,
            // A small set may lose an assessor's links when its extremes are left out.
            Err(reason) => {
                prop_assert!(matches!(reason, Undefined::NotConnected | Undefined::NoFiniteEstimate | Undefined::UnobservedLevel));
                return Ok(());
            }
        };
        let kept: Vec<&Rating> = ratings
            .iter()
            .filter(|rating| {
                found.submissions[rating.submission].is_some()
                    && found.criteria[rating.criterion].is_some()
                    && found.assessors[rating.assessor].is_some()
            })
            .collect();
        prop_assert_eq!(kept.len(), found.n);
        prop_assume!(found.steps.iter().all(Option::is_some));
        let check = |of: fn(&Rating) -> usize, n: usize| {
            let mut sums = vec![0.0; n];
            for rating in &kept {
                sums[of(rating)] += rating.level as f64 - expected_level(&found, rating);
            }
            sums.into_iter().all(|sum| sum.abs() < 1e-6)
        };
        prop_assert!(check(|rating| rating.submission, sizes.submissions));
        prop_assert!(check(|rating| rating.criterion, sizes.criteria));
        prop_assert!(check(|rating| rating.assessor, sizes.assessors));
        let steps: f64 = found.steps.iter().flatten().sum();
        let sums = [estimates(&found.assessors).iter().sum(), estimates(&found.criteria).iter().sum(), steps];
        prop_assert!(sums.into_iter().all(|sum: f64| sum.abs() < 1e-9), "{sums:?}");
    }

    #[test]
    fn any_ratings_have_an_answer_or_a_reason(
        rows in prop::collection::vec((0_usize..6, 0_usize..3, 0_usize..3, 0_usize..3), 0..40),
    ) {
        let ratings: Vec<Rating> = rows
            .into_iter()
            .map(|(submission, criterion, assessor, level)| Rating { submission, criterion, assessor, level })
            .collect();
        let sizes = FacetSizes { submissions: 6, criteria: 3, assessors: 3, levels: 3 };
        if let Ok(found) = estimate(sizes, &ratings) {
            let all = [&found.assessors, &found.criteria, &found.submissions];
            for measure in all.into_iter().flatten().flatten() {
                let figures = [measure.estimate, measure.standard_error, measure.infit, measure.outfit];
                prop_assert!(figures.into_iter().all(f64::is_finite), "{measure:?}");
            }
        }
    }
}

#[test]
fn naming_assessors_in_another_order_changes_nothing_else() {
    let (sizes, ratings) = simulate(60, 5);
    let turned: Vec<Rating> = ratings
        .iter()
        .rev()
        .map(|rating| Rating { assessor: SEVERITY.len() - 1 - rating.assessor, ..*rating })
        .collect();
    let (one, other) = (estimate(sizes, &ratings).unwrap(), estimate(sizes, &turned).unwrap());
    let mut severities = estimates(&other.assessors);
    severities.reverse();
    for (one, other) in estimates(&one.assessors).iter().zip(severities) {
        assert!((one - other).abs() < 1e-7);
    }
    assert!((one.log_likelihood - other.log_likelihood).abs() < 1e-7);
}

/// Ratings of one criterion: submission, assessor, level.
fn one_criterion(rows: &[(usize, usize, usize)]) -> Result<Severities, Undefined> {
    let rating = |&(submission, assessor, level): &(usize, usize, usize)| Rating {
        submission,
        criterion: 0,
        assessor,
        level,
    };
    let ratings: Vec<Rating> = rows.iter().map(rating).collect();
    let sizes = FacetSizes { submissions: 8, criteria: 1, assessors: 4, levels: 3 };
    estimate(sizes, &ratings)
}

#[test]
fn assessors_whom_nothing_links_are_refused() {
    let mut rows = vec![(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 0, 2), (2, 1, 0)];
    rows.extend([(3, 2, 0), (3, 3, 1), (4, 2, 1), (4, 3, 2), (5, 2, 2), (5, 3, 0)]);
    assert_eq!(one_criterion(&rows), Err(Undefined::NotConnected));
    // One submission that both pairs have read is a link.
    rows.extend([(6, 1, 1), (6, 2, 0), (7, 1, 0), (7, 2, 2)]);
    assert!(one_criterion(&rows).is_ok());
}

#[test]
fn assessors_who_each_read_their_own_submissions_are_refused() {
    // The criteria are common to all, but severity and quality cannot be told apart.
    let ratings: Vec<Rating> = (0..4)
        .flat_map(|submission| {
            (0..3).map(move |criterion| Rating {
                submission,
                criterion,
                assessor: submission / 2,
                level: (submission + criterion) % 3,
            })
        })
        .collect();
    let sizes = FacetSizes { submissions: 4, criteria: 3, assessors: 2, levels: 3 };
    assert_eq!(estimate(sizes, &ratings), Err(Undefined::NotConnected));
}

#[test]
fn extremes_have_no_estimate_and_do_not_disturb_the_others() {
    let rows =
        [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 0, 2), (2, 1, 0), (3, 0, 1), (3, 1, 1)];
    let plain = one_criterion(&rows).unwrap();
    let mut more = rows.to_vec();
    // A submission with highest levels only, and an assessor with lowest levels only.
    more.extend([(4, 0, 2), (4, 1, 2), (5, 2, 0), (6, 2, 0)]);
    let found = one_criterion(&more).unwrap();
    assert_eq!(found.n, rows.len());
    assert_eq!(found.submissions[4], None);
    assert_eq!(found.assessors[2], None);
    assert_eq!(found.assessors[3], None);
    assert_eq!(found.log_likelihood, plain.log_likelihood);
    assert_eq!(found.assessors, plain.assessors);
}

#[test]
fn a_level_at_the_end_of_the_scale_that_nobody_gave_has_no_step() {
    let rows = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0), (2, 0, 0), (2, 1, 1)];
    let found = one_criterion(&rows).unwrap();
    assert_eq!(found.steps, [Some(0.0), None]);
    let between: Vec<_> = rows.iter().map(|row| (row.0, row.1, row.2 * 2)).collect();
    assert_eq!(one_criterion(&between), Err(Undefined::UnobservedLevel));
}

#[test]
fn what_cannot_be_estimated_is_refused() {
    assert_eq!(one_criterion(&[]), Err(Undefined::NoData));
    assert_eq!(one_criterion(&[(0, 0, 1), (0, 1, 1)]), Err(Undefined::NoVariation));
    assert_eq!(one_criterion(&[(0, 0, 3)]), Err(Undefined::OutOfRange));
    // One assessor is always a level above the other: that may be any distance.
    let always = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 0, 0), (2, 1, 1)];
    assert_eq!(one_criterion(&always), Err(Undefined::NoFiniteEstimate));
    let many: Vec<Rating> = (0..1200)
        .map(|at| Rating { submission: at / 2, criterion: 0, assessor: at, level: at % 2 })
        .collect();
    let sizes = FacetSizes { submissions: 600, criteria: 1, assessors: 1200, levels: 2 };
    assert!(estimate(sizes, &many).is_err());
}
