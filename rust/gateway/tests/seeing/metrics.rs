//! `/metrics` counts what happened, once, under names that Prometheus understands.

use crate::world::{Folder, World};
use serde_json::{json, Value};
use std::collections::HashSet;

const ROW: &str = r#"{"carrier":"UA","distance":1400,"hour":17}"#;

#[test]
fn requests_rows_and_errors_are_counted_by_version() {
    let world = World::new();
    world.predict(ROW);
    world.predict(format!("[{ROW},{ROW}]"));
    world.predict(r#"{"carrier":"UA","hour":"late"}"#);
    world.predict("{");
    let sample = |name: &str, label: &str, value: &str| {
        world.metric(&format!("{name}{{route=\"late\",version=\"1\",{label}=\"{value}\"}}"))
    };
    assert_eq!(sample("penstock_requests_total", "status", "200"), 2.0);
    assert_eq!(sample("penstock_requests_total", "status", "422"), 1.0);
    assert_eq!(sample("penstock_requests_total", "status", "400"), 1.0);
    assert_eq!(sample("penstock_errors_total", "code", "invalid"), 1.0);
    assert_eq!(sample("penstock_errors_total", "code", "malformed"), 1.0);
    assert_eq!(sample("penstock_rows_total", "role", "live"), 3.0);
    let durations =
        "penstock_stage_duration_seconds_count{route=\"late\",version=\"1\",role=\"live\",stage=";
    for stage in ["parse", "predict", "write"] {
        assert_eq!(world.metric(&format!("{durations}\"{stage}\"}}")), 2.0);
    }
}

#[test]
fn requests_without_a_version_are_counted_where_they_ended() {
    let world = World::new();
    world.get("/nothing");
    world.get("/v1/models/other");
    let request = axum::http::Request::post("/v1/models/late/predict?version=7");
    world.ask(request.body(ROW.into()).unwrap());
    let none = "penstock_errors_total{route=\"\",version=\"\",code=";
    assert_eq!(world.metric(&format!("{none}\"unknown_path\"}}")), 1.0);
    assert_eq!(world.metric(&format!("{none}\"unknown_model\"}}")), 1.0);
    let some = "penstock_errors_total{route=\"late\",version=\"\",code=\"unknown_version\"}";
    assert_eq!(world.metric(some), 1.0);
}

#[test]
fn warnings_are_counted_whether_they_are_asked_for_or_not() {
    let world = World::new();
    world.predict(r#"[{"carrier":"??","distance":-1,"hour":null},{"carrier":"AA","hour":1}]"#);
    let warning = |field: &str, code: &str| {
        let labels = format!("role=\"live\",field=\"{field}\",code=\"{code}\"");
        world.metric(&format!("penstock_warnings_total{{route=\"late\",version=\"1\",{labels}}}"))
    };
    assert_eq!(warning("carrier", "unseen_level"), 1.0);
    assert_eq!(warning("distance", "out_of_range"), 1.0);
    assert_eq!(warning("distance", "absent"), 1.0);
    assert_eq!(warning("hour", "missing"), 1.0);
}

#[test]
fn rows_that_are_refused_among_others_are_counted_apart() {
    let world = World::new();
    let answer = world.predict(format!(r#"{{"on_error":"return","rows":[{ROW},{{"hour":"x"}}]}}"#));
    assert_eq!(answer.status, 200);
    let labels = "{route=\"late\",version=\"1\",role=\"live\"}";
    assert_eq!(world.metric(&format!("penstock_rows_total{labels}")), 2.0);
    assert_eq!(world.metric(&format!("penstock_refused_rows_total{labels}")), 1.0);
}

#[test]
fn counts_survive_a_reload_as_long_as_the_version_stays() {
    let world = World::new();
    world.predict(ROW);
    world.gateway.reload().unwrap();
    world.predict(ROW);
    let rows = "penstock_rows_total{route=\"late\",version=\"1\",role=\"live\"}";
    assert_eq!(world.metric(rows), 2.0);
    world.folder.variant("golden.penstock", |_| {});
    world.gateway.reload().unwrap();
    assert_eq!(world.metric(rows), 0.0);
}

#[test]
fn a_folder_that_cannot_be_loaded_is_seen() {
    let world = World::new();
    assert_eq!(world.metric("penstock_last_load_success"), 1.0);
    std::fs::write(world.folder.0.join("routes.json"), "{").unwrap();
    assert!(world.gateway.reload().is_err());
    assert_eq!(world.metric("penstock_last_load_success"), 0.0);
}

#[test]
fn every_family_is_described_once_and_every_sample_is_one_of_the_family_before() {
    let folder = Folder::new();
    folder.variant("other.penstock", |manifest| manifest["version"] = json!("\"2\"\n"));
    folder.route(json!({"shadows": [{"artifact": "other.penstock"}]}));
    let world = folder.start(&[]);
    world.predict(ROW);
    let page = world.get("/metrics");
    assert!(page.header("content-type").starts_with("text/plain; version=0.0.4"));
    let mut families = HashSet::new();
    let mut family = "";
    for line in page.text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap();
            assert!(families.insert(family), "{family} is there twice");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|ending| name.strip_suffix(ending))
                .filter(|base| families.contains(base))
                .unwrap_or(name);
            assert_eq!(base, family, "{line}");
            let value = line.rsplit(' ').next().unwrap();
            value.parse::<f64>().expect(line);
        }
    }
    assert!(page.text.contains("version=\"\\\"2\\\"\\n\""));
    for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"] {
        assert!(families.contains(name));
    }
}

