//! Answers of a server with one model, as MLflow, SageMaker and Vertex AI have them.

use crate::answers::json::json;
use crate::catalog::Loaded;
use crate::failure::{Failure, Kind};
use crate::protocols::inference_rest::write_element;
use crate::protocols::outputs::{predict, Answers, Element, OutputTensor};
use crate::protocols::payloads::Payload;
use penstock_core::manifest::OutputKind;

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

/// Which outputs an answer has.
enum Chosen<'t> {
    One(&'t OutputTensor),
    All,
}

/// The output that is asked for, or the one that `predict` of the source library gives: the label if there is one.
fn choose<'t>(tensors: &'t [OutputTensor], name: Option<&str>) -> Result<Chosen<'t>, Failure> {
    match name {
        Some(ALL) => Ok(Chosen::All),
        Some(name) => OutputTensor::find(tensors, name).map(Chosen::One).map_err(|failure| {
            let detail = format!("{}, or `{ALL}`", failure.detail);
            Failure::new(Kind::Option, detail)
        }),
        None => {
            let label = tensors.iter().find(|tensor| tensor.kind == OutputKind::Label);
            match (label, tensors) {
                (Some(label), _) => Ok(Chosen::One(label)),
                // Features of which some are texts are a tensor each.
                (None, [first, _, ..]) if first.kind == OutputKind::Features => Ok(Chosen::All),
                (None, [first, ..]) => Ok(Chosen::One(first)),
                (None, []) => Ok(Chosen::All),
            }
        }
    }
}

/// Predicts rows and writes the answers; `output` is the name of an output, or `all`.
///
/// # Errors
/// There is no such output, or the first row that was refused.
pub fn answer(
    loaded: &Loaded,
    payload: &Payload<'_>,
    output: Option<&str>,
    form: Form,
) -> Result<Vec<u8>, Failure> {
    let plan = &loaded.model.plan;
    let tensors = OutputTensor::all(plan);
    let chosen = choose(&tensors, output)?;
    let (answers, rows) = payload.with_table(plan, |table| (predict(loaded, table), table.rows));
    let answers = answers?;
    let mut body = Vec::with_capacity(32 + 16 * rows);
    if form == Form::Predictions {
        body.extend_from_slice(b"{\"predictions\":[");
    }
    for row in 0..rows {
        match (form, &chosen) {
            (Form::Predictions, _) => {
                body.extend_from_slice(if row > 0 { b"," } else { b"" });
                write_prediction(&tensors, &chosen, &answers, row, &mut body);
            }
            (Form::JsonLines, Chosen::All) => {
                write_all(&tensors, &answers, row, &mut body);
                body.push(b'\n');
            }
            (Form::JsonLines, Chosen::One(_)) => {
                body.extend_from_slice(b"{\"prediction\":");
                write_prediction(&tensors, &chosen, &answers, row, &mut body);
                body.extend_from_slice(b"}\n");
            }
            (Form::Csv, Chosen::One(tensor)) => {
                write_line(tensor.row(&answers, row), &mut body);
            }
            (Form::Csv, Chosen::All) => {
                let elements = tensors.iter().flat_map(|tensor| tensor.row(&answers, row));
                write_line(elements, &mut body);
            }
        }
    }
    if form == Form::Predictions {
        body.extend_from_slice(b"]}");
    }
    Ok(body)
}

fn write_prediction(
    tensors: &[OutputTensor],
    chosen: &Chosen<'_>,
    answers: &[Answers],
    row: usize,
    to: &mut Vec<u8>,
) {
    match chosen {
        Chosen::All => write_all(tensors, answers, row, to),
        Chosen::One(tensor) if tensor.width.is_none() => {
            tensor.row(answers, row).for_each(|element| write_element(element, to));
        }
        Chosen::One(tensor) => {
            to.push(b'[');
            for (at, element) in tensor.row(answers, row).enumerate() {
                to.extend_from_slice(if at > 0 { b"," } else { b"" });
                write_element(element, to);
            }
            to.push(b']');
        }
    }
}

/// All outputs of a row as an object, as the other paths of this server have them.
fn write_all(tensors: &[OutputTensor], answers: &[Answers], row: usize, to: &mut Vec<u8>) {
    let mut separator = b'{';
    for tensor in tensors {
        let names = tensor.names.iter().map(String::as_str).zip(tensor.row(answers, row));
        match (tensor.width, tensor.kind) {
            (None, _) => {
                let element = tensor.row(answers, row).next().unwrap_or(Element::Missing);
                write_entry(&tensor.name, element, &mut separator, to);
            }
            (_, OutputKind::Features) => {
                names.for_each(|(name, element)| write_entry(name, element, &mut separator, to));
            }
            _ => {
                to.push(separator);
                separator = b',';
                json(&tensor.name, to);
                to.push(b':');
                let mut inner = b'{';
                names.for_each(|(name, element)| write_entry(name, element, &mut inner, to));
                to.extend_from_slice(if inner == b'{' { b"{}" } else { b"}" });
            }
        }
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
