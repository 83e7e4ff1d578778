//! Predictions of a model as JSON Schema.

use crate::catalog::Loaded;
use penstock_core::manifest::{Output, OutputKind};
use serde_json::{json, Map, Value};

/// The answer to one row.
pub fn prediction(loaded: &Loaded) -> Value {
    let mut properties = Map::new();
    for output in &loaded.manifest.schema.outputs {
        match output.kind {
            OutputKind::Features => {
                let names = output.names.iter().flatten().filter_map(Value::as_str);
                properties.extend(names.map(|name| (name.to_owned(), feature())));
            }
            _ => {
                properties.insert(output.name.clone(), schema(output));
            }
        }
    }
    let required: Vec<_> = properties.keys().cloned().collect();
    properties.entry("explanation").or_insert_with(|| super::reference("Explanation"));
    let warnings = json!({"type": "array", "items": super::reference("Warning")});
    properties.entry("warnings").or_insert(warnings);
    json!({
        "type": "object",
        "description": "The outputs of the model, and the columns that `fields` asks for.",
        "properties": properties,
        "required": required,
        "x-penstock-outputs": loaded.manifest.schema.outputs.iter().map(brief).collect::<Vec<_>>(),
    })
}

fn brief(output: &Output) -> Value {
    let kind = match output.kind {
        OutputKind::Label => "label",
        OutputKind::Number => "number",
        OutputKind::Numbers => "numbers",
        OutputKind::Features => "features",
    };
    json!({"name": output.name, "kind": kind, "names": output.names})
}

fn schema(output: &Output) -> Value {
    match output.kind {
        OutputKind::Label => {
            let levels = output.levels.iter().flatten().cloned();
            json!({"enum": levels.chain([Value::Null]).collect::<Vec<_>>()})
        }
        OutputKind::Numbers => {
            let names: Vec<String> = output.names.iter().flatten().map(key).collect();
            let properties: Map<String, Value> =
                names.iter().map(|name| (name.clone(), super::reference("Number"))).collect();
            json!({"type": "object", "properties": properties, "required": names})
        }
        _ => super::reference("Number"),
    }
}

fn feature() -> Value {
    json!({"type": ["number", "string", "null"]})
}

/// A label as it is written as a key.
fn key(name: &Value) -> String {
    match name {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    }
}
