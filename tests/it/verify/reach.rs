//! Where a document may come from, how long it may take, and how far it is read.

use std::io::Read;
use std::time::{Duration, Instant};

use assay::credential::document::{CredentialDraft, PublishedKey, issuer_document, key_document};
use assay::credential::jwk::Algorithm;
use assay::credential::jwt::sign;
use assay::credential::lint::{LintPolicy, lint};
use assay::credential::status_list::{
    MIN_ENTRIES, StatusList, StatusListContent, publish, publish_jwt,
};
use assay::credential::verify::{Outcome, VerdictWord, verify};
use assay::fetch::{Client, FetchPolicy};
use assay::service::verification::{Remote, verify_input};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Web, badge, check, ends, judge, key, method, options, options_without_time, other_key,
    published_key, sign_as_another_issuer, sign_with, status_list, web,
};
use crate::fetch::{Server, reply};
use crate::jwt::{KID, key as jwt_key};
use crate::lints::{LIST_URL, at, content};

/// Where a host keeps the plain list of 1EdTech.
const REVOCATIONS: &str = "https://badges.example.org/revocations";

/// A token of ours, and the issuer's page and the key's page that belong to it.
fn token_and_pages() -> (String, String, String) {
    let (key, issuer) = (jwt_key(Algorithm::EdDsa), content().issuer);
    let linted = lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap();
    let published = PublishedKey::jwk(KID, key.public_jwk(), None);
    let own = key_document(&issuer.id, &published).to_string();
    let page = issuer_document(&issuer, &[published_key(&super::key()), published]).to_string();
    (sign(&key, &linted, KID).unwrap().token, page, own)
}

/// A badge of [`other_key`] with a revocation list of 1EdTech, and the issuer's page.
fn badge_with_revocation_list() -> (String, Web) {
    let issuer = content().issuer;
    let mut badge = CredentialDraft::from(&content()).document().clone();
    badge["credentialStatus"] = json!({"id": REVOCATIONS, "type": "1EdTechRevocationList"});
    sign_as_another_issuer(&mut badge, &method(&issuer.id, &other_key()));
    let mut web = web();
    web.put(&issuer.id, &issuer_document(&issuer, &[published_key(&other_key())]).to_string());
    (badge.to_string(), web)
}

fn revocation_list(issuer: &str, revoked: &Value) -> String {
    json!({"id": REVOCATIONS, "issuer": issuer, "revokedCredential": revoked}).to_string()
}

#[test]
fn what_is_believed_for_its_address_comes_from_that_origin() {
    let unavailable = |web: &Web, text: &str, name: &str, code: &str| {
        let verdict = judge(text, web);
        ends(&verdict, VerdictWord::Indeterminate, name, Outcome::Unknown, code);
    };
    let (token, page, own) = token_and_pages();
    for url in [KID, &content().issuer.id] {
        let mut web = web();
        web.put(&content().issuer.id, &page);
        web.put(KID, &own);
        assert_eq!(judge(&token, &web).verdict, VerdictWord::Valid);
        web.elsewhere.push(url.to_owned());
        unavailable(&web, &token, "issuer", "issuer-unavailable");
    }
    let mut redirected = web();
    redirected.elsewhere.push(content().issuer.id);
    unavailable(&redirected, &badge(), "issuer", "issuer-unavailable");
    let (badge_with_list, mut web) = badge_with_revocation_list();
    web.put(REVOCATIONS, &revocation_list(&content().issuer.id, &json!([])));
    assert_eq!(judge(&badge_with_list, &web).verdict, VerdictWord::Valid);
    web.elsewhere.push(REVOCATIONS.to_owned());
    unavailable(&web, &badge_with_list, "status", "status-unavailable");
    // A list that is signed may lie anywhere.
    let mut web = super::web();
    web.elsewhere.push(LIST_URL.to_owned());
    assert_eq!(judge(&badge(), &web).verdict, VerdictWord::Valid);
}

