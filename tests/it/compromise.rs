//! Rotation and compromise: a key that somebody else may have, and what becomes of everything that it signed.

use std::collections::{BTreeMap, BTreeSet};

use assay::credential::document::CredentialDraft;
use assay::credential::keys::IssuerKey;
use assay::credential::lint::{LintPolicy, lint};
use assay::credential::proof;
use assay::credential::verify::{Verdict, VerdictWord};
use assay::domain::ids::{AwardId, SigningKeyId};
use assay::domain::issuing::{KeyAlgorithm, KeyState};
use assay::service::signing_keys::SigningKey;
use assay::service::{Resources, compromise, signing_keys, verification};
use assay::store;
use assay::store::schema::{awards, credentials, issuance_log, outbox};
use diesel::prelude::*;
use serde_json::Value;

use crate::harness::{TestApp, TestSettings, World, scale};

fn verdict(resources: &Resources, badge: &str) -> Verdict {
    verification::verify(resources, badge.as_bytes(), None).unwrap()
}

/// The code of the check that failed.
fn failed(verdict: &Verdict) -> &str {
    let check =
        verdict.checks.iter().find(|check| serde_json::to_value(check.outcome).unwrap() == "fail");
    &check.unwrap_or_else(|| panic!("{verdict:?}")).code
}

/// The served copies of an award.
fn copies(resources: &Resources, award: AwardId) -> [String; 2] {
    let mut conn = resources.database.connection().unwrap();
    [
        store::credentials::find_credential(&mut conn, award).unwrap().unwrap(),
        store::credentials::find_jwt(&mut conn, award).unwrap().unwrap(),
    ]
}

fn active(resources: &Resources, world: &World, algorithm: KeyAlgorithm) -> SigningKey {
    let mut conn = resources.database.connection().unwrap();
    store::signing_keys::find_active(&mut conn, world.district, algorithm).unwrap().unwrap()
}

/// What somebody with the secret key can make: a badge that was never earned, dated back.
fn forge(resources: &Resources, key: &SigningKey, genuine: &str) -> String {
    let mut document: Value = serde_json::from_str(genuine).unwrap();
    document.as_object_mut().unwrap().remove("proof");
    document["credentialSubject"]["id"] = "urn:uuid:6f2f2f9c-7b6c-4f0e-9d36-0a4a6f3b1d11".into();
    document["validFrom"] = "2026-01-05T08:00:00Z".into();
    let secret: IssuerKey = signing_keys::open(resources, key).unwrap();
    let linted =
        lint(CredentialDraft::from_document(document.clone()), &LintPolicy::default()).unwrap();
    let issuer = document["issuer"]["id"].as_str().unwrap();
    let method = format!("{issuer}#{}", key.multikey);
    let created = "2026-01-05T08:00:00Z".parse().unwrap();
    proof::sign(&secret, linted, &method, created).unwrap().document
}

fn key_of(document: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap();
    let method = document["proof"][0]["verificationMethod"].as_str().unwrap();
    method.rsplit('#').next().unwrap().to_owned()
}

