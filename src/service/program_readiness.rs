//! Whether a programme could open: seats, assessors, conflicts, hours, days and cost, each line with what to do about it.
//!
//! Who may read is asked of the one judgement (`eligibility::Judge`). The formulas are in `domain::program_readiness`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::charter_document::{Cohort, NamedDefinition, ParsedCharter, Planning};
use super::cohorts::charter_of;
use super::context::{Cx, branch_up};
use super::eligibility::{self, Expected, Judge};
use super::error::{Error, Fault};
use super::micro_credentials::parse_stored;
use super::programs::{self, Program};
use super::submissions::PROMISED_WORKING_DAYS;
use crate::domain::calendar::Calendar;
use crate::domain::eligibility::EligibilityRule;
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, ProgramId};
use crate::domain::organization::OrganizationKind;
use crate::domain::policy;
use crate::domain::program::ProgramState;
use crate::domain::program_readiness::{
    Attempts, Expectation, LineStanding, cost_minor, days_to_decide, may_need_second, readings,
};
use crate::domain::review_policy::ReviewMode;
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;
use crate::store::cohorts::{Invitee, InviteeQuery};
use crate::store::micro_credentials::Version;
use crate::store::{self, DbConn};

/// The highest rate of an hour, in minor units.
const HIGHEST_RATE: u64 = 100_000_000;

/// Something to do, and where it stands in the charter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadinessFinding {
    /// Whether the programme opens all the same.
    pub standing: LineStanding,
    /// Where, as an RFC 6901 pointer to the charter.
    pub pointer: String,
    /// A stable word.
    pub code: &'static str,
    /// What to do about it.
    pub detail: String,
}

/// The places of a cohort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatLine {
    /// Its id in the charter.
    pub cohort: String,
    /// Its name.
    pub label: String,
    /// For how many it is planned.
    pub places: Option<u64>,
    /// How many are on its list, whatever they have answered.
    pub invited: u64,
    /// With how many the figures below count: the larger of the two.
    pub people: u64,
    /// How many of them hand in, if the charter's targets are reached.
    pub submitters: u64,
}

/// A school whose people have too few readers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchoolConflict {
    /// Which.
    pub school: OrganizationId,
    /// Its name.
    pub name: String,
    /// How many assessors may read work of its people.
    pub eligible: usize,
}

/// A definition, and who could read what is handed in at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionLine {
    /// The micro-credential.
    pub micro_credential: MicroCredentialId,
    /// The version that is meant.
    pub version: i32,
    /// Its title.
    pub title: String,
    /// How it is read here, with what a waiver adds.
    pub mode: ReviewMode,
    /// How many sheets every decision needs.
    pub sheets: u8,
    /// How many assessors there are.
    pub assessors: usize,
    /// How many of them may read the work of somebody of whom nothing is known.
    pub eligible: usize,
    /// How many of the others each rule keeps away.
    pub kept_away: BTreeMap<EligibilityRule, usize>,
    /// Schools whose people's work could not be decided.
    pub schools: Vec<SchoolConflict>,
    /// How many of those who are invited are in the same position.
    pub people_without: u64,
    /// Rules that keep assessors from these people's work.
    pub blocked_by: BTreeSet<EligibilityRule>,
    /// What is handed in.
    pub attempts: Attempts,
    /// How often it is read, third readings left out.
    pub readings: u64,
}

/// Hours, needed and there. None where the charter does not say what to count with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourLine {
    /// Different assessors who may read at least one of the definitions.
    pub assessors: u64,
    /// All readings.
    pub readings: u64,
    /// What the charter counts with.
    pub planning: Option<Planning>,
    /// Minutes that the readings take.
    pub needed_minutes: Option<u64>,
    /// Minutes that there are.
    pub available_minutes: Option<u64>,
}

/// Working days of the organization's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayLine {
    /// Of the programme's window.
    pub window: Option<u64>,
    /// Within which a decision is promised.
    pub promised: u64,
    /// Until the decision in the middle, if everybody hands in at once.
    pub expected: Option<u64>,
    /// Until the last one.
    pub last: Option<u64>,
    /// The day of the last one, if everybody hands in on the last day of the window.
    pub last_on: Option<NaiveDate>,
}

