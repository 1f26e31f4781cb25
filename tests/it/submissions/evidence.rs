//! What is handed in: files, links, texts, recordings; what it is called and how it is given out again.

use assay::store::schema::evidence_accesses;
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{m4a, mp3, pdf, save, send_form, start};
use crate::harness::{Answer, TestApp, definition};

/// Expects a refusal of the content with one fault.
#[track_caller]
fn faulty(answer: &Answer, pointer: &str, code: &str) {
    assert_eq!(answer.status, 422, "{answer:?}");
    assert_eq!(answer.problem(), "invalid");
    assert_eq!(answer.faults(), [(pointer.to_owned(), code.to_owned())]);
}

#[test]
fn evidence_is_a_file_a_link_or_a_text_up_to_so_many_items() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let submission = start(earner, &family);
    let id = submission.rsplit('/').next().unwrap();
    let items = format!("{submission}/evidence");

    let file = earner.upload(id, "a3", "note.pdf", &pdf("note"));
    let location = file.headers["location"].clone();
    let file = file.expect(201);
    assert_eq!(location, format!("{items}/{}", file["id"].as_str().unwrap()));
    assert_eq!(file["kind"], "file");
    assert_eq!(file["file_name"], "note.pdf");
    assert_eq!(file["media_type"], "application/pdf");
    assert_eq!(file["size_bytes"], pdf("note").len());
    assert_eq!(file["url"], Value::Null);
    let link = "https://video.example.org/w/abc?t=1";
    let linked = earner.post(&items, &json!({ "requirement_id": "a3", "url": link })).expect(201);
    assert_eq!(linked["kind"], "link");
    assert_eq!(linked["url"], link);
    let text = json!({ "requirement_id": "a3", "text": "L1 showed halves." });
    let written = earner.post(&items, &text).expect(201);
    assert_eq!(written["kind"], "text");
    assert_eq!(written["text"], "L1 showed halves.");
    assert_eq!(written["size_bytes"], 17);

    // Files, links and texts all count.
    faulty(&earner.upload(id, "a3", "more.pdf", &pdf("more")), "/requirement_id", "too-many-items");
    faulty(&earner.post(&items, &text), "/requirement_id", "too-many-items");
    assert_eq!(earner.delete(&location).status, 204);
    assert_eq!(earner.delete(&location).problem(), "not-found");
    earner.upload(id, "a3", "more.pdf", &pdf("more")).expect(201);
    let listed = earner.get(&submission).expect(200);
    assert_eq!(listed["evidence"].as_array().unwrap().len(), 3);
    // What was taken away is gone from the disk, and refused uploads never stayed.
    assert_eq!(files(&app, "sealed"), 1);
    assert_eq!(files(&app, "incoming"), 0);
}

fn files(app: &TestApp, folder: &str) -> usize {
    std::fs::read_dir(app.folder().join("evidence").join(folder)).unwrap().count()
}

#[test]
fn item_that_its_requirement_does_not_take_is_refused() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let submission = start(earner, &family);
    let id = submission.rsplit('/').next().unwrap();
    let items = format!("{submission}/evidence");
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0".to_vec();
    let program = b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec();
    for (requirement, name, bytes) in [
        ("a1", "slip.png", &png),
        ("a1", "slip.pdf", &png),
        ("a1", "slip.pdf", &program),
        ("a1", "slip.pdf.exe", &program),
        ("a1", "session.m4a", &m4a()),
        ("a1", "slip", &pdf("slip")),
        ("q1", "answer.pdf", &pdf("answer")),
    ] {
        let answer = earner.upload(id, requirement, name, bytes);
        assert_eq!(answer.status, 415, "{name}: {answer:?}");
        assert_eq!(answer.problem(), "unsupported-type");
    }
    faulty(&earner.upload(id, "a1", "slip.pdf", b""), "/file", "file-empty");
    faulty(
        &earner.upload(id, "a9", "slip.pdf", &pdf("slip")),
        "/requirement_id",
        "unknown-requirement",
    );
    let text = |members: Value| {
        let mut body = json!({ "requirement_id": "a1" });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        earner.post(&items, &body)
    };
    faulty(
        &text(json!({ "requirement_id": "c1", "text": "A criterion." })),
        "/requirement_id",
        "unknown-requirement",
    );
    faulty(&text(json!({ "text": "  \n" })), "/text", "text-empty");
    faulty(&text(json!({})), "", "url-or-text");
    faulty(&text(json!({ "text": "Both.", "url": "https://example.org" })), "", "url-or-text");
    for link in
        ["javascript:alert(1)", "ftp://example.org/a", "example.org", "data:text/html,x", ""]
    {
        faulty(&text(json!({ "url": link })), "/url", "not-a-link");
    }
    faulty(&text(json!({ "text": "x", "colour": "red" })), "/colour", "unknown-field");
    let form = send_form(earner, &submission, "slip.pdf", &pdf("slip"), &[]);
    faulty(&form, "/requirement_id", "missing-field");
    let form = send_form(
        earner,
        &submission,
        "slip.pdf",
        &pdf("slip"),
        &[("requirement_id", "a1"), ("colour", "red")],
    );
    faulty(&form, "/colour", "unknown-field");
    assert_eq!(earner.get(&submission).expect(200)["evidence"], json!([]));
    assert_eq!(files(&app, "sealed"), 0);
    assert_eq!(files(&app, "incoming"), 0);
}

