//! The outcome report of a programme, to read and to print: what the team wanted, what became of it, what is left out, and what can be done now.
//!
//! The page is written by the service for whoever may read the figures. Browsers hold no session here: the form of the first page signs in, the
//! answer is the report, and the sign-in has ended before it is sent.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use super::public::{page, rendered};
use super::words;
use crate::domain::funnel::{Count, FEWEST, FEWEST_OF, Figures, Stage};
use crate::domain::ids::ProgramId;
use crate::domain::inventory::Item;
use crate::domain::program::ProgramState;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::{FormBody, Meta, Path};
use crate::service::charter_document::Aim;
use crate::service::funnel::{self, Printed, Report};
use crate::service::{Error, inventory, sessions};

/// So many groups stand beside each other in one table.
const BESIDE: usize = 4;

/// What the report shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPage {
    /// The programme's title.
    pub title: String,
    /// Who runs it.
    pub organization: String,
    /// The day on which everything was counted, in words.
    pub counted_on: String,
    /// From when to when people could begin, in words.
    pub window: Option<String>,
    /// Whether the programme is open, closed or not begun, in words.
    pub standing: &'static str,
    /// Whether numbers are shown that single people out.
    pub is_exact: bool,
    /// What the team believed, a paragraph each.
    pub theory: Vec<String>,
    /// The metrics of the charter.
    pub aims: Vec<AimLine>,
    /// The figures of everybody.
    pub figures: Vec<FigureLine>,
    /// How long the ways took.
    pub stages: Vec<StageLine>,
    /// The shares of everybody, as SVG.
    pub plot: String,
    /// By audience, and by school.
    pub groups: Vec<GroupPart>,
    /// What is left out of every figure.
    pub exclusions: Vec<ExclusionLine>,
    /// What the organization counts skills for, a paragraph each.
    pub purpose: Vec<String>,
    /// How many hold which skill.
    pub skills: Vec<SkillLine>,
}

/// A metric of the charter beside what was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AimLine {
    /// What is looked at, in the team's words.
    pub what: String,
    /// Of how many.
    pub of: Option<String>,
    /// Which figure the team wanted.
    pub wanted: String,
    /// Which figure there is, or why there is none.
    pub reached: String,
    /// Whether it is what was wanted; none where that cannot be said.
    pub is_met: Option<bool>,
    /// Where the figure comes from, if not from here.
    pub source: Option<String>,
}

/// A figure of everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureLine {
    /// What is counted.
    pub what: &'static str,
    /// Of what.
    pub of: Option<&'static str>,
    /// How many, of how many, and which share; a dash where one is not shown.
    pub cells: [String; 3],
    /// The day, in words.
    pub on: String,
}

/// How long a way took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageLine {
    /// The way.
    pub what: &'static str,
    /// Median, 90th percentile, and of how many; a dash where one is not shown.
    pub cells: [String; 3],
}

/// A table by group, in pieces that fit on paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPart {
    /// Its id on the page.
    pub id: &'static str,
    /// By what.
    pub heading: &'static str,
    /// The main shares, as SVG.
    pub plot: Option<String>,
    /// The pieces; none where the groups are too small to be told apart.
    pub tables: Vec<GroupTable>,
}

/// Some groups beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupTable {
    /// Their names.
    pub names: Vec<String>,
    /// A line for each figure that the table shows.
    pub lines: Vec<(&'static str, Vec<String>)>,
}

/// Something that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExclusionLine {
    /// In words.
    pub words: &'static str,
    /// How many, where that is told.
    pub count: Option<u64>,
}

/// A skill of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillLine {
    /// Its name.
    pub label: String,
    /// How many hold it, as told.
    pub told: String,
}

#[derive(Template)]
#[template(path = "report.html", config = "src/http/web/templates/askama.toml")]
struct ReportTemplate<'a> {
    page: &'a ReportPage,
}

#[derive(Template)]
#[template(path = "report_sign_in.html", config = "src/http/web/templates/askama.toml")]
struct SignInTemplate<'a> {
    program_id: &'a str,
}

/// Writes the report.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn report_page(page: &ReportPage) -> Result<String, askama::Error> {
    ReportTemplate { page }.render()
}

/// Writes the page that asks who wants to read the report of a programme. It looks nothing up.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn report_sign_in_page(program_id: &str) -> Result<String, askama::Error> {
    SignInTemplate { program_id }.render()
}

const NOT_SHOWN: &str = "–";

fn number(value: Option<u64>) -> String {
    value.map_or_else(|| NOT_SHOWN.to_owned(), |value| value.to_string())
}

