//! Declarations, modules, waivers, load caps and calendars through the API.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, District, PASSWORD, Person, TestApp, definition};

fn claim(assessor: &Person) -> Answer {
    assessor.post("/api/v1/reviews/claim", &json!({}))
}

/// Declares a tie and returns its path.
#[track_caller]
fn declare(by: &Person, district: &District, other: &Person, relation: &str) -> String {
    let body =
        json!({ "organization_id": district.id, "email": other.email, "relation": relation });
    let declared = by.post("/api/v1/conflicts", &body);
    let path = declared.headers["location"].clone();
    assert_eq!(declared.expect(201)["person_id"], other.id.as_str());
    path
}

#[test]
fn declared_tie_keeps_the_work_away_whoever_declared_it() {
    for is_by_earner in [false, true] {
        let app = TestApp::new();
        let district = app.district();
        let family = district.publish_small_group();
        let (earner, assessor) = (&district.earner, &district.assessor);
        let tie = if is_by_earner {
            declare(earner, &district, assessor, "household")
        } else {
            declare(assessor, &district, earner, "supervises")
        };
        let id = district.submit(earner, &family);
        assert_eq!(claim(assessor).status, 204);
        let blocked = district.coordinator.get("/api/v1/queue/blocked").expect(200);
        assert_eq!(blocked["items"][0]["submission_id"], id.as_str());
        assert_eq!(blocked["items"][0]["eligible"], 0);
        let rule = if is_by_earner { "declared" } else { "evaluates_or_is_evaluated_by" };
        let expected = json!([{ "rule": rule, "assessors": 1 }]);
        assert_eq!(blocked["items"][0]["blocked_by"], expected);
        // Nothing of the work, and nobody by name.
        let text = blocked.to_string();
        assert!(!text.contains(&earner.id) && !text.contains("title"), "{text}");
        let owner = if is_by_earner { earner } else { assessor };
        assert_eq!(owner.delete(&tie).status, 204);
        assert_eq!(owner.delete(&tie).problem(), "wrong-state");
        assert_eq!(claim(assessor).expect(201)["submission_id"], id.as_str());
        let rest = district.coordinator.get("/api/v1/queue/blocked").expect(200);
        assert_eq!(rest["items"], json!([]));
    }
}

#[test]
fn tie_that_is_declared_during_the_reading_ends_it() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    district.submit(&district.earner, &family);
    let review = claim(&district.assessor).expect(201);
    let path = format!("/api/v1/reviews/{}", review["id"].as_str().unwrap());
    declare(&district.earner, &district, &district.assessor, "close_tie");
    let read = district.assessor.get(&path);
    assert_eq!(read.problem(), "wrong-state");
    assert_eq!(read.json["allowed_events"], json!(["recuse"]));
    let detail = read.json["detail"].as_str().unwrap();
    assert!(!detail.contains("declared") && !detail.contains("tie"), "{detail}");
    assert_eq!(district.assessor.act(&format!("{path}/lock")).problem(), "wrong-state");
}

#[test]
fn declarations_are_their_authors_own() {
    let app = TestApp::new();
    let district = app.district();
    let path = declare(&district.earner, &district, &district.assessor, "coaches");
    assert_eq!(district.assessor.delete(&path).problem(), "not-found");
    let own = district.earner.get("/api/v1/conflicts").expect(200);
    assert_eq!(own["items"][0]["relation"], "coaches");
    let others = district.assessor.get("/api/v1/conflicts").expect(200);
    assert_eq!(others["items"], json!([]));
    let again = json!({ "organization_id": district.id, "email": "assessor@example.org", "relation": "coaches" });
    assert_eq!(district.earner.post("/api/v1/conflicts", &again).problem(), "already-there");
    for (body, code) in [
        (json!({ "organization_id": district.id, "relation": "coaches" }), "invalid"),
        (
            json!({ "organization_id": district.id, "email": "earner@example.org", "relation": "coaches" }),
            "invalid",
        ),
        (
            json!({ "organization_id": district.id, "email": "who@example.org", "relation": "coaches" }),
            "not-found",
        ),
        (
            json!({ "organization_id": district.schools[0], "email": "assessor@example.org", "relation": "coaches" }),
            "not-found",
        ),
        (
            json!({ "organization_id": district.id, "email": "assessor@example.org", "relation": "likes" }),
            "invalid",
        ),
    ] {
        assert_eq!(district.earner.post("/api/v1/conflicts", &body).problem(), code, "{body}");
    }
}

