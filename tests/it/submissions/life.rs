//! From start to end: which event is legal when.

use std::collections::BTreeSet;

use assay::domain::submission::SubmissionState;
use assay::store::schema::submissions;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{publish_decided_by_one, refused, save, sorted, start, with_policy};
use crate::harness::{Answer, Person, TestApp, definition, scale};

fn model() -> Value {
    serde_json::from_str(include_str!("../fixtures/process-model.json")).unwrap()
}

/// The events that the process model allows in a state. A new attempt after a not-yet stands apart from its transitions.
fn events_from(state: &str) -> Vec<String> {
    let model = model();
    let mut events: BTreeSet<String> = model["attempt"]["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|transition| transition["from"].as_array().unwrap().contains(&json!(state)))
        .map(|transition| transition["event"].as_str().unwrap().to_owned())
        .collect();
    if state == "decided" {
        assert_eq!(model["attempt"]["new_attempt"]["when"], "decided with not_yet");
        events.insert("resubmit".to_owned());
    }
    events.into_iter().collect()
}

#[test]
fn states_and_their_events_are_those_of_the_process_model() {
    let states: Vec<&str> = SubmissionState::ALL.iter().map(|state| state.as_str()).collect();
    assert_eq!(json!(states), model()["attempt"]["states"]);
    for state in SubmissionState::ALL {
        let events: Vec<&str> = state.allowed_events().iter().map(|event| event.as_str()).collect();
        assert_eq!(sorted(&json!(events)), events_from(state.as_str()), "{state}");
    }
}

/// Tries every event of the earner that the state does not allow, in every form it has over HTTP, and expects that nothing changes.
#[track_caller]
fn check_illegal_events(earner: &Person, submission: &str, state: &str) {
    let before = earner.get(submission);
    assert_eq!(before.json["state"], state);
    let allowed = events_from(state);
    assert_eq!(sorted(&before.json["allowed_events"]), allowed);
    let is_legal = |event: &str| allowed.iter().any(|allowed| allowed == event);
    if !is_legal("save") {
        let patch = json!({ "responses": { "q1": "Too late." } });
        refused(&earner.patch(submission, &before.etag(), &patch), &allowed);
        let text = json!({ "requirement_id": "a3", "text": "Too late." });
        refused(&earner.post(&format!("{submission}/evidence"), &text), &allowed);
        let id = submission.rsplit('/').next().unwrap();
        refused(&earner.upload(id, "a3", "late.pdf", &super::pdf("late")), &allowed);
        let item = before.json["evidence"][0]["id"].as_str().unwrap();
        refused(&earner.delete(&format!("{submission}/evidence/{item}")), &allowed);
    }
    for event in ["submit", "recall", "withdraw"] {
        if !is_legal(event) {
            refused(&earner.act(&format!("{submission}/{event}")), &allowed);
        }
    }
    let after = earner.get(submission);
    assert_eq!(after.bytes, before.bytes);
    assert_eq!(after.etag(), before.etag());
}

#[test]
fn event_that_the_state_does_not_allow_is_refused_with_those_that_it_does() {
    let app = TestApp::new();
    let district = app.district();
    let family = publish_decided_by_one(&district);
    let second =
        app.invite(&district.admin, &district.schools[1], "second@example.org", &["assessor"]);
    let earner = &district.earner;
    let submission = format!("/api/v1/submissions/{}", district.fill(earner, &family));
    let act = |event: &str| earner.act(&format!("{submission}/{event}")).expect(200);

    check_illegal_events(earner, &submission, "draft");
    act("submit");
    check_illegal_events(earner, &submission, "submitted");
    let recalled = act("recall");
    assert_eq!(recalled["due_at"], Value::Null);
    assert_eq!(recalled["submitted_at"], Value::Null);
    check_illegal_events(earner, &submission, "draft");
    save(earner, &submission, &json!({ "responses": { "q1": "With one more thought." } }))
        .expect(200);
    act("submit");
    let claimed = district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    check_illegal_events(earner, &submission, "in_review");
    let review = format!("/api/v1/reviews/{}", claimed["id"].as_str().unwrap());
    district
        .assessor
        .post(&format!("{review}/recuse"), &json!({ "reason": "I know the room." }))
        .expect(200);
    check_illegal_events(earner, &submission, "queued");
    district.score(&second, -1);
    check_illegal_events(earner, &submission, "decided");
    let events: Vec<Value> = earner.get(&submission).expect(200)["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["event"].clone())
        .collect();
    assert_eq!(
        json!(events),
        json!([
            "start",
            "submit",
            "recall",
            "submit",
            "mark_complete",
            "claim",
            "recuse_or_timeout",
            "claim",
            "all_sheets_locked",
            "resolved"
        ])
    );
}

#[test]
fn submission_can_be_withdrawn_until_somebody_reads_it() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let end = |id: &str| {
        let submission = format!("/api/v1/submissions/{id}");
        let withdrawn = earner.act(&format!("{submission}/withdraw")).expect(200);
        assert_eq!(withdrawn["state"], "withdrawn");
        check_illegal_events(earner, &submission, "withdrawn");
    };
    end(&district.fill(earner, &family));
    end(&district.submit(earner, &family));
    // From the queue, after a reader has stepped back: the free seat goes with it.
    let id = district.submit(earner, &family);
    let claimed = district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    let review = format!("/api/v1/reviews/{}", claimed["id"].as_str().unwrap());
    district
        .assessor
        .post(&format!("{review}/recuse"), &json!({ "reason": "I know the room." }))
        .expect(200);
    end(&id);
    let other =
        app.invite(&district.admin, &district.schools[1], "second@example.org", &["assessor"]);
    assert_eq!(other.post("/api/v1/reviews/claim", &json!({})).status, 204);
    app.audit_events();
}

#[test]
fn submission_that_waits_for_a_second_reader_cannot_be_changed_by_its_earner() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    assert_eq!(district.score(&district.assessor, -1)["is_decided"], false);
    let submission = format!("/api/v1/submissions/{id}");
    check_illegal_events(&district.earner, &submission, "queued");
    // The queue allows to give it up, and a sheet that is locked does not.
    let left: Vec<String> =
        events_from("queued").into_iter().filter(|event| event != "withdraw").collect();
    refused(&district.earner.act(&format!("{submission}/withdraw")), &left);
}

