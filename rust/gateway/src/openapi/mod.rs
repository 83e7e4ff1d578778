//! OpenAPI 3.1 of what is served: one document for a model, or one for all, told from their schemas.

mod base;
mod inputs;
mod levels;
mod outputs;
mod paths;
mod probing;
mod problems;

use crate::catalog::{Route, Version};
use serde_json::{json, Map, Value};
use std::sync::Arc;

/// The version of the interface, which is that of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A model as its document tells of it: its name in the URL, and the versions that may answer.
pub struct Told<'a> {
    pub name: &'a str,
    pub versions: Vec<&'a Version>,
}

impl<'a> Told<'a> {
    /// All versions of a route, or those with this name.
    pub fn new(route: &'a Route, version: Option<&str>) -> Self {
        let versions = route.versions.iter().map(|(version, _)| version.as_ref());
        let is_told = |told: &&Version| version.is_none_or(|name| told.name == name);
        Self { name: &route.name, versions: versions.filter(is_told).collect() }
    }

    /// Versions that are the same artifact are told once.
    fn artifacts(&self) -> Vec<&'a Version> {
        let mut told: Vec<&Version> = Vec::new();
        for version in &self.versions {
            if !told.iter().any(|other| Arc::ptr_eq(&other.loaded, &version.loaded)) {
                told.push(version);
            }
        }
        told
    }
}

/// The document of one model.
pub fn of_model(told: &Told<'_>) -> Value {
    let title = format!("{}, a model", told.name);
    document(&title, std::slice::from_ref(told), Map::new())
}

/// The document of all models, and of what is served beside them.
pub fn of_all(told: &[Told<'_>]) -> Value {
    document("Penstock gateway", told, paths::common())
}

fn document(title: &str, told: &[Told<'_>], mut paths: Map<String, Value>) -> Value {
    let mut schemas = base::schemas();
    schemas.insert("Problem".to_owned(), problems::schema());
    for (at, model) in told.iter().enumerate() {
        // Names of components are ASCII; names of models may be more.
        let prefix = match told {
            [_] => String::new(),
            _ => format!("Model{}.", at + 1),
        };
        let artifacts = model.artifacts();
        let mut rows = Vec::new();
        let mut predictions = Vec::new();
        for (version, told) in artifacts.iter().enumerate() {
            let place = match artifacts.as_slice() {
                [_] => prefix.clone(),
                _ => format!("{prefix}Version{}.", version + 1),
            };
            for (kind, list, schema) in [
                ("Row", &mut rows, inputs::row(&told.loaded)),
                ("Prediction", &mut predictions, outputs::prediction(&told.loaded)),
            ] {
                let name = format!("{place}{kind}");
                list.push(reference(&name));
                schemas.insert(name, schema);
            }
        }
        paths.extend(paths::of_model(model, &any_of(rows), &any_of(predictions)));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": VERSION,
            "description": "Predictions of tabular models. A row is an object with the names of the inputs as keys.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "responses": problems::responses()},
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// One of several schemas; the schema itself if there is one.
fn any_of(mut schemas: Vec<Value>) -> Value {
    match schemas.len() {
        1 => schemas.remove(0),
        _ => json!({"anyOf": schemas}),
    }
}
