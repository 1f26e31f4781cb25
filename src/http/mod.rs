//! HTTP: parses requests, renders answers. The JSON API and the pages do not know each other.

pub mod api;
pub mod app;
pub mod gate;
pub mod metrics;
pub mod middleware;
pub mod openapi;
pub mod problem;
pub mod request;
pub mod routes;
pub mod server;
pub mod web;
