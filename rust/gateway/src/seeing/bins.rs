//! In which bin of the baseline a value falls: of each input as it was sent, and of each output.

use penstock_core::cell::Cell;
use penstock_core::load::parse_text;
use penstock_core::manifest::{Field, FieldType, Infinite, Manifest, OutputKind};
use penstock_core::plan::Plan;
use penstock_core::predict::Answer;
use serde_json::Value;
use std::collections::HashMap;

type TextBins = HashMap<Box<str>, usize, foldhash::fast::FixedState>;

/// What a value is that is in no bin; each is counted for each input, in this order, before its bins.
pub const STATES: [&str; 5] = ["missing", "absent", "invalid", "out_of_range", "unseen_level"];
const MISSING: usize = 0;
const ABSENT: usize = 1;
const INVALID: usize = 2;
const OUT_OF_RANGE: usize = 3;
const UNSEEN: usize = 4;

/// Elements of an output that are watched; a model with more classes is watched by its label.
const MOST_ELEMENTS: usize = 32;

/// Most edges or levels that are taken from an artifact; nobody looks at more.
const MOST_BINS: usize = 200;

/// Edges where the baseline has none: histograms are there, with nothing to compare them with.
const EDGES: [f64; 21] = [
    -1e6, -1e4, -1e3, -100.0, -10.0, -1.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
    10.0, 100.0, 1e4, 1e6,
];

/// How values fall into bins.
pub enum Scale {
    /// Bin `k` holds what is at least edge `k - 1` and below edge `k`.
    Numbers(Vec<f64>),
    /// A bin for each text, and one for all others that the model knows.
    Texts(TextBins, Vec<Value>),
    /// A bin for each number or truth value, and one for all others.
    Values(Vec<f64>, Vec<Value>),
}

/// What an input or an element of an output is compared with.
pub struct Bins {
    pub name: String,
    /// Names the element of an output of several numbers.
    pub element: Option<String>,
    /// The first counter: of the states for an input, of the bins for an output.
    pub first: usize,
    pub scale: Scale,
    /// Rows of the baseline in each bin, if it has them.
    pub expected: Option<Vec<u64>>,
    /// Rows of the baseline in which the value was missing.
    pub missing: u64,
}

/// What is out of range.
struct Range {
    minimum: f64,
    maximum: f64,
    is_finite: bool,
    levels: Option<Vec<f64>>,
}

/// One input that is watched.
pub struct InputBins {
    pub bins: Bins,
    r#type: FieldType,
    range: Range,
}

/// One output that is watched: a label, or numbers.
pub struct OutputBins {
    /// Position among the outputs of the plan.
    pub at: usize,
    pub kind: OutputKind,
    pub elements: Vec<Bins>,
}

/// Everything of a model that is watched, as counters side by side.
pub struct ModelBins {
    /// In the order of the fields; `None` for those that are ignored.
    pub inputs: Vec<Option<InputBins>>,
    pub outputs: Vec<OutputBins>,
    /// Number of counters.
    pub width: usize,
}

impl Scale {
    pub fn bin_count(&self) -> usize {
        match self {
            Scale::Numbers(edges) => edges.len() + 1,
            Scale::Texts(_, levels) | Scale::Values(_, levels) => levels.len() + 1,
        }
    }

    #[inline]
    pub fn number(&self, x: f64) -> usize {
        match self {
            // Few edges: counting them all takes no branch that could be foretold wrongly.
            Scale::Numbers(edges) => edges.iter().map(|edge| usize::from(x >= *edge)).sum(),
            Scale::Values(values, _) => {
                values.iter().position(|value| *value == x).unwrap_or(values.len())
            }
            Scale::Texts(_, levels) => levels.len(),
        }
    }
}

