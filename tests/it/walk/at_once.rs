//! Many at once: everybody claims and locks from two places at the same time, and no rule is broken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use assay::domain::ids::ReviewId;
use assay::domain::review::{LOAD_CAP, Review, ReviewKind, ReviewState};
use assay::domain::submission::SubmissionState;
use assay::service::{Error, reviews, submissions};
use assay::store;

use super::model::{Attempt, Seat};
use super::people::Walk;
use crate::harness::scale;

const THREADS: u64 = 6;

/// What the threads know of one another.
#[derive(Default)]
struct Table {
    held: Mutex<Vec<Seat>>,
    locked: Mutex<BTreeMap<ReviewId, usize>>,
}

/// A small generator for each thread, as the walk's.
fn below(random: &mut u64, n: usize) -> usize {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    usize::try_from(*random % u64::try_from(n).unwrap()).unwrap()
}

/// Claims for one of the readers. However it ends, they hold no more than they may.
fn claim(walk: &Walk, table: &Table, person: usize) {
    match walk.act(person, |cx| reviews::claim(cx, None)) {
        Ok(Some(detail)) => {
            table.held.lock().unwrap().push(Seat::of(person, &detail.review));
        }
        Ok(None) | Err(Error::WrongState { .. } | Error::Busy) => {}
        Err(other) => panic!("{other:?}"),
    }
    let held = walk.act(person, |cx| Ok(store::reviews::count_held(cx.conn, walk.id_of(person))?));
    assert!(usize::try_from(held.unwrap()).unwrap() <= LOAD_CAP);
}

/// Scores and locks what somebody holds, who may be doing so elsewhere at the same moment.
fn lock(walk: &Walk, table: &Table, seat: &Seat, offset: i16) {
    match walk.save_sheet(seat, offset) {
        Ok(_) => {}
        Err(Error::Stale | Error::WrongState { .. } | Error::Busy) => return,
        Err(other) => panic!("{other:?}"),
    }
    match walk.act(seat.person, |cx| reviews::lock(cx, seat.review)) {
        Ok(_) => *table.locked.lock().unwrap().entry(seat.review).or_default() += 1,
        Err(Error::Stale | Error::WrongState { .. } | Error::Busy | Error::Invalid { .. }) => {}
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn everybody_at_two_places_at_once_breaks_no_rule() {
    let mut walk = Walk::new(0x00ff_1ce5);
    for number in 0..scale(300) {
        // Whoever earns only: nobody's own attempt keeps them from reading.
        let (earner, is_double) = (number % 22, number % 2 == 0);
        let family = walk.family(is_double);
        let is_open = |one: &Attempt| (one.earner, one.is_double) == (earner, is_double);
        if walk.attempts.iter().any(is_open) {
            continue;
        }
        let started = walk.act(earner, |cx| submissions::start(cx, family, None, None)).unwrap();
        walk.hand_in(earner, &started);
        let id = started.submission.facts().id;
        walk.attempts.push(Attempt::new(id, earner, is_double, walk.now));
    }
    let readers: Vec<usize> = (0..walk.everybody.len())
        .filter(|one| walk.everybody[*one].is_assessor || walk.everybody[*one].is_lead)
        .collect();
    let (walk, table) = (&walk, &Table::default());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let readers = &readers;
            scope.spawn(move || {
                let mut random = 0x9e37_79b9_7f4a_7c15_u64 ^ (thread + 1);
                for _ in 0..walk.attempts.len() * 2 {
                    // Two threads act for each of them.
                    let own = usize::try_from(thread / 2).unwrap();
                    let mine: Vec<usize> =
                        readers.iter().copied().filter(|one| one % 3 == own).collect();
                    claim(walk, table, mine[below(&mut random, mine.len())]);
                    let held: Vec<Seat> = table
                        .held
                        .lock()
                        .unwrap()
                        .iter()
                        .filter(|seat| mine.contains(&seat.person))
                        .cloned()
                        .collect();
                    if !held.is_empty() {
                        let last = held.len().min(6);
                        let seat = &held[held.len() - 1 - below(&mut random, last)];
                        let offset = i16::try_from(below(&mut random, 3)).unwrap() - 1;
                        lock(walk, table, seat, offset);
                    }
                }
            });
        }
    });
    let locked = table.locked.lock().unwrap();
    assert!(locked.values().all(|times| *times == 1), "a sheet is locked once: {locked:?}");
    let n_decided = walk.attempts.iter().filter(|one| check(walk, one)).count();
    assert!(n_decided * 4 > walk.attempts.len(), "{n_decided} decisions");
    walk.app.audit_events();
}

/// Looks at what is stored of an attempt. Returns whether it is decided.
fn check(walk: &Walk, attempt: &Attempt) -> bool {
    let mut conn = walk.app.resources.database.connection().unwrap();
    let stored = store::submissions::find(&mut conn, attempt.id).unwrap().unwrap();
    let mut seated: Vec<Review> =
        store::reviews::list_of_submission(&mut conn, attempt.id).unwrap();
    seated.retain(|one| matches!(one.state, ReviewState::Leased | ReviewState::Locked));
    let seats: BTreeSet<i32> = seated.iter().map(|review| review.seat).collect();
    assert_eq!(seats.len(), seated.len(), "a seat twice: {seated:?}");
    let readers: Vec<usize> = seated
        .iter()
        .map(|review| {
            let id = review.assessor.unwrap();
            (0..walk.everybody.len()).find(|person| walk.id_of(*person) == id).unwrap()
        })
        .collect();
    assert_eq!(readers.iter().collect::<BTreeSet<_>>().len(), readers.len(), "{seated:?}");
    let schools: Vec<usize> = readers
        .iter()
        .chain(&[attempt.earner])
        .filter_map(|person| walk.everybody[*person].school)
        .collect();
    assert_eq!(schools.iter().collect::<BTreeSet<_>>().len(), schools.len(), "{seated:?}");
    for (review, reader) in seated.iter().zip(&readers) {
        let who = &walk.everybody[*reader];
        match review.kind {
            ReviewKind::Adjudication => assert!(who.is_lead),
            ReviewKind::Reading => {
                assert!(who.is_assessor);
                // A suspension can follow the claim, but nobody without a qualification begins.
                assert!(attempt.is_double || (who.has_modules && who.license.is_some()));
            }
        }
    }
    let n_locked = |kind: ReviewKind| {
        let locked =
            seated.iter().filter(|one| (one.kind, one.state) == (kind, ReviewState::Locked));
        locked.filter(|one| !one.is_reread()).count()
    };
    let (n_read, n_third) = (n_locked(ReviewKind::Reading), n_locked(ReviewKind::Adjudication));
    let decision = store::decisions::find(&mut conn, attempt.id).unwrap();
    let is_decided = stored.submission.state() == SubmissionState::Decided;
    assert_eq!(decision.is_some(), is_decided);
    if let Some(decision) = decision {
        assert!(n_read == 2 || (n_read == 1 && !attempt.is_double), "{seated:?}");
        assert_eq!(usize::try_from(decision.raters).unwrap(), n_read + n_third);
        let is_earned = decision.outcome.as_str() == "earned";
        let award = store::awards::find_of_submission(&mut conn, attempt.id).unwrap();
        assert_eq!(award.map(|award| award.state.as_str()), is_earned.then_some("active"));
    } else {
        assert_eq!(n_third, 0);
        assert_eq!(store::awards::find_of_submission(&mut conn, attempt.id).unwrap(), None);
    }
    is_decided
}
