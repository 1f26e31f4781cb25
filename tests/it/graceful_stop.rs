//! The rules of the process: how it starts, what it tells the operator, and how it ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use assay::store::schema::{audit_head, installation, organizations, people, signing_keys};
use assay::store::{Database, DatabaseSetting};
use diesel::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::served::{PATIENCE, Served, assay, until};
use crate::harness::{PASSWORD, Person, TestApp, TestDatabase, TestSettings};

/// Whether the process says that it takes requests; a connection that is refused or not answered says no.
fn is_ready(origin: &str) -> bool {
    let client =
        reqwest::blocking::Client::builder().timeout(Duration::from_millis(500)).no_proxy().build();
    client
        .unwrap()
        .get(format!("{origin}/health/ready"))
        .send()
        .is_ok_and(|answer| answer.status().as_u16() == 200)
}

#[test]
fn upload_in_flight_is_finished_before_the_process_ends() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.fill(&district.earner, &family);
    let url = app.database_url();
    let served = Served::start(app.folder(), url.as_deref());
    until("readiness", || is_ready(&served.origin));

    let boundary = "----boundary-of-the-tests";
    let content: Vec<u8> =
        b"%PDF-1.7\n".iter().copied().chain((0..700_000).map(|i| (i % 251) as u8)).collect();
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"requirement_id\"\r\n\r\na3\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"note.pdf\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(&content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let address = served.origin.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /api/v1/submissions/{id}/evidence HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        district.earner.token,
        body.len()
    );
    let (first, rest) = body.split_at(body.len() / 2);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(first).unwrap();
    let incoming = app.folder().join("evidence/incoming");
    until("the upload", || std::fs::read_dir(&incoming).unwrap().count() == 1);

    served.signal("TERM");
    until("the end of readiness", || !is_ready(&served.origin));
    stream.write_all(rest).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let (status, said) = served.end();
    assert_eq!(status, Some(0), "{said}");

    // What was answered is there.
    let after = district.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
    let items = after["evidence"].as_array().unwrap();
    let file = items.iter().find(|item| item["kind"] == "file").unwrap();
    assert!(district.earner.get(file["content_path"].as_str().unwrap()).bytes == content);
    assert_eq!(std::fs::read_dir(&incoming).unwrap().count(), 0);
}

#[test]
fn process_ends_with_0_on_either_signal_and_sends_its_mail_first() {
    for signal in ["TERM", "INT"] {
        let app = TestApp::new();
        let url = app.database_url();
        let served = Served::start(app.folder(), url.as_deref());
        let admin = Person::sign_in(&served.origin, "admin@example.org", PASSWORD);
        let organization =
            admin.get("/api/v1/me").expect(200)["memberships"][0]["organization_id"].clone();
        let path = format!("/api/v1/organizations/{}/invitations", organization.as_str().unwrap());
        let body = json!({ "email": "ana@example.org", "name": "Ana", "roles": ["earner"] });
        admin.post(&path, &body).expect(201);
        served.signal(signal);
        let (status, said) = served.end();
        assert_eq!(status, Some(0), "{signal}: {said}");
        assert_eq!(std::fs::read_dir(app.folder().join("mail")).unwrap().count(), 1, "{signal}");
    }
}

#[test]
fn process_that_was_killed_starts_again_on_the_same_data() {
    let app = TestApp::new();
    let url = app.database_url();
    let served = Served::start(app.folder(), url.as_deref());
    until("readiness", || is_ready(&served.origin));
    served.signal("KILL");
    let (status, _) = served.end();
    assert_eq!(status, None);
    let served = Served::start(app.folder(), url.as_deref());
    until("readiness", || is_ready(&served.origin));
    Person::sign_in(&served.origin, "admin@example.org", PASSWORD);
    app.audit_events();
}