#[test]
fn drill_over_three_keys_of_which_one_is_lost() {
    let app = TestApp::with(TestSettings { is_bare: true, ..TestSettings::default() });
    let resources = &*app.resources;
    let mut world = World::new(resources);
    let per_key = scale(1000).div_ceil(3);
    let mut signed: Vec<(SigningKeyId, Vec<AwardId>)> = Vec::new();
    for round in 0..3 {
        if round > 0 {
            resources
                .as_system(|cx| signing_keys::rotate(cx, world.district, KeyAlgorithm::EdDsa))
                .unwrap();
        }
        let awards = (0..per_key)
            .map(|_| {
                let turn = world.next_turn(resources);
                world.earn(resources, &turn)
            })
            .collect();
        signed.push((active(resources, &world, KeyAlgorithm::EdDsa).id, awards));
    }
    let [(first, of_first), (second, of_second), (third, of_third)] = &signed[..] else { panic!() };
    let (genuine, lost) = {
        let mut conn = resources.database.connection().unwrap();
        let genuine: BTreeMap<AwardId, [String; 2]> =
            of_second.iter().map(|award| (*award, copies(resources, *award))).collect();
        let lost = store::signing_keys::find_public(&mut conn, *second).unwrap().unwrap();
        assert_eq!(lost.state, KeyState::Retired);
        (genuine, lost)
    };
    let forged = forge(resources, &lost, &genuine[&of_second[0]][0]);
    assert_eq!(verdict(resources, &forged).verdict, VerdictWord::Valid, "before it is known");

    let report =
        resources.as_system(|cx| compromise::compromise(cx, world.district, *second)).unwrap();
    assert_eq!(report.affected, *of_second);
    assert_eq!(report.successor.id, *third);
    // Between the two steps no copy is taken for good, and each genuine one is told from the forgery.
    let copy = verdict(resources, &genuine[&of_second[0]][0]);
    assert_eq!((copy.verdict, failed(&copy)), (VerdictWord::Invalid, "key-revoked-genuine"));
    let found = verdict(resources, &forged);
    assert_eq!((found.verdict, failed(&found)), (VerdictWord::Invalid, "key-revoked"));

    let done = resources.as_system(compromise::sign_all_again).unwrap();
    assert_eq!(done.waiting, 0);
    let n_again: usize = done.done.iter().map(|one| one.awards.len()).sum();
    assert_eq!(n_again, of_second.len());
    for (key, awards) in [(first, of_first), (third, of_third)] {
        let mut conn = resources.database.connection().unwrap();
        let key = store::signing_keys::find_public(&mut conn, *key).unwrap().unwrap();
        drop(conn);
        for award in awards {
            let [document, jwt] = copies(resources, *award);
            assert_eq!(key_of(&document), key.multikey);
            for copy in [document, jwt] {
                let found = verdict(resources, &copy);
                assert_eq!(found.verdict, VerdictWord::Valid, "{found:?}");
            }
        }
    }
    for (award, [old, old_jwt]) in &genuine {
        let [new, new_jwt] = copies(resources, *award);
        let [before, after]: [Value; 2] =
            [old, &new].map(|text| serde_json::from_str(text).unwrap());
        assert_eq!(before["id"], after["id"]);
        assert_eq!(proof::unsecured(&before), proof::unsecured(&after));
        assert_eq!(key_of(&new), report.successor.multikey);
        for copy in [&new, &new_jwt] {
            assert_eq!(verdict(resources, copy).verdict, VerdictWord::Valid);
        }
        let found = verdict(resources, old);
        assert_eq!((found.verdict, failed(&found)), (VerdictWord::Invalid, "key-revoked-genuine"));
        // The JWT was signed by another key, which nobody has lost.
        assert_eq!(verdict(resources, old_jwt).verdict, VerdictWord::Valid);
    }
    assert_eq!(verdict(resources, &forged).verdict, VerdictWord::Invalid);

    // Each earner is told once, whatever runs again.
    let again = resources.as_system(compromise::sign_all_again).unwrap();
    assert_eq!(again, compromise::SignedAgainReport::default());
    let mut conn = resources.database.connection().unwrap();
    let told: Vec<String> = outbox::table
        .filter(outbox::kind.eq("signed_again"))
        .select(outbox::person_id)
        .load(&mut *conn)
        .unwrap();
    let among: Vec<String> = of_second.iter().map(ToString::to_string).collect();
    let earners: Vec<String> = awards::table
        .filter(awards::id.eq_any(among))
        .select(awards::earner_id)
        .load(&mut *conn)
        .unwrap();
    let earners: BTreeSet<String> = earners.into_iter().collect();
    assert_eq!(told.len(), earners.len());
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), earners);

    // Everything that was ever signed is in the log: each badge in two forms, those of the lost key with a proof made anew.
    let logged: i64 = issuance_log::table.count().get_result(&mut *conn).unwrap();
    assert_eq!(usize::try_from(logged).unwrap(), 2 * 3 * per_key + per_key);
    let badges: i64 = credentials::table.count().get_result(&mut *conn).unwrap();
    assert_eq!(usize::try_from(badges).unwrap(), 3 * per_key);
    drop(conn);
    app.audit_events();
}

#[test]
fn lost_key_of_jwts_is_gone_and_the_tokens_are_signed_again() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let stranger = app.anybody();
    let old = stranger.get(&format!("/credentials/{award}.jwt")).bytes;
    let keys = format!("/api/v1/organizations/{}/signing-keys", district.id);
    let listed = district.custodian.get(&keys).expect(200);
    let lost = listed["items"].as_array().unwrap().iter().find(|key| key["algorithm"] == "RS256");
    let lost = lost.unwrap();
    let path = format!("{keys}/{}/compromise", lost["id"].as_str().unwrap());
    let report = district.custodian.act(&path).expect(200);
    assert_eq!(report["award_ids"], serde_json::json!([award]));
    assert_eq!(report["key"]["state"], "compromised");
    assert_ne!(report["successor"]["id"], lost["id"]);
    assert_eq!(district.custodian.act(&path).problem(), "wrong-state");
    assert_eq!(stranger.get(lost["path"].as_str().unwrap()).problem(), "gone");
    app.resources.as_system(assay::service::housekeeping::often).unwrap();
    let new = stranger.get(&format!("/credentials/{award}.jwt")).bytes;
    assert_ne!(old, new);
    let judge = |copy: &[u8]| verification::verify(&app.resources, copy, None).unwrap();
    assert_eq!(judge(&new).verdict, VerdictWord::Valid);
    let found = judge(&old);
    assert_eq!((found.verdict, failed(&found)), (VerdictWord::Invalid, "key-revoked-genuine"));
    let set = stranger.get(&format!("/issuers/{}/jwks.json", district.id)).expect(200);
    assert!(!set.to_string().contains(lost["id"].as_str().unwrap()), "{set}");
    app.send_mail();
    let mails: Vec<String> = std::fs::read_dir(app.folder().join("mail"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .filter(|mail| mail.contains("signed your badge again"))
        .collect();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains(&format!("/credentials/{award}")), "{}", mails[0]);
}

