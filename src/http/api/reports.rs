//! Reports: how far assessors agree, as JSON, CSV and a plot.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::parse_word;
use crate::domain::csv;
use crate::domain::ids::MicroCredentialId;
use crate::domain::statistics::agreement::{Agreement, Proportion};
use crate::domain::statistics::report::Summary;
use crate::domain::statistics::{Figure, Precision, Undefined};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{Meta, Query};
use crate::service::agreement_plots;
use crate::service::agreement_reports::{self, AssessorLine, Report};

/// So many of so many, with the 95 percent interval of Wilson.
#[derive(Serialize, ToSchema)]
pub struct ShareView {
    /// How many.
    count: u64,
    /// Of how many.
    n: u64,
    /// The share; null of nothing.
    share: Option<f64>,
    /// The lower end of the interval.
    low: Option<f64>,
    /// The upper end.
    high: Option<f64>,
}

impl From<Proportion> for ShareView {
    fn from(proportion: Proportion) -> ShareView {
        let interval = proportion.wilson().ok();
        ShareView {
            count: proportion.count(),
            n: proportion.n(),
            share: proportion.value().ok(),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
        }
    }
}

/// A coefficient, or why there is none.
#[derive(Serialize, ToSchema)]
pub struct FigureView {
    /// The figure.
    value: Option<f64>,
    /// Why there is none.
    reason: Option<&'static str>,
}

impl From<Figure> for FigureView {
    fn from(figure: Figure) -> FigureView {
        match figure {
            Ok(value) => FigureView { value: Some(value), reason: None },
            Err(reason) => FigureView { value: None, reason: Some(reason.as_str()) },
        }
    }
}

impl FigureView {
    fn hidden() -> FigureView {
        FigureView { value: None, reason: Some(Undefined::InsufficientData.as_str()) }
    }
}

/// What is said of one criterion, or of all together.
#[derive(Serialize, ToSchema)]
pub struct SummaryView {
    /// How many units were read twice or more.
    n: u64,
    /// By how many assessors.
    raters: usize,
    /// How many levels the scale has.
    levels: usize,
    /// The same level.
    exact: ShareView,
    /// At most one level apart.
    adjacent: ShareView,
    /// The same side of the cut.
    decision: ShareView,
    /// usual, imprecise (under 50 units) or insufficient_data (under 20: no coefficients).
    precision: &'static str,
    /// Cohen's kappa of first and second readings.
    kappa: FigureView,
    /// The same with quadratic weights on the declared scale.
    quadratic_kappa: FigureView,
    /// Krippendorff's alpha, ordinal.
    alpha: FigureView,
}

impl From<Summary> for SummaryView {
    fn from(summary: Summary) -> SummaryView {
        let agreement = summary.agreement;
        let [kappa, quadratic_kappa, alpha] = match summary.coefficients {
            Some(found) => [found.kappa, found.quadratic_kappa, found.alpha].map(FigureView::from),
            None => [FigureView::hidden(), FigureView::hidden(), FigureView::hidden()],
        };
        SummaryView {
            n: agreement.n,
            raters: summary.raters,
            levels: summary.levels,
            exact: agreement.exact().into(),
            adjacent: agreement.adjacent_or_exact().into(),
            decision: agreement.decision().into(),
            precision: summary.precision.as_str(),
            kappa,
            quadratic_kappa,
            alpha,
        }
    }
}

/// One criterion.
#[derive(Serialize, ToSchema)]
pub struct CriterionAgreement {
    /// Its id.
    criterion_id: String,
    /// Its title.
    title: String,
    /// What is said of it.
    #[serde(flatten)]
    summary: SummaryView,
}

/// One assessor beside everybody who read the same.
#[derive(Serialize, ToSchema)]
pub struct AssessorAgreement {
    /// Who.
    #[schema(format = "uuid")]
    assessor_id: String,
    /// How many submissions they have read.
    submissions: usize,
    /// Readings beside another one, on all criteria.
    n: u64,
    /// The same level.
    exact: ShareView,
    /// At most one level apart.
    adjacent: ShareView,
    /// The same side of the cut.
    decision: ShareView,
    /// Their mean level less the others': above 0 is lenient.
    mean_difference: FigureView,
    /// How severe they are, in logits, by a many-facet Rasch model; more is more severe.
    severity: Option<f64>,
    /// Its standard error.
    severity_standard_error: Option<f64>,
}

impl From<AssessorLine> for AssessorAgreement {
    fn from(line: AssessorLine) -> AssessorAgreement {
        let agreement: Agreement = line.beside.agreement;
        AssessorAgreement {
            assessor_id: line.person.to_string(),
            submissions: line.submissions,
            n: agreement.n,
            exact: agreement.exact().into(),
            adjacent: agreement.adjacent_or_exact().into(),
            decision: agreement.decision().into(),
            mean_difference: if Precision::of(agreement.n) == Precision::Insufficient {
                FigureView::hidden()
            } else {
                line.beside.differences.mean().into()
            },
            severity: line.severity.map(|measure| measure.estimate),
            severity_standard_error: line.severity.map(|measure| measure.standard_error),
        }
    }
}

/// How far assessors agree on a micro-credential.
#[derive(Serialize, ToSchema)]
pub struct AgreementReport {
    /// The micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// Its title.
    title: String,
    /// The rubric: versions with another one are left out.
    scoring_hash: String,
    /// How many submissions were read.
    submissions: usize,
    /// How many of them twice or more.
    double_read: usize,
    /// How often two sheets would have decided the same.
    decision: ShareView,
    /// All criteria together; null where they are on several scales.
    overall: Option<SummaryView>,
    /// By criterion.
    criteria: Vec<CriterionAgreement>,
    /// By assessor.
    assessors: Vec<AssessorAgreement>,
    /// Why there are no severities: under 30 submissions read twice, assessors that are not linked, …
    severity_reason: Option<&'static str>,
}

