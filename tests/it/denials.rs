//! What was refused is in the audit trail, without letting strangers fill it; and the trail shows where it was tampered with.

use assay::service::audit::{ChainReport, verify_chain};
use assay::store::schema::{audit_events, audit_head, denials};
use assay::store::{self, DbConn};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::json;

use crate::harness::TestApp;

/// Verbs, object and details of the events after the first `after`.
fn events(app: &TestApp, after: i64) -> Vec<(String, String, String, Option<String>)> {
    let conn = &mut *app.resources.database.connection().unwrap();
    let chain = store::audit::list_chain(conn, after, 100_000).unwrap();
    chain
        .into_iter()
        .map(|chained| {
            let actor = chained.event.actor.map(|actor| actor.to_string());
            (chained.event.verb, chained.event.object_id, chained.event.detail, actor)
        })
        .collect()
}

fn denied(
    operation: &str,
    detail: &str,
    actor: Option<&str>,
) -> (String, String, String, Option<String>) {
    ("denied".to_owned(), operation.to_owned(), detail.to_owned(), actor.map(str::to_owned))
}

#[test]
fn a_denial_is_one_event_and_changes_nothing_else() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let submission = district.fill(&district.earner, &family);
    let path = format!("/api/v1/submissions/{submission}");
    let before = district.earner.get(&path);
    for (person, method, suffix, operation, code) in [
        (&district.auditor, "PATCH", "", "patch_submission", "hidden"),
        (&district.coordinator, "POST", "/submit", "submit_submission", "forbidden"),
        (&district.assessor, "GET", "", "read_submission", "hidden"),
    ] {
        let events_before = app.audit_events();
        let request = person.request(method.parse().unwrap(), &format!("{path}{suffix}"));
        let answer = person.send(request.header("if-match", "\"1\"").json(&json!({})));
        assert!([403, 404].contains(&answer.status), "{answer:?}");
        let expected = denied(operation, &format!("code={code}"), Some(&person.id));
        assert_eq!(events(&app, events_before), [expected]);
    }
    let events_before = app.audit_events();
    assert_eq!(app.anybody().get(&path).status, 401);
    let expected = denied("read_submission", "code=unauthenticated", None);
    assert_eq!(events(&app, events_before), [expected]);
    let after = district.earner.get(&path);
    assert_eq!((before.bytes, before.headers["etag"].clone()), (after.bytes.clone(), after.etag()));
}

#[test]
fn a_thousand_refused_strangers_add_a_handful_of_rows_and_each_is_counted() {
    let app = TestApp::new();
    app.admin();
    let before = app.audit_events();
    let anybody = app.anybody();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for attempt in 0..250 {
                    let path = format!("/api/v1/submissions/{}", uuid::Uuid::now_v7());
                    let status = match attempt % 2 {
                        0 => anybody.get(&path).status,
                        _ => anybody.get("/api/v1/me").status,
                    };
                    assert_eq!(status, 401);
                }
            });
        }
    });
    // Two operations, and twice as much when the hour strikes meanwhile.
    let added = app.audit_events() - before;
    assert!((2..=4).contains(&added), "{added} rows for 1,000 refusals");
    // What the worker does every few seconds.
    app.resources.as_system(assay::service::audit::flush_denials).unwrap();
    let conn = &mut *app.resources.database.connection().unwrap();
    let counts: Vec<i64> = denials::table.select(denials::count).load(conn).unwrap();
    assert_eq!(counts.iter().sum::<i64>(), 1000, "{counts:?}");
    assert!(counts.len() <= 4, "{counts:?}");
}

#[test]
fn a_signed_in_person_is_counted_by_the_minute_and_by_operation() {
    let app = TestApp::new();
    let district = app.district();
    let before = app.audit_events();
    for _ in 0..50 {
        assert_eq!(district.earner.get("/api/v1/audit-events").status, 403);
    }
    let added = app.audit_events() - before;
    assert!((1..=2).contains(&added), "{added} rows for 50 refusals");
    app.advance(TimeDelta::minutes(2));
    assert_eq!(district.earner.get("/api/v1/audit-events").status, 403);
    assert_eq!(app.audit_events() - before, added + 1);
}

