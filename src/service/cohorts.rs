//! People of a programme: lists by CSV, answers, printed codes, days of one's own. One row an invitee, however often they are invited.

mod arrangements;
mod batch;
mod letters;
mod sending;
mod stays;
mod table;

use chrono::NaiveDate;
use serde_json::Value;

use super::audit::{self, Change};
use super::charter_document::{self, Cohort, ParsedCharter};
use super::context::{Cx, new_uuid};
use super::error::{Broken, Error};
use super::keyring::token_sha256;
use super::programs::{self, Program};
use super::{members, outbox};
use crate::domain::cohort::{self, DeclineReason, InviteeState, RowOutcome};
use crate::domain::ids::{
    InvitationId, InviteeId, MembershipId, PersonId, ProgramId, SubmissionId,
};
use crate::domain::organization::{Membership, MembershipState, Role};
use crate::domain::policy;
use crate::domain::program::ProgramState;
use crate::domain::timestamp::Timestamp;
use crate::store::cohorts::Declined;
use crate::store::micro_credentials::Version;
use crate::store::people::Profile;
use crate::store::{self, DbConn, StoreError};

pub use crate::store::cohorts::{Extension, Invitee, InviteeQuery};
pub use arrangements::{accommodate, extend};
pub use batch::{BatchReport, NewBatch, RowReport, create};
pub(super) use letters::render;
pub use letters::{MessagePreview, preview};
pub use sending::{remind, send_page, send_waiting};
pub use stays::{NewStays, StaysReport, keep as keep_stays, require_stays};

/// The most characters of what somebody writes about a decline or an extension.
const LONGEST_NOTE: usize = 500;
/// Who is still employed is kept for so long after the file has come: two years.
pub const STAYS_KEPT_DAYS: i64 = 731;
/// How many mails a printed code may lead to: somebody who mistypes their address can try again, and nobody can be flooded.
const MOST_MAILS_OF_A_CODE: i32 = 5;

/// The charter of a stored programme.
///
/// # Errors
/// [`Error::Internal`] for one that does not parse.
pub(super) fn charter_of(program: &Program) -> Result<ParsedCharter, Error> {
    let value: Value = serde_json::from_str(&program.charter).map_err(Error::internal)?;
    charter_document::parse(&value)
        .map_err(|_errors| Error::internal(Broken("a stored charter does not parse")))
}

/// The cohort of an invitee.
fn cohort_of(charter: &ParsedCharter, invitee: &Invitee) -> Result<Cohort, Error> {
    charter
        .find_cohort(&invitee.cohort)
        .ok_or_else(|| Error::internal(Broken("an invitee of no cohort")))
}

/// The last day on which an invitee can begin: their own, or that of the cohort.
fn last_day(cohort: &Cohort, invitee: &Invitee) -> NaiveDate {
    cohort::last_day(cohort.closes_on, invitee.extension.as_ref().map(|one| one.ends_on))
}

/// There is no such invitee or cohort: it reads like a programme that is not there.
const fn missing() -> Error {
    Error::NotFound("programme")
}

fn require_open(program: &Program) -> Result<(), Error> {
    if program.state == ProgramState::Open {
        return Ok(());
    }
    let detail = format!("the programme is {}; people take part while it is open", program.state);
    Err(Error::WrongState { detail, allowed_events: Vec::new() })
}

fn change_of(operation: &'static str, program: &Program, invitee: InviteeId) -> Change {
    Change::new(operation, Some(program.organization), "invitee", invitee)
        .with("program", program.id)
}

fn change_of_batch(program: &Program, cohort: &str, report: &BatchReport) -> Change {
    let operation = "create_cohort_invitations";
    let change = Change::new(operation, Some(program.organization), "program", program.id)
        .with("cohort", cohort);
    [RowOutcome::New, RowOutcome::Again, RowOutcome::Known, RowOutcome::Refused]
        .into_iter()
        .fold(change, |change, outcome| change.with(outcome.as_str(), report.count(outcome)))
}

/// Somebody on the list with their name and address, as coordinators see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedInvitee {
    /// The row.
    pub invitee: Invitee,
    /// Their name: as the list had it, or as their account has it once they take part.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
}

