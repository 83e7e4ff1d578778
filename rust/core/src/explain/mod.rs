//! Explanations: what each input brings to the raw score of a row, beside a base that is the same for all rows.
//!
//! `score` finds the node that is explained, `request` is what its operator answers when the model is planned once
//! more, `trees` and `linear` are the methods; `program`, `quadrature` and `walk` are how trees are explained; `table` writes
//! columns.

mod explainer;
mod linear;
mod program;
mod quadrature;
mod request;
mod score;
mod table;
mod trees;
mod walk;

pub use explainer::{ExplainScratch, Explainer, Explanation, NoMethod};
pub use linear::{Coefficients, LinearMethod};
pub use request::{Explained, Method, Request};
pub use table::{ColumnKind, ExplanationColumn};
pub use trees::TreesMethod;
