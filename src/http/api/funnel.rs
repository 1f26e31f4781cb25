//! The figures of a programme, as JSON, CSV and a plot.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Format, attachment, parse_word};
use crate::domain::csv;
use crate::domain::funnel::{Count, FEWEST, FEWEST_OF, Figures, Group, Stage};
use crate::domain::ids::ProgramId;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{Meta, Path, Query};
use crate::service::funnel::{self, FunnelQuery, NamedRow, Report};

/// One figure. Counts are persons, each once.
#[derive(Serialize, ToSchema)]
pub struct FunnelFigure {
    /// A stable word.
    id: &'static str,
    /// How many; null where so few could be singled out.
    numerator: Option<u64>,
    /// Of how many; null where that is not shown, or where there is no larger count.
    denominator: Option<u64>,
    /// The share in basis points, rounded down; null where one of the two is, and of fewer than 10.
    share_bp: Option<u64>,
    /// What is counted.
    numerator_is: &'static str,
    /// Of what.
    denominator_is: Option<&'static str>,
    /// What the charter wants to reach: basis points of a share, or a count.
    target: Option<i64>,
    /// Of which day; null for a figure from a file of the district where there is no file.
    #[schema(format = "date")]
    as_of: Option<String>,
}

/// How long a stage took, in working days of the organization's calendar.
#[derive(Serialize, ToSchema)]
pub struct StageView {
    /// A stable word.
    id: &'static str,
    /// Half needed so many or fewer; null of fewer than 10 persons.
    median: Option<u32>,
    /// Nine of ten did.
    percentile_90: Option<u32>,
    /// How many persons have come to its end; null where that is not shown.
    n: Option<u64>,
}

/// The figures of some people.
#[derive(Serialize, ToSchema)]
pub struct FiguresView {
    /// Counts and shares.
    figures: Vec<FunnelFigure>,
    /// Working days.
    stages: Vec<StageView>,
}

/// The figures of a group, or of several that are too small alone.
#[derive(Serialize, ToSchema)]
pub struct FunnelRow {
    /// The words or ids that it is asked for by.
    keys: Vec<String>,
    /// Their names.
    names: Vec<String>,
    /// The figures.
    #[serde(flatten)]
    figures: FiguresView,
}

/// Something that is left out of every figure.
#[derive(Serialize, ToSchema)]
pub struct ExclusionView {
    /// A stable word.
    reason: &'static str,
    /// In words.
    detail: &'static str,
    /// How many; null where they are few, or are not counted.
    count: Option<u64>,
}

/// The figures of a programme.
#[derive(Serialize, ToSchema)]
pub struct FunnelView {
    /// The programme.
    #[schema(format = "uuid")]
    program_id: String,
    /// Its title.
    title: String,
    /// When they were counted.
    #[schema(format = "date-time")]
    as_of: String,
    /// Whether small figures are shown as well.
    exact: bool,
    /// Counts from 1 to one less than this are not shown.
    fewest: u64,
    /// There is no percentage of fewer.
    fewest_of: u64,
    /// Of everybody.
    total: FiguresView,
    /// By group; empty where none was asked for, and where the groups are too small to be told apart.
    rows: Vec<FunnelRow>,
    /// What is left out.
    exclusions: Vec<ExclusionView>,
}

fn view_of(figures: &Figures, report: &Report) -> FiguresView {
    let figure = |count: &Count| FunnelFigure {
        id: count.as_str(),
        numerator: figures.counts.get(count).copied(),
        denominator: count.of().and_then(|of| figures.counts.get(&of)).copied(),
        share_bp: figures.share_bp(*count),
        numerator_is: count.in_words(),
        denominator_is: count.of().map(Count::in_words),
        target: count.metric().and_then(|metric| report.targets.get(metric)).copied(),
        as_of: report.day_of(*count).map(|day| day.to_string()),
    };
    let stage = |stage: &Stage| {
        let days = figures.days.get(stage);
        StageView {
            id: stage.as_str(),
            median: days.map(|days| days.median),
            percentile_90: days.map(|days| days.ninth),
            n: figures.counts.get(&stage.end()).copied(),
        }
    };
    FiguresView {
        figures: Count::ALL.iter().map(figure).collect(),
        stages: Stage::ALL.iter().map(stage).collect(),
    }
}

