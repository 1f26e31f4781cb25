//! The rules of authoring: drafts, group approval bound to the content, publishing for ever, retiring, and the public catalogue.

use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, definition};

const SMALL_GROUP: &str = "mc-ia-small-group-support";
const SHARED_DECISIONS: &str = "mc-shared-decision-making";
const STUDENT_LEADERS: &str = "mc-students-as-leaders";

/// Starts a micro-credential of the district and returns the path of its first version.
#[track_caller]
fn draft(district: &District, by: &Person, definition: &Value) -> String {
    let body = json!({ "organization_id": district.id, "definition": definition });
    let created = by.post("/api/v1/micro-credentials", &body);
    let location = created.headers["location"].clone();
    let version = created.expect(201);
    assert_eq!(version["state"], "draft");
    assert_eq!(version["version"], 1);
    location
}

/// Votes, and returns where the version stands then.
#[track_caller]
fn vote(by: &Person, version: &str, approve: bool) -> String {
    let body = json!({ "approve": approve, "comment": "read it twice" });
    let status = by.post(&format!("{version}/approvals"), &body).expect(201);
    assert_eq!(status["needed_approvals"], 2);
    assert_eq!(status["needed_departments"], 2);
    status["state"].as_str().unwrap().to_owned()
}

/// Expects a 409 that lists exactly these events.
#[track_caller]
fn refused(answer: &Answer, allowed_events: &[&str]) {
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(answer.problem(), "wrong-state");
    assert_eq!(answer.json["allowed_events"], json!(allowed_events));
}

/// The shipped definition with one place changed. Its `id` is another one, so that the changed ones do not collide.
fn changed(id: &str, slug: &str, pointer: &str, value: Value) -> Value {
    let mut changed = definition(id);
    changed["id"] = json!(slug);
    *changed.pointer_mut(pointer).unwrap() = value;
    changed
}

fn titles(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

#[test]
fn validating_lists_every_finding_at_once_and_keeps_nothing() {
    let app = TestApp::new();
    let district = app.district();
    let designer = &district.designers[0];
    let path = "/api/v1/micro-credentials/validate";
    let good = designer.post(path, &json!({ "definition": definition(SMALL_GROUP) })).expect(200);
    assert_eq!(good["valid"], true);
    assert_eq!(good["findings"], json!([]));
    for hash in ["content_hash", "scoring_hash", "policy_hash"] {
        assert_eq!(good[hash].as_str().unwrap().len(), 64, "{hash}");
    }

    let mut bad = definition(SMALL_GROUP);
    bad["submission"]["part2"]["criteria"][0]["pass_level"] = json!(0);
    bad["submission"]["part2"]["criteria"][1]["evidence"] = json!([]);
    let answer = designer.post(path, &json!({ "definition": bad })).expect(200);
    assert_eq!(answer["valid"], false);
    let found: Vec<(&str, &str)> = answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["pointer"].as_str().unwrap(), finding["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("/definition/submission/part2/criteria/0/pass_level", "pass_level_zero"),
            ("/definition/submission/part2/criteria/1/evidence", "criterion_without_evidence"),
        ]
    );

    let mut shapeless = definition(SMALL_GROUP);
    shapeless["title"] = json!(7);
    shapeless.as_object_mut().unwrap().remove("decision_rule");
    let answer = designer.post(path, &json!({ "definition": shapeless })).expect(200);
    assert_eq!(answer["valid"], false);
    assert_eq!(answer["content_hash"], Value::Null);
    let pointers = answer["findings"].to_string();
    assert!(pointers.contains("/definition/title"), "{pointers}");
    assert!(answer["findings"].as_array().unwrap().len() >= 2, "{pointers}");

    let everything = designer.get("/api/v1/micro-credentials").expect(200);
    assert_eq!(everything["items"], json!([]));
    let body = json!({ "definition": definition(SMALL_GROUP) });
    assert_eq!(district.earner.post(path, &body).problem(), "forbidden");
    assert_eq!(app.anybody().post(path, &body).problem(), "unauthenticated");
}

