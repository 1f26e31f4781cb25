//! A walk of random people and events through the services, beside a small model of what must come of each.
//!
//! Every sheet gives all criteria the same distance from their pass levels: -1, 0 or 1. So one number stands for a sheet, and what two or
//! three of them come to can be said in a line.

mod model;
mod people;

use assay::domain::case::{Grounds, Vote};
use assay::domain::submission::SubmissionState;
use assay::service::cases::NewAppeal;
use assay::service::resubmission::Resubmit;
use assay::service::{Error, cases, resubmission, reviews, submissions};
use assay::store;
use assay::store::schema::{awards, reviews as review_rows};
use chrono::TimeDelta;
use diesel::prelude::*;

use self::model::{Attempt, Case, Seat};
use self::people::Walk;
use crate::harness::scale;

#[test]
fn no_interleaving_issues_without_its_sheets_or_seats_a_reader_twice_or_shows_a_sheet_too_early() {
    let mut walk = Walk::new(0x5eed_cafe);
    for event in 0..scale(10_000) {
        step(&mut walk);
        if event % 100 == 0 {
            check_everything(&walk);
        }
    }
    check_everything(&walk);
    let earned = walk.attempts.iter().filter(|one| one.decision == Some(true)).count();
    let adjudicated = walk.attempts.iter().filter(|one| one.third.is_some()).count();
    let states: std::collections::BTreeSet<&str> =
        walk.attempts.iter().map(|one| one.state.as_str()).collect();
    assert!(earned > 5 && adjudicated > 2, "the walk goes nowhere: {earned}, {adjudicated}");
    assert!(states.contains("decided") && states.contains("withdrawn"), "{states:?}");
    walk.app.audit_events();
}

fn step(walk: &mut Walk) {
    match walk.below(30) {
        0..=4 => start(walk),
        5 => recall_or_withdraw(walk),
        6..=13 => claim(walk),
        14..=21 => lock(walk),
        22 => recuse(walk),
        23 => lapse(walk),
        24 => flag(walk),
        25 | 26 => answer_case(walk),
        27 => appeal(walk),
        28 => resubmit(walk),
        _ => peek(walk),
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
        let n_locked = seated.iter().filter(|(_, _, state)| state == "locked").count();
        assert!(n_locked >= attempt.sheets_needed(), "{attempt:?}: {seated:?}");
    }
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
    let started = walk.act(earner, |cx| submissions::start(cx, family, None));
    assert_eq!(started.is_ok(), !is_open, "{started:?}");
    let Ok(started) = started else { return };
    walk.hand_in(earner, &started);
    walk.attempts.push(Attempt::new(started.submission.facts().id, earner, is_double));
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

fn claim(walk: &mut Walk) {
    let person = walk.a_reader();
    walk.release();
    let held =
        walk.attempts.iter().flat_map(|one| &one.leased).filter(|seat| seat.person == person);
    let is_full = held.count() >= 5;
    let claimed = walk.act(person, |cx| reviews::claim(cx, None));
    let candidates: Vec<usize> = (0..walk.attempts.len())
        .filter(|index| {
            walk.attempts[*index].has_seat_for(
                person,
                walk.is_assessor(person),
                walk.is_lead(person),
            )
        })
        .collect();
    match claimed {
        Err(Error::WrongState { .. }) => assert!(is_full),
        Err(other) => panic!("{other:?}"),
        Ok(None) => {
            let left: Vec<&usize> =
                candidates.iter().filter(|index| !walk.is_spared(person, **index)).collect();
            assert!(left.is_empty() && !is_full, "{left:?}");
        }
        Ok(Some(detail)) => {
            assert!(!is_full);
            let index = walk.index_of(detail.review.submission);
            assert!(candidates.contains(&index), "{:?} for {person}", walk.attempts[index]);
            assert!(
                detail.other_sheets.is_empty(),
                "nobody sees a sheet before their own is locked"
            );
            let until = detail.review.lease_expires_at.unwrap();
            let (id, kind, case) = (detail.review.id, detail.review.kind, detail.review.case);
            walk.attempts[index].sit(Seat { person, review: id, kind, case, until });
            check(walk, index);
        }
    }
}

fn lock(walk: &mut Walk) {
    walk.release();
    let Some((index, number)) = walk.a_seat() else { return };
    let seat = walk.attempts[index].leased[number].clone();
    let offset = i16::try_from(walk.below(3)).unwrap() - 1;
    let is_at_work = walk.attempts[index].is_at_work(&seat);
    // Somebody else cannot, whatever their role.
    let other = walk.a_reader();
    if other != seat.person {
        let stolen = walk.act(other, |cx| reviews::lock(cx, seat.review));
        assert!(matches!(stolen, Err(Error::Denied(_))), "{stolen:?}");
    }
    let saved = walk.save_sheet(&seat, offset);
    assert_eq!(saved.is_ok(), is_at_work, "{saved:?}: {:?}", walk.attempts[index]);
    let locked = walk.act(seat.person, |cx| reviews::lock(cx, seat.review));
    assert_eq!(locked.is_ok(), is_at_work, "{locked:?}");
    if let Ok(locked) = locked {
        let now = walk.now;
        walk.attempts[index].lock(number, offset, now);
        let decided = walk.attempts[index].state == SubmissionState::Decided;
        assert_eq!(locked.is_decided, decided, "{:?}", walk.attempts[index]);
    }
    check(walk, index);
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

fn flag(walk: &mut Walk) {
    let Some(index) = walk.an_attempt() else { return };
    let lead = walk.leads()[0];
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
        walk.attempts.push(Attempt::new(new.submission.facts().id, earner, is_double));
        check(walk, walk.attempts.len() - 1);
    }
}

/// Somebody tries to look at somebody's review.
fn peek(walk: &mut Walk) {
    let person = walk.anybody();
    let Some((index, seat, is_locked)) = walk.a_review() else { return };
    let seen = walk.act(person, |cx| reviews::find(cx, seat.review));
    let is_holder = person == seat.person;
    match seen {
        Err(_) => assert!(!is_holder, "{:?}", walk.attempts[index]),
        Ok(detail) => {
            assert!(is_holder, "{person} sees the sheet of {}", seat.person);
            let is_third = detail.review.kind.as_str() == "adjudication";
            assert_eq!(detail.other_sheets.len(), if is_third && is_locked { 2 } else { 0 });
        }
    }
}
