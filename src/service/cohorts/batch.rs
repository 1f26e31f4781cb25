//! A list of people by CSV: looked at row by row, and taken as far as it is good.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::table::{Columns, Table};
use super::{change_of_batch, find_or_create_person, missing, require_open};
use crate::domain::cohort::{Accommodations, InviteeState, RowFault, RowOutcome};
use crate::domain::csv::Line;
use crate::domain::ids::{InviteeId, OrganizationId, PersonId, ProgramId};
use crate::domain::organization::MembershipState;
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::service::charter_document::Cohort;
use crate::service::context::{Cx, new_uuid};
use crate::service::error::Error;
use crate::service::keyring::token_sha256;
use crate::service::{members, programs};
use crate::store::cohorts::{Invitee, InviteeQuery};
use crate::store::{self, DbConn};

/// The most characters of a reference.
const LONGEST_REFERENCE: usize = 40;
/// Nobody is written to twice within so long.
const PAUSE: TimeDelta = TimeDelta::hours(24);

/// The columns of a list, in any order; `email` or `reference` may be missing.
const COLUMNS: Columns = Columns {
    all: &["email", "reference", "name", "audience", "school"],
    needed: &["name", "audience", "school"],
    one_of: &["email", "reference"],
};

/// A list of people for a cohort.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Which cohort of the charter.
    pub cohort: String,
    /// The list, as CSV with a header.
    pub csv: String,
    /// Only look.
    pub is_dry_run: bool,
    /// Write once more to those who have not answered.
    pub again: bool,
}

/// What became of a row, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowReport {
    /// The number of the row as a spreadsheet shows it.
    pub number: usize,
    /// What becomes of it.
    pub outcome: RowOutcome,
    /// Everything that is wrong with it, each with a sentence.
    pub faults: Vec<(RowFault, String)>,
}

/// What became of a list, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchReport {
    /// Whether nothing was done.
    pub is_dry_run: bool,
    /// Row by row.
    pub rows: Vec<RowReport>,
}

impl BatchReport {
    /// How many rows had an outcome.
    #[must_use]
    pub fn count(&self, outcome: RowOutcome) -> usize {
        self.rows.iter().filter(|row| row.outcome == outcome).count()
    }
}

/// A row that can be read: who, as what, where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    email: Option<String>,
    reference: Option<String>,
    name: String,
    audience: String,
    school: OrganizationId,
}

/// What is done about a row.
enum Step {
    /// A new invitee.
    Add(Entry),
    /// Once more.
    Again(Box<Invitee>),
}

/// `POST /programs/{id}/cohorts/{cohort}/invitations`: puts the good rows of a list onto the cohort's, and says of each other row what is
/// wrong with it. The mails leave afterwards, each once, whenever the process is stopped in between.
///
/// The same list a second time adds nobody and sends nothing.
///
/// # Errors
/// [`Error::Invalid`] for a text that is no such table, [`Error::WrongState`] unless the programme is open, [`Error::Denied`].
pub fn create(cx: &mut Cx<'_>, id: ProgramId, new: &NewBatch) -> Result<BatchReport, Error> {
    let (program, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "create_cohort_invitations", &subject)?;
    require_open(&program)?;
    let charter = super::charter_of(&program)?;
    let cohort = charter.find_cohort(&new.cohort).ok_or(missing())?;
    let table = Table::read(&new.csv, &COLUMNS)?;
    let schools = schools_of(cx.conn, program.organization)?;
    let inviter = cx.signed_in()?.person;
    let (now, resources) = (cx.now, cx.resources);
    if new.is_dry_run {
        let plan = plan(cx.conn, id, &cohort, &table, &schools, new.again, now)?;
        return Ok(report(plan.into_iter().map(|(row, _)| row).collect(), true));
    }
    cx.write(|conn| {
        let mut rows = Vec::new();
        for (row, step) in plan(conn, id, &cohort, &table, &schools, new.again, now)? {
            match step {
                None => {}
                Some(Step::Again(invitee)) => {
                    let waiting = Invitee { state: InviteeState::Waiting, ..*invitee };
                    store::cohorts::save(conn, &waiting)?;
                }
                Some(Step::Add(entry)) => {
                    let invitee = InviteeId::from_uuid(new_uuid());
                    let keyring = &resources.keyring;
                    let code = entry
                        .reference
                        .as_ref()
                        .map(|_| token_sha256(&keyring.printed_code(&invitee.to_string())));
                    let person = match &entry.email {
                        Some(email) => Some(find_or_create_person(conn, email, &entry.name, now)?),
                        None => None,
                    };
                    let state = if person.is_some() {
                        InviteeState::Waiting
                    } else {
                        // The code is there from now on; whoever hands it out invites.
                        InviteeState::Invited
                    };
                    let added = Invitee {
                        id: invitee,
                        program: id,
                        cohort: cohort.id.clone(),
                        audience: entry.audience.clone(),
                        school: entry.school,
                        person,
                        reference: entry.reference.clone(),
                        code_sha256: code,
                        state,
                        mails: 0,
                        invited_by: inviter,
                        created_at: now,
                        invited_at: person.is_none().then_some(now),
                        last_invited_at: None,
                        declined: None,
                        enrolled_at: None,
                        extension: None,
                        accommodations: Accommodations::default(),
                        revision: 1,
                    };
                    store::cohorts::create(conn, &added, Some(&entry.name))?;
                }
            }
            rows.push(row);
        }
        let report = report(rows, false);
        let change = change_of_batch(&program, &cohort.id, &report);
        Ok((report, change))
    })
}

