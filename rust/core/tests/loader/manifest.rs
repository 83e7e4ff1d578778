//! The manifest: each rule is broken once, and the message says which.

use crate::world::{field, manifest, node, output};
use penstock_core::manifest::{FieldType, Manifest, OutputKind};
use serde_json::{json, Value};

fn parse(manifest: &Value) -> Result<Manifest, String> {
    Manifest::parse(manifest.to_string().as_bytes()).map_err(|error| error.0)
}

#[track_caller]
fn assert_refused(manifest: &Value, message: &str) {
    let is = parse(manifest).expect_err(message);
    assert!(is.contains(message), "{is:?} does not say {message:?}");
}

/// The valid manifest with the value at a JSON pointer replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut manifest = manifest();
    *manifest.pointer_mut(pointer).expect("there") = value;
    manifest
}

/// The valid manifest with another first field.
fn with_field(kind: &str, changes: Value) -> Value {
    let mut changed = field("age", kind);
    for (key, value) in changes.as_object().expect("an object") {
        changed[key] = value.clone();
    }
    with("/schema/inputs/0", changed)
}

/// The valid manifest with another only output.
fn with_output(kind: &str, levels: Value, names: Value) -> Value {
    let mut changed = output("value", kind, "sum");
    (changed["levels"], changed["names"]) = (levels, names);
    with("/schema/outputs", json!([changed]))
}

