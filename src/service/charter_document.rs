//! The one boundary between a charter's JSON and what the service knows of it.
//!
//! [`parse`] checks it against `credential-schemas/pilot-charter.schema.json`: enough for a draft. [`ParsedCharter::findings`] says
//! what rehearsing and opening would refuse. Approval binds the hash.

mod people;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;

use super::definition_document::{FieldError, Schema, canonicalize, check_with, sha256_hex};
use crate::domain::version::ApprovalRule;

pub use people::{Cohort, Message, Reminder};

const SCHEMA: &str = include_str!("../../credential-schemas/pilot-charter.schema.json");

static COMPILED: LazyLock<Schema> = LazyLock::new(|| Schema::bundled(SCHEMA));

/// What a group does instead of the rule that it waives (DOMAIN.md, 3.2).
const WAIVER_COMPENSATIONS: [&str; 3] =
    ["second_score_on_not_yet", "backread_one_in_ten", "cross_department"];

/// The JSON Schema that charters follow, as shipped.
pub fn schema_text() -> &'static str {
    SCHEMA
}

/// A charter that follows the schema, with what is derived from its text.
#[derive(Clone, Debug)]
pub struct ParsedCharter {
    /// The charter's own `id`.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// How the group approves it.
    pub rule: ApprovalRule,
    /// SHA-256 over the whole document in the form of RFC 8785. Approvals bind it.
    pub content_hash: String,
    /// That form.
    pub canonical: String,
    document: Document,
}

/// One thing that keeps a charter from being rehearsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharterFinding {
    /// Where, as an RFC 6901 pointer into the charter.
    pub pointer: String,
    /// A stable word.
    pub code: &'static str,
    /// What to do about it, in a sentence.
    pub detail: &'static str,
}

/// A definition that a cohort names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDefinition {
    /// Where it is named, as an RFC 6901 pointer into the charter.
    pub pointer: String,
    /// The slug of the family.
    pub slug: String,
    /// The version's number; none for the newest published one.
    pub number: Option<i32>,
}

#[derive(Clone, Debug, Deserialize)]
struct Document {
    id: String,
    title: String,
    theory_of_action: String,
    design_team: DesignTeam,
    ai_use: Option<String>,
    window: Option<Window>,
    planning: Option<Planning>,
    cohorts: Vec<CohortEntry>,
    metrics: Vec<Metric>,
    communications: Vec<MessageEntry>,
    #[serde(default)]
    reminders: Vec<ReminderEntry>,
    #[serde(default)]
    decisions: Vec<Decision>,
}

#[derive(Clone, Debug, Deserialize)]
struct DesignTeam {
    publish_rule: PublishRule,
}

#[derive(Clone, Debug, Deserialize)]
struct PublishRule {
    approvals: usize,
    departments: usize,
}

#[derive(Clone, Debug, Deserialize)]
struct Window {
    opens_on: String,
    closes_on: String,
}

/// What the team counts with before it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Planning {
    /// How long one person reads and scores one piece of work.
    pub minutes_per_reading: u64,
    /// How many hours each assessor gives from the first day to the last.
    pub hours_per_assessor: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct CohortEntry {
    id: String,
    label: String,
    audience: Vec<String>,
    definitions: Vec<String>,
    places: Option<u64>,
    window: Option<Window>,
}

#[derive(Clone, Debug, Deserialize)]
struct Metric {
    id: String,
    numerator: Option<String>,
    denominator: Option<String>,
    count: Option<String>,
    measure: Option<String>,
    target_bp: Option<i64>,
    target: Option<i64>,
    source: Option<String>,
}

/// A metric of the charter: what the team looks at, and which figure it wants to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aim<'a> {
    /// Its id.
    pub id: &'a str,
    /// What is counted or measured, in the team's words.
    pub what: &'a str,
    /// Of how many, for a share.
    pub of: Option<&'a str>,
    /// The figure to reach: basis points of a share, else a count or measure.
    pub target: Option<i64>,
    /// Where the figure comes from, if not from this service.
    pub source: Option<&'a str>,
}

