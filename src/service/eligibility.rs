//! Gathers what eligibility is judged by, and asks the one function that judges it (`domain::eligibility`).

use std::collections::BTreeMap;

use super::context::above;
use super::error::Error;
use super::micro_credentials::parse_stored;
use crate::domain::actor::{Actor, Facet, SignedIn};
use crate::domain::definition::Definition;
use crate::domain::eligibility::{
    AssessorFacts, EligibilityRule, KNOWN_WORK_WITHIN, License, MatterFacts, Module,
    QualificationLevel, REFRESHER_PAPERS, Reader, SCHOOL_LOOKBACK, Stage, Upkeep, Verdict, judge,
    license,
};
use crate::domain::ids::{OrganizationId, PersonId, SessionId, VersionId};
use crate::domain::organization::{OrganizationKind, Role};
use crate::domain::review::{LOAD_CAP, Review, ReviewState};
use crate::domain::review_policy::{BasisPoints, ConflictRule, ReviewMode, ReviewPolicy};
use crate::domain::submission::{SubmissionFacts, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

/// So many double-scored submissions are enough real work to qualify fully on.
const ENOUGH_REAL_WORK: i64 = 30;

/// What eligibility needs of a version.
#[derive(Clone, Debug)]
struct VersionFacts {
    scoring_hash: String,
    names_district: bool,
    is_single: bool,
}

/// A submission with everything that its readers are judged by.
#[derive(Clone, Debug)]
pub struct Matter {
    /// The facts of the rules.
    pub facts: MatterFacts,
    /// The scoring hash that a qualification must be for.
    pub scoring_hash: String,
    /// Whether a qualification is required.
    pub needs_license: bool,
}

/// Facts that were read once and are used for several judgements of one moment, in one transaction.
#[derive(Debug)]
pub struct Judge {
    now: Timestamp,
    versions: BTreeMap<VersionId, VersionFacts>,
    assessors: BTreeMap<PersonId, AssessorFacts>,
    licenses: BTreeMap<(PersonId, String), License>,
    required: BTreeMap<(OrganizationId, String), bool>,
    waived: BTreeMap<OrganizationId, bool>,
}

impl Judge {
    /// Judges as of a moment.
    #[must_use]
    pub fn new(now: Timestamp) -> Judge {
        Judge {
            now,
            versions: BTreeMap::new(),
            assessors: BTreeMap::new(),
            licenses: BTreeMap::new(),
            required: BTreeMap::new(),
            waived: BTreeMap::new(),
        }
    }

    /// Everything that the readers of a submission are judged by.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub fn matter(
        &mut self,
        conn: &mut DbConn,
        stored: &StoredSubmission,
    ) -> Result<Matter, Error> {
        let facts = stored.submission.facts();
        let version = self.version(conn, facts)?;
        let since = Some(self.now.minus(SCHOOL_LOOKBACK));
        let readers: Vec<Reader> = store::reviews::list_of_submission(conn, facts.id)?
            .into_iter()
            .filter_map(|review| Some((review.assessor?, review.state)))
            .map(|(person, state)| {
                let schools =
                    store::conflicts::list_homes(conn, person, OrganizationKind::School, since)?;
                Ok(Reader { person, state, schools })
            })
            .collect::<Result<_, Error>>()?;
        let state = stored.submission.state();
        let is_appealed = state == SubmissionState::Appealed;
        // A screener has seen the work before: that does not matter where one reader is enough.
        let with_screeners = is_appealed || !version.is_single;
        let mut involved =
            store::conflicts::list_involved(conn, facts.id, with_screeners, is_appealed)?;
        // Who reads may ask for a panel, and goes on reading when the doubt is settled.
        for reader in readers.iter().filter(|reader| reader.state == ReviewState::Leased) {
            involved.remove(&reader.person);
        }
        let mut districts =
            store::conflicts::list_homes(conn, facts.earner, OrganizationKind::District, None)?;
        if version.names_district {
            districts.extend(districts_of(conn, facts.organization)?);
        }
        let is_district_conflict =
            version.names_district && !self.is_waived(conn, facts.organization)?;
        let family = stored.micro_credential;
        Ok(Matter {
            facts: MatterFacts {
                earner: facts.earner,
                family,
                started_at: stored.created_at,
                schools: store::conflicts::list_homes(
                    conn,
                    facts.earner,
                    OrganizationKind::School,
                    since,
                )?,
                districts,
                is_district_conflict,
                readers,
                earlier_readers: store::conflicts::list_earlier_readers(conn, facts, family)?,
                involved,
                is_appealed,
                coauthors: store::conflicts::list_coauthors(conn, facts.id)?,
            },
            // An adjudicator is a lead assessor, one of those who agree on the keys.
            needs_license: state != SubmissionState::Adjudication
                && self.needs_license(conn, facts.organization, &version.scoring_hash)?,
            scoring_hash: version.scoring_hash,
        })
    }

    /// Judges one person for one submission.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub fn judge(
        &mut self,
        conn: &mut DbConn,
        person: PersonId,
        matter: &Matter,
        stage: Stage,
    ) -> Result<Verdict, Error> {
        let license = self.license(conn, person, matter)?;
        let assessor = self.assessor(conn, person)?;
        Ok(judge(assessor, license, &matter.facts, stage))
    }

    /// What is known of a person.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub fn assessor(
        &mut self,
        conn: &mut DbConn,
        person: PersonId,
    ) -> Result<&AssessorFacts, Error> {
        if !self.assessors.contains_key(&person) {
            let since = Some(self.now.minus(SCHOOL_LOOKBACK));
            let held = store::reviews::count_held(conn, person)?;
            let facts = AssessorFacts {
                person,
                schools: store::conflicts::list_homes(
                    conn,
                    person,
                    OrganizationKind::School,
                    since,
                )?,
                districts: store::conflicts::list_homes(
                    conn,
                    person,
                    OrganizationKind::District,
                    None,
                )?,
                held: usize::try_from(held).unwrap_or(usize::MAX),
                load_cap: load_cap(conn, person)?,
                open_families: store::conflicts::list_open_families(conn, person)?,
                ties: store::conflicts::list_ties(conn, person)?,
            };
            self.assessors.insert(person, facts);
        }
        self.assessors
            .get(&person)
            .ok_or_else(|| Error::internal(super::error::Broken("facts that were just read")))
    }

    fn license(
        &mut self,
        conn: &mut DbConn,
        person: PersonId,
        matter: &Matter,
    ) -> Result<License, Error> {
        if !matter.needs_license {
            return Ok(License::NotRequired);
        }
        let key = (person, matter.scoring_hash.clone());
        if let Some(known) = self.licenses.get(&key) {
            return Ok(*known);
        }
        let held = license_of(conn, person, &matter.scoring_hash, self.now)?;
        self.licenses.insert(key, held);
        Ok(held)
    }

    fn version(
        &mut self,
        conn: &mut DbConn,
        facts: &SubmissionFacts,
    ) -> Result<VersionFacts, Error> {
        if let Some(known) = self.versions.get(&facts.version) {
            return Ok(known.clone());
        }
        let version =
            store::micro_credentials::find_pinned(conn, facts.organization, facts.version)?
                .ok_or_else(|| {
                    Error::internal(super::error::Broken("a submission without its version"))
                })?;
        let definition = parse_stored(&version)?.definition;
        let names_district =
            definition.review_policy().conflict_rules().contains(&ConflictRule::SameDistrict);
        let is_single = definition.review_policy().mode() == ReviewMode::Single;
        let known = VersionFacts { scoring_hash: version.scoring_hash, names_district, is_single };
        self.versions.insert(facts.version, known.clone());
        Ok(known)
    }

    fn needs_license(
        &mut self,
        conn: &mut DbConn,
        organization: OrganizationId,
        scoring_hash: &str,
    ) -> Result<bool, Error> {
        let key = (organization, scoring_hash.to_owned());
        if let Some(known) = self.required.get(&key) {
            return Ok(*known);
        }
        let required = is_license_required(conn, organization, scoring_hash)?;
        self.required.insert(key, required);
        Ok(required)
    }

    fn is_waived(
        &mut self,
        conn: &mut DbConn,
        organization: OrganizationId,
    ) -> Result<bool, Error> {
        if let Some(known) = self.waived.get(&organization) {
            return Ok(*known);
        }
        let waived = is_waived(conn, organization, self.now)?;
        self.waived.insert(organization, waived);
        Ok(waived)
    }
}

