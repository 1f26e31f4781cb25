//! The command line: one file for each subcommand. It puts the house together and has no rules of its own.

mod admin;
mod agreement;
mod answer;
mod audit;
mod demo;
mod export;
mod init;
mod key;
mod migrate;
mod openapi;
mod read_table;
pub mod resources;
mod rules;
mod serve;
mod strip_metadata;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::config::{BadSettings, SettingArgs, Settings};

/// The exit status for a command line that makes no sense (`EX_USAGE` of sysexits).
const BAD_USAGE: u8 = 64;

/// Educator micro-credentials: assessed blind against a public rubric, issued as signed Open Badges 3.0.
#[derive(Parser)]
#[command(name = "assay", version, about, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    settings: SettingArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service.
    Serve,
    /// Set an installation up: the first organization and its administrator.
    Init(init::InitArgs),
    /// Bring the tables up to date.
    Migrate,
    /// Play the whole story on a fresh embedded database, then serve it.
    Demo(demo::DemoArgs),
    /// Verify badges.
    Verify(verify::VerifyArgs),
    /// Make, list, rotate, retire, give up and export signing keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Write the public documents as plain files, so that badges verify without this service.
    Export(export::ExportArgs),
    /// Compute agreement statistics of a file of ratings.
    Agreement(agreement::AgreementArgs),
    /// Say what the rules decide on given scores.
    Rules(rules::RulesArgs),
    /// Let somebody in again where nobody can.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Look after the audit trail.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// For the service itself: take the metadata out of one file.
    #[command(hide = true)]
    StripMetadata(strip_metadata::StripArgs),
    /// For the service itself: read the table of one document.
    #[command(hide = true)]
    ReadTable,
    /// Print the API description (OpenAPI 3.1).
    Openapi,
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn run() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            // Help and version are answers; everything else is bad usage. clap's own 2 means "cannot tell" here.
            let is_answer =
                matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let _printed = error.print();
            return if is_answer { ExitCode::SUCCESS } else { ExitCode::from(BAD_USAGE) };
        }
    };
    let settings = match Settings::check(line.settings) {
        Ok(settings) => settings,
        Err(BadSettings(faults)) => {
            for fault in faults {
                complain(&fault);
            }
            return ExitCode::from(BAD_USAGE);
        }
    };
    let done = match line.command {
        Command::Serve => serve::run(&settings),
        Command::Init(args) => init::run(&settings, &args),
        Command::Migrate => migrate::run(&settings),
        Command::Demo(args) => demo::run(settings, &args),
        Command::Verify(args) => verify::run(&settings, &args),
        Command::Key(command) => key::run(&settings, &command),
        Command::Export(args) => export::run(&settings, &args),
        Command::Agreement(args) => agreement::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Admin(command) => admin::run(&settings, &command),
        Command::Audit(command) => audit::run(&settings, &command),
        Command::StripMetadata(args) => strip_metadata::run(&args),
        Command::ReadTable => read_table::run(),
        Command::Openapi => openapi::run(),
    };
    done.unwrap_or_else(|error| {
        complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// A line for the person at the terminal, on standard error.
#[expect(clippy::print_stderr, reason = "this is the terminal")]
fn complain(text: &str) {
    eprintln!("assay: {text}");
}

/// A line of the answer, on standard output.
fn say(text: &str) {
    // Nobody listens any more when this fails.
    let _written = writeln!(std::io::stdout(), "{text}");
}
