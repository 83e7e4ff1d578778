//! What comes by the protocols of other servers is seen as what comes by `/v1` is.

use crate::tongues::{call, message, TONGUES};
use crate::world::{Answer, Folder, World};
use prost::Message;
use serde_json::{json, Value};
use std::fs;

/// So many rows, among them ones with values that are missing, unseen and out of range.
fn rows(count: usize) -> Vec<Value> {
    let row = |at: usize| {
        let carrier = [json!("UA"), json!("never seen"), Value::Null, json!("AA")][at % 4].clone();
        let distance = [json!(1400.5), json!(-1.0), json!(300.25)][at % 3].clone();
        json!({"carrier": carrier, "distance": distance, "hour": at % 24})
    };
    (0..count).map(row).collect()
}

fn by_v1(world: &World, rows: &[Value]) -> Answer {
    match rows {
        [row] => world.predict(row),
        rows => world.predict(json!(rows)),
    }
}

/// All that is counted of versions and routes, without how long it took.
fn counts(world: &World) -> Vec<String> {
    let page = world.get("/metrics").text;
    let kinds = ["requests", "rows", "refused_rows", "errors", "warnings"];
    let kinds = kinds.map(|kind| format!("penstock_{kind}_total{{route=\"late\""));
    let is_count = |line: &&str| {
        let is_duration = line.contains("_duration_seconds_count{route=\"late\"");
        is_duration || kinds.iter().any(|kind| line.starts_with(kind))
    };
    page.lines().filter(is_count).map(str::to_owned).collect()
}

/// What is told of the values of inputs and outputs, but not since when.
fn drift(world: &World) -> Value {
    let versions = world.get("/v1/models/late/drift").json()["versions"].clone();
    let windows = versions.as_array().unwrap().iter().flat_map(|one| one["windows"].as_array());
    windows.flatten().map(|window| json!([window["inputs"], window["outputs"]])).collect()
}

