//! Everything that was ever signed as a badge, by hash, each row bound to its event in the audit chain.

use diesel::prelude::*;

use super::schema::{audit_events, issuance_log};
use super::{DbConn, StoreError};
use crate::domain::ids::{AwardId, SigningKeyId};
use crate::domain::timestamp::Timestamp;

/// One signed document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Lower-case hex of the SHA-256 of the text.
    pub sha256: String,
    /// The award.
    pub award: AwardId,
    /// `vc` or `jwt`.
    pub form: &'static str,
    /// Lower-case hex of the SHA-256 of the canonical form of what was signed.
    pub canonical_sha256: String,
    /// The key.
    pub signing_key: SigningKeyId,
    /// The event of the audit chain that holds the hash.
    pub audit_event: String,
    /// When.
    pub signed_at: Timestamp,
}

/// Adds a row. The same document twice is one row.
///
/// # Errors
/// [`StoreError`].
pub fn append(conn: &mut DbConn, entry: &LogEntry) -> Result<(), StoreError> {
    let known = issuance_log::table.find(&entry.sha256);
    if diesel::select(diesel::dsl::exists(known)).get_result(conn)? {
        return Ok(());
    }
    diesel::insert_into(issuance_log::table)
        .values((
            issuance_log::sha256.eq(&entry.sha256),
            issuance_log::award_id.eq(entry.award.to_string()),
            issuance_log::form.eq(entry.form),
            issuance_log::canonical_sha256.eq(&entry.canonical_sha256),
            issuance_log::signing_key_id.eq(entry.signing_key.to_string()),
            issuance_log::audit_event_id.eq(&entry.audit_event),
            issuance_log::signed_at.eq(entry.signed_at.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// A row of the log as it stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundEntry {
    /// The award.
    pub award: AwardId,
    /// Lower-case hex of the SHA-256 of the text.
    pub sha256: String,
    /// What the event of the audit chain says, `None` when it is not there.
    pub event_detail: Option<String>,
}

/// The rows about one canonical form or one text, whichever has this hash, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_hash(conn: &mut DbConn, sha256: &str) -> Result<Vec<BoundEntry>, StoreError> {
    let rows: Vec<(String, String, Option<String>)> = issuance_log::table
        .left_join(audit_events::table.on(audit_events::id.eq(issuance_log::audit_event_id)))
        .filter(issuance_log::canonical_sha256.eq(sha256).or(issuance_log::sha256.eq(sha256)))
        .order(issuance_log::signed_at)
        .select((issuance_log::award_id, issuance_log::sha256, audit_events::detail.nullable()))
        .load(conn)?;
    rows.into_iter()
        .map(|(award, sha256, event_detail)| {
            let award = award
                .parse()
                .map_err(|_bad| StoreError::corrupt("issuance_log", &sha256, "award_id"))?;
            Ok(BoundEntry { award, sha256, event_detail })
        })
        .collect()
}
