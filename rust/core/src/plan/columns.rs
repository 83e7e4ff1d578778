//! Steps that fill columns from one element each: functions, constants and indicators.

use super::access::{Access, Visitor};
use super::block::{Block, Step};
use super::element::{CodeRegister, Register};
use super::scalar::Scalar;

/// Functions of one number each, run one after the other.
#[derive(Default)]
pub struct Elementwise {
    items: Vec<(Register, Register, Scalar)>,
}

impl Elementwise {
    pub fn add(&mut self, source: Register, target: Register, scalar: Scalar) {
        self.items.push((source, target, scalar));
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Keeps what writes a live register; sources become live.
    pub fn prune(&mut self, is_live: &mut [bool]) {
        let mut kept = Vec::with_capacity(self.items.len());
        for item in self.items.drain(..).rev() {
            if is_live[item.1 as usize] {
                is_live[item.0 as usize] = true;
                kept.push(item);
            }
        }
        kept.reverse();
        self.items = kept;
    }
}

impl Step for Elementwise {
    fn run(&self, block: &mut Block<'_>) {
        for (source, target, scalar) in &self.items {
            let (from, to) = block.number_pair(*source, *target);
            scalar.apply_all(from, to);
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        for (source, target, _) in &mut self.items {
            visit(Access::Reads(source));
            visit(Access::Writes(target));
        }
    }

    fn describe(&self) -> String {
        match self.items.as_slice() {
            [(_, _, scalar)] => format!("element-wise: {scalar}"),
            items => format!("element-wise: {} functions", items.len()),
        }
    }
}

/// Numbers and codes that are the same in every row.
#[derive(Default)]
pub struct Fill {
    pub numbers: Vec<(Register, f64)>,
    pub codes: Vec<(CodeRegister, u32)>,
}

impl Fill {
    pub fn number(target: Register, value: f64) -> Self {
        Self { numbers: vec![(target, value)], codes: Vec::new() }
    }
}

impl Step for Fill {
    fn run(&self, block: &mut Block<'_>) {
        for (target, value) in &self.numbers {
            block.number_mut(*target).fill(*value);
        }
        for (target, code) in &self.codes {
            block.code_mut(*target).fill(*code);
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        self.numbers.iter_mut().for_each(|(target, _)| visit(Access::Writes(target)));
        self.codes.iter_mut().for_each(|(target, _)| visit(Access::WritesCode(target)));
    }

    fn describe(&self) -> String {
        match self.numbers.as_slice() {
            [(_, value)] if self.codes.is_empty() => format!("constant {value}"),
            numbers => format!("{} constants", numbers.len() + self.codes.len()),
        }
    }
}

pub struct Indicate {
    pub code: CodeRegister,
    pub equals: u32,
    pub on: f64,
    pub off: f64,
    pub target: Register,
}

impl Step for Indicate {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let on = block.code(self.code)[row] == self.equals;
            block.number_mut(self.target)[row] = if on { self.on } else { self.off };
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsCode(&mut self.code));
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        "indicator built as a number".to_owned()
    }
}