/// `GET /programs/{id}/invitees`: who was invited, and what they have answered. Nothing of their work.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn list(
    cx: &mut Cx<'_>,
    id: ProgramId,
    wanted: &InviteeQuery,
) -> Result<Vec<NamedInvitee>, Error> {
    let (program, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "list_invitees", &subject)?;
    let found = store::cohorts::list(cx.conn, program.id, wanted)?;
    found.into_iter().map(|invitee| named(cx.conn, invitee)).collect()
}

fn named(conn: &mut DbConn, invitee: Invitee) -> Result<NamedInvitee, Error> {
    let profile = match invitee.person {
        Some(person) => store::people::find_profile(conn, person)?,
        None => None,
    };
    let listed = store::cohorts::find_name(conn, invitee.id)?;
    // An address may have an account under another name: which is not told before its holder takes part.
    let name = match (&profile, invitee.state) {
        (Some(profile), InviteeState::Enrolled) => Some(profile.name.clone()),
        (_, _) => listed,
    };
    let email = profile.map(|profile| profile.email);
    Ok(NamedInvitee { invitee, name, email })
}

/// One printed code.
#[derive(Clone, PartialEq, Eq)]
pub struct PrintedCode {
    /// Whose.
    pub invitee: Invitee,
    /// Their name.
    pub name: String,
    /// The name of the school, which hands it out.
    pub school: String,
    /// The code in groups of four.
    pub code: String,
}

/// The code is a secret: Debug shows whose it is.
impl std::fmt::Debug for PrintedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrintedCode").field("invitee", &self.invitee.id).finish_non_exhaustive()
    }
}

/// `GET /programs/{id}/invitation-codes`: the codes of those who have no address and have not answered, to print.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn list_codes(cx: &mut Cx<'_>, id: ProgramId) -> Result<Vec<PrintedCode>, Error> {
    let (program, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "read_invitation_codes", &subject)?;
    let wanted = InviteeQuery { state: Some(InviteeState::Invited), ..InviteeQuery::default() };
    let mut codes = Vec::new();
    for invitee in store::cohorts::list(cx.conn, program.id, &wanted)? {
        if invitee.code_sha256.is_none() {
            continue;
        }
        let school = store::organizations::find(cx.conn, invitee.school)?;
        codes.push(PrintedCode {
            name: store::cohorts::find_name(cx.conn, invitee.id)?.unwrap_or_default(),
            school: school.map(|school| school.name).unwrap_or_default(),
            code: grouped(&cx.resources.keyring.printed_code(&invitee.id.to_string())),
            invitee,
        });
    }
    let event = Change::new("read_invitation_codes", Some(program.organization), "program", id)
        .with("codes", codes.len());
    // Whoever reads the codes could use them: the trail says who has.
    cx.write(|_conn| Ok(((), event.clone())))?;
    Ok(codes)
}

fn grouped(code: &str) -> String {
    let chars: Vec<char> = code.chars().collect();
    chars.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// A code as somebody types it: letters in either case, with or without the hyphens, O for 0 and I or L for 1.
fn typed(code: &str) -> String {
    let kept = code.chars().filter(|c| c.is_ascii_alphanumeric());
    kept.map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    })
    .collect()
}

/// How somebody stands in a programme, as they see it themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Their row.
    pub invitee: Invitee,
    /// The title of the programme.
    pub title: String,
    /// The cohort's name.
    pub cohort: String,
    /// Their last day to begin.
    pub closes_on: NaiveDate,
}

fn standing_of(program: &Program, invitee: Invitee) -> Result<Standing, Error> {
    let cohort = cohort_of(&charter_of(program)?, &invitee)?;
    let closes_on = last_day(&cohort, &invitee);
    Ok(Standing { invitee, title: program.title.clone(), cohort: cohort.label, closes_on })
}

/// The caller's own row in a programme.
fn find_own(cx: &mut Cx<'_>, id: ProgramId) -> Result<(Program, Invitee), Error> {
    let person = cx.signed_in()?.person;
    let own = store::cohorts::find_of_person(cx.conn, id, person)?;
    match (store::programs::find(cx.conn, id)?, own) {
        (Some(program), Some(invitee)) if program.state.is_public() => Ok((program, invitee)),
        (Some(_) | None, Some(_) | None) => Err(Error::NotFound("invitation")),
    }
}

