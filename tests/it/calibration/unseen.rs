//! Known papers are their reader's alone: flagged, held, given back or scored, nobody else is told of one by anything.

use std::collections::BTreeSet;

use assay::http::routes::ROUTES;
use assay::store::schema::{
    cases, evidence, evidence_matches, outbox, reviews, seed_presentations, submissions,
};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::seeds::{presented, score, seeded, shape};
use super::{Scene, id_of, key, work};
use crate::harness::{Answer, District, Person};

/// Reviews of both kinds as they were claimed: live ones, and the known paper among them.
fn claim_both(scene: &Scene, assessor: &Person) -> (Value, Value) {
    let (mut live, mut seed) = (None, None);
    while live.is_none() || seed.is_none() {
        let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
        let is_seed = presented(scene).contains(claimed.json["submission_id"].as_str().unwrap());
        let kept = if is_seed { &mut seed } else { &mut live };
        if kept.is_none() {
            *kept = Some(claimed.expect(201));
        } else {
            score(assessor, claimed, |_| 1);
        }
    }
    (live.unwrap(), seed.unwrap())
}

fn same(what: &str, live: &Answer, seed: &Answer) {
    assert_eq!(live.status, seed.status, "{what}: {live:?} {seed:?}");
    assert_eq!(shape(&live.json), shape(&seed.json), "{what}");
    let names = |answer: &Answer| answer.headers.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(live), names(seed), "{what}");
}

#[test]
fn flagged_known_paper_answers_like_live_work_and_reaches_no_panel() {
    let scene = seeded(1, 12);
    let assessor = scene.assessor();
    let district = &scene.district;
    let panel = scene.app.seed(&district.id, "panel@example.org", &["review_panel"]);
    let (live, seed) = claim_both(&scene, &assessor);
    let submission = |review: &Value| review["submission_id"].as_str().unwrap().to_owned();
    let path = |review: &Value| format!("/api/v1/reviews/{}", id_of(review));
    let both = |what: &str, ask: &dyn Fn(&Value) -> Answer| same(what, &ask(&live), &ask(&seed));
    let flag = |review: &Value, statement: &str| {
        let flag = format!("/api/v1/submissions/{}/flag", submission(review));
        assessor.post(&flag, &json!({ "statement": statement }))
    };
    let letters = || {
        let mut conn = scene.app.resources.database.connection().unwrap();
        outbox::table.count().get_result::<i64>(&mut *conn).unwrap()
    };
    both("no words", &|review| flag(review, " "));
    let before = letters();
    let of_seed = flag(&seed, "The same text stands on a public page.");
    assert_eq!(letters(), before, "nobody is written to");
    let of_live = flag(&live, "The same text stands on a public page.");
    assert_eq!(letters(), before + 1, "the earner of live work is");
    same("flag", &of_live, &of_seed);
    assert_eq!(of_seed.json["state"], "open");
    let case = |answer: &Answer| {
        assessor.get(&format!("/api/v1/cases/{}", answer.json["id"].as_str().unwrap()))
    };
    same("case", &case(&of_live), &case(&of_seed));
    both("read", &|review| assessor.get(&path(review)));
    both("flag again", &|review| flag(review, "Once more."));
    let sheet = District::sheet(&seed, 0);
    both("save", &|review| assessor.put(&format!("{}/scores", path(review)), "\"1\"", &sheet));
    both("lock", &|review| assessor.act(&format!("{}/lock", path(review))));
    both("recuse", &|review| {
        assessor.post(&format!("{}/recuse", path(review)), &json!({ "reason": "I know them." }))
    });
    // The panel has one case, of the live work.
    let listed = panel.get("/api/v1/cases").expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["submission_id"], submission(&live).as_str());
    let mut conn = scene.app.resources.database.connection().unwrap();
    assert_eq!(cases::table.count().get_result::<i64>(&mut *conn).unwrap(), 1);
    // A lead assessor, who could flag live work, does not learn that there is such a thing.
    let hidden = scene.lead(2).post(
        &format!("/api/v1/submissions/{}/flag", submission(&seed)),
        &json!({ "statement": "What is this?" }),
    );
    assert_eq!(hidden.problem(), "not-found");
    // When a panel would have decided, it is closed, was never scored, and its holder has room again.
    scene.app.advance(TimeDelta::days(29));
    scene.app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
    let assessor = scene.assessor();
    assert_eq!(assessor.get(&path(&seed)).expect(200)["state"], "lapsed");
    let (state, scored): (String, Option<chrono::NaiveDateTime>) = submissions::table
        .inner_join(
            seed_presentations::table.on(seed_presentations::submission_id.eq(submissions::id)),
        )
        .select((submissions::state, seed_presentations::scored_at))
        .first(&mut *conn)
        .unwrap();
    assert_eq!((state.as_str(), scored), ("voided", None));
}

