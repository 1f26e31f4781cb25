//! What the people of an organization have done in it, for a district that leaves: people, programmes, submissions with their decisions,
//! readings, evidence, awards, credit, and the trail. For the operator alone: nobody's rights are asked (docs/decisions/0056).
//!
//! Everything is written as it is read, a page at a time, so that no district is too large. Known work is not in it, nor is anything that
//! lets somebody in or signs. Readers have pseudonyms unless names are asked for, and then nothing in the folder says who read what.

mod readers;
mod work;

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, json};

use self::readers::Readers;
use super::audit::Change;
use super::context::Cx;
use super::credit::{LedgerLine, LedgerOf, ledger};
use super::error::Error;
use super::funnel::{self, FunnelQuery};
use crate::domain::csv;
use crate::domain::ids::OrganizationId;
use crate::domain::policy::Denied;
use crate::store;
use crate::store::awards::{AwardBasis, AwardQuery};
use crate::store::cohorts::InviteeQuery;

/// How much is read at a time.
const PAGE: i64 = 200;
const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";

/// What is wanted beside the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordOptions {
    /// Who read what, by id.
    pub with_names: bool,
    /// The files that were handed in, as they came.
    pub with_evidence: bool,
}

/// Writes the content of one file.
pub type Fill<'a> = dyn FnMut(&mut dyn Write) -> Result<(), Error> + 'a;

/// Where the files of the records go.
pub trait RecordFiles {
    /// Makes a file at this path; its content is what `fill` writes, which is never held in memory whole.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written, and what `fill` returns.
    fn file(
        &mut self,
        path: &str,
        media_type: &'static str,
        fill: &mut Fill<'_>,
    ) -> Result<(), Error>;
}

fn put(out: &mut dyn Write, text: &str) -> Result<(), Error> {
    out.write_all(text.as_bytes()).map_err(Error::internal)
}

fn put_line(out: &mut dyn Write, line: &Value) -> Result<(), Error> {
    put(out, &format!("{line}\n"))
}

/// Hands out the records of an organization and those below it, and says in the trail that it has.
///
/// # Errors
/// [`Error::Denied`] for an organization that there is not, [`Error::Internal`] when something cannot be read or written.
pub fn write_all(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    options: RecordOptions,
    files: &mut dyn RecordFiles,
) -> Result<(), Error> {
    if store::organizations::find(cx.conn, organization)?.is_none() {
        return Err(Error::Denied(Denied::Hidden("organization")));
    }
    // First, so that one that breaks off is in the trail as well.
    cx.write(|_conn| {
        let change =
            Change::new("export_records", Some(organization), "organization", organization)
                .with("names", options.with_names)
                .with("evidence", options.with_evidence);
        Ok(((), change))
    })?;
    let branch = store::organizations::list_branch(cx.conn, organization)?;
    let readers = Readers::new(cx, &branch, options.with_names)?;
    files.file("records/people.csv", CSV, &mut |out| write_people(cx, &branch, out))?;
    write_programs(cx, &branch, files)?;
    files.file("records/submissions.ndjson", NDJSON, &mut |out| {
        work::write_submissions(cx, &branch, &readers, out)
    })?;
    files.file("records/reviews.ndjson", NDJSON, &mut |out| {
        work::write_reviews(cx, &branch, &readers, out)
    })?;
    if options.with_evidence {
        work::write_evidence(cx, &branch, files)?;
    }
    files.file("records/awards.csv", CSV, &mut |out| write_awards(cx, &branch, out))?;
    files.file("records/credit-ledger.csv", CSV, &mut |out| write_ledger(cx, &branch, out))?;
    write_trail(cx, &branch, &readers, files)
}

fn write_people(
    cx: &mut Cx<'_>,
    branch: &[OrganizationId],
    out: &mut dyn Write,
) -> Result<(), Error> {
    put(
        out,
        &csv::line(&[
            "person_id",
            "name",
            "email",
            "organization_id",
            "organization",
            "state",
            "roles",
        ]),
    )?;
    for id in branch {
        let name = store::organizations::find(cx.conn, *id)?.map(|found| found.name);
        let mut after: Option<String> = None;
        loop {
            let page = store::memberships::list(cx.conn, *id, after.as_deref(), PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.to_string());
            for membership in page {
                let profile = store::people::find_profile(cx.conn, membership.person)?;
                let (person, email) = profile.map(|found| (found.name, found.email)).unzip();
                let roles: Vec<&str> = membership.roles.iter().map(|role| role.as_str()).collect();
                put(
                    out,
                    &csv::line(&[
                        membership.person.to_string(),
                        person.unwrap_or_default(),
                        email.unwrap_or_default(),
                        id.to_string(),
                        name.clone().unwrap_or_default(),
                        membership.state.as_str().to_owned(),
                        roles.join(" "),
                    ]),
                )?;
            }
        }
    }
    Ok(())
}

