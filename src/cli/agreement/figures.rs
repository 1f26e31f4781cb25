//! Every statistic that applies to a set of ratings, as records of JSON.

use serde_json::{Map, Value};

use super::forms::{Facets, Pairs, Prepared};
use super::scale::{Scale, Values};
use crate::cli::answer::Record;
use crate::domain::statistics::agreement::{Agreement, Proportion};
use crate::domain::statistics::fleiss::{expected_agreement, fleiss_kappa, pairwise_agreement};
use crate::domain::statistics::icc::{IccForm, MeanSquares};
use crate::domain::statistics::kappa::{Kappa, Weighting, Weights, cohen_kappa};
use crate::domain::statistics::krippendorff::{Metric, alpha};
use crate::domain::statistics::severity::{Measure, Severities, estimate};
use crate::domain::statistics::units::UnitTable;
use crate::domain::statistics::{Figure, Interval, Precision, Undefined};

/// One record a statistic.
pub fn all(table: Option<&str>, prepared: &Prepared) -> Vec<Record> {
    let mut list = List { table, records: Vec::new() };
    counts(&mut list, prepared);
    if let Some(pairs) = &prepared.pairs {
        two_raters(&mut list, &prepared.scale, pairs);
    }
    many_raters(&mut list, prepared);
    if let Some(balanced) = &prepared.balanced {
        let squares = balanced.as_ref().map_err(|reason| *reason).and_then(|targets| {
            MeanSquares::of(targets.iter().map(|(ratings, times)| (ratings.as_slice(), *times)))
        });
        correlations(&mut list, squares);
    }
    if let Some(facets) = &prepared.facets {
        severities(&mut list, facets);
    }
    list.records
}

/// One record for a whole case: a member for each statistic, named after it and what qualifies it.
///
/// `cohen_kappa` is the unweighted one; `krippendorff_alpha` the ordinal one, or the nominal one where there is no order. `reason` says
/// why one of the first figures is null, `reasons` why each of the null ones is.
pub fn of_case(name: &Value, prepared: &Prepared) -> Record {
    let mut case = Record::new("name", name.clone());
    let mut reasons = Map::new();
    let mut members: Vec<(String, Value)> = Vec::new();
    for record in all(None, prepared) {
        let word = |key: &str| record.find(key).and_then(Value::as_str);
        let Some(mut member) = word("statistic").map(str::to_owned) else { continue };
        for qualifier in ["weights", "metric", "form", "source"].into_iter().filter_map(word) {
            member.push('_');
            member.push_str(qualifier);
        }
        if let Some(reason) = record.find("reason") {
            reasons.insert(member.clone(), reason.clone());
        }
        members.push((member, record.find("value").cloned().unwrap_or_default()));
    }
    let ordinal = "krippendorff_alpha_ordinal";
    let has_order = prepared.scale.is_ordered();
    let alpha = if has_order { ordinal } else { "krippendorff_alpha_nominal" };
    for (member, from) in [("cohen_kappa", "cohen_kappa_none"), ("krippendorff_alpha", alpha)] {
        if let Some((_, value)) = members.iter().find(|(name, _)| name == from) {
            members.push((member.to_owned(), value.clone()));
        }
        if let Some(reason) = reasons.get(from).cloned() {
            reasons.insert(member.to_owned(), reason);
        }
    }
    for (member, value) in members {
        case = case.with(&member, value);
    }
    let first = ["percent_exact", "cohen_kappa", "krippendorff_alpha"];
    if let Some(reason) = first.into_iter().find_map(|member| reasons.get(member)) {
        case = case.with("reason", reason.clone());
    }
    if !reasons.is_empty() {
        case = case.with("reasons", reasons);
    }
    let n = prepared.units.n_pairable_units();
    if n > 0 && Precision::of(n) == Precision::Insufficient {
        // Here every figure is shown; a report would hold them back.
        case = case.with("report", "insufficient_data below the configured minimum n");
    }
    case
}

/// The records so far.
struct List<'a> {
    table: Option<&'a str>,
    records: Vec<Record>,
}

impl List<'_> {
    fn record(&self, statistic: &str) -> Record {
        let record = Record::new("statistic", statistic);
        match self.table {
            Some(table) => record.with("table", table),
            None => record,
        }
    }

    fn figure(&mut self, statistic: &str, figure: Figure) {
        let record = self.record(statistic);
        self.records.push(with_figure(record, figure));
    }

    fn proportion(&mut self, statistic: &str, proportion: Proportion) {
        let record = with_figure(self.record(statistic), proportion.value());
        let record = record.with("count", proportion.count()).with("n", proportion.n());
        self.records.push(with_interval(record, proportion.wilson()));
    }
}

