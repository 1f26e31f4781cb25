//! Many awards at once: what the preview says is what is revoked, or nothing is.

use assay::domain::ids::AwardId;
use assay::service::bulk_revocations::MOST;
use assay::service::context::new_uuid;
use assay::store;
use assay::store::schema::{outbox, status_lists};
use chrono::TimeDelta;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

use super::{again, award_of, badge, events_of, headline, letters, renewable, step, verdict};
use crate::harness::{Answer, District, Person, TestApp, definition};

const PATH: &str = "/api/v1/awards/bulk-revocations";

#[track_caller]
fn ask(by: &Person, filter: &Value, expected: Option<i64>) -> Answer {
    let mut body = json!({
        "filter": filter, "reason_code": "issued_in_error", "note": "the secret note", "dry_run": expected.is_none(),
    });
    if let Some(expected) = expected {
        body["expected_count"] = json!(expected);
    }
    by.post(PATH, &body)
}

/// How many the preview finds.
#[track_caller]
fn preview(by: &Person, filter: &Value) -> i64 {
    let found = ask(by, filter, None).expect(200);
    assert_eq!(found["dry_run"], true);
    found["count"].as_i64().unwrap()
}

/// A district in which several earners have an award of one micro-credential.
fn earners(app: &TestApp, district: &District, family: &str, number: usize) -> Vec<String> {
    let awards = (0..number).map(|number| {
        let email = format!("earner-{number}@example.org");
        let earner = app.seed(&district.schools[0], &email, &["earner"]);
        district.award(&earner, family).1
    });
    awards.collect()
}

fn publications(app: &TestApp) -> Vec<i32> {
    status_lists::table
        .order(status_lists::id)
        .select(status_lists::revision)
        .load(&mut *app.resources.database.connection().unwrap())
        .unwrap()
}

fn ids(found: &Value) -> Vec<&str> {
    found["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[test]
fn preview_changes_nothing_and_the_deed_does_what_it_said() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let mut other = definition("mc-ia-small-group-support");
    other["id"] = json!("mc-other");
    let other = district.publish(&other);
    let awards = earners(&app, &district, &family, 4);
    let (_, kept) = district.award(&district.earner, &other);
    district.revoke(&awards[0]).expect(200);
    step(&district.officer, &awards[1], "suspend").expect(200);

    let filter = json!({ "micro_credential_id": family });
    let (events, lists, mails) = (app.audit_events(), publications(&app), letters(&app).len());
    let found = ask(&district.officer, &filter, None).expect(200);
    assert_eq!(found["count"], 3);
    assert_eq!(found["already_revoked"], 1);
    assert_eq!(found["not_revocable"], 0);
    assert_eq!(found["most"], MOST);
    assert_eq!(ids(&found), awards[1..]);
    assert_eq!(found["items"][0]["state"], "suspended");
    assert_eq!(app.audit_events(), events);
    assert_eq!(publications(&app), lists);

    let done = ask(&district.officer, &filter, Some(3)).expect(200);
    assert_eq!((&done["dry_run"], &done["count"]), (&json!(false), &json!(3)));
    assert_eq!(ids(&done), awards[1..]);
    for award in &awards[1..] {
        let shown = award_of(&district.officer, award);
        assert_eq!(shown["state"], "revoked");
        assert_eq!(shown["revocation_reason"], "issued_in_error");
        assert_eq!(verdict(&app, &badge(&app, award).json)["credential"]["status"], "revoked");
        assert!(headline(&app, award).starts_with("Revoked on "));
        let (verb, detail) = events_of(&app, award).pop().unwrap();
        assert_eq!(verb, "revoke_award");
        assert!(detail.starts_with("reason=issued_in_error run="), "{detail}");
    }
    assert!(done["items"].as_array().unwrap().iter().all(|item| item["state"] == "revoked"));
    assert_eq!(award_of(&district.officer, &kept)["state"], "active");
    assert_eq!(app.audit_events(), events + 3, "one event for each award");
    let after: Vec<i32> = lists.iter().map(|revision| revision + 1).collect();
    assert_eq!(publications(&app), after, "one publication for each list");
    let told = letters(&app).split_off(mails);
    assert_eq!(told.len(), 3, "one mail for each award");
    assert!(told.iter().all(|(kind, _)| kind == "award_revoked"));
    let texts: Vec<String> = outbox::table
        .select(outbox::parameters)
        .load(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    assert!(!texts.concat().contains("secret") && !done.to_string().contains("secret"));
    assert_eq!(preview(&district.officer, &filter), 0);
}

#[test]
fn deed_is_refused_when_somebody_changed_something_since_the_preview() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let awards = earners(&app, &district, &family, 3);
    let filter = json!({ "micro_credential_id": family });
    assert_eq!(preview(&district.officer, &filter), 3);
    district.revoke(&awards[0]).expect(200);
    let (events, lists) = (app.audit_events(), publications(&app));
    let refused = ask(&district.officer, &filter, Some(3));
    assert_eq!((refused.status, refused.problem().as_str()), (409, "count-changed"));
    assert_eq!(refused.json["current"], json!({ "count": 2 }));
    assert_eq!(app.audit_events(), events);
    assert_eq!(publications(&app), lists);
    for award in &awards[1..] {
        assert_eq!(award_of(&district.officer, award)["state"], "active");
    }
    ask(&district.officer, &filter, Some(2)).expect(200);
}

#[test]
fn deed_that_is_sent_twice_with_one_key_is_done_once() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    earners(&app, &district, &family, 2);
    let body = json!({
        "filter": { "micro_credential_id": family }, "reason_code": "integrity_upheld", "note": "n", "dry_run": false,
        "expected_count": 2,
    });
    let send = || {
        let request = district.officer.request(Method::POST, PATH).json(&body);
        district.officer.send(request.header("idempotency-key", "bulk-1"))
    };
    let first = send().expect(200);
    let events = app.audit_events();
    assert_eq!(send().expect(200), first);
    assert_eq!(app.audit_events(), events);
    assert_eq!(district.officer.post(PATH, &body).problem(), "count-changed");
}

