//! The audit chain, and the counters of refused requests.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::schema::{audit_events, audit_head, denials};
use super::{DbConn, StoreError};
use crate::domain::audit::{AuditEvent, ChainedEvent};
use crate::domain::ids::OrganizationId;
use crate::domain::timestamp::Timestamp;

/// Appends an event to the chain. Called last in a transaction: the head is the one row that every writer needs.
///
/// # Errors
/// [`StoreError`].
pub fn append(conn: &mut DbConn, event: &AuditEvent) -> Result<(), StoreError> {
    // The update comes first: it takes the lock, so that on PostgreSQL the second of two writers fails here and tries again.
    diesel::update(audit_head::table.find(1))
        .set(audit_head::seq.eq(audit_head::seq + 1))
        .execute(conn)?;
    let (seq, previous_hash): (i64, String) =
        audit_head::table.find(1).select((audit_head::seq, audit_head::hash)).first(conn)?;
    let hash = event.hash_at(seq, &previous_hash);
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::seq.eq(seq),
            audit_events::id.eq(&event.id),
            audit_events::happened_at.eq(event.happened_at.naive()),
            audit_events::actor_id.eq(event.actor.map(|actor| actor.to_string())),
            audit_events::organization_id
                .eq(event.organization.map(|organization| organization.to_string())),
            audit_events::verb.eq(&event.verb),
            audit_events::object_kind.eq(&event.object_kind),
            audit_events::object_id.eq(&event.object_id),
            audit_events::detail.eq(&event.detail),
            audit_events::previous_hash.eq(&previous_hash),
            audit_events::hash.eq(&hash),
        ))
        .execute(conn)?;
    diesel::update(audit_head::table.find(1)).set(audit_head::hash.eq(&hash)).execute(conn)?;
    Ok(())
}

type Row = (
    i64,
    String,
    NaiveDateTime,
    Option<String>,
    Option<String>,
    String,
    String,
    String,
    String,
    String,
    String,
);

fn from_row(row: Row) -> Result<ChainedEvent, StoreError> {
    let (
        seq,
        id,
        happened_at,
        actor,
        organization,
        verb,
        object_kind,
        object_id,
        detail,
        previous_hash,
        hash,
    ) = row;
    let corrupt = |column| StoreError::corrupt("audit_events", &seq.to_string(), column);
    let event = AuditEvent {
        id,
        happened_at: Timestamp::from_naive(happened_at),
        actor: actor.map(|actor| actor.parse()).transpose().map_err(|_bad| corrupt("actor_id"))?,
        organization: organization
            .map(|organization| organization.parse())
            .transpose()
            .map_err(|_bad| corrupt("organization_id"))?,
        verb,
        object_kind,
        object_id,
        detail,
    };
    Ok(ChainedEvent { seq, event, previous_hash, hash })
}

/// Events in the order of the chain, after `after`.
///
/// # Errors
/// [`StoreError`].
pub fn list_chain(
    conn: &mut DbConn,
    after: i64,
    limit: i64,
) -> Result<Vec<ChainedEvent>, StoreError> {
    let rows: Vec<Row> = audit_events::table
        .filter(audit_events::seq.gt(after))
        .order(audit_events::seq)
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// The events of some organizations, the newest first, before `before`.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_organizations(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<ChainedEvent>, StoreError> {
    let among: Vec<Option<String>> =
        organizations.iter().map(|organization| Some(organization.to_string())).collect();
    let mut query = audit_events::table
        .filter(audit_events::organization_id.eq_any(among))
        .into_boxed::<MultiBackend>();
    if let Some(before) = before {
        query = query.filter(audit_events::seq.lt(before));
    }
    let rows: Vec<Row> = query.order(audit_events::seq.desc()).limit(limit).load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// The head of the chain: how many events there should be, and the hash of the last.
///
/// # Errors
/// [`StoreError`].
pub fn find_head(conn: &mut DbConn) -> Result<(i64, String), StoreError> {
    Ok(audit_head::table.find(1).select((audit_head::seq, audit_head::hash)).first(conn)?)
}

/// Counts refused requests. Returns whether they are the first of their bucket, which gets an event of its own at once.
///
/// # Errors
/// [`StoreError`].
pub fn count_denials(
    conn: &mut DbConn,
    bucket: Timestamp,
    operation: &str,
    person: &str,
    code: &str,
    count: i64,
) -> Result<bool, StoreError> {
    let n_rows = diesel::update(denials::table.find((bucket.naive(), operation, person, code)))
        .set(denials::count.eq(denials::count + count))
        .execute(conn)?;
    if n_rows > 0 {
        return Ok(false);
    }
    diesel::insert_into(denials::table)
        .values((
            denials::bucket.eq(bucket.naive()),
            denials::operation.eq(operation),
            denials::person_id.eq(person),
            denials::code.eq(code),
            denials::count.eq(count),
            denials::summed.eq(false),
        ))
        .execute(conn)
        .map_err(StoreError::conflict)?;
    Ok(true)
}

/// A finished bucket of refusals: bucket, operation, person or nothing, code, count.
pub type DenialCount = (NaiveDateTime, String, String, String, i64);

/// Buckets that ended before `before` and are not in the chain yet.
///
/// # Errors
/// [`StoreError`].
pub fn list_unsummed_denials(
    conn: &mut DbConn,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<DenialCount>, StoreError> {
    Ok(denials::table
        .filter(denials::summed.eq(false))
        .filter(denials::bucket.lt(before.naive()))
        .order(denials::bucket)
        .limit(limit)
        .select((
            denials::bucket,
            denials::operation,
            denials::person_id,
            denials::code,
            denials::count,
        ))
        .load(conn)?)
}

/// Marks a bucket as written to the chain.
///
/// # Errors
/// [`StoreError`].
pub fn mark_denial_summed(conn: &mut DbConn, count: &DenialCount) -> Result<(), StoreError> {
    diesel::update(denials::table.find((count.0, &count.1, &count.2, &count.3)))
        .set(denials::summed.eq(true))
        .execute(conn)?;
    Ok(())
}

/// Forgets summed buckets from before `before`.
///
/// # Errors
/// [`StoreError`].
pub fn purge_denials(conn: &mut DbConn, before: Timestamp) -> Result<(), StoreError> {
    diesel::delete(
        denials::table.filter(denials::summed.eq(true)).filter(denials::bucket.lt(before.naive())),
    )
    .execute(conn)?;
    Ok(())
}