/// A client for which the issuer's host and another one are these servers.
fn client(own: &Server, other: &Server) -> Client {
    let map = |from: &str, to: &Server| (from.to_owned(), to.url());
    let base_url_maps =
        vec![map("https://badges.example.org", own), map("https://evil.example", other)];
    Client::new(FetchPolicy { base_url_maps, ..FetchPolicy::default() }).unwrap()
}

#[test]
fn a_redirect_on_the_issuers_host_does_not_bring_in_a_strangers_key() {
    let (token, page, own) = token_and_pages();
    let list = status_list(&key(), &content().issuer.id, &[]).document;
    for redirects in [false, true] {
        let (page, own, list, key) = (page.clone(), own.clone(), list.clone(), own.clone());
        let other = Server::start(move |stream, _path| reply(stream, "200 OK", "", key.as_bytes()));
        let server = Server::start(move |stream, path| match path {
            path if KID.ends_with(path) && redirects => {
                reply(stream, "302 Found", "Location: https://evil.example/key\r\n", b"")
            }
            path if KID.ends_with(path) => reply(stream, "200 OK", "", own.as_bytes()),
            path if LIST_URL.ends_with(path) => reply(stream, "200 OK", "", list.as_bytes()),
            _ => reply(stream, "200 OK", "", page.as_bytes()),
        });
        let client = client(&server, &other);
        let verdict = verify_input(token.as_bytes(), &Remote::new(&client), options()).unwrap();
        if redirects {
            let unknown = (Outcome::Unknown, "issuer-unavailable");
            ends(&verdict, VerdictWord::Indeterminate, "issuer", unknown.0, unknown.1);
            assert!(client.get(KID, "*/*", 10_000).is_ok());
            assert_eq!(other.count(), 1);
        } else {
            assert_eq!(check(&verdict, "issuer"), (Outcome::Pass, "ok"), "{verdict:#?}");
            assert_eq!(verdict.verdict, VerdictWord::Valid);
        }
    }
}

#[test]
fn all_fetches_of_a_verdict_share_their_time() {
    let other = Server::start(|stream, _path| reply(stream, "200 OK", "", b""));
    let page = issuer_document(&content().issuer, &[published_key(&key())]).to_string();
    // The page comes at once, the list never.
    let server = Server::start(move |stream, path| {
        if LIST_URL.ends_with(path) {
            drop(stream.read(&mut [0]));
        } else {
            reply(stream, "200 OK", "", page.as_bytes());
        }
    });
    let client = client(&server, &other);
    let started = Instant::now();
    let remote = Remote::until(&client, started + Duration::from_secs(2));
    let verdict = verify_input(badge().as_bytes(), &remote, options()).unwrap();
    let status = (Outcome::Unknown, "status-unavailable");
    ends(&verdict, VerdictWord::Indeterminate, "status", status.0, status.1);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    // What is asked after that is not even tried.
    let n_asked = server.count();
    let verdict = verify_input(badge().as_bytes(), &remote, options()).unwrap();
    let issuer = (Outcome::Unknown, "issuer-unavailable");
    ends(&verdict, VerdictWord::Indeterminate, "issuer", issuer.0, issuer.1);
    assert_eq!(server.count(), n_asked);
}

#[test]
fn a_client_that_opens_no_connection_says_so() {
    let client = Client::new(FetchPolicy { offline: true, ..FetchPolicy::default() }).unwrap();
    let verdict = verify_input(badge().as_bytes(), &Remote::new(&client), options()).unwrap();
    ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "offline");
}

