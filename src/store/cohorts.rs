//! Invitees of programmes. The store keeps names of those without an account beside them; everybody else's are in their profile.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{
    invitee_invitations, invitee_names, invitees, memberships, program_attempts, programs,
    submissions,
};
use super::{DbConn, StoreError};
use crate::domain::cohort::{Accommodations, DeclineReason, InviteeState};
use crate::domain::ids::{
    InvitationId, InviteeId, OrganizationId, PersonId, ProgramId, SubmissionId,
};
use crate::domain::organization::MembershipState;
use crate::domain::program::ProgramState;
use crate::domain::timestamp::Timestamp;

/// Why somebody declined, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: DeclineReason,
    /// In their own words.
    pub note: Option<String>,
}

/// A last day of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The day.
    pub ends_on: NaiveDate,
    /// Why, for the coordinators.
    pub reason: String,
}

/// Somebody who is invited to a programme: one row, however often they are invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitee {
    /// Its id.
    pub id: InviteeId,
    /// To which programme.
    pub program: ProgramId,
    /// In which of its cohorts.
    pub cohort: String,
    /// As what.
    pub audience: String,
    /// Where they work.
    pub school: OrganizationId,
    /// Who; none until a printed code is used.
    pub person: Option<PersonId>,
    /// The district's own word for somebody without an address.
    pub reference: Option<String>,
    /// What is kept of the printed code.
    pub code_sha256: Option<String>,
    /// How they stand.
    pub state: InviteeState,
    /// How many mails were written to them, reminders included.
    pub mails: i32,
    /// Who has put them on the list.
    pub invited_by: PersonId,
    /// When they were put on the list.
    pub created_at: Timestamp,
    /// When they were first invited.
    pub invited_at: Option<Timestamp>,
    /// When they were last invited or reminded.
    pub last_invited_at: Option<Timestamp>,
    /// Whether they have said no.
    pub declined: Option<Declined>,
    /// Since when they take part.
    pub enrolled_at: Option<Timestamp>,
    /// Their own last day, if they have one.
    pub extension: Option<Extension>,
    /// What was arranged with them.
    pub accommodations: Accommodations,
    /// Counts the changes.
    pub revision: i32,
}

type Row = (
    (String, String, String, String, String, Option<String>, Option<String>, Option<String>),
    (String, i32, String, NaiveDateTime, Option<NaiveDateTime>, Option<NaiveDateTime>),
    (Option<NaiveDateTime>, Option<String>, Option<String>, Option<NaiveDateTime>),
    (Option<String>, Option<String>, i32, bool, bool, String),
);

macro_rules! columns {
    () => {
        (
            (
                invitees::id,
                invitees::program_id,
                invitees::cohort,
                invitees::audience,
                invitees::school_id,
                invitees::person_id,
                invitees::reference,
                invitees::code_sha256,
            ),
            (
                invitees::state,
                invitees::mails,
                invitees::invited_by,
                invitees::created_at,
                invitees::invited_at,
                invitees::last_invited_at,
            ),
            (
                invitees::declined_at,
                invitees::decline_reason,
                invitees::decline_note,
                invitees::enrolled_at,
            ),
            (
                invitees::extended_to,
                invitees::extension_reason,
                invitees::revision,
                invitees::spoken_answers,
                invitees::unlimited_words,
                invitees::accommodation_note,
            ),
        )
    };
}

fn from_row((head, times, answer, end): Row) -> Result<Invitee, StoreError> {
    let (id, program, cohort, audience, school, person, reference, code_sha256) = head;
    let (state, mails, invited_by, created_at, invited_at, last_invited_at) = times;
    let (declined_at, decline_reason, note, enrolled_at) = answer;
    let (extended_to, extension_reason, revision, spoken_answers, unlimited_words, note_of) = end;
    let corrupt = |column| StoreError::corrupt("invitees", &id, column);
    let declined = match (declined_at, decline_reason) {
        (Some(at), Some(reason)) => Some(Declined {
            at: Timestamp::from_naive(at),
            reason: DeclineReason::parse(&reason).ok_or_else(|| corrupt("decline_reason"))?,
            note,
        }),
        (Some(_), None) | (None, _) => None,
    };
    let extension = match (extended_to, extension_reason) {
        (Some(day), Some(reason)) => Some(Extension {
            ends_on: NaiveDate::parse_from_str(&day, "%Y-%m-%d")
                .map_err(|_bad| corrupt("extended_to"))?,
            reason,
        }),
        (Some(_), None) | (None, _) => None,
    };
    Ok(Invitee {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        program: program.parse().map_err(|_bad| corrupt("program_id"))?,
        cohort,
        audience,
        school: school.parse().map_err(|_bad| corrupt("school_id"))?,
        person: person
            .map(|person| person.parse())
            .transpose()
            .map_err(|_bad| corrupt("person_id"))?,
        reference,
        code_sha256,
        state: InviteeState::parse(&state).ok_or_else(|| corrupt("state"))?,
        mails,
        invited_by: invited_by.parse().map_err(|_bad| corrupt("invited_by"))?,
        created_at: Timestamp::from_naive(created_at),
        invited_at: invited_at.map(Timestamp::from_naive),
        last_invited_at: last_invited_at.map(Timestamp::from_naive),
        declined,
        enrolled_at: enrolled_at.map(Timestamp::from_naive),
        extension,
        accommodations: Accommodations { spoken_answers, unlimited_words, note: note_of },
        revision,
    })
}

