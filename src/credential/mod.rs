//! The ground floor that makes, lints, signs and verifies Open Badges 3.0.
//!
//! It knows nothing of our own terms, does no I/O, reads no clock and makes no random numbers, and it can verify a
//! badge from any issuer.

mod active_context;
pub mod bake;
pub mod canonical;
mod context_cache;
pub mod contexts;
pub mod document;
pub mod expansion;
pub mod jcs;
pub mod json;
pub mod jwk;
pub mod jwt;
pub mod keys;
pub mod lint;
mod literal;
pub mod proof;
mod published_keys;
pub mod statement;
pub mod status_list;
pub mod terms;
pub mod verify;

pub use active_context::ContextError;

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