fn with_figure(record: Record, figure: Figure) -> Record {
    match figure {
        // Adding 0 makes one zero of the two.
        Ok(value) => record.with("value", value + 0.0),
        Err(reason) => record.with("value", Value::Null).with("reason", reason.as_str()),
    }
}

fn with_interval(record: Record, interval: Result<Interval, Undefined>) -> Record {
    match interval {
        Ok(interval) => record.with("ci95", vec![interval.low, interval.high]),
        Err(_) => record.with("ci95", Value::Null),
    }
}

fn counts(list: &mut List<'_>, prepared: &Prepared) {
    let record = list.record("n").with("value", prepared.units.n_pairable_units());
    list.records.push(record);
    let record = list.record("n_ratings").with("value", prepared.units.n_ratings());
    list.records.push(record);
    let record = list.record("n_raters").with("value", prepared.n_raters());
    list.records.push(record);
    let record = list.record("scale").with("value", prepared.scale.to_json());
    list.records.push(record);
    let agreement = Agreement::of(&prepared.units, prepared.cut);
    list.proportion("percent_exact", agreement.exact());
    if prepared.scale.is_stepped() {
        list.proportion("percent_adjacent_or_exact", agreement.adjacent_or_exact());
        list.proportion("percent_non_adjacent", agreement.non_adjacent());
    } else {
        let reason = no_steps(&prepared.scale);
        list.figure("percent_adjacent_or_exact", Err(reason));
        list.figure("percent_non_adjacent", Err(reason));
    }
    if prepared.cut.is_some() {
        list.proportion("percent_decision", agreement.decision());
    }
}

/// Why there are no steps to count on a scale.
fn no_steps(scale: &Scale) -> Undefined {
    if scale.is_ordered() { Undefined::ScaleNotDeclared } else { Undefined::NoOrder }
}

fn two_raters(list: &mut List<'_>, scale: &Scale, pairs: &Result<Pairs, Undefined>) {
    let kappa = |weights: &Weights| match pairs {
        Ok(pairs) => cohen_kappa(&pairs.table, weights),
        Err(reason) => Err(*reason),
    };
    let size = if pairs.is_ok() { scale.size() } else { 0 };
    for weighting in Weighting::ALL {
        let is_possible = scale.is_stepped() || *weighting == Weighting::Unweighted;
        let found = if is_possible {
            kappa(&Weights::on_scale(*weighting, size))
        } else {
            Err(no_steps(scale))
        };
        kappa_records(list, weighting.as_str(), found);
    }
    if let Ok(pairs) = pairs {
        for (name, weights) in &pairs.matrices {
            kappa_records(list, name, kappa(weights));
        }
        if scale.is_stepped() {
            list.figure("mean_signed_difference", pairs.differences.mean());
            list.figure("signed_difference_t", pairs.differences.t());
        }
    }
}

fn kappa_records(list: &mut List<'_>, weights: &str, kappa: Result<Kappa, Undefined>) {
    let record = |list: &List<'_>, statistic: &str, figure: Figure| {
        with_figure(list.record(statistic).with("weights", weights), figure)
    };
    let main = record(list, "cohen_kappa", kappa.map(|kappa| kappa.value));
    let main = with_interval(main, kappa.and_then(|kappa| kappa.interval()));
    list.records.push(main);
    let parts: [(&str, Figure); 5] = [
        ("kappa_ase", kappa.map(|kappa| kappa.standard_error)),
        ("kappa_ase_null", kappa.map(|kappa| kappa.null_standard_error)),
        ("kappa_z", kappa.and_then(|kappa| kappa.z())),
        ("kappa_observed_agreement", kappa.map(|kappa| kappa.observed)),
        ("kappa_expected_agreement", kappa.map(|kappa| kappa.expected)),
    ];
    for (statistic, figure) in parts {
        let record = record(list, statistic, figure);
        list.records.push(record);
    }
}

