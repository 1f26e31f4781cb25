//! Appeals and integrity cases, with the votes of their panels.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::conflicts::{list_coaches, list_partners};
use super::error::parse_ids;
use super::schema::{case_criteria, case_votes, cases, reviews, screenings, submissions};
use super::{DbConn, StoreError};
use crate::domain::case::{CaseKind, CaseOutcome, CaseState, Grounds, Vote};
use crate::domain::decision_rule::Outcome;
use crate::domain::ids::{CaseId, MicroCredentialId, OrganizationId, PersonId, SubmissionId};
use crate::domain::timestamp::Timestamp;

/// A case as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Who owns the submission.
    pub organization: OrganizationId,
    /// What it is about.
    pub submission: SubmissionId,
    /// An appeal or a doubt.
    pub kind: CaseKind,
    /// Where it stands.
    pub state: CaseState,
    /// What an appeal rests on.
    pub grounds: Option<Grounds>,
    /// What was said when it was opened.
    pub statement: String,
    /// By whom; none for the service.
    pub opened_by: Option<PersonId>,
    /// In which role.
    pub opened_role: String,
    /// When.
    pub opened_at: Timestamp,
    /// When the answer is due.
    pub due_on: Timestamp,
    /// What the earner replied.
    pub reply: Option<String>,
    /// Until when they can before the panel votes.
    pub reply_until: Option<Timestamp>,
    /// What it came to.
    pub outcome: Option<CaseOutcome>,
    /// The decision that an appeal was about.
    pub outcome_before: Option<Outcome>,
    /// When it was concluded.
    pub concluded_at: Option<Timestamp>,
    /// Counts its changes.
    pub revision: i32,
}

type Row = (
    (String, String, String, String, String, Option<String>, String, Option<String>, String),
    (NaiveDateTime, NaiveDateTime, Option<String>, Option<NaiveDateTime>),
    (Option<String>, Option<String>, Option<NaiveDateTime>, i32),
);

macro_rules! case_columns {
    () => {
        (
            (
                cases::id,
                cases::organization_id,
                cases::submission_id,
                cases::kind,
                cases::state,
                cases::grounds,
                cases::statement,
                cases::opened_by,
                cases::opened_role,
            ),
            (cases::opened_at, cases::due_on, cases::reply, cases::reply_until),
            (cases::outcome, cases::outcome_before, cases::concluded_at, cases::revision),
        )
    };
}

fn from_row((head, times, end): Row) -> Result<Case, StoreError> {
    let (id, organization, submission, kind, state, grounds, statement, opened_by, opened_role) =
        head;
    let (opened_at, due_on, reply, reply_until) = times;
    let (outcome, outcome_before, concluded_at, revision) = end;
    let corrupt = |column| StoreError::corrupt("cases", &id, column);
    Ok(Case {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
        kind: CaseKind::parse(&kind).ok_or_else(|| corrupt("kind"))?,
        state: CaseState::parse(&state).ok_or_else(|| corrupt("state"))?,
        grounds: grounds
            .map(|word| Grounds::parse(&word).ok_or_else(|| corrupt("grounds")))
            .transpose()?,
        statement,
        opened_by: opened_by
            .map(|person| person.parse())
            .transpose()
            .map_err(|_bad| corrupt("opened_by"))?,
        opened_role,
        opened_at: Timestamp::from_naive(opened_at),
        due_on: Timestamp::from_naive(due_on),
        reply,
        reply_until: reply_until.map(Timestamp::from_naive),
        outcome: outcome
            .map(|word| CaseOutcome::parse(&word).ok_or_else(|| corrupt("outcome")))
            .transpose()?,
        outcome_before: outcome_before
            .map(|word| Outcome::parse(&word).ok_or_else(|| corrupt("outcome_before")))
            .transpose()?,
        concluded_at: concluded_at.map(Timestamp::from_naive),
        revision,
    })
}

