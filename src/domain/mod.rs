//! The domain: micro-credentials, how they are scored, and what follows from it. Pure: no I/O, no clock, no randomness.

pub mod decision_rule;
pub mod definition;
pub mod review_policy;
pub mod rubric;
