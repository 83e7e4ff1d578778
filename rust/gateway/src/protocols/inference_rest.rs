//! Requests and answers of the Open Inference Protocol as JSON, with the extension for tensors as bytes.

use crate::answers::json::{json, number};
use crate::failure::{Failure, Kind};
use crate::handlers::shares::Answered;
use crate::protocols::datatypes::Datatype;
use crate::protocols::inference::{infer, missing, names, MISSING, NAMES};
use crate::protocols::outputs::Element;
use crate::protocols::predictions::{Call, Output, Predicted};
use crate::protocols::tensors::{wrong, Hints, Tensor};
use crate::protocols::values::{malformed, Values};
use penstock_core::rows::Sent;
use serde::de::IgnoredAny;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

type Parameters = BTreeMap<String, Value>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    parameters: Option<Parameters>,
    inputs: Vec<Input<'a>>,
    outputs: Option<Vec<Requested>>,
    /// Some clients say the model here as well; the path decides.
    #[serde(rename = "model_name")]
    _model_name: Option<IgnoredAny>,
    #[serde(rename = "model_version")]
    _model_version: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input<'a> {
    name: String,
    shape: Vec<i64>,
    datatype: String,
    parameters: Option<Parameters>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requested {
    name: String,
    parameters: Option<Parameters>,
}

/// Which parameters would change what is read or answered, and are not supported.
pub const REFUSED: [(&str, &str); 2] = [
    ("shared_memory_region", "shared memory is not supported; send the data"),
    ("classification", "classification is not supported; ask for the output `probability`"),
];

/// An answer: JSON, and the bytes of tensors behind it.
pub struct Answer {
    pub body: Vec<u8>,
    /// Length of the JSON, if bytes come behind it.
    pub json_length: Option<usize>,
    pub answered: Answered,
}

/// Answers a request. `json_length` tells how much of the body is JSON, if tensors follow as bytes.
///
/// # Errors
/// Why the request was refused.
pub fn answer(call: &Call<'_>, body: &[u8], json_length: Option<usize>) -> Result<Answer, Failure> {
    let json_length = json_length.unwrap_or(body.len());
    let (json, mut bytes) = body.split_at_checked(json_length).ok_or_else(|| {
        let is = body.len();
        let detail = format!("the body has {is} bytes, less than the {json_length} of its JSON");
        Failure::new(Kind::Malformed, detail)
    })?;
    let request: Body<'_> =
        serde_json::from_slice(json).map_err(|error| malformed("the body", json, &error))?;
    let mut tensors = Vec::with_capacity(request.inputs.len());
    for input in &request.inputs {
        tensors.push(tensor(input, &mut bytes)?);
    }
    if !bytes.is_empty() {
        let detail = format!("{} bytes are left behind the last tensor", bytes.len());
        return Err(Failure::new(Kind::Malformed, detail));
    }
    let requested = request.outputs.unwrap_or_default();
    for output in &requested {
        refuse(&output.name, output.parameters.as_ref())?;
    }
    let wanted: Vec<_> = requested.iter().map(|output| output.name.as_str()).collect();
    let predicted = infer(call, &tensors, &wanted)?;
    let by_default = truth(request.parameters.as_ref(), "binary_data_output").unwrap_or(false);
    let is_binary = |at: usize| {
        let parameters = requested.get(at).and_then(|output| output.parameters.as_ref());
        truth(parameters, "binary_data").unwrap_or(by_default)
    };
    let (body, json_length) = write(&call.route.name, request.id.as_deref(), &predicted, is_binary);
    Ok(Answer { body, json_length, answered: predicted.finish() })
}

fn truth(parameters: Option<&Parameters>, name: &str) -> Option<bool> {
    parameters.and_then(|parameters| parameters.get(name)).and_then(Value::as_bool)
}

fn refuse(name: &str, parameters: Option<&Parameters>) -> Result<(), Failure> {
    let has = |parameter: &str| parameters.is_some_and(|all| all.contains_key(parameter));
    match REFUSED.iter().find(|(parameter, _)| has(parameter)) {
        Some((_, what)) => Err(Failure::new(Kind::Unsupported, format!("tensor `{name}`: {what}"))),
        None => Ok(()),
    }
}

