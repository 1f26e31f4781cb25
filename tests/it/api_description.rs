//! Router, policy table and API description say the same, and every kind of problem is written down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use assay::domain::policy::rows;
use assay::http::openapi;
use assay::http::problem::{KINDS, find_kind};
use assay::http::routes::{ROUTES, Route, Undeclared, require_policy};
use reqwest::Method;
use serde_json::Value;

use crate::harness::TestApp;

/// Rows that no route has as its own: a finer decision inside routes that have theirs.
const INNER_ROWS: [(&str, &[&str]); 4] = [
    ("read_draft_version", &["read_micro_credential", "read_version"]),
    ("read_draft_stack", &["read_stack", "read_stack_progress", "claim_stack"]),
    ("read_draft_program", &["read_program", "list_program_changes"]),
    ("read_hidden_proposal", &["read_proposal", "list_proposals"]),
];

fn document() -> Value {
    serde_json::from_str(&openapi::document().to_json().unwrap()).unwrap()
}

/// The described operations: method and path to the operation.
fn described(document: &Value) -> BTreeMap<(String, String), Value> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.insert((method.to_uppercase(), path.clone()), operation.clone());
        }
    }
    operations
}

#[test]
fn every_route_has_exactly_one_policy_row_and_every_row_a_route() {
    assert_eq!(require_policy(ROUTES), Ok(()));
    let routed: Vec<&str> = ROUTES.iter().map(|route| route.operation).collect();
    let unique: BTreeSet<&str> = routed.iter().copied().collect();
    assert_eq!(unique.len(), routed.len(), "an operation has two routes");
    for row in rows() {
        let n_rows = rows().filter(|other| other.operation == row.operation).count();
        assert_eq!(n_rows, 1, "{} has {n_rows} rows", row.operation);
        let inner = INNER_ROWS.iter().find(|(operation, _)| *operation == row.operation);
        match inner {
            None => assert!(unique.contains(row.operation), "{} has no route", row.operation),
            Some((_, outer)) => assert!(outer.iter().all(|operation| unique.contains(operation))),
        }
        assert!(!row.who.is_empty(), "nobody may {}", row.operation);
    }
}

#[test]
fn an_operation_without_a_policy_row_does_not_start_the_server() {
    let mut routes: Vec<Route> = ROUTES.to_vec();
    routes.push(Route { operation: "undeclared", ..ROUTES[0] });
    assert_eq!(require_policy(&routes), Err(Undeclared(vec!["undeclared"])));
}

#[test]
fn every_route_is_described_once_and_nothing_else_is() {
    let document = document();
    let operations = described(&document);
    let routed: BTreeMap<(String, String), &Route> = ROUTES
        .iter()
        .map(|route| ((route.method.to_owned(), route.path.to_owned()), route))
        .collect();
    assert_eq!(routed.len(), ROUTES.len(), "two routes have the same method and path");
    assert!(operations.keys().eq(routed.keys()), "router and description differ");
    for (place, route) in routed {
        let operation = &operations[&place];
        assert_eq!(operation["operationId"], route.operation);
        let named = |kind: &str| -> BTreeSet<String> {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let of_kind = parameters.iter().filter(|parameter| parameter["in"] == kind);
            of_kind.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
        };
        let in_path: BTreeSet<String> = route
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(str::to_owned)
            .collect();
        assert_eq!(named("path"), in_path, "{}", route.operation);
        let in_query: BTreeSet<String> = route.query.iter().map(ToString::to_string).collect();
        assert_eq!(named("query"), in_query, "{}", route.operation);
        assert_eq!(operation["requestBody"].is_object(), route.body.is_some());
        assert!(operation["responses"][route.status.to_string()].is_object());
        assert!(operation["responses"]["default"].is_object(), "{}", route.operation);
    }
}

