//! The plots of an agreement report: what is drawn, what is marked as imprecise, and what is left out (DOMAIN.md, 5).

use std::collections::BTreeSet;

use super::agreement_reports::Report;
use crate::domain::calibration::CalibrationLimits;
use crate::domain::statistics::agreement::Proportion;
use crate::domain::statistics::{Precision, Undefined};
use crate::images::{Interval, Mark, Plot, Row, Threshold, Unit, draw_plot};

fn subtitle(report: &Report) -> String {
    let (read, twice) = report.submissions;
    format!("{}: {read} submissions read, {twice} of them by two assessors or more", report.title)
}

fn mark(precision: Precision, found: Option<Interval>) -> Mark {
    match (precision, found) {
        (Precision::Usual, Some(found)) => Mark::Usual(found),
        (Precision::Imprecise, Some(found)) => Mark::Imprecise(found),
        (Precision::Insufficient, _) | (_, None) => Mark::Hidden("too few to show".to_owned()),
    }
}

fn interval(share: Proportion) -> Option<Interval> {
    let (value, ends) = (share.value().ok()?, share.wilson().ok()?);
    Some(Interval { value, low: ends.low, high: ends.high })
}

fn counted(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// Exact agreement by criterion, beside the share that qualifies on as many levels. Criteria with fewer than 20 units show no share.
#[must_use]
pub fn plot_agreement(report: &Report) -> String {
    let limits = CalibrationLimits::default();
    let scales: BTreeSet<usize> = report.criteria.iter().map(|line| line.summary.levels).collect();
    let mut thresholds: Vec<Threshold> = Vec::new();
    for levels in scales {
        let Some(line) = limits.exact(levels) else { continue };
        let value = f64::from(line.value()) / 10_000.0;
        match thresholds.iter_mut().find(|known| known.value == value) {
            // Four levels and more share a line.
            Some(known) => "asked of criteria with 4 levels or more".clone_into(&mut known.label),
            None => thresholds.push(Threshold {
                value,
                label: format!("asked of criteria with {levels} levels"),
            }),
        }
    }
    let rows: Vec<Row> = report
        .criteria
        .iter()
        .map(|line| {
            let summary = &line.summary;
            let note = format!(
                "n = {} · {} · {}",
                summary.agreement.n,
                counted(summary.raters, "assessor", "assessors"),
                counted(summary.levels, "level", "levels"),
            );
            let found = interval(summary.agreement.exact());
            Row { label: line.title.clone(), note, mark: mark(summary.precision, found) }
        })
        .collect();
    let has_units = report.criteria.iter().any(|line| line.summary.agreement.n > 0);
    let empty = (!has_units).then(|| {
        "Nothing to compare yet: no submission has been read by two assessors. The plot fills as work is read twice.".to_owned()
    });
    draw_plot(&Plot {
        title: "How often two assessors give the same level".to_owned(),
        subtitle: subtitle(report),
        axis: "Share of readings with exactly the same level".to_owned(),
        unit: Unit::Percent,
        ticks: vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
        thresholds,
        rows,
        empty,
        legend: None,
    })
    .svg()
    .to_owned()
}

/// Why there are no severities, in plain words.
const fn words_of(reason: Undefined) -> &'static str {
    match reason {
        Undefined::NoData | Undefined::InsufficientData => {
            "Severity is estimated from 30 submissions on that two assessors have read. There are not as many yet."
        }
        Undefined::SingleRater => {
            "Only one assessor has read this work: there is nobody to compare."
        }
        Undefined::NotConnected => {
            "Some assessors cannot be compared: nothing that was read twice links them to the others. New pairs of readers will."
        }
        Undefined::UnobservedLevel => {
            "A level between others was never given, so that severity cannot be estimated on this scale."
        }
        Undefined::NoVariation => "All readings are alike: there is no severity to see in them.",
        Undefined::IncompleteData
        | Undefined::NotNumeric
        | Undefined::NoOrder
        | Undefined::ScaleNotDeclared
        | Undefined::NegativeValues
        | Undefined::TooManyCategories
        | Undefined::NoFiniteEstimate
        | Undefined::NotConverged
        | Undefined::TooManyParameters
        | Undefined::OutOfRange => "Severity cannot be estimated from these readings.",
    }
}

/// The end of an id: assessors are told apart, and not named.
fn name_of(person: &str) -> String {
    let at = person.len().saturating_sub(8);
    format!("Assessor …{}", person.get(at..).unwrap_or(person))
}

/// The severity of each assessor in logits, where it can be estimated. It never alters a result.
#[must_use]
pub fn plot_severity(report: &Report) -> String {
    let rows: Vec<Row> = report
        .assessors
        .iter()
        .map(|line| {
            let n = line.beside.agreement.n;
            let found = line.severity.map(|measure| {
                let reach = 1.96 * measure.standard_error;
                let value = measure.estimate;
                Interval { value, low: value - reach, high: value + reach }
            });
            let note =
                format!("n = {n} · {}", counted(line.submissions, "submission", "submissions"));
            let label = name_of(&line.person.to_string());
            Row { label, note, mark: mark(Precision::of(n), found) }
        })
        .collect();
    let reach = rows
        .iter()
        .filter_map(|row| match &row.mark {
            Mark::Usual(found) | Mark::Imprecise(found) => {
                Some(found.low.abs().max(found.high.abs()))
            }
            Mark::Hidden(_) => None,
        })
        .fold(1.0_f64, f64::max)
        .ceil();
    let has_any = report.assessors.iter().any(|line| line.severity.is_some());
    let empty = (!has_any).then(|| {
        words_of(report.severity_reason.unwrap_or(Undefined::InsufficientData)).to_owned()
    });
    draw_plot(&Plot {
        title: "How severe assessors are".to_owned(),
        subtitle: subtitle(report),
        axis: "More lenient  ←  severity in logits  →  more severe".to_owned(),
        unit: Unit::Number,
        ticks: [-1.0, -0.5, 0.0, 0.5, 1.0].map(|part| part * reach).to_vec(),
        thresholds: Vec::new(),
        rows,
        empty,
        legend: None,
    })
    .svg()
    .to_owned()
}
