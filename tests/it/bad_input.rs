//! Input that is broken, hostile or out of date: each gets the right answer in words, nothing changes, and memory stays where it was.

mod process;
mod uploads;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

use self::process::Server;
use self::uploads::{Pdf, upload};
use crate::harness::{Answer, Person, TestApp};

const MIB: usize = 1024 * 1024;
/// `u64` for lengths of uploads.
const MIB_64: u64 = 1024 * 1024;

/// Somebody with a draft, and somebody with another one.
struct Scene {
    app: TestApp,
    admin: Person,
    earner: Person,
    district: String,
    family: String,
    submission: String,
    other_submission: String,
}

impl Scene {
    fn new() -> Scene {
        let app = TestApp::new();
        let district = app.district();
        let family = district.publish_small_group();
        let start = |person: &Person| {
            let path = format!("/api/v1/micro-credentials/{family}/submissions");
            let started = person.post(&path, &json!({})).expect(201);
            started["id"].as_str().unwrap().to_owned()
        };
        let school = &district.schools[0];
        let other = app.invite(&district.admin, school, "other@example.org", &["earner"]);
        Scene {
            submission: start(&district.earner),
            other_submission: start(&other),
            admin: district.admin,
            earner: district.earner,
            district: district.id,
            family,
            app,
        }
    }

    fn path(&self) -> String {
        format!("/api/v1/submissions/{}", self.submission)
    }

    /// Everything that a bad request could have changed.
    fn state(&self) -> Vec<Vec<u8>> {
        let read = |person: &Person, path: &str| person.get(path).bytes;
        let members = format!("/api/v1/organizations/{}/members?limit=100", self.district);
        vec![
            read(&self.earner, &self.path()),
            read(&self.earner, "/api/v1/submissions"),
            read(&self.admin, "/api/v1/organizations?limit=100"),
            read(&self.admin, &members),
            self.events_that_change().to_string().into_bytes(),
        ]
    }

    /// The length of the trail without refusals.
    fn events_that_change(&self) -> usize {
        let conn = &mut *self.app.resources.database.connection().unwrap();
        let events = assay::store::audit::list_chain(conn, 0, 100_000).unwrap();
        events.iter().filter(|chained| chained.event.verb != "denied").count()
    }
}

/// A request that must be refused with this status and code.
struct Bad {
    what: String,
    request: RequestBuilder,
    status: u16,
    code: &'static str,
}

/// Sends everything and checks each answer.
fn refuse_all(anybody: &Person, cases: Vec<Bad>) {
    for Bad { what, request, status, code } in cases {
        let answer = anybody.send(request);
        assert_eq!(answer.status, status, "{what}: {}", String::from_utf8_lossy(&answer.bytes));
        assert_eq!(answer.problem(), code, "{what}");
        check_words(&what, &answer);
    }
}

/// Nothing of the inside is in an answer.
fn check_words(what: &str, answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    for inside in ["SELECT", "sqlite", "diesel", "src/", "panicked", "/tmp/", "BEGIN"] {
        assert!(!text.contains(inside), "{what} shows {inside}: {text}");
    }
}

