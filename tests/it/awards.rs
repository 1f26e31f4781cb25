//! The rules of awards: what a badge says, that there is one, who stops it, who ends it, and how it is published.

mod bulk;
mod documents;
mod expiring;
mod issuing;
mod pictures;
mod renewing;
mod revoking;
mod suspending;

use assay::domain::award::{AwardEvent, AwardState};
use assay::domain::timestamp::Timestamp;
use assay::store;
use assay::store::schema::outbox;
use chrono::{DateTime, TimeDelta};
use diesel::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, definition};

/// The signed badge of an award.
#[track_caller]
fn badge(app: &TestApp, award: &str) -> Answer {
    let answer = app.anybody().get(&format!("/credentials/{award}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// The verdict on a badge, as a stranger gets it.
#[track_caller]
fn verdict(app: &TestApp, badge: &Value) -> Value {
    app.anybody().post("/api/v1/verify", badge).expect(200)
}

/// Stops signing for an organization and everything below, or lets it go on.
#[track_caller]
fn switch_issuing(by: &crate::harness::Person, organization: &str, stopped: bool) {
    let path = format!("/api/v1/organizations/{organization}/issuing");
    let request = by.request(reqwest::Method::PUT, &path).json(&json!({ "stopped": stopped }));
    assert_eq!(by.send(request).expect(200), json!({ "stopped": stopped }));
}

/// Somebody of the district's review panel.
#[track_caller]
fn panel(app: &TestApp, district: &District) -> Person {
    app.invite(&district.admin, &district.id, "panel@example.org", &["review_panel"])
}

/// An award as this person reads it.
#[track_caller]
fn award_of(person: &Person, award: &str) -> Value {
    person.get(&format!("/api/v1/awards/{award}")).expect(200)
}

/// Suspends or reinstates.
#[track_caller]
fn step(by: &Person, award: &str, event: &str) -> Answer {
    by.post(&format!("/api/v1/awards/{award}/{event}"), &json!({ "note": "the secret note" }))
}

/// The public page of a badge.
#[track_caller]
fn page_of(app: &TestApp, award: &str) -> String {
    let page = app.anybody().get_as(&format!("/credentials/{award}"), "text/html");
    assert_eq!(page.status, 200, "{page:?}");
    String::from_utf8(page.bytes).unwrap()
}

/// The headline of the public page of a badge.
#[track_caller]
fn headline(app: &TestApp, award: &str) -> String {
    let page = page_of(app, award);
    let rest = page.split_once("class=\"standing-word\">").unwrap().1;
    rest.split_once('<').unwrap().0.to_owned()
}

/// The verbs and details of an award's events, those of issuing left out.
fn events_of(app: &TestApp, award: &str) -> Vec<(String, String)> {
    app.audit_events();
    let conn = &mut *app.resources.database.connection().unwrap();
    let chain = store::audit::list_chain(conn, 0, 100_000).unwrap();
    chain
        .into_iter()
        .map(|chained| chained.event)
        .filter(|event| event.object_id == award && !event.verb.ends_with("_credential"))
        .map(|event| (event.verb, event.detail))
        .collect()
}

/// The mails about awards that somebody holds: kind and parameters, in the order in which they were put in.
fn letters(app: &TestApp) -> Vec<(String, Value)> {
    let rows: Vec<(String, String)> = outbox::table
        .filter(outbox::kind.like("award_%"))
        .order((outbox::created_at, outbox::id))
        .select((outbox::kind, outbox::parameters))
        .load(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    rows.into_iter().map(|(kind, text)| (kind, serde_json::from_str(&text).unwrap())).collect()
}

/// A micro-credential that one reader decides and whose awards end after a year and can be renewed.
fn renewable() -> Value {
    let mut definition = definition("mc-ia-small-group-support");
    definition["validity"] = json!({ "expires_after_months": 12, "renewal": { "mode": "full" } });
    definition["review_policy"]["second_score_when_not_yet"] = json!(false);
    definition
}

/// Moves the clock to so many days after the end of an award, or before it.
#[track_caller]
fn go_to_end(app: &TestApp, until: &Value, days: i64) {
    let until = DateTime::parse_from_rfc3339(until.as_str().unwrap()).unwrap();
    let now = app.resources.now().as_utc();
    app.advance(until.to_utc() - now + TimeDelta::days(days));
}

/// A person whose sign-in has ended since, signed in again.
#[track_caller]
fn again(app: &TestApp, person: &Person) -> Person {
    app.sign_in(&person.email)
}

#[test]
fn states_and_their_events_are_those_of_the_process_model() {
    let model: Value = serde_json::from_str(include_str!("fixtures/process-model.json")).unwrap();
    let states: Vec<&str> = model["award"]["states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|state| state.as_str().unwrap())
        .collect();
    let ours: Vec<&str> = AwardState::ALL.iter().map(|state| state.as_str()).collect();
    assert_eq!(ours, states);
    for state in AwardState::ALL {
        let mut expected: Vec<&str> = model["award"]["transitions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|step| step["from"].as_array().unwrap().contains(&json!(state.as_str())))
            .map(|step| step["event"].as_str().unwrap())
            .collect();
        let mut events: Vec<&str> =
            state.allowed_events().iter().map(|event| event.as_str()).collect();
        expected.sort_unstable();
        events.sort_unstable();
        assert_eq!(events, expected, "{state}");
        for event in AwardEvent::ALL {
            assert_eq!(state.require(*event).is_ok(), expected.contains(&event.as_str()));
        }
    }
}

#[test]
fn award_is_expired_from_the_second_after_its_end_and_only_if_it_was_in_force() {
    let end = Timestamp::new("2026-11-21T19:00:00Z".parse().unwrap());
    let after = end.plus(TimeDelta::seconds(1));
    assert_eq!(AwardState::Active.as_of(Some(end), end), AwardState::Active);
    assert_eq!(AwardState::Active.as_of(Some(end), after), AwardState::Expired);
    assert_eq!(AwardState::Active.as_of(None, after), AwardState::Active);
    for state in AwardState::ALL.iter().filter(|state| **state != AwardState::Active) {
        assert_eq!(state.as_of(Some(end), after), *state);
    }
}
