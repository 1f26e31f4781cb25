//! A file of a district as CSV: its header understood, its rows by the names of their columns.

use std::collections::BTreeMap;

use crate::domain::cohort::RowFault;
use crate::domain::csv::{self, Line};
use crate::service::error::Error;

/// The most people of one file.
const MOST_ROWS: usize = 5000;

/// Which columns a file has, in any order.
pub(super) struct Columns {
    /// All that there can be.
    pub all: &'static [&'static str],
    /// Those that must be there.
    pub needed: &'static [&'static str],
    /// Those that say who is meant: one of them at least must be there.
    pub one_of: &'static [&'static str],
}

/// A file with its header understood.
pub(super) struct Table {
    places: BTreeMap<&'static str, usize>,
    n_columns: usize,
    /// The rows below the header.
    pub lines: Vec<Line>,
}

impl Table {
    /// Reads a text, or says at `/csv` why it is no such table.
    pub fn read(text: &str, columns: &Columns) -> Result<Table, Error> {
        let refuse = |code, detail: String| Error::invalid("/csv", code, detail);
        let mut lines =
            csv::read(text).map_err(|error| refuse("not-csv", error.to_string()))?.into_iter();
        let header = lines.next().ok_or_else(|| {
            refuse("no-header", format!("begin with a row of names: {}", columns.all.join(",")))
        })?;
        let mut places = BTreeMap::new();
        for (at, cell) in header.cells.iter().enumerate() {
            let name = cell.trim().to_lowercase();
            let Some(known) = columns.all.iter().copied().find(|known| *known == name) else {
                let all = columns.all.join(", ");
                let detail = format!("the columns are {all}; there is no {name}");
                return Err(refuse("unknown-column", detail));
            };
            if places.insert(known, at).is_some() {
                return Err(refuse("repeated-column", format!("two columns are called {known}")));
            }
        }
        for needed in columns.needed {
            if !places.contains_key(needed) {
                return Err(refuse("missing-column", format!("there is no column {needed}")));
            }
        }
        if !columns.one_of.iter().any(|one| places.contains_key(one)) {
            let detail = format!("there is none of the columns {}", columns.one_of.join(", "));
            return Err(refuse("missing-column", detail));
        }
        let lines: Vec<Line> = lines.collect();
        if lines.is_empty() || lines.len() > MOST_ROWS {
            let detail = format!("a list has 1 to {MOST_ROWS} people; send a longer one in parts");
            return Err(refuse("rows", detail));
        }
        Ok(Table { places, n_columns: header.cells.len(), lines })
    }

    /// What stands in a column of a row; nothing where there is no such column.
    pub fn cell<'a>(&self, line: &'a Line, column: &str) -> &'a str {
        self.places.get(column).and_then(|at| line.cells.get(*at)).map_or("", |cell| cell.trim())
    }

    /// Whether a row has as many cells as the header.
    pub fn check_width(&self, line: &Line) -> Result<(), (RowFault, String)> {
        if line.cells.len() == self.n_columns {
            return Ok(());
        }
        let detail = format!(
            "the row has {} cells and the header {}; look for a missing comma or quotation mark",
            line.cells.len(),
            self.n_columns
        );
        Err((RowFault::Columns, detail))
    }
}
