//! A new attempt whose award takes the place of the old one.

use std::sync::Barrier;

use assay::service::housekeeping;
use assay::store::schema::award_renewals;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    again, award_of, badge, events_of, go_to_end, headline, page_of, panel, renewable, step,
    switch_issuing, verdict,
};
use crate::harness::{Answer, District, Person, TestApp, definition};

/// Asks for a renewal.
#[track_caller]
fn renew(by: &Person, award: &str) -> Answer {
    by.act(&format!("/api/v1/awards/{award}/renew"))
}

/// Fills a draft and hands it in.
#[track_caller]
fn hand_in(earner: &Person, draft: &Answer) -> String {
    assert_eq!(draft.status, 201, "{draft:?}");
    let id = draft.json["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/submissions/{id}");
    let version = format!(
        "/api/v1/micro-credentials/{}/versions/{}",
        draft.json["micro_credential_id"].as_str().unwrap(),
        draft.json["version"]
    );
    let version = earner.get(&version).expect(200);
    let asked = &version["definition"]["submission"];
    let prompts = ["part1", "part3"]
        .into_iter()
        .flat_map(|part| asked[part]["prompts"].as_array().into_iter().flatten());
    let responses: serde_json::Map<String, Value> = prompts
        .map(|prompt| (prompt["id"].as_str().unwrap().to_owned(), json!("Still so.")))
        .collect();
    let patch = json!({ "responses": responses, "integrity_statement": true });
    earner.patch(&path, &draft.etag(), &patch).expect(200);
    for requirement in asked["part2"]["evidence"].as_array().unwrap() {
        let item = json!({ "requirement_id": requirement["id"], "text": "Shown again." });
        earner.post(&format!("{path}/evidence"), &item).expect(201);
    }
    earner.act(&format!("{path}/submit")).expect(200);
    id
}

/// The award of a decided submission, if it was earned.
#[track_caller]
fn earned(earner: &Person, submission: &str) -> Option<String> {
    let decided = earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
    assert_eq!(decided["state"], "decided");
    decided["award"]["id"].as_str().map(str::to_owned)
}

/// The whole way from asking for a renewal to its award.
#[track_caller]
fn renewed(app: &TestApp, district: &District, award: &str) -> String {
    let (earner, assessor) = (again(app, &district.earner), again(app, &district.assessor));
    let submission = hand_in(&earner, &renew(&earner, award));
    district.score(&assessor, 0);
    earned(&earner, &submission).unwrap()
}

#[track_caller]
fn old_award(district: &District) -> (String, String, Value) {
    let family = district.publish(&renewable());
    let (_, award) = district.award(&district.earner, &family);
    let until = award_of(&district.earner, &award)["valid_until"].clone();
    (family, award, until)
}

#[test]
fn earned_renewal_takes_the_place_of_the_old_award() {
    let app = TestApp::new();
    let district = app.district();
    let (family, old, until) = old_award(&district);
    let draft = renew(&district.earner, &old);
    assert_eq!(draft.status, 201, "{draft:?}");
    let location = format!("/api/v1/submissions/{}", draft.json["id"].as_str().unwrap());
    assert_eq!(draft.headers["location"], location);
    assert_eq!(draft.json["state"], "draft");
    assert_eq!(draft.json["attempt"], 2);
    assert_eq!(draft.json["micro_credential_id"], family);
    assert_eq!(award_of(&district.earner, &old)["state"], "active", "nothing is earned yet");

    let submission = hand_in(&district.earner, &draft);
    district.score(&district.assessor, 0);
    let new = earned(&district.earner, &submission).unwrap();
    let [was, is] = [&old, &new].map(|award| award_of(&district.earner, award));
    assert_eq!((&was["state"], &is["state"]), (&json!("superseded"), &json!("active")));
    assert_eq!(was["renewed_by"], new);
    assert_eq!(was["superseded_at"], is["issued_at"]);
    assert_eq!(is["renews"], old);
    assert_eq!((&was["renews"], &is["renewed_by"]), (&Value::Null, &Value::Null));
    assert_eq!(is["superseded_at"], Value::Null);
    assert_eq!(was["allowed_events"], json!([]));
    let listed = district.officer.get("/api/v1/awards?state=superseded").expect(200);
    assert_eq!(listed["items"], json!([was]));

    // The old badge remains genuine, and its page leads to the newer one.
    for award in [&old, &new] {
        assert_eq!(verdict(&app, &badge(&app, award).json)["verdict"], "valid");
    }
    assert_eq!(headline(&app, &old), "Valid, replaced by a newer one");
    let link = format!("href=\"/credentials/{new}\"");
    assert!(page_of(&app, &old).contains(&link));
    assert_eq!(headline(&app, &new), "Valid now");
    assert!(!page_of(&app, &new).contains("newer badge"));
    let verbs: Vec<String> = events_of(&app, &old).into_iter().map(|(verb, _)| verb).collect();
    assert_eq!(verbs, ["renew_award", "supersede_award"]);
    assert_eq!(events_of(&app, &old)[1].1, format!("from=active by={new}"));

    // What is superseded ends on its day like any other, which is what verifiers say of it.
    go_to_end(&app, &until, 1);
    app.resources.as_system(housekeeping::hourly).unwrap();
    assert!(headline(&app, &old).starts_with("Expired on "));
    assert!(page_of(&app, &old).contains(&link));
    assert_eq!(award_of(&again(&app, &district.earner), &old)["state"], "superseded");
}

