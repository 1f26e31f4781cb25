//! Who may score what: own work, the same school, an own attempt, stepping back.

use chrono::TimeDelta;
use serde_json::json;

use super::{claim, claimed, nothing_to_claim, path_of, recuse, refused};
use crate::harness::{District, PASSWORD, Person, TestApp};

/// Brings somebody who has an account into one more organization.
#[track_caller]
fn join(app: &TestApp, by: &Person, organization: &str, email: &str, roles: &[&str]) {
    let body = json!({ "email": email, "name": email, "roles": roles });
    let path = format!("/api/v1/organizations/{organization}/invitations");
    let invited = by.post(&path, &body).expect(201);
    let token = app.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
    let body = json!({ "token": token, "password": PASSWORD });
    app.anybody().post("/api/v1/invitations/accept", &body).expect(200);
}

/// Takes somebody out of an organization.
#[track_caller]
fn remove(admin: &Person, organization: &str, person: &str) {
    let path = format!("/api/v1/organizations/{organization}/members/{person}");
    let etag = admin.get(&path).etag();
    let removed = admin.put(&path, &etag, &json!({ "roles": [], "state": "removed" })).expect(200);
    assert_eq!(removed["state"], "removed");
}

#[test]
fn nobody_scores_their_own_work() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let both = app.invite(
        &district.admin,
        &district.schools[0],
        "both@example.org",
        &["earner", "assessor"],
    );
    let id = district.submit(&both, &family);
    nothing_to_claim(&both);
    claimed(&district.assessor, &id);
}

#[test]
fn nobody_scores_an_earner_of_their_school_or_of_one_they_left_within_24_months() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let colleague =
        app.invite(&district.admin, &district.schools[0], "colleague@example.org", &["assessor"]);
    let id = district.submit(&district.earner, &family);
    nothing_to_claim(&colleague);

    join(&app, &district.admin, &district.schools[1], "colleague@example.org", &["assessor"]);
    nothing_to_claim(&colleague);
    remove(&district.admin, &district.schools[0], &colleague.id);
    let moved = || app.sign_in("colleague@example.org");
    nothing_to_claim(&moved());
    app.advance(TimeDelta::days(729));
    nothing_to_claim(&moved());
    // A day more than two years, of which one may be a leap year.
    app.advance(TimeDelta::days(3));
    claimed(&moved(), &id);
}

#[test]
fn earner_who_has_left_a_school_is_not_scored_there_for_24_months() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let summit = &district.schools[1];
    join(&app, &district.admin, summit, "earner@example.org", &["earner"]);
    remove(&district.admin, summit, &district.earner.id);
    let earner = app.sign_in("earner@example.org");
    let id = district.submit(&earner, &family);
    nothing_to_claim(&district.assessor);
    app.advance(TimeDelta::days(732));
    claimed(&app.sign_in("assessor@example.org"), &id);
}

#[test]
fn who_works_in_a_department_of_a_school_works_at_the_school() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let room = app.organization(&district.admin, &district.schools[1], "Room 7", "department");
    let aide = app.invite(&district.admin, &room, "aide@example.org", &["earner"]);
    let id = district.submit(&aide, &family);
    nothing_to_claim(&district.assessor);
    let willow =
        app.invite(&district.admin, &district.schools[0], "willow@example.org", &["assessor"]);
    claimed(&willow, &id);
}

#[test]
fn who_works_on_the_same_micro_credential_scores_nobody_elses_attempt_at_it() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let both = app.invite(
        &district.admin,
        &district.schools[1],
        "both@example.org",
        &["earner", "assessor"],
    );
    let id = district.submit(&district.earner, &family);
    let starts = format!("/api/v1/micro-credentials/{family}/submissions");
    let own = both.post(&starts, &json!({})).expect(201);
    nothing_to_claim(&both);
    both.act(&format!("/api/v1/submissions/{}/withdraw", own["id"].as_str().unwrap())).expect(200);
    claimed(&both, &id);
}

#[test]
fn who_has_stepped_back_is_not_asked_again() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let review = claimed(&district.assessor, &id).json;
    let path = path_of(&review);
    for reason in ["", "  ", &"x".repeat(1001)] {
        let answer =
            district.assessor.post(&format!("{path}/recuse"), &json!({ "reason": reason }));
        assert_eq!(answer.faults(), [("/reason".to_owned(), "reason".to_owned())]);
    }
    recuse(&district.assessor, &review);
    nothing_to_claim(&district.assessor);
    let read = district.assessor.get(&path).expect(200);
    assert_eq!(read["state"], "recused");
    assert_eq!(read["work"], serde_json::Value::Null);
    refused(&district.assessor.post(&format!("{path}/recuse"), &json!({ "reason": "again" })), &[]);
    let second =
        app.invite(&district.admin, &district.schools[1], "second@example.org", &["assessor"]);
    assert_ne!(claimed(&second, &id).json["id"], review["id"]);
}

#[test]
fn conflict_that_comes_up_later_counts_at_opening_and_at_lock() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let answer = claimed(&district.assessor, &id);
    let path = path_of(&answer.json);
    let sheet = District::sheet(&answer.json, 0);
    district.assessor.put(&format!("{path}/scores"), &answer.etag(), &sheet).expect(200);

    join(&app, &district.admin, &district.schools[0], "assessor@example.org", &["assessor"]);
    refused(&district.assessor.get(&path), &["recuse"]);
    refused(&district.assessor.act(&format!("{path}/lock")), &["recuse"]);
    let before = app.audit_events();
    refused(&district.assessor.act(&format!("{path}/renew")), &["recuse"]);
    assert_eq!(app.audit_events(), before, "a lease that serves nothing is not renewed");
    recuse(&district.assessor, &answer.json);
    let second =
        app.invite(&district.admin, &district.schools[1], "second@example.org", &["assessor"]);
    claimed(&second, &id);
}

#[test]
fn only_an_assessor_of_the_branch_claims() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    district.submit(&district.earner, &family);
    assert_eq!(claim(&app.anybody()).problem(), "unauthenticated");
    for person in [&district.admin, &district.coordinator, &district.earner, &district.designers[0]]
    {
        assert_eq!(claim(person).problem(), "forbidden");
    }
    let unknown = district.assessor.post("/api/v1/reviews/claim", &json!({ "urgent": true }));
    assert_eq!(unknown.faults()[0], ("/urgent".to_owned(), "unknown-field".to_owned()));
}

#[test]
fn who_is_no_assessor_any_more_loses_sight_of_the_work() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let review = claimed(&district.assessor, &id).json;
    let path = path_of(&review);
    let item = review["work"]["evidence"][0]["content_path"].as_str().unwrap();
    let member =
        format!("/api/v1/organizations/{}/members/{}", district.schools[1], district.assessor.id);
    let etag = district.admin.get(&member).etag();
    let body = json!({ "roles": ["earner"], "state": "confirmed" });
    district.admin.put(&member, &etag, &body).expect(200);
    assert_eq!(district.assessor.get(&path).problem(), "sign-in-ended");
    let former = app.sign_in("assessor@example.org");
    assert_eq!(former.get(&path).problem(), "not-found");
    assert_eq!(former.get(item).problem(), "not-found");
    assert_eq!(former.act(&format!("{path}/lock")).problem(), "not-found");
}
