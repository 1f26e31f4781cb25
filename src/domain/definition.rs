//! One version of a micro-credential.

use std::num::{NonZeroU16, NonZeroU32};

use super::alignment::Alignment;
use super::decision_rule::{DecisionRule, EvaluateError, Outcome};
use super::review_policy::{ReviewMode, ReviewPolicy};
use super::rubric::{CriterionId, EvidenceRequirementId, Levels, Rubric, is_identifier};

/// The most evidence requirements of one definition.
pub const MAX_EVIDENCE_REQUIREMENTS: usize = 50;

/// One version of a micro-credential: what it asks, how it is judged, and by whom.
///
/// Every definition is whole enough to be shown and edited. Whether it can be published is another question:
/// ids may still be repeated or name nothing, and the decision rule may be out of reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    contents: DefinitionContents,
}

/// What a [`Definition`] is made of, as it goes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionContents {
    /// The definition's own id, the same in every version.
    pub slug: String,
    /// What its authors call this version.
    pub label: String,
    /// The words around the rubric.
    pub about: About,
    /// What an award shows that the earner can do.
    pub skills: Vec<Skill>,
    /// The items of frameworks that the whole belongs to.
    pub alignments: Vec<Alignment>,
    /// The title of the part that holds the evidence.
    pub evidence_title: String,
    /// What must, or may, be handed in.
    pub evidence: Vec<EvidenceRequirement>,
    /// Which evidence a team may share, if any of it is team work.
    pub team_evidence: Option<TeamEvidence>,
    /// The prompts and criteria.
    pub rubric: Rubric,
    /// What the levels must come to.
    pub decision_rule: DecisionRule,
    /// Who reads, how often, and what follows from differences.
    pub review_policy: ReviewPolicy,
    /// What happens after a submission that did not earn.
    pub resubmission: ResubmissionPolicy,
    /// How long an award lasts.
    pub validity: Validity,
    /// Ids of the stacks that count an award.
    pub stacks: Vec<String>,
}

impl Definition {
    /// A definition of these contents. It needs evidence to ask for and skills to show.
    pub fn new(contents: DefinitionContents) -> Result<Definition, DefinitionError> {
        if contents.evidence.is_empty() {
            return Err(DefinitionError::NoEvidence);
        }
        if contents.evidence.len() > MAX_EVIDENCE_REQUIREMENTS {
            return Err(DefinitionError::TooMuchEvidence);
        }
        if contents.skills.is_empty() {
            return Err(DefinitionError::NoSkills);
        }
        if !is_identifier(&contents.slug) {
            return Err(DefinitionError::Slug);
        }
        Ok(Definition { contents })
    }

    /// The definition's own id, the same in every version.
    pub fn slug(&self) -> &str {
        &self.contents.slug
    }

    /// What its authors call this version.
    pub fn label(&self) -> &str {
        &self.contents.label
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.contents.about.title
    }

    /// The words around the rubric.
    pub fn about(&self) -> &About {
        &self.contents.about
    }

    /// The items of frameworks that the whole belongs to; those of single criteria and prompts stand with them.
    pub fn alignments(&self) -> &[Alignment] {
        &self.contents.alignments
    }

    /// What an award shows that the earner can do.
    pub fn skills(&self) -> &[Skill] {
        &self.contents.skills
    }

    /// The title of the part that holds the evidence.
    pub fn evidence_title(&self) -> &str {
        &self.contents.evidence_title
    }

    /// What must, or may, be handed in.
    pub fn evidence(&self) -> &[EvidenceRequirement] {
        &self.contents.evidence
    }

    /// The evidence requirement with this id.
    pub fn find_evidence(&self, id: &str) -> Option<&EvidenceRequirement> {
        self.contents.evidence.iter().find(|requirement| requirement.id.as_str() == id)
    }

    /// Which evidence a team may share, if any of it is team work.
    pub fn team_evidence(&self) -> Option<&TeamEvidence> {
        self.contents.team_evidence.as_ref()
    }

    /// The prompts and criteria.
    pub fn rubric(&self) -> &Rubric {
        &self.contents.rubric
    }

    /// What the levels must come to.
    pub fn decision_rule(&self) -> &DecisionRule {
        &self.contents.decision_rule
    }

    /// Who reads, how often, and what follows from differences.
    pub fn review_policy(&self) -> &ReviewPolicy {
        &self.contents.review_policy
    }

    /// What happens after a submission that did not earn.
    pub fn resubmission(&self) -> &ResubmissionPolicy {
        &self.contents.resubmission
    }

    /// How long an award lasts.
    pub fn validity(&self) -> &Validity {
        &self.contents.validity
    }

    /// Ids of the stacks that count an award.
    pub fn stacks(&self) -> &[String] {
        &self.contents.stacks
    }

    /// The outcome that these levels earn under the definition's own rule.
    pub fn decide(&self, levels: &Levels) -> Result<Outcome, EvaluateError> {
        self.contents.decision_rule.evaluate(&self.contents.rubric, levels)
    }
}

/// The words around the rubric. Nobody is scored by them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The title.
    pub title: String,
    /// What it is, in a paragraph.
    pub summary: String,
    /// The one sentence that the rubric is about.
    pub competency: String,
    /// The language of the definition, a tag of BCP 47.
    pub language: String,
    /// Under which terms others may use the text.
    pub license: Option<String>,
    /// Roles whose work it fits.
    pub audience: Vec<String>,
    /// A planning figure for the earner; credit is never computed from it.
    pub effort: Option<EffortHours>,
    /// The way of working that is asked for.
    pub key_method: Option<KeyMethod>,
    /// Its steps or elements.
    pub method_components: Vec<MethodComponent>,
    /// Why it matters.
    pub rationale: Vec<Rationale>,
    /// What helps to prepare.
    pub resources: Vec<Resource>,
    /// Rules for everything that is handed in.
    pub evidence_rules: Vec<String>,
}

