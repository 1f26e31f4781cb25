//! What speaks against an assignment: declared ties, waivers, load caps, modules, and what the rows of work say.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::error::parse_ids;
use super::schema::{
    assessor_load_caps, assessor_modules, case_votes, cases, co_earners, coaches_told,
    conflict_declarations, evidence, memberships, organization_ancestors, organizations, reviews,
    same_district_waivers, screenings, submissions, waiver_deciders,
};
use super::{DbConn, StoreError};
use crate::domain::eligibility::{Module, Relation, Tie};
use crate::domain::ids::{ConflictId, MicroCredentialId, OrganizationId, PersonId, SubmissionId};
use crate::domain::organization::OrganizationKind;
use crate::domain::review::ReviewState;
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

/// What belongs to each of some rows.
type Grouped<Of, T> = BTreeMap<Of, BTreeSet<T>>;

fn grouped<Of: std::str::FromStr + Ord, T: std::str::FromStr + Ord>(
    table: &'static str,
    column: &'static str,
    words: Vec<(String, String)>,
) -> Result<Grouped<Of, T>, StoreError> {
    let mut found: Grouped<Of, T> = BTreeMap::new();
    for (of, word) in words {
        let corrupt = |_bad| StoreError::corrupt(table, &of, column);
        let key: Of = of.parse().map_err(|_bad| StoreError::corrupt(table, &of, "id"))?;
        found.entry(key).or_default().insert(word.parse().map_err(|_bad| corrupt(()))?);
    }
    Ok(found)
}

fn words<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// The organizations of a kind that people belong to, directly or through one below it. With `since`, those as well that they have
/// left since then.
///
/// # Errors
/// [`StoreError`].
pub fn list_homes(
    conn: &mut DbConn,
    people: &[PersonId],
    kind: OrganizationKind,
    since: Option<Timestamp>,
) -> Result<Grouped<PersonId, OrganizationId>, StoreError> {
    let belonging = memberships::table
        .inner_join(
            organization_ancestors::table
                .on(organization_ancestors::organization_id.eq(memberships::organization_id)),
        )
        .inner_join(
            organizations::table.on(organizations::id.eq(organization_ancestors::ancestor_id)),
        )
        .filter(memberships::person_id.eq_any(words(people)))
        .filter(organizations::kind.eq(kind.as_str()))
        .select((memberships::person_id, organizations::id));
    let found: Vec<(String, String)> = match since {
        Some(since) => belonging
            .filter(memberships::removed_at.is_null().or(memberships::removed_at.gt(since.naive())))
            .load(conn)?,
        None => belonging.filter(memberships::removed_at.is_null()).load(conn)?,
    };
    grouped("memberships", "organization_id", found)
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
    parse_ids("submissions", "micro_credential_id", words)
}

/// Who has locked a sheet of an earlier attempt of the same earner at the same micro-credential, for each submission.
///
/// # Errors
/// [`StoreError`].
pub fn list_earlier_readers(
    conn: &mut DbConn,
    submissions: &[SubmissionId],
) -> Result<Grouped<SubmissionId, PersonId>, StoreError> {
    let earlier = diesel::alias!(submissions as earlier);
    let found: Vec<(String, Option<String>)> = submissions::table
        .inner_join(
            earlier.on(earlier
                .field(submissions::earner_id)
                .eq(submissions::earner_id)
                .and(
                    earlier
                        .field(submissions::micro_credential_id)
                        .eq(submissions::micro_credential_id),
                )
                .and(earlier.field(submissions::id).ne(submissions::id))),
        )
        .inner_join(reviews::table.on(reviews::submission_id.eq(earlier.field(submissions::id))))
        .filter(submissions::id.eq_any(words(submissions)))
        .filter(reviews::state.eq(ReviewState::Locked.as_str()))
        .select((submissions::id, reviews::assessor_id))
        .load(conn)?;
    let found = found.into_iter().filter_map(|(id, reader)| Some((id, reader?))).collect();
    grouped("reviews", "assessor_id", found)
}

