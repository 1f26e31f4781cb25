//! Canonical form: the same graph, the same text, in bounded time.

use std::time::{Duration, Instant};

use assay::credential::canonical::{BUDGET, Budget, CanonicalError, canonicalize};
use assay::credential::expansion::{ExpansionError, Reason, expand};
use assay::credential::json::{self, JsonError, LIMITS, Limits};
use assay::credential::proof;
use oxrdf::dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm};
use oxrdf::{BlankNode, Dataset, GraphName, Literal, NamedNode, Quad, Term};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The canonical form by another library, which has no budget.
fn by_other_library(quads: &[Quad]) -> String {
    let mut dataset = Dataset::new();
    for quad in quads {
        dataset.insert(quad);
    }
    dataset.canonicalize(CanonicalizationAlgorithm::Rdfc10 {
        hash_algorithm: CanonicalizationHashAlgorithm::Sha256,
    });
    let mut lines: Vec<String> = dataset.iter().map(|quad| format!("{quad} .\n")).collect();
    lines.sort_unstable();
    lines.concat()
}

fn edge(from: usize, predicate: usize, to: usize, graph: usize, prefix: &str) -> Quad {
    let predicate = NamedNode::new(format!("https://vocabulary.example/{predicate}")).unwrap();
    let node = |number: usize| BlankNode::new(format!("{prefix}{number}")).unwrap();
    let object: Term = match to {
        0..6 => node(to).into(),
        6 => Literal::new_simple_literal("a \"text\"\n").into(),
        _ => NamedNode::new("https://thing.example/").unwrap().into(),
    };
    // No blank nodes as graph names: RDFC-1.0 hashes them apart from the rest of their statement, so nodes that
    // differ by them alone can tie, and a tie is settled by input order in every implementation.
    let graph = if graph < 6 {
        NamedNode::new(format!("https://graph.example/{graph}")).unwrap().into()
    } else {
        GraphName::DefaultGraph
    };
    Quad::new(node(from), predicate, object, graph)
}

type Edges = Vec<(usize, usize, usize, usize)>;

fn edges() -> impl Strategy<Value = Edges> {
    prop::collection::vec((0..6_usize, 0..2_usize, 0..8_usize, 0..24_usize), 1..9)
}

fn graph(edges: &Edges, prefix: &str) -> Vec<Quad> {
    edges
        .iter()
        .map(|&(from, predicate, to, graph)| edge(from, predicate, to, graph, prefix))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonical_form_is_that_of_another_library(edges in edges()) {
        let quads = graph(&edges, "x");
        if let Ok(ours) = canonicalize(&quads, &BUDGET) {
            prop_assert_eq!(ours, by_other_library(&quads));
        }
    }

    #[test]
    fn labels_and_order_do_not_matter(edges in edges()) {
        let mut other = graph(&edges, "other");
        other.reverse();
        prop_assert_eq!(canonicalize(&graph(&edges, "x"), &BUDGET), canonicalize(&other, &BUDGET));
    }
}

fn blank_edge(from: usize, to: usize) -> Quad {
    Quad::new(
        BlankNode::new(format!("n{from}")).unwrap(),
        NamedNode::new("https://vocabulary.example/next").unwrap(),
        BlankNode::new(format!("n{to}")).unwrap(),
        GraphName::DefaultGraph,
    )
}

fn clique(n: usize) -> Vec<Quad> {
    let pairs = (0..n).flat_map(|from| (0..n).map(move |to| (from, to)));
    pairs.filter(|(from, to)| from != to).map(|(from, to)| blank_edge(from, to)).collect()
}

fn ring(n: usize) -> Vec<Quad> {
    (0..n).map(|node| blank_edge(node, (node + 1) % n)).collect()
}

fn doubled_star(n: usize) -> Vec<Quad> {
    let rays = (0..n).flat_map(|ray| [blank_edge(1_000, ray), blank_edge(1_001, ray)]);
    rays.chain([blank_edge(1_000, 1_001), blank_edge(1_001, 1_000)]).collect()
}

fn grid(n: usize) -> Vec<Quad> {
    let cells = (0..n).flat_map(|row| (0..n).map(move |column| (row, column)));
    cells
        .flat_map(|(row, column)| {
            let here = row * n + column;
            [
                blank_edge(here, row * n + (column + 1) % n),
                blank_edge(here, ((row + 1) % n) * n + column),
            ]
        })
        .collect()
}

