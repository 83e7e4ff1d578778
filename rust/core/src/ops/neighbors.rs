//! The points that are nearest to a row, and the mean of what is known of them.

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{reads, writes, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Metric {
    Euclidean,
    Manhattan,
    Chebyshev,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weights {
    Uniform,
    Distance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbors {
    metric: Metric,
    points: TensorName,
    values: TensorName,
    count: usize,
    weights: Weights,
}

impl Lower for Neighbors {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let points = lowering.tensors.f64s(&self.points.tensor)?;
        lowering.check_not_nan(&self.points.tensor, &points)?;
        let rows = points.len().checked_div(input.len()).unwrap_or(0);
        lowering.check_length(&self.points.tensor, points.len(), rows * input.len())?;
        if self.count == 0 || self.count > rows {
            return Err(lowering.error(&format!("asks for {} of {rows} points", self.count)));
        }
        let values = lowering.tensors.f64s(&self.values.tensor)?;
        let width = values.len() / rows;
        lowering.check_length(&self.values.tensor, values.len(), rows * width)?;
        lowering.check_width(width)?;
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let targets = lowering.outputs(&input, width);
        let output = targets.iter().map(|target| Element::Number(*target)).collect();
        lowering.builder.push(NeighborsStep {
            metric: self.metric,
            weights: self.weights,
            count: self.count,
            sources,
            targets,
            points,
            values,
        });
        Ok(output)
    }
}

struct NeighborsStep {
    metric: Metric,
    weights: Weights,
    count: usize,
    sources: Vec<Register>,
    targets: Vec<Register>,
    /// Point after point.
    points: Vec<f64>,
    /// What is known of each point, point after point.
    values: Vec<f64>,
}

impl NeighborsStep {
    /// The distance, or its square if it is Euclidean.
    fn distance(&self, row: &[f64], point: &[f64]) -> f64 {
        let differences = row.iter().zip(point).map(|(x, y)| x - y);
        match self.metric {
            Metric::Euclidean => differences.fold(0.0, |sum, x| sum + x * x),
            Metric::Manhattan => differences.fold(0.0, |sum, x| sum + x.abs()),
            Metric::Chebyshev => differences.fold(0.0, |most: f64, x| most.max(x.abs())),
        }
    }

    /// Fills `nearest` with the points that are nearest, the first of equals first, and `found` with their distances.
    fn search(&self, row: &[f64], found: &mut Vec<f64>, nearest: &mut Vec<u32>) {
        found.clear();
        nearest.clear();
        for (at, point) in self.points.chunks_exact(row.len()).enumerate() {
            let distance = self.distance(row, point);
            let full = found.len() == self.count;
            if full && found.last().is_some_and(|worst| distance >= *worst) {
                continue;
            }
            if full {
                found.pop();
                nearest.pop();
            }
            let place = found.partition_point(|other| *other <= distance);
            found.insert(place, distance);
            nearest.insert(place, at as u32);
        }
        if self.metric == Metric::Euclidean {
            found.iter_mut().for_each(|distance| *distance = distance.sqrt());
        }
    }

    /// Turns distances into weights (sklearn/neighbors/_base.py, `_get_weights`).
    fn weigh(&self, found: &mut [f64]) {
        if self.weights == Weights::Uniform {
            found.fill(1.0);
            return;
        }
        found.iter_mut().for_each(|distance| *distance = 1.0 / *distance);
        if found.iter().any(|weight| weight.is_infinite()) {
            found.iter_mut().for_each(|weight| *weight = f64::from(u8::from(weight.is_infinite())));
        }
    }
}

impl Step for NeighborsStep {
    fn run(&self, block: &mut Block<'_>) {
        let width = self.targets.len();
        let mut values = std::mem::take(&mut block.workspace.doubles);
        let mut nearest = std::mem::take(&mut block.workspace.indices);
        let mut found = Vec::with_capacity(self.count);
        for row in 0..block.rows {
            values.clear();
            values.extend(self.sources.iter().map(|source| block.number(*source)[row]));
            self.search(&values, &mut found, &mut nearest);
            self.weigh(&mut found);
            let total = found.iter().fold(0.0, |sum, weight| sum + weight);
            for (output, target) in self.targets.iter().enumerate() {
                let known = nearest.iter().map(|at| self.values[*at as usize * width + output]);
                let sum = found.iter().zip(known).fold(0.0, |sum, (w, value)| sum + w * value);
                block.number_mut(*target)[row] = sum / total;
            }
        }
        block.workspace.doubles = values;
        block.workspace.indices = nearest;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        let points = self.points.len() / self.sources.len().max(1);
        format!("{} nearest of {points} points ({:?})", self.count, self.metric)
    }

    fn memory(&self) -> usize {
        (self.points.len() + self.values.len()) * size_of::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::{Metric, NeighborsStep, Weights};

    fn step(weights: Weights) -> NeighborsStep {
        NeighborsStep {
            metric: Metric::Euclidean,
            weights,
            count: 2,
            sources: vec![0, 1],
            targets: vec![2],
            points: vec![0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 9.0, 9.0],
            values: vec![1.0, 2.0, 3.0, 4.0],
        }
    }

    fn searched(step: &NeighborsStep, row: [f64; 2]) -> (Vec<f64>, Vec<u32>) {
        let (mut found, mut nearest) = (Vec::new(), Vec::new());
        step.search(&row, &mut found, &mut nearest);
        step.weigh(&mut found);
        (found, nearest)
    }

    #[test]
    fn the_first_of_equal_points_comes_first() {
        assert_eq!(searched(&step(Weights::Uniform), [0.0, 1.0]), (vec![1.0, 1.0], vec![0, 2]));
        assert_eq!(searched(&step(Weights::Uniform), [3.0, 4.0]), (vec![1.0, 1.0], vec![1, 0]));
    }

    #[test]
    fn a_point_that_is_met_outweighs_all_that_are_not() {
        assert_eq!(searched(&step(Weights::Distance), [3.0, 4.0]), (vec![1.0, 0.0], vec![1, 0]));
        assert_eq!(searched(&step(Weights::Distance), [0.0, 2.0]).0, vec![0.5, 0.5]);
    }

    #[test]
    fn points_that_are_infinitely_far_are_found_as_well() {
        assert_eq!(searched(&step(Weights::Uniform), [1e300, 0.0]).1, vec![0, 1]);
    }
}
