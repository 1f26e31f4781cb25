//! A walk of random people and events through the services, beside a small model of what must come of each.
//!
//! Every sheet gives all criteria the same distance from their pass levels: -1, 0 or 1. So one number stands for a sheet, and what two or
//! three of them come to can be said in a line.

mod at_once;
mod model;
mod people;
mod rules;
mod training;

use assay::domain::case::{Grounds, Vote};
use assay::domain::eligibility::Relation;
use assay::domain::review::ReviewKind;
use assay::domain::submission::SubmissionState;
use assay::service::cases::NewAppeal;
use assay::service::conflicts::About;
use assay::service::resubmission::Resubmit;
use assay::service::{Error, assignment, cases, conflicts, resubmission, reviews, submissions};
use assay::store;
use assay::store::schema::{awards, reviews as review_rows};
use chrono::TimeDelta;
use diesel::prelude::*;

use self::model::{Attempt, Case, Seat};
use self::people::{Walk, words_of};
use self::rules::Tie;
use crate::harness::scale;

#[test]
fn no_interleaving_issues_without_its_sheets_or_seats_whom_a_rule_forbids_or_shows_a_sheet_too_early()
 {
    let mut walk = Walk::new(0x5eed_cafe);
    let n_events = scale(10_000);
    let mut seen = Seen::default();
    for event in 0..n_events {
        step(&mut walk, &mut seen);
        if event % 100 == 0 {
            check_everything(&walk);
        }
    }
    check_everything(&walk);
    walk.app.audit_events();
    seen.earned = walk.attempts.iter().filter(|one| one.decision == Some(true)).count();
    seen.adjudicated = walk.attempts.iter().filter(|one| one.third.is_some()).count();
    seen.withdrawn =
        walk.attempts.iter().filter(|one| one.state == SubmissionState::Withdrawn).count();
    seen.suspended = walk
        .everybody
        .iter()
        .filter(|one| one.license.as_ref().is_some_and(|held| held.is_suspended))
        .count();
    if n_events == 10_000 {
        print(&walk, &seen);
    }
    // A tenth of the way may meet no free seat of this kind.
    let reread = if n_events == 10_000 { seen.reread } else { 1 };
    let counts = [
        seen.earned / 5,
        seen.adjudicated / 2,
        seen.withdrawn,
        seen.known,
        reread,
        seen.empty_handed,
        seen.refused,
        seen.not_any_more,
        seen.second_for_provisional,
    ];
    assert!(counts.iter().all(|count| *count > 0), "the walk goes nowhere: {seen:?}");
}

/// What the walk has come across.
#[derive(Debug, Default)]
struct Seen {
    earned: usize,
    adjudicated: usize,
    withdrawn: usize,
    suspended: usize,
    /// Known papers in the place of live work.
    known: usize,
    /// Claims that brought nothing, with something waiting that only others may read.
    empty_handed: usize,
    /// Claims of somebody who holds as much as they may.
    refused: usize,
    /// Sheets that were refused since a rule had come to apply.
    not_any_more: usize,
    /// Sheets that were given to somebody to read again.
    reread: usize,
    /// Second readings of what one reader would have decided, had they been fully qualified.
    second_for_provisional: usize,
}

#[expect(
    clippy::print_stdout,
    reason = "somebody who runs the walk in full wants to know where it went"
)]
fn print(walk: &Walk, seen: &Seen) {
    println!("{} attempts, {} people: {seen:#?}", walk.attempts.len(), walk.everybody.len());
}

fn step(walk: &mut Walk, seen: &mut Seen) {
    match walk.below(42) {
        0..=5 => start(walk),
        6 => recall_or_withdraw(walk),
        7..=15 => claim(walk, seen),
        16..=24 => lock(walk, seen),
        25 => recuse(walk),
        26 => lapse(walk),
        27 => flag(walk),
        28..=30 => answer_case(walk),
        31 => appeal(walk),
        32 => resubmit(walk),
        33 => peek(walk),
        34 => declare(walk),
        35 | 36 => end_tie(walk),
        37 => put_load_cap(walk),
        38 => waive(walk),
        39 | 40 => train(walk),
        _ => go_on_holiday(walk),
    }
}

