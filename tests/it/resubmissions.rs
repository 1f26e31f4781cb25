//! After a not-yet: the next attempt, what it starts with, what its readers learn, and what the earner may say.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, definition};

/// The micro-credential that one reader decides, with changes to its rules for resubmission.
fn single(changes: &[(&str, Value)]) -> Value {
    let mut single = definition("mc-ia-small-group-support");
    single["review_policy"]["second_score_when_not_yet"] = json!(false);
    for (name, value) in changes {
        single["resubmission_policy"][*name] = value.clone();
    }
    single
}

/// Claims and locks a sheet: these at level 0, everything else at its pass level.
#[track_caller]
fn read(assessor: &Person, below: &[&str]) -> Value {
    let [review, _] = District::score_below(assessor, below, "Show where the signal was used.");
    review
}

fn resubmit(earner: &Person, path: &str, body: &Value) -> Answer {
    earner.post(&format!("{path}/resubmit"), body)
}

/// A not-yet for c4. Returns the micro-credential and the submission's path.
#[track_caller]
fn not_yet(district: &District, definition: &Value) -> (String, String) {
    let family = district.publish(definition);
    let id = district.submit(&district.earner, &family);
    read(&district.assessor, &["c4"]);
    let path = format!("/api/v1/submissions/{id}");
    assert_eq!(district.earner.get(&path).expect(200)["decision"], "not_yet");
    (family, path)
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["criterion_id"].as_str().unwrap()).collect()
}

#[test]
fn passed_criteria_are_carried_forward_and_only_the_others_are_read_again() {
    let app = TestApp::new();
    let district = app.district();
    let (_, first) = not_yet(&district, &single(&[]));
    let earner = &district.earner;
    let answer = resubmit(earner, &first, &json!({}));
    let second = answer.headers["location"].clone();
    let draft = answer.expect(201);
    assert_eq!([&draft["state"], &draft["attempt"]], [&json!("draft"), &json!(2)]);
    assert_eq!(draft["previous_id"], first.rsplit('/').next().unwrap());
    assert_eq!(ids(&draft["carried"]), ["c1", "c2", "c3", "q1", "r1"]);
    // What was written is there to go on with, and what is carried cannot be changed.
    assert_eq!(draft["responses"]["q1"], "We agreed on roles and a signal.");
    assert_eq!(draft["evidence"].as_array().unwrap().len(), 3);
    let etag = earner.get(&second).etag();
    let locked = earner.patch(&second, &etag, &json!({ "responses": { "q1": "Other words." } }));
    assert_eq!(locked.faults(), [("/responses/q1".to_owned(), "carried-forward".to_owned())]);
    earner.patch(&second, &etag, &json!({ "integrity_statement": true })).expect(200);
    let item = json!({ "requirement_id": "a3", "text": "A new note." });
    earner.post(&format!("{second}/evidence"), &item).expect(201);
    earner.act(&format!("{second}/submit")).expect(200);

    let review = read(&district.assessor, &[]);
    assert_eq!(review["criterion_ids"], json!(["c4"]));
    let text = review.to_string();
    for told in ["Show where the signal was used.", "\"attempt\"", first.as_str()] {
        assert!(!text.contains(told), "{told} in {text}");
    }
    let changes = &review["work"]["changes"];
    assert_eq!(changes["responses"], json!({ "q1": "unchanged", "r1": "unchanged" }));
    let mut items: Vec<&str> = changes["evidence"]
        .as_object()
        .unwrap()
        .values()
        .map(|one| one.as_str().unwrap())
        .collect();
    items.sort_unstable();
    assert_eq!(items, ["new", "unchanged", "unchanged", "unchanged"]);

    let own = earner.get(&second).expect(200);
    assert_eq!(own["decision"], "earned");
    let levels = own["feedback"]["levels"].as_array().unwrap();
    assert_eq!(levels.len(), 6, "{levels:?}");
    // The first attempt stays as it was decided.
    assert_eq!(earner.get(&first).expect(200)["decision"], "not_yet");
    let badge = app.anybody().get(own["award"]["path"].as_str().unwrap()).expect(200);
    let verdict = app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(verdict["credential"]["scoring"]["raters"], 1);
    app.audit_events();
}

