//! The sheet: saved as a draft, locked when it is complete, final from then on.

use serde_json::{Value, json};

use super::{claimed, path_of, refused};
use crate::harness::{Answer, District, Person, TestApp};

/// A claimed review of the small-group micro-credential.
fn leased(app: &TestApp) -> (District, Answer) {
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let answer = claimed(&district.assessor, &id);
    (district, answer)
}

/// Saves a sheet over whatever is there.
#[track_caller]
fn save(assessor: &Person, review: &str, sheet: &Value) -> Answer {
    let etag = assessor.get(review).etag();
    assessor.put(&format!("{review}/scores"), &etag, sheet)
}

#[track_caller]
fn faulty(answer: &Answer, expected: &[(&str, &str)]) {
    assert_eq!(answer.status, 422, "{answer:?}");
    assert_eq!(answer.problem(), "invalid");
    let mut faults = answer.faults();
    faults.sort();
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned()))
        .collect();
    assert_eq!(faults, expected);
}

#[test]
fn draft_sheet_is_replaced_as_it_was_read() {
    let app = TestApp::new();
    let (district, first) = leased(&app);
    let assessor = &district.assessor;
    let review = path_of(&first.json);
    let path = format!("{review}/scores");
    let half = json!({
        "scores": [
            { "criterion_id": "c1", "level": 2, "feedback": "Foresees a difficulty." },
            { "criterion_id": "q1", "level": null },
        ],
        "overall_feedback": null,
        "unscorable": ["c2"],
    });
    let missing = assessor.send(assessor.request(reqwest::Method::PUT, &path).json(&half));
    assert_eq!(missing.problem(), "precondition-required");
    let saved = assessor.put(&path, &first.etag(), &half);
    assert_ne!(saved.etag(), first.etag());
    let sheet = saved.expect(200)["sheet"].clone();
    assert_eq!(
        sheet,
        json!({
            "scores": [
                { "criterion_id": "c1", "level": 2, "feedback": "Foresees a difficulty." },
                { "criterion_id": "c2", "level": null, "feedback": null },
                { "criterion_id": "q1", "level": null, "feedback": null },
            ],
            "overall_feedback": null,
            "unscorable": ["c2"],
        })
    );
    // What was read is what can be sent back.
    assert_eq!(save(assessor, &review, &sheet).expect(200)["sheet"], sheet);

    let stale = assessor.put(&path, &first.etag(), &json!({ "scores": [] }));
    assert_eq!(stale.problem(), "stale");
    assert_eq!(stale.json["current"]["sheet"], sheet);
    assert_eq!(stale.json["current"]["id"], first.json["id"]);
    assert_eq!(assessor.get(&review).expect(200)["sheet"], sheet);
}

#[test]
fn sheet_knows_its_criteria_and_levels() {
    let app = TestApp::new();
    let (district, first) = leased(&app);
    let assessor = &district.assessor;
    let review = path_of(&first.json);
    let with = |scores: Value, unscorable: Value| {
        save(assessor, &review, &json!({ "scores": scores, "unscorable": unscorable }))
    };
    faulty(
        &with(
            json!([
                { "criterion_id": "c9", "level": 1 },
                { "criterion_id": "c1", "level": 3 },
                { "criterion_id": "q1", "level": 2 },
                { "criterion_id": "c2", "level": 1 },
            ]),
            json!(["c2", "a/b~c"]),
        ),
        &[
            ("/scores/a~1b~0c", "unknown-criterion"),
            ("/scores/c1", "unknown-level"),
            ("/scores/c2", "scored-and-unscorable"),
            ("/scores/c9", "unknown-criterion"),
            ("/scores/q1", "unknown-level"),
        ],
    );
    faulty(
        &with(
            json!([{ "criterion_id": "c1", "level": 1 }, { "criterion_id": "c1", "level": 2 }]),
            json!([]),
        ),
        &[("/scores/1/criterion_id", "duplicate-criterion")],
    );
    faulty(
        &with(
            json!([{ "criterion_id": "c1", "level": 1, "feedback": "x".repeat(10_001) }]),
            json!([]),
        ),
        &[("/scores/0/feedback", "too-long")],
    );
    for level in [json!(-1), json!(256), json!(1.5), json!("1")] {
        let answer = with(json!([{ "criterion_id": "c1", "level": level }]), json!([]));
        faulty(&answer, &[("/scores/0/level", "wrong-type")]);
    }
    faulty(
        &with(json!([{ "criterion_id": "c1", "level": 1, "weight": 2 }]), json!([])),
        &[("/scores/0/weight", "unknown-field")],
    );
    assert_eq!(assessor.get(&review).expect(200)["sheet"], first.json["sheet"]);
}

