//! What the program is built from: licences, crates that are kept out, one version where two would be a fault, and floors.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use super::text::{code_of, names, read, root, rust_files};

/// The licences under which code may come in; an expression must be satisfiable with these.
const LICENCES: [&str; 16] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PostgreSQL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that are not in the tree, with the reason.
const BANNED: [(&str, &str); 8] = [
    ("openssl", "one TLS and crypto provider: aws-lc-rs"),
    ("openssl-sys", "one TLS and crypto provider: aws-lc-rs"),
    ("native-tls", "one TLS and crypto provider: aws-lc-rs"),
    ("ring", "one TLS and crypto provider: aws-lc-rs"),
    ("rsa", "RUSTSEC-2023-0071: timing tells the private key; there is no fix"),
    ("actix-governor", "GPL-3.0-or-later"),
    ("actix-session", "sessions are rows of our own"),
    ("openidconnect", "brings rsa"),
];

/// Crates of which two versions would be a fault: keys, rows, times and tokens of one would not fit the other.
const ALONE: [&str; 9] = [
    "aws-lc-rs",
    "chrono",
    "curve25519-dalek",
    "diesel",
    "ed25519-dalek",
    "jsonwebtoken",
    "libsqlite3-sys",
    "rustls",
    "tokio",
];

/// The lowest version that is let in, with the reason.
const FLOORS: [(&str, [u64; 3], &str); 14] = [
    ("actix-http", [3, 0, 0], "RUSTSEC-2021-0081: request smuggling"),
    ("chrono", [0, 4, 20], "RUSTSEC-2020-0159: a race with the environment"),
    ("crossbeam-channel", [0, 5, 15], "RUSTSEC-2025-0024: a double free"),
    ("curve25519-dalek", [4, 1, 3], "RUSTSEC-2024-0344: timing"),
    ("diesel", [2, 2, 3], "RUSTSEC-2024-0365: truncation at the protocol of PostgreSQL"),
    (
        "ed25519-dalek",
        [2, 0, 0],
        "RUSTSEC-2022-0093: signing with a public key of the caller's choice",
    ),
    ("idna", [1, 0, 0], "RUSTSEC-2024-0421: labels that look different and compare equal"),
    ("jsonwebtoken", [11, 0, 0], "the checks of our tokens are written against its settings"),
    ("lettre", [0, 11, 23], "the version that our mail tests were written against"),
    ("libsqlite3-sys", [0, 38, 0], "carries the SQLite that was proved with diesel"),
    ("rustls", [0, 23, 18], "RUSTSEC-2024-0399: a panic from the network"),
    ("rustls-webpki", [0, 101, 4], "RUSTSEC-2023-0052: a certificate path that costs too much"),
    ("tokio", [1, 43, 1], "RUSTSEC-2025-0023: an unsound channel"),
    ("tracing-subscriber", [0, 3, 20], "RUSTSEC-2025-0055: escape sequences in logs"),
];

/// Dependencies that no code names, with the reason.
const UNNAMED: [(&str, &str); 2] = [
    ("libsqlite3-sys", "its feature compiles SQLite in"),
    ("pq-sys", "its feature compiles libpq in"),
];

/// The packages of `Cargo.lock`: name, version, source.
fn locked() -> Vec<(String, String, Option<String>)> {
    let lock = read("Cargo.lock");
    let packages: Vec<_> = lock
        .split("[[package]]")
        .skip(1)
        .map(|package| {
            let member = |name: &str| {
                let start = format!("{name} = \"");
                let line = package.lines().find_map(|line| line.strip_prefix(&start))?;
                Some(line.trim_end_matches('"').to_owned())
            };
            (member("name").unwrap(), member("version").unwrap(), member("source"))
        })
        .collect();
    assert!(packages.len() > 100);
    packages
}

fn parse_version(text: &str) -> [u64; 3] {
    let core = text.split(['-', '+']).next().unwrap();
    let numbers: Vec<u64> = core.split('.').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

#[test]
fn every_package_comes_from_the_public_registry() {
    // The lock file names the registry; here it is enough that there is one, and that nothing comes from a repository or a folder.
    let sources: BTreeSet<String> = locked()
        .into_iter()
        .filter(|(name, ..)| name != "assay")
        .map(|(name, _, source)| source.unwrap_or_else(|| panic!("{name} comes from a folder")))
        .collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources.iter().all(|source| source.starts_with("registry+https://")), "{sources:?}");
}

