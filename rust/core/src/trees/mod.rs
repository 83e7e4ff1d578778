//! Sums of the leaves that a row reaches: ensembles of trees are checked, quantized, packed and walked here.
//!
//! `ensemble` is what an artifact says, `rules` what a test means, `survey` and `planes` turn numbers into small
//! integers,
//! `sets`, `decisions` and (for explanations) `outcomes` say which of them go left, `packing` lays the nodes out,
//! `walk` runs rows and deep trees, `blend` blocks of rows, on the vectors of `lanes`, `sums` adds.

mod blend;
mod decisions;
mod ensemble;
mod folds;
mod forest;
mod grid;
mod lanes;
mod nodes;
mod outcomes;
mod packing;
mod paths;
mod planes;
mod rules;
mod sets;
mod step;
mod sums;
mod survey;
mod walk;
mod windows;

pub use decisions::Input;
pub use ensemble::{Ensemble, Node, Test};
pub use folds::Folds;
pub use forest::Forest;
pub use lanes::{Kernel, VARIABLE as KERNEL_VARIABLE};
pub use nodes::Word;
pub use outcomes::{Bits, Collector, Outcomes, Room as OutcomesRoom, MOST_ROWS};
pub use packing::{pack, Packed};
pub use rules::{Comparison, OtherCategory, Rules, ZERO_LIMIT};
pub use step::TreesStep;
pub use sums::{Leaves, Sum};

/// Levels of one tree. Libraries stop far below, or at the number of training rows on one side of a bad split.
pub const MAX_TREE_DEPTH: u32 = 4096;

/// Words of one set: 2^24 categories, the most that XGBoost has (`OutOfRangeCat` in its `categorical.h`).
pub const MAX_SET_WORDS: usize = 1 << 19;

/// Walks that run interleaved, to hide what one waits for memory. Eight positions, and what they need beside, fit the
/// 16 registers of x86-64: 4 were 25 %, 16 were 15 % slower on Zen 3 (500 trees of 63 leaves).
pub const LANES: usize = 8;
