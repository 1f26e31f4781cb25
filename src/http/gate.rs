//! A gate: so many at once, so many waiting, for so long. What is expensive goes through one before it takes a thread or a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use crate::service::Error;

/// Lets a few through at a time.
pub struct Gate {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    patience: Duration,
}

impl Gate {
    /// A gate for `running` at once, before which at most `most_waiting` wait for at most `patience`.
    #[must_use]
    pub fn new(running: usize, most_waiting: usize, patience: Duration) -> Gate {
        Gate {
            places: Arc::new(Semaphore::new(running)),
            waiting: AtomicUsize::new(0),
            most_waiting,
            patience,
        }
    }

    /// Waits for a place, which is free again when what is returned is dropped.
    ///
    /// # Errors
    /// `busy` when too many wait, or after the gate's patience.
    pub async fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::begin(&self.waiting, self.most_waiting)?;
        match tokio::time::timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_closed)) => Err(Error::Busy.into()),
            Err(_late) => Err(Error::Busy.into()),
        }
    }
}

/// Somebody who waits; counted as long as they do, also when they go away.
struct Waiting<'a>(&'a AtomicUsize);

impl Waiting<'_> {
    fn begin(waiting: &AtomicUsize, most: usize) -> Result<Waiting<'_>, Problem> {
        let waiter = Waiting(waiting);
        if waiting.fetch_add(1, Ordering::SeqCst) >= most {
            return Err(Error::Busy.into());
        }
        Ok(waiter)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