/// Opens a case, with the levels that an appeal disputes.
///
/// # Errors
/// [`StoreError::Duplicate`] for a second appeal, and while another case is open.
pub fn create(
    conn: &mut DbConn,
    new: &Case,
    disputed: &BTreeMap<String, Option<u8>>,
) -> Result<(), StoreError> {
    diesel::insert_into(cases::table)
        .values((
            (
                cases::id.eq(new.id.to_string()),
                cases::organization_id.eq(new.organization.to_string()),
                cases::submission_id.eq(new.submission.to_string()),
                cases::kind.eq(new.kind.as_str()),
                cases::state.eq(new.state.as_str()),
                cases::grounds.eq(new.grounds.map(Grounds::as_str)),
                cases::statement.eq(&new.statement),
            ),
            (
                cases::opened_by.eq(new.opened_by.map(|person| person.to_string())),
                cases::opened_role.eq(&new.opened_role),
                cases::opened_at.eq(new.opened_at.naive()),
                cases::due_on.eq(new.due_on.naive()),
                cases::reply_until.eq(new.reply_until.map(Timestamp::naive)),
                cases::outcome_before.eq(new.outcome_before.map(Outcome::as_str)),
                cases::revision.eq(new.revision),
            ),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("case"))?;
    for (criterion, level) in disputed {
        diesel::insert_into(case_criteria::table)
            .values((
                case_criteria::case_id.eq(new.id.to_string()),
                case_criteria::criterion_id.eq(criterion),
                case_criteria::level_before.eq(level.map(i32::from)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// One case.
///
/// # Errors
/// [`StoreError`].
pub fn find(conn: &mut DbConn, id: CaseId) -> Result<Option<Case>, StoreError> {
    let row: Option<Row> =
        cases::table.find(id.to_string()).select(case_columns!()).first(conn).optional()?;
    row.map(from_row).transpose()
}

/// All cases about a submission, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_submission(conn: &mut DbConn, id: SubmissionId) -> Result<Vec<Case>, StoreError> {
    let rows: Vec<Row> = cases::table
        .filter(cases::submission_id.eq(id.to_string()))
        .order(cases::id)
        .select(case_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// A page of cases: an earner's own, and those of some organizations, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    earner: PersonId,
    (organizations, branch): (&[OrganizationId], &[OrganizationId]),
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let words = |ids: &[OrganizationId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let rows: Vec<Row> = cases::table
        .inner_join(submissions::table.on(submissions::id.eq(cases::submission_id)))
        .filter(
            submissions::earner_id
                .eq(earner.to_string())
                .and(cases::organization_id.eq_any(words(branch)))
                .or(cases::organization_id.eq_any(words(organizations))),
        )
        .filter(cases::id.gt(after.unwrap_or_default().to_owned()))
        .order(cases::id)
        .limit(limit)
        .select(case_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Saves state, reply and end of a case as read at its revision.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save(conn: &mut DbConn, changed: &Case, now: Timestamp) -> Result<(), StoreError> {
    let unchanged =
        cases::table.find(changed.id.to_string()).filter(cases::revision.eq(changed.revision));
    let replied_at = (changed.state == CaseState::Replied).then_some(now.naive());
    let n_rows = diesel::update(unchanged)
        .set((
            cases::state.eq(changed.state.as_str()),
            cases::reply.eq(&changed.reply),
            cases::outcome.eq(changed.outcome.map(CaseOutcome::as_str)),
            cases::concluded_at.eq(changed.concluded_at.map(Timestamp::naive)),
            cases::revision.eq(changed.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 {
        return Err(StoreError::Stale);
    }
    if replied_at.is_some() {
        diesel::update(cases::table.find(changed.id.to_string()))
            .set(cases::replied_at.eq(replied_at))
            .execute(conn)?;
    }
    Ok(())
}

/// A level in dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disputed {
    /// The level that was decided.
    pub before: Option<u8>,
    /// The level after the appeal, where the fresh readings count.
    pub after: Option<u8>,
}

/// What an appeal disputes, by criterion or prompt.
///
/// # Errors
/// [`StoreError`].
pub fn list_criteria(
    conn: &mut DbConn,
    id: CaseId,
) -> Result<BTreeMap<String, Disputed>, StoreError> {
    let rows: Vec<(String, Option<i32>, Option<i32>)> = case_criteria::table
        .filter(case_criteria::case_id.eq(id.to_string()))
        .select((
            case_criteria::criterion_id,
            case_criteria::level_before,
            case_criteria::level_after,
        ))
        .load(conn)?;
    let level = |level: Option<i32>| {
        level
            .map(u8::try_from)
            .transpose()
            .map_err(|_bad| StoreError::corrupt("case_criteria", &id.to_string(), "level"))
    };
    rows.into_iter()
        .map(|(criterion, before, after)| {
            Ok((criterion, Disputed { before: level(before)?, after: level(after)? }))
        })
        .collect()
}

/// Records the level of a disputed criterion after an appeal.
///
/// # Errors
/// [`StoreError`].
pub fn save_level_after(
    conn: &mut DbConn,
    id: CaseId,
    criterion: &str,
    level: Option<u8>,
) -> Result<(), StoreError> {
    diesel::update(case_criteria::table.find((id.to_string(), criterion)))
        .set(case_criteria::level_after.eq(level.map(i32::from)))
        .execute(conn)?;
    Ok(())
}

/// A vote with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CastVote {
    /// Who.
    pub person: PersonId,
    /// What they think.
    pub vote: Vote,
    /// Why.
    pub reasons: String,
}

/// Records a vote.
///
/// # Errors
/// [`StoreError::Duplicate`] for a second one of the same person.
pub fn create_vote(
    conn: &mut DbConn,
    id: CaseId,
    new: &CastVote,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(case_votes::table)
        .values((
            case_votes::case_id.eq(id.to_string()),
            case_votes::person_id.eq(new.person.to_string()),
            case_votes::vote.eq(new.vote.as_str()),
            case_votes::reasons.eq(&new.reasons),
            case_votes::voted_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("vote"))?;
    Ok(())
}

/// The votes of a case.
///
/// # Errors
/// [`StoreError`].
pub fn list_votes(conn: &mut DbConn, id: CaseId) -> Result<Vec<CastVote>, StoreError> {
    let rows: Vec<(String, String, String)> = case_votes::table
        .filter(case_votes::case_id.eq(id.to_string()))
        .order((case_votes::voted_at, case_votes::person_id))
        .select((case_votes::person_id, case_votes::vote, case_votes::reasons))
        .load(conn)?;
    let corrupt = |column| StoreError::corrupt("case_votes", &id.to_string(), column);
    rows.into_iter()
        .map(|(person, vote, reasons)| {
            Ok(CastVote {
                person: person.parse().map_err(|_bad| corrupt("person_id"))?,
                vote: Vote::parse(&vote).ok_or_else(|| corrupt("vote"))?,
                reasons,
            })
        })
        .collect()
}

/// Everybody who has voted on a case of some organizations, or has raised a doubt; not earners who have appealed.
///
/// # Errors
/// [`StoreError`].
pub fn list_judges(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
) -> Result<Vec<PersonId>, StoreError> {
    let organizations: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let mut found: Vec<String> = case_votes::table
        .inner_join(cases::table.on(cases::id.eq(case_votes::case_id)))
        .filter(cases::organization_id.eq_any(organizations.clone()))
        .select(case_votes::person_id)
        .distinct()
        .load(conn)?;
    let openers: Vec<Option<String>> = cases::table
        .filter(cases::organization_id.eq_any(organizations))
        .filter(cases::kind.ne(CaseKind::Appeal.as_str()))
        .select(cases::opened_by)
        .distinct()
        .load(conn)?;
    found.extend(openers.into_iter().flatten());
    parse_ids("people", "id", found)
}

/// Whether a case about any attempt of an earner at a micro-credential is open, an appeal or a doubt.
///
/// # Errors
/// [`StoreError`].
pub fn has_open(
    conn: &mut DbConn,
    earner: PersonId,
    family: MicroCredentialId,
) -> Result<bool, StoreError> {
    let open = cases::table
        .inner_join(submissions::table.on(submissions::id.eq(cases::submission_id)))
        .filter(submissions::earner_id.eq(earner.to_string()))
        .filter(submissions::micro_credential_id.eq(family.to_string()))
        .filter(cases::state.ne(CaseState::Concluded.as_str()));
    Ok(diesel::select(diesel::dsl::exists(open)).get_result(conn)?)
}

/// Everybody who has had a part in a submission: its earner, its readers, screeners and coaches, the co-earners whom [`list_partners`] finds,
/// whoever opened a case about it, and who has voted in another case than `but`.
///
/// # Errors
/// [`StoreError`].
pub fn list_involved(
    conn: &mut DbConn,
    id: SubmissionId,
    but: CaseId,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let submission = id.to_string();
    let mut found: Vec<String> =
        submissions::table.find(&submission).select(submissions::earner_id).load(conn)?;
    let readers: Vec<Option<String>> = reviews::table
        .filter(reviews::submission_id.eq(&submission))
        .select(reviews::assessor_id)
        .load(conn)?;
    found.extend(readers.into_iter().flatten());
    let screeners: Vec<String> = screenings::table
        .filter(screenings::submission_id.eq(&submission))
        .select(screenings::screener_id)
        .load(conn)?;
    found.extend(screeners);
    let openers: Vec<Option<String>> = cases::table
        .filter(cases::submission_id.eq(&submission))
        .select(cases::opened_by)
        .load(conn)?;
    found.extend(openers.into_iter().flatten());
    let voters: Vec<String> = case_votes::table
        .inner_join(cases::table.on(cases::id.eq(case_votes::case_id)))
        .filter(cases::submission_id.eq(&submission))
        .filter(cases::id.ne(but.to_string()))
        .select(case_votes::person_id)
        .load(conn)?;
    found.extend(voters);
    let mut involved: BTreeSet<PersonId> = parse_ids("people", "id", found)?;
    involved.extend(list_coaches(conn, &[id])?.remove(&id).into_iter().flatten());
    involved.extend(list_partners(conn, id)?);
    Ok(involved)
}
