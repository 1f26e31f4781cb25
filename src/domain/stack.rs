//! Stacks: what several awards come to together (DOMAIN.md, 4).
//!
//! A rule is over live awards: active ones whose end has not passed. An award counts by the id of its definition, once, whatever the
//! version; it may count in several parts of the rule, since each part asks its own question.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use chrono::TimeDelta;

use super::award::AwardState;
use super::timestamp::Timestamp;

worded_enum! {
    /// Where a stack stands.
    StackState {
        /// Being written.
        Draft = "draft",
        /// Public and immutable; it can be earned.
        Published = "published",
        /// Public, and not to be earned any more. What was earned goes on.
        Retired = "retired",
    }
}

worded_enum! {
    /// What can happen to a stack.
    StackEvent {
        /// A change of the text.
        Edit = "edit",
        /// Makes it public.
        Publish = "publish",
        /// Takes it out of use.
        Retire = "retire",
        /// Somebody who meets the rule asks for the award.
        Claim = "claim",
    }
}

impl StackState {
    /// What may happen in this state.
    #[must_use]
    pub const fn allowed_events(self) -> &'static [StackEvent] {
        match self {
            StackState::Draft => &[StackEvent::Edit, StackEvent::Publish],
            StackState::Published => &[StackEvent::Retire, StackEvent::Claim],
            StackState::Retired => &[],
        }
    }

    /// Refuses an event that is not legal here.
    ///
    /// # Errors
    /// [`WrongStackState`] with the events that are.
    pub fn require(self, event: StackEvent) -> Result<(), WrongStackState> {
        if self.allowed_events().contains(&event) {
            Ok(())
        } else {
            Err(WrongStackState { state: self, event })
        }
    }

    /// Whether anybody may read it.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, StackState::Published | StackState::Retired)
    }
}

/// An event that a stack's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stack that is {state} cannot take {event}")]
pub struct WrongStackState {
    /// The state it is in.
    pub state: StackState,
    /// What was asked.
    pub event: StackEvent,
}

/// For so long after a part fell another award in its place brings the stack's award back (DOMAIN.md, 4).
const REPLACEABLE: TimeDelta = TimeDelta::days(60);

/// The last moment at which an award of a stack, a part of which fell then, comes back by another award in its place.
#[must_use]
pub fn replaceable_until(fell_at: Timestamp) -> Timestamp {
    fell_at.plus(REPLACEABLE)
}

/// How the awards stand that an award of a stack rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartsNow {
    /// Whether the rule is met by the live awards of its earner.
    pub is_met: bool,
    /// Whether there is a live award at everything that the badge names.
    pub has_all_named: bool,
    /// When a part fell, for one that is suspended for that. A panel's suspension has none.
    pub fell_at: Option<Timestamp>,
}

/// What follows for the award of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackChange {
    /// Nothing.
    Stays,
    /// It is suspended.
    Falls,
    /// It is in force again.
    Returns,
}

/// What follows for the award of a stack: it is suspended when its rule is not met any more, and comes back when it is met again by what
/// the badge names, or within 60 days by anything else. A suspension by a panel is the panel's.
#[must_use]
pub fn follow(state: AwardState, parts: &PartsNow, now: Timestamp) -> StackChange {
    match state {
        AwardState::Active if parts.is_met => StackChange::Stays,
        AwardState::Active => StackChange::Falls,
        AwardState::Suspended => {
            let Some(fell_at) = parts.fell_at else { return StackChange::Stays };
            let is_in_time = parts.has_all_named || now <= replaceable_until(fell_at);
            if parts.is_met && is_in_time { StackChange::Returns } else { StackChange::Stays }
        }
        AwardState::PendingKey
        | AwardState::Expired
        | AwardState::Superseded
        | AwardState::Revoked => StackChange::Stays,
    }
}

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
    /// How many are asked for, any of `held` and `missing`.
    pub asked: usize,
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

    /// Every id that the rule names, once, in the order in which it names them.
    #[must_use]
    pub fn ids_in_order(&self) -> Vec<&str> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        let mut open = vec![self];
        while let Some(rule) = open.pop() {
            let named: Vec<&String> = match rule {
                StackRule::And(rules) => {
                    open.extend(rules.iter().rev());
                    Vec::new()
                }
                StackRule::AllOf(ids) | StackRule::AtLeast { ids, .. } => ids.iter().collect(),
                StackRule::PerCategory(categories) => {
                    categories.iter().flat_map(|one| &one.ids).collect()
                }
            };
            found.extend(named.into_iter().map(String::as_str).filter(|id| seen.insert(*id)));
        }
        found
    }

    /// Every id that the rule names.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<&str> {
        self.ids_in_order().into_iter().collect()
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
    PartProgress { category, asked: min, needed: min.saturating_sub(held.len()), held, missing }
}
