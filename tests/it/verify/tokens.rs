//! Badges that are signed as JWT.

use assay::credential::document::{
    CredentialDraft, PublishedKey, issuer_document, jwks, key_document,
};
use assay::credential::jwk::{Algorithm, JwtKey, PublicJwk};
use assay::credential::jwt::sign;
use assay::credential::keys::{IssuerKey, did_key, did_key_method};
use assay::credential::lint::{LintPolicy, lint};
use assay::credential::verify::{
    InputError, NoDocuments, Outcome, StatusWord, Verdict, VerdictWord, VerifyOptions, verify,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde_json::{Map, Value, json};

use super::{Web, check, ends, judge, options, status_list, web};
use crate::jwt::{KID, key};
use crate::lints::{LIST_URL, at, content};

/// The issuer's page with this key for JWTs besides its others, and the status list.
fn web_with(key: &JwtKey) -> Web {
    let issuer = content().issuer;
    let mut web = web();
    let keys =
        [super::published_key(&super::key()), PublishedKey::jwk(KID, key.public_jwk(), None)];
    web.put(&issuer.id, &issuer_document(&issuer, &keys).to_string());
    web.put(KID, &key_document(&issuer.id, &keys[1]).to_string());
    web
}

fn signed_by(key: &JwtKey, kid: &str) -> String {
    let linted = lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap();
    sign(key, &linted, kid).unwrap().token
}

/// The payload as it is signed by us.
fn payload() -> Value {
    let token = signed_by(&key(Algorithm::EdDsa), KID);
    part(&token, 1)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Signs whatever it is given with EdDSA, headers and claims of any kind.
fn forged(header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signing = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let signature = ed25519_dalek::Signer::sign(&signing, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "JWT", "kid": KID})
}

/// The verdict on a token with changed claims, signed by the issuer's key.
fn with_payload(change: impl Fn(&mut Value)) -> Verdict {
    let mut payload = payload();
    change(&mut payload);
    judge(&forged(&header().to_string(), &payload.to_string()), &web_with(&key(Algorithm::EdDsa)))
}

fn with_header(change: impl Fn(&mut Value)) -> Verdict {
    let mut header = header();
    change(&mut header);
    let token = forged(&header.to_string(), &payload().to_string());
    judge(&token, &web_with(&key(Algorithm::EdDsa)))
}

#[test]
fn a_token_of_ours_is_valid_with_each_kind_of_key() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let web = web_with(&key);
        let verdict = judge(&signed_by(&key, KID), &web);
        ends(&verdict, VerdictWord::Valid, "status", Outcome::Pass, "ok");
        assert_eq!(verdict.credential.unwrap().status, StatusWord::Active);
        // The key alone before the proof holds, then the rest.
        let asked = web.asked.borrow();
        assert_eq!(*asked, [KID, content().issuer.id.as_str(), LIST_URL]);
    }
}

#[test]
fn altered_tokens_are_never_valid() {
    let key = key(Algorithm::Es256);
    let (token, web) = (signed_by(&key, KID), web_with(&key));
    for index in (0..token.len()).step_by(11) {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        if let Ok(verdict) = verify(&bytes, &web, &options()) {
            assert_ne!(verdict.verdict, VerdictWord::Valid, "{index}");
        }
    }
}

#[test]
fn a_stranger_cannot_sign_for_the_issuer() {
    let stranger = JwtKey::from_issuer_key(&IssuerKey::from_seed(&[6; 32]));
    let verdict = judge(&signed_by(&stranger, KID), &web_with(&key(Algorithm::EdDsa)));
    ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "signature-invalid");
}

#[test]
fn unsigned_and_symmetric_tokens_are_refused() {
    let web = web_with(&key(Algorithm::Rs256));
    for name in ["none", "None", "nOnE", "HS256", "HS384", "HS512", "rs256", ""] {
        let verdict = with_header(|header| header["alg"] = json!(name));
        ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "refused-algorithm");
    }
    let verdict = with_header(|header| header["alg"] = json!(7));
    ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "refused-algorithm");
    // The public key as the secret of an HMAC.
    let public = key(Algorithm::Rs256).public_jwk().to_value();
    for secret in [public.to_string(), public["n"].as_str().unwrap().to_owned()] {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        header.kid = Some(KID.to_owned());
        let secret = EncodingKey::from_secret(secret.as_bytes());
        let token = jsonwebtoken::encode(&header, &payload(), &secret).unwrap();
        let verdict = judge(&token, &web);
        ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "refused-algorithm");
    }
    for name in ["PS256", "ES384", "RS512", "ES256K"] {
        let verdict = with_header(|header| header["alg"] = json!(name));
        let unknown = (Outcome::Unknown, "unsupported-algorithm");
        ends(&verdict, VerdictWord::Indeterminate, "proof", unknown.0, unknown.1);
    }
}

