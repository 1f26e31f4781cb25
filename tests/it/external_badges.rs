//! Badges of other issuers in a wallet: verified when they come and each time they are looked at, labelled, and counted nowhere. Their owners
//! may let them be shown beside the inventory, under a heading of their own.

use assay::service::external_badges::check_due;
use assay::service::housekeeping;
use assay::store::schema::person_profiles;
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use crate::harness::{District, Person, TestApp, TestSettings};

const WALLET: &str = "/api/v1/me/external-badges";

/// A badge of another installation, made out to an address. Its issuer is its key, so that it verifies without a network; only its
/// status list cannot be read from here.
fn foreign_badge(email: &str) -> Value {
    let app = TestApp::with(TestSettings {
        base_url: Some("https://badges.elsewhere.invalid".to_owned()),
        ..TestSettings::default()
    });
    let district: District = app.district();
    let settings = format!("/api/v1/organizations/{}/issuer-settings", district.id);
    let etag = district.custodian.get(&settings).etag();
    let body =
        json!({ "identifier": "did_key", "jwt_algorithm": "EdDSA", "status_method": "bitstring" });
    district.custodian.put(&settings, &etag, &body).expect(200);
    let family = district.publish_small_group();
    let earner = if email == district.earner.email {
        district.earner.clone()
    } else {
        app.invite(&district.admin, &district.schools[0], email, &["earner"])
    };
    let (_, award) = district.award(&earner, &family);
    app.anybody().get(&format!("/credentials/{award}.json")).expect(200)
}

#[test]
fn badge_from_elsewhere_is_kept_verified_on_reading_and_never_an_award_of_ours() {
    let app = TestApp::new();
    let district = app.district();
    let earner = &district.earner;
    let badge = foreign_badge(&earner.email);
    let body = json!({ "credential": badge });
    let kept = earner.post(WALLET, &body).expect(201);
    assert_eq!(kept["origin"], "external");
    assert_eq!(kept["title"], badge["credentialSubject"]["achievement"]["name"]);
    let again = earner.post(WALLET, &body);
    assert_eq!(again.faults()[0].1, "badge-there");
    assert_eq!(earner.get(WALLET).expect(200)["items"], json!([kept]));
    let path = format!("{WALLET}/{}", kept["id"].as_str().unwrap());
    let read = earner.get(&path).expect(200);
    assert_eq!((&read["credential"], &read["origin"]), (&badge, &json!("external")));
    // Its signature holds; whether it is revoked cannot be told from here, and is not taken for no.
    assert_eq!(read["verdict"]["verdict"], "indeterminate");
    assert_eq!(read["verdict"]["recipient_match"], "yes");
    let outcome = |name: &str| {
        let checks = read["verdict"]["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap()["outcome"].clone()
    };
    assert_eq!((outcome("proof"), outcome("status")), (json!("pass"), json!("unknown")));
    // Nothing here counts it.
    assert_eq!(earner.get("/api/v1/awards").expect(200)["items"], json!([]));
    // It is nobody else's to see or to take out, not even an administrator's.
    for other in [&district.admin, &district.coordinator, &district.assessor] {
        assert_eq!(other.get(WALLET).expect(200)["items"], json!([]));
        assert_eq!(other.get(&path).problem(), "not-found");
        assert_eq!(other.delete(&path).problem(), "not-found");
    }
    assert_eq!(earner.delete(&path).status, 204);
    assert_eq!(earner.get(&path).problem(), "not-found");
    assert_eq!(earner.get(WALLET).expect(200)["items"], json!([]));
}

#[test]
fn badge_that_is_altered_somebody_elses_or_ours_is_not_kept() {
    let app = TestApp::new();
    let district = app.district();
    let earner = &district.earner;
    let refuse = |credential: &Value, code: &str| {
        let refused = earner.post(WALLET, &json!({ "credential": credential }));
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.faults().iter().any(|fault| fault.1 == code), "{code}: {refused:?}");
    };
    let mut altered = foreign_badge(&earner.email);
    altered["credentialSubject"]["achievement"]["name"] = json!("Something greater");
    refuse(&altered, "signature-invalid");
    refuse(&foreign_badge("somebody-else@example.org"), "not-yours");
    let family = district.publish_small_group();
    let (_, award) = district.award(earner, &family);
    let own = app.anybody().get(&format!("/credentials/{award}.json")).expect(200);
    refuse(&own, "issued-here");
    assert_eq!(earner.post(WALLET, &json!({ "credential": 7 })).faults()[0].1, "wrong-type");
    assert_eq!(earner.post(WALLET, &json!({ "credential": {} })).problem(), "invalid");
    assert_eq!(earner.post(WALLET, &json!({ "credential": "words" })).problem(), "malformed");
    assert_eq!(earner.get(WALLET).expect(200)["items"], json!([]));
}

