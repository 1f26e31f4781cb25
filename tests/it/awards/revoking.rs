//! The end of an award: who ends it, why, and what the public learns.

use serde_json::{Value, json};

use super::{badge, switch_issuing, verdict};
use crate::harness::TestApp;

#[test]
fn revoking_takes_a_reason_and_a_note_and_happens_once() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let path = format!("/api/v1/awards/{award}/revoke");
    let officer = &district.officer;
    let good = json!({ "reason_code": "holder_request", "note": "asked for in a letter" });
    let check = |body: Value, pointer: &str, code: &str| {
        let answer = officer.post(&path, &body);
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.problem(), "invalid");
        assert_eq!(answer.faults(), [(pointer.to_owned(), code.to_owned())]);
    };
    check(json!({ "note": "n" }), "/reason_code", "missing-field");
    check(json!({ "reason_code": "holder_request" }), "/note", "missing-field");
    check(json!({ "reason_code": "holder_request", "note": " " }), "/note", "note");
    check(json!({ "reason_code": "holder_request", "note": "x".repeat(4001) }), "/note", "note");
    check(json!({ "reason_code": "boredom", "note": "n" }), "/reason_code", "unknown-reason");
    assert_eq!(app.anybody().post(&path, &good).problem(), "unauthenticated");
    assert_eq!(district.earner.post(&path, &good).problem(), "forbidden");
    for person in [&district.admin, &district.custodian, &district.coordinator, &district.assessor]
    {
        assert_eq!(person.post(&path, &good).problem(), "not-found");
    }
    let before = badge(&app, &award);
    assert_eq!(verdict(&app, &before.json)["verdict"], "valid");

    let revoked = officer.post(&path, &good).expect(200);
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(revoked["revocation_reason"], "holder_request");
    assert_ne!(revoked["revoked_at"], Value::Null);
    assert_eq!(revoked["allowed_events"], json!([]));
    let again = officer.post(&path, &good);
    assert_eq!(again.status, 409);
    assert_eq!(again.problem(), "wrong-state");
    assert_eq!(again.json["allowed_events"], json!([]));

    // The badge itself is what it was; its list tells.
    assert_eq!(badge(&app, &award).bytes, before.bytes);
    let found = verdict(&app, &before.json);
    assert_eq!(found["verdict"], "invalid");
    assert_eq!(found["credential"]["status"], "revoked");
    let status = found["checks"].as_array().unwrap().iter().find(|check| check["name"] == "status");
    assert_eq!(status.unwrap()["outcome"], "fail");
    // The note is for staff.
    let own = district.earner.get(&format!("/api/v1/awards/{award}")).expect(200);
    assert_eq!(own["state"], "revoked");
    assert!(!own.to_string().contains("letter"), "{own}");
    let page = app.anybody().get_as(&format!("/credentials/{award}"), "text/html");
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.to_lowercase().contains("revoked") && !html.contains("letter"), "{html}");
    app.audit_events();
}

#[test]
fn revoked_place_and_no_other_is_set_on_the_published_list() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let colleague =
        app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    let (_, revoked) = district.award(&district.earner, &family);
    let (_, kept) = district.award(&colleague, &family);
    let places = [&revoked, &kept].map(|award| badge(&app, award).json["credentialStatus"].clone());
    assert_eq!(places[0]["type"], "BitstringStatusListEntry");
    assert_eq!(places[0]["statusPurpose"], "revocation");
    assert_eq!(places[0]["statusListCredential"], places[1]["statusListCredential"]);
    assert_ne!(places[0]["statusListIndex"], places[1]["statusListIndex"]);
    let url = places[0]["statusListCredential"].as_str().unwrap();
    let path = url.strip_prefix(crate::harness::BASE_URL).unwrap();
    let bits = || {
        let list = app.anybody().get(path);
        assert_eq!(list.status, 200);
        assert_eq!(list.json["id"], url);
        assert_eq!(list.json["credentialSubject"]["statusPurpose"], "revocation");
        assert_eq!(list.json["proof"][0]["cryptosuite"], "eddsa-rdfc-2022");
        let encoded = list.json["credentialSubject"]["encodedList"].as_str().unwrap().to_owned();
        let list = assay::credential::status_list::StatusList::decode(&encoded).unwrap();
        assert!(list.entries() >= 131_072);
        (0..list.entries()).filter(|index| list.is_set(*index).unwrap()).collect::<Vec<usize>>()
    };
    assert_eq!(bits(), Vec::<usize>::new());
    let tag = app.anybody().get(path).etag();
    district.revoke(&revoked).expect(200);
    let index: usize = places[0]["statusListIndex"].as_str().unwrap().parse().unwrap();
    assert_eq!(bits(), [index]);
    assert_ne!(app.anybody().get(path).etag(), tag);
    district.revoke(&kept).expect(200);
    let mut both: Vec<usize> = places
        .iter()
        .map(|place| place["statusListIndex"].as_str().unwrap().parse().unwrap())
        .collect();
    both.sort_unstable();
    assert_eq!(bits(), both);
}

#[test]
fn award_that_waits_for_its_signature_cannot_be_revoked_yet() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    switch_issuing(&district.officer, &district.id, true);
    let id = district.submit(&district.earner, &family);
    district.score(&district.assessor, 0);
    let decided = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    let refused = district.revoke(decided["award"]["id"].as_str().unwrap());
    assert_eq!(refused.problem(), "wrong-state");
    assert_eq!(refused.json["allowed_events"], json!(["sign"]));
}

#[test]
fn stop_of_issuing_does_not_stop_revoking() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let issued = badge(&app, &award).json;
    switch_issuing(&district.custodian, &district.id, true);
    district.revoke(&award).expect(200);
    assert_eq!(verdict(&app, &issued)["credential"]["status"], "revoked");
}

#[test]
fn awards_are_listed_for_their_earner_and_the_issuing_officer() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let colleague =
        app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    let (_, first) = district.award(&district.earner, &family);
    let (_, second) = district.award(&colleague, &family);
    let ids = |person: &crate::harness::Person, query: &str| -> Vec<String> {
        let page = person.get(&format!("/api/v1/awards{query}")).expect(200);
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|award| award["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&district.earner, ""), [first.as_str()]);
    assert_eq!(ids(&colleague, ""), [second.as_str()]);
    assert_eq!(ids(&district.officer, ""), [first.as_str(), second.as_str()]);
    let one = format!("?person_id={}", colleague.id);
    assert_eq!(ids(&district.officer, &one), [second.as_str()]);
    assert_eq!(ids(&district.earner, &one), Vec::<String>::new());
    district.revoke(&first).expect(200);
    assert_eq!(ids(&district.officer, "?state=active"), [second.as_str()]);
    assert_eq!(ids(&district.officer, "?state=revoked"), [first.as_str()]);
    assert_eq!(ids(&district.officer, &format!("?micro_credential_id={family}")).len(), 2);
    assert_eq!(ids(&district.officer, &format!("?micro_credential_id={}", district.id)).len(), 0);
    for person in [&district.admin, &district.coordinator, &district.assessor, &district.auditor] {
        assert_eq!(ids(person, ""), Vec::<String>::new());
        assert_eq!(person.get(&format!("/api/v1/awards/{first}")).problem(), "not-found");
    }
    assert_eq!(colleague.get(&format!("/api/v1/awards/{first}")).problem(), "not-found");
}
