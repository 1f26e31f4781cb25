//! Logs: one JSON object a line on standard error, each readable alone. Never tokens, keys, addresses or evidence.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Begins to log. A second call changes nothing.
pub fn start(filter: &str) {
    let filter = filter.parse::<EnvFilter>().unwrap_or_else(|_bad| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