/// The coaches who were told whose work each of these submissions is.
///
/// Whoever was told of one attempt knows the earner's others at the same micro-credential as well, appeals of earlier ones included:
/// they are read afterwards.
///
/// # Errors
/// [`StoreError`].
pub fn list_coaches(
    conn: &mut DbConn,
    submissions: &[SubmissionId],
) -> Result<Grouped<SubmissionId, PersonId>, StoreError> {
    let coached = diesel::alias!(submissions as coached);
    let found: Vec<(String, String)> = submissions::table
        .inner_join(
            coached.on(coached.field(submissions::earner_id).eq(submissions::earner_id).and(
                coached
                    .field(submissions::micro_credential_id)
                    .eq(submissions::micro_credential_id),
            )),
        )
        .inner_join(
            coaches_told::table.on(coaches_told::submission_id.eq(coached.field(submissions::id))),
        )
        .filter(submissions::id.eq_any(words(submissions)))
        .select((submissions::id, coaches_told::person_id))
        .load(conn)?;
    grouped("coaches_told", "person_id", found)
}

/// Who has screened each of these submissions.
///
/// # Errors
/// [`StoreError`].
pub fn list_screeners(
    conn: &mut DbConn,
    submissions: &[SubmissionId],
) -> Result<Grouped<SubmissionId, PersonId>, StoreError> {
    let found = screenings::table
        .filter(screenings::submission_id.eq_any(words(submissions)))
        .select((screenings::submission_id, screenings::screener_id))
        .load(conn)?;
    grouped("screenings", "screener_id", found)
}

/// Who sat on, or asked for, one of the panels of each of these submissions.
///
/// # Errors
/// [`StoreError`].
pub fn list_panels(
    conn: &mut DbConn,
    submissions: &[SubmissionId],
) -> Result<Grouped<SubmissionId, PersonId>, StoreError> {
    let openers: Vec<(String, Option<String>)> = cases::table
        .filter(cases::submission_id.eq_any(words(submissions)))
        .select((cases::submission_id, cases::opened_by))
        .load(conn)?;
    let mut found: Vec<(String, String)> = case_votes::table
        .inner_join(cases::table.on(cases::id.eq(case_votes::case_id)))
        .filter(cases::submission_id.eq_any(words(submissions)))
        .select((cases::submission_id, case_votes::person_id))
        .load(conn)?;
    found.extend(openers.into_iter().filter_map(|(id, opener)| Some((id, opener?))));
    grouped("cases", "opened_by", found)
}

/// Somebody who was named at a micro-credential, as seen from one of the earner's attempts at it.
struct Naming {
    submission: String,
    /// None where nobody was found.
    person: Option<String>,
    is_confirmed: Option<bool>,
    asked_at: NaiveDateTime,
    /// When that attempt was handed in.
    submitted_at: Option<NaiveDateTime>,
}

/// Who was named in whichever attempt at the same micro-credential, for each of these.
fn list_namings(
    conn: &mut DbConn,
    submissions: &[SubmissionId],
) -> Result<Vec<Naming>, StoreError> {
    type Row = (String, Option<String>, Option<bool>, NaiveDateTime, Option<NaiveDateTime>);
    let shared = diesel::alias!(submissions as shared);
    let rows: Vec<Row> = submissions::table
        .inner_join(shared.on(shared.field(submissions::earner_id).eq(submissions::earner_id).and(
            shared.field(submissions::micro_credential_id).eq(submissions::micro_credential_id),
        )))
        .inner_join(
            co_earners::table.on(co_earners::submission_id.eq(shared.field(submissions::id))),
        )
        .filter(submissions::id.eq_any(words(submissions)))
        .select((
            submissions::id,
            co_earners::person_id,
            co_earners::is_confirmed,
            co_earners::asked_at,
            submissions::submitted_at,
        ))
        .load(conn)?;
    let naming = |(submission, person, is_confirmed, asked_at, submitted_at)| Naming {
        submission,
        person,
        is_confirmed,
        asked_at,
        submitted_at,
    };
    Ok(rows.into_iter().map(naming).collect())
}

