//! How work is judged: prompts and criteria with their levels.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use super::alignment::Alignment;
use super::ids::BankItemId;

/// The most levels that one scale may have.
pub const MAX_LEVELS: usize = 10;

/// The most prompts that one part may have.
pub const MAX_PROMPTS: usize = 20;

/// The most criteria that one rubric may have.
pub const MAX_CRITERIA: usize = 30;

/// The most characters of an identifier inside a definition.
pub const MAX_ID_LENGTH: usize = 100;

/// The levels that one reading, or one resolution, gives to every prompt and criterion.
///
/// `None` says that the work could not be scored there, which counts as not met.
pub type Levels = BTreeMap<CriterionId, Option<Level>>;

/// All that is scored in a submission: the prompts of its parts and the criteria.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rubric {
    parts: Vec<Part>,
    criteria: Vec<Criterion>,
}

impl Rubric {
    /// A rubric of these parts with prompts (there may be none) and these criteria, in the order of the definition.
    ///
    /// A draft may still repeat an id or leave a gap in a scale; publishing refuses that.
    pub fn new(parts: Vec<Part>, criteria: Vec<Criterion>) -> Result<Rubric, RubricError> {
        if criteria.is_empty() {
            return Err(RubricError::NoCriteria);
        }
        if criteria.len() > MAX_CRITERIA {
            return Err(RubricError::TooManyCriteria);
        }
        Ok(Rubric { parts, criteria })
    }

    /// The parts that hold prompts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The criteria, in order.
    pub fn criteria(&self) -> &[Criterion] {
        &self.criteria
    }

    /// The prompts of all parts, in order.
    pub fn prompts(&self) -> impl Iterator<Item = &Prompt> {
        self.parts.iter().flat_map(|part| part.prompts.iter())
    }

    /// Everything that a reading must score: first the prompts, then the criteria.
    pub fn items(&self) -> impl Iterator<Item = ScoredItem<'_>> {
        let prompts = self.prompts().map(ScoredItem::Prompt);
        prompts.chain(self.criteria.iter().map(ScoredItem::Criterion))
    }

    /// The part with this id.
    pub fn find_part(&self, id: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.id.as_str() == id)
    }

    /// The prompt or criterion with this id.
    pub fn find_item(&self, id: &str) -> Option<ScoredItem<'_>> {
        self.items().find(|item| item.id().as_str() == id)
    }

    /// Checks that `levels` has an entry for every prompt and criterion, none for anything else,
    /// and only levels that exist on the item's scale.
    pub fn check_levels(&self, levels: &Levels) -> Result<(), LevelsError> {
        for item in self.items() {
            let entry = levels.get(item.id());
            let entry = entry.ok_or_else(|| LevelsError::Missing { item: item.id().clone() })?;
            if let Some(level) = *entry
                && !item.has_level(level)
            {
                return Err(LevelsError::UnknownLevel { item: item.id().clone(), level });
            }
        }
        match levels.keys().find(|id| self.find_item(id.as_str()).is_none()) {
            Some(id) => Err(LevelsError::UnknownItem { item: id.clone() }),
            None => Ok(()),
        }
    }
}

/// A part of the submission that consists of prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    id: PartId,
    title: String,
    prompts: Vec<Prompt>,
}

impl Part {
    /// A part with at least one prompt.
    pub fn new(id: PartId, title: String, prompts: Vec<Prompt>) -> Result<Part, RubricError> {
        if prompts.is_empty() {
            return Err(RubricError::NoPrompts { part: id });
        }
        if prompts.len() > MAX_PROMPTS {
            return Err(RubricError::TooManyPrompts { part: id });
        }
        Ok(Part { id, title, prompts })
    }

    /// What decision rules call the part.
    pub fn id(&self) -> &PartId {
        &self.id
    }

    /// What people call the part.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The prompts, in order.
    pub fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }
}

/// A question that the earner answers, scored like a criterion with the two levels 0 and 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    id: CriterionId,
    text: String,
    word_limit: Option<u32>,
    alternatives: Vec<String>,
    levels: Vec<RubricLevel>,
    alignments: Vec<Alignment>,
    bank_item: Option<BankItemId>,
}

impl Prompt {
    /// The lowest passing level of every prompt.
    pub const PASS_LEVEL: Level = Level::new(1);