/// The values of an input, from its JSON or from the bytes behind all JSON.
fn tensor<'a>(input: &'a Input<'a>, bytes: &mut &'a [u8]) -> Result<Tensor<'a>, Failure> {
    let name = input.name.as_str();
    let datatype = Datatype::parse(&input.datatype)
        .map_err(|failure| wrong(name, &format!("has an unknown datatype: {}", failure.detail)))?;
    let parameters = input.parameters.as_ref();
    refuse(name, parameters)?;
    let parameter = |key: &str| parameters.and_then(|parameters| parameters.get(key));
    let text = |key: &str| match parameter(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(wrong(name, &format!("has {other} as parameter `{key}`; send a text"))),
    };
    let hints = Hints { content_type: text("content_type")?, missing: text("missing")? };
    let values = match (input.data, parameter("binary_data_size")) {
        (Some(data), None) => json_values(name, (datatype, &input.shape), data)?,
        (None, Some(size)) => {
            let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
            let parts = size.and_then(|size| bytes.split_at_checked(size));
            let (taken, rest) = parts.ok_or_else(|| {
                let left = bytes.len();
                wrong(
                    name,
                    &format!(
                    "has a `binary_data_size` beyond the {left} bytes that are left behind the \
                     JSON; send the header `Inference-Header-Content-Length`"
                ),
                )
            })?;
            *bytes = rest;
            datatype.decode(taken).map_err(|what| wrong(name, &what))?
        }
        (Some(_), Some(_)) => {
            return Err(wrong(name, "has `data` as well as `binary_data_size`; send one of them"))
        }
        (None, None) => return Err(wrong(name, "has no `data`")),
    };
    Tensor::new(name, (datatype, input.shape.clone()), values, &hints)
}

fn json_values<'a>(
    name: &str,
    (datatype, shape): (Datatype, &[i64]),
    data: &'a RawValue,
) -> Result<Values<'a>, Failure> {
    let read = Values::read(data.get(), datatype.field_type());
    let (mut values, width) = read.map_err(|error| {
        malformed(&format!("tensor `{name}`: `data`"), data.get().as_bytes(), &error)
    })?;
    // Short floats are rounded in any case.
    if !matches!(datatype, Datatype::Fp16 | Datatype::Fp32) {
        values.find_huge_integers(data.get());
    }
    // Either flat, or lists as the last dimension is long.
    let last = if shape.len() > 1 { shape.last().copied() } else { Some(1) };
    if let Some(width) = width.filter(|width| *width != values.len()) {
        if i64::try_from(width).ok() != last {
            let what = format!("has lists of {width} values; its shape is {shape:?}");
            return Err(wrong(name, &what));
        }
    }
    match values {
        Values::Numbers(numbers) if datatype == Datatype::Fp64 => Ok(Values::Numbers(numbers)),
        Values::Numbers(numbers) => {
            let sent = numbers.into_iter().map(|x| {
                use penstock_core::cell::Cell;
                Sent::Cell(if x.is_nan() { Cell::Missing } else { Cell::Number(x) })
            });
            admitted(name, datatype, sent)
        }
        Values::Mixed(sent) => admitted(name, datatype, sent.into_iter()),
    }
}

/// The values as their datatype has them; what is none of it is refused.
fn admitted<'a>(
    name: &str,
    datatype: Datatype,
    sent: impl Iterator<Item = Sent<'a>>,
) -> Result<Values<'a>, Failure> {
    let mut values = Values::default();
    for (at, sent) in sent.enumerate() {
        match sent {
            Sent::Text(text) if datatype == Datatype::Bytes => values.push(Sent::Text(text)),
            Sent::Cell(cell) if datatype.admit(cell).is_some() => {
                values.push(Sent::Cell(datatype.admit(cell).unwrap_or(cell)));
            }
            other => {
                let (datatype, cell) = (datatype.name(), other.cell());
                let what = format!("has {} at {at}, which is no {datatype}", words(cell));
                return Err(wrong(name, &what));
            }
        }
    }
    Ok(values)
}

