//! Coaching of an attempt: whom its earner asks, what the coach sees and says, and that nobody scores what they coach.

use assay::domain::coaching::Help;
use assay::domain::submission::SubmissionState;
use assay::service::context::Proof;
use assay::service::{Cx, coachings};
use serde_json::{Value, json};

use crate::harness::statements::{count_statements, statements_of};
use crate::harness::{District, Person, TestApp};

/// A district with two coaches; the second is an assessor as well.
struct Scene {
    app: TestApp,
    district: District,
    coach: Person,
    scoring_coach: Person,
    family: String,
    /// The path of a draft in which everything is filled in.
    path: String,
}

fn id_of(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

impl Scene {
    fn new() -> Scene {
        let app = TestApp::new();
        let district = app.district();
        let invite =
            |email: &str, roles: &[&str]| app.invite(&district.admin, &district.id, email, roles);
        let coach = invite("coach@example.org", &["coach"]);
        let scoring_coach = invite("both@example.org", &["coach", "assessor"]);
        let family = district.publish_small_group();
        let path = format!("/api/v1/submissions/{}", district.fill(&district.earner, &family));
        Scene { app, district, coach, scoring_coach, family, path }
    }

    /// Asks a coach. Returns the path of the coaching.
    #[track_caller]
    fn ask(&self, coach: &Person, shares: &[&str]) -> String {
        let body = json!({ "person_id": coach.id, "shares": shares });
        let answer = self.district.earner.post(&format!("{}/coachings", self.path), &body);
        let path = answer.headers["location"].clone();
        let asked = answer.expect(201);
        assert_eq!(path, format!("/api/v1/coachings/{}", id_of(&asked)));
        path
    }

    fn letters(&self, words: &str) -> usize {
        self.app.send_mail();
        let folder = std::fs::read_dir(self.app.folder().join("mail")).unwrap();
        let texts = folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        texts.filter(|text| text.contains(words)).count()
    }
}

#[test]
fn coach_is_asked_and_comments_in_the_states_in_which_nobody_reads() {
    for state in SubmissionState::ALL {
        let is_read_blind = *state == SubmissionState::Appealed;
        let is_open = ["draft", "returned", "decided"].contains(&state.as_str());
        let help = Help::within(*state);
        assert_eq!(help.refuses_to_ask().is_none(), is_open, "{state}");
        assert_eq!(help.refuses_to_comment().is_none(), is_open || is_read_blind, "{state}");
    }
    for state in SubmissionState::ALL {
        // Nobody is asked while a case is open, and who was asked before goes on.
        let (help, beside) = (Help::within(*state), Help::within(*state).beside_a_case());
        assert!(beside.refuses_to_ask().is_some(), "{state}");
        assert_eq!(beside.refuses_to_comment(), help.refuses_to_comment(), "{state}");
    }
    let appealed = Help::within(SubmissionState::Appealed).refuses_to_ask().unwrap();
    let read = Help::within(SubmissionState::InReview).refuses_to_ask().unwrap();
    assert!(appealed.contains("appeal") && !read.contains("appeal"));
}

#[test]
fn coach_who_is_asked_sees_the_draft_and_says_something_that_the_earner_reads() {
    let scene = Scene::new();
    let earner = &scene.district.earner;
    let coaches = earner.get(&format!("{}/coaches", scene.path)).expect(200);
    let names: Vec<&Value> =
        coaches["items"].as_array().unwrap().iter().map(|one| &one["person_id"]).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&&json!(scene.coach.id)) && !names.contains(&&json!(earner.id)));

    let path = scene.ask(&scene.coach, &["responses", "evidence", "feedback"]);
    assert_eq!(scene.letters("asks you to look at their work"), 1);
    // The page opens what the fragment of the letter's link names.
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(scene.letters(&format!("/coachings#{id}")), 1);
    assert_eq!(scene.app.anybody().get_as("/coachings", "text/html").status, 200);
    let seen = scene.coach.get(&path).expect(200);
    assert_eq!(seen["responses"]["q1"], "We agreed on roles and a signal.");
    assert_eq!(seen["evidence"].as_array().unwrap().len(), 3);
    assert_eq!([&seen["decision"], &seen["feedback"]], [&Value::Null, &Value::Null]);
    assert_eq!([&seen["is_open"], &seen["earner"]["person_id"]], [&json!(true), &json!(earner.id)]);
    let content = seen["evidence"][0]["content_path"].as_str().unwrap();
    assert_eq!(scene.coach.get(content).status, 200);
    let listed = scene.coach.get("/api/v1/coachings").expect(200);
    let mut line = seen.clone();
    for part in ["responses", "evidence", "decision", "feedback", "comments"] {
        line.as_object_mut().unwrap().remove(part).unwrap();
    }
    assert_eq!(listed["items"], json!([line]), "without the work");
    assert_eq!(earner.get("/api/v1/coachings").expect(200), listed);

    for words in ["Say who spoke when.", "And how long."] {
        let body = json!({ "item_id": "q1", "text": words });
        scene.coach.post(&format!("{path}/comments"), &body).expect(201);
    }
    assert_eq!(scene.letters("your coach has written something"), 1, "once a day");
    let read = earner.get(&path).expect(200);
    let said: Vec<&Value> =
        read["comments"].as_array().unwrap().iter().map(|one| &one["text"]).collect();
    assert_eq!(said, ["Say who spoke when.", "And how long."]);
    assert_eq!(read["comments"][0]["item_id"], "q1");
    // The words lie under the key of the submission, and in no event of the trail.
    let bytes = std::fs::read(scene.app.folder().join("assay.db")).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&bytes).contains("Say who spoke when."));
    scene.app.audit_events();
}

