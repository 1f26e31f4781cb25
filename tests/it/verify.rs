//! The verdict over a badge from any issuer.

mod hostile;
mod issuers;
mod making;
mod reach;
mod related;
mod samples;
mod tokens;

use std::cell::RefCell;
use std::collections::BTreeMap;

use assay::credential::document::{
    CredentialContent, CredentialDraft, PublishedKey, issuer_document,
};
use assay::credential::json;
use assay::credential::keys::IssuerKey;
use assay::credential::lint::{LintPolicy, lint};
use assay::credential::proof::{self, SignedCredential, sign};
use assay::credential::status_list::{MIN_ENTRIES, StatusList, StatusListContent, publish};
use assay::credential::verify::{
    Documents, IMAGE_LIMIT, InputError, IssuerTrust, NoDocuments, Outcome, RecipientMatch,
    StatusWord, TEXT_LIMIT, Unavailable, Verdict, VerdictWord, VerifyOptions, verify,
};
use serde_json::{Value, json};

use crate::lints::{EMAIL, LIST_INDEX, LIST_URL, at, content};

/// A small web: some documents, and a record of what was asked for.
#[derive(Default)]
struct Web {
    pages: BTreeMap<String, Vec<u8>>,
    /// Addresses that answer with 410.
    gone: Vec<String>,
    /// Addresses that lead to another origin.
    elsewhere: Vec<String>,
    asked: RefCell<Vec<String>>,
}

impl Documents for Web {
    fn fetch(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        self.asked.borrow_mut().push(url.to_owned());
        let is_gone = self.gone.iter().any(|gone| gone == url);
        self.pages.get(url).cloned().ok_or_else(|| Unavailable {
            code: if is_gone { "gone" } else { "unreachable" }.to_owned(),
            detail: "The host does not answer.".to_owned(),
        })
    }

    fn fetch_within_origin(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        let (code, detail) = ("unavailable".to_owned(), "Somebody else answers.".to_owned());
        if self.elsewhere.iter().any(|elsewhere| elsewhere == url) {
            self.asked.borrow_mut().push(url.to_owned());
            return Err(Unavailable { code, detail });
        }
        self.fetch(url)
    }
}

fn key() -> IssuerKey {
    IssuerKey::from_seed(&[3; 32])
}

fn other_key() -> IssuerKey {
    IssuerKey::from_seed(&[4; 32])
}

fn published_key(key: &IssuerKey) -> PublishedKey {
    PublishedKey::multikey(&content().issuer.id, &key.public_multikey(), None)
}

fn method(issuer: &str, key: &IssuerKey) -> String {
    format!("{issuer}#{}", key.public_multikey())
}

fn signed_by(key: &IssuerKey, content: &CredentialContent) -> SignedCredential {
    let linted = lint(CredentialDraft::from(content), &LintPolicy { allow_http: true }).unwrap();
    sign(key, linted, &method(&content.issuer.id, key), at(13)).unwrap()
}

fn status_list(key: &IssuerKey, issuer: &str, set: &[usize]) -> SignedCredential {
    let mut list = StatusList::new(MIN_ENTRIES).unwrap();
    for &index in set {
        list.set(index, true).unwrap();
    }
    let content = StatusListContent {
        id: LIST_URL.to_owned(),
        issuer: issuer.to_owned(),
        valid_from: at(12),
        purpose: "revocation".to_owned(),
        list,
    };
    publish(key, &content, &method(issuer, key), at(12)).unwrap()
}

/// The issuer's page and status list, as they should be.
fn web() -> Web {
    let content = content();
    let mut web = Web::default();
    let page = issuer_document(&content.issuer, &[published_key(&key())]);
    web.put(&content.issuer.id, &page.to_string());
    web.put(LIST_URL, &status_list(&key(), &content.issuer.id, &[1, 2]).document);
    web
}

impl Web {
    fn put(&mut self, url: &str, text: &str) {
        self.pages.insert(url.to_owned(), text.as_bytes().to_vec());
    }
}

fn options() -> VerifyOptions {
    VerifyOptions::at(at(14))
}

fn badge() -> String {
    signed_by(&key(), &content()).document
}

fn judge(text: &str, web: &Web) -> Verdict {
    verify(text.as_bytes(), web, &options()).unwrap()
}

