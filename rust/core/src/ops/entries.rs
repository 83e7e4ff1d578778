//! Named entries, texts and numbers, in buckets by the hashes of their names.

use super::Lower;
use crate::error::ArtifactError;
use crate::manifest::Precision;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::bounds::Bounds;
use crate::plan::element::{Element, Register, SparseRegister, TextRegister, Vector};
use crate::plan::terms::murmur;
use crate::plan::{Lowering, TextName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashEntries {
    names: TextName,
    buckets: u32,
    signed: bool,
    precision: Precision,
}

impl Lower for HashEntries {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let names = lowering.texts(&self.names)?;
        lowering.check_length(&self.names.text, names.len(), input.len())?;
        if self.buckets == 0 {
            return Err(lowering.error("has no `buckets`"));
        }
        let width = self.buckets as usize;
        lowering.check_width(width)?;
        let places = Places { buckets: self.buckets, signed: self.signed };
        let mut entries = Vec::with_capacity(input.len());
        for (element, name) in input.iter().zip(names) {
            entries.push(match element {
                Element::Text(_) | Element::Made(_) => {
                    Entry::Text(lowering.text(element)?, format!("{name}="))
                }
                Element::Code(_) => return Err(lowering.error("takes texts and numbers")),
                _ => {
                    let (at, sign) = places.find(name.as_bytes());
                    Entry::Number(lowering.number(element)?, at, sign)
                }
            });
        }
        let origin = lowering.builder.origins(&input);
        let count = entries.len() as f64;
        let is_text = |entry: &Entry| matches!(entry, Entry::Text(..));
        let counts = Bounds::new(if self.signed { -count } else { 0.0 }, count, false);
        let bounds = if entries.iter().all(is_text) { counts } else { Bounds::ALL };
        let target = lowering.builder.new_sparse(origin, width, bounds);
        let single = self.precision == Precision::F32;
        lowering.builder.push(EntriesStep { entries, places, single, target });
        Ok((0..width as u32).map(|at| Element::Sparse { source: target, at }).collect())
    }
}

/// Where entries are added, and whether half of the hashes count down.
struct Places {
    buckets: u32,
    signed: bool,
}

impl Places {
    fn find(&self, name: &[u8]) -> (u32, f64) {
        let hash = murmur(name);
        let sign = if self.signed && hash < 0 { -1.0 } else { 1.0 };
        (hash.unsigned_abs() % self.buckets, sign)
    }
}

enum Entry {
    /// Counted by its name, `=` and the text.
    Text(TextRegister, String),
    Number(Register, u32, f64),
}

struct EntriesStep {
    entries: Vec<Entry>,
    places: Places,
    /// Whether numbers and sums are rounded to f32.
    single: bool,
    target: SparseRegister,
}

impl EntriesStep {
    fn rounded(&self, x: f64) -> f64 {
        if self.single {
            f64::from(x as f32)
        } else {
            x
        }
    }

    fn hits(&self, block: &Block<'_>, row: usize, name: &mut String, hits: &mut Vec<(u32, f64)>) {
        for entry in &self.entries {
            match entry {
                Entry::Text(source, start) => {
                    let Some(text) = block.text(*source, row) else { continue };
                    name.clear();
                    name.push_str(start);
                    name.push_str(text);
                    hits.push(self.places.find(name.as_bytes()));
                }
                Entry::Number(source, at, sign) => {
                    let number = block.number(*source)[row];
                    if number != 0.0 && !number.is_nan() {
                        hits.push((*at, self.rounded(number * sign)));
                    }
                }
            }
        }
    }
}

impl Step for EntriesStep {
    fn run(&self, block: &mut Block<'_>) {
        let rows = block.rows;
        let mut room = std::mem::take(&mut block.workspace.terms);
        let mut hits = std::mem::take(&mut room.hits);
        let mut name = std::mem::take(&mut room.name);
        block.write_sparse(self.target, |column, block| {
            for row in 0..rows {
                hits.clear();
                self.hits(block, row, &mut name, &mut hits);
                hits.sort_by_key(|(at, _)| *at);
                for same in hits.chunk_by(|(one, _), (other, _)| one == other) {
                    let add = |sum, (_, number): &(u32, f64)| self.rounded(sum + number);
                    column.push(same[0].0, same.iter().fold(0.0, add));
                }
                column.end_row();
            }
        });
        room.name = name;
        room.hits = hits;
        block.workspace.terms = room;
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        for entry in &mut self.entries {
            match entry {
                Entry::Text(source, _) => visit(Access::ReadsText(source)),
                Entry::Number(source, ..) => visit(Access::Reads(source)),
            }
        }
        visit(Access::WritesSparse(&mut self.target));
    }

    fn describe(&self) -> String {
        let (count, buckets) = (self.entries.len(), self.places.buckets);
        format!("sparse row of {count} entries in {buckets} buckets")
    }

    fn memory(&self) -> usize {
        let names = self.entries.iter().map(|entry| match entry {
            Entry::Text(_, name) => name.len() + 32,
            Entry::Number(..) => 32,
        });
        names.sum()
    }
}