const ELSEWHERE: &str = "https://badges.elsewhere.invalid";

/// Another installation that can be reached, a badge of it for the earner here, and that earner's wallet with it.
struct Shown {
    elsewhere: TestApp,
    other: District,
    award: String,
    app: TestApp,
    district: District,
    badge: Value,
    /// Where its owner says whether it is shown.
    sharing: String,
}

impl Shown {
    #[track_caller]
    fn new() -> Shown {
        let elsewhere = TestApp::with(TestSettings {
            base_url: Some(ELSEWHERE.to_owned()),
            ..TestSettings::default()
        });
        let other = elsewhere.district();
        let family = other.publish_small_group();
        let (_, award) = other.award(&other.earner, &family);
        let badge = elsewhere.anybody().get(&format!("/credentials/{award}.json")).expect(200);
        let app = TestApp::with(TestSettings {
            base_url_maps: vec![(ELSEWHERE.to_owned(), elsewhere.origin.clone())],
            ..TestSettings::default()
        });
        let district = app.district();
        let purpose = format!("/api/v1/organizations/{}/inventory-purpose", district.id);
        let words = json!({ "statement": "To call on people for what they do well." });
        district.admin.put(&purpose, "\"0\"", &words).expect(200);
        let kept = district.earner.post(WALLET, &json!({ "credential": badge })).expect(201);
        let sharing = format!("{WALLET}/{}/sharing", kept["id"].as_str().unwrap());
        Shown { elsewhere, other, award, app, district, badge, sharing }
    }

    /// The owner says whether it is shown.
    #[track_caller]
    fn share(&self, shown: bool) -> Value {
        let earner = self.app.sign_in(&self.district.earner.email);
        let etag = earner.get(&self.sharing).etag();
        earner.put(&self.sharing, &etag, &json!({ "shown": shown })).expect(200)
    }

    /// What is listed of an organization, for somebody of the district.
    #[track_caller]
    fn listed(&self, organization: &str) -> Vec<Value> {
        let reader = self.app.sign_in(&self.district.coordinator.email);
        reader.get(&list_of(organization)).expect(200)["items"].as_array().unwrap().clone()
    }

    /// What its owner is told of the last check.
    #[track_caller]
    fn outcome(&self) -> Value {
        let earner = self.app.sign_in(&self.district.earner.email);
        earner.get(&self.sharing).expect(200)["outcome"].clone()
    }

    /// Days go by, here and there, and what is due is checked. Returns how many were.
    fn later(&self, days: i64) -> usize {
        for app in [&self.elsewhere, &self.app] {
            app.advance(TimeDelta::days(days));
            app.resources.as_system(housekeeping::hourly).unwrap();
        }
        check_due(&self.app.resources).unwrap()
    }

    #[track_caller]
    fn elsewhere_says(&self, event: &str) {
        let officer = self.elsewhere.sign_in(&self.other.officer.email);
        let path = format!("/api/v1/awards/{}/{event}", self.award);
        let body = if event == "revoke" {
            json!({ "reason_code": "issued_in_error", "note": "the panel has decided" })
        } else {
            json!({ "note": "the panel has decided" })
        };
        officer.post(&path, &body).expect(200);
    }
}

fn list_of(organization: &str) -> String {
    format!("/api/v1/reports/skills-inventory/external-badges?organization_id={organization}")
}