/// The outcome and code of one check.
fn check<'a>(verdict: &'a Verdict, name: &str) -> (Outcome, &'a str) {
    let checks: Vec<_> = verdict
        .checks
        .iter()
        .filter(|check| serde_json::to_value(check.name).unwrap() == name)
        .collect();
    assert_eq!(checks.len(), 1, "{name}");
    (checks[0].outcome, checks[0].code.as_str())
}

#[track_caller]
fn ends(verdict: &Verdict, word: VerdictWord, name: &str, outcome: Outcome, code: &str) {
    assert_eq!(verdict.verdict, word, "{verdict:#?}");
    assert_eq!(check(verdict, name), (outcome, code), "{verdict:#?}");
    let names: Vec<Value> =
        verdict.checks.iter().map(|check| serde_json::to_value(check.name).unwrap()).collect();
    let expected =
        ["parse", "schema", "proof", "issuer", "validity_period", "status", "evidence_digest"];
    assert_eq!(names, expected);
    assert!(verdict.checks.iter().all(|check| check.detail.ends_with('.')), "{verdict:#?}");
}

#[test]
fn a_badge_of_ours_is_valid() {
    let web = web();
    let mut options = options();
    options.expect_email = Some(format!(" {EMAIL} "));
    options.trusted_issuers = Some(vec![content().issuer.id]);
    options.evidence_sha256 = Some(vec![[7; 32]]);
    let verdict = verify(badge().as_bytes(), &web, &options).unwrap();
    ends(&verdict, VerdictWord::Valid, "status", Outcome::Pass, "ok");
    assert_eq!(verdict.recipient_match, RecipientMatch::Yes);
    assert_eq!(verdict.issuer_trust, IssuerTrust::Recognised);
    assert_eq!(check(&verdict, "evidence_digest"), (Outcome::Pass, "ok"));
    assert_eq!(*web.asked.borrow(), [content().issuer.id, LIST_URL.to_owned()]);
}

#[test]
fn verdict_has_the_form_of_the_api() {
    let verdict = serde_json::to_value(judge(&badge(), &web())).unwrap();
    insta::assert_json_snapshot!(verdict);
}

