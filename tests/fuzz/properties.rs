//! What has to hold for any input. The fuzz targets and the replay of their corpora (`tests/it/fuzz_corpus.rs`) ask the same.
#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    dead_code,
    reason = "each fuzz target uses its own part, and is there to fail loudly"
)]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use assay::credential::bake::{BakeError, Baked, UnbakeError, bake_png, bake_svg, unbake};
use assay::credential::jwk::PublicJwk;
use assay::credential::status_list::{MAX_ENTRIES, MIN_ENTRIES, StatusList, StatusListError};
use assay::credential::verify::{
    CheckName, Documents, Unavailable, Verdict, VerdictWord, VerifyOptions, verify,
};
use assay::credential::{hex, jcs, json, proof};
use assay::images::Artwork;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Pages by address, and the hashes of the badges that they make valid.
const WORLD: &str = include_str!("world.json");
/// A badge of that world, as JSON, that stands on its list.
const BADGE: &[u8] = include_bytes!("corpus/json/badge.json");

const ISSUER: &str = "https://badges.example.org/issuers/0193-b";
const LIST: &str = "https://badges.example.org/status-lists/0193-d";

struct World {
    pages: BTreeMap<String, Vec<u8>>,
    known: Vec<String>,
}

fn world() -> &'static World {
    static READ: OnceLock<World> = OnceLock::new();
    READ.get_or_init(|| {
        let world: Value = serde_json::from_str(WORLD).unwrap();
        let pages = world["pages"].as_object().unwrap().iter();
        World {
            pages: pages.map(|(url, page)| (url.clone(), page.to_string().into_bytes())).collect(),
            known: serde_json::from_value(world["known"].clone()).unwrap(),
        }
    })
}

/// The pages of the world, one of them perhaps replaced.
#[derive(Default)]
struct Pages<'a>(Option<(&'a str, &'a [u8])>);

impl Documents for Pages<'_> {
    fn fetch(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        let replaced = self.0.filter(|(own, _)| *own == url).map(|(_, page)| page.to_vec());
        replaced.or_else(|| world().pages.get(url).cloned()).ok_or_else(|| Unavailable {
            code: "unreachable".to_owned(),
            detail: "No such page.".to_owned(),
        })
    }
}

/// A verdict whose word follows from its checks, or none.
fn judge(input: &[u8], pages: &Pages<'_>) -> Option<Verdict> {
    let options = VerifyOptions {
        expect_email: Some("maria.garcia@example.org".to_owned()),
        ..VerifyOptions::at("2026-11-21T14:00:00Z".parse().unwrap())
    };
    let verdict = verify(input, pages, &options).ok()?;
    assert_eq!(verdict.checks.len(), 7);
    assert_eq!(verdict.checks[0].name, CheckName::Parse);
    assert!(
        verdict.checks.iter().all(|check| !check.code.is_empty() && check.detail.ends_with('.'))
    );
    Some(verdict)
}

fn is_valid(verdict: Option<&Verdict>) -> bool {
    verdict.is_some_and(|verdict| verdict.verdict == VerdictWord::Valid)
}

/// The name of a badge in the list of the known ones: the hash of its statements, or of its token.
fn name(text: &[u8]) -> Option<String> {
    let text = text.trim_ascii();
    if text.starts_with(b"{") {
        let document = json::parse(text, &json::LIMITS).ok()?;
        Some(hex(&proof::canonicalize(&proof::unsecured(&document)).ok()?.hash))
    } else {
        Some(hex(&Sha256::digest(text)))
    }
}

/// The badges that are valid here, by name.
pub fn known() -> &'static [String] {
    &world().known
}

/// The name of a badge in any form, if it is valid.
pub fn name_if_valid(input: &[u8]) -> Option<String> {
    name_with(input, judge(input, &Pages::default()).as_ref())
}

fn name_with(input: &[u8], verdict: Option<&Verdict>) -> Option<String> {
    if !is_valid(verdict) {
        return None;
    }
    match unbake(input) {
        Ok(baked) => name(baked.text().as_bytes()),
        Err(_) => name(input),
    }
}

/// Nobody has the keys, so what is valid says what was signed once.
fn check_known(input: &[u8], verdict: Option<&Verdict>) {
    if let Some(name) = name_with(input, verdict) {
        assert!(known().contains(&name), "{name} is valid and was never signed");
    }
}

