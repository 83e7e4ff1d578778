//! What each test of an ensemble comes to on the elements that it is given: nothing, a cut, a range or a set.

use super::ensemble::{Ensemble, Node, Test};
use super::folds::Folds;
use super::nodes::LAST_RANK;
use super::rules::{Category, Missing, OtherCategory};
use super::sets::{Membership, Tables};
use super::survey::Source;
use crate::plan::builder::Lookup;
use crate::plan::element::{CodeRegister, Element, Register};
use std::sync::Arc;

/// An element that trees can test.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    Number {
        register: Register,
        may_be_missing: bool,
    },
    /// A number that ascends with a code.
    Ordinal {
        register: Register,
        lookup: Arc<Lookup>,
    },
    Constant(f64),
    Indicator {
        code: CodeRegister,
        equals: u32,
        on: f64,
        off: f64,
    },
}

impl Input {
    /// `None` for codes and texts, which are no numbers.
    pub fn new(element: &Element, folds: &Folds) -> Option<Self> {
        match element {
            Element::Number(register) => {
                let (register, may_be_missing) = (*register, folds.may_be_missing(*register));
                Some(match folds.ordinals.get(&register) {
                    Some(lookup) => Self::Ordinal { register, lookup: lookup.clone() },
                    None => Self::Number { register, may_be_missing },
                })
            }
            Element::Constant(value) => Some(Self::Constant(*value)),
            Element::Indicator { code, equals, on, off } => {
                Some(Self::Indicator { code: *code, equals: *equals, on: *on, off: *off })
            }
            // Elements of sparse rows were made numbers before.
            Element::Sparse { .. } | Element::Code(_) | Element::Text(_) | Element::Made(_) => None,
        }
    }
}

/// Which rows go left. Ranks are those of the plane of `source`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// All of them, or none.
    Always(bool),
    /// Numbers up to the cut, and the missing ones if `missing_left`.
    Cut { source: Source, cut: f64, missing_left: bool },
    /// Ranks from `low` to `last`, past the largest and on from 0 if `last` is below `low`.
    Range { source: Source, low: u32, last: u32 },
    /// Ranks whose bit is set in the table.
    Set { source: Source, table: u32 },
}

/// A node as rows can see it: tests whose outcome is known are gone.
pub enum Settled {
    Leaf { row: u32 },
    Split { decision: Decision, left: usize, right: usize },
}

/// Decides the tests of one ensemble.
pub struct Decider<'a> {
    ensemble: &'a Ensemble,
    inputs: &'a [Input],
    /// Of each set, with missing categories going right and left; only those that are used.
    memberships: Vec<[Membership; 2]>,
    pub tables: Tables,
}

impl<'a> Decider<'a> {
    /// The ensemble must have been checked with as many inputs.
    pub fn new(ensemble: &'a Ensemble, inputs: &'a [Input]) -> Self {
        let mut is_used = vec![[false; 2]; ensemble.set_ends.len()];
        for at in 0..ensemble.features.len() {
            if let Node::Split { feature, test: Test::Category { set, missing_left }, .. } =
                ensemble.node(0, at)
            {
                let input = &inputs[feature as usize];
                let is_number = matches!(input, Input::Number { .. } | Input::Ordinal { .. });
                is_used[set as usize][usize::from(missing_left)] |= is_number;
            }
        }
        let mut tables = Tables::default();
        let mut membership = |set: usize, missing_left: bool| {
            if is_used[set][usize::from(missing_left)] {
                tables.add(ensemble.set(set), missing_left, ensemble.rules.other_category)
            } else {
                Membership::Always(false)
            }
        };
        let memberships = (0..ensemble.set_ends.len())
            .map(|set| [false, true].map(|missing_left| membership(set, missing_left)))
            .collect();
        Self { ensemble, inputs, memberships, tables }
    }

    /// The node that rows really come to when they come to this one.
    pub fn settle(&self, root: usize, mut at: usize) -> Settled {
        loop {
            match self.ensemble.node(root, at) {
                Node::Leaf { row } => return Settled::Leaf { row },
                Node::Split { feature, test, left, right } => {
                    let (left, right) = (left as usize, right as usize);
                    match self.decide(feature as usize, test) {
                        Decision::Always(is_left) => at = if is_left { left } else { right },
                        decision => return Settled::Split { decision, left, right },
                    }
                }
            }
        }
    }

    pub(super) fn decide(&self, feature: usize, test: Test) -> Decision {
        match &self.inputs[feature] {
            Input::Ordinal { register, lookup } => self
                .decide_ordinal(lookup, test)
                .unwrap_or_else(|| self.decide_number(*register, true, test)),
            Input::Number { register, may_be_missing } => {
                self.decide_number(*register, *may_be_missing, test)
            }
            Input::Constant(value) => Decision::Always(self.is_left(*value, test)),
            Input::Indicator { code, equals, on, off } => {
                let source = Source::Code(*code);
                match (self.is_left(*on, test), self.is_left(*off, test)) {
                    (true, false) => Decision::Range { source, low: *equals, last: *equals },
                    (false, true) => Decision::Range {
                        source,
                        low: equals.wrapping_add(1),
                        last: equals.wrapping_sub(1),
                    },
                    (left, _) => Decision::Always(left),
                }
            }
        }
    }

    fn decide_number(&self, register: Register, may_be_missing: bool, test: Test) -> Decision {
        match test {
            Test::Number { threshold, missing, missing_left } => {
                let missing = match missing {
                    // Planes that never meet what is missing are the same.
                    Missing::Nan if !may_be_missing => Missing::Nothing,
                    missing => missing,
                };
                self.decide_cut(register, threshold, missing, missing_left)
            }
            Test::Category { set, missing_left } => {
                match self.memberships[set as usize][usize::from(missing_left)] {
                    Membership::Always(left) => Decision::Always(left),
                    Membership::Range { low, last } => {
                        Decision::Range { source: Source::Category(register), low, last }
                    }
                    Membership::Table(table) => {
                        Decision::Set { source: Source::SetCategory(register), table }
                    }
                }
            }
        }
    }

