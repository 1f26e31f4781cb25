//! Two readers who do not know each other, and a third one where they differ.

use serde_json::{Value, json};

use super::{claim, claimed, nothing_to_claim, path_of, refused};
use crate::harness::{Answer, District, Person, TestApp, definition};

/// A district with two assessors and a lead assessor, and a double-blind submission.
struct Stage {
    app: TestApp,
    district: District,
    second: Person,
    lead: Person,
    id: String,
}

fn stage_of(changes: &[(&str, Value)]) -> Stage {
    let app = TestApp::new();
    let district = app.district();
    // Of no school: readers of one school are never put together.
    let office = &district.id;
    let second = app.invite(&district.admin, office, "second@example.org", &["assessor"]);
    let lead =
        app.invite(&district.admin, office, "lead@example.org", &["lead_assessor", "assessor"]);
    let mut changed = definition("mc-shared-decision-making");
    for (name, value) in changes {
        changed["review_policy"][*name] = value.clone();
    }
    let family = district.publish(&changed);
    let id = district.submit(&district.earner, &family);
    Stage { app, district, second, lead, id }
}

fn stage() -> Stage {
    stage_of(&[])
}

/// Locks a sheet at the pass levels, but for these.
#[track_caller]
fn lock(person: &Person, claimed: &Answer, levels: &[(&str, i64)], words: &str) -> Value {
    let mut sheet = District::sheet(&claimed.json, 0);
    sheet["overall_feedback"] = json!(format!("A strength, says {words}."));
    for line in sheet["scores"].as_array_mut().unwrap() {
        let id = line["criterion_id"].as_str().unwrap().to_owned();
        line["feedback"] = json!(format!("{words} on {id}."));
        if let Some((_, level)) = levels.iter().find(|(other, _)| *other == id) {
            line["level"] = json!(level);
        }
    }
    let path = path_of(&claimed.json);
    person.put(&format!("{path}/scores"), &claimed.etag(), &sheet).expect(200);
    person.act(&format!("{path}/lock")).expect(200)
}

fn own(stage: &Stage) -> Value {
    stage.district.earner.get(&format!("/api/v1/submissions/{}", stage.id)).expect(200)
}

fn feedback_on(own: &Value, criterion: &str) -> Value {
    let levels = own["feedback"]["levels"].as_array().unwrap();
    levels.iter().find(|line| line["criterion_id"] == criterion).unwrap().clone()
}

#[test]
fn two_readers_who_agree_decide_and_their_words_are_merged() {
    let stage = stage();
    let first = claimed(&stage.district.assessor, &stage.id);
    lock(&stage.district.assessor, &first, &[], "Iris");
    nothing_to_claim(&stage.district.assessor);
    let second = claimed(&stage.second, &stage.id);
    // The second reader sees a sheet like any other, and reads the criteria: prompts are read once.
    assert_eq!(second.json["sheet"]["scores"], json!([]));
    let asked: Vec<&str> = second.json["criterion_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    assert!(asked.contains(&"c1") && !asked.contains(&"q1"), "{asked:?}");
    assert!(first.json["criterion_ids"].as_array().unwrap().contains(&json!("q1")));
    for answer in [&first, &second] {
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("Iris"));
        assert_eq!(answer.json["other_sheets"], json!([]));
    }
    let locked = lock(&stage.second, &second, &[], "Noor");
    assert_eq!(locked["is_decided"], true);
    assert_eq!(locked["other_sheets"], json!([]));
    let own = own(&stage);
    assert_eq!(own["decision"], "earned");
    assert_eq!(feedback_on(&own, "c1")["feedback"], "Iris on c1.\n\nNoor on c1.");
    assert_eq!(feedback_on(&own, "q1")["feedback"], "Iris on q1.");
    let badge = stage.app.anybody().get(own["award"]["path"].as_str().unwrap()).expect(200);
    let verdict = stage.app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(verdict["credential"]["scoring"]["raters"], 2);
    assert_eq!(verdict["credential"]["scoring"]["review_mode"], "double_blind");
    assert_eq!(verdict["credential"]["scoring"]["assessors_qualified"], false);
}

#[test]
fn neighbours_on_the_same_side_of_the_cut_are_resolved_to_the_lower() {
    let stage = stage();
    let first = claimed(&stage.district.assessor, &stage.id);
    let pass = first.json["work"]["definition"]["submission"]["part2"]["criteria"][0]["pass_level"]
        .as_i64()
        .unwrap();
    lock(&stage.district.assessor, &first, &[("c1", pass + 1)], "Iris");
    let second = claimed(&stage.second, &stage.id);
    lock(&stage.second, &second, &[], "Noor");
    let own = own(&stage);
    assert_eq!(own["decision"], "earned");
    assert_eq!(feedback_on(&own, "c1")["level"], pass);
}

