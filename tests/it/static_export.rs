//! `assay export --static`: the public documents as plain files, as whoever runs the installation makes them.
//!
//! That independent verifiers take badges with nothing but these files is tried in `.ci/run`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assay::service::housekeeping;
use assay::store::schema::signing_keys;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use diesel::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::harness::{BASE_URL, District, TestApp, definition};

const MANIFEST: &str = "assay-export.json";
const NOTE: &str = "README.txt";

/// The program, on the data of a test's service.
fn export(app: &TestApp, folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.env_clear().arg("export").arg("--static").arg(folder).args(more);
    command.arg("--data-dir").arg(app.folder());
    if let Some(url) = app.database_url() {
        command.env("DATABASE_URL", url);
    }
    command.output().unwrap()
}

/// Exports, and returns the list of files by their path.
#[track_caller]
fn exported(app: &TestApp, folder: &Path, more: &[&str]) -> BTreeMap<String, Value> {
    let output = export(app, folder, &[more, &["--json"]].concat());
    assert!(output.status.success(), "{output:?}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let kept: Value =
        serde_json::from_slice(&std::fs::read(folder.join(MANIFEST)).unwrap()).unwrap();
    assert_eq!(printed, kept);
    assert_eq!(kept["base_url"], BASE_URL);
    let files = kept["files"].as_array().unwrap();
    let by_path: BTreeMap<String, Value> = files
        .iter()
        .map(|file| (file["path"].as_str().unwrap().to_owned(), file.clone()))
        .collect();
    assert_eq!(by_path.len(), files.len(), "a path is there twice");
    by_path
}

/// The paths of all files below a folder.
fn all_files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// The first folder names of paths, each with how many files it has.
fn counted(files: &BTreeMap<String, Value>) -> BTreeMap<&str, usize> {
    let mut counted = BTreeMap::new();
    for path in files.keys() {
        *counted.entry(path.split('/').next().unwrap()).or_default() += 1;
    }
    counted
}

#[track_caller]
fn set(district: &District, identifier: &str) {
    let path = format!("/api/v1/organizations/{}/issuer-settings", district.id);
    let etag = district.custodian.get(&path).etag();
    let body = json!({
        "identifier": identifier, "jwt_algorithm": "RS256", "status_method": "bitstring",
    });
    district.custodian.put(&path, &etag, &body).expect(200);
}

/// A district with one award.
fn awarded(app: &TestApp) -> (District, String) {
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    (district, award)
}

#[test]
fn each_public_document_is_a_plain_file_that_says_what_the_service_says() {
    let app = TestApp::new();
    let (district, award) = awarded(&app);
    let folder = TempDir::new().unwrap();
    let files = exported(&app, folder.path(), &[]);

    let badge = app.anybody().get(&format!("/credentials/{award}")).expect(200);
    let below = |url: &Value| {
        url.as_str().unwrap().strip_prefix(&format!("{BASE_URL}/")).unwrap().to_owned()
    };
    let list = below(&badge["credentialStatus"]["statusListCredential"]);
    for path in [
        below(&badge["issuer"]["id"]),
        list.clone(),
        format!("{list}.jwt"),
        below(&badge["credentialSubject"]["achievement"]["id"]),
        "contexts/index.json".to_owned(),
    ] {
        assert!(files.contains_key(&path), "{path} is missing among {:?}", files.keys());
    }
    // A list that no badge names would only tell strangers whose badges are revoked.
    assert!(!counted(&files).contains_key("revocation-lists"));
    let keys = format!("/api/v1/organizations/{}/signing-keys", district.id);
    let keys = district.custodian.get(&keys).expect(200);
    let n_keys = keys["items"].as_array().unwrap().len();
    assert!(n_keys >= 2, "{keys}");
    assert_eq!(counted(&files)["keys"], n_keys);
    assert!(!counted(&files).contains_key("credentials"));

    let mut on_disk = all_files(folder.path());
    for own in [MANIFEST, NOTE] {
        assert!(on_disk.remove(own), "{own}");
    }
    assert_eq!(on_disk, files.keys().cloned().collect());
    for (path, file) in &files {
        let bytes = std::fs::read(folder.path().join(path)).unwrap();
        let digest: String =
            Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(file["sha256"], digest.as_str(), "{path}");
        if path.starts_with("contexts/") {
            continue;
        }
        let media_type = file["media_type"].as_str().unwrap();
        let served = app.anybody().get_as(&format!("/{path}"), media_type);
        assert_eq!(served.status, 200, "{path}");
        assert_eq!(served.headers["content-type"], media_type, "{path}");
        if media_type == "application/vc+jwt" || media_type == "application/vc" {
            assert_eq!(bytes, served.bytes, "{path}");
        } else {
            assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), served.json, "{path}");
        }
    }
    let note = std::fs::read_to_string(folder.path().join(NOTE)).unwrap();
    assert!(note.contains(BASE_URL) && note.contains(MANIFEST), "{note}");
}

