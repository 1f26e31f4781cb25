//! Reading the project's own files: the code without comments and literals, and the paths that it names.

use std::path::{Path, PathBuf};

/// Where the project lies.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A text file of the project.
pub struct TextFile {
    /// Its path from the project's folder, with slashes.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Every text file under a folder of the project, in order. Left out is what `.gitignore` names, and what is not text.
pub fn files(under: &str) -> Vec<TextFile> {
    let ignored = read(".gitignore");
    let is_ignored = |name: &str| {
        name == ".git"
            || ignored.lines().any(|line| match line.strip_prefix('*') {
                Some(end) => name.ends_with(end),
                None => name == line.trim_matches('/'),
            })
    };
    let mut found = Vec::new();
    let mut folders = vec![root().join(under)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if is_ignored(&name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.push(TextFile { path: name_of(&path), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Every Rust file under a folder.
pub fn rust_files(under: &str) -> Vec<TextFile> {
    let mut files = files(under);
    files.retain(|file| file.path.ends_with(".rs"));
    assert!(!files.is_empty(), "no Rust file under {under}");
    files
}

fn name_of(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/")
}

/// One file of the project.
#[track_caller]
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The code with comments and the contents of literals blanked out; line breaks stay where they are.
pub fn code_of(text: &str) -> String {
    let all: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = all.get(at) {
        let rest = &all[at..];
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let is_new_word = !code.ends_with(is_word);
        let end = if rest.starts_with(&['/', '/']) {
            rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
        } else if rest.starts_with(&['/', '*']) {
            block_comment(rest)
        } else if let Some(end) = raw_string(rest).filter(|_| is_new_word) {
            end
        } else if c == '"' {
            1 + quoted(&rest[1..], '"')
        } else if c == '\'' && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
            1 + quoted(&rest[1..], '\'')
        } else {
            code.push(c);
            at += 1;
            continue;
        };
        code.extend(rest[..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at += end;
    }
    code
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Where `r"…"`, `r#"…"#` and their kin end, if one begins here.
fn raw_string(rest: &[char]) -> Option<usize> {
    let after_prefix = rest.iter().position(|c| !matches!(c, 'b' | 'c' | 'r'))?;
    if after_prefix == 0 || rest[after_prefix - 1] != 'r' {
        return None;
    }
    let hashes = rest[after_prefix..].iter().take_while(|c| **c == '#').count();
    let open = after_prefix + hashes;
    if rest.get(open) != Some(&'"') {
        return None;
    }
    let mut close = vec!['"'];
    close.extend(std::iter::repeat_n('#', hashes));
    let inside = &rest[open + 1..];
    let length = inside.windows(close.len()).position(|window| window == close)?;
    Some(open + 1 + length + close.len())
}

/// How far it is to behind the closing quote.
fn quoted(inside: &[char], quote: char) -> usize {
    let mut at = 0;
    while let Some(c) = inside.get(at) {
        match c {
            '\\' => at += 2,
            c if *c == quote => return at + 1,
            _ => at += 1,
        }
    }
    inside.len()
}

/// The code's words and signs, `::` as one.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(c) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_word(c) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        found.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    found
}

/// Whether the code has a word, or a path of words such as `Utc::now`. A star at the end stands for the rest of a word.
pub fn names(code: &str, wanted: &str) -> bool {
    let (wanted, is_prefix) = match wanted.strip_suffix('*') {
        Some(prefix) => (prefix, true),
        None => (wanted, false),
    };
    let wanted = tokens(wanted);
    tokens(code).windows(wanted.len()).any(|window| {
        window.iter().zip(&wanted).all(|(found, wanted)| {
            if is_prefix { found.starts_with(wanted) } else { found == wanted }
        })
    })
}

/// The module that a file of `src` is.
pub fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// Every path of the crate that the code names, by `crate::`, `self::` or `super::`, in a `use` or anywhere else, from the crate's
/// root. Groups are spread out. `super` inside of a module that is written in the file is taken one level too high.
pub fn own_paths(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_start = at == 0 || !matches!(tokens[at - 1], "::" | "$");
        let mut prefix = match tokens[at] {
            "crate" if is_start => Vec::new(),
            "self" if is_start => module.to_vec(),
            "super" if is_start => module[..module.len().saturating_sub(1)].to_vec(),
            _ => {
                at += 1;
                continue;
            }
        };
        at += 1;
        while tokens.get(at) == Some(&"::") && tokens.get(at + 1) == Some(&"super") {
            prefix.pop();
            at += 2;
        }
        if tokens.get(at) == Some(&"::") {
            at = spread(&tokens, at + 1, &prefix, &mut found);
        }
    }
    found
}

/// Reads what follows a `::`: a path, or a group of them. Returns where it ends.
fn spread(
    tokens: &[&str],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(at) {
            Some(&"{") => {
                at += 1;
                while let Some(&token) = tokens.get(at) {
                    match token {
                        "}" => return at + 1,
                        "," => at += 1,
                        _ => at = spread(tokens, at, &path, found),
                    }
                }
                return at;
            }
            Some(word) if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                path.push((*word).to_owned());
                at += 1;
                if *word != "self" && tokens.get(at) == Some(&"::") {
                    at += 1;
                    continue;
                }
                // `name as other`
                if tokens.get(at) == Some(&"as") {
                    at += 2;
                }
                found.push(path);
                return at;
            }
            // `::<` of an expression, or `::*`
            Some(_) => {
                found.push(path);
                return at + 1;
            }
            None => return at,
        }
    }
}

#[test]
fn comments_and_literals_are_not_code() {
    let text =
        "a /* b /* c */ d */ e // f\n\"g \\\" h\" i r#\"j \" k\"# l 'm' n '\\'' o<'p> bar\"q\"";
    let code = code_of(text);
    let words: Vec<&str> = tokens(&code).into_iter().filter(|word| word.len() == 1).collect();
    assert_eq!(words, ["a", "e", "i", "l", "n", "o", "<", "'", "p", ">"]);
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn every_way_to_name_an_own_module_is_seen() {
    let code = "use crate::{a::{self, B}, c::*}; use super::d; fn f() -> crate::e::F { self::g(); super::super::h::<T>() } $crate::no";
    let module = ["x", "y", "z"].map(str::to_owned);
    let found: Vec<String> =
        own_paths(code, &module).into_iter().map(|path| path.join("::")).collect();
    let expected =
        ["a::self", "a::B", "c", "x::y::d", "e::F", "x::y::z::g", "x::h"].map(str::to_owned);
    assert_eq!(found, expected);
}

#[test]
fn words_are_found_whole_and_prefixes_in_part() {
    assert!(names("let now = Utc::now();", "Utc::now"));
    assert!(!names("let now = Utc::nowhere();", "Utc::now"));
    assert!(names("use actix_web::web;", "actix*"));
    assert!(!names("factix", "actix*"));
}

/// The folder of a module's children: beside `mod.rs`, `main.rs` and `lib.rs`, else in the folder of the file's name.
pub fn folder_of_children(path: &str) -> PathBuf {
    let path = Path::new(path);
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "main" | "lib") => path.parent().unwrap().to_owned(),
        _ => path.with_extension(""),
    }
}
