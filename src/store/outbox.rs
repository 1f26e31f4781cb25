//! Mails that wait to be sent: ids and words only, names and addresses are filled in when they leave.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::outbox;
use super::{DbConn, StoreError, succession};
use crate::domain::ids::PersonId;
use crate::domain::timestamp::Timestamp;

/// A mail in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its id.
    pub id: String,
    /// The Message-ID, the same at every try.
    pub message_id: String,
    /// Which template.
    pub kind: String,
    /// To whom.
    pub person: PersonId,
    /// What the template needs, as JSON text.
    pub parameters: String,
    /// How often it was tried.
    pub attempts: i32,
}

/// Puts a mail into the outbox.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &OutboxRow, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(&new.id),
            outbox::message_id.eq(&new.message_id),
            outbox::kind.eq(&new.kind),
            outbox::person_id.eq(new.person.to_string()),
            outbox::parameters.eq(&new.parameters),
            outbox::state.eq("waiting"),
            outbox::attempts.eq(0),
            outbox::next_attempt_at.eq(now.naive()),
            outbox::created_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Those of these ids that are in the outbox, sent or not.
///
/// # Errors
/// [`StoreError`].
pub fn list_known(conn: &mut DbConn, ids: &[String]) -> Result<BTreeSet<String>, StoreError> {
    let known: Vec<String> =
        outbox::table.filter(outbox::id.eq_any(ids.to_vec())).select(outbox::id).load(conn)?;
    Ok(known.into_iter().collect())
}

/// When those of these ids that are in the outbox, sent or not, were put there.
///
/// # Errors
/// [`StoreError`].
pub fn list_written(
    conn: &mut DbConn,
    ids: &[String],
) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    let known: Vec<(String, NaiveDateTime)> = outbox::table
        .filter(outbox::id.eq_any(ids.to_vec()))
        .select((outbox::id, outbox::created_at))
        .load(conn)?;
    Ok(known.into_iter().map(|(id, at)| (id, Timestamp::from_naive(at))).collect())
}

/// Claims the mail that is due first, until `claim_until`; a claim that ran out counts as due again.
///
/// # Errors
/// [`StoreError`].
pub fn claim(
    conn: &mut DbConn,
    now: Timestamp,
    claim_until: Timestamp,
) -> Result<Option<OutboxRow>, StoreError> {
    type Row = (String, String, String, String, String, i32);
    let due: Option<Row> = outbox::table
        .filter(outbox::state.eq_any(["waiting", "claimed"]))
        .filter(outbox::next_attempt_at.le(now.naive()))
        .order((outbox::next_attempt_at, outbox::id))
        .select((
            outbox::id,
            outbox::message_id,
            outbox::kind,
            outbox::person_id,
            outbox::parameters,
            outbox::attempts,
        ))
        .first(conn)
        .optional()?;
    let Some((id, message_id, kind, person, parameters, attempts)) = due else { return Ok(None) };
    diesel::update(outbox::table.find(&id))
        .set((
            outbox::state.eq("claimed"),
            outbox::attempts.eq(attempts + 1),
            outbox::next_attempt_at.eq(claim_until.naive()),
        ))
        .execute(conn)?;
    let person = person.parse().map_err(|_bad| StoreError::corrupt("outbox", &id, "person_id"))?;
    Ok(Some(OutboxRow { id, message_id, kind, person, parameters, attempts: attempts + 1 }))
}

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The mail server has it.
    Sent,
    /// To be tried again at this time.
    Again(Timestamp),
    /// Never to be tried again.
    Failed,
    /// Nobody to send it to any more.
    Dropped,
}

/// Records what became of a claimed mail, and whether mail goes through to its person: that is known for longer than the mail is.
///
/// # Errors
/// [`StoreError`].
pub fn finish(
    conn: &mut DbConn,
    id: &str,
    delivery: Delivery,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = outbox::table.find(id);
    let person: Option<String> = row.select(outbox::person_id).first(conn).optional()?;
    let person = person
        .map(|person| person.parse().map_err(|_bad| StoreError::corrupt("outbox", id, "person_id")))
        .transpose()?;
    match (delivery, person) {
        (Delivery::Sent, Some(person)) => succession::clear_lost_mail(conn, person)?,
        (Delivery::Failed, Some(person)) => succession::note_lost_mail(conn, person, now)?,
        (Delivery::Again(_) | Delivery::Dropped, _) | (Delivery::Sent | Delivery::Failed, None) => {
        }
    }
    match delivery {
        Delivery::Sent => diesel::update(row)
            .set((
                outbox::state.eq("sent"),
                outbox::sent_at.eq(Some(now.naive())),
                outbox::last_error.eq(None::<String>),
            ))
            .execute(conn)?,
        Delivery::Again(at) => diesel::update(row)
            .set((
                outbox::state.eq("waiting"),
                outbox::next_attempt_at.eq(at.naive()),
                outbox::last_error.eq(error),
            ))
            .execute(conn)?,
        Delivery::Failed => diesel::update(row)
            .set((outbox::state.eq("failed"), outbox::last_error.eq(error)))
            .execute(conn)?,
        Delivery::Dropped => diesel::update(row)
            .set((outbox::state.eq("dropped"), outbox::last_error.eq(error)))
            .execute(conn)?,
    };
    Ok(())
}

/// How many mails wait.
///
/// # Errors
/// [`StoreError`].
pub fn count_waiting(conn: &mut DbConn) -> Result<i64, StoreError> {
    Ok(outbox::table
        .filter(outbox::state.eq_any(["waiting", "claimed"]))
        .count()
        .get_result(conn)?)
}

/// Forgets mails that were sent, dropped or given up before `before`.
///
/// # Errors
/// [`StoreError`].
pub fn purge(conn: &mut DbConn, before: Timestamp) -> Result<(), StoreError> {
    diesel::delete(
        outbox::table
            .filter(outbox::state.eq_any(["sent", "dropped", "failed"]))
            .filter(outbox::created_at.lt(before.naive())),
    )
    .execute(conn)?;
    Ok(())
}
