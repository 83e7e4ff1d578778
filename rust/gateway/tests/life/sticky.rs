//! Rows that stay with their version.

use super::world::{get, prediction, Answer, Gateway, World, ROW};
use serde_json::{json, Value};
use std::collections::BTreeSet;

fn start(sticky: Value) -> (World, Gateway) {
    let world = World::new();
    let versions = json!([
        {"artifact": "a.penstock", "version": "1"},
        {"artifact": "a.penstock", "version": "2"},
    ]);
    world.routes(json!([{"name": "golden", "versions": versions, "sticky": sticky}]));
    let gateway = world.start(&[]);
    (world, gateway)
}

fn row(hour: usize) -> String {
    json!({"carrier": "UA", "distance": 100.0 * hour as f64, "hour": hour}).to_string()
}

fn version(gateway: &Gateway, body: &str) -> String {
    let answer = gateway.predict(body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.header("penstock-version").unwrap().to_owned()
}

#[test]
fn a_value_stays_with_its_version_and_both_have_some() {
    let (_world, gateway) = start(json!({"input": "hour"}));
    let versions: Vec<_> = (0..24).map(|hour| version(&gateway, &row(hour))).collect();
    assert_eq!(versions.iter().collect::<BTreeSet<_>>().len(), 2);
    let again: Vec<_> = (0..24).map(|hour| version(&gateway, &row(hour))).collect();
    assert_eq!(again, versions);
}

#[test]
fn the_answers_of_a_batch_are_in_the_order_of_its_rows() {
    let (_world, gateway) = start(json!({"input": "hour"}));
    let alone: Vec<_> = (0..24).map(|hour| gateway.predict(&row(hour)).json()).collect();
    let rows: Vec<_> = (0..24).map(row).collect();
    let list = format!("[{}]", rows.join(","));
    assert_eq!(gateway.predict(&list).json()["predictions"], json!(alone));
    let answer = gateway.predict(&format!("{{\"warnings\":true,\"rows\":{list}}}"));
    assert_eq!(answer.json()["predictions"].as_array().unwrap().len(), 24);
    assert_eq!(answer.header("penstock-version").unwrap().len(), "1, 2".len());
    let named = format!("{{\"version\":\"2\",\"rows\":{list}}}");
    assert_eq!(version(&gateway, &named), "2");
}

#[test]
fn a_refused_row_tells_its_place_in_the_whole_batch() {
    let (_world, gateway) = start(json!({"input": "hour"}));
    let mut rows: Vec<_> = (0..24).map(row).collect();
    rows[17] = r#"{"carrier":"UA","distance":"far","hour":17}"#.to_owned();
    let list = rows.join(",");
    let refused = gateway.predict(&format!("[{list}]"));
    assert_eq!((refused.status, &refused.json()["row"]), (422, &json!(17)));
    let answer = gateway.predict(&format!("{{\"on_error\":\"return\",\"rows\":[{list}]}}")).json();
    assert_eq!(answer["predictions"][17]["error"]["row"], json!(17));
    assert!(answer["predictions"][16]["error"].is_null());
}

fn ask_as(gateway: &Gateway, media_type: &str, accept: &str, body: &str) -> Answer {
    let headers =
        format!("content-type: {media_type}\r\naccept: {accept}\r\nconnection: close\r\n");
    let mut client = gateway.connect();
    client.send(&prediction(body, &headers));
    client.whole_answer().unwrap()
}

#[test]
fn tables_and_lines_are_split_as_json_is_and_keep_their_order() {
    let (_world, gateway) = start(json!({"input": "hour"}));
    let versions: Vec<_> = (0..24).map(|hour| version(&gateway, &row(hour))).collect();
    let seen = |gateway: &Gateway, version: &str| {
        let sample =
            format!("penstock_rows_total{{route=\"golden\",version=\"{version}\",role=\"live\"}} ");
        let page = gateway.ask(&get("/metrics")).body;
        let value = page.lines().find_map(|line| line.strip_prefix(&sample)).map(str::to_owned);
        value.map_or(0, |value| value.parse::<usize>().unwrap())
    };
    let lines: String = (0..24).map(|hour| row(hour) + "\n").collect();
    let csv: String = (0..24).map(|hour| format!("UA,{},{hour}.0\n", 100 * hour)).collect();
    let csv = format!("carrier,distance,hour\n{csv}");
    let list = format!("[{}]", (0..24).map(row).collect::<Vec<_>>().join(","));
    let alone: Vec<_> = (0..24).map(|hour| gateway.predict(&row(hour)).json()).collect();
    let ones = versions.iter().filter(|version| *version == "1").count();
    let (ndjson, json, text) = ("application/x-ndjson", "application/json", "text/csv");
    for (media_type, accept, body) in [
        (ndjson, ndjson, &lines),
        (ndjson, json, &lines),
        (text, json, &csv),
        (json, ndjson, &list),
        (text, text, &csv),
    ] {
        let before = (seen(&gateway, "1"), seen(&gateway, "2"));
        let answer = ask_as(&gateway, media_type, accept, body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let after = (seen(&gateway, "1"), seen(&gateway, "2"));
        assert_eq!((after.0 - before.0, after.1 - before.1), (ones, 24 - ones), "{media_type}");
        if accept == ndjson {
            let lines = answer.body.lines().map(|line| serde_json::from_str(line).unwrap());
            assert_eq!(lines.collect::<Vec<Value>>(), alone);
        } else if accept == json {
            assert_eq!(answer.json()["predictions"], json!(alone));
        } else {
            let label = |line: &str| line.split(',').next().unwrap().to_owned();
            let labels: Vec<_> = answer.body.lines().skip(1).map(label).collect();
            let expected: Vec<_> = alone.iter().map(|one| one["label"].as_str().unwrap()).collect();
            assert_eq!(labels, expected);
        }
    }
}

#[test]
fn a_header_decides_where_a_route_says_so() {
    let (_world, gateway) = start(json!({"header": "x-user"}));
    let ask = |user: usize| {
        let answer = gateway.ask(&prediction(ROW, &format!("x-user: {user}\r\n")));
        answer.header("penstock-version").unwrap().to_owned()
    };
    let versions: Vec<_> = (0..24).map(ask).collect();
    assert_eq!((0..24).map(ask).collect::<Vec<_>>(), versions);
    assert_eq!(versions.iter().collect::<BTreeSet<_>>().len(), 2);
}

#[test]
fn an_input_that_a_version_has_not_is_refused_at_the_start() {
    let world = World::new();
    let versions = json!([{"artifact": "a.penstock"}]);
    world.routes(json!([{"name": "golden", "versions": versions, "sticky": {"input": "user"}}]));
    assert!(world.try_start(&["--port", "0"]).err().unwrap().contains("has no input `user`"));
}
