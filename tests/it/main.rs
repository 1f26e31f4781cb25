//! One test binary: each file states the rules of one resource.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    missing_docs,
    reason = "a test may fail loudly, helpers included"
)]

mod harness;

mod canonical;
mod crash;
mod definitions;
mod fetch;
mod files;
mod issuance;
mod lints;
mod mail;
mod main_job;
mod pages;
mod progress;
mod standards;
mod tidy;
mod verify;
