//! Points that rows are compared with, and how far they are from a row.

use crate::error::ArtifactError;
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Euclidean,
    SquaredEuclidean,
    Manhattan,
    Chebyshev,
}

/// The points, one after the other, and how many there are.
pub fn lower_points(
    lowering: &Lowering<'_>,
    name: &TensorName,
    width: usize,
) -> Result<(Vec<f64>, usize), ArtifactError> {
    let points = lowering.tensors.f64s(&name.tensor)?;
    lowering.check_not_nan(&name.tensor, &points)?;
    let count = points.len().checked_div(width).unwrap_or(0);
    lowering.check_length(&name.tensor, points.len(), count * width)?;
    Ok((points, count))
}

/// Metrics that only neighbors have.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rare {
    Minkowski,
    Haversine,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum AnyMetric {
    Plain(Metric),
    Rare(Rare),
}

/// Measures distances, and what takes their place while they are compared: sums without their root, called reduced
/// (sklearn/metrics/_dist_metrics.pyx.tp, `rdist`).
pub struct Ruler {
    metric: AnyMetric,
    /// The exponent of the differences in sums; infinite for the largest difference.
    power: f64,
    /// What weighs the differences of a Minkowski metric; empty if nothing does.
    scales: Vec<f64>,
    /// Whether differences, sums and distances are rounded to f32.
    is_single: bool,
}

impl Ruler {
    pub fn new(
        metric: AnyMetric,
        power: Option<f64>,
        scales: Vec<f64>,
        is_single: bool,
    ) -> Option<Self> {
        let power = match (metric, power) {
            (AnyMetric::Rare(Rare::Minkowski), Some(power)) if power > 0.0 => power,
            (AnyMetric::Rare(Rare::Minkowski), _) | (_, Some(_)) => return None,
            (AnyMetric::Plain(Metric::Manhattan), None) => 1.0,
            (AnyMetric::Plain(Metric::Chebyshev), None) => f64::INFINITY,
            (_, None) => 2.0,
        };
        let is_weighted = !scales.is_empty();
        if is_weighted && metric != AnyMetric::Rare(Rare::Minkowski) {
            return None;
        }
        Some(Self { metric, power, scales, is_single })
    }

    pub fn metric(&self) -> AnyMetric {
        self.metric
    }

    /// Whether boxes bound it: those of a k-d tree.
    pub fn fits_boxes(&self) -> bool {
        self.metric != AnyMetric::Rare(Rare::Haversine)
            && self.metric != AnyMetric::Plain(Metric::SquaredEuclidean)
            && self.scales.is_empty()
    }

    /// The reduced distance.
    #[inline]
    pub fn reduced(&self, row: &[f64], point: &[f64]) -> f64 {
        let pairs = row.iter().zip(point);
        if !self.is_single {
            return self.sum(row, point, pairs.map(|(x, y)| x - y));
        }
        let sum = self.sum(row, point, pairs.map(|(x, y)| f64::from((x - y) as f32)));
        self.rounded(sum)
    }

    /// Where scikit-learn returns f32, which it does of all but squares.
    fn rounded(&self, x: f64) -> f64 {
        if self.is_single && self.metric != AnyMetric::Plain(Metric::SquaredEuclidean) {
            f64::from(x as f32)
        } else {
            x
        }
    }

    #[inline]
    fn sum(&self, row: &[f64], point: &[f64], differences: impl Iterator<Item = f64>) -> f64 {
        match self.metric {
            AnyMetric::Plain(Metric::Euclidean | Metric::SquaredEuclidean) => {
                differences.fold(0.0, |sum, x| sum + x * x)
            }
            AnyMetric::Plain(Metric::Manhattan) => differences.fold(0.0, |sum, x| sum + x.abs()),
            AnyMetric::Plain(Metric::Chebyshev) => {
                differences.fold(0.0, |most: f64, x| most.max(x.abs()))
            }
            AnyMetric::Rare(Rare::Minkowski) if self.scales.is_empty() => {
                differences.fold(0.0, |sum, x| sum + x.abs().powf(self.power))
            }
            AnyMetric::Rare(Rare::Minkowski) => differences
                .zip(&self.scales)
                .fold(0.0, |sum, (x, scale)| sum + scale * x.abs().powf(self.power)),
            AnyMetric::Rare(Rare::Haversine) => {
                let mut sines = differences.map(|x| (0.5 * x).sin());
                let (first, second) =
                    (sines.next().unwrap_or(f64::NAN), sines.next().unwrap_or(f64::NAN));
                let cosines = row[0].cos() * point[0].cos();
                first * first + cosines * second * second
            }
        }
    }

    /// The distance that a reduced one stands for.
    pub fn rooted(&self, reduced: f64) -> f64 {
        let reduced = self.rounded(reduced);
        self.rounded(match self.metric {
            AnyMetric::Plain(Metric::Euclidean) => reduced.sqrt(),
            AnyMetric::Plain(_) => reduced,
            AnyMetric::Rare(Rare::Minkowski) => reduced.powf(1.0 / self.power),
            AnyMetric::Rare(Rare::Haversine) => 2.0 * reduced.sqrt().asin(),
        })
    }

    /// The reduced distance that stands for a distance.
    pub fn reduce(&self, distance: f64) -> f64 {
        let distance = self.rounded(distance);
        self.rounded(match self.metric {
            AnyMetric::Plain(Metric::Euclidean) => distance * distance,
            AnyMetric::Plain(_) => distance,
            AnyMetric::Rare(Rare::Minkowski) => distance.powf(self.power),
            AnyMetric::Rare(Rare::Haversine) => {
                let sine = (0.5 * distance).sin();
                sine * sine
            }
        })
    }

    /// Joins what the columns of a box bring: their powers added, or the largest.
    #[inline]
    pub fn join(&self, sum: f64, difference: f64) -> f64 {
        if self.power == f64::INFINITY {
            sum.max(difference)
        } else if difference == 0.0 {
            sum
        } else {
            sum + self.raised(difference)
        }
    }

    #[inline]
    fn raised(&self, difference: f64) -> f64 {
        if self.power == 1.0 {
            difference
        } else {
            difference.powf(self.power)
        }
    }

    /// The root of what is joined.
    pub fn unjoin(&self, sum: f64) -> f64 {
        if self.power == f64::INFINITY {
            sum
        } else {
            sum.powf(1.0 / self.power)
        }
    }
}
