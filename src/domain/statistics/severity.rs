//! How severe each assessor is: the many-facet Rasch model, estimated by joint maximum likelihood.
//!
//! Linacre (1989): log(P(level k) / P(level k - 1)) = B - D - C - F(k), where B is the measure of the submission, D the difficulty
//! of the criterion, C the severity of the assessor and F(k) the difficulty of the step to level k, one scale for all. Severities,
//! difficulties and steps each sum to 0. Joint maximum likelihood stretches the scale a little, which is a known bias: figures are
//! for comparing assessors with each other and are never used to change a result.

use super::linear::Symmetric;
use super::{Undefined, finite};

/// The most criteria, assessors and steps together: the work grows with the cube.
const MAX_PARAMETERS: usize = 1000;

/// An estimate this far out, in logits, is on its way to infinity.
const FAR_OUT: f64 = 30.0;

/// The most iterations; a dozen are usual.
const MAX_ITERATIONS: u32 = 200;

/// One level that one assessor gave to one criterion of one submission, all counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    /// The submission.
    pub submission: usize,
    /// The criterion.
    pub criterion: usize,
    /// The assessor.
    pub assessor: usize,
    /// The level.
    pub level: usize,
}

/// How many of each there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FacetSizes {
    /// Submissions.
    pub submissions: usize,
    /// Criteria.
    pub criteria: usize,
    /// Assessors.
    pub assessors: usize,
    /// Levels of the scale.
    pub levels: usize,
}

/// The estimate of one submission, criterion or assessor, in logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// The estimate: for assessors, more is more severe.
    pub estimate: f64,
    /// Its standard error, the other estimates taken as known.
    pub standard_error: f64,
    /// The mean square of residuals, weighted by information: 1 is as expected, more is less predictable.
    pub infit: f64,
    /// The plain mean square of standardized residuals.
    pub outfit: f64,
}

/// What the model says. An entry is `None` where there is no finite estimate, since all ratings were the lowest or all the highest,
/// or no rating at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Severities {
    /// The logarithm of the joint likelihood.
    pub log_likelihood: f64,
    /// How many ratings went into the estimates.
    pub n: usize,
    /// How many iterations it took.
    pub iterations: u32,
    /// By assessor.
    pub assessors: Vec<Option<Measure>>,
    /// By criterion.
    pub criteria: Vec<Option<Measure>>,
    /// By submission.
    pub submissions: Vec<Option<Measure>>,
    /// The difficulty of the step to each level from 1.
    pub steps: Vec<Option<f64>>,
}

/// Estimates the model.
///
/// Submissions, criteria and assessors with only lowest or only highest levels are left out first, since they have no finite
/// estimate. Refused when what is left is not connected (some assessors could then be as severe as you like), when a level
/// between two others was never given, and when the likelihood has no maximum.
pub fn estimate(sizes: FacetSizes, ratings: &[Rating]) -> Result<Severities, Undefined> {
    if ratings.is_empty() {
        return Err(Undefined::NoData);
    }
    let known = |rating: &Rating| {
        rating.submission < sizes.submissions
            && rating.criterion < sizes.criteria
            && rating.assessor < sizes.assessors
            && rating.level < sizes.levels
    };
    if !ratings.iter().all(known) {
        return Err(Undefined::OutOfRange);
    }
    let (kept, lowest, n_steps) = without_extremes(sizes, ratings)?;
    let layout = Layout::new(sizes, &kept, lowest, n_steps);
    if layout.n_parameters() > MAX_PARAMETERS {
        return Err(Undefined::TooManyParameters);
    }
    if !is_connected(&layout, &kept) {
        return Err(Undefined::NotConnected);
    }
    let mut point = Point::zero(&layout);
    let mut likelihood = point.log_likelihood(&layout, &kept);
    for iterations in 1..=MAX_ITERATIONS {
        let step = newton_step(&layout, &kept, &point).ok_or(Undefined::NoFiniteEstimate)?;
        let longest = step.longest();
        // The likelihood is concave: a step that is not too long climbs.
        let mut by = if longest > 2.0 { 2.0 / longest } else { 1.0 };
        let mut halvings = 0;
        let (next, reached) = loop {
            let next = point.plus(&step, by);
            let reached = next.log_likelihood(&layout, &kept);
            if reached >= likelihood - 1e-9 * (1.0 + likelihood.abs()) || halvings == 40 {
                break (next, reached);
            }
            by /= 2.0;
            halvings += 1;
        };
        point = next;
        likelihood = finite(reached)?;
        if point.longest() > FAR_OUT {
            return Err(Undefined::NoFiniteEstimate);
        }
        if longest < 1e-9 {
            point.centre(&layout);
            return Ok(summary(sizes, &layout, &kept, &point, likelihood, iterations));
        }
    }
    Err(Undefined::NotConverged)
}

