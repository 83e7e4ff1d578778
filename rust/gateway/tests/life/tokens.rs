//! Who may come in.

use super::world::{get, prediction, Gateway, World, ROW};
use serde_json::json;
use std::process::Command;

/// A new token, and its line.
fn token(name: &str) -> (String, String) {
    let told = Command::new(env!("CARGO_BIN_EXE_penstock-gateway"))
        .args(["hash-token", name])
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(told.stderr).trim().to_owned(), text(told.stdout))
}

fn predict_with(gateway: &Gateway, token: &str) -> super::world::Answer {
    gateway.ask(&prediction(ROW, &format!("authorization: Bearer {token}\r\n")))
}

#[test]
fn without_a_token_that_is_known_only_probes_are_answered() {
    let world = World::new();
    let (shop, line) = token("shop");
    world.put("tokens", line.as_bytes());
    let gateway = world.start(&["--tokens", world.path("tokens").to_str().unwrap()]);
    let refused = gateway.predict(ROW);
    assert_eq!((refused.status, refused.code().as_str()), (401, "unauthorized"));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(predict_with(&gateway, "penstock_00").status, 401);
    for path in ["/v1/models", "/v1/models/golden", "/v1/status"] {
        assert_eq!(gateway.ask(&get(path)).status, 401, "{path}");
    }
    for path in ["/livez", "/readyz"] {
        assert_eq!(gateway.ask(&get(path)).status, 200, "{path}");
    }
    assert_eq!(predict_with(&gateway, &shop).status, 200);
    // The name of a model may be written in many ways; all of them are the same.
    let request = prediction(ROW, "").replace("golden", "g%6flden");
    assert_eq!(gateway.ask(&request).status, 401);
}

#[test]
fn a_route_that_names_tokens_is_for_them_only() {
    let world = World::new();
    let ((shop, first), (bank, second)) = (token("shop"), token("bank"));
    world.put("tokens", format!("{first}{second}").as_bytes());
    let versions = json!([{"artifact": "a.penstock"}]);
    world.routes(json!([{"name": "golden", "versions": versions, "tokens": ["shop"]}]));
    let gateway = world.start(&["--tokens", world.path("tokens").to_str().unwrap()]);
    assert_eq!(predict_with(&gateway, &shop).status, 200);
    let refused = predict_with(&gateway, &bank);
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
    let request = prediction(ROW, &format!("authorization: Bearer {bank}\r\n"));
    assert_eq!(gateway.ask(&request.replace("golden", "g%6flden")).status, 403);
}

#[test]
fn a_token_that_is_taken_out_of_the_file_is_known_no_more() {
    let world = World::new();
    let ((shop, first), (_, second)) = (token("shop"), token("bank"));
    world.put("tokens", format!("{first}{second}").as_bytes());
    let mut gateway = world.start(&["--tokens", world.path("tokens").to_str().unwrap()]);
    assert_eq!(predict_with(&gateway, &shop).status, 200);
    world.put("tokens", second.as_bytes());
    gateway.tells("reloaded: ").unwrap();
    assert_eq!(predict_with(&gateway, &shop).status, 401);
}

#[test]
fn a_route_whose_tokens_nobody_could_have_is_refused_at_the_start() {
    let world = World::new();
    let versions = json!([{"artifact": "a.penstock"}]);
    world.routes(json!([{"name": "golden", "versions": versions, "tokens": ["shop"]}]));
    assert!(world.try_start(&["--port", "0"]).err().unwrap().contains("start with --tokens"));
    world.put("tokens", token("bank").1.as_bytes());
    let tokens = world.path("tokens");
    let options = ["--port", "0", "--tokens", tokens.to_str().unwrap()];
    assert!(world.try_start(&options).err().unwrap().contains("token `shop`"));
}
