//! `assay admin recover`: lets somebody into an office that nobody can be reached in.

use std::io::Read;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::{complain, resources, say};
use crate::config::Settings;
use crate::domain::ids::OrganizationId;
use crate::domain::organization::Role;
use crate::domain::succession::OFFICES;
use crate::service::Error;
use crate::service::succession::{Recovery, recover};

/// What can be done about the people who look after an organization.
#[derive(Subcommand)]
pub enum AdminCommand {
    /// Make somebody administrator, key custodian or lead assessor of an organization. It stands in the audit trail, and the
    /// administrators who can be reached are told by mail.
    Recover(RecoverArgs),
}

/// Whom to let in.
#[derive(Args)]
pub struct RecoverArgs {
    /// The organization; the first one without.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// administrator, key_custodian or lead_assessor.
    #[arg(long, value_name = "ROLE", default_value = "administrator", value_parser = parse_office)]
    role: Role,
    /// Their address: of an account that there is, or for a new one.
    #[arg(long, value_name = "EMAIL")]
    email: String,
    /// Their name, for a new account.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Read a new password from standard input; needed where the account has none. Every sign-in of the person ends in any case.
    #[arg(long)]
    password_stdin: bool,
    /// Do it although somebody holds the office who can be reached.
    #[arg(long)]
    although_held: bool,
    /// Print who was let in as one JSON object.
    #[arg(long)]
    json: bool,
}

fn parse_office(word: &str) -> Result<Role, String> {
    Role::parse(word).filter(|role| OFFICES.contains(role)).ok_or_else(|| {
        let offices: Vec<&str> = OFFICES.iter().map(|office| office.as_str()).collect();
        format!("one of {}", offices.join(", "))
    })
}

/// Runs the command. Exits 1 and changes nothing where somebody holds the office who can be reached, or where something is missing.
pub fn run(settings: &Settings, command: &AdminCommand) -> anyhow::Result<ExitCode> {
    let AdminCommand::Recover(args) = command;
    crate::telemetry::start("warn");
    let password = if args.password_stdin {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().take(4096).read_to_string(&mut text)?;
        Some(text.trim_end_matches(['\r', '\n']).to_owned())
    } else {
        None
    };
    let resources = resources::open(settings)?;
    let wanted = Recovery {
        organization: args.organization,
        office: args.role,
        email: args.email.clone(),
        name: args.name.clone(),
        password,
        although_held: args.although_held,
    };
    let recovered = match resources.as_system(|cx| recover(cx, &wanted)) {
        Ok(recovered) => recovered,
        Err(Error::Invalid { faults, .. }) => {
            for fault in faults {
                let flag = fault.pointer.trim_start_matches('/').replace('_', "-");
                complain(&format!("--{flag}: {}", fault.detail));
            }
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => {
            complain(&error.to_string());
            return Ok(ExitCode::FAILURE);
        }
    };
    let roles: Vec<&str> = recovered.roles.iter().map(|role| role.as_str()).collect();
    if args.json {
        let made = json!({
            "organization_id": recovered.organization,
            "person_id": recovered.person,
            "roles": roles,
            "new_account": recovered.is_new,
        });
        say(&made.to_string());
    } else {
        say(&format!("organization  {}", recovered.organization));
        say(&format!("person        {}", recovered.person));
        say(&format!("roles         {}", roles.join(", ")));
        say("It stands in the audit trail as recover_office.");
    }
    Ok(ExitCode::SUCCESS)
}
