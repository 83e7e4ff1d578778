//! Planes: each maps a number or code of a row to a small rank, so that tests compare integers and nothing is lost.
//!
//! The rank of a number is the count of cuts below it, so `x <= cuts[j]` is `rank(x) <= j`, whatever `x` is.

use super::nodes::{Word, LAST_RANK};
use super::rules::{category, is_missing, Category, Missing, Rules};
use super::sets::MISSING_RANK;
use crate::plan::element::{CodeRegister, Register};
use foldhash::HashMap;

/// What a plane is made from. The order is that of the planes: those whose tests are sets come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Always rank 0, so that leaves, which all test plane 0, never test a set.
    Nothing,
    Number {
        register: Register,
        missing: Missing,
    },
    Code(CodeRegister),
    Category(Register),
    SetCategory(Register),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Plane {
    Nothing,
    Number {
        register: Register,
        /// Position of the first key.
        start: usize,
        /// There are `2^steps - 1` keys.
        steps: u32,
        /// Rank of a missing number.
        missing: u32,
        /// Numbers up to this magnitude are missing.
        limit: f64,
    },
    Code(CodeRegister),
    Category(Register),
}

/// All planes of a forest.
#[derive(Debug)]
pub struct Planes {
    planes: Vec<Plane>,
    /// Ascending keys of the cuts of all planes, each filled up to `2^steps - 1` with the largest key.
    keys: Vec<i64>,
    /// Planes from here on are tested with sets.
    pub first_set: usize,
    /// Categories are rounded to f32 first.
    is_single: bool,
}

/// Where each source got its plane, to place tests on it.
pub struct Places {
    /// Plane, first key and number of cuts.
    places: HashMap<Source, (u32, usize, usize)>,
}

/// Collects the cuts of all tests.
#[derive(Default)]
pub struct Survey {
    cuts: HashMap<Source, Vec<i64>>,
}

impl Survey {
    /// Asks for a plane.
    pub fn add(&mut self, source: Source) -> &mut Vec<i64> {
        self.cuts.entry(source).or_default()
    }

    pub fn add_cut(&mut self, source: Source, cut: f64) {
        self.add(source).push(key(cut));
    }

    /// Planes for everything that was asked for. The largest rank of a cut is that of the longest plane.
    pub fn finish(mut self, rules: &Rules) -> (Planes, Places) {
        self.add(Source::Nothing);
        let mut sources: Vec<_> = self.cuts.into_iter().collect();
        for (_, cuts) in &mut sources {
            cuts.sort_unstable();
            cuts.dedup();
        }
        // Planes of equal length follow each other, for the branch predictor.
        sources.sort_unstable_by_key(|(source, cuts)| {
            (matches!(source, Source::SetCategory(_)), steps(cuts.len()), *source)
        });
        let is_set = |(source, _): &&(Source, _)| matches!(source, Source::SetCategory(_));
        let first_set = sources.len() - sources.iter().filter(is_set).count();
        let (mut keys, mut planes) = (Vec::new(), Vec::new());
        let mut places = HashMap::default();
        for (at, (source, cuts)) in sources.into_iter().enumerate() {
            places.insert(source, (at as u32, keys.len(), cuts.len()));
            planes.push(plane(source, &cuts, keys.len(), rules));
            keys.extend_from_slice(&cuts);
            keys.resize(keys.len() + (1 << steps(cuts.len())) - 1 - cuts.len(), i64::MAX);
        }
        keys.shrink_to_fit();
        let planes = Planes { planes, keys, first_set, is_single: rules.is_single };
        (planes, Places { places })
    }
}

fn plane(source: Source, cuts: &[i64], start: usize, rules: &Rules) -> Plane {
    match source {
        Source::Nothing => Plane::Nothing,
        Source::Code(register) => Plane::Code(register),
        Source::Category(register) | Source::SetCategory(register) => Plane::Category(register),
        Source::Number { register, missing } => Plane::Number {
            register,
            start,
            steps: steps(cuts.len()),
            missing: match missing {
                // NaN is read as 0.
                Missing::Nothing => rank(cuts, 0.0),
                Missing::ZeroOrNan | Missing::Nan => LAST_RANK,
            },
            limit: rules.missing_limit(missing),
        },
    }
}

