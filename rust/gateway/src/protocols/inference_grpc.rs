//! Messages of `inference.GRPCInferenceService`, numbered as the Open Inference Protocol has them, and what they mean.

use crate::failure::{Failure, Kind};
use crate::handlers::shares::Answered;
use crate::protocols::datatypes::{unsigned, utf8, Datatype};
use crate::protocols::inference::{infer, missing, names, ModelMetadata, MISSING, NAMES};
use crate::protocols::inference_rest::raw;
use crate::protocols::outputs::Element;
use crate::protocols::predictions::{Call, Output};
use crate::protocols::tensors::{wrong, Hints, Tensor};
use crate::protocols::values::Values;
use bytes::Bytes;
use penstock_core::cell::Cell;
use penstock_core::rows::Sent;
use std::collections::HashMap;

pub type Parameters = HashMap<String, InferParameter>;

#[derive(Clone, PartialEq, prost::Message)]
pub struct Empty {}

#[derive(Clone, PartialEq, prost::Message)]
pub struct LiveResponse {
    #[prost(bool, tag = 1)]
    pub live: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadyResponse {
    #[prost(bool, tag = 1)]
    pub ready: bool,
}

/// Of `ModelReady` and `ModelMetadata`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ModelRequest {
    #[prost(string, tag = 1)]
    pub name: String,
    #[prost(string, tag = 2)]
    pub version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ServerMetadataResponse {
    #[prost(string, tag = 1)]
    pub name: String,
    #[prost(string, tag = 2)]
    pub version: String,
    #[prost(string, repeated, tag = 3)]
    pub extensions: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorMetadata {
    #[prost(string, tag = 1)]
    pub name: String,
    #[prost(string, tag = 2)]
    pub datatype: String,
    #[prost(int64, repeated, tag = 3)]
    pub shape: Vec<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ModelMetadataResponse {
    #[prost(string, tag = 1)]
    pub name: String,
    #[prost(string, repeated, tag = 2)]
    pub versions: Vec<String>,
    #[prost(string, tag = 3)]
    pub platform: String,
    #[prost(message, repeated, tag = 4)]
    pub inputs: Vec<TensorMetadata>,
    #[prost(message, repeated, tag = 5)]
    pub outputs: Vec<TensorMetadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct InferParameter {
    #[prost(oneof = "Choice", tags = "1, 2, 3, 4, 5")]
    pub choice: Option<Choice>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Choice {
    #[prost(bool, tag = 1)]
    Boolean(bool),
    #[prost(int64, tag = 2)]
    Integer(i64),
    #[prost(string, tag = 3)]
    Text(String),
    #[prost(double, tag = 4)]
    Number(f64),
    #[prost(uint64, tag = 5)]
    Unsigned(u64),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Contents {
    #[prost(bool, repeated, tag = 1)]
    pub booleans: Vec<bool>,
    #[prost(int32, repeated, tag = 2)]
    pub integers: Vec<i32>,
    #[prost(int64, repeated, tag = 3)]
    pub long_integers: Vec<i64>,
    #[prost(uint32, repeated, tag = 4)]
    pub unsigned: Vec<u32>,
    #[prost(uint64, repeated, tag = 5)]
    pub long_unsigned: Vec<u64>,
    #[prost(float, repeated, tag = 6)]
    pub floats: Vec<f32>,
    #[prost(double, repeated, tag = 7)]
    pub doubles: Vec<f64>,
    #[prost(bytes = "bytes", repeated, tag = 8)]
    pub texts: Vec<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct InferTensor {
    #[prost(string, tag = 1)]
    pub name: String,
    #[prost(string, tag = 2)]
    pub datatype: String,
    #[prost(int64, repeated, tag = 3)]
    pub shape: Vec<i64>,
    #[prost(map = "string, message", tag = 4)]
    pub parameters: Parameters,
    #[prost(message, optional, tag = 5)]
    pub contents: Option<Contents>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct RequestedOutput {
    #[prost(string, tag = 1)]
    pub name: String,
    #[prost(map = "string, message", tag = 2)]
    pub parameters: Parameters,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ModelInferRequest {
    #[prost(string, tag = 1)]
    pub model_name: String,
    #[prost(string, tag = 2)]
    pub model_version: String,
    #[prost(string, tag = 3)]
    pub id: String,
    #[prost(map = "string, message", tag = 4)]
    pub parameters: Parameters,
    #[prost(message, repeated, tag = 5)]
    pub inputs: Vec<InferTensor>,
    #[prost(message, repeated, tag = 6)]
    pub outputs: Vec<RequestedOutput>,
    #[prost(bytes = "bytes", repeated, tag = 7)]
    pub raw_input_contents: Vec<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ModelInferResponse {
    #[prost(string, tag = 1)]
    pub model_name: String,
    #[prost(string, tag = 2)]
    pub model_version: String,
    #[prost(string, tag = 3)]
    pub id: String,
    #[prost(map = "string, message", tag = 4)]
    pub parameters: Parameters,
    #[prost(message, repeated, tag = 5)]
    pub outputs: Vec<InferTensor>,
    #[prost(bytes = "bytes", repeated, tag = 6)]
    pub raw_output_contents: Vec<Bytes>,
}

impl From<ModelMetadata> for ModelMetadataResponse {
    fn from(metadata: ModelMetadata) -> Self {
        let tensors = |tensors: Vec<super::inference::TensorMetadata>| {
            let tensors = tensors.into_iter();
            tensors
                .map(|tensor| TensorMetadata {
                    name: tensor.name,
                    datatype: tensor.datatype.to_owned(),
                    shape: tensor.shape,
                })
                .collect()
        };
        Self {
            name: metadata.name,
            versions: metadata.versions,
            platform: metadata.platform.to_owned(),
            inputs: tensors(metadata.inputs),
            outputs: tensors(metadata.outputs),
        }
    }
}

/// Answers a request: raw contents if it had raw contents.
///
/// # Errors
/// Why the request was refused.
pub fn answer(
    call: &Call<'_>,
    request: &ModelInferRequest,
) -> Result<(ModelInferResponse, Answered), Failure> {
    let is_raw = !request.raw_input_contents.is_empty();
    let (tensor_count, raw_count) = (request.inputs.len(), request.raw_input_contents.len());
    if is_raw && tensor_count != raw_count {
        let detail =
            format!("the request has {tensor_count} inputs and {raw_count} raw_input_contents");
        return Err(Failure::new(Kind::Malformed, detail));
    }
    let mut tensors = Vec::with_capacity(tensor_count);
    for (at, input) in request.inputs.iter().enumerate() {
        tensors.push(tensor(input, request.raw_input_contents.get(at))?);
    }
    for output in &request.outputs {
        refuse(&output.name, &output.parameters)?;
    }
    let wanted: Vec<_> = request.outputs.iter().map(|output| output.name.as_str()).collect();
    let predicted = infer(call, &tensors, &wanted)?;
    let outputs = predicted.outputs();
    let response = ModelInferResponse {
        model_name: request.model_name.clone(),
        model_version: predicted.versions(),
        id: request.id.clone(),
        parameters: Parameters::new(),
        outputs: outputs.map(|output| output_tensor(output, is_raw)).collect(),
        raw_output_contents: match is_raw {
            true => predicted.outputs().map(|output| raw(output).into()).collect(),
            false => Vec::new(),
        },
    };
    Ok((response, predicted.finish()))
}

fn refuse(name: &str, parameters: &Parameters) -> Result<(), Failure> {
    let refused = super::inference_rest::REFUSED.iter();
    match refused.clone().find(|(parameter, _)| parameters.contains_key(*parameter)) {
        Some((_, what)) => Err(Failure::new(Kind::Unsupported, format!("tensor `{name}`: {what}"))),
        None => Ok(()),
    }
}

fn tensor<'a>(input: &'a InferTensor, raw: Option<&'a Bytes>) -> Result<Tensor<'a>, Failure> {
    let name = input.name.as_str();
    let fail = |what: String| wrong(name, &what);
    let datatype = Datatype::parse(&input.datatype)
        .map_err(|failure| fail(format!("has an unknown datatype: {}", failure.detail)))?;
    refuse(name, &input.parameters)?;
    let text = |key: &str| match input.parameters.get(key).map(|parameter| &parameter.choice) {
        None | Some(None) => Ok(None),
        Some(Some(Choice::Text(text))) => Ok(Some(text.as_str())),
        Some(Some(_)) => Err(fail(format!("has no text as parameter `{key}`; send a text"))),
    };
    let hints = Hints { content_type: text("content_type")?, missing: text(MISSING)? };
    let values = match (raw, &input.contents) {
        (Some(raw), None) => datatype.decode(raw).map_err(fail)?,
        (Some(raw), Some(contents)) if *contents == Contents::default() => {
            datatype.decode(raw).map_err(fail)?
        }
        (Some(_), Some(_)) => {
            return Err(fail("has contents as well as raw_input_contents; send one".to_owned()))
        }
        (None, Some(contents)) => typed(datatype, contents).map_err(fail)?,
        (None, None) => Values::default(),
    };
    Tensor::new(name, (datatype, input.shape.clone()), values, &hints)
}

/// The values of the contents that the datatype says; those of others must be empty.
fn typed(datatype: Datatype, contents: &Contents) -> Result<Values<'_>, String> {
    let lengths = [
        ("bool_contents", contents.booleans.len()),
        ("int_contents", contents.integers.len()),
        ("int64_contents", contents.long_integers.len()),
        ("uint_contents", contents.unsigned.len()),
        ("uint64_contents", contents.long_unsigned.len()),
        ("fp32_contents", contents.floats.len()),
        ("fp64_contents", contents.doubles.len()),
        ("bytes_contents", contents.texts.len()),
    ];
    let place = match datatype {
        Datatype::Bool => "bool_contents",
        Datatype::Int8 | Datatype::Int16 | Datatype::Int32 => "int_contents",
        Datatype::Int64 => "int64_contents",
        Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 => "uint_contents",
        Datatype::Uint64 => "uint64_contents",
        Datatype::Fp32 => "fp32_contents",
        Datatype::Fp64 => "fp64_contents",
        Datatype::Bytes => "bytes_contents",
        Datatype::Fp16 => return Err("is FP16, which only raw_input_contents hold".to_owned()),
    };
    if let Some((other, _)) = lengths.iter().find(|(name, count)| *count > 0 && *name != place) {
        let datatype = datatype.name();
        return Err(format!("has {other}; values of {datatype} belong into {place}"));
    }
    let floats = |values: Vec<f64>| Ok(Values::Numbers(values));
    match datatype {
        Datatype::Bool => Ok(Values::Mixed(
            contents.booleans.iter().map(|x| Sent::Cell(Cell::Boolean(*x))).collect(),
        )),
        Datatype::Fp64 => floats(contents.doubles.clone()),
        Datatype::Fp32 => floats(contents.floats.iter().map(|x| f64::from(*x)).collect()),
        Datatype::Bytes => {
            let texts = contents.texts.iter().enumerate();
            let texts = texts.map(|(at, text)| Ok(Sent::Cell(Cell::Text(utf8(text, at)?))));
            Ok(Values::Mixed(texts.collect::<Result<_, String>>()?))
        }
        Datatype::Int64 => admitted(datatype, &contents.long_integers, |x| Cell::Integer(*x)),
        Datatype::Uint64 => admitted(datatype, &contents.long_unsigned, |x| unsigned(*x)),
        Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 => {
            admitted(datatype, &contents.unsigned, |x| Cell::Integer((*x).into()))
        }
        _ => admitted(datatype, &contents.integers, |x| Cell::Integer((*x).into())),
    }
}

/// Integers that are within the range of their datatype.
fn admitted<'a, T>(
    datatype: Datatype,
    integers: &[T],
    cell: impl Fn(&T) -> Cell<'static>,
) -> Result<Values<'a>, String> {
    let mut values = Values::default();
    for (at, integer) in integers.iter().enumerate() {
        match datatype.admit(cell(integer)) {
            Some(cell) => values.push(Sent::Cell(cell)),
            None => return Err(format!("has a value at {at} that is no {}", datatype.name())),
        }
    }
    Ok(values)
}

fn output_tensor(output: Output<'_>, is_raw: bool) -> InferTensor {
    let text = |text: String| InferParameter { choice: Some(Choice::Text(text)) };
    let tensor = output.tensor;
    let mut parameters = Parameters::new();
    parameters.extend(names(tensor).map(|names| (NAMES.to_owned(), text(names))));
    parameters.extend(missing(output).map(|at| (MISSING.to_owned(), text(at))));
    InferTensor {
        name: tensor.name.clone(),
        datatype: tensor.datatype.name().to_owned(),
        shape: output.shape(),
        parameters,
        contents: (!is_raw).then(|| contents(tensor.datatype, output.elements())),
    }
}

fn contents<'a>(datatype: Datatype, elements: impl Iterator<Item = Element<'a>>) -> Contents {
    let mut contents = Contents::default();
    for element in elements {
        match (datatype, element) {
            (Datatype::Bool, element) => contents.booleans.push(element == Element::Boolean(true)),
            (Datatype::Bytes, Element::Text(text)) => {
                contents.texts.push(Bytes::copy_from_slice(text.as_bytes()));
            }
            (Datatype::Bytes, _) => contents.texts.push(Bytes::new()),
            (Datatype::Int64, Element::Integer(x)) => contents.long_integers.push(x),
            (Datatype::Int64, _) => contents.long_integers.push(0),
            (_, Element::Number(x)) => contents.doubles.push(x),
            (_, _) => contents.doubles.push(f64::NAN),
        }
    }
    contents
}
