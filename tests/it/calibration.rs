//! Calibration as a licence: sets and their keys, practice, qualifying, seed papers and drift.

mod life;
mod qualifying;
mod recognised;
mod reports;
mod rules;
mod seeds;
mod sets;
mod simulation;
mod suspended;
mod unseen;

use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, definition};

/// The criteria of the definition that these tests score by: levels 0 to 2, passing at 1.
const CRITERIA: [&str; 4] = ["c1", "c2", "c3", "c4"];

/// A district with two lead assessors, and a micro-credential that one reader decides.
struct Scene {
    app: TestApp,
    district: District,
    family: String,
}

/// What one reader decides, whatever comes of it.
fn single() -> Value {
    let mut single = definition("mc-ia-small-group-support");
    single["id"] = json!("mc-single");
    single["review_policy"]["second_score_when_not_yet"] = json!(false);
    single
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

impl Scene {
    fn new() -> Scene {
        let app = TestApp::new();
        let district = app.district();
        for number in 0..3 {
            let email = format!("lead-{number}@example.org");
            app.seed(&district.id, &email, &["lead_assessor"]);
        }
        let family = district.publish(&single());
        Scene { app, district, family }
    }

    /// Signed in anew: tests move the clock.
    #[track_caller]
    fn lead(&self, number: usize) -> Person {
        self.app.sign_in(&format!("lead-{number}@example.org"))
    }

    #[track_caller]
    fn assessor(&self) -> Person {
        self.app.sign_in("assessor@example.org")
    }

    /// An empty set.
    #[track_caller]
    fn set(&self, kind: &str) -> String {
        let body = json!({ "micro_credential_id": self.family, "kind": kind, "title": kind });
        let set = self.lead(0).post("/api/v1/calibration-sets", &body).expect(201);
        assert_eq!(set["state"], "draft");
        format!("/api/v1/calibration-sets/{}", id_of(&set))
    }

    /// A published set of papers whose key is this level on every criterion.
    #[track_caller]
    fn keyed_set(&self, kind: &str, levels: &[u8]) -> String {
        keyed_set(&[self.lead(0), self.lead(1)], &self.family, kind, levels)
    }

    /// The modules that come before scoring.
    #[track_caller]
    fn do_modules(&self, person: &Person) {
        for module in ["bias", "conflicts"] {
            let path = format!("/api/v1/me/modules/{module}");
            person.put(&path, "\"0\"", &json!({})).expect(200);
        }
    }

    /// An assessor declares conflicts of interest for the only rubric, and accepts.
    #[track_caller]
    fn accept(&self, person: &Person) {
        let path = format!("/api/v1/assessors/{}", person.id);
        let own = person.get(&path).expect(200);
        let hash = &own["items"][0]["scoring_hash"];
        let body = json!({ "scoring_hash": hash, "conflicts_declared": true });
        person.post(&format!("{path}/accept"), &body).expect(200);
    }

    /// The same with the modules: ready for qualifying sets where no practice set is in use.
    #[track_caller]
    fn prepare(&self, person: &Person) {
        self.accept(person);
        self.do_modules(person);
    }

    /// The assessor has done the modules and passed a qualifying set.
    #[track_caller]
    fn qualify(&self, set: &str) {
        self.qualify_person(&self.assessor(), set);
    }

    #[track_caller]
    fn qualify_person(&self, person: &Person, set: &str) {
        self.prepare(person);
        let attempt = begin(person, set).expect(201);
        let finished = give(person, &attempt, |level| level).expect(200);
        assert_eq!(finished["state"], "passed", "{finished}");
    }
}

/// A set of two lead assessors, published: papers whose key is this level on every criterion.
#[track_caller]
fn keyed_set([one, other]: &[Person; 2], family: &str, kind: &str, levels: &[u8]) -> String {
    let body = json!({ "micro_credential_id": family, "kind": kind, "title": kind });
    let set = one.post("/api/v1/calibration-sets", &body).expect(201);
    let set = format!("/api/v1/calibration-sets/{}", id_of(&set));
    for level in levels {
        let added = one.post(&format!("{set}/papers"), &json!({ "work": work(*level) }));
        let paper = id_of(added.expect(201)["papers"].as_array().unwrap().last().unwrap());
        for lead in [one, other] {
            lead.post(&format!("{set}/papers/{paper}/keys"), &key(*level)).expect(201);
        }
    }
    one.act(&format!("{set}/publish")).expect(200);
    set
}

/// Work whose words say at which level it was made: a hint that only tests need.
fn work(level: u8) -> Value {
    let item =
        |id: &str| json!({ "requirement_id": id, "text": format!("What was shown, {level}.") });
    json!({
        "responses": { "q1": format!("We agreed, {level}."), "r1": "I will wait longer." },
        "evidence": [item("a1"), item("a2"), item("a3")],
    })
}

fn key(level: u8) -> Value {
    let line =
        |id: &&str| json!({ "criterion_id": id, "level": level, "rationale": "secret reason" });
    json!({ "levels": CRITERIA.iter().map(line).collect::<Vec<_>>() })
}

#[track_caller]
fn begin(assessor: &Person, set: &str) -> Answer {
    assessor.act(&format!("{set}/attempts"))
}

/// The level that a paper's work was made at.
fn made_at(work: &Value) -> u8 {
    let text = work["responses"]["q1"].as_str().unwrap();
    text.trim_start_matches("We agreed, ").trim_end_matches('.').parse().unwrap()
}

/// Scores every paper of an attempt by what its work was made at, and finishes.
#[track_caller]
fn give(assessor: &Person, attempt: &Value, level: impl Fn(u8) -> u8) -> Answer {
    let path = format!("/api/v1/calibration-attempts/{}", id_of(attempt));
    for paper in attempt["papers"].as_array().unwrap() {
        let given = level(made_at(&paper["work"]));
        let line = |id: &&str| json!({ "criterion_id": id, "level": given });
        let body = json!({ "scores": CRITERIA.iter().map(line).collect::<Vec<_>>() });
        let scores = format!("{path}/papers/{}/scores", id_of(paper));
        assessor.post(&scores, &body).expect(200);
    }
    assessor.act(&format!("{path}/finish"))
}

/// Scores a whole practice set as its key says.
#[track_caller]
fn finish_practice(assessor: &Person, set: &str) {
    let attempt = begin(assessor, set).expect(201);
    let finished = give(assessor, &attempt, |level| level).expect(200);
    assert_eq!(finished["state"], "done");
}
