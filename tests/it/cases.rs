//! Appeals and integrity cases: opened, answered, and decided by three who had no part before.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, definition};

/// A district with readers and a panel.
struct Stage {
    app: TestApp,
    district: District,
    fresh: [Person; 2],
    panel: Vec<Person>,
}

fn stage() -> Stage {
    let app = TestApp::new();
    let district = app.district();
    // Of no school: readers of one school are never put together.
    let fresh = ["fresh-0@example.org", "fresh-1@example.org"]
        .map(|email| app.invite(&district.admin, &district.id, email, &["assessor"]));
    let panel = (0..3)
        .map(|n| {
            let email = format!("panel-{n}@example.org");
            app.invite(&district.admin, &district.id, &email, &["review_panel"])
        })
        .collect();
    Stage { app, district, fresh, panel }
}

impl Stage {
    /// A submission that one reader has decided: at the pass levels, but for these at 0.
    #[track_caller]
    fn decided(&self, below: &[&str]) -> String {
        let mut single = definition("mc-ia-small-group-support");
        single["review_policy"]["second_score_when_not_yet"] = json!(false);
        let family = self.district.publish(&single);
        let id = self.district.submit(&self.district.earner, &family);
        read(&self.district.assessor, below);
        format!("/api/v1/submissions/{id}")
    }

    /// Appeals c4 and returns the path of the case.
    #[track_caller]
    fn appeal(&self, path: &str) -> String {
        let body = json!({
            "grounds": "scoring", "criteria": ["c4"], "statement": "The note names each learner.",
        });
        let own = self.district.earner.post(&format!("{path}/appeal"), &body).expect(201);
        assert_eq!(own["state"], "appealed");
        format!("/api/v1/cases/{}", own["cases"][0]["id"].as_str().unwrap())
    }

    fn own(&self, path: &str) -> Value {
        self.district.earner.get(path).expect(200)
    }
}

/// Claims and locks a sheet: these at level 0, everything else at its pass level. Returns what was claimed.
#[track_caller]
fn read(assessor: &Person, below: &[&str]) -> Value {
    let [review, locked] = District::score_below(assessor, below, "Say how you checked.");
    assert_eq!(locked["other_sheets"], json!([]));
    review
}

#[track_caller]
fn vote(person: &Person, case: &str, word: &str) -> Value {
    let body = json!({ "vote": word, "reasons": format!("{word}, by what the note says.") });
    person.post(&format!("{case}/votes"), &body).expect(201)
}

#[test]
fn appeal_is_read_by_two_fresh_readers_and_decided_by_three() {
    let stage = stage();
    let path = stage.decided(&["c4"]);
    assert_eq!(stage.own(&path)["decision"], "not_yet");
    let case = stage.appeal(&path);
    let before = stage.panel[0]
        .post(&format!("{case}/votes"), &json!({ "vote": "uphold", "reasons": "Too early." }));
    assert_eq!(before.problem(), "wrong-state");
    // Not the one who has read it, and each of the others once; it looks like any other reading.
    assert_eq!(stage.district.assessor.post("/api/v1/reviews/claim", &json!({})).status, 204);
    let first = read(&stage.fresh[0], &[]);
    assert_eq!([&first["kind"], &first["criterion_ids"]], [&json!("reading"), &json!(["c4"])]);
    assert!(!first.to_string().contains("The note names each learner."));
    assert_eq!(stage.fresh[0].post("/api/v1/reviews/claim", &json!({})).status, 204);
    let seen = stage.panel[0].get(&case).expect(200);
    assert_eq!([&seen["state"], &seen["fresh_sheets"]], [&json!("open"), &json!([])]);
    read(&stage.fresh[1], &[]);

    let seen = stage.panel[0].get(&case).expect(200);
    assert_eq!([&seen["state"], &seen["allowed_events"]], [&json!("voting"), &json!(["vote"])]);
    assert_eq!(seen["fresh_sheets"].as_array().unwrap().len(), 2);
    assert!(!seen.to_string().contains(&stage.district.earner.id), "the panel reads blind as well");
    assert_eq!(stage.own(&path)["feedback"]["overall_feedback"].as_array().unwrap().len(), 1);
    vote(&stage.panel[0], &case, "rescore");
    let body = json!({ "vote": "rescore", "reasons": "Again." });
    let twice = stage.panel[0].post(&format!("{case}/votes"), &body);
    assert_eq!(twice.faults()[0].1, "voted");
    let unknown = stage.panel[1]
        .post(&format!("{case}/votes"), &json!({ "vote": "clear", "reasons": "No." }));
    assert_eq!(unknown.faults()[0].0, "/vote");
    vote(&stage.panel[1], &case, "uphold");
    assert_eq!(stage.own(&path)["state"], "appealed");
    let concluded = vote(&stage.panel[2], &case, "rescore");
    assert_eq!(concluded["outcome"], "overturned");

    let own = stage.own(&path);
    assert_eq!([&own["state"], &own["decision"]], [&json!("decided"), &json!("earned")]);
    let badge = stage.app.anybody().get(own["award"]["path"].as_str().unwrap()).expect(200);
    let verdict = stage.app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(verdict["credential"]["scoring"]["raters"], 3);
    let told = stage.district.earner.get(&case).expect(200);
    assert_eq!(
        told["criteria"],
        json!([{ "criterion_id": "c4", "level_before": 0, "level_after": 1 }])
    );
    let reason = "rescore, by what the note says.";
    assert_eq!(told["reasons"], json!([reason, reason]), "those of the majority, in writing");
    assert_eq!(told["work"], Value::Null);
    let again = stage.district.earner.post(
        &format!("{path}/appeal"),
        &json!({ "grounds": "scoring", "statement": "Once more." }),
    );
    assert_eq!(again.faults()[0].1, "appealed");
    stage.app.send_mail();
    stage.app.audit_events();
}