#[test]
fn the_description_is_openapi_3_1_and_every_reference_resolves() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > ROUTES.len());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference}"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn each_list_is_described_with_its_own_items() {
    let document = document();
    let lists = described(&document);
    let mut n_lists = 0;
    for ((_, path), operation) in lists
        .iter()
        .filter(|(_, operation)| operation["operationId"].as_str().unwrap().starts_with("list_"))
    {
        let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let of_page = answer["$ref"].as_str().unwrap().trim_start_matches('#');
        let page = document.pointer(of_page).unwrap();
        let item = page["properties"]["items"]["items"]["$ref"].as_str().unwrap();
        let item = item.rsplit('/').next().unwrap();
        let expected = match path.rsplit('/').next().unwrap() {
            "organizations" => "OrganizationView",
            "members" => "MemberView",
            "signing-keys" => "SigningKeyView",
            "micro-credentials" => "CatalogueItem",
            "submissions" => "SubmissionLineView",
            "reviews" => "ReviewLine",
            "awards" => "AwardView",
            "audit-events" => "AuditEventView",
            "comments" => "CommentView",
            "screenings" => "ScreeningLineView",
            "cases" => "CaseLine",
            "evidence-matches" => "EvidenceMatchView",
            "conflicts" => "ConflictView",
            "assessors" => "StandingView",
            "calibration-sets" => "CalibrationSetLine",
            "attempts" => "CalibrationAttemptLine",
            "rereads" => "RereadView",
            "frameworks" => "FrameworkView",
            "bank-items" => "BankItemView",
            "stacks" if path.contains("/me/") => "OwnStackView",
            "stacks" => "StackView",
            "items" => "FrameworkItemView",
            "programs" => "ProgramLine",
            "changes" => "ProgramLogLine",
            "invitees" => "InviteeView",
            "coaches" => "CoachView",
            "contribution-links" => "ContributionLinkView",
            "co-earners" => "CoEarnerView",
            "shared-evidence" => "SharedEvidenceView",
            "coachings" => "CoachingLineView",
            "people" => "SkilledPersonView",
            "inventory-snapshots" => "SnapshotView",
            "credit-rules" => "CreditRuleView",
            "credit-grants" => "LedgerLineView",
            "templates" => "TemplateView",
            "proposals" => "ProposalView",
            "external-badges" if path.contains("/reports/") => "ShownBadgeView",
            "external-badges" => "ExternalBadgeView",
            "endorsements" => "EndorsementView",
            "recognitions" => "RecognitionView",
            "accepted-awards" => "AcceptedAwardView",
            "practice-attempts" => "PracticeAttemptView",
            other => panic!("say here what {other} lists"),
        };
        assert_eq!(item, expected, "{path}");
        n_lists += 1;
    }
    assert!(n_lists > 20, "{n_lists} lists");
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(reference)) => found.push(reference.clone()),
                    _ => collect_references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_server_takes_every_described_operation_and_publishes_the_description() {
    let app = TestApp::new();
    let anybody = app.anybody();
    assert_eq!(anybody.get("/api/v1/openapi.json").expect(200), document());
    for route in ROUTES {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let path: Vec<&str> = route
            .path
            .split('/')
            .map(|segment| match segment {
                "{n}" => "1",
                "{code}" => "stale",
                "{name}" => "assay.css",
                other if other.starts_with('{') => "00000000-0000-7000-8000-000000000000",
                other => other,
            })
            .collect();
        let answer = anybody.send(anybody.request(method, &path.join("/")));
        assert_ne!(answer.status, 405, "{}", route.operation);
        assert!(answer.status < 500, "{}: {answer:?}", route.operation);
    }
    // The figures are counted by the operation that the router found.
    let metrics = String::from_utf8(anybody.get("/metrics").bytes).unwrap();
    let metrics_itself = "read_metrics";
    for route in ROUTES.iter().filter(|route| route.operation != metrics_itself) {
        let label = format!("operation=\"{}\"", route.operation);
        assert!(metrics.contains(&label), "the router does not lead to {}", route.operation);
    }
    let nowhere = anybody.get("/api/v1/nowhere");
    assert_eq!((nowhere.status, nowhere.problem().as_str()), (404, "not-found"));
    let other = anybody.delete("/api/v1/me");
    assert_eq!((other.status, other.problem().as_str()), (405, "method-not-allowed"));
    assert_eq!(other.headers["allow"], "GET");
}

#[test]
fn every_problem_that_the_code_makes_is_a_known_kind() {
    let mut codes = BTreeSet::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for call in text.split("Problem::new(").skip(1) {
            let Some(rest) = call.trim_start().strip_prefix('"') else { continue };
            codes.insert(rest.split('"').next().unwrap().to_owned());
        }
    }
    assert!(codes.len() > 15, "the search finds too little: {codes:?}");
    for code in &codes {
        assert!(find_kind(code).is_some(), "{code} is not in KINDS");
    }
    let unique: BTreeSet<&str> = KINDS.iter().map(|kind| kind.code).collect();
    assert_eq!(unique.len(), KINDS.len(), "a kind stands in KINDS twice");
    for kind in KINDS {
        assert!((400..600).contains(&kind.status), "{}", kind.code);
        assert!(!kind.title.is_empty() && !kind.help.is_empty(), "{}", kind.code);
    }
}

#[test]
fn every_problem_kind_has_a_line_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api/problems.md");
    let text = std::fs::read_to_string(path).unwrap();
    for kind in KINDS {
        let begin = format!("| `{}` | {} |", kind.code, kind.status);
        assert!(text.lines().any(|line| line.starts_with(&begin)), "no line begins with {begin}");
    }
    let documented = text.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(documented, KINDS.len(), "a line stands for no kind");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
