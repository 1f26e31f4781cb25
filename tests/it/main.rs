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
mod assessors;
mod awards;
mod bad_input;
mod bake;
mod bank_items;
mod blindness;
mod calibration;
mod canonical;
mod cases;
#[cfg(feature = "pdf")]
mod certificate;
mod co_earners;
mod coachings;
mod cohorts;
mod compromise;
mod contributions;
mod crash;
mod credit;
mod database;
mod definitions;
mod denials;
mod district_records;
mod eligibility;
mod external_badges;
mod fetch;
mod files;
mod frameworks;
mod funnel;
mod fuzz_corpus;
mod graceful_stop;
mod idempotency;
mod inventory;
mod issuance;
mod issuers;
mod jwt;
mod key_command;
mod life_cycles;
mod lints;
mod mail;
mod main_job;
mod micro_credentials;
mod mutants;
mod office;
mod outbox;
mod pages;
mod permissions;
mod pilot;
mod process;
mod program_readiness;
mod programs;
mod progress;
mod proposals;
mod rehearsals;
mod resubmissions;
mod reviews;
mod rubric_tables;
mod screenings;
mod sessions;
mod stacks;
mod standards;
mod static_export;
mod statistics;
mod submissions;
mod succession;
mod templates;
mod tidy;
mod verifier_badges;
mod verify;
mod walk;