/// Puts a submission into a state that no request leads to yet.
fn put_into(app: &TestApp, id: &str, state: &str) {
    let moved = diesel::update(submissions::table.find(id)).set(submissions::state.eq(state));
    let mut conn = app.resources.database.connection().unwrap();
    assert_eq!(moved.execute(&mut *conn).unwrap(), 1);
}

#[test]
fn states_that_nothing_leads_to_yet_refuse_their_illegal_events_as_well() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    for state in
        ["returned", "resolving", "adjudication", "on_hold", "appealed", "voided", "expired"]
    {
        put_into(&app, &id, state);
        check_illegal_events(&district.earner, &submission, state);
    }
}

#[test]
fn returned_submission_is_a_draft_again_as_soon_as_it_is_saved() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    put_into(&app, &id, "returned");
    let patch = json!({ "responses": { "q1": "With the names of the roles." } });
    let saved = save(&district.earner, &submission, &patch).expect(200);
    assert_eq!(saved["state"], "draft");
    let step = saved["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!([&step["event"], &step["from"], &step["to"]], ["save", "returned", "draft"]);
    let again = district.earner.act(&format!("{submission}/submit")).expect(200);
    assert_eq!(again["state"], "submitted");
}

#[test]
fn earned_submission_takes_no_more_events_of_its_earner() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (id, _) = district.award(&district.earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    let before = district.earner.get(&submission);
    let patch = json!({ "include_results": true });
    assert_eq!(district.earner.patch(&submission, &before.etag(), &patch).problem(), "wrong-state");
    for event in ["submit", "recall", "withdraw"] {
        let answer = district.earner.act(&format!("{submission}/{event}"));
        assert_eq!(answer.problem(), "wrong-state", "{event}");
    }
    assert_eq!(district.earner.get(&submission).bytes, before.bytes);
}

