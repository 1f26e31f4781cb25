//! Processing of bundled contexts (JSON-LD 1.1 API, sections 4.1 to 5.2).
//!
//! Only what bundled contexts use is understood; a test proves that each of them compiles. Contexts written by
//! strangers are never processed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use oxrdf::NamedNode;
use serde_json::{Map, Value};

/// What a key or a value means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Iri {
    /// Nothing: a term that is switched off, or looks like a keyword and is none.
    Nothing,
    /// A JSON-LD keyword.
    Keyword(String),
    /// An absolute IRI.
    Absolute(String),
    /// A blank node label, without `_:`.
    Blank(String),
    /// A relative reference, for which a signature has no place.
    Relative,
}

/// How the value of a term is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Coercion {
    /// As its JSON type says.
    None,
    /// A string is the id of a node.
    Id,
    /// A string is a term or the id of a node.
    Vocab,
    /// Any JSON, as one literal.
    Json,
    /// A literal of this type.
    Datatype(String),
}

/// One term of a context.
#[derive(Clone, Debug)]
pub(super) struct TermDefinition {
    pub(super) mapping: Iri,
    pub(super) coercion: Coercion,
    pub(super) list: bool,
    pub(super) graph: bool,
    pub(super) scoped: Option<&'static Value>,
    prefix: bool,
    protected: bool,
}

impl TermDefinition {
    /// A word of a vocabulary, which no context says more about.
    pub(super) fn plain(iri: String) -> TermDefinition {
        TermDefinition {
            mapping: Iri::Absolute(iri),
            coercion: Coercion::None,
            list: false,
            graph: false,
            scoped: None,
            prefix: false,
            protected: false,
        }
    }

    fn means_the_same(&self, other: &TermDefinition) -> bool {
        self.mapping == other.mapping
            && self.coercion == other.coercion
            && self.list == other.list
            && self.graph == other.graph
            && self.scoped == other.scoped
            && self.prefix == other.prefix
    }
}

/// The terms in force at one place of a document.
#[derive(Clone, Debug, Default)]
pub(super) struct ActiveContext {
    terms: HashMap<String, Arc<TermDefinition>>,
    vocabulary: Option<String>,
    /// What comes back into force in the next node, after a type-scoped context.
    pub(super) previous: Option<Arc<ActiveContext>>,
}

/// Why a context cannot be put into force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// The context redefines a protected term.
    #[error("the term {term:?} is protected and cannot be redefined")]
    ProtectedTerm {
        /// The term.
        term: String,
    },
    /// The context uses a feature that no bundled context needs.
    #[error("a context uses {feature}, which is not supported")]
    Unsupported {
        /// The feature.
        feature: String,
    },
}

impl ActiveContext {
    pub(super) fn term(&self, term: &str) -> Option<&Arc<TermDefinition>> {
        self.terms.get(term)
    }