impl Stage {
    /// Hands in the next attempt as the last one was. Returns its path.
    #[track_caller]
    fn resubmitted(&self, path: &str) -> String {
        let next = self.begun_again(path);
        self.district.earner.act(&format!("{next}/submit")).expect(200);
        next
    }

    /// Begins the next attempt, ready to be handed in. Returns its path.
    #[track_caller]
    fn begun_again(&self, path: &str) -> String {
        let earner = &self.district.earner;
        let draft = earner.post(&format!("{path}/resubmit"), &json!({})).expect(201);
        let next = format!("/api/v1/submissions/{}", draft["id"].as_str().unwrap());
        let etag = earner.get(&next).etag();
        earner.patch(&next, &etag, &json!({ "integrity_statement": true })).expect(200);
        next
    }

    /// Appeals and has the panel overturn the decision.
    #[track_caller]
    fn overturned(&self, path: &str) {
        let case = self.appeal(path);
        for reader in &self.fresh {
            read(reader, &[]);
        }
        for member in &self.panel {
            vote(member, &case, "rescore");
        }
        assert_eq!(self.district.earner.get(&case).expect(200)["outcome"], "overturned");
    }

    /// Expects that both attempts are earned and that there is one award, which both lead to.
    #[track_caller]
    fn one_award_for(&self, first: &str, second: &str) {
        let (one, other) = (self.own(first), self.own(second));
        assert_eq!([&one["decision"], &other["decision"]], ["earned", "earned"]);
        assert!(one["award"]["id"].is_string());
        assert_eq!(one["award"], other["award"]);
        let awards = self.district.earner.get("/api/v1/awards").expect(200);
        assert_eq!(awards["items"].as_array().unwrap().len(), 1, "{awards}");
        let status = self.district.coordinator.get(second).expect(200);
        assert_eq!(status["progress"], "earned");
        self.app.audit_events();
    }
}

#[test]
fn attempt_that_is_earned_after_an_appeal_was_makes_no_second_award() {
    let stage = stage();
    let first = stage.decided(&["c4"]);
    // The next attempt is begun before the panel has concluded: afterwards there is nothing to hand in again.
    let second = stage.begun_again(&first);
    stage.overturned(&first);
    let award = stage.own(&first)["award"].clone();
    let again = stage.district.earner.post(&format!("{first}/resubmit"), &json!({}));
    assert_eq!(again.problem(), "wrong-state");
    stage.district.earner.act(&format!("{second}/submit")).expect(200);
    read(&stage.fresh[0], &[]);
    assert_eq!(stage.own(&second)["award"], award);
    stage.one_award_for(&first, &second);
    stage.app.send_mail();
    let mails = std::fs::read_dir(stage.app.folder().join("mail")).unwrap();
    let n_held = mails
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .filter(|mail| mail.contains("You hold this badge already"))
        .count();
    assert_eq!(n_held, 1, "no badge is promised");

    // An award that is revoked is shown as that, and what is begun afresh is something else to earn.
    let id = award["id"].as_str().unwrap();
    stage.district.revoke(id).expect(200);
    assert_eq!(stage.own(&second)["award"]["state"], "revoked");
    let family = stage.own(&first)["micro_credential_id"].as_str().unwrap().to_owned();
    let third = stage.district.submit(&stage.district.earner, &family);
    read(&stage.fresh[0], &[]);
    let own = stage.own(&format!("/api/v1/submissions/{third}"));
    assert_eq!(own["decision"], "earned");
    assert_ne!(own["award"]["id"], id);
    assert_eq!(own["award"]["state"], "active");
    assert_eq!(stage.own(&second)["award"]["id"], id);
}