#[test]
fn passed_criterion_can_be_opened_again_and_nothing_else() {
    let app = TestApp::new();
    let district = app.district();
    let (_, first) = not_yet(&district, &single(&[]));
    let earner = &district.earner;
    for criterion in ["c4", "c9"] {
        let answer = resubmit(earner, &first, &json!({ "reopen_criteria": [criterion] }));
        assert_eq!(answer.faults(), [("/reopen_criteria".to_owned(), "not-carried".to_owned())]);
    }
    let draft = resubmit(earner, &first, &json!({ "reopen_criteria": ["c1", "q1"] })).expect(201);
    assert_eq!(ids(&draft["carried"]), ["c2", "c3", "r1"]);
    let path = format!("/api/v1/submissions/{}", draft["id"].as_str().unwrap());
    let etag = earner.get(&path).etag();
    let patch = json!({ "responses": { "q1": "Other words." }, "integrity_statement": true });
    earner.patch(&path, &etag, &patch).expect(200);
    earner.act(&format!("{path}/submit")).expect(200);
    let review = read(&district.assessor, &[]);
    assert_eq!(review["criterion_ids"], json!(["q1", "c1", "c4"]));
    assert_eq!(review["work"]["changes"]["responses"]["q1"], "changed");
}

#[test]
fn only_the_last_attempt_that_did_not_earn_is_followed_by_another() {
    let app = TestApp::new();
    let district = app.district();
    let (family, first) = not_yet(&district, &single(&[]));
    let earner = &district.earner;
    let other = app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    assert_eq!(resubmit(&other, &first, &json!({})).problem(), "not-found");
    let second = resubmit(earner, &first, &json!({})).expect(201);
    assert_eq!(resubmit(earner, &first, &json!({})).problem(), "wrong-state");
    let path = format!("/api/v1/submissions/{}", second["id"].as_str().unwrap());
    assert_eq!(resubmit(earner, &path, &json!({})).problem(), "wrong-state");
    earner.act(&format!("{path}/withdraw")).expect(200);
    let (earned, _) = district.award(earner, &family);
    let earned = resubmit(earner, &format!("/api/v1/submissions/{earned}"), &json!({}));
    assert_eq!(earned.problem(), "wrong-state");
    assert!(!earned.json["allowed_events"].as_array().unwrap().contains(&json!("resubmit")));
}

/// Publishes a second version with other words for a criterion, so that it is scored by another rubric.
fn revise(district: &District, family: &str, definition: &Value) {
    let mut revised = definition.clone();
    revised["version"] = json!("2.0.0");
    revised["submission"]["part2"]["criteria"][0]["title"] = json!("Plans, and says why");
    let [author, colleague] = &district.designers;
    let versions = format!("/api/v1/micro-credentials/{family}/versions");
    author.post(&versions, &json!({ "definition": revised })).expect(201);
    for designer in [author, colleague] {
        designer.post(&format!("{versions}/2/approvals"), &json!({ "approve": true })).expect(201);
    }
    author.act(&format!("{versions}/2/publish")).expect(200);
}

#[test]
fn after_a_revision_the_earner_chooses_the_old_version_for_180_days_or_the_new() {
    let app = TestApp::new();
    let district = app.district();
    let (family, first) = not_yet(&district, &single(&[]));
    revise(&district, &family, &single(&[]));
    let earner = || app.sign_in("earner@example.org");
    let attempt = |body: &Value| {
        let draft = resubmit(&earner(), &first, body).expect(201);
        let path = format!("/api/v1/submissions/{}", draft["id"].as_str().unwrap());
        (draft, path)
    };
    let unknown = resubmit(&earner(), &first, &json!({ "version": 3 }));
    assert_eq!(unknown.faults(), [("/version".to_owned(), "unknown-version".to_owned())]);
    // Another rubric: nothing is carried over.
    let (new, path) = attempt(&json!({ "version": 2 }));
    assert_eq!([&new["version"], &new["carried"]], [&json!(2), &json!([])]);
    earner().act(&format!("{path}/withdraw")).expect(200);
    let family_path = format!("/api/v1/micro-credentials/{family}/submissions");
    // A withdrawn attempt is a later one; the way on is a whole new attempt.
    assert_eq!(resubmit(&earner(), &first, &json!({})).problem(), "wrong-state");
    earner().post(&family_path, &json!({})).expect(201);

    let app = TestApp::new();
    let district = app.district();
    let (family, first) = not_yet(&district, &single(&[]));
    revise(&district, &family, &single(&[]));
    app.advance(TimeDelta::days(179));
    let earner = app.sign_in("earner@example.org");
    let old = resubmit(&earner, &first, &json!({})).expect(201);
    assert_eq!(old["version"], 1);
    assert_eq!(old["carried"].as_array().unwrap().len(), 5);

    let app = TestApp::new();
    let district = app.district();
    let (family, first) = not_yet(&district, &single(&[]));
    revise(&district, &family, &single(&[]));
    app.advance(TimeDelta::days(181));
    let earner = app.sign_in("earner@example.org");
    let late = resubmit(&earner, &first, &json!({ "version": 1 }));
    assert_eq!(late.faults(), [("/version".to_owned(), "unknown-version".to_owned())]);
    assert_eq!(resubmit(&earner, &first, &json!({})).expect(201)["version"], 2);
}