#[test]
fn filter_that_does_not_say_which_awards_is_refused() {
    let app = TestApp::new();
    let district = app.district();
    let check = |body: Value, pointer: &str, code: &str| {
        let answer = district.officer.post(PATH, &body);
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.faults(), [(pointer.to_owned(), code.to_owned())], "{body}");
    };
    let dry = |filter: Value| json!({ "filter": filter, "reason_code": "issued_in_error", "note": "n", "dry_run": true });
    check(dry(json!({})), "/filter", "empty-filter");
    check(dry(json!({ "award_ids": [] })), "/filter/award_ids", "award-ids");
    let ids: Vec<String> = (0..=MOST).map(|_| new_uuid().to_string()).collect();
    check(dry(json!({ "award_ids": ids })), "/filter/award_ids", "award-ids");
    check(dry(json!({ "version": 1 })), "/filter/version", "version-alone");
    check(dry(json!({ "issued_from": "yesterday" })), "/filter/issued_from", "not-a-time");
    let reversed =
        json!({ "issued_from": "2026-11-21T19:00:00Z", "issued_to": "2026-11-20T19:00:00Z" });
    check(dry(reversed), "/filter/issued_to", "wrong-order");
    check(dry(json!({ "everything": true })), "/filter/everything", "unknown-field");
    let mut body = dry(json!({ "award_ids": [district.id] }));
    body["reason_code"] = json!("boredom");
    check(body.clone(), "/reason_code", "unknown-reason");
    body["reason_code"] = json!("issued_in_error");
    body["note"] = json!("");
    check(body.clone(), "/note", "note");
    body["note"] = json!("n");
    body["dry_run"] = json!(false);
    check(body, "/expected_count", "missing-field");
}

#[test]
fn each_part_of_the_filter_narrows_it() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&renewable());
    let first = earners(&app, &district, &family, 1).remove(0);
    let keys = format!("/api/v1/organizations/{}/signing-keys", district.id);
    // The one that signs embedded proofs; another may sign the same badges as JWT.
    let known = district.custodian.get(&keys).expect(200);
    let is_ours = |key: &&Value| key["algorithm"] == "EdDSA";
    let old_key = known["items"].as_array().unwrap().iter().find(is_ours).unwrap()["id"].clone();
    let new_key = district.custodian.act(&keys).expect(201)["id"].clone();
    app.advance(TimeDelta::minutes(2));
    let (_, second) = district.award(&district.earner, &family);
    let officer = &district.officer;
    let issued = |award: &str| award_of(officer, award)["issued_at"].clone();
    let found = |filter: Value| {
        let found = ask(officer, &filter, None).expect(200);
        ids(&found).into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let (one, two) = (vec![first.clone()], vec![second.clone()]);
    let both = vec![first.clone(), second.clone()];
    assert_eq!(found(json!({ "micro_credential_id": family })), both);
    assert_eq!(found(json!({ "micro_credential_id": family, "version": 1 })), both);
    assert!(found(json!({ "micro_credential_id": family, "version": 2 })).is_empty());
    assert!(found(json!({ "micro_credential_id": district.id })).is_empty());
    assert_eq!(found(json!({ "signing_key_id": old_key })), one);
    assert_eq!(found(json!({ "signing_key_id": new_key })), two);
    assert_eq!(found(json!({ "issued_from": issued(&second) })), two);
    assert_eq!(found(json!({ "issued_to": issued(&first) })), one);
    let range = json!({ "issued_from": issued(&first), "issued_to": issued(&second) });
    assert_eq!(found(range), both);
    assert_eq!(found(json!({ "award_ids": [second, district.id] })), two);
    assert!(found(json!({ "award_ids": [second], "signing_key_id": old_key })).is_empty());

    // What has ended cannot be revoked, and is counted as such.
    app.advance(TimeDelta::days(400));
    let later =
        ask(&again(&app, officer), &json!({ "micro_credential_id": family }), None).expect(200);
    assert_eq!((&later["count"], &later["not_revocable"]), (&json!(0), &json!(2)));
}