#[test]
fn appeal_that_is_overturned_after_the_next_attempt_was_earned_makes_no_second_award() {
    let stage = stage();
    let first = stage.decided(&["c4"]);
    let second = stage.resubmitted(&first);
    read(&stage.fresh[0], &[]);
    let award = stage.own(&second)["award"].clone();
    assert_eq!(stage.own(&first)["award"], Value::Null, "not yet is not earned by another attempt");
    let case = stage.appeal(&first);
    // Who has scored another attempt is spared while there is somebody else.
    let more = stage.app.invite(
        &stage.district.admin,
        &stage.district.id,
        "fresh-2@example.org",
        &["assessor"],
    );
    read(&more, &[]);
    read(&stage.fresh[1], &[]);
    for member in &stage.panel {
        vote(member, &case, "rescore");
    }
    assert_eq!(stage.own(&first)["award"], award);
    stage.one_award_for(&first, &second);
}

#[test]
fn appeal_and_next_attempt_under_way_at_once_make_one_award() {
    let stage = stage();
    let first = stage.decided(&["c4"]);
    let second = stage.resubmitted(&first);
    stage.overturned(&first);
    read(&stage.fresh[0], &[]);
    stage.one_award_for(&first, &second);
}

#[test]
fn what_was_earned_is_not_lowered_by_an_appeal() {
    let stage = stage();
    let path = stage.decided(&[]);
    let award = stage.own(&path)["award"].clone();
    let case = stage.appeal(&path);
    for reader in &stage.fresh {
        read(reader, &["c4"]);
    }
    for member in &stage.panel {
        vote(member, &case, "rescore");
    }
    let own = stage.own(&path);
    assert_eq!([&own["decision"], &own["award"]], [&json!("earned"), &award]);
    let told = stage.district.earner.get(&case).expect(200);
    assert_eq!(told["outcome"], "rescored");
    assert_eq!(told["criteria"][0]["level_after"], 1);
}

#[test]
fn decision_that_is_upheld_stays_as_it_was() {
    let stage = stage();
    let path = stage.decided(&["c4"]);
    let before = stage.own(&path);
    let case = stage.appeal(&path);
    for reader in &stage.fresh {
        read(reader, &[]);
    }
    for member in &stage.panel {
        vote(member, &case, "uphold");
    }
    let own = stage.own(&path);
    assert_eq!([&own["state"], &own["decision"]], [&json!("decided"), &json!("not_yet")]);
    assert_eq!(own["feedback"], before["feedback"]);
    assert_eq!(own["award"], Value::Null);
    // The way to the next attempt is open.
    stage.district.earner.post(&format!("{path}/resubmit"), &json!({})).expect(201);
}

#[test]
fn fresh_readers_who_differ_leave_the_middle_level() {
    let stage = stage();
    let path = stage.decided(&["c4"]);
    let case = stage.appeal(&path);
    read(&stage.fresh[0], &[]);
    read(&stage.fresh[1], &["c4"]);
    for member in &stage.panel {
        vote(member, &case, "rescore");
    }
    assert_eq!(stage.own(&path)["decision"], "not_yet", "two of three readings are below");
}

