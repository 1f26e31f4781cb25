//! How an organization issues: identifiers, algorithms, status methods, and the documents that verifiers read about its keys.

use assay::service::verification;
use assay::service::{Error, Resources};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{BASE_URL, District, TestApp};

fn path(district: &District) -> String {
    format!("/api/v1/organizations/{}/issuer-settings", district.id)
}

/// Sets how the district issues.
#[track_caller]
fn set(district: &District, identifier: &str, algorithm: &str, status: &str) {
    let path = path(district);
    let etag = district.custodian.get(&path).etag();
    let body =
        json!({ "identifier": identifier, "jwt_algorithm": algorithm, "status_method": status });
    let changed = district.custodian.put(&path, &etag, &body).expect(200);
    assert_eq!(changed, body);
}

fn verdict_of(resources: &Resources, badge: &[u8]) -> Value {
    let verdict: Result<_, Error> = verification::verify(resources, badge, None);
    serde_json::to_value(verdict.unwrap()).unwrap()
}

/// The header of a compact JWT.
fn header(token: &[u8]) -> Value {
    let text = std::str::from_utf8(token).unwrap();
    let part = text.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Fetches both forms of a badge and expects our verifier to find both valid. Returns the document and the header of the JWT.
#[track_caller]
fn both_forms_are_valid(app: &TestApp, award: &str) -> (Value, Value) {
    let stranger = app.anybody();
    let document = stranger.get(&format!("/credentials/{award}"));
    let jwt = stranger.get_as(&format!("/credentials/{award}"), "application/vc+jwt");
    assert_eq!(jwt.headers["content-type"], "application/vc+jwt");
    assert_eq!(jwt.bytes, stranger.get(&format!("/credentials/{award}.jwt")).bytes);
    for badge in [&document.bytes, &jwt.bytes] {
        let found = verdict_of(&app.resources, badge);
        assert_eq!(found["verdict"], "valid", "{found:#}");
    }
    (document.json, header(&jwt.bytes))
}

#[test]
fn settings_are_the_defaults_until_somebody_sets_them_and_nobody_overwrites_another() {
    let app = TestApp::new();
    let district = app.district();
    let path = path(&district);
    let first = district.custodian.get(&path);
    assert_eq!(first.etag(), "\"0\"");
    let defaults =
        json!({ "identifier": "https", "jwt_algorithm": "RS256", "status_method": "bitstring" });
    assert_eq!(first.json, defaults);
    set(&district, "https", "ES256", "bitstring_with_suspension");
    let stale = district.custodian.put(&path, "\"0\"", &defaults);
    assert_eq!(stale.problem(), "stale");
    assert_eq!(stale.json["current"]["jwt_algorithm"], "ES256");
    let body =
        json!({ "identifier": "https", "jwt_algorithm": "HS256", "status_method": "bitstring" });
    let wrong = district.custodian.put(&path, "\"1\"", &body);
    assert_eq!(wrong.faults(), [("/jwt_algorithm".to_owned(), "unknown-word".to_owned())]);
    for (identifier, algorithm, status, pointer) in [
        ("did_key", "RS256", "bitstring", "/jwt_algorithm"),
        ("did_web", "RS256", "revocation_list", "/status_method"),
    ] {
        let body = json!({ "identifier": identifier, "jwt_algorithm": algorithm, "status_method": status });
        let refused = district.custodian.put(&path, "\"1\"", &body);
        assert_eq!(refused.status, 422, "{refused:?}");
        assert_eq!(refused.faults()[0].0, pointer);
    }
    assert_eq!(district.custodian.get(&path).json["jwt_algorithm"], "ES256");
}

#[test]
fn each_algorithm_signs_jwts_that_name_a_key_of_the_issuer() {
    let app = TestApp::new();
    let district = app.district();
    for (number, algorithm) in ["RS256", "ES256", "EdDSA"].into_iter().enumerate() {
        set(&district, "https", algorithm, "bitstring");
        let email = format!("earner-{number}@example.org");
        let earner = app.invite(&district.admin, &district.schools[0], &email, &["earner"]);
        let family = if number == 0 {
            district.publish_small_group()
        } else {
            let listed = app.anybody().get("/api/v1/micro-credentials").expect(200);
            listed["items"][0]["id"].as_str().unwrap().to_owned()
        };
        let (_, award) = district.award(&earner, &family);
        let (document, header) = both_forms_are_valid(&app, &award);
        assert_eq!(header["alg"], algorithm);
        assert_eq!(header["typ"], "JWT");
        assert_eq!(header.as_object().unwrap().len(), 3, "{header}");
        let kid = header["kid"].as_str().unwrap();
        let key = app.anybody().get(kid.strip_prefix(BASE_URL).unwrap());
        assert_eq!(key.headers["content-type"], "application/jwk+json");
        assert_eq!(key.json["kid"], kid);
        assert_eq!(key.json["alg"], algorithm);
        assert_eq!(key.json.get("d"), None);
        let issuer = document["issuer"]["id"].as_str().unwrap();
        let profile = app.anybody().get(issuer.strip_prefix(BASE_URL).unwrap()).expect(200);
        assert!(profile["assertionMethod"].as_array().unwrap().contains(&json!(kid)));
        let set = app.anybody().get(&format!("/issuers/{}/jwks.json", district.id)).expect(200);
        assert!(set["keys"].as_array().unwrap().iter().any(|key| key["kid"] == kid), "{set}");
        district.revoke(&award).expect(200);
        let jwt = app.anybody().get(&format!("/credentials/{award}.jwt"));
        let found = verdict_of(&app.resources, &jwt.bytes);
        assert_eq!(found["credential"]["status"], "revoked", "{found}");
    }
}

#[test]
fn did_web_and_did_key_name_the_issuer_and_its_keys() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, before) = district.award(&district.earner, &family);
    set(&district, "did_web", "RS256", "bitstring");
    let second = app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    let (_, award) = district.award(&second, &family);
    let (document, header) = both_forms_are_valid(&app, &award);
    let did = format!("did:web:badges.example.org:issuers:{}", district.id);
    assert_eq!(document["issuer"]["id"], did);
    assert_eq!(document["credentialSubject"]["achievement"]["creator"]["id"], did);
    assert!(header["kid"].as_str().unwrap().starts_with(&format!("{did}#")), "{header}");
    let shown = app.anybody().get(&format!("/issuers/{}/did.json", district.id));
    assert_eq!(shown.headers["content-type"], "application/did+json");
    assert_eq!(shown.json["id"], did);
    let methods = shown.json["assertionMethod"].as_array().unwrap();
    assert!(methods.contains(&header["kid"]), "{methods:?}");
    assert!(methods.contains(&document["proof"][0]["verificationMethod"]), "{methods:?}");
    let list = document["credentialStatus"]["statusListCredential"].as_str().unwrap();
    let list = app.anybody().get(list.strip_prefix(BASE_URL).unwrap()).expect(200);
    assert_eq!(list["issuer"], did);

    set(&district, "did_key", "EdDSA", "bitstring");
    let third = app.invite(&district.admin, &district.schools[0], "three@example.org", &["earner"]);
    let (_, key_award) = district.award(&third, &family);
    let (document, header) = both_forms_are_valid(&app, &key_award);
    let did = document["issuer"]["id"].as_str().unwrap();
    assert!(did.starts_with("did:key:z6Mk"), "{did}");
    assert_eq!(header["kid"], document["proof"][0]["verificationMethod"]);

    // Whatever is set now: a badge is verified and revoked under the identifier that it was signed with.
    for award in [&before, &award, &key_award] {
        both_forms_are_valid(&app, award);
        district.revoke(award).expect(200);
        let badge = app.anybody().get(&format!("/credentials/{award}"));
        let found = verdict_of(&app.resources, &badge.bytes);
        assert_eq!(found["credential"]["status"], "revoked", "{found:#}");
    }
}

