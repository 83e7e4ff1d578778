//! scikit-learn's k-d trees and ball trees: which points a row meets, and in which order, as that decides between equals
//! (sklearn/neighbors/_binary_tree.pxi.tp, _kd_tree.pyx.tp, _ball_tree.pyx.tp).

use super::heap::Heap;
use super::points::Ruler;
use std::ops::Range;

/// What bounds the points of each node.
pub enum Bounds {
    /// Node after node the smallest numbers, then the largest.
    Boxes(Vec<f64>),
    Balls {
        centers: Vec<f64>,
        radii: Vec<f64>,
    },
}

/// A node has two children, of half of its points each, or none; those of node `i` are `2i + 1` and `2i + 2`.
pub struct Tree {
    width: usize,
    /// Point after point in the order of the tree.
    points: Vec<f64>,
    /// Where each of these points was.
    order: Vec<u32>,
    ranges: Vec<Range<usize>>,
    bounds: Bounds,
}

/// The ranges of points of all nodes.
fn halved(nodes: usize, count: usize) -> Vec<Range<usize>> {
    let mut ranges = vec![0..0; nodes];
    ranges[0] = 0..count;
    for node in 0..nodes {
        let (start, end, child) = (ranges[node].start, ranges[node].end, 2 * node + 1);
        if child + 1 < nodes && end - start > 1 {
            let middle = start + (end - start) / 2;
            ranges[child] = start..middle;
            ranges[child + 1] = middle..end;
        }
    }
    ranges
}

impl Tree {
    /// A tree with at least one node and an odd number of them; `order` has a position for each point. Without `balls`,
    /// their centers and radii, it is a k-d tree.
    pub fn new(
        points: &[f64],
        order: Vec<u32>,
        nodes: usize,
        balls: Option<(Vec<f64>, Vec<f64>)>,
    ) -> Self {
        let width = points.len() / order.len().max(1);
        let at = |index: &u32| &points[*index as usize * width..][..width];
        let points: Vec<f64> = order.iter().flat_map(|index| at(index).iter().copied()).collect();
        let ranges = halved(nodes, order.len());
        let bounds = match balls {
            Some((centers, radii)) => Bounds::Balls { centers, radii },
            None => Bounds::Boxes(boxes(&points, width, &ranges)),
        };
        Self { width, points, order, ranges, bounds }
    }

    /// How many points it has.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn nodes(&self) -> usize {
        self.ranges.len()
    }

    pub fn is_leaf(&self, node: usize) -> bool {
        2 * node + 1 >= self.ranges.len() || self.ranges[node].len() < 2
    }

    /// The points of a node, with where they were.
    pub fn members(&self, node: usize) -> impl Iterator<Item = (&[f64], u32)> {
        let range = self.ranges[node].clone();
        let points = &self.points[range.start * self.width..range.end * self.width];
        points.chunks_exact(self.width).zip(self.order[range].iter().copied())
    }

    /// The reduced distance that no point of the node is below (`min_rdist`).
    fn least(&self, ruler: &Ruler, node: usize, row: &[f64]) -> f64 {
        match &self.bounds {
            Bounds::Boxes(boxes) => {
                let sides = sides(boxes, node, row);
                sides.fold(0.0, |sum, (below, above)| ruler.join(sum, 0.5 * outside(below, above)))
            }
            Bounds::Balls { centers, radii } => {
                let far = self.center_distance(ruler, centers, node, row);
                ruler.reduce((far - radii[node]).max(0.0))
            }
        }
    }

    /// The distances that no point of the node is below or above (`min_max_dist`).
    pub fn span(&self, ruler: &Ruler, node: usize, row: &[f64]) -> (f64, f64) {
        match &self.bounds {
            Bounds::Boxes(boxes) => {
                let (mut least, mut most) = (0.0, 0.0);
                for (below, above) in sides(boxes, node, row) {
                    least = ruler.join(least, 0.5 * outside(below, above));
                    most = ruler.join(most, below.abs().max(above.abs()));
                }
                (ruler.unjoin(least), ruler.unjoin(most))
            }
            Bounds::Balls { centers, radii } => {
                let far = self.center_distance(ruler, centers, node, row);
                ((far - radii[node]).max(0.0), far + radii[node])
            }
        }
    }

    fn center_distance(&self, ruler: &Ruler, centers: &[f64], node: usize, row: &[f64]) -> f64 {
        ruler.rooted(ruler.reduced(row, &centers[node * self.width..][..self.width]))
    }

    /// Puts the reduced distances of the nearest points onto the heap (`_query_single_depthfirst`).
    pub fn search(&self, ruler: &Ruler, row: &[f64], heap: &mut Heap) {
        self.descend(ruler, row, heap, (0, self.least(ruler, 0, row)));
    }

    fn descend(&self, ruler: &Ruler, row: &[f64], heap: &mut Heap, (node, least): (usize, f64)) {
        if least > heap.worst() {
            return;
        }
        if self.is_leaf(node) {
            for (point, index) in self.members(node) {
                heap.push(ruler.reduced(row, point), index);
            }
            return;
        }
        let [first, second] =
            [2 * node + 1, 2 * node + 2].map(|child| (child, self.least(ruler, child, row)));
        let (near, far) = if first.1 <= second.1 { (first, second) } else { (second, first) };
        self.descend(ruler, row, heap, near);
        self.descend(ruler, row, heap, far);
    }

    /// Adds the points within the radius and their distances (`_query_radius_single`).
    pub fn within(&self, ruler: &Ruler, row: &[f64], radius: f64, found: &mut Heap) {
        self.gather(ruler, row, radius, found, 0);
    }

    fn gather(&self, ruler: &Ruler, row: &[f64], radius: f64, found: &mut Heap, node: usize) {
        let (least, most) = self.span(ruler, node, row);
        if least > radius {
            return;
        }
        let is_inside = most <= radius;
        if !is_inside && !self.is_leaf(node) {
            self.gather(ruler, row, radius, found, 2 * node + 1);
            self.gather(ruler, row, radius, found, 2 * node + 2);
            return;
        }
        let limit = if is_inside { f64::INFINITY } else { ruler.reduce(radius) };
        for (point, index) in self.members(node) {
            let reduced = ruler.reduced(row, point);
            if reduced <= limit {
                found.values.push(ruler.rooted(reduced));
                found.indices.push(index);
            }
        }
    }

    pub fn memory(&self) -> usize {
        let bounds = match &self.bounds {
            Bounds::Boxes(boxes) => boxes.len(),
            Bounds::Balls { centers, radii } => centers.len() + radii.len(),
        };
        (self.points.len() + bounds) * size_of::<f64>()
            + self.order.len() * size_of::<u32>()
            + self.ranges.len() * size_of::<Range<usize>>()
    }
}

