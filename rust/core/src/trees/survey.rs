//! Gathers the cuts of all tests and gives each source its plane; only needed while a forest is packed.

use super::folds::Folds;
use super::grid::{Grid, Grids};
use super::nodes::LAST_RANK;
use super::planes::{NumberPlane, Planes};
use super::rules::{Missing, Rules};
use crate::plan::chain::{key, unkey, Chain, Fold};
use crate::plan::element::{CodeRegister, Register};
use foldhash::HashMap;

/// What a plane is made from, in the order of the planes, apart from numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    Code(CodeRegister),
    Category(Register),
    Number {
        missing: Missing,
        register: Register,
    },
    /// A category that is tested with sets.
    SetCategory(Register),
}

/// Cuts times functions that are folded; more would make planning slow, and keep their steps.
const MOST_FOLDING: usize = 1 << 24;

/// Collects the cuts of all tests.
#[derive(Default)]
pub struct Survey {
    cuts: HashMap<Source, Vec<i64>>,
}

/// Where each source got its plane, to place tests on it.
pub struct Places {
    /// The number of the plane and the keys of its cuts, ascending.
    places: HashMap<Source, (u32, Vec<i64>)>,
}

impl Survey {
    /// Asks for a plane.
    pub fn add(&mut self, source: Source) -> &mut Vec<i64> {
        self.cuts.entry(source).or_default()
    }

    pub fn add_cut(&mut self, source: Source, cut: f64) {
        self.add(source).push(key(cut));
    }

    /// Planes for everything that was asked for; those of numbers in `folds` look at the root instead.
    pub fn finish(self, rules: &Rules, folds: &Folds) -> (Planes, Places) {
        let mut sources: Vec<_> = self.cuts.into_iter().collect();
        for (_, cuts) in &mut sources {
            cuts.sort_unstable();
            cuts.dedup();
        }
        sources.sort_unstable_by_key(|(source, _)| match source {
            Source::Code(_) | Source::Category(_) => (0, *source),
            Source::Number { .. } => (1, *source),
            Source::SetCategory(_) => (2, *source),
        });
        let mut planes = Planes::new(rules.is_single);
        let mut budget = MOST_FOLDING;
        let mut places = HashMap::default();
        for (source, cuts) in sources {
            // `Planes` puts one of its own first.
            let plane = places.len() as u32 + 1;
            match source {
                Source::Code(register) => planes.codes.push(register),
                Source::Category(register) => planes.categories.push(register),
                Source::SetCategory(register) => planes.set_categories.push(register),
                Source::Number { register, missing } => {
                    let fold = folds.numbers.get(&register).filter(|fold| {
                        budget = budget.saturating_sub(cuts.len() * fold.chain.scalars().len());
                        // A limit around zero would have to be folded as well.
                        budget > 0 && missing != Missing::ZeroOrNan
                    });
                    let unfolded = Fold::none(register);
                    let fold = fold.unwrap_or(&unfolded);
                    let plane = NumberPlane {
                        register: fold.root,
                        grid: grid(&mut planes.grids, &cuts, &fold.chain),
                        missing: missing_rank(&cuts, missing, fold),
                        limit: rules.missing_limit(missing),
                    };
                    planes.numbers.push(plane);
                }
            }
            places.insert(source, (plane, cuts));
        }
        (planes, Places { places })
    }
}

/// The grid of the cuts before a chain. Some may be the same there; ranks stay those after it.
fn grid(grids: &mut Grids, cuts: &[i64], chain: &Chain) -> Grid {
    let keys: Vec<_> = cuts.iter().map(|cut| chain.last_key(unkey(*cut))).collect();
    let below = keys.iter().filter(|cut| **cut < key(f64::NEG_INFINITY)).count();
    let numbers: Vec<_> = keys[below..].iter().map(|cut| unkey(*cut)).collect();
    grids.add(below, &numbers)
}

fn missing_rank(cuts: &[i64], missing: Missing, fold: &Fold) -> u32 {
    match (fold.missing, missing) {
        (Some(image), _) if !image.is_nan() => rank(cuts, image),
        // NaN is read as 0.
        (_, Missing::Nothing) => rank(cuts, 0.0),
        (_, Missing::ZeroOrNan | Missing::Nan) => LAST_RANK,
    }
}

