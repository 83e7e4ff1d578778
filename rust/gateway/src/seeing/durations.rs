//! Durations in buckets, from 25 µs to 10 s.

use super::counts::Shard;
use std::time::Duration;

/// Upper ends in nanoseconds, inclusive. OpenTelemetry's begin at 5 ms, below which almost all answers are here.
pub const ENDS: [u64; 18] = [
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Counters of one histogram: a bucket for each end, one beyond, and the sum in nanoseconds.
pub const WIDTH: usize = ENDS.len() + 2;

/// Counts a duration in the histogram that begins at this counter.
#[inline]
pub fn add(shard: Shard<'_>, first: usize, duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let bucket = ENDS.partition_point(|end| *end < nanoseconds);
    shard.add(first + bucket, 1);
    shard.add(first + WIDTH - 1, nanoseconds);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeing::counts::Counts;

    #[test]
    fn a_duration_counts_up_to_its_end_and_not_beyond() {
        let counts = Counts::new(WIDTH);
        for nanoseconds in [25_000, 25_001, 10_000_000_000, 10_000_000_001] {
            add(counts.shard(), 0, Duration::from_nanos(nanoseconds));
        }
        let found = counts.from(0);
        assert_eq!((found[0], found[1], found[17], found[18]), (1, 1, 1, 1));
        assert_eq!(found[19], 20_000_050_002);
    }
}