#[test]
fn award_is_renewed_until_90_days_after_its_end() {
    let app = TestApp::new();
    let district = app.district();
    let (_, old, until) = old_award(&district);
    go_to_end(&app, &until, 91);
    let earner = again(&app, &district.earner);
    let late = renew(&earner, &old);
    assert_eq!((late.status, late.problem().as_str()), (409, "wrong-state"));
    // An ordinary attempt is open to whoever holds nothing.
    app.resources.as_system(housekeeping::hourly).unwrap();
    go_to_end(&app, &until, 89);
    let new = renewed(&app, &district, &old);
    let was = award_of(&again(&app, &district.earner), &old);
    assert_eq!((&was["state"], &was["renewed_by"]), (&json!("superseded"), &json!(new)));
    assert!(headline(&app, &old).starts_with("Expired on "));
    assert!(page_of(&app, &old).contains(&format!("/credentials/{new}")));
    assert_eq!(events_of(&app, &old).pop().unwrap().1, format!("from=expired by={new}"));
}

#[test]
fn renewal_that_is_earned_too_late_leaves_the_old_award_expired() {
    let app = TestApp::new();
    let district = app.district();
    let (_, old, until) = old_award(&district);
    go_to_end(&app, &until, 89);
    let earner = again(&app, &district.earner);
    let submission = hand_in(&earner, &renew(&earner, &old));
    go_to_end(&app, &until, 91);
    district.score(&again(&app, &district.assessor), 0);
    let earner = again(&app, &district.earner);
    let new = earned(&earner, &submission).unwrap();
    let [was, is] = [&old, &new].map(|award| award_of(&earner, award));
    assert_eq!((&was["state"], &is["state"]), (&json!("expired"), &json!("active")));
    assert_eq!((&was["renewed_by"], &is["renews"]), (&json!(new), &json!(old)));
    assert_eq!(was["superseded_at"], Value::Null);
}

#[test]
fn award_that_does_not_end_or_is_not_in_force_is_not_renewed() {
    let app = TestApp::new();
    let district = app.district();
    let refused = |award: &str, allowed: Value| {
        let answer = renew(&district.earner, award);
        assert_eq!((answer.status, answer.problem().as_str()), (409, "wrong-state"), "{answer:?}");
        assert_eq!(answer.json["allowed_events"], allowed);
    };
    let endless = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &endless);
    refused(&award, json!([]));
    let mut without = definition("mc-ia-small-group-support");
    without["id"] = json!("mc-without-renewal");
    without["validity"]["expires_after_months"] = json!(12);
    let (_, award) = district.award(&district.earner, &district.publish(&without));
    refused(&award, json!([]));

    let mut again = renewable();
    again["id"] = json!("mc-renewable");
    let (_, award) = district.award(&district.earner, &district.publish(&again));
    step(&district.officer, &award, "suspend").expect(200);
    refused(&award, json!(["reinstate", "revoke"]));
    district.revoke(&award).expect(200);
    refused(&award, json!([]));

    again["id"] = json!("mc-waiting");
    let family = district.publish(&again);
    switch_issuing(&district.officer, &district.id, true);
    let (_, award) = district.award(&district.earner, &family);
    refused(&award, json!(["sign"]));
}

#[test]
fn micro_credential_that_takes_no_submissions_is_not_renewed() {
    let app = TestApp::new();
    let district = app.district();
    let (family, old, _) = old_award(&district);
    let path = format!("/api/v1/micro-credentials/{family}/versions/1/retire");
    district.designers[0].act(&path).expect(200);
    assert_eq!(renew(&district.earner, &old).problem(), "wrong-state");
}

