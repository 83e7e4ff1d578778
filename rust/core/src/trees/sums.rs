//! What the leaves add up to, in the type and the order of the source library.

use super::blend::{GROUP, MOST_LEAVES};
use crate::plan::block::{Lane, Workspace};
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

    /// The same with values of f64.
    pub fn widened(&self) -> Leaves<f64>
    where
        f64: From<L>,
    {
        Leaves {
            values: self.values.iter().map(|value| f64::from(*value)).collect(),
            width: self.width,
            outputs: self.outputs.clone(),
            start: self.start.clone(),
            divisor: self.divisor,
        }
    }

    #[inline(always)]
    pub fn value<S: From<L>>(&self, leaf: usize) -> S {
        S::from(self.values[leaf])
    }

    /// A sum and the values of leaves, one after the other. Not inlined, so that the sum is in a register: where it is
    /// not, each addition waits for the one before to be stored (a fifth of the time of a row).
    #[inline(never)]
    pub fn add_all<S: Sum + From<L>>(&self, leaves: &[u32], mut sum: S) -> S {
        leaves.iter().for_each(|leaf| sum += self.value(*leaf as usize));
        sum
    }

    /// The sums of all rows that a tree adds to, if leaves have width 1.
    #[inline(always)]
    pub fn sums_of<'a, S>(&self, tree: usize, sums: &'a mut [S]) -> &'a mut [S] {
        let rows = sums.len() / self.start.len();
        &mut sums[self.outputs[tree] as usize * rows..][..rows]
    }

    /// Makes room behind the last leaf, so that any byte counted from the first leaf of a tree is one.
    pub fn pad(&mut self)
    where
        L: Default,
    {
        let more = MOST_LEAVES * self.width;
        self.values.reserve_exact(more);
        self.values.resize(self.values.len() + more, L::default());
    }

    /// Adds the leaves that rows have reached in the trees from `tree` on, counted from the first leaf of each.
    pub fn add_group<S: Sum + From<L>>(
        &self,
        tree: usize,
        (firsts, answers): (&[u32], &[Lane<u8>]),
        rows: usize,
        sums: &mut [S],
    ) {
        let mut leaves = firsts.iter().map(|first| self.tree_leaves(*first));
        if self.width > 1 {
            for (first, answer) in firsts.iter().zip(answers) {
                for (row, leaf) in answer.0[..rows].iter().enumerate() {
                    self.add(row, &[*first as usize + usize::from(*leaf)], sums);
                }
            }
        } else if let ([_], Some(answers)) = (&*self.start, answers.first_chunk::<GROUP>()) {
            let leaves: [&[L; MOST_LEAVES]; GROUP] =
                std::array::from_fn(|_| leaves.next().unwrap_or_else(|| self.tree_leaves(0)));
            for (row, sum) in sums[..rows].iter_mut().enumerate() {
                // Not in memory: rows do not wait for each other, and few of them fill the processor.
                let mut total = *sum;
                for at in 0..GROUP {
                    total += S::from(leaves[at][usize::from(answers[at].0[row])]);
                }
                *sum = total;
            }
        } else {
            for (at, (leaves, answer)) in leaves.zip(answers).enumerate() {
                let sums = self.sums_of(tree + at, sums);
                for (sum, leaf) in sums.iter_mut().zip(&answer.0[..rows]) {
                    *sum += S::from(leaves[usize::from(*leaf)]);
                }
            }
        }
    }

    /// Leaves from the first one of a tree on, if they have width 1; `pad` has made enough of them.
    #[inline(always)]
    fn tree_leaves(&self, first: u32) -> &[L; MOST_LEAVES] {
        const NONE: &str = "leaves are padded before trees are run";
        #[allow(clippy::expect_used, reason = "a slice of a known length")]
        self.values[first as usize..].first_chunk().expect(NONE)
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
