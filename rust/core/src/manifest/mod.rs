//! `manifest.json` as types; parsing one checks everything that can be known without the operators and the tensors.

mod check;

use crate::archive::MANIFEST;
use crate::budgets::{FORMAT, MAX_MANIFEST_BYTES, READER_VERSION};
use crate::error::ArtifactError;
use crate::json;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u64,
    pub min_reader: u64,
    pub name: String,
    pub version: String,
    pub schema: Schema,
    pub graph: Graph,
    /// Version of every operator that the graph uses.
    pub operators: BTreeMap<String, u32>,
    pub entries: BTreeMap<String, Entry>,
    pub provenance: Value,
    pub baseline: Value,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    pub inputs: Vec<Field>,
    pub outputs: Vec<Output>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    pub nodes: Vec<Node>,
}

/// Another entry of the artifact.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// In lower-case hexadecimal.
    pub sha256: String,
    pub size: u64,
}

/// An input.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: String,
    pub r#type: FieldType,
    pub precision: Precision,
    pub on_missing: OnMissing,
    /// Present if and only if `on_missing` is `Replace`; of the type of the field.
    #[serde(deserialize_with = "required")]
    pub replacement: Option<Value>,
    pub on_invalid: OnInvalid,
    #[serde(deserialize_with = "required")]
    pub minimum: Option<f64>,
    #[serde(deserialize_with = "required")]
    pub maximum: Option<f64>,
    #[serde(deserialize_with = "required")]
    pub pattern: Option<String>,
    pub infinite: Infinite,
    pub on_range: OnRange,
    /// Of the type of the field.
    #[serde(deserialize_with = "required")]
    pub levels: Option<Vec<Value>>,
    pub on_unseen: OnUnseen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    Number,
    Text,
    Boolean,
    Timestamp,
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    F64,
    F32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    Allow,
    Refuse,
    Replace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    Refuse,
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Infinite {
    Allow,
    Refuse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRange {
    Refuse,
    Missing,
    Clip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnseen {
    Allow,
    Missing,
    Refuse,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    pub name: String,
    pub kind: OutputKind,
    pub node: String,
    /// The class labels of a `Label`: texts, numbers or booleans.
    #[serde(deserialize_with = "required")]
    pub levels: Option<Vec<Value>>,
    /// The names of the elements of `Numbers` (class labels, or texts) and of `Features` (texts).
    #[serde(deserialize_with = "required")]
    pub names: Option<Vec<Value>>,
    pub tolerance: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    Label,
    Number,
    Numbers,
    Features,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    pub name: String,
    pub operator: String,
    /// Names of earlier nodes, or `field:<name>`.
    pub inputs: Vec<String>,
    /// The business of the operator.
    pub fields: Map<String, Value>,
}

/// Serde takes an absent key for null unless told otherwise; here every key is present.
fn required<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::deserialize(deserializer)
}

/// What every version of the format has, whatever else it may have.
#[derive(Deserialize)]
struct Versions {
    format: u64,
    min_reader: u64,
}

impl Manifest {
    /// Takes the bytes of `manifest.json`; names and fields of operators are the business of the plan.
    pub fn parse(bytes: &[u8]) -> Result<Self, ArtifactError> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            let (is, most) = (bytes.len(), MAX_MANIFEST_BYTES);
            return Err(refuse(&format!("has {is} bytes; the most is {most}")));
        }
        let Versions { format, min_reader } = json::parse(bytes, MANIFEST)?;
        if min_reader > READER_VERSION {
            return Err(refuse(&format!(
                "needs reader version {min_reader}; this reader has version {READER_VERSION}; \
                 upgrade penstock"
            )));
        }
        if format != FORMAT {
            return Err(refuse(&format!(
                "has format {format}; this reader knows format {FORMAT}; upgrade penstock"
            )));
        }
        let manifest: Self = json::parse_checked(bytes, MANIFEST)?;
        check::check(&manifest).map_err(|what| refuse(&what))?;
        Ok(manifest)
    }
}

fn refuse(what: &str) -> ArtifactError {
    ArtifactError::new(format!("`{MANIFEST}`: {what}"))
}
