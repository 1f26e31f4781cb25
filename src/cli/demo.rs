//! `assay demo`: the whole story on a fresh embedded database, through the same services as the API.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{complain, demo_files, resources, say, serve};
use crate::config::Settings;
use crate::credential::verify::Verdict;
use crate::domain::award::RevocationReason;
use crate::domain::definition::EvidenceRequirement;
use crate::domain::ids::{AwardId, MicroCredentialId, OrganizationId, PersonId, SubmissionId};
use crate::domain::organization::{OrganizationKind, Role};
use crate::domain::review::{Score, Sheet};
use crate::service::conflicts::NewWaiver;
use crate::service::context::Proof;
use crate::service::evidence::ItemTerms;
use crate::service::installation::{NewInstallation, initialize};
use crate::service::members::NewInvitation;
use crate::service::organizations::NewOrganization;
use crate::service::resubmission::Resubmit;
use crate::service::submissions::{Response, Save, SubmissionDetail};
use crate::service::{
    Cx, Error, Resources, awards, conflicts, evidence, members, micro_credentials, organizations,
    publications, resubmission, reviews, sessions, submissions, verification,
};
use crate::store::DatabaseSetting;

/// The definitions that are shipped.
const DEFINITIONS: [&str; 3] = [
    include_str!("../../credential-schemas/definitions/mc-ia-small-group-support.json"),
    include_str!("../../credential-schemas/definitions/mc-students-as-leaders.json"),
    include_str!("../../credential-schemas/definitions/mc-shared-decision-making.json"),
];

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

/// Somebody of the story.
#[derive(Clone)]
struct Person {
    id: PersonId,
    name: String,
    email: String,
    password: String,
    roles: Vec<&'static str>,
    token: String,
}

struct Outcome {
    summary: Value,
    data: Vec<String>,
}

struct Story<'a> {
    resources: &'a Resources,
    bar: ProgressBar,
    pause: Duration,
}

