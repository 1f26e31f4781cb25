//! What people without an account add to a draft: one link, one item, and nothing else to be learnt by it.

use chrono::TimeDelta;
use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::canaries::{page, photograph, picture};
use crate::harness::{Answer, District, Person, TestApp};

/// A draft with everything filled in.
struct Scene {
    app: TestApp,
    district: District,
    earner: Person,
    /// The path of the draft.
    path: String,
}

impl Scene {
    fn new() -> Scene {
        let app = TestApp::new();
        let district = app.district();
        let earner = district.earner.clone();
        let family = district.publish_small_group();
        let path = format!("/api/v1/submissions/{}", district.fill(&earner, &family));
        Scene { app, district, earner, path }
    }

    fn ask(&self, body: &Value) -> Answer {
        self.earner.post(&format!("{}/contribution-links", self.path), body)
    }

    /// The secret of a new link for a colleague.
    #[track_caller]
    fn colleague(&self) -> String {
        let made = self.ask(&json!({
            "requirement_id": "a3", "contributor": "colleague", "message": "Ten minutes on Tuesday.",
        }));
        secret(&made.expect(201))
    }

    fn read(&self, token: &str) -> Answer {
        self.app.anybody().post("/api/v1/contributions/read", &json!({ "token": token }))
    }

    fn add(&self, token: &str, text: &str) -> Answer {
        let body = json!({ "token": token, "text": text });
        self.app.anybody().post("/api/v1/contributions", &body)
    }

    /// How many mails have told the earner that something was added.
    fn letters(&self) -> usize {
        self.app.send_mail();
        let folder = std::fs::read_dir(self.app.folder().join("mail")).unwrap();
        let texts = folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        texts.filter(|text| text.contains("whom you gave a link")).count()
    }

    fn states(&self) -> Vec<Value> {
        let links = self.earner.get(&format!("{}/contribution-links", self.path)).expect(200);
        links["items"].as_array().unwrap().iter().map(|link| link["state"].clone()).collect()
    }
}

fn secret(link: &Value) -> String {
    let (page, token) = link["url"].as_str().unwrap().split_once('#').unwrap();
    assert!(page.ends_with("/contributions/new"), "{page}");
    token.to_owned()
}

#[test]
fn colleague_adds_one_item_by_a_link_and_the_reader_sees_that_it_is_a_colleagues() {
    let scene = Scene::new();
    let token = scene.colleague();
    let asked = scene.read(&token).expect(200);
    assert_eq!(asked["message"], "Ten minutes on Tuesday.");
    assert_eq!(asked["contributor"], "colleague");
    for told in [&scene.earner.id, &scene.earner.email, "Willow"] {
        assert!(!asked.to_string().contains(told), "{told} in {asked}");
    }
    assert_eq!(scene.add(&token, "Every learner spoke twice.").status, 204);
    assert_eq!(scene.states(), ["used"]);
    for again in [scene.add(&token, "And once more."), scene.read(&token)] {
        assert_eq!(again.problem(), "not-found");
    }
    let own = scene.earner.get(&scene.path).expect(200);
    let items = own["evidence"].as_array().unwrap();
    let added: Vec<&Value> =
        items.iter().filter(|item| item["contributor"] == "colleague").collect();
    assert_eq!(added.len(), 1);
    assert_eq!(added[0]["text"], "Every learner spoke twice.");
    assert_eq!(added[0]["requirement_id"], "a3");
    assert_eq!(scene.letters(), 1);

    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    let review = scene.district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    let seen = review["work"]["evidence"].as_array().unwrap();
    let seen: Vec<&Value> = seen.iter().filter(|item| item["contributor"] == "colleague").collect();
    assert_eq!(seen[0]["text"], "Every learner spoke twice.");
    scene.app.audit_events();
}

