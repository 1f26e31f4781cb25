//! What signing and verifying cost beside the bare signature.

use std::collections::BTreeMap;

use assay::credential::document::{
    AchievementContent, CredentialContent, CredentialDraft, CriterionContent, HashedIdentity,
    IssuerContent, LevelContent, PublishedKey, ScoringContent, StatusContent, hash_identity,
    issuer_document,
};
use assay::credential::keys::IssuerKey;
use assay::credential::lint::{LintPolicy, lint};
use assay::credential::proof::{SignedCredential, canonicalize, sign};
use assay::credential::status_list::{MIN_ENTRIES, StatusList, StatusListContent, publish};
use assay::credential::verify::{Documents, Unavailable, VerdictWord, VerifyOptions, verify};
use chrono::{DateTime, TimeZone, Utc};
use divan::{Bencher, black_box};
use ed25519_dalek::{Signer, SigningKey};

const LIST_URL: &str = "https://badges.example.org/status-lists/1";
/// The seed of the issuer's Ed25519 key.
pub const SEED: [u8; 32] = [3; 32];

/// Documents that are at hand.
pub struct Pages(pub BTreeMap<String, Vec<u8>>);

impl Documents for Pages {
    fn fetch(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        self.0.get(url).cloned().ok_or_else(|| Unavailable {
            code: "unreachable".to_owned(),
            detail: "No such page.".to_owned(),
        })
    }
}

/// When everything happens.
pub fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).unwrap()
}

/// A badge of 4 to 5 KB.
pub fn content() -> CredentialContent {
    let criteria = ["Plan", "Session", "Reflection"].map(|name| CriterionContent {
        id: name.to_lowercase(),
        name: name.to_owned(),
        alignments: Vec::new(),
        levels: ["Not yet", "Proficient"]
            .iter()
            .enumerate()
            .map(|(rank, name)| LevelContent {
                id: rank.to_string(),
                name: (*name).to_owned(),
                level: rank.to_string(),
                description: None,
            })
            .collect(),
        required_level: "1".to_owned(),
    });
    CredentialContent {
        id: "https://badges.example.org/credentials/1".to_owned(),
        issuer: IssuerContent {
            id: "https://badges.example.org/issuers/1".to_owned(),
            name: "Example District".to_owned(),
            url: None,
            email: None,
            description: None,
        },
        valid_from: noon(),
        valid_until: None,
        subject_id: "urn:uuid:6f2e33e5-7a29-4155-840a-59483ba10164".to_owned(),
        identity: HashedIdentity {
            identity_hash: hash_identity("maria@example.org", "3f8a1c5e9b7d2046"),
            salt: "3f8a1c5e9b7d2046".to_owned(),
        },
        achievement: AchievementContent {
            id: "https://badges.example.org/achievements/1/versions/1".to_owned(),
            name: "Small-group support".to_owned(),
            description: "Plans, leads and reflects on support for a small group.".to_owned(),
            criteria_id: "https://badges.example.org/achievements/1/versions/1#criteria".to_owned(),
            criteria_narrative: "Hand in a plan, a recording and a reflection.".to_owned(),
            version: "1.0".to_owned(),
            language: "en".to_owned(),
            tags: vec!["instruction".to_owned()],
            alignments: Vec::new(),
            criteria: criteria.to_vec(),
            parts: Vec::new(),
        },
        achieved_levels: None,
        scoring: Some(ScoringContent {
            scoring_hash: "5a43ed5b537b74f4e4660666cfe81da954dcdea9f599b82cf006a7ba26182369"
                .to_owned(),
            review_mode: "double_blind".to_owned(),
            raters: 2,
            assessors_qualified: true,
        }),
        part_awards: Vec::new(),
        evidence: Vec::new(),
        status: StatusContent::Bitstring {
            list_url: LIST_URL.to_owned(),
            index: 94_567,
            suspension: None,
        },
    }
}

fn method() -> String {
    format!("{}#{}", content().issuer.id, IssuerKey::from_seed(&SEED).public_multikey())
}

fn signed() -> SignedCredential {
    let linted = lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap();
    let signed = sign(&IssuerKey::from_seed(&SEED), linted, &method(), noon()).unwrap();
    let size = signed.document.len();
    assert!((4096..=5120).contains(&size), "a badge of {size} bytes is not what is measured here");
    signed
}