impl Story<'_> {
    /// One step of the story: a line, and a little time to read it.
    fn tell(&self, text: &str) {
        self.bar.println(format!("  {text}"));
        self.bar.inc(1);
        if !self.pause.is_zero() {
            std::thread::sleep(self.pause);
        }
    }

    /// Runs a use case as a person, the same way as a request does.
    fn act<T>(
        &self,
        person: &Person,
        operation: &'static str,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Error>,
    ) -> anyhow::Result<T> {
        self.resources
            .run(operation, Proof::Token(&person.token), work)
            .with_context(|| format!("{} could not {operation}", person.name))
    }

    fn sign_in(&self, email: &str, password: &str) -> anyhow::Result<String> {
        Ok(self
            .resources
            .run("create_session", Proof::None, |cx| sessions::create(cx, email, password))?
            .access_token)
    }

    fn invite(
        &self,
        by: &Person,
        organization: OrganizationId,
        name: &str,
        roles: &[Role],
    ) -> anyhow::Result<Person> {
        let email = format!("{}@demo.example", name.to_lowercase().replace(' ', "."));
        let password = random_phrase();
        let new =
            NewInvitation { email: email.clone(), name: name.to_owned(), roles: roles.to_vec() };
        let invited =
            self.act(by, "create_invitation", |cx| members::invite(cx, organization, &new))?;
        let token = self.resources.keyring.invitation_token(&invited.invitation.id.to_string());
        let membership = self
            .resources
            .run("accept_invitation", Proof::None, |cx| members::accept(cx, &token, &password))?;
        let token = self.sign_in(&email, &password)?;
        let roles = roles.iter().map(|role| role.as_str()).collect();
        Ok(Person { id: membership.person, name: name.to_owned(), email, password, roles, token })
    }

    fn organization(
        &self,
        by: &Person,
        parent: OrganizationId,
        name: &str,
        kind: OrganizationKind,
    ) -> anyhow::Result<OrganizationId> {
        let new = NewOrganization {
            name: name.to_owned(),
            kind: kind.as_str().to_owned(),
            parent_id: Some(parent),
            url: None,
            email: None,
        };
        Ok(self.act(by, "create_organization", |cx| organizations::create(cx, &new))?.id)
    }

    /// Writes, approves and publishes a definition.
    fn publish(
        &self,
        district: OrganizationId,
        author: &Person,
        colleague: &Person,
        text: &str,
    ) -> anyhow::Result<(MicroCredentialId, i32, String)> {
        let definition: Value = serde_json::from_str(text)?;
        let draft = self.act(author, "create_micro_credential", |cx| {
            micro_credentials::create(cx, district, &definition)
        })?;
        let (family, number) = (draft.micro_credential, draft.number);
        for (voter, comment) in
            [(author, "Ready from our side."), (colleague, "Tried it with two colleagues; clear.")]
        {
            self.act(voter, "create_approval", |cx| {
                micro_credentials::vote(cx, family, number, true, comment)
            })?;
        }
        let published = self.act(colleague, "publish_version", |cx| {
            micro_credentials::publish(cx, family, number)
        })?;
        Ok((family, published.number, published.title))
    }

    /// An earner's whole way to the hand-in.
    fn submit(&self, earner: &Person, family: MicroCredentialId) -> anyhow::Result<SubmissionId> {
        let started =
            self.act(earner, "create_submission", |cx| submissions::start(cx, family, None))?;
        let facts = started.submission.facts().clone();
        let (version, definition) =
            self.act(earner, "read_version", |cx| submissions::pinned(cx.conn, &started))?;
        let responses = definition
            .rubric()
            .prompts()
            .map(|prompt| {
                let answer = demo_files::answer_for(&version.title, prompt.id().as_str());
                (prompt.id().as_str().to_owned(), Some(Response::Text(answer.to_owned())))
            })
            .collect();
        let save = Save {
            responses,
            integrity_statement: Some(true),
            include_results: Some(true),
            ai_use: None,
        };
        self.act(earner, "patch_submission", |cx| {
            submissions::save(cx, facts.id, &save, facts.revision)
        })?;
        for requirement in
            definition.evidence().iter().filter(|requirement| requirement.is_required())
        {
            self.hand_in(earner, facts.id, requirement)?;
        }
        self.act(earner, "submit_submission", |cx| submissions::submit(cx, facts.id))?;
        Ok(facts.id)
    }

    /// The next attempt after a not-yet: what was passed is carried forward, and what is asked for again is handed in anew.
    fn resubmit(&self, earner: &Person, before: SubmissionId) -> anyhow::Result<SubmissionId> {
        let new = self.act(earner, "resubmit_submission", |cx| {
            resubmission::resubmit(cx, before, &Resubmit::default())
        })?;
        let facts = new.submission.facts().clone();
        let save = Save {
            integrity_statement: Some(true),
            include_results: Some(true),
            ..Save::default()
        };
        self.act(earner, "patch_submission", |cx| {
            submissions::save(cx, facts.id, &save, facts.revision)
        })?;
        let (_, definition) =
            self.act(earner, "read_version", |cx| submissions::pinned(cx.conn, &new))?;
        let Some(requirement) = definition.find_evidence("a3") else {
            bail!("the definition asks for no note")
        };
        self.hand_in(earner, facts.id, requirement)?;
        self.act(earner, "submit_submission", |cx| submissions::submit(cx, facts.id))?;
        Ok(facts.id)
    }

    fn hand_in(
        &self,
        earner: &Person,
        id: SubmissionId,
        requirement: &EvidenceRequirement,
    ) -> anyhow::Result<()> {
        let (file_name, bytes) = demo_files::file_for(requirement.media(), requirement.title())?;
        let terms = ItemTerms {
            requirement_id: requirement.id().as_str().to_owned(),
            contains_students: false,
            consent: false,
        };
        self.act(earner, "add_evidence", |cx| {
            let mut incoming = evidence::begin(cx, id)?.incoming;
            incoming.write(&bytes)?;
            evidence::complete(cx, id, incoming, &file_name, &terms)
        })?;
        Ok(())
    }

    /// Claims the submission's review, scores it at its pass levels, but for those that are not reached, and locks.
    fn score(
        &self,
        assessor: &Person,
        family: MicroCredentialId,
        not_reached: &[&str],
    ) -> anyhow::Result<bool> {
        let claimed = self.act(assessor, "claim_review", |cx| reviews::claim(cx, Some(family)))?;
        let detail = claimed.context("nothing to score")?;
        let work = detail.work.context("a claimed review without its work")?;
        for item in work.evidence.iter() {
            let (submission, id) = (detail.review.submission, item.stored.id);
            self.act(assessor, "read_evidence_content", |cx| evidence::open(cx, submission, id))?;
        }
        let definition = micro_credentials::parse_stored(&work.version)?.definition;
        let scores: BTreeMap<String, Score> = definition
            .rubric()
            .items()
            .map(|item| {
                let id = item.id().as_str().to_owned();
                let pass_level = item.pass_level().number();
                let is_reached = !not_reached.contains(&id.as_str());
                let (level, words) = if is_reached {
                    (pass_level, "What you handed in shows this; see the second page.")
                } else {
                    (pass_level - 1, "Say for one person what was shown, and what you suggest.")
                };
                let feedback = Some(words.to_owned());
                (id, Score { level: Some(level), unscorable: false, feedback })
            })
            .collect();
        let sheet = Sheet {
            scores,
            overall_feedback: Some(
                "You let every learner show what they know, and your notes told the teacher what to do next.".to_owned(),
            ),
        };
        let id = detail.review.id;
        self.act(assessor, "put_scores", |cx| {
            reviews::save_scores(cx, id, &sheet, detail.review.revision)
        })?;
        Ok(self.act(assessor, "lock_review", |cx| reviews::lock(cx, id))?.is_decided)
    }

    fn submission(
        &self,
        earner: &Person,
        id: SubmissionId,
    ) -> anyhow::Result<(Value, Option<AwardId>)> {
        match self.act(earner, "read_submission", |cx| submissions::find(cx, id))? {
            SubmissionDetail::Own(own) => {
                let decision = own.decision.map(|decision| decision.outcome.as_str());
                let state = own.stored.submission.state().as_str();
                Ok((
                    json!({ "id": id, "state": state, "decision": decision }),
                    own.award.map(|award| award.id),
                ))
            }
            SubmissionDetail::Status(_) => bail!("an earner was shown somebody else's view"),
        }
    }

    fn document(&self, award: AwardId) -> anyhow::Result<String> {
        Ok(self
            .resources
            .run("read_credential", Proof::None, |cx| publications::credential(cx, award))?)
    }

    fn verdict(&self, document: &str) -> anyhow::Result<Verdict> {
        Ok(verification::verify(self.resources, document.as_bytes(), None)?)
    }
}

