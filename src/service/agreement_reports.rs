//! How far assessors agree on live work: by criterion, over the definition, and by assessor.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;

use super::context::{Cx, above};
use super::error::Error;
use super::micro_credentials::parse_stored;
use crate::domain::definition::Definition;
use crate::domain::ids::{MicroCredentialId, PersonId, SubmissionId};
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::rubric::{Criterion, Level, Levels};
use crate::domain::statistics::agreement::Agreement;
use crate::domain::statistics::report::{Beside, Reading, Summary, beside_others, summarise};
use crate::domain::statistics::severity::{self, FacetSizes, Measure, Rating};
use crate::domain::statistics::{Precision, Undefined};
use crate::domain::timestamp::Timestamp;
use crate::store::agreement_reports::LockedScore;
use crate::store::micro_credentials::Version;
use crate::store::{self, DbConn};

/// The fewest submissions with two readings that severities are estimated from.
const FEWEST_LINKED: usize = 30;

/// One criterion.
#[derive(Clone, Debug)]
pub struct CriterionLine {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is said of it.
    pub summary: Summary,
}

/// One assessor beside the others.
#[derive(Clone, Debug)]
pub struct AssessorLine {
    /// Who.
    pub person: PersonId,
    /// How many submissions they have read.
    pub submissions: usize,
    /// Beside everybody who read the same.
    pub beside: Beside,
    /// How severe they are, where that can be said.
    pub severity: Option<Measure>,
}

/// How far the assessors of a micro-credential agree.
#[derive(Clone, Debug)]
pub struct Report {
    /// The micro-credential.
    pub micro_credential: MicroCredentialId,
    /// The title of its newest version.
    pub title: String,
    /// The rubric: older versions with another one are left out.
    pub scoring_hash: String,
    /// How many submissions were read, and how many of them twice or more.
    pub submissions: (usize, usize),
    /// The decisions that the sheets alone would give, by submission.
    pub decision: Agreement,
    /// All criteria together, where they are on one scale.
    pub overall: Result<Summary, Undefined>,
    /// By criterion.
    pub criteria: Vec<CriterionLine>,
    /// By assessor.
    pub assessors: Vec<AssessorLine>,
    /// Why there are no severities.
    pub severity_reason: Option<Undefined>,
}

/// `GET /reports/agreement`: for lead assessors and auditors.
///
/// # Errors
/// [`Error::Denied`] without the role over the micro-credential's organization.
pub fn find(cx: &mut Cx<'_>, family: MicroCredentialId) -> Result<Report, Error> {
    read(cx, family, "read_agreement_report", None)
}

/// `GET /reports/agreement/mine`: the caller's own line, of what was decided before this month. None under twenty comparisons: a single
/// one would tell what the other gave, and so would the change that a single lock makes.
///
/// # Errors
/// [`Error::Denied`] for somebody who is no assessor there.
pub fn find_own(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
) -> Result<(Report, Option<AssessorLine>), Error> {
    let month = cx.now.naive().date().with_day(1).and_then(|day| day.and_hms_opt(0, 0, 0));
    let until = month.map_or(cx.now, Timestamp::from_naive);
    let mut report = read(cx, family, "read_own_agreement", Some(until))?;
    let person = cx.signed_in()?.person;
    let own = report.assessors.iter().position(|line| line.person == person);
    let own = own
        .map(|at| report.assessors.swap_remove(at))
        .filter(|line| Precision::of(line.beside.agreement.n) != Precision::Insufficient);
    report.assessors.clear();
    report.criteria.clear();
    Ok((report, own))
}