#[test]
fn appeal_has_30_days_and_known_criteria() {
    let stage = stage();
    let path = stage.decided(&["c4"]);
    let appeal = |body: Value| {
        stage.app.sign_in("earner@example.org").post(&format!("{path}/appeal"), &body)
    };
    for (body, pointer) in [
        (json!({ "grounds": "mood", "statement": "x" }), "/grounds"),
        (json!({ "grounds": "scoring", "statement": " " }), "/statement"),
        (json!({ "grounds": "scoring", "statement": "x", "criteria": ["c9"] }), "/criteria"),
    ] {
        assert_eq!(appeal(body).faults()[0].0, pointer);
    }
    stage.app.advance(TimeDelta::days(31));
    let late = appeal(json!({ "grounds": "procedure", "statement": "Late." }));
    assert_eq!(late.problem(), "wrong-state");
    assert_eq!(late.json["allowed_events"], json!(["resubmit"]));
}

/// Hands in, claims and flags as the reader. Returns the submission, the review and the case.
#[track_caller]
fn flagged(stage: &Stage) -> (String, String, String) {
    let family = stage.district.publish_small_group();
    let id = stage.district.submit(&stage.district.earner, &family);
    let path = format!("/api/v1/submissions/{id}");
    let assessor = &stage.district.assessor;
    let review = assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    let empty = assessor.post(&format!("{path}/flag"), &json!({ "statement": "" }));
    assert_eq!(empty.faults()[0].0, "/statement");
    let body = json!({ "statement": "The plan has the date of another year." });
    let case = assessor.post(&format!("{path}/flag"), &body).expect(201);
    let review = format!("/api/v1/reviews/{}", review["id"].as_str().unwrap());
    (path, review, format!("/api/v1/cases/{}", case["id"].as_str().unwrap()))
}

#[test]
fn doubt_that_finds_nothing_lets_the_submission_go_on_where_it_stood() {
    let stage = stage();
    let (path, review, case) = flagged(&stage);
    assert_eq!(stage.own(&path)["state"], "on_hold");
    // Reading has stopped; the seat is kept, however long it takes.
    let held = stage.district.assessor.get(&review).expect(200);
    assert_eq!(held["work"], Value::Null);
    for event in ["renew", "lock"] {
        let refused = stage.district.assessor.act(&format!("{review}/{event}"));
        assert_eq!(refused.problem(), "wrong-state");
    }
    let early = stage.panel[0]
        .post(&format!("{case}/votes"), &json!({ "vote": "clear", "reasons": "Too early." }));
    assert_eq!(early.problem(), "wrong-state", "the earner has not been heard");
    let notice = stage.district.earner.get(&case).expect(200);
    assert_eq!(notice["statement"], "The plan has the date of another year.");
    assert!(!notice.to_string().contains(&stage.district.assessor.id));
    let reply = json!({ "reply": "I reused the form; the content is of this year." });
    let replied = stage.district.earner.post(&format!("{case}/reply"), &reply).expect(200);
    assert_eq!(replied["state"], "replied");
    let twice = stage.district.earner.post(&format!("{case}/reply"), &reply);
    assert_eq!(twice.problem(), "wrong-state");
    stage.app.advance(TimeDelta::hours(80));
    stage.app.resources.as_system(assay::service::housekeeping::often).unwrap();
    let panel: Vec<Person> =
        (0..3).map(|n| stage.app.sign_in(&format!("panel-{n}@example.org"))).collect();
    let seen = panel[0].get(&case).expect(200);
    assert_eq!(seen["reply"], reply["reply"]);
    let item = seen["work"]["evidence"][0]["content_path"].as_str().unwrap();
    assert_eq!(panel[0].get(item).status, 200);
    vote(&panel[0], &case, "clear");
    vote(&panel[1], &case, "uphold");
    assert_eq!(vote(&panel[2], &case, "clear")["outcome"], "cleared");
    assert_eq!(panel[0].get(item).problem(), "not-found");
    let assessor = stage.app.sign_in("assessor@example.org");
    let again = assessor.get(&review).expect(200);
    assert_eq!(again["state"], "leased");
    assert_ne!(again["work"], Value::Null);
    let earner = stage.app.sign_in("earner@example.org");
    assert_eq!(earner.get(&path).expect(200)["state"], "in_review");
    stage.app.send_mail();
    stage.app.audit_events();
}

