//! An end that loses no request.

use super::world::{get, prediction, World, ROW};
use rustix::process::Signal;

#[test]
fn a_request_in_flight_is_answered_before_the_process_ends_with_0() {
    let mut gateway = World::new().start(&[]);
    let mut client = gateway.connect();
    let request = prediction(ROW, "");
    let (first, rest) = request.split_at(request.len() - 10);
    client.send(first);
    // The head is read before the process hears of its end: what came first is accepted first.
    assert_eq!(gateway.ask(&get("/livez")).status, 200);
    gateway.signal(Signal::TERM);
    gateway.until_closed();
    client.send(rest);
    let answer = client.answer().unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    drop(client);
    assert_eq!(gateway.ended(), Some(0));
}

#[test]
fn an_idle_connection_is_answered_once_more_and_told_to_close() {
    let mut gateway = World::new().start(&[]);
    let mut client = gateway.connect();
    client.send(&prediction(ROW, ""));
    assert_eq!(client.answer().unwrap().header("connection"), None);
    gateway.signal(Signal::INT);
    gateway.until_closed();
    client.send(&prediction(ROW, ""));
    let answer = client.answer().unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(client.is_closed());
    drop(client);
    assert_eq!(gateway.ended(), Some(0));
}

#[test]
fn connections_that_stay_silent_do_not_keep_it_longer_than_it_may_drain() {
    let mut gateway = World::new().start(&["--drain", "0.2"]);
    let mut idle = gateway.connect();
    idle.send(&get("/livez"));
    idle.answer().unwrap();
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut gateway = World::new().start(&["--drain", "86400"]);
    let mut client = gateway.connect();
    client.send(&prediction(ROW, "")[..50]);
    assert_eq!(gateway.ask(&get("/livez")).status, 200);
    gateway.signal(Signal::TERM);
    gateway.until_closed();
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));
    assert!(gateway.told.concat().contains("told again to stop"));
}