    /// A prompt with at least one level; `alternatives` are other forms in which the answer may be given.
    pub fn new(
        id: CriterionId,
        text: String,
        word_limit: Option<u32>,
        alternatives: Vec<String>,
        levels: Vec<RubricLevel>,
    ) -> Result<Prompt, RubricError> {
        check_scale(&id, &levels)?;
        let (alignments, bank_item) = (Vec::new(), None);
        Ok(Prompt { id, text, word_limit, alternatives, levels, alignments, bank_item })
    }

    /// The same with the items of frameworks that it belongs to.
    #[must_use]
    pub fn with_alignments(mut self, alignments: Vec<Alignment>) -> Prompt {
        self.alignments = alignments;
        self
    }

    /// The same as one that was taken from the assessment bank.
    #[must_use]
    pub fn with_bank_item(mut self, bank_item: Option<BankItemId>) -> Prompt {
        self.bank_item = bank_item;
        self
    }

    /// The item of the assessment bank that it was taken from.
    pub fn bank_item(&self) -> Option<BankItemId> {
        self.bank_item
    }

    /// The items of frameworks that it belongs to.
    pub fn alignments(&self) -> &[Alignment] {
        &self.alignments
    }

    /// The id, unique among prompts and criteria of a published definition.
    pub fn id(&self) -> &CriterionId {
        &self.id
    }

    /// The question.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The most words of an answer in writing.
    pub fn word_limit(&self) -> Option<u32> {
        self.word_limit
    }

    /// Other forms in which the answer may be given.
    pub fn alternatives(&self) -> &[String] {
        &self.alternatives
    }

    /// The scale, lowest level first.
    pub fn levels(&self) -> &[RubricLevel] {
        &self.levels
    }
}

/// One row of the rubric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    id: CriterionId,
    title: String,
    evidence: Vec<EvidenceRequirementId>,
    levels: Vec<RubricLevel>,
    pass_level: Level,
    essential: bool,
    alignments: Vec<Alignment>,
    bank_item: Option<BankItemId>,
}

impl Criterion {
    /// A criterion with at least one level.
    pub fn new(
        id: CriterionId,
        title: String,
        evidence: Vec<EvidenceRequirementId>,
        levels: Vec<RubricLevel>,
        pass_level: Level,
        essential: bool,
    ) -> Result<Criterion, RubricError> {
        check_scale(&id, &levels)?;
        let (alignments, bank_item) = (Vec::new(), None);
        Ok(Criterion { id, title, evidence, levels, pass_level, essential, alignments, bank_item })
    }

    /// The same with the items of frameworks that it belongs to.
    #[must_use]
    pub fn with_alignments(mut self, alignments: Vec<Alignment>) -> Criterion {
        self.alignments = alignments;
        self
    }

    /// The same as one that was taken from the assessment bank.
    #[must_use]
    pub fn with_bank_item(mut self, bank_item: Option<BankItemId>) -> Criterion {
        self.bank_item = bank_item;
        self
    }

    /// The item of the assessment bank that it was taken from.
    pub fn bank_item(&self) -> Option<BankItemId> {
        self.bank_item
    }

    /// The items of frameworks that it belongs to.
    pub fn alignments(&self) -> &[Alignment] {
        &self.alignments
    }

    /// The id, unique among prompts and criteria of a published definition.
    pub fn id(&self) -> &CriterionId {
        &self.id
    }

    /// What the criterion is about.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The evidence that shows it.
    pub fn evidence(&self) -> &[EvidenceRequirementId] {
        &self.evidence
    }

    /// The scale, lowest level first.
    pub fn levels(&self) -> &[RubricLevel] {
        &self.levels
    }

    /// The cut: the lowest level that passes.
    pub fn pass_level(&self) -> Level {
        self.pass_level
    }

    /// Whether rules over essential criteria name it.
    pub fn is_essential(&self) -> bool {
        self.essential
    }

    /// Whether this level is one of the two next to the cut: the lowest that passes or the highest that does not.
    pub fn is_next_to_cut(&self, level: Level) -> bool {
        level == self.pass_level || level.number().checked_add(1) == Some(self.pass_level.number())
    }
}

