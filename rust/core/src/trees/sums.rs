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

    pub fn memory(&self) -> usize {
        size_of_val(self.values.as_slice()) + size_of_val(self.outputs.as_slice())
    }

    /// Sums of so many rows before the first tree: outputs one after the other if trees add to one, else rows.
    pub fn begin<S: Sum>(&self, rows: usize, sums: &mut Vec<S>) {
        sums.clear();
        if self.width == 1 {
            sums.extend(self.start.iter().flat_map(|x| std::iter::repeat_n(S::start(*x), rows)));
        } else {
            (0..rows).for_each(|_| sums.extend(self.start.iter().map(|x| S::start(*x))));
        }
    }

    /// The answer of an output and a row.
    pub fn answer<S: Sum>(&self, sums: &[S], output: usize, row: usize) -> f64 {
        let rows = sums.len() / self.start.len();
        let at = if self.width == 1 { output * rows + row } else { row * self.width + output };
        sums[at].over(self.divisor)
    }

    #[inline(always)]
    pub fn value<S: From<L>>(&self, leaf: usize) -> S {
        S::from(self.values[leaf])
    }

    /// The sums of all rows that a tree adds to, if leaves have width 1.
    #[inline(always)]
    pub fn sums_of<'a, S>(&self, tree: usize, rows: usize, sums: &'a mut [S]) -> &'a mut [S] {
        &mut sums[self.outputs[tree] as usize * rows..][..rows]
    }

    /// Adds leaves that have a value for each output, one for each row from `first` on.
    #[inline(never)]
    pub fn add<S: Sum + From<L>>(&self, first: usize, leaves: &[usize], sums: &mut [S]) {
        let rows = sums.chunks_exact_mut(self.width).skip(first);
        for (sums, leaf) in rows.zip(leaves) {
            let values = &self.values[leaf * self.width..][..self.width];
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += S::from(*value);
            }
        }
    }
}
