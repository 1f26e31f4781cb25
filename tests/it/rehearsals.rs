//! The rules of rehearsals: the whole arc by the rules of live work, nothing of which is anywhere else, and nothing of which is left.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::{Value, json};

use crate::harness::{Answer, BASE_URL, District, Person, TestApp, complete_charter, definition};

const SMALL_GROUP: &str = "mc-ia-small-group-support";

/// A programme that is rehearsed, and its team.
struct Stage {
    app: TestApp,
    district: District,
    /// One more designer: two readers, a third one, and whoever hands in.
    extra: Person,
    /// The address of the programme.
    program: String,
}

impl Stage {
    fn new(mode: &str) -> Stage {
        let app = TestApp::new();
        let district = app.district();
        let mut small_group = definition(SMALL_GROUP);
        small_group["review_policy"]["mode"] = json!(mode);
        small_group["review_policy"]["backread_share_bp"] = json!(0);
        district.publish(&small_group);
        let school = app.organization(&district.admin, &district.id, "Lake", "school");
        app.invite(&district.admin, &school, "lake@example.org", &["assessor"]);
        let extra = app.invite(
            &district.admin,
            &district.departments[0],
            "extra@example.org",
            &["designer"],
        );
        let charter = complete_charter("pilot", &[SMALL_GROUP]);
        let body = json!({ "organization_id": district.id, "charter": charter });
        let created = district.coordinator.post("/api/v1/programs", &body).expect(201);
        let program = format!("/api/v1/programs/{}", created["id"].as_str().unwrap());
        let stage = Stage { app, district, extra, program };
        stage.step("rehearse").expect(200);
        stage
    }

    fn step(&self, step: &str) -> Answer {
        let body = json!({ "reason": "As the team decided." });
        self.district.coordinator.post(&format!("{}/{step}", self.program), &body)
    }

    fn attempts(&self) -> String {
        format!("{}/practice-attempts", self.program)
    }

    /// Hands in something complete. Returns its path.
    #[track_caller]
    fn hand_in(&self, by: &Person) -> String {
        let attempt = by.post(&self.attempts(), &work()).expect(201);
        assert_eq!((&attempt["state"], &attempt["practice"]), (&json!("submitted"), &json!(true)));
        format!("{}/{}", self.attempts(), attempt["id"].as_str().unwrap())
    }

    #[track_caller]
    fn screened(&self, by: &Person) -> String {
        let path = self.hand_in(by);
        let complete = json!({ "complete": true });
        let screened =
            self.district.coordinator.post(&format!("{path}/screening"), &complete).expect(200);
        assert_eq!(screened["state"], "queued");
        path
    }

    /// Everything of the rehearsal as somebody sees it.
    #[track_caller]
    fn seen(&self, by: &Person) -> Vec<Value> {
        by.get(&self.attempts()).expect(200)["items"].as_array().unwrap().clone()
    }

    fn approve(&self) {
        for designer in &self.district.designers {
            let vote = json!({ "approve": true, "comment": "" });
            designer.post(&format!("{}/approvals", self.program), &vote).expect(201);
        }
    }
}

/// A text for everything that the definition asks for.
fn work() -> Value {
    let submission = &definition(SMALL_GROUP)["submission"];
    let mut texts = serde_json::Map::new();
    for part in ["part1", "part3"] {
        for prompt in submission[part]["prompts"].as_array().into_iter().flatten() {
            texts.insert(prompt["id"].as_str().unwrap().to_owned(), json!("We made this up."));
        }
    }
    for requirement in submission["part2"]["evidence"].as_array().unwrap() {
        texts.insert(requirement["id"].as_str().unwrap().to_owned(), json!("A made-up plan."));
    }
    json!({ "micro_credential": SMALL_GROUP, "texts": texts })
}

/// A sheet at the pass levels plus `offset`.
fn sheet(offset: i64) -> Value {
    let review = json!({ "work": { "definition": definition(SMALL_GROUP) } });
    District::sheet(&review, offset)
}

fn score(by: &Person, path: &str, offset: i64) -> Answer {
    by.post(&format!("{path}/sheets"), &sheet(offset))
}

