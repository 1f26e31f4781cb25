//! From a JSON-LD document to the statements that a signature covers (JSON-LD 1.1 API, expansion and deserialization).
//!
//! One walk does both: a member either becomes a statement or is reported as unsigned, so the two can never
//! disagree. Contexts come from the bundle alone. Features that can move or hide a member (`@graph`, `@reverse`,
//! `@included`, keys that are IRIs, …) are reported too: a reader of the JSON would not see what is signed.

use std::collections::HashMap;
use std::sync::Arc;

use oxrdf::vocab::rdf;
use oxrdf::{BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, Quad, Term};
use serde_json::{Map, Value};

use super::active_context::{ActiveContext, Coercion, ContextError, Iri, TermDefinition};
use super::canonical::BUDGET;
use super::context_cache::{self, Context, Key, Memo};
use super::contexts;
use super::jcs;
use super::json::pointer;
use super::literal::literal;

/// Most contexts put into force in one document.
const MAX_CONTEXTS: usize = 1_024;
/// Most bytes of all statements together: a long id is repeated in each statement about its node.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Deepest nesting; the JSON limit is lower.
const MAX_DEPTH: usize = 64;
/// Most reports about one document.
const MAX_UNSIGNED: usize = 64;

/// Why a member is not covered by a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No context in force defines the term.
    UndefinedTerm,
    /// The type is not defined.
    UndefinedType,
    /// The key is an IRI or a prefixed name where a term is needed: readers would look for the term.
    NotATerm,
    /// The id is relative, so it names nothing.
    RelativeId,
    /// The value has no place in a statement.
    UnusableValue,
    /// The JSON-LD keyword is not supported.
    UnsupportedKeyword,
}

/// A member that a signature would not cover, or would cover under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// JSON pointer to the member.
    pub pointer: String,
    /// The key, type or value at fault.
    pub term: String,
    /// Why.
    pub reason: Reason,
}

/// The statements of a document, and what is missing among them.
#[derive(Clone, Debug, Default)]
pub struct Expansion {
    /// The statements.
    pub quads: Vec<Quad>,
    /// What they leave out. At most 64 entries.
    pub unsigned: Vec<Unsigned>,
}

/// Why a document has no statements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpansionError {
    /// The document is not a JSON object.
    #[error("the document is not a JSON object")]
    NotAnObject,
    /// The document names a context that is not part of the program.
    #[error("the context {url:?} is not known here")]
    UnknownContext {
        /// Its address.
        url: String,
    },
    /// The document brings its own context.
    #[error("the document defines its own terms at {pointer:?}")]
    InlineContext {
        /// JSON pointer to the context.
        pointer: String,
    },
    /// A context cannot be put into force where the document does so.
    #[error("a context cannot be used at {pointer:?}")]
    Context {
        /// JSON pointer to the object.
        pointer: String,
        /// Why.
        #[source]
        source: ContextError,
    },
    /// The document asks for too much work.
    #[error("the document asks for too much work")]
    OverBudget,
}

/// The statements of `document`.
pub fn expand(document: &Value) -> Result<Expansion, ExpansionError> {
    let Value::Object(object) = document else { return Err(ExpansionError::NotAnObject) };
    let mut walk = Walk::default();
    walk.object(context_cache::empty(), None, object, &GraphName::DefaultGraph)?;
    Ok(walk.expansion)
}

#[derive(Default)]
struct Walk {
    expansion: Expansion,
    path: Vec<String>,
    labels: HashMap<String, BlankNode>,
    n_blank: usize,
    n_contexts: usize,
    bytes: usize,
    memo: Memo,
}

impl Walk {
    fn pointer(&self) -> String {
        pointer(&self.path)
    }

    fn report(&mut self, term: &str, reason: Reason) {
        if self.expansion.unsigned.len() < MAX_UNSIGNED {
            let term = term.chars().take(120).collect();
            self.expansion.unsigned.push(Unsigned { pointer: self.pointer(), term, reason });
        }
    }

