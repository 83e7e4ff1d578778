//! Captured requests are lines of JSON, without what is to be kept out, in files that stay few and small.

use crate::world::{Folder, World};
use serde_json::{json, Value};
use std::fs;
use std::path::Path;

fn world(entry: Value, options: &[&str]) -> World {
    let folder = Folder::new();
    folder.route(json!({"capture": entry}));
    let target = folder.0.join("captured");
    let target = target.to_str().unwrap().to_owned();
    let options: Vec<_> =
        ["--capture", &target].into_iter().chain(options.iter().copied()).collect();
    folder.start(&options)
}

/// All lines, in order, when everything is written.
fn lines(world: &World) -> Vec<Value> {
    world.gateway.seeing.close();
    let mut names: Vec<_> = files(&world.folder.0).map(|(path, _)| path).collect();
    names.sort();
    let texts: Vec<_> = names.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    texts.concat().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn files(folder: &Path) -> impl Iterator<Item = (std::path::PathBuf, u64)> {
    let entries = fs::read_dir(folder.join("captured")).unwrap();
    entries.map(|entry| {
        let entry = entry.unwrap();
        (entry.path(), entry.metadata().unwrap().len())
    })
}

#[test]
fn a_captured_request_has_its_name_its_version_its_rows_and_its_answers() {
    let world = world(json!({"share": 1}), &[]);
    let answer = world.predict(r#"{"carrier":"UA","distance":1400.5,"hour":null}"#);
    let [line] = &lines(&world)[..] else { panic!("not one line") };
    assert_eq!(line["request_id"], answer.header("x-request-id"));
    assert_eq!((&line["route"], &line["version"]), (&json!("late"), &json!("1")));
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
    let captured = &line["captured"][0];
    let inputs = json!({"carrier": "UA", "distance": 1400.5, "hour": null});
    assert_eq!(captured["inputs"], inputs);
    assert_eq!(captured["answer"], answer.json());
}

#[test]
fn a_stream_of_lines_is_captured_under_its_name() {
    let world = world(json!({"share": 1}), &[]);
    let request = axum::http::Request::post("/v1/models/late/predict");
    let request =
        request.header("content-type", "application/x-ndjson").header("x-request-id", "s-1");
    let body = "{\"hour\":1}\n{\"hour\":\"x\"}\n{\"hour\":3}\n";
    let answer = world.ask(request.body(body.into()).unwrap());
    let answers: Vec<Value> =
        answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [line] = &lines(&world)[..] else { panic!("not one line") };
    assert_eq!(line["request_id"], "s-1");
    let captured: Vec<_> =
        line["captured"].as_array().unwrap().iter().map(|row| &row["answer"]).collect();
    assert_eq!(captured, [&answers[0], &answers[2]]);
}

#[test]
fn what_is_omitted_or_hashed_is_in_no_file() {
    let entry = json!({"share": 1, "omit": ["distance"], "hash": ["carrier"]});
    let world = world(entry, &["--capture-salt", "pepper"]);
    world.predict(r#"[{"carrier":"secret-a","distance":98765},{"carrier":"secret-b"}]"#);
    world.predict(r#"{"carrier":"secret-a","hour":3}"#);
    let lines = lines(&world);
    let text = lines.iter().map(Value::to_string).collect::<String>();
    assert!(!text.contains("secret") && !text.contains("98765"), "{text}");
    assert!(lines[0]["captured"][0]["inputs"].get("distance").is_none());
    let hash = |line: usize, row: usize| &lines[line]["captured"][row]["inputs"]["carrier"];
    assert_eq!(hash(0, 0), hash(1, 0));
    assert_ne!(hash(0, 0), hash(0, 1));
    let digest = penstock_core::artifact::hash(b"pepper\"secret-a\"");
    assert_eq!(hash(0, 0), &json!(format!("sha256:{digest}")));
}

#[test]
fn a_name_to_keep_out_that_no_version_has_is_refused() {
    let folder = Folder::new();
    folder.route(json!({"capture": {"share": 1, "omit": ["carier"]}}));
    let path = folder.0.clone();
    let loaded = penstock_gateway::catalog::Catalog::load(&[path], None, &Default::default());
    let error = loaded.err().unwrap();
    assert!(error.contains("`carier`") && error.contains("late"), "{error}");
}

#[test]
fn no_request_is_captured_where_the_share_is_nothing() {
    let world = world(json!({"share": 0}), &[]);
    world.predict(r#"{"hour":3}"#);
    assert!(lines(&world).is_empty());
}

#[test]
fn the_oldest_files_go_when_there_are_too_many_bytes() {
    let most: u64 = 20_000;
    let world = world(json!({"share": 1}), &["--capture-max-bytes", &most.to_string()]);
    let strange = world.folder.0.join("captured").join("notes.txt");
    fs::write(&strange, "keep").unwrap();
    let mut last = String::new();
    for _ in 0..200 {
        last = world.predict(r#"{"hour":3}"#).header("x-request-id").to_owned();
    }
    let kept: Vec<_> = {
        world.gateway.seeing.close();
        files(&world.folder.0).filter(|(path, _)| *path != strange).collect()
    };
    assert!((2..=8).contains(&kept.len()));
    assert!(kept.iter().map(|(_, size)| size).sum::<u64>() <= most);
    assert_eq!(fs::read_to_string(&strange).unwrap(), "keep");
    fs::remove_file(&strange).unwrap();
    assert_eq!(lines(&world).last().unwrap()["request_id"], last);
}