/// The inventory without the moment at which it was counted.
#[track_caller]
fn inventory(by: &Person, organization: &str) -> Value {
    let path = format!("/api/v1/reports/skills-inventory?organization_id={organization}");
    let mut found = by.get(&path).expect(200);
    found["as_of"] = json!(null);
    found
}

#[test]
fn badge_from_elsewhere_is_shown_beside_the_inventory_when_its_owner_wants_it_and_counted_never() {
    let shown = Shown::new();
    let (app, district) = (&shown.app, &shown.district);
    let earner = &district.earner;
    let before = inventory(&district.coordinator, &district.id);
    // Off until its owner says so, and nobody else says it.
    assert_eq!(shown.listed(&district.id), Vec::<Value>::new());
    assert_eq!(
        earner.get(&shown.sharing).expect(200),
        json!({ "shown": false, "outcome": null, "checked_at": null })
    );
    let body = json!({ "shown": true });
    let unconditional = earner.request(reqwest::Method::PUT, &shown.sharing).json(&body);
    assert_eq!(earner.send(unconditional).status, 428);
    assert_eq!(earner.put(&shown.sharing, "\"0\"", &json!({ "named": true })).status, 422);
    for other in [&district.admin, &district.coordinator, &district.officer] {
        assert_eq!(other.get(&shown.sharing).problem(), "not-found");
        assert_eq!(other.put(&shown.sharing, "\"0\"", &body).problem(), "not-found");
    }
    assert_eq!(shown.listed(&district.id), Vec::<Value>::new());

    assert_eq!(shown.share(true)["outcome"], "valid");
    let stale = earner.put(&shown.sharing, "\"0\"", &json!({ "shown": false }));
    assert_eq!((stale.status, &stale.json["current"]["shown"]), (412, &json!(true)));
    let listed = shown.listed(&district.id);
    let [one] = &listed[..] else { panic!("{listed:?}") };
    let said = |member: &str| one[member].as_str().unwrap_or_default().to_owned();
    assert_eq!((said("origin").as_str(), said("outcome").as_str()), ("external", "valid"));
    assert_eq!((said("person_id"), said("name")), (earner.id.clone(), earner.email.clone()));
    assert_eq!(one["title"], shown.badge["credentialSubject"]["achievement"]["name"]);
    assert_eq!(one["issuer"], "Riverbend District");
    assert_eq!(one["issuer_id"], shown.badge["issuer"]["id"]);
    assert!(one["checked_at"].is_string());
    // Whether its issuer is recognised is the district's to say.
    assert_eq!(one["issuer_is_trusted"], false);
    let trusted = format!("/api/v1/organizations/{}/trusted-issuers", district.id);
    let list = json!({ "issuers": [shown.badge["issuer"]["id"]] });
    district.admin.put(&trusted, &district.admin.get(&trusted).etag(), &list).expect(200);
    let of_school = shown.listed(&district.schools[0]);
    assert_eq!(
        of_school[0]["issuer_is_trusted"], true,
        "a school's list begins with its district's"
    );
    assert_eq!(shown.listed(&district.schools[1]), Vec::<Value>::new(), "nobody of it");

    // No number has changed, and neither the table nor what is signed speaks of it.
    assert_eq!(inventory(&district.coordinator, &district.id), before);
    let csv =
        format!("/api/v1/reports/skills-inventory?organization_id={}&format=csv", district.id);
    let title = shown.badge["credentialSubject"]["achievement"]["name"].as_str().unwrap();
    let csv = String::from_utf8(district.coordinator.get(&csv).bytes).unwrap();
    assert!(csv.starts_with("by,group,") && !csv.contains(title), "{csv}");

    // Nobody of another tree, and nobody who has not signed in.
    let valley = app.seed_root("Valley");
    let stranger = app.seed(&valley, "stranger@example.org", &["administrator"]);
    assert_eq!(stranger.get(&list_of(&district.id)).problem(), "not-found");
    assert_eq!(app.anybody().get(&list_of(&district.id)).status, 401);
    assert_eq!(stranger.get(&list_of(&valley)).problem(), "wrong-state", "no purpose, no list");

    // Taken back: at once, and what the check has said is forgotten.
    assert_eq!(shown.share(false), json!({ "shown": false, "outcome": null, "checked_at": null }));
    assert_eq!(shown.listed(&district.id), Vec::<Value>::new());
    shown.share(true);
    assert_eq!(shown.listed(&district.id).len(), 1);
    let badge = shown.sharing.strip_suffix("/sharing").unwrap();
    assert_eq!(earner.delete(badge).status, 204);
    assert_eq!(shown.listed(&district.id), Vec::<Value>::new());
    let trail = district.auditor.get("/api/v1/audit-events?limit=100").expect(200);
    let said: Vec<&Value> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["verb"] == "put_external_badge_sharing")
        .collect();
    assert_eq!(said.len(), 3, "{trail}");
}

