//! The points that are nearest to a row, and the mean of what is known of them.

use super::Lower;
use crate::error::{ArtifactError, Code};
use crate::plan::access::{reads, writes, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{CodeRegister, Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Metric {
    Euclidean,
    SquaredEuclidean,
    Manhattan,
    Chebyshev,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weights {
    Uniform,
    Distance,
}

/// Points that are all looked at.
struct Points {
    metric: Metric,
    sources: Vec<Register>,
    /// Point after point.
    points: Vec<f64>,
}

impl Points {
    /// The points, and how many there are.
    fn lower(
        lowering: &mut Lowering<'_>,
        input: &[Element],
        metric: Metric,
        name: &TensorName,
    ) -> Result<(Self, usize), ArtifactError> {
        let points = lowering.tensors.f64s(&name.tensor)?;
        lowering.check_not_nan(&name.tensor, &points)?;
        let count = points.len().checked_div(input.len()).unwrap_or(0);
        lowering.check_length(&name.tensor, points.len(), count * input.len())?;
        if count == 0 {
            return Err(lowering.error("has no points"));
        }
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        Ok((Self { metric, sources, points }, count))
    }

    /// The row as one slice.
    fn read<'a>(&self, block: &Block<'_>, row: usize, values: &'a mut Vec<f64>) -> &'a [f64] {
        values.clear();
        values.extend(self.sources.iter().map(|source| block.number(*source)[row]));
        values
    }

    /// The distance, or its square if it is Euclidean.
    fn distance(&self, row: &[f64], point: &[f64]) -> f64 {
        let differences = row.iter().zip(point).map(|(x, y)| x - y);
        match self.metric {
            Metric::Euclidean | Metric::SquaredEuclidean => {
                differences.fold(0.0, |sum, x| sum + x * x)
            }
            Metric::Manhattan => differences.fold(0.0, |sum, x| sum + x.abs()),
            Metric::Chebyshev => differences.fold(0.0, |most: f64, x| most.max(x.abs())),
        }
    }

    fn rooted(&self, distance: f64) -> f64 {
        if self.metric == Metric::Euclidean {
            distance.sqrt()
        } else {
            distance
        }
    }

    /// Fills `nearest` with the points that are nearest, the first of equals first, and `found` with their distances.
    fn search(&self, row: &[f64], count: usize, found: &mut Vec<f64>, nearest: &mut Vec<u32>) {
        found.clear();
        nearest.clear();
        for (at, point) in self.points.chunks_exact(row.len()).enumerate() {
            let distance = self.distance(row, point);
            let full = found.len() == count;
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
        found.iter_mut().for_each(|distance| *distance = self.rooted(*distance));
    }

    /// Fills `nearest` with the points within the radius, in their order, and `found` with their distances.
    fn within(&self, row: &[f64], radius: f64, found: &mut Vec<f64>, nearest: &mut Vec<u32>) {
        found.clear();
        nearest.clear();
        let radius = if self.metric == Metric::Euclidean { radius * radius } else { radius };
        for (at, point) in self.points.chunks_exact(row.len()).enumerate() {
            let distance = self.distance(row, point);
            if distance <= radius {
                found.push(self.rooted(distance));
                nearest.push(at as u32);
            }
        }
    }

    fn describe(&self) -> String {
        let count = self.points.len() / self.sources.len().max(1);
        format!("of {count} points ({:?})", self.metric)
    }
}

/// Turns distances into weights (sklearn/neighbors/_base.py, `_get_weights`).
fn weigh(weights: Weights, found: &mut [f64]) {
    if weights == Weights::Uniform {
        found.fill(1.0);
        return;
    }
    found.iter_mut().for_each(|distance| *distance = 1.0 / *distance);
    if found.iter().any(|weight| weight.is_infinite()) {
        found.iter_mut().for_each(|weight| *weight = f64::from(u8::from(weight.is_infinite())));
    }
}

/// Which points are neighbors.
#[derive(Clone, Copy)]
enum Reach {
    Count(usize),
    Radius(f64),
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
        let (points, rows) = Points::lower(lowering, &input, self.metric, &self.points)?;
        check_count(lowering, self.count, rows)?;
        let known = Known::lower(lowering, &self.values, rows)?;
        let reach = Reach::Count(self.count);
        Ok(push_mean(lowering, &input, points, known, (reach, self.weights, false)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeighborsWithin {
    metric: Metric,
    points: TensorName,
    values: TensorName,
    radius: f64,
    weights: Weights,
    refuse: bool,
}

impl Lower for NeighborsWithin {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let (points, rows) = Points::lower(lowering, &input, self.metric, &self.points)?;
        let known = Known::lower(lowering, &self.values, rows)?;
        let reach = Reach::Radius(self.radius);
        Ok(push_mean(lowering, &input, points, known, (reach, self.weights, self.refuse)))
    }
}

fn check_count(lowering: &Lowering<'_>, count: usize, rows: usize) -> Result<(), ArtifactError> {
    if count == 0 || count > rows {
        return Err(lowering.error(&format!("asks for {count} of {rows} points")));
    }
    Ok(())
}

fn push_mean(
    lowering: &mut Lowering<'_>,
    input: &[Element],
    points: Points,
    known: Known,
    (reach, weights, refuse): (Reach, Weights, bool),
) -> Vector {
    let fields = lowering.builder.origins(input).to_vec();
    let targets = lowering.outputs(input, known.width);
    let output = targets.iter().map(|target| Element::Number(*target)).collect();
    lowering.builder.push(MeanStep { points, known, reach, weights, refuse, targets, fields });
    output
}

struct MeanStep {
    points: Points,
    known: Known,
    reach: Reach,
    weights: Weights,
    /// Whether a row without neighbors is refused.
    refuse: bool,
    targets: Vec<Register>,
    fields: Vec<usize>,
}

impl Step for MeanStep {
    fn run(&self, block: &mut Block<'_>) {
        let mut values = std::mem::take(&mut block.workspace.doubles);
        let mut nearest = std::mem::take(&mut block.workspace.indices);
        let mut found = Vec::new();
        for row in 0..block.rows {
            let point = self.points.read(block, row, &mut values);
            match self.reach {
                Reach::Count(count) => self.points.search(point, count, &mut found, &mut nearest),
                Reach::Radius(radius) => {
                    self.points.within(point, radius, &mut found, &mut nearest);
                }
            }
            if self.refuse && found.is_empty() {
                let first = values.first().copied().unwrap_or(f64::NAN);
                block.refuse(row, Code::OutOfRange, &self.fields, first);
            }
            weigh(self.weights, &mut found);
            let total = found.iter().fold(0.0, |sum, weight| sum + weight);
            for (output, target) in self.targets.iter().enumerate() {
                let at = |point: &u32| *point as usize * self.known.width + output;
                let known = nearest.iter().map(|point| self.known.values[at(point)]);
                let sum = found.iter().zip(known).fold(0.0, |sum, (w, value)| sum + w * value);
                block.number_mut(*target)[row] = sum / total;
            }
        }
        block.workspace.doubles = values;
        block.workspace.indices = nearest;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.points.sources);
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
        format!("mean of {reach} {}", self.points.describe())
    }

    fn memory(&self) -> usize {
        (self.points.points.len() + self.known.values.len()) * size_of::<f64>()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nearest {
    metric: Metric,
    points: TensorName,
    count: usize,
}

impl Lower for Nearest {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let (points, rows) = Points::lower(lowering, &input, self.metric, &self.points)?;
        check_count(lowering, self.count, rows)?;
        lowering.check_width(2 * self.count)?;
        let origin = lowering.builder.origins(&input);
        let positions: Vec<_> =
            (0..self.count).map(|_| lowering.builder.new_code(origin.clone())).collect();
        let distances = lowering.outputs(&input, self.count);
        let codes = positions.iter().map(|register| Element::Code(*register));
        let numbers = distances.iter().map(|register| Element::Number(*register));
        let output = codes.chain(numbers).collect();
        lowering.builder.push(NearestStep { points, positions, distances });
        Ok(output)
    }
}

struct NearestStep {
    points: Points,
    positions: Vec<CodeRegister>,
    distances: Vec<Register>,
}

impl Step for NearestStep {
    fn run(&self, block: &mut Block<'_>) {
        let mut values = std::mem::take(&mut block.workspace.doubles);
        let mut nearest = std::mem::take(&mut block.workspace.indices);
        let mut found = Vec::new();
        for row in 0..block.rows {
            let point = self.points.read(block, row, &mut values);
            self.points.search(point, self.positions.len(), &mut found, &mut nearest);
            for (register, position) in self.positions.iter().zip(&nearest) {
                block.code_mut(*register)[row] = *position;
            }
            for (register, distance) in self.distances.iter().zip(&found) {
                block.number_mut(*register)[row] = *distance;
            }
        }
        block.workspace.doubles = values;
        block.workspace.indices = nearest;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.points.sources);
        self.positions.iter_mut().for_each(|register| visit(Access::WritesCode(register)));
        writes(visit, &mut self.distances);
    }

    fn describe(&self) -> String {
        format!("{} nearest {}", self.positions.len(), self.points.describe())
    }

    fn memory(&self) -> usize {
        self.points.points.len() * size_of::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::{weigh, Metric, Points, Weights};

    fn searched(weights: Weights, row: [f64; 2]) -> (Vec<f64>, Vec<u32>) {
        let points = Points {
            metric: Metric::Euclidean,
            sources: vec![0, 1],
            points: vec![0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 9.0, 9.0],
        };
        let (mut found, mut nearest) = (Vec::new(), Vec::new());
        points.search(&row, 2, &mut found, &mut nearest);
        weigh(weights, &mut found);
        (found, nearest)
    }

    #[test]
    fn the_first_of_equal_points_comes_first() {
        assert_eq!(searched(Weights::Uniform, [0.0, 1.0]), (vec![1.0, 1.0], vec![0, 2]));
        assert_eq!(searched(Weights::Uniform, [1e300, 0.0]).1, vec![0, 1]);
    }

    #[test]
    fn a_point_that_is_met_outweighs_all_that_are_not() {
        assert_eq!(searched(Weights::Distance, [3.0, 4.0]), (vec![1.0, 0.0], vec![1, 0]));
        assert_eq!(searched(Weights::Distance, [0.0, 2.0]).0, vec![0.5, 0.5]);
    }
}
