//! One function per use case: load, authorize, decide, record. Ordinary blocking Rust; owns the transactions.

pub mod audit;
pub mod awards;
pub mod badge_content;
pub mod badge_images;
pub mod compromise;
pub mod context;
pub mod definition_document;
pub mod error;
pub mod evidence;
pub mod housekeeping;
pub mod idempotency;
pub mod installation;
pub mod issuance;
pub mod issuer_identity;
pub mod issuer_settings;
pub mod keyring;
pub mod members;
pub mod micro_credentials;
pub mod organizations;
pub mod outbox;
pub mod passwords;
pub mod publications;
pub mod readiness;
pub mod resolution;
pub mod reviews;
pub mod sessions;
pub mod signing_keys;
pub mod static_export;
pub mod status_lists;
pub mod submissions;
pub mod tokens;
pub mod verification;
pub mod worker;

pub use context::{Cx, Resources};
pub use error::{Error, Fault};
