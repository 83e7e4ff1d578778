//! The Open Inference Protocol, version 2, whatever carries it: what is served, and predictions of tensors.

use crate::catalog::{Loaded, Route};
use crate::failure::Failure;
use crate::protocols::datatypes::Datatype;
use crate::protocols::outputs::{Element, OutputTensor};
use crate::protocols::predictions::{Call, Output, Predicted};
use crate::protocols::tensors::{bind, Tensor};
use penstock_core::manifest::FieldType;
use penstock_core::plan::Plan;
use serde::Serialize;
use std::collections::BTreeMap;

pub const SERVER: &str = "penstock";
pub const SERVER_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The extension by which REST requests and answers carry tensors as bytes.
pub const EXTENSIONS: [&str; 1] = ["binary_tensor_data"];

/// The parameter of an output that has the names of its columns, as a JSON list.
pub const NAMES: &str = "names";
/// The parameter with the positions of missing values, where the datatype has no value for them.
pub const MISSING: &str = "missing";

#[derive(Debug, Serialize)]
pub struct ModelMetadata {
    pub name: String,
    pub versions: Vec<String>,
    pub platform: &'static str,
    pub inputs: Vec<TensorMetadata>,
    pub outputs: Vec<TensorMetadata>,
}

#[derive(Debug, Serialize)]
pub struct TensorMetadata {
    pub name: String,
    pub datatype: &'static str,
    pub shape: Vec<i64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<&'static str, String>,
}

/// What a route takes and gives; by its first version if the request names none.
///
/// # Errors
/// There is no such version.
pub fn metadata(route: &Route, version: Option<&str>) -> Result<ModelMetadata, Failure> {
    let versions = route.versions.iter().map(|(version, _)| version.name.clone()).collect();
    let described = match version {
        Some(name) => Some(route.version(name)?),
        None => route.versions.first().map(|(version, _)| version),
    };
    let loaded = described.map(|version| &*version.loaded);
    Ok(ModelMetadata {
        name: route.name.clone(),
        versions,
        platform: SERVER,
        inputs: loaded.map(|loaded| inputs(&loaded.model.plan)).unwrap_or_default(),
        outputs: loaded.map(outputs).unwrap_or_default(),
    })
}

fn inputs(plan: &Plan) -> Vec<TensorMetadata> {
    let used = plan.fields.iter().filter(|field| !field.is_ignored());
    used.map(|field| {
        let (datatype, content_type) = match field.r#type {
            FieldType::Number => (Datatype::Fp64, None),
            FieldType::Boolean => (Datatype::Bool, None),
            FieldType::Timestamp => (Datatype::Bytes, Some("datetime")),
            FieldType::Text | FieldType::Ignored => (Datatype::Bytes, Some("str")),
        };
        let content_type = content_type.map(|content_type| ("content_type", content_type.into()));
        TensorMetadata {
            name: field.name.clone(),
            datatype: datatype.name(),
            shape: vec![-1],
            parameters: content_type.into_iter().collect(),
        }
    })
    .collect()
}

fn outputs(loaded: &Loaded) -> Vec<TensorMetadata> {
    let metadata = |tensor: &OutputTensor| TensorMetadata {
        name: tensor.name.clone(),
        datatype: tensor.datatype.name(),
        shape: tensor.shape(-1),
        parameters: names(tensor).into_iter().map(|names| (NAMES, names)).collect(),
    };
    loaded.tensors.iter().map(metadata).collect()
}

/// The names of the columns of a table as a JSON list: parameters are single values.
pub fn names(tensor: &OutputTensor) -> Option<String> {
    tensor.width?;
    serde_json::to_string(&tensor.names).ok()
}

/// The positions of missing values; they are rare, and only where an output is a text of an input.
pub fn missing(output: Output<'_>) -> Option<String> {
    let missing = output.elements().enumerate();
    let missing = missing.filter(|(_, element)| *element == Element::Missing);
    let places: Vec<_> = missing.map(|(at, _)| at.to_string()).collect();
    (!places.is_empty()).then(|| places.join(","))
}

/// Predicts the rows of input tensors; all outputs if none are `wanted`.
///
/// # Errors
/// Why the tensors, an output or a row was refused.
pub fn infer(
    call: &Call<'_>,
    tensors: &[Tensor<'_>],
    wanted: &[&str],
) -> Result<Predicted, Failure> {
    let pick = |all: &[OutputTensor]| match wanted {
        [] => Ok((0..all.len()).collect()),
        wanted => wanted.iter().map(|name| OutputTensor::find(all, name)).collect(),
    };
    call.predict(|plan| bind(plan, tensors, call.most_rows), pick)
}
