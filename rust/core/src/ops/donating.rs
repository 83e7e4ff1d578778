//! Missing numbers, replaced by those of the rows of training that are nearest.

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{reads, writes, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weights {
    Uniform,
    Distance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImputeNearest {
    points: TensorName,
    means: TensorName,
    count: usize,
    weights: Weights,
}

impl Lower for ImputeNearest {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let points = lowering.tensors.f64s(&self.points.tensor)?;
        let rows = points.len().checked_div(input.len()).unwrap_or(0);
        lowering.check_length(&self.points.tensor, points.len(), rows * input.len())?;
        let means = lowering.f64s(&self.means, input.len())?;
        if self.count == 0 {
            return Err(lowering.error("asks for no neighbors"));
        }
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let targets = lowering.outputs(&input, input.len());
        let output = targets.iter().map(|target| Element::Number(*target)).collect();
        lowering.builder.push(ImputeNearestStep {
            sources,
            targets,
            points,
            means,
            count: self.count,
            weights: self.weights,
        });
        Ok(output)
    }
}

struct ImputeNearestStep {
    sources: Vec<Register>,
    targets: Vec<Register>,
    /// Point after point; NaN is missing.
    points: Vec<f64>,
    means: Vec<f64>,
    count: usize,
    weights: Weights,
}

impl ImputeNearestStep {
    /// sklearn.metrics.nan_euclidean_distances: of what both have, as if it were of all; NaN if there is nothing.
    fn distance(row: &[f64], point: &[f64]) -> f64 {
        let (mut sum, mut shared) = (0.0, 0_usize);
        for difference in row.iter().zip(point).map(|(x, y)| x - y).filter(|x| !x.is_nan()) {
            sum += difference * difference;
            shared += 1;
        }
        if shared == 0 {
            f64::NAN
        } else {
            (sum / shared as f64 * row.len() as f64).sqrt()
        }
    }

    /// The nearest points that have this element, with their distances; those at no distance come last.
    fn donors(&self, distances: &[f64], at: usize, found: &mut Vec<(f64, f64)>) {
        found.clear();
        let width = self.sources.len();
        let known = distances.iter().zip(self.points.iter().skip(at).step_by(width));
        for (distance, value) in known.filter(|(_, value)| !value.is_nan()) {
            let order = |other: &(f64, f64)| other.0 <= *distance || distance.is_nan();
            if found.len() == self.count {
                if found.last().is_some_and(order) {
                    continue;
                }
                found.pop();
            }
            let place = found.partition_point(order);
            found.insert(place, (*distance, *value));
        }
    }

    /// The mean of the donors; the mean of the element where none is at any distance.
    fn mean(&self, found: &[(f64, f64)], at: usize) -> f64 {
        if found.iter().all(|(distance, _)| distance.is_nan()) {
            return self.means[at];
        }
        let weight = |distance: f64| match self.weights {
            Weights::Uniform => 1.0,
            Weights::Distance => 1.0 / distance,
        };
        let is_met = found.iter().any(|(distance, _)| weight(*distance).is_infinite());
        let (mut sum, mut total) = (0.0, 0.0);
        for (distance, value) in found.iter().filter(|(distance, _)| !distance.is_nan()) {
            let weight = weight(*distance);
            let weight = if is_met { f64::from(u8::from(weight.is_infinite())) } else { weight };
            sum += weight * value;
            total += weight;
        }
        sum / total
    }
}

impl Step for ImputeNearestStep {
    fn run(&self, block: &mut Block<'_>) {
        let width = self.sources.len();
        let mut room = std::mem::take(&mut block.workspace.doubles);
        let mut found = Vec::new();
        for row in 0..block.rows {
            room.clear();
            room.extend(self.sources.iter().map(|source| block.number(*source)[row]));
            // Squares that are infinite leave scikit-learn no distance at all.
            let is_lost = room.iter().any(|x| (x * x).is_infinite());
            if room.iter().any(|x| x.is_nan()) {
                for point in self.points.chunks_exact(width) {
                    let distance =
                        if is_lost { f64::NAN } else { Self::distance(&room[..width], point) };
                    room.push(distance);
                }
            }
            for (at, target) in self.targets.iter().enumerate() {
                let mut x = room[at];
                if x.is_nan() {
                    self.donors(&room[width..], at, &mut found);
                    x = self.mean(&found, at);
                }
                block.number_mut(*target)[row] = x;
            }
        }
        block.workspace.doubles = room;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        let points = self.points.len() / self.sources.len().max(1);
        format!("missing numbers from {} nearest of {points} points", self.count)
    }

    fn memory(&self) -> usize {
        (self.points.len() + self.means.len()) * size_of::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::{ImputeNearestStep, Weights};

    fn imputed(weights: Weights, row: [f64; 2], count: usize) -> f64 {
        let step = ImputeNearestStep {
            sources: vec![0, 1],
            targets: vec![2, 3],
            points: vec![0.0, 5.0, 2.0, 7.0, f64::NAN, 100.0, 3.0, f64::NAN],
            means: vec![1.5, 37.0],
            count,
            weights,
        };
        let distances: Vec<f64> = step
            .points
            .chunks_exact(2)
            .map(|point| ImputeNearestStep::distance(&row, point))
            .collect();
        let mut found = Vec::new();
        step.donors(&distances, 1, &mut found);
        step.mean(&found, 1)
    }

    #[test]
    fn what_is_missing_is_the_mean_of_the_nearest_that_have_it() {
        assert_eq!(imputed(Weights::Uniform, [2.5, f64::NAN], 1), 7.0);
        assert_eq!(imputed(Weights::Uniform, [2.5, f64::NAN], 2), 6.0);
        // The third has no distance, and no weight.
        assert_eq!(imputed(Weights::Uniform, [2.5, f64::NAN], 3), 6.0);
        assert_eq!(imputed(Weights::Distance, [2.0, f64::NAN], 2), 7.0);
    }

    #[test]
    fn without_any_distance_it_is_the_mean_of_all() {
        assert_eq!(imputed(Weights::Uniform, [f64::NAN, f64::NAN], 2), 37.0);
    }
}
