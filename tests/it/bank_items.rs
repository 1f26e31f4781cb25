//! The assessment bank: what is published under an item of a framework can be taken into other definitions, as it is.

use serde_json::{Value, json};

use crate::harness::{Answer, District, TestApp, definition};

const SMALL_GROUP: &str = "mc-ia-small-group-support";
const AGENCY: &str = "11111111-2222-4333-8444-555555555555";
const GOAL: &str = "11111111-2222-4333-8444-666666666666";

fn aligned(identifier: &str) -> Value {
    json!({
        "framework": "District goals", "name": "Goal", "identifier": identifier,
        "url": format!("https://goals.example.org/{identifier}"),
    })
}

/// One prompt and one criterion belong to an item of a framework, another criterion to something without a GUID.
fn source() -> Value {
    let mut definition = definition(SMALL_GROUP);
    let submission = &mut definition["submission"];
    submission["part1"]["prompts"][0]["alignments"] = json!([aligned(AGENCY)]);
    submission["part2"]["criteria"][0]["alignments"] = json!([aligned(AGENCY), aligned(GOAL)]);
    let mut nameless = aligned(GOAL);
    nameless.as_object_mut().unwrap().remove("identifier");
    submission["part2"]["criteria"][1]["alignments"] = json!([nameless]);
    definition
}

fn draft(district: &District, slug: &str) -> String {
    let mut other = definition(SMALL_GROUP);
    other["id"] = json!(slug);
    let body = json!({ "organization_id": district.id, "definition": other });
    let draft = district.designers[0].post("/api/v1/micro-credentials", &body).expect(201);
    format!("/api/v1/micro-credentials/{}/versions/1", draft["id"].as_str().unwrap())
}

fn listed(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.anybody().get(&format!("/api/v1/bank-items?{query}")).expect(200);
    page["items"].as_array().unwrap().clone()
}

fn take(district: &District, version: &str, body: &Value) -> Answer {
    let designer = &district.designers[0];
    let etag = designer.get(version).etag();
    let path = format!("{version}/bank-items");
    designer
        .send(designer.request(reqwest::Method::POST, &path).header("if-match", etag).json(body))
}

#[test]
fn published_rows_are_found_by_the_item_of_a_framework_that_they_belong_to() {
    let app = TestApp::new();
    let district = app.district();
    let waiting = draft(&district, "mc-draft");
    assert_eq!(listed(&app, "limit=25"), Vec::<Value>::new());
    let family = district.publish(&source());
    let rows = |query: &str| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        listed(&app, query)
            .iter()
            .map(|item| (text(&item["kind"]), text(&item["row_id"])))
            .collect()
    };
    let pair = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
    let both = [pair("prompt", "q1"), pair("criterion", "c1")];
    assert_eq!(rows(&format!("framework_item={AGENCY}")), both);
    assert_eq!(rows(&format!("framework_item={AGENCY}&kind=prompt")), both[..1]);
    assert_eq!(rows(&format!("framework_item={GOAL}")), both[1..]);
    assert_eq!(rows(&format!("organization_id={}", district.id)), both);
    assert_eq!(rows(&format!("organization_id={}", district.schools[0])), []);
    let unknown = app.anybody().get("/api/v1/bank-items?kind=lens");
    assert_eq!(unknown.status, 422);

    let item = listed(&app, "kind=criterion").remove(0);
    assert_eq!((&item["micro_credential_id"], &item["version"]), (&json!(family), &json!(1)));
    let criterion = &source()["submission"]["part2"]["criteria"][0];
    for member in ["title", "levels", "pass_level", "alignments"] {
        assert_eq!(item["content"][member], criterion[member], "{member}");
    }
    assert!(item["content"].get("evidence").is_none() && item["content"].get("id").is_none());
    let path = format!("/api/v1/bank-items/{}", item["id"].as_str().unwrap());
    assert_eq!(app.anybody().get(&path).expect(200), item);

    // The next version with the same words brings nothing new, and a changed row comes beside the old one.
    let designer = &district.designers[0];
    let mut next = source();
    next["version"] = json!("2.0.0");
    next["submission"]["part2"]["criteria"][0]["title"] = json!("Said in another way");
    let body = json!({ "definition": next });
    designer.post(&format!("/api/v1/micro-credentials/{family}/versions"), &body).expect(201);
    let second = format!("/api/v1/micro-credentials/{family}/versions/2");
    for voter in &district.designers {
        let vote = json!({ "approve": true, "comment": "" });
        voter.post(&format!("{second}/approvals"), &vote).expect(201);
    }
    assert_eq!(listed(&app, "limit=25").len(), 2, "before it is published nobody takes it");
    designer.act(&format!("{second}/publish")).expect(200);
    assert_eq!(rows(&format!("framework_item={GOAL}")), [both[1].clone(), both[1].clone()]);
    assert_eq!(rows("kind=prompt").len(), 1);
    designer.get(&waiting).expect(200);
}