/// A prompt or a criterion: whatever gets a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoredItem<'a> {
    /// A prompt of part 1 or 3.
    Prompt(&'a Prompt),
    /// A criterion of the rubric.
    Criterion(&'a Criterion),
}

impl<'a> ScoredItem<'a> {
    /// The id under which it is scored.
    pub fn id(self) -> &'a CriterionId {
        match self {
            ScoredItem::Prompt(prompt) => &prompt.id,
            ScoredItem::Criterion(criterion) => &criterion.id,
        }
    }

    /// The scale, lowest level first.
    pub fn levels(self) -> &'a [RubricLevel] {
        match self {
            ScoredItem::Prompt(prompt) => &prompt.levels,
            ScoredItem::Criterion(criterion) => &criterion.levels,
        }
    }

    /// The lowest level that passes.
    pub fn pass_level(self) -> Level {
        match self {
            ScoredItem::Prompt(_) => Prompt::PASS_LEVEL,
            ScoredItem::Criterion(criterion) => criterion.pass_level,
        }
    }

    /// Whether the scale has this level.
    pub fn has_level(self, level: Level) -> bool {
        self.levels().iter().any(|known| known.level == level)
    }

    /// The highest level of the scale.
    pub fn top_level(self) -> Level {
        self.levels().iter().map(|known| known.level).max().unwrap_or(Level::new(0))
    }
}

/// One level of a scale, with the words that describe the evidence at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RubricLevel {
    level: Level,
    label: String,
    descriptor: String,
}

impl RubricLevel {
    /// A level with its label and what evidence at this level looks like.
    pub fn new(level: Level, label: String, descriptor: String) -> RubricLevel {
        RubricLevel { level, label, descriptor }
    }

    /// Its place on the scale.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Its name.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What the evidence looks like.
    pub fn descriptor(&self) -> &str {
        &self.descriptor
    }
}

/// A place on a scale, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// The level with this number. Whether a scale has it is the scale's affair.
    pub const fn new(number: u8) -> Level {
        Level(number)
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! local_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes an id of letters, digits, `.`, `_` and `-` that begins with a letter or digit.
            ///
            /// Ids hold for one definition and may be up to [`MAX_ID_LENGTH`] characters long.
            pub fn new(id: impl Into<String>) -> Result<$name, IdError> {
                let id = id.into();
                if is_identifier(&id) { Ok($name(id)) } else { Err(IdError) }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

local_id! {
    /// The id of a criterion or of a prompt: they share one set of ids, since they are scored alike.
    CriterionId
}

local_id! {
    /// The id of a part of the submission, such as `part1`.
    PartId
}

local_id! {
    /// The id of an evidence requirement.
    EvidenceRequirementId
}

/// A text that cannot be an id inside a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an id has letters, digits, dots, hyphens and underscores and begins with a letter or digit"
)]
pub struct IdError;

/// Why something cannot be a rubric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RubricError {
    /// A rubric needs something to judge.
    #[error("the rubric has no criteria")]
    NoCriteria,
    /// More than [`MAX_CRITERIA`].
    #[error("the rubric has more than {MAX_CRITERIA} criteria")]
    TooManyCriteria,
    /// A part without prompts is no part.
    #[error("part {part} has no prompts")]
    NoPrompts {
        /// The part.
        part: PartId,
    },
    /// More than [`MAX_PROMPTS`].
    #[error("part {part} has more than {MAX_PROMPTS} prompts")]
    TooManyPrompts {
        /// The part.
        part: PartId,
    },
    /// A scale without levels.
    #[error("{item} has no levels")]
    NoLevels {
        /// The prompt or criterion.
        item: CriterionId,
    },
    /// More than [`MAX_LEVELS`].
    #[error("{item} has more than {MAX_LEVELS} levels")]
    TooManyLevels {
        /// The prompt or criterion.
        item: CriterionId,
    },
}

/// Why a set of levels does not fit a rubric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelsError {
    /// Everything needs an entry, if only that it could not be scored.
    #[error("{item} has no score")]
    Missing {
        /// The prompt or criterion.
        item: CriterionId,
    },
    /// The rubric knows no such prompt or criterion.
    #[error("the rubric has no prompt or criterion {item}")]
    UnknownItem {
        /// The id that was given.
        item: CriterionId,
    },
    /// The scale has no such level.
    #[error("{item} has no level {level}")]
    UnknownLevel {
        /// The prompt or criterion.
        item: CriterionId,
        /// The level that was given.
        level: Level,
    },
}

fn check_scale(item: &CriterionId, levels: &[RubricLevel]) -> Result<(), RubricError> {
    if levels.is_empty() {
        Err(RubricError::NoLevels { item: item.clone() })
    } else if levels.len() > MAX_LEVELS {
        Err(RubricError::TooManyLevels { item: item.clone() })
    } else {
        Ok(())
    }
}

pub(super) fn is_identifier(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.len() <= MAX_ID_LENGTH
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(allowed)
}
