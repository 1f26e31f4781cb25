//! Who may score what (DOMAIN.md, 3.2): one judgement over facts, made at the claim, at each opening and at the lock.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::calibration::QUALIFIED_FOR;
use super::ids::{MicroCredentialId, OrganizationId, PersonId};
use super::review::ReviewState;
use super::timestamp::Timestamp;

/// How far back a shared school is a conflict: a day more than two years, of which one may be a leap year.
pub const SCHOOL_LOOKBACK: TimeDelta = TimeDelta::days(731);
/// A qualification that no known paper has confirmed for so long needs a refresher.
pub const KNOWN_WORK_WITHIN: TimeDelta = TimeDelta::days(90);
/// How long a provisional qualification counts once there is real work to qualify on.
pub const PROVISIONAL_GRACE: TimeDelta = TimeDelta::days(90);
/// How many practice papers are a refresher.
pub const REFRESHER_PAPERS: usize = 5;

worded_enum! {
    /// A rule that keeps somebody from scoring a submission.
    EligibilityRule {
        /// No qualification for this rubric.
        NotQualified = "not_qualified",
        /// It has ended.
        QualificationExpired = "qualification_expired",
        /// It is suspended.
        QualificationSuspended = "qualification_suspended",
        /// Released from scoring by this rubric.
        Released = "released",
        /// No known paper for 90 days.
        RefresherDue = "refresher_due",
        /// A provisional qualification, and the time to qualify fully is over.
        ProvisionalEnded = "provisional_ended",
        /// Qualified by a set of an organization whose qualifications do not count for this work.
        QualifiedElsewhere = "qualified_elsewhere",
        /// The modules on bias and conflicts are not done.
        ModulesMissing = "modules_missing",
        /// They hold as many reviews as they may.
        LoadCap = "load_cap",
        /// It is their own.
        OwnWork = "self",
        /// They work on the same micro-credential themselves.
        OwnOpenAttempt = "own_open_attempt_on_definition",
        /// The same school, now or in the past 24 months.
        SameSchool = "same_school",
        /// The same district, where the definition names it and nobody has waived it.
        SameDistrict = "same_district",
        /// The same department, where a waiver is what permits a reading in the district (DOMAIN.md, 3.2: cross-department).
        SameDepartment = "same_department",
        /// One supervises or evaluates the other.
        Evaluates = "evaluates_or_is_evaluated_by",
        /// Coached this attempt, or was told as a coach whose it is.
        Coached = "coached_this_attempt",
        /// Co-author of something that was handed in.
        Coauthor = "coauthor_of_artifact",
        /// The same household, or a close tie that one of them declared.
        Declared = "declared",
        /// Took part in the matter: screened it, or sat on it.
        Involved = "involved_in_matter_under_appeal",
        /// Has read it already.
        HasRead = "has_read",
        /// Stepped back from it.
        Recused = "recused",
        /// Of the same school as its other reader.
        SameSchoolAsReader = "same_school_as_other_reader",
        /// Scored an earlier attempt of the same earner: avoided while there is anybody else.
        ScoredEarlier = "scored_earlier_attempt",
    }
}

impl EligibilityRule {
    /// Whether the rule only orders: somebody else goes first, and nobody is kept away.
    #[must_use]
    pub const fn is_soft(self) -> bool {
        matches!(self, EligibilityRule::ScoredEarlier)
    }

