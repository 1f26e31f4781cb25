//! `assay key`: the signing keys of an organization, for whoever runs the installation.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::{complain, resources, say};
use crate::config::Settings;
use crate::domain::ids::{OrganizationId, SigningKeyId};
use crate::domain::issuing::{KeyAlgorithm, KeyState};
use crate::service::compromise;
use crate::service::signing_keys::{self, SigningKey};
use crate::service::{Cx, Resources};
use crate::store;

/// What can be done with signing keys.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a key; it signs from now on, and older ones stay in use beside it.
    New(MakeArgs),
    /// Every key there was, the newest first.
    List(ListArgs),
    /// Make a key and retire those that signed until now with the same algorithm.
    Rotate(MakeArgs),
    /// Take a key out of use; what it signed stays valid.
    Retire(KeyArgs),
    /// Give a key up that somebody else may have: list its badges, sign them again under the same ids, tell the earners.
    Compromise(CompromiseArgs),
    /// Print a key: its public part, or with --private the secret one.
    Export(ExportArgs),
}

/// Which key is made.
#[derive(clap::Args)]
pub struct MakeArgs {
    /// The organization; the first one there is, if left out.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// EdDSA signs badges and status lists; ES256 and RS256 sign them as JWTs.
    #[arg(long, value_name = "ALGORITHM", default_value = "EdDSA", value_parser = parse_algorithm)]
    algorithm: KeyAlgorithm,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Whose keys are listed.
#[derive(clap::Args)]
pub struct ListArgs {
    /// The organization; all, if left out.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// Print them as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

/// Which key.
#[derive(clap::Args)]
pub struct KeyArgs {
    /// Its id, from `assay key list`.
    #[arg(value_name = "KEY ID")]
    key: SigningKeyId,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

/// Which key is given up.
#[derive(clap::Args)]
pub struct CompromiseArgs {
    /// Its id, from `assay key list`.
    #[arg(value_name = "KEY ID")]
    key: SigningKeyId,
    /// Only say which badges would be signed again.
    #[arg(long)]
    dry_run: bool,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

/// Which key is printed, and how much of it.
#[derive(clap::Args)]
pub struct ExportArgs {
    /// Its id, from `assay key list`.
    #[arg(value_name = "KEY ID")]
    key: SigningKeyId,
    /// Print the secret key (PKCS #8, PEM). Whoever has it can sign in the organization's name.
    #[arg(long)]
    private: bool,
}

fn parse_algorithm(word: &str) -> Result<KeyAlgorithm, String> {
    KeyAlgorithm::parse(word).ok_or_else(|| {
        let all: Vec<&str> = KeyAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
        format!("one of {}", all.join(", "))
    })
}

/// Runs the command.
pub fn run(settings: &Settings, command: &KeyCommand) -> anyhow::Result<ExitCode> {
    crate::telemetry::start("warn");
    let resources = resources::open(settings)?;
    if store::installation::find(&mut *resources.database.connection()?)?.is_none() {
        bail!("this installation is not set up yet; run `assay init` first");
    }
    match command {
        KeyCommand::New(args) => make(&resources, args, signing_keys::create)?,
        KeyCommand::Rotate(args) => make(&resources, args, signing_keys::rotate)?,
        KeyCommand::List(args) => list(&resources, args)?,
        KeyCommand::Retire(args) => {
            let key = find(&resources, args.key)?;
            let key =
                resources.as_system(|cx| signing_keys::retire(cx, key.organization, key.id))?;
            show(&key, args.json);
        }
        KeyCommand::Compromise(args) => return give_up(&resources, args),
        KeyCommand::Export(args) => export(&resources, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// How a key comes into being.
type Making =
    fn(&mut Cx<'_>, OrganizationId, KeyAlgorithm) -> Result<SigningKey, crate::service::Error>;

fn make(resources: &Resources, args: &MakeArgs, making: Making) -> anyhow::Result<()> {
    let organization = match args.organization {
        Some(organization) => organization,
        None => first_organization(resources)?,
    };
    let key = resources.as_system(|cx| making(cx, organization, args.algorithm))?;
    show(&key, args.json);
    Ok(())
}

/// The organization that `init` has made: the one above all others.
fn first_organization(resources: &Resources) -> anyhow::Result<OrganizationId> {
    let mut conn = resources.database.connection()?;
    let first = store::organizations::find_first(&mut conn)?;
    first.context("there is no organization yet; run `assay init` first")
}

fn find(resources: &Resources, id: SigningKeyId) -> anyhow::Result<SigningKey> {
    store::signing_keys::find_public(&mut *resources.database.connection()?, id)?
        .with_context(|| format!("there is no key {id}; `assay key list` shows those there are"))
}

fn list(resources: &Resources, args: &ListArgs) -> anyhow::Result<()> {
    let mut conn = resources.database.connection()?;
    let keys = match args.organization {
        Some(organization) => store::signing_keys::list(&mut conn, organization)?,
        None => store::signing_keys::list_all(&mut conn)?,
    };
    if keys.is_empty() && !args.json {
        complain("no keys yet; `assay key new` makes one");
    }
    for key in &keys {
        show(key, args.json);
    }
    Ok(())
}

fn to_json(key: &SigningKey) -> Value {
    json!({
        "id": key.id,
        "organization_id": key.organization,
        "algorithm": key.algorithm.as_str(),
        "multikey": key.multikey,
        "state": key.state.as_str(),
        "created_at": key.created_at.to_string(),
        "retired_at": key.retired_at.map(|moment| moment.to_string()),
        "compromised_at": key.compromised_at.map(|moment| moment.to_string()),
    })
}

fn show(key: &SigningKey, as_json: bool) {
    if as_json {
        say(&to_json(key).to_string());
        return;
    }
    let since = match (key.compromised_at, key.retired_at) {
        (Some(moment), _) => format!("given up {moment}"),
        (None, Some(moment)) => format!("retired {moment}"),
        (None, None) => format!("since {}", key.created_at),
    };
    say(&format!("{}  {:<5}  {:<11}  {since}  {}", key.id, key.algorithm, key.state, key.multikey));
}

fn give_up(resources: &Resources, args: &CompromiseArgs) -> anyhow::Result<ExitCode> {
    let key = find(resources, args.key)?;
    if args.dry_run {
        let mut conn = resources.database.connection()?;
        let affected = store::credentials::list_signed_by(&mut conn, key.id)?;
        if args.json {
            say(&json!({ "key": to_json(&key), "affected": affected }).to_string());
            return Ok(ExitCode::SUCCESS);
        }
        for award in &affected {
            say(&award.to_string());
        }
        say(&format!("{} badges would be signed again; nothing was changed", affected.len()));
        return Ok(ExitCode::SUCCESS);
    }
    // Begun before and broken off: only what waits is left to do.
    let begun = match key.state {
        KeyState::Compromised => None,
        KeyState::Active | KeyState::Retired => {
            Some(resources.as_system(|cx| compromise::compromise(cx, key.organization, key.id))?)
        }
    };
    let report = resources.as_system(compromise::sign_all_again)?;
    let signed: Vec<_> = report.done.iter().flat_map(|one| one.awards.iter()).collect();
    let affected = begun.as_ref().map(|begun| begun.affected.as_slice()).unwrap_or_default();
    if args.json {
        let key = begun.as_ref().map_or(&key, |begun| &begun.key);
        say(&json!({
            "key": to_json(key),
            "successor": begun.as_ref().map(|begun| to_json(&begun.successor)),
            "affected": affected,
            "signed_again": signed,
            "earners_told": report.done.len(),
            "earners_waiting": report.waiting,
        })
        .to_string());
    } else {
        for key in begun.iter().flat_map(|begun| [&begun.key, &begun.successor]) {
            show(key, false);
        }
        for award in affected {
            say(&award.to_string());
        }
        say(&format!(
            "{} badges of {} earners were signed again under the same ids; the earners are told by mail",
            signed.len(),
            report.done.len()
        ));
    }
    if report.waiting > 0 {
        complain(&format!(
            "the badges of {} earners wait, because signing is stopped or cannot be done; the running service tries again",
            report.waiting
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn export(resources: &Resources, args: &ExportArgs) -> anyhow::Result<()> {
    let key = find(resources, args.key)?;
    if args.private {
        let pem = signing_keys::export_pem(resources, &key)?;
        // Before it is shown: that a secret key was taken out stands in the trail in any case.
        resources.as_system(|cx| signing_keys::record_export(cx, &key))?;
        complain("this is the secret key: keep it where nobody else can read it");
        say(pem.trim_end());
        return Ok(());
    }
    let mut public = to_json(&key);
    public["jwk"] = signing_keys::public_jwk(&key)?.to_value();
    say(&public.to_string());
    Ok(())
}
