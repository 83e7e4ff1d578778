//! `routes.json`: which artifacts of a folder answer under which names; `docs/routes.schema.json` says the same.

use serde::Deserialize;
use std::collections::HashSet;
use std::path::{Component, Path};

/// The file of a folder that tells everything.
pub const ROUTES: &str = "routes.json";

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    pub routes: Vec<RouteEntry>,
}

/// A name and what answers under it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteEntry {
    pub name: String,
    pub versions: Vec<VersionEntry>,
    /// Artifacts that get a copy of every request after it was answered.
    #[serde(default)]
    pub shadows: Vec<ShadowEntry>,
    /// What decides that two requests get the same version.
    #[serde(default)]
    pub sticky: Option<Sticky>,
    /// Names of the tokens that may use this route; all if there is none.
    #[serde(default)]
    pub tokens: Option<Vec<String>>,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub capture: Option<CaptureEntry>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionEntry {
    /// Path of the artifact, relative to the folder.
    pub artifact: String,
    /// The version as requests name it; that of the artifact by default.
    #[serde(default)]
    pub version: Option<String>,
    /// Share of the requests, relative to the weights of the other versions.
    #[serde(default = "one")]
    pub weight: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShadowEntry {
    pub artifact: String,
    #[serde(default)]
    pub version: Option<String>,
    /// Share of the requests that are copied.
    #[serde(default = "one")]
    pub share: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Sticky {
    /// The value of an input of each row.
    Input(String),
    /// The value of a header of the request.
    Header(String),
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most rows of a request.
    #[serde(default)]
    pub rows: Option<usize>,
    /// Largest body, in bytes.
    #[serde(default)]
    pub body: Option<usize>,
    /// Most requests at a time.
    #[serde(default)]
    pub in_flight: Option<usize>,
}

/// Which requests and answers are written down, and how secrets are kept out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureEntry {
    /// Share of the requests.
    pub share: f64,
    /// Inputs that are left out.
    #[serde(default)]
    pub omit: Vec<String>,
    /// Inputs of which only a hash is written.
    #[serde(default)]
    pub hash: Vec<String>,
}

fn one() -> f64 {
    1.0
}

impl Routes {
    /// Parses and checks everything that can be known without the artifacts.
    ///
    /// # Errors
    /// What is wrong, where, and what to do.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let routes: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("`{ROUTES}`: {error}; see docs/gateway.md"))?;
        let mut names = HashSet::new();
        for route in &routes.routes {
            let name = &route.name;
            route.check().map_err(|what| format!("`{ROUTES}`: route `{name}`: {what}"))?;
            if !names.insert(name.as_str()) {
                return Err(format!("`{ROUTES}`: route `{name}` is there twice; name it once"));
            }
        }
        Ok(routes)
    }
}

impl RouteEntry {
    fn check(&self) -> Result<(), String> {
        if !is_name(&self.name) {
            return Err("a name has 1 to 100 letters, digits, `-`, `_` and `.`".to_owned());
        }
        if self.versions.is_empty() {
            return Err("has no version; name an artifact".to_owned());
        }
        let weights = self.versions.iter().map(|version| version.weight);
        if weights.clone().any(|weight| !weight.is_finite() || weight < 0.0) {
            return Err("a weight must be a number of at least 0".to_owned());
        }
        if weights.sum::<f64>() <= 0.0 {
            return Err("all weights are 0, so that nothing would answer; raise one".to_owned());
        }
        let artifacts = self.versions.iter().map(|version| &version.artifact);
        for path in artifacts.chain(self.shadows.iter().map(|shadow| &shadow.artifact)) {
            check_path(path)?;
        }
        let shares = self.shadows.iter().map(|shadow| shadow.share);
        for share in shares.chain(self.capture.iter().map(|capture| capture.share)) {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("a share must be from 0 to 1; got {share}"));
            }
        }
        Ok(())
    }
}

/// A name that can stand in a URL, a metric and a file name as it is.
pub fn is_name(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    (1..=100).contains(&name.chars().count())
        && name.chars().all(is_plain)
        && !name.starts_with('.')
}

/// Paths stay inside the folder.
fn check_path(path: &str) -> Result<(), String> {
    let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    match is_inside && !path.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "artifact `{path}` is not a relative path inside the folder; put the file there"
        )),
    }
}
