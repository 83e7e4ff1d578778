//! What a test of a number means, and how rounding, flushing and strictness fold exactly into one cut.

use serde::Deserialize;

/// Numbers up to this magnitude are zero to LightGBM: `kZeroThreshold`, an f32, in its `meta.h`.
pub const ZERO_LIMIT: f32 = 1e-35;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    LessEqual,
    Less,
}

/// Where a category goes that is negative or beyond the words of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherCategory {
    Left,
    Right,
    Missing,
}

/// Which numbers a node takes as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// None: NaN is read as 0.
    Nothing,
    ZeroOrNan,
    Nan,
}

/// What holds for all tests of an ensemble.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    pub comparison: Comparison,
    /// Numbers are rounded to f32 before anything else.
    pub is_single: bool,
    /// Numbers up to `ZERO_LIMIT` are then read as 0.
    pub flush_zero: bool,
    pub other_category: OtherCategory,
}

impl Rules {
    /// The largest number that goes left of this threshold, when it is not missing; `None` if none does.
    ///
    /// Rounding to f32 and flushing are monotone, so that a number need not be rounded or flushed before it is
    /// compared with the cut: `is_left(flush(round(x)), threshold)` is `x <= cut`.
    pub fn cut(&self, threshold: f64) -> Option<f64> {
        if !self.is_single {
            let most = match self.comparison {
                Comparison::LessEqual => threshold,
                Comparison::Less if threshold == f64::NEG_INFINITY => return None,
                Comparison::Less => threshold.next_down(),
            };
            let limit = f64::from(ZERO_LIMIT);
            return Some(if self.flush_zero { unflush(most, limit, f64::next_down) } else { most });
        }
        let floor = floor_f32(threshold);
        let most = match self.comparison {
            Comparison::Less if f64::from(floor) == threshold && floor == f32::NEG_INFINITY => {
                return None;
            }
            Comparison::Less if f64::from(floor) == threshold => floor.next_down(),
            _ => floor,
        };
        let most = if self.flush_zero { unflush(most, ZERO_LIMIT, f32::next_down) } else { most };
        Some(unround(most))
    }

    /// Numbers up to this magnitude are missing; NaN always is, where anything is.
    pub fn missing_limit(&self, missing: Missing) -> f64 {
        match missing {
            Missing::ZeroOrNan if self.is_single => unround(ZERO_LIMIT),
            Missing::ZeroOrNan => f64::from(ZERO_LIMIT),
            Missing::Nothing | Missing::Nan => -1.0,
        }
    }

    /// Whether a number goes left in a numeric test.
    pub fn is_left(&self, x: f64, threshold: f64, missing: Missing, missing_left: bool) -> bool {
        let x = if x.is_nan() && missing == Missing::Nothing { 0.0 } else { x };
        if is_missing(x, self.missing_limit(missing)) {
            return missing_left;
        }
        self.cut(threshold).is_some_and(|cut| x <= cut)
    }

    /// The category that a number stands for.
    pub fn category(&self, x: f64) -> Category {
        category(x, self.is_single)
    }
}

/// NaN, or within the limit around zero.
#[inline(always)]
pub fn is_missing(x: f64, limit: f64) -> bool {
    x.is_nan() | (x.abs() <= limit)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    Missing,
    /// Truncated toward zero; saturates, as sets end long before.
    Number(u32),
    Negative,
}

#[inline(always)]
pub fn category(x: f64, is_single: bool) -> Category {
    let x = if is_single { f64::from(x as f32) } else { x };
    if x.is_nan() {
        Category::Missing
    } else if x <= -1.0 {
        Category::Negative
    } else {
        Category::Number(x as u32)
    }
}

/// The largest f32 that is not above a number.
fn floor_f32(x: f64) -> f32 {
    let nearest = x as f32;
    if f64::from(nearest) > x {
        nearest.next_down()
    } else {
        nearest
    }
}

/// The largest number whose flushed value is not above `most`.
fn unflush<T: Copy + PartialOrd + std::ops::Neg<Output = T> + Default>(
    most: T,
    limit: T,
    next_down: fn(T) -> T,
) -> T {
    if most >= limit || most < -limit {
        most
    } else if most >= T::default() {
        limit
    } else {
        next_down(-limit)
    }
}