/// What the model says must be what the database holds.
#[track_caller]
fn check(walk: &Walk, index: usize) {
    let attempt = &walk.attempts[index];
    let mut conn = walk.app.resources.database.connection().unwrap();
    let stored = store::submissions::find(&mut conn, attempt.id).unwrap().unwrap();
    assert_eq!(stored.submission.state(), attempt.state, "{attempt:?}");
    let decision = store::decisions::find(&mut conn, attempt.id).unwrap();
    let earned = decision.map(|one| one.outcome.as_str() == "earned");
    assert_eq!(earned, attempt.decision, "{attempt:?}");
    let n_awards: i64 = awards::table
        .filter(awards::submission_id.eq(attempt.id.to_string()))
        .count()
        .get_result(&mut *conn)
        .unwrap();
    assert_eq!(n_awards, i64::from(attempt.decision == Some(true)), "{attempt:?}");
    let seated: Vec<(i32, Option<String>, String)> = review_rows::table
        .filter(review_rows::submission_id.eq(attempt.id.to_string()))
        .filter(review_rows::state.eq_any(["leased", "locked"]))
        .select((review_rows::seat, review_rows::assessor_id, review_rows::state))
        .load(&mut *conn)
        .unwrap();
    for (number, (seat, reader, _)) in seated.iter().enumerate() {
        let twice =
            seated[number + 1..].iter().any(|(other, who, _)| other == seat || who == reader);
        assert!(!twice, "a seat or a reader twice: {seated:?}");
    }
    if n_awards > 0 {
        // Behind the adjudicator sit those of an appeal, and whoever reads again.
        let is_decisive = |seat: i32, state: &str| seat <= 3 && state == "locked";
        let n_locked = seated.iter().filter(|(seat, _, state)| is_decisive(*seat, state)).count();
        assert_eq!(n_locked, attempt.sheets_needed(), "{attempt:?}: {seated:?}");
    }
    let mut readers: Vec<String> =
        attempt.readers().map(|reader| walk.id_of(reader).to_string()).collect();
    let mut found: Vec<String> = seated.into_iter().filter_map(|(_, reader, _)| reader).collect();
    readers.sort();
    found.sort();
    assert_eq!(found, readers, "{attempt:?}");
}

/// Nobody who looks at an attempt now reads anybody's words before their time: its earner not before the decision, and a reader those
/// of the others only as an adjudicator whose own sheet is locked.
fn look_around(walk: &Walk, index: usize) {
    let attempt = &walk.attempts[index];
    let all: Vec<&Seat> = attempt.leased.iter().chain(&attempt.locked).collect();
    let reads = |shown: &str, may: &dyn Fn(&Seat) -> bool| {
        for seat in all.iter().filter(|seat| !may(seat)) {
            assert!(!shown.contains(&words_of(seat.review)), "the words of {seat:?}: {shown}");
        }
    };
    let n_leased = attempt.leased.len();
    for (number, seat) in all.iter().enumerate() {
        let is_locked = number >= n_leased;
        let seen = walk.act(seat.person, |cx| reviews::find(cx, seat.review));
        let may = is_locked || !attempt.is_at_work(seat) || walk.may_read(seat.person, attempt);
        assert_eq!(seen.is_ok(), may, "{seen:?}: {attempt:?}");
        let Ok(seen) = seen else { continue };
        let compares = is_locked && seat.kind == ReviewKind::Adjudication;
        assert_eq!(seen.other_sheets.len(), if compares { 2 } else { 0 });
        reads(&format!("{seen:?}"), &|other| {
            other.review == seat.review || (compares && other.is_first_or_second())
        });
    }
    let for_coordinator = walk.act(walk.coordinator(), |cx| submissions::find(cx, attempt.id));
    // An older attempt would tell of a "not yet", and a known paper is nobody's business.
    let is_newest = !walk.attempts[index + 1..]
        .iter()
        .any(|one| (one.earner, one.is_double) == (attempt.earner, attempt.is_double));
    assert_eq!(for_coordinator.is_ok(), is_newest && !attempt.is_known, "{attempt:?}");
    if let Ok(seen) = for_coordinator {
        reads(&format!("{seen:?}"), &|_| false);
    }
    if attempt.is_known {
        return;
    }
    let seen = walk.act(attempt.earner, |cx| submissions::find(cx, attempt.id)).unwrap();
    // What fresh readers write is told when the panel has decided, and what is written when a sheet is read again never.
    reads(&format!("{seen:?}"), &|seat| {
        let is_over = attempt.state == SubmissionState::Decided || seat.case.is_none();
        attempt.decision.is_some() && is_over && !seat.is_reread
    });
}

