//! The innermost loop of explanations: one tree, some rows side by side, some points of the quadrature.
//!
//! It goes down with what each row brings to a node, and up with what the leaves below give. There is no fused
//! multiply-add, so that every machine, and every number of rows at a time, gives the same bits.

#![allow(
    clippy::needless_range_loop,
    reason = "loops of known length over arrays side by side become vectors"
)]

use super::program::{Edge, NONE};
use super::quadrature::Point;
use crate::plan::wide::wide;
use crate::trees::Bits;

/// Appends what rows have below an edge in relation to above it, where they do not pass its test, at each point; the
/// bits that differ where they do; and then both again for what they credit.
///
/// `before`: the product of the ratios of the element above, if it was tested there.
pub fn factors(edge: &Edge, before: Option<f64>, points: &[Point], table: &mut Vec<f64>) {
    let (start, count) = (table.len(), points.len());
    table.resize(start + 4 * count, 0.0);
    let difference = |left: f64, right: f64| f64::from_bits(left.to_bits() ^ right.to_bits());
    for (at, point) in points.iter().enumerate() {
        let Point { at: known, rest, .. } = *point;
        let (old, credited) = match before {
            None => (1.0, 0.0),
            Some(before) => (before * rest + known, (1.0 - before) / (before * rest + known)),
        };
        let passed = edge.product * rest + known;
        let factors = [passed / old, edge.product * rest / old];
        let credits = [(1.0 - edge.product) / passed - credited, -1.0 / rest - credited];
        let row = &mut table[start + at..];
        row[0] = factors[1];
        row[count] = difference(factors[0], factors[1]);
        row[2 * count] = credits[1];
        row[3 * count] = difference(credits[0], credits[1]);
    }
}

/// A tree, rows and points.
pub struct Task<'a> {
    pub edges: &'a [Edge],
    /// The factors of each edge, `4 * points.len()` numbers.
    pub table: &'a [f64],
    pub points: &'a [Point],
    /// For each edge the rows that pass its test and those above of the same element.
    pub alive: &'a [Bits],
    /// All leaves, `width` values of each.
    pub leaves: &'a [f64],
    pub width: usize,
    /// Edges from the root to the deepest leaf.
    pub depth: usize,
    pub rows: usize,
}

/// Memory of a task. It only ever grows.
#[derive(Default)]
pub struct Stack {
    down: Vec<f64>,
    up: Vec<f64>,
    path: Vec<u32>,
}

/// Where credits go: for an output and a slot, the numbers of all rows.
pub struct Credits<'a> {
    pub numbers: &'a mut [f64],
    /// Numbers of one slot.
    pub stride: usize,
    /// Numbers of one output.
    pub size: usize,
    /// The output of the first value of a leaf.
    pub output: usize,
}

/// One number for each of some rows.
type Lane<const R: usize> = [f64; R];

/// All ones for the rows whose bit is set.
#[inline(always)]
fn masks<const R: usize>(bits: Bits, row: usize) -> [u64; R] {
    let bits = bits >> row;
    let mut masks = [0; R];
    for lane in 0..R {
        masks[lane] = (bits >> lane & 1).wrapping_neg();
    }
    masks
}

/// Which rows pass a test, and which might have.
#[derive(Clone, Copy)]
struct Sides<const R: usize> {
    passed: [u64; R],
    /// `None`: all.
    eligible: Option<[u64; R]>,
    ratio: f64,
}

impl<const R: usize> Sides<R> {
    #[inline(always)]
    fn new(task: &Task<'_>, at: usize, row: usize) -> Self {
        let edge = &task.edges[at];
        let eligible = match edge.previous {
            NONE => None,
            previous => Some(masks(task.alive[previous as usize], row)),
        };
        Self { passed: masks(task.alive[at], row), eligible, ratio: edge.ratio }
    }

    /// At each point one of two numbers in each row, or a third where the element has failed before.
    #[inline(always)]
    fn choose<const N: usize>(
        &self,
        failed: &[f64; N],
        difference: &[f64; N],
        otherwise: f64,
    ) -> [Lane<R>; N] {
        let mut chosen = [[0.0; R]; N];
        match &self.eligible {
            None => {
                for point in 0..N {
                    let (failed, difference) =
                        (failed[point].to_bits(), difference[point].to_bits());
                    for lane in 0..R {
                        let bits = failed ^ (difference & self.passed[lane]);
                        chosen[point][lane] = f64::from_bits(bits);
                    }
                }
            }
            Some(eligible) => {
                let otherwise = otherwise.to_bits();
                for point in 0..N {
                    let (failed, difference) =
                        (failed[point].to_bits(), difference[point].to_bits());
                    for lane in 0..R {
                        let tested = failed ^ (difference & self.passed[lane]);
                        let bits = otherwise ^ ((tested ^ otherwise) & eligible[lane]);
                        chosen[point][lane] = f64::from_bits(bits);
                    }
                }
            }
        }
        chosen
    }

    /// By how much what rows bring changes on the way down.
    #[inline(always)]
    fn factors<const N: usize>(&self, table: &[[f64; N]; 4]) -> [Lane<R>; N] {
        self.choose(&table[0], &table[1], self.ratio)
    }

    /// What part of what is given goes to the element.
    #[inline(always)]
    fn credits<const N: usize>(&self, table: &[[f64; N]; 4]) -> [Lane<R>; N] {
        self.choose(&table[2], &table[3], 0.0)
    }
}

#[inline(always)]
fn product<const R: usize>(left: &Lane<R>, right: &Lane<R>) -> Lane<R> {
    let mut product = [0.0; R];
    for lane in 0..R {
        product[lane] = left[lane] * right[lane];
    }
    product
}