#[test]
fn contexts_are_there_by_the_address_that_badges_name() {
    let app = TestApp::new();
    let (_, award) = awarded(&app);
    let folder = TempDir::new().unwrap();
    exported(&app, folder.path(), &[]);
    let contexts = folder.path().join("contexts");
    let index: Value =
        serde_json::from_slice(&std::fs::read(contexts.join("index.json")).unwrap()).unwrap();
    let badge = app.anybody().get(&format!("/credentials/{award}")).expect(200);
    let schema = badge["credentialSchema"][0]["id"].clone();
    for url in badge["@context"].as_array().unwrap().iter().chain([&schema]) {
        let entry = index.as_array().unwrap().iter().find(|entry| entry["url"] == *url);
        let entry = entry.unwrap_or_else(|| panic!("{url} is not in {index}"));
        let bytes = std::fs::read(contexts.join(entry["file"].as_str().unwrap())).unwrap();
        assert!(serde_json::from_slice::<Value>(&bytes).unwrap().is_object());
    }
}

#[test]
fn badges_come_along_when_they_are_asked_for() {
    let app = TestApp::new();
    let (_, award) = awarded(&app);
    let folder = TempDir::new().unwrap();
    let files = exported(&app, folder.path(), &["--with-credentials"]);
    assert_eq!(counted(&files)["credentials"], 3);
    for (name, accept) in [
        (award.clone(), "application/vc"),
        (format!("{award}.json"), "application/vc"),
        (format!("{award}.jwt"), "application/vc+jwt"),
    ] {
        let bytes = std::fs::read(folder.path().join("credentials").join(&name)).unwrap();
        let served = app.anybody().get_as(&format!("/credentials/{name}"), accept);
        assert_eq!(bytes, served.bytes, "{name}");
    }
    // Without being asked for they go again.
    let files = exported(&app, folder.path(), &[]);
    assert!(!counted(&files).contains_key("credentials"));
    assert!(!all_files(folder.path()).iter().any(|path| path.contains(&award)));
}

#[test]
fn second_export_has_the_new_status_and_drops_a_key_that_was_given_up() {
    let app = TestApp::new();
    let (district, award) = awarded(&app);
    let folder = TempDir::new().unwrap();
    let before = exported(&app, folder.path(), &[]);
    let keys = format!("/api/v1/organizations/{}/signing-keys", district.id);
    let listed = district.custodian.get(&keys).expect(200);
    let lost = listed["items"].as_array().unwrap().iter().find(|key| key["algorithm"] == "RS256");
    let lost = lost.unwrap()["id"].as_str().unwrap();
    district.custodian.act(&format!("{keys}/{lost}/compromise")).expect(200);
    app.resources.as_system(housekeeping::often).unwrap();
    district.revoke(&award).expect(200);

    let after = exported(&app, folder.path(), &[]);
    let path = format!("keys/{lost}");
    assert!(before.contains_key(&path) && !after.contains_key(&path));
    assert!(!folder.path().join(&path).exists());
    let issuer =
        std::fs::read_to_string(folder.path().join(format!("issuers/{}", district.id))).unwrap();
    let issuer: Value = serde_json::from_str(&issuer).unwrap();
    let methods = issuer["verificationMethod"].as_array().unwrap();
    let of_lost = methods.iter().find(|method| method["id"] == format!("{BASE_URL}/{path}"));
    assert!(of_lost.is_none_or(|method| method["revoked"].is_string()), "{of_lost:?}");
    let list = before.keys().find(|path| path.starts_with("status-lists/")).unwrap();
    assert_ne!(before[list]["sha256"], after[list]["sha256"]);
    let on_disk = all_files(folder.path());
    assert_eq!(on_disk.len(), after.len() + 2, "{on_disk:?}");
}

