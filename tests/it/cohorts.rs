//! The rules of people of a programme: lists by CSV, one invitee however often invited, answers, printed codes, days of one's own.

mod arrangements;
mod sending;
mod stays;

use std::collections::BTreeMap;

use assay::domain::cohort::RowFault;
use assay::service::cohorts::send_waiting;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, District, PASSWORD, Person, TestApp, complete_charter};

const SMALL_GROUP: &str = "mc-ia-small-group-support";
const AUDIENCE: &str = "instructional_assistant";

/// A district with an open programme.
struct Pilot {
    app: TestApp,
    district: District,
    family: String,
    /// The address of the programme.
    program: String,
}

impl Pilot {
    fn new() -> Pilot {
        Pilot::with(&complete_charter("pilot", &[SMALL_GROUP]))
    }

    fn with(charter: &Value) -> Pilot {
        Pilot::on(TestApp::new(), charter)
    }

    fn on(app: TestApp, charter: &Value) -> Pilot {
        let district = app.district();
        let family = district.publish_small_group();
        let id = district.open_program(&district.coordinator, charter);
        Pilot { app, district, family, program: format!("/api/v1/programs/{id}") }
    }

    fn post(&self, body: &Value) -> Answer {
        self.district.coordinator.post(&format!("{}/cohorts/ia/invitations", self.program), body)
    }

    #[track_caller]
    fn invite(&self, rows: &str) -> Value {
        let answer = self.post(&json!({ "csv": list(rows) })).expect(200);
        self.write_mails();
        answer
    }

    /// What the worker does every few seconds.
    fn write_mails(&self) -> usize {
        self.app.resources.as_system(send_waiting).unwrap()
    }

    #[track_caller]
    fn invitees(&self, by: &Person) -> Vec<Value> {
        let page = by.get(&format!("{}/invitees?limit=100", self.program)).expect(200);
        page["items"].as_array().unwrap().clone()
    }

    #[track_caller]
    fn state_of(&self, email: &str) -> String {
        let all = self.invitees(&self.district.coordinator);
        let one = all.iter().find(|one| one["email"] == email).unwrap();
        one["state"].as_str().unwrap().to_owned()
    }

    /// Every letter that was sent to an address, oldest first.
    fn letters_to(&self, email: &str) -> Vec<String> {
        self.app.send_mail();
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.app.folder().join("mail")).unwrap() {
            let path = entry.unwrap().path();
            let letter = std::fs::read_to_string(&path).unwrap();
            if letter.contains(&format!("<{email}>")) || letter.contains(&format!("To: {email}")) {
                found.push((path, letter));
            }
        }
        found.sort();
        found.into_iter().map(|(_, letter)| letter).collect()
    }

    /// The secrets of the links in the letters to an address.
    fn tokens_of(&self, email: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        for letter in self.letters_to(email) {
            if let Some((_, behind)) = letter.split_once("/invitations/accept#") {
                let end = behind.find(|c: char| c.is_whitespace() || c == '&').unwrap();
                tokens.push(behind[..end].to_owned());
            }
        }
        tokens
    }

    fn accept(&self, token: &str) -> Answer {
        let body = json!({ "token": token, "password": PASSWORD });
        self.app.anybody().post("/api/v1/invitations/accept", &body)
    }

    fn decline(&self, token: &str, reason: &str, note: &str) -> Answer {
        let body = json!({ "token": token, "reason": reason, "note": note });
        self.app.anybody().post("/api/v1/invitations/decline", &body)
    }
}

/// Rows under the header.
fn list(rows: &str) -> String {
    format!("email,reference,name,audience,school\r\n{rows}")
}

fn row(email: &str) -> String {
    format!("{email},,Somebody,{AUDIENCE},Willow\r\n")
}