#[test]
fn draft_follows_the_schema_and_its_id_is_taken_once() {
    let app = TestApp::new();
    let district = app.district();
    let designer = &district.designers[0];
    let create = |definition: &Value| {
        let body = json!({ "organization_id": district.id, "definition": definition });
        designer.post("/api/v1/micro-credentials", &body)
    };
    let mut shapeless = definition(SMALL_GROUP);
    shapeless["audience"] = json!("everybody");
    let refused = create(&shapeless);
    assert_eq!(refused.status, 422);
    assert_eq!(refused.faults()[0].0, "/definition/audience");
    assert_eq!(designer.get("/api/v1/micro-credentials").expect(200)["items"], json!([]));

    draft(&district, designer, &definition(SMALL_GROUP));
    let again = create(&definition(SMALL_GROUP));
    assert_eq!(again.problem(), "already-there");
    assert_eq!(again.faults()[0].1, "slug-taken");

    let body =
        json!({ "organization_id": district.id, "definition": definition(SHARED_DECISIONS) });
    let by_earner = district.earner.post("/api/v1/micro-credentials", &body);
    assert_eq!(by_earner.problem(), "forbidden");
}

#[test]
fn approval_takes_two_people_of_two_departments_who_are_not_all_authors() {
    let app = TestApp::new();
    let district = app.district();
    let [author, colleague] = &district.designers;
    let next_desk = app.invite(
        &district.admin,
        &district.departments[0],
        "designer-2@example.org",
        &["designer"],
    );
    let version = draft(&district, author, &definition(SMALL_GROUP));
    let publish = format!("{version}/publish");
    refused(&author.act(&publish), &["edit", "approve"]);

    // One voter, however often.
    assert_eq!(vote(author, &version, true), "proposed");
    assert_eq!(vote(author, &version, true), "proposed");
    refused(&author.act(&publish), &["edit", "approve"]);
    // Two voters of one department.
    assert_eq!(vote(&next_desk, &version, true), "proposed");
    refused(&next_desk.act(&publish), &["edit", "approve"]);
    // A second department.
    assert_eq!(vote(colleague, &version, true), "approved");
    // The latest vote of a person counts.
    assert_eq!(vote(colleague, &version, false), "proposed");
    refused(&author.act(&publish), &["edit", "approve"]);
    assert_eq!(vote(colleague, &version, true), "approved");

    // The colleague writes as well: now two departments agree, and both are authors.
    let read = colleague.get(&version);
    let mut edited = definition(SMALL_GROUP);
    edited["summary"] = json!("The instructional assistant plans, leads, checks and hands back.");
    colleague.put(&version, &read.etag(), &json!({ "definition": edited })).expect(200);
    assert_eq!(vote(author, &version, true), "proposed");
    assert_eq!(vote(colleague, &version, true), "proposed");
    refused(&author.act(&publish), &["edit", "approve"]);
    assert_eq!(vote(&next_desk, &version, true), "approved");
    assert_eq!(author.act(&publish).expect(200)["state"], "published");

    let outside =
        district.earner.post(&format!("{version}/approvals"), &json!({ "approve": true }));
    assert_eq!(outside.problem(), "forbidden");
}

#[test]
fn person_of_two_departments_is_still_one_person() {
    let app = TestApp::new();
    let district = app.district();
    let [author, _] = &district.designers;
    let everywhere =
        app.invite(&district.admin, &district.departments[0], "both@example.org", &["designer"]);
    let invitation = json!({ "email": "both@example.org", "name": "Both", "roles": ["designer"] });
    let path = format!("/api/v1/organizations/{}/invitations", district.departments[1]);
    let invited = district.admin.post(&path, &invitation).expect(201);
    let token = app.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
    let acceptance = json!({ "token": token, "password": crate::harness::PASSWORD });
    app.anybody().post("/api/v1/invitations/accept", &acceptance).expect(200);

    let version = draft(&district, author, &definition(SMALL_GROUP));
    assert_eq!(vote(&everywhere, &version, true), "proposed");
    assert_eq!(vote(author, &version, true), "approved");
}