#[test]
fn issuer_that_gets_a_did_web_becomes_a_folder() {
    let app = TestApp::new();
    let (district, _) = awarded(&app);
    let folder = TempDir::new().unwrap();
    let issuer = format!("issuers/{}", district.id);
    exported(&app, folder.path(), &[]);
    let plain = std::fs::read(folder.path().join(&issuer)).unwrap();
    set(&district, "did_web");
    let files = exported(&app, folder.path(), &[]);
    assert!(!files.contains_key(&issuer));
    assert_eq!(std::fs::read(folder.path().join(format!("{issuer}/index.html"))).unwrap(), plain);
    let did: Value = serde_json::from_slice(
        &std::fs::read(folder.path().join(format!("{issuer}/did.json"))).unwrap(),
    )
    .unwrap();
    assert_eq!(did["id"], format!("did:web:badges.example.org:issuers:{}", district.id));
    // Nothing has been issued under it, so it goes with the setting.
    set(&district, "https");
    exported(&app, folder.path(), &[]);
    assert_eq!(std::fs::read(folder.path().join(&issuer)).unwrap(), plain);
}

#[test]
fn folder_with_something_else_in_it_is_left_as_it_is() {
    let app = TestApp::new();
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "three years").unwrap();
    let refused = export(&app, folder.path(), &[]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("is not empty and holds no earlier export"), "{said}");
    assert_eq!(all_files(folder.path()), BTreeSet::from(["thesis.txt".to_owned()]));
}

#[test]
fn list_of_an_earlier_export_removes_nothing_outside_of_its_folder() {
    let app = TestApp::new();
    let outside = TempDir::new().unwrap();
    let precious = outside.path().join("precious");
    std::fs::write(&precious, "mine").unwrap();
    let folder = outside.path().join("export");
    exported(&app, &folder, &[]);
    let absolute = precious.to_str().unwrap();
    let planted = json!({ "files": [{ "path": "../precious" }, { "path": absolute }] });
    std::fs::write(folder.join(MANIFEST), planted.to_string()).unwrap();
    exported(&app, &folder, &[]);
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "mine");
}

