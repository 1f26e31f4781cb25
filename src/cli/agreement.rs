//! `assay agreement FILE`: the agreement statistics of a table of ratings, for whoever wants to check our figures.

mod figures;
mod forms;
mod scale;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::answer::{Record, read_json, short};
use super::say;
use forms::Content;

/// The ratings.
#[derive(Args)]
pub struct AgreementArgs {
    /// A file of ratings (see docs/api/agreement.md). `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print every figure as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints every statistic that applies. What the file itself expects is not looked at.
pub fn run(args: &AgreementArgs) -> anyhow::Result<ExitCode> {
    let root = read_json(&args.file)?;
    let content = forms::read(&root).with_context(|| args.file.display().to_string())?;
    let records: Vec<Record> = match content {
        Content::Data(sets) => sets
            .iter()
            .flat_map(|(table, prepared)| figures::all(table.as_deref(), prepared))
            .collect(),
        Content::Cases(cases) => {
            cases.iter().map(|(name, prepared)| figures::of_case(name, prepared)).collect()
        }
    };
    if args.json {
        say(&serde_json::to_string_pretty(&records)?);
    } else {
        for record in &records {
            show(record);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A line for a figure, a paragraph for a case.
fn show(record: &Record) {
    let Some(statistic) = record.find("statistic") else {
        for (key, value) in record.members() {
            if key == "name" {
                say(&format!("{}:", short(value)));
            } else {
                say(&format!("  {key:<38} {}", short(value)));
            }
        }
        return;
    };
    let (mut name, mut notes) = (short(statistic), String::new());
    for (key, value) in record.members() {
        match (key, value) {
            ("statistic" | "value", _) => {}
            ("table" | "weights" | "metric" | "form", Value::String(word)) => {
                name.push_str(&format!(" {word}"));
            }
            _ => notes.push_str(&format!("  {key}: {}", short(value))),
        }
    }
    let value = record.find("value").map(short).unwrap_or_default();
    say(&format!("{name:<44} {value:>10}{notes}"));
}
