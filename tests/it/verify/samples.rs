//! Every published sample and the verdict over it: `docs/api/samples.md`, checked and written here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use assay::credential::verify::{
    NoDocuments, Outcome, Verdict, VerdictWord, VerifyOptions, verify,
};

use super::{Web, ends};
use crate::lints::at;
use crate::standards::{published, published_json};
use crate::tidy::text::read;

/// A Web with the pages of the samples' issuers.
pub fn samples_web() -> Web {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/verify/documents");
    let index = std::fs::read(folder.join("index.json")).unwrap();
    let index: BTreeMap<String, String> = serde_json::from_slice(&index).unwrap();
    let mut web = Web::default();
    for (url, file) in index {
        web.pages.insert(url, std::fs::read(folder.join(file)).unwrap());
    }
    web
}

fn judge(path: &str, with_pages: bool) -> Verdict {
    let (text, options) = (published(path), VerifyOptions::at(at(14)));
    let verdict = if with_pages {
        verify(&text, &samples_web(), &options)
    } else {
        verify(&text, &NoDocuments, &options)
    };
    verdict.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The verdict, and the code of the first check that did not pass.
fn word(verdict: &Verdict) -> String {
    let decisive = |outcome| {
        verdict.checks.iter().find(|check| check.outcome == outcome && check.code != "not-checked")
    };
    let (word, check) = match verdict.verdict {
        VerdictWord::Valid => ("valid", None),
        VerdictWord::Invalid => ("invalid", decisive(Outcome::Fail)),
        VerdictWord::Indeterminate => ("indeterminate", decisive(Outcome::Unknown)),
    };
    check.map_or_else(|| word.to_owned(), |check| format!("{word} (`{}`)", check.code))
}

/// The published files that are something to verify: not keys, proofs alone or canonical forms.
fn samples() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/standards");
    let mut folders = vec![root.join("examples"), root.join("vectors")];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_sample(&path) {
                paths.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    paths.sort_unstable();
    paths
}

fn is_sample(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    let is_part = ["proofConfig", "proofSetConfig", "proofChainConfig", "keyPair", "multiKeyPairs"]
        .iter()
        .any(|part| name.starts_with(part));
    let is_form =
        [".json", ".jwt", ".png", ".svg", "testlist"].iter().any(|end| name.ends_with(end));
    is_form && !is_part && name != "known-answers.json"
}

const HEAD: &str = "| sample | by its origin | with the issuers' pages | without | why |\n| --- | --- | --- | --- | --- |\n";

/// The rows of the page, each as its five cells.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let (_, table) = page.split_once(HEAD).expect("the page has its table");
    table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn the_page_of_the_samples_is_what_the_code_says() {
    let page = read("docs/api/samples.md");
    let rows = rows(&page);
    let written: BTreeMap<&str, &Vec<&str>> =
        rows.iter().map(|cells| (cells[0].trim_matches('`'), cells)).collect();
    let mut table = HEAD.to_owned();
    for path in samples() {
        let cells = written.get(path.as_str());
        let (expected, why) = cells.map_or(("", ""), |cells| (cells[1], cells[4]));
        let (with, without) = (word(&judge(&path, true)), word(&judge(&path, false)));
        writeln!(table, "| `{path}` | {expected} | {with} | {without} | {why} |").unwrap();
    }
    let (before, _) = page.split_once(HEAD).unwrap();
    let now = format!("{before}{table}");
    if now != page {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/samples.md");
        std::fs::write(path, now).unwrap();
        panic!("docs/api/samples.md is not what the code says; what it says is in {path}");
    }
}

#[test]
fn samples_get_the_verdict_of_their_origin_or_the_page_says_why_not() {
    let page = read("docs/api/samples.md");
    let mut n_valid = 0;
    for cells in rows(&page) {
        let [path, expected, with, without, why] = cells[..] else { panic!("{cells:?}") };
        assert!(["valid", "invalid", "indeterminate"].contains(&expected), "{path}: {expected}");
        let word = |cell: &str| cell.split(' ').next().unwrap().to_owned();
        assert!(word(with) == expected || !why.is_empty(), "{path}: {with}, not {expected}");
        // Without its issuer's page, a badge is never called valid, unless its issuer is a key.
        assert_ne!(word(without), "valid", "{path}");
        if word(with) == "valid" {
            assert_eq!(word(without), "indeterminate", "{path}");
            n_valid += 1;
        }
    }
    assert!(n_valid >= 20, "{n_valid}");
}

/// `signatureHolds` and `safe` of the known answers, against the verdict.
#[test]
fn known_answers_agree_with_the_verdicts() {
    let answers = published_json("vectors/known-answers.json");
    for (path, answer) in answers.as_object().unwrap() {
        let verdict = judge(path, true);
        let is_sound = answer["safe"] == true && answer["signatureHolds"] == true;
        if !is_sound {
            assert_eq!(verdict.verdict, VerdictWord::Invalid, "{path}: {verdict:#?}");
        }
        if verdict.verdict == VerdictWord::Valid {
            assert!(is_sound, "{path}");
        }
    }
}

#[test]
fn the_published_revoked_samples_are_revoked() {
    let folder = "examples/validator-samples";
    for path in [
        "bit-string-list/credential-status-revoked.json",
        "bit-string-list/credential-status-revoked-blank-nodes.json",
    ] {
        let verdict = judge(&format!("{folder}/{path}"), true);
        ends(&verdict, VerdictWord::Invalid, "status", Outcome::Fail, "revoked");
    }
}
