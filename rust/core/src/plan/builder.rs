//! Collects the registers, text codings and steps of a plan while the graph is lowered.

use super::block::Step;
use super::bounds::Bounds;
use super::chain::{Chain, Fold, MOST_SCALARS};
use super::coding::{MadeCoding, NumberCoding, Otherwise, TextCoding};
use super::columns::{Elementwise, Fill, Indicate};
use super::element::{
    CodeRegister, Element, Register, SparseRegister, Text, TextRegister, NO_CODE,
};
use super::notes::Notes;
use super::scalar::{Identity, Scalar};
use super::sparse::SparseRow;
use super::text_column::TextInput;
use foldhash::fast::RandomState;
use foldhash::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Fields that a register was computed from.
pub(super) type Origin = Arc<[usize]>;

/// A part of a plan, in the order of running.
pub enum Item {
    Elementwise(Elementwise),
    Step(Box<dyn Step>),
}

/// What is known of a register of numbers.
struct Number {
    origin: Origin,
    /// The register and the function that it is made with.
    made: Option<(Register, Scalar)>,
}

/// Numbers by code, in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    pub code: CodeRegister,
    pub values: Vec<f64>,
    /// How many of the last numbers are missing.
    pub missing: usize,
    /// The number of a row without a code.
    pub absent: f64,
}

impl Lookup {
    /// Itself without the missing numbers, if those come last and the others ascend.
    fn ascending(mut self) -> Option<Self> {
        let present = self.values.iter().take_while(|value| !value.is_nan()).count();
        let is_missing = self.values[present..].iter().all(|value| value.is_nan());
        self.missing = self.values.len() - present;
        self.values.truncate(present);
        (is_missing && self.values.is_sorted()).then_some(self)
    }
}

/// Functions that are remembered; more would cost more memory than they save.
const MOST_KNOWN: usize = 1 << 20;

/// Codes that tests look at themselves: no more than ranks that fit a byte.
const MOST_ORDINALS: usize = 254;

/// The least number above all codes.
fn limit(codes: impl Iterator<Item = u32>) -> u32 {
    codes.filter(|code| *code != NO_CODE).max().map_or(0, |code| code.saturating_add(1))
}

/// What was made once and is used wherever it is asked for again.
#[derive(Default)]
struct Known {
    scalars: HashMap<(Register, Identity), Register>,
    constants: HashMap<u64, Register>,
    indicators: HashMap<(CodeRegister, u32, u64, u64), Register>,
    /// Codings of texts with the same hash.
    texts: HashMap<u64, Vec<usize>>,
    state: RandomState,
    numbers: HashMap<NumberLevels, CodeRegister>,
}

/// The source of a coding, its levels as bits, and what it does with others.
type NumberLevels = (Register, Vec<(u64, u32)>, Otherwise, Otherwise);

#[derive(Default)]
pub struct Builder {
    pub steps: Vec<Item>,
    pub text_codings: Vec<TextCoding>,
    pub text_inputs: Vec<TextInput>,
    /// Register of each field that is read as a number.
    pub field_registers: HashMap<usize, Register>,
    pub notes: Notes,
    numbers: Vec<Number>,
    code_origins: Vec<Origin>,
    text_origins: Vec<Origin>,
    pub(super) sparse: Vec<SparseRow>,
    /// The numbers that were made of elements of sparse rows.
    pub(super) gathered: HashMap<(SparseRegister, u32), Register>,
    /// What is certain of some numbers.
    bounds: HashMap<Register, Bounds>,
    /// For codes that are below a known limit, or `NO_CODE`: the limit.
    code_limits: HashMap<CodeRegister, u32>,
    lookups: HashMap<Register, Lookup>,
    pending: Elementwise,
    known: Known,
}

impl Builder {
    pub fn number_count(&self) -> usize {
        self.numbers.len()
    }

    pub fn code_count(&self) -> usize {
        self.code_origins.len()
    }

    pub fn text_count(&self) -> usize {
        self.text_origins.len()
    }

    pub fn new_text(&mut self, origin: Origin) -> TextRegister {
        self.text_origins.push(origin);
        (self.text_origins.len() - 1) as TextRegister
    }

    /// The register that a text input is read into.
    pub fn text_input(&mut self, text: &Text) -> TextRegister {
        if let Some(known) = self.text_inputs.iter().find(|known| known.text == *text) {
            return known.register;
        }
        let register = self.new_text(Arc::from([text.field]));
        self.text_inputs.push(TextInput { text: text.clone(), register, is_read: true });
        register
    }

