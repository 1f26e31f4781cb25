//! Seed papers: like live work in every answer, nobody else's, and what drift on them leads to.

use std::collections::BTreeSet;

use assay::store::schema::{
    awards, calibration_papers, outbox, qualifications, rereads, reviews, seed_presentations,
};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{Scene, id_of};
use crate::district_records::{exported, files_with};
use crate::harness::{Answer, District, Person};

/// The scene with a qualified assessor, seed papers at level 1, and live work of so many earners.
pub fn seeded(n_seeds: usize, n_live: usize) -> Scene {
    let scene = Scene::new();
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    scene.keyed_set("seed", &vec![1; n_seeds]);
    scene.qualify(&set);
    for number in 0..n_live {
        let email = format!("earner-{number}@example.org");
        let earner = scene.app.seed(&scene.district.schools[0], &email, &["earner"]);
        scene.district.submit(&earner, &scene.family);
    }
    scene
}

/// Claims and locks with these levels for the criteria. Returns the review as it was claimed.
#[track_caller]
fn score_next(assessor: &Person, level: impl Fn(&Value) -> u8) -> (Value, Value) {
    score(assessor, assessor.post("/api/v1/reviews/claim", &json!({})), level)
}

#[track_caller]
pub fn score(assessor: &Person, claimed: Answer, level: impl Fn(&Value) -> u8) -> (Value, Value) {
    let etag = claimed.etag();
    let review = claimed.expect(201);
    let path = format!("/api/v1/reviews/{}", id_of(&review));
    let mut sheet = District::sheet(&review, 0);
    let level = level(&review["work"]);
    for line in sheet["scores"].as_array_mut().unwrap() {
        if line["criterion_id"].as_str().unwrap().starts_with('c') {
            line["level"] = json!(level);
        }
    }
    assessor.put(&format!("{path}/scores"), &etag, &sheet).expect(200);
    let locked = assessor.act(&format!("{path}/lock")).expect(200);
    (review, locked)
}

pub fn presented(scene: &Scene) -> BTreeSet<String> {
    let mut conn = scene.app.resources.database.connection().unwrap();
    let ids: Vec<String> = seed_presentations::table
        .select(seed_presentations::submission_id)
        .load(&mut *conn)
        .unwrap();
    ids.into_iter().collect()
}

/// The names of everything in an answer, without what stands there.
pub fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), shape(member))).collect()
        }
        Value::Array(items) => items.first().map_or(json!([]), |first| json!([shape(first)])),
        Value::Null => json!("null"),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => json!("value"),
    }
}

#[test]
fn one_of_ten_is_a_seed_paper_that_looks_like_live_work_and_decides_nothing() {
    let scene = seeded(3, 12);
    let assessor = scene.assessor();
    let mut taken = Vec::new();
    for _ in 0..10 {
        taken.push(score_next(&assessor, |_| 1));
    }
    let seeds = presented(&scene);
    assert_eq!(seeds.len(), 1, "one of each ten");
    let is_seed = |review: &Value| seeds.contains(review["submission_id"].as_str().unwrap());
    let (seed, live): (Vec<_>, Vec<_>) = taken.iter().partition(|(review, _)| is_seed(review));
    let ((seed, seed_locked), (live, live_locked)) = (seed[0], live[0]);
    assert_eq!(shape(seed), shape(live));
    assert_eq!(shape(seed_locked), shape(live_locked));
    assert_eq!(seed["work"]["responses"]["q1"], "We agreed, 1.");
    // Neither its ids nor its promised day tell that it came into being at the claim, or beside which work.
    let made_at = |value: &Value| {
        let id: uuid::Uuid = value.as_str().unwrap().parse().unwrap();
        id.get_timestamp().unwrap().to_unix()
    };
    let newest = taken.iter().filter(|(review, _)| !is_seed(review));
    let newest = newest.map(|(review, _)| made_at(&review["submission_id"])).max().unwrap();
    assert!(made_at(&seed["submission_id"]) < newest);
    for item in seed["work"]["evidence"].as_array().unwrap() {
        assert!(made_at(&item["id"]) < newest, "{item}");
    }
    let same_day = taken.iter().filter(|(review, _)| review["due_at"] == seed["due_at"]);
    assert_eq!(same_day.count(), 1, "no live work has its moment");
    // The same headers, and the content of an item opens while it is held; afterwards neither does.
    let item =
        |review: &Value| review["work"]["evidence"][0]["content_path"].as_str().unwrap().to_owned();
    assert_eq!(assessor.get(&item(seed)).status, assessor.get(&item(live)).status);
    // Nobody's list or page has it, and no badge or mail came of it.
    let id = seed["submission_id"].as_str().unwrap();
    let coordinator = &scene.district.coordinator;
    assert_eq!(coordinator.get(&format!("/api/v1/submissions/{id}")).problem(), "not-found");
    let listed = coordinator.get("/api/v1/submissions?limit=100").expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 12);
    assert!(!listed.to_string().contains(id));
    let mut conn = scene.app.resources.database.connection().unwrap();
    let of_seed = awards::table.filter(awards::submission_id.eq(id));
    assert_eq!(of_seed.count().get_result::<i64>(&mut *conn).unwrap(), 0);
    let mails = outbox::table.filter(outbox::parameters.like(format!("%{id}%")));
    assert_eq!(mails.count().get_result::<i64>(&mut *conn).unwrap(), 0);
    // The work whose place it took was still there.
    assert_eq!(taken.len() - seeds.len(), 9);
}

