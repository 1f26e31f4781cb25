//! The database: one schema, one set of queries, two backends. No rules about who may do what live here.

/// Whether a row of `submissions` is a known paper that looks like live work to its reader: a query over submissions that is not for
/// their reader leaves these out (docs/decisions/0025).
macro_rules! is_seed {
    () => {
        diesel::dsl::exists(
            crate::store::schema::seed_presentations::table.filter(
                crate::store::schema::seed_presentations::submission_id
                    .eq(crate::store::schema::submissions::id),
            ),
        )
    };
}

pub mod accepted_awards;
pub mod agreement_reports;
pub mod ai_use;
pub mod approvals;
pub mod assessors;
pub mod audit;
pub mod award_states;
pub mod awards;
pub mod bank_comments;
pub mod bank_items;
pub mod calendars;
pub mod calibration;
pub mod carried_levels;
pub mod cases;
pub mod co_earners;
pub mod coachings;
pub mod cohorts;
pub mod conflicts;
pub mod connection;
pub mod contributions;
pub mod credentials;
pub mod credit;
pub mod decisions;
pub mod drafts;
pub mod endorsements;
mod error;
pub mod evidence;
pub mod evidence_matches;
pub mod external_badges;
pub mod feedback;
pub mod frameworks;
pub mod funnel;
pub mod idempotency;
pub mod installation;
pub mod inventory;
pub mod issuance_log;
pub mod issuer_settings;
pub mod memberships;
pub mod micro_credentials;
pub mod organizations;
pub mod outbox;
pub mod people;
pub mod programs;
pub mod proposals;
pub mod qualifications;
pub mod reciprocity;
pub mod recognitions;
pub mod rehearsals;
pub mod renewals;
pub mod rereads;
pub mod retention;
pub mod reviews;
pub mod schema;
pub mod screenings;
pub mod seeds;
pub mod sessions;
pub mod signing_keys;
pub mod stack_awards;
pub mod stacks;
pub mod status_lists;
pub mod stays;
pub mod submissions;
pub mod succession;
pub mod templates;
pub mod trusted_issuers;

pub use connection::{Database, DatabaseSetting, DbConn, Lease, write};
pub use error::{StoreError, WriteError};
