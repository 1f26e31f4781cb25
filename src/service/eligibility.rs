//! Gathers what eligibility is judged by, and asks the one function that judges it (`domain::eligibility`).

mod expected;
mod licenses;
mod terms;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use self::licenses::Shown;
use super::context::{branch_up, people_with};
use super::error::Error;
use super::micro_credentials::parse_stored;
use super::submissions;
use crate::domain::definition::Definition;
use crate::domain::eligibility::{
    AssessorFacts, EligibilityRule, License, MatterFacts, QualificationLevel, Reader,
    SCHOOL_LOOKBACK, SameDistrict, Stage, Verdict, judge,
};
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, SubmissionId, VersionId};
use crate::domain::organization::{OrganizationKind, Role};
use crate::domain::review::{LOAD_CAP, Review, ReviewState};
use crate::domain::review_policy::{ConflictRule, ReviewMode};
use crate::domain::submission::{SubmissionFacts, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::store::calibration::Paper;
use crate::store::micro_credentials::Version;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

pub use expected::Expected;
pub use licenses::{accepted_by, license_of};
pub use terms::{policy_in_force, policy_within};

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
    /// Whose work it is: which qualifications count depends on it.
    pub organization: OrganizationId,
    /// Whether a qualification is required.
    pub needs_license: bool,
}

/// Whose work is judged, at what, and where it stands.
struct Work {
    organization: OrganizationId,
    earner: PersonId,
    family: MicroCredentialId,
    started_at: Timestamp,
    state: SubmissionState,
}

/// What is known of a submission from its surroundings.
#[derive(Default)]
struct Around {
    readers: Vec<Reader>,
    involved: BTreeSet<PersonId>,
    coaches: BTreeSet<PersonId>,
    earlier_readers: BTreeSet<PersonId>,
    coauthors: BTreeSet<PersonId>,
}

/// Facts that were read once and are used for several judgements of one moment, in one transaction.
#[derive(Debug)]
pub struct Judge {
    now: Timestamp,
    versions: BTreeMap<VersionId, VersionFacts>,
    assessors: BTreeMap<PersonId, AssessorFacts>,
    /// What each has shown for a rubric, wherever that was.
    shown: BTreeMap<(PersonId, String), Shown>,
    licenses: BTreeMap<(PersonId, String, OrganizationId), License>,
    /// Whose qualifications count for the work of an organization.
    accepted: BTreeMap<OrganizationId, BTreeSet<OrganizationId>>,
    required: BTreeMap<(OrganizationId, String), bool>,
    waived: BTreeMap<OrganizationId, bool>,
    /// The districts that an organization is one of, or below.
    districts: BTreeMap<OrganizationId, Vec<OrganizationId>>,
    homes: BTreeMap<PersonId, Homes>,
}

/// Where somebody belongs.
#[derive(Clone, Debug, Default)]
struct Homes {
    /// Now and in the past 24 months.
    schools: BTreeSet<OrganizationId>,
    districts: BTreeSet<OrganizationId>,
    departments: BTreeSet<OrganizationId>,
}

impl Judge {
    /// Judges as of a moment.
    #[must_use]
    pub fn new(now: Timestamp) -> Judge {
        Judge {
            now,
            versions: BTreeMap::new(),
            assessors: BTreeMap::new(),
            shown: BTreeMap::new(),
            licenses: BTreeMap::new(),
            accepted: BTreeMap::new(),
            required: BTreeMap::new(),
            waived: BTreeMap::new(),
            districts: BTreeMap::new(),
            homes: BTreeMap::new(),
        }
    }

