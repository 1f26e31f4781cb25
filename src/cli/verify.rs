//! `assay verify FILE…`: the verdict on a badge, for a stranger who trusts nobody.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use sha2::{Digest, Sha256};
use url::Url;

use super::{BAD_USAGE, complain, say};
use crate::config::Settings;
use crate::credential::verify::{IMAGE_LIMIT, Outcome, Verdict, VerdictWord, VerifyOptions};
use crate::fetch::{Client, FetchPolicy};
use crate::service::context::system_clock;
use crate::service::verification::{Remote, verify_input};

/// What to verify, and how.
#[derive(Args)]
pub struct VerifyArgs {
    /// Badges: Open Badges 3.0 as JSON. `-` reads standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the verdict as JSON, one object a line.
    #[arg(long)]
    json: bool,
    /// Never open a connection.
    #[arg(long)]
    offline: bool,
    /// Read documents of one base URL from another, for tests on loopback.
    #[arg(long, value_name = "FROM=TO", value_parser = parse_map)]
    base_url_map: Vec<(String, String)>,
    /// Whose badge it should be.
    #[arg(long, value_name = "EMAIL")]
    expect_email: Option<String>,
    /// A file that is said to be the evidence; can be given more than once.
    #[arg(long, value_name = "FILE")]
    evidence: Vec<PathBuf>,
    /// An issuer that you recognise, by its id; can be given more than once.
    #[arg(long = "trusted-issuer", value_name = "ID")]
    trusted_issuers: Vec<String>,
}

fn parse_map(text: &str) -> Result<(String, String), String> {
    let (from, to) = text.split_once('=').ok_or("write it as FROM=TO")?;
    for side in [from, to] {
        if !Url::parse(side)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        {
            return Err(format!("{side:?} is no base URL"));
        }
    }
    Ok((from.to_owned(), to.to_owned()))
}

/// Verifies each file. The exit status is that of the worst: 1 for invalid, 2 for cannot tell, 0 when all are valid, 64 when a file is
/// no badge at all.
pub fn run(settings: &Settings, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    crate::telemetry::start("error");
    let mut maps = args.base_url_map.clone();
    // The service of these settings is the operator's own: on loopback its documents are read although they are not https.
    let own = settings.base_url.clone().unwrap_or_else(|| format!("http://{}", settings.bind));
    if own.starts_with("http://") && settings.bind.ip().is_loopback() && settings.bind.port() != 0 {
        maps.push((own.clone(), own));
    }
    let allow_http = maps.iter().any(|(from, _)| from.starts_with("http://"));
    let client = Client::new(FetchPolicy {
        base_url_maps: maps,
        offline: args.offline,
        ..FetchPolicy::default()
    })?;
    let evidence = args.evidence.iter().map(|file| digest(file)).collect::<Result<Vec<_>, _>>()?;
    let mut worst = VerdictWord::Valid;
    let mut has_unusable = false;
    for file in &args.files {
        let input = match read(file) {
            Ok(input) => input,
            Err(error) => {
                complain(&format!("{error:#}"));
                has_unusable = true;
                continue;
            }
        };
        let options = VerifyOptions {
            allow_http,
            expect_email: args.expect_email.clone(),
            evidence_sha256: (!evidence.is_empty()).then(|| evidence.clone()),
            trusted_issuers: (!args.trusted_issuers.is_empty())
                .then(|| args.trusted_issuers.clone()),
            ..VerifyOptions::at((system_clock())())
        };
        match verify_input(&input, &Remote::new(&client), options) {
            Ok(verdict) => {
                show(file, &verdict, args.json)?;
                worst = worse(worst, verdict.verdict);
            }
            Err(error) => {
                complain(&format!("{}: {error}", file.display()));
                has_unusable = true;
            }
        }
    }
    Ok(match (worst, has_unusable) {
        (VerdictWord::Invalid, _) => ExitCode::from(1),
        (VerdictWord::Valid | VerdictWord::Indeterminate, true) => ExitCode::from(BAD_USAGE),
        (VerdictWord::Indeterminate, false) => ExitCode::from(2),
        (VerdictWord::Valid, false) => ExitCode::SUCCESS,
    })
}

fn worse(one: VerdictWord, other: VerdictWord) -> VerdictWord {
    match (one, other) {
        (VerdictWord::Invalid, _) | (_, VerdictWord::Invalid) => VerdictWord::Invalid,
        (VerdictWord::Indeterminate, _) | (_, VerdictWord::Indeterminate) => {
            VerdictWord::Indeterminate
        }
        (VerdictWord::Valid, VerdictWord::Valid) => VerdictWord::Valid,
    }
}

/// Reads at most one byte more than any badge may have; the verifier refuses what is too long.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let limit = u64::try_from(IMAGE_LIMIT + 1).unwrap_or(u64::MAX);
    let mut input = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut input)?;
    } else {
        let opened = std::fs::File::open(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        opened
            .take(limit)
            .read_to_end(&mut input)
            .with_context(|| format!("{} cannot be read", file.display()))?;
    }
    Ok(input)
}

/// The SHA-256 of a file of any size.
fn digest(file: &Path) -> anyhow::Result<[u8; 32]> {
    let cannot = || format!("{} cannot be read", file.display());
    let mut opened = std::fs::File::open(file).with_context(cannot)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n_read = opened.read(&mut buffer).with_context(cannot)?;
        let Some(read) = buffer.get(..n_read).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
    }
    Ok(hasher.finalize().into())
}

fn show(file: &Path, verdict: &Verdict, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        say(&serde_json::to_string(verdict)?);
        return Ok(());
    }
    let word = match verdict.verdict {
        VerdictWord::Valid => "VALID",
        VerdictWord::Invalid => "INVALID",
        VerdictWord::Indeterminate => "CANNOT TELL",
    };
    say(&format!("{}: {word}", file.display()));
    for check in &verdict.checks {
        let mark = match check.outcome {
            Outcome::Pass => "ok",
            Outcome::Fail => "FAIL",
            Outcome::Unknown => "?",
            Outcome::NotApplicable => "-",
        };
        let name = serde_json::to_value(check.name)?;
        say(&format!("  {mark:<4} {:<16} {}", name.as_str().unwrap_or_default(), check.detail));
    }
    Ok(())
}
