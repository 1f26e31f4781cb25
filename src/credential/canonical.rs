//! RDF Dataset Canonicalization (RDFC-1.0) with a budget.
//!
//! The algorithm gives blank nodes names that depend on nothing but the graph. On graphs made for the purpose it
//! takes for ever, so every step is counted and the same graph always costs the same: over the budget is an error,
//! never a hang. <https://www.w3.org/TR/rdf-canon/>

use std::collections::{BTreeMap, HashMap};

use oxrdf::{BlankNode, GraphName, NamedOrBlankNode, Quad, Term};
use sha2::{Digest, Sha256};

/// How much work one graph may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Most quads.
    pub quads: usize,
    /// Most blank nodes.
    pub blank_nodes: usize,
    /// Most steps of the part that compares blank nodes which look alike.
    pub steps: usize,
    /// Deepest chain of blank nodes which look alike.
    pub depth: usize,
}

/// The budget of every graph, ours and others'. A large badge needs a hundredth of it.
pub const BUDGET: Budget = Budget { quads: 8_192, blank_nodes: 1_024, steps: 20_000, depth: 64 };

/// Why a graph has no canonical form here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// Too many statements.
    #[error("the graph has more than {limit} statements")]
    TooManyQuads {
        /// The limit.
        limit: usize,
    },
    /// Too many blank nodes.
    #[error("the graph has more than {limit} nodes without an id")]
    TooManyBlankNodes {
        /// The limit.
        limit: usize,
    },
    /// Too much work to tell blank nodes apart.
    #[error("telling the graph's nodes without an id apart takes too much work")]
    OverBudget,
}

/// The canonical N-Quads of a graph: sorted lines, each with its line end.
///
/// Statements that occur twice count once, as in any RDF dataset.
pub fn canonicalize(quads: &[Quad], budget: &Budget) -> Result<String, CanonicalError> {
    if quads.len() > budget.quads {
        return Err(CanonicalError::TooManyQuads { limit: budget.quads });
    }
    let mut graph = Graph::new(quads, budget)?;
    graph.name_blank_nodes()?;
    let mut lines: Vec<String> =
        graph.quads.iter().map(|quad| line(quad, |node| graph.canonical_name(node))).collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines.concat())
}

/// SHA-256 of canonical N-Quads.
#[must_use]
pub fn hash(canonical: &str) -> [u8; 32] {
    Sha256::digest(canonical.as_bytes()).into()
}

/// Names given in order, with one prefix.
#[derive(Clone, Debug)]
struct Issuer {
    prefix: &'static str,
    names: HashMap<usize, usize>,
    order: Vec<usize>,
}

impl Issuer {
    fn new(prefix: &'static str) -> Issuer {
        Issuer { prefix, names: HashMap::new(), order: Vec::new() }
    }

    fn issue(&mut self, node: usize) -> String {
        let next = self.order.len();
        let number = *self.names.entry(node).or_insert(next);
        if number == next {
            self.order.push(node);
        }
        format!("{}{number}", self.prefix)
    }

    fn find(&self, node: usize) -> Option<String> {
        self.names.get(&node).map(|number| format!("{}{number}", self.prefix))
    }
}

/// Where in a statement a related blank node stands (RDFC-1.0, section 4.7).
#[derive(Clone, Copy)]
enum Position {
    Subject,
    Object,
    Graph,
}

struct Graph<'a> {
    quads: Vec<&'a Quad>,
    nodes: HashMap<&'a str, usize>,
    mentions: Vec<Vec<usize>>,
    first_degree: Vec<String>,
    canonical: Issuer,
    budget: Budget,
    steps: usize,
}

