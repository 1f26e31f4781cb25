//! How a stack becomes public: written by one designer, published by another, and for ever as it is.

use serde_json::{Value, json};

use super::{ELECTIVES, FOUNDATION, publish, publish_stack, shipped};
use crate::harness::TestApp;

#[test]
fn stack_is_published_by_somebody_who_has_not_written_it() {
    let app = TestApp::new();
    let district = app.district();
    let [author, colleague] = &district.designers;
    let path = format!("/api/v1/organizations/{}/stacks", district.id);
    let mut document = shipped("pathway-grow-your-own");
    let body = json!({ "definition": document });
    assert_eq!(district.earner.post(&path, &body).problem(), "forbidden");
    let draft = author.post(&path, &body).expect(201);
    assert_eq!((&draft["state"], &draft["version"]), (&json!("draft"), &json!(1)));
    assert_eq!(author.post(&path, &body).problem(), "already-there");
    let own = format!("/api/v1/stacks/{}", draft["id"].as_str().unwrap());

    // Nobody else knows of a draft.
    assert_eq!(app.anybody().get(&own).problem(), "not-found");
    assert_eq!(district.earner.get(&own).problem(), "not-found");
    assert_eq!(app.anybody().get("/api/v1/stacks").expect(200)["items"], json!([]));
    assert_eq!(colleague.get("/api/v1/stacks").expect(200)["items"][0]["id"], draft["id"]);
    assert_eq!(district.earner.get(&format!("{own}/progress")).problem(), "not-found");
    assert_eq!(colleague.get(&format!("{own}/progress")).problem(), "wrong-state");
    assert_eq!(app.anybody().get(&own.replace("/api/v1", "")).problem(), "not-found");

    let faults = |answer: crate::harness::Answer| answer.faults();
    let etag = author.get(&own).etag();
    let mut other = document.clone();
    other["id"] = json!("pathway-other");
    assert_eq!(
        faults(author.put(&own, &etag, &json!({ "definition": other }))),
        [("/definition/id".to_owned(), "slug-changed".to_owned())]
    );
    let mut bad = document.clone();
    bad["rule"]["categories"][0]["min"] = json!(2);
    assert_eq!(
        faults(author.put(&own, &etag, &json!({ "definition": bad }))),
        [("/definition/rule/categories/0/min".to_owned(), "out_of_reach".to_owned())]
    );
    document["summary"] = json!("Said in fewer words.");
    let edited = colleague.put(&own, &etag, &json!({ "definition": document })).expect(200);
    assert_eq!(edited["definition"], document);
    assert_eq!(author.put(&own, &etag, &json!({ "definition": document })).problem(), "stale");

    // What it names has to be there to be earned; each place is listed.
    publish(&district, FOUNDATION, None);
    let missing = author.act(&format!("{own}/publish"));
    let at = |index: u8| {
        (format!("/definition/rule/categories/1/ids/{index}"), "unknown-definition".to_owned())
    };
    assert_eq!(missing.faults(), [at(0), at(1)]);
    for slug in ELECTIVES {
        publish(&district, slug, None);
    }
    assert_eq!(colleague.act(&format!("{own}/publish")).problem(), "forbidden", "its author now");
    assert_eq!(district.earner.act(&format!("{own}/publish")).problem(), "not-found");
    let published = author.act(&format!("{own}/publish")).expect(200);
    assert_eq!(published["state"], "published");
    assert_eq!(app.anybody().get(&own).expect(200)["content_hash"], edited["content_hash"]);
    let etag = author.get(&own).etag();
    let refused = author.put(&own, &etag, &json!({ "definition": document }));
    assert_eq!(refused.problem(), "wrong-state");
    assert_eq!(refused.json["allowed_events"], json!(["retire", "claim"]));
    assert_eq!(author.act(&format!("{own}/publish")).problem(), "wrong-state");
}

#[test]
fn newer_version_takes_the_place_of_the_older_one() {
    let app = TestApp::new();
    let district = app.district();
    for slug in ELECTIVES {
        publish(&district, slug, None);
    }
    let mut document = shipped("stack-collective-leadership");
    let first = publish_stack(&district, &document);
    document["version"] = json!("2.0.0");
    let second = publish_stack(&district, &document);
    let state = |id: &str| app.anybody().get(&format!("/api/v1/stacks/{id}")).expect(200);
    assert_eq!(state(&first)["state"], "retired");
    assert_eq!(
        (&state(&second)["state"], &state(&second)["version"]),
        (&json!("published"), &json!(2))
    );
    let listed = app.anybody().get("/api/v1/stacks").expect(200);
    let ids: Vec<&Value> =
        listed["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&json!(second)]);
    let claim = district.earner.act(&format!("/api/v1/stacks/{first}/awards"));
    assert_eq!(claim.problem(), "wrong-state");

    // The page and the document of either stay where badges point to.
    for id in [&first, &second] {
        let page = app.anybody().get_as(&format!("/stacks/{id}"), "text/html");
        let html = String::from_utf8(page.bytes).unwrap();
        assert!(html.contains("This one:") && html.contains("href=\"/achievements/"), "{html}");
        assert_eq!(html.contains("Nobody can earn this one any more"), *id == first);
        let document = app.anybody().get(&format!("/stacks/{id}")).expect(200);
        assert_eq!(document["achievementType"], "Certificate");
        assert_eq!(document["resultDescription"].as_array().unwrap().len(), 2);
    }
    let retired = district.designers[0].act(&format!("/api/v1/stacks/{second}/retire"));
    assert_eq!(retired.expect(200)["state"], "retired");
    assert_eq!(app.anybody().get("/api/v1/stacks").expect(200)["items"], json!([]));
}
