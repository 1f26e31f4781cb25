//! Definitions that go from one district to another: packed and signed, brought in, made one's own, and compared with where they came from.

mod differences;
mod endorsing;
mod hostile;
mod network;

use serde_json::{Value, json};

use crate::harness::{District, Person, TestApp, complete_charter, definition};

const SMALL_GROUP: &str = "mc-ia-small-group-support";

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// The definition that one reader decides when it is earned; nothing of it is read again by chance.
fn small_group() -> Value {
    let mut small_group = definition(SMALL_GROUP);
    small_group["review_policy"]["backread_share_bp"] = json!(0);
    small_group
}

/// A district of another tree, with everybody in it.
pub fn harbour(app: &TestApp) -> District {
    let id = app.seed_root("Harbour");
    let admin = app.seed(&id, "admin@harbour.example.org", &["administrator"]);
    let departments =
        ["Teaching", "Inclusion"].map(|name| app.organization(&admin, &id, name, "department"));
    let schools = ["Pier", "Mole"].map(|name| app.organization(&admin, &id, name, "school"));
    let seed = |organization: &str, name: &str, role: &str| {
        app.seed(organization, &format!("{name}@harbour.example.org"), &[role])
    };
    let custodian = seed(&id, "custodian", "key_custodian");
    custodian.act(&format!("/api/v1/organizations/{id}/signing-keys")).expect(201);
    District {
        coordinator: seed(&id, "coordinator", "coordinator"),
        officer: seed(&id, "officer", "issuing_officer"),
        custodian,
        auditor: seed(&id, "auditor", "auditor"),
        designers: [
            seed(&departments[0], "designer-0", "designer"),
            seed(&departments[1], "designer-1", "designer"),
        ],
        assessor: seed(&schools[1], "assessor", "assessor"),
        earner: seed(&schools[0], "earner", "earner"),
        id,
        departments,
        schools,
        admin,
    }
}

/// What a package of one published definition asks for.
fn wanted(family: &str, locked: &[&str]) -> Value {
    json!({
        "title": "Small-group support",
        "licence": "CC-BY-4.0",
        "definitions": [{ "micro_credential_id": family, "version": 1, "locked": locked }],
    })
}

/// The package of a published definition.
#[track_caller]
fn export(district: &District, body: &Value) -> Value {
    let path = format!("/api/v1/organizations/{}/template-packages", district.id);
    district.designers[0].post(&path, body).expect(201)
}

/// Brings a package in. Returns the template.
#[track_caller]
fn import(district: &District, package: &Value) -> Value {
    let path = format!("/api/v1/organizations/{}/templates", district.id);
    district.designers[0].post(&path, package).expect(201)
}

/// Replaces the text of a draft.
#[track_caller]
fn edit(by: &Person, family: &str, definition: &Value) -> Value {
    let path = format!("/api/v1/micro-credentials/{family}/versions/1");
    let etag = by.get(&path).etag();
    by.put(&path, &etag, &json!({ "definition": definition })).expect(200)
}

/// Has the group approve a draft, and publishes it.
#[track_caller]
fn publish(district: &District, family: &str) {
    let path = format!("/api/v1/micro-credentials/{family}/versions/1");
    for designer in &district.designers {
        let vote = json!({ "approve": true, "comment": "" });
        designer.post(&format!("{path}/approvals"), &vote).expect(201);
    }
    district.designers[0].act(&format!("{path}/publish")).expect(200);
}

/// A training set in use, with an anchor for each level. Its words are nobody's outside.
fn training_set(lead: &Person, family: &str) {
    let body = json!({ "micro_credential_id": family, "kind": "training", "title": "Anchors" });
    let set = id_of(&lead.post("/api/v1/calibration-sets", &body).expect(201));
    let path = format!("/api/v1/calibration-sets/{set}");
    for level in 0..3 {
        let anchor =
            |id: &str| json!({ "criterion_id": id, "level": level, "rationale": "Quillwort." });
        let anchors: Vec<Value> = ["c1", "c2", "c3", "c4"].iter().map(|id| anchor(id)).collect();
        let item = |id: &str| json!({ "requirement_id": id, "text": "Quillwort." });
        let work = json!({
            "responses": { "q1": "Quillwort.", "r1": "Quillwort." },
            "evidence": [item("a1"), item("a2"), item("a3")],
        });
        let paper = json!({ "work": work, "anchors": anchors });
        lead.post(&format!("{path}/papers"), &paper).expect(201);
    }
    lead.act(&format!("{path}/publish")).expect(200);
}

