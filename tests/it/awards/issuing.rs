//! From an earned decision to one signed badge, and what it says.

use std::sync::Arc;

use assay::domain::ids::AwardId;
use assay::service::context::Boundary;
use assay::service::{housekeeping, issuance};
use assay::store::schema::{awards, credentials, issuance_intents, outbox};
use diesel::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{badge, switch_issuing, verdict};
use crate::harness::{BASE_URL, District, TestApp, TestSettings, definition};

/// The results of a badge as pairs of the last part of the description's id and what was reached.
fn results(badge: &Value) -> Vec<(String, String)> {
    let tail = |value: &Value| value.as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    badge["credentialSubject"]["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let reached = match result["value"].as_str() {
                Some(value) => value.to_owned(),
                None => tail(&result["achievedLevel"]),
            };
            (tail(&result["resultDescription"]), reached)
        })
        .collect()
}

#[test]
fn badge_says_what_was_achieved_and_how_it_was_scored_and_no_levels_unasked() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let version = app.anybody().get(&format!("/api/v1/micro-credentials/{family}")).expect(200);
    let (_, award) = district.award(&district.earner, &family);
    let answer = badge(&app, &award);
    let badge = &answer.json;

    assert_eq!(badge["id"], format!("{BASE_URL}/credentials/{award}"));
    assert_eq!(badge["issuer"]["id"], format!("{BASE_URL}/issuers/{}", district.id));
    assert_eq!(badge["issuer"]["name"], "Riverbend District");
    assert_eq!(badge["type"], json!(["VerifiableCredential", "OpenBadgeCredential"]));
    assert_eq!(badge["validUntil"], Value::Null);
    let subject = &badge["credentialSubject"];
    let achievement = &subject["achievement"];
    assert_eq!(achievement["id"], format!("{BASE_URL}/achievements/{family}/versions/1"));
    assert_eq!(achievement["achievementType"], "MicroCredential");
    assert_eq!(achievement["name"], "Instructional Assistant: Small-Group Support");
    let described: Vec<&Value> = achievement["resultDescription"]
        .as_array()
        .unwrap()
        .iter()
        .map(|description| &description["resultType"])
        .collect();
    let level = "RubricCriterionLevel";
    assert_eq!(
        json!(described),
        json!([
            level,
            level,
            level,
            level,
            "ext:ScoringHash",
            "ext:ReviewMode",
            "ext:Raters",
            "ext:AssessorsQualified"
        ])
    );
    assert_eq!(
        results(badge),
        [
            ("scoring-hash", version["scoring_hash"].as_str().unwrap()),
            ("review-mode", "single"),
            ("raters", "1"),
            ("assessors-qualified", "false"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let found = verdict(&app, badge);
    assert_eq!(found["verdict"], "valid", "{found}");
    assert_eq!(found["credential"]["scoring"]["results"], Value::Null);
    assert_eq!(found["credential"]["scoring"]["review_mode"], "single");
    let page = app.anybody().get_as(&format!("/credentials/{award}"), "text/html");
    assert!(!String::from_utf8_lossy(&page.bytes).contains("Demonstrated"), "levels on the page");
}

#[test]
fn badge_carries_levels_when_the_earner_chose_so() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.fill(&district.earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    let etag = district.earner.get(&submission).etag();
    let chosen = json!({ "include_results": true });
    district.earner.patch(&submission, &etag, &chosen).expect(200);
    district.earner.act(&format!("{submission}/submit")).expect(200);
    district.score(&district.assessor, 1);
    let decided = district.earner.get(&submission).expect(200);
    let award = decided["award"]["id"].as_str().unwrap();
    let answer = badge(&app, award);
    let levels: Vec<(String, String)> = results(&answer.json).into_iter().take(4).collect();
    let expected = ["c1", "c2", "c3", "c4"]
        .map(|id| (format!("criterion-{id}"), format!("criterion-{id}/level-2")));
    assert_eq!(levels, expected);
    assert_eq!(results(&answer.json).len(), 8);
    assert_eq!(verdict(&app, &answer.json)["verdict"], "valid");
    let page = app.anybody().get_as(&format!("/credentials/{award}"), "text/html");
    assert!(String::from_utf8_lossy(&page.bytes).contains("Demonstrated with extension"));
}

#[test]
fn badge_names_its_holder_by_a_salted_hash_alone() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let mut again = definition("mc-ia-small-group-support");
    again["id"] = json!("mc-second");
    let second = district.publish(&again);
    let badges = [&family, &second].map(|family| {
        let (submission, award) = district.award(&district.earner, family);
        let answer = badge(&app, &award);
        let text = String::from_utf8(answer.bytes.clone()).unwrap();
        let district_assessor = &district.assessor.id;
        for secret in ["earner@example.org", &district.earner.id, &submission, district_assessor] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        answer.json
    });
    for badge in &badges {
        let identity = &badge["credentialSubject"]["identifier"][0];
        assert_eq!(identity["hashed"], true);
        assert_eq!(identity["identityType"], "emailAddress");
        let salted = format!("earner@example.org{}", identity["salt"].as_str().unwrap());
        let hash: String =
            Sha256::digest(salted).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(identity["identityHash"], format!("sha256${hash}"));
        for (email, answer) in [(" Earner@Example.ORG ", "yes"), ("other@example.org", "no")] {
            let asked = json!({ "credential": badge, "expect": { "email": email } });
            assert_eq!(verdict(&app, &asked)["recipient_match"], answer, "{email}");
        }
    }
    // Two badges of one person are not tied together by anything in them.
    let [one, two] = badges.map(|badge| badge["credentialSubject"].clone());
    assert_ne!(one["id"], two["id"]);
    assert_ne!(one["identifier"][0]["salt"], two["identifier"][0]["salt"]);
    assert_ne!(one["identifier"][0]["identityHash"], two["identifier"][0]["identityHash"]);
}

#[test]
fn one_award_has_one_credential_however_often_it_is_asked_for() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    switch_issuing(&district.officer, &district.id, true);
    let id = district.submit(&district.earner, &family);
    district.score(&district.assessor, 0);
    let decided = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    let award = decided["award"]["id"].as_str().unwrap().to_owned();
    switch_issuing(&district.custodian, &district.id, false);

    // Four at once, by both ways in.
    let parsed: AwardId = award.parse().unwrap();
    let start = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for index in 0..4 {
            let (start, resources) = (&start, &app.resources);
            scope.spawn(move || {
                start.wait();
                if index % 2 == 0 {
                    resources.as_system(|cx| issuance::issue(cx, parsed)).unwrap();
                } else {
                    resources.as_system(issuance::issue_pending).unwrap();
                }
            });
        }
    });
    let first = badge(&app, &award);
    for _ in 0..3 {
        app.resources.as_system(|cx| issuance::issue(cx, parsed)).unwrap();
        assert_eq!(app.resources.as_system(issuance::issue_pending).unwrap(), 0);
        app.resources.as_system(housekeeping::often).unwrap();
    }
    let reviews = district.assessor.get("/api/v1/reviews").expect(200);
    let review = reviews["items"][0]["id"].as_str().unwrap();
    let lock = district.assessor.act(&format!("/api/v1/reviews/{review}/lock"));
    assert_eq!(lock.problem(), "wrong-state");

    assert_eq!(badge(&app, &award).bytes, first.bytes);
    assert_eq!(verdict(&app, &first.json)["verdict"], "valid");
    let mut conn = app.resources.database.connection().unwrap();
    let counts = [
        awards::table.count().get_result::<i64>(&mut *conn).unwrap(),
        issuance_intents::table.count().get_result(&mut *conn).unwrap(),
        credentials::table.count().get_result(&mut *conn).unwrap(),
        outbox::table.filter(outbox::kind.eq("badge")).count().get_result(&mut *conn).unwrap(),
    ];
    assert_eq!(counts, [1, 1, 1, 1]);
    app.audit_events();
}