impl ModelBins {
    pub fn new(manifest: &Manifest, plan: &Plan) -> Self {
        let baseline = &manifest.baseline;
        let mut width = 0;
        let mut place = |bins: &mut Bins, states: usize| {
            bins.first = width;
            width += states + bins.scale.bin_count();
        };
        let inputs = manifest.schema.inputs.iter().map(|field| {
            let mut input = InputBins::new(field, &baseline[field.name.as_str()])?;
            place(&mut input.bins, STATES.len());
            Some(input)
        });
        let inputs = inputs.collect();
        let mut outputs = Vec::new();
        for (at, output) in plan.outputs.iter().enumerate() {
            let known = &baseline[format!("output:{}", output.name)];
            let mut elements = match output.kind {
                OutputKind::Label => vec![Bins::levels(&output.name, &output.levels, known)],
                OutputKind::Number => vec![Bins::numbers(&output.name, None, known)],
                OutputKind::Numbers => output
                    .names
                    .iter()
                    .take(MOST_ELEMENTS)
                    .enumerate()
                    .map(|(at, name)| {
                        let name = Some(penstock_core::plan::OutputPlan::plain(name));
                        Bins::numbers(&output.name, name, &known["elements"][at])
                    })
                    .collect(),
                // What a transformer makes are inputs of something else.
                OutputKind::Features => continue,
            };
            // An answer may be missing, which is a state of its own.
            elements.iter_mut().for_each(|bins| place(bins, 1));
            outputs.push(OutputBins { at, kind: output.kind, elements });
        }
        Self { inputs, outputs, width }
    }

    /// The counter of a value of an input; `None` if the input is not watched.
    #[inline]
    pub fn input(&self, plan: &Plan, field: usize, cell: Cell<'_>) -> Option<usize> {
        let input = self.inputs.get(field)?.as_ref()?;
        Some(input.bins.first + input.place(plan, field, cell))
    }
}

impl InputBins {
    fn new(field: &Field, known: &Value) -> Option<Self> {
        let bins = match field.r#type {
            FieldType::Ignored => return None,
            FieldType::Text => Bins::texts(&field.name, known),
            FieldType::Boolean => Bins::values(&field.name, known),
            _ if known["levels"].is_array() && known["bins"].is_null() => {
                Bins::values(&field.name, known)
            }
            _ => Bins::numbers(&field.name, None, known),
        };
        let levels = field.levels.as_ref().map(|levels| levels.iter().filter_map(number).collect());
        let range = Range {
            minimum: field.minimum.unwrap_or(f64::NEG_INFINITY),
            maximum: field.maximum.unwrap_or(f64::INFINITY),
            is_finite: field.infinite == Infinite::Refuse,
            levels,
        };
        Some(Self { bins, r#type: field.r#type, range })
    }

    #[inline]
    fn place(&self, plan: &Plan, field: usize, cell: Cell<'_>) -> usize {
        match (self.r#type, cell) {
            (_, Cell::Missing) => MISSING,
            (_, Cell::Absent) => ABSENT,
            (FieldType::Text, Cell::Text(text)) => self.text(plan, field, text),
            (FieldType::Boolean | FieldType::Number, Cell::Boolean(x)) => {
                self.number(f64::from(u8::from(x)))
            }
            (FieldType::Text, Cell::Lexical("")) => MISSING,
            (FieldType::Text, Cell::Lexical(text)) => self.text(plan, field, text),
            (FieldType::Number | FieldType::Boolean, Cell::Number(x)) => self.number(x),
            (FieldType::Text, _) => INVALID,
            (_, Cell::Integer(x) | Cell::Timestamp(x)) => self.number(x as f64),
            (_, Cell::Lexical(text)) | (FieldType::Timestamp, Cell::Text(text)) => {
                match parse_text(text, self.r#type) {
                    None | Some(Cell::Lexical(_) | Cell::Text(_)) => INVALID,
                    Some(parsed) => self.place(plan, field, parsed),
                }
            }
            _ => INVALID,
        }
    }

    #[inline]
    fn text(&self, plan: &Plan, field: usize, text: &str) -> usize {
        let Scale::Texts(known, levels) = &self.bins.scale else { return INVALID };
        match known.get(text) {
            Some(bin) => STATES.len() + bin,
            None if plan.is_known(field, text) => STATES.len() + levels.len(),
            None => UNSEEN,
        }
    }

    #[inline]
    fn number(&self, x: f64) -> usize {
        let range = &self.range;
        if x.is_nan() {
            return MISSING;
        }
        if x < range.minimum || x > range.maximum || (range.is_finite && x.is_infinite()) {
            return OUT_OF_RANGE;
        }
        if range.levels.as_ref().is_some_and(|levels| !levels.contains(&x)) {
            return UNSEEN;
        }
        STATES.len() + self.bins.scale.number(x)
    }
}

impl Bins {
    fn of(name: &str, scale: Scale, expected: Option<Vec<u64>>, known: &Value) -> Self {
        let expected = expected.filter(|counts| counts.len() == scale.bin_count());
        let missing = known["missing"].as_u64().unwrap_or(0);
        Self { name: name.to_owned(), element: None, first: 0, scale, expected, missing }
    }

