//! Shadows answer copies of requests, and how they disagree is counted.

use crate::world::{Folder, World};
use serde_json::{json, Value};

const ROW: &str = r#"{"carrier":"UA","distance":1400,"hour":17}"#;

/// A model that says late where the golden one says on time.
fn contrary(manifest: &mut Value) {
    manifest["version"] = json!("2");
    let names = json!(["on time", "late"]);
    manifest["schema"]["outputs"][0]["levels"] = names.clone();
    manifest["schema"]["outputs"][1]["names"] = names;
}

fn world(change: impl FnOnce(&mut Value)) -> World {
    let folder = Folder::new();
    folder.variant("shadow.penstock", change);
    folder.route(json!({"shadows": [{"artifact": "shadow.penstock"}]}));
    folder.start(&[])
}

fn shadow(name: &str) -> String {
    format!("penstock_shadow_{name}{{route=\"late\",version=\"2\"}}")
}

#[test]
fn a_shadow_that_answers_otherwise_is_seen_in_labels_and_differences() {
    let world = world(contrary);
    let answer = world.predict(ROW).json();
    world.predict(format!("[{ROW},{ROW}]"));
    world.await_metric(&shadow("rows_total"), 3.0);
    assert_eq!(world.metric(&shadow("requests_total")), 2.0);
    world.await_metric(&shadow("different_labels_total"), 3.0);
    assert_eq!(world.metric(&shadow("same_labels_total")), 0.0);
    let late = answer["probability"]["late"].as_f64().unwrap();
    let sum = "penstock_shadow_difference_sum{route=\"late\",version=\"2\",output=\"probability\"}";
    // Both classes of three rows are as far apart as they are from each other.
    let expected = 6.0 * (2.0 * late - 1.0).abs();
    assert!((world.metric(sum) - expected).abs() < 1e-6);
}

#[test]
fn a_shadow_that_is_the_same_model_agrees_to_the_bit() {
    let world = world(|manifest| manifest["version"] = json!("2"));
    world.predict(format!("[{ROW},{{\"carrier\":\"never seen\"}}]"));
    world.await_metric(&shadow("same_labels_total"), 2.0);
    let zero = "penstock_shadow_difference_bucket{route=\"late\",version=\"2\",output=\"probability\",le=\"0\"}";
    world.await_metric(zero, 4.0);
}

#[test]
fn rows_that_only_the_shadow_refuses_fail_no_answer() {
    let world = world(|manifest| {
        manifest["version"] = json!("2");
        let inputs = manifest["schema"]["inputs"].as_array_mut().unwrap();
        let carrier = inputs.iter_mut().find(|input| input["name"] == "carrier").unwrap();
        carrier["on_unseen"] = json!("refuse");
    });
    assert_eq!(world.predict(r#"[{"carrier":"??"},{"carrier":"AA"}]"#).status, 200);
    world.await_metric(&shadow("rows_total"), 2.0);
    assert_eq!(world.metric(&shadow("refused_rows_total")), 1.0);
    assert_eq!(world.metric(&shadow("same_labels_total")), 1.0);
}

#[test]
fn a_shadow_with_other_inputs_is_given_those_that_it_knows() {
    let world = world(|manifest| {
        manifest["version"] = json!("2");
        // The order of the inputs is no part of what they mean.
        manifest["schema"]["inputs"].as_array_mut().unwrap().reverse();
    });
    world.predict(ROW);
    world.await_metric(&shadow("same_labels_total"), 1.0);
}

#[test]
fn a_shadow_has_drift_of_its_own() {
    let world = world(contrary);
    world.predict(ROW);
    world.await_metric(&shadow("rows_total"), 1.0);
    let versions = world.get("/v1/models/late/drift").json()["versions"].clone();
    assert_eq!((&versions[1]["role"], &versions[1]["version"]), (&json!("shadow"), &json!("2")));
    assert_eq!(versions[1]["windows"][0]["inputs"][0]["rows"], 1);
}
