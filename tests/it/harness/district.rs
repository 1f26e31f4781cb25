//! A district with everybody in it, and the steps of the main job.

use serde_json::{Value, json};

use super::{Answer, Person, TestApp};

/// The shipped definition of this id, but nothing is read again by chance: tests say who reads what.
pub fn definition(id: &str) -> Value {
    let path = format!("{}/credential-schemas/definitions/{id}.json", env!("CARGO_MANIFEST_DIR"));
    let mut shipped: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    if let Some(share) = shipped["review_policy"].get_mut("backread_share_bp") {
        *share = json!(0);
    }
    shipped
}

/// The shipped charter under another id, with everything that the team of the example still had to decide.
pub fn complete_charter(id: &str, definitions: &[&str]) -> Value {
    let path = format!(
        "{}/credential-schemas/charters/pilot-charter-example.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut charter: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    charter["id"] = json!(id);
    charter["ai_use"] = json!("disclosed");
    let opens_on = super::real_time().date_naive();
    let closes_on = opens_on + chrono::TimeDelta::days(200);
    charter["window"] =
        json!({ "opens_on": opens_on.to_string(), "closes_on": closes_on.to_string() });
    charter["design_team"]["publish_rule"]["approvals"] = json!(2);
    for cohort in charter["cohorts"].as_array_mut().unwrap() {
        cohort["definitions"] = json!(definitions);
    }
    for metric in charter["metrics"].as_array_mut().unwrap() {
        let is_share = metric.get("numerator").is_some();
        metric[if is_share { "target_bp" } else { "target" }] = json!(10);
    }
    for message in charter["communications"].as_array_mut().unwrap() {
        message["text"] = json!("You are invited to show what you do well.");
    }
    charter["decisions"] = json!([{
        "id": "waiver",
        "kind": "same_district_waiver",
        "decision": "Assessors of the district score one another's work.",
        "reason": "There is no other district yet.",
        "compensations": ["second_score_on_not_yet", "backread_one_in_ten", "cross_department"],
    }]);
    charter
}

/// A district: two departments, two schools, one person for each role.
pub struct District {
    /// The district.
    pub id: String,
    /// Two departments.
    pub departments: [String; 2],
    /// Two schools.
    pub schools: [String; 2],
    /// Manages people.
    pub admin: Person,
    /// Invites.
    pub coordinator: Person,
    /// Issues and revokes.
    pub officer: Person,
    /// Holds the keys.
    pub custodian: Person,
    /// Reads the trail.
    pub auditor: Person,
    /// One of each department.
    pub designers: [Person; 2],
    /// Of the second school.
    pub assessor: Person,
    /// Of the first school.
    pub earner: Person,
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

impl TestApp {
    /// Adds an organization.
    #[track_caller]
    pub fn organization(&self, by: &Person, parent: &str, name: &str, kind: &str) -> String {
        let body = json!({ "name": name, "kind": kind, "parent_id": parent });
        id_of(&by.post("/api/v1/organizations", &body).expect(201))
    }

    /// The first district with everybody in it.
    #[track_caller]
    pub fn district(&self) -> District {
        let admin = self.admin();
        let id = admin.get("/api/v1/me").expect(200)["memberships"][0]["organization_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let departments = ["Teaching", "Inclusion"]
            .map(|name| self.organization(&admin, &id, name, "department"));
        let schools =
            ["Willow", "Summit"].map(|name| self.organization(&admin, &id, name, "school"));
        District {
            coordinator: self.invite(&admin, &id, "coordinator@example.org", &["coordinator"]),
            officer: self.invite(&admin, &id, "officer@example.org", &["issuing_officer"]),
            custodian: self.invite(&admin, &id, "custodian@example.org", &["key_custodian"]),
            auditor: self.invite(&admin, &id, "auditor@example.org", &["auditor"]),
            designers: [
                self.invite(&admin, &departments[0], "designer-0@example.org", &["designer"]),
                self.invite(&admin, &departments[1], "designer-1@example.org", &["designer"]),
            ],
            assessor: self.invite(&admin, &schools[1], "assessor@example.org", &["assessor"]),
            earner: self.invite(&admin, &schools[0], "earner@example.org", &["earner"]),
            id,
            departments,
            schools,
            admin,
        }
    }
}

impl District {
    /// Drafts, approves twice and publishes a definition. Returns the micro-credential's id.
    #[track_caller]
    pub fn publish(&self, definition: &Value) -> String {
        let [author, colleague] = &self.designers;
        let body = json!({ "organization_id": self.id, "definition": definition });
        let id = id_of(&author.post("/api/v1/micro-credentials", &body).expect(201));
        let version = format!("/api/v1/micro-credentials/{id}/versions/1");
        for designer in [author, colleague] {
            designer
                .post(&format!("{version}/approvals"), &json!({ "approve": true, "comment": "" }))
                .expect(201);
        }
        author.act(&format!("{version}/publish")).expect(200);
        let rules = definition["review_policy"]["coi"].as_array();
        if rules.is_some_and(|rules| rules.contains(&json!("same_district"))) {
            self.waive_same_district();
        }
        id
    }

    /// Starts, rehearses, approves and opens a programme. Returns its id.
    #[track_caller]
    pub fn open_program(&self, by: &Person, charter: &Value) -> String {
        let body = json!({ "organization_id": self.id, "charter": charter });
        let id = id_of(&by.post("/api/v1/programs", &body).expect(201));
        let program = format!("/api/v1/programs/{id}");
        let reason = json!({ "reason": "The team is ready." });
        by.post(&format!("{program}/rehearse"), &reason).expect(200);
        for designer in &self.designers {
            designer
                .post(&format!("{program}/approvals"), &json!({ "approve": true, "comment": "" }))
                .expect(201);
        }
        by.post(&format!("{program}/open"), &reason).expect(200);
        id
    }

    /// Records the group decision that lets assessors of the district score one another's work.
    #[track_caller]
    pub fn waive_same_district(&self) {
        let path = format!("/api/v1/organizations/{}/same-district-waiver", self.id);
        let etag = self.admin.get(&path).etag();
        let ends_at = (super::real_time() + chrono::TimeDelta::days(700)).to_rfc3339();
        let deciders: Vec<&str> =
            self.designers.iter().map(|designer| designer.id.as_str()).collect();
        let body = json!({ "reason": "A pilot in one district.", "deciders": deciders, "ends_at": ends_at });
        self.admin.put(&path, &etag, &body).expect(200);
    }

    /// The micro-credential that one reader decides when it is earned.
    #[track_caller]
    pub fn publish_small_group(&self) -> String {
        self.publish(&definition("mc-ia-small-group-support"))
    }

    /// Starts a submission and fills everything that is required: texts for the prompts, a text for each evidence requirement.
    #[track_caller]
    pub fn fill(&self, earner: &Person, family: &str) -> String {
        let started =
            earner.post(&format!("/api/v1/micro-credentials/{family}/submissions"), &json!({}));
        let etag = started.etag();
        let started = started.expect(201);
        let id = id_of(&started);
        let public = earner.get(&format!("/api/v1/micro-credentials/{family}")).expect(200);
        let submission = &public["definition"]["submission"];
        let mut responses = serde_json::Map::new();
        for part in ["part1", "part3"] {
            for prompt in submission[part]["prompts"].as_array().into_iter().flatten() {
                responses.insert(
                    prompt["id"].as_str().unwrap().to_owned(),
                    json!("We agreed on roles and a signal."),
                );
            }
        }
        let patch = json!({ "responses": responses, "integrity_statement": true });
        earner.patch(&format!("/api/v1/submissions/{id}"), &etag, &patch).expect(200);
        for requirement in submission["part2"]["evidence"].as_array().unwrap() {
            let item = json!({ "requirement_id": requirement["id"], "text": "What was shown, in plain words." });
            earner.post(&format!("/api/v1/submissions/{id}/evidence"), &item).expect(201);
        }
        id
    }

    /// A submission that is handed in.
    #[track_caller]
    pub fn submit(&self, earner: &Person, family: &str) -> String {
        let id = self.fill(earner, family);
        earner.act(&format!("/api/v1/submissions/{id}/submit")).expect(200);
        id
    }

    /// A sheet with every criterion and prompt of a review at its pass level plus `offset`.
    pub fn sheet(review: &Value, offset: i64) -> Value {
        let submission = &review["work"]["definition"]["submission"];
        let mut scores = Vec::new();
        for part in ["part1", "part3"] {
            for prompt in submission[part]["prompts"].as_array().into_iter().flatten() {
                scores.push(
                    json!({ "criterion_id": prompt["id"], "level": 1, "feedback": "Clear." }),
                );
            }
        }
        for criterion in submission["part2"]["criteria"].as_array().unwrap() {
            let level = criterion["pass_level"].as_i64().unwrap() + offset;
            scores.push(json!({ "criterion_id": criterion["id"], "level": level, "feedback": "Say how you checked." }));
        }
        json!({ "scores": scores, "overall_feedback": "You wait until each learner has spoken." })
    }

    /// Claims what waits, scores it at the pass level plus `offset` and locks. Returns the locked review.
    #[track_caller]
    pub fn score(&self, assessor: &Person, offset: i64) -> Value {
        let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
        let etag = claimed.etag();
        let review = claimed.expect(201);
        let path = format!("/api/v1/reviews/{}", id_of(&review));
        assessor
            .put(&format!("{path}/scores"), &etag, &District::sheet(&review, offset))
            .expect(200);
        assessor.act(&format!("{path}/lock")).expect(200)
    }

    /// Claims, scores and locks: these at level 0 with these words, everything else at its pass level. Returns the review as it was
    /// claimed and as it was locked.
    #[track_caller]
    pub fn score_below(assessor: &Person, below: &[&str], words: &str) -> [Value; 2] {
        let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
        let etag = claimed.etag();
        let review = claimed.expect(201);
        let mut sheet = District::sheet(&review, 0);
        for line in sheet["scores"].as_array_mut().unwrap() {
            if below.iter().any(|id| line["criterion_id"] == *id) {
                line["level"] = json!(0);
                line["feedback"] = json!(words);
            }
        }
        let path = format!("/api/v1/reviews/{}", id_of(&review));
        assessor.put(&format!("{path}/scores"), &etag, &sheet).expect(200);
        let locked = assessor.act(&format!("{path}/lock")).expect(200);
        [review, locked]
    }

    /// The whole way to an award: returns the submission and the award.
    #[track_caller]
    pub fn award(&self, earner: &Person, family: &str) -> (String, String) {
        let submission = self.submit(earner, family);
        self.score(&self.assessor, 0);
        let decided = earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
        assert_eq!(decided["decision"], "earned", "{decided}");
        (submission, id_of(&decided["award"]))
    }

    /// Revokes an award.
    #[track_caller]
    pub fn revoke(&self, award: &str) -> Answer {
        let body = json!({ "reason_code": "issued_in_error", "note": "decided by the panel" });
        self.officer.post(&format!("/api/v1/awards/{award}/revoke"), &body)
    }
}
