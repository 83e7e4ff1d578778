//! A small gateway without a socket, from the golden artifact in a folder of its own.

use axum::body::Body;
use axum::http::{Request, Response};
use axum::Router;
use clap::Parser;
use http_body_util::BodyExt;
use penstock_core::archive;
use penstock_core::artifact::hash;
use penstock_gateway::gateway::Gateway;
use penstock_gateway::http::router::router;
use penstock_gateway::settings::Settings;
use serde_json::{json, Value};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tower_service::Service;

const GOLDEN: &[u8] = include_bytes!("../../../../tests/golden/format-1.penstock");

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A folder that goes when the test ends.
pub struct Folder(pub PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct World {
    pub folder: Folder,
    pub gateway: Arc<Gateway>,
    pub router: Router,
    pub runtime: Runtime,
}

pub struct Answer {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub bytes: Vec<u8>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect(&self.text)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Folder {
    pub fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("penstock-seeing-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("golden.penstock"), GOLDEN).unwrap();
        Self(path)
    }

    pub fn route(&self, more: Value) {
        let mut route = json!({"name": "late", "versions": [{"artifact": "golden.penstock"}]});
        for (key, value) in more.as_object().unwrap() {
            route[key] = value.clone();
        }
        let routes = json!({"routes": [route]}).to_string();
        fs::write(self.0.join("routes.json"), routes).unwrap();
    }

    /// The golden artifact with another manifest, and without examples.
    pub fn variant(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut entries = archive::read(GOLDEN).unwrap();
        let mut manifest: Value = serde_json::from_slice(&entries.manifest).unwrap();
        change(&mut manifest);
        entries.examples = br#"{"expected":[],"rows":[]}"#.to_vec();
        manifest["entries"]["examples.json"] =
            json!({"sha256": hash(&entries.examples), "size": entries.examples.len()});
        entries.manifest = serde_json::to_vec(&manifest).unwrap();
        fs::write(self.0.join(name), archive::write(&entries)).unwrap();
    }

    pub fn start(self, options: &[&str]) -> World {
        let folder = self.0.to_str().unwrap();
        let arguments = ["penstock", folder].into_iter().chain(options.iter().copied());
        let gateway = Arc::new(Gateway::new(Settings::parse_from(arguments)).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let router = router(gateway.clone());
        World { folder: self, gateway, router, runtime }
    }
}

impl World {
    pub fn new() -> Self {
        let folder = Folder::new();
        folder.route(json!({}));
        folder.start(&[])
    }

    pub fn ask(&self, request: Request<Body>) -> Answer {
        self.ask_of(&self.router, request)
    }

    pub fn ask_of(&self, router: &Router, request: Request<Body>) -> Answer {
        let mut router = router.clone();
        self.runtime.block_on(async {
            let response: Response<Body> = router.call(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let (bytes, text) = (bytes.to_vec(), String::from_utf8_lossy(&bytes).into_owned());
            Answer { status: parts.status.as_u16(), headers: parts.headers, bytes, text }
        })
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap())
    }

    pub fn predict(&self, body: impl ToString) -> Answer {
        self.post("/v1/models/late/predict", body.to_string())
    }

    pub fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.ask(Request::post(path).body(body.into()).unwrap())
    }

    /// The value of a sample of `/metrics`, by its name with its labels; 0 if there is none.
    pub fn metric(&self, sample: &str) -> f64 {
        let page = self.get("/metrics").text;
        let found = page.lines().find_map(|line| line.strip_prefix(sample));
        found.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// Waits until a sample has a value.
    pub fn await_metric(&self, sample: &str, value: f64) {
        for _ in 0..10_000_000 {
            if self.metric(sample) == value {
                return;
            }
            std::thread::yield_now();
        }
        panic!("`{sample}` is {} and never {value}", self.metric(sample));
    }
}