/// Publishes work that names the same district, without recording a waiver.
fn publish_strict(district: &District) -> String {
    let mut strict = definition("mc-ia-small-group-support");
    strict["id"] = json!("mc-strict");
    let family = district.publish(&strict);
    strict["version"] = json!("2.0.0");
    strict["review_policy"]["second_score_when_not_yet"] = json!(false);
    strict["review_policy"]["coi"].as_array_mut().unwrap().push(json!("same_district"));
    let [author, colleague] = &district.designers;
    let versions = format!("/api/v1/micro-credentials/{family}/versions");
    author.post(&versions, &json!({ "definition": strict })).expect(201);
    for designer in [author, colleague] {
        let vote = json!({ "approve": true, "comment": "" });
        designer.post(&format!("{versions}/2/approvals"), &vote).expect(201);
    }
    author.act(&format!("{versions}/2/publish")).expect(200);
    family
}

#[test]
fn same_district_holds_until_a_group_waives_it_and_then_every_not_yet_is_scored_twice() {
    let app = TestApp::new();
    let district = app.district();
    let family = publish_strict(&district);
    let submission = district.submit(&district.earner, &family);
    assert_eq!(claim(&district.assessor).status, 204);
    let blocked = district.coordinator.get("/api/v1/queue/blocked").expect(200);
    let rules = &blocked["items"][0]["blocked_by"];
    assert_eq!(*rules, json!([{ "rule": "same_district", "assessors": 1 }]));
    district.waive_same_district();
    // The definition alone would decide a not-yet by one reader.
    let locked = district.score(&district.assessor, -1);
    assert_eq!(locked["is_decided"], false);
    let own = district.earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
    assert_eq!(own["decision"], Value::Null);
}

#[test]
fn waiver_permits_readings_across_departments_only() {
    let app = TestApp::new();
    let district = app.district();
    let strict = publish_strict(&district);
    let [teaching, inclusion] = &district.departments;
    let join = |organization: &str, email: &str, role: &str| {
        let body = json!({ "email": email, "name": email, "roles": [role] });
        let path = format!("/api/v1/organizations/{organization}/invitations");
        let invited = district.admin.post(&path, &body).expect(201);
        let token = app.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
        let body = json!({ "token": token, "password": PASSWORD });
        app.anybody().post("/api/v1/invitations/accept", &body).expect(200);
    };
    join(teaching, "earner@example.org", "earner");
    join(teaching, "assessor@example.org", "assessor");
    let other = app.invite(&district.admin, inclusion, "other@example.org", &["assessor"]);
    let stranger = app.invite(&district.admin, &district.id, "stranger@example.org", &["assessor"]);

    // Without a waiver it is the district that counts, and not the department.
    let free = district.publish_small_group();
    let first = district.submit(&district.earner, &free);
    assert_eq!(claim(&district.assessor).expect(201)["submission_id"], first.as_str());

    let second = district.submit(&district.earner, &strict);
    let blocked_by = || {
        let blocked = district.coordinator.get("/api/v1/queue/blocked?all=true").expect(200);
        let items = blocked["items"].as_array().unwrap().clone();
        let item = items.iter().find(|item| item["submission_id"] == second.as_str());
        item.expect("it waits")["blocked_by"].clone()
    };
    assert_eq!(blocked_by(), json!([{ "rule": "same_district", "assessors": 3 }]));
    district.waive_same_district();
    assert_eq!(blocked_by(), json!([{ "rule": "same_department", "assessors": 1 }]));
    assert_eq!(claim(&district.assessor).status, 204);
    let review = claim(&other).expect(201);
    assert_eq!(review["submission_id"], second.as_str());

    // The department counts as long as the reading goes on, and memberships as they are now.
    join(teaching, "other@example.org", "assessor");
    let path = format!("/api/v1/reviews/{}", review["id"].as_str().unwrap());
    assert_eq!(other.get(&path).problem(), "wrong-state");
    let member = format!("/api/v1/organizations/{teaching}/members/{}", other.id);
    let etag = district.admin.get(&member).etag();
    let removed = json!({ "roles": [], "state": "removed" });
    district.admin.put(&member, &etag, &removed).expect(200);
    // Who leaves an organization signs in anew.
    app.sign_in("other@example.org").get(&path).expect(200);
    assert_eq!(claim(&stranger).status, 204, "it is taken");
}

