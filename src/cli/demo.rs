//! `assay demo`: the whole story on a fresh embedded database, through the same services as the API.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

mod calibration;
mod files;
mod program;
mod story;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use self::story::{Person, Story};
use super::{complain, resources, say, serve};
use crate::config::Settings;
use crate::domain::award::RevocationReason;
use crate::domain::organization::{OrganizationKind, Role};
use crate::service::conflicts::NewWaiver;
use crate::service::installation::{NewInstallation, initialize};
use crate::service::{Resources, awards, conflicts, organizations};
use crate::store::DatabaseSetting;

/// The definitions that are shipped.
const DEFINITIONS: [&str; 3] = [
    include_str!("../../credential-schemas/definitions/mc-ia-small-group-support.json"),
    include_str!("../../credential-schemas/definitions/mc-students-as-leaders.json"),
    include_str!("../../credential-schemas/definitions/mc-shared-decision-making.json"),
];

/// The pathway that is shipped.
const PATHWAY: &str = include_str!("../../credential-schemas/stacks/pathway-grow-your-own.json");

/// The schools of the story.
const WILLOW: &str = "Willow Creek Elementary";
const SUMMIT: &str = "Summit Middle School";
const HARBOR: &str = "Harbor View High School";

/// How the demo is played.
#[derive(Args)]
pub struct DemoArgs {
    /// Stop after printing the summary.
    #[arg(long)]
    exit: bool,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
    /// Leave out the pauses.
    #[arg(long)]
    fast: bool,
}

