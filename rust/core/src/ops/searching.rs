//! How the neighbors of a row are found among the points: as scikit-learn does it, so that equals are told apart likewise.

use super::heap::Heap;
use super::points::{lower_points, AnyMetric, Metric, Rare, Ruler};
use super::tree_search::Tree;
use crate::error::ArtifactError;
use crate::plan::block::Block;
use crate::plan::element::{Element, Register};
use crate::plan::wide::wide;
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

/// The algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// All points are looked at; the first of equals comes first.
    All,
    /// All points are looked at, and a heap decides between equals.
    Heap,
    KdTree,
    BallTree,
}

/// How distances are computed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sums {
    Differences,
    /// Differences, sums and distances are rounded to f32.
    DifferencesF32,
    /// ‖x‖² - 2x·p + ‖p‖².
    Products,
    /// Likewise, and distances are rounded to f32.
    ProductsF32,
}

/// The fields that all operators of neighbors share.
pub struct Fields {
    pub metric: AnyMetric,
    pub power: Option<f64>,
    pub scales: Option<TensorName>,
    pub points: TensorName,
    pub sums: Sums,
    pub search: Search,
    pub order: Option<TensorName>,
    pub nodes: Option<usize>,
    pub centers: Option<TensorName>,
    pub radii: Option<TensorName>,
}

/// An operator of neighbors: those fields and its own.
macro_rules! searching {
    ($name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            metric: AnyMetric,
            power: Option<f64>,
            scales: Option<TensorName>,
            points: TensorName,
            sums: Sums,
            search: Search,
            order: Option<TensorName>,
            nodes: Option<usize>,
            centers: Option<TensorName>,
            radii: Option<TensorName>,
            $($field: $type),*
        }

        impl $name {
            fn searcher(
                &mut self,
                lowering: &mut Lowering<'_>,
                input: &[Element],
            ) -> Result<(Searcher, usize), ArtifactError> {
                let points = TensorName { tensor: std::mem::take(&mut self.points.tensor) };
                let fields = Fields {
                    metric: self.metric,
                    power: self.power,
                    scales: self.scales.take(),
                    points,
                    sums: self.sums,
                    search: self.search,
                    order: self.order.take(),
                    nodes: self.nodes,
                    centers: self.centers.take(),
                    radii: self.radii.take(),
                };
                Searcher::lower(fields, lowering, input)
            }
        }
    };
}

pub(super) use searching;

/// Points side by side in groups, so that their products with a row are computed at once.
const GROUP: usize = 16;

enum Points {
    Listed { points: Vec<f64>, search: Search },
    Grouped { groups: Vec<f64>, norms: Vec<f64>, search: Search },
    Tree(Tree),
}

/// Which points are neighbors.
#[derive(Clone, Copy)]
pub enum Reach {
    Count(usize),
    Radius(f64),
}

/// What is found of one row, and room to find it.
#[derive(Default)]
pub struct Found {
    /// The neighbors and their distances.
    pub heap: Heap,
    spare: Heap,
    distances: Vec<f64>,
}

pub struct Searcher {
    pub sources: Vec<Register>,
    ruler: Ruler,
    points: Points,
}

impl Searcher {
    /// The searcher, and how many points there are.
    pub fn lower(
        fields: Fields,
        lowering: &mut Lowering<'_>,
        input: &[Element],
    ) -> Result<(Self, usize), ArtifactError> {
        let (points, count) = lower_points(lowering, &fields.points, input.len())?;
        if count == 0 {
            return Err(lowering.error("has no points"));
        }
        let scales = match &fields.scales {
            Some(name) => lowering.numbers(name, input.len())?,
            None => Vec::new(),
        };
        let is_single = matches!(fields.sums, Sums::DifferencesF32 | Sums::ProductsF32);
        let ruler = Ruler::new(fields.metric, fields.power, scales, is_single)
            .ok_or_else(|| lowering.error("`metric`, `power` and `scales` do not fit"))?;
        if fields.metric == AnyMetric::Rare(Rare::Haversine) && input.len() != 2 {
            return Err(lowering.error("`haversine` takes a latitude and a longitude"));
        }
        let is_tree = matches!(fields.search, Search::KdTree | Search::BallTree);
        let points = match fields.sums {
            _ if is_tree => Points::Tree(lower_tree(&fields, lowering, &points, &ruler)?),
            Sums::Differences | Sums::DifferencesF32 => {
                Points::Listed { points, search: fields.search }
            }
            Sums::Products | Sums::ProductsF32 => group(&fields, lowering, &points, input.len())?,
        };
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        Ok((Self { sources, ruler, points }, count))
    }