fn many_raters(list: &mut List<'_>, prepared: &Prepared) {
    let units: &UnitTable = &prepared.units;
    let pairwise = pairwise_agreement(units);
    // Pairs of one unit are not independent: a share of them has no interval of Wilson.
    let record = with_figure(list.record("percent_agreement_pairwise"), pairwise.value());
    list.records.push(record.with("count", pairwise.count()).with("n", pairwise.n()));
    let fleiss = fleiss_kappa(units);
    match &prepared.pairs {
        // Of two raters, chance is what Cohen says it is.
        Some(pairs) => {
            let expected = pairs.as_ref().map_err(|reason| *reason);
            list.figure("observed_agreement", pairwise.value());
            list.figure(
                "expected_agreement",
                expected.and_then(|pairs| pairs.table.expected_agreement()),
            );
        }
        None => list.figure("expected_agreement", expected_agreement(units)),
    }
    list.figure("fleiss_kappa", fleiss.map(|fleiss| fleiss.value));
    let scale = &prepared.scale;
    let positions: Vec<f64>;
    let (interval, ratio) = match scale.values() {
        Values::Numbers(numbers) => (Ok(Metric::Interval(numbers)), Ok(Metric::Ratio(numbers))),
        Values::Positions => {
            positions = (0..scale.size()).map(|at| at as f64).collect();
            (Ok(Metric::Interval(&positions)), Err(Undefined::ScaleNotDeclared))
        }
        Values::Words => (Err(Undefined::NotNumeric), Err(Undefined::NotNumeric)),
    };
    let ordinal = if scale.is_ordered() { Ok(Metric::Ordinal) } else { Err(Undefined::NoOrder) };
    let metrics = [
        ("nominal", Ok(Metric::Nominal)),
        ("ordinal", ordinal),
        ("interval", interval),
        ("ratio", ratio),
    ];
    for (name, metric) in metrics {
        let figure = metric.and_then(|metric| alpha(units, metric));
        let record = list.record("krippendorff_alpha").with("metric", name);
        list.records.push(with_figure(record, figure));
    }
}

fn correlations(list: &mut List<'_>, squares: Result<MeanSquares, Undefined>) {
    for form in IccForm::ALL {
        let icc = squares.and_then(|squares| squares.icc(*form));
        let record = list.record("icc").with("form", form.as_str());
        let record = with_figure(record, icc.map(|icc| icc.value));
        let record = with_interval(record, icc.and_then(|icc| icc.interval));
        list.records.push(match icc {
            Ok(icc) => record
                .with("f", icc.f.ok())
                .with("df", vec![icc.degrees.0, icc.degrees.1])
                .with("p", icc.p.ok()),
            Err(_) => record,
        });
    }
    let part = |of: fn(MeanSquares) -> f64| squares.map(of);
    for (source, figure) in [
        ("between_targets", part(|squares| squares.between_targets)),
        ("within_targets", part(|squares| squares.within_targets)),
        ("between_judges", part(|squares| squares.between_raters)),
        ("residual", part(|squares| squares.residual)),
    ] {
        let record = list.record("mean_square").with("source", source);
        list.records.push(with_figure(record, figure));
    }
}

/// The many-facet Rasch model. What has no finite estimate is null in its place.
fn severities(list: &mut List<'_>, facets: &Facets) {
    let found = estimate(facets.sizes, &facets.ratings);
    let [submissions, criteria, assessors] = &facets.names;
    let of = |part: fn(&Severities) -> &Vec<Option<Measure>>| {
        found.as_ref().map(part).map_err(|reason| *reason)
    };
    list.figure(
        "log_likelihood",
        found.as_ref().map(|found| found.log_likelihood).map_err(|reason| *reason),
    );
    measures(
        list,
        ["assessor_severity", "assessor_se", "assessor_infit", "assessor_outfit"],
        assessors,
        of(|found| &found.assessors),
    );
    measures(
        list,
        ["criterion_difficulty", "criterion_se", "criterion_infit", "criterion_outfit"],
        criteria,
        of(|found| &found.criteria),
    );
    let record = list.record("step_difficulty");
    list.records.push(match &found {
        Ok(found) => record.with("value", found.steps.clone()),
        Err(reason) => record.with("value", Value::Null).with("reason", reason.as_str()),
    });
    measures(
        list,
        ["submission_measure", "submission_se", "submission_infit", "submission_outfit"],
        submissions,
        of(|found| &found.submissions),
    );
    if let Ok(found) = &found {
        let record = list.record("rasch_estimation").with("value", "converged");
        list.records.push(record.with("iterations", found.iterations).with("n_ratings", found.n));
    }
}

fn measures(
    list: &mut List<'_>,
    statistics: [&str; 4],
    names: &[Value],
    found: Result<&Vec<Option<Measure>>, Undefined>,
) {
    let parts: [fn(&Measure) -> f64; 4] = [
        |measure| measure.estimate,
        |measure| measure.standard_error,
        |measure| measure.infit,
        |measure| measure.outfit,
    ];
    for (statistic, part) in statistics.into_iter().zip(parts) {
        let record = list.record(statistic);
        list.records.push(match found {
            Ok(found) => {
                let values: Vec<Option<f64>> =
                    found.iter().map(|measure| measure.as_ref().map(part)).collect();
                record.with("value", values).with("ids", names.to_vec())
            }
            Err(reason) => record.with("value", Value::Null).with("reason", reason.as_str()),
        });
    }
}
