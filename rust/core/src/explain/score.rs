//! Which node of a graph is explained: the one raw score that all answers are made from.

use crate::manifest::{Manifest, Node};
use std::collections::HashMap;

/// Operators whose sums can be credited to inputs.
const SCORES: &[&str] = &["linear", "linear_f32", "trees"];

/// Operators that turn raw scores into answers.
const LINKS: &[&str] = &[
    "above",
    "argmax",
    "arithmetic",
    "clip",
    "complement",
    "concat",
    "link",
    "map",
    "products",
    "proportion",
    "select",
    "sigmoid_f32",
    "softmax",
];

/// What a value is made from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Source<'a> {
    Inputs,
    /// This raw score and nothing else.
    Score(&'a str),
    /// Several things, first at this node.
    Mixed(&'a Node),
}

/// The name of the node, or why there is none.
pub fn find(manifest: &Manifest) -> Result<&str, String> {
    let mut sources: HashMap<&str, Source<'_>> = HashMap::new();
    for node in &manifest.graph.nodes {
        let source = source(node, &sources);
        sources.insert(&node.name, source);
    }
    let mut found: Option<&str> = None;
    for output in &manifest.schema.outputs {
        let name = &output.name;
        match (sources.get(output.node.as_str()), found) {
            (Some(Source::Score(score)), None) => found = Some(score),
            (Some(Source::Score(score)), Some(other)) if *score == other => {}
            (Some(Source::Score(score)), Some(other)) => {
                return Err(format!("it answers with several models: `{other}` and `{score}`"));
            }
            (Some(Source::Mixed(node)), _) => {
                let (node, operator) = (&node.name, &node.operator);
                return Err(format!(
                    "output `{name}` comes from more than one raw score, by way of node `{node}` \
                     (operator `{operator}`)"
                ));
            }
            _ => return Err(format!("output `{name}` comes from no trees and no linear model")),
        }
    }
    found.ok_or_else(|| "it answers nothing".to_owned())
}

fn source<'a>(node: &'a Node, known: &HashMap<&str, Source<'a>>) -> Source<'a> {
    if SCORES.contains(&node.operator.as_str()) {
        return Source::Score(&node.name);
    }
    let mut inputs = node.inputs.iter().map(|input| match input.strip_prefix("field:") {
        Some(_) => Source::Inputs,
        None => known.get(input.as_str()).copied().unwrap_or(Source::Inputs),
    });
    let Some(first) = inputs.next() else { return Source::Inputs };
    let mixed = inputs.clone().find(|input| matches!(input, Source::Mixed(_)));
    match (first, mixed) {
        (Source::Mixed(_), _) => first,
        (_, Some(mixed)) => mixed,
        (Source::Inputs, None) if inputs.all(|other| other == first) => first,
        (Source::Score(_), None)
            if inputs.all(|other| other == first) && LINKS.contains(&node.operator.as_str()) =>
        {
            first
        }
        _ => Source::Mixed(node),
    }
}
