//! `assay export --organization … --records`: what a district that leaves takes along of what its people have done, and what is never in it.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use assay::domain::audit::AuditEvent;
use assay::domain::review::LEASE;
use assay::domain::timestamp::Timestamp;
use assay::store;
use assay::store::schema::{person_passwords, refresh_tokens, reviews, signing_keys, submissions};
use chrono::DateTime;
use diesel::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::harness::canaries::{page, photograph};
use crate::harness::{District, PASSWORD, Person, TestApp, complete_charter, definition};

const SMALL: &str = "mc-ia-small-group-support";
/// The earner of the other district.
const KEEPER: &str = "keeper@harbour.example.org";

/// The program, on the data of a test's service.
pub fn export(app: &TestApp, organization: &str, folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.env_clear().args(["export", "--organization", organization, "--json", "--to"]);
    command.arg(folder).arg("--data-dir").arg(app.folder()).args(more);
    if let Some(url) = app.database_url() {
        command.env("DATABASE_URL", url);
    }
    command.output().unwrap()
}

/// Exports with records. Returns every file that is listed, by its path, each held against its hash.
#[track_caller]
pub fn exported(
    app: &TestApp,
    organization: &str,
    folder: &Path,
    more: &[&str],
) -> BTreeMap<String, Vec<u8>> {
    let output = export(app, organization, folder, &[&["--records"], more].concat());
    assert!(output.status.success(), "{output:?}");
    let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let read = |file: &Value| {
        let path = file["path"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(path)).unwrap();
        assert_eq!(file["sha256"], hex(&bytes), "{path}");
        (path.to_owned(), bytes)
    };
    let found: BTreeMap<String, Vec<u8>> = files.iter().map(read).collect();
    assert_eq!(found.len(), files.len(), "a path is there twice");
    found
}

fn hex(bytes: &[u8]) -> String {
    assay::domain::audit::hex(&Sha256::digest(bytes))
}

/// The files in which a text stands.
pub fn files_with(files: &BTreeMap<String, Vec<u8>>, text: &[u8]) -> Vec<String> {
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    files.iter().filter(|(_, bytes)| has(bytes)).map(|(path, _)| path.clone()).collect()
}

