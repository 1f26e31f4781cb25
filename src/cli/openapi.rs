//! `assay openapi`: the API description.

use std::process::ExitCode;

use super::say;
use crate::http::openapi;

/// Prints the description.
pub fn run() -> anyhow::Result<ExitCode> {
    say(&openapi::document().to_pretty_json()?);
    Ok(ExitCode::SUCCESS)
}
