//! Badges of other issuers in an inventory: which of them may be told, and when they are looked at again.

use chrono::TimeDelta;

use super::timestamp::Timestamp;

worded_enum! {
    /// What a check of a badge of another issuer has said.
    CheckOutcome {
        /// Every check that applies passed, and it is made out to the address of its owner.
        Valid = "valid",
        /// At least one check failed: it is revoked, suspended, over or altered.
        Invalid = "invalid",
        /// It could not be told: its issuer did not answer, for instance.
        Indeterminate = "indeterminate",
        /// It does not say, or not any more, that it is its owner's.
        NotAddressed = "not_addressed",
    }
}

/// What a check has said, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgeCheck {
    /// What it has said.
    pub outcome: CheckOutcome,
    /// The issuer's id, as the badge names it.
    pub issuer_id: Option<String>,
    /// When the badge ends.
    pub valid_until: Option<Timestamp>,
    /// When it was made.
    pub checked_at: Timestamp,
}

/// A badge that was valid is checked again after so long.
const RENEWED_AFTER: TimeDelta = TimeDelta::days(7);
/// Any other after so long: an issuer may answer again, and a suspension may end.
const TRIED_AGAIN_AFTER: TimeDelta = TimeDelta::days(1);
/// A check that is older says nothing any more, whatever it has said.
const LASTS: TimeDelta = TimeDelta::days(30);

/// The latest moments of a check that is due to be made again: one that has said valid, and any other.
#[must_use]
pub fn due_before(now: Timestamp) -> (Timestamp, Timestamp) {
    (now.minus(RENEWED_AFTER), now.minus(TRIED_AGAIN_AFTER))
}

/// The earliest moment of a check that still counts.
#[must_use]
pub fn counts_since(now: Timestamp) -> Timestamp {
    now.minus(LASTS)
}