/// The ratings that have finite estimates, the lowest level among them, and how many steps lead up from it.
fn without_extremes(
    sizes: FacetSizes,
    ratings: &[Rating],
) -> Result<(Vec<Rating>, usize, usize), Undefined> {
    let mut kept = ratings.to_vec();
    loop {
        let low = kept.iter().map(|rating| rating.level).min();
        let high = kept.iter().map(|rating| rating.level).max();
        let (Some(low), Some(high)) = (low, high) else { return Err(Undefined::NoVariation) };
        if low == high {
            return Err(Undefined::NoVariation);
        }
        // The lowest and the highest level of each submission, criterion and assessor.
        let ends = |size: usize, of: fn(&Rating) -> usize| {
            let mut ends = vec![(high, low); size];
            for rating in &kept {
                let (least, most) = &mut ends[of(rating)];
                *least = rating.level.min(*least);
                *most = rating.level.max(*most);
            }
            ends
        };
        let submissions = ends(sizes.submissions, |rating| rating.submission);
        let criteria = ends(sizes.criteria, |rating| rating.criterion);
        let assessors = ends(sizes.assessors, |rating| rating.assessor);
        let is_extreme = |(least, most): (usize, usize)| most == low || least == high;
        let before = kept.len();
        kept.retain(|rating| {
            !is_extreme(submissions[rating.submission])
                && !is_extreme(criteria[rating.criterion])
                && !is_extreme(assessors[rating.assessor])
        });
        if kept.len() == before {
            let is_given = |level| kept.iter().any(|rating| rating.level == level);
            if !(low..=high).all(is_given) {
                return Err(Undefined::UnobservedLevel);
            }
            kept.sort_by_key(|rating| rating.submission);
            return Ok((kept, low, high - low));
        }
    }
}

/// Where each parameter stands among those that are kept.
struct Layout {
    submissions: Facet,
    criteria: Facet,
    assessors: Facet,
    lowest: usize,
    n_steps: usize,
}

/// The members of a facet that have ratings.
struct Facet {
    /// By member, its place among those with ratings.
    places: Vec<Option<usize>>,
    n: usize,
}

impl Facet {
    fn new(size: usize, members: impl Iterator<Item = usize>) -> Facet {
        let mut facet = Facet { places: vec![None; size], n: 0 };
        let mut has_ratings = vec![false; size];
        for member in members {
            has_ratings[member] = true;
        }
        for (place, _) in facet.places.iter_mut().zip(has_ratings).filter(|(_, has)| *has) {
            *place = Some(facet.n);
            facet.n += 1;
        }
        facet
    }

    fn place(&self, member: usize) -> usize {
        self.places[member].unwrap_or_default()
    }
}

impl Layout {
    fn new(sizes: FacetSizes, kept: &[Rating], lowest: usize, n_steps: usize) -> Layout {
        let facet = |size, of: fn(&Rating) -> usize| Facet::new(size, kept.iter().map(of));
        Layout {
            submissions: facet(sizes.submissions, |rating| rating.submission),
            criteria: facet(sizes.criteria, |rating| rating.criterion),
            assessors: facet(sizes.assessors, |rating| rating.assessor),
            lowest,
            n_steps,
        }
    }

    /// The parameters besides the submissions' own: criteria, then assessors, then steps.
    fn n_parameters(&self) -> usize {
        self.criteria.n + self.assessors.n + self.n_steps
    }

    fn criterion(&self, rating: &Rating) -> usize {
        self.criteria.place(rating.criterion)
    }

    fn assessor(&self, rating: &Rating) -> usize {
        self.criteria.n + self.assessors.place(rating.assessor)
    }

    fn step(&self, step: usize) -> usize {
        self.criteria.n + self.assessors.n + step
    }

    /// The groups of parameters that sum to 0.
    fn groups(&self) -> [std::ops::Range<usize>; 3] {
        let assessors = self.criteria.n + self.assessors.n;
        [0..self.criteria.n, self.criteria.n..assessors, assessors..self.n_parameters()]
    }
}

