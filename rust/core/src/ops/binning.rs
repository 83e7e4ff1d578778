//! Numbers to bins.

use super::sparse::{changed, Operation};
use super::Lower;
use crate::error::ArtifactError;
use crate::manifest::Precision;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{CodeRegister, Element, Register, Vector};
use crate::plan::scalar::Scalar;
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binarize {
    threshold: f64,
    precision: Precision,
}

impl Lower for Binarize {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        // numpy compares a float32 array with a Python float in float32 (NEP 50).
        let threshold = match self.precision {
            Precision::F64 => self.threshold,
            Precision::F32 => f64::from(self.threshold as f32),
        };
        let above = Scalar::Above(threshold);
        let sparse = changed(lowering, &input, &Operation::Apply(above), false);
        let pairs = input.iter().zip(sparse);
        pairs
            .map(|(element, sparse)| match sparse {
                Some(element) => Ok(element),
                None => lowering.apply(element, above),
            })
            .collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digitize {
    edges: TensorName,
    ends: TensorName,
}

impl Lower for Digitize {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let edges = lowering.tensors.f64s(&self.edges.tensor)?;
        lowering.check_not_nan(&self.edges.tensor, &edges)?;
        let ranges = lowering.ranges(&self.ends, input.len(), edges.len())?;
        let mut output = Vec::with_capacity(input.len());
        for (element, range) in input.iter().zip(ranges) {
            let edges = edges[range].to_vec();
            if !edges.is_sorted() {
                return Err(lowering.error("has edges that do not ascend"));
            }
            let source = lowering.number(element)?;
            let origin = lowering.builder.origin(element);
            let target = lowering.builder.new_code(origin);
            lowering.builder.push(DigitizeStep { source, target, edges });
            output.push(Element::Code(target));
        }
        Ok(output)
    }
}

struct DigitizeStep {
    source: Register,
    target: CodeRegister,
    edges: Vec<f64>,
}

impl Step for DigitizeStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let x = block.number(self.source)[row];
            // numpy.searchsorted(side="right") sorts NaN behind every number.
            let code = self.edges.partition_point(|edge| *edge <= x || x.is_nan());
            block.code_mut(self.target)[row] = code as u32;
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.source));
        visit(Access::WritesCode(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("bins between {} edges", self.edges.len())
    }
}
