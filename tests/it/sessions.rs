//! Signing in and out, and what ends a sign-in.

mod invitations;
mod tokens;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, Person, TestApp};

fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    app.anybody().post("/api/v1/sessions", &body)
}

fn refresh(app: &TestApp, token: &str) -> Answer {
    app.anybody().post("/api/v1/sessions/refresh", &json!({ "refresh_token": token }))
}

/// The person with other tokens.
fn with_tokens(person: &Person, tokens: &Value) -> Person {
    let text = |name: &str| tokens[name].as_str().unwrap();
    person.with_tokens(text("access_token"), text("refresh_token"))
}

#[track_caller]
fn assert_signed_out(person: &Person) {
    let answer = person.get("/api/v1/me");
    assert_eq!((answer.status, answer.problem().as_str()), (401, "sign-in-ended"));
}

fn without_id(problem: &Value) -> Value {
    let mut problem = problem.clone();
    problem.as_object_mut().unwrap().remove("request_id");
    problem
}

#[test]
fn a_wrong_password_reads_like_an_unknown_account_and_one_without_a_password() {
    let app = TestApp::new();
    let admin = app.admin();
    let district = organization_of(&admin);
    let body = json!({ "email": "invited@example.org", "name": "Invited", "roles": ["earner"] });
    let path = format!("/api/v1/organizations/{district}/invitations");
    admin.post(&path, &body).expect(201);
    let wrong = sign_in(&app, "admin@example.org", "not the right phrase");
    assert_eq!((wrong.status, wrong.problem().as_str()), (401, "bad-login"));
    assert_eq!(wrong.headers["www-authenticate"], "Bearer");
    assert_eq!(wrong.headers["cache-control"], "no-store");
    for email in ["nobody@example.org", "invited@example.org", "no address", ""] {
        let unknown = sign_in(&app, email, "not the right phrase");
        assert_eq!(unknown.status, 401, "{email}");
        assert_eq!(without_id(&unknown.json), without_id(&wrong.json), "{email}");
    }
}

#[test]
fn an_address_is_the_same_in_capitals_and_with_blanks_around_it() {
    let app = TestApp::new();
    sign_in(&app, " Admin@Example.ORG ", crate::harness::PASSWORD).expect(201);
}

#[test]
fn passwords_are_kept_as_argon2id_with_19_mib_and_two_passes() {
    let app = TestApp::new();
    // As the program opens it: in the tests' own service hashing costs less.
    let resources = assay::cli::resources::open(&app.settings()).unwrap();
    let hash = resources.passwords.hash("a long enough phrase").unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
}

#[test]
fn a_refresh_token_is_exchanged_once_and_a_second_time_ends_the_whole_sign_in() {
    let app = TestApp::new();
    let first = app.admin();
    let bystander = app.admin();
    let answer = refresh(&app, &first.refresh_token);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let second = with_tokens(&first, &answer.expect(200));
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_ne!(second.token, first.token);
    second.get("/api/v1/me").expect(200);
    let third = with_tokens(&first, &refresh(&app, &second.refresh_token).expect(200));

    let stolen = refresh(&app, &first.refresh_token);
    assert_eq!((stolen.status, stolen.problem().as_str()), (401, "sign-in-ended"));
    for ended in [&first, &second, &third] {
        assert_signed_out(ended);
        assert_eq!(refresh(&app, &ended.refresh_token).status, 401);
    }
    bystander.get("/api/v1/me").expect(200);
}

