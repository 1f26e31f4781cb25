//! `assay read-table`: the process that reads the table of one document. For the service itself, and not for people.

use std::io::{Read, Write};
use std::process::ExitCode;

use super::strip_metadata::limit_itself;
use crate::files::{CANNOT, TABLE_LIMIT, read_table};

/// Limits itself before the first byte is looked at, then reads and writes the rows as JSON.
pub fn run() -> anyhow::Result<ExitCode> {
    limit_itself()?;
    let mut file = Vec::new();
    std::io::stdin().take(TABLE_LIMIT + 1).read_to_end(&mut file)?;
    if u64::try_from(file.len())? > TABLE_LIMIT {
        return Ok(ExitCode::from(CANNOT));
    }
    let Ok(table) = read_table(&file) else { return Ok(ExitCode::from(CANNOT)) };
    let mut out = std::io::stdout();
    out.write_all(serde_json::to_string(&table)?.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
