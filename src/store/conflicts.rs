//! What speaks against an assignment: declared ties, waivers, load caps, modules, and what the rows of work say.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{
    assessor_load_caps, assessor_modules, case_votes, cases, conflict_declarations, evidence,
    membership_roles, memberships, organization_ancestors, organizations, reviews,
    same_district_waivers, screenings, submission_events, submissions, waiver_deciders,
};
use super::{DbConn, StoreError};
use crate::domain::eligibility::{Module, Relation, Tie};
use crate::domain::ids::{ConflictId, MicroCredentialId, OrganizationId, PersonId, SubmissionId};
use crate::domain::organization::{MembershipState, OrganizationKind, Role};
use crate::domain::review::ReviewState;
use crate::domain::submission::SubmissionFacts;
use crate::domain::timestamp::Timestamp;

/// What a person has declared about another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Its id.
    pub id: ConflictId,
    /// In which organization.
    pub organization: OrganizationId,
    /// Who declared it.
    pub declared_by: PersonId,
    /// About whom.
    pub person: PersonId,
    /// What.
    pub relation: Relation,
    /// When.
    pub declared_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

type Row = (String, String, String, String, String, NaiveDateTime, Option<NaiveDateTime>);

fn from_row(row: Row) -> Result<Declaration, StoreError> {
    let (id, organization, declared_by, person, relation, declared_at, ended_at) = row;
    let corrupt = |column| StoreError::corrupt("conflict_declarations", &id, column);
    Ok(Declaration {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        declared_by: declared_by.parse().map_err(|_bad| corrupt("declared_by"))?,
        person: person.parse().map_err(|_bad| corrupt("person_id"))?,
        relation: Relation::parse(&relation).ok_or_else(|| corrupt("relation"))?,
        declared_at: Timestamp::from_naive(declared_at),
        ended_at: ended_at.map(Timestamp::from_naive),
    })
}

fn ids<T: std::str::FromStr + Ord>(
    table: &'static str,
    column: &'static str,
    words: Vec<String>,
) -> Result<BTreeSet<T>, StoreError> {
    words
        .iter()
        .map(|word| word.parse().map_err(|_bad| StoreError::corrupt(table, word, column)))
        .collect()
}