/// Plays the story.
fn play(resources: &Resources, base_url: &str, is_fast: bool) -> anyhow::Result<Outcome> {
    let bar = ProgressBar::new(13);
    bar.set_style(
        ProgressStyle::with_template("  {bar:24} {pos}/{len}")
            .unwrap_or_else(|_bad| ProgressStyle::default_bar()),
    );
    let pause = if is_fast { Duration::ZERO } else { Duration::from_millis(600) };
    let story = Story { resources, bar, pause };
    complain(
        "playing the story: a district, its design team, two educators, three assessors, and a stranger who verifies",
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
    let willow = story.organization(
        &administrator,
        district,
        "Willow Creek Elementary",
        OrganizationKind::School,
    )?;
    let summit = story.organization(
        &administrator,
        district,
        "Summit Middle School",
        OrganizationKind::School,
    )?;
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
    let assessor = story.invite(&coordinator, summit, "Jonas Weber", &[Role::Assessor])?;
    let second = story.invite(&coordinator, summit, "Priya Raman", &[Role::Assessor])?;
    let lead = story.invite(&coordinator, summit, "Leila Haddad", &[Role::LeadAssessor])?;
    let ana = story.invite(&coordinator, willow, "Ana Castillo", &[Role::Earner])?;
    let ben = story.invite(&coordinator, willow, "Ben Whitaker", &[Role::Earner])?;
    story.tell("Two departments, two schools and nine people have joined by invitation.");

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
    story.bar.finish_and_clear();

    let people: Vec<Value> = [&administrator, &coordinator, &officer, &author, &colleague, &assessor, &second, &lead, &ana, &ben]
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
        "awards": lines,
        "tampered": { "verdict": tampered["verdict"] },
    });
    let data = vec![
        format!("{}/achievements/{}/versions/{}", made.base_url, small_group.0, small_group.1),
        format!("{}/issuers/{district}", made.base_url),
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
        let decision = submission["decision"].as_str().unwrap_or("waits for its second reader");
        say(&format!("  {:<10} {decision}", text(&submission["state"])));
    }
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