    /// What it says, in plain words that complete "assessors are kept away because they …".
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            EligibilityRule::NotQualified => "are not qualified for this rubric",
            EligibilityRule::QualificationExpired => "were qualified, and the year is over",
            EligibilityRule::QualificationSuspended => "are suspended",
            EligibilityRule::Released => "were released from scoring by this rubric",
            EligibilityRule::RefresherDue => "need a refresher",
            EligibilityRule::ProvisionalEnded => {
                "are qualified provisionally, and that time is over"
            }
            EligibilityRule::QualifiedElsewhere => {
                "are qualified by an organization whose qualifications are not recognised here"
            }
            EligibilityRule::ModulesMissing => "have not done the modules on bias and conflicts",
            EligibilityRule::LoadCap => "hold as many reviews as they may",
            EligibilityRule::OwnWork => "would read their own work",
            EligibilityRule::OwnOpenAttempt => "work on the same micro-credential themselves",
            EligibilityRule::SameSchool => "are or were of the same school",
            EligibilityRule::SameDistrict => "are of the same district, which nobody has waived",
            EligibilityRule::SameDepartment => {
                "are of the same department, and may read in the district by a waiver alone"
            }
            EligibilityRule::Evaluates => "evaluate each other",
            EligibilityRule::Coached => "have coached the attempt",
            EligibilityRule::Coauthor => "share a part of the work",
            EligibilityRule::Declared => "have a declared tie",
            EligibilityRule::Involved => "took part in the matter in another role",
            EligibilityRule::HasRead => "have read the work already",
            EligibilityRule::Recused => "have stepped back from it",
            EligibilityRule::SameSchoolAsReader => "are of the same school as the other reader",
            EligibilityRule::ScoredEarlier => "scored an earlier attempt",
        }
    }

    /// Whether it is a tie to a person. It keeps somebody from their work also where nothing is decided by what they say of it.
    #[must_use]
    pub const fn is_tie(self) -> bool {
        matches!(
            self,
            EligibilityRule::OwnWork
                | EligibilityRule::Evaluates
                | EligibilityRule::Coached
                | EligibilityRule::Coauthor
                | EligibilityRule::Declared
        )
    }

    /// Whether it is about the work, and not about where the assessor stands: known work that looks live is judged by it.
    #[must_use]
    pub const fn is_about_work(self) -> bool {
        match self {
            EligibilityRule::OwnWork
            | EligibilityRule::SameSchool
            | EligibilityRule::SameDistrict
            | EligibilityRule::SameDepartment
            | EligibilityRule::Evaluates
            | EligibilityRule::Coached
            | EligibilityRule::Coauthor
            | EligibilityRule::Declared
            | EligibilityRule::Involved
            | EligibilityRule::HasRead
            | EligibilityRule::Recused => true,
            EligibilityRule::NotQualified
            | EligibilityRule::QualificationExpired
            | EligibilityRule::QualificationSuspended
            | EligibilityRule::Released
            | EligibilityRule::RefresherDue
            | EligibilityRule::ProvisionalEnded
            | EligibilityRule::QualifiedElsewhere
            | EligibilityRule::ModulesMissing
            | EligibilityRule::LoadCap
            | EligibilityRule::OwnOpenAttempt
            | EligibilityRule::SameSchoolAsReader
            | EligibilityRule::ScoredEarlier => false,
        }
    }

    /// Whether an assessor may be told of it by name: the others would say something about the earner or the other reader.
    #[must_use]
    pub const fn is_about_assessor_alone(self) -> bool {
        match self {
            EligibilityRule::NotQualified
            | EligibilityRule::QualificationExpired
            | EligibilityRule::QualificationSuspended
            | EligibilityRule::Released
            | EligibilityRule::RefresherDue
            | EligibilityRule::ProvisionalEnded
            | EligibilityRule::QualifiedElsewhere
            | EligibilityRule::ModulesMissing
            | EligibilityRule::LoadCap
            | EligibilityRule::OwnOpenAttempt
            | EligibilityRule::Recused => true,
            EligibilityRule::OwnWork
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
            | EligibilityRule::ScoredEarlier => false,
        }
    }
}

worded_enum! {
    /// What one person has declared about another.
    Relation {
        /// Supervises them.
        Supervises = "supervises",
        /// Evaluates them.
        Evaluates = "evaluates",
        /// Lives with them.
        Household = "household",
        /// Is close to them in another way.
        CloseTie = "close_tie",
        /// Coaches them.
        Coaches = "coaches",
        /// Made something together with them.
        Coauthor = "coauthor",
    }
}

