//! Badges of other issuers in a wallet: verified when they come and each time they are looked at, labelled, and counted nowhere.

use serde_json::{Value, json};

use crate::harness::{District, TestApp, TestSettings};

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