#[test]
fn a_key_is_used_with_its_own_algorithm_only() {
    // Signed with EdDSA and said to be RS256, with the page of the RSA key.
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": KID});
    let token = forged(&header.to_string(), &payload().to_string());
    let verdict = judge(&token, &web_with(&key(Algorithm::Rs256)));
    ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "signature-invalid");
    let verdict = judge(&token, &web_with(&key(Algorithm::EdDsa)));
    ends(&verdict, VerdictWord::Invalid, "issuer", Outcome::Fail, "bad-key");
}

#[test]
fn headers_have_a_type_of_credentials_and_nothing_critical() {
    for kind in ["JWT", "jwt", "vc+jwt", "VC+JWT", "vc+ld+json+jwt", "application/vc+jwt"] {
        let verdict = with_header(|header| header["typ"] = json!(kind));
        assert_eq!(verdict.verdict, VerdictWord::Valid, "{kind}");
    }
    let verdict = with_header(|header| drop(header.as_object_mut().unwrap().remove("typ")));
    assert_eq!(verdict.verdict, VerdictWord::Valid);
    for kind in
        [json!("at+jwt"), json!("vp+jwt"), json!("dpop+jwt"), json!(""), json!(7), json!(["JWT"])]
    {
        let verdict = with_header(|header| header["typ"] = kind.clone());
        ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "token-type");
    }
    for (member, value) in
        [("crit", json!(["exp"])), ("crit", json!([])), ("b64", json!(false)), ("b64", json!(true))]
    {
        let verdict = with_header(|header| header[member] = value.clone());
        ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "critical-header");
    }
    for kid in [json!(7), json!(""), json!("x".repeat(3_000))] {
        let verdict = with_header(|header| header["kid"] = kid.clone());
        ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "header-malformed");
    }
}

