//! Whether the process can do its work.

use chrono::DateTime;

use super::context::Resources;
use super::error::Error;
use crate::store;

/// A clock before this moment is wrong: the program is younger.
const EARLIEST: i64 = 1_767_225_600;

/// Every check with whether it passed.
#[must_use]
pub fn check(resources: &Resources) -> Vec<(&'static str, bool)> {
    let database = resources.database.connection();
    let has_database = database.is_ok();
    let is_initialized = match database {
        Ok(mut conn) => {
            store::installation::find(&mut conn).is_ok_and(|installation| installation.is_some())
        }
        Err(_) => false,
    };
    let is_migrated = resources.database.has_pending_migration().is_ok_and(|pending| !pending);
    let earliest = DateTime::from_timestamp(EARLIEST, 0).unwrap_or(DateTime::UNIX_EPOCH);
    let has_clock = resources.now().as_utc() > earliest;
    let can_write = tempfile::tempfile_in(&resources.data_dir).is_ok();
    vec![
        ("database", has_database),
        ("migrations", is_migrated),
        ("initialized", is_initialized),
        ("clock", has_clock),
        ("data_folder", can_write),
    ]
}

/// How many mails wait to be sent.
///
/// # Errors
/// [`Error::Busy`] without a connection.
pub fn count_waiting_mail(resources: &Resources) -> Result<i64, Error> {
    Ok(store::outbox::count_waiting(&mut *resources.database.connection()?)?)
}
