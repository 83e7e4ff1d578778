//! Texts of a block that steps read and write: a register of texts, and inputs that are read into one.

use super::element::{Text, TextRegister};
use crate::budgets::MAX_TEXT_BYTES;

/// The texts of the rows of a block, one after the other in one buffer, which only ever grows.
#[derive(Debug, Default)]
pub struct TextColumn {
    bytes: String,
    spans: Vec<Option<(usize, usize)>>,
}

impl TextColumn {
    /// Makes room for so many rows, all missing.
    pub fn reset(&mut self, rows: usize) {
        self.bytes.clear();
        self.spans.clear();
        self.spans.resize(rows, None);
    }

    #[inline]
    pub fn get(&self, row: usize) -> Option<&str> {
        let (start, end) = (*self.spans.get(row)?)?;
        self.bytes.get(start..end)
    }

    pub fn set(&mut self, row: usize, text: Option<&str>) {
        self.spans[row] = text.map(|text| {
            let start = self.bytes.len();
            self.bytes.push_str(text);
            (start, self.bytes.len())
        });
    }

    /// Writes a computed text; one that is too long is missing.
    pub fn write(&mut self, row: usize, make: impl FnOnce(&mut String) -> Option<()>) {
        let start = self.bytes.len();
        let made = make(&mut self.bytes);
        let is_short = self.bytes.len() - start <= MAX_TEXT_BYTES;
        self.spans[row] = made.filter(|()| is_short).map(|()| (start, self.bytes.len()));
        if self.spans[row].is_none() {
            self.bytes.truncate(start);
        }
    }

    /// The same text in every row.
    pub fn fill(&mut self, rows: usize, text: Option<&str>) {
        self.bytes.clear();
        self.bytes.push_str(text.unwrap_or_default());
        self.spans.clear();
        self.spans.resize(rows, text.map(|text| (0, text.len())));
    }
}

/// A text input that steps read; filled when the row is read.
#[derive(Debug)]
pub struct TextInput {
    pub text: Text,
    pub register: TextRegister,
    /// Whether a step needs it.
    pub is_read: bool,
}