#[test]
fn lost_did_key_gives_the_badge_the_new_identifier_under_the_same_id() {
    let app = TestApp::new();
    let district = app.district();
    let path = format!("/api/v1/organizations/{}/issuer-settings", district.id);
    let body = serde_json::json!({
        "identifier": "did_key", "jwt_algorithm": "EdDSA", "status_method": "bitstring_with_suspension",
    });
    district.custodian.put(&path, "\"0\"", &body).expect(200);
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let stranger = app.anybody();
    let address = format!("/credentials/{award}");
    let old = stranger.get(&address).json;
    let keys = format!("/api/v1/organizations/{}/signing-keys", district.id);
    let listed = district.custodian.get(&keys).expect(200);
    let lost = listed["items"][0]["id"].as_str().unwrap();
    district.custodian.act(&format!("{keys}/{lost}/compromise")).expect(200);
    app.resources.as_system(assay::service::housekeeping::often).unwrap();
    let new = stranger.get(&address).json;
    assert_eq!(old["id"], new["id"]);
    assert_ne!(old["issuer"]["id"], new["issuer"]["id"]);
    assert_eq!(old["credentialSubject"]["result"], new["credentialSubject"]["result"]);
    let judge = |badge: &Value| verdict(&app.resources, &badge.to_string());
    assert_eq!(judge(&new).verdict, VerdictWord::Valid);
    district.revoke(&award).expect(200);
    assert_eq!(judge(&new).verdict, VerdictWord::Invalid);
    let again = app.resources.as_system(compromise::sign_all_again).unwrap();
    assert_eq!(again, compromise::SignedAgainReport::default());

    // The lost key still resolves by itself. What it signed is refused here all the same, and by its last list elsewhere.
    let found = judge(&old);
    assert_eq!((found.verdict, failed(&found)), (VerdictWord::Invalid, "key-revoked-genuine"));
    let mut conn = app.resources.database.connection().unwrap();
    let key = store::signing_keys::find_public(&mut conn, lost.parse().unwrap()).unwrap().unwrap();
    drop(conn);
    let forged = forge(&app.resources, &key, &old.to_string());
    let found = verdict(&app.resources, &forged);
    assert_eq!((found.verdict, failed(&found)), (VerdictWord::Invalid, "key-revoked"));
    let asked = district.coordinator.post("/api/v1/verify", &old).expect(200);
    assert_eq!(asked["issuer_trust"], "unknown");
    let own = assay::credential::verify::VerifyOptions::at(app.resources.now().as_utc());
    let lists = Lists(&app);
    let elsewhere = assay::credential::verify::verify(forged.as_bytes(), &lists, &own).unwrap();
    assert_eq!((elsewhere.verdict, failed(&elsewhere)), (VerdictWord::Invalid, "revoked"));
}

/// What a stranger to the service can read: its public addresses.
struct Lists<'a>(&'a TestApp);

impl assay::credential::verify::Documents for Lists<'_> {
    fn fetch(&self, url: &str) -> Result<Vec<u8>, assay::credential::verify::Unavailable> {
        let path = url.strip_prefix(crate::harness::BASE_URL).unwrap();
        Ok(self.0.anybody().get(path).bytes)
    }
}

#[test]
fn stop_of_one_issuer_holds_nobody_elses_repair_up() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let address = format!("/credentials/{award}");
    let before = app.anybody().get(&address).bytes;
    let keys = format!("/api/v1/organizations/{}/signing-keys", district.id);
    let listed = district.custodian.get(&keys).expect(200);
    let lost = listed["items"].as_array().unwrap().iter().find(|key| key["algorithm"] == "EdDSA");
    let lost = lost.unwrap()["id"].as_str().unwrap();
    let issuing = format!("/api/v1/organizations/{}/issuing", district.id);
    let switch = |stopped: bool| {
        let body = serde_json::json!({ "stopped": stopped });
        district.officer.put(&issuing, "\"0\"", &body).expect(200);
    };
    switch(true);
    district.custodian.act(&format!("{keys}/{lost}/compromise")).expect(200);
    let report = app.resources.as_system(compromise::sign_all_again).unwrap();
    assert_eq!((report.done.len(), report.waiting), (0, 1));
    assert_eq!(app.anybody().get(&address).bytes, before);
    switch(false);
    let report = app.resources.as_system(compromise::sign_all_again).unwrap();
    assert_eq!((report.done.len(), report.waiting), (1, 0));
    assert_ne!(app.anybody().get(&address).bytes, before);
}