/// An organization and all above it.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn branch_up(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Vec<OrganizationId>, Error> {
    let mut among = vec![organization];
    among.extend(above(conn, organization)?);
    Ok(among)
}

fn is_waived(
    conn: &mut DbConn,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<bool, Error> {
    let among = branch_up(conn, organization)?;
    Ok(store::conflicts::is_waived(conn, &among, now)?)
}

fn districts_of(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Vec<OrganizationId>, Error> {
    let mut found = Vec::new();
    for id in branch_up(conn, organization)? {
        let kind = store::organizations::find(conn, id)?.map(|organization| organization.kind);
        if kind == Some(OrganizationKind::District) {
            found.push(id);
        }
    }
    Ok(found)
}

/// The most reviews that a person may hold at a time: the lowest cap that anybody has set for them, or the usual one.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn load_cap(conn: &mut DbConn, person: PersonId) -> Result<usize, Error> {
    Ok(store::conflicts::find_load_cap(conn, person)?.unwrap_or(LOAD_CAP))
}

/// Whether readers of an organization's work must be qualified for a rubric: as soon as a qualifying set for it is published there
/// or above (docs/decisions/0024).
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn is_license_required(
    conn: &mut DbConn,
    organization: OrganizationId,
    scoring_hash: &str,
) -> Result<bool, Error> {
    let among = branch_up(conn, organization)?;
    let sets = store::calibration::list_published(conn, scoring_hash, &among)?;
    Ok(sets.iter().any(|set| set.kind.is_qualifying()))
}

/// A person's license for a rubric that needs one.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn license_of(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    now: Timestamp,
) -> Result<License, Error> {
    let engagement = super::assessors::engagement_of(conn, person, scoring_hash, now)?;
    // What was passed before a release does not count any more.
    let held = store::qualifications::find_qualification(conn, person, scoring_hash)?
        .filter(|held| engagement.counts(held.passed_at));
    let modules = store::conflicts::list_modules(conn, person)?;
    let real_work_since = match &held {
        Some(held) if held.level == QualificationLevel::Provisional => {
            store::seeds::double_scored_since(conn, scoring_hash, ENOUGH_REAL_WORK)?
        }
        Some(_) | None => None,
    };
    let upkeep = Upkeep {
        is_released: engagement.is_released,
        has_modules: Module::ALL.iter().all(|module| modules.contains(module)),
        last_known_work: last_known_work(conn, person, scoring_hash, now)?,
        real_work_since,
    };
    Ok(license(held.as_ref(), upkeep, now))
}

