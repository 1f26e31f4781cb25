//! Each rule alone, over facts.

use std::collections::BTreeSet;

use assay::domain::calendar::{Calendar, CalendarError, Weekday};
use assay::domain::eligibility::{
    AssessorFacts, EligibilityRule, License, MatterFacts, Pass, Qualification, QualificationLevel,
    QualificationState, Reader, Relation, SameDistrict, Stage, Tie, Upkeep, judge, license,
    license_within,
};
use assay::domain::ids::{MicroCredentialId, OrganizationId, PersonId};
use assay::domain::review::ReviewState;
use assay::domain::timestamp::Timestamp;
use chrono::{DateTime, NaiveDate, TimeDelta};
use proptest::prelude::*;
use uuid::Uuid;

fn person(number: u128) -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(number))
}

fn place(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

fn day(number: i64) -> Timestamp {
    Timestamp::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
        .plus(TimeDelta::days(number))
}

/// Person 1 of school 1 in district 100, with nothing against them.
fn assessor() -> AssessorFacts {
    AssessorFacts {
        person: person(1),
        schools: BTreeSet::from([place(1)]),
        districts: BTreeSet::from([place(100)]),
        departments: BTreeSet::from([place(201)]),
        held: 0,
        load_cap: 5,
        open_families: BTreeSet::new(),
        ties: Vec::new(),
    }
}

/// Work of person 2 of school 2 in the same district, which is no conflict.
fn matter() -> MatterFacts {
    MatterFacts {
        earner: person(2),
        family: MicroCredentialId::from_uuid(Uuid::from_u128(7)),
        started_at: day(0),
        schools: BTreeSet::from([place(2)]),
        districts: BTreeSet::from([place(100)]),
        departments: BTreeSet::from([place(200)]),
        same_district: SameDistrict::Allowed,
        readers: Vec::new(),
        earlier_readers: BTreeSet::new(),
        involved: BTreeSet::new(),
        coaches: BTreeSet::new(),
        is_appealed: false,
        coauthors: BTreeSet::new(),
    }
}

#[track_caller]
fn check(assessor: &AssessorFacts, matter: &MatterFacts, expected: &[EligibilityRule]) {
    let verdict = judge(assessor, License::NotRequired, matter, Stage::Claim);
    assert_eq!(verdict.refusals, expected);
    assert!(verdict.cautions.is_empty());
}

#[test]
fn nothing_speaks_against_a_stranger_of_another_school() {
    check(&assessor(), &matter(), &[]);
}

#[test]
fn each_fact_of_work_refuses_by_its_own_rule() {
    let it = || (assessor(), matter());
    let (a, mut m) = it();
    m.earner = a.person;
    check(&a, &m, &[EligibilityRule::OwnWork]);
    let (a, mut m) = it();
    m.schools.insert(place(1));
    check(&a, &m, &[EligibilityRule::SameSchool]);
    let (a, mut m) = it();
    m.same_district = SameDistrict::Conflict;
    check(&a, &m, &[EligibilityRule::SameDistrict]);
    m.districts = BTreeSet::from([place(101)]);
    check(&a, &m, &[]);
    let (mut a, m) = it();
    a.open_families.insert(m.family);
    check(&a, &m, &[EligibilityRule::OwnOpenAttempt]);
    let (mut a, m) = it();
    a.held = 5;
    check(&a, &m, &[EligibilityRule::LoadCap]);
    let held = judge(&a, License::NotRequired, &m, Stage::Held);
    assert!(held.is_eligible(), "who holds a review is not over the cap by it");
    let (a, mut m) = it();
    m.involved.insert(a.person);
    check(&a, &m, &[EligibilityRule::Involved]);
    let (a, mut m) = it();
    m.coaches.insert(a.person);
    check(&a, &m, &[EligibilityRule::Coached]);
    let (a, mut m) = it();
    m.coauthors.insert(a.person);
    check(&a, &m, &[EligibilityRule::Coauthor]);
    // Everything that holds is named, not the first alone.
    let (mut a, mut m) = it();
    a.held = 9;
    m.schools.insert(place(1));
    check(&a, &m, &[EligibilityRule::LoadCap, EligibilityRule::SameSchool]);
}

#[test]
fn department_matters_only_where_a_waiver_permits_the_reading() {
    for (same_district, theirs, district, expected) in [
        (SameDistrict::Waived, 201, 100, &[EligibilityRule::SameDepartment][..]),
        (SameDistrict::Waived, 202, 100, &[]),
        (SameDistrict::Waived, 201, 101, &[]),
        (SameDistrict::Allowed, 201, 100, &[]),
        (SameDistrict::Conflict, 201, 100, &[EligibilityRule::SameDistrict]),
        (SameDistrict::Conflict, 201, 101, &[]),
    ] {
        let matter = MatterFacts {
            same_district,
            departments: BTreeSet::from([place(200), place(theirs)]),
            districts: BTreeSet::from([place(district)]),
            ..matter()
        };
        check(&assessor(), &matter, expected);
    }
}

#[test]
fn ties_count_while_they_last_and_coaching_for_the_attempt_that_was_coached() {
    let tied = |relation, ended_at| {
        let ties = vec![Tie { other: person(2), relation, ended_at }];
        AssessorFacts { ties, ..assessor() }
    };
    for (relation, rule) in [
        (Relation::Supervises, EligibilityRule::Evaluates),
        (Relation::Evaluates, EligibilityRule::Evaluates),
        (Relation::Household, EligibilityRule::Declared),
        (Relation::CloseTie, EligibilityRule::Declared),
    ] {
        check(&tied(relation, None), &matter(), &[rule]);
        check(&tied(relation, Some(day(1))), &matter(), &[]);
    }
    for (relation, rule) in [
        (Relation::Coaches, EligibilityRule::Coached),
        (Relation::Coauthor, EligibilityRule::Coauthor),
    ] {
        check(&tied(relation, None), &matter(), &[rule]);
        check(&tied(relation, Some(day(1))), &matter(), &[rule]);
        check(&tied(relation, Some(day(-1))), &matter(), &[]);
    }
    let elsewhere = Tie { other: person(3), relation: Relation::Household, ended_at: None };
    check(&AssessorFacts { ties: vec![elsewhere], ..assessor() }, &matter(), &[]);
}

#[test]
fn second_reader_is_of_another_school_and_another_person() {
    let read = |number, state, school| MatterFacts {
        readers: vec![Reader {
            person: person(number),
            state,
            schools: BTreeSet::from([place(school)]),
        }],
        ..matter()
    };
    use ReviewState::{Lapsed, Leased, Locked, Recused};
    for state in [Leased, Locked] {
        check(&assessor(), &read(3, state, 1), &[EligibilityRule::SameSchoolAsReader]);
        check(&assessor(), &read(3, state, 3), &[]);
        check(&assessor(), &read(1, state, 1), &[EligibilityRule::HasRead]);
        let own = read(1, state, 1);
        assert!(judge(&assessor(), License::NotRequired, &own, Stage::Held).is_eligible());
    }
    check(&assessor(), &read(3, Lapsed, 1), &[]);
    check(&assessor(), &read(3, Recused, 1), &[]);
    check(&assessor(), &read(1, Recused, 1), &[EligibilityRule::Recused]);
    check(&assessor(), &read(1, Lapsed, 1), &[]);
}

#[test]
fn who_scored_an_earlier_attempt_is_only_put_last() {
    let mut matter = matter();
    matter.earlier_readers.insert(person(1));
    let verdict = judge(&assessor(), License::NotRequired, &matter, Stage::Claim);
    assert!(verdict.is_eligible());
    assert_eq!(verdict.cautions, [EligibilityRule::ScoredEarlier]);
}

fn qualification() -> Qualification {
    Qualification {
        person: person(1),
        scoring_hash: "hash".to_owned(),
        level: QualificationLevel::Full,
        state: QualificationState::Qualified,
        passed_at: day(0),
        expires_at: day(365),
        flagged_at: None,
        revision: 1,
    }
}

#[test]
fn license_is_refused_for_what_is_missing_ended_or_suspended() {
    let kept = Upkeep { has_modules: true, ..Upkeep::default() };
    let held = qualification();
    let refused = License::Refused;
    assert_eq!(license(None, kept, day(1)), refused(EligibilityRule::NotQualified));
    assert_eq!(license(Some(&held), kept, day(1)), License::Held(QualificationLevel::Full));
    let without = Upkeep::default();
    assert_eq!(license(Some(&held), without, day(1)), refused(EligibilityRule::ModulesMissing));
    // The day before, and the day.
    assert_eq!(license(Some(&held), kept, day(89)), License::Held(QualificationLevel::Full));
    assert_eq!(license(Some(&held), kept, day(90)), refused(EligibilityRule::RefresherDue));
    let seen = Upkeep { last_known_work: Some(day(300)), ..kept };
    assert_eq!(license(Some(&held), seen, day(364)), License::Held(QualificationLevel::Full));
    let ended = refused(EligibilityRule::QualificationExpired);
    assert_eq!(license(Some(&held), seen, day(365)), ended);
    let suspended = Qualification { state: QualificationState::Suspended, ..qualification() };
    let expected = refused(EligibilityRule::QualificationSuspended);
    assert_eq!(license(Some(&suspended), kept, day(1)), expected);
    let gone = Upkeep { is_released: true, ..kept };
    let expected = refused(EligibilityRule::Released);
    assert_eq!(license(Some(&qualification()), gone, day(1)), expected);
    let watched = Qualification { state: QualificationState::Watch, ..qualification() };
    assert_eq!(license(Some(&watched), kept, day(1)), License::Held(QualificationLevel::Full));
}

#[test]
fn provisional_license_ends_90_days_after_there_is_real_work() {
    let held = Qualification { level: QualificationLevel::Provisional, ..qualification() };
    let last_known_work = Some(day(100));
    let kept = Upkeep { has_modules: true, last_known_work, ..Upkeep::default() };
    let in_force = License::Held(QualificationLevel::Provisional);
    assert_eq!(license(Some(&held), kept, day(150)), in_force);
    let enough = Upkeep { real_work_since: Some(day(60)), ..kept };
    assert_eq!(license(Some(&held), enough, day(149)), in_force);
    let ended = License::Refused(EligibilityRule::ProvisionalEnded);
    assert_eq!(license(Some(&held), enough, day(150)), ended);
}

/// The license of somebody with these passes where the sets of these organizations count, confirmed by known work all the time.
fn license_at(passes: &[(u128, QualificationLevel, i64)], accepted: &[u128], at: i64) -> License {
    let pass = |(organization, level, passed): &(u128, QualificationLevel, i64)| Pass {
        organization: place(*organization),
        level: *level,
        passed_at: day(*passed),
    };
    let passes: Vec<Pass> = passes.iter().map(pass).collect();
    let everywhere = passes.iter().map(|pass| pass.organization).collect();
    let start = Qualification { expires_at: day(5000), ..qualification() };
    let held = start.within(&passes, &everywhere);
    let accepted = accepted.iter().map(|number| place(*number)).collect();
    let kept = Upkeep { has_modules: true, last_known_work: Some(day(at)), ..Upkeep::default() };
    license_within(held.as_ref(), &passes, &accepted, kept, day(at))
}

#[test]
fn qualification_counts_as_what_was_passed_where_it_is_accepted() {
    use QualificationLevel::{Full, Provisional};
    let refused = License::Refused;
    let passes = [(1, Provisional, 10), (2, Full, 20)];
    // Real work of a stranger's makes nobody fully qualified here.
    assert_eq!(license_at(&passes, &[1], 30), License::Held(Provisional));
    assert_eq!(license_at(&passes, &[2], 30), License::Held(Full));
    assert_eq!(license_at(&passes, &[1, 2], 30), License::Held(Full));
    assert_eq!(license_at(&passes, &[3], 30), refused(EligibilityRule::QualifiedElsewhere));
    assert_eq!(license_at(&[], &[1], 30), refused(EligibilityRule::NotQualified));
    // The year is that of what counts here, and a later pass elsewhere does not make it longer.
    assert_eq!(license_at(&passes, &[1], 374), License::Held(Provisional));
    assert_eq!(license_at(&passes, &[1], 375), refused(EligibilityRule::QualificationExpired));
    assert_eq!(license_at(&passes, &[2], 384), License::Held(Full));
    assert_eq!(license_at(&passes, &[3], 385), refused(EligibilityRule::QualificationExpired));
    // A full qualification in force is not exchanged for a provisional one; one that has ended is.
    let renewed = [(1, Full, 0), (1, Provisional, 300)];
    assert_eq!(license_at(&renewed, &[1], 600), License::Held(Full));
    let again = [(1, Full, 0), (1, Provisional, 365)];
    assert_eq!(license_at(&again, &[1], 600), License::Held(Provisional));
    // What stands for the person stands everywhere.
    let passes = [Pass { organization: place(1), level: Full, passed_at: day(0) }];
    let accepted = BTreeSet::from([place(1)]);
    let kept = Upkeep { has_modules: true, ..Upkeep::default() };
    let suspended = Qualification { state: QualificationState::Suspended, ..qualification() };
    for (accepted, passes) in
        [(&accepted, &passes[..]), (&BTreeSet::new(), &passes[..]), (&accepted, &[])]
    {
        let license = license_within(Some(&suspended), passes, accepted, kept, day(1));
        assert_eq!(license, refused(EligibilityRule::QualificationSuspended));
        let gone = Upkeep { is_released: true, ..kept };
        let license = license_within(Some(&qualification()), passes, accepted, gone, day(1));
        assert_eq!(license, refused(EligibilityRule::Released));
    }
}

proptest! {
    /// Whatever the facts are, nobody with one that forbids is let through.
    #[test]
    fn no_forbidden_reader_is_ever_eligible(
        me in 1_u128..6, schools in proptest::collection::btree_set(1_u128..5, 0..3),
        earner in 1_u128..6, theirs in proptest::collection::btree_set(1_u128..5, 0..3),
        tied in proptest::option::of((1_u128..6, 0_usize..6)), is_licensed: bool,
        reader in proptest::option::of((1_u128..6, 1_u128..5)), held in 0_usize..7,
    ) {
        let places = |numbers: &BTreeSet<u128>| numbers.iter().map(|number| place(*number)).collect();
        let mut assessor = AssessorFacts {
            person: person(me), schools: places(&schools), held, ..assessor()
        };
        if let Some((other, relation)) = tied {
            let relation = Relation::ALL[relation];
            assessor.ties.push(Tie { other: person(other), relation, ended_at: None });
        }
        let mut matter = MatterFacts { earner: person(earner), schools: places(&theirs), ..matter() };
        if let Some((number, school)) = reader {
            matter.readers.push(Reader {
                person: person(number), state: ReviewState::Locked, schools: BTreeSet::from([place(school)]),
            });
        }
        let license = if is_licensed {
            License::Held(QualificationLevel::Full)
        } else {
            License::Refused(EligibilityRule::NotQualified)
        };
        let verdict = judge(&assessor, license, &matter, Stage::Claim);
        let forbidden = !is_licensed
            || me == earner
            || !schools.is_disjoint(&theirs)
            || tied.is_some_and(|(other, _)| other == earner)
            || held >= 5
            || reader.is_some_and(|(number, school)| number == me || schools.contains(&school));
        prop_assert_eq!(verdict.is_eligible(), !forbidden);
    }
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn promise_counts_only_days_on_which_the_district_works() {
    let at = |text: &str| Timestamp::new(text.parse().unwrap());
    let friday = at("2026-11-20T15:00:00Z");
    assert_eq!(Calendar::default().after_working_days(friday, 1), at("2026-11-23T15:00:00Z"));
    let weekend = BTreeSet::from([Weekday::Saturday, Weekday::Sunday]);
    let holidays = BTreeSet::from([date("2026-11-26"), date("2026-11-27")]);
    let breaks = vec![(date("2026-12-21"), date("2027-01-01"))];
    let calendar = Calendar::new(weekend.clone(), holidays, breaks).unwrap();
    assert_eq!(calendar.after_working_days(friday, 3), at("2026-11-25T15:00:00Z"));
    assert_eq!(calendar.after_working_days(friday, 4), at("2026-11-30T15:00:00Z"));
    assert_eq!(
        calendar.after_working_days(at("2026-12-18T08:00:00Z"), 1),
        at("2027-01-04T08:00:00Z")
    );
    assert_eq!(calendar.after_working_days(friday, 0), friday);
    let all: BTreeSet<Weekday> = Weekday::ALL.iter().copied().collect();
    assert_eq!(Calendar::new(all, BTreeSet::new(), Vec::new()), Err(CalendarError::NoWorkingDay));
    let backwards = vec![(date("2026-12-21"), date("2026-12-20"))];
    assert_eq!(
        Calendar::new(weekend.clone(), BTreeSet::new(), backwards),
        Err(CalendarError::BreakBackwards { index: 0 })
    );
    // A calendar without any working day for years is not waited for.
    let forever = vec![(date("2000-01-01"), date("2099-12-31"))];
    let never = Calendar::new(weekend, BTreeSet::new(), forever).unwrap();
    assert!(never.after_working_days(friday, 10) > friday);
}
