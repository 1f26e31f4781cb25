//! Frameworks: packages go in and out without a loss, what goes out follows the published schema, and alignments reach the badge.

mod alignments;
mod properties;
mod rubrics;

use std::sync::LazyLock;

use assay::service::case_document::{self, KEPT};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::harness::{District, Person, TestApp, definition};

const STANDARDS: &str = include_str!("fixtures/frameworks/educator-standards.json");

/// The published schema, compiled here and not by the service.
static PUBLISHED: LazyLock<Validator> = LazyLock::new(|| published("cfpackage"));

fn published(class: &str) -> Validator {
    let path = format!("/credential-schemas/case/case_v1p1_{class}-jsonschema1.json");
    let text = std::fs::read_to_string(format!("{}{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&serde_json::from_str(&text).unwrap())
        .unwrap()
}

fn standards() -> Value {
    serde_json::from_str(STANDARDS).unwrap()
}

#[track_caller]
fn assert_follows_schema(package: &Value) {
    let errors: Vec<String> = PUBLISHED
        .iter_errors(package)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

fn frameworks_of(organization: &str) -> String {
    format!("/api/v1/organizations/{organization}/frameworks")
}

#[track_caller]
fn import(district: &District, by: &Person, package: &Value) -> Value {
    by.post(&frameworks_of(&district.id), package).expect(201)
}

#[test]
fn shipped_framework_is_brought_in_once_and_its_items_are_found_at_their_addresses() {
    let app = TestApp::new();
    let district = app.district();
    let designer = &district.designers[0];
    let path = format!("/api/v1/organizations/{}/shipped-frameworks", district.id);
    let body = json!({ "name": "collective-leadership" });
    let framework = designer.post(&path, &body).expect(201);
    assert_eq!(framework["title"], "Teaching for Collective Leadership");
    assert_eq!(designer.post(&path, &body).problem(), "already-there");
    let unknown = designer.post(&path, &json!({ "name": "other" }));
    assert_eq!(unknown.faults(), [("/name".to_owned(), "unknown-framework".to_owned())]);
    assert_eq!(district.earner.post(&path, &body).problem(), "forbidden");

    let id = framework["id"].as_str().unwrap();
    let anybody = app.anybody();
    let page = anybody.get(&format!("/api/v1/frameworks/{id}/items?limit=100")).expect(200);
    let items = page["items"].as_array().unwrap();
    assert_eq!(framework["items"], items.len());
    for outcome in ["Well-being", "Connectedness", "Awareness", "Agency", "Mastery"] {
        let item = items.iter().find(|item| item["label"] == outcome).unwrap();
        assert_eq!(item["item_type"], "Outcome");
        let address = item["uri"].as_str().unwrap();
        let path = address.strip_prefix(crate::harness::BASE_URL).unwrap();
        assert_eq!(anybody.get(path).expect(200), *item);
    }
    for kind in ["Purpose", "Lens", "Strategy", "Quality of learning"] {
        assert!(items.iter().any(|item| item["item_type"] == kind), "{kind}");
    }
    let first = anybody.get(&format!("/api/v1/frameworks/{id}/items?limit=2")).expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let next =
        anybody.get(&format!("/api/v1/frameworks/{id}/items?limit=2&cursor={cursor}")).expect(200);
    assert_eq!(next["items"][0]["position"], 3);
    assert_follows_schema(&anybody.get(&format!("/api/v1/frameworks/{id}/package")).expect(200));
}

#[test]
fn package_comes_out_as_it_went_in_from_one_district_to_the_next() {
    let app = TestApp::new();
    let district = app.district();
    let framework = import(&district, &district.designers[0], &standards());
    // homepage, vendorRank, alignedTo, note~/x, colour, scoringGuide, madeWith
    assert_eq!(framework["kept_members"], 7);
    assert_eq!(framework["rubrics"], 1);
    let path = |id: &Value| format!("/api/v1/frameworks/{}/package", id.as_str().unwrap());
    let exported = app.anybody().get(&path(&framework["id"])).expect(200);
    assert_follows_schema(&exported);
    assert_eq!(exported["extensions"][KEPT]["members"].as_array().unwrap().len(), 7);

    let harbour = app.seed_root("Harbour");
    let stranger = app.seed(&harbour, "designer@harbour.example.org", &["designer"]);
    let second = stranger.post(&frameworks_of(&harbour), &exported).expect(201);
    assert_eq!(app.anybody().get(&path(&second["id"])).expect(200), exported);
    assert_eq!(case_document::read(&exported).unwrap().document, standards());
    let listed =
        app.anybody().get(&format!("/api/v1/frameworks?organization_id={harbour}")).expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["id"], second["id"]);
}

#[test]
fn every_fault_of_a_package_is_listed_with_its_place_and_nothing_is_kept() {
    let app = TestApp::new();
    let district = app.district();
    let designer = &district.designers[0];
    let mut bad = standards();
    bad["CFDocument"].as_object_mut().unwrap().remove("creator");
    bad["CFDocument"]["title"] = json!("  ");
    bad["CFItems"][0]["identifier"] = json!("no guid");
    bad["CFItems"][1]["fullStatement"] = json!(7);
    bad["CFItems"][2]["uri"] = json!("nowhere");
    bad["CFItems"][2]["lastChangeDateTime"] = json!("yesterday");
    bad["CFAssociations"][3]["associationType"] = json!("isLike");
    bad["CFAssociations"][4]["identifier"] = bad["CFAssociations"][3]["identifier"].clone();
    bad["CFRubrics"][0]["CFRubricCriteria"][0]["rubricId"] =
        bad["CFItems"][2]["identifier"].clone();
    let answer = designer.post(&frameworks_of(&district.id), &bad);
    assert_eq!(answer.status, 422);
    let expected = [
        ("/CFAssociations/0/originNodeURI/identifier", "unknown_item"),
        ("/CFAssociations/1/destinationNodeURI/identifier", "unknown_item"),
        ("/CFAssociations/2/destinationNodeURI/identifier", "unknown_item"),
        ("/CFAssociations/3/associationType", "not_allowed"),
        ("/CFAssociations/4/identifier", "repeated_identifier"),
        ("/CFDocument/creator", "missing_field"),
        ("/CFDocument/title", "blank"),
        ("/CFItems/0/identifier", "not_allowed"),
        ("/CFItems/1/fullStatement", "wrong_type"),
        ("/CFItems/2/lastChangeDateTime", "not_allowed"),
        ("/CFItems/2/uri", "bad_address"),
        ("/CFRubrics/0/CFRubricCriteria/0/rubricId", "wrong_owner"),
    ];
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned()))
        .collect();
    assert_eq!(answer.faults(), expected);
    assert_eq!(app.anybody().get("/api/v1/frameworks").expect(200)["items"], json!([]));
}

