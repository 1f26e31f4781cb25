//! Many assessors at one queue: nobody holds too much, nothing is held twice, nobody reads what they must not, and everybody is linked.

use std::collections::{BTreeMap, BTreeSet};

use assay::domain::ids::{PersonId, ReviewId};
use assay::domain::review::{LOAD_CAP, Score, Sheet};
use assay::service::context::Proof;
use assay::service::{Cx, Error, micro_credentials, reviews};
use assay::store::schema::{reviews as rows, submissions};
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Person, TestApp, definition, scale};

const SCHOOLS: usize = 8;
const ASSESSORS: usize = 40;
/// Micro-credentials, so that one earner hands in more than once.
const FAMILIES: usize = 4;

/// Puts what one reader has locked back into the queue, or closes what two have. What moves a submission on between its readers is
/// tested where that is decided; here it is who is given it.
fn move_on(app: &TestApp, submission: &str, n_locked: i64) {
    let mut conn = app.resources.database.connection().unwrap();
    let state = if n_locked < 2 { "queued" } else { "voided" };
    diesel::update(submissions::table.find(submission))
        .set(submissions::state.eq(state))
        .execute(&mut *conn)
        .unwrap();
}

/// Locks a first sheet by the service, a second one behind it.
fn lock(app: &TestApp, assessor: &Person, review: ReviewId, readers: &[String]) {
    let proof = Proof::Token(&assessor.token);
    if readers.is_empty() {
        let held = app.resources.run("read_review", proof, |cx| reviews_of(cx, review)).unwrap();
        let (sheet, revision) = held;
        let saved = |cx: &mut Cx<'_>| reviews::save_scores(cx, review, &sheet, revision);
        app.resources.run("put_scores", proof, saved).unwrap();
        app.resources.run("lock_review", proof, |cx| reviews::lock(cx, review)).unwrap();
        return;
    }
    let now = app.resources.now().naive();
    let mut conn = app.resources.database.connection().unwrap();
    diesel::update(rows::table.find(review.to_string()))
        .set((rows::state.eq("locked"), rows::locked_at.eq(Some(now))))
        .execute(&mut *conn)
        .unwrap();
}

/// A sheet at the pass levels, and the revision that it goes over.
fn reviews_of(cx: &mut Cx<'_>, review: ReviewId) -> Result<(Sheet, i32), Error> {
    let detail = reviews::find(cx, review)?;
    let work = detail.work.unwrap();
    let definition = micro_credentials::parse_stored(&work.version)?.definition;
    let scores = definition
        .rubric()
        .items()
        .map(|item| {
            let level = Some(item.pass_level().number());
            (item.id().as_str().to_owned(), Score { level, unscorable: false, feedback: None })
        })
        .collect();
    let sheet = Sheet { scores, overall_feedback: Some("You wait.".to_owned()) };
    Ok((sheet, detail.review.revision))
}

/// Whether everybody is linked to everybody by submissions that two have read: severity can be compared only then.
fn is_linked(pairs: &[(PersonId, PersonId)]) -> bool {
    let mut next: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
    for (one, other) in pairs {
        next.entry(*one).or_default().push(*other);
        next.entry(*other).or_default().push(*one);
    }
    let Some(first) = next.keys().next().copied() else { return true };
    let mut seen = BTreeSet::from([first]);
    let mut waiting = vec![first];
    while let Some(person) = waiting.pop() {
        for other in next.get(&person).into_iter().flatten() {
            if seen.insert(*other) {
                waiting.push(*other);
            }
        }
    }
    seen.len() == next.len()
}

#[test]
fn assessors_are_linked_when_pairs_lead_from_each_to_each() {
    let person = |number| PersonId::from_uuid(Uuid::from_u128(number));
    let pair = |one, other| (person(one), person(other));
    assert!(is_linked(&[]));
    assert!(is_linked(&[pair(1, 2), pair(3, 2), pair(3, 4)]));
    assert!(!is_linked(&[pair(1, 2), pair(3, 4)]));
}