#[test]
fn members_named_twice_are_refused_in_header_and_payload() {
    let web = web_with(&key(Algorithm::EdDsa));
    let header = header().to_string();
    let twice = |text: &str, more: &str| text.replacen('{', &format!("{{{more},"), 1);
    let tokens = [
        forged(&twice(&header, r#""alg":"none""#), &payload().to_string()),
        forged(&header, &twice(&payload().to_string(), r#""iss":"https://evil.example/""#)),
        forged(&header, &twice(&payload().to_string(), r#""name":"Another badge""#)),
    ];
    for token in tokens {
        let verdict = judge(&token, &web);
        ends(&verdict, VerdictWord::Invalid, "parse", Outcome::Fail, "duplicate-key");
    }
}

#[test]
fn base64url_is_strict() {
    let web = web_with(&key(Algorithm::EdDsa));
    let token = signed_by(&key(Algorithm::EdDsa), KID);
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    // An Ed25519 signature has 86 characters, of which the last leaves four bits over.
    let last = signature.chars().last().unwrap();
    let loose = char::from(last as u8 + 1);
    for token in [
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}.{}{loose}", &signature[..85]),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}.{payload}.{}", &signature[..40]),
        format!("{header}.{payload}."),
        format!("{header}.{payload}+/.{signature}"),
        format!("{header}.{}\n.{signature}", payload),
    ] {
        let verdict = judge(&token, &web);
        assert_eq!(verdict.verdict, VerdictWord::Invalid, "{token}");
        let code = verdict.checks.iter().find(|check| check.outcome == Outcome::Fail).unwrap();
        assert!(["token-malformed", "signature-invalid"].contains(&code.code.as_str()));
    }
    // White space around a token is that of a file.
    assert_eq!(judge(&format!("\n {token} \n"), &web).verdict, VerdictWord::Valid);
}

#[test]
fn claims_of_the_wrong_type_are_refused() {
    let wrong = [
        ("exp", json!("1900000000")),
        ("exp", json!(null)),
        ("exp", json!(1e300)),
        ("nbf", json!("2026-11-21T12:00:00Z")),
        ("nbf", json!([1])),
        ("iat", json!("now")),
        ("iss", json!(["https://badges.example.org/issuers/0193-b"])),
        ("sub", json!(7)),
        ("jti", json!({})),
    ];
    for (claim, value) in wrong {
        let verdict = with_payload(|payload| payload[claim] = value.clone());
        ends(&verdict, VerdictWord::Invalid, "schema", Outcome::Fail, "claims");
    }
}

#[test]
fn claims_that_contradict_the_credential_are_refused() {
    let second = at(12).timestamp();
    let wrong = [
        ("iss", json!("https://evil.example/issuers/1")),
        ("jti", json!("https://badges.example.org/credentials/another")),
        ("sub", json!("urn:uuid:00000000-7a29-4155-840a-59483ba10164")),
        ("nbf", json!(second + 1)),
        ("nbf", json!(second - 1)),
        ("exp", json!(second + 3_600)),
        ("exp", json!(4_000_000_000_u64)),
        ("vc", json!({"type": ["VerifiableCredential"]})),
    ];
    for (claim, value) in wrong {
        let verdict = with_payload(|payload| payload[claim] = value.clone());
        ends(&verdict, VerdictWord::Invalid, "schema", Outcome::Fail, "claims");
    }
    // Who leaves them out, or adds others, says nothing wrong.
    let verdict = with_payload(|payload| {
        for claim in ["iss", "sub", "jti", "nbf", "exp"] {
            payload.as_object_mut().unwrap().remove(claim);
        }
        payload["aud"] = json!("https://reader.example");
        payload["iat"] = json!(1_763_726_400.25);
    });
    assert_eq!(verdict.verdict, VerdictWord::Valid, "{verdict:#?}");
}

#[test]
fn the_claims_end_a_token_that_says_nothing_else() {
    let without_end = |exp: i64| {
        with_payload(|payload| {
            payload.as_object_mut().unwrap().remove("validUntil");
            payload["exp"] = json!(exp);
        })
    };
    assert_eq!(without_end(at(14).timestamp()).verdict, VerdictWord::Valid);
    let ended = without_end(at(14).timestamp() - 1);
    ends(&ended, VerdictWord::Invalid, "validity_period", Outcome::Fail, "expired");
    let early = VerifyOptions::at(content().valid_from - chrono::TimeDelta::seconds(1));
    let token = signed_by(&key(Algorithm::EdDsa), KID);
    let verdict = verify(token.as_bytes(), &web_with(&key(Algorithm::EdDsa)), &early).unwrap();
    ends(&verdict, VerdictWord::Invalid, "validity_period", Outcome::Fail, "not-yet-valid");
}

#[test]
fn a_token_from_the_future_is_refused() {
    let made_at = |seconds: i64| with_payload(|payload| payload["iat"] = json!(seconds));
    let latest = at(14).timestamp() + 5 * 60;
    assert_eq!(made_at(latest).verdict, VerdictWord::Valid);
    let verdict = made_at(latest + 1);
    ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "proof-from-the-future");
}

#[test]
fn the_rules_for_badges_hold_for_tokens() {
    let verdict = with_payload(|payload| payload["colour"] = json!("red"));
    ends(&verdict, VerdictWord::Invalid, "schema", Outcome::Fail, "defined-terms");
    let verdict = with_payload(|payload| {
        payload["credentialSubject"].as_object_mut().unwrap().remove("achievement");
        payload["credentialSubject"].as_object_mut().unwrap().remove("result");
    });
    ends(&verdict, VerdictWord::Invalid, "schema", Outcome::Fail, "official-schema");
    let unknown = with_payload(|payload| {
        payload["@context"].as_array_mut().unwrap().push(json!("https://other.example/context"));
    });
    ends(&unknown, VerdictWord::Indeterminate, "schema", Outcome::Unknown, "unknown-context");
    assert_eq!(check(&unknown, "proof"), (Outcome::Pass, "ok"));
}

#[test]
fn a_key_that_the_token_brings_along_proves_nothing() {
    let stranger = IssuerKey::from_seed(&[5; 32]);
    let jwk = PublicJwk::from_ed25519(stranger.public_key()).to_value();
    // The issuer publishes another one.
    let web = web_with(&key(Algorithm::Rs256));
    for header in [
        json!({"alg": "EdDSA", "jwk": jwk}),
        json!({"alg": "EdDSA", "jwk": jwk, "kid": KID}),
        json!({"alg": "EdDSA", "jwk": jwk, "kid": "key-1"}),
    ] {
        let verdict = judge(&forged(&header.to_string(), &payload().to_string()), &web);
        ends(&verdict, VerdictWord::Invalid, "issuer", Outcome::Fail, "key-not-of-issuer");
    }
    let header = json!({"alg": "EdDSA", "jwk": jwk});
    let token = forged(&header.to_string(), &payload().to_string());
    assert_eq!(judge(&token, &web_with(&key(Algorithm::EdDsa))).verdict, VerdictWord::Valid);
    let verdict = verify(token.as_bytes(), &NoDocuments, &options()).unwrap();
    ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "offline");
    let private =
        json!({"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": jwk["x"], "d": "AA"}});
    let verdict = judge(&forged(&private.to_string(), &payload().to_string()), &web);
    ends(&verdict, VerdictWord::Invalid, "proof", Outcome::Fail, "bad-key");
}

#[test]
fn key_ids_stay_on_the_issuers_host() {
    let jwk = key_document("", &PublishedKey::jwk(KID, key(Algorithm::EdDsa).public_jwk(), None));
    for kid in [
        "https://evil.example/keys/1",
        "https://badges.example.org.evil.example/keys/1",
        "https://badges.example.org:8443/keys/1",
        "http://badges.example.org/keys/1",
        "https://user@badges.example.org/keys/1",
        "file:///etc/passwd",
        "did:web:evil.example#1",
    ] {
        let mut web = web_with(&key(Algorithm::EdDsa));
        web.put(kid, &jwk.to_string());
        let token =
            forged(&json!({"alg": "EdDSA", "kid": kid}).to_string(), &payload().to_string());
        let verdict = judge(&token, &web);
        ends(&verdict, VerdictWord::Invalid, "issuer", Outcome::Fail, "key-not-of-issuer");
        assert!(!web.asked.borrow().iter().any(|url| url == kid), "{kid}");
    }
}

#[test]
fn a_key_of_another_issuer_on_the_same_host_is_not_enough() {
    // The page of the key is there, but the issuer's own page does not list it.
    let token = signed_by(&key(Algorithm::EdDsa), KID);
    let mut web = web();
    let jwk = key(Algorithm::EdDsa).public_jwk();
    web.put(KID, &key_document("", &PublishedKey::jwk(KID, jwk.clone(), None)).to_string());
    let verdict = judge(&token, &web);
    ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "key-unlisted");
    // Saying to be of the issuer, or to be the issuer, is not enough either.
    let method = json!({"id": KID, "type": "JsonWebKey", "controller": content().issuer.id, "publicKeyJwk": jwk.to_value()});
    let page = issuer_document(&content().issuer, &[PublishedKey::jwk(KID, jwk, None)]);
    for page in [method, page] {
        web.put(KID, &page.to_string());
        let verdict = judge(&token, &web);
        ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "key-unlisted");
    }
    // Listed by its address alone, it is the issuer's.
    let listed = json!({"id": content().issuer.id, "assertionMethod": [KID]});
    web.put(&content().issuer.id, &listed.to_string());
    assert_eq!(check(&judge(&token, &web), "issuer"), (Outcome::Pass, "ok"));
    // An issuer without a list leaves it to its host.
    web.put(
        &content().issuer.id,
        &json!({"id": content().issuer.id, "type": "Profile"}).to_string(),
    );
    assert_eq!(check(&judge(&token, &web), "issuer"), (Outcome::Pass, "ok"));
    // A page that is about somebody else, or is none, or is not there, says nothing.
    for page in [r#"{"id": "https://badges.example.org/issuers/another"}"#, "<html>"] {
        web.put(&content().issuer.id, page);
        let verdict = judge(&token, &web);
        let unknown = (Outcome::Unknown, "issuer-unreadable");
        ends(&verdict, VerdictWord::Indeterminate, "issuer", unknown.0, unknown.1);
    }
    web.pages.remove(&content().issuer.id);
    let verdict = judge(&token, &web);
    ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "issuer-unavailable");
}

