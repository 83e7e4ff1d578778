//! Numbers to a normal or uniform distribution: powers, and ranks among quantiles.

use super::Lower;
use crate::error::{ArtifactError, Code};
use crate::manifest::Precision;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Family {
    BoxCox,
    YeoJohnson,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    family: Family,
    exponents: TensorName,
    precision: Precision,
}

impl Lower for Power {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let exponents = lowering.numbers(&self.exponents, input.len())?;
        let mut output = Vec::with_capacity(input.len());
        for (element, exponent) in input.iter().zip(exponents) {
            let source = lowering.number(element)?;
            let fields = lowering.builder.origin(element).to_vec();
            let target = lowering.output(std::slice::from_ref(element));
            let single = self.precision == Precision::F32;
            let step = PowerStep { family: self.family, exponent, single, source, target, fields };
            lowering.builder.push(step);
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

struct PowerStep {
    family: Family,
    exponent: f64,
    single: bool,
    source: Register,
    target: Register,
    fields: Vec<usize>,
}

impl PowerStep {
    fn apply(&self, x: f64) -> f64 {
        let value = match self.family {
            Family::BoxCox => box_cox(x, self.exponent),
            Family::YeoJohnson => yeo_johnson(x, self.exponent, |x| self.rounded(x)),
        };
        self.rounded(value)
    }

    fn rounded(&self, x: f64) -> f64 {
        if self.single {
            f64::from(x as f32)
        } else {
            x
        }
    }
}

/// scipy.special.boxcox (scipy/special/_boxcox.pxd).
fn box_cox(x: f64, exponent: f64) -> f64 {
    if exponent.abs() < 1e-19 {
        x.ln()
    } else if exponent * x.ln() < 709.78 {
        (exponent * x.ln()).exp_m1() / exponent
    } else {
        exponent.signum() * (exponent * x.ln() - exponent.abs().ln()).exp() - 1.0 / exponent
    }
}

/// scipy.stats.yeojohnson (scipy/stats/_morestats.py, `_yeojohnson_transform`); logarithms are in the type of x.
fn yeo_johnson(x: f64, exponent: f64, rounded: impl Fn(f64) -> f64) -> f64 {
    let epsilon = f64::EPSILON;
    if x >= 0.0 {
        let logarithm = rounded(x.ln_1p());
        if exponent.abs() < epsilon {
            logarithm
        } else {
            (exponent * logarithm).exp_m1() / exponent
        }
    } else {
        let logarithm = rounded((-x).ln_1p());
        if (exponent - 2.0).abs() > epsilon {
            -((2.0 - exponent) * logarithm).exp_m1() / (2.0 - exponent)
        } else {
            -logarithm
        }
    }
}

impl Step for PowerStep {
    fn run(&self, block: &mut Block<'_>) {
        let (numbers, results) = block.number_pair(self.source, self.target);
        for (result, x) in results.iter_mut().zip(numbers) {
            *result = self.apply(*x);
        }
        for row in 0..if self.refuses() { block.rows } else { 0 } {
            let x = block.number(self.source)[row];
            if x <= 0.0 {
                block.refuse(row, Code::OutOfRange, &self.fields, x);
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.source));
        visit(Access::Writes(&mut self.target));
    }

    fn refuses(&self) -> bool {
        self.family == Family::BoxCox
    }

    fn describe(&self) -> String {
        format!("{:?} with exponent {}", self.family, self.exponent)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileRank {
    points: TensorName,
    ranks: TensorName,
    margin: f64,
    precision: Precision,
}

impl Lower for QuantileRank {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let ranks = lowering.tensors.f64s(&self.ranks.tensor)?;
        lowering.check_not_nan(&self.ranks.tensor, &ranks)?;
        let points = lowering.numbers(&self.points, input.len() * ranks.len())?;
        if ranks.is_empty() || points.chunks(ranks.len()).any(|points| !points.is_sorted()) {
            return Err(lowering.error("has no points, or such that do not ascend"));
        }
        let mut output = Vec::with_capacity(input.len());
        for (element, points) in input.iter().zip(points.chunks(ranks.len())) {
            let source = lowering.number(element)?;
            let target = lowering.output(std::slice::from_ref(element));
            lowering.builder.push(QuantileRankStep {
                source,
                target,
                points: points.to_vec(),
                ranks: ranks.clone(),
                margin: self.margin,
                single: self.precision == Precision::F32,
            });
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

struct QuantileRankStep {
    source: Register,
    target: Register,
    points: Vec<f64>,
    ranks: Vec<f64>,
    margin: f64,
    single: bool,
}

impl QuantileRankStep {
    /// sklearn/preprocessing/_data.py, `QuantileTransformer._transform_col`.
    fn rank(&self, x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        let last = self.points.len() - 1;
        let (first, end) = (self.points[0], self.points[last]);
        let (is_low, is_high) = if self.margin == 0.0 {
            (x == first, x == end)
        } else {
            (self.rounded(x - self.margin) < first, self.rounded(x + self.margin) > end)
        };
        if is_low {
            0.0
        } else if is_high {
            1.0
        } else {
            // Of equal points, the mean of what the first and the last would give.
            let after = self.points.partition_point(|point| *point <= x);
            let before = self.points.partition_point(|point| *point < x);
            let upper = if after == 0 { self.ranks[0] } else { self.rank_from_below(after - 1, x) };
            let lower =
                if before > last { self.ranks[last] } else { self.rank_from_above(before, x) };
            self.rounded(0.5 * (upper + lower))
        }
    }

    fn rounded(&self, x: f64) -> f64 {
        if self.single {
            f64::from(x as f32)
        } else {
            x
        }
    }

    /// numpy.interp from the last point that is not above.
    fn rank_from_below(&self, at: usize, x: f64) -> f64 {
        if at + 1 == self.points.len() || self.points[at] == x {
            return self.ranks[at];
        }
        let slope = (self.ranks[at + 1] - self.ranks[at]) / (self.points[at + 1] - self.points[at]);
        slope * (x - self.points[at]) + self.ranks[at]
    }

    /// The negative of numpy.interp of the negatives, from the first point that is not below.
    fn rank_from_above(&self, at: usize, x: f64) -> f64 {
        if at == 0 || self.points[at] == x {
            return self.ranks[at];
        }
        let slope = (self.ranks[at] - self.ranks[at - 1]) / (self.points[at] - self.points[at - 1]);
        -(slope * (self.points[at] - x) - self.ranks[at])
    }
}

impl Step for QuantileRankStep {
    fn run(&self, block: &mut Block<'_>) {
        let (numbers, results) = block.number_pair(self.source, self.target);
        for (result, x) in results.iter_mut().zip(numbers) {
            *result = self.rank(*x);
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.source));
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("rank among {} quantiles", self.points.len())
    }

    fn memory(&self) -> usize {
        (self.points.len() + self.ranks.len()) * size_of::<f64>()
    }
}