/// A badge as JSON, and an issuer's page.
pub fn json(input: &[u8]) {
    let verdict = judge(input, &Pages::default());
    check_known(input, verdict.as_ref());
    judge(BADGE, &Pages(Some((ISSUER, input))));
    let Ok(value) = json::parse(input, &json::LIMITS) else { return };
    // The verdict is one on what is said, not on how it is written.
    let text = value.to_string();
    if text.len() <= json::LIMITS.bytes {
        assert_eq!(json::parse(text.as_bytes(), &json::LIMITS).as_ref(), Ok(&value));
        assert_eq!(judge(text.as_bytes(), &Pages::default()), verdict);
    }
    let canonical = jcs::canonicalize(&value);
    let again: Value = serde_json::from_str(&canonical).unwrap();
    assert_eq!(jcs::canonicalize(&again), canonical);
}

/// A badge as compact JWT, and a key.
pub fn jwt(input: &[u8]) {
    check_known(input, judge(input, &Pages::default()).as_ref());
    if let Ok(value) = json::parse(input, &json::LIMITS) {
        check_key(&value);
    }
    // A header and a payload as they are, so that the letters of base64url are not in the way.
    let mut parts = input.splitn(3, |&byte| byte == b'\n');
    if let (Some(header), Some(payload)) = (parts.next(), parts.next()) {
        let signature = parts.next().unwrap_or_default();
        let token = [header, payload, signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        check_known(token.as_bytes(), judge(token.as_bytes(), &Pages::default()).as_ref());
        if let Ok(value) = json::parse(header, &json::LIMITS) {
            check_key(&value["jwk"]);
        }
    }
}

fn check_key(value: &Value) {
    if let Ok(key) = PublicJwk::parse(value) {
        assert_eq!(PublicJwk::parse(&key.to_value()).as_ref(), Ok(&key));
        assert_eq!(PublicJwk::parse_multikey(&key.multikey()).as_ref(), Ok(&key));
        assert!(!key.thumbprint().is_empty());
    }
}

/// A PNG image with a badge in it, and artwork.
pub fn png(input: &[u8]) {
    image(input, |baked| bake_png(input, baked));
    if let Ok(artwork) = Artwork::parse(input) {
        let (width, height) = artwork.size();
        let again = Artwork::parse(artwork.png()).unwrap();
        assert_eq!(again.size(), (width, height));
    }
}

/// An SVG image with a badge in it.
pub fn svg(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return image(input, |_| Ok(Vec::new())) };
    image(input, |baked| bake_svg(text, baked).map(String::into_bytes));
}

/// What can be taken out can be put in again, and comes out as it was.
fn image(input: &[u8], bake: impl Fn(&Baked) -> Result<Vec<u8>, BakeError>) {
    check_known(input, judge(input, &Pages::default()).as_ref());
    let Ok(baked) = unbake(input) else { return };
    assert_eq!(Baked::recognise(baked.text()).as_ref(), Some(&baked));
    match bake(&baked) {
        Ok(image) => assert_eq!(unbake(&image), Ok(baked)),
        Err(BakeError::TooLarge { .. } | BakeError::NotACredential) => {}
        // It can be read under any prefix, and is written under one only.
        Err(BakeError::Image(UnbakeError::Malformed(why))) if why.contains("prefix openbadges") => {
        }
        Err(BakeError::Image(error)) => panic!("unbaked, but not baked again: {error}"),
    }
}

/// A status list, bare and as the document that a badge names.
pub fn status_list(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        check_list(StatusList::decode(text.trim_ascii()));
    }
    check_list(StatusList::decode(&format!("u{}", URL_SAFE_NO_PAD.encode(input))));
    if is_valid(judge(BADGE, &Pages(Some((LIST, input)))).as_ref()) {
        let name = name(input).unwrap();
        assert!(known().contains(&name), "{name} is a list that was never signed");
    }
}

fn check_list(list: Result<StatusList, StatusListError>) {
    let Ok(list) = list else { return };
    let entries = list.entries();
    assert!((MIN_ENTRIES..=MAX_ENTRIES).contains(&entries));
    assert!(list.is_set(0).is_ok() && list.is_set(entries - 1).is_ok());
    assert_eq!(list.is_set(entries), Err(StatusListError::OutOfRange { index: entries }));
    assert_eq!(StatusList::decode(&list.encode().unwrap()), Ok(list));
}
