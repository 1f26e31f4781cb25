//! What publishing refuses in a definition that follows the schema.

use std::collections::BTreeSet;

use crate::domain::decision_rule::{Obstacle, ObstacleReason};
use crate::domain::definition::Definition;
use crate::domain::rubric::{Criterion, EvidenceRequirementId, Prompt, RubricLevel, ScoredItem};

/// One thing that keeps a definition from being published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where, as an RFC 6901 pointer into the definition.
    pub pointer: String,
    /// A stable word for the kind of finding.
    pub code: &'static str,
    /// What to do about it, in a sentence.
    pub detail: String,
}

/// Everything that keeps a definition from being published, in the order of the document.
///
/// `allowed_media` are the media types that the service accepts. The codes:
///
/// | code | refused |
/// | --- | --- |
/// | `duplicate_id` | a prompt or criterion, or an evidence requirement, repeats an id |
/// | `too_few_levels` | a scale has fewer than two levels |
/// | `too_many_levels` | a prompt has more than two levels |
/// | `level_gap` | a scale does not count 0, 1, 2 … in this order |
/// | `pass_level_zero` | any work passes the criterion |
/// | `pass_level_above_top` | no work passes the criterion |
/// | `criterion_without_evidence` | nothing that is handed in shows the criterion |
/// | `unknown_evidence` | an id names no evidence requirement |
/// | `unknown_prompt` | the renewal names no prompt of the definition |
/// | `media_not_allowed` | the service does not accept the media type |
/// | `rule_unknown_part` | the decision rule names a part without prompts |
/// | `rule_level_out_of_reach` | a scale ends below the level that the decision rule asks for |
/// | `rule_count_out_of_reach` | the decision rule asks for more criteria than there are |
/// | `rule_without_essential_criteria` | the decision rule is about essential criteria and there are none |
/// | `rule_always_met` | the decision rule asks for level 0 or for none of the criteria |
/// | `unknown_level` | a level that calls for a second reading is on no criterion's scale |
/// | `repeated_alignment` | a list names the same item of a framework twice |
/// | `too_many_alignments` | the definition has more than 60 alignments in all; they would make a badge too large |
/// | `without_adjudication` | readings on different sides of the cut would not be adjudicated |
///
/// An evidence requirement that no criterion names is allowed: it may be context for the reader.
pub fn findings(definition: &Definition, allowed_media: &[&str]) -> Vec<Finding> {
    let mut found = Collector::default();
    check_team_evidence(definition, &mut found);
    check_prompts(definition, &mut found);
    check_evidence(definition, allowed_media, &mut found);
    check_criteria(definition, &mut found);
    for obstacle in definition.decision_rule().obstacles(definition.rubric()) {
        found.obstacle(&obstacle);
    }
    check_review_policy(definition, &mut found);
    check_renewal(definition, &mut found);
    check_alignments(definition, &mut found);
    found.findings
}

/// The most alignments of a definition, those of its criteria and prompts included.
const MAX_ALIGNMENTS: usize = 60;

fn check_alignments(definition: &Definition, found: &mut Collector<'_>) {
    let mut lists = vec![(String::new(), definition.alignments())];
    for part in definition.rubric().parts() {
        for (index, prompt) in part.prompts().iter().enumerate() {
            let pointer = format!("/submission/{}/prompts/{index}", part.id());
            lists.push((pointer, prompt.alignments()));
        }
    }
    for (index, criterion) in definition.rubric().criteria().iter().enumerate() {
        lists.push((format!("{PART_2}/criteria/{index}"), criterion.alignments()));
    }
    for (pointer, alignments) in &lists {
        let mut urls = BTreeSet::new();
        for (index, alignment) in alignments.iter().enumerate() {
            if !urls.insert(alignment.url.as_str()) {
                let detail = "The item stands in this list already; name it once.".to_owned();
                found.add(
                    format!("{pointer}/alignments/{index}/url"),
                    "repeated_alignment",
                    detail,
                );
            }
        }
    }
    if lists.iter().map(|(_, alignments)| alignments.len()).sum::<usize>() > MAX_ALIGNMENTS {
        let detail = format!("Name at most {MAX_ALIGNMENTS} items of frameworks in all.");
        found.add("/alignments".to_owned(), "too_many_alignments", detail);
    }
}