#[test]
fn shown_badge_disappears_when_it_is_suspended_or_revoked_and_comes_back_with_its_issuer() {
    let shown = Shown::new();
    let district = &shown.district;
    shown.share(true);
    shown.elsewhere_says("suspend");
    // What was valid a moment ago is not asked about all the time.
    assert_eq!(shown.later(6), 0);
    assert_eq!(shown.listed(&district.id).len(), 1);
    assert_eq!(shown.later(2), 1);
    assert_eq!(shown.outcome(), "invalid");
    assert_eq!(shown.listed(&district.id), Vec::<Value>::new());
    shown.elsewhere_says("reinstate");
    shown.later(2);
    assert_eq!(shown.outcome(), "valid");
    assert_eq!(shown.listed(&district.id).len(), 1);
    shown.elsewhere_says("revoke");
    shown.later(8);
    assert_eq!(shown.outcome(), "invalid");
    assert_eq!(shown.listed(&district.id), Vec::<Value>::new());
    let events = district_events(&shown, "check_external_badge");
    assert_eq!(events, 3, "each check is in the trail of the district");
}

#[track_caller]
fn district_events(shown: &Shown, verb: &str) -> usize {
    let auditor = shown.app.sign_in(&shown.district.auditor.email);
    let trail = auditor.get("/api/v1/audit-events?limit=100").expect(200);
    let items = trail["items"].as_array().unwrap();
    items.iter().filter(|event| event["verb"] == verb).count()
}

#[test]
fn shown_badge_is_not_listed_when_nobody_has_looked_for_long_or_it_cannot_be_told() {
    let shown = Shown::new();
    let district = &shown.district;
    shown.share(true);
    shown.app.advance(TimeDelta::days(30));
    assert_eq!(shown.listed(&district.id).len(), 1);
    shown.app.advance(TimeDelta::days(1));
    assert_eq!(shown.listed(&district.id), Vec::<Value>::new(), "the check is too old");

    // Its issuer is gone: what cannot be told is not taken for valid.
    let Shown { elsewhere, other, award, app, district, badge, sharing } = shown;
    let nobody = TestApp::with(TestSettings { is_bare: true, ..TestSettings::default() });
    drop(elsewhere);
    let shown = Shown { elsewhere: nobody, other, award, app, district, badge, sharing };
    assert_eq!(check_due(&shown.app.resources).unwrap(), 1);
    assert_eq!(shown.outcome(), "indeterminate");
    assert_eq!(shown.listed(&shown.district.id), Vec::<Value>::new());
}

#[test]
fn badge_that_does_not_name_the_address_of_its_owner_is_not_listed() {
    let shown = Shown::new();
    shown.share(true);
    let earner = &shown.district.earner;
    diesel::update(person_profiles::table.filter(person_profiles::person_id.eq(&earner.id)))
        .set(person_profiles::email.eq("renamed@example.org"))
        .execute(&mut *shown.app.resources.database.connection().unwrap())
        .unwrap();
    shown.later(8);
    let owner = shown.app.sign_in("renamed@example.org");
    assert_eq!(owner.get(&shown.sharing).expect(200)["outcome"], "not_addressed");
    assert_eq!(shown.listed(&shown.district.id), Vec::<Value>::new());
}
