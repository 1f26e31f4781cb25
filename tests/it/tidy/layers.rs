//! The table of layers: what each module may import, and what it never contains.

use super::text::{TextFile, code_of, module_of, names, own_paths, rust_files};

/// A module of the house.
struct Floor {
    module: &'static str,
    /// The other modules that it may import.
    may_import: &'static [&'static str],
    /// Words that it never contains.
    never: &'static [&'static str],
}

const ALL: &[&str] = &[
    "domain",
    "credential",
    "store",
    "mail",
    "files",
    "images",
    "fetch",
    "service",
    "http",
    "config",
    "telemetry",
];

/// What reads or changes the world, for the floors that are pure.
const OUTSIDE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "reqwest",
    "rand",
];

const HOUSE: &[Floor] = &[
    Floor {
        module: "domain",
        may_import: &[],
        never: &["diesel*", "actix*", "Utc::now", "serde_json", "utoipa", "lettre", "askama"],
    },
    Floor {
        module: "credential",
        may_import: &[],
        never: &["diesel*", "actix*", "Utc::now", "utoipa", "lettre", "askama"],
    },
    Floor {
        module: "store",
        may_import: &["domain"],
        never: &[
            "actix*",
            "utoipa",
            "askama",
            "lettre",
            "reqwest",
            "Utc::now",
            "StatusCode",
            "policy",
        ],
    },
    Floor {
        module: "mail",
        may_import: &["domain"],
        never: &["actix*", "diesel*", "utoipa", "reqwest", "Utc::now"],
    },
    Floor {
        module: "files",
        may_import: &["domain"],
        never: &["actix*", "diesel*", "utoipa", "askama", "reqwest", "Utc::now"],
    },
    Floor {
        module: "images",
        may_import: &["domain"],
        never: &["actix*", "diesel*", "utoipa", "askama", "lettre", "reqwest", "Utc::now"],
    },
    Floor {
        module: "fetch",
        may_import: &["domain"],
        never: &["actix*", "diesel*", "utoipa", "askama", "lettre", "Utc::now"],
    },
    Floor {
        module: "service",
        may_import: &["domain", "credential", "store", "mail", "files", "images", "fetch"],
        never: &["actix*", "diesel*", "sql_query", "utoipa", "askama", "reqwest", "HttpResponse"],
    },
    Floor {
        module: "http",
        may_import: &["domain", "service"],
        never: &[
            "diesel*",
            "sql_query",
            "DbConn",
            "conn",
            "transaction",
            "write_transaction",
            "Utc::now",
            "reqwest",
        ],
    },
    Floor { module: "cli", may_import: ALL, never: &["diesel*", "Utc::now"] },
    Floor {
        module: "config",
        may_import: &["service", "store"],
        never: &["diesel*", "actix*", "Utc::now"],
    },
    Floor { module: "telemetry", may_import: &[], never: &["diesel*", "actix*", "Utc::now"] },
];

/// Everything about a file that the table forbids.
fn faults_of(file: &TextFile) -> Vec<String> {
    let module = module_of(&file.path);
    let code = code_of(&file.text);
    let Some(top) = module.first() else { return Vec::new() };
    let Some(floor) = HOUSE.iter().find(|floor| floor.module == top) else {
        return vec![format!("{}: the module {top} is in no row of the table", file.path)];
    };
    let mut faults = Vec::new();
    for path in own_paths(&code, &module) {
        let Some(target) = path.first() else { continue };
        if target != floor.module && !floor.may_import.contains(&target.as_str()) {
            faults.push(format!("{}: {top} may not import {}", file.path, path.join("::")));
        }
        for (one, other) in [("api", "web"), ("web", "api")] {
            let is_inside = module.get(1).is_some_and(|module| module == one);
            if top == "http" && is_inside && path.starts_with(&["http", other].map(str::to_owned)) {
                faults.push(format!("{}: http::{one} does not know http::{other}", file.path));
            }
        }
    }
    for word in floor.never.iter().filter(|word| names(&code, word)) {
        faults.push(format!("{}: {top} never contains {word}", file.path));
    }
    faults
}

#[test]
fn imports_point_down_and_each_floor_keeps_to_its_words() {
    let files = rust_files("src");
    for floor in HOUSE {
        assert!(
            files
                .iter()
                .any(|file| module_of(&file.path).first().is_some_and(|top| top == floor.module)),
            "{} has no file",
            floor.module
        );
    }
    let faults: Vec<String> = files.iter().flat_map(faults_of).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_fault_of_each_kind_is_found() {
    let check = |path: &str, text: &str, expected: &str| {
        let faults = faults_of(&TextFile { path: path.to_owned(), text: text.to_owned() });
        assert_eq!(faults, [format!("{path}: {expected}")], "{text}");
    };
    check("src/domain/x.rs", "use crate::credential::y;", "domain may not import credential::y");
    check("src/domain/x.rs", "let x = chrono::Utc::now();", "domain never contains Utc::now");
    check("src/credential/x.rs", "use crate::domain::y;", "credential may not import domain::y");
    check("src/store/x.rs", "fn f() { crate::service::y() }", "store may not import service::y");
    check("src/mail/mod.rs", "use super::files;", "mail may not import files");
    check("src/service/x.rs", "use actix_web::web;", "service never contains actix*");
    check("src/http/api/x.rs", "use crate::{store::Y};", "http may not import store::Y");
    check("src/http/api/x.rs", "use super::super::web::y;", "http::api does not know http::web");
    check("src/http/web/x.rs", "use crate::http::api::y;", "http::web does not know http::api");
    check("src/attic/x.rs", "", "the module attic is in no row of the table");
}

#[test]
fn what_is_pure_touches_nothing_outside_and_waits_for_nothing() {
    for floor in ["domain", "credential", "images"] {
        for file in rust_files(&format!("src/{floor}")) {
            let code = code_of(&file.text);
            for word in OUTSIDE {
                assert!(!names(&code, word), "{} contains {word}", file.path);
            }
        }
    }
}

#[test]
fn only_http_and_what_starts_it_is_async() {
    for file in rust_files("src") {
        if file.path.starts_with("src/http/") || file.path == "src/cli/serve.rs" {
            continue;
        }
        let code = code_of(&file.text);
        assert!(!names(&code, "async") && !names(&code, "await"), "{} is async", file.path);
    }
}

#[test]
fn what_is_allowed_in_one_place_is_only_there() {
    check_only("Utc::now", &["src/service/context.rs"]);
    check_only("web::block", &["src/http/app.rs"]);
    check_only("DbConn::Postgres", &["src/store/connection.rs"]);
    check_only("DbConn::Sqlite", &["src/store/connection.rs"]);
    check_only("env::var", &[]);
    check_only("env::vars", &[]);
}

fn check_only(word: &str, places: &[&str]) {
    let found: Vec<String> = rust_files("src")
        .into_iter()
        .filter(|file| names(&code_of(&file.text), word))
        .map(|file| file.path)
        .collect();
    assert_eq!(found, places, "{word}");
}

#[test]
fn domain_types_are_not_serialize_ids_excepted() {
    for file in rust_files("src/domain") {
        let is_serialize = names(&code_of(&file.text), "Serialize");
        assert!(!is_serialize || file.path == "src/domain/ids.rs", "{}", file.path);
    }
}