#[test]
fn item_is_taken_as_it_is_and_counted_when_it_is_published() {
    let app = TestApp::new();
    let district = app.district();
    district.publish(&source());
    let item = listed(&app, "kind=criterion").remove(0);
    let version = draft(&district, "mc-other");
    let body = json!({
        "bank_item_id": item["id"], "id": "c9", "evidence": ["a1"], "essential": true,
    });
    let etag = district.designers[0].get(&version).etag();
    let earner = &district.earner;
    let path = format!("{version}/bank-items");
    let refused = earner
        .send(earner.request(reqwest::Method::POST, &path).header("if-match", etag).json(&body));
    assert_eq!(refused.problem(), "not-found");
    let changed = take(&district, &version, &body).expect(200);
    let criteria = changed["definition"]["submission"]["part2"]["criteria"].as_array().unwrap();
    let taken = criteria.last().unwrap();
    assert_eq!((&taken["id"], &taken["bank_item"]), (&json!("c9"), &item["id"]));
    assert_eq!((&taken["evidence"], &taken["essential"]), (&json!(["a1"]), &json!(true)));
    for (member, value) in item["content"].as_object().unwrap() {
        assert_eq!(taken[member], *value, "{member}");
    }
    assert_eq!(listed(&app, "kind=criterion")[0]["uses"], 0);

    for voter in &district.designers {
        let vote = json!({ "approve": true, "comment": "" });
        voter.post(&format!("{version}/approvals"), &vote).expect(201);
    }
    district.designers[0].act(&format!("{version}/publish")).expect(200);
    let found = listed(&app, "kind=criterion");
    assert_eq!((found.len(), &found[0]["uses"]), (1, &json!(1)), "it stands in the bank once");
    let published = take(&district, &version, &body);
    assert_eq!(published.problem(), "wrong-state");

    // Out of the rubric and in again, it still names where it came from.
    let package = app.anybody().get(&format!("{version}/rubric")).expect(200);
    let rows = package["CFRubrics"][0]["CFRubricCriteria"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["extensions"]["ext:bankItem"] == item["id"]));
}

#[test]
fn row_that_names_the_bank_has_its_words_and_is_there() {
    let app = TestApp::new();
    let district = app.district();
    district.publish(&source());
    let criterion = listed(&app, "kind=criterion").remove(0);
    let prompt = listed(&app, "kind=prompt").remove(0);
    let version = draft(&district, "mc-other");
    let designer = &district.designers[0];
    let body = json!({ "bank_item_id": criterion["id"], "id": "c9", "evidence": ["a1"] });
    let mut definition = take(&district, &version, &body).expect(200)["definition"].clone();
    let faults = |definition: &Value| {
        let etag = designer.get(&version).etag();
        designer.put(&version, &etag, &json!({ "definition": definition })).faults()
    };
    let place = "/definition/submission/part2/criteria/4";
    let place = format!("{place}/bank_item");
    // Whether it is essential, and what shows it, is for each definition to say.
    definition["submission"]["part2"]["criteria"][4]["essential"] = json!(true);
    let etag = designer.get(&version).etag();
    designer.put(&version, &etag, &json!({ "definition": definition })).expect(200);
    let mut changed = definition.clone();
    changed["submission"]["part2"]["criteria"][4]["levels"][1]["descriptor"] = json!("Milder.");
    assert_eq!(faults(&changed), [(place.clone(), "changed-bank-item".to_owned())]);
    let mut lower = definition.clone();
    lower["submission"]["part2"]["criteria"][4]["pass_level"] = json!(2);
    assert_eq!(faults(&lower), [(place.clone(), "changed-bank-item".to_owned())]);
    let mut other_kind = definition.clone();
    other_kind["submission"]["part2"]["criteria"][4]["bank_item"] = prompt["id"].clone();
    assert_eq!(faults(&other_kind), [(place.clone(), "unknown-bank-item".to_owned())]);
    let report = designer
        .post("/api/v1/micro-credentials/validate", &json!({ "definition": other_kind }))
        .expect(200);
    assert_eq!(report["findings"][0]["code"], "unknown-bank-item");
    // Without the reference the words are one's own.
    let row = changed["submission"]["part2"]["criteria"][4].as_object_mut().unwrap();
    row.remove("bank_item");
    let etag = designer.get(&version).etag();
    designer.put(&version, &etag, &json!({ "definition": changed })).expect(200);

    let nothing = json!({ "bank_item_id": district.id, "id": "c10" });
    assert_eq!(
        take(&district, &version, &nothing).faults(),
        [("/bank_item_id".to_owned(), "unknown-bank-item".to_owned())]
    );
    let nowhere = json!({ "bank_item_id": prompt["id"], "id": "q9" });
    assert_eq!(
        take(&district, &version, &nowhere).faults(),
        [("/part".to_owned(), "part".to_owned())]
    );
    let after = json!({ "bank_item_id": prompt["id"], "id": "q9", "part": "part1" });
    let changed = take(&district, &version, &after).expect(200);
    let prompts = changed["definition"]["submission"]["part1"]["prompts"].as_array().unwrap();
    assert_eq!(prompts.last().unwrap()["bank_item"], prompt["id"]);
}
