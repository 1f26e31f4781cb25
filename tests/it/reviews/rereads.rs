//! Work that is read again after its decision, to watch over those who score alone.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{claim, claimed, nothing_to_claim, path_of, recuse, refused};
use crate::harness::{Answer, District, Person, TestApp, definition};

/// A district whose definition has everything read again that one reader decides.
struct Stage {
    app: TestApp,
    district: District,
    /// Of no school, like the lead: readers of one school are never put together.
    second: Person,
    lead: Person,
    family: String,
}

fn stage() -> Stage {
    let app = TestApp::new();
    let district = app.district();
    let second = app.invite(&district.admin, &district.id, "second@example.org", &["assessor"]);
    let lead = app.invite(&district.admin, &district.id, "lead@example.org", &["lead_assessor"]);
    let mut always = definition("mc-ia-small-group-support");
    always["id"] = json!("mc-read-again");
    always["review_policy"]["backread_share_bp"] = json!(10_000);
    let family = district.publish(&always);
    Stage { app, district, second, lead, family }
}

impl Stage {
    /// A submission that the first assessor has decided as earned.
    fn decided(&self) -> String {
        let (submission, _) = self.district.award(&self.district.earner, &self.family);
        submission
    }

    fn own(&self, submission: &str) -> Value {
        let earner = self.app.sign_in("earner@example.org");
        let mut own = earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
        // Links to what an award has carry times of their own.
        own["award"].take();
        own
    }

    fn listed(&self) -> Value {
        self.lead.get("/api/v1/queue/rereads").expect(200)["items"].clone()
    }
}

/// Locks a sheet at the pass levels, but for one criterion below its own.
#[track_caller]
fn lock(person: &Person, claimed: &Answer, below: Option<&str>) -> Value {
    let mut sheet = District::sheet(&claimed.json, 0);
    for line in sheet["scores"].as_array_mut().unwrap() {
        if below.is_some_and(|id| line["criterion_id"] == id) {
            line["level"] = json!(line["level"].as_i64().unwrap() - 1);
            line["feedback"] = json!("Say how you checked.");
        }
    }
    let path = path_of(&claimed.json);
    person.put(&format!("{path}/scores"), &claimed.etag(), &sheet).expect(200);
    person.act(&format!("{path}/lock")).expect(200)
}

#[test]
fn backread_that_agrees_is_noted_and_changes_nothing() {
    let stage = stage();
    let id = stage.decided();
    let before = stage.own(&id);
    let waiting = stage.listed();
    assert_eq!(waiting.as_array().unwrap().len(), 1);
    assert_eq!(waiting[0]["submission_id"], id.as_str());
    assert_eq!(waiting[0]["assessor_id"], stage.district.assessor.id.as_str());
    assert_eq!(waiting[0]["reason"], "backread");
    assert_eq!(waiting[0]["is_decisive"], true);
    assert_eq!(waiting[0]["differing"], Value::Null);
    nothing_to_claim(&stage.district.assessor);
    nothing_to_claim(&stage.lead);
    let claimed = claimed(&stage.second, &id);
    nothing_to_claim(&stage.second);
    assert_eq!(lock(&stage.second, &claimed, None)["is_decided"], true);
    assert_eq!(stage.listed()[0]["differing"], json!([]));
    assert_eq!(stage.own(&id), before, "a check on an assessor is not the earner's business");
    nothing_to_claim(&stage.second);
    stage.app.audit_events();
}

#[test]
fn backread_that_differs_is_shown_to_lead_assessors_and_changes_nothing() {
    let stage = stage();
    let id = stage.decided();
    let before = stage.own(&id);
    let claimed = claimed(&stage.second, &id);
    assert_eq!(lock(&stage.second, &claimed, Some("c4"))["is_decided"], false);
    assert_eq!(stage.listed()[0]["differing"], json!(["c4"]));
    assert_eq!(stage.own(&id), before);
    // The pair counts as any two readings do.
    let report = format!("/api/v1/reports/agreement?micro_credential_id={}", stage.family);
    let report = stage.lead.get(&report).expect(200);
    assert_eq!(report["decision"]["n"], 1, "{report}");
    assert_eq!(report["decision"]["count"], 0, "{report}");
    // Nobody adjudicates what is decided.
    nothing_to_claim(&stage.lead);
}

