//! What an award rests on, as its badge, its page and its letters tell it.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Broken, Error};
use super::micro_credentials::parse_stored;
use super::stack_document::{self, StackDefinition};
use crate::domain::definition::Definition;
use crate::domain::ids::MicroCredentialId;
use crate::store::awards::{Award, AwardBasis};
use crate::store::decisions::StoredDecision;
use crate::store::micro_credentials::Version;
use crate::store::stacks::Stack;
use crate::store::{self, DbConn};

/// What an award rests on.
#[derive(Clone, Debug)]
pub enum Basis {
    /// Work that was scored.
    Submission(Box<ScoredWork>),
    /// Other awards.
    Stack(Box<StackWork>),
}

/// Work that was scored, as far as it is told.
#[derive(Clone, Debug)]
pub struct ScoredWork {
    /// The version that was earned.
    pub version: Version,
    /// Its definition.
    pub definition: Definition,
    /// How it was decided.
    pub decision: StoredDecision,
    /// Whether the earner chose to include levels.
    pub include_results: bool,
}

/// A stack with the awards that one award of it names.
#[derive(Clone, Debug)]
pub struct StackWork {
    /// The stack.
    pub stack: Stack,
    /// What it asks.
    pub definition: StackDefinition,
    /// The micro-credentials that it names, by their own ids.
    pub families: BTreeMap<String, MicroCredentialId>,
    /// Their own ids with their titles, in the order of the rule.
    pub titles: Vec<(String, String)>,
    /// The number of the newest public version of each.
    pub newest: BTreeMap<String, i32>,
    /// The awards that are named, in that order; none for the stack itself.
    pub parts: Vec<StackPart>,
}

/// An award that the badge of a stack names.
#[derive(Clone, Debug)]
pub struct StackPart {
    /// The micro-credential's own id.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// The award.
    pub award: Award,
}

impl Basis {
    /// What was earned.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Basis::Submission(work) => &work.version.title,
            Basis::Stack(work) => &work.stack.title,
        }
    }
}

/// One part of a stack's rule, as it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedPart {
    /// The category, where the rule has one.
    pub category: Option<String>,
    /// How many of them.
    pub needed: usize,
    /// The micro-credentials' own ids with their titles.
    pub items: Vec<(String, String)>,
}

impl StackWork {
    /// The rule part by part; all of them must hold.
    #[must_use]
    pub fn asked_parts(&self) -> Vec<AskedPart> {
        // Nobody holds anything here: everything that is asked is missing.
        let asked = self.definition.rule.progress(&BTreeSet::new());
        let item = |slug: &String| (slug.clone(), self.title_of(slug));
        asked
            .parts
            .into_iter()
            .map(|part| AskedPart {
                needed: part.needed,
                items: part.missing.iter().map(item).collect(),
                category: part.category,
            })
            .collect()
    }

    /// The title of a micro-credential that the stack names.
    #[must_use]
    pub fn title_of(&self, slug: &str) -> String {
        let known = self.titles.iter().find(|(known, _)| known == slug);
        known.map_or_else(|| slug.to_owned(), |(_, title)| title.clone())
    }

    /// The rule, a sentence for each part of it; all of them must hold.
    #[must_use]
    pub fn rule_in_words(&self) -> Vec<String> {
        self.asked_parts()
            .iter()
            .map(|part| {
                let titles: Vec<&str> =
                    part.items.iter().map(|(_, title)| title.as_str()).collect();
                let list = titles.join("; ");
                let words = if part.needed == part.items.len() {
                    format!("Awards at all of these: {list}.")
                } else {
                    format!("Awards at {} or more of these: {list}.", part.needed)
                };
                match &part.category {
                    Some(category) => format!("{category}. {words}"),
                    None => words,
                }
            })
            .collect()
    }
}

/// What an award rests on.
///
/// # Errors
/// [`Error::Internal`] when the database fails, or for an award whose basis is not there.
pub(super) fn load(conn: &mut DbConn, award: &Award) -> Result<Basis, Error> {
    match award.basis {
        AwardBasis::Submission { submission, version, .. } => {
            let missing = || Error::internal(Broken("an award without what it rests on"));
            let decision = store::decisions::find(conn, submission)?.ok_or_else(missing)?;
            let stored = store::submissions::find(conn, submission)?.ok_or_else(missing)?;
            let version = store::micro_credentials::find_pinned(conn, award.organization, version)?
                .ok_or_else(missing)?;
            Ok(Basis::Submission(Box::new(ScoredWork {
                definition: parse_stored(&version)?.definition,
                version,
                decision,
                include_results: stored.include_results,
            })))
        }
        AwardBasis::Stack(stack) => {
            let stack = store::stacks::find(conn, stack)?
                .ok_or_else(|| Error::internal(Broken("an award of a stack that is not there")))?;
            let named = store::stack_awards::list_parts(conn, award.id)?;
            Ok(Basis::Stack(Box::new(of_stack(conn, stack, named)?)))
        }
    }
}

/// A published stack with these awards.
///
/// # Errors
/// [`Error::Internal`] when the database fails, or for a stored text that is no stack.
pub(super) fn of_stack(
    conn: &mut DbConn,
    stack: Stack,
    named: Vec<Award>,
) -> Result<StackWork, Error> {
    let definition = stack_document::parse_stored(&stack.document)?;
    let families = store::stacks::list_items(conn, stack.id)?;
    let (mut titles, mut numbers) = (Vec::new(), BTreeMap::new());
    for slug in definition.rule.ids_in_order() {
        let Some(family) = families.get(slug) else { continue };
        let newest = store::micro_credentials::find_newest(conn, *family, true)?;
        numbers.extend(newest.as_ref().map(|newest| (slug.to_owned(), newest.number)));
        titles.push((slug.to_owned(), newest.map_or_else(|| slug.to_owned(), |one| one.title)));
    }
    let mut parts = Vec::new();
    for (slug, title) in &titles {
        let family = families.get(slug);
        for award in &named {
            if award.micro_credential().as_ref() == family {
                let (slug, title) = (slug.clone(), title.clone());
                parts.push(StackPart { slug, title, award: award.clone() });
            }
        }
    }
    Ok(StackWork { stack, definition, families, titles, newest: numbers, parts })
}