fn words(cell: penstock_core::cell::Cell<'_>) -> String {
    use penstock_core::cell::Cell;
    match cell {
        Cell::Number(x) => penstock_core::load::number(x),
        Cell::Integer(x) => x.to_string(),
        Cell::Boolean(x) => x.to_string(),
        Cell::Text(text) => format!("the text {:?}", text.chars().take(60).collect::<String>()),
        Cell::HugeInteger => "an integer beyond 64 bits".to_owned(),
        _ => "no single value".to_owned(),
    }
}

/// The body, and the length of its JSON if bytes come behind it.
fn write(
    model: &str,
    id: Option<&str>,
    predicted: &Predicted,
    is_binary: impl Fn(usize) -> bool,
) -> (Vec<u8>, Option<usize>) {
    let mut body = Vec::with_capacity(256 + 64 * predicted.rows);
    let mut bytes = Vec::new();
    let mut has_bytes = false;
    body.extend_from_slice(b"{\"model_name\":");
    json(&model, &mut body);
    body.extend_from_slice(b",\"model_version\":");
    json(&predicted.versions(), &mut body);
    if let Some(id) = id {
        body.extend_from_slice(b",\"id\":");
        json(&id, &mut body);
    }
    body.extend_from_slice(b",\"outputs\":[");
    for (at, output) in predicted.outputs().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        let raw = is_binary(at).then(|| {
            has_bytes = true;
            raw(output)
        });
        write_output(output, raw.as_ref().map(Vec::len), &mut body);
        bytes.extend(raw.unwrap_or_default());
    }
    body.extend_from_slice(b"]}");
    let json_length = has_bytes.then_some(body.len());
    body.append(&mut bytes);
    (body, json_length)
}

fn write_output(output: Output<'_>, byte_count: Option<usize>, to: &mut Vec<u8>) {
    let tensor = output.tensor;
    let mut parameters = Parameters::new();
    parameters.extend(names(tensor).map(|names| (NAMES.to_owned(), names.into())));
    if let Some(count) = byte_count {
        parameters.insert("binary_data_size".to_owned(), count.into());
        parameters.extend(missing(output).map(|at| (MISSING.to_owned(), at.into())));
    }
    to.extend_from_slice(b"{\"name\":");
    json(&tensor.name, to);
    to.extend_from_slice(b",\"datatype\":");
    json(&tensor.datatype.name(), to);
    to.extend_from_slice(b",\"shape\":");
    json(&output.shape(), to);
    if !parameters.is_empty() {
        to.extend_from_slice(b",\"parameters\":");
        json(&parameters, to);
    }
    if byte_count.is_none() {
        to.extend_from_slice(b",\"data\":[");
        for (at, element) in output.elements().enumerate() {
            if at > 0 {
                to.push(b',');
            }
            write_element(element, to);
        }
        to.push(b']');
    }
    to.push(b'}');
}

/// A value as JSON; missing ones are null.
pub fn write_element(element: Element<'_>, to: &mut Vec<u8>) {
    match element {
        Element::Number(x) => number(x, to),
        Element::Integer(x) => json(&x, to),
        Element::Boolean(x) => json(&x, to),
        Element::Text(text) => json(&text, to),
        Element::Missing => json(&(), to),
    }
}

/// The bytes of an output; the inverse of [`Datatype::decode`]. A missing text is empty.
pub fn raw(output: Output<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for element in output.elements() {
        match (output.tensor.datatype, element) {
            (Datatype::Fp64, Element::Number(x)) => bytes.extend_from_slice(&x.to_le_bytes()),
            (Datatype::Fp64, _) => bytes.extend_from_slice(&f64::NAN.to_le_bytes()),
            (Datatype::Bool, element) => bytes.push((element == Element::Boolean(true)).into()),
            (Datatype::Bytes, element) => {
                let text = if let Element::Text(text) = element { text } else { "" };
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            (_, Element::Integer(x)) => bytes.extend_from_slice(&x.to_le_bytes()),
            _ => bytes.extend_from_slice(&0_i64.to_le_bytes()),
        }
    }
    bytes
}
