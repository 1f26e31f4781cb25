//! That nobody's leaving leaves an organization helpless: what is refused, who is told, and the way back in on the server.

use std::io::Write;
use std::process::{Output, Stdio};

use assay::service::housekeeping;
use assay::store::schema::outbox;
use diesel::prelude::*;
use serde_json::{Value, json};

use crate::harness::served::assay;
use crate::harness::{Answers, Person, SmtpServer, TestApp, TestSettings};

/// The warning of an office of an organization.
#[track_caller]
fn warning(by: &Person, organization: &str, role: &str) -> Value {
    let path = format!("/api/v1/organizations/{organization}/succession");
    let offices = by.get(&path).expect(200);
    let found = offices["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|office| office["role"] == role && office["organization_id"] == organization);
    found.unwrap_or_else(|| panic!("{offices}"))["warning"].clone()
}

fn member_path(organization: &str, person: &Person) -> String {
    format!("/api/v1/organizations/{organization}/members/{}", person.id)
}

fn change(
    by: &Person,
    organization: &str,
    person: &Person,
    body: &Value,
) -> crate::harness::Answer {
    let path = member_path(organization, person);
    let etag = by.get(&path).etag();
    by.put(&path, &etag, body)
}

#[test]
fn the_last_of_an_office_is_not_lost_by_accident_and_administrators_are_told() {
    let mail = SmtpServer::start(Answers::default());
    let app =
        TestApp::with(TestSettings { smtp_url: Some(mail.url("")), ..TestSettings::default() });
    let district = app.district();
    let (admin, custodian) = (&district.admin, &district.custodian);
    let lead = app.invite(admin, &district.departments[0], "lead@example.org", &["lead_assessor"]);
    for role in ["administrator", "key_custodian", "lead_assessor"] {
        assert_eq!(warning(admin, &district.id, role), "one_only", "{role}");
    }

    // Nobody but administrators sees it.
    let path = format!("/api/v1/organizations/{}/succession", district.id);
    assert_eq!(district.coordinator.get(&path).status, 403);
    let valley = app.seed_root("Valley");
    let stranger = app.seed(&valley, "stranger@example.org", &["administrator"]);
    assert_eq!(stranger.get(&path).status, 404);
    assert_eq!(warning(&stranger, &valley, "key_custodian"), "vacant");

    // Roles taken, a pause, a removal: each would leave nobody. A lead assessor of a department works for the district.
    let suspended = json!({ "roles": ["key_custodian"], "state": "suspended" });
    let removed = json!({ "roles": [], "state": "removed" });
    let taken = json!({ "roles": ["coach"], "state": "confirmed" });
    for body in [&suspended, &removed, &taken] {
        let refused = change(admin, &district.id, custodian, body);
        assert_eq!((refused.status, refused.problem().as_str()), (409, "wrong-state"), "{body}");
        assert!(refused.json["detail"].as_str().unwrap().contains("leaves_vacant"));
        assert_eq!(change(admin, &district.departments[0], &lead, body).status, 409, "{body}");
    }
    // That of administrators cannot be given up at all.
    let mut body = json!({ "roles": [], "state": "confirmed", "leaves_vacant": ["administrator"] });
    let refused = change(admin, &district.id, admin, &body);
    assert!(refused.json["detail"].as_str().unwrap().contains("only administrator"), "{refused:?}");
    body["leaves_vacant"] = json!(["keeper"]);
    assert_eq!(change(admin, &district.id, custodian, &body).status, 422);
    assert_eq!(warning(admin, &district.id, "key_custodian"), "one_only", "nothing has changed");

    // With a second one it is nobody's loss, and on purpose it can be left.
    let second = app.invite(admin, &district.id, "second@example.org", &["key_custodian"]);
    assert_eq!(warning(admin, &district.id, "key_custodian"), Value::Null);
    change(admin, &district.id, custodian, &removed).expect(200);
    assert_eq!(warning(admin, &district.id, "key_custodian"), "one_only");
    app.send_mail();
    let told = |word: &str| {
        let letters = mail.delivered().into_iter();
        letters
            .filter(|letter| letter.to.iter().any(|to| to.contains("admin@example.org")))
            .filter(|letter| letter.data.contains(word))
            .count()
    };
    assert_eq!(told("keeps the keys"), 0);
    let on_purpose = json!({ "roles": [], "state": "removed", "leaves_vacant": ["key_custodian"] });
    change(admin, &district.id, &second, &on_purpose).expect(200);
    assert_eq!(warning(admin, &district.id, "key_custodian"), "vacant");
    app.send_mail();
    assert_eq!(told("keeps the keys"), 1);

    // The figures count it, by office and without an id.
    let figures = String::from_utf8(app.anybody().get("/metrics").bytes).unwrap();
    for line in [
        "assay_offices_open{role=\"key_custodian\"} 2",
        "assay_offices_open{role=\"lead_assessor\"} 1",
        "assay_offices_open{role=\"administrator\"} 0",
    ] {
        assert!(figures.contains(line), "{line} in {figures}");
    }
}

#[test]
fn holders_whose_mail_comes_back_cannot_be_reached_and_administrators_are_told_once_a_week() {
    let mail = SmtpServer::start(Answers { to: "550 no such mailbox", ..Answers::default() });
    let app =
        TestApp::with(TestSettings { smtp_url: Some(mail.url("")), ..TestSettings::default() });
    let district = app.district();
    let admin = &district.admin;
    assert_eq!(warning(admin, &district.id, "key_custodian"), "one_only");
    app.send_mail();
    assert_eq!(warning(admin, &district.id, "key_custodian"), "unreachable");

    mail.answer(Answers::default());
    for _ in 0..2 {
        app.resources.as_system(housekeeping::hourly).unwrap();
    }
    app.send_mail();
    let told = || mail.delivered().iter().filter(|one| one.data.contains("comes back")).count();
    assert_eq!(told(), 1, "once in a week, however often it is looked at");
    app.advance(chrono::TimeDelta::days(7));
    app.resources.as_system(housekeeping::hourly).unwrap();
    app.send_mail();
    assert_eq!(told(), 2);

    // Who cannot be reached is no successor.
    let admin = app.admin();
    let unreachable = app.invite(&admin, &district.id, "gone@example.org", &["administrator"]);
    mail.answer(Answers { to: "550 no such mailbox", ..Answers::default() });
    app.send_mail();
    let body = json!({ "roles": [], "state": "confirmed" });
    assert_eq!(change(&admin, &district.id, &admin, &body).status, 409);
    change(&admin, &district.id, &unreachable, &body).expect(200);
}

#[test]
fn somebody_whose_mail_came_back_stays_out_of_reach_until_one_is_delivered_or_they_sign_in() {
    let mail = SmtpServer::start(Answers { to: "550 no such mailbox", ..Answers::default() });
    let app =
        TestApp::with(TestSettings { smtp_url: Some(mail.url("")), ..TestSettings::default() });
    let district = app.district();
    let custodian = district.custodian.email.clone();
    let said = || warning(&app.admin(), &district.id, "key_custodian");
    app.send_mail();
    assert_eq!(said(), "unreachable");
    // The mails themselves are forgotten, and what came of them is not.
    app.advance(chrono::TimeDelta::days(31));
    app.resources.as_system(housekeeping::hourly).unwrap();
    let mut conn = app.resources.database.connection().unwrap();
    let given_up = outbox::table.filter(outbox::state.eq("failed"));
    assert_eq!(given_up.count().get_result::<i64>(&mut *conn).unwrap(), 0);
    drop(conn);
    assert_eq!(said(), "unreachable");
    app.sign_in(&custodian);
    assert_eq!(said(), "one_only");

    // Lost once more, and then one arrives.
    let letter = || app.invite(&app.admin(), &district.departments[0], &custodian, &["coach"]);
    letter();
    app.send_mail();
    assert_eq!(said(), "unreachable");
    mail.answer(Answers::default());
    let body = json!({ "email": custodian, "name": "Noor", "roles": ["coach"] });
    let path = format!("/api/v1/organizations/{}/invitations", district.departments[1]);
    app.admin().post(&path, &body).expect(201);
    assert_eq!(said(), "unreachable");
    app.send_mail();
    assert_eq!(said(), "one_only");
}

/// Runs `assay admin recover` on the data of the service.
fn recover(app: &TestApp, words: &[&str], password: Option<&str>) -> Output {
    let mut arguments = vec!["admin", "recover"];
    arguments.extend(words);
    if password.is_some() {
        arguments.push("--password-stdin");
    }
    let url = app.database_url();
    let mut child = assay(&arguments, app.folder(), url.as_deref())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may have refused its arguments before it reads.
    let _closed = child.stdin.take().unwrap().write_all(password.unwrap_or("").as_bytes());
    child.wait_with_output().unwrap()
}

fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_server_lets_somebody_into_an_office_and_says_so() {
    let app = TestApp::new();
    let district = app.district();
    let email = "new-custodian@example.org";
    let custodian = ["--role", "key_custodian", "--email", email, "--name", "Noor New"];

    // Not while somebody is there, not without what an account needs, and no other role.
    let held = complaint(&recover(&app, &custodian, Some("another long phrase")));
    assert!(held.contains("somebody holds the office"), "{held}");
    let lead = ["--role", "lead_assessor", "--email", email];
    let nameless = complaint(&recover(&app, &lead, Some("another long phrase")));
    assert!(nameless.contains("--name"), "{nameless}");
    let mut named = lead.to_vec();
    named.extend(["--name", "Noor New"]);
    let without = complaint(&recover(&app, &named, None));
    assert!(without.contains("--password-stdin"), "{without}");
    let short = complaint(&recover(&app, &named, Some("short")));
    assert!(short.contains("--password"), "{short}");
    let other = recover(&app, &["--role", "auditor", "--email", email], None);
    assert_eq!(other.status.code(), Some(64));
    let nowhere = ["--organization", "01900000-0000-7000-8000-000000000000"];
    let nowhere = [&named[..], &nowhere[..]].concat();
    assert!(complaint(&recover(&app, &nowhere, None)).contains("no such organization"));
    assert_eq!(warning(&district.admin, &district.id, "lead_assessor"), "vacant");
    let anybody = app.anybody();
    let login = json!({ "email": email, "password": "another long phrase" });
    assert_eq!(anybody.post("/api/v1/sessions", &login).status, 401, "nothing was left behind");

    // A vacant office: a new account that signs in with it.
    let before = app.audit_events();
    let mut words = named.clone();
    words.push("--json");
    let done = recover(&app, &words, Some("another long phrase"));
    assert!(done.status.success(), "{done:?}");
    let made: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&made["roles"], &made["new_account"]), (&json!(["lead_assessor"]), &json!(true)));
    assert_eq!(made["organization_id"], district.id);
    assert_eq!(app.audit_events(), before + 1);
    anybody.post("/api/v1/sessions", &login).expect(201);
    assert_eq!(warning(&district.admin, &district.id, "lead_assessor"), "one_only");
    let trail = district.auditor.get("/api/v1/audit-events?limit=5").expect(200).to_string();
    assert!(trail.contains("recover_office"), "{trail}");
    app.send_mail();
    let letters: Vec<String> = std::fs::read_dir(app.folder().join("mail"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .filter(|letter| letter.contains("On the server"))
        .collect();
    assert_eq!(letters.len(), 1, "the administrator is told");
    assert!(letters[0].contains("admin@example.org") && letters[0].contains("Noor New"));

    // A member who has the account already gets the role beside the others; every sign-in ends.
    let coordinator = &district.coordinator;
    let words = ["--email", coordinator.email.as_str(), "--although-held", "--json"];
    let done = recover(&app, &words, None);
    assert!(done.status.success(), "{done:?}");
    let made: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(made["roles"], json!(["administrator", "coordinator"]));
    assert_eq!(coordinator.get("/api/v1/me").status, 401);
    let again = app.sign_in(&coordinator.email);
    assert_eq!(warning(&again, &district.id, "administrator"), Value::Null);
}

#[test]
fn help_says_what_recover_does() {
    let app = TestApp::new();
    let url = app.database_url();
    let output =
        assay(&["admin", "recover", "--help"], app.folder(), url.as_deref()).output().unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for word in ["--role", "--email", "--although-held", "--password-stdin", "audit trail"] {
        assert!(help.contains(word), "{word} in {help}");
    }
}
