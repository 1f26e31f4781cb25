//! The figures of a programme: from invitation to award, counted in persons, shown as far as nobody can be singled out by them.

mod plot;
mod printed;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::charter_document::ParsedCharter;
use super::cohorts::charter_of;
use super::context::Cx;
use super::error::Error;
use super::programs::{self, Program};
use crate::domain::award::AwardState;
use crate::domain::calendar::Calendar;
use crate::domain::cohort::InviteeState;
use crate::domain::decision_rule::Outcome;
use crate::domain::funnel::{self, Count, FEWEST, Figures, Group, GroupRow, PersonFacts, Stage};
use crate::domain::ids::{InviteeId, OrganizationId, ProgramId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied};
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;
use crate::store;
use crate::store::cohorts::{Invitee, InviteeQuery};
use crate::store::funnel::AttemptFacts;

pub use plot::plot;
pub use printed::{Printed, find_printed};

/// The lowest rating that calls feedback useful, of 1 to 5.
const USEFUL: i32 = 4;

/// What a report is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunnelQuery {
    /// With a table by group.
    pub by: Option<Group>,
    /// Of the table only the row of this group.
    pub group: Option<String>,
    /// Without anything left out: for the steward.
    pub is_exact: bool,
}

/// A row of the table by group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRow {
    /// The groups that it stands for, as they are asked for.
    pub keys: BTreeSet<String>,
    /// Their names.
    pub names: Vec<String>,
    /// The figures.
    pub figures: Figures,
}

/// Something that is left out of every figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// A stable word.
    pub reason: &'static str,
    /// In words.
    pub words: &'static str,
    /// How many; none where they are few.
    pub count: Option<u64>,
}

/// The figures of a programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which programme.
    pub program: ProgramId,
    /// Its title.
    pub title: String,
    /// When they were counted.
    pub as_of: Timestamp,
    /// Whether nothing is left out.
    pub is_exact: bool,
    /// Of everybody.
    pub total: Figures,
    /// Of each group, where a table was asked for and can be shown.
    pub rows: Vec<NamedRow>,
    /// What is left out of every figure.
    pub exclusions: Vec<Exclusion>,
    /// What the charter wants to reach, by the id of its metric: a share in basis points, or a count.
    pub targets: BTreeMap<String, i64>,
    /// The day of the district's file of who is still employed; none where there is no file.
    pub stays_as_of: Option<NaiveDate>,
}

impl Report {
    /// The day of which a figure is: that of the report, or that of the district's file. None for a figure of a file that there is not.
    #[must_use]
    pub fn day_of(&self, count: Count) -> Option<NaiveDate> {
        if count.is_by_file() { self.stays_as_of } else { Some(self.as_of.as_utc().date_naive()) }
    }
}

/// `GET /programs/{id}/funnel`: how many were invited, took part, worked, earned and hold what they earned, and how long it took.
///
/// # Errors
/// [`Error::Denied`] without the role; [`Denied::Forbidden`] for exact figures, unless the caller is a data steward of the organization.
pub fn find(cx: &mut Cx<'_>, id: ProgramId, wanted: &FunnelQuery) -> Result<Report, Error> {
    let counted = count(cx, id, wanted.is_exact)?;
    report_of(cx, &counted, wanted)
}

/// What every report of a programme is made of.
struct Counted {
    program: Program,
    charter: ParsedCharter,
    facts: Vec<PersonFacts>,
    n_waiting: usize,
    stays_as_of: Option<NaiveDate>,
}

fn count(cx: &mut Cx<'_>, id: ProgramId, is_exact: bool) -> Result<Counted, Error> {
    let (program, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "read_funnel", &subject)?;
    if is_exact && !cx.actor.holds(Role::DataSteward, subject.organization, &subject.above) {
        return Err(Denied::Forbidden.into());
    }
    let invitees = store::cohorts::list(cx.conn, id, &InviteeQuery::default())?;
    let attempts = store::funnel::list_attempts(cx.conn, id)?;
    let calendar = store::calendars::find_in_force(cx.conn, program.organization)?;
    let n_waiting = invitees.iter().filter(|one| one.state == InviteeState::Waiting).count();
    let stays = store::stays::find(cx.conn, id)?;
    let employed = stays.as_ref().map(|stays| &stays.employed);
    let facts = facts_of(&invitees, &attempts, employed, &calendar.unwrap_or_default(), cx.now);
    let charter = charter_of(&program)?;
    let stays_as_of = stays.map(|stays| stays.as_of);
    Ok(Counted { program, charter, facts, n_waiting, stays_as_of })
}

