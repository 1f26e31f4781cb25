//! The figures of a programme: counted as said, nothing small shown, and nothing small to be had by taking figures from one another.

mod attack;
mod printed;

use std::collections::BTreeMap;

use assay::service::cohorts::send_waiting;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{District, PASSWORD, Person, TestApp, complete_charter};

const SMALL_GROUP: &str = "mc-ia-small-group-support";
const AUDIENCES: [&str; 2] = ["instructional_assistant", "librarian"];

/// A district with an open programme and people who have come to different points of it.
struct Pilot {
    app: TestApp,
    district: District,
    /// The address of the programme.
    program: String,
    people: Vec<String>,
    /// Who may read everybody's work: of no school.
    readers: [Person; 3],
    /// Who decides where two readers differ.
    lead: Person,
}

/// How far somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Far {
    Declined,
    Invited,
    Enrolled,
    Started,
    Submitted,
    NotYet,
    EarnedSecond,
    Earned,
    Revoked,
}

/// Who comes how far: 40 invited, 30 enrolled.
fn plan() -> Vec<Far> {
    [
        (Far::Declined, 5),
        (Far::Invited, 5),
        (Far::Enrolled, 5),
        (Far::Started, 2),
        (Far::Submitted, 3),
        (Far::NotYet, 5),
        (Far::EarnedSecond, 2),
        (Far::Earned, 8),
        (Far::Revoked, 5),
    ]
    .into_iter()
    .flat_map(|(far, count)| std::iter::repeat_n(far, count))
    .collect()
}

impl Pilot {
    fn new(plan: &[Far]) -> Pilot {
        let app = TestApp::new();
        let district = app.district();
        let family = district.publish_small_group();
        let mut charter = complete_charter("pilot", &[SMALL_GROUP]);
        charter["cohorts"][0]["audience"] = json!(AUDIENCES);
        let id = district.open_program(&district.coordinator, &charter);
        let program = format!("/api/v1/programs/{id}");
        let people: Vec<String> = (0..plan.len()).map(|n| format!("p{n}@example.org")).collect();
        let rows: String = people
            .iter()
            .enumerate()
            .map(|(n, email)| {
                let audience = AUDIENCES[usize::from(n % 3 == 2)];
                let school = ["Willow", "Summit"][usize::from(n % 4 == 3)];
                format!("{email},Person {n},{audience},{school}\n")
            })
            .collect();
        let csv = format!("email,name,audience,school\n{rows}");
        let path = format!("{program}/cohorts/ia/invitations");
        let taken = district.coordinator.post(&path, &json!({ "csv": csv })).expect(200);
        assert_eq!(taken["new"], plan.len());
        app.resources.as_system(send_waiting).unwrap();
        app.send_mail();
        let readers = [0, 1, 0].map(|department: usize| {
            let name = format!("reader-{}@example.org", uuid::Uuid::now_v7());
            app.invite(&district.admin, &district.departments[department], &name, &["assessor"])
        });
        let lead = app.invite(
            &district.admin,
            &district.departments[1],
            "lead@example.org",
            &["lead_assessor"],
        );
        let pilot = Pilot { app, district, program, people, readers, lead };
        let tokens = pilot.tokens();
        let mut earners = Vec::new();
        for (email, far) in pilot.people.iter().zip(plan) {
            let token = &tokens[email];
            let anybody = pilot.app.anybody();
            match far {
                Far::Invited => continue,
                Far::Declined => {
                    let body = json!({ "token": token, "reason": "no_time" });
                    anybody.post("/api/v1/invitations/decline", &body).expect(204);
                    continue;
                }
                Far::Enrolled
                | Far::Started
                | Far::Submitted
                | Far::NotYet
                | Far::EarnedSecond
                | Far::Earned
                | Far::Revoked => {
                    let body = json!({ "token": token, "password": PASSWORD });
                    anybody.post("/api/v1/invitations/accept", &body).expect(200);
                    earners.push((pilot.app.sign_in(email), *far));
                }
            }
        }
        let mut ended = Vec::new();
        for (earner, far) in &earners {
            ended.push(pilot.go(earner, *far, &family));
        }
        // What readers could claim comes last, so that nobody does before the others' work is decided.
        for ((earner, _), path) in
            earners.iter().zip(ended).filter(|((_, far), _)| *far == Far::NotYet)
        {
            let body =
                json!({ "grounds": "scoring", "criteria": ["c4"], "statement": "It is there." });
            earner.post(&format!("{}/appeal", path.unwrap()), &body).expect(201);
        }
        for (earner, _) in earners.iter().filter(|(_, far)| *far == Far::Submitted) {
            pilot.district.submit(earner, &family);
        }
        pilot
    }