#[test]
fn the_page_of_a_key_is_a_jwk_a_set_or_a_verification_method() {
    let issuer = content().issuer.id;
    let own = key(Algorithm::EdDsa).public_jwk();
    let other = JwtKey::from_issuer_key(&IssuerKey::from_seed(&[6; 32])).public_jwk();
    let named = |kid: &str, jwk: &PublicJwk| PublishedKey::jwk(kid, jwk.clone(), None);
    let method = |controller: &str| json!({"id": KID, "type": "JsonWebKey", "controller": controller, "publicKeyJwk": own.to_value()});
    let multikey = json!({"id": KID, "type": "Multikey", "controller": issuer, "publicKeyMultibase": own.multikey()});
    let mut revoked = method(&issuer);
    revoked["revoked"] = json!("2026-11-21T00:00:00Z");
    let mut expired = method(&issuer);
    expired["expires"] = json!("2026-11-21T11:59:59Z");
    let set = |keys: &[PublishedKey]| jwks(keys);
    let symmetric = json!({"kty": "oct", "k": "c2VjcmV0"});
    let cases = [
        ("ok", own.to_value()),
        ("ok", set(&[named("https://badges.example.org/keys/other", &other), named(KID, &own)])),
        ("ok", method(&issuer)),
        ("ok", multikey),
        ("key-not-of-issuer", set(&[named("https://badges.example.org/keys/other", &own)])),
        ("key-not-of-issuer", json!({"keys": []})),
        ("ambiguous-key", set(&[named(KID, &own), named(KID, &other)])),
        ("key-not-of-issuer", method("https://badges.example.org/issuers/another")),
        ("key-revoked", revoked),
        ("key-expired", expired),
        ("bad-key", symmetric),
        ("unsupported-key-type", json!({"kty": "EC", "crv": "P-521"})),
        ("issuer-unreadable", json!({"hello": "world"})),
        ("issuer-unreadable", json!([])),
    ];
    for (code, page) in cases {
        let mut web = web_with(&key(Algorithm::EdDsa));
        web.put(KID, &page.to_string());
        let verdict = judge(&signed_by(&key(Algorithm::EdDsa), KID), &web);
        assert_eq!(check(&verdict, "issuer").1, code, "{page}");
        assert_eq!(verdict.verdict == VerdictWord::Valid, code == "ok", "{page}");
    }
}