#[test]
fn link_that_was_taken_back_is_too_old_or_comes_too_late_adds_nothing() {
    let scene = Scene::new();
    let before = scene.earner.get(&scene.path).expect(200)["evidence"].clone();
    let made =
        scene.ask(&json!({ "requirement_id": "a3", "contributor": "colleague" })).expect(201);
    let link = format!("{}/contribution-links/{}", scene.path, made["id"].as_str().unwrap());
    assert_eq!(scene.earner.delete(&link).status, 204);
    assert_eq!(scene.earner.delete(&link).problem(), "wrong-state");
    let open = scene.colleague();
    assert_eq!(scene.states(), ["ended", "open"]);
    for token in [secret(&made).as_str(), "made-up", ""] {
        assert_eq!(scene.add(token, "Seen.").problem(), "not-found");
    }
    // What is wrong with the words leaves the link as it is.
    for text in [" ", &"a".repeat(20_001)] {
        let fault = ("/text".to_owned(), "words".to_owned());
        assert_eq!(scene.add(&open, text).faults(), [fault]);
    }
    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    assert_eq!(scene.add(&open, "Seen.").problem(), "not-found");
    scene.earner.act(&format!("{}/recall", scene.path)).expect(200);
    assert_eq!(scene.read(&open).expect(200)["contributor"], "colleague");
    assert_eq!(scene.earner.get(&scene.path).expect(200)["evidence"], before);

    scene.app.advance(TimeDelta::days(31));
    assert_eq!(scene.add(&open, "Seen.").problem(), "not-found");
    let again = scene.app.sign_in("earner@example.org");
    let links = again.get(&format!("{}/contribution-links", scene.path)).expect(200);
    assert_eq!(links["items"][1]["state"], "expired");
}

#[test]
fn family_and_student_are_asked_with_the_consent_form_and_everybody_within_the_room_there_is() {
    let scene = Scene::new();
    let fault = |pointer: &str, code: &str| [(pointer.to_owned(), code.to_owned())];
    for contributor in ["family", "student"] {
        let body = json!({ "requirement_id": "a3", "contributor": contributor });
        assert_eq!(scene.ask(&body).faults(), fault("/consent", "consent-missing"));
    }
    let with = |changes: Value| {
        let mut body = json!({ "requirement_id": "a3", "contributor": "family", "consent": true });
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        scene.ask(&body)
    };
    for requirement in ["q1", "a9"] {
        let refused = with(json!({ "requirement_id": requirement }));
        assert_eq!(refused.faults(), fault("/requirement_id", "unknown-requirement"));
    }
    let refused = with(json!({ "contributor": "neighbour" }));
    assert_eq!(refused.faults(), fault("/contributor", "unknown-word"));
    let refused = with(json!({ "message": "a".repeat(1001) }));
    assert_eq!(refused.faults(), fault("/message", "too-long"));
    // Students who can be recognised need the consents whoever writes.
    let refused =
        with(json!({ "contributor": "colleague", "contains_students": true, "consent": false }));
    assert_eq!(refused.faults(), fault("/consent", "consent-missing"));

    // Nobody is asked for what there is no room for: links that still work count.
    let mut links = Vec::new();
    let mut made = with(json!({}));
    while made.status == 201 {
        links.push(made.json.clone());
        made = with(json!({}));
    }
    assert_eq!(made.faults(), fault("/requirement_id", "too-many-items"));
    assert!(!links.is_empty() && links.len() < 20);
    for link in &links {
        assert_eq!(scene.add(&secret(link), "My child asks more.").status, 204);
    }
    assert_eq!(with(json!({})).faults(), fault("/requirement_id", "too-many-items"));
    let own = scene.earner.get(&scene.path).expect(200);
    let items = own["evidence"].as_array().unwrap();
    let added: Vec<&Value> = items.iter().filter(|item| item["contributor"] == "family").collect();
    assert_eq!(added.iter().filter(|item| item["consent"] == true).count(), links.len());

    // What was taken back makes room, up to twenty links.
    let item = added[0]["id"].as_str().unwrap();
    assert_eq!(scene.earner.delete(&format!("{}/evidence/{item}", scene.path)).status, 204);
    for _ in links.len()..20 {
        let made = with(json!({})).expect(201);
        let link = format!("{}/contribution-links/{}", scene.path, made["id"].as_str().unwrap());
        assert_eq!(scene.earner.delete(&link).status, 204);
    }
    assert_eq!(with(json!({})).faults(), fault("", "too-many-links"));
}