/// What an hour costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In minor units: cents.
    pub minor: u64,
    /// The code of ISO 4217.
    pub currency: String,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramReadiness {
    /// Which programme.
    pub program: ProgramId,
    /// Where it stands.
    pub state: ProgramState,
    /// When it was looked at.
    pub as_of: Timestamp,
    /// Places by cohort.
    pub seats: Vec<SeatLine>,
    /// Readers by definition.
    pub definitions: Vec<DefinitionLine>,
    /// Hours.
    pub hours: HourLine,
    /// Working days.
    pub days: DayLine,
    /// The rate that was asked with, and what the needed hours cost at it in minor units.
    pub cost: Option<(Rate, Option<u64>)>,
    /// Everything that there is to do.
    pub findings: Vec<ReadinessFinding>,
}

impl ProgramReadiness {
    /// Whether nothing of it keeps the programme from opening.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.findings.iter().all(|found| found.standing != LineStanding::Blocks)
    }
}

/// Reads the rate of a request.
///
/// # Errors
/// [`Error::Invalid`] for half of one, and for what is none.
pub fn check_rate(minor: Option<u64>, currency: Option<&str>) -> Result<Option<Rate>, Error> {
    let refuse = |at: &str, detail: String| Err(Error::invalid(at, "rate", detail));
    match (minor, currency) {
        (None, None) => Ok(None),
        (Some(_), None) => refuse("/currency", "name the currency of the rate too".to_owned()),
        (None, Some(_)) => refuse("/rate_minor", "name the rate of an hour too".to_owned()),
        (Some(minor), _) if minor > HIGHEST_RATE => {
            refuse("/rate_minor", format!("a rate is 0 to {HIGHEST_RATE} minor units an hour"))
        }
        (Some(minor), Some(currency)) => {
            if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Ok(Some(Rate { minor, currency: currency.to_owned() }));
            }
            let detail = "a currency is three capital letters, as EUR or USD";
            refuse("/currency", detail.to_owned())
        }
    }
}

/// `GET /programs/{id}/readiness`: what the plan of a programme comes to, and what is in its way. Also once it is open.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn find(cx: &mut Cx<'_>, id: ProgramId, rate: Option<Rate>) -> Result<ProgramReadiness, Error> {
    let (program, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "read_program_readiness", &subject)?;
    let invitees = store::cohorts::list(cx.conn, id, &InviteeQuery::default())?;
    let charter = charter_of(&program)?;
    let calendar = store::calendars::find_in_force(cx.conn, program.organization)?;
    let mut report = Report::new(&program, &charter, cx.now);
    let seats = report.seats(&invitees);
    let definitions = report.definitions(cx.conn, &seats, Some(&invitees))?;
    let hours = report.hours(&definitions);
    let days = report.days(hours, &calendar.unwrap_or_default());
    let cost = rate.map(|rate| {
        let amount = hours.needed_minutes.map(|minutes| cost_minor(minutes, rate.minor));
        (rate, amount)
    });
    let mut findings = report.findings;
    findings.sort_by(|left, right| (&left.pointer, left.code).cmp(&(&right.pointer, right.code)));
    Ok(ProgramReadiness {
        program: id,
        state: program.state,
        as_of: cx.now,
        seats,
        definitions,
        hours,
        days,
        cost,
        findings,
    })
}

/// What keeps a programme from opening, each with its place in the charter.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn list_blocking(
    conn: &mut DbConn,
    program: &Program,
    charter: &ParsedCharter,
    now: Timestamp,
) -> Result<Vec<Fault>, Error> {
    let mut report = Report::new(program, charter, now);
    report.definitions(conn, &[], None)?;
    let blocking = report.findings.into_iter();
    Ok(blocking
        .filter(|found| found.standing == LineStanding::Blocks)
        .map(|found| Fault::new(format!("/charter{}", found.pointer), found.code, found.detail))
        .collect())
}

/// A definition with the cohorts that name it.
struct Named {
    version: Version,
    pointer: String,
    cohorts: BTreeSet<String>,
}

