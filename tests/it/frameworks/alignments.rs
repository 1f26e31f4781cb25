//! Alignments of a definition and its criteria: part of the text, shown in public, in the badge, and no part of what is scored.

use serde_json::{Value, json};

use crate::harness::{TestApp, definition};

const SMALL_GROUP: &str = "mc-ia-small-group-support";

fn agency() -> Value {
    json!({
        "framework": "Teaching for Collective Leadership",
        "name": "Agency",
        "url": "https://frameworks.example.org/items/agency",
        "identifier": "11111111-2222-4333-8444-555555555555",
        "code": "CL.O4",
        "description": "People set aims and act on them.",
    })
}

fn plain() -> Value {
    json!({ "framework": "District goals", "name": "Goal 2", "url": "https://goals.example.org/2" })
}

fn aligned() -> Value {
    let mut definition = definition(SMALL_GROUP);
    definition["alignments"] = json!([agency()]);
    definition["submission"]["part1"]["prompts"][0]["alignments"] = json!([plain()]);
    definition["submission"]["part2"]["criteria"][0]["alignments"] = json!([agency(), plain()]);
    definition
}

#[test]
fn alignments_reach_the_public_page_the_rubric_and_the_badge() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&aligned());
    let version = app.anybody().get(&format!("/api/v1/micro-credentials/{family}")).expect(200);
    let path = "/api/v1/micro-credentials/validate";
    let before = district.designers[0]
        .post(path, &json!({ "definition": definition(SMALL_GROUP) }))
        .expect(200);
    assert_eq!(version["scoring_hash"], before["scoring_hash"], "nobody is scored by alignments");

    let page = app.anybody().get_as(&format!("/achievements/{family}/versions/1"), "text/html");
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains(r#"href="https://frameworks.example.org/items/agency""#), "{html}");
    assert!(html.contains("CL.O4 Agency") && html.contains("District goals"));

    let rubric =
        app.anybody().get(&format!("/api/v1/micro-credentials/{family}/versions/1/rubric"));
    let rubric = rubric.expect(200);
    super::assert_follows_schema(&rubric);
    let rows = rubric["CFRubrics"][0]["CFRubricCriteria"].as_array().unwrap();
    let row = rows.iter().find(|row| row.get("CFItemURI").is_some()).unwrap();
    assert_eq!(row["CFItemURI"]["identifier"], agency()["identifier"]);
    assert_eq!(row["extensions"]["ext:alignments"], json!([agency(), plain()]));

    let (_, award) = district.award(&district.earner, &family);
    let badge = app.anybody().get(&format!("/credentials/{award}")).expect(200);
    let achievement = &badge["credentialSubject"]["achievement"];
    let target = json!({
        "type": ["Alignment"],
        "targetName": "Agency",
        "targetUrl": "https://frameworks.example.org/items/agency",
        "targetCode": "CL.O4",
        "targetFramework": "Teaching for Collective Leadership",
        "targetDescription": "People set aims and act on them.",
        "targetType": "CFItem",
    });
    let goal = json!({
        "type": ["Alignment"],
        "targetName": "Goal 2",
        "targetUrl": "https://goals.example.org/2",
        "targetFramework": "District goals",
    });
    assert_eq!(achievement["alignment"], json!([target]));
    assert_eq!(achievement["resultDescription"][0]["alignment"], json!([target, goal]));
    assert_eq!(achievement["resultDescription"][1].get("alignment"), None);
    let verdict = app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(verdict["checks"][2]["outcome"], "pass", "{verdict}");
    let mut changed = badge.clone();
    changed["credentialSubject"]["achievement"]["resultDescription"][0]["alignment"][0]["targetName"] =
        json!("Mastery");
    let verdict = app.anybody().post("/api/v1/verify", &changed).expect(200);
    assert_eq!(verdict["verdict"], "invalid", "alignments are signed");
}

#[test]
fn badge_without_alignments_has_no_word_of_them() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let badge = app.anybody().get(&format!("/credentials/{award}")).expect(200);
    assert!(!badge.to_string().contains("lignment"), "{badge}");
}

#[test]
fn alignment_has_a_framework_a_name_and_an_address_and_stands_once() {
    let app = TestApp::new();
    let district = app.district();
    let validate = |definition: &Value| {
        let body = json!({ "definition": definition });
        let path = "/api/v1/micro-credentials/validate";
        let answer = district.designers[0].post(path, &body).expect(200);
        let findings = answer["findings"].as_array().unwrap().clone();
        let pair = |finding: &Value| {
            (
                finding["pointer"].as_str().unwrap().to_owned(),
                finding["code"].as_str().unwrap().to_owned(),
            )
        };
        findings.iter().map(pair).collect::<Vec<(String, String)>>()
    };
    assert!(validate(&aligned()).is_empty());
    let finding = |pointer: &str, code: &str| (format!("/definition{pointer}"), code.to_owned());
    let mut bad = aligned();
    bad["alignments"] =
        json!([{ "framework": "F", "url": "ftp://x.example", "level": 2, "identifier": "ABC" }]);
    assert_eq!(
        validate(&bad),
        [
            finding("/alignments/0/identifier", "bad_text"),
            finding("/alignments/0/level", "unknown_field"),
            finding("/alignments/0/name", "missing_field"),
            finding("/alignments/0/url", "bad_text"),
        ]
    );
    let mut twice = aligned();
    let mut again = agency();
    again["name"] = json!("The same under another name");
    twice["submission"]["part2"]["criteria"][0]["alignments"] = json!([agency(), plain(), again]);
    let place = "/submission/part2/criteria/0/alignments/2/url";
    assert_eq!(validate(&twice), [finding(place, "repeated_alignment")]);
    let many = |n: usize| -> Vec<Value> {
        let one = |index| json!({ "framework": "F", "name": "N", "url": format!("https://f.example/{index}") });
        (0..n).map(one).collect()
    };
    let mut most = definition(SMALL_GROUP);
    most["alignments"] = json!(many(20));
    assert!(validate(&most).is_empty());
    most["alignments"] = json!(many(21));
    assert_eq!(validate(&most), [finding("/alignments", "too_many_items")]);
}
