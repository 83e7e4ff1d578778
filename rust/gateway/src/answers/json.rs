//! Predictions of rows as JSON objects, from pieces that are written once per model.

use crate::failure::Failure;
use penstock_core::cell::Cell;
use penstock_core::error::Warning;
use penstock_core::explain::{Explainer, Explanation};
use penstock_core::manifest::OutputKind;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use penstock_core::predict::Answer;
use serde::Serialize;
use serde_json::Value;

/// The keys and labels of a model's answers, as they are written.
pub struct Shapes {
    outputs: Vec<Shape>,
}

struct Shape {
    kind: OutputKind,
    /// `"name":`.
    key: String,
    /// Class labels of a `label`; `"key":` of each number or feature.
    labels: Vec<String>,
}

impl Shapes {
    pub fn new(plan: &Plan) -> Self {
        let outputs = plan.outputs.iter().map(|output| Shape {
            kind: output.kind,
            key: key(&Value::String(output.name.clone())),
            labels: match output.kind {
                OutputKind::Label => output.levels.iter().map(Value::to_string).collect(),
                _ => output.names.iter().map(key).collect(),
            },
        });
        Self { outputs: outputs.collect() }
    }

    /// Whether an answer has a key of this name beside those of explanations and warnings.
    pub fn has(&self, name: &str) -> bool {
        let key = key(&Value::String(name.to_owned()));
        self.outputs.iter().any(|shape| match shape.kind {
            OutputKind::Features => shape.labels.contains(&key),
            _ => shape.key == key,
        })
    }

    /// Writes the entries of the row that was predicted last, without the braces around them.
    pub fn write(&self, plan: &Plan, cells: &[Cell<'_>], scratch: &Scratch, to: &mut Vec<u8>) {
        let answer = |output: usize, element: usize| {
            plan.answer(&plan.outputs[output].elements[element], cells, scratch)
        };
        self.write_each(answer, to);
    }

    /// Writes the entries of a row whose answers are given by output and element.
    pub fn write_each<'a>(&self, answer: impl Fn(usize, usize) -> Answer<'a>, to: &mut Vec<u8>) {
        for (at, shape) in self.outputs.iter().enumerate() {
            if at > 0 {
                to.push(b',');
            }
            let mut value = |element: usize, to: &mut Vec<u8>| {
                shape.value(answer(at, element), to);
            };
            match shape.kind {
                OutputKind::Label | OutputKind::Number => {
                    to.extend_from_slice(shape.key.as_bytes());
                    value(0, to);
                }
                OutputKind::Numbers => {
                    to.extend_from_slice(shape.key.as_bytes());
                    to.push(b'{');
                    shape.entries(to, &mut value);
                    to.push(b'}');
                }
                OutputKind::Features => shape.entries(to, &mut value),
            }
        }
    }
}

impl Shape {
    fn entries(&self, to: &mut Vec<u8>, value: &mut impl FnMut(usize, &mut Vec<u8>)) {
        for (element, key) in self.labels.iter().enumerate() {
            if element > 0 {
                to.push(b',');
            }
            to.extend_from_slice(key.as_bytes());
            value(element, to);
        }
    }

    fn value(&self, answer: Answer<'_>, to: &mut Vec<u8>) {
        match answer {
            Answer::Number(x) => number(x, to),
            Answer::Code(code) => {
                let label = self.labels.get(code as usize).map_or("null", String::as_str);
                to.extend_from_slice(label.as_bytes());
            }
            Answer::Text(text) => json(&text, to),
        }
    }
}

/// A key and its colon; labels that are no texts are written as JSON writes them.
fn key(name: &Value) -> String {
    let name = match name {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    format!("{}:", Value::String(name))
}

/// A number in its shortest form; what JSON cannot write is null or a text, as in examples.
pub fn number(x: f64, to: &mut Vec<u8>) {
    match x {
        x if x.is_nan() => to.extend_from_slice(b"null"),
        f64::INFINITY => to.extend_from_slice(b"\"Infinity\""),
        f64::NEG_INFINITY => to.extend_from_slice(b"\"-Infinity\""),
        x => json(&x, to),
    }
}

/// Any value as JSON.
pub fn json(value: &impl Serialize, to: &mut Vec<u8>) {
    // Writing to memory cannot fail, and no value here has keys that are no texts.
    let _ = serde_json::to_writer(to, value);
}

/// `"warnings":[…]`.
pub fn warnings(plan: &Plan, warnings: &[Warning], to: &mut Vec<u8>) {
    to.extend_from_slice(b"\"warnings\":");
    warning_list(plan, warnings, to);
}

/// The warnings of a row.
pub fn warning_list(plan: &Plan, warnings: &[Warning], to: &mut Vec<u8>) {
    to.push(b'[');
    for (at, warning) in warnings.iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        let field = plan.fields.get(warning.field).map_or("", |field| field.name.as_str());
        to.extend_from_slice(b"{\"field\":");
        json(&field, to);
        to.extend_from_slice(b",\"code\":");
        json(&warning.code.as_str(), to);
        to.extend_from_slice(b",\"value\":");
        json(&warning.value, to);
        to.push(b'}');
    }
    to.push(b']');
}