#[test]
fn there_are_as_many_attempts_as_the_definition_allows() {
    let app = TestApp::new();
    let district = app.district();
    let (family, first) = not_yet(&district, &single(&[("max_attempts", json!(1))]));
    let refused = resubmit(&district.earner, &first, &json!({}));
    assert_eq!(refused.problem(), "wrong-state");
    let path = format!("/api/v1/micro-credentials/{family}/submissions");
    assert_eq!(district.earner.post(&path, &json!({})).problem(), "wrong-state");
}

#[test]
fn coach_is_offered_after_so_many_not_yets_and_told_only_when_wanted() {
    let app = TestApp::new();
    let district = app.district();
    app.invite(&district.admin, &district.id, "coach@example.org", &["coach"]);
    let (_, first) = not_yet(&district, &single(&[("coaching_offered_after_not_yet", json!(2))]));
    let earner = &district.earner;
    let answer = |path: &str, is_wanted: bool| {
        earner.post(&format!("{path}/coaching"), &json!({ "is_wanted": is_wanted }))
    };
    assert_eq!(earner.get(&first).expect(200)["coaching"], Value::Null);
    assert_eq!(answer(&first, true).problem(), "wrong-state");
    let draft = resubmit(earner, &first, &json!({})).expect(201);
    let second = format!("/api/v1/submissions/{}", draft["id"].as_str().unwrap());
    assert_eq!(answer(&second, true).problem(), "wrong-state");
    let etag = earner.get(&second).etag();
    earner.patch(&second, &etag, &json!({ "integrity_statement": true })).expect(200);
    earner.act(&format!("{second}/submit")).expect(200);
    read(&district.assessor, &["c4"]);
    assert_eq!(earner.get(&second).expect(200)["coaching"]["is_wanted"], Value::Null);
    let letters = |words: &str| {
        app.send_mail();
        let folder = std::fs::read_dir(app.folder().join("mail")).unwrap();
        folder
            .filter(|file| {
                let path = file.as_ref().unwrap().path();
                std::fs::read_to_string(path).is_ok_and(|text| text.contains(words))
            })
            .count()
    };
    assert_eq!(letters("like to talk"), 1, "the offer, to the earner");
    assert_eq!(answer(&second, false).expect(200)["coaching"]["is_wanted"], false);
    assert_eq!(letters("Please get in touch with them"), 0);
    assert_eq!(answer(&second, true).expect(200)["coaching"]["is_wanted"], true);
    assert_eq!(answer(&second, true).expect(200)["coaching"]["is_wanted"], true);
    assert_eq!(letters("Please get in touch with them"), 1);
}

#[test]
fn feedback_is_rated_once_and_after_the_decision() {
    let app = TestApp::new();
    let district = app.district();
    let (family, first) = not_yet(&district, &single(&[]));
    let rate =
        |path: &str, body: &Value| district.earner.post(&format!("{path}/feedback-rating"), body);
    for rating in [0, 6] {
        let answer = rate(&first, &json!({ "rating": rating }));
        assert_eq!(answer.faults(), [("/rating".to_owned(), "rating".to_owned())]);
    }
    let body = json!({ "rating": 4, "comment": "I know what to do next." });
    assert_eq!(rate(&first, &body).expect(201)["rating"], body);
    assert_eq!(rate(&first, &body).faults()[0].1, "rated");
    let path = format!("/api/v1/micro-credentials/{family}/submissions");
    let open = district.earner.post(&path, &json!({})).expect(201);
    let open = format!("/api/v1/submissions/{}", open["id"].as_str().unwrap());
    assert_eq!(rate(&open, &body).problem(), "wrong-state");
    assert_eq!(
        district.assessor.post(&format!("{first}/feedback-rating"), &body).problem(),
        "not-found"
    );
}

