//! The people of the story, and what they do: the same use cases as over the API.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{files, random_phrase};
use crate::credential::verify::Verdict;
use crate::domain::definition::EvidenceRequirement;
use crate::domain::ids::{
    AwardId, MicroCredentialId, OrganizationId, PersonId, StackId, SubmissionId,
};
use crate::domain::organization::{OrganizationKind, Role};
use crate::domain::review::{Score, Sheet};
use crate::domain::statistics::agreement::Proportion;
use crate::service::context::Proof;
use crate::service::evidence::ItemTerms;
use crate::service::members::NewInvitation;
use crate::service::organizations::NewOrganization;
use crate::service::resubmission::Resubmit;
use crate::service::submissions::{Response, Save, SubmissionDetail};
use crate::service::{
    Cx, Error, Resources, agreement_reports, evidence, members, micro_credentials, organizations,
    publications, resubmission, reviews, sessions, stacks, submissions, verification,
};

/// Somebody of the story.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) id: PersonId,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) password: String,
    pub(super) roles: Vec<&'static str>,
    pub(super) token: String,
}

pub(super) struct Story<'a> {
    pub(super) resources: &'a Resources,
    pub(super) bar: ProgressBar,
    pub(super) pause: Duration,
}

impl Story<'_> {
    /// One step of the story: a line, and a little time to read it.
    pub(super) fn tell(&self, text: &str) {
        self.bar.println(format!("  {text}"));
        self.bar.inc(1);
        if !self.pause.is_zero() {
            std::thread::sleep(self.pause);
        }
    }

    /// Runs a use case as a person, the same way as a request does.
    pub(super) fn act<T>(
        &self,
        person: &Person,
        operation: &'static str,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Error>,
    ) -> anyhow::Result<T> {
        self.resources
            .run(operation, Proof::Token(&person.token), work)
            .with_context(|| format!("{} could not {operation}", person.name))
    }

    pub(super) fn sign_in(&self, email: &str, password: &str) -> anyhow::Result<String> {
        Ok(self
            .resources
            .run("create_session", Proof::None, |cx| sessions::create(cx, email, password))?
            .access_token)
    }

    pub(super) fn invite(
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

    pub(super) fn organization(
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
    pub(super) fn publish(
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

    /// Writes a stack, and lets somebody else publish it.
    pub(super) fn publish_stack(
        &self,
        district: OrganizationId,
        author: &Person,
        colleague: &Person,
        text: &str,
    ) -> anyhow::Result<StackId> {
        let document: Value = serde_json::from_str(text)?;
        let draft =
            self.act(author, "create_stack", |cx| stacks::create(cx, district, &document))?;
        Ok(self.act(colleague, "publish_stack", |cx| stacks::publish(cx, draft.id))?.id)
    }

    /// An earner's whole way to the hand-in.
    pub(super) fn submit(
        &self,
        earner: &Person,
        family: MicroCredentialId,
    ) -> anyhow::Result<SubmissionId> {
        let started =
            self.act(earner, "create_submission", |cx| submissions::start(cx, family, None, None))?;
        let facts = started.submission.facts().clone();
        let (version, definition) =
            self.act(earner, "read_version", |cx| submissions::pinned(cx.conn, &started))?;
        let responses = definition
            .rubric()
            .prompts()
            .map(|prompt| {
                let answer = files::answer_for(&version.title, prompt.id().as_str());
                (prompt.id().as_str().to_owned(), Some(Response::Text(answer.to_owned())))
            })
            .collect();
        let save = Save {
            responses,
            integrity_statement: Some(true),
            include_results: Some(true),
            ..Save::default()
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
    pub(super) fn resubmit(
        &self,
        earner: &Person,
        before: SubmissionId,
    ) -> anyhow::Result<SubmissionId> {
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

    pub(super) fn hand_in(
        &self,
        earner: &Person,
        id: SubmissionId,
        requirement: &EvidenceRequirement,
    ) -> anyhow::Result<()> {
        let (file_name, bytes) = files::file_for(requirement.media(), requirement.title())?;
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
    pub(super) fn score(
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

    /// What the agreement report says of all criteria together.
    pub(super) fn agreement(
        &self,
        lead: &Person,
        family: MicroCredentialId,
    ) -> anyhow::Result<Value> {
        let report =
            self.act(lead, "read_agreement_report", |cx| agreement_reports::find(cx, family))?;
        let overall = report.overall.context("a rubric on one scale")?;
        let share = |share: Proportion| {
            let interval = share.wilson().ok();
            json!({
                "count": share.count(),
                "n": share.n(),
                "low": interval.map(|interval| interval.low),
                "high": interval.map(|interval| interval.high),
            })
        };
        let kappa = match overall.coefficients.map(|found| found.kappa) {
            Some(Ok(kappa)) => format!("{kappa:.2}"),
            Some(Err(reason)) => reason.as_str().to_owned(),
            None => "hidden: fewer than 20 criteria were read twice".to_owned(),
        };
        Ok(json!({
            "exact": share(overall.agreement.exact()),
            "decision": share(overall.agreement.decision()),
            "kappa": kappa,
        }))
    }

    pub(super) fn submission(
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

    pub(super) fn document(&self, award: AwardId) -> anyhow::Result<String> {
        Ok(self
            .resources
            .run("read_credential", Proof::None, |cx| publications::credential(cx, award))?)
    }

    pub(super) fn verdict(&self, document: &str) -> anyhow::Result<Verdict> {
        Ok(verification::verify(self.resources, document.as_bytes(), None)?)
    }
}