#[test]
fn attempts_are_numbered_and_one_is_open_at_a_time() {
    let app = TestApp::new();
    let district = app.district();
    let family = publish_decided_by_one(&district);
    let earner = &district.earner;
    let starts = format!("/api/v1/micro-credentials/{family}/submissions");
    let first = start(earner, &family);
    assert_eq!(earner.get(&first).expect(200)["attempt"], 1);
    let again = earner.post(&starts, &json!({}));
    assert_eq!(again.problem(), "already-there");
    assert_eq!(again.faults()[0].1, "attempt-open");
    earner.act(&format!("{first}/withdraw")).expect(200);
    district.submit(earner, &family);
    district.score(&district.assessor, -1);
    let third = start(earner, &family);
    assert_eq!(earner.get(&third).expect(200)["attempt"], 3);

    // Somebody else's attempts, and those at another micro-credential, are counted apart.
    let colleague =
        app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    assert_eq!(colleague.get(&start(&colleague, &family)).expect(200)["attempt"], 1);
    let other = district.publish_small_group();
    assert_eq!(earner.get(&start(earner, &other)).expect(200)["attempt"], 1);
    let own = earner.get(&format!("/api/v1/submissions?micro_credential_id={family}")).expect(200);
    let lines: Vec<(&Value, &Value)> = own["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (&line["attempt"], &line["state"]))
        .collect();
    assert_eq!(json!(lines), json!([[1, "withdrawn"], [2, "decided"], [3, "draft"]]));
}

#[test]
fn one_attempt_is_open_however_many_requests_start_it() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let path = format!("/api/v1/micro-credentials/{family}/submissions");
    for round in 1..=scale(50) {
        let barrier = std::sync::Barrier::new(4);
        let mut answers: Vec<Answer> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        earner.post(&path, &json!({}))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        answers.sort_by_key(|answer| answer.status);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [201, 409, 409, 409], "round {round}");
        assert_eq!(answers[0].json["attempt"], round);
        earner.act(&format!("{}/withdraw", answers[0].headers["location"])).expect(200);
    }
}

#[test]
fn submission_is_pinned_to_the_version_it_was_started_at() {
    let app = TestApp::new();
    let district = app.district();
    let [author, colleague] = &district.designers;
    let family = district.publish_small_group();
    let earner = &district.earner;
    let submission = start(earner, &family);
    let mut edited = definition("mc-ia-small-group-support");
    edited["version"] = json!("2.0.0");
    edited["submission"]["part1"]["prompts"][0]["id"] = json!("q9");
    let versions = format!("/api/v1/micro-credentials/{family}/versions");
    author.post(&versions, &json!({ "definition": edited })).expect(201);
    let starts = format!("/api/v1/micro-credentials/{family}/submissions");
    let draft = app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    assert_eq!(draft.post(&starts, &json!({ "version": 2 })).problem(), "not-found");
    for designer in [author, colleague] {
        designer.post(&format!("{versions}/2/approvals"), &json!({ "approve": true })).expect(201);
    }
    author.act(&format!("{versions}/2/publish")).expect(200);

    assert_eq!(earner.get(&submission).expect(200)["version"], 1);
    save(earner, &submission, &json!({ "responses": { "q1": "As agreed." } })).expect(200);
    let refused = save(earner, &submission, &json!({ "responses": { "q9": "As agreed." } }));
    assert_eq!(refused.faults(), [("/responses/q9".to_owned(), "unknown-prompt".to_owned())]);
    // The newest by default, an older one by its number, none that does not exist.
    assert_eq!(draft.post(&starts, &json!({})).expect(201)["version"], 2);
    let third = app.invite(&district.admin, &district.schools[0], "three@example.org", &["earner"]);
    assert_eq!(third.post(&starts, &json!({ "version": 3 })).problem(), "not-found");
    let early = third.post(&starts, &json!({ "version": 1 })).expect(201);
    assert_eq!(early["version"], 1);
}

