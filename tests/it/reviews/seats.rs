//! Seats: the most urgent first, one holder each, leased for 72 hours.

use std::sync::Barrier;
use std::sync::mpsc;

use assay::store::schema::reviews;
use chrono::{DateTime, TimeDelta};
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{claim, claimed, nothing_to_claim, path_of, recuse, refused};
use crate::harness::{District, TestApp, definition};

#[test]
fn most_urgent_comes_first() {
    let app = TestApp::new();
    let district = app.district();
    let small_group = district.publish_small_group();
    let decisions = district.publish(&definition("mc-shared-decision-making"));
    // Begun first and handed in last, so that neither the order of ids nor that of starting will do.
    let late = district.fill(&district.earner, &small_group);
    let early = district.submit(&district.earner, &decisions);
    app.advance(TimeDelta::days(3));
    let earner = app.sign_in("earner@example.org");
    earner.act(&format!("/api/v1/submissions/{late}/submit")).expect(200);
    let assessor = app.sign_in("assessor@example.org");
    let first = claimed(&assessor, &early).json;
    let second = claimed(&assessor, &late).json;
    assert!(first["due_at"].as_str() < second["due_at"].as_str());
    nothing_to_claim(&assessor);
}

#[test]
fn claim_may_name_a_micro_credential() {
    let app = TestApp::new();
    let district = app.district();
    let small_group = district.publish_small_group();
    let decisions = district.publish(&definition("mc-shared-decision-making"));
    district.submit(&district.earner, &small_group);
    let wanted = district.submit(&district.earner, &decisions);
    let only = |family: &str| {
        district.assessor.post("/api/v1/reviews/claim", &json!({ "micro_credential_id": family }))
    };
    assert_eq!(only(&decisions).expect(201)["submission_id"], wanted.as_str());
    assert_eq!(only(&decisions).status, 204);
    assert_eq!(only(&district.id).status, 204);
    assert_eq!(only(&small_group).status, 201);
}

#[test]
fn five_reviews_are_the_most_at_a_time() {
    let app = TestApp::new();
    let district = app.district();
    let families =
        ["mc-ia-small-group-support", "mc-shared-decision-making", "mc-students-as-leaders"]
            .map(|id| district.publish(&definition(id)));
    let other = app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    for earner in [&district.earner, &other] {
        for family in &families {
            district.submit(earner, family);
        }
    }
    let held: Vec<Value> = (0..5).map(|_| claim(&district.assessor).expect(201)).collect();
    refused(&claim(&district.assessor), &["lock", "recuse"]);
    let page = district.assessor.get("/api/v1/reviews?state=leased").expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 5);
    // Nothing to do any more at one of them: room for the sixth.
    recuse(&district.assessor, &held[2]);
    claim(&district.assessor).expect(201);
    refused(&claim(&district.assessor), &["lock", "recuse"]);
    // Leases that have run out do not count, whether or not the worker has been there.
    app.advance(TimeDelta::hours(73));
    claim(&app.sign_in("assessor@example.org")).expect(201);
}

#[test]
fn nothing_waits_when_nothing_was_handed_in() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    nothing_to_claim(&district.assessor);
    district.fill(&district.earner, &family);
    nothing_to_claim(&district.assessor);
}

/// Hours from now until the lease ends, by the service's clock.
fn hours_left(app: &TestApp, review: &Value) -> f64 {
    let until = DateTime::parse_from_rfc3339(review["lease_expires_at"].as_str().unwrap()).unwrap();
    (until.to_utc() - app.resources.now().as_utc()).num_seconds() as f64 / 3600.0
}

#[test]
fn lease_lasts_72_hours_and_can_begin_anew() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let review = claimed(&district.assessor, &id).json;
    let path = path_of(&review);
    assert_eq!(review["state"], "leased");
    assert_eq!(review["allowed_events"], json!(["renew", "save_scores", "lock", "recuse"]));
    assert!((71.9..=72.0).contains(&hours_left(&app, &review)), "{review}");
    app.advance(TimeDelta::hours(50));
    let assessor = app.sign_in("assessor@example.org");
    let renewed = assessor.act(&format!("{path}/renew")).expect(200);
    assert!((71.9..=72.0).contains(&hours_left(&app, &renewed)), "{renewed}");
    app.advance(TimeDelta::hours(71));
    app.resources.as_system(assay::service::housekeeping::often).unwrap();
    let assessor = app.sign_in("assessor@example.org");
    assert_eq!(assessor.get(&path).expect(200)["state"], "leased");
}

