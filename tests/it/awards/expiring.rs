//! The end of an award's time: told at once, written down within the hour, and announced before.

use assay::domain::award::{AwardState, renewable_until};
use assay::domain::timestamp::Timestamp;
use assay::service::housekeeping;
use assay::store::schema::awards;
use chrono::DateTime;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{again, award_of, events_of, go_to_end, headline, letters, panel, renewable, step};
use crate::harness::{District, TestApp, definition};

/// A micro-credential whose awards end and are not renewed.
fn ending() -> Value {
    let mut definition = definition("mc-ia-small-group-support");
    definition["validity"]["expires_after_months"] = json!(12);
    definition
}

fn stored_state(app: &TestApp, award: &str) -> String {
    awards::table
        .find(award)
        .select(awards::state)
        .first(&mut *app.resources.database.connection().unwrap())
        .unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[test]
fn award_whose_end_has_passed_is_expired_everywhere_before_anybody_writes_it_down() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&ending());
    let (submission, award) = district.award(&district.earner, &family);
    let until = award_of(&district.earner, &award)["valid_until"].clone();
    assert_eq!(headline(&app, &award), "Valid now");
    go_to_end(&app, &until, 1);
    let (earner, officer) = (again(&app, &district.earner), again(&app, &district.officer));

    let check = || {
        for person in [&earner, &officer] {
            let shown = award_of(person, &award);
            assert_eq!(shown["state"], "expired");
            assert_eq!(shown["allowed_events"], json!(["renewed"]));
            let list =
                |state: &str| person.get(&format!("/api/v1/awards?state={state}")).expect(200);
            assert_eq!(ids(&list("expired")), [award.as_str()]);
            assert_eq!(list("expired")["items"][0]["state"], "expired");
            assert_eq!(list("active")["items"], json!([]));
        }
        let shown = earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
        assert_eq!(shown["award"]["state"], "expired");
        assert!(headline(&app, &award).starts_with("Expired on "));
        for event in ["suspend", "reinstate"] {
            let refused = step(&officer, &award, event);
            assert_eq!(refused.problem(), "wrong-state");
            assert_eq!(refused.json["allowed_events"], json!(["renewed"]));
        }
        let body = json!({ "reason_code": "issued_in_error", "note": "n" });
        let revoked = officer.post(&format!("/api/v1/awards/{award}/revoke"), &body);
        assert_eq!(revoked.problem(), "wrong-state");
    };
    assert_eq!(stored_state(&app, &award), "active");
    check();
    app.resources.as_system(housekeeping::hourly).unwrap();
    assert_eq!(stored_state(&app, &award), "expired");
    check();
    // Once, by nobody.
    app.resources.as_system(housekeeping::hourly).unwrap();
    assert_eq!(events_of(&app, &award), [("expire_award".to_owned(), String::new())]);
    let auditor = again(&app, &district.auditor);
    let trail = auditor.get("/api/v1/audit-events?limit=100").expect(200);
    let events = trail["items"].as_array().unwrap();
    let event = events.iter().find(|event| event["verb"] == "expire_award").unwrap();
    assert_eq!(event["actor_id"], Value::Null);
}

#[test]
fn award_that_ends_while_it_is_suspended_is_expired_when_the_panel_is_done() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&ending());
    let (_, award) = district.award(&district.earner, &family);
    let panel = panel(&app, &district);
    step(&panel, &award, "suspend").expect(200);
    let until = award_of(&district.earner, &award)["valid_until"].clone();
    go_to_end(&app, &until, 1);
    app.resources.as_system(housekeeping::hourly).unwrap();
    let panel = again(&app, &panel);
    assert_eq!(award_of(&panel, &award)["state"], "suspended");
    assert_eq!(headline(&app, &award), "Suspended");

    let over = step(&panel, &award, "reinstate").expect(200);
    assert_eq!(over["state"], "expired");
    assert_eq!(over["suspended_at"], Value::Null);
    let (kind, parameters) = letters(&app).pop().unwrap();
    assert_eq!((kind.as_str(), &parameters["state"]), ("award_reinstated", &json!("expired")));
    assert_eq!(events_of(&app, &award).pop().unwrap().1, "to=expired");
}

