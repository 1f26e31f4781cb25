//! From our words to those of Open Badges: organizations become issuers, versions become achievements.

use super::award_basis::{Basis, ScoredWork, StackWork};
use crate::credential::document::{
    AchievedLevel, AchievementContent, AlignmentContent, CredentialContent, CriterionContent,
    HashedIdentity, IssuerContent, LevelContent, PartAward, PartContent, ScoringContent,
    StatusContent, hash_identity,
};
use crate::domain::alignment::Alignment;
use crate::domain::definition::Definition;
use crate::domain::ids::{AwardId, MicroCredentialId, OrganizationId, StackId, StatusListId};
use crate::domain::organization::Organization;
use crate::domain::review_policy::ReviewMode;
use crate::domain::rubric::Level;
use crate::store::awards::Award;
use crate::store::decisions::StoredDecision;
use crate::store::micro_credentials::Version;

/// `{base_url}/credentials/{award_id}`.
#[must_use]
pub fn credential_url(base_url: &str, award: AwardId) -> String {
    format!("{base_url}/credentials/{award}")
}

/// `{base_url}/achievements/{micro_credential_id}/versions/{n}`.
#[must_use]
pub fn achievement_url(base_url: &str, family: MicroCredentialId, number: i32) -> String {
    format!("{base_url}/achievements/{family}/versions/{number}")
}

/// `{base_url}/stacks/{id}`.
#[must_use]
pub fn stack_url(base_url: &str, stack: StackId) -> String {
    format!("{base_url}/stacks/{stack}")
}

/// `{base_url}/status-lists/{id}`.
#[must_use]
pub fn status_list_url(base_url: &str, list: StatusListId) -> String {
    format!("{base_url}/status-lists/{list}")
}

/// `{base_url}/revocation-lists/{organization_id}`.
#[must_use]
pub fn revocation_list_url(base_url: &str, organization: OrganizationId) -> String {
    format!("{base_url}/revocation-lists/{organization}")
}

/// An organization's face as issuer, under this identifier.
#[must_use]
pub fn issuer(id: &str, organization: &Organization) -> IssuerContent {
    IssuerContent {
        id: id.to_owned(),
        name: organization.name.clone(),
        url: organization.url.clone(),
        email: organization.email.clone(),
        description: None,
    }
}

/// A review mode as the definition's JSON and the badge name it.
#[must_use]
pub const fn mode_word(mode: ReviewMode) -> &'static str {
    match mode {
        ReviewMode::Single => "single",
        ReviewMode::ConditionalDouble => "conditional_double",
        ReviewMode::DoubleBlind => "double_blind",
    }
}

/// A version as an achievement.
#[must_use]
pub fn achievement(
    base_url: &str,
    version: &Version,
    definition: &Definition,
) -> AchievementContent {
    let id = achievement_url(base_url, version.micro_credential, version.number);
    let about = definition.about();
    let criteria = definition
        .rubric()
        .criteria()
        .iter()
        .map(|criterion| CriterionContent {
            id: criterion.id().as_str().to_owned(),
            name: criterion.title().to_owned(),
            alignments: criterion.alignments().iter().map(alignment).collect(),
            levels: criterion
                .levels()
                .iter()
                .map(|level| LevelContent {
                    id: level_id(level.level()),
                    name: level.label().to_owned(),
                    level: level.level().to_string(),
                    description: Some(level.descriptor().to_owned()),
                })
                .collect(),
            required_level: level_id(criterion.pass_level()),
        })
        .collect();
    AchievementContent {
        criteria_id: id.clone(),
        id,
        name: about.title.clone(),
        description: about.summary.clone(),
        criteria_narrative: narrative(definition),
        version: version.label.clone(),
        language: about.language.clone(),
        tags: definition.skills().iter().map(|skill| skill.label.clone()).collect(),
        alignments: definition.alignments().iter().map(alignment).collect(),
        criteria,
        parts: Vec::new(),
    }
}

/// An alignment as Open Badges writes it. Items are those of CASE frameworks, which is what `targetType` says.
fn alignment(alignment: &Alignment) -> AlignmentContent {
    AlignmentContent {
        target_name: alignment.name.clone(),
        target_url: alignment.url.clone(),
        target_code: alignment.code.clone(),
        target_framework: Some(alignment.framework.clone()),
        target_description: alignment.description.clone(),
        target_type: alignment.identifier.is_some().then(|| "CFItem".to_owned()),
    }
}

