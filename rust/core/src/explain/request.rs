//! What the operator of the explained node hands over while the model is planned.

use super::linear::LinearMethod;
use super::program::NONE;
use super::trees::{Room, TreesMethod};
use crate::plan::block::Block;
use crate::plan::builder::Builder;
use crate::plan::element::{Element, Register};

/// How a raw score is explained.
pub enum Method {
    Linear(LinearMethod),
    Trees(Box<TreesMethod>),
}

impl Method {
    /// The raw score of each output before any input is known.
    pub fn base(&self) -> &[f64] {
        match self {
            Method::Linear(method) => &method.base,
            Method::Trees(method) => &method.base,
        }
    }

    /// Adds what each slot brings to each output in each row; `stride`: numbers of one slot.
    pub fn run(&self, block: &Block<'_>, room: &mut Room, numbers: &mut [f64], stride: usize) {
        match self {
            Method::Linear(method) => method.run(block, numbers, stride),
            Method::Trees(method) => method.run(block, room, numbers, stride),
        }
    }
}

/// A node that is to be explained, and what became of it.
pub struct Request {
    node: String,
    /// For each input field where it is credited; `u32::MAX` if it is never read.
    pub slots: Vec<u32>,
    fields: Vec<String>,
    /// The first node that makes one element of several inputs.
    mixing: Option<(String, String)>,
    pub outcome: Option<Explained>,
}

/// What an operator hands over.
pub struct Explained {
    /// Or why there is none.
    pub method: Result<Method, String>,
    /// The raw scores.
    pub targets: Vec<Register>,
    /// Whether they are sums of f32.
    pub is_single: bool,
    /// Number of steps up to the one that computes them.
    pub steps: usize,
}

impl Request {
    /// `fields`: the inputs with whether they are read.
    pub fn new(node: &str, fields: impl Iterator<Item = (String, bool)>) -> Self {
        let mut next = 0;
        let (fields, slots) = fields
            .map(|(name, is_read)| {
                let slot = if is_read { next } else { NONE };
                next += u32::from(is_read);
                (name, slot)
            })
            .unzip();
        Self { node: node.to_owned(), slots, fields, mixing: None, outcome: None }
    }

    /// Whether this is the node.
    pub fn asks(&self, node: &str) -> bool {
        self.node == node
    }

    /// Remembers the first node that makes one element of several inputs.
    pub fn watch(&mut self, node: &str, operator: &str, value: &[Element], builder: &Builder) {
        let is_mixed = |element: &Element| builder.origin(element).len() > 1;
        if self.mixing.is_none() && !self.asks(node) && value.iter().any(is_mixed) {
            self.mixing = Some((node.to_owned(), operator.to_owned()));
        }
    }

    /// Where each element is credited that the node uses; constants, which come from no input, only if they `may`.
    pub fn credited(
        &self,
        input: &[Element],
        builder: &Builder,
        may: bool,
        is_used: impl Fn(usize) -> bool,
    ) -> Result<Vec<u32>, String> {
        let slot = |(at, element): (usize, &Element)| {
            if !is_used(at) {
                return Ok(NONE);
            }
            match builder.origin(element).as_ref() {
                [field] => Ok(self.slots[*field]),
                [] if may && matches!(element, Element::Constant(_)) => Ok(NONE),
                fields => Err(self.blame(at, fields)),
            }
        };
        input.iter().enumerate().map(slot).collect()
    }

    /// Of numbers by input field, over and over, those of inputs that are credited.
    pub fn of_slots(&self, numbers: &[f64]) -> Vec<f64> {
        let slots = self.slots.iter().cycle();
        numbers.iter().zip(slots).filter(|(_, slot)| **slot != NONE).map(|(x, _)| *x).collect()
    }

    fn blame(&self, at: usize, fields: &[usize]) -> String {
        if fields.is_empty() {
            return format!("element {at} of its input comes from no input of the model");
        }
        let names: Vec<_> =
            fields.iter().take(3).map(|field| format!("`{}`", self.fields[*field])).collect();
        let more = if fields.len() > names.len() { " and others" } else { "" };
        let by = self.mixing.as_ref().map_or(String::new(), |(node, operator)| {
            format!(", mixed by node `{node}` (operator `{operator}`)")
        });
        format!("element {at} of its input comes from {}{more}{by}", names.join(", "))
    }
}
