//! The plot of a programme's figures: shares with what they are shares of, and what the charter wanted.

use super::Report;
use crate::domain::funnel::{Count, FEWEST_OF, Figures};
use crate::images::{Interval, Mark, Plot, Row, Unit, draw_plot_as};

/// The counts whose shares tell the story of a group in a few rows.
const MAIN: [Count; 5] =
    [Count::Enrolled, Count::Submitted, Count::Earned, Count::Live, Count::Staying];

/// The shares of everybody, and of each group below them. What cannot be shown is named and left empty.
#[must_use]
pub fn plot(report: &Report) -> String {
    let mut rows = rows_of(report, None, &report.total);
    for group in &report.rows {
        rows.extend(rows_of(report, Some(&group.names.join(", ")), &group.figures));
    }
    draw(report, rows, "Counted in persons", "plot")
}

/// The shares of everybody alone, for a page with other plots.
pub(super) fn plot_everybody(report: &Report) -> String {
    draw(report, rows_of(report, None, &report.total), "Counted in persons", "everybody")
}

/// The main shares of each group, one after the other so that groups stand beside each other; none without groups.
pub(super) fn plot_groups(report: &Report, name: &'static str) -> Option<String> {
    let mut rows = Vec::new();
    for count in MAIN {
        for group in report.rows.iter().filter(|group| group.figures.fraction(count).is_some()) {
            // Audiences are words of the charter, written for machines.
            let label = group.names.join(", ").replace('_', " ");
            rows.push(row_of(report, Some(&label), &group.figures, count));
        }
    }
    let subtitle = format!("By {name}, counted in persons");
    (!rows.is_empty()).then(|| draw(report, rows, &subtitle, name))
}

fn draw(report: &Report, rows: Vec<Row>, subtitle: &str, name: &'static str) -> String {
    let nobody = !report.total.counts.values().any(|count| *count > 0);
    let plot = Plot {
        title: report.title.clone(),
        subtitle: format!("{subtitle} on {}", report.as_of.date()),
        axis: "Share of those who could".to_owned(),
        unit: Unit::Percent,
        ticks: vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
        thresholds: Vec::new(),
        rows,
        empty: nobody.then(|| "Nobody was invited yet, or too few to show.".to_owned()),
        legend: Some(if report.is_exact {
            "Exact numbers, for the data steward.".to_owned()
        } else {
            "Everybody is counted. Fewer than 5 are not shown.".to_owned()
        }),
    };
    draw_plot_as(&plot, name).svg().to_owned()
}

fn rows_of(report: &Report, group: Option<&str>, figures: &Figures) -> Vec<Row> {
    Count::ALL
        .iter()
        .filter(|count| count.of().is_some() && report.day_of(**count).is_some())
        // A column that a table cannot show is left out of its rows, and named among everybody's.
        .filter(|count| group.is_none() || figures.fraction(**count).is_some())
        .map(|count| row_of(report, group, figures, *count))
        .collect()
}

fn row_of(report: &Report, group: Option<&str>, figures: &Figures, count: Count) -> Row {
    let label = match group {
        Some(group) => format!("{group}: {}", count.in_words()),
        None => count.in_words().to_owned(),
    };
    let target = count.metric().and_then(|metric| report.targets.get(metric));
    let wanted = match (target, count) {
        (Some(target), Count::Live) => format!(" · target {target}"),
        (Some(target), _) => format!(" · target {}%", target / 100),
        (None, _) => String::new(),
    };
    let (note, mark) = match figures.fraction(count) {
        None => ("not shown".to_owned(), Mark::Hidden("too few to show".to_owned())),
        Some((count, of)) if of < FEWEST_OF => (
            format!("{count} of {of}"),
            Mark::Hidden(format!("no percentage of fewer than {FEWEST_OF}")),
        ),
        Some((count, of)) => {
            #[expect(clippy::cast_precision_loss, reason = "counts of people")]
            let value = count as f64 / of as f64;
            // Everybody is counted: there is no interval around it.
            let found = Interval { value, low: value, high: value };
            (format!("{count} of {of}"), Mark::Usual(found))
        }
    };
    Row { label, note: format!("{note}{wanted}"), mark }
}