#[test]
fn status_lists_come_with_a_proof_and_as_a_jwt() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let badge = app.anybody().get(&format!("/credentials/{award}")).json;
    let url = badge["credentialStatus"]["statusListCredential"].as_str().unwrap();
    let path = url.strip_prefix(BASE_URL).unwrap();
    let list = app.anybody().get(path);
    let jwt = app.anybody().get_as(path, "application/vc+jwt");
    assert_eq!(jwt.headers["content-type"], "application/vc+jwt");
    assert_ne!(jwt.etag(), list.etag());
    assert!(list.headers["cache-control"].contains("max-age"));
    let payload = std::str::from_utf8(&jwt.bytes).unwrap().split('.').nth(1).unwrap();
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(payload["credentialSubject"], list.json["credentialSubject"]);
    assert_eq!(payload["iss"], list.json["issuer"]);
    assert_eq!(payload.get("vc"), None);
}

#[test]
fn revocation_list_of_1edtech_names_revoked_badges_where_that_is_set() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    // Badges on bitstrings are hidden among others: no list names them.
    let early = app.invite(&district.admin, &district.schools[0], "early@example.org", &["earner"]);
    let (_, hidden) = district.award(&early, &family);
    district.revoke(&hidden).expect(200);
    let list = format!("/revocation-lists/{}", district.id);
    assert_eq!(app.anybody().get(&list).problem(), "not-found");
    set(&district, "https", "RS256", "revocation_list");
    let (_, award) = district.award(&district.earner, &family);
    let (document, _) = both_forms_are_valid(&app, &award);
    let url = document["credentialStatus"]["id"].as_str().unwrap();
    assert_eq!(document["credentialStatus"]["type"], "1EdTechRevocationList");
    let path = url.strip_prefix(BASE_URL).unwrap();
    assert_eq!(app.anybody().get(path).expect(200)["revokedCredential"], json!([]));
    district.revoke(&award).expect(200);
    let list = app.anybody().get(path).expect(200);
    assert_eq!(list["issuer"], document["issuer"]["id"]);
    assert_eq!(list["revokedCredential"][0]["id"], document["id"]);
    assert_eq!(list["revokedCredential"][0]["revocationReason"], "Issued in error");
    let found = verdict_of(&app.resources, document.to_string().as_bytes());
    assert_eq!(found["credential"]["status"], "revoked", "{found}");
}