#[test]
fn altered_badges_are_never_valid() {
    let badge = badge();
    let web = web();
    // Every place is tried with a few bits; the whole is a matter of minutes.
    for index in (0..badge.len()).step_by(7) {
        let mut bytes = badge.clone().into_bytes();
        bytes[index] ^= 1 << (index % 5);
        if let Ok(verdict) = verify(&bytes, &web, &options()) {
            let same = json::parse(&bytes, &json::LIMITS).ok().is_some_and(|altered| {
                // A set has no order and no letter case of its own, but here every byte means something.
                altered == serde_json::from_str::<Value>(&badge).unwrap()
            });
            assert!(
                same || verdict.verdict != VerdictWord::Valid,
                "{index}: {}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

type Change = fn(&mut Value);

/// The badge after a change to its JSON.
fn altered(change: impl Fn(&mut Value)) -> String {
    let mut document: Value = serde_json::from_str(&badge()).unwrap();
    change(&mut document);
    document.to_string()
}

#[test]
fn changed_members_break_the_signature() {
    let changes: [Change; 5] = [
        |badge| badge["name"] = json!("Another badge"),
        |badge| badge["validUntil"] = json!("2039-11-21T12:00:00Z"),
        |badge| badge["issuer"]["name"] = json!("Another District"),
        |badge| {
            badge["credentialSubject"]["id"] =
                json!("urn:uuid:00000000-7a29-4155-840a-59483ba10164")
        },
        |badge| badge["proof"][0]["created"] = json!("2026-11-21T13:00:01Z"),
    ];
    for change in changes {
        let verdict = judge(&altered(change), &web());
        ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "signature-invalid");
        assert_eq!(verdict.credential.unwrap().status, StatusWord::Unknown);
    }
}

#[test]
fn members_cannot_be_added_or_hidden_without_breaking_the_badge() {
    let added = judge(&altered(|badge| badge["colour"] = json!("red")), &web());
    ends(&added, VerdictWord::Invalid, "schema", Outcome::Fail, "defined-terms");
    let status = |badge: &mut Value| {
        let status = badge["credentialStatus"].take();
        let object = badge.as_object_mut().unwrap();
        object.remove("credentialStatus");
        object.insert("https://www.w3.org/2018/credentials#credentialStatus".to_owned(), status);
    };
    let text = altered(status);
    // The statements are the same, so the signature alone would not notice.
    let hash = |text: &str| {
        let document = proof::unsecured(&serde_json::from_str(text).unwrap());
        proof::canonicalize(&document).unwrap().hash
    };
    assert_eq!(hash(&text), hash(&badge()));
    ends(&judge(&text, &web()), VerdictWord::Invalid, "schema", Outcome::Fail, "defined-terms");
    let removed = judge(
        &altered(|badge| drop(badge.as_object_mut().unwrap().remove("credentialStatus"))),
        &web(),
    );
    ends(&removed, VerdictWord::Invalid, "proof", Outcome::Fail, "signature-invalid");
}

#[test]
fn a_member_cannot_be_moved_to_another_object_with_the_credentials_id() {
    let issuer = content().issuer;
    let mut document = CredentialDraft::from(&content()).document().clone();
    document["refreshService"] = json!({"id": content().id, "type": "1EdTechCredentialRefresh"});
    sign_as_another_issuer(&mut document, &method(&issuer.id, &other_key()));
    let mut web = web();
    web.put(&issuer.id, &issuer_document(&issuer, &[published_key(&other_key())]).to_string());
    let list = status_list(&other_key(), &issuer.id, &[]).document;
    web.put(LIST_URL, &list);
    assert_eq!(judge(&document.to_string(), &web).verdict, VerdictWord::Valid);
    let before = proof::canonicalize(&proof::unsecured(&document)).unwrap().hash;
    let until = document["validUntil"].take();
    document.as_object_mut().unwrap().remove("validUntil");
    document["refreshService"]["type"] =
        json!(["1EdTechCredentialRefresh", "VerifiableCredential"]);
    document["refreshService"]["validUntil"] = until;
    // The statements are the same, so the signature alone would not notice.
    assert_eq!(proof::canonicalize(&proof::unsecured(&document)).unwrap().hash, before);
    let verdict = judge(&document.to_string(), &web);
    assert_eq!(verdict.verdict, VerdictWord::Invalid);
    document["refreshService"]["type"] = json!("VerifiableCredential");
    assert_eq!(judge(&document.to_string(), &web).verdict, VerdictWord::Invalid);
}

#[test]
fn nothing_but_the_issuers_page_is_fetched_before_the_proof_holds() {
    let web = web();
    judge(&altered(|badge| badge["name"] = json!("x")), &web);
    assert_eq!(*web.asked.borrow(), [content().issuer.id]);
    web.asked.borrow_mut().clear();
    judge(&altered(|badge| badge["colour"] = json!("x")), &web);
    let elsewhere = altered(|badge| {
        badge["proof"][0]["verificationMethod"] = json!("https://evil.example/keys#1");
    });
    let verdict = judge(&elsewhere, &web);
    ends(&verdict, VerdictWord::Invalid, "issuer", Outcome::Fail, "key-not-of-issuer");
    assert!(web.asked.borrow().is_empty());
}

#[test]
fn a_key_is_the_issuers_only_when_the_issuers_page_says_so() {
    let issuer = content().issuer;
    let stranger = signed_by(&other_key(), &content()).document;
    let verdict = judge(&stranger, &web());
    ends(&verdict, VerdictWord::Invalid, "issuer", Outcome::Fail, "key-not-of-issuer");
    let changes: [(&str, Change); 5] = [
        ("key-not-for-credentials", |page| page["assertionMethod"] = json!([])),
        ("key-not-of-issuer", |page| page["verificationMethod"] = json!([])),
        ("key-not-of-issuer", |page| {
            page["verificationMethod"][0]["controller"] = json!("https://other.example/")
        }),
        ("key-revoked", |page| {
            page["verificationMethod"][0]["revoked"] = json!("2026-11-21T15:00:00Z")
        }),
        ("bad-key", |page| page["verificationMethod"][0]["publicKeyMultibase"] = json!("z6Mk")),
    ];
    for (code, change) in changes {
        let mut page = issuer_document(&issuer, &[published_key(&key())]);
        change(&mut page);
        let mut web = web();
        web.put(&issuer.id, &page.to_string());
        let code = if code == "bad-key" { "unsupported-key-type" } else { code };
        let verdict = judge(&badge(), &web);
        assert_ne!(verdict.verdict, VerdictWord::Valid);
        assert_eq!(check(&verdict, "issuer").1, code);
    }
}

#[test]
fn retired_keys_still_verify_and_compromised_ones_do_not() {
    let issuer = content().issuer;
    let mut web = web();
    let retired = issuer_document(&issuer, &[published_key(&other_key()), published_key(&key())]);
    web.put(&issuer.id, &retired.to_string());
    assert_eq!(judge(&badge(), &web).verdict, VerdictWord::Valid);
    let compromised = PublishedKey::multikey(&issuer.id, &key().public_multikey(), Some(at(13)));
    web.put(&issuer.id, &issuer_document(&issuer, &[compromised]).to_string());
    ends(&judge(&badge(), &web), VerdictWord::Invalid, "issuer", Outcome::Fail, "key-revoked");
}

#[test]
fn a_proof_from_the_future_is_refused() {
    let made_at = |created| {
        let linted = lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap();
        let method = method(&content().issuer.id, &key());
        judge(&sign(&key(), linted, &method, created).unwrap().document, &web())
    };
    // Clocks differ.
    let leeway = chrono::TimeDelta::minutes(5);
    assert_eq!(made_at(at(14) + leeway).verdict, VerdictWord::Valid);
    let verdict = made_at(at(14) + leeway + chrono::TimeDelta::seconds(1));
    ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "proof-from-the-future");
}

#[test]
fn an_issuer_out_of_reach_is_indeterminate() {
    let mut web = web();
    web.pages.remove(&content().issuer.id);
    let verdict = judge(&badge(), &web);
    ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "issuer-unavailable");
    let verdict = verify(badge().as_bytes(), &NoDocuments, &options()).unwrap();
    ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "offline");
    web.put(&content().issuer.id, "<html>");
    let verdict = judge(&badge(), &web);
    ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "issuer-unreadable");
}

