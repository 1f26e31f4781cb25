//! What an organization has made, in open formats: for a district that leaves, or wants to see what it has.
//!
//! It holds definitions, rubrics, frameworks, stacks, charters, templates, endorsements, proposals and badges. It does not hold what
//! belongs to earners: their submissions, evidence and feedback; nor keys, known work and the audit trail. People are in it by ids alone.

use serde_json::{Value, json};

use super::context::Cx;
use super::error::Error;
use super::static_export::PublicFile;
use super::{endorsements, frameworks};
use crate::domain::csv;
use crate::domain::ids::OrganizationId;
use crate::domain::policy::Denied;
use crate::domain::proposal::{ProposalState, ProposalSubject};
use crate::store;
use crate::store::awards::AwardBasis;
use crate::store::proposals::{About, ProposalQuery};
use crate::store::stacks::StackQuery;

/// How much is read at a time.
const PAGE: i64 = 100;
const JSON: &str = "application/json";

fn file(path: String, document: &Value) -> PublicFile {
    PublicFile { path, media_type: JSON, bytes: format!("{document:#}\n").into_bytes() }
}

/// A text from the database as JSON again.
fn parsed(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(Error::internal)
}

/// Hands out everything that an organization and those below it have made, a file at a time. For the operator: nobody's rights are asked.
///
/// # Errors
/// [`Error::Denied`] for an organization that there is not, and what `emit` returns.
pub fn write_all(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    emit: &mut dyn FnMut(PublicFile) -> Result<(), Error>,
) -> Result<(), Error> {
    if store::organizations::find(cx.conn, organization)?.is_none() {
        return Err(Error::Denied(Denied::Hidden("organization")));
    }
    let mut awards =
        csv::line(&["award", "organization", "micro_credential_or_stack", "state", "issued_at"]);
    for id in store::organizations::list_branch(cx.conn, organization)? {
        write_organization(cx, id, emit)?;
    }
    write_awards(cx, organization, &mut awards, emit)?;
    let path = "awards.csv".to_owned();
    emit(PublicFile { path, media_type: "text/csv", bytes: awards.into_bytes() })
}

fn write_organization(
    cx: &mut Cx<'_>,
    id: OrganizationId,
    emit: &mut dyn FnMut(PublicFile) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(found) = store::organizations::find(cx.conn, id)? else { return Ok(()) };
    let folder = format!("organizations/{id}");
    let about = json!({
        "id": id.to_string(), "name": found.name, "kind": found.kind.as_str(),
        "parent_id": found.parent.map(|parent| parent.to_string()),
        "url": found.url, "email": found.email,
    });
    emit(file(format!("{folder}/organization.json"), &about))?;
    for version in store::micro_credentials::list_of_organization(cx.conn, id)? {
        let place = format!("{}/{}", version.micro_credential, version.number);
        let definition = parsed(&version.definition)?;
        emit(file(format!("{folder}/definitions/{place}.json"), &definition))?;
        if version.state.is_public() {
            let rubric = frameworks::export_rubric(cx, version.micro_credential, version.number)?;
            emit(file(format!("{folder}/rubrics/{place}.json"), &rubric))?;
            let (micro_credential, number) = (version.micro_credential, version.number);
            let about = About::MicroCredential(micro_credential);
            let subject = ProposalSubject::Version { micro_credential, number };
            write_proposals(cx, about, subject, &folder, emit)?;
        }
    }
    let mut after: Option<String> = None;
    loop {
        let page = store::frameworks::list(cx.conn, Some(id), after.as_deref(), PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.to_string());
        for framework in page {
            let package = frameworks::export(cx, framework.id)?;
            emit(file(format!("{folder}/frameworks/{}.json", framework.id), &package))?;
        }
    }
    write_rest(cx, id, &folder, emit)
}

