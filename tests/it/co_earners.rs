//! Evidence that earners have made together: whom they name, what these say, who does not read it then, and what needs no explanation.

use assay::domain::co_earner::CoEarnerState;
use assay::store::co_earners::CoEarner;
use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, definition};

/// A draft with everything filled in, and a colleague of the other school.
struct Scene {
    app: TestApp,
    district: District,
    earner: Person,
    colleague: Person,
    family: String,
    id: String,
    /// The path of the draft.
    path: String,
}

fn id_of(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

fn fault(pointer: &str, code: &str) -> [(String, String); 1] {
    [(pointer.to_owned(), code.to_owned())]
}

impl Scene {
    fn new() -> Scene {
        let app = TestApp::new();
        let district = app.district();
        let earner = district.earner.clone();
        let school = &district.schools[1];
        let colleague =
            app.invite(&district.admin, school, "colleague@example.org", &["earner", "assessor"]);
        let family = district.publish_small_group();
        let id = district.fill(&earner, &family);
        let path = format!("/api/v1/submissions/{id}");
        Scene { app, district, earner, colleague, family, id, path }
    }

    /// The item of the draft for a requirement.
    fn item(&self, requirement: &str) -> Value {
        let own = self.earner.get(&self.path).expect(200);
        let items = own["evidence"].as_array().unwrap();
        items.iter().find(|item| item["requirement_id"] == requirement).unwrap().clone()
    }

    fn name(&self, requirement: &str, whom: &Value) -> Answer {
        let mut body = whom.clone();
        body["evidence_id"] = self.item(requirement)["id"].clone();
        self.earner.post(&format!("{}/co-earners", self.path), &body)
    }

    /// Names the colleague for an item. Returns the path of the naming.
    #[track_caller]
    fn name_colleague(&self, requirement: &str) -> String {
        let answer = self.name(requirement, &json!({ "email": "Colleague@example.org " }));
        let path = answer.headers["location"].clone();
        assert_eq!(answer.expect(201)["state"], "asked");
        path
    }

    fn states(&self) -> Vec<Value> {
        let named = self.earner.get(&format!("{}/co-earners", self.path)).expect(200);
        named["items"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect()
    }

    /// What the colleague is asked.
    fn asked(&self) -> Vec<Value> {
        let asked = self.colleague.get("/api/v1/shared-evidence").expect(200);
        asked["items"].as_array().unwrap().clone()
    }

    fn answer(&self, asked: &Value, is_confirmed: bool) -> Answer {
        let path = format!("/api/v1/shared-evidence/{}/answer", id_of(asked));
        self.colleague.post(&path, &json!({ "is_confirmed": is_confirmed }))
    }

    fn letters(&self) -> usize {
        self.app.send_mail();
        let folder = std::fs::read_dir(self.app.folder().join("mail")).unwrap();
        let texts = folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        // With where to say so.
        texts
            .filter(|text| text.contains("was made together with you"))
            .filter(|text| text.contains("/coachings\r\n"))
            .count()
    }

    /// Where the same bytes are, as a lead assessor is told.
    fn matches(&self, lead: &Person) -> Vec<Value> {
        let found = lead.get("/api/v1/evidence-matches").expect(200);
        found["items"].as_array().unwrap().iter().map(|one| one["requirement_id"].clone()).collect()
    }
}

/// Other words for each requirement, the same for everybody.
#[track_caller]
fn with_words_for_each(person: &Person, path: &str) {
    for item in person.get(path).expect(200)["evidence"].as_array().unwrap() {
        assert_eq!(person.delete(&format!("{path}/evidence/{}", id_of(item))).status, 204);
        let requirement = item["requirement_id"].as_str().unwrap();
        let words = json!({ "requirement_id": requirement, "text": format!("For {requirement}.") });
        person.post(&format!("{path}/evidence"), &words).expect(201);
    }
}

#[test]
fn rules_say_what_is_shared_what_explains_a_match_and_when_it_is_answered() {
    use CoEarnerState::{Asked, Confirmed, Denied, Ended};
    let all = [(None, Asked), (Some(true), Confirmed), (Some(false), Denied)];
    for (answer, state) in all {
        assert_eq!(CoEarnerState::new(answer, false), state);
        assert_eq!(CoEarnerState::new(answer, true), Ended, "{state}");
    }
    let shared = [Asked, Confirmed, Denied, Ended].map(CoEarnerState::is_shared);
    assert_eq!(shared, [true, true, false, false]);
    let explains = [Asked, Confirmed, Denied, Ended].map(CoEarnerState::explains_a_match);
    assert_eq!(explains, [false, true, false, false]);
    for (is_handed_in, expected) in
        [(false, [true, true, true, false]), (true, [true, false, false, false])]
    {
        let can =
            [Asked, Confirmed, Denied, Ended].map(|state| state.can_be_answered(is_handed_in));
        assert_eq!(can, expected);
    }
}

#[test]
fn colleague_is_told_and_says_so_and_readers_see_that_it_is_shared_and_not_with_whom() {
    let scene = Scene::new();
    let named = scene.name_colleague("a3");
    scene.name_colleague("a2");
    assert_eq!(scene.letters(), 1, "once a day");
    let asked = scene.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0]["earner"]["person_id"], scene.earner.id.as_str());
    assert_eq!(asked[0]["requirement_id"], "a3");
    assert!(!asked[0].to_string().contains("What was shown"), "what it holds is not told");
    let said = scene.answer(&asked[0], true).expect(200);
    assert_eq!([&said["state"], &said["can_answer"]], [&json!("confirmed"), &json!(true)]);
    // Until the work is handed in both can think again.
    assert_eq!(scene.answer(&asked[0], false).expect(200)["state"], "denied");
    assert_eq!(scene.item("a3")["is_shared"], false);
    scene.answer(&asked[0], true).expect(200);
    scene.answer(&asked[1], false).expect(200);
    assert_eq!(scene.states(), ["confirmed", "denied"]);

    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    assert_eq!(scene.earner.delete(&named).problem(), "wrong-state");
    assert_eq!(scene.answer(&asked[1], true).problem(), "wrong-state");
    assert_eq!(scene.asked()[0]["can_answer"], false);
    let review = scene.district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    for item in review["work"]["evidence"].as_array().unwrap() {
        assert_eq!(item["is_shared"], item["requirement_id"] == "a3", "{item}");
    }
    for told in [&scene.colleague.id, &scene.colleague.email, "co-earner"] {
        assert!(!review.to_string().contains(told), "{told} in {review}");
    }
    let stranger = scene.district.assessor.get(&format!("{}/co-earners", scene.path));
    assert_eq!(stranger.problem(), "not-found");
    // The address that was written lies under the key of the submission.
    let bytes = std::fs::read(scene.app.folder().join("assay.db")).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&bytes).contains("\u{0}colleague@example.org\u{0}"));
    scene.app.audit_events();
}