/// Plays the story, prints what came of it, and serves it unless told to stop.
pub fn run(mut settings: Settings, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    crate::telemetry::start("error");
    // Whatever DATABASE_URL says: the demo never touches a database that somebody works with.
    settings.database = DatabaseSetting::Sqlite(settings.data_dir.join("assay.sqlite"));
    clear_earlier_demo(&settings.data_dir)?;
    let resources = Arc::new(resources::open(&settings)?);
    let (is_fast, is_json) = (args.fast || args.json, args.json);
    if args.exit {
        if settings.bind.port() == 0 {
            settings.bind = std::net::TcpListener::bind(settings.bind)?.local_addr()?;
        }
        let origin =
            settings.base_url.clone().unwrap_or_else(|| format!("http://{}", settings.bind));
        let outcome = play(&resources, &origin, is_fast)?;
        send_mail(&resources)?;
        print_summary(&outcome, is_json, true);
        return Ok(ExitCode::SUCCESS);
    }
    let base_url = settings.base_url.clone();
    let played = Arc::clone(&resources);
    serve::serve(resources, &settings, move |origin| {
        let outcome = play(&played, base_url.as_deref().unwrap_or(origin), is_fast)?;
        print_summary(&outcome, is_json, false);
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The file that says that everything in a data folder is a demo's.
const MARKER: &str = "this-is-a-demo";
/// What a demo makes in its folder.
const MADE: [&str; 6] = [
    "assay.sqlite",
    "assay.sqlite-wal",
    "assay.sqlite-shm",
    "evidence",
    "mail",
    "key-encryption-key",
];

/// Removes what an earlier demo has left in the folder. A folder that holds anybody else's work is refused.
fn clear_earlier_demo(data_dir: &Path) -> anyhow::Result<()> {
    let marker = data_dir.join(MARKER);
    if !marker.exists() {
        if let Some(found) = MADE.iter().find(|name| data_dir.join(name).exists()) {
            bail!(
                "{} holds {found} of an installation that is no demo; give the demo another folder with --data-dir",
                data_dir.display()
            );
        }
        std::fs::create_dir_all(data_dir)
            .and_then(|()| {
                std::fs::write(
                    &marker,
                    "Everything in this folder is removed when the demo is played again.\n",
                )
            })
            .with_context(|| format!("{} cannot be written to", data_dir.display()))?;
        return Ok(());
    }
    for name in MADE {
        let path = data_dir.join(name);
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else if path.exists() {
            std::fs::remove_file(&path)
        } else {
            Ok(())
        };
        removed.with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    Ok(())
}

fn send_mail(resources: &Resources) -> anyhow::Result<()> {
    while crate::service::outbox::send_next(resources)? {}
    Ok(())
}

struct Outcome {
    summary: Value,
    data: Vec<String>,
}

/// Plays the story.
fn play(resources: &Resources, base_url: &str, is_fast: bool) -> anyhow::Result<Outcome> {
    let bar = ProgressBar::new(22);
    bar.set_style(
        ProgressStyle::with_template("  {bar:24} {pos}/{len}")
            .unwrap_or_else(|_bad| ProgressStyle::default_bar()),
    );
    let pause = if is_fast { Duration::ZERO } else { Duration::from_millis(600) };
    let story = Story { resources, bar, pause };
    complain(
        "playing the story: a district, its design team, two educators, their assessors, and a stranger who verifies",
    );

    let password = random_phrase();
    let new = NewInstallation {
        organization: "Riverbend Unified School District".to_owned(),
        kind: OrganizationKind::District,
        name: "Dana Okafor".to_owned(),
        email: "dana.okafor@demo.example".to_owned(),
        password: password.clone(),
        base_url: base_url.to_owned(),
        is_demo: true,
    };
    let made = resources.as_system(|cx| initialize(cx, &new))?;
    let district = made.organization;
    let administrator = Person {
        id: made.administrator,
        token: story.sign_in(&new.email, &password)?,
        name: new.name,
        email: new.email,
        password,
        roles: vec![Role::Administrator.as_str()],
    };
    story.tell("The district is set up, with its own signing key.");

    let teaching = story.organization(
        &administrator,
        district,
        "Teaching and Learning",
        OrganizationKind::Department,
    )?;
    let inclusion = story.organization(
        &administrator,
        district,
        "Inclusive Education",
        OrganizationKind::Department,
    )?;
    let willow = story.organization(&administrator, district, WILLOW, OrganizationKind::School)?;
    let summit = story.organization(&administrator, district, SUMMIT, OrganizationKind::School)?;
    let harbor = story.organization(&administrator, district, HARBOR, OrganizationKind::School)?;
    let coordinator =
        story.invite(&administrator, district, "Rosa Delgado", &[Role::Coordinator])?;
    let officer = story.invite(
        &administrator,
        district,
        "Ines Achterberg",
        &[Role::IssuingOfficer, Role::Auditor],
    )?;
    let author = story.invite(&coordinator, teaching, "Theo Lindqvist", &[Role::Designer])?;
    let colleague = story.invite(&coordinator, inclusion, "Amara Nwosu", &[Role::Designer])?;
    let assistant = story.invite(&coordinator, harbor, "Malik Jones", &[Role::Designer])?;
    let assessor = story.invite(&coordinator, summit, "Jonas Weber", &[Role::Assessor])?;
    let second = story.invite(&coordinator, harbor, "Priya Raman", &[Role::Assessor])?;
    let lead = story.invite(&coordinator, teaching, "Leila Haddad", &[Role::LeadAssessor])?;
    let other_lead = story.invite(&coordinator, inclusion, "Mateo Silva", &[Role::LeadAssessor])?;
    let ana = story.invite(&coordinator, willow, "Ana Castillo", &[Role::Earner])?;
    let ben = story.invite(&coordinator, willow, "Ben Whitaker", &[Role::Earner])?;
    story.tell("Two departments, three schools and twelve people have joined by invitation.");

    let waiver = NewWaiver {
        reason: "A pilot in one district: assessors of other schools read the work.".to_owned(),
        deciders: vec![author.id, colleague.id],
        ends_at: resources.now().plus(chrono::TimeDelta::days(365)),
        revision: 0,
    };
    story.act(&coordinator, "put_same_district_waiver", |cx| {
        conflicts::put_waiver(cx, district, &waiver)
    })?;
    story.tell("Two departments decide that assessors of the district may read one another's earners, with a second score on every not-yet.");

    let mut published = Vec::new();
    for text in DEFINITIONS {
        let one = story.publish(district, &author, &colleague, text)?;
        story.tell(&format!("Published after two approvals from two departments: {}.", one.2));
        published.push(one);
    }
    let [small_group, _, shared_decision] = published.as_slice() else {
        bail!("three definitions are shipped")
    };

    let pathway = story.publish_stack(district, &author, &colleague, PATHWAY)?;
    story.tell("A pathway is published that grows instructional assistants into teachers: one micro-credential of each of two kinds.");

    story.calibrate(shared_decision.0, [&lead, &other_lead], &[&assessor, &second])?;
    story.tell("Two lead assessors make known work and agree on its levels, each alone. Jonas and Priya score it as they do, and are qualified for that rubric.");

    let team = [&author, &colleague, &assistant];
    let program = story.open_pilot(&coordinator, district, team)?;
    story.tell("The team rehearses. Three of them, from two departments and a school, approve the charter, and the pilot opens.");
    let schools = [(willow, WILLOW), (summit, SUMMIT), (harbor, HARBOR)];
    story.take_part(&coordinator, program, schools, [&ana, &ben])?;
    story.tell("Twenty educators are invited from two lists, and fifteen take part: three of four, as in the charter.");

    let first = story.submit(&ana, small_group.0)?;
    story.tell("Ana, an instructional assistant, hands in her work: answers, a plan, a session, a hand-back note.");
    for reader in [&assessor, &second] {
        story.score(reader, small_group.0, &["c4"])?;
    }
    story.tell("A reader of another school scores it blind: not yet. By the rules a second one reads it too, and agrees. The feedback says what is missing.");
    let again = story.resubmit(&ana, first)?;
    story.score(&assessor, small_group.0, &[])?;
    story.tell("Ana hands in a new note. What she had passed is carried forward, and only the note is read again. Decision: earned.");

    let other = story.submit(&ben, shared_decision.0)?;
    story.score(&assessor, shared_decision.0, &["c1"])?;
    story.score(&second, shared_decision.0, &[])?;
    story.tell("Ben's work is read by two people who do not know each other. They differ on one criterion, across the line between passing and not.");
    if !story.score(&lead, shared_decision.0, &[])? {
        bail!("the third reading should have decided");
    }
    story.tell("A lead assessor reads that criterion alone, without seeing their scores, and settles it. Decision: earned.");

    let agreement = story.agreement(&lead, shared_decision.0)?;
    story.tell("She looks at how far her assessors agree: counts with their intervals. Coefficients are hidden until twenty criteria were read twice.");

    let (first_line, none) = story.submission(&ana, first)?;
    let (second_line, active) = story.submission(&ana, again)?;
    let (third_line, revoked) = story.submission(&ben, other)?;
    let (Some(active), Some(revoked), None) = (active, revoked, none) else {
        bail!("the story did not end as it should")
    };
    let note = "The notes that were handed in belonged to a colleague; decided by the panel on the earner's own report.";
    story.act(&officer, "revoke_award", |cx| {
        awards::revoke(cx, revoked, RevocationReason::IssuedInError, note, None)
    })?;
    story.tell("Ben's badge is revoked; the signed status list says so at once.");

    let mut lines = Vec::new();
    for id in [active, revoked] {
        let document = story.document(id)?;
        let verdict = serde_json::to_value(story.verdict(&document)?)?;
        let award = story.act(&officer, "read_award", |cx| awards::find(cx, id))?;
        lines.push(json!({
            "id": id,
            "url": format!("{}/credentials/{id}", made.base_url),
            "state": award.state.as_str(),
            "verdict": verdict["verdict"],
        }));
    }
    let document = story.document(active)?;
    let altered = document.replacen("Small-Group", "Large-Group", 1);
    if altered == document {
        bail!("the badge could not be altered");
    }
    let tampered = serde_json::to_value(story.verdict(&altered)?)?;
    story.tell("A stranger verifies: one valid, one revoked, and an altered copy that is refused.");
    let figures = story.figures(&coordinator, program)?;
    story.tell("The district looks at its pilot: what can be counted without pointing at anybody, beside what the charter wants to reach.");
    let inventory =
        story.ask_who_can_lead(&administrator, &coordinator, district, (&ana, active))?;
    story.tell("Who can lead this? Ana wants to be asked, so the district's inventory names her; of everybody else it tells counts.");
    story.bar.finish_and_clear();

    let people: Vec<Value> = [&administrator, &coordinator, &officer, &author, &colleague, &assistant, &assessor, &second, &lead, &other_lead, &ana, &ben]
        .iter()
        .map(|person| {
            json!({
                "id": person.id, "name": person.name, "email": person.email, "password": person.password,
                "roles": person.roles,
            })
        })
        .collect();
    let organizations =
        story.act(&administrator, "list_organizations", |cx| organizations::list(cx, None, 100))?;
    let summary = json!({
        "base_url": made.base_url,
        "organizations": organizations
            .iter()
            .map(|one| json!({ "id": one.id, "name": one.name, "kind": one.kind.as_str() }))
            .collect::<Vec<_>>(),
        "people": people,
        "micro_credentials": published
            .iter()
            .map(|(id, version, title)| json!({ "id": id, "version": version, "title": title }))
            .collect::<Vec<_>>(),
        "submissions": [first_line, second_line, third_line],
        "agreement": agreement,
        "program": { "id": program, "figures": figures },
        "inventory": inventory,
        "awards": lines,
        "tampered": { "verdict": tampered["verdict"] },
    });
    let data = vec![
        format!("{}/achievements/{}/versions/{}", made.base_url, small_group.0, small_group.1),
        format!("{}/stacks/{pathway}", made.base_url),
        format!("{}/stacks (Ana signs in and sees how far she is)", made.base_url),
        format!("{}/issuers/{district}", made.base_url),
        format!("{}/api/v1/programs/{program}", made.base_url),
        format!("{}/programs/{program}/report (Rosa signs in and prints it)", made.base_url),
        format!("{}/verify", made.base_url),
    ];
    Ok(Outcome { summary, data })
}

fn print_summary(outcome: &Outcome, is_json: bool, has_ended: bool) {
    let summary = &outcome.summary;
    if is_json {
        say(&summary.to_string());
        return;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    say("");
    say("Badges");
    for award in summary["awards"].as_array().into_iter().flatten() {
        say(&format!(
            "  {:<8} verdict {:<8} {}",
            text(&award["state"]),
            text(&award["verdict"]),
            text(&award["url"])
        ));
    }
    say(&format!(
        "  altered  verdict {:<8} (a copy of the first with one word changed)",
        text(&summary["tampered"]["verdict"])
    ));
    say("");
    say("Submissions");
    for submission in summary["submissions"].as_array().into_iter().flatten() {
        say(&format!("  {:<10} {}", text(&submission["state"]), text(&submission["decision"])));
    }
    say("");
    say("Agreement of two assessors, criterion by criterion");
    for name in ["exact", "decision"] {
        let share = &summary["agreement"][name];
        say(&format!(
            "  {name:<10} {} of {} ({:.2} to {:.2})",
            share["count"],
            share["n"],
            share["low"].as_f64().unwrap_or(f64::NAN),
            share["high"].as_f64().unwrap_or(f64::NAN),
        ));
    }
    say(&format!("  {:<10} {}", "kappa", text(&summary["agreement"]["kappa"])));
    say("");
    say("The pilot, in persons (hidden: from 1 to 4, or what would give that away)");
    for figure in summary["program"]["figures"].as_array().into_iter().flatten() {
        let count = figure["count"].as_u64().map_or("hidden".to_owned(), |count| count.to_string());
        let share = figure["share_bp"].as_u64().map_or(String::new(), |share| {
            format!("  {} % of the {}", share / 100, text(&figure["of"]).replace('_', " "))
        });
        let target = figure["target_bp"]
            .as_u64()
            .map_or(String::new(), |target| format!("  (wanted: {} %)", target / 100));
        let name = text(&figure["name"]).replace('_', " ");
        say(&format!("  {name:<12} {count:<7}{share}{target}"));
    }
    say("");
    let inventory = &summary["inventory"];
    say(&format!("Who can lead this? Skill {}", text(&inventory["skill"])));
    for name in inventory["people"].as_array().into_iter().flatten() {
        say(&format!("  {:<16} wants to be asked", text(name)));
    }
    say(&format!("  {}", text(&inventory["purpose"])));
    say("");
    say("People (name, address, password)");
    for person in summary["people"].as_array().into_iter().flatten() {
        let roles: Vec<String> =
            person["roles"].as_array().into_iter().flatten().map(text).collect();
        say(&format!(
            "  {:<16} {:<30} {:<26} {}",
            text(&person["name"]),
            text(&person["email"]),
            text(&person["password"]),
            roles.join(", ")
        ));
    }
    say("");
    say("Pages");
    for link in &outcome.data {
        say(&format!("  {link}"));
    }
    say("");
    if has_ended {
        say("The links work after `assay serve` on the same data folder and address.");
    } else {
        say("The service is running. Stop it with Ctrl-C.");
    }
}

/// A password that can be read aloud: random all the same.
fn random_phrase() -> String {
    const WORDS: [&str; 16] = [
        "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "juniper",
        "kestrel", "lark", "maple", "north", "ochre", "pine",
    ];
    let mut random = [0_u8; 6];
    rand::fill(&mut random);
    let words: Vec<&str> = random
        .iter()
        .take(3)
        .filter_map(|byte| WORDS.get(usize::from(byte % 16)).copied())
        .collect();
    let number: u32 = random.iter().skip(3).fold(0, |sum, byte| sum * 256 + u32::from(*byte));
    format!("{}-{number:07}", words.join("-"))
}
