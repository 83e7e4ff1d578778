//! Tables around the core, for every host: columns of Arrow and CSV, batches on threads, answers as record batches.

pub mod answers;
pub mod arrow;
pub mod cells;
pub mod columns;
pub mod csv;
mod pages;
pub mod parallel;