/// Who was named as having made something in each of these submissions, whatever they say to it and also when it was taken back: they
/// were told whose work it is, and so know the earner's other attempts at the same micro-credential as well.
///
/// # Errors
/// [`StoreError`].
pub fn list_co_earners(
    conn: &mut DbConn,
    submissions: &[SubmissionId],
) -> Result<Grouped<SubmissionId, PersonId>, StoreError> {
    let named = list_namings(conn, submissions)?;
    let found = named.into_iter().filter_map(|one| Some((one.submission, one.person?))).collect();
    grouped("co_earners", "person_id", found)
}

/// Which co-earners have a part in a submission that is judged: those who say so themselves, and those who were named before it was handed
/// in. Whoever is named afterwards, and says nothing, is not taken from a panel by it (decision 48).
///
/// # Errors
/// [`StoreError`].
pub fn list_partners(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let has_part = |one: &Naming| {
        one.is_confirmed == Some(true) || one.submitted_at.is_none_or(|at| one.asked_at < at)
    };
    let named = list_namings(conn, &[submission])?.into_iter().filter(has_part);
    parse_ids("co_earners", "person_id", named.filter_map(|one| one.person).collect())
}

/// Who has a part in each of these submissions: whoever was named, and whoever has handed in one of the same files in a submission of
/// their own.
///
/// # Errors
/// [`StoreError`].
pub fn list_coauthors(
    conn: &mut DbConn,
    submissions: &[SubmissionId],
) -> Result<Grouped<SubmissionId, PersonId>, StoreError> {
    let mut found = list_co_earners(conn, submissions)?;
    for (id, people) in list_holders(conn, submissions)? {
        found.entry(id).or_default().extend(people);
    }
    Ok(found)
}

/// Who has handed in one of the same files in a submission of their own, for each submission.
fn list_holders(
    conn: &mut DbConn,
    submissions: &[SubmissionId],
) -> Result<Grouped<SubmissionId, PersonId>, StoreError> {
    let files: Vec<(String, String)> = evidence::table
        .filter(evidence::submission_id.eq_any(words(submissions)))
        .filter(evidence::kind.eq("file"))
        .select((evidence::submission_id, evidence::sha256))
        .load(conn)?;
    if files.is_empty() {
        return Ok(BTreeMap::new());
    }
    let hashes: BTreeSet<&str> = files.iter().map(|(_, hash)| hash.as_str()).collect();
    let holders: Vec<(String, String)> = evidence::table
        .inner_join(submissions::table.on(submissions::id.eq(evidence::submission_id)))
        .filter(evidence::sha256.eq_any(hashes))
        .filter(evidence::kind.eq("file"))
        .select((evidence::sha256, submissions::earner_id))
        .distinct()
        .load(conn)?;
    let mut of_hash: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (hash, earner) in &holders {
        of_hash.entry(hash).or_default().push(earner);
    }
    let found = files.iter().flat_map(|(id, hash)| {
        let earners = of_hash.get(hash.as_str()).into_iter().flatten();
        earners.map(|earner| (id.clone(), (*earner).to_owned()))
    });
    grouped("submissions", "earner_id", found.collect())
}

/// With whom any of these assessors has locked a sheet of the same submission.
///
/// # Errors
/// [`StoreError`].
pub fn list_linked(
    conn: &mut DbConn,
    people: &BTreeSet<PersonId>,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let ids = || people.iter().map(|person| Some(person.to_string()));
    let other = diesel::alias!(reviews as other);
    let locked = ReviewState::Locked.as_str();
    let words: Vec<Option<String>> = reviews::table
        .inner_join(other.on(other.field(reviews::submission_id).eq(reviews::submission_id)))
        .filter(reviews::assessor_id.eq_any(ids()))
        .filter(reviews::state.eq(locked))
        .filter(other.field(reviews::state).eq(locked))
        .filter(other.field(reviews::assessor_id).ne_all(ids()))
        .select(other.field(reviews::assessor_id))
        .distinct()
        .load(conn)?;
    parse_ids("reviews", "assessor_id", words.into_iter().flatten().collect())
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
    let deciders: BTreeSet<PersonId> = parse_ids("waiver_deciders", "person_id", words)?;
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
            .map_err(StoreError::outrun)?;
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
