//! Practice, qualifying, and what a qualification is for.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Scene, begin, give, id_of};

#[test]
fn without_a_set_assessors_score_as_before_and_with_one_only_who_is_qualified() {
    let scene = Scene::new();
    let district = &scene.district;
    let (first, _) = district.award(&district.earner, &scene.family);
    assert!(!first.is_empty());
    let other = scene.app.seed(&district.schools[0], "other@example.org", &["earner"]);
    let submission = district.submit(&other, &scene.family);
    let review = district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    let path = format!("/api/v1/reviews/{}", id_of(&review));
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    // Who holds the work without a qualification now steps back.
    let held = district.assessor.get(&path);
    assert_eq!(held.problem(), "wrong-state");
    assert!(held.json["detail"].as_str().unwrap().contains("not_qualified"), "{held:?}");
    scene.app.advance(TimeDelta::hours(73));
    let assessor = scene.assessor();
    assert_eq!(assessor.post("/api/v1/reviews/claim", &json!({})).status, 204);
    let coordinator = scene.app.sign_in("coordinator@example.org");
    let blocked = coordinator.get("/api/v1/queue/blocked").expect(200);
    let rule = json!([{ "rule": "not_qualified", "assessors": 1 }]);
    assert_eq!(blocked["items"][0]["blocked_by"], rule);

    assert_eq!(begin(&assessor, &set).problem(), "wrong-state", "training comes first");
    scene.accept(&assessor);
    assessor.put("/api/v1/me/modules/bias", "\"0\"", &json!({})).expect(200);
    let attempt = begin(&assessor, &set).expect(201);
    let finished = give(&assessor, &attempt, |level| level).expect(200);
    assert_eq!(finished["state"], "passed");
    assert_eq!(
        finished["outcome"],
        json!({ "n": 12, "exact": 12, "decision": 12, "discrepant": 0 })
    );
    let blocked = coordinator.get("/api/v1/queue/blocked").expect(200);
    assert_eq!(blocked["items"][0]["blocked_by"][0]["rule"], "modules_missing");
    assessor.put("/api/v1/me/modules/conflicts", "\"0\"", &json!({})).expect(200);
    let me = assessor.get("/api/v1/me").expect(200);
    assert_eq!(me["qualifications"][0]["state"], "qualified");
    assert_eq!(me["qualifications"][0]["level"], "provisional", "the work was made for it");
    // Provisional: what one reader would decide is double blind.
    let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
    let etag = claimed.etag();
    let review = claimed.expect(201);
    assert_eq!(review["submission_id"], submission.as_str());
    let path = format!("/api/v1/reviews/{}", id_of(&review));
    let sheet = crate::harness::District::sheet(&review, 0);
    assessor.put(&format!("{path}/scores"), &etag, &sheet).expect(200);
    assert_eq!(assessor.act(&format!("{path}/lock")).expect(200)["is_decided"], false);
}

#[test]
fn badge_says_that_its_assessors_were_qualified() {
    let scene = Scene::new();
    let district = &scene.district;
    let (submission, plain) = district.award(&district.earner, &scene.family);
    let scoring = |award: &str| {
        let badge = scene.app.anybody().get(&format!("/credentials/{award}")).expect(200);
        let verdict = scene.app.anybody().post("/api/v1/verify", &badge).expect(200);
        verdict["credential"]["scoring"]["assessors_qualified"].as_bool().unwrap()
    };
    assert!(!scoring(&plain));
    // Real work, by consent, so that the qualification is a full one.
    let until = scene.app.resources.now().plus(TimeDelta::days(300)).to_string();
    let consent = format!("/api/v1/submissions/{submission}/sample-consent");
    district.earner.put(&consent, "\"0\"", &json!({ "ends_at": until })).expect(200);
    let set = scene.set("qualifying_a");
    for _ in 0..3 {
        let paper = json!({ "submission_id": submission });
        let added = scene.lead(0).post(&format!("{set}/papers"), &paper).expect(201);
        let paper = id_of(added["papers"].as_array().unwrap().last().unwrap());
        for number in [0, 1] {
            let keys = format!("{set}/papers/{paper}/keys");
            scene.lead(number).post(&keys, &super::key(1)).expect(201);
        }
    }
    scene.lead(0).act(&format!("{set}/publish")).expect(200);
    scene.prepare(&district.assessor);
    let attempt = begin(&district.assessor, &set).expect(201);
    let path = format!("/api/v1/calibration-attempts/{}", id_of(&attempt));
    for paper in attempt["papers"].as_array().unwrap() {
        let line = |id: &&str| json!({ "criterion_id": id, "level": 1 });
        let body = json!({ "scores": super::CRITERIA.iter().map(line).collect::<Vec<_>>() });
        let scores = format!("{path}/papers/{}/scores", id_of(paper));
        district.assessor.post(&scores, &body).expect(200);
    }
    district.assessor.act(&format!("{path}/finish")).expect(200);
    let me = district.assessor.get("/api/v1/me").expect(200);
    assert_eq!(me["qualifications"][0]["level"], "full");
    let other = scene.app.seed(&district.schools[0], "other@example.org", &["earner"]);
    let (_, award) = district.award(&other, &scene.family);
    assert!(scoring(&award));
}

