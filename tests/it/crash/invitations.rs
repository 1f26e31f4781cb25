//! `kill -9` while a long list of people is invited: everybody is written to once, nobody is left out.

use std::collections::BTreeMap;

use assay::service::cohorts::send_waiting;
use assay::store::schema::{invitees, outbox};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::json;

use super::child::{Child, Order};
use super::report;
use crate::harness::{TestApp, complete_charter, scale};

/// How many people are invited in a full run.
const PEOPLE: usize = 3700;
/// How often the process is killed in a full run.
const KILLS: usize = 60;

/// Mails of the programme in the outbox, by receiver.
fn written(app: &TestApp) -> BTreeMap<String, usize> {
    let rows: Vec<String> = outbox::table
        .filter(outbox::kind.eq("program_invitation"))
        .select(outbox::person_id)
        .load(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    let mut counts = BTreeMap::new();
    for person in rows {
        *counts.entry(person).or_insert(0) += 1;
    }
    counts
}

/// How many invitees stand in a state.
fn count_in(app: &TestApp, state: &str) -> usize {
    let count: i64 = invitees::table
        .filter(invitees::state.eq(state))
        .count()
        .get_result(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    usize::try_from(count).unwrap()
}

#[test]
fn everybody_on_a_list_is_written_to_once_whenever_the_process_is_killed() {
    let app = TestApp::new();
    let district = app.district();
    district.publish_small_group();
    let charter = complete_charter("pilot", &["mc-ia-small-group-support"]);
    let program = district.open_program(&district.coordinator, &charter);
    app.send_mail();
    let people = scale(PEOPLE);
    let rows: String = (0..people)
        .map(|n| format!("p{n}@list.example.org,Person {n},instructional_assistant,Willow\n"))
        .collect();
    let path = format!("/api/v1/programs/{program}/cohorts/ia/invitations");
    let body = json!({ "csv": format!("email,name,audience,school\n{rows}") });
    let taken = district.coordinator.post(&path, &body).expect(200);
    assert_eq!((&taken["new"], &taken["refused"]), (&json!(people), &json!(0)));

    // Pages of fifty first, then mails one by one: the kills are spread over both.
    let pages = people.div_ceil(50);
    let kills = scale(KILLS);
    let mut seen = BTreeMap::new();
    for kill in 0..kills {
        let child = Child::start(&Order {
            data_dir: app.folder().to_owned(),
            database_url: app.database_url(),
            stop: None,
        });
        let at_most = if kill % 2 == 0 { pages.min(3) } else { 2 * people / kills };
        let last = child.kill_after(rand::random_range(0..=at_most));
        let last = last.map_or_else(|| "starting".to_owned(), |line| line.to_string());
        *seen.entry(last).or_insert(0) += 1;
        let found = written(&app);
        assert!(found.values().all(|count| *count == 1), "somebody is written to twice");
        assert_eq!(found.len(), count_in(&app, "invited"), "a mail for each who is invited");
        assert_eq!(count_in(&app, "invited") + count_in(&app, "waiting"), people);
    }
    app.resources.as_system(send_waiting).unwrap();
    // Claims of dead processes have run out.
    app.advance(TimeDelta::hours(1));
    app.send_mail();
    assert_eq!((written(&app).len(), count_in(&app, "waiting")), (people, 0));

    let mut letters: BTreeMap<String, usize> = BTreeMap::new();
    for entry in std::fs::read_dir(app.folder().join("mail")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        let letter = std::fs::read_to_string(path).unwrap();
        let to = letter.lines().find(|line| line.starts_with("To: ")).unwrap();
        if to.contains("@list.example.org") {
            *letters.entry(to.to_owned()).or_default() += 1;
        }
    }
    assert_eq!(letters.len(), people);
    assert!(letters.values().all(|count| *count == 1), "two letters to one person");
    report(&format!("{kills} kills, {people} people; last seen at {seen:?}"));
}
