//! A rubric out of one definition and into another: nothing is lost, and what does not fit is said with its place.

use serde_json::{Value, json};

use super::{assert_follows_schema, standards};
use crate::harness::{District, TestApp, definition};

const SMALL_GROUP: &str = "mc-ia-small-group-support";

/// A definition whose rows have everything that a row can have.
fn rich() -> Value {
    let mut definition = definition(SMALL_GROUP);
    let aligned = |n: u8| {
        json!({
            "framework": "District goals", "name": format!("Goal {n}"), "code": format!("G{n}"),
            "url": format!("https://goals.example.org/{n}"), "description": "What it says.",
            "identifier": format!("11111111-2222-4333-8444-55555555555{n}"),
        })
    };
    definition["submission"]["part1"]["prompts"][0]["alignments"] = json!([aligned(1)]);
    definition["submission"]["part2"]["criteria"][1]["alignments"] =
        json!([aligned(2), aligned(3)]);
    definition
}

/// A draft with other prompts and criteria, and its path.
fn draft(district: &District) -> String {
    let mut other = definition(SMALL_GROUP);
    other["id"] = json!("mc-other");
    let criteria = other["submission"]["part2"]["criteria"].as_array_mut().unwrap();
    criteria.truncate(3);
    criteria[0]["title"] = json!("Something else");
    other["submission"]["part1"]["prompts"][0]["text"] = json!("What else?");
    let body = json!({ "organization_id": district.id, "definition": other });
    let draft = district.designers[0].post("/api/v1/micro-credentials", &body).expect(201);
    format!("/api/v1/micro-credentials/{}/versions/1", draft["id"].as_str().unwrap())
}

#[test]
fn rubric_of_one_definition_becomes_that_of_another_without_a_loss() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&rich());
    let package =
        app.anybody().get(&format!("/api/v1/micro-credentials/{family}/versions/1/rubric"));
    let package = package.expect(200);
    assert_follows_schema(&package);

    let version = draft(&district);
    let path = format!("{version}/rubric");
    let designer = &district.designers[1];
    let etag = designer.get(&version).etag();
    assert_eq!(district.earner.put(&path, &etag, &package).problem(), "not-found");
    let changed = designer.put(&path, &etag, &package).expect(200);
    let rows = |definition: &Value| {
        let submission = &definition["submission"];
        [
            submission["part1"]["prompts"].clone(),
            submission["part2"]["criteria"].clone(),
            submission["part3"]["prompts"].clone(),
        ]
    };
    assert_eq!(rows(&changed["definition"]), rows(&rich()));
    assert_eq!(changed["definition"]["id"], "mc-other");
    assert_eq!(designer.put(&path, &etag, &package).problem(), "stale");

    // The published one takes none.
    let published = format!("/api/v1/micro-credentials/{family}/versions/1");
    let etag = designer.get(&published).etag();
    let refused = designer.put(&format!("{published}/rubric"), &etag, &package);
    assert_eq!((refused.status, refused.problem().as_str()), (409, "wrong-state"));
}

#[test]
fn rubric_of_others_becomes_criteria_whose_cut_somebody_has_to_set() {
    let app = TestApp::new();
    let district = app.district();
    let version = draft(&district);
    let designer = &district.designers[0];
    let etag = designer.get(&version).etag();
    let mut package = standards();
    let path = format!("{version}/rubric");
    let without_levels = "/CFRubrics/0/CFRubricCriteria/1".to_owned();
    assert_eq!(
        designer.put(&path, &etag, &package).faults(),
        [(without_levels, "too_few_items".to_owned())]
    );
    let second = "22222222-3333-4444-8555-6666666666";
    package["CFRubrics"][0]["CFRubricCriteria"][1]["CFRubricCriterionLevels"] = (0..3)
        .map(|n| {
            json!({
                "identifier": format!("{second}{n:02}"), "uri": format!("urn:uuid:{second}{n:02}"),
                "lastChangeDateTime": "2025-03-01T09:30:00+00:00",
            })
        })
        .collect();
    // Positions count, not the order of the list.
    let criteria = package["CFRubrics"][0]["CFRubricCriteria"].as_array_mut().unwrap();
    for (index, criterion) in criteria.iter_mut().enumerate() {
        criterion.as_object_mut().unwrap().remove("extensions");
        let levels = criterion["CFRubricCriterionLevels"].as_array_mut().unwrap();
        let n = levels.len();
        for (index, level) in levels.iter_mut().enumerate() {
            level["position"] = json!(n - index);
            level["description"] = json!(format!("What level {} looks like.", n - index - 1));
        }
        criterion["position"] = json!(index + 1);
    }
    let known: Vec<Value> =
        criteria.iter().map(|criterion| criterion["description"].clone()).collect();
    let changed = designer.put(&path, &etag, &package).expect(200);
    let submission = &changed["definition"]["submission"];
    let found = submission["part2"]["criteria"].as_array().unwrap();
    let titles: Vec<Value> = found.iter().map(|criterion| criterion["title"].clone()).collect();
    assert_eq!(titles, known);
    assert!(submission.get("part1").is_none() && submission.get("part3").is_none());
    for criterion in found {
        assert_eq!((&criterion["pass_level"], &criterion["evidence"]), (&json!(0), &json!([])));
        for (number, level) in criterion["levels"].as_array().unwrap().iter().enumerate() {
            assert_eq!(level["level"], json!(number));
            assert_eq!(level["descriptor"], format!("What level {number} looks like."));
        }
    }
    let body = json!({ "definition": changed["definition"] });
    let report = designer.post("/api/v1/micro-credentials/validate", &body).expect(200);
    let codes: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"pass_level_zero"), "{codes:?}");
    assert!(codes.contains(&"criterion_without_evidence"), "{codes:?}");
}

