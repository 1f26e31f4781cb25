//! Work whose promised day is over: its coordinators are told, once a day.

use std::collections::BTreeMap;

use super::context::{Cx, branch_up};
use super::error::Error;
use super::outbox;
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
