//! Terms of texts, counted by a vocabulary or by their hashes.

use super::Lower;
use crate::budgets::{MAX_PATTERN_STATES, MAX_TERM_LENGTH};
use crate::error::ArtifactError;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::bounds::Bounds;
use crate::plan::element::{Element, SparseRegister, TextRegister, Vector};
use crate::plan::machine::{can_be_empty, State};
use crate::plan::terms::{murmur, Analysis, Analyzer, Mapping, Ranges, MOST_SETS};
use crate::plan::{Lowering, TensorName, TextName};
use foldhash::HashMap;
use serde::Deserialize;

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Word,
    Char,
    CharWb,
}

/// Operators with fields of their own after those that say how a text becomes terms.
macro_rules! cutting {
    ($($name:ident { $($own:ident: $own_type:ty),* })*; $($field:ident: $type:ty),*) => {
        struct Cutting {
            $($field: $type),*
        }

        cutting! { @each [$($name { $($own: $own_type),* })*] { $($field: $type),* } }
    };
    (@each [] $fields:tt) => {};
    (@each [$name:ident { $($own:ident: $own_type:ty),* } $($rest:tt)*]
        { $($field:ident: $type:ty),* }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($field: $type,)*
            $($own: $own_type),*
        }

        impl $name {
            fn split(self) -> (Cutting, ($($own_type),*)) {
                (Cutting { $($field: self.$field),* }, ($(self.$own),*))
            }
        }

        cutting! { @each [$($rest)*] { $($field: $type),* } }
    };
}

cutting! {
    CountTerms { terms: TextName, places: TensorName, width: usize, binary: bool }
    HashTerms { buckets: u32, signed: bool, binary: bool };
    mapped: TensorName,
    becomes: TextName,
    only_ascii: bool,
    cased: Option<TensorName>,
    ignored: Option<TensorName>,
    analyzer: Kind,
    states: Option<TensorName>,
    sets: Option<TensorName>,
    set_ends: Option<TensorName>,
    stop_words: TextName,
    shortest: usize,
    longest: usize
}

impl Cutting {
    fn analysis(&self, lowering: &Lowering<'_>) -> Result<Analysis, ArtifactError> {
        if !(1..=self.longest).contains(&self.shortest) || self.longest > MAX_TERM_LENGTH {
            return Err(lowering.error(&format!(
                "has n-grams of {} to {}; they must ascend from 1 to {MAX_TERM_LENGTH}",
                self.shortest, self.longest
            )));
        }
        let (shortest, longest) = (self.shortest, self.longest);
        let mapping = self.mapping(lowering)?;
        let stop = lowering.texts(&self.stop_words)?;
        let analyzer = match (self.analyzer, &self.states, &self.sets, &self.set_ends) {
            (Kind::Word, Some(states), Some(sets), Some(ends)) => {
                let sets = set_ranges(lowering, sets, ends)?;
                let states = read_states(lowering, states, sets.len())?;
                let stop = stop.into_iter().map(String::into_boxed_str).collect();
                Analyzer::word(states, sets, stop)
            }
            (Kind::Char, None, None, None) if stop.is_empty() => Analyzer::Character,
            (Kind::CharWb, None, None, None) if stop.is_empty() => Analyzer::CharacterInWord,
            _ => {
                return Err(lowering.error(
                    "needs `states`, `sets` and `set_ends` for words; without words it has none, and no `stop_words`",
                ))
            }
        };
        Ok(Analysis { mapping, analyzer, shortest, longest })
    }

    fn mapping(&self, lowering: &Lowering<'_>) -> Result<Mapping, ArtifactError> {
        let codes = u32s(lowering, &self.mapped)?;
        let texts = lowering.texts(&self.becomes)?;
        lowering.check_length(&self.mapped.tensor, codes.len(), texts.len())?;
        let is_character = |code: &u32| char::from_u32(*code).is_some();
        if !codes.iter().all(is_character) || !codes.is_sorted_by(|one, other| one < other) {
            return Err(lowering.error("`mapped` must be characters that ascend"));
        }
        let sigma = match (&self.cased, &self.ignored) {
            (None, None) => None,
            (Some(cased), Some(ignored)) => {
                Some((ranges(lowering, cased)?, ranges(lowering, ignored)?))
            }
            _ => return Err(lowering.error("needs both `cased` and `ignored`, or none")),
        };
        let pairs = codes.into_iter().filter_map(char::from_u32).zip(texts);
        Ok(Mapping::new(pairs, self.only_ascii, sigma))
    }
}

