//! Chains of monotone functions, turned around: a test of the last number becomes one of the first, with the same
//! outcome for every number.

use super::element::Register;
use super::scalar::Scalar;

/// Functions of a chain; what is longer keeps its beginning as steps.
pub const MOST_SCALARS: usize = 16;

/// Functions that are applied one after the other; together they never decrease and make no number NaN.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chain {
    scalars: Vec<Scalar>,
}

/// A number as a function of another, its root.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    pub root: Register,
    pub chain: Chain,
    /// What a missing root becomes, which may be NaN; `None` where the root is never missing.
    pub missing: Option<f64>,
}

impl Fold {
    /// The number itself.
    pub fn none(register: Register) -> Self {
        Self { root: register, chain: Chain::default(), missing: Some(f64::NAN) }
    }

    /// Whether the number itself can be missing.
    pub fn can_be_missing(&self) -> bool {
        self.missing.is_some_and(f64::is_nan)
    }
}

/// An integer for each number that is not NaN, in the same order, with one for both zeros.
#[inline(always)]
pub fn key(x: f64) -> i64 {
    // -0.0 + 0.0 is 0.0.
    let bits = (x + 0.0).to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// The number of a key between those of the infinities.
pub fn unkey(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63) as u64 >> 1) as i64) as u64)
}

impl Chain {
    /// The longest end of `scalars` that is a chain, and how many it leaves out.
    pub fn longest(scalars: &[Scalar]) -> (usize, Self) {
        let rising = scalars.iter().rev().take_while(|scalar| scalar.is_rising()).count();
        let first = scalars.len() - rising.min(MOST_SCALARS);
        (first..=scalars.len())
            .find_map(|start| {
                let chain = Self { scalars: scalars[start..].to_vec() };
                chain.is_total().then_some((start, chain))
            })
            .unwrap_or((scalars.len(), Self::default()))
    }

    /// Whether no number becomes NaN on the way: what never decreases is NaN at one of the ends, or nowhere.
    fn is_total(&self) -> bool {
        [f64::NEG_INFINITY, f64::INFINITY].into_iter().all(|end| {
            let mut images = self.scalars.iter().scan(end, |x, scalar| {
                *x = scalar.apply(*x);
                Some(*x)
            });
            images.all(|x| !x.is_nan())
        })
    }

    pub fn is_empty(&self) -> bool {
        self.scalars.is_empty()
    }

    pub fn scalars(&self) -> &[Scalar] {
        &self.scalars
    }

    /// The chain with one more function at its end, which must be rising.
    pub fn then(&self, scalar: Scalar) -> Self {
        Self { scalars: self.scalars.iter().copied().chain([scalar]).collect() }
    }

    pub fn apply(&self, x: f64) -> f64 {
        self.scalars.iter().fold(x, |x, scalar| scalar.apply(x))
    }

