//! Tables as CSV (RFC 4180): read with the number of each row, and written so that no spreadsheet takes a text for a formula.

/// The most cells of one row.
const MOST_CELLS: usize = 64;

/// One row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number as a spreadsheet shows it, from 1, the header included.
    pub number: usize,
    /// Its cells.
    pub cells: Vec<String>,
}

/// Why a text is no table. What stands behind the fault cannot be read with certainty, so nothing of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// A quote is opened and never closed.
    #[error("row {0} opens a quotation mark that is never closed")]
    OpenQuote(usize),
    /// Text follows a closing quote, or a quote stands within a cell that is not quoted.
    #[error(
        "row {0} has a quotation mark in the middle of a cell; write it twice and put the cell in quotation marks"
    )]
    StrayQuote(usize),
    /// More cells than any table of ours has.
    #[error("row {0} has more than 64 cells")]
    TooManyCells(usize),
}

enum Place {
    /// At the start of a cell.
    Start,
    /// In a cell without quotes.
    Plain,
    /// Within quotes.
    Quoted,
    /// Behind a quote that may have closed the cell.
    Closed,
}

/// Reads a table. Rows end with a line feed, with or without a carriage return; rows of nothing but spaces are counted and left out. A byte
/// order mark at the front, as spreadsheets write it, is no text.
///
/// # Errors
/// [`CsvError`] with the number of the row.
pub fn read(text: &str) -> Result<Vec<Line>, CsvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let mut place = Place::Start;
    let mut number = 1;
    let mut chars = text.chars().peekable();
    let mut finish = |cells: &mut Vec<String>, cell: &mut String, number: &mut usize| {
        cells.push(std::mem::take(cell));
        let cells = std::mem::take(cells);
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            lines.push(Line { number: *number, cells });
        }
        *number += 1;
    };
    while let Some(c) = chars.next() {
        let is_end = c == '\n' || (c == '\r' && chars.peek() == Some(&'\n'));
        match place {
            Place::Quoted if c == '"' => place = Place::Closed,
            Place::Quoted => cell.push(c),
            Place::Closed if c == '"' => {
                cell.push('"');
                place = Place::Quoted;
            }
            Place::Start if c == '"' => place = Place::Quoted,
            Place::Start | Place::Plain | Place::Closed if is_end => {
                if c == '\r' {
                    chars.next();
                }
                finish(&mut cells, &mut cell, &mut number);
                place = Place::Start;
            }
            Place::Start | Place::Plain | Place::Closed if c == ',' => {
                cells.push(std::mem::take(&mut cell));
                if cells.len() >= MOST_CELLS {
                    return Err(CsvError::TooManyCells(number));
                }
                place = Place::Start;
            }
            Place::Closed => return Err(CsvError::StrayQuote(number)),
            Place::Start | Place::Plain if c == '"' => return Err(CsvError::StrayQuote(number)),
            Place::Start | Place::Plain => {
                cell.push(c);
                place = Place::Plain;
            }
        }
    }
    match place {
        Place::Quoted => return Err(CsvError::OpenQuote(number)),
        Place::Start if cells.is_empty() => {}
        Place::Start | Place::Plain | Place::Closed => finish(&mut cells, &mut cell, &mut number),
    }
    Ok(lines)
}

/// A cell of CSV. One that a spreadsheet would take for a formula begins with an apostrophe.
#[must_use]
pub fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let is_number = text.parse::<f64>().is_ok();
    let text = if is_formula && !is_number { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A row of CSV with its end.
#[must_use]
pub fn line<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text.as_ref())).collect();
    format!("{}\r\n", cells.join(","))
}