#[inline(always)]
fn scaled<const R: usize>(numbers: &Lane<R>, factor: f64) -> Lane<R> {
    product(numbers, &[factor; R])
}

#[inline(always)]
fn sum<const R: usize>(left: &Lane<R>, right: &Lane<R>) -> Lane<R> {
    let mut sum = [0.0; R];
    for lane in 0..R {
        sum[lane] = left[lane] + right[lane];
    }
    sum
}

/// Grows what a walk of `N` points and `R` rows needs, and views it as such.
#[inline(always)]
fn room<const R: usize, const N: usize>(
    values: &mut Vec<f64>,
    count: usize,
) -> &mut [[Lane<R>; N]] {
    if values.len() < count * N * R {
        values.resize(count * N * R, 0.0);
    }
    values.as_chunks_mut::<R>().0.as_chunks_mut::<N>().0
}

impl Credits<'_> {
    #[inline(always)]
    fn add<const R: usize>(&mut self, value: usize, slot: u32, row: usize, sums: Lane<R>) {
        let start = (self.output + value) * self.size + slot as usize * self.stride + row;
        if let Some(numbers) = self.numbers[start..].first_chunk_mut::<R>() {
            *numbers = sum(numbers, &sums);
        }
    }
}

/// Walks a tree for `R` rows and `N` points.
#[inline(always)]
fn walk<const R: usize, const N: usize>(
    task: &Task<'_>,
    row: usize,
    stack: &mut Stack,
    credits: &mut Credits<'_>,
) {
    let down = room::<R, N>(&mut stack.down, task.depth + 1);
    let up = room::<R, N>(&mut stack.up, (task.depth + 1) * task.width);
    stack.path.resize(stack.path.len().max(task.depth + 1), 0);
    down[0] = [[1.0; R]; N];
    let table = task.table.as_chunks::<N>().0.as_chunks::<4>().0;
    for (at, (edge, factors)) in task.edges.iter().zip(table).enumerate() {
        let depth = edge.depth as usize;
        let sides = Sides::<R>::new(task, at, row);
        let (above, below) = down.split_at_mut(depth);
        let reached = descend(&above[depth - 1], &sides, factors);
        if edge.leaf == NONE {
            below[0] = reached;
            stack.path[depth] = at as u32;
            continue;
        }
        let mut weighted = reached;
        for point in 0..N {
            weighted[point] = scaled(&reached[point], task.points[point].weight);
        }
        let first = edge.leaf as usize * task.width;
        for (value, leaf) in task.leaves[first..first + task.width].iter().enumerate() {
            let mut given = [[0.0; R]; N];
            for point in 0..N {
                given[point] = scaled(&weighted[point], *leaf);
            }
            let above = &mut up[(depth - 1) * task.width + value];
            let sums = give(&given, above, edge.is_right, &sides, factors);
            credits.add(value, edge.slot, row, sums);
        }
        for depth in (depth - usize::from(edge.closes)..depth).rev() {
            let at = stack.path[depth] as usize;
            let (edge, factors) = (&task.edges[at], &table[at]);
            let sides = Sides::<R>::new(task, at, row);
            for value in 0..task.width {
                let (above, below) = up.split_at_mut(depth * task.width);
                let above = &mut above[(depth - 1) * task.width + value];
                let sums = give(&below[value], above, edge.is_right, &sides, factors);
                credits.add(value, edge.slot, row, sums);
            }
        }
    }
}

/// What the rows bring to the node below an edge.
#[inline(always)]
fn descend<const R: usize, const N: usize>(
    from: &[Lane<R>; N],
    sides: &Sides<R>,
    factors: &[[f64; N]; 4],
) -> [Lane<R>; N] {
    let mut reached = sides.factors(factors);
    for point in 0..N {
        reached[point] = product(&from[point], &reached[point]);
    }
    reached
}

/// Hands what is given below an edge to the node above, where the right child comes last; returns what the edge credits
/// to its element.
#[inline(always)]
fn give<const R: usize, const N: usize>(
    given: &[Lane<R>; N],
    above: &mut [Lane<R>; N],
    is_right: bool,
    sides: &Sides<R>,
    factors: &[[f64; N]; 4],
) -> Lane<R> {
    let mut credits = sides.credits(factors);
    for point in 0..N {
        credits[point] = product(&given[point], &credits[point]);
    }
    if is_right {
        let left = *above;
        for point in 0..N {
            above[point] = sum(&left[point], &given[point]);
        }
    } else {
        *above = *given;
    }
    let mut sums = [0.0; R];
    for credit in &credits {
        sums = sum(&sums, credit);
    }
    sums
}

/// Rows that are walked side by side.
pub const ROWS: usize = 8;

wide! {
    /// Walks a tree for all rows of a block, one alone or some at a time. With narrow vectors a block took 2.3 times as
    /// long (500 trees of 63 leaves, Zen 3).
    pub fn walk_rows(task: &Task<'_>, stack: &mut Stack, credits: &mut Credits<'_>) {
        macro_rules! walks {
            ($rows:expr) => {
                for row in (0..task.rows).step_by($rows) {
                    match task.points.len() {
                        2 => walk::<$rows, 2>(task, row, stack, credits),
                        4 => walk::<$rows, 4>(task, row, stack, credits),
                        6 => walk::<$rows, 6>(task, row, stack, credits),
                        _ => walk::<$rows, 8>(task, row, stack, credits),
                    }
                }
            };
        }
        if task.rows == 1 {
            walks!(1);
        } else {
            walks!(ROWS);
        }
    }
}