fn lines(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Vec<Value> {
    let text = std::str::from_utf8(&files[path]).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn table(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Vec<BTreeMap<String, String>> {
    let read = assay::domain::csv::read(std::str::from_utf8(&files[path]).unwrap()).unwrap();
    let header = read[0].cells.clone();
    read[1..]
        .iter()
        .map(|row| header.iter().cloned().zip(row.cells.iter().cloned()).collect())
        .collect()
}

/// A district with an earned and a not-yet submission and a programme, beside another district whose earner has handed in as well.
struct Story {
    app: TestApp,
    district: District,
    /// Whose work was not yet enough.
    second: Person,
    program: String,
    earned: String,
    not_yet: String,
    award: String,
    /// Ids, addresses and hashes of the other district.
    foreign: Vec<String>,
}

fn one_reader(id: &str) -> Value {
    let mut definition = definition(SMALL);
    definition["id"] = json!(id);
    definition["review_policy"]["second_score_when_not_yet"] = json!(false);
    definition["submission"]["part2"]["evidence"][0]["max_items"] = json!(3);
    definition
}

impl Story {
    fn new() -> Story {
        let app = TestApp::new();
        let district = app.district();
        let family = district.publish(&one_reader("mc-small"));
        let program =
            district.open_program(&district.coordinator, &complete_charter("pilot", &["mc-small"]));
        let csv = format!(
            "email,name,audience,school\n{},E,instructional_assistant,Willow",
            district.earner.email
        );
        let path = format!("/api/v1/programs/{program}/cohorts/ia/invitations");
        district.coordinator.post(&path, &json!({ "csv": csv })).expect(200);

        let earned = district.fill(&district.earner, &family);
        district.earner.upload(&earned, "a1", "My own name.jpg", &photograph()).expect(201);
        district.earner.act(&format!("/api/v1/submissions/{earned}/submit")).expect(200);
        district.score(&district.assessor, 0);
        let decided = district.earner.get(&format!("/api/v1/submissions/{earned}")).expect(200);
        let award = decided["award"]["id"].as_str().unwrap().to_owned();
        let second =
            app.invite(&district.admin, &district.schools[0], "second@example.org", &["earner"]);
        let not_yet = district.submit(&second, &family);
        District::score_below(&district.assessor, &["c1"], "Say it for one learner.");
        let state = second.get(&format!("/api/v1/submissions/{not_yet}")).expect(200);
        assert_eq!(state["decision"], "not_yet", "{state}");
        let foreign = elsewhere(&app);
        Story { app, district, second, program, earned, not_yet, award, foreign }
    }
}

/// Another district of the same installation, where somebody hands in a file.
fn elsewhere(app: &TestApp) -> Vec<String> {
    let harbour = app.seed_root("Harbour");
    let admin = app.seed(&harbour, "admin@harbour.example.org", &["administrator"]);
    let departments =
        ["Sea", "Land"].map(|name| app.organization(&admin, &harbour, name, "department"));
    let school = app.organization(&admin, &harbour, "Lighthouse", "school");
    let seed = |organization: &str, name: &str, role: &str| {
        app.seed(organization, &format!("{name}@harbour.example.org"), &[role])
    };
    let other = District {
        coordinator: seed(&harbour, "coordinator", "coordinator"),
        officer: seed(&harbour, "officer", "issuing_officer"),
        custodian: seed(&harbour, "custodian", "key_custodian"),
        auditor: seed(&harbour, "auditor", "auditor"),
        designers: [
            seed(&departments[0], "designer-0", "designer"),
            seed(&departments[1], "designer-1", "designer"),
        ],
        assessor: seed(&harbour, "assessor", "assessor"),
        earner: app.seed(&school, KEEPER, &["earner"]),
        schools: [school.clone(), school.clone()],
        departments,
        admin,
        id: harbour.clone(),
    };
    let family = other.publish(&one_reader("mc-harbour"));
    let submission = other.fill(&other.earner, &family);
    let bytes = page();
    let item = other.earner.upload(&submission, "a1", "harbour.pdf", &bytes).expect(201);
    other.earner.act(&format!("/api/v1/submissions/{submission}/submit")).expect(200);
    let id = item["id"].as_str().unwrap().to_owned();
    let earner = other.earner.id.clone();
    vec![harbour, school, family, submission, id, earner, KEEPER.to_owned(), hex(&bytes)]
}

#[test]
fn records_of_a_district_come_out_whole_each_with_its_hash() {
    let story = Story::new();
    let (app, district) = (&story.app, &story.district);
    let folder = TempDir::new().unwrap();
    let files = exported(app, &district.id, folder.path(), &["--evidence"]);

    let people = table(&files, "records/people.csv");
    let earner = people.iter().find(|row| row["person_id"] == district.earner.id).unwrap();
    assert_eq!(
        (earner["email"].as_str(), earner["organization"].as_str(), earner["roles"].as_str()),
        ("earner@example.org", "Willow", "earner")
    );
    let invitees = table(&files, &format!("records/programs/{}/invitees.csv", story.program));
    assert_eq!(invitees.len(), 1);
    assert_eq!(invitees[0]["person_id"], district.earner.id);
    let changes = lines(&files, &format!("records/programs/{}/changes.ndjson", story.program));
    assert!(changes.iter().any(|change| change["event"] == "open"), "{changes:?}");
    let figures = &files[&format!("records/programs/{}/figures.json", story.program)];
    assert_eq!(serde_json::from_slice::<Value>(figures).unwrap()["state"], "open");

    let all = lines(&files, "records/submissions.ndjson");
    let by_id = |id: &str| all.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(all.len(), 2);
    let own = district.earner.get(&format!("/api/v1/submissions/{}", story.earned)).expect(200);
    let earned = by_id(&story.earned);
    assert_eq!(
        (&earned["state"], &earned["earner_id"]),
        (&json!("decided"), &json!(district.earner.id))
    );
    assert_eq!(earned["answers"]["q1"]["text"], "We agreed on roles and a signal.");
    assert_eq!(earned["decision"]["outcome"], "earned");
    assert_eq!(earned["decision"]["overall_feedback"], own["feedback"]["overall_feedback"]);
    let not_yet = by_id(&story.not_yet);
    assert_eq!(not_yet["decision"]["levels"]["c1"]["feedback"], "Say it for one learner.");
    assert_eq!(not_yet["decision"]["levels"]["c1"]["level"], 0);

    let readings = lines(&files, "records/reviews.ndjson");
    assert_eq!(readings.len(), 2);
    assert!(readings.iter().all(|one| one["reader"] == "reader-0001" && one["state"] == "locked"));
    assert_eq!(readings[1]["scores"]["c1"]["feedback"], "Say it for one learner.");

    let evidence = table(&files, "records/evidence.csv");
    let [file] = &evidence[..] else { panic!("{evidence:?}") };
    assert_eq!(
        (file["name"].as_str(), file["sha256"].clone()),
        ("My own name.jpg", hex(&photograph()))
    );
    assert_eq!(files[&file["path"]], photograph(), "as it was handed in");
    assert!(!file["path"].contains("own name"));

    let awards = table(&files, "records/awards.csv");
    assert_eq!(awards.len(), 1);
    assert_eq!(awards[0]["award_id"], story.award);
    assert_eq!(
        (awards[0]["submission_id"].as_str(), awards[0]["state"].as_str()),
        (story.earned.as_str(), "active")
    );
    assert!(files.contains_key("records/credit-ledger.csv"));
    // For the operator alone, and each file is said what it is.
    let mode =
        |path: &str| folder.path().join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("records/people.csv"), mode("awards.csv")), (0o600, 0o644));
    let note = std::fs::read_to_string(folder.path().join("README.txt")).unwrap();
    for name in ["people.csv", "submissions.ndjson", "reviews.ndjson", "audit-links.csv"] {
        assert!(note.contains(name), "{name}");
    }

    // The next one without evidence renews the folder: what is not asked for is gone, also what one that broke off has left.
    let left = folder.path().join("records/evidence/left-behind");
    std::fs::write(&left, "a name").unwrap();
    let again = exported(app, &district.id, folder.path(), &[]);
    assert!(!folder.path().join(&file["path"]).exists() && !left.exists());
    assert!(!again.keys().any(|path| path.contains("evidence")));
    // And the one after that without records at all.
    assert!(export(app, &district.id, folder.path(), &[]).status.success());
    assert!(!folder.path().join("records").exists());
    let trail = district.auditor.get("/api/v1/audit-events?limit=100").expect(200);
    let events = trail["items"].as_array().unwrap().iter();
    let said: Vec<&Value> = events.filter(|one| one["verb"] == "export_records").collect();
    assert_eq!(said.len(), 2, "{trail}");
}

#[test]
fn nothing_in_the_folder_says_who_read_what_unless_it_is_asked_for() {
    let story = Story::new();
    let (app, district) = (&story.app, &story.district);
    let folder = TempDir::new().unwrap();
    let files = exported(app, &district.id, folder.path(), &["--evidence"]);
    let assessor = district.assessor.id.as_bytes();
    assert_eq!(files_with(&files, assessor), ["records/people.csv"]);
    assert_eq!(files_with(&files, district.assessor.email.as_bytes()), ["records/people.csv"]);
    let ids: Vec<String> = reviews::table
        .select(reviews::id)
        .load(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    assert!(ids.len() >= 2);
    for id in &ids {
        assert_eq!(files_with(&files, id.as_bytes()), Vec::<String>::new());
    }
    let named = exported(app, &district.id, folder.path(), &["--with-names"]);
    let readings = lines(&named, "records/reviews.ndjson");
    assert!(readings.iter().all(|one| one["reader"] == district.assessor.id.as_str()));
    assert!(
        files_with(&named, ids[0].as_bytes()).contains(&"records/audit-events.ndjson".to_owned())
    );
}

#[test]
fn whoever_screens_doubts_or_votes_is_named_no_more_than_a_reader() {
    let app = TestApp::new();
    let district = app.district();
    let invite =
        |email: &str, role: &str| app.invite(&district.admin, &district.id, email, &[role]);
    let fresh = ["fresh-0@example.org", "fresh-1@example.org"].map(|one| invite(one, "assessor"));
    let panel = [0, 1, 2].map(|n| invite(&format!("panel-{n}@example.org"), "review_panel"));
    let screeners = [0, 1].map(|n| invite(&format!("screener-{n}@example.org"), "pre_screener"));
    let lead = invite("lead@example.org", "lead_assessor");
    let family = district.publish(&one_reader("mc-small"));
    let id = district.submit(&district.earner, &family);
    let path = format!("/api/v1/submissions/{id}");
    // The first one lets it lie, and it becomes the second one's.
    screeners[0].act(&format!("{path}/screening/begin")).expect(200);
    app.advance(LEASE);
    let again = |person: &Person| app.sign_in(&person.email);
    let body = json!({ "complete": true, "items": [] });
    again(&screeners[1]).post(&format!("{path}/screening"), &body).expect(200);
    District::score_below(&again(&district.assessor), &["c4"], "Say how you checked.");
    let earner = again(&district.earner);
    let body = json!({ "grounds": "scoring", "criteria": ["c4"], "statement": "It is there." });
    let own = earner.post(&format!("{path}/appeal"), &body).expect(201);
    let case = format!("/api/v1/cases/{}/votes", own["cases"][0]["id"].as_str().unwrap());
    for reader in &fresh {
        District::score_below(&again(reader), &[], "");
    }
    for member in &panel {
        let body = json!({ "vote": "rescore", "reasons": "It is there." });
        again(member).post(&case, &body).expect(201);
    }
    let second = app.invite(
        &again(&district.admin),
        &district.schools[0],
        "second@example.org",
        &["earner"],
    );
    let doubtful = district.submit(&second, &family);
    let body = json!({ "statement": "The plan has the date of another year." });
    again(&lead).post(&format!("/api/v1/submissions/{doubtful}/flag"), &body).expect(201);

    let verbs = ["begin_screening", "screen_submission", "vote_on_case", "flag_submission"];
    let told = |files: &BTreeMap<String, Vec<u8>>| -> BTreeSet<String> {
        lines(files, "records/audit-events.ndjson")
            .iter()
            .filter_map(|event| event["verb"].as_str().map(str::to_owned))
            .filter(|verb| verbs.contains(&verb.as_str()))
            .collect()
    };
    let folder = TempDir::new().unwrap();
    let files = exported(&app, &district.id, folder.path(), &[]);
    for person in panel.iter().chain(&fresh).chain([&screeners[1], &lead]) {
        let found = files_with(&files, person.id.as_bytes());
        assert_eq!(found, ["records/people.csv"], "{}", person.email);
    }
    assert_eq!(told(&files), BTreeSet::new());
    // Whoever has appealed is no reader.
    let trail = "records/audit-events.ndjson".to_owned();
    assert!(files_with(&files, earner.id.as_bytes()).contains(&trail));
    let named = exported(&app, &district.id, folder.path(), &["--with-names"]);
    assert_eq!(told(&named), verbs.map(str::to_owned).into());
}

#[test]
fn what_was_not_handed_in_and_what_is_not_locked_is_not_in_it() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish(&one_reader("mc-small"));
    let draft = district.fill(&district.earner, &family);
    district.earner.upload(&draft, "a1", "Not yet.jpg", &photograph()).expect(201);
    let second =
        app.invite(&district.admin, &district.schools[0], "second@example.org", &["earner"]);
    let submitted = district.submit(&second, &family);
    let other = app.invite(&district.admin, &district.id, "other@example.org", &["assessor"]);
    let words = "Half a thought of a reader.";
    let write_sheet = |assessor: &Person| {
        let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
        let etag = claimed.etag();
        let review = claimed.expect(201);
        let mut sheet = District::sheet(&review, 0);
        sheet["overall_feedback"] = json!(words);
        for line in sheet["scores"].as_array_mut().unwrap() {
            line["feedback"] = json!(words);
        }
        let path = format!("/api/v1/reviews/{}", review["id"].as_str().unwrap());
        assessor.put(&format!("{path}/scores"), &etag, &sheet).expect(200);
        path
    };
    let recused = write_sheet(&district.assessor);
    let reason = json!({ "reason": "I know who this is." });
    district.assessor.post(&format!("{recused}/recuse"), &reason).expect(200);
    let leased = write_sheet(&other);

    let folder = TempDir::new().unwrap();
    let files = exported(&app, &district.id, folder.path(), &["--evidence"]);
    let all = lines(&files, "records/submissions.ndjson");
    let by_id = |id: &str| all.iter().find(|one| one["id"] == id).unwrap();
    let own = by_id(&draft);
    assert_eq!(own["state"], "draft");
    assert_eq!([&own["answers"], &own["evidence"]], [&json!(null), &json!([])]);
    assert!(by_id(&submitted)["answers"]["q1"]["text"].is_string());
    assert_eq!(table(&files, "records/evidence.csv"), Vec::<BTreeMap<String, String>>::new());
    assert!(!files.keys().any(|path| path.starts_with("records/evidence/")));
    let readings = lines(&files, "records/reviews.ndjson");
    let states: BTreeSet<&str> =
        readings.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, BTreeSet::from(["leased", "recused"]));
    for one in &readings {
        assert_eq!([&one["scores"], &one["overall_feedback"]], [&json!({}), &json!(null)]);
    }
    assert_eq!(files_with(&files, words.as_bytes()), Vec::<String>::new());

    // Once it is locked it is.
    other.act(&format!("{leased}/lock")).expect(200);
    let files = exported(&app, &district.id, folder.path(), &[]);
    let readings = lines(&files, "records/reviews.ndjson");
    let locked = readings.iter().find(|one| one["state"] == "locked").unwrap();
    assert_eq!(locked["overall_feedback"], words);
    assert_eq!(locked["scores"]["c1"]["feedback"], words);
}

