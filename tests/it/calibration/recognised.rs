//! Qualifications count where they were passed, below it, and where they are recognised.

use assay::service::context::Proof;
use assay::service::{Cx, reviews};
use assay::store::schema::audit_events;
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{Scene, begin, finish_practice, give, id_of, keyed_set, single};
use crate::harness::statements::{count_statements, statements_of};
use crate::harness::world::hand_in;
use crate::harness::{Answer, District, Person, TestApp, complete_charter};
use crate::templates::harbour;

/// A district of another tree that scores by the same rubric, with an assessor of the first one among its own.
struct Elsewhere {
    district: District,
    leads: [Person; 2],
    family: String,
}

impl Elsewhere {
    fn new(app: &TestApp, colleague: &str) -> Elsewhere {
        let district = harbour(app);
        let leads = [0, 1].map(|number| {
            let email = format!("lead-{number}@harbour.example.org");
            app.seed(&district.id, &email, &["lead_assessor"])
        });
        let family = district.publish(&single());
        app.invite(&district.admin, &district.schools[1], colleague, &["assessor"]);
        Elsewhere { district, leads, family }
    }

    fn set(&self, kind: &str, levels: &[u8]) -> String {
        keyed_set(&self.leads, &self.family, kind, levels)
    }

    /// Signed in anew: tests move the clock.
    fn lead(&self, app: &TestApp) -> Person {
        app.sign_in(&self.leads[0].email)
    }
}

/// A district whose readers have to be qualified, and another one where its assessor has passed.
fn passed_elsewhere() -> (Scene, Elsewhere) {
    let scene = Scene::new();
    scene.keyed_set("qualifying_a", &[0, 1, 2]);
    let elsewhere = Elsewhere::new(&scene.app, "assessor@example.org");
    let set = elsewhere.set("qualifying_a", &[0, 1, 2]);
    scene.qualify(&set);
    (scene, elsewhere)
}

fn claim(assessor: &Person) -> Answer {
    assessor.post("/api/v1/reviews/claim", &json!({}))
}

/// What keeps assessors from the first work that waits.
fn blocked_by(scene: &Scene) -> Value {
    let coordinator = scene.app.sign_in("coordinator@example.org");
    let blocked = coordinator.get("/api/v1/queue/blocked?all=true").expect(200);
    blocked["items"][0]["blocked_by"].clone()
}

#[track_caller]
fn recognise(by: &Person, organization: &str, whose: &str) -> Answer {
    let body = json!({ "recognised_organization_id": whose, "reason": "We have seen their sets." });
    by.post(&format!("/api/v1/organizations/{organization}/recognitions"), &body)
}

/// Ends what was recognised; returns its path.
#[track_caller]
fn end(by: &Person, recognised: &Value) -> String {
    let path = format!("/api/v1/recognitions/{}", id_of(recognised));
    let ended = send_end(by, &path, "\"1\"", "Their sets have become too easy.").expect(200);
    assert_eq!(ended["in_force"], false);
    path
}

fn send_end(by: &Person, path: &str, etag: &str, reason: &str) -> Answer {
    let request = by.request(reqwest::Method::POST, &format!("{path}/end"));
    by.send(request.header("if-match", etag).json(&json!({ "reason": reason })))
}

#[test]
fn who_qualified_by_anothers_set_scores_where_that_is_recognised_and_as_long_as_it_is() {
    let (scene, elsewhere) = passed_elsewhere();
    let district = &scene.district;
    district.submit(&district.earner, &scene.family);
    let assessor = scene.assessor();
    assert_eq!(claim(&assessor).status, 204);
    assert_eq!(blocked_by(&scene), json!([{ "rule": "qualified_elsewhere", "assessors": 1 }]));
    let standing = || {
        let path = format!("/api/v1/assessors/{}", assessor.id);
        [assessor.get(&path), scene.lead(2).get(&path)].map(|told| {
            let told = told.expect(200)["items"][0].clone();
            assert_eq!(told["state"], "qualified");
            told["not_counted_in"].clone()
        })
    };
    let here = json!([district.id]);
    assert_eq!(standing(), [here.clone(), here.clone()]);
    let other = elsewhere.leads[0].get(&format!("/api/v1/assessors/{}", assessor.id)).expect(200);
    assert_eq!(
        other["items"][0]["not_counted_in"],
        json!([]),
        "what they see is their own district"
    );

    let recognised = recognise(&scene.lead(0), &district.id, &elsewhere.district.id).expect(201);
    assert_eq!(standing(), [json!([]), json!([])]);
    assert_eq!(blocked_by(&scene), json!([]));
    let review = claim(&assessor).expect(201);
    let path = format!("/api/v1/reviews/{}", id_of(&review));
    let etag = assessor.get(&path).etag();
    let sheet = District::sheet(&review, 0);
    assessor.put(&format!("{path}/scores"), &etag, &sheet).expect(200);

    end(&scene.lead(1), &recognised);
    for refused in [assessor.get(&path), assessor.act(&format!("{path}/lock"))] {
        assert_eq!(refused.problem(), "wrong-state");
        assert_eq!(refused.json["allowed_events"], json!(["recuse"]));
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(detail.contains("qualified_elsewhere") && detail.contains("another organization"));
    }
    // Recognised again, what was begun goes on. The set was made for the purpose, so there is a second reader.
    recognise(&scene.lead(0), &district.id, &elsewhere.district.id).expect(201);
    let locked = assessor.act(&format!("{path}/lock")).expect(200);
    assert_eq!((&locked["state"], &locked["is_decided"]), (&json!("locked"), &json!(false)));
}