#[test]
fn liveness_readiness_and_figures_are_for_the_operator() {
    let app = TestApp::new();
    let stranger = app.anybody();
    let live = stranger.get("/health/live");
    assert_eq!(live.status, 200);
    assert_eq!(live.json, json!({ "status": "live" }));
    assert_eq!(live.headers["cache-control"], "no-store");
    let ready = stranger.get("/health/ready");
    assert_eq!(ready.status, 200);
    assert_eq!(ready.headers["cache-control"], "no-store");
    let checks = |answer: &Value| -> Vec<(String, bool)> {
        answer["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| {
                (check["name"].as_str().unwrap().to_owned(), check["passed"].as_bool().unwrap())
            })
            .collect()
    };
    let names = ["database", "migrations", "initialized", "clock", "data_folder"];
    assert_eq!(ready.json["status"], "ready");
    assert_eq!(checks(&ready.json), names.map(|name| (name.to_owned(), true)));

    let district = app.district();
    let family = district.publish_small_group();
    let (submission, award) = district.award(&district.earner, &family);
    stranger.get(&format!("/credentials/{award}"));
    stranger.get("/api/v1/nothing");
    let figures = stranger.get("/metrics");
    assert_eq!(figures.status, 200);
    assert!(figures.headers["content-type"].starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(figures.bytes).unwrap();
    for line in [
        "# TYPE assay_http_requests_total counter",
        "assay_http_requests_total{operation=\"read_credential\",status=\"200\"} 1",
        "assay_http_requests_total{operation=\"lock_review\",status=\"200\"} 1",
        "assay_http_requests_total{operation=\"none\",status=\"404\"} 1",
        "assay_http_request_seconds_count{operation=\"health_ready\"} 1",
        "assay_outbox_waiting 11",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    for id in [&submission, &award, &family, &district.earner.id, &district.id] {
        assert!(!text.contains(id.as_str()), "a figure names {id}");
    }
}

#[test]
fn service_that_is_not_set_up_lives_and_is_not_ready() {
    let app = TestApp::with(TestSettings { is_bare: true, ..TestSettings::default() });
    let stranger = app.anybody();
    assert_eq!(stranger.get("/health/live").status, 200);
    let ready = stranger.get("/health/ready");
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json["status"], "not_ready");
    let failed: Vec<&Value> = ready.json["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["passed"] == false)
        .map(|check| &check["name"])
        .collect();
    assert_eq!(failed, ["initialized"]);
    let login = json!({ "email": "admin@example.org", "password": PASSWORD });
    let refused = stranger.post("/api/v1/sessions", &login);
    assert!(matches!(refused.status, 401 | 503), "{refused:?}");
    refused.problem();
}

/// `assay init` with a password on its standard input.
fn init(data_dir: &Path, database: &TestDatabase, email: &str, password: &str) -> Output {
    let arguments = [
        "init",
        "--organization",
        "Riverbend District",
        "--kind",
        "district",
        "--name",
        "Grace Okafor",
        "--email",
        email,
        "--base-url",
        "https://badges.example.org",
        "--password-stdin",
        "--json",
    ];
    let mut child = assay(&arguments, data_dir, database.url().as_deref())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may refuse before it has read.
    let _written = child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes());
    child.wait_with_output().unwrap()
}

type Contents = (Vec<String>, Vec<String>, Vec<String>, Vec<String>, i64);

/// Everything that `init` makes, as the database has it.
fn contents(data_dir: &Path, own: &TestDatabase) -> Contents {
    let setting = match own.url() {
        Some(url) => DatabaseSetting::Postgres(url),
        None => DatabaseSetting::Sqlite(data_dir.join("assay.sqlite")),
    };
    let database = Database::open(setting).unwrap();
    let mut conn = database.connection().unwrap();
    (
        installation::table.select(installation::base_url).load(&mut *conn).unwrap(),
        organizations::table.select(organizations::id).load(&mut *conn).unwrap(),
        people::table.select(people::id).load(&mut *conn).unwrap(),
        signing_keys::table.select(signing_keys::multikey).load(&mut *conn).unwrap(),
        audit_head::table.select(audit_head::seq).first(&mut *conn).unwrap(),
    )
}