fn list() -> StatusList {
    let mut list = StatusList::new(MIN_ENTRIES).unwrap();
    for index in (0..MIN_ENTRIES).step_by(997) {
        list.set(index, true).unwrap();
    }
    list
}

/// The issuer's page with these keys besides its own, and its signed list.
pub fn pages(more: &[PublishedKey]) -> Pages {
    let (content, key) = (content(), IssuerKey::from_seed(&SEED));
    let own = PublishedKey::multikey(&content.issuer.id, &key.public_multikey(), None);
    let keys: Vec<PublishedKey> = std::iter::once(own).chain(more.iter().cloned()).collect();
    let status = StatusListContent {
        id: LIST_URL.to_owned(),
        issuer: content.issuer.id.clone(),
        valid_from: noon(),
        purpose: "revocation".to_owned(),
        list: list(),
    };
    let status = publish(&key, &status, &method(), noon()).unwrap();
    Pages(BTreeMap::from([
        (
            content.issuer.id.clone(),
            issuer_document(&content.issuer, &keys).to_string().into_bytes(),
        ),
        (LIST_URL.to_owned(), status.document.into_bytes()),
    ]))
}

/// Verifies, and does not let a badge pass that is not valid: its verdict would be another amount of work.
pub fn verdict(badge: &[u8], pages: &Pages, options: &VerifyOptions) {
    let verdict = verify(black_box(badge), pages, options).unwrap();
    assert_eq!(verdict.verdict, VerdictWord::Valid);
}

#[divan::bench]
fn lint_and_sign(bencher: Bencher<'_, '_>) {
    let key = IssuerKey::from_seed(&SEED);
    let (draft, method) = (CredentialDraft::from(&content()), method());
    bencher.bench_local(|| {
        let linted = lint(black_box(draft.clone()), &LintPolicy::default()).unwrap();
        sign(&key, linted, &method, noon()).unwrap()
    });
}

#[divan::bench]
fn verify_with_status(bencher: Bencher<'_, '_>) {
    let (badge, pages, options) = (signed().document, pages(&[]), VerifyOptions::at(noon()));
    bencher.bench_local(|| verdict(badge.as_bytes(), &pages, &options));
}

/// The part of both that is not arithmetic on curves: from JSON to the canonical form.
#[divan::bench]
fn canonical_form(bencher: Bencher<'_, '_>) {
    let draft = CredentialDraft::from(&content());
    bencher.bench_local(|| canonicalize(black_box(draft.document())).unwrap());
}

/// The floor under signing.
#[divan::bench]
fn bare_sign(bencher: Bencher<'_, '_>) {
    let signing = SigningKey::from_bytes(&SEED);
    bencher.bench_local(|| signing.sign(black_box(&[7; 64])));
}

/// The floor under verifying.
#[divan::bench]
fn bare_verify(bencher: Bencher<'_, '_>) {
    let signing = SigningKey::from_bytes(&SEED);
    let message = [7; 64];
    let signature = signing.sign(&message);
    let key = signing.verifying_key();
    bencher.bench_local(|| key.verify_strict(black_box(&message), &signature).is_ok());
}

/// How full a list is.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Empty,
    /// Every second place by chance, which nothing can compress.
    Half,
}

const LISTS: [(usize, Fill); 4] = [
    (MIN_ENTRIES, Fill::Empty),
    (MIN_ENTRIES, Fill::Half),
    (8 * MIN_ENTRIES, Fill::Empty),
    (8 * MIN_ENTRIES, Fill::Half),
];

#[divan::bench(args = LISTS.map(|(entries, fill)| format!("{entries} {fill:?}")))]
fn decode_status_list(bencher: Bencher<'_, '_>, name: &str) {
    let (entries, fill) =
        LISTS.into_iter().find(|(entries, fill)| format!("{entries} {fill:?}") == name).unwrap();
    let mut list = StatusList::new(entries).unwrap();
    let mut state: u64 = 1;
    for index in 0..entries {
        // A simple generator (Knuth's MMIX) is chance enough for gzip.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let is_set = match fill {
            Fill::Empty => false,
            Fill::Half => state >> 63 == 1,
        };
        list.set(index, is_set).unwrap();
    }
    let encoded = list.encode().unwrap();
    bencher.bench_local(|| StatusList::decode(black_box(&encoded)).unwrap());
}
