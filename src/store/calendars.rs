//! Calendars of organizations. Days are kept as lists of words.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::{calendars, organization_ancestors};
use super::{DbConn, StoreError};
use crate::domain::calendar::{Calendar, Weekday};
use crate::domain::ids::OrganizationId;
use crate::domain::timestamp::Timestamp;

type Row = (String, String, String, i32);

fn from_row(id: &str, row: Row) -> Result<(Calendar, i32), StoreError> {
    let (weekend, holidays, breaks, revision) = row;
    let corrupt = |column| StoreError::corrupt("calendars", id, column);
    let date = |word: &str, column| {
        NaiveDate::parse_from_str(word, "%Y-%m-%d").map_err(|_bad| corrupt(column))
    };
    let weekend = weekend
        .split_whitespace()
        .map(|word| Weekday::parse(word).ok_or_else(|| corrupt("weekend")))
        .collect::<Result<_, StoreError>>()?;
    let holidays = holidays
        .split_whitespace()
        .map(|word| date(word, "holidays"))
        .collect::<Result<_, StoreError>>()?;
    let breaks = breaks
        .split_whitespace()
        .map(|word| {
            let (first, last) = word.split_once('/').ok_or_else(|| corrupt("breaks"))?;
            Ok((date(first, "breaks")?, date(last, "breaks")?))
        })
        .collect::<Result<_, StoreError>>()?;
    let calendar = Calendar::new(weekend, holidays, breaks).map_err(|_bad| corrupt("weekend"))?;
    Ok((calendar, revision))
}

macro_rules! columns {
    () => {
        (calendars::weekend, calendars::holidays, calendars::breaks, calendars::revision)
    };
}

/// The calendar that an organization has set itself, with its revision.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<(Calendar, i32)>, StoreError> {
    let id = organization.to_string();
    let row: Option<Row> = calendars::table.find(&id).select(columns!()).first(conn).optional()?;
    row.map(|row| from_row(&id, row)).transpose()
}

/// The calendar that holds for an organization: its own, or that of the nearest one above with one.
///
/// # Errors
/// [`StoreError`].
pub fn find_in_force(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<Calendar>, StoreError> {
    let row: Option<Row> = calendars::table
        .inner_join(
            organization_ancestors::table
                .on(organization_ancestors::ancestor_id.eq(calendars::organization_id)),
        )
        .filter(organization_ancestors::organization_id.eq(organization.to_string()))
        .order(organization_ancestors::distance)
        .select(columns!())
        .first(conn)
        .optional()?;
    Ok(row
        .map(|row| from_row(&organization.to_string(), row))
        .transpose()?
        .map(|(calendar, _)| calendar))
}

/// Stores a calendar over the one that was read at `revision`, 0 for none.
///
/// # Errors
/// [`StoreError::Stale`] when it has changed since.
pub fn save(
    conn: &mut DbConn,
    organization: OrganizationId,
    calendar: &Calendar,
    revision: i32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let words = |words: Vec<String>| words.join(" ");
    let weekend = words(calendar.weekend().iter().map(ToString::to_string).collect());
    let holidays = words(calendar.holidays().iter().map(ToString::to_string).collect());
    let breaks =
        words(calendar.breaks().iter().map(|(first, last)| format!("{first}/{last}")).collect());
    let values = (
        calendars::weekend.eq(weekend),
        calendars::holidays.eq(holidays),
        calendars::breaks.eq(breaks),
        calendars::revision.eq(revision + 1),
        calendars::updated_at.eq(now.naive()),
    );
    let unchanged =
        calendars::table.find(organization.to_string()).filter(calendars::revision.eq(revision));
    if diesel::update(unchanged).set(values.clone()).execute(conn)? == 1 {
        return Ok(());
    }
    if revision != 0 {
        return Err(StoreError::Stale);
    }
    diesel::insert_into(calendars::table)
        .values((calendars::organization_id.eq(organization.to_string()), values))
        .execute(conn)
        .map_err(StoreError::outrun)?;
    Ok(())
}