/// The proposals that are shown; of a micro-credential those about one version.
fn write_proposals(
    cx: &mut Cx<'_>,
    about: About,
    subject: ProposalSubject,
    folder: &str,
    emit: &mut dyn FnMut(PublicFile) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut query =
        ProposalQuery { about, states: ProposalState::SHOWN.to_vec(), after: None, limit: PAGE };
    loop {
        let page = store::proposals::list(cx.conn, &query)?;
        let Some(last) = page.last() else { return Ok(()) };
        query.after = Some(last.id.to_string());
        for proposal in page.into_iter().filter(|one| one.subject == subject) {
            let (outcome, answer) = match &proposal.answer {
                Some((outcome, answer, _)) => (Some(outcome.as_str()), Some(answer)),
                None => (None, None),
            };
            let (removal_reason, _) = proposal.removed.unzip();
            let (version, program) = match subject {
                ProposalSubject::Version { micro_credential, number } => {
                    (Some((micro_credential.to_string(), number)), None)
                }
                ProposalSubject::Charter(program) => (None, Some(program.to_string())),
            };
            let (micro_credential, version) = version.unzip();
            let about = json!({
                "micro_credential_id": micro_credential, "version": version, "program_id": program,
                "text": proposal.text, "removal_reason": removal_reason,
                "replacement": proposal.replacement, "credit_name": proposal.credit_name,
                "outcome": outcome, "answer": answer, "created_at": proposal.created_at.to_string(),
            });
            emit(file(format!("{folder}/proposals/{}.json", proposal.id), &about))?;
        }
    }
}

/// Stacks, charters, templates and endorsements.
fn write_rest(
    cx: &mut Cx<'_>,
    id: OrganizationId,
    folder: &str,
    emit: &mut dyn FnMut(PublicFile) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut query =
        StackQuery { organization: Some(id), designed_by: vec![id], after: None, limit: PAGE };
    loop {
        let page = store::stacks::list(cx.conn, &query)?;
        let Some(last) = page.last() else { break };
        query.after = Some(last.id.to_string());
        for stack in page {
            emit(file(format!("{folder}/stacks/{}.json", stack.id), &parsed(&stack.document)?))?;
        }
    }
    let mut after: Option<String> = None;
    loop {
        let page = store::programs::list(cx.conn, Some(id), &[id], after.as_deref(), PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.to_string());
        for program in page {
            let charter = parsed(&program.charter)?;
            emit(file(format!("{folder}/charters/{}.json", program.id), &charter))?;
            let (about, subject) =
                (About::Charter(program.id), ProposalSubject::Charter(program.id));
            let at = format!("{folder}/charters/{}", program.id);
            write_proposals(cx, about, subject, &at, emit)?;
        }
    }
    let mut after: Option<String> = None;
    loop {
        let page = store::templates::list(cx.conn, id, after.as_deref(), PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.to_string());
        for template in page {
            let signed =
                json!({ "package": parsed(&template.package)?, "signature": template.signature });
            emit(file(format!("{folder}/templates/{}.json", template.id), &signed))?;
        }
    }
    let mut after: Option<String> = None;
    loop {
        let page = endorsements::list(cx, id, after.as_deref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.to_string());
        for one in page {
            let (ended_at, end_reason) = one.ended.unzip();
            let signed = json!({
                "statement": parsed(&one.statement)?, "signature": one.signature,
                "ended_at": ended_at.map(|at| at.to_string()), "end_reason": end_reason,
            });
            emit(file(format!("{folder}/endorsements/{}.json", one.id), &signed))?;
        }
    }
}

/// Every badge of the organization and those below it as it was signed, and a line for each award.
fn write_awards(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    table: &mut String,
    emit: &mut dyn FnMut(PublicFile) -> Result<(), Error>,
) -> Result<(), Error> {
    let branch = store::organizations::list_branch(cx.conn, organization)?;
    let mut last = None;
    loop {
        let page = store::credentials::list_issued(cx.conn, last, PAGE)?;
        let Some(end) = page.last() else { return Ok(()) };
        last = Some(*end);
        for id in page {
            let Some(award) = store::awards::find(cx.conn, id)? else { continue };
            if !branch.contains(&award.organization) {
                continue;
            }
            let family = match award.basis {
                AwardBasis::Submission { micro_credential, .. } => micro_credential.to_string(),
                AwardBasis::Stack(stack) => stack.to_string(),
            };
            table.push_str(&csv::line(&[
                id.to_string(),
                award.organization.to_string(),
                family,
                award.state.as_str().to_owned(),
                award.issued_at.map(|at| at.to_string()).unwrap_or_default(),
            ]));
            if let Some(document) = store::credentials::find_credential(cx.conn, id)? {
                let path = format!("credentials/{id}.json");
                let media_type = "application/vc";
                emit(PublicFile { path, media_type, bytes: document.into_bytes() })?;
            }
            if let Some(jwt) = store::credentials::find_jwt(cx.conn, id)? {
                let path = format!("credentials/{id}.jwt");
                let media_type = "application/vc+jwt";
                emit(PublicFile { path, media_type, bytes: jwt.into_bytes() })?;
            }
        }
    }
}