/// JSON that is none, or not what it should be.
fn bodies(admin: &Person, district: &str) -> Vec<Bad> {
    let name = json!("Heron");
    let valid = json!({ "name": name, "kind": "school", "parent_id": district }).to_string();
    let nul = valid.replace("Heron", "Her\\u0000on");
    let brackets = "[".repeat(MIB);
    let deep = format!("{{\"definition\":{}", "[".repeat(MIB - 20));
    let twice = valid.replacen('{', "{\"name\":\"Stork\",", 1);
    let texts: Vec<(&str, Vec<u8>, u16, &'static str)> = vec![
        ("empty", Vec::new(), 400, "malformed"),
        ("truncated", valid[..valid.len() - 5].into(), 400, "malformed"),
        ("text after the end", format!("{valid} x").into(), 400, "malformed"),
        ("words", b"name=Heron".to_vec(), 400, "malformed"),
        ("bytes that are no UTF-8", b"{\"name\":\"\xff\"}".to_vec(), 400, "malformed"),
        ("half a surrogate", b"{\"name\":\"\\ud800\"}".to_vec(), 400, "malformed"),
        ("a raw control character", b"{\"name\":\"a\0b\"}".to_vec(), 400, "malformed"),
        ("a megabyte of brackets", brackets.into(), 400, "malformed"),
        ("NaN", b"{\"name\":NaN}".to_vec(), 400, "malformed"),
        ("a list", b"[\"Heron\",\"school\"]".to_vec(), 422, "invalid"),
        ("null", b"null".to_vec(), 422, "invalid"),
        ("a number", b"7".to_vec(), 422, "invalid"),
        ("a number for a name", valid.replace("\"Heron\"", "7").into(), 422, "invalid"),
        ("a list for a name", valid.replace("\"Heron\"", "[]").into(), 422, "invalid"),
        ("an id that is none", valid.replace(district, "abc").into(), 422, "invalid"),
        ("an unknown member", valid.replacen('{', "{\"colour\":1,", 1).into(), 422, "invalid"),
        ("a member twice", twice.into(), 422, "invalid"),
        ("a missing member", b"{\"kind\":\"school\"}".to_vec(), 422, "invalid"),
        ("a zero character", nul.into(), 422, "invalid"),
    ];
    let at =
        |path: &str| admin.request(Method::POST, path).header("content-type", "application/json");
    let mut cases: Vec<Bad> = texts
        .into_iter()
        .map(|(what, body, status, code)| Bad {
            what: what.to_owned(),
            request: at("/api/v1/organizations").body(body),
            status,
            code,
        })
        .collect();
    cases.push(Bad {
        what: "a megabyte of brackets in a member".to_owned(),
        request: at("/api/v1/micro-credentials/validate").body(deep),
        status: 400,
        code: "malformed",
    });
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    {
        let request = admin.request(Method::POST, "/api/v1/organizations").body(valid.clone());
        cases.push(Bad {
            what: format!("content type {content_type:?}"),
            request: request.header("content-type", content_type),
            status: 415,
            code: "unsupported-type",
        });
    }
    let large = format!("{valid}{}", " ".repeat(MIB + 1 - valid.len()));
    let streamed = std::io::Cursor::new(large.clone());
    for (what, body) in [
        ("a byte over the limit", reqwest::blocking::Body::from(large)),
        ("a byte over the limit, length unsaid", reqwest::blocking::Body::new(streamed)),
    ] {
        cases.push(Bad {
            what: what.to_owned(),
            request: at("/api/v1/organizations").body(body),
            status: 413,
            code: "too-large",
        });
    }
    cases
}

/// Addresses, queries and headers that are not as they should be.
fn addresses(person: &Person, scene: &Scene) -> Vec<Bad> {
    let get = |path: &str| person.request(Method::GET, path);
    let cursor = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let mut cases = Vec::new();
    for list in [
        "/api/v1/submissions",
        "/api/v1/organizations",
        "/api/v1/reviews",
        "/api/v1/awards",
        "/api/v1/micro-credentials",
    ] {
        for query in [
            "colour=red".to_owned(),
            "limit=0".to_owned(),
            "limit=101".to_owned(),
            "limit=-1".to_owned(),
            "limit=ten".to_owned(),
            "limit=99999999999999999999".to_owned(),
            "limit=5&limit=6".to_owned(),
            "cursor=%25".to_owned(),
            "cursor=!!!".to_owned(),
            format!("cursor={}", cursor("\0")),
            format!("cursor={}", cursor("no id")),
            format!("cursor={}", cursor(&"x".repeat(65))),
        ] {
            cases.push(Bad {
                what: format!("{list}?{query}"),
                request: get(&format!("{list}?{query}")),
                status: 422,
                code: "invalid",
            });
        }
    }
    for query in [
        "/api/v1/submissions?state=lost",
        "/api/v1/reviews?state=lost",
        "/api/v1/awards?state=lost",
        "/api/v1/awards?person_id=abc",
        "/api/v1/micro-credentials?q=a%00b",
        "/api/v1/micro-credentials?skill=%00",
        "/?q=%00",
        "/api/v1/me?verbose=true",
    ] {
        cases.push(Bad {
            what: query.to_owned(),
            request: get(query),
            status: 422,
            code: "invalid",
        });
    }
    let family = &scene.family;
    for path in [
        "/api/v1/submissions/abc".to_owned(),
        "/api/v1/submissions/%00".to_owned(),
        "/api/v1/submissions/%FF%FE".to_owned(),
        "/api/v1/submissions/' OR 1=1 --".to_owned(),
        "/api/v1/submissions/00000000-0000-0000-0000-000000000000".to_owned(),
        format!("/api/v1/submissions/{}", scene.other_submission),
        format!("/api/v1/submissions/{}/evidence/abc/content", scene.submission),
        format!("/api/v1/submissions/{}/evidence/{family}/content", scene.submission),
        format!("/api/v1/submissions/{family}"),
        format!("/api/v1/micro-credentials/{family}/versions/0"),
        format!("/api/v1/micro-credentials/{family}/versions/-1"),
        format!("/api/v1/micro-credentials/{family}/versions/2"),
        format!("/api/v1/micro-credentials/{family}/versions/99999999999"),
        format!("/achievements/{family}/versions/one"),
        "/credentials/abc".to_owned(),
        "/credentials/.json".to_owned(),
        "/issuers/abc".to_owned(),
        "/status-lists/1".to_owned(),
        "/problems/no-such-problem".to_owned(),
        "/problems/%00".to_owned(),
        "/assets/..%2f..%2fCargo.toml".to_owned(),
        "/assets/assay.css%00".to_owned(),
        "/api/v1".to_owned(),
        "//api/v1/me".to_owned(),
    ] {
        cases.push(Bad { what: path.clone(), request: get(&path), status: 404, code: "not-found" });
    }
    let mut long = get("/api/v1/me");
    long = long.header("idempotency-key", "schlüssel");
    cases.push(Bad {
        what: "a header that is no text".to_owned(),
        request: long,
        status: 400,
        code: "malformed",
    });
    cases
}