#[test]
fn nothing_stands_below_itself_and_limits_come_first() {
    let fault = |package: &Value| {
        let errors = case_document::read(package).unwrap_err();
        (errors[0].pointer.clone(), errors[0].code, errors.len())
    };
    let mut circle = standards();
    circle["CFAssociations"][0]["destinationNodeURI"]["identifier"] =
        circle["CFItems"][1]["identifier"].clone();
    let (pointer, code, n) = fault(&circle);
    assert!(pointer == "/CFAssociations/0" || pointer == "/CFAssociations/1", "{pointer}");
    assert_eq!((code, n), ("circle", 1));

    let nested = |layers: usize| (0..layers).fold(json!(1), |inside, _| json!([inside]));
    let mut deep = standards();
    deep["deep"] = nested(case_document::MAX_DEPTH - 1);
    assert!(case_document::read(&deep).is_ok());
    deep["deep"] = nested(case_document::MAX_DEPTH);
    assert_eq!(fault(&deep).1, "too_deep");

    let mut large = standards();
    large["more"] = json!(vec![0; case_document::MAX_VALUES]);
    assert_eq!(fault(&large).1, "too_large");

    let mut inexact = standards();
    inexact["CFItems"][1]["vendorRank"] = json!(9_007_199_254_740_993_i64);
    assert_eq!(fault(&inexact), ("/CFItems/1/vendorRank".to_owned(), "number_not_exact", 1));

    // What an export has set aside has one place to go back to.
    let mut forged = standards();
    let member = json!({ "pointer": "/CFItems/9", "name": "x", "value": 1 });
    forged["extensions"] = json!({ KEPT: { "had_extensions": false, "members": [member] } });
    assert_eq!(fault(&forged).1, "no_place");
    let member = json!({ "pointer": "/CFItems/0", "name": "uri", "value": "https://x.example" });
    forged["extensions"] = json!({ KEPT: { "had_extensions": false, "members": [member] } });
    assert_eq!(fault(&forged).1, "no_place");
}

