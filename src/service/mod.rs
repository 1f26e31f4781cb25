//! One function per use case: load, authorize, decide, record. Ordinary blocking Rust; owns the transactions.

pub mod definition_document;