/// `GET /programs/{id}/enrolment`: one's own place in a programme.
///
/// # Errors
/// [`Error::NotFound`] for somebody who is not invited.
pub fn find_enrolment(cx: &mut Cx<'_>, id: ProgramId) -> Result<Standing, Error> {
    policy::require_somewhere(&cx.actor, "read_enrolment")?;
    let (program, invitee) = find_own(cx, id)?;
    standing_of(&program, invitee)
}

/// `POST /programs/{id}/enrolment`: takes part. Who has declined can still change their mind; doing it again changes nothing.
///
/// # Errors
/// [`Error::NotFound`] for somebody who is not invited, [`Error::WrongState`] when the programme or the person's last day is over.
pub fn enrol(cx: &mut Cx<'_>, id: ProgramId) -> Result<Standing, Error> {
    policy::require_somewhere(&cx.actor, "create_enrolment")?;
    let (program, own) = find_own(cx, id)?;
    if own.state == InviteeState::Enrolled {
        return standing_of(&program, own);
    }
    let person = cx.signed_in()?.person;
    let now = cx.now;
    cx.write(|conn| {
        let invitee = store::cohorts::find_of_person(conn, id, person)?.ok_or(Error::Stale)?;
        let enrolled = enrol_one(conn, &invitee, person, now)?;
        let change = change_of("create_enrolment", &program, invitee.id);
        Ok((standing_of(&program, enrolled)?, change))
    })
}

/// Enrols whoever has accepted an invitation into a programme, in the transaction of the acceptance. Does nothing for other invitations.
///
/// # Errors
/// As [`enrol`].
pub(super) fn enrol_invited(
    conn: &mut DbConn,
    invitation: InvitationId,
    person: PersonId,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(invitee) = store::cohorts::find_by_invitation(conn, invitation)? else {
        return Ok(());
    };
    // The code may have been used again, for another address.
    if invitee.person != Some(person) {
        return Err(Error::InvitationUnusable);
    }
    if invitee.state == InviteeState::Enrolled {
        return Ok(());
    }
    let program = store::programs::find(conn, invitee.program)?.ok_or(Error::Stale)?;
    let enrolled = enrol_one(conn, &invitee, person, now)?;
    let change = change_of("create_enrolment", &program, enrolled.id);
    audit::append(conn, Some(person), &change, now)?;
    Ok(())
}

fn enrol_one(
    conn: &mut DbConn,
    invitee: &Invitee,
    person: PersonId,
    now: Timestamp,
) -> Result<Invitee, Error> {
    let program = store::programs::find(conn, invitee.program)?.ok_or(Error::Stale)?;
    require_open(&program)?;
    let cohort = cohort_of(&charter_of(&program)?, invitee)?;
    let last = last_day(&cohort, invitee);
    if now.as_utc().date_naive() > last {
        let detail = format!("the last day to begin was {last}; ask a coordinator for more time");
        return Err(Error::WrongState { detail, allowed_events: Vec::new() });
    }
    become_earner(conn, invitee, person, now)?;
    let enrolled = Invitee {
        state: InviteeState::Enrolled,
        declined: None,
        enrolled_at: Some(now),
        ..invitee.clone()
    };
    store::cohorts::save(conn, &enrolled)?;
    store::cohorts::delete_name(conn, invitee.id)?;
    Ok(Invitee { revision: enrolled.revision + 1, ..enrolled })
}

/// What the invitation has offered and the person takes up: the role of an earner at their school.
fn become_earner(
    conn: &mut DbConn,
    invitee: &Invitee,
    person: PersonId,
    now: Timestamp,
) -> Result<(), Error> {
    match store::memberships::find(conn, invitee.school, person)? {
        None => {
            let membership = Membership {
                id: MembershipId::from_uuid(new_uuid()),
                organization: invitee.school,
                person,
                state: MembershipState::Confirmed,
                roles: vec![Role::Earner],
                revision: 1,
            };
            Ok(store::memberships::create(conn, &membership, now)?)
        }
        Some(known) => match known.state {
            MembershipState::Confirmed if known.roles.contains(&Role::Earner) => Ok(()),
            MembershipState::Confirmed | MembershipState::Invited => {
                let revision = known.revision;
                let mut roles = known.roles.clone();
                if !roles.contains(&Role::Earner) {
                    roles.push(Role::Earner);
                }
                let state = MembershipState::Confirmed;
                let confirmed = Membership { state, roles, ..known };
                Ok(store::memberships::save(conn, &confirmed, revision, now)?)
            }
            MembershipState::Suspended | MembershipState::Removed => {
                let detail = format!(
                    "your membership of the school is {}; its administrator can change that",
                    known.state
                );
                Err(Error::WrongState { detail, allowed_events: Vec::new() })
            }
        },
    }
}