fn check_everything(walk: &Walk) {
    for index in 0..walk.attempts.len() {
        check(walk, index);
    }
}

/// A new attempt, handed in.
fn start(walk: &mut Walk) {
    let earner = walk.an_earner();
    let is_double = walk.below(2) == 0;
    let family = walk.family(is_double);
    let is_open = walk
        .attempts
        .iter()
        .any(|one| one.earner == earner && one.is_double == is_double && one.is_open());
    let started = walk.act(earner, |cx| submissions::start(cx, family, None, None));
    assert_eq!(started.is_ok(), !is_open, "{started:?}");
    let Ok(started) = started else { return };
    walk.hand_in(earner, &started);
    let now = walk.now;
    walk.attempts.push(Attempt::new(started.submission.facts().id, earner, is_double, now));
    check(walk, walk.attempts.len() - 1);
}

fn recall_or_withdraw(walk: &mut Walk) {
    let Some(index) = walk.an_attempt() else { return };
    let (id, earner) = (walk.attempts[index].id, walk.attempts[index].earner);
    let expected = walk.attempts[index].can_be_withdrawn();
    let is_recalled = walk.below(3) == 0;
    if is_recalled {
        let can_recall = walk.attempts[index].state == SubmissionState::Submitted;
        let recalled = walk.act(earner, |cx| submissions::recall(cx, id));
        assert_eq!(recalled.is_ok(), can_recall, "{:?}", walk.attempts[index]);
        if can_recall {
            walk.act(earner, |cx| submissions::submit(cx, id)).unwrap();
        }
        return check(walk, index);
    }
    let withdrawn = walk.act(earner, |cx| submissions::withdraw(cx, id));
    assert_eq!(withdrawn.is_ok(), expected, "{:?}", walk.attempts[index]);
    if expected {
        walk.attempts[index].state = SubmissionState::Withdrawn;
    }
    check(walk, index);
}