/// Adds a declaration.
///
/// # Errors
/// [`StoreError::Duplicate`] when it is declared already.
pub fn create(conn: &mut DbConn, new: &Declaration) -> Result<(), StoreError> {
    diesel::insert_into(conflict_declarations::table)
        .values((
            conflict_declarations::id.eq(new.id.to_string()),
            conflict_declarations::organization_id.eq(new.organization.to_string()),
            conflict_declarations::declared_by.eq(new.declared_by.to_string()),
            conflict_declarations::person_id.eq(new.person.to_string()),
            conflict_declarations::relation.eq(new.relation.as_str()),
            conflict_declarations::declared_at.eq(new.declared_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("declaration"))?;
    Ok(())
}

/// One declaration of a person's own.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    declared_by: PersonId,
    id: ConflictId,
) -> Result<Option<Declaration>, StoreError> {
    let row: Option<Row> = conflict_declarations::table
        .find(id.to_string())
        .filter(conflict_declarations::declared_by.eq(declared_by.to_string()))
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// A page of a person's own declarations, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    declared_by: PersonId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Declaration>, StoreError> {
    let rows: Vec<Row> = conflict_declarations::table
        .filter(conflict_declarations::declared_by.eq(declared_by.to_string()))
        .filter(conflict_declarations::id.gt(after.unwrap_or_default().to_owned()))
        .order(conflict_declarations::id)
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// Ends a declaration.
///
/// # Errors
/// [`StoreError::Stale`] when it has ended already.
pub fn end(conn: &mut DbConn, id: ConflictId, now: Timestamp) -> Result<(), StoreError> {
    let live = conflict_declarations::table
        .find(id.to_string())
        .filter(conflict_declarations::ended_at.is_null());
    let n_rows = diesel::update(live)
        .set(conflict_declarations::ended_at.eq(Some(now.naive())))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Every tie of a person, whoever declared it.
///
/// # Errors
/// [`StoreError`].
pub fn list_ties(conn: &mut DbConn, person: PersonId) -> Result<Vec<Tie>, StoreError> {
    let id = person.to_string();
    let rows: Vec<Row> = conflict_declarations::table
        .filter(
            conflict_declarations::declared_by.eq(&id).or(conflict_declarations::person_id.eq(&id)),
        )
        .load(conn)?;
    rows.into_iter()
        .map(|row| {
            let declared = from_row(row)?;
            let other =
                if declared.person == person { declared.declared_by } else { declared.person };
            Ok(Tie { other, relation: declared.relation, ended_at: declared.ended_at })
        })
        .collect()
}

/// The organizations of a kind that a person belongs to, directly or through one below it. With `since`, those as well that they
/// have left since then.
///
/// # Errors
/// [`StoreError`].
pub fn list_homes(
    conn: &mut DbConn,
    person: PersonId,
    kind: OrganizationKind,
    since: Option<Timestamp>,
) -> Result<BTreeSet<OrganizationId>, StoreError> {
    let belonging = memberships::table
        .inner_join(
            organization_ancestors::table
                .on(organization_ancestors::organization_id.eq(memberships::organization_id)),
        )
        .inner_join(
            organizations::table.on(organizations::id.eq(organization_ancestors::ancestor_id)),
        )
        .filter(memberships::person_id.eq(person.to_string()))
        .filter(organizations::kind.eq(kind.as_str()))
        .select(organizations::id);
    let words: Vec<String> = match since {
        Some(since) => belonging
            .filter(memberships::removed_at.is_null().or(memberships::removed_at.gt(since.naive())))
            .load(conn)?,
        None => belonging.filter(memberships::removed_at.is_null()).load(conn)?,
    };
    ids("organizations", "id", words)
}

/// The micro-credentials at which a person has an open attempt.
///
/// # Errors
/// [`StoreError`].
pub fn list_open_families(
    conn: &mut DbConn,
    person: PersonId,
) -> Result<BTreeSet<MicroCredentialId>, StoreError> {
    let words: Vec<String> = submissions::table
        .filter(submissions::earner_id.eq(person.to_string()))
        .filter(submissions::state.ne_all(["decided", "withdrawn", "voided", "expired"]))
        .select(submissions::micro_credential_id)
        .load(conn)?;
    ids("submissions", "micro_credential_id", words)
}

/// Who has locked a sheet of an earlier attempt of the same earner at the same micro-credential.
///
/// # Errors
/// [`StoreError`].
pub fn list_earlier_readers(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    family: MicroCredentialId,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let words: Vec<Option<String>> = reviews::table
        .inner_join(submissions::table.on(submissions::id.eq(reviews::submission_id)))
        .filter(submissions::earner_id.eq(facts.earner.to_string()))
        .filter(submissions::micro_credential_id.eq(family.to_string()))
        .filter(submissions::id.ne(facts.id.to_string()))
        .filter(reviews::state.eq(ReviewState::Locked.as_str()))
        .select(reviews::assessor_id)
        .load(conn)?;
    ids("reviews", "assessor_id", words.into_iter().flatten().collect())
}

/// Who took part in a submission in another role than reading it: coached it, screened it, or sat on, or asked for, one of its panels.
///
/// # Errors
/// [`StoreError`].
pub fn list_involved(
    conn: &mut DbConn,
    submission: SubmissionId,
    with_screeners: bool,
    with_panels: bool,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let submission = submission.to_string();
    let coaches: Vec<Option<String>> = submission_events::table
        .filter(submission_events::submission_id.eq(&submission))
        .filter(submission_events::actor_role.eq(Role::Coach.as_str()))
        .select(submission_events::actor_id)
        .load(conn)?;
    let mut words: Vec<String> = coaches.into_iter().flatten().collect();
    if with_screeners {
        let screeners: Vec<String> = screenings::table
            .filter(screenings::submission_id.eq(&submission))
            .select(screenings::screener_id)
            .load(conn)?;
        words.extend(screeners);
    }
    if with_panels {
        let openers: Vec<Option<String>> = cases::table
            .filter(cases::submission_id.eq(&submission))
            .select(cases::opened_by)
            .load(conn)?;
        words.extend(openers.into_iter().flatten());
        let voters: Vec<String> = case_votes::table
            .inner_join(cases::table.on(cases::id.eq(case_votes::case_id)))
            .filter(cases::submission_id.eq(&submission))
            .select(case_votes::person_id)
            .load(conn)?;
        words.extend(voters);
    }
    ids("submission_events", "actor_id", words)
}

/// Who has handed in one of the same files in a submission of their own.
///
/// # Errors
/// [`StoreError`].
pub fn list_coauthors(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let hashes: Vec<String> = evidence::table
        .filter(evidence::submission_id.eq(submission.to_string()))
        .filter(evidence::kind.eq("file"))
        .select(evidence::sha256)
        .load(conn)?;
    if hashes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let words: Vec<String> = evidence::table
        .inner_join(submissions::table.on(submissions::id.eq(evidence::submission_id)))
        .filter(evidence::sha256.eq_any(hashes))
        .filter(evidence::kind.eq("file"))
        .select(submissions::earner_id)
        .load(conn)?;
    ids("submissions", "earner_id", words)
}

/// With whom an assessor has locked a sheet of the same submission.
///
/// # Errors
/// [`StoreError`].
pub fn list_linked(conn: &mut DbConn, person: PersonId) -> Result<BTreeSet<PersonId>, StoreError> {
    let other = diesel::alias!(reviews as other);
    let locked = ReviewState::Locked.as_str();
    let words: Vec<Option<String>> = reviews::table
        .inner_join(other.on(other.field(reviews::submission_id).eq(reviews::submission_id)))
        .filter(reviews::assessor_id.eq(Some(person.to_string())))
        .filter(reviews::state.eq(locked))
        .filter(other.field(reviews::state).eq(locked))
        .filter(other.field(reviews::assessor_id).ne(Some(person.to_string())))
        .select(other.field(reviews::assessor_id))
        .distinct()
        .load(conn)?;
    ids("reviews", "assessor_id", words.into_iter().flatten().collect())
}

/// The confirmed holders of a role in any of these organizations.
///
/// # Errors
/// [`StoreError`].
pub fn list_holders(
    conn: &mut DbConn,
    role: Role,
    among: &[OrganizationId],
) -> Result<BTreeSet<PersonId>, StoreError> {
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    let words: Vec<String> = memberships::table
        .inner_join(membership_roles::table.on(membership_roles::membership_id.eq(memberships::id)))
        .filter(memberships::organization_id.eq_any(among))
        .filter(memberships::state.eq(MembershipState::Confirmed.as_str()))
        .filter(membership_roles::role.eq(role.as_str()))
        .select(memberships::person_id)
        .distinct()
        .load(conn)?;
    ids("memberships", "person_id", words)
}

/// The lowest load cap that was set for a person in any of these organizations, or anywhere without them.
///
/// # Errors
/// [`StoreError`].
pub fn find_load_cap(conn: &mut DbConn, person: PersonId) -> Result<Option<usize>, StoreError> {
    let lowest: Option<i32> = assessor_load_caps::table
        .filter(assessor_load_caps::person_id.eq(person.to_string()))
        .select(diesel::dsl::min(assessor_load_caps::load_cap))
        .first(conn)?;
    lowest
        .map(|cap| {
            usize::try_from(cap).map_err(|_bad| {
                StoreError::corrupt("assessor_load_caps", &person.to_string(), "load_cap")
            })
        })
        .transpose()
}

/// Sets a person's load cap in an organization; none takes it away.
///
/// # Errors
/// [`StoreError`].
pub fn save_load_cap(
    conn: &mut DbConn,
    organization: OrganizationId,
    person: PersonId,
    load_cap: Option<i32>,
) -> Result<(), StoreError> {
    let key = (organization.to_string(), person.to_string());
    diesel::delete(assessor_load_caps::table.find(key)).execute(conn)?;
    if let Some(load_cap) = load_cap {
        diesel::insert_into(assessor_load_caps::table)
            .values((
                assessor_load_caps::organization_id.eq(organization.to_string()),
                assessor_load_caps::person_id.eq(person.to_string()),
                assessor_load_caps::load_cap.eq(load_cap),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The modules that a person has completed.
///
/// # Errors
/// [`StoreError`].
pub fn list_modules(conn: &mut DbConn, person: PersonId) -> Result<BTreeSet<Module>, StoreError> {
    let words: Vec<String> = assessor_modules::table
        .filter(assessor_modules::person_id.eq(person.to_string()))
        .select(assessor_modules::module)
        .load(conn)?;
    words
        .iter()
        .map(|word| {
            Module::parse(word)
                .ok_or_else(|| StoreError::corrupt("assessor_modules", word, "module"))
        })
        .collect()
}

/// Records that a person has completed a module. The last time counts: who begins to train again does it again.
///
/// # Errors
/// [`StoreError`].
pub fn save_module(
    conn: &mut DbConn,
    person: PersonId,
    module: Module,
    now: Timestamp,
) -> Result<(), StoreError> {
    let at = assessor_modules::completed_at.eq(now.naive());
    let before = assessor_modules::table.find((person.to_string(), module.as_str()));
    if diesel::update(before).set(at).execute(conn)? > 0 {
        return Ok(());
    }
    diesel::insert_into(assessor_modules::table)
        .values((
            assessor_modules::person_id.eq(person.to_string()),
            assessor_modules::module.eq(module.as_str()),
            at,
        ))
        .execute(conn)
        .map_err(StoreError::conflict)?;
    Ok(())
}

/// A group's decision that assessors of one district may score one another's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Why.
    pub reason: String,
    /// Who decided it.
    pub deciders: Vec<PersonId>,
    /// Until when it holds.
    pub ends_at: Timestamp,
    /// Counts its changes.
    pub revision: i32,
}

/// The waiver of an organization, in force or not.
///
/// # Errors
/// [`StoreError`].
pub fn find_waiver(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<Waiver>, StoreError> {
    let row: Option<(String, NaiveDateTime, i32)> = same_district_waivers::table
        .find(organization.to_string())
        .select((
            same_district_waivers::reason,
            same_district_waivers::ends_at,
            same_district_waivers::revision,
        ))
        .first(conn)
        .optional()?;
    let Some((reason, ends_at, revision)) = row else { return Ok(None) };
    let words: Vec<String> = waiver_deciders::table
        .filter(waiver_deciders::organization_id.eq(organization.to_string()))
        .select(waiver_deciders::person_id)
        .load(conn)?;
    let deciders: BTreeSet<PersonId> = ids("waiver_deciders", "person_id", words)?;
    Ok(Some(Waiver {
        reason,
        deciders: deciders.into_iter().collect(),
        ends_at: Timestamp::from_naive(ends_at),
        revision,
    }))
}

/// Whether any of these organizations has a waiver in force.
///
/// # Errors
/// [`StoreError`].
pub fn is_waived(
    conn: &mut DbConn,
    among: &[OrganizationId],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    let in_force = same_district_waivers::table
        .filter(same_district_waivers::organization_id.eq_any(among))
        .filter(same_district_waivers::ends_at.gt(now.naive()));
    Ok(diesel::select(diesel::dsl::exists(in_force)).get_result(conn)?)
}

/// Stores a waiver over the one that was read at `waiver.revision`, 0 for none.
///
/// # Errors
/// [`StoreError::Stale`] when it has changed since.
pub fn save_waiver(
    conn: &mut DbConn,
    organization: OrganizationId,
    waiver: &Waiver,
    recorded_by: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = organization.to_string();
    let values = (
        same_district_waivers::reason.eq(&waiver.reason),
        same_district_waivers::recorded_by.eq(recorded_by.to_string()),
        same_district_waivers::ends_at.eq(waiver.ends_at.naive()),
        same_district_waivers::revision.eq(waiver.revision + 1),
        same_district_waivers::updated_at.eq(now.naive()),
    );
    let unchanged = same_district_waivers::table
        .find(&id)
        .filter(same_district_waivers::revision.eq(waiver.revision));
    if diesel::update(unchanged).set(values.clone()).execute(conn)? == 0 {
        if waiver.revision != 0 {
            return Err(StoreError::Stale);
        }
        diesel::insert_into(same_district_waivers::table)
            .values((same_district_waivers::organization_id.eq(&id), values))
            .execute(conn)
            .map_err(|error| {
                let error = StoreError::duplicate("waiver")(error);
                if matches!(error, StoreError::Duplicate(_)) { StoreError::Stale } else { error }
            })?;
    }
    diesel::delete(waiver_deciders::table.filter(waiver_deciders::organization_id.eq(&id)))
        .execute(conn)?;
    for decider in &waiver.deciders {
        diesel::insert_into(waiver_deciders::table)
            .values((
                waiver_deciders::organization_id.eq(&id),
                waiver_deciders::person_id.eq(decider.to_string()),
            ))
            .execute(conn)?;
    }
    Ok(())
}
