//! From raw scores to probabilities and means.

use super::scaling::function;
use super::Lower;
use crate::error::ArtifactError;
use crate::manifest::Precision;
use crate::plan::access::{reads, writes, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::scalar::Scalar;
use crate::plan::Lowering;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    function: String,
    scale: f64,
    precision: Precision,
}

impl Lower for Link {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let function = function(lowering, &self.function)?;
        let mut output = Vec::new();
        for element in &lowering.one(inputs)? {
            let mut element = element.clone();
            if self.scale != 1.0 {
                element = lowering.apply(&element, Scalar::Multiply(self.scale))?;
            }
            let element = lowering.apply(&element, Scalar::Function(function))?;
            output.push(lowering.round(element, self.precision)?);
        }
        Ok(output)
    }
}

/// The inputs as registers and a new register for each of `count` outputs.
fn registers(
    lowering: &mut Lowering<'_>,
    input: &[Element],
    count: usize,
) -> Result<(Vec<Register>, Vec<Register>), ArtifactError> {
    let sources =
        input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
    let targets = lowering.outputs(input, count);
    Ok((sources, targets))
}

fn push(lowering: &mut Lowering<'_>, step: RowStep) -> Vector {
    let output = step.targets.iter().map(|target| Element::Number(*target)).collect();
    lowering.builder.push(step);
    output
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigmoidF32 {}

impl Lower for SigmoidF32 {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let (sources, targets) = registers(lowering, &input, input.len())?;
        Ok(push(lowering, RowStep { sources, targets, function: RowFunction::SigmoidF32 }))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {
    precision: Precision,
}

impl Lower for Softmax {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let function = match self.precision {
            Precision::F64 => RowFunction::Softmax,
            Precision::F32 => RowFunction::SoftmaxF32,
        };
        let (sources, targets) = registers(lowering, &input, input.len())?;
        Ok(push(lowering, RowStep { sources, targets, function }))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpNormalize {
    precision: Precision,
}

impl Lower for ExpNormalize {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let function = match self.precision {
            Precision::F64 => RowFunction::ExpNormalize,
            Precision::F32 => RowFunction::ExpNormalizeF32,
        };
        let (sources, targets) = registers(lowering, &input, input.len())?;
        Ok(push(lowering, RowStep { sources, targets, function }))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complement {
    precision: Precision,
}

impl Lower for Complement {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let [probability] = input.as_slice() else {
            return Err(lowering.error("takes one element"));
        };
        let other = lowering.apply(probability, Scalar::Multiply(-1.0))?;
        let other = lowering.apply(&other, Scalar::Add(1.0))?;
        let other = lowering.round(other, self.precision)?;
        Ok(vec![other, probability.clone()])
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proportion {}

impl Lower for Proportion {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let (sources, targets) = registers(lowering, &input, input.len())?;
        Ok(push(lowering, RowStep { sources, targets, function: RowFunction::Proportion }))
    }
}

#[derive(Debug, Clone, Copy)]
enum RowFunction {
    SigmoidF32,
    Softmax,
    SoftmaxF32,
    ExpNormalize,
    ExpNormalizeF32,
    Proportion,
}

/// A function of a whole row of elements.
struct RowStep {
    sources: Vec<Register>,
    targets: Vec<Register>,
    function: RowFunction,
}

impl Step for RowStep {
    fn run(&self, block: &mut Block<'_>) {
        let mut values = std::mem::take(&mut block.workspace.doubles);
        for row in 0..block.rows {
            values.clear();
            values.extend(self.sources.iter().map(|source| block.number(*source)[row]));
            match self.function {
                RowFunction::SigmoidF32 => values.iter_mut().for_each(sigmoid_f32),
                RowFunction::Softmax => softmax(&mut values),
                RowFunction::SoftmaxF32 => softmax_f32(&mut values),
                RowFunction::ExpNormalize => exp_normalize(&mut values, |x| x),
                RowFunction::ExpNormalizeF32 => {
                    exp_normalize(&mut values, |x| f64::from(x as f32));
                }
                RowFunction::Proportion => proportion(&mut values),
            }
            for (target, value) in self.targets.iter().zip(&values) {
                block.number_mut(*target)[row] = *value;
            }
        }
        block.workspace.doubles = values;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        format!("{:?} of {} elements", self.function, self.sources.len())
    }
}

/// XGBoost `src/common/math.h`, `Sigmoid(float)`.
fn sigmoid_f32(value: &mut f64) {
    let x = *value as f32;
    let denominator = (-x).min(88.7).exp() + 1.0 + 1e-16;
    *value = f64::from(1.0 / denominator);
}

fn softmax(values: &mut [f64]) {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for value in values.iter_mut() {
        *value = (*value - most).exp();
        sum += *value;
    }
    for value in values {
        *value /= sum;
    }
}

/// XGBoost `src/common/math.h`, `Softmax`: f32 values, the sum in f64, divided by the sum as f32.
fn softmax_f32(values: &mut [f64]) {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) as f32;
    let mut sum = 0.0;
    for value in values.iter_mut() {
        *value = f64::from((*value as f32 - most).exp());
        sum += *value;
    }
    for value in values {
        *value = f64::from(*value as f32 / sum as f32);
    }
}

/// scikit-learn `utils/_array_api.py`, `_logsumexp`, and the exponential of what is above it; each step is rounded.
fn exp_normalize(values: &mut [f64], rounded: impl Fn(f64) -> f64) {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shift = if most.is_finite() { most } else { 0.0 };
    let (mut count, mut sum) = (0.0, 0.0);
    for value in values.iter() {
        if *value == most {
            count += 1.0;
        } else {
            sum = rounded(sum + rounded(rounded(*value - shift).exp()));
        }
    }
    let share = if sum == 0.0 { sum } else { rounded(sum / count) };
    let logs = rounded(rounded(share.ln_1p()) + rounded(f64::ln(count)));
    let total = rounded(logs + most);
    for value in values {
        *value = rounded(rounded(*value - total).exp());
    }
}

fn proportion(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    let count = values.len() as f64;
    for value in values {
        *value = if sum == 0.0 { 1.0 / count } else { *value / sum };
    }
}

#[cfg(test)]
mod tests {
    use super::exp_normalize;

    fn shares(mut values: Vec<f64>) -> Vec<f64> {
        exp_normalize(&mut values, |x| x);
        values
    }

    #[test]
    fn shares_of_small_logarithms_add_up_to_one() {
        let given = shares(vec![0.5f64.ln(), 0.25f64.ln(), 0.25f64.ln()]);
        for (share, wanted) in given.iter().zip([0.5, 0.25, 0.25]) {
            assert!((share - wanted).abs() < 1e-15);
        }
    }

    #[test]
    fn large_logarithms_that_are_equal_leave_no_room_for_their_number() {
        assert_eq!(shares(vec![-1e76, -1e76, -2e76]), [1.0, 1.0, 0.0]);
    }

    #[test]
    fn nothing_is_known_of_infinite_logarithms() {
        assert!(shares(vec![f64::NEG_INFINITY; 2]).iter().all(|share| share.is_nan()));
    }
}
