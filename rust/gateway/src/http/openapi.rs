//! `GET /openapi.json` and `GET /v1/models/{name}/openapi.json`.

use super::models::json_response;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::openapi::{of_all, of_model, Told};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Tell of this version only.
    version: Option<String>,
}

/// `GET /openapi.json`.
pub async fn all(State(gateway): State<Arc<Gateway>>) -> Response {
    let catalog = gateway.catalog.load_full();
    respond(move || {
        let told: Vec<_> = catalog.routes.values().map(|route| Told::new(route, None)).collect();
        of_all(&told)
    })
    .await
}

/// `GET /v1/models/{name}/openapi.json`, of one version with `?version=`.
pub async fn one(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else {
        let detail = "the query has options that cannot be read; the option is `version`";
        return Failure::new(Kind::Option, detail).into_response();
    };
    let route = match gateway.catalog.load().route(&name) {
        Ok(route) => route.clone(),
        Err(failure) => return failure.into_response(),
    };
    if let Some(Err(failure)) = asked.version.as_deref().map(|name| route.version(name)) {
        return failure.into_response();
    }
    respond(move || of_model(&Told::new(&route, asked.version.as_deref()))).await
}

/// Telling of a model takes some predictions, and perhaps the plan of its explanations: others need not wait for that.
async fn respond(tell: impl FnOnce() -> Value + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(tell).await {
        Ok(document) => json_response(&document),
        Err(_) => Failure::new(Kind::Internal, "the document ended unexpectedly").into_response(),
    }
}