#[test]
fn revocation_lists_of_1edtech_are_understood() {
    let issuer = content().issuer.id;
    let (badge, mut web) = badge_with_revocation_list();
    let mut judge_with = |issuer: &str, revoked: Value| {
        web.put(REVOCATIONS, &revocation_list(issuer, &revoked));
        judge(&badge, &web)
    };
    let clear = judge_with(&issuer, json!([{"id": "urn:uuid:another"}]));
    ends(&clear, VerdictWord::Valid, "status", Outcome::Pass, "ok");
    let revoked = judge_with(&issuer, json!([{"id": content().id}]));
    ends(&revoked, VerdictWord::Invalid, "status", Outcome::Fail, "revoked");
    let foreign = judge_with("https://other.example/", json!([]));
    ends(&foreign, VerdictWord::Indeterminate, "status", Outcome::Unknown, "status-list-foreign");
    // Long lists are read to their end.
    let entry = |id: &str| json!({"id": id, "revoked": true, "revocationReason": "a mistake"});
    for n_others in [254, 255, 1_999, 2_000] {
        let mut entries: Vec<Value> =
            (0..n_others).map(|n| entry(&format!("urn:uuid:other-{n}"))).collect();
        let clear = judge_with(&issuer, json!(entries));
        ends(&clear, VerdictWord::Valid, "status", Outcome::Pass, "ok");
        entries.push(entry(&content().id));
        let revoked = judge_with(&issuer, json!(entries));
        ends(&revoked, VerdictWord::Invalid, "status", Outcome::Fail, "revoked");
    }
    let endless = judge_with(&issuer, json!(vec![0; 65_536]));
    ends(&endless, VerdictWord::Indeterminate, "status", Outcome::Unknown, "status-unreadable");
}

#[test]
fn a_proof_need_not_say_when_it_was_made_unless_its_key_has_ended() {
    let issuer = content().issuer;
    let mut document = CredentialDraft::from(&content()).document().clone();
    sign_with(&mut document, options_without_time(&method(&issuer.id, &other_key())));
    let mut page = issuer_document(&issuer, &[published_key(&other_key())]);
    let mut web = web();
    web.put(LIST_URL, &status_list(&other_key(), &issuer.id, &[]).document);
    web.put(&issuer.id, &page.to_string());
    let verdict = judge(&document.to_string(), &web);
    ends(&verdict, VerdictWord::Valid, "proof", Outcome::Pass, "ok");
    page["verificationMethod"][0]["expires"] = json!("2030-01-01T00:00:00Z");
    web.put(&issuer.id, &page.to_string());
    let verdict = judge(&document.to_string(), &web);
    ends(&verdict, VerdictWord::Invalid, "issuer", Outcome::Fail, "key-expired");
}

#[test]
fn a_status_list_may_be_as_far_ahead_as_clocks_differ() {
    let (token, page, own) = token_and_pages();
    let issuer = content().issuer.id;
    let judge_with = |valid_from: DateTime<Utc>| {
        let list = StatusListContent {
            id: LIST_URL.to_owned(),
            issuer: issuer.clone(),
            valid_from,
            purpose: "revocation".to_owned(),
            list: StatusList::new(MIN_ENTRIES).unwrap(),
        };
        let embedded = publish(&key(), &list, &method(&issuer, &key()), at(12)).unwrap().document;
        let signed = publish_jwt(&jwt_key(Algorithm::EdDsa), &list, KID).unwrap().token;
        [embedded, signed].map(|list| {
            let mut web = web();
            web.put(&issuer, &page);
            web.put(KID, &own);
            web.put(LIST_URL, &list);
            check(&judge(&token, &web), "status").1.to_owned()
        })
    };
    let latest = at(14) + TimeDelta::minutes(5);
    assert_eq!(judge_with(latest), ["ok", "ok"]);
    assert_eq!(judge_with(latest + TimeDelta::seconds(1)), ["status-list-stale"; 2]);
}

#[test]
fn an_empty_list_of_evidence_is_none() {
    let mut options = options();
    options.evidence_sha256 = Some(Vec::new());
    let verdict = verify(badge().as_bytes(), &web(), &options).unwrap();
    let none = (Outcome::NotApplicable, "not-offered");
    ends(&verdict, VerdictWord::Valid, "evidence_digest", none.0, none.1);
}
