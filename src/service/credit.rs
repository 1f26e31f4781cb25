//! What awards count for: rules of authorities, what somebody can expect before they start, and what was granted.

pub mod ledger;
mod reversals;

use std::collections::BTreeSet;

use super::audit::Change;
use super::award_basis::{self, Basis};
use super::context::{Cx, above, branch_up, new_uuid};
use super::error::{Error, Fault};
use super::{awards, micro_credentials, organizations, stacks};
use crate::domain::award::AwardState;
use crate::domain::credit::{
    Allocation, Amount, CreditKind, CreditRule, Creditable, Doubt, GrantFault, Outlook,
};
use crate::domain::ids::{
    AwardId, CreditGrantId, CreditRuleId, MicroCredentialId, OrganizationId, StackId,
};
use crate::domain::organization::MembershipState;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::timestamp::Timestamp;
use crate::store::{self, DbConn, StoreError};

pub(super) use self::reversals::render;
pub use self::reversals::reverse;
pub use crate::store::credit::{Entry, Grant, LedgerLine, LedgerOf, Reversal, StoredRule};

/// The most characters of a title or an address.
const LONGEST: usize = 500;
/// The most items, categories and allocations of a rule or a grant.
const MOST: usize = 100;
/// The most minor units of anything: sums of them stay far from the end of the numbers.
const MOST_MINOR: i64 = 1_000_000_000_000;

fn load_rule(conn: &mut DbConn, id: CreditRuleId) -> Result<(StoredRule, Subject), Error> {
    let missing = || Error::Denied(Denied::Hidden("credit rule"));
    let rule = store::credit::find_rule(conn, id)?.ok_or_else(missing)?;
    let subject = Subject {
        kind: "credit rule",
        organization: rule.organization,
        above: above(conn, rule.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Branch,
    };
    Ok((rule, subject))
}

fn faults_of(rule: &CreditRule) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut check = |is_right: bool, pointer: &str, code: &str, detail: &str| {
        if !is_right {
            faults.push(Fault::new(format!("/rule{pointer}"), code, detail));
        }
    };
    let is_word = |word: &str| {
        (1..=64).contains(&word.len())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_line = |text: &str| {
        !text.trim().is_empty()
            && text.chars().count() <= LONGEST
            && !text.chars().any(char::is_control)
    };
    let is_amount = |minor: i64| (1..=MOST_MINOR).contains(&minor);
    let word = "1 to 64 lower-case letters, digits and hyphens";
    check(is_word(&rule.slug), "/id", "word", word);
    check(is_line(&rule.title), "/title", "words", "say in a line what the rule is called");
    let is_address = url::Url::parse(&rule.source_url)
        .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.host_str().is_some());
    check(
        is_address && is_line(&rule.source_url),
        "/source_url",
        "url",
        "the address at which the authority has published the rule, like https://…",
    );
    check(is_word(&rule.currency.code), "/currency/code", "word", word);
    check(is_line(&rule.currency.unit), "/currency/unit", "words", "the unit in words, like hours");
    check(
        is_amount(rule.currency.minor_per_unit),
        "/currency/minor_per_unit",
        "amount",
        "how many minor units one of them is, like 60 for hours in minutes",
    );
    let count = |n: usize| (1..=MOST).contains(&n);
    check(
        count(rule.amounts.len()),
        "/amounts",
        "amounts",
        "name 1 to 100 things with what each counts",
    );
    check(
        rule.amounts.iter().all(|(at, amount)| {
            is_line(&at.slug) && is_amount(amount.least()) && is_amount(amount.most())
        }),
        "/amounts",
        "amount",
        "each has the id of a micro-credential or stack and a whole number of minor units, at least 1",
    );
    let is_table = |amount: &Amount| matches!(amount, Amount::ByLevel(_));
    check(
        rule.amounts.values().all(Amount::is_whole),
        "/amounts",
        "levels",
        "a table by level has two rows or more, each for the level after the one before, and none gives less than the one before",
    );
    check(
        rule.amounts
            .iter()
            .all(|(at, amount)| at.kind == CreditKind::MicroCredential || !is_table(amount)),
        "/amounts",
        "levels-of-a-stack",
        "a stack has no levels; give one amount for it",
    );
    check(
        count(rule.categories.len()) && rule.categories.iter().all(|name| is_line(name)),
        "/categories",
        "categories",
        "name 1 to 100 categories, a line each; one is enough",
    );
    check(
        rule.cap.is_none_or(|cap| is_amount(cap.minor)),
        "/cap/minor",
        "amount",
        "a cap is a whole number of minor units, at least 1",
    );
    check(
        rule.window_days.is_none_or(|days| days <= 36_500),
        "/window_days",
        "days",
        "at most 36,500 days",
    );
    check(
        rule.valid_to.is_none_or(|last| last >= rule.valid_from),
        "/valid_to",
        "days",
        "the last day is not before the first one",
    );
    faults
}

