//! What a value of the graph is while it is planned: a list of elements, most of which cost nothing.

use std::sync::Arc;

/// Index of a number in a block.
pub type Register = u32;
/// Index of a category code in a block.
pub type CodeRegister = u32;
/// Index of a computed text in a block.
pub type TextRegister = u32;
/// Index of a sparse row in a block.
pub type SparseRegister = u32;
/// The code of a row that has none of the levels.
pub const NO_CODE: u32 = u32::MAX;

/// One element of a value.
#[derive(Debug, Clone)]
pub enum Element {
    Number(Register),
    Constant(f64),
    /// A number that is `on` where the code equals `equals`, else `off`: a one-hot column that is never built.
    Indicator {
        code: CodeRegister,
        equals: u32,
        on: f64,
        off: f64,
    },
    Code(CodeRegister),
    Text(Text),
    /// A text that a step writes.
    Made(TextRegister),
    /// A number of a sparse row; 0 where the row does not have it.
    Sparse {
        source: SparseRegister,
        at: u32,
    },
}

/// A text input with the replacements that were put on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    pub field: usize,
    /// Applied in order: where the value equals the first (`None` = missing) it becomes the second.
    pub replacements: Vec<(Option<Arc<str>>, Arc<str>)>,
}

impl Text {
    /// The value after all replacements.
    pub fn resolve<'a>(&'a self, value: Option<&'a str>) -> Option<&'a str> {
        self.replacements.iter().fold(value, |value, (from, to)| {
            if value == from.as_deref() {
                Some(to)
            } else {
                value
            }
        })
    }
}

pub type Vector = Vec<Element>;
