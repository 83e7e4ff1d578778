//! One artifact, opened: everything in it is checked except that its graph makes sense, which is the plan's business.

use crate::archive::{self, Entries, CARD, EXAMPLES, MANIFEST, TENSORS};
use crate::budgets::MAX_EXAMPLES;
use crate::error::ArtifactError;
use crate::json;
use crate::keys::PublicKey;
use crate::manifest::Manifest;
use crate::signature::{self, Signature};
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
    /// Whoever says to have signed it; only `open_signed` checks that.
    pub signatures: Vec<Signature>,
    /// SHA-256 of the manifest in hexadecimal: the identity of the artifact.
    pub digest: String,
    /// Bytes of all entries.
    pub unpacked_size: u64,
}

impl Artifact {
    /// Opens the bytes of a `.penstock` file; whatever they are, within bounded time and memory.
    pub fn open(bytes: &[u8]) -> Result<Self, ArtifactError> {
        Self::check(archive::read(bytes)?)
    }

    /// Opens what this key has signed, and refuses everything else before it looks into it.
    pub fn open_signed(bytes: &[u8], key: &PublicKey) -> Result<Self, ArtifactError> {
        let entries = archive::read(bytes)?;
        signature::verify(&entries, key)?;
        Self::check(entries)
    }

    fn check(entries: Entries) -> Result<Self, ArtifactError> {
        let manifest = Manifest::parse(&entries.manifest)?;
        let signatures = signature::signatures(&entries)?;
        let hashed = [
            (TENSORS, entries.tensors.as_slice()),
            (EXAMPLES, &entries.examples),
            (CARD, &entries.card),
        ];
        check_hashes(&manifest, &hashed)?;
        check_examples(&entries.examples)?;
        let others = [Some(&entries.manifest), entries.signature.as_ref()];
        let others = others.into_iter().flatten().map(Vec::len);
        let size: usize = hashed.iter().map(|(_, entry)| entry.len()).chain(others).sum();
        let card = String::from_utf8(entries.card)
            .map_err(|error| wrong(CARD, &format!("is not UTF-8: {}", error.utf8_error())))?;
        Ok(Self {
            digest: hash(&entries.manifest),
            manifest,
            manifest_bytes: entries.manifest,
            tensors: Tensors::parse(entries.tensors)?,
            examples: entries.examples,
            card,
            signatures,
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
