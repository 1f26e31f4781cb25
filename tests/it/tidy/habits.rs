//! Habits of the text: no unsafe code, reasons for exceptions, files of a bearable length, nothing that belongs to one machine.

use super::text::{TextFile, code_of, files, names, read, rust_files};

/// The most lines of a file of the service.
const LONGEST_FILE: usize = 700;

/// Files that name paths of machines, with the reason.
const WITH_PATHS: [(&str, &str); 1] =
    [("tests/it/submissions/evidence.rs", "file names as somebody's browser could send them")];

/// Whether a file is somebody else's, kept as it came.
fn is_vendored(path: &str) -> bool {
    path.contains("/fixtures/")
        || ["case", "clr", "contexts", "open-badges", "w3c"]
            .iter()
            .any(|folder| path.starts_with(&format!("credential-schemas/{folder}/")))
}

fn own_text() -> Vec<TextFile> {
    let mut files = files("");
    files.retain(|file| !is_vendored(&file.path));
    assert!(files.iter().any(|file| file.path == "Cargo.toml"));
    files
}

#[test]
fn there_is_no_unsafe_code() {
    assert!(read("Cargo.toml").contains("unsafe_code = \"forbid\""));
    for file in rust_files("src").into_iter().chain(rust_files("tests")) {
        assert!(!names(&code_of(&file.text), "unsafe"), "{}", file.path);
    }
}

#[test]
fn no_file_of_the_service_is_too_long_to_read() {
    // The schema is one file for both databases, a list that nobody reads from end to end.
    let files = rust_files("src").into_iter().filter(|file| file.path != "src/store/schema.rs");
    for file in files {
        let n_lines = file.text.lines().count();
        assert!(n_lines <= LONGEST_FILE, "{} has {n_lines} lines", file.path);
    }
}

/// The attributes of the code that silence a lint, whole.
fn allowances(text: &str) -> Vec<String> {
    let code = code_of(text);
    let mut found = Vec::new();
    for word in ["[allow(", "[expect("] {
        for (start, _) in code.match_indices(word) {
            let mut depth = 0;
            let length = code[start..]
                .find(|c| {
                    depth += match c {
                        '[' => 1,
                        ']' => -1,
                        _ => 0,
                    };
                    depth == 0
                })
                .unwrap();
            found.push(code[start..start + length].to_owned());
        }
    }
    found
}

#[test]
fn every_exception_from_a_lint_has_a_reason() {
    for file in rust_files("src").into_iter().chain(rust_files("tests")) {
        for allowance in allowances(&file.text) {
            assert!(names(&allowance, "reason ="), "{}: {allowance}", file.path);
        }
    }
}

#[test]
fn nothing_names_a_registry_or_a_machine() {
    // Put together here, since this file is read as well.
    let hosts = [
        ["index.crates", ".io"],
        ["static.crates", ".io"],
        ["registry.", "npmjs.org"],
        ["registry.", "yarnpkg.com"],
        ["files.", "pythonhosted.org"],
        ["proxy.", "golang.org"],
        ["artifact", "ory"],
    ]
    .map(|parts| parts.concat());
    let paths =
        [["/wo", "rk/"], ["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"], ["C:\\", "Users"]]
            .map(|parts| parts.concat());
    for file in own_text() {
        for host in &hosts {
            assert!(!file.text.contains(host.as_str()), "{} names {host}", file.path);
        }
        if WITH_PATHS.iter().any(|(path, _)| *path == file.path) {
            continue;
        }
        for path in &paths {
            // Inside of a URL or of a longer path it is something else.
            let is_there = file.text.match_indices(path.as_str()).any(|(at, _)| {
                !file.text[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}*".contains(c))
            });
            assert!(!is_there, "{} names {path}", file.path);
        }
    }
}

#[test]
fn what_is_left_to_do_names_its_issue() {
    let words = [["TO", "DO"], ["FIX", "ME"]].map(|parts| parts.concat());
    for file in own_text() {
        for word in &words {
            for (at, _) in file.text.match_indices(word.as_str()) {
                let rest = &file.text[at + word.len()..];
                let is_whole = !file.text[..at].ends_with(char::is_alphanumeric)
                    && !rest.starts_with(char::is_alphanumeric);
                let number = rest.strip_prefix("(#").and_then(|rest| rest.split(')').next());
                let has_issue = number.is_some_and(|number| number.parse::<u32>().is_ok());
                assert!(!is_whole || has_issue, "{}: {word} without (#issue)", file.path);
            }
        }
    }
}

#[test]
fn an_exception_without_a_reason_is_found() {
    let found = allowances("#[allow(x)] fn f() {} // #[allow(y)]\n#[expect(z, reason = \"]\")]");
    assert_eq!(found.len(), 2);
    assert!(!names(&found[0], "reason ="));
    assert!(names(&found[1], "reason ="));
}
