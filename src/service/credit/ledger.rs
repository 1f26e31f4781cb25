//! The ledger as a table: the same columns for human resources and for a district that leaves.

use super::{Entry, Grant, LedgerLine, flag};
use crate::domain::csv;
use crate::domain::timestamp::Timestamp;

const COLUMNS: [&str; 18] = [
    "grant_id",
    "person_id",
    "name",
    "award_id",
    "rule",
    "currency",
    "unit",
    "minor_per_unit",
    "category",
    "minor",
    "period",
    "earned_at",
    "granted_at",
    "flag",
    "entry",
    "entry_id",
    "reversed_at",
    "authority_id",
];

/// The grant of a line with the amounts of its entry, in minor units: negative where it was taken back, so that sums are right.
#[must_use]
pub fn signed(line: &LedgerLine) -> Grant {
    let mut grant = line.grant.clone();
    match line.entry {
        Entry::Grant(_) => {}
        Entry::Reversal(_) => {
            grant.minor = -grant.minor;
            for part in &mut grant.allocations {
                part.minor = -part.minor;
            }
        }
    }
    grant
}

/// What an entry is called.
#[must_use]
pub const fn word(entry: Entry) -> &'static str {
    match entry {
        Entry::Grant(_) => "grant",
        Entry::Reversal(_) => "reversal",
    }
}

/// The first line of the table.
#[must_use]
pub fn csv_header() -> String {
    csv::line(&COLUMNS)
}

/// An entry in the table: a line for each allocation.
#[must_use]
pub fn csv_lines(line: &LedgerLine, now: Timestamp) -> String {
    let grant = signed(line);
    let rule = &line.rule.rule;
    let mut text = String::new();
    for part in &grant.allocations {
        text += &csv::line(&[
            grant.id.to_string(),
            grant.person.to_string(),
            line.name.clone().unwrap_or_default(),
            grant.award.to_string(),
            rule.slug.clone(),
            rule.currency.code.clone(),
            rule.currency.unit.clone(),
            rule.currency.minor_per_unit.to_string(),
            part.category.clone(),
            part.minor.to_string(),
            grant.period.clone(),
            line.award.1.to_string(),
            grant.granted_at.to_string(),
            flag(line, now).map(|state| state.as_str()).unwrap_or_default().to_owned(),
            word(line.entry).to_owned(),
            line.entry.to_string(),
            grant.reversal.as_ref().map(|one| one.reversed_at.to_string()).unwrap_or_default(),
            grant.organization.to_string(),
        ]);
    }
    text
}
