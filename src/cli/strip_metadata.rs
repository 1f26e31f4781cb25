//! `assay strip-metadata TYPE`: the process that takes one file apart. For the service itself, and not for people.

use std::io::{Read, Write};
use std::process::ExitCode;

use rlimit::{Resource, setrlimit};

use crate::files::{CANNOT, STRIP_LIMIT, strip};

/// The most memory, with the program itself in it.
const MEMORY: u64 = 1024 * 1024 * 1024;
/// The most seconds of computing.
const SECONDS: u64 = 20;

/// What is taken apart.
#[derive(clap::Args)]
pub struct StripArgs {
    /// The type of the file on standard input.
    media_type: String,
}

/// Limits itself before the first byte is looked at, then reads, takes apart and writes.
pub fn run(args: &StripArgs) -> anyhow::Result<ExitCode> {
    limit_itself()?;
    let mut file = Vec::new();
    std::io::stdin().take(STRIP_LIMIT + 1).read_to_end(&mut file)?;
    if u64::try_from(file.len())? > STRIP_LIMIT {
        return Ok(ExitCode::from(CANNOT));
    }
    let Ok(stripped) = strip(&args.media_type, file) else { return Ok(ExitCode::from(CANNOT)) };
    let mut out = std::io::stdout();
    out.write_all(&stripped)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Takes from this process what a hostile file could make it use.
pub(super) fn limit_itself() -> anyhow::Result<()> {
    setrlimit(Resource::AS, MEMORY, MEMORY)?;
    setrlimit(Resource::CPU, SECONDS, SECONDS)?;
    setrlimit(Resource::CORE, 0, 0)?;
    setrlimit(Resource::FSIZE, 0, 0)?;
    Ok(setrlimit(Resource::NOFILE, 3, 3)?)
}
