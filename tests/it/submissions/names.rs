//! Who hands in work is told where it names them, before readers are.

use std::collections::BTreeSet;

use assay::domain::names::{KnownBy, Trace};
use serde_json::{Value, json};

use super::save;
use crate::harness::{Answer, District, PASSWORD, Person, TestApp};

/// What is found in a text, for somebody with a name of several words at a school with one.
#[track_caller]
fn check(text: &str, expected: &[Trace]) {
    let schools = ["Summit".to_owned(), "Østre Straße Primary".to_owned()];
    let known_by = KnownBy::new("María-José O'Neil", "m.oneil@example.org", &schools);
    let expected: BTreeSet<Trace> = expected.iter().copied().collect();
    assert_eq!(known_by.find_in(text), expected, "{text}");
}

#[test]
fn name_is_found_as_a_whole_whatever_its_case_and_the_marks_between() {
    check("I am María-José O'Neil.", &[Trace::Name]);
    check("MARÍA JOSÉ O’NEIL's class", &[Trace::Name]);
    check("Mari\u{301}a-Jose\u{301}\nO'Neil", &[Trace::Name]);
    check("Mar\u{ad}ía-José O'Neil", &[Trace::Name]);
    check("María-José and Neil", &[]);
    check("Ana-María-José O'Neill", &[]);
    check("Maria-Jose O'Neil", &[]);
}

#[test]
fn school_is_found_as_a_whole_and_only_with_two_words() {
    check("We at ØSTRE STRASSE PRIMARY agreed.", &[Trace::School]);
    check("We at østre straße primary agreed.", &[Trace::School]);
    check("Østre Straße Primary's María-José O'Neil", &[Trace::Name, Trace::School]);
    check("At the summit the primary group waited.", &[]);
    check("Østre Straße", &[]);
    check("Nordøstre Straße Primary", &[]);
}

#[test]
fn address_is_found_as_a_whole() {
    check("Write to M.ONeil@Example.org.", &[Trace::Address]);
    check("(m.oneil@example.org)", &[Trace::Address]);
    check("_m.oneil@example.org_", &[Trace::Address]);
    check("sam.oneil@example.org", &[]);
    check("a.m.oneil@example.org", &[]);
    check("m.oneil@example.org.uk", &[]);
    check("m.oneil@example.organic", &[]);
    check("m.oneil at example.org", &[]);
}

#[test]
fn name_of_one_word_names_nobody() {
    for name in ["Rose", "", " - ", "Rose -", "earner@example.org", "Anne-Marie"] {
        let found = KnownBy::new(name, "", &[]).find_in("Rose - earner@example.org Anne-Marie");
        assert_eq!(found, BTreeSet::new(), "{name}");
    }
}

/// An earner with a name, at a school with one.
#[track_caller]
fn named_earner(app: &TestApp, district: &District) -> Person {
    let school =
        app.organization(&district.admin, &district.id, "Marigold Primary School", "school");
    let email = "zora.quillfeather@example.org";
    let body = json!({ "email": email, "name": "Zora Quillfeather", "roles": ["earner"] });
    let path = format!("/api/v1/organizations/{school}/invitations");
    let invited = district.admin.post(&path, &body).expect(201);
    let token = app.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
    let body = json!({ "token": token, "password": PASSWORD });
    app.anybody().post("/api/v1/invitations/accept", &body).expect(200);
    app.sign_in(email)
}

/// Expects that the draft is refused for these places, all because of names, and stays a draft.
#[track_caller]
fn refused(earner: &Person, submission: &str, pointers: &[&str]) -> Answer {
    let refused = earner.act(&format!("{submission}/submit"));
    assert_eq!(refused.status, 422, "{refused:?}");
    let expected: Vec<(String, String)> = pointers
        .iter()
        .map(|pointer| ((*pointer).to_owned(), "names-somebody".to_owned()))
        .collect();
    assert_eq!(refused.faults(), expected);
    assert_eq!(earner.get(submission).expect(200)["state"], "draft");
    refused
}

#[test]
fn work_that_names_its_earner_is_not_handed_in_until_they_say_that_it_may() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = named_earner(&app, &district);
    let submission = format!("/api/v1/submissions/{}", district.fill(&earner, &family));
    let own = earner.get(&submission).expect(200);
    assert_eq!(own["names_waived"], false);
    let prompt = own["responses"].as_object().unwrap().keys().next().unwrap().clone();
    let requirement = own["evidence"][0]["requirement_id"].as_str().unwrap().to_owned();

    let naming = json!({ "responses": { (&prompt): "We at marigold primary school agreed." } });
    save(&earner, &submission, &naming).expect(200);
    refused(&earner, &submission, &[&format!("/responses/{prompt}")]);
    let item = own["evidence"][0]["id"].as_str().unwrap();
    earner.delete(&format!("{submission}/evidence/{item}")).expect(204);
    let text = "Lesson of Zora Quillfeather (zora.quillfeather@example.org).";
    let item = json!({ "requirement_id": requirement, "text": text });
    earner.post(&format!("{submission}/evidence"), &item).expect(201);
    save(&earner, &submission, &json!({ "ai_use": "Zora Quillfeather used none." })).expect(200);
    let places = [format!("/responses/{prompt}"), format!("/evidence/{requirement}")];
    let answer = refused(&earner, &submission, &[&places[0], &places[1], "/ai_use"]);
    let detail = answer.json["errors"][1]["detail"].as_str().unwrap();
    assert!(detail.contains("your name and your e-mail address"), "{detail}");
    assert!(detail.contains("names_waived"), "{detail}");
    assert!(!answer.json.to_string().contains("Quillfeather"), "what was found is not repeated");

    // The waiver stays when a text changes, and ends when it is taken back.
    let waived = save(&earner, &submission, &json!({ "names_waived": true })).expect(200);
    assert_eq!(waived["names_waived"], true);
    let other = json!({ "responses": { (&prompt): "Zora Quillfeather wrote this anew." } });
    assert_eq!(save(&earner, &submission, &other).expect(200)["names_waived"], true);
    save(&earner, &submission, &json!({ "names_waived": false })).expect(200);
    refused(&earner, &submission, &[&places[0], &places[1], "/ai_use"]);
    save(&earner, &submission, &json!({ "names_waived": true })).expect(200);
    earner.act(&format!("{submission}/submit")).expect(200);

    let review = district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    assert!(!review.to_string().contains("names_waived"), "readers are not told");
    let status = district.coordinator.get(&submission).expect(200);
    assert_eq!(status.get("names_waived"), None);
}

#[test]
fn links_and_words_of_other_peoples_names_are_nobodys_business() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = named_earner(&app, &district);
    let submission = format!("/api/v1/submissions/{}", district.fill(&earner, &family));
    let own = earner.get(&submission).expect(200);
    let prompt = own["responses"].as_object().unwrap().keys().next().unwrap().clone();
    let naming = json!({ "responses": { (&prompt): "Zora and Sam of Willow school; the marigold, a primary." } });
    save(&earner, &submission, &naming).expect(200);
    let submitted: Value = earner.act(&format!("{submission}/submit")).expect(200);
    assert_eq!(submitted["state"], "submitted");
}