    /// The contexts that terms bring along.
    pub(super) fn scoped_contexts(&self) -> impl Iterator<Item = &'static Value> {
        self.terms.values().filter_map(|term| term.scoped)
    }

    /// IRI expansion (JSON-LD 1.1 API, section 5.2) without a base.
    pub(super) fn expand(&self, value: &str, vocab: bool) -> Iri {
        if has_keyword_form(value) {
            return if is_keyword(value) { Iri::Keyword(value.to_owned()) } else { Iri::Nothing };
        }
        if let Some(definition) = self.terms.get(value) {
            match &definition.mapping {
                Iri::Nothing => return Iri::Nothing,
                Iri::Keyword(keyword) => return Iri::Keyword(keyword.clone()),
                mapping @ (Iri::Absolute(_) | Iri::Blank(_) | Iri::Relative) => {
                    if vocab {
                        return mapping.clone();
                    }
                }
            }
        }
        if let Some(index) = value.get(1..).and_then(|rest| rest.find(':')).map(|index| index + 1) {
            let (prefix, suffix) = (&value[..index], &value[index + 1..]);
            if prefix == "_" {
                return Iri::Blank(suffix.to_owned());
            }
            if !suffix.starts_with("//")
                && let Some(definition) = self.terms.get(prefix)
                && definition.prefix
                && let Iri::Absolute(iri) = &definition.mapping
            {
                return Iri::Absolute(format!("{iri}{suffix}"));
            }
            if NamedNode::new(value).is_ok() {
                return Iri::Absolute(value.to_owned());
            }
        }
        match &self.vocabulary {
            Some(vocabulary) if vocab => Iri::Absolute(format!("{vocabulary}{value}")),
            Some(_) | None => Iri::Relative,
        }
    }

    /// The context after `local`, which is a bundled object or `null`.
    pub(super) fn process(
        self: &Arc<ActiveContext>,
        local: &'static Value,
        override_protected: bool,
        propagate: bool,
    ) -> Result<ActiveContext, ContextError> {
        match local {
            Value::Null => {
                if !override_protected
                    && let Some((term, _)) = self.terms.iter().find(|(_, term)| term.protected)
                {
                    return Err(ContextError::ProtectedTerm { term: term.clone() });
                }
                let previous = (!propagate).then(|| Arc::clone(self));
                Ok(ActiveContext { previous, ..ActiveContext::default() })
            }
            Value::Object(object) => {
                let mut result = ActiveContext::clone(self);
                if !propagate && result.previous.is_none() {
                    result.previous = Some(Arc::clone(self));
                }
                Builder {
                    active: &mut result,
                    local: object,
                    override_protected,
                    protected: object.get("@protected") == Some(&Value::Bool(true)),
                    done: HashSet::new(),
                }
                .run()?;
                Ok(result)
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(unsupported("a context that is no object"))
            }
        }
    }
}

struct Builder<'a> {
    active: &'a mut ActiveContext,
    local: &'static Map<String, Value>,
    override_protected: bool,
    protected: bool,
    done: HashSet<&'static str>,
}