#[test]
fn vote_binds_the_content_it_was_cast_on() {
    let app = TestApp::new();
    let district = app.district();
    let [author, colleague] = &district.designers;
    let version = draft(&district, author, &definition(SMALL_GROUP));
    let first = author.get(&version);
    vote(author, &version, true);
    assert_eq!(vote(colleague, &version, true), "approved");

    let mut edited = definition(SMALL_GROUP);
    edited["submission"]["part2"]["criteria"][0]["title"] = json!("Planned with two teachers");
    let body = json!({ "definition": edited });
    let missing = author.send(author.request(reqwest::Method::PUT, &version).json(&body));
    assert_eq!(missing.problem(), "precondition-required");
    assert_eq!(missing.status, 428);
    let stale = author.put(&version, &first.etag(), &body);
    assert_eq!(stale.problem(), "stale");
    assert_eq!(stale.status, 412);
    assert_eq!(stale.json["current"]["state"], "approved");
    assert_eq!(stale.json["current"]["content_hash"], first.json["content_hash"]);

    let current = author.get(&version);
    assert_eq!(current.json["state"], "approved");
    let answer = author.put(&version, &current.etag(), &body);
    let fresh_tag = answer.etag();
    let after = answer.expect(200);
    assert_eq!(after["state"], "draft");
    assert_ne!(after["content_hash"], first.json["content_hash"]);
    assert_ne!(after["scoring_hash"], first.json["scoring_hash"]);
    refused(&author.act(&format!("{version}/publish")), &["edit", "approve"]);
    assert_eq!(author.get(&version).etag(), fresh_tag);

    // Back to the very text that both had approved: their votes stay void.
    let back = json!({ "definition": definition(SMALL_GROUP) });
    let restored = author.put(&version, &fresh_tag, &back).expect(200);
    assert_eq!(restored["content_hash"], first.json["content_hash"]);
    assert_eq!(restored["state"], "draft");
    assert_eq!(vote(colleague, &version, true), "proposed");
    let approvals = colleague
        .post(&format!("{version}/approvals"), &json!({ "approve": true, "comment": "" }))
        .expect(201);
    assert_eq!(approvals["approvals"].as_array().unwrap().len(), 1);
    assert_eq!(approvals["content_hash"], first.json["content_hash"]);

    // The id is for ever.
    let tag = author.get(&version).etag();
    let mut renamed = definition(SMALL_GROUP);
    renamed["id"] = json!("another-id");
    let refused = author.put(&version, &tag, &json!({ "definition": renamed }));
    assert_eq!(refused.problem(), "invalid");
    assert_eq!(refused.faults(), [("/definition/id".to_owned(), "slug-changed".to_owned())]);
}

#[test]
fn publishing_refuses_what_nobody_or_everybody_would_earn() {
    let app = TestApp::new();
    let district = app.district();
    let [author, colleague] = &district.designers;
    let criteria = "/submission/part2/criteria";
    let cases: [(&str, String, Value, String, &str); 5] = [
        (
            "unreachable-count",
            "/decision_rule".to_owned(),
            json!({ "type": "count_criteria_at_pass_level", "min": 5 }),
            "/definition/decision_rule/min".to_owned(),
            "rule_count_out_of_reach",
        ),
        (
            "unreachable-level",
            "/decision_rule".to_owned(),
            json!({ "type": "all_criteria_at_least", "level": 3 }),
            "/definition/decision_rule/level".to_owned(),
            "rule_level_out_of_reach",
        ),
        (
            "without-evidence",
            format!("{criteria}/2/evidence"),
            json!([]),
            format!("/definition{criteria}/2/evidence"),
            "criterion_without_evidence",
        ),
        (
            "gap",
            format!("{criteria}/1/levels/2/level"),
            json!(3),
            format!("/definition{criteria}/1/levels/2/level"),
            "level_gap",
        ),
        (
            "pass-level-zero",
            format!("{criteria}/3/pass_level"),
            json!(0),
            format!("/definition{criteria}/3/pass_level"),
            "pass_level_zero",
        ),
    ];
    for (slug, place, value, pointer, code) in cases {
        let version = draft(&district, author, &changed(SMALL_GROUP, slug, &place, value));
        vote(author, &version, true);
        assert_eq!(vote(colleague, &version, true), "approved", "{slug}");
        let answer = author.act(&format!("{version}/publish"));
        assert_eq!(answer.status, 422, "{slug}: {answer:?}");
        assert_eq!(answer.problem(), "invalid");
        assert_eq!(answer.faults(), [(pointer, code.to_owned())], "{slug}");
        assert_eq!(author.get(&version).expect(200)["state"], "approved");
        assert_eq!(app.anybody().get(&version).problem(), "not-found");
    }
    let catalogue = app.anybody().get("/api/v1/micro-credentials").expect(200);
    assert_eq!(catalogue["items"], json!([]));
}