/// "75%", "73.3%": rounded down, as the figures are.
fn percent(basis_points: u64) -> String {
    match (basis_points / 100, basis_points % 100 / 10) {
        (whole, 0) => format!("{whole}%"),
        (whole, tenth) => format!("{whole}.{tenth}%"),
    }
}

fn in_words(day: NaiveDate) -> String {
    words::date_in_words(&day)
}

/// The count or the stage that answers a metric.
fn answer_of(id: &str) -> Option<Result<Count, Stage>> {
    let count = Count::ALL.iter().find(|count| count.metric() == Some(id));
    let stage = Stage::ALL.iter().find(|stage| stage.metric() == Some(id));
    count.copied().map(Ok).or_else(|| stage.copied().map(Err))
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// What was reached of a metric, and whether that is what was wanted.
fn reached(aim: &Aim<'_>, report: &Report) -> (String, Option<bool>) {
    let target = aim.target.map(unsigned);
    match answer_of(aim.id) {
        None => ("not among these figures".to_owned(), None),
        Some(Ok(count)) if report.day_of(count).is_none() => {
            ("no file of the district yet".to_owned(), None)
        }
        Some(Ok(count)) if aim.of.is_none() => match report.total.counts.get(&count) {
            Some(found) => (found.to_string(), target.map(|target| *found >= target)),
            None => ("too few to show".to_owned(), None),
        },
        Some(Ok(count)) => match (report.total.fraction(count), report.total.share_bp(count)) {
            (Some((found, of)), Some(share)) => {
                let words = format!("{} ({found} of {of})", percent(share));
                (words, target.map(|target| share >= target))
            }
            (Some((found, of)), None) => {
                (format!("{found} of {of}; no percentage of fewer than {FEWEST_OF}"), None)
            }
            (None, _) => ("too few to show".to_owned(), None),
        },
        Some(Err(stage)) => match report.total.days.get(&stage) {
            Some(days) => {
                let words = format!("{} working days", days.median);
                (words, target.map(|target| u64::from(days.median) <= target))
            }
            None => ("too few to show".to_owned(), None),
        },
    }
}

fn aim_line(aim: Aim<'_>, report: &Report) -> AimLine {
    let (reached, is_met) = reached(&aim, report);
    let is_time = matches!(answer_of(aim.id), Some(Err(_)));
    let wanted = match aim.target.map(unsigned) {
        None => NOT_SHOWN.to_owned(),
        Some(target) if aim.of.is_some() => percent(target),
        Some(target) if is_time => format!("at most {target} working days"),
        Some(target) => target.to_string(),
    };
    AimLine {
        what: aim.what.to_owned(),
        of: aim.of.map(str::to_owned),
        wanted,
        reached,
        is_met,
        source: aim.source.map(str::to_owned),
    }
}

fn figure_line(count: Count, report: &Report) -> Option<FigureLine> {
    let day = report.day_of(count)?;
    let of = count.of();
    Some(FigureLine {
        what: count.in_words(),
        of: of.map(Count::in_words),
        cells: [
            number(report.total.counts.get(&count).copied()),
            // What is of nobody else has no denominator.
            of.map_or_else(String::new, |of| number(report.total.counts.get(&of).copied())),
            of.map_or_else(String::new, |_| {
                report.total.share_bp(count).map_or_else(|| NOT_SHOWN.to_owned(), percent)
            }),
        ],
        on: in_words(day),
    })
}

fn stage_line(stage: Stage, figures: &Figures) -> StageLine {
    let days = figures.days.get(&stage);
    StageLine {
        what: stage.in_words(),
        cells: [
            number(days.map(|days| u64::from(days.median))),
            number(days.map(|days| u64::from(days.ninth))),
            number(figures.counts.get(&stage.end()).copied()),
        ],
    }
}

/// "27 of 30 (90%)".
fn cell(figures: &Figures, count: Count) -> String {
    let Some(found) = figures.counts.get(&count) else { return NOT_SHOWN.to_owned() };
    match (figures.fraction(count), figures.share_bp(count)) {
        (Some((_, of)), Some(share)) => format!("{found} of {of} ({})", percent(share)),
        (Some((_, of)), None) => format!("{found} of {of}"),
        (None, _) => found.to_string(),
    }
}

fn days_cell(figures: &Figures, stage: Stage) -> String {
    figures.days.get(&stage).map_or_else(
        || NOT_SHOWN.to_owned(),
        |days| format!("{} (nine of ten: {})", days.median, days.ninth),
    )
}

fn group_tables(report: &Report) -> Vec<GroupTable> {
    let is_shown =
        |count: &Count| report.rows.iter().any(|row| row.figures.counts.contains_key(count));
    let has_days =
        |stage: &Stage| report.rows.iter().any(|row| row.figures.days.contains_key(stage));
    report
        .rows
        .chunks(BESIDE)
        .map(|rows| {
            let counts = Count::ALL.iter().filter(|count| is_shown(count)).map(|count| {
                (count.in_words(), rows.iter().map(|row| cell(&row.figures, *count)).collect())
            });
            let stages = Stage::ALL.iter().filter(|stage| has_days(stage)).map(|stage| {
                (stage.in_days(), rows.iter().map(|row| days_cell(&row.figures, *stage)).collect())
            });
            GroupTable {
                names: rows.iter().map(|row| row.names.join(", ")).collect(),
                lines: counts.chain(stages).collect(),
            }
        })
        .collect()
}

fn skill_lines(report: &inventory::Report) -> Vec<SkillLine> {
    let held = report.items.iter().filter(|named| !matches!(named.item, Item::Access(_)));
    held.map(|named| SkillLine {
        label: named.label.clone(),
        told: match report.total.get(&named.item) {
            None => "not told: it would tell of few people".to_owned(),
            Some(0) => format!("fewer than {FEWEST}"),
            Some(number) => format!("at least {number}"),
        },
    })
    .collect()
}

const fn standing(state: ProgramState) -> &'static str {
    match state {
        ProgramState::Draft | ProgramState::Rehearsal => "The programme has not been opened yet.",
        ProgramState::Open => "The programme is open; the figures will change.",
        ProgramState::Closed => "The programme is closed.",
    }
}