#[test]
fn reader_of_a_backread_cannot_tell_it_from_live_work() {
    let stage = stage();
    let id = stage.decided();
    let other = stage.app.invite(
        &stage.district.admin,
        &stage.district.schools[0],
        "e2@example.org",
        &["earner"],
    );
    stage.app.advance(TimeDelta::days(40));
    let live = stage.district.submit(&stage.app.sign_in("e2@example.org"), &stage.family);
    assert_eq!(other.id.len(), 36);
    let second = stage.app.sign_in("second@example.org");
    let first = claim(&second);
    assert_eq!(first.json["submission_id"], live.as_str(), "an earner who waits comes first");
    let again = claimed(&second, &id);
    let shape =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(shape(&first.json), shape(&again.json));
    for name in ["kind", "state", "title"] {
        assert_eq!(first.json[name], again.json[name], "{name}");
    }
    assert_eq!(shape(&first.json["work"]), shape(&again.json["work"]));
    let due = |answer: &Answer| -> DateTime<Utc> {
        answer.json["due_at"].as_str().unwrap().parse().unwrap()
    };
    // Taken within the same minute, so on the same day but for midnight and a weekend after it; the earner's own day was long ago.
    let apart = (due(&first) - due(&again)).abs();
    assert!(apart <= TimeDelta::days(3), "{} {}", due(&first), due(&again));
    let headers = |answer: &Answer| {
        let mut names: Vec<String> = answer.headers.keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(headers(&first), headers(&again));
}

#[test]
fn seat_of_a_backread_is_free_again_after_stepping_back_and_after_the_lease() {
    let stage = stage();
    let id = stage.decided();
    let first = claimed(&stage.second, &id);
    recuse(&stage.second, &first.json);
    nothing_to_claim(&stage.second);
    stage.app.invite(&stage.district.admin, &stage.district.id, "third@example.org", &["assessor"]);
    let third = stage.app.sign_in("third@example.org");
    claimed(&third, &id);
    stage.app.advance(TimeDelta::hours(73));
    let fourth = stage.app.invite(
        &stage.app.admin(),
        &stage.district.id,
        "fourth@example.org",
        &["assessor"],
    );
    let claimed = claimed(&fourth, &id);
    lock(&fourth, &claimed, None);
    assert_eq!(
        stage.app.sign_in("lead@example.org").get("/api/v1/queue/rereads").expect(200)["items"][0]
            ["differing"],
        json!([])
    );
}

#[test]
fn reading_again_stops_for_an_appeal() {
    let stage = stage();
    let mut alone = definition("mc-ia-small-group-support");
    alone["id"] = json!("mc-alone");
    alone["review_policy"]["backread_share_bp"] = json!(10_000);
    alone["review_policy"]["second_score_when_not_yet"] = json!(false);
    let family = stage.district.publish(&alone);
    let id = stage.district.submit(&stage.district.earner, &family);
    stage.district.score(&stage.district.assessor, -1);
    let claimed = claimed(&stage.second, &id);
    let appeal =
        json!({ "grounds": "scoring", "statement": "Item two shows it.", "criteria": ["c4"] });
    stage.district.earner.post(&format!("/api/v1/submissions/{id}/appeal"), &appeal).expect(201);
    let path = path_of(&claimed.json);
    refused(&stage.second.act(&format!("{path}/lock")), &[]);
    // Whoever has had it on the table is no fresh reader.
    nothing_to_claim(&stage.second);
}