#[test]
fn a_team_plays_the_whole_arc_in_every_role_by_the_rules_of_live_work() {
    let stage = Stage::new("double_blind");
    let [earner, first] = &stage.district.designers;
    let (second, third) = (&stage.district.coordinator, &stage.extra);

    // Sent back once, and handed in again.
    let returned = stage.hand_in(earner);
    let note = json!({ "complete": false, "note": "The second page is missing." });
    assert_eq!(earner.post(&format!("{returned}/screening"), &note).status, 403, "not their own");
    for bad in [json!({ "complete": false }), json!({ "complete": true, "note": "But …" })] {
        let refused = first.post(&format!("{returned}/screening"), &bad);
        assert_eq!(refused.faults(), [("/note".to_owned(), "note".to_owned())]);
    }
    let back = first.post(&format!("{returned}/screening"), &note).expect(200);
    assert_eq!((&back["state"], &back["note"]), (&json!("returned"), &note["note"]));
    assert_eq!(score(first, &returned, 0).problem(), "wrong-state");

    let path = stage.hand_in(earner);
    let early = score(first, &path, 0);
    assert_eq!(
        (early.problem().as_str(), &early.json["allowed_events"]),
        ("wrong-state", &json!(["screen"]))
    );
    second.post(&format!("{path}/screening"), &json!({ "complete": true })).expect(200);
    assert_eq!(score(earner, &path, 0).status, 403, "nobody scores what is theirs");
    let one = score(first, &path, 0).expect(200);
    assert_eq!(one["state"], "queued", "two readers, by the policy");
    assert_eq!(score(first, &path, 0).problem(), "already-there");
    // Nothing of a sheet is told before the decision, to nobody.
    for by in [earner, first, second] {
        let seen = stage.seen(by);
        let open = seen.iter().find(|one| path.ends_with(one["id"].as_str().unwrap())).unwrap();
        assert_eq!((&open["levels"], &open["decision"]), (&json!([]), &json!(null)));
        assert_eq!(open["own"], json!(by.id == earner.id));
        let text = open.to_string();
        for person in [earner, first, second] {
            assert!(!text.contains(&person.id) && !text.contains(&person.email), "{text}");
        }
    }
    let differs = score(second, &path, -1).expect(200);
    assert_eq!(differs["state"], "adjudication");
    let disputed = differs["criterion_ids"].as_array().unwrap();
    let criteria =
        definition(SMALL_GROUP)["submission"]["part2"]["criteria"].as_array().unwrap().len();
    assert_eq!(disputed.len(), criteria, "each is on both sides of its cut");
    let decided = score(third, &path, 0).expect(200);
    assert_eq!((&decided["state"], &decided["decision"]), (&json!("decided"), &json!("earned")));
    assert!(decided["levels"].as_array().unwrap().len() > criteria, "with the prompts");
    assert_eq!(score(third, &path, 0).problem(), "wrong-state");

    // Both below: not yet, without a third.
    let other = stage.screened(third);
    score(first, &other, -1).expect(200);
    let decided = score(second, &other, -1).expect(200);
    assert_eq!(decided["decision"], "not_yet");
    assert_eq!(earner.get(&format!("{other}/badge")).problem(), "wrong-state");
    assert_eq!(stage.seen(earner).len(), 3);
}

#[test]
fn single_scoring_asks_for_a_second_reader_of_a_not_yet_alone() {
    let stage = Stage::new("single");
    let [earner, first] = &stage.district.designers;
    let path = stage.screened(earner);
    assert_eq!(score(first, &path, 0).expect(200)["decision"], "earned");
    let path = stage.screened(earner);
    let once = score(first, &path, -1).expect(200);
    assert_eq!((&once["state"], &once["decision"]), (&json!("queued"), &json!(null)));
    assert_eq!(score(&stage.extra, &path, -1).expect(200)["decision"], "not_yet");
}

