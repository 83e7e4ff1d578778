//! Predictions in the forms that clients read.

pub mod json;