#[test]
fn published_version_is_the_same_bytes_for_ever() {
    let app = TestApp::new();
    let district = app.district();
    let [author, colleague] = &district.designers;
    let family = district.publish_small_group();
    let versions = format!("/api/v1/micro-credentials/{family}/versions");
    let first = format!("{versions}/1");
    let published = app.anybody().get(&first);
    let achievement = app.anybody().get(&format!("/achievements/{family}/versions/1"));
    assert_eq!(published.status, 200);

    let mut edited = definition(SMALL_GROUP);
    edited["version"] = json!("1.1.0");
    edited["title"] = json!("Instructional Assistant: Small Groups");
    let body = json!({ "definition": edited });
    refused(&author.put(&first, &published.etag(), &body), &["retire"]);
    let approval = json!({ "approve": false, "comment": "" });
    refused(&author.post(&format!("{first}/approvals"), &approval), &["retire"]);
    refused(&author.act(&format!("{first}/publish")), &["retire"]);

    let created = author.post(&versions, &body);
    assert_eq!(created.headers["location"], format!("{versions}/2"));
    let second = created.expect(201);
    assert_eq!(second["version"], 2);
    assert_eq!(second["label"], "1.1.0");
    assert_eq!(second["state"], "draft");
    let another = colleague.post(&versions, &body);
    assert_eq!(another.problem(), "already-there");
    assert_eq!(another.faults()[0].1, "draft-open");

    // While the second is a draft, the public sees the first alone.
    let newest = app.anybody().get(&format!("/api/v1/micro-credentials/{family}")).expect(200);
    assert_eq!(newest["version"], 1);
    assert_eq!(app.anybody().get(&format!("{versions}/2")).problem(), "not-found");
    for designer in [author, colleague] {
        vote(designer, &format!("{versions}/2"), true);
    }
    author.act(&format!("{versions}/2/publish")).expect(200);
    let newest = app.anybody().get(&format!("/api/v1/micro-credentials/{family}")).expect(200);
    assert_eq!(newest["version"], 2);
    assert_eq!(newest["title"], "Instructional Assistant: Small Groups");

    let again = app.anybody().get(&first);
    assert_eq!(again.bytes, published.bytes);
    assert_eq!(again.etag(), published.etag());
    let same = app.anybody().get(&format!("/achievements/{family}/versions/1"));
    assert_eq!(same.bytes, achievement.bytes);
    assert_eq!(same.etag(), achievement.etag());
    // And the next may be started now.
    assert_eq!(author.post(&versions, &body).expect(201)["version"], 3);
}

#[test]
fn retired_version_takes_no_submissions_and_stays_readable() {
    let app = TestApp::new();
    let district = app.district();
    let [author, _] = &district.designers;
    let family = district.publish_small_group();
    let version = format!("/api/v1/micro-credentials/{family}/versions/1");
    let published = app.anybody().get(&version).expect(200);
    let started = district
        .earner
        .post(&format!("/api/v1/micro-credentials/{family}/submissions"), &json!({}))
        .expect(201);

    assert_eq!(district.earner.act(&format!("{version}/retire")).problem(), "forbidden");
    assert_eq!(author.act(&format!("{version}/retire")).expect(200)["state"], "retired");
    refused(&author.act(&format!("{version}/retire")), &[]);
    refused(&author.act(&format!("{version}/publish")), &[]);

    let retired = app.anybody().get(&version).expect(200);
    assert_eq!(retired["state"], "retired");
    for member in ["definition", "content_hash", "scoring_hash", "policy_hash", "published_at"] {
        assert_eq!(retired[member], published[member], "{member}");
    }
    let newest = app.anybody().get(&format!("/api/v1/micro-credentials/{family}")).expect(200);
    assert_eq!(newest["state"], "retired");
    let catalogue = app.anybody().get("/api/v1/micro-credentials").expect(200);
    assert_eq!(catalogue["items"], json!([]));

    // Who has begun may finish; nobody begins any more.
    let id = started["id"].as_str().unwrap();
    assert_eq!(
        district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200)["state"],
        "draft"
    );
    district.earner.act(&format!("/api/v1/submissions/{id}/withdraw")).expect(200);
    for body in [json!({}), json!({ "version": 1 })] {
        let again =
            district.earner.post(&format!("/api/v1/micro-credentials/{family}/submissions"), &body);
        refused(&again, &[]);
    }
}