#[test]
fn item_with_students_needs_the_consents() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let submission = start(earner, &family);
    let items = format!("{submission}/evidence");
    let link = |consent: bool| {
        let body = json!({
            "requirement_id": "a2", "url": "https://video.example.org/1", "contains_students": true, "consent": consent,
        });
        earner.post(&items, &body)
    };
    faulty(&link(false), "/consent", "consent-missing");
    let item = link(true).expect(201);
    assert_eq!(item["contains_students"], true);
    assert_eq!(item["consent"], true);
    assert_eq!(earner.delete(&format!("{items}/{}", item["id"].as_str().unwrap())).status, 204);

    let form = |fields: &[(&str, &str)]| {
        let mut all = vec![("requirement_id", "a2"), ("contains_students", "true")];
        all.extend_from_slice(fields);
        send_form(earner, &submission, "session.mp3", &mp3(), &all)
    };
    faulty(&form(&[]), "/consent", "consent-missing");
    faulty(&form(&[("consent", "false")]), "/consent", "consent-missing");
    faulty(&form(&[("consent", "perhaps")]), "/consent", "wrong-type");
    let item = form(&[("consent", "true")]).expect(201);
    assert_eq!(item["media_type"], "audio/mpeg");
    assert_eq!(item["contains_students"], true);
}

#[test]
fn recording_may_stand_in_for_an_answer_where_the_prompt_says_so() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let id = district.fill(earner, &family);
    let submission = format!("/api/v1/submissions/{id}");

    let first = earner.upload(&id, "q1", "answer.mp3", &mp3()).expect(201);
    assert_eq!(first["media_type"], "audio/mpeg");
    assert_eq!(first["requirement_id"], "q1");
    faulty(&earner.upload(&id, "q1", "again.m4a", &m4a()), "/requirement_id", "too-many-items");
    let answer =
        |prompt: &str, item: &Value| json!({ "responses": { prompt: { "evidence_id": item } } });
    let saved = save(earner, &submission, &answer("q1", &first["id"])).expect(200);
    assert_eq!(saved["responses"]["q1"], json!({ "evidence_id": first["id"] }));
    // Taken away, it answers nothing any more.
    let item = format!("{submission}/evidence/{}", first["id"].as_str().unwrap());
    assert_eq!(earner.delete(&item).status, 204);
    let without = earner.get(&submission).expect(200);
    assert_eq!(without["responses"].get("q1"), None);
    let missing = earner.act(&format!("{submission}/submit"));
    assert_eq!(missing.faults(), [("/responses/q1".to_owned(), "response-missing".to_owned())]);

    let second = earner.upload(&id, "q1", "answer.m4a", &m4a()).expect(201);
    assert_eq!(second["media_type"], "audio/mp4");
    // A text belongs into the answer, where its words are counted.
    let text = json!({ "requirement_id": "r1", "text": "word ".repeat(1000) });
    let items = format!("{submission}/evidence");
    faulty(&earner.post(&items, &text), "/text", "answer-in-responses");
    // Only a recording of this very prompt.
    let slip = &without["evidence"][0]["id"];
    faulty(&save(earner, &submission, &answer("q1", slip)), "/responses/q1", "unknown-evidence");
    faulty(
        &save(earner, &submission, &answer("r1", &second["id"])),
        "/responses/r1",
        "unknown-evidence",
    );
    let both = json!({ "responses": { "q1": { "evidence_id": second["id"], "text": "x" } } });
    assert_eq!(save(earner, &submission, &both).problem(), "invalid");
    save(earner, &submission, &answer("q1", &second["id"])).expect(200);
    earner.act(&format!("{submission}/submit")).expect(200);

    // The assessor hears it under a name that says nothing.
    let review = district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    assert_eq!(review["work"]["responses"]["q1"], json!({ "evidence_id": second["id"] }));
    let items = review["work"]["evidence"].as_array().unwrap();
    let heard = items.iter().find(|item| item["id"] == second["id"]).unwrap();
    assert_eq!(heard["file_name"], "q1-1.m4a");
    let content = district.assessor.get(heard["content_path"].as_str().unwrap());
    assert_eq!(content.bytes, m4a());
    assert_eq!(content.headers["content-type"], "audio/mp4");

    // Prompts without alternatives are answered in words.
    let family = district.publish(&definition("mc-students-as-leaders"));
    let submission = start(earner, &family);
    let id = submission.rsplit('/').next().unwrap();
    faulty(
        &earner.upload(id, "q1", "answer.m4a", &m4a()),
        "/requirement_id",
        "unknown-requirement",
    );
    faulty(&save(earner, &submission, &answer("q1", &second["id"])), "/responses/q1", "text-only");
}

