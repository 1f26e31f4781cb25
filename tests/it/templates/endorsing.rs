//! Awards of a definition that travelled count where it came from, as long as the rubric is the same and the endorsement holds.

use serde_json::{Value, json};

use super::{SMALL_GROUP, edit, export, harbour, id_of, import, publish, small_group, wanted};
use crate::harness::{BASE_URL, District, Person, TestApp};
use crate::mutants::prove;
use assay::credential::keys::{IssuerKey, did_key, did_key_method};

/// The address of the first version, as it stands in badges.
fn achievement(family: &str) -> String {
    format!("{BASE_URL}/achievements/{family}/versions/1")
}

fn endorsement(family: &str, own: &str) -> Value {
    json!({ "achievement": achievement(family), "micro_credential_id": own, "version": 1 })
}

/// The signed document of an award.
#[track_caller]
fn badge(app: &TestApp, award: &str) -> Value {
    app.anybody().get(&format!("/credentials/{award}.json")).expect(200)
}

/// Both districts, the definition of the first, and what it became in the second: localised and published.
fn travelled(app: &TestApp, change: impl Fn(&mut Value)) -> (District, District, String, String) {
    let (riverbend, harbour) = (app.district(), harbour(app));
    let own = riverbend.publish(&small_group());
    let template = import(&harbour, &export(&riverbend, &wanted(&own, &[])));
    let family = template["definitions"][0]["micro_credential_id"].as_str().unwrap().to_owned();
    let mut local = small_group();
    change(&mut local);
    edit(&harbour.designers[0], &family, &local);
    publish(&harbour, &family);
    (riverbend, harbour, own, family)
}

/// Joins a school of another district with an account that there is.
#[track_caller]
fn join(app: &TestApp, district: &District, person: &Person) -> Person {
    app.invite(&district.admin, &district.schools[0], &person.email, &["earner"])
}

#[test]
fn award_of_a_localised_template_is_accepted_where_it_came_from_by_endorsement() {
    let app = TestApp::new();
    let (riverbend, harbour, own, family) = travelled(&app, |local| {
        local["title"] = json!("Leading a small group at the harbour");
        local["summary"] = json!("How we lead small groups here.");
    });
    let (_, award) = harbour.award(&harbour.earner, &family);
    let badge = badge(&app, &award);
    // The earner moves to the other district and brings the badge along.
    let mover = join(&app, &riverbend, &harbour.earner);
    let accepted = format!("/api/v1/organizations/{}/accepted-awards", riverbend.id);
    let bring = |person: &Person| person.post(&accepted, &json!({ "credential": badge }));
    assert_eq!(bring(&mover).faults()[0].1, "not-endorsed");

    let endorsements = format!("/api/v1/organizations/{}/endorsements", riverbend.id);
    let body = endorsement(&family, &own);
    assert_eq!(riverbend.designers[0].post(&endorsements, &body).problem(), "forbidden");
    assert_eq!(harbour.officer.post(&endorsements, &body).problem(), "not-found");
    let endorsed = riverbend.officer.post(&endorsements, &body).expect(201);
    assert_eq!(endorsed["in_force"], true);
    let again = riverbend.officer.post(&endorsements, &body);
    assert_eq!(
        (again.problem(), again.faults()[0].1.clone()),
        ("already-there".to_owned(), "endorsed".to_owned())
    );
    // Everybody can read and check it.
    let path = format!("/api/v1/endorsements/{}", id_of(&endorsed));
    assert_eq!(app.anybody().get(&path).expect(200), endorsed);
    assert_eq!(app.anybody().get(&endorsements).expect(200)["items"], json!([endorsed]));
    assay::service::statements::verify(
        &app.resources,
        assay::service::statements::StatementKind::Endorsement,
        endorsed["statement"]["issuer"].as_str().unwrap(),
        &endorsed["statement"],
        endorsed["signature"].as_str().unwrap(),
    )
    .unwrap();

    let listed = bring(&mover).expect(201);
    assert_eq!(listed["credential"], badge["id"]);
    assert_eq!(listed["endorsement_id"], endorsed["id"]);
    assert_eq!(bring(&mover).faults()[0].1, "accepted");
    assert_eq!(bring(&riverbend.earner).faults()[0].1, "not-yours");
    assert_eq!(bring(&harbour.earner).expect(409)["code"], "already-there");
    assert_eq!(bring(&riverbend.coordinator).problem(), "forbidden");
    // Its earner and those who look after awards see it, a colleague does not.
    let n_seen =
        |person: &Person| person.get(&accepted).expect(200)["items"].as_array().unwrap().len();
    assert_eq!(
        (n_seen(&mover), n_seen(&riverbend.officer), n_seen(&riverbend.coordinator)),
        (1, 1, 1)
    );
    assert_eq!(n_seen(&riverbend.earner), 0);
    assert_eq!(harbour.officer.get(&accepted).problem(), "not-found");
    // No award of the accepting district has come of it.
    let awards = mover.get("/api/v1/awards").expect(200);
    assert_eq!(awards["items"].as_array().unwrap().len(), 1);

    // The endorsement ends; what was accepted stays accepted, nothing new is.
    let other = app.seed(&harbour.schools[0], "other@harbour.example.org", &["earner"]);
    let (_, later) = harbour.award(&other, &family);
    let other = join(&app, &riverbend, &other);
    let end = format!("{path}/end");
    let reason = json!({ "reason": "We have revised our definition." });
    assert_eq!(riverbend.officer.post(&end, &json!({ "reason": " " })).faults()[0].1, "reason");
    // It is public, so the other district knows of it.
    assert_eq!(harbour.officer.post(&end, &reason).problem(), "forbidden");
    let ended = riverbend.officer.post(&end, &reason).expect(200);
    assert_eq!((&ended["in_force"], &ended["end_reason"]), (&json!(false), &reason["reason"]));
    assert_eq!(riverbend.officer.post(&end, &reason).problem(), "wrong-state");
    let late = other.post(&accepted, &json!({ "credential": self::badge(&app, &later) }));
    assert_eq!(late.faults()[0].1, "not-endorsed");
    let kept = mover.get(&accepted).expect(200)["items"][0].clone();
    assert_eq!((&kept["id"], &kept["endorsement_ended_at"]), (&listed["id"], &ended["ended_at"]));
    // It can be endorsed again.
    riverbend.officer.post(&endorsements, &body).expect(201);
    other.post(&accepted, &json!({ "credential": self::badge(&app, &later) })).expect(201);
}

