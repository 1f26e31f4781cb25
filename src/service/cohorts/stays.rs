//! Who is still employed after a year, by a file of the district: looked at row by row, and kept as a yes or a no beside each invitee.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::table::{Columns, Table};
use super::{RowReport, typed};
use crate::domain::cohort::{InviteeState, RowFault, RowOutcome, is_year_later};
use crate::domain::csv::Line;
use crate::domain::ids::{InviteeId, PersonId, ProgramId};
use crate::domain::policy;
use crate::service::audit::Change;
use crate::service::context::Cx;
use crate::service::error::Error;
use crate::service::keyring::token_sha256;
use crate::service::members;
use crate::service::programs::{self, Program};
use crate::store::cohorts::{Invitee, InviteeQuery};
use crate::store::{self, DbConn};

/// The columns of a file; each row names its person by one of the first three.
const COLUMNS: Columns = Columns {
    all: &["email", "reference", "code", "employed"],
    needed: &["employed"],
    one_of: &["email", "reference", "code"],
};

/// A file of who is still employed.
#[derive(Clone, Debug)]
pub struct NewStays {
    /// The file, as CSV with a header.
    pub csv: String,
    /// The day of which it says so.
    pub as_of: NaiveDate,
    /// Only look.
    pub is_dry_run: bool,
}

/// What became of a file, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaysReport {
    /// Whether nothing was done.
    pub is_dry_run: bool,
    /// How many who take part are not in the file, and are left out of the figure.
    pub n_missing: usize,
    /// Row by row.
    pub rows: Vec<RowReport>,
}

impl StaysReport {
    /// How many rows had an outcome.
    #[must_use]
    pub fn count(&self, outcome: RowOutcome) -> usize {
        self.rows.iter().filter(|row| row.outcome == outcome).count()
    }
}

/// Whether the caller may hand in such a file at all, and whether there is anybody it could be about.
///
/// # Errors
/// [`Error::Denied`], [`Error::WrongState`] before the programme is open.
pub fn require_stays(cx: &mut Cx<'_>, id: ProgramId) -> Result<Program, Error> {
    let (program, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "create_stays", &subject)?;
    if !program.state.is_public() {
        let detail = format!("the programme is {}; nobody takes part in it yet", program.state);
        return Err(Error::WrongState { detail, allowed_events: Vec::new() });
    }
    Ok(program)
}

/// `POST /programs/{id}/stays`: keeps of each good row whether the person is still employed, in the place of the file before, and says of
/// each other row what is wrong with it.
///
/// # Errors
/// [`Error::Invalid`] for a text that is no such table and for a day to come, [`Error::WrongState`] before the programme is open,
/// [`Error::Denied`].
pub fn keep(cx: &mut Cx<'_>, id: ProgramId, new: &NewStays) -> Result<StaysReport, Error> {
    let program = require_stays(cx, id)?;
    let table = Table::read(&new.csv, &COLUMNS)?;
    if new.as_of > cx.now.as_utc().date_naive() {
        let detail = "name the day of the file: today, or one that has passed";
        return Err(Error::invalid("/as_of", "day-to-come", detail));
    }
    if new.is_dry_run {
        let (rows, stays, n_members) = plan(cx.conn, id, &table, new.as_of)?;
        return Ok(StaysReport { is_dry_run: true, n_missing: n_members - stays.len(), rows });
    }
    let now = cx.now;
    cx.write(|conn| {
        let (rows, stays, n_members) = plan(conn, id, &table, new.as_of)?;
        if stays.is_empty() {
            let detail = "no row of the file counts, so the file before is kept; dry_run: true says of each row what is wrong with it";
            return Err(Error::invalid("/csv", "no-row-counts", detail));
        }
        store::stays::replace(conn, id, new.as_of, &stays, now)?;
        let n_staying = stays.values().filter(|is_employed| **is_employed).count();
        let change = Change::new("create_stays", Some(program.organization), "program", id)
            .with("as_of", new.as_of)
            .with("followed_up", stays.len())
            .with("staying", n_staying);
        let n_missing = n_members - stays.len();
        Ok((StaysReport { is_dry_run: false, n_missing, rows }, change))
    })
}

/// Everybody who was invited, by what a row can name them by.
struct Known<'a> {
    by_person: BTreeMap<PersonId, &'a Invitee>,
    by_reference: BTreeMap<&'a str, &'a Invitee>,
    by_code: BTreeMap<&'a str, &'a Invitee>,
    people: BTreeMap<String, PersonId>,
}

type Planned = (Vec<RowReport>, BTreeMap<InviteeId, bool>, usize);

