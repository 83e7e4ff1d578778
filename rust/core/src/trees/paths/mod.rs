//! One row through trees of few nodes: all nodes of a tree are compared at once, then the way to the leaf is found in the
//! bits of the outcomes.
//!
//! `order` numbers the nodes of a tree so that ways are found fast, `tests` makes bytes of what nodes test, `sets` makes
//! words of bits of what bytes cannot say, `groups` puts eight trees together, `program` a forest, `run` runs it with the
//! lookups of a kernel.

mod groups;
mod order;
mod program;
mod run;
mod runs;
mod sets;
mod tests;

pub use run::{Paths, Row};
pub use runs::{Run, RUN_GROUPS};

/// Inner nodes of a tree, at most: bits of a word.
const MOST_NODES: usize = 64;
