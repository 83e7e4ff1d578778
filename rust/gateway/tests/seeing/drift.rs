//! `/v1/models/{name}/drift` compares what was sent and answered with the example data.

use crate::world::{Folder, World};
use serde_json::{json, Value};

fn hour(world: &World) -> Value {
    let answer = world.get("/v1/models/late/drift").json();
    let windows = &answer["versions"][0]["windows"];
    assert_eq!((&windows[0]["window"], &windows[1]["window"]), (&json!("hour"), &json!("day")));
    windows[0].clone()
}

fn named<'a>(list: &'a Value, key: &str, name: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|entry| entry[key] == name).unwrap()
}

fn rows(carrier: &str, count: usize) -> String {
    let row = json!({"carrier": carrier, "distance": 700.5, "hour": 17}).to_string();
    format!("[{}]", vec![row; count].join(","))
}

/// The golden artifact with bins for its numbers and what it answers.
fn binned(manifest: &mut Value) {
    let baseline = &mut manifest["baseline"];
    baseline["hour"]["bins"] = json!({"edges": [-0.5, 11.5, 23.5], "counts": [0, 150, 150, 0]});
    baseline["output:label"] = json!({"count": 300, "missing": 0, "counts": [150, 150]});
    let bins = json!({"edges": [0.5], "counts": [150, 150]});
    let element = json!({"count": 300, "missing": 0, "bins": bins});
    baseline["output:probability"] = json!({"elements": [element, element]});
}

fn binned_world() -> World {
    let folder = Folder::new();
    folder.variant("golden.penstock", binned);
    folder.route(json!({}));
    folder.start(&[])
}

#[test]
fn values_as_in_the_example_do_not_move_the_index_and_others_do() {
    let world = binned_world();
    for (carrier, count) in [("UA", 68), ("Zürich", 59), ("AA", 53), ("B6", 51)] {
        world.predict(rows(carrier, count));
    }
    world.predict(format!("[{}]", vec![r#"{"distance":700.5,"hour":4}"#; 69].join(",")));
    let found = hour(&world);
    let carrier = named(&found["inputs"], "input", "carrier");
    assert!(carrier["psi"].as_f64().unwrap() < 1e-3, "{carrier}");
    assert_eq!(carrier["rows"], 300);
    let hours = named(&found["inputs"], "input", "hour");
    assert!(hours["psi"].as_f64().unwrap() > 0.25, "{hours}");
    let histogram = hours["histogram"].as_array().unwrap();
    let counts: Vec<_> = histogram.iter().map(|bin| bin["found"].as_u64().unwrap()).collect();
    assert_eq!(counts, [0, 69, 231, 0]);
    assert_eq!(histogram[1], json!({"from": -0.5, "below": 11.5, "baseline": 150, "found": 69}));
}

#[test]
fn missing_and_unseen_values_have_rates() {
    let world = World::new();
    let rows = r#"[{"carrier":"new"},{"carrier":null},{"carrier":"AA"},{}]"#;
    world.predict(rows);
    let found = hour(&world);
    let carrier = named(&found["inputs"], "input", "carrier");
    assert_eq!(carrier["unseen_level"], 0.25);
    assert_eq!(carrier["missing"], 0.25);
    assert_eq!(carrier["absent"], 0.25);
    assert_eq!(carrier["baseline_missing"], 0.23);
}

#[test]
fn a_single_row_and_a_batch_count_the_same() {
    let (single, batch) = (binned_world(), binned_world());
    for row in ["UA", "new", "B6"] {
        let row = rows(row, 1);
        single.predict(row.trim_matches(['[', ']']));
    }
    let list = ["UA", "new", "B6"].map(|carrier| rows(carrier, 1).replace(['[', ']'], ""));
    batch.predict(format!("[{}]", list.join(",")));
    let (mut single, mut batch) = (hour(&single), hour(&batch));
    single["seconds"] = json!(0);
    batch["seconds"] = json!(0);
    assert_eq!(single, batch);
}

#[test]
fn outputs_are_compared_with_what_was_answered_at_conversion() {
    let world = binned_world();
    world.predict(rows("UA", 100));
    let found = hour(&world);
    let label = named(&found["outputs"], "output", "label");
    assert!(label["psi"].as_f64().unwrap() > 0.25, "{label}");
    let levels: Vec<_> =
        label["histogram"].as_array().unwrap().iter().map(|bin| &bin["level"]).collect();
    assert_eq!(levels, ["late", "on time"]);
    let probability = named(&found["outputs"], "output", "probability");
    assert_eq!(probability["element"], "late");
    assert!(probability["psi"].as_f64().unwrap() > 0.25, "{probability}");
}

#[test]
fn an_artifact_without_counts_is_served_and_drift_says_what_is_lacking() {
    let world = World::new();
    world.predict(rows("UA", 10));
    let found = hour(&world);
    let distance = named(&found["inputs"], "input", "distance");
    assert_eq!(distance["psi"], Value::Null);
    assert!(distance["lacks"].as_str().unwrap().contains("convert the model again"));
    let counts = distance["histogram"].as_array().unwrap().iter();
    assert_eq!(counts.map(|bin| bin["found"].as_u64().unwrap()).sum::<u64>(), 10);
}

#[test]
fn a_baseline_that_makes_no_sense_harms_nothing() {
    let folder = Folder::new();
    folder.variant("golden.penstock", |manifest| {
        manifest["baseline"] = json!({
            "hour": {"bins": {"edges": [3.0, 1.0], "counts": [1]}, "missing": -4},
            "distance": {"bins": {"edges": "many"}, "quantiles": [1]},
            "carrier": {"levels": [["AA"], 7, [null, 3]], "count": u64::MAX, "missing": u64::MAX},
            "output:label": {"counts": [1, 2, 3, 4]},
            "output:probability": {"elements": 7},
        });
    });
    folder.route(json!({}));
    let world = folder.start(&[]);
    assert_eq!(world.predict(rows("UA", 3)).status, 200);
    let found = hour(&world);
    assert_eq!(named(&found["inputs"], "input", "hour")["psi"], Value::Null);
    assert_eq!(named(&found["outputs"], "output", "label")["psi"], Value::Null);
}

#[test]
fn a_request_that_is_refused_moves_nothing() {
    let world = World::new();
    world.predict(r#"[{"carrier":"AA"},{"hour":"x"}]"#);
    assert_eq!(named(&hour(&world)["inputs"], "input", "carrier")["rows"], 0);
}
