//! One artifact, opened: everything in it is checked except that its graph makes sense, which is the plan's business.

use crate::archive;
use crate::archive::{CARD, EXAMPLES, MANIFEST, TENSORS};
use crate::budgets::MAX_EXAMPLES;
use crate::error::ArtifactError;
use crate::json;
use crate::manifest::Manifest;
use crate::tensors::Tensors;
use serde::de::IgnoredAny;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write;

#[derive(Debug)]
pub struct Artifact {
    pub manifest: Manifest,
    pub manifest_bytes: Vec<u8>,
    pub tensors: Tensors,
    /// The bytes of `examples.json`: strict JSON with as many rows as expected outputs.
    pub examples: Vec<u8>,
    pub card: String,
    /// SHA-256 of the manifest in hexadecimal: the identity of the artifact.
    pub digest: String,
    /// Bytes of all entries.
    pub unpacked_size: u64,
}

impl Artifact {
    /// Opens the bytes of a `.penstock` file; whatever they are, within bounded time and memory.
    pub fn open(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let entries = archive::read(bytes)?;
        let manifest = Manifest::parse(&entries.manifest)?;
        let hashed = [
            (TENSORS, entries.tensors.as_slice()),
            (EXAMPLES, &entries.examples),
            (CARD, &entries.card),
        ];
        check_hashes(&manifest, &hashed)?;
        check_examples(&entries.examples)?;
        let sizes = hashed.iter().map(|(_, entry)| entry.len());
        let size = sizes.sum::<usize>() + entries.manifest.len();
        let card = String::from_utf8(entries.card)
            .map_err(|error| wrong(CARD, &format!("is not UTF-8: {}", error.utf8_error())))?;
        Ok(Self {
            digest: hash(&entries.manifest),
            manifest,
            manifest_bytes: entries.manifest,
            tensors: Tensors::parse(entries.tensors)?,
            examples: entries.examples,
            card,
            unpacked_size: size as u64,
        })
    }
}

fn wrong(entry: &str, what: &str) -> ArtifactError {
    ArtifactError::new(format!("`{entry}` {what}; copy the file again or convert the model again"))
}

/// SHA-256 in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn check_hashes(manifest: &Manifest, entries: &[(&str, &[u8])]) -> Result<(), ArtifactError> {
    for (name, bytes) in entries {
        let Some(declared) = manifest.entries.get(*name) else {
            return Err(wrong(MANIFEST, &format!("does not list the entry `{name}`")));
        };
        if declared.size != bytes.len() as u64 {
            let (is, size) = (bytes.len(), declared.size);
            return Err(wrong(name, &format!("has {is} bytes; the manifest says {size}")));
        }
        let is = hash(bytes);
        if is != declared.sha256 {
            let sha256 = &declared.sha256;
            return Err(wrong(name, &format!("has the hash {is}; the manifest says {sha256}")));
        }
    }
    let is_known = |name: &str| entries.iter().any(|(known, _)| *known == name);
    match manifest.entries.keys().find(|name| !is_known(name)) {
        Some(name) => {
            let name = json::shorten(name);
            Err(wrong(MANIFEST, &format!("lists the unknown entry `{name}`")))
        }
        None => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Examples {
    rows: Vec<IgnoredAny>,
    expected: Vec<IgnoredAny>,
}

fn check_examples(bytes: &[u8]) -> Result<(), ArtifactError> {
    let Examples { rows, expected } = json::parse(bytes, EXAMPLES)?;
    let (rows, expected) = (rows.len(), expected.len());
    if rows != expected {
        return Err(wrong(EXAMPLES, &format!("has {rows} rows and {expected} expected outputs")));
    }
    if rows > MAX_EXAMPLES {
        return Err(wrong(EXAMPLES, &format!("has {rows} rows; the most is {MAX_EXAMPLES}")));
    }
    Ok(())
}