impl<'a> Graph<'a> {
    fn new(quads: &'a [Quad], budget: &Budget) -> Result<Graph<'a>, CanonicalError> {
        let mut distinct: Vec<&Quad> = Vec::with_capacity(quads.len());
        let mut seen = std::collections::HashSet::with_capacity(quads.len());
        for quad in quads {
            if seen.insert(quad) {
                distinct.push(quad);
            }
        }
        let mut graph = Graph {
            quads: distinct,
            nodes: HashMap::new(),
            mentions: Vec::new(),
            first_degree: Vec::new(),
            canonical: Issuer::new("c14n"),
            budget: *budget,
            steps: 0,
        };
        for (index, quad) in graph.quads.iter().enumerate() {
            for (_, node) in blank_nodes(quad) {
                let next = graph.nodes.len();
                let number = *graph.nodes.entry(node.as_str()).or_insert(next);
                if number == next {
                    if next >= budget.blank_nodes {
                        return Err(CanonicalError::TooManyBlankNodes {
                            limit: budget.blank_nodes,
                        });
                    }
                    graph.mentions.push(Vec::new());
                }
                let mentions = &mut graph.mentions[number];
                if mentions.last() != Some(&index) {
                    mentions.push(index);
                }
            }
        }
        graph.first_degree =
            (0..graph.mentions.len()).map(|node| graph.hash_first_degree(node)).collect();
        Ok(graph)
    }

    fn number(&self, node: &BlankNode) -> Option<usize> {
        self.nodes.get(node.as_str()).copied()
    }

    fn canonical_name(&self, node: &BlankNode) -> String {
        self.number(node).and_then(|number| self.canonical.find(number)).unwrap_or_default()
    }

    fn charge(&mut self, steps: usize) -> Result<(), CanonicalError> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.budget.steps { Err(CanonicalError::OverBudget) } else { Ok(()) }
    }

    /// RDFC-1.0, section 4.4.3, steps 3 to 5.
    fn name_blank_nodes(&mut self) -> Result<(), CanonicalError> {
        let mut by_hash: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (node, hash) in self.first_degree.iter().enumerate() {
            by_hash.entry(hash.clone()).or_default().push(node);
        }
        for nodes in by_hash.values() {
            if let [node] = nodes.as_slice() {
                self.canonical.issue(*node);
            }
        }
        for nodes in by_hash.values().filter(|nodes| nodes.len() > 1) {
            let mut results = Vec::new();
            for &node in nodes {
                if self.canonical.find(node).is_some() {
                    continue;
                }
                let mut issuer = Issuer::new("b");
                issuer.issue(node);
                results.push(self.hash_n_degree(node, issuer, 0)?);
            }
            results.sort_by(|(left, _), (right, _)| left.cmp(right));
            for (_, issuer) in results {
                for node in issuer.order {
                    self.canonical.issue(node);
                }
            }
        }
        Ok(())
    }

    /// RDFC-1.0, section 4.6.
    fn hash_first_degree(&self, node: usize) -> String {
        let mut lines: Vec<String> = self.mentions[node]
            .iter()
            .map(|&index| {
                line(self.quads[index], |other| {
                    if self.number(other) == Some(node) { "a" } else { "z" }.to_owned()
                })
            })
            .collect();
        lines.sort_unstable();
        sha256_hex(&lines.concat())
    }

    /// RDFC-1.0, section 4.7.
    fn hash_related(
        &self,
        related: usize,
        quad: &Quad,
        issuer: &Issuer,
        position: Position,
    ) -> String {
        let mut input = String::new();
        match position {
            Position::Subject => input.push('s'),
            Position::Object => input.push('o'),
            Position::Graph => input.push('g'),
        }
        match position {
            Position::Subject | Position::Object => {
                input.push('<');
                input.push_str(quad.predicate.as_str());
                input.push('>');
            }
            Position::Graph => {}
        }
        match self.canonical.find(related).or_else(|| issuer.find(related)) {
            Some(name) => {
                input.push_str("_:");
                input.push_str(&name);
            }
            None => input.push_str(&self.first_degree[related]),
        }
        sha256_hex(&input)
    }

    /// RDFC-1.0, section 4.8.
    fn hash_n_degree(
        &mut self,
        node: usize,
        issuer: Issuer,
        depth: usize,
    ) -> Result<(String, Issuer), CanonicalError> {
        if depth >= self.budget.depth {
            return Err(CanonicalError::OverBudget);
        }
        let mut issuer = issuer;
        let mut related: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for index in self.mentions[node].clone() {
            self.charge(1)?;
            let quad = self.quads[index];
            for (position, other) in blank_nodes(quad) {
                let Some(other) = self.number(other) else { continue };
                if other != node {
                    self.charge(2)?;
                    let hash = self.hash_related(other, quad, &issuer, position);
                    related.entry(hash).or_default().push(other);
                }
            }
        }
        let mut data = String::new();
        for (hash, mut nodes) in related {
            data.push_str(&hash);
            let mut chosen: Option<(String, Issuer)> = None;
            nodes.sort_unstable();
            loop {
                self.charge(1 + issuer.order.len() / 8 + nodes.len())?;
                if let Some(candidate) =
                    self.walk(&nodes, issuer.clone(), chosen.as_ref().map(|(path, _)| path), depth)?
                    && chosen.as_ref().is_none_or(|(path, _)| candidate.0 < *path)
                {
                    chosen = Some(candidate);
                }
                if !next_permutation(&mut nodes) {
                    break;
                }
            }
            if let Some((path, best)) = chosen {
                data.push_str(&path);
                issuer = best;
            }
        }
        Ok((sha256_hex(&data), issuer))
    }