#[test]
fn changed_rubric_is_refused_as_equivalent_with_what_was_changed() {
    let app = TestApp::new();
    let (riverbend, harbour, own, family) = travelled(&app, |local| {
        local["title"] = json!("Leading a small group at the harbour");
        local["submission"]["part2"]["criteria"][0]["levels"][1]["descriptor"] =
            json!("Purpose and roles are agreed.");
        local["submission"]["part2"]["criteria"][3]["pass_level"] = json!(2);
    });
    let endorsements = format!("/api/v1/organizations/{}/endorsements", riverbend.id);
    let refused = riverbend.officer.post(&endorsements, &endorsement(&family, &own));
    assert_eq!(refused.problem(), "invalid");
    let codes: Vec<String> = refused.faults().into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["not-equivalent", "changed-rubric", "changed-rubric"]);
    let sentences = &refused.json["errors"];
    assert_eq!(
        sentences[1]["detail"],
        "Criterion c1, level 1, descriptor: “Purpose, learners, materials and roles are agreed.” became “Purpose and roles are agreed.”."
    );
    assert_eq!(sentences[2]["detail"], "Criterion c4, the level that passes: 1 became 2.");

    // Nor is a badge accepted under the endorsement of another version.
    let (_, award) = harbour.award(&harbour.earner, &own_of_harbour(&harbour));
    let mover = join(&app, &riverbend, &harbour.earner);
    let accepted = format!("/api/v1/organizations/{}/accepted-awards", riverbend.id);
    let brought = mover.post(&accepted, &json!({ "credential": badge(&app, &award) }));
    assert_eq!(brought.faults()[0].1, "not-endorsed");
}

/// Something of the district's own.
fn own_of_harbour(harbour: &District) -> String {
    let mut other = small_group();
    other["id"] = json!("mc-harbour");
    harbour.publish(&other)
}

