//! Rubrics that lie in a table somewhere: rows of criteria, columns of levels, as CSV or as the first table of a DOCX.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::context::{Cx, Resources};
use super::definition_document::{self, FieldError};
use super::error::{Error, Fault};
use super::micro_credentials;
use crate::domain::csv;
use crate::domain::ids::MicroCredentialId;
use crate::store::micro_credentials::Version;

/// The most bytes of a table.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most criteria, and the most levels of one.
const MOST: (usize, usize) = (60, 20);

/// A table as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Each row with its number as its program shows it, from 1.
    rows: Vec<(usize, Vec<Option<String>>)>,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Title,
    Evidence,
    Essential,
    PassLevel,
    Level(String),
}

fn refuse(faults: Vec<Fault>) -> Error {
    let summary = "the table cannot be taken as a rubric; each cell at fault is listed".to_owned();
    Error::Invalid { code: "invalid-table", summary, faults }
}

fn at(row: usize, column: usize, code: &str, detail: impl Into<String>) -> Fault {
    Fault::new(format!("/rows/{row}/cells/{}", column + 1), code, detail)
}

/// Reads a file: a DOCX in a process of its own, anything else as CSV in UTF-8. No connection is held meanwhile.
///
/// # Errors
/// [`Error::Invalid`] for what is no table, [`Error::UnsupportedFile`] for a document that cannot be read.
pub fn read(resources: &Resources, file: &[u8]) -> Result<Table, Error> {
    if file.starts_with(b"PK") {
        let Some(rows) = resources.stripper.read_table(file)? else {
            let detail = "this is no Word document (DOCX) with a table, or it cannot be taken apart; save the table as CSV instead";
            return Err(Error::UnsupportedFile(detail.to_owned()));
        };
        return Ok(Table { rows: (1..).zip(rows).collect() });
    }
    let text = std::str::from_utf8(file).map_err(|_no_utf8| {
        let detail = "send a Word document (DOCX), or CSV in UTF-8";
        Error::UnsupportedFile(detail.to_owned())
    })?;
    let lines = csv::read(text)
        .map_err(|error| Error::invalid("/rows", "not-a-table", error.to_string()))?;
    let rows = lines.into_iter().map(|line| {
        (line.number, line.cells.into_iter().map(|cell| Some(cell.trim().to_owned())).collect())
    });
    Ok(Table { rows: rows.collect() })
}

/// `PUT /micro-credentials/{id}/versions/{n}/rubric-table`: the criteria of a table in the place of a draft's. Prompts and everything else
/// stay. What a table does not say is left for the authors: no evidence is named and the cut is 0, both of which publishing refuses.
///
/// # Errors
/// [`Error::Invalid`] with a fault for each cell that cannot be read; otherwise as of [`micro_credentials::edit`].
pub fn import(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
    table: &Table,
    revision: i32,
) -> Result<Version, Error> {
    let draft = micro_credentials::require_edit(cx, "import_rubric_table", family, number)?;
    let mut definition: Value = serde_json::from_str(&draft.definition).map_err(Error::internal)?;
    let (columns, head) = columns_of(table)?;
    let known: BTreeSet<String> = definition["submission"]["part2"]["evidence"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["id"].as_str().map(str::to_owned))
        .collect();
    let taken = ids_of_prompts(&definition);
    let mut faults = Vec::new();
    let mut criteria: Vec<Value> = Vec::new();
    let mut places = Vec::new();
    let mut ids = (1..).map(|n| format!("c{n}")).filter(|id| !taken.contains(id));
    for (row, cells) in table.rows.iter().skip(head + 1) {
        places.push(*row);
        let id = ids.next().unwrap_or_default();
        criteria.push(criterion(*row, cells, &columns, &known, id, &mut faults));
    }
    if criteria.is_empty() || criteria.len() > MOST.0 {
        let detail = format!("a rubric has 1 to {} rows of criteria below its header", MOST.0);
        faults.push(Fault::new("/rows", "rows", detail));
    }
    if !faults.is_empty() {
        return Err(refuse(faults));
    }
    definition["submission"]["part2"]["criteria"] = Value::Array(criteria);
    if let Err(errors) = definition_document::parse(&definition) {
        let faults = errors.into_iter().map(|error| place_of(error, &places, &columns)).collect();
        return Err(refuse(faults));
    }
    micro_credentials::edit(cx, family, number, &definition, revision)
}

fn ids_of_prompts(definition: &Value) -> BTreeSet<String> {
    ["part1", "part3"]
        .iter()
        .flat_map(|part| {
            definition["submission"][*part]["prompts"].as_array().into_iter().flatten()
        })
        .filter_map(|prompt| prompt["id"].as_str().map(str::to_owned))
        .collect()
}

