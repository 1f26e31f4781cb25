//! Counting SQL statements, each where it is sent: on the thread that waits for its answer.

use std::cell::Cell;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

thread_local! {
    static SENT: Cell<u64> = const { Cell::new(0) };
}

/// Counts on every connection that is opened from now on: call it before the service starts. What has to be tried again counts each
/// time, and so do the first and the last statement of a transaction.
pub fn count_statements() {
    fn counter() -> Option<Box<dyn Instrumentation>> {
        Some(Box::new(|event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                SENT.set(SENT.get() + 1);
            }
        }))
    }
    set_default_instrumentation(counter).unwrap();
}

/// What `work` returns, and how many statements it has sent on this thread.
pub fn statements_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = SENT.get();
    let value = work();
    (value, SENT.get() - before)
}
