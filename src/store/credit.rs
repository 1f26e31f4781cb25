//! Credit: rules of authorities, and what they have granted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::awards::Award;
use super::connection::MultiBackend;
use super::schema::{
    awards, credit_allocations, credit_grants, credit_rule_amounts, credit_rule_categories,
    credit_rule_levels, credit_rules, micro_credentials, person_profiles, stacks,
};
use super::{DbConn, StoreError};
use crate::domain::award::AwardState;
use crate::domain::credit::{
    Allocation, Amount, Cap, CapPeriod, CreditKind, CreditRule, Creditable, Currency, LevelAmount,
};
use crate::domain::ids::{
    AwardId, CreditGrantId, CreditReversalId, CreditRuleId, OrganizationId, PersonId, StackId,
};
use crate::domain::timestamp::Timestamp;

/// A rule as stored. It does not change: another one takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRule {
    /// Its id.
    pub id: CreditRuleId,
    /// The authority.
    pub organization: OrganizationId,
    /// What it says.
    pub rule: CreditRule,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it ended, or another took its place.
    pub ended_at: Option<Timestamp>,
}

type RuleRow = (
    (String, String, String, String, String),
    (String, String, i64, Option<i64>, Option<String>, Option<i32>, bool),
    (String, Option<String>, NaiveDateTime, Option<NaiveDateTime>),
);

macro_rules! rule_columns {
    () => {
        (
            (
                credit_rules::id,
                credit_rules::organization_id,
                credit_rules::slug,
                credit_rules::title,
                credit_rules::source_url,
            ),
            (
                credit_rules::currency_code,
                credit_rules::currency_unit,
                credit_rules::minor_per_unit,
                credit_rules::cap_minor,
                credit_rules::cap_period,
                credit_rules::window_days,
                credit_rules::needs_approval,
            ),
            (
                credit_rules::valid_from,
                credit_rules::valid_to,
                credit_rules::created_at,
                credit_rules::ended_at,
            ),
        )
    };
}

fn from_row(conn: &mut DbConn, row: RuleRow) -> Result<StoredRule, StoreError> {
    let ((id, organization, slug, title, source_url), terms, times) = row;
    let (code, unit, minor_per_unit, cap_minor, cap_period, window_days, needs_approval) = terms;
    let (valid_from, valid_to, created_at, ended_at) = times;
    let corrupt = |column| StoreError::corrupt("credit_rules", &id, column);
    let amounts: Vec<(String, String, i64)> = credit_rule_amounts::table
        .filter(credit_rule_amounts::rule_id.eq(&id))
        .select((credit_rule_amounts::kind, credit_rule_amounts::slug, credit_rule_amounts::minor))
        .load(conn)?;
    let rows: Vec<(String, String, i32, i64)> = credit_rule_levels::table
        .filter(credit_rule_levels::rule_id.eq(&id))
        .order((credit_rule_levels::slug, credit_rule_levels::level))
        .select((
            credit_rule_levels::kind,
            credit_rule_levels::slug,
            credit_rule_levels::level,
            credit_rule_levels::minor,
        ))
        .load(conn)?;
    let mut tables: BTreeMap<(String, String), Vec<LevelAmount>> = BTreeMap::new();
    for (kind, slug, level, minor) in rows {
        let level = u8::try_from(level).map_err(|_bad| corrupt("level"))?;
        tables.entry((kind, slug)).or_default().push(LevelAmount { level, minor });
    }
    let mut named = BTreeMap::new();
    for (word, slug, minor) in amounts {
        let kind = CreditKind::parse(&word).ok_or_else(|| corrupt("kind"))?;
        let amount = match tables.remove(&(word, slug.clone())) {
            Some(rows) => Amount::ByLevel(rows),
            None => Amount::Fixed(minor),
        };
        named.insert(Creditable { kind, slug }, amount);
    }
    let categories: Vec<String> = credit_rule_categories::table
        .filter(credit_rule_categories::rule_id.eq(&id))
        .select(credit_rule_categories::category)
        .load(conn)?;
    let cap = match (cap_minor, cap_period) {
        (Some(minor), Some(period)) => {
            let period = CapPeriod::parse(&period).ok_or_else(|| corrupt("cap_period"))?;
            Some(Cap { minor, period })
        }
        (_, _) => None,
    };
    let day = |text: &str, column| text.parse::<NaiveDate>().map_err(|_bad| corrupt(column));
    let window_days =
        window_days.map(u32::try_from).transpose().map_err(|_bad| corrupt("window_days"))?;
    Ok(StoredRule {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        rule: CreditRule {
            slug,
            title,
            source_url,
            currency: Currency { code, unit, minor_per_unit },
            amounts: named,
            categories: categories.into_iter().collect(),
            cap,
            window_days,
            needs_approval,
            valid_from: day(&valid_from, "valid_from")?,
            valid_to: valid_to.map(|text| day(&text, "valid_to")).transpose()?,
        },
        created_at: Timestamp::from_naive(created_at),
        ended_at: ended_at.map(Timestamp::from_naive),
    })
}

