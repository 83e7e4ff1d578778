//! What planning made of the graph, for people.

use super::chain::Chain;
use std::sync::Arc;

/// Something that was folded at a node.
pub struct Note {
    pub node: String,
    pub fields: Arc<[usize]>,
    pub folded: Folded,
}

pub enum Folded {
    /// Functions that became part of the cuts.
    Cuts(Chain),
    /// One-hot columns that became tests on a code.
    Tests(usize),
    /// Numbers that ascend with a code and became tests on it.
    Ordinals,
}

/// Notes that are kept; nobody reads more, and a file could ask for millions.
const MOST_NOTES: usize = 5_000;

#[derive(Default)]
pub struct Notes {
    notes: Vec<Note>,
    more: usize,
    /// Functions and codings that were there already when they were asked for.
    pub shared: usize,
    /// Checks of elements that others had made before.
    pub known_checks: usize,
    /// Columns that nothing needs any more.
    pub dropped: usize,
}

impl Notes {
    pub fn add(&mut self, note: Note) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(note);
        } else {
            self.more += 1;
        }
    }

    /// One line per note; `name` tells the name of a field.
    pub fn lines<'a>(&'a self, name: impl Fn(usize) -> &'a str) -> Vec<String> {
        let mut lines: Vec<String> = self.notes.iter().map(|note| note.line(&name)).collect();
        let counts = [
            (self.more, "folded: ", " more"),
            (self.shared, "shared: ", " functions and codings, computed once"),
            (self.known_checks, "dropped: ", " checks that policies or other checks imply"),
            (self.dropped, "dropped: ", " columns that nothing needs"),
        ];
        for (count, before, after) in counts {
            if count > 0 {
                lines.push(format!("{before}{count}{after}"));
            }
        }
        lines
    }
}

impl Note {
    fn line<'a>(&self, name: impl Fn(usize) -> &'a str) -> String {
        let fields: Vec<_> =
            self.fields.iter().map(|field| format!("`{}`", name(*field))).collect();
        let fields = if fields.is_empty() { "a constant".to_owned() } else { fields.join(", ") };
        let node = &self.node;
        match &self.folded {
            Folded::Cuts(chain) => {
                let functions: Vec<_> = chain.scalars().iter().map(ToString::to_string).collect();
                format!("folded: {fields}, {}, into the cuts of `{node}`", functions.join(", "))
            }
            Folded::Tests(columns) => {
                format!("folded: {columns} one-hot columns of {fields} into tests of its code in `{node}`")
            }
            Folded::Ordinals => {
                format!("folded: the numbers of the codes of {fields} into tests of its code in `{node}`")
            }
        }
    }
}
