//! The life of an assessor over HTTP: what each sees of it, what each may do, and what is refused.

use assay::store::schema::{audit_events, qualifications};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{Scene, begin, finish_practice, give, id_of};
use crate::harness::{Answer, Person};

/// One's own standing for the only rubric.
#[track_caller]
fn own(person: &Person) -> Value {
    let page = person.get(&format!("/api/v1/assessors/{}", person.id)).expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page}");
    page["items"][0].clone()
}

#[track_caller]
fn act(by: &Person, whom: &Person, hash: &str, operation: &str) -> Answer {
    let body = match operation {
        "accept" => json!({ "scoring_hash": hash, "conflicts_declared": true }),
        "suspend" | "release" => json!({ "scoring_hash": hash, "reason": "As we have said." }),
        _ => json!({ "scoring_hash": hash }),
    };
    by.post(&format!("/api/v1/assessors/{}/{operation}", whom.id), &body)
}

/// The verbs of the trail about a person, in order, without those of modules and attempts.
fn trail(scene: &Scene, person: &Person) -> Vec<String> {
    let mut conn = scene.app.resources.database.connection().unwrap();
    audit_events::table
        .filter(audit_events::object_kind.eq("person"))
        .filter(audit_events::object_id.eq(&person.id))
        .filter(audit_events::verb.ne("complete_module"))
        .order(audit_events::seq)
        .select(audit_events::verb)
        .load(&mut *conn)
        .unwrap()
}

#[test]
fn assessor_goes_from_invitation_to_qualification_and_back_as_the_table_says() {
    let scene = Scene::new();
    let practice = scene.keyed_set("practice", &[0, 1]);
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    let (assessor, lead) = (scene.assessor(), scene.lead(2));
    let invited = own(&assessor);
    assert_eq!(invited["state"], "invited");
    assert_eq!(invited["events"][0]["event"], "accept");
    assert_eq!(invited["events"][0]["guards"], json!(["conflict_declaration"]));
    let hash = invited["scoring_hash"].as_str().unwrap();
    for set in [&practice, &set] {
        let early = begin(&assessor, set);
        assert_eq!(early.problem(), "wrong-state");
        assert_eq!(early.json["allowed_events"], json!(["accept", "release"]));
    }
    for operation in ["suspend", "coaching", "requalify", "invite"] {
        let refused = act(&lead, &assessor, hash, operation);
        assert_eq!((refused.status, refused.problem().as_str()), (409, "wrong-state"));
        assert_eq!(refused.json["allowed_events"], json!(["accept", "release"]), "{operation}");
        assert_eq!(act(&assessor, &assessor, hash, operation).problem(), "forbidden");
        assert_eq!(act(&scene.district.coordinator, &assessor, hash, operation).status, 404);
    }
    let accept = format!("/api/v1/assessors/{}/accept", assessor.id);
    let silent = json!({ "scoring_hash": hash, "conflicts_declared": false });
    assert_eq!(assessor.post(&accept, &silent).faults()[0].1, "conflict-declaration");
    assert_eq!(act(&lead, &assessor, hash, "accept").problem(), "forbidden");
    let training = act(&assessor, &assessor, hash, "accept").expect(200);
    assert_eq!(training["state"], "in_training");
    assert_eq!(training["missing"], json!(["bias_module", "practice_set"]));
    assert_eq!(act(&assessor, &assessor, hash, "accept").problem(), "wrong-state");
    assert_eq!(begin(&assessor, &set).problem(), "wrong-state");

    scene.do_modules(&assessor);
    assert_eq!(own(&assessor)["missing"], json!(["practice_set"]));
    finish_practice(&assessor, &practice);
    assert_eq!(own(&assessor)["state"], "qualifying");
    let attempt = begin(&assessor, &set).expect(201);
    give(&assessor, &attempt, |level| level).expect(200);
    let qualified = own(&assessor);
    assert_eq!(qualified["state"], "qualified");
    assert!(qualified["until"].is_string());

    // A lead assessor stops them, with a reason that they read; nobody decides about themselves.
    let path = format!("/api/v1/assessors/{}", assessor.id);
    let wordless = json!({ "scoring_hash": hash, "reason": " " });
    assert_eq!(lead.post(&format!("{path}/suspend"), &wordless).faults()[0].1, "reason");
    act(&lead, &assessor, hash, "suspend").expect(200);
    assert_eq!(own(&assessor)["reason"], "As we have said.");
    assert_eq!(own(&assessor)["state"], "suspended");
    assert_eq!(act(&lead, &assessor, hash, "suspend").problem(), "wrong-state");
    assert_eq!(begin(&assessor, &set).problem(), "wrong-state");
    assert_eq!(act(&lead, &assessor, hash, "requalify").faults()[0].1, "coaching-missing");
    act(&lead, &assessor, hash, "coaching").expect(200);
    assert_eq!(act(&lead, &assessor, hash, "requalify").expect(200)["state"], "qualifying");
    let attempt = begin(&assessor, &set).expect(201);
    give(&assessor, &attempt, |level| level).expect(200);
    assert_eq!(own(&assessor)["state"], "qualified");

    // After the year everything that comes before qualifying is done anew.
    scene.app.advance(TimeDelta::days(365));
    let assessor = scene.assessor();
    assert_eq!(own(&assessor)["state"], "in_training");
    for _ in 0..2 {
        scene.app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
    }
    scene.do_modules(&assessor);
    finish_practice(&assessor, &practice);
    assert_eq!(own(&assessor)["state"], "qualifying");
    let expected = [
        "accept_assessing",
        "admit_assessor",
        "qualify_assessor",
        "suspend_assessor",
        "coach_assessor",
        "requalify_assessor",
        "qualify_assessor",
        "lapse_assessor",
        "admit_assessor",
    ];
    assert_eq!(trail(&scene, &assessor), expected);
}