#[test]
fn a_template_travels_with_its_lineage_charter_and_training_and_without_work_keys_or_people() {
    let app = TestApp::new();
    let (riverbend, harbour) = (app.district(), harbour(&app));
    let family = riverbend.publish(&small_group());
    let lead = app.invite(&riverbend.admin, &riverbend.id, "lead@example.org", &["lead_assessor"]);
    training_set(&lead, &family);
    let charter = complete_charter("pilot", &[SMALL_GROUP]);
    let program = riverbend.open_program(&riverbend.coordinator, &charter);
    let mut body = wanted(&family, &["/competency"]);
    body["program_id"] = json!(program);
    let signed = export(&riverbend, &body);

    let text = signed.to_string();
    for secret in ["Quillwort", "@example.org", &lead.id, &riverbend.designers[0].id] {
        assert!(!text.contains(secret), "the package tells {secret}");
    }
    let packed = &signed["package"]["definitions"][0];
    assert_eq!(packed["training"], json!([{ "kind": "training", "papers": 3 }]));
    assert_eq!(packed["lineage"].as_array().unwrap().len(), 1);
    let sent = &signed["package"]["charter"];
    // What each district decides for itself stays behind; what it says to people comes along.
    assert!(sent["window"].is_null() && sent["ai_use"].is_null() && sent["decisions"].is_null());
    assert_eq!(sent["communications"], charter["communications"]);

    let template = import(&harbour, &signed);
    assert_eq!(template["issuer_name"], "Riverbend District");
    let draft = template["definitions"][0]["micro_credential_id"].as_str().unwrap();
    let designer = &harbour.designers[1];
    let version =
        designer.get(&format!("/api/v1/micro-credentials/{draft}/versions/1")).expect(200);
    assert_eq!((&version["state"], &version["definition"]), (&json!("draft"), &small_group()));
    let program = template["program_id"].as_str().unwrap();
    let program = designer.get(&format!("/api/v1/programs/{program}")).expect(200);
    assert_eq!((&program["state"], &program["charter"]["id"]), (&json!("draft"), &json!("pilot")));
    let path = format!("/api/v1/templates/{}", id_of(&template));
    assert_eq!(designer.get(&path).expect(200), template);
    let list = format!("/api/v1/organizations/{}/templates", harbour.id);
    assert_eq!(designer.get(&list).expect(200)["items"], json!([template]));
    // Nobody of the other district sees what became of it, nor who works with it.
    for stranger in [&riverbend.designers[0], &riverbend.admin] {
        assert_eq!(stranger.get(&path).problem(), "not-found");
        assert_eq!(stranger.get(&list).problem(), "not-found");
    }
    assert_eq!(harbour.earner.get(&path).problem(), "not-found");

    // The same once more, and another with the same id.
    let path = format!("/api/v1/organizations/{}/templates", harbour.id);
    let again = designer.post(&path, &export(&riverbend, &wanted(&family, &[])));
    assert_eq!(again.faults()[0].1, "slug-taken", "{again:?}");
    assert_eq!(harbour.earner.post(&path, &signed).problem(), "forbidden");
    assert_eq!(riverbend.designers[0].post(&path, &signed).problem(), "not-found");
}

