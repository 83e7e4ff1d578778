//! Clients that are slow, many or lie, and what they are told.

use super::world::{get, prediction, World, ROW};
use serde_json::json;
use std::io::Read;

#[test]
fn a_head_that_does_not_come_is_told_so() {
    let gateway = World::new().start(&["--timeout", "0.2"]);
    let mut client = gateway.connect();
    client.send("GET /livez HTTP/1.1\r\nhost: te");
    let answer = client.answer().unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (408, "timeout"));
    assert!(client.is_closed());
}

#[test]
fn a_body_that_does_not_come_is_told_so() {
    let gateway = World::new().start(&["--timeout", "0.2"]);
    let mut client = gateway.connect();
    let request = prediction(ROW, "");
    client.send(&request[..request.len() - 1]);
    let answer = client.answer().unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (408, "timeout"));
    assert!(client.is_closed());
}

#[test]
fn a_body_that_is_longer_than_allowed_is_told_so() {
    let gateway = World::new().start(&["--max-body", "1000"]);
    let answer = gateway.predict(&format!("[{}{ROW}]", format!("{ROW},").repeat(100)));
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
}

#[test]
fn a_huge_head_is_refused() {
    let gateway = World::new().start(&[]);
    let header = format!("x-long: {}\r\n", "x".repeat(200_000));
    assert_eq!(gateway.ask(&prediction(ROW, &header)).status, 431);
    let many: String = (0..200).map(|at| format!("x-{at}: 1\r\n")).collect();
    assert_eq!(gateway.ask(&prediction(ROW, &many)).status, 431);
}

#[test]
fn more_requests_than_a_route_may_have_are_refused_and_may_be_sent_again() {
    let world = World::new();
    let versions = json!([{"artifact": "a.penstock"}]);
    world.routes(json!([{"name": "golden", "versions": versions, "limits": {"in_flight": 1}}]));
    let gateway = world.start(&[]);
    let mut first = gateway.connect();
    first.take_a_place(ROW);
    let refused = gateway.predict(ROW);
    assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(gateway.ask(&get("/readyz")).status, 200);
    first.send(ROW);
    assert_eq!(first.answer().unwrap().status, 200);
    assert_eq!(gateway.predict(ROW).status, 200);
}

#[test]
fn more_requests_than_the_gateway_may_have_are_refused() {
    let gateway = World::new().start(&["--max-in-flight", "1"]);
    let mut first = gateway.connect();
    first.take_a_place(ROW);
    assert_eq!(gateway.predict(ROW).status, 503);
    assert_eq!(gateway.ask(&get("/livez")).status, 200);
    drop(first);
    // The place is free once the server has seen that the client went away.
    while gateway.predict(ROW).status == 503 {}
    assert_eq!(gateway.predict(ROW).status, 200);
}

#[test]
fn a_thousand_idle_connections_do_not_keep_others_out() {
    let gateway = World::new().start(&[]);
    let mut idle: Vec<_> = (0..1000).map(|_| gateway.connect()).collect();
    assert_eq!(gateway.predict(ROW).status, 200);
    let last = idle.last_mut().unwrap();
    last.send(&get("/livez"));
    assert_eq!(last.answer().unwrap().status, 200);
}

#[test]
fn pages_of_other_origins_may_ask_only_if_they_are_named() {
    let world = World::new();
    let question = |path: &str, origin: &str| {
        format!(
            "OPTIONS {path} HTTP/1.1\r\nhost: test\r\norigin: {origin}\r\naccess-control-request-method: POST\r\n\r\n"
        )
    };
    let path = "/v1/models/golden/predict";
    let gateway = world.start(&["--cors", "https://a.example"]);
    let allowed = gateway.ask(&question(path, "https://a.example"));
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://a.example"));
    let other = gateway.ask(&question(path, "https://b.example"));
    assert_eq!(other.header("access-control-allow-origin"), None);
    let answer = gateway.ask(&prediction(ROW, "origin: https://a.example\r\n"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://a.example"));
    let closed = world.start(&[]);
    let answer = closed.ask(&prediction(ROW, "origin: https://a.example\r\n"));
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
}

#[test]
fn what_is_no_http_is_closed_and_harms_nobody() {
    let gateway = World::new().start(&[]);
    let mut client = gateway.connect();
    client.send("\u{0}\u{1}\u{2}\r\n\r\n");
    let mut told = String::new();
    client.0.read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 400"), "{told}");
    assert_eq!(gateway.predict(ROW).status, 200);
}
