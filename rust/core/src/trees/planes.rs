//! Planes: each maps a number or code of a row to a small rank, so that tests compare integers and nothing is lost.
//!
//! The rank of a number is the count of cuts below it, so `x <= cuts[j]` is `rank(x) <= j`, whatever `x` is.

use super::grid::{Grid, Grids};
use super::nodes::{Word, LAST_RANK};
use super::rules::{category, is_missing, Category};
use super::sets::MISSING_RANK;
use crate::plan::access::{reads, Access, Visitor};
use crate::plan::block::Lane;
use crate::plan::element::{CodeRegister, Register};

/// All planes of a forest: the first one, of codes, of categories, of numbers, of categories for sets.
///
/// In the first all ranks are 0. Leaves test it, so that there is one and that it is never tested with a set.
#[derive(Debug)]
pub struct Planes {
    pub codes: Vec<CodeRegister>,
    pub categories: Vec<Register>,
    pub numbers: Vec<NumberPlane>,
    pub set_categories: Vec<Register>,
    /// The cuts of all numbers.
    pub grids: Grids,
    /// Categories are rounded to f32 first.
    is_single: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct NumberPlane {
    pub register: Register,
    pub grid: Grid,
    /// Rank of a missing number.
    pub missing: u32,
    /// Numbers up to this magnitude are missing.
    pub limit: f64,
}

/// The registers of a block of `rows` rows.
#[derive(Clone, Copy)]
pub struct Registers<'a> {
    pub numbers: &'a [f64],
    pub codes: &'a [u32],
    pub rows: usize,
}

impl Planes {
    pub fn new(is_single: bool) -> Self {
        Self {
            codes: Vec::new(),
            categories: Vec::new(),
            numbers: Vec::new(),
            set_categories: Vec::new(),
            grids: Grids::default(),
            is_single,
        }
    }

    /// Shows the registers that are read.
    pub fn registers(&mut self, visit: &mut Visitor<'_>) {
        self.codes.iter_mut().for_each(|register| visit(Access::ReadsCode(register)));
        reads(visit, &mut self.categories);
        reads(visit, self.numbers.iter_mut().map(|plane| &mut plane.register));
        reads(visit, &mut self.set_categories);
    }

    pub fn len(&self) -> usize {
        self.first_set() + self.set_categories.len()
    }

    /// Planes from here on are tested with sets.
    pub fn first_set(&self) -> usize {
        1 + self.codes.len() + self.categories.len() + self.numbers.len()
    }

    pub fn cut_count(&self) -> usize {
        self.grids.cut_count()
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.numbers.as_slice()) + self.grids.memory()
    }

    /// The ranks of one row, one per plane.
    pub fn rank_row<W: Word>(&self, registers: Registers<'_>, row: usize, ranks: &mut [W]) {
        let Registers { numbers, codes, rows } = registers;
        let at = |register: u32| register as usize * rows + row;
        let (first, rest) = ranks.split_at_mut(1);
        let (code_ranks, rest) = rest.split_at_mut(self.codes.len());
        let (category_ranks, rest) = rest.split_at_mut(self.categories.len());
        let (number_ranks, set_ranks) = rest.split_at_mut(self.numbers.len());
        first.fill(W::default());
        for (rank, register) in code_ranks.iter_mut().zip(&self.codes) {
            *rank = W::saturate(codes[at(*register)]);
        }
        for (rank, register) in category_ranks.iter_mut().zip(&self.categories) {
            *rank = self.category(numbers[at(*register)]);
        }
        for (rank, register) in set_ranks.iter_mut().zip(&self.set_categories) {
            *rank = self.category(numbers[at(*register)]);
        }
        for (rank, plane) in number_ranks.iter_mut().zip(&self.numbers) {
            *rank = self.number(plane, numbers[at(plane.register)]);
        }
    }

    /// The ranks of all rows of a block, a lane for each plane. Rows behind the last get some rank.
    pub fn rank_rows<W: Word>(&self, registers: Registers<'_>, lanes: &mut [Lane<W>]) {
        let Registers { numbers, codes, rows } = registers;
        let values = |register: u32| &numbers[register as usize * rows..][..rows];
        let (first, lanes) = lanes.split_at_mut(1);
        first[0].0[..rows].fill(W::default());
        let (code_lanes, lanes) = lanes.split_at_mut(self.codes.len());
        let (category_lanes, lanes) = lanes.split_at_mut(self.categories.len());
        let (number_lanes, set_lanes) = lanes.split_at_mut(self.numbers.len());
        for (lane, register) in code_lanes.iter_mut().zip(&self.codes) {
            let codes = &codes[*register as usize * rows..][..rows];
            lane.0.iter_mut().zip(codes).for_each(|(rank, code)| *rank = W::saturate(*code));
        }
        for (lane, plane) in number_lanes.iter_mut().zip(&self.numbers) {
            let values = values(plane.register);
            lane.0.iter_mut().zip(values).for_each(|(rank, x)| *rank = self.number(plane, *x));
        }
        let categories = category_lanes.iter_mut().zip(&self.categories);
        for (lane, register) in categories.chain(set_lanes.iter_mut().zip(&self.set_categories)) {
            let values = values(*register);
            lane.0.iter_mut().zip(values).for_each(|(rank, x)| *rank = self.category(*x));
        }
    }

    #[inline(always)]
    fn number<W: Word>(&self, plane: &NumberPlane, x: f64) -> W {
        let rank = self.grids.rank(&plane.grid, x) as u32;
        W::saturate(if is_missing(x, plane.limit) { plane.missing } else { rank })
    }

    fn category<W: Word>(&self, x: f64) -> W {
        W::saturate(match category(x, self.is_single) {
            Category::Missing => MISSING_RANK,
            Category::Number(category) => category.saturating_add(1),
            Category::Negative => LAST_RANK,
        })
    }
}