#[test]
fn doubt_that_is_upheld_ends_the_submission() {
    let stage = stage();
    let (path, review, case) = flagged(&stage);
    // Without a reply the panel votes once there was time for one.
    stage.app.advance(TimeDelta::days(15));
    let panel: Vec<Person> =
        (0..3).map(|n| stage.app.sign_in(&format!("panel-{n}@example.org"))).collect();
    for member in &panel {
        vote(member, &case, "uphold");
    }
    let own = stage.app.sign_in("earner@example.org").get(&path).expect(200);
    assert_eq!([&own["state"], &own["allowed_events"]], [&json!("voided"), &json!([])]);
    assert_eq!([&own["decision"], &own["award"]], [&Value::Null, &Value::Null]);
    let assessor = stage.app.sign_in("assessor@example.org");
    assert_eq!(assessor.get(&review).expect(200)["state"], "lapsed");
    assert_eq!(assessor.post("/api/v1/reviews/claim", &json!({})).status, 204);
}

#[test]
fn who_had_a_part_is_not_on_the_panel() {
    let stage = stage();
    let district = &stage.district;
    let both = stage.app.invite(
        &district.admin,
        &district.id,
        "both@example.org",
        &["assessor", "review_panel"],
    );
    let mut single = definition("mc-ia-small-group-support");
    single["review_policy"]["second_score_when_not_yet"] = json!(false);
    let family = district.publish(&single);
    let id = district.submit(&district.earner, &family);
    read(&both, &["c4"]);
    let case = stage.appeal(&format!("/api/v1/submissions/{id}"));
    for reader in &stage.fresh {
        read(reader, &[]);
    }
    assert_eq!(both.get(&case).problem(), "not-found");
    let body = json!({ "vote": "uphold", "reasons": "I was right." });
    assert_eq!(both.post(&format!("{case}/votes"), &body).problem(), "not-found");
    assert_eq!(both.get("/api/v1/cases").expect(200)["items"], json!([]));
    for member in &stage.panel {
        assert_eq!(member.get("/api/v1/cases").expect(200)["items"].as_array().unwrap().len(), 1);
    }
    for stranger in [&district.assessor, &district.coordinator, &district.admin] {
        assert_eq!(stranger.get(&case).problem(), "not-found");
    }
}

#[test]
fn same_bytes_in_two_earners_work_are_a_signal_and_nothing_more() {
    let stage = stage();
    let district = &stage.district;
    let lead = stage.app.invite(
        &district.admin,
        &district.schools[1],
        "lead@example.org",
        &["lead_assessor"],
    );
    let other =
        stage.app.invite(&district.admin, &district.schools[0], "two@example.org", &["earner"]);
    let family = district.publish_small_group();
    let first = district.submit(&district.earner, &family);
    assert_eq!(lead.get("/api/v1/evidence-matches").expect(200)["items"], json!([]));
    let second = district.submit(&other, &family);
    let found = lead.get("/api/v1/evidence-matches").expect(200);
    let items = found["items"].as_array().unwrap();
    assert_eq!(items.len(), 3, "one for each requirement");
    assert_eq!(items[0]["submission_id"], second.as_str());
    assert_eq!(items[0]["other_submission_id"], first.as_str());
    let own = other.get(&format!("/api/v1/submissions/{second}")).expect(200);
    assert_eq!(own["state"], "submitted", "nothing follows from it by itself");
    assert_eq!(district.earner.get("/api/v1/evidence-matches").problem(), "forbidden");
    // A person who has looked at it may ask the panel.
    let body = json!({ "statement": "The plan is the same as another one." });
    lead.post(&format!("/api/v1/submissions/{second}/flag"), &body).expect(201);
    assert_eq!(other.get(&format!("/api/v1/submissions/{second}")).expect(200)["state"], "on_hold");
}

#[test]
fn coach_of_the_attempt_does_not_sit_on_the_panel() {
    let stage = stage();
    let both = stage.app.invite(
        &stage.district.admin,
        &stage.district.id,
        "both@example.org",
        &["review_panel", "coach"],
    );
    let path = stage.decided(&["c4"]);
    let body = json!({ "person_id": both.id, "shares": ["feedback"] });
    let earner = &stage.district.earner;
    earner.post(&format!("{path}/coachings"), &body).expect(201);
    let case = stage.appeal(&path);
    assert_eq!(stage.panel[0].get(&case).status, 200);
    assert_eq!(both.get(&case).problem(), "not-found");
    let vote = json!({ "vote": "uphold", "reasons": "As I said to them." });
    assert_eq!(both.post(&format!("{case}/votes"), &vote).problem(), "not-found");
    // While the appeal is read nobody else can be asked: whoever is asked could not read it any more.
    assert_eq!(earner.post(&format!("{path}/coachings"), &body).problem(), "wrong-state");
}