#[test]
fn nobody_learns_by_naming_who_there_is() {
    let scene = Scene::new();
    let harbour = scene.app.seed_root("Harbour");
    let stranger = scene.app.seed(&harbour, "somebody@harbour.example.org", &["earner"]);
    let before = scene.letters();
    let known = scene.name("a3", &json!({ "email": scene.colleague.email })).expect(201);
    let shape = |answer: &Value| {
        let mut answer = answer.clone();
        for own in ["id", "name", "asked_at"] {
            assert!(answer[own].is_string(), "{answer}");
            answer[own] = Value::Null;
        }
        answer
    };
    for whom in [
        json!({ "email": "nobody@example.org" }),
        json!({ "email": stranger.email }),
        json!({ "person_id": stranger.id }),
        json!({ "person_id": "01900000-0000-7000-8000-000000000000" }),
        // The same person by another name is no news either.
        json!({ "person_id": scene.colleague.id }),
    ] {
        let answer = scene.name("a3", &whom);
        assert_eq!(answer.status, 201, "{whom}");
        assert_eq!(shape(&answer.json), shape(&known), "{whom}");
        assert!(whom.to_string().contains(answer.json["name"].as_str().unwrap()));
    }
    assert_eq!(scene.states(), vec![json!("asked"); 6]);
    assert_eq!(scene.letters() - before, 1, "to the colleague");
    assert_eq!(stranger.get("/api/v1/shared-evidence").expect(200)["items"], json!([]));
    // Whoever was not asked can answer nothing.
    let answer = format!("/api/v1/shared-evidence/{}/answer", id_of(&known));
    for other in [&stranger, &scene.district.assessor, &scene.earner] {
        let said = other.post(&answer, &json!({ "is_confirmed": true }));
        assert_eq!(said.problem(), "not-found");
    }
    // By whichever name: it is one person who answers.
    scene.answer(&scene.asked()[0], true).expect(200);
    let states = scene.states();
    assert_eq!(states.iter().filter(|state| **state == "confirmed").count(), 2, "{states:?}");
}

