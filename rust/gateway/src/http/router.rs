//! Every path that is answered, in one list.

use super::{access, cors, grpc, inference, invocations, models, openapi, page, predict, seeing};
use crate::gateway::Gateway;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::Router;
use std::sync::Arc;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let router = Router::new()
        .route("/livez", get(models::live))
        .route("/readyz", get(models::ready))
        .route("/metrics", get(seeing::metrics))
        .route("/v1/status", get(models::status))
        .route("/v1/reload", post(models::reload))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{name}", get(models::describe))
        .route("/v1/models/{name}/drift", get(seeing::drift))
        .route("/v1/models/{name}/predict", post(predict::predict))
        .route("/v1/models/{name}/openapi.json", get(openapi::one))
        .route("/openapi.json", get(openapi::all))
        .merge(inference::routes())
        .merge(grpc::routes())
        .merge(invocations::routes())
        // After all routes that tell of models: the pages below are the same for everybody, and ask for a token themselves.
        .route_layer(from_fn_with_state(gateway.clone(), access::guard))
        .route("/", get(page::index))
        .route("/{name}", get(page::model))
        .route("/models/{name}", get(page::model))
        .route("/page/{file}", get(page::file))
        .fallback(models::unknown_path)
        .method_not_allowed_fallback(models::wrong_method)
        .with_state(gateway.clone());
    let router = invocations::on_vertex(router, &gateway);
    let router = match gateway.settings.cors.is_empty() {
        true => router,
        false => router.layer(from_fn_with_state(gateway.clone(), cors::allow)),
    };
    router.layer(seeing::Watch(gateway))
}
