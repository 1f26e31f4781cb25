//! A gate: so many at once, so many waiting, for so long. What is expensive goes through one.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::Error;

#[derive(Default)]
struct Load {
    running: usize,
    waiting: usize,
}

/// Lets a few through at a time.
pub struct Gate {
    running: usize,
    waiting: usize,
    patience: Duration,
    load: Mutex<Load>,
    freed: Condvar,
}

/// A place inside; it is free again when this is dropped.
pub struct Turn<'a>(&'a Gate);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.load.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
        self.0.freed.notify_one();
    }
}

impl Gate {
    /// A gate for `running` at once, before which at most `waiting` wait for at most `patience`.
    #[must_use]
    pub fn new(running: usize, waiting: usize, patience: Duration) -> Gate {
        Gate { running, waiting, patience, load: Mutex::default(), freed: Condvar::new() }
    }

    /// Waits for a place. Blocks.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait, or after the gate's patience.
    pub fn enter(&self) -> Result<Turn<'_>, Error> {
        let deadline = Instant::now() + self.patience;
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        if load.running >= self.running && load.waiting >= self.waiting {
            return Err(Error::Busy);
        }
        load.waiting += 1;
        while load.running >= self.running {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                load.waiting -= 1;
                return Err(Error::Busy);
            }
            load = self.freed.wait_timeout(load, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        load.waiting -= 1;
        load.running += 1;
        Ok(Turn(self))
    }
}
