//! `POST /v1/models/{name}/predict`.

use super::seeing::Served;
use crate::catalog::{Route, Version};
use crate::choosing::choose;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::handlers::asked::Asked;
use crate::handlers::predict::{self, Predicted, Request};
use crate::routes::Sticky;
use crate::seeing::observation::Observed;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::{Arc, OnceLock};

/// Bodies from which on a request is answered beside the threads that read sockets, so that others need not wait.
const LARGE_BODY: usize = 64 << 10;

pub async fn predict(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let route = match gateway.catalog.load().route(&name) {
        Ok(route) => route.clone(),
        Err(failure) => return failure.into_response(),
    };
    let chosen = Arc::default();
    let answered = answer(&gateway, &route, query.as_deref(), (headers, body), &chosen).await;
    let (mut response, observed) = match answered {
        Ok(predicted) => respond(predicted),
        Err(failure) => (failure.into_response(), Observed::default()),
    };
    let version = chosen.get().cloned();
    response.extensions_mut().insert(Served { route, version, observed });
    response
}

/// The version that answers, once it is chosen; known even if the request is then refused.
type Chosen = Arc<OnceLock<Arc<Version>>>;

async fn answer(
    gateway: &Gateway,
    route: &Arc<Route>,
    query: Option<&str>,
    (headers, body): (HeaderMap, Body),
    chosen: &Chosen,
) -> Result<Predicted, Failure> {
    let asked = Asked::from_query(form_urlencoded::parse(query.unwrap_or_default().as_bytes()))?;
    let limits = &route.limits;
    let body = read(body, limits.body.unwrap_or(gateway.settings.max_body)).await?;
    let most_rows = limits.rows.unwrap_or(gateway.settings.max_rows);
    let request = Request { body: &body, asked, most_rows };
    if body.len() < LARGE_BODY {
        return json_body(route, &headers, request, chosen);
    }
    let (route, chosen, asked, body) = (route.clone(), chosen.clone(), request.asked, body.clone());
    let task =
        move || json_body(&route, &headers, Request { body: &body, asked, most_rows }, &chosen);
    let done = tokio::task::spawn_blocking(task).await;
    done.map_err(|_| Failure::new(Kind::Internal, "the prediction ended unexpectedly"))?
}

fn json_body(
    route: &Route,
    headers: &HeaderMap,
    request: Request<'_>,
    chosen: &Chosen,
) -> Result<Predicted, Failure> {
    let key = match &route.sticky {
        Some(Sticky::Header(name)) => headers.get(name).map(HeaderValue::as_bytes),
        _ => None,
    };
    predict::json_body(route, request, |route, named| {
        let version = choose(route, named, key)?;
        Ok(chosen.get_or_init(|| version).clone())
    })
}

/// The whole body, if it is no longer than the limit.
async fn read(body: Body, most: usize) -> Result<Bytes, Failure> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("the body is longer than {most} bytes; send the rows in parts");
            Err(Failure::new(Kind::TooLarge, detail))
        }
        Err(error) => {
            let detail = format!("the body could not be read: {error}");
            Err(Failure::new(Kind::Malformed, detail))
        }
    }
}

fn respond(predicted: Predicted) -> (Response, Observed) {
    let mut response = Response::new(Body::from(predicted.body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(version) = HeaderValue::from_str(&predicted.version.name) {
        headers.insert("penstock-version", version);
    }
    (response, predicted.observed)
}
