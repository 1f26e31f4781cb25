//! Benchmarks: `cargo bench`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    missing_docs,
    reason = "a benchmark may fail loudly"
)]

mod credential;

fn main() {
    divan::main();
}