fn claim(walk: &mut Walk, seen: &mut Seen) {
    let person = walk.a_reader();
    walk.release();
    walk.look_up();
    let is_full = walk.n_held(person) >= walk.everybody[person].cap;
    let open = walk.list_open_to(person);
    match walk.act(person, |cx| reviews::claim(cx, None)) {
        Err(Error::WrongState { .. }) => {
            assert!(is_full);
            seen.refused += 1;
        }
        Err(other) => panic!("{other:?}"),
        Ok(None) => {
            assert!(!is_full);
            assert!(open.is_empty(), "{}", walk.words_on(person, open[0]));
            let waits = |one: &Attempt| one.state == SubmissionState::Queued;
            seen.empty_handed += usize::from(walk.attempts.iter().any(waits));
        }
        Ok(Some(detail)) => {
            assert!(!is_full);
            let submission = detail.review.submission;
            let index = match walk.find_index(submission) {
                Some(index) => {
                    assert!(open.contains(&index), "{}", walk.words_on(person, index));
                    index
                }
                None => {
                    // It comes in the place of a first or second reading that they would have been given.
                    let is_reading = |index: &usize| {
                        let one = &walk.attempts[*index];
                        !one.is_double
                            && matches!(
                                one.state,
                                SubmissionState::Submitted | SubmissionState::Queued
                            )
                    };
                    assert!(open.iter().any(is_reading), "{open:?} for {person}");
                    assert!(walk.is_presented(submission, person), "work of nobody's");
                    seen.known += 1;
                    walk.attempts.push(Attempt::known(submission, walk.now));
                    walk.attempts.len() - 1
                }
            };
            assert!(
                detail.other_sheets.is_empty(),
                "nobody sees a sheet before their own is locked"
            );
            let attempt = &mut walk.attempts[index];
            if attempt.readings.first().is_some_and(|first| *first >= 0)
                && !attempt.is_double
                && attempt.state == SubmissionState::Queued
            {
                seen.second_for_provisional += 1;
            }
            let seat = Seat::of(person, &detail.review);
            seen.reread += usize::from(seat.is_reread);
            attempt.sit(seat);
            check(walk, index);
            look_around(walk, index);
        }
    }
}

fn lock(walk: &mut Walk, seen: &mut Seen) {
    walk.release();
    walk.look_up();
    let Some((index, number)) = walk.a_seat() else { return };
    let seat = walk.attempts[index].leased[number].clone();
    let mut offset = i16::try_from(walk.below(3)).unwrap() - 1;
    let is_known = walk.attempts[index].is_known;
    if is_known && !walk.everybody[seat.person].is_careless && walk.below(8) > 0 {
        offset = 0;
    }
    let is_at_work = walk.attempts[index].is_at_work(&seat);
    let may = is_at_work && walk.may_read(seat.person, &walk.attempts[index]);
    seen.not_any_more += usize::from(is_at_work && !may);
    // Somebody else cannot, whatever their role.
    let other = walk.a_reader();
    if other != seat.person {
        let stolen = walk.act(other, |cx| reviews::lock(cx, seat.review));
        assert!(matches!(stolen, Err(Error::Denied(_))), "{stolen:?}");
    }
    let saved = walk.save_sheet(&seat, offset);
    assert_eq!(saved.is_ok(), may, "{saved:?}: {:?}", walk.attempts[index]);
    let locked = walk.act(seat.person, |cx| reviews::lock(cx, seat.review));
    assert_eq!(locked.is_ok(), may, "{locked:?}");
    if let Ok(locked) = locked {
        let now = walk.now;
        let is_provisional = walk.is_provisional(seat.person);
        let is_provisional = is_provisional && !walk.attempts[index].is_double;
        walk.attempts[index].lock(number, offset, is_provisional, now);
        let attempt = &walk.attempts[index];
        // What a reader is told of a known paper is what they would have been told of live work.
        let is_decided = match is_known {
            true => offset >= 0 && !is_provisional,
            false => attempt.state == SubmissionState::Decided,
        };
        assert!(seat.is_reread || locked.is_decided == is_decided, "{attempt:?}");
        if is_known {
            walk.drift(seat.person, index, offset);
        }
        walk.look_for_rereads();
    }
    check(walk, index);
    look_around(walk, index);
}

fn recuse(walk: &mut Walk) {
    walk.release();
    let Some((index, number)) = walk.a_seat() else { return };
    let seat = walk.attempts[index].leased[number].clone();
    let is_at_work = walk.attempts[index].is_at_work(&seat);
    let recused = walk.act(seat.person, |cx| reviews::recuse(cx, seat.review, "I know them."));
    assert_eq!(recused.is_ok(), is_at_work);
    if is_at_work {
        walk.attempts[index].leave(number, true);
    }
    check(walk, index);
}

