//! Rows and answers that outlive their request: for capture and for shadows.

use crate::catalog::Route;
use penstock_core::cell::Cell;
use penstock_core::predict::Answer;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// Rows of a request that are kept; those after them are neither captured nor shadowed.
pub const MOST_ROWS: usize = 1_000;

/// Shadows that a route can have.
pub const MOST_SHADOWS: usize = 32;

thread_local! {
    static RANDOM: std::cell::Cell<u64> = std::cell::Cell::new(RandomState::new().hash_one(0));
}

/// A value of its own; texts are parts of one long text.
#[derive(Debug, Clone)]
enum Kept {
    Cell(Cell<'static>),
    Text(Range<usize>),
    Lexical(Range<usize>),
}

#[derive(Debug, Clone)]
enum KeptAnswer {
    Number(f64),
    Code(u32),
    Text(Option<Range<usize>>),
}

/// What is copied of a request, and what for.
#[derive(Debug, Clone, Default)]
pub struct Copied {
    texts: String,
    cells: Vec<Kept>,
    answers: Vec<KeptAnswer>,
    /// Positions of the rows in the request.
    rows: Vec<usize>,
    pub is_captured: bool,
    /// A bit for each shadow.
    shadows: u32,
}

/// Whether this is one of a share of all cases.
fn is_drawn(share: f64) -> bool {
    if share <= 0.0 || share >= 1.0 {
        return share >= 1.0;
    }
    // SplitMix64 (Steele, Lea, Flood 2014): fast, and good enough to draw a sample.
    let state = RANDOM.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    RANDOM.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let mixed = mixed ^ (mixed >> 31);
    ((mixed >> 11) as f64) < share * (1u64 << 53) as f64
}

impl Copied {
    /// What is to be filled for a request; `None` if nobody wants a copy of it.
    pub fn of(route: &Route) -> Option<Self> {
        if route.capture.is_none() && route.shadows.is_empty() {
            return None;
        }
        let is_captured = route.capture.as_ref().is_some_and(|entry| is_drawn(entry.share));
        let shadows = route.shadows.iter().take(MOST_SHADOWS).enumerate();
        let shadows = shadows
            .filter(|(_, (_, share))| is_drawn(*share))
            .fold(0, |bits, (at, _)| bits | 1u32 << at);
        let is_wanted = is_captured || shadows != 0;
        is_wanted.then(|| Self { is_captured, shadows, ..Self::default() })
    }

    /// Whether no more rows are kept.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= MOST_ROWS
    }

    /// Copies a row and its answer: cells by field, answers by element of all outputs.
    pub fn add<'a>(
        &mut self,
        row: usize,
        cells: impl Iterator<Item = Cell<'a>>,
        answers: impl Iterator<Item = Answer<'a>>,
    ) {
        if self.is_full() {
            return;
        }
        self.rows.push(row);
        for cell in cells {
            let kept = self.keep(cell);
            self.cells.push(kept);
        }
        for answer in answers {
            let kept = match answer {
                Answer::Number(x) => KeptAnswer::Number(x),
                Answer::Code(code) => KeptAnswer::Code(code),
                Answer::Text(text) => KeptAnswer::Text(text.map(|text| self.text(text))),
            };
            self.answers.push(kept);
        }
    }

    fn keep(&mut self, cell: Cell<'_>) -> Kept {
        Kept::Cell(match cell {
            Cell::Text(text) => return Kept::Text(self.text(text)),
            Cell::Lexical(text) => return Kept::Lexical(self.text(text)),
            Cell::Absent => Cell::Absent,
            Cell::Missing => Cell::Missing,
            Cell::Number(x) => Cell::Number(x),
            Cell::Integer(x) => Cell::Integer(x),
            Cell::HugeInteger => Cell::HugeInteger,
            Cell::Boolean(x) => Cell::Boolean(x),
            Cell::Timestamp(x) => Cell::Timestamp(x),
            Cell::Other(kind) => Cell::Other(kind),
        })
    }

    fn text(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the shadow at this position gets it.
    pub fn is_for(&self, shadow: usize) -> bool {
        u32::try_from(shadow).is_ok_and(|at| self.shadows.checked_shr(at).unwrap_or(0) & 1 == 1)
    }

    pub fn has_shadows(&self) -> bool {
        self.shadows != 0
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.texts.len()
            + self.cells.len() * size_of::<Kept>()
            + self.answers.len() * size_of::<KeptAnswer>()
            + self.rows.len() * size_of::<usize>()
    }

    /// For each row its position in the request, its cells by field, and its answers by element of all outputs.
    pub fn rows(&self) -> impl Iterator<Item = (usize, Vec<Cell<'_>>, Vec<Answer<'_>>)> {
        let width = |all: usize| all.checked_div(self.rows.len()).unwrap_or(0).max(1);
        let cells = self.cells.chunks(width(self.cells.len()));
        let answers = self.answers.chunks(width(self.answers.len()));
        let rows = self.rows.iter().zip(cells).zip(answers);
        rows.map(|((row, cells), answers)| {
            let cells = cells.iter().map(|kept| self.cell(kept)).collect();
            let answers = answers.iter().map(|kept| self.answer(kept)).collect();
            (*row, cells, answers)
        })
    }

    fn cell(&self, kept: &Kept) -> Cell<'_> {
        let text = |range: &Range<usize>| self.texts.get(range.clone()).unwrap_or_default();
        match kept {
            Kept::Cell(cell) => *cell,
            Kept::Text(range) => Cell::Text(text(range)),
            Kept::Lexical(range) => Cell::Lexical(text(range)),
        }
    }

    fn answer(&self, kept: &KeptAnswer) -> Answer<'_> {
        match kept {
            KeptAnswer::Number(x) => Answer::Number(*x),
            KeptAnswer::Code(code) => Answer::Code(*code),
            KeptAnswer::Text(range) => {
                Answer::Text(range.as_ref().and_then(|range| self.texts.get(range.clone())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_all_cases_is_drawn() {
        let drawn = (0..100_000).filter(|_| is_drawn(0.1)).count();
        assert!((9_000..11_000).contains(&drawn), "{drawn}");
        assert!(!(0..1000).any(|_| is_drawn(0.0)) && (0..1000).all(|_| is_drawn(1.0)));
    }
}