impl Stage {
    /// Names somebody for the first item of a draft.
    fn name(&self, draft: &str, email: &str) -> Answer {
        let item = self.own(draft)["evidence"][0]["id"].clone();
        let body = json!({ "evidence_id": item, "email": email });
        self.district.earner.post(&format!("{draft}/co-earners"), &body)
    }

    /// Asks somebody who is a coach to look at an attempt.
    fn ask(&self, path: &str, coach: &Person) -> Answer {
        let body = json!({ "person_id": coach.id, "shares": ["responses"] });
        self.district.earner.post(&format!("{path}/coachings"), &body)
    }

    fn invite(&self, email: &str, role: &str) -> Person {
        self.app.invite(&self.district.admin, &self.district.id, email, &[role])
    }
}

#[test]
fn panel_loses_who_shares_the_work_and_not_who_was_named_after_it_was_handed_in() {
    let stage = stage();
    let earner = &stage.district.earner;
    let [early, partner] =
        ["early@example.org", "partner@example.org"].map(|it| stage.invite(it, "review_panel"));
    let mut single = definition("mc-ia-small-group-support");
    single["review_policy"]["second_score_when_not_yet"] = json!(false);
    let family = stage.district.publish(&single);
    let first = format!("/api/v1/submissions/{}", stage.district.fill(earner, &family));
    stage.name(&first, &early.email).expect(201);
    stage.app.advance(TimeDelta::seconds(1));
    earner.act(&format!("{first}/submit")).expect(200);
    read(&stage.district.assessor, &["c4"]);
    stage.app.advance(TimeDelta::seconds(1));

    // The whole panel is named for the next attempt, and then the first is appealed.
    let next = stage.begun_again(&first);
    for member in stage.panel.iter().chain([&partner]) {
        stage.name(&next, &member.email).expect(201);
    }
    let asked = partner.get("/api/v1/shared-evidence").expect(200)["items"][0]["id"].clone();
    let answer = format!("/api/v1/shared-evidence/{}/answer", asked.as_str().unwrap());
    partner.post(&answer, &json!({ "is_confirmed": true })).expect(200);
    let case = stage.appeal(&first);
    for reader in &stage.fresh {
        read(reader, &[]);
    }
    for member in [&early, &partner] {
        assert_eq!(member.get(&case).problem(), "not-found", "{}", member.email);
        let body = json!({ "vote": "uphold", "reasons": "We made it together." });
        assert_eq!(member.post(&format!("{case}/votes"), &body).problem(), "not-found");
    }
    for member in &stage.panel {
        vote(member, &case, "rescore");
    }
    assert_eq!(earner.get(&case).expect(200)["outcome"], "overturned");
}

#[test]
fn nobody_is_named_or_asked_to_coach_while_an_appeal_of_another_attempt_is_open() {
    let stage = stage();
    let first = stage.decided(&["c4"]);
    let next = stage.begun_again(&first);
    let coach = stage.invite("coach@example.org", "coach");
    stage.appeal(&first);
    assert_eq!(stage.name(&next, "panel-1@example.org").problem(), "wrong-state");
    assert_eq!(stage.ask(&next, &coach).problem(), "wrong-state");
}

#[test]
fn nobody_is_asked_to_coach_an_attempt_while_a_doubt_about_another_is_open() {
    let stage = stage();
    let first = stage.decided(&["c4"]);
    let second = stage.resubmitted(&first);
    let coach = stage.invite("coach@example.org", "coach");
    let lead = stage.invite("lead@example.org", "lead_assessor");
    let doubt = json!({ "statement": "The plan has the date of another year." });
    let case = lead.post(&format!("{second}/flag"), &doubt).expect(201);
    let case = format!("/api/v1/cases/{}", case["id"].as_str().unwrap());
    assert_eq!(stage.own(&second)["state"], "on_hold");
    assert_eq!(stage.own(&first)["state"], "decided");
    assert_eq!(stage.ask(&first, &coach).problem(), "wrong-state");

    let reply = json!({ "reply": "I reused the form; the content is of this year." });
    stage.district.earner.post(&format!("{case}/reply"), &reply).expect(200);
    for member in &stage.panel {
        vote(member, &case, "clear");
    }
    stage.ask(&first, &coach).expect(201);
}
