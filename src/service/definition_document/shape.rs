//! The JSON shape of a definition that follows the schema, and its translation into the domain.

use std::num::{NonZeroU16, NonZeroU32};

use serde::Deserialize;
use serde_json::Value;

use super::schema::FieldError;
use crate::domain::alignment::Alignment;
use crate::domain::decision_rule::{DecisionRule, DecisionRuleError, Form};
use crate::domain::definition::{
    About, Definition, DefinitionContents, DefinitionError, EffortHours, EvidenceRequirement,
    KeyMethod, MethodComponent, Rationale, Renewal, RenewalMode, Resource, ResubmissionPolicy,
    Skill, TeamEvidence, Validity,
};
use crate::domain::ids::BankItemId;
use crate::domain::review_policy::{
    AdjacentRule, BasisPoints, ConflictRule, ResolutionRule, ReviewMode, ReviewPolicy,
    ReviewPolicyError, ReviewTerms,
};
use crate::domain::rubric::{
    Criterion, CriterionId, EvidenceRequirementId, IdError, Level, Part, PartId, Prompt, Rubric,
    RubricError, RubricLevel,
};

/// Reads a document that follows the schema.
///
/// What the schema lets through has a domain value; a test holds the two together. Should they part all the
/// same, the document is refused as a whole.
pub(super) fn read(document: &Value) -> Result<Definition, FieldError> {
    let refuse = |error: &dyn std::fmt::Display| {
        FieldError::new(
            String::new(),
            "unreadable",
            format!("The definition cannot be read: {error}."),
        )
    };
    let shape = DefinitionShape::deserialize(document).map_err(|error| refuse(&error))?;
    shape.into_domain().map_err(|error| refuse(&error))
}