impl Relation {
    const fn rule(self) -> EligibilityRule {
        match self {
            Relation::Supervises | Relation::Evaluates => EligibilityRule::Evaluates,
            Relation::Household | Relation::CloseTie => EligibilityRule::Declared,
            Relation::Coaches => EligibilityRule::Coached,
            Relation::Coauthor => EligibilityRule::Coauthor,
        }
    }

    /// Whether the relation counts for an attempt that began at `started_at`. Who coached an attempt, or made a part of it, has
    /// done so for good; other relations count while they last.
    fn counts(self, ended_at: Option<Timestamp>, started_at: Timestamp) -> bool {
        match self {
            Relation::Coaches | Relation::Coauthor => {
                ended_at.is_none_or(|ended| ended >= started_at)
            }
            Relation::Supervises
            | Relation::Evaluates
            | Relation::Household
            | Relation::CloseTie => ended_at.is_none(),
        }
    }
}

worded_enum! {
    /// What comes before scoring.
    Module {
        /// On bias.
        Bias = "bias",
        /// On conflicts of interest.
        Conflicts = "conflicts",
    }
}

worded_enum! {
    /// What a qualification was passed on.
    QualificationLevel {
        /// Real work.
        Full = "full",
        /// Work made for the purpose: every score is then double blind.
        Provisional = "provisional",
    }
}

worded_enum! {
    /// Where a qualification stands; that it has expired follows from its date.
    QualificationState {
        /// In force.
        Qualified = "qualified",
        /// In force, and a refresher is due.
        Watch = "watch",
        /// Not in force.
        Suspended = "suspended",
    }
}

/// A right to score by one rubric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualification {
    /// Whose.
    pub person: PersonId,
    /// For every version of this scoring hash.
    pub scoring_hash: String,
    /// What it was passed on.
    pub level: QualificationLevel,
    /// Where it stands.
    pub state: QualificationState,
    /// When it was passed.
    pub passed_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When drift was last flagged.
    pub flagged_at: Option<Timestamp>,
    /// Counts its changes.
    pub revision: i32,
}

/// A qualifying set that somebody has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Whose set it was.
    pub organization: OrganizationId,
    /// What it was made of.
    pub level: QualificationLevel,
    /// When it was passed.
    pub passed_at: Timestamp,
}

impl Qualification {
    /// The level after one more pass: a full qualification in force is not exchanged for a provisional one.
    #[must_use]
    pub fn level_after(before: Option<&Qualification>, pass: Pass) -> QualificationLevel {
        let keeps_full = before.is_some_and(|held| {
            held.level == QualificationLevel::Full
                && held.state != QualificationState::Suspended
                && held.expires_at > pass.passed_at
        });
        if keeps_full { QualificationLevel::Full } else { pass.level }
    }

    /// What is left of it where only the sets of some organizations count (docs/decisions/0073); `passes` are those that it rests on, the
    /// oldest first. Where it stands is the same everywhere: a suspension is about how somebody scores.
    #[must_use]
    pub fn within(
        &self,
        passes: &[Pass],
        accepted: &BTreeSet<OrganizationId>,
    ) -> Option<Qualification> {
        let counting = passes.iter().filter(|pass| accepted.contains(&pass.organization));
        counting.fold(None, |before: Option<Qualification>, pass| {
            Some(Qualification {
                level: Qualification::level_after(before.as_ref(), *pass),
                passed_at: pass.passed_at,
                expires_at: pass.passed_at.plus(QUALIFIED_FOR),
                ..self.clone()
            })
        })
    }
}

/// Whether somebody has the right to score by a rubric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum License {
    /// Nobody needs one: there is no qualifying set.
    NotRequired,
    /// They have it.
    Held(QualificationLevel),
    /// They have not, for this reason.
    Refused(EligibilityRule),
}

/// What a license is judged by, beside the qualification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Upkeep {
    /// Whether the modules are done.
    pub has_modules: bool,
    /// Whether they have gone, or were let go.
    pub is_released: bool,
    /// When the last known paper in the queue was scored, or the last refresher done.
    pub last_known_work: Option<Timestamp>,
    /// When there was enough real work to qualify fully.
    pub real_work_since: Option<Timestamp>,
    /// When they first passed a set of work made for the purpose: passing another one does not make the time longer.
    pub provisional_since: Option<Timestamp>,
}