fn report_of(cx: &mut Cx<'_>, counted: &Counted, wanted: &FunnelQuery) -> Result<Report, Error> {
    let Counted { program, charter, facts, n_waiting, stays_as_of } = counted;
    let has_stays = stays_as_of.is_some();
    let mut total = if wanted.is_exact { funnel::exact_total(facts) } else { funnel::total(facts) };
    if !has_stays {
        // Nobody has asked yet: that is not the same as nobody.
        total.counts.retain(|count, _| !count.is_by_file());
    }
    let rows = match wanted.by {
        None => Vec::new(),
        Some(by) if wanted.is_exact => funnel::exact_rows(facts, by),
        Some(by) => funnel::rows(facts, by),
    };
    let rows = rows
        .into_iter()
        .filter(|row| wanted.group.as_ref().is_none_or(|group| row.keys.contains(group)))
        .map(|mut row| {
            row.figures.counts.retain(|count, _| has_stays || !count.is_by_file());
            named(cx, wanted.by, row)
        })
        .collect::<Result<_, Error>>()?;
    Ok(Report {
        program: program.id,
        title: program.title.clone(),
        as_of: cx.now,
        is_exact: wanted.is_exact,
        rows,
        exclusions: exclusions(*n_waiting, has_stays.then_some(&total), wanted.is_exact),
        stays_as_of: *stays_as_of,
        targets: targets_of(charter),
        total,
    })
}

/// What is left out; `followed` are the figures of everybody where there is a file of the district.
fn exclusions(n_waiting: usize, followed: Option<&Figures>, is_exact: bool) -> Vec<Exclusion> {
    let n_waiting = u64::try_from(n_waiting).unwrap_or(u64::MAX);
    let is_shown = is_exact || n_waiting == 0 || n_waiting >= FEWEST;
    let mut all = vec![
        Exclusion {
            reason: "not_written_to_yet",
            words: "people on a list whose invitation has not been written yet",
            count: is_shown.then_some(n_waiting),
        },
        Exclusion {
            reason: "outside_the_programme",
            words: "attempts that were not begun within the programme, and awards that came of them",
            count: None,
        },
        Exclusion {
            reason: "voided",
            words: "attempts that were voided, where decisions, earning and awards are counted",
            count: None,
        },
    ];
    if let Some(total) = followed {
        all.push(Exclusion {
            reason: "not_in_the_file",
            words: "persons who take part and are not in the district's file, where staying is counted",
            // Two figures that are both shown differ by a number that may be shown.
            count: total.fraction(Count::Followed).map(|(followed, enrolled)| enrolled - followed),
        });
    }
    all
}

fn targets_of(charter: &ParsedCharter) -> BTreeMap<String, i64> {
    charter.targets().into_iter().map(|(id, target)| (id.to_owned(), target)).collect()
}

fn named(cx: &mut Cx<'_>, by: Option<Group>, row: GroupRow) -> Result<NamedRow, Error> {
    let mut names = Vec::new();
    for key in &row.keys {
        let school: Option<OrganizationId> = match by {
            Some(Group::School) => key.parse().ok(),
            Some(Group::Audience) | None => None,
        };
        let found = match school {
            Some(school) => store::organizations::find(cx.conn, school)?,
            None => None,
        };
        names.push(found.map_or_else(|| key.clone(), |school| school.name));
    }
    names.sort();
    Ok(NamedRow { keys: row.keys, names, figures: row.figures })
}

/// What the figures need of everybody who was invited.
fn facts_of(
    invitees: &[Invitee],
    attempts: &[AttemptFacts],
    employed: Option<&BTreeMap<InviteeId, bool>>,
    calendar: &Calendar,
    now: Timestamp,
) -> Vec<PersonFacts> {
    let mut by_invitee: BTreeMap<InviteeId, Vec<&AttemptFacts>> = BTreeMap::new();
    for attempt in attempts {
        by_invitee.entry(attempt.invitee).or_default().push(attempt);
    }
    invitees
        .iter()
        .filter(|invitee| invitee.state != InviteeState::Waiting)
        .map(|invitee| {
            let own = by_invitee.get(&invitee.id).map_or(&[][..], Vec::as_slice);
            person_of(invitee, own, employed, calendar, now)
        })
        .collect()
}

