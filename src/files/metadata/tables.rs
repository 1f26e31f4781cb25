//! The first table of a text document, as rows of cells.
//!
//! Like everything in this module it reads what strangers have made, and runs in a process of its own.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::markup::{attributes, each_event, local};
use super::{StripError, office};
use crate::files::media::DOCX;

/// The most rows of a table.
const MOST_ROWS: usize = 500;
/// The most cells of a row.
const MOST_CELLS: usize = 64;
/// The most bytes of one cell.
const LONGEST_CELL: usize = 32 * 1024;

/// The rows of a table. A cell is none where it holds something else than text: a picture, another table, or a part of a merged cell.
pub type Table = Vec<Vec<Option<String>>>;

/// Reads the first table of a DOCX.
///
/// # Errors
/// [`StripError`] for what is no such document, or has no table, or a larger one than anybody reads.
pub fn read_table(file: &[u8]) -> Result<Table, StripError> {
    let document = office::main_part(DOCX, file)?;
    let mut reader = Reader::default();
    each_event(&document, |event| match event {
        Event::Start(start) => reader.open(&start, false),
        Event::Empty(start) => reader.open(&start, true),
        Event::End(end) => reader.close(&local(end.local_name().as_ref())?),
        Event::Text(text) => reader.text(&text.decode().ok().ok_or(StripError::Unreadable)?),
        Event::GeneralRef(name) => {
            let character = name.resolve_char_ref().ok().ok_or(StripError::Unreadable)?;
            let text = match character {
                Some(character) => character.to_string(),
                None => {
                    let name = name.decode().ok().ok_or(StripError::Unreadable)?;
                    resolve_predefined_entity(&name).ok_or(StripError::Unreadable)?.to_owned()
                }
            };
            reader.text(&text)
        }
        Event::DocType(_) => Err(StripError::Unreadable),
        Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
    })?;
    if reader.is_done { Ok(reader.rows) } else { Err(StripError::Kind) }
}

#[derive(Default)]
struct Reader {
    rows: Table,
    /// How deep in tables within tables.
    depth: usize,
    row: Vec<Option<String>>,
    cell: String,
    /// Whether the cell is all text.
    is_text: bool,
    /// Whether what is read now is text of the document, and no name of a field or the like.
    is_words: bool,
    /// Whether the first table has ended.
    is_done: bool,
}

impl Reader {
    fn open(&mut self, start: &BytesStart<'_>, is_empty: bool) -> Result<(), StripError> {
        if self.is_done {
            return Ok(());
        }
        let name = local(start.local_name().as_ref())?;
        match name.as_str() {
            "tbl" if !is_empty => {
                self.depth += 1;
                if self.depth > 1 {
                    self.is_text = false;
                }
            }
            "tr" if self.depth == 1 => self.row = Vec::new(),
            "tc" if self.depth == 1 => (self.cell, self.is_text) = (String::new(), true),
            "t" if self.depth == 1 => self.is_words = !is_empty,
            "tab" if self.depth == 1 => self.text_of_break(" ")?,
            "br" | "cr" if self.depth == 1 => self.text_of_break("\n")?,
            "drawing" | "pict" | "object" | "sdt" | "vMerge" if self.depth == 1 => {
                self.is_text = false;
            }
            "gridSpan" if self.depth == 1 => {
                let spans =
                    attributes(start)?.iter().any(|(key, value)| key == "val" && value != "1");
                self.is_text &= !spans;
            }
            _ => {}
        }
        Ok(())
    }

    fn text_of_break(&mut self, text: &str) -> Result<(), StripError> {
        self.is_words = true;
        let done = self.text(text);
        self.is_words = false;
        done
    }

    fn text(&mut self, text: &str) -> Result<(), StripError> {
        if self.depth != 1 || self.is_done || !self.is_words {
            return Ok(());
        }
        self.cell.push_str(text);
        if self.cell.len() > LONGEST_CELL { Err(StripError::Unreadable) } else { Ok(()) }
    }

    fn close(&mut self, name: &str) -> Result<(), StripError> {
        match name {
            "t" => self.is_words = false,
            "p" if self.depth == 1 && !self.is_done && !self.cell.is_empty() => {
                self.cell.push('\n');
            }
            "tc" if self.depth == 1 && !self.is_done => {
                let cell = std::mem::take(&mut self.cell).trim().to_owned();
                self.row.push(Some(cell).filter(|_| self.is_text));
                if self.row.len() > MOST_CELLS {
                    return Err(StripError::Unreadable);
                }
            }
            "tr" if self.depth == 1 && !self.is_done => {
                self.rows.push(std::mem::take(&mut self.row));
                if self.rows.len() > MOST_ROWS {
                    return Err(StripError::Unreadable);
                }
            }
            "tbl" if !self.is_done => {
                self.depth = self.depth.checked_sub(1).ok_or(StripError::Unreadable)?;
                self.is_done = self.depth == 0;
            }
            _ => {}
        }
        Ok(())
    }
}