#[test]
fn lock_that_is_sent_twice_with_one_key_answers_twice_and_issues_once() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    district.submit(&district.earner, &family);
    let claimed = district.assessor.post("/api/v1/reviews/claim", &json!({}));
    let path = format!("/api/v1/reviews/{}", claimed.json["id"].as_str().unwrap());
    let sheet = crate::harness::District::sheet(&claimed.json, 0);
    district.assessor.put(&format!("{path}/scores"), &claimed.etag(), &sheet).expect(200);
    let lock = || {
        let request = district
            .assessor
            .request(reqwest::Method::POST, &format!("{path}/lock"))
            .header("idempotency-key", "lock-1");
        district.assessor.send(request)
    };
    let first = lock();
    assert_eq!(first.status, 200, "{first:?}");
    let second = lock();
    assert_eq!(second.status, 200);
    assert_eq!(second.json, first.json);
    assert_eq!(second.etag(), first.etag());
    let mut conn = app.resources.database.connection().unwrap();
    assert_eq!(credentials::table.count().get_result::<i64>(&mut *conn).unwrap(), 1);
}

#[test]
fn stopped_issuing_holds_the_badge_and_never_the_decision() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let switch = format!("/api/v1/organizations/{}/issuing", district.id);
    for person in [&district.admin, &district.coordinator, &district.earner, &district.auditor] {
        let body = json!({ "stopped": true });
        let tried = person.send(person.request(reqwest::Method::PUT, &switch).json(&body));
        assert_eq!(tried.problem(), "forbidden");
    }
    switch_issuing(&district.officer, &district.id, true);
    let id = district.submit(&district.earner, &family);
    assert_eq!(district.score(&district.assessor, 0)["is_decided"], true);
    let decided = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    assert_eq!(decided["state"], "decided");
    assert_eq!(decided["decision"], "earned");
    assert_eq!(decided["award"]["state"], "pending_key");
    let award = decided["award"]["id"].as_str().unwrap();
    let path = format!("/credentials/{award}");
    assert_eq!(app.anybody().get(&path).problem(), "not-found");
    assert_eq!(app.anybody().get_as(&path, "text/html").status, 404);
    app.resources.as_system(housekeeping::often).unwrap();
    assert_eq!(app.anybody().get(&path).problem(), "not-found");
    assert_eq!(
        district.earner.get(&format!("/api/v1/awards/{award}")).expect(200)["allowed_events"],
        json!(["sign"])
    );

    switch_issuing(&district.officer, &district.id, false);
    app.resources.as_system(housekeeping::often).unwrap();
    let issued = badge(&app, award);
    assert_eq!(verdict(&app, &issued.json)["verdict"], "valid");
    let shown = district.earner.get(&format!("/api/v1/awards/{award}")).expect(200);
    assert_eq!(shown["state"], "active");
    assert_ne!(shown["issued_at"], Value::Null);
}