/// Goes so many days before the end, lets the hour's work be done, and counts the reminders there are.
fn reminders_at(app: &TestApp, until: &Value, days: i64) -> usize {
    go_to_end(app, until, -days);
    app.resources.as_system(housekeeping::hourly).unwrap();
    app.resources.as_system(housekeeping::hourly).unwrap();
    app.send_mail();
    let mails = std::fs::read_dir(app.folder().join("mail")).unwrap();
    mails
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .filter(|mail| mail.contains("Subject: Your badge ends on "))
        .count()
}

#[track_caller]
fn award_and_end(district: &District, definition: &Value) -> (String, Value) {
    let family = district.publish(definition);
    let (_, award) = district.award(&district.earner, &family);
    let until = award_of(&district.earner, &award)["valid_until"].clone();
    (award, until)
}

#[test]
fn earner_is_reminded_60_and_14_days_before_the_end_once_each() {
    let app = TestApp::new();
    let district = app.district();
    let (award, until) = award_and_end(&district, &renewable());
    // The outbox forgets a mail after 30 days; a reminder is not written anew for that.
    for (days, expected) in
        [(61, 0), (60, 1), (59, 1), (36, 1), (35, 1), (28, 1), (15, 1), (14, 2), (13, 2), (1, 2)]
    {
        assert_eq!(reminders_at(&app, &until, days), expected, "{days} days before");
    }
    assert_eq!(reminders_at(&app, &until, -20), 2, "afterwards");
    assert!(letters(&app).iter().all(|(_, parameters)| parameters["award_id"] == award));
    let mail = std::fs::read_dir(app.folder().join("mail"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .find(|mail| mail.contains("Subject: Your badge ends on "))
        .unwrap();
    let end = DateTime::parse_from_rfc3339(until.as_str().unwrap()).unwrap().to_utc();
    let last = renewable_until(Timestamp::new(end)).as_utc();
    for day in [end, last] {
        let day = day.format("%-d %B %Y").to_string();
        assert!(mail.contains(&day), "{day} in {mail}");
    }
}

#[test]
fn reminder_that_is_much_too_late_is_left_out() {
    let app = TestApp::new();
    let district = app.district();
    let (_, until) = award_and_end(&district, &ending());
    assert_eq!(reminders_at(&app, &until, 34), 0);
    assert_eq!(reminders_at(&app, &until, 10), 1);
}

#[test]
fn award_that_is_shorter_than_the_notice_is_announced_by_the_later_reminder_alone() {
    let app = TestApp::new();
    let district = app.district();
    let mut short = ending();
    short["validity"]["expires_after_months"] = json!(1);
    let (_, until) = award_and_end(&district, &short);
    app.resources.as_system(housekeeping::hourly).unwrap();
    assert_eq!(letters(&app).len(), 0);
    assert_eq!(reminders_at(&app, &until, 14), 1);
}

#[test]
fn award_that_is_not_in_force_is_not_announced() {
    let app = TestApp::new();
    let district = app.district();
    let (award, until) = award_and_end(&district, &ending());
    step(&district.officer, &award, "suspend").expect(200);
    assert_eq!(reminders_at(&app, &until, 60), 0);
    let officer = again(&app, &district.officer);
    step(&officer, &award, "reinstate").expect(200);
    assert_eq!(reminders_at(&app, &until, 59), 1);
}

#[test]
fn reminder_that_leaves_after_the_badge_was_revoked_is_dropped() {
    let app = TestApp::new();
    let district = app.district();
    let (award, until) = award_and_end(&district, &ending());
    go_to_end(&app, &until, -60);
    app.resources.as_system(housekeeping::hourly).unwrap();
    assert_eq!(letters(&app).len(), 1);
    let officer = again(&app, &district.officer);
    let body = json!({ "reason_code": "holder_request", "note": "n" });
    officer.post(&format!("/api/v1/awards/{award}/revoke"), &body).expect(200);
    assert_eq!(reminders_at(&app, &until, 60), 0);
    let state: AwardState = AwardState::parse(&stored_state(&app, &award)).unwrap();
    assert_eq!(state, AwardState::Revoked);
}