    /// Bins of numbers: those of the baseline; without them its quantiles, which tell no shares where values repeat.
    fn numbers(name: &str, element: Option<String>, known: &Value) -> Self {
        let edges = |value: &Value| -> Option<Vec<f64>> {
            let edges: Vec<f64> = value.as_array()?.iter().filter_map(Value::as_f64).collect();
            let is_ascending = edges.windows(2).all(|pair| pair[0] < pair[1]);
            (is_ascending && (1..=MOST_BINS).contains(&edges.len())).then_some(edges)
        };
        let quantiles = || {
            let quantiles = known["quantiles"].as_object()?.values().filter_map(Value::as_f64);
            let mut quantiles: Vec<f64> = quantiles.collect();
            quantiles.sort_by(f64::total_cmp);
            quantiles.dedup();
            (!quantiles.is_empty()).then_some(quantiles)
        };
        let bins = edges(&known["bins"]["edges"]);
        let expected = bins.as_ref().and_then(|_| counts(&known["bins"]["counts"]));
        let edges = bins.or_else(quantiles).unwrap_or_else(|| EDGES.to_vec());
        Self { element, ..Self::of(name, Scale::Numbers(edges), expected, known) }
    }

    fn texts(name: &str, known: &Value) -> Self {
        let (levels, expected) = ranked(known);
        let bins = levels.iter().enumerate();
        let bins = bins.filter_map(|(at, level)| Some((Box::from(level.as_str()?), at)));
        Self::of(name, Scale::Texts(bins.collect(), levels), expected, known)
    }

    fn values(name: &str, known: &Value) -> Self {
        let (levels, expected) = ranked(known);
        let values = levels.iter().map(|level| number(level).unwrap_or(f64::NAN)).collect();
        Self::of(name, Scale::Values(values, levels), expected, known)
    }

    /// Bins of a label: one for each class, in the order of the classes.
    fn levels(name: &str, classes: &[Value], known: &Value) -> Self {
        let codes = (0..classes.len()).map(|code| code as f64).collect();
        let found = counts(&known["counts"]).map(|mut counts| {
            counts.push(0);
            counts
        });
        Self::of(name, Scale::Values(codes, classes.to_vec()), found, known)
    }
}

impl OutputBins {
    /// The counter of an element of an answer; `None` if it is not watched.
    #[inline]
    pub fn place(&self, element: usize, answer: &Answer<'_>) -> Option<usize> {
        let bins = self.elements.get(element)?;
        let x = match answer {
            Answer::Number(x) => *x,
            Answer::Code(code) => f64::from(*code),
            Answer::Text(_) => return None,
        };
        Some(bins.first + if x.is_nan() { 0 } else { 1 + bins.scale.number(x) })
    }
}

/// The most frequent levels of a baseline, and the rows of each and of all others.
fn ranked(known: &Value) -> (Vec<Value>, Option<Vec<u64>>) {
    let Some(pairs) = known["levels"].as_array() else { return (Vec::new(), None) };
    let pairs = pairs.iter().take(MOST_BINS);
    let (levels, mut found): (Vec<Value>, Vec<u64>) =
        pairs.filter_map(|pair| Some((pair[0].clone(), pair[1].as_u64()?))).unzip();
    let Some(count) = known["count"].as_u64() else { return (levels, None) };
    let missing = known["missing"].as_u64().unwrap_or(0);
    let named = found.iter().fold(missing, |sum, count| sum.saturating_add(*count));
    found.push(count.saturating_sub(named));
    (levels, Some(found))
}

fn counts(value: &Value) -> Option<Vec<u64>> {
    value.as_array()?.iter().map(Value::as_u64).collect()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(x) => Some(f64::from(u8::from(*x))),
        other => other.as_f64(),
    }
}
