//! The rules of the outbox: mail arrives once the server takes it, under one id, and nothing ever waits for it.

use std::collections::BTreeSet;
use std::net::TcpListener;

use assay::service::outbox::send_next;
use assay::store::schema::{outbox, person_profiles};
use chrono::{DateTime, TimeDelta};
use diesel::prelude::*;
use serde_json::json;

use crate::harness::{Answers, BASE_URL, District, PASSWORD, SmtpServer, TestApp, TestSettings};

const PUT_OFF: &str = "451 4.7.1 greylisted, come back later";

fn with_server(server: &SmtpServer) -> TestApp {
    TestApp::with(TestSettings { smtp_url: Some(server.url("")), ..TestSettings::default() })
}

/// The mails of the outbox: message id, kind, state, tries.
fn rows(app: &TestApp) -> Vec<(String, String, String, i32)> {
    outbox::table
        .order(outbox::id)
        .select((outbox::message_id, outbox::kind, outbox::state, outbox::attempts))
        .load(&mut *app.resources.database.connection().unwrap())
        .unwrap()
}

/// Sends one mail that is put off first and taken next. Returns it as it was taken.
#[track_caller]
fn through(app: &TestApp, server: &SmtpServer, kind: &str) -> crate::harness::Delivered {
    let (tried, delivered) = (server.tried().len(), server.delivered().len());
    server.answer(Answers { data: PUT_OFF, ..Answers::default() });
    app.send_mail();
    assert_eq!(server.tried().len(), tried + 1);
    assert_eq!(server.delivered().len(), delivered);
    let (message_id, found, state, attempts) = rows(app).pop().unwrap();
    assert_eq!((found.as_str(), state.as_str(), attempts), (kind, "waiting", 1));

    // Ten seconds later and not at once, and then twice as long.
    app.send_mail();
    assert_eq!(server.tried().len(), tried + 1);
    app.advance(TimeDelta::seconds(11));
    app.send_mail();
    assert_eq!(server.tried().len(), tried + 2);
    server.answer(Answers::default());
    app.advance(TimeDelta::seconds(5));
    app.send_mail();
    assert_eq!(server.tried().len(), tried + 2);
    app.advance(TimeDelta::seconds(16));
    app.send_mail();
    assert_eq!(server.delivered().len(), delivered + 1);
    let letters = server.tried().split_off(tried);
    assert_eq!(letters.len(), 3);
    for letter in &letters {
        assert_eq!(letter.header("Message-ID"), format!("<{message_id}>"));
    }
    let (_, _, state, attempts) = rows(app).pop().unwrap();
    assert_eq!((state.as_str(), attempts), ("sent", 3));
    app.advance(TimeDelta::days(1));
    app.send_mail();
    assert_eq!(server.tried().len(), tried + 3, "what was taken is not sent again");
    letters[2].clone()
}

#[test]
fn every_mail_arrives_under_one_id_although_its_first_tries_are_put_off() {
    let server = SmtpServer::start(Answers::default());
    let app = with_server(&server);
    let district = app.district();
    let family = district.publish_small_group();
    app.send_mail();
    assert_eq!(server.delivered().len(), 8, "one invitation for each person of the district");

    let path = format!("/api/v1/organizations/{}/invitations", district.schools[0]);
    let body = json!({ "email": "ana@example.org", "name": "Ana Ruiz", "roles": ["earner"] });
    let admin = app.admin();
    admin.post(&path, &body).expect(201);
    let invitation = through(&app, &server, "invitation");
    assert_eq!(invitation.to, ["<ana@example.org>"]);
    assert_eq!(invitation.header("Subject"), "You are invited to join Willow");
    let link = format!("{BASE_URL}/invitations/accept#");
    let token = invitation.data.lines().find_map(|line| line.strip_prefix(&link)).unwrap();
    let acceptance = json!({ "token": token, "password": PASSWORD });
    app.anybody().post("/api/v1/invitations/accept", &acceptance).expect(200);

    let ana = app.sign_in("ana@example.org");
    let id = district.submit(&ana, &family);
    let submitted = ana.get(&format!("/api/v1/submissions/{id}")).expect(200);
    let due = DateTime::parse_from_rfc3339(submitted["due_at"].as_str().unwrap()).unwrap();
    let received = through(&app, &server, "submission_received");
    assert_eq!(received.to, ["<ana@example.org>"]);
    assert!(received.header("Subject").starts_with("We have your submission for"));
    let promise = due.format("%-d %B %Y").to_string();
    assert!(received.data.contains(&promise), "{promise} in {}", received.data);

    // The decision and the badge leave in one go.
    let assessor = app.sign_in("assessor@example.org");
    server.answer(Answers { data: PUT_OFF, ..Answers::default() });
    let tried = server.tried().len();
    district.score(&assessor, 0);
    app.send_mail();
    assert_eq!(server.tried().len(), tried + 2);
    server.answer(Answers::default());
    app.advance(TimeDelta::seconds(11));
    app.send_mail();
    let letters = server.tried().split_off(tried);
    assert_eq!(letters.len(), 4);
    let ids: Vec<String> = letters.iter().map(|letter| letter.header("Message-ID")).collect();
    assert_eq!(ids[..2], ids[2..]);
    assert_ne!(ids[0], ids[1]);
    let [decision, badge] = [&letters[2], &letters[3]];
    assert!(decision.header("Subject").starts_with("You have earned"));
    assert!(decision.data.contains(&format!("{BASE_URL}/submissions/{id}")), "{}", decision.data);
    let ana = app.sign_in("ana@example.org");
    let decided = ana.get(&format!("/api/v1/submissions/{id}")).expect(200);
    let award = decided["award"]["id"].as_str().unwrap();
    assert!(badge.header("Subject").starts_with("Your badge:"));
    assert!(badge.data.contains(&format!("{BASE_URL}/credentials/{award}")), "{}", badge.data);
    assert!(badge.data.contains("Riverbend District"), "{}", badge.data);
    let ids: BTreeSet<String> = rows(&app).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids.len(), 8 + 4);
    assert!(ids.iter().all(|id| id.ends_with("@badges.example.org")));
    assert_eq!(server.delivered().len(), ids.len());
}