#[test]
fn readiness_counts_who_qualified_elsewhere_only_where_that_is_recognised() {
    let (scene, elsewhere) = passed_elsewhere();
    let district = &scene.district;
    let charter = complete_charter("pilot", &["mc-single"]);
    let body = json!({ "organization_id": district.id, "charter": charter });
    let program = id_of(&district.coordinator.post("/api/v1/programs", &body).expect(201));
    let counted = || {
        let path = format!("/api/v1/programs/{program}/readiness");
        let report = district.coordinator.get(&path).expect(200);
        let line = &report["definitions"][0];
        (line["eligible"].clone(), line["kept_away"][0]["rule"].clone())
    };
    assert_eq!(counted(), (json!(0), json!("qualified_elsewhere")));
    recognise(&scene.lead(0), &district.id, &elsewhere.district.id).expect(201);
    assert_eq!(counted(), (json!(1), Value::Null));
}

#[test]
fn who_passed_in_two_districts_scores_in_both() {
    let (scene, elsewhere) = passed_elsewhere();
    let own = scene.keyed_set("qualifying_b", &[2, 1, 0]);
    let assessor = scene.assessor();
    let attempt = begin(&assessor, &own).expect(201);
    give(&assessor, &attempt, |level| level).expect(200);
    for (district, family) in
        [(&scene.district, &scene.family), (&elsewhere.district, &elsewhere.family)]
    {
        let id = district.submit(&district.earner, family);
        assert_eq!(claim(&assessor).expect(201)["submission_id"], id.as_str());
    }
}

#[test]
fn recognition_of_a_network_counts_below_it_and_is_not_handed_on() {
    let scene = Scene::new();
    let elsewhere = Elsewhere::new(&scene.app, "assessor@example.org");
    scene.qualify(&elsewhere.set("qualifying_a", &[0, 1, 2]));
    let (app, root) = (&scene.app, &scene.district);
    let network = app.organization(&root.admin, &root.id, "Valley network", "network");
    let north = app.organization(&root.admin, &network, "North", "district");
    let departments =
        ["One", "Two"].map(|name| app.organization(&root.admin, &north, name, "department"));
    let designers = [0, 1].map(|number| {
        let email = format!("designer-{number}@north.example.org");
        app.seed(&departments[number], &email, &["designer"])
    });
    let leads = [0, 1].map(|number| {
        app.seed(&north, &format!("lead-{number}@north.example.org"), &["lead_assessor"])
    });
    let body = json!({ "organization_id": north, "definition": single() });
    let family = id_of(&designers[0].post("/api/v1/micro-credentials", &body).expect(201));
    let version = format!("/api/v1/micro-credentials/{family}/versions/1");
    for designer in &designers {
        let vote = json!({ "approve": true, "comment": "" });
        designer.post(&format!("{version}/approvals"), &vote).expect(201);
    }
    designers[0].act(&format!("{version}/publish")).expect(200);
    keyed_set(&leads, &family, "qualifying_a", &[0, 1, 2]);
    // A reader of the network, who qualified at the harbour.
    let pooled = app.invite(&root.admin, &network, "assessor@example.org", &["assessor"]);
    let earner = app.seed(&north, "earner@north.example.org", &["earner"]);
    let submission = root.submit(&earner, &family);
    assert_eq!(claim(&pooled).status, 204);

    // The north recognises its own root, which it need not, and a district that recognises the harbour.
    let above = recognise(&leads[0], &north, &root.id);
    assert_eq!(above.faults()[0].1, "own-qualifications");
    let south = app.seed_root("South");
    let refused = recognise(&leads[0], &north, &south);
    assert_eq!(
        refused.faults(),
        [("/recognised_organization_id".to_owned(), "unknown-organization".to_owned())]
    );
    let of_north = recognise(&elsewhere.leads[0], &elsewhere.district.id, &north).expect(201);
    assert_eq!(of_north["recognised_organization_name"], "North");
    assert_eq!(claim(&pooled).status, 204, "who is recognised has recognised nobody");

    let lead = app.seed(&network, "lead@valley.example.org", &["lead_assessor"]);
    recognise(&lead, &network, &elsewhere.district.id).expect(201);
    assert_eq!(claim(&pooled).expect(201)["submission_id"], submission.as_str());
}

