//! The points that are nearest to a row, and the mean of what is known of them.

use super::heap::Heap;
use super::pairwise::pairwise_sum;
use super::points::AnyMetric;
use super::searching::{searching, Fields, Reach, Search, Searcher, Sums};
use super::Lower;
use crate::error::{ArtifactError, Code};
use crate::plan::access::{reads, writes, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{CodeRegister, Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;
use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weights {
    Uniform,
    Distance,
}

/// The order in which numbers are added.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Adding {
    Ordered,
    /// As numpy adds what lies side by side.
    Pairwise,
}

/// Turns distances into weights (sklearn/neighbors/_base.py, `_get_weights`): if a point is met, it alone counts.
fn weigh(weights: Weights, reach: Reach, found: &mut [f64]) {
    if weights == Weights::Uniform {
        found.fill(1.0);
        return;
    }
    // Within a radius those are met whose distance is zero, and else those whose weight is infinite.
    let is_met = |distance: f64| match reach {
        Reach::Count(_) => (1.0 / distance).is_infinite(),
        Reach::Radius(_) => distance == 0.0,
    };
    let any = found.iter().any(|distance| is_met(*distance));
    for distance in found {
        *distance = if any { f64::from(u8::from(is_met(*distance))) } else { 1.0 / *distance };
    }
}

/// What is known of the points, point after point.
struct Known {
    values: Vec<f64>,
    width: usize,
}

impl Known {
    fn lower(
        lowering: &mut Lowering<'_>,
        name: &TensorName,
        rows: usize,
    ) -> Result<Self, ArtifactError> {
        let values = lowering.tensors.f64s(&name.tensor)?;
        let width = values.len() / rows;
        lowering.check_length(&name.tensor, values.len(), rows * width)?;
        lowering.check_width(width)?;
        Ok(Self { values, width })
    }
}

searching! {
    Neighbors {
        values: TensorName,
        count: usize,
        weights: Weights,
        adding: Adding,
        ends: Option<TensorName>,
    }
}

impl Lower for Neighbors {
    fn lower(
        mut self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let (searcher, rows) = self.searcher(lowering, &input)?;
        check_count(lowering, self.count, rows)?;
        let known = Known::lower(lowering, &self.values, rows)?;
        let groups = groups(lowering, &self.ends, known.width)?;
        let mean = Mean { known, weights: self.weights, adding: self.adding, groups };
        Ok(push_mean(lowering, &input, searcher, mean, (Reach::Count(self.count), false)))
    }
}

searching! {
    NeighborsWithin {
        values: TensorName,
        radius: f64,
        weights: Weights,
        adding: Adding,
        ends: Option<TensorName>,
        refuse: bool,
    }
}

impl Lower for NeighborsWithin {
    fn lower(
        mut self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let (searcher, rows) = self.searcher(lowering, &input)?;
        let known = Known::lower(lowering, &self.values, rows)?;
        let groups = groups(lowering, &self.ends, known.width)?;
        let mean = Mean { known, weights: self.weights, adding: self.adding, groups };
        Ok(push_mean(lowering, &input, searcher, mean, (Reach::Radius(self.radius), self.refuse)))
    }
}

fn check_count(lowering: &Lowering<'_>, count: usize, rows: usize) -> Result<(), ArtifactError> {
    if count == 0 || count > rows {
        return Err(lowering.error(&format!("asks for {count} of {rows} points")));
    }
    Ok(())
}

fn groups(
    lowering: &Lowering<'_>,
    ends: &Option<TensorName>,
    width: usize,
) -> Result<Vec<Range<usize>>, ArtifactError> {
    let Some(ends) = ends else { return Ok(Vec::new()) };
    let count = lowering.i32s(ends)?.len();
    lowering.ranges(ends, count, width)
}

fn push_mean(
    lowering: &mut Lowering<'_>,
    input: &[Element],
    searcher: Searcher,
    mean: Mean,
    (reach, refuse): (Reach, bool),
) -> Vector {
    let fields = lowering.builder.origins(input).to_vec();
    let is_within = matches!(reach, Reach::Radius(_));
    let targets = lowering.outputs(input, mean.known.width + usize::from(is_within));
    let output = targets.iter().map(|target| Element::Number(*target)).collect();
    lowering.builder.push(MeanStep { searcher, mean, reach, refuse, targets, fields });
    output
}

/// How what is known of the neighbors becomes a mean.
struct Mean {
    known: Known,
    weights: Weights,
    adding: Adding,
    /// Outputs that are divided by their own sum; without any, all are divided by the sum of the weights.
    groups: Vec<Range<usize>>,
}

impl Mean {
    fn of(&self, reach: Reach, found: &mut Heap, (means, terms): (&mut Vec<f64>, &mut Vec<f64>)) {
        weigh(self.weights, reach, &mut found.values);
        means.clear();
        for output in 0..self.known.width {
            let at = |point: &u32| self.known.values[*point as usize * self.known.width + output];
            let pairs = found.values.iter().zip(found.indices.iter().map(at));
            // Of shares a weight that is infinite counts only where it belongs.
            let is_left = |known: f64| known == 0.0 && !self.groups.is_empty();
            let products = pairs.map(|(w, known)| if is_left(known) { 0.0 } else { w * known });
            means.push(match self.adding {
                Adding::Ordered => products.fold(0.0, |sum, x| sum + x),
                Adding::Pairwise => {
                    terms.clear();
                    terms.extend(products);
                    pairwise_sum(terms)
                }
            });
        }
        if self.groups.is_empty() {
            let total = pairwise_sum(&found.values);
            means.iter_mut().for_each(|mean| *mean /= total);
        }
        for group in &self.groups {
            let total = pairwise_sum(&means[group.clone()]);
            means[group.clone()].iter_mut().for_each(|mean| *mean /= total);
        }
    }
}

struct MeanStep {
    searcher: Searcher,
    mean: Mean,
    reach: Reach,
    /// Whether a row without neighbors is refused.
    refuse: bool,
    /// Of the means, and then of the number of neighbors if that is not known before.
    targets: Vec<Register>,
    fields: Vec<usize>,
}

impl Step for MeanStep {
    fn run(&self, block: &mut Block<'_>) {
        let (mut means, mut terms) = (Vec::new(), Vec::new());
        self.searcher.each_row(self.reach, block, |block, row, values, found| {
            if self.refuse && found.values.is_empty() {
                let first = values.first().copied().unwrap_or(f64::NAN);
                block.refuse(row, Code::OutOfRange, &self.fields, first);
            }
            let count = found.values.len();
            self.mean.of(self.reach, found, (&mut means, &mut terms));
            means.push(count as f64);
            for (target, mean) in self.targets.iter().zip(&means) {
                block.number_mut(*target)[row] = *mean;
            }
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.searcher.sources);
        writes(visit, &mut self.targets);
    }

    fn refuses(&self) -> bool {
        self.refuse
    }

    fn describe(&self) -> String {
        let reach = match self.reach {
            Reach::Count(count) => format!("{count} nearest"),
            Reach::Radius(radius) => format!("those within {radius}"),
        };
        format!("mean of {reach} {}", self.searcher.describe())
    }

    fn memory(&self) -> usize {
        self.searcher.memory() + self.mean.known.values.len() * size_of::<f64>()
    }
}

searching! {
    Nearest { count: usize }
}

impl Lower for Nearest {
    fn lower(
        mut self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let (searcher, rows) = self.searcher(lowering, &input)?;
        check_count(lowering, self.count, rows)?;
        lowering.check_width(2 * self.count)?;
        let origin = lowering.builder.origins(&input);
        let positions: Vec<_> =
            (0..self.count).map(|_| lowering.builder.new_code(origin.clone())).collect();
        let distances = lowering.outputs(&input, self.count);
        let codes = positions.iter().map(|register| Element::Code(*register));
        let numbers = distances.iter().map(|register| Element::Number(*register));
        let output = codes.chain(numbers).collect();
        lowering.builder.push(NearestStep { searcher, positions, distances });
        Ok(output)
    }
}

struct NearestStep {
    searcher: Searcher,
    positions: Vec<CodeRegister>,
    distances: Vec<Register>,
}

impl Step for NearestStep {
    fn run(&self, block: &mut Block<'_>) {
        let reach = Reach::Count(self.positions.len());
        self.searcher.each_row(reach, block, |block, row, _, found| {
            for (register, position) in self.positions.iter().zip(&found.indices) {
                block.code_mut(*register)[row] = *position;
            }
            for (register, distance) in self.distances.iter().zip(&found.values) {
                block.number_mut(*register)[row] = *distance;
            }
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.searcher.sources);
        self.positions.iter_mut().for_each(|register| visit(Access::WritesCode(register)));
        writes(visit, &mut self.distances);
    }

    fn describe(&self) -> String {
        format!("{} nearest {}", self.positions.len(), self.searcher.describe())
    }

    fn memory(&self) -> usize {
        self.searcher.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::{weigh, Reach, Weights};

    fn weighed(weights: Weights, reach: Reach, mut distances: Vec<f64>) -> Vec<f64> {
        weigh(weights, reach, &mut distances);
        distances
    }

    #[test]
    fn a_point_that_is_met_outweighs_all_that_are_not() {
        let (count, radius) = (Reach::Count(2), Reach::Radius(9.0));
        for reach in [count, radius] {
            assert_eq!(weighed(Weights::Distance, reach, vec![0.0, 5.0]), vec![1.0, 0.0]);
            assert_eq!(weighed(Weights::Distance, reach, vec![2.0, 4.0]), vec![0.5, 0.25]);
            assert_eq!(weighed(Weights::Uniform, reach, vec![0.0, 5.0]), vec![1.0, 1.0]);
        }
        assert_eq!(weighed(Weights::Distance, count, vec![5e-324, 4.0]), vec![1.0, 0.0]);
        let least = weighed(Weights::Distance, radius, vec![5e-324, 4.0]);
        assert_eq!(least, vec![f64::INFINITY, 0.25]);
    }
}
