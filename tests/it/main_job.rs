//! The main job over HTTP: from a definition to a badge that a stranger verifies.

mod rubric_edit;

use serde_json::json;

use crate::harness::{BASE_URL, TestApp};

#[test]
fn an_earned_submission_becomes_a_valid_badge_and_a_revoked_one_is_invalid() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let badge = app.anybody().get(&format!("/credentials/{award}"));
    assert_eq!(badge.status, 200);
    let text = String::from_utf8(badge.bytes.clone()).unwrap();
    assert_eq!(badge.json["id"], format!("{BASE_URL}/credentials/{award}"));
    let verdict = app.anybody().post("/api/v1/verify", &badge.json).expect(200);
    assert_eq!(verdict["verdict"], "valid", "{verdict}");
    assert_eq!(verdict["credential"]["scoring"]["raters"], 1);
    assert_eq!(verdict["credential"]["scoring"]["assessors_qualified"], false);
    assert_eq!(verdict["credential"]["status"], "active");
    let expecting =
        json!({ "credential": badge.json, "expect": { "email": "earner@example.org" } });
    assert_eq!(
        app.anybody().post("/api/v1/verify", &expecting).expect(200)["recipient_match"],
        "yes"
    );
    let altered = text.replacen("Small-Group", "Large-Group", 1);
    let altered = app
        .anybody()
        .send(app.anybody().request(reqwest::Method::POST, "/api/v1/verify").body(altered));
    assert_eq!(altered.expect(200)["verdict"], "invalid");
    district.revoke(&award).expect(200);
    let verdict = app.anybody().post("/api/v1/verify", &badge.json).expect(200);
    assert_eq!(verdict["verdict"], "invalid");
    assert_eq!(verdict["credential"]["status"], "revoked");
    assert!(app.audit_events() > 20);
}
