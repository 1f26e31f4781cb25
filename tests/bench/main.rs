//! Benchmarks: `cargo bench`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    missing_docs,
    reason = "a benchmark may fail loudly"
)]

mod credential;
mod images;
mod jwt;
mod service;
#[path = "../it/harness/world.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod world;

fn main() {
    divan::main();
    // `cargo bench` says so; a run of all targets as tests needs no figures.
    if std::env::args().any(|argument| argument == "--bench") {
        service::report_cpu_time();
    }
}