/// Time goes by: leases run out.
fn lapse(walk: &mut Walk) {
    let hours = i64::try_from(walk.below(30)).unwrap();
    walk.now = walk.now.plus(TimeDelta::hours(hours));
    walk.release();
}

/// Weeks go by, now and then: qualifications end, promised days are over, and appeals come too late.
fn go_on_holiday(walk: &mut Walk) {
    if walk.below(6) == 0 {
        let days = 10 + i64::try_from(walk.below(20)).unwrap();
        walk.now = walk.now.plus(TimeDelta::days(days));
        walk.release();
    }
}

/// A tie between somebody who earns and somebody who reads, by one of them.
fn declare(walk: &mut Walk) {
    let (reader, earner) = (walk.a_reader(), walk.an_earner());
    let (by, about) = if walk.below(2) == 0 { (reader, earner) } else { (earner, reader) };
    let relation = Relation::ALL[walk.below(Relation::ALL.len())];
    let is_there = walk.ties.iter().any(|tie| {
        (tie.by, tie.about, tie.relation) == (by, about, relation) && tie.ended_at.is_none()
    });
    let (district, person) = (walk.district, About::Person(walk.id_of(about)));
    let declared = walk.act(by, |cx| conflicts::declare(cx, district, &person, relation));
    assert_eq!(declared.is_ok(), !is_there && by != about, "{declared:?}");
    if let Ok(declared) = declared {
        walk.ties.push(Tie { id: declared.id, by, about, relation, ended_at: None });
    }
}

fn end_tie(walk: &mut Walk) {
    if walk.ties.is_empty() {
        return;
    }
    let chosen = walk.below(walk.ties.len());
    let tie = walk.ties[chosen].clone();
    let ended = walk.act(tie.by, |cx| conflicts::end(cx, tie.id));
    assert_eq!(ended.is_ok(), tie.ended_at.is_none(), "{ended:?}");
    walk.ties[chosen].ended_at = tie.ended_at.or(Some(walk.now));
}

fn put_load_cap(walk: &mut Walk) {
    let person = walk.a_reader();
    let cap = i32::try_from(walk.below(9)).ok().filter(|cap| *cap < 7);
    let (coordinator, district, id) = (walk.coordinator(), walk.district, walk.id_of(person));
    walk.act(coordinator, |cx| assignment::put_load_cap(cx, district, id, cap)).unwrap();
    walk.everybody[person].cap = cap.map_or(5, |cap| usize::try_from(cap).unwrap());
}

fn waive(walk: &mut Walk) {
    let hours = [2, 24 * 20, 24 * 60][walk.below(3)];
    walk.waive(TimeDelta::hours(hours));
}

fn train(walk: &mut Walk) {
    walk.look_up();
    let person = walk.a_reader();
    if walk.everybody[person].is_assessor {
        walk.train(person);
    }
}

fn flag(walk: &mut Walk) {
    let Some(index) = walk.an_attempt() else { return };
    let lead = walk.a_lead();
    let id = walk.attempts[index].id;
    let expected = walk.attempts[index].can_be_flagged();
    let flagged = walk.act(lead, |cx| cases::flag(cx, id, "The date is of another year."));
    assert_eq!(flagged.is_ok(), expected, "{flagged:?}: {:?}", walk.attempts[index]);
    if let Ok(case) = flagged {
        let attempt = &mut walk.attempts[index];
        attempt.held_from = Some(attempt.state);
        attempt.state = SubmissionState::OnHold;
        attempt.involved.insert(lead);
        attempt.case = Some(Case::doubt(case.id));
    }
    check(walk, index);
}

