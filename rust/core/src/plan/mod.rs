//! From a checked artifact to a plan: everything that can be known before a row comes is done here.

pub mod access;
pub mod block;
pub mod bounds;
pub mod builder;
pub mod calendar;
pub mod chain;
pub mod characters;
pub mod city;
pub mod coding;
mod columns;
pub mod element;
mod finish;
pub mod functions;
mod lowering;
pub mod machine;
mod normal;
pub mod notes;
mod output;
pub mod pairs;
pub mod scalar;
pub mod sparse;
pub mod terms;
pub mod text_column;
pub(crate) mod texts;
pub(crate) mod wide;
pub mod words;

pub use lowering::{Lowering, TensorName, TextName};
pub use output::{OutputColumn, OutputElement, OutputPlan};

use crate::artifact::Artifact;
use crate::budgets::MAX_ELEMENTS;
use crate::error::ArtifactError;
use crate::explain::Request;
use crate::load::FieldPlan;
use crate::manifest::{Field, FieldType, Infinite, Manifest, OnMissing};
use crate::ops::{lower, OPERATORS};
use block::{Block, Counts, Scratch, Step};
use bounds::Bounds;
use builder::Builder;
use coding::TextCoding;
use element::{Element, Text, Vector};
use foldhash::HashMap;
use notes::Notes;
use serde_json::Value;
use text_column::TextInput;

/// A graph that was checked and compiled; immutable and free of locks.
pub struct Plan {
    pub fields: Vec<FieldPlan>,
    pub outputs: Vec<OutputPlan>,
    pub(crate) text_codings: Vec<TextCoding>,
    pub(crate) steps: Vec<Box<dyn Step>>,
    pub(crate) text_inputs: Vec<TextInput>,
    pub(crate) counts: Counts,
    notes: Notes,
    positions: HashMap<String, usize>,
}

impl Plan {
    /// Compiles the graph of an artifact; refuses what this engine cannot run exactly.
    pub fn new(artifact: &Artifact) -> Result<Self, ArtifactError> {
        Self::compile(artifact, &mut None)
    }

    /// As [`Plan::new`]; a request is answered by the operator of its node.
    pub(crate) fn compile(
        artifact: &Artifact,
        request: &mut Option<Request>,
    ) -> Result<Self, ArtifactError> {
        let manifest = &artifact.manifest;
        check_versions(manifest)?;
        let mut lowering = Lowering {
            node: "",
            operator: "",
            tensors: &artifact.tensors,
            builder: Builder::default(),
            field_count: manifest.schema.inputs.len(),
            request: request.take(),
        };
        let values = lower_nodes(manifest, &mut lowering)?;
        *request = lowering.request;
        let mut builder = lowering.builder;
        let mut outputs = manifest
            .schema
            .outputs
            .iter()
            .map(|output| OutputPlan::new(output, &values, &mut builder))
            .collect::<Result<Vec<_>, _>>()?;
        // An explanation reads registers that predictions do not need.
        let program = builder.finish(&mut outputs, request.is_some());
        if let Some(unused) = artifact.tensors.unused().first() {
            return Err(ArtifactError::new(format!("tensor `{unused}` is used by no node")));
        }
        let fields = FieldPlan::all(&manifest.schema.inputs, &builder)?;
        let positions = manifest
            .schema
            .inputs
            .iter()
            .enumerate()
            .map(|(at, field)| (field.name.clone(), at))
            .collect();
        Ok(Self {
            fields,
            outputs,
            counts: program.counts,
            text_inputs: builder.text_inputs,
            text_codings: builder.text_codings,
            steps: program.steps,
            notes: builder.notes,
            positions,
        })
    }

