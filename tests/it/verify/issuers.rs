//! Issuers of every kind: their pages, their DIDs, and the keys that they list.

use assay::credential::document::{
    CredentialDraft, PublishedKey, did_document, issuer_document, key_document,
};
use assay::credential::jwk::{Algorithm, PublicJwk};
use assay::credential::jwt::sign;
use assay::credential::keys::{IssuerKey, did_key, did_key_method};
use assay::credential::lint::{LintPolicy, lint};
use assay::credential::proof;
use assay::credential::verify::{Outcome, Verdict, VerdictWord, verify};
use serde_json::{Value, json};

use super::{Web, badge, check, ends, judge, key, options, other_key, published_key, web};
use crate::jwt;
use crate::lints::{at, content};

const DID: &str = "did:web:badges.example.org:issuers:0193-b";
const DID_URL: &str = "https://badges.example.org/issuers/0193-b/did.json";

/// A badge of this issuer, without status, signed with [`key`] under this name of it.
fn badge_of(issuer: &str, method: &str) -> String {
    let mut content = content();
    content.issuer.id = issuer.to_owned();
    let linted = lint(CredentialDraft::from(&content), &LintPolicy { allow_http: true }).unwrap();
    proof::sign(&key(), linted, method, at(13)).unwrap().document
}

fn did_web_with(url: &str, page: &Value, issuer: &str, allow_http: bool) -> Verdict {
    let mut web = Web::default();
    web.put(url, &page.to_string());
    let method = format!("{issuer}#{}", key().public_multikey());
    let mut options = options();
    options.allow_http = allow_http;
    verify(badge_of(issuer, &method).as_bytes(), &web, &options).unwrap()
}

#[test]
fn a_did_web_is_resolved_where_it_points_to() {
    for (did, url) in [
        (DID, DID_URL),
        ("did:web:badges.example.org", "https://badges.example.org/.well-known/did.json"),
        ("did:web:badges.example.org%3A8443:a", "https://badges.example.org:8443/a/did.json"),
    ] {
        let page =
            did_document(did, &[PublishedKey::multikey(did, &key().public_multikey(), None)]);
        let verdict = did_web_with(url, &page, did, false);
        assert_eq!(check(&verdict, "issuer"), (Outcome::Pass, "ok"), "{did}: {verdict:#?}");
        assert_eq!(check(&verdict, "proof"), (Outcome::Pass, "ok"));
    }
}

#[test]
fn a_did_web_on_loopback_is_http_where_that_is_allowed() {
    let did = "did:web:127.0.0.1%3A8080:issuers:1";
    let page = did_document(did, &[PublishedKey::multikey(did, &key().public_multikey(), None)]);
    for (scheme, allow_http) in [("http", true), ("https", false)] {
        let url = format!("{scheme}://127.0.0.1:8080/issuers/1/did.json");
        let verdict = did_web_with(&url, &page, did, allow_http);
        assert_eq!(check(&verdict, "proof"), (Outcome::Pass, "ok"), "{scheme}");
    }
    let verdict = did_web_with("http://127.0.0.1:8080/issuers/1/did.json", &page, did, false);
    assert_eq!(check(&verdict, "issuer").1, "issuer-unavailable");
    // Other hosts are never asked without TLS.
    let page = did_document(DID, &[PublishedKey::multikey(DID, &key().public_multikey(), None)]);
    let verdict = did_web_with(&DID_URL.replace("https", "http"), &page, DID, true);
    assert_eq!(check(&verdict, "issuer").1, "issuer-unavailable");
}

#[test]
fn the_page_of_a_did_web_is_about_it_and_lists_the_key() {
    let multikey = key().public_multikey();
    let page = did_document(DID, &[PublishedKey::multikey(DID, &multikey, None)]);
    let other =
        did_document("did:web:evil.example", &[PublishedKey::multikey(DID, &multikey, None)]);
    let without = did_document(DID, &[published_key(&other_key())]);
    let revoked = did_document(DID, &[PublishedKey::multikey(DID, &multikey, Some(at(1)))]);
    assert_eq!(check(&did_web_with(DID_URL, &page, DID, false), "issuer").1, "ok");
    for (page, code) in
        [(other, "issuer-unreadable"), (without, "key-not-of-issuer"), (revoked, "key-revoked")]
    {
        let verdict = did_web_with(DID_URL, &page, DID, false);
        assert_ne!(verdict.verdict, VerdictWord::Valid);
        assert_eq!(check(&verdict, "issuer").1, code);
    }
    for did in [
        "did:web:",
        "did:web:a.example:..:b",
        "did:web:a.example::b",
        "did:web:a.example%2Fb",
        "did:web:a.example%3Ax",
        "did:web:user@a.example",
        "did:web:a.example/b",
        "did:web:a.example?x",
    ] {
        let web = Web::default();
        let text = badge_of(DID, &format!("{DID}#{multikey}")).replace(DID, did);
        let verdict = judge(&text, &web);
        assert_ne!(verdict.verdict, VerdictWord::Valid, "{did}");
        assert!(web.asked.borrow().is_empty(), "{did}: {:?}", web.asked.borrow());
    }
}

