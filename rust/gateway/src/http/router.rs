//! Every path that is answered, in one list.

use super::{models, openapi, page, predict};
use crate::gateway::Gateway;
use axum::routing::{get, post};
use axum::Router;
use std::sync::Arc;

pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/livez", get(models::live))
        .route("/readyz", get(models::ready))
        .route("/v1/status", get(models::status))
        .route("/v1/reload", post(models::reload))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{name}", get(models::describe))
        .route("/v1/models/{name}/predict", post(predict::predict))
        .route("/v1/models/{name}/openapi.json", get(openapi::one))
        .route("/openapi.json", get(openapi::all))
        .route("/", get(page::index))
        .route("/{name}", get(page::model))
        .route("/models/{name}", get(page::model))
        .route("/page/{file}", get(page::file))
        .fallback(models::unknown_path)
        .method_not_allowed_fallback(models::wrong_method)
        .with_state(gateway)
}