    fn report_at(&mut self, key: &str, term: &str, reason: Reason) {
        self.path.push(key.to_owned());
        self.report(term, reason);
        self.path.pop();
    }

    fn blank(&mut self) -> BlankNode {
        self.n_blank += 1;
        BlankNode::new_unchecked(format!("n{}", self.n_blank))
    }

    fn labelled(&mut self, label: &str) -> BlankNode {
        if let Some(node) = self.labels.get(label) {
            return node.clone();
        }
        let node = self.blank();
        self.labels.insert(label.to_owned(), node.clone());
        node
    }

    fn emit(
        &mut self,
        subject: &NamedOrBlankNode,
        predicate: &NamedNode,
        object: Term,
        graph: &GraphName,
    ) -> Result<(), ExpansionError> {
        let subject_bytes = match subject {
            NamedOrBlankNode::NamedNode(node) => node.as_str().len(),
            NamedOrBlankNode::BlankNode(node) => node.as_str().len(),
        };
        let object_bytes = match &object {
            Term::NamedNode(node) => node.as_str().len(),
            Term::BlankNode(node) => node.as_str().len(),
            Term::Literal(literal) => literal.value().len() + literal.datatype().as_str().len(),
        };
        self.bytes += subject_bytes + predicate.as_str().len() + object_bytes + 16;
        if self.bytes > MAX_BYTES || self.expansion.quads.len() >= BUDGET.quads {
            return Err(ExpansionError::OverBudget);
        }
        self.expansion.quads.push(Quad::new(
            subject.clone(),
            predicate.clone(),
            object,
            graph.clone(),
        ));
        Ok(())
    }

    fn process(
        &mut self,
        active: &Context,
        local: &'static Value,
        override_protected: bool,
        propagate: bool,
    ) -> Result<Context, ExpansionError> {
        let key = Key::new(active, local, override_protected, propagate);
        if let Some(result) = context_cache::find(&key).or_else(|| self.memo.find(&key)) {
            return Ok(Arc::clone(result));
        }
        self.n_contexts += 1;
        if self.n_contexts > MAX_CONTEXTS {
            return Err(ExpansionError::OverBudget);
        }
        let result = active
            .process(local, override_protected, propagate)
            .map_err(|source| ExpansionError::Context { pointer: self.pointer(), source })?;
        Ok(self.memo.insert(key, active, result))
    }