#[test]
fn badge_that_is_altered_revoked_or_scored_by_something_else_is_not_accepted() {
    let app = TestApp::new();
    let (riverbend, harbour, own, family) = travelled(&app, |local| {
        local["summary"] = json!("How we lead small groups here.");
    });
    let endorsements = format!("/api/v1/organizations/{}/endorsements", riverbend.id);
    riverbend.officer.post(&endorsements, &endorsement(&family, &own)).expect(201);
    let (_, award) = harbour.award(&harbour.earner, &family);
    let mover = join(&app, &riverbend, &harbour.earner);
    let accepted = format!("/api/v1/organizations/{}/accepted-awards", riverbend.id);
    let good = badge(&app, &award);
    let mut altered = good.clone();
    altered["credentialSubject"]["achievement"]["name"] = json!("Something greater");
    let brought = mover.post(&accepted, &json!({ "credential": altered }));
    assert_eq!(brought.faults()[0].1, "not-valid");
    harbour.revoke(&award).expect(200);
    let brought = mover.post(&accepted, &json!({ "credential": good }));
    assert_eq!(brought.faults()[0].1, "not-valid");
    assert!(brought.json["detail"].as_str().unwrap().contains("revoked"), "{}", brought.json);
    assert_eq!(mover.post(&accepted, &json!({ "credential": {} })).problem(), "invalid");
    assert_eq!(mover.post(&accepted, &json!({ "credential": 7 })).problem(), "invalid");
    assert!(mover.get(&accepted).expect(200)["items"].as_array().unwrap().is_empty());
}

#[test]
fn endorsement_names_a_version_of_somebody_else_and_a_published_one_of_its_own() {
    let app = TestApp::new();
    let (riverbend, harbour, own, family) = travelled(&app, |_| {});
    let endorsements = format!("/api/v1/organizations/{}/endorsements", riverbend.id);
    let refuse = |body: Value, code: &str| {
        let refused = riverbend.officer.post(&endorsements, &body);
        assert_eq!(refused.faults()[0].1, code, "{body}");
    };
    refuse(endorsement(&own, &own), "own-definition");
    refuse(endorsement(&family, &family), "unknown-version");
    refuse(endorsement("01900000-0000-7000-8000-000000000000", &own), "unknown-version");
    let with =
        |address: &str| json!({ "achievement": address, "micro_credential_id": own, "version": 1 });
    refuse(with("javascript:alert(1)"), "not-an-address");
    refuse(with(&format!("{BASE_URL}/achievements/../issuers/x")), "unknown-version");
    refuse(with(&format!("{BASE_URL}/achievements/{family}/versions/-1")), "unknown-version");
    // A version of another installation is taken at its badges' word: they say what they were scored by.
    let elsewhere = "https://badges.harbour.example.org/achievements/1/versions/1";
    let endorsed = riverbend.officer.post(&endorsements, &with(elsewhere)).expect(201);
    let published = app.anybody().get(&format!("/api/v1/micro-credentials/{own}/versions/1"));
    assert_eq!(endorsed["scoring_hash"], published.expect(200)["scoring_hash"]);
    assert!(harbour.id != riverbend.id && SMALL_GROUP.starts_with("mc-"));
}

/// A badge that somebody signs themselves with a key of their own, and that verifies: all it says is what they say.
fn signed_by_its_holder(badge: &Value) -> Value {
    let key = IssuerKey::from_seed(&[7; 32]);
    let (did, method) = (did_key(&key.public_key()), did_key_method(&key.public_key()));
    let mut forged = badge.clone();
    for member in ["proof", "credentialStatus"] {
        forged.as_object_mut().unwrap().remove(member);
    }
    forged["id"] = json!("urn:uuid:0193a1b2-7a29-7155-840a-59483ba10164");
    forged["issuer"]["id"] = json!(did);
    let options = json!({
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": badge["proof"][0]["created"],
        "proofPurpose": "assertionMethod", "verificationMethod": method,
    });
    serde_json::from_str(&prove(&forged, &options, &[7; 32]).unwrap()).unwrap()
}

#[test]
fn badge_that_its_holder_has_signed_is_not_accepted_however_valid_it_is() {
    let app = TestApp::new();
    let (riverbend, harbour, own, family) = travelled(&app, |_| {});
    let (_, award) = harbour.award(&harbour.earner, &family);
    let endorsements = format!("/api/v1/organizations/{}/endorsements", riverbend.id);
    riverbend.officer.post(&endorsements, &endorsement(&family, &own)).expect(201);
    let mover = join(&app, &riverbend, &harbour.earner);
    let forged = signed_by_its_holder(&badge(&app, &award));
    let verdict = app.anybody().post("/api/v1/verify", &forged).expect(200);
    assert_eq!(verdict["verdict"], "valid", "{verdict}");
    assert_eq!(forged["credentialSubject"]["achievement"]["id"], achievement(&family));
    let accepted = format!("/api/v1/organizations/{}/accepted-awards", riverbend.id);
    let refused = mover.post(&accepted, &json!({ "credential": forged }));
    assert_eq!(refused.faults()[0].1, "not-of-issuer", "{refused:?}");
    // What the other district has signed is accepted all the same.
    let genuine = badge(&app, &award);
    mover.post(&accepted, &json!({ "credential": genuine })).expect(201);
}