#[test]
fn a_withdrawn_key_is_gone() {
    let token = signed_by(&key(Algorithm::EdDsa), KID);
    let mut web = web_with(&key(Algorithm::EdDsa));
    web.pages.remove(KID);
    let verdict = judge(&token, &web);
    ends(&verdict, VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "issuer-unavailable");
    web.gone.push(KID.to_owned());
    ends(&judge(&token, &web), VerdictWord::Invalid, "issuer", Outcome::Fail, "key-revoked");
    // The issuer's own page can say so as well, while the key's page still stands.
    let mut web = web_with(&key(Algorithm::EdDsa));
    let issuer = content().issuer;
    let revoked = PublishedKey::jwk(KID, key(Algorithm::EdDsa).public_jwk(), Some(at(13)));
    web.put(&issuer.id, &issuer_document(&issuer, &[revoked]).to_string());
    ends(&judge(&token, &web), VerdictWord::Invalid, "issuer", Outcome::Fail, "key-revoked");
}

#[test]
fn a_token_without_key_id_is_tried_with_the_few_keys_of_its_kind() {
    let issuer = content().issuer;
    let token = forged(&json!({"alg": "EdDSA"}).to_string(), &payload().to_string());
    let page = |n_others: u8| {
        let others = (10..10 + n_others).map(|seed| {
            let jwk = PublicJwk::from_ed25519(IssuerKey::from_seed(&[seed; 32]).public_key());
            PublishedKey::jwk(&format!("{}#{seed}", issuer.id), jwk, None)
        });
        let own = PublishedKey::jwk(KID, key(Algorithm::EdDsa).public_jwk(), None);
        let rsa = PublishedKey::jwk(
            "https://badges.example.org/keys/rsa",
            key(Algorithm::Rs256).public_jwk(),
            None,
        );
        let keys: Vec<PublishedKey> = others.chain([own, rsa]).collect();
        let mut web = web();
        web.put(&issuer.id, &issuer_document(&issuer, &keys).to_string());
        judge(&token, &web)
    };
    assert_eq!(check(&page(3), "proof"), (Outcome::Pass, "ok"));
    ends(&page(4), VerdictWord::Indeterminate, "issuer", Outcome::Unknown, "unnamed-key");
    let mut web = web();
    web.put(&issuer.id, &json!({"id": issuer.id, "type": "Profile"}).to_string());
    let verdict = judge(&token, &web);
    ends(&verdict, VerdictWord::Invalid, "issuer", Outcome::Fail, "key-not-of-issuer");
}