/// An award that waits although signing goes on: it was decided while signing was stopped.
#[track_caller]
fn waiting_award(district: &District) -> AwardId {
    let family = district.publish_small_group();
    switch_issuing(&district.officer, &district.id, true);
    let id = district.submit(&district.earner, &family);
    district.score(&district.assessor, 0);
    switch_issuing(&district.officer, &district.id, false);
    let decided = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    decided["award"]["id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn stop_holds_between_the_intent_and_the_signature_too() {
    let app = TestApp::new();
    let district = app.district();
    let award = waiting_award(&district);
    // A second process on the same data, in which the officer switches off at the last moment.
    let mut resources = assay::cli::resources::open(&app.settings()).unwrap();
    resources.clock = Arc::clone(&app.resources.clock);
    let (officer, id) = (district.officer.clone(), district.id.clone());
    resources.at_boundary = Arc::new(move |boundary| {
        if boundary == Boundary::Intent {
            switch_issuing(&officer, &id, true);
        }
    });
    let refused = resources.as_system(|cx| issuance::issue(cx, award)).unwrap_err();
    assert!(matches!(refused, assay::service::Error::CannotIssue(_)), "{refused:?}");
    let counts = || {
        let mut conn = app.resources.database.connection().unwrap();
        [
            issuance_intents::table.count().get_result::<i64>(&mut *conn).unwrap(),
            credentials::table.count().get_result::<i64>(&mut *conn).unwrap(),
        ]
    };
    assert_eq!(counts(), [1, 0]);
    app.resources.as_system(housekeeping::often).unwrap();
    assert_eq!(counts(), [1, 0]);
    // Afterwards what was meant is what is signed.
    switch_issuing(&district.officer, &district.id, false);
    let (meant, index): (String, i32) = {
        let mut conn = app.resources.database.connection().unwrap();
        issuance_intents::table
            .select((issuance_intents::unsigned_document, issuance_intents::status_index))
            .first(&mut *conn)
            .unwrap()
    };
    app.resources.as_system(housekeeping::often).unwrap();
    assert_eq!(counts(), [1, 1]);
    let mut signed = badge(&app, &award.to_string()).json;
    assert_eq!(verdict(&app, &signed)["verdict"], "valid");
    assert_eq!(signed["credentialStatus"]["statusListIndex"], index.to_string());
    signed.as_object_mut().unwrap().remove("proof").unwrap();
    assert_eq!(signed, serde_json::from_str::<Value>(&meant).unwrap());
}

#[test]
fn nothing_is_prepared_while_signing_is_stopped() {
    let app = TestApp::new();
    let district = app.district();
    let award = waiting_award(&district);
    switch_issuing(&district.custodian, &district.id, true);
    let refused = app.resources.as_system(|cx| issuance::issue(cx, award)).unwrap_err();
    assert!(matches!(refused, assay::service::Error::CannotIssue(_)), "{refused:?}");
    let mut conn = app.resources.database.connection().unwrap();
    assert_eq!(issuance_intents::table.count().get_result::<i64>(&mut *conn).unwrap(), 0);
    assert_eq!(credentials::table.count().get_result::<i64>(&mut *conn).unwrap(), 0);
}

#[test]
fn base_url_without_tls_refuses_to_sign_and_keeps_the_decision() {
    let app = TestApp::with(TestSettings {
        base_url: Some("http://badges.example.org".to_owned()),
        ..TestSettings::default()
    });
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    assert_eq!(district.score(&district.assessor, 0)["is_decided"], true);
    app.resources.as_system(housekeeping::often).unwrap();
    let decided = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    assert_eq!(decided["decision"], "earned");
    assert_eq!(decided["award"]["state"], "pending_key");
    let award = decided["award"]["id"].as_str().unwrap();
    assert_eq!(app.anybody().get(&format!("/credentials/{award}")).problem(), "not-found");
    let mut conn = app.resources.database.connection().unwrap();
    assert_eq!(issuance_intents::table.count().get_result::<i64>(&mut *conn).unwrap(), 0);
    let mails = outbox::table.filter(outbox::kind.eq("badge")).count();
    assert_eq!(mails.get_result::<i64>(&mut *conn).unwrap(), 0);
    let decisions = outbox::table.filter(outbox::kind.eq("decision")).count();
    assert_eq!(decisions.get_result::<i64>(&mut *conn).unwrap(), 1);
}

#[test]
fn validity_of_the_definition_ends_the_badge() {
    let app = TestApp::new();
    let district = app.district();
    let mut expiring = definition("mc-ia-small-group-support");
    expiring["validity"]["expires_after_months"] = json!(12);
    let family = district.publish(&expiring);
    let (_, award) = district.award(&district.earner, &family);
    let issued = badge(&app, &award);
    let until = issued.json["validUntil"].as_str().unwrap();
    assert!(until.ends_with('Z') && !until.contains('.'), "{until}");
    assert_eq!(verdict(&app, &issued.json)["verdict"], "valid");
    app.advance(chrono::TimeDelta::days(367));
    let found = verdict(&app, &issued.json);
    assert_eq!(found["verdict"], "invalid");
    assert_eq!(found["credential"]["status"], "expired");
}

#[test]
fn new_key_signs_from_now_on_and_the_old_badge_still_verifies() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, first) = district.award(&district.earner, &family);
    let first = badge(&app, &first).json;
    let keys = format!("/api/v1/organizations/{}/signing-keys", district.id);
    for person in [&district.admin, &district.officer, &district.auditor] {
        assert_eq!(person.act(&keys).problem(), "forbidden");
    }
    let made = district.custodian.act(&keys).expect(201);
    assert_eq!(made["state"], "active");
    let shown = district.custodian.get(&keys).expect(200);
    let of_badges = |key: &&Value| key["algorithm"] == "EdDSA";
    let shown_keys: Vec<&Value> =
        shown["items"].as_array().unwrap().iter().filter(of_badges).collect();
    assert_eq!(shown_keys.len(), 2);
    assert_eq!(shown_keys[0]["multikey"], made["multikey"]);
    assert!(!shown.to_string().contains("wrapped"), "{shown}");

    let colleague =
        app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    let (_, second) = district.award(&colleague, &family);
    let second_badge = badge(&app, &second).json;
    let method =
        |badge: &Value| badge["proof"][0]["verificationMethod"].as_str().unwrap().to_owned();
    assert!(method(&second_badge).ends_with(made["multikey"].as_str().unwrap()));
    assert_ne!(method(&first), method(&second_badge));
    for badge in [&first, &second_badge] {
        let found = verdict(&app, badge);
        assert_eq!(found["verdict"], "valid", "{found}");
    }
    let issuer = app.anybody().get(&format!("/issuers/{}", district.id)).expect(200);
    let listed = issuer["assertionMethod"].as_array().unwrap();
    for badge in [&first, &second_badge] {
        assert!(listed.contains(&json!(method(badge))), "{listed:?}");
    }
    // The list is signed anew with the new key, and the old badge can still be revoked on it.
    district.revoke(&second).expect(200);
    assert_eq!(verdict(&app, &second_badge)["credential"]["status"], "revoked");
    assert_eq!(verdict(&app, &first)["verdict"], "valid");
}

