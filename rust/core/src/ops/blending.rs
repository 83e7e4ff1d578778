//! Several values of the same width, added element by element: what ensembles of any models come to.

use super::Lower;
use crate::error::ArtifactError;
use crate::manifest::Precision;
use crate::plan::access::{reads, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    weights: Option<TensorName>,
    divisor: f64,
    precision: Precision,
}

impl Lower for Sum {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let width = inputs.first().map_or(0, Vec::len);
        if inputs.is_empty() || inputs.iter().any(|input| input.len() != width) {
            return Err(lowering.error("takes inputs of the same width, at least one"));
        }
        if !(self.divisor.is_finite() && self.divisor != 0.0) {
            return Err(lowering.error("divides by 0 or by what is not finite"));
        }
        let weights = match &self.weights {
            Some(name) => Some(lowering.numbers(name, inputs.len())?),
            None => None,
        };
        let mut output = Vec::with_capacity(width);
        for at in 0..width {
            let elements: Vec<Element> = inputs.iter().map(|input| input[at].clone()).collect();
            let sources = elements
                .iter()
                .map(|element| lowering.number(element))
                .collect::<Result<Vec<_>, _>>()?;
            let target = lowering.output(&elements);
            lowering.builder.push(SumStep {
                sources,
                target,
                weights: weights.clone(),
                divisor: self.divisor,
                single: self.precision == Precision::F32,
            });
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

struct SumStep {
    sources: Vec<Register>,
    target: Register,
    weights: Option<Vec<f64>>,
    divisor: f64,
    single: bool,
}

impl SumStep {
    fn rounded(&self, x: f64) -> f64 {
        if self.single {
            f64::from(x as f32)
        } else {
            x
        }
    }
}

impl Step for SumStep {
    fn run(&self, block: &mut Block<'_>) {
        block.number_mut(self.target).fill(0.0);
        for (at, source) in self.sources.iter().enumerate() {
            let weight = self.weights.as_ref().map(|weights| weights[at]);
            let (numbers, sums) = block.number_pair(*source, self.target);
            for (sum, x) in sums.iter_mut().zip(numbers) {
                let addend = weight.map_or(*x, |weight| self.rounded(x * weight));
                *sum = self.rounded(*sum + addend);
            }
        }
        if self.divisor != 1.0 {
            for sum in block.number_mut(self.target) {
                *sum = self.rounded(*sum / self.divisor);
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("sum of {} numbers", self.sources.len())
    }

    fn memory(&self) -> usize {
        let weights = self.weights.as_ref().map_or(0, Vec::len);
        weights * size_of::<f64>() + self.sources.len() * size_of::<Register>()
    }
}