#[test]
fn short_key_ids_are_looked_up_on_the_issuers_page() {
    let issuer = content().issuer;
    let kid = format!("{}#key-1", issuer.id);
    let keys = [
        PublishedKey::jwk(&kid, key(Algorithm::EdDsa).public_jwk(), None),
        PublishedKey::jwk(
            &format!("{}#key-2", issuer.id),
            PublicJwk::from_ed25519(IssuerKey::from_seed(&[6; 32]).public_key()),
            None,
        ),
    ];
    let mut web = web();
    web.put(&issuer.id, &issuer_document(&issuer, &keys).to_string());
    let outcome = |kid: &str| {
        let header = json!({"alg": "EdDSA", "kid": kid}).to_string();
        let verdict = judge(&forged(&header, &payload().to_string()), &web);
        web.asked.borrow_mut().clear();
        (check(&verdict, "proof").0, check(&verdict, "issuer").1.to_owned())
    };
    assert_eq!(outcome("key-1"), (Outcome::Pass, "ok".to_owned()));
    assert_eq!(outcome("#key-1"), (Outcome::Pass, "ok".to_owned()));
    assert_eq!(outcome(&kid), (Outcome::Pass, "ok".to_owned()));
    assert_eq!(outcome("key-2"), (Outcome::Fail, "ok".to_owned()));
    assert_eq!(outcome("key-3").1, "key-not-of-issuer");
}

/// A token of version 1.1 of the data model, signed with EdDSA.
fn old_token(change: impl Fn(&mut Map<String, Value>)) -> String {
    let mut credential = CredentialDraft::from(&content()).document().clone();
    credential["@context"] = json!([
        "https://www.w3.org/2018/credentials/v1",
        "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
    ]);
    let object = credential.as_object_mut().unwrap();
    for member in ["validFrom", "validUntil", "credentialStatus", "credentialSchema", "evidence"] {
        object.remove(member);
    }
    for member in ["result", "identifier"] {
        object["credentialSubject"].as_object_mut().unwrap().remove(member);
    }
    let achievement = object["credentialSubject"]["achievement"].as_object_mut().unwrap();
    for member in ["resultDescription", "version", "inLanguage"] {
        achievement.remove(member);
    }
    let mut payload = Map::new();
    payload.insert("iss".to_owned(), json!(content().issuer.id));
    payload.insert("nbf".to_owned(), json!(at(12).timestamp()));
    payload.insert("vc".to_owned(), credential);
    change(&mut payload);
    forged(&header().to_string(), &Value::Object(payload).to_string())
}

#[test]
fn version_1_1_tokens_are_completed_by_their_claims() {
    let web = web_with(&key(Algorithm::EdDsa));
    let verdict = judge(&old_token(|_| {}), &web);
    ends(&verdict, VerdictWord::Valid, "validity_period", Outcome::Pass, "ok");
    assert_eq!(verdict.credential.unwrap().valid_from.as_deref(), Some("2026-11-21T12:00:00Z"));
    let verdict = judge(
        &old_token(|payload| {
            for member in ["id", "issuer"] {
                payload["vc"].as_object_mut().unwrap().remove(member);
            }
            payload
                .insert("jti".to_owned(), json!("urn:uuid:6f2e33e5-7a29-4155-840a-59483ba10165"));
        }),
        &web,
    );
    assert_eq!(check(&verdict, "proof"), (Outcome::Pass, "ok"), "{verdict:#?}");
    let credential = verdict.credential.unwrap();
    assert_eq!(credential.id.as_deref(), Some("urn:uuid:6f2e33e5-7a29-4155-840a-59483ba10165"));
    assert_eq!(credential.issuer.id, Some(content().issuer.id));
    let verdict = judge(
        &old_token(|payload| drop(payload.insert("exp".to_owned(), json!(at(13).timestamp())))),
        &web,
    );
    ends(&verdict, VerdictWord::Invalid, "validity_period", Outcome::Fail, "expired");
    let verdict = judge(
        &old_token(|payload| payload["vc"]["issuanceDate"] = json!("2026-11-21T11:00:00Z")),
        &web,
    );
    ends(&verdict, VerdictWord::Invalid, "schema", Outcome::Fail, "claims");
    let not_yet = old_token(|payload| {
        payload["nbf"] = json!(at(15).timestamp());
    });
    let verdict = judge(&not_yet, &web);
    ends(&verdict, VerdictWord::Invalid, "validity_period", Outcome::Fail, "not-yet-valid");
}