    /// Everything that the readers of each of some submissions are judged by. However many there are, the database is asked as often.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub fn matters(
        &mut self,
        conn: &mut DbConn,
        waiting: &[StoredSubmission],
    ) -> Result<Vec<Matter>, Error> {
        let ids: Vec<SubmissionId> =
            waiting.iter().map(|stored| stored.submission.facts().id).collect();
        let mut reviews: BTreeMap<SubmissionId, Vec<Review>> = BTreeMap::new();
        for review in store::reviews::list_of_submissions(conn, &ids)? {
            reviews.entry(review.submission).or_default().push(review);
        }
        let earners = waiting.iter().map(|stored| stored.submission.facts().earner);
        let readers = reviews.values().flatten().filter_map(|review| review.assessor);
        self.learn_homes(conn, earners.chain(readers).collect())?;
        let mut involved = self.list_involved(conn, waiting)?;
        let mut coaches = store::conflicts::list_coaches(conn, &ids)?;
        let mut earlier_readers = store::conflicts::list_earlier_readers(conn, &ids)?;
        let mut coauthors = store::conflicts::list_coauthors(conn, &ids)?;
        let mut matters = Vec::new();
        for stored in waiting {
            let id = stored.submission.facts().id;
            let readers = reviews.remove(&id).unwrap_or_default();
            let readers = self.readers_of(readers);
            let mut involved = involved.remove(&id).unwrap_or_default();
            // Who reads may ask for a panel, and goes on reading when the doubt is settled.
            for reader in readers.iter().filter(|reader| reader.state == ReviewState::Leased) {
                involved.remove(&reader.person);
            }
            let coaches = coaches.remove(&id).unwrap_or_default();
            let earlier_readers = earlier_readers.remove(&id).unwrap_or_default();
            let coauthors = coauthors.remove(&id).unwrap_or_default();
            matters.push(self.matter_of(
                conn,
                stored,
                Around { readers, involved, coaches, earlier_readers, coauthors },
            )?);
        }
        Ok(matters)
    }

    fn readers_of(&self, reviews: Vec<Review>) -> Vec<Reader> {
        reviews
            .into_iter()
            .filter_map(|review| Some((review.assessor?, review.state)))
            .map(|(person, state)| {
                let schools = self.homes_of(person).schools;
                Reader { person, state, schools }
            })
            .collect()
    }

    /// Who took part in each of some submissions in another role than reading it.
    fn list_involved(
        &mut self,
        conn: &mut DbConn,
        waiting: &[StoredSubmission],
    ) -> Result<BTreeMap<SubmissionId, BTreeSet<PersonId>>, Error> {
        let (mut screened, mut appealed) = (Vec::new(), Vec::new());
        for stored in waiting {
            let facts = stored.submission.facts();
            let is_appealed = stored.submission.state() == SubmissionState::Appealed;
            // A screener has seen the work before: that does not matter where one reader is enough.
            if is_appealed || !self.version(conn, facts)?.is_single {
                screened.push(facts.id);
            }
            if is_appealed {
                appealed.push(facts.id);
            }
        }
        let mut found = match &screened[..] {
            [] => BTreeMap::new(),
            screened => store::conflicts::list_screeners(conn, screened)?,
        };
        let panels = match &appealed[..] {
            [] => BTreeMap::new(),
            appealed => store::conflicts::list_panels(conn, appealed)?,
        };
        for (id, people) in panels {
            found.entry(id).or_default().extend(people);
        }
        Ok(found)
    }

    fn matter_of(
        &mut self,
        conn: &mut DbConn,
        stored: &StoredSubmission,
        around: Around,
    ) -> Result<Matter, Error> {
        let facts = stored.submission.facts();
        let version = self.version(conn, facts)?;
        let work = Work {
            organization: facts.organization,
            earner: facts.earner,
            family: stored.micro_credential,
            started_at: stored.created_at,
            state: stored.submission.state(),
        };
        let homes = self.homes_of(facts.earner);
        self.matter_from(conn, &work, version, homes, around)
    }

    fn matter_from(
        &mut self,
        conn: &mut DbConn,
        work: &Work,
        version: VersionFacts,
        homes: Homes,
        around: Around,
    ) -> Result<Matter, Error> {
        let mut districts = homes.districts;
        let mut same_district = SameDistrict::Allowed;
        if version.names_district {
            districts.extend(self.districts_of(conn, work.organization)?);
            same_district = if self.is_waived(conn, work.organization)? {
                SameDistrict::Waived
            } else {
                SameDistrict::Conflict
            };
        }
        Ok(Matter {
            facts: MatterFacts {
                earner: work.earner,
                family: work.family,
                started_at: work.started_at,
                schools: homes.schools,
                districts,
                departments: homes.departments,
                same_district,
                readers: around.readers,
                earlier_readers: around.earlier_readers,
                involved: around.involved,
                coaches: around.coaches,
                is_appealed: work.state == SubmissionState::Appealed,
                coauthors: around.coauthors,
            },
            // An adjudicator is a lead assessor, one of those who agree on the keys.
            needs_license: work.state != SubmissionState::Adjudication
                && self.needs_license(conn, work.organization, &version.scoring_hash)?,
            scoring_hash: version.scoring_hash,
            organization: work.organization,
        })
    }

    /// Reads where people belong, but for those of whom it is known.
    fn learn_homes(
        &mut self,
        conn: &mut DbConn,
        mut people: BTreeSet<PersonId>,
    ) -> Result<(), Error> {
        people.retain(|person| !self.homes.contains_key(person));
        let people: Vec<PersonId> = people.into_iter().collect();
        if people.is_empty() {
            return Ok(());
        }
        let since = Some(self.now.minus(SCHOOL_LOOKBACK));
        let mut schools =
            store::conflicts::list_homes(conn, &people, OrganizationKind::School, since)?;
        let mut districts =
            store::conflicts::list_homes(conn, &people, OrganizationKind::District, None)?;
        let mut departments =
            store::conflicts::list_homes(conn, &people, OrganizationKind::Department, None)?;
        for person in people {
            let homes = Homes {
                schools: schools.remove(&person).unwrap_or_default(),
                districts: districts.remove(&person).unwrap_or_default(),
                departments: departments.remove(&person).unwrap_or_default(),
            };
            self.homes.insert(person, homes);
        }
        Ok(())
    }

    /// What [`Judge::learn_homes`] has read.
    fn homes_of(&self, person: PersonId) -> Homes {
        self.homes.get(&person).cloned().unwrap_or_default()
    }

    fn districts_of(
        &mut self,
        conn: &mut DbConn,
        organization: OrganizationId,
    ) -> Result<Vec<OrganizationId>, Error> {
        if let Some(known) = self.districts.get(&organization) {
            return Ok(known.clone());
        }
        let found = districts_of(conn, organization)?;
        self.districts.insert(organization, found.clone());
        Ok(found)
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
            self.learn_homes(conn, BTreeSet::from([person]))?;
            let Homes { schools, districts, departments } = self.homes_of(person);
            let held = store::reviews::count_held(conn, person)?;
            let facts = AssessorFacts {
                person,
                schools,
                districts,
                departments,
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
        let key = (person, matter.scoring_hash.clone(), matter.organization);
        if let Some(known) = self.licenses.get(&key) {
            return Ok(*known);
        }
        let accepted = match self.accepted.entry(matter.organization) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(accepted_by(conn, matter.organization)?),
        };
        let shown = match self.shown.entry((person, matter.scoring_hash.clone())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(Shown::of(conn, person, &matter.scoring_hash, self.now)?)
            }
        };
        let held = shown.license(conn, accepted, self.now)?;
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
        let version = submissions::version_of(conn, facts)?;
        self.learn_version(&version)
    }

    fn learn_version(&mut self, version: &Version) -> Result<VersionFacts, Error> {
        let definition = parse_stored(version)?.definition;
        let known = VersionFacts {
            scoring_hash: version.scoring_hash.clone(),
            names_district: names_district(&definition),
            is_single: definition.review_policy().mode() == ReviewMode::Single,
        };
        self.versions.insert(version.id, known.clone());
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

fn names_district(definition: &Definition) -> bool {
    definition.review_policy().conflict_rules().contains(&ConflictRule::SameDistrict)
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

/// Whether readers of an organization's work must be qualified for a rubric: as soon as a qualifying set for it was published there
/// or above, and from then on, also when it is retired (docs/decisions/0024).
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn is_license_required(
    conn: &mut DbConn,
    organization: OrganizationId,
    scoring_hash: &str,
) -> Result<bool, Error> {
    let among = branch_up(conn, organization)?;
    let sets = store::calibration::list_used(conn, Some(scoring_hash))?;
    Ok(sets.iter().any(|set| set.kind.is_qualifying() && among.contains(&set.organization)))
}

/// Every rule that speaks against somebody and a submission at this moment.
fn judge_reader(
    conn: &mut DbConn,
    assessor: PersonId,
    stored: &StoredSubmission,
    stage: Stage,
    now: Timestamp,
) -> Result<Verdict, Error> {
    let mut judge = Judge::new(now);
    let matters = judge.matters(conn, std::slice::from_ref(stored))?;
    let matter = matters.first().ok_or_else(|| {
        Error::internal(super::error::Broken("a submission that nothing is known of"))
    })?;
    judge.judge(conn, assessor, matter, stage)
}

/// Whether somebody may be shown known work: what was made for the purpose always, an earner's unless one of these rules speaks against
/// it.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn may_know(
    conn: &mut DbConn,
    assessor: PersonId,
    paper: &Paper,
    keeps_away: fn(EligibilityRule) -> bool,
    now: Timestamp,
) -> Result<bool, Error> {
    let Some(source) = paper.submission else { return Ok(true) };
    let Some(stored) = store::submissions::find(conn, source)? else { return Ok(false) };
    let verdict = judge_reader(conn, assessor, &stored, Stage::Claim, now)?;
    Ok(!verdict.refusals.iter().any(|rule| keeps_away(*rule)))
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
    Ok(judge_reader(conn, assessor, stored, Stage::Held, now)?.is_eligible())
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
    let Some(assessor) = review.assessor else { return Ok(()) };
    let verdict = judge_reader(conn, assessor, stored, Stage::Held, now)?;
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
        EligibilityRule::QualifiedElsewhere => {
            "you qualified by a set of another organization, whose qualifications do not count for this work; qualify on a set of the organization whose work it is, or ask its lead assessors to recognise the other's qualifications"
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
        | EligibilityRule::SameDepartment
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
    people_with(conn, role, organization)
}

/// What somebody is qualified by for the rubric of a submission; none without a qualification in force. Where no set exists nobody
/// has one.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn level_of(
    conn: &mut DbConn,
    person: PersonId,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<Option<QualificationLevel>, Error> {
    let facts = stored.submission.facts();
    let hash = submissions::version_of(conn, facts)?.scoring_hash;
    Ok(match license_of(conn, person, &hash, facts.organization, now)? {
        License::Held(level) => Some(level),
        License::NotRequired | License::Refused(_) => None,
    })
}
