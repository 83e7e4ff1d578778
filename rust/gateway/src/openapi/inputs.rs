//! Rows of a model as JSON Schema, as exactly as it can tell what the model takes and what it refuses.

use super::levels::Levels;
use super::probing::{Examples, Probe};
use crate::catalog::Loaded;
use penstock_core::manifest::{Field, FieldType, OnInvalid, OnRange, Precision};
use serde_json::{json, Map, Value};

/// A row: its inputs by their names. `x-penstock-inputs` has the names in the order of the schema.
pub fn row(loaded: &Loaded) -> Value {
    let examples = Examples::new(loaded);
    let mut probe = Probe::new(loaded, &examples);
    let (mut properties, mut required, mut order) = (Map::new(), Vec::new(), Vec::new());
    for (at, field) in loaded.manifest.schema.inputs.iter().enumerate() {
        let input = Input { at, field, loaded, is_nullable: probe.takes_missing(at, field) };
        if !input.is_nullable && field.r#type != FieldType::Ignored {
            required.push(field.name.clone());
        }
        properties.insert(field.name.clone(), input.schema(&mut probe));
        order.push(field.name.clone());
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "examples": examples.shown,
        "x-penstock-inputs": order,
    })
}

/// The largest number that f32 does not round to infinity.
const LARGEST_F32: f64 = f64::from_bits(0x47ef_ffff_efff_ffff);

struct Input<'a> {
    at: usize,
    field: &'a Field,
    loaded: &'a Loaded,
    /// Whether it may be null or absent.
    is_nullable: bool,
}

