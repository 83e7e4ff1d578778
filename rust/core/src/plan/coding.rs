//! Levels to codes: of texts when a row is read, of numbers as a step.

use super::access::{Access, Visitor};
use super::block::{Block, Step};
use super::element::{CodeRegister, Register, Text, TextRegister, NO_CODE};
use super::texts::TextIndex;
use crate::cell::Cell;
use crate::error::Code;
use std::hash::BuildHasher;
use std::sync::Arc;

/// What an encoder does with a value that has no code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Otherwise {
    /// This code (`NO_CODE` for none).
    Code(u32),
    Refuse,
}

impl Otherwise {
    /// The code; a row that is refused has none.
    pub fn code(self) -> u32 {
        match self {
            Otherwise::Code(code) => code,
            Otherwise::Refuse => NO_CODE,
        }
    }
}

/// The codes of a text input; filled when the row is read, once per text and not per use.
#[derive(Debug)]
pub struct TextCoding {
    pub field: usize,
    pub register: CodeRegister,
    pub index: TextIndex,
    pub missing: Otherwise,
    pub unseen: Otherwise,
    /// Whether a step, an output or a check needs the codes; all codings say which texts are known.
    pub is_read: bool,
}

impl TextCoding {
    /// The coding of a text whose replacements are applied first.
    pub fn new(
        text: &Text,
        levels: &[(String, u32)],
        missing: Otherwise,
        unseen: Otherwise,
    ) -> Self {
        let mut index = TextIndex::default();
        levels.iter().for_each(|(level, code)| index.insert(level, *code));
        let code_of = |value: Option<&str>| match value {
            None => missing,
            Some(value) => index.get(value).map_or(unseen, Otherwise::Code),
        };
        let missing = code_of(text.resolve(None));
        let replaced = text.replacements.iter().filter_map(|(from, _)| from.as_ref());
        let replaced: Vec<_> =
            replaced.map(|from| (from.clone(), code_of(text.resolve(Some(from))))).collect();
        for (from, otherwise) in replaced {
            match otherwise {
                Otherwise::Code(code) => index.insert(&from, code),
                // It is refused as unseen is.
                Otherwise::Refuse => index.remove(&from),
            }
        }
        Self { field: text.field, register: 0, index, missing, unseen, is_read: true }
    }

    /// The code of a text; anything else counts as missing.
    pub fn code(&self, cell: Cell<'_>) -> Otherwise {
        match cell {
            Cell::Text(text) => self.index.get(text).map_or(self.unseen, Otherwise::Code),
            _ => self.missing,
        }
    }

    /// Whether it refuses rows.
    pub fn refuses(&self) -> bool {
        self.missing == Otherwise::Refuse || self.unseen == Otherwise::Refuse
    }

    /// All codes, and `NO_CODE` perhaps.
    pub fn codes(&self) -> impl Iterator<Item = u32> + '_ {
        self.index.codes().chain([self.missing, self.unseen].into_iter().map(Otherwise::code))
    }

    /// A hash of the levels, whatever their order.
    pub fn hash(&self, state: &impl BuildHasher) -> u64 {
        self.index.hash(state).wrapping_add(self.field as u64)
    }

    /// Whether it gives the same codes as another.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.field, self.missing, self.unseen) == (other.field, other.missing, other.unseen)
            && self.index == other.index
    }
}

/// Computed texts to codes.
pub struct MadeCoding {
    pub source: TextRegister,
    pub target: CodeRegister,
    pub coding: TextCoding,
    pub fields: Arc<[usize]>,
}

impl Step for MadeCoding {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let text = block.text(self.source, row);
            let code = if text.is_none() { Code::Missing } else { Code::UnseenLevel };
            block.code_mut(self.target)[row] =
                match self.coding.code(text_cell(block.text(self.source, row))) {
                    Otherwise::Code(code) => code,
                    Otherwise::Refuse => {
                        block.refuse(row, code, &self.fields, f64::NAN);
                        NO_CODE
                    }
                };
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsText(&mut self.source));
        visit(Access::WritesCode(&mut self.target));
    }

    fn refuses(&self) -> bool {
        self.coding.refuses()
    }

    fn describe(&self) -> String {
        format!("codes of {} computed texts", self.coding.index.len())
    }
}

fn text_cell(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Missing, Cell::Text)
}

/// Numbers to codes by their value.
pub struct NumberCoding {
    pub source: Register,
    pub target: CodeRegister,
    /// Ascending levels (no NaN) and the code of each.
    pub levels: Vec<(f64, u32)>,
    pub missing: Otherwise,
    pub unseen: Otherwise,
    pub fields: Arc<[usize]>,
}

impl Step for NumberCoding {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let x = block.number(self.source)[row];
            let (otherwise, code) = if x.is_nan() {
                (self.missing, Code::Missing)
            } else {
                let at = self.levels.partition_point(|(level, _)| *level < x);
                match self.levels.get(at) {
                    Some((level, code)) if *level == x => {
                        (Otherwise::Code(*code), Code::UnseenLevel)
                    }
                    _ => (self.unseen, Code::UnseenLevel),
                }
            };
            block.code_mut(self.target)[row] = match otherwise {
                Otherwise::Code(code) => code,
                Otherwise::Refuse => {
                    block.refuse(row, code, &self.fields, x);
                    NO_CODE
                }
            };
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.source));
        visit(Access::WritesCode(&mut self.target));
    }

    fn refuses(&self) -> bool {
        self.missing == Otherwise::Refuse || self.unseen == Otherwise::Refuse
    }

    fn describe(&self) -> String {
        format!("codes of {} number levels", self.levels.len())
    }
}
