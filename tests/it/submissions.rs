//! The rules of submitting: attempts, drafts, evidence, handing in, who sees what, and how long it is kept.

mod ai_use;
mod evidence;
mod idle;
mod life;
mod names;
mod sight;

use serde_json::{Value, json};

use crate::harness::{Answer, District, Person};

/// Starts an attempt and returns its path.
#[track_caller]
fn start(earner: &Person, family: &str) -> String {
    let path = format!("/api/v1/micro-credentials/{family}/submissions");
    let started = earner.post(&path, &json!({}));
    let location = started.headers["location"].clone();
    assert_eq!(started.expect(201)["state"], "draft");
    location
}

/// Saves the draft as it is now.
#[track_caller]
fn save(earner: &Person, submission: &str, patch: &Value) -> Answer {
    let etag = earner.get(submission).etag();
    earner.patch(submission, &etag, patch)
}

/// Sends a form as a browser does, with the file name in UTF-8 and nothing escaped but quotes.
#[track_caller]
fn send_form(
    earner: &Person,
    submission: &str,
    file_name: &str,
    bytes: &[u8],
    fields: &[(&str, &str)],
) -> Answer {
    const BOUNDARY: &str = "----boundary-of-the-tests";
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .as_bytes(),
        );
    }
    let file_name = file_name.replace('"', "%22");
    body.extend_from_slice(
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\nContent-Type: application/octet-stream\r\n\r\n")
            .as_bytes(),
    );
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let request = earner
        .request(reqwest::Method::POST, &format!("{submission}/evidence"))
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(body);
    earner.send(request)
}

/// Expects a 409 that lists these events.
#[track_caller]
fn refused(answer: &Answer, allowed_events: &[String]) {
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(answer.problem(), "wrong-state");
    assert_eq!(sorted(&answer.json["allowed_events"]), allowed_events);
}

/// A list of words in alphabetical order.
#[track_caller]
fn sorted(list: &Value) -> Vec<String> {
    let mut words: Vec<String> =
        list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    words.sort();
    words
}

/// The smallest thing that is a PDF for us.
fn pdf(text: &str) -> Vec<u8> {
    format!("%PDF-1.7\n% {text}\n%%EOF\n").into_bytes()
}

/// The beginning of an MPEG-4 audio file.
fn m4a() -> Vec<u8> {
    b"\0\0\0\x14ftypM4A \0\0\x02\0isom\0\0\0\x08free".to_vec()
}

/// An empty ID3 tag and a frame header.
fn mp3() -> Vec<u8> {
    b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x44\0\0".to_vec()
}

/// The small-group definition under another id, with changes to its review policy.
fn with_policy(slug: &str, changes: &[(&str, Value)]) -> Value {
    let mut changed = crate::harness::definition("mc-ia-small-group-support");
    changed["id"] = json!(slug);
    for (name, value) in changes {
        changed["review_policy"][*name] = value.clone();
    }
    changed
}

/// The micro-credential whose first reader decides, whatever they find.
#[track_caller]
fn publish_decided_by_one(district: &District) -> String {
    district
        .publish(&with_policy("mc-decided-by-one", &[("second_score_when_not_yet", json!(false))]))
}
