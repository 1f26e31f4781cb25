//! Work whose promised day is over, and work that nobody may take: its coordinators are told, once a day.

use std::collections::BTreeMap;

use super::assignment;
use super::context::{Cx, branch_up, people_with};
use super::error::Error;
use super::outbox;
use crate::domain::eligibility::EligibilityRule;
use crate::domain::ids::{OrganizationId, PersonId};
use crate::domain::organization::Role;
use crate::domain::timestamp::Timestamp;
use crate::store;

/// The kind of the mail that tells of overdue work.
pub const OVERDUE: &str = "overdue_work";

/// Puts a mail for each coordinator with overdue work into the outbox, one a day. It says how much waits and since when, and
/// nothing about whose it is.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn escalate(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let now = cx.now;
    let mut by_organization: BTreeMap<OrganizationId, (usize, Timestamp)> = BTreeMap::new();
    for (organization, due_on) in store::seeds::list_overdue(cx.conn, now, 1000)? {
        let entry = by_organization.entry(organization).or_insert((0, due_on));
        *entry = (entry.0 + 1, entry.1.min(due_on));
    }
    if by_organization.is_empty() {
        return Ok(0);
    }
    let mut by_person: BTreeMap<PersonId, (usize, Timestamp)> = BTreeMap::new();
    for (organization, (count, oldest)) in by_organization {
        let among = branch_up(cx.conn, organization)?;
        for person in store::memberships::list_with_role(cx.conn, Role::Coordinator, &among)? {
            let entry = by_person.entry(person).or_insert((0, oldest));
            *entry = (entry.0 + count, entry.1.min(oldest));
        }
    }
    let id = |person: &PersonId| format!("{OVERDUE}-{person}-{}", now.date());
    let ids: Vec<String> = by_person.keys().map(id).collect();
    if store::outbox::list_known(cx.conn, &ids)?.len() == ids.len() {
        return Ok(0);
    }
    let host = outbox::message_host(&cx.installation()?.base_url);
    store::write(cx.conn, |conn| {
        let known = store::outbox::list_known(conn, &ids)?;
        let mut written = 0;
        for (person, (count, oldest)) in &by_person {
            let id = id(person);
            if known.contains(&id) {
                continue;
            }
            let parameters = serde_json::json!({ "count": count, "oldest": oldest.date() });
            outbox::enqueue_as(conn, id, OVERDUE, *person, &host, &parameters, now)?;
            written += 1;
        }
        Ok(written)
    })
}

/// The kind of the mail that tells of work that nobody may take.
pub const BLOCKED: &str = "blocked_work";

/// What nobody may take: how much, and what keeps assessors away, without anything of whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Blocked {
    /// How many submissions.
    count: usize,
    /// For how many of them there is no assessor at all.
    without_assessors: usize,
    /// How many of them each rule keeps assessors from.
    by_rule: BTreeMap<EligibilityRule, usize>,
}

/// Puts a mail for each coordinator of work that no assessor may take into the outbox, one a day. It names the rules with counts
/// (DOMAIN.md, 3.2: "C is told which rule blocks"), and says nothing about whose the work is. Nothing is told while nothing is blocked.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn tell_of_blocked(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let now = cx.now;
    let id = |person: &PersonId| format!("{BLOCKED}-{person}-{}", now.date());
    let mut by_person: BTreeMap<PersonId, Blocked> = BTreeMap::new();
    for organization in store::reviews::list_waiting_organizations(cx.conn)? {
        let mut people = people_with(cx.conn, Role::Coordinator, organization)?;
        let ids: Vec<String> = people.iter().map(id).collect();
        let known = store::outbox::list_known(cx.conn, &ids)?;
        people.retain(|person| !known.contains(&id(person)));
        // Whoever was told today is not told again, and nothing is judged for nobody.
        if people.is_empty() {
            continue;
        }
        let waiting = assignment::waiting_in(cx.conn, cx.resources, &[organization], now)?;
        for blocked in waiting.iter().filter(|waiting| waiting.eligible == 0) {
            for person in &people {
                let sum = by_person.entry(*person).or_default();
                sum.count += 1;
                sum.without_assessors += usize::from(blocked.assessors == 0);
                for rule in blocked.blocked_by.keys() {
                    *sum.by_rule.entry(*rule).or_default() += 1;
                }
            }
        }
    }
    if by_person.is_empty() {
        return Ok(0);
    }
    let host = outbox::message_host(&cx.installation()?.base_url);
    store::write(cx.conn, |conn| {
        let ids: Vec<String> = by_person.keys().map(id).collect();
        let known = store::outbox::list_known(conn, &ids)?;
        let mut written = 0;
        for (person, blocked) in &by_person {
            let id = id(person);
            if known.contains(&id) {
                continue;
            }
            let rules: Vec<(&str, usize)> =
                blocked.by_rule.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
            let parameters = serde_json::json!({
                "count": blocked.count,
                "without_assessors": blocked.without_assessors,
                "rules": rules,
            });
            outbox::enqueue_as(conn, id, BLOCKED, *person, &host, &parameters, now)?;
            written += 1;
        }
        Ok(written)
    })
}