#[test]
fn trail_of_the_folder_can_be_checked_without_the_service() {
    let story = Story::new();
    let (app, district) = (&story.app, &story.district);
    let folder = TempDir::new().unwrap();
    for names in [&[][..], &["--with-names"]] {
        let files = exported(app, &district.id, folder.path(), names);
        let links = table(&files, "records/audit-links.csv");
        let hash_of = |seq: i64| match seq {
            0 => assay::domain::audit::GENESIS.to_owned(),
            _ => {
                let link = &links[usize::try_from(seq).unwrap() - 1];
                assert_eq!(link["seq"], seq.to_string());
                link["hash"].clone()
            }
        };
        let events = lines(&files, "records/audit-events.ndjson");
        let mut n_whole = 0;
        for event in &events {
            let seq = event["seq"].as_i64().unwrap();
            assert_eq!(event["hash"], hash_of(seq));
            assert_eq!(event["previous_hash"], hash_of(seq - 1));
            if event["withheld"] == true {
                assert_eq!(event.as_object().unwrap().len(), 4, "{event}");
                continue;
            }
            n_whole += 1;
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let moment = DateTime::parse_from_rfc3339(&text("happened_at")).unwrap();
            let own = AuditEvent {
                id: text("id"),
                happened_at: Timestamp::new(moment.to_utc()),
                actor: event["actor_id"].as_str().map(|id| id.parse().unwrap()),
                organization: event["organization_id"].as_str().map(|id| id.parse().unwrap()),
                verb: text("verb"),
                object_kind: text("object_kind"),
                object_id: text("object_id"),
                detail: text("detail"),
            };
            assert_eq!(own.hash_at(seq, &hash_of(seq - 1)), hash_of(seq), "{event}");
            let altered = AuditEvent { verb: "nothing".to_owned(), ..own };
            assert_ne!(altered.hash_at(seq, &hash_of(seq - 1)), hash_of(seq));
        }
        assert!(n_whole > 10);
        assert_eq!(n_whole < events.len(), names.is_empty(), "only with names nothing is withheld");
        // Others' events have a place, and no line.
        assert!(events.len() < links.len());
        let mut conn = app.resources.database.connection().unwrap();
        let (head, hash) = store::audit::find_head(&mut conn).unwrap();
        assert_eq!((hash_of(head), links.len()), (hash, usize::try_from(head).unwrap()));
    }
}

