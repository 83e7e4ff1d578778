//! Steps that fill columns from one element each: functions, constants and indicators.

use super::access::{Access, Visitor};
use super::block::{Block, Step};
use super::element::{CodeRegister, Register};
use super::scalar::{apply_in_place, apply_scalar, Scalar};
use foldhash::HashMap;

/// Functions of one number each, run one after the other.
#[derive(Default)]
pub struct Elementwise {
    items: Vec<Functions>,
}

/// What a column becomes.
struct Functions {
    source: Register,
    target: Register,
    first: Scalar,
    /// What comes after the first, in place.
    others: Vec<Scalar>,
}

impl Elementwise {
    pub fn add(&mut self, source: Register, target: Register, scalar: Scalar) {
        self.items.push(Functions { source, target, first: scalar, others: Vec::new() });
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Keeps what writes a live register; sources become live.
    pub fn prune(&mut self, is_live: &mut [bool]) {
        let mut kept = Vec::with_capacity(self.items.len());
        for item in self.items.drain(..).rev() {
            if is_live[item.target as usize] {
                is_live[item.source as usize] = true;
                kept.push(item);
            }
        }
        kept.reverse();
        self.items = kept;
    }

    /// Joins functions with the ones before where nobody else reads what is between. `readers` counts those of each
    /// register.
    pub fn join(&mut self, readers: &[u32], is_live: &mut [bool]) {
        let mut makers: HashMap<Register, usize> = HashMap::default();
        let mut joined: Vec<Functions> = Vec::with_capacity(self.items.len());
        for mut item in self.items.drain(..) {
            let maker = makers.get(&item.source).filter(|_| readers[item.source as usize] == 1);
            if let Some(maker) = maker.copied() {
                is_live[item.source as usize] = false;
                makers.insert(item.target, maker);
                joined[maker].target = item.target;
                joined[maker].others.push(item.first);
                joined[maker].others.append(&mut item.others);
            } else {
                makers.insert(item.target, joined.len());
                joined.push(item);
            }
        }
        self.items = joined;
    }
}

impl Step for Elementwise {
    fn run(&self, block: &mut Block<'_>) {
        for Functions { source, target, first, others } in &self.items {
            let (from, to) = block.number_pair(*source, *target);
            apply_scalar(*first, from, to);
            others.iter().for_each(|scalar| apply_in_place(*scalar, to));
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        for Functions { source, target, .. } in &mut self.items {
            visit(Access::Reads(source));
            visit(Access::Writes(target));
        }
    }

    fn describe(&self) -> String {
        if let [Functions { first, others, .. }] = self.items.as_slice() {
            let scalars = [first].into_iter().chain(others).map(ToString::to_string);
            return format!("element-wise: {}", scalars.collect::<Vec<_>>().join(", "));
        }
        let functions: usize = self.items.iter().map(|item| 1 + item.others.len()).sum();
        format!("element-wise: {functions} functions of {} numbers", self.items.len())
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