#[test]
fn revoked_badges_are_invalid() {
    let mut web = web();
    let issuer = content().issuer.id;
    web.put(LIST_URL, &status_list(&key(), &issuer, &[LIST_INDEX]).document);
    let verdict = judge(&badge(), &web);
    ends(&verdict, VerdictWord::Invalid, "status", Outcome::Fail, "revoked");
    assert_eq!(verdict.credential.unwrap().status, StatusWord::Revoked);
}

#[test]
fn a_status_that_cannot_be_trusted_is_indeterminate() {
    let issuer = content().issuer.id;
    let good = status_list(&key(), &issuer, &[]).document;
    let with = |change: fn(&mut Value)| {
        let mut list: Value = serde_json::from_str(&good).unwrap();
        change(&mut list);
        list.to_string()
    };
    let cases = [
        ("status-list-unverified", status_list(&other_key(), &issuer, &[]).document),
        (
            "status-list-foreign",
            status_list(&key(), "https://other.example/issuers/1", &[]).document,
        ),
        (
            "status-list-unverified",
            with(|list| drop(list.as_object_mut().unwrap().remove("proof"))),
        ),
        ("status-list-unverified", with(|list| list["validFrom"] = json!("2026-11-21T12:00:01Z"))),
        ("status-unreadable", "{".to_owned()),
        ("status-unreadable", "{}".to_owned()),
    ];
    for (code, text) in cases {
        let mut web = web();
        web.put(LIST_URL, &text);
        let verdict = judge(&badge(), &web);
        ends(&verdict, VerdictWord::Indeterminate, "status", Outcome::Unknown, code);
        assert_eq!(verdict.credential.unwrap().status, StatusWord::Unknown);
    }
    let mut web = web();
    web.pages.remove(LIST_URL);
    ends(
        &judge(&badge(), &web),
        VerdictWord::Indeterminate,
        "status",
        Outcome::Unknown,
        "status-unavailable",
    );
}

#[test]
fn a_list_of_the_issuer_under_another_id_does_not_clear_a_badge() {
    let issuer = content().issuer.id;
    let list = StatusListContent {
        id: "https://badges.example.org/status-lists/other".to_owned(),
        issuer: issuer.clone(),
        valid_from: at(12),
        purpose: "revocation".to_owned(),
        list: StatusList::new(MIN_ENTRIES).unwrap(),
    };
    let list = publish(&key(), &list, &method(&issuer, &key()), at(12)).unwrap();
    let mut web = web();
    web.put(LIST_URL, &list.document);
    ends(
        &judge(&badge(), &web),
        VerdictWord::Indeterminate,
        "status",
        Outcome::Unknown,
        "status-list-other",
    );
}