impl From<Report> for AgreementReport {
    fn from(report: Report) -> AgreementReport {
        let (submissions, double_read) = report.submissions;
        AgreementReport {
            micro_credential_id: report.micro_credential.to_string(),
            title: report.title,
            scoring_hash: report.scoring_hash,
            submissions,
            double_read,
            decision: report.decision.exact().into(),
            overall: report.overall.ok().map(SummaryView::from),
            criteria: report
                .criteria
                .into_iter()
                .map(|line| CriterionAgreement {
                    criterion_id: line.id,
                    title: line.title,
                    summary: line.summary.into(),
                })
                .collect(),
            assessors: report.assessors.into_iter().map(AssessorAgreement::from).collect(),
            severity_reason: report.severity_reason.map(Undefined::as_str),
        }
    }
}

fn number(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.4}")).unwrap_or_default()
}

fn to_csv(report: &AgreementReport) -> String {
    let header = [
        "kind",
        "id",
        "title",
        "n",
        "raters",
        "levels",
        "exact",
        "exact_low",
        "exact_high",
        "adjacent",
        "decision",
        "precision",
        "kappa",
        "quadratic_kappa",
        "alpha",
        "mean_difference",
        "severity",
        "severity_standard_error",
    ];
    let mut text = csv::line(&header.map(str::to_owned));
    let shares = |exact: &ShareView, adjacent: &ShareView, decision: &ShareView| {
        [exact.share, exact.low, exact.high, adjacent.share, decision.share].map(number)
    };
    let summary = |kind: &str, id: &str, title: &str, view: &SummaryView| {
        let mut cells = vec![kind.to_owned(), id.to_owned(), title.to_owned()];
        cells.extend([view.n.to_string(), view.raters.to_string(), view.levels.to_string()]);
        cells.extend(shares(&view.exact, &view.adjacent, &view.decision));
        cells.push(view.precision.to_owned());
        let figures = [view.kappa.value, view.quadratic_kappa.value, view.alpha.value];
        cells.extend(figures.map(number));
        cells.resize(header.len(), String::new());
        csv::line(&cells)
    };
    if let Some(overall) = &report.overall {
        text += &summary("overall", &report.micro_credential_id, &report.title, overall);
    }
    for line in &report.criteria {
        text += &summary("criterion", &line.criterion_id, &line.title, &line.summary);
    }
    for line in &report.assessors {
        let mut cells = vec!["assessor".to_owned(), line.assessor_id.clone(), String::new()];
        cells.extend([line.n.to_string(), String::new(), String::new()]);
        cells.extend(shares(&line.exact, &line.adjacent, &line.decision));
        cells.resize(header.len() - 3, String::new());
        let figures = [line.mean_difference.value, line.severity, line.severity_standard_error];
        cells.extend(figures.map(number));
        text += &csv::line(&cells);
    }
    text
}

/// What a report is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportParameters {
    micro_credential_id: MicroCredentialId,
    format: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Agreement,
    Severity,
}

impl Format {
    const ALL: [Format; 4] = [Format::Json, Format::Csv, Format::Agreement, Format::Severity];

    const fn as_str(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Agreement => "svg",
            Format::Severity => "svg_severity",
        }
    }

    fn parse(word: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `GET /api/v1/reports/agreement`
pub async fn read_agreement_report(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<ReportParameters>,
) -> Result<HttpResponse, Problem> {
    let format = parse_word("format", parameters.format.as_deref(), Format::parse, &Format::ALL)?
        .unwrap_or(Format::Json);
    let family = parameters.micro_credential_id;
    if format == Format::Json {
        return app
            .read(meta, "read_agreement_report", move |cx| {
                let report = agreement_reports::find(cx, family)?;
                Answer::json(200, &AgreementReport::from(report))
            })
            .await;
    }
    let report = app
        .run(&meta, "read_agreement_report", move |cx| agreement_reports::find(cx, family))
        .await?;
    let (media_type, name, body) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "agreement.csv", to_csv(&report.into())),
        Format::Severity => {
            ("image/svg+xml", "severity.svg", agreement_plots::plot_severity(&report))
        }
        Format::Agreement | Format::Json => {
            ("image/svg+xml", "agreement.svg", agreement_plots::plot_agreement(&report))
        }
    };
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .insert_header(("content-disposition", format!("attachment; filename=\"{name}\"")))
        .content_type(media_type)
        .body(body))
}

/// One's own agreement with the others.
#[derive(Serialize, ToSchema)]
pub struct OwnAgreement {
    /// The micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// Its title.
    title: String,
    /// One's own line; null under 20 comparisons.
    own: Option<AssessorAgreement>,
}

/// Which micro-credential one's own view is about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnParameters {
    micro_credential_id: MicroCredentialId,
}

/// `GET /api/v1/reports/agreement/mine`
pub async fn read_own_agreement(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<OwnParameters>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_own_agreement", move |cx| {
        let (report, own) = agreement_reports::find_own(cx, parameters.micro_credential_id)?;
        let view = OwnAgreement {
            micro_credential_id: report.micro_credential.to_string(),
            title: report.title,
            own: own.map(AssessorAgreement::from),
        };
        Answer::json(200, &view)
    })
    .await
}