#[test]
fn a_token_of_a_did_web_names_a_key_of_its_document() {
    let jwk = jwt::key(Algorithm::Rs256);
    let kid = format!("{DID}#0193-k");
    let page = did_document(DID, &[PublishedKey::jwk(&kid, jwk.public_jwk(), None)]);
    let mut web = Web::default();
    web.put(DID_URL, &page.to_string());
    let mut content = content();
    content.issuer.id = DID.to_owned();
    let judge_with = |kid: &str| {
        let linted = lint(CredentialDraft::from(&content), &LintPolicy::default()).unwrap();
        judge(&sign(&jwk, &linted, kid).unwrap().token, &web)
    };
    let verdict = judge_with(&kid);
    assert_eq!(check(&verdict, "proof"), (Outcome::Pass, "ok"), "{verdict:#?}");
    assert_eq!(check(&judge_with("#0193-k"), "proof"), (Outcome::Pass, "ok"));
    for kid in
        [DID.to_owned(), format!("{DID}#other"), "https://badges.example.org/keys/1".to_owned()]
    {
        assert_eq!(check(&judge_with(&kid), "issuer").1, "key-not-of-issuer", "{kid}");
    }
}

#[test]
fn did_keys_of_our_own_sign_embedded_proofs() {
    let did = did_key(&key().public_key());
    let verdict = judge(&badge_of(&did, &did_key_method(&key().public_key())), &Web::default());
    assert_eq!(check(&verdict, "proof"), (Outcome::Pass, "ok"), "{verdict:#?}");
    assert_eq!(check(&verdict, "issuer"), (Outcome::Pass, "ok"));
}

#[test]
fn pages_publish_keys_in_several_forms() {
    let issuer = content().issuer;
    let page = issuer_document(&issuer, &[published_key(&key())]);
    let jwk = PublicJwk::from_ed25519(key().public_key()).to_value();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut page = page.clone();
        change(&mut page["verificationMethod"][0]);
        let mut web = web();
        web.put(&issuer.id, &page.to_string());
        let verdict = judge(&badge(), &web);
        check(&verdict, "issuer").1.to_owned()
    };
    let as_jwk = |method: &mut Value, jwk: Value| {
        method["type"] = json!("JsonWebKey");
        method.as_object_mut().unwrap().remove("publicKeyMultibase");
        method["publicKeyJwk"] = jwk;
    };
    let other = PublicJwk::from_ed25519(other_key().public_key()).to_value();
    let p256 = jwt::key(Algorithm::Es256).public_jwk().to_value();
    assert_eq!(with(&|method| as_jwk(method, jwk.clone())), "ok");
    assert_eq!(with(&|method| method["type"] = json!("Ed25519VerificationKey2020")), "ok");
    assert_eq!(with(&|method| method["publicKeyJwk"] = jwk.clone()), "ok");
    assert_eq!(with(&|method| method["publicKeyJwk"] = other.clone()), "bad-key");
    assert_eq!(with(&|method| as_jwk(method, p256.clone())), "bad-key");
    assert_eq!(
        with(&|method| as_jwk(method, json!({"kty": "OKP", "crv": "X448", "x": "AA"}))),
        "unsupported-key-type"
    );
    assert_eq!(
        with(&|method| drop(method.as_object_mut().unwrap().remove("publicKeyMultibase"))),
        "unsupported-key-type"
    );
}

#[test]
fn a_page_can_list_a_did_key_and_strangers_may_sign_as_well() {
    let issuer = content().issuer;
    let method = did_key_method(&key().public_key());
    let signed = badge_of(&issuer.id, &method);
    let with = |assertion: Value, text: &str| {
        let mut page = issuer_document(&issuer, &[published_key(&other_key())]);
        page["assertionMethod"] = assertion;
        let mut web = web();
        web.put(&issuer.id, &page.to_string());
        let verdict = judge(text, &web);
        (check(&verdict, "proof").0, check(&verdict, "issuer").1.to_owned())
    };
    assert_eq!(with(json!([method]), &signed), (Outcome::Pass, "ok".to_owned()));
    assert_eq!(with(json!([]), &signed).1, "key-not-of-issuer");
    // A proof of somebody else beside that of the issuer says nothing for or against.
    let mut both: Value = serde_json::from_str(&badge()).unwrap();
    let stranger: Value = serde_json::from_str(&signed).unwrap();
    both["proof"].as_array_mut().unwrap().push(stranger["proof"][0].clone());
    assert_eq!(judge(&both.to_string(), &web()).verdict, VerdictWord::Valid);
    both["proof"][0]["proofValue"] = both["proof"][1]["proofValue"].clone();
    let verdict = judge(&both.to_string(), &web());
    ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "signature-invalid");
}