#[test]
fn a_badge_is_judged_at_the_time_given() {
    let web = web();
    let linted = lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap();
    let method = method(&content().issuer.id, &key());
    let badge = sign(&key(), linted, &method, content().valid_from).unwrap().document;
    let judge_at = |now| verify(badge.as_bytes(), &web, &VerifyOptions::at(now)).unwrap();
    assert_eq!(judge_at(content().valid_from).verdict, VerdictWord::Valid);
    let until = content().valid_until.unwrap();
    assert_eq!(judge_at(until).verdict, VerdictWord::Valid);
    let second = chrono::TimeDelta::seconds(1);
    let early = judge_at(content().valid_from - second);
    ends(&early, VerdictWord::Invalid, "validity_period", Outcome::Fail, "not-yet-valid");
    let late = judge_at(until + second);
    ends(&late, VerdictWord::Invalid, "validity_period", Outcome::Fail, "expired");
    assert_eq!(late.credential.unwrap().status, StatusWord::Expired);
}

#[test]
fn recipient_and_trust_never_change_the_verdict() {
    let mut options = options();
    options.expect_email = Some("somebody.else@example.org".to_owned());
    options.trusted_issuers = Some(vec!["https://other.example/".to_owned()]);
    let verdict = verify(badge().as_bytes(), &web(), &options).unwrap();
    assert_eq!(verdict.verdict, VerdictWord::Valid);
    assert_eq!(verdict.recipient_match, RecipientMatch::No);
    assert_eq!(verdict.issuer_trust, IssuerTrust::Unknown);
    options.trusted_issuers = Some(vec![content().issuer.id]);
    let forged = altered(|badge| badge["name"] = json!("x"));
    let verdict = verify(forged.as_bytes(), &web(), &options).unwrap();
    assert_eq!(verdict.issuer_trust, IssuerTrust::Unknown);
}

#[test]
fn another_file_is_not_the_evidence() {
    let mut options = options();
    options.evidence_sha256 = Some(vec![[7; 32], [8; 32]]);
    let verdict = verify(badge().as_bytes(), &web(), &options).unwrap();
    ends(&verdict, VerdictWord::Invalid, "evidence_digest", Outcome::Fail, "other-file");
}

/// Signs whatever it is given with [`other_key`], without our lints.
fn sign_as_another_issuer(document: &mut Value, method: &str) {
    let mut options = options_without_time(method);
    options["created"] = json!("2026-11-21T13:00:00Z");
    sign_with(document, options);
}

fn options_without_time(method: &str) -> Value {
    json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    })
}

fn sign_with(document: &mut Value, mut options: Value) {
    document.as_object_mut().unwrap().remove("proof");
    let hash = proof::canonicalize(document).unwrap().hash;
    let hashed = proof::proof_options(options.as_object().unwrap(), &document["@context"]);
    let message = proof::combined_hash(&proof::canonicalize(&hashed).unwrap().hash, &hash);
    let signing = ed25519_dalek::SigningKey::from_bytes(&[4; 32]);
    let signature = ed25519_dalek::Signer::sign(&signing, &message).to_bytes();
    options["proofValue"] = json!(format!("z{}", bs58::encode(signature).into_string()));
    document["proof"] = options;
}

#[test]
fn suspended_badges_are_invalid_until_reinstated() {
    let issuer = content().issuer;
    let suspensions = "https://badges.example.org/status-lists/suspensions";
    let key = other_key();
    let mut badge = CredentialDraft::from(&content()).document().clone();
    badge["credentialStatus"]["statusPurpose"] = json!("suspension");
    badge["credentialStatus"]["statusListCredential"] = json!(suspensions);
    sign_as_another_issuer(&mut badge, &method(&issuer.id, &key));
    let list = |set: bool| {
        let mut list = StatusList::new(MIN_ENTRIES).unwrap();
        list.set(LIST_INDEX, set).unwrap();
        let list = StatusListContent {
            id: suspensions.to_owned(),
            issuer: issuer.id.clone(),
            valid_from: at(12),
            purpose: "suspension".to_owned(),
            list,
        };
        publish(&key, &list, &method(&issuer.id, &key), at(12)).unwrap().document
    };
    let mut web = web();
    web.put(&issuer.id, &issuer_document(&issuer, &[published_key(&key)]).to_string());
    web.put(suspensions, &list(true));
    let verdict = judge(&badge.to_string(), &web);
    ends(&verdict, VerdictWord::Invalid, "status", Outcome::Fail, "suspended");
    assert_eq!(verdict.credential.unwrap().status, StatusWord::Suspended);
    web.put(suspensions, &list(false));
    assert_eq!(judge(&badge.to_string(), &web).verdict, VerdictWord::Valid);
    // A list for another purpose says nothing.
    web.put(
        suspensions,
        &status_list(&key, &issuer.id, &[]).document.replace(LIST_URL, suspensions),
    );
    assert_eq!(judge(&badge.to_string(), &web).verdict, VerdictWord::Indeterminate);
}