/// A submission that is patched wrongly, or by the wrong person.
fn patches(person: &Person, scene: &Scene) -> Vec<Bad> {
    let patch = |id: &str, tag: Option<&str>, body: Value| {
        let request = person.request(Method::PATCH, &format!("/api/v1/submissions/{id}"));
        match tag {
            Some(tag) => request.header("if-match", tag).json(&body),
            None => request.json(&body),
        }
    };
    let integrity = json!({ "integrity_statement": true });
    let own = &scene.submission;
    let bad =
        |what: &str, request, status, code| Bad { what: what.to_owned(), request, status, code };
    vec![
        bad("no If-Match", patch(own, None, integrity.clone()), 428, "precondition-required"),
        bad("a stale tag", patch(own, Some("\"0\""), integrity.clone()), 412, "stale"),
        bad("a weak tag", patch(own, Some("W/\"1\""), integrity.clone()), 412, "stale"),
        bad("any tag", patch(own, Some("*"), integrity.clone()), 412, "stale"),
        bad("no tag at all", patch(own, Some("one"), integrity.clone()), 412, "stale"),
        bad(
            "another person's",
            patch(&scene.other_submission, Some("\"1\""), integrity.clone()),
            404,
            "not-found",
        ),
        bad(
            "an unknown prompt",
            patch(own, Some("\"1\""), json!({ "responses": { "q9": "text" } })),
            422,
            "invalid",
        ),
        bad(
            "a zero character in an answer",
            patch(own, Some("\"1\""), json!({ "responses": { "q1": "a\0b" } })),
            422,
            "invalid",
        ),
        bad(
            "an answer that is a list",
            patch(own, Some("\"1\""), json!({ "responses": { "q1": ["text"] } })),
            422,
            "invalid",
        ),
        bad(
            "somebody else's item as an answer",
            patch(own, Some("\"1\""), json!({ "responses": { "q1": { "evidence_id": own } } })),
            422,
            "invalid",
        ),
    ]
}