#[test]
fn nothing_private_is_in_any_file() {
    let app = TestApp::new();
    let (district, award) = awarded(&app);
    district.revoke(&award).expect(200);
    let folder = TempDir::new().unwrap();
    exported(&app, folder.path(), &["--with-credentials"]);
    let wrapped: Vec<Vec<u8>> = signing_keys::table
        .select(signing_keys::wrapped_key)
        .load(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    assert!(wrapped.len() >= 2);
    let mut private: Vec<(String, Vec<u8>)> = [
        // Everybody's address; in the tests it is their name as well.
        &district.admin.email,
        &district.officer.email,
        &district.custodian.email,
        &district.designers[0].email,
        &district.assessor.email,
        &district.earner.email,
        // Everybody's account.
        &district.assessor.id,
        &district.earner.id,
        &district.officer.id,
        // What was handed in, said about it, and noted at the revocation.
        "What was shown, in plain words.",
        "We agreed on roles and a signal.",
        "Say how you checked.",
        "decided by the panel",
        "PRIVATE KEY",
    ]
    .map(|text| (text.to_owned(), text.as_bytes().to_vec()))
    .to_vec();
    for key in wrapped {
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        for text in [STANDARD.encode(&key), URL_SAFE_NO_PAD.encode(&key), hex] {
            private.push(("a wrapped key".to_owned(), text.into_bytes()));
        }
        private.push(("a wrapped key".to_owned(), key));
    }
    let secrets = ["d", "p", "q", "dp", "dq", "qi", "k"];
    for path in all_files(folder.path()) {
        let bytes = std::fs::read(folder.path().join(&path)).unwrap();
        // A JWT says what it says in base64.
        let text = String::from_utf8(bytes.clone()).unwrap();
        let parts: Vec<Vec<u8>> = text
            .split('.')
            .filter_map(|part| URL_SAFE_NO_PAD.decode(part).ok())
            .filter(|_| path.ends_with(".jwt"))
            .collect();
        assert_eq!(parts.len(), if path.ends_with(".jwt") { 3 } else { 0 }, "{path}");
        for content in parts.iter().chain([&bytes]) {
            for (what, needle) in &private {
                let is_there = content.windows(needle.len()).any(|window| window == needle);
                assert!(!is_there, "{path} has {what}");
            }
        }
        if path.starts_with("keys/") {
            let key: Value = serde_json::from_slice(&bytes).unwrap();
            assert!(key["kty"].is_string(), "{key}");
            assert!(secrets.iter().all(|member| key.get(member).is_none()), "{key}");
        }
    }
}

#[test]
fn what_a_district_has_made_comes_out_in_open_formats_and_nothing_of_its_earners_or_of_others() {
    let app = TestApp::new();
    let (district, award) = awarded(&app);
    let designer = &district.designers[0];
    let path = format!("/api/v1/organizations/{}/shipped-frameworks", district.id);
    designer.post(&path, &json!({ "name": "collective-leadership" })).expect(201);
    let mut draft = definition("mc-shared-decision-making");
    draft["id"] = json!("mc-draft");
    let body = json!({ "organization_id": district.id, "definition": draft });
    let draft_id = designer.post("/api/v1/micro-credentials", &body).expect(201);
    let family =
        app.anybody().get("/api/v1/micro-credentials").expect(200)["items"][0]["id"].clone();
    let family = family.as_str().unwrap();
    let proposals = format!("/api/v1/micro-credentials/{family}/versions/1/proposals");
    designer.post(&proposals, &json!({ "text": "Say what counts as agreed." })).expect(201);
    app.anybody().post(&proposals, &json!({ "text": "Nobody has looked at this." })).expect(201);
    // Another tree with a draft of its own.
    let harbour = app.seed_root("Harbour");
    let stranger = app.seed(&harbour, "designer@harbour.example.org", &["designer"]);
    let body = json!({ "organization_id": harbour, "definition": draft });
    let foreign = stranger.post("/api/v1/micro-credentials", &body).expect(201);

    let folder = TempDir::new().unwrap();
    let run = |organization: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.env_clear().args(["export", "--organization", organization, "--json", "--to"]);
        command.arg(folder.path()).arg("--data-dir").arg(app.folder());
        if let Some(url) = app.database_url() {
            command.env("DATABASE_URL", url);
        }
        command.output().unwrap()
    };
    let output = run(&district.id);
    assert!(output.status.success(), "{output:?}");
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let paths: BTreeSet<&str> = listed["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).unwrap();
    let own = format!("organizations/{}", district.id);
    let parse = |path: &str| -> Value { serde_json::from_str(&read(path)).unwrap() };
    assert_eq!(parse(&format!("{own}/organization.json"))["name"], "Riverbend District");
    let version = app.anybody().get(&format!("/api/v1/micro-credentials/{family}/versions/1"));
    let published = parse(&format!("{own}/definitions/{family}/1.json"));
    assert_eq!(published, version.expect(200)["definition"]);
    let rubric =
        app.anybody().get(&format!("/api/v1/micro-credentials/{family}/versions/1/rubric"));
    assert_eq!(parse(&format!("{own}/rubrics/{family}/1.json")), rubric.expect(200));
    let draft_path = format!("{own}/definitions/{}/1.json", draft_id["id"].as_str().unwrap());
    assert_eq!(parse(&draft_path)["id"], "mc-draft");
    let frameworks: Vec<&&str> =
        paths.iter().filter(|path| path.starts_with(&format!("{own}/frameworks/"))).collect();
    assert_eq!(frameworks.len(), 1);
    assay::service::case_document::read(&parse(frameworks[0])).unwrap();
    // The badge to the byte, as everybody gets it.
    let badge = app.anybody().get(&format!("/credentials/{award}.json"));
    assert_eq!(read(&format!("credentials/{award}.json")).into_bytes(), badge.bytes);
    assert_eq!(read("awards.csv").lines().count(), 2);
    assert!(read("awards.csv").contains(&format!("{award},{},{family},active,", district.id)));
    // Schools and departments below it come along; others, earners and what was not shown do not.
    assert!(
        paths.contains(format!("organizations/{}/organization.json", district.schools[0]).as_str())
    );
    let everything: String = paths.iter().map(|path| read(path)).collect();
    let hidden = [
        foreign["id"].as_str().unwrap(),
        harbour.as_str(),
        "Nobody has looked at this",
        "We agreed on roles",
        "What was shown, in plain words",
        "earner@example.org",
        "wait until each learner",
    ];
    for text in hidden {
        assert!(!everything.contains(text), "{text} is in the export");
    }
    assert!(everything.contains("Say what counts as agreed."));
    let nowhere = run("01900000-0000-7000-8000-000000000000");
    assert!(!nowhere.status.success());
    let mut both = Command::new(env!("CARGO_BIN_EXE_assay"));
    let output =
        both.env_clear().args(["export", "--organization", &district.id]).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "without a folder it is bad usage");
}
