//! VC-JWT: keys, and what the issuer signs and publishes.

use std::sync::OnceLock;

use assay::credential::document::{
    CredentialDraft, KeyMaterial, PublishedKey, did_document, issuer_document, jwks, key_document,
};
use assay::credential::jwk::{Algorithm, JwtKey, PublicJwk};
use assay::credential::jwt::{OwnJwtError, SignedJwt, sign, verify_own};
use assay::credential::keys::{IssuerKey, KeyError, did_key, did_key_method, parse_multikey};
use assay::credential::lint::{LintPolicy, LintedCredential, lint};
use assay::credential::proof::{self, SignError};
use assay::credential::status_list::{MIN_ENTRIES, StatusList, StatusListContent, publish_jwt};
use assay::credential::{expansion, hex};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::lints::{at, content};

pub const KID: &str = "https://badges.example.org/keys/0193-k";

/// The PKCS#8 document of an RSA key, made once for all tests since that takes its time.
fn rsa_pkcs8() -> &'static [u8] {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        AsDer::as_der(&pair).unwrap().as_ref().to_vec()
    })
}

fn p256_pkcs8() -> Vec<u8> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    pair.to_pkcs8v1().unwrap().as_ref().to_vec()
}

/// A new key of each kind; the RSA key is always the same.
pub fn key(algorithm: Algorithm) -> JwtKey {
    match algorithm {
        Algorithm::EdDsa => JwtKey::from_issuer_key(&IssuerKey::from_seed(&[5; 32])),
        Algorithm::Es256 => JwtKey::from_pkcs8(algorithm, &p256_pkcs8()).unwrap(),
        Algorithm::Rs256 => JwtKey::from_pkcs8(algorithm, rsa_pkcs8()).unwrap(),
    }
}

fn linted() -> LintedCredential {
    lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap()
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn a_token_is_the_credential_with_five_claims() {
    for algorithm in Algorithm::ALL {
        let signed = sign(&key(algorithm), &linted(), KID).unwrap();
        assert_eq!(signed.sha256, hex(&Sha256::digest(&signed.token)));
        assert_eq!(
            part(&signed.token, 0),
            json!({"alg": algorithm.as_str(), "typ": "JWT", "kid": KID})
        );
        let mut payload = part(&signed.token, 1);
        let claims: Vec<Value> = ["iss", "jti", "sub", "nbf", "exp"]
            .iter()
            .map(|name| payload.as_object_mut().unwrap().remove(*name).unwrap())
            .collect();
        let content = content();
        let times = [content.valid_from, content.valid_until.unwrap()].map(|time| time.timestamp());
        assert_eq!(
            claims,
            [
                json!(content.issuer.id),
                json!(content.id),
                json!(content.subject_id),
                json!(times[0]),
                json!(times[1])
            ]
        );
        assert_eq!(payload, *linted().document());
    }
}

#[test]
fn a_badge_without_end_has_no_exp() {
    let mut content = content();
    content.valid_until = None;
    let linted = lint(CredentialDraft::from(&content), &LintPolicy::default()).unwrap();
    let key = key(Algorithm::EdDsa);
    let signed = sign(&key, &linted, KID).unwrap();
    assert!(part(&signed.token, 1).get("exp").is_none());
    verify_own(&signed, &key.public_jwk(), &linted.canonical_hash()).unwrap();
}

#[test]
fn own_tokens_are_checked_against_what_was_recorded() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let hash = linted().canonical_hash();
        let signed = sign(&key, &linted(), KID).unwrap();
        verify_own(&signed, &key.public_jwk(), &hash).unwrap();
        let other = verify_own(&signed, &key.public_jwk(), &[0; 32]).unwrap_err();
        assert!(matches!(other, OwnJwtError::OtherDocument), "{other:?}");
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            let other = self::key(other).public_jwk();
            let error = verify_own(&signed, &other, &hash).unwrap_err();
            assert!(matches!(error, OwnJwtError::BadSignature), "{error:?}");
        }
        let mut other = signed.clone();
        other.token.push('A');
        assert!(matches!(
            verify_own(&other, &key.public_jwk(), &hash),
            Err(OwnJwtError::OtherText)
        ));
        let changed = signed.token.replacen('.', ".e30.", 1);
        let changed = SignedJwt { sha256: hex(&Sha256::digest(&changed)), token: changed };
        assert!(verify_own(&changed, &key.public_jwk(), &hash).is_err());
    }
    let stranger = JwtKey::from_issuer_key(&IssuerKey::from_seed(&[6; 32])).public_jwk();
    let signed = sign(&key(Algorithm::EdDsa), &linted(), KID).unwrap();
    assert!(verify_own(&signed, &stranger, &linted().canonical_hash()).is_err());
}