fn level_id(level: Level) -> String {
    level.to_string()
}

/// What one has to do, in the definition's own words.
fn narrative(definition: &Definition) -> String {
    let about = definition.about();
    let mut text = about.competency.clone();
    if let Some(method) = &about.key_method {
        text.push_str(&format!("\n\n{}: {}", method.name, method.description));
    }
    text
}

/// How the decision came about, for the badge.
#[must_use]
pub fn scoring(
    version: &Version,
    definition: &Definition,
    decision: &StoredDecision,
) -> ScoringContent {
    ScoringContent {
        scoring_hash: version.scoring_hash.clone(),
        review_mode: mode_word(definition.review_policy().mode()).to_owned(),
        raters: u32::try_from(decision.raters).unwrap_or(0),
        assessors_qualified: decision.assessors_qualified,
    }
}

/// What one badge is made of.
pub struct BadgeParts<'a> {
    /// The base URL fixed at `init`.
    pub base_url: &'a str,
    /// The award.
    pub award: &'a Award,
    /// Who issues.
    pub issuer: &'a Organization,
    /// Its identifier.
    pub issuer_id: &'a str,
    /// What it rests on.
    pub basis: &'a Basis,
    /// The earner's address; only its salted hash goes in.
    pub email: &'a str,
    /// The salt.
    pub salt: String,
    /// The random subject id.
    pub subject_id: uuid::Uuid,
    /// Where its end is published.
    pub status: StatusContent,
    /// From when it is valid.
    pub valid_from: crate::domain::timestamp::Timestamp,
}

/// The content of a badge.
#[must_use]
pub fn credential(parts: BadgeParts<'_>) -> CredentialContent {
    let BadgeParts { base_url, basis, .. } = parts;
    let (achievement, achieved_levels, scoring, part_awards) = match basis {
        Basis::Submission(work) => {
            let achieved = work.include_results.then(|| achieved_levels(work));
            let scoring = scoring(&work.version, &work.definition, &work.decision);
            let achievement = achievement(base_url, &work.version, &work.definition);
            (achievement, achieved, Some(scoring), Vec::new())
        }
        Basis::Stack(work) => {
            let named = work.parts.iter().map(|part| PartAward {
                part_id: part.slug.clone(),
                credential: credential_url(base_url, part.award.id),
            });
            (stack_achievement(base_url, work), None, None, named.collect())
        }
    };
    CredentialContent {
        id: credential_url(base_url, parts.award.id),
        issuer: issuer(parts.issuer_id, parts.issuer),
        valid_from: parts.valid_from.as_utc(),
        valid_until: parts.award.valid_until.map(|until| until.as_utc()),
        subject_id: format!("urn:uuid:{}", parts.subject_id),
        identity: HashedIdentity {
            identity_hash: hash_identity(parts.email, &parts.salt),
            salt: parts.salt,
        },
        achievement,
        achieved_levels,
        scoring,
        part_awards,
        evidence: Vec::new(),
        status: parts.status,
    }
}

fn achieved_levels(work: &ScoredWork) -> Vec<AchievedLevel> {
    let criteria = work.definition.rubric().criteria().iter();
    criteria
        .filter_map(|criterion| {
            let level = work.decision.levels.get(criterion.id().as_str())?.level?;
            Some(AchievedLevel {
                criterion_id: criterion.id().as_str().to_owned(),
                level_id: level.to_string(),
            })
        })
        .collect()
}

/// A stack as an achievement. What it can be made of stands in its order.
#[must_use]
pub fn stack_achievement(base_url: &str, work: &StackWork) -> AchievementContent {
    let id = stack_url(base_url, work.stack.id);
    let part =
        |(slug, title): &(String, String)| PartContent { id: slug.clone(), name: title.clone() };
    AchievementContent {
        criteria_id: id.clone(),
        id,
        name: work.stack.title.clone(),
        description: work.definition.summary.clone().unwrap_or_else(|| work.stack.title.clone()),
        criteria_narrative: work.rule_in_words().join("\n\n"),
        version: work.stack.label.clone(),
        language: work.definition.language.clone(),
        tags: Vec::new(),
        alignments: Vec::new(),
        criteria: Vec::new(),
        parts: work.titles.iter().map(part).collect(),
    }
}