#[test]
fn locking_names_everything_that_is_missing() {
    let app = TestApp::new();
    let (district, first) = leased(&app);
    let assessor = &district.assessor;
    let review = path_of(&first.json);
    let lock = || assessor.act(&format!("{review}/lock"));
    faulty(
        &lock(),
        &[
            ("/overall_feedback", "overall-feedback-missing"),
            ("/scores/c1", "score-missing"),
            ("/scores/c2", "score-missing"),
            ("/scores/c3", "score-missing"),
            ("/scores/c4", "score-missing"),
            ("/scores/q1", "score-missing"),
            ("/scores/r1", "score-missing"),
        ],
    );
    let sheet = json!({
        "scores": [
            { "criterion_id": "c1", "level": 0 },
            { "criterion_id": "c2", "level": 0, "feedback": " \n" },
            { "criterion_id": "c3", "level": 1 },
            { "criterion_id": "q1", "level": 0, "feedback": "Say who the learners were." },
        ],
        "overall_feedback": "  ",
        "unscorable": ["c4"],
    });
    save(assessor, &review, &sheet).expect(200);
    faulty(
        &lock(),
        &[
            ("/overall_feedback", "overall-feedback-missing"),
            ("/scores/c1", "feedback-missing"),
            ("/scores/c2", "feedback-missing"),
            ("/scores/c4", "feedback-missing"),
            ("/scores/r1", "score-missing"),
        ],
    );
    assert_eq!(assessor.get(&review).expect(200)["state"], "leased");
    // At the pass level nothing has to be said.
    let mut whole = District::sheet(&first.json, 0);
    for line in whole["scores"].as_array_mut().unwrap() {
        line["feedback"] = Value::Null;
    }
    save(assessor, &review, &whole).expect(200);
    assert_eq!(lock().expect(200)["state"], "locked");
}

#[test]
fn locked_sheet_is_final() {
    let app = TestApp::new();
    let (district, first) = leased(&app);
    let assessor = &district.assessor;
    let review = path_of(&first.json);
    let sheet = District::sheet(&first.json, 0);
    save(assessor, &review, &sheet).expect(200);
    let locked = assessor.act(&format!("{review}/lock"));
    let etag = locked.etag();
    let locked = locked.expect(200);
    assert_eq!(locked["is_decided"], true);
    assert_eq!(locked["allowed_events"], json!([]));
    assert_eq!(locked["lease_expires_at"], Value::Null);
    assert_ne!(locked["locked_at"], Value::Null);
    assert_eq!(locked["work"], Value::Null);
    let before = assessor.get(&review);
    refused(&assessor.put(&format!("{review}/scores"), &etag, &sheet), &[]);
    for event in ["lock", "renew"] {
        refused(&assessor.act(&format!("{review}/{event}")), &[]);
    }
    let reason = json!({ "reason": "I have second thoughts." });
    refused(&assessor.post(&format!("{review}/recuse"), &reason), &[]);
    assert_eq!(assessor.get(&review).bytes, before.bytes);
    let page = assessor.get("/api/v1/reviews?state=locked").expect(200);
    assert_eq!(page["items"][0]["id"], first.json["id"]);
    assert_eq!(assessor.get("/api/v1/reviews?state=leased").expect(200)["items"], json!([]));
    assert_eq!(assessor.get("/api/v1/reviews?state=final").problem(), "invalid");
}

#[test]
fn unscorable_criterion_counts_as_not_met() {
    let app = TestApp::new();
    let district = app.district();
    let mut one_reader = crate::harness::definition("mc-ia-small-group-support");
    one_reader["id"] = json!("mc-one-reader");
    one_reader["review_policy"]["second_score_when_not_yet"] = json!(false);
    let family = district.publish(&one_reader);
    let id = district.submit(&district.earner, &family);
    let first = claimed(&district.assessor, &id);
    let review = path_of(&first.json);
    let mut sheet = District::sheet(&first.json, 0);
    let scores = sheet["scores"].as_array_mut().unwrap();
    scores.retain(|line| line["criterion_id"] != "c3");
    scores.push(json!({ "criterion_id": "c3", "feedback": "The recording has no sound." }));
    sheet["unscorable"] = json!(["c3"]);
    save(&district.assessor, &review, &sheet).expect(200);
    assert_eq!(district.assessor.act(&format!("{review}/lock")).expect(200)["is_decided"], true);
    let decided = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    assert_eq!(decided["decision"], "not_yet");
    let line = decided["feedback"]["levels"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["criterion_id"] == "c3")
        .unwrap();
    assert_eq!(line["level"], Value::Null);
    assert_eq!(line["feedback"], "The recording has no sound.");
}

#[test]
fn another_assessor_neither_sees_nor_touches_a_sheet() {
    let app = TestApp::new();
    let (district, first) = leased(&app);
    let review = path_of(&first.json);
    let other =
        app.invite(&district.admin, &district.schools[1], "second@example.org", &["assessor"]);
    for person in
        [&other, &district.earner, &district.admin, &district.coordinator, &district.auditor]
    {
        assert_eq!(person.get(&review).problem(), "not-found");
        let sheet = District::sheet(&first.json, 0);
        let put = person.put(&format!("{review}/scores"), &first.etag(), &sheet);
        assert_eq!(put.problem(), "not-found");
        for event in ["lock", "renew"] {
            assert_eq!(person.act(&format!("{review}/{event}")).problem(), "not-found");
        }
        let reason = json!({ "reason": "Not mine." });
        assert_eq!(person.post(&format!("{review}/recuse"), &reason).problem(), "not-found");
        assert_eq!(person.get("/api/v1/reviews").expect(200)["items"], json!([]));
    }
    assert_eq!(district.assessor.get(&review).etag(), first.etag());
}