fn check_note(note: &str, pointer: &str) -> Result<(), Error> {
    if note.chars().count() > LONGEST_NOTE {
        let detail = format!("write at most {LONGEST_NOTE} characters");
        return Err(Error::invalid(pointer, "too-long", detail));
    }
    Ok(())
}

/// `POST /invitations/decline`: says no, by the secret of a mail or by a printed code.
///
/// # Errors
/// [`Error::InvitationUnusable`] for a secret that is unknown, used or expired, or that is no invitation into a programme.
pub fn decline(
    cx: &mut Cx<'_>,
    token: &str,
    reason: DeclineReason,
    note: &str,
) -> Result<(), Error> {
    check_note(note, "/note")?;
    let by_mail = store::memberships::find_invitation(cx.conn, &token_sha256(token))?;
    let invitee = match by_mail {
        Some(invitation) if invitation.is_accepted || invitation.expires_at <= cx.now => None,
        Some(invitation) => store::cohorts::find_by_invitation(cx.conn, invitation.id)?
            .filter(|invitee| invitee.person == Some(invitation.person)),
        None => store::cohorts::find_by_code(cx.conn, &token_sha256(&typed(token)))?,
    };
    let invitee = invitee
        .filter(|invitee| invitee.state == InviteeState::Invited)
        .ok_or(Error::InvitationUnusable)?;
    let program =
        store::programs::find(cx.conn, invitee.program)?.ok_or(Error::InvitationUnusable)?;
    let note = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
    let now = cx.now;
    store::write(cx.conn, |conn| {
        let declined = Invitee {
            state: InviteeState::Declined,
            declined: Some(Declined { at: now, reason, note: note.clone() }),
            ..invitee.clone()
        };
        match store::cohorts::save(conn, &declined) {
            Err(StoreError::Stale) => return Err(Error::InvitationUnusable),
            other => other?,
        }
        let change = change_of("decline_invitation", &program, invitee.id).with("reason", reason);
        audit::append(conn, invitee.person, &change, now)?;
        Ok(())
    })
}

/// `POST /invitations/redeem`: somebody with a printed code says where mail reaches them. The invitation is sent there, so that nobody takes
/// part under an address that is not theirs.
///
/// # Errors
/// [`Error::InvitationUnusable`] for an unknown or used code, or one that was tried too often; [`Error::Invalid`] for no address.
pub fn redeem(cx: &mut Cx<'_>, code: &str, email: &str) -> Result<(), Error> {
    let email = members::check_email(email, "/email")?;
    let invitee = store::cohorts::find_by_code(cx.conn, &token_sha256(&typed(code)))?
        .filter(|one| matches!(one.state, InviteeState::Invited | InviteeState::Declined))
        .filter(|one| one.mails < MOST_MAILS_OF_A_CODE)
        .ok_or(Error::InvitationUnusable)?;
    let program = store::programs::find(cx.conn, invitee.program)?
        .filter(|program| program.state == ProgramState::Open)
        .ok_or(Error::InvitationUnusable)?;
    let name = store::cohorts::find_name(cx.conn, invitee.id)?.unwrap_or_default();
    let host = outbox::message_host(&cx.installation()?.base_url);
    let (now, resources) = (cx.now, cx.resources);
    store::write(cx.conn, |conn| {
        let person = find_or_create_person(conn, &email, &name, now)?;
        let redeemed = Invitee {
            person: Some(person),
            state: InviteeState::Invited,
            declined: None,
            ..invitee.clone()
        };
        match sending::invite_one(conn, resources, &redeemed, &host, now) {
            Err(Error::Stale) => return Err(Error::InvitationUnusable),
            // Whose membership is suspended is not written to, and whoever asks learns nothing of it.
            Ok(false) => return Ok(()),
            other => other?,
        };
        let change = change_of("redeem_invitation", &program, invitee.id);
        audit::append(conn, None, &change, now)?;
        Ok(())
    })
}

