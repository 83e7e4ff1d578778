//! Element-wise arithmetic, named functions and row norms.

use super::sparse::{changed, only, read, Operation, Part};
use super::Lower;
use crate::error::ArtifactError;
use crate::manifest::Precision;
use crate::plan::access::{reads, writes, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::bounds::Bounds;
use crate::plan::element::{Element, Register, SparseRegister, Vector};
use crate::plan::functions::Function;
use crate::plan::scalar::Scalar;
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ArithmeticFunction {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arithmetic {
    function: ArithmeticFunction,
    operands: TensorName,
    precision: Precision,
}

impl Lower for Arithmetic {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let operands = lowering.f64s(&self.operands, input.len())?;
        let scalar = match self.function {
            ArithmeticFunction::Add => Scalar::Add,
            ArithmeticFunction::Subtract => Scalar::Subtract,
            ArithmeticFunction::Multiply => Scalar::Multiply,
            ArithmeticFunction::Divide => Scalar::Divide,
        };
        let sparse = match self.function {
            ArithmeticFunction::Multiply => Some(Operation::Multiply(&operands)),
            ArithmeticFunction::Divide => Some(Operation::Divide(&operands)),
            _ => None,
        };
        let single = self.precision == Precision::F32;
        let mut sparse =
            sparse.map_or_else(Vec::new, |operation| changed(lowering, &input, &operation, single));
        sparse.resize(input.len(), None);
        let mut output = Vec::with_capacity(input.len());
        for ((element, operand), sparse) in input.iter().zip(operands).zip(sparse) {
            if let Some(element) = sparse {
                output.push(element);
                continue;
            }
            let element = lowering.apply(element, scalar(operand))?;
            output.push(lowering.round(element, self.precision)?);
        }
        Ok(output)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    minimum: TensorName,
    maximum: TensorName,
    precision: Precision,
}

impl Lower for Clip {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let minimum = lowering.numbers(&self.minimum, input.len())?;
        let maximum = lowering.numbers(&self.maximum, input.len())?;
        let mut output = Vec::with_capacity(input.len());
        for (element, (low, high)) in input.iter().zip(minimum.into_iter().zip(maximum)) {
            let element = lowering.apply(element, Scalar::Clip(low, high))?;
            output.push(lowering.round(element, self.precision)?);
        }
        Ok(output)
    }
}

/// Parses the name of a function.
pub fn function(lowering: &Lowering<'_>, name: &str) -> Result<Function, ArtifactError> {
    Function::parse(name).ok_or_else(|| {
        let known = Function::NAMES.join("`, `");
        lowering.error(&format!("unknown function `{name}`; known are `{known}`"))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapFunction {
    function: String,
    precision: Precision,
}

impl Lower for MapFunction {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let function = function(lowering, &self.function)?;
        let mut output = Vec::new();
        let input = lowering.one(inputs)?;
        let operation = Operation::Apply(Scalar::Function(function));
        let single = self.precision == Precision::F32;
        let sparse = changed(lowering, &input, &operation, single);
        for (element, sparse) in input.iter().zip(sparse) {
            if let Some(element) = sparse {
                output.push(element);
                continue;
            }
            let element = lowering.apply(element, Scalar::Function(function))?;
            output.push(lowering.round(element, self.precision)?);
        }
        Ok(output)
    }
}

#[derive(Deserialize, Clone, Copy, Debug)]
#[serde(rename_all = "snake_case")]
enum Norm {
    L1,
    L2,
    Max,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalize {
    norm: Norm,
    accumulate: Precision,
    smallest: f64,
    precision: Precision,
}

impl Lower for Normalize {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let rule = NormRule {
            norm: self.norm,
            smallest: self.smallest,
            single: self.precision == Precision::F32,
            single_sum: self.accumulate == Precision::F32,
        };
        if let Some(Part { source, places }) = only(lowering, &input) {
            let Bounds { low, high, .. } = lowering.builder.sparse_bounds(source);
            let high = high.max(low.abs()).max(1.0);
            let bounds = Bounds::new(if low < 0.0 { -high } else { 0.0 }, high, false);
            let target = lowering.builder.like_sparse(source, bounds);
            let is_read = read(&places, lowering.builder.sparse_width(source));
            lowering.builder.push(NormalizeSparse { rule, source, target, is_read });
            let element = |(at, _)| Element::Sparse { source: target, at };
            return Ok(places.into_iter().map(element).collect());
        }
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let targets = lowering.outputs(&input, input.len());
        lowering.builder.push(NormalizeStep { rule, sources, targets: targets.clone() });
        Ok(targets.into_iter().map(Element::Number).collect())
    }
}

/// What a row is divided by.
struct NormRule {
    norm: Norm,
    smallest: f64,
    single: bool,
    single_sum: bool,
}

fn rounded(x: f64, single: bool) -> f64 {
    if single {
        f64::from(x as f32)
    } else {
        x
    }
}

impl NormRule {
    fn norm(&self, values: impl Iterator<Item = f64>) -> f64 {
        let sum = |sum: f64, x: f64| rounded(sum + x, self.single_sum);
        let norm = match self.norm {
            Norm::L1 => values.map(f64::abs).fold(0.0, sum),
            Norm::L2 => {
                let squares = values.map(|x| rounded(x * x, self.single));
                rounded(squares.fold(0.0, sum).sqrt(), self.single_sum)
            }
            Norm::Max => values.fold(0.0, |most: f64, x| most.max(x.abs())),
        };
        // scikit-learn leaves rows of zeros alone: preprocessing/_data.py, _handle_zeros_in_scale.
        if norm == 0.0 || norm < self.smallest {
            1.0
        } else {
            norm
        }
    }
}

struct NormalizeStep {
    rule: NormRule,
    sources: Vec<Register>,
    targets: Vec<Register>,
}

impl Step for NormalizeStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let values = self.sources.iter().map(|source| block.number(*source)[row]);
            let norm = self.rule.norm(values);
            for (source, target) in self.sources.iter().zip(&self.targets) {
                let value = block.number(*source)[row] / norm;
                block.number_mut(*target)[row] = rounded(value, self.rule.single);
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        format!(
            "rows of {} elements divided by their {:?} norm",
            self.sources.len(),
            self.rule.norm
        )
    }
}

/// The same for a sparse row; its zeros add nothing to any norm.
struct NormalizeSparse {
    rule: NormRule,
    source: SparseRegister,
    target: SparseRegister,
    is_read: Vec<bool>,
}

impl Step for NormalizeSparse {
    fn run(&self, block: &mut Block<'_>) {
        let rows = block.rows;
        block.write_sparse(self.target, |column, block| {
            for row in 0..rows {
                let entries = block.sparse(self.source).row(row).iter();
                let entries = entries
                    .filter(|(at, _)| self.is_read.get(*at as usize).is_some_and(|read| *read));
                let norm = self.rule.norm(entries.clone().map(|(_, value)| *value));
                for (at, value) in entries {
                    column.push(*at, rounded(value / norm, self.rule.single));
                }
                column.end_row();
            }
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsSparse(&mut self.source));
        visit(Access::WritesSparse(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("sparse rows divided by their {:?} norm", self.rule.norm)
    }

    fn memory(&self) -> usize {
        self.is_read.len()
    }
}
