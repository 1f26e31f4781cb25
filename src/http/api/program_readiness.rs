//! Whether a programme could open, as JSON.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::eligibility::EligibilityRule;
use crate::domain::ids::ProgramId;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{Meta, Path, Query};
use crate::service::program_readiness::{
    self, DayLine, DefinitionLine, HourLine, ProgramReadiness, Rate, ReadinessFinding, SeatLine,
};

/// What the report is asked with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadinessParameters {
    rate_minor: Option<u64>,
    currency: Option<String>,
}

/// Something to do before or after a programme opens.
#[derive(Serialize, ToSchema)]
pub struct ReadinessFindingView {
    /// look, or blocks: the programme does not open before it is settled.
    standing: &'static str,
    /// Where in the charter, as an RFC 6901 pointer.
    pointer: String,
    /// A stable word.
    code: &'static str,
    /// What to do about it.
    detail: String,
}

/// The places of a cohort.
#[derive(Serialize, ToSchema)]
pub struct SeatView {
    /// Its id in the charter.
    cohort: String,
    /// Its name.
    label: String,
    /// For how many people the charter plans it; null where it does not say.
    places: Option<u64>,
    /// How many are on its list.
    invited: u64,
    /// With how many the figures count: the larger of the two.
    people: u64,
    /// How many of them hand in, if the targets of the charter are reached.
    submitters: u64,
}

/// How many assessors a rule keeps away.
#[derive(Serialize, ToSchema)]
pub struct KeptAwayView {
    /// The rule.
    rule: &'static str,
    /// How many assessors.
    assessors: usize,
    /// In words: assessors who ….
    words: &'static str,
}

/// A school whose people's work could not be decided.
#[derive(Serialize, ToSchema)]
pub struct SchoolConflictView {
    /// The school.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Its name.
    name: String,
    /// How many assessors may read work of its people.
    eligible: usize,
}

/// A definition, and who could read for it.
#[derive(Serialize, ToSchema)]
pub struct ReadinessDefinitionView {
    /// The micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// The version that is meant.
    version: i32,
    /// Its title.
    title: String,
    /// single, conditional_double or double_blind.
    mode: &'static str,
    /// How many sheets every decision needs.
    sheets: u8,
    /// How many assessors there are.
    assessors: usize,
    /// How many of them may read.
    eligible: usize,
    /// What keeps the others away; somebody may be counted at several rules.
    kept_away: Vec<KeptAwayView>,
    /// Schools whose people's work could not be decided: too few assessors of other schools.
    schools_without_assessor: Vec<SchoolConflictView>,
    /// How many invited people are in that position, by school, ties or the district.
    people_without_assessor: u64,
    /// The rules that keep assessors from these people.
    blocked_by: Vec<&'static str>,
    /// What is handed in: first attempts and one more of each not-yet.
    attempts: u64,
    /// How often it is read; third readings come on top.
    readings: u64,
}

/// Hours of reading.
#[derive(Serialize, ToSchema)]
pub struct ReadinessHoursView {
    /// Different assessors who may read for at least one definition.
    assessors: u64,
    /// All readings.
    readings: u64,
    /// How long one takes, as the charter says.
    minutes_per_reading: Option<u64>,
    /// How many hours each assessor gives, as the charter says.
    hours_per_assessor: Option<u64>,
    /// readings × minutes_per_reading.
    needed_minutes: Option<u64>,
    /// assessors × hours_per_assessor × 60.
    available_minutes: Option<u64>,
}

/// Working days of the organization's calendar.
#[derive(Serialize, ToSchema)]
pub struct ReadinessDaysView {
    /// Of the programme's window, both ends included.
    window: Option<u64>,
    /// Within which a decision is promised.
    promised: u64,
    /// Until half of the decisions are there, if everybody hands in at once.
    expected: Option<u64>,
    /// Until the last one is.
    last: Option<u64>,
    /// The day of the last one, if everybody hands in on the last day of the window.
    #[schema(format = "date")]
    last_on: Option<String>,
}

/// What the needed hours cost.
#[derive(Serialize, ToSchema)]
pub struct ReadinessCostView {
    /// What an hour costs, in minor units.
    rate_minor: u64,
    /// The currency.
    currency: String,
    /// The cost in minor units, rounded up; null where the hours are not known.
    amount_minor: Option<u64>,
}