#[test]
fn seed_paper_that_is_given_back_is_nobody_elses_work() {
    let scene = seeded(1, 11);
    let assessor = scene.assessor();
    for _ in 0..10 {
        let claimed = assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
        let path = format!("/api/v1/reviews/{}", id_of(&claimed));
        if presented(&scene).contains(claimed["submission_id"].as_str().unwrap()) {
            let reason = json!({ "reason": "I recognise this person." });
            let recused = assessor.post(&format!("{path}/recuse"), &reason).expect(200);
            assert_eq!(recused["state"], "recused");
            break;
        }
        let etag = assessor.get(&path).etag();
        let sheet = District::sheet(&claimed, 0);
        assessor.put(&format!("{path}/scores"), &etag, &sheet).expect(200);
        assessor.act(&format!("{path}/lock")).expect(200);
    }
    let seeds = presented(&scene);
    assert_eq!(seeds.len(), 1);
    let blocked = scene.district.coordinator.get("/api/v1/queue/blocked?all=true").expect(200);
    for id in seeds {
        assert!(!blocked.to_string().contains(&id));
    }
}

#[test]
fn drift_suspends_frees_what_is_held_and_lists_what_to_read_again() {
    let scene = seeded(6, 50);
    let assessor = scene.assessor();
    let lead = scene.lead(2);
    assert_eq!(lead.get("/api/v1/queue/rereads").expect(200)["items"], json!([]));
    // Everything at level 0: three seed papers are twelve scores, all wrong.
    // Live work to hold: should the first one be a seed paper, it is scored and the next is none.
    let mut held = assessor.post("/api/v1/reviews/claim", &json!({}));
    if presented(&scene).len() == 1 {
        score(&assessor, held, |_| 0);
        held = assessor.post("/api/v1/reviews/claim", &json!({}));
    }
    let held = held.expect(201);
    let held_path = format!("/api/v1/reviews/{}", id_of(&held));
    let mut n_live = 0;
    while presented(&scene).len() < 3 {
        let (review, locked) = score_next(&assessor, |_| 0);
        // The qualification was passed on constructed work, so two read everything: also what suspends is answered like that.
        assert_eq!(locked["is_decided"], false);
        n_live +=
            usize::from(!presented(&scene).contains(review["submission_id"].as_str().unwrap()));
        if presented(&scene).len() == 2 {
            let me = assessor.get("/api/v1/me").expect(200);
            assert_eq!(me["qualifications"][0]["state"], "qualified", "too few scores to say");
        }
    }
    let me = assessor.get("/api/v1/me").expect(200);
    assert_eq!(me["qualifications"][0]["state"], "suspended");
    assert_eq!(assessor.post("/api/v1/reviews/claim", &json!({})).status, 204);
    assert_eq!(assessor.get(&held_path).expect(200)["state"], "lapsed");
    // Whose sheet stands beside an open question is nobody's to know: the list has what is decided.
    assert_eq!(lead.get("/api/v1/queue/rereads").expect(200)["items"], json!([]));
    for person in [&assessor, &scene.district.coordinator] {
        assert_eq!(person.get("/api/v1/queue/rereads").problem(), "forbidden");
    }
    let mut conn = scene.app.resources.database.connection().unwrap();
    assert_eq!(rereads::table.count().get_result::<i64>(&mut *conn).unwrap() as usize, n_live);
    let blocked = scene.district.coordinator.get("/api/v1/queue/blocked").expect(200);
    let rule = &blocked["items"][0]["blocked_by"][0]["rule"];
    assert_eq!(rule, "qualification_suspended");
    let states: Vec<String> =
        qualifications::table.select(qualifications::state).load(&mut *conn).unwrap();
    assert_eq!(states, ["suspended"]);
}

#[test]
fn overdue_work_is_told_to_its_coordinator_once_a_day() {
    let scene = Scene::new();
    scene.district.submit(&scene.district.earner, &scene.family);
    let told = || {
        scene.app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
        let mut conn = scene.app.resources.database.connection().unwrap();
        let mails = outbox::table.filter(outbox::kind.eq("overdue_work"));
        mails.count().get_result::<i64>(&mut *conn).unwrap()
    };
    assert_eq!(told(), 0);
    scene.app.advance(TimeDelta::days(20));
    assert_eq!((told(), told()), (1, 1));
    scene.app.advance(TimeDelta::days(1));
    assert_eq!(told(), 2);
    scene.app.send_mail();
    let folder = scene.app.folder().join("mail");
    let letters: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .filter(|text| text.contains("longer than was promised"))
        .collect();
    assert_eq!(letters.len(), 2);
    assert!(!letters[0].contains(&scene.district.earner.email));
}