    /// Takes somebody so far. Returns the path of the first attempt, where it is decided.
    fn go(&self, earner: &Person, far: Far, family: &str) -> Option<String> {
        let district = &self.district;
        match far {
            Far::Declined | Far::Invited | Far::Enrolled | Far::Submitted => None,
            Far::Started => {
                district.fill(earner, family);
                None
            }
            Far::NotYet | Far::EarnedSecond => {
                let submission = district.submit(earner, family);
                let path = format!("/api/v1/submissions/{submission}");
                // A not-yet takes a second reader.
                district.score(&self.readers[0], -1);
                if far == Far::EarnedSecond {
                    // The two differ, and a third reading decides.
                    district.score(&self.readers[1], 0);
                    self.adjudicate();
                } else {
                    district.score(&self.readers[1], -1);
                }
                assert_eq!(earner.get(&path).expect(200)["decision"], "not_yet");
                if far == Far::EarnedSecond {
                    let next = earner.post(&format!("{path}/resubmit"), &json!({})).expect(201);
                    let next = format!("/api/v1/submissions/{}", next["id"].as_str().unwrap());
                    let etag = earner.get(&next).etag();
                    earner.patch(&next, &etag, &json!({ "integrity_statement": true })).expect(200);
                    earner.act(&format!("{next}/submit")).expect(200);
                    district.score(&self.readers[2], 0);
                    assert_eq!(earner.get(&next).expect(200)["decision"], "earned");
                }
                Some(path)
            }
            Far::Earned | Far::Revoked => {
                let submission = district.submit(earner, family);
                district.score(&self.readers[0], 0);
                let decided = earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
                let award = decided["award"]["id"].as_str().unwrap().to_owned();
                if far == Far::Revoked {
                    self.app.resources.as_system(assay::service::issuance::issue_pending).unwrap();
                    district.revoke(&award).expect(200);
                }
                let path = format!("/api/v1/submissions/{submission}");
                let rating = if far == Far::Earned { 4 } else { 3 };
                earner
                    .post(&format!("{path}/feedback-rating"), &json!({ "rating": rating }))
                    .expect(201);
                Some(path)
            }
        }
    }

    /// The third reading: every criterion in dispute below its pass level.
    fn adjudicate(&self) {
        let locked = self.district.score(&self.lead, -1);
        assert_eq!(locked["kind"], "adjudication");
    }

    /// The secret of each person's mail.
    fn tokens(&self) -> BTreeMap<String, String> {
        let mut tokens = BTreeMap::new();
        for entry in std::fs::read_dir(self.app.folder().join("mail")).unwrap() {
            let letter = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let Some((_, behind)) = letter.split_once("/invitations/accept#") else { continue };
            let token = behind.split(|c: char| c.is_whitespace() || c == '&').next().unwrap();
            let to = letter.lines().find(|line| line.starts_with("To: ")).unwrap();
            let email = self.people.iter().find(|email| to.contains(&format!("<{email}>")));
            if let Some(email) = email {
                tokens.insert(email.clone(), token.to_owned());
            }
        }
        tokens
    }

    #[track_caller]
    fn report(&self, by: &Person, query: &str) -> Value {
        by.get(&format!("{}/funnel?{query}", self.program)).expect(200)
    }
}