#[test]
fn no_key_no_password_no_sign_in_and_nothing_of_another_district_is_in_it() {
    let story = Story::new();
    let (app, district) = (&story.app, &story.district);
    let folder = TempDir::new().unwrap();
    let mut files = exported(app, &district.id, folder.path(), &["--evidence", "--with-names"]);
    let note = std::fs::read(folder.path().join("README.txt")).unwrap();
    files.insert("README.txt".to_owned(), note);
    for foreign in &story.foreign {
        assert_eq!(files_with(&files, foreign.as_bytes()), Vec::<String>::new(), "{foreign}");
    }
    let mut secrets: Vec<Vec<u8>> = vec![
        PASSWORD.as_bytes().to_vec(),
        b"$argon2".to_vec(),
        b"sealed_".to_vec(),
        std::fs::read(app.folder().join("key-encryption-key")).unwrap().trim_ascii().to_vec(),
    ];
    for person in [&district.earner, &district.assessor, &story.second, &district.admin] {
        secrets.push(person.token.as_bytes().to_vec());
        secrets.push(person.refresh_token.as_bytes().to_vec());
    }
    let conn = &mut *app.resources.database.connection().unwrap();
    let hashes: Vec<String> =
        person_passwords::table.select(person_passwords::password_hash).load(conn).unwrap();
    let tokens: Vec<String> =
        refresh_tokens::table.select(refresh_tokens::token_sha256).load(conn).unwrap();
    let keys: Vec<Vec<u8>> =
        signing_keys::table.select(signing_keys::wrapped_key).load(conn).unwrap();
    let data_keys: Vec<Option<Vec<u8>>> =
        submissions::table.select(submissions::sealed_key).load(conn).unwrap();
    let texts = hashes.into_iter().chain(tokens).map(String::into_bytes);
    secrets.extend(texts.chain(keys).chain(data_keys.into_iter().flatten()));
    assert!(secrets.len() > 30 && secrets.iter().all(|secret| secret.len() > 5));
    let mut written: Vec<Vec<u8>> = Vec::new();
    for secret in &secrets {
        written.push(secret.clone());
        written.push(assay::domain::audit::hex(secret).into_bytes());
    }
    for secret in written.iter().collect::<BTreeSet<_>>() {
        let found = files_with(&files, secret);
        assert!(found.is_empty(), "{} in {found:?}", String::from_utf8_lossy(secret));
    }
}

