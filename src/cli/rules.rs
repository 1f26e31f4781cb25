//! `assay rules FILE`: what the rules decide on given scores, so that a programme can ask before it decides for itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use serde_json::{Map, Value};

use super::answer::{Record, read_json, short};
use super::say;
use crate::domain::calibration::{CalibrationLimits, KeyedScore, judge_drift, judge_qualification};
use crate::domain::decision_rule::{DecisionRule, Form, Outcome};
use crate::domain::resolution::{Reading, Readings, ResolutionTerms, Resolved, decide, resolve};
use crate::domain::review_policy::{AdjacentRule, ResolutionRule};
use crate::domain::rubric::{Criterion, CriterionId, Level, Rubric, RubricLevel};
use crate::domain::statistics::Figure;

/// The cases.
#[derive(Args)]
pub struct RulesArgs {
    /// A file of adjudication, qualification or drift cases (see docs/api/agreement.md). `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print what is decided as JSON.
    #[arg(long)]
    json: bool,
}

/// Says for each case what the rules decide. What the file itself expects is not looked at.
pub fn run(args: &RulesArgs) -> anyhow::Result<ExitCode> {
    let root = read_json(&args.file)?;
    let records = decide_all(&root).with_context(|| args.file.display().to_string())?;
    if args.json {
        say(&serde_json::to_string_pretty(&records)?);
    } else {
        for record in &records {
            for (key, value) in record.members() {
                if key == "name" {
                    say(&format!("{}:", short(value)));
                } else {
                    say(&format!("  {key:<22} {}", short(value)));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

type Judge = fn(&Map<String, Value>) -> anyhow::Result<Record>;

/// The lists that a file may have, with what judges their cases.
const LISTS: [(&str, Judge); 3] =
    [("cases", adjudication), ("qualification", qualification), ("drift", drift)];

fn decide_all(root: &Value) -> anyhow::Result<Vec<Record>> {
    let root = root.as_object().context("the file is not an object of JSON")?;
    let mut records = Vec::new();
    let mut is_known = false;
    for (key, judge) in LISTS {
        let Some(cases) = root.get(key) else { continue };
        is_known = true;
        let cases = cases.as_array().with_context(|| format!("`{key}` is not a list"))?;
        for (index, case) in cases.iter().enumerate() {
            let case = case.as_object().with_context(|| format!("case {index} is no object"))?;
            let name = case.get("name").cloned().unwrap_or_else(|| Value::from(index));
            let judged = judge(case).with_context(|| format!("case {name}"))?;
            let record = Record::new("name", name);
            records.push(
                judged
                    .members()
                    .fold(record, |record, (key, value)| record.with(key, value.clone())),
            );
        }
    }
    if !is_known {
        bail!("this is no known form of cases: there is no `cases`, `qualification` or `drift`");
    }
    Ok(records)
}

fn member<'a>(object: &'a Map<String, Value>, key: &str) -> anyhow::Result<&'a Value> {
    object.get(key).with_context(|| format!("there is no `{key}`"))
}

fn object<'a>(value: &'a Value, what: &str) -> anyhow::Result<&'a Map<String, Value>> {
    value.as_object().with_context(|| format!("{what} is not an object"))
}

fn level(value: &Value) -> anyhow::Result<Level> {
    let number = value.as_u64().and_then(|number| u8::try_from(number).ok());
    let number = number
        .with_context(|| format!("{value} is no level: levels are whole numbers from 0 to 255"))?;
    Ok(Level::new(number))
}

/// A level, or `"U"` for work that could not be scored.
fn reading(value: &Value) -> anyhow::Result<Reading> {
    if value.as_str() == Some("U") {
        Ok(Reading::Unscorable)
    } else {
        Ok(Reading::Level(level(value)?))
    }
}

/// Two scores on every criterion, a third where they differ, and what the submission comes to.
fn adjudication(case: &Map<String, Value>) -> anyhow::Result<Record> {
    let policy = object(member(case, "policy")?, "`policy`")?;
    let scores = object(member(case, "scores")?, "`scores`")?;
    let terms = terms(policy)?;
    let cuts = Cuts::read(member(policy, "cut")?, scores)?;
    let mut resolved = Vec::with_capacity(scores.len());
    for (criterion, given) in scores {
        let given = object(given, criterion)?;
        let read = |key: &str| -> anyhow::Result<Option<Reading>> {
            given.get(key).filter(|value| !value.is_null()).map(reading).transpose()
        };
        let lacks = |key: &str| format!("criterion {criterion} has no score `{key}`");
        let readings = Readings {
            first: read("a")?.with_context(|| lacks("a"))?,
            second: read("b")?.with_context(|| lacks("b"))?,
            third: read("third")?,
        };
        resolved.push(resolve(cuts.of(criterion)?, readings, &terms));
    }
    let overall = overall(policy, scores, &cuts, &resolved)?;
    let mut criteria = Map::new();
    for (criterion, one) in scores.keys().zip(&resolved) {
        let mut members = Map::new();
        members.insert("status".to_owned(), one.status().as_str().into());
        if let Some(dispute) = one.dispute() {
            members.insert("reason".to_owned(), dispute.as_str().into());
        }
        members.insert("level".to_owned(), one.level().map(Level::number).into());
        criteria.insert(criterion.clone(), members.into());
    }
    let overall = overall.map_or("needs_adjudication", Outcome::as_str);
    Ok(Record::new("criteria", criteria).with("overall", overall))
}

fn terms(policy: &Map<String, Value>) -> anyhow::Result<ResolutionTerms> {
    let mut terms = ResolutionTerms::default();
    let word = |key: &str| policy.get(key).map(|value| value.as_str().unwrap_or_default());
    match word("adjacent_same_side") {
        None | Some("lower") => {}
        Some("higher") => terms.adjacent_same_side = AdjacentRule::Higher,
        Some(_) => bail!("`adjacent_same_side` is lower or higher"),
    }
    match word("resolution") {
        None | Some("expert_replaces") => {}
        Some("median_of_three") => terms.resolution = ResolutionRule::MedianOfThree,
        Some(_) => bail!("`resolution` is expert_replaces or median_of_three"),
    }
    if let Some(threshold) = policy.get("discrepancy_threshold") {
        let threshold = threshold.as_u64().and_then(|number| u8::try_from(number).ok());
        let threshold = threshold.filter(|number| *number > 0);
        terms.discrepancy_threshold =
            threshold.context("`discrepancy_threshold` is a number of levels from 1")?;
    }
    Ok(terms)
}

/// The lowest passing level of each criterion.
struct Cuts(BTreeMap<String, Level>);

impl Cuts {
    /// One for each criterion, or one for all.
    fn read(value: &Value, scores: &Map<String, Value>) -> anyhow::Result<Cuts> {
        let Some(listed) = value.as_object() else {
            let cut = level(value).context("`cut`")?;
            return Ok(Cuts(scores.keys().map(|criterion| (criterion.clone(), cut)).collect()));
        };
        let mut cuts = BTreeMap::new();
        for (criterion, cut) in listed {
            if !scores.contains_key(criterion) {
                bail!("criterion {criterion} has a cut and no scores");
            }
            cuts.insert(
                criterion.clone(),
                level(cut).with_context(|| format!("cut of {criterion}"))?,
            );
        }
        Ok(Cuts(cuts))
    }

    fn of(&self, criterion: &str) -> anyhow::Result<Level> {
        let cut = self.0.get(criterion).copied();
        cut.with_context(|| format!("criterion {criterion} has scores and no cut"))
    }
}

/// What the decision rule makes of the resolved levels, by the very rule that decides submissions.
fn overall(
    policy: &Map<String, Value>,
    scores: &Map<String, Value>,
    cuts: &Cuts,
    resolved: &[Resolved],
) -> anyhow::Result<Option<Outcome>> {
    let rule = match policy.get("decision_rule") {
        Some(rule) => object(rule, "`decision_rule`")?.clone(),
        None => Map::new(),
    };
    let essential: Vec<&str> = match rule.get("essential").filter(|value| !value.is_null()) {
        Some(names) => {
            let names = names.as_array().context("`essential` is not a list")?;
            names.iter().filter_map(Value::as_str).collect()
        }
        None => Vec::new(),
    };
    if let Some(stranger) = essential.iter().find(|name| !scores.contains_key(**name)) {
        bail!("the essential criterion {stranger} has no scores");
    }
    let form = match rule.get("type").map(|word| word.as_str().unwrap_or_default()) {
        None | Some("all") => Form::AllCriteriaAtPassLevel,
        Some("k_of_n") => k_of_n(&rule, !essential.is_empty())?,
        Some(_) => bail!("the type of the decision rule is all or k_of_n"),
    };
    let mut criteria = Vec::with_capacity(scores.len());
    let mut levels = BTreeMap::new();
    for (index, (name, one)) in scores.keys().zip(resolved).enumerate() {
        // The file may call its criteria what it likes.
        let id = CriterionId::new(format!("c{index}"))?;
        let is_essential = essential.contains(&name.as_str());
        let cut = cuts.of(name)?;
        // The file does not say how far the scale goes; the rule needs no more of it than these levels.
        let mut scale = vec![cut];
        scale.extend(one.level().filter(|level| *level != cut));
        let label = |level| RubricLevel::new(level, String::new(), String::new());
        let scale = scale.into_iter().map(label).collect();
        let title = name.clone();
        criteria.push(Criterion::new(id.clone(), title, Vec::new(), scale, cut, is_essential)?);
        levels.insert(id, *one);
    }
    let rubric = Rubric::new(Vec::new(), criteria)?;
    Ok(decide(&rubric, &DecisionRule::new(form)?, &levels)?)
}

/// Every essential criterion at its cut, so many at their cuts, none below the floor.
fn k_of_n(rule: &Map<String, Value>, has_essential: bool) -> anyhow::Result<Form> {
    let k = member(rule, "k")?.as_u64().and_then(|k| u32::try_from(k).ok());
    let min = k.context("`k` is a number of criteria")?;
    let mut forms = vec![Form::CountCriteriaAtPassLevel { min }];
    if has_essential {
        forms.push(Form::EssentialCriteriaAtPassLevel);
    }
    if let Some(floor) = rule.get("floor").filter(|value| !value.is_null()) {
        forms.push(Form::AllCriteriaAtLeast { level: level(floor).context("`floor`")? });
    }
    let rules = forms.into_iter().map(DecisionRule::new).collect::<Result<_, _>>()?;
    Ok(Form::And(rules))
}

/// The scale, the cut, and the scores beside their key.
struct KeyedSet {
    levels: usize,
    cut: Level,
    scores: Vec<KeyedScore>,
}

impl KeyedSet {
    fn read(case: &Map<String, Value>) -> anyhow::Result<KeyedSet> {
        let levels =
            member(case, "levels")?.as_u64().and_then(|levels| usize::try_from(levels).ok());
        let levels = levels.filter(|levels| (2..=256).contains(levels));
        let levels = levels.context("`levels` is a number from 2 to 256")?;
        let on_scale = |value: &Value| -> anyhow::Result<Level> {
            let found = level(value)?;
            if usize::from(found.number()) < levels {
                Ok(found)
            } else {
                Err(anyhow!("level {found} is not on a scale of {levels} levels"))
            }
        };
        let list = |key: &str| -> anyhow::Result<&Vec<Value>> {
            member(case, key)?.as_array().with_context(|| format!("`{key}` is not a list"))
        };
        let (keys, given) = (list("key")?, list("given")?);
        if keys.len() != given.len() {
            bail!("the key has {} scores and {} were given", keys.len(), given.len());
        }
        let mut scores = Vec::with_capacity(keys.len());
        for (key, given) in keys.iter().zip(given) {
            let given = if given == "U" { None } else { Some(on_scale(given)?) };
            scores.push(KeyedScore { key: on_scale(key)?, given });
        }
        Ok(KeyedSet { levels, cut: level(member(case, "cut")?).context("`cut`")?, scores })
    }
}

fn qualification(case: &Map<String, Value>) -> anyhow::Result<Record> {
    let set = KeyedSet::read(case)?;
    let limits = CalibrationLimits::default();
    let result = judge_qualification(set.levels, set.cut, &set.scores, &limits)
        .context("a scale has two levels or more")?;
    let agreement = result.agreement;
    let faults: Vec<&str> = result.faults.iter().map(|fault| fault.as_str()).collect();
    Ok(Record::new("n", agreement.n)
        .with("exact", agreement.exact)
        .with("adjacent_only", agreement.adjacent_only)
        .with("discrepant", agreement.non_adjacent)
        .with("decision_agreements", agreement.decision)
        .with("exact_threshold_bp", result.exact_threshold.value())
        .with("qualified", result.is_qualified())
        .with("reasons", faults))
}

fn drift(case: &Map<String, Value>) -> anyhow::Result<Record> {
    let set = KeyedSet::read(case)?;
    let limits = CalibrationLimits::default();
    let report = judge_drift(set.levels, set.cut, &set.scores, &limits)
        .context("a scale has two levels or more")?;
    // Undefined is null here; the reason is plain from n and the variance.
    let figure = |figure: Figure| figure.ok().map(|value| value + 0.0);
    let differences = &report.differences;
    Ok(Record::new("flag", report.flag.as_str())
        .with("n", report.agreement.n)
        .with("mean_signed_difference", figure(differences.mean()))
        .with("variance", figure(differences.variance()))
        .with("standard_error", figure(differences.standard_error()))
        .with("t", figure(differences.t()))
        .with("exact_rate", figure(report.exact_rate().value()))
        .with("decision_rate", figure(report.decision_rate().value())))
}