/// `POST /organizations/{id}/credit-rules`: a rule of the authority, in the place of the one of the same id that is in force.
///
/// # Errors
/// [`Error::Denied`] without the role, [`Error::Invalid`] with everything that is wrong with it.
pub fn create_rule(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    rule: &CreditRule,
) -> Result<StoredRule, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_credit_rule", &subject)?;
    let faults = faults_of(rule);
    if !faults.is_empty() {
        let summary = "the rule is not complete".to_owned();
        return Err(Error::Invalid { code: "credit-rule", summary, faults });
    }
    let created_by = cx.signed_in()?.person;
    let now = cx.now;
    let id = CreditRuleId::from_uuid(new_uuid());
    cx.write(|conn| {
        let n_ended = store::credit::end_rule(conn, organization, &rule.slug, now)?;
        let stored =
            StoredRule { id, organization, rule: rule.clone(), created_at: now, ended_at: None };
        store::credit::create_rule(conn, &stored, created_by)?;
        let change = Change::new("create_credit_rule", Some(organization), "credit_rule", id)
            .with("slug", &rule.slug)
            .with("replaces", n_ended);
        Ok((stored, change))
    })
}

/// `POST /credit-rules/{id}/end`: nothing is given by it any more. What was given stays.
///
/// # Errors
/// [`Error::WrongState`] for one that has ended.
pub fn end_rule(cx: &mut Cx<'_>, id: CreditRuleId) -> Result<StoredRule, Error> {
    let (_, subject) = load_rule(cx.conn, id)?;
    policy::require(&cx.actor, "end_credit_rule", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let (rule, _) = load_rule(conn, id)?;
        require_in_force(&rule)?;
        store::credit::end_rule(conn, rule.organization, &rule.rule.slug, now)?;
        let change = Change::new("end_credit_rule", Some(rule.organization), "credit_rule", id);
        Ok((StoredRule { ended_at: Some(now), ..rule }, change))
    })
}

fn require_in_force(rule: &StoredRule) -> Result<(), Error> {
    if rule.ended_at.is_none() {
        return Ok(());
    }
    let detail = "this rule has ended; look for the one that has taken its place".to_owned();
    Err(Error::WrongState { detail, allowed_events: Vec::new() })
}

/// `GET /organizations/{id}/credit-rules`.
///
/// # Errors
/// [`Error::Denied`] for somebody else's organization.
pub fn list_rules(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StoredRule>, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "list_credit_rules", &subject)?;
    Ok(store::credit::list_rules(cx.conn, organization, after, limit)?)
}

/// What somebody asks about before they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedAbout {
    /// A micro-credential.
    MicroCredential(MicroCredentialId),
    /// A stack.
    Stack(StackId),
}

/// What an authority's rule says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The rule.
    pub rule: StoredRule,
    /// The name of the authority.
    pub authority: String,
    /// Whether it will count, or may.
    pub outlook: Outlook,
    /// Why it may and not will.
    pub doubts: BTreeSet<Doubt>,
    /// How much.
    pub amount: Amount,
}

/// What is known before somebody starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectations {
    /// The best that a rule says: not known where none names it.
    pub outlook: Outlook,
    /// Rule by rule.
    pub rules: Vec<Expectation>,
}