#[test]
fn waiver_ends_by_itself_and_needs_two_people_of_two_departments() {
    let app = TestApp::new();
    let district = app.district();
    let path = format!("/api/v1/organizations/{}/same-district-waiver", district.id);
    let none = district.coordinator.get(&path);
    assert_eq!(none.etag(), "\"0\"");
    assert_eq!(none.expect(200)["is_in_force"], false);
    let [one, other] = [&district.designers[0].id, &district.designers[1].id];
    let ends_at = app.resources.now().plus(TimeDelta::days(30)).to_string();
    let body = |deciders: Value, ends_at: &str, reason: &str| json!({ "reason": reason, "deciders": deciders, "ends_at": ends_at });
    let too_late = app.resources.now().plus(TimeDelta::days(800)).to_string();
    let past = app.resources.now().minus(TimeDelta::days(1)).to_string();
    for (bad, pointer) in [
        (body(json!([one]), &ends_at, "x"), "/deciders"),
        (body(json!([one, one]), &ends_at, "x"), "/deciders"),
        (body(json!([one, district.coordinator.id]), &ends_at, "x"), "/deciders"),
        (body(json!([one, other]), &too_late, "x"), "/ends_at"),
        (body(json!([one, other]), &past, "x"), "/ends_at"),
        (body(json!([one, other]), &ends_at, " "), "/reason"),
    ] {
        let answer = district.coordinator.put(&path, "\"0\"", &bad);
        assert_eq!(answer.faults()[0].0, pointer, "{bad}");
    }
    let good = body(json!([one, other]), &ends_at, "A pilot.");
    assert_eq!(district.assessor.put(&path, "\"0\"", &good).problem(), "forbidden");
    let recorded = district.coordinator.put(&path, "\"0\"", &good);
    assert_eq!(recorded.etag(), "\"1\"");
    assert_eq!(recorded.expect(200)["is_in_force"], true);
    assert_eq!(district.coordinator.put(&path, "\"0\"", &good).problem(), "stale");

    let family = publish_strict(&district);
    district.submit(&district.earner, &family);
    app.advance(TimeDelta::days(30));
    assert_eq!(claim(&app.sign_in("assessor@example.org")).status, 204);
    let over = app.sign_in("coordinator@example.org").get(&path).expect(200);
    assert_eq!(over["is_in_force"], false);
}

#[test]
fn load_cap_of_a_person_replaces_the_usual_one() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let second = app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    district.submit(&district.earner, &family);
    district.submit(&second, &family);
    let path = format!("/api/v1/organizations/{}/load-caps/{}", district.id, district.assessor.id);
    let set = |cap: Value| district.coordinator.put(&path, "\"0\"", &json!({ "load_cap": cap }));
    assert_eq!(set(json!(51)).problem(), "invalid");
    assert_eq!(set(json!(-1)).problem(), "invalid");
    set(json!(1)).expect(200);
    claim(&district.assessor).expect(201);
    assert_eq!(claim(&district.assessor).problem(), "wrong-state");
    let blocked = district.coordinator.get("/api/v1/queue/blocked").expect(200);
    let rules = &blocked["items"][0]["blocked_by"];
    assert_eq!(*rules, json!([{ "rule": "load_cap", "assessors": 1 }]));
    set(Value::Null).expect(200);
    claim(&district.assessor).expect(201);
}

#[test]
fn dates_are_promised_by_the_districts_calendar() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let path = format!("/api/v1/organizations/{}/calendar", district.id);
    let usual = district.earner.get(&path);
    assert_eq!(usual.etag(), "\"0\"");
    assert_eq!(usual.expect(200)["weekend"], json!(["saturday", "sunday"]));
    let today = app.resources.now();
    let date = |days| today.plus(TimeDelta::days(days)).date();
    let closed = json!({
        "weekend": [], "holidays": [date(1)],
        "breaks": [{ "first": date(2), "last": date(21) }],
    });
    assert_eq!(district.coordinator.put(&path, "\"0\"", &closed).problem(), "forbidden");
    for (bad, pointer) in [
        (json!({ "weekend": ["caturday"] }), "/weekend/0"),
        (json!({ "weekend": [], "holidays": ["26.11.2026"] }), "/holidays/0"),
        (
            json!({ "weekend": [], "breaks": [{ "first": date(2), "last": date(1) }] }),
            "/breaks/0/last",
        ),
    ] {
        assert_eq!(district.admin.put(&path, "\"0\"", &bad).faults()[0].0, pointer);
    }
    district.admin.put(&path, "\"0\"", &closed).expect(200);
    assert_eq!(district.admin.put(&path, "\"0\"", &closed).problem(), "stale");
    let id = district.submit(&district.earner, &family);
    let own = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    // Ten working days after three weeks without any.
    assert!(
        own["due_on"].as_str().or(own["due_at"].as_str()).unwrap().starts_with(&date(31)),
        "{own}"
    );
}