#[test]
fn coordinator_is_told_once_a_day_which_rules_block_and_nothing_while_none_does() {
    let scene = Scene::new();
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    scene.qualify(&set);
    let school = &scene.district.schools[0];
    scene.app.seed(school, "neighbour@example.org", &["assessor"]);
    let submission = scene.district.submit(&scene.district.earner, &scene.family);
    let told = || {
        scene.app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
        let mut conn = scene.app.resources.database.connection().unwrap();
        let mails = outbox::table.filter(outbox::kind.eq("blocked_work"));
        mails.count().get_result::<i64>(&mut *conn).unwrap()
    };
    assert_eq!(told(), 0, "one assessor may take it");
    let own = scene.assessor();
    let path = format!("/api/v1/assessors/{}", own.id);
    let hash = own.get(&path).expect(200)["items"][0]["scoring_hash"].clone();
    let gone = json!({ "scoring_hash": hash, "reason": "I move away." });
    own.post(&format!("{path}/release"), &gone).expect(200);
    assert_eq!((told(), told()), (1, 1), "once a day");
    scene.app.advance(TimeDelta::days(1));
    assert_eq!((told(), told()), (2, 2));
    scene.app.send_mail();
    let letters: Vec<String> = std::fs::read_dir(scene.app.folder().join("mail"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .filter(|text| text.contains("no assessor may take it"))
        .collect();
    assert_eq!(letters.len(), 2);
    let letter = &letters[0];
    for line in [
        "- Assessors who are not qualified for this rubric",
        "  (not_qualified): for 1 of 1.",
        "- Assessors who were released from scoring by this rubric",
        "  (released): for 1 of 1.",
        "- Assessors who are or were of the same school",
    ] {
        assert!(letter.contains(line), "{line}: {letter}");
    }
    assert!(letter.contains("/api/v1/queue/blocked"), "{letter}");
    let district = &scene.district;
    for secret in [&submission, &district.earner.email, &district.earner.id, &own.email, &own.id] {
        assert!(!letter.contains(secret.as_str()), "{secret}: {letter}");
    }
    assert!(letter.contains(&district.coordinator.email), "{letter}");
    // Somebody who may take it again: nothing is told on the next day.
    let lead = scene.lead(2);
    lead.post(&format!("{path}/invite"), &json!({ "scoring_hash": hash })).expect(200);
    scene.app.advance(TimeDelta::minutes(1));
    scene.accept(&scene.assessor());
    let attempt = super::begin(&scene.assessor(), &set).expect(201);
    super::give(&scene.assessor(), &attempt, |level| level).expect(200);
    scene.app.advance(TimeDelta::days(1));
    assert_eq!(told(), 2);
}

#[test]
fn records_of_the_district_hold_no_known_work_and_do_not_say_which_was_known() {
    let scene = seeded(3, 12);
    let assessor = scene.assessor();
    for _ in 0..10 {
        score_next(&assessor, |_| 1);
    }
    let mut secrets: BTreeSet<String> = presented(&scene);
    assert_eq!(secrets.len(), 1, "one of each ten");
    {
        let mut conn = scene.app.resources.database.connection().unwrap();
        let readings: Vec<String> = reviews::table
            .filter(reviews::submission_id.eq_any(&secrets))
            .select(reviews::id)
            .load(&mut *conn)
            .unwrap();
        assert_eq!(readings.len(), 1);
        secrets.extend(readings);
        let papers: Vec<String> =
            calibration_papers::table.select(calibration_papers::id).load(&mut *conn).unwrap();
        assert_eq!(papers.len(), 6);
        secrets.extend(papers);
    }
    // The words of known work, and of nothing else.
    secrets.extend((0..3).map(|level| format!("We agreed, {level}.")));
    secrets.extend((0..3).map(|level| format!("What was shown, {level}.")));
    let folder = tempfile::TempDir::new().unwrap();
    for names in [&[][..], &["--with-names"]] {
        let files = exported(&scene.app, &scene.district.id, folder.path(), names);
        for secret in &secrets {
            assert_eq!(files_with(&files, secret.as_bytes()), Vec::<String>::new(), "{secret}");
        }
        let n_lines = |path: &str| std::str::from_utf8(&files[path]).unwrap().lines().count();
        assert_eq!(
            (n_lines("records/submissions.ndjson"), n_lines("records/reviews.ndjson")),
            (12, 9),
            "live work, and the readings of it"
        );
    }
}
