//! What was counted in the last hour and the last day, from a few sums that are kept on the way.

use std::collections::VecDeque;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Name of a window, its length, and how often its sums are kept; all in seconds.
const WINDOWS: [(&str, u64, u64); 2] = [("hour", HOUR, 5 * MINUTE), ("day", 24 * HOUR, HOUR)];

/// Sums of counters at some times, oldest first. Memory is bounded by the number of times.
pub struct Windows {
    kept: [VecDeque<(u64, Box<[u64]>)>; WINDOWS.len()],
}

impl Windows {
    /// Sums that are kept at most.
    pub const MOST_KEPT: usize = 14 + 26;

    /// Nothing was counted at second 0.
    pub fn new(width: usize) -> Self {
        Self { kept: std::array::from_fn(|_| VecDeque::from([(0, vec![0; width].into())])) }
    }

    /// Keeps the sums where the last ones are old enough.
    pub fn tick(&mut self, now: u64, sums: impl Fn() -> Vec<u64>) {
        for ((_, length, step), kept) in WINDOWS.iter().zip(&mut self.kept) {
            if kept.back().is_some_and(|(at, _)| now < at + step) {
                continue;
            }
            kept.push_back((now, sums().into()));
            // One must be older than the window, and none else.
            while kept.get(1).is_some_and(|(at, _)| at + length <= now) {
                kept.pop_front();
            }
        }
    }

    /// What was counted in each window, and in how many seconds: somewhat more than the window has, or less if counting
    /// began later.
    pub fn within(&self, now: u64, sums: &[u64]) -> Vec<(&'static str, u64, Vec<u64>)> {
        let windows = WINDOWS.iter().zip(&self.kept);
        let windows = windows.filter_map(|((name, length, _), kept)| {
            let old = kept.iter().rev().find(|(at, _)| at + length <= now);
            let (at, before) = old.or(kept.front())?;
            let counts = sums.iter().zip(before).map(|(now, before)| now.wrapping_sub(*before));
            Some((*name, now.saturating_sub(*at), counts.collect()))
        });
        windows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One thing is counted every second.
    fn at(windows: &mut Windows, now: u64) -> Vec<(&'static str, u64, u64)> {
        windows.tick(now, || vec![now]);
        let within = windows.within(now, &[now]);
        within.into_iter().map(|(name, seconds, counts)| (name, seconds, counts[0])).collect()
    }

    #[test]
    fn a_window_holds_what_was_counted_within_it_and_no_more() {
        let mut windows = Windows::new(1);
        assert_eq!(at(&mut windows, 100), [("hour", 100, 100), ("day", 100, 100)]);
        for now in 0..=3 * 24 * 60 {
            at(&mut windows, now * MINUTE);
        }
        let now = 3 * 24 * HOUR;
        assert_eq!(at(&mut windows, now), [("hour", HOUR, HOUR), ("day", 24 * HOUR, 24 * HOUR)]);
        let (_, seconds, count) = at(&mut windows, now + 4 * MINUTE)[0];
        assert_eq!((seconds, count), (HOUR + 4 * MINUTE, HOUR + 4 * MINUTE));
    }

    #[test]
    fn sums_that_are_kept_are_few_whatever_the_time() {
        let mut windows = Windows::new(1);
        for now in 0..10_000 {
            at(&mut windows, now * MINUTE);
        }
        assert!(windows.kept[0].len() + windows.kept[1].len() <= Windows::MOST_KEPT);
    }
}