fn report(rows: Vec<RowReport>, is_dry_run: bool) -> BatchReport {
    BatchReport { is_dry_run, rows }
}

/// The organizations that somebody can be said to work at, by id and by name in lower case; none where two have the name.
fn schools_of(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<BTreeMap<String, Option<OrganizationId>>, Error> {
    let mut found: BTreeMap<String, Option<OrganizationId>> = BTreeMap::new();
    for id in store::organizations::list_branch(conn, organization)? {
        let Some(one) = store::organizations::find(conn, id)? else { continue };
        let name = one.name.trim().to_lowercase();
        found.entry(name).and_modify(|known| *known = None).or_insert(Some(id));
        found.insert(id.to_string(), Some(id));
    }
    Ok(found)
}

fn read_entry(
    table: &Table,
    line: &Line,
    cohort: &Cohort,
    schools: &BTreeMap<String, Option<OrganizationId>>,
) -> Result<Entry, Vec<(RowFault, String)>> {
    let mut faults = Vec::new();
    table.check_width(line).map_err(|fault| vec![fault])?;
    let (email, reference) = (table.cell(line, "email"), table.cell(line, "reference"));
    let mut entry_email = None;
    match (email.is_empty(), reference.is_empty()) {
        (true, true) => {
            let detail = "give an e-mail address, or a reference for a printed code";
            faults.push((RowFault::NobodyNamed, detail.to_owned()));
        }
        (false, false) => {
            let detail = "somebody with an address gets no printed code; leave the reference out";
            faults.push((RowFault::NamedTwice, detail.to_owned()));
        }
        (false, true) => match members::check_email(email, "") {
            Ok(email) => entry_email = Some(email),
            Err(_no_address) => {
                let detail = "this is not an e-mail address; it should look like name@example.org";
                faults.push((RowFault::Email, detail.to_owned()));
            }
        },
        (true, false) => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if reference.len() > LONGEST_REFERENCE || !reference.chars().all(is_plain) {
                let detail = format!(
                    "a reference has 1 to {LONGEST_REFERENCE} letters, digits, dots, hyphens and underscores"
                );
                faults.push((RowFault::Reference, detail));
            }
        }
    }
    let name = table.cell(line, "name");
    if members::check_name(name, "").is_err() {
        let detail = "give the name to greet them with, 1 to 200 characters on one line";
        faults.push((RowFault::Name, detail.to_owned()));
    }
    let audience = table.cell(line, "audience");
    if !cohort.audiences.iter().any(|known| known == audience) {
        let detail = format!("the cohort is for {}", cohort.audiences.join(", "));
        faults.push((RowFault::Audience, detail));
    }
    let wanted = table.cell(line, "school").to_lowercase();
    let school = match schools.get(&wanted) {
        Some(Some(school)) => Some(*school),
        Some(None) => {
            let detail = "several organizations here have this name; give the id of one";
            faults.push((RowFault::SchoolUnclear, detail.to_owned()));
            None
        }
        None => {
            let detail = "no school or department of the organization has this name or id";
            faults.push((RowFault::School, detail.to_owned()));
            None
        }
    };
    match school {
        Some(school) if faults.is_empty() => Ok(Entry {
            email: entry_email,
            reference: Some(reference.to_owned()).filter(|reference| !reference.is_empty()),
            name: name.to_owned(),
            audience: audience.to_owned(),
            school,
        }),
        Some(_) | None => Err(faults),
    }
}

