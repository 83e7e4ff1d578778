//! Texts to numbers: how long, how mixed, what is in them, which of two comes first, hashes.

use super::deriving::alike;
use super::texts::check_text;
use super::Lower;
use crate::archive::checksum;
use crate::budgets::{MAX_PATTERN_LENGTH, MAX_WORDS_BYTES};
use crate::error::ArtifactError;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::characters::{length, number, Characters, Entropy};
use crate::plan::element::{Element, Register, TextRegister, Vector};
use crate::plan::words::Words;
use crate::plan::{Lowering, TextName};
use regex_lite::Regex;
use serde::Deserialize;
use std::sync::Arc;

/// A regular expression, as the schema has them.
pub(super) fn pattern(lowering: &Lowering<'_>, text: &str) -> Result<Regex, ArtifactError> {
    if text.len() > MAX_PATTERN_LENGTH {
        let length = text.len();
        return Err(lowering
            .error(&format!("`pattern` has {length} bytes; the most is {MAX_PATTERN_LENGTH}")));
    }
    Regex::new(text).map_err(|error| lowering.error(&format!("`pattern`: {error}")))
}

/// What is measured of a text.
#[derive(Clone)]
enum Measure {
    Length,
    Entropy(Arc<Entropy>),
    Number,
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    Count(String),
    Share(Arc<Characters>),
    Matches(Regex),
    Words(Arc<Words>),
    Bucket(u32),
}

impl Measure {
    /// The number; NaN where there is none.
    fn apply(&self, text: &str) -> f64 {
        let flag = |is_so: bool| f64::from(u8::from(is_so));
        match self {
            Measure::Length => length(text),
            Measure::Entropy(entropy) => entropy.of(text),
            Measure::Number => number(text).unwrap_or(f64::NAN),
            Measure::Contains(part) => flag(text.contains(part.as_str())),
            Measure::StartsWith(part) => flag(text.starts_with(part.as_str())),
            Measure::EndsWith(part) => flag(text.ends_with(part.as_str())),
            Measure::Count(part) => text.matches(part.as_str()).count() as f64,
            Measure::Share(characters) => characters.share(text).unwrap_or(f64::NAN),
            Measure::Matches(pattern) => flag(pattern.is_match(text)),
            Measure::Words(words) => words.count_in(text) as f64,
            Measure::Bucket(buckets) => f64::from(checksum(text.as_bytes()) % buckets),
        }
    }
}

struct MeasureStep {
    measure: Measure,
    source: TextRegister,
    target: Register,
    what: &'static str,
}

impl Step for MeasureStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let text = block.text(self.source, row);
            let number = text.map_or(f64::NAN, |text| self.measure.apply(text));
            block.number_mut(self.target)[row] = number;
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsText(&mut self.source));
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("text to number: {}", self.what)
    }

    fn memory(&self) -> usize {
        match &self.measure {
            Measure::Words(words) => words.memory(),
            Measure::Entropy(entropy) => entropy.memory(),
            _ => 0,
        }
    }
}

fn measured(
    lowering: &mut Lowering<'_>,
    inputs: Vec<Vector>,
    measure: &Measure,
    what: &'static str,
) -> Result<Vector, ArtifactError> {
    let mut output = Vec::new();
    for element in &lowering.one(inputs)? {
        let source = lowering.text(element)?;
        let target = lowering.output(std::slice::from_ref(element));
        lowering.builder.push(MeasureStep { measure: measure.clone(), source, target, what });
        output.push(Element::Number(target));
    }
    Ok(output)
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum MeasureFunction {
    Length,
    Entropy,
    Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureText {
    function: MeasureFunction,
}

impl Lower for MeasureText {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let (measure, what) = match self.function {
            MeasureFunction::Length => (Measure::Length, "length"),
            MeasureFunction::Entropy => (Measure::Entropy(Arc::new(Entropy::default())), "entropy"),
            MeasureFunction::Number => (Measure::Number, "number"),
        };
        measured(lowering, inputs, &measure, what)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FindFunction {
    Contains,
    StartsWith,
    EndsWith,
    Count,
    Share,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindText {
    function: FindFunction,
    text: String,
}

impl Lower for FindText {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let (measure, what) = match self.function {
            FindFunction::Contains => (Measure::Contains(self.text), "contains"),
            FindFunction::StartsWith => (Measure::StartsWith(self.text), "starts with"),
            FindFunction::EndsWith => (Measure::EndsWith(self.text), "ends with"),
            FindFunction::Share => {
                (Measure::Share(Arc::new(Characters::new(&self.text))), "share of characters")
            }
            FindFunction::Count => {
                check_text(lowering, "text", &self.text)?;
                (Measure::Count(self.text), "count")
            }
        };
        measured(lowering, inputs, &measure, what)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchText {
    pattern: String,
}

impl Lower for MatchText {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        pattern(lowering, &self.pattern)?;
        let whole = Regex::new(&format!(r"\A(?:{})\z", self.pattern));
        let whole = whole.map_err(|error| lowering.error(&format!("`pattern`: {error}")))?;
        measured(lowering, inputs, &Measure::Matches(whole), "matches")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountWords {
    words: TextName,
}

impl Lower for CountWords {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let words = lowering.texts(&self.words)?;
        words.iter().try_for_each(|word| check_text(lowering, "words", word))?;
        let bytes: usize = words.iter().map(String::len).sum();
        if bytes > MAX_WORDS_BYTES {
            return Err(lowering
                .error(&format!("`words` have {bytes} bytes; the most is {MAX_WORDS_BYTES}")));
        }
        measured(lowering, inputs, &Measure::Words(Arc::new(Words::new(words))), "words in it")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashBucket {
    buckets: u32,
}

impl Lower for HashBucket {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        if self.buckets == 0 {
            return Err(lowering.error("`buckets` is 0"));
        }
        measured(lowering, inputs, &Measure::Bucket(self.buckets), "bucket of its hash")
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompareText {
    function: Comparison,
}

impl Lower for CompareText {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let [left, right] = alike(lowering, inputs)?;
        let mut output = Vec::with_capacity(left.len());
        for pair in left.into_iter().zip(right) {
            let sources = [lowering.text(&pair.0)?, lowering.text(&pair.1)?];
            let target = lowering.output(&[pair.0, pair.1]);
            lowering.builder.push(CompareStep { comparison: self.function, sources, target });
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

/// Texts in the order of their code points; a missing one compares with nothing.
struct CompareStep {
    comparison: Comparison,
    sources: [TextRegister; 2],
    target: Register,
}

impl Step for CompareStep {
    fn run(&self, block: &mut Block<'_>) {
        let [left, right] = self.sources;
        for row in 0..block.rows {
            let pair = block.text(left, row).zip(block.text(right, row));
            let order = pair.map(|(left, right)| left.cmp(right));
            let is_so = match self.comparison {
                Comparison::Equal => order.is_some_and(|order| order.is_eq()),
                Comparison::NotEqual => order.is_none_or(|order| order.is_ne()),
                Comparison::Less => order.is_some_and(|order| order.is_lt()),
                Comparison::LessEqual => order.is_some_and(|order| order.is_le()),
                Comparison::Greater => order.is_some_and(|order| order.is_gt()),
                Comparison::GreaterEqual => order.is_some_and(|order| order.is_ge()),
            };
            block.number_mut(self.target)[row] = f64::from(u8::from(is_so));
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        self.sources.iter_mut().for_each(|source| visit(Access::ReadsText(source)));
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        "two texts compared".to_owned()
    }
}
