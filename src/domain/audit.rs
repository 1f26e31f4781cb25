//! The audit trail: events that name people by id only, each carrying the hash of the one before.

use sha2::{Digest, Sha256};

use super::ids::{OrganizationId, PersonId};
use super::timestamp::Timestamp;

/// The hash that the first event points to.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What happened, without personal data: ids, words and hashes only (docs/RETENTION.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// A random id.
    pub id: String,
    /// When.
    pub happened_at: Timestamp,
    /// Who; none for strangers and the service itself.
    pub actor: Option<PersonId>,
    /// In which organization.
    pub organization: Option<OrganizationId>,
    /// What was done: the operation's name, or `denied`.
    pub verb: String,
    /// To what kind of thing.
    pub object_kind: String,
    /// To which.
    pub object_id: String,
    /// What changed, as `name=value` words.
    pub detail: String,
}

/// An event with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedEvent {
    /// 1, 2, … without gaps.
    pub seq: i64,
    /// The event.
    pub event: AuditEvent,
    /// The hash of the event before, [`GENESIS`] for the first.
    pub previous_hash: String,
    /// The hash of this one.
    pub hash: String,
}

impl AuditEvent {
    /// The hash of the event at its place: SHA-256 in hexadecimal over its members, each preceded by its length in bytes and a
    /// colon, so that no two different events are hashed as the same bytes.
    #[must_use]
    pub fn hash_at(&self, seq: i64, previous_hash: &str) -> String {
        let actor = self.actor.map(|actor| actor.to_string()).unwrap_or_default();
        let organization =
            self.organization.map(|organization| organization.to_string()).unwrap_or_default();
        let mut hasher = Sha256::new();
        for member in [
            previous_hash,
            &seq.to_string(),
            &self.id,
            &self.happened_at.to_string(),
            &actor,
            &organization,
            &self.verb,
            &self.object_kind,
            &self.object_id,
            &self.detail,
        ] {
            hasher.update(format!("{}:", member.len()));
            hasher.update(member);
        }
        hex(&hasher.finalize())
    }
}

/// Bytes as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}
