//! Shares of several classes from those of each pair of them, as support vector machines couple them.

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{reads, writes, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::Lowering;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Couple {
    classes: usize,
}

impl Lower for Couple {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        lowering.check_width(self.classes)?;
        if self.classes < 2 || input.len() != self.classes * (self.classes - 1) / 2 {
            return Err(lowering.error(&format!(
                "takes one number for each pair of {} classes, and gets {}",
                self.classes,
                input.len()
            )));
        }
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let targets = lowering.outputs(&input, self.classes);
        let output = targets.iter().map(|target| Element::Number(*target)).collect();
        lowering.builder.push(CoupleStep { sources, targets });
        Ok(output)
    }
}

struct CoupleStep {
    sources: Vec<Register>,
    targets: Vec<Register>,
}

impl Step for CoupleStep {
    fn run(&self, block: &mut Block<'_>) {
        let count = self.targets.len();
        let mut room = std::mem::take(&mut block.workspace.doubles);
        room.clear();
        room.resize(self.sources.len() + count * (count + 2), 0.0);
        let (pairs, rest) = room.split_at_mut(self.sources.len());
        let (matrix, rest) = rest.split_at_mut(count * count);
        let (products, shares) = rest.split_at_mut(count);
        for row in 0..block.rows {
            for (pair, source) in pairs.iter_mut().zip(&self.sources) {
                *pair = block.number(*source)[row];
            }
            fill(matrix, pairs, count);
            couple(matrix, products, shares);
            for (target, share) in self.targets.iter().zip(&*shares) {
                block.number_mut(*target)[row] = *share;
            }
        }
        block.workspace.doubles = room;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        format!("shares of {} classes from those of pairs", self.targets.len())
    }
}

/// The matrix of which the shares minimize the quadratic form: r(j, i)² summed up, and -r(j, i) r(i, j) beside the diagonal.
fn fill(matrix: &mut [f64], pairs: &[f64], count: usize) {
    matrix.fill(0.0);
    let mut rest = pairs.iter();
    for i in 0..count {
        for j in i + 1..count {
            let share = rest.next().copied().unwrap_or(f64::NAN);
            let other = 1.0 - share;
            matrix[i * count + i] += other * other;
            matrix[j * count + j] += share * share;
            matrix[i * count + j] = -other * share;
            matrix[j * count + i] = -other * share;
        }
    }
}

/// The second method of Wu, Lin and Weng, Probability Estimates for Multi-class Classification by Pairwise Coupling (JMLR 5, 2004),
/// with libsvm's bounds (svm.cpp, `multiclass_probability`).
fn couple(matrix: &[f64], products: &mut [f64], shares: &mut [f64]) {
    let count = shares.len();
    let least = 0.005 / count as f64;
    shares.fill(1.0 / count as f64);
    for _ in 0..count.max(100) {
        let mut form = 0.0;
        for (t, row) in matrix.chunks_exact(count).enumerate() {
            products[t] = row.iter().zip(&*shares).fold(0.0, |sum, (q, p)| sum + q * p);
            form += shares[t] * products[t];
        }
        if form.is_nan() {
            shares.fill(f64::NAN);
            break;
        }
        let worst = products.iter().map(|product| (product - form).abs()).fold(0.0, f64::max);
        if worst < least {
            break;
        }
        for t in 0..count {
            let own = matrix[t * count + t];
            let step = (form - products[t]) / own;
            shares[t] += step;
            form = (form + step * (step * own + 2.0 * products[t])) / (1.0 + step) / (1.0 + step);
            for j in 0..count {
                products[j] = (products[j] + step * matrix[t * count + j]) / (1.0 + step);
                shares[j] /= 1.0 + step;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{couple, fill};

    fn coupled(pairs: &[f64], count: usize) -> Vec<f64> {
        let (mut matrix, mut products) = (vec![0.0; count * count], vec![0.0; count]);
        let mut shares = vec![0.0; count];
        fill(&mut matrix, pairs, count);
        couple(&matrix, &mut products, &mut shares);
        shares
    }

    #[test]
    fn shares_that_agree_are_found() {
        // 0.5, 0.3 and 0.2.
        let shares = coupled(&[0.5 / 0.8, 0.5 / 0.7, 0.3 / 0.5], 3);
        for (share, wanted) in shares.iter().zip([0.5, 0.3, 0.2]) {
            assert!((share - wanted).abs() < 2e-2, "{shares:?}");
        }
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_missing_stays_missing() {
        assert!(coupled(&[f64::NAN, 0.5, 0.5], 3).iter().all(|share| share.is_nan()));
    }
}