/// When a person last showed on known work that they still score as agreed: a seed paper, or a refresher of five practice papers.
fn last_known_work(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let seed = store::seeds::last_scored(conn, person, scoring_hash)?;
    let practice =
        store::qualifications::list_practice(conn, person, scoring_hash, REFRESHER_PAPERS)?;
    let refresher = practice
        .get(REFRESHER_PAPERS - 1)
        .filter(|first| first.plus(KNOWN_WORK_WITHIN) > now)
        .and(practice.first().copied());
    Ok(seed.max(refresher))
}

/// Every rule that speaks against the holder of a review at this moment.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn judge_holder(
    conn: &mut DbConn,
    review: &Review,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<Verdict, Error> {
    match review.assessor {
        Some(assessor) => judge_reader(conn, assessor, stored, now),
        None => Ok(Verdict::default()),
    }
}

fn judge_reader(
    conn: &mut DbConn,
    assessor: PersonId,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<Verdict, Error> {
    let mut judge = Judge::new(now);
    let matter = judge.matter(conn, stored)?;
    judge.judge(conn, assessor, &matter, Stage::Held)
}

/// Whether somebody who holds a submission may go on reading it.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn may_hold(
    conn: &mut DbConn,
    assessor: PersonId,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(judge_reader(conn, assessor, stored, now)?.is_eligible())
}

/// Refuses what the holder of a review may not do any more. The rule is named where it says nothing about anybody else.
///
/// # Errors
/// [`Error::WrongState`] with stepping back as the way out.
pub fn require_holder(
    conn: &mut DbConn,
    review: &Review,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<(), Error> {
    let verdict = judge_holder(conn, review, stored, now)?;
    let Some(first) = verdict.refusals.first() else { return Ok(()) };
    let named: Vec<&str> = verdict
        .refusals
        .iter()
        .filter(|rule| rule.is_about_assessor_alone())
        .map(|rule| rule.as_str())
        .collect();
    let detail = if first.is_about_assessor_alone() {
        format!(
            "you may not score this work now ({}): {}; step back from it",
            named.join(", "),
            advice(*first)
        )
    } else {
        "you may not score this work: the rules on conflicts of interest have come to apply since you took it; step back from it"
            .to_owned()
    };
    Err(Error::WrongState { detail, allowed_events: vec!["recuse"] })
}

const fn advice(rule: EligibilityRule) -> &'static str {
    match rule {
        EligibilityRule::NotQualified => "qualify on a calibration set for this rubric first",
        EligibilityRule::QualificationExpired => "your qualification has ended; qualify again",
        EligibilityRule::QualificationSuspended => {
            "your qualification is suspended; a lead assessor will speak with you"
        }
        EligibilityRule::Released => {
            "you were released from scoring by this rubric; a lead assessor can ask you back"
        }
        EligibilityRule::RefresherDue => "score five practice papers as a refresher first",
        EligibilityRule::ProvisionalEnded => {
            "your provisional qualification has ended; qualify on real work"
        }
        EligibilityRule::ModulesMissing => {
            "complete the modules on bias and on conflicts of interest first"
        }
        EligibilityRule::OwnOpenAttempt => "you work on the same micro-credential yourself",
        EligibilityRule::Recused => "you have stepped back from it",
        EligibilityRule::LoadCap
        | EligibilityRule::OwnWork
        | EligibilityRule::SameSchool
        | EligibilityRule::SameDistrict
        | EligibilityRule::Evaluates
        | EligibilityRule::Coached
        | EligibilityRule::Coauthor
        | EligibilityRule::Declared
        | EligibilityRule::Involved
        | EligibilityRule::HasRead
        | EligibilityRule::SameSchoolAsReader
        | EligibilityRule::ScoredEarlier => "another assessor has to take it",
    }
}

