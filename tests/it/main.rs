//! One test binary: each file states the rules of one resource.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    missing_docs,
    reason = "a test may fail loudly, helpers included"
)]

mod harness;

mod api_description;
mod bad_input;
mod canonical;
mod crash;
mod definitions;
mod denials;
mod fetch;
mod files;
mod idempotency;
mod lints;
mod mail;
mod main_job;
mod pages;
mod permissions;
mod progress;
mod sessions;
mod standards;
mod verify;
