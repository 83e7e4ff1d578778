//! Predictions in the forms that clients read.

pub mod echo;
pub mod json;
pub mod table;