    /// A number that ascends with a code, by the code; `None` where that is no range of codes.
    fn decide_ordinal(&self, lookup: &Lookup, test: Test) -> Option<Decision> {
        let Test::Number { missing: Missing::Nothing | Missing::Nan, .. } = test else {
            return None;
        };
        let source = Source::Code(lookup.code);
        let present = lookup.values.len() as u32;
        let last_missing = (present + lookup.missing as u32).wrapping_sub(1);
        let count = lookup.values.partition_point(|value| self.is_left(*value, test)) as u32;
        let absent_left = self.is_left(lookup.absent, test);
        let missing_left = match lookup.missing {
            0 => absent_left,
            _ => self.is_left(f64::NAN, test),
        };
        // Codes of missing numbers follow the others; no code is the last rank, from where ranges go on at 0.
        let (low, last) = match (count, missing_left, absent_left) {
            (0, false, false) => return Some(Decision::Always(false)),
            (count, true, true) if count == present => return Some(Decision::Always(true)),
            (0, true, true) => (present, LAST_RANK),
            (0, false, true) => (LAST_RANK, LAST_RANK),
            (0, true, false) => (present, last_missing),
            (count, true, true) => (present, count - 1),
            (count, false, true) => (LAST_RANK, count - 1),
            (count, false, false) => (0, count - 1),
            (count, true, false) if count == present => (0, last_missing),
            (_, true, false) => return None,
        };
        Some(Decision::Range { source, low, last })
    }

    fn decide_cut(
        &self,
        register: Register,
        threshold: f64,
        missing: Missing,
        missing_left: bool,
    ) -> Decision {
        let source = Source::Number { register, missing };
        let has_missing = missing != Missing::Nothing;
        let missing_left = missing_left && has_missing;
        match self.ensemble.rules.cut(threshold) {
            None if missing_left => Decision::Range { source, low: LAST_RANK, last: LAST_RANK },
            None => Decision::Always(false),
            Some(f64::INFINITY) if missing_left || !has_missing => Decision::Always(true),
            Some(cut) => Decision::Cut { source, cut, missing_left },
        }
    }

    /// The outcome for a number that is known now.
    fn is_left(&self, x: f64, test: Test) -> bool {
        let rules = &self.ensemble.rules;
        match test {
            Test::Number { threshold, missing, missing_left } => {
                rules.is_left(x, threshold, missing, missing_left)
            }
            Test::Category { set, missing_left } => {
                let word = |category: u32| {
                    let words = self.ensemble.set(set as usize);
                    words.get(category as usize / 32).map(|word| word >> (category % 32) & 1 != 0)
                };
                let found = match rules.category(x) {
                    Category::Missing => return missing_left,
                    Category::Negative => None,
                    Category::Number(category) => word(category),
                };
                found.unwrap_or(match rules.other_category {
                    OtherCategory::Left => true,
                    OtherCategory::Right => false,
                    OtherCategory::Missing => missing_left,
                })
            }
        }
    }
}

#[cfg(test)]
mod checks {
    use super::super::rules::{Comparison, Rules};
    use super::*;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = f64> {
        let special = vec![f64::NEG_INFINITY, -1.0, -0.0, 0.0, 1e-36, 1e-35, 1.0, f64::INFINITY];
        prop_oneof![prop::sample::select(special), (-3i32..9).prop_map(f64::from), -9.0..9.0f64]
    }

    fn rules() -> impl Strategy<Value = Rules> {
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(is_less, is_single, flush_zero)| {
                let comparison = if is_less { Comparison::Less } else { Comparison::LessEqual };
                Rules { comparison, is_single, flush_zero, other_category: OtherCategory::Right }
            },
        )
    }

    fn ensemble(rules: Rules) -> Ensemble {
        Ensemble {
            rules,
            ends: vec![],
            features: vec![],
            thresholds: vec![],
            left: vec![],
            right: vec![],
            flags: vec![],
            leaf_count: 0,
            set_ends: vec![],
            set_words: vec![],
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn test_a_code_decides_as_the_number_that_is_looked_up(
            rules in rules(),
            mut values in prop::collection::vec(number(), 0..9),
            missing in 0usize..3,
            absent in prop_oneof![Just(f64::NAN), number()],
            threshold in number(),
            rule in prop::sample::select(vec![Missing::Nothing, Missing::ZeroOrNan, Missing::Nan]),
            missing_left: bool,
        ) {
            values.sort_by(f64::total_cmp);
            let ensemble = ensemble(rules);
            let inputs = [];
            let decider = Decider::new(&ensemble, &inputs);
            let test = Test::Number { threshold, missing: rule, missing_left };
            let lookup = Lookup { code: 0, values: values.clone(), missing, absent };
            let Some(decision) = decider.decide_ordinal(&lookup, test) else { return Ok(()) };
            let codes = values.into_iter().chain(std::iter::repeat_n(f64::NAN, missing));
            let codes = codes.enumerate().map(|(code, value)| (code as u32, value));
            for (code, value) in codes.chain([(LAST_RANK, absent)]) {
                let is_left = match decision {
                    Decision::Always(is_left) => is_left,
                    Decision::Range { low, last, .. } => {
                        code.wrapping_sub(low) <= last.wrapping_sub(low)
                    }
                    other => panic!("{other:?} is no test of a code"),
                };
                prop_assert_eq!(is_left, rules.is_left(value, threshold, rule, missing_left));
            }
        }
    }
}
