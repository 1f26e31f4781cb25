//! A salary lane: a rule of an authority over the award of a stack.

use serde_json::json;

use super::Pathway;

#[test]
fn a_salary_lane_is_a_rule_over_a_stack() {
    let pathway = Pathway::new(None);
    let district = &pathway.district;
    let human_resources = pathway.app.seed(&district.id, "hr@example.org", &["credit_authority"]);
    let outlook = format!("/api/v1/credit-outlook?stack_id={}", pathway.stack);
    assert_eq!(district.earner.get(&outlook).expect(200)["answer"], "not_known");
    let stack = district.earner.get(&format!("/api/v1/stacks/{}", pathway.stack)).expect(200);
    let rule = json!({ "rule": {
        "id": "lane-two",
        "title": "Salary lane two",
        "source_url": "https://district.example.org/contract#lanes",
        "currency": { "code": "lane", "unit": "lanes", "minor_per_unit": 1 },
        "amounts": [{ "kind": "stack", "id": stack["slug"], "minor": 1 }],
        "categories": ["lane"],
        "cap": { "minor": 1, "period": "ever" },
        "window_days": null,
        "needs_approval": false,
        "valid_from": "2020-01-01",
        "valid_to": null,
    }});
    let path = format!("/api/v1/organizations/{}/credit-rules", district.id);
    let rule = human_resources.post(&path, &rule).expect(201);
    let found = district.earner.get(&outlook).expect(200);
    assert_eq!((&found["answer"], &found["rules"][0]["minor"]), (&json!("will_count"), &json!(1)));

    let (award, [part, _]) = pathway.earn();
    let grants = format!("/api/v1/credit-rules/{}/grants", rule["id"].as_str().unwrap());
    let lane = json!([{ "category": "lane", "minor": 1 }]);
    // A part of the stack is no stack.
    let refused = human_resources.post(&grants, &json!({ "award_id": part, "allocations": lane }));
    assert_eq!((refused.status, refused.faults()[0].1.as_str()), (422, "not-named"));
    human_resources.post(&grants, &json!({ "award_id": award, "allocations": lane })).expect(201);
    // The cap is used up: another one may count only where the rule gets a new one.
    let found = district.earner.get(&outlook).expect(200);
    assert_eq!(found["rules"][0]["doubts"], json!(["cap_leaves_less"]));

    // A part falls, the stack's award is suspended, and the lane is flagged and not taken back.
    district.revoke(&part).expect(200);
    let own = pathway.app.sign_in(&district.earner.email);
    let line = own.get("/api/v1/me/credit-grants").expect(200)["items"][0].clone();
    assert_eq!((&line["flag"], &line["minor"]), (&json!("suspended"), &json!(1)));

    // Human resources take it back: the lane is open again, and the award of the stack once it is.
    let reversal = format!("/api/v1/credit-grants/{}/reversal", line["id"].as_str().unwrap());
    let reason = json!({ "reason": "A part of it was revoked." });
    human_resources.post(&reversal, &reason).expect(201);
    let found = own.get(&outlook).expect(200);
    assert_eq!(
        (&found["answer"], &found["rules"][0]["doubts"]),
        (&json!("will_count"), &json!([]))
    );
    let again = json!({ "award_id": award, "allocations": lane });
    assert_eq!(human_resources.post(&grants, &again).problem(), "wrong-state");
}
