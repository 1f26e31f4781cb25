//! What happens: forty people are invited, thirty take part, and the days pass.

use std::collections::BTreeMap;

use assay::service::{cohorts, issuance};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{District, PASSWORD, Person, TestApp, complete_charter, definition};

const SMALL_GROUP: &str = "mc-ia-small-group-support";
pub const AUDIENCES: [&str; 2] = ["instructional_assistant", "librarian"];
pub const SCHOOLS: [&str; 2] = ["Willow", "Summit"];

/// How somebody's story goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Declines,
    IsSilent,
    Enrols,
    Starts,
    /// Hands in on the last day, and waits.
    Waits,
    NotYet,
    /// Appeals, and the panel lets the decision stand.
    AppealsInVain,
    /// Appeals, and two fresh readers see it otherwise.
    AppealsAndEarns,
    EarnsAtSecond,
    /// The readers differ, and the third one sees enough.
    EarnsByThird,
    /// The readers differ, and the third one does not.
    NotYetByThird,
    Earns,
    /// Is sent back first, because something is missing.
    ReturnedAndEarns,
    EarnsAndIsRevoked,
}

/// Forty people: thirty take part.
fn plan() -> Vec<Way> {
    let counts = [
        (Way::Declines, 5),
        (Way::IsSilent, 5),
        (Way::Enrols, 3),
        (Way::Starts, 2),
        (Way::Waits, 3),
        (Way::NotYet, 2),
        (Way::AppealsInVain, 1),
        (Way::AppealsAndEarns, 1),
        (Way::EarnsAtSecond, 3),
        (Way::EarnsByThird, 2),
        (Way::NotYetByThird, 1),
        (Way::Earns, 10),
        (Way::ReturnedAndEarns, 1),
        (Way::EarnsAndIsRevoked, 1),
    ];
    counts.into_iter().flat_map(|(way, count)| std::iter::repeat_n(way, count)).collect()
}

/// One row of the list.
#[derive(Clone, Debug)]
pub struct Row {
    pub email: String,
    pub audience: String,
    pub school: String,
}

/// A pilot that has been played.
pub struct Pilot {
    pub app: TestApp,
    pub district: District,
    pub charter: Value,
    /// The address of the programme.
    pub program: String,
    /// The list that was handed in, by address.
    pub list: BTreeMap<String, Row>,
    readers: [String; 4],
    /// The id of the one micro-credential.
    pub family: String,
}

fn list_of(plan: &[Way]) -> Vec<Row> {
    (0..plan.len())
        .map(|n| Row {
            email: format!("p{n}@example.org"),
            audience: AUDIENCES[usize::from(n % 3 == 2)].to_owned(),
            school: SCHOOLS[usize::from(n % 4 == 3)].to_owned(),
        })
        .collect()
}

impl Pilot {
    /// Plays everything, through the API. Only the worker's own steps are taken by hand.
    pub fn play() -> Pilot {
        let app = TestApp::new();
        let district = app.district();
        let mut small_group = definition(SMALL_GROUP);
        small_group["review_policy"]["mode"] = json!("double_blind");
        small_group["review_policy"]["backread_share_bp"] = json!(0);
        let family = district.publish(&small_group);
        let invite = |email: &str, department: usize, role: &str| {
            app.invite(&district.admin, &district.departments[department], email, &[role]);
            email.to_owned()
        };
        let readers =
            [0, 1, 2, 3].map(|n| invite(&format!("reader-{n}@example.org"), n % 2, "assessor"));
        invite("lead@example.org", 1, "lead_assessor");
        app.invite(&district.admin, &district.id, "screener@example.org", &["pre_screener"]);
        for n in 0..3 {
            let email = format!("panel-{n}@example.org");
            app.invite(&district.admin, &district.id, &email, &["review_panel"]);
        }
        let mut charter = complete_charter("pilot", &[SMALL_GROUP]);
        charter["cohorts"][0]["audience"] = json!(AUDIENCES);
        let id = district.open_program(&district.coordinator, &charter);
        let program = format!("/api/v1/programs/{id}");
        let plan = plan();
        let rows = list_of(&plan);
        let list = rows.iter().map(|row| (row.email.clone(), row.clone())).collect();
        let pilot = Pilot { app, district, charter, program, list, readers, family };
        pilot.invite(&rows);
        pilot.answer(&rows, &plan);
        pilot.days(1);
        let of = |wanted: Way| rows.iter().zip(&plan).filter(move |(_, way)| **way == wanted);
        for (row, _) in of(Way::Starts) {
            pilot.district.fill(&pilot.by(&row.email), &pilot.family);
            pilot.days(2);
        }
        for (n, (row, way)) in rows.iter().zip(&plan).enumerate() {
            pilot.work(n, &row.email, *way);
        }
        for (row, _) in of(Way::Waits) {
            pilot.district.submit(&pilot.by(&row.email), &pilot.family);
        }
        pilot.app.resources.as_system(issuance::issue_pending).unwrap();
        pilot
    }

