//! Functions of one number; the unit that plans fold, group and run.

use super::functions::Function;
use super::pairs::is_true;
use std::fmt;
use std::mem::{discriminant, Discriminant};

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
    /// The function, but missing where it makes a finite number infinite: Python raises there.
    Finite(Function),
    /// 1 where the number is 0 or missing, else 0.
    Not,
    /// Round to so many decimal digits, as Python does.
    Round(u32),
}

/// A function as something that can be compared and hashed.
pub type Identity = (Discriminant<Scalar>, u64, u64);

/// Runs a loop over numbers with the match outside of it, so that each becomes a plain vector loop.
macro_rules! each_scalar {
    ($scalar:expr, |$name:ident| $loop:expr) => {
        match $scalar {
            Scalar::Add(c) => {
                let $name = Scalar::Add(c);
                $loop
            }
            Scalar::Subtract(c) => {
                let $name = Scalar::Subtract(c);
                $loop
            }
            Scalar::Multiply(c) => {
                let $name = Scalar::Multiply(c);
                $loop
            }
            Scalar::Divide(c) => {
                let $name = Scalar::Divide(c);
                $loop
            }
            Scalar::Clip(low, high) => {
                let $name = Scalar::Clip(low, high);
                $loop
            }
            Scalar::ReplaceMissing(c) => {
                let $name = Scalar::ReplaceMissing(c);
                $loop
            }
            Scalar::RoundF32 => {
                let $name = Scalar::RoundF32;
                $loop
            }
            Scalar::Above(c) => {
                let $name = Scalar::Above(c);
                $loop
            }
            Scalar::IsMissing => {
                let $name = Scalar::IsMissing;
                $loop
            }
            Scalar::Not => {
                let $name = Scalar::Not;
                $loop
            }
            $name => $loop,
        }
    };
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
            Scalar::Finite(function) => {
                let y = function.apply(x);
                if y.is_infinite() && x.is_finite() {
                    f64::NAN
                } else {
                    y
                }
            }
            Scalar::Not => f64::from(u8::from(!is_true(x))),
            Scalar::Round(digits) => round(x, digits),
        }
    }

    /// Whether it never decreases, and makes NaN of a number only at the ends of what it takes.
    ///
    /// IEEE arithmetic with a constant is exact but for rounding, and rounding keeps the order. Of logarithms and the
    /// like no platform promises that.
    pub fn is_rising(self) -> bool {
        match self {
            Scalar::Add(c) | Scalar::Subtract(c) => c.is_finite(),
            Scalar::Multiply(c) | Scalar::Divide(c) => c.is_finite() && c > 0.0,
            Scalar::Clip(low, high) => !low.is_nan() && !high.is_nan(),
            Scalar::ReplaceMissing(_) | Scalar::IsMissing | Scalar::Above(_) | Scalar::RoundF32 => {
                true
            }
            Scalar::Function(function) => function.is_rising(),
            Scalar::ReplaceEqual(..)
            | Scalar::IsEqual(_)
            | Scalar::Finite(_)
            | Scalar::Not
            | Scalar::Round(_) => false,
        }
    }

    /// Equal for functions that are the same to the bit.
    pub fn identity(self) -> Identity {
        let (first, second) = match self {
            Scalar::Add(c)
            | Scalar::Subtract(c)
            | Scalar::Multiply(c)
            | Scalar::Divide(c)
            | Scalar::ReplaceMissing(c)
            | Scalar::IsEqual(c)
            | Scalar::Above(c) => (c.to_bits(), 0),
            Scalar::Clip(low, high) => (low.to_bits(), high.to_bits()),
            Scalar::ReplaceEqual(from, to) => (from.to_bits(), to.to_bits()),
            Scalar::IsMissing | Scalar::RoundF32 | Scalar::Not => (0, 0),
            Scalar::Round(digits) => (digits.into(), 0),
            Scalar::Function(function) | Scalar::Finite(function) => (function as u64, 0),
        };
        (discriminant(&self), first, second)
    }

    /// Applies the function to every number of `source`.
    pub fn apply_all(self, source: &[f64], target: &mut [f64]) {
        if let Scalar::Function(function) = self {
            return function.apply_all(source, target);
        }
        each_scalar!(self, |scalar| {
            target.iter_mut().zip(source).for_each(|(to, from)| *to = scalar.apply(*from));
        });
    }

    /// Applies the function to every number.
    pub fn apply_in_place(self, numbers: &mut [f64]) {
        each_scalar!(self, |scalar| numbers.iter_mut().for_each(|x| *x = scalar.apply(*x)));
    }
}

/// Python's `round(x, digits)`: the f64 nearest to the decimal number that is nearest to x, ties to even.
fn round(x: f64, digits: u32) -> f64 {
    if digits == 0 || !x.is_finite() {
        return x.round_ties_even();
    }
    let power = 10f64.powi(digits as i32);
    let scaled = x * power;
    // Far from a tie the error of the product does not matter, and both operands of the division are exact.
    if scaled.abs() < (1u64 << 40) as f64 && ((scaled - scaled.floor()) - 0.5).abs() > 1e-3 {
        return scaled.round() / power;
    }
    let digits = digits as usize;
    format!("{x:.digits$}").parse().unwrap_or(x)
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

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Add(c) => write!(formatter, "add {c}"),
            Scalar::Subtract(c) => write!(formatter, "subtract {c}"),
            Scalar::Multiply(c) => write!(formatter, "multiply by {c}"),
            Scalar::Divide(c) => write!(formatter, "divide by {c}"),
            Scalar::Clip(low, high) => write!(formatter, "clip to {low} and {high}"),
            Scalar::ReplaceMissing(c) => write!(formatter, "missing is {c}"),
            Scalar::ReplaceEqual(from, to) => write!(formatter, "{from} is {to}"),
            Scalar::IsMissing => formatter.write_str("is missing"),
            Scalar::IsEqual(c) => write!(formatter, "equals {c}"),
            Scalar::Above(c) => write!(formatter, "above {c}"),
            Scalar::RoundF32 => formatter.write_str("round to f32"),
            Scalar::Function(function) | Scalar::Finite(function) => {
                formatter.write_str(function.name())
            }
            Scalar::Not => formatter.write_str("not"),
            Scalar::Round(digits) => write!(formatter, "round to {digits} digits"),
        }
    }
}
