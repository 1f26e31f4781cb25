//! `Idempotency-Key`: the work is done once, and the first answer comes again.

use assay::store;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, District, PASSWORD, Person, TestApp};

fn post_with(person: &Person, key: Option<&str>, path: &str, body: &Value) -> Answer {
    let mut request = person.request(Method::POST, path).json(body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    person.send(request)
}

fn organizations(person: &Person) -> usize {
    let page = person.get("/api/v1/organizations?limit=100").expect(200);
    page["items"].as_array().unwrap().len()
}

fn new_school(district: &District, name: &str) -> Value {
    json!({ "name": name, "kind": "school", "parent_id": district.id })
}

const PATH: &str = "/api/v1/organizations";

#[test]
fn the_same_key_and_body_get_the_first_answer_again() {
    let app = TestApp::new();
    let district = app.district();
    let (admin, body) = (&district.admin, new_school(&district, "Heron"));
    let before = organizations(admin);
    let first = post_with(admin, Some("key-1"), PATH, &body);
    let events = app.audit_events();
    let second = post_with(admin, Some("key-1"), PATH, &body);
    assert_eq!((first.status, second.status), (201, 201));
    for name in ["etag", "location", "content-type", "cache-control"] {
        assert_eq!(first.headers[name], second.headers[name], "{name}");
    }
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(organizations(admin), before + 1);
    assert_eq!(app.audit_events(), events);
    // The key belongs to the person, and to nobody else.
    let other = app.invite(admin, &district.id, "second@example.org", &["administrator"]);
    let theirs = post_with(&other, Some("key-1"), PATH, &body).expect(201);
    assert_ne!(theirs["id"], first.json["id"]);
}

#[test]
fn an_answer_without_a_body_is_replayed_as_well() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.fill(&district.earner, &family);
    let detail = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    let item = detail["evidence"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/submissions/{id}/evidence/{item}");
    let delete = || {
        let request = district.earner.request(Method::DELETE, &path);
        district.earner.send(request.header("idempotency-key", "gone"))
    };
    assert_eq!(delete().status, 204);
    assert_eq!(delete().status, 204);
    assert_eq!(district.earner.delete(&path).problem(), "not-found");
}

#[test]
fn the_same_key_with_another_request_is_refused() {
    let app = TestApp::new();
    let district = app.district();
    let admin = &district.admin;
    post_with(admin, Some("key-1"), PATH, &new_school(&district, "Heron")).expect(201);
    let before = organizations(admin);
    let invitations = format!("/api/v1/organizations/{}/invitations", district.id);
    let invitation = json!({ "email": "new@example.org", "name": "New", "roles": [] });
    for (path, body) in [
        (PATH, new_school(&district, "Stork")),
        (invitations.as_str(), invitation),
        ("/api/v1/reviews/claim", json!({})),
    ] {
        let answer = post_with(admin, Some("key-1"), path, &body);
        assert_eq!((answer.status, answer.problem().as_str()), (422, "idempotency-mismatch"));
    }
    assert_eq!(organizations(admin), before);
}

#[test]
fn an_upload_with_other_terms_is_another_request() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let path = format!("/api/v1/micro-credentials/{family}/submissions");
    let started = district.earner.post(&path, &json!({})).expect(201);
    let path = format!("/api/v1/submissions/{}/evidence", started["id"].as_str().unwrap());
    let upload = |consent: &str| {
        let file = reqwest::blocking::multipart::Part::bytes(b"%PDF-1.7 plan".to_vec());
        let form = reqwest::blocking::multipart::Form::new()
            .text("requirement_id", "a1")
            .text("contains_students", consent.to_owned())
            .text("consent", consent.to_owned())
            .part("file", file.file_name("plan.pdf"));
        let request = district.earner.request(Method::POST, &path);
        district.earner.send(request.header("idempotency-key", "file-1").multipart(form))
    };
    let first = upload("false").expect(201);
    assert_eq!(upload("false").expect(201), first);
    assert_eq!(upload("true").problem(), "idempotency-mismatch");
}

#[test]
fn without_a_key_each_request_is_done() {
    let app = TestApp::new();
    let district = app.district();
    let body = new_school(&district, "Heron");
    let before = organizations(&district.admin);
    let first = post_with(&district.admin, None, PATH, &body).expect(201);
    let second = post_with(&district.admin, None, PATH, &body).expect(201);
    assert_ne!(first["id"], second["id"]);
    assert_eq!(organizations(&district.admin), before + 2);
}