fn write_programs(
    cx: &mut Cx<'_>,
    branch: &[OrganizationId],
    files: &mut dyn RecordFiles,
) -> Result<(), Error> {
    for id in branch {
        let mut after: Option<String> = None;
        loop {
            let page = store::programs::list(cx.conn, Some(*id), &[*id], after.as_deref(), PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.to_string());
            for program in page {
                let folder = format!("records/programs/{}", program.id);
                files.file(&format!("{folder}/invitees.csv"), CSV, &mut |out| {
                    write_invitees(cx, &program, out)
                })?;
                files.file(&format!("{folder}/changes.ndjson"), NDJSON, &mut |out| {
                    for change in store::programs::list_changes(cx.conn, program.id)? {
                        put_line(
                            out,
                            &json!({
                                "event": change.event, "reason": change.reason,
                                "content_hash": change.content_hash,
                                "person_id": change.person.to_string(),
                                "happened_at": change.happened_at.to_string(),
                            }),
                        )?;
                    }
                    Ok(())
                })?;
                files.file(&format!("{folder}/figures.json"), JSON, &mut |out| {
                    let figures = figures_of(cx, &program)?;
                    put(out, &format!("{figures:#}\n"))
                })?;
            }
        }
    }
    Ok(())
}

fn write_invitees(
    cx: &mut Cx<'_>,
    program: &store::programs::Program,
    out: &mut dyn Write,
) -> Result<(), Error> {
    put(
        out,
        &csv::line(&[
            "invitee_id",
            "cohort",
            "audience",
            "school_id",
            "person_id",
            "reference",
            "state",
            "mails",
            "invited_at",
            "last_invited_at",
            "declined_at",
            "decline_reason",
            "decline_note",
            "enrolled_at",
            "extension_ends_on",
            "extension_reason",
        ]),
    )?;
    let mut wanted = InviteeQuery { limit: Some(PAGE), ..InviteeQuery::default() };
    loop {
        let page = store::cohorts::list(cx.conn, program.id, &wanted)?;
        let Some(last) = page.last() else { return Ok(()) };
        wanted.after = Some(last.id.to_string());
        for one in page {
            let moment = |at: Option<crate::domain::timestamp::Timestamp>| {
                at.map(|at| at.to_string()).unwrap_or_default()
            };
            let declined = one.declined.as_ref();
            let extension = one.extension.as_ref();
            put(
                out,
                &csv::line(&[
                    one.id.to_string(),
                    one.cohort.clone(),
                    one.audience.clone(),
                    one.school.to_string(),
                    one.person.map(|person| person.to_string()).unwrap_or_default(),
                    one.reference.clone().unwrap_or_default(),
                    one.state.as_str().to_owned(),
                    one.mails.to_string(),
                    moment(one.invited_at),
                    moment(one.last_invited_at),
                    moment(declined.map(|declined| declined.at)),
                    declined.map(|one| one.reason.as_str().to_owned()).unwrap_or_default(),
                    declined.and_then(|one| one.note.clone()).unwrap_or_default(),
                    moment(one.enrolled_at),
                    extension.map(|one| one.ends_on.to_string()).unwrap_or_default(),
                    extension.map(|one| one.reason.clone()).unwrap_or_default(),
                ]),
            )?;
        }
    }
}

/// The figures as everybody of the programme is told them; exact ones follow from the other files.
fn figures_of(cx: &mut Cx<'_>, program: &store::programs::Program) -> Result<Value, Error> {
    let report = funnel::find(cx, program.id, &FunnelQuery::default())?;
    let counts: Vec<Value> = report
        .total
        .counts
        .iter()
        .map(|(count, persons)| {
            json!({
                "name": count.as_str(), "count": persons, "of": count.of().map(|of| of.as_str()),
                "share_bp": report.total.share_bp(*count),
            })
        })
        .collect();
    let exclusions: Vec<Value> = report
        .exclusions
        .iter()
        .map(|one| json!({ "reason": one.reason, "words": one.words, "count": one.count }))
        .collect();
    Ok(json!({
        "program_id": report.program.to_string(), "title": report.title,
        "state": program.state.as_str(), "as_of": report.as_of.to_string(),
        "counts": counts, "exclusions": exclusions, "targets": report.targets,
    }))
}

