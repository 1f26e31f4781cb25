//! What a locked sheet leads to, by the definition's mode.

use assay::service::housekeeping;
use assay::store::schema::{awards, decisions, outbox};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::nothing_to_claim;
use crate::harness::{District, TestApp, definition};

/// A shipped definition under another id, with changes to its review policy.
fn with_policy(id: &str, slug: &str, changes: &[(&str, Value)]) -> Value {
    let mut changed = definition(id);
    changed["id"] = json!(slug);
    for (pointer, value) in changes {
        *changed["review_policy"].pointer_mut(pointer).unwrap() = value.clone();
    }
    changed
}

/// Locks one sheet at the pass levels plus `offset`. Returns the submission.
#[track_caller]
fn lock_one(district: &District, definition: &Value, offset: i64, is_decided: bool) -> String {
    let family = district.publish(definition);
    let id = district.submit(&district.earner, &family);
    let locked = district.score(&district.assessor, offset);
    assert_eq!(locked["state"], "locked");
    assert_eq!(locked["is_decided"], is_decided);
    format!("/api/v1/submissions/{id}")
}

/// Expects that one reader's sheet is never the last word, however long it takes, and that a second one like it is.
#[track_caller]
fn check_waits(definition: &Value, offset: i64) {
    let app = TestApp::new();
    let district = app.district();
    let submission = lock_one(&district, definition, offset, false);
    let second = "second@example.org";
    app.invite(&district.admin, &district.id, second, &["assessor"]);
    for _ in 0..3 {
        let own = app.sign_in("earner@example.org").get(&submission).expect(200);
        assert_eq!(own["state"], "queued");
        assert_eq!(own["decision"], Value::Null);
        assert_eq!(own["award"], Value::Null);
        nothing_to_claim(&app.sign_in("assessor@example.org"));
        app.advance(TimeDelta::days(200));
        app.resources.as_system(housekeeping::often).unwrap();
        app.resources.as_system(housekeeping::hourly).unwrap();
    }
    let mut conn = app.resources.database.connection().unwrap();
    assert_eq!(decisions::table.count().get_result::<i64>(&mut *conn).unwrap(), 0);
    assert_eq!(awards::table.count().get_result::<i64>(&mut *conn).unwrap(), 0);
    let mails = outbox::table.filter(outbox::kind.eq_any(["decision", "badge"]));
    assert_eq!(mails.count().get_result::<i64>(&mut *conn).unwrap(), 0);
    let own = app.sign_in("earner@example.org").get(&submission).expect(200);
    assert_ne!(own["responses"], Value::Null, "what waits for a reader is not forgotten");
    let locked = district.score(&app.sign_in(second), offset);
    assert_eq!(locked["is_decided"], true);
    let own = app.sign_in("earner@example.org").get(&submission).expect(200);
    assert_eq!(own["state"], "decided");
    let (outcome, raters): (String, i32) =
        decisions::table.select((decisions::outcome, decisions::raters)).first(&mut *conn).unwrap();
    assert_eq!(outcome, if offset < 0 { "not_yet" } else { "earned" });
    assert_eq!(own["decision"], outcome.as_str());
    assert_eq!(raters, 2);
}

#[test]
fn double_blind_waits_for_its_second_reader() {
    check_waits(&definition("mc-shared-decision-making"), 0);
    check_waits(&definition("mc-shared-decision-making"), 1);
}

#[test]
fn conditional_double_near_the_cut_waits_for_its_second_reader() {
    let alone = [("/double_when/random_share_bp", json!(0))];
    let leaders = with_policy("mc-students-as-leaders", "mc-leaders", &alone);
    // Levels 1 and 2 of every criterion call for another reader; 2 passes.
    check_waits(&leaders, 0);
    check_waits(&leaders, -1);
}

#[test]
fn single_with_second_score_waits_after_a_not_yet() {
    check_waits(&definition("mc-ia-small-group-support"), -1);
}

#[test]
fn conditional_double_far_from_the_cut_is_decided_by_one_reader() {
    let alone = [("/double_when/random_share_bp", json!(0))];
    let leaders = with_policy("mc-students-as-leaders", "mc-leaders", &alone);
    let app = TestApp::new();
    let district = app.district();
    let submission = lock_one(&district, &leaders, 1, true);
    assert_eq!(district.earner.get(&submission).expect(200)["decision"], "earned");
}

#[test]
fn conditional_double_by_chance_waits_for_its_second_reader() {
    let always = [("/double_when/random_share_bp", json!(10_000))];
    check_waits(&with_policy("mc-students-as-leaders", "mc-leaders", &always), 1);
}

