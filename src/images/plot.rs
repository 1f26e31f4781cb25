//! A plot of shares or measures with their intervals, one row each, for paper and screen: dark on white, no colour that a copier loses.

use std::fmt::Write as _;

use super::drawing::Drawing;
use super::text::{self, Font, Style};

const WIDTH: f32 = 960.0;
/// Where the axis begins and ends.
const AXIS: (f32, f32) = (400.0, 900.0);
const LEFT: f32 = 32.0;
/// Between two lines of a label.
const LINE: f32 = 19.0;
/// Dark enough for small letters on white, and for a copy of a copy.
const INK: &str = "#1f1f1f";
const SOFT: &str = "#4d4d4d";
const GRID: &str = "#d0d0d0";

/// A value with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The value.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What a row shows beside its label.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// Enough units: a full mark.
    Usual(Interval),
    /// Few units: a hollow mark.
    Imprecise(Interval),
    /// Nothing, and why.
    Hidden(String),
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it is about; long ones are broken into lines.
    pub label: String,
    /// What stands under it: n, raters, scale.
    pub note: String,
    /// What is drawn.
    pub mark: Mark,
}

/// A line across all rows that values are held against.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// Where.
    pub value: f64,
    /// What it stands for.
    pub label: String,
}

/// How values are written at the axis and in the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Shares from 0 to 1 as percentages.
    Percent,
    /// Plain numbers.
    Number,
    /// Whole numbers.
    Count,
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Unit::Percent => format!("{:.0}%", 100.0 * value),
            // Nothing is below nought by less than is written.
            Unit::Number if value.abs() < 0.05 => "0.0".to_owned(),
            Unit::Number => format!("{value:.1}").replace('-', "−"),
            Unit::Count => format!("{value:.0}"),
        }
    }
}

/// A plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// Of what, and of how much.
    pub subtitle: String,
    /// What the axis measures.
    pub axis: String,
    /// How values are written.
    pub unit: Unit,
    /// The ticks of the axis; the first and the last are its ends.
    pub ticks: Vec<f64>,
    /// Lines that values are held against.
    pub thresholds: Vec<Threshold>,
    /// The rows.
    pub rows: Vec<Row>,
    /// Why there is nothing to show, in the place of the rows.
    pub empty: Option<String>,
    /// What the marks mean, where they are no intervals of 95%.
    pub legend: Option<String>,
}

const fn style(size: f32, fill: &'static str, anchor: &'static str) -> Style<'static> {
    Style { font: Font::Sans, size, fill, anchor, spacing: 0.0 }
}

/// Writes a text in lines of at most a width. Returns the base line of the next one.
fn write_block(
    svg: &mut String,
    words: &str,
    (x, y): (f32, f32),
    width: f32,
    size: f32,
    fill: &'static str,
    most: usize,
) -> f32 {
    let lines = text::fit(&text::clean(words), Font::Sans, width, &[(size, most)]).lines;
    let mut y = y;
    for line in lines {
        text::write_line(svg, &line, x, y, &style(size, fill, "start"));
        y += size * 1.3;
    }
    y
}

impl Plot {
    fn x(&self, value: f64) -> f32 {
        let (low, high) = self.ends();
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        let share = share as f32;
        AXIS.0 + (AXIS.1 - AXIS.0) * share
    }

    fn ends(&self) -> (f64, f64) {
        let low = self.ticks.first().copied().unwrap_or(0.0);
        let high = self.ticks.last().copied().unwrap_or(1.0);
        if high > low { (low, high) } else { (low, low + 1.0) }
    }

    /// The same in words, for who does not see it.
    fn description(&self) -> String {
        if let Some(why) = &self.empty {
            return format!("{}. {why}", self.subtitle);
        }
        let mut words = format!("{}. {}.", self.subtitle, self.axis);
        for threshold in &self.thresholds {
            let _ = write!(
                words,
                " Line at {}: {}.",
                self.unit.write(threshold.value),
                threshold.label
            );
        }
        for row in &self.rows {
            let _ = match &row.mark {
                Mark::Usual(found) | Mark::Imprecise(found) => write!(
                    words,
                    " {} ({}): {}, interval {} to {}.",
                    row.label,
                    row.note,
                    self.unit.write(found.value),
                    self.unit.write(found.low),
                    self.unit.write(found.high)
                ),
                Mark::Hidden(why) => write!(words, " {} ({}): {why}.", row.label, row.note),
            };
        }
        words
    }
}

