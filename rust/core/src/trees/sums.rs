//! What the leaves add up to, in the type and the order of the source library.

use crate::plan::block::Workspace;
use std::ops::AddAssign;

/// The types that leaves are added in.
pub trait Sum: Copy + AddAssign + Send + Sync + 'static {
    fn start(x: f64) -> Self;

    /// The sum divided by a number, rounded to this type.
    fn over(self, divisor: f64) -> f64;

    /// Room for sums that lives as long as a thread predicts.
    fn room(workspace: &mut Workspace) -> &mut Vec<Self>;
}

impl Sum for f64 {
    fn start(x: f64) -> Self {
        x
    }

    fn over(self, divisor: f64) -> f64 {
        self / divisor
    }

    fn room(workspace: &mut Workspace) -> &mut Vec<Self> {
        &mut workspace.doubles
    }
}

impl Sum for f32 {
    fn start(x: f64) -> Self {
        x as f32
    }

    fn over(self, divisor: f64) -> f64 {
        f64::from((f64::from(self) / divisor) as f32)
    }

    fn room(workspace: &mut Workspace) -> &mut Vec<Self> {
        &mut workspace.singles
    }
}

/// The leaves of an ensemble, and what is done with them.
#[derive(Debug)]
pub struct Leaves<L> {
    pub values: Vec<L>,
    /// Values of each leaf: 1, or one per output.
    pub width: usize,
    /// The output that each tree adds to, if leaves have width 1.
    pub outputs: Vec<u32>,
    /// Sum before the first tree, per output.
    pub start: Vec<f64>,
    pub divisor: f64,
}

impl<L: Copy> Leaves<L> {
    pub fn output_count(&self) -> usize {
        self.start.len()
    }

    /// Whether the whole answer is one sum.
    pub fn is_single(&self) -> bool {
        self.width == 1 && self.start.len() == 1
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.values.as_slice()) + size_of_val(self.outputs.as_slice())
    }

    /// Sums of so many rows before the first tree.
    pub fn begin<S: Sum>(&self, rows: usize, sums: &mut Vec<S>) {
        sums.clear();
        if self.width == 1 {
            sums.extend(self.start.iter().flat_map(|x| std::iter::repeat_n(S::start(*x), rows)));
        } else {
            (0..rows).for_each(|_| sums.extend(self.start.iter().map(|x| S::start(*x))));
        }
    }

    /// Where the sum of an output and a row is: outputs one after the other where trees add to one, else rows.
    pub fn at(&self, output: usize, row: usize, rows: usize) -> usize {
        if self.width == 1 {
            output * rows + row
        } else {
            row * self.width + output
        }
    }

    /// Adds leaves of one tree, one for each row from `first` on.
    #[inline(always)]
    pub fn add<S: Sum + From<L>, const ROWS: usize>(
        &self,
        tree: usize,
        leaves: [usize; ROWS],
        first: usize,
        rows: usize,
        sums: &mut [S],
    ) {
        if self.width == 1 {
            let start = self.at(self.outputs[tree] as usize, first, rows);
            for (sum, leaf) in sums[start..start + ROWS].iter_mut().zip(leaves) {
                *sum += S::from(self.values[leaf]);
            }
            return;
        }
        for (leaf, row) in leaves.into_iter().zip(first..) {
            let values = &self.values[leaf * self.width..][..self.width];
            let start = self.at(0, row, rows);
            for (sum, value) in sums[start..start + self.width].iter_mut().zip(values) {
                *sum += S::from(*value);
            }
        }
    }
}