#[test]
fn lapsed_seat_is_free_again_and_its_draft_stays_private() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let second = "second@example.org";
    app.invite(&district.admin, &district.schools[1], second, &["assessor"]);
    let id = district.submit(&district.earner, &family);
    let answer = claimed(&district.assessor, &id);
    let path = path_of(&answer.json);
    let item = answer.json["work"]["evidence"][0]["content_path"].as_str().unwrap().to_owned();
    let mut draft = District::sheet(&answer.json, 1);
    draft["overall_feedback"] = json!("Half of my thoughts.");
    district.assessor.put(&format!("{path}/scores"), &answer.etag(), &draft).expect(200);

    app.advance(TimeDelta::hours(72));
    // The lease is over at the second, even while nobody has written it down.
    let first = app.sign_in("assessor@example.org");
    let late = first.get(&path);
    assert_eq!(late.json["state"], "lapsed");
    assert_eq!(late.json["allowed_events"], json!([]));
    assert_eq!(late.json["work"], Value::Null);
    assert_eq!(late.json["sheet"]["overall_feedback"], "Half of my thoughts.");
    let page = first.get("/api/v1/reviews").expect(200);
    assert_eq!(page["items"][0]["state"], "lapsed");
    assert_eq!(page["items"][0]["allowed_events"], json!([]));
    assert_eq!(first.get(&item).problem(), "not-found");
    refused(&first.act(&format!("{path}/renew")), &[]);
    refused(&first.act(&format!("{path}/lock")), &[]);
    refused(&first.put(&format!("{path}/scores"), &late.etag(), &draft), &[]);
    refused(&first.post(&format!("{path}/recuse"), &json!({ "reason": "late" })), &[]);
    app.resources.as_system(assay::service::housekeeping::often).unwrap();
    assert_eq!(first.get(&path).expect(200)["state"], "lapsed");
    let own =
        app.sign_in("earner@example.org").get(&format!("/api/v1/submissions/{id}")).expect(200);
    assert_eq!(own["state"], "queued");

    // Somebody else begins with an empty sheet and sees nothing of the other's.
    let second = app.sign_in(second);
    let fresh = claimed(&second, &id);
    assert_ne!(path_of(&fresh.json), path);
    assert_eq!(
        fresh.json["sheet"],
        json!({ "scores": [], "overall_feedback": null, "unscorable": [] })
    );
    assert_eq!(second.get(&path).problem(), "not-found");
    assert_eq!(first.get(&path_of(&fresh.json)).problem(), "not-found");
    nothing_to_claim(&first);
    recuse(&second, &fresh.json);

    // The author goes on where they were.
    let again = claimed(&first, &id);
    assert_eq!(path_of(&again.json), path);
    assert_eq!(again.json["state"], "leased");
    assert_eq!(again.json["sheet"]["overall_feedback"], "Half of my thoughts.");
    assert_eq!(again.json["sheet"]["scores"].as_array().unwrap().len(), 6);
    assert_ne!(again.json["work"], Value::Null);
    assert_eq!(first.act(&format!("{path}/lock")).expect(200)["is_decided"], true);
    app.audit_events();
}

#[test]
fn withdrawn_work_leaves_its_free_seat() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let review = claimed(&district.assessor, &id).json;
    recuse(&district.assessor, &review);
    district.earner.act(&format!("/api/v1/submissions/{id}/withdraw")).expect(200);
    let second =
        app.invite(&district.admin, &district.schools[1], "second@example.org", &["assessor"]);
    nothing_to_claim(&second);
}

/// Two people at the same moment, 200 times, whatever the scale: this is the promise itself.
#[test]
fn seat_has_one_holder_when_two_claim_it_at_the_same_moment() {
    const ROUNDS: usize = 200;
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let second =
        app.invite(&district.admin, &district.schools[1], "second@example.org", &["assessor"]);
    let pair = [app.sign_in("assessor@example.org"), second];
    let start = Barrier::new(pair.len());
    std::thread::scope(|scope| {
        let (answered, answers) = mpsc::channel();
        // One channel each way: a failed check in this thread hangs up, and the others end.
        let goes: Vec<mpsc::Sender<()>> = pair
            .iter()
            .enumerate()
            .map(|(index, person)| {
                let (go, gone) = mpsc::channel();
                let (answered, start) = (answered.clone(), &start);
                scope.spawn(move || {
                    while gone.recv().is_ok() {
                        start.wait();
                        answered.send((index, claim(person))).unwrap();
                    }
                });
                go
            })
            .collect();
        for round in 0..ROUNDS {
            for go in &goes {
                go.send(()).unwrap();
            }
            let mut found = [answers.recv().unwrap(), answers.recv().unwrap()];
            found.sort_by_key(|(_, answer)| answer.status);
            let [(winner, won), (_, lost)] = found;
            assert_eq!((won.status, lost.status), (201, 204), "round {round}: {won:?} {lost:?}");
            let mut conn = app.resources.database.connection().unwrap();
            let holders: Vec<Option<String>> = reviews::table
                .filter(reviews::submission_id.eq(&id))
                .filter(reviews::state.eq_any(["open", "leased", "locked"]))
                .select(reviews::assessor_id)
                .load(&mut *conn)
                .unwrap();
            assert_eq!(holders, [Some(pair[winner].id.clone())], "round {round}");
            recuse(&pair[winner], &won.json);
            // Nobody may take twice what they gave back; here the two shall meet again.
            let gone = diesel::delete(reviews::table.filter(reviews::state.eq("recused")));
            assert_eq!(gone.execute(&mut *conn).unwrap(), 1);
        }
    });
    app.audit_events();
}

#[test]
fn claim_needs_no_body() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    assert_eq!(district.assessor.act("/api/v1/reviews/claim").status, 204);
    district.submit(&district.earner, &family);
    let claimed = district.assessor.act("/api/v1/reviews/claim").expect(201);
    assert_eq!(claimed["state"], "leased");
}
