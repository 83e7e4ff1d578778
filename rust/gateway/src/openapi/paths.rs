//! The paths of the document: what is asked of a model, and what is served beside all models.

use super::problems::{references, PREDICTING, READING};
use super::{reference, Told};
use crate::forms::Form;
use serde_json::{json, Map, Value};

const OPTIONS: &str = "Options stand beside `rows` in the body, or in the query, where `on_error=return` \
    works as well: rows that are refused are then answered by their error and do not fail the request.";

/// Paths of a model.
pub fn of_model(told: &Told<'_>, row: &Value, prediction: &Value) -> Map<String, Value> {
    let path = format!("/v1/models/{}", segment(told.name));
    let object = || json!({"application/json": {"schema": {"type": "object"}}});
    let summary = format!("Schema, versions, card and digest of `{}`", told.name);
    let described = get(told.name, &summary, object(), &READING);
    let summary = format!("This document, of `{}` alone", told.name);
    let mut document = get(told.name, &summary, object(), &[&READING[..], &[400]].concat());
    let versions: Vec<_> = told.versions.iter().map(|version| version.name.as_str()).collect();
    let version = json!({"type": "string", "enum": versions});
    document["get"]["parameters"] =
        json!([query("version", "Tell of this version alone.", version)]);
    Map::from_iter([
        (format!("{path}/predict"), json!({"post": predict(told, row, prediction)})),
        (format!("{path}/openapi.json"), document),
        (path, described),
    ])
}

fn predict(told: &Told<'_>, row: &Value, prediction: &Value) -> Value {
    let mut responses = references(&PREDICTING);
    let answer = answer(prediction);
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "Predictions, in the form of the rows unless `Accept` asks for another.",
            "headers": {"penstock-version": {
                "description": "The version that answered; several where rows are split between versions.",
                "schema": {"type": "string"},
            }},
            "content": in_all_forms(answer, "One object or error a line."),
        }),
    );
    json!({
        "summary": format!("Predict rows with `{}`", told.name),
        "description": OPTIONS,
        "operationId": format!("predict_{}", told.name),
        "tags": [told.name],
        "parameters": parameters(told),
        "requestBody": {
            "required": true,
            "content": in_all_forms(body(told, row), "One row as an object a line; answered as they come."),
        },
        "responses": responses,
    })
}

/// Rows or answers under each media type; JSON has a schema, the others are told in words.
fn in_all_forms(schema: Value, lines: &str) -> Value {
    let text =
        |description: &str| json!({"schema": {"type": "string", "description": description}});
    let mut csv = text("Names in the first line, then a line for each row (RFC 4180).");
    csv["schema"]["minLength"] = json!(1);
    let forms = [
        (Form::Json, json!({"schema": schema})),
        (Form::Lines, text(lines)),
        (Form::Csv, csv),
        (Form::Arrow, json!({"schema": {"description": "A stream of Arrow record batches."}})),
    ];
    forms.into_iter().map(|(form, content)| (form.media_type().to_owned(), content)).collect()
}

/// Each form that a JSON body can have.
fn body(told: &Told<'_>, row: &Value) -> Value {
    let list = json!({"type": "array", "items": row});
    let mut forms = vec![row.clone(), list.clone()];
    let inputs =
        |version: &&crate::catalog::Version| version.loaded.model.plan.position("rows").is_some();
    if !told.versions.iter().any(inputs) {
        let any_row = json!({"type": "array", "items": {"type": "object"}});
        forms.push(batch(told, list, json!({"enum": ["raise", null]}), &["rows"]));
        forms.push(batch(told, any_row, json!({"const": "return"}), &["rows", "on_error"]));
    }
    json!({"anyOf": forms})
}

fn batch(told: &Told<'_>, rows: Value, on_error: Value, required: &[&str]) -> Value {
    let versions = told.versions.iter().map(|version| json!(version.name));
    let mut properties = json!({
        "rows": rows,
        "version": {"enum": versions.chain([Value::Null]).collect::<Vec<_>>()},
        "on_error": on_error,
        "fields": {"type": ["array", "null"], "items": {"type": "string"}, "description": FIELDS},
        "warnings": {"type": ["boolean", "null"], "description": WARNINGS},
    });
    if explains(told) {
        properties["explain"] = json!({"type": ["integer", "null"], "minimum": 0, "maximum": u64::MAX, "description": EXPLAIN});
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

const EXPLAIN: &str =
    "Number of reasons; 0 for the contributions of all inputs without a choice of reasons.";
const FIELDS: &str = "Columns that are sent back beside the predictions, inputs or not.";
const WARNINGS: &str = "Tell of values that were accepted, but changed or unknown to the model.";

fn parameters(told: &Told<'_>) -> Vec<Value> {
    let versions: Vec<_> = told.versions.iter().map(|version| version.name.as_str()).collect();
    let mut parameters = vec![
        query(
            "version",
            "The version that is to answer.",
            json!({"type": "string", "enum": versions}),
        ),
        query("fields", FIELDS, json!({"type": "array", "items": {"type": "string"}})),
        query("warnings", WARNINGS, json!({"enum": ["true", "false", "1", "0", ""]})),
    ];
    if explains(told) {
        let count = json!({"type": "integer", "minimum": 0, "maximum": u64::MAX});
        parameters.push(query("explain", EXPLAIN, count));
    }
    parameters
}

fn query(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema, "explode": false})
}

/// Whether every version can tell reasons.
fn explains(told: &Told<'_>) -> bool {
    told.versions.iter().all(|version| version.loaded.explainer().is_ok())
}

fn answer(prediction: &Value) -> Value {
    let refused = json!({
        "type": "object",
        "properties": {"error": reference("Error")},
        "required": ["error"],
    });
    let predictions = json!({"type": "array", "items": {"anyOf": [prediction, refused]}});
    let batch = json!({
        "type": "object",
        "properties": {"predictions": predictions},
        "required": ["predictions"],
    });
    json!({"anyOf": [prediction, batch]})
}

/// Paths that are there whatever is served.
pub fn common() -> Map<String, Value> {
    let object = || json!({"application/json": {"schema": {"type": "object"}}});
    let text = || json!({"text/plain": {"schema": {"type": "string"}}});
    let paths = [
        ("/v1/models", "Names and versions of all models", object(), &READING),
        ("/v1/status", "How the last load of the folder went", object(), &READING),
        ("/openapi.json", "This document", object(), &READING),
        ("/livez", "The process answers", text(), &READING),
        ("/readyz", "Requests may be sent", text(), &READING),
    ];
    let tell = |(path, summary, content, statuses): (&str, &str, Value, &[u16; 7])| {
        (path.to_owned(), get("gateway", summary, content, statuses))
    };
    paths.into_iter().map(tell).collect()
}

fn get(tag: &str, summary: &str, content: Value, statuses: &[u16]) -> Value {
    let mut responses = references(statuses);
    responses.insert("200".to_owned(), json!({"description": summary, "content": content}));
    json!({"get": {"summary": summary, "tags": [tag], "responses": responses}})
}

/// A name as it stands in a URL.
fn segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect()
}
