//! The rules of programmes: what a charter needs, group approval bound to its content, and the way from draft to closed.

use assay::domain::program::{ProgramEvent, ProgramState};
use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, complete_charter};

const EXAMPLE: &str = include_str!("../../credential-schemas/charters/pilot-charter-example.json");
const SMALL_GROUP: &str = "mc-ia-small-group-support";

fn example() -> Value {
    serde_json::from_str(EXAMPLE).unwrap()
}

fn complete() -> Value {
    complete_charter("pilot", &[SMALL_GROUP])
}

/// Starts a programme of the district and returns its path.
#[track_caller]
fn start(district: &District, by: &Person, charter: &Value) -> String {
    let body = json!({ "organization_id": district.id, "charter": charter });
    let created = by.post("/api/v1/programs", &body);
    let location = created.headers["location"].clone();
    assert_eq!(created.expect(201)["state"], "draft");
    location
}

#[track_caller]
fn vote(by: &Person, program: &str, approve: bool) -> Value {
    let body = json!({ "approve": approve, "comment": "Read with my team." });
    by.post(&format!("{program}/approvals"), &body).expect(201)
}

fn step(by: &Person, program: &str, step: &str) -> Answer {
    by.post(&format!("{program}/{step}"), &json!({ "reason": "As the team decided." }))
}

#[track_caller]
fn edit(by: &Person, program: &str, charter: &Value) -> Value {
    let etag = by.get(program).etag();
    let body = json!({ "charter": charter, "reason": "Said more plainly." });
    by.put(program, &etag, &body).expect(200)
}

/// Pointers and codes of what `validate` finds.
#[track_caller]
fn findings(by: &Person, charter: &Value) -> Vec<(String, String)> {
    let answer = by.post("/api/v1/programs/validate", &json!({ "charter": charter })).expect(200);
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let found = answer["findings"].as_array().unwrap();
    assert_eq!(answer["valid"], json!(found.is_empty()));
    found.iter().map(|one| (word(&one["pointer"]), word(&one["code"]))).collect()
}

#[track_caller]
fn finds(by: &Person, pointer: &str, value: Value, expected: &[(&str, &str)]) {
    let mut charter = complete();
    *charter.pointer_mut(pointer).unwrap() = value;
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(pointer, code)| (format!("/charter{pointer}"), (*code).to_owned()))
        .collect();
    assert_eq!(findings(by, &charter), expected, "{pointer}");
}

#[test]
fn validating_a_charter_lists_every_finding_at_once() {
    let app = TestApp::new();
    let district = app.district();
    let by = &district.designers[0];
    assert_eq!(findings(by, &complete()), []);

    // The example follows the schema, and its team has not decided everything yet.
    let found = findings(by, &example());
    let count = |code: &str| found.iter().filter(|(_, found)| found == code).count();
    assert_eq!(count("ai_use_missing"), 1);
    assert_eq!(count("window_missing"), 1);
    assert_eq!(count("metric_without_target"), 7);
    assert_eq!(count("message_without_text"), 3);
    assert_eq!(found.len(), 12);

    let mut shapeless = complete();
    shapeless["metrics"] = json!([{ "id": "a b" }]);
    shapeless["ai_use"] = json!("sometimes");
    shapeless["surprise"] = json!(1);
    shapeless["design_team"]["publish_rule"]["departments"] = json!(1);
    shapeless.as_object_mut().unwrap().remove("theory_of_action");
    let expected = [
        ("/charter/ai_use", "not_allowed"),
        ("/charter/design_team/publish_rule/departments", "too_small"),
        ("/charter/metrics/0/id", "bad_text"),
        ("/charter/surprise", "unknown_field"),
        ("/charter/theory_of_action", "missing_field"),
    ]
    .map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
    assert_eq!(findings(by, &shapeless), expected);
    let body = json!({ "organization_id": district.id, "charter": shapeless });
    let refused = by.post("/api/v1/programs", &body);
    assert_eq!((refused.status, refused.faults()), (422, expected.to_vec()));
}