#[test]
fn a_key_id_is_not_empty_and_no_other_did_key() {
    let key = key(Algorithm::EdDsa);
    let own = did_key_method(&key.public_jwk().as_ed25519().unwrap());
    let other = did_key_method(&IssuerKey::from_seed(&[6; 32]).public_key());
    assert!(sign(&key, &linted(), &own).is_ok());
    assert!(sign(&key, &linted(), &other).is_err());
    let p256 = self::key(Algorithm::Es256);
    assert!(sign(&p256, &linted(), &own).is_err());
    let multikey = p256.public_jwk().multikey();
    assert!(sign(&p256, &linted(), &format!("did:key:{multikey}#{multikey}")).is_ok());
    let multikey = self::key(Algorithm::Es256).public_jwk().multikey();
    assert!(sign(&p256, &linted(), &format!("did:key:{multikey}#{multikey}")).is_err());
    assert!(sign(&key, &linted(), "").is_err());
}

#[test]
fn private_keys_are_pkcs8_of_their_own_kind() {
    let p256 = p256_pkcs8();
    for (algorithm, der) in [
        (Algorithm::Rs256, p256.as_slice()),
        (Algorithm::EdDsa, &p256),
        (Algorithm::Es256, rsa_pkcs8()),
        (Algorithm::EdDsa, b""),
        (Algorithm::Rs256, &rsa_pkcs8()[1..]),
    ] {
        assert_eq!(JwtKey::from_pkcs8(algorithm, der).unwrap_err(), KeyError::NotPkcs8);
    }
    let seed = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    let ed25519 = JwtKey::from_pkcs8(Algorithm::EdDsa, seed.to_pkcs8().unwrap().as_ref()).unwrap();
    assert_eq!(ed25519.algorithm(), Algorithm::EdDsa);
    assert_eq!(format!("{ed25519:?}"), "JwtKey");
}

#[test]
fn algorithms_have_their_own_names_only() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
        assert_eq!(key(algorithm).algorithm(), algorithm);
    }
    for name in ["none", "None", "HS256", "RS384", "PS256", "ES384", "rs256", "EdDSA ", ""] {
        assert_eq!(Algorithm::parse(name), None);
    }
}

/// The key of RFC 7638, section 3.1.
const RSA_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

#[test]
fn thumbprints_are_those_of_the_standards() {
    let rsa = json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    let rsa = PublicJwk::parse(&rsa).unwrap();
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 8037, appendix A.
    let okp =
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let okp = PublicJwk::parse(&okp).unwrap();
    assert_eq!(okp.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(
        okp.as_ed25519().map(|key| did_key(&key)),
        Some(format!("did:key:{}", okp.multikey()))
    );
}

#[test]
fn public_keys_survive_each_form() {
    for algorithm in Algorithm::ALL {
        let jwk = key(algorithm).public_jwk();
        assert_eq!(PublicJwk::parse(&jwk.to_value()), Ok(jwk.clone()));
        assert_eq!(PublicJwk::parse_multikey(&jwk.multikey()), Ok(jwk.clone()));
        assert_eq!(jwk.to_value()["alg"], algorithm.as_str());
        assert!(jwk.to_value().get("d").is_none());
    }
    // From the registry of did:key, and a P-256 key with an odd ordinate.
    for multikey in [
        "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
        "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    ] {
        let key = PublicJwk::parse_multikey(multikey).unwrap();
        assert_eq!((key.algorithm(), key.multikey()), (Algorithm::Es256, multikey.to_owned()));
        assert!(parse_multikey(multikey).is_err());
    }
}

#[test]
fn weak_private_and_misused_jwks_are_refused() {
    let rsa = |n: &str, e: &str| json!({"kty": "RSA", "n": n, "e": e});
    let bytes = |count: usize| URL_SAFE_NO_PAD.encode(vec![0xff; count]);
    let p256 = key(Algorithm::Es256).public_jwk().to_value();
    let with = |member: &str, value: Value| {
        let mut jwk = p256.clone();
        jwk[member] = value;
        jwk
    };
    let off_the_curve = p256["x"].clone();
    for (jwk, expected) in [
        (json!("text"), KeyError::BadMember("kty")),
        (json!({}), KeyError::BadMember("kty")),
        (json!({"kty": "oct", "k": "c2VjcmV0"}), KeyError::Private),
        (json!({"kty": "oct"}), KeyError::OtherKind),
        (with("d", json!("AA")), KeyError::Private),
        (with("alg", json!("RS256")), KeyError::BadMember("alg")),
        (with("alg", json!("HS256")), KeyError::BadMember("alg")),
        (with("use", json!("enc")), KeyError::BadMember("use")),
        (with("key_ops", json!(["encrypt"])), KeyError::BadMember("key_ops")),
        (with("crv", json!("P-384")), KeyError::OtherKind),
        (with("crv", json!(7)), KeyError::BadMember("crv")),
        (with("x", json!("AA")), KeyError::BadMember("x")),
        (with("x", json!("not base64url!")), KeyError::BadMember("x")),
        (with("y", off_the_curve), KeyError::BadPoint),
        (rsa(&bytes(255), "AQAB"), KeyError::BadSize),
        (rsa(&bytes(513), "AQAB"), KeyError::BadSize),
        (rsa(RSA_N, "AQ"), KeyError::BadMember("e")),
        (rsa(RSA_N, "AAAB"), KeyError::BadMember("e")),
        (rsa(RSA_N, "AQABAAAB"), KeyError::BadMember("e")),
        (rsa(&format!("{RSA_N}="), "AQAB"), KeyError::BadMember("n")),
        (
            json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([1_u8].iter().chain(&[0; 31]).copied().collect::<Vec<u8>>())}),
            KeyError::BadPoint,
        ),
        (json!({"kty": "OKP", "crv": "X25519", "x": "AA"}), KeyError::OtherKind),
    ] {
        assert_eq!(PublicJwk::parse(&jwk), Err(expected), "{jwk}");
    }
    assert!(PublicJwk::parse(&rsa(&bytes(512), "AQAB")).is_ok());
}