#[test]
fn what_was_changed_since_it_came_is_told_in_words_with_what_was_locked() {
    let app = TestApp::new();
    let (riverbend, harbour) = (app.district(), harbour(&app));
    let family = riverbend.publish(&small_group());
    let signed = export(&riverbend, &wanted(&family, &["/competency"]));
    let template = import(&harbour, &signed);
    let draft = template["definitions"][0]["micro_credential_id"].as_str().unwrap();
    let origin = format!("/api/v1/micro-credentials/{draft}/versions/1/origin");
    let designer = &harbour.designers[0];
    let before = designer.get(&origin).expect(200);
    assert_eq!((&before["relation"], &before["differences"]), (&json!("unchanged"), &json!([])));
    // A draft is as hidden beside its origin as it is alone.
    assert_eq!(harbour.earner.get(&origin).problem(), "not-found");
    assert_eq!(app.anybody().get(&origin).problem(), "not-found");

    let mut local = small_group();
    local["title"] = json!("Leading a small group at the harbour");
    edit(designer, draft, &local);
    let compared = designer.get(&origin).expect(200);
    assert_eq!(compared["relation"], "same_scoring");
    let [title] = &compared["differences"].as_array().unwrap()[..] else { panic!("{compared}") };
    assert_eq!(title["pointer"], "/title");
    assert_eq!((&title["is_scored"], &title["is_locked"]), (&json!(false), &json!(false)));
    let words = "Title: “Instructional Assistant: Small-Group Support” became “Leading a small group at the harbour”.";
    assert_eq!(title["detail"], words);
    let open = compared["open"].as_array().unwrap();
    assert!(open.contains(&json!("/title")) && !open.contains(&json!("/competency")), "{open:?}");

    local["competency"] = json!("Something narrower.");
    local["submission"]["part2"]["criteria"][0]["levels"][1]["descriptor"] = json!("Other words.");
    edit(designer, draft, &local);
    let compared = designer.get(&origin).expect(200);
    assert_eq!(compared["relation"], "derived");
    let told: Vec<(&str, bool, bool)> = compared["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let flag = |name: &str| one[name].as_bool().unwrap();
            (one["pointer"].as_str().unwrap(), flag("is_scored"), flag("is_locked"))
        })
        .collect();
    let level = "/submission/part2/criteria/0/levels/1/descriptor";
    let expected = [("/competency", false, true), (level, true, true), ("/title", false, false)];
    assert_eq!(told, expected);
    assert_eq!(
        compared["differences"][1]["detail"],
        "Criterion c1, level 1, descriptor: “Purpose, learners, materials and roles are agreed.” became “Other words.”."
    );

    // Once it is published, everybody sees where it comes from, and it can travel on with a longer lineage.
    publish(&harbour, draft);
    assert_eq!(app.anybody().get(&origin).expect(200)["relation"], "derived");
    let onward = export(&harbour, &wanted(draft, &[]));
    let lineage = onward["package"]["definitions"][0]["lineage"].as_array().unwrap().clone();
    assert_eq!(lineage.len(), 2);
    assert_eq!(lineage[0], signed["package"]["definitions"][0]["lineage"][0]);
    assert_ne!(lineage[0]["scoring_hash"], lineage[1]["scoring_hash"]);
    // Who is scored by something else needs no agreement on who may score.
    assert_eq!(app.anybody().get(&origin).expect(200)["qualifications"], Value::Null);
    // A definition that was made here has no origin.
    let own = format!("/api/v1/micro-credentials/{family}/versions/1/origin");
    assert_eq!(app.anybody().get(&own).problem(), "not-found");
}

#[test]
fn comparison_with_the_origin_says_whether_its_assessors_may_score_here() {
    let app = TestApp::new();
    let (riverbend, harbour) = (app.district(), harbour(&app));
    let family = riverbend.publish(&small_group());
    let template = import(&harbour, &export(&riverbend, &wanted(&family, &[])));
    let draft = template["definitions"][0]["micro_credential_id"].as_str().unwrap();
    publish(&harbour, draft);
    let origin = format!("/api/v1/micro-credentials/{draft}/versions/1/origin");
    let told = || app.anybody().get(&origin).expect(200)["qualifications"].clone();
    let before = told();
    assert_eq!(
        (&before["organization_id"], &before["agreed"]),
        (&json!(riverbend.id), &json!(false))
    );
    let sentence = "Qualified assessors of Riverbend District may score here: not agreed.";
    assert_eq!(before["detail"], sentence);
    let lead = app.seed(&harbour.id, "lead@harbour.example.org", &["lead_assessor"]);
    let path = format!("/api/v1/organizations/{}/recognitions", harbour.id);
    let body =
        json!({ "recognised_organization_id": riverbend.id, "reason": "The rubric is theirs." });
    lead.post(&path, &body).expect(201);
    let after = told();
    assert_eq!(after["agreed"], true);
    assert_eq!(
        after["detail"],
        "Qualified assessors of Riverbend District may score here: agreed."
    );
}