/// Numerators of a total or row by the id of the figure; none where it is not shown.
fn counts(part: &Value) -> BTreeMap<String, Option<u64>> {
    let figures = part["figures"].as_array().unwrap().iter();
    figures.map(|one| (one["id"].as_str().unwrap().to_owned(), one["numerator"].as_u64())).collect()
}

#[test]
fn every_figure_is_what_happened_counted_in_persons() {
    let plan = plan();
    let pilot = Pilot::new(&plan);
    let steward = pilot.app.seed(&pilot.district.id, "steward@example.org", &["data_steward"]);
    let exact = pilot.report(&steward, "exact=true");
    let at_least = |least: Far| plan.iter().filter(|far| **far >= least).count();
    let of = |wanted: &[Far]| plan.iter().filter(|far| wanted.contains(far)).count();
    let earned = of(&[Far::EarnedSecond, Far::Earned, Far::Revoked]);
    let expected = [
        ("invited", plan.len()),
        ("declined", of(&[Far::Declined])),
        ("enrolled", at_least(Far::Enrolled)),
        ("started", at_least(Far::Started)),
        ("submitted", at_least(Far::Submitted)),
        ("decided", at_least(Far::NotYet)),
        ("earned", earned),
        ("earned_first", of(&[Far::Earned, Far::Revoked])),
        ("live_award", of(&[Far::EarnedSecond, Far::Earned])),
        ("adjudicated", of(&[Far::EarnedSecond])),
        ("appealed", of(&[Far::NotYet])),
        ("rated", of(&[Far::Earned, Far::Revoked])),
        ("useful", of(&[Far::Earned])),
    ];
    let mut expected: BTreeMap<String, Option<u64>> = expected
        .into_iter()
        .map(|(id, count)| (id.to_owned(), Some(u64::try_from(count).unwrap())))
        .collect();
    // There is no file of the district: nothing is said of who stays, and not that nobody does.
    expected.extend([("followed_up".to_owned(), None), ("staying".to_owned(), None)]);
    assert_eq!(counts(&exact["total"]), expected);

    // The date, the words, the target, and what is left out stand beside each.
    assert!(exact["as_of"].as_str().unwrap().ends_with('Z'));
    let figures = exact["total"]["figures"].as_array().unwrap();
    let enrolment = figures.iter().find(|one| one["id"] == "enrolled").unwrap();
    assert_eq!((&enrolment["numerator"], &enrolment["denominator"]), (&json!(30), &json!(40)));
    assert_eq!((&enrolment["share_bp"], &enrolment["target"]), (&json!(7500), &json!(10)));
    assert_eq!(enrolment["denominator_is"], "persons who were invited");
    let useful = figures.iter().find(|one| one["id"] == "useful").unwrap();
    assert_eq!((&useful["denominator"], &useful["share_bp"]), (&json!(13), &json!(6153)));
    assert_eq!(exact["exclusions"][0]["reason"], "not_written_to_yet");
    assert_eq!(exact["exclusions"][0]["count"], 0);
    // Everything happened today.
    for stage in exact["total"]["stages"].as_array().unwrap() {
        assert_eq!((&stage["median"], &stage["percentile_90"]), (&json!(0), &json!(0)), "{stage}");
    }

    // What others see: the 2 who only began and the 3 who wait for a reader are no figure of their own.
    let seen = pilot.report(&pilot.district.coordinator, "");
    assert_eq!(seen["exact"], false);
    let shown = counts(&seen["total"]);
    for (id, value) in &shown {
        assert!(value.is_none() || *value == expected[id], "{id}");
        assert!(!value.is_some_and(|value| (1..5).contains(&value)), "{id}");
    }
    assert_eq!(
        (shown["invited"], shown["enrolled"], shown["earned"]),
        (Some(40), Some(30), Some(15))
    );
    assert_eq!((shown["started"], shown["earned_first"]), (None, None), "{shown:?}");
    let refused = pilot.district.coordinator.get(&format!("{}/funnel?exact=true", pilot.program));
    assert_eq!(refused.status, 403);
    assert_eq!(pilot.district.earner.get(&format!("{}/funnel", pilot.program)).status, 403);
    pilot.every_report_shows_the_same_and_nothing_small();
    pilot.days_are_working_days(&steward);
    printed::check(&pilot, &plan);
}

