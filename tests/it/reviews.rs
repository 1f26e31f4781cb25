//! The rules of scoring: who may read what, seats and leases, sheets, blindness, and what a locked sheet leads to.

mod blindness;
mod double;
mod eligibility;
mod metadata;
mod modes;
mod rereads;
mod seats;
mod sheets;

use serde_json::{Value, json};

use crate::harness::{Answer, Person};

/// Asks for the most urgent work.
#[track_caller]
fn claim(assessor: &Person) -> Answer {
    assessor.post("/api/v1/reviews/claim", &json!({}))
}

/// Claims, and expects this submission.
#[track_caller]
fn claimed(assessor: &Person, submission: &str) -> Answer {
    let answer = claim(assessor);
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json["submission_id"], submission);
    assert_eq!(answer.headers["location"], path_of(&answer.json));
    answer
}

/// Claims, and expects that there is nothing.
#[track_caller]
fn nothing_to_claim(assessor: &Person) {
    let answer = claim(assessor);
    assert_eq!(answer.status, 204, "{answer:?}");
    assert!(answer.bytes.is_empty());
}

/// The path of a review.
#[track_caller]
fn path_of(review: &Value) -> String {
    format!("/api/v1/reviews/{}", review["id"].as_str().unwrap())
}

/// Steps back.
#[track_caller]
fn recuse(assessor: &Person, review: &Value) {
    let reason = json!({ "reason": "I recognise this person." });
    let recused = assessor.post(&format!("{}/recuse", path_of(review)), &reason).expect(200);
    assert_eq!(recused["state"], "recused");
}

/// Expects a 409 that lists exactly these events.
#[track_caller]
fn refused(answer: &Answer, allowed_events: &[&str]) {
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(answer.problem(), "wrong-state");
    assert_eq!(answer.json["allowed_events"], json!(allowed_events));
}
