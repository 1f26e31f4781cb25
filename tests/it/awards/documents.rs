//! The public documents: a page for people, the same signed bytes for every program.

use serde_json::{Value, json};

use crate::harness::{Answer, BASE_URL, Person, TestApp};

/// Asks with this `Accept`, or with none at all.
#[track_caller]
fn get(stranger: &Person, path: &str, accept: Option<&str>) -> Answer {
    match accept {
        Some(accept) => stranger.get_as(path, accept),
        None => {
            // The client sends `*/*` of its own accord: a bare conversation sends nothing.
            stranger.bare_get(path)
        }
    }
}

/// Expects the same bytes in every form of JSON, whatever the words for it, and caching by content. What is no JSON, no page and none
/// of the other forms is refused.
#[track_caller]
fn check_json(stranger: &Person, path: &str, other_forms: &[&str]) -> Answer {
    let plain = get(stranger, path, Some("*/*"));
    assert_eq!(plain.status, 200, "{path}: {plain:?}");
    assert_eq!(plain.headers["content-type"], "application/json");
    for (accept, media_type) in [
        (None, "application/json"),
        (Some("application/json"), "application/json"),
        (Some("application/ld+json"), "application/ld+json"),
        (Some("application/vc"), "application/vc"),
        (Some("application/vc;q=0.9, text/html;q=0.1"), "application/vc"),
        (Some("image/webp, application/ld+json;q=0.5"), "application/ld+json"),
        (Some("application/*"), "application/json"),
        (Some("APPLICATION/VC"), "application/vc"),
    ] {
        let answer = get(stranger, path, accept);
        assert_eq!(answer.status, 200, "{path} as {accept:?}");
        assert_eq!(answer.headers["content-type"], media_type, "{path} as {accept:?}");
        assert_eq!(answer.bytes, plain.bytes, "{path} as {accept:?}");
        assert_eq!(answer.etag(), plain.etag());
        check_headers(&answer);
    }
    let all = [
        "image/png",
        "image/svg+xml",
        "application/pdf",
        "application/vc+jwt",
        "text/plain",
        "nonsense",
    ];
    for accept in all.into_iter().filter(|form| !other_forms.contains(form)) {
        let answer = get(stranger, path, Some(accept));
        assert_eq!(answer.status, 406, "{path} as {accept}");
        assert_eq!(answer.problem(), "not-acceptable");
    }
    // A form with the weight 0 is refused by name.
    assert_eq!(get(stranger, path, Some("text/html;q=0")).status, 406);
    let known = stranger
        .send(stranger.request(reqwest::Method::GET, path).header("if-none-match", plain.etag()));
    assert_eq!(known.status, 304);
    assert!(known.bytes.is_empty());
    assert_eq!(known.etag(), plain.etag());
    check_headers(&known);
    let weak = format!("\"other\", W/{}", plain.etag());
    let known =
        stranger.send(stranger.request(reqwest::Method::GET, path).header("if-none-match", weak));
    assert_eq!(known.status, 304);
    let other = stranger
        .send(stranger.request(reqwest::Method::GET, path).header("if-none-match", "\"other\""));
    assert_eq!(other.status, 200);
    plain
}