impl Places {
    /// The number of a plane.
    pub fn plane(&self, source: Source) -> u32 {
        self.places[&source].0
    }

    /// The number of a plane and the rank of one of its cuts.
    pub fn cut(&self, source: Source, cut: f64) -> (u32, u32) {
        let (plane, cuts) = &self.places[&source];
        (*plane, rank(cuts, cut))
    }

    /// The largest number of cuts of a plane, which is its largest rank but for the last.
    pub fn longest(&self) -> u32 {
        self.places.values().map(|(_, cuts)| cuts.len() as u32).max().unwrap_or(0)
    }
}

fn rank(cuts: &[i64], cut: f64) -> u32 {
    let key = key(cut);
    cuts.partition_point(|other| *other < key) as u32
}

#[cfg(test)]
mod checks {
    use super::super::planes::Registers;
    use super::super::rules::{Comparison, OtherCategory};
    use super::*;

    use crate::plan::functions::Function;
    use crate::plan::scalar::Scalar;
    use proptest::prelude::*;

    const RULES: Rules = Rules {
        comparison: Comparison::LessEqual,
        is_single: false,
        flush_zero: false,
        other_category: OtherCategory::Right,
    };

    fn number() -> impl Strategy<Value = f64> {
        let special = vec![
            f64::NAN,
            f64::NEG_INFINITY,
            -1e300,
            -1.0,
            -0.0,
            0.0,
            5e-324,
            1e-35,
            0.1,
            1.0,
            f64::from(f32::MAX),
            f64::INFINITY,
        ];
        prop_oneof![prop::sample::select(special), -9.0..9.0f64, any::<f64>()]
    }

    fn scalar() -> impl Strategy<Value = Scalar> {
        let positive = prop_oneof![Just(0.1), Just(3.0), 1e-3..1e3f64, Just(1e200), Just(5e-324)];
        prop_oneof![
            (-9.0..9.0f64).prop_map(Scalar::Add),
            (-9.0..9.0f64).prop_map(Scalar::Subtract),
            positive.clone().prop_map(Scalar::Multiply),
            positive.prop_map(Scalar::Divide),
            (-9.0..0.0f64, -1.0..9.0f64).prop_map(|(low, high)| Scalar::Clip(low, high)),
            number().prop_map(Scalar::ReplaceMissing),
            Just(Scalar::IsMissing),
            Just(Scalar::Above(0.5)),
            Just(Scalar::RoundF32),
            Just(Scalar::Function(Function::Floor)),
        ]
    }

    fn ranks(cuts: &[f64], missing: Missing, folds: &Folds, numbers: &[f64; 2]) -> u32 {
        let mut survey = Survey::default();
        let source = Source::Number { register: 1, missing };
        survey.add(source);
        cuts.iter().for_each(|cut| survey.add_cut(source, *cut));
        let (planes, _) = survey.finish(&RULES, folds);
        let mut ranks = [0u32; 2];
        planes.rank_row(Registers { numbers, codes: &[], rows: 1 }, 0, &mut ranks);
        ranks[1]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn test_a_folded_number_has_the_rank_of_the_number_itself(
            scalars in prop::collection::vec(scalar(), 1..6),
            cuts in prop::collection::vec(number().prop_filter("no threshold", |x| !x.is_nan()), 0..6),
            missing in prop::sample::select(vec![Missing::Nothing, Missing::ZeroOrNan, Missing::Nan]),
            x in number(),
        ) {
            let (start, chain) = Chain::longest(&scalars);
            prop_assert_eq!(start, 0, "{:?} is no chain", scalars);
            let image = Some(chain.apply(f64::NAN));
            let fold = Fold { root: 0, chain: chain.clone(), missing: image };
            let mut folds = Folds::default();
            folds.numbers.insert(1, fold);
            let near = cuts.iter().map(|cut| unkey(chain.last_key(*cut).max(key(f64::NEG_INFINITY))));
            for x in [x].into_iter().chain(near).flat_map(|x| [x.next_down(), x, x.next_up()]) {
                let numbers = [x, chain.apply(x)];
                let folded = ranks(&cuts, missing, &folds, &numbers);
                prop_assert_eq!(folded, ranks(&cuts, missing, &Folds::default(), &numbers), "{}", x);
            }
        }
    }
}