/// For each column how far the row is below the box, and how far above; negative inside.
fn sides<'a>(
    boxes: &'a [f64],
    node: usize,
    row: &'a [f64],
) -> impl Iterator<Item = (f64, f64)> + 'a {
    let (low, high) = boxes[node * 2 * row.len()..][..2 * row.len()].split_at(row.len());
    row.iter().zip(low.iter().zip(high)).map(|(x, (low, high))| (low - x, x - high))
}

/// Twice the distance from a side of the box; zero between them.
fn outside(below: f64, above: f64) -> f64 {
    (below + below.abs()) + (above + above.abs())
}

fn boxes(points: &[f64], width: usize, ranges: &[Range<usize>]) -> Vec<f64> {
    let mut boxes = Vec::with_capacity(ranges.len() * 2 * width);
    for range in ranges {
        let start = boxes.len();
        boxes.resize(start + width, f64::INFINITY);
        boxes.resize(start + 2 * width, f64::NEG_INFINITY);
        let (low, high) = boxes[start..].split_at_mut(width);
        for point in points[range.start * width..range.end * width].chunks_exact(width) {
            for (at, x) in point.iter().enumerate() {
                low[at] = low[at].min(*x);
                high[at] = high[at].max(*x);
            }
        }
    }
    boxes
}

#[cfg(test)]
mod tests {
    use super::super::heap::Heap;
    use super::super::points::{AnyMetric, Metric, Ruler};
    use super::Tree;

    const SIDE: u32 = 9;

    /// The points of a square, and a tree that halves them by row.
    fn square(nodes: usize) -> (Vec<f64>, Tree) {
        let count = SIDE * SIDE;
        let points: Vec<f64> =
            (0..count).flat_map(|at| [f64::from(at / SIDE), f64::from(at % SIDE)]).collect();
        let tree = Tree::new(&points, (0..count).collect(), nodes, None);
        (points, tree)
    }

    #[test]
    fn a_tree_finds_distances_as_looking_at_all_does() {
        for metric in [Metric::Euclidean, Metric::Manhattan, Metric::Chebyshev] {
            let ruler = Ruler::new(AnyMetric::Plain(metric), None, Vec::new(), false);
            let ruler = ruler.expect("a plain metric needs no options");
            for (nodes, row) in [(1, [3.0, 3.5]), (31, [8.0, 0.0]), (127, [4.2, 11.0])] {
                let (points, tree) = square(nodes);
                let mut heap = Heap::default();
                heap.reset(12, f64::INFINITY);
                tree.search(&ruler, &row, &mut heap);
                heap.sort();
                let mut all: Vec<f64> =
                    points.chunks_exact(2).map(|point| ruler.reduced(&row, point)).collect();
                all.sort_by(f64::total_cmp);
                assert_eq!(heap.values, all[..12]);
                let mut found = Heap::default();
                let radius = ruler.rooted(all[20]);
                tree.within(&ruler, &row, radius, &mut found);
                let within = all.iter().filter(|far| ruler.rooted(**far) <= radius).count();
                assert_eq!(found.values.len(), within);
            }
        }
    }
}