#[test]
fn two_who_use_a_link_at_once_add_one_item() {
    let scene = Scene::new();
    for _ in 0..5 {
        let token = scene.colleague();
        let start = std::sync::Barrier::new(2);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads = [(), ()].map(|()| {
                scope.spawn(|| {
                    start.wait();
                    scene.add(&token, "Every learner spoke twice.").status
                })
            });
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
        let own = scene.earner.get(&scene.path).expect(200);
        let items = own["evidence"].as_array().unwrap();
        let added: Vec<&Value> =
            items.iter().filter(|item| item["contributor"] == "colleague").collect();
        assert_eq!(added.len(), 1);
        let content = added[0]["id"].as_str().unwrap();
        let taken = scene.earner.delete(&format!("{}/evidence/{content}", scene.path));
        assert_eq!(taken.status, 204, "the earner takes it away like anything else");
    }
}

/// Sends a file by a link, with the fields of the form in this order.
fn send_file(scene: &Scene, parts: &[(&str, &str)], name: &str, bytes: Vec<u8>) -> Answer {
    let anybody = scene.app.anybody();
    let mut form = Form::new();
    for (field, text) in parts {
        form = match *field {
            "file" => {
                let file = Part::bytes(bytes.clone()).file_name(name.to_owned());
                form.part("file", file)
            }
            field => form.text(field.to_owned(), (*text).to_owned()),
        };
    }
    anybody.send(anybody.request(Method::POST, "/api/v1/contributions").multipart(form))
}

fn with_token(scene: &Scene, token: &str, name: &str, bytes: Vec<u8>) -> Answer {
    send_file(scene, &[("token", token), ("file", "")], name, bytes)
}

/// A recording as a phone makes it: the head of an M4A file, and sound.
fn recording() -> Vec<u8> {
    let mut bytes = b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom".to_vec();
    bytes.extend([7; 4096]);
    bytes
}

#[test]
fn colleague_sends_a_photo_and_readers_get_a_copy_without_what_the_phone_wrote_into_it() {
    let scene = Scene::new();
    let token = scene.colleague();
    let asked = scene.read(&token).expect(200);
    let files = asked["files"].as_array().unwrap();
    let kinds: Vec<&Value> = files.iter().map(|kind| &kind["media_type"]).collect();
    assert_eq!(kinds, ["application/pdf", "image/jpeg", "image/heic"]);
    assert!(files.iter().all(|kind| kind["max_bytes"] == 100 * 1024 * 1024));
    assert_eq!(with_token(&scene, &token, "quillfeather.JPG", photograph()).status, 204);
    assert_eq!(scene.states(), ["used"]);
    assert_eq!(with_token(&scene, &token, "again.jpg", photograph()).problem(), "not-found");
    let own = scene.earner.get(&scene.path).expect(200);
    let added = own["evidence"].as_array().unwrap().last().unwrap().clone();
    assert_eq!([&added["kind"], &added["contributor"]], [&json!("file"), &json!("colleague")]);
    assert_eq!([&added["media_type"], &added["metadata"]], ["image/jpeg", "removed"]);
    assert_eq!(added["file_name"], "quillfeather.JPG");
    let original = scene.earner.get(added["content_path"].as_str().unwrap());
    assert_eq!(original.bytes, photograph());
    assert_eq!(scene.letters(), 1);

    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    let review = scene.district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    let items = review["work"]["evidence"].as_array().unwrap();
    let seen = items.iter().find(|item| item["kind"] == "file").unwrap();
    assert_eq!(seen["contributor"], "colleague");
    assert_eq!(seen["file_name"], "a3-2.jpg");
    let copy = scene.district.assessor.get(seen["content_path"].as_str().unwrap());
    assert_eq!(copy.status, 200);
    for word in [b"quillfeather".as_slice(), b"Quillfeather", b"marigold"] {
        let has = |bytes: &[u8]| bytes.windows(word.len()).any(|window| window == word);
        assert!(!has(&copy.bytes));
    }
    assert_ne!(copy.bytes, original.bytes);
    // On disk nothing lies open.
    let folder = scene.app.folder().join("evidence");
    assert!(files_with(&folder, b"JFIF").is_empty() && files_with(&folder, b"Exif").is_empty());
}

/// The files below a folder that have these bytes in them.
fn files_with(folder: &std::path::Path, bytes: &[u8]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        if bytes.is_empty() || content.windows(bytes.len()).any(|part| part == bytes) {
            found.push(path);
        }
    }
    found
}