#[test]
fn a_badge_of_another_issuer_with_a_did_key_is_valid_without_any_fetch() {
    let key = other_key();
    let did = format!("did:key:{}", key.public_multikey());
    let mut badge = content();
    badge.issuer.id = did.clone();
    let mut draft = CredentialDraft::from(&badge).document().clone();
    draft.as_object_mut().unwrap().remove("credentialStatus");
    draft["credentialSubject"].as_object_mut().unwrap().remove("result");
    sign_as_another_issuer(&mut draft, &method(&did, &key));
    let web = Web::default();
    let verdict = judge(&draft.to_string(), &web);
    ends(&verdict, VerdictWord::Valid, "status", Outcome::NotApplicable, "no-status");
    assert!(web.asked.borrow().is_empty());
    assert_eq!(verdict.credential.unwrap().scoring, None);
    draft["proof"]["verificationMethod"] =
        json!(format!("{did}#z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"));
    assert_eq!(judge(&draft.to_string(), &web).verdict, VerdictWord::Invalid);
}

#[test]
fn what_is_no_badge_is_refused_as_input() {
    let refuse = |input: &[u8]| verify(input, &NoDocuments, &options()).unwrap_err();
    for input in
        [b"".as_slice(), b"hello", b"{", b"<html></html>", b"a.b.c", b"\xff\xfe", b"{\"a\":1}x"]
    {
        assert_eq!(refuse(input), InputError::NotParseable);
    }
    for input in [b"[]".as_slice(), b"1", b"null", b"{}", br#"{"type":["VerifiablePresentation"]}"#]
    {
        assert_eq!(refuse(input), InputError::NotACredential);
    }
}

#[test]
fn inputs_are_read_at_the_limit_and_refused_one_above() {
    let badge = badge();
    let padded = |length: usize| format!("{}{badge}", " ".repeat(length - badge.len()));
    assert_eq!(judge(&padded(TEXT_LIMIT), &web()).verdict, VerdictWord::Valid);
    let above = verify(padded(TEXT_LIMIT + 1).as_bytes(), &web(), &options());
    assert_eq!(above, Err(InputError::TooLarge { limit: TEXT_LIMIT }));
    let image = |length: usize| {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        bytes.resize(length, 0);
        verify(&bytes, &NoDocuments, &options())
    };
    assert!(image(IMAGE_LIMIT).is_ok());
    assert_eq!(image(IMAGE_LIMIT + 1), Err(InputError::TooLarge { limit: IMAGE_LIMIT }));
}

#[test]
fn a_document_that_cannot_be_read_safely_fails_parse() {
    let twice = badge().replacen('{', r#"{"name":"Another name","#, 1);
    let verdict = judge(&twice, &web());
    ends(&verdict, VerdictWord::Invalid, "parse", Outcome::Fail, "duplicate-key");
    assert_eq!(verdict.credential, None);
    let deep = altered(|badge| {
        for _ in 0..40 {
            let inner = badge["issuer"]["image"].take();
            badge["issuer"]["image"] = json!({"id": inner});
        }
    });
    ends(&judge(&deep, &web()), VerdictWord::Invalid, "parse", Outcome::Fail, "too-deep");
    let poison = altered(|badge| {
        let nodes: Vec<Value> = (0..10)
            .map(|from| {
                let others: Vec<Value> =
                    (0..10).filter(|to| *to != from).map(|to| json!(format!("_:n{to}"))).collect();
                json!({"id": format!("_:n{from}"), "type": ["Profile"], "image": others})
            })
            .collect();
        badge["evidence"] = json!(nodes);
    });
    ends(&judge(&poison, &web()), VerdictWord::Invalid, "parse", Outcome::Fail, "over-budget");
}

#[test]
fn unknown_contexts_are_never_fetched() {
    let web = web();
    let text = altered(|badge| {
        badge["@context"].as_array_mut().unwrap().push(json!("https://evil.example/context"))
    });
    let verdict = judge(&text, &web);
    ends(&verdict, VerdictWord::Indeterminate, "proof", Outcome::Unknown, "unknown-context");
    let text = altered(|badge| {
        badge["@context"].as_array_mut().unwrap().push(json!({"name": "https://schema.org/x"}))
    });
    ends(
        &judge(&text, &web),
        VerdictWord::Indeterminate,
        "proof",
        Outcome::Unknown,
        "inline-context",
    );
    assert!(web.asked.borrow().is_empty());
}

#[test]
fn unsupported_suites_are_indeterminate() {
    let changes: [Change; 3] = [
        |proof| proof["cryptosuite"] = json!("ecdsa-rdfc-2019"),
        |proof| proof["cryptosuite"] = json!("bbs-2023"),
        |proof| proof["type"] = json!("Ed25519Signature2020"),
    ];
    for change in changes {
        let text = altered(|badge| change(&mut badge["proof"][0]));
        ends(
            &judge(&text, &web()),
            VerdictWord::Indeterminate,
            "proof",
            Outcome::Unknown,
            "unsupported-suite",
        );
    }
}

#[test]
fn a_proof_of_one_suite_does_not_hold_under_the_name_of_another() {
    let text = altered(|badge| badge["proof"][0]["cryptosuite"] = json!("eddsa-jcs-2022"));
    ends(&judge(&text, &web()), VerdictWord::Invalid, "proof", Outcome::Fail, "signature-invalid");
    let text = altered(|badge| badge["proof"][0]["cryptosuite"] = json!("eddsa-2022"));
    ends(&judge(&text, &web()), VerdictWord::Invalid, "proof", Outcome::Fail, "signature-invalid");
}

#[test]
fn an_unsigned_badge_is_invalid() {
    let text = altered(|badge| drop(badge.as_object_mut().unwrap().remove("proof")));
    ends(&judge(&text, &web()), VerdictWord::Invalid, "proof", Outcome::Fail, "no-proof");
    let text = altered(|badge| badge["proof"] = json!([]));
    ends(&judge(&text, &web()), VerdictWord::Invalid, "proof", Outcome::Fail, "no-proof");
    let text = altered(|badge| {
        badge["@context"].as_array_mut().unwrap().push(json!("https://other.example/context"));
        badge.as_object_mut().unwrap().remove("proof");
    });
    ends(&judge(&text, &web()), VerdictWord::Invalid, "proof", Outcome::Fail, "no-proof");
}

#[test]
fn every_own_proof_of_a_set_has_to_hold() {
    let text = altered(|badge| {
        let proof = badge["proof"][0].clone();
        badge["proof"].as_array_mut().unwrap().push(proof);
    });
    assert_eq!(judge(&text, &web()).verdict, VerdictWord::Valid);
    let text = altered(|badge| {
        let mut proof = badge["proof"][0].clone();
        proof["created"] = json!("2026-11-21T13:30:00Z");
        badge["proof"].as_array_mut().unwrap().push(proof);
    });
    ends(&judge(&text, &web()), VerdictWord::Invalid, "proof", Outcome::Fail, "signature-invalid");
    let text = altered(|badge| badge["proof"] = json!(vec![badge["proof"][0].clone(); 9]));
    ends(&judge(&text, &web()), VerdictWord::Invalid, "proof", Outcome::Fail, "too-many-proofs");
}

#[test]
fn proofs_have_all_their_parts() {
    let cases: [(&str, Change); 6] = [
        ("proof-malformed", |proof| proof["created"] = Value::Null),
        ("wrong-purpose", |proof| proof["proofPurpose"] = json!("authentication")),
        ("proof-malformed", |proof| proof["created"] = json!("yesterday")),
        ("proof-malformed", |proof| proof["proofValue"] = json!("zzz")),
        ("proof-malformed", |proof| {
            drop(proof.as_object_mut().unwrap().remove("verificationMethod"))
        }),
        ("unsigned-term", |proof| proof["colour"] = json!("red")),
    ];
    for (code, change) in cases {
        let text = altered(|badge| change(&mut badge["proof"][0]));
        ends(&judge(&text, &web()), VerdictWord::Invalid, "proof", Outcome::Fail, code);
    }
}
