use std::str::FromStr;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why the database could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row has moved on since it was read.
    #[error("the row has changed in the meantime")]
    Stale,
    /// Another row with the same unique value exists; the word says which rule.
    #[error("there is already such a {0}")]
    Duplicate(&'static str),
    /// A row that no longer makes a domain value.
    #[error("{table} {id} has a {column} that makes no sense")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row.
        id: String,
        /// The column.
        column: &'static str,
    },
    /// Another transaction was in the way; the same work can be tried again.
    #[error("another transaction was in the way")]
    Conflict(#[source] DieselError),
    /// No connection or no lock in time.
    #[error("the database is busy")]
    Busy,
    /// Anything else.
    #[error("the database failed")]
    Database(#[source] DieselError),
}

impl StoreError {
    pub(crate) fn corrupt(table: &'static str, id: &str, column: &'static str) -> StoreError {
        StoreError::Corrupt { table, id: id.to_owned(), column }
    }

    /// Names the rule that a unique constraint stands for: on SQLite diesel cannot.
    pub(crate) fn duplicate(rule: &'static str) -> impl Fn(DieselError) -> StoreError {
        move |error| {
            if matches!(error, DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) {
                StoreError::Duplicate(rule)
            } else {
                StoreError::from(error)
            }
        }
    }

    /// A row that somebody else was faster to add: who found it missing has read something that is out of date.
    pub(crate) fn outrun(error: DieselError) -> StoreError {
        if matches!(error, DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) {
            StoreError::Stale
        } else {
            StoreError::from(error)
        }
    }

    /// A row that somebody else was faster to add: what found it missing is worth another try.
    pub(crate) fn conflict(error: DieselError) -> StoreError {
        if matches!(error, DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) {
            StoreError::Conflict(error)
        } else {
            StoreError::from(error)
        }
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> StoreError {
        if let DieselError::DatabaseError(kind, info) = &error {
            if matches!(kind, DatabaseErrorKind::SerializationFailure)
                || info.message().contains("deadlock detected")
            {
                return StoreError::Conflict(error);
            }
            if info.message().contains("database is locked") {
                return StoreError::Busy;
            }
        }
        StoreError::Database(error)
    }
}

/// An error of a closure given to [`super::write`]: it tells whether the database asks for another try.
pub trait WriteError: From<StoreError> {
    /// The store's part of the error, if it has one.
    fn store_error(&self) -> Option<&StoreError>;
}

impl WriteError for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

/// Ids that a query found in a column of a table.
///
/// # Errors
/// [`StoreError::Corrupt`] for a word that is no id.
pub(super) fn parse_ids<T: FromStr, C: FromIterator<T>>(
    table: &'static str,
    column: &'static str,
    words: Vec<String>,
) -> Result<C, StoreError> {
    words
        .iter()
        .map(|word| word.parse().map_err(|_bad| StoreError::corrupt(table, word, column)))
        .collect()
}