    /// A block of `rows` rows with room for all registers.
    pub(crate) fn block<'a>(&self, rows: usize, scratch: &'a mut Scratch) -> Block<'a> {
        scratch.block(rows, self.counts)
    }

    /// Position of an input field by its name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// The codings of an input of texts.
    pub fn codings(&self, field: usize) -> impl Iterator<Item = &TextCoding> {
        self.text_codings.iter().filter(move |coding| coding.field == field)
    }

    /// Whether the text is a level of this field that was declared or seen in training; any is where nobody knows levels.
    pub fn is_known(&self, field: usize, text: &str) -> bool {
        self.fields.get(field).is_none_or(|field| field.is_known(text, &self.text_codings))
    }

    /// For each field whether something depends on the values that it accepts.
    fn read_fields(&self) -> Vec<bool> {
        let mut is_read: Vec<bool> = self.fields.iter().map(FieldPlan::is_read).collect();
        for coding in self.text_codings.iter().filter(|coding| coding.is_read) {
            is_read[coding.field] = true;
        }
        for input in self.text_inputs.iter().filter(|input| input.is_read) {
            is_read[input.text.field] = true;
        }
        for element in self.outputs.iter().flat_map(|output| &output.elements) {
            if let OutputElement::Text(text) = element {
                is_read[text.field] = true;
            }
        }
        is_read
    }

    /// One line per step, for people.
    pub fn describe(&self) -> Vec<String> {
        let codings = self.text_codings.iter().filter(|coding| coding.is_read).map(|coding| {
            let field = &self.fields[coding.field].name;
            format!("codes of `{field}`: {} levels", coding.index.len())
        });
        let notes = self.notes.lines(|field| &self.fields[field].name).into_iter();
        let fields = self.fields.iter().zip(self.read_fields());
        let unread = fields.filter(|(field, is_read)| !is_read && !field.is_ignored());
        let unread = unread.map(|(field, _)| format!("only checked: `{}`", field.name));
        notes
            .chain(unread)
            .chain(codings)
            .chain(self.steps.iter().map(|step| step.describe()))
            .collect()
    }
}

fn check_versions(manifest: &Manifest) -> Result<(), ArtifactError> {
    for (name, version) in &manifest.operators {
        let known = OPERATORS.iter().find(|(operator, _)| operator == name);
        match known {
            None => {
                return Err(ArtifactError::new(format!(
                    "unknown operator `{name}`; upgrade penstock to a version that has it"
                )));
            }
            Some((_, newest)) if version > newest || *version == 0 => {
                return Err(ArtifactError::new(format!(
                    "operator `{name}` has version {version}; this engine knows 1 to {newest}; upgrade penstock"
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The elements of every node, by its name.
type Values<'a> = HashMap<&'a str, Vector>;

fn lower_nodes<'a>(
    manifest: &'a Manifest,
    lowering: &mut Lowering<'a>,
) -> Result<Values<'a>, ArtifactError> {
    let fields: HashMap<&str, usize> = manifest
        .schema
        .inputs
        .iter()
        .enumerate()
        .map(|(at, field)| (field.name.as_str(), at))
        .collect();
    let mut values: Values<'a> = HashMap::default();
    let mut elements = 0;
    for node in &manifest.graph.nodes {
        lowering.node = &node.name;
        lowering.operator = &node.operator;
        let width = |input: &String| values.get(input.as_str()).map_or(1, Vec::len);
        lowering.check_width(node.inputs.iter().map(width).sum())?;
        let inputs = node
            .inputs
            .iter()
            .map(|input| match input.strip_prefix("field:") {
                Some(name) => {
                    let at = fields.get(name).copied();
                    let at = at.ok_or_else(|| lowering.error(&format!("no field `{name}`")))?;
                    Ok(vec![field_element(at, manifest, lowering)])
                }
                None => values
                    .get(input.as_str())
                    .cloned()
                    .ok_or_else(|| lowering.error(&format!("no earlier node `{input}`"))),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let value = lower(&node.operator, node.fields.clone(), lowering, inputs)?;
        lowering.watch(&value);
        elements += value.len();
        if elements > MAX_ELEMENTS {
            return Err(lowering.error(&format!("brings the graph beyond {MAX_ELEMENTS} elements")));
        }
        values.insert(&node.name, value);
    }
    Ok(values)
}

fn field_element(at: usize, manifest: &Manifest, lowering: &mut Lowering<'_>) -> Element {
    let field = &manifest.schema.inputs[at];
    match field.r#type {
        FieldType::Text => Element::Text(Text { field: at, replacements: Vec::new() }),
        _ => Element::Number(lowering.builder.field_number(at, bounds(field))),
    }
}

/// What holds for the numbers of a field in every row that it accepts.
fn bounds(field: &Field) -> Bounds {
    let is_number = matches!(field.r#type, FieldType::Number | FieldType::Ignored);
    let bounds = match field.infinite {
        Infinite::Allow if is_number => Bounds::ALL,
        _ => Bounds::FINITE,
    };
    let may_be_missing = match field.on_missing {
        OnMissing::Allow => true,
        OnMissing::Refuse => false,
        OnMissing::Replace => !matches!(field.replacement, Some(Value::Number(_) | Value::Bool(_))),
    };
    Bounds { may_be_missing, ..bounds }
}