const PART_2: &str = "/submission/part2";

#[derive(Default)]
struct Collector<'a> {
    findings: Vec<Finding>,
    /// Ids of prompts and criteria so far. They are scored under one set of ids.
    items: BTreeSet<&'a str>,
}

impl<'a> Collector<'a> {
    fn add(&mut self, pointer: String, code: &'static str, detail: String) {
        self.findings.push(Finding { pointer, code, detail });
    }

    fn item_id(&mut self, pointer: &str, id: &'a str) {
        if !self.items.insert(id) {
            let detail =
                format!("Another prompt or criterion has the id `{id}`; give each its own.");
            self.add(format!("{pointer}/id"), "duplicate_id", detail);
        }
    }

    fn scale(&mut self, pointer: &str, levels: &[RubricLevel]) {
        if levels.len() < 2 {
            let detail =
                "A scale needs at least two levels, one of which does not pass.".to_owned();
            self.add(format!("{pointer}/levels"), "too_few_levels", detail);
        }
        let misplaced = levels
            .iter()
            .enumerate()
            .find(|(index, known)| usize::from(known.level().number()) != *index);
        if let Some((index, known)) = misplaced {
            let level = known.level();
            let detail =
                format!("Levels count from 0 without gaps: {index} belongs here, not {level}.");
            self.add(format!("{pointer}/levels/{index}/level"), "level_gap", detail);
        }
    }

    fn evidence_ids(
        &mut self,
        definition: &Definition,
        pointer: &str,
        ids: &[EvidenceRequirementId],
    ) {
        for (index, id) in ids.iter().enumerate() {
            if definition.find_evidence(id.as_str()).is_none() {
                let detail = format!("No evidence requirement has the id `{id}`.");
                self.add(format!("{pointer}/{index}"), "unknown_evidence", detail);
            }
        }
    }

    fn obstacle(&mut self, obstacle: &Obstacle) {
        let mut pointer = "/decision_rule".to_owned();
        for index in obstacle.path() {
            pointer.push_str(&format!("/of/{index}"));
        }
        let (member, code, detail) = match obstacle.reason() {
            ObstacleReason::UnknownPart { index, part } => (
                format!("/parts/{index}"),
                "rule_unknown_part",
                format!("The definition has no part `{part}` with prompts."),
            ),
            ObstacleReason::LevelOutOfReach { item, top, level } => (
                "/level".to_owned(),
                "rule_level_out_of_reach",
                format!(
                    "Nobody can meet the rule: it asks for level {level}, and `{item}` ends at {top}."
                ),
            ),
            ObstacleReason::CountOutOfReach { min, criteria } => (
                "/min".to_owned(),
                "rule_count_out_of_reach",
                format!(
                    "Nobody can meet the rule: it asks for {min} criteria, and there are {criteria}."
                ),
            ),
            ObstacleReason::NoEssentialCriteria => (
                "/type".to_owned(),
                "rule_without_essential_criteria",
                "The rule is about essential criteria; mark at least one, or leave the rule out."
                    .to_owned(),
            ),
            ObstacleReason::LevelZero => (
                "/level".to_owned(),
                "rule_always_met",
                "Any work meets the rule: ask for level 1 or more, or leave the rule out."
                    .to_owned(),
            ),
            ObstacleReason::CountZero => (
                "/min".to_owned(),
                "rule_always_met",
                "Any work meets the rule: ask for at least one criterion, or leave the rule out."
                    .to_owned(),
            ),
        };
        self.add(format!("{pointer}{member}"), code, detail);
    }
}

fn check_team_evidence(definition: &Definition, found: &mut Collector<'_>) {
    if let Some(team) = definition.team_evidence() {
        found.evidence_ids(definition, "/team_evidence/shared_artifacts", &team.shared);
        found.evidence_ids(definition, "/team_evidence/individual_artifacts", &team.individual);
    }
}

fn check_prompts<'a>(definition: &'a Definition, found: &mut Collector<'a>) {
    for part in definition.rubric().parts() {
        for (index, prompt) in part.prompts().iter().enumerate() {
            check_prompt(&format!("/submission/{}/prompts/{index}", part.id()), prompt, found);
        }
    }
}