fn write_awards(
    cx: &mut Cx<'_>,
    branch: &[OrganizationId],
    out: &mut dyn Write,
) -> Result<(), Error> {
    put(
        out,
        &csv::line(&[
            "award_id",
            "organization_id",
            "earner_id",
            "submission_id",
            "micro_credential_id",
            "stack_id",
            "state",
            "created_at",
            "issued_at",
            "valid_until",
            "revoked_at",
            "revocation_reason",
        ]),
    )?;
    let mut query = AwardQuery {
        organizations: branch.to_vec(),
        branch: branch.to_vec(),
        limit: PAGE,
        ..AwardQuery::default()
    };
    loop {
        let page = store::awards::list(cx.conn, &query)?;
        let Some(last) = page.last() else { return Ok(()) };
        query.after = Some(last.id.to_string());
        for award in page {
            let (submission, family, stack) = match award.basis {
                AwardBasis::Submission { submission, micro_credential, .. } => {
                    (submission.to_string(), micro_credential.to_string(), String::new())
                }
                AwardBasis::Stack(stack) => (String::new(), String::new(), stack.to_string()),
            };
            let award = award.as_of(cx.now);
            put(
                out,
                &csv::line(&[
                    award.id.to_string(),
                    award.organization.to_string(),
                    award.earner.to_string(),
                    submission,
                    family,
                    stack,
                    award.state.as_str().to_owned(),
                    award.created_at.to_string(),
                    award.issued_at.map(|at| at.to_string()).unwrap_or_default(),
                    award.valid_until.map(|at| at.to_string()).unwrap_or_default(),
                    award.revoked_at.map(|at| at.to_string()).unwrap_or_default(),
                    award
                        .revocation_reason
                        .map(|reason| reason.as_str().to_owned())
                        .unwrap_or_default(),
                ]),
            )?;
        }
    }
}

/// The table that human resources have, without names: `people.csv` has those.
fn write_ledger(
    cx: &mut Cx<'_>,
    branch: &[OrganizationId],
    out: &mut dyn Write,
) -> Result<(), Error> {
    put(out, &ledger::csv_header())?;
    for id in branch {
        let mut after: Option<String> = None;
        loop {
            let of = LedgerOf::Authority(*id);
            let page = store::credit::list_ledger(cx.conn, of, after.as_deref(), PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.entry.to_string());
            for line in page {
                put(out, &ledger::csv_lines(&LedgerLine { name: None, ..line }, cx.now))?;
            }
        }
    }
    Ok(())
}

/// The events of these organizations, and the hash of every event of the installation: with both, each event here can be shown to stand
/// in the chain at its place, and nothing is said of what others have done.
fn write_trail(
    cx: &mut Cx<'_>,
    branch: &[OrganizationId],
    readers: &Readers,
    files: &mut dyn RecordFiles,
) -> Result<(), Error> {
    let own: BTreeSet<OrganizationId> = branch.iter().copied().collect();
    // What is appended meanwhile belongs to the next export, in both files.
    let (head, _) = store::audit::find_head(cx.conn)?;
    files.file("records/audit-events.ndjson", NDJSON, &mut |out| {
        each_event(cx, head, |cx, one| {
            if !one.event.organization.is_some_and(|id| own.contains(&id)) {
                return Ok(());
            }
            let line = if readers.is_withheld(cx, &one.event)? {
                json!({
                    "seq": one.seq, "withheld": true,
                    "previous_hash": one.previous_hash, "hash": one.hash,
                })
            } else {
                json!({
                    "seq": one.seq, "id": one.event.id,
                    "happened_at": one.event.happened_at.to_string(),
                    "actor_id": one.event.actor.map(|actor| actor.to_string()),
                    "organization_id": one.event.organization.map(|id| id.to_string()),
                    "verb": one.event.verb, "object_kind": one.event.object_kind,
                    "object_id": one.event.object_id, "detail": one.event.detail,
                    "previous_hash": one.previous_hash, "hash": one.hash,
                })
            };
            put_line(out, &line)
        })
    })?;
    files.file("records/audit-links.csv", CSV, &mut |out| {
        put(out, &csv::line(&["seq", "hash"]))?;
        each_event(cx, head, |_cx, one| put(out, &format!("{},{}\r\n", one.seq, one.hash)))
    })
}

fn each_event(
    cx: &mut Cx<'_>,
    head: i64,
    mut with: impl FnMut(&mut Cx<'_>, crate::domain::audit::ChainedEvent) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut seq = 0;
    loop {
        let page = store::audit::list_chain(cx.conn, seq, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        seq = last.seq;
        for one in page {
            if one.seq > head {
                return Ok(());
            }
            with(cx, one)?;
        }
    }
}