#[test]
fn known_work_of_others_confirms_nothing_unless_they_are_recognised() {
    let scene = Scene::new();
    scene.qualify(&scene.keyed_set("qualifying_a", &[0, 1, 2]));
    let elsewhere = Elsewhere::new(&scene.app, "assessor@example.org");
    elsewhere.set("qualifying_a", &[0, 1, 2]);
    let practice = elsewhere.set("practice", &[0, 1, 2, 0, 1]);
    scene.district.submit(&scene.district.earner, &scene.family);
    scene.app.advance(TimeDelta::days(91));
    let due = json!([{ "rule": "refresher_due", "assessors": 1 }]);
    assert_eq!(blocked_by(&scene), due);
    finish_practice(&scene.assessor(), &practice);
    assert_eq!(blocked_by(&scene), due);
    recognise(&scene.lead(0), &scene.district.id, &elsewhere.district.id).expect(201);
    assert_eq!(blocked_by(&scene), json!([]));
}

#[test]
fn what_was_passed_before_a_suspension_is_not_brought_back_by_a_set_of_others() {
    let scene = Scene::new();
    scene.qualify(&scene.keyed_set("qualifying_a", &[0, 1, 2]));
    let elsewhere = Elsewhere::new(&scene.app, "assessor@example.org");
    let set = elsewhere.set("qualifying_a", &[0, 1, 2]);
    scene.district.submit(&scene.district.earner, &scene.family);
    scene.app.advance(TimeDelta::days(1));
    let path = format!("/api/v1/assessors/{}", scene.assessor().id);
    let hash = scene.lead(2).get(&path).expect(200)["items"][0]["scoring_hash"].clone();
    let body = json!({ "scoring_hash": hash, "reason": "Too lenient." });
    scene.lead(2).post(&format!("{path}/suspend"), &body).expect(200);
    let suspended = json!([{ "rule": "qualification_suspended", "assessors": 1 }]);
    assert_eq!(blocked_by(&scene), suspended);
    // Another district lets them qualify again, and they do.
    let body = json!({ "scoring_hash": hash });
    for step in ["coaching", "requalify"] {
        elsewhere.lead(&scene.app).post(&format!("{path}/{step}"), &body).expect(200);
    }
    let assessor = scene.assessor();
    let attempt = begin(&assessor, &set).expect(201);
    assert_eq!(give(&assessor, &attempt, |level| level).expect(200)["state"], "passed");
    assert_eq!(blocked_by(&scene), json!([{ "rule": "qualified_elsewhere", "assessors": 1 }]));
}

