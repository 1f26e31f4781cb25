//! `Idempotency-Key`: the same key and request get the first answer again; the work is done once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::context::Cx;
use super::error::{Broken, Error};
use crate::domain::actor::Actor;
use crate::domain::audit::hex;
use crate::domain::ids::PersonId;
use crate::files::{DataKey, open_bytes, seal_bytes};
use crate::store::{self, StoreError};

/// After so long, a request that never answered is taken for dead, and its key can be used again.
const ABANDONED: TimeDelta = TimeDelta::minutes(2);
/// The longest key.
pub const LONGEST_KEY: usize = 200;

/// What to do with a request.
pub enum Start {
    /// Do it, and save the answer under this.
    Run(Reservation),
    /// Answer with this.
    Replay {
        /// The status of the first answer.
        status: u16,
        /// The first answer as it was saved.
        answer: String,
    },
}

/// A key that is taken by the request under way.
pub struct Reservation {
    person: PersonId,
    key: String,
}

/// What the answer is sealed for; it may hold an earner's work, and is no more open in the database than that.
fn label(person: PersonId, key: &str) -> String {
    format!("idempotency_keys/{person}/{key}")
}

fn seal(cx: &Cx<'_>, label: &str, answer: &str) -> Result<String, Error> {
    let key = DataKey::random();
    let wrapped = cx.resources.keyring.wrap(key.as_bytes(), label).map_err(Error::internal)?;
    let sealed = seal_bytes(&key, answer.as_bytes(), label.as_bytes()).map_err(Error::internal)?;
    Ok(format!("{}.{}", STANDARD.encode(wrapped), STANDARD.encode(sealed)))
}

fn open(cx: &Cx<'_>, label: &str, stored: &str) -> Result<String, Error> {
    let (wrapped, sealed) =
        stored.split_once('.').ok_or(Error::internal(Broken("a saved answer has no key")))?;
    let wrapped = STANDARD.decode(wrapped).map_err(Error::internal)?;
    let sealed = STANDARD.decode(sealed).map_err(Error::internal)?;
    let key = cx.resources.keyring.unwrap_key(&wrapped, label).map_err(Error::internal)?;
    let answer = open_bytes(&DataKey::from_bytes(key), &sealed, label.as_bytes())
        .map_err(Error::internal)?;
    String::from_utf8(answer).map_err(Error::internal)
}

/// The rights of whoever asks, in words: an answer that was given to other rights is not given again.
fn rights(actor: &Actor) -> String {
    let words = actor.confirmed().map(|facet| {
        let roles: Vec<&str> = facet.roles.iter().map(|role| role.as_str()).collect();
        format!("{} {}", facet.organization, roles.join(" "))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// SHA-256 over everything that makes a request the same request.
#[must_use]
pub fn fingerprint(operation: &str, parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in std::iter::once(operation.as_bytes()).chain(parts.iter().copied()) {
        hasher.update(format!("{}:", part.len()));
        hasher.update(part);
    }
    hex(&hasher.finalize())
}

/// Takes the key for a request, or finds the answer that it had.
///
/// # Errors
/// [`Error::IdempotencyMismatch`] for another request under the same key, [`Error::IdempotencyRunning`] while the first runs.
pub fn start(cx: &mut Cx<'_>, key: &str, request_sha256: &str) -> Result<Start, Error> {
    if key.is_empty() || key.len() > LONGEST_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic())
    {
        let detail = format!("an Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters");
        return Err(Error::invalid("", "idempotency-key", detail));
    }
    let person = cx.signed_in()?.person;
    let now = cx.now;
    let request_sha256 = &fingerprint(request_sha256, &[rights(&cx.actor).as_bytes()]);
    let start = store::write(cx.conn, |conn| {
        if let Some(known) = store::idempotency::find(conn, person, key)? {
            if known.request_sha256 != *request_sha256 {
                return Err(Error::IdempotencyMismatch);
            }
            if let Some((status, answer)) = known.answer {
                let status = u16::try_from(status).map_err(Error::internal)?;
                return Ok(Start::Replay { status, answer });
            }
            if known.created_at.plus(ABANDONED) > now {
                return Err(Error::IdempotencyRunning);
            }
            store::idempotency::release(conn, person, key)?;
        }
        match store::idempotency::reserve(conn, person, key, request_sha256, now) {
            Err(StoreError::Duplicate(_)) => Err(Error::IdempotencyRunning),
            other => {
                other?;
                Ok(Start::Run(Reservation { person, key: key.to_owned() }))
            }
        }
    })?;
    match start {
        Start::Replay { status, answer } => {
            Ok(Start::Replay { status, answer: open(cx, &label(person, key), &answer)? })
        }
        Start::Run(reservation) => Ok(Start::Run(reservation)),
    }
}

/// Saves the answer of a request that did something.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn save(
    cx: &mut Cx<'_>,
    reservation: &Reservation,
    status: u16,
    answer: &str,
) -> Result<(), Error> {
    let answer = seal(cx, &label(reservation.person, &reservation.key), answer)?;
    store::write(cx.conn, |conn| {
        store::idempotency::save_answer(
            conn,
            reservation.person,
            &reservation.key,
            i32::from(status),
            &answer,
        )
        .map_err(Error::from)
    })
}

/// Gives the key back: the request was refused and changed nothing, so it may be corrected and sent again.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn release(cx: &mut Cx<'_>, reservation: &Reservation) -> Result<(), Error> {
    store::write(cx.conn, |conn| {
        store::idempotency::release(conn, reservation.person, &reservation.key).map_err(Error::from)
    })
}
