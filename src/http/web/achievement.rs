//! The page of one version of a micro-credential: what it asks and how it is judged. The rubric is public.

use askama::Template;

use super::issuer::IssuerRef;
use super::words;
use crate::domain::alignment::Alignment;
use crate::domain::decision_rule::{DecisionRule, Form};
use crate::domain::definition::{Definition, EvidenceRequirement};
use crate::domain::review_policy::ReviewMode;
use crate::domain::rubric::{Criterion, Part, Prompt, RubricLevel};

/// What the page of one version shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AchievementPage {
    /// The family.
    pub micro_credential_id: String,
    /// The version, counted from 1.
    pub version: u32,
    /// Its own id, a whole URL, as it stands in badges.
    pub achievement_id: String,
    /// The organization that owns it.
    pub organization: IssuerRef,
    /// Whether it can no longer be earned.
    pub is_retired: bool,
    /// The number of a newer published version, if there is one.
    pub newer_version: Option<u32>,
    /// The number of the version before, if it is public.
    pub older_version: Option<u32>,
    /// What is different since then, in sentences.
    pub differences: Vec<String>,
    /// Whose proposals it began as, by the names under which they want to be credited.
    pub credits: Vec<String>,
    /// SHA-256 over everything, in hexadecimal.
    pub content_hash: String,
    /// SHA-256 over what is scored, in hexadecimal.
    pub scoring_hash: String,
    /// What it asks and how it is judged.
    pub definition: DefinitionView,
}

/// A definition as the page shows it. `DefinitionView::from` makes one of a [`Definition`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionView {
    /// What the authors call the version.
    pub label: String,
    /// The title.
    pub title: String,
    /// What it is, in a paragraph.
    pub summary: String,
    /// The one sentence that the rubric is about.
    pub competency: String,
    /// The language of these words, a tag of BCP 47.
    pub language: String,
    /// Under which terms others may use the text.
    pub license: Option<String>,
    /// Roles whose work it fits, in the words of definitions.
    pub audience: Vec<String>,
    /// A planning figure in hours, from and to.
    pub effort_hours: Option<(u32, u32)>,
    /// The way of working that is asked for.
    pub method: Option<MethodView>,
    /// What an award shows that the earner can do.
    pub skills: Vec<SkillView>,
    /// The items of frameworks that the whole belongs to.
    pub alignments: Vec<AlignmentView>,
    /// The title of the part that holds the evidence.
    pub evidence_title: String,
    /// What must, or may, be handed in.
    pub evidence: Vec<EvidenceView>,
    /// Rules for everything that is handed in.
    pub evidence_rules: Vec<String>,
    /// The parts with prompts.
    pub parts: Vec<PartView>,
    /// The rows of the rubric.
    pub criteria: Vec<CriterionView>,
    /// What the levels must come to, in the authors' words. `DefinitionView::from` leaves it out: they stand in the document alone.
    pub decision_prose: Option<String>,
    /// What the levels must come to, in words made of the rule itself. All of it must hold.
    pub decision: Vec<String>,
    /// How many people read the work.
    pub mode: ReviewMode,
    /// Whether readers must have qualified on known work.
    pub is_calibration_required: bool,
    /// The most submissions of one earner; `None` for no limit.
    pub max_attempts: Option<u32>,
    /// Months until an award expires; `None` for never.
    pub expires_after_months: Option<u16>,
}

/// The way of working that a definition asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodView {
    /// Its name.
    pub name: String,
    /// How it is done.
    pub description: String,
    /// Its steps or elements.
    pub steps: Vec<StepView>,
}

/// A step or element of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    /// Its title.
    pub title: String,
    /// How it is done.
    pub text: String,
}

/// What an award shows that the earner can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillView {
    /// The code by which searches and inventories name it.
    pub code: String,
    /// The skill in words.
    pub label: String,
}

/// An item of somebody's framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlignmentView {
    /// The framework.
    pub framework: String,
    /// The item, with its code where it has one.
    pub name: String,
    /// Where it is published.
    pub url: String,
}

impl From<&Alignment> for AlignmentView {
    fn from(alignment: &Alignment) -> AlignmentView {
        AlignmentView {
            framework: alignment.framework.clone(),
            name: match &alignment.code {
                None => alignment.name.clone(),
                Some(code) => format!("{code} {}", alignment.name),
            },
            url: alignment.url.clone(),
        }
    }
}