/// What ends a right to score wherever it was passed.
fn ended(held: &Qualification, now: Timestamp) -> Option<EligibilityRule> {
    if held.state == QualificationState::Suspended {
        return Some(EligibilityRule::QualificationSuspended);
    }
    (held.expires_at <= now).then_some(EligibilityRule::QualificationExpired)
}

/// The license that follows for work where only the sets of some organizations count. `held` is the qualification as it stands, wherever
/// it was passed, and `passes` are those that it rests on, the oldest first.
#[must_use]
pub fn license_within(
    held: Option<&Qualification>,
    passes: &[Pass],
    accepted: &BTreeSet<OrganizationId>,
    upkeep: Upkeep,
    now: Timestamp,
) -> License {
    let counting = held.and_then(|held| held.within(passes, accepted));
    match (held, counting) {
        (Some(held), None) if !upkeep.is_released => {
            let rule = ended(held, now).unwrap_or(EligibilityRule::QualifiedElsewhere);
            License::Refused(rule)
        }
        (_, counting) => license(counting.as_ref(), upkeep, now),
    }
}

/// The license that follows, where one is required.
#[must_use]
pub fn license(qualification: Option<&Qualification>, upkeep: Upkeep, now: Timestamp) -> License {
    if upkeep.is_released {
        return License::Refused(EligibilityRule::Released);
    }
    let Some(held) = qualification else { return License::Refused(EligibilityRule::NotQualified) };
    if let Some(rule) = ended(held, now) {
        return License::Refused(rule);
    }
    if held.level == QualificationLevel::Provisional
        && upkeep
            .real_work_since
            .map(|since| since.max(upkeep.provisional_since.unwrap_or(held.passed_at)))
            .is_some_and(|since| since.plus(PROVISIONAL_GRACE) <= now)
    {
        return License::Refused(EligibilityRule::ProvisionalEnded);
    }
    let confirmed = upkeep.last_known_work.map_or(held.passed_at, |at| at.max(held.passed_at));
    if confirmed.plus(KNOWN_WORK_WITHIN) <= now {
        return License::Refused(EligibilityRule::RefresherDue);
    }
    if !upkeep.has_modules {
        return License::Refused(EligibilityRule::ModulesMissing);
    }
    License::Held(held.level)
}

/// A declared tie of an assessor to somebody, whoever declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The other.
    pub other: PersonId,
    /// What it is.
    pub relation: Relation,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
}

/// What is known of an assessor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessorFacts {
    /// Who.
    pub person: PersonId,
    /// Their schools, now and in the past 24 months.
    pub schools: BTreeSet<OrganizationId>,
    /// Their districts.
    pub districts: BTreeSet<OrganizationId>,
    /// Their departments.
    pub departments: BTreeSet<OrganizationId>,
    /// The reviews that they hold.
    pub held: usize,
    /// The most that they may hold.
    pub load_cap: usize,
    /// The micro-credentials at which they have an open attempt.
    pub open_families: BTreeSet<MicroCredentialId>,
    /// Their ties.
    pub ties: Vec<Tie>,
}

/// Somebody who has, or had, a seat of the submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub person: PersonId,
    /// Their seat.
    pub state: ReviewState,
    /// Their schools, now and in the past 24 months.
    pub schools: BTreeSet<OrganizationId>,
}

/// What it means for a reading that assessor and earner are of one district.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameDistrict {
    /// Nothing: the definition does not name it.
    Allowed,
    /// The definition names it, and a group has waived it: allowed across departments (DOMAIN.md, 3.2).
    Waived,
    /// A conflict: the definition names it and no waiver is in force.
    Conflict,
}