#[test]
fn a_practice_badge_says_so_and_no_verifier_takes_it_for_valid() {
    let stage = Stage::new("single");
    let [earner, first] = &stage.district.designers;
    let path = stage.screened(earner);
    score(first, &path, 0).expect(200);
    let badge = earner.get(&format!("{path}/badge")).expect(200);
    for at in ["/name", "/issuer/name", "/credentialSubject/achievement/name"] {
        assert!(badge.pointer(at).unwrap().as_str().unwrap().starts_with("PRACTICE"), "{at}");
    }
    let text = badge.to_string();
    for member in ["proof", "credentialStatus", "evidence", "identifier"] {
        assert!(!text.contains(&format!("\"{member}\"")), "{member}");
    }
    assert!(!text.contains(BASE_URL) && !text.contains(&earner.id), "{text}");
    let verdict = stage.app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(verdict["verdict"], "invalid");
    let checks = verdict["checks"].as_array().unwrap();
    let proof = checks.iter().find(|check| check["name"] == "proof").unwrap();
    assert_eq!((&proof["outcome"], &proof["code"]), (&json!("fail"), &json!("no-proof")));
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// How many rows each table has.
fn tables(app: &TestApp) -> BTreeMap<String, i64> {
    let mut conn = app.resources.database.connection().unwrap();
    let (list, kind) = if app.database_url().is_some() {
        (
            "SELECT tablename::text AS name, 0::bigint AS rows FROM pg_tables WHERE schemaname = 'public'",
            "::bigint",
        )
    } else {
        ("SELECT name, 0 AS rows FROM sqlite_master WHERE type = 'table'", "")
    };
    let names: Vec<Counted> = diesel::sql_query(list).load(&mut *conn).unwrap();
    let text = if kind.is_empty() { "" } else { "::text" };
    let count = |name: &str| {
        format!("SELECT '{name}'{text} AS name, count(*){kind} AS rows FROM \"{name}\"")
    };
    names
        .iter()
        .map(|table| {
            let rows: Vec<Counted> =
                diesel::sql_query(count(&table.name)).load(&mut *conn).unwrap();
            (table.name.clone(), rows[0].rows)
        })
        .collect()
}

/// Names of tables that have more rows, or fewer.
fn changed(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> Vec<String> {
    let names = before.keys().filter(|name| before[*name] != after[*name]);
    names.cloned().collect()
}

/// What somebody reads, without the moment of reading.
fn reports(stage: &Stage, steward: &Person) -> Vec<Value> {
    let district = &stage.district;
    let funnel = format!("{}/funnel", stage.program);
    let asked = [
        (steward, format!("{funnel}?exact=true")),
        (&district.coordinator, funnel),
        (&district.coordinator, "/api/v1/queue/blocked?all=true".to_owned()),
        (&district.coordinator, "/api/v1/submissions".to_owned()),
        (&district.designers[0], "/api/v1/submissions".to_owned()),
        (&district.designers[0], "/api/v1/awards".to_owned()),
        (&district.assessor, "/api/v1/reviews".to_owned()),
    ];
    asked
        .into_iter()
        .map(|(by, path)| {
            let mut body = by.get(&path).expect(200);
            body["as_of"].take();
            body
        })
        .collect()
}

#[test]
fn practice_touches_no_other_table_and_no_report_and_is_gone_when_the_programme_opens() {
    let stage = Stage::new("double_blind");
    let steward = stage.app.seed(&stage.district.id, "steward@example.org", &["data_steward"]);
    let [earner, first] = &stage.district.designers;
    let (before, seen) = (tables(&stage.app), reports(&stage, &steward));
    for offset in [0, -1] {
        let path = stage.screened(earner);
        score(first, &path, offset).expect(200);
        score(&stage.extra, &path, offset).expect(200);
    }
    let after = tables(&stage.app);
    assert_eq!(changed(&before, &after), ["audit_events", "practice_attempts", "practice_sheets"]);
    assert_eq!((after["practice_attempts"], after["practice_sheets"]), (2, 4));
    assert_eq!(reports(&stage, &steward), seen);
    stage.app.resources.as_system(assay::service::issuance::issue_pending).unwrap();
    stage.app.send_mail();
    let worked = tables(&stage.app);
    assert_eq!(changed(&after, &worked), [""; 0], "nothing to issue, and nothing to send");

    stage.approve();
    stage.step("open").expect(200);
    let opened = tables(&stage.app);
    assert_eq!((opened["practice_attempts"], opened["practice_sheets"]), (0, 0));
    assert_eq!(stage.seen(earner), [Value::Null; 0]);
    let trail = stage.district.auditor.get("/api/v1/audit-events?limit=100").expect(200);
    let event = trail["items"].as_array().unwrap().iter().find(|one| one["verb"] == "open_program");
    assert!(event.unwrap()["detail"].as_str().unwrap().contains("practice_removed=2"));
    assert_eq!(earner.post(&stage.attempts(), &work()).problem(), "wrong-state");
    stage.app.audit_events();
}

#[test]
fn only_the_team_knows_of_practice_work() {
    let stage = Stage::new("single");
    let district = &stage.district;
    let path = stage.screened(&district.designers[0]);
    score(&district.designers[1], &path, 0).expect(200);
    let abroad = stage.app.seed_root("Harbour");
    let foreign = stage.app.seed(&abroad, "d@harbour.example.org", &["designer", "coordinator"]);
    for by in [&district.earner, &district.assessor, &district.admin, &district.auditor, &foreign] {
        assert_eq!(by.get(&stage.attempts()).status, 404, "{}", by.email);
        assert_eq!(by.get(&format!("{path}/badge")).status, 404, "{}", by.email);
        assert_eq!(by.post(&stage.attempts(), &work()).status, 404);
        assert_eq!(score(by, &path, 0).status, 404);
    }
    assert_eq!(stage.app.anybody().get(&stage.attempts()).status, 401);
    // Nor is it known by way of another programme of the same team.
    let charter = complete_charter("second", &[SMALL_GROUP]);
    let body = json!({ "organization_id": district.id, "charter": charter });
    let second = district.coordinator.post("/api/v1/programs", &body).expect(201);
    let second = format!("/api/v1/programs/{}/practice-attempts", second["id"].as_str().unwrap());
    assert_eq!(district.coordinator.get(&second).expect(200)["items"], json!([]));
    let elsewhere = path.replace(&stage.attempts(), &second);
    assert_eq!(district.coordinator.get(&format!("{elsewhere}/badge")).status, 404);
}

#[test]
fn practice_work_answers_everything_that_is_asked_and_only_in_a_rehearsal() {
    let stage = Stage::new("single");
    let by = &stage.district.designers[0];
    let mut unknown = work();
    unknown["micro_credential"] = json!("mc-other");
    let refused = by.post(&stage.attempts(), &unknown);
    assert_eq!(refused.faults(), [("/micro_credential".to_owned(), "not-in-charter".to_owned())]);
    let mut bad = work();
    bad["texts"]["a1"] = json!(" ");
    bad["texts"]["z9"] = json!("Who asked?");
    bad["texts"].as_object_mut().unwrap().remove("q1");
    let found = by.post(&stage.attempts(), &bad).faults();
    let expected = [("/texts/q1", "missing"), ("/texts/a1", "text"), ("/texts", "unknown-id")];
    let expected = expected.map(|(at, code)| (at.to_owned(), code.to_owned()));
    assert_eq!(found, expected);
    let mut long = work();
    long["texts"]["a1"] = json!("x".repeat(5001));
    assert_eq!(by.post(&stage.attempts(), &long).faults()[0].1, "text");
    long["texts"]["a1"] = json!("x".repeat(5000));
    by.post(&stage.attempts(), &long).expect(201);
    let path = stage.screened(by);
    let refused = stage.extra.post(&format!("{path}/sheets"), &json!({ "scores": [] }));
    assert!(refused.faults().iter().any(|(_, code)| code == "score-missing"), "{refused:?}");

    // An edit ends the rehearsal; what was handed in stays readable for the team.
    let etag = by.get(&stage.program).etag();
    let mut charter = complete_charter("pilot", &[SMALL_GROUP]);
    charter["theory_of_action"] = json!("If we look, we will see.");
    let body = json!({ "charter": charter, "reason": "Said more plainly." });
    by.put(&stage.program, &etag, &body).expect(200);
    assert_eq!(by.post(&stage.attempts(), &work()).problem(), "wrong-state");
    assert_eq!(score(&stage.extra, &path, 0).problem(), "wrong-state");
    assert_eq!(stage.seen(by).len(), 2);
}