fn u32s(lowering: &Lowering<'_>, name: &TensorName) -> Result<Vec<u32>, ArtifactError> {
    lowering.tensors.u32s(&name.tensor).map_err(|error| lowering.error(&error.0))
}

/// Pairs of code points, both ends included, that ascend without overlap.
fn as_ranges(lowering: &Lowering<'_>, name: &str, codes: &[u32]) -> Result<Ranges, ArtifactError> {
    let (pairs, rest) = codes.as_chunks::<2>();
    let pairs: Vec<(u32, u32)> = pairs.iter().map(|[first, last]| (*first, *last)).collect();
    let ascend = pairs.is_sorted_by(|one, other| one.1 < other.0);
    if !rest.is_empty() || !ascend || pairs.iter().any(|(first, last)| first > last) {
        return Err(lowering.error(&format!("tensor `{name}` must have pairs that ascend")));
    }
    Ok(Ranges(pairs))
}

fn ranges(lowering: &Lowering<'_>, name: &TensorName) -> Result<Ranges, ArtifactError> {
    as_ranges(lowering, &name.tensor, &u32s(lowering, name)?)
}

fn set_ranges(
    lowering: &Lowering<'_>,
    sets: &TensorName,
    ends: &TensorName,
) -> Result<Vec<Ranges>, ArtifactError> {
    let codes = u32s(lowering, sets)?;
    let count = lowering.i32s(ends)?.len();
    if !(1..=MOST_SETS).contains(&count) {
        return Err(lowering.error(&format!("has {count} sets; there are 1 to {MOST_SETS}")));
    }
    let ranges = lowering.ranges(ends, count, codes.len())?;
    ranges.into_iter().map(|range| as_ranges(lowering, &sets.tensor, &codes[range])).collect()
}

fn read_states(
    lowering: &Lowering<'_>,
    name: &TensorName,
    set_count: usize,
) -> Result<Vec<State>, ArtifactError> {
    let numbers = lowering.i32s(name)?;
    let (rows, rest) = numbers.as_chunks::<3>();
    let wrong = |what: &str| lowering.error(&format!("tensor `{}`: {what}", name.tensor));
    if !rest.is_empty() || !(1..=MAX_PATTERN_STATES).contains(&rows.len()) {
        return Err(wrong(&format!("must have 1 to {MAX_PATTERN_STATES} rows of 3")));
    }
    let below = |number: i32, limit: usize| {
        let number = u32::try_from(number).ok().filter(|number| (*number as usize) < limit);
        number.ok_or_else(|| wrong("names a state or a set that is not there"))
    };
    let count = rows.len();
    let state = |[kind, first, second]: &[i32; 3]| {
        Ok(match kind {
            0 => State::Accept,
            1 => State::Take { set: below(*second, set_count)?, next: below(*first, count)? },
            2 => State::Either { first: below(*first, count)?, second: below(*second, count)? },
            3 => State::Boundary { is_one: *second == 1, next: below(*first, count)? },
            _ => return Err(wrong("has an unknown kind of state")),
        })
    };
    let states = rows.iter().map(state).collect::<Result<Vec<_>, _>>()?;
    if can_be_empty(&states) {
        return Err(wrong("finds tokens that are empty"));
    }
    Ok(states)
}

/// Where terms are counted.
enum Places {
    Terms(HashMap<Box<str>, u32>),
    /// So many, and whether half of the hashes count down.
    Hashes(u32, bool),
}

impl Places {
    fn find(&self, term: &str) -> Option<(u32, f64)> {
        match self {
            Self::Terms(places) => places.get(term).map(|at| (*at, 1.0)),
            Self::Hashes(buckets, signed) => {
                let hash = murmur(term.as_bytes());
                let sign = if *signed && hash < 0 { -1.0 } else { 1.0 };
                Some((hash.unsigned_abs() % buckets, sign))
            }
        }
    }
}