/// What is known of a submission that is to be scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatterFacts {
    /// Whose it is.
    pub earner: PersonId,
    /// At which micro-credential.
    pub family: MicroCredentialId,
    /// When the attempt was started.
    pub started_at: Timestamp,
    /// The earner's schools, now and in the past 24 months.
    pub schools: BTreeSet<OrganizationId>,
    /// The earner's districts.
    pub districts: BTreeSet<OrganizationId>,
    /// The earner's departments.
    pub departments: BTreeSet<OrganizationId>,
    /// What the same district means here.
    pub same_district: SameDistrict,
    /// Everybody who has or had a seat.
    pub readers: Vec<Reader>,
    /// Who scored an earlier attempt of the earner at the same micro-credential.
    pub earlier_readers: BTreeSet<PersonId>,
    /// Who took part in another role.
    pub involved: BTreeSet<PersonId>,
    /// The coaches who were told whose work it is.
    pub coaches: BTreeSet<PersonId>,
    /// Whether it is read for an appeal: fresh readers have never had a seat of it.
    pub is_appealed: bool,
    /// Who handed in one of the same files.
    pub coauthors: BTreeSet<PersonId>,
}

/// When the judgement is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before a seat is given.
    Claim,
    /// While one is held: at each opening, saving and the lock.
    Held,
}

/// Every rule that speaks against an assignment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Those that forbid it.
    pub refusals: Vec<EligibilityRule>,
    /// Those that only put others first.
    pub cautions: Vec<EligibilityRule>,
}

impl Verdict {
    /// Whether the assignment is allowed.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        self.refusals.is_empty()
    }
}

/// Judges every rule; none is silently left out.
#[must_use]
pub fn judge(
    assessor: &AssessorFacts,
    license: License,
    matter: &MatterFacts,
    stage: Stage,
) -> Verdict {
    let mut found = BTreeSet::new();
    let person = assessor.person;
    if let License::Refused(rule) = license {
        found.insert(rule);
    }
    if stage == Stage::Claim && assessor.held >= assessor.load_cap {
        found.insert(EligibilityRule::LoadCap);
    }
    let is_same_district = !assessor.districts.is_disjoint(&matter.districts);
    let facts = [
        (person == matter.earner, EligibilityRule::OwnWork),
        (!assessor.schools.is_disjoint(&matter.schools), EligibilityRule::SameSchool),
        (
            is_same_district && matter.same_district == SameDistrict::Conflict,
            EligibilityRule::SameDistrict,
        ),
        (
            is_same_district
                && matter.same_district == SameDistrict::Waived
                && !assessor.departments.is_disjoint(&matter.departments),
            EligibilityRule::SameDepartment,
        ),
        (assessor.open_families.contains(&matter.family), EligibilityRule::OwnOpenAttempt),
        (matter.involved.contains(&person), EligibilityRule::Involved),
        (matter.coaches.contains(&person), EligibilityRule::Coached),
        (matter.coauthors.contains(&person), EligibilityRule::Coauthor),
        (matter.earlier_readers.contains(&person), EligibilityRule::ScoredEarlier),
    ];
    found.extend(facts.into_iter().filter(|(holds, _)| *holds).map(|(_, rule)| rule));
    found.extend(
        assessor
            .ties
            .iter()
            .filter(|tie| tie.other == matter.earner)
            .filter(|tie| tie.relation.counts(tie.ended_at, matter.started_at))
            .map(|tie| tie.relation.rule()),
    );
    for reader in &matter.readers {
        let holds_seat = matches!(reader.state, ReviewState::Leased | ReviewState::Locked);
        if reader.person == person {
            if reader.state == ReviewState::Recused {
                found.insert(EligibilityRule::Recused);
            } else if stage == Stage::Claim && (holds_seat || matter.is_appealed) {
                found.insert(EligibilityRule::HasRead);
            }
        } else if holds_seat && !reader.schools.is_disjoint(&assessor.schools) {
            found.insert(EligibilityRule::SameSchoolAsReader);
        }
    }
    let (cautions, refusals) = found.into_iter().partition(|rule| rule.is_soft());
    Verdict { refusals, cautions }
}
