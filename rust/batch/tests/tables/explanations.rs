use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::Array;
use penstock_batch::answers::With;
use penstock_batch::csv;
use penstock_batch::parallel::{self, Wish};
use penstock_core::archive::{self, Entries};
use penstock_core::explain::Explainer;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

const WISH: Wish = Wish { threads: 1, warnings: false };

/// Two scores of the inputs `x` and `b_x`: `0.5 + x - 2 b_x` and `3 x`; both inputs were 1 on average.
fn explainer(scores: [&str; 2]) -> Explainer {
    let values: [(&str, &[usize], &[f64]); 3] = [
        ("centers", &[2, 2], &[1.0, -2.0, 3.0, 0.0]),
        ("coefficients", &[2, 2], &[1.0, -2.0, 3.0, 0.0]),
        ("intercepts", &[2], &[0.5, 0.0]),
    ];
    let (mut header, mut data) = (json!({}), Vec::new());
    for (name, shape, values) in values {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let offsets = [start, data.len()];
        header[name] = json!({"dtype": "F64", "shape": shape, "data_offsets": offsets});
    }
    let header = header.to_string().into_bytes();
    let tensors = [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat();
    let examples = br#"{"expected":[],"rows":[]}"#.to_vec();
    let manifest =
        manifest(scores, [("tensors.safetensors", &tensors), ("examples.json", &examples)]);
    let manifest = format!("{manifest:#}\n").into_bytes();
    let entries = Entries { manifest, tensors, examples, card: Vec::new(), signature: None };
    Explainer::open(&archive::write(&entries)).expect("can be explained")
}

fn manifest(scores: [&str; 2], entries: [(&str, &[u8]); 2]) -> Value {
    let mut manifest = json!({
        "format": 1, "min_reader": 1, "name": "scores", "version": "1",
        "schema": {
            "inputs": [field("x"), field("b_x")],
            "outputs": [{
                "name": "score", "kind": "numbers", "node": "sum", "levels": null,
                "names": scores, "tolerance": 0.0,
            }],
        },
        "graph": {"nodes": [
            {"name": "all", "operator": "concat", "inputs": ["field:x", "field:b_x"], "fields": {}},
            {"name": "sum", "operator": "linear", "inputs": ["all"], "fields": {
                "centers": {"tensor": "centers"},
                "coefficients": {"tensor": "coefficients"},
                "intercepts": {"tensor": "intercepts"},
            }},
        ]},
        "operators": {"concat": 1, "linear": 1},
        "entries": {},
        "provenance": {},
        "baseline": {},
    });
    for (name, bytes) in entries.into_iter().chain([("card.md", [].as_slice())]) {
        let sha256 = Sha256::digest(bytes);
        let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        manifest["entries"][name] = json!({"sha256": sha256, "size": bytes.len()});
    }
    manifest
}

fn field(name: &str) -> Value {
    json!({
        "name": name, "type": "number", "precision": "f64", "on_missing": "allow",
        "replacement": null, "on_invalid": "refuse", "minimum": null, "maximum": null,
        "pattern": null, "infinite": "allow", "on_range": "refuse", "levels": null,
        "on_unseen": "allow",
    })
}

#[test]
fn explanations_are_the_same_columns_on_any_number_of_threads() {
    let explainer = explainer(["a", "c"]);
    let text = format!("x,b_x\n{}", "3,1.5\n0,0\n1,oops\n".repeat(300));
    let columns = csv::columns(text.as_bytes()).expect("is CSV");
    let table = columns.table(explainer.plan()).expect("has the columns of the model");
    let explained = |threads| {
        let wish = Wish { threads, ..WISH };
        let answers = parallel::explain(&explainer, &table, 1, wish).expect("has no name twice");
        let with = With { errors: true, warnings: false };
        answers.record_batch(explainer.plan(), with).expect("is a batch")
    };
    let batch = explained(1);
    assert_eq!(batch, explained(3));
    let schema = batch.schema();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let of = |class: &str| {
        let names = ["base_?", "contribution_?_x", "contribution_?_b_x", "raw_?"];
        let reasons = ["reason_?_1", "reason_?_1_value", "reason_?_1_contribution"];
        [names.as_slice(), &reasons]
            .concat()
            .into_iter()
            .map(|name| name.replace('?', class))
            .collect()
    };
    let expected: [Vec<String>; 3] = [of("a"), of("c"), vec!["error".to_owned()]];
    assert_eq!(names, expected.concat());
    let number = |at: usize| batch.column(at).as_primitive::<Float64Type>().value(3);
    assert_eq!([0, 1, 2, 3, 6].map(number), [-0.5, 2.0, -1.0, 0.5, 2.0]);
    let text = |at: usize| batch.column(at).as_string::<i32>().value(3);
    assert_eq!([text(4), text(5)], ["x", "3"]);
    assert!(batch.columns()[..14].iter().all(|column| column.is_null(899)));
    assert!(batch.column(14).is_valid(899));
}

#[test]
fn explanations_with_a_name_twice_are_refused() {
    let explainer = explainer(["a", "a_b"]);
    let columns = csv::columns(b"x,b_x\n3,1.5\n").expect("is CSV");
    let table = columns.table(explainer.plan()).expect("has the columns of the model");
    let error = parallel::explain(&explainer, &table, 0, WISH).err().expect("is refused");
    assert_eq!(
        error.0,
        "two columns of the explanations would have the name `contribution_a_b_x`; send a list of rows"
    );
}
