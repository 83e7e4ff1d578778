//! A small valid artifact, and a zip writer that can lie; used by all tests of the loader.

use penstock_core::archive::{self, Entries};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

/// One tensor: name, type, shape and bytes.
pub type Tensor<'a> = (&'a str, &'a str, Vec<usize>, Vec<u8>);

pub fn f64s(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub fn u32s(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A safetensors file whose header may say anything.
pub fn with_header(header: &[u8], data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}

pub fn safetensors(tensors: &[Tensor<'_>]) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, dtype, shape, bytes) in tensors {
        let offsets = [data.len(), data.len() + bytes.len()];
        let info = json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
        header.insert((*name).to_owned(), info);
        data.extend(bytes);
    }
    with_header(Value::Object(header).to_string().as_bytes(), &data)
}

pub fn tensors() -> Vec<u8> {
    safetensors(&[
        ("coefficients", "F64", vec![1, 2], f64s(&[0.5, -1.0])),
        ("intercepts", "F64", vec![1], f64s(&[0.25])),
        ("levels.bytes", "U8", vec![4], b"UAAA".to_vec()),
        ("levels.ends", "U32", vec![2], u32s(&[2, 4])),
    ])
}

pub fn field(name: &str, kind: &str) -> Value {
    json!({
        "name": name, "type": kind, "precision": "f64", "on_missing": "allow", "replacement": null,
        "on_invalid": "refuse", "minimum": null, "maximum": null, "pattern": null,
        "infinite": "allow", "on_range": "refuse", "levels": null, "on_unseen": "allow",
    })
}

pub fn node(name: &str, operator: &str, inputs: &[&str]) -> Value {
    json!({"name": name, "operator": operator, "inputs": inputs, "fields": {}})
}

pub fn output(name: &str, kind: &str, node: &str) -> Value {
    json!({"name": name, "kind": kind, "node": node, "levels": null, "names": null, "tolerance": 0.0})
}

/// A manifest without entries.
pub fn manifest() -> Value {
    json!({
        "format": 1, "min_reader": 1, "name": "late", "version": "1",
        "schema": {
            "inputs": [field("age", "number"), field("carrier", "text"), field("id", "ignored")],
            "outputs": [output("value", "number", "sum")],
        },
        "graph": {"nodes": [
            node("all", "concat", &["field:age", "field:carrier"]),
            node("sum", "linear", &["all"]),
        ]},
        "operators": {"concat": 1, "linear": 1},
        "entries": {},
        "provenance": {"source": {"library": "scikit-learn"}},
        "baseline": {"age": {"count": 3, "missing": 1, "quantiles": [0.0, 0.5, 1.0]}},
    })
}

pub fn examples() -> Vec<u8> {
    br#"{"expected":[{"value":0.75}],"rows":[{"age":1.0,"carrier":"UA"}]}"#.to_vec()
}

/// The entries with their hashes in the manifest.
pub fn entries(mut manifest: Value, tensors: Vec<u8>, examples: Vec<u8>, card: &[u8]) -> Entries {
    let listed =
        [("tensors.safetensors", &tensors[..]), ("examples.json", &examples), ("card.md", card)];
    for (name, bytes) in listed {
        let sha256: String =
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        manifest["entries"][name] = json!({"sha256": sha256, "size": bytes.len()});
    }
    let manifest = format!("{manifest:#}\n").into_bytes();
    Entries { manifest, tensors, examples, card: card.to_vec(), signature: None }
}

pub fn valid_entries() -> Entries {
    entries(manifest(), tensors(), examples(), b"# late\n")
}

pub fn valid() -> Vec<u8> {
    archive::write(&valid_entries())
}

/// An entry of a zip, declared as one likes.
#[derive(Clone)]
pub struct Raw {
    pub name: String,
    pub flags: u16,
    pub method: u16,
    pub time: [u16; 2],
    pub checksum: u32,
    pub compressed: u32,
    pub size: u32,
    pub extra: Vec<u8>,
    pub data: Vec<u8>,
}

/// A stored entry that tells the truth.
pub fn stored(name: &str, data: &[u8]) -> Raw {
    let size = data.len() as u32;
    Raw {
        name: name.to_owned(),
        flags: 0,
        method: 0,
        time: [0, 0x21],
        checksum: checksum(data),
        compressed: size,
        size,
        extra: Vec::new(),
        data: data.to_vec(),
    }
}

/// A deflated entry that tells the truth.
pub fn deflated(name: &str, data: &[u8]) -> Raw {
    let packed = miniz_oxide::deflate::compress_to_vec(data, 9);
    let compressed = packed.len() as u32;
    Raw { method: 8, compressed, data: packed, ..stored(name, data) }
}

/// The valid artifact as stored entries.
pub fn raw() -> Vec<Raw> {
    let Entries { manifest, tensors, examples, card, .. } = valid_entries();
    vec![
        stored("manifest.json", &manifest),
        stored("tensors.safetensors", &tensors),
        stored("examples.json", &examples),
        stored("card.md", &card),
    ]
}

pub fn zip(entries: &[Raw]) -> Vec<u8> {
    let (mut output, mut central) = (Vec::new(), Vec::new());
    for entry in entries {
        let start = output.len() as u32;
        let mut header = Vec::new();
        for number in [20, entry.flags, entry.method, entry.time[0], entry.time[1]] {
            header.extend(number.to_le_bytes());
        }
        for number in [entry.checksum, entry.compressed, entry.size] {
            header.extend(number.to_le_bytes());
        }
        header.extend((entry.name.len() as u16).to_le_bytes());
        header.extend((entry.extra.len() as u16).to_le_bytes());
        let tail = [entry.name.as_bytes(), &entry.extra].concat();
        output.extend([b"PK\x03\x04", &header[..], &tail, &entry.data].concat());
        let attributes = [&[0; 10][..], &start.to_le_bytes()].concat();
        central.extend([b"PK\x01\x02\x14\x00", &header[..], &attributes, &tail].concat());
    }
    let (start, count) = (output.len() as u32, (entries.len() as u16).to_le_bytes());
    output.extend(&central);
    output.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count].concat());
    output.extend([(central.len() as u32).to_le_bytes(), start.to_le_bytes()].concat());
    output.extend([0, 0]);
    output
}

/// CRC-32 bit by bit, as its definition has it.
pub fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |value, byte| {
        (0..8).fold(value ^ u32::from(*byte), |value, _| {
            if value & 1 == 1 {
                value >> 1 ^ 0xEDB8_8320
            } else {
                value >> 1
            }
        })
    })
}