    /// The value of `@context` in a document: the address of a bundled context, or an array of them.
    fn local_context(
        &mut self,
        active: &Context,
        value: &Value,
    ) -> Result<Context, ExpansionError> {
        let inline = |walk: &Walk| {
            let mut path = walk.path.clone();
            path.push("@context".to_owned());
            ExpansionError::InlineContext { pointer: pointer(&path) }
        };
        let urls = match value {
            Value::Array(urls) => urls.as_slice(),
            Value::String(_) => std::slice::from_ref(value),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                return Err(inline(self));
            }
        };
        let mut active = Arc::clone(active);
        for url in urls {
            let Value::String(url) = url else { return Err(inline(self)) };
            let local = contexts::find(url).ok_or_else(|| ExpansionError::UnknownContext {
                url: url.chars().take(200).collect(),
            })?;
            active = self.process(&active, local, false, true)?;
        }
        Ok(active)
    }

    /// One value of a property, as a term. Arrays are taken apart before.
    fn item(
        &mut self,
        active: &Context,
        definition: &TermDefinition,
        value: &Value,
        graph: &GraphName,
    ) -> Result<Option<Term>, ExpansionError> {
        match value {
            Value::Null => Ok(None),
            Value::Object(object) => self.object(active, Some(definition), object, graph),
            Value::Array(_) => {
                self.report("[]", Reason::UnusableValue);
                Ok(None)
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                let active = match definition.scoped {
                    Some(scoped) => self.process(active, scoped, true, true)?,
                    None => Arc::clone(active),
                };
                Ok(self.scalar(&active, &definition.coercion, value))
            }
        }
    }

    fn scalar(
        &mut self,
        active: &ActiveContext,
        coercion: &Coercion,
        value: &Value,
    ) -> Option<Term> {
        let datatype = match (coercion, value) {
            (Coercion::Id, Value::String(id)) => {
                return self.node_id(active, id, false).map(Term::from);
            }
            (Coercion::Vocab, Value::String(id)) => {
                return self.node_id(active, id, true).map(Term::from);
            }
            (Coercion::Datatype(datatype), _) => Some(NamedNode::new_unchecked(datatype.clone())),
            (Coercion::None | Coercion::Id | Coercion::Vocab | Coercion::Json, _) => None,
        };
        literal(value, datatype).map(Term::from)
    }

    /// The node that a string names, reported when it names none.
    fn node_id(
        &mut self,
        active: &ActiveContext,
        id: &str,
        vocab: bool,
    ) -> Option<NamedOrBlankNode> {
        match active.expand(id, vocab) {
            Iri::Absolute(iri) => {
                if let Ok(node) = NamedNode::new(iri) {
                    return Some(node.into());
                }
            }
            Iri::Blank(label) => return Some(self.labelled(&label).into()),
            Iri::Nothing | Iri::Keyword(_) | Iri::Relative => {}
        }
        self.report(id, Reason::RelativeId);
        None
    }

    /// An object: a node with its properties, or a value object.
    fn object(
        &mut self,
        outer: &Context,
        definition: Option<&TermDefinition>,
        object: &Map<String, Value>,
        graph: &GraphName,
    ) -> Result<Option<Term>, ExpansionError> {
        if self.path.len() > MAX_DEPTH {
            return Err(ExpansionError::OverBudget);
        }
        let mut active = Arc::clone(outer);
        if let Some(previous) = &outer.previous {
            let is_value = object.keys().any(|key| is_keyword(outer, key, "@value"));
            let is_reference =
                object.len() == 1 && object.keys().all(|key| is_keyword(outer, key, "@id"));
            if !is_value && !is_reference {
                active = Arc::clone(previous);
            }
        }
        if let Some(scoped) = definition.and_then(|definition| definition.scoped) {
            active = self.process(&active, scoped, true, true)?;
        }
        if let Some(local) = object.get("@context") {
            active = self.local_context(&active, local)?;
        }
        let types_from = Arc::clone(&active);
        let mut types: Vec<(&str, usize, &str)> = Vec::new();
        for (key, value) in object {
            if is_keyword(&types_from, key, "@type") {
                let values = match value {
                    Value::Array(values) => values.as_slice(),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Object(_) => std::slice::from_ref(value),
                };
                let mut names = Vec::new();
                for (index, value) in values.iter().enumerate() {
                    match value.as_str() {
                        Some(name) => names.push((key.as_str(), index, name)),
                        None => self.report_at(key, "type", Reason::UnusableValue),
                    }
                }
                names.sort_unstable_by_key(|&(_, _, name)| name);
                types.extend(names);
            }
        }
        for (_, _, name) in &types {
            if let Some(scoped) = types_from.term(name).and_then(|definition| definition.scoped) {
                active = self.process(&active, scoped, false, false)?;
            }
        }
        if object.keys().any(|key| is_keyword(&active, key, "@value")) {
            return Ok(self.value_object(&active, &types, object));
        }
        self.node(&active, &types_from, &types, object, graph)
    }

    fn node(
        &mut self,
        active: &Context,
        types_from: &Context,
        types: &[(&str, usize, &str)],
        object: &Map<String, Value>,
        graph: &GraphName,
    ) -> Result<Option<Term>, ExpansionError> {
        let mut subject = None;
        let mut has_id = false;
        for (key, value) in object {
            if !is_keyword(active, key, "@id") {
                continue;
            }
            if key == "@id" || has_id {
                self.report_at(key, key, Reason::NotATerm);
            }
            has_id = true;
            self.path.push(key.clone());
            match value {
                Value::String(id) => subject = self.node_id(active, id, false),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => {
                    self.report("id", Reason::UnusableValue);
                }
            }
            self.path.pop();
        }
        if !has_id {
            subject = Some(self.blank().into());
        }
        for &(key, index, name) in types {
            self.path.push(key.to_owned());
            self.path.push(index.to_string());
            let class = match types_from.expand(name, true) {
                Iri::Absolute(iri) => NamedNode::new(iri).ok().map(Term::from),
                Iri::Blank(label) => Some(self.labelled(&label).into()),
                Iri::Nothing | Iri::Keyword(_) | Iri::Relative => None,
            };
            match (class, &subject) {
                (Some(class), Some(subject)) => {
                    self.emit(subject, &rdf::TYPE.into_owned(), class, graph)?
                }
                (Some(_), None) => {}
                (None, _) => self.report(name, Reason::UndefinedType),
            }
            self.path.pop();
            self.path.pop();
        }
        for (key, value) in object {
            if key != "@context" {
                self.path.push(key.clone());
                self.member(active, subject.as_ref(), key, value, graph)?;
                self.path.pop();
            }
        }
        Ok(subject.map(Term::from))
    }

    fn member(
        &mut self,
        active: &Context,
        subject: Option<&NamedOrBlankNode>,
        key: &str,
        value: &Value,
        graph: &GraphName,
    ) -> Result<(), ExpansionError> {
        let iri = match active.expand(key, true) {
            Iri::Keyword(keyword) if keyword == "@id" => return Ok(()),
            Iri::Keyword(keyword) if keyword == "@type" => {
                if key == "@type" {
                    self.report(key, Reason::NotATerm);
                }
                return Ok(());
            }
            Iri::Keyword(_) => {
                self.report(key, Reason::UnsupportedKeyword);
                return Ok(());
            }
            Iri::Nothing | Iri::Blank(_) | Iri::Relative => {
                self.report(key, Reason::UndefinedTerm);
                return Ok(());
            }
            Iri::Absolute(iri) => iri,
        };
        let Ok(predicate) = NamedNode::new(iri.as_str()) else {
            self.report(key, Reason::UndefinedTerm);
            return Ok(());
        };
        let definition = match active.term(key) {
            Some(definition) => Arc::clone(definition),
            None => {
                // A word of a vocabulary is a term; a whole IRI hides the member from readers.
                if key.contains(':') {
                    self.report(key, Reason::NotATerm);
                }
                Arc::new(TermDefinition::plain(iri))
            }
        };
        if definition.coercion == Coercion::Json {
            // The whole value is one literal, arrays and null included (JSON-LD 1.1 API, section 8.2.2).
            let literal = Literal::new_typed_literal(jcs::canonicalize(value), rdf_json());
            if let Some(subject) = subject {
                self.emit(subject, &predicate, literal.into(), graph)?;
            }
            return Ok(());
        }
        if definition.list {
            let list = self.list(active, &definition, value, graph)?;
            if let (Some(subject), Some(list)) = (subject, list) {
                self.emit(subject, &predicate, list, graph)?;
            }
            return Ok(());
        }
        self.values(active, &definition, value, subject, &predicate, graph, 0)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the place of a value in a statement has that many parts"
    )]
    fn values(
        &mut self,
        active: &Context,
        definition: &TermDefinition,
        value: &Value,
        subject: Option<&NamedOrBlankNode>,
        predicate: &NamedNode,
        graph: &GraphName,
        depth: usize,
    ) -> Result<(), ExpansionError> {
        if let Value::Array(values) = value {
            if depth > MAX_DEPTH {
                return Err(ExpansionError::OverBudget);
            }
            for (index, value) in values.iter().enumerate() {
                self.path.push(index.to_string());
                self.values(active, definition, value, subject, predicate, graph, depth + 1)?;
                self.path.pop();
            }
            return Ok(());
        }
        let term = if definition.graph && !value.is_null() {
            let name = self.blank();
            self.item(active, definition, value, &GraphName::BlankNode(name.clone()))?;
            if !(value.is_object() || value.is_string() && definition.coercion == Coercion::Id) {
                self.report("@graph", Reason::UnusableValue);
            }
            Some(Term::BlankNode(name))
        } else {
            self.item(active, definition, value, graph)?
        };
        if let (Some(subject), Some(term)) = (subject, term) {
            self.emit(subject, predicate, term, graph)?;
        }
        Ok(())
    }

    fn list(
        &mut self,
        active: &Context,
        definition: &TermDefinition,
        value: &Value,
        graph: &GraphName,
    ) -> Result<Option<Term>, ExpansionError> {
        let values = match value {
            Value::Null => return Ok(None),
            Value::Array(values) => values.as_slice(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                std::slice::from_ref(value)
            }
        };
        let mut items = Vec::new();
        for (index, value) in values.iter().enumerate() {
            self.path.push(index.to_string());
            items.extend(self.item(active, definition, value, graph)?);
            self.path.pop();
        }
        let mut rest: Term = rdf::NIL.into_owned().into();
        for item in items.into_iter().rev() {
            let node = self.blank();
            let subject = NamedOrBlankNode::BlankNode(node.clone());
            self.emit(&subject, &rdf::FIRST.into_owned(), item, graph)?;
            self.emit(&subject, &rdf::REST.into_owned(), rest, graph)?;
            rest = node.into();
        }
        Ok(Some(rest))
    }

    fn value_object(
        &mut self,
        active: &ActiveContext,
        types: &[(&str, usize, &str)],
        object: &Map<String, Value>,
    ) -> Option<Term> {
        let mut value = None;
        let mut language = None;
        for (key, member) in object {
            if is_keyword(active, key, "@value") {
                value = Some(member);
            } else if is_keyword(active, key, "@language") {
                language = member.as_str().filter(|tag| is_language_tag(tag));
                if language.is_none() {
                    self.report_at(key, key, Reason::UnusableValue);
                }
            } else if !is_keyword(active, key, "@type") {
                self.report_at(key, key, Reason::UnsupportedKeyword);
            }
        }
        let datatype = match types {
            [] => None,
            [(_, _, name)] => match active.expand(name, true) {
                Iri::Absolute(iri) => NamedNode::new(iri).ok(),
                Iri::Nothing | Iri::Keyword(_) | Iri::Blank(_) | Iri::Relative => None,
            },
            _ => None,
        };
        if !types.is_empty() && (datatype.is_none() || language.is_some()) {
            self.report("type", Reason::UndefinedType);
            return None;
        }
        let term = match (value, language) {
            (Some(Value::String(text)), Some(tag)) => {
                Some(Literal::new_language_tagged_literal_unchecked(text, tag))
            }
            (Some(_) | None, Some(_)) => None,
            (Some(value), None) => literal(value, datatype),
            (None, None) => None,
        };
        if term.is_none() {
            self.report("@value", Reason::UnusableValue);
        }
        term.map(Term::from)
    }
}

fn rdf_json() -> NamedNode {
    NamedNode::new_unchecked("http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON")
}

fn is_keyword(active: &ActiveContext, key: &str, keyword: &str) -> bool {
    key == keyword
        || active.term(key).is_some_and(|term| term.mapping == Iri::Keyword(keyword.to_owned()))
}

fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_part = |part: &str, digits: bool| {
        (1..=8).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || (digits && byte.is_ascii_digit()))
    };
    parts.next().is_some_and(|part| is_part(part, false)) && parts.all(|part| is_part(part, true))
}
