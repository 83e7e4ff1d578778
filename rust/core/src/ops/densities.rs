//! How dense points are around a row: the logarithm of a sum of kernels, found by halving a tree.
//!
//! sklearn/neighbors/_binary_tree.pxi.tp, `_kde_single_breadthfirst`: bounds of the sum are narrowed node by node until
//! they are within the tolerances; what is left of them is rounding, which shows far from all points.

use super::points::{AnyMetric, Ruler};
use super::searching::{searching, Fields, Search, Searcher, Sums};
use super::tree_search::Tree;
use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{reads, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;
use std::f64::consts::{LN_2, PI};

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kernel {
    Gaussian,
    Tophat,
    Epanechnikov,
    Exponential,
    Linear,
    Cosine,
}

impl Kernel {
    /// The logarithm of the kernel, which is 1 at distance 0.
    fn log(self, distance: f64, width: f64) -> f64 {
        let is_near = distance < width;
        match self {
            Self::Gaussian => -0.5 * (distance * distance) / (width * width),
            Self::Exponential => -distance / width,
            _ if !is_near => f64::NEG_INFINITY,
            Self::Tophat => 0.0,
            Self::Epanechnikov => (1.0 - (distance * distance) / (width * width)).ln(),
            Self::Linear => (1.0 - distance / width).ln(),
            Self::Cosine => (0.5 * PI * distance / width).cos().ln(),
        }
    }
}

searching! {
    KernelDensity {
        kernel: Kernel,
        bandwidth: f64,
        norm: f64,
        total: f64,
        absolute: f64,
        relative: f64,
        weights: Option<TensorName>,
    }
}

impl Lower for KernelDensity {
    fn lower(
        mut self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let (searcher, count) = self.searcher(lowering, &input)?;
        let weights = match &self.weights {
            Some(name) => lowering.numbers(name, count)?,
            None => Vec::new(),
        };
        let Some((tree, _)) = searcher.tree() else {
            return Err(lowering.error("takes a tree"));
        };
        let masses = (0..tree.nodes()).map(|node| mass(tree, node, &weights)).collect();
        let density = Density {
            kernel: self.kernel,
            bandwidth: self.bandwidth,
            norm: self.norm,
            total: self.total,
            absolute: self.absolute.ln(),
            relative: self.relative.ln(),
            masses,
            weights: weights.into_iter().map(f64::ln).collect(),
        };
        let target = lowering.output(&input);
        lowering.builder.push(DensityStep { searcher, density, target });
        Ok(vec![Element::Number(target)])
    }
}

/// The weights of the points of a node; each is 1 if there are none.
fn mass(tree: &Tree, node: usize, weights: &[f64]) -> f64 {
    if weights.is_empty() {
        return tree.members(node).count() as f64;
    }
    tree.members(node).fold(0.0, |sum, (_, index)| sum + weights[index as usize])
}

/// The logarithm of the sum of two exponentials.
fn add(left: f64, right: f64) -> f64 {
    let most = left.max(right);
    if most == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    most + ((left - most).exp() + (right - most).exp()).ln()
}

/// The logarithm of the difference of two exponentials.
fn subtract(left: f64, right: f64) -> f64 {
    if left <= right {
        return f64::NEG_INFINITY;
    }
    left + (1.0 - (right - left).exp()).ln()
}

/// The lower bound of a sum, and how far the upper one is from it; logarithms.
#[derive(Clone, Copy, Default)]
struct Bound {
    least: f64,
    spread: f64,
}

impl Bound {
    fn add(&mut self, other: Self) {
        *self =
            Self { least: add(self.least, other.least), spread: add(self.spread, other.spread) };
    }

    fn subtract(&mut self, other: Self) {
        self.least = subtract(self.least, other.least);
        self.spread = subtract(self.spread, other.spread);
    }
}

/// Nodes that wait, the nearest first (`NodeHeap`).
#[derive(Default)]
struct Queue(Vec<(f64, usize)>);

impl Queue {
    fn push(&mut self, distance: f64, node: usize) {
        let mut at = self.0.len();
        self.0.push((distance, node));
        while at > 0 && self.0[(at - 1) / 2].0 > self.0[at].0 {
            self.0.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn pop(&mut self) -> Option<usize> {
        let (_, node) = (!self.0.is_empty()).then(|| self.0.swap_remove(0))?;
        let (mut at, length) = (0, self.0.len());
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let is_left = right >= length || self.0[left].0 <= self.0[right].0;
            let child = if is_left { left } else { right };
            if child >= length || self.0[child].0 > self.0[at].0 {
                return Some(node);
            }
            self.0.swap(at, child);
            at = child;
        }
    }
}

struct Density {
    kernel: Kernel,
    bandwidth: f64,
    /// The logarithm of what makes the kernel a density.
    norm: f64,
    /// The sum of all weights.
    total: f64,
    /// Logarithms of the tolerances.
    absolute: f64,
    relative: f64,
    /// The weights of the points of each node.
    masses: Vec<f64>,
    /// Logarithms of the weights of the points; none if all weigh 1.
    weights: Vec<f64>,
}

impl Density {
    fn kernel(&self, distance: f64) -> f64 {
        self.kernel.log(distance, self.bandwidth)
    }

    fn tolerated(&self, least: f64) -> f64 {
        add(self.absolute, self.relative + self.norm + least)
    }

    fn of(&self, (tree, ruler): (&Tree, &Ruler), row: &[f64], bounds: &mut Vec<Bound>) -> f64 {
        bounds.resize(tree.nodes(), Bound::default());
        let mut queue = Queue::default();
        let (near, far) = tree.span(ruler, 0, row);
        queue.push(near, 0);
        let total = self.total.ln();
        let least = total + self.kernel(far);
        let mut sum = Bound { least, spread: subtract(total + self.kernel(near), least) };
        bounds[0] = sum;
        while let Some(node) = queue.pop() {
            let bound = bounds[node];
            let spread = self.norm + bound.spread - self.masses[node].ln() + total;
            if spread <= self.tolerated(bound.least) {
                continue;
            }
            if self.norm + sum.spread <= self.tolerated(sum.least) {
                break;
            }
            sum.subtract(bound);
            if tree.is_leaf(node) {
                for (point, index) in tree.members(node) {
                    let weight = self.weights.get(index as usize).copied().unwrap_or(0.0);
                    let log = self.kernel(ruler.rooted(ruler.reduced(row, point)));
                    sum.least = add(sum.least, log + weight);
                }
                continue;
            }
            for child in [2 * node + 1, 2 * node + 2] {
                let (near, far) = tree.span(ruler, child, row);
                let mass = self.masses[child].ln();
                bounds[child] =
                    Bound { least: mass + self.kernel(far), spread: mass + self.kernel(near) };
                sum.add(bounds[child]);
                queue.push(near, child);
            }
        }
        add(sum.least, sum.spread - LN_2) + self.norm
    }
}

struct DensityStep {
    searcher: Searcher,
    density: Density,
    target: Register,
}

impl Step for DensityStep {
    fn run(&self, block: &mut Block<'_>) {
        let mut bounds = Vec::new();
        let Some(tree) = self.searcher.tree() else { return };
        self.searcher.each_point(block, |block, row, values| {
            block.number_mut(self.target)[row] = self.density.of(tree, values, &mut bounds);
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.searcher.sources);
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("{:?} density {}", self.density.kernel, self.searcher.describe())
    }

    fn memory(&self) -> usize {
        let numbers = self.density.masses.len() + self.density.weights.len();
        self.searcher.memory() + numbers * size_of::<f64>()
    }
}