/// Row numbers with the codes of what is wrong.
fn faults(report: &Value) -> BTreeMap<u64, Vec<String>> {
    let rows = report["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["outcome"] == "refused")
        .map(|row| {
            let reasons = row["reasons"].as_array().unwrap().iter();
            let codes = reasons.map(|reason| {
                assert!(!reason["detail"].as_str().unwrap().is_empty());
                reason["code"].as_str().unwrap().to_owned()
            });
            (row["row"].as_u64().unwrap(), codes.collect())
        })
        .collect()
}

fn counts(report: &Value) -> [u64; 4] {
    ["new", "again", "known", "refused"].map(|name| report[name].as_u64().unwrap())
}

#[test]
fn each_bad_row_is_refused_for_its_own_reason_and_a_dry_run_does_nothing() {
    let pilot = Pilot::new();
    let district = &pilot.district;
    // Two organizations of one name.
    pilot.app.organization(&district.admin, &district.id, "Twin", "school");
    pilot.app.organization(&district.admin, &district.id, "Twin", "school");
    let suspended =
        pilot.app.invite(&district.admin, &district.schools[0], "paused@example.org", &["earner"]);
    let path = format!("/api/v1/organizations/{}/members/{}", district.schools[0], suspended.id);
    let etag = district.admin.get(&path).etag();
    district
        .admin
        .put(&path, &etag, &json!({ "roles": ["earner"], "state": "suspended" }))
        .expect(200);
    pilot.invite(&row("no@example.org"));
    pilot.decline(&pilot.tokens_of("no@example.org")[0], "no_time", "").expect(204);
    let other = format!("{}/cohorts/t45/invitations", pilot.program);
    let csv = list("t45@example.org,,A Teacher,teacher,Willow");
    district.coordinator.post(&other, &json!({ "csv": csv })).expect(200);

    let long = "x".repeat(201);
    let bad = [
        ("ana@example.org,,Ana,instructional_assistant,Willow,more", "columns"),
        (",,Nobody,instructional_assistant,Willow", "nobody_named"),
        ("both@example.org,r1,Both,instructional_assistant,Willow", "named_twice"),
        ("not an address,,Somebody,instructional_assistant,Willow", "email"),
        (",no blanks here,Somebody,instructional_assistant,Willow", "reference"),
        (&format!("long@example.org,,{long},instructional_assistant,Willow"), "name"),
        ("t@example.org,,A Teacher,teacher,Willow", "audience"),
        ("lost@example.org,,Somebody,instructional_assistant,Atlantis", "school"),
        ("twin@example.org,,Somebody,instructional_assistant,twin", "school_unclear"),
        ("good@EXAMPLE.org ,,Again,instructional_assistant,Willow", "repeated"),
        ("t45@example.org,,Somebody,instructional_assistant,Willow", "other_cohort"),
        ("no@example.org,,Somebody,instructional_assistant,Willow", "declined"),
        ("paused@example.org,,Somebody,instructional_assistant,Willow", "suspended"),
    ];
    let mut rows = row("good@example.org");
    rows.push_str("\r\n");
    for (text, _) in bad {
        rows.push_str(&format!("{text}\r\n"));
    }
    // Names with commas, quotes and line breaks are one cell; a school is named by its id as well.
    let school = &district.schools[1];
    rows.push_str(&format!(",r-1,\"O'Neil, \"\"Jo\"\"\",{AUDIENCE},{school}\r\n"));
    let before = pilot.invitees(&district.coordinator).len();
    let dry = pilot.post(&json!({ "csv": list(&rows), "dry_run": true })).expect(200);
    assert_eq!(counts(&dry), [2, 0, 0, 13]);
    // The header is row 1, the good one row 2, row 3 is blank.
    let expected: BTreeMap<u64, Vec<String>> =
        bad.iter().zip(4..).map(|((_, code), row)| (row, vec![(*code).to_owned()])).collect();
    assert_eq!(faults(&dry), expected);
    let reasons: std::collections::BTreeSet<&str> = bad.iter().map(|(_, code)| *code).collect();
    // Those of the file of who is still employed are tried beside it.
    assert_eq!(
        reasons.len() + stays::OWN_FAULTS.len(),
        RowFault::ALL.len(),
        "every reason is tried"
    );
    assert_eq!(pilot.invitees(&district.coordinator).len(), before);

    let real = pilot.post(&json!({ "csv": list(&rows) })).expect(200);
    assert_eq!(real["rows"], dry["rows"], "what is done is what the dry run has said");
    assert_eq!(pilot.invitees(&district.coordinator).len(), before + 2);
    // A row that is wrong in several ways says so at once.
    let twice =
        pilot.post(&json!({ "csv": list("bad,,,pilot,Mars"), "dry_run": true })).expect(200);
    assert_eq!(faults(&twice)[&2], ["email", "name", "audience", "school"]);
}

#[test]
fn a_text_that_is_no_list_is_refused_as_a_whole() {
    let pilot = Pilot::new();
    let code = |csv: &str| {
        let refused = pilot.post(&json!({ "csv": csv, "dry_run": true }));
        assert_eq!(refused.status, 422, "{refused:?}");
        refused.faults()[0].clone()
    };
    let at = |code: &str| ("/csv".to_owned(), code.to_owned());
    assert_eq!(code(""), at("no-header"));
    assert_eq!(code("email,name,audience\nx"), at("missing-column"));
    assert_eq!(code("name,audience,school\nx"), at("missing-column"));
    assert_eq!(code("email,name,audience,school,salary\nx"), at("unknown-column"));
    assert_eq!(code("email,name,name,audience,school\nx"), at("repeated-column"));
    assert_eq!(code(&list("a@example.org,,\"open")), at("not-csv"));
    assert_eq!(code(&list("a@example.org,,mid\"dle,a,b")), at("not-csv"));
    assert_eq!(code(&list("")), at("rows"));
    let rows: String = (0..5001).map(|n| format!("p{n}@x.org,,N,a,b\n")).collect();
    assert_eq!(code(&list(&rows)), at("rows"));
    let rows: String = (0..5000).map(|n| format!("p{n}@x.org,,N,a,b\n")).collect();
    let answer = pilot.post(&json!({ "csv": list(&rows), "dry_run": true })).expect(200);
    assert_eq!(counts(&answer), [0, 0, 0, 5000]);
    let lost = format!("{}/cohorts/nobody/invitations", pilot.program);
    let answer = pilot.district.coordinator.post(&lost, &json!({ "csv": list(&row("a@b.org")) }));
    assert_eq!(answer.status, 404);
}

#[test]
fn somebody_invited_again_is_one_invitee_and_is_written_to_once_a_day_at_most() {
    let pilot = Pilot::new();
    assert_eq!(counts(&pilot.invite(&row("ana@example.org"))), [1, 0, 0, 0]);
    assert_eq!(counts(&pilot.invite(&row("ana@example.org"))), [0, 0, 1, 0]);
    let again = |expected: [u64; 4]| {
        let body = json!({ "csv": list(&row("ana@example.org")), "again": true });
        assert_eq!(counts(&pilot.post(&body).expect(200)), expected);
        pilot.write_mails();
    };
    again([0, 0, 1, 0]);
    assert_eq!(pilot.letters_to("ana@example.org").len(), 1);
    pilot.app.advance(TimeDelta::hours(24));
    let coordinator = pilot.app.sign_in(&pilot.district.coordinator.email);
    let path = format!("{}/cohorts/ia/invitations", pilot.program);
    let body = json!({ "csv": list(&row("ana@example.org")), "again": true });
    let answer = coordinator.post(&path, &body).expect(200);
    assert_eq!(counts(&answer), [0, 1, 0, 0]);
    // Sent twice by mistake: the second one finds that they wait already.
    let answer = coordinator.post(&path, &body).expect(200);
    assert_eq!(counts(&answer), [0, 0, 1, 0]);
    pilot.write_mails();
    let answer = coordinator.post(&path, &body).expect(200);
    assert_eq!(counts(&answer), [0, 0, 1, 0]);
    pilot.write_mails();
    assert_eq!(pilot.letters_to("ana@example.org").len(), 2);
    assert_eq!(pilot.invitees(&coordinator).len(), 1);
    // Either link is good, once.
    let tokens = pilot.tokens_of("ana@example.org");
    pilot.accept(&tokens[0]).expect(200);
    pilot.app.advance(TimeDelta::hours(25));
    let coordinator = pilot.app.sign_in(&coordinator.email);
    let answer = coordinator.post(&path, &body).expect(200);
    assert_eq!(counts(&answer), [0, 0, 1, 0], "who takes part is not asked again");
    assert_eq!(pilot.write_mails(), 0);
}

#[test]
fn accepting_enrols_and_a_member_accepts_with_the_password_of_the_account() {
    let pilot = Pilot::new();
    let known = &pilot.district.earner;
    pilot.invite(&(row("new@example.org") + &row(&known.email)));
    for email in ["new@example.org", known.email.as_str()] {
        let tokens = pilot.tokens_of(email);
        let token = tokens.last().unwrap();
        let accepted = pilot.accept(token).expect(200);
        assert_eq!(accepted["state"], "confirmed");
        assert_eq!(accepted["organization_id"], pilot.district.schools[0].as_str());
        assert_eq!(pilot.state_of(email), "enrolled");
        assert_eq!(pilot.accept(token).problem(), "invitation-unusable");
        let person = pilot.app.sign_in(email);
        let own = person.get(&format!("{}/enrolment", pilot.program)).expect(200);
        assert_eq!(
            (&own["state"], &own["cohort"]),
            (&json!("enrolled"), &json!("Instructional assistants"))
        );
    }
    // Somebody who was not invited has no place, and cannot take one.
    let stranger = &pilot.district.assessor;
    let path = format!("{}/enrolment", pilot.program);
    assert_eq!(stranger.get(&path).status, 404);
    assert_eq!(stranger.act(&path).status, 404);
    assert_eq!(pilot.app.anybody().act(&path).status, 401);
}

#[test]
fn a_member_takes_part_without_the_mail_and_becomes_an_earner_by_it() {
    let pilot = Pilot::new();
    let assessor = &pilot.district.assessor;
    let line = format!("{},,Somebody,{AUDIENCE},Summit\r\n", assessor.email);
    pilot.invite(&line);
    let path = format!("{}/enrolment", pilot.program);
    let events = pilot.app.audit_events();
    assert_eq!(assessor.act(&path).expect(200)["state"], "enrolled");
    assert_eq!(assessor.act(&path).expect(200)["state"], "enrolled");
    assert_eq!(pilot.app.audit_events(), events + 1, "the second time changes nothing");
    let me = assessor.get("/api/v1/me").expect(200);
    assert_eq!(me["memberships"][0]["roles"], json!(["assessor", "earner"]));
}

#[test]
fn a_no_has_a_reason_is_respected_and_can_be_taken_back() {
    let pilot = Pilot::new();
    pilot.invite(&row("ana@example.org"));
    let token = pilot.tokens_of("ana@example.org").remove(0);
    let refused = pilot.decline(&token, "because", "");
    assert_eq!(refused.status, 422);
    assert_eq!(pilot.decline("made-up", "no_time", "").problem(), "invitation-unusable");
    let refused = pilot.decline(&token, "no_time", &"x".repeat(501));
    assert_eq!(refused.faults(), [("/note".to_owned(), "too-long".to_owned())]);
    pilot.decline(&token, "no_support", "My principal gives no time.").expect(204);
    assert_eq!(pilot.decline(&token, "no_time", "").problem(), "invitation-unusable");
    let all = pilot.invitees(&pilot.district.coordinator);
    assert_eq!(all[0]["state"], "declined");
    assert_eq!(all[0]["decline_reason"], "no_support");
    assert_eq!(all[0]["decline_note"], "My principal gives no time.");
    // Nobody writes to them again.
    pilot.app.advance(TimeDelta::days(2));
    let coordinator = pilot.app.sign_in(&pilot.district.coordinator.email);
    let body = json!({ "csv": list(&row("ana@example.org")), "again": true });
    let path = format!("{}/cohorts/ia/invitations", pilot.program);
    assert_eq!(faults(&coordinator.post(&path, &body).expect(200))[&2], ["declined"]);
    pilot.accept(&token).expect(200);
    let all = pilot.invitees(&coordinator);
    assert_eq!((&all[0]["state"], &all[0]["decline_reason"]), (&json!("enrolled"), &Value::Null));
    assert_eq!(pilot.decline(&token, "no_time", "").problem(), "invitation-unusable");
    // An invitation to join an organization is no invitation into a programme.
    let path = format!("/api/v1/organizations/{}/invitations", pilot.district.schools[0]);
    let body = json!({ "email": "b@example.org", "name": "B", "roles": ["earner"] });
    let invited = coordinator.post(&path, &body).expect(201);
    let token = pilot.app.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
    assert_eq!(pilot.decline(&token, "no_time", "").problem(), "invitation-unusable");
}

#[test]
fn a_printed_code_leads_to_a_mail_and_only_the_mail_to_an_account() {
    let pilot = Pilot::new();
    pilot.invite(&format!(",r-7,=Zora,{AUDIENCE},Willow\r\n{}", row("ana@example.org")));
    let path = format!("{}/invitation-codes", pilot.program);
    let printed = pilot.district.coordinator.get(&path);
    assert_eq!(printed.status, 200);
    let text = String::from_utf8(printed.bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "people with an address have no code: {text}");
    let cells: Vec<&str> = lines[1].split(',').collect();
    let [reference, name, school, audience, code] = cells[..] else { panic!("{text}") };
    assert_eq!((reference, name, school, audience), ("r-7", "'=Zora", "Willow", AUDIENCE));
    assert_eq!(code.len(), 19);

    let redeem = |code: &str, email: &str| {
        let body = json!({ "code": code, "email": email });
        pilot.app.anybody().post("/api/v1/invitations/redeem", &body)
    };
    assert_eq!(redeem("AAAA-BBBB-CCCC-DDDD", "z@example.org").problem(), "invitation-unusable");
    let refused = redeem(code, "nowhere");
    assert_eq!(refused.faults(), [("/email".to_owned(), "email".to_owned())]);
    // Mistyped, and then as people type: in small letters, without hyphens.
    redeem(code, "zara@example.org").expect(202);
    redeem(&code.to_lowercase().replace('-', " "), "zora@example.org").expect(202);
    let wrong = pilot.tokens_of("zara@example.org");
    assert_eq!(wrong, Vec::<String>::new(), "the first mail is void once there is a second");
    let token = pilot.tokens_of("zora@example.org").remove(0);
    pilot.accept(&token).expect(200);
    assert_eq!(pilot.state_of("zora@example.org"), "enrolled");
    assert_eq!(pilot.invitees(&pilot.district.coordinator).len(), 2);
    assert_eq!(redeem(code, "other@example.org").problem(), "invitation-unusable");
    let printed = pilot.district.coordinator.get(&path);
    assert_eq!(String::from_utf8(printed.bytes).unwrap().lines().count(), 1);
    // The same reference is the same person.
    assert_eq!(counts(&pilot.invite(&format!(",r-7,Zora,{AUDIENCE},Willow"))), [0, 0, 1, 0]);
}

#[test]
fn a_printed_code_is_no_way_to_flood_somebody_or_to_take_another_place() {
    let pilot = Pilot::new();
    pilot.invite(&format!(",r-1,One,{AUDIENCE},Willow\r\n{}", row("ana@example.org")));
    let path = format!("{}/invitation-codes", pilot.program);
    let text = String::from_utf8(pilot.district.coordinator.get(&path).bytes).unwrap();
    let code = text.trim_end().rsplit(',').next().unwrap().to_owned();
    let redeem = |email: &str| {
        let body = json!({ "code": code, "email": email });
        pilot.app.anybody().post("/api/v1/invitations/redeem", &body)
    };
    assert_eq!(redeem("ana@example.org").problem(), "invitation-unusable", "she has her own");
    for n in 0..5 {
        redeem(&format!("victim-{n}@example.org")).expect(202);
    }
    assert_eq!(redeem("victim@example.org").problem(), "invitation-unusable");
    // By the code one can say no as well.
    pilot.decline(&code, "not_my_work", "").expect(204);
    assert_eq!(pilot.state_of("victim-4@example.org"), "declined");
}

#[test]
fn who_has_more_time_begins_later_and_nobody_else_does() {
    let pilot = Pilot::new();
    pilot.invite(&(row("ana@example.org") + &row("ben@example.org") + &row("late@example.org")));
    for email in ["ana@example.org", "ben@example.org"] {
        pilot.accept(&pilot.tokens_of(email)[0]).expect(200);
    }
    let coordinator = &pilot.district.coordinator;
    let all = pilot.invitees(coordinator);
    let path_of = |email: &str| {
        let one = all.iter().find(|one| one["email"] == email).unwrap();
        format!("{}/invitees/{}", pilot.program, one["id"].as_str().unwrap())
    };
    let charter = coordinator.get(&pilot.program).expect(200)["charter"].clone();
    let closes_on = charter["window"]["closes_on"].as_str().unwrap();
    let day = |days: i64| {
        let last: chrono::NaiveDate = closes_on.parse().unwrap();
        (last + TimeDelta::days(days)).to_string()
    };
    let put = |path: &str, etag: &str, ends_on: Value, reason: &str| {
        let body = json!({ "ends_on": ends_on, "reason": reason });
        coordinator.put(&format!("{path}/extension"), etag, &body)
    };
    let ana = path_of("ana@example.org");
    let etag = coordinator.get(&ana).etag();
    let refused = put(&ana, &etag, json!(day(0)), "Ill.");
    assert_eq!(refused.faults(), [("/ends_on".to_owned(), "no-extension".to_owned())]);
    let refused = put(&ana, &etag, json!(day(10)), " ");
    assert_eq!(refused.faults(), [("/reason".to_owned(), "reason".to_owned())]);
    let refused = put(&ana, &etag, json!("soon"), "Ill.");
    assert_eq!(refused.faults(), [("/ends_on".to_owned(), "not-a-date".to_owned())]);
    let given = put(&ana, &etag, json!(day(10)), "Ill.");
    let newer = given.etag();
    assert_eq!(given.expect(200)["extended_to"], day(10));
    let stale = put(&ana, &etag, json!(day(20)), "Ill.");
    assert_eq!((stale.status, &stale.json["current"]["extended_to"]), (412, &json!(day(10))));
    assert_eq!(put(&ana, &newer, Value::Null, "").expect(200)["extended_to"], Value::Null);
    let etag = coordinator.get(&ana).etag();
    put(&ana, &etag, json!(day(10)), "Ill.").expect(200);

    pilot.app.advance(TimeDelta::days(201));
    let start = |email: &str| {
        let id = pilot.program.rsplit('/').next().unwrap();
        let path = format!("/api/v1/micro-credentials/{}/submissions", pilot.family);
        pilot.app.sign_in(email).post(&path, &json!({ "program_id": id }))
    };
    let refused = start("ben@example.org");
    assert_eq!(refused.faults(), [("/program_id".to_owned(), "window-over".to_owned())]);
    start("ana@example.org").expect(201);
    // The link of the one who was late still works, and the window is over all the same.
    let late = pilot.app.sign_in("ana@example.org");
    assert_eq!(late.get(&format!("{}/enrolment", pilot.program)).expect(200)["closes_on"], day(10));
}

#[test]
fn work_is_begun_within_a_programme_by_those_who_take_part() {
    let pilot = Pilot::new();
    let earner = &pilot.district.earner;
    let id = pilot.program.rsplit('/').next().unwrap().to_owned();
    let path = format!("/api/v1/micro-credentials/{}/submissions", pilot.family);
    let start = |by: &Person, program: &str| by.post(&path, &json!({ "program_id": program }));
    let none = [("/program_id".to_owned(), "no-such-program".to_owned())];
    assert_eq!(start(earner, "no id").faults(), none);
    assert_eq!(start(earner, &id).faults(), none, "not enrolled");
    pilot.invite(&row(&earner.email));
    assert_eq!(start(earner, &id).faults(), none, "invited only");
    earner.act(&format!("{}/enrolment", pilot.program)).expect(200);
    // Another definition, which the cohort does not have.
    let mut other = crate::harness::definition(SMALL_GROUP);
    other["id"] = json!("mc-other");
    let other = pilot.district.publish(&other);
    let elsewhere = format!("/api/v1/micro-credentials/{other}/submissions");
    let refused = earner.post(&elsewhere, &json!({ "program_id": id }));
    assert_eq!(refused.faults(), [("/program_id".to_owned(), "not-in-cohort".to_owned())]);
    start(earner, &id).expect(201);
}

#[test]
fn only_coordinators_see_and_change_the_list_and_only_while_the_programme_is_open() {
    let pilot = Pilot::new();
    pilot.invite(&row("ana@example.org"));
    let district = &pilot.district;
    let body = json!({ "csv": list(&row("b@example.org")) });
    for by in [&district.earner, &district.designers[0], &district.admin, &district.assessor] {
        assert_eq!(by.get(&format!("{}/invitees", pilot.program)).status, 403);
        assert_eq!(by.get(&format!("{}/invitation-codes", pilot.program)).status, 403);
        let path = format!("{}/cohorts/ia/invitations", pilot.program);
        assert_eq!(by.post(&path, &body).status, 403);
    }
    // Somebody who coordinates one school does not invite for the district.
    let school = pilot.app.invite(
        &district.admin,
        &district.schools[0],
        "school-coordinator@example.org",
        &["coordinator"],
    );
    assert_eq!(school.get(&format!("{}/invitees", pilot.program)).status, 403);
    let abroad = pilot.app.seed_root("Harbour");
    let foreign = pilot.app.seed(&abroad, "c@harbour.example.org", &["coordinator"]);
    assert_eq!(foreign.get(&format!("{}/invitees", pilot.program)).status, 403);

    let reason = json!({ "reason": "It is over." });
    district.coordinator.post(&format!("{}/close", pilot.program), &reason).expect(200);
    assert_eq!(pilot.post(&body).problem(), "wrong-state");
    let token = pilot.tokens_of("ana@example.org").remove(0);
    assert_eq!(pilot.accept(&token).problem(), "wrong-state");
    assert_eq!(pilot.state_of("ana@example.org"), "invited");
}