#[test]
fn a_valid_manifest_is_read() {
    let read = parse(&manifest()).expect("valid");
    assert_eq!((read.name.as_str(), read.version.as_str()), ("late", "1"));
    assert_eq!(read.schema.inputs[1].r#type, FieldType::Text);
    assert_eq!(read.schema.outputs[0].kind, OutputKind::Number);
    assert_eq!(read.graph.nodes[1].inputs, ["all"]);
    assert_eq!(read.provenance["source"]["library"], "scikit-learn");
}

#[test]
fn numbers_keep_every_bit() {
    let read =
        parse(&with_field("number", json!({"minimum": 5e-324, "maximum": 1.0000000180025095e-35})));
    let field = &read.expect("valid").schema.inputs[0];
    assert_eq!((field.minimum, field.maximum), (Some(5e-324), Some(1.0000000180025095e-35)));
}

#[test]
fn a_newer_reader_is_asked_for_before_unknown_keys_are_refused() {
    let mut newer = with("/min_reader", json!(2));
    newer["quantum"] = json!({});
    newer["schema"] = json!(7);
    assert_refused(&newer, "needs reader version 2; this reader has version 1; upgrade penstock");
    assert_refused(&with("/format", json!(2)), "has format 2; this reader knows format 1");
    assert_refused(&with("/format", json!(0)), "has format 0");
    assert_refused(&with("/min_reader", json!(-1)), "invalid value");
}

#[test]
fn unknown_and_absent_keys_are_refused() {
    for place in
        ["", "/schema", "/schema/inputs/0", "/schema/outputs/0", "/graph", "/graph/nodes/0"]
    {
        let mut surplus = manifest();
        surplus.pointer_mut(place).expect("there")["surplus"] = Value::Null;
        assert_refused(&surplus, "unknown field `surplus`");
        let keys = manifest();
        for key in keys.pointer(place).and_then(Value::as_object).expect("an object").keys() {
            let mut absent = manifest();
            let object = absent.pointer_mut(place).and_then(Value::as_object_mut);
            object.expect("an object").remove(key);
            assert_refused(&absent, &format!("missing field `{key}`"));
        }
    }
}

#[test]
fn duplicate_keys_are_refused_inside_free_form_parts_too() {
    let text = manifest().to_string().replace("\"library\"", "\"library\":1,\"library\"");
    let refused = Manifest::parse(text.as_bytes()).expect_err("duplicate").0;
    assert!(refused.contains("key `library` is there twice"), "{refused}");
}

#[test]
fn fields_that_contradict_themselves_are_refused() {
    let cases = [
        ("number", json!({"type": "vector"}), "unknown variant `vector`"),
        ("number", json!({"on_missing": "clip"}), "unknown variant `clip`"),
        (
            "number",
            json!({"minimum": 2.0, "maximum": 1.0}),
            "`minimum` 2 is larger than `maximum` 1",
        ),
        ("number", json!({"minimum": "-Infinity"}), "invalid type: string"),
        ("text", json!({"minimum": 2.0}), "`minimum` and `maximum` are for numbers and timestamps"),
        (
            "boolean",
            json!({"maximum": 2.0}),
            "`minimum` and `maximum` are for numbers and timestamps",
        ),
        ("timestamp", json!({"on_range": "clip"}), "`on_range` may be `clip` for numbers only"),
        ("number", json!({"pattern": "a"}), "`pattern` is for texts"),
        (
            "text",
            json!({"pattern": "a".repeat(1025)}),
            "`pattern` has 1025 bytes; the most is 1024",
        ),
        ("text", json!({"levels": ["a", 1]}), "`levels` have another type"),
        ("number", json!({"levels": [null]}), "`levels` have another type"),
        ("number", json!({"name": "n".repeat(1025)}), "has 1025 bytes; the most is 1024"),
        ("number", json!({"name": "carrier"}), "field `carrier` is there twice"),
    ];
    for (kind, changes, message) in cases {
        assert_refused(&with_field(kind, changes), message);
    }
}

#[test]
fn replacements_of_another_type_are_refused() {
    assert_refused(&with_field("number", json!({"replacement": 1})), "`replacement` belongs to");
    assert_refused(
        &with_field("number", json!({"on_missing": "replace"})),
        "`replacement` belongs to",
    );
    let cases = [
        ("number", json!("1")),
        ("number", json!(true)),
        ("text", json!(1)),
        ("boolean", json!(1)),
        ("timestamp", json!(1.5)),
        ("ignored", json!(1)),
    ];
    for (kind, replacement) in cases {
        let field = json!({"on_missing": "replace", "replacement": replacement});
        assert_refused(&with_field(kind, field), "`replacement` has another type than the field");
    }
}

#[test]
fn fields_of_every_type_with_fitting_policies_are_read() {
    let cases = [
        ("number", json!({"minimum": 0, "maximum": 1.5, "on_range": "clip", "precision": "f32"})),
        ("number", json!({"on_missing": "replace", "replacement": -1, "levels": [1, 2.5]})),
        (
            "text",
            json!({"on_missing": "replace", "replacement": "", "pattern": "[a-z]+", "levels": [""]}),
        ),
        ("boolean", json!({"on_missing": "replace", "replacement": false, "infinite": "refuse"})),
        ("timestamp", json!({"on_missing": "replace", "replacement": -5, "minimum": 0.0})),
    ];
    for (kind, changes) in cases {
        assert_eq!(parse(&with_field(kind, changes)).map(|_| ()), Ok(()));
    }
}

#[test]
fn nodes_read_earlier_nodes_and_fields_only() {
    let nodes = |nodes: &[Value]| {
        let mut changed = with("/graph/nodes", json!(nodes));
        changed["operators"] = json!({"concat": 1});
        changed
    };
    let sum = node("sum", "concat", &[]);
    let cases = [
        (
            nodes(&[node("a", "concat", &["sum"]), sum.clone()]),
            "node `a`: its input `sum` is not an earlier node",
        ),
        (
            nodes(&[node("a", "concat", &["a"]), sum.clone()]),
            "its input `a` is not an earlier node",
        ),
        (
            nodes(&[node("a", "concat", &["age"]), sum.clone()]),
            "its input `age` is not an earlier node",
        ),
        (
            nodes(&[node("a", "concat", &["field:x"]), sum.clone()]),
            "`field:x` is not among the inputs of the schema",
        ),
        (
            nodes(&[node("a", "concat", &["field:id"]), sum.clone()]),
            "`field:id` is declared as ignored",
        ),
        (
            nodes(&[node("field:a", "concat", &[]), sum.clone()]),
            "no name of a node begins with `field:`",
        ),
        (nodes(&[sum.clone(), sum]), "node `sum` is there twice"),
    ];
    for (manifest, message) in cases {
        assert_refused(&manifest, message);
    }
}

#[test]
fn operators_are_exactly_those_of_the_nodes() {
    assert_refused(&with("/operators", json!({"concat": 1})), "`operators` must list `linear`");
    let surplus = json!({"concat": 1, "linear": 1, "trees": 1});
    assert_refused(&with("/operators", surplus), "`operators` lists `trees`: no node uses it");
    assert_refused(&with("/operators/concat", json!(1.5)), "invalid type");
}

#[test]
fn outputs_are_consistent() {
    let cases = [
        (with("/schema/outputs", json!([])), "there are no outputs"),
        (with("/schema/outputs/0/node", json!("age")), "output `value`: there is no node `age`"),
        (
            with("/schema/outputs/0/tolerance", json!(-1e-9)),
            "`tolerance` is -0.000000001; it must be 0 or more",
        ),
        (with("/schema/outputs/0/tolerance", json!(null)), "invalid type: null"),
        (with_output("label", json!(null), json!(null)), "a label has `levels`"),
        (with_output("label", json!(["a"]), json!(["a"])), "a label has `levels`"),
        (
            with_output("number", json!(["a"]), json!(null)),
            "`levels` and `names` of a number are null",
        ),
        (with_output("numbers", json!(null), json!(null)), "numbers have `names`"),
        (with_output("features", json!([]), json!([])), "features have `names`"),
        (with_output("features", json!(null), json!([1])), "has a wrong type"),
        (with_output("label", json!([[1]]), json!(null)), "has a wrong type"),
        (with_output("label", json!(["a", "b", "a"]), json!(null)), "`\\\"a\\\"` is twice among"),
    ];
    for (manifest, message) in cases {
        assert_refused(&manifest, message);
    }
    let value = output("value", "number", "sum");
    assert_refused(
        &with("/schema/outputs", json!([value, value])),
        "output `value` is there twice",
    );
    let mut features = output("features", "features", "sum");
    features["names"] = json!(["value"]);
    assert_refused(
        &with("/schema/outputs", json!([value, features])),
        "output `value` is there twice",
    );
    for labels in [json!(["a", "b"]), json!([true, false]), json!([-1, 1]), json!([0.5, 1.5])] {
        assert!(parse(&with_output("label", labels.clone(), json!(null))).is_ok());
        assert!(parse(&with_output("numbers", json!(null), labels)).is_ok());
    }
}

#[test]
fn counts_beyond_the_budgets_are_refused() {
    let fields: Vec<Value> = (0..=20_000).map(|i| field(&i.to_string(), "number")).collect();
    assert_refused(&with("/schema/inputs", json!(fields)), "has 20001 fields; the most is 20000");
    let nodes: Vec<Value> = (0..=10_000).map(|i| node(&i.to_string(), "concat", &[])).collect();
    assert_refused(&with("/graph/nodes", json!(nodes)), "has 10001 nodes; the most is 10000");
    let outputs: Vec<Value> =
        (0..=1_000).map(|i| output(&i.to_string(), "number", "sum")).collect();
    assert_refused(&with("/schema/outputs", json!(outputs)), "has 1001 outputs; the most is 1000");
}

#[test]
fn the_widest_table_fits_the_budgets() {
    let fields: Vec<Value> =
        (0..20_000).map(|i| field(&format!("gene_{i:07}"), "number")).collect();
    let baseline: serde_json::Map<String, Value> = (0..20_000)
        .map(|i| {
            let quantiles = [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0];
            (
                format!("gene_{i:07}"),
                json!({"count": 1, "missing": 0, "mean": 0.5, "quantiles": quantiles}),
            )
        })
        .collect();
    let mut wide = with("/schema/inputs", json!(fields));
    wide["graph"]["nodes"] = json!([node("sum", "concat", &["field:gene_0000001"])]);
    wide["operators"] = json!({"concat": 1});
    wide["baseline"] = Value::Object(baseline);
    assert_eq!(parse(&wide).map(|_| ()), Ok(()));
}
