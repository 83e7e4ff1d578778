//! A model that explains: the plan of a second look at an artifact, and the method of its raw score.

use super::request::{Method, Request};
use super::score;
use super::trees::Room;
use super::walk::ROWS;
use crate::artifact::Artifact;
use crate::cell::Cell;
use crate::error::{ArtifactError, Fault, Warning};
use crate::load::Table;
use crate::manifest::{FieldType, OutputKind};
use crate::plan::block::{Block, Scratch};
use crate::plan::element::Register;
use crate::plan::{OutputElement, OutputPlan, Plan};
use crate::predict::Report;
use crate::trees::MOST_ROWS;
use serde_json::Value;
use std::fmt;
use std::ops::Range;

/// Why a model cannot be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoMethod(pub String);

impl NoMethod {
    fn new(reason: &str) -> Self {
        Self(format!("the model cannot be explained: {reason}"))
    }
}

impl fmt::Display for NoMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for NoMethod {}

impl From<ArtifactError> for NoMethod {
    fn from(error: ArtifactError) -> Self {
        Self(error.0)
    }
}

/// Explains rows. Immutable, so that any number of threads can use it at once.
pub struct Explainer {
    plan: Plan,
    method: Method,
    /// The raw scores; none where they are sums of f32, which differ from those of f64.
    targets: Vec<Register>,
    /// Inputs that are credited, in the order of the schema.
    pub fields: Vec<usize>,
    /// Names of the raw scores, class labels mostly; none if there is one.
    pub names: Vec<Value>,
}

/// Memory for explanations, reused from row to row; one per thread.
#[derive(Default)]
pub struct ExplainScratch {
    scratch: Scratch,
    room: Room,
    numbers: Vec<f64>,
    raw: Vec<f64>,
}

/// What was found for some rows: for each output its base, and for each field what it brings to each row.
#[derive(Clone, Copy)]
pub struct Explanation<'a> {
    pub base: &'a [f64],
    pub fields: usize,
    numbers: &'a [f64],
    raw: &'a [f64],
    stride: usize,
}

impl<'a> Explanation<'a> {
    /// What a field brings to an output, in each row.
    pub fn contributions(&self, output: usize, field: usize) -> &'a [f64] {
        &self.numbers[(output * self.fields + field) * self.stride..][..self.stride]
    }

    /// The raw score as it is predicted, where that is a sum of f64; else the base and all contributions.
    pub fn raw(&self, output: usize, row: usize) -> f64 {
        if !self.raw.is_empty() {
            return self.raw[output * self.stride + row];
        }
        let contributions = (0..self.fields).map(|field| self.contributions(output, field)[row]);
        self.base[output] + contributions.sum::<f64>()
    }
}

