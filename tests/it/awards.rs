//! The rules of awards: what a badge says, that there is one, who stops it, who ends it, and how it is published.

mod documents;
mod issuing;
mod pictures;
mod revoking;

use serde_json::{Value, json};

use crate::harness::{Answer, TestApp};

/// The signed badge of an award.
#[track_caller]
fn badge(app: &TestApp, award: &str) -> Answer {
    let answer = app.anybody().get(&format!("/credentials/{award}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// The verdict on a badge, as a stranger gets it.
#[track_caller]
fn verdict(app: &TestApp, badge: &Value) -> Value {
    app.anybody().post("/api/v1/verify", badge).expect(200)
}

/// Stops signing for an organization and everything below, or lets it go on.
#[track_caller]
fn switch_issuing(by: &crate::harness::Person, organization: &str, stopped: bool) {
    let path = format!("/api/v1/organizations/{organization}/issuing");
    let request = by.request(reqwest::Method::PUT, &path).json(&json!({ "stopped": stopped }));
    assert_eq!(by.send(request).expect(200), json!({ "stopped": stopped }));
}