#[test]
fn start_takes_an_earner_and_nothing_that_is_not_there() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let starts = format!("/api/v1/micro-credentials/{family}/submissions");
    assert_eq!(app.anybody().post(&starts, &json!({})).problem(), "unauthenticated");
    for person in
        [&district.admin, &district.assessor, &district.designers[0], &district.coordinator]
    {
        assert_eq!(person.post(&starts, &json!({})).problem(), "forbidden");
    }
    let program = district.earner.post(&starts, &json!({ "program_id": "pilot" }));
    assert_eq!(program.faults(), [("/program_id".to_owned(), "no-such-program".to_owned())]);
    let carried = district.earner.post(&starts, &json!({ "reopen_criteria": ["c1"] }));
    assert_eq!(carried.faults()[0].0, "/reopen_criteria");
    let unknown = district.earner.post(&starts, &json!({ "colour": "red" }));
    assert_eq!(unknown.faults()[0], ("/colour".to_owned(), "unknown-field".to_owned()));
    let nowhere = format!("/api/v1/micro-credentials/{}/submissions", district.id);
    assert_eq!(district.earner.post(&nowhere, &json!({})).problem(), "not-found");
    assert_eq!(district.earner.get("/api/v1/submissions").expect(200)["items"], json!([]));
}

#[test]
fn draft_saves_what_is_sent_and_keeps_the_rest() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let submission = start(earner, &family);
    let first = earner.get(&submission);
    let patch = json!({ "responses": { "q1": "Six learners." }, "ai_use": "Spelling only." });
    let missing = earner.send(earner.request(reqwest::Method::PATCH, &submission).json(&patch));
    assert_eq!(missing.problem(), "precondition-required");
    let saved = earner.patch(&submission, &first.etag(), &patch);
    let etag = saved.etag();
    let saved = saved.expect(200);
    assert_eq!(saved["responses"], json!({ "q1": "Six learners." }));
    assert_ne!(etag, first.etag());

    let stale =
        earner.patch(&submission, &first.etag(), &json!({ "responses": { "q1": "Lost." } }));
    assert_eq!(stale.problem(), "stale");
    assert_eq!(stale.json["current"]["responses"], json!({ "q1": "Six learners." }));

    let more = json!({ "responses": { "r1": "Wait longer." }, "integrity_statement": true, "include_results": true });
    let kept = save(earner, &submission, &more).expect(200);
    assert_eq!(kept["responses"], json!({ "q1": "Six learners.", "r1": "Wait longer." }));
    assert_eq!(kept["ai_use"], "Spelling only.");
    assert_eq!(kept["integrity_statement"], true);
    assert_eq!(kept["include_results"], true);
    let less = json!({ "responses": { "r1": null }, "ai_use": null, "include_results": false });
    let kept = save(earner, &submission, &less).expect(200);
    assert_eq!(kept["responses"], json!({ "q1": "Six learners." }));
    assert_eq!(kept["ai_use"], Value::Null);
    assert_eq!(kept["integrity_statement"], true);
    assert_eq!(kept["include_results"], false);

    // One fault, and nothing of the rest is saved.
    let before = earner.get(&submission);
    let mixed = json!({
        "responses": { "q1": "New.", "zz": "Nowhere.", "r1": "x".repeat(20_001) },
        "ai_use": "y".repeat(4_001),
    });
    let refused = save(earner, &submission, &mixed);
    assert_eq!(refused.problem(), "invalid");
    let mut faults = refused.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            ("/ai_use", "too-long"),
            ("/responses/r1", "too-long"),
            ("/responses/zz", "unknown-prompt")
        ]
        .map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
    );
    assert_eq!(earner.get(&submission).bytes, before.bytes);
    let unknown = save(earner, &submission, &json!({ "state": "decided" }));
    assert_eq!(unknown.faults()[0], ("/state".to_owned(), "unknown-field".to_owned()));
    let typed = save(earner, &submission, &json!({ "integrity_statement": "yes" }));
    assert_eq!(typed.faults()[0], ("/integrity_statement".to_owned(), "wrong-type".to_owned()));
}