/// A reply of the earner, or a vote of somebody on the panel.
fn answer_case(walk: &mut Walk) {
    let open: Vec<usize> =
        (0..walk.attempts.len()).filter(|index| walk.attempts[*index].case.is_some()).collect();
    if open.is_empty() {
        return;
    }
    let index = open[walk.below(open.len())];
    let case = walk.attempts[index].case.clone().unwrap();
    let earner = walk.attempts[index].earner;
    if !case.is_appeal && !case.is_heard {
        let replied = walk.act(earner, |cx| cases::reply(cx, case.id, "It is as it should be."));
        assert!(replied.is_ok(), "{replied:?}");
        walk.attempts[index].case.as_mut().unwrap().is_heard = true;
        return;
    }
    let member = walk.a_panelist();
    let is_for_earner = walk.below(2) == 0;
    let vote = match (case.is_appeal, is_for_earner) {
        (true, true) => Vote::Rescore,
        (false, true) => Vote::Clear,
        (_, false) => Vote::Uphold,
    };
    let may = case.is_heard
        && !case.votes.iter().any(|(who, _)| *who == member)
        && !walk.attempts[index].involved.contains(&member);
    let now = walk.now;
    let voted = walk.act(member, |cx| cases::vote(cx, case.id, vote, "By what the work shows."));
    assert_eq!(voted.is_ok(), may, "{voted:?}: {:?}", walk.attempts[index]);
    if may {
        walk.attempts[index].vote(member, is_for_earner, now);
    }
    check(walk, index);
}

fn appeal(walk: &mut Walk) {
    let Some(index) = walk.an_attempt() else { return };
    let attempt = &walk.attempts[index];
    let (id, earner) = (attempt.id, attempt.earner);
    let is_in_time = attempt.decided_at.is_some_and(|at| walk.now <= at.plus(TimeDelta::days(30)));
    let expected = attempt.state == SubmissionState::Decided && is_in_time && !attempt.was_appealed;
    let new = NewAppeal {
        grounds: Grounds::Scoring,
        criteria: Default::default(),
        statement: "Please look again.".to_owned(),
    };
    let appealed = walk.act(earner, |cx| cases::appeal(cx, id, &new));
    assert_eq!(appealed.is_ok(), expected, "{appealed:?}: {:?}", walk.attempts[index]);
    if expected {
        let case = walk.case_of(id);
        let attempt = &mut walk.attempts[index];
        attempt.state = SubmissionState::Appealed;
        attempt.was_appealed = true;
        attempt.case = Some(Case::appeal(case));
    }
    check(walk, index);
}

fn resubmit(walk: &mut Walk) {
    let Some(index) = walk.an_attempt() else { return };
    let attempt = walk.attempts[index].clone();
    let (earner, is_double) = (attempt.earner, attempt.is_double);
    let later = walk.attempts[index + 1..]
        .iter()
        .any(|one| one.earner == earner && one.is_double == is_double);
    let expected =
        attempt.state == SubmissionState::Decided && attempt.decision == Some(false) && !later;
    let choice = Resubmit::default();
    let new = walk.act(earner, |cx| resubmission::resubmit(cx, attempt.id, &choice));
    assert_eq!(new.is_ok(), expected, "{new:?}: {attempt:?}");
    if let Ok(new) = new {
        walk.hand_in(earner, &new);
        let now = walk.now;
        walk.attempts.push(Attempt::new(new.submission.facts().id, earner, is_double, now));
        check(walk, walk.attempts.len() - 1);
    }
}

/// Somebody tries to look at somebody's review.
fn peek(walk: &mut Walk) {
    walk.release();
    walk.look_up();
    let person = walk.anybody();
    let Some((index, seat, is_locked)) = walk.a_review() else { return };
    let attempt = &walk.attempts[index];
    let seen = walk.act(person, |cx| reviews::find(cx, seat.review));
    let is_free = is_locked || !attempt.is_at_work(&seat) || walk.may_read(seat.person, attempt);
    assert_eq!(seen.is_ok(), person == seat.person && is_free, "{seen:?}: {attempt:?}");
    look_around(walk, index);
}
