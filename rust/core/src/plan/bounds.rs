//! What is certain of a number in every row that was not refused before.

use super::wide::wide;

/// The numbers from `low` to `high`, and perhaps missing ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub low: f64,
    pub high: f64,
    pub may_be_missing: bool,
}

impl Bounds {
    pub const ALL: Self = Self::new(f64::NEG_INFINITY, f64::INFINITY, true);
    pub const FINITE: Self = Self::new(f64::MIN, f64::MAX, true);

    pub const fn new(low: f64, high: f64, may_be_missing: bool) -> Self {
        Self { low, high, may_be_missing }
    }

    /// What is in both.
    pub fn both(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
            may_be_missing: self.may_be_missing && other.may_be_missing,
        }
    }

    /// Whether the number is within; without a branch.
    #[inline(always)]
    pub fn hold(&self, x: f64) -> bool {
        ((x >= self.low) & (x <= self.high)) | (self.may_be_missing & x.is_nan())
    }
}

wide! {
    /// Whether all numbers are within.
    pub fn hold_all(bounds: Bounds, numbers: &[f64]) -> bool {
        numbers.iter().fold(true, |hold, x| hold & bounds.hold(*x))
    }
}