#[test]
fn renewal_that_is_not_yet_earned_changes_nothing_and_can_be_tried_again() {
    let app = TestApp::new();
    let district = app.district();
    let (_, old, _) = old_award(&district);
    let first = hand_in(&district.earner, &renew(&district.earner, &old));
    assert_eq!(renew(&district.earner, &old).problem(), "already-there");
    district.score(&district.assessor, -1);
    assert_eq!(earned(&district.earner, &first), None);
    let kept = award_of(&district.earner, &old);
    assert_eq!((&kept["state"], &kept["renewed_by"]), (&json!("active"), &Value::Null));

    let draft = renew(&district.earner, &old);
    assert_eq!(draft.json["attempt"], 3);
    let second = hand_in(&district.earner, &draft);
    district.score(&district.assessor, 0);
    let new = earned(&district.earner, &second);
    assert_eq!(award_of(&district.earner, &old)["renewed_by"], json!(new));
}

#[test]
fn next_attempt_after_a_renewal_that_was_not_yet_earned_renews_the_same_award() {
    let app = TestApp::new();
    let district = app.district();
    let (_, old, _) = old_award(&district);
    let first = hand_in(&district.earner, &renew(&district.earner, &old));
    district.score(&district.assessor, -1);
    let path = format!("/api/v1/submissions/{first}");
    let draft = district.earner.post(&format!("{path}/resubmit"), &json!({}));
    let second = format!("/api/v1/submissions/{}", draft.json["id"].as_str().unwrap());
    let patch = json!({ "integrity_statement": true });
    district.earner.patch(&second, &draft.etag(), &patch).expect(200);
    district.earner.act(&format!("{second}/submit")).expect(200);
    district.score(&district.assessor, 0);
    let new = district.earner.get(&second).expect(200)["award"]["id"].clone();
    let kept = award_of(&district.earner, &old);
    assert_eq!((&kept["state"], &kept["renewed_by"]), (&json!("superseded"), &new));
}

#[test]
fn renewal_that_is_earned_and_not_signed_supersedes_nothing_yet_and_is_not_started_again() {
    let app = TestApp::new();
    let district = app.district();
    let (_, old, _) = old_award(&district);
    let submission = hand_in(&district.earner, &renew(&district.earner, &old));
    switch_issuing(&district.officer, &district.id, true);
    district.score(&district.assessor, 0);
    let new = earned(&district.earner, &submission).unwrap();
    let [was, is] = [&old, &new].map(|award| award_of(&district.earner, award));
    assert_eq!((&was["state"], &is["state"]), (&json!("active"), &json!("pending_key")));
    let refused = renew(&district.earner, &old);
    assert_eq!(refused.problem(), "already-there");
    assert_eq!(refused.faults(), [(String::new(), "renewed".to_owned())]);

    switch_issuing(&district.officer, &district.id, false);
    app.resources.as_system(housekeeping::often).unwrap();
    assert_eq!(award_of(&district.earner, &old)["state"], "superseded");
}

#[test]
fn revoked_award_stays_revoked_although_its_renewal_is_earned() {
    let app = TestApp::new();
    let district = app.district();
    let (_, old, _) = old_award(&district);
    let submission = hand_in(&district.earner, &renew(&district.earner, &old));
    district.revoke(&old).expect(200);
    district.score(&district.assessor, 0);
    let new = earned(&district.earner, &submission).unwrap();
    let was = award_of(&district.earner, &old);
    assert_eq!((&was["state"], &was["renewed_by"]), (&json!("revoked"), &json!(new)));
    assert_eq!(award_of(&district.earner, &new)["state"], "active");
    assert!(headline(&app, &old).starts_with("Revoked on "));
}

#[test]
fn suspended_award_waits_for_its_panel_and_is_superseded_then() {
    let app = TestApp::new();
    let district = app.district();
    let panel = panel(&app, &district);
    let (_, old, _) = old_award(&district);
    let submission = hand_in(&district.earner, &renew(&district.earner, &old));
    step(&panel, &old, "suspend").expect(200);
    district.score(&district.assessor, 0);
    let new = earned(&district.earner, &submission).unwrap();
    assert_eq!(award_of(&district.earner, &old)["state"], "suspended");
    assert_eq!(headline(&app, &old), "Suspended");
    let over = step(&panel, &old, "reinstate").expect(200);
    assert_eq!((&over["state"], &over["renewed_by"]), (&json!("superseded"), &json!(new)));
}