#[test]
fn recognition_is_a_lead_assessors_word_that_both_sides_read_and_one_ends() {
    let (scene, elsewhere) = passed_elsewhere();
    let (riverbend, harbour) = (&scene.district, &elsewhere.district);
    let list = format!("/api/v1/organizations/{}/recognitions", riverbend.id);
    for nobody in [&riverbend.coordinator, &riverbend.admin, &riverbend.assessor] {
        assert_eq!(recognise(nobody, &riverbend.id, &harbour.id).problem(), "forbidden");
    }
    // A tenant cannot make its own qualifications count elsewhere.
    assert_eq!(recognise(&elsewhere.leads[0], &riverbend.id, &harbour.id).problem(), "not-found");
    let body = |whose: &str, reason: &str| json!({ "recognised_organization_id": whose, "reason": reason });
    for (bad, code) in [
        (body(&harbour.id, " "), "reason"),
        (body(&harbour.id, &"x".repeat(2001)), "reason"),
        (body(&riverbend.id, "Us."), "own-qualifications"),
        (body("01900000-0000-7000-8000-000000000000", "Who?"), "unknown-organization"),
    ] {
        assert_eq!(scene.lead(0).post(&list, &bad).faults()[0].1, code, "{bad}");
    }
    let created = recognise(&scene.lead(0), &riverbend.id, &harbour.id);
    let path = created.headers["location"].clone();
    assert_eq!(created.etag(), "\"1\"");
    let created = created.expect(201);
    assert_eq!(
        (&created["organization_name"], &created["recognised_organization_name"]),
        (&json!("Riverbend District"), &json!("Harbour"))
    );
    let again = recognise(&scene.lead(1), &riverbend.id, &harbour.id);
    assert_eq!(
        (again.problem(), again.faults()[0].1.clone()),
        ("already-there".to_owned(), "recognised".to_owned())
    );
    // Both sides read it with its reason, whatever they do there; a stranger learns nothing of it.
    let theirs = format!("/api/v1/organizations/{}/recognitions", harbour.id);
    assert_eq!(riverbend.earner.get(&list).expect(200)["items"], json!([created]));
    assert_eq!(harbour.earner.get(&theirs).expect(200)["items"], json!([created]));
    assert_eq!(harbour.earner.get(&path).expect(200), created);
    let stranger =
        scene.app.seed(&scene.app.seed_root("Hill"), "lead@hill.example.org", &["lead_assessor"]);
    for hidden in [stranger.get(&path), stranger.get(&list), harbour.earner.get(&list)] {
        assert_eq!(hidden.problem(), "not-found");
    }
    assert_eq!(send_end(&stranger, &path, "\"1\"", "Why not.").problem(), "not-found");

    let reason = "They have changed their sets.";
    assert_eq!(send_end(&elsewhere.leads[0], &path, "\"1\"", reason).problem(), "forbidden");
    assert_eq!(send_end(&riverbend.coordinator, &path, "\"1\"", reason).problem(), "forbidden");
    assert_eq!(send_end(&scene.lead(0), &path, "\"1\"", "").faults()[0].1, "reason");
    let stale = send_end(&scene.lead(0), &path, "\"7\"", reason);
    assert_eq!((stale.problem(), &stale.json["current"]), ("stale".to_owned(), &created));
    let untagged = scene.lead(0).post(&format!("{path}/end"), &json!({ "reason": reason }));
    assert_eq!(untagged.status, 428);
    let ended = send_end(&scene.lead(1), &path, "\"1\"", reason);
    assert_eq!(ended.etag(), "\"2\"");
    let ended = ended.expect(200);
    assert_eq!((&ended["in_force"], &ended["end_reason"]), (&json!(false), &json!(reason)));
    assert_eq!(send_end(&scene.lead(1), &path, "\"2\"", reason).problem(), "wrong-state");
    // What was stays to be read, and it can be recognised once more.
    recognise(&scene.lead(0), &riverbend.id, &harbour.id).expect(201);
    assert_eq!(harbour.earner.get(&theirs).expect(200)["items"].as_array().unwrap().len(), 2);
    let mut conn = scene.app.resources.database.connection().unwrap();
    let of_it = audit_events::table.filter(audit_events::object_kind.eq("recognition"));
    let verbs: Vec<String> =
        of_it.order(audit_events::seq).select(audit_events::verb).load(&mut *conn).unwrap();
    assert_eq!(verbs, ["create_recognition", "end_recognition", "create_recognition"]);
}

#[test]
fn whose_qualifications_count_is_asked_for_as_often_however_much_waits() {
    count_statements();
    let (scene, _elsewhere) = passed_elsewhere();
    let family = scene.family.parse().unwrap();
    let assessor = scene.assessor();
    let cost = || {
        let proof = Proof::Token(&assessor.token);
        let claim = |cx: &mut Cx<'_>| reviews::claim(cx, None);
        let (claimed, n_statements) =
            statements_of(|| scene.app.resources.run("claim_review", proof, claim));
        assert!(claimed.unwrap().is_none(), "they qualified elsewhere");
        n_statements
    };
    let submit = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let email = format!("waiting-{number}@example.org");
            let earner = scene.app.seed(&scene.district.schools[0], &email, &["earner"]);
            hand_in(&scene.app.resources, &earner.token, family);
        }
    };
    submit(0..2);
    let of_two = cost();
    submit(2..12);
    assert_eq!(of_two, cost());
}