/// The person of an address, known or new.
fn find_or_create_person(
    conn: &mut DbConn,
    email: &str,
    name: &str,
    now: Timestamp,
) -> Result<PersonId, Error> {
    if let Some(profile) = store::people::find_profile_by_email(conn, email)? {
        return Ok(profile.person);
    }
    let person = PersonId::from_uuid(new_uuid());
    let profile = Profile { person, name: name.trim().to_owned(), email: email.to_owned() };
    store::people::create(conn, &profile, now)?;
    Ok(person)
}

/// One invitee, as whoever may do this finds them.
///
/// # Errors
/// [`Error::Denied`] without the role, [`Error::NotFound`].
pub fn find(
    cx: &mut Cx<'_>,
    id: ProgramId,
    invitee: InviteeId,
    operation: &'static str,
) -> Result<NamedInvitee, Error> {
    let (_, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, operation, &subject)?;
    let found = store::cohorts::find(cx.conn, id, invitee)?.ok_or(missing())?;
    named(cx.conn, found)
}

/// Puts a new attempt into the programme that it belongs to, in the transaction that makes it.
///
/// With `wanted` it must be that one. Without it is the one programme in which the earner takes part, whose cohort names the definition and
/// whose window is open for them; none where there is no such programme, or more than one. Returns it.
///
/// # Errors
/// [`Error::Invalid`] for a programme that is not the earner's, does not name the definition, or is over for them.
pub(super) fn attach(
    conn: &mut DbConn,
    earner: PersonId,
    version: &Version,
    submission: SubmissionId,
    wanted: Option<ProgramId>,
    now: Timestamp,
) -> Result<Option<ProgramId>, Error> {
    let today = now.as_utc().date_naive();
    let mut fitting = Vec::new();
    let mut refusal = Error::invalid(
        "/program_id",
        "no-such-program",
        "you do not take part in such a programme; enrol first, or leave program_id out",
    );
    for invitee in store::cohorts::list_enrolled(conn, earner)? {
        if wanted.is_some_and(|wanted| wanted != invitee.program) {
            continue;
        }
        let Some(program) = store::programs::find(conn, invitee.program)? else { continue };
        let cohort = cohort_of(&charter_of(&program)?, &invitee)?;
        if !names(conn, &program, &cohort, version)? {
            let detail = "your cohort of the programme does not have this micro-credential";
            refusal = Error::invalid("/program_id", "not-in-cohort", detail);
            continue;
        }
        let last = last_day(&cohort, &invitee);
        if today < cohort.opens_on || today > last {
            let detail = format!(
                "people of your cohort begin between {} and {last}; a coordinator can give more time",
                cohort.opens_on
            );
            refusal = Error::invalid("/program_id", "window-over", detail);
            continue;
        }
        fitting.push((invitee.id, invitee.program));
    }
    match (fitting.as_slice(), wanted) {
        ([(invitee, program)], _) => {
            store::cohorts::attach_submission(conn, submission, *invitee)?;
            Ok(Some(*program))
        }
        ([], Some(_)) => Err(refusal),
        (_, None) | ([_, _, ..], Some(_)) => Ok(None),
    }
}

fn names(
    conn: &mut DbConn,
    program: &Program,
    cohort: &Cohort,
    version: &Version,
) -> Result<bool, Error> {
    let among = super::context::branch_up(conn, program.organization)?;
    for named in &cohort.definitions {
        let found = store::micro_credentials::find_named(conn, &among, &named.slug, named.number)?;
        let is_it = found.is_some_and(|found| found.micro_credential == version.micro_credential);
        if is_it && named.number.is_none_or(|number| number == version.number) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts the attempt that follows another one into the same programme: its window is for beginning, not for going on.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn attach_like(
    conn: &mut DbConn,
    previous: SubmissionId,
    next: SubmissionId,
) -> Result<(), Error> {
    if let Some(invitee) = store::cohorts::find_of_submission(conn, previous)? {
        store::cohorts::attach_submission(conn, next, invitee)?;
    }
    Ok(())
}
