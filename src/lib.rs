//! Assay: educator micro-credentials, assessed against a public rubric and issued as Open Badges 3.0.
//!
//! The house has four floors and imports point down, never up or sideways:
//! [`http`] over [`service`] over [`store`], [`mail`], [`files`], [`images`] and [`fetch`], over the two ground
//! floors [`domain`] and [`credential`], which are pure and do not know each other. `docs/ARCHITECTURE.md` is the map.

pub mod cli;
pub mod config;
pub mod credential;
pub mod domain;
pub mod fetch;
pub mod files;
pub mod http;
pub mod images;
pub mod mail;
pub mod service;
pub mod store;
pub mod telemetry;
