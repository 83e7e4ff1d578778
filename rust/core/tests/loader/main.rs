//! Tests of the loader: everything between the bytes of a file and a checked artifact.

#![allow(
    clippy::expect_used,
    reason = "clippy allows it in tests, but not in the functions that they share"
)]

mod archive;
mod artifact;
mod json;
mod manifest;
mod mutation;
mod rows;
mod signature;
mod tensors;
mod world;