impl From<&Report> for FunnelView {
    fn from(report: &Report) -> FunnelView {
        let row = |row: &NamedRow| FunnelRow {
            keys: row.keys.iter().cloned().collect(),
            names: row.names.clone(),
            figures: view_of(&row.figures, report),
        };
        FunnelView {
            program_id: report.program.to_string(),
            title: report.title.clone(),
            as_of: report.as_of.to_string(),
            exact: report.is_exact,
            fewest: FEWEST,
            fewest_of: FEWEST_OF,
            total: view_of(&report.total, report),
            rows: report.rows.iter().map(row).collect(),
            exclusions: report
                .exclusions
                .iter()
                .map(|one| ExclusionView {
                    reason: one.reason,
                    detail: one.words,
                    count: one.count,
                })
                .collect(),
        }
    }
}

fn to_csv(report: &Report) -> String {
    let header = [
        "group",
        "figure",
        "numerator",
        "denominator",
        "share_bp",
        "median",
        "percentile_90",
        "target",
        "as_of",
        "exclusions",
    ];
    let mut text = csv::line(&header);
    let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    let exclusions: Vec<&str> = report.exclusions.iter().map(|one| one.reason).collect();
    let exclusions = exclusions.join(" ");
    let as_of = report.as_of.date();
    let mut add = |group: &str, figures: &Figures| {
        let view = view_of(figures, report);
        for one in view.figures {
            text += &csv::line(&[
                group.to_owned(),
                one.id.to_owned(),
                number(one.numerator),
                number(one.denominator),
                number(one.share_bp),
                String::new(),
                String::new(),
                one.target.map(|target| target.to_string()).unwrap_or_default(),
                one.as_of.unwrap_or_default(),
                exclusions.clone(),
            ]);
        }
        for one in view.stages {
            text += &csv::line(&[
                group.to_owned(),
                one.id.to_owned(),
                number(one.n),
                String::new(),
                String::new(),
                number(one.median.map(u64::from)),
                number(one.percentile_90.map(u64::from)),
                String::new(),
                as_of.clone(),
                exclusions.clone(),
            ]);
        }
    };
    add("everybody", &report.total);
    for row in &report.rows {
        add(&row.names.join("; "), &row.figures);
    }
    text
}

#[derive(Clone, Copy)]
struct By(Group);

impl By {
    const ALL: [By; 2] = [By(Group::Audience), By(Group::School)];

    fn parse(word: &str) -> Option<By> {
        By::ALL.into_iter().find(|by| by.to_string() == word)
    }
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Group::Audience => "audience",
            Group::School => "school",
        })
    }
}

/// Which figures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunnelParameters {
    by: Option<String>,
    group: Option<String>,
    format: Option<String>,
    #[serde(default)]
    exact: bool,
}

/// `GET /api/v1/programs/{id}/funnel`
pub async fn read_funnel(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
    Query(parameters): Query<FunnelParameters>,
) -> Result<HttpResponse, Problem> {
    let format = parse_word("format", parameters.format.as_deref(), Format::parse, &Format::ALL)?
        .unwrap_or(Format::Json);
    let by = parse_word("by", parameters.by.as_deref(), By::parse, &By::ALL)?;
    let wanted =
        FunnelQuery { by: by.map(|by| by.0), group: parameters.group, is_exact: parameters.exact };
    if format == Format::Json {
        return app
            .read(meta, "read_funnel", move |cx| {
                Answer::json(200, &FunnelView::from(&funnel::find(cx, program, &wanted)?))
            })
            .await;
    }
    let report =
        app.run(&meta, "read_funnel", move |cx| funnel::find(cx, program, &wanted)).await?;
    let (media_type, name, body) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "funnel.csv", to_csv(&report)),
        Format::Svg | Format::Json => ("image/svg+xml", "funnel.svg", funnel::plot(&report)),
    };
    Ok(attachment(media_type, name, body))
}