#[test]
fn known_paper_may_say_something_of_the_use_of_ai_as_live_work_may() {
    let scene = Scene::new();
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    let seeds = scene.set("seed");
    let mut said = work(1);
    said["ai_use"] = json!("A program suggested two headings.");
    let mut endless = work(1);
    endless["ai_use"] = json!("x".repeat(4001));
    let papers = format!("{seeds}/papers");
    let refused = scene.lead(0).post(&papers, &json!({ "work": endless }));
    assert_eq!(refused.faults()[0], ("/ai_use".to_owned(), "too-long".to_owned()));
    let added = scene.lead(0).post(&papers, &json!({ "work": said })).expect(201);
    assert_eq!(added["papers"][0]["work"]["ai_use"], said["ai_use"]);
    let keys = format!("{papers}/{}/keys", id_of(&added["papers"][0]));
    for number in [0, 1] {
        scene.lead(number).post(&keys, &key(1)).expect(201);
    }
    scene.lead(0).act(&format!("{seeds}/publish")).expect(200);
    scene.qualify(&set);
    for number in 0..11 {
        let email = format!("earner-{number}@example.org");
        let earner = scene.app.seed(&scene.district.schools[0], &email, &["earner"]);
        scene.district.submit(&earner, &scene.family);
    }
    let (live, seed) = claim_both(&scene, &scene.assessor());
    assert_eq!(live["work"]["ai_use"], Value::Null);
    assert_eq!(seed["work"]["ai_use"], said["ai_use"]);
}

/// What every list, report and export answers to everybody; routes that need an object are left out, for they are asked by its id.
fn everything(scene: &Scene, people: &[Person]) -> Vec<(String, String)> {
    let family = &scene.family;
    let mut paths: Vec<String> = ROUTES
        .iter()
        .filter(|route| route.method == "GET" && !route.path.contains('{'))
        // What changes by itself, and what is the trail: claims and locks stand there as for live work (decision 25).
        .filter(|route| !matches!(route.operation, "list_audit_events" | "read_metrics"))
        .map(|route| route.path.to_owned())
        .collect();
    paths.retain(|path| !path.starts_with("/api/v1/reports/"));
    for path in paths.clone() {
        if ["/submissions", "/awards", "/cases", "/reviews"].iter().any(|end| path.ends_with(end)) {
            paths.push(format!("{path}?limit=100"));
        }
    }
    paths.push("/api/v1/queue/blocked?all=true".to_owned());
    paths.push(format!("/api/v1/assessors?micro_credential_id={family}"));
    for format in ["json", "csv", "svg", "svg_severity"] {
        paths.push(format!(
            "/api/v1/reports/agreement?micro_credential_id={family}&format={format}"
        ));
    }
    let mut found = Vec::new();
    for person in people {
        for path in &paths {
            let answer = person.get(path);
            let mut json = answer.json.clone();
            if let Some(problem) = json.as_object_mut() {
                problem.remove("request_id");
            }
            let text = if json.is_null() {
                String::from_utf8_lossy(&answer.bytes).into_owned()
            } else {
                json.to_string()
            };
            found.push((format!("{} {path} {}", person.email, answer.status), text));
        }
    }
    found
}

/// Takes known papers out of the database, as if none had ever been handed out.
fn forget_seeds(scene: &Scene) {
    let mut conn = scene.app.resources.database.connection().unwrap();
    let of_seeds = "IN (SELECT submission_id FROM seed_presentations)";
    let of_reviews =
        format!("review_id IN (SELECT id FROM reviews WHERE submission_id {of_seeds})");
    let mut run = |sql: String| {
        diesel::sql_query(sql).execute(&mut *conn).unwrap();
    };
    run("CREATE TABLE gone AS SELECT submission_id, paper_id FROM seed_presentations".to_owned());
    for table in ["review_scores", "review_coverage"] {
        run(format!("DELETE FROM {table} WHERE {of_reviews}"));
    }
    for table in
        ["submission_events", "submission_responses", "evidence_accesses", "reviews", "evidence"]
    {
        run(format!("DELETE FROM {table} WHERE submission_id {of_seeds}"));
    }
    run("DELETE FROM seed_scores".to_owned());
    run("DELETE FROM seed_presentations".to_owned());
    run("DELETE FROM submissions WHERE id IN (SELECT submission_id FROM gone)".to_owned());
    run("DROP TABLE gone".to_owned());
}