/// Looks at every row as things stand now: the reports, what would be kept, and how many take part.
fn plan(
    conn: &mut DbConn,
    program: ProgramId,
    table: &Table,
    as_of: NaiveDate,
) -> Result<Planned, Error> {
    let invitees = store::cohorts::list(conn, program, &InviteeQuery::default())?;
    let emails: Vec<String> = table
        .lines
        .iter()
        .filter_map(|line| members::check_email(table.cell(line, "email"), "").ok())
        .collect();
    let known = Known {
        by_person: invitees.iter().filter_map(|one| Some((one.person?, one))).collect(),
        by_reference: invitees
            .iter()
            .filter_map(|one| Some((one.reference.as_deref()?, one)))
            .collect(),
        by_code: invitees
            .iter()
            .filter_map(|one| Some((one.code_sha256.as_deref()?, one)))
            .collect(),
        people: store::people::list_by_email(conn, &emails)?,
    };
    let (mut rows, mut stays) = (Vec::new(), BTreeMap::new());
    let mut seen: BTreeMap<InviteeId, usize> = BTreeMap::new();
    for line in &table.lines {
        let number = line.number;
        let read = read_row(table, line, &known, as_of).and_then(|(invitee, is_employed)| {
            match seen.insert(invitee, number) {
                None => Ok((invitee, is_employed)),
                Some(first) => {
                    // The first row that names somebody is the one that counts.
                    seen.insert(invitee, first);
                    let detail = format!("row {first} names the same person");
                    Err(vec![(RowFault::Repeated, detail)])
                }
            }
        });
        match read {
            Ok((invitee, is_employed)) => {
                stays.insert(invitee, is_employed);
                rows.push(RowReport { number, outcome: RowOutcome::Taken, faults: Vec::new() });
            }
            Err(faults) => rows.push(RowReport { number, outcome: RowOutcome::Refused, faults }),
        }
    }
    let n_members = invitees.iter().filter(|one| one.state == InviteeState::Enrolled).count();
    Ok((rows, stays, n_members))
}

/// Who is meant by a row, and whether they are still employed; or everything that is wrong with it.
fn read_row(
    table: &Table,
    line: &Line,
    known: &Known<'_>,
    as_of: NaiveDate,
) -> Result<(InviteeId, bool), Vec<(RowFault, String)>> {
    table.check_width(line).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    let invitee = match find(table, line, known).and_then(|one| member(one, as_of)) {
        Ok(invitee) => Some(invitee.id),
        Err(fault) => {
            faults.push(fault);
            None
        }
    };
    let is_employed = match table.cell(line, "employed").to_lowercase().as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => {
            let detail = "write yes or no; leave the row out where it is not known";
            faults.push((RowFault::Employed, detail.to_owned()));
            None
        }
    };
    match (invitee, is_employed) {
        (Some(invitee), Some(is_employed)) => Ok((invitee, is_employed)),
        (_, None) | (None, _) => Err(faults),
    }
}

/// The invitee that a row names.
fn find<'a>(
    table: &Table,
    line: &Line,
    known: &Known<'a>,
) -> Result<Option<&'a Invitee>, (RowFault, String)> {
    let cells = ["email", "reference", "code"].map(|column| table.cell(line, column));
    match cells {
        ["", "", ""] => {
            let detail = "give an e-mail address, a reference or a printed code";
            Err((RowFault::NobodyNamed, detail.to_owned()))
        }
        [email, "", ""] => {
            let email = members::check_email(email, "").map_err(|_no_address| {
                let detail = "this is not an e-mail address; it should look like name@example.org";
                (RowFault::Email, detail.to_owned())
            })?;
            let person = known.people.get(&email);
            Ok(person.and_then(|person| known.by_person.get(person)).copied())
        }
        ["", reference, ""] => Ok(known.by_reference.get(reference).copied()),
        ["", "", code] => match known.by_code.get(token_sha256(&typed(code)).as_str()) {
            Some(invitee) => Ok(Some(invitee)),
            None => {
                let detail = "the programme has printed no such code; look for a mistyped letter";
                Err((RowFault::Code, detail.to_owned()))
            }
        },
        [_, _, _] => {
            let detail = "name the person once: by address, by reference or by code";
            Err((RowFault::NamedTwice, detail.to_owned()))
        }
    }
}

/// Somebody who has taken part for a year.
fn member(found: Option<&Invitee>, as_of: NaiveDate) -> Result<&Invitee, (RowFault, String)> {
    let member = found.filter(|one| one.state == InviteeState::Enrolled);
    let Some((invitee, since)) = member.and_then(|one| Some((one, one.enrolled_at?))) else {
        let detail = "nobody who takes part in the programme is named like this; leave the row out";
        return Err((RowFault::NotTakingPart, detail.to_owned()));
    };
    let since = since.as_utc().date_naive();
    if !is_year_later(since, as_of) {
        let detail = format!("they take part since {since}; name them in a file of a year later");
        return Err((RowFault::LessThanAYear, detail));
    }
    Ok(invitee)
}
