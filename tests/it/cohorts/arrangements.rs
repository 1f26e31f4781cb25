//! What is arranged with one person changes the form of an answer, and nothing else.

use assay::service::housekeeping;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{AUDIENCE, Pilot, SMALL_GROUP, row};
use crate::harness::{TestApp, complete_charter, definition};

#[test]
fn who_it_was_arranged_with_answers_in_another_form_and_nobody_else_does() {
    let app = TestApp::new();
    let district = app.district();
    let mut text_only = definition(SMALL_GROUP);
    let prompt = &mut text_only["submission"]["part1"]["prompts"][0];
    prompt.as_object_mut().unwrap().remove("alternatives").unwrap();
    let family = district.publish(&text_only);
    let charter = complete_charter("pilot", &[SMALL_GROUP]);
    let id = district.open_program(&district.coordinator, &charter);
    let program = format!("/api/v1/programs/{id}");
    let pilot = Pilot { app, district, family, program };
    let earner = &pilot.district.earner;
    let coordinator = &pilot.district.coordinator;
    pilot.invite(&row(&earner.email));
    earner.act(&format!("{}/enrolment", pilot.program)).expect(200);
    let started = earner
        .post(
            &format!("/api/v1/micro-credentials/{}/submissions", pilot.family),
            &json!({ "program_id": id }),
        )
        .expect(201);
    let attempt = started["id"].as_str().unwrap();
    let submission = format!("/api/v1/submissions/{attempt}");
    let save = |answer: &Value| {
        let etag = earner.get(&submission).etag();
        earner.patch(&submission, &etag, &json!({ "responses": { "q1": answer } }))
    };
    let record =
        || earner.upload(attempt, "q1", "answer.mp3", b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x44\0\0");
    let missing = |code: &str| {
        let faults = earner.act(&format!("{submission}/submit")).faults();
        faults.contains(&("/responses/q1".to_owned(), code.to_owned()))
    };
    let long = json!("word ".repeat(301));

    // As the definition says: by text, of at most 200 words.
    let refused = [("/requirement_id".to_owned(), "unknown-requirement".to_owned())];
    assert_eq!(record().faults(), refused);
    save(&long).expect(200);
    assert!(missing("too-many-words"));

    let one = pilot.invitees(coordinator).remove(0);
    assert_eq!(
        one["accommodations"],
        json!({ "spoken_answers": false, "unlimited_words": false, "note": "" })
    );
    let path = format!("{}/invitees/{}", pilot.program, one["id"].as_str().unwrap());
    let arrange = |body: &Value| {
        let etag = coordinator.get(&path).etag();
        coordinator.put(&format!("{path}/accommodations"), &etag, body)
    };
    let note = "Somebody writes down what you say.";
    let arranged = json!({ "spoken_answers": true, "unlimited_words": true, "note": note });
    let too_long = arrange(&json!({ "note": "x".repeat(501) }));
    assert_eq!(too_long.faults(), [("/note".to_owned(), "too-long".to_owned())]);
    assert_eq!(arrange(&json!({ "secret": true })).status, 422);
    let before = coordinator.get(&path).etag();
    assert_eq!(arrange(&arranged).expect(200)["accommodations"], arranged);
    let stale = coordinator.put(&format!("{path}/accommodations"), &before, &json!({}));
    assert_eq!((stale.status, &stale.json["current"]["accommodations"]), (412, &arranged));
    let own = earner.get(&format!("{}/enrolment", pilot.program)).expect(200);
    assert_eq!(own["accommodations"], arranged);

    assert!(!missing("too-many-words"));
    let item = record().expect(201);
    save(&json!({ "evidence_id": item["id"] })).expect(200);
    assert!(!missing("response-missing"));

    // Taken back, a text is asked for again, and a recording is no answer any more.
    arrange(&json!({})).expect(200);
    save(&long).expect(200);
    assert!(missing("too-many-words"));
    let again = save(&json!({ "evidence_id": item["id"] }));
    assert_eq!(again.faults(), [("/responses/q1".to_owned(), "text-only".to_owned())]);
}

#[test]
fn what_was_arranged_is_not_in_the_trail_and_is_forgotten_with_the_other_reasons() {
    let pilot = Pilot::new();
    pilot.invite(&format!("ana@example.org,,Ana,{AUDIENCE},Willow"));
    let coordinator = &pilot.district.coordinator;
    let one = pilot.invitees(coordinator).remove(0);
    let path = format!("{}/invitees/{}", pilot.program, one["id"].as_str().unwrap());
    let arranged =
        json!({ "spoken_answers": true, "unlimited_words": false, "note": "canary-note" });
    let etag = coordinator.get(&path).etag();
    let send = || {
        let put = coordinator.request(reqwest::Method::PUT, &format!("{path}/accommodations"));
        let put = put.header("if-match", &etag).header("idempotency-key", "arranged-once");
        coordinator.send(put.json(&arranged)).expect(200)
    };
    // A replay reads the invitee again: what was arranged is kept in one place only.
    assert_eq!(send(), send());
    let mut conn = pilot.app.resources.database.connection().unwrap();
    let kept = assay::store::idempotency::find(
        &mut conn,
        coordinator.id.parse().unwrap(),
        "arranged-once",
    )
    .unwrap()
    .unwrap();
    let (status, answer) = kept.answer.unwrap();
    assert_eq!(status, 200);
    assert!(!answer.contains("canary-note"), "{answer}");

    let trail = pilot.district.auditor.get("/api/v1/audit-events?limit=100").expect(200);
    let events = trail["items"].as_array().unwrap();
    let event = events.iter().find(|event| event["verb"] == "put_accommodations").unwrap();
    let text = event.to_string();
    assert!(!text.contains("canary-note") && !text.contains("spoken"), "{text}");

    let reason = json!({ "reason": "It is over." });
    coordinator.post(&format!("{}/close", pilot.program), &reason).expect(200);
    let refused = coordinator.put(
        &format!("{path}/accommodations"),
        &coordinator.get(&path).etag(),
        &json!({}),
    );
    assert_eq!(refused.problem(), "wrong-state");
    assert_eq!(coordinator.get(&path).expect(200)["accommodations"], arranged);
    pilot.app.advance(TimeDelta::days(181));
    pilot.app.resources.as_system(housekeeping::hourly).unwrap();
    let coordinator = pilot.app.sign_in(&coordinator.email);
    let forgotten = coordinator.get(&path).expect(200);
    assert_eq!(
        forgotten["accommodations"],
        json!({ "spoken_answers": false, "unlimited_words": false, "note": "" })
    );
}
