//! numpy's sum of numbers that lie side by side (numpy/_core/src/umath/loops_utils.h.src, `pairwise_sum`).

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{reads, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::Lowering;
use serde::Deserialize;

/// So many sums at once, and so many numbers before they are halved.
const LANES: usize = 8;
const BLOCK: usize = 128;

pub fn pairwise_sum(numbers: &[f64]) -> f64 {
    if numbers.len() < LANES {
        return numbers.iter().fold(0.0, |sum, x| sum + x);
    }
    if numbers.len() > BLOCK {
        let half = numbers.len() / 2;
        let (left, right) = numbers.split_at(half - half % LANES);
        return pairwise_sum(left) + pairwise_sum(right);
    }
    let (whole, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for part in whole {
        for (sum, x) in sums.iter_mut().zip(part) {
            *sum += x;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    rest.iter().fold(sum, |sum, x| sum + x)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mean {}

impl Lower for Mean {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        if input.is_empty() {
            return Err(lowering.error("takes at least one element"));
        }
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let target = lowering.output(&input);
        lowering.builder.push(MeanStep { sources, target });
        Ok(vec![Element::Number(target)])
    }
}

struct MeanStep {
    sources: Vec<Register>,
    target: Register,
}

impl Step for MeanStep {
    fn run(&self, block: &mut Block<'_>) {
        let mut values = std::mem::take(&mut block.workspace.doubles);
        for row in 0..block.rows {
            values.clear();
            values.extend(self.sources.iter().map(|source| block.number(*source)[row]));
            block.number_mut(self.target)[row] = pairwise_sum(&values) / values.len() as f64;
        }
        block.workspace.doubles = values;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("mean of {} numbers", self.sources.len())
    }
}

#[cfg(test)]
mod tests {
    use super::pairwise_sum;

    #[test]
    fn the_last_bits_are_those_of_numpy() {
        let numbers = vec![0.1; 1000];
        assert_eq!(pairwise_sum(&numbers), 100.00000000000001);
        assert_eq!(pairwise_sum(&numbers[..7]), 0.7);
        assert_ne!(pairwise_sum(&numbers), numbers.iter().sum::<f64>());
    }
}
