//! How much is done at a time: requests in flight, large bodies that are computed, and open files.

use crate::failure::{Failure, Kind};
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Counts what is in flight.
#[derive(Debug, Default)]
pub struct Gate(AtomicUsize);

/// A place in a gate, free again when dropped.
pub struct Place(Arc<Gate>);

impl Gate {
    /// A place, unless `most` are taken.
    pub fn enter(self: &Arc<Self>, most: usize) -> Option<Place> {
        let place = Place(self.clone());
        match self.0.fetch_add(1, Ordering::Relaxed) < most {
            true => Some(place),
            false => None,
        }
    }

    /// Places that are taken.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0 .0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Work that takes so long that it is done beside the threads that read sockets: as much at a time as there are workers,
/// and what would wait for long is refused instead.
pub struct Bench {
    seats: Arc<Semaphore>,
    patience: Duration,
}

impl Bench {
    pub fn new(workers: usize, patience: Duration) -> Self {
        Self { seats: Arc::new(Semaphore::new(workers)), patience }
    }

    /// Does the work in its turn.
    ///
    /// # Errors
    /// Its turn did not come in time.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let seat = tokio::time::timeout(self.patience, self.seats.clone().acquire_owned()).await;
        let Ok(Ok(seat)) = seat else {
            let detail = "too much is computed already; try again later";
            return Err(Failure::new(Kind::Overloaded, detail));
        };
        let task = tokio::task::spawn_blocking(move || {
            // Taken along: work goes on to its end even if nobody waits for it any more.
            let _seat = seat;
            work()
        });
        let ended = |_| Failure::new(Kind::Internal, "the prediction ended unexpectedly");
        task.await.map_err(ended)
    }
}

/// Lets the process open as many files as it may; each connection is one.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_has_as_many_places_as_it_may_and_gets_them_back() {
        let gate = Arc::new(Gate::default());
        let first = gate.enter(2);
        let second = gate.enter(2);
        assert!(first.is_some() && second.is_some());
        assert!(gate.enter(2).is_none());
        drop(first);
        assert_eq!(gate.count(), 1);
        assert!(gate.enter(2).is_some());
    }

    #[tokio::test]
    async fn work_whose_turn_does_not_come_is_refused() {
        let bench = Bench::new(1, Duration::from_millis(1));
        let (free, wait) = std::sync::mpsc::channel::<()>();
        let _first = bench.seats.clone().try_acquire_owned().unwrap();
        let refused = bench.run(move || wait.recv()).await;
        assert_eq!(refused.unwrap_err().kind, Kind::Overloaded);
        drop((free, _first));
        assert_eq!(bench.run(|| 7).await, Ok(7));
    }
}
