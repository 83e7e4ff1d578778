//! A loaded artifact: the plan, and what hosts show of it.

use crate::artifact::Artifact;
use crate::error::ArtifactError;
use crate::plan::Plan;
use crate::verify;

/// A model that can predict. Immutable, so that any number of threads can use it at once.
pub struct Model {
    pub plan: Plan,
    pub manifest: String,
    pub examples: String,
    pub card: String,
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
        let artifact = Artifact::open(bytes)?;
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