#[test]
fn coach_sees_what_is_shared_and_nothing_else() {
    let scene = Scene::new();
    let earner = &scene.district.earner;
    let path = scene.ask(&scene.coach, &["responses"]);
    let own = earner.get(&scene.path).expect(200);
    let content = own["evidence"][0]["content_path"].as_str().unwrap().to_owned();
    let seen = scene.coach.get(&path).expect(200);
    assert_eq!([&seen["evidence"], &seen["shares"]], [&Value::Null, &json!(["responses"])]);
    assert_eq!(scene.coach.get(&content).problem(), "not-found");
    assert_eq!(scene.coach.get(&scene.path).problem(), "not-found", "the submission itself");

    // Asked again for something else, it is the same coaching, and no second mail.
    assert_eq!(scene.ask(&scene.coach, &["evidence", "feedback"]), path);
    assert_eq!(scene.letters("asks you to look at their work"), 1);
    let seen = scene.coach.get(&path).expect(200);
    assert_eq!(seen["responses"], Value::Null);
    assert_eq!(scene.coach.get(&content).status, 200);

    // While it is read nobody comments; once it is decided the feedback is there.
    earner.act(&format!("{}/submit", scene.path)).expect(200);
    let comments = format!("{path}/comments");
    let words = json!({ "text": "Well done." });
    assert_eq!(scene.coach.post(&comments, &words).problem(), "wrong-state");
    assert_eq!(scene.coach.get(&path).expect(200)["is_open"], false);
    let ask = json!({ "person_id": scene.scoring_coach.id, "shares": ["responses"] });
    let asked = earner.post(&format!("{}/coachings", scene.path), &ask);
    assert_eq!(asked.problem(), "wrong-state");
    scene.district.score(&scene.district.assessor, 0);
    let seen = scene.coach.get(&path).expect(200);
    assert_eq!(seen["decision"], "earned");
    assert_eq!(seen["feedback"]["levels"].as_array().unwrap().len(), 6);
    scene.coach.post(&comments, &words).expect(201);

    // What has ended is nobody's business but the earner's, until the coach is asked again.
    assert_eq!(earner.delete(&path).status, 204);
    assert_eq!(earner.delete(&path).problem(), "wrong-state");
    for hidden in [path.as_str(), content.as_str()] {
        assert_eq!(scene.coach.get(hidden).problem(), "not-found");
    }
    assert_eq!(scene.coach.post(&comments, &words).problem(), "not-found");
    assert_eq!(scene.coach.get("/api/v1/coachings").expect(200)["items"], json!([]));
    assert_eq!(earner.get(&path).expect(200)["comments"][0]["text"], "Well done.");
    assert_eq!(scene.ask(&scene.coach, &["feedback"]), path);
    assert_eq!(scene.letters("asks you to look at their work"), 2);
}

#[test]
fn whoever_was_asked_scores_no_attempt_of_it() {
    let scene = Scene::new();
    let (earner, both) = (&scene.district.earner, &scene.scoring_coach);
    let path = scene.ask(both, &["feedback"]);
    assert_eq!(earner.delete(&path).status, 204);
    earner.act(&format!("{}/submit", scene.path)).expect(200);
    let claim = || both.post("/api/v1/reviews/claim", &json!({}));
    assert_eq!(claim().status, 204, "ending it makes nobody forget");
    let blocked = scene.district.coordinator.get("/api/v1/queue/blocked?all=true").expect(200);
    let rules = blocked["items"][0]["blocked_by"].as_array().unwrap();
    let coached = json!({ "rule": "coached_this_attempt", "assessors": 1 });
    assert!(rules.contains(&coached), "{blocked}");
    // Somebody else's work is no secret to them.
    let school = &scene.district.schools[0];
    let other = scene.app.invite(&scene.district.admin, school, "other@example.org", &["earner"]);
    scene.district.submit(&other, &scene.family);
    claim().expect(201);
}

#[test]
fn five_coaches_are_asked_over_all_attempts_however_often_the_earner_begins_again() {
    let mut scene = Scene::new();
    let more: Vec<Person> = (0..4)
        .map(|number| {
            let email = format!("coach-{number}@example.org");
            scene.app.seed(&scene.district.id, &email, &["coach"])
        })
        .collect();
    let ended = scene.ask(&scene.coach, &["responses"]);
    assert_eq!(scene.district.earner.delete(&ended).status, 204);
    for coach in &more[..3] {
        scene.ask(coach, &["responses"]);
    }
    let earner = scene.district.earner.clone();
    earner.act(&format!("{}/withdraw", scene.path)).expect(200);
    scene.path = format!("/api/v1/submissions/{}", scene.district.fill(&earner, &scene.family));
    scene.ask(&scene.scoring_coach, &["responses"]);
    let ask = json!({ "person_id": more[3].id, "shares": ["responses"] });
    let refused = earner.post(&format!("{}/coachings", scene.path), &ask);
    assert_eq!(refused.faults(), [("/person_id".to_owned(), "too-many-asked".to_owned())]);
    assert_eq!(more[3].get("/api/v1/coachings").expect(200)["items"], json!([]));
    // Whoever was asked before is asked again.
    scene.ask(&scene.coach, &["feedback"]);
}