    /// Somebody, signed in now: a session does not last for days.
    pub fn by(&self, email: &str) -> Person {
        self.app.sign_in(email)
    }

    fn days(&self, days: i64) {
        self.app.advance(TimeDelta::days(days));
    }

    fn invite(&self, rows: &[Row]) {
        let rows: String = rows
            .iter()
            .map(|row| format!("{},Somebody,{},{}\n", row.email, row.audience, row.school))
            .collect();
        let csv = json!({ "csv": format!("email,name,audience,school\n{rows}") });
        let path = format!("{}/cohorts/ia/invitations", self.program);
        let taken = self.by("coordinator@example.org").post(&path, &csv).expect(200);
        assert_eq!(taken["new"], 40);
        self.app.resources.as_system(cohorts::send_waiting).unwrap();
        self.app.send_mail();
    }

    /// The secret in each person's mail.
    fn tokens(&self) -> BTreeMap<String, String> {
        let mut tokens = BTreeMap::new();
        for entry in std::fs::read_dir(self.app.folder().join("mail")).unwrap() {
            let letter = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let Some((_, behind)) = letter.split_once("/invitations/accept#") else { continue };
            let token = behind.split(|c: char| c.is_whitespace() || c == '&').next().unwrap();
            let to = letter.lines().find(|line| line.starts_with("To: ")).unwrap();
            if let Some(email) = self.list.keys().find(|email| to.contains(&format!("<{email}>"))) {
                tokens.insert(email.clone(), token.to_owned());
            }
        }
        tokens
    }

    /// Who answers does so on the second day, the fourth, or over the weekend after.
    fn answer(&self, rows: &[Row], plan: &[Way]) {
        let tokens = self.tokens();
        for turn in 0..3 {
            self.days([1, 2, 4][turn]);
            let answers = rows.iter().zip(plan).enumerate().filter(|(n, _)| n % 3 == turn);
            for (_, (row, way)) in answers {
                let token = &tokens[&row.email];
                match way {
                    Way::IsSilent => {}
                    Way::Declines => {
                        let body = json!({ "token": token, "reason": "not_now" });
                        let anybody = self.app.anybody();
                        anybody.post("/api/v1/invitations/decline", &body).expect(204);
                    }
                    Way::Enrols
                    | Way::Starts
                    | Way::Waits
                    | Way::NotYet
                    | Way::AppealsInVain
                    | Way::AppealsAndEarns
                    | Way::EarnsAtSecond
                    | Way::EarnsByThird
                    | Way::NotYetByThird
                    | Way::Earns
                    | Way::ReturnedAndEarns
                    | Way::EarnsAndIsRevoked => {
                        let body = json!({ "token": token, "password": PASSWORD });
                        let anybody = self.app.anybody();
                        anybody.post("/api/v1/invitations/accept", &body).expect(200);
                    }
                }
            }
        }
    }

    /// Everything that somebody hands in, and what becomes of it.
    fn work(&self, n: usize, email: &str, way: Way) {
        let levels = match way {
            Way::Declines | Way::IsSilent | Way::Enrols | Way::Starts | Way::Waits => return,
            Way::NotYet | Way::AppealsInVain | Way::AppealsAndEarns | Way::EarnsAtSecond => {
                [Some(-1), Some(-1), None]
            }
            Way::EarnsByThird => [Some(-1), Some(0), Some(0)],
            Way::NotYetByThird => [Some(0), Some(-1), Some(-1)],
            Way::Earns | Way::ReturnedAndEarns | Way::EarnsAndIsRevoked => [Some(0), Some(0), None],
        };
        let submission = self.district.fill(&self.by(email), &self.family);
        let path = format!("/api/v1/submissions/{submission}");
        self.days(i64::from(n.is_multiple_of(3)));
        self.by(email).act(&format!("{path}/submit")).expect(200);
        self.days(if n.is_multiple_of(4) { 2 } else { 0 });
        if way == Way::ReturnedAndEarns {
            self.send_back(email, &path);
        }
        self.read(n, &path, levels);
        let decision = self.by(email).get(&path).expect(200)["decision"].clone();
        assert_eq!(
            decision,
            if levels.contains(&Some(-1)) && way != Way::EarnsByThird {
                "not_yet"
            } else {
                "earned"
            }
        );
        if n.is_multiple_of(2) {
            let rating = json!({ "rating": 2 + n % 4 });
            self.by(email).post(&format!("{path}/feedback-rating"), &rating).expect(201);
        }
        match way {
            Way::AppealsInVain => self.appeal(n, email, &path, -1),
            Way::AppealsAndEarns => self.appeal(n, email, &path, 0),
            Way::EarnsAtSecond => self.try_again(n, email, &path),
            Way::EarnsAndIsRevoked => self.revoke(email, &path),
            Way::Declines
            | Way::IsSilent
            | Way::Enrols
            | Way::Starts
            | Way::Waits
            | Way::NotYet
            | Way::EarnsByThird
            | Way::NotYetByThird
            | Way::Earns
            | Way::ReturnedAndEarns => {}
        }
    }