#[test]
fn counts_reach_the_chain_after_the_hour_and_once() {
    let app = TestApp::new();
    let district = app.district();
    for _ in 0..7 {
        assert_eq!(app.anybody().get("/api/v1/me").status, 401);
    }
    for _ in 0..3 {
        assert_eq!(district.earner.get("/api/v1/audit-events").status, 403);
    }
    let hourly = || app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
    let before = app.audit_events();
    hourly();
    assert_eq!(app.audit_events(), before, "the hour is not over");
    app.advance(TimeDelta::hours(2));
    hourly();
    let summed = events(&app, before);
    // The hour or the minute may have struck in between; what counts is the sum.
    let total = |operation: &str, actor: Option<&str>| -> i64 {
        let of_it = summed.iter().filter(|(verb, object, _, who)| {
            verb == "denials_counted" && object == operation && who.as_deref() == actor
        });
        of_it
            .map(|(_, _, detail, _)| detail.split_once("count=").unwrap().1.parse::<i64>().unwrap())
            .sum()
    };
    assert!((6..=7).contains(&total("read_me", None)), "{summed:?}");
    let id = district.earner.id.as_str();
    assert!((2..=3).contains(&total("list_audit_events", Some(id))), "{summed:?}");
    let after = app.audit_events();
    hourly();
    assert_eq!(app.audit_events(), after, "a count is written once");
}

#[test]
fn the_trail_is_read_in_pages_by_those_who_may() {
    let app = TestApp::new();
    let district = app.district();
    let auditor = &district.auditor;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = auditor.get(&format!("/api/v1/audit-events?limit=3{cursor}")).expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|event| event["seq"].as_i64().unwrap()));
        assert!(items.iter().all(|event| event["organization_id"].is_string()), "{items:?}");
        match page["next_cursor"].as_str() {
            None => break,
            Some(next) => cursor = format!("&cursor={next}"),
        }
    }
    assert!(seen.len() > 10);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{seen:?}");
}

/// Alters the chain behind the service's back, and takes back what the closure did.
fn report_after(app: &TestApp, alter: impl FnOnce(&mut DbConn)) -> ChainReport {
    let conn = &mut *app.resources.database.connection().unwrap();
    alter(conn);
    verify_chain(conn).unwrap()
}

fn broken(seq: i64, reason: &'static str) -> ChainReport {
    ChainReport::Broken { seq, reason }
}

#[test]
fn an_altered_event_is_the_first_broken_link() {
    let app = TestApp::new();
    app.district();
    let report = report_after(&app, |conn| {
        for seq in [12, 7] {
            diesel::update(audit_events::table.find(seq))
                .set(audit_events::detail.eq("kind=castle"))
                .execute(conn)
                .unwrap();
        }
    });
    assert_eq!(report, broken(7, "the event was altered"));
}