const LIVE: &str = "{route=\"late\",version=\"1\",role=\"live\"}";

/// What is told of the values of inputs and outputs, but not since when.
fn values(world: &World) -> Vec<Value> {
    let mut drift = world.get("/v1/models/late/drift").json();
    let windows = drift["versions"][0]["windows"].as_array_mut().unwrap();
    windows
        .iter_mut()
        .flat_map(|window| [window["inputs"].take(), window["outputs"].take()])
        .collect()
}

/// Asks with a type, and tells what is counted after it: values, rows, and rows that were refused.
fn told(media_type: &str, body: String) -> (Vec<Value>, f64, f64) {
    let world = World::new();
    let request = axum::http::Request::post("/v1/models/late/predict?on_error=return");
    let request = request.header("content-type", media_type);
    assert_eq!(world.ask(request.body(body.into()).unwrap()).status, 200);
    let rows = world.metric(&format!("penstock_rows_total{LIVE}"));
    (values(&world), rows, world.metric(&format!("penstock_refused_rows_total{LIVE}")))
}

#[test]
fn rows_count_the_same_in_every_form_and_number() {
    let rows = |wrong: &str| {
        let row = |at: usize| match at {
            50 => format!("{{\"carrier\":\"UA\",\"hour\":{wrong}}}"),
            _ => format!("{{\"carrier\":\"UA\",\"distance\":{},\"hour\":{}}}", at * 10, at % 24),
        };
        (0..200).map(row).collect::<Vec<_>>()
    };
    let lines = told("application/x-ndjson", rows("\"x\"").join("\n"));
    assert_eq!((lines.1, lines.2), (200.0, 1.0));
    let list = told("application/json", format!("[{}]", rows("\"x\"").join(",")));
    assert_eq!(list, lines);
    let csv = |at: usize| match at {
        50 => "UA,,x\n".to_owned(),
        _ => format!("UA,{},{}\n", at * 10, at % 24),
    };
    let csv: String = (0..200).map(csv).collect();
    assert_eq!(told("text/csv", format!("carrier,distance,hour\n{csv}")), lines);
    // One after the other, as single rows are counted.
    let world = World::new();
    rows("\"x\"").iter().for_each(|row| drop(world.predict(row)));
    assert_eq!(values(&world), lines.0);
}

#[test]
fn a_batch_that_is_refused_counts_no_rows_whatever_its_form() {
    let world = World::new();
    let rows = format!("{},{{\"hour\":\"x\"}}", vec![ROW; 100].join(","));
    assert_eq!(world.predict(format!("[{rows}]")).status, 422);
    assert_eq!(world.metric(&format!("penstock_rows_total{LIVE}")), 0.0);
    let errors = "penstock_errors_total{route=\"late\",version=\"1\",code=\"invalid\"}";
    assert_eq!(world.metric(errors), 1.0);
}
