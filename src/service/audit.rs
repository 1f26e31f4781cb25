//! The audit trail: what is appended, how it is checked, and who may read it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{TimeDelta, Timelike};

use super::context::{Cx, Resources, new_uuid, organizations_under};
use super::error::Error;
use crate::domain::audit::{AuditEvent, ChainedEvent, GENESIS};
use crate::domain::ids::{OrganizationId, PersonId};
use crate::domain::organization::{MembershipState, Role};
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::store::{self, DbConn, Lease};

/// A change as a use case reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The operation.
    pub verb: &'static str,
    /// In which organization.
    pub organization: Option<OrganizationId>,
    /// What kind of thing.
    pub object_kind: &'static str,
    /// Which.
    pub object_id: String,
    /// What changed, as `name=value` words without personal data.
    pub detail: String,
}

impl Change {
    /// A change without details.
    #[must_use]
    pub fn new(
        verb: &'static str,
        organization: Option<OrganizationId>,
        object_kind: &'static str,
        object_id: impl ToString,
    ) -> Change {
        Change {
            verb,
            organization,
            object_kind,
            object_id: object_id.to_string(),
            detail: String::new(),
        }
    }

    /// The same with a word more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Change {
        if !self.detail.is_empty() {
            self.detail.push(' ');
        }
        self.detail.push_str(&format!("{name}={value}"));
        self
    }
}

/// Appends a change to the chain, in the transaction that makes it. Returns the id of the event.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn append(
    conn: &mut DbConn,
    actor: Option<PersonId>,
    change: &Change,
    now: Timestamp,
) -> Result<String, Error> {
    let event = AuditEvent {
        id: new_uuid().to_string(),
        happened_at: now,
        actor,
        organization: change.organization,
        verb: change.verb.to_owned(),
        object_kind: change.object_kind.to_owned(),
        object_id: change.object_id.clone(),
        detail: change.detail.clone(),
    };
    store::audit::append(conn, &event)?;
    Ok(event.id)
}

/// What is counted as one: bucket of time, operation, person (empty for strangers) and code.
type DenialKey = (Timestamp, &'static str, String, &'static str);

/// Denials that were counted and are not in the database yet.
#[derive(Default)]
pub struct DenialCounts(Mutex<BTreeMap<DenialKey, i64>>);

/// Writes a denial down. The first of a person, operation and code in a minute is an event at once; the others are counted in memory,
/// written every few seconds, and become one event later. Strangers are counted together by the hour. So neither the trail nor the
/// write lock is at the mercy of somebody who only asks often.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn record_denial(
    conn: &mut Lease,
    resources: &Resources,
    operation: &'static str,
    (person, organization): (Option<PersonId>, Option<OrganizationId>),
    code: &'static str,
    now: Timestamp,
) -> Result<(), Error> {
    let bucket = bucket_of(now, person.is_some());
    let who = person.map(|person| person.to_string()).unwrap_or_default();
    {
        let mut counts = resources.denials.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&(bucket, operation, who.clone(), code)) {
            *count += 1;
            return Ok(());
        }
        counts.insert((bucket, operation, who.clone(), code), 0);
    }
    store::write(conn, |conn| {
        if store::audit::count_denials(conn, bucket, operation, &who, code, 1)? {
            let change =
                Change::new("denied", organization, "operation", operation).with("code", code);
            append(conn, person, &change, now)?;
        }
        Ok(())
    })
}

/// Writes down what was counted in memory.
///
/// # Errors
/// [`Error::Internal`] when the database fails; the counts are kept then.
pub fn flush_denials(cx: &mut Cx<'_>) -> Result<(), Error> {
    let oldest = cx.now.minus(TimeDelta::hours(2));
    let due: Vec<_> = {
        let counts = cx.resources.denials.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(key, count)| (key.clone(), *count))
            .collect()
    };
    if !due.is_empty() {
        store::write(cx.conn, |conn| {
            for ((bucket, operation, who, code), count) in &due {
                store::audit::count_denials(conn, *bucket, operation, who, code, *count)?;
            }
            Ok::<(), Error>(())
        })?;
    }
    let mut counts = cx.resources.denials.0.lock().unwrap_or_else(PoisonError::into_inner);
    for (key, count) in due {
        if let Some(left) = counts.get_mut(&key) {
            *left -= count;
        }
    }
    counts.retain(|(bucket, ..), count| *count > 0 || *bucket > oldest);
    Ok(())
}

