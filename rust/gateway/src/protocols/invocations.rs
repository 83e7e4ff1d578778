//! Answers of a server with one model, as MLflow, SageMaker and Vertex AI have them.

use crate::answers::json::json;
use crate::failure::{Failure, Kind};
use crate::handlers::shares::Answered;
use crate::protocols::inference_rest::write_element;
use crate::protocols::outputs::{Element, OutputTensor};
use crate::protocols::payloads::Asked;
use crate::protocols::predictions::{Call, Predicted, Row};
use penstock_core::manifest::OutputKind;
use penstock_core::plan::Plan;
use std::cell::OnceCell;

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{"predictions": […]}`.
    Predictions,
    /// An object per line: `{"prediction": …}`.
    JsonLines,
    /// A line per row, without header.
    Csv,
}

/// The names that stand for each form, the first of which is the one in answers.
const MEDIA_TYPES: [(Form, &[&str]); 3] = [
    (Form::Predictions, &["application/json", "application/*", "*/*"]),
    (Form::JsonLines, &["application/jsonlines", "application/x-ndjson", "application/jsonl"]),
    (Form::Csv, &["text/csv", "text/*"]),
];

/// What stands for all outputs.
const ALL: &str = "all";

impl Form {
    pub const ALL: [Form; 3] = [Form::Predictions, Form::JsonLines, Form::Csv];

    /// The form of a media type.
    pub fn of(media_type: &str) -> Option<Self> {
        let found = MEDIA_TYPES.iter().find(|(_, names)| names.contains(&media_type));
        found.map(|(form, _)| *form)
    }

    pub fn media_type(self) -> &'static str {
        let found = MEDIA_TYPES.iter().find(|(form, _)| *form == self);
        found.and_then(|(_, names)| names.first()).copied().unwrap_or("application/json")
    }
}

/// The outputs that are asked for, or the one that `predict` of the source library gives: the label if there is one.
fn pick(tensors: &[OutputTensor], name: Option<&str>) -> Result<Vec<usize>, Failure> {
    let all = || (0..tensors.len()).collect();
    match name {
        Some(ALL) => Ok(all()),
        Some(name) => OutputTensor::find(tensors, name).map(|at| vec![at]).map_err(|failure| {
            let detail = format!("{}, or `{ALL}`", failure.detail);
            Failure::new(Kind::Option, detail)
        }),
        None => {
            let label = tensors.iter().position(|tensor| tensor.kind == OutputKind::Label);
            Ok(match (label, tensors) {
                (Some(label), _) => vec![label],
                // Features of which some are texts are a tensor each.
                (None, [first, _, ..]) if first.kind == OutputKind::Features => all(),
                (None, [_, ..]) => vec![0],
                (None, []) => all(),
            })
        }
    }
}

/// Predicts rows and writes the answers. `read` gives them as the model of a plan takes them; the output that they ask for,
/// or else the one that is given, is the name of an output, or `all`.
///
/// # Errors
/// The body cannot be read, there is no such output, or the first row that was refused.
pub fn answer<'a>(
    call: &Call<'_>,
    read: impl Fn(&Plan) -> Result<Asked<'a>, Failure>,
    by_default: Option<&str>,
    form: Form,
) -> Result<(Vec<u8>, Answered), Failure> {
    // The same whatever plan the rows are read for.
    let options = OnceCell::new();
    let read = |plan: &Plan| {
        let asked = read(plan)?;
        options.get_or_init(|| asked.options);
        Ok(asked.payload)
    };
    let output = || options.get().and_then(|options| options.output.as_deref()).or(by_default);
    let predicted = call.predict(read, |tensors| pick(tensors, output()))?;
    let body = write(&predicted, output() == Some(ALL), form);
    Ok((body, predicted.finish()))
}

fn write(predicted: &Predicted, is_all: bool, form: Form) -> Vec<u8> {
    // Several outputs are an object, whether they were asked for or are what the source library gives.
    let is_object = is_all || predicted.outputs().count() != 1;
    let mut body = Vec::with_capacity(32 + 16 * predicted.rows);
    if form == Form::Predictions {
        body.extend_from_slice(b"{\"predictions\":[");
    }
    for (at, row) in predicted.each().enumerate() {
        match form {
            Form::Predictions => {
                body.extend_from_slice(if at > 0 { b"," } else { b"" });
                write_prediction(row, is_object, &mut body);
            }
            Form::JsonLines if is_object => {
                write_all(row, &mut body);
                body.push(b'\n');
            }
            Form::JsonLines => {
                body.extend_from_slice(b"{\"prediction\":");
                write_prediction(row, is_object, &mut body);
                body.extend_from_slice(b"}\n");
            }
            Form::Csv => write_line(row.outputs().flat_map(|(_, elements)| elements), &mut body),
        }
    }
    if form == Form::Predictions {
        body.extend_from_slice(b"]}");
    }
    body
}

fn write_prediction(row: Row<'_>, is_object: bool, to: &mut Vec<u8>) {
    if is_object {
        return write_all(row, to);
    }
    for (tensor, elements) in row.outputs() {
        if tensor.width.is_none() {
            elements.for_each(|element| write_element(element, to));
            continue;
        }
        to.push(b'[');
        for (at, element) in elements.enumerate() {
            to.extend_from_slice(if at > 0 { b"," } else { b"" });
            write_element(element, to);
        }
        to.push(b']');
    }
}

/// All outputs of a row as an object, as the other paths of this server have them.
fn write_all(row: Row<'_>, to: &mut Vec<u8>) {
    let mut separator = b'{';
    for (tensor, mut elements) in row.outputs() {
        if tensor.width.is_none() {
            let element = elements.next().unwrap_or(Element::Missing);
            write_entry(&tensor.name, element, &mut separator, to);
            continue;
        }
        let names = tensor.names.iter().map(String::as_str).zip(elements);
        if tensor.kind == OutputKind::Features {
            names.for_each(|(name, element)| write_entry(name, element, &mut separator, to));
            continue;
        }
        to.push(separator);
        separator = b',';
        json(&tensor.name, to);
        to.push(b':');
        let mut inner = b'{';
        names.for_each(|(name, element)| write_entry(name, element, &mut inner, to));
        to.extend_from_slice(if inner == b'{' { b"{}" } else { b"}" });
    }
    to.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
}

fn write_entry(name: &str, element: Element<'_>, separator: &mut u8, to: &mut Vec<u8>) {
    to.push(*separator);
    *separator = b',';
    json(&name, to);
    to.push(b':');
    write_element(element, to);
}

/// A line of CSV; missing values are empty.
fn write_line<'a>(elements: impl Iterator<Item = Element<'a>>, to: &mut Vec<u8>) {
    for (at, element) in elements.enumerate() {
        to.extend_from_slice(if at > 0 { b"," } else { b"" });
        match element {
            Element::Missing => {}
            Element::Number(x) if x.is_nan() => {}
            Element::Text(text) if text.contains([',', '"', '\n', '\r']) => {
                to.push(b'"');
                to.extend_from_slice(text.replace('"', "\"\"").as_bytes());
                to.push(b'"');
            }
            Element::Text(text) => to.extend_from_slice(text.as_bytes()),
            Element::Number(x) if x.is_infinite() => {
                to.extend_from_slice(if x > 0.0 { b"Infinity" } else { b"-Infinity" });
            }
            element => write_element(element, to),
        }
    }
    to.push(b'\n');
}
