//! An ensemble as the arrays of an artifact, in a graph with numbers, indicators and constants; shared with the bench.

use penstock_core::artifact::Artifact;
use penstock_core::cell::{Cell, Column};
use penstock_core::error::ArtifactError;
use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use penstock_core::predict::{Answer, Report, Target};
use penstock_core::tensors::Tensors;
use penstock_core::trees::{Kernel, KERNEL_VARIABLE};
use serde_json::{json, Map, Value};

/// The arrays and fields of a `trees` node.
#[derive(Debug, Clone)]
pub struct Trees {
    pub ends: Vec<i32>,
    pub features: Vec<i32>,
    pub thresholds: Vec<f64>,
    pub left: Vec<i32>,
    pub right: Vec<i32>,
    pub flags: Vec<u8>,
    pub leaves: Vec<f64>,
    pub leaf_width: usize,
    pub leaves_are_f32: bool,
    pub outputs: Vec<i32>,
    pub start: Vec<f64>,
    pub set_ends: Option<Vec<i32>>,
    pub set_words: Vec<u32>,
    /// The scalar fields.
    pub fields: Map<String, Value>,
}

/// The elements that trees test: numbers as they are, indicators of the levels of one more input, constants.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    pub numbers: usize,
    /// For each level of the input, from 0 on, what its indicator is multiplied by and what is added.
    pub levels: Vec<(f64, f64)>,
    pub constants: Vec<f64>,
    /// Hands over the codes of the levels, which trees cannot test, instead of indicators.
    pub are_codes: bool,
}

impl Inputs {
    pub fn width(&self) -> usize {
        self.numbers + self.levels.len() + self.constants.len()
    }

    /// The elements that a row becomes.
    pub fn elements(&self, row: &[f64]) -> Vec<f64> {
        let mut elements = row[..self.numbers].to_vec();
        for (level, (factor, term)) in self.levels.iter().enumerate() {
            elements.push(f64::from(u8::from(row[self.numbers] == level as f64)) * factor + term);
        }
        elements.extend(&self.constants);
        elements
    }
}

/// One tensor: name, type, shape and bytes.
struct Tensor(&'static str, &'static str, Vec<usize>, Vec<u8>);

macro_rules! bytes {
    ($values:expr) => {
        $values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()
    };
}

fn f64s(name: &'static str, values: &[f64]) -> Tensor {
    Tensor(name, "F64", vec![values.len()], bytes!(values))
}

fn i32s(name: &'static str, values: &[i32]) -> Tensor {
    Tensor(name, "I32", vec![values.len()], bytes!(values))
}

fn safetensors(tensors: &[Tensor]) -> Vec<u8> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for Tensor(name, dtype, shape, bytes) in tensors {
        let offsets = [data.len(), data.len() + bytes.len()];
        let info = json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
        header.insert((*name).to_owned(), info);
        data.extend(bytes);
    }
    let header = Value::Object(header).to_string().into_bytes();
    [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()
}

impl Trees {
    fn tensors(&self) -> Vec<Tensor> {
        let shape = vec![self.leaves.len() / self.leaf_width.max(1), self.leaf_width];
        let mut tensors = vec![
            i32s("ends", &self.ends),
            i32s("features", &self.features),
            f64s("thresholds", &self.thresholds),
            i32s("left", &self.left),
            i32s("right", &self.right),
            Tensor("flags", "U8", vec![self.flags.len()], self.flags.clone()),
            i32s("outputs", &self.outputs),
            f64s("start", &self.start),
            if self.leaves_are_f32 {
                let leaves: Vec<f32> = self.leaves.iter().map(|leaf| *leaf as f32).collect();
                Tensor("leaves", "F32", shape, bytes!(leaves))
            } else {
                Tensor("leaves", "F64", shape, bytes!(self.leaves))
            },
        ];
        if let Some(ends) = &self.set_ends {
            let words = &self.set_words;
            tensors.push(i32s("set_ends", ends));
            tensors.push(Tensor("set_words", "U32", vec![words.len()], bytes!(words)));
        }
        tensors
    }

    fn node(&self, input: &str) -> Value {
        let mut fields = self.fields.clone();
        for Tensor(name, ..) in self.tensors() {
            fields.entry(name).or_insert(json!({"tensor": name}));
        }
        for name in ["set_ends", "set_words"] {
            fields.entry(name).or_insert(Value::Null);
        }
        json!({"name": "trees", "operator": "trees", "inputs": [input], "fields": fields})
    }
}