#[test]
fn poison_graphs_end_within_a_second() {
    let mut graphs: Vec<(String, Vec<Quad>)> = Vec::new();
    graphs.extend((7..=12).map(|n| (format!("clique of {n}"), clique(n))));
    graphs.push(("clique of 60".to_owned(), clique(60)));
    graphs.extend([8, 60, 100, 1_000].map(|n| (format!("ring of {n}"), ring(n))));
    graphs.extend([4, 8, 12, 500].map(|n| (format!("doubled star of {n}"), doubled_star(n))));
    graphs.extend([4, 6, 20].map(|n| (format!("grid of {n}"), grid(n))));
    for (name, quads) in graphs {
        let start = Instant::now();
        let result = canonicalize(&quads, &BUDGET);
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_secs(1), "{name}: {elapsed:?} {:?}", result.is_ok());
    }
}

#[test]
fn a_clique_of_ten_is_refused() {
    assert_eq!(canonicalize(&clique(10), &BUDGET), Err(CanonicalError::OverBudget));
    assert_eq!(canonicalize(&doubled_star(12), &BUDGET), Err(CanonicalError::OverBudget));
}

#[test]
fn budgets_hold_at_the_limit_and_refuse_one_above() {
    let chain = |n: usize| -> Vec<Quad> { (0..n).map(|node| blank_edge(node, node + 1)).collect() };
    let tight = Budget { quads: 5, blank_nodes: 6, ..BUDGET };
    assert!(canonicalize(&chain(5), &tight).is_ok());
    assert_eq!(canonicalize(&chain(6), &tight), Err(CanonicalError::TooManyQuads { limit: 5 }));
    let tight = Budget { quads: 9, blank_nodes: 6, ..BUDGET };
    assert_eq!(
        canonicalize(&chain(6), &tight),
        Err(CanonicalError::TooManyBlankNodes { limit: 6 })
    );
}

#[test]
fn the_same_graph_always_costs_the_same() {
    let needed = (1..400)
        .find(|&steps| canonicalize(&ring(4), &Budget { steps, ..BUDGET }).is_ok())
        .unwrap();
    for _ in 0..8 {
        assert!(canonicalize(&ring(4), &Budget { steps: needed, ..BUDGET }).is_ok());
        assert!(canonicalize(&ring(4), &Budget { steps: needed - 1, ..BUDGET }).is_err());
    }
}

#[test]
fn json_limits_hold_at_the_limit_and_refuse_one_above() {
    let limits = Limits { bytes: 64, depth: 3, nodes: 8 };
    let parse = |text: &str| json::parse(text.as_bytes(), &limits);
    assert!(parse(&format!("\"{}\"", "x".repeat(62))).is_ok());
    assert_eq!(parse(&format!("\"{}\"", "x".repeat(63))), Err(JsonError::TooLarge { limit: 64 }));
    assert!(parse("[[[1]]]").is_ok());
    assert_eq!(parse("[[[[]]]]"), Err(JsonError::TooDeep { limit: 3 }));
    assert!(parse("[1,2,3,4,5,6,7]").is_ok());
    assert_eq!(parse("[1,2,3,4,5,6,7,8]"), Err(JsonError::TooManyNodes { limit: 8 }));
}

#[test]
fn repeated_keys_are_refused_at_every_depth() {
    for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
        let error = json::parse(text.as_bytes(), &LIMITS);
        assert_eq!(error, Err(JsonError::DuplicateKey { key: "a".to_owned() }));
    }
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let text = format!("{}1{}", "[".repeat(120_000), "]".repeat(120_000));
    assert!(json::parse(text.as_bytes(), &LIMITS).is_err());
    let text = format!("{}1{}", "{\"a\":".repeat(40_000), "}".repeat(40_000));
    assert!(json::parse(text.as_bytes(), &LIMITS).is_err());
}

const CONTEXTS: [&str; 2] = assay_contexts();

const fn assay_contexts() -> [&'static str; 2] {
    use assay::credential::contexts::{CREDENTIALS_V2, OPEN_BADGES};
    [CREDENTIALS_V2, OPEN_BADGES]
}

