//! What a gateway tells when it starts.

use super::world::{artifact, get, World, ROW};
use penstock_core::{keys::PrivateKey, signature::sign};

#[test]
fn every_setting_is_told_with_where_it_came_from() {
    let gateway = World::new().start(&["--max-rows", "7"]);
    let told = gateway.told.concat();
    let line = |name: &str| told.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(line("--max-rows").ends_with(" 7  (option)"));
    assert!(line("--workers").ends_with(" 2  (PENSTOCK_WORKERS)"));
    assert!(line("--host").ends_with(" 127.0.0.1  (default)"));
    assert!(!told.contains("warning"));
}

#[test]
fn listening_beyond_this_machine_without_tokens_is_warned_of() {
    let gateway = World::new().start(&["--host", "0.0.0.0"]);
    assert!(gateway.told.concat().contains("warning: 0.0.0.0:"));
}

#[test]
fn what_is_wrong_at_the_start_is_one_line_and_the_exit_code_3() {
    let world = World::new();
    let taken = world.start(&[]);
    let port = taken.port.to_string();
    let told = world.try_start(&["--port", &port]).err().unwrap();
    assert_eq!(told.lines().filter(|line| line.starts_with("Error: cannot listen")).count(), 1);
    assert_eq!(taken.ask(&get("/livez")).status, 200);
}

#[test]
fn http_2_without_tls_is_answered() {
    use std::io::{Read, Write};
    let gateway = World::new().start(&[]);
    let mut client = gateway.connect();
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    client.0.get_mut().write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    client.0.get_mut().write_all(&settings).unwrap();
    let mut frame = [0; 9];
    client.0.read_exact(&mut frame).unwrap();
    assert_eq!(frame[3], 4, "the first frame has the settings of the server");
}

#[test]
fn with_a_key_only_what_it_has_signed_is_served() {
    let world = World::new();
    let (key, other) = (PrivateKey::from_seed(&[7; 32]), PrivateKey::from_seed(&[8; 32]));
    world.put("key.pub", key.public().to_pem().unwrap().as_bytes());
    let public = world.path("key.pub");
    let options = ["--port", "0", "--require-signature", public.to_str().unwrap()];
    assert!(world.try_start(&options).err().unwrap().contains("signature"));
    world.put("a.penstock", &sign(&artifact(), &key).unwrap());
    let mut gateway = world.try_start(&options).unwrap();
    world.put("a.penstock", &sign(&artifact(), &other).unwrap());
    assert!(gateway.tells("not reloaded").unwrap().contains("a.penstock"));
    assert_eq!(gateway.predict(ROW).status, 200);
}