#[test]
fn practice_is_corrected_at_once_and_qualifying_never() {
    let scene = Scene::new();
    let assessor = scene.assessor();
    let practice = scene.keyed_set("practice", &[1, 2]);
    scene.prepare(&assessor);
    let attempt = begin(&assessor, &practice).expect(201);
    assert!(!attempt.to_string().contains("secret reason"));
    let path = format!("/api/v1/calibration-attempts/{}", id_of(&attempt));
    let paper = id_of(&attempt["papers"][0]);
    let scores = format!("{path}/papers/{paper}/scores");
    let line = |id: &&str| json!({ "criterion_id": id, "level": 0 });
    let body = json!({ "scores": super::CRITERIA.iter().map(line).collect::<Vec<_>>() });
    let scored = assessor.post(&scores, &body).expect(200);
    assert_eq!(scored["papers"][0]["correction"][0]["rationale"], "secret reason");
    assert_eq!(scored["papers"][1]["correction"], Value::Null, "not before it is scored");
    assert_eq!(assessor.post(&scores, &body).problem(), "already-there");
    assert_eq!(assessor.act(&format!("{path}/finish")).faults()[0].1, "papers-open");
    for bad in [
        json!({ "scores": [] }),
        json!({ "scores": [{ "criterion_id": "c9", "level": 0 }] }),
        json!({ "scores": [{ "criterion_id": "c1", "level": 7 }] }),
        json!({ "scores": [{ "criterion_id": "c1" }, { "criterion_id": "c1" }] }),
    ] {
        let paper = id_of(&attempt["papers"][1]);
        let answer = assessor.post(&format!("{path}/papers/{paper}/scores"), &bad);
        assert_eq!(answer.problem(), "invalid", "{bad}");
    }
    let last = id_of(&attempt["papers"][1]);
    assessor.post(&format!("{path}/papers/{last}/scores"), &body).expect(200);
    assert_eq!(assessor.act(&format!("{path}/finish")).expect(200)["state"], "done");

    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    let attempt = begin(&assessor, &set).expect(201);
    let finished = give(&assessor, &attempt, |level| level).expect(200);
    let path = format!("/api/v1/calibration-attempts/{}", id_of(&attempt));
    for seen in [finished, assessor.get(&path).expect(200), assessor.get(&set).expect(200)] {
        assert!(!seen.to_string().contains("secret reason"), "{seen}");
        assert!(!seen.to_string().contains("\"correction\":[{"), "{seen}");
    }
    // Nobody else's attempt; a lead assessor sees what it came to.
    let other = scene.app.seed(&scene.district.schools[0], "other@example.org", &["assessor"]);
    assert_eq!(other.get(&path).problem(), "not-found");
    let seen = scene.lead(2).get(&path).expect(200);
    assert_eq!((&seen["state"], &seen["papers"]), (&json!("passed"), &json!([])));
}