#[test]
fn each_rule_of_a_charter_finds_its_own_fault() {
    let app = TestApp::new();
    let district = app.district();
    let by = &district.designers[0];
    finds(by, "/window/opens_on", json!("2027-02-30"), &[("/window/opens_on", "no_such_day")]);
    finds(
        by,
        "/window",
        json!({ "opens_on": "2027-03-02", "closes_on": "2027-03-01" }),
        &[("/window/closes_on", "window_reversed")],
    );
    let mut cohort = complete()["cohorts"][0].clone();
    cohort["window"] = json!({ "opens_on": "2020-01-01", "closes_on": "2020-02-01" });
    finds(by, "/cohorts/0", cohort, &[("/cohorts/0/window", "outside_window")]);
    finds(
        by,
        "/metrics/0",
        json!({ "id": "m", "numerator": "enrolled", "target_bp": 1 }),
        &[("/metrics/0/denominator", "half_a_share")],
    );
    finds(
        by,
        "/metrics/0",
        json!({ "id": "m", "numerator": "a", "denominator": "b", "count": "c", "target_bp": 1 }),
        &[("/metrics/0", "metric_form")],
    );
    finds(
        by,
        "/metrics/0",
        json!({ "id": "m", "count": "people", "target_bp": 1 }),
        &[("/metrics/0/target", "metric_without_target"), ("/metrics/0/target_bp", "wrong_target")],
    );
    finds(
        by,
        "/decisions/0/compensations",
        json!(["cross_department", "backread_one_in_ten"]),
        &[("/decisions/0/compensations", "waiver_without_compensations")],
    );
    finds(by, "/cohorts/1/id", json!("ia"), &[("/cohorts/1/id", "repeated_id")]);
}

#[test]
fn a_charter_is_approved_by_its_own_rule_and_an_edit_voids_the_votes() {
    let app = TestApp::new();
    let district = app.district();
    district.publish_small_group();
    let [author, colleague] = &district.designers;
    // The same department as the author's: more people, no more departments.
    let neighbour =
        app.invite(&district.admin, &district.departments[0], "n@example.org", &["designer"]);
    let mut charter = complete();
    charter["design_team"]["publish_rule"]["approvals"] = json!(3);
    let program = start(&district, author, &charter);
    step(&district.coordinator, &program, "rehearse").expect(200);

    assert_eq!(vote(author, &program, true)["approved"], false);
    assert_eq!(vote(&neighbour, &program, true)["approved"], false);
    let status = vote(author, &program, true);
    assert_eq!(status["approvals"].as_array().unwrap().len(), 2, "one person has one vote");
    assert_eq!((&status["needed_approvals"], &status["voters"]), (&json!(3), &json!(3)));
    let refused = step(&district.coordinator, &program, "open");
    assert_eq!(refused.status, 422);
    assert_eq!(refused.faults(), [(String::new(), "not-approved".to_owned())]);
    assert_eq!(vote(colleague, &program, true)["approved"], true);

    charter["theory_of_action"] = json!("If we look, we will see.");
    let edited = edit(author, &program, &charter);
    assert_eq!(edited["state"], "draft", "what was rehearsed has changed");
    step(&district.coordinator, &program, "rehearse").expect(200);
    let refused = step(&district.coordinator, &program, "open");
    assert_eq!(refused.faults(), [(String::new(), "not-approved".to_owned())]);
    // Back to the words that were approved once: those votes stay void.
    let first = complete_charter("pilot", &[SMALL_GROUP]);
    charter["theory_of_action"] = first["theory_of_action"].clone();
    edit(author, &program, &charter);
    step(&district.coordinator, &program, "rehearse").expect(200);
    let refused = step(&district.coordinator, &program, "open");
    assert_eq!(refused.faults(), [(String::new(), "not-approved".to_owned())]);
    for designer in [author, colleague, &neighbour] {
        vote(designer, &program, true);
    }
    assert_eq!(step(&district.coordinator, &program, "open").expect(200)["state"], "open");
}

#[test]
fn opening_needs_published_definitions_and_a_window_that_is_not_over() {
    let app = TestApp::new();
    let district = app.district();
    let coordinator = &district.coordinator;
    let pinned = format!("{SMALL_GROUP}@2");
    let program = start(&district, coordinator, &complete_charter("pilot", &[&pinned]));
    let approve = || {
        step(coordinator, &program, "rehearse").expect(200);
        for designer in &district.designers {
            vote(designer, &program, true);
        }
    };
    let unpublished = |n: usize| {
        (format!("/charter/cohorts/{n}/definitions/0"), "definition_not_published".to_owned())
    };
    approve();
    let refused = step(coordinator, &program, "open");
    assert_eq!((refused.status, refused.faults()), (422, vec![unpublished(0), unpublished(1)]));
    // Version 1 is there now, and the charter asks for 2.
    district.publish_small_group();
    let refused = step(coordinator, &program, "open");
    assert_eq!(refused.faults(), [unpublished(0), unpublished(1)]);
    let pinned = format!("{SMALL_GROUP}@1");
    edit(coordinator, &program, &complete_charter("pilot", &[&pinned]));
    approve();
    app.advance(chrono::TimeDelta::days(201));
    let refused = step(&app.sign_in(&coordinator.email), &program, "open");
    let over = ("/charter/window/closes_on".to_owned(), "window-over".to_owned());
    assert_eq!((refused.status, refused.faults()), (422, vec![over]));
    app.advance(chrono::TimeDelta::days(-1));
    let opened = step(&app.sign_in(&coordinator.email), &program, "open").expect(200);
    assert_eq!(opened["state"], "open");
}

