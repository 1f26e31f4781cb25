//! Known papers look like submissions: every query over submissions that is not for their reader has to leave them out (decision 25).

use super::text::{code_of, names, rust_files};

/// Tables whose rows may belong to a known paper.
const TABLES: [&str; 4] = ["submissions", "reviews", "evidence", "decisions"];

/// Functions that read these tables with known papers, and why nobody learns of one by them.
const WITH_SEEDS: [(&str, &str, &str); 38] = [
    ("cases", "list", "joins cases, and a known paper has none"),
    ("cases", "has_open", "of one earner; the earner of a known paper is nobody"),
    ("cases", "list_involved", "of one submission with a case"),
    ("coachings", "list", "joins coachings, and a known paper has none"),
    ("conflicts", "list_open_families", "of one earner; the earner of a known paper is nobody"),
    ("conflicts", "list_coaches", "of one earner; the earner of a known paper is nobody"),
    ("conflicts", "list_earlier_readers", "of one earner; the earner of a known paper is nobody"),
    ("co_earners", "list_of_family", "of one earner; the earner of a known paper is nobody"),
    ("coachings", "list_asked", "of one earner; the earner of a known paper is nobody"),
    ("co_earners", "list_sharing", "joins co_earners, and a known paper has none"),
    ("conflicts", "list_namings", "of one earner; the earner of a known paper is nobody"),
    ("conflicts", "list_holders", "files only, and a known paper has texts only"),
    ("evidence_matches", "list_between", "joins evidence_matches, and a known paper has none"),
    ("conflicts", "list_linked", "pairs of readers, and a known paper has one reader"),
    ("decisions", "count_of_earner", "of one earner; the earner of a known paper is nobody"),
    ("decisions", "find", "of one submission"),
    ("evidence", "list", "of one submission"),
    ("evidence", "find", "of one submission"),
    ("evidence", "is_known_file", "whether a file is needed"),
    ("reviews", "find", "one review, for its reader"),
    ("reviews", "list_of_submissions", "of submissions that its caller has found"),
    ("reviews", "list_readers", "who has read anything, so that an export does not name them"),
    ("reviews", "find_created_at", "one review, for its reader"),
    ("reviews", "list_of_assessor", "for their reader"),
    ("reviews", "count_held", "what their reader holds"),
    ("reviews", "list_expired", "leases end as for live work"),
    ("reviews", "find_sheet", "of one review"),
    ("seeds", "list_questioned", "looks for known papers"),
    ("seeds", "last_presented", "looks for known papers"),
    ("seeds", "count_taken", "known papers are part of the share that is due"),
    (
        "seeds",
        "list_reviews",
        "what a suspended assessor holds; its caller leaves known papers out of rereads",
    ),
    (
        "screenings",
        "list_screeners",
        "who has screened anything, so that an export does not name them",
    ),
    ("rereads", "list", "joins rereads, and a known paper has none"),
    ("rereads", "list_of_submission", "joins rereads, and a known paper has none"),
    ("submissions", "list_by_id", "submissions that its caller has found"),
    ("submissions", "find", "one submission; who may see it is asked by its caller"),
    ("submissions", "last_attempt", "of one earner; the earner of a known paper is nobody"),
    ("retention", "list_past_retention", "forgets, and tells nobody"),
];

/// The functions of a file: name and code.
fn functions(code: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in code.lines() {
        let start = line.strip_prefix("pub(super) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        if let Some(rest) = start.strip_prefix("fn ") {
            let name = rest.split(['(', '<']).next().unwrap();
            found.push((name.to_owned(), String::new()));
        }
        if let Some((_, body)) = found.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    found
}

/// Whether a function asks one of the tables for rows: changes of a row are made by whoever has found it.
fn reads(body: &str) -> bool {
    let is_asked = |table: &&str| body.contains(&format!("{table}::table"));
    let answers = [".load", ".first", ".get_result"];
    TABLES.iter().any(is_asked) && answers.iter().any(|word| body.contains(word))
}

#[test]
fn every_query_over_submissions_leaves_known_papers_out_or_says_why() {
    let (mut faults, mut known, mut n_excluding) = (Vec::new(), Vec::new(), 0);
    for file in rust_files("src/store") {
        let module = file.path.rsplit('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if module == "schema" {
            continue;
        }
        for (name, body) in functions(&code_of(&file.text)) {
            if !reads(&body) {
                continue;
            }
            let is_listed = WITH_SEEDS.iter().any(|(at, of, _)| *at == module && *of == name);
            match (names(&body, "is_seed"), is_listed) {
                (true, false) => n_excluding += 1,
                (false, true) => known.push((module.clone(), name)),
                (true, true) => {
                    faults.push(format!("{module}::{name} leaves them out and says why not"))
                }
                (false, false) => {
                    faults.push(format!("{module}::{name} does not leave known papers out"))
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(n_excluding >= 8, "{n_excluding} queries leave them out");
    for (module, name, _) in WITH_SEEDS {
        let is_there = known.iter().any(|(at, of)| at == module && of == name);
        assert!(is_there, "{module}::{name} reads nothing any more: take it off the list");
    }
}