    /// One permutation of section 4.8, step 5.4: its path and issuer, or `None` once it cannot win.
    fn walk(
        &mut self,
        nodes: &[usize],
        mut issuer: Issuer,
        best: Option<&String>,
        depth: usize,
    ) -> Result<Option<(String, Issuer)>, CanonicalError> {
        let loses =
            |path: &String| best.is_some_and(|best| path.len() >= best.len() && path > best);
        let mut path = String::new();
        let mut unnamed = Vec::new();
        for &node in nodes {
            path.push_str("_:");
            match self.canonical.find(node) {
                Some(name) => path.push_str(&name),
                None => {
                    if issuer.find(node).is_none() {
                        unnamed.push(node);
                    }
                    path.push_str(&issuer.issue(node));
                }
            }
            if loses(&path) {
                return Ok(None);
            }
        }
        for node in unnamed {
            let (hash, next) = self.hash_n_degree(node, issuer.clone(), depth + 1)?;
            path.push_str("_:");
            path.push_str(&issuer.issue(node));
            path.push('<');
            path.push_str(&hash);
            path.push('>');
            issuer = next;
            if loses(&path) {
                return Ok(None);
            }
        }
        Ok(Some((path, issuer)))
    }
}

fn blank_nodes(quad: &Quad) -> impl Iterator<Item = (Position, &BlankNode)> {
    let subject = match &quad.subject {
        NamedOrBlankNode::BlankNode(node) => Some((Position::Subject, node)),
        NamedOrBlankNode::NamedNode(_) => None,
    };
    let object = match &quad.object {
        Term::BlankNode(node) => Some((Position::Object, node)),
        Term::NamedNode(_) | Term::Literal(_) => None,
    };
    let graph = match &quad.graph_name {
        GraphName::BlankNode(node) => Some((Position::Graph, node)),
        GraphName::NamedNode(_) | GraphName::DefaultGraph => None,
    };
    [subject, object, graph].into_iter().flatten()
}

/// One statement as a line of canonical N-Quads, blank nodes renamed.
fn line(quad: &Quad, name: impl Fn(&BlankNode) -> String) -> String {
    use std::fmt::Write as _;
    let mut line = String::new();
    // Writing to a string cannot fail.
    let _ = match &quad.subject {
        NamedOrBlankNode::BlankNode(node) => write!(line, "_:{}", name(node)),
        NamedOrBlankNode::NamedNode(node) => write!(line, "{node}"),
    };
    let _ = write!(line, " {} ", quad.predicate);
    let _ = match &quad.object {
        Term::BlankNode(node) => write!(line, "_:{}", name(node)),
        Term::NamedNode(node) => write!(line, "{node}"),
        Term::Literal(literal) => write!(line, "{literal}"),
    };
    let _ = match &quad.graph_name {
        GraphName::BlankNode(node) => write!(line, " _:{}", name(node)),
        GraphName::NamedNode(node) => write!(line, " {node}"),
        GraphName::DefaultGraph => Ok(()),
    };
    line.push_str(" .\n");
    line
}

fn sha256_hex(input: &str) -> String {
    super::hex(&Sha256::digest(input.as_bytes()))
}

/// Steps to the next permutation in lexicographic order; `false` after the last.
fn next_permutation(items: &mut [usize]) -> bool {
    let Some(pivot) = items.windows(2).rposition(|pair| pair[0] < pair[1]) else { return false };
    let Some(successor) = items.iter().rposition(|item| *item > items[pivot]) else { return false };
    items.swap(pivot, successor);
    items[pivot + 1..].reverse();
    true
}