#[test]
fn last_key_of_badges_cannot_be_retired_and_a_retired_key_signs_no_more() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let keys = format!("/api/v1/organizations/{}/signing-keys", district.id);
    let first = district.custodian.get(&keys).expect(200)["items"][0].clone();
    let first_id = first["id"].as_str().unwrap();
    let refused = district.custodian.act(&format!("{keys}/{first_id}/retire"));
    assert_eq!(refused.problem(), "wrong-state");
    assert_eq!(refused.json["allowed_events"], json!(["compromise"]));
    let (_, award) = district.award(&district.earner, &family);
    district.custodian.act(&keys).expect(201);
    let retired = district.custodian.act(&format!("{keys}/{first_id}/retire")).expect(200);
    assert_eq!(retired["state"], "retired");
    assert!(retired["retired_at"].is_string());
    let again = district.custodian.act(&format!("{keys}/{first_id}/retire"));
    assert_eq!(again.problem(), "wrong-state");
    // What it signed stays valid, and it stays published.
    both_forms_are_valid(&app, &award);
    let second = app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    let (_, later) = district.award(&second, &family);
    let (document, _) = both_forms_are_valid(&app, &later);
    let method = document["proof"][0]["verificationMethod"].as_str().unwrap();
    assert!(!method.ends_with(first["multikey"].as_str().unwrap()), "{method}");
}

#[test]
fn recognised_issuers_are_those_of_the_callers_district_and_its_own() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let badge = app.anybody().get(&format!("/credentials/{award}")).json;
    let trust = |person: &crate::harness::Person, body: &Value| {
        person.post("/api/v1/verify", body).expect(200)["issuer_trust"].clone()
    };
    assert_eq!(trust(&app.anybody(), &badge), "not_asked");
    assert_eq!(trust(&district.coordinator, &badge), "recognised");
    let other = app.seed_root("Lakeside District");
    let stranger = app.seed(&other, "lakeside@example.org", &["administrator"]);
    assert_eq!(trust(&stranger, &badge), "unknown");
    let path = format!("/api/v1/organizations/{other}/trusted-issuers");
    let issuer = badge["issuer"]["id"].clone();
    let etag = stranger.get(&path).etag();
    let wrong = json!({ "issuers": [issuer, "no id", issuer] });
    let refused = stranger.put(&path, &etag, &wrong);
    assert_eq!(refused.status, 422);
    let pointers: Vec<String> = refused.faults().into_iter().map(|fault| fault.0).collect();
    assert_eq!(pointers, ["/issuers/1", "/issuers/2"]);
    stranger.put(&path, &etag, &json!({ "issuers": [issuer] })).expect(200);
    assert_eq!(trust(&stranger, &badge), "recognised");
    assert_eq!(stranger.put(&path, &etag, &json!({ "issuers": [] })).problem(), "stale");
    // Whoever is nobody's member can bring a list of their own.
    for (list, expected) in
        [(json!([issuer]), "recognised"), (json!(["https://example.com/x"]), "unknown")]
    {
        let question = json!({ "credential": badge, "expect": { "trusted_issuers": list } });
        assert_eq!(trust(&app.anybody(), &question), expected);
    }
}

#[test]
fn evidence_that_a_badge_does_not_name_cannot_be_compared_and_a_digest_has_64_digits() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let badge = app.anybody().get(&format!("/credentials/{award}")).json;
    let ask = |digests: Value| {
        let question = json!({ "credential": badge, "expect": { "evidence_sha256": digests } });
        app.anybody().post("/api/v1/verify", &question)
    };
    let found = ask(json!(["ab".repeat(32)])).expect(200);
    assert_eq!(found["verdict"], "indeterminate");
    assert_eq!(found["checks"][6]["code"], "no-digest");
    for wrong in [json!(["ab"]), json!(["xy".repeat(32)]), json!("ab"), json!([1])] {
        let refused = ask(wrong);
        assert_eq!(refused.faults()[0].0, "/expect/evidence_sha256");
    }
}