#[test]
fn school_without_a_key_issues_in_the_name_of_its_district() {
    let app = TestApp::new();
    let district = app.district();
    let school = &district.schools[0];
    let [author, colleague] = &district.designers;
    let path = format!("/api/v1/organizations/{school}/invitations");
    for designer in [author, colleague] {
        let body = json!({ "email": designer.email, "name": "Designer", "roles": ["designer"] });
        let invited = district.admin.post(&path, &body).expect(201);
        let token = app.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
        let body = json!({ "token": token, "password": crate::harness::PASSWORD });
        app.anybody().post("/api/v1/invitations/accept", &body).expect(200);
    }
    let body =
        json!({ "organization_id": school, "definition": definition("mc-ia-small-group-support") });
    let made = author.post("/api/v1/micro-credentials", &body).expect(201);
    let family = made["id"].as_str().unwrap().to_owned();
    let version = format!("/api/v1/micro-credentials/{family}/versions/1");
    for designer in [author, colleague] {
        designer.post(&format!("{version}/approvals"), &json!({ "approve": true })).expect(201);
    }
    author.act(&format!("{version}/publish")).expect(200);

    // The work belongs to the school: its readers come from below the district as well.
    let reader = app.invite(&district.admin, &district.id, "reader@example.org", &["assessor"]);
    let id = district.submit(&district.earner, &family);
    district.score(&reader, 0);
    let decided = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    let award = decided["award"]["id"].as_str().unwrap();
    let issued = badge(&app, award).json;
    assert_eq!(issued["issuer"]["id"], format!("{BASE_URL}/issuers/{}", district.id));
    assert_eq!(issued["issuer"]["name"], "Riverbend District");
    assert_eq!(verdict(&app, &issued)["verdict"], "valid");
    assert_eq!(app.anybody().get(&format!("/issuers/{school}")).problem(), "not-found");

    // The switch of the district holds for the school, and so does its officer's right to revoke.
    switch_issuing(&district.officer, &district.id, true);
    let two = app.invite(&district.admin, &district.schools[1], "two@example.org", &["earner"]);
    let outside = two.post(&format!("/api/v1/micro-credentials/{family}/submissions"), &json!({}));
    assert_eq!(outside.problem(), "forbidden", "another school's micro-credential");
    let three = app.invite(&district.admin, school, "three@example.org", &["earner"]);
    let id = district.submit(&three, &family);
    district.score(&reader, 0);
    let waiting = three.get(&format!("/api/v1/submissions/{id}")).expect(200);
    assert_eq!(waiting["award"]["state"], "pending_key");
    district.revoke(award).expect(200);
    assert_eq!(verdict(&app, &issued)["credential"]["status"], "revoked");
}
