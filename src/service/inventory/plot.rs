//! The plot of an inventory: a page to print, with what the organization counts skills for.

use super::Report;
use crate::domain::inventory::{By, Item};
use crate::domain::suppression::FEWEST;
use crate::images::{Interval, Mark, Plot, Row, Unit, draw_plot};

/// What is told of everybody, and of each group of the tables below.
#[must_use]
pub fn plot(report: &Report) -> String {
    let mut rows = Vec::new();
    for named in &report.items {
        rows.push(row(report, &named.label, report.total.get(&named.item).copied()));
    }
    for (by, table) in &report.tables {
        for group in table {
            for named in &report.items {
                // What a table cannot show is named among everybody's.
                if let Some(number) = group.row.numbers.get(&named.item) {
                    let since = if *by == By::Year { "since " } else { "" };
                    let label = format!("{since}{}: {}", group.names.join(", "), named.label);
                    rows.push(row(report, &label, Some(*number)));
                }
            }
        }
    }
    let most = report.total.values().copied().max().unwrap_or(0).div_ceil(FEWEST).max(1) * FEWEST;
    #[expect(clippy::cast_precision_loss, reason = "counts of people")]
    let ticks = (0..=5).map(|fifth| (most * fifth / 5) as f64).collect();
    let has_skills = report.items.iter().any(|named| !matches!(named.item, Item::Access(_)));
    draw_plot(&Plot {
        title: format!("Skills inventory of {}", report.name),
        subtitle: format!(
            "Persons with an award in force, on {}. {}",
            report.as_of.date(),
            report.purpose
        ),
        axis: "Persons".to_owned(),
        unit: Unit::Count,
        ticks,
        thresholds: Vec::new(),
        rows,
        empty: (!has_skills).then(|| "Nothing can be earned here yet.".to_owned()),
        legend: Some(if report.is_exact {
            "Exact numbers, for the data steward.".to_owned()
        } else {
            format!("Told in steps of {FEWEST}: at least so many.")
        }),
    })
    .svg()
    .to_owned()
}

fn row(report: &Report, label: &str, number: Option<u64>) -> Row {
    let label = label.to_owned();
    let Some(number) = number else {
        let why = "would tell of few persons".to_owned();
        return Row { label, note: "not told".to_owned(), mark: Mark::Hidden(why) };
    };
    let note = match (report.is_exact, number) {
        (true, _) => format!("{number}"),
        (false, 0) => format!("fewer than {FEWEST}, or not told of so few people"),
        (false, _) => format!("at least {number}"),
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of people")]
    let value = number as f64;
    Row { label, note, mark: Mark::Usual(Interval { value, low: value, high: value }) }
}