#[test]
fn what_nobody_can_read_any_more_is_null_and_what_cannot_be_exported_is_refused() {
    let story = Story::new();
    let (app, district) = (&story.app, &story.district);
    {
        let conn = &mut *app.resources.database.connection().unwrap();
        store::submissions::forget(conn, story.earned.parse().unwrap()).unwrap();
    }
    let folder = TempDir::new().unwrap();
    let files = exported(app, &district.id, folder.path(), &["--evidence"]);
    let all = lines(&files, "records/submissions.ndjson");
    let forgotten = all.iter().find(|one| one["id"] == story.earned.as_str()).unwrap();
    assert_eq!(forgotten["answers"], json!(null));
    assert!(
        forgotten["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["name"].is_null() && item["content"].is_null())
    );
    assert_eq!(forgotten["decision"]["outcome"], "earned", "the decision stays");
    assert_eq!(table(&files, "records/evidence.csv"), Vec::<BTreeMap<String, String>>::new());

    let nowhere = "01900000-0000-7000-8000-000000000000";
    let refused = export(app, nowhere, TempDir::new().unwrap().path(), &["--records"]);
    assert!(!refused.status.success());
    for alone in [&["--with-names"][..], &["--evidence"]] {
        let usage = export(app, &district.id, TempDir::new().unwrap().path(), alone);
        assert_eq!(usage.status.code(), Some(64), "{alone:?} says nothing without records");
    }
}