#[test]
fn nobody_but_its_reader_is_told_of_a_known_paper_by_any_list_report_or_export() {
    let scene = seeded(4, 44);
    let district = &scene.district;
    let assessor = scene.assessor();
    // One is scored, one given back, one flagged, one held.
    let mut seen = BTreeSet::new();
    while seen.len() < 4 {
        let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
        let submission = claimed.json["submission_id"].as_str().unwrap().to_owned();
        if !presented(&scene).contains(&submission) {
            score(&assessor, claimed, |_| 1);
            continue;
        }
        seen.insert(submission.clone());
        let path = format!("/api/v1/reviews/{}", id_of(&claimed.json));
        match seen.len() {
            1 => drop(score(&assessor, claimed, |_| 1)),
            2 => {
                let reason = json!({ "reason": "I recognise this person." });
                assessor.post(&format!("{path}/recuse"), &reason).expect(200);
            }
            3 => {
                let statement = json!({ "statement": "The same text stands elsewhere." });
                let flag = format!("/api/v1/submissions/{submission}/flag");
                assessor.post(&flag, &statement).expect(201);
            }
            _ => {}
        }
    }
    // Everybody else comes now: with a pre-screener in the district, work would have waited for them.
    let mut people: Vec<Person> = [
        "administrator",
        "coach",
        "pre_screener",
        "lead_assessor",
        "designer",
        "coordinator",
        "issuing_officer",
        "review_panel",
        "data_steward",
        "credit_authority",
        "auditor",
        "key_custodian",
        "earner",
        "assessor",
    ]
    .iter()
    .map(|role| scene.app.seed(&district.id, &format!("only-{role}@example.org"), &[*role]))
    .collect();
    people.push(scene.app.anybody());
    // An earner hands in the very texts of a known paper: nobody is pointed at it.
    let copier = scene.app.seed(&district.schools[0], "copier@example.org", &["earner"]);
    let mut conn = scene.app.resources.database.connection().unwrap();
    let started = format!("/api/v1/micro-credentials/{}/submissions", scene.family);
    let started = copier.post(&started, &json!({}));
    let (etag, id) = (started.etag(), id_of(&started.expect(201)));
    let patch = json!({
        "responses": { "q1": "We agreed.", "r1": "I will wait." }, "integrity_statement": true,
    });
    copier.patch(&format!("/api/v1/submissions/{id}"), &etag, &patch).expect(200);
    for item in work(1)["evidence"].as_array().unwrap() {
        copier.post(&format!("/api/v1/submissions/{id}/evidence"), item).expect(201);
    }
    copier.act(&format!("/api/v1/submissions/{id}/submit")).expect(200);
    let hashes: Vec<String> = evidence::table
        .filter(evidence::submission_id.eq(&id))
        .select(evidence::sha256)
        .load(&mut *conn)
        .unwrap();
    let n_alike: i64 = evidence::table
        .filter(evidence::sha256.eq_any(&hashes))
        .filter(evidence::submission_id.eq_any(&seen))
        .count()
        .get_result(&mut *conn)
        .unwrap();
    assert!(n_alike > 0, "the texts are those of the known paper");
    let matches = evidence_matches::table.filter(evidence_matches::submission_id.eq(&id));
    assert_eq!(matches.count().get_result::<i64>(&mut *conn).unwrap(), 0);

    let nobodies: Vec<String> = submissions::table
        .filter(submissions::id.eq_any(&seen))
        .select(submissions::earner_id)
        .load(&mut *conn)
        .unwrap();
    let n_open: i64 = reviews::table
        .filter(reviews::submission_id.eq_any(&seen))
        .filter(reviews::state.eq("leased"))
        .count()
        .get_result(&mut *conn)
        .unwrap();
    assert_eq!(n_open, 2, "one is held, one stands still");
    drop(conn);
    let with = everything(&scene, &people);
    for (asked, answer) in &with {
        for id in seen.iter().chain(&nobodies) {
            assert!(!answer.contains(id.as_str()), "{asked} names a known paper");
        }
    }
    for person in &people[..people.len() - 1] {
        for id in &seen {
            let single = person.get(&format!("/api/v1/submissions/{id}"));
            assert_eq!(single.problem(), "not-found", "{}", person.email);
        }
    }
    forget_seeds(&scene);
    let without = everything(&scene, &people);
    assert_eq!(with.len(), without.len());
    for (with, without) in with.iter().zip(&without) {
        assert_eq!(with, without, "known papers count somewhere");
    }
}
