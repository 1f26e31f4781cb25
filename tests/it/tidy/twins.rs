//! Files that belong together: migrations of both databases, modules and their lines, fixtures and their origins.

use std::collections::BTreeSet;

use super::text::{code_of, files, folder_of_children, names, read, root, rust_files};

fn entries(folder: &str) -> BTreeSet<String> {
    std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn both_databases_have_the_same_migrations() {
    let versions = entries("migrations/sqlite");
    assert!(!versions.is_empty());
    assert_eq!(versions, entries("migrations/postgres"));
    for version in versions {
        for database in ["sqlite", "postgres"] {
            let expected = BTreeSet::from(["down.sql".to_owned(), "up.sql".to_owned()]);
            assert_eq!(entries(&format!("migrations/{database}/{version}")), expected);
        }
    }
}

#[test]
fn every_rust_file_is_part_of_its_crate() {
    for (folder, main) in [
        ("src", "src/lib.rs"),
        ("tests/it", "tests/it/main.rs"),
        ("tests/bench", "tests/bench/main.rs"),
    ] {
        let files = rust_files(folder);
        for file in &files {
            if matches!(file.path.as_str(), "src/main.rs") || file.path == main {
                continue;
            }
            let path = root().join(&file.path);
            let (name, home) = match path.file_stem().unwrap().to_str().unwrap() {
                "mod" => (path.parent().unwrap(), path.parent().unwrap().parent().unwrap()),
                _ => (path.as_path(), path.parent().unwrap()),
            };
            let name = name.file_stem().unwrap().to_str().unwrap();
            let is_named = files.iter().any(|other| {
                root().join(folder_of_children(&other.path)) == home
                    && names(&code_of(&other.text), &format!("mod {name};"))
            });
            assert!(is_named, "no `mod {name};` brings {} in", file.path);
        }
    }
}

#[test]
fn every_fixture_says_where_it_comes_from() {
    let table = read("tests/it/fixtures/README.md");
    assert!(table.contains("| source | licence |"));
    for entry in entries("tests/it/fixtures") {
        let row = table.lines().find(|line| {
            line.starts_with(&format!("| `{entry}`")) || line.starts_with(&format!("| `{entry}/`"))
        });
        assert!(
            entry == "README.md" || row.is_some(),
            "tests/it/fixtures/{entry} is in no row of the table"
        );
    }
    for table in ["credential-schemas/README.md", "tests/it/fixtures/standards/README.md"] {
        assert!(read(table).contains("| source | licence |"), "{table}");
    }
    for folder in entries("credential-schemas") {
        let path = format!("credential-schemas/{folder}");
        if root().join(&path).is_dir() {
            let is_told = read("credential-schemas/README.md").contains(&format!("`{folder}/`"))
                || entries(&path).contains("README.md");
            assert!(is_told, "{path} does not say where it comes from");
        }
    }
}

#[test]
fn every_font_says_where_it_comes_from() {
    let table = read("src/images/fonts/README.md");
    assert!(table.contains("| source | licence |"));
    for entry in entries("src/images/fonts") {
        assert!(entry == "README.md" || table.contains(&format!("`{entry}`")), "{entry}");
    }
}

#[test]
fn every_snapshot_has_its_test() {
    let code: String = rust_files("tests/it").iter().map(|file| code_of(&file.text)).collect();
    for file in files("tests").iter().filter(|file| file.path.ends_with(".snap")) {
        let name = file.path.rsplit("__").next().unwrap().trim_end_matches(".snap");
        // A second one of the same test has a number behind its name.
        let name = name.split('-').next().unwrap();
        assert!(names(&code, &format!("fn {name}")), "no test has the snapshot {}", file.path);
    }
}