/// Adds the square of each group's sum. The likelihood does not change when all of a group move together and the submissions with
/// them; with this the equations have one solution, and it keeps the sums at 0.
fn tie_down(matrix: &mut Symmetric, groups: &[std::ops::Range<usize>]) {
    for group in groups {
        for one in group.clone() {
            for other in group.start..=one {
                matrix.add(one, other, 1.0);
            }
        }
    }
}

/// Whether the ratings link all criteria and assessors, so that every difference between two of them can be estimated.
///
/// That is a question of rank: with the submissions eliminated, nothing but the sums of the two facets may be left open.
fn is_connected(layout: &Layout, kept: &[Rating]) -> bool {
    let n = layout.criteria.n + layout.assessors.n;
    let mut matrix = Symmetric::zero(n);
    for of_submission in kept.chunk_by(|one, other| one.submission == other.submission) {
        let mut links = vec![0.0; n];
        for rating in of_submission {
            let (criterion, assessor) = (layout.criterion(rating), layout.assessor(rating));
            matrix.add(criterion, criterion, 1.0);
            matrix.add(assessor, assessor, 1.0);
            matrix.add(assessor, criterion, 1.0);
            links[criterion] += 1.0;
            links[assessor] += 1.0;
        }
        matrix.subtract_product(&thin(&links), of_submission.len() as f64);
    }
    let groups = layout.groups();
    tie_down(&mut matrix, &groups[..2]);
    matrix.factor().is_some()
}

fn thin(values: &[f64]) -> Vec<(usize, f64)> {
    values.iter().copied().enumerate().filter(|(_, value)| *value != 0.0).collect()
}

/// Values of all parameters, or a change of them.
struct Point {
    submissions: Vec<f64>,
    others: Vec<f64>,
}

impl Point {
    fn zero(layout: &Layout) -> Point {
        Point {
            submissions: vec![0.0; layout.submissions.n],
            others: vec![0.0; layout.n_parameters()],
        }
    }

    fn plus(&self, step: &Point, by: f64) -> Point {
        let add = |values: &[f64], step: &[f64]| {
            values.iter().zip(step).map(|(value, step)| value + by * step).collect()
        };
        Point {
            submissions: add(&self.submissions, &step.submissions),
            others: add(&self.others, &step.others),
        }
    }

    /// Takes away what rounding has added to the sums that are 0.
    fn centre(&mut self, layout: &Layout) {
        for group in layout.groups() {
            let values = &mut self.others[group];
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            for value in values {
                *value -= mean;
            }
        }
    }

    fn longest(&self) -> f64 {
        let all = self.submissions.iter().chain(&self.others);
        // A NaN must not count as short.
        all.fold(0.0, |longest, value| if value.abs() <= longest { longest } else { value.abs() })
    }

    fn model(&self, layout: &Layout, rating: &Rating) -> Model {
        let place = layout.submissions.place(rating.submission);
        let measure = self.submissions[place]
            - self.others[layout.criterion(rating)]
            - self.others[layout.assessor(rating)];
        Model::new(measure, &self.others[layout.step(0)..])
    }

    fn log_likelihood(&self, layout: &Layout, kept: &[Rating]) -> f64 {
        let of = |rating: &Rating| self.model(layout, rating).logs[rating.level - layout.lowest];
        kept.iter().map(of).sum()
    }
}

/// What the model expects of one rating. Levels are counted from the lowest that was given.
struct Model {
    /// The logarithm of the probability of each level.
    logs: Vec<f64>,
    expected: f64,
    variance: f64,
}

impl Model {
    fn new(measure: f64, steps: &[f64]) -> Model {
        let mut logs = Vec::with_capacity(steps.len() + 1);
        let mut sum = 0.0;
        logs.push(sum);
        for step in steps {
            sum += measure - step;
            logs.push(sum);
        }
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let all = top + logs.iter().map(|log| (log - top).exp()).sum::<f64>().ln();
        for log in &mut logs {
            *log -= all;
        }
        let levels = || logs.iter().enumerate().map(|(level, log)| (level as f64, log.exp()));
        let expected: f64 = levels().map(|(level, share)| level * share).sum();
        let variance = levels().map(|(level, share)| (level - expected).powi(2) * share).sum();
        Model { logs, expected, variance }
    }

    /// By step: the probability of being above it, and its covariance with the level.
    fn above(&self) -> Vec<(f64, f64)> {
        let mut above = vec![(0.0, 0.0); self.logs.len() - 1];
        let (mut share, mut weighted) = (0.0, 0.0);
        for (at, entry) in above.iter_mut().enumerate().rev() {
            let level = self.logs[at + 1].exp();
            share += level;
            weighted += (at + 1) as f64 * level;
            *entry = (share, weighted - self.expected * share);
        }
        above
    }
}