#[test]
fn what_is_wrong_with_a_name_is_said() {
    let scene = Scene::new();
    scene.name_colleague("a3");
    let again = scene.name("a3", &json!({ "email": "colleague@example.org" }));
    assert_eq!(again.faults()[0].1, "named");
    let refused = |whom: Value| scene.name("a3", &whom).faults();
    for oneself in [json!({ "email": scene.earner.email }), json!({ "person_id": scene.earner.id })]
    {
        assert_eq!(refused(oneself), fault("/person_id", "oneself"));
    }
    assert_eq!(refused(json!({ "email": "nobody" })), fault("/email", "email"));
    assert_eq!(refused(json!({})), fault("/person_id", "one-person"));
    let both = json!({ "email": "nobody@example.org", "person_id": scene.colleague.id });
    assert_eq!(refused(both), fault("/person_id", "one-person"));
    let co_earners = format!("{}/co-earners", scene.path);
    let elsewhere = json!({ "evidence_id": scene.id, "email": "nobody@example.org" });
    let answer = scene.earner.post(&co_earners, &elsewhere);
    assert_eq!(answer.faults(), fault("/evidence_id", "unknown-evidence"));
    let other = json!({ "evidence_id": scene.item("a3")["id"], "email": "nobody@example.org" });
    assert_eq!(scene.colleague.post(&co_earners, &other).problem(), "not-found");

    // What was taken back counts, so that nobody keeps all readers away.
    for number in 1..20 {
        let named = scene.name("a3", &json!({ "email": format!("nobody-{number}@example.org") }));
        let path = named.headers["location"].clone();
        assert_eq!(scene.earner.delete(&path).status, 204);
        assert_eq!(scene.earner.delete(&path).problem(), "wrong-state");
    }
    let most = scene.name("a2", &json!({ "email": "nobody@example.org" }));
    assert_eq!(most.faults(), fault("", "too-many-named"));
    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    let late = scene.name("a3", &json!({ "email": "nobody@example.org" }));
    assert_eq!(late.problem(), "wrong-state");
}

#[test]
fn as_many_are_named_over_all_attempts_however_often_the_earner_begins_again() {
    let mut scene = Scene::new();
    scene.name_colleague("a3");
    for number in 1..19 {
        let whom = json!({ "email": format!("nobody-{number}@example.org") });
        scene.name("a3", &whom).expect(201);
    }
    scene.earner.act(&format!("{}/withdraw", scene.path)).expect(200);
    scene.path =
        format!("/api/v1/submissions/{}", scene.district.fill(&scene.earner, &scene.family));
    // Whoever was named before is no news; one more is the last.
    scene.name_colleague("a3");
    scene.name("a2", &json!({ "email": "nobody-1@example.org" })).expect(201);
    scene.name("a3", &json!({ "email": "last@example.org" })).expect(201);
    let most = scene.name("a3", &json!({ "email": "nobody@example.org" }));
    assert_eq!(most.faults(), fault("", "too-many-named"));
    assert!(most.json.to_string().contains("over all your attempts"), "{}", most.json);
    scene.name("a2", &json!({ "email": "last@example.org" })).expect(201);
    // At another micro-credential nobody is kept from reading by it.
    let mut other = definition("mc-ia-small-group-support");
    other["id"] = json!("mc-small-group-again");
    let family = scene.district.publish(&other);
    scene.path = format!("/api/v1/submissions/{}", scene.district.fill(&scene.earner, &family));
    scene.name("a3", &json!({ "email": "nobody@example.org" })).expect(201);
}