/// `GET /credit-outlook`: what will count, what may, and what is not known. Nothing is guessed: only the rules in force of the caller's own
/// authorities are asked.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not see.
pub fn outlook(cx: &mut Cx<'_>, about: AskedAbout) -> Result<Expectations, Error> {
    let person = cx.signed_in()?.person;
    let (at, owner) = match about {
        AskedAbout::MicroCredential(id) => {
            micro_credentials::find(cx, id)?;
            let family = store::micro_credentials::find(cx.conn, id)?
                .ok_or(Error::NotFound("micro-credential"))?;
            let kind = CreditKind::MicroCredential;
            (Creditable { kind, slug: family.slug }, family.organization)
        }
        AskedAbout::Stack(id) => {
            let stack = stacks::find(cx, id)?;
            let kind = CreditKind::Stack;
            (Creditable { kind, slug: stack.slug }, stack.organization)
        }
    };
    // The authorities over the caller that belong to the same house as what is earned: ids of their own are not unique beyond it.
    let house: BTreeSet<OrganizationId> = related(cx.conn, owner)?;
    let own: BTreeSet<OrganizationId> = cx
        .actor
        .confirmed()
        .flat_map(|facet| facet.above.iter().copied().chain([facet.organization]))
        .collect();
    let authorities: Vec<OrganizationId> = own.intersection(&house).copied().collect();
    let today = cx.now.as_utc().date_naive();
    let mut rules = Vec::new();
    for rule in store::credit::list_naming(cx.conn, &authorities, &at)? {
        let period = rule.rule.period_of(today);
        let slug = &rule.rule.slug;
        let used = store::credit::sum_granted(cx.conn, rule.organization, slug, person, &period)?;
        let Some((outlook, doubts)) = rule.rule.outlook(&at, today, used) else { continue };
        let Some(amount) = rule.rule.amounts.get(&at).cloned() else { continue };
        let authority = store::organizations::find(cx.conn, rule.organization)?;
        rules.push(Expectation {
            authority: authority.map(|found| found.name).unwrap_or_default(),
            outlook,
            doubts,
            amount,
            rule,
        });
    }
    let outlook = rules.iter().map(|one| one.outlook).min().unwrap_or(Outlook::NotKnown);
    Ok(Expectations { outlook, rules })
}

