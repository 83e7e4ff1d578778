//! A loaded artifact: the plan, and what hosts show of it.

use crate::artifact::Artifact;
use crate::error::ArtifactError;
use crate::keys::PublicKey;
use crate::plan::Plan;
use crate::signature::Signature;
use crate::verify;

/// A model that can predict. Immutable, so that any number of threads can use it at once.
pub struct Model {
    pub plan: Plan,
    pub manifest: String,
    pub examples: String,
    pub card: String,
    /// Whoever says to have signed the artifact; only `open_signed` checks that.
    pub signatures: Vec<Signature>,
    /// SHA-256 of the manifest, in hex: the identity of the artifact.
    pub digest: String,
    /// Size of all entries together, in bytes.
    pub unpacked_size: u64,
}

impl Model {
    /// Opens, checks and plans an artifact; with `verify`, its examples are run as well.
    ///
    /// # Errors
    /// `ArtifactError` says what is wrong with the file.
    pub fn open(bytes: &[u8], verify: bool) -> Result<Self, ArtifactError> {
        Self::new(Artifact::open(bytes)?, verify)
    }

    /// As `open`, of an artifact that this key has signed; others are refused before they are looked into.
    ///
    /// # Errors
    /// `ArtifactError` says what is wrong with the file or its signature.
    pub fn open_signed(bytes: &[u8], verify: bool, key: &PublicKey) -> Result<Self, ArtifactError> {
        Self::new(Artifact::open_signed(bytes, key)?, verify)
    }

    fn new(artifact: Artifact, verify: bool) -> Result<Self, ArtifactError> {
        let plan = Plan::new(&artifact)?;
        let text = |bytes: Vec<u8>, entry: &str| {
            String::from_utf8(bytes)
                .map_err(|_| ArtifactError::new(format!("entry `{entry}` is not UTF-8")))
        };
        let model = Self {
            plan,
            manifest: text(artifact.manifest_bytes, "manifest.json")?,
            examples: text(artifact.examples, "examples.json")?,
            card: artifact.card,
            signatures: artifact.signatures,
            digest: artifact.digest,
            unpacked_size: artifact.unpacked_size,
        };
        if verify {
            let differences = verify::verify(&model.plan, &model.examples)?;
            if let Some(first) = differences.first() {
                return Err(ArtifactError::new(format!(
                    "{} of the examples differ; {first}; \
                     do not use this artifact, convert the model again",
                    differences.len()
                )));
            }
        }
        Ok(model)
    }
}
