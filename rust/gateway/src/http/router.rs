//! Every path that is answered, in one list.

use super::{grpc, inference, invocations, models, predict};
use crate::gateway::Gateway;
use axum::routing::{get, post};
use axum::Router;
use std::sync::Arc;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let router = Router::new()
        .route("/livez", get(models::live))
        .route("/readyz", get(models::ready))
        .route("/v1/status", get(models::status))
        .route("/v1/reload", post(models::reload))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{name}", get(models::describe))
        .route("/v1/models/{name}/predict", post(predict::predict))
        .merge(inference::routes())
        .merge(grpc::routes())
        .merge(invocations::routes())
        .fallback(models::unknown_path)
        .method_not_allowed_fallback(models::wrong_method)
        .with_state(gateway.clone());
    invocations::on_vertex(router, gateway)
}