/// `"error":{…}` of a row that was refused.
pub fn error(failure: &Failure, to: &mut Vec<u8>) {
    to.extend_from_slice(b"\"error\":{\"code\":");
    json(&failure.code, to);
    to.extend_from_slice(b",\"detail\":");
    json(&failure.detail, to);
    if let Some(field) = &failure.field {
        to.extend_from_slice(b",\"field\":");
        json(field, to);
    }
    if let Some(row) = failure.row {
        to.extend_from_slice(b",\"row\":");
        json(&row, to);
    }
    to.push(b'}');
}

/// A row of an explanation, and the cells that it explains.
pub struct Explained<'a> {
    pub explainer: &'a Explainer,
    pub explanation: Explanation<'a>,
    pub row: usize,
    pub cell: &'a dyn Fn(usize, &mut Vec<u8>),
}

/// `"explanation":{…}` of one row: as the Python interface gives it, by class where there are several raw scores.
pub fn explanation(explained: &Explained<'_>, top: usize, to: &mut Vec<u8>) {
    let Explained { explainer, explanation, row, .. } = *explained;
    type Write<'a> = &'a dyn Fn(usize, &mut Vec<u8>);
    let parts: [(&str, Write<'_>); 4] = [
        ("{\"base\":", &|output, to| number(explanation.base[output], to)),
        (",\"contributions\":", &|output, to| contributions(explained, output, to)),
        (",\"raw\":", &|output, to| number(explanation.raw(output, row), to)),
        (",\"reasons\":", &|output, to| reasons(explained, (output, top), to)),
    ];
    to.extend_from_slice(b"\"explanation\":");
    for (name, write) in &parts[..if top == 0 { 3 } else { 4 }] {
        to.extend_from_slice(name.as_bytes());
        if explainer.names.is_empty() {
            write(0, to);
            continue;
        }
        for (output, name) in explainer.names.iter().enumerate() {
            to.push(if output == 0 { b'{' } else { b',' });
            to.extend_from_slice(key(name).as_bytes());
            write(output, to);
        }
        to.push(b'}');
    }
    to.push(b'}');
}

fn contributions(explained: &Explained<'_>, output: usize, to: &mut Vec<u8>) {
    let Explained { explainer, explanation, row, .. } = *explained;
    to.push(b'{');
    for (at, field) in explainer.fields.iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        json(&explainer.plan().fields[*field].name, to);
        to.push(b':');
        number(explanation.contributions(output, at)[row], to);
    }
    to.push(b'}');
}

fn reasons(explained: &Explained<'_>, (output, top): (usize, usize), to: &mut Vec<u8>) {
    let Explained { explainer, explanation, row, .. } = *explained;
    let mut found = Vec::new();
    explanation.top(output, row, top, &mut found);
    to.push(b'[');
    for (place, (field, brought)) in found.iter().enumerate() {
        let field = explainer.fields[*field];
        to.extend_from_slice(if place == 0 { b"{\"input\":" } else { b",{\"input\":" });
        json(&explainer.plan().fields[field].name, to);
        to.extend_from_slice(b",\"value\":");
        (explained.cell)(field, to);
        to.extend_from_slice(b",\"contribution\":");
        number(*brought, to);
        to.push(b'}');
    }
    to.push(b']');
}

/// A value as it was sent.
pub fn cell(cell: Cell<'_>, to: &mut Vec<u8>) {
    match cell {
        Cell::Number(x) => number(x, to),
        Cell::Integer(x) => json(&x, to),
        Cell::Boolean(x) => json(&x, to),
        Cell::Text(text) | Cell::Lexical(text) => json(&text, to),
        Cell::Timestamp(x) => json(&penstock_core::load::instant(x), to),
        Cell::Absent | Cell::Missing | Cell::HugeInteger | Cell::Other(_) => json(&(), to),
    }
}
