//! Every path that is answered, in one list.

use super::{models, predict, seeing};
use crate::gateway::Gateway;
use axum::routing::{get, post};
use axum::Router;
use std::sync::Arc;

pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/livez", get(models::live))
        .route("/readyz", get(models::ready))
        .route("/metrics", get(seeing::metrics))
        .route("/v1/status", get(models::status))
        .route("/v1/reload", post(models::reload))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{name}", get(models::describe))
        .route("/v1/models/{name}/drift", get(seeing::drift))
        .route("/v1/models/{name}/predict", post(predict::predict))
        .fallback(models::unknown_path)
        .method_not_allowed_fallback(models::wrong_method)
        .layer(seeing::Watch(gateway.clone()))
        .with_state(gateway)
}
