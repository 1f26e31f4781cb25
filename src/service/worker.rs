//! The worker: sends mail, issues what waits, keeps house. One thread beside the requests, the last to stop.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::context::Resources;
use super::error::Error;
use super::{housekeeping, outbox};

/// The pause between two looks at the outbox.
const TICK: Duration = Duration::from_secs(1);
/// How often leases and waiting awards are looked at.
const OFTEN: Duration = Duration::from_secs(5);
/// How often old rows and files are.
const HOURLY: Duration = Duration::from_secs(3600);
/// How long the worker may go on sending after it was told to stop.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The running worker.
pub struct Worker {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the worker.
    ///
    /// # Errors
    /// Only when the operating system gives no thread.
    pub fn start(resources: Arc<Resources>) -> std::io::Result<Worker> {
        let (stop, stopped) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("worker".to_owned()).spawn(move || {
            let mut often = Instant::now();
            let mut hourly = Instant::now();
            loop {
                send_due(&resources, None);
                if often.elapsed() >= OFTEN {
                    often = Instant::now();
                    log_failure("housekeeping", resources.as_system(housekeeping::often));
                }
                if hourly.elapsed() >= HOURLY {
                    hourly = Instant::now();
                    log_failure("hourly housekeeping", resources.as_system(housekeeping::hourly));
                }
                match stopped.recv_timeout(TICK) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            send_due(&resources, Some(Instant::now() + LAST_WORDS));
        })?;
        Ok(Worker { stop, thread })
    }

    /// Lets the worker send what is due, then ends it. Blocks until it has.
    pub fn stop(self) {
        // A full channel means that it was told already.
        let _told = self.stop.try_send(());
        if self.thread.join().is_err() {
            tracing::error!("the worker ended in a panic");
        }
    }
}

/// Sends everything that is due, until the deadline if there is one.
fn send_due(resources: &Resources, deadline: Option<Instant>) {
    while deadline.is_none_or(|deadline| Instant::now() < deadline) {
        match resources.as_system(outbox::send_next) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return log_failure("the outbox", Err(error)),
        }
    }
}

fn log_failure(what: &str, result: Result<(), Error>) {
    match result {
        Ok(()) | Err(Error::NotInitialized) => {}
        Err(Error::Busy) => tracing::warn!(what, "the database is busy; tried again later"),
        Err(error) => tracing::error!(what, error = ?error, "a background job failed"),
    }
}