    fn screen(&self, path: &str, body: &Value) {
        self.by("screener@example.org").post(&format!("{path}/screening"), body).expect(200);
    }

    /// Something is missing; it is added a day later.
    fn send_back(&self, email: &str, path: &str) {
        let items = json!([{ "requirement_id": "a1", "reason": "The second page is missing." }]);
        self.screen(path, &json!({ "complete": false, "items": items }));
        self.days(1);
        let earner = self.by(email);
        let item = json!({ "requirement_id": "a3", "text": "Both pages." });
        earner.post(&format!("{path}/evidence"), &item).expect(201);
        earner.act(&format!("{path}/submit")).expect(200);
    }

    /// Screening, two readings by people who have not met the work, and a third one where they differ.
    fn read(&self, n: usize, path: &str, levels: [Option<i64>; 3]) {
        self.screen(path, &json!({ "complete": true, "items": [] }));
        let [first, second, third] = levels;
        self.score(&self.readers[n % 4], path, first.unwrap());
        self.days(if n.is_multiple_of(5) { 3 } else { 0 });
        self.score(&self.readers[(n + 1) % 4], path, second.unwrap());
        if let Some(offset) = third {
            self.days(1);
            self.score("lead@example.org", path, offset);
        }
    }

    /// Claims what waits, which is this, and scores what the sheet covers.
    fn score(&self, email: &str, path: &str, offset: i64) {
        let reader = self.by(email);
        let claimed = reader.post("/api/v1/reviews/claim", &json!({}));
        let etag = claimed.etag();
        let review = claimed.expect(201);
        assert!(path.ends_with(review["submission_id"].as_str().unwrap()));
        let mut sheet = District::sheet(&review, offset);
        let covered = review["criterion_ids"].as_array().unwrap();
        let lines = sheet["scores"].as_array_mut().unwrap();
        lines.retain(|line| covered.contains(&line["criterion_id"]));
        let id = review["id"].as_str().unwrap();
        reader.put(&format!("/api/v1/reviews/{id}/scores"), &etag, &sheet).expect(200);
        reader.act(&format!("/api/v1/reviews/{id}/lock")).expect(200);
    }

    /// Two fresh readers score what is disputed, and three decide.
    fn appeal(&self, n: usize, email: &str, path: &str, offset: i64) {
        self.days(5);
        let public = self
            .app
            .anybody()
            .get(&format!("/api/v1/micro-credentials/{}", self.family))
            .expect(200);
        let criteria = public["definition"]["submission"]["part2"]["criteria"].as_array().unwrap();
        let ids: Vec<&Value> = criteria.iter().map(|criterion| &criterion["id"]).collect();
        let body = json!({ "grounds": "scoring", "criteria": ids, "statement": "It is there." });
        let own = self.by(email).post(&format!("{path}/appeal"), &body).expect(201);
        let case = format!("/api/v1/cases/{}", own["cases"][0]["id"].as_str().unwrap());
        for fresh in [2, 3] {
            self.score(&self.readers[(n + fresh) % 4], path, offset);
        }
        self.days(2);
        let word = if offset < 0 { "uphold" } else { "rescore" };
        for panel in 0..3 {
            let vote = json!({ "vote": word, "reasons": "By what the plan says." });
            let member = self.by(&format!("panel-{panel}@example.org"));
            member.post(&format!("{case}/votes"), &vote).expect(201);
        }
        let decided = self.by(email).get(path).expect(200);
        let expected = if offset < 0 { "not_yet" } else { "earned" };
        assert_eq!([&decided["state"], &decided["decision"]], ["decided", expected]);
    }

    /// The next attempt, with the same work in better words.
    fn try_again(&self, n: usize, email: &str, path: &str) {
        self.days(4);
        let next = self.by(email).post(&format!("{path}/resubmit"), &json!({})).expect(201);
        let next = format!("/api/v1/submissions/{}", next["id"].as_str().unwrap());
        self.days(3);
        let earner = self.by(email);
        let etag = earner.get(&next).etag();
        earner.patch(&next, &etag, &json!({ "integrity_statement": true })).expect(200);
        earner.act(&format!("{next}/submit")).expect(200);
        self.read(n + 2, &next, [Some(0), Some(0), None]);
        assert_eq!(self.by(email).get(&next).expect(200)["decision"], "earned");
    }

    fn revoke(&self, email: &str, path: &str) {
        self.app.resources.as_system(issuance::issue_pending).unwrap();
        self.days(2);
        let award = self.by(email).get(path).expect(200)["award"]["id"].clone();
        let body = json!({ "reason_code": "issued_in_error", "note": "The wrong person." });
        let path = format!("/api/v1/awards/{}/revoke", award.as_str().unwrap());
        self.by("officer@example.org").post(&path, &body).expect(200);
    }
}