fn bucket_of(now: Timestamp, is_known: bool) -> Timestamp {
    let moment = now.as_utc();
    let cut = moment.with_second(0).unwrap_or(moment);
    let cut = if is_known { cut } else { cut.with_minute(0).unwrap_or(cut) };
    Timestamp::new(cut)
}

/// Writes the counts of finished buckets to the chain.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn sum_denials(cx: &mut Cx<'_>) -> Result<usize, Error> {
    flush_denials(cx)?;
    // Strangers' buckets are an hour long; none younger than that is touched.
    let before = cx.now.minus(TimeDelta::hours(1));
    let now = cx.now;
    let mut summed = 0;
    loop {
        let n_counts = store::write(cx.conn, |conn| {
            let counts = store::audit::list_unsummed_denials(conn, before, 200)?;
            for count in &counts {
                let (_, operation, person, code, n) = count;
                if *n > 1 {
                    let person: Option<PersonId> = person.parse().ok();
                    let organization = match person {
                        Some(person) => home_of(conn, person)?,
                        None => None,
                    };
                    let change =
                        Change::new("denials_counted", organization, "operation", operation)
                            .with("code", code)
                            .with("count", n);
                    append(conn, person, &change, now)?;
                }
                store::audit::mark_denial_summed(conn, count)?;
            }
            Ok::<usize, Error>(counts.len())
        })?;
        summed += n_counts;
        if n_counts == 0 {
            return Ok(summed);
        }
    }
}

/// The first organization that a person has joined: events of theirs without an object of its own are shown to its auditors.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn home_of(conn: &mut DbConn, person: PersonId) -> Result<Option<OrganizationId>, Error> {
    let facets = store::memberships::list_facets(conn, person)?;
    Ok(facets
        .into_iter()
        .find(|facet| facet.state == MembershipState::Confirmed)
        .map(|facet| facet.organization))
}

/// What checking the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainReport {
    /// Every link holds.
    Whole {
        /// How many events.
        events: i64,
    },
    /// The first link that does not.
    Broken {
        /// Its place.
        seq: i64,
        /// What is wrong there, in words.
        reason: &'static str,
    },
}

/// Checks every link of the chain and its head.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn verify_chain(conn: &mut DbConn) -> Result<ChainReport, Error> {
    // The head first: events that are appended meanwhile are checked as far as they go and do not look like a fault.
    let (head_seq, head_hash) = store::audit::find_head(conn)?;
    let mut seq = 0;
    let mut previous = GENESIS.to_owned();
    loop {
        let page = store::audit::list_chain(conn, seq, 1000)?;
        let Some(last) = page.last() else { break };
        let last_seq = last.seq;
        for event in &page {
            if let Some(reason) = fault_of(event, seq + 1, &previous) {
                return Ok(ChainReport::Broken { seq: seq + 1, reason });
            }
            if event.seq == head_seq && event.hash != head_hash {
                return Ok(ChainReport::Broken {
                    seq: event.seq,
                    reason: "the head of the chain has another hash",
                });
            }
            seq = event.seq;
            previous.clone_from(&event.hash);
        }
        debug_assert!(last_seq == seq, "pages follow one another");
    }
    if seq < head_seq {
        return Ok(ChainReport::Broken { seq: seq + 1, reason: "the event is missing" });
    }
    Ok(ChainReport::Whole { events: seq })
}

fn fault_of(event: &ChainedEvent, expected_seq: i64, previous: &str) -> Option<&'static str> {
    if event.seq != expected_seq {
        Some("the event is missing")
    } else if event.previous_hash != previous {
        Some("it does not carry the hash of the event before")
    } else if event.event.hash_at(event.seq, previous) != event.hash {
        Some("the event was altered")
    } else {
        None
    }
}

/// A page of the trail of the organizations that the caller may audit, the newest event first.
///
/// # Errors
/// [`Error::Denied`] without the role anywhere.
pub fn list(cx: &mut Cx<'_>, before: Option<i64>, limit: i64) -> Result<Vec<ChainedEvent>, Error> {
    policy::require_somewhere(&cx.actor, "list_audit_events")?;
    let mut organizations = organizations_under(cx.conn, &cx.actor, Role::Auditor)?;
    organizations.extend(organizations_under(cx.conn, &cx.actor, Role::DataSteward)?);
    Ok(store::audit::list_of_organizations(cx.conn, &organizations, before, limit)?)
}
