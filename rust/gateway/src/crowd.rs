//! How many threads work on large requests: all cores where they are free, and never those that single rows wait for.

use crate::failure::{Failure, Kind};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What a thread of large requests yields to those that answer single rows, in steps of `nice`.
const NICE: i32 = 5;

/// Large requests that are worked on at a time, for each core; others wait in line, and not for long.
const SEATS: usize = 2;

pub struct Crowd {
    seats: Arc<Semaphore>,
    seat_count: usize,
    cores: usize,
    /// What a request waits for its turn before it is refused.
    patience: Duration,
    /// Threads that help the one that a request has anyway.
    helpers: AtomicUsize,
}

impl Crowd {
    pub fn new(cores: usize, patience: Duration) -> Self {
        let seat_count = (SEATS * cores).max(4);
        let seats = Arc::new(Semaphore::new(seat_count));
        Self { seats, seat_count, cores, patience, helpers: AtomicUsize::new(0) }
    }

    /// Runs a task beside the threads that read sockets, when it is its turn.
    ///
    /// # Errors
    /// Its turn did not come in time, or the task ended by a mistake of this program.
    pub async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let seat = tokio::time::timeout(self.patience, self.seats.clone().acquire_owned()).await;
        let Ok(Ok(seat)) = seat else {
            let detail = "too much is computed already; try again later";
            return Err(Failure::new(Kind::Overloaded, detail));
        };
        let running = tokio::task::spawn_blocking(move || {
            // Taken along: work goes on to its end even if nobody waits for it any more.
            let _seat = seat;
            yield_to_single_rows();
            task()
        });
        let ended = |_| Failure::new(Kind::Internal, "the prediction ended unexpectedly");
        running.await.map_err(ended)
    }

    /// Works on parts `0..parts`, each thread with a state of its own; the results are in the order of the parts.
    ///
    /// # Errors
    /// The failure of the first part that failed; parts after it may be left undone.
    pub fn each<S, T: Send>(
        &self,
        parts: usize,
        state: impl Fn() -> S + Sync,
        each: impl Fn(&mut S, usize) -> Result<T, Failure> + Sync,
    ) -> Result<Vec<T>, Failure> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(parts));
        let work = |may_stay: &dyn Fn() -> bool| {
            let mut state = state();
            while may_stay() {
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts {
                    return;
                }
                let result = each(&mut state, part);
                if result.is_err() {
                    // Parts are taken in order: those before this one are being worked on.
                    next.fetch_max(parts, Ordering::Relaxed);
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).push((part, result));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..parts {
                let Some(helper) = Helper::hire(self) else { break };
                let work = &work;
                scope.spawn(move || {
                    yield_to_single_rows();
                    work(&|| helper.crowd.is_calm());
                });
            }
            work(&|| true);
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|(part, _)| *part);
        done.into_iter().map(|(_, result)| result).collect()
    }

    /// Whether there are no more large requests than cores, so that one may have several.
    fn is_calm(&self) -> bool {
        self.seat_count - self.seats.available_permits() < self.cores.max(2)
    }
}

/// One thread more for a request, as long as it lives.
struct Helper<'a> {
    crowd: &'a Crowd,
}

impl<'a> Helper<'a> {
    /// There are never more helpers than cores but one.
    fn hire(crowd: &'a Crowd) -> Option<Self> {
        let more = |helpers| (helpers + 1 < crowd.cores).then_some(helpers + 1);
        let hired = crowd.helpers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        hired.then_some(Self { crowd }).filter(|_| crowd.is_calm())
    }
}

impl Drop for Helper<'_> {
    fn drop(&mut self) {
        self.crowd.helpers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets threads that answer single rows go first.
fn yield_to_single_rows() {
    thread_local! {
        static IS_NICE: Cell<bool> = const { Cell::new(false) };
    }
    if !IS_NICE.replace(true) {
        // Linux sets it for the calling thread only; where it cannot be set, all threads are equal.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, NICE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_whose_turn_does_not_come_is_refused() {
        let crowd = Crowd::new(1, Duration::from_millis(1));
        let all = u32::try_from(crowd.seat_count).unwrap();
        let seats = crowd.seats.clone().try_acquire_many_owned(all).unwrap();
        assert_eq!(crowd.run(|| 7).await.unwrap_err().kind, Kind::Overloaded);
        drop(seats);
        assert_eq!(crowd.run(|| 7).await, Ok(7));
    }

    #[test]
    fn results_are_in_the_order_of_the_parts_and_the_first_failure_counts() {
        let crowd = Crowd::new(4, Duration::from_secs(1));
        let all = crowd.each(100, || (), |(), part| Ok(part)).unwrap();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        let fail = |part: usize| Failure::new(Kind::Value, "no").at_row(Some(part));
        let failed = crowd.each(
            100,
            || (),
            |(), part| {
                if part >= 7 {
                    Err(fail(part))
                } else {
                    Ok(part)
                }
            },
        );
        assert_eq!(failed.unwrap_err().row, Some(7));
    }
}
