//! Who may do what: every operation, tried as every role on one's own object, on somebody else's, and by a stranger to the tree.
//!
//! What is expected stands in `fixtures/permissions.csv`, one line for each operation and role, written from DOMAIN.md (section 1)
//! and API.md and not from the policy table. Its columns:
//!
//! - `own`: the person's own submission, review or award; for organizations the one in which they hold the role; for definitions a
//!   published one of theirs.
//! - `other`: in the same tree, and not theirs: another earner's or assessor's object, the organization above, an unpublished draft.
//! - `foreign`: what `other` asks for, asked by somebody who holds the same role in another tree.
//!
//! `ok` is any 2xx, a number is that very status, `-` is a request that cannot be made. What may be done is asked for in a way that
//! changes nothing (a stale entity tag, a wrong state, a missing note), so that 409, 412 and 422 stand for "allowed, but not now".
//! Nobody suspends or reinstates an award of their own, whatever their role.

mod requests;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use assay::http::routes::ROUTES;
use serde_json::Value;

use self::requests::{Case, request};
use self::world::{ROLES, World};
use crate::harness::Answer;

const TABLE: &str = include_str!("fixtures/permissions.csv");

/// The table by operation and role.
fn table() -> BTreeMap<(&'static str, &'static str), [&'static str; 3]> {
    let mut lines = TABLE.lines();
    assert_eq!(lines.next(), Some("operation,role,own,other,foreign"));
    let mut table = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let [operation, role, own, other, foreign] = cells[..] else { panic!("{line}") };
        let before = table.insert((operation, role), [own, other, foreign]);
        assert_eq!(before, None, "{operation} as {role} stands in the table twice");
    }
    table
}

#[test]
fn every_route_has_a_line_for_every_role_and_every_line_a_route() {
    let expected: BTreeSet<(&str, &str)> = ROUTES
        .iter()
        .flat_map(|route| ROLES.iter().map(move |role| (route.operation, *role)))
        .collect();
    let found: BTreeSet<(&str, &str)> = table().into_keys().collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    let surplus: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:?}, surplus {surplus:?}");
}

#[test]
fn every_role_gets_the_answers_of_the_checked_in_table() {
    // One world for everything: making it takes longer than asking it.
    let world = World::new();
    lists_show_what_single_reads_show(&world);
    let mut faults = Vec::new();
    for ((operation, role), cells) in table() {
        for (case, expected) in Case::ALL.into_iter().zip(cells) {
            let actor = world.actor(role, case);
            let target = world.target(role, case);
            let found = match request(&world, operation, actor, case, &target) {
                None => "-".to_owned(),
                Some(request) => {
                    let answer = actor.send(request);
                    check_denial(&world, operation, role, case, &answer);
                    match answer.status {
                        200..300 => "ok".to_owned(),
                        status => status.to_string(),
                    }
                }
            };
            if found != expected {
                faults.push(format!("{operation},{role} {case:?}: {expected} expected, {found}"));
            }
        }
    }
    assert!(faults.is_empty(), "{} cells differ:\n{}", faults.len(), faults.join("\n"));
}

/// A refusal is a whole problem document, and one that hides an object reads like one for an object that does not exist.
fn check_denial(world: &World, operation: &str, role: &str, case: Case, answer: &Answer) {
    if answer.status < 400 {
        return;
    }
    let code = answer.problem();
    assert!(!answer.json["detail"].as_str().unwrap().contains("SELECT"), "{answer:?}");
    if answer.status != 404 || code != "not-found" {
        return;
    }
    let actor = world.actor(role, case);
    let missing = World::missing();
    let Some(request) = request(world, operation, actor, case, &missing) else { return };
    let nothing = actor.send(request);
    assert_eq!(nothing.status, 404, "{operation} as {role} of nothing: {nothing:?}");
    assert_eq!(
        without_id(&answer.json),
        without_id(&nothing.json),
        "{operation} as {role} ({case:?}) tells a hidden object from a missing one"
    );
}

fn without_id(problem: &Value) -> Value {
    let mut problem = problem.clone();
    problem.as_object_mut().unwrap().remove("request_id");
    problem
}

/// Each list has exactly the items that can be read one by one.
fn lists_show_what_single_reads_show(world: &World) {
    for role in ROLES.iter().filter(|role| **role != "anonymous") {
        for case in [Case::Own, Case::Foreign] {
            let actor = world.actor(role, case);
            for (list, single) in [
                ("/api/v1/submissions", "/api/v1/submissions/"),
                ("/api/v1/awards", "/api/v1/awards/"),
                ("/api/v1/reviews", "/api/v1/reviews/"),
                ("/api/v1/organizations", "/api/v1/organizations/"),
                ("/api/v1/programs", "/api/v1/programs/"),
            ] {
                let listed = ids(&actor.get(&format!("{list}?limit=100")).expect(200));
                let readable: BTreeSet<String> = world
                    .known(list)
                    .into_iter()
                    .filter(|id| actor.get(&format!("{single}{id}")).status == 200)
                    .collect();
                assert_eq!(listed, readable, "{list} as {role} ({case:?})");
            }
        }
    }
}

fn ids(page: &Value) -> BTreeSet<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}