/// The step of Newton's method: the submissions, of which there are many, are eliminated first.
fn newton_step(layout: &Layout, kept: &[Rating], point: &Point) -> Option<Point> {
    let n = layout.n_parameters();
    let mut matrix = Symmetric::zero(n);
    let mut slope = vec![0.0; n];
    let mut eliminated = Vec::with_capacity(layout.submissions.n);
    for of_submission in kept.chunk_by(|one, other| one.submission == other.submission) {
        let mut links = vec![0.0; n];
        let (mut own_slope, mut own) = (0.0, 0.0);
        for rating in of_submission {
            let model = point.model(layout, rating);
            let level = rating.level - layout.lowest;
            let residual = level as f64 - model.expected;
            let places = [layout.criterion(rating), layout.assessor(rating)];
            own_slope += residual;
            own += model.variance;
            for place in places {
                slope[place] -= residual;
                links[place] -= model.variance;
                matrix.add(place, place, model.variance);
            }
            matrix.add(places[0], places[1], model.variance);
            let above = model.above();
            for (at, (share, covariance)) in above.iter().enumerate() {
                let step = layout.step(at);
                slope[step] += share - if level > at { 1.0 } else { 0.0 };
                links[step] -= covariance;
                for place in places {
                    matrix.add(step, place, *covariance);
                }
                for (other, (more, _)) in above[..=at].iter().enumerate() {
                    matrix.add(step, layout.step(other), share * (1.0 - more));
                }
            }
        }
        if own.is_nan() || own <= 0.0 {
            return None;
        }
        let links = thin(&links);
        matrix.subtract_product(&links, own);
        for (place, link) in &links {
            slope[*place] -= link * own_slope / own;
        }
        eliminated.push((links, own_slope, own));
    }
    tie_down(&mut matrix, &layout.groups());
    let others = matrix.factor()?.solve(&slope);
    let submissions = eliminated
        .into_iter()
        .map(|(links, own_slope, own)| {
            let taken: f64 = links.iter().map(|(place, link)| link * others[*place]).sum();
            (own_slope - taken) / own
        })
        .collect();
    let step = Point { submissions, others };
    step.longest().is_finite().then_some(step)
}

/// The sums behind the fit of one member of a facet.
#[derive(Clone, Copy, Default)]
struct Fit {
    information: f64,
    squares: f64,
    standardized: f64,
    n: f64,
}

impl Fit {
    fn measure(self, estimate: f64) -> Measure {
        Measure {
            estimate,
            standard_error: 1.0 / self.information.sqrt(),
            infit: self.squares / self.information,
            outfit: self.standardized / self.n,
        }
    }
}

fn summary(
    sizes: FacetSizes,
    layout: &Layout,
    kept: &[Rating],
    point: &Point,
    log_likelihood: f64,
    iterations: u32,
) -> Severities {
    let mut submissions = vec![Fit::default(); layout.submissions.n];
    let mut others = vec![Fit::default(); layout.n_parameters()];
    for rating in kept {
        let model = point.model(layout, rating);
        let square = ((rating.level - layout.lowest) as f64 - model.expected).powi(2);
        let count = |fit: &mut Fit| {
            fit.information += model.variance;
            fit.squares += square;
            fit.standardized += square / model.variance;
            fit.n += 1.0;
        };
        count(&mut submissions[layout.submissions.place(rating.submission)]);
        count(&mut others[layout.criterion(rating)]);
        count(&mut others[layout.assessor(rating)]);
    }
    let measures = |facet: &Facet, fits: &[Fit], values: &[f64]| -> Vec<Option<Measure>> {
        let measure = |place: &Option<usize>| place.map(|at| fits[at].measure(values[at]));
        facet.places.iter().map(measure).collect()
    };
    let [criteria, assessors, steps] = layout.groups();
    let highest = layout.lowest + layout.n_steps;
    let step_to = |level: usize| {
        let is_estimated = level > layout.lowest && level <= highest;
        is_estimated.then(|| point.others[steps.start + level - layout.lowest - 1])
    };
    Severities {
        log_likelihood,
        n: kept.len(),
        iterations,
        submissions: measures(&layout.submissions, &submissions, &point.submissions),
        criteria: measures(&layout.criteria, &others[criteria.clone()], &point.others[criteria]),
        assessors: measures(
            &layout.assessors,
            &others[assessors.clone()],
            &point.others[assessors],
        ),
        steps: (1..sizes.levels).map(step_to).collect(),
    }
}
