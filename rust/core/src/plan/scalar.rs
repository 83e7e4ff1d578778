//! Functions of one number; the unit that plans fold, group and run.

use super::functions::Function;

/// A function from a number to a number. Arithmetic is IEEE f64.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    Add(f64),
    Subtract(f64),
    Multiply(f64),
    Divide(f64),
    /// NaN stays NaN.
    Clip(f64, f64),
    ReplaceMissing(f64),
    /// Where the number equals the first, it becomes the second.
    ReplaceEqual(f64, f64),
    /// 1 where the number is NaN, else 0.
    IsMissing,
    /// 1 where the number equals this, else 0.
    IsEqual(f64),
    /// 1 where the number is above this, else 0.
    Above(f64),
    /// Round to the nearest f32.
    RoundF32,
    Function(Function),
}

impl Scalar {
    #[inline(always)]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Scalar::Add(c) => x + c,
            Scalar::Subtract(c) => x - c,
            Scalar::Multiply(c) => x * c,
            Scalar::Divide(c) => x / c,
            Scalar::Clip(low, high) => clip(x, low, high),
            Scalar::ReplaceMissing(c) => {
                if x.is_nan() {
                    c
                } else {
                    x
                }
            }
            Scalar::ReplaceEqual(from, to) => {
                if x == from {
                    to
                } else {
                    x
                }
            }
            Scalar::IsMissing => f64::from(u8::from(x.is_nan())),
            Scalar::IsEqual(c) => f64::from(u8::from(x == c)),
            Scalar::Above(c) => f64::from(u8::from(x > c)),
            Scalar::RoundF32 => f64::from(x as f32),
            Scalar::Function(function) => function.apply(x),
        }
    }

    /// Applies the function to every number of `source`.
    pub fn apply_all(self, source: &[f64], target: &mut [f64]) {
        // The match is outside the loop, so that each loop is a plain vector loop.
        macro_rules! each {
            ($variant:expr) => {
                for (to, from) in target.iter_mut().zip(source) {
                    *to = $variant.apply(*from);
                }
            };
        }
        match self {
            Scalar::Add(c) => each!(Scalar::Add(c)),
            Scalar::Subtract(c) => each!(Scalar::Subtract(c)),
            Scalar::Multiply(c) => each!(Scalar::Multiply(c)),
            Scalar::Divide(c) => each!(Scalar::Divide(c)),
            Scalar::Clip(low, high) => each!(Scalar::Clip(low, high)),
            Scalar::ReplaceMissing(c) => each!(Scalar::ReplaceMissing(c)),
            Scalar::RoundF32 => each!(Scalar::RoundF32),
            other => each!(other),
        }
    }
}

/// numpy.clip: minimum first, then maximum, NaN stays.
fn clip(x: f64, low: f64, high: f64) -> f64 {
    let x = if x < low { low } else { x };
    if x > high {
        high
    } else {
        x
    }
}
