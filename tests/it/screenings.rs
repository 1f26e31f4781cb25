//! The rules of screening: who looks whether a submission is complete, and what follows.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{District, Person, TestApp, definition};

/// A district with a pre-screener, and a submission that is handed in.
struct Stage {
    app: TestApp,
    district: District,
    screener: Person,
    id: String,
    path: String,
}

fn stage() -> Stage {
    let app = TestApp::new();
    let district = app.district();
    let screener =
        app.invite(&district.admin, &district.id, "screener@example.org", &["pre_screener"]);
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let path = format!("/api/v1/submissions/{id}");
    Stage { app, district, screener, id, path }
}

fn nothing_to_claim(assessor: &Person) {
    assert_eq!(assessor.post("/api/v1/reviews/claim", &json!({})).status, 204);
}

#[test]
fn where_there_is_a_pre_screener_readers_wait_for_them() {
    let stage = stage();
    nothing_to_claim(&stage.district.assessor);
    let waiting = stage.screener.get("/api/v1/screenings").expect(200);
    assert_eq!(waiting["items"].as_array().unwrap().len(), 1);
    assert_eq!(waiting["items"][0]["submission_id"], stage.id.as_str());
    assert_eq!(waiting["items"][0]["is_begun"], false);
    let body = json!({ "complete": true, "items": [] });
    let screened = stage.screener.post(&format!("{}/screening", stage.path), &body).expect(200);
    assert_eq!(screened, json!({ "submission_id": stage.id, "state": "queued" }));
    let own = stage.district.earner.get(&stage.path).expect(200);
    assert_eq!(own["screening"]["complete"], true);
    let step = own["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!([&step["event"], &step["actor_role"]], ["mark_complete", "pre_screener"]);
    let claimed = stage.district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    assert_eq!(claimed["submission_id"], stage.id.as_str());
    let again = stage.screener.post(&format!("{}/screening", stage.path), &body);
    assert_eq!(again.problem(), "wrong-state");
    stage.app.audit_events();
}

#[test]
fn without_a_pre_screener_the_service_screens_by_itself() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    // A pre-screener of the earner's own work is none.
    let both = app.invite(
        &district.admin,
        &district.schools[0],
        "both@example.org",
        &["earner", "pre_screener"],
    );
    let id = district.submit(&both, &family);
    let claimed = district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    assert_eq!(claimed["submission_id"], id.as_str());
    let body = json!({ "complete": true });
    let own = both.post(&format!("/api/v1/submissions/{id}/screening"), &body);
    assert_eq!(own.problem(), "forbidden");
}

#[test]
fn returned_work_names_what_is_missing_and_is_no_attempt_of_its_own() {
    let stage = stage();
    let screen = |body: &Value| stage.screener.post(&format!("{}/screening", stage.path), body);
    for (body, pointer) in [
        (json!({ "complete": false }), "/items"),
        (
            json!({ "complete": false, "items": [{ "requirement_id": "a9", "reason": "x" }] }),
            "/items/a9",
        ),
        (
            json!({ "complete": false, "items": [{ "requirement_id": "a1", "reason": " " }] }),
            "/items/a1",
        ),
        (
            json!({ "complete": true, "items": [{ "requirement_id": "a1", "reason": "x" }] }),
            "/items",
        ),
    ] {
        let answer = screen(&body);
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.faults()[0].0, pointer);
    }
    let reason = "The plan has one page of two.";
    let items = json!([{ "requirement_id": "a1", "reason": reason }]);
    let screened = screen(&json!({ "complete": false, "items": items })).expect(200);
    assert_eq!(screened["state"], "returned");
    let earner = &stage.district.earner;
    let own = earner.get(&stage.path).expect(200);
    assert_eq!(own["screening"]["items"], items);
    assert_eq!([&own["due_at"], &own["submitted_at"]], [&Value::Null, &Value::Null]);
    nothing_to_claim(&stage.district.assessor);

    // What is added makes it a draft again, of the same attempt.
    let item = json!({ "requirement_id": "a3", "text": "Both pages." });
    earner.post(&format!("{}/evidence", stage.path), &item).expect(201);
    let draft = earner.get(&stage.path).expect(200);
    assert_eq!([&draft["state"], &draft["attempt"]], [&json!("draft"), &json!(1)]);
    let again = earner.act(&format!("{}/submit", stage.path)).expect(200);
    assert_eq!([&again["state"], &again["attempt"]], [&json!("submitted"), &json!(1)]);
    assert_ne!(again["due_at"], Value::Null);
    screen(&json!({ "complete": true })).expect(200);
    stage.app.send_mail();
}