fn captured(world: &World) -> Vec<Value> {
    world.gateway.seeing.close();
    let files = fs::read_dir(world.folder.0.join("captured")).unwrap();
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let texts: String = texts.collect();
    texts.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_count_as_those_of_v1_in_every_protocol_and_number() {
    for count in [0, 1, 3, 200, 6_000] {
        let (expected, rows) = (World::new(), rows(count));
        assert_eq!(by_v1(&expected, &rows).status, 200);
        for tongue in &TONGUES {
            let world = World::new();
            let answer = (tongue.ask)(&world, &rows);
            let name = format!("{count} by {}", tongue.name);
            assert_eq!(answer.status, 200, "{name}: {}", answer.text);
            assert_eq!(answer.header("penstock-version"), "1", "{name}");
            assert_eq!((tongue.read)(&answer).1.unwrap_or("1".to_owned()), "1", "{name}");
            assert_eq!(counts(&world), counts(&expected), "{name}");
            assert_eq!(drift(&world), drift(&expected), "{name}");
        }
    }
}

#[test]
fn requests_are_captured_with_their_names_values_and_answers() {
    let world = || {
        let folder = Folder::new();
        folder.route(json!({"capture": {"share": 1, "omit": ["hour"]}}));
        let target = folder.0.join("captured").to_str().unwrap().to_owned();
        folder.start(&["--capture", &target])
    };
    for rows in [rows(1), rows(5)] {
        let expected = world();
        by_v1(&expected, &rows);
        let expected = captured(&expected).remove(0);
        assert_eq!(expected["captured"].as_array().unwrap().len(), rows.len());
        for tongue in &TONGUES {
            let world = world();
            let answer = (tongue.ask)(&world, &rows);
            let [line] = &captured(&world)[..] else { panic!("not one line: {}", tongue.name) };
            assert_eq!(line["request_id"], answer.header("x-request-id"));
            for key in ["route", "version", "digest", "rows", "refused", "captured"] {
                assert_eq!(line[key], expected[key], "{key} by {}", tongue.name);
            }
        }
    }
}

#[test]
fn shadows_get_a_copy() {
    for tongue in &TONGUES {
        let folder = Folder::new();
        folder.variant("shadow.penstock", |manifest| manifest["version"] = json!("2"));
        folder.route(json!({"shadows": [{"artifact": "shadow.penstock"}]}));
        let world = folder.start(&[]);
        (tongue.ask)(&world, &rows(1));
        (tongue.ask)(&world, &rows(7));
        let sample = |name: &str| format!("penstock_shadow_{name}{{route=\"late\",version=\"2\"}}");
        world.await_metric(&sample("same_labels_total"), 8.0);
        assert_eq!(world.metric(&sample("requests_total")), 2.0, "{}", tongue.name);
    }
}

/// A route with two versions, one of which has `change`, and an input that decides between them.
fn sticky(change: impl FnOnce(&mut Value)) -> World {
    let folder = Folder::new();
    folder.variant("other.penstock", |manifest| {
        manifest["version"] = json!("2");
        change(manifest);
    });
    let versions = json!([{"artifact": "golden.penstock"}, {"artifact": "other.penstock"}]);
    folder.route(json!({"versions": versions, "sticky": {"input": "hour"}}));
    folder.start(&[])
}

/// Late where the golden model says on time; the inputs have another order.
fn contrary(manifest: &mut Value) {
    manifest["schema"]["outputs"][0]["levels"] = json!(["on time", "late"]);
    manifest["schema"]["inputs"].as_array_mut().unwrap().reverse();
}

#[test]
fn a_sticky_input_gives_each_row_the_version_and_the_answer_that_it_has_by_v1() {
    let rows = rows(48);
    let world = sticky(contrary);
    let alone: Vec<_> = rows.iter().map(|row| world.predict(row)).collect();
    let version = |answer: &Answer| answer.header("penstock-version").to_owned();
    let labels: Vec<_> = alone.iter().map(|answer| answer.json()["label"].clone()).collect();
    let firsts = alone.iter().filter(|answer| version(answer) == "1").count();
    assert!((10..38).contains(&firsts), "{firsts}");
    let both = version(&by_v1(&world, &rows));
    assert_eq!(both.len(), "1, 2".len());
    for tongue in &TONGUES {
        for (row, expected) in rows.iter().zip(&alone) {
            let answer = (tongue.ask)(&world, std::slice::from_ref(row));
            assert_eq!(version(&answer), version(expected), "{row} by {}", tongue.name);
            let (found, told) = (tongue.read)(&answer);
            assert_eq!(json!(found[0]), expected.json()["label"], "{row} by {}", tongue.name);
            assert_eq!(told.unwrap_or(version(expected)), version(expected));
        }
        let seen = |version: usize| {
            let labels = format!("{{route=\"late\",version=\"{version}\",role=\"live\"}}");
            world.metric(&format!("penstock_rows_total{labels}"))
        };
        let before = [seen(1), seen(2)];
        let answer = (tongue.ask)(&world, &rows);
        assert_eq!(version(&answer), both, "{}", tongue.name);
        let (found, told) = (tongue.read)(&answer);
        assert_eq!(json!(found), json!(labels), "{}", tongue.name);
        assert_eq!(told.unwrap_or(both.clone()), both);
        let counted = [seen(1) - before[0], seen(2) - before[1]];
        assert_eq!(counted, [firsts as f64, (rows.len() - firsts) as f64], "{}", tongue.name);
    }
}

#[test]
fn a_version_that_is_named_counts_more_than_a_sticky_input() {
    let world = sticky(contrary);
    let body = json!({"inputs": [
        {"name": "carrier", "datatype": "BYTES", "shape": [3], "data": ["UA", "AA", "B6"]},
        {"name": "distance", "datatype": "FP64", "shape": [3], "data": [1, 2, 3]},
        {"name": "hour", "datatype": "FP64", "shape": [3], "data": [1, 2, 3]},
    ]});
    let answer = world.post("/v2/models/late/versions/2/infer", body.to_string());
    assert_eq!(answer.header("penstock-version"), "2");
    assert_eq!(answer.json()["model_version"], "2");
}

#[test]
fn outputs_that_cannot_be_one_are_refused_and_others_are_answered() {
    let world = sticky(|manifest| {
        manifest["schema"]["outputs"][1]["names"] = json!(["on time", "late"]);
    });
    let body = |output: &str| {
        json!({"dataframe_records": rows(24), "params": {"output": output}}).to_string()
    };
    let refused = world.post("/invocations", body("probability"));
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("unsupported")));
    assert_eq!(world.post("/invocations", body("label")).status, 200);
}