/// One thing that must, or may, be handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceView {
    /// The id that criteria name it by.
    pub id: String,
    /// What is asked for.
    pub title: String,
    /// Whether a submission is incomplete without it.
    pub is_required: bool,
    /// What is asked for, in more words.
    pub description: Option<String>,
    /// Other forms of the same evidence.
    pub alternatives: Option<String>,
    /// The accepted media types.
    pub media: Vec<String>,
    /// The most files, links and texts together.
    pub max_items: u32,
}

/// A part that consists of prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartView {
    /// Its title.
    pub title: String,
    /// Its prompts.
    pub prompts: Vec<PromptView>,
}

/// A question that the earner answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptView {
    /// The question.
    pub text: String,
    /// The most words of an answer.
    pub word_limit: Option<u32>,
    /// Other forms in which the answer may be given.
    pub alternatives: Vec<String>,
    /// The scale, lowest level first.
    pub levels: Vec<LevelView>,
}

/// One row of the rubric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriterionView {
    /// What it is about.
    pub title: String,
    /// Whether rules over essential criteria name it.
    pub is_essential: bool,
    /// The items of frameworks that it belongs to.
    pub alignments: Vec<AlignmentView>,
    /// Titles of the evidence that shows it.
    pub evidence: Vec<String>,
    /// The scale, lowest level first.
    pub levels: Vec<LevelView>,
}

/// One level of a scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelView {
    /// Its place on the scale, from 0.
    pub level: u8,
    /// Its name.
    pub label: String,
    /// What the evidence looks like.
    pub descriptor: String,
    /// Whether it is the lowest level that passes.
    pub is_pass_level: bool,
    /// Whether it passes.
    pub is_passing: bool,
}

impl From<&Definition> for DefinitionView {
    fn from(definition: &Definition) -> DefinitionView {
        let about = definition.about();
        let method = about.key_method.as_ref().map(|method| MethodView {
            name: method.name.clone(),
            description: method.description.clone(),
            steps: about
                .method_components
                .iter()
                .map(|step| StepView { title: step.title.clone(), text: step.text.clone() })
                .collect(),
        });
        let skills = definition.skills().iter();
        let rubric = definition.rubric();
        DefinitionView {
            label: definition.label().to_owned(),
            title: about.title.clone(),
            summary: about.summary.clone(),
            competency: about.competency.clone(),
            language: about.language.clone(),
            license: about.license.clone(),
            audience: about.audience.clone(),
            effort_hours: about.effort.as_ref().map(|effort| (effort.min, effort.max)),
            method,
            skills: skills
                .map(|skill| SkillView { code: skill.code.clone(), label: skill.label.clone() })
                .collect(),
            alignments: definition.alignments().iter().map(AlignmentView::from).collect(),
            evidence_title: definition.evidence_title().to_owned(),
            evidence: definition.evidence().iter().map(evidence_view).collect(),
            evidence_rules: about.evidence_rules.clone(),
            parts: rubric.parts().iter().map(part_view).collect(),
            criteria: rubric
                .criteria()
                .iter()
                .map(|criterion| criterion_view(definition, criterion))
                .collect(),
            decision_prose: None,
            decision: decision_in_words(definition),
            mode: definition.review_policy().mode(),
            is_calibration_required: definition.review_policy().calibration_required(),
            max_attempts: definition.resubmission().max_attempts.map(|most| most.get()),
            expires_after_months: definition
                .validity()
                .expires_after_months
                .map(|months| months.get()),
        }
    }
}

/// Writes the page of one version of a micro-credential.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn achievement_page(page: &AchievementPage) -> Result<String, askama::Error> {
    let template = AchievementTemplate {
        page,
        definition: &page.definition,
        audience: page.definition.audience.iter().map(|role| words::code_in_words(role)).collect(),
        mode: words::mode_in_present(page.definition.mode),
    };
    template.render()
}

#[derive(Template)]
#[template(path = "achievement.html", config = "src/http/web/templates/askama.toml")]
struct AchievementTemplate<'a> {
    page: &'a AchievementPage,
    definition: &'a DefinitionView,
    audience: Vec<String>,
    mode: &'static str,
}