#[test]
fn every_member_of_an_event_is_bound() {
    let app = TestApp::new();
    app.district();
    let conn = &mut *app.resources.database.connection().unwrap();
    let is_broken = |conn: &mut DbConn| {
        assert_eq!(verify_chain(conn).unwrap(), broken(5, "the event was altered"));
    };
    let event = audit_events::table.find(5_i64);
    macro_rules! try_column {
        ($column:ident, $kind:ty, $other:expr) => {
            let old: $kind = event.select(audit_events::$column).first(conn).unwrap();
            let set = |conn: &mut DbConn, value: $kind| {
                diesel::update(event).set(audit_events::$column.eq(value)).execute(conn).unwrap()
            };
            let other: $kind = $other;
            assert_ne!(old, other);
            set(conn, other);
            is_broken(conn);
            set(conn, old);
            assert!(matches!(verify_chain(conn).unwrap(), ChainReport::Whole { .. }));
        };
    }
    let other = uuid::Uuid::now_v7().to_string();
    try_column!(id, String, other.clone());
    try_column!(actor_id, Option<String>, None);
    try_column!(organization_id, Option<String>, Some(other.clone()));
    try_column!(verb, String, "another".to_owned());
    try_column!(object_kind, String, "another".to_owned());
    try_column!(object_id, String, other.clone());
    try_column!(detail, String, "another".to_owned());
    try_column!(hash, String, "0".repeat(64));
    let time = chrono::DateTime::UNIX_EPOCH.naive_utc();
    try_column!(happened_at, chrono::NaiveDateTime, time);
}

#[test]
fn a_removed_event_is_missed() {
    let app = TestApp::new();
    app.district();
    let report = report_after(&app, |conn| {
        diesel::delete(audit_events::table.find(6_i64)).execute(conn).unwrap();
    });
    assert_eq!(report, broken(6, "the event is missing"));
}

#[test]
fn a_chain_that_was_cut_off_at_its_end_does_not_reach_its_head() {
    let app = TestApp::new();
    app.district();
    let last = app.audit_events();
    let report = report_after(&app, |conn| {
        diesel::delete(audit_events::table.find(last)).execute(conn).unwrap();
    });
    assert_eq!(report, broken(last, "the event is missing"));
}

#[test]
fn a_head_that_was_set_back_is_noticed() {
    let app = TestApp::new();
    app.district();
    let last = app.audit_events();
    let report = report_after(&app, |conn| {
        diesel::update(audit_head::table.find(1))
            .set(audit_head::hash.eq("0".repeat(64)))
            .execute(conn)
            .unwrap();
    });
    assert_eq!(report, broken(last, "the head of the chain has another hash"));
}

#[test]
fn an_event_that_was_slipped_in_is_the_first_broken_link() {
    let app = TestApp::new();
    app.district();
    let report = report_after(&app, |conn| {
        // The last row again, one place further on, with the head moved to it.
        let (seq, _) = store::audit::find_head(conn).unwrap();
        let mut last = store::audit::list_chain(conn, seq - 1, 1).unwrap().remove(0);
        last.event.id = uuid::Uuid::now_v7().to_string();
        let hash = last.event.hash_at(seq + 1, &"0".repeat(64));
        diesel::insert_into(audit_events::table)
            .values((
                audit_events::seq.eq(seq + 1),
                audit_events::id.eq(&last.event.id),
                audit_events::happened_at.eq(last.event.happened_at.naive()),
                audit_events::verb.eq(&last.event.verb),
                audit_events::object_kind.eq(&last.event.object_kind),
                audit_events::object_id.eq(&last.event.object_id),
                audit_events::detail.eq(&last.event.detail),
                audit_events::previous_hash.eq("0".repeat(64)),
                audit_events::hash.eq(&hash),
            ))
            .execute(conn)
            .unwrap();
        diesel::update(audit_head::table.find(1))
            .set((audit_head::seq.eq(seq + 1), audit_head::hash.eq(&hash)))
            .execute(conn)
            .unwrap();
    });
    let last = match report {
        ChainReport::Broken { seq, reason } => {
            assert_eq!(reason, "it does not carry the hash of the event before");
            seq
        }
        ChainReport::Whole { .. } => panic!("nobody noticed"),
    };
    assert!(last > 10);
}

#[test]
fn no_event_carries_an_address_a_name_or_a_secret() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    district.revoke(&award).expect(200);
    for (verb, object, detail, _) in events(&app, 0) {
        let text = format!("{verb} {object} {detail}");
        for private in ["@", "example.org", "Admin", "Willow", "decided by the panel"] {
            assert!(!text.contains(private), "{text}");
        }
    }
}