impl Explainer {
    /// Opens an artifact to explain its rows; it must have been opened as a model before.
    ///
    /// # Errors
    /// `NoMethod` says why there is no way to credit its raw score to its inputs.
    pub fn open(bytes: &[u8]) -> Result<Self, NoMethod> {
        let artifact = Artifact::open(bytes)?;
        let manifest = &artifact.manifest;
        let node = score::find(manifest).map_err(|reason| NoMethod::new(&reason))?;
        let is_read = |r#type| r#type != FieldType::Ignored;
        let inputs = &manifest.schema.inputs;
        let fields = inputs.iter().map(|field| (field.name.clone(), is_read(field.r#type)));
        let mut request = Some(Request::new(node, fields));
        let mut plan = Plan::compile(&artifact, &mut request)?;
        let explained = request.and_then(|request| request.outcome);
        let explained = explained.ok_or_else(|| NoMethod::new("its raw score is not planned"))?;
        let method = explained
            .method
            .map_err(|reason| NoMethod::new(&format!("node `{node}`: {reason}")))?;
        // What comes after the raw scores is not needed.
        plan.steps.truncate(explained.steps);
        let names = names(&plan.outputs, &explained.targets);
        let fields = (0..inputs.len()).filter(|at| is_read(inputs[*at].r#type)).collect();
        let targets = if explained.is_single { Vec::new() } else { explained.targets };
        Ok(Self { plan, method, targets, fields, names })
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Number of raw scores.
    pub fn output_count(&self) -> usize {
        self.method.base().len()
    }

    /// Explains one row, `cells` in the order of the fields.
    ///
    /// # Errors
    /// The reason for which the row was refused.
    pub fn explain_row<'a>(
        &'a self,
        cells: &[Cell<'_>],
        scratch: &'a mut ExplainScratch,
        warnings: &mut Option<Vec<Warning>>,
    ) -> Result<Explanation<'a>, Fault> {
        let ExplainScratch { scratch, room, numbers, raw } = scratch;
        let mut block = self.plan.block(1, scratch);
        self.plan.load_row(cells, &mut block, warnings);
        let explanation = self.run(&mut block, room, numbers, raw);
        match scratch.faults.first() {
            None => Ok(explanation),
            Some((_, fault)) => Err(fault.clone()),
        }
    }

    /// Explains the rows of a range, block by block: `each` gets the position of the first row of a block within the
    /// range, the rows of the block that were refused, and their number.
    pub fn explain_range(
        &self,
        table: &Table<'_>,
        range: Range<usize>,
        scratch: &mut ExplainScratch,
        report: &mut Report,
        mut each: impl FnMut(Range<usize>, &[(usize, Fault)], Explanation<'_>),
    ) {
        let ExplainScratch { scratch, room, numbers, raw } = scratch;
        for start in range.clone().step_by(MOST_ROWS) {
            let rows = MOST_ROWS.min(range.end - start);
            let mut block = self.plan.block(rows, scratch);
            self.plan.load_block(table, start, &mut block, &mut report.warnings);
            let explanation = self.run(&mut block, room, numbers, raw);
            each(start..start + rows, &scratch.faults, explanation);
            let faults = scratch.faults.drain(..).map(|(row, fault)| (row + start, fault));
            report.faults.extend(faults);
        }
        report.faults.sort_by_key(|(row, _)| *row);
    }

    /// Explains the rows of a block that was loaded.
    fn run<'a>(
        &'a self,
        block: &mut Block<'_>,
        room: &mut Room,
        numbers: &'a mut Vec<f64>,
        raw: &'a mut Vec<f64>,
    ) -> Explanation<'a> {
        self.plan.run(block);
        let (base, fields) = (self.method.base(), self.fields.len());
        let stride = if block.rows == 1 { 1 } else { block.rows.next_multiple_of(ROWS) };
        numbers.clear();
        numbers.resize(base.len() * fields * stride, 0.0);
        self.method.run(block, room, numbers, stride);
        raw.clear();
        for target in &self.targets {
            raw.extend(block.number(*target));
            raw.resize(raw.len().next_multiple_of(stride), f64::NAN);
        }
        Explanation { base, fields, numbers, raw, stride }
    }
}

/// Names for several raw scores: those of an output that has them all, or as many, else the columns of answers.
fn names(outputs: &[OutputPlan], targets: &[Register]) -> Vec<Value> {
    if targets.len() == 1 {
        return Vec::new();
    }
    let is_target = |element: &OutputElement, target: &Register| matches!(element, OutputElement::Number(register) if register == target);
    let wide = outputs.iter().filter(|output| {
        output.kind == OutputKind::Numbers && output.elements.len() == targets.len()
    });
    let same = wide.clone().find(|output| {
        output.elements.iter().zip(targets).all(|(element, target)| is_target(element, target))
    });
    if let Some(output) = same.or_else(|| wide.clone().next()) {
        return output.names.clone();
    }
    let column = |target: &Register| {
        outputs.iter().enumerate().find_map(|(at, output)| {
            let element = output.elements.iter().position(|element| is_target(element, target))?;
            Some(Value::String(output.columns(at)[element].name.clone()))
        })
    };
    let columns: Option<Vec<_>> = targets.iter().map(column).collect();
    columns.unwrap_or_else(|| (0..targets.len()).map(Value::from).collect())
}