#[test]
fn revoked_renewal_does_not_take_the_place_of_a_suspended_award() {
    let app = TestApp::new();
    let district = app.district();
    let panel = panel(&app, &district);
    let (_, old, _) = old_award(&district);
    let submission = hand_in(&district.earner, &renew(&district.earner, &old));
    step(&panel, &old, "suspend").expect(200);
    district.score(&district.assessor, 0);
    district.revoke(&earned(&district.earner, &submission).unwrap()).expect(200);
    assert_eq!(step(&panel, &old, "reinstate").expect(200)["state"], "active");
}

#[test]
fn second_award_at_the_same_version_is_only_had_by_renewing() {
    let app = TestApp::new();
    let district = app.district();
    let (family, old, until) = old_award(&district);
    let path = format!("/api/v1/micro-credentials/{family}/submissions");
    let refused = district.earner.post(&path, &json!({}));
    assert_eq!((refused.status, refused.problem().as_str()), (409, "already-there"));
    assert_eq!(refused.faults(), [(String::new(), "renew-instead".to_owned())]);
    assert!(refused.json["detail"].as_str().unwrap().contains(&format!("{old}/renew")));
    let list = district.earner.get("/api/v1/submissions").expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "nothing was started");

    // A newer version is something else to earn, and the renewal is made at it.
    let mut next = renewable();
    next["version"] = json!("2.0.0");
    let author = &district.designers[0];
    let versions = format!("/api/v1/micro-credentials/{family}/versions");
    author.post(&versions, &json!({ "definition": next })).expect(201);
    for designer in &district.designers {
        let vote = json!({ "approve": true, "comment": "" });
        designer.post(&format!("{versions}/2/approvals"), &vote).expect(201);
    }
    author.act(&format!("{versions}/2/publish")).expect(200);
    let body = json!({ "version": 1 });
    assert_eq!(district.earner.post(&path, &body).problem(), "already-there");
    let started = district.earner.post(&path, &json!({})).expect(201);
    let withdraw = format!("/api/v1/submissions/{}/withdraw", started["id"].as_str().unwrap());
    district.earner.act(&withdraw).expect(200);
    let draft = renew(&district.earner, &old).expect(201);
    assert_eq!((&draft["version"], &draft["attempt"]), (&json!(2), &json!(3)));
    let withdraw = format!("/api/v1/submissions/{}/withdraw", draft["id"].as_str().unwrap());
    district.earner.act(&withdraw).expect(200);

    // Nor does an award that has ended stand in the way.
    go_to_end(&app, &until, 1);
    again(&app, &district.earner).post(&path, &body).expect(201);
}

#[test]
fn one_renewal_is_open_however_many_requests_start_it() {
    let app = TestApp::new();
    let district = app.district();
    let (_, old, _) = old_award(&district);
    let start = Barrier::new(3);
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (start, earner, old) = (&start, &district.earner, &old);
                scope.spawn(move || {
                    start.wait();
                    renew(earner, old).status
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
    let rows: i64 = award_renewals::table
        .count()
        .get_result(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn renewal_that_is_sent_twice_with_one_key_is_started_once() {
    let app = TestApp::new();
    let district = app.district();
    let (_, old, _) = old_award(&district);
    let path = format!("/api/v1/awards/{old}/renew");
    let send = |key: &str, etag: &str| {
        let request = district.earner.request(Method::POST, &path).header("if-match", etag);
        district.earner.send(request.header("idempotency-key", key))
    };
    let etag = district.earner.get(&format!("/api/v1/awards/{old}")).etag();
    let stale = send("renew-0", "\"1\"");
    assert_eq!((stale.status, stale.problem().as_str()), (412, "stale"));
    let first = send("renew-1", &etag);
    let second = send("renew-1", &etag);
    assert_eq!((first.status, second.status), (201, 201), "{first:?}");
    assert_eq!(first.json["id"], second.json["id"]);
    assert_eq!(first.headers["location"], second.headers["location"]);
    assert_eq!(renew(&district.earner, &old).problem(), "already-there");
}

#[test]
fn only_its_earner_renews_an_award() {
    let app = TestApp::new();
    let district = app.district();
    let (_, old, _) = old_award(&district);
    let colleague =
        app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    assert_eq!(renew(&colleague, &old).problem(), "not-found");
    assert_eq!(renew(&district.officer, &old).problem(), "forbidden");
    assert_eq!(renew(&app.anybody(), &old).problem(), "unauthenticated");
}