#[test]
fn keys_for_tokens_are_published_where_verifiers_look_for_them() {
    let issuer = content().issuer;
    let jwk = key(Algorithm::Rs256).public_jwk();
    let own = IssuerKey::from_seed(&[3; 32]).public_multikey();
    let keys = [
        PublishedKey::multikey(&issuer.id, &own, None),
        PublishedKey::jwk(KID, jwk.clone(), None),
        PublishedKey::jwk("https://badges.example.org/keys/old", jwk.clone(), Some(at(1))),
    ];
    let document = issuer_document(&issuer, &keys);
    assert_eq!(document["assertionMethod"], json!([format!("{}#{own}", issuer.id), KID]));
    let method = &document["verificationMethod"][1];
    assert_eq!(method["type"], "JsonWebKey");
    assert_eq!(method["controller"], json!(issuer.id));
    assert_eq!(method["publicKeyJwk"], jwk.to_value());
    assert!(document["verificationMethod"][2]["revoked"].is_string());
    let set = jwks(&keys);
    assert_eq!(set["keys"].as_array().unwrap().len(), 1);
    let bare = key_document(&issuer.id, &keys[1]);
    assert_eq!(set["keys"][0], bare);
    assert_eq!(
        (&bare["kid"], &bare["use"], &bare["alg"]),
        (&json!(KID), &json!("sig"), &json!("RS256"))
    );
    assert_eq!(PublicJwk::parse(&bare), Ok(jwk));
    let did = "did:web:badges.example.org:issuers:0193-b";
    let keys = keys.map(|key| PublishedKey {
        id: match &key.material {
            KeyMaterial::Multikey(multikey) => format!("{did}#{multikey}"),
            KeyMaterial::Jwk(_) => format!("{did}#{}", key.id.rsplit('/').next().unwrap()),
        },
        ..key
    });
    let did_document = did_document(did, &keys);
    assert_eq!(did_document["id"], did);
    assert_eq!(did_document["assertionMethod"][1], format!("{did}#0193-k"));
    // No context leaves a member of the documents out.
    for document in [document, did_document] {
        let expansion = expansion::expand(&document).unwrap();
        assert!(expansion.unsigned.is_empty(), "{:?}", expansion.unsigned);
        let n_jwks = expansion
            .quads
            .iter()
            .filter(|quad| quad.predicate.as_str() == "https://w3id.org/security#publicKeyJwk")
            .count();
        assert_eq!(n_jwks, 2);
    }
}

#[test]
fn embedded_proofs_name_keys_of_https_did_web_and_did_key_issuers() {
    let key = IssuerKey::from_seed(&[3; 32]);
    let multikey = key.public_multikey();
    let other = IssuerKey::from_seed(&[4; 32]);
    let signed = |method: &str| proof::sign(&key, linted(), method, at(13));
    for method in [
        format!("https://badges.example.org/issuers/1#{multikey}"),
        format!("did:web:badges.example.org#{multikey}"),
        "did:web:badges.example.org#0193-k".to_owned(),
        did_key_method(&key.public_key()),
    ] {
        assert!(signed(&method).is_ok(), "{method}");
    }
    for method in [
        did_key(&key.public_key()),
        did_key_method(&other.public_key()),
        format!("{}#{multikey}", did_key(&other.public_key())),
        "did:web:badges.example.org#".to_owned(),
        "https://badges.example.org/issuers/1#0193-k".to_owned(),
    ] {
        assert!(matches!(signed(&method), Err(SignError::OtherKey { .. })), "{method}");
    }
}

#[test]
fn status_lists_are_signed_as_tokens_too() {
    let content = StatusListContent {
        id: "https://badges.example.org/status-lists/1".to_owned(),
        issuer: content().issuer.id,
        valid_from: at(12),
        purpose: "revocation".to_owned(),
        list: StatusList::new(MIN_ENTRIES).unwrap(),
    };
    let signed = publish_jwt(&key(Algorithm::Rs256), &content, KID).unwrap();
    let payload = part(&signed.token, 1);
    assert_eq!((&payload["iss"], &payload["jti"]), (&json!(content.issuer), &json!(content.id)));
    assert_eq!(payload["nbf"], json!(at(12).timestamp()));
    assert_eq!(payload["sub"], payload["credentialSubject"]["id"]);
    let list = payload["credentialSubject"]["encodedList"].as_str().unwrap();
    assert_eq!(StatusList::decode(list), Ok(content.list));
}