#[test]
fn an_incomplete_charter_is_not_rehearsed() {
    let app = TestApp::new();
    let district = app.district();
    let program = start(&district, &district.coordinator, &example());
    let refused = step(&district.coordinator, &program, "rehearse");
    assert_eq!((refused.status, refused.faults().len()), (422, 12));
    assert_eq!(district.coordinator.get(&program).expect(200)["state"], "draft");
}

#[test]
fn what_is_not_open_is_known_to_the_team_only() {
    let app = TestApp::new();
    let district = app.district();
    district.publish_small_group();
    let program = start(&district, &district.designers[0], &complete());
    let id = program.rsplit('/').next().unwrap().to_owned();
    let changes = format!("{program}/changes");
    let listed = |by: &Person| {
        let page = by.get("/api/v1/programs").expect(200);
        page["items"].as_array().unwrap().iter().any(|item| item["id"] == id.as_str())
    };
    let anybody = app.anybody();
    for by in [&anybody, &district.earner, &district.assessor, &district.officer] {
        assert_eq!(by.get(&program).status, 404);
        assert_eq!(by.get(&changes).status, 404);
        assert!(!listed(by));
    }
    assert!(listed(&district.coordinator) && listed(&district.designers[1]));

    step(&district.coordinator, &program, "rehearse").expect(200);
    assert_eq!(anybody.get(&program).status, 404);
    let dissent = json!({ "approve": false, "comment": "" });
    let refused = district.designers[1].post(&format!("{program}/approvals"), &dissent);
    assert_eq!(refused.faults(), [("/comment".to_owned(), "reason".to_owned())]);
    let dissent = json!({ "approve": false, "comment": "The window is too short." });
    district.designers[1].post(&format!("{program}/approvals"), &dissent).expect(201);
    for designer in &district.designers {
        vote(designer, &program, true);
    }
    step(&district.coordinator, &program, "open").expect(200);
    let public = anybody.get(&program).expect(200);
    assert_eq!(public["charter"], complete());
    assert!(listed(&anybody));

    // The log tells what was said, and not by whom.
    let first = anybody.get(&format!("{changes}?limit=4")).expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = anybody.get(&format!("{changes}?limit=4&cursor={cursor}")).expect(200);
    assert_eq!(rest["next_cursor"], Value::Null);
    let lines: Vec<&Value> =
        [&first, &rest].into_iter().flat_map(|page| page["items"].as_array().unwrap()).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["create", "rehearse", "approve", "approve", "approve", "open"]);
    let dissent = lines[2];
    assert_eq!(dissent["reason"], "The window is too short.");
    assert_eq!((&dissent["approve"], &dissent["void"]), (&json!(false), &json!(true)));
    for line in lines {
        for person in [&district.designers[0], &district.designers[1], &district.coordinator] {
            assert!(!line.to_string().contains(&person.id), "{line}");
        }
        assert_eq!(line["content_hash"], public["content_hash"]);
    }
}

#[test]
fn a_charter_keeps_its_id_and_nobody_overwrites_unseen_work() {
    let app = TestApp::new();
    let district = app.district();
    let by = &district.coordinator;
    let program = start(&district, by, &complete());
    let body = json!({ "organization_id": district.id, "charter": complete() });
    assert_eq!(by.post("/api/v1/programs", &body).problem(), "already-there");

    let etag = by.get(&program).etag();
    let body = json!({ "charter": complete(), "reason": "Nothing." });
    let bare = by.send(by.request(reqwest::Method::PUT, &program).json(&body));
    assert_eq!(bare.status, 428);
    by.put(&program, &etag, &body).expect(200);
    let stale = by.put(&program, &etag, &body);
    assert_eq!((stale.status, &stale.json["current"]["slug"]), (412, &json!("pilot")));
    let etag = by.get(&program).etag();
    let body = json!({ "charter": complete_charter("other", &[SMALL_GROUP]), "reason": "New." });
    let renamed = by.put(&program, &etag, &body);
    assert_eq!(renamed.faults(), [("/charter/id".to_owned(), "slug-changed".to_owned())]);
    let body = json!({ "charter": complete(), "reason": " " });
    let silent = by.put(&program, &etag, &body);
    assert_eq!(silent.faults(), [("/reason".to_owned(), "reason".to_owned())]);
}

