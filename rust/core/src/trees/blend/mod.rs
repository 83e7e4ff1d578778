//! Whole blocks of rows through every node of a tree, without walks: compare, then choose between what the children
//! answer.
//!
//! The cost grows with the nodes and not with the depth, and no step waits for memory or for another row. Ranks, leaves
//! and answers are bytes. `program` writes the straight line for each tree, `oblivious` finds trees that need one test for
//! each level, `tests` makes bytes of what a range of bytes cannot say, `run` runs it on the vectors of a kernel.

mod oblivious;
mod program;
mod run;
mod tests;

pub use oblivious::levels;
pub use program::Program;
pub use run::{Blend, GROUP};
pub use tests::Tests;

/// Leaves of a tree up to which every node is evaluated; their numbers are bytes.
pub const MOST_LEAVES: usize = 256;
