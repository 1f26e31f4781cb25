//! What a suspension stops, and what is read again after it.

use serde_json::{Value, json};

use super::{Scene, begin, give, id_of};
use crate::harness::{District, Person};

#[track_caller]
fn suspend(scene: &Scene, person: &Person) {
    let path = format!("/api/v1/assessors/{}", person.id);
    let hash = person.get(&path).expect(200)["items"][0]["scoring_hash"].clone();
    let body = json!({ "scoring_hash": hash, "reason": "As we have said." });
    let suspended = scene.lead(2).post(&format!("{path}/suspend"), &body).expect(200);
    assert_eq!(suspended["state"], "suspended");
}

/// Three qualified assessors of no school.
fn three() -> (Scene, [Person; 3]) {
    let scene = Scene::new();
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    let people = ["one", "two", "three"].map(|name| {
        let email = format!("{name}@example.org");
        let person = scene.app.seed(&scene.district.id, &email, &["assessor"]);
        scene.qualify_person(&person, &set);
        person
    });
    (scene, people)
}

fn listed(scene: &Scene) -> Value {
    scene.lead(2).get("/api/v1/queue/rereads").expect(200)["items"].clone()
}

#[test]
fn attempt_that_was_left_open_gives_nobody_their_licence_back() {
    let scene = Scene::new();
    let a = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    let b = scene.keyed_set("qualifying_b", &[2, 1, 0]);
    scene.qualify(&a);
    let assessor = scene.assessor();
    let attempt = begin(&assessor, &b).expect(201);
    suspend(&scene, &assessor);
    assert_eq!(give(&assessor, &attempt, |level| level).problem(), "wrong-state");
    let me = assessor.get("/api/v1/me").expect(200);
    assert_eq!(me["qualifications"][0]["state"], "suspended");
    // After coaching it counts.
    let path = format!("/api/v1/assessors/{}", assessor.id);
    let hash = assessor.get(&path).expect(200)["items"][0]["scoring_hash"].clone();
    for step in ["coaching", "requalify"] {
        let body = json!({ "scoring_hash": hash });
        scene.lead(2).post(&format!("{path}/{step}"), &body).expect(200);
    }
    let finish = format!("/api/v1/calibration-attempts/{}/finish", id_of(&attempt));
    assert_eq!(assessor.act(&finish).expect(200)["state"], "passed");
}

#[test]
fn retired_sets_go_on_asking_for_a_qualification() {
    let scene = Scene::new();
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    scene.lead(0).act(&format!("{set}/retire")).expect(200);
    scene.district.submit(&scene.district.earner, &scene.family);
    assert_eq!(scene.assessor().post("/api/v1/reviews/claim", &json!({})).status, 204);
    let blocked = scene.district.coordinator.get("/api/v1/queue/blocked").expect(200);
    assert_eq!(blocked["items"][0]["blocked_by"][0]["rule"], "not_qualified");
}

#[test]
fn second_sheet_is_compared_where_both_have_lines_and_a_later_order_at_once() {
    let (scene, [one, two, three]) = three();
    let id = scene.district.submit(&scene.district.earner, &scene.family);
    for person in [&one, &two] {
        District::score_below(person, &[], "");
    }
    suspend(&scene, &two);
    assert_eq!(listed(&scene)[0]["assessor_id"], two.id.as_str());
    let [claimed, locked] = District::score_below(&three, &["c4"], "Show where it was used.");
    assert_eq!(claimed["submission_id"], id.as_str());
    assert_eq!(locked["is_decided"], false);
    assert_eq!(listed(&scene)[0]["differing"], json!(["c4"]));
    // What has been read again is not read a third time.
    suspend(&scene, &one);
    let both = listed(&scene);
    assert_eq!(both.as_array().unwrap().len(), 2);
    for line in both.as_array().unwrap() {
        assert_eq!(line["differing"], json!(["c4"]), "{both}");
    }
    scene.app.audit_events();
}

#[test]
fn sheet_of_a_suspended_reader_is_read_again_once_its_submission_is_decided() {
    let (scene, [one, two, three]) = three();
    let id = scene.district.submit(&scene.district.earner, &scene.family);
    District::score_below(&one, &[], "");
    suspend(&scene, &one);
    assert_eq!(listed(&scene), json!([]), "who has read what is not decided is nobody's to know");
    District::score_below(&two, &[], "");
    let own = scene.district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    assert_eq!(own["decision"], "earned");
    assert_eq!(listed(&scene)[0]["differing"], Value::Null);
    let [claimed, locked] = District::score_below(&three, &[], "");
    assert_eq!(claimed["submission_id"], id.as_str());
    assert_eq!(locked["is_decided"], true);
    assert_eq!(listed(&scene)[0]["differing"], json!([]));
}

#[test]
fn badge_says_what_held_when_each_sheet_was_locked() {
    let (scene, [one, two, _]) = three();
    let id = scene.district.submit(&scene.district.earner, &scene.family);
    District::score_below(&one, &[], "");
    suspend(&scene, &one);
    District::score_below(&two, &[], "");
    let own = scene.district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    let badge = scene.app.anybody().get(own["award"]["path"].as_str().unwrap()).expect(200);
    let verdict = scene.app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(verdict["credential"]["scoring"]["assessors_qualified"], true);

    // And who qualifies after their lock was not qualified.
    let scene = Scene::new();
    let [early, late] = ["early", "late"].map(|name| {
        scene.app.seed(&scene.district.id, &format!("{name}@example.org"), &["assessor"])
    });
    let mut double = crate::harness::definition("mc-ia-small-group-support");
    double["id"] = json!("mc-two-readers");
    double["review_policy"]["mode"] = json!("double_blind");
    let family = scene.district.publish(&double);
    let id = scene.district.submit(&scene.district.earner, &family);
    District::score_below(&early, &[], "");
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    for person in [&early, &late] {
        scene.qualify_person(person, &set);
    }
    District::score_below(&late, &[], "");
    let own = scene.district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    let badge = scene.app.anybody().get(own["award"]["path"].as_str().unwrap()).expect(200);
    let verdict = scene.app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(verdict["credential"]["scoring"]["assessors_qualified"], false);
}