macro_rules! changeable {
    ($invitee:expr, $revision:expr) => {
        (
            invitees::person_id.eq($invitee.person.map(|person| person.to_string())),
            invitees::state.eq($invitee.state.as_str()),
            invitees::mails.eq($invitee.mails),
            invitees::invited_at.eq($invitee.invited_at.map(Timestamp::naive)),
            invitees::last_invited_at.eq($invitee.last_invited_at.map(Timestamp::naive)),
            invitees::declined_at.eq($invitee.declined.as_ref().map(|one| one.at.naive())),
            invitees::decline_reason
                .eq($invitee.declined.as_ref().map(|one| one.reason.as_str().to_owned())),
            invitees::decline_note.eq($invitee.declined.as_ref().and_then(|one| one.note.clone())),
            invitees::enrolled_at.eq($invitee.enrolled_at.map(Timestamp::naive)),
            invitees::extended_to
                .eq($invitee.extension.as_ref().map(|one| one.ends_on.to_string())),
            invitees::extension_reason
                .eq($invitee.extension.as_ref().map(|one| one.reason.clone())),
            invitees::spoken_answers.eq($invitee.accommodations.spoken_answers),
            invitees::unlimited_words.eq($invitee.accommodations.unlimited_words),
            invitees::accommodation_note.eq($invitee.accommodations.note.clone()),
            invitees::revision.eq($revision),
        )
    };
}