#[test]
fn versions_of_one_micro_credential_are_compared_in_words() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&small_group());
    let path = format!("/api/v1/micro-credentials/{family}/versions");
    let first = app.anybody().get(&format!("{path}/1/differences")).expect(200);
    assert_eq!((&first["from"], &first["differences"]), (&json!(0), &json!([])));
    let mut next = small_group();
    next["version"] = json!("2.0.0");
    next["submission"]["part2"]["criteria"].as_array_mut().unwrap().remove(3);
    district.designers[0].post(&path, &json!({ "definition": next })).expect(201);
    let differences = format!("{path}/2/differences");
    assert_eq!(app.anybody().get(&differences).problem(), "not-found");
    let told = district.designers[1].get(&differences).expect(200);
    assert_eq!(told["is_same_scoring"], false);
    let sentences: Vec<&str> = told["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["detail"].as_str().unwrap())
        .collect();
    let expected = [
        "Criterion c4 is gone: “Hands back usable information”.",
        "Version: “1.0.0” became “2.0.0”.",
    ];
    assert_eq!(sentences, expected);
    let back = district.designers[1].get(&format!("{path}/1/differences?from=2")).expect(200);
    assert_eq!(
        back["differences"][0]["detail"],
        "Criterion c4 is new: “Hands back usable information”."
    );
    assert_eq!(
        district.designers[1].get(&format!("{path}/2/differences?from=9")).problem(),
        "not-found"
    );
}

#[test]
fn export_names_everything_that_it_cannot_pack() {
    let app = TestApp::new();
    let (riverbend, harbour) = (app.district(), harbour(&app));
    let family = riverbend.publish(&small_group());
    let foreign = harbour.publish(&small_group());
    let path = format!("/api/v1/organizations/{}/template-packages", riverbend.id);
    let designer = &riverbend.designers[0];
    let line = |family: &str, version: i64, locked: &[&str]| json!({ "micro_credential_id": family, "version": version, "locked": locked });
    let body = json!({
        "title": "Everything", "licence": "CC0-1.0",
        "definitions": [
            line(&family, 1, &["/no/such/field", "/title"]), line(&family, 2, &[]), line(&foreign, 1, &[]),
        ],
        "program_id": "01900000-0000-7000-8000-000000000000",
    });
    let refused = designer.post(&path, &body);
    assert_eq!(refused.problem(), "invalid");
    let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(
        refused.faults(),
        [
            fault("/definitions/0/locked/0", "unknown-field"),
            fault("/definitions/1", "unknown-version"),
            fault("/definitions/2", "unknown-version"),
            fault("/program_id", "unknown-program"),
        ]
    );
    let empty = json!({ "title": "", "licence": "a\nb", "definitions": [] });
    let codes: Vec<String> =
        designer.post(&path, &empty).faults().into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(codes, ["/title", "/licence", "/definitions"]);
    assert_eq!(riverbend.earner.post(&path, &body).problem(), "forbidden");
    assert_eq!(harbour.designers[0].post(&path, &body).problem(), "not-found");
    // While signing is stopped, nothing is signed.
    let issuing = format!("/api/v1/organizations/{}/issuing", riverbend.id);
    riverbend.officer.put(&issuing, "*", &json!({ "stopped": true })).expect(200);
    let stopped = designer.post(&path, &wanted(&family, &[]));
    assert_eq!(stopped.problem(), "cannot-issue");
}