#[test]
fn adjudicator_reads_what_is_in_dispute_blind_and_their_words_stand() {
    let stage = stage();
    let first = claimed(&stage.district.assessor, &stage.id);
    lock(&stage.district.assessor, &first, &[("c1", 0)], "Iris");
    let second = claimed(&stage.second, &stage.id);
    assert_eq!(lock(&stage.second, &second, &[], "Noor")["is_decided"], false);
    assert_eq!(own(&stage)["state"], "adjudication");
    assert_eq!(own(&stage)["feedback"], Value::Null);
    // Neither of the two, nor anybody who is no lead assessor.
    let third = stage.app.invite(
        &stage.district.admin,
        &stage.district.schools[1],
        "third@example.org",
        &["assessor"],
    );
    for person in [&stage.district.assessor, &stage.second, &third] {
        nothing_to_claim(person);
    }
    let adjudication = claimed(&stage.lead, &stage.id);
    assert_eq!(adjudication.json["kind"], "adjudication");
    assert_eq!(adjudication.json["criterion_ids"], json!(["c1"]));
    assert_eq!(adjudication.json["other_sheets"], json!([]));
    let text = String::from_utf8_lossy(&adjudication.bytes).into_owned();
    assert!(!text.contains("Iris") && !text.contains("Noor"), "{text}");
    for review in [&first.json, &second.json] {
        assert_eq!(stage.lead.get(&path_of(review)).problem(), "not-found");
    }
    nothing_to_claim(&stage.lead);

    // Lines for what is not in dispute are not kept, and the strengths were named by the readers.
    let path = path_of(&adjudication.json);
    let sheet = json!({ "scores": [
        { "criterion_id": "c1", "level": 2, "feedback": "Lea on c1." },
        { "criterion_id": "c2", "level": 0, "feedback": "Lea on c2." },
    ] });
    let saved = stage.lead.put(&format!("{path}/scores"), &adjudication.etag(), &sheet).expect(200);
    assert_eq!(saved["sheet"]["scores"].as_array().unwrap().len(), 1);
    assert_eq!(saved["other_sheets"], json!([]));
    let locked = stage.lead.act(&format!("{path}/lock")).expect(200);
    assert_eq!(locked["is_decided"], true);
    assert_eq!(locked["other_sheets"].as_array().unwrap().len(), 2, "now they may be compared");
    let own = own(&stage);
    assert_eq!(own["decision"], "earned");
    assert_eq!(
        feedback_on(&own, "c1"),
        json!({ "criterion_id": "c1", "level": 2, "feedback": "Lea on c1." })
    );
    assert_eq!(feedback_on(&own, "c2")["feedback"], "Iris on c2.\n\nNoor on c2.");
    let last = own["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!([&last["event"], &last["actor_role"]], ["third_locked", "lead_assessor"]);
    let badge = stage.app.anybody().get(own["award"]["path"].as_str().unwrap()).expect(200);
    let verdict = stage.app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(verdict["credential"]["scoring"]["raters"], 3);
    stage.app.audit_events();
}

#[test]
fn adjudicator_can_step_back_and_another_takes_the_seat() {
    let stage = stage();
    let first = claimed(&stage.district.assessor, &stage.id);
    lock(&stage.district.assessor, &first, &[("c1", 0)], "Iris");
    let second = claimed(&stage.second, &stage.id);
    lock(&stage.second, &second, &[], "Noor");
    let adjudication = claimed(&stage.lead, &stage.id).json;
    super::recuse(&stage.lead, &adjudication);
    assert_eq!(own(&stage)["state"], "adjudication");
    nothing_to_claim(&stage.lead);
    let other = stage.app.invite(
        &stage.district.admin,
        &stage.district.id,
        "other@example.org",
        &["lead_assessor"],
    );
    let answer = claimed(&other, &stage.id);
    refused(&stage.lead.act(&format!("{}/lock", path_of(&adjudication))), &[]);
    lock(&other, &answer, &[("c1", 0)], "Lea");
    let own = own(&stage);
    assert_eq!(own["decision"], "not_yet");
    assert_eq!(feedback_on(&own, "c1")["feedback"], "Lea on c1.");
}

#[test]
fn lead_assessor_who_has_scored_does_not_adjudicate() {
    let stage = stage();
    let first = claimed(&stage.lead, &stage.id);
    lock(&stage.lead, &first, &[("c1", 0)], "Lea");
    let second = claimed(&stage.second, &stage.id);
    lock(&stage.second, &second, &[], "Noor");
    assert_eq!(own(&stage)["state"], "adjudication");
    nothing_to_claim(&stage.lead);
}

#[test]
fn median_of_three_keeps_the_middle_level() {
    let stage = stage_of(&[("resolution", json!("median_of_three"))]);
    let first = claimed(&stage.district.assessor, &stage.id);
    lock(&stage.district.assessor, &first, &[("c1", 1)], "Iris");
    let second = claimed(&stage.second, &stage.id);
    lock(&stage.second, &second, &[("c1", 3)], "Noor");
    let adjudication = claimed(&stage.lead, &stage.id);
    lock(&stage.lead, &adjudication, &[("c1", 2)], "Lea");
    assert_eq!(feedback_on(&own(&stage), "c1")["level"], 2);
}

#[test]
fn what_only_one_could_score_is_adjudicated_and_what_neither_could_is_not_met() {
    let stage = stage();
    let unscorable = |person: &Person, answer: &Answer, ids: &[&str]| {
        let mut sheet = District::sheet(&answer.json, 0);
        sheet["unscorable"] = json!(ids);
        for line in sheet["scores"].as_array_mut().unwrap() {
            if ids.contains(&line["criterion_id"].as_str().unwrap()) {
                line["level"] = Value::Null;
            }
        }
        let path = path_of(&answer.json);
        person.put(&format!("{path}/scores"), &answer.etag(), &sheet).expect(200);
        person.act(&format!("{path}/lock")).expect(200)
    };
    let first = claimed(&stage.district.assessor, &stage.id);
    unscorable(&stage.district.assessor, &first, &["c1", "c2"]);
    let second = claimed(&stage.second, &stage.id);
    unscorable(&stage.second, &second, &["c2"]);
    let adjudication = claim(&stage.lead);
    assert_eq!(adjudication.json["criterion_ids"], json!(["c1"]));
    lock(&stage.lead, &adjudication, &[], "Lea");
    let own = own(&stage);
    assert_eq!(own["decision"], "not_yet");
    assert_eq!(feedback_on(&own, "c2")["level"], Value::Null);
}
