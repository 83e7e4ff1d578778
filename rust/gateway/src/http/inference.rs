//! `/v2`: the Open Inference Protocol as REST.

use super::body::whole;
use super::models::json_response;
use super::problem;
use super::seeing::Served;
use super::served::Asking;
use crate::answers::json::json;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::handlers::shares::Answered;
use crate::protocols::inference::{self, EXTENSIONS, SERVER, SERVER_VERSION};
use crate::protocols::inference_rest::{answer, Answer};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::Router;
use serde::Deserialize;
use serde_json::{json, Value};
use std::sync::Arc;

/// How much of a body is JSON; bytes of tensors come behind it. In Triton's extension for binary tensor data.
const JSON_LENGTH: &str = "inference-header-content-length";

/// The model of a path, and its version if the path names one.
#[derive(Debug, Deserialize)]
struct Named {
    model: String,
    version: Option<String>,
}

/// All paths of the protocol.
pub fn routes() -> Router<Arc<Gateway>> {
    let mut router = Router::new()
        .route("/v2", get(server))
        .route("/v2/", get(server))
        .route("/v2/health/live", get(live))
        .route("/v2/health/ready", get(ready));
    for model in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
        router = router
            .route(model, get(describe))
            .route(&format!("{model}/ready"), get(model_ready))
            .route(&format!("{model}/infer"), post(infer));
    }
    router
}

async fn server() -> Response {
    json_response(&json!({"name": SERVER, "version": SERVER_VERSION, "extensions": EXTENSIONS}))
}

async fn live() -> Response {
    json_response(&json!({"live": true}))
}

/// The text of the protocol says `live` here, servers say `ready`: both.
async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    let ready = !gateway.is_stopping();
    state(ready, &json!({"ready": ready, "live": ready}))
}

async fn describe(State(gateway): State<Arc<Gateway>>, Path(named): Path<Named>) -> Response {
    let catalog = gateway.catalog.load();
    let route = catalog.route(&named.model);
    match route.and_then(|route| inference::metadata(route, named.version.as_deref())) {
        Ok(metadata) => json_response(&json!(metadata)),
        Err(failure) => refusal(failure),
    }
}

async fn model_ready(State(gateway): State<Arc<Gateway>>, Path(named): Path<Named>) -> Response {
    let catalog = gateway.catalog.load();
    let found = catalog.route(&named.model).and_then(|route| match &named.version {
        Some(version) => route.version(version).map(drop),
        None => Ok(()),
    });
    let ready = !gateway.is_stopping();
    match found {
        Ok(()) => state(ready, &json!({"name": named.model, "ready": ready})),
        Err(failure) => refusal(failure),
    }
}

fn state(ready: bool, value: &Value) -> Response {
    let mut response = json_response(value);
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

async fn infer(
    State(gateway): State<Arc<Gateway>>,
    Path(named): Path<Named>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let asking = match gateway.catalog.load().route(&named.model) {
        Ok(route) => Asking::new(route.clone()),
        Err(failure) => return refusal(failure),
    };
    let answered = predictions(&gateway, &asking, named.version.as_deref(), &headers, body).await;
    let (mut response, answered) = match answered {
        Ok(answer) => respond(answer),
        Err(failure) => (refusal(failure), Answered::new()),
    };
    response.extensions_mut().insert(Served::new(asking.route, &asking.chosen, answered));
    response
}

async fn predictions(
    gateway: &Arc<Gateway>,
    asking: &Asking,
    version: Option<&str>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Answer, Failure> {
    let admitted = asking.admit(gateway, version, headers)?;
    let json_length = headers.get(JSON_LENGTH).map(length).transpose()?;
    let body = whole(headers, body, admitted.most_bytes).await?;
    admitted.run(gateway, body.len(), move |call| answer(call, &body, json_length)).await
}

fn length(value: &HeaderValue) -> Result<usize, Failure> {
    let length = value.to_str().ok().and_then(|value| value.parse().ok());
    length.ok_or_else(|| {
        let detail = format!("the header `{JSON_LENGTH}` takes a number; got {value:?}");
        Failure::new(Kind::Malformed, detail)
    })
}

fn respond(answer: Answer) -> (Response, Answered) {
    let mut response = Response::new(Body::from(answer.body));
    let headers = response.headers_mut();
    let media_type = match answer.json_length {
        Some(length) => {
            headers.insert(JSON_LENGTH, length.into());
            "application/octet-stream"
        }
        None => "application/json",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    (response, answer.answered)
}

/// A failure as the protocol has it: a text as `error`; beside it what other protocols of this server say.
fn refusal(failure: Failure) -> Response {
    let mut body = Vec::with_capacity(256);
    body.extend_from_slice(b"{\"error\":");
    json(&failure.text(), &mut body);
    body.extend_from_slice(b",\"code\":");
    json(&failure.code, &mut body);
    if let Some(field) = &failure.field {
        body.extend_from_slice(b",\"field\":");
        json(field, &mut body);
    }
    if let Some(row) = failure.row {
        body.extend_from_slice(b",\"row\":");
        json(&row, &mut body);
    }
    body.push(b'}');
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = problem::status(failure.kind);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // What watches all requests counts it.
    response.extensions_mut().insert(failure);
    response
}
