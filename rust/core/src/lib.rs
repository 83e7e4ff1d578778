//! The engine of Penstock: opens artifacts, plans graphs and predicts rows; knows no host.

pub mod archive;
pub mod artifact;
pub mod budgets;
pub mod cell;
pub mod error;
pub mod explain;
pub mod json;
pub mod keys;
pub mod load;
pub mod manifest;
pub mod model;
pub mod ops;
pub mod plan;
pub mod predict;
pub mod rows;
pub mod signature;
pub mod tensors;
pub mod trees;
pub mod verify;
