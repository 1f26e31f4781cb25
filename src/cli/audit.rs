//! `assay audit verify`: checks every link of the audit chain.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;

use super::say;
use crate::config::Settings;
use crate::service::audit::{ChainReport, verify_chain};
use crate::store::{Database, DatabaseSetting};

/// What can be done with the trail.
#[derive(Subcommand)]
pub enum AuditCommand {
    /// Check every link of the chain; exits 1 and names the first broken one.
    Verify,
}

/// Checks the chain.
pub fn run(settings: &Settings, command: &AuditCommand) -> anyhow::Result<ExitCode> {
    let AuditCommand::Verify = command;
    crate::telemetry::start("warn");
    if let DatabaseSetting::Sqlite(path) = &settings.database
        && !path.exists()
    {
        bail!("there is no database at {}", path.display());
    }
    let database = Database::open(settings.database.clone())?;
    if database.has_pending_migration()? {
        bail!("the tables are not up to date; run `assay migrate`");
    }
    match verify_chain(&mut *database.connection()?)? {
        ChainReport::Whole { events } => {
            say(&format!("the audit chain is whole: {events} events"));
            Ok(ExitCode::SUCCESS)
        }
        ChainReport::Broken { seq, reason } => {
            say(&format!("the audit chain is broken at event {seq}: {reason}"));
            Ok(ExitCode::FAILURE)
        }
    }
}