#[test]
fn tokens_that_are_no_credential_are_refused_as_input() {
    let refuse = |payload: Value| {
        let token = forged(&header().to_string(), &payload.to_string());
        verify(token.as_bytes(), &NoDocuments, &options()).unwrap_err()
    };
    for payload in [
        json!({}),
        json!({"iss": "https://a.example", "sub": "me"}),
        json!({"vc": "text"}),
        json!({"vp": {"type": "VerifiablePresentation"}}),
    ] {
        assert_eq!(refuse(payload), InputError::NotACredential);
    }
    let list = forged(&header().to_string(), "[]");
    let verdict = verify(list.as_bytes(), &NoDocuments, &options()).unwrap();
    ends(&verdict, VerdictWord::Invalid, "parse", Outcome::Fail, "token-malformed");
}

#[test]
fn an_enveloped_credential_is_the_token_in_its_address() {
    let key = key(Algorithm::Rs256);
    let envelope = |id: String| {
        json!({
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": id,
        })
        .to_string()
    };
    let token = signed_by(&key, KID);
    let verdict = judge(&envelope(format!("data:application/vc+jwt,{token}")), &web_with(&key));
    ends(&verdict, VerdictWord::Valid, "status", Outcome::Pass, "ok");
    let verdict = judge(&envelope(format!("data:application/vc+sd-jwt,{token}")), &web_with(&key));
    ends(&verdict, VerdictWord::Indeterminate, "proof", Outcome::Unknown, "unsupported-form");
}

#[test]
fn issuers_that_are_a_key_need_no_page() {
    let ed25519 = IssuerKey::from_seed(&[5; 32]).public_key();
    let signed = |key: &JwtKey, issuer: &str, header: Value| {
        let mut content = content();
        content.issuer.id = issuer.to_owned();
        let mut document = CredentialDraft::from(&content).document().clone();
        document.as_object_mut().unwrap().remove("credentialStatus");
        match key.algorithm() {
            Algorithm::EdDsa => forged(&header.to_string(), &document.to_string()),
            Algorithm::Es256 | Algorithm::Rs256 => panic!("signed elsewhere"),
        }
    };
    let key = JwtKey::from_issuer_key(&IssuerKey::from_seed(&[5; 32]));
    let did = did_key(&ed25519);
    let jwk = PublicJwk::from_ed25519(ed25519).to_value();
    let did_jwk = format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(jwk.to_string()));
    let other = did_key_method(&IssuerKey::from_seed(&[6; 32]).public_key());
    let good = [
        (did.as_str(), json!({"alg": "EdDSA"})),
        (&did, json!({"alg": "EdDSA", "kid": did})),
        (&did, json!({"alg": "EdDSA", "kid": did_key_method(&ed25519)})),
        (&did, json!({"alg": "EdDSA", "kid": format!("#{}", &did[8..])})),
        (&did, json!({"alg": "EdDSA", "jwk": jwk})),
        (&did_jwk, json!({"alg": "EdDSA", "kid": format!("{did_jwk}#0")})),
        (&did_jwk, json!({"alg": "EdDSA"})),
    ];
    for (issuer, header) in good {
        let web = Web::default();
        let verdict = judge(&signed(&key, issuer, header.clone()), &web);
        ends(&verdict, VerdictWord::Valid, "status", Outcome::NotApplicable, "no-status");
        assert!(web.asked.borrow().is_empty(), "{header}");
    }
    let foreign = PublicJwk::from_ed25519(IssuerKey::from_seed(&[6; 32]).public_key()).to_value();
    let bad = [
        (did.as_str(), json!({"alg": "EdDSA", "kid": other}), "key-not-of-issuer"),
        (&did, json!({"alg": "EdDSA", "kid": KID}), "key-not-of-issuer"),
        (&did, json!({"alg": "EdDSA", "jwk": foreign}), "key-not-of-issuer"),
        (&did, json!({"alg": "EdDSA", "kid": "key-1"}), "key-not-of-issuer"),
        (&did_jwk, json!({"alg": "EdDSA", "kid": format!("{did_jwk}#1")}), "key-not-of-issuer"),
        ("did:key:z6Mk", json!({"alg": "EdDSA"}), "unsupported-key-type"),
        ("did:key:x", json!({"alg": "EdDSA"}), "bad-did-key"),
        ("did:jwk:e30", json!({"alg": "EdDSA"}), "bad-did-jwk"),
        ("did:example:1", json!({"alg": "EdDSA"}), "unsupported-did-method"),
    ];
    for (issuer, header, code) in bad {
        let verdict = judge(&signed(&key, issuer, header.clone()), &Web::default());
        assert_ne!(verdict.verdict, VerdictWord::Valid);
        assert_eq!(check(&verdict, "issuer").1, code, "{issuer} {header}");
    }
}