fn read(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    operation: &'static str,
    until: Option<Timestamp>,
) -> Result<Report, Error> {
    let version = store::micro_credentials::find_newest(cx.conn, family, true)?
        .ok_or(Error::Denied(Denied::Hidden("micro-credential")))?;
    let subject = Subject {
        kind: "micro-credential",
        organization: version.organization,
        above: above(cx.conn, version.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Branch,
    };
    policy::require(&cx.actor, operation, &subject)?;
    let definition = parse_stored(&version)?.definition;
    let hash = &version.scoring_hash;
    let scores = store::agreement_reports::list_locked(cx.conn, family, hash, until)?;
    let index = Index::new(&scores);
    let criteria = definition.rubric().criteria();
    let mut lines = Vec::new();
    for criterion in criteria {
        let readings = index.readings(&scores, criterion);
        let (levels, cut) = scale_of(criterion);
        lines.push(CriterionLine {
            id: criterion.id().as_str().to_owned(),
            title: criterion.title().to_owned(),
            summary: summarise(levels, cut, &readings).map_err(Error::internal)?,
        });
    }
    let scales: BTreeSet<(usize, usize)> = criteria.iter().map(scale_of).collect();
    let (levels, cut) = scales.first().copied().unwrap_or((0, 0));
    let all: Vec<Reading> = criteria
        .iter()
        .enumerate()
        .flat_map(|(at, criterion)| {
            let mut readings = index.readings(&scores, criterion);
            for reading in &mut readings {
                reading.unit = reading.unit * criteria.len() + at;
            }
            readings
        })
        .collect();
    let overall = if scales.len() == 1 {
        summarise(levels, cut, &all)
    } else {
        Err(Undefined::ScaleNotDeclared)
    };
    let (measures, severity_reason) = if scales.len() == 1 {
        severities(&index, criteria.len(), levels, &all)
    } else {
        (Vec::new(), Some(Undefined::ScaleNotDeclared))
    };
    let mut beside = beside_others(cut, &all);
    let assessors = index
        .people
        .iter()
        .enumerate()
        .map(|(at, person)| AssessorLine {
            person: *person,
            submissions: index.read_by(*person),
            beside: beside.remove(&at).unwrap_or_default(),
            severity: measures.get(at).copied().flatten(),
        })
        .collect();
    Ok(Report {
        micro_credential: family,
        title: version.title,
        scoring_hash: version.scoring_hash,
        submissions: (index.submissions.len(), index.n_linked()),
        decision: decisions(&scores, &definition)?,
        overall,
        criteria: lines,
        assessors,
        severity_reason,
    })
}

fn scale_of(criterion: &Criterion) -> (usize, usize) {
    (criterion.levels().len(), usize::from(criterion.pass_level().number()))
}

/// Numbers in the place of ids.
struct Index {
    submissions: Vec<SubmissionId>,
    people: Vec<PersonId>,
    sheets: BTreeSet<(SubmissionId, PersonId)>,
}

impl Index {
    fn new(scores: &[LockedScore]) -> Index {
        let submissions: BTreeSet<SubmissionId> =
            scores.iter().map(|score| score.submission).collect();
        let people: BTreeSet<PersonId> = scores.iter().map(|score| score.assessor).collect();
        Index {
            submissions: submissions.into_iter().collect(),
            people: people.into_iter().collect(),
            sheets: scores.iter().map(|score| (score.submission, score.assessor)).collect(),
        }
    }

    fn readings(&self, scores: &[LockedScore], criterion: &Criterion) -> Vec<Reading> {
        scores
            .iter()
            .filter(|score| score.criterion == criterion.id().as_str())
            .filter_map(|score| {
                Some(Reading {
                    unit: self.submissions.binary_search(&score.submission).ok()?,
                    assessor: self.people.binary_search(&score.assessor).ok()?,
                    level: score.level.map(usize::from),
                })
            })
            .collect()
    }

    fn read_by(&self, person: PersonId) -> usize {
        self.sheets.iter().filter(|(_, reader)| *reader == person).count()
    }

    fn n_linked(&self) -> usize {
        let mut readers: BTreeMap<SubmissionId, usize> = BTreeMap::new();
        for (submission, _) in &self.sheets {
            *readers.entry(*submission).or_default() += 1;
        }
        readers.values().filter(|count| **count >= 2).count()
    }
}

/// Severities by assessor, or why there are none. They are for comparing assessors and never alter a result.
fn severities(
    index: &Index,
    n_criteria: usize,
    levels: usize,
    all: &[Reading],
) -> (Vec<Option<Measure>>, Option<Undefined>) {
    if index.n_linked() < FEWEST_LINKED {
        return (Vec::new(), Some(Undefined::InsufficientData));
    }
    let ratings: Vec<Rating> = all
        .iter()
        .filter_map(|reading| {
            Some(Rating {
                submission: reading.unit / n_criteria,
                criterion: reading.unit % n_criteria,
                assessor: reading.assessor,
                level: reading.level?,
            })
        })
        .collect();
    let sizes = FacetSizes {
        submissions: index.submissions.len(),
        criteria: n_criteria,
        assessors: index.people.len(),
        levels,
    };
    match severity::estimate(sizes, &ratings) {
        Ok(found) => (found.assessors, None),
        Err(reason) => (Vec::new(), Some(reason)),
    }
}

/// How many submissions were read twice under a scoring hash, and how often both readings would have decided the same.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn double_scored(
    conn: &mut DbConn,
    version: &Version,
    definition: &Definition,
) -> Result<Agreement, Error> {
    let family = version.micro_credential;
    let scores = store::agreement_reports::list_locked(conn, family, &version.scoring_hash, None)?;
    decisions(&scores, definition)
}

/// How often the sheets of a submission, each taken alone, would decide the same.
fn decisions(scores: &[LockedScore], definition: &Definition) -> Result<Agreement, Error> {
    let mut sheets: BTreeMap<(SubmissionId, PersonId), BTreeMap<&str, Option<u8>>> =
        BTreeMap::new();
    for score in scores {
        let sheet = sheets.entry((score.submission, score.assessor)).or_default();
        sheet.insert(&score.criterion, score.level);
    }
    let mut by_submission: BTreeMap<SubmissionId, Vec<BTreeMap<&str, Option<u8>>>> =
        BTreeMap::new();
    for ((submission, _), sheet) in sheets {
        by_submission.entry(submission).or_default().push(sheet);
    }
    let mut outcomes: BTreeMap<SubmissionId, Vec<usize>> = BTreeMap::new();
    for (submission, sheets) in &by_submission {
        for sheet in sheets {
            let mut levels = Levels::new();
            for item in definition.rubric().items() {
                let id = item.id().as_str();
                // A line that one of the readers did not have to give does not decide between them.
                let is_shared = sheets.iter().all(|sheet| sheet.contains_key(id));
                let own = sheet.get(id).copied().filter(|_| is_shared);
                let level = own.unwrap_or(Some(item.pass_level().number()));
                levels.insert(item.id().clone(), level.map(Level::new));
            }
            let outcome = definition.decide(&levels).map_err(Error::internal)?;
            let is_earned = outcome == crate::domain::decision_rule::Outcome::Earned;
            outcomes.entry(*submission).or_default().push(usize::from(is_earned));
        }
    }
    let mut agreement = Agreement::default();
    for outcomes in outcomes.values() {
        if let [first, rest @ ..] = outcomes.as_slice()
            && !rest.is_empty()
        {
            let is_same = rest.iter().all(|other| other == first);
            agreement.add(0, usize::from(!is_same), Some(1), 1);
        }
    }
    Ok(agreement)
}