#[test]
fn release_ends_the_right_to_score_and_an_invitation_begins_anew() {
    let scene = Scene::new();
    let set = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    scene.qualify(&set);
    let district = &scene.district;
    let submission = district.submit(&district.earner, &scene.family);
    let (assessor, lead) = (scene.assessor(), scene.lead(2));
    let hash = own(&assessor)["scoring_hash"].as_str().unwrap().to_owned();
    let review = assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    assert_eq!(review["submission_id"], submission.as_str());
    let wordless = json!({ "scoring_hash": hash, "reason": "" });
    let path = format!("/api/v1/assessors/{}/release", assessor.id);
    assert_eq!(assessor.post(&path, &wordless).faults()[0].1, "reason");
    let released = act(&assessor, &assessor, &hash, "release").expect(200);
    assert_eq!((&released["state"], &released["events"]), (&json!("released"), &json!([])));
    let held = assessor.get(&format!("/api/v1/reviews/{}", id_of(&review))).expect(200);
    assert_eq!(held["state"], "lapsed", "what they held goes back");
    assert_eq!(assessor.post("/api/v1/reviews/claim", &json!({})).status, 204);
    let blocked = district.coordinator.get("/api/v1/queue/blocked").expect(200);
    let rule = json!([{ "rule": "released", "assessors": 1 }]);
    assert_eq!(blocked["items"][0]["blocked_by"], rule);
    let again = act(&lead, &assessor, &hash, "release");
    assert_eq!(
        (again.problem().as_str(), &again.json["allowed_events"]),
        ("wrong-state", &json!([]))
    );
    assert_eq!(begin(&assessor, &set).problem(), "wrong-state");
    scene.app.advance(TimeDelta::minutes(1));
    assert_eq!(act(&lead, &assessor, &hash, "invite").expect(200)["state"], "invited");
    assert_eq!(assessor.post("/api/v1/reviews/claim", &json!({})).status, 204);
    act(&assessor, &assessor, &hash, "accept").expect(200);
    let attempt = begin(&assessor, &set).expect(201);
    give(&assessor, &attempt, |level| level).expect(200);
    assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    // A lead assessor lets somebody go as well.
    assert_eq!(act(&lead, &assessor, &hash, "release").expect(200)["state"], "released");
}

#[test]
fn lead_assessor_sees_their_organization_and_others_see_themselves() {
    let scene = Scene::new();
    scene.keyed_set("qualifying_a", &[0, 1, 2]);
    let other = scene.app.seed(&scene.district.schools[0], "other@example.org", &["assessor"]);
    let abroad = scene.app.seed_root("Harbour");
    let foreign = scene.app.seed(&abroad, "lead@harbour.example.org", &["lead_assessor"]);
    let assessor = scene.assessor();
    let listed = scene.lead(2).get("/api/v1/assessors").expect(200);
    let mut people: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["person_id"].as_str().unwrap())
        .collect();
    people.sort_unstable();
    let mut expected = [assessor.id.as_str(), other.id.as_str()];
    expected.sort_unstable();
    assert_eq!(people, expected);
    let none = format!("/api/v1/assessors?micro_credential_id={}", assessor.id);
    assert_eq!(scene.lead(2).get(&none).expect(200)["items"], json!([]));
    assert_eq!(foreign.get("/api/v1/assessors").expect(200)["items"], json!([]));
    let path = format!("/api/v1/assessors/{}", assessor.id);
    scene.lead(2).get(&path).expect(200);
    for person in [&foreign, &other, &scene.district.coordinator, &scene.district.earner] {
        assert_eq!(person.get(&path).problem(), "not-found");
    }
    let hash = own(&assessor)["scoring_hash"].as_str().unwrap().to_owned();
    for operation in ["accept", "suspend", "coaching", "requalify", "release", "invite"] {
        let hidden = act(&foreign, &assessor, &hash, operation);
        assert_eq!(hidden.problem(), "not-found", "{operation}");
        let nothing = act(&scene.lead(2), &assessor, "no such hash", operation);
        assert_eq!(nothing.problem(), "not-found", "{operation}");
    }
    let nobody =
        scene.district.earner.get(&format!("/api/v1/assessors/{}", scene.district.earner.id));
    assert_eq!(nobody.expect(200)["items"], json!([]));
}

