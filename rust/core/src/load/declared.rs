//! The levels that a field declares.

use crate::plan::texts::TextIndex;
use serde_json::Value;

#[derive(Default)]
pub struct Declared {
    texts: TextIndex,
    numbers: Vec<f64>,
}

impl Declared {
    pub fn new(levels: &[Value]) -> Self {
        let mut declared = Self::default();
        for level in levels {
            match level {
                Value::String(text) => declared.texts.insert(text, 0),
                Value::Bool(x) => declared.numbers.push(f64::from(u8::from(*x))),
                other => declared.numbers.extend(other.as_f64()),
            }
        }
        declared
    }

    pub fn has_text(&self, text: &str) -> bool {
        self.texts.get(text).is_some()
    }

    pub fn has_number(&self, x: f64) -> bool {
        self.numbers.contains(&x)
    }
}