#[test]
fn handing_in_names_everything_that_is_missing() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let submission = start(earner, &family);
    let check = |expected: &[(&str, &str)]| {
        let before = earner.get(&submission);
        let answer = earner.act(&format!("{submission}/submit"));
        assert_eq!(answer.status, 422);
        assert_eq!(answer.problem(), "invalid");
        let mut faults = answer.faults();
        faults.sort();
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned()))
            .collect();
        assert_eq!(faults, expected);
        assert_eq!(earner.get(&submission).bytes, before.bytes);
    };
    check(&[
        ("/evidence/a1", "evidence-missing"),
        ("/evidence/a2", "evidence-missing"),
        ("/evidence/a3", "evidence-missing"),
        ("/integrity_statement", "integrity-statement-missing"),
        ("/responses/q1", "response-missing"),
        ("/responses/r1", "response-missing"),
    ]);
    let words = ["word"; 201].join(" ");
    save(earner, &submission, &json!({ "responses": { "q1": words, "r1": " \n " } })).expect(200);
    for requirement in ["a1", "a3"] {
        let item = json!({ "requirement_id": requirement, "text": "What was shown." });
        earner.post(&format!("{submission}/evidence"), &item).expect(201);
    }
    check(&[
        ("/evidence/a2", "evidence-missing"),
        ("/integrity_statement", "integrity-statement-missing"),
        ("/responses/q1", "too-many-words"),
        ("/responses/r1", "response-missing"),
    ]);
    let words = ["word"; 200].join(" ");
    let rest = json!({
        "responses": { "q1": words, "r1": "Wait longer." },
        "integrity_statement": true,
    });
    save(earner, &submission, &rest).expect(200);
    let item = json!({ "requirement_id": "a2", "url": "https://video.example.org/session" });
    earner.post(&format!("{submission}/evidence"), &item).expect(201);
    let submitted = earner.act(&format!("{submission}/submit")).expect(200);
    assert_eq!(submitted["state"], "submitted");
    // Ten working days are fourteen days, whatever the day of the week, or two less or more when it begins on a weekend.
    let moment = |name: &str| {
        chrono::DateTime::parse_from_rfc3339(submitted[name].as_str().unwrap()).unwrap()
    };
    let promised = (moment("due_at") - moment("submitted_at")).num_days();
    assert!((12..=14).contains(&promised), "{submitted}");
}

#[test]
fn optional_evidence_may_be_left_out() {
    let app = TestApp::new();
    let district = app.district();
    let mut relaxed = with_policy("mc-relaxed", &[]);
    relaxed["submission"]["part2"]["evidence"][2]["required"] = json!(false);
    let family = district.publish(&relaxed);
    let earner = &district.earner;
    let id = district.fill(earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    let filled = earner.get(&submission).expect(200);
    let remove = |requirement: &str| {
        let items = filled["evidence"].as_array().unwrap();
        let item = items.iter().find(|item| item["requirement_id"] == requirement).unwrap();
        let path = format!("{submission}/evidence/{}", item["id"].as_str().unwrap());
        assert_eq!(earner.delete(&path).status, 204);
    };
    remove("a3");
    remove("a2");
    let answer = earner.act(&format!("{submission}/submit"));
    assert_eq!(answer.faults(), [("/evidence/a2".to_owned(), "evidence-missing".to_owned())]);
    let item = json!({ "requirement_id": "a2", "text": "Shown." });
    earner.post(&format!("{submission}/evidence"), &item).expect(201);
    earner.act(&format!("{submission}/submit")).expect(200);
}

#[test]
fn another_persons_submission_cannot_be_moved() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.fill(&district.earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    let before = district.earner.get(&submission);
    let other = app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    for person in [&other, &district.assessor, &district.admin, &district.officer] {
        assert_eq!(person.get(&submission).problem(), "not-found");
        assert_eq!(person.patch(&submission, &before.etag(), &json!({})).problem(), "not-found");
        for event in ["submit", "recall", "withdraw"] {
            assert_eq!(person.act(&format!("{submission}/{event}")).problem(), "not-found");
        }
        let item = json!({ "requirement_id": "a3", "text": "Mine." });
        assert_eq!(person.post(&format!("{submission}/evidence"), &item).problem(), "not-found");
        let upload = person.upload(&id, "a3", "mine.pdf", &super::pdf("mine"));
        assert_eq!(upload.problem(), "not-found");
    }
    assert_eq!(district.earner.get(&submission).bytes, before.bytes);
}
