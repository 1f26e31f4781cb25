//! Working days: those that an organization's calendar leaves (weekend days, holidays, school breaks).

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};

use super::timestamp::Timestamp;

/// The most holidays, and the most breaks, of one calendar.
pub const MAX_ENTRIES: usize = 400;
/// No promise lies further ahead: a calendar that never works must not be waited for.
const HORIZON_DAYS: u32 = 3660;

worded_enum! {
    /// A day of the week.
    Weekday {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
}

impl Weekday {
    fn of(date: NaiveDate) -> Weekday {
        match date.weekday() {
            chrono::Weekday::Mon => Weekday::Monday,
            chrono::Weekday::Tue => Weekday::Tuesday,
            chrono::Weekday::Wed => Weekday::Wednesday,
            chrono::Weekday::Thu => Weekday::Thursday,
            chrono::Weekday::Fri => Weekday::Friday,
            chrono::Weekday::Sat => Weekday::Saturday,
            chrono::Weekday::Sun => Weekday::Sunday,
        }
    }
}

/// When an organization works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    weekend: BTreeSet<Weekday>,
    holidays: BTreeSet<NaiveDate>,
    breaks: Vec<(NaiveDate, NaiveDate)>,
}

/// Why days make no calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Nobody would ever work.
    #[error("at least one day of the week is a working day")]
    NoWorkingDay,
    /// A break that ends before it begins.
    #[error("a break ends on its first day or later")]
    BreakBackwards {
        /// Which, from 0.
        index: usize,
    },
    /// More than [`MAX_ENTRIES`].
    #[error("a calendar has at most 400 holidays and 400 breaks")]
    TooMany,
}

impl Default for Calendar {
    /// Monday to Friday.
    fn default() -> Calendar {
        Calendar {
            weekend: BTreeSet::from([Weekday::Saturday, Weekday::Sunday]),
            holidays: BTreeSet::new(),
            breaks: Vec::new(),
        }
    }
}

impl Calendar {
    /// A calendar of these days off.
    ///
    /// # Errors
    /// [`CalendarError`].
    pub fn new(
        weekend: BTreeSet<Weekday>,
        holidays: BTreeSet<NaiveDate>,
        breaks: Vec<(NaiveDate, NaiveDate)>,
    ) -> Result<Calendar, CalendarError> {
        if weekend.len() == Weekday::ALL.len() {
            return Err(CalendarError::NoWorkingDay);
        }
        if holidays.len() > MAX_ENTRIES || breaks.len() > MAX_ENTRIES {
            return Err(CalendarError::TooMany);
        }
        if let Some(index) = breaks.iter().position(|(first, last)| last < first) {
            return Err(CalendarError::BreakBackwards { index });
        }
        Ok(Calendar { weekend, holidays, breaks })
    }

    /// The days of the week on which nobody works.
    #[must_use]
    pub fn weekend(&self) -> &BTreeSet<Weekday> {
        &self.weekend
    }

    /// Single days off.
    #[must_use]
    pub fn holidays(&self) -> &BTreeSet<NaiveDate> {
        &self.holidays
    }

    /// Days off in a row, the first and the last.
    #[must_use]
    pub fn breaks(&self) -> &[(NaiveDate, NaiveDate)] {
        &self.breaks
    }

    /// Whether somebody works on the day.
    #[must_use]
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        !self.weekend.contains(&Weekday::of(date))
            && !self.holidays.contains(&date)
            && !self.breaks.iter().any(|(first, last)| (*first..=*last).contains(&date))
    }

    /// How many working days lie behind one moment up to the day of a later one: 0 on the same day.
    #[must_use]
    pub fn working_days_between(&self, from: Timestamp, to: Timestamp) -> u32 {
        let (mut day, last) = (from.as_utc().date_naive(), to.as_utc().date_naive());
        let mut days = 0;
        for _ in 0..HORIZON_DAYS {
            if day >= last {
                break;
            }
            let Some(next) = day.checked_add_days(Days::new(1)) else { break };
            day = next;
            days += u32::from(self.is_working_day(day));
        }
        days
    }

    /// The same time of day after `days` working days. Never further ahead than ten years.
    #[must_use]
    pub fn after_working_days(&self, from: Timestamp, days: u32) -> Timestamp {
        let mut moment = from.as_utc();
        let mut left = days;
        let mut walked = 0;
        while left > 0 && walked < HORIZON_DAYS {
            let Some(next) = moment.checked_add_days(Days::new(1)) else { break };
            moment = next;
            walked += 1;
            if self.is_working_day(moment.date_naive()) {
                left -= 1;
            }
        }
        Timestamp::new(moment)
    }
}