/// Whether a programme could open.
#[derive(Serialize, ToSchema)]
pub struct ReadinessView {
    /// The programme.
    #[schema(format = "uuid")]
    program_id: String,
    /// draft, rehearsal, open or closed.
    state: &'static str,
    /// When it was looked at.
    #[schema(format = "date-time")]
    as_of: String,
    /// Whether nothing blocks.
    ready: bool,
    /// Places by cohort.
    seats: Vec<SeatView>,
    /// Readers by definition.
    definitions: Vec<ReadinessDefinitionView>,
    /// Hours.
    hours: ReadinessHoursView,
    /// Working days.
    days: ReadinessDaysView,
    /// Cost at the rate of the request; null without one.
    cost: Option<ReadinessCostView>,
    /// Everything that there is to do, by place in the charter.
    findings: Vec<ReadinessFindingView>,
}

impl From<ReadinessFinding> for ReadinessFindingView {
    fn from(found: ReadinessFinding) -> ReadinessFindingView {
        ReadinessFindingView {
            standing: found.standing.as_str(),
            pointer: found.pointer,
            code: found.code,
            detail: found.detail,
        }
    }
}

impl From<SeatLine> for SeatView {
    fn from(line: SeatLine) -> SeatView {
        SeatView {
            cohort: line.cohort,
            label: line.label,
            places: line.places,
            invited: line.invited,
            people: line.people,
            submitters: line.submitters,
        }
    }
}

impl From<DefinitionLine> for ReadinessDefinitionView {
    fn from(line: DefinitionLine) -> ReadinessDefinitionView {
        let kept_away = |(rule, assessors): (EligibilityRule, usize)| KeptAwayView {
            rule: rule.as_str(),
            assessors,
            words: rule.in_words(),
        };
        ReadinessDefinitionView {
            micro_credential_id: line.micro_credential.to_string(),
            version: line.version,
            title: line.title,
            mode: crate::service::badge_content::mode_word(line.mode),
            sheets: line.sheets,
            assessors: line.assessors,
            eligible: line.eligible,
            kept_away: line.kept_away.into_iter().map(kept_away).collect(),
            schools_without_assessor: line
                .schools
                .into_iter()
                .map(|one| SchoolConflictView {
                    organization_id: one.school.to_string(),
                    name: one.name,
                    eligible: one.eligible,
                })
                .collect(),
            people_without_assessor: line.people_without,
            blocked_by: line.blocked_by.into_iter().map(EligibilityRule::as_str).collect(),
            attempts: line.attempts.all,
            readings: line.readings,
        }
    }
}

impl From<HourLine> for ReadinessHoursView {
    fn from(line: HourLine) -> ReadinessHoursView {
        ReadinessHoursView {
            assessors: line.assessors,
            readings: line.readings,
            minutes_per_reading: line.planning.map(|one| one.minutes_per_reading),
            hours_per_assessor: line.planning.map(|one| one.hours_per_assessor),
            needed_minutes: line.needed_minutes,
            available_minutes: line.available_minutes,
        }
    }
}

impl From<DayLine> for ReadinessDaysView {
    fn from(line: DayLine) -> ReadinessDaysView {
        ReadinessDaysView {
            window: line.window,
            promised: line.promised,
            expected: line.expected,
            last: line.last,
            last_on: line.last_on.map(|day| day.to_string()),
        }
    }
}

impl From<(Rate, Option<u64>)> for ReadinessCostView {
    fn from((rate, amount_minor): (Rate, Option<u64>)) -> ReadinessCostView {
        ReadinessCostView { rate_minor: rate.minor, currency: rate.currency, amount_minor }
    }
}

impl From<ProgramReadiness> for ReadinessView {
    fn from(report: ProgramReadiness) -> ReadinessView {
        ReadinessView {
            program_id: report.program.to_string(),
            state: report.state.as_str(),
            as_of: report.as_of.to_string(),
            ready: report.is_ready(),
            seats: report.seats.into_iter().map(SeatView::from).collect(),
            definitions: report.definitions.into_iter().map(Into::into).collect(),
            hours: report.hours.into(),
            days: report.days.into(),
            cost: report.cost.map(ReadinessCostView::from),
            findings: report.findings.into_iter().map(ReadinessFindingView::from).collect(),
        }
    }
}

/// `GET /api/v1/programs/{id}/readiness`
pub async fn read_program_readiness(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<ProgramId>,
    Query(parameters): Query<ReadinessParameters>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_program_readiness", move |cx| {
        let rate =
            program_readiness::check_rate(parameters.rate_minor, parameters.currency.as_deref())?;
        Answer::json(200, &ReadinessView::from(program_readiness::find(cx, id, rate)?))
    })
    .await
}