#[test]
fn file_name_is_display_text_and_nothing_else() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let submission = start(earner, &family);
    for (sent, shown, plain) in [
        ("plan.pdf", "plan.pdf", "plan.pdf"),
        ("../../../etc/plan.pdf", "plan.pdf", "plan.pdf"),
        ("/users/ana/My Plan.pdf", "My Plan.pdf", "My Plan.pdf"),
        ("pl\tan\u{85}.pdf", "plan.pdf", "plan.pdf"),
        ("Größe 李.pdf", "Größe 李.pdf", "Gr__e _.pdf"),
        ("a;b=<script>.pdf", "a;b=<script>.pdf", "a_b__script_.pdf"),
    ] {
        let answer =
            send_form(earner, &submission, sent, &pdf("plan"), &[("requirement_id", "a1")]);
        let item = answer.expect(201);
        assert_eq!(item["file_name"], shown, "{sent:?}");
        let content = earner.get(item["content_path"].as_str().unwrap());
        let disposition = &content.headers["content-disposition"];
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert!(disposition.contains(&format!("filename=\"{plain}\"")), "{disposition}");
        assert_eq!(shown == plain, !disposition.contains("filename*=UTF-8''"), "{disposition}");
        assert!(disposition.is_ascii(), "{disposition}");
        let path = format!("{submission}/evidence/{}", item["id"].as_str().unwrap());
        assert_eq!(earner.delete(&path).status, 204);
    }
    let long = format!("{}.pdf", "n".repeat(5_000));
    let answer = send_form(earner, &submission, &long, &pdf("plan"), &[("requirement_id", "a1")]);
    let item = answer.expect(201);
    assert!(item["file_name"].as_str().unwrap().len() < 300);
    // Nothing on the disk is called anything like it.
    for entry in std::fs::read_dir(app.folder().join("evidence/sealed")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.contains("plan") && !name.contains("nnn"), "{name}");
    }
}