impl Builder<'_> {
    fn run(&mut self) -> Result<(), ContextError> {
        for (key, value) in self.local {
            match (key.as_str(), value) {
                ("@protected", Value::Bool(_)) => {}
                ("@version", version) if version.as_f64() == Some(1.1) => {}
                ("@vocab", Value::String(vocabulary)) if NamedNode::new(vocabulary).is_ok() => {
                    self.active.vocabulary = Some(vocabulary.clone());
                }
                (key, _) if key.starts_with('@') => return Err(unsupported(key)),
                (key, _) => self.define(key, 0)?,
            }
        }
        Ok(())
    }

    /// Create term definition (section 4.2.2).
    fn define(&mut self, term: &'static str, depth: usize) -> Result<(), ContextError> {
        if !self.done.insert(term) {
            return Ok(());
        }
        if depth > 8 {
            return Err(unsupported("a long chain of terms"));
        }
        let Some(value) = self.local.get(term) else { return Ok(()) };
        let (object, id) = match value {
            Value::Null | Value::String(_) => (None, Some(value)),
            Value::Object(object) => (Some(object), object.get("@id")),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                return Err(unsupported("a term that is no object"));
            }
        };
        let known = ["@id", "@type", "@container", "@context", "@protected"];
        if let Some(key) =
            object.into_iter().flat_map(Map::keys).find(|key| !known.contains(&key.as_str()))
        {
            return Err(unsupported(key));
        }
        let mapping = match id {
            Some(Value::Null) => Iri::Nothing,
            Some(Value::String(id)) if id != term => self.expand(id, depth)?,
            Some(Value::String(_)) | None => self.expand_own(term, depth)?,
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(unsupported("@id that is no string"));
            }
        };
        match &mapping {
            Iri::Nothing | Iri::Absolute(_) => {}
            Iri::Keyword(keyword) if keyword == "@id" || keyword == "@type" => {}
            Iri::Keyword(keyword) => return Err(unsupported(keyword)),
            Iri::Blank(_) | Iri::Relative => return Err(unsupported("a term without an IRI")),
        }
        let prefix = object.is_none()
            && !term.contains([':', '/'])
            && matches!(&mapping, Iri::Absolute(iri) if iri.ends_with([':', '/', '?', '#', '[', ']', '@']));
        let coercion = match object.and_then(|object| object.get("@type")).map(Value::as_str) {
            None => Coercion::None,
            Some(Some("@id")) => Coercion::Id,
            Some(Some("@vocab")) => Coercion::Vocab,
            Some(Some("@json")) => Coercion::Json,
            Some(Some(datatype)) => match self.expand(datatype, depth)? {
                Iri::Absolute(iri) => Coercion::Datatype(iri),
                Iri::Nothing | Iri::Keyword(_) | Iri::Blank(_) | Iri::Relative => {
                    return Err(unsupported(datatype));
                }
            },
            Some(None) => return Err(unsupported("@type that is no string")),
        };
        let (mut list, mut graph) = (false, false);
        let containers: Vec<&Value> = match object.and_then(|object| object.get("@container")) {
            None => Vec::new(),
            Some(Value::Array(containers)) => containers.iter().collect(),
            Some(container) => vec![container],
        };
        for container in containers {
            match container.as_str() {
                Some("@set") => {}
                Some("@list") => list = true,
                Some("@graph") => graph = true,
                Some(_) | None => return Err(unsupported(&container.to_string())),
            }
        }
        let protected = object
            .and_then(|object| object.get("@protected"))
            .map_or(self.protected, |value| value == &Value::Bool(true));
        let mut definition = TermDefinition {
            mapping,
            coercion,
            list,
            graph,
            scoped: object.and_then(|object| object.get("@context")),
            prefix,
            protected,
        };
        if !self.override_protected
            && let Some(before) = self.active.terms.get(term)
            && before.protected
        {
            if !before.means_the_same(&definition) {
                return Err(ContextError::ProtectedTerm { term: term.to_owned() });
            }
            definition = TermDefinition::clone(before);
        }
        self.active.terms.insert(term.to_owned(), Arc::new(definition));
        Ok(())
    }

    fn expand(&mut self, value: &'static str, depth: usize) -> Result<Iri, ContextError> {
        if let Some((key, _)) = self.local.get_key_value(value)
            && !key.starts_with('@')
        {
            self.define(key, depth + 1)?;
        } else if let Some((prefix, _)) = value.split_once(':')
            && let Some((key, _)) = self.local.get_key_value(prefix)
        {
            self.define(key, depth + 1)?;
        }
        Ok(self.active.expand(value, true))
    }

    /// The IRI of a term that does not name one.
    fn expand_own(&mut self, term: &'static str, depth: usize) -> Result<Iri, ContextError> {
        if term.contains(':') {
            return self.expand(term, depth);
        }
        match &self.active.vocabulary {
            Some(vocabulary) => Ok(Iri::Absolute(format!("{vocabulary}{term}"))),
            None => Err(unsupported("a term without an IRI")),
        }
    }
}

fn unsupported(feature: &str) -> ContextError {
    ContextError::Unsupported { feature: feature.to_owned() }
}

fn has_keyword_form(value: &str) -> bool {
    value
        .strip_prefix('@')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

fn is_keyword(value: &str) -> bool {
    matches!(
        value,
        "@base"
            | "@container"
            | "@context"
            | "@direction"
            | "@graph"
            | "@id"
            | "@import"
            | "@included"
            | "@index"
            | "@json"
            | "@language"
            | "@list"
            | "@nest"
            | "@none"
            | "@prefix"
            | "@propagate"
            | "@protected"
            | "@reverse"
            | "@set"
            | "@type"
            | "@value"
            | "@version"
            | "@vocab"
    )
}