/// An organization with all above and below it.
fn related(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<BTreeSet<OrganizationId>, Error> {
    let mut found: BTreeSet<OrganizationId> =
        store::organizations::list_branch(conn, organization)?.into_iter().collect();
    found.extend(branch_up(conn, organization)?);
    Ok(found)
}

/// `POST /credit-rules/{id}/grants`: gives credit for an award by a rule, divided among categories. Once at a time for each authority and
/// award, whatever happens at the same time.
///
/// # Errors
/// [`Error::AlreadyThere`] for an award that was used, [`Error::WrongState`] for a rule that has ended or an award that is not in force,
/// [`Error::Invalid`] with everything that the rule refuses, [`Error::NotFound`] for an award of nobody here.
pub fn grant(
    cx: &mut Cx<'_>,
    id: CreditRuleId,
    award: AwardId,
    allocations: &[Allocation],
) -> Result<Grant, Error> {
    let (_, subject) = load_rule(cx.conn, id)?;
    policy::require(&cx.actor, "create_credit_grant", &subject)?;
    if allocations.len() > MOST {
        return Err(Error::invalid("/allocations", "too-many", "at most 100 categories"));
    }
    let granted_by = cx.signed_in()?.person;
    let now = cx.now;
    let today = now.as_utc().date_naive();
    let grant = CreditGrantId::from_uuid(new_uuid());
    cx.write(|conn| {
        let (rule, _) = load_rule(conn, id)?;
        require_in_force(&rule)?;
        let authority = rule.organization;
        let award = find_award(conn, authority, award)?.as_of(now);
        if award.earner == granted_by {
            // Nobody gives credit to themselves.
            return Err(Denied::Forbidden.into());
        }
        if award.state != AwardState::Active {
            let detail = format!("the award is {}; credit is given for one in force", award.state);
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        }
        // Said before the caps, which that credit has used.
        if store::credit::has_grant(conn, authority, award.id)? {
            return Err(given_already());
        }
        let at = store::credit::find_creditable(conn, &award)?.ok_or(Error::NotFound("award"))?;
        let earned_on = award.created_at.as_utc().date_naive();
        let period = rule.rule.period_of(earned_on);
        let slug = &rule.rule.slug;
        let used = store::credit::sum_granted(conn, authority, slug, award.earner, &period)?;
        let amount = rule.rule.amounts.get(&at);
        let lowest = match amount {
            Some(Amount::ByLevel(_)) => lowest_shown(conn, &award)?,
            Some(Amount::Fixed(_)) | None => None,
        };
        let faults = rule.rule.faults(&at, lowest, allocations, earned_on, today, used);
        if !faults.is_empty() {
            return Err(Error::Invalid {
                code: "credit-refused",
                summary: "the rule does not give this".to_owned(),
                faults: faults.iter().map(in_words).collect(),
            });
        }
        let new = Grant {
            id: grant,
            organization: authority,
            rule: id,
            award: award.id,
            person: award.earner,
            period,
            minor: allocations.iter().map(|one| one.minor).sum(),
            level: amount.and_then(|amount| amount.of(lowest).1),
            allocations: allocations.to_vec(),
            granted_at: now,
            reversal: None,
        };
        match store::credit::create_grant(conn, &new, granted_by) {
            Err(StoreError::Duplicate(_)) => return Err(given_already()),
            other => other?,
        }
        let change = Change::new("create_credit_grant", Some(authority), "credit_grant", grant)
            .with("award", award.id)
            .with("rule", id)
            .with("minor", new.minor);
        Ok((new, change))
    })
}

/// The lowest level on any criterion of the rubric, where the earner has chosen that the badge shows levels: what is not shown there is
/// not told an authority by an amount either (docs/decisions/0074). What could not be scored is the lowest of all.
fn lowest_shown(conn: &mut DbConn, award: &awards::Award) -> Result<Option<u8>, Error> {
    match award_basis::load(conn, award)? {
        Basis::Submission(work) if work.include_results => {
            let criteria = work.definition.rubric().criteria().iter();
            let level_of = |id: &str| work.decision.levels.get(id).and_then(|one| one.level);
            Ok(criteria.map(|criterion| level_of(criterion.id().as_str()).unwrap_or(0)).min())
        }
        Basis::Submission(_) | Basis::Stack(_) => Ok(None),
    }
}

fn given_already() -> Error {
    let detail = "credit was given for this award already; look at the ledger".to_owned();
    Error::AlreadyThere { code: "credit-given", detail }
}

/// An award of somebody in the authority's branch, at something of that branch.
fn find_award(
    conn: &mut DbConn,
    authority: OrganizationId,
    id: AwardId,
) -> Result<awards::Award, Error> {
    let award = store::awards::find(conn, id)?.ok_or(Error::NotFound("award"))?;
    let is_related = related(conn, authority)?.contains(&award.organization);
    let facets = store::memberships::list_facets(conn, award.earner)?;
    let is_member = facets.iter().any(|facet| {
        facet.state == MembershipState::Confirmed
            && (facet.organization == authority || facet.above.contains(&authority))
    });
    if is_related && is_member { Ok(award) } else { Err(Error::NotFound("award")) }
}

fn in_words(fault: &GrantFault) -> Fault {
    let at = |place: &usize, member: &str| format!("/allocations/{place}/{member}");
    match fault {
        GrantFault::NotNamed => {
            Fault::new("/award_id", "not-named", "the rule does not name what this award is at")
        }
        GrantFault::NotValidThen => Fault::new(
            "/award_id",
            "not-valid-then",
            "the rule did not hold on the day on which the award was earned",
        ),
        GrantFault::WindowOver => Fault::new(
            "/award_id",
            "window-over",
            "the award was earned longer ago than the rule allows",
        ),
        GrantFault::NothingAllocated => Fault::new(
            "/allocations",
            "nothing-allocated",
            "say for which category how much is given",
        ),
        GrantFault::UnknownCategory(place) => Fault::new(
            at(place, "category"),
            "unknown-category",
            "the rule does not know this category; it lists those that it knows",
        ),
        GrantFault::RepeatedCategory(place) => Fault::new(
            at(place, "category"),
            "repeated-category",
            "this category stands there already; add the two up",
        ),
        GrantFault::NotPositive(place) => Fault::new(
            at(place, "minor"),
            "amount",
            "give a whole number of minor units, at least 1",
        ),
        GrantFault::OverAmount { most } => Fault::new(
            "/allocations",
            "over-amount",
            format!("all of them together are at most {most} minor units for this award"),
        ),
        GrantFault::OverCap { left } => Fault::new(
            "/allocations",
            "over-cap",
            format!("the cap of the period in which it was earned leaves {left} minor units"),
        ),
    }
}

/// Whether a line of a ledger has to be looked at: its award is not in force any more for a reason of its own. Nothing is taken back by
/// itself, and what was taken back needs no look.
#[must_use]
pub fn flag(line: &LedgerLine, now: Timestamp) -> Option<AwardState> {
    if line.grant.reversal.is_some() {
        return None;
    }
    let (state, _, until) = line.award;
    match state.as_of(until, now) {
        AwardState::Revoked => Some(AwardState::Revoked),
        AwardState::Suspended => Some(AwardState::Suspended),
        // What has ended or was renewed was in force when it was used.
        AwardState::PendingKey
        | AwardState::Active
        | AwardState::Expired
        | AwardState::Superseded => None,
    }
}

/// `GET /organizations/{id}/credit-grants`: the ledger of an authority.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn list_grants(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<LedgerLine>, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "list_credit_grants", &subject)?;
    Ok(store::credit::list_ledger(cx.conn, LedgerOf::Authority(organization), after, limit)?)
}

/// `GET /me/credit-grants`: what the caller was given, by whichever authority.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list_own_grants(
    cx: &mut Cx<'_>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<LedgerLine>, Error> {
    let person = cx.signed_in()?.person;
    Ok(store::credit::list_ledger(cx.conn, LedgerOf::Person(person), after, limit)?)
}
