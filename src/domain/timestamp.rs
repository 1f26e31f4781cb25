//! Time as a value: UTC, whole seconds. Nothing in the domain reads a clock.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta, Utc};

/// A moment in UTC, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Cuts the moment to whole seconds.
    #[must_use]
    pub fn new(moment: DateTime<Utc>) -> Timestamp {
        Timestamp(DateTime::from_timestamp(moment.timestamp(), 0).unwrap_or(DateTime::UNIX_EPOCH))
    }

    /// The moment that a `TIMESTAMP` column holds.
    #[must_use]
    pub fn from_naive(naive: NaiveDateTime) -> Timestamp {
        Timestamp::new(naive.and_utc())
    }

    /// The moment as a `TIMESTAMP` column holds it.
    #[must_use]
    pub fn naive(self) -> NaiveDateTime {
        self.0.naive_utc()
    }

    /// The moment as a UTC date and time.
    #[must_use]
    pub const fn as_utc(self) -> DateTime<Utc> {
        self.0
    }

    /// The moment `delta` later.
    #[must_use]
    pub fn plus(self, delta: TimeDelta) -> Timestamp {
        Timestamp(self.0.checked_add_signed(delta).unwrap_or(self.0))
    }

    /// The moment `delta` earlier.
    #[must_use]
    pub fn minus(self, delta: TimeDelta) -> Timestamp {
        Timestamp(self.0.checked_sub_signed(delta).unwrap_or(self.0))
    }

    /// The date alone, `2026-11-21`.
    #[must_use]
    pub fn date(self) -> String {
        self.0.format("%Y-%m-%d").to_string()
    }
}

/// RFC 3339 with `Z`, as in the API.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}