#[test]
fn comment_bank_is_for_assessors_and_changed_by_its_authors_and_leads() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&single(&[]));
    let school = &district.schools[1];
    let second = app.invite(&district.admin, school, "second@example.org", &["assessor"]);
    let lead = app.invite(&district.admin, school, "lead@example.org", &["lead_assessor"]);
    let bank = format!("/api/v1/micro-credentials/{family}/comments");
    let author = &district.assessor;
    let body = json!({ "criterion_id": "c1", "text": "Name the signal that you agreed on." });
    let created = author.post(&bank, &body);
    let (path, etag) = (created.headers["location"].clone(), created.etag());
    assert_eq!(created.expect(201)["text"], body["text"]);
    for (body, pointer) in [
        (json!({ "text": " " }), "/text"),
        (json!({ "criterion_id": "c9", "text": "Clear." }), "/criterion_id"),
    ] {
        assert_eq!(author.post(&bank, &body).faults()[0].0, pointer);
    }
    assert_eq!(second.get(&bank).expect(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(district.earner.get(&bank).problem(), "forbidden");
    let other = json!({ "text": "Say what you noticed." });
    assert_eq!(second.put(&path, &etag, &other).problem(), "forbidden");
    assert_eq!(second.delete(&path).problem(), "forbidden");
    let changed = author.put(&path, &etag, &other);
    assert_eq!(changed.json["criterion_id"], Value::Null);
    assert_eq!(author.put(&path, &etag, &other).problem(), "stale");
    lead.put(&path, &changed.etag(), &body).expect(200);
    assert_eq!(lead.delete(&path).status, 204);
    assert_eq!(author.delete(&path).problem(), "not-found");
}

#[test]
fn coach_who_was_told_whose_work_it_is_reads_no_attempt_of_it() {
    let app = TestApp::new();
    let district = app.district();
    let coach =
        |email: &str| app.invite(&district.admin, &district.id, email, &["coach", "assessor"]);
    let told = coach("told@example.org");
    let (family, first) =
        not_yet(&district, &single(&[("coaching_offered_after_not_yet", json!(1))]));
    let earner = &district.earner;
    let wants = |is_wanted: bool| {
        earner.post(&format!("{first}/coaching"), &json!({ "is_wanted": is_wanted })).expect(200);
    };
    wants(false);
    let draft = resubmit(earner, &first, &json!({})).expect(201);
    let second = format!("/api/v1/submissions/{}", draft["id"].as_str().unwrap());
    let etag = earner.get(&second).etag();
    earner.patch(&second, &etag, &json!({ "integrity_statement": true })).expect(200);
    earner.act(&format!("{second}/submit")).expect(200);

    // Nobody is told of a coach who is not wanted, and the work is theirs to read like anybody's.
    let claimed = told.post("/api/v1/reviews/claim", &json!({})).expect(201);
    let review = format!("/api/v1/reviews/{}", claimed["id"].as_str().unwrap());
    told.get(&review).expect(200);
    // Wanted at last, and once more: it is who holds the review that is told.
    wants(true);
    wants(false);
    wants(true);
    assert_eq!(told.get(&review).problem(), "wrong-state");
    assert_eq!(told.act(&format!("{review}/lock")).problem(), "wrong-state");
    app.advance(TimeDelta::hours(73));
    app.resources.as_system(assay::service::housekeeping::often).unwrap();

    let again = |email: &str| app.sign_in(email);
    let claim = |person: &Person| person.post("/api/v1/reviews/claim", &json!({}));
    assert_eq!(claim(&again("told@example.org")).status, 204, "taking it back makes nobody forget");
    let blocked =
        again("coordinator@example.org").get("/api/v1/queue/blocked?all=true").expect(200);
    let rules = blocked["items"][0]["blocked_by"].as_array().unwrap();
    assert!(
        rules.contains(&json!({ "rule": "coached_this_attempt", "assessors": 1 })),
        "{blocked}"
    );

    // Who became a coach afterwards was not told; work of somebody else is no secret to either.
    app.invite(&app.admin(), &district.id, "later@example.org", &["coach", "assessor"]);
    let later = again("later@example.org");
    read(&later, &["c4"]);
    let other = app.invite(&app.admin(), &district.schools[0], "other@example.org", &["earner"]);
    district.submit(&other, &family);
    claim(&again("told@example.org")).expect(201);

    // An appeal of the attempt before is read by people who were not told either.
    let appeal = json!({ "grounds": "scoring", "criteria": ["c4"], "statement": "The note names each learner." });
    again("earner@example.org").post(&format!("{first}/appeal"), &appeal).expect(201);
    assert_eq!(claim(&again("told@example.org")).status, 204);
    claim(&again("later@example.org")).expect(201);
}