/// What each column holds, by the first row, and which row that is.
fn columns_of(table: &Table) -> Result<(Vec<Column>, usize), Error> {
    let Some((row, cells)) = table.rows.first() else {
        let detail = "the table is empty; its first row names the levels";
        return Err(refuse(vec![Fault::new("/rows", "rows", detail)]));
    };
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    let mut labels = BTreeSet::new();
    for (index, cell) in cells.iter().enumerate() {
        let Some(text) = cell else {
            let detail = "this cell is merged, or holds something else than text";
            faults.push(at(*row, index, "unreadable-cell", detail));
            continue;
        };
        let column = match (index, text.to_lowercase().as_str()) {
            (0, _) => Column::Title,
            (_, "evidence") => Column::Evidence,
            (_, "essential") => Column::Essential,
            (_, "pass level" | "passes at") => Column::PassLevel,
            (_, "") => {
                let detail = "name the level, or take the column out";
                faults.push(at(*row, index, "blank", detail));
                continue;
            }
            (_, label) => {
                if !labels.insert(label.to_owned()) {
                    let detail = "another column has this name";
                    faults.push(at(*row, index, "repeated", detail));
                }
                Column::Level(text.clone())
            }
        };
        columns.push(column);
    }
    if labels.len() < 2 || labels.len() > MOST.1 {
        let detail = format!(
            "the header names the criteria first, then 2 to {} levels from the lowest, then what you like of Evidence, Essential and Pass level",
            MOST.1
        );
        faults.push(Fault::new(format!("/rows/{row}"), "levels", detail));
    }
    if faults.is_empty() { Ok((columns, 0)) } else { Err(refuse(faults)) }
}

fn criterion(
    row: usize,
    cells: &[Option<String>],
    columns: &[Column],
    known: &BTreeSet<String>,
    id: String,
    faults: &mut Vec<Fault>,
) -> Value {
    if cells.len() > columns.len() {
        let detail = "the row has more cells than the header; join those that belong together";
        faults.push(at(row, columns.len(), "surplus-cell", detail));
    }
    let labels: Vec<&str> = columns
        .iter()
        .filter_map(|column| match column {
            Column::Level(label) => Some(label.as_str()),
            Column::Title | Column::Evidence | Column::Essential | Column::PassLevel => None,
        })
        .collect();
    let (mut title, mut levels, mut evidence) = (String::new(), Vec::new(), Vec::new());
    let (mut essential, mut pass_level) = (false, 0);
    for (index, column) in columns.iter().enumerate() {
        let text = match cells.get(index) {
            Some(Some(text)) => text.as_str(),
            Some(None) => {
                let detail = "this cell is merged, or holds something else than text";
                faults.push(at(row, index, "unreadable-cell", detail));
                continue;
            }
            None => "",
        };
        let is_needed = matches!(column, Column::Title | Column::Level(_));
        if is_needed && text.is_empty() {
            let detail = "write what this level looks like, or what the criterion is called";
            faults.push(at(row, index, "blank", detail));
            continue;
        }
        match column {
            Column::Title => title = text.split_whitespace().collect::<Vec<_>>().join(" "),
            Column::Level(label) => {
                levels.push(json!({ "level": levels.len(), "label": label, "descriptor": text }))
            }
            Column::Evidence => {
                let words = text.split([',', ';', ' ', '\n']).map(str::trim);
                for word in words.filter(|word| !word.is_empty()) {
                    if known.contains(word) {
                        evidence.push(word.to_owned());
                    } else {
                        let detail = format!("the draft asks for no evidence {word}");
                        faults.push(at(row, index, "unknown-evidence", detail));
                    }
                }
            }
            Column::Essential => match text.to_lowercase().as_str() {
                "yes" | "x" | "true" => essential = true,
                "no" | "" | "false" => {}
                _ => faults.push(at(row, index, "not-yes-or-no", "write yes or no")),
            },
            Column::PassLevel => {
                let by_label = labels.iter().position(|label| label.eq_ignore_ascii_case(text));
                let by_number = text.parse::<usize>().ok().filter(|number| *number < labels.len());
                match by_label.or(by_number) {
                    Some(level) => pass_level = level,
                    None if text.is_empty() => {}
                    None => {
                        let detail = "name one of the levels, or its number from 0";
                        faults.push(at(row, index, "unknown-level", detail));
                    }
                }
            }
        }
    }
    json!({
        "id": id, "title": title, "evidence": evidence, "pass_level": pass_level,
        "essential": essential, "levels": levels,
    })
}

/// What only definitions refuse, at the cell that it is about.
fn place_of(error: FieldError, places: &[usize], columns: &[Column]) -> Fault {
    let steps: Vec<&str> = error.pointer.split('/').skip(1).collect();
    let column_of = |wanted: &dyn Fn(usize, &Column) -> bool| {
        let mut n_levels = 0;
        columns.iter().position(|column| {
            let is_wanted = wanted(n_levels, column);
            n_levels += usize::from(matches!(column, Column::Level(_)));
            is_wanted
        })
    };
    let found = match steps.as_slice() {
        ["submission", "part2", "criteria", index, rest @ ..] => {
            let row = index.parse().ok().and_then(|index: usize| places.get(index)).copied();
            let column = match rest {
                ["title", ..] => Some(0),
                ["levels", level, ..] => {
                    let level: usize = level.parse().unwrap_or(usize::MAX);
                    column_of(&|n, column| n == level && matches!(column, Column::Level(_)))
                }
                ["evidence", ..] => column_of(&|_, column| *column == Column::Evidence),
                _ => Some(0),
            };
            row.zip(column)
        }
        _ => None,
    };
    match found {
        Some((row, column)) => at(row, column, error.code, error.detail),
        None => Fault::new("/rows", error.code, error.detail),
    }
}