#[test]
fn work_can_be_recalled_until_somebody_begins_to_look() {
    let stage = stage();
    let earner = &stage.district.earner;
    earner.act(&format!("{}/recall", stage.path)).expect(200);
    earner.act(&format!("{}/submit", stage.path)).expect(200);
    let begun = stage.screener.act(&format!("{}/screening/begin", stage.path)).expect(200);
    assert_eq!(begun["submission_id"], stage.id.as_str());
    let refused = earner.act(&format!("{}/recall", stage.path));
    assert_eq!(refused.problem(), "wrong-state");
    assert!(!refused.json["allowed_events"].as_array().unwrap().contains(&json!("recall")));
    assert_eq!(earner.get(&stage.path).expect(200)["state"], "submitted");
}

#[test]
fn screener_reads_the_work_blind_while_they_screen_it_and_no_longer() {
    let stage = stage();
    let item = stage.district.earner.get(&stage.path).expect(200)["evidence"][0].clone();
    let content = item["content_path"].as_str().unwrap();
    assert_eq!(stage.screener.get(content).problem(), "not-found");
    let begun = stage.screener.act(&format!("{}/screening/begin", stage.path)).expect(200);
    assert!(!begun.to_string().contains(&stage.district.earner.id));
    assert_ne!(begun["work"]["responses"]["q1"], Value::Null);
    assert_eq!(stage.screener.get(content).status, 200);
    // Somebody else does not look at the same time, until it has lain for as long as a lease.
    let second = |app: &TestApp| app.sign_in("second@example.org");
    stage.app.invite(
        &stage.district.admin,
        &stage.district.id,
        "second@example.org",
        &["pre_screener"],
    );
    let begin = format!("{}/screening/begin", stage.path);
    assert_eq!(second(&stage.app).act(&begin).faults()[0].1, "screening-begun");
    stage.app.advance(TimeDelta::hours(73));
    second(&stage.app).act(&begin).expect(200);
    let screener = stage.app.sign_in("screener@example.org");
    assert_eq!(screener.get(content).problem(), "not-found");
    let complete = json!({ "complete": true });
    second(&stage.app).post(&format!("{}/screening", stage.path), &complete).expect(200);
    assert_eq!(second(&stage.app).get(content).problem(), "not-found");
}

#[test]
fn drafts_and_other_peoples_screenings_are_unknown_to_a_pre_screener() {
    let stage = stage();
    let second = stage.app.invite(
        &stage.district.admin,
        &stage.district.schools[0],
        "two@example.org",
        &["earner"],
    );
    let family = stage.district.earner.get(&stage.path).expect(200)["micro_credential_id"].clone();
    let draft = stage.district.fill(&second, family.as_str().unwrap());
    let body = json!({ "complete": true });
    let of_draft = stage.screener.post(&format!("/api/v1/submissions/{draft}/screening"), &body);
    assert_eq!(of_draft.problem(), "not-found");
    for person in [&stage.district.assessor, &stage.district.admin] {
        assert_eq!(person.post(&format!("{}/screening", stage.path), &body).problem(), "not-found");
        assert_eq!(person.get("/api/v1/screenings").problem(), "forbidden");
    }
}

#[test]
fn who_has_screened_does_not_read_where_two_read_independently() {
    let app = TestApp::new();
    let district = app.district();
    let both = app.invite(
        &district.admin,
        &district.schools[1],
        "both@example.org",
        &["pre_screener", "assessor"],
    );
    let family = district.publish(&definition("mc-shared-decision-making"));
    let id = district.submit(&district.earner, &family);
    let path = format!("/api/v1/submissions/{id}/screening");
    both.post(&path, &json!({ "complete": true })).expect(200);
    nothing_to_claim(&both);
    let single = district.publish_small_group();
    let alone = district.submit(&district.earner, &single);
    let path = format!("/api/v1/submissions/{alone}/screening");
    both.post(&path, &json!({ "complete": true })).expect(200);
    let claimed = both.post("/api/v1/reviews/claim", &json!({})).expect(201);
    assert_eq!(claimed["submission_id"], alone.as_str());
}
