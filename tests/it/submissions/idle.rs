//! What becomes of drafts that nobody saves.

use assay::service::housekeeping;
use assay::service::idle_drafts::IDLE_DAYS;
use assay::store::schema::{outbox, submissions};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{pdf, save, start};
use crate::harness::{District, Person, TestApp};

struct Stage {
    app: TestApp,
    district: District,
    family: String,
    submission: String,
}

impl Stage {
    fn new() -> Stage {
        let app = TestApp::new();
        let district = app.district();
        let family = district.publish_small_group();
        let submission =
            format!("/api/v1/submissions/{}", district.fill(&district.earner, &family));
        Stage { app, district, family, submission }
    }

    fn id(&self) -> &str {
        self.submission.rsplit('/').next().unwrap()
    }

    /// The earner, signed in anew.
    fn earner(&self) -> Person {
        self.app.sign_in("earner@example.org")
    }

    /// Lets so many days pass, and the hour's work be done twice.
    fn pass(&self, days: i64) {
        self.app.advance(TimeDelta::days(days));
        for _ in 0..2 {
            self.app.resources.as_system(housekeeping::hourly).unwrap();
        }
        self.app.send_mail();
    }

    /// The state as the earner sees it, and how many warnings have left in all.
    #[track_caller]
    fn check(&self, state: &str, warnings: usize) {
        assert_eq!(self.earner().get(&self.submission).expect(200)["state"], state);
        assert_eq!(self.warnings().len(), warnings);
    }

    /// The warnings that were sent.
    fn warnings(&self) -> Vec<String> {
        let mails = std::fs::read_dir(self.app.folder().join("mail")).unwrap();
        mails
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .filter(|mail| mail.contains("Subject: Your draft for "))
            .collect()
    }

    /// The day that is so many days from now, as mails write it.
    fn day(&self, days: i64) -> String {
        let now = self.app.resources.now().as_utc();
        (now + TimeDelta::days(days)).format("%-d %B %Y").to_string()
    }
}

#[test]
fn draft_that_nobody_saves_is_announced_twice_and_expires() {
    let stage = Stage::new();
    let last_day = stage.day(IDLE_DAYS);
    stage.pass(334);
    stage.check("draft", 0);
    // The outbox forgets a mail after 30 days; a warning is not written anew for that.
    for (days, expected) in [(1, 1), (1, 1), (21, 1), (1, 2), (1, 2), (5, 2)] {
        stage.pass(days);
        stage.check("draft", expected);
    }
    for mail in stage.warnings() {
        assert!(mail.contains(&last_day), "{last_day} in {mail}");
    }
    stage.pass(1);
    stage.check("expired", 2);
    let own = stage.earner().get(&stage.submission).expect(200);
    let step = own["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        [&step["event"], &step["from"], &step["to"], &step["actor_role"]],
        ["inactive", "draft", "expired", "system"]
    );
    let conn = &mut *stage.app.resources.database.connection().unwrap();
    let chain = assay::store::audit::list_chain(conn, 0, 100_000).unwrap();
    let event = chain
        .iter()
        .map(|one| &one.event)
        .find(|event| event.object_id == stage.id() && event.detail.contains("event=inactive"));
    let event = event.expect("the end is in the trail");
    assert_eq!(event.verb, "advance_submission");
    assert!(event.detail.contains("from=draft") && event.detail.contains("to=expired"));

    let refused = save(&stage.earner(), &stage.submission, &json!({ "integrity_statement": true }));
    assert_eq!(refused.problem(), "wrong-state");
    start(&stage.earner(), &stage.family);
    let events = stage.app.audit_events();
    stage.app.resources.as_system(housekeeping::hourly).unwrap();
    assert_eq!(stage.app.audit_events(), events, "it expires once");
}

#[test]
fn what_an_expired_draft_holds_is_forgotten_as_what_was_withdrawn() {
    let stage = Stage::new();
    for days in [335, 23, 7] {
        stage.pass(days);
    }
    stage.check("expired", 2);
    stage.pass(209);
    assert!(stage.earner().get(&stage.submission).expect(200)["responses"].is_object());
    stage.pass(2);
    assert_eq!(stage.earner().get(&stage.submission).expect(200)["responses"], Value::Null);
}

#[test]
fn every_save_starts_the_time_anew() {
    let stage = Stage::new();
    stage.pass(335);
    stage.check("draft", 1);
    save(&stage.earner(), &stage.submission, &json!({ "integrity_statement": true })).expect(200);
    stage.pass(30);
    stage.check("draft", 1);
    stage.pass(304);
    stage.check("draft", 1);
    stage.pass(1);
    stage.check("draft", 2);
    // An item that comes or goes is work as well.
    let item = stage.earner().upload(stage.id(), "a3", "note.pdf", &pdf("note")).expect(201);
    stage.pass(335);
    stage.check("draft", 3);
    let item = item["id"].as_str().unwrap();
    stage.earner().delete(&format!("{}/evidence/{item}", stage.submission)).expect(204);
    for (days, state, warnings) in
        [(334, "draft", 3), (1, "draft", 4), (23, "draft", 5), (6, "draft", 5), (1, "expired", 5)]
    {
        stage.pass(days);
        stage.check(state, warnings);
    }
}

#[test]
fn warning_that_leaves_after_a_save_is_dropped() {
    let stage = Stage::new();
    stage.app.advance(TimeDelta::days(335));
    stage.app.resources.as_system(housekeeping::hourly).unwrap();
    save(&stage.earner(), &stage.submission, &json!({ "integrity_statement": true })).expect(200);
    stage.app.send_mail();
    assert_eq!(stage.warnings().len(), 0);
    let conn = &mut *stage.app.resources.database.connection().unwrap();
    let states: Vec<String> = outbox::table
        .filter(outbox::kind.eq("draft_ending"))
        .select(outbox::state)
        .load(conn)
        .unwrap();
    assert_eq!(states, ["dropped"]);
}

#[test]
fn late_warning_gives_the_days_that_it_says() {
    let stage = Stage::new();
    // The service was down for two months, and again after the first warning.
    stage.pass(400);
    stage.check("draft", 1);
    assert!(stage.warnings()[0].contains(&stage.day(30)));
    stage.pass(22);
    stage.check("draft", 1);
    stage.pass(5);
    stage.check("draft", 2);
    let last_day = stage.day(7);
    assert!(stage.warnings().iter().any(|mail| mail.contains(&last_day)));
    stage.pass(6);
    stage.check("draft", 2);
    stage.pass(1);
    stage.check("expired", 2);
}

#[test]
fn returned_submission_is_left_alone() {
    let stage = Stage::new();
    let moved =
        diesel::update(submissions::table.find(stage.id())).set(submissions::state.eq("returned"));
    let conn = &mut *stage.app.resources.database.connection().unwrap();
    assert_eq!(moved.execute(conn).unwrap(), 1);
    for days in [335, 23, 7, 60] {
        stage.pass(days);
        stage.check("returned", 0);
    }
    assert_eq!(stage.district.earner.id, stage.earner().id);
}