/// Halvings that find a place among so many cuts.
fn steps(cuts: usize) -> u32 {
    usize::BITS - cuts.leading_zeros()
}

fn rank(cuts: &[i64], cut: f64) -> u32 {
    let key = key(cut);
    cuts.partition_point(|other| *other < key) as u32
}

/// An integer for each number that is not NaN, in the same order, with one for both zeros.
#[inline(always)]
fn key(x: f64) -> i64 {
    // -0.0 + 0.0 is 0.0.
    let bits = (x + 0.0).to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

impl Places {
    /// The number of a plane.
    pub fn plane(&self, source: Source) -> u32 {
        self.places[&source].0
    }

    /// The largest number of cuts of a plane.
    pub fn longest(&self) -> u32 {
        self.places.values().map(|(_, _, count)| *count as u32).max().unwrap_or(0)
    }

    /// The number of a plane and the rank of one of its cuts.
    pub fn cut(&self, planes: &Planes, source: Source, cut: f64) -> (u32, u32) {
        let (plane, start, count) = self.places[&source];
        (plane, rank(&planes.keys[start..start + count], cut))
    }
}

impl Planes {
    pub fn len(&self) -> usize {
        self.planes.len()
    }

    pub fn cut_count(&self) -> usize {
        self.keys.iter().filter(|key| **key != i64::MAX).count()
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.planes.as_slice()) + size_of_val(self.keys.as_slice())
    }

    /// Ranks of rows `first..first + ROWS` in every plane; rows behind the last get some rank.
    ///
    /// `numbers` and `codes` hold `rows` values per register; `ranks` gets `ROWS` per plane.
    pub fn rank<W: Word, const ROWS: usize>(
        &self,
        (numbers, codes): (&[f64], &[u32]),
        rows: usize,
        first: usize,
        ranks: &mut [W],
    ) {
        for (plane, ranks) in self.planes.iter().zip(ranks.as_chunks_mut::<ROWS>().0) {
            *ranks = match *plane {
                Plane::Nothing => [W::truncate(0); ROWS],
                Plane::Number { register, start, steps, missing, limit } => {
                    let values = take(numbers, register, rows, first);
                    let keys = &self.keys[start..start + (1 << steps) - 1];
                    let ranks = search::<ROWS>(keys, steps, values.map(key));
                    std::array::from_fn(|row| {
                        let is_missing = is_missing(values[row], limit);
                        W::saturate(if is_missing { missing } else { ranks[row] as u32 })
                    })
                }
                Plane::Code(register) => take(codes, register, rows, first).map(W::saturate),
                Plane::Category(register) => {
                    take(numbers, register, rows, first).map(|x| self.category(x))
                }
            };
        }
    }

    fn category<W: Word>(&self, x: f64) -> W {
        W::saturate(match category(x, self.is_single) {
            Category::Missing => MISSING_RANK,
            Category::Number(category) => category.saturating_add(1),
            Category::Negative => LAST_RANK,
        })
    }
}

/// The values of a register in rows `first..first + ROWS`; zeros behind the last row.
#[inline(always)]
fn take<T: Copy + Default, const ROWS: usize>(
    all: &[T],
    register: u32,
    rows: usize,
    first: usize,
) -> [T; ROWS] {
    let start = register as usize * rows;
    let values = &all[start + first..start + rows];
    match values.first_chunk::<ROWS>() {
        Some(values) => *values,
        None => std::array::from_fn(|row| values.get(row).copied().unwrap_or_default()),
    }
}

/// For each target the number of keys below it, of `2^steps - 1`.
#[inline(always)]
fn search<const ROWS: usize>(keys: &[i64], steps: u32, targets: [i64; ROWS]) -> [usize; ROWS] {
    let mut below = [0; ROWS];
    for step in (0..steps).rev() {
        let half = 1usize << step;
        for (below, target) in below.iter_mut().zip(&targets) {
            if keys[*below + half - 1] < *target {
                *below += half;
            }
        }
    }
    below
}
