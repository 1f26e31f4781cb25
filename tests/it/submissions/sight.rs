//! Who sees what of a submission, and when.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::publish_decided_by_one;
use crate::harness::{District, Person, TestApp};

/// Claims, saves the sheet and returns the path of the review.
#[track_caller]
fn score_without_lock(assessor: &Person, offset: i64) -> String {
    let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
    let etag = claimed.etag();
    let review = claimed.expect(201);
    let path = format!("/api/v1/reviews/{}", review["id"].as_str().unwrap());
    assessor.put(&format!("{path}/scores"), &etag, &District::sheet(&review, offset)).expect(200);
    path
}

/// Expects that the earner sees nothing of a sheet.
#[track_caller]
fn check_held(earner: &Person, submission: &str, state: &str) {
    let answer = earner.get(submission);
    assert_eq!(answer.json["state"], state);
    for member in ["decision", "feedback", "award", "decided_at"] {
        assert_eq!(answer.json[member], Value::Null, "{member}");
    }
    let text = String::from_utf8(answer.bytes).unwrap();
    for words in ["Say how you checked.", "You wait until each learner has spoken.", "not_yet"] {
        assert!(!text.contains(words), "{words} in {text}");
    }
}

#[test]
fn earner_sees_nothing_of_a_sheet_before_the_decision() {
    let app = TestApp::new();
    let district = app.district();
    let family = publish_decided_by_one(&district);
    let earner = &district.earner;
    let submission = format!("/api/v1/submissions/{}", district.submit(earner, &family));
    let review = score_without_lock(&district.assessor, -1);
    check_held(earner, &submission, "in_review");
    district.assessor.act(&format!("{review}/lock")).expect(200);

    let decided = earner.get(&submission).expect(200);
    assert_eq!(decided["decision"], "not_yet");
    assert_eq!(decided["award"], Value::Null);
    let levels = decided["feedback"]["levels"].as_array().unwrap();
    assert_eq!(levels.len(), 6);
    let of = |id: &str| levels.iter().find(|line| line["criterion_id"] == id).unwrap();
    assert_eq!(
        *of("c1"),
        json!({ "criterion_id": "c1", "level": 0, "feedback": "Say how you checked." })
    );
    assert_eq!(*of("q1"), json!({ "criterion_id": "q1", "level": 1, "feedback": "Clear." }));
    assert_eq!(
        decided["feedback"]["overall_feedback"],
        json!(["You wait until each learner has spoken."])
    );
    assert!(!decided.to_string().contains(&district.assessor.id));
}

#[test]
fn locked_sheet_stays_held_while_another_reader_is_awaited() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let submission = format!("/api/v1/submissions/{}", district.submit(&district.earner, &family));
    let review = score_without_lock(&district.assessor, -1);
    district.assessor.act(&format!("{review}/lock")).expect(200);
    check_held(&district.earner, &submission, "queued");
    app.advance(TimeDelta::days(40));
    app.resources.as_system(assay::service::housekeeping::often).unwrap();
    app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
    check_held(&app.sign_in("earner@example.org"), &submission, "queued");
}

#[test]
fn coordinator_sees_how_far_it_is_and_never_that_it_is_not_yet() {
    let app = TestApp::new();
    let district = app.district();
    let family = publish_decided_by_one(&district);
    let earner = &district.earner;
    let coordinator = &district.coordinator;
    let id = district.fill(earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    let look = |path: &str| {
        let answer = coordinator.get(path);
        assert_eq!(answer.headers.get("etag"), None, "a revision tells of saves");
        let seen = answer.expect(200);
        let names: Vec<&str> = seen.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["created_at", "due_at", "id", "micro_credential_id", "person_id", "progress"]
        );
        let page = coordinator.get("/api/v1/submissions").expect(200);
        assert_eq!(page["items"], json!([seen]));
        seen
    };
    let draft = look(&submission);
    assert_eq!(draft["progress"], "working");
    assert_eq!(draft["person_id"], earner.id.as_str());
    earner.act(&format!("{submission}/submit")).expect(200);
    let submitted = look(&submission);
    assert_eq!(submitted["progress"], "submitted");
    assert_ne!(submitted["due_at"], Value::Null);
    let review = score_without_lock(&district.assessor, -1);
    assert_eq!(look(&submission), submitted);
    district.assessor.act(&format!("{review}/lock")).expect(200);
    assert_eq!(earner.get(&submission).expect(200)["decision"], "not_yet");
    // In no member is it other than a draft that somebody works on.
    assert_eq!(look(&submission), draft);

    // The next attempt takes the place of the one before: their number is nobody's business.
    let second = district.fill(earner, &family);
    let seen = look(&format!("/api/v1/submissions/{second}"));
    assert_eq!(seen["progress"], "working");
    earner.act(&format!("/api/v1/submissions/{second}/submit")).expect(200);
    district.score(&district.assessor, 0);
    assert_eq!(look(&format!("/api/v1/submissions/{second}"))["progress"], "earned");

    // A filter by state is for one's own: it would tell who is decided and has not earned.
    for state in ["decided", "draft", "submitted", "resolving"] {
        let page = coordinator.get(&format!("/api/v1/submissions?state={state}")).expect(200);
        assert_eq!(page["items"], json!([]), "{state}");
    }
}

#[test]
fn coordinator_reads_no_evidence_and_changes_nothing() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.fill(&district.earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    let own = district.earner.get(&submission);
    let coordinator = &district.coordinator;
    for item in own.json["evidence"].as_array().unwrap() {
        let content = coordinator.get(item["content_path"].as_str().unwrap());
        assert_eq!(content.status, 404);
        assert_eq!(content.problem(), "not-found");
    }
    assert_eq!(coordinator.patch(&submission, &own.etag(), &json!({})).problem(), "forbidden");
    for event in ["submit", "recall", "withdraw"] {
        assert_eq!(coordinator.act(&format!("{submission}/{event}")).problem(), "forbidden");
    }
    let item = own.json["evidence"][0]["id"].as_str().unwrap();
    assert_eq!(coordinator.delete(&format!("{submission}/evidence/{item}")).problem(), "forbidden");
    assert_eq!(district.earner.get(&submission).bytes, own.bytes);
    // The other roles see nothing at all.
    for person in [&district.admin, &district.officer, &district.auditor, &district.assessor] {
        assert_eq!(person.get("/api/v1/submissions").expect(200)["items"], json!([]));
        assert_eq!(person.get(&submission).problem(), "not-found");
    }
}