    /// The tree, if it has one, and what measures its distances.
    pub fn tree(&self) -> Option<(&Tree, &Ruler)> {
        match &self.points {
            Points::Tree(tree) => Some((tree, &self.ruler)),
            _ => None,
        }
    }

    /// Gives the function each row of the block.
    pub fn each_point(
        &self,
        block: &mut Block<'_>,
        mut take: impl FnMut(&mut Block<'_>, usize, &[f64]),
    ) {
        let mut values = std::mem::take(&mut block.workspace.doubles);
        for row in 0..block.rows {
            values.clear();
            values.extend(self.sources.iter().map(|source| block.number(*source)[row]));
            take(block, row, &values);
        }
        block.workspace.doubles = values;
    }

    /// Gives the function what is found of each row of the block.
    pub fn each_row(
        &self,
        reach: Reach,
        block: &mut Block<'_>,
        mut take: impl FnMut(&mut Block<'_>, usize, &[f64], &mut Heap),
    ) {
        let mut found = Found::default();
        self.each_point(block, |block, row, values| {
            match reach {
                Reach::Count(count) => self.nearest(values, count, &mut found),
                Reach::Radius(radius) => self.within(values, radius, &mut found),
            }
            take(block, row, values, &mut found.heap);
        });
    }

    /// The nearest points, from the nearest on.
    pub fn nearest(&self, row: &[f64], count: usize, found: &mut Found) {
        match &self.points {
            Points::Tree(tree) => {
                found.heap.reset(count, f64::INFINITY);
                tree.search(&self.ruler, row, &mut found.heap);
                found.heap.sort();
            }
            Points::Listed { search, .. } | Points::Grouped { search, .. } => {
                self.measure(row, &mut found.distances);
                match search {
                    Search::All => first_of_equals(&found.distances, count, &mut found.heap),
                    _ => first_of_heap(found, count),
                }
            }
        }
        found.heap.values.iter_mut().for_each(|distance| *distance = self.ruler.rooted(*distance));
    }

    /// The points within the radius, in the order in which they are met.
    fn within(&self, row: &[f64], radius: f64, found: &mut Found) {
        let heap = &mut found.heap;
        heap.reset(0, 0.0);
        if let Points::Tree(tree) = &self.points {
            tree.within(&self.ruler, row, radius, heap);
            return;
        }
        self.measure(row, &mut found.distances);
        let limit = self.ruler.reduce(radius);
        for (at, distance) in found.distances.iter().enumerate().filter(|(_, far)| **far <= limit) {
            heap.values.push(self.ruler.rooted(*distance));
            heap.indices.push(at as u32);
        }
    }

    /// The reduced distances of all points.
    fn measure(&self, row: &[f64], distances: &mut Vec<f64>) {
        distances.clear();
        match &self.points {
            Points::Listed { points, .. } => {
                let points = points.chunks_exact(row.len());
                distances.extend(points.map(|point| self.ruler.reduced(row, point)));
            }
            Points::Grouped { groups, norms, .. } => {
                distances.resize(norms.len(), 0.0);
                multiply(row, groups, distances);
                let norm = squared(row);
                for (distance, other) in distances.iter_mut().zip(norms) {
                    let sum = norm + -2.0 * *distance + other;
                    // What is NaN becomes zero, too (sklearn's _argkmin.pyx.tp, `max(0., ...)`).
                    *distance = if sum > 0.0 { sum } else { 0.0 };
                }
            }
            Points::Tree(_) => {}
        }
    }

    pub fn describe(&self) -> String {
        let metric = self.ruler.metric();
        match &self.points {
            Points::Listed { points, .. } => {
                format!("of {} points ({metric:?})", points.len() / self.sources.len().max(1))
            }
            Points::Grouped { norms, .. } => format!("of {} points ({metric:?})", norms.len()),
            Points::Tree(tree) => format!("of {} points in a tree ({metric:?})", tree.len()),
        }
    }

    pub fn memory(&self) -> usize {
        match &self.points {
            Points::Listed { points, .. } => points.len() * size_of::<f64>(),
            Points::Grouped { groups, norms, .. } => {
                (groups.len() + norms.len()) * size_of::<f64>()
            }
            Points::Tree(tree) => tree.memory(),
        }
    }
}

fn lower_tree(
    fields: &Fields,
    lowering: &Lowering<'_>,
    points: &[f64],
    ruler: &Ruler,
) -> Result<Tree, ArtifactError> {
    let Some(name) = &fields.order else {
        return Err(lowering.error("a tree has an `order`"));
    };
    let order = lowering.tensors.u32s(&name.tensor)?;
    let count = order.len();
    let width = points.len().checked_div(count).unwrap_or(0);
    lowering.check_length(&name.tensor, width * count, points.len())?;
    if let Some(at) = order.iter().position(|index| *index as usize >= count) {
        return Err(lowering.error(&format!("tensor `{}` has no point at {at}", name.tensor)));
    }
    let balls = match (&fields.centers, &fields.radii) {
        (Some(centers), Some(radii)) if fields.search == Search::BallTree => {
            let radii = (lowering.tensors.f64s(&radii.tensor)?, &radii.tensor);
            lowering.check_not_nan(radii.1, &radii.0)?;
            Some((lowering.numbers(centers, radii.0.len() * width)?, radii.0))
        }
        (None, None) if fields.search == Search::KdTree && ruler.fits_boxes() => None,
        _ => return Err(lowering.error("`search`, `centers`, `radii` and `metric` do not fit")),
    };
    let nodes = match (&balls, fields.nodes) {
        (Some((_, radii)), None) => radii.len(),
        (None, Some(nodes)) => nodes,
        _ => return Err(lowering.error("`nodes` are counted of a k-d tree only")),
    };
    if nodes % 2 == 0 || nodes > 2 * count {
        return Err(lowering.error(&format!("{nodes} nodes are no tree of {count} points")));
    }
    Ok(Tree::new(points, order, nodes, balls))
}

fn group(
    fields: &Fields,
    lowering: &Lowering<'_>,
    points: &[f64],
    width: usize,
) -> Result<Points, ArtifactError> {
    if !matches!(fields.metric, AnyMetric::Plain(Metric::Euclidean | Metric::SquaredEuclidean)) {
        return Err(lowering.error("only Euclidean distances are sums of products"));
    }
    let rows: Vec<&[f64]> = points.chunks_exact(width).collect();
    let mut groups = Vec::with_capacity(rows.len().next_multiple_of(GROUP) * width);
    for group in rows.chunks(GROUP) {
        for column in 0..width {
            let at = |point: usize| group.get(point).map_or(0.0, |point| point[column]);
            groups.extend((0..GROUP).map(at));
        }
    }
    let norms = rows.into_iter().map(squared).collect();
    Ok(Points::Grouped { groups, norms, search: fields.search })
}

wide! {
    /// The product with each point: summed in order, each step rounded once, as by the GEMM of OpenBLAS.
    fn multiply(row: &[f64], groups: &[f64], products: &mut [f64]) {
        for (group, products) in groups.chunks_exact(row.len() * GROUP).zip(products.chunks_mut(GROUP)) {
            let mut sums = [0.0_f64; GROUP];
            for (x, points) in row.iter().zip(group.as_chunks::<GROUP>().0) {
                for (sum, point) in sums.iter_mut().zip(points) {
                    *sum = x.mul_add(*point, *sum);
                }
            }
            products.copy_from_slice(&sums[..products.len()]);
        }
    }
}

/// The square of the norm, summed as by the `ddot` of OpenBLAS on AVX2: sixteen sums, and what is left.
fn squared(row: &[f64]) -> f64 {
    let (whole, rest) = row.as_chunks::<16>();
    let mut sums = [0.0_f64; 16];
    for part in whole {
        for (sum, x) in sums.iter_mut().zip(part) {
            *sum = x.mul_add(*x, *sum);
        }
    }
    let pair = |at: usize, lane: usize| sums[4 * at + lane] + sums[4 * at + lane + 2];
    let lane = |lane: usize| (pair(0, lane) + pair(1, lane)) + (pair(2, lane) + pair(3, lane));
    (lane(0) + lane(1)) + rest.iter().fold(0.0, |sum, x| sum + x * x)
}

fn first_of_equals(distances: &[f64], count: usize, heap: &mut Heap) {
    heap.reset(0, 0.0);
    for (at, distance) in distances.iter().enumerate() {
        let is_full = heap.values.len() == count;
        if is_full && heap.values.last().is_some_and(|worst| distance >= worst) {
            continue;
        }
        if is_full {
            heap.values.pop();
            heap.indices.pop();
        }
        let place = heap.values.partition_point(|other| other <= distance);
        heap.values.insert(place, *distance);
        heap.indices.insert(place, at as u32);
    }
}

/// The heap of a thread, and then that of all threads, of which there is one (sklearn's _argkmin.pyx.tp, `_parallel_on_Y`).
fn first_of_heap(found: &mut Found, count: usize) {
    found.spare.reset(count, f64::MAX);
    for (at, distance) in found.distances.iter().enumerate() {
        found.spare.push(*distance, at as u32);
    }
    found.heap.reset(count, f64::MAX);
    for (distance, index) in found.spare.values.iter().zip(&found.spare.indices) {
        found.heap.push(*distance, *index);
    }
    found.heap.sort();
}
