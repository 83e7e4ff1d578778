//! A folder that changes while it is served.

use super::world::{artifact, get, World, ROW};
use rustix::process::Signal;

fn version(gateway: &super::world::Gateway) -> String {
    let answer = gateway.predict(ROW);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.header("penstock-version").unwrap().to_owned()
}

#[test]
fn changed_routes_are_served_without_being_asked_for() {
    let world = World::new();
    let mut gateway = world.start(&[]);
    assert_eq!(version(&gateway), "1");
    world.serve_version("2");
    gateway.tells("reloaded: `golden` (2)").unwrap();
    assert_eq!(version(&gateway), "2");
}

#[test]
fn half_an_artifact_leaves_what_was_served_until_the_rest_has_come() {
    let world = World::new();
    let mut gateway = world.start(&[]);
    let whole = artifact();
    // In place, as `cp` writes.
    std::fs::write(world.path("a.penstock"), &whole[..whole.len() / 2]).unwrap();
    let told = gateway.tells("not reloaded").unwrap();
    assert!(told.contains("a.penstock"), "{told}");
    assert_eq!(version(&gateway), "1");
    let status = gateway.ask(&get("/v1/status")).json();
    assert!(told.contains(status["last_load"]["error"].as_str().unwrap()));
    assert!(status["loads"]["failed"].as_u64().unwrap() >= 1);
    std::fs::write(world.path("a.penstock"), &whole).unwrap();
    gateway.tells("reloaded: ").unwrap();
    assert!(gateway.ask(&get("/v1/status")).json()["last_load"]["error"].is_null());
}

#[test]
fn an_artifact_that_was_missing_is_served_once_it_is_there() {
    let world = World::new();
    let mut gateway = world.start(&[]);
    let routes = std::fs::read_to_string(world.path("routes.json")).unwrap();
    world.put("routes.json", routes.replace("a.penstock", "b.penstock").as_bytes());
    assert!(gateway.tells("not reloaded").unwrap().contains("b.penstock"));
    world.put("b.penstock", &artifact());
    gateway.tells("reloaded: ").unwrap();
}

#[test]
fn a_load_that_goes_wrong_again_in_the_same_way_is_told_once() {
    let world = World::new();
    let mut gateway = world.start(&["--allow-reload"]);
    world.put("routes.json", b"{");
    let reload = "POST /v1/reload HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n\r\n";
    for _ in 0..3 {
        assert_eq!(gateway.ask(reload).status, 422);
    }
    world.serve_version("2");
    gateway.tells("reloaded: `golden` (2)").unwrap();
    let told = gateway.told.iter().filter(|line| line.contains("not reloaded")).count();
    assert_eq!(told, 1);
}

#[test]
fn a_hang_up_reads_the_folder_at_once_and_a_request_only_if_it_may() {
    let world = World::new();
    let mut gateway = world.start(&[]);
    gateway.signal(Signal::HUP);
    gateway.tells("reloaded: ").unwrap();
    let reload = "POST /v1/reload HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(gateway.ask(reload).code(), "forbidden");
}