fn page_of(printed: Printed) -> ReportPage {
    let Printed { program, charter, organization, by_audience, by_school, plot, .. } = printed;
    let [audience_plot, school_plot] = printed.group_plots;
    let report = &by_audience;
    let audiences = group_tables(&by_audience)
        .into_iter()
        .map(|table| GroupTable {
            names: table.names.iter().map(|name| words::code_in_words(name)).collect(),
            ..table
        })
        .collect();
    ReportPage {
        title: program.title,
        organization,
        counted_on: in_words(report.as_of.as_utc().date_naive()),
        window: charter
            .window()
            .map(|(first, last)| format!("{} to {}", in_words(first), in_words(last))),
        standing: standing(program.state),
        is_exact: report.is_exact,
        theory: words::paragraphs(charter.theory_of_action()),
        aims: charter.aims().map(|aim| aim_line(aim, report)).collect(),
        figures: Count::ALL.iter().filter_map(|count| figure_line(*count, report)).collect(),
        stages: Stage::ALL.iter().map(|stage| stage_line(*stage, &report.total)).collect(),
        plot,
        groups: vec![
            GroupPart {
                id: "by-audience",
                heading: "By audience",
                plot: audience_plot,
                tables: audiences,
            },
            GroupPart {
                id: "by-school",
                heading: "By school",
                plot: school_plot,
                tables: group_tables(&by_school),
            },
        ],
        exclusions: report
            .exclusions
            .iter()
            .map(|one| ExclusionLine { words: one.words, count: one.count })
            .collect(),
        purpose: printed.purpose.as_deref().map(words::paragraphs).unwrap_or_default(),
        skills: printed.inventory.as_ref().map(skill_lines).unwrap_or_default(),
    }
}

/// The report as it is sent: nobody keeps a copy of it on the way.
fn send_report(printed: Printed) -> Result<HttpResponse, Problem> {
    let html = report_page(&page_of(printed)).map_err(Error::internal)?;
    let mut response = page(200, html);
    let no_store = header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

/// `GET /programs/{id}/report`
///
/// Nothing is looked up: whoever has not signed in must not learn from it whether there is such a programme.
pub async fn show_report_sign_in(Path(program): Path<ProgramId>) -> Result<HttpResponse, Problem> {
    rendered(report_sign_in_page(&program.to_string()))
}

/// Who wants to read the report.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportForm {
    email: String,
    password: String,
    /// Sent where the box is ticked.
    exact: Option<String>,
}

/// `POST /programs/{id}/report`
pub async fn show_report(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
    form: FormBody<ReportForm>,
) -> Result<HttpResponse, Problem> {
    let ReportForm { email, password, exact } = form.value;
    let turn = app.passwords.enter().await?;
    let tokens = app
        .run(&meta, "show_program_report", move |cx| sessions::create(cx, &email, &password))
        .await?;
    drop(turn);
    let signed_in = Meta { access_token: Some(tokens.access_token), ..meta };
    let found = app
        .run(&signed_in, "read_funnel", move |cx| {
            funnel::find_printed(cx, program, exact.is_some())
        })
        .await;
    // Nothing is left of the sign-in, whatever has come of it.
    app.run(&signed_in, "end_session", sessions::end).await?;
    send_report(found?)
}