fn nodes(trees: &Trees, inputs: &Inputs, tensors: &mut Vec<Tensor>) -> Vec<Value> {
    let (mut nodes, mut parts) = (Vec::new(), Vec::new());
    parts.extend((0..inputs.numbers).map(|at| format!("field:x{at}")));
    let mut node = |name: &str, operator: &str, inputs: &[&str], fields: Value| {
        nodes.push(json!({"name": name, "operator": operator, "inputs": inputs, "fields": fields}));
    };
    let tensor = |name: &str| json!({"tensor": name});
    if !inputs.levels.is_empty() {
        let count = inputs.levels.len() as i32;
        let codes: Vec<i32> = (0..count).collect();
        let levels: Vec<f64> = codes.iter().map(|code| f64::from(*code)).collect();
        let (factors, terms): (Vec<_>, Vec<_>) = inputs.levels.iter().copied().unzip();
        tensors.extend([f64s("levels", &levels), i32s("level_ends", &[count])]);
        tensors.extend([i32s("codes", &codes), i32s("none", &[-1]), i32s("widths", &[count])]);
        tensors.extend([f64s("factors", &factors), f64s("terms", &terms)]);
        node(
            "codes",
            "encode_number",
            &["field:level"],
            json!({
                "levels": tensor("levels"), "ends": tensor("level_ends"), "codes": tensor("codes"),
                "missing_codes": tensor("none"), "unseen_codes": tensor("none"),
            }),
        );
        node("one_hot", "one_hot", &["codes"], json!({"widths": tensor("widths")}));
        let arithmetic = |function: &str, operands: &str| json!({"function": function, "operands": tensor(operands), "precision": "f64"});
        node("scaled", "arithmetic", &["one_hot"], arithmetic("multiply", "factors"));
        node("moved", "arithmetic", &["scaled"], arithmetic("add", "terms"));
        parts.push(if inputs.are_codes { "codes" } else { "moved" }.to_owned());
    }
    if !inputs.constants.is_empty() {
        tensors.push(f64s("constants", &inputs.constants));
        node("constants", "constant", &[], json!({"values": tensor("constants")}));
        parts.push("constants".to_owned());
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    node("all", "concat", &parts, json!({}));
    tensors.extend(trees.tensors());
    nodes.push(trees.node("all"));
    nodes
}

/// The plan of a graph that feeds the inputs to the trees.
pub fn plan(trees: &Trees, inputs: &Inputs) -> Result<Plan, ArtifactError> {
    Kernel::force(&std::env::var(KERNEL_VARIABLE).unwrap_or_default())?;
    let field = |name: String| {
        json!({
            "name": name, "type": "number", "precision": "f64", "on_missing": "allow",
            "replacement": null, "on_invalid": "refuse", "minimum": null, "maximum": null,
            "pattern": null, "infinite": "allow", "on_range": "refuse", "levels": null,
            "on_unseen": "allow",
        })
    };
    let mut fields: Vec<Value> = (0..inputs.numbers).map(|at| field(format!("x{at}"))).collect();
    if !inputs.levels.is_empty() {
        fields.push(field("level".to_owned()));
    }
    let mut tensors = Vec::new();
    let nodes = nodes(trees, inputs, &mut tensors);
    let names: Vec<String> = (0..trees.start.len()).map(|at| format!("y{at}")).collect();
    let operators: Map<String, Value> = nodes
        .iter()
        .filter_map(|node| Some((node["operator"].as_str()?.to_owned(), json!(1))))
        .collect();
    let manifest = json!({
        "format": 1, "min_reader": 1, "name": "trees", "version": "1",
        "schema": {"inputs": fields, "outputs": [{
            "name": "value", "kind": "features", "node": "trees", "levels": null, "names": names,
            "tolerance": 0.0,
        }]},
        "graph": {"nodes": nodes}, "operators": operators, "entries": {}, "provenance": {},
        "baseline": {},
    });
    Plan::new(&Artifact {
        manifest: serde_json::from_value(manifest).expect("the manifest is well formed"),
        manifest_bytes: Vec::new(),
        tensors: Tensors::parse(safetensors(&tensors))?,
        examples: Vec::new(),
        card: String::new(),
        signatures: Vec::new(),
        digest: String::new(),
        unpacked_size: 0,
    })
}

/// A column of numbers; NaN is missing.
pub struct Numbers(pub Vec<f64>);

impl Column for Numbers {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        for (cell, value) in cells.iter_mut().zip(&self.0[start..]) {
            *cell = Cell::Number(*value);
        }
    }

    fn read_numbers(&self, start: usize, numbers: &mut [f64]) -> bool {
        numbers.copy_from_slice(&self.0[start..][..numbers.len()]);
        true
    }
}

/// The rows as columns.
pub fn columns(rows: &[Vec<f64>]) -> Vec<Numbers> {
    let width = rows.first().map_or(0, Vec::len);
    (0..width).map(|at| Numbers(rows.iter().map(|row| row[at]).collect())).collect()
}

/// All rows in one call: a column per output.
pub fn predict_table(plan: &Plan, columns: &[Numbers], scratch: &mut Scratch) -> Vec<Vec<f64>> {
    let rows = columns.first().map_or(0, |column| column.0.len());
    let outputs = plan.output_columns().len();
    let mut answers = vec![vec![f64::NAN; rows]; outputs];
    let mut targets: Vec<Target<'_>> =
        answers.iter_mut().map(|answer| Target::Numbers(answer)).collect();
    let columns = columns.iter().map(|column| Some(column as &dyn Column)).collect();
    let mut report = Report::default();
    let table = Table::new(plan, columns, rows);
    plan.predict_range(&table, 0..rows, &mut targets, scratch, &mut report);
    assert_eq!(report.faults, Vec::new());
    answers
}

/// The outputs of one row.
pub fn predict_row(plan: &Plan, row: &[f64], scratch: &mut Scratch) -> Vec<f64> {
    let cells: Vec<Cell<'_>> = row.iter().map(|value| Cell::Number(*value)).collect();
    plan.predict_row(&cells, scratch, &mut None).expect("no row is refused");
    let elements = plan.outputs.iter().flat_map(|output| &output.elements);
    elements
        .map(|element| match plan.answer(element, &cells, scratch) {
            Answer::Number(value) => value,
            other => panic!("{other:?} is no number"),
        })
        .collect()
}