#[test]
fn forty_assessors_empty_the_queue_by_the_rules() {
    let app = TestApp::new();
    let district = app.district();
    let families: Vec<String> = (0..FAMILIES)
        .map(|number| {
            let mut double = definition("mc-ia-small-group-support");
            double["id"] = json!(format!("mc-double-{number}"));
            double["review_policy"]["mode"] = json!("double_blind");
            district.publish(&double)
        })
        .collect();
    let schools: Vec<String> = (0..SCHOOLS)
        .map(|number| {
            app.organization(&district.admin, &district.id, &format!("School {number}"), "school")
        })
        .collect();
    let mut school_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut earner_of: BTreeMap<String, String> = BTreeMap::new();
    for number in 0..scale(1000) / FAMILIES {
        let email = format!("earner-{number}@example.org");
        let earner = app.seed(&schools[number % SCHOOLS], &email, &["earner"]);
        school_of.insert(earner.id.clone(), number % SCHOOLS);
        for family in &families {
            earner_of.insert(district.submit(&earner, family), earner.id.clone());
        }
    }
    let assessors: Vec<Person> = (0..ASSESSORS)
        .map(|number| {
            let email = format!("assessor-{number}@example.org");
            let assessor = app.seed(&schools[number % SCHOOLS], &email, &["assessor"]);
            school_of.insert(assessor.id.clone(), number % SCHOOLS);
            assessor
        })
        .collect();

    let mut readers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut held: Vec<Vec<(ReviewId, String)>> = vec![Vec::new(); ASSESSORS];
    let mut holder: BTreeMap<String, String> = BTreeMap::new();
    let mut idle = 0;
    let mut turn = 0_usize;
    while idle < 2 * ASSESSORS {
        // A walk over all of them that repeats itself in no simple way.
        let at = (turn * 17 + turn / ASSESSORS * 3) % ASSESSORS;
        turn += 1;
        let assessor = &assessors[at];
        let proof = Proof::Token(&assessor.token);
        let claimed = app.resources.run("claim_review", proof, |cx| reviews::claim(cx, None));
        match claimed {
            Ok(Some(detail)) => {
                idle = 0;
                let submission = detail.review.submission.to_string();
                let earlier = readers.entry(submission.clone()).or_default();
                let mine = school_of[&assessor.id];
                assert_ne!(school_of[&earner_of[&submission]], mine, "an earner of one's school");
                assert!(!earlier.contains(&assessor.id), "the same work twice");
                assert!(
                    earlier.iter().all(|other| school_of[other] != mine),
                    "readers of one school"
                );
                let before = holder.insert(submission, assessor.id.clone());
                assert_eq!(before, None, "held by two");
                held[at].push((detail.review.id, detail.review.submission.to_string()));
                assert!(held[at].len() <= LOAD_CAP);
            }
            Ok(None) => idle += 1,
            Err(Error::WrongState { .. }) => assert_eq!(held[at].len(), LOAD_CAP),
            Err(other) => panic!("{other:?}"),
        }
        // Some lock at once, some let their work lie until they can take no more.
        if held[at].len() > at % LOAD_CAP || (idle > 0 && !held[at].is_empty()) {
            let (review, submission) = held[at].remove(0);
            let earlier = readers.get_mut(&submission).unwrap();
            lock(&app, assessor, review, earlier);
            earlier.push(assessor.id.clone());
            holder.remove(&submission);
            move_on(&app, &submission, i64::try_from(earlier.len()).unwrap());
            idle = 0;
        }
    }
    assert!(readers.len() == earner_of.len() && holder.is_empty());
    assert!(readers.values().all(|readers| readers.len() == 2), "something waits for ever");
    let id = |text: &String| text.parse::<PersonId>().unwrap();
    let pairs: Vec<(PersonId, PersonId)> =
        readers.values().map(|readers| (id(&readers[0]), id(&readers[1]))).collect();
    assert!(is_linked(&pairs));
    let linked: BTreeSet<PersonId> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
    assert_eq!(linked.len(), ASSESSORS, "everybody is part of it");
    // Pairs that have not read together come first: few repeat.
    let distinct: BTreeSet<(PersonId, PersonId)> =
        pairs.iter().map(|(one, other)| (*one.min(other), *one.max(other))).collect();
    assert!(distinct.len() * 3 >= pairs.len().min(ASSESSORS * 5) * 2, "{} pairs", distinct.len());
}