    /// The key of the largest number that becomes `most` or less; one below all keys where none does.
    pub fn last_key(&self, most: f64) -> i64 {
        if self.is_empty() {
            return key(most);
        }
        let is_low = |key: i64| self.apply(unkey(key)) <= most;
        let (first, last) = (key(f64::NEG_INFINITY), key(f64::INFINITY));
        if is_low(last) {
            return last;
        }
        if !is_low(first) {
            return i64::MIN;
        }
        let guess = self.guess(most);
        let guess = if guess.is_nan() { 0 } else { key(guess) };
        // Rounding puts the guess a few steps off, so it is left in steps that double.
        let (mut low, mut high, mut step) = (guess, guess, 1i64);
        while !is_low(low) {
            (high, low) = (low, low.saturating_sub(step).max(first));
            step = step.saturating_mul(2);
        }
        while low == high || is_low(high) {
            (low, high) = (high, high.saturating_add(step).min(last));
            step = step.saturating_mul(2);
        }
        // The infinities are further apart than an i64 can tell.
        while high.wrapping_sub(low) as u64 > 1 {
            let middle = low.wrapping_add((high.wrapping_sub(low) as u64 / 2) as i64);
            if is_low(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// About the number that becomes `image`.
    fn guess(&self, image: f64) -> f64 {
        self.scalars.iter().rev().fold(image, |y, scalar| match scalar {
            Scalar::Add(c) => y - c,
            Scalar::Subtract(c) => y + c,
            Scalar::Multiply(c) => y / c,
            Scalar::Divide(c) => y * c,
            _ => y,
        })
    }
}

#[cfg(test)]
mod checks {
    use super::*;
    use crate::plan::functions::Function;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = f64> {
        let special = prop::sample::select(vec![
            0.0,
            -0.0,
            5e-324,
            2.2250738585072014e-308,
            1e-45,
            1e-35,
            0.1,
            1.0,
            3.0,
            1e6,
            f64::from(f32::MAX),
            1e300,
            f64::MAX,
            f64::INFINITY,
            -1.0,
            -1e-300,
            -1e300,
            f64::NEG_INFINITY,
        ]);
        prop_oneof![special, any::<f64>(), -1e3..1e3f64, (-100i32..100).prop_map(f64::from)]
    }

    fn scalar() -> impl Strategy<Value = Scalar> {
        use Function::{Ceil, Degrees, Floor, Log, Rint, Sign, Sqrt, Square, Trunc};
        let functions = vec![Ceil, Degrees, Floor, Log, Rint, Sign, Sqrt, Square, Trunc];
        prop_oneof![
            number().prop_map(Scalar::Add),
            number().prop_map(Scalar::Subtract),
            number().prop_map(Scalar::Multiply),
            number().prop_map(Scalar::Divide),
            (number(), number()).prop_map(|(low, high)| Scalar::Clip(low, high)),
            number().prop_map(Scalar::ReplaceMissing),
            (number(), number()).prop_map(|(from, to)| Scalar::ReplaceEqual(from, to)),
            Just(Scalar::IsMissing),
            number().prop_map(Scalar::Above),
            Just(Scalar::RoundF32),
            prop::sample::select(functions).prop_map(Scalar::Function),
        ]
    }

    fn neighbors(x: f64) -> [f64; 3] {
        [x.next_down(), x, x.next_up()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn test_a_folded_cut_decides_as_the_chain(
            scalars in prop::collection::vec(scalar(), 0..6), cut in number(), numbers in [number(), number(), number()]
        ) {
            let (start, chain) = Chain::longest(&scalars);
            let last = chain.last_key(cut);
            let near = if last == i64::MIN { f64::NEG_INFINITY } else { unkey(last) };
            for x in numbers.into_iter().chain([cut, near, f64::MAX, f64::MIN]).flat_map(neighbors) {
                if x.is_nan() {
                    continue;
                }
                let image = scalars[start..].iter().fold(x, |x, scalar| scalar.apply(x));
                prop_assert!(!image.is_nan(), "{} of {:?}", x, chain);
                prop_assert_eq!(key(x) <= last, image <= cut, "{} against {} after {:?}", x, cut, chain);
            }
        }

        #[test]
        fn test_keys_are_numbers_in_their_order(x in number(), y in number()) {
            prop_assert_eq!(key(x) < key(y), x < y);
            prop_assert_eq!(unkey(key(x)), x);
        }
    }

    #[test]
    fn test_what_falls_or_makes_nan_stays_a_step() {
        let (root, chain) = Chain::longest(&[Scalar::Add(1.0), Scalar::Function(Function::Sqrt)]);
        assert_eq!((root, chain.scalars().len()), (2, 0));
        let clipped = [Scalar::Clip(0.0, 9.0), Scalar::Function(Function::Sqrt)];
        assert_eq!(Chain::longest(&clipped).0, 0);
        assert_eq!(
            Chain::longest(&[Scalar::Add(1.0), Scalar::Multiply(-1.0), Scalar::Add(1.0)]).0,
            2
        );
    }
}
