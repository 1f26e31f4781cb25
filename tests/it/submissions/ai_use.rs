//! What earners are told about the use of AI, and what they say.

use serde_json::{Value, json};

use super::save;
use crate::harness::{District, Person, TestApp};

#[track_caller]
fn put(person: &Person, organization: &str, policy: &str, revision: u32) -> crate::harness::Answer {
    let path = format!("/api/v1/organizations/{organization}/ai-use-policy");
    let body = json!({ "policy": policy, "statement": format!("With us it is {policy}.") });
    person.put(&path, &format!("\"{revision}\""), &body)
}

fn filled(district: &District) -> String {
    let family = district.publish_small_group();
    format!("/api/v1/submissions/{}", district.fill(&district.earner, &family))
}

#[test]
fn who_says_nothing_asks_for_nothing() {
    let app = TestApp::new();
    let district = app.district();
    let submission = filled(&district);
    let path = format!("/api/v1/organizations/{}/ai-use-policy", district.id);
    assert_eq!(
        district.earner.get(&path).expect(200),
        json!({ "policy": null, "statement": null })
    );
    let submitted = district.earner.act(&format!("{submission}/submit")).expect(200);
    assert_eq!(submitted["ai_use_policy"], json!({ "policy": null, "statement": null }));
}

#[test]
fn nothing_is_handed_in_without_a_statement_where_use_is_to_be_disclosed() {
    let app = TestApp::new();
    let district = app.district();
    let submission = filled(&district);
    put(&district.coordinator, &district.id, "disclosed", 0).expect(200);
    let draft = district.earner.get(&submission).expect(200);
    let shown = json!({ "policy": "disclosed", "statement": "With us it is disclosed." });
    assert_eq!(draft["ai_use_policy"], shown, "shown before it is handed in");
    let refused = district.earner.act(&format!("{submission}/submit"));
    assert_eq!(refused.problem(), "invalid");
    assert_eq!(refused.json["errors"][0]["pointer"], "/ai_use");
    assert_eq!(refused.json["errors"][0]["code"], "ai-use-missing");
    assert_eq!(district.earner.get(&submission).expect(200)["state"], "draft");
    save(&district.earner, &submission, &json!({ "ai_use": " " })).expect(200);
    assert_eq!(district.earner.act(&format!("{submission}/submit")).problem(), "invalid");
    save(&district.earner, &submission, &json!({ "ai_use": "Spelling, with a chat program." }))
        .expect(200);
    district.earner.act(&format!("{submission}/submit")).expect(200);
    // What held then stays, whatever is said later; the words of another policy are not put beside it.
    put(&district.coordinator, &district.id, "forbidden", 1).expect(200);
    let own = district.earner.get(&submission).expect(200);
    assert_eq!(own["ai_use_policy"], json!({ "policy": "disclosed", "statement": "" }));
    assert_eq!(own["ai_use"], "Spelling, with a chat program.");
    // The reader sees both, and not in whose words.
    let review = district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    assert_eq!(review["work"]["ai_use"], "Spelling, with a chat program.");
    assert_eq!(review["work"]["ai_use_policy"], "disclosed");
    assert!(!review.to_string().contains("With us"));
}

#[test]
fn nearest_organization_that_says_something_is_heard() {
    let app = TestApp::new();
    let district = app.district();
    put(&district.admin, &district.id, "free", 0).expect(200);
    let school = &district.schools[0];
    let path = format!("/api/v1/organizations/{school}/ai-use-policy");
    assert_eq!(district.earner.get(&path).expect(200)["policy"], "free");
    assert_eq!(district.admin.get(&path).etag(), "\"0\"", "none of its own");
    put(&district.admin, school, "forbidden", 0).expect(200);
    assert_eq!(district.earner.get(&path).expect(200)["policy"], "forbidden");
    let of_district = format!("/api/v1/organizations/{}/ai-use-policy", district.id);
    assert_eq!(district.earner.get(&of_district).expect(200)["policy"], "free");
    let stale = put(&district.admin, school, "free", 0);
    assert_eq!(stale.problem(), "stale");
    assert_eq!(stale.json["current"]["policy"], "forbidden");
}

#[test]
fn policy_needs_a_known_word_and_a_statement() {
    let app = TestApp::new();
    let district = app.district();
    let path = format!("/api/v1/organizations/{}/ai-use-policy", district.id);
    for (body, pointer) in [
        (json!({ "policy": "maybe", "statement": "x" }), "/policy"),
        (json!({ "policy": "free", "statement": "  " }), "/statement"),
        (json!({ "policy": "free", "statement": "x".repeat(2001) }), "/statement"),
    ] {
        let refused = district.admin.put(&path, "\"0\"", &body);
        assert_eq!(refused.status, 422, "{refused:?}");
        assert_eq!(refused.json["errors"][0]["pointer"], pointer);
    }
    assert_eq!(district.admin.get(&path).expect(200)["policy"], Value::Null);
}