fn refused(code: &str, version: &str) -> String {
    format!("penstock_errors_total{{route=\"late\",version=\"{version}\",code=\"{code}\"}}")
}

#[test]
fn a_row_that_is_refused_counts_with_its_code_and_no_row_does() {
    for count in [1, 5, 100] {
        let mut rows = rows(count);
        rows[count / 2]["hour"] = json!("Infinity");
        let expected = World::new();
        let answer = by_v1(&expected, &rows);
        assert_eq!(answer.status, 422);
        let code = answer.json()["code"].as_str().unwrap().to_owned();
        for tongue in &TONGUES {
            let world = World::new();
            let answer = (tongue.ask)(&world, &rows);
            assert_eq!(world.metric(&refused(&code, "1")), 1.0, "{count} {}", tongue.name);
            assert_eq!(counts(&world), counts(&expected), "{count} by {}", tongue.name);
            assert_eq!(drift(&world), drift(&expected), "{count} by {}", tongue.name);
            assert_eq!(answer.header("penstock-version"), "");
        }
    }
}

#[test]
fn what_is_refused_is_told_in_the_form_of_the_protocol() {
    let world = World::new();
    let rest = world.post("/v2/models/late/infer", "{");
    assert_eq!((rest.status, rest.header("content-type")), (400, "application/json"));
    assert!(rest.json()["error"].is_string() && rest.json().get("request_id").is_none());
    let mut asked = message(&rows(1));
    asked.inputs.pop();
    let grpc = call(&world, &asked.encode_to_vec());
    assert_eq!((grpc.status, grpc.header("grpc-status"), grpc.text.as_str()), (200, "3", ""));
    let problem = world.post("/invocations", "{");
    assert_eq!(problem.header("content-type"), "application/problem+json");
    assert_eq!(problem.json()["request_id"], problem.header("x-request-id"));
}

#[test]
fn requests_that_reach_no_version_are_counted_where_they_ended() {
    let world = World::new();
    world.post("/v2/models/late/versions/7/infer", "{}");
    let asked = || message(&rows(1));
    let version = penstock_gateway::protocols::inference_grpc::ModelInferRequest {
        model_version: "7".to_owned(),
        ..asked()
    };
    call(&world, &version.encode_to_vec());
    assert_eq!(world.metric(&refused("unknown_version", "")), 2.0);
    world.post("/v2/models/other/infer", "{}");
    world.get("/v2/models/other");
    let mut model = asked();
    model.model_name = "other".to_owned();
    call(&world, &model.encode_to_vec());
    let nowhere = |code: &str| {
        world.metric(&format!("penstock_errors_total{{route=\"\",version=\"\",code=\"{code}\"}}"))
    };
    assert_eq!(nowhere("unknown_model"), 3.0);
    call(&world, b"\xff\xff\xff");
    assert_eq!(nowhere("malformed"), 1.0);
    world.post("/v2/models/late/infer", "{");
    world.post("/invocations", "{");
    assert_eq!(world.metric(&refused("malformed", "1")), 2.0);
}

#[test]
fn predictions_under_a_path_of_vertex_are_seen() {
    let folder = Folder::new();
    folder.route(json!({}));
    let world = folder.start(&["--vertex-predict-route", "/late:predict"]);
    let answer = world.post("/late:predict", json!({"instances": rows(3)}).to_string());
    assert_eq!((answer.status, answer.header("penstock-version")), (200, "1"), "{}", answer.text);
    let labels = "{route=\"late\",version=\"1\",role=\"live\"}";
    assert_eq!(world.metric(&format!("penstock_rows_total{labels}")), 3.0);
    let path = "http_request_method=\"POST\",http_route=\"/invocations\"";
    let counted = world.get("/metrics").text;
    assert!(counted.contains(path), "{counted}");
}
