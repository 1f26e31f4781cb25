//! What the issuer makes: keys, signatures, status lists and public documents.

use assay::credential::document::{
    CredentialDraft, PublishedKey, achievement_document, issuer_document, key_document,
};
use assay::credential::expansion;
use assay::credential::keys::{KeyError, parse_multikey, resolve_did_key};
use assay::credential::lint::{LintPolicy, lint};
use assay::credential::proof::{OwnProofError, SignError, SignedCredential, sign, verify_own};
use assay::credential::status_list::{MAX_ENTRIES, MIN_ENTRIES, StatusList, StatusListError};

use super::{key, method, other_key, published_key};
use crate::lints::{at, content};

#[test]
fn own_signatures_are_checked_against_what_was_recorded() {
    let linted = lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap();
    let hash = linted.canonical_hash();
    let issuer = content().issuer.id;
    let signed = sign(&key(), linted, &method(&issuer, &key()), at(13)).unwrap();
    let multikey = key().public_multikey();
    assert_eq!(verify_own(&signed, &multikey, &hash), Ok(()));
    assert_eq!(
        verify_own(&signed, &other_key().public_multikey(), &hash),
        Err(OwnProofError::BadSignature)
    );
    assert_eq!(verify_own(&signed, &multikey, &[0; 32]), Err(OwnProofError::OtherDocument));
    let other = SignedCredential {
        document: format!("{} ", signed.document),
        sha256: signed.sha256.clone(),
    };
    assert_eq!(verify_own(&other, &multikey, &hash), Err(OwnProofError::OtherText));
    let linted = lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap();
    let error = sign(&key(), linted, &method(&issuer, &other_key()), at(13)).unwrap_err();
    assert!(matches!(error, SignError::OtherKey { .. }));
}

#[test]
fn public_documents_are_covered_by_their_contexts() {
    let content = content();
    let keys = [
        published_key(&key()),
        PublishedKey::multikey(&content.issuer.id, &other_key().public_multikey(), Some(at(1))),
    ];
    for document in [
        issuer_document(&content.issuer, &keys),
        key_document(&content.issuer.id, &keys[1]),
        achievement_document(&content.achievement, &content.issuer),
    ] {
        let expansion = expansion::expand(&document).unwrap();
        assert!(expansion.unsigned.is_empty(), "{:?}", expansion.unsigned);
        assert!(expansion.quads.len() > 3);
    }
}

#[test]
fn keys_are_ed25519_multikeys_and_nothing_else() {
    let multikey = key().public_multikey();
    assert!(multikey.starts_with("z6Mk"));
    assert_eq!(parse_multikey(&multikey), Ok(key().public_key()));
    assert_eq!(resolve_did_key(&format!("did:key:{multikey}")), Ok(key().public_key()));
    assert_eq!(resolve_did_key(&format!("did:key:{multikey}#{multikey}")), Ok(key().public_key()));
    let other = other_key().public_multikey();
    assert_eq!(resolve_did_key(&format!("did:key:{multikey}#{other}")), Err(KeyError::NotDidKey));
    assert_eq!(resolve_did_key("did:web:example.org"), Err(KeyError::NotDidKey));
    assert_eq!(parse_multikey(&multikey[1..]), Err(KeyError::NotMultikey));
    assert_eq!(parse_multikey(&format!("z{}", "1".repeat(500))), Err(KeyError::NotMultikey));
    // P-256.
    assert_eq!(
        parse_multikey("zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"),
        Err(KeyError::OtherKind)
    );
    // The neutral element: a signature by it fits anything.
    let mut weak = vec![0xed, 0x01, 1];
    weak.resize(34, 0);
    assert_eq!(
        parse_multikey(&format!("z{}", bs58::encode(weak).into_string())),
        Err(KeyError::BadPoint)
    );
    assert_eq!(format!("{:?}", key()), "IssuerKey");
    assert_eq!(format!("{:?}", content().identity), "HashedIdentity");
}

#[test]
fn status_lists_survive_the_way_out_and_back() {
    let mut list = StatusList::new(1).unwrap();
    assert_eq!(list.entries(), MIN_ENTRIES);
    for index in [0, 7, 8, 94_567, MIN_ENTRIES - 1] {
        list.set(index, true).unwrap();
    }
    list.set(7, false).unwrap();
    let back = StatusList::decode(&list.encode().unwrap()).unwrap();
    assert_eq!(back, list);
    assert_eq!(back.is_set(0), Ok(true));
    assert_eq!(back.is_set(7), Ok(false));
    assert_eq!(back.is_set(1), Ok(false));
    assert_eq!(back.is_set(MIN_ENTRIES), Err(StatusListError::OutOfRange { index: MIN_ENTRIES }));
    assert_eq!(
        list.set(MIN_ENTRIES, true),
        Err(StatusListError::OutOfRange { index: MIN_ENTRIES })
    );
}

#[test]
fn status_lists_are_read_at_the_limit_and_refused_beyond() {
    use base64::Engine;
    use std::io::Write;
    let pack = |bytes: usize, tail: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; bytes]).unwrap();
        let mut packed = encoder.finish().unwrap();
        packed.extend(tail);
        format!("u{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(packed))
    };
    assert!(StatusList::decode(&pack(MAX_ENTRIES / 8, b"")).is_ok());
    assert_eq!(StatusList::decode(&pack(MAX_ENTRIES / 8 + 1, b"")), Err(StatusListError::TooLong));
    assert_eq!(StatusList::decode(&pack(64 * 1024 * 1024, b"")), Err(StatusListError::TooLong));
    assert!(StatusList::decode(&pack(MIN_ENTRIES / 8, b"")).is_ok());
    assert_eq!(StatusList::decode(&pack(MIN_ENTRIES / 8 - 1, b"")), Err(StatusListError::TooShort));
    assert_eq!(StatusList::decode(&pack(MIN_ENTRIES / 8, b"x")), Err(StatusListError::NotGzip));
    assert_eq!(StatusList::decode("uH4sIAAAAAAAC_-3BMQEAAAA"), Err(StatusListError::NotGzip));
    assert_eq!(StatusList::decode("H4sI"), Err(StatusListError::NotMultibase));
    assert_eq!(StatusList::decode("u*"), Err(StatusListError::NotMultibase));
}
