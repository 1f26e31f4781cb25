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
mod artwork;
mod awards;
mod bad_input;
mod bake;
mod calibration;
mod canonical;
#[cfg(feature = "pdf")]
mod certificate;
mod compromise;
mod crash;
mod database;
mod definitions;
mod denials;
mod eligibility;
mod fetch;
mod files;
mod graceful_stop;
mod idempotency;
mod issuance;
mod issuers;
mod jwt;
mod lints;
mod mail;
mod main_job;
mod micro_credentials;
mod outbox;
mod pages;
mod permissions;
mod progress;
mod reviews;
mod sessions;
mod standards;
mod statistics;
mod submissions;
mod tidy;
mod verify;