fn check_prompt<'a>(pointer: &str, prompt: &'a Prompt, found: &mut Collector<'a>) {
    found.item_id(pointer, prompt.id().as_str());
    found.scale(pointer, prompt.levels());
    if prompt.levels().len() > 2 {
        let detail =
            "A prompt has the two levels 0 and 1; make it a criterion if it needs more.".to_owned();
        found.add(format!("{pointer}/levels"), "too_many_levels", detail);
    }
}

fn check_evidence(definition: &Definition, allowed_media: &[&str], found: &mut Collector<'_>) {
    let mut ids = BTreeSet::new();
    for (index, requirement) in definition.evidence().iter().enumerate() {
        let pointer = format!("{PART_2}/evidence/{index}");
        let id = requirement.id();
        if !ids.insert(id) {
            let detail =
                format!("Another evidence requirement has the id `{id}`; give each its own.");
            found.add(format!("{pointer}/id"), "duplicate_id", detail);
        }
        for (index, media) in requirement.media().iter().enumerate() {
            if !allowed_media.contains(&media.as_str()) {
                let detail = format!("The service does not accept {media}.");
                found.add(format!("{pointer}/media/{index}"), "media_not_allowed", detail);
            }
        }
    }
}

fn check_criteria<'a>(definition: &'a Definition, found: &mut Collector<'a>) {
    for (index, criterion) in definition.rubric().criteria().iter().enumerate() {
        let pointer = format!("{PART_2}/criteria/{index}");
        found.item_id(&pointer, criterion.id().as_str());
        check_shown_by(definition, &pointer, criterion, found);
        check_pass_level(&pointer, criterion, found);
        found.scale(&pointer, criterion.levels());
    }
}

fn check_shown_by(
    definition: &Definition,
    pointer: &str,
    criterion: &Criterion,
    found: &mut Collector<'_>,
) {
    let pointer = format!("{pointer}/evidence");
    if criterion.evidence().is_empty() {
        let detail = "Name at least one evidence requirement that shows the criterion.".to_owned();
        found.add(pointer, "criterion_without_evidence", detail);
    } else {
        found.evidence_ids(definition, &pointer, criterion.evidence());
    }
}

fn check_pass_level(pointer: &str, criterion: &Criterion, found: &mut Collector<'_>) {
    let pass_level = criterion.pass_level();
    let top = ScoredItem::Criterion(criterion).top_level();
    let pointer = format!("{pointer}/pass_level");
    if pass_level.number() == 0 {
        let detail =
            "Any work passes at level 0; the lowest passing level is 1 or more.".to_owned();
        found.add(pointer, "pass_level_zero", detail);
    } else if pass_level > top && criterion.levels().len() > 1 {
        let detail = format!("Nobody can pass: the scale ends at {top}.");
        found.add(pointer, "pass_level_above_top", detail);
    }
}

fn check_review_policy(definition: &Definition, found: &mut Collector<'_>) {
    let policy = definition.review_policy();
    for (index, level) in policy.double_at_levels().into_iter().flatten().enumerate() {
        let mut criteria = definition.rubric().criteria().iter().map(ScoredItem::Criterion);
        if !criteria.any(|criterion| criterion.has_level(*level)) {
            let pointer = format!("/review_policy/double_when/any_criterion_at_levels/{index}");
            found.add(pointer, "unknown_level", format!("No criterion has a level {level}."));
        }
    }
    if !policy.adjudicate_on_decision_split() {
        let detail = "Readings on different sides of the cut are always adjudicated; say true or leave it out.";
        let pointer = "/review_policy/adjudicate_on_decision_split".to_owned();
        found.add(pointer, "without_adjudication", detail.to_owned());
    }
}

fn check_renewal(definition: &Definition, found: &mut Collector<'_>) {
    let Some(renewal) = &definition.validity().renewal else { return };
    found.evidence_ids(definition, "/validity/renewal/evidence", &renewal.evidence);
    for (index, id) in renewal.prompts.iter().enumerate() {
        if !definition.rubric().prompts().any(|prompt| prompt.id() == id) {
            let pointer = format!("/validity/renewal/prompts/{index}");
            found.add(pointer, "unknown_prompt", format!("No prompt has the id `{id}`."));
        }
    }
}
