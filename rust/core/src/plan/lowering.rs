//! What an operator sees while its node is lowered: the tensors, the builder and good error messages.

use super::builder::Builder;
use super::coding::Otherwise;
use super::element::{CodeRegister, Element, Register, TextRegister, Vector};
use super::notes::{Folded, Note};
use super::scalar::Scalar;
use crate::budgets::{MAX_TEXTS, MAX_WIDTH};
use crate::error::ArtifactError;
use crate::explain::{Explained, Method, Request};
use crate::manifest::Precision;
use crate::tensors::Tensors;
use serde::Deserialize;

/// `{"tensor": name}` in the fields of a node.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorName {
    pub tensor: String,
}

/// `{"text": name}` in the fields of a node.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextName {
    pub text: String,
}

pub struct Lowering<'a> {
    pub node: &'a str,
    pub operator: &'a str,
    pub tensors: &'a Tensors,
    pub builder: Builder,
    /// Number of input fields.
    pub field_count: usize,
    /// What the model is planned for beside predictions.
    pub request: Option<Request>,
}

impl Lowering<'_> {
    /// An error that names the node.
    pub fn error(&self, what: &str) -> ArtifactError {
        ArtifactError::new(format!("node `{}` (operator `{}`): {what}", self.node, self.operator))
    }

    /// Hands over how the raw scores in `targets` are explained, if that is asked of this node; its step comes next.
    /// `is_single`: they are sums of f32.
    pub fn explain(
        &mut self,
        targets: &[Register],
        is_single: bool,
        method: impl FnOnce(&Request, &Builder) -> Result<Method, String>,
    ) {
        if let Some(request) = self.request.as_mut().filter(|request| request.asks(self.node)) {
            let method = method(request, &self.builder);
            self.builder.flush();
            let steps = self.builder.steps.len() + 1;
            let targets = targets.to_vec();
            request.outcome = Some(Explained { method, targets, is_single, steps });
        }
    }

    /// Looks at the value of the node, if the model is planned to be explained.
    pub fn watch(&mut self, value: &[Element]) {
        if let Some(request) = &mut self.request {
            request.watch(self.node, self.operator, value, &self.builder);
        }
    }

    /// Tells for people what was folded at this node.
    pub fn note(&mut self, element: &Element, folded: Folded) {
        let fields = self.builder.origin(element);
        self.builder.notes.add(Note { node: self.node.to_owned(), fields, folded });
    }

    /// The only input of the node.
    pub fn one(&self, mut inputs: Vec<Vector>) -> Result<Vector, ArtifactError> {
        match (inputs.pop(), inputs.is_empty()) {
            (Some(input), true) => Ok(input),
            _ => Err(self.error("takes exactly one input")),
        }
    }

    pub fn check_width(&self, width: usize) -> Result<(), ArtifactError> {
        if width > MAX_WIDTH {
            return Err(self.error(&format!("has {width} elements; the most is {MAX_WIDTH}")));
        }
        Ok(())
    }

    pub fn f64s(&self, name: &TensorName, length: usize) -> Result<Vec<f64>, ArtifactError> {
        let values = self.tensors.f64s(&name.tensor).map_err(|error| self.error(&error.0))?;
        self.check_length(&name.tensor, values.len(), length)?;
        Ok(values)
    }

    /// Numbers without NaN.
    pub fn numbers(&self, name: &TensorName, length: usize) -> Result<Vec<f64>, ArtifactError> {
        let values = self.f64s(name, length)?;
        self.check_not_nan(&name.tensor, &values)?;
        Ok(values)
    }

    pub fn check_not_nan(&self, tensor: &str, values: &[f64]) -> Result<(), ArtifactError> {
        match values.iter().position(|value| value.is_nan()) {
            Some(at) => Err(self.error(&format!("tensor `{tensor}` is NaN at position {at}"))),
            None => Ok(()),
        }
    }

    pub fn i32s(&self, name: &TensorName) -> Result<Vec<i32>, ArtifactError> {
        self.tensors.i32s(&name.tensor).map_err(|error| self.error(&error.0))
    }

    pub fn texts(&self, name: &TextName) -> Result<Vec<String>, ArtifactError> {
        self.tensors.texts(&name.text).map_err(|error| self.error(&error.0))
    }

    pub fn check_length(
        &self,
        tensor: &str,
        is: usize,
        wanted: usize,
    ) -> Result<(), ArtifactError> {
        if is != wanted {
            return Err(self.error(&format!("tensor `{tensor}` has {is} values, not {wanted}")));
        }
        Ok(())
    }

    /// Ends of `count` consecutive ranges that together cover `total` values.
    pub fn ranges(
        &self,
        name: &TensorName,
        count: usize,
        total: usize,
    ) -> Result<Vec<std::ops::Range<usize>>, ArtifactError> {
        let ends = self.i32s(name)?;
        self.check_length(&name.tensor, ends.len(), count)?;
        let mut start = 0usize;
        let mut ranges = Vec::with_capacity(count);
        for end in ends {
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            if end < start || end > total {
                return Err(self.error(&format!(
                    "tensor `{}` must ascend from 0 to {total}; it has {end} after {start}",
                    name.tensor
                )));
            }
            ranges.push(start..end);
            start = end;
        }
        if start != total {
            return Err(
                self.error(&format!("tensor `{}` ends at {start}, not {total}", name.tensor))
            );
        }
        Ok(ranges)
    }

    /// A function of one number on every element; codes and texts are refused.
    pub fn apply(&mut self, element: &Element, scalar: Scalar) -> Result<Element, ArtifactError> {
        self.builder
            .apply(element, scalar)
            .ok_or_else(|| self.error("takes numbers; its input has texts or codes"))
    }

    /// Rounds to f32 where the precision asks for it.
    pub fn round(
        &mut self,
        element: Element,
        precision: Precision,
    ) -> Result<Element, ArtifactError> {
        match precision {
            Precision::F64 => Ok(element),
            Precision::F32 => self.apply(&element, Scalar::RoundF32),
        }
    }

    /// The element as a register of numbers.
    pub fn number(&mut self, element: &Element) -> Result<Register, ArtifactError> {
        self.builder
            .materialize(element)
            .ok_or_else(|| self.error("takes numbers; its input has texts or codes"))
    }

    /// The element as a register of texts.
    pub fn text(&mut self, element: &Element) -> Result<TextRegister, ArtifactError> {
        let register = match element {
            Element::Text(text) => self.builder.text_input(text),
            Element::Made(register) => *register,
            _ => return Err(self.error("takes texts; its input has numbers or codes")),
        };
        self.check_texts()?;
        Ok(register)
    }

    /// A new register of texts that come from all these elements.
    pub fn text_output(&mut self, inputs: &[Element]) -> Result<TextRegister, ArtifactError> {
        let origin = self.builder.origins(inputs);
        let register = self.builder.new_text(origin);
        self.check_texts()?;
        Ok(register)
    }

    /// Codes of a text element.
    pub fn text_code(
        &mut self,
        element: &Element,
        levels: &[(String, u32)],
        missing: Otherwise,
        unseen: Otherwise,
    ) -> Result<CodeRegister, ArtifactError> {
        match element {
            Element::Text(text) => Ok(self.builder.text_coding(text, levels, missing, unseen)),
            Element::Made(text) => Ok(self.builder.made_coding(*text, levels, missing, unseen)),
            _ => Err(self.error("takes texts; its input has numbers or codes")),
        }
    }

    fn check_texts(&self) -> Result<(), ArtifactError> {
        if self.builder.text_count() > MAX_TEXTS {
            return Err(self.error(&format!("brings the graph beyond {MAX_TEXTS} computed texts")));
        }
        Ok(())
    }

    /// A new register whose values come from all these elements.
    pub fn output(&mut self, inputs: &[Element]) -> Register {
        let origin = self.builder.origins(inputs);
        self.builder.new_number(origin)
    }

    /// `count` new registers whose values come from all these elements.
    pub fn outputs(&mut self, inputs: &[Element], count: usize) -> Vec<Register> {
        let origin = self.builder.origins(inputs);
        (0..count).map(|_| self.builder.new_number(origin.clone())).collect()
    }
}
