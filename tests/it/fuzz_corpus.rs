//! The corpora of the fuzz targets: every file has the properties that the targets look for.

#[path = "../fuzz/properties.rs"]
mod properties;

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::PathBuf;

type Property = fn(&[u8]);

/// The targets, each with the function that it calls.
const TARGETS: [(&str, Property); 5] = [
    ("json", properties::json),
    ("jwt", properties::jwt),
    ("png", properties::png),
    ("svg", properties::svg),
    ("status_list", properties::status_list),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

fn names(under: &str) -> BTreeSet<String> {
    std::fs::read_dir(folder().join(under))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let under = format!("corpus/{target}");
    let read = |name: String| {
        let bytes = std::fs::read(folder().join(&under).join(&name)).unwrap();
        (name, bytes)
    };
    names(&under).into_iter().map(read).collect()
}

#[track_caller]
fn replay(target: &str) {
    let (_, property) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let files = corpus(target);
    assert!(files.len() >= 20, "{target} has {} files", files.len());
    for (name, bytes) in files {
        assert!(catch_unwind(|| property(&bytes)).is_ok(), "tests/fuzz/corpus/{target}/{name}");
    }
}

#[test]
fn the_corpus_of_json_holds() {
    replay("json");
}

#[test]
fn the_corpus_of_jwt_holds() {
    replay("jwt");
}

#[test]
fn the_corpus_of_png_holds() {
    replay("png");
}

#[test]
fn the_corpus_of_svg_holds() {
    replay("svg");
}

#[test]
fn the_corpus_of_status_lists_holds() {
    replay("status_list");
}

#[test]
fn every_corpus_has_its_target_and_is_replayed() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("corpus"), targets);
    let files: BTreeSet<String> = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names("fuzz_targets"), files);
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
    for target in targets {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
        let text = folder().join(format!("fuzz_targets/{target}.rs"));
        let text = std::fs::read_to_string(text).unwrap();
        assert!(text.contains(&format!("properties::{target}(input)")), "{target}");
    }
}

/// Else "what is valid is known" would say nothing.
#[test]
fn the_corpora_hold_every_badge_that_is_known_to_be_valid() {
    let valid: BTreeSet<String> = TARGETS
        .iter()
        .flat_map(|(target, _)| corpus(target))
        .filter_map(|(_, bytes)| properties::name_if_valid(&bytes))
        .collect();
    let known: BTreeSet<String> = properties::known().iter().cloned().collect();
    assert_eq!(valid, known);
    assert!(known.len() >= 8, "{known:?}");
}
