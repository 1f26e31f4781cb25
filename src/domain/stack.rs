//! Stacks: what several awards come to together (DOMAIN.md, 4).
//!
//! A rule is over live awards: active ones whose end has not passed. An award counts by the id of its definition, once, whatever the
//! version; it may count in several parts of the rule, since each part asks its own question.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::award::AwardState;

/// The deepest nesting of a rule.
pub const MAX_LAYERS: usize = 4;

/// One category of [`StackRule::PerCategory`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// What it is called.
    pub name: String,
    /// How many of it are needed.
    pub min: NonZeroU32,
    /// Ids of the definitions in it.
    pub ids: Vec<String>,
}

/// What has to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackRule {
    /// Each of these rules.
    And(Vec<StackRule>),
    /// An award at each of these definitions.
    AllOf(Vec<String>),
    /// Awards at so many of these definitions.
    AtLeast {
        /// How many.
        min: NonZeroU32,
        /// Of which.
        ids: Vec<String>,
    },
    /// So many of each category.
    PerCategory(Vec<Category>),
}

/// How far one part of a rule is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartProgress {
    /// The category, for a part of [`StackRule::PerCategory`].
    pub category: Option<String>,
    /// Ids that are held, in the order of the rule.
    pub held: Vec<String>,
    /// Ids that are not.
    pub missing: Vec<String>,
    /// How many more are needed, any of `missing`; 0 when the part is met.
    pub needed: usize,
}

/// How far a rule is met: its parts in the order of the rule. All of them have to be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The parts.
    pub parts: Vec<PartProgress>,
}

impl Progress {
    /// Whether the stack is earned.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.parts.iter().all(|part| part.needed == 0)
    }

    /// The ids that count: those that a stack award names as its parts.
    #[must_use]
    pub fn counted(&self) -> BTreeSet<&str> {
        self.parts.iter().flat_map(|part| &part.held).map(String::as_str).collect()
    }
}

/// Whether an award in this state, as of now, counts for a stack.
#[must_use]
pub const fn is_live(state: AwardState) -> bool {
    match state {
        AwardState::Active => true,
        AwardState::PendingKey
        | AwardState::Suspended
        | AwardState::Expired
        | AwardState::Superseded
        | AwardState::Revoked => false,
    }
}

impl StackRule {
    /// How far somebody is who holds live awards at these definitions.
    #[must_use]
    pub fn progress(&self, held: &BTreeSet<String>) -> Progress {
        let mut parts = Vec::new();
        let mut open = vec![self];
        while let Some(rule) = open.pop() {
            match rule {
                StackRule::And(rules) => open.extend(rules.iter().rev()),
                StackRule::AllOf(ids) => {
                    let distinct: BTreeSet<&String> = ids.iter().collect();
                    parts.push(part(None, distinct.len(), ids, held));
                }
                StackRule::AtLeast { min, ids } => {
                    parts.push(part(None, count(*min), ids, held));
                }
                StackRule::PerCategory(categories) => {
                    parts.extend(categories.iter().map(|category| {
                        let name = Some(category.name.clone());
                        part(name, count(category.min), &category.ids, held)
                    }));
                }
            }
        }
        Progress { parts }
    }

    /// Every id that the rule names.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![self];
        while let Some(rule) = open.pop() {
            match rule {
                StackRule::And(rules) => open.extend(rules),
                StackRule::AllOf(ids) | StackRule::AtLeast { ids, .. } => {
                    found.extend(ids.iter().map(String::as_str));
                }
                StackRule::PerCategory(categories) => {
                    found.extend(categories.iter().flat_map(|one| &one.ids).map(String::as_str))
                }
            }
        }
        found
    }
}

fn count(min: NonZeroU32) -> usize {
    usize::try_from(min.get()).unwrap_or(usize::MAX)
}

/// One part, which needs `min` of its ids. One that asks for more than it names is never met.
fn part(
    category: Option<String>,
    min: usize,
    ids: &[String],
    held: &BTreeSet<String>,
) -> PartProgress {
    let mut seen = BTreeSet::new();
    let each = ids.iter().filter(|id| seen.insert(id.as_str())).cloned();
    let (held, missing): (Vec<String>, Vec<String>) = each.partition(|id| held.contains(id));
    PartProgress { category, needed: min.saturating_sub(held.len()), held, missing }
}
