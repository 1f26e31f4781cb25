//! What coordinators learn of other people's submissions (DOMAIN.md, section 1): how far they have come, never "not yet".

use serde_json::{Value, json};

use crate::harness::{TestApp, definition};

#[test]
fn not_yet_looks_to_a_coordinator_like_work_that_goes_on() {
    let app = TestApp::new();
    let district = app.district();
    let mut single = definition("mc-ia-small-group-support");
    single["review_policy"]["second_score_when_not_yet"] = json!(false);
    let family = district.publish(&single);
    let submission = district.submit(&district.earner, &family);
    let path = format!("/api/v1/submissions/{submission}");
    let seen = |id: &str| {
        let one = district.coordinator.get(&format!("/api/v1/submissions/{id}")).expect(200);
        let list = district.coordinator.get("/api/v1/submissions").expect(200);
        let line = list["items"].as_array().unwrap().iter().find(|line| line["id"] == id).unwrap();
        assert_eq!(*line, one);
        one
    };
    let waiting = seen(&submission);
    assert_eq!(waiting["progress"], "submitted");
    assert!(waiting["due_at"].is_string());

    district.score(&district.assessor, -1);
    assert_eq!(district.earner.get(&path).expect(200)["decision"], "not_yet");
    let after = seen(&submission);
    let draft = district.fill(&district.earner, &family);
    // A line of its own for the first attempt would tell how it ended.
    assert_eq!(district.coordinator.get(&path).problem(), "not-found");
    let own = |mut view: Value| {
        for member in ["id", "created_at"] {
            view.as_object_mut().unwrap().remove(member);
        }
        view
    };
    assert_eq!(own(after), own(seen(&draft)));
}