/// Adds a rule.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody was faster to add one of the same id: the one in force is ended first.
pub fn create_rule(
    conn: &mut DbConn,
    new: &StoredRule,
    created_by: PersonId,
) -> Result<(), StoreError> {
    let rule = &new.rule;
    let window_days = rule.window_days.map(|days| i32::try_from(days).unwrap_or(i32::MAX));
    diesel::insert_into(credit_rules::table)
        .values((
            credit_rules::id.eq(new.id.to_string()),
            credit_rules::organization_id.eq(new.organization.to_string()),
            credit_rules::slug.eq(&rule.slug),
            credit_rules::title.eq(&rule.title),
            credit_rules::source_url.eq(&rule.source_url),
            credit_rules::currency_code.eq(&rule.currency.code),
            credit_rules::currency_unit.eq(&rule.currency.unit),
            credit_rules::minor_per_unit.eq(rule.currency.minor_per_unit),
            credit_rules::cap_minor.eq(rule.cap.map(|cap| cap.minor)),
            credit_rules::cap_period.eq(rule.cap.map(|cap| cap.period.as_str())),
            credit_rules::window_days.eq(window_days),
            credit_rules::needs_approval.eq(rule.needs_approval),
            credit_rules::valid_from.eq(rule.valid_from.to_string()),
            credit_rules::valid_to.eq(rule.valid_to.map(|day| day.to_string())),
            credit_rules::created_by.eq(created_by.to_string()),
            credit_rules::created_at.eq(new.created_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::conflict)?;
    for (at, amount) in &rule.amounts {
        diesel::insert_into(credit_rule_amounts::table)
            .values((
                credit_rule_amounts::rule_id.eq(new.id.to_string()),
                credit_rule_amounts::kind.eq(at.kind.as_str()),
                credit_rule_amounts::slug.eq(&at.slug),
                credit_rule_amounts::minor.eq(amount.most()),
            ))
            .execute(conn)?;
        let rows: &[LevelAmount] = match amount {
            Amount::Fixed(_) => &[],
            Amount::ByLevel(rows) => &rows[..],
        };
        for row in rows {
            diesel::insert_into(credit_rule_levels::table)
                .values((
                    credit_rule_levels::rule_id.eq(new.id.to_string()),
                    credit_rule_levels::kind.eq(at.kind.as_str()),
                    credit_rule_levels::slug.eq(&at.slug),
                    credit_rule_levels::level.eq(i32::from(row.level)),
                    credit_rule_levels::minor.eq(row.minor),
                ))
                .execute(conn)?;
        }
    }
    for category in &rule.categories {
        diesel::insert_into(credit_rule_categories::table)
            .values((
                credit_rule_categories::rule_id.eq(new.id.to_string()),
                credit_rule_categories::category.eq(category),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Ends the rule of this own id that is in force, if there is one.
///
/// # Errors
/// [`StoreError`].
pub fn end_rule(
    conn: &mut DbConn,
    organization: OrganizationId,
    slug: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let in_force = credit_rules::table
        .filter(credit_rules::organization_id.eq(organization.to_string()))
        .filter(credit_rules::slug.eq(slug))
        .filter(credit_rules::ended_at.is_null());
    Ok(diesel::update(in_force).set(credit_rules::ended_at.eq(Some(now.naive()))).execute(conn)?)
}

/// One rule. Who may see it is decided above, by its organization.
///
/// # Errors
/// [`StoreError`].
pub fn find_rule(conn: &mut DbConn, id: CreditRuleId) -> Result<Option<StoredRule>, StoreError> {
    let row: Option<RuleRow> =
        credit_rules::table.find(id.to_string()).select(rule_columns!()).first(conn).optional()?;
    row.map(|row| from_row(conn, row)).transpose()
}

/// A page of an authority's rules by id, ended ones included.
///
/// # Errors
/// [`StoreError`].
pub fn list_rules(
    conn: &mut DbConn,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StoredRule>, StoreError> {
    let rows: Vec<RuleRow> = credit_rules::table
        .filter(credit_rules::organization_id.eq(organization.to_string()))
        .filter(credit_rules::id.gt(after.unwrap_or("").to_owned()))
        .order(credit_rules::id)
        .limit(limit)
        .select(rule_columns!())
        .load(conn)?;
    rows.into_iter().map(|row| from_row(conn, row)).collect()
}

/// The rules in force of these authorities that name something.
///
/// # Errors
/// [`StoreError`].
pub fn list_naming(
    conn: &mut DbConn,
    authorities: &[OrganizationId],
    at: &Creditable,
) -> Result<Vec<StoredRule>, StoreError> {
    let among: Vec<String> = authorities.iter().map(ToString::to_string).collect();
    let naming = credit_rule_amounts::table
        .filter(credit_rule_amounts::kind.eq(at.kind.as_str()))
        .filter(credit_rule_amounts::slug.eq(at.slug.clone()))
        .select(credit_rule_amounts::rule_id);
    let rows: Vec<RuleRow> = credit_rules::table
        .filter(credit_rules::organization_id.eq_any(among))
        .filter(credit_rules::ended_at.is_null())
        .filter(credit_rules::id.eq_any(naming))
        .order(credit_rules::id)
        .select(rule_columns!())
        .load(conn)?;
    rows.into_iter().map(|row| from_row(conn, row)).collect()
}

/// How much somebody was given in a period by all rules of this own id and has kept, in minor units.
///
/// # Errors
/// [`StoreError`].
pub fn sum_granted(
    conn: &mut DbConn,
    organization: OrganizationId,
    slug: &str,
    person: PersonId,
    period: &str,
) -> Result<i64, StoreError> {
    let amounts: Vec<i64> = credit_grants::table
        .inner_join(credit_rules::table.on(credit_rules::id.eq(credit_grants::rule_id)))
        .filter(credit_grants::organization_id.eq(organization.to_string()))
        .filter(credit_rules::slug.eq(slug.to_owned()))
        .filter(credit_grants::person_id.eq(person.to_string()))
        .filter(credit_grants::period.eq(period.to_owned()))
        .filter(credit_grants::reversed_at.is_null())
        .select(credit_grants::minor)
        .load(conn)?;
    Ok(amounts.into_iter().fold(0, i64::saturating_add))
}

/// What an award is at, by its own id.
///
/// # Errors
/// [`StoreError`].
pub fn find_creditable(conn: &mut DbConn, award: &Award) -> Result<Option<Creditable>, StoreError> {
    let (kind, slug): (CreditKind, Option<String>) = match (award.micro_credential(), award.stack())
    {
        (Some(family), _) => (
            CreditKind::MicroCredential,
            micro_credentials::table
                .find(family.to_string())
                .select(micro_credentials::slug)
                .first(conn)
                .optional()?,
        ),
        (None, Some(stack)) => (CreditKind::Stack, find_stack_slug(conn, stack)?),
        (None, None) => return Ok(None),
    };
    Ok(slug.map(|slug| Creditable { kind, slug }))
}

fn find_stack_slug(conn: &mut DbConn, stack: StackId) -> Result<Option<String>, StoreError> {
    Ok(stacks::table.find(stack.to_string()).select(stacks::slug).first(conn).optional()?)
}

type GrantRow = (
    (String, String, String, String, String),
    (String, i64, Option<i32>, NaiveDateTime),
    (Option<String>, Option<String>, Option<NaiveDateTime>),
);

macro_rules! grant_columns {
    () => {
        (
            (
                credit_grants::id,
                credit_grants::organization_id,
                credit_grants::rule_id,
                credit_grants::award_id,
                credit_grants::person_id,
            ),
            (
                credit_grants::period,
                credit_grants::minor,
                credit_grants::level,
                credit_grants::granted_at,
            ),
            (
                credit_grants::reversal_id,
                credit_grants::reversal_reason,
                credit_grants::reversed_at,
            ),
        )
    };
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: CreditGrantId,
    /// The authority.
    pub organization: OrganizationId,
    /// By which rule.
    pub rule: CreditRuleId,
    /// For which award.
    pub award: AwardId,
    /// To whom.
    pub person: PersonId,
    /// In which period the award was earned.
    pub period: String,
    /// How much, in minor units.
    pub minor: i64,
    /// The level of the row that applied, where the rule gives by level.
    pub level: Option<u8>,
    /// Divided how.
    pub allocations: Vec<Allocation>,
    /// When.
    pub granted_at: Timestamp,
    /// That it was taken back.
    pub reversal: Option<Reversal>,
}

/// That credit was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// Its id.
    pub id: CreditReversalId,
    /// Why.
    pub reason: String,
    /// When.
    pub reversed_at: Timestamp,
}

/// Whether an authority has given credit for an award and has not taken it back.
///
/// # Errors
/// [`StoreError`].
pub fn has_grant(
    conn: &mut DbConn,
    organization: OrganizationId,
    award: AwardId,
) -> Result<bool, StoreError> {
    let given = credit_grants::table
        .filter(credit_grants::organization_id.eq(organization.to_string()))
        .filter(credit_grants::award_id.eq(award.to_string()))
        .filter(credit_grants::reversed_at.is_null());
    Ok(diesel::select(diesel::dsl::exists(given)).get_result(conn)?)
}

/// Gives credit.
///
/// # Errors
/// [`StoreError::Duplicate`] for an award that the authority has given credit for.
pub fn create_grant(
    conn: &mut DbConn,
    new: &Grant,
    granted_by: PersonId,
) -> Result<(), StoreError> {
    diesel::insert_into(credit_grants::table)
        .values((
            credit_grants::id.eq(new.id.to_string()),
            credit_grants::organization_id.eq(new.organization.to_string()),
            credit_grants::rule_id.eq(new.rule.to_string()),
            credit_grants::award_id.eq(new.award.to_string()),
            credit_grants::person_id.eq(new.person.to_string()),
            credit_grants::period.eq(&new.period),
            credit_grants::minor.eq(new.minor),
            credit_grants::level.eq(new.level.map(i32::from)),
            credit_grants::granted_by.eq(granted_by.to_string()),
            credit_grants::granted_at.eq(new.granted_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("credit for an award once for each authority"))?;
    for one in &new.allocations {
        diesel::insert_into(credit_allocations::table)
            .values((
                credit_allocations::grant_id.eq(new.id.to_string()),
                credit_allocations::category.eq(&one.category),
                credit_allocations::minor.eq(one.minor),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// One grant. Who may see it is decided above, by its organization.
///
/// # Errors
/// [`StoreError`].
pub fn find_grant(conn: &mut DbConn, id: CreditGrantId) -> Result<Option<Grant>, StoreError> {
    let row: Option<GrantRow> = credit_grants::table
        .find(id.to_string())
        .select(grant_columns!())
        .first(conn)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let mut grant = grant_from_row(row)?;
    grant.allocations =
        list_allocations(conn, &[id.to_string()])?.remove(&id.to_string()).unwrap_or_default();
    Ok(Some(grant))
}

/// Takes credit back, once.
///
/// # Errors
/// [`StoreError::Stale`] when it was taken back meanwhile.
pub fn reverse_grant(
    conn: &mut DbConn,
    grant: &Grant,
    reversal: &Reversal,
    reversed_by: PersonId,
) -> Result<(), StoreError> {
    let given = credit_grants::table
        .find(grant.id.to_string())
        .filter(credit_grants::organization_id.eq(grant.organization.to_string()))
        .filter(credit_grants::reversed_at.is_null());
    let n_rows = diesel::update(given)
        .set((
            credit_grants::reversal_id.eq(Some(reversal.id.to_string())),
            credit_grants::reversal_reason.eq(Some(&reversal.reason)),
            credit_grants::reversed_by.eq(Some(reversed_by.to_string())),
            credit_grants::reversed_at.eq(Some(reversal.reversed_at.naive())),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// A grant without its allocations.
fn grant_from_row(row: GrantRow) -> Result<Grant, StoreError> {
    let ((id, organization, rule, award, person), (period, minor, level, granted_at), taken) = row;
    let corrupt = |column| StoreError::corrupt("credit_grants", &id, column);
    let reversal = match taken {
        (Some(reversal), Some(reason), Some(at)) => Some(Reversal {
            id: reversal.parse().map_err(|_bad| corrupt("reversal_id"))?,
            reason,
            reversed_at: Timestamp::from_naive(at),
        }),
        (_, _, _) => None,
    };
    Ok(Grant {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        rule: rule.parse().map_err(|_bad| corrupt("rule_id"))?,
        award: award.parse().map_err(|_bad| corrupt("award_id"))?,
        person: person.parse().map_err(|_bad| corrupt("person_id"))?,
        period,
        minor,
        level: level.map(u8::try_from).transpose().map_err(|_bad| corrupt("level"))?,
        allocations: Vec::new(),
        granted_at: Timestamp::from_naive(granted_at),
        reversal,
    })
}

fn list_allocations(
    conn: &mut DbConn,
    grants: &[String],
) -> Result<BTreeMap<String, Vec<Allocation>>, StoreError> {
    let parts: Vec<(String, String, i64)> = credit_allocations::table
        .filter(credit_allocations::grant_id.eq_any(grants))
        .order((credit_allocations::grant_id, credit_allocations::category))
        .load(conn)?;
    let mut allocations: BTreeMap<String, Vec<Allocation>> = BTreeMap::new();
    for (grant, category, minor) in parts {
        allocations.entry(grant).or_default().push(Allocation { category, minor });
    }
    Ok(allocations)
}

/// What a line of the ledger enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// That credit was given.
    Grant(CreditGrantId),
    /// That it was taken back.
    Reversal(CreditReversalId),
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Entry::Grant(id) => id.fmt(f),
            Entry::Reversal(id) => id.fmt(f),
        }
    }
}

/// A line of the ledger: an entry with what is beside it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// What it enters.
    pub entry: Entry,
    /// The grant that it is about.
    pub grant: Grant,
    /// The rule that it was given by.
    pub rule: StoredRule,
    /// The name of the person; none once it was erased.
    pub name: Option<String>,
    /// Where the award stands now, and when it was earned and ends.
    pub award: (AwardState, Timestamp, Option<Timestamp>),
}

/// Whose lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerOf {
    /// What an authority has given.
    Authority(OrganizationId),
    /// What somebody was given.
    Person(PersonId),
}

type AwardRow = (String, NaiveDateTime, Option<NaiveDateTime>);
type LineRow = (GrantRow, AwardRow);

/// The grants whose entries come after an id: their own, or those of their reversals.
fn load_lines(
    conn: &mut DbConn,
    of: LedgerOf,
    after: &str,
    limit: i64,
    is_reversal: bool,
) -> Result<Vec<LineRow>, StoreError> {
    let mut query = credit_grants::table
        .inner_join(awards::table.on(awards::id.eq(credit_grants::award_id)))
        .select((grant_columns!(), (awards::state, awards::created_at, awards::valid_until)))
        .into_boxed::<MultiBackend>();
    query = match of {
        LedgerOf::Authority(organization) => {
            query.filter(credit_grants::organization_id.eq(organization.to_string()))
        }
        LedgerOf::Person(person) => query.filter(credit_grants::person_id.eq(person.to_string())),
    };
    let after = after.to_owned();
    query = if is_reversal {
        query.filter(credit_grants::reversal_id.gt(after)).order(credit_grants::reversal_id)
    } else {
        query.filter(credit_grants::id.gt(after)).order(credit_grants::id)
    };
    Ok(query.limit(limit).load(conn)?)
}

/// A page of a ledger by the ids of its entries: grants, and what was taken back.
///
/// # Errors
/// [`StoreError`].
pub fn list_ledger(
    conn: &mut DbConn,
    of: LedgerOf,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<LedgerLine>, StoreError> {
    let after = after.unwrap_or("");
    let mut rows: Vec<(Entry, Grant, AwardRow)> = Vec::new();
    for is_reversal in [false, true] {
        for (row, award) in load_lines(conn, of, after, limit, is_reversal)? {
            let grant = grant_from_row(row)?;
            let reversal = grant.reversal.as_ref().filter(|_| is_reversal);
            let entry =
                reversal.map_or(Entry::Grant(grant.id), |reversal| Entry::Reversal(reversal.id));
            rows.push((entry, grant, award));
        }
    }
    rows.sort_by_key(|(entry, _, _)| entry.to_string());
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let ids: Vec<String> = rows.iter().map(|(_, grant, _)| grant.id.to_string()).collect();
    let people: BTreeSet<String> =
        rows.iter().map(|(_, grant, _)| grant.person.to_string()).collect();
    let allocations = list_allocations(conn, &ids)?;
    let names: BTreeMap<String, String> = person_profiles::table
        .filter(person_profiles::person_id.eq_any(people))
        .select((person_profiles::person_id, person_profiles::name))
        .load::<(String, String)>(conn)?
        .into_iter()
        .collect();
    let mut lines = Vec::new();
    for (entry, mut grant, (state, earned_at, until)) in rows {
        let id = grant.id.to_string();
        let corrupt = |column| StoreError::corrupt("credit_grants", &id, column);
        grant.allocations = allocations.get(&id).cloned().unwrap_or_default();
        lines.push(LedgerLine {
            entry,
            name: names.get(&grant.person.to_string()).cloned(),
            award: (
                AwardState::parse(&state).ok_or_else(|| corrupt("award_id"))?,
                Timestamp::from_naive(earned_at),
                until.map(Timestamp::from_naive),
            ),
            rule: find_rule(conn, grant.rule)?.ok_or_else(|| corrupt("rule_id"))?,
            grant,
        });
    }
    Ok(lines)
}