impl Input<'_> {
    fn schema(&self, probe: &mut Probe<'_>) -> Value {
        let (r#type, alternatives) = match self.field.r#type {
            FieldType::Number => ("number", self.number(probe)),
            FieldType::Text => ("text", self.text()),
            FieldType::Boolean => ("boolean", self.boolean()),
            FieldType::Timestamp => ("timestamp", self.timestamp()),
            FieldType::Ignored => ("ignored", vec![json!({})]),
        };
        let mut schema = match <[Value; 1]>::try_from(alternatives) {
            Ok([Value::Object(only)]) => only,
            Ok([other]) => Map::from_iter([("anyOf".to_owned(), json!([other]))]),
            Err(several) => Map::from_iter([("anyOf".to_owned(), json!(several))]),
        };
        schema.insert("x-penstock-type".to_owned(), r#type.into());
        let seen = &self.loaded.manifest.baseline[&self.field.name];
        let is_time = self.field.r#type == FieldType::Timestamp;
        let ends = (seen["minimum"].as_f64(), seen["maximum"].as_f64());
        if let ((Some(minimum), Some(maximum)), false) = (ends, is_time) {
            schema.insert("x-penstock-seen".to_owned(), json!([minimum, maximum]));
        }
        let (minimum, maximum) = (self.field.minimum, self.field.maximum);
        if minimum.or(maximum).is_some() {
            schema.insert("x-penstock-range".to_owned(), json!([minimum, maximum]));
        }
        let notes = self.notes(seen);
        if !notes.is_empty() {
            schema.insert("description".to_owned(), notes.join(" ").into());
        }
        Value::Object(schema)
    }

    /// `type`, with null if the value may be missing.
    fn typed(&self, r#type: &str) -> Map<String, Value> {
        let value = match self.is_nullable {
            true => json!([r#type, "null"]),
            false => json!(r#type),
        };
        Map::from_iter([("type".to_owned(), value)])
    }

    fn number(&self, probe: &mut Probe<'_>) -> Vec<Value> {
        let field = self.field;
        let mut main = self.typed("number");
        let levels = Levels::numbers(self.loaded, field);
        if let Some(levels) = levels.closed(self.is_nullable) {
            main.insert("enum".to_owned(), levels);
        } else if !levels.is_empty() {
            main.insert("examples".to_owned(), levels.open());
        }
        let (minimum, maximum) = self.bounds(probe);
        let is_within =
            |x: f64| minimum.is_none_or(|low| x >= low) && maximum.is_none_or(|high| x <= high);
        for (key, bound) in [("minimum", minimum), ("maximum", maximum)] {
            main.extend(bound.map(|bound| (key.to_owned(), json!(bound))));
        }
        let mut alternatives = vec![Value::Object(main)];
        let takes = |x: f64| is_within(x) && levels.takes(x);
        match (takes(0.0), takes(1.0)) {
            (true, true) => alternatives.push(json!({"type": "boolean"})),
            (true, false) => alternatives.push(json!({"const": false})),
            (false, true) => alternatives.push(json!({"const": true})),
            (false, false) => {}
        }
        let mut spelled: Vec<&str> = Vec::new();
        if self.is_nullable {
            spelled.push("NaN");
        }
        for (text, x) in [("Infinity", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY)] {
            if probe.takes_number(self.at, field, x) {
                spelled.push(text);
            }
        }
        if !spelled.is_empty() {
            alternatives.push(json!({"enum": spelled}));
        }
        self.lenient(alternatives, json!({"not": {"type": ["number", "boolean"]}}))
    }

    /// What is refused beyond; what becomes missing or is clipped is not.
    fn bounds(&self, probe: &mut Probe<'_>) -> (Option<f64>, Option<f64>) {
        let field = self.field;
        let refuses = match field.on_range {
            OnRange::Refuse => true,
            OnRange::Missing => !self.is_nullable,
            OnRange::Clip => false,
        };
        let mut takes = |x: f64| probe.takes_number(self.at, field, x);
        let is_bounded =
            field.precision == Precision::F32 && !(takes(f64::MAX) && takes(-f64::MAX));
        let widest = is_bounded.then_some(LARGEST_F32);
        let (minimum, maximum) =
            if refuses { (field.minimum, field.maximum) } else { (None, None) };
        (minimum.or(widest.map(|x| -x)), maximum.or(widest))
    }

    fn text(&self) -> Vec<Value> {
        let mut main = self.typed("string");
        let levels = Levels::texts(self.loaded, self.at, self.field, self.is_nullable);
        if let Some(levels) = levels.closed(self.is_nullable) {
            main.insert("enum".to_owned(), levels);
        } else if !levels.is_empty() {
            main.insert("examples".to_owned(), levels.open());
        }
        let is_refused = self.field.on_range == OnRange::Refuse || !self.is_nullable;
        if let Some(pattern) = self.field.pattern.as_deref().filter(|_| is_refused) {
            main.insert("pattern".to_owned(), format!("^(?:{pattern})$").into());
        }
        self.lenient(vec![Value::Object(main)], json!({"not": {"type": "string"}}))
    }

    fn boolean(&self) -> Vec<Value> {
        let main = vec![Value::Object(self.typed("boolean")), json!({"enum": [0, 1]})];
        self.lenient(main, json!({"not": {"type": ["boolean", "number"]}}))
    }

    fn timestamp(&self) -> Vec<Value> {
        let mut time = self.typed("string");
        time.insert("pattern".to_owned(), TIME.into());
        self.lenient(vec![Value::Object(time)], json!({}))
    }

    /// Values of a wrong type that become missing are taken as well.
    fn lenient(&self, mut alternatives: Vec<Value>, others: Value) -> Vec<Value> {
        if self.field.on_invalid == OnInvalid::Missing && self.is_nullable {
            alternatives.push(others);
        }
        alternatives
    }

    /// In words, what JSON Schema cannot tell.
    fn notes(&self, seen: &Value) -> Vec<String> {
        let field = self.field;
        let mut notes = Vec::new();
        match field.r#type {
            FieldType::Ignored => notes.push("Never read.".to_owned()),
            FieldType::Timestamp => {
                notes.push("A time as ISO 8601; UTC if it names no zone.".to_owned());
            }
            _ => {}
        }
        let range = match (field.minimum, field.maximum) {
            (Some(low), Some(high)) => Some(format!("{low} to {high}")),
            (Some(low), None) => Some(format!("from {low}")),
            (None, Some(high)) => Some(format!("up to {high}")),
            (None, None) => None,
        };
        let becomes = match field.on_range {
            OnRange::Refuse => "is refused",
            OnRange::Missing => "becomes missing",
            OnRange::Clip => "is clipped",
        };
        if let Some(range) = range {
            let unit = if field.r#type == FieldType::Timestamp {
                " (microseconds since 1970 UTC)"
            } else {
                ""
            };
            notes.push(format!("Range {range}{unit}; what is outside {becomes}."));
        }
        if let (Some(low), Some(high)) = (seen["minimum"].as_f64(), seen["maximum"].as_f64()) {
            notes.push(format!("In training {low} to {high}."));
        }
        if let Some(replacement) = &field.replacement {
            notes.push(format!("Missing counts as {replacement}."));
        }
        notes
    }
}

/// ISO 8601 as the engine reads it: seconds, their digits and the zone may be left out, and so may the time of day. In
/// the years 1700 to 2249 every microsecond is a number that f64 holds; 29 February is left out, as it comes and goes.
const TIME: &str = "^(1[7-9][0-9]{2}|2[01][0-9]{2}|22[0-4][0-9])-\
    ((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))\
    ([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]+)?)?([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?$";
