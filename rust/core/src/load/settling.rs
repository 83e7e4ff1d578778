//! The policies of an input field of numbers, for a column at once: without a branch for each number, and without warnings.

use crate::manifest::{Field, Infinite, OnMissing, OnRange};

/// What becomes of numbers outside of a range, and of missing ones; the same as `FieldPlan::check` for each.
pub struct Settling {
    range: (f64, f64),
    refuses_infinite: bool,
    on_range: OnRange,
    on_missing: OnMissing,
    replacement: Option<f64>,
}

impl Settling {
    pub fn new(field: &Field, range: (f64, f64), replacement: Option<f64>) -> Self {
        Self {
            range,
            refuses_infinite: field.infinite == Infinite::Refuse,
            on_range: field.on_range,
            on_missing: field.on_missing,
            replacement,
        }
    }

    /// `false` where a number is refused.
    pub fn apply(&self, numbers: &mut [f64]) -> bool {
        self.settle_range(numbers) && self.settle_missing(numbers)
    }

    fn settle_range(&self, numbers: &mut [f64]) -> bool {
        let (low, high) = self.range;
        let is_outside =
            |x: f64| (x < low) | (x > high) | (self.refuses_infinite & x.is_infinite());
        match self.on_range {
            OnRange::Refuse => numbers.iter().fold(true, |all, x| all & !is_outside(*x)),
            OnRange::Missing => {
                numbers.iter_mut().for_each(|x| *x = if is_outside(*x) { f64::NAN } else { *x });
                true
            }
            OnRange::Clip => numbers.iter_mut().fold(true, |all, x| {
                let is_outside = is_outside(*x);
                *x = if is_outside { x.max(low).min(high) } else { *x };
                all & (!is_outside | x.is_finite())
            }),
        }
    }

    fn settle_missing(&self, numbers: &mut [f64]) -> bool {
        match (self.on_missing, self.replacement) {
            (OnMissing::Allow, _) => true,
            (OnMissing::Replace, Some(other)) => {
                numbers.iter_mut().for_each(|x| *x = if x.is_nan() { other } else { *x });
                true
            }
            _ => numbers.iter().fold(true, |all, x| all & !x.is_nan()),
        }
    }
}