/// Draws a plot.
#[must_use]
pub fn draw_plot(plot: &Plot) -> Drawing {
    draw_plot_as(plot, "plot")
}

/// Draws a plot whose ids begin with a name, for a page with several of them.
#[must_use]
pub fn draw_plot_as(plot: &Plot, name: &'static str) -> Drawing {
    let mut body = String::new();
    let mut y = write_block(&mut body, &plot.title, (LEFT, 44.0), WIDTH - 2.0 * LEFT, 22.0, INK, 2);
    y = write_block(&mut body, &plot.subtitle, (LEFT, y), WIDTH - 2.0 * LEFT, 14.0, SOFT, 3);
    let bottom = match &plot.empty {
        Some(why) => {
            let top = y + 12.0;
            let end = write_block(
                &mut body,
                why,
                (LEFT + 24.0, top + 44.0),
                WIDTH - 2.0 * LEFT - 48.0,
                17.0,
                INK,
                4,
            );
            let _ = write!(
                body,
                r#"<rect x="{LEFT}" y="{top:.1}" width="{:.1}" height="{:.1}" fill="none" stroke="{GRID}" stroke-width="1.5" stroke-dasharray="6 5"/>"#,
                WIDTH - 2.0 * LEFT,
                end - top + 12.0
            );
            end + 36.0
        }
        None => write_rows(&mut body, plot, y),
    };
    let height = bottom.ceil();
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{}</title><desc id="{name}-desc">{}</desc><rect width="{WIDTH}" height="{height}" fill="white"/>"#,
        text::escape(&text::clean(&plot.title)),
        text::escape(&text::clean(&plot.description()))
    );
    svg.push_str(&body);
    svg.push_str("</svg>");
    let (width, height) = (WIDTH as u32, height as u32);
    Drawing { svg, width, height }
}

/// Space between the labels of two thresholds.
const LABEL: f32 = 18.0;

/// The thresholds with the base line of each label. The leftmost stands lowest, so that no line runs through the label of another.
fn thresholds(plot: &Plot, y: f32) -> Vec<(&Threshold, f32)> {
    let mut lines: Vec<&Threshold> = plot.thresholds.iter().collect();
    lines.sort_by(|one, other| other.value.total_cmp(&one.value));
    lines.into_iter().enumerate().map(|(at, line)| (line, y + LABEL * at as f32)).collect()
}

