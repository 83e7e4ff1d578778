//! The page and the documents as they are served; `tests/gateway` looks at them in a browser.

// Helpers of tests may stop at the first surprise as well.
#![allow(clippy::unwrap_used)]

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::Router;
use clap::Parser;
use http_body_util::BodyExt;
use penstock_gateway::gateway::Gateway;
use penstock_gateway::http::router::router;
use penstock_gateway::settings::Settings;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use tower_service::Service;

const ARTIFACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/format-1.penstock");

/// Files of the page, with the most bytes that they may have together.
const FILES: [&str; 7] =
    ["page.css", "index.js", "model.js", "client.js", "form.js", "answer.js", "stats.js"];
const MOST_BYTES: usize = 60_000;

/// A gateway that serves the golden artifact under these names.
fn serve(names: &[&str]) -> Router {
    start(&[&tempdir(names)])
}

fn start(arguments: &[&str]) -> Router {
    let settings = Settings::try_parse_from([&["penstock serve"], arguments].concat()).unwrap();
    router(Arc::new(Gateway::new(settings).unwrap()))
}

/// A folder of its own for each gateway: tests run side by side.
fn tempdir(names: &[&str]) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = format!("{}/page-{number}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(ARTIFACT, format!("{folder}/model.penstock")).unwrap();
    let routes = names.iter().map(
        |name| serde_json::json!({"name": name, "versions": [{"artifact": "model.penstock"}]}),
    );
    let routes = serde_json::json!({"routes": routes.collect::<Vec<_>>()});
    std::fs::write(format!("{folder}/routes.json"), routes.to_string()).unwrap();
    folder
}

async fn get(router: &mut Router, path: &str, accept: &str) -> Response<Body> {
    let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
    router.call(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn json(router: &mut Router, path: &str) -> Value {
    serde_json::from_str(&text(get(router, path, "*/*").await).await).unwrap()
}

#[tokio::test]
async fn a_model_whose_name_is_a_path_keeps_its_page() {
    let names = ["livez", "models", "page", "v1", "openapi.json"];
    let mut router = serve(&names);
    assert_eq!(text(get(&mut router, "/livez", "text/html").await).await, "ok\n");
    assert_eq!(json(&mut router, "/openapi.json").await["openapi"], "3.1.0");
    for name in names {
        let response = get(&mut router, &format!("/models/{name}"), "text/html").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(text(response).await.contains("/page/model.js"), "{name}");
    }
}

#[tokio::test]
async fn whoever_reads_no_pages_is_told_of_unknown_paths_as_of_any_failure() {
    let mut router = serve(&["late"]);
    let response = get(&mut router, "/favicon.ico", "*/*").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let problem: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem["code"], "unknown_path");
    let response = get(&mut router, "/nothing", "text/html,*/*").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    let response = get(&mut router, "/page/..%2F..%2FCargo.toml", "*/*").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whoever_has_no_token_does_not_learn_from_pages_which_models_there_are() {
    let folder = tempdir(&["late"]);
    let (_, line) = penstock_gateway::tokens::create("somebody").unwrap();
    let tokens = format!("{folder}/tokens");
    std::fs::write(&tokens, format!("{line}\n")).unwrap();
    let mut router = start(&[&folder, "--tokens", &tokens]);
    for (accept, status) in [("text/html", StatusCode::OK), ("*/*", StatusCode::UNAUTHORIZED)] {
        let known = get(&mut router, "/late", accept).await;
        let unknown = get(&mut router, "/nothing", accept).await;
        assert_eq!((known.status(), unknown.status()), (status, status));
    }
}

#[tokio::test]
async fn all_that_a_page_loads_is_small_and_safe() {
    let mut router = serve(&["late"]);
    let mut bytes = 0;
    let files = FILES.map(|file| format!("/page/{file}"));
    for path in ["/", "/late"].into_iter().chain(files.iter().map(String::as_str)) {
        let response = get(&mut router, path, "*/*").await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let text = text(response).await;
        bytes += text.len();
        for never in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "onclick", "style=\""]
        {
            assert!(!text.contains(never), "{path} has {never}");
        }
        let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!elsewhere.contains("://"), "{path} names another place");
    }
    assert!(bytes < MOST_BYTES, "{bytes}");
}

#[tokio::test]
async fn a_document_tells_of_the_inputs_as_the_artifact_does() {
    let mut router = serve(&["late"]);
    let document = json(&mut router, "/v1/models/late/openapi.json").await;
    let row = &document["components"]["schemas"]["Row"];
    let order: Vec<_> = row["x-penstock-inputs"].as_array().unwrap().iter().collect();
    assert!(order.contains(&&Value::from("carrier")), "{order:?}");
    let carrier = &row["properties"]["carrier"];
    // The most frequent level of the training data comes first.
    let levels = carrier["examples"].as_array().or(carrier["enum"].as_array()).unwrap();
    assert_eq!(levels[0], "UA");
    assert_eq!(row["additionalProperties"], false);
    // Lines there may be none; CSV has names at least.
    let content = &document["paths"]["/v1/models/late/predict"]["post"]["requestBody"]["content"];
    assert_eq!(content["text/csv"]["schema"]["minLength"], 1);
    assert!(content["application/x-ndjson"]["schema"]["minLength"].is_null(), "{content}");
    let codes = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    for code in ["unseen_level", "unknown_column", "malformed", "internal"] {
        assert!(codes.as_array().unwrap().contains(&Value::from(code)), "{code}");
    }
}

#[tokio::test]
async fn a_document_of_an_unknown_model_or_version_is_a_problem() {
    let mut router = serve(&["late"]);
    for (path, code) in [
        ("/v1/models/nothing/openapi.json", "unknown_model"),
        ("/v1/models/late/openapi.json?version=none", "unknown_version"),
        ("/v1/models/late/openapi.json?version=1&version=1", "invalid_option"),
        ("/v1/models/late/openapi.json?versoin=1", "invalid_option"),
    ] {
        assert_eq!(json(&mut router, path).await["code"], code);
    }
}