/// The largest f64 that rounds to an f32 not above `most`.
fn unround(most: f32) -> f64 {
    if most == f32::INFINITY {
        return f64::INFINITY;
    }
    let (low, high) = (widened(most), widened(most.next_up()));
    // Both have 25 bits at most, so the middle is exact.
    let middle = low + (high - low) / 2.0;
    if middle as f32 <= most {
        middle
    } else {
        middle.next_down()
    }
}

/// Infinities become what their place in the sequence of f32 would be; rounding looks at the distance to it.
fn widened(x: f32) -> f64 {
    const BEYOND: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0; // 2^128
    if x.is_infinite() {
        BEYOND.copysign(f64::from(x))
    } else {
        f64::from(x)
    }
}

#[cfg(test)]
mod checks {
    use super::*;
    use proptest::prelude::*;

    fn rules(comparison: Comparison, is_single: bool, flush_zero: bool) -> Rules {
        Rules { comparison, is_single, flush_zero, other_category: OtherCategory::Right }
    }

    /// The definition in docs/format.md, word by word.
    fn is_left(rules: &Rules, x: f64, threshold: f64) -> bool {
        let x = if rules.is_single { f64::from(x as f32) } else { x };
        let x = if rules.flush_zero && x.abs() <= 1.0000000180025095e-35 { 0.0 } else { x };
        match rules.comparison {
            Comparison::LessEqual => x <= threshold,
            Comparison::Less => x < threshold,
        }
    }

    fn hostile() -> impl Strategy<Value = f64> {
        let special = [
            0.0,
            f64::from_bits(1),
            f64::from(f32::from_bits(1)),
            f64::from(f32::from_bits(1)) / 2.0,
            f64::from(f32::MIN_POSITIVE),
            1e-35,
            f64::from(ZERO_LIMIT),
            f64::from(ZERO_LIMIT.next_up()),
            f64::from(ZERO_LIMIT.next_down()),
            unround(ZERO_LIMIT),
            1.0,
            f64::from(f32::MAX),
            widened(f32::MAX) / 2.0 + widened(f32::INFINITY) / 2.0,
            1e300,
            f64::MAX,
            f64::INFINITY,
        ];
        let near = (prop::sample::select(special.to_vec()), -2i64..=2, any::<bool>()).prop_map(
            |(x, steps, is_negative)| {
                let x = (0..steps).fold(x, |x, _| x.next_up());
                let x = (steps..0).fold(x, |x, _| x.next_down());
                if is_negative {
                    -x
                } else {
                    x
                }
            },
        );
        let half = (any::<f32>(), any::<bool>()).prop_map(|(x, is_between)| {
            let (low, high) = (widened(x), widened(x.next_up()));
            if is_between {
                low + (high - low) / 2.0
            } else {
                low
            }
        });
        prop_oneof![near, half, any::<f64>()].prop_filter("NaN is missing", |x| !x.is_nan())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn test_a_cut_decides_as_the_format_says(
            x in hostile(), threshold in hostile(), is_less: bool, is_single: bool, flush_zero: bool
        ) {
            let comparison = if is_less { Comparison::Less } else { Comparison::LessEqual };
            let rules = rules(comparison, is_single, flush_zero);
            let cut = rules.cut(threshold);
            for x in [x, x.next_up(), x.next_down(), threshold, threshold.next_up(), threshold.next_down()] {
                let folded = cut.is_some_and(|cut| x <= cut);
                prop_assert_eq!(folded, is_left(&rules, x, threshold), "{} against {}", x, threshold);
            }
            if let Some(cut) = cut {
                prop_assert!(is_left(&rules, cut, threshold));
                prop_assert!(cut == f64::INFINITY || !is_left(&rules, cut.next_up(), threshold));
            }
        }

        #[test]
        fn test_zero_is_missing_as_the_format_says(x in hostile(), is_single: bool) {
            let rules = rules(Comparison::LessEqual, is_single, false);
            let rounded = if is_single { f64::from(x as f32) } else { x };
            let is_zero = rounded.abs() <= 1.0000000180025095e-35;
            prop_assert_eq!(is_missing(x, rules.missing_limit(Missing::ZeroOrNan)), is_zero);
            prop_assert!(!is_missing(x, rules.missing_limit(Missing::Nan)));
            prop_assert!(is_missing(f64::NAN, rules.missing_limit(Missing::Nan)));
        }
    }
}
