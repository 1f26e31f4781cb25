//! `assay migrate`: brings the tables up to date without serving.

use std::process::ExitCode;

use super::say;
use crate::config::Settings;
use crate::store::Database;

/// Runs pending migrations.
pub fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    crate::telemetry::start(&settings.log);
    let n_migrations = Database::open(settings.database.clone())?.migrate()?;
    say(&format!("{n_migrations} migrations run; the tables are up to date"));
    Ok(ExitCode::SUCCESS)
}