#[track_caller]
fn check_headers(answer: &Answer) {
    assert!(
        answer.headers["vary"].split(", ").any(|name| name.eq_ignore_ascii_case("accept")),
        "{answer:?}"
    );
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

/// Expects a page that may be kept for nobody and runs nothing of others.
#[track_caller]
fn check_page(stranger: &Person, path: &str) -> String {
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let mut pages = Vec::new();
    for accept in ["text/html", browser, "text/html, application/json"] {
        let page = stranger.get_as(path, accept);
        assert_eq!(page.status, 200, "{path} as {accept}");
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        assert!(page.headers["vary"].to_lowercase().contains("accept"));
        assert!(page.headers["content-security-policy"].contains("default-src 'none'"));
        assert!(
            page.bytes.starts_with(b"<!doctype html>")
                || page.bytes.starts_with(b"<!DOCTYPE html>")
        );
        pages.push(String::from_utf8(page.bytes).unwrap());
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
    pages.remove(0)
}

#[test]
fn badge_is_a_page_for_people_and_the_same_bytes_for_programs() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let stranger = app.anybody();
    let path = format!("/credentials/{award}");
    let badge = check_json(
        &stranger,
        &path,
        &["application/vc+jwt", "image/png", "image/svg+xml", "application/pdf"],
    );
    assert_eq!(badge.json["id"], format!("{BASE_URL}{path}"));
    let html = check_page(&stranger, &path);
    assert!(html.contains("Instructional Assistant: Small-Group Support"), "{html}");
    assert!(html.contains("Riverbend District"), "{html}");

    // A suffix says the form, whatever else is said.
    for accept in ["text/html", "image/png", "*/*"] {
        let suffixed = stranger.get_as(&format!("{path}.json"), accept);
        assert_eq!(suffixed.bytes, badge.bytes);
        assert_eq!(suffixed.headers["content-type"], "application/json");
    }
    for suffix in [".webp", ".JSON", ".json.json", "x"] {
        let answer = stranger.get(&format!("{path}{suffix}"));
        assert_eq!(answer.status, 404, "{suffix}");
        assert_eq!(answer.problem(), "not-found");
    }
    let head = stranger.send(stranger.request(reqwest::Method::HEAD, &path));
    assert_eq!(head.status, 200);
    assert_eq!(head.etag(), badge.etag());
    assert!(head.bytes.is_empty());
    for path in [format!("/credentials/{}", district.id), "/credentials/nothing".to_owned()] {
        assert_eq!(stranger.get(&path).problem(), "not-found");
        let page = stranger.get_as(&path, "text/html");
        assert_eq!(page.status, 404);
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    }
}

#[test]
fn achievement_is_the_one_in_the_badge_and_its_page_has_the_rubric() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let stranger = app.anybody();
    let path = format!("/achievements/{family}/versions/1");
    let document = check_json(&stranger, &path, &["image/png", "image/svg+xml"]).json;
    let badge = stranger.get(&format!("/credentials/{award}")).json;
    let mut published = document.clone();
    published.as_object_mut().unwrap().remove("@context").unwrap();
    assert_eq!(published, badge["credentialSubject"]["achievement"]);
    assert_eq!(
        badge["credentialSubject"]["achievement"]["criteria"]["id"],
        format!("{BASE_URL}{path}")
    );
    let html = check_page(&stranger, &path);
    let definition = crate::harness::definition("mc-ia-small-group-support");
    for criterion in definition["submission"]["part2"]["criteria"].as_array().unwrap() {
        assert!(html.contains(criterion["title"].as_str().unwrap()), "{criterion}");
        for level in criterion["levels"].as_array().unwrap() {
            assert!(html.contains(level["label"].as_str().unwrap()), "{level}");
        }
    }
    assert_eq!(stranger.get(&format!("{path}.json")).json, document);
    for path in [
        format!("/achievements/{family}/versions/2"),
        format!("/achievements/{family}/versions/0"),
        format!("/achievements/{family}/versions/one"),
        format!("/achievements/{family}/versions/1.jwt"),
        format!("/achievements/{}/versions/1", district.id),
    ] {
        assert_eq!(stranger.get(&path).problem(), "not-found", "{path}");
    }
}

#[test]
fn issuer_shows_its_keys_and_nothing_secret() {
    let app = TestApp::new();
    let district = app.district();
    district.publish_small_group();
    let stranger = app.anybody();
    let path = format!("/issuers/{}", district.id);
    let document = check_json(&stranger, &path, &[]).json;
    let id = format!("{BASE_URL}{path}");
    assert_eq!(document["id"], id);
    assert_eq!(document["type"], json!(["Profile"]));
    assert_eq!(document["name"], "Riverbend District");
    // The one key, for proofs and for JWTs.
    let keys = document["verificationMethod"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0]["type"], "Multikey");
    assert_eq!(keys[0]["controller"], id);
    let multikey = keys[0]["publicKeyMultibase"].as_str().unwrap();
    assert_eq!(keys[0]["id"], format!("{id}#{multikey}"));
    assert_eq!(keys[1]["type"], "JsonWebKey");
    assert_eq!(keys[1]["controller"], id);
    assert_eq!(keys[1]["publicKeyJwk"]["crv"], "Ed25519");
    assert_eq!(keys[1]["publicKeyJwk"].get("d"), None);
    assert_eq!(document["assertionMethod"], json!([keys[0]["id"], keys[1]["id"]]));
    assert_eq!(keys[0].get("secretKeyMultibase"), None::<&Value>);
    let html = check_page(&stranger, &path);
    assert!(html.contains("Riverbend District") && html.contains(&multikey[..10]), "{html}");
    assert!(html.contains("Instructional Assistant: Small-Group Support"), "{html}");
    for organization in [&district.schools[0], &district.departments[0], &district.earner.id] {
        assert_eq!(stranger.get(&format!("/issuers/{organization}")).problem(), "not-found");
    }
}

#[test]
fn status_list_is_json_for_everybody() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let stranger = app.anybody();
    let badge = stranger.get(&format!("/credentials/{award}")).json;
    let url = badge["credentialStatus"]["statusListCredential"].as_str().unwrap();
    let path = url.strip_prefix(BASE_URL).unwrap();
    let list = check_json(&stranger, path, &["application/vc+jwt"]);
    assert_eq!(list.json["id"], url);
    assert_eq!(list.json["issuer"], badge["issuer"]["id"]);
    // There is no page of it: a browser gets the JSON.
    let browser = stranger.get_as(path, "text/html");
    assert_eq!(browser.bytes, list.bytes);
    assert_eq!(browser.headers["content-type"], "application/json");
    assert_eq!(stranger.get(&format!("/status-lists/{award}")).problem(), "not-found");
}
