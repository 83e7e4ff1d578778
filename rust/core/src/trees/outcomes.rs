//! Which rows of a block go left at each test, as bits: what explanations need, which follow all paths at once.

use super::decisions::{Decider, Decision, Input};
use super::ensemble::{Ensemble, Test};
use super::nodes::LAST_RANK;
use super::rules::{category, is_missing, Category, Missing, Rules};
use super::sets::{Tables, MISSING_RANK};
use super::survey::Source;
use crate::plan::block::Block;
use foldhash::HashMap;

/// Bit `r` tells whether row `r` goes left.
pub type Bits = u64;

/// The most rows that a block may have here.
pub const MOST_ROWS: usize = Bits::BITS as usize;

/// The first two outcomes are those of tests that are known: none goes left, all go left.
const KNOWN: [Bits; 2] = [0, Bits::MAX];

/// A test of a value or of a rank, as [`Decision`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Question {
    /// The bits of the cut.
    Cut {
        cut: u64,
        missing_left: bool,
    },
    /// Only missing numbers go left.
    Missing,
    Range {
        low: u32,
        span: u32,
    },
    Set {
        table: u32,
    },
}

/// The tests of an ensemble, each kept once; they decide as the engine that predicts.
pub struct Outcomes {
    rules: Rules,
    sources: Vec<Source>,
    /// A test and the position of its source.
    questions: Vec<(u32, Question)>,
    tables: Tables,
}

/// Memory for the outcomes of a block. It only ever grows.
#[derive(Default)]
pub struct Room {
    values: Vec<Values>,
    /// The rows that go left, by the number of the test.
    pub bits: Vec<Bits>,
}

/// What a source is in each row. Missing numbers are NaN.
#[derive(Clone)]
struct Values {
    numbers: [f64; MOST_ROWS],
    ranks: [u32; MOST_ROWS],
    missing: Bits,
}

/// Collects tests while trees are read.
pub struct Collector<'a> {
    decider: Decider<'a>,
    rules: Rules,
    sources: HashMap<Source, u32>,
    questions: HashMap<(u32, Question), u32>,
}

impl<'a> Collector<'a> {
    /// The ensemble must have been checked with as many inputs.
    pub fn new(ensemble: &'a Ensemble, inputs: &'a [Input]) -> Self {
        Self {
            decider: Decider::new(ensemble, inputs),
            rules: ensemble.rules,
            sources: HashMap::default(),
            questions: HashMap::default(),
        }
    }

    /// The number of a test, among the bits of a block.
    pub fn add(&mut self, feature: u32, test: Test) -> u32 {
        let (source, question) = match self.decider.decide(feature as usize, test) {
            Decision::Always(is_left) => return u32::from(is_left),
            Decision::Cut { source, cut, missing_left } => {
                (source, Question::Cut { cut: cut.to_bits(), missing_left })
            }
            Decision::Range { source: source @ Source::Number { .. }, .. } => {
                (source, Question::Missing)
            }
            Decision::Range { source, low, last } => {
                (source, Question::Range { low, span: last.wrapping_sub(low) })
            }
            Decision::Set { source, table } => (source, Question::Set { table }),
        };
        let next = self.sources.len() as u32;
        let source = *self.sources.entry(source).or_insert(next);
        let next = (KNOWN.len() + self.questions.len()) as u32;
        *self.questions.entry((source, question)).or_insert(next)
    }

    pub fn finish(self) -> Outcomes {
        let mut sources: Vec<_> = self.sources.into_iter().collect();
        sources.sort_unstable_by_key(|(_, at)| *at);
        let mut questions: Vec<_> = self.questions.into_iter().collect();
        questions.sort_unstable_by_key(|(_, at)| *at);
        Outcomes {
            rules: self.rules,
            sources: sources.into_iter().map(|(source, _)| source).collect(),
            questions: questions.into_iter().map(|(question, _)| question).collect(),
            tables: self.decider.tables,
        }
    }
}

impl Outcomes {
    /// Finds the bits of every test for the rows of a block, `MOST_ROWS` at most; bits behind the last row mean nothing.
    pub fn run(&self, block: &Block<'_>, room: &mut Room) {
        let empty =
            Values { numbers: [0.0; MOST_ROWS], ranks: [MISSING_RANK; MOST_ROWS], missing: 0 };
        room.values.resize(self.sources.len(), empty);
        for (source, values) in self.sources.iter().zip(&mut room.values) {
            self.read(*source, block, values);
        }
        room.bits.clear();
        room.bits.extend(KNOWN);
        for (source, question) in &self.questions {
            room.bits.push(self.answer(*question, &room.values[*source as usize], block.rows));
        }
    }

    fn read(&self, source: Source, block: &Block<'_>, values: &mut Values) {
        let rank = |x: f64| match category(x, self.rules.is_single) {
            Category::Missing => MISSING_RANK,
            Category::Number(category) => category.saturating_add(1),
            Category::Negative => LAST_RANK,
        };
        match source {
            Source::Code(register) => {
                values.ranks[..block.rows].copy_from_slice(block.code(register));
            }
            Source::Category(register) | Source::SetCategory(register) => {
                let numbers = block.number(register);
                values.ranks.iter_mut().zip(numbers).for_each(|(to, x)| *to = rank(*x));
            }
            Source::Number { missing, register } => {
                let limit = self.rules.missing_limit(missing);
                values.missing = 0;
                let numbers = values.numbers.iter_mut().zip(block.number(register));
                for (row, (to, x)) in numbers.enumerate() {
                    *to = match (missing, is_missing(*x, limit)) {
                        (Missing::Nothing, true) => 0.0,
                        (_, true) => f64::NAN,
                        _ => *x,
                    };
                    values.missing |= Bits::from(to.is_nan()) << row;
                }
            }
        }
    }

    fn answer(&self, question: Question, values: &Values, rows: usize) -> Bits {
        match question {
            Question::Missing => values.missing,
            Question::Cut { cut, missing_left } => {
                let cut = f64::from_bits(cut);
                let missing = if missing_left { values.missing } else { 0 };
                pack(rows, |row| values.numbers[row] <= cut) | missing
            }
            Question::Range { low, span } => {
                pack(rows, |row| values.ranks[row].wrapping_sub(low) <= span)
            }
            Question::Set { table } => {
                let table = self.tables.tables[table as usize];
                pack(rows, |row| {
                    let bit = values.ranks[row].min(table.limit);
                    self.tables.words[(table.start + bit / 32) as usize] >> (bit % 32) & 1 != 0
                })
            }
        }
    }
}

/// A bit for each row, and some behind the last. Eight at a time, side by side, become vector instructions.
#[inline(always)]
fn pack(rows: usize, is_left: impl Fn(usize) -> bool) -> Bits {
    let mut lanes = [0; 8];
    for start in (0..rows.min(MOST_ROWS)).step_by(lanes.len()) {
        for (lane, bits) in lanes.iter_mut().enumerate() {
            let row = start + lane;
            *bits |= (Bits::from(is_left(row))) << row;
        }
    }
    lanes.into_iter().fold(0, |all, lane| all | lane)
}
