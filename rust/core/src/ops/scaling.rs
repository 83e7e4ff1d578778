//! Element-wise arithmetic, named functions and row norms.

use super::Lower;
use crate::error::ArtifactError;
use crate::manifest::Precision;
use crate::plan::access::{reads, writes, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
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
        let mut output = Vec::with_capacity(input.len());
        for (element, operand) in input.iter().zip(operands) {
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
        for element in &lowering.one(inputs)? {
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
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let targets = lowering.outputs(&input, input.len());
        lowering.builder.push(NormalizeStep {
            norm: self.norm,
            smallest: self.smallest,
            sources,
            targets: targets.clone(),
            single: self.precision == Precision::F32,
            single_sum: self.accumulate == Precision::F32,
        });
        Ok(targets.into_iter().map(Element::Number).collect())
    }
}

struct NormalizeStep {
    norm: Norm,
    smallest: f64,
    sources: Vec<Register>,
    targets: Vec<Register>,
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

impl NormalizeStep {
    fn norm(&self, block: &Block<'_>, row: usize) -> f64 {
        let values = self.sources.iter().map(|source| block.number(*source)[row]);
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

impl Step for NormalizeStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let norm = self.norm(block, row);
            for (source, target) in self.sources.iter().zip(&self.targets) {
                let value = block.number(*source)[row] / norm;
                block.number_mut(*target)[row] = rounded(value, self.single);
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        format!("rows of {} elements divided by their {:?} norm", self.sources.len(), self.norm)
    }
}