#[test]
fn a_refresh_token_that_comes_twice_at_once_is_exchanged_at_most_once() {
    let app = TestApp::new();
    let person = app.admin();
    let again = || {
        let body = json!({ "refresh_token": person.refresh_token });
        person.post("/api/v1/sessions/refresh", &body).status
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(again)).collect();
        tries.into_iter().map(|answer| answer.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
    assert_signed_out(&person);
}

#[test]
fn a_refresh_token_works_for_two_weeks() {
    let app = TestApp::new();
    let person = app.admin();
    let other = app.admin();
    app.advance(TimeDelta::days(14) - TimeDelta::minutes(1));
    let person = with_tokens(&person, &refresh(&app, &person.refresh_token).expect(200));
    app.advance(TimeDelta::minutes(2));
    assert_eq!(refresh(&app, &other.refresh_token).problem(), "sign-in-ended");
    refresh(&app, &person.refresh_token).expect(200);
    assert_eq!(refresh(&app, "made-up").problem(), "sign-in-ended");
}

#[test]
fn an_access_token_works_for_fifteen_minutes_and_half_a_minute_between_clocks() {
    let app = TestApp::new();
    let person = app.admin();
    app.advance(TimeDelta::minutes(15));
    person.get("/api/v1/me").expect(200);
    app.advance(TimeDelta::seconds(31));
    assert_signed_out(&person);
}

#[test]
fn logging_out_ends_this_sign_in_and_no_other() {
    let app = TestApp::new();
    let (here, elsewhere) = (app.admin(), app.admin());
    assert_eq!(here.delete("/api/v1/sessions/current").status, 204);
    assert_signed_out(&here);
    assert_eq!(refresh(&app, &here.refresh_token).status, 401);
    elsewhere.get("/api/v1/me").expect(200);
    assert_eq!(app.anybody().delete("/api/v1/sessions/current").problem(), "unauthenticated");
}

#[test]
fn no_secret_of_a_sign_in_is_in_the_database() {
    let app = TestApp::new();
    let person = app.admin();
    let hash = assay::service::keyring::token_sha256(&person.refresh_token);
    let conn = &mut *app.resources.database.connection().unwrap();
    assert!(assay::store::sessions::find_refresh_token(conn, &hash).unwrap().is_some());
    let plain = assay::store::sessions::find_refresh_token(conn, &person.refresh_token).unwrap();
    assert!(plain.is_none());
    assert_eq!(person.refresh_token.len(), 43, "256 bits in base64url");
}

#[test]
fn a_flood_of_sign_ins_leaves_the_others_their_database() {
    let app = TestApp::new();
    let admin = app.admin();
    let stranger = app.anybody();
    let wrong = json!({ "email": "admin@example.org", "password": "not the right phrase" });
    std::thread::scope(|scope| {
        let flood: Vec<_> =
            (0..24).map(|_| scope.spawn(|| stranger.post("/api/v1/sessions", &wrong))).collect();
        for _ in 0..20 {
            admin.get("/api/v1/me").expect(200);
        }
        for attempt in flood {
            let answer = attempt.join().unwrap();
            match answer.status {
                401 => assert_eq!(answer.problem(), "bad-login"),
                503 => assert!(answer.headers.contains_key("retry-after"), "{answer:?}"),
                _ => panic!("{answer:?}"),
            }
        }
    });
}

fn organization_of(person: &Person) -> String {
    let me = person.get("/api/v1/me").expect(200);
    me["memberships"][0]["organization_id"].as_str().unwrap().to_owned()
}

/// Changes a membership, as the administrator sees it now.
#[track_caller]
fn change(admin: &Person, organization: &str, person: &Person, roles: &[&str], state: &str) {
    let path = format!("/api/v1/organizations/{organization}/members/{}", person.id);
    let etag = admin.get(&path).etag();
    admin.put(&path, &etag, &json!({ "roles": roles, "state": state })).expect(200);
}

#[test]
fn a_change_of_roles_ends_every_sign_in_and_counts_from_the_next_request() {
    let app = TestApp::new();
    let district = app.district();
    let (here, elsewhere) = (app.sign_in("auditor@example.org"), &district.auditor);
    here.get("/api/v1/audit-events").expect(200);
    change(&district.admin, &district.id, elsewhere, &["coach"], "confirmed");
    for ended in [&here, elsewhere] {
        assert_signed_out(ended);
        assert_eq!(refresh(&app, &ended.refresh_token).status, 401);
    }
    let again = app.sign_in("auditor@example.org");
    assert_eq!(again.get("/api/v1/me").expect(200)["roles"], json!(["coach"]));
    assert_eq!(again.get("/api/v1/audit-events").problem(), "forbidden");
}

#[test]
fn a_suspended_member_loses_access_at_once_and_gets_it_back_with_the_membership() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (submission, award) = district.award(&district.earner, &family);
    let school = &district.schools[0];
    change(&district.admin, school, &district.earner, &["earner"], "suspended");
    assert_signed_out(&district.earner);
    // Who signs in again is somebody without any membership that counts.
    let suspended = app.sign_in("earner@example.org");
    assert_eq!(suspended.get("/api/v1/me").expect(200)["roles"], json!([]));
    for path in [
        format!("/api/v1/submissions/{submission}"),
        format!("/api/v1/awards/{award}"),
        format!("/api/v1/organizations/{}", district.id),
    ] {
        assert_eq!(suspended.get(&path).problem(), "not-found", "{path}");
    }
    for path in ["/api/v1/submissions", "/api/v1/awards", "/api/v1/organizations"] {
        assert_eq!(suspended.get(path).expect(200)["items"], json!([]), "{path}");
    }
    let path = format!("/api/v1/micro-credentials/{family}/submissions");
    assert_eq!(suspended.post(&path, &json!({})).problem(), "forbidden");
    // The badge itself is the earner's and public.
    app.anybody().get(&format!("/credentials/{award}")).expect(200);

    change(&district.admin, school, &district.earner, &["earner"], "confirmed");
    let back = app.sign_in("earner@example.org");
    back.get(&format!("/api/v1/submissions/{submission}")).expect(200);
    assert_eq!(back.get("/api/v1/awards").expect(200)["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_suspended_assessor_loses_the_work_at_hand() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let submission = district.submit(&district.earner, &family);
    let assessor = &district.assessor;
    let claim = |person: &Person| {
        let request = person.request(reqwest::Method::POST, "/api/v1/reviews/claim");
        person.send(request.header("idempotency-key", "claim-1").json(&json!({})))
    };
    let review = claim(assessor).expect(201);
    let id = review["id"].as_str().unwrap();
    let item = review["work"]["evidence"][0]["id"].as_str().unwrap();
    let content = format!("/api/v1/submissions/{submission}/evidence/{item}/content");
    assert_eq!(assessor.get(&content).status, 200);
    change(&district.admin, &district.schools[1], assessor, &["assessor"], "suspended");
    let suspended = app.sign_in("assessor@example.org");
    assert_eq!(suspended.get(&content).problem(), "not-found");
    assert_eq!(suspended.get(&format!("/api/v1/reviews/{id}")).problem(), "not-found");
    assert_eq!(suspended.get("/api/v1/reviews").expect(200)["items"], json!([]));
    // Nor does an answer that was saved for a replay give the work away.
    let replay = claim(&suspended);
    assert!(replay.status >= 400 && replay.json.get("work").is_none(), "{replay:?}");
}

#[test]
fn the_last_administrator_stays() {
    let app = TestApp::new();
    let admin = app.admin();
    let district = organization_of(&admin);
    let path = format!("/api/v1/organizations/{district}/members/{}", admin.id);
    let etag = admin.get(&path).etag();
    for (roles, state) in [(json!(["coach"]), "confirmed"), (json!(["administrator"]), "suspended")]
    {
        let answer = admin.put(&path, &etag, &json!({ "roles": roles, "state": state }));
        assert_eq!((answer.status, answer.problem().as_str()), (409, "wrong-state"));
    }
    admin.get("/api/v1/me").expect(200);
}
