//! The signatures of an artifact, over the bytes of its manifest: reads, makes and checks them.

use crate::archive::{self, Entries, MANIFEST, SIGNATURE};
use crate::artifact::Artifact;
use crate::budgets::MAX_SIGNATURE_BYTES;
use crate::error::ArtifactError;
use crate::json::shorten;
use crate::keys::{PrivateKey, PublicKey, ID_LENGTH};
use base64ct::{Base64, Encoding};
use std::fmt::Write;

/// The one algorithm that this version knows: RFC 8032.
pub const ED25519: &str = "ed25519";
const MAX_ALGORITHM_LENGTH: usize = 64;

/// One line of the entry. Whose it is, is a claim until the key has checked it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature {
    pub algorithm: String,
    /// The id of the key.
    pub key: String,
    value: Vec<u8>,
}

/// The signatures of an artifact; none if it has no such entry. Those of unknown algorithms are among them.
pub fn signatures(entries: &Entries) -> Result<Vec<Signature>, ArtifactError> {
    let Some(entry) = &entries.signature else {
        return Ok(Vec::new());
    };
    let text = std::str::from_utf8(entry).ok().and_then(|text| text.strip_suffix('\n'));
    let Some(text) = text else {
        return Err(wrong("is not UTF-8, or is truncated: it does not end as a line does"));
    };
    let mut signatures: Vec<Signature> = Vec::new();
    for (line, at) in text.split('\n').zip(1..) {
        let signature = parse(line).map_err(|what| wrong(&format!("has in line {at} {what}")))?;
        // So there is one way to write them, and no key twice.
        let is_after = |last: &Signature| last.place() < signature.place();
        if !signatures.last().is_none_or(is_after) {
            return Err(wrong(&format!("has in line {at} a signature that is out of order")));
        }
        signatures.push(signature);
    }
    Ok(signatures)
}

/// The artifact with the signature of the key added. What others have signed stays; so does the identity.
pub fn sign(artifact: &[u8], key: &PrivateKey) -> Result<Vec<u8>, ArtifactError> {
    Artifact::open(artifact)?;
    let mut entries = archive::read(artifact)?;
    let mut all = signatures(&entries)?;
    let public = key.public();
    all.retain(|signature| !signature.is_by(ED25519, public.id()));
    all.push(Signature {
        algorithm: ED25519.to_owned(),
        key: public.id().to_owned(),
        value: key.sign(&entries.manifest).to_vec(),
    });
    all.sort();
    let entry = write(&all);
    if entry.len() > MAX_SIGNATURE_BYTES {
        return Err(ArtifactError::new(format!(
            "the artifact has {} signatures, and there is no room for more; sign the one that is not signed",
            all.len() - 1
        )));
    }
    entries.signature = Some(entry);
    Ok(archive::write(&entries))
}

/// Refuses an artifact whose manifest this key has not signed.
///
/// The manifest has the hashes of all other entries, which whoever opens the artifact checks.
pub fn verify(entries: &Entries, key: &PublicKey) -> Result<(), ArtifactError> {
    let all = signatures(entries)?;
    let id = key.id();
    let Some(signature) = all.iter().find(|signature| signature.is_by(ED25519, id)) else {
        return Err(not_signed(&all, id));
    };
    // `signatures` has refused every other length.
    let value = signature.value.as_slice().try_into();
    if value.is_ok_and(|value| key.has_signed(&entries.manifest, value)) {
        return Ok(());
    }
    Err(ArtifactError::new(format!(
        "the signature of key `{id}` is not one of this `{MANIFEST}`: the artifact was altered after it \
         was signed, or never signed with that key; do not use it"
    )))
}

impl Signature {
    fn is_by(&self, algorithm: &str, key: &str) -> bool {
        self.place() == (algorithm, key)
    }

    fn place(&self) -> (&str, &str) {
        (&self.algorithm, &self.key)
    }
}

/// A line, or what it has that is wrong.
fn parse(line: &str) -> Result<Signature, String> {
    let parts: Vec<&str> = line.split(' ').collect();
    let [algorithm, key, value] = parts[..] else {
        return Err("other than an algorithm, a key id and a signature".to_owned());
    };
    let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let is_digit = |byte: u8| matches!(byte, b'a'..=b'f' | b'0'..=b'9');
    if !(1..=MAX_ALGORITHM_LENGTH).contains(&algorithm.len()) || !algorithm.bytes().all(is_name) {
        return Err(format!("the algorithm `{}`, which is no name", shorten(algorithm)));
    }
    if key.len() != ID_LENGTH || !key.bytes().all(is_digit) {
        return Err(format!("the key id `{}`, not {ID_LENGTH} hex digits", shorten(key)));
    }
    let value =
        Base64::decode_vec(value).map_err(|_| "a signature that is no Base64".to_owned())?;
    if value.is_empty() {
        return Err("no signature".to_owned());
    }
    let length = ed25519_dalek::SIGNATURE_LENGTH;
    if algorithm == ED25519 && value.len() != length {
        return Err(format!("a signature of {} bytes, not {length}", value.len()));
    }
    Ok(Signature { algorithm: algorithm.to_owned(), key: key.to_owned(), value })
}

fn write(signatures: &[Signature]) -> Vec<u8> {
    let mut text = String::new();
    for Signature { algorithm, key, value } in signatures {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{algorithm} {key} {}", Base64::encode_string(value));
    }
    text.into_bytes()
}

/// The error for an artifact that others have signed, or nobody.
fn not_signed(all: &[Signature], id: &str) -> ArtifactError {
    if all.is_empty() {
        return ArtifactError::new(format!(
            "the artifact is not signed, and a signature of key `{id}` is required; `penstock sign` adds one"
        ));
    }
    let others: Vec<String> = all.iter().take(4).map(describe).collect();
    let more = if all.len() > others.len() { ", and others" } else { "" };
    ArtifactError::new(format!(
        "the artifact has no signature of key `{id}`, but one of {}{more}; check which key it should be, or \
         ask for an artifact that this key has signed",
        others.join(", ")
    ))
}

fn describe(signature: &Signature) -> String {
    let Signature { algorithm, key, .. } = signature;
    if algorithm == ED25519 {
        return format!("key `{key}`");
    }
    format!("key `{key}` with the algorithm `{algorithm}`, which this version does not know")
}

fn wrong(what: &str) -> ArtifactError {
    ArtifactError::new(format!("`{SIGNATURE}` {what}; sign the artifact again"))
}
