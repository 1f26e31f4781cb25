//! `assay init`: the first organization and its administrator.

use std::io::Read;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::{complain, resources, say};
use crate::config::Settings;
use crate::domain::organization::OrganizationKind;
use crate::service::Error;
use crate::service::installation::{NewInstallation, initialize};

/// Who is first.
#[derive(Args)]
pub struct InitArgs {
    /// The name of the first organization, as printed on badges.
    #[arg(long, value_name = "NAME")]
    organization: String,
    /// network, state, district, school, department or provider.
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    kind: OrganizationKind,
    /// The administrator's name.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The administrator's address.
    #[arg(long, value_name = "EMAIL")]
    email: String,
    /// Read the administrator's password from standard input.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Print what was made as one JSON object.
    #[arg(long)]
    json: bool,
}

fn parse_kind(word: &str) -> Result<OrganizationKind, String> {
    OrganizationKind::parse(word).ok_or_else(|| {
        let kinds: Vec<&str> = OrganizationKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("one of {}", kinds.join(", "))
    })
}

/// Sets the installation up. A second run exits 1 and changes nothing.
pub fn run(settings: &Settings, args: &InitArgs) -> anyhow::Result<ExitCode> {
    crate::telemetry::start("warn");
    let mut password = Zeroizing::new(String::new());
    std::io::stdin().take(4096).read_to_string(&mut password)?;
    let base_url = settings.base_url.clone().unwrap_or_else(|| format!("http://{}", settings.bind));
    let resources = resources::open(settings)?;
    let new = NewInstallation {
        organization: args.organization.clone(),
        kind: args.kind,
        name: args.name.clone(),
        email: args.email.clone(),
        password: password.trim_end_matches(['\r', '\n']).to_owned(),
        base_url,
        is_demo: false,
    };
    let made = match resources.as_system(|cx| initialize(cx, &new)) {
        Ok(made) => made,
        Err(Error::Invalid { faults, .. }) => {
            for fault in faults {
                complain(&format!(
                    "--{}: {}",
                    fault.pointer.trim_start_matches('/').replace('_', "-"),
                    fault.detail
                ));
            }
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => {
            complain(&error.to_string());
            return Ok(ExitCode::FAILURE);
        }
    };
    if !made.base_url.starts_with("https://") {
        complain(&format!(
            "warning: {} is not https. Badges are signed for ever with the address they live at, so none will be issued from here; \
             start again in a fresh data folder with --base-url https://…",
            made.base_url
        ));
    }
    if args.json {
        let made = json!({
            "organization_id": made.organization,
            "person_id": made.administrator,
            "base_url": made.base_url,
            "multikey": made.multikey,
        });
        say(&made.to_string());
    } else {
        say(&format!("organization  {}", made.organization));
        say(&format!("administrator {}", made.administrator));
        say(&format!("base URL      {}", made.base_url));
        say(&format!("issuer key    {}", made.multikey));
        say("Start the service with `assay serve`.");
    }
    Ok(ExitCode::SUCCESS)
}