/// What the figures of a programme count of one person.
pub(super) fn person_of(
    invitee: &Invitee,
    own: &[&AttemptFacts],
    employed: Option<&BTreeMap<InviteeId, bool>>,
    calendar: &Calendar,
    now: Timestamp,
) -> PersonFacts {
    PersonFacts {
        audience: invitee.audience.clone(),
        school: invitee.school.to_string(),
        counts: counts_of(invitee, own, employed, now),
        days: days_of(invitee, own, calendar),
    }
}

fn is_counted(attempt: &&&AttemptFacts) -> bool {
    attempt.state != SubmissionState::Voided && attempt.decision.is_some()
}

fn is_earned(attempt: &AttemptFacts) -> bool {
    matches!(attempt.decision, Some((Outcome::Earned, _)))
}

fn is_live(attempt: &AttemptFacts, now: Timestamp) -> bool {
    attempt.award.is_some_and(|(state, until)| state.as_of(until, now) == AwardState::Active)
}

/// Which figures of its programme somebody is in.
fn counts_of(
    invitee: &Invitee,
    own: &[&AttemptFacts],
    employed: Option<&BTreeMap<InviteeId, bool>>,
    now: Timestamp,
) -> BTreeSet<Count> {
    let stays = employed.and_then(|employed| employed.get(&invitee.id)).copied();
    let decided: Vec<&&AttemptFacts> = own.iter().filter(is_counted).collect();
    let has = |test: &dyn Fn(&AttemptFacts) -> bool| decided.iter().any(|one| test(one));
    let is_enrolled = invitee.state == InviteeState::Enrolled;
    let said = [
        (Count::Invited, true),
        (Count::Declined, invitee.state == InviteeState::Declined),
        (Count::Enrolled, is_enrolled),
        (Count::Started, !own.is_empty()),
        (Count::Submitted, own.iter().any(|one| one.submitted_at.is_some())),
        (Count::Decided, !decided.is_empty()),
        (Count::Earned, has(&is_earned)),
        (Count::EarnedFirst, has(&|one| is_earned(one) && one.number == 1)),
        (Count::Live, has(&|one| is_earned(one) && is_live(one, now))),
        (Count::Adjudicated, has(&|one| one.is_adjudicated)),
        (Count::Appealed, has(&|one| one.is_appealed)),
        (Count::Rated, has(&|one| one.rating.is_some())),
        (Count::Useful, has(&|one| one.rating.is_some_and(|rating| rating >= USEFUL))),
        (Count::Followed, stays.is_some()),
        (Count::Staying, stays == Some(true)),
    ];
    let all: BTreeSet<Count> =
        said.into_iter().filter(|(_, is_in)| *is_in).map(|(count, _)| count).collect();
    // Suppression rests on each count being a part of those that it is said to be a part of.
    all.iter().copied().filter(|count| count.within().iter().all(|one| all.contains(one))).collect()
}

fn days_of(invitee: &Invitee, own: &[&AttemptFacts], calendar: &Calendar) -> BTreeMap<Stage, u32> {
    let started = own.iter().map(|one| one.started_at).min();
    let submitted = own.iter().filter_map(|one| Some((one.submitted_at?, one.started_at))).min();
    let decided = own
        .iter()
        .filter(is_counted)
        .filter_map(|one| Some((one.decision?.1, one.submitted_at?)))
        .min();
    let stages = [
        (Stage::ToEnrol, invitee.invited_at, invitee.enrolled_at),
        (Stage::ToStart, invitee.enrolled_at, started),
        (Stage::ToSubmit, submitted.map(|(_, from)| from), submitted.map(|(to, _)| to)),
        (Stage::ToDecide, decided.map(|(_, from)| from), decided.map(|(to, _)| to)),
    ];
    stages
        .into_iter()
        .filter_map(|(stage, from, to)| Some((stage, calendar.working_days_between(from?, to?))))
        .collect()
}