#[test]
fn a_refused_request_gives_its_key_back() {
    let app = TestApp::new();
    let district = app.district();
    let admin = &district.admin;
    let mut body = new_school(&district, "Heron");
    body["kind"] = json!("castle");
    assert_eq!(post_with(admin, Some("key-1"), PATH, &body).status, 422);
    body["kind"] = json!("school");
    let made = post_with(admin, Some("key-1"), PATH, &body).expect(201);
    assert_eq!(post_with(admin, Some("key-1"), PATH, &body).expect(201), made);
    // A refusal for want of rights as well.
    let coordinator = &district.coordinator;
    assert_eq!(post_with(coordinator, Some("key-2"), PATH, &body).status, 403);
    let conn = &mut *app.resources.database.connection().unwrap();
    let person = coordinator.id.parse().unwrap();
    assert_eq!(store::idempotency::find(conn, person, "key-2").unwrap(), None);
}

#[test]
fn a_stale_change_gives_its_key_back() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let path = format!("/api/v1/micro-credentials/{family}/submissions");
    let started = district.earner.post(&path, &json!({}));
    let path = format!("/api/v1/submissions/{}", started.json["id"].as_str().unwrap());
    let patch = |etag: &str| {
        let request = district.earner.request(Method::PATCH, &path).header("if-match", etag);
        let request = request.header("idempotency-key", "save-1");
        district.earner.send(request.json(&json!({ "integrity_statement": true })))
    };
    assert_eq!(patch("\"-1\"").problem(), "stale");
    let saved = patch(&started.etag());
    assert_eq!(saved.status, 200);
    assert_eq!(patch(&started.etag()).etag(), saved.etag());
}

#[test]
fn two_at_once_do_the_work_once() {
    let app = TestApp::new();
    let district = app.district();
    let (admin, body) = (&district.admin, new_school(&district, "Heron"));
    let before = organizations(admin);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let tries: Vec<_> =
            (0..6).map(|_| scope.spawn(|| post_with(admin, Some("key-1"), PATH, &body))).collect();
        tries.into_iter().map(|answer| answer.join().unwrap()).collect()
    });
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty());
    assert!(made.windows(2).all(|pair| pair[0].bytes == pair[1].bytes), "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((answer.status, answer.problem().as_str()), (409, "idempotency-running"));
    }
    assert_eq!(organizations(admin), before + 1);
}

#[test]
fn a_key_that_is_no_key_is_refused() {
    let app = TestApp::new();
    let district = app.district();
    let before = organizations(&district.admin);
    for key in ["", "two words", &"x".repeat(201)] {
        let body = new_school(&district, "Heron");
        let answer = post_with(&district.admin, Some(key), PATH, &body);
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"), "{key}");
    }
    assert_eq!(organizations(&district.admin), before);
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let app = TestApp::new();
    let district = app.district();
    let body = new_school(&district, "Heron");
    let first = post_with(&district.admin, Some("key-1"), PATH, &body).expect(201);
    app.advance(chrono::TimeDelta::hours(25));
    app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
    let second = post_with(&app.admin(), Some("key-1"), PATH, &body).expect(201);
    assert_ne!(first["id"], second["id"]);
}

#[test]
fn tokens_are_neither_stored_nor_replayed() {
    let app = TestApp::new();
    let admin = app.admin();
    let body = json!({ "email": "admin@example.org", "password": PASSWORD });
    let sign_in = || post_with(&admin, Some("key-1"), "/api/v1/sessions", &body).expect(201);
    let (first, second) = (sign_in(), sign_in());
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let conn = &mut *app.resources.database.connection().unwrap();
    let person = admin.id.parse().unwrap();
    assert_eq!(store::idempotency::find(conn, person, "key-1").unwrap(), None);
}

#[test]
fn what_is_kept_for_a_replay_cannot_be_read_in_the_database() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    district.submit(&district.earner, &family);
    let path = "/api/v1/reviews/claim";
    let first = post_with(&district.assessor, Some("claim-1"), path, &json!({}));
    let work = String::from_utf8(first.bytes.clone()).unwrap();
    assert!(work.contains("What was shown, in plain words."), "{work}");
    let conn = &mut *app.resources.database.connection().unwrap();
    let person = district.assessor.id.parse().unwrap();
    let kept = store::idempotency::find(conn, person, "claim-1").unwrap().unwrap();
    let (_, kept) = kept.answer.unwrap();
    assert!(!kept.contains("What was shown"), "the earner's text lies open: {kept}");
    let again = post_with(&district.assessor, Some("claim-1"), path, &json!({}));
    assert_eq!((again.status, again.bytes), (201, first.bytes));
}