#[test]
fn officer_reaches_the_awards_of_their_own_organizations_alone() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let award = earners(&app, &district, &family, 1).remove(0);
    let abroad = app.seed_root("Harbour");
    let strangers = [
        app.seed(&abroad, "officer@harbour.example.org", &["issuing_officer"]),
        app.seed(&district.schools[0], "officer@willow.example.org", &["issuing_officer"]),
    ];
    for stranger in &strangers {
        let filter = json!({ "award_ids": [award] });
        let found = ask(stranger, &filter, None).expect(200);
        for member in ["count", "already_revoked", "not_revocable"] {
            assert_eq!(found[member], 0, "{member}");
        }
        assert_eq!(ask(stranger, &filter, Some(1)).problem(), "count-changed");
    }
    for person in [&district.admin, &district.custodian, &district.earner, &district.auditor] {
        assert_eq!(ask(person, &json!({}), None).problem(), "forbidden");
    }
    assert_eq!(ask(&app.anybody(), &json!({}), None).problem(), "unauthenticated");
    assert_eq!(award_of(&district.officer, &award)["state"], "active");
}

/// Copies an award with its place on the list, so that there are so many more.
fn multiply(app: &TestApp, award: &str, copies: i64) {
    let award: AwardId = award.parse().unwrap();
    let mut conn = app.resources.database.connection().unwrap();
    let found = store::awards::find(&mut conn, award).unwrap().unwrap();
    let submission = found.submission().unwrap().to_string();
    let award = award.to_string();
    let taken =
        store::credentials::find_intent(&mut conn, award.parse().unwrap()).unwrap().unwrap();
    store::write(&mut conn, |conn| {
        for number in 1..=copies {
            let (next_submission, next_award) = (new_uuid(), new_uuid());
            let index = (i64::from(taken.status_index) + number) % 131_072;
            for sql in [
                format!(
                    "INSERT INTO submissions SELECT '{next_submission}', organization_id, micro_credential_id, version_id, earner_id, \
                     attempt + {number}, state, integrity_statement, include_results, ai_use, sealed_key, due_on, submitted_at, \
                     decided_at, retain_until, revision, created_at, updated_at, held_from, previous_id, ai_use_policy, names_waived \
                     FROM submissions WHERE id = '{submission}'"
                ),
                format!(
                    "INSERT INTO decisions SELECT '{next_submission}', outcome, raters, assessors_qualified, decided_at FROM decisions \
                     WHERE submission_id = '{submission}'"
                ),
                format!(
                    "INSERT INTO awards SELECT '{next_award}', organization_id, '{next_submission}', micro_credential_id, version_id, \
                     stack_id, earner_id, state, revision, created_at, issued_at, valid_until, revoked_at, revocation_reason, \
                     revocation_note, suspended_at, suspension_note, part_fell_at FROM awards WHERE id = '{award}'"
                ),
                format!(
                    "INSERT INTO issuance_intents SELECT '{next_award}', issuer_id, signing_key_id, status_list_id, {index}, \
                     canonical_sha256, unsigned_document, created_at FROM issuance_intents WHERE award_id = '{award}'"
                ),
            ] {
                diesel::sql_query(sql).execute(conn).map_err(store::StoreError::from)?;
            }
        }
        Ok::<(), store::StoreError>(())
    })
    .unwrap();
}

#[test]
fn thousand_awards_are_revoked_in_one_request_and_more_are_refused() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let award = earners(&app, &district, &family, 1).remove(0);
    multiply(&app, &award, MOST);
    let filter = json!({ "micro_credential_id": family });
    let found = ask(&district.officer, &filter, None).expect(200);
    assert_eq!(found["count"], MOST + 1);
    assert_eq!(ids(&found).len(), 25, "the first page");
    let refused = ask(&district.officer, &filter, Some(MOST + 1));
    assert_eq!(refused.status, 422);
    assert_eq!(refused.faults(), [("/filter".to_owned(), "too-many".to_owned())]);
    assert_eq!(preview(&district.officer, &filter), MOST + 1);

    district.revoke(&award).expect(200);
    let (events, lists) = (app.audit_events(), publications(&app));
    let done = ask(&district.officer, &filter, Some(MOST)).expect(200);
    assert_eq!((&done["count"], &done["already_revoked"]), (&json!(MOST), &json!(1)));
    assert_eq!(app.audit_events(), events + MOST);
    assert_eq!(publications(&app), [lists[0] + 1]);
    assert_eq!(letters(&app).len(), usize::try_from(MOST).unwrap() + 1);
    assert_eq!(preview(&district.officer, &filter), 0);
}
