//! Sets: papers, keys that nobody sees, and what publishing asks for.

use serde_json::{Value, json};

use super::{CRITERIA, Scene, begin, id_of, key, work};
use crate::harness::definition;

#[test]
fn training_set_shows_an_anchor_for_every_level_of_every_criterion() {
    let scene = Scene::new();
    let (lead, set) = (scene.lead(0), scene.set("training"));
    for level in 0..3 {
        let not_yet = lead.act(&format!("{set}/publish"));
        assert_eq!(not_yet.status, 422);
        let anchors: Vec<Value> = CRITERIA
            .iter()
            .map(
                |id| json!({ "criterion_id": id, "level": level, "rationale": "The second page." }),
            )
            .collect();
        let paper = json!({ "work": work(level), "anchors": anchors });
        lead.post(&format!("{set}/papers"), &paper).expect(201);
    }
    assert_eq!(scene.assessor().get(&set).problem(), "not-found", "drafts are for lead assessors");
    lead.act(&format!("{set}/publish")).expect(200);
    let read = scene.assessor().get(&set).expect(200);
    assert_eq!(read["papers"].as_array().unwrap().len(), 3);
    assert_eq!(read["papers"][0]["anchors"][0]["rationale"], "The second page.");
    assert_eq!(begin(&scene.assessor(), &set).problem(), "wrong-state");
    let late = lead.post(&format!("{set}/papers"), &json!({ "work": work(0) }));
    assert_eq!(late.problem(), "wrong-state");
}

#[test]
fn keys_are_set_independently_and_a_third_settles_a_difference() {
    let scene = Scene::new();
    let set = scene.set("practice");
    let leads = [0, 1, 2].map(|number| scene.lead(number));
    let added = leads[0].post(&format!("{set}/papers"), &json!({ "work": work(1) })).expect(201);
    let keys = format!("{set}/papers/{}/keys", id_of(&added["papers"][0]));
    leads[0].post(&keys, &key(1)).expect(201);
    // The second sees that there is a key, and nothing of it.
    let seen = leads[1].get(&set).expect(200);
    assert_eq!(seen["papers"][0]["n_keys"], 1);
    assert_eq!(seen["papers"][0]["own_key"], json!([]));
    assert!(!seen.to_string().contains("secret reason"));
    assert_eq!(leads[0].act(&format!("{set}/publish")).status, 422);
    leads[1].post(&keys, &key(2)).expect(201);
    assert_eq!(leads[1].post(&keys, &key(1)).problem(), "already-there");
    let open = leads[0].act(&format!("{set}/publish"));
    assert_eq!(open.faults().len(), 4, "{open:?}");
    leads[2].post(&keys, &key(2)).expect(201);
    let published = leads[0].act(&format!("{set}/publish")).expect(200);
    assert_eq!(published["state"], "published");
    assert_eq!(published["papers"][0]["work"], Value::Null, "what is in use is not shown");
    let retired = leads[0].act(&format!("{set}/retire")).expect(200);
    assert_eq!(retired["state"], "retired");
    assert_eq!(begin(&scene.assessor(), &set).problem(), "wrong-state");
}

#[test]
fn paper_must_look_like_work_that_could_be_handed_in() {
    let scene = Scene::new();
    let (lead, set) = (scene.lead(0), scene.set("seed"));
    let papers = format!("{set}/papers");
    let mut gap = work(1);
    gap["responses"].as_object_mut().unwrap().remove("q1");
    gap["evidence"].as_array_mut().unwrap().pop();
    gap["evidence"][0]["requirement_id"] = json!("a9");
    let refused = lead.post(&papers, &json!({ "work": gap }));
    let codes: Vec<String> = refused.faults().into_iter().map(|(_, code)| code).collect();
    let expected =
        ["response-missing", "evidence-missing", "evidence-missing", "unknown-requirement"];
    assert_eq!(codes, expected);
    // Longer than live work may be, or more of it, it would give itself away.
    let definition = definition("mc-ia-small-group-support");
    let submission = &definition["submission"];
    let limit = submission["part1"]["prompts"][0]["word_limit"].as_u64().unwrap();
    let most = submission["part2"]["evidence"][0]["max_items"].as_u64().unwrap();
    let sized = |n_words: u64, n_items: u64| {
        let mut sized = work(1);
        sized["responses"]["q1"] = json!("word ".repeat(usize::try_from(n_words).unwrap()));
        let item = sized["evidence"][0].clone();
        let items = sized["evidence"].as_array_mut().unwrap();
        items.extend((1..n_items).map(|_| item.clone()));
        lead.post(&papers, &json!({ "work": sized }))
    };
    let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    let too_long = fault("/responses/q1", "too-many-words");
    assert_eq!(sized(limit + 1, 1).faults(), [too_long]);
    let last = format!("/evidence/{}/requirement_id", 2 + most);
    assert_eq!(sized(limit, most + 1).faults(), [fault(&last, "too-many-items")]);
    sized(limit, most).expect(201);
    let anchors = json!([{ "criterion_id": "c1", "level": 9, "rationale": "x" }]);
    let refused = lead.post(&papers, &json!({ "work": work(1), "anchors": anchors }));
    assert_eq!(refused.faults().len(), 2, "no such level, and no anchors in a seed set");
    for body in [json!({}), json!({ "work": work(1), "submission_id": scene.family })] {
        assert_eq!(lead.post(&papers, &body).faults()[0].1, "one-source");
    }
    let added = lead.post(&papers, &json!({ "work": work(1) })).expect(201);
    let keys = format!("{papers}/{}/keys", id_of(&added["papers"][0]));
    let mut partial = key(1);
    partial["levels"].as_array_mut().unwrap().pop();
    assert_eq!(lead.post(&keys, &partial).faults()[0].1, "level-missing");
    assert_eq!(lead.act(&format!("{set}/publish")).status, 422);
}

