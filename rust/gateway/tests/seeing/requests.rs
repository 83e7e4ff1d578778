//! Every request has a name that goes back with its answer, and a panic ends only the request that it is in.

use crate::world::World;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use axum::Router;
use penstock_gateway::http::seeing::Watch;
use penstock_gateway::seeing::logs;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn named(name: &str, value: &str) -> Request<Body> {
    Request::get("/nothing").header(name, value).body(Body::empty()).unwrap()
}

#[test]
fn the_name_that_a_client_gives_goes_back_in_the_header_and_in_the_problem() {
    let world = World::new();
    let answer = world.ask(named("x-request-id", "order-7"));
    assert_eq!(answer.header("x-request-id"), "order-7");
    assert_eq!(answer.json()["request_id"], "order-7");
    assert_eq!(answer.json()["code"], "unknown_path");
}

#[test]
fn a_name_that_cannot_be_sent_back_is_replaced() {
    let world = World::new();
    let long = "x".repeat(129);
    for name in ["two words", &long, ""] {
        let answer = world.ask(named("x-request-id", name));
        let given = answer.header("x-request-id");
        assert!(given.len() == 25 && given != name);
        assert_eq!(answer.json()["request_id"], given);
    }
}

#[test]
fn a_trace_goes_back_if_it_is_one() {
    let world = World::new();
    assert_eq!(world.ask(named("traceparent", TRACE)).header("traceparent"), TRACE);
    assert_eq!(world.ask(named("traceparent", "00-1-2-3")).header("traceparent"), "");
}

async fn boom() -> &'static str {
    panic!("value 4711")
}

#[test]
fn a_panic_answers_500_with_the_name_of_its_request_and_harms_no_other() {
    logs::catch_panics();
    let world = World::new();
    let router = Router::new().route("/boom", get(boom)).route("/fine", get(async || "fine"));
    let router = router.layer(Watch(world.gateway.clone()));
    let ask = |path: &str| world.ask_of(&router, Request::get(path).body(Body::empty()).unwrap());
    let before = world.metric("penstock_panics_total");
    let answer = ask("/boom");
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json()["code"], "internal");
    assert_eq!(answer.json()["request_id"], answer.header("x-request-id"));
    assert!(!answer.text.contains("4711"));
    assert_eq!(ask("/fine").text, "fine");
    assert!(world.metric("penstock_panics_total") > before);
    let errors = "penstock_errors_total{route=\"\",version=\"\",code=\"internal\"}";
    assert_eq!(world.metric(errors), 1.0);
    // The page is asked for while it is made.
    assert_eq!(world.metric("http_server_active_requests"), 1.0);
}

#[test]
fn a_request_that_is_given_up_is_no_longer_in_flight() {
    let world = World::new();
    let router = Router::new().route("/slow", get(std::future::pending::<&'static str>));
    let mut router = router.layer(Watch(world.gateway.clone()));
    let request = Request::get("/slow").body(Body::empty()).unwrap();
    world.runtime.block_on(async {
        tokio::select! {
            biased;
            _ = tower_service::Service::call(&mut router, request) => panic!("it never ends"),
            () = std::future::ready(()) => {}
        }
    });
    assert_eq!(world.metric("http_server_active_requests"), 1.0);
    let errors = "penstock_errors_total{route=\"\",version=\"\",code=\"cancelled\"}";
    assert_eq!(world.metric(errors), 1.0);
}
