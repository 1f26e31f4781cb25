//! Working days: dates are promised by the calendar of the organization, or of the nearest one above that has set one.

use super::audit::Change;
use super::context::Cx;
use super::error::Error;
use super::organizations;
use crate::domain::calendar::Calendar;
use crate::domain::ids::OrganizationId;
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::store::{self, DbConn};

/// The same time of day after so many working days of an organization.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn promise(
    conn: &mut DbConn,
    organization: OrganizationId,
    from: Timestamp,
    days: u32,
) -> Result<Timestamp, Error> {
    let calendar = store::calendars::find_in_force(conn, organization)?.unwrap_or_default();
    Ok(calendar.after_working_days(from, days))
}

/// `GET /organizations/{id}/calendar`: the one that holds, with the revision of the organization's own, 0 where it has none.
///
/// # Errors
/// [`Error::Denied`] for somebody else's organization.
pub fn find(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<(Calendar, i32), Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "read_calendar", &subject)?;
    if let Some(own) = store::calendars::find(cx.conn, organization)? {
        return Ok(own);
    }
    Ok((store::calendars::find_in_force(cx.conn, organization)?.unwrap_or_default(), 0))
}

/// `PUT /organizations/{id}/calendar`: counts for dates that are promised from now on.
///
/// # Errors
/// [`Error::Stale`] when it has changed since it was read.
pub fn put(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    calendar: &Calendar,
    revision: i32,
) -> Result<(Calendar, i32), Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "put_calendar", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        store::calendars::save(conn, organization, calendar, revision, now)?;
        let change = Change::new("put_calendar", Some(organization), "organization", organization)
            .with("holidays", calendar.holidays().len())
            .with("breaks", calendar.breaks().len());
        Ok(((calendar.clone(), revision + 1), change))
    })
}
