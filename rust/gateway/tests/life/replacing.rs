//! Replacements and reloads under load. `PENSTOCK_REPLACEMENTS=50` makes it the long proof of docs/gateway.md.

use super::world::{prediction, Client, World, ROW};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;

/// What the row is answered with.
const RIGHT: &str =
    r#"{"label":"late","probability":{"late":0.937293347070945,"on time":0.06270665292905506}}"#;

#[derive(Default)]
struct Counts {
    is_over: AtomicBool,
    asked: AtomicUsize,
    failed: AtomicUsize,
}

/// Asks until it is over; each answer must be there and right.
fn load(port: u16, counts: &Counts, keeps_alive: bool) {
    let request = prediction(ROW, if keeps_alive { "" } else { "connection: close\r\n" });
    let mut client = None;
    while !counts.is_over.load(Ordering::Relaxed) {
        let mut ask = || -> std::io::Result<bool> {
            use std::io::Write;
            let mut current = match client.take() {
                Some(client) => client,
                None => Client::new(port)?,
            };
            current.0.get_mut().write_all(request.as_bytes())?;
            let answer = current.answer()?;
            if keeps_alive && answer.header("connection") != Some("close") {
                client = Some(current);
            }
            Ok(answer.status == 200 && answer.body == RIGHT)
        };
        let result = ask();
        counts.asked.fetch_add(1, Ordering::Relaxed);
        if !matches!(result, Ok(true)) {
            eprintln!("failed (keeps alive: {keeps_alive}): {result:?}");
            counts.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn no_request_is_lost_while_gateways_are_replaced_and_reloaded() {
    let times = std::env::var("PENSTOCK_REPLACEMENTS").ok().and_then(|text| text.parse().ok());
    let times = times.unwrap_or(3);
    let world = World::new();
    let mut gateway = world.start(&[]);
    let (port, counts) = (gateway.port, Arc::new(Counts::default()));
    let clients: Vec<_> = [true, false]
        .into_iter()
        .map(|keeps_alive| {
            let counts = counts.clone();
            std::thread::spawn(move || load(port, &counts, keeps_alive))
        })
        .collect();
    for time in 0..times {
        world.serve_version(&format!("v{time}"));
        gateway.tells(&format!("reloaded: `golden` (v{time})")).unwrap();
        let options = ["--takeover", "--port", &port.to_string()];
        let mut next = world.try_start(&options).unwrap();
        next.tells("took over").unwrap();
        assert_eq!(gateway.ended(), Some(0));
        gateway = next;
    }
    counts.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    let (asked, failed) =
        (counts.asked.load(Ordering::Relaxed), counts.failed.load(Ordering::Relaxed));
    eprintln!("{times} replacements and {times} reloads: {failed} of {asked} requests failed");
    assert_eq!(failed, 0);
}

#[test]
fn a_successor_that_cannot_load_leaves_the_gateway_that_is_there() {
    let world = World::new();
    let gateway = world.start(&[]);
    world.put("routes.json", b"{");
    let options = ["--takeover", "--port", &gateway.port.to_string()];
    assert!(world.try_start(&options).err().unwrap().contains("Error: "));
    assert_eq!(gateway.predict(ROW).status, 200);
}

#[test]
fn taking_over_where_nobody_is_just_starts() {
    let world = World::new();
    let gateway = world.start(&["--takeover"]);
    assert_eq!(gateway.predict(ROW).status, 200);
}
