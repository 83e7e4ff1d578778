//! The outputs of a plan: where each column of an answer is found when all steps have run.

use super::builder::Builder;
use super::element::{CodeRegister, Element, Register, Text, TextRegister};
use super::Values;
use crate::error::ArtifactError;
use crate::manifest::{Output, OutputKind};
use serde_json::Value;

/// Where an element of an output is.
#[derive(Debug, Clone)]
pub enum OutputElement {
    Number(Register),
    Code(CodeRegister),
    Text(Text),
    Made(TextRegister),
}

/// One output of the schema.
#[derive(Debug, Clone)]
pub struct OutputPlan {
    pub name: String,
    pub kind: OutputKind,
    pub elements: Vec<OutputElement>,
    /// Class labels of a `label`.
    pub levels: Vec<Value>,
    /// Names of the elements, as the manifest has them.
    pub names: Vec<Value>,
    pub tolerance: f64,
}

/// A column of a table of answers.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    pub name: String,
    pub output: usize,
    pub element: usize,
}

impl OutputPlan {
    pub(super) fn new(
        output: &Output,
        values: &Values<'_>,
        builder: &mut Builder,
    ) -> Result<Self, ArtifactError> {
        let error = |what: &str| ArtifactError::new(format!("output `{}`: {what}", output.name));
        let node = output.node.as_str();
        let value = values.get(node).ok_or_else(|| error(&format!("no node `{node}`")))?;
        let names = output.names.clone().unwrap_or_default();
        let levels = output.levels.clone().unwrap_or_default();
        let wanted = match output.kind {
            OutputKind::Label | OutputKind::Number => 1,
            OutputKind::Numbers | OutputKind::Features => names.len(),
        };
        if value.len() != wanted {
            let is = value.len();
            return Err(error(&format!("node `{node}` has {is} elements, not {wanted}")));
        }
        let mut elements = Vec::with_capacity(value.len());
        for element in value {
            elements.push(match (element, output.kind) {
                (Element::Code(register), OutputKind::Label) => OutputElement::Code(*register),
                (Element::Text(text), OutputKind::Features) => OutputElement::Text(text.clone()),
                (Element::Made(register), OutputKind::Features) => OutputElement::Made(*register),
                (_, OutputKind::Label) => return Err(error("a label must be a code")),
                (element, _) => OutputElement::Number(
                    builder.materialize(element).ok_or_else(|| error("must be numbers"))?,
                ),
            });
        }
        Ok(Self {
            name: output.name.clone(),
            kind: output.kind,
            elements,
            levels,
            names,
            tolerance: output.tolerance,
        })
    }

    /// The columns of this output in a table.
    pub fn columns(&self, output: usize) -> Vec<OutputColumn> {
        let name = |element: usize| match (self.kind, self.names.get(element)) {
            (OutputKind::Numbers, Some(name)) => format!("{}_{}", self.name, Self::plain(name)),
            (OutputKind::Features, Some(name)) => Self::plain(name),
            _ => self.name.clone(),
        };
        (0..self.elements.len())
            .map(|element| OutputColumn { name: name(element), output, element })
            .collect()
    }

    /// A class label as part of a column name.
    pub fn plain(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            other => other.to_string(),
        }
    }
}
