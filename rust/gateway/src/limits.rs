//! How much is done at a time: requests in flight, and open files.

use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

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
}