#[derive(Debug, thiserror::Error)]
enum ShapeError {
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Rubric(#[from] RubricError),
    #[error(transparent)]
    DecisionRule(#[from] DecisionRuleError),
    #[error(transparent)]
    ReviewPolicy(#[from] ReviewPolicyError),
    #[error(transparent)]
    Definition(#[from] DefinitionError),
}

#[derive(Deserialize)]
struct DefinitionShape {
    id: String,
    version: String,
    language: String,
    license: Option<String>,
    title: String,
    summary: String,
    competency: String,
    audience: Vec<String>,
    estimated_effort_hours: Option<EffortShape>,
    skills: Vec<SkillShape>,
    #[serde(default)]
    alignments: Vec<AlignmentShape>,
    key_method: Option<KeyMethodShape>,
    #[serde(default)]
    method_components: Vec<MethodComponentShape>,
    #[serde(default)]
    supporting_rationale: Vec<RationaleShape>,
    #[serde(default)]
    resources: Vec<ResourceShape>,
    #[serde(default)]
    evidence_rules: Vec<String>,
    team_evidence: Option<TeamEvidenceShape>,
    submission: SubmissionShape,
    decision_rule: RuleShape,
    review_policy: ReviewPolicyShape,
    resubmission_policy: Option<ResubmissionShape>,
    validity: Option<ValidityShape>,
    #[serde(default)]
    stacks: Vec<String>,
}

impl DefinitionShape {
    fn into_domain(self) -> Result<Definition, ShapeError> {
        let part2 = self.submission.part2;
        let prompt_parts = [("part1", self.submission.part1), ("part3", self.submission.part3)];
        let parts = prompt_parts.into_iter().filter_map(|(id, part)| Some((id, part?)));
        let parts = each(parts, |(id, part): (&str, PromptPartShape)| {
            Ok(Part::new(
                PartId::new(id)?,
                part.title,
                each(part.prompts, PromptShape::into_domain)?,
            )?)
        })?;
        let about = About {
            title: self.title,
            summary: self.summary,
            competency: self.competency,
            language: self.language,
            license: self.license,
            audience: self.audience,
            effort: self.estimated_effort_hours.map(EffortShape::into_domain),
            key_method: self.key_method.map(KeyMethodShape::into_domain),
            method_components: all(self.method_components, MethodComponentShape::into_domain),
            rationale: all(self.supporting_rationale, RationaleShape::into_domain),
            resources: all(self.resources, ResourceShape::into_domain),
            evidence_rules: self.evidence_rules,
        };
        Ok(Definition::new(DefinitionContents {
            slug: self.id,
            label: self.version,
            about,
            skills: all(self.skills, SkillShape::into_domain),
            alignments: all(self.alignments, AlignmentShape::into_domain),
            evidence_title: part2.title,
            evidence: each(part2.evidence, EvidenceShape::into_domain)?,
            team_evidence: self.team_evidence.map(TeamEvidenceShape::into_domain).transpose()?,
            rubric: Rubric::new(parts, each(part2.criteria, CriterionShape::into_domain)?)?,
            decision_rule: self.decision_rule.into_domain()?,
            review_policy: self.review_policy.into_domain()?,
            resubmission: self.resubmission_policy.unwrap_or_default().into_domain(),
            validity: self
                .validity
                .map(ValidityShape::into_domain)
                .transpose()?
                .unwrap_or_default(),
            stacks: self.stacks,
        })?)
    }
}

#[derive(Deserialize)]
struct EffortShape {
    min: u32,
    max: u32,
    note: Option<String>,
}

impl EffortShape {
    fn into_domain(self) -> EffortHours {
        EffortHours { min: self.min, max: self.max, note: self.note }
    }
}

#[derive(Deserialize)]
struct AlignmentShape {
    framework: String,
    name: String,
    url: String,
    identifier: Option<String>,
    code: Option<String>,
    description: Option<String>,
}

impl AlignmentShape {
    fn into_domain(self) -> Alignment {
        Alignment {
            framework: self.framework,
            name: self.name,
            url: self.url,
            identifier: self.identifier,
            code: self.code,
            description: self.description,
        }
    }
}

#[derive(Deserialize)]
struct SkillShape {
    code: String,
    label: String,
}

impl SkillShape {
    fn into_domain(self) -> Skill {
        Skill { code: self.code, label: self.label }
    }
}

#[derive(Deserialize)]
struct KeyMethodShape {
    name: String,
    description: String,
}

impl KeyMethodShape {
    fn into_domain(self) -> KeyMethod {
        KeyMethod { name: self.name, description: self.description }
    }
}

#[derive(Deserialize)]
struct MethodComponentShape {
    title: String,
    text: String,
}

impl MethodComponentShape {
    fn into_domain(self) -> MethodComponent {
        MethodComponent { title: self.title, text: self.text }
    }
}

#[derive(Deserialize)]
struct RationaleShape {
    claim: String,
    source: String,
}

impl RationaleShape {
    fn into_domain(self) -> Rationale {
        Rationale { claim: self.claim, source: self.source }
    }
}

#[derive(Deserialize)]
struct ResourceShape {
    title: String,
    #[serde(rename = "type")]
    kind: String,
}

impl ResourceShape {
    fn into_domain(self) -> Resource {
        Resource { title: self.title, kind: self.kind }
    }
}

#[derive(Deserialize)]
struct TeamEvidenceShape {
    shared_artifacts: Vec<String>,
    individual_artifacts: Vec<String>,
    rule: Option<String>,
}

impl TeamEvidenceShape {
    fn into_domain(self) -> Result<TeamEvidence, ShapeError> {
        Ok(TeamEvidence {
            shared: evidence_ids(self.shared_artifacts)?,
            individual: evidence_ids(self.individual_artifacts)?,
            rule: self.rule,
        })
    }
}

#[derive(Deserialize)]
struct SubmissionShape {
    part1: Option<PromptPartShape>,
    part2: EvidencePartShape,
    part3: Option<PromptPartShape>,
}

#[derive(Deserialize)]
struct PromptPartShape {
    title: String,
    prompts: Vec<PromptShape>,
}

#[derive(Deserialize)]
struct PromptShape {
    id: String,
    text: String,
    word_limit: Option<u32>,
    #[serde(default)]
    alternatives: Vec<String>,
    levels: Vec<LevelShape>,
    #[serde(default)]
    alignments: Vec<AlignmentShape>,
    bank_item: Option<BankItemId>,
}

impl PromptShape {
    fn into_domain(self) -> Result<Prompt, ShapeError> {
        let levels = all(self.levels, LevelShape::into_domain);
        Ok(Prompt::new(
            CriterionId::new(self.id)?,
            self.text,
            self.word_limit,
            self.alternatives,
            levels,
        )?
        .with_alignments(all(self.alignments, AlignmentShape::into_domain))
        .with_bank_item(self.bank_item))
    }
}

#[derive(Deserialize)]
struct EvidencePartShape {
    title: String,
    evidence: Vec<EvidenceShape>,
    criteria: Vec<CriterionShape>,
}

#[derive(Deserialize)]
struct EvidenceShape {
    id: String,
    title: String,
    required: bool,
    description: Option<String>,
    media: Vec<String>,
    max_items: NonZeroU32,
    alternatives: Option<String>,
}

impl EvidenceShape {
    fn into_domain(self) -> Result<EvidenceRequirement, ShapeError> {
        Ok(EvidenceRequirement::new(
            EvidenceRequirementId::new(self.id)?,
            self.title,
            self.required,
            self.description,
            self.media,
            self.max_items,
            self.alternatives,
        )?)
    }
}

#[derive(Deserialize)]
struct CriterionShape {
    id: String,
    title: String,
    evidence: Vec<String>,
    pass_level: u8,
    essential: bool,
    levels: Vec<LevelShape>,
    #[serde(default)]
    alignments: Vec<AlignmentShape>,
    bank_item: Option<BankItemId>,
}

impl CriterionShape {
    fn into_domain(self) -> Result<Criterion, ShapeError> {
        Ok(Criterion::new(
            CriterionId::new(self.id)?,
            self.title,
            evidence_ids(self.evidence)?,
            all(self.levels, LevelShape::into_domain),
            Level::new(self.pass_level),
            self.essential,
        )?
        .with_alignments(all(self.alignments, AlignmentShape::into_domain))
        .with_bank_item(self.bank_item))
    }
}

#[derive(Deserialize)]
struct LevelShape {
    level: u8,
    label: String,
    descriptor: String,
}

impl LevelShape {
    fn into_domain(self) -> RubricLevel {
        RubricLevel::new(Level::new(self.level), self.label, self.descriptor)
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum RuleShape {
    And { of: Vec<RuleShape> },
    AllPromptsAtLeast { parts: Vec<String>, level: u8 },
    AllCriteriaAtPassLevel {},
    EssentialCriteriaAtPassLevel {},
    CountCriteriaAtPassLevel { min: u32 },
    AllCriteriaAtLeast { level: u8 },
}

impl RuleShape {
    // The schema has bounded the layers, and the limits on nesting have before it.
    fn into_domain(self) -> Result<DecisionRule, ShapeError> {
        Ok(DecisionRule::new(match self {
            RuleShape::And { of } => Form::And(each(of, RuleShape::into_domain)?),
            RuleShape::AllPromptsAtLeast { parts, level } => Form::AllPromptsAtLeast {
                parts: each(parts, |part| Ok(PartId::new(part)?))?,
                level: Level::new(level),
            },
            RuleShape::AllCriteriaAtPassLevel {} => Form::AllCriteriaAtPassLevel,
            RuleShape::EssentialCriteriaAtPassLevel {} => Form::EssentialCriteriaAtPassLevel,
            RuleShape::CountCriteriaAtPassLevel { min } => Form::CountCriteriaAtPassLevel { min },
            RuleShape::AllCriteriaAtLeast { level } => {
                Form::AllCriteriaAtLeast { level: Level::new(level) }
            }
        })?)
    }
}

#[derive(Deserialize)]
struct ReviewPolicyShape {
    mode: ModeShape,
    backread_share_bp: Option<u16>,
    second_score_when_not_yet: Option<bool>,
    double_when: Option<DoubleWhenShape>,
    double_score_prompts: Option<bool>,
    discrepancy_threshold: Option<u8>,
    adjudicate_on_decision_split: Option<bool>,
    adjacent_same_side: Option<AdjacentShape>,
    resolution: Option<ResolutionShape>,
    coi: Option<Vec<ConflictShape>>,
    calibration_required: Option<bool>,
}

impl ReviewPolicyShape {
    fn into_domain(self) -> Result<ReviewPolicy, ShapeError> {
        let defaults = ReviewTerms::of_mode(self.mode.into_domain());
        let double_when = self.double_when.unwrap_or_default();
        let levels = double_when.any_criterion_at_levels;
        Ok(ReviewPolicy::new(ReviewTerms {
            mode: defaults.mode,
            backread_share: share(self.backread_share_bp, defaults.backread_share)?,
            second_score_when_not_yet: self
                .second_score_when_not_yet
                .unwrap_or(defaults.second_score_when_not_yet),
            double_at_levels: levels.map(|levels| all(levels, Level::new)),
            double_share: share(double_when.random_share_bp, defaults.double_share)?,
            double_score_prompts: self
                .double_score_prompts
                .unwrap_or(defaults.double_score_prompts),
            discrepancy_threshold: self
                .discrepancy_threshold
                .unwrap_or(defaults.discrepancy_threshold),
            adjudicate_on_decision_split: self
                .adjudicate_on_decision_split
                .unwrap_or(defaults.adjudicate_on_decision_split),
            adjacent_same_side: self
                .adjacent_same_side
                .map_or(defaults.adjacent_same_side, AdjacentShape::into_domain),
            resolution: self.resolution.map_or(defaults.resolution, ResolutionShape::into_domain),
            conflict_rules: all(self.coi.unwrap_or_default(), ConflictShape::into_domain),
            calibration_required: self
                .calibration_required
                .unwrap_or(defaults.calibration_required),
        })?)
    }
}

#[derive(Default, Deserialize)]
struct DoubleWhenShape {
    any_criterion_at_levels: Option<Vec<u8>>,
    random_share_bp: Option<u16>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModeShape {
    Single,
    ConditionalDouble,
    DoubleBlind,
}

impl ModeShape {
    fn into_domain(self) -> ReviewMode {
        match self {
            ModeShape::Single => ReviewMode::Single,
            ModeShape::ConditionalDouble => ReviewMode::ConditionalDouble,
            ModeShape::DoubleBlind => ReviewMode::DoubleBlind,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AdjacentShape {
    Lower,
    Higher,
}

impl AdjacentShape {
    fn into_domain(self) -> AdjacentRule {
        match self {
            AdjacentShape::Lower => AdjacentRule::Lower,
            AdjacentShape::Higher => AdjacentRule::Higher,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ResolutionShape {
    ExpertReplaces,
    MedianOfThree,
}

impl ResolutionShape {
    fn into_domain(self) -> ResolutionRule {
        match self {
            ResolutionShape::ExpertReplaces => ResolutionRule::ExpertReplaces,
            ResolutionShape::MedianOfThree => ResolutionRule::MedianOfThree,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ConflictShape {
    #[serde(rename = "self")]
    SelfReview,
    SameSchool,
    SameDistrict,
    EvaluatesOrIsEvaluatedBy,
    CoachedThisAttempt,
    CoauthorOfArtifact,
    Declared,
    OwnOpenAttemptOnDefinition,
    ScoredEarlierAttempt,
    InvolvedInMatterUnderAppeal,
}

impl ConflictShape {
    fn into_domain(self) -> ConflictRule {
        match self {
            ConflictShape::SelfReview => ConflictRule::SelfReview,
            ConflictShape::SameSchool => ConflictRule::SameSchool,
            ConflictShape::SameDistrict => ConflictRule::SameDistrict,
            ConflictShape::EvaluatesOrIsEvaluatedBy => ConflictRule::EvaluatesOrIsEvaluatedBy,
            ConflictShape::CoachedThisAttempt => ConflictRule::CoachedThisAttempt,
            ConflictShape::CoauthorOfArtifact => ConflictRule::CoauthorOfEvidence,
            ConflictShape::Declared => ConflictRule::Declared,
            ConflictShape::OwnOpenAttemptOnDefinition => ConflictRule::OwnOpenAttempt,
            ConflictShape::ScoredEarlierAttempt => ConflictRule::ScoredEarlierAttempt,
            ConflictShape::InvolvedInMatterUnderAppeal => ConflictRule::InvolvedInAppealedMatter,
        }
    }
}

#[derive(Default, Deserialize)]
struct ResubmissionShape {
    max_attempts: Option<NonZeroU32>,
    coaching_offered_after_not_yet: Option<NonZeroU32>,
    carry_forward_passed_criteria: Option<bool>,
    carry_forward_only_if_same_scoring_hash: Option<bool>,
    reviewer_sees_prior_scores: Option<bool>,
    authentic_reimplementation: Option<bool>,
}

impl ResubmissionShape {
    fn into_domain(self) -> ResubmissionPolicy {
        let defaults = ResubmissionPolicy::default();
        ResubmissionPolicy {
            max_attempts: self.max_attempts,
            coaching_offered_after_not_yet: self
                .coaching_offered_after_not_yet
                .unwrap_or(defaults.coaching_offered_after_not_yet),
            carry_forward_passed_criteria: self
                .carry_forward_passed_criteria
                .unwrap_or(defaults.carry_forward_passed_criteria),
            carry_forward_only_if_same_scoring_hash: self
                .carry_forward_only_if_same_scoring_hash
                .unwrap_or(defaults.carry_forward_only_if_same_scoring_hash),
            reviewer_sees_prior_scores: self
                .reviewer_sees_prior_scores
                .unwrap_or(defaults.reviewer_sees_prior_scores),
            authentic_reimplementation: self
                .authentic_reimplementation
                .unwrap_or(defaults.authentic_reimplementation),
        }
    }
}

#[derive(Deserialize)]
struct ValidityShape {
    expires_after_months: Option<NonZeroU16>,
    renewal: Option<RenewalShape>,
}

impl ValidityShape {
    fn into_domain(self) -> Result<Validity, ShapeError> {
        let renewal = self.renewal.map(RenewalShape::into_domain).transpose()?;
        Ok(Validity { expires_after_months: self.expires_after_months, renewal })
    }
}

#[derive(Deserialize)]
struct RenewalShape {
    mode: RenewalModeShape,
    #[serde(default)]
    evidence: Vec<String>,
    #[serde(default)]
    prompts: Vec<String>,
    review_mode: Option<ModeShape>,
}

impl RenewalShape {
    fn into_domain(self) -> Result<Renewal, ShapeError> {
        let mode = match self.mode {
            RenewalModeShape::ShortEvidence => RenewalMode::ShortEvidence,
            RenewalModeShape::Full => RenewalMode::Full,
        };
        Ok(Renewal {
            mode,
            evidence: evidence_ids(self.evidence)?,
            prompts: each(self.prompts, |id| Ok(CriterionId::new(id)?))?,
            review_mode: self.review_mode.map(ModeShape::into_domain),
        })
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RenewalModeShape {
    ShortEvidence,
    Full,
}

fn evidence_ids(ids: Vec<String>) -> Result<Vec<EvidenceRequirementId>, ShapeError> {
    each(ids, |id| Ok(EvidenceRequirementId::new(id)?))
}

fn share(value: Option<u16>, default: BasisPoints) -> Result<BasisPoints, ShapeError> {
    value.map_or(Ok(default), |value| Ok(BasisPoints::new(value)?))
}

fn each<T, U>(
    items: impl IntoIterator<Item = T>,
    read: impl FnMut(T) -> Result<U, ShapeError>,
) -> Result<Vec<U>, ShapeError> {
    items.into_iter().map(read).collect()
}

fn all<T, U>(items: Vec<T>, read: impl FnMut(T) -> U) -> Vec<U> {
    items.into_iter().map(read).collect()
}