#[test]
fn two_tries_then_coaching_then_one_more_and_then_the_cycle_is_over() {
    let scene = Scene::new();
    let (a, b) =
        (scene.keyed_set("qualifying_a", &[0, 1, 2]), scene.keyed_set("qualifying_b", &[2, 1, 0]));
    let assessor = scene.assessor();
    scene.prepare(&assessor);
    let fail = |set: &str| {
        let attempt = begin(&assessor, set).expect(201);
        assert_eq!(begin(&assessor, set).problem(), "wrong-state");
        let finished = give(&assessor, &attempt, |level| (level + 1) % 3).expect(200);
        assert_eq!(finished["state"], "failed");
        assert_eq!(finished["faults"].as_array().unwrap().len(), 3);
        format!("/api/v1/calibration-attempts/{}", id_of(&attempt))
    };
    fail(&a);
    assert_eq!(begin(&assessor, &a).problem(), "wrong-state");
    let second = fail(&b);
    assert_eq!(begin(&assessor, &a).problem(), "wrong-state");
    assert_eq!(assessor.act(&format!("{second}/coaching")).problem(), "forbidden");
    let listed = scene.lead(2).get(&format!("{b}/attempts")).expect(200);
    assert_eq!(listed["items"][0]["state"], "failed");
    scene.lead(2).act(&format!("{second}/coaching")).expect(200);
    fail(&a);
    for set in [&a, &b] {
        let over = begin(&assessor, set);
        assert!(over.json["detail"].as_str().unwrap().contains("next cycle"), "{over:?}");
    }
    assert_eq!(assessor.get("/api/v1/me").expect(200)["qualifications"], json!([]));
    scene.app.advance(TimeDelta::days(365));
    scene.prepare(&scene.assessor());
    let attempt = begin(&scene.assessor(), &b).expect(201);
    let passed = give(&scene.assessor(), &attempt, |level| level).expect(200);
    assert_eq!(passed["state"], "passed");
}

#[test]
fn author_of_a_key_does_not_qualify_on_its_set() {
    let scene = Scene::new();
    let both =
        scene.app.seed(&scene.district.id, "both@example.org", &["assessor", "lead_assessor"]);
    let set = scene.set("qualifying_a");
    for _ in 0..3 {
        let paper = json!({ "work": super::work(1) });
        let added = both.post(&format!("{set}/papers"), &paper).expect(201);
        let paper = id_of(added["papers"].as_array().unwrap().last().unwrap());
        let keys = format!("{set}/papers/{paper}/keys");
        both.post(&keys, &super::key(1)).expect(201);
        scene.lead(0).post(&keys, &super::key(1)).expect(201);
    }
    both.act(&format!("{set}/publish")).expect(200);
    assert_eq!(begin(&both, &set).faults()[0].1, "key-author");
    scene.prepare(&scene.assessor());
    begin(&scene.assessor(), &set).expect(201);
}

#[test]
fn qualification_ends_after_a_year_and_needs_known_work_every_90_days() {
    let scene = Scene::new();
    let district = &scene.district;
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    scene.qualify(&set);
    let practice = scene.keyed_set("practice", &[0, 1, 2, 0, 1]);
    district.submit(&district.earner, &scene.family);
    let rule = || {
        let coordinator = scene.app.sign_in("coordinator@example.org");
        let blocked = coordinator.get("/api/v1/queue/blocked").expect(200);
        blocked["items"][0]["blocked_by"][0]["rule"].as_str().map(str::to_owned)
    };
    assert_eq!(rule(), None);
    scene.app.advance(TimeDelta::days(91));
    assert_eq!(rule().as_deref(), Some("refresher_due"));
    let assessor = scene.assessor();
    let attempt = begin(&assessor, &practice).expect(201);
    give(&assessor, &attempt, |level| level).expect(200);
    assert_eq!(rule(), None);
    scene.app.advance(TimeDelta::days(275));
    assert_eq!(rule().as_deref(), Some("qualification_expired"));
    let me = scene.assessor().get("/api/v1/me").expect(200);
    assert_eq!(me["qualifications"][0]["state"], "expired");
}