/// The people who may be asked to read a submission of an organization in this state: lead assessors adjudicate, assessors read.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn list_readers(
    conn: &mut DbConn,
    organization: OrganizationId,
    state: SubmissionState,
) -> Result<Vec<PersonId>, Error> {
    let role = match state {
        SubmissionState::Adjudication => Role::LeadAssessor,
        SubmissionState::Draft
        | SubmissionState::Submitted
        | SubmissionState::Returned
        | SubmissionState::Queued
        | SubmissionState::InReview
        | SubmissionState::Resolving
        | SubmissionState::OnHold
        | SubmissionState::Decided
        | SubmissionState::Appealed
        | SubmissionState::Withdrawn
        | SubmissionState::Voided
        | SubmissionState::Expired => Role::Assessor,
    };
    let above = above(conn, organization)?;
    let mut among = store::organizations::list_branch(conn, organization)?;
    among.extend(above.iter().copied());
    let mut found = Vec::new();
    for person in store::conflicts::list_holders(conn, role, &among)? {
        let facets: Vec<Facet> = store::memberships::list_facets(conn, person)?;
        // The same question that every request asks, so that both give the same answer.
        let session = SessionId::from_uuid(uuid::Uuid::nil());
        let actor = Actor::Person(SignedIn { person, session, facets });
        if actor.holds(role, organization, &above) {
            found.push(person);
        }
    }
    Ok(found)
}

/// The review policy that holds for a submission: the definition's, tightened where a waiver asks for its compensations (a second
/// score on every not-yet and a tenth backread) and where a reader is only provisionally qualified (double blind).
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn policy_in_force(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    definition: &Definition,
    now: Timestamp,
) -> Result<ReviewPolicy, Error> {
    let organization = stored.submission.facts().organization;
    let policy = definition.review_policy();
    let names_district = policy.conflict_rules().contains(&ConflictRule::SameDistrict);
    let mut terms = policy.terms().clone();
    if names_district && is_waived(conn, organization, now)? {
        terms.second_score_when_not_yet = true;
        terms.backread_share = terms.backread_share.max(BasisPoints::of_percent(10));
    }
    let readers = standing_of_readers(conn, stored, now)?;
    if readers.contains(&License::Held(QualificationLevel::Provisional)) {
        terms.mode = ReviewMode::DoubleBlind;
    }
    ReviewPolicy::new(terms).map_err(Error::internal)
}

/// Whether a person was qualified for a rubric at a moment. Where no set exists nobody is.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn is_qualified(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    at: Timestamp,
) -> Result<bool, Error> {
    Ok(match license_of(conn, person, scoring_hash, at)? {
        License::Held(_) => true,
        License::NotRequired | License::Refused(_) => false,
    })
}

/// The licenses of everybody who has locked one of the first two sheets, as of the lock.
fn standing_of_readers(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<Vec<License>, Error> {
    let facts = stored.submission.facts();
    let version = store::micro_credentials::find_pinned(conn, facts.organization, facts.version)?
        .ok_or_else(|| {
        Error::internal(super::error::Broken("a submission without its version"))
    })?;
    let required = is_license_required(conn, facts.organization, &version.scoring_hash)?;
    let mut found = Vec::new();
    for review in store::reviews::list_of_submission(conn, facts.id)? {
        if review.state != ReviewState::Locked || !review.is_first_or_second() {
            continue;
        }
        let Some(person) = review.assessor else { continue };
        found.push(if required {
            license_of(conn, person, &version.scoring_hash, review.locked_at.unwrap_or(now))?
        } else {
            License::NotRequired
        });
    }
    Ok(found)
}
