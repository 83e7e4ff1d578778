//! Counters that many threads add to: no lock, and no line of memory that all of them fight for.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Most copies of the counters. Threads beyond that share.
const MOST_SHARDS: usize = 16;

static NEXT_THREAD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: Cell<usize> = Cell::new(NEXT_THREAD.fetch_add(1, Ordering::Relaxed));
}

/// A row of counters, which only ever grow.
pub struct Counts {
    shards: Vec<Box<[AtomicU64]>>,
    width: usize,
}

impl Counts {
    pub fn new(width: usize) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = threads.next_power_of_two().min(MOST_SHARDS);
        // Shards end on lines of their own: the last counters of one are not beside the first of another.
        let padded = width.next_multiple_of(16) + 16;
        let shard = || (0..padded).map(|_| AtomicU64::new(0)).collect();
        Self { shards: (0..shards).map(|_| shard()).collect(), width }
    }

    /// The counters of this thread.
    #[inline]
    pub fn shard(&self) -> Shard<'_> {
        let at = THREAD.with(Cell::get) & (self.shards.len() - 1);
        Shard(self.shards.get(at).map_or(&[], |shard| shard))
    }

    #[inline]
    pub fn add(&self, at: usize, count: u64) {
        self.shard().add(at, count);
    }

    /// Counters that go up and down, as long as all threads together never go below 0.
    pub fn subtract(&self, at: usize, count: u64) {
        self.shard().add(at, count.wrapping_neg());
    }

    pub fn get(&self, at: usize) -> u64 {
        let values = self.shards.iter().filter_map(|shard| shard.get(at));
        values.fold(0, |sum, value| sum.wrapping_add(value.load(Ordering::Relaxed)))
    }

    /// All counters from a position on.
    pub fn from(&self, first: usize) -> Vec<u64> {
        (first..self.width).map(|at| self.get(at)).collect()
    }

    /// Bytes of all counters.
    pub fn memory(&self) -> usize {
        self.shards.iter().map(|shard| size_of_val::<[AtomicU64]>(shard)).sum()
    }
}

/// The counters of one thread, or of a few.
#[derive(Clone, Copy)]
pub struct Shard<'a>(&'a [AtomicU64]);

impl Shard<'_> {
    #[inline]
    pub fn add(self, at: usize, count: u64) {
        if let Some(counter) = self.0.get(at) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_all_threads_are_one_sum() {
        let counts = Counts::new(3);
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| (0..1000).for_each(|_| counts.add(1, 2)));
            }
        });
        assert_eq!(counts.from(0), [0, 64_000, 0]);
    }

    #[test]
    fn what_one_thread_adds_another_may_take_back() {
        let counts = Counts::new(1);
        counts.add(0, 5);
        std::thread::scope(|scope| drop(scope.spawn(|| counts.subtract(0, 4))));
        assert_eq!(counts.get(0), 1);
    }
}
