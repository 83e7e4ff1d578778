//! The rules that the parts of a manifest keep among each other; used when one is parsed.

use super::{Field, FieldType, Manifest, Node, OnMissing, OnRange, Output, OutputKind};
use crate::budgets::{
    MAX_FIELDS, MAX_NAME_LENGTH, MAX_NODES, MAX_NODE_INPUTS, MAX_OUTPUTS, MAX_PATTERN_LENGTH,
};
use crate::json::shorten;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The first rule that is broken, in words.
type Verdict = Result<(), String>;

/// The prefix of node inputs that are fields.
const FIELD: &str = "field:";

pub(super) fn check(manifest: &Manifest) -> Verdict {
    check_budgets(manifest)?;
    check_name("the model", &manifest.name)?;
    check_name("the version", &manifest.version)?;
    check_fields(&manifest.schema.inputs)?;
    check_nodes(&manifest.graph.nodes, &manifest.schema.inputs)?;
    check_outputs(&manifest.schema.outputs, &manifest.graph.nodes)?;
    check_operators(manifest)?;
    check_entries(manifest)
}

fn check_budgets(manifest: &Manifest) -> Verdict {
    let nodes = &manifest.graph.nodes;
    let node_inputs = nodes.iter().map(|node| node.inputs.len()).sum();
    let budgets = [
        ("fields", manifest.schema.inputs.len(), MAX_FIELDS),
        ("outputs", manifest.schema.outputs.len(), MAX_OUTPUTS),
        ("nodes", nodes.len(), MAX_NODES),
        ("inputs of nodes", node_inputs, MAX_NODE_INPUTS),
    ];
    match budgets.into_iter().find(|(_, is, most)| is > most) {
        Some((what, is, most)) => Err(format!("has {is} {what}; the most is {most}")),
        None => Ok(()),
    }
}

fn check_name(what: &str, name: &str) -> Verdict {
    let length = name.len();
    if length > MAX_NAME_LENGTH {
        let name = shorten(name);
        return Err(format!("{what} `{name}` has {length} bytes; the most is {MAX_NAME_LENGTH}"));
    }
    Ok(())
}

fn check_unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Verdict {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{what} `{}` is there twice", shorten(name)));
        }
    }
    Ok(())
}

fn check_names<'a>(what: &str, names: impl Iterator<Item = &'a str> + Clone) -> Verdict {
    names.clone().try_for_each(|name| check_name(what, name))?;
    check_unique(what, names)
}

fn check_fields(fields: &[Field]) -> Verdict {
    check_names("field", fields.iter().map(|field| field.name.as_str()))?;
    for field in fields {
        check_field(field).map_err(|what| format!("field `{}`: {what}", shorten(&field.name)))?;
    }
    Ok(())
}

fn check_field(field: &Field) -> Verdict {
    let kind = field.r#type;
    let is_ordered = matches!(kind, FieldType::Number | FieldType::Timestamp);
    if !is_ordered && (field.minimum.is_some() || field.maximum.is_some()) {
        return Err("`minimum` and `maximum` are for numbers and timestamps".to_owned());
    }
    match (field.minimum, field.maximum) {
        (Some(minimum), Some(maximum)) if minimum > maximum => {
            return Err(format!("`minimum` {minimum} is larger than `maximum` {maximum}"));
        }
        _ => {}
    }
    if field.on_range == OnRange::Clip && kind != FieldType::Number {
        return Err("`on_range` may be `clip` for numbers only".to_owned());
    }
    if let Some(pattern) = &field.pattern {
        if kind != FieldType::Text {
            return Err("`pattern` is for texts".to_owned());
        }
        let length = pattern.len();
        if length > MAX_PATTERN_LENGTH {
            return Err(format!("`pattern` has {length} bytes; the most is {MAX_PATTERN_LENGTH}"));
        }
    }
    if field.replacement.is_some() != (field.on_missing == OnMissing::Replace) {
        return Err("`replacement` belongs to `on_missing` = `replace`, and only there".to_owned());
    }
    if field.replacement.as_ref().is_some_and(|value| !is_of_type(value, kind)) {
        return Err("`replacement` has another type than the field".to_owned());
    }
    match &field.levels {
        Some(levels) if !levels.iter().all(|level| is_of_type(level, kind)) => {
            Err("`levels` have another type than the field".to_owned())
        }
        _ => Ok(()),
    }
}

fn is_of_type(value: &Value, kind: FieldType) -> bool {
    match kind {
        FieldType::Number => value.is_number(),
        FieldType::Text => value.is_string(),
        FieldType::Boolean => value.is_boolean(),
        FieldType::Timestamp => value.is_i64(),
        FieldType::Ignored => false,
    }
}