    /// Codes of a computed text.
    pub fn made_coding(
        &mut self,
        source: TextRegister,
        levels: &[(String, u32)],
        missing: Otherwise,
        unseen: Otherwise,
    ) -> CodeRegister {
        let fields = self.text_origins[source as usize].clone();
        let text = Text { field: usize::MAX, replacements: Vec::new() };
        let coding = TextCoding::new(&text, levels, missing, unseen);
        let target = self.new_code(fields.clone());
        self.code_limits.insert(target, limit(coding.codes()));
        self.push(MadeCoding { source, target, coding, fields });
        target
    }

    /// The register that an input field is read into; `bounds` hold for every row that the field accepts.
    pub fn field_number(&mut self, field: usize, bounds: Bounds) -> Register {
        if let Some(register) = self.field_registers.get(&field) {
            return *register;
        }
        let register = self.new_number(Arc::from([field]));
        self.bounds.insert(register, bounds);
        self.field_registers.insert(field, register);
        register
    }

    pub fn new_number(&mut self, origin: Origin) -> Register {
        self.numbers.push(Number { origin, made: None });
        (self.numbers.len() - 1) as Register
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
        let mut coding = TextCoding::new(text, levels, missing, unseen);
        let same = self.known.texts.entry(coding.hash(&self.known.state)).or_default();
        let found = same.iter().map(|at| &self.text_codings[*at]);
        if let Some(found) = found.into_iter().find(|found| found.is_same(&coding)) {
            self.notes.shared += 1;
            return found.register;
        }
        same.push(self.text_codings.len());
        coding.register = self.new_code(Arc::from([text.field]));
        let register = coding.register;
        self.code_limits.insert(register, limit(coding.codes()));
        self.text_codings.push(coding);
        register
    }

