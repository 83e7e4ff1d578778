//! Leaves of trees that are linear models of the row.

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{reads, writes, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use crate::trees::ZERO_LIMIT;
use serde::Deserialize;
use std::ops::Range;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearLeaves {
    constants: TensorName,
    ends: TensorName,
    features: TensorName,
    coefficients: TensorName,
    values: TensorName,
    outputs: TensorName,
    start: TensorName,
    flush_zero: bool,
}

impl Lower for LinearLeaves {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let [positions, input] = <[Vector; 2]>::try_from(inputs)
            .map_err(|_| lowering.error("takes two inputs: leaves, and what they are models of"))?;
        let start = lowering.tensors.f64s(&self.start.tensor)?;
        lowering.check_width(start.len())?;
        let outputs = self.outputs(lowering, positions.len(), start.len())?;
        let mut sources = positions.clone();
        let leaves = self.leaves(lowering, &input, &mut sources)?;
        let positions = positions
            .iter()
            .map(|element| lowering.number(element))
            .collect::<Result<Vec<_>, _>>()?;
        let targets = lowering.outputs(&sources, start.len());
        let output = targets.iter().map(|target| Element::Number(*target)).collect();
        lowering.builder.push(LeavesStep { positions, leaves, outputs, start, targets });
        Ok(output)
    }
}

impl LinearLeaves {
    /// The output that each of the trees adds to.
    fn outputs(
        &self,
        lowering: &Lowering<'_>,
        trees: usize,
        count: usize,
    ) -> Result<Vec<u32>, ArtifactError> {
        let outputs = lowering.i32s(&self.outputs)?;
        lowering.check_length(&self.outputs.tensor, outputs.len(), trees)?;
        outputs.into_iter().map(|at| position(lowering, "adds to output", at, count)).collect()
    }

    /// The models; the elements that they use are added to `sources`.
    fn leaves(
        &self,
        lowering: &mut Lowering<'_>,
        input: &[Element],
        sources: &mut Vector,
    ) -> Result<Leaves, ArtifactError> {
        let constants = lowering.tensors.f64s(&self.constants.tensor)?;
        let values = lowering.f64s(&self.values, constants.len())?;
        let features = lowering.i32s(&self.features)?;
        let coefficients = lowering.f64s(&self.coefficients, features.len())?;
        let ranges = lowering.ranges(&self.ends, constants.len(), features.len())?;
        // Elements are built once, however many leaves they are part of.
        let mut registers: Vec<Option<Register>> = vec![None; input.len()];
        let mut terms = Vec::with_capacity(features.len());
        for (feature, coefficient) in features.into_iter().zip(coefficients) {
            let at = position(lowering, "multiplies element", feature, input.len())? as usize;
            let register = match registers[at] {
                Some(register) => register,
                None => {
                    sources.push(input[at].clone());
                    lowering.number(&input[at])?
                }
            };
            registers[at] = Some(register);
            terms.push((register, coefficient));
        }
        Ok(Leaves { constants, values, ranges, terms, flush_zero: self.flush_zero })
    }
}

/// A number as a position among `count`.
fn position(
    lowering: &Lowering<'_>,
    what: &str,
    at: i32,
    count: usize,
) -> Result<u32, ArtifactError> {
    match u32::try_from(at) {
        Ok(position) if (position as usize) < count => Ok(position),
        _ => Err(lowering.error(&format!("{what} {at}, of {count}"))),
    }
}

/// The models of all leaves of all trees.
struct Leaves {
    constants: Vec<f64>,
    /// What leaves are where an element is missing.
    values: Vec<f64>,
    /// The terms of each leaf.
    ranges: Vec<Range<usize>>,
    terms: Vec<(Register, f64)>,
    flush_zero: bool,
}

impl Leaves {
    /// The value of a leaf in a row (LightGBM, `include/LightGBM/tree.h`, `Tree::Predict`); NaN if there is no such leaf.
    fn value(&self, leaf: f64, element: impl Fn(Register) -> f64) -> f64 {
        let at = leaf as usize;
        let Some(range) = self.ranges.get(at).filter(|_| at as f64 == leaf) else {
            return f64::NAN;
        };
        let mut sum = self.constants[at];
        for (register, coefficient) in &self.terms[range.clone()] {
            let x = element(*register);
            if x.is_nan() {
                return self.values[at];
            }
            let x = if self.flush_zero && x.abs() <= f64::from(ZERO_LIMIT) { 0.0 } else { x };
            sum += coefficient * x;
        }
        sum
    }
}

struct LeavesStep {
    /// The number of the leaf that the row reaches in each tree.
    positions: Vec<Register>,
    leaves: Leaves,
    outputs: Vec<u32>,
    start: Vec<f64>,
    targets: Vec<Register>,
}

impl Step for LeavesStep {
    fn run(&self, block: &mut Block<'_>) {
        let rows = block.rows;
        for (target, start) in self.targets.iter().zip(&self.start) {
            block.number_mut(*target).fill(*start);
        }
        let (numbers, _, _) = block.parts();
        for (position, output) in self.positions.iter().zip(&self.outputs) {
            let target = self.targets[*output as usize] as usize * rows;
            for row in 0..rows {
                let element = |register: Register| numbers[register as usize * rows + row];
                let value = self.leaves.value(element(*position), element);
                numbers[target + row] += value;
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.positions);
        reads(visit, self.leaves.terms.iter_mut().map(|(register, _)| register));
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        format!(
            "{} leaves of {} trees with {} terms",
            self.leaves.ranges.len(),
            self.positions.len(),
            self.leaves.terms.len()
        )
    }

    fn memory(&self) -> usize {
        let Leaves { constants, ranges, terms, .. } = &self.leaves;
        2 * size_of_val(constants.as_slice())
            + size_of_val(ranges.as_slice())
            + size_of_val(terms.as_slice())
    }
}
