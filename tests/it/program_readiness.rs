//! The rules of readiness: what a plan comes to, by formulas anybody can follow, and what keeps a programme from opening.

use chrono::{Datelike, Days, Weekday};
use serde_json::{Value, json};

use crate::harness::{District, Person, TestApp, complete_charter, definition};

const SMALL_GROUP: &str = "mc-ia-small-group-support";

/// Shares in basis points: who takes part, hands in, earns at once.
fn with_targets(charter: &mut Value, targets: &[(&str, u64)]) {
    for metric in charter["metrics"].as_array_mut().unwrap() {
        for (id, target) in targets {
            if metric["id"] == *id {
                metric["target_bp"] = json!(target);
            }
        }
    }
}

fn planned() -> Value {
    let mut charter = complete_charter("pilot", &[SMALL_GROUP]);
    charter["cohorts"][0]["places"] = json!(40);
    charter["cohorts"][1]["places"] = json!(20);
    charter["planning"] = json!({ "minutes_per_reading": 30, "hours_per_assessor": 10 });
    let targets = [("enrolment_rate", 7500), ("submission_rate", 8000), ("earn_rate_first", 6000)];
    with_targets(&mut charter, &targets);
    charter
}

/// Starts a programme, rehearses and approves it. Returns its path.
#[track_caller]
fn prepare(district: &District, charter: &Value) -> String {
    let body = json!({ "organization_id": district.id, "charter": charter });
    let by = &district.coordinator;
    let id = by.post("/api/v1/programs", &body).expect(201)["id"].as_str().unwrap().to_owned();
    let program = format!("/api/v1/programs/{id}");
    by.post(&format!("{program}/rehearse"), &json!({ "reason": "Complete." })).expect(200);
    for designer in &district.designers {
        let vote = json!({ "approve": true, "comment": "" });
        designer.post(&format!("{program}/approvals"), &vote).expect(201);
    }
    program
}

#[track_caller]
fn open(district: &District, program: &str) -> crate::harness::Answer {
    district.coordinator.post(&format!("{program}/open"), &json!({ "reason": "Ready." }))
}

#[track_caller]
fn report(by: &Person, program: &str) -> Value {
    by.get(&format!("{program}/readiness?rate_minor=4500&currency=EUR")).expect(200)
}

/// Codes of findings with how they stand.
fn codes(report: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let found = report["findings"].as_array().unwrap().iter();
    found
        .inspect(|one| assert!(!one["detail"].as_str().unwrap().is_empty()))
        .map(|one| (word(&one["code"]), word(&one["standing"])))
        .collect()
}

fn has(report: &Value, code: &str, standing: &str) -> bool {
    codes(report).contains(&(code.to_owned(), standing.to_owned()))
}

/// Makes somebody no assessor any more.
#[track_caller]
fn dismiss(district: &District, assessor: &Person, school: &str) {
    let path = format!("/api/v1/organizations/{school}/members/{}", assessor.id);
    let etag = district.admin.get(&path).etag();
    let body = json!({ "roles": ["earner"], "state": "confirmed" });
    district.admin.put(&path, &etag, &body).expect(200);
}

/// Publishes the small-group micro-credential with another review policy, and no waiver.
#[track_caller]
fn publish_with(district: &District, change: impl Fn(&mut Value)) {
    let mut body = definition(SMALL_GROUP);
    change(&mut body["review_policy"]);
    let [author, colleague] = &district.designers;
    let new = json!({ "organization_id": district.id, "definition": body });
    let id = author.post("/api/v1/micro-credentials", &new).expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let version = format!("/api/v1/micro-credentials/{id}/versions/1");
    for designer in [author, colleague] {
        let vote = json!({ "approve": true, "comment": "" });
        designer.post(&format!("{version}/approvals"), &vote).expect(201);
    }
    author.act(&format!("{version}/publish")).expect(200);
}