#[test]
fn every_fault_of_a_rubric_is_listed_with_its_place_in_the_package() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&rich());
    let path = format!("/api/v1/micro-credentials/{family}/versions/1/rubric");
    let package = app.anybody().get(&path).expect(200);
    let version = draft(&district);
    let designer = &district.designers[0];
    let faults = |package: &Value| {
        let etag = designer.get(&version).etag();
        let answer = designer.put(&format!("{version}/rubric"), &etag, package);
        assert_eq!(answer.status, 422);
        answer.faults()
    };
    let at = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    let mut none = package.clone();
    none["CFRubrics"] = json!([]);
    assert_eq!(faults(&none), [at("/CFRubrics", "one_rubric")]);

    let criteria = "/CFRubrics/0/CFRubricCriteria";
    let mut bad = package.clone();
    bad["CFRubrics"][0]["CFRubricCriteria"][0]["extensions"]["ext:part"] = json!("part9");
    bad["CFRubrics"][0]["CFRubricCriteria"][1]["description"] = json!(" ");
    bad["CFRubrics"][0]["CFRubricCriteria"][2]["CFRubricCriterionLevels"][1]
        .as_object_mut()
        .unwrap()
        .remove("description");
    assert_eq!(
        faults(&bad),
        [
            at(&format!("{criteria}/0/extensions/ext:part"), "unknown_part"),
            at(&format!("{criteria}/1/description"), "blank"),
            at(&format!("{criteria}/2/CFRubricCriterionLevels/1/description"), "blank"),
        ]
    );

    // What only our definitions refuse is said at the place in the package too. The third row is the first criterion.
    let mut long = package.clone();
    long["CFRubrics"][0]["CFRubricCriteria"][2]["description"] = json!("x".repeat(201));
    long["CFRubrics"][0]["CFRubricCriteria"][2]["CFRubricCriterionLevels"][0]["quality"] =
        json!("x".repeat(101));
    let found = faults(&long);
    assert_eq!(
        found.iter().map(|fault| fault.0.as_str()).collect::<Vec<_>>(),
        [
            format!("{criteria}/2/CFRubricCriterionLevels/0/quality"),
            format!("{criteria}/2/description"),
        ]
    );
}

#[test]
fn rubric_of_every_shipped_definition_goes_out_by_the_published_schemas_and_comes_back_whole() {
    let app = TestApp::new();
    let district = app.district();
    let designer = &district.designers[0];
    let rubric = super::published("cfrubric");
    for id in [SMALL_GROUP, "mc-shared-decision-making", "mc-students-as-leaders"] {
        let shipped = definition(id);
        let family = district.publish(&shipped);
        let path = format!("/api/v1/micro-credentials/{family}/versions/1/rubric");
        let package = app.anybody().get(&path).expect(200);
        assert_follows_schema(&package);
        for one in package["CFRubrics"].as_array().unwrap() {
            let errors: Vec<String> =
                rubric.iter_errors(one).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{id}: {errors:?}");
        }
        // Into a draft whose own rows are turned round and half gone, and out again.
        let mut other = shipped.clone();
        other["id"] = json!(format!("{id}-again"));
        let criteria = other["submission"]["part2"]["criteria"].as_array_mut().unwrap();
        criteria.reverse();
        criteria.truncate(3);
        let body = json!({ "organization_id": district.id, "definition": other });
        let draft = designer.post("/api/v1/micro-credentials", &body).expect(201);
        let version =
            format!("/api/v1/micro-credentials/{}/versions/1", draft["id"].as_str().unwrap());
        let etag = designer.get(&version).etag();
        let changed = designer.put(&format!("{version}/rubric"), &etag, &package).expect(200);
        for part in ["part1", "part2", "part3"] {
            assert_eq!(
                changed["definition"]["submission"][part], shipped["submission"][part],
                "{id}: {part}"
            );
        }
        // Nothing that scores depend on has got lost on the way.
        let published = designer.get(&format!("/api/v1/micro-credentials/{family}/versions/1"));
        assert_eq!(changed["scoring_hash"], published.expect(200)["scoring_hash"], "{id}");
    }
}
