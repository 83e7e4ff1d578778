//! Functions that are known at some points, with straight lines between them.

use super::Lower;
use crate::error::{ArtifactError, Code};
use crate::manifest::Precision;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interpolate {
    points: TensorName,
    values: TensorName,
    ends: TensorName,
    below: TensorName,
    above: TensorName,
    refuse: bool,
    precision: Precision,
}

impl Lower for Interpolate {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let points = lowering.tensors.f64s(&self.points.tensor)?;
        lowering.check_not_nan(&self.points.tensor, &points)?;
        let values = lowering.f64s(&self.values, points.len())?;
        let ranges = lowering.ranges(&self.ends, input.len(), points.len())?;
        let below = lowering.f64s(&self.below, input.len())?;
        let above = lowering.f64s(&self.above, input.len())?;
        let mut output = Vec::with_capacity(input.len());
        for (at, (element, range)) in input.iter().zip(ranges).enumerate() {
            let curve = Curve {
                points: points[range.clone()].to_vec(),
                values: values[range].to_vec(),
                below: below[at],
                above: above[at],
                single: self.precision == Precision::F32,
            };
            if curve.points.is_empty() || !curve.points.is_sorted() {
                return Err(lowering.error("has an element without points, or that do not ascend"));
            }
            let source = lowering.number(element)?;
            let fields = lowering.builder.origin(element).to_vec();
            let target = lowering.output(std::slice::from_ref(element));
            lowering.builder.push(InterpolateStep {
                source,
                target,
                curve,
                fields,
                refuse: self.refuse,
            });
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

struct Curve {
    points: Vec<f64>,
    values: Vec<f64>,
    below: f64,
    above: f64,
    single: bool,
}

impl Curve {
    fn at(&self, x: f64) -> f64 {
        if x.is_nan() {
            x
        } else if self.single {
            self.at_single(x)
        } else {
            self.at_double(x)
        }
    }

    /// scipy.interpolate.interp1d of float32 (scipy/interpolate/_interpolate.py, `_call_linear`), to the bit.
    fn at_single(&self, x: f64) -> f64 {
        let last = self.points.len() - 1;
        if x < self.points[0] {
            return self.below;
        }
        if x > self.points[last] {
            return self.above;
        }
        if last == 0 {
            return self.values[0];
        }
        let right = self.points.partition_point(|point| *point < x).clamp(1, last);
        let number = |x: f64| x as f32;
        let (left, low) = (number(self.points[right - 1]), number(self.values[right - 1]));
        let slope = (number(self.values[right]) - low) / (number(self.points[right]) - left);
        f64::from(slope * (number(x) - left) + low)
    }

    /// numpy.interp (numpy/_core/src/multiarray/compiled_base.c, `arr_interp`), to the bit.
    fn at_double(&self, x: f64) -> f64 {
        let last = self.points.len() - 1;
        let known = self.points.partition_point(|point| *point <= x);
        if known == 0 {
            return self.below;
        }
        let at = known - 1;
        if x > self.points[last] {
            return self.above;
        }
        // A point itself is not computed, so that an infinite slope is no NaN.
        if at == last || self.points[at] == x {
            return self.values[at];
        }
        self.between(at, x)
    }

    fn between(&self, at: usize, x: f64) -> f64 {
        let (left, right) = (self.points[at], self.points[at + 1]);
        let (low, high) = (self.values[at], self.values[at + 1]);
        let slope = (high - low) / (right - left);
        let value = slope * (x - left) + low;
        if !value.is_nan() {
            return value;
        }
        let value = slope * (x - right) + high;
        if value.is_nan() && low == high {
            low
        } else {
            value
        }
    }
}

struct InterpolateStep {
    source: Register,
    target: Register,
    curve: Curve,
    fields: Vec<usize>,
    refuse: bool,
}

impl Step for InterpolateStep {
    fn run(&self, block: &mut Block<'_>) {
        let (numbers, results) = block.number_pair(self.source, self.target);
        for (result, x) in results.iter_mut().zip(numbers) {
            *result = self.curve.at(*x);
        }
        if self.refuse {
            let points = &self.curve.points;
            for row in 0..block.rows {
                let x = block.number(self.source)[row];
                if x < points[0] || x > points[points.len() - 1] {
                    block.refuse(row, Code::OutOfRange, &self.fields, x);
                }
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.source));
        visit(Access::Writes(&mut self.target));
    }

    fn refuses(&self) -> bool {
        self.refuse
    }

    fn describe(&self) -> String {
        format!("lines between {} points", self.curve.points.len())
    }

    fn memory(&self) -> usize {
        (self.curve.points.len() + self.curve.values.len()) * size_of::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::Curve;

    fn curve() -> Curve {
        Curve {
            points: vec![-1.0, 0.0, 0.0, 2.0],
            values: vec![0.0, 1.0, 3.0, 4.0],
            below: -5.0,
            above: f64::NAN,
            single: false,
        }
    }

    #[test]
    fn points_are_met_and_lines_lie_between_them() {
        for (x, value) in [(-1.0, 0.0), (-0.5, 0.5), (0.0, 3.0), (1.0, 3.5), (2.0, 4.0)] {
            assert_eq!(curve().at(x), value);
        }
    }

    #[test]
    fn what_lies_outside_has_values_of_its_own() {
        assert_eq!(curve().at(f64::NEG_INFINITY), -5.0);
        assert!(curve().at(2.000001).is_nan());
        assert!(curve().at(f64::NAN).is_nan());
    }

    #[test]
    fn equal_values_between_infinite_points_stay() {
        let curve = Curve {
            points: vec![f64::NEG_INFINITY, f64::INFINITY],
            values: vec![2.0, 2.0],
            below: 0.0,
            above: 0.0,
            single: false,
        };
        assert_eq!(curve.at(7.0), 2.0);
    }

    #[test]
    fn lines_of_f32_are_rounded_at_every_step_and_end_at_their_points() {
        let third = f64::from(1.0f32 / 3.0);
        let curve = Curve {
            points: vec![0.0, f64::from(0.1f32), 1.0],
            values: vec![0.0, third, 1.0],
            below: 7.0,
            above: 8.0,
            single: true,
        };
        let slope = (1.0f32 / 3.0) / 0.1f32;
        assert_eq!(curve.at(f64::from(0.05f32)), f64::from(slope * 0.05f32));
        assert_eq!(curve.at(f64::from(0.1f32)), f64::from(slope * 0.1f32));
        assert_eq!((curve.at(-1e-9), curve.at(1.1)), (7.0, 8.0));
    }
}