#[test]
fn whoever_was_named_reads_no_attempt_of_it_whatever_becomes_of_the_naming() {
    for how in ["asked", "denied", "taken back", "the item is gone"] {
        let scene = Scene::new();
        let named = scene.name_colleague("a3");
        match how {
            "denied" => drop(scene.answer(&scene.asked()[0], false).expect(200)),
            "taken back" => assert_eq!(scene.earner.delete(&named).status, 204),
            "the item is gone" => {
                let content = scene.item("a3");
                let item = format!("{}/evidence/{}", scene.path, id_of(&content));
                assert_eq!(scene.earner.delete(&item).status, 204);
                let again = json!({ "requirement_id": "a3", "text": "Alone, then." });
                scene.earner.post(&format!("{}/evidence", scene.path), &again).expect(201);
                assert_eq!((scene.states(), scene.asked()), (vec![json!("ended")], Vec::new()));
            }
            _ => assert_eq!(scene.states(), ["asked"], "before it is confirmed"),
        }
        scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
        let claim = || scene.colleague.post("/api/v1/reviews/claim", &json!({}));
        assert_eq!(claim().status, 204, "{how}");
        let blocked = scene.district.coordinator.get("/api/v1/queue/blocked?all=true").expect(200);
        let rules = blocked["items"][0]["blocked_by"].as_array().unwrap();
        let shares = json!({ "rule": "coauthor_of_artifact", "assessors": 1 });
        assert!(rules.contains(&shares), "{how}: {blocked}");
        // Somebody else's work is no secret to them.
        let school = &scene.district.schools[0];
        let other =
            scene.app.invite(&scene.district.admin, school, "other@example.org", &["earner"]);
        scene.district.submit(&other, &scene.family);
        claim().expect(201);
    }
}

#[test]
fn reader_who_turns_out_to_share_it_neither_opens_nor_locks_it() {
    let scene = Scene::new();
    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    let claimed = scene.colleague.post("/api/v1/reviews/claim", &json!({}));
    let etag = claimed.etag();
    let review = claimed.expect(201);
    let path = format!("/api/v1/reviews/{}", id_of(&review));
    let scores = format!("{path}/scores");
    scene.colleague.put(&scores, &etag, &District::sheet(&review, 0)).expect(200);
    let item = review["work"]["evidence"][0]["content_path"].as_str().unwrap();
    assert_eq!(scene.colleague.get(item).status, 200);
    let named = CoEarner {
        id: scene.family.parse().unwrap(),
        submission: scene.id.parse().unwrap(),
        evidence: id_of(&scene.item("a3")).parse().unwrap(),
        person: Some(scene.colleague.id.parse().unwrap()),
        sealed_name: Vec::new(),
        asked_at: scene.app.resources.now(),
        is_confirmed: None,
        answered_at: None,
        ended_at: None,
    };
    let mut conn = scene.app.resources.database.connection().unwrap();
    assay::store::co_earners::create(&mut conn, &named).unwrap();
    drop(conn);
    assert_eq!(scene.colleague.get(item).problem(), "not-found");
    assert_eq!(scene.colleague.get(&path).problem(), "wrong-state");
    let locked = scene.colleague.act(&format!("{path}/lock"));
    assert_eq!(locked.problem(), "wrong-state");
    assert_eq!(locked.json["allowed_events"], json!(["recuse"]));
}

