//! Out of force while a panel sits, and back.

use std::sync::Barrier;

use assay::store::schema::awards;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

use super::{award_of, events_of, headline, letters, page_of, panel, step};
use crate::harness::{Answer, TestApp};

#[test]
fn panel_suspends_and_reinstates_and_nobody_outside_reads_why() {
    let app = TestApp::new();
    let district = app.district();
    let panel = panel(&app, &district);
    let family = district.publish_small_group();
    let (submission, award) = district.award(&district.earner, &family);
    let before = panel.get(&format!("/api/v1/awards/{award}"));
    assert_eq!(before.json["suspended_at"], Value::Null);
    assert_eq!(before.json["allowed_events"], json!(["suspend", "revoke", "lapse", "renewed"]));
    assert_eq!(headline(&app, &award), "Valid now");

    let suspended = step(&panel, &award, "suspend");
    assert_ne!(suspended.etag(), before.etag());
    let suspended = suspended.expect(200);
    assert_eq!(suspended["state"], "suspended");
    assert!(suspended["suspended_at"].is_string());
    assert_eq!(suspended["allowed_events"], json!(["reinstate", "revoke"]));
    assert_eq!(headline(&app, &award), "Suspended");
    let own = award_of(&district.earner, &award);
    assert_eq!(own, suspended);
    let shown = district.earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
    assert_eq!(shown["award"]["state"], "suspended");

    let reinstated = step(&district.officer, &award, "reinstate").expect(200);
    assert_eq!(reinstated["state"], "active");
    assert_eq!(reinstated["suspended_at"], Value::Null);
    assert_eq!(headline(&app, &award), "Valid now");

    let verbs = [("suspend_award", ""), ("reinstate_award", "to=active")];
    assert_eq!(
        events_of(&app, &award),
        verbs.map(|(verb, detail)| (verb.to_owned(), detail.to_owned()))
    );
    let kinds: Vec<String> = letters(&app).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["award_suspended", "award_reinstated"]);
    app.send_mail();
    let mails: Vec<String> = std::fs::read_dir(app.folder().join("mail"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let to_earner = |subject: &str| {
        let found: Vec<&String> = mails.iter().filter(|mail| mail.contains(subject)).collect();
        assert_eq!(found.len(), 1, "{subject}");
        assert!(found[0].contains("<earner@example.org>"), "{}", found[0]);
    };
    to_earner("Subject: Your badge is suspended: ");
    to_earner("Subject: Your badge is no longer suspended: ");
    let everything = [own.to_string(), page_of(&app, &award), mails.concat()].concat();
    assert!(!everything.contains("secret note"));
    // Staff keep both notes, one after the other.
    let notes: Option<String> = awards::table
        .find(&award)
        .select(awards::suspension_note)
        .first(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    let notes = notes.unwrap();
    let lines: Vec<&str> = notes.lines().collect();
    assert!(lines[0].ends_with("suspended: the secret note"), "{notes}");
    assert!(lines[1].ends_with("reinstated: the secret note"), "{notes}");
}

#[test]
fn step_that_the_state_does_not_know_is_refused_with_those_that_it_does() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let refused = |event: &str, allowed: Value| {
        let answer = step(&district.officer, &award, event);
        assert_eq!((answer.status, answer.problem().as_str()), (409, "wrong-state"), "{event}");
        assert_eq!(answer.json["allowed_events"], allowed, "{event}");
    };
    refused("reinstate", json!(["suspend", "revoke", "lapse", "renewed"]));
    step(&district.officer, &award, "suspend").expect(200);
    refused("suspend", json!(["reinstate", "revoke"]));
    district.revoke(&award).expect(200);
    refused("suspend", json!([]));
    refused("reinstate", json!([]));
    assert!(headline(&app, &award).starts_with("Revoked on "));
    let kinds: Vec<String> = letters(&app).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["award_suspended", "award_revoked"]);
}

#[test]
fn note_is_required_and_bounded() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let path = format!("/api/v1/awards/{award}/suspend");
    let check = |body: Value, code: &str| {
        let answer = district.officer.post(&path, &body);
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.faults(), [("/note".to_owned(), code.to_owned())]);
    };
    check(json!({}), "missing-field");
    check(json!({ "note": " " }), "note");
    check(json!({ "note": "x".repeat(4001) }), "note");
    assert_eq!(award_of(&district.officer, &award)["state"], "active");
}

#[test]
fn nobody_decides_about_an_award_of_their_own() {
    let app = TestApp::new();
    let district = app.district();
    let roles = ["earner", "review_panel", "issuing_officer"];
    let both = app.invite(&district.admin, &district.id, "both@example.org", &roles);
    let family = district.publish_small_group();
    let (_, award) = district.award(&both, &family);
    assert_eq!(step(&both, &award, "suspend").problem(), "forbidden");
    step(&district.officer, &award, "suspend").expect(200);
    assert_eq!(step(&both, &award, "reinstate").problem(), "forbidden");
    assert_eq!(award_of(&both, &award)["state"], "suspended");
}

#[test]
fn of_two_at_once_one_suspends_and_the_other_learns_the_state() {
    let app = TestApp::new();
    let district = app.district();
    let panel = panel(&app, &district);
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let start = Barrier::new(2);
    let mut answers: Vec<Answer> = std::thread::scope(|scope| {
        let threads: Vec<_> = [&panel, &district.officer]
            .map(|person| {
                let (start, award) = (&start, &award);
                scope.spawn(move || {
                    start.wait();
                    step(person, award, "suspend")
                })
            })
            .into_iter()
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(answers[0].status, 200, "{answers:?}");
    assert_eq!(answers[1].problem(), "wrong-state");
    assert_eq!(events_of(&app, &award).len(), 1);
    assert_eq!(letters(&app).len(), 1);
}

#[test]
fn whoever_has_read_an_older_revision_changes_nothing() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let etag = district.officer.get(&format!("/api/v1/awards/{award}")).etag();
    step(&district.officer, &award, "suspend").expect(200);
    let note = json!({ "note": "n" });
    let revocation = json!({ "note": "n", "reason_code": "holder_request" });
    for (event, body) in [("reinstate", &note), ("suspend", &note), ("revoke", &revocation)] {
        let path = format!("/api/v1/awards/{award}/{event}");
        let request = district.officer.request(Method::POST, &path).header("if-match", &etag);
        let answer = district.officer.send(request.json(body));
        assert_eq!((answer.status, answer.problem().as_str()), (412, "stale"), "{event}");
        assert_eq!(answer.json["current"]["state"], "suspended");
    }
    let etag = district.officer.get(&format!("/api/v1/awards/{award}")).etag();
    let path = format!("/api/v1/awards/{award}/reinstate");
    let request = district.officer.request(Method::POST, &path).header("if-match", &etag);
    assert_eq!(district.officer.send(request.json(&note)).expect(200)["state"], "active");
}

#[test]
fn suspension_that_is_sent_twice_with_one_key_happens_once() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let path = format!("/api/v1/awards/{award}/suspend");
    let send = |note: &str| {
        let request = district.officer.request(Method::POST, &path);
        let body = json!({ "note": note });
        district.officer.send(request.header("idempotency-key", "suspend-1").json(&body))
    };
    let first = send("n");
    let second = send("n");
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(first.etag(), second.etag());
    assert_eq!(send("another").problem(), "idempotency-mismatch");
    assert_eq!(events_of(&app, &award).len(), 1);
    assert_eq!(letters(&app).len(), 1);
}