#[test]
fn a_key_that_is_only_listed_cannot_be_had_before_the_proof_holds() {
    let issuer = content().issuer.id;
    let address = "https://badges.example.org/keys/1";
    let listed = PublishedKey::multikey(address, &key().public_multikey(), None);
    let mut web = web();
    web.put(&issuer, &json!({"id": issuer, "assertionMethod": [listed.id]}).to_string());
    web.put(address, &key_document(&issuer, &listed).to_string());
    let text = badge_of(&issuer, &listed.id);
    let verdict = judge(&text, &web);
    ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "key-elsewhere");
    assert_eq!(*web.asked.borrow(), [issuer.as_str()]);
    web.put(&issuer, &json!({"id": issuer, "assertionMethod": []}).to_string());
    let verdict = judge(&text, &web);
    ends(&verdict, VerdictWord::Invalid, "issuer", Outcome::Fail, "key-not-of-issuer");
}

#[test]
fn a_key_is_never_taken_from_the_fragment_of_an_address() {
    let issuer = content().issuer;
    let stranger = IssuerKey::from_seed(&[9; 32]);
    let linted = lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap();
    let method = format!("{}#{}", issuer.id, stranger.public_multikey());
    let text = proof::sign(&stranger, linted, &method, at(13)).unwrap().document;
    ends(&judge(&text, &web()), VerdictWord::Invalid, "issuer", Outcome::Fail, "key-not-of-issuer");
}

#[test]
fn http_issuers_are_not_believed_unless_that_is_allowed() {
    let issuer = "http://127.0.0.1:8080/issuers/1";
    let mut content = content();
    content.issuer.id = issuer.to_owned();
    let mut web = Web::default();
    let keys = [PublishedKey::multikey(issuer, &key().public_multikey(), None)];
    web.put(issuer, &issuer_document(&content.issuer, &keys).to_string());
    let text = badge_of(issuer, &keys[0].id);
    assert_eq!(check(&judge(&text, &web), "issuer").1, "issuer-not-https");
    let mut options = options();
    options.allow_http = true;
    let verdict = verify(text.as_bytes(), &web, &options).unwrap();
    assert_eq!(check(&verdict, "issuer"), (Outcome::Pass, "ok"));
}

#[test]
fn a_proof_of_a_chain_covers_those_before_it() {
    let path = "vectors/vc-di-eddsa/proof-set-chain/signedProofChain1.json";
    let chain = crate::standards::published_json(path);
    let last = chain["proof"][2].clone();
    assert!(last["previousProof"].is_string() || last["previousProof"].is_array());
    // Only the last is the issuer's, so that nobody asks whether the others hold.
    let issuer = "https://vc.example/issuers/5678";
    let mut web = Web::default();
    let page = json!({"id": issuer, "assertionMethod": [last["verificationMethod"]]});
    web.put(issuer, &page.to_string());
    let judge_with = |change: &dyn Fn(&mut Value)| {
        let mut chain = chain.clone();
        change(&mut chain);
        let verdict = judge(&chain.to_string(), &web);
        (verdict.verdict, check(&verdict, "proof").1.to_owned())
    };
    let invalid = |code: &str| (VerdictWord::Invalid, code.to_owned());
    assert_eq!(judge_with(&|_| {}), (VerdictWord::Valid, "ok".to_owned()));
    let earlier = json!("2023-02-26T22:16:39Z");
    for index in [0, 1] {
        let change = |chain: &mut Value| chain["proof"][index]["created"] = earlier.clone();
        assert_eq!(judge_with(&change), invalid("signature-invalid"), "{index}");
    }
    let without = |chain: &mut Value| drop(chain["proof"].as_array_mut().unwrap().remove(0));
    assert_eq!(judge_with(&without), invalid("proof-malformed"));
    let numbered = |chain: &mut Value| chain["proof"][2]["previousProof"] = json!([7]);
    assert_eq!(judge_with(&numbered), invalid("proof-malformed"));
    let long = |chain: &mut Value| {
        let last = chain["proof"][2].clone();
        chain["proof"].as_array_mut().unwrap().extend([last.clone(), last.clone(), last]);
    };
    assert_eq!(judge_with(&long), invalid("too-many-proofs"));
}