#[test]
fn newer_package_takes_the_place_of_the_same_framework_only() {
    let app = TestApp::new();
    let district = app.district();
    let designer = &district.designers[0];
    let framework = import(&district, designer, &standards());
    assert_eq!(
        designer.post(&frameworks_of(&district.id), &standards()).problem(),
        "already-there"
    );
    let path = format!("/api/v1/frameworks/{}", framework["id"].as_str().unwrap());
    let etag = designer.get(&path).etag();
    let mut newer = standards();
    newer["CFDocument"]["version"] = json!("2026");
    newer["CFItems"].as_array_mut().unwrap().truncate(2);
    newer["CFAssociations"].as_array_mut().unwrap().truncate(2);
    assert_eq!(district.earner.put(&path, &etag, &newer).problem(), "forbidden");
    let changed = designer.put(&path, &etag, &newer).expect(200);
    assert_eq!((&changed["version"], &changed["items"]), (&json!("2026"), &json!(2)));
    let stale = designer.put(&path, &etag, &newer);
    assert_eq!(stale.problem(), "stale");
    assert_eq!(stale.json["current"]["version"], "2026");
    let items = designer.get(&format!("{path}/items")).expect(200);
    assert_eq!(items["items"].as_array().unwrap().len(), 2);

    let mut other = standards();
    other["CFDocument"]["identifier"] = json!("11111111-2222-4333-8444-555555555555");
    other["CFAssociations"].as_array_mut().unwrap().remove(0);
    let etag = designer.get(&path).etag();
    let refused = designer.put(&path, &etag, &other);
    assert_eq!(
        refused.faults(),
        [("/CFDocument/identifier".to_owned(), "other-framework".to_owned())]
    );
}

#[test]
fn rubric_of_a_published_version_is_a_package_that_can_be_brought_in() {
    let app = TestApp::new();
    let district = app.district();
    let shipped = definition("mc-students-as-leaders");
    let body = json!({ "organization_id": district.id, "definition": shipped });
    let draft = district.designers[0].post("/api/v1/micro-credentials", &body).expect(201);
    let hidden =
        format!("/api/v1/micro-credentials/{}/versions/1/rubric", draft["id"].as_str().unwrap());
    assert_eq!(district.designers[0].get(&hidden).problem(), "not-found");

    let family = district.publish(&definition("mc-shared-decision-making"));
    let path = format!("/api/v1/micro-credentials/{family}/versions/1/rubric");
    let package = app.anybody().get(&path).expect(200);
    assert_follows_schema(&package);
    assert!(published("cfrubric").is_valid(&package["CFRubrics"][0]));
    assert_eq!(app.anybody().get(&path).expect(200), package);
    let submission = &definition("mc-shared-decision-making")["submission"];
    let prompts: Vec<&Value> = ["part1", "part3"]
        .iter()
        .flat_map(|part| submission[*part]["prompts"].as_array().unwrap())
        .collect();
    let criteria = submission["part2"]["criteria"].as_array().unwrap();
    let rows = package["CFRubrics"][0]["CFRubricCriteria"].as_array().unwrap();
    assert_eq!(rows.len(), prompts.len() + criteria.len());
    for (row, prompt) in rows.iter().zip(&prompts) {
        assert_eq!(row["description"], prompt["text"]);
        assert_eq!(row["extensions"]["ext:passLevel"], 1);
    }
    for (row, criterion) in rows[prompts.len()..].iter().zip(criteria) {
        assert_eq!(row["description"], criterion["title"]);
        assert_eq!(row["extensions"]["ext:passLevel"], criterion["pass_level"]);
        assert_eq!(row["extensions"]["ext:essential"], criterion["essential"]);
        let levels = row["CFRubricCriterionLevels"].as_array().unwrap();
        let known = criterion["levels"].as_array().unwrap();
        assert_eq!(levels.len(), known.len());
        for (level, known) in levels.iter().zip(known) {
            assert_eq!(level["score"], known["level"]);
            assert_eq!(level["quality"], known["label"]);
            assert_eq!(level["description"], known["descriptor"]);
        }
    }
    let framework = import(&district, &district.designers[0], &package);
    assert_eq!((&framework["rubrics"], &framework["kept_members"]), (&json!(1), &json!(0)));
    let path = format!("/api/v1/frameworks/{}/package", framework["id"].as_str().unwrap());
    assert_eq!(app.anybody().get(&path).expect(200), package);
}