#[test]
fn earners_work_becomes_a_paper_only_with_their_consent_and_leaves_when_it_is_withdrawn() {
    let scene = Scene::new();
    let (district, family) = (&scene.district, &scene.family);
    let (submission, _) = district.award(&district.earner, family);
    let consent = format!("/api/v1/submissions/{submission}/sample-consent");
    let set = scene.set("practice");
    let lead = scene.lead(0);
    let paper = json!({ "submission_id": submission });
    assert_eq!(lead.post(&format!("{set}/papers"), &paper).faults()[0].1, "no-consent");
    let until = scene.app.resources.now().plus(chrono::TimeDelta::days(30)).to_string();
    let past = json!({ "ends_at": "2020-01-01T00:00:00Z" });
    assert_eq!(district.earner.put(&consent, "\"0\"", &past).problem(), "invalid");
    assert_eq!(district.assessor.put(&consent, "\"0\"", &past).problem(), "not-found");
    district.earner.put(&consent, "\"0\"", &json!({ "ends_at": until })).expect(200);
    let added = lead.post(&format!("{set}/papers"), &paper).expect(201);
    assert_eq!(added["papers"][0]["is_constructed"], false);
    assert!(!added.to_string().contains(&district.earner.id));
    let keys = format!("{set}/papers/{}/keys", id_of(&added["papers"][0]));
    for number in [0, 1] {
        scene.lead(number).post(&keys, &key(1)).expect(201);
    }
    let published = lead.act(&format!("{set}/publish")).expect(200);
    assert_eq!(published["is_provisional"], false, "it is real work");
    scene.accept(&district.assessor);
    let attempt = begin(&district.assessor, &set).expect(201);
    assert_ne!(attempt["papers"][0]["work"], Value::Null);
    district.earner.put(&consent, "\"0\"", &json!({ "ends_at": null })).expect(200);
    let path = format!("/api/v1/calibration-attempts/{}", id_of(&attempt));
    assert_eq!(district.assessor.get(&path).expect(200)["papers"][0]["work"], Value::Null);
    let second = scene.app.seed(&district.schools[1], "second@example.org", &["assessor"]);
    assert_eq!(begin(&second, &set).problem(), "wrong-state");
}

#[test]
fn known_work_outlives_its_date_while_its_earner_consents_and_no_longer() {
    let scene = Scene::new();
    let (district, family) = (&scene.district, &scene.family);
    let another =
        |email: &str| scene.app.invite(&district.admin, &district.schools[0], email, &["earner"]);
    let (second, third) = (another("second@example.org"), another("third@example.org"));
    let people = [&district.earner, &second, &third];
    let works = people.map(|earner| district.award(earner, family).0);
    let consent = |number: usize, ends_at: Value| {
        let path = format!("/api/v1/submissions/{}/sample-consent", works[number]);
        let earner = scene.app.sign_in(&people[number].email);
        earner.put(&path, "\"0\"", &json!({ "ends_at": ends_at })).expect(200);
    };
    let pass = |days: i64| {
        scene.app.advance(chrono::TimeDelta::days(days));
        scene.app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
    };
    let is_kept = |number: usize| {
        let path = format!("/api/v1/submissions/{}", works[number]);
        let earner = scene.app.sign_in(&people[number].email);
        !earner.get(&path).expect(200)["responses"].is_null()
    };
    let in_days = |days| scene.app.resources.now().plus(chrono::TimeDelta::days(days)).to_string();
    // Two papers of a set, one until the consent ends; and one that nobody has made a paper of.
    consent(0, json!(in_days(1000)));
    consent(1, json!(in_days(400)));
    consent(2, json!(in_days(1000)));
    let set = scene.set("practice");
    for work in &works[..2] {
        let paper = json!({ "submission_id": work });
        scene.lead(0).post(&format!("{set}/papers"), &paper).expect(201);
    }
    pass(209);
    assert_eq!([0, 1, 2].map(is_kept), [true, true, true]);
    pass(91);
    assert_eq!([0, 1, 2].map(is_kept), [true, true, false]);
    let papers = scene.lead(0).get(&set).expect(200)["papers"].clone();
    assert_ne!(papers[0]["work"], Value::Null, "it can still be read as known work");
    consent(0, Value::Null);
    pass(0);
    assert_eq!([0, 1].map(is_kept), [false, true]);
    pass(99);
    assert!(is_kept(1));
    pass(2);
    assert!(!is_kept(1), "the consent has ended");
}

#[test]
fn nobody_but_lead_assessors_of_the_district_makes_sets() {
    let scene = Scene::new();
    let district = &scene.district;
    let body = json!({ "micro_credential_id": scene.family, "kind": "seed", "title": "x" });
    for person in [&district.assessor, &district.coordinator, &district.admin, &district.earner] {
        assert_eq!(person.post("/api/v1/calibration-sets", &body).problem(), "forbidden");
    }
    let seeds = scene.keyed_set("seed", &[1]);
    let practice = scene.keyed_set("practice", &[1]);
    for path in [seeds.as_str(), &format!("{seeds}/attempts")] {
        assert_eq!(district.assessor.get(path).problem(), "not-found");
    }
    assert_eq!(begin(&district.assessor, &seeds).problem(), "not-found");
    let listed = district.assessor.get("/api/v1/calibration-sets").expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(format!("/api/v1/calibration-sets/{}", id_of(&listed["items"][0])), practice);
    assert_eq!(district.assessor.act(&format!("{practice}/retire")).problem(), "forbidden");
    let all = scene.lead(2).get("/api/v1/calibration-sets").expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert_eq!(district.earner.get("/api/v1/calibration-sets").expect(200)["items"], json!([]));
}
