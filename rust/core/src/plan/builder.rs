//! Collects the registers, text codings and steps of a plan while the graph is lowered.

use super::block::{Block, Step};
use super::element::{CodeRegister, Element, Register, Text, NO_CODE};
use super::scalar::Scalar;
use crate::cell::Cell;
use crate::error::Code;
use foldhash::HashMap;
use std::sync::Arc;

/// What an encoder does with a value that has no code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// This code (`NO_CODE` for none).
    Code(u32),
    Refuse,
}

/// The codes of a text input; filled when the row is read, once per text and not per use.
#[derive(Debug)]
pub struct TextCoding {
    pub field: usize,
    pub register: CodeRegister,
    pub index: HashMap<Arc<str>, u32>,
    pub missing: Otherwise,
    pub unseen: Otherwise,
}

impl TextCoding {
    /// The code of a text; anything else counts as missing.
    pub fn code(&self, cell: Cell<'_>) -> Otherwise {
        match cell {
            Cell::Text(text) => {
                self.index.get(text).map_or(self.unseen, |code| Otherwise::Code(*code))
            }
            _ => self.missing,
        }
    }
}

/// Fields that a register was computed from.
type Origin = Arc<[usize]>;

#[derive(Default)]
pub struct Builder {
    pub steps: Vec<Box<dyn Step>>,
    pub text_codings: Vec<TextCoding>,
    /// Register of each field that is read as a number.
    pub field_registers: HashMap<usize, Register>,
    number_origins: Vec<Origin>,
    code_origins: Vec<Origin>,
    pending: Elementwise,
}

impl Builder {
    pub fn number_count(&self) -> usize {
        self.number_origins.len()
    }

    pub fn code_count(&self) -> usize {
        self.code_origins.len()
    }

    /// The register that an input field is read into.
    pub fn field_number(&mut self, field: usize) -> Register {
        if let Some(register) = self.field_registers.get(&field) {
            return *register;
        }
        let register = self.new_number(Arc::from([field]));
        self.field_registers.insert(field, register);
        register
    }

    pub fn new_number(&mut self, origin: Origin) -> Register {
        self.number_origins.push(origin);
        (self.number_origins.len() - 1) as Register
    }

    pub fn new_code(&mut self, origin: Origin) -> CodeRegister {
        self.code_origins.push(origin);
        (self.code_origins.len() - 1) as CodeRegister
    }

    /// Codes of a text element; equal codings share a register.
    pub fn text_coding(
        &mut self,
        text: &Text,
        levels: &[(String, u32)],
        missing: Otherwise,
        unseen: Otherwise,
    ) -> CodeRegister {
        let code_of = |value: Option<&str>| match value {
            None => missing,
            Some(value) => levels
                .iter()
                .find(|(level, _)| level == value)
                .map_or(unseen, |(_, code)| Otherwise::Code(*code)),
        };
        let mut index: HashMap<Arc<str>, u32> =
            levels.iter().map(|(level, code)| (Arc::from(level.as_str()), *code)).collect();
        for (from, _) in &text.replacements {
            if let (Some(from), Otherwise::Code(code)) =
                (from, code_of(text.resolve(from.as_deref())))
            {
                index.insert(from.clone(), code);
            }
        }
        let missing = code_of(text.resolve(None));
        let register = self.new_code(Arc::from([text.field]));
        self.text_codings.push(TextCoding { field: text.field, register, index, missing, unseen });
        register
    }

    /// A function of one element. Constants and indicators are folded; numbers get a register.
    pub fn apply(&mut self, element: &Element, scalar: Scalar) -> Option<Element> {
        Some(match element {
            Element::Constant(value) => Element::Constant(scalar.apply(*value)),
            Element::Indicator { code, equals, on, off } => Element::Indicator {
                code: *code,
                equals: *equals,
                on: scalar.apply(*on),
                off: scalar.apply(*off),
            },
            Element::Number(source) => {
                let target = self.new_number(self.number_origins[*source as usize].clone());
                self.pending.items.push((*source, target, scalar));
                Element::Number(target)
            }
            Element::Code(_) | Element::Text(_) => return None,
        })
    }

    /// The element as a register of numbers; `None` for codes and texts.
    pub fn materialize(&mut self, element: &Element) -> Option<Register> {
        match element {
            Element::Number(register) => Some(*register),
            Element::Constant(value) => {
                let target = self.new_number(Arc::from([]));
                self.push(Fill { target, value: *value });
                Some(target)
            }
            Element::Indicator { code, equals, on, off } => {
                let target = self.new_number(self.code_origins[*code as usize].clone());
                let (code, equals, on, off) = (*code, *equals, *on, *off);
                self.push(Indicate { code, equals, on, off, target });
                Some(target)
            }
            Element::Code(_) | Element::Text(_) => None,
        }
    }

    /// Adds a step after all that were added before.
    pub fn push(&mut self, step: impl Step + 'static) {
        self.flush();
        self.steps.push(Box::new(step));
    }

    /// Ends a run of element-wise functions.
    pub fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.items.is_empty() {
            self.steps.push(Box::new(pending));
        }
    }

    /// The input fields that an element was computed from.
    pub fn origin(&self, element: &Element) -> Origin {
        match element {
            Element::Number(register) => self.number_origins[*register as usize].clone(),
            Element::Indicator { code, .. } | Element::Code(code) => {
                self.code_origins[*code as usize].clone()
            }
            Element::Text(text) => Arc::from([text.field]),
            Element::Constant(_) => Arc::from([]),
        }
    }

    /// The input fields that any of the elements was computed from, in ascending order.
    pub fn origins<'a>(&self, elements: impl IntoIterator<Item = &'a Element>) -> Origin {
        let mut fields: Vec<usize> =
            elements.into_iter().flat_map(|element| self.origin(element).to_vec()).collect();
        fields.sort_unstable();
        fields.dedup();
        Arc::from(fields)
    }
}

/// Functions of one number each, run one after the other.
#[derive(Default)]
struct Elementwise {
    items: Vec<(Register, Register, Scalar)>,
}

impl Step for Elementwise {
    fn run(&self, block: &mut Block<'_>) {
        for (source, target, scalar) in &self.items {
            let (from, to) = block.number_pair(*source, *target);
            scalar.apply_all(from, to);
        }
    }

    fn describe(&self) -> String {
        format!("element-wise: {} functions", self.items.len())
    }
}

struct Fill {
    target: Register,
    value: f64,
}

impl Step for Fill {
    fn run(&self, block: &mut Block<'_>) {
        block.number_mut(self.target).fill(self.value);
    }

    fn describe(&self) -> String {
        format!("constant {}", self.value)
    }
}

struct Indicate {
    code: CodeRegister,
    equals: u32,
    on: f64,
    off: f64,
    target: Register,
}

impl Step for Indicate {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let on = block.code(self.code)[row] == self.equals;
            block.number_mut(self.target)[row] = if on { self.on } else { self.off };
        }
    }

    fn describe(&self) -> String {
        "indicator built as a number".to_owned()
    }
}

/// Numbers to codes by their value.
pub struct NumberCoding {
    pub source: Register,
    pub target: CodeRegister,
    /// Ascending levels (no NaN) and the code of each.
    pub levels: Vec<(f64, u32)>,
    pub missing: Otherwise,
    pub unseen: Otherwise,
    pub fields: Origin,
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

    fn describe(&self) -> String {
        format!("codes of {} number levels", self.levels.len())
    }
}
