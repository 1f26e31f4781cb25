//! Submissions, readings and evidence in the records of an organization.

use std::io::Write;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::context::Cx;
use super::super::error::{Broken, Error};
use super::super::evidence::{self, read_chunk};
use super::super::submissions::{self, Response};
use super::readers::Readers;
use super::{CSV, PAGE, RecordFiles, put, put_line};
use crate::domain::audit::hex;
use crate::domain::csv;
use crate::domain::ids::OrganizationId;
use crate::domain::review::ReviewState;
use crate::files::StorageName;
use crate::store;
use crate::store::submissions::StoredSubmission;

/// Goes through the submissions of these organizations, but for known work.
fn each_submission(
    cx: &mut Cx<'_>,
    branch: &[OrganizationId],
    mut with: impl FnMut(&mut Cx<'_>, StoredSubmission) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after: Option<String> = None;
    loop {
        let page =
            store::submissions::list_of_organizations(cx.conn, branch, after.as_deref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.submission.facts().id.to_string());
        for stored in page {
            with(cx, stored)?;
        }
    }
}

/// A line for each submission: its states, answers, items, decision with levels and feedback, and cases.
pub(super) fn write_submissions(
    cx: &mut Cx<'_>,
    branch: &[OrganizationId],
    readers: &Readers,
    out: &mut dyn Write,
) -> Result<(), Error> {
    each_submission(cx, branch, |cx, stored| {
        let line = submission_of(cx, &stored, readers)?;
        put_line(out, &line)
    })
}

fn submission_of(
    cx: &mut Cx<'_>,
    stored: &StoredSubmission,
    readers: &Readers,
) -> Result<Value, Error> {
    let facts = stored.submission.facts();
    let id = facts.id;
    let (version, _) = submissions::pinned(cx.conn, stored)?;
    // What was never handed in is its earner's alone.
    let is_handed_in = stored.submitted_at.is_some();
    let answers = match stored.sealed_key {
        Some(_) if is_handed_in => {
            let found = submissions::read_responses(cx.conn, cx.resources, stored)?;
            let answer = |response: Response| match response {
                Response::Text(text) => json!({ "text": text }),
                Response::Evidence(item) => json!({ "evidence_id": item.to_string() }),
            };
            Some(
                found.into_iter().map(|(prompt, one)| (prompt, answer(one))).collect::<Map<_, _>>(),
            )
        }
        // Not handed in; or its key was destroyed, and nobody can read them any more.
        Some(_) | None => None,
    };
    let items =
        if is_handed_in { evidence::open_all(cx.conn, cx.resources, stored)? } else { Vec::new() };
    let items: Vec<Value> = items
        .into_iter()
        .map(|item| {
            json!({
                "id": item.stored.id.to_string(), "requirement_id": item.stored.requirement,
                "kind": item.stored.kind, "name": item.name, "content": item.content,
                "media_type": item.stored.media_type, "size_bytes": item.stored.size_bytes,
                "sha256": item.stored.sha256, "contains_students": item.stored.contains_students,
                "consent": item.stored.consent, "created_at": item.stored.created_at.to_string(),
                "contributor": item.stored.contributor.map(|one| one.as_str()),
            })
        })
        .collect();
    let moment = |at: Option<crate::domain::timestamp::Timestamp>| at.map(|at| at.to_string());
    Ok(json!({
        "id": id.to_string(), "organization_id": facts.organization.to_string(),
        "micro_credential_id": stored.micro_credential.to_string(), "version": version.number,
        "earner_id": facts.earner.to_string(), "attempt": facts.attempt,
        "previous_id": stored.previous.map(|previous| previous.to_string()),
        "state": stored.submission.state().as_str(),
        "created_at": stored.created_at.to_string(), "submitted_at": moment(stored.submitted_at),
        "due_on": moment(stored.due_on), "decided_at": moment(stored.decided_at),
        "integrity_statement": stored.integrity_statement,
        "ai_use": stored.ai_use.as_ref().filter(|_| is_handed_in),
        "ai_use_policy": stored.ai_use_policy.map(|policy| policy.as_str()),
        "answers": answers, "evidence": items,
        "steps": steps_of(cx, stored, readers)?,
        "decision": decision_of(cx, stored)?,
        "cases": cases_of(cx, stored, readers)?,
    }))
}

/// What happened, and in which role. Who it was tells who has read it.
fn steps_of(
    cx: &mut Cx<'_>,
    stored: &StoredSubmission,
    readers: &Readers,
) -> Result<Vec<Value>, Error> {
    let steps = store::submissions::list_steps(cx.conn, stored.submission.facts().id)?;
    Ok(steps
        .into_iter()
        .map(|step| {
            json!({
                "event": step.event.as_str(), "from": step.from.map(|from| from.as_str()),
                "to": step.to.as_str(), "actor_role": step.actor_role, "reason": step.reason,
                "actor_id": step.actor.filter(|_| readers.are_named()).map(|one| one.to_string()),
                "happened_at": step.happened_at.to_string(),
            })
        })
        .collect())
}

fn decision_of(cx: &mut Cx<'_>, stored: &StoredSubmission) -> Result<Value, Error> {
    let id = stored.submission.facts().id;
    let Some(decision) = store::decisions::find(cx.conn, id)? else { return Ok(Value::Null) };
    let levels: Map<String, Value> = decision
        .levels
        .into_iter()
        .map(|(criterion, one)| {
            (criterion, json!({ "level": one.level, "feedback": one.feedback }))
        })
        .collect();
    Ok(json!({
        "outcome": decision.outcome.as_str(), "raters": decision.raters,
        "assessors_qualified": decision.assessors_qualified,
        "decided_at": decision.decided_at.to_string(), "levels": levels,
        "overall_feedback": submissions::list_overall_feedback(cx.conn, id)?,
    }))
}

fn cases_of(
    cx: &mut Cx<'_>,
    stored: &StoredSubmission,
    readers: &Readers,
) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for case in store::cases::list_of_submission(cx.conn, stored.submission.facts().id)? {
        let votes: Vec<Value> = store::cases::list_votes(cx.conn, case.id)?
            .into_iter()
            .map(|vote| {
                json!({
                    "vote": vote.vote.as_str(), "reasons": vote.reasons,
                    "person_id": readers.are_named().then(|| vote.person.to_string()),
                })
            })
            .collect();
        found.push(json!({
            "kind": case.kind.as_str(), "state": case.state.as_str(),
            "grounds": case.grounds.map(|grounds| grounds.as_str()), "statement": case.statement,
            "opened_role": case.opened_role, "opened_at": case.opened_at.to_string(),
            "reply": case.reply, "outcome": case.outcome.map(|outcome| outcome.as_str()),
            "concluded_at": case.concluded_at.map(|at| at.to_string()), "votes": votes,
        }));
    }
    Ok(found)
}

