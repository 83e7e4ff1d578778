//! Gathers the cuts of all tests and gives each source its plane; only needed while a forest is packed.

use super::nodes::LAST_RANK;
use super::planes::{key, NumberPlane, Planes};
use super::rules::{Missing, Rules};
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

    /// Planes for everything that was asked for.
    pub fn finish(self, rules: &Rules) -> (Planes, Places) {
        let mut sources: Vec<_> = self.cuts.into_iter().collect();
        for (_, cuts) in &mut sources {
            cuts.sort_unstable();
            cuts.dedup();
        }
        // Numbers with as many halvings follow each other, so that several can be searched at once.
        sources.sort_unstable_by_key(|(source, cuts)| match source {
            Source::Code(_) | Source::Category(_) => (0, 0, *source),
            Source::Number { .. } => (1, steps(cuts.len()), *source),
            Source::SetCategory(_) => (2, 0, *source),
        });
        let mut planes = Planes::new(rules.is_single);
        let mut places = HashMap::default();
        for (source, cuts) in sources {
            // `Planes` puts one of its own first.
            let plane = places.len() as u32 + 1;
            match source {
                Source::Code(register) => planes.codes.push(register),
                Source::Category(register) => planes.categories.push(register),
                Source::SetCategory(register) => planes.set_categories.push(register),
                Source::Number { register, missing } => {
                    let plane = NumberPlane {
                        register,
                        start: planes.heaps.len(),
                        steps: steps(cuts.len()),
                        missing: match missing {
                            // NaN is read as 0.
                            Missing::Nothing => rank(&cuts, 0.0),
                            Missing::ZeroOrNan | Missing::Nan => LAST_RANK,
                        },
                        limit: rules.missing_limit(missing),
                    };
                    append_heap(&mut planes.heaps, &cuts, plane.steps);
                    planes.numbers.push(plane);
                }
            }
            places.insert(source, (plane, cuts));
        }
        planes.heaps.shrink_to_fit();
        (planes, Places { places })
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

/// Halvings that find a place among so many cuts.
fn steps(cuts: usize) -> u32 {
    usize::BITS - cuts.leading_zeros()
}

fn rank(cuts: &[i64], cut: f64) -> u32 {
    let key = key(cut);
    cuts.partition_point(|other| *other < key) as u32
}

/// Appends `2^steps - 1` keys, the cuts and then the largest key, as a binary heap: the middle one first, then those
/// in the middle of each half, and so on.
fn append_heap(heaps: &mut Vec<i64>, cuts: &[i64], steps: u32) {
    let (start, size) = (heaps.len(), (1 << steps) - 1);
    heaps.resize(start + size, i64::MAX);
    for (at, cut) in cuts.iter().enumerate() {
        let place = at + 1;
        let height = place.trailing_zeros();
        let first = (1 << (steps - 1 - height)) - 1;
        heaps[start + first + (place >> (height + 1))] = *cut;
    }
}