/// Where an event leads; written from DOMAIN.md (2.5) and docs/api/programs.md, not from the table.
fn leads_to(state: ProgramState, event: ProgramEvent) -> Option<ProgramState> {
    use ProgramEvent as E;
    use ProgramState as S;
    match (state, event) {
        (S::Draft, E::Edit | E::Approve) | (S::Rehearsal, E::Edit) => Some(S::Draft),
        (S::Draft, E::Rehearse) | (S::Rehearsal, E::Approve) => Some(S::Rehearsal),
        (S::Rehearsal, E::Open) => Some(S::Open),
        (S::Open, E::Close) => Some(S::Closed),
        (S::Draft, E::Open | E::Close)
        | (S::Rehearsal, E::Rehearse | E::Close)
        | (S::Open, E::Edit | E::Approve | E::Rehearse | E::Open)
        | (S::Closed, E::Edit | E::Approve | E::Rehearse | E::Open | E::Close) => None,
    }
}

fn may(role: &str, event: ProgramEvent) -> bool {
    match event {
        ProgramEvent::Edit => matches!(role, "designer" | "coordinator"),
        ProgramEvent::Approve => role == "designer",
        ProgramEvent::Rehearse | ProgramEvent::Open | ProgramEvent::Close => role == "coordinator",
    }
}

/// Tries an event with everything that it needs.
fn bring_about(by: &Person, program: &str, charter: &Value, event: ProgramEvent) -> Answer {
    match event {
        ProgramEvent::Edit => {
            // Whoever may not read the programme has no entity tag; the policy is asked first.
            let read = by.get(program);
            let etag = if read.status == 200 { read.etag() } else { "\"1\"".to_owned() };
            by.put(program, &etag, &json!({ "charter": charter, "reason": "Plainer." }))
        }
        ProgramEvent::Approve => {
            by.post(&format!("{program}/approvals"), &json!({ "approve": true, "comment": "Yes." }))
        }
        ProgramEvent::Rehearse => step(by, program, "rehearse"),
        ProgramEvent::Open => step(by, program, "open"),
        ProgramEvent::Close => step(by, program, "close"),
    }
}

#[test]
fn every_event_in_every_state_by_every_role() {
    let app = TestApp::new();
    let district = app.district();
    district.publish_small_group();
    let mut people = vec![("nobody", app.anybody())];
    for role in assay::domain::organization::Role::ALL {
        let role = role.as_str();
        people.push((role, app.seed(&district.id, &format!("{role}@walk.example.org"), &[role])));
    }
    let coordinator = &people.iter().find(|(role, _)| *role == "coordinator").unwrap().1.clone();
    for &state in ProgramState::ALL {
        for &event in ProgramEvent::ALL {
            for (role, person) in &people {
                let slug = format!("p-{state}-{event}-{}", role.replace('_', "-"));
                let charter = complete_charter(&slug, &[SMALL_GROUP]);
                let program = start(&district, coordinator, &charter);
                for next in ["rehearse", "open", "close"] {
                    let now = coordinator.get(&program).expect(200);
                    if now["state"] == state.as_str() {
                        break;
                    }
                    step(coordinator, &program, next).expect(200);
                    if next == "rehearse" {
                        district.designers.iter().for_each(|one| {
                            vote(one, &program, true);
                        });
                    }
                }
                let before = coordinator.get(&program);
                let is_legal = leads_to(state, event).is_some() && may(role, event);
                let events = is_legal.then(|| app.audit_events());
                let answer = bring_about(person, &program, &charter, event);
                let after = coordinator.get(&program);
                let reads = state.is_public() || matches!(*role, "designer" | "coordinator");
                let what = format!("{event} of {state} as {role}: {answer:?}");
                match leads_to(state, event) {
                    Some(to) if may(role, event) => {
                        assert!(matches!(answer.status, 200 | 201), "{what}");
                        assert_eq!(after.json["state"], to.as_str(), "{what}");
                        assert_eq!(Some(app.audit_events() - 1), events, "{what}");
                        continue;
                    }
                    None if may(role, event) => {
                        assert_eq!(
                            (answer.status, answer.problem().as_str()),
                            (409, "wrong-state")
                        );
                        let legal: Vec<&str> = ProgramEvent::ALL
                            .iter()
                            .filter(|event| leads_to(state, **event).is_some())
                            .map(|event| event.as_str())
                            .collect();
                        assert_eq!(answer.json["allowed_events"], json!(legal), "{what}");
                    }
                    Some(_) | None if *role == "nobody" => assert_eq!(answer.status, 401, "{what}"),
                    Some(_) | None if reads => assert_eq!(answer.status, 403, "{what}"),
                    Some(_) | None => assert_eq!(answer.status, 404, "{what}"),
                }
                assert_eq!(after.json, before.json, "{what}");
                assert_eq!(after.etag(), before.etag(), "{what}");
            }
        }
    }
}