fn check_nodes(nodes: &[Node], fields: &[Field]) -> Verdict {
    check_names("node", nodes.iter().map(|node| node.name.as_str()))?;
    let types: HashMap<&str, FieldType> =
        fields.iter().map(|field| (field.name.as_str(), field.r#type)).collect();
    let mut earlier = HashSet::new();
    for node in nodes {
        let name = shorten(&node.name);
        if node.name.starts_with(FIELD) {
            return Err(format!("node `{name}`: no name of a node begins with `{FIELD}`"));
        }
        for input in &node.inputs {
            let fault = match input.strip_prefix(FIELD).map(|field| types.get(field)) {
                None if earlier.contains(input.as_str()) => continue,
                None => "is not an earlier node",
                Some(None) => "is not among the inputs of the schema",
                Some(Some(FieldType::Ignored)) => "is declared as ignored",
                Some(Some(_)) => continue,
            };
            return Err(format!("node `{name}`: its input `{}` {fault}", shorten(input)));
        }
        earlier.insert(node.name.as_str());
    }
    Ok(())
}

fn check_outputs(outputs: &[Output], nodes: &[Node]) -> Verdict {
    if outputs.is_empty() {
        return Err("there are no outputs; a model has at least one".to_owned());
    }
    check_names("output", outputs.iter().map(|output| output.name.as_str()))?;
    let nodes: HashSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    for output in outputs {
        check_output(output, &nodes)
            .map_err(|what| format!("output `{}`: {what}", shorten(&output.name)))?;
    }
    let is_features = |output: &&Output| output.kind == OutputKind::Features;
    let others = outputs.iter().filter(|output| !is_features(output));
    let features = outputs.iter().filter(is_features).flat_map(|output| &output.names);
    let names = features.flatten().filter_map(Value::as_str);
    // Features are outputs of their own. Their names hold levels of columns, so they may be long.
    check_unique("output", others.map(|output| output.name.as_str()).chain(names))
}

fn check_output(output: &Output, nodes: &HashSet<&str>) -> Verdict {
    if !nodes.contains(output.node.as_str()) {
        return Err(format!("there is no node `{}`", shorten(&output.node)));
    }
    if !(output.tolerance >= 0.0 && output.tolerance.is_finite()) {
        return Err(format!("`tolerance` is {}; it must be 0 or more", output.tolerance));
    }
    let has = (output.levels.is_some(), output.names.is_some());
    let (wanted, what) = match output.kind {
        OutputKind::Label => ((true, false), "a label has `levels`, and `names` is null"),
        OutputKind::Number => ((false, false), "`levels` and `names` of a number are null"),
        OutputKind::Numbers => ((false, true), "numbers have `names`, and `levels` is null"),
        OutputKind::Features => ((false, true), "features have `names`, and `levels` is null"),
    };
    if has != wanted {
        return Err(what.to_owned());
    }
    let mut labels = HashSet::new();
    for label in output.levels.iter().chain(&output.names).flatten() {
        let is_allowed = match output.kind {
            OutputKind::Features => label.is_string(),
            _ => label.is_string() || label.is_number() || label.is_boolean(),
        };
        if !is_allowed {
            return Err("one of its `levels` or `names` has a wrong type".to_owned());
        }
        if !labels.insert(label) {
            let label = shorten(&label.to_string());
            return Err(format!("`{label}` is twice among its `levels` or `names`"));
        }
    }
    Ok(())
}

fn check_operators(manifest: &Manifest) -> Verdict {
    let nodes = &manifest.graph.nodes;
    let used: BTreeSet<&str> = nodes.iter().map(|node| node.operator.as_str()).collect();
    let listed: BTreeSet<&str> = manifest.operators.keys().map(String::as_str).collect();
    if let Some(name) = used.difference(&listed).next() {
        return Err(format!("`operators` must list `{}`: a node uses it", shorten(name)));
    }
    match listed.difference(&used).next() {
        Some(name) => Err(format!("`operators` lists `{}`: no node uses it", shorten(name))),
        None => Ok(()),
    }
}

fn check_entries(manifest: &Manifest) -> Verdict {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    for (name, entry) in &manifest.entries {
        if entry.sha256.len() != 64 || !entry.sha256.bytes().all(is_digit) {
            let name = shorten(name);
            return Err(format!("the `sha256` of `{name}` must be 64 lower-case hex digits"));
        }
    }
    Ok(())
}