/// A line for each reading, with its sheet. Without names it has neither an id nor a time of day, by which it could be found elsewhere.
pub(super) fn write_reviews(
    cx: &mut Cx<'_>,
    branch: &[OrganizationId],
    readers: &Readers,
    out: &mut dyn Write,
) -> Result<(), Error> {
    each_submission(cx, branch, |cx, stored| {
        let id = stored.submission.facts().id;
        for review in store::reviews::list_of_submission(cx.conn, id)? {
            // A sheet is its reader's alone until it is locked.
            let sheet = match review.state {
                ReviewState::Locked => Some(store::reviews::find_sheet(cx.conn, review.id)?),
                ReviewState::Open
                | ReviewState::Leased
                | ReviewState::Recused
                | ReviewState::Lapsed => None,
            };
            let (scores, overall_feedback) =
                sheet.map(|sheet| (sheet.scores, sheet.overall_feedback)).unzip();
            let scores: Map<String, Value> = scores
                .into_iter()
                .flatten()
                .map(|(criterion, one)| {
                    let line = json!({
                        "level": one.level, "unscorable": one.unscorable, "feedback": one.feedback,
                    });
                    (criterion, line)
                })
                .collect();
            let mut line = json!({
                "submission_id": id.to_string(), "kind": review.kind.as_str(),
                "state": review.state.as_str(), "seat": review.seat,
                "reader": review.assessor.map(|assessor| readers.name_of(assessor)),
                "locked_on": review.locked_at.map(|at| at.date()),
                "scores": scores, "overall_feedback": overall_feedback,
            });
            if readers.are_named() {
                line["review_id"] = json!(review.id.to_string());
                line["locked_at"] = json!(review.locked_at.map(|at| at.to_string()));
            }
            put_line(out, &line)?;
        }
        Ok(())
    })
}

/// Every file that was handed in and can still be read, as it came, and a table of them with their hashes.
pub(super) fn write_evidence(
    cx: &mut Cx<'_>,
    branch: &[OrganizationId],
    files: &mut dyn RecordFiles,
) -> Result<(), Error> {
    let mut each = |cx: &mut Cx<'_>, stored: StoredSubmission| write_files_of(cx, &stored, files);
    each_submission(cx, branch, &mut each)?;
    files.file("records/evidence.csv", CSV, &mut |out| {
        put(
            out,
            &csv::line(&[
                "evidence_id",
                "submission_id",
                "requirement_id",
                "name",
                "media_type",
                "size_bytes",
                "sha256",
                "path",
            ]),
        )?;
        each_submission(cx, branch, |cx, stored| {
            if !has_files(&stored) {
                return Ok(());
            }
            for item in evidence::open_all(cx.conn, cx.resources, &stored)? {
                let Some(name) = &item.stored.storage_name else { continue };
                put(
                    out,
                    &csv::line(&[
                        item.stored.id.to_string(),
                        item.stored.submission.to_string(),
                        item.stored.requirement.clone(),
                        item.name.clone().unwrap_or_default(),
                        item.stored.media_type.clone().unwrap_or_default(),
                        item.stored.size_bytes.to_string(),
                        item.stored.sha256.clone(),
                        path_of(&stored, name),
                    ]),
                )?;
            }
            Ok(())
        })
    })
}

/// Whether its files are written: it was handed in, and its key is there still.
const fn has_files(stored: &StoredSubmission) -> bool {
    stored.submitted_at.is_some() && stored.sealed_key.is_some()
}

fn path_of(stored: &StoredSubmission, storage_name: &str) -> String {
    format!("records/evidence/{}/{storage_name}", stored.submission.facts().id)
}

fn write_files_of(
    cx: &mut Cx<'_>,
    stored: &StoredSubmission,
    files: &mut dyn RecordFiles,
) -> Result<(), Error> {
    if !has_files(stored) {
        return Ok(());
    }
    let key = submissions::open_key(cx.resources, stored)?;
    for item in store::evidence::list(cx.conn, stored.submission.facts().id)? {
        let Some(name) = &item.storage_name else { continue };
        let storage_name = StorageName::parse(name).map_err(Error::internal)?;
        let mut reader = cx.resources.evidence.open_file(&storage_name, &key)?;
        let mut hasher = Sha256::new();
        files.file(&path_of(stored, name), "application/octet-stream", &mut |out| {
            while let Some(chunk) = read_chunk(&mut reader)? {
                hasher.update(&chunk);
                out.write_all(&chunk).map_err(Error::internal)?;
            }
            Ok(())
        })?;
        if hex(&hasher.finalize()) != item.sha256 {
            return Err(Error::internal(Broken("a file that is not what was handed in")));
        }
    }
    Ok(())
}