/// How many hours the work is likely to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffortHours {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// What the figure is for.
    pub note: Option<String>,
}

/// The way of working that a definition asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMethod {
    /// Its name.
    pub name: String,
    /// How it is done.
    pub description: String,
}

/// A step or element of the key method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodComponent {
    /// Its name.
    pub title: String,
    /// How it is done.
    pub text: String,
}

/// A claim with its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rationale {
    /// The claim.
    pub claim: String,
    /// Where it comes from.
    pub source: String,
}

/// Something that helps to prepare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What it is.
    pub title: String,
    /// What kind of thing it is, such as `template`.
    pub kind: String,
}

/// What an award shows that the earner can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// The code that inventories count by.
    pub code: String,
    /// The skill in words.
    pub label: String,
}

/// One thing that must, or may, be handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRequirement {
    id: EvidenceRequirementId,
    title: String,
    required: bool,
    description: Option<String>,
    media: Vec<String>,
    max_items: NonZeroU32,
    alternatives: Option<String>,
}

impl EvidenceRequirement {
    /// A requirement that accepts at least one media type.
    pub fn new(
        id: EvidenceRequirementId,
        title: String,
        required: bool,
        description: Option<String>,
        media: Vec<String>,
        max_items: NonZeroU32,
        alternatives: Option<String>,
    ) -> Result<EvidenceRequirement, DefinitionError> {
        if media.is_empty() {
            return Err(DefinitionError::NoMedia { evidence: id });
        }
        Ok(EvidenceRequirement { id, title, required, description, media, max_items, alternatives })
    }

    /// The id that criteria name it by.
    pub fn id(&self) -> &EvidenceRequirementId {
        &self.id
    }

    /// What is asked for.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether a submission is incomplete without it.
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// What is asked for, in more words.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The accepted media types.
    pub fn media(&self) -> &[String] {
        &self.media
    }

    /// The most files, links and texts together.
    pub fn max_items(&self) -> NonZeroU32 {
        self.max_items
    }

    /// Other forms of the same evidence, equal in the rubric.
    pub fn alternatives(&self) -> Option<&str> {
        self.alternatives.as_deref()
    }
}

/// Which evidence a team may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamEvidence {
    /// What several earners may hand in alike.
    pub shared: Vec<EvidenceRequirementId>,
    /// What each earner hands in alone.
    pub individual: Vec<EvidenceRequirementId>,
    /// What must be declared.
    pub rule: Option<String>,
}

/// What happens after a submission that did not earn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResubmissionPolicy {
    /// The most submissions of one earner; `None` for no limit.
    pub max_attempts: Option<NonZeroU32>,
    /// After this many not-yets a coach is offered.
    pub coaching_offered_after_not_yet: NonZeroU32,
    /// Whether passed criteria count in the next submission.
    pub carry_forward_passed_criteria: bool,
    /// Whether they do so only while nothing that is scored has changed.
    pub carry_forward_only_if_same_scoring_hash: bool,
    /// Whether new readers see the levels that were given before.
    pub reviewer_sees_prior_scores: bool,
    /// Whether a new lesson may replace the old one.
    pub authentic_reimplementation: bool,
}

impl Default for ResubmissionPolicy {
    /// No limit, a coach after three, passed criteria carried forward while nothing that is scored has changed.
    fn default() -> ResubmissionPolicy {
        ResubmissionPolicy {
            max_attempts: None,
            coaching_offered_after_not_yet: NonZeroU32::MIN.saturating_add(2),
            carry_forward_passed_criteria: true,
            carry_forward_only_if_same_scoring_hash: true,
            reviewer_sees_prior_scores: false,
            authentic_reimplementation: true,
        }
    }
}

/// How long an award lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// Months until an award expires; `None` for never.
    pub expires_after_months: Option<NonZeroU16>,
    /// What is handed in again before then.
    pub renewal: Option<Renewal>,
}

/// What is handed in again before an award expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// How much of it.
    pub mode: RenewalMode,
    /// The evidence requirements.
    pub evidence: Vec<EvidenceRequirementId>,
    /// The prompts.
    pub prompts: Vec<CriterionId>,
    /// How many people read it; `None` for the definition's own mode.
    pub review_mode: Option<ReviewMode>,
}

/// How much is handed in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RenewalMode {
    /// Only what the renewal lists.
    ShortEvidence,
    /// Everything.
    Full,
}

/// Why something cannot be a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// A definition asks for evidence.
    #[error("the definition asks for no evidence")]
    NoEvidence,
    /// More than [`MAX_EVIDENCE_REQUIREMENTS`].
    #[error("the definition has more than {MAX_EVIDENCE_REQUIREMENTS} evidence requirements")]
    TooMuchEvidence,
    /// An evidence requirement that accepts nothing.
    #[error("evidence requirement {evidence} accepts no media type")]
    NoMedia {
        /// The requirement.
        evidence: EvidenceRequirementId,
    },
    /// An award would show nothing.
    #[error("the definition names no skill")]
    NoSkills,
    /// The definition's own id is not an identifier.
    #[error("the definition's id is not an identifier")]
    Slug,
}