impl AchievementTemplate<'_> {
    /// What follows from a submission that did not earn.
    fn next_try(&self) -> String {
        let so_often = match self.definition.max_attempts {
            None => "as often as needed".to_owned(),
            Some(1) => {
                return "There is one attempt. Whoever has not earned it yet gets feedback."
                    .to_owned();
            }
            Some(most) => format!("{} times in all", words::number_in_words(most)),
        };
        format!("Whoever has not earned it yet gets feedback and may try again, {so_often}.")
    }
}

impl EvidenceView {
    /// The accepted forms as people call them, each once.
    fn forms(&self) -> String {
        let mut forms: Vec<&str> = Vec::new();
        for media in &self.media {
            let form = form_of(media);
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        forms.join(", ")
    }
}

fn evidence_view(requirement: &EvidenceRequirement) -> EvidenceView {
    EvidenceView {
        id: requirement.id().to_string(),
        title: requirement.title().to_owned(),
        is_required: requirement.is_required(),
        description: requirement.description().map(str::to_owned),
        alternatives: requirement.alternatives().map(str::to_owned),
        media: requirement.media().to_vec(),
        max_items: requirement.max_items().get(),
    }
}

fn part_view(part: &Part) -> PartView {
    let prompts = part.prompts().iter().map(|prompt| PromptView {
        text: prompt.text().to_owned(),
        word_limit: prompt.word_limit(),
        alternatives: prompt.alternatives().to_vec(),
        levels: level_views(prompt.levels(), Prompt::PASS_LEVEL.number()),
    });
    PartView { title: part.title().to_owned(), prompts: prompts.collect() }
}

fn criterion_view(definition: &Definition, criterion: &Criterion) -> CriterionView {
    let evidence = criterion.evidence().iter();
    CriterionView {
        title: criterion.title().to_owned(),
        is_essential: criterion.is_essential(),
        alignments: criterion.alignments().iter().map(AlignmentView::from).collect(),
        // A draft may name evidence that it does not ask for; the id is the best word for it then.
        evidence: evidence
            .map(|id| {
                let known = definition.find_evidence(id.as_str());
                known.map_or_else(|| id.to_string(), |requirement| requirement.title().to_owned())
            })
            .collect(),
        levels: level_views(criterion.levels(), criterion.pass_level().number()),
    }
}

fn level_views(levels: &[RubricLevel], pass_level: u8) -> Vec<LevelView> {
    let views = levels.iter().map(|level| LevelView {
        level: level.level().number(),
        label: level.label().to_owned(),
        descriptor: level.descriptor().to_owned(),
        is_pass_level: level.level().number() == pass_level,
        is_passing: level.level().number() >= pass_level,
    });
    views.collect()
}

/// Everything that the rule asks for, one sentence each: a rule is nothing but "and" over the other forms.
fn decision_in_words(definition: &Definition) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut pending: Vec<&DecisionRule> = vec![definition.decision_rule()];
    while let Some(rule) = pending.pop() {
        let sentence = match rule.form() {
            Form::And(rules) => {
                pending.extend(rules.iter().rev());
                continue;
            }
            Form::AllPromptsAtLeast { parts, level } => {
                let titles: Vec<&str> = parts
                    .iter()
                    .map(|id| {
                        let part = definition.rubric().find_part(id.as_str());
                        part.map_or(id.as_str(), Part::title)
                    })
                    .collect();
                format!("level {level} or higher on every question of: {}", titles.join("; "))
            }
            Form::AllCriteriaAtPassLevel => "the pass level on every criterion".to_owned(),
            Form::EssentialCriteriaAtPassLevel => {
                "the pass level on every essential criterion".to_owned()
            }
            Form::CountCriteriaAtPassLevel { min } => {
                let all = definition.rubric().criteria().len();
                format!("the pass level on at least {min} of the {all} criteria")
            }
            Form::AllCriteriaAtLeast { level } => {
                format!("level {level} or higher on every criterion")
            }
        };
        sentences.push(sentence);
    }
    sentences
}

/// What people call files of this media type; the type itself where there is no better word.
fn form_of(media: &str) -> &str {
    match media {
        "application/pdf" => "PDF",
        "text/markdown" | "text/plain" => "text",
        "text/csv" => "table (CSV)",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "Word",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "Excel",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "PowerPoint",
        _ if media.starts_with("image/") => "picture",
        _ if media.starts_with("video/") => "video",
        _ if media.starts_with("audio/") => "audio",
        _ => media,
    }
}