#[test]
fn each_figure_follows_from_the_charter_by_its_formula() {
    let app = TestApp::new();
    let district = app.district();
    district.publish_small_group();
    let charter = planned();
    let program = prepare(&district, &charter);
    let found = report(&district.designers[0], &program);

    // 40 × 75 % × 80 % and 20 × 75 % × 80 %.
    let seats: Vec<[u64; 3]> = found["seats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| ["places", "people", "submitters"].map(|name| line[name].as_u64().unwrap()))
        .collect();
    assert_eq!(seats, [[40, 40, 24], [20, 20, 12]]);
    // Four of ten first attempts come again: 24 + 10, 12 + 5. Each of those fifteen is read twice, and nothing by chance.
    let [line] = found["definitions"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!((&line["attempts"], &line["readings"]), (&json!(51), &json!(66)));
    assert_eq!((&line["assessors"], &line["eligible"]), (&json!(1), &json!(1)));
    assert_eq!((&line["mode"], &line["sheets"]), (&json!("single"), &json!(1)));
    let hours = json!({
        "assessors": 1, "readings": 66, "minutes_per_reading": 30, "hours_per_assessor": 10,
        "needed_minutes": 1980, "available_minutes": 600,
    });
    assert_eq!(found["hours"], hours);

    // By a calendar of nothing but weekends, day by day.
    let day = |name: &str| {
        let text = charter["window"][name].as_str().unwrap();
        text.parse::<chrono::NaiveDate>().unwrap()
    };
    let works = |day: &chrono::NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let (opens, closes) = (day("opens_on"), day("closes_on"));
    let window = opens.iter_days().take_while(|day| *day <= closes).filter(works).count() as u64;
    let last = (window * 1980).div_ceil(600);
    let behind = closes.checked_add_days(Days::new(1)).unwrap();
    let last_on = behind.iter_days().filter(works).nth(usize::try_from(last).unwrap() - 1).unwrap();
    let days = json!({
        "window": window, "promised": 10, "expected": last.div_ceil(2), "last": last,
        "last_on": last_on.to_string(),
    });
    assert_eq!(found["days"], days);
    // 33 hours at 45.00.
    let cost = json!({ "rate_minor": 4500, "currency": "EUR", "amount_minor": 148_500 });
    assert_eq!(found["cost"], cost);

    assert_eq!(found["ready"], true, "too little time blocks nothing");
    for code in ["too_few_hours", "decisions_late", "no_second_reader"] {
        assert!(has(&found, code, "look"), "{code} in {found}");
    }
    assert_eq!(district.coordinator.get(&format!("{program}/readiness")).json["cost"], json!(null));
}

#[test]
fn a_charter_that_does_not_say_what_to_count_with_has_no_hours_and_says_what_is_missing() {
    let app = TestApp::new();
    let district = app.district();
    district.publish_small_group();
    let program = prepare(&district, &complete_charter("pilot", &[SMALL_GROUP]));
    let found = report(&district.coordinator, &program);
    assert_eq!(found["hours"]["needed_minutes"], json!(null));
    assert_eq!(found["days"]["expected"], json!(null));
    assert_eq!(found["cost"]["amount_minor"], json!(null));
    assert!(has(&found, "places_missing", "look") && has(&found, "planning_missing", "look"));
    for (query, at) in [
        ("rate_minor=1", "/currency"),
        ("currency=EUR", "/rate_minor"),
        ("rate_minor=1&currency=eur", "/currency"),
        ("rate_minor=100000001&currency=EUR", "/rate_minor"),
    ] {
        let refused = district.coordinator.get(&format!("{program}/readiness?{query}"));
        assert_eq!(refused.status, 422, "{query}");
        assert_eq!(refused.faults(), [(at.to_owned(), "rate".to_owned())]);
    }
    let highest = format!("{program}/readiness?rate_minor=100000000&currency=EUR");
    district.coordinator.get(&highest).expect(200);
}

#[test]
fn a_programme_does_not_open_while_nobody_may_read_for_a_definition() {
    let app = TestApp::new();
    let district = app.district();
    district.publish_small_group();
    let program = prepare(&district, &planned());
    dismiss(&district, &district.assessor, &district.schools[1]);
    let found = report(&district.coordinator, &program);
    assert_eq!(found["ready"], false);
    assert!(has(&found, "no_eligible_assessor", "blocks"), "{found}");
    let refused = open(&district, &program);
    assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
    let at = "/charter/cohorts/0/definitions/0".to_owned();
    assert_eq!(refused.faults(), [(at, "no_eligible_assessor".to_owned())]);
    let state = district.coordinator.get(&program).expect(200)["state"].clone();
    assert_eq!(state, "rehearsal");

    app.invite(&district.admin, &district.schools[0], "a2@example.org", &["assessor"]);
    assert_eq!(report(&district.coordinator, &program)["ready"], true);
    open(&district, &program).expect(200);
}

#[test]
fn assessors_whom_a_missing_waiver_keeps_away_do_not_count() {
    let app = TestApp::new();
    let district = app.district();
    publish_with(&district, |policy| {
        policy["coi"].as_array_mut().unwrap().push(json!("same_district"));
    });
    let program = prepare(&district, &planned());
    let found = report(&district.coordinator, &program);
    let line = &found["definitions"][0];
    assert_eq!((&line["assessors"], &line["eligible"]), (&json!(1), &json!(0)));
    assert_eq!(line["kept_away"][0]["rule"], "same_district");
    assert!(has(&found, "waiver_missing", "look") && has(&found, "no_eligible_assessor", "blocks"));
    assert_eq!(open(&district, &program).status, 422);

    district.waive_same_district();
    let found = report(&district.coordinator, &program);
    assert_eq!((&found["ready"], &found["definitions"][0]["eligible"]), (&json!(true), &json!(1)));
    // Its compensations: every not-yet twice, and a tenth of the rest.
    assert_eq!(found["definitions"][0]["readings"], json!(51 + 15 + 4));
    open(&district, &program).expect(200);
}

#[test]
fn double_scoring_needs_two_assessors_who_may_read_one_after_the_other() {
    let app = TestApp::new();
    let district = app.district();
    publish_with(&district, |policy| policy["mode"] = json!("double_blind"));
    let program = prepare(&district, &planned());
    assert!(has(&report(&district.coordinator, &program), "too_few_assessors", "blocks"));
    // One more of the same school does not help, one of another school does.
    app.invite(&district.admin, &district.schools[1], "same@example.org", &["assessor"]);
    let found = report(&district.coordinator, &program);
    assert_eq!(found["definitions"][0]["eligible"], 2);
    assert!(has(&found, "too_few_assessors", "blocks"), "{found}");
    assert_eq!(open(&district, &program).status, 422);
    let third = app.organization(&district.admin, &district.id, "Lake", "school");
    app.invite(&district.admin, &third, "lake@example.org", &["assessor"]);
    let found = report(&district.coordinator, &program);
    assert_eq!(found["ready"], true);
    assert_eq!(found["definitions"][0]["readings"], json!(2 * 51));
    // People of Lake are read by the two of Summit, who may not go together.
    assert_eq!(names_of(&found), ["Lake", "Summit"]);
    open(&district, &program).expect(200);
}

/// The schools whose people's work could not be decided.
fn names_of(report: &Value) -> Vec<String> {
    let schools = report["definitions"][0]["schools_without_assessor"].as_array().unwrap();
    let mut names: Vec<String> =
        schools.iter().map(|school| school["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn people_whom_a_tie_leaves_without_a_reader_are_counted() {
    let app = TestApp::new();
    let district = app.district();
    district.publish_small_group();
    let program = prepare(&district, &planned());
    assert_eq!(names_of(&report(&district.coordinator, &program)), ["Summit"]);
    open(&district, &program).expect(200);

    let path = format!("{program}/cohorts/ia/invitations");
    let row =
        |email: &str, school: &str| format!("{email},Somebody,instructional_assistant,{school}\n");
    let rows = row("far@example.org", "Willow") + &row(&district.earner.email, "Willow");
    let csv = json!({ "csv": format!("email,name,audience,school\n{rows}") });
    district.coordinator.post(&path, &csv).expect(200);
    let found = report(&district.coordinator, &program);
    assert_eq!(names_of(&found), [""; 0], "nobody of Summit is invited");
    assert_eq!(found["definitions"][0]["people_without_assessor"], 0);
    assert_eq!(found["seats"][0]["invited"], 2);

    let tie = json!({ "organization_id": district.id, "person_id": district.earner.id, "relation": "coaches" });
    district.assessor.post("/api/v1/conflicts", &tie).expect(201);
    let found = report(&district.coordinator, &program);
    let line = &found["definitions"][0];
    assert_eq!(line["people_without_assessor"], 1, "{line}");
    assert_eq!(line["blocked_by"], json!(["coached_this_attempt"]));
    assert!(has(&found, "people_without_assessor", "look"));
}