/// The elements that come of the only text of the input.
fn counted(
    lowering: &mut Lowering<'_>,
    inputs: Vec<Vector>,
    analysis: Analysis,
    places: Places,
    shape: (usize, bool),
) -> Result<Vector, ArtifactError> {
    let (width, binary) = shape;
    lowering.check_width(width)?;
    let input = lowering.one(inputs)?;
    let [element] = input.as_slice() else {
        return Err(lowering.error("takes one text"));
    };
    let source = lowering.text(element)?;
    let origin = lowering.builder.origin(element);
    let low = if matches!(places, Places::Hashes(_, true)) && !binary { -TERMS } else { 0.0 };
    let bounds = Bounds::new(low, TERMS, false);
    let target = lowering.builder.new_sparse(origin, width, bounds);
    lowering.builder.push(TermsStep { analysis, places, binary, source, target });
    Ok((0..width as u32).map(|at| Element::Sparse { source: target, at }).collect())
}

/// More terms than any text has.
const TERMS: f64 = (1u64 << 53) as f64;

impl Lower for CountTerms {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let (cutting, (terms, places, width, binary)) = self.split();
        let analysis = cutting.analysis(lowering)?;
        let terms = lowering.texts(&terms)?;
        let numbers = lowering.i32s(&places)?;
        lowering.check_length(&places.tensor, numbers.len(), terms.len())?;
        let count = terms.len();
        let mut index = HashMap::default();
        for (term, place) in terms.into_iter().zip(numbers) {
            let place = u32::try_from(place).ok().filter(|place| (*place as usize) < width);
            let place = place.ok_or_else(|| lowering.error("has a place beyond its width"))?;
            index.insert(term.into_boxed_str(), place);
        }
        if index.len() != count {
            return Err(lowering.error("has a term twice"));
        }
        counted(lowering, inputs, analysis, Places::Terms(index), (width, binary))
    }
}

impl Lower for HashTerms {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let (cutting, (buckets, signed, binary)) = self.split();
        let analysis = cutting.analysis(lowering)?;
        if buckets == 0 {
            return Err(lowering.error("has no `buckets`"));
        }
        let places = Places::Hashes(buckets, signed);
        counted(lowering, inputs, analysis, places, (buckets as usize, binary))
    }
}

struct TermsStep {
    analysis: Analysis,
    places: Places,
    binary: bool,
    source: TextRegister,
    target: SparseRegister,
}

impl Step for TermsStep {
    fn run(&self, block: &mut Block<'_>) {
        let rows = block.rows;
        let mut room = std::mem::take(&mut block.workspace.terms);
        let mut hits = std::mem::take(&mut room.hits);
        block.write_sparse(self.target, |column, block| {
            for row in 0..rows {
                hits.clear();
                if let Some(text) = block.text(self.source, row) {
                    self.analysis
                        .terms(text, &mut room, |term| hits.extend(self.places.find(term)));
                }
                hits.sort_unstable_by_key(|(at, _)| *at);
                for same in hits.chunk_by(|(one, _), (other, _)| one == other) {
                    let count = same.iter().map(|(_, sign)| sign).sum();
                    column.push(same[0].0, if self.binary { 1.0 } else { count });
                }
                column.end_row();
            }
        });
        room.hits = hits;
        block.workspace.terms = room;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsText(&mut self.source));
        visit(Access::WritesSparse(&mut self.target));
    }

    fn describe(&self) -> String {
        match &self.places {
            Places::Terms(terms) => format!("sparse row of {} terms of a text", terms.len()),
            Places::Hashes(buckets, _) => {
                format!("sparse row of terms of a text in {buckets} buckets")
            }
        }
    }

    fn memory(&self) -> usize {
        let terms = match &self.places {
            Places::Terms(terms) => terms.iter().map(|(term, _)| term.len() + 32).sum(),
            Places::Hashes(..) => 0,
        };
        terms + self.analysis.memory()
    }
}