#[derive(Clone, Debug, Deserialize)]
struct MessageEntry {
    id: String,
    language: Option<String>,
    subject: Option<String>,
    text: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    #[serde(rename = "for", default)]
    audiences: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct ReminderEntry {
    id: String,
    message: String,
    to: String,
    days_before_close: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct Decision {
    id: String,
    kind: String,
    #[serde(default)]
    compensations: Vec<String>,
}

fn day(word: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(word, "%Y-%m-%d").ok()
}

/// Reads a charter, or says everything that keeps it from being one, sorted by place.
///
/// # Errors
/// Every fault at once, at least one.
pub fn parse(charter: &Value) -> Result<ParsedCharter, Vec<FieldError>> {
    check_with(&COMPILED, charter)?;
    let fault = |code, detail: String| vec![FieldError { pointer: String::new(), code, detail }];
    let document: Document = serde_json::from_value(charter.clone())
        .map_err(|error| fault("wrong_type", format!("The charter cannot be read: {error}.")))?;
    let canonical = canonicalize(charter)
        .map_err(|error| fault("not_canonical", format!("The charter {error}.")))?;
    let rule = &document.design_team.publish_rule;
    Ok(ParsedCharter {
        slug: document.id.clone(),
        title: document.title.clone(),
        rule: ApprovalRule { approvals: rule.approvals, departments: rule.departments },
        content_hash: sha256_hex(&canonical),
        canonical,
        document,
    })
}

impl ParsedCharter {
    /// What is missing or at odds, all at once, by place: the charter can be kept as a draft, and not be rehearsed.
    #[must_use]
    pub fn findings(&self) -> Vec<CharterFinding> {
        let mut found = Vec::new();
        let mut push = |pointer: String, code, detail| {
            found.push(CharterFinding { pointer, code, detail });
        };
        let document = &self.document;
        if document.ai_use.is_none() {
            push(
                "/ai_use".to_owned(),
                "ai_use_missing",
                "Decide whether earners may use AI: forbidden, disclosed or free. There is no default.",
            );
        }
        match &document.window {
            None => push(
                "/window".to_owned(),
                "window_missing",
                "Say from when to when people can take part.",
            ),
            Some(window) => check_window("/window", window, None, &mut push),
        }
        let outer = document.window.as_ref();
        for (index, cohort) in document.cohorts.iter().enumerate() {
            if let Some(window) = &cohort.window {
                check_window(&format!("/cohorts/{index}/window"), window, outer, &mut push);
            }
        }
        for (index, metric) in document.metrics.iter().enumerate() {
            check_metric(&format!("/metrics/{index}"), metric, &mut push);
        }
        for (index, message) in document.communications.iter().enumerate() {
            if message.text.is_none() {
                push(
                    format!("/communications/{index}/text"),
                    "message_without_text",
                    "Write the message as people will read it.",
                );
            }
        }
        for (index, decision) in document.decisions.iter().enumerate() {
            let is_compensated = WAIVER_COMPENSATIONS
                .iter()
                .all(|wanted| decision.compensations.iter().any(|word| word == wanted));
            if decision.kind == "same_district_waiver" && !is_compensated {
                push(
                    format!("/decisions/{index}/compensations"),
                    "waiver_without_compensations",
                    "A waiver of the same-district rule brings all three: second_score_on_not_yet, backread_one_in_ten, cross_department.",
                );
            }
        }
        let lists: [(&str, Vec<&str>); 5] = [
            ("cohorts", document.cohorts.iter().map(|one| one.id.as_str()).collect()),
            ("metrics", document.metrics.iter().map(|one| one.id.as_str()).collect()),
            ("communications", document.communications.iter().map(|one| one.id.as_str()).collect()),
            ("reminders", document.reminders.iter().map(|one| one.id.as_str()).collect()),
            ("decisions", document.decisions.iter().map(|one| one.id.as_str()).collect()),
        ];
        for (list, ids) in lists {
            let mut seen = BTreeMap::new();
            for (index, id) in ids.into_iter().enumerate() {
                if seen.insert(id, index).is_some() {
                    push(
                        format!("/{list}/{index}/id"),
                        "repeated_id",
                        "Another entry of the list has this id; give each its own.",
                    );
                }
            }
        }
        self.findings_of_messages(&mut found);
        found.sort_by(|left, right| (&left.pointer, left.code).cmp(&(&right.pointer, right.code)));
        found
    }

    /// Every definition that a cohort names, in the order of the charter.
    #[must_use]
    pub fn named_definitions(&self) -> Vec<NamedDefinition> {
        let mut named = Vec::new();
        for (cohort, entry) in self.document.cohorts.iter().enumerate() {
            for (index, reference) in entry.definitions.iter().enumerate() {
                let (slug, number) = match reference.split_once('@') {
                    // The schema allows digits only, and few of them.
                    Some((slug, number)) => (slug, number.parse().ok()),
                    None => (reference.as_str(), None),
                };
                let pointer = format!("/cohorts/{cohort}/definitions/{index}");
                named.push(NamedDefinition { pointer, slug: slug.to_owned(), number });
            }
        }
        named
    }

    /// What the team believes: if we do this, then that will follow.
    #[must_use]
    pub fn theory_of_action(&self) -> &str {
        &self.document.theory_of_action
    }

    /// Every metric, in the order of the charter.
    pub fn aims(&self) -> impl Iterator<Item = Aim<'_>> {
        self.document.metrics.iter().map(|one| Aim {
            id: &one.id,
            what: [&one.numerator, &one.count, &one.measure]
                .into_iter()
                .flatten()
                .next()
                .map_or("", String::as_str),
            of: one.denominator.as_deref(),
            target: one.target_bp.or(one.target),
            source: one.source.as_deref(),
        })
    }

    /// The first and the last day of the window; none while the charter does not say.
    #[must_use]
    pub fn window(&self) -> Option<(NaiveDate, NaiveDate)> {
        let window = self.document.window.as_ref()?;
        Some((day(&window.opens_on)?, day(&window.closes_on)?))
    }

    /// What the team counts with; none where the charter does not say.
    #[must_use]
    pub fn planning(&self) -> Option<Planning> {
        self.document.planning
    }

    /// The last day of the window; none while the charter does not say.
    #[must_use]
    pub fn closes_on(&self) -> Option<NaiveDate> {
        day(&self.document.window.as_ref()?.closes_on)
    }
}

fn check_window(
    pointer: &str,
    window: &Window,
    outer: Option<&Window>,
    push: &mut impl FnMut(String, &'static str, &'static str),
) {
    let (opens, closes) = (day(&window.opens_on), day(&window.closes_on));
    for (name, is_day) in [("opens_on", opens.is_some()), ("closes_on", closes.is_some())] {
        if !is_day {
            push(format!("{pointer}/{name}"), "no_such_day", "The calendar has no such day.");
        }
    }
    let (Some(opens), Some(closes)) = (opens, closes) else { return };
    if closes < opens {
        push(
            format!("{pointer}/closes_on"),
            "window_reversed",
            "The last day cannot be before the first one.",
        );
    }
    let Some(outer) = outer else { return };
    let (Some(first), Some(last)) = (day(&outer.opens_on), day(&outer.closes_on)) else { return };
    if opens < first || closes > last {
        push(
            pointer.to_owned(),
            "outside_window",
            "The window of a cohort lies within that of the programme.",
        );
    }
}

fn check_metric(
    pointer: &str,
    metric: &Metric,
    push: &mut impl FnMut(String, &'static str, &'static str),
) {
    let is_share = metric.numerator.is_some() || metric.denominator.is_some();
    let forms =
        [is_share, metric.count.is_some(), metric.measure.is_some()].into_iter().filter(|is| *is);
    if forms.count() != 1 {
        push(
            pointer.to_owned(),
            "metric_form",
            "A metric is a share (numerator and denominator), a count or a measure, and one of them only.",
        );
        return;
    }
    for (name, member) in [("numerator", &metric.numerator), ("denominator", &metric.denominator)] {
        if is_share && member.is_none() {
            push(
                format!("{pointer}/{name}"),
                "half_a_share",
                "A share needs both: what is counted, and of how many.",
            );
        }
    }
    let (wanted, other) = if is_share {
        (("target_bp", metric.target_bp), ("target", metric.target))
    } else {
        (("target", metric.target), ("target_bp", metric.target_bp))
    };
    if wanted.1.is_none() {
        push(
            format!("{pointer}/{}", wanted.0),
            "metric_without_target",
            "Say which figure the team wants to reach: target_bp for a share, target for a count or measure.",
        );
    }
    if other.1.is_some() {
        push(
            format!("{pointer}/{}", other.0),
            "wrong_target",
            "A share has target_bp, a count or measure has target.",
        );
    }
}