#[test]
fn there_is_one_version_of_what_must_fit_together() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, version, _) in locked() {
        versions.entry(name).or_default().push(version);
    }
    for name in ALONE {
        let found = versions.get(name).map_or(0, Vec::len);
        assert_eq!(found, 1, "{name}: {:?}", versions.get(name));
    }
}

#[test]
fn no_package_is_older_than_its_floor() {
    let locked = locked();
    for (name, floor, reason) in FLOORS {
        for (_, version, _) in locked.iter().filter(|(found, ..)| found == name) {
            assert!(parse_version(version) >= floor, "{name} {version}: {reason}");
        }
    }
}

#[test]
fn every_dependency_is_used_where_it_is_declared() {
    check_used("[dependencies]", "src");
    check_used("[dev-dependencies]", "tests");
}

#[track_caller]
fn check_used(section: &str, folder: &str) {
    let manifest = read("Cargo.toml");
    let code: String = rust_files(folder).iter().map(|file| code_of(&file.text)).collect();
    let (_, lines) = manifest.split_once(&format!("\n{section}\n")).unwrap();
    for line in lines.lines().take_while(|line| !line.starts_with('[')) {
        let Some((name, _)) = line.split_once(" = ") else { continue };
        let is_used = names(&code, &name.replace('-', "_"));
        let is_unnamed = UNNAMED.iter().any(|(unnamed, _)| *unnamed == name);
        assert!(is_used != is_unnamed, "{name} in {section}");
    }
}

/// The packages that a build with all features uses on this machine, tests included, with their licences. The lock file and
/// `cargo metadata` name more: what other machines use, and what is behind features of others that nobody switches on.
fn used() -> BTreeMap<String, String> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--locked", "--all-features"])
        .args(["--prefix", "none", "--format", "{p}|{l}"])
        .current_dir(root())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaint}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| {
            // A star in brackets stands behind what was listed before.
            let (package, licence) = line.strip_suffix(" (*)").unwrap_or(line).split_once('|')?;
            Some((package.split(' ').next()?.to_owned(), licence.to_owned()))
        })
        .collect()
}

#[test]
fn nothing_comes_in_that_is_kept_out_or_has_no_free_licence() {
    let used = used();
    assert!(used.len() > 100);
    for (name, licence) in &used {
        let ban = BANNED.iter().find(|(banned, _)| banned == name);
        assert_eq!(ban, None);
        assert!(is_allowed(licence), "{name}: {licence:?} is no licence of the list");
    }
}

/// Whether somebody who may use the [`LICENCES`] may use what is under this expression.
fn is_allowed(expression: &str) -> bool {
    // Older packages write a slash where the standard says OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (value, rest) = either(&words);
    assert!(rest.is_empty(), "{expression}");
    value
}

fn either<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut value, mut rest) = both(words);
    while let ["OR", after @ ..] = rest {
        let (next, after) = both(after);
        value |= next;
        rest = after;
    }
    (value, rest)
}

fn both<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut value, mut rest) = one(words);
    while let ["AND", after @ ..] = rest {
        let (next, after) = one(after);
        value &= next;
        rest = after;
    }
    (value, rest)
}

fn one<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", after @ ..] => {
            let (value, rest) = either(after);
            (value, rest.strip_prefix(&[")"]).expect("a closing bracket"))
        }
        [licence, "WITH", exception, rest @ ..] => {
            (LICENCES.contains(&format!("{licence} WITH {exception}").as_str()), rest)
        }
        [licence, rest @ ..] => (LICENCES.contains(licence), rest),
        [] => (false, words),
    }
}

#[test]
fn a_licence_is_judged_by_the_whole_expression() {
    assert!(is_allowed("MIT OR GPL-3.0"));
    assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(is_allowed("MIT/Apache-2.0"));
    assert!(is_allowed("Apache-2.0 WITH LLVM-exception"));
    assert!(!is_allowed("GPL-3.0-or-later"));
    assert!(!is_allowed("MIT AND GPL-3.0"));
    assert!(!is_allowed("(MIT AND OpenSSL) AND ISC"));
}