#[test]
fn recording_of_a_phone_is_taken_where_the_definition_takes_recordings() {
    let scene = Scene::new();
    let own = scene.earner.get(&scene.path).expect(200);
    let items = own["evidence"].as_array().unwrap();
    let session = items.iter().find(|item| item["requirement_id"] == "a2").unwrap();
    let session = format!("{}/evidence/{}", scene.path, session["id"].as_str().unwrap());
    assert_eq!(scene.earner.delete(&session).status, 204);
    let made = scene.ask(&json!({ "requirement_id": "a2", "contributor": "colleague" }));
    let session = secret(&made.expect(201));
    let note = scene.colleague();
    let refused = with_token(&scene, &note, "Neue Aufnahme 3.m4a", recording());
    assert_eq!((refused.status, refused.problem().as_str()), (415, "unsupported-type"));
    assert_eq!(with_token(&scene, &session, "Neue Aufnahme 3.m4a", recording()).status, 204);
    let own = scene.earner.get(&scene.path).expect(200);
    let added = own["evidence"].as_array().unwrap().last().unwrap();
    assert_eq!([&added["media_type"], &added["requirement_id"]], ["audio/mp4", "a2"]);
    // What cannot be taken apart is marked for the earner.
    assert_eq!(added["metadata"], "kept");
}

#[test]
fn link_works_on_after_a_file_that_was_not_taken_and_nothing_is_left_of_it() {
    let scene = Scene::new();
    let token = scene.colleague();
    let before = scene.earner.get(&scene.path).expect(200)["evidence"].clone();
    let refused = |name: &str, bytes: Vec<u8>, status: u16, problem: &str| {
        let answer = with_token(&scene, &token, name, bytes);
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{name}");
        assert!(answer.json["detail"].as_str().unwrap().len() > 20, "says what to do");
    };
    refused("page.png", picture(), 415, "unsupported-type");
    refused("photo.pdf", photograph(), 415, "unsupported-type");
    refused("program.jpg", b"MZ and more".to_vec(), 415, "unsupported-type");
    let mut large = b"%PDF-1.7\n".to_vec();
    large.resize(100 * 1024 * 1024 + 1, b' ');
    refused("large.pdf", large, 413, "too-large");
    let fault = |pointer: &str, code: &str| [(pointer.to_owned(), code.to_owned())];
    let send = |parts: &[(&str, &str)]| send_file(&scene, parts, "note.pdf", page()).faults();
    assert_eq!(send(&[("token", &token)]), fault("/file", "missing-field"));
    assert_eq!(send(&[("file", ""), ("token", &token)]), fault("/token", "missing-field"));
    assert_eq!(send(&[("token", &token), ("text", "Seen.")]), fault("/text", "unknown-field"));
    let twice = send(&[("token", &token), ("file", ""), ("file", "")]);
    assert_eq!(twice, fault("/file", "unknown-field"));
    for made_up in ["made-up", ""] {
        assert_eq!(with_token(&scene, made_up, "note.pdf", page()).problem(), "not-found");
    }
    let folder = scene.app.folder().join("evidence");
    assert!(files_with(&folder, b"").is_empty(), "a refused file was left behind");
    assert_eq!(scene.states(), ["open"]);
    assert_eq!(scene.earner.get(&scene.path).expect(200)["evidence"], before);

    assert_eq!(with_token(&scene, &token, "note.pdf", page()).status, 204, "it works on");
    // Too late, and with no room: the link is as good as none.
    let late = scene.colleague();
    scene.earner.act(&format!("{}/submit", scene.path)).expect(200);
    assert_eq!(with_token(&scene, &late, "note.pdf", page()).problem(), "not-found");
    assert_eq!(files_with(&folder, b"").len(), 2, "one file and its copy");
    scene.app.audit_events();
}

#[test]
fn two_who_send_a_file_at_once_add_one() {
    let scene = Scene::new();
    let token = scene.colleague();
    let start = std::sync::Barrier::new(2);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads = [(), ()].map(|()| {
            scope.spawn(|| {
                start.wait();
                with_token(&scene, &token, "note.pdf", page()).status
            })
        });
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    let own = scene.earner.get(&scene.path).expect(200);
    let items = own["evidence"].as_array().unwrap();
    assert_eq!(items.iter().filter(|item| item["kind"] == "file").count(), 1);
    assert_eq!(files_with(&scene.app.folder().join("evidence"), b"").len(), 2);
}