/// Adds an invitee, with the name of somebody who has no account.
///
/// # Errors
/// [`StoreError::Duplicate`] when the programme has them.
pub fn create(conn: &mut DbConn, new: &Invitee, name: Option<&str>) -> Result<(), StoreError> {
    diesel::insert_into(invitees::table)
        .values((
            invitees::id.eq(new.id.to_string()),
            invitees::program_id.eq(new.program.to_string()),
            invitees::cohort.eq(&new.cohort),
            invitees::audience.eq(&new.audience),
            invitees::school_id.eq(new.school.to_string()),
            invitees::reference.eq(&new.reference),
            invitees::code_sha256.eq(&new.code_sha256),
            invitees::invited_by.eq(new.invited_by.to_string()),
            invitees::created_at.eq(new.created_at.naive()),
            changeable!(new, new.revision),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("invitee"))?;
    if let Some(name) = name {
        diesel::insert_into(invitee_names::table)
            .values((
                invitee_names::invitee_id.eq(new.id.to_string()),
                invitee_names::name.eq(name),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Saves what can change of an invitee as it was read. The row's revision is one more afterwards.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on, [`StoreError::Duplicate`] when the person is an invitee of the programme already.
pub fn save(conn: &mut DbConn, changed: &Invitee) -> Result<(), StoreError> {
    let unchanged = invitees::table
        .find(changed.id.to_string())
        .filter(invitees::program_id.eq(changed.program.to_string()))
        .filter(invitees::revision.eq(changed.revision));
    let n_rows = diesel::update(unchanged)
        .set(changeable!(changed, changed.revision + 1))
        .execute(conn)
        .map_err(StoreError::duplicate("invitee"))?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// One invitee of a programme.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    program: ProgramId,
    id: InviteeId,
) -> Result<Option<Invitee>, StoreError> {
    let row: Option<Row> = invitees::table
        .find(id.to_string())
        .filter(invitees::program_id.eq(program.to_string()))
        .select(columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// A person's row in a programme.
///
/// # Errors
/// [`StoreError`].
pub fn find_of_person(
    conn: &mut DbConn,
    program: ProgramId,
    person: PersonId,
) -> Result<Option<Invitee>, StoreError> {
    let row: Option<Row> = invitees::table
        .filter(invitees::program_id.eq(program.to_string()))
        .filter(invitees::person_id.eq(person.to_string()))
        .select(columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// Whose printed code this is. The code is the secret that gives access; the programme follows from it.
///
/// # Errors
/// [`StoreError`].
pub fn find_by_code(conn: &mut DbConn, code_sha256: &str) -> Result<Option<Invitee>, StoreError> {
    let row: Option<Row> = invitees::table
        .filter(invitees::code_sha256.eq(code_sha256))
        .select(columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// The invitee that an invitation is to, if it is into a programme.
///
/// # Errors
/// [`StoreError`].
pub fn find_by_invitation(
    conn: &mut DbConn,
    invitation: InvitationId,
) -> Result<Option<Invitee>, StoreError> {
    let row: Option<Row> = invitees::table
        .inner_join(invitee_invitations::table.on(invitee_invitations::invitee_id.eq(invitees::id)))
        .filter(invitee_invitations::invitation_id.eq(invitation.to_string()))
        .select(columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// Notes that an invitation is into a programme.
///
/// # Errors
/// [`StoreError`].
pub fn link_invitation(
    conn: &mut DbConn,
    invitation: InvitationId,
    invitee: InviteeId,
) -> Result<(), StoreError> {
    diesel::insert_into(invitee_invitations::table)
        .values((
            invitee_invitations::invitation_id.eq(invitation.to_string()),
            invitee_invitations::invitee_id.eq(invitee.to_string()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Which invitees of a programme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InviteeQuery {
    /// Of one cohort.
    pub cohort: Option<String>,
    /// In one state.
    pub state: Option<InviteeState>,
    /// Behind this id.
    pub after: Option<String>,
    /// At most so many; all when none.
    pub limit: Option<i64>,
}

/// Invitees of a programme by id.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    program: ProgramId,
    wanted: &InviteeQuery,
) -> Result<Vec<Invitee>, StoreError> {
    let mut query = invitees::table
        .filter(invitees::program_id.eq(program.to_string()))
        .select(columns!())
        .into_boxed::<MultiBackend>();
    if let Some(cohort) = &wanted.cohort {
        query = query.filter(invitees::cohort.eq(cohort.clone()));
    }
    if let Some(state) = wanted.state {
        query = query.filter(invitees::state.eq(state.as_str()));
    }
    if let Some(after) = &wanted.after {
        query = query.filter(invitees::id.gt(after.clone()));
    }
    if let Some(limit) = wanted.limit {
        query = query.limit(limit);
    }
    let rows: Vec<Row> = query.order(invitees::id).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Invitees of open programmes whose mail is not written yet, oldest first. Whose membership of the school is suspended stays on the list,
/// and is not among them: they get no mail before that ends.
///
/// # Errors
/// [`StoreError`].
pub fn list_waiting(conn: &mut DbConn, limit: i64) -> Result<Vec<Invitee>, StoreError> {
    let rows: Vec<Row> = invitees::table
        .inner_join(programs::table.on(programs::id.eq(invitees::program_id)))
        .filter(invitees::state.eq(InviteeState::Waiting.as_str()))
        .filter(programs::state.eq(ProgramState::Open.as_str()))
        .filter(not(exists(
            memberships::table
                .filter(memberships::organization_id.eq(invitees::school_id))
                .filter(memberships::person_id.nullable().eq(invitees::person_id))
                .filter(memberships::state.eq(MembershipState::Suspended.as_str())),
        )))
        .order((invitees::program_id, invitees::id))
        .limit(limit)
        .select(columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Where a person takes part: their rows in programmes that are open.
///
/// # Errors
/// [`StoreError`].
pub fn list_enrolled(conn: &mut DbConn, person: PersonId) -> Result<Vec<Invitee>, StoreError> {
    let rows: Vec<Row> = invitees::table
        .inner_join(programs::table.on(programs::id.eq(invitees::program_id)))
        .filter(invitees::person_id.eq(person.to_string()))
        .filter(invitees::state.eq(InviteeState::Enrolled.as_str()))
        .filter(programs::state.eq(ProgramState::Open.as_str()))
        .order(invitees::id)
        .select(columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// The name of an invitee without an account.
///
/// # Errors
/// [`StoreError`].
pub fn find_name(conn: &mut DbConn, id: InviteeId) -> Result<Option<String>, StoreError> {
    Ok(invitee_names::table
        .find(id.to_string())
        .select(invitee_names::name)
        .first(conn)
        .optional()?)
}

/// Forgets the name of an invitee: their profile has it now.
///
/// # Errors
/// [`StoreError`].
pub fn delete_name(conn: &mut DbConn, id: InviteeId) -> Result<(), StoreError> {
    diesel::delete(invitee_names::table.find(id.to_string())).execute(conn)?;
    Ok(())
}

/// Notes that a submission is made within a programme.
///
/// # Errors
/// [`StoreError`].
pub fn attach_submission(
    conn: &mut DbConn,
    submission: SubmissionId,
    invitee: InviteeId,
) -> Result<(), StoreError> {
    diesel::insert_into(program_attempts::table)
        .values((
            program_attempts::submission_id.eq(submission.to_string()),
            program_attempts::invitee_id.eq(invitee.to_string()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Within which programme, and by whom, a submission is made.
///
/// # Errors
/// [`StoreError`].
pub fn find_of_submission(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Option<InviteeId>, StoreError> {
    let id: Option<String> = program_attempts::table
        .find(submission.to_string())
        .select(program_attempts::invitee_id)
        .first(conn)
        .optional()?;
    id.map(|id| {
        id.parse().map_err(|_bad| {
            StoreError::corrupt("program_attempts", &submission.to_string(), "invitee_id")
        })
    })
    .transpose()
}

/// What was arranged with whoever makes a submission; nothing outside of a programme.
///
/// # Errors
/// [`StoreError`].
pub fn find_accommodations(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Accommodations, StoreError> {
    let found: Option<(bool, bool, String)> = program_attempts::table
        .inner_join(invitees::table.on(invitees::id.eq(program_attempts::invitee_id)))
        .filter(program_attempts::submission_id.eq(submission.to_string()))
        .select((invitees::spoken_answers, invitees::unlimited_words, invitees::accommodation_note))
        .first(conn)
        .optional()?;
    Ok(found.map_or_else(Accommodations::default, |(spoken_answers, unlimited_words, note)| {
        Accommodations { spoken_answers, unlimited_words, note }
    }))
}

/// Which attempts are made within a programme, by whom, and when each was handed in.
///
/// # Errors
/// [`StoreError`].
pub fn list_attempts(
    conn: &mut DbConn,
    program: ProgramId,
) -> Result<Vec<(InviteeId, Option<Timestamp>)>, StoreError> {
    let rows: Vec<(String, Option<NaiveDateTime>)> = program_attempts::table
        .inner_join(invitees::table.on(invitees::id.eq(program_attempts::invitee_id)))
        .inner_join(submissions::table.on(submissions::id.eq(program_attempts::submission_id)))
        .filter(invitees::program_id.eq(program.to_string()))
        .filter(diesel::dsl::not(is_seed!()))
        .order(submissions::id)
        .select((invitees::id, submissions::submitted_at))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, submitted_at)| {
            let invitee = id.parse().map_err(|_bad| StoreError::corrupt("invitees", &id, "id"))?;
            Ok((invitee, submitted_at.map(Timestamp::from_naive)))
        })
        .collect()
}

/// Forgets the names on lists, what was written about declines and extensions, and what was arranged with whom, of programmes that were closed before a moment.
///
/// # Errors
/// [`StoreError`].
pub fn purge(conn: &mut DbConn, closed_before: Timestamp) -> Result<(), StoreError> {
    let closed: Vec<String> = programs::table
        .filter(programs::closed_at.lt(Some(closed_before.naive())))
        .select(programs::id)
        .load(conn)?;
    let theirs: Vec<String> = invitees::table
        .inner_join(invitee_names::table.on(invitee_names::invitee_id.eq(invitees::id)))
        .filter(invitees::program_id.eq_any(&closed))
        .select(invitees::id)
        .limit(500)
        .load(conn)?;
    diesel::delete(invitee_names::table.filter(invitee_names::invitee_id.eq_any(theirs)))
        .execute(conn)?;
    diesel::update(
        invitees::table
            .filter(invitees::program_id.eq_any(&closed))
            .filter(invitees::decline_note.is_not_null()),
    )
    .set(invitees::decline_note.eq(None::<String>))
    .execute(conn)?;
    diesel::update(
        invitees::table
            .filter(invitees::program_id.eq_any(&closed))
            .filter(invitees::extension_reason.ne(Some(String::new()))),
    )
    .set(invitees::extension_reason.eq(Some(String::new())))
    .execute(conn)?;
    diesel::update(
        invitees::table.filter(invitees::program_id.eq_any(&closed)).filter(
            invitees::spoken_answers
                .or(invitees::unlimited_words)
                .or(invitees::accommodation_note.ne("")),
        ),
    )
    .set((
        invitees::spoken_answers.eq(false),
        invitees::unlimited_words.eq(false),
        invitees::accommodation_note.eq(""),
    ))
    .execute(conn)?;
    Ok(())
}