/// Items of evidence that are not taken.
fn evidence(person: &Person, scene: &Scene) -> Vec<Bad> {
    let path = format!("{}/evidence", scene.path());
    let post = |path: &str, body: Value| person.request(Method::POST, path).json(&body);
    let file = |requirement: &str, name: &str, bytes: &[u8]| {
        upload(person, &path, &[("requirement_id", requirement)], name, bytes.to_vec().into())
    };
    let bad =
        |what: &str, request, status, code| Bad { what: what.to_owned(), request, status, code };
    let other = format!("/api/v1/submissions/{}/evidence", scene.other_submission);
    let text = json!({ "requirement_id": "a3", "text": "A note." });
    let link = |url: &str| json!({ "requirement_id": "a3", "url": url });
    let pdf = b"%PDF-1.7 a plan".as_slice();
    let raw = |body: &'static str| {
        let request = person.request(Method::POST, &path);
        request.header("content-type", "multipart/form-data; boundary=x").body(body)
    };
    let twice = [("requirement_id", "a1"), ("requirement_id", "a2")];
    vec![
        bad(
            "an ELF as page.pdf",
            file("a1", "page.pdf", b"\x7fELF\x02\x01\x01\0"),
            415,
            "unsupported-type",
        ),
        bad(
            "HTML as notes.txt",
            file("a3", "notes.txt", b"<!doctype html><script>"),
            415,
            "unsupported-type",
        ),
        bad("a PDF as page.png", file("a1", "page.png", pdf), 415, "unsupported-type"),
        bad("a name without an ending", file("a1", "page", pdf), 415, "unsupported-type"),
        bad("an empty file", file("a1", "page.pdf", b""), 422, "invalid"),
        bad("an unknown requirement", file("z9", "page.pdf", pdf), 422, "invalid"),
        bad(
            "a form field twice",
            upload(person, &path, &twice, "page.pdf", pdf.to_vec().into()),
            422,
            "invalid",
        ),
        bad(
            "an unknown form field",
            upload(person, &path, &[("colour", "red")], "page.pdf", pdf.to_vec().into()),
            422,
            "invalid",
        ),
        bad(
            "no requirement",
            upload(person, &path, &[], "page.pdf", pdf.to_vec().into()),
            422,
            "invalid",
        ),
        bad(
            "a flag that is none",
            upload(person, &path, &[("consent", "maybe")], "page.pdf", pdf.to_vec().into()),
            422,
            "invalid",
        ),
        bad(
            "students without consent",
            upload(
                person,
                &path,
                &[("requirement_id", "a1"), ("contains_students", "true")],
                "page.pdf",
                pdf.to_vec().into(),
            ),
            422,
            "invalid",
        ),
        bad(
            "a form without its end",
            raw(
                "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-",
            ),
            400,
            "malformed",
        ),
        bad("a form that is none", raw("nothing of the kind"), 400, "malformed"),
        bad("another person's submission", post(&other, text), 404, "not-found"),
        bad(
            "another person's submission, a file",
            upload(person, &other, &[("requirement_id", "a1")], "page.pdf", pdf.to_vec().into()),
            404,
            "not-found",
        ),
        bad(
            "neither link nor text",
            post(&path, json!({ "requirement_id": "a3" })),
            422,
            "invalid",
        ),
        bad(
            "link and text",
            post(
                &path,
                json!({ "requirement_id": "a3", "url": "https://example.org", "text": "x" }),
            ),
            422,
            "invalid",
        ),
        bad("a script as a link", post(&path, link("javascript:alert(1)")), 422, "invalid"),
        bad("a file as a link", post(&path, link("file:///etc/passwd")), 422, "invalid"),
        bad("a link without a host", post(&path, link("https://")), 422, "invalid"),
        bad(
            "an empty text",
            post(&path, json!({ "requirement_id": "a3", "text": " " })),
            422,
            "invalid",
        ),
        bad(
            "a text too long",
            post(&path, json!({ "requirement_id": "a3", "text": "x".repeat(100_001) })),
            422,
            "invalid",
        ),
    ]
}

/// What strangers may send to the verifier.
fn verifying(person: &Person) -> Vec<Bad> {
    let post = |body: Vec<u8>| person.request(Method::POST, "/api/v1/verify").body(body);
    let bad = |what: &str, body: Vec<u8>, status, code| Bad {
        what: what.to_owned(),
        request: post(body),
        status,
        code,
    };
    vec![
        bad("nothing", Vec::new(), 400, "malformed"),
        bad("words", b"a badge".to_vec(), 400, "malformed"),
        bad("brackets", "[".repeat(200_000).into_bytes(), 400, "malformed"),
        bad("no credential", b"{}".to_vec(), 422, "invalid"),
        bad("a list", b"[]".to_vec(), 422, "invalid"),
        bad("a long text", vec![b' '; 256 * 1024 + 1], 413, "too-large"),
        bad("anything huge", vec![b' '; 4 * MIB + 1], 413, "too-large"),
    ]
}

#[test]
fn bad_input_is_refused_in_words_and_changes_nothing() {
    let scene = Scene::new();
    let before = scene.state();
    let anybody = scene.app.anybody();
    refuse_all(&anybody, bodies(&scene.admin, &scene.district));
    refuse_all(&anybody, addresses(&scene.earner, &scene));
    refuse_all(&anybody, patches(&scene.earner, &scene));
    refuse_all(&anybody, evidence(&scene.earner, &scene));
    refuse_all(&anybody, verifying(&scene.earner));
    assert_eq!(scene.state(), before);
    let evidence = scene.app.folder().join("evidence");
    assert_eq!(files_under(&evidence), 0, "a refused file was left behind");
}

