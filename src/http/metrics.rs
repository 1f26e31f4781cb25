//! Figures for the operator, in the text format of Prometheus. No label carries an id.

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

/// The counters of the process.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    verdicts: IntCounterVec,
    outbox_waiting: IntGauge,
    offices_open: IntGaugeVec,
}

impl Metrics {
    /// Counters at zero.
    ///
    /// # Errors
    /// Only when two of them have the same name.
    pub fn new() -> Result<Metrics, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("assay_http_requests_total", "Requests by operation and status"),
            &["operation", "status"],
        )?;
        let buckets = vec![0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
        let seconds = HistogramVec::new(
            HistogramOpts::new("assay_http_request_seconds", "Time to answer by operation")
                .buckets(buckets),
            &["operation"],
        )?;
        let verdicts =
            IntCounterVec::new(Opts::new("assay_verdicts_total", "Verdicts given"), &["verdict"])?;
        let outbox_waiting = IntGauge::new("assay_outbox_waiting", "Mails that wait to be sent")?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(verdicts.clone()))?;
        registry.register(Box::new(outbox_waiting.clone()))?;
        let offices_open = IntGaugeVec::new(
            Opts::new(
                "assay_offices_open",
                "Organizations with nobody in an office who can be reached",
            ),
            &["role"],
        )?;
        registry.register(Box::new(offices_open.clone()))?;
        Ok(Metrics { registry, requests, seconds, verdicts, outbox_waiting, offices_open })
    }

    /// Counts a request.
    pub fn count_request(&self, operation: &str, status: u16, seconds: f64) {
        self.requests.with_label_values(&[operation, &status.to_string()]).inc();
        self.seconds.with_label_values(&[operation]).observe(seconds);
    }

    /// Counts a verdict.
    pub fn count_verdict(&self, verdict: &str) {
        self.verdicts.with_label_values(&[verdict]).inc();
    }

    /// Sets how many mails wait.
    pub fn set_outbox_waiting(&self, waiting: i64) {
        self.outbox_waiting.set(waiting);
    }

    /// Sets in how many organizations nobody can be reached in an office.
    pub fn set_offices_open(&self, role: &str, n_open: i64) {
        self.offices_open.with_label_values(&[role]).set(n_open);
    }

    /// All figures as text.
    ///
    /// # Errors
    /// Only when a figure cannot be written.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