/// Looks at every row as things stand now.
fn plan(
    conn: &mut DbConn,
    program: ProgramId,
    cohort: &Cohort,
    table: &Table,
    schools: &BTreeMap<String, Option<OrganizationId>>,
    again: bool,
    now: Timestamp,
) -> Result<Vec<(RowReport, Option<Step>)>, Error> {
    let known = store::cohorts::list(conn, program, &InviteeQuery::default())?;
    let by_person: BTreeMap<PersonId, &Invitee> =
        known.iter().filter_map(|one| Some((one.person?, one))).collect();
    let by_reference: BTreeMap<&str, &Invitee> =
        known.iter().filter_map(|one| Some((one.reference.as_deref()?, one))).collect();
    let entries: Vec<(usize, Result<Entry, _>)> = table
        .lines
        .iter()
        .map(|line| (line.number, read_entry(table, line, cohort, schools)))
        .collect();
    let emails: Vec<String> =
        entries.iter().filter_map(|(_, entry)| entry.as_ref().ok()?.email.clone()).collect();
    let people = store::people::list_by_email(conn, &emails)?;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut planned = Vec::new();
    for (number, entry) in entries {
        let refused = |faults| (RowReport { number, outcome: RowOutcome::Refused, faults }, None);
        let entry = match entry {
            Ok(entry) => entry,
            Err(faults) => {
                planned.push(refused(faults));
                continue;
            }
        };
        let key = match (&entry.email, &entry.reference) {
            (Some(email), _) => email.clone(),
            // No address has a blank in it.
            (None, reference) => format!("reference {}", reference.as_deref().unwrap_or("")),
        };
        if let Some(first) = seen.get(&key) {
            let detail = format!("row {first} names the same person");
            planned.push(refused(vec![(RowFault::Repeated, detail)]));
            continue;
        }
        seen.insert(key, number);
        let person = entry.email.as_ref().and_then(|email| people.get(email)).copied();
        let invitee = match &entry.reference {
            Some(reference) => by_reference.get(reference.as_str()).copied(),
            None => person.and_then(|person| by_person.get(&person).copied()),
        };
        if let Some(fault) = fault_of(conn, cohort, &entry, person, invitee)? {
            planned.push(refused(vec![fault]));
            continue;
        }
        let (outcome, step) = match invitee {
            None => (RowOutcome::New, Some(Step::Add(entry))),
            Some(invitee) if again && is_to_hear_again(invitee, now) => {
                (RowOutcome::Again, Some(Step::Again(Box::new(invitee.clone()))))
            }
            Some(_) => (RowOutcome::Known, None),
        };
        planned.push((RowReport { number, outcome, faults: Vec::new() }, step));
    }
    Ok(planned)
}

/// Whether somebody who is invited by mail and has not answered may be written to once more.
fn is_to_hear_again(invitee: &Invitee, now: Timestamp) -> bool {
    invitee.state == InviteeState::Invited
        && invitee.person.is_some()
        && invitee.last_invited_at.is_some_and(|last| last.plus(PAUSE) <= now)
}

/// What keeps somebody from being invited although the row can be read.
fn fault_of(
    conn: &mut DbConn,
    cohort: &Cohort,
    entry: &Entry,
    person: Option<PersonId>,
    invitee: Option<&Invitee>,
) -> Result<Option<(RowFault, String)>, Error> {
    if let Some(invitee) = invitee {
        if invitee.cohort != cohort.id {
            let detail = format!("they are in the cohort {}; nobody is in two", invitee.cohort);
            return Ok(Some((RowFault::OtherCohort, detail)));
        }
        if invitee.state == InviteeState::Declined {
            let detail = "they have said no; their link still lets them change their mind";
            return Ok(Some((RowFault::Declined, detail.to_owned())));
        }
    }
    // A printed code may lead to somebody whom the row does not name.
    let Some(person) = person.or_else(|| invitee.and_then(|known| known.person)) else {
        return Ok(None);
    };
    let school = invitee.map_or(entry.school, |known| known.school);
    let membership = store::memberships::find(conn, school, person)?;
    if membership.is_some_and(|known| known.state == MembershipState::Suspended) {
        let detail = "their membership of the school is suspended; its administrator can end that";
        return Ok(Some((RowFault::Suspended, detail.to_owned())));
    }
    Ok(None)
}