    /// Codes of a number element; equal codings share a register.
    pub fn number_coding(
        &mut self,
        source: Register,
        levels: Vec<(f64, u32)>,
        missing: Otherwise,
        unseen: Otherwise,
    ) -> CodeRegister {
        let bits = levels.iter().map(|(level, code)| (level.to_bits(), *code)).collect();
        let key = (source, bits, missing, unseen);
        if let Some(register) = self.known.numbers.get(&key) {
            self.notes.shared += 1;
            return *register;
        }
        let fields = self.numbers[source as usize].origin.clone();
        let target = self.new_code(fields.clone());
        self.known.numbers.insert(key, target);
        let others = [missing.code(), unseen.code()];
        let limit = limit(levels.iter().map(|(_, code)| *code).chain(others));
        self.code_limits.insert(target, limit);
        self.push(NumberCoding { source, target, levels, missing, unseen, fields });
        target
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
            Element::Number(source) => Element::Number(self.scalar(*source, scalar)),
            Element::Sparse { source, at } => {
                let source = self.gather(*source, *at);
                Element::Number(self.scalar(source, scalar))
            }
            Element::Code(_) | Element::Text(_) | Element::Made(_) => return None,
        })
    }

    fn scalar(&mut self, source: Register, scalar: Scalar) -> Register {
        if let Some(register) = self.known.scalars.get(&(source, scalar.identity())) {
            self.notes.shared += 1;
            return *register;
        }
        let target = self.new_number(self.numbers[source as usize].origin.clone());
        self.numbers[target as usize].made = Some((source, scalar));
        self.pending.add(source, target, scalar);
        if self.known.scalars.len() < MOST_KNOWN {
            self.known.scalars.insert((source, scalar.identity()), target);
        }
        target
    }

    /// The element as a register of numbers; `None` for codes and texts.
    pub fn materialize(&mut self, element: &Element) -> Option<Register> {
        match element {
            Element::Number(register) => Some(*register),
            Element::Sparse { source, at } => Some(self.gather(*source, *at)),
            Element::Constant(value) => {
                let key = value.to_bits();
                if let Some(register) = self.known.constants.get(&key) {
                    return Some(*register);
                }
                let target = self.new_number(Arc::from([]));
                self.known.constants.insert(key, target);
                self.push(Fill::number(target, *value));
                Some(target)
            }
            Element::Indicator { code, equals, on, off } => {
                let (code, equals, on, off) = (*code, *equals, *on, *off);
                let next = self.numbers.len() as Register;
                match self.known.indicators.entry((code, equals, on.to_bits(), off.to_bits())) {
                    Entry::Occupied(known) => return Some(*known.get()),
                    Entry::Vacant(unknown) => unknown.insert(next),
                };
                let target = self.new_number(self.code_origins[code as usize].clone());
                self.push(Indicate { code, equals, on, off, target });
                Some(target)
            }
            Element::Code(_) | Element::Text(_) | Element::Made(_) => None,
        }
    }

    /// The number as a function of the earliest one that tests can look at instead.
    pub fn fold(&self, register: Register) -> Fold {
        let mut scalars = Vec::new();
        let mut sources = vec![register];
        let mut at = register;
        while let Some((source, scalar)) = self.numbers[at as usize].made {
            if !scalar.is_rising() || scalars.len() == MOST_SCALARS {
                break;
            }
            scalars.push(scalar);
            sources.push(source);
            at = source;
        }
        scalars.reverse();
        sources.reverse();
        let (start, chain) = Chain::longest(&scalars);
        let root = sources[start];
        let may_be_missing = self.bounds.get(&root).is_none_or(|bounds| bounds.may_be_missing);
        let missing = may_be_missing.then(|| chain.apply(f64::NAN));
        Fold { root, chain, missing }
    }

    /// Notes that a number is looked up by a code; others than those of `values` have `absent`.
    pub fn note_lookup(
        &mut self,
        target: Register,
        code: CodeRegister,
        values: &[f64],
        absent: f64,
    ) {
        let all = || values.iter().copied().chain([absent]).filter(|value| !value.is_nan());
        let bounds = Bounds {
            low: all().fold(f64::INFINITY, f64::min),
            high: all().fold(f64::NEG_INFINITY, f64::max),
            may_be_missing: absent.is_nan() || values.iter().any(|value| value.is_nan()),
        };
        self.bounds.insert(target, bounds);
        let limit = self.code_limits.get(&code).map_or(u32::MAX, |limit| *limit) as usize;
        if limit <= values.len() && values.len() <= MOST_ORDINALS {
            let values = values.to_vec();
            self.lookups.insert(target, Lookup { code, values, absent, missing: 0 });
        }
    }

    /// The number as one that ascends with a code.
    pub fn ordinal(&self, fold: &Fold) -> Option<Lookup> {
        let Lookup { code, values, absent, .. } = self.lookups.get(&fold.root)?;
        let values = values.iter().map(|value| fold.chain.apply(*value)).collect();
        Lookup { code: *code, values, absent: fold.chain.apply(*absent), missing: 0 }.ascending()
    }

    /// Notes that rows are refused from here on unless the number is within `bounds`; `false` if that was known.
    pub fn narrow(&mut self, register: Register, bounds: Bounds) -> bool {
        let known = self.bounds.entry(register).or_insert(Bounds::ALL);
        let both = known.both(bounds);
        std::mem::replace(known, both) != both
    }

    /// Adds a step after all that were added before.
    pub fn push(&mut self, step: impl Step + 'static) {
        self.flush();
        self.steps.push(Item::Step(Box::new(step)));
    }

    /// Ends a run of element-wise functions.
    pub fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.steps.push(Item::Elementwise(pending));
        }
    }

    /// The input fields that an element was computed from.
    pub fn origin(&self, element: &Element) -> Origin {
        match element {
            Element::Number(register) => self.numbers[*register as usize].origin.clone(),
            Element::Indicator { code, .. } | Element::Code(code) => {
                self.code_origins[*code as usize].clone()
            }
            Element::Text(text) => Arc::from([text.field]),
            Element::Made(register) => self.text_origins[*register as usize].clone(),
            Element::Sparse { source, .. } => self.sparse[*source as usize].origin.clone(),
            Element::Constant(_) => Arc::from([]),
        }
    }

    /// The input fields that any of the elements was computed from, in ascending order.
    pub fn origins<'a>(&self, elements: impl IntoIterator<Item = &'a Element>) -> Origin {
        let mut origins: Vec<_> =
            elements.into_iter().map(|element| self.origin(element)).collect();
        // All outputs of a node have the same one.
        origins.dedup_by(|next, last| Arc::ptr_eq(next, last));
        let mut fields: Vec<usize> = origins.iter().flat_map(|origin| origin.to_vec()).collect();
        fields.sort_unstable();
        fields.dedup();
        Arc::from(fields)
    }
}