#[test]
fn only_a_coach_of_the_place_can_be_asked_and_for_something() {
    let scene = Scene::new();
    let earner = &scene.district.earner;
    let path = format!("{}/coachings", scene.path);
    let stranger =
        scene.app.seed(&scene.app.seed_root("Harbour"), "coach@harbour.example.org", &["coach"]);
    let ask = |person: &str, shares: Value| {
        earner.post(&path, &json!({ "person_id": person, "shares": shares })).faults()
    };
    let fault = |pointer: &str, code: &str| [(pointer.to_owned(), code.to_owned())];
    for person in [&earner.id, &scene.district.assessor.id, &stranger.id] {
        assert_eq!(ask(person, json!(["responses"])), fault("/person_id", "no-coach"));
    }
    assert_eq!(ask(&scene.coach.id, json!([])), fault("/shares", "nothing-shared"));
    assert_eq!(ask(&scene.coach.id, json!(["everything"])), fault("/shares", "unknown-word"));
    assert_eq!(scene.letters("asks you to look at their work"), 0);

    let coaching = scene.ask(&scene.coach, &["responses"]);
    for person in [&stranger, &scene.scoring_coach, &scene.district.coordinator] {
        assert_eq!(person.get(&coaching).problem(), "not-found");
        assert_eq!(person.get("/api/v1/coachings").expect(200)["items"], json!([]));
        let comment = json!({ "text": "Hello." });
        assert_eq!(person.post(&format!("{coaching}/comments"), &comment).problem(), "not-found");
    }
    let say = |item: Value, text: &str| {
        let body = json!({ "item_id": item, "text": text });
        scene.coach.post(&format!("{coaching}/comments"), &body).faults()
    };
    assert_eq!(say(json!("c9"), "Hello."), fault("/item_id", "unknown-item"));
    assert_eq!(say(Value::Null, " "), fault("/text", "words"));
    assert_eq!(say(Value::Null, &"a".repeat(4001)), fault("/text", "words"));

    // Whoever is no coach any more is not shown what was shared with them.
    let member = format!("/api/v1/organizations/{}/members/{}", scene.district.id, scene.coach.id);
    let admin = &scene.district.admin;
    let etag = admin.get(&member).etag();
    let body = json!({ "roles": ["auditor"], "state": "confirmed" });
    admin.put(&member, &etag, &body).expect(200);
    let former = scene.app.sign_in("coach@example.org");
    assert_eq!(former.get(&coaching).problem(), "not-found");
    assert_eq!(former.get("/api/v1/coachings").expect(200)["items"], json!([]));
}

#[test]
fn list_shows_what_can_be_read_and_nothing_more() {
    let scene = Scene::new();
    let path = scene.ask(&scene.coach, &["responses"]);
    let (earner, school) = (&scene.district.earner, &scene.district.schools[0]);
    let member = format!("/api/v1/organizations/{school}/members/{}", earner.id);
    let admin = &scene.district.admin;
    let etag = admin.get(&member).etag();
    let body = json!({ "roles": ["earner"], "state": "suspended" });
    admin.put(&member, &etag, &body).expect(200);
    let former = scene.app.sign_in("earner@example.org");
    assert_eq!(former.get(&path).problem(), "not-found");
    assert_eq!(former.get("/api/v1/coachings").expect(200)["items"], json!([]));
    assert_eq!(scene.coach.get("/api/v1/coachings").expect(200)["items"][0]["is_open"], true);
}

#[test]
fn list_asks_the_database_as_often_however_much_is_shared() {
    count_statements();
    let scene = Scene::new();
    scene.ask(&scene.coach, &["responses", "evidence", "feedback"]);
    let cost = || {
        let list = |cx: &mut Cx<'_>| coachings::list(cx, None, 100);
        let proof = Proof::Token(&scene.coach.token);
        let (listed, n_statements) =
            statements_of(|| scene.app.resources.run("list_coachings", proof, list));
        (listed.unwrap().len(), n_statements)
    };
    let (one, of_one) = cost();
    for number in 0..4 {
        let email = format!("earner-{number}@example.org");
        let earner = scene.app.seed(&scene.district.schools[0], &email, &["earner"]);
        let path = format!("/api/v1/submissions/{}", scene.district.fill(&earner, &scene.family));
        let body = json!({ "person_id": scene.coach.id, "shares": ["responses"] });
        earner.post(&format!("{path}/coachings"), &body).expect(201);
    }
    assert_eq!((one, cost()), (1, (5, of_one)));
}
