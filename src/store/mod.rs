//! The database: one schema, one set of queries, two backends. No rules about who may do what live here.

pub mod agreement_reports;
pub mod audit;
pub mod award_states;
pub mod awards;
pub mod calendars;
pub mod calibration;
pub mod conflicts;
pub mod connection;
pub mod credentials;
pub mod decisions;
mod error;
pub mod evidence;
pub mod idempotency;
pub mod installation;
pub mod issuance_log;
pub mod issuer_settings;
pub mod memberships;
pub mod micro_credentials;
pub mod organizations;
pub mod outbox;
pub mod people;
pub mod qualifications;
pub mod renewals;
pub mod reviews;
pub mod schema;
pub mod seeds;
pub mod sessions;
pub mod signing_keys;
pub mod status_lists;
pub mod submissions;

pub use connection::{Database, DatabaseSetting, DbConn, write};
pub use error::{StoreError, WriteError};