#[test]
fn init_happens_once_and_a_second_one_changes_nothing() {
    let (folder, database) = (TempDir::new().unwrap(), TestDatabase::empty());
    let data_dir = folder.path().join("data");
    let short = init(&data_dir, &database, "grace@example.org", "short");
    assert_eq!(short.status.code(), Some(1), "{short:?}");
    assert!(String::from_utf8_lossy(&short.stderr).contains("password"), "{short:?}");
    let nothing = contents(&data_dir, &database);
    assert_eq!(nothing, (vec![], vec![], vec![], vec![], 0));

    let first = init(&data_dir, &database, "grace@example.org", PASSWORD);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let made: Value = serde_json::from_slice(&first.stdout).unwrap();
    let before = contents(&data_dir, &database);
    assert_eq!(before.0, ["https://badges.example.org"]);
    assert_eq!(before.1, [made["organization_id"].as_str().unwrap()]);
    assert_eq!(before.2, [made["person_id"].as_str().unwrap()]);
    assert_eq!(before.3, [made["multikey"].as_str().unwrap()]);
    let key = std::fs::read(data_dir.join("key-encryption-key")).unwrap();
    assert!(!String::from_utf8_lossy(&first.stdout).contains(PASSWORD));

    let second = init(&data_dir, &database, "eve@example.org", "another long phrase");
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    assert!(second.stdout.is_empty(), "{second:?}");
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains("set up already") && told.contains("nothing was changed"), "{told}");
    assert_eq!(contents(&data_dir, &database), before);
    assert_eq!(std::fs::read(data_dir.join("key-encryption-key")).unwrap(), key);

    let served = Served::start(&data_dir, database.url().as_deref());
    until("readiness", || is_ready(&served.origin));
    Person::sign_in(&served.origin, "grace@example.org", PASSWORD);
    let login = json!({ "email": "eve@example.org", "password": "another long phrase" });
    let refused = Person::anonymous(&served.origin).post("/api/v1/sessions", &login);
    assert_eq!(refused.problem(), "bad-login");
    served.signal("TERM");
    assert_eq!(served.end().0, Some(0));
}

#[test]
fn every_bad_setting_is_told_at_once() {
    let folder = TempDir::new().unwrap();
    let data_dir = folder.path().join("data");
    let arguments = [
        "serve",
        "--bind",
        "everywhere",
        "--base-url",
        "ftp://badges.example.org",
        "--log",
        "assay=loudly",
    ];
    let output = assay(&arguments, &data_dir, Some("mysql://assay:hunter2@localhost/assay"))
        .env("ASSAY_KEY_ENCRYPTION_KEY", "c2hvcnQ=")
        .env("ASSAY_SMTP_URL", "http://user:hunter2@mail.example.org")
        .env("ASSAY_MAIL_FROM", "nobody")
        .env("ASSAY_BASE_URL_ALIASES", "https://old.example.org,old.example.org")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    let names = [
        "ASSAY_BIND",
        "ASSAY_BASE_URL)",
        "ASSAY_BASE_URL_ALIASES",
        "DATABASE_URL",
        "ASSAY_KEY_ENCRYPTION_KEY",
        "ASSAY_MAIL_FROM",
        "ASSAY_LOG",
        "ASSAY_SMTP_URL",
    ];
    for name in names {
        assert_eq!(lines.iter().filter(|line| line.contains(name)).count(), 1, "{name} in {told}");
    }
    assert_eq!(lines.len(), names.len(), "{told}");
    assert!(!told.contains("hunter2") && !told.contains("c2hvcnQ="), "a secret in {told}");
    assert!(!data_dir.exists(), "nothing is made for settings that are refused");
}

#[test]
fn command_line_that_makes_no_sense_is_bad_usage() {
    let folder = TempDir::new().unwrap();
    for arguments in [&["serve", "--colour", "red"][..], &["dance"], &["init", "--kind", "club"]] {
        let output = assay(arguments, folder.path(), None).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {output:?}");
    }
    let none = Command::new(env!("CARGO_BIN_EXE_assay")).env_clear().output().unwrap();
    assert_eq!(none.status.code(), Some(64), "{none:?}");
    for arguments in [&["--help"][..], &["--version"], &["serve", "--help"]] {
        let output = assay(arguments, folder.path(), None).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn lost_key_encryption_key_stops_the_start() {
    let app = TestApp::new();
    let url = app.database_url();
    let key = app.folder().join("key-encryption-key");
    let kept = std::fs::read(&key).unwrap();
    let start = || {
        assay(&["serve", "--bind", "127.0.0.1:0", "--log", "off"], app.folder(), url.as_deref())
            .output()
            .unwrap()
    };
    std::fs::remove_file(&key).unwrap();
    let output = start();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("key-encryption key"), "{output:?}");
    assert!(!key.exists(), "a new one would hide that the old one is lost");
    // Another one does not open what is there.
    std::fs::write(&key, format!("{}\n", "00".repeat(32))).unwrap();
    let output = start();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("ASSAY_KEY_ENCRYPTION_KEY"),
        "{output:?}"
    );
    std::fs::write(&key, kept).unwrap();
    let served = Served::start(app.folder(), url.as_deref());
    until("readiness", || is_ready(&served.origin));
}
