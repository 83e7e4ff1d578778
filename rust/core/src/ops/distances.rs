//! How far a row is from some points: centers of clusters, neighbors, the means of densities.

use super::points::{lower_points, Metric};
use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{reads, writes, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distance {
    metric: Metric,
    points: TensorName,
    scales: Option<TensorName>,
}

impl Lower for Distance {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let (points, count) = lower_points(lowering, &self.points, input.len())?;
        lowering.check_width(count)?;
        let scales = match &self.scales {
            Some(name) => Some(lowering.numbers(name, points.len())?),
            None => None,
        };
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let targets = lowering.outputs(&input, count);
        let output = targets.iter().map(|target| Element::Number(*target)).collect();
        lowering.builder.push(DistanceStep {
            metric: self.metric,
            sources,
            targets,
            points,
            scales,
        });
        Ok(output)
    }
}

struct DistanceStep {
    metric: Metric,
    sources: Vec<Register>,
    targets: Vec<Register>,
    /// Point after point.
    points: Vec<f64>,
    scales: Option<Vec<f64>>,
}

impl DistanceStep {
    /// Adds what one element brings to the distances of all rows from one point.
    fn add(&self, sums: &mut [f64], column: &[f64], at: usize) {
        let point = self.points[at];
        let scale = self.scales.as_ref().map(|scales| scales[at]);
        let rows = sums.iter_mut().zip(column);
        match (self.metric, scale) {
            (Metric::Euclidean | Metric::SquaredEuclidean, None) => {
                rows.for_each(|(sum, x)| *sum += (x - point) * (x - point));
            }
            (Metric::Euclidean | Metric::SquaredEuclidean, Some(scale)) => {
                rows.for_each(|(sum, x)| *sum += (x - point) * (x - point) / scale);
            }
            (Metric::Manhattan, scale) => {
                let scale = scale.unwrap_or(1.0);
                rows.for_each(|(sum, x)| *sum += (x - point).abs() / scale);
            }
            (Metric::Chebyshev, scale) => {
                let scale = scale.unwrap_or(1.0);
                rows.for_each(|(most, x)| {
                    let x = (x - point).abs() / scale;
                    if x > *most || x.is_nan() {
                        *most = x;
                    }
                });
            }
        }
    }
}

impl Step for DistanceStep {
    fn run(&self, block: &mut Block<'_>) {
        let (rows, width) = (block.rows, self.sources.len());
        for (output, target) in self.targets.iter().enumerate() {
            let (numbers, _, _) = block.parts();
            let (numbers, sums) = numbers.split_at_mut(*target as usize * rows);
            let sums = &mut sums[..rows];
            sums.fill(0.0);
            for (at, source) in self.sources.iter().enumerate() {
                let column = &numbers[*source as usize * rows..][..rows];
                self.add(sums, column, output * width + at);
            }
            if self.metric == Metric::Euclidean {
                sums.iter_mut().for_each(|sum| *sum = sum.sqrt());
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        let (points, width) = (self.targets.len(), self.sources.len());
        format!("{:?} distances from {points} points of {width} numbers", self.metric)
    }

    fn memory(&self) -> usize {
        let scales = self.scales.as_ref().map_or(0, Vec::len);
        (self.points.len() + scales) * size_of::<f64>()
    }
}