#[test]
fn not_yet_is_told_without_a_badge() {
    let server = SmtpServer::start(Answers::default());
    let app = with_server(&server);
    let district = app.district();
    let mut single = crate::harness::definition("mc-ia-small-group-support");
    single["review_policy"]["second_score_when_not_yet"] = json!(false);
    let family = district.publish(&single);
    district.submit(&district.earner, &family);
    app.send_mail();
    let before = server.delivered().len();
    district.score(&district.assessor, -1);
    app.send_mail();
    let letters = server.delivered().split_off(before);
    assert_eq!(letters.len(), 1);
    assert!(letters[0].header("Subject").starts_with("Your feedback for"));
    assert!(!letters[0].data.to_lowercase().contains("fail"));
}

#[test]
fn dead_mail_server_neither_fails_nor_delays_an_award() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let app = TestApp::with(TestSettings {
        smtp_url: Some(format!("smtp://{gone}")),
        ..TestSettings::default()
    });
    let district = app.district();
    let family = district.publish_small_group();
    app.send_mail();
    let (submission, award) = district.award(&district.earner, &family);
    app.send_mail();
    let decided = district.earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
    assert_eq!(decided["award"]["state"], "active");
    let badge = app.anybody().get(&format!("/credentials/{award}"));
    let verdict = app.anybody().post("/api/v1/verify", &badge.json).expect(200);
    assert_eq!(verdict["verdict"], "valid");
    let waiting = rows(&app);
    assert_eq!(waiting.len(), 8 + 3);
    assert!(waiting.iter().all(|(_, _, state, tries)| state == "waiting" && *tries == 1));
    let figures = String::from_utf8(app.anybody().get("/metrics").bytes).unwrap();
    assert!(figures.contains("assay_outbox_waiting 11"), "{figures}");

    // About five days of tries, then it is given up, and the operator finds it as failed.
    let mut days = 0.0;
    while rows(&app).iter().any(|(_, _, state, _)| state != "failed") {
        app.advance(TimeDelta::hours(6));
        days += 0.25;
        app.send_mail();
        assert!(days < 8.0, "{:?}", rows(&app));
    }
    assert!(days >= 4.0, "given up after {days} days");
    assert!(rows(&app).iter().all(|(_, _, _, tries)| *tries == 24));
    app.audit_events();
}

#[test]
fn mail_that_is_refused_for_good_is_given_up_and_holds_no_other() {
    let refusal = Answers { to: "550 5.1.1 <ana@example.org>: no such user", ..Answers::default() };
    let server = SmtpServer::start(Answers::default());
    let app = with_server(&server);
    let admin = app.admin();
    let organization =
        admin.get("/api/v1/me").expect(200)["memberships"][0]["organization_id"].clone();
    let path = format!("/api/v1/organizations/{}/invitations", organization.as_str().unwrap());
    let invite = |email: &str| {
        let body = json!({ "email": email, "name": "Ana Ruiz", "roles": ["earner"] });
        admin.post(&path, &body).expect(201);
    };
    server.answer(refusal);
    invite("ana@example.org");
    app.send_mail();
    server.answer(Answers::default());
    invite("ben@example.org");
    app.send_mail();
    app.advance(TimeDelta::days(2));
    app.send_mail();
    let states: Vec<(String, i32)> =
        rows(&app).into_iter().map(|(_, _, state, tries)| (state, tries)).collect();
    assert_eq!(states, [("failed".to_owned(), 1), ("sent".to_owned(), 1)]);
    assert_eq!(server.delivered().len(), 1);
    assert_eq!(server.delivered()[0].to, ["<ben@example.org>"]);
    let errors: Vec<Option<String>> = outbox::table
        .order(outbox::id)
        .select(outbox::last_error)
        .load(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    let told = errors[0].as_deref().unwrap();
    assert!(!told.contains("ana") && !told.contains("example.org"), "{told}");
    assert_eq!(errors[1], None);
}

#[test]
fn without_a_mail_server_every_mail_is_a_file() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    district.award(&district.earner, &family);
    app.send_mail();
    let mut letters = Vec::new();
    for entry in std::fs::read_dir(app.folder().join("mail")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        letters.push((name, std::fs::read_to_string(path).unwrap()));
    }
    let names: BTreeSet<&String> = letters.iter().map(|(name, _)| name).collect();
    let expected: BTreeSet<String> =
        rows(&app).into_iter().map(|(message_id, ..)| format!("{message_id}.eml")).collect();
    assert_eq!(names, expected.iter().collect());
    assert_eq!(letters.len(), 8 + 3);
    for (name, letter) in &letters {
        let id = name.strip_suffix(".eml").unwrap();
        assert!(letter.starts_with(&format!("Message-ID: <{id}>\r\n")), "{letter}");
    }
    let subjects = |start: &str| {
        letters
            .iter()
            .filter(|(_, letter)| letter.contains(&format!("\r\nSubject: {start}")))
            .count()
    };
    assert_eq!(subjects("You are invited"), 8);
    assert_eq!(subjects("We have your submission"), 1);
    assert_eq!(subjects("You have earned"), 1);
    assert_eq!(subjects("Your badge:"), 1);
}

