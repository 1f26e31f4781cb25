//! Whatever a stranger sends, there is an answer, soon, and it is not "valid".

use std::time::{Duration, Instant};

use assay::credential::contexts::BUNDLE;
use assay::credential::verify::{VerdictWord, verify};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{badge, options, web};

const KEYS: [&str; 34] = [
    "@context",
    "@graph",
    "@id",
    "@included",
    "@language",
    "@list",
    "@reverse",
    "@set",
    "@type",
    "@value",
    "achievement",
    "allowedValue",
    "alignment",
    "colour",
    "created",
    "credentialSchema",
    "credentialStatus",
    "credentialSubject",
    "criteria",
    "evidence",
    "id",
    "identifier",
    "image",
    "issuer",
    "name",
    "proof",
    "relatedResource",
    "result",
    "resultDescription",
    "statusListIndex",
    "type",
    "validFrom",
    "validUntil",
    "verifiableCredential",
];

const TEXTS: [&str; 24] = [
    "",
    " ",
    "_:b",
    "_:",
    ":",
    "a:b",
    "x",
    "@id",
    "@none",
    "https://thing.example/",
    "https://[",
    "urn:uuid:1",
    "did:key:z6Mk",
    "Achievement",
    "AchievementSubject",
    "BitstringStatusListEntry",
    "DataIntegrityProof",
    "IdentityObject",
    "OpenBadgeCredential",
    "Profile",
    "Result",
    "VerifiableCredential",
    "2026-11-21T12:00:00Z",
    "\u{0}\u{10ffff}",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e300..1e300_f64).prop_map(Value::from),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        (0..BUNDLE.len()).prop_map(|index| Value::from(BUNDLE[index].url)),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(&KEYS[..]), inner), 0..6).prop_map(
                |entries| {
                    Value::Object(
                        entries
                            .into_iter()
                            .map(|(key, value)| (key.to_owned(), value))
                            .collect::<Map<_, _>>(),
                    )
                }
            ),
        ]
    })
}

/// A place in a badge: which of its members, at every depth, is replaced or gets a neighbour.
fn put(document: &mut Value, place: &mut usize, key: &str, value: &Value) {
    match document {
        Value::Object(object) => {
            if *place == 0 {
                object.insert(key.to_owned(), value.clone());
            }
            *place = place.wrapping_sub(1);
            object.values_mut().for_each(|inner| put(inner, place, key, value));
        }
        Value::Array(values) => values.iter_mut().for_each(|inner| put(inner, place, key, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn leaves_no_statement(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().all(leaves_no_statement),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => false,
    }
}

#[track_caller]
fn answered(text: &str) {
    let start = Instant::now();
    let answer = verify(text.as_bytes(), &web(), &options());
    assert!(start.elapsed() < Duration::from_secs(1), "{text}");
    if let Ok(verdict) = answer {
        assert_eq!(verdict.checks.len(), 7, "{text}");
        assert_ne!(verdict.verdict, VerdictWord::Valid, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_gets_an_answer(value in value()) {
        answered(&value.to_string());
        let with_type = json!({"@context": [BUNDLE[0].url, BUNDLE[14].url], "type": ["VerifiableCredential"],
            "credentialSubject": value, "issuer": value, "proof": value, "evidence": [value]});
        answered(&with_type.to_string());
    }

    #[test]
    fn a_badge_with_anything_in_it_is_not_valid(
        value in value(),
        key in prop::sample::select(&KEYS[..]),
        place in 0..24_usize,
    ) {
        let original: Value = serde_json::from_str(&badge()).unwrap();
        let mut document = original.clone();
        put(&mut document, &mut place.clone(), key, &value);
        // Members without a value leave no statement and say nothing.
        let is_empty = leaves_no_statement(&value);
        // A bundled context may be named again where it is in force already; what it would change is found out.
        if document != original && !is_empty && key != "@context" {
            answered(&document.to_string());
        }
    }

    #[test]
    fn any_token_gets_an_answer(header in value(), payload in value(), signature in "[A-Za-z0-9_-]{0,90}") {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let badge: Value = serde_json::from_str(&badge()).unwrap();
        let mut header = json!({"alg": "EdDSA", "kid": header, "jwk": header, "typ": "JWT", "more": header});
        for _ in 0..2 {
            for payload in [&payload, &badge, &json!({"vc": payload}), &json!({"vc": badge, "iss": payload})] {
                answered(&format!("{}.{}.{signature}", part(&header), part(payload)));
            }
            for member in ["kid", "jwk"] {
                header.as_object_mut().unwrap().remove(member);
            }
        }
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        answered(&String::from_utf8_lossy(&bytes));
        prop_assert!(verify(&bytes, &web(), &options()).is_err());
    }
}
