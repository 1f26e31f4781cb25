//! The worker: sends mail, issues what waits, keeps house. Beside the requests, and the last to stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::context::Resources;
use super::error::Error;
use super::{external_badges, housekeeping, outbox};

/// The pause between two looks at the outbox.
const TICK: Duration = Duration::from_secs(1);
/// How often leases and waiting awards are looked at.
const OFTEN: Duration = Duration::from_secs(5);
/// How often old rows and files are.
const HOURLY: Duration = Duration::from_secs(3600);
/// How long the worker may go on sending after it was told to stop.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The running worker: one thread for mail and one for everything else, so that a mail server that hangs delays no award.
pub struct Worker {
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<()>>,
}

/// Tells the threads to end, and wakes them for it.
#[derive(Default)]
struct Stop {
    is_told: Mutex<bool>,
    woken: Condvar,
}

impl Stop {
    /// Waits a tick. Returns whether the worker was told to stop.
    fn wait(&self) -> bool {
        let told = self.is_told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told {
            return true;
        }
        *self.woken.wait_timeout(told, TICK).unwrap_or_else(PoisonError::into_inner).0
    }

    fn is_told(&self) -> bool {
        *self.is_told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        *self.is_told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_all();
    }
}

impl Worker {
    /// Starts the worker.
    ///
    /// # Errors
    /// Only when the operating system gives no thread.
    pub fn start(resources: Arc<Resources>) -> std::io::Result<Worker> {
        let stop = Arc::new(Stop::default());
        let spawn = |name: &str, work: fn(&Resources, &Stop)| {
            let (resources, stop) = (Arc::clone(&resources), Arc::clone(&stop));
            std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                // A panic is a fault of ours; it must not end all mail or all issuing until the next start.
                while catch_unwind(AssertUnwindSafe(|| work(&resources, &stop))).is_err()
                    && !stop.wait()
                {
                    tracing::error!("a background thread panicked and begins anew");
                }
            })
        };
        let threads = vec![spawn("mail", send_mail)?, spawn("house", keep_house)?];
        Ok(Worker { stop, threads })
    }

    /// Lets the worker send what is due, then ends it. Blocks until it has.
    pub fn stop(self) {
        self.stop.tell();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a background thread ended in a panic");
            }
        }
    }
}

/// Sends what is due, and on a stop for a little while longer.
fn send_mail(resources: &Resources, stop: &Stop) {
    loop {
        while send_one(resources) && !stop.is_told() {}
        if stop.wait() {
            break;
        }
    }
    let deadline = Instant::now() + LAST_WORDS;
    while Instant::now() < deadline && send_one(resources) {}
}

/// Sends one mail. Returns whether there may be more.
fn send_one(resources: &Resources) -> bool {
    match outbox::send_next(resources) {
        Ok(is_more) => is_more,
        Err(error) => {
            log_failure("the outbox", Err(error));
            false
        }
    }
}

/// Leases, waiting awards, retention. The hourly work begins with the start: a service that is started daily forgets as well.
fn keep_house(resources: &Resources, stop: &Stop) {
    let (mut often, mut hourly) = (None::<Instant>, None::<Instant>);
    loop {
        if often.is_none_or(|last| last.elapsed() >= OFTEN) {
            often = Some(Instant::now());
            log_failure("housekeeping", resources.as_system(housekeeping::often));
        }
        if hourly.is_none_or(|last| last.elapsed() >= HOURLY) {
            hourly = Some(Instant::now());
            log_failure("hourly housekeeping", resources.as_system(housekeeping::hourly));
            // Last, because other people's servers take their time.
            log_failure("checks of badges", external_badges::check_due(resources).map(|_| ()));
        }
        if stop.wait() {
            return;
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
