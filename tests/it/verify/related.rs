//! Resources that a badge vouches for, and two status entries.

use assay::credential::contexts::BUNDLE;
use assay::credential::document::{
    CredentialContent, CredentialDraft, StatusContent, issuer_document,
};
use assay::credential::status_list::{MIN_ENTRIES, StatusList, StatusListContent, publish};
use assay::credential::verify::{NoDocuments, Outcome, StatusWord, VerdictWord, verify};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{
    Web, check, ends, judge, method, options, other_key, published_key, sign_as_another_issuer,
    signed_by, web,
};
use crate::lints::{LIST_INDEX, LIST_URL, at, content};

const RESOURCE: &str = "https://badges.example.org/files/1";

/// A badge of another issuer that vouches for this resource, and the web in which it is read.
fn vouching(resource: Value) -> (String, Web) {
    let issuer = content().issuer;
    let mut badge = CredentialDraft::from(&content()).document().clone();
    badge.as_object_mut().unwrap().remove("credentialStatus");
    badge["relatedResource"] = json!([resource]);
    sign_as_another_issuer(&mut badge, &method(&issuer.id, &other_key()));
    let mut web = Web::default();
    web.put(&issuer.id, &issuer_document(&issuer, &[published_key(&other_key())]).to_string());
    web.put(RESOURCE, "hello");
    (badge.to_string(), web)
}

fn code(resource: Value) -> String {
    let (badge, web) = vouching(resource);
    check(&judge(&badge, &web), "schema").1.to_owned()
}

#[test]
fn related_resources_are_what_they_were() {
    let sri = |kind: &str, hash: &[u8]| format!("{kind}-{}", STANDARD.encode(hash));
    let sha256 = sri("sha256", &Sha256::digest("hello"));
    let sha384 = sri("sha384", &Sha384::digest("hello"));
    let sha512 = sri("sha512", &Sha512::digest("hello"));
    let wrong = sri("sha384", &Sha384::digest("hullo"));
    let multibase = assay::credential::document::digest_multibase(&Sha256::digest("hello").into());
    let other = assay::credential::document::digest_multibase(&[7; 32]);
    let with = |member: &str, digest: &str| code(json!({"id": RESOURCE, member: digest}));
    for digest in [&sha256, &sha384, &sha512] {
        assert_eq!(with("digestSRI", digest), "ok");
    }
    assert_eq!(with("digestSRI", &format!("{sha256} {sha384}")), "ok");
    // The strongest counts.
    assert_eq!(with("digestSRI", &format!("{sha256} {wrong}")), "related-resource-digest");
    assert_eq!(with("digestSRI", &wrong), "related-resource-digest");
    assert_eq!(with("digestSRI", "md5-XUFAKrxLKna5cZ2REBfFkg=="), "unsupported-digest");
    assert_eq!(with("digestMultibase", &multibase), "ok");
    assert_eq!(with("digestMultibase", &other), "related-resource-digest");
    assert_eq!(with("digestMultibase", "uAAA"), "unsupported-digest");
    assert_eq!(
        code(json!({"id": RESOURCE, "digestSRI": sha256, "digestMultibase": other})),
        "related-resource-digest"
    );
    assert_eq!(
        code(json!({"id": "https://badges.example.org/files/2", "digestSRI": sha256})),
        "related-resource-unavailable"
    );
    assert_eq!(
        code(json!({"id": "http://badges.example.org/files/1", "digestSRI": sha256})),
        "related-resource-unavailable"
    );
}

#[test]
fn bundled_contexts_are_compared_without_any_fetch() {
    let digest = format!("sha256-{}", STANDARD.encode(Sha256::digest(BUNDLE[0].bytes)));
    let (badge, web) = vouching(json!({"id": BUNDLE[0].url, "digestSRI": digest}));
    ends(&judge(&badge, &web), VerdictWord::Valid, "schema", Outcome::Pass, "ok");
    assert_eq!(*web.asked.borrow(), [content().issuer.id]);
    let other = format!("sha256-{}", STANDARD.encode(Sha256::digest(BUNDLE[1].bytes)));
    let (badge, web) = vouching(json!({"id": BUNDLE[0].url, "digestSRI": other}));
    let verdict = judge(&badge, &web);
    ends(&verdict, VerdictWord::Invalid, "schema", Outcome::Fail, "related-resource-digest");
}

#[test]
fn nothing_is_fetched_for_a_resource_before_the_proof_holds() {
    let (badge, web) = vouching(json!({"id": RESOURCE, "digestSRI": "sha256-AA=="}));
    judge(&badge.replace("Small-group support", "Large-group support"), &web);
    assert_eq!(*web.asked.borrow(), [content().issuer.id]);
    let verdict = verify(badge.as_bytes(), &NoDocuments, &options()).unwrap();
    assert_eq!(check(&verdict, "issuer").1, "offline");
}

#[test]
fn revocation_and_suspension_are_told_apart() {
    let suspensions = "https://badges.example.org/status-lists/0193-e";
    let content = CredentialContent {
        status: StatusContent::Bitstring {
            list_url: LIST_URL.to_owned(),
            index: LIST_INDEX,
            suspension: Some((suspensions.to_owned(), 7)),
        },
        ..content()
    };
    let badge = signed_by(&super::key(), &content).document;
    let list = |url: &str, purpose: &str, index: usize, set: bool| {
        let mut list = StatusList::new(MIN_ENTRIES).unwrap();
        list.set(index, set).unwrap();
        let list = StatusListContent {
            id: url.to_owned(),
            issuer: content.issuer.id.clone(),
            valid_from: at(12),
            purpose: purpose.to_owned(),
            list,
        };
        let method = method(&content.issuer.id, &super::key());
        publish(&super::key(), &list, &method, at(12)).unwrap().document
    };
    for (revoked, suspended, code, word) in [
        (false, false, "ok", StatusWord::Active),
        (false, true, "suspended", StatusWord::Suspended),
        (true, false, "revoked", StatusWord::Revoked),
        (true, true, "revoked", StatusWord::Revoked),
    ] {
        let mut web = web();
        web.put(LIST_URL, &list(LIST_URL, "revocation", LIST_INDEX, revoked));
        web.put(suspensions, &list(suspensions, "suspension", 7, suspended));
        let verdict = judge(&badge, &web);
        assert_eq!(check(&verdict, "status").1, code);
        assert_eq!(verdict.verdict == VerdictWord::Valid, code == "ok");
        assert_eq!(verdict.credential.unwrap().status, word);
    }
    // One list out of reach leaves the other's word.
    let mut web = web();
    web.put(LIST_URL, &list(LIST_URL, "revocation", LIST_INDEX, false));
    let verdict = judge(&badge, &web);
    ends(&verdict, VerdictWord::Indeterminate, "status", Outcome::Unknown, "status-unavailable");
    web.put(LIST_URL, &list(LIST_URL, "revocation", LIST_INDEX, true));
    ends(&judge(&badge, &web), VerdictWord::Invalid, "status", Outcome::Fail, "revoked");
}
