//! Tests of ensembles of trees: the engine against a slow walker that is written down from docs/format.md.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "clippy allows it in tests, but not in the functions that they share"
)]

mod equality;
mod lies;
mod packing;
mod random;
mod reference;
mod world;
