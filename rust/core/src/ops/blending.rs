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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedMedian {
    weights: TensorName,
}

impl Lower for WeightedMedian {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        if input.is_empty() {
            return Err(lowering.error("takes at least one element"));
        }
        let weights = lowering.numbers(&self.weights, input.len())?;
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let target = lowering.output(&input);
        lowering.builder.push(MedianStep { sources, target, weights });
        Ok(vec![Element::Number(target)])
    }
}

struct MedianStep {
    sources: Vec<Register>,
    target: Register,
    weights: Vec<f64>,
}

impl MedianStep {
    /// The first element, in ascending order, up to which half of the weights are.
    fn median(&self, values: &[f64], order: &mut [u32]) -> f64 {
        let value = |at: u32| values[at as usize];
        order.sort_by(|left, right| match (value(*left).is_nan(), value(*right).is_nan()) {
            (false, false) => value(*left).total_cmp(&value(*right)),
            (left, right) => left.cmp(&right),
        });
        let weight = |at: &u32| self.weights[*at as usize];
        let half = 0.5 * order.iter().map(weight).fold(0.0, |sum, weight| sum + weight);
        let mut sum = 0.0;
        let found = order.iter().find(|at| {
            sum += weight(at);
            sum >= half
        });
        found.or(order.first()).map_or(f64::NAN, |at| value(*at))
    }
}

impl Step for MedianStep {
    fn run(&self, block: &mut Block<'_>) {
        let mut values = std::mem::take(&mut block.workspace.doubles);
        let mut order = std::mem::take(&mut block.workspace.indices);
        for row in 0..block.rows {
            values.clear();
            values.extend(self.sources.iter().map(|source| block.number(*source)[row]));
            order.clear();
            order.extend(0..self.sources.len() as u32);
            block.number_mut(self.target)[row] = self.median(&values, &mut order);
        }
        block.workspace.doubles = values;
        block.workspace.indices = order;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("weighted median of {} numbers", self.sources.len())
    }

    fn memory(&self) -> usize {
        self.weights.len() * size_of::<f64>()
    }
}