#[test]
fn nobody_decides_about_themselves_but_to_go() {
    let scene = Scene::new();
    scene.keyed_set("qualifying_a", &[0, 1, 2]);
    let both =
        scene.app.seed(&scene.district.id, "both@example.org", &["assessor", "lead_assessor"]);
    let hash = own(&both)["scoring_hash"].as_str().unwrap().to_owned();
    for operation in ["suspend", "coaching", "requalify", "invite"] {
        assert_eq!(act(&both, &both, &hash, operation).faults()[0].1, "oneself", "{operation}");
    }
    assert_eq!(act(&both, &both, &hash, "release").expect(200)["state"], "released");
}

#[test]
fn used_up_tries_release_for_the_rest_of_the_cycle() {
    let scene = Scene::new();
    let a = scene.keyed_set("qualifying_a", &[0, 1, 2]);
    let b = scene.keyed_set("qualifying_b", &[2, 1, 0]);
    let assessor = scene.assessor();
    scene.prepare(&assessor);
    for (number, set) in [&a, &b, &a].into_iter().enumerate() {
        assert_eq!(own(&assessor)["state"], "qualifying", "after {number} tries");
        let attempt = begin(&assessor, set).expect(201);
        let failed = give(&assessor, &attempt, |level| (level + 1) % 3).expect(200);
        assert_eq!(failed["state"], "failed");
        let path = format!("/api/v1/calibration-attempts/{}/coaching", id_of(&attempt));
        scene.lead(2).act(&path).expect(200);
    }
    let released = own(&assessor);
    assert_eq!(released["state"], "released");
    let until = released["until"].as_str().unwrap();
    assert!(released["next"].as_str().unwrap().contains(&until[..10]), "{released}");
    let hash = released["scoring_hash"].as_str().unwrap();
    let early = act(&scene.lead(2), &assessor, hash, "invite");
    assert!(early.json["detail"].as_str().unwrap().contains("next cycle"), "{early:?}");
    let verbs = trail(&scene, &assessor);
    assert_eq!(verbs, ["accept_assessing", "admit_assessor", "fail_assessor"]);
    scene.app.advance(TimeDelta::days(365));
    assert_eq!(own(&scene.assessor())["state"], "invited");
}

#[test]
fn watch_ends_with_a_refresher() {
    let scene = super::seeds::seeded(3, 40);
    let practice = scene.keyed_set("practice", &[0, 1, 2, 0, 1]);
    let assessor = scene.assessor();
    // One seed paper with three levels of four too high: nine of twelve exact, every decision right.
    while super::seeds::presented(&scene).len() < 3 {
        let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
        let etag = claimed.etag();
        let review = claimed.expect(201);
        let path = format!("/api/v1/reviews/{}", id_of(&review));
        let mut sheet = crate::harness::District::sheet(&review, 0);
        let is_first = super::seeds::presented(&scene).len() == 1;
        for line in sheet["scores"].as_array_mut().unwrap() {
            let id = line["criterion_id"].as_str().unwrap();
            if id.starts_with('c') {
                line["level"] = json!(if is_first && id != "c1" { 2 } else { 1 });
            }
        }
        assessor.put(&format!("{path}/scores"), &etag, &sheet).expect(200);
        assessor.act(&format!("{path}/lock")).expect(200);
    }
    let watched = own(&assessor);
    assert_eq!(watched["state"], "watch", "{watched}");
    assert!(watched["next"].as_str().unwrap().contains("refresher"));
    // Watched assessors go on scoring.
    assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    finish_practice(&assessor, &practice);
    assert_eq!(own(&assessor)["state"], "qualified");
    let verbs = trail(&scene, &assessor);
    let expected = [
        "accept_assessing",
        "admit_assessor",
        "qualify_assessor",
        "watch_assessor",
        "refresh_assessor",
    ];
    assert_eq!(verbs, expected);
    let mut conn = scene.app.resources.database.connection().unwrap();
    let states: Vec<String> =
        qualifications::table.select(qualifications::state).load(&mut *conn).unwrap();
    assert_eq!(states, ["qualified"]);
}