#[test]
fn single_that_passes_is_decided_by_one_reader() {
    let app = TestApp::new();
    let district = app.district();
    // A backread looks at the assessor afterwards and holds nobody's decision.
    let always = [("/backread_share_bp", json!(10_000))];
    let backread = with_policy("mc-ia-small-group-support", "mc-backread", &always);
    let submission = lock_one(&district, &backread, 0, true);
    let own = district.earner.get(&submission).expect(200);
    assert_eq!(own["state"], "decided");
    assert_eq!(own["decision"], "earned");
    assert_eq!(own["award"]["state"], "active");
    assert_ne!(own["decided_at"], Value::Null);
    nothing_to_claim(&district.assessor);
}

#[test]
fn single_without_second_score_decides_not_yet_and_a_new_attempt_can_start() {
    let app = TestApp::new();
    let district = app.district();
    let alone = [("/second_score_when_not_yet", json!(false))];
    let single = with_policy("mc-ia-small-group-support", "mc-single", &alone);
    let submission = lock_one(&district, &single, -1, true);
    let own = district.earner.get(&submission).expect(200);
    assert_eq!(own["state"], "decided");
    assert_eq!(own["decision"], "not_yet");
    assert_eq!(own["award"], Value::Null);
    let family = own["micro_credential_id"].as_str().unwrap();
    let (second, _) = district.award(&district.earner, family);
    let again = district.earner.get(&format!("/api/v1/submissions/{second}")).expect(200);
    assert_eq!(again["attempt"], 2);
    assert_eq!(again["award"]["state"], "active");
    // The first stays as it was decided.
    assert_eq!(district.earner.get(&submission).expect(200)["decision"], "not_yet");
    let mut conn = app.resources.database.connection().unwrap();
    assert_eq!(awards::table.count().get_result::<i64>(&mut *conn).unwrap(), 1);
}

#[test]
fn decision_follows_the_rule_of_the_definition() {
    // One criterion below its pass level is enough for a not-yet.
    let app = TestApp::new();
    let district = app.district();
    let alone = [("/second_score_when_not_yet", json!(false))];
    let family = district.publish(&with_policy("mc-ia-small-group-support", "mc-single", &alone));
    for (criterion, outcome) in [("c4", "not_yet"), ("r1", "not_yet"), ("", "earned")] {
        let id = district.submit(&district.earner, &family);
        let claimed = district.assessor.post("/api/v1/reviews/claim", &json!({}));
        let etag = claimed.etag();
        let review = claimed.expect(201);
        let path = super::path_of(&review);
        let mut sheet = District::sheet(&review, 1);
        for line in sheet["scores"].as_array_mut().unwrap() {
            if line["criterion_id"] == criterion {
                line["level"] = json!(0);
            }
        }
        district.assessor.put(&format!("{path}/scores"), &etag, &sheet).expect(200);
        district.assessor.act(&format!("{path}/lock")).expect(200);
        let own = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
        assert_eq!(own["decision"], outcome, "{criterion}");
    }
}

#[test]
fn vote_for_a_conditional_second_reading_says_what_two_readings_have_shown() {
    let app = TestApp::new();
    let district = app.district();
    let changes = [("/mode", json!("double_blind"))];
    let mut edited = with_policy("mc-ia-small-group-support", "mc-two-then-fewer", &changes);
    let family = district.publish(&edited);
    let second = app.invite(&district.admin, &district.id, "second@example.org", &["assessor"]);
    district.submit(&district.earner, &family);
    for assessor in [&district.assessor, &second] {
        district.score(assessor, 0);
    }
    let versions = format!("/api/v1/micro-credentials/{family}/versions");
    let [author, colleague] = &district.designers;
    let approval = json!({ "approve": true });
    let mut vote_on = |number: u8, mode: &str| {
        edited["version"] = json!(format!("{number}.0.0"));
        edited["review_policy"]["mode"] = json!(mode);
        author.post(&versions, &json!({ "definition": edited })).expect(201);
        let version = format!("{versions}/{number}");
        colleague.post(&format!("{version}/approvals"), &approval).expect(201);
        let voted = author.post(&format!("{version}/approvals"), &approval).expect(201);
        author.act(&format!("{version}/publish")).expect(200);
        voted
    };
    assert_eq!(vote_on(2, "single")["conditional_double"], Value::Null);
    let voted = vote_on(3, "conditional_double");
    assert_eq!(
        voted["conditional_double"],
        json!({
            "submissions": 1,
            "same_decision": 1,
            "needed_submissions": 30,
            "needed_same_decision_percent": 85,
            "is_borne_out": false,
        })
    );
    app.audit_events();
}
