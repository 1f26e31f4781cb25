//! Invitations: how one becomes a member.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{organization_of, sign_in};
use crate::harness::{Answer, PASSWORD, Person, TestApp};

fn invite(by: &Person, organization: &str, email: &str, roles: &[&str]) -> Answer {
    let body = json!({ "email": email, "name": "Somebody", "roles": roles });
    by.post(&format!("/api/v1/organizations/{organization}/invitations"), &body)
}

fn token_of(app: &TestApp, invited: &Value) -> String {
    app.resources.keyring.invitation_token(invited["id"].as_str().unwrap())
}

fn accept(app: &TestApp, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password });
    app.anybody().post("/api/v1/invitations/accept", &body)
}

#[test]
fn an_invitation_is_used_once_and_its_secret_is_in_no_answer() {
    let app = TestApp::new();
    let admin = app.admin();
    let answer = invite(&admin, &organization_of(&admin), "new@example.org", &["earner"]);
    let text = String::from_utf8(answer.bytes.clone()).unwrap();
    let token = token_of(&app, &answer.expect(201));
    assert_eq!(token.len(), 43, "256 bits in base64url");
    assert!(!text.contains(&token), "{text}");
    let member = accept(&app, &token, PASSWORD).expect(200);
    assert_eq!(member["state"], "confirmed");
    let again = accept(&app, &token, PASSWORD);
    assert_eq!((again.status, again.problem().as_str()), (404, "invitation-unusable"));
    sign_in(&app, "new@example.org", PASSWORD).expect(201);
}

#[test]
fn an_unknown_an_expired_and_a_used_invitation_read_the_same() {
    let app = TestApp::new();
    let admin = app.admin();
    let district = organization_of(&admin);
    let token = |email: &str| token_of(&app, &invite(&admin, &district, email, &[]).expect(201));
    let (used, expired) = (token("used@example.org"), token("expired@example.org"));
    accept(&app, &used, PASSWORD).expect(200);
    app.advance(TimeDelta::days(14));
    let bodies: Vec<Value> = [&used, &expired, "made-up", ""]
        .into_iter()
        .map(|token| {
            let mut answer = accept(&app, token, PASSWORD);
            assert_eq!((answer.status, answer.problem().as_str()), (404, "invitation-unusable"));
            answer.json.as_object_mut().unwrap().remove("request_id");
            answer.json
        })
        .collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
}

#[test]
fn an_invitation_works_until_the_fourteenth_day() {
    let app = TestApp::new();
    let admin = app.admin();
    let district = organization_of(&admin);
    let invited = invite(&admin, &district, "late@example.org", &["earner"]).expect(201);
    app.advance(TimeDelta::days(14) - TimeDelta::minutes(1));
    accept(&app, &token_of(&app, &invited), PASSWORD).expect(200);
}

#[test]
fn a_withdrawn_invitation_is_not_usable() {
    let app = TestApp::new();
    let admin = app.admin();
    let district = organization_of(&admin);
    let invited = invite(&admin, &district, "gone@example.org", &["earner"]).expect(201);
    let person = invited["person_id"].as_str().unwrap();
    let path = format!("/api/v1/organizations/{district}/members/{person}");
    let etag = admin.get(&path).etag();
    let confirmed = admin.put(&path, &etag, &json!({ "roles": [], "state": "confirmed" }));
    assert_eq!(confirmed.problem(), "wrong-state", "nobody is confirmed by somebody else");
    admin.put(&path, &etag, &json!({ "roles": [], "state": "removed" })).expect(200);
    assert_eq!(accept(&app, &token_of(&app, &invited), PASSWORD).problem(), "invitation-unusable");
    assert_eq!(sign_in(&app, "gone@example.org", PASSWORD).problem(), "bad-login");
}

#[test]
fn a_password_has_ten_to_two_hundred_characters() {
    let app = TestApp::new();
    let admin = app.admin();
    let invited = invite(&admin, &organization_of(&admin), "short@example.org", &[]).expect(201);
    let token = token_of(&app, &invited);
    for password in [String::new(), "é".repeat(9), "x".repeat(201)] {
        let answer = accept(&app, &token, &password);
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"));
        assert_eq!(answer.faults(), [("/password".to_owned(), "password-length".to_owned())]);
    }
    accept(&app, &token, &"é".repeat(10)).expect(200);
    sign_in(&app, "short@example.org", &"é".repeat(10)).expect(201);
}

#[test]
fn a_coordinator_hands_out_no_role_that_rules_over_people_keys_or_control() {
    let app = TestApp::new();
    let district = app.district();
    for role in [
        "administrator",
        "coordinator",
        "issuing_officer",
        "review_panel",
        "data_steward",
        "credit_authority",
        "auditor",
        "key_custodian",
    ] {
        for roles in [vec![role], vec!["earner", role]] {
            let answer = invite(&district.coordinator, &district.id, "up@example.org", &roles);
            assert_eq!((answer.status, answer.problem().as_str()), (403, "forbidden"), "{role}");
        }
    }
    // Nobody was invited on the way.
    let members = format!("/api/v1/organizations/{}/members?limit=100", district.id);
    let members = district.admin.get(&members).expect(200);
    let items = members["items"].as_array().unwrap();
    assert!(items.iter().all(|member| member["email"] != "up@example.org"));
    for role in ["earner", "coach", "pre_screener", "assessor", "lead_assessor", "designer"] {
        let email = format!("{role}-new@example.org");
        invite(&district.coordinator, &district.id, &email, &[role]).expect(201);
    }
}

#[test]
fn a_coordinator_does_not_reinvite_somebody_out_of_an_administrators_invitation() {
    let app = TestApp::new();
    let district = app.district();
    invite(&district.admin, &district.id, "second@example.org", &["administrator"]).expect(201);
    let again = invite(&district.coordinator, &district.id, "second@example.org", &["earner"]);
    assert_eq!((again.status, again.problem().as_str()), (403, "forbidden"));
}

#[test]
fn an_account_is_taken_over_by_nobody_who_holds_an_invitation_to_it() {
    let app = TestApp::new();
    let district = app.district();
    let school = &district.schools[1];
    let invited = invite(&district.admin, school, "earner@example.org", &["coach"]).expect(201);
    let token = token_of(&app, &invited);
    let wrong = accept(&app, &token, "a password of the thief");
    assert_eq!((wrong.status, wrong.problem().as_str()), (401, "bad-login"));
    district.earner.get("/api/v1/me").expect(200);
    accept(&app, &token, PASSWORD).expect(200);
    // Rights are read at each request: whoever has proved the password has them at once.
    let roles = district.earner.get("/api/v1/me").expect(200)["roles"].take();
    assert_eq!(roles, json!(["coach", "earner"]));
}

#[test]
fn a_school_administrator_has_no_say_above_or_beside_the_school() {
    let app = TestApp::new();
    let district = app.district();
    let [school, other] = &district.schools;
    let head = app.invite(&district.admin, school, "head@example.org", &["administrator"]);
    for organization in [&district.id, other, &district.departments[0]] {
        let answer = invite(&head, organization, "friend@example.org", &["earner"]);
        // The district is above; what stands beside the school is known through nobody.
        let expected = if organization == &district.id { 403 } else { 404 };
        assert_eq!(answer.status, expected, "{answer:?}");
    }
    invite(&head, school, "friend@example.org", &["earner"]).expect(201);
}