/// What is reported about members of an `AchievementSubject`, and where.
#[track_caller]
fn reports(members: Value, expected: &[(&str, Reason)]) {
    let mut document = json!({
        "@context": CONTEXTS,
        "id": "urn:uuid:6f2e33e5-7a29-4155-840a-59483ba10164",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "credentialSubject": {"type": ["AchievementSubject"]},
    });
    let subject = document["credentialSubject"].as_object_mut().unwrap();
    subject.extend(members.as_object().unwrap().clone());
    let expansion = expand(&document).unwrap();
    let found: Vec<(&str, Reason)> = expansion
        .unsigned
        .iter()
        .map(|unsigned| {
            (unsigned.pointer.strip_prefix("/credentialSubject").unwrap(), unsigned.reason)
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn terms_are_looked_up_where_they_are_in_force() {
    reports(json!({"role": "Teacher"}), &[]);
    reports(json!({"colour": "red"}), &[("/colour", Reason::UndefinedTerm)]);
    // `tag` is a term of Achievement, not of its subject.
    reports(json!({"tag": ["x"]}), &[("/tag", Reason::UndefinedTerm)]);
    reports(json!({"achievement": {"type": ["Achievement"], "tag": ["x"]}}), &[]);
    // The terms of a type end where the next object begins.
    reports(
        json!({"achievement": {"type": ["Achievement"], "criteria": {"tag": ["x"]}}}),
        &[("/achievement/criteria/tag", Reason::UndefinedTerm)],
    );
    reports(
        json!({"achievement": {"type": ["Achievment"], "name": "x"}}),
        &[("/achievement/type/0", Reason::UndefinedType)],
    );
    reports(
        json!({"result": [{"type": ["Result"], "a/b~c": 1}]}),
        &[("/result/0/a~1b~0c", Reason::UndefinedTerm)],
    );
}

#[test]
fn members_that_readers_would_not_find_are_reported() {
    reports(
        json!({"https://schema.org/name": "x"}),
        &[("/https:~1~1schema.org~1name", Reason::NotATerm)],
    );
    reports(json!({"@id": "urn:x:y"}), &[("/@id", Reason::NotATerm)]);
    reports(json!({"@graph": []}), &[("/@graph", Reason::UnsupportedKeyword)]);
    reports(json!({"@reverse": {}}), &[("/@reverse", Reason::UnsupportedKeyword)]);
    reports(json!({"@included": []}), &[("/@included", Reason::UnsupportedKeyword)]);
    reports(json!({"id": "relative"}), &[("/id", Reason::RelativeId)]);
    reports(json!({"source": "relative"}), &[("/source", Reason::RelativeId)]);
}

#[test]
fn contexts_come_from_the_bundle_alone() {
    let unknown =
        json!({"@context": ["https://www.w3.org/ns/credentials/v2", "https://elsewhere.example/"]});
    assert!(matches!(expand(&unknown), Err(ExpansionError::UnknownContext { .. })));
    let inline = json!({"@context": [{"name": "https://schema.org/name"}], "name": "x"});
    assert!(matches!(expand(&inline), Err(ExpansionError::InlineContext { .. })));
    let nested = json!({"@context": CONTEXTS, "issuer": {"@context": null}, "type": ["VerifiableCredential"]});
    assert!(matches!(expand(&nested), Err(ExpansionError::InlineContext { .. })));
}

#[test]
fn hostile_documents_end_within_a_second() {
    let types: Vec<&str> =
        ["Profile", "Achievement", "Result", "Evidence", "Alignment"].repeat(3_000);
    let many_types = json!({"@context": CONTEXTS, "type": types});
    let urls: Vec<&str> = CONTEXTS.repeat(5_000);
    let many_contexts = json!({"@context": urls});
    let objects: Vec<Value> =
        (0..4_000).map(|_| json!({"type": ["Profile"], "name": "x"})).collect();
    let many_objects =
        json!({"@context": CONTEXTS, "type": ["VerifiableCredential"], "evidence": objects});
    let long = format!("https://long.example/{}", "x".repeat(100_000));
    let names: Vec<String> = (0..4_000).map(|n| n.to_string()).collect();
    let long_id = json!({"@context": CONTEXTS, "id": long, "name": names});
    let mut changing = json!({"name": "x"});
    for depth in 0..28 {
        let url = assay::credential::contexts::BUNDLE[depth % 2].url;
        changing = json!({"@context": [url], "type": ["Profile"], "image": changing});
    }
    for (name, document) in [
        ("types", many_types),
        ("contexts", many_contexts),
        ("objects", many_objects),
        ("long id", long_id),
        ("changing contexts", changing),
    ] {
        let start = Instant::now();
        let result = proof::canonicalize(&document);
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_secs(1), "{name}: {elapsed:?} {}", result.is_ok());
    }
}