#[test]
fn catalogue_is_searched_by_text_skill_audience_and_organization() {
    let app = TestApp::new();
    let district = app.district();
    for id in [SMALL_GROUP, SHARED_DECISIONS, STUDENT_LEADERS] {
        district.publish(&definition(id));
    }
    let anybody = app.anybody();
    let find = |query: &[(&str, &str)]| {
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let page = anybody.get(&format!("/api/v1/micro-credentials?{query}")).expect(200);
        assert_eq!(page["next_cursor"], Value::Null);
        titles(&page).into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let small_group = definition(SMALL_GROUP)["title"].as_str().unwrap().to_owned();
    let decisions = definition(SHARED_DECISIONS)["title"].as_str().unwrap().to_owned();
    let leaders = definition(STUDENT_LEADERS)["title"].as_str().unwrap().to_owned();

    assert_eq!(find(&[]).len(), 3);
    assert_eq!(find(&[("q", "small-GROUP")]), [small_group.as_str()]);
    // All words, in any order.
    assert_eq!(find(&[("q", "support instructional")]), [small_group.as_str()]);
    assert_eq!(find(&[("q", "instructional leaders-of-nothing")]), Vec::<String>::new());
    // What LIKE would take as a pattern is text.
    for wildcard in ["%", "_", "\\", "in%tructional"] {
        assert_eq!(find(&[("q", wildcard)]), Vec::<String>::new(), "{wildcard}");
    }
    assert_eq!(find(&[("skill", "IA.PLAN")]), [small_group.as_str()]);
    assert_eq!(find(&[("skill", "CL.DECIDE")]), [decisions.as_str()]);
    assert_eq!(find(&[("skill", "IA")]), Vec::<String>::new());
    assert_eq!(find(&[("audience", "librarian")]), [leaders.as_str()]);
    assert_eq!(find(&[("audience", "counselor")]), [decisions.as_str()]);
    assert_eq!(
        find(&[("audience", "instructional_assistant"), ("skill", "SL.SHARE")]),
        [leaders.as_str()]
    );
    assert_eq!(find(&[("organization_id", &district.id)]).len(), 3);
    assert_eq!(find(&[("organization_id", &district.schools[0])]), Vec::<String>::new());

    let unknown = anybody.get("/api/v1/micro-credentials?colour=red");
    assert_eq!(unknown.problem(), "invalid");
}

#[test]
fn catalogue_pages_hold_each_item_once() {
    let app = TestApp::new();
    let district = app.district();
    for id in [SMALL_GROUP, SHARED_DECISIONS, STUDENT_LEADERS] {
        district.publish(&definition(id));
    }
    let anybody = app.anybody();
    let whole = anybody.get("/api/v1/micro-credentials").expect(200);
    let mut seen = Vec::new();
    let mut path = "/api/v1/micro-credentials?limit=1".to_owned();
    loop {
        let page = anybody.get(&path).expect(200);
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), 1);
        seen.extend(items.clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/micro-credentials?limit=1&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(json!(seen), whole["items"]);
    assert_eq!(seen.len(), 3);
    for query in ["limit=0", "limit=101", "limit=-1", "limit=many", "cursor=%21%21"] {
        let answer = anybody.get(&format!("/api/v1/micro-credentials?{query}"));
        assert_eq!(answer.problem(), "invalid", "{query}");
        assert_eq!(answer.status, 422, "{query}");
    }
    let all = anybody.get("/api/v1/micro-credentials?limit=100").expect(200);
    assert_eq!(all["items"], whole["items"]);
}

#[test]
fn draft_is_hidden_from_everybody_but_its_designers() {
    let app = TestApp::new();
    let district = app.district();
    let [author, colleague] = &district.designers;
    let version = draft(&district, author, &definition(SMALL_GROUP));
    let family = version.strip_suffix("/versions/1").unwrap().to_owned();
    let id = family.rsplit('/').next().unwrap().to_owned();
    let outsiders = [
        &app.anybody(),
        &district.earner,
        &district.assessor,
        &district.coordinator,
        &district.admin,
    ];
    for state in ["draft", "proposed", "approved"] {
        assert_eq!(colleague.get(&version).expect(200)["state"], state);
        assert_eq!(colleague.get(&family).expect(200)["state"], state);
        for outsider in outsiders {
            for path in [&family, &version, &format!("/achievements/{id}/versions/1")] {
                let answer = outsider.get(path);
                assert_eq!(answer.problem(), "not-found", "{path}");
                assert_eq!(answer.status, 404);
            }
            let page = outsider.get("/api/v1/micro-credentials").expect(200);
            assert_eq!(page["items"], json!([]));
        }
        let start = district.earner.post(&format!("{family}/submissions"), &json!({}));
        assert_eq!(start.problem(), "not-found");
        match state {
            "draft" => assert_eq!(vote(author, &version, true), "proposed"),
            "proposed" => assert_eq!(vote(colleague, &version, true), "approved"),
            _ => assert_eq!(author.act(&format!("{version}/publish")).expect(200)["version"], 1),
        }
    }
    assert_eq!(app.anybody().get(&version).expect(200)["state"], "published");
}

#[test]
fn public_rubric_is_the_one_that_the_assessor_scores_by() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&definition(SMALL_GROUP));
    district.submit(&district.earner, &family);
    let review = district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    let public = app.anybody().get(&format!("/api/v1/micro-credentials/{family}")).expect(200);
    assert_eq!(review["work"]["definition"], public["definition"]);
    assert_eq!(review["work"]["content_hash"], public["content_hash"]);
    assert_eq!(review["work"]["version"], public["version"]);
    assert_eq!(public["definition"], definition(SMALL_GROUP));
}