#[test]
fn outbox_holds_no_name_no_address_and_no_token() {
    let server = SmtpServer::start(Answers::default());
    let app = with_server(&server);
    let district: District = app.district();
    let family = district.publish_small_group();
    let path = format!("/api/v1/organizations/{}/invitations", district.schools[0]);
    let body =
        json!({ "email": "zora@example.org", "name": "Zora Quillfeather", "roles": ["earner"] });
    let invited = district.admin.post(&path, &body).expect(201);
    let token = app.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
    let acceptance = json!({ "token": token, "password": PASSWORD });
    app.anybody().post("/api/v1/invitations/accept", &acceptance).expect(200);
    let zora = app.sign_in("zora@example.org");
    district.award(&zora, &family);
    let check = |when: &str| {
        let rows: Vec<(String, String, String, Option<String>)> = outbox::table
            .select((outbox::message_id, outbox::kind, outbox::parameters, outbox::last_error))
            .load(&mut *app.resources.database.connection().unwrap())
            .unwrap();
        assert_eq!(rows.len(), 8 + 1 + 3);
        let text = format!("{rows:?}").to_lowercase();
        for secret in
            ["zora", "quillfeather", "@example.org", "riverbend", "willow", &token.to_lowercase()]
        {
            assert!(!text.contains(secret), "{when}: {secret} in {text}");
        }
    };
    check("waiting");
    server.answer(Answers {
        data: "451 zora@example.org is Zora Quillfeather",
        ..Answers::default()
    });
    app.send_mail();
    check("put off");
    server.answer(Answers { from: "554 zora@example.org", ..Answers::default() });
    app.advance(TimeDelta::minutes(1));
    app.send_mail();
    check("refused");
}

#[test]
fn mail_is_sent_once_however_many_workers_there_are() {
    let server = SmtpServer::start(Answers::default());
    let app = with_server(&server);
    let district = app.district();
    let family = district.publish_small_group();
    district.award(&district.earner, &family);
    let start = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                while send_next(&app.resources).unwrap() {}
            });
        }
    });
    let ids: BTreeSet<String> =
        server.tried().iter().map(|letter| letter.header("Message-ID")).collect();
    assert_eq!(ids.len(), 8 + 3);
    assert_eq!(server.tried().len(), ids.len());
    assert!(rows(&app).iter().all(|(_, _, state, tries)| state == "sent" && *tries == 1));
}

#[test]
fn mail_whose_worker_died_is_tried_again_by_another() {
    let server = SmtpServer::start(Answers::default());
    let app = with_server(&server);
    app.district();
    // What a worker leaves that ends between its claim and its answer.
    let until = app.resources.now().as_utc().naive_utc() + TimeDelta::minutes(5);
    diesel::update(outbox::table)
        .set((
            outbox::state.eq("claimed"),
            outbox::attempts.eq(1),
            outbox::next_attempt_at.eq(until),
        ))
        .execute(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    app.send_mail();
    assert_eq!(server.tried().len(), 0);
    app.advance(TimeDelta::minutes(6));
    app.send_mail();
    assert_eq!(server.delivered().len(), 8);
    assert!(rows(&app).iter().all(|(_, _, state, tries)| state == "sent" && *tries == 2));
}

#[test]
fn mail_to_somebody_who_is_gone_is_dropped() {
    let server = SmtpServer::start(Answers::default());
    let app = with_server(&server);
    let district = app.district();
    let mut conn = app.resources.database.connection().unwrap();
    let erased = diesel::delete(person_profiles::table.find(&district.earner.id));
    assert_eq!(erased.execute(&mut *conn).unwrap(), 1);
    drop(conn);
    app.send_mail();
    assert_eq!(server.delivered().len(), 7);
    let dropped: Vec<_> =
        rows(&app).into_iter().filter(|(_, _, state, _)| state == "dropped").collect();
    assert_eq!(dropped.len(), 1);
    assert!(server.tried().iter().all(|letter| !letter.data.contains("earner@example.org")));
}