impl Pilot {
    /// Every filter in every form: the same cell has the same number everywhere, and no number of persons is small.
    fn every_report_shows_the_same_and_nothing_small(&self) {
        let by = &self.district.coordinator;
        let mut cells: BTreeMap<(String, String), String> = BTreeMap::new();
        let mut queries = vec!["".to_owned()];
        for (group, keys) in
            [("audience", AUDIENCES.map(str::to_owned)), ("school", self.district.schools.clone())]
        {
            queries.push(format!("by={group}"));
            queries.extend(keys.iter().map(|key| format!("by={group}&group={key}")));
        }
        let mut n_rows = 0;
        for query in &queries {
            let report = self.report(by, query);
            n_rows += report["rows"].as_array().unwrap().len();
            let csv = by.get(&format!("{}/funnel?{query}&format=csv", self.program));
            let csv = String::from_utf8(csv.bytes).unwrap();
            let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
            assert_eq!(lines[0][..5], ["group", "figure", "numerator", "denominator", "share_bp"]);
            let groups = 1 + report["rows"].as_array().unwrap().len();
            assert_eq!(lines.len(), 1 + groups * (15 + 4), "{query}");
            for line in &lines[1..] {
                let cell = (line[0].to_owned(), line[1].to_owned());
                let value = line[2..7].join(",");
                let known = cells.entry(cell).or_insert_with(|| value.clone());
                assert_eq!(*known, value, "{query}");
                assert!(!line[2].parse::<u64>().is_ok_and(|count| (1..5).contains(&count)));
            }
            // What stands in the table stands in the document.
            let parts: Vec<&Value> = std::iter::once(&report["total"])
                .chain(report["rows"].as_array().unwrap())
                .collect();
            for (part, chunk) in parts.iter().zip(lines[1..].chunks(19)) {
                for (figure, line) in part["figures"].as_array().unwrap().iter().zip(chunk) {
                    assert_eq!(figure["id"], line[1]);
                    let text = figure["numerator"].as_u64().map(|n| n.to_string());
                    assert_eq!(text.unwrap_or_default(), line[2]);
                }
            }
            let svg = by.get(&format!("{}/funnel?{query}&format=svg", self.program));
            assert_eq!(svg.headers["content-type"], "image/svg+xml");
            let svg = String::from_utf8(svg.bytes).unwrap();
            assert!(svg.starts_with("<svg") && svg.contains("30 of 40"), "{query}");
        }
        assert_eq!(n_rows, 2 + 2 + 4, "the groups are large enough to be told apart");
        // No two filters at once, and no cross of them.
        for query in ["by=audience&school=x", "by=cohort", "format=pdf"] {
            let answer = by.get(&format!("{}/funnel?{query}", self.program));
            assert_eq!(answer.status, 422, "{query}");
        }
        let none = self.report(by, "by=school&group=nowhere");
        assert_eq!(none["rows"], json!([]));
    }

    /// Somebody who takes part a week later has taken as many days as somebody worked.
    fn days_are_working_days(&self, steward: &Person) {
        let tokens = self.tokens();
        self.app.advance(TimeDelta::days(7));
        for email in &self.people[5..10] {
            let body = json!({ "token": tokens[email], "password": PASSWORD });
            self.app.anybody().post("/api/v1/invitations/accept", &body).expect(200);
        }
        let steward = self.app.sign_in(&steward.email);
        let exact = self.report(&steward, "exact=true");
        let stages = exact["total"]["stages"].as_array().unwrap();
        let enrol = stages.iter().find(|stage| stage["id"] == "invited_to_enrolled").unwrap();
        // 30 on the first day, 5 after a week: the 18th and the 32nd of 35.
        assert_eq!(
            (&enrol["n"], &enrol["median"], &enrol["percentile_90"]),
            (&json!(35), &json!(0), &json!(5))
        );
    }
}
