//! `assay key`: what the operator does with signing keys, on the data of a service that runs.

use std::process::{Command, Output};

use assay::credential::jwk::{Algorithm, JwtKey};
use assay::service::signing_keys;
use serde_json::Value;

use crate::harness::{District, TestApp};

fn assay(app: &TestApp, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.env_clear().args(["--data-dir", app.folder().to_str().unwrap()]).arg("key").args(words);
    if let Some(url) = app.database_url() {
        command.env("DATABASE_URL", url);
    }
    command.output().unwrap()
}

/// Runs a command that has to succeed. Returns the objects that it prints, one a line.
#[track_caller]
fn told(app: &TestApp, words: &[&str]) -> Vec<Value> {
    let output = assay(app, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn awarded(app: &TestApp) -> (District, String) {
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    (district, award)
}

#[test]
fn keys_are_made_listed_rotated_and_retired() {
    let app = TestApp::new();
    let (district, _) = awarded(&app);
    let before = told(&app, &["list", "--json"]);
    assert_eq!(before.len(), 2, "the key of badges, and the one of JWTs that came with the first");
    let made = told(&app, &["new", "--algorithm", "ES256", "--json"]).remove(0);
    assert_eq!(
        (made["algorithm"].as_str(), made["state"].as_str()),
        (Some("ES256"), Some("active"))
    );
    assert_eq!(made["organization_id"], district.id);
    let old = before.iter().find(|key| key["algorithm"] == "EdDSA").unwrap();
    let rotated = told(&app, &["rotate", "--organization", &district.id, "--json"]).remove(0);
    assert_eq!(rotated["algorithm"], "EdDSA");
    let now = told(&app, &["list", "--json", "--organization", &district.id]);
    assert_eq!(now.len(), 4);
    let state = |id: &Value| now.iter().find(|key| key["id"] == *id).unwrap()["state"].clone();
    assert_eq!(state(&old["id"]), "retired");
    assert_eq!(state(&rotated["id"]), "active");
    let refused = assay(&app, &["retire", rotated["id"].as_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("make a new one first"));
    let retired = told(&app, &["retire", made["id"].as_str().unwrap(), "--json"]).remove(0);
    assert_eq!(retired["state"], "retired");
    assert_eq!(assay(&app, &["new", "--algorithm", "HS256"]).status.code(), Some(64));
    assert_eq!(assay(&app, &["retire", &district.id]).status.code(), Some(1));
    app.audit_events();
}

#[test]
fn exported_key_is_the_one_that_signs_and_its_export_is_written_down() {
    let app = TestApp::new();
    awarded(&app);
    let events = app.audit_events();
    for key in told(&app, &["list", "--json"]) {
        let id = key["id"].as_str().unwrap();
        let public = told(&app, &["export", id]).remove(0);
        assert_eq!(public["jwk"].get("d"), None);
        let output = assay(&app, &["export", id, "--private"]);
        assert!(output.status.success());
        let pem = String::from_utf8(output.stdout).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
        let algorithm = Algorithm::parse(key["algorithm"].as_str().unwrap()).unwrap();
        let secret = JwtKey::from_pkcs8(algorithm, &der).unwrap();
        assert_eq!(secret.public_jwk().to_value(), public["jwk"]);
        let mut conn = app.resources.database.connection().unwrap();
        let stored =
            assay::store::signing_keys::find_public(&mut conn, id.parse().unwrap()).unwrap();
        let stored = signing_keys::open_for_jwt(&app.resources, &stored.unwrap()).unwrap();
        assert_eq!(stored.public_jwk().to_value(), public["jwk"]);
    }
    assert_eq!(app.audit_events(), events + 2, "one event for each secret key that was taken out");
}

#[test]
fn compromise_says_first_what_it_would_do_and_then_does_it_once() {
    let app = TestApp::new();
    let (_, award) = awarded(&app);
    let before = app.anybody().get(&format!("/credentials/{award}")).json;
    let keys = told(&app, &["list", "--json"]);
    let lost = keys.iter().find(|key| key["algorithm"] == "EdDSA").unwrap();
    let lost = lost["id"].as_str().unwrap();
    let events = app.audit_events();
    let planned = told(&app, &["compromise", lost, "--dry-run", "--json"]).remove(0);
    assert_eq!(planned["affected"], serde_json::json!([award]));
    assert_eq!(app.audit_events(), events, "nothing was changed");
    let done = told(&app, &["compromise", lost, "--json"]).remove(0);
    assert_eq!(done["key"]["state"], "compromised");
    assert_eq!(done["signed_again"], serde_json::json!([award]));
    assert_eq!(done["earners_told"], 1);
    let after = app.anybody().get(&format!("/credentials/{award}")).json;
    assert_eq!(before["id"], after["id"]);
    assert_ne!(before["proof"], after["proof"]);
    let verdict = app.anybody().post("/api/v1/verify", &after).expect(200);
    assert_eq!(verdict["verdict"], "valid", "{verdict}");
    let old = app.anybody().post("/api/v1/verify", &before).expect(200);
    assert_eq!(old["verdict"], "invalid");
    // Run again it goes on where it has stopped: nothing is left.
    let again = told(&app, &["compromise", lost, "--json"]).remove(0);
    assert_eq!(again["signed_again"], serde_json::json!([]));
    assert_eq!(again["earners_waiting"], 0);
}