#[test]
fn did_keys_of_p256_and_rsa_sign_tokens_too() {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        let key = key(algorithm);
        let multikey = key.public_jwk().multikey();
        let mut content = content();
        content.issuer.id = format!("did:key:{multikey}");
        let linted = lint(CredentialDraft::from(&content), &LintPolicy::default()).unwrap();
        let kid = format!("did:key:{multikey}#{multikey}");
        let web = Web::default();
        let verdict = judge(&sign(&key, &linted, &kid).unwrap().token, &web);
        assert_eq!(check(&verdict, "proof"), (Outcome::Pass, "ok"), "{verdict:#?}");
        assert_eq!(check(&verdict, "issuer"), (Outcome::Pass, "ok"));
        let verdict = judge(&sign(&key, &linted, KID).unwrap().token, &web);
        ends(&verdict, VerdictWord::Invalid, "issuer", Outcome::Fail, "key-not-of-issuer");
    }
}

#[test]
fn status_lists_can_be_tokens() {
    use assay::credential::status_list::{MIN_ENTRIES, StatusList, StatusListContent, publish_jwt};
    let rsa = key(Algorithm::Rs256);
    let list = |issuer: &str, set: bool, from: u32| {
        let mut list = StatusList::new(MIN_ENTRIES).unwrap();
        list.set(crate::lints::LIST_INDEX, set).unwrap();
        StatusListContent {
            id: LIST_URL.to_owned(),
            issuer: issuer.to_owned(),
            valid_from: at(from),
            purpose: "revocation".to_owned(),
            list,
        }
    };
    let issuer = content().issuer.id;
    let stranger = JwtKey::from_issuer_key(&IssuerKey::from_seed(&[6; 32]));
    let cases = [
        ("ok", publish_jwt(&rsa, &list(&issuer, false, 12), KID).unwrap().token),
        ("revoked", publish_jwt(&rsa, &list(&issuer, true, 12), KID).unwrap().token),
        (
            "status-list-unverified",
            publish_jwt(&stranger, &list(&issuer, false, 12), KID).unwrap().token,
        ),
        (
            "status-list-foreign",
            publish_jwt(&rsa, &list("https://other.example/", false, 12), KID).unwrap().token,
        ),
        ("status-list-stale", publish_jwt(&rsa, &list(&issuer, false, 15), KID).unwrap().token),
        ("status-list-unverified", "eyJhbGciOiJub25lIn0.e30.".to_owned()),
        ("status-unreadable", "a.b.c".to_owned()),
    ];
    for (code, text) in cases {
        let mut web = web_with(&rsa);
        web.put(LIST_URL, &text);
        let verdict = judge(&signed_by(&rsa, KID), &web);
        assert_eq!(check(&verdict, "status").1, code);
        assert_eq!(verdict.verdict == VerdictWord::Valid, code == "ok");
        // A badge with an embedded proof may name such a list, and the other way round.
        let verdict = judge(&super::badge(), &web);
        assert_eq!(check(&verdict, "status").1, code);
    }
    let mut web = web_with(&rsa);
    web.put(LIST_URL, &status_list(&super::key(), &issuer, &[]).document);
    assert_eq!(judge(&signed_by(&rsa, KID), &web).verdict, VerdictWord::Valid);
}
