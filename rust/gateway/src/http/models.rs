//! What is served, for people and programs: lists, schemas, health.

use crate::catalog::{Route, Version};
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{json, Value};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// `GET /v1/models`.
pub async fn list(State(gateway): State<Arc<Gateway>>) -> Response {
    let catalog = gateway.catalog.load();
    let routes = catalog.routes.values().map(|route| {
        let versions = route.versions.iter();
        let versions: Vec<_> = versions.map(|(version, weight)| brief(version, *weight)).collect();
        json!({"name": route.name, "versions": versions})
    });
    json_response(&json!({"models": routes.collect::<Vec<_>>()}))
}

/// `GET /v1/models/{name}`: schema, versions, card and digest.
pub async fn describe(State(gateway): State<Arc<Gateway>>, Path(name): Path<String>) -> Response {
    match gateway.catalog.load().route(&name) {
        Ok(route) => json_response(&route_value(route)),
        Err(failure) => failure.into_response(),
    }
}

fn brief(version: &Version, weight: f64) -> Value {
    json!({"version": version.name, "digest": version.loaded.model.digest, "weight": weight})
}

fn route_value(route: &Route) -> Value {
    let versions = route.versions.iter().map(|(version, weight)| {
        let model = &version.loaded.model;
        let manifest: Value = serde_json::from_str(&model.manifest).unwrap_or_default();
        json!({
            "version": version.name,
            "digest": model.digest,
            "weight": weight,
            "schema": manifest["schema"],
            "provenance": manifest["provenance"],
            "card": model.card,
        })
    });
    json!({"name": route.name, "versions": versions.collect::<Vec<_>>()})
}

/// `GET /v1/status`: how the last load of the folder went.
pub async fn status(State(gateway): State<Arc<Gateway>>) -> Response {
    let load = gateway.last_load();
    let seconds = load.at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let (succeeded, failed) = gateway.load_counts();
    json_response(&json!({
        "ready": !gateway.is_stopping(),
        "models": gateway.catalog.load().routes.len(),
        "last_load": {"unix_seconds": seconds, "error": load.error},
        "loads": {"succeeded": succeeded, "failed": failed},
    }))
}

/// `POST /v1/reload`, if it is allowed.
pub async fn reload(State(gateway): State<Arc<Gateway>>) -> Response {
    if !gateway.settings.allow_reload {
        let detail = "reloading by request is off; start with --allow-reload, or send SIGHUP";
        return Failure::new(Kind::Forbidden, detail).into_response();
    }
    let task = tokio::task::spawn_blocking(move || gateway.reload());
    match task.await {
        Ok(Ok(())) => json_response(&json!({"reloaded": true})),
        Ok(Err(what)) => Failure::new(Kind::Unsupported, what).into_response(),
        Err(_) => Failure::new(Kind::Internal, "reloading ended unexpectedly").into_response(),
    }
}

/// `GET /livez`: the process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: requests may be sent.
pub async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    match gateway.is_stopping() {
        false => "ok\n".into_response(),
        true => Failure::new(Kind::NotReady, "the server is stopping").into_response(),
    }
}

pub async fn unknown_path(uri: Uri) -> Response {
    let detail = format!("there is nothing at `{}`; see GET /v1/models", uri.path());
    Failure::new(Kind::UnknownPath, detail).into_response()
}

pub async fn wrong_method(method: Method, uri: Uri) -> Response {
    let detail = format!("`{}` does not take {method}", uri.path());
    Failure::new(Kind::WrongMethod, detail).into_response()
}

pub fn json_response(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