fn write_rows(svg: &mut String, plot: &Plot, y: f32) -> f32 {
    let labels = thresholds(plot, y + 14.0);
    let top = labels.last().map_or(y + 6.0, |(_, last)| last + LABEL - 6.0);
    // Rows first, to know where the axis ends; they are drawn over it.
    let mut rows = String::new();
    let mut at = top + 4.0;
    for (number, row) in plot.rows.iter().enumerate() {
        let lines =
            text::fit(&text::clean(&row.label), Font::Sans, AXIS.0 - LEFT - 36.0, &[(15.0, 3)])
                .lines;
        let height = (lines.len() + 1) as f32 * LINE + 14.0;
        let middle = at + height / 2.0;
        if number > 0 {
            let _ = write!(
                rows,
                r#"<line x1="{LEFT}" y1="{at:.1}" x2="{:.1}" y2="{at:.1}" stroke="{GRID}" stroke-width="0.75"/>"#,
                AXIS.1
            );
        }
        let mut base = at + 7.0 + LINE * 0.8;
        for line in &lines {
            text::write_line(&mut rows, line, LEFT, base, &style(15.0, INK, "start"));
            base += LINE;
        }
        text::write_line(&mut rows, &row.note, LEFT, base, &style(13.0, SOFT, "start"));
        write_mark(&mut rows, plot, &row.mark, middle);
        at += height;
    }
    let axis = at + 6.0;
    for tick in &plot.ticks {
        let x = plot.x(*tick);
        let _ = write!(
            svg,
            r#"<line x1="{x:.1}" y1="{top:.1}" x2="{x:.1}" y2="{axis:.1}" stroke="{GRID}"/><line x1="{x:.1}" y1="{axis:.1}" x2="{x:.1}" y2="{:.1}" stroke="{INK}"/>"#,
            axis + 6.0
        );
        text::write_line(svg, &plot.unit.write(*tick), x, axis + 22.0, &style(13.0, INK, "middle"));
    }
    let _ = write!(
        svg,
        r#"<line x1="{:.1}" y1="{axis:.1}" x2="{:.1}" y2="{axis:.1}" stroke="{INK}" stroke-width="1.5"/>"#,
        AXIS.0, AXIS.1
    );
    for (threshold, base) in labels {
        let x = plot.x(threshold.value);
        let words = format!("{}: {}", plot.unit.write(threshold.value), threshold.label);
        text::write_line(svg, &words, x - 6.0, base, &style(13.0, SOFT, "end"));
        let _ = write!(
            svg,
            r#"<line x1="{x:.1}" y1="{:.1}" x2="{x:.1}" y2="{axis:.1}" stroke="{INK}" stroke-width="1.25" stroke-dasharray="5 4"/>"#,
            base - 11.0
        );
    }
    svg.push_str(&rows);
    let middle = (AXIS.0 + AXIS.1) / 2.0;
    text::write_line(svg, &plot.axis, middle, axis + 46.0, &style(14.0, INK, "middle"));
    write_legend(svg, plot, axis + 74.0)
}

fn write_mark(svg: &mut String, plot: &Plot, mark: &Mark, y: f32) {
    let (found, fill) = match mark {
        Mark::Usual(found) => (found, INK),
        Mark::Imprecise(found) => (found, "white"),
        Mark::Hidden(why) => {
            // A white ground keeps the grid out of the words.
            let width = Font::Sans.width(why, 14.0) + 12.0;
            let _ = write!(
                svg,
                r#"<rect x="{:.1}" y="{:.1}" width="{width:.1}" height="22" fill="white"/>"#,
                AXIS.0 + 8.0,
                y - 11.0
            );
            text::write_line(svg, why, AXIS.0 + 14.0, y + 5.0, &style(14.0, SOFT, "start"));
            return;
        }
    };
    let (low, high, value) = (plot.x(found.low), plot.x(found.high), plot.x(found.value));
    let (above, below) = (y - 6.0, y + 6.0);
    let _ = write!(
        svg,
        r#"<path d="M{low:.1} {y:.1}H{high:.1}M{low:.1} {above:.1}V{below:.1}M{high:.1} {above:.1}V{below:.1}" stroke="{INK}" stroke-width="2" fill="none"/><circle cx="{value:.1}" cy="{y:.1}" r="6" fill="{fill}" stroke="{INK}" stroke-width="2"/>"#
    );
    text::write_line(
        svg,
        &plot.unit.write(found.value),
        AXIS.1 + 14.0,
        y + 5.0,
        &style(14.0, INK, "start"),
    );
}

/// What the marks mean, as far as they are there.
fn write_legend(svg: &mut String, plot: &Plot, y: f32) -> f32 {
    let has = |wanted: fn(&Mark) -> bool| plot.rows.iter().any(|row| wanted(&row.mark));
    let mut words = vec!["Bars are 95% intervals."];
    if has(|mark| matches!(mark, Mark::Imprecise(_))) {
        words.push("A hollow mark is imprecise: fewer than 50.");
    }
    if has(|mark| matches!(mark, Mark::Hidden(_))) {
        words.push("Fewer than 20 are not shown.");
    }
    let words = plot.legend.clone().unwrap_or_else(|| words.join(" "));
    let style = style(13.0, SOFT, "start");
    text::write_line(svg, &words, LEFT, y, &style);
    y + 24.0
}