#[test]
fn same_bytes_need_no_explanation_where_both_say_that_they_share_them() {
    let scene = Scene::new();
    let school = &scene.district.schools[1];
    let admin = &scene.district.admin;
    let lead = scene.app.invite(admin, school, "lead@example.org", &["lead_assessor"]);
    let theirs = scene.district.fill(&scene.colleague, &scene.family);
    let theirs = format!("/api/v1/submissions/{theirs}");
    with_words_for_each(&scene.colleague, &theirs);
    with_words_for_each(&scene.earner, &scene.path);
    scene.name_colleague("a3");
    scene.name_colleague("a2");
    // One item more for a3, which both have and nobody has named.
    let second = json!({ "requirement_id": "a3", "text": "A second note." });
    for (person, path) in [(&scene.earner, &scene.path), (&scene.colleague, &theirs)] {
        person.post(&format!("{path}/evidence"), &second).expect(201);
    }
    scene.colleague.act(&format!("{theirs}/submit")).expect(200);
    let asked = scene.asked();
    scene.answer(&asked[1], true).expect(200);

    // What was confirmed before is no match; what one of them says alone explains nothing.
    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    assert_eq!(scene.matches(&lead), ["a1", "a3"]);
    scene.answer(&asked[0], true).expect(200);
    assert_eq!(scene.matches(&lead), ["a1", "a3"], "the second note is another matter");
}

#[test]
fn match_that_both_explain_afterwards_is_taken_back() {
    let scene = Scene::new();
    let school = &scene.district.schools[1];
    let admin = &scene.district.admin;
    let lead = scene.app.invite(admin, school, "lead@example.org", &["lead_assessor"]);
    let third = scene.app.invite(admin, school, "third@example.org", &["earner"]);
    let submit = |person: &Person| {
        let id = scene.district.fill(person, &scene.family);
        let path = format!("/api/v1/submissions/{id}");
        with_words_for_each(person, &path);
        person.act(&format!("{path}/submit")).expect(200);
    };
    submit(&third);
    with_words_for_each(&scene.earner, &scene.path);
    scene.name_colleague("a1");
    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    // The colleague hands in last: the match is written down with their work.
    submit(&scene.colleague);
    let count = |requirement: &str| {
        scene.matches(&lead).iter().filter(|found| **found == requirement).count()
    };
    assert_eq!([count("a1"), count("a2")], [3, 3], "of three earners each two");
    scene.answer(&scene.asked()[0], true).expect(200);
    assert_eq!([count("a1"), count("a2")], [2, 3], "with the third nobody shares anything");
}

#[test]
fn next_attempt_keeps_who_was_named_and_what_they_said() {
    let scene = Scene::new();
    scene.name_colleague("a3");
    scene.name_colleague("a2");
    let asked = scene.asked();
    scene.answer(&asked[0], true).expect(200);
    scene.answer(&asked[1], false).expect(200);
    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    scene.district.score(&scene.district.assessor, -1);
    let again = scene.app.invite(
        &scene.district.admin,
        &scene.district.id,
        "again@example.org",
        &["assessor"],
    );
    scene.district.score(&again, -1);
    let next = scene.earner.post(&format!("{}/resubmit", scene.path), &json!({})).expect(201);
    let next = format!("/api/v1/submissions/{}", id_of(&next));
    let own = scene.earner.get(&next).expect(200);
    let shared: Vec<&Value> = own["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["is_shared"] == true)
        .map(|item| &item["requirement_id"])
        .collect();
    assert_eq!(shared, ["a3"], "what was denied does not go along");
    let named = scene.earner.get(&format!("{next}/co-earners")).expect(200);
    let kept = &named["items"][0];
    assert_eq!([&kept["state"], &kept["name"]], ["confirmed", "colleague@example.org"]);
    assert_eq!(scene.letters(), 1, "nobody is asked anew");
}