fn files_under(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files_under(&path) } else { 1 })
        .sum()
}

#[test]
fn a_stale_change_is_shown_what_is_there_now() {
    let scene = Scene::new();
    let current = scene.earner.get(&scene.path());
    let stale = scene.earner.patch(&scene.path(), "\"0\"", &json!({ "ai_use": "none" }));
    assert_eq!(stale.status, 412);
    assert_eq!(stale.json["current"], current.json);
    scene.earner.patch(&scene.path(), &current.etag(), &json!({ "ai_use": "none" })).expect(200);
    let again = scene.earner.patch(&scene.path(), &current.etag(), &json!({ "ai_use": "some" }));
    assert_eq!(again.json["current"]["ai_use"], "none");
}

#[test]
fn faults_name_their_place() {
    let scene = Scene::new();
    let post = |body: &Value| scene.admin.post("/api/v1/organizations", body).faults();
    let fault = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
    assert_eq!(post(&json!({ "name": 7, "kind": "school" })), fault("/name", "wrong-type"));
    assert_eq!(post(&json!({ "kind": "school" })), fault("/name", "missing-field"));
    let unknown = json!({ "name": "a", "kind": "school", "colour": "red" });
    assert_eq!(post(&unknown)[0].1, "unknown-field");
    assert_eq!(post(&json!(["a", "school"])), fault("", "wrong-type"));
    // Everything at once, so that nobody has to try five times.
    let bad = json!({ "name": "", "kind": "castle", "url": "ftp://x", "email": "none" });
    let pointers: Vec<String> = post(&bad).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/name", "/kind", "/url", "/email", "/parent_id"]);
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    let scene = Scene::new();
    let body =
        json!({ "name": "Heron", "kind": "school", "parent_id": scene.district }).to_string();
    let padded = format!("{body}{}", " ".repeat(MIB - body.len()));
    let request = scene.admin.request(Method::POST, "/api/v1/organizations");
    let answer = request.header("content-type", "application/json").body(padded);
    scene.admin.send(answer).expect(201);
}

#[test]
fn a_file_over_the_limit_is_refused_and_leaves_nothing_behind() {
    let scene = Scene::new();
    let before = scene.state();
    let path = format!("{}/evidence", scene.path());
    let form = [("requirement_id", "a1")];
    let request = upload(&scene.earner, &path, &form, "large.pdf", Pdf::part(100 * MIB_64 + 1));
    let answer = scene.earner.send(request);
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too-large"));
    assert_eq!(scene.state(), before);
    assert_eq!(files_under(&scene.app.folder().join("evidence")), 0);
}

#[test]
fn memory_stays_where_it_was_under_everything_bad_and_a_large_upload() {
    let scene = Scene::new();
    let server = Server::start(&scene.app);
    let sign_in = |email: &str| Person::sign_in(&server.origin, email, crate::harness::PASSWORD);
    let (admin, earner) = (sign_in("admin@example.org"), sign_in("earner@example.org"));
    let anybody = Person::anonymous(&server.origin);
    let path = format!("{}/evidence", scene.path());
    // Everything is loaded once before the measure is taken.
    let small = upload(&earner, &path, &[("requirement_id", "a2")], "small.pdf", Pdf::part(MIB_64));
    earner.send(small).expect(201);
    anybody.get("/");
    let rest = server.rest();
    refuse_all(&anybody, bodies(&admin, &scene.district));
    refuse_all(&anybody, addresses(&earner, &scene));
    refuse_all(&anybody, verifying(&earner));
    let large =
        upload(&earner, &path, &[("requirement_id", "a1")], "large.pdf", Pdf::part(60 * MIB_64));
    let stored = earner.send(large).expect(201);
    assert_eq!(stored["size_bytes"], 60 * MIB_64);
    let content = earner.get(stored["content_path"].as_str().unwrap());
    assert_eq!(content.bytes.len() as u64, 60 * MIB_64);
    let grown = server.peak().saturating_sub(rest);
    assert!(grown <= 32 * MIB_64, "the peak was {} MiB above rest", grown / MIB_64);
}