/// What is found out so far.
struct Report<'a> {
    program: &'a Program,
    charter: &'a ParsedCharter,
    cohorts: Vec<Cohort>,
    expectation: Expectation,
    judge: Judge,
    readers: BTreeSet<PersonId>,
    now: Timestamp,
    findings: Vec<ReadinessFinding>,
}

impl<'a> Report<'a> {
    fn new(program: &'a Program, charter: &'a ParsedCharter, now: Timestamp) -> Report<'a> {
        let targets: BTreeMap<&str, i64> = charter.targets().into_iter().collect();
        let target =
            |metric: &str| targets.get(metric).and_then(|target| u64::try_from(*target).ok());
        Report {
            program,
            charter,
            cohorts: charter.cohort_ids().filter_map(|id| charter.find_cohort(id)).collect(),
            expectation: Expectation {
                enrolled: target("enrolment_rate"),
                submitted: target("submission_rate"),
                earned_first: target("earn_rate_first"),
            },
            judge: Judge::new(now),
            readers: BTreeSet::new(),
            now,
            findings: Vec::new(),
        }
    }

    fn note(
        &mut self,
        standing: LineStanding,
        pointer: &str,
        code: &'static str,
        detail: impl Into<String>,
    ) {
        let pointer = pointer.to_owned();
        self.findings.push(ReadinessFinding { standing, pointer, code, detail: detail.into() });
    }

    fn seats(&mut self, invitees: &[Invitee]) -> Vec<SeatLine> {
        let mut lines = Vec::new();
        for (index, cohort) in self.cohorts.clone().into_iter().enumerate() {
            let listed = invitees.iter().filter(|one| one.cohort == cohort.id).count();
            let invited = u64::try_from(listed).unwrap_or(u64::MAX);
            let people = cohort.places.unwrap_or(0).max(invited);
            let pointer = format!("/cohorts/{index}");
            match cohort.places {
                None => self.note(
                    LineStanding::Look,
                    &pointer,
                    "places_missing",
                    "Say for how many people the cohort is planned (places); until then the figures count those who are on its list.",
                ),
                Some(places) if invited > places => self.note(
                    LineStanding::Look,
                    &pointer,
                    "more_than_places",
                    format!("{invited} people are on the list, and {places} were planned; look at the hours below, and at the schools' time."),
                ),
                Some(_) => {}
            }
            lines.push(SeatLine {
                submitters: self.expectation.submitters(people),
                cohort: cohort.id,
                label: cohort.label,
                places: cohort.places,
                invited,
                people,
            });
        }
        lines
    }

    /// Every definition that is named, once.
    fn named(&mut self, conn: &mut DbConn) -> Result<Vec<Named>, Error> {
        let among = branch_up(conn, self.program.organization)?;
        let mut found: Vec<Named> = Vec::new();
        for cohort in self.cohorts.clone() {
            for NamedDefinition { pointer, slug, number } in cohort.definitions {
                let version = store::micro_credentials::find_named(conn, &among, &slug, number)?;
                let Some(version) = version else {
                    let detail = "There is no published version of this here or above; publish it first, or take it out.";
                    self.note(LineStanding::Blocks, &pointer, "definition_not_published", detail);
                    continue;
                };
                match found.iter_mut().find(|one| one.version.id == version.id) {
                    Some(known) => {
                        known.cohorts.insert(cohort.id.clone());
                    }
                    None => found.push(Named {
                        version,
                        pointer,
                        cohorts: BTreeSet::from([cohort.id.clone()]),
                    }),
                }
            }
        }
        Ok(found)
    }

    /// The line of each definition. Without invitees only what can keep the programme from opening is looked at.
    fn definitions(
        &mut self,
        conn: &mut DbConn,
        seats: &[SeatLine],
        invitees: Option<&[Invitee]>,
    ) -> Result<Vec<DefinitionLine>, Error> {
        let organization = self.program.organization;
        let assessors = eligibility::list_readers(conn, organization, SubmissionState::Queued)?;
        let mut lines = Vec::new();
        for named in self.named(conn)? {
            let definition = parse_stored(&named.version)?.definition;
            let review = eligibility::policy_within(conn, organization, &definition, self.now)?;
            let matter =
                self.judge.expect(conn, organization, &named.version, Expected::Anybody)?;
            let (mut eligible, mut kept_away) = (0, BTreeMap::new());
            for person in &assessors {
                let verdict = self.judge.expect_verdict(conn, *person, &matter)?;
                if verdict.is_eligible() {
                    eligible += 1;
                    self.readers.insert(*person);
                }
                for rule in verdict.refusals {
                    *kept_away.entry(rule).or_default() += 1;
                }
            }
            let attempts = seats
                .iter()
                .filter(|seat| named.cohorts.contains(&seat.cohort))
                .map(|seat| self.expectation.attempts(seat.people))
                .fold(Attempts::default(), Attempts::and);
            let mut line = DefinitionLine {
                micro_credential: named.version.micro_credential,
                version: named.version.number,
                title: named.version.title.clone(),
                mode: review.mode(),
                sheets: review.sheets_required(),
                assessors: assessors.len(),
                eligible,
                kept_away,
                schools: Vec::new(),
                people_without: 0,
                blocked_by: BTreeSet::new(),
                readings: readings(&review, attempts),
                attempts,
            };
            let can_be_read = self.judge.can_be_read(conn, &assessors, &matter, line.sheets)?;
            self.note_readers(&named, &line, can_be_read);
            if let (Some(invitees), true) = (invitees, can_be_read) {
                if line.sheets < 2
                    && may_need_second(&review)
                    && !self.judge.can_be_read(conn, &assessors, &matter, 2)?
                {
                    let detail = "Some work is read twice, and there are no two assessors who may read the same one; win one of another school.";
                    self.note(LineStanding::Look, &named.pointer, "no_second_reader", detail);
                }
                self.conflicts(conn, &named, invitees, &assessors, &mut line)?;
            }
            if line.kept_away.contains_key(&EligibilityRule::SameDistrict) {
                let detail = "Assessors of the district are kept away. A group can waive that (same-district-waiver), or assessors of another district help.";
                self.note(LineStanding::Look, &named.pointer, "waiver_missing", detail);
            }
            lines.push(line);
        }
        Ok(lines)
    }

    fn note_readers(&mut self, named: &Named, line: &DefinitionLine, can_be_read: bool) {
        if can_be_read {
            return;
        }
        let title = &named.version.title;
        let rules: Vec<String> = line
            .kept_away
            .iter()
            .map(|(rule, count)| format!("{count} {}", rule.in_words()))
            .collect();
        let why = match (line.assessors, rules.is_empty()) {
            (0, _) => "there are no assessors; invite some".to_owned(),
            (_, true) => {
                "two are needed for each work, who are not of one school; win one more".to_owned()
            }
            (_, false) => format!("of {} assessors: {}", line.assessors, rules.join(", ")),
        };
        let (code, detail) = if line.eligible == 0 {
            ("no_eligible_assessor", format!("Nobody may read work for {title}: {why}."))
        } else {
            ("too_few_assessors", format!("Too few may read work for {title}: {why}."))
        };
        self.note(LineStanding::Blocks, &named.pointer, code, detail);
    }

    /// Schools and people whose work could not be decided, although that of others could.
    fn conflicts(
        &mut self,
        conn: &mut DbConn,
        named: &Named,
        invitees: &[Invitee],
        assessors: &[PersonId],
        line: &mut DefinitionLine,
    ) -> Result<(), Error> {
        let organization = self.program.organization;
        let invited: Vec<&Invitee> =
            invitees.iter().filter(|one| named.cohorts.contains(&one.cohort)).collect();
        let mut schools: BTreeSet<OrganizationId> = invited.iter().map(|one| one.school).collect();
        if schools.is_empty() {
            schools.extend(store::organizations::list_branch(conn, organization)?);
        }
        for school in schools {
            let Some(found) = store::organizations::find(conn, school)? else { continue };
            if found.kind != OrganizationKind::School {
                continue;
            }
            let whose = Expected::OfSchool(school);
            let matter = self.judge.expect(conn, organization, &named.version, whose)?;
            if self.judge.can_be_read(conn, assessors, &matter, line.sheets)? {
                continue;
            }
            let mut eligible = 0;
            for person in assessors {
                let verdict = self.judge.expect_verdict(conn, *person, &matter)?;
                eligible += usize::from(verdict.is_eligible());
            }
            let detail = format!(
                "Work of people of {} for {} could not be decided: the assessors who may read it are of that school. Win one of another school.",
                found.name, named.version.title
            );
            self.note(LineStanding::Look, &named.pointer, "school_without_assessor", detail);
            line.schools.push(SchoolConflict { school, name: found.name, eligible });
        }
        let people: BTreeSet<PersonId> = invited.iter().filter_map(|one| one.person).collect();
        self.judge.learn_people(conn, people.clone())?;
        for person in people {
            let whose = Expected::Of(person);
            let matter = self.judge.expect(conn, organization, &named.version, whose)?;
            if self.judge.can_be_read(conn, assessors, &matter, line.sheets)? {
                continue;
            }
            line.people_without += 1;
            for assessor in assessors {
                let verdict = self.judge.expect_verdict(conn, *assessor, &matter)?;
                line.blocked_by.extend(verdict.refusals);
            }
        }
        if line.people_without > 0 {
            let rules: Vec<&str> = line.blocked_by.iter().map(|rule| rule.in_words()).collect();
            let detail = format!(
                "Work of {} invited people for {} could not be decided: assessors {}. Win one whom none of this concerns.",
                line.people_without,
                named.version.title,
                rules.join(", or ")
            );
            self.note(LineStanding::Look, &named.pointer, "people_without_assessor", detail);
        }
        Ok(())
    }

    fn hours(&mut self, definitions: &[DefinitionLine]) -> HourLine {
        let planning = self.charter.planning();
        let readings: u64 = definitions.iter().map(|line| line.readings).sum();
        let assessors = u64::try_from(self.readers.len()).unwrap_or(u64::MAX);
        let line = HourLine {
            assessors,
            readings,
            planning,
            needed_minutes: planning.map(|one| readings * one.minutes_per_reading),
            available_minutes: planning.map(|one| assessors * one.hours_per_assessor * 60),
        };
        match (line.needed_minutes, line.available_minutes) {
            (Some(needed), Some(available)) if needed > available => self.note(
                LineStanding::Look,
                "/planning",
                "too_few_hours",
                format!(
                    "{} hours of reading are needed and {} are there: win assessors, agree on more hours, or invite fewer people.",
                    needed.div_ceil(60),
                    available / 60
                ),
            ),
            (Some(_), Some(_)) => {}
            (None | Some(_), None) | (None, Some(_)) => self.note(
                LineStanding::Look,
                "/planning",
                "planning_missing",
                "Say how long one reading takes and how many hours each assessor gives (planning); without it there are no hours, days and cost.",
            ),
        }
        line
    }

    fn days(&mut self, hours: HourLine, calendar: &Calendar) -> DayLine {
        let promised = u64::from(PROMISED_WORKING_DAYS);
        let window = self.charter.window();
        let n_days = window.map(|(first, last)| {
            let days = first.iter_days().take_while(|day| *day <= last);
            u64::try_from(days.filter(|day| calendar.is_working_day(*day)).count()).unwrap_or(0)
        });
        let found = match (hours.needed_minutes, hours.available_minutes, n_days) {
            (Some(needed), Some(available), Some(days)) => days_to_decide(needed, available, days),
            (_, _, _) => None,
        };
        let last_on = window.zip(found).and_then(|((_, closes_on), (_, last))| {
            let evening = closes_on.and_hms_opt(0, 0, 0)?.and_utc();
            let days = u32::try_from(last).ok()?;
            Some(calendar.after_working_days(Timestamp::new(evening), days).as_utc().date_naive())
        });
        let line = DayLine {
            window: n_days,
            promised,
            expected: found.map(|(expected, _)| expected),
            last: found.map(|(_, last)| last),
            last_on,
        };
        if let Some(last) = line.last.filter(|last| *last > promised) {
            let detail = format!(
                "If everybody hands in at once, the last decision takes {last} working days, and {promised} are promised: spread the cohorts' windows, or win assessors."
            );
            self.note(LineStanding::Look, "/window", "decisions_late", detail);
        }
        line
    }
}