#[test]
fn content_is_given_out_as_attachment_and_each_opening_is_recorded() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let id = district.fill(earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    let large: Vec<u8> =
        pdf("large").into_iter().chain((0..200_000).map(|i| (i % 251) as u8)).collect();
    let file = earner.upload(&id, "a3", "note.pdf", &large).expect(201);
    let path = file["content_path"].as_str().unwrap().to_owned();
    let text = json!({ "requirement_id": "a3", "text": "<script>alert(1)</script>" });
    let text = earner.post(&format!("{submission}/evidence"), &text).expect(201);
    let text_path = text["content_path"].as_str().unwrap().to_owned();
    earner.act(&format!("{submission}/submit")).expect(200);

    let check = |answer: &Answer, media_type: &str, bytes: &[u8]| {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["content-type"], media_type);
        assert!(answer.headers["content-disposition"].starts_with("attachment"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["content-security-policy"], "default-src 'none'; sandbox");
        assert!(answer.bytes == bytes, "other bytes than were handed in");
    };
    let accesses = || -> Vec<(String, String, String)> {
        evidence_accesses::table
            .order(evidence_accesses::id)
            .select((
                evidence_accesses::evidence_id,
                evidence_accesses::person_id,
                evidence_accesses::purpose,
            ))
            .load(&mut *app.resources.database.connection().unwrap())
            .unwrap()
    };
    assert_eq!(accesses(), []);
    check(&earner.get(&path), "application/pdf", &large);
    check(&earner.get(&text_path), "text/plain", b"<script>alert(1)</script>");

    // Nobody else: not before the seat is taken, not without it.
    let other =
        app.invite(&district.admin, &district.schools[1], "second@example.org", &["assessor"]);
    for person in
        [&district.assessor, &other, &district.coordinator, &district.admin, &district.officer]
    {
        assert_eq!(person.get(&path).problem(), "not-found");
    }
    assert_eq!(app.anybody().get(&path).problem(), "unauthenticated");
    let claimed = district.assessor.post("/api/v1/reviews/claim", &json!({}));
    let etag = claimed.etag();
    let review = claimed.expect(201);
    check(&district.assessor.get(&path), "application/pdf", &large);
    assert_eq!(other.get(&path).problem(), "not-found");
    let nothing = format!("{submission}/evidence/{id}/content");
    assert_eq!(earner.get(&nothing).problem(), "not-found");

    let own = |item: &Value| {
        (item["id"].as_str().unwrap().to_owned(), earner.id.clone(), "own".to_owned())
    };
    let scored = |item: &str| (item.to_owned(), district.assessor.id.clone(), "score".to_owned());
    // The answers and the texts stand in the review itself: claiming it reads them.
    let found = accesses();
    assert_eq!(found[..2], [own(&file), own(&text)]);
    assert_eq!(found[2], scored("responses"));
    assert!(found[3..].contains(&scored(text["id"].as_str().unwrap())), "{found:?}");
    assert_eq!(*found.last().unwrap(), scored(file["id"].as_str().unwrap()));
    assert!(!found[3..found.len() - 1].contains(&scored(file["id"].as_str().unwrap())));

    // The seat is the right to read: it ends with the lock.
    let review_path = format!("/api/v1/reviews/{}", review["id"].as_str().unwrap());
    let sheet = crate::harness::District::sheet(&review, 0);
    district.assessor.put(&format!("{review_path}/scores"), &etag, &sheet).expect(200);
    district.assessor.act(&format!("{review_path}/lock")).expect(200);
    assert_eq!(district.assessor.get(&path).problem(), "not-found");
    check(&earner.get(&path), "application/pdf", &large);
    assert_eq!(accesses().len(), 4);
}

#[test]
fn evidence_is_forgotten_after_its_time_and_the_trail_stays_whole() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.fill(&district.earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    let file = district.earner.upload(&id, "a3", "note.pdf", &pdf("note")).expect(201);
    let content = file["content_path"].as_str().unwrap();
    district.earner.act(&format!("{submission}/submit")).expect(200);
    district.score(&district.assessor, 0);
    let decided = district.earner.get(&submission).expect(200);
    let badge = decided["award"]["path"].as_str().unwrap();
    let hourly = || app.resources.as_system(assay::service::housekeeping::hourly).unwrap();

    app.advance(TimeDelta::days(210) - TimeDelta::minutes(10));
    hourly();
    let earner = app.sign_in("earner@example.org");
    assert_eq!(earner.get(content).bytes, pdf("note"));
    assert_eq!(earner.get(&submission).expect(200)["responses"], decided["responses"]);
    assert_eq!(files(&app, "sealed"), 1);

    app.advance(TimeDelta::minutes(20));
    hourly();
    let earner = app.sign_in("earner@example.org");
    assert_eq!(earner.get(content).problem(), "not-found");
    let after = earner.get(&submission).expect(200);
    assert_eq!(after["responses"], Value::Null);
    for (item, before) in std::iter::zip(
        after["evidence"].as_array().unwrap(),
        decided["evidence"].as_array().unwrap(),
    ) {
        for member in ["file_name", "text", "url"] {
            assert_eq!(item[member], Value::Null, "{member}");
        }
        assert_eq!(item["sha256"], before["sha256"]);
    }
    assert_eq!(files(&app, "sealed"), 0);
    // The decision, its feedback and the badge stay.
    for member in ["decision", "feedback", "award", "timeline"] {
        assert_eq!(after[member], decided[member], "{member}");
    }
    let badge = app.anybody().get(badge);
    let verdict = app.anybody().post("/api/v1/verify", &badge.json).expect(200);
    assert_eq!(verdict["verdict"], "valid", "{verdict}");
    let events = app.audit_events();
    hourly();
    assert_eq!(app.audit_events(), events, "what is forgotten is forgotten once");
}
